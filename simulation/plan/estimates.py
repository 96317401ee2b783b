"""Say how sure a figure is: ratios of expectations, control variates, paired differences.

A ratio of a study is s = sum(G) / sum(D) over its days; its error comes from the residuals
r_d = (G_d - s D_d) / mean(D) (delta method; Law, Simulation Modeling and Analysis, ch. 9). The
mean of daily ratios is another number and is not computed here.

Control variate: the number of arrivals N of a day has a known expectation, so what N explains of
a figure is taken out: s - b (mean(N) - E[N]), b by least squares. With stratified days all
deviations are from the mean of their stratum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simulation.plan.replications import Study
from simulation.plan.tallies import WAIT_EDGES_MS, Count, Staffed

Floats: TypeAlias = NDArray[np.float64]

CONFIDENCE: Final = 0.95
_CONTROLLED_FROM_DAYS: Final = 12


@dataclass(frozen=True)
class Estimate:
    """A figure with its standard error and its 95 % confidence interval.

    `variance_ratio` is the variance without the control variate over that with it.
    """

    value: float
    error: float
    low: float
    high: float
    days: int
    variance_ratio: float = 1.0

    @property
    def half_width(self) -> float:
        """Return half the width of the interval."""
        return (self.high - self.low) / 2

    def scaled(self, factor: float) -> Estimate:
        """Return the same figure in another unit."""
        return replace(
            self,
            value=self.value * factor,
            error=self.error * factor,
            low=self.low * factor,
            high=self.high * factor,
        )


@dataclass(frozen=True)
class Ratio:
    """A figure day by day: numerators over denominators, and the controls of each day.

    `controls[day, k]` has expectation 0.
    """

    parts: Floats
    wholes: Floats
    controls: Floats
    strata: int = 1

    @property
    def value(self) -> float:
        """Return the ratio of the sums, NaN where nothing is divided."""
        whole = float(self.wholes.sum())
        return float(self.parts.sum()) / whole if whole else math.nan

    def residuals(self) -> Floats:
        """Return what each day adds to the ratio's error: (G_d - s D_d) / mean(D)."""
        mean = float(self.wholes.mean())
        if not mean:
            return np.zeros_like(self.parts)
        return np.asarray((self.parts - self.value * self.wholes) / mean)

    def daily(self) -> Floats:
        """Return each day's own ratio; days without anything to divide by are left out."""
        there = self.wholes > 0
        return np.asarray(self.parts[there] / self.wholes[there])


def estimate(ratio: Ratio) -> Estimate:
    """Return a ratio with its error, what the arrivals explain taken out."""
    return _judge(ratio.value, ratio.residuals(), ratio.controls, ratio.strata)


def difference(before: Ratio, after: Ratio) -> Estimate:
    """Return after - before with the error of the pairs: the same days under both.

    Raises ValueError when the two were not played on the same number of days.
    """
    if before.parts.shape != after.parts.shape or before.strata != after.strata:
        raise ValueError("only studies of the same days can be compared pair by pair")
    controls = np.hstack((before.controls, after.controls))
    return _judge(
        after.value - before.value,
        after.residuals() - before.residuals(),
        controls,
        before.strata,
    )


