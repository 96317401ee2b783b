"""Read a source of history, whatever it is: a journal, counts, single contacts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from router.center import Center
from router.journal import JournalError
from simulation.fit.figures import Array
from simulation.fit.history import DAY_MINUTES, CountTable, Ending, History, Shift, Visit, tabulate
from simulation.fit.import_command import read_any
from simulation.fit.journals import read_entries
from simulation.fit.kinds import Kind
from simulation.fit.local_time import find_zone, is_shown, to_local
from simulation.fit.overview import gap_note, gaps
from simulation.fit.planning_files import Imported, Options, PlanningRow, told
from simulation.fit.tables import WORKBOOKS, TableError
from simulation.journal_sources import entries_in

_TABLES: Final = frozenset({".csv", ".txt", ".tsv", ".ics"} | WORKBOOKS)
_VISIT_MINUTES: Final = 15
_FAULTS_SHOWN: Final = 10


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a source is read; `minutes` 0: as the file has it, 15 for single contacts."""

    options: Options
    minutes: int = 0
    shifts: Path | None = None
    first: date | None = None
    last: date | None = None
    without: frozenset[date] = frozenset()


def read_history(source: Path, reading: Reading, center: Center | None = None) -> History:
    """Return the history in a file; raises `TableError` or `JournalError`."""
    if not source.is_file():
        raise TableError(
            f"{source}: no such file; give a journal, a store, a CSV file or a workbook"
        )
    if source.suffix.lower() in _TABLES:
        history = _read_table(source, reading, center)
    else:
        history = _read_journal(source, reading, center)
    if reading.shifts is not None:
        history = _with_shifts(history, reading)
    return _between(history, reading)


def zone_of(center: Center | None) -> str:
    """Return the zone of a centre's calendars, if they agree; else ""."""
    zones = {calendar.zone for calendar in center.calendars.values()} if center else set()
    return min(zones) if len(zones) == 1 else ""


def _read_journal(source: Path, reading: Reading, center: Center | None) -> History:
    try:
        reader = read_entries(entries_in(source))
    except JournalError as error:
        raise JournalError(f"{source}: {error}") from error
    if not reader.visits:
        raise JournalError(f"{source}: no contacts in it; nothing to fit")
    zone = reading.options.zone or zone_of(center) or zone_of(reader.center) or "UTC"
    return History(
        source=str(source),
        zone=zone,
        tables=tabulate(reader.visits, find_zone(zone), reading.minutes or _VISIT_MINUTES),
        visits=tuple(reader.visits),
        offers=reader.offers(),
        presences=reader.presences(),
        span_ms=(reader.first_ms, reader.now_ms),
    )


def _read_table(source: Path, reading: Reading, center: Center | None) -> History:
    imported = read_any(source, reading.options)
    if imported.faults:
        lines = "\n".join(told(imported.faults, _FAULTS_SHOWN))
        raise TableError(
            f"{lines}\n{source}: {len(imported.faults)} values refused; mend them, or keep the "
            f"other rows: switchroom import {source} --keep-good -o good.csv"
        )
    if not imported.rows:
        raise TableError(f"{source}: no rows; nothing to fit")
    named = {str(row.values["timezone"]) for row in imported.rows if "timezone" in row.values}
    zone = reading.options.zone or (named.pop() if len(named) == 1 else "") or zone_of(center)
    notes = list(imported.notes)
    if not zone:
        zone = "UTC"
        notes.append("no zone given: days and hours are those of UTC (--timezone says otherwise)")
    if imported.kind is Kind.CONTACTS:
        visits = tuple(_visit(row, center) for row in imported.rows)
        tables = tabulate(visits, find_zone(zone), reading.minutes or _VISIT_MINUTES)
    elif imported.kind is Kind.COUNTS:
        visits = ()
        tables = _count_tables(imported, find_zone(zone), reading.minutes, center, notes)
    else:
        raise TableError(
            f"{source}: holds {imported.kind.value}; fit wants counts (interval_start, queue, "
            "offered) or contacts (arrived_at, queue, outcome, wait_seconds)"
        )
    ends = [visit.arrived_ms + 1000 * round(_length_s(visit)) for visit in visits]
    starts = [visit.arrived_ms for visit in visits]
    return History(
        source=str(source),
        zone=zone,
        tables=tables,
        visits=visits,
        notes=tuple(notes),
        span_ms=(min(starts), max(ends)) if visits else (0, 0),
    )


def _length_s(visit: Visit) -> float:
    return (visit.wait_s or 0.0) + (visit.handle_s or 0.0) + (visit.wrap_up_s or 0.0)


