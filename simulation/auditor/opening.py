"""Count open time by walking through a calendar's table, interval by interval.

Slow and plain on purpose: the router looks the same things up by bisection. Outside the table's
horizon every millisecond is open, which is also what the router says.
"""

from __future__ import annotations

from router.center import Center, OpeningTable, Promise

ALWAYS = "always"
_DAY_MS = 86_400_000


def table_of(center: Center | None, promise: Promise) -> OpeningTable | None:
    """Return the opening hours of a promise, None for plain time."""
    if center is None or promise.calendar == ALWAYS:
        return None
    return center.calendars[promise.calendar].table


def stretches(table: OpeningTable, from_ms: int, to_ms: int) -> list[tuple[int, int]]:
    """Return the open stretches between two instants, in order."""
    spans = [(from_ms, min(to_ms, table.from_ms))]
    spans += [(max(from_ms, opens), min(to_ms, closes)) for opens, closes in table.open_ms]
    spans.append((max(from_ms, table.to_ms), to_ms))
    return [(opens, closes) for opens, closes in spans if opens < closes]


def open_between(table: OpeningTable | None, from_ms: int, to_ms: int) -> int:
    """Return the open time between two instants, in ms."""
    if table is None:
        return to_ms - from_ms
    return sum(closes - opens for opens, closes in stretches(table, from_ms, to_ms))


def instant_after(table: OpeningTable | None, from_ms: int, open_ms: int) -> int:
    """Return the earliest instant by which so much open time has passed since `from_ms`."""
    if table is None:
        return from_ms + open_ms
    if open_ms <= 0:
        return from_ms
    left_ms = open_ms
    for opens, closes in stretches(table, from_ms, max(from_ms, table.to_ms)):
        if closes - opens >= left_ms:
            return opens + left_ms
        left_ms -= closes - opens
    return max(from_ms, table.to_ms) + left_ms


def target_from(table: OpeningTable | None, promise: Promise, start_ms: int) -> int:
    """Return the promised open time of a clock that starts at an instant."""
    days = promise.target_working_days
    if not days or table is None:
        return promise.target_ms
    ends = [closes for starts, closes in table.workdays_ms if starts > start_ms]
    if start_ms < table.from_ms or len(ends) < days:
        # Beyond the horizon every 24 hours count as a day; the simulated days never get there.
        return days * _DAY_MS
    return open_between(table, start_ms, ends[days - 1])
