"""Keep timers: O(1) to arm, O(1) to cancel, nothing dead left behind.

Deadlines of one constant duration fall due in the order in which they were armed, so each
duration has a linked first-in-first-out list, and a small heap holds the heads of the lists.
The heap may name a head that was cancelled meanwhile; it is put right when it comes to the top,
so there is never more than one heap entry per list. Deadlines that belong to no constant duration
go to list 0, which is kept sorted by a heap of its own.

`soonest_ms` is a bound that costs nothing to ask: nothing is due before it. Arming lowers it and
looking raises it. While `is_exact`, it is the next due instant itself: until what is due then is
cancelled.

Timers fall due in the order (instant, list, order of arming), the same in every run.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush, heapreplace
from typing import Final

NEVER: Final = 1 << 60

# below this size it is not worth while to clear cancelled entries out
_ODD_MIN: Final = 64


class Timer:
    """Be due once; whoever needs a timer inherits from this.

    `armed_ms` plus the duration of `fifo` is the due instant; a timer without `fifo` is not armed.
    """

    __slots__ = ("armed_ms", "earlier", "fifo", "later")

    def __init__(self) -> None:
        self.armed_ms: int = 0
        self.fifo: Fifo | None = None
        self.earlier: Timer | None = None
        self.later: Timer | None = None


class OddMark(Timer):
    """Mark, on a timer of the sorted list, which of its heap entries is the live one."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class Fifo:
    """Hold the armed timers of one duration, in the order of arming."""

    __slots__ = ("duration_ms", "first", "index", "last", "posted_ms")

    def __init__(self, index: int, duration_ms: int) -> None:
        self.index = index
        self.duration_ms = duration_ms
        self.first: Timer | None = None
        self.last: Timer | None = None
        self.posted_ms: int = NEVER


class Timers:
    """Hold all timers of one router."""

    __slots__ = (
        "by_duration",
        "fifos",
        "heads",
        "is_exact",
        "number",
        "odd",
        "odd_armed",
        "soonest_ms",
    )

    def __init__(self) -> None:
        self.fifos: list[Fifo] = [Fifo(0, 0)]
        self.by_duration: dict[int, Fifo] = {}
        self.heads: list[tuple[int, int]] = []
        self.odd: list[tuple[int, int, Timer]] = []
        self.odd_armed = 0
        self.number = 0
        self.soonest_ms: int = NEVER
        self.is_exact = True

    def lane(self, duration_ms: int) -> Fifo:
        """Return the list of a duration that the configuration knows (made on first use)."""
        fifo = self.by_duration.get(duration_ms)
        if fifo is None:
            fifo = Fifo(len(self.fifos), duration_ms)
            self.fifos.append(fifo)
            self.by_duration[duration_ms] = fifo
        return fifo

    def arm(self, timer: Timer, now_ms: int, duration_ms: int) -> None:
        """Let `timer` be due `duration_ms` after `now_ms`; it must not be armed."""
        assert timer.fifo is None, "a timer is armed once"
        fifo = self.by_duration.get(duration_ms)
        if fifo is None:
            self.arm_odd(timer, now_ms + duration_ms)
            return
        last = fifo.last
        if last is not None and last.armed_ms > now_ms:
            self.arm_odd(timer, now_ms + duration_ms)
            return
        timer.armed_ms = now_ms
        timer.fifo = fifo
        timer.earlier = last
        if last is None:
            fifo.first = timer
            due_ms = now_ms + duration_ms
            self.soonest_ms = min(self.soonest_ms, due_ms)
            if due_ms < fifo.posted_ms:
                fifo.posted_ms = due_ms
                heappush(self.heads, (due_ms, fifo.index))
        else:
            last.later = timer
        fifo.last = timer

    def arm_odd(self, timer: Timer, due_ms: int) -> None:
        """Let `timer` be due at an instant that belongs to no constant duration."""
        timer.armed_ms = due_ms
        timer.fifo = self.fifos[0]
        self.soonest_ms = min(self.soonest_ms, due_ms)
        self.number += 1
        self.odd_armed += 1
        timer.later = OddMark(self.number)
        if len(self.odd) > _ODD_MIN and len(self.odd) > 2 * self.odd_armed:
            self.odd = [item for item in self.odd if self._is_live(item)]
            heapify(self.odd)
        heappush(self.odd, (due_ms, self.number, timer))

    def _is_live(self, item: tuple[int, int, Timer]) -> bool:
        mark = item[2].later
        return isinstance(mark, OddMark) and mark.number == item[1]

    def cancel(self, timer: Timer) -> None:
        """Make `timer` due never; harmless if it is not armed."""
        fifo = timer.fifo
        if fifo is None:
            return
        timer.fifo = None
        if timer.armed_ms + fifo.duration_ms <= self.soonest_ms:
            self.is_exact = False
        if fifo.index == 0:
            self.odd_armed -= 1
            timer.later = None
            return
        earlier, later = timer.earlier, timer.later
        if earlier is None:
            fifo.first = later
        else:
            earlier.later = later
            timer.earlier = None
        if later is None:
            fifo.last = earlier
        else:
            later.earlier = earlier
            timer.later = None

    def next_due_ms(self) -> int:
        """Return the earliest due instant, `NEVER` if there is none."""
        if self.is_exact:
            return self.soonest_ms
        heads = self.heads
        best_ms = NEVER
        while heads:
            due_ms, index = heads[0]
            fifo = self.fifos[index]
            first = fifo.first
            if first is None:
                heappop(heads)
                fifo.posted_ms = NEVER
                continue
            true_ms = first.armed_ms + fifo.duration_ms
            if true_ms != due_ms:
                heapreplace(heads, (true_ms, index))
                fifo.posted_ms = true_ms
                continue
            best_ms = due_ms
            break
        odd = self.odd
        while odd:
            if self._is_live(odd[0]):
                # at a tie the sorted list 0 comes first, as its index says
                best_ms = min(best_ms, odd[0][0])
                break
            heappop(odd)
        self.soonest_ms = best_ms
        self.is_exact = True
        return best_ms

    def pop_due(self, now_ms: int) -> Timer | None:
        """Disarm and return the earliest timer due at or before `now_ms`."""
        if self.soonest_ms > now_ms:
            return None
        due_ms = self.next_due_ms()
        if due_ms > now_ms:
            return None
        if self.odd and self.odd[0][0] == due_ms:
            timer = heappop(self.odd)[2]
        else:
            first = self.fifos[self.heads[0][1]].first
            assert first is not None, "a posted list is not empty"
            timer = first
        self.cancel(timer)
        return timer

    def due_ms(self, timer: Timer) -> int:
        """Return when an armed timer is due, `NEVER` if it is not armed."""
        fifo = timer.fifo
        return NEVER if fifo is None else timer.armed_ms + fifo.duration_ms

    def in_order(self) -> list[Timer]:
        """Return all armed timers, list by list, in the order in which each list fires."""
        live = sorted(item for item in self.odd if self._is_live(item))
        timers = [item[2] for item in live]
        for fifo in self.fifos:
            armed = fifo.first
            while armed is not None:
                timers.append(armed)
                armed = armed.later
        return timers
