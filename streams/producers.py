"""Judge producers' clocks, so that a wrong one costs no contact.

The core refuses an arrival that is older than the duplicate window, by the producer's own word:
nobody could still tell it from a repeat. That word may be wrong, or only have waited long (the
worker was away). So age is judged by the producer's own clock first: a record is old only if the
same producer has already spoken of a much later instant. What looks old to us but is its
producer's newest goes on without its instant, as if the producer had given none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

AHEAD_MS: Final = 60_000
"""A producer's clock is counted as wrong from here on; networks and queues explain less."""

PRODUCERS_MAX: Final = 10_000


def source_of(event_id: str) -> str:
    """Return whose record it is, "" if the id does not tell (see `streams.codec`)."""
    source, space, _ = event_id.partition(" ")
    return source if space else ""


class ProducerClocks:
    """Keep the newest instant that each producer has spoken of.

    `counts` says how often a clock was `producer_ahead` of ours, and how often `producer_behind`,
    or a record late, by so much that only the producer's own order saved the contact.
    """

    def __init__(self, newest_ms: Mapping[str, int] | None = None) -> None:
        self.newest_ms: dict[str, int] = dict(newest_ms or {})
        self.counts: Counter[str] = Counter()

    def note(self, event_id: str, occurred_ms: int, at_ms: int) -> None:
        """Learn of one record; an instant that is not yet counts as now."""
        source = source_of(event_id)
        if not source or not occurred_ms:
            return
        newest_ms = self.newest_ms
        if source not in newest_ms and len(newest_ms) >= PRODUCERS_MAX:
            del newest_ms[next(iter(newest_ms))]
        newest_ms[source] = max(newest_ms.get(source, 0), min(occurred_ms, at_ms))

    def judge(self, event_id: str, occurred_ms: int, at_ms: int, window_ms: int) -> int:
        """Return the instant that the core may judge a record's age by; 0: by none."""
        if occurred_ms - at_ms > AHEAD_MS:
            self.counts["producer_ahead"] += 1
        before_ms = self.newest_ms.get(source_of(event_id), 0)
        self.note(event_id, occurred_ms, at_ms)
        if not occurred_ms or at_ms - occurred_ms <= window_ms:
            return occurred_ms
        if not source_of(event_id) or before_ms - occurred_ms > window_ms:
            return occurred_ms
        self.counts["producer_behind"] += 1
        return 0
