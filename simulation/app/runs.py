"""Play days, or seek staff, while a page shows how far it is, and stop when asked."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from configs.planning import Scenario
from simulation.plan.replications import Progress, Study, Workers, run_with
from simulation.staffing.hunt import Effort
from simulation.staffing.seeking import Sought, seek
from simulation.staffing.spaces import intervals_space


class CancelledRunError(Exception):
    """The planner has stopped the run."""


@dataclass
class Run:
    """One run: `done` of `total` days; `cancel()` ends it at the next piece of work.

    A search knows no total: `told` says how far it is.
    """

    done: int = 0
    total: int = 0
    left_s: float = 0.0
    told: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """Ask the run to stop."""
        self._stop.set()

    def hear(self, progress: Progress) -> None:
        """Note the progress; raises `CancelledRunError` when the run shall stop."""
        self.done, self.total = progress.done, progress.total
        self.left_s = progress.left_s
        if self._stop.is_set():
            raise CancelledRunError

    def play(
        self, scenarios: list[Scenario], days: int, seed: int, strata: int, workers: int
    ) -> list[Study]:
        """Return the studies of scenarios on the same days; raises `CancelledRunError`."""
        with Workers(workers) as crew:
            return [
                run_with(crew, scenario, days, seed, strata, self.hear) for scenario in scenarios
            ]

    def seek(self, scenario: Scenario, effort: Effort, seed: int, workers: int) -> Sought:
        """Return the cheapest staff that keeps the targets.

        Raises `UnreachableError`, ValueError for what cannot be sought, and `CancelledRunError`.
        """
        space = intervals_space(scenario)
        with Workers(workers) as crew:
            return seek(space, crew, effort, seed, "agents", self._hear_plan)

    def _hear_plan(self, told: str) -> None:
        self.told = told
        if self._stop.is_set():
            raise CancelledRunError
