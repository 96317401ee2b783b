"""Read planning files: every row checked, faults told with row, column and value.

A file is read into rows of ours by a layout (`simulation.fit.layouts`) and a kind
(`simulation.fit.kinds`). Unknown columns are kept as they are. Nothing is dropped in silence:
`Imported` says what was refused and what was changed.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from simulation.fit.kinds import (
    KINDS,
    Kind,
    Value,
    ValueRefusedError,
    kind_of,
    nearest_kind,
    number,
    seconds,
    share,
)
from simulation.fit.layouts import LAYOUTS, Format, Layout, RepeatedHour, bare
from simulation.fit.local_time import (
    LocalClock,
    TimeError,
    find_zone,
    order_of,
    read_clock,
    read_datetime,
    read_day,
    to_local,
)
from simulation.fit.tables import Cell, Row, Table, TableError, read_table

__all__ = ["Fault", "Imported", "Options", "PlanningRow", "read_planning_file", "told", "write_csv"]

_DATE, _PERIOD = "date", "period"
# Columns of a local date and a time of day together are one instant.
_SPLIT: Final = {_DATE, _PERIOD}
_NUMBERS: Final = (number, seconds, share)
_ALIKE_SHOWN: Final = 3
_thousands = re.compile(r"\d{1,3}(\.\d{3})+", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Fault:
    """One value that could not be taken; `row` counts as the file's own rows do."""

    file: str
    row: int
    column: str
    value: str
    message: str

    def __str__(self) -> str:
        return f'{self.file}: row {self.row}: {self.column}: "{self.value}" {self.message}'


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a file is to be read; `columns` maps our names to theirs, before the layout's.

    `remembered` is the same of earlier files, and holds where a file has these columns. The order
    of day and month is found out from the file where `date_format` is "".
    """

    format: Format = Format.OURS
    zone: str = ""
    repeated_hour: RepeatedHour = RepeatedHour.ASK
    date_format: str = ""
    columns: Mapping[str, str] | None = None
    remembered: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class PlanningRow:
    """One row: our columns, read (instants as milliseconds), and theirs, as written."""

    number: int
    values: dict[str, Value]
    extra: dict[str, Cell]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What a file held: good rows, refused values, what was changed, columns we do not know."""

    name: str
    kind: Kind
    rows: tuple[PlanningRow, ...]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    mapping: dict[str, str]
    unknown: tuple[str, ...]
    zone: str


def read_planning_file(path: Path, options: Options | None = None) -> Imported:
    """Return what a planning file holds; raises `TableError` when it is no such file."""
    options = options or Options()
    layout = LAYOUTS[options.format]
    table = read_table(path)
    mapping = _map_columns(table, layout, options)
    kind = _kind(table, mapping, options.format)
    zone = find_zone(options.zone) if options.zone else ZoneInfo("UTC") if layout.utc else None
    order, told = _order(table, mapping, kind, options.date_format)
    clock = LocalClock(zone, options.repeated_hour)
    reader = _Reader(table, layout, mapping, kind, clock, order)
    rows = tuple(reader.rows())
    notes = [*table.notes, *told, *reader.notes]
    if layout.filled and kind is Kind.COUNTS:
        kept = tuple(_without_closed_hours(rows, find_zone(options.zone or "UTC")))
        if len(kept) < len(rows):
            notes.append(
                f"{len(rows) - len(kept)} rows of zeros left out: hours of the week in which a "
                "queue never had a contact"
            )
        rows = kept
    unknown = tuple(name for name in table.columns if name not in mapping.values())
    return Imported(
        name=table.name,
        kind=kind,
        rows=rows,
        faults=tuple(reader.faults),
        notes=tuple(notes),
        mapping=mapping,
        unknown=unknown,
        zone=options.zone,
    )


def _order(
    table: Table, mapping: dict[str, str], kind: Kind, said: str
) -> tuple[str, tuple[str, ...]]:
    """Return the order of day and month in a file's dates, and what is to be told of it."""
    if said:
        return said, ()
    names = [_DATE, *(name for name, spec in KINDS[kind].items() if spec.instant)]
    places = [table.columns.index(mapping[name]) for name in names if name in mapping]
    found = order_of(
        row.cells[place] for row in table.rows for place in places if place < len(row.cells)
    )
    words = {"ddmmyyyy": "day first, month second", "mmddyyyy": "month first, day second"}
    return found, ((f"dates are read with {words[found]}",) if found else ())


