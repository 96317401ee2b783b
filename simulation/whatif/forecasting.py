"""Play the next hours many times, without and with changes, on the same lots.

Every pair meets the same customers: those who are here have the same rest, those who come the same
patience and work. So the difference of a pair is the change, and its interval is narrow long
before that of either alone. Up to the moment of the change pairs are identical.
"""

from __future__ import annotations

import gc
import math
import pickle
import time  # noqa: TID251 - whether processes are worth their start; no draw reads it
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulation.plan import phases
from simulation.plan.arrivals import burst_mean
from simulation.plan.customers import Call
from simulation.plan.prepared import Prepared
from simulation.plan.processes import Processes, preload
from simulation.plan.tallies import Count
from simulation.whatif.onward import OnwardDay
from simulation.whatif.onward_lots import Draw, rate_ahead
from simulation.whatif.starting import Start, Turn

Floats: TypeAlias = NDArray[np.float64]
Wholes: TypeAlias = NDArray[np.int64]

COUNTED: Final = (
    Count.ANSWERED,
    Count.IN_TIME,
    Count.ABANDONED,
    Count.ABANDONED_IN_TIME,
    Count.SHORT,
    Count.EXPIRED,
    Count.CLEARED,
    Count.CARRIED,
)
COLUMNS: Final = {what: column for column, what in enumerate(COUNTED)}
ANSWERED, GAVE_UP, WAITING = (
    COLUMNS[what] for what in (Count.ANSWERED, Count.ABANDONED, Count.CARRIED)
)

_IN_TIME = COLUMNS[Count.IN_TIME]
_GAVE_UP_IN_TIME = COLUMNS[Count.ABANDONED_IN_TIME]
_SHORT = COLUMNS[Count.SHORT]
# The column of each count; what has none is -1.
_COLUMN_OF: Final = np.array([COLUMNS.get(what, -1) for what in Count])
PAIRS_MIN: Final = 20
_WORTH_PROCESSES_S: Final = 1.0
_COLLECTED: Final = (100_000, 50, 1_000)


@dataclass(frozen=True, kw_only=True)
class Course:
    """One way the next hours may go: its name, what changes, and the scenario it is played on."""

    name: str
    turn: Turn
    prepared: Prepared


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """Where a forecast begins, and the courses it may take; the first is to change nothing."""

    start: Start
    courses: tuple[Course, ...]
    seed: int
    slice_ms: int

    @property
    def slices(self) -> int:
        """Return the number of slices of the horizon."""
        return -(-self.start.horizon_ms // self.slice_ms)

    def expected(self, course: Course) -> Floats:
        """Return how many fresh contacts of each demand are expected to come in a course."""
        start, found = self.start, []
        for source in course.prepared.sources:
            rate = rate_ahead(source, course.prepared, start, course.turn)
            if rate is None:
                found.append(math.nan)  # recorded arrivals are no lots: nothing to expect
                continue
            busy = start.posteriors[source.name].mean * burst_mean(source.demand.bursts)
            found.append(float(rate.integral()[-1]) * busy)
        return np.array(found)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one draw of one course gave.

    `counts[slice, column]`: by when it happened, by `COLUMNS`; WAITING at the slice's end.
    `demands` the same by demand over the whole horizon. `came`: fresh contacts by demand. `fates`:
    of each contact that is here now, whether it is answered (1), gone (2) or waits (0), and after
    how long; -1: it is not waiting now.
    """

    counts: Floats
    demands: Floats
    came: NDArray[np.int64]
    queue_ms: float
    in_system: int
    fates: NDArray[np.int64]
    waits_ms: NDArray[np.int64]


def play(outlook: Outlook, course: Course, draw: Draw) -> Seen:
    """Play one draw of a course."""
    start = outlook.start
    day = OnwardDay(course.prepared, start, course.turn, draw)
    day.play()
    here = {call.id: place for place, call in enumerate(day.present)}
    fates = np.full(len(here), -1)
    waits_ms = np.zeros(len(here), dtype=np.int64)
    for left in day.left:
        place = here.get(left.call.id)
        if place is not None:
            fates[place] = 1 if left.how is Count.ANSWERED else 2
            waits_ms[place] = left.wait_ms
    for call in _waiting(day):
        place = here.get(call.id)
        if place is not None:
            fates[place], waits_ms[place] = 0, start.end_ms - call.wait_ms
    counts, demands, queue_ms = _count(outlook, day)
    in_system = sum(
        call.phase in (phases.WAITING, phases.SERVED) for call in day.customers.calls.values()
    )
    return Seen(
        counts=counts,
        demands=demands,
        came=np.array([len(instants) for instants in day.lots.arrivals]),
        queue_ms=queue_ms,
        in_system=in_system,
        fates=fates,
        waits_ms=waits_ms,
    )


def _count(outlook: Outlook, day: OnwardDay) -> tuple[Floats, Floats, float]:
    """Return counts by slice and by demand, and the time waited within the horizon."""
    start, slice_ms, sources = outlook.start, outlook.slice_ms, day.prepared.sources
    waiting = list(_waiting(day))
    noted = [(one.at_ms, one.wait_ms, one.call.source.index, int(one.how)) for one in day.left]
    noted += [
        (start.end_ms + 1, start.end_ms + 1 - call.wait_ms, call.source.index, Count.CARRIED)
        for call in waiting
    ]
    at_ms, wait_ms, source, how = np.array(noted, dtype=np.int64).reshape(-1, 4).T
    columns = _COLUMN_OF[how]
    in_time = wait_ms <= np.array([one.within_ms for one in sources])[source]
    short = wait_ms < np.array([one.short_ms for one in sources])[source]
    place = np.clip((at_ms - start.now_ms) // slice_ms, 0, outlook.slices - 1)
    gone = columns == GAVE_UP
    marks = (
        (columns >= 0, columns),
        ((columns == ANSWERED) & in_time, np.full_like(columns, _IN_TIME)),
        (gone & in_time, np.full_like(columns, _GAVE_UP_IN_TIME)),
        (gone & short, np.full_like(columns, _SHORT)),
    )
    told = np.concatenate([np.flatnonzero(which) for which, _ in marks])
    marked = np.concatenate([column[which] for which, column in marks])
    counts = _table(place[told], marked, outlook.slices)
    demands = _table(source[told], marked, len(sources))
    since_ms = at_ms - wait_ms
    for number in range(outlook.slices):
        edge_ms = start.now_ms + (number + 1) * slice_ms
        counts[number, WAITING] = np.count_nonzero((since_ms <= edge_ms) & (at_ms > edge_ms))
    within = np.minimum(at_ms, start.end_ms) - np.maximum(since_ms, start.now_ms)
    return counts, demands, float(np.maximum(within, 0).sum())


def _table(rows: Wholes, columns: Wholes, height: int) -> Floats:
    """Return how often each column was told in each row."""
    flat = np.bincount(rows * len(COUNTED) + columns, minlength=height * len(COUNTED))
    return flat.reshape(height, len(COUNTED)).astype(np.float64)


def _waiting(day: OnwardDay) -> Iterator[Call]:
    for call in day.customers.calls.values():
        if call.phase == phases.WAITING and not call.answered:
            yield call


def play_pair(outlook: Outlook, replication: int) -> list[Seen]:
    """Play one draw of every course."""
    draw = Draw(outlook.seed, replication)
    return [play(outlook, course, draw) for course in outlook.courses]


# --- on many processes ------------------------------------------------------------------------

_outlook: Outlook | None = None


def _take(body: bytes) -> None:
    global _outlook  # noqa: PLW0603 - one outlook a process, sent once and not with each task
    _outlook = pickle.loads(body)  # noqa: S301 - made by this very module
    _collect_rarely()


def _collect_rarely() -> tuple[int, int, int]:
    """Let cycles be looked for seldom, and not among what is here already; return how often before.

    A draw makes some hundred thousand objects of which few are in cycles. Looking for them as
    often as Python does by default took a tenth to a fifth of the time of a look-ahead.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTED)
    return before


