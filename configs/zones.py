"""Read time zone rules of one stated edition: that of the installed tzdata package.

The operating system has rules of its own, of whatever age; they are not used, so that a compiled
calendar can say which edition it was made from.
"""

from __future__ import annotations

import importlib
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SECOND_MS: Final = 1_000

# No zone changes its clock and changes it back within so short a time.
_PROBE: Final = timedelta(hours=6)


def rules_version() -> str:
    """Return the edition of the time zone database, as `2026a`."""
    return str(importlib.import_module("tzdata").IANA_VERSION)


@cache
def zone_names() -> tuple[str, ...]:
    """Return the names of all zones."""
    text = (resources.files("tzdata") / "zones").read_text(encoding="utf-8")
    return tuple(text.split())


@cache
def load_zone(name: str) -> ZoneInfo:
    """Return the rules of a zone; the name must be one of `zone_names`."""
    assert name in zone_names(), "names are compared before rules are read"
    path = resources.files("tzdata") / "zoneinfo"
    for part in name.split("/"):
        path /= part
    with path.open("rb") as stream:
        return ZoneInfo.from_file(stream, key=name)


def offset_ms_at(zone: ZoneInfo, at: datetime) -> int:
    """Return how far the zone's clock is ahead of UTC at an instant."""
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None, "a zone has an offset at every instant"
    return round(offset.total_seconds()) * SECOND_MS


@dataclass(frozen=True)
class LocalClock:
    """The clock of a zone over some years: `offsets_ms` holds (since, ahead of UTC), ascending."""

    offsets_ms: tuple[tuple[int, int], ...]

    def first_instant_ms(self, wall_ms: int) -> int:
        """Return the first instant at which the clock shows a time, or a later one.

        `wall_ms` is a reading of the clock, counted as if it were UTC. A reading that the clock
        skips becomes the instant of the jump; of a reading that comes twice it is the first.
        """
        last = len(self.offsets_ms) - 1
        # Clocks are at most a day off; earlier changes cannot matter.
        index = max(bisect_right(self.offsets_ms, (wall_ms - 2 * 86_400_000,)) - 1, 0)
        while True:
            since_ms, offset_ms = self.offsets_ms[index]
            at_ms = max(wall_ms - offset_ms, since_ms) if index else wall_ms - offset_ms
            if index == last or at_ms < self.offsets_ms[index + 1][0]:
                return at_ms
            index += 1


def local_clock(zone: ZoneInfo, first_year: int, last_year: int) -> LocalClock:
    """Return the clock of a zone from the year before the first to the year after the last."""
    at = datetime(first_year, 1, 1, tzinfo=UTC) - timedelta(days=7)
    end = datetime(last_year + 1, 1, 1, tzinfo=UTC) + timedelta(days=7)
    offset_ms = offset_ms_at(zone, at)
    offsets_ms = [(_in_ms(at), offset_ms)]
    while at < end:
        then = at + _PROBE
        if offset_ms_at(zone, then) != offset_ms:
            low, high = at, then
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                if offset_ms_at(zone, middle) == offset_ms:
                    low = middle
                else:
                    high = middle
            offset_ms = offset_ms_at(zone, high)
            offsets_ms.append((_in_ms(high), offset_ms))
        at = then
    return LocalClock(tuple(offsets_ms))


def _in_ms(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)