def _visit(row: PlanningRow, center: Center | None) -> Visit:
    values = row.values
    queue = str(values["queue"])
    ending = Ending(values["outcome"])
    handle = values.get("handle_seconds")
    wrap_up = values.get("wrap_up_seconds")
    reply = values.get("reply_seconds")
    category = str(values.get("category") or _category_of(queue, center))
    known = center.categories.get(category) if center is not None else None
    # Wrap-up that met the centre's limit would have taken longer.
    limit_s = known.wrap_up_ms / 1000 if known is not None and known.wrap_up_ms > 0 else math.inf
    return Visit(
        arrived_ms=int(values["arrived_at"]),
        category=category,
        channel=str(values.get("channel", "phone")),
        queue=queue,
        ending=ending,
        wait_s=float(values["wait_seconds"]),
        handle_s=None if handle is None or ending is not Ending.ANSWERED else float(handle),
        wrap_up_s=None if wrap_up is None else float(wrap_up),
        wrap_up_open=wrap_up is not None and float(wrap_up) >= limit_s,
        reply_s=None if reply is None else float(reply),
        agent=str(values.get("agent", "")),
        customer=str(values.get("customer", "")),
    )


def _category_of(queue: str, center: Center | None) -> str:
    """Return the category that a queue stands for: of that name, or its only one."""
    if center is None or queue in center.categories:
        return queue
    served = [name for name, category in center.categories.items() if category.queue == queue]
    if not served:
        raise TableError(
            f'queue "{queue}" is neither a queue nor a category of centre {center.name}; there '
            f"are {', '.join(center.queues)}; rename it in the file or fit without --center"
        )
    return served[0]