def _map_columns(table: Table, layout: Layout, options: Options) -> dict[str, str]:
    """Return our names with theirs: the user's word, the layout's, ours as they are."""
    by_bare = {bare(name): name for name in table.columns}
    mapping: dict[str, str] = {}
    for ours, theirs in (options.columns or {}).items():
        if theirs not in table.columns:
            raise TableError(
                f'{table.name}: no column "{theirs}" for {ours}; there are '
                f"{', '.join(table.columns)}"
            )
        mapping[ours] = theirs
    for ours, theirs in (options.remembered or {}).items():
        if theirs in table.columns:
            mapping.setdefault(ours, theirs)
    known = {name for fields in KINDS.values() for name in fields} | _SPLIT
    for ours in sorted(known):
        own = () if ours in _SPLIT else (ours,)
        for theirs in (*layout.columns.get(ours, ()), *own):
            if ours not in mapping and bare(theirs) in by_bare:
                mapping[ours] = by_bare[bare(theirs)]
    # A column serves one name, the more exact one.
    taken: dict[str, str] = {}
    said = {**(options.remembered or {}), **(options.columns or {})}
    for ours in sorted(mapping, key=lambda name: (said.get(name) != mapping[name], name)):
        taken.setdefault(mapping[ours], ours)
    return {ours: theirs for ours, theirs in mapping.items() if taken[theirs] == ours}


def _kind(table: Table, mapping: dict[str, str], format_: Format) -> Kind:
    names = set(mapping)
    if names >= _SPLIT:
        names |= {"interval_start"}
    found = kind_of(frozenset(names))
    if found is None:
        kind, missing = nearest_kind(frozenset(names))
        named = " ".join(f'--column {name}="..."' for name in missing)
        raise TableError(
            f"{table.name}: no column for {', '.join(missing)} (read as {kind.value}, format "
            f"{format_.value}); there are {', '.join(table.columns)}; say which is which: "
            f"switchroom import {named}"
        )
    return found


class _Reader:
    """Read the rows of one table; keeps the faults."""

    def __init__(
        self,
        table: Table,
        layout: Layout,
        mapping: dict[str, str],
        kind: Kind,
        clock: LocalClock,
        order: str,
    ) -> None:
        self.table, self.layout, self.mapping, self.kind = table, layout, mapping, kind
        self.clock, self.order = clock, order
        self.places = {name: table.columns.index(theirs) for name, theirs in mapping.items()}
        self.kept = [
            (place, name)
            for place, name in enumerate(table.columns)
            if name not in mapping.values()
        ]
        self.faults: list[Fault] = []
        self.notes: dict[str, None] = {}
        self.seen: dict[tuple[object, ...], int] = {}

    def rows(self) -> Iterator[PlanningRow]:
        for row in self.table.rows:
            values = self.values(row)
            if values is None:
                continue
            extra = {name: row.cells[place] for place, name in self.kept if place < len(row.cells)}
            if self.kind is Kind.COUNTS and not self.is_new(row, values, extra):
                continue
            yield PlanningRow(row.number, values, extra)

    def cell(self, row: Row, name: str) -> Cell:
        place = self.places.get(name)
        return None if place is None or place >= len(row.cells) else row.cells[place]

    def fault(self, row: Row, name: str, message: str) -> None:
        written = self.cell(row, name)
        if name == _DATE and _PERIOD in self.mapping:
            written = f"{written} {self.cell(row, _PERIOD)}"
        self.faults.append(
            Fault(
                self.table.name,
                row.number,
                self.mapping.get(name, name),
                "" if written is None else str(written),
                message,
            )
        )

    def values(self, row: Row) -> dict[str, Value] | None:
        """Return a row's values; None after a fault."""
        faults = len(self.faults)
        values: dict[str, Value] = {}
        instants: list[str] = []
        for name, spec in KINDS[self.kind].items():
            cell = self.cell(row, name)
            if spec.instant:
                instants.append(name)
            elif cell is None:
                if spec.required:
                    self.fault(row, name, "is missing; every row needs it")
            else:
                try:
                    if self.table.decimal_comma and isinstance(cell, str) and spec.read in _NUMBERS:
                        cell = _point(cell)
                    values[name] = spec.read(cell)
                except ValueRefusedError as error:
                    self.fault(row, name, str(error))
        for name in instants:
            self.read_instant(row, name, values)
        if len(self.faults) > faults:
            return None
        return self.completed(values)

    def read_instant(self, row: Row, name: str, values: dict[str, Value]) -> None:
        spec = KINDS[self.kind][name]
        split = name == "interval_start" and name not in self.mapping
        cell = self.cell(row, _DATE if split else name)
        if cell is None:
            if spec.required:
                self.fault(row, _DATE if split else name, "is missing; every row needs it")
            return
        try:
            if split:
                day = read_day(cell, self.order)
                written = datetime.combine(day, read_clock(self.cell(row, _PERIOD)))
            else:
                written = read_datetime(cell, self.order)
            fold = values.get("fold")
            values[name] = self.clock.instant(
                written,
                zone_name=str(values.get("timezone", "")),
                fold=None if fold is None else int(fold),
                subject=(name, values.get("queue"), values.get("channel"), values.get("agent")),
            )
        except TimeError as error:
            self.fault(row, _DATE if split else name, str(error))

    def completed(self, values: dict[str, Value]) -> dict[str, Value]:
        """Fill in what follows from the rest: the interval's length, handle seconds in all."""
        if self.kind is not Kind.COUNTS:
            return values
        if "interval_minutes" not in values and self.layout.minutes:
            values["interval_minutes"] = self.layout.minutes
        if "handle_seconds" not in values and "aht_seconds" in values:
            answered = values.get("handled")
            if answered is None:
                answered = float(values["offered"]) - float(values.get("abandoned", 0))
                self.notes["contacts handled are taken as offered less abandoned"] = None
            values["handle_seconds"] = float(values["aht_seconds"]) * max(0.0, float(answered))
        values.pop("aht_seconds", None)
        return values

    def is_new(self, row: Row, values: dict[str, Value], extra: dict[str, Cell]) -> bool:
        """Say whether an interval of a queue is met for the first time; else a fault."""
        apart = [bare(name) for name in self.layout.apart]
        key = (
            values["interval_start"],
            values["queue"],
            values.get("channel"),
            *(value for name, value in extra.items() if bare(name) in apart),
        )
        first = self.seen.setdefault(key, row.number)
        if first != row.number:
            name = "interval_start" if "interval_start" in self.mapping else _DATE
            self.fault(row, name, f"of this queue stands in row {first} already; remove one")
        return first == row.number


