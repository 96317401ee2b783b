"""Check the calendars of a centre, and what promises and queues ask of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from router.center import ALWAYS, Center, OpeningTable, Promise
from router.problems import Path, Problem, show_duration, suggest
from router.ranges import CALENDARS_MAX

_BROKEN: Final = "load the configuration anew; tables are made by the loader, never by hand"


def check_calendars(center: Center) -> Iterator[Problem]:
    """Yield what is wrong with the calendars themselves and with the names that point to them."""
    calendars = center.calendars
    if len(calendars) > CALENDARS_MAX:
        yield Problem(("calendars",), f"{len(calendars)} calendars; at most {CALENDARS_MAX}")
    if ALWAYS in calendars:
        message = f'"{ALWAYS}" is plain time and exists already; choose another name'
        yield Problem(("calendars", ALWAYS), message, at_key=True)
    for name, calendar in calendars.items():
        fault = table_fault(calendar.table)
        if fault:
            yield Problem(("calendars", name), f"{fault}; {_BROKEN}", at_key=True)
    for name, queue in center.queues.items():
        yield from _known(("queues", name, "calendar"), queue.calendar, center)
    for name, promise in center.promises.items():
        yield from _known(("promises", name, "calendar"), promise.calendar, center)
        yield from _target(("promises", name), promise, center)


def _known(path: Path, name: str, center: Center) -> Iterator[Problem]:
    if name != ALWAYS and name not in center.calendars:
        near = suggest(name, (*center.calendars, ALWAYS))
        remedy = "" if near else "; describe it under calendars, or write always for plain time"
        yield Problem(path, f'no calendar "{name}"{remedy}', near)


def _target(path: Path, promise: Promise, center: Center) -> Iterator[Problem]:
    days = promise.target_working_days
    if promise.target_ms and days:
        message = "target says how long already; keep target or target_working_days"
        yield Problem((*path, "target_working_days"), message)
    elif not promise.target_ms and not days:
        message = "promises nothing; give a target of at least 1ms, or target_working_days"
        yield Problem(path, message, at_key=True)
    if days and promise.calendar == ALWAYS:
        message = "plain time has no working days; name a calendar, or write target in hours"
        yield Problem((*path, "target_working_days"), message)
    calendar = center.calendars.get(promise.calendar)
    if calendar is None or not calendar.table.open_ms:
        return
    open_ms = sum(closes - opens for opens, closes in calendar.table.open_ms)
    workdays = len(calendar.table.workdays_ms)
    if promise.target_ms > open_ms:
        message = (
            f"{show_duration(promise.target_ms)} is more than calendar "
            f'"{promise.calendar}" is ever open ({show_duration(open_ms)}); add years to it'
        )
        yield Problem((*path, "target_ms"), message)
    if days > workdays:
        message = f'calendar "{promise.calendar}" has {workdays} working days only; add years to it'
        yield Problem((*path, "target_working_days"), message)


def table_fault(table: OpeningTable) -> str:
    """Say what is wrong with a table, or "": all in order, inside the years, nothing overlaps."""
    if table.from_ms >= table.to_ms or not table.open_ms:
        return "its table is empty"
    edges = [edge for stretch in table.open_ms for edge in stretch]
    if any(later <= earlier for earlier, later in pairwise(edges)):
        return "its open stretches are empty, overlap or are out of order"
    if edges[0] < table.from_ms or edges[-1] > table.to_ms:
        return "its open stretches leave its years"
    starts = [starts_ms for starts_ms, _ in table.workdays_ms]
    if any(later <= earlier for earlier, later in pairwise(starts)):
        return "its working days are out of order"
    if any(closes_ms <= starts_ms for starts_ms, closes_ms in table.workdays_ms):
        return "a working day closes before it begins"
    if any(later[0] <= earlier[0] for earlier, later in pairwise(table.offsets_ms)):
        return "its changes of the local clock are out of order"
    named = [edge for day in table.named for edge in (day.from_ms, day.to_ms)]
    if any(later < earlier for earlier, later in pairwise(named)):
        return "its named days are out of order"
    return ""