def _count_tables(
    imported: Imported, zone: ZoneInfo, minutes: int, center: Center | None, notes: list[str]
) -> tuple[CountTable, ...]:
    length = _interval_minutes(imported)
    names = ("offered", "handled", "handle_seconds", "abandoned")
    filled = [row for row in imported.rows if float(row.values["offered"]) > 0]
    known = {name for name in names if any(name in row.values for row in filled)}
    if not all("abandoned" in row.values for row in filled):
        known.discard("abandoned")
    if "handle_seconds" in known:
        known.add("handled")
    days: dict[date, int] = {}
    cells: dict[tuple[str, str], dict[tuple[date, int], list[float]]] = {}
    unknown = 0
    if not any("channel" in row.values for row in imported.rows):
        notes.append("no channel in the file: all are taken as phone (add a column channel)")
    for row in imported.rows:
        local = to_local(int(row.values["interval_start"]), zone)
        minute = local.hour * 60 + local.minute
        if minute % length and _says(row):
            raise TableError(
                f"{imported.name}: row {row.number}: {local:%H:%M} begins no interval of {length} "
                "min; mend interval_minutes or the time"
            )
        days.setdefault(local.date(), 0)
        category = _category_of(str(row.values["queue"]), center)
        source = cells.setdefault((category, str(row.values.get("channel", "phone"))), {})
        cell = source.setdefault((local.date(), minute // length), [0.0] * len(names))
        values = _counted(row)
        if "handle_seconds" in known and values["handled"] and values["handle_seconds"] is None:
            # What took nobody knows how long must not be counted as no time.
            unknown += 1
            values["handled"] = 0.0
        for place, name in enumerate(names):
            cell[place] += values[name] or 0.0
    if unknown:
        notes.append(f"{unknown} intervals with contacts say nothing of handling; left out of it")
    _leave_out_gaps(cells, days, length, zone, notes)
    order = {day: index for index, day in enumerate(sorted(days))}
    if center is not None:
        _note_shared(cells, center, notes)
    tables = []
    for (category, channel), found in sorted(cells.items()):
        stacked = np.zeros((len(names), len(order), DAY_MINUTES // length))
        for (day, interval), cell in found.items():
            stacked[:, order[day], interval] = cell
        by_name: dict[str, Array] = dict(zip(names, stacked, strict=True))
        table = CountTable(
            category=category,
            channel=channel,
            minutes=length,
            days=tuple(order),
            offered=by_name["offered"],
            handled=by_name["handled"] if "handled" in known else None,
            handle_s=by_name["handle_seconds"] if "handle_seconds" in known else None,
            abandoned=by_name["abandoned"] if "abandoned" in known else None,
        )
        tables.append(table.coarser(minutes) if minutes > length else table)
    if minutes and (minutes < length or minutes % length):
        raise TableError(
            f"{imported.name}: has intervals of {length} min; --interval {minutes} is no multiple"
        )
    return tuple(tables)


def _counted(row: PlanningRow) -> dict[str, float | None]:
    """Return a row's counts; handled are the offered less the abandoned where it is not said."""
    values = row.values
    offered, abandoned = float(values["offered"]), float(values.get("abandoned", 0.0))
    handle = values.get("handle_seconds")
    return {
        "offered": offered,
        "handled": float(values.get("handled", max(0.0, offered - abandoned))),
        "handle_seconds": None if handle is None else float(handle),
        "abandoned": abandoned,
    }


def _leave_out_gaps(
    cells: dict[tuple[str, str], dict[tuple[date, int], list[float]]],
    days: dict[date, int],
    length: int,
    zone: ZoneInfo,
    notes: list[str],
) -> None:
    """Leave out the days on which a source lacks rows that must have been there."""
    found: dict[date, list[int]] = {}
    for source in cells.values():
        for day, missing in gaps({key: cell[0] for key, cell in source.items()}).items():
            shown = {place for place in missing if is_shown(day, place * length, zone)}
            if shown:
                found[day] = sorted({*found.get(day, []), *shown})
    if not found:
        return
    notes.append(gap_note(found, length))
    for day in found:
        del days[day]
    for source in cells.values():
        for key in [key for key in source if key[0] in found]:
            del source[key]


def _note_shared(
    cells: dict[tuple[str, str], dict[tuple[date, int], list[float]]],
    center: Center,
    notes: list[str],
) -> None:
    for category, _ in sorted(cells):
        queue = center.categories[category].queue
        others = [
            name
            for name, other in center.categories.items()
            if other.queue == queue and name != category and (name, "phone") not in cells
        ]
        if others:
            notes.append(
                f"queue {queue} is counted as category {category}; of {', '.join(others)} in the "
                "same queue the file says nothing"
            )


def _interval_minutes(imported: Imported) -> int:
    said = {int(row.values["interval_minutes"]) for row in imported.rows if _says(row)}
    if len(said) > 1:
        raise TableError(
            f"{imported.name}: intervals of {', '.join(map(str, sorted(said)))} min; "
            "one file has intervals of one length"
        )
    if said:
        return said.pop()
    starts = np.unique([int(row.values["interval_start"]) for row in imported.rows])
    gaps = np.diff(starts) // 60_000
    length = math.gcd(*(int(gap) for gap in gaps)) if len(gaps) else 0
    length = math.gcd(length, DAY_MINUTES)
    if length < 1:
        raise TableError(f"{imported.name}: how long is an interval? add interval_minutes")
    return length


def _says(row: PlanningRow) -> bool:
    return "interval_minutes" in row.values


def _with_shifts(history: History, reading: Reading) -> History:
    assert reading.shifts is not None, "asked for only with a file"
    imported = read_any(reading.shifts, Options(zone=history.zone))
    if imported.kind is not Kind.SHIFTS or imported.faults:
        lines = "".join(f"{line}\n" for line in told(imported.faults, _FAULTS_SHOWN))
        raise TableError(f"{lines}{reading.shifts}: needs shifts: agent, start, end")
    shifts = []
    for row in imported.rows:
        values = row.values
        breaks: tuple[tuple[int, int], ...] = ()
        if "break_start" in values and "break_end" in values:
            breaks = ((int(values["break_start"]), int(values["break_end"])),)
        shifts.append(
            Shift(
                agent=str(values["agent"]),
                start_ms=int(values["start"]),
                end_ms=int(values["end"]),
                breaks_ms=breaks,
            )
        )
    return history.replaced(shifts=tuple(shifts))


def _between(history: History, reading: Reading) -> History:
    """Keep the days that were asked for."""
    first, last = reading.first or date.min, reading.last or date.max
    if first == date.min and last == date.max and not reading.without:
        return history
    zone = find_zone(history.zone)

    def wanted(day: date) -> bool:
        return first <= day <= last and day not in reading.without

    tables = tuple(
        table.select(np.array([wanted(day) for day in table.days], dtype=np.bool_))
        for table in history.tables
    )
    if not any(len(table.days) for table in tables):
        there = sorted({day for table in history.tables for day in table.days})
        raise TableError(
            f"{history.source}: no days left of those from {there[0]} to {there[-1]}; "
            "mend --from, --to or --without"
        )
    visits = tuple(
        visit for visit in history.visits if wanted(to_local(visit.arrived_ms, zone).date())
    )
    return history.replaced(tables=tables, visits=visits)
