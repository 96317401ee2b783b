"""Play many days on all cores and merge them in their order.

A day is a function of (scenario, seed, number), so a study is the same to the byte for any
number of workers, in one process or many, on this machine or on a Dask cluster.
"""

from __future__ import annotations

import os
import pickle
import time  # noqa: TID251 - progress is told in the wall's time; no day reads it
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from configs.planning import Scenario
from simulation.plan.day import Day
from simulation.plan.prepared import Prepared
from simulation.plan.processes import Processes, is_wanted
from simulation.plan.tallies import Counts, Tally

Answer = TypeVar("Answer")

STRATA: Final = 10
STRATIFY_BELOW_ALPHA: Final = 50.0
_CHUNK_SECONDS: Final = 2.0
_CONTACTS_PER_SECOND: Final = 5_000


class Submits(Protocol):
    """What runs days elsewhere: an executor of the standard library, or a Dask client."""

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Start a call and return its future, which has `result()`."""
        ...


@dataclass(frozen=True)
class Progress:
    """Say how far a run is: days done of all, seconds passed and left."""

    done: int
    total: int
    elapsed_s: float
    left_s: float


Report: TypeAlias = Callable[[Progress], None]


@dataclass(frozen=True)
class Study:
    """Many days of one scenario; the first axis of every array is the day.

    `counts[day, demand, interval, Count]`, `staffed[day, group, interval, Staffed]`,
    `promises[day, promise, (met, breached)]`, `waits[day, demand, bucket]`,
    `busyness[day, demand]`, `served[day, group, demand]`, `ended_ms[day]` when the last contact was
    over, `expected[demand, interval]` fresh arrivals. Day r lies in stratum r mod `strata` of the
    busyness.
    """

    scenario: Scenario
    seed: int
    strata: int
    demands: tuple[str, ...]
    groups: tuple[str, ...]
    promise_names: tuple[str, ...]
    counts: Counts
    staffed: Counts
    promises: Counts
    waits: Counts
    busyness: NDArray[np.float64]
    served: Counts
    ended_ms: Counts
    expected: NDArray[np.float64]

    @property
    def days(self) -> int:
        """Return how many days were played."""
        return int(self.counts.shape[0])

    @property
    def intervals(self) -> int:
        """Return the number of intervals of a day."""
        return int(self.counts.shape[2])

    def first(self, days: int) -> Study:
        """Return the study of the first days alone, whole rounds of its strata."""
        assert 0 < days <= self.days, "a part of what was played"
        assert days % self.strata == 0, "each quantile of the busyness has its due share"
        return replace(
            self,
            counts=self.counts[:days],
            staffed=self.staffed[:days],
            promises=self.promises[:days],
            waits=self.waits[:days],
            busyness=self.busyness[:days],
            served=self.served[:days],
            ended_ms=self.ended_ms[:days],
        )


class RunInterruptedError(KeyboardInterrupt):
    """A run that somebody ended (Ctrl-C): it keeps the days that were played, in order."""

    def __init__(self, scenario: Scenario, seed: int, strata: int, tallies: list[Tally]) -> None:
        super().__init__("interrupted")
        self.scenario, self.seed, self.strata, self.tallies = scenario, seed, strata, tallies

    def study(self) -> Study | None:
        """Return the study of the days played, in whole rounds of the strata; None without any."""
        days = len(self.tallies) // self.strata * self.strata
        if not days:
            return None
        return merge(self.scenario, self.seed, self.strata, self.tallies[:days])


def strata_of(scenario: Scenario) -> int:
    """Return how many strata the busyness gets: 1 where days differ little."""
    alphas = [scenario.busyness.alpha, *scenario.busyness.alphas.values()]
    return STRATA if any(0 < alpha < STRATIFY_BELOW_ALPHA for alpha in alphas) else 1


@lru_cache(maxsize=4)
def _prepared(body: bytes) -> Prepared:
    scenario = pickle.loads(body)  # noqa: S301 - made by this very module
    return Prepared(scenario)


def play_days(body: bytes, seed: int, first: int, count: int, strata: int) -> list[Tally]:
    """Play days `first` to `first + count - 1` of a pickled scenario: the work of one task."""
    prepared = _prepared(body)
    return [
        Day(prepared, seed, replication, strata=strata).play()
        for replication in range(first, first + count)
        if is_wanted()
    ]


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers:
    """Play days of any scenario on some workers: a context manager that keeps them warm.

    `count` 0: one a core; 1: in this process. Or hand in an `executor` (for example a Dask
    client) that was made elsewhere and stays open.
    """

    def __init__(self, count: int = 0, executor: Submits | None = None) -> None:
        self.count = count or available_cores()
        self._executor = executor
        self._own: Processes | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._own is not None:
            self._own.end()
            self._own = None

    def _submits(self) -> Submits | None:
        if self._executor is not None:
            return self._executor
        if self.count == 1:
            return None
        if self._own is None:
            self._own = Processes(self.count)
        return self._own

    def each(
        self, function: Callable[..., Answer], tasks: Sequence[tuple[Any, ...]]
    ) -> Iterator[Answer]:
        """Yield what a function makes of each task, in their order; one task is done here."""
        submits = self._submits() if len(tasks) > 1 else None
        if submits is None:
            yield from (function(*task) for task in tasks)
            return
        futures = [submits.submit(function, *task) for task in tasks]
        try:
            yield from (future.result() for future in futures)
        finally:
            for future in futures:
                future.cancel()

    def play(
        self,
        scenario: Scenario,
        seed: int,
        first: int,
        count: int,
        strata: int,
        report: Report | None = None,
    ) -> list[Tally]:
        """Return the tallies of `count` days from day `first` on, in order."""
        body = pickle.dumps(scenario, protocol=5)
        size = _chunk(_prepared(body), count, self.count)
        tasks = [
            (body, seed, start, min(size, first + count - start), strata)
            for start in range(first, first + count, size)
        ]
        began = time.monotonic()
        tallies: list[Tally] = []
        try:
            for answer in self.each(play_days, tasks):
                tallies += answer
                if report is not None:
                    elapsed_s = time.monotonic() - began
                    left_s = elapsed_s / len(tallies) * (count - len(tallies))
                    report(Progress(len(tallies), count, elapsed_s, left_s))
        except KeyboardInterrupt as stop:
            raise RunInterruptedError(scenario, seed, strata, tallies) from stop
        return tallies


def _chunk(prepared: Prepared, count: int, workers: int) -> int:
    """Return how many days make a task: about two seconds, and work for every worker."""
    contacts = float(prepared.expected.sum()) + 1
    by_time = max(1, int(_CHUNK_SECONDS * _CONTACTS_PER_SECOND / contacts))
    return max(1, min(by_time, -(-count // (2 * workers))))


def merge(scenario: Scenario, seed: int, strata: int, tallies: list[Tally]) -> Study:
    """Make a study of days that are in order."""
    prepared = _prepared(pickle.dumps(scenario, protocol=5))
    return Study(
        scenario=scenario,
        seed=seed,
        strata=strata,
        demands=tuple(source.name for source in prepared.sources),
        groups=prepared.staff.groups,
        promise_names=prepared.promises,
        counts=np.stack([tally.counts for tally in tallies]),
        staffed=np.stack([tally.staffed for tally in tallies]),
        promises=np.stack([tally.promises for tally in tallies]),
        waits=np.stack([tally.waits for tally in tallies]),
        busyness=np.stack([tally.busyness for tally in tallies]),
        served=np.stack([tally.served for tally in tallies]),
        ended_ms=np.asarray([tally.ended_ms for tally in tallies], dtype=np.int64),
        expected=prepared.expected,
    )


def run_with(
    crew: Workers,
    scenario: Scenario,
    replications: int,
    seed: int,
    strata: int,
    report: Report | None = None,
) -> Study:
    """Play days on workers that are there already.

    With strata the number of days is rounded up to a multiple of them, so that each quantile of
    the busyness has its due share.
    """
    count = -(-replications // strata) * strata
    return merge(scenario, seed, strata, crew.play(scenario, seed, 0, count, strata, report))


def run(
    scenario: Scenario,
    replications: int,
    seed: int = 1,
    workers: int = 0,
    executor: Submits | None = None,
    report: Report | None = None,
) -> Study:
    """Play a number of days of a scenario and return the study (see `run_with`)."""
    with Workers(workers, executor) as crew:
        return run_with(crew, scenario, replications, seed, strata_of(scenario), report)
