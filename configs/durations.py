"""Read and write durations as people do: `20s`, `1h30m`, `1500ms`."""

from __future__ import annotations

import re
from typing import Final

UNITS_MS: Final = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}

# Days are left out on purpose: a day is 24 hours or a working day, and the reader would have
# to guess which. Nine digits hold 30 years in seconds; more is a slip.
PATTERN: Final = r"^-?(?=\d)(\d{1,9}h)?(\d{1,9}m)?(\d{1,9}s)?(\d{1,15}ms)?$"

_match = re.compile(PATTERN, re.ASCII).match
_days = re.compile(r"^(\d{1,6})d$", re.ASCII).match


class DurationError(ValueError):
    """A text that is no duration; says how to write one."""


def parse_duration(text: str) -> int:
    """Return the milliseconds of `1h30m`, `20s`, `1500ms`; raises `DurationError`.

    A minus sign in front is read, so that the check of ranges can speak about the value.
    """
    found = _match(text)
    if found is None:
        days = _days(text)
        if days is not None:
            raise DurationError(
                f'"{text}": a day may be 24 hours or a working day; '
                f"write {int(days.group(1)) * 24}h for plain time"
            )
        raise DurationError(f'"{text}" is no duration; write for example 20s, 3m, 1h30m or 500ms')
    parts = zip(found.groups(), UNITS_MS.items(), strict=True)
    total_ms = sum(int(part[: -len(unit)]) * size for part, (unit, size) in parts if part)
    return -total_ms if text.startswith("-") else total_ms


CLOCK_PATTERN: Final = r"^[0-4]\d:[0-5]\d(:[0-5]\d)?$"

_clock = re.compile(CLOCK_PATTERN, re.ASCII).match


def parse_clock(text: str) -> int:
    """Return the milliseconds since midnight of `09:30`; raises `DurationError`.

    Hours from 24 on belong to the next day, so that a night shift ends at `30:00`.
    """
    if _clock(text) is None:
        raise DurationError(f'"{text}" is no time of day; write for example 09:30, or 24:00')
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return (hours * 60 + minutes) * 60_000 + (seconds[0] if seconds else 0) * 1_000
