"""Read closed days from an iCalendar file (RFC 5545): its all-day entries, repeated ones too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

SIZE_MAX: Final = 4 * 1024 * 1024
ENTRIES_MAX: Final = 5_000
# A rule that repeats more often than daily says nothing about days and takes for ever.
_FREQUENCIES: Final = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})


class IcalError(ValueError):
    """A file that cannot be read as a list of closed days; says why and what to do."""


@dataclass(frozen=True)
class ClosedDays:
    """The closed days of a file, with their names; `left_out` counts entries with a time of day."""

    days: Mapping[date, str]
    left_out: int


def read_closed_days(path: Path, years: tuple[int, ...]) -> ClosedDays:
    """Return the all-day entries of a file in some years; raises `IcalError`.

    Cancelled entries are passed over. An entry of several days ends before its DTEND, as the
    standard says.
    """
    try:
        import icalendar  # noqa: PLC0415  # an optional part
        import recurring_ical_events  # type: ignore[import-untyped]  # noqa: PLC0415
    except ImportError as error:
        text = 'reading iCalendar files needs two libraries; pip install "switchroom[ical]"'
        raise IcalError(text) from error
    body = _read(path)
    try:
        calendar: Any = icalendar.Calendar.from_ical(body)
    except (ValueError, IndexError, KeyError) as error:
        raise IcalError(f"{path.name} is no iCalendar file: {_short(error)}") from error
    kept, left_out = _all_day(calendar, path)
    calendar.subcomponents = kept
    begin, end = date(min(years), 1, 1), date(max(years) + 1, 1, 1)
    days: dict[date, str] = {}
    try:
        found = recurring_ical_events.of(calendar).between(begin, end)
    except (ValueError, TypeError, OverflowError) as error:
        raise IcalError(
            f"{path.name} has a rule that cannot be followed: {_short(error)}"
        ) from error
    for entry in found:
        day, last = _span(entry)
        name = str(entry.get("SUMMARY", "")).strip()[:80] or path.name
        while day < last:
            if day.year in years:
                days.setdefault(day, name)
            day += timedelta(days=1)
    return ClosedDays(dict(sorted(days.items())), left_out)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            body = stream.read(SIZE_MAX + 1)
    except OSError as error:
        raise IcalError(f"{path} cannot be read: {error.strerror}") from error
    if len(body) > SIZE_MAX:
        raise IcalError(
            f"{path.name} is larger than {SIZE_MAX // 1024**2} MiB; keep what is needed"
        )
    return body


def _all_day(calendar: Any, path: Path) -> tuple[list[Any], int]:  # noqa: ANN401  # untyped library
    """Return the entries that are days, and how many others there are."""
    kept: list[Any] = []
    left_out = 0
    for entry in calendar.walk("VEVENT"):
        if len(kept) >= ENTRIES_MAX:
            raise IcalError(f"{path.name} has more than {ENTRIES_MAX} entries; keep what is needed")
        if str(entry.get("STATUS", "")).upper() == "CANCELLED":
            continue
        if not _is_day(entry, "DTSTART") or ("DTEND" in entry and not _is_day(entry, "DTEND")):
            left_out += 1
            continue
        rules = entry.get("RRULE", [])
        for rule in rules if isinstance(rules, list) else [rules]:
            often = [str(word).upper() for word in rule.get("FREQ", [])]
            if not set(often) <= _FREQUENCIES:
                raise IcalError(f"{path.name} repeats a day {'/'.join(often)}; use DAILY at most")
        kept.append(entry)
    return kept, left_out


def _is_day(entry: Any, key: str) -> bool:  # noqa: ANN401  # as above
    """Say whether a property is a readable date without a time."""
    try:
        moment = entry[key].dt
    except (KeyError, ValueError, AttributeError):
        return False
    return isinstance(moment, date) and not isinstance(moment, datetime)


def _span(entry: Any) -> tuple[date, date]:  # noqa: ANN401  # as above
    """Return the first day of an entry and the day after its last."""
    first: date = entry["DTSTART"].dt
    end = entry.get("DTEND")
    last = end.dt if end is not None else first + timedelta(days=1)
    return first, max(last, first + timedelta(days=1))


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