def _point(text: str) -> str:
    """Return `1.234,5` as `1234.5`; 1.234 alone may be either."""
    if _thousands(text):
        raise ValueRefusedError("may be a thousand or a decimal; write it without the point")
    return text.replace(".", "").replace(",", ".") if "," in text else text


def _without_closed_hours(rows: tuple[PlanningRow, ...], zone: ZoneInfo) -> Iterator[PlanningRow]:
    """Leave out rows of zeros in hours of the week that never had a contact."""

    def slot(row: PlanningRow) -> tuple[object, ...]:
        local = to_local(int(row.values["interval_start"]), zone)
        return (row.values["queue"], row.values.get("channel"), local.weekday(), local.time())

    used = {slot(row) for row in rows if float(row.values["offered"]) > 0}
    return (row for row in rows if slot(row) in used)


def write_csv(imported: Imported, path: Path) -> None:
    """Write rows as our own CSV: our columns, then theirs; times with their offset."""
    present = {name for row in imported.rows for name in row.values}
    names = [name for name in KINDS[imported.kind] if name in present - {"timezone", "fold"}]
    extra = [name for name in imported.unknown if name not in names]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*names, *extra])
        for row in imported.rows:
            zone = find_zone(str(row.values.get("timezone", imported.zone or "UTC")))
            cells = [_written(imported.kind, name, row.values.get(name), zone) for name in names]
            writer.writerow([*cells, *(_plain(row.extra.get(name)) for name in extra)])


def _written(kind: Kind, name: str, value: Value | None, zone: ZoneInfo) -> Any:
    if value is None:
        return ""
    if KINDS[kind][name].instant:
        return to_local(int(value), zone).isoformat()
    if isinstance(value, float):
        return f"{value:.10g}"
    return value


def _plain(cell: Cell) -> Any:
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    return "" if cell is None else cell


def told(faults: Sequence[Fault], most: int) -> Iterator[str]:
    """Yield faults for people: of many that say the same of a column, the first three."""
    alike: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        alike.setdefault((fault.column, fault.message), []).append(fault)
    shown = 0
    for (column, _), same in alike.items():
        if shown >= most:
            yield f"and more, of {len(faults)} in all"
            return
        for fault in same[:_ALIKE_SHOWN]:
            yield str(fault)
            shown += 1
        if len(same) > _ALIKE_SHOWN:
            yield f"    and {len(same) - _ALIKE_SHOWN} rows more, the same of {column}"
