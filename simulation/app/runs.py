"""Play days on a process pool while a page shows how far it is, and stop when asked."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from configs.planning import Scenario
from simulation.plan.replications import Progress, Study, Workers, run_with


class CancelledRunError(Exception):
    """The planner has stopped the run."""


@dataclass
class Run:
    """One run: `done` of `total` days; `cancel()` ends it at the next piece of work."""

    done: int = 0
    total: int = 0
    left_s: float = 0.0
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
