"""Name what a plan and a comparison say: plain data for people, JSON and the report.

Shares are fractions, waits seconds, money is in the scenario's currency. `simulation.plan.results`
and `simulation.plan.comparison` fill these in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from simulation.plan import estimates as est
from simulation.plan.estimates import Estimate, Ratio


@dataclass(frozen=True)
class Figure:
    """A number with its 95 % confidence interval; None where there is nothing to divide by."""

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def half_width(self) -> float:
        """Return half the width of the interval; 0 where it is not known (`known` says so)."""
        return 0.0 if self.low is None or self.high is None else (self.high - self.low) / 2

    @property
    def known(self) -> bool:
        """Say whether there is an interval: a single day, for instance, has none."""
        return self.low is not None and self.high is not None


@dataclass(frozen=True)
class IntervalRow:
    """One interval of the day, all demands that the target speaks of.

    `required`: agents for dedicated lines, `required_pooled`: if all could do everything; both
    net. `staffed`: planned agents; `net`: at their desk on average.
    `queue`: how many wait, time-averaged over the interval.
    """

    start: str
    arrivals: Figure
    required: float
    required_pooled: float
    staffed: float
    net: float
    service_level: Figure
    wait_s: Figure
    abandonment: Figure
    occupancy: float | None
    cost: float | None
    queue: float


@dataclass(frozen=True)
class DemandRow:
    """One demand over the day; `served_by`: contacts a day that each group begins.

    `first_answered`: the share of fresh contacts that are answered at their first attempt. Given
    up within `short_s` is a short abandonment. `dialled`: numbers a day that a dialer tries.
    """

    name: str
    queue: str
    channel: str
    within_s: float
    arrivals: Figure
    service_level: Figure
    wait_s: Figure
    wait_p90_s: float | None
    abandonment: Figure
    answered: float
    not_served: dict[str, float]
    handle_s: float | None
    served_by: dict[str, float]
    first_answered: float | None
    short_s: float = 0.0
    dialled: float = 0.0


@dataclass(frozen=True)
class GroupRow:
    """One group of agents over the day; occupancy over signed-in, utilisation over paid time.

    `idle_cost`: what is paid for the time at the desk without a contact.
    """

    name: str
    agents: int
    paid_hours: float
    signed_in_hours: float
    away_hours: float
    after_shift_hours: float
    occupancy: float | None
    utilisation: float | None
    handled: float
    cost: float | None
    idle_cost: float | None = None


@dataclass(frozen=True)
class PromiseRow:
    """One promise: the share of its clocks that were met, and breaches a day."""

    name: str
    met: Figure
    breaches_per_day: float


@dataclass(frozen=True)
class Risk:
    """How likely a single day misses the target, and how its service level is spread.

    `missed` of the `days` played missed it; `quantiles` are of the days' own service levels.
    """

    misses: Figure
    quantiles: dict[str, float]
    missed: int = 0
    days: int = 0


@dataclass(frozen=True)
class TheoryRow:
    """One line by formula beside the simulation, over the whole day."""

    line: str
    model: str
    service_level: float | None
    simulated: Figure
    outside: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """All that a plan says; `last_ends`: by what time of day the last contact is over, by share."""

    sentence: str
    meets: bool
    scenario: str
    center: str
    config_hash: str
    date: str
    seed: int
    days: int
    target_percent: float
    definition: str
    judged: tuple[str, ...]
    service_level: Figure
    abandonment: Figure
    wait_s: Figure
    risk: Risk
    variance_ratio: float
    intervals: tuple[IntervalRow, ...]
    demands: tuple[DemandRow, ...]
    groups: tuple[GroupRow, ...]
    promises: tuple[PromiseRow, ...]
    costs: dict[str, float] = field(default_factory=dict)
    cost_per_day: Figure | None = None
    cost_per_contact: float | None = None
    cost_per_resolved: float | None = None
    currency: str = ""
    theory: tuple[TheoryRow, ...] = ()
    notes: tuple[str, ...] = ()
    last_ends: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ComparedRow:
    """One measure under two scenarios, and the difference of the pairs."""

    measure: str
    unit: str
    before: Figure
    after: Figure
    change: Figure
    sure: bool


@dataclass(frozen=True)
class Comparison:
    """What changes from one scenario to another, on the same days."""

    before: str
    after: str
    days: int
    seed: int
    sentence: str
    rows: tuple[ComparedRow, ...]


def figure(ratio: Ratio) -> Figure:
    """Return a ratio with its interval."""
    return figure_of(est.estimate(ratio))


def share_figure(ratio: Ratio) -> Figure:
    """Return a ratio that lies between 0 and 1."""
    got = figure_of(est.estimate(ratio))
    if got.value is None:
        return got
    low = None if got.low is None else max(0.0, got.low)
    high = None if got.high is None else min(1.0, got.high)
    return Figure(min(1.0, max(0.0, got.value)), low, high)


def figure_of(found: Estimate) -> Figure:
    """Return an estimate as plain data."""
    if math.isnan(found.value):
        return Figure(None)
    if not math.isfinite(found.error):
        return Figure(found.value)
    return Figure(found.value, found.low, found.high)
