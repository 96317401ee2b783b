"""Make the board's frames: queues against their promises, agents, clocks, the last decisions.

A frame is plain data, complete in itself: who misses one has lost nothing. The page that draws
them is in `streams/page`.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from msgspec import structs

from router import measures_formulas as formulas
from router.calendars import OpeningHours, opening_hours
from router.measures import Measures
from router.measures_lines import Counts
from router.measures_views import PromiseRow, QueueRow, promise_rows, queue_rows, team_rows
from streams.board_clocks import BoardFold, RunningClock

PAGE: Final = Path(__file__).parent / "page"
PAGE_FILES: Final = {
    "/": ("board.html", "text/html"),
    "/board.js": ("board.js", "text/javascript"),
    "/board.css": ("board.css", "text/css"),
    "/board-words.json": ("board-words.json", "application/json"),
}
# Nothing from elsewhere, nothing inline, nobody may frame it.
PAGE_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
CLOCKS_MAX: Final = 12
DECISIONS_MAX: Final = 40
RECENT_MS: Final = 3_600_000
_DUE_SOON: Final = 0.5  # of a promise: from here on a wait is worth a look


def frame(measures: Measures, fold: BoardFold, at_ms: int) -> dict[str, Any]:
    """Return what the board shows at an instant; durations in ms, ratios from 0 to 1.

    `recent_*` counts the contacts that arrived in the last hour, by whole intervals.
    """
    center = measures.center
    promises = promise_rows(measures)
    overdue, late = fold.overdue(CLOCKS_MAX // 2)
    due = fold.due_next(CLOCKS_MAX - len(late))
    hours = opening_hours(center) if center is not None else {}
    return {
        "center": center.name if center is not None else "",
        "version": center.version if center is not None else 0,
        "at_ms": at_ms,
        "seq": measures.seq,
        "open_contacts": measures.open_contacts,
        "queues": [
            _queue(measures, row, promises, at_ms) | _opening(measures, row.queue, hours, at_ms)
            for row in queue_rows(measures, at_ms)
        ],
        "teams": [asdict(row) for row in team_rows(measures, at_ms)],
        "overdue": overdue,
        "clocks": [_clock(fold, clock) for clock in (*late, *due)],
        "decisions": [
            structs.asdict(told) for told in list(fold.recent)[: -DECISIONS_MAX - 1 : -1]
        ],
    }


def _queue(
    measures: Measures, row: QueueRow, promises: list[PromiseRow], at_ms: int
) -> dict[str, Any]:
    counts = Counts()
    for (queue, _), line in measures.lines.items():
        if queue == row.queue:
            for start_ms, interval in line.intervals.items():
                if start_ms > at_ms - RECENT_MS - line.interval_ms:
                    counts.add(interval)
    service = counts.service_counts()
    own = [promise for promise in promises if promise.queue == row.queue]
    return {
        "queue": row.queue,
        "waiting": row.waiting,
        "oldest_arrival_ms": row.oldest_arrival_ms,
        "service_level_ms": row.service_level_ms,
        "arrivals": row.arrivals,
        "answered": row.answered,
        "abandoned": row.abandoned + row.short_abandoned,
        "recent_arrivals": counts.arrivals,
        "recent_service_level": formulas.service_level(service),
        "service_level": row.service_level,
        "state": queue_state(row),
        "promises": [
            {
                "promise": promise.promise,
                "target_ms": promise.target_ms,
                "objective": promise.objective,
                "met": promise.met,
                "breached": promise.breached,
                "met_share": promise.met_share,
            }
            for promise in own
        ],
    }


def _opening(
    measures: Measures, queue: str, hours: dict[str, OpeningHours], at_ms: int
) -> dict[str, str]:
    """Say until when a closed queue is closed, on its own local clock; "" while it is open."""
    plan = measures.center.queues.get(queue) if measures.center is not None else None
    if plan is None or (own := hours[plan.calendar]).is_open(at_ms):
        return {"closed_until": ""}
    return {"closed_until": own.local_text(own.next_opening_ms(at_ms))[:16]}


def queue_state(row: QueueRow) -> str:
    """Say how a queue stands now: idle, calm, soon (half of its time has gone) or late."""
    if not row.waiting:
        return "idle"
    if not row.service_level_ms:
        return "calm"
    gone = row.longest_wait_now_ms / row.service_level_ms
    if gone > 1:
        return "late"
    return "soon" if gone > _DUE_SOON else "calm"


def _clock(fold: BoardFold, clock: RunningClock) -> dict[str, Any]:
    return {
        "contact_id": clock.contact_id,
        "promise": clock.promise,
        "queue": fold.queues.get(clock.contact_id, ""),
        "agent_id": fold.agents.get(clock.contact_id, ""),
        "started_ms": clock.started_ms,
        "deadline_ms": clock.deadline_ms,
        "breached": clock.breached,
    }
