"""Play as many days as a question needs: sequential stopping on the service level.

Days are added in rounds until the confidence interval's half-width is small against the value,
or the budget is spent. A round at most doubles the days, since an early estimate of the spread is
a guess (Law, Simulation Modeling and Analysis, section 9.4.1, relative precision).
"""

from __future__ import annotations

import math
from typing import Final

from configs.planning import Scenario
from simulation.plan import estimates as est
from simulation.plan.estimates import Estimate, view
from simulation.plan.replications import (
    Progress,
    Report,
    RunInterruptedError,
    Study,
    Workers,
    merge,
    strata_of,
)
from simulation.plan.results import judged_demands
from simulation.plan.tallies import Tally

DAYS_MIN: Final = 20
DAYS_MAX: Final = 100
PRECISION: Final = 0.025


def judge(study: Study) -> Estimate:
    """Return the service level that the target speaks of."""
    return est.estimate(est.service_level(view(study, judged_demands(study.scenario))))


def run_until(
    scenario: Scenario,
    precision: float = PRECISION,
    days_max: int = DAYS_MAX,
    seed: int = 1,
    crew: Workers | None = None,
    report: Report | None = None,
) -> Study:
    """Return a study whose service level has a half-width of at most `precision` of its value.

    At least `DAYS_MIN` days are played, at most `days_max`; which days are added does not depend
    on the machine.
    """
    if crew is None:
        with Workers() as own:
            return run_until(scenario, precision, days_max, seed, own, report)
    strata = strata_of(scenario)
    tallies: list[Tally] = []
    wanted = _whole(min(DAYS_MIN, days_max), strata)
    most = _whole(days_max, strata)
    while True:
        done = len(tallies)
        try:
            tallies += crew.play(
                scenario, seed, done, wanted - done, strata, _shifted(report, done, wanted)
            )
        except RunInterruptedError as stop:
            played = [*tallies, *stop.tallies]
            raise RunInterruptedError(scenario, seed, strata, played) from stop
        study = merge(scenario, seed, strata, tallies)
        found = judge(study)
        reached = abs(found.half_width / found.value) if found.value else math.inf
        if wanted >= most or reached <= precision or math.isnan(found.value):
            return study
        needed = math.ceil(wanted * min(2.0, 1.1 * (reached / precision) ** 2))
        wanted = min(most, _whole(max(needed, wanted + strata), strata))


def _whole(days: int, strata: int) -> int:
    """Round up to whole rounds of the strata."""
    return -(-days // strata) * strata


def _shifted(report: Report | None, done: int, wanted: int) -> Report | None:
    """Tell the progress of a round as that of the whole."""
    if report is None:
        return None

    def shifted(progress: Progress) -> None:
        report(Progress(done + progress.done, wanted, progress.elapsed_s, progress.left_s))

    return shifted
