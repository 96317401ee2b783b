"""Read when recorded contacts came: from a journal, a worker's store, a CSV file or a workbook.

Of a journal those of the demand's category and channel count, at the instant at which they reached
the centre; redials that the centre took for the same contact are none. Of a table it is the rows
that the columns `category` (or `queue`) and `channel` say, where it has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from configs.durations import parse_clock
from configs.planning import Demand, Scenario
from router.events import ContactArrived
from router.journal import JournalError
from simulation.fit.column_memory import FILE_NAME, recall
from simulation.fit.layouts import Format, bare, channel_of
from simulation.fit.local_time import LocalClock, TimeError, order_of, read_datetime
from simulation.fit.tables import WORKBOOKS, Row, Table, read_table
from simulation.journal_sources import entries_in
from simulation.plan.prepared import start_of

_TABLES: Final = frozenset({".csv", ".txt", ".tsv", *WORKBOOKS})


def read_arrivals(path: Path, scenario: Scenario, demand: Demand) -> tuple[int, ...]:
    """Return recorded instants as offsets (ms) from opening; those outside the hours are left out.

    Raises ValueError with the place of what cannot be read, or when nothing falls into the hours.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file; give a journal, a store, a CSV file or a workbook")
    if path.suffix.lower() in _TABLES:
        instants = list(_from_table(read_table(path), path, scenario, demand))
    else:
        instants = list(_from_journal(path, demand))
    start_ms = start_of(scenario)
    length_ms = parse_clock(scenario.closes) - parse_clock(scenario.opens)
    offsets = sorted(at_ms - start_ms for at_ms in instants if 0 <= at_ms - start_ms < length_ms)
    if not offsets:
        raise ValueError(f"{path}: {_nothing(instants, scenario, demand)}")
    return tuple(offsets)


def _nothing(instants: list[int], scenario: Scenario, demand: Demand) -> str:
    """Say why no contact is left."""
    what = f"contact of {demand.category} on {demand.channel}"
    if not instants:
        return f"no {what} in it; mend category and channel of the demand"
    zone = ZoneInfo(scenario.zone)
    first, last = (
        datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)
        for at_ms in (min(instants), max(instants))
    )
    return (
        f"no {what} on {scenario.date} from {scenario.opens} to {scenario.closes} "
        f"({scenario.zone}); there are {len(instants)} from {first:%Y-%m-%d %H:%M} to "
        f"{last:%Y-%m-%d %H:%M}; mend date, opens and closes"
    )


def _from_journal(path: Path, demand: Demand) -> Iterator[int]:
    try:
        for entry in entries_in(path):
            event = entry.stamped.event
            if (
                isinstance(event, ContactArrived)
                and event.category == demand.category
                and event.channel == demand.channel
            ):
                yield entry.stamped.at_ms
    except JournalError as error:
        raise ValueError(f"{path}: {error}") from error


def _from_table(table: Table, path: Path, scenario: Scenario, demand: Demand) -> Iterator[int]:
    """Yield the instants of a table's rows; a file of instants alone may lack a header."""
    names = {bare(name): place for place, name in enumerate(table.columns)}
    theirs = recall(path.parent / FILE_NAME, Format.OURS).get("arrived_at", "arrived_at")
    rows: Iterable[Row] = table.rows
    place = names.get(bare(theirs))
    if place is None:
        place = 0
        rows = _with_header(table)
    order = order_of(row.cells[place] for row in table.rows if place < len(row.cells))
    clock = LocalClock(ZoneInfo(scenario.zone))
    queue = scenario.center.categories[demand.category].queue
    kind = next((names[name] for name in ("category", "queue") if name in names), None)
    for row in rows:
        if kind is not None and str(row.cells[kind]).strip() not in {demand.category, queue}:
            continue
        channel = row.cells[names["channel"]] if "channel" in names else demand.channel
        if channel_of(str(channel)) != demand.channel:
            continue
        cell = row.cells[place] if place < len(row.cells) else None
        if cell is None:
            continue
        try:
            yield clock.instant(read_datetime(cell, order))
        except TimeError as error:
            raise ValueError(
                f'{path}: row {row.number}, column {place + 1}: "{cell}" {error}'
            ) from error


def _with_header(table: Table) -> Iterator[Row]:
    """Yield all lines of a file without a header, whose first one was taken for it."""
    try:
        read_datetime(table.columns[0], "ddmmyyyy")
    except TimeError:
        pass
    else:
        yield Row(1, tuple(table.columns))
    yield from table.rows
