"""Read shifts from an iCalendar file (RFC 5545): an entry with times of day is a shift.

The agent is the entry's ATTENDEE (its CN, or the address before the @), else its SUMMARY.
Repeated entries are written out for a year from the first.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from simulation.fit.kinds import Kind, Value
from simulation.fit.local_time import LocalClock, TimeError, find_zone
from simulation.fit.planning_files import Fault, Imported, Options, PlanningRow
from simulation.fit.tables import SIZE_MAX, TableError

_YEAR: Final = timedelta(days=366)


def read_shifts(path: Path, options: Options | None = None) -> Imported:
    """Return the shifts of a calendar file; raises `TableError`."""
    options = options or Options()
    try:
        import icalendar  # noqa: PLC0415 - an optional part
        import recurring_ical_events  # type: ignore[import-untyped]  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise TableError(
            f'{path}: calendar files need two libraries; pip install "switchroom[ical]"'
        ) from error
    if not path.is_file() or path.stat().st_size > SIZE_MAX:
        raise TableError(f"{path}: no such file, or too large; give an iCalendar file")
    try:
        calendar: Any = icalendar.Calendar.from_ical(path.read_bytes())
    except (ValueError, IndexError, KeyError) as error:
        raise TableError(f"{path}: no iCalendar file: {error}") from error
    starts = [_day(entry.decoded("DTSTART")) for entry in calendar.walk("VEVENT")]
    if not starts:
        raise TableError(f"{path}: no entries; a shift is a VEVENT with DTSTART and DTEND")
    try:
        entries = recurring_ical_events.of(calendar).between(min(starts), max(starts) + _YEAR)
    except (ValueError, TypeError, OverflowError) as error:
        raise TableError(f"{path}: a rule that cannot be followed: {error}") from error
    clock = LocalClock(find_zone(options.zone) if options.zone else None, options.repeated_hour)
    rows: list[PlanningRow] = []
    faults: list[Fault] = []
    days = 0
    for number, entry in enumerate(entries, start=1):
        start, end = entry.decoded("DTSTART"), entry.decoded("DTEND", None)
        if not isinstance(start, datetime) or not isinstance(end, datetime):
            days += 1
            continue
        agent = _agent(entry)
        try:
            values: dict[str, Value] = {
                "start": clock.instant(start),
                "end": clock.instant(end),
                "agent": agent,
            }
        except TimeError as error:
            faults.append(Fault(str(path), number, "DTSTART", str(start), str(error)))
            continue
        rows.append(PlanningRow(number, values, {}))
    rows.sort(key=lambda row: (int(row.values["start"]), str(row.values["agent"])))
    return Imported(
        name=str(path),
        kind=Kind.SHIFTS,
        rows=tuple(rows),
        faults=tuple(faults),
        notes=(f"{days} entries of whole days left out",) if days else (),
        mapping={},
        unknown=(),
        zone=options.zone,
    )


def _day(start: date | datetime) -> date:
    return start.date() if isinstance(start, datetime) else start


def _agent(entry: Any) -> str:
    attendee = entry.get("ATTENDEE")
    if attendee is not None and not isinstance(attendee, list):
        named = attendee.params.get("CN")
        return str(named or str(attendee).removeprefix("mailto:").partition("@")[0])
    return str(entry.get("SUMMARY", "")).strip() or "unnamed"
