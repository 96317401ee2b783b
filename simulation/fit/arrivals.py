"""Fit the day's profile of a source: how many contacts a day of each kind, and when.

A *day kind* is a weekday, or `holiday`. Its mean total is its own; its shape (the share of each
interval) is drawn towards the shape of all days as far as chance alone explains the difference.
Days with no contact at all are closed days and left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from scipy import stats

from simulation.fit.busyness import fit_busyness
from simulation.fit.figures import Array, Figure, Indexes
from simulation.fit.history import CountTable

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_NAMES: Final = dict(
    zip(
        WEEKDAYS,
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        strict=True,
    )
)
HOLIDAY: Final = "holiday"
# Cells of a chi-square test are merged until so many contacts are expected in each.
_EXPECTED_MIN: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class DayProfile:
    """The profile of one day kind: mean total, and mean contacts of each interval.

    `pooled` is the weight that the shape of all days has in its shape.
    """

    kind: str
    days: int
    total: Figure
    intervals: tuple[Figure, ...]
    pooled: float


@dataclass(frozen=True, kw_only=True)
class PoissonTest:
    """Are arrivals Poisson once the day's total is known?

    Pearson's chi-square of the intervals' counts against the day's total times the shape of its
    kind. `dispersion` is the statistic over its degrees of freedom: 1 under Poisson, more where
    parts of the day move on their own.
    """

    statistic: float
    degrees: int
    dispersion: float
    p_value: float


@dataclass(frozen=True, kw_only=True)
class ArrivalFit:
    """How contacts of one source arrive."""

    category: str
    channel: str
    minutes: int
    days: int
    closed_days: int
    profiles: tuple[DayProfile, ...]
    poisson: PoissonTest
    hourly_dispersion: tuple[float, float, float]


def day_name(kind: str) -> str:
    """Return what a kind of day is called in a sentence."""
    return _DAY_NAMES.get(kind, kind)


def kinds_of(days: tuple[date, ...], holidays: frozenset[date]) -> tuple[str, ...]:
    """Return the kind of each day."""
    return tuple(HOLIDAY if day in holidays else WEEKDAYS[day.weekday()] for day in days)


def open_days(table: CountTable) -> CountTable:
    """Return the table without days on which nobody came."""
    return table.select(table.totals > 0)


def group_days(kinds: tuple[str, ...]) -> dict[str, Indexes]:
    """Return the indexes of the days of each kind, in the order of the week."""
    order = [name for name in (*WEEKDAYS, HOLIDAY) if name in kinds]
    return {name: np.flatnonzero(np.array(kinds) == name) for name in order}


def fit_arrivals(table: CountTable, holidays: frozenset[date] = frozenset()) -> ArrivalFit:
    """Fit profiles of a source with at least one day of contacts."""
    counted = open_days(table)
    groups = group_days(kinds_of(counted.days, holidays))
    counts = counted.offered
    test, spread = _test_poisson(counts, groups)
    overall = counts.sum(axis=0) / counts.sum()
    busyness = fit_busyness(counted.totals, groups)
    everything = float(counts.sum())
    profiles = tuple(
        _profile(kind, counts[rows], overall, everything, spread, busyness.relative_variance)
        for kind, rows in groups.items()
    )
    return ArrivalFit(
        category=table.category,
        channel=table.channel,
        minutes=table.minutes,
        days=len(counted.days),
        closed_days=len(table.days) - len(counted.days),
        profiles=profiles,
        poisson=test,
        hourly_dispersion=_hourly_dispersion(counted, groups),
    )


def _profile(
    kind: str,
    counts: Array,
    overall: Array,
    everything: float,
    spread: float,
    relative_variance: float,
) -> DayProfile:
    """Fit one day kind; `spread` is the dispersion of a day's counts around its shape."""
    days, total = len(counts), counts.sum()
    own = counts.sum(axis=0) / total
    weight = _pooling(counts.sum(axis=0), overall, spread)
    shape = (1 - weight) * own + weight * overall
    mean = total / days
    mean_variance = (mean + mean * mean * relative_variance) / days
    # Own and common shape overlap: the kind's contacts are among all.
    known_from = (1 - weight) ** 2 / total + (2 - weight) * weight / everything
    shape_variance = spread * shape * (1 - shape) * known_from
    intervals = tuple(
        Figure(float(mean * part), float(math.sqrt(part**2 * mean_variance + mean**2 * variance)))
        for part, variance in zip(shape, shape_variance, strict=True)
    )
    return DayProfile(
        kind=kind,
        days=days,
        total=Figure(float(mean), math.sqrt(mean_variance)),
        intervals=intervals,
        pooled=weight,
    )