def _judge(value: float, residuals: Floats, controls: Floats, strata: int) -> Estimate:
    days = len(residuals)
    if math.isnan(value):
        return Estimate(math.nan, math.nan, math.nan, math.nan, days)
    if 1 < days <= strata:
        # One day a stratum: what differs between strata counts as chance, so the interval is too
        # wide rather than unknown.
        strata = 1
    deviations = _within(residuals, strata)
    freedom = days - strata
    if freedom < 1:
        return Estimate(value, math.inf, -math.inf, math.inf, days)
    plain = float(deviations @ deviations) / freedom
    spread, corrected = plain, value
    if days >= _CONTROLLED_FROM_DAYS and controls.shape[1]:
        within = _within(controls, strata)
        slopes, _, rank, _ = np.linalg.lstsq(within, deviations, rcond=1e-9)
        left = deviations - within @ slopes
        if freedom - rank >= _CONTROLLED_FROM_DAYS // 2:
            freedom -= int(rank)
            spread = float(left @ left) / freedom
            corrected = value - float(slopes @ controls.mean(axis=0))
    error = math.sqrt(max(spread, 0.0) / days)
    reach = float(special.stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error
    gain = plain / spread if spread > 0 else 1.0
    return Estimate(corrected, error, corrected - reach, corrected + reach, days, gain)


def _within(values: Floats, strata: int) -> Floats:
    """Return deviations from the mean of each day's stratum (day r lies in r mod strata)."""
    deviations = values.astype(np.float64).copy()
    for stratum in range(strata):
        deviations[stratum::strata] -= deviations[stratum::strata].mean(axis=0)
    return deviations


# --- what is looked at of a study ---------------------------------------------------------


@dataclass(frozen=True)
class View:
    """Some demands and intervals of a study, added up day by day."""

    study: Study
    demands: tuple[int, ...]
    intervals: tuple[int, ...]

    def count(self, what: Count) -> Floats:
        """Return a count of each day."""
        chosen = self.study.counts[..., what][:, list(self.demands)][:, :, list(self.intervals)]
        return np.asarray(chosen.sum(axis=(1, 2)), dtype=np.float64)

    def controls(self) -> Floats:
        """Return how many more arrived than expected: all day, and in the intervals looked at."""
        study = self.study
        fresh = study.counts[..., Count.FRESH][:, list(self.demands)].sum(axis=1)
        expected = study.expected[list(self.demands)].sum(axis=0)
        columns = [fresh.sum(axis=1) - expected.sum()]
        if len(self.intervals) < study.intervals:
            chosen = list(self.intervals)
            columns.append(fresh[:, chosen].sum(axis=1) - expected[chosen].sum())
        return np.stack(columns, axis=1).astype(np.float64)

    def over(self, part: Floats, whole: Floats) -> Ratio:
        """Return a ratio of two daily figures with this view's controls."""
        return Ratio(part, whole, self.controls(), self.study.strata)

    def per_day(self, what: Floats) -> Ratio:
        """Return a daily figure itself; its controls hold N squared where its mean is known."""
        controls = self.controls()
        square = self._squared()
        if square is not None:
            controls = np.hstack((controls, square[:, None]))
        return Ratio(what, np.ones_like(what), controls, self.study.strata)

    def _squared(self) -> Floats | None:
        """Return N^2 - E[N^2] with E[N^2] = m + m^2 + m^2 / alpha, where one factor rules."""
        study = self.study
        busyness = study.scenario.busyness
        bursts = any(demand.bursts for demand in study.scenario.demand.values())
        if busyness.parts or busyness.alphas or busyness.correlations or bursts:
            return None
        if busyness.correlation != 1.0 and len(self.demands) > 1:
            return None
        if any(demand.arrivals_ms for demand in study.scenario.demand.values()):
            return None
        everything = View(study, self.demands, tuple(range(study.intervals)))
        fresh = everything.count(Count.FRESH)
        mean = float(study.expected[list(self.demands)].sum())
        spread = mean * mean / busyness.alpha if busyness.alpha else 0.0
        return np.asarray(fresh * fresh - (mean + mean * mean + spread))


def view(
    study: Study, demands: Iterable[str] | None = None, intervals: Iterable[int] | None = None
) -> View:
    """Return a view of some demands (None: all) and intervals (None: all)."""
    names = study.demands if demands is None else tuple(demands)
    chosen = range(study.intervals) if intervals is None else intervals
    return View(study, tuple(study.demands.index(name) for name in names), tuple(chosen))


# The service levels of `router.measures_formulas`, as numerator and denominator of a day.
# Contacts sent away at closing, and those carried over too late, were the line's to answer.
class Counted(Protocol):
    """What is counted day by day, or draw by draw."""

    def count(self, what: Count) -> Floats:
        """Return a count of each day."""


_Level: TypeAlias = Callable[[Counted], tuple[Floats, Floats]]


def _offered(view: Counted) -> Floats:
    names = (Count.ANSWERED, Count.ABANDONED, Count.EXPIRED, Count.CLEARED, Count.CARRIED_LATE)
    return np.asarray(sum(view.count(name) for name in names), dtype=np.float64)


def _late_abandoned(view: Counted) -> Floats:
    return view.count(Count.ABANDONED) - view.count(Count.ABANDONED_IN_TIME)


LEVELS: Final[dict[str, _Level]] = {
    "answered_and_abandoned_in_time_over_offered": lambda view: (
        view.count(Count.IN_TIME) + view.count(Count.ABANDONED_IN_TIME),
        _offered(view),
    ),
    "answered_in_time_over_answered": lambda view: (
        view.count(Count.IN_TIME),
        view.count(Count.ANSWERED),
    ),
    "answered_in_time_over_answered_and_abandoned": lambda view: (
        view.count(Count.IN_TIME),
        view.count(Count.ANSWERED) + view.count(Count.ABANDONED),
    ),
    "answered_in_time_over_answered_and_late_abandoned": lambda view: (
        view.count(Count.IN_TIME),
        view.count(Count.ANSWERED) + _late_abandoned(view),
    ),
    "answered_in_time_and_short_abandoned_over_offered": lambda view: (
        view.count(Count.IN_TIME) + view.count(Count.SHORT),
        _offered(view),
    ),
    "answered_in_time_over_offered_less_short": lambda view: (
        view.count(Count.IN_TIME),
        _offered(view) - view.count(Count.SHORT),
    ),
}


def service_level(view: View, level: str = "") -> Ratio:
    """Return the service level of the scenario's target, or of another definition by name."""
    return view.over(*LEVELS[level or view.study.scenario.target.level](view))


def abandonment(view: View) -> Ratio:
    """Return abandoned over offered contacts; blocked, deflected, called-back ones stand apart."""
    return view.over(view.count(Count.ABANDONED), _offered(view))


def speed_of_answer_s(view: View) -> Ratio:
    """Return the average speed of answer, seconds: the mean wait of the answered."""
    return view.over(view.count(Count.WAIT_ANSWERED_MS) / 1000, view.count(Count.ANSWERED))


def wait_quantile_s(view: View, share: float) -> float:
    """Return the wait (s) that this share of the answered does not exceed, all days together.

    It is an upper edge of a bucket: at most 4.5 % too high, and never too low.
    """
    buckets = view.study.waits[:, list(view.demands)].sum(axis=(0, 1))
    total = int(buckets.sum())
    if not total:
        return math.nan
    reached = int(np.searchsorted(np.cumsum(buckets), share * total, side="left"))
    return WAIT_EDGES_MS[min(reached, len(WAIT_EDGES_MS) - 1)] / 1000


def agents_at_desks(study: Study, edges: Floats) -> Floats:
    """Return the agents at their desks by interval, time-averaged, pauses out.

    `edges` of the intervals in ms. Time after closing is counted in the last interval, as time
    after shift: it is taken out, since nobody of it was there before.
    """
    sums = study.staffed.sum(axis=1).mean(axis=0)
    there = sums[:, Staffed.SIGNED_IN] - sums[:, Staffed.AWAY]
    there[-1] -= sums[-1, Staffed.AFTER]
    return np.asarray(np.maximum(there, 0.0) / np.diff(edges))


def share_of_days(met: NDArray[np.bool_]) -> Estimate:
    """Return the share of days that are true, with Wilson's interval."""
    days = len(met)
    if not days:
        return Estimate(math.nan, math.nan, math.nan, math.nan, 0)
    share = float(met.mean())
    z = float(special.ndtri((1 + CONFIDENCE) / 2))
    middle = (share + z * z / (2 * days)) / (1 + z * z / days)
    reach = (
        z * math.sqrt(share * (1 - share) / days + z * z / (4 * days * days)) / (1 + z * z / days)
    )
    return Estimate(
        share, math.sqrt(share * (1 - share) / days), middle - reach, middle + reach, days
    )
