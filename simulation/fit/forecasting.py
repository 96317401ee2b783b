"""Forecast daily totals from their own past: day kinds times a level that follows the days.

The mean of a day is the factor of its kind times the level, an exponentially weighted mean of the
past totals over their factors (simple smoothing: Brown 1959). How far it will be off is what it
was off before: the interval is made of the quantiles of past errors at the same distance, so it
needs no law and holds trend, season and whatever else the model does not know. `judge` repeats
each past day's forecast from the days before it alone and counts how often the interval held.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from simulation.fit.arrivals import HOLIDAY, WEEKDAYS, kinds_of
from simulation.fit.figures import Array, Figure, share_of

_SMOOTHINGS: Final = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7)
# From so many days on forecasts are judged, and from so many errors on an interval is made.
WARM_UP_DAYS: Final = 40
ERRORS_MIN: Final = 20
_CHOSEN_EVERY: Final = 10


@dataclass(frozen=True, kw_only=True)
class DayForecast:
    """One day: the mean, and between what it lies with the coverage asked for."""

    day: date
    kind: str
    mean: float
    low: float
    high: float


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
            raise ValueError(f"{len(kept)} days of contacts: a forecast needs ten at least")
        self.days = [days[i] for i in kept]
        self.kinds = [kinds[i] for i in kept]
        self.totals: Array = totals[kept]
        self.holidays = holidays
        self.coverage = coverage
        apart = [totals[i] for i, kind in enumerate(kinds) if kind == HOLIDAY and totals[i] > 0]
        self.holiday_mean = float(np.mean(apart)) if apart else math.nan
        self.smoothing = self._choose(len(self.days))

    def forecast(self, ahead: int) -> list[DayForecast]:
        """Return the next days, weekdays that never had a contact left out."""
        found: list[DayForecast] = []
        day, steps = self.days[-1], 0
        factors = self._factors(len(self.days))
        level = self._levels(len(self.days), factors, self.smoothing)[-1]
        for _ in range(ahead):
            day += timedelta(days=1)
            kind = HOLIDAY if day in self.holidays else WEEKDAYS[day.weekday()]
            if kind == HOLIDAY and math.isfinite(self.holiday_mean):
                mean = self.holiday_mean
            elif kind in factors:
                mean = level * factors[kind]
            else:
                continue
            steps += 1
            low, high = self._bounds(self._errors(len(self.days), steps, self.smoothing))
            found.append(
                DayForecast(day=day, kind=kind, mean=mean, low=mean * low, high=mean * high)
            )
        return found

    def judge(self, horizon: int = 1) -> Judged | None:
        """Repeat the forecasts of the past; None with too few days."""
        hits = judged = 0
        off = naive = seen = 0.0
        first = max(WARM_UP_DAYS, ERRORS_MIN + horizon)
        smoothing = self.smoothing
        for now in range(first, len(self.days)):
            past = now - horizon + 1
            if (now - first) % _CHOSEN_EVERY == 0:
                smoothing = self._choose(past)
            mean = self._mean_of(now, horizon, smoothing)
            low, high = self._bounds(self._errors(past, horizon, smoothing))
            actual = float(self.totals[now])
            last = next(
                (i for i in range(now - horizon, -1, -1) if self.kinds[i] == self.kinds[now]), None
            )
            if last is None or not math.isfinite(low):
                continue
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
        smoothing = self._choose(now)
        return self._mean_of(now, 1, smoothing), self._errors(now, 1, smoothing)

    # --- the model --------------------------------------------------------------------------------

    def _factors(self, count: int) -> dict[str, float]:
        """Return the factor of each kind of day over the first `count` days; mean 1 a week."""
        whole = float(self.totals[:count].mean())
        sums: dict[str, list[float]] = {}
        for kind, total in zip(self.kinds[:count], self.totals[:count], strict=True):
            sums.setdefault(kind, []).append(float(total))
        return {kind: sum(found) / len(found) / whole for kind, found in sums.items()}

    def _levels(self, count: int, factors: dict[str, float], smoothing: float) -> list[float]:
        """Return the level after each of the first `count` days."""
        levels: list[float] = []
        level = math.nan
        for index in range(count):
            value = float(self.totals[index]) / factors[self.kinds[index]]
            # The first days weigh alike, until smoothing forgets faster than a plain mean.
            weight = max(smoothing, 1 / (index + 1))
            level = value if math.isnan(level) else level + weight * (value - level)
            levels.append(level)
        return levels

    def _mean_of(self, now: int, horizon: int, smoothing: float) -> float:
        past = now - horizon + 1
        factors = self._factors(past)
        level = self._levels(past, factors, smoothing)[-1]
        return level * factors.get(self.kinds[now], 1.0)

    def _errors(self, count: int, horizon: int, smoothing: float) -> Array:
        """Return actual over forecast within the first `count` days, factors from all of them."""
        factors = self._factors(count)
        levels = np.array(self._levels(count, factors, smoothing))
        means = np.array([factors[kind] for kind in self.kinds[:count]])
        start = horizon + 4
        if count <= start:
            return np.array([])
        found: Array = self.totals[start:count] / (
            means[start:] * levels[start - horizon : count - horizon]
        )
        return found

    def _bounds(self, errors: Array) -> tuple[float, float]:
        """Return the quantiles of errors, widened for their number: k-th of n + 1."""
        number = len(errors)
        if number < ERRORS_MIN:
            return math.nan, math.nan
        tail = (1 - self.coverage) / 2
        order = np.sort(errors)
        place = tail * (number + 1) - 1
        low = float(np.interp(place, np.arange(number), order))
        high = float(np.interp(number - 1 - place, np.arange(number), order))
        return low, high

    def _choose(self, count: int) -> float:
        """Return the smoothing with the least squared log error one day ahead, of `count` days."""

        def loss(smoothing: float) -> float:
            return float((np.log(self._errors(count, 1, smoothing)) ** 2).sum())

        return min(_SMOOTHINGS, key=loss)
