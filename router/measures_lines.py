"""Hold the counts of one line: a queue on one channel.

A *visit* is one stay of a contact in a line. It begins when the contact is put into the line
and ends in exactly one exit of the closed list `QueueExit`. So for each line at any instant

    arrivals = answered + abandoned + short_abandoned + deflected + overflowed + callback
               + expired + waiting

A contact that moves to another line while it waits (routing step, limit, transfer, a removed
queue) exits as `overflowed` and arrives in the other line, with the wait it already has. One
that is merged or settled while it waits exits as `deflected`: nobody of this line served it.
"""

from __future__ import annotations

from enum import Enum
from heapq import heapify, heappop, heappush
from typing import Final

from router.enums import plain
from router.measures_formulas import ServiceCounts
from router.measures_histogram import (
    HANDLE_EDGES_MS,
    WAIT_EDGES_MS,
    FineHistogram,
    FixedHistogram,
)

INTERVALS_KEPT: Final = 192


@plain
class QueueExit(Enum):
    """Name the one way in which a visit to a line ended."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    SHORT_ABANDONED = "short_abandoned"
    DEFLECTED = "deflected"
    OVERFLOWED = "overflowed"
    CALLBACK = "callback"
    EXPIRED = "expired"


_LOST: Final = (QueueExit.ABANDONED, QueueExit.SHORT_ABANDONED)


class Counts:
    """Count the visits of a line, in all or of those that began in one interval."""

    __slots__ = (
        "abandoned_in_time",
        "abandoned_wait_ms",
        "answered_in_time",
        "answered_wait_ms",
        "arrivals",
        "exits",
    )

    def __init__(self) -> None:
        self.arrivals = 0
        self.exits = dict.fromkeys(QueueExit, 0)
        self.answered_in_time = 0
        self.abandoned_in_time = 0
        self.answered_wait_ms = 0
        self.abandoned_wait_ms = 0

    def leave(self, how: QueueExit, wait_ms: int, threshold_ms: int) -> None:
        """Count the end of a visit."""
        self.exits[how] += 1
        if how is QueueExit.ANSWERED:
            self.answered_wait_ms += wait_ms
            self.answered_in_time += wait_ms <= threshold_ms
        elif how in _LOST:
            self.abandoned_wait_ms += wait_ms
            self.abandoned_in_time += wait_ms <= threshold_ms

    def service_counts(self) -> ServiceCounts:
        """Return what the service level formulas take."""
        short = self.exits[QueueExit.SHORT_ABANDONED]
        return ServiceCounts(
            answered=self.exits[QueueExit.ANSWERED],
            answered_in_time=self.answered_in_time,
            abandoned=self.exits[QueueExit.ABANDONED] + short,
            abandoned_in_time=self.abandoned_in_time,
            short_abandoned=short,
            expired=self.exits[QueueExit.EXPIRED],
        )

    def add(self, other: Counts) -> None:
        """Add the counts of another line or interval to these."""
        self.arrivals += other.arrivals
        for how, number in other.exits.items():
            self.exits[how] += number
        self.answered_in_time += other.answered_in_time
        self.abandoned_in_time += other.abandoned_in_time
        self.answered_wait_ms += other.answered_wait_ms
        self.abandoned_wait_ms += other.abandoned_wait_ms


class PromiseCounts:
    """Count the clocks of one promise in one queue: started = met + breached + canceled + open."""

    __slots__ = ("breached", "canceled", "met", "started", "warned")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Count from here, in place: clocks that run know their books."""
        self.started = self.warned = self.met = self.breached = self.canceled = 0

    def add(self, other: PromiseCounts) -> None:
        """Add the counts of another queue, agent or day to these."""
        self.started += other.started
        self.warned += other.warned
        self.met += other.met
        self.breached += other.breached
        self.canceled += other.canceled


class WaitingRoom:
    """Know how many wait and who has waited longest; entering and leaving cost log n."""

    __slots__ = ("_heap", "_since_ms")

    def __init__(self) -> None:
        self._since_ms: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._since_ms)

    def enter(self, contact_id: str, since_ms: int) -> None:
        """Let a contact in that has been waiting since an instant."""
        self._since_ms[contact_id] = since_ms
        heappush(self._heap, (since_ms, contact_id))

    def leave(self, contact_id: str) -> None:
        """Let a contact out; its heap entry goes when it comes to the top."""
        del self._since_ms[contact_id]
        # Without this the heap of a busy line with one very old contact would grow for ever.
        if len(self._heap) > 2 * len(self._since_ms) + 64:
            self._heap = [(since_ms, key) for key, since_ms in self._since_ms.items()]
            heapify(self._heap)

    def oldest_ms(self) -> int | None:
        """Return since when the oldest has been waiting, None when nobody waits."""
        heap = self._heap
        while heap and self._since_ms.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else None


class Line:
    """Keep everything counted about one queue on one channel."""

    __slots__ = (
        "abandoned_waits",
        "answered_waits",
        "assignments",
        "counts",
        "handle_times",
        "handled",
        "hold_ms",
        "interval_ms",
        "intervals",
        "offers",
        "offers_declined",
        "offers_expired",
        "offers_withdrawn",
        "percentiles",
        "reopened",
        "talk_ms",
        "transferred",
        "waiting",
        "wrap_up_ms",
    )

    def __init__(self, interval_ms: int, edges: tuple[int, ...] = WAIT_EDGES_MS) -> None:
        self.interval_ms = interval_ms
        self.counts = Counts()
        self.intervals: dict[int, Counts] = {}
        self.waiting = WaitingRoom()
        self.answered_waits = FixedHistogram(edges)
        self.abandoned_waits = FixedHistogram(edges)
        self.handle_times = FixedHistogram(HANDLE_EDGES_MS)
        self.percentiles = FineHistogram()
        self.offers = self.offers_declined = self.offers_expired = self.offers_withdrawn = 0
        self.assignments = self.transferred = self.reopened = 0
        self.handled = self.talk_ms = self.hold_ms = self.wrap_up_ms = 0

    def count_from_here(self) -> None:
        """Forget every count, and nobody who waits."""
        fresh = Line(self.interval_ms, self.answered_waits.edges_ms)
        for name in self.__slots__:
            if name != "waiting":
                setattr(self, name, getattr(fresh, name))

    def arrive(self, contact_id: str, arrived_ms: int, since_ms: int) -> None:
        """Begin a visit; `since_ms` is when the contact began to wait, in any line."""
        self.counts.arrivals += 1
        self._interval(arrived_ms).arrivals += 1
        self.waiting.enter(contact_id, since_ms)

    def leave(
        self, contact_id: str, how: QueueExit, arrived_ms: int, wait_ms: int, threshold_ms: int
    ) -> None:
        """End a visit; it is counted in the interval in which it began."""
        self.waiting.leave(contact_id)
        self.counts.leave(how, wait_ms, threshold_ms)
        self._interval(arrived_ms).leave(how, wait_ms, threshold_ms)
        if how is QueueExit.ANSWERED:
            self.answered_waits.add(wait_ms, contact_id)
            self.percentiles.add(wait_ms)
        elif how in _LOST:
            self.abandoned_waits.add(wait_ms)

    def _interval(self, instant_ms: int) -> Counts:
        """Find the interval's counts; the earliest interval goes when there are too many."""
        start_ms = instant_ms - instant_ms % self.interval_ms
        counts = self.intervals.get(start_ms)
        if counts is None:
            counts = self.intervals[start_ms] = Counts()
            if len(self.intervals) > INTERVALS_KEPT:
                del self.intervals[min(self.intervals)]
        return counts
