"""Say where the buckets of a queue's waits end: at fixed durations and at what was promised.

A share of waits within a promise can be read from a histogram exactly only if a bucket ends at
that promise. So all queues have the plan's targets among their edges, and the same ones, which
lets their buckets be added. Queues that promise an answer later than `DEFERRED_FROM_MS` (letters,
tickets) have a scale, and a metric, of their own.
"""

from __future__ import annotations

from typing import Final

from router.center import ALWAYS, Center, ClockKind
from router.measures_histogram import WAIT_EDGES_MS

DEFERRED_FROM_MS: Final = 600_000
DEFERRED_EDGES_MS: Final = (
    900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 28_800_000, 43_200_000, 86_400_000,
    172_800_000, 259_200_000, 432_000_000,
)  # fmt: skip
_ANSWERS: Final = (ClockKind.ANSWER, ClockKind.FIRST_RESPONSE)


def is_deferred(center: Center | None, queue: str) -> bool:
    """Tell whether a queue promises its answers in more than ten minutes."""
    plan = center.queues.get(queue) if center is not None else None
    return plan is not None and plan.service_level_ms > DEFERRED_FROM_MS


def wait_edges_ms(center: Center | None, queue: str) -> tuple[int, ...]:
    """Return the edges of a queue's wait histogram, milliseconds, ascending.

    Targets on other clocks than plain time are no waits and stand in no scale.
    """
    deferred = is_deferred(center, queue)
    edges = dict.fromkeys(DEFERRED_EDGES_MS if deferred else WAIT_EDGES_MS)
    for name, plan in center.queues.items() if center is not None else ():
        if is_deferred(center, name) is deferred:
            edges[plan.service_level_ms] = None
    for promise in center.promises.values() if center is not None else ():
        on_plain_time = promise.kind in _ANSWERS and promise.calendar == ALWAYS
        if on_plain_time and 0 < promise.target_ms <= DEFERRED_FROM_MS and not deferred:
            edges[promise.target_ms] = None
    return tuple(sorted(edge for edge in edges if edge > 0))
