"""Estimate a law from durations of which some are known only to be longer: Kaplan-Meier, hazards.

Customers who were answered would have waited longer: their patience is censored. Everything here
takes times in seconds, and whether each ended (True) or was censored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from simulation.fit.figures import Array, Figure, Flags

# Edges in seconds at which patience is known to change: first seconds, announcements, minutes.
HAZARD_EDGES_S: Final = (0.0, 5.0, 10.0, 15.0, 30.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0)
AT_S: Final = (30.0, 60.0, 120.0, 300.0)
# With fewer customers left the curve is noise.
_LEFT_MIN: Final = 10
_EVENTS_MIN: Final = 5


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A Kaplan-Meier curve: survival just after each time at which somebody ended.

    `log_variance` is Greenwood's sum, so that the error of S is S times its root.
    """

    times_s: Array
    survival: Array
    log_variance: Array
    at_risk: Array

    def at(self, time_s: float) -> Figure:
        """Return S(t) with Greenwood's error; `nan` where fewer than ten were left."""
        place = int(np.searchsorted(self.times_s, time_s, side="right"))
        if place == 0:
            return Figure(1.0, 0.0)
        if self.at_risk[place - 1] < _LEFT_MIN:
            return Figure(math.nan)
        value = float(self.survival[place - 1])
        return Figure(value, value * math.sqrt(float(self.log_variance[place - 1])))


@dataclass(frozen=True, kw_only=True)
class Hazard:
    """The rate of ending between two ages, per minute: events over minutes at risk."""

    from_s: float
    to_s: float
    per_minute: Figure
    events: int
    at_risk_minutes: float


@dataclass(frozen=True, kw_only=True)
class PatienceFit:
    """How long customers wait before they give up.

    `exponential_mean_s` is the maximum likelihood mean, all minutes waited over abandonments;
    `exponential_p` the probability of hazards that differ so much if it were one constant
    (likelihood ratio); `survival` S at some times. `median_s` is none if fewer gave up.
    """

    waits: int
    abandoned: int
    balked: int
    exponential_mean_s: Figure
    exponential_p: float
    hazards: tuple[Hazard, ...]
    survival: dict[float, Figure]
    median_s: float


def kaplan_meier(times_s: Array, ended: Flags) -> Curve:
    """Return the Kaplan-Meier curve (1958) with Greenwood's variance (1926).

    One who was censored at the instant at which another ended was still at risk.
    """
    order = np.argsort(times_s, kind="stable")
    times, events = times_s[order], ended[order].astype(np.float64)
    unique, first = np.unique(times, return_index=True)
    deaths = np.add.reduceat(events, first) if len(times) else np.array([])
    at_risk = (len(times) - first).astype(np.float64)
    kept = deaths > 0
    unique, deaths, at_risk = unique[kept], deaths[kept], at_risk[kept]
    with np.errstate(divide="ignore"):
        logs = np.cumsum(np.log1p(-deaths / at_risk))
        terms = np.where(at_risk > deaths, deaths / (at_risk * (at_risk - deaths)), 0.0)
    return Curve(
        times_s=unique,
        survival=np.exp(logs),
        log_variance=np.cumsum(terms),
        at_risk=at_risk,
    )


def quantile_of(curve: Curve, share: float) -> float:
    """Return the first time at which this share has ended; `nan` when it never has."""
    below = np.flatnonzero(curve.survival <= 1 - share + 1e-12)
    return float(curve.times_s[below[0]]) if len(below) else math.nan


def fit_hazards(
    times_s: Array, ended: Flags, edges_s: tuple[float, ...] = HAZARD_EDGES_S
) -> tuple[Hazard, ...]:
    """Return piecewise constant hazards; pieces of too few events are joined to the one before."""
    pieces: list[tuple[float, float, int, float]] = []
    for low, high in zip(edges_s, (*edges_s[1:], math.inf), strict=True):
        minutes = float(np.clip(times_s - low, 0.0, high - low).sum()) / 60
        events = int((ended & (times_s > low) & (times_s <= high)).sum())
        if minutes <= 0:
            continue
        if pieces and (events < _EVENTS_MIN or pieces[-1][2] < _EVENTS_MIN):
            before = pieces.pop()
            pieces.append((before[0], high, before[2] + events, before[3] + minutes))
        else:
            pieces.append((low, high, events, minutes))
    return tuple(
        Hazard(
            from_s=low,
            to_s=high,
            per_minute=Figure(events / minutes, math.sqrt(max(1, events)) / minutes),
            events=events,
            at_risk_minutes=minutes,
        )
        for low, high, events, minutes in pieces
    )


def fit_patience(
    waits_s: Array, abandoned: Flags, edges_s: tuple[float, ...] = HAZARD_EDGES_S
) -> PatienceFit:
    """Fit patience to waits; who was answered, or sent elsewhere, is censored.

    Who left at once (a wait of 0) balked: counted apart.
    """
    balked = int((abandoned & (waits_s <= 0)).sum())
    waited = waits_s > 0
    times, events = waits_s[waited], abandoned[waited]
    number = int(events.sum())
    minutes = float(times.sum()) / 60
    hazards = fit_hazards(times, events, edges_s) if number else ()
    curve = kaplan_meier(times, events)
    mean = Figure(math.nan)
    if number:
        mean = Figure(60 * minutes / number, 60 * minutes / number / math.sqrt(number))
    return PatienceFit(
        waits=int(waited.sum()),
        abandoned=number,
        balked=balked,
        exponential_mean_s=mean,
        exponential_p=_constancy(hazards),
        hazards=hazards,
        survival={time: curve.at(time) for time in AT_S} if number else {},
        median_s=quantile_of(curve, 0.5) if number else math.nan,
    )


def _constancy(hazards: tuple[Hazard, ...]) -> float:
    """Return the p-value of the likelihood ratio of piecewise hazards against one constant."""
    if len(hazards) < 2:
        return math.nan
    events = sum(piece.events for piece in hazards)
    minutes = sum(piece.at_risk_minutes for piece in hazards)
    ratio = 2 * sum(
        piece.events * math.log(piece.per_minute.value / (events / minutes))
        for piece in hazards
        if piece.events
    )
    return float(stats.chi2.sf(max(0.0, ratio), len(hazards) - 1))
