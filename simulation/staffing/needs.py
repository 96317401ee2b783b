"""Say what is asked of a staffing, and how much a day has of it to spare.

A need is a share that must be reached: of a line (a queue on a channel), over the day or in one
interval. Its surplus of a day is linear, u = (part - share x whole) / expected arrivals, and the
need is met where E[u] >= 0: sums of parts over sums of wholes reach the share. So tests, pairs
and cuts all work on plain numbers by day.

Three differences of a day have expectation 0 whatever the staff, and take noise out of u (control
variates): arrivals less their expectation; abandonments less the patience rate times the time
waited, where patience is exponential; talk less its mean times the answered, where work does not
depend on who does it. The last two are martingales of the counting processes (Bremaud, Point
Processes and Queues, 1981, ch. 2).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from configs.planning import LawName, Scenario, Target
from simulation.phrases import Phrase
from simulation.plan.estimates import LEVELS, Floats, View
from simulation.plan.laws import mean_ms
from simulation.plan.people import groups_of
from simulation.plan.prepared import Prepared
from simulation.plan.replications import Study
from simulation.plan.requirement import DEFERRED, Line, lines_of
from simulation.plan.tallies import Count

_GAVE_UP = "abandoned"


@dataclass(frozen=True)
class Need:
    """A share of a line's contacts that must be reached in some intervals.

    `measure` is the name of a service level, or "abandoned": then `share` is the most.
    """

    name: str
    line: int
    demands: tuple[int, ...]
    intervals: tuple[int, ...]
    measure: str
    share: float

    @property
    def lost(self) -> bool:
        """Say whether the need is about who gave up."""
        return self.measure == _GAVE_UP

    def counts(self, study: Study) -> tuple[Floats, Floats]:
        """Return numerators and denominators of each day."""
        view = View(study, self.demands, self.intervals)
        if self.lost:
            offered = LEVELS["answered_and_abandoned_in_time_over_offered"](view)[1]
            return view.count(Count.ABANDONED), offered
        return LEVELS[self.measure](view)

    def scale(self, study: Study) -> float:
        """Return the expected arrivals that the need is about."""
        picked = study.expected[list(self.demands)][:, list(self.intervals)]
        return max(float(picked.sum()), 1e-9)

    def surplus(self, study: Study) -> Floats:
        """Return what each day has to spare, as a share of the expected arrivals."""
        part, whole = self.counts(study)
        spare = self.share * whole - part if self.lost else part - self.share * whole
        return np.asarray(spare / self.scale(study))

    def surplus_by_interval(self, study: Study) -> Floats:
        """Return the mean over the days of what each interval adds to the surplus."""
        answer = np.zeros(study.intervals)
        for interval in self.intervals:
            one = replace(self, intervals=(interval,))
            answer[interval] = one.surplus(study).mean() * one.scale(study) / self.scale(study)
        return answer

    def level(self, study: Study) -> float:
        """Return the share that was reached over all days."""
        part, whole = self.counts(study)
        return float(part.sum()) / max(float(whole.sum()), 1e-9)


def is_judged(scenario: Scenario, line: Line) -> bool:
    """Say whether somebody waits for the answer: letters count where their demand gives a time."""
    timed = any(scenario.demand[name].answer_within_ms for name in line.demands)
    return line.queue in scenario.targets or line.channel not in DEFERRED or timed


def target_of(scenario: Scenario, queue: str) -> Target:
    """Return the target of a queue: its own, or that of the scenario."""
    return scenario.targets.get(queue, scenario.target)


def needs_of(prepared: Prepared) -> tuple[Need, ...]:
    """Return what is asked of any staffing of a scenario, line by line."""
    scenario = prepared.scenario
    names = tuple(scenario.demand)
    needs: list[Need] = []
    for number, line in enumerate(lines_of(prepared)):
        if not is_judged(scenario, line) or not line.arrivals_per_min.sum():
            continue
        target = target_of(scenario, line.queue)
        demands = tuple(names.index(name) for name in line.demands)
        for intervals, name in _stretches(prepared, line, each=target.each_interval):
            if target.percent > 0:
                share = target.percent / 100
                needs.append(Need(name, number, demands, intervals, target.level, share))
            if target.abandoned_percent < 100:
                share = target.abandoned_percent / 100
                needs.append(Need(name, number, demands, intervals, _GAVE_UP, share))
    return tuple(needs)


def _stretches(
    prepared: Prepared, line: Line, *, each: bool
) -> Iterable[tuple[tuple[int, ...], str]]:
    """Yield a line's intervals by need, with its name: the day, or each in which somebody comes."""
    if not each:
        yield tuple(range(prepared.intervals)), line.name
        return
    for index in range(prepared.intervals):
        if line.arrivals_per_min[index] > 0:
            start = clock(prepared, index)
            yield (index,), Phrase("{line} {start}", line=line.name, start=start)


def clock(prepared: Prepared, interval: int) -> str:
    """Return the time of day at which an interval starts."""
    minutes = (prepared.opens_ms + interval * prepared.scenario.interval_ms) // 60_000
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def controls_of(study: Study, need: Need) -> Floats:
    """Return differences of each day that have expectation 0, `[day, control]`."""
    own = list(need.demands)
    others = [index for index in range(len(study.demands)) if index not in need.demands]
    columns: list[Floats] = []
    for chosen in (own, others):
        if chosen:
            fresh = study.counts[..., Count.FRESH][:, chosen].sum(axis=(1, 2))
            columns.append(np.asarray(fresh - study.expected[chosen].sum(), dtype=np.float64))
    for chosen in (own, others):
        gave_up = _gave_up_less_expected(study, chosen) if chosen else None
        if gave_up is not None:
            columns.append(gave_up)
    talk = _talk_less_expected(study)
    if talk is not None:
        columns.append(talk)
    return np.stack(columns, axis=1)


def _gave_up_less_expected(study: Study, demands: list[int]) -> Floats | None:
    total = np.zeros(study.days)
    for index in demands:
        demand = study.scenario.demand[study.demands[index]]
        if demand.patience is None:
            continue
        law = demand.patience
        if law.law is not LawName.EXPONENTIAL or law.later or demand.balking:
            return None
        counts = study.counts[:, index].sum(axis=1)
        waited = counts[:, Count.WAIT_MS] + counts[:, Count.CARRIED_WAIT_MS]
        total += counts[:, Count.ABANDONED] - waited / mean_ms(law)
    return total if total.any() else None


def _talk_less_expected(study: Study) -> Floats | None:
    scenario = study.scenario
    groups = groups_of(scenario).values()
    plain = not scenario.effects.faster and not scenario.effects.speeds
    if not plain or any(group.pace != 1 or group.paces or group.ramp_up for group in groups):
        return None
    total = np.zeros(study.days)
    for index, name in enumerate(study.demands):
        demand = scenario.demand[name]
        if demand.transfers or demand.repeat or demand.redial or demand.handle.later:
            return None
        counts = study.counts[:, index].sum(axis=1)
        total += counts[:, Count.TALK_MS] / mean_ms(demand.handle) - counts[:, Count.ANSWERED]
    return total if total.any() else None
