"""Play days of plans, each day of each plan once: with the live core, or as a surrogate.

All plans of one seed meet the same customers and the same sick notes (common random numbers), so
that plans, and the two ways to play them, can be compared day by day.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol

import numpy as np

from configs.planning import Scenario
from simulation.plan.prepared import Prepared
from simulation.plan.replications import Progress, Study, Workers, merge
from simulation.plan.tallies import Counts, Tally
from simulation.staffing.deadline import Deadline
from simulation.staffing.spaces import Plan, with_one_more
from simulation.staffing.surrogate import Surrogate

_DAYS_OF_TASK: Final = 5


class Plays(Protocol):
    """What plays plans; `played` counts the days.

    Who has a deadline asks it before and between stretches of days that are not known yet.
    """

    played: int

    def study(self, plan: Plan, days: int, *, more: str = "", first: int = 0) -> Study:
        """Return days `first` to `first + days - 1` of a plan.

        `more` names a group in which one agent is there more, all day.
        """
        ...


class LivePlays:
    """Play plans with the live core."""

    def __init__(
        self,
        made: Callable[[Plan], Scenario],
        crew: Workers,
        seed: int,
        deadline: Deadline | None = None,
    ) -> None:
        self.made = made
        self.crew = crew
        self.seed = seed
        self.deadline = deadline or Deadline()
        self.played = 0
        self._tallies: dict[tuple[Plan, str, int], list[Tally]] = {}

    def study(self, plan: Plan, days: int, *, more: str = "", first: int = 0) -> Study:
        """Return days of a plan (see `Plays`)."""
        scenario = self.made(plan)
        if more:
            scenario = with_one_more(scenario, more)
        known = self._tallies.setdefault((plan, more, first), [])
        if len(known) < days:
            missing = days - len(known)
            self.deadline.ask()
            known += self.crew.play(
                scenario, self.seed, first + len(known), missing, 1, self._ask_between
            )
            self.played += missing
        return merge(scenario, self.seed, 1, known[:days])

    def days(self, plan: Plan) -> int:
        """Return how many days of a plan are known, from day 0 on."""
        return len(self._tallies.get((plan, "", 0), ()))

    def _ask_between(self, progress: Progress) -> None:
        if progress.done < progress.total:
            self.deadline.ask()


class QuickPlays:
    """Play plans as surrogates: tens of times as fast, and not quite what the live core does."""

    def __init__(
        self,
        scenario: Scenario,
        made: Callable[[Plan], Scenario],
        crew: Workers,
        seed: int,
        deadline: Deadline | None = None,
    ) -> None:
        self.scenario = scenario
        self.made = made
        self.crew = crew
        self.seed = seed
        self.deadline = deadline or Deadline()
        self.played = 0
        self._body = pickle.dumps(scenario, protocol=5)
        self._expected = Prepared(scenario).expected
        self._counts: dict[tuple[Plan, str, int], list[Counts]] = {}

    def study(self, plan: Plan, days: int, *, more: str = "", first: int = 0) -> Study:
        """Return days of a plan (see `Plays`), with nothing but counts in them."""
        known = self._counts.setdefault((plan, more, first), [])
        if len(known) < days:
            staffed = pickle.dumps(self.made(plan), protocol=5)
            size = days if self.crew.count == 1 else _DAYS_OF_TASK
            tasks = [
                (self._body, self.seed, staffed, more, start, min(size, first + days - start))
                for start in range(first + len(known), first + days, size)
            ]
            self.deadline.ask()
            for answer in self.crew.each(play_surrogates, tasks):
                known += answer
                self.played += len(answer)
                if len(known) < days:
                    self.deadline.ask()
        names = tuple(self.scenario.demand)
        counts = np.stack(known[:days])
        nothing = np.zeros((days, 0, counts.shape[2], 0), dtype=np.int64)
        return Study(
            scenario=self.scenario,
            seed=self.seed,
            strata=1,
            demands=names,
            groups=(),
            promise_names=(),
            counts=counts,
            staffed=nothing,
            promises=nothing,
            waits=nothing,
            served=nothing,
            ended_ms=np.zeros(days, dtype=np.int64),
            busyness=np.ones((days, len(names))),
            expected=self._expected,
        )


@lru_cache(maxsize=2)
def _surrogate(body: bytes, seed: int) -> Surrogate:
    return Surrogate(pickle.loads(body), seed)  # noqa: S301 - made by this very module


def play_surrogates(
    body: bytes, seed: int, staffed: bytes, more: str, first: int, count: int
) -> list[Counts]:
    """Play days of a staffed scenario as surrogates of a pickled one: the work of one task."""
    scenario: Scenario = pickle.loads(staffed)  # noqa: S301 - as above
    return _surrogate(body, seed).play(scenario, more, first, count)
