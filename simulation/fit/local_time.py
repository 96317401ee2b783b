"""Turn what a file says of time into an instant: RFC 3339, or a local clock with its zone.

A local clock shows some times twice and others never. A time that is shown twice is settled by a
`fold` (0 the first pass, 1 the second), or by what the user says of the whole file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulation.fit.layouts import RepeatedHour
from simulation.fit.tables import Cell

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

_packed_day = re.compile(r"(\d{2})[-/.]?(\d{2})[-/.]?(\d{4})", re.ASCII).fullmatch
_clock = re.compile(r"(\d{1,2}):?(\d{2})(?::?(\d{2}))?\s*([AaPp])?[Mm]?", re.ASCII).fullmatch

# Where year, month and day stand in eight digits.
DATE_FORMATS: Final = {"mmddyyyy": (3, 1, 2), "ddmmyyyy": (3, 2, 1)}


class TimeError(ValueError):
    """A time that cannot be understood; says what to do."""


def find_zone(name: str) -> ZoneInfo:
    """Return a zone by its IANA name; raises `TimeError`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise TimeError(f'no time zone "{name}"; write one as Europe/Berlin') from error


def to_ms(instant: datetime) -> int:
    """Return milliseconds since the epoch."""
    return (instant - _EPOCH) // _MILLISECOND


def to_local(instant_ms: int, zone: ZoneInfo) -> datetime:
    """Return an instant as the zone's clock shows it."""
    return (_EPOCH + instant_ms * _MILLISECOND).astimezone(zone)


def read_datetime(cell: Cell) -> datetime:
    """Return a date with a time of day, with an offset if one is written."""
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    if isinstance(cell, str):
        try:
            return datetime.fromisoformat(cell)
        except ValueError:
            pass
    raise TimeError("is no time; write it as 2026-03-02T09:00:00+01:00")


def read_day(cell: Cell, date_format: str) -> date:
    """Return a date without a time of day; numbers alone are read in the given order."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = str(int(cell)) if isinstance(cell, float | int) else str(cell)
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    found = _packed_day(text.zfill(8))
    if found is not None:
        year, month, day = (int(found.group(place)) for place in DATE_FORMATS[date_format])
        try:
            return date(year, month, day)
        except ValueError:
            pass
    raise TimeError(f"is no date; write it as 2026-03-02, or say its order ({date_format} now)")


def read_clock(cell: Cell) -> time:
    """Return a time of day: `09:15`, `9:15 PM`, `0915`."""
    if isinstance(cell, datetime):
        return cell.time()
    if isinstance(cell, time):
        return cell
    if isinstance(cell, timedelta):
        return (_EPOCH + cell).time()
    text = str(int(cell)).zfill(4) if isinstance(cell, float | int) else str(cell)
    found = _clock(text.strip())
    if found is not None:
        hour, minute, second = (int(part or 0) for part in found.groups()[:3])
        half = (found.group(4) or "").lower()
        if half:
            hour = hour % 12 + (12 if half == "p" else 0)
        if hour < 24 and minute < 60 and second < 60:
            return time(hour, minute, second)
    raise TimeError("is no time of day; write it as 09:15")


@dataclass
class LocalClock:
    """Settle local times of one file; `zone` None means that only offsets can be read."""

    zone: ZoneInfo | None
    repeated_hour: RepeatedHour = RepeatedHour.ASK
    # How often a local time was met, per what it is the time of.
    _met: dict[tuple[object, ...], int] = field(default_factory=dict)

    def instant(
        self,
        written: datetime,
        *,
        zone_name: str = "",
        fold: int | None = None,
        subject: tuple[object, ...] = (),
    ) -> int:
        """Return the instant in milliseconds; raises `TimeError`.

        `subject` names what the time belongs to (a queue): in a file in order, its second row
        with the same local time is the second pass.
        """
        if written.tzinfo is not None:
            return to_ms(written)
        zone = find_zone(zone_name) if zone_name else self.zone
        if zone is None:
            raise TimeError("has no offset; write one, or give the zone with --timezone")
        first = written.replace(tzinfo=zone, fold=0)
        second = written.replace(tzinfo=zone, fold=1)
        if first.utcoffset() == second.utcoffset():
            return to_ms(first)
        if to_local(to_ms(first), zone).replace(tzinfo=None) != written:
            raise TimeError(f"is never shown by the clock of {zone.key}: it is put forward there")
        if fold is None:
            fold = self._pass_of(written, subject, zone)
        return to_ms(second if fold else first)

    def _pass_of(self, written: datetime, subject: tuple[object, ...], zone: ZoneInfo) -> int:
        match self.repeated_hour:
            case RepeatedHour.FIRST:
                return 0
            case RepeatedHour.SECOND:
                return 1
            case RepeatedHour.IN_ORDER:
                key = (*subject, written)
                met = self._met.get(key, 0)
                self._met[key] = met + 1
                if met > 1:
                    raise TimeError("stands here a third time; the clock repeats an hour once")
                return met
            case RepeatedHour.ASK:
                raise TimeError(
                    f"is shown twice by the clock of {zone.key} and not marked; give a column "
                    "fold, or say --repeated-hour in-order (the second row is the second pass), "
                    "first or second"
                )