def _pooling(counts: Array, overall: Array, spread: float) -> float:
    """Return the weight of the common shape: what chance explains of the distance to it.

    Empirical Bayes with one weight a day kind (Efron & Morris 1975): the chi-square of the kind's
    counts against the common shape is `spread` per degree of freedom if only chance is at work.
    """
    used = overall > 0
    expected = counts.sum() * overall[used]
    distance = float(((counts[used] - expected) ** 2 / expected).sum())
    degrees = int(used.sum()) - 1
    if degrees < 1 or distance <= 0:
        return 1.0
    return float(min(1.0, spread * degrees / distance))


def _test_poisson(counts: Array, groups: Mapping[str, Indexes]) -> tuple[PoissonTest, float]:
    """Test each kind's days against its own shape; also the dispersion without merging cells."""
    statistic = raw = 0.0
    degrees = raw_degrees = 0
    for rows in groups.values():
        if len(rows) < 2:
            continue
        part = counts[rows]
        merged = _merge_cells(part)
        found, free = _chi_square(merged)
        statistic, degrees = statistic + found, degrees + free
        found, free = _chi_square(part)
        raw, raw_degrees = raw + found, raw_degrees + free
    if not degrees:
        return PoissonTest(statistic=0.0, degrees=0, dispersion=math.nan, p_value=math.nan), 1.0
    test = PoissonTest(
        statistic=statistic,
        degrees=degrees,
        dispersion=statistic / degrees,
        p_value=float(stats.chi2.sf(statistic, degrees)),
    )
    return test, max(1.0, raw / raw_degrees)


def _chi_square(counts: Array) -> tuple[float, int]:
    columns = counts[:, counts.sum(axis=0) > 0]
    totals = columns.sum(axis=1, keepdims=True)
    expected = totals * columns.sum(axis=0, keepdims=True) / columns.sum()
    degrees = (columns.shape[0] - 1) * (columns.shape[1] - 1)
    return float(((columns - expected) ** 2 / expected).sum()), degrees


def _merge_cells(counts: Array) -> Array:
    """Merge neighbouring intervals until each is expected to hold enough."""
    means = counts.mean(axis=0)
    merged: list[Array] = []
    held, held_mean = np.zeros(len(counts)), 0.0
    for column, mean in zip(counts.T, means, strict=True):
        held, held_mean = held + column, held_mean + float(mean)
        if held_mean >= _EXPECTED_MIN:
            merged.append(held)
            held, held_mean = np.zeros(len(counts)), 0.0
    if merged:
        merged[-1] = merged[-1] + held
    else:
        merged.append(held)
    return np.array(merged).T


def _hourly_dispersion(
    table: CountTable, groups: Mapping[str, Indexes]
) -> tuple[float, float, float]:
    """Return least, middle and largest variance/mean of an hour's counts within day kinds."""
    hourly = table.coarser(60).offered if 60 % table.minutes == 0 else table.offered
    squares, sums, degrees = np.zeros(hourly.shape[1]), np.zeros(hourly.shape[1]), 0
    for rows in groups.values():
        part = hourly[rows]
        squares += ((part - part.mean(axis=0)) ** 2).sum(axis=0)
        sums += part.mean(axis=0) * (len(rows) - 1)
        degrees += len(rows) - 1
    # Hours of hardly any contacts say nothing.
    busy = sums > 0.01 * sums.sum()
    if degrees < 2 or not busy.any():
        return (math.nan, math.nan, math.nan)
    ratios = squares[busy] / sums[busy]
    return float(ratios.min()), float(np.median(ratios)), float(ratios.max())
