"""Forecast daily totals from their own past: day kinds times a level that follows the days.

The mean of a day is the factor of its kind times the level, an exponentially weighted mean of the
past totals over their factors (simple smoothing: Brown 1959). How far it will be off is what it
was off before: every past day is forecast from the days before it alone, at every distance, and the
interval is made of the quantiles of these errors at the same distance; so it needs no law and holds
trend, season and whatever else the model does not know, and grows with the distance as they did.

Errors of the past may be smaller than those to come, where the level drifts. So the share that
the quantiles leave outside is moved after each past day: down when a day lay outside, up when not
(adaptive conformal inference: Gibbs & Candes 2021). `judge` repeats all past forecasts so and
counts how often the interval held.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from simulation.fit.arrivals import HOLIDAY, WEEKDAYS, kinds_of
from simulation.fit.figures import Array, Figure, share_of
from simulation.phrases import counted

_SMOOTHINGS: Final = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7)
# From so many days on forecasts are judged, and from so many errors on an interval is made.
WARM_UP_DAYS: Final = 40
ERRORS_MIN: Final = 20
# The first days tell too little of factors and level for their errors to count.
_FIRST_DAYS: Final = 4
# How far the share left outside moves after each past day.
_STEP: Final = 0.02
_OUTSIDE_MAX: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class DayForecast:
    """One day: the mean, and between what it lies with the coverage asked for.

    `steps` open days ahead; NaN bounds where there are too few past days to know. With `stretched`
    there are too few of the same distance: the bounds of a shorter one are widened by the root of
    the ratio, as those of a level that wanders.
    """

    day: date
    kind: str
    steps: int
    mean: float
    low: float
    high: float
    stretched: bool = False


@dataclass(frozen=True, kw_only=True)
class Judged:
    """How forecasts of past days did, each made from the days before it.

    `covered` is the share of days within their interval; `error` the mean absolute error as a
    share of the mean (WAPE); `naive` that of last week's same day.
    """

    days: int
    horizon: int
    covered: Figure
    error: float
    naive: float


class Forecaster:
    """Follow a series of open days; holidays stand apart and teach nothing about the level."""

    def __init__(
        self,
        days: Sequence[date],
        totals: Array,
        holidays: frozenset[date] = frozenset(),
        coverage: float = 0.9,
    ) -> None:
        kinds = kinds_of(tuple(days), holidays)
        kept = [i for i, kind in enumerate(kinds) if kind != HOLIDAY and totals[i] > 0]
        if len(kept) < 2 * 5:
            have = counted(len(kept), "day")
            raise ValueError(f"{have} of contacts: a forecast needs ten at least")
        self.days = [days[i] for i in kept]
        self.kinds = [kinds[i] for i in kept]
        self.totals: Array = totals[kept]
        self.holidays = holidays
        self.coverage = coverage
        apart = [totals[i] for i, kind in enumerate(kinds) if kind == HOLIDAY and totals[i] > 0]
        self.holiday_mean = float(np.mean(apart)) if apart else math.nan
        self._names = sorted(set(self.kinds))
        self._index = np.array([self._names.index(kind) for kind in self.kinds])
        self._factors = self._factors_by_day()
        self._levels = np.array([self._levels_with(smoothing) for smoothing in _SMOOTHINGS])
        losses = np.log(self._errors(1)) ** 2
        losses[:, :_FIRST_DAYS] = 0.0
        self._losses = np.nancumsum(losses, axis=1)

    def forecast(self, ahead: int) -> list[DayForecast]:
        """Return the next days, weekdays that never had a contact left out."""
        found: list[DayForecast] = []
        day, steps, count = self.days[-1], 0, len(self.days)
        level = self._levels[self._chosen(count), count - 1]
        least, most = math.inf, -math.inf
        for _ in range(ahead):
            day += timedelta(days=1)
            kind = HOLIDAY if day in self.holidays else WEEKDAYS[day.weekday()]
            if kind == HOLIDAY and math.isfinite(self.holiday_mean):
                mean = self.holiday_mean
            elif kind in self._names:
                mean = float(level * self._factors[count - 1, self._names.index(kind)])
            else:
                continue
            steps += 1
            low, high, stretched = self._bounds_ahead(steps)
            # What is further off is not known better.
            least, most = min(low, least), max(high, most)
            found.append(
                DayForecast(
                    day=day, kind=kind, steps=steps, mean=mean, low=mean * least, high=mean * most,
                    stretched=stretched,
                )
            )  # fmt: skip
        return found

    def judge(self, horizon: int = 1) -> Judged | None:
        """Repeat the forecasts of the past, `horizon` open days ahead; None with too few days."""
        hits = judged = 0
        off = naive = seen = 0.0
        for now, low, high in self._past_bounds(horizon):
            if not WARM_UP_DAYS <= now < len(self.totals):
                continue
            last = next(
                (i for i in range(now - horizon, -1, -1) if self.kinds[i] == self.kinds[now]), None
            )
            if last is None:
                continue
            actual, mean = float(self.totals[now]), self._mean_of(now, horizon)
            judged += 1
            hits += mean * low <= actual <= mean * high
            off += abs(actual - mean)
            naive += abs(actual - float(self.totals[last]))
            seen += actual
        if not judged:
            return None
        return Judged(
            days=judged,
            horizon=horizon,
            covered=share_of(hits, judged),
            error=off / seen,
            naive=naive / seen,
        )

    def next_day(self, now: int) -> tuple[float, Array]:
        """Return the mean of day number `now` from the days before it, and their past ratios."""
        return self._mean_of(now, 1), self._errors_known(now, 1)

    # --- the model --------------------------------------------------------------------------------

    def _factors_by_day(self) -> Array:
        """Return the factor of each kind after each day, from the days so far; NaN before any."""
        own = np.eye(len(self._names))[self._index]
        counts = np.cumsum(own, axis=0)
        sums = np.cumsum(own * self.totals[:, None], axis=0)
        whole = np.cumsum(self.totals) / np.arange(1, len(self.totals) + 1)
        with np.errstate(invalid="ignore"):
            found: Array = sums / counts / whole[:, None]
        return found

    def _levels_with(self, smoothing: float) -> Array:
        """Return the level after each day: weighted totals, those of a kind over its factor."""
        weighted = np.zeros(len(self._names))
        levels = np.empty(len(self.totals))
        for index, (kind, total) in enumerate(zip(self._index, self.totals, strict=True)):
            # The first days weigh alike, until smoothing forgets faster than a plain mean.
            weight = max(smoothing, 1 / (index + 1))
            weighted *= 1 - weight
            weighted[kind] += weight * total
            levels[index] = np.nansum(weighted / self._factors[index])
        return levels

    def _chosen(self, count: int) -> int:
        """Return the smoothing that was off least one day ahead, within the first days."""
        return int(np.argmin(self._losses[:, count - 1]))

    def _ratios(self, horizon: int) -> Array:
        """Return the factor of each day's kind as it was known `horizon` days before, else 1."""
        known = self._factors[: len(self.totals) - horizon]
        found = known[np.arange(len(known)), self._index[horizon:]]
        return np.where(np.isfinite(found), found, 1.0)

    def _errors(self, horizon: int) -> Array:
        """Return actual over forecast by smoothing and day, each from the days before it alone."""
        found = np.full(self._levels.shape, math.nan)
        if horizon < len(self.totals):
            means = self._levels[:, : len(self.totals) - horizon] * self._ratios(horizon)
            found[:, horizon:] = self.totals[horizon:] / means
        return found

    def _errors_known(self, count: int, horizon: int) -> Array:
        """Return the errors that are known after `count` days, with the smoothing chosen then."""
        found: Array = self._errors(horizon)[self._chosen(count), horizon + _FIRST_DAYS : count]
        return found

    def _mean_of(self, now: int, horizon: int) -> float:
        past = now - horizon
        factor = self._factors[past, self._index[now]]
        level = self._levels[self._chosen(past + 1), past]
        return float(level * (factor if math.isfinite(factor) else 1.0))

    # --- the interval -----------------------------------------------------------------------------

    def _past_bounds(self, horizon: int) -> Iterator[tuple[int, float, float]]:
        """Yield past days with the bounds they had, as shares of their mean; then what comes next.

        The last one, of the day after all, is what a forecast of today is given.
        """
        errors = self._errors(horizon)
        count = len(self.totals)
        outside, low, high = 1 - self.coverage, math.nan, math.nan
        missed: dict[int, bool] = {}
        for now in range(horizon + _FIRST_DAYS + ERRORS_MIN + horizon - 1, count + horizon):
            known = now - horizon + 1
            if now - horizon in missed:
                step = 1 - self.coverage - missed[now - horizon]
                outside = min(_OUTSIDE_MAX, max(0.0, outside + _STEP * step))
            chosen = self._chosen(known)
            low, high = _quantiles(errors[chosen, horizon + _FIRST_DAYS : known], outside)
            if now < count:
                missed[now] = not low <= errors[chosen, now] <= high
                yield now, low, high
        if count >= horizon + _FIRST_DAYS + ERRORS_MIN:
            yield count + horizon - 1, low, high

    def _bounds_ahead(self, steps: int) -> tuple[float, float, bool]:
        """Return the bounds of a day ahead, from a shorter distance where there are too few."""
        longest = len(self.totals) - _FIRST_DAYS - ERRORS_MIN
        if longest < 1:
            return math.nan, math.nan, False
        horizon = min(steps, longest)
        *_, (_, low, high) = self._past_bounds(horizon)
        if horizon == steps:
            return low, high, False
        growth = math.sqrt(steps / horizon)
        return low**growth, high**growth, True


def _quantiles(errors: Array, outside: float) -> tuple[float, float]:
    """Return the quantiles of errors that leave a share outside, the k-th of n + 1.

    Where that share is less than the errors can show, they are the least and the largest.
    """
    order = np.sort(np.log(errors))
    number = len(order)
    place = max(0.0, outside / 2 * (number + 1) - 1)
    low = float(np.interp(place, np.arange(number), order))
    high = float(np.interp(number - 1 - place, np.arange(number), order))
    return math.exp(low), math.exp(high)
