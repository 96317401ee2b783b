"""Turn RFC 3339 instants into integer milliseconds since the Unix epoch, and back.

Strict on purpose: a zone must be there, a leap second (`:60`) has no place on our clock, and
an integer that is too small to be milliseconds of our days is taken for seconds and refused.
Digits below a millisecond are cut off.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Final

INSTANT_MS_MAX: Final = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z, the last instant RFC 3339 can write."""

MILLISECONDS_MIN: Final = 100_000_000_000
"""March 1973 in milliseconds, the year 5138 in seconds: anything less is seconds."""

_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_DAY_MS: Final = 86_400_000
_HOUR_MAX: Final = 23
_SIXTIETH_MAX: Final = 59
_LENGTH_MAX: Final = len("9999-12-31T23:59:59.123456789+00:00")
_PATTERN: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)


@lru_cache(maxsize=512)
def _day_ms(day: str) -> int:
    return (date.fromisoformat(day).toordinal() - _EPOCH_DAY) * _DAY_MS


@lru_cache(maxsize=512)
def _day_name(day: int) -> str:
    return date.fromordinal(day + _EPOCH_DAY).isoformat()


def parse_instant(text: str) -> int:
    """Return the milliseconds of an RFC 3339 instant; raises `ValueError` with what is wrong.

    The message never repeats the text: it may hold what must not reach a log.
    """
    match = _PATTERN.fullmatch(text) if len(text) <= _LENGTH_MAX else None
    if match is None:
        raise ValueError("not an RFC 3339 instant with zone, such as 2026-03-02T08:00:00.000Z")
    day, hour, minute, second, fraction, sign, zone_hour, zone_minute = match.groups()
    hours, minutes, seconds = int(hour), int(minute), int(second)
    if hours > _HOUR_MAX or minutes > _SIXTIETH_MAX or seconds > _SIXTIETH_MAX:
        raise ValueError("no such time of day (a leap second is not taken)")
    try:
        at_ms = _day_ms(day)
    except ValueError:
        raise ValueError("no such day") from None
    at_ms += hours * 3_600_000 + minutes * 60_000 + seconds * 1000
    if fraction is not None:
        at_ms += int(fraction[:3].ljust(3, "0"))
    if sign is not None:
        if int(zone_hour) > _HOUR_MAX or int(zone_minute) > _SIXTIETH_MAX:
            raise ValueError("no such zone")
        offset_ms = int(zone_hour) * 3_600_000 + int(zone_minute) * 60_000
        at_ms -= offset_ms if sign == "+" else -offset_ms
    if not 1 <= at_ms <= INSTANT_MS_MAX:
        raise ValueError("before 1970 or after 9999")
    return at_ms


def check_instant_ms(at_ms: object) -> int:
    """Return `at_ms` if it is an integer that can be milliseconds; raises `ValueError`."""
    if type(at_ms) is not int:
        raise ValueError("not an integer")
    if at_ms < MILLISECONDS_MIN:
        raise ValueError("negative, zero or seconds: milliseconds since 1970 are expected")
    if at_ms > INSTANT_MS_MAX:
        raise ValueError("after the year 9999: milliseconds since 1970 are expected")
    return at_ms


def format_instant(at_ms: int) -> str:
    """Write an instant as RFC 3339 in UTC with milliseconds."""
    day, rest_ms = divmod(at_ms, _DAY_MS)
    seconds, ms = divmod(rest_ms, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{_day_name(day)}T{hour:02d}:{minute:02d}:{second:02d}.{ms:03d}Z"
