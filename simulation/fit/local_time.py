"""Turn what a file says of time into an instant: RFC 3339, or a local clock with its zone.

A local clock shows some times twice and others never. A time that is shown twice is settled by a
`fold` (0 the first pass, 1 the second), or by what the user says of the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulation.fit.layouts import RepeatedHour
from simulation.fit.tables import Cell

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

_packed_day = re.compile(r"(\d{2})(\d{2})(\d{4})", re.ASCII).fullmatch
_CLOCK: Final = r"(\d{1,2}):?(\d{2})(?::?(\d{2}))?\s*(?:([AaPp])\.?[Mm]\.?)?"
# A time of day, or the interval that begins with it: `09:00-09:30`.
_clock = re.compile(rf"{_CLOCK}(?:\s*[-–]\s*{_CLOCK})?", re.ASCII).fullmatch
_people = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[ T,]+(.+))?", re.ASCII).fullmatch
_year_first = re.compile(r"\d{4}/\d{2}/\d{2}", re.ASCII).match

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


def is_shown(day: date, minute: int, zone: ZoneInfo) -> bool:
    """Say whether a zone's clock shows this minute on a day: one hour is left out in spring."""
    written = datetime.combine(day, time(minute // 60, minute % 60))
    return to_local(to_ms(written.replace(tzinfo=zone)), zone).replace(tzinfo=None) == written


def order_of(cells: Iterable[Cell]) -> str:
    """Return the order of day and month in a file's dates with slashes or dashes.

    A number above 12 can only be a day. Returns "" where none shows, or where they contradict.
    """
    found = set()
    for cell in cells:
        parts = _people(cell.strip()) if isinstance(cell, str) else None
        if parts is None or parts[2] == ".":
            continue
        if int(parts[1]) > 12:
            found.add("ddmmyyyy")
        if int(parts[3]) > 12:
            found.add("mmddyyyy")
    return found.pop() if len(found) == 1 else ""


def read_datetime(cell: Cell, order: str = "") -> datetime:
    """Return a date with a time of day, with an offset if one is written.

    Where neither is ISO 8601, dates with dots are day first, others as `order` says.
    """
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    if isinstance(cell, str):
        text = cell.strip()
        if _year_first(text):
            text = text.replace("/", "-", 2)
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
        parts = _people(text)
        if parts is not None:
            clock = read_clock(parts[5]) if parts[5] else time()
            return datetime.combine(_day_of(parts, order), clock)
    raise TimeError("is no time; write it as 2026-03-02T09:00:00+01:00")


def _day_of(parts: re.Match[str], order: str) -> date:
    """Return a day as people write it: 31.12.2025, 31/12/2025, 12/31/2025."""
    if parts[2] == ".":
        order = "ddmmyyyy"
    if not order:
        raise TimeError(
            "may have day or month first; say which: switchroom import --date-format ddmmyyyy, or "
            "mmddyyyy"
        )
    first, second, year = int(parts[1]), int(parts[3]), int(parts[4])
    day, month = (first, second) if order == "ddmmyyyy" else (second, first)
    try:
        return date(year, month, day)
    except ValueError:
        raise TimeError(f"is no day of the calendar (read as {order})") from None


def read_day(cell: Cell, order: str = "") -> date:
    """Return a date without a time of day; eight digits alone are month first unless said."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = str(int(cell)) if isinstance(cell, float | int) else str(cell).strip()
    try:
        return date.fromisoformat(text.replace("/", "-") if _year_first(text) else text)
    except ValueError:
        pass
    parts = _people(text)
    if parts is not None:
        return _day_of(parts, order)
    found = _packed_day(text.zfill(8))
    if found is not None:
        year, month, day = (int(found.group(place)) for place in DATE_FORMATS[order or "mmddyyyy"])
        try:
            return date(year, month, day)
        except ValueError:
            pass
    raise TimeError("is no date; write it as 2026-03-02, or say its order with --date-format")


def read_clock(cell: Cell) -> time:
    """Return a time of day: `09:15`, `9:15 PM`, `0915`; of `09:00-09:30` the beginning."""
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