def _play_some(replications: range) -> list[list[Seen]]:
    assert _outlook is not None, "a process is given its outlook first"
    return [play_pair(_outlook, replication) for replication in replications]


def load_early() -> None:
    """Let a fork server load all that processes need, while this one still reads its files."""
    preload(__name__)


class Ahead:
    """Play the pairs of an outlook on some processes: a context manager that keeps them.

    This process plays along: it takes what no other has begun. So it has not to wait for the
    others to start, and where the first pairs say that all are soon played, none is started.
    """

    def __init__(self, outlook: Outlook, workers: int = 1) -> None:
        self._outlook = outlook
        self._workers = workers
        self._pool: Processes | None = None
        self._pair_s = 0.0
        self._collected = gc.get_threshold()

    def __enter__(self) -> Self:
        """Begin; processes start when they are worth it."""
        self._collected = _collect_rarely()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the processes go."""
        gc.set_threshold(*self._collected)
        gc.unfreeze()
        if self._pool is not None:
            self._pool.end(wait=error is not None)
            self._pool = None

    def play(self, replications: range) -> list[list[Seen]]:
        """Return pairs in their order, the same for any number of processes."""
        found = []
        if self._workers > 1 and not self._pair_s and replications:
            began = time.monotonic()
            found.append(play_pair(self._outlook, replications[0]))
            self._pair_s = time.monotonic() - began
            replications = replications[1:]
        if self._workers <= 1 or len(replications) * self._pair_s < _WORTH_PROCESSES_S:
            return found + [play_pair(self._outlook, number) for number in replications]
        size = max(1, min(5, len(replications) // (4 * self._workers)))
        tasks = [replications[first : first + size] for first in range(0, len(replications), size)]
        pool = self._pool = self._pool or self._start()
        futures: list[Future[list[list[Seen]]]] = [pool.submit(_play_some, task) for task in tasks]
        mine = {
            number: [play_pair(self._outlook, replication) for replication in tasks[number]]
            for number in range(len(tasks) - 1, -1, -1)
            if futures[number].cancel()
        }
        for number, future in enumerate(futures):
            found += mine[number] if number in mine else future.result()
        return found

    def _start(self) -> Processes:
        body = pickle.dumps(self._outlook, protocol=5)
        return Processes(self._workers - 1, _take, (body,))


def play_pairs(outlook: Outlook, pairs: int, workers: int = 1) -> list[list[Seen]]:
    """Play so many pairs; the same for any number of processes."""
    with Ahead(outlook, workers) as ahead:
        return ahead.play(range(pairs))


def play_until(
    outlook: Outlook,
    pairs_max: int,
    within: float,
    width: Callable[[list[list[Seen]]], float],
    workers: int = 1,
) -> list[list[Seen]]:
    """Play pairs until `width` of them is at most `within`, at most `pairs_max`, at least 20.

    Rounds at most double, since an early estimate of a spread is a guess (as in
    `simulation.plan.stopping`). How many are played does not depend on the machine.
    """
    wanted = min(PAIRS_MIN, pairs_max)
    found: list[list[Seen]] = []
    with Ahead(outlook, workers) as ahead:
        while True:
            found += ahead.play(range(len(found), wanted))
            reached = width(found)
            if wanted >= pairs_max or reached <= within:
                return found
            growth = 1.1 * (reached / within) ** 2 if within > 0 else math.inf
            wanted = min(pairs_max, math.ceil(wanted * min(2.0, max(growth, 1.2))))
