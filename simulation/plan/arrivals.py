"""Produce arrival instants: exact inversion of a rate that runs straight between its edges.

Arrival i of a demand is the instant at which the integrated rate reaches e_1 + ... + e_i, with
unit exponentials e that belong to (seed, day, demand): more volume moves contacts nearer without
changing who they are (Cinlar, Introduction to Stochastic Processes, ch. 4). The rate is the
profile of the demand, times its factor and surges, times what the day is like: its busyness,
that of its parts, random bursts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from scipy import special

from configs.durations import parse_clock
from configs.planning import Bursts, Busyness, Demand, Scenario
from simulation.randomness import Streams
from simulation.time_laws import Array

_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True)
class Profile:
    """A rate per ms over offsets from opening: straight from `left[k]` to `right[k]`.

    Piece k runs from `edges[k]` to `edges[k + 1]`; there are as many pieces as left values.
    """

    edges: Array
    left: Array
    right: Array

    def times(self, cuts: list[tuple[float, float, float]]) -> Profile:
        """Return the profile multiplied by a factor from one offset to another, for each cut."""
        if not cuts:
            return self
        inner = [offset for start, end, _ in cuts for offset in (start, end)]
        edges = np.unique(np.concatenate((self.edges, np.asarray(inner, dtype=float))))
        edges = edges[(edges >= self.edges[0]) & (edges <= self.edges[-1])]
        piece = np.searchsorted(self.edges, edges[:-1], side="right") - 1
        width = self.edges[piece + 1] - self.edges[piece]
        slope = (self.right[piece] - self.left[piece]) / width
        left = self.left[piece] + slope * (edges[:-1] - self.edges[piece])
        right = self.left[piece] + slope * (edges[1:] - self.edges[piece])
        middle = (edges[:-1] + edges[1:]) / 2
        factor = np.ones_like(middle)
        for start, end, by in cuts:
            factor[(middle >= start) & (middle < end)] *= by
        return Profile(edges, left * factor, right * factor)

    def scaled(self, factor: float) -> Profile:
        """Return the profile with every rate multiplied."""
        return Profile(self.edges, self.left * factor, self.right * factor)

    def integral(self) -> Array:
        """Return the expected number of arrivals up to each edge."""
        masses = (self.left + self.right) / 2 * np.diff(self.edges)
        return np.concatenate(([0.0], np.cumsum(masses)))

    def expected(self, edges: Array) -> Array:
        """Return the expected number of arrivals between each two of the given offsets."""
        cut = self.times([(float(edge), float(edge), 1.0) for edge in edges])
        return np.diff(np.interp(edges, cut.edges, cut.integral()))

    def invert(self, masses: Array) -> Array:
        """Return the offsets (ms) at which the integrated rate reaches each mass."""
        integral = self.integral()
        piece = np.minimum(np.searchsorted(integral, masses, side="right") - 1, len(self.left) - 1)
        rest = masses - integral[piece]
        left = self.left[piece]
        slope = (self.right[piece] - left) / (self.edges[piece + 1] - self.edges[piece])
        # The root of left x + slope x^2 / 2 = rest that stays exact where the slope is 0.
        root = np.sqrt(np.maximum(left * left + 2 * slope * rest, 0.0))
        return np.asarray(self.edges[piece] + 2 * rest / np.maximum(left + root, 1e-300))


def profile_of(scenario: Scenario, demand: Demand) -> Profile:
    """Return a demand's expected rate, surges included, busyness and bursts left out."""
    opens_ms = parse_clock(scenario.opens)
    length = float(parse_clock(scenario.closes) - opens_ms)
    interval = float(scenario.interval_ms)
    if demand.rates_per_hour:
        values = np.asarray(demand.rates_per_hour) / _HOUR_MS
        left, right = values[:-1], values[1:]
    else:
        # Nobody comes of himself where only callbacks of other demands are put.
        counts = demand.per_interval or (0.0,) * math.ceil(length / interval)
        left = right = np.asarray(counts) / interval
    edges = np.minimum(np.arange(len(left) + 1) * interval, length)
    cuts = [
        (
            float(parse_clock(surge.start) - opens_ms),
            float(parse_clock(surge.end) - opens_ms),
            surge.factor,
        )
        for surge in demand.surges
    ]
    return Profile(edges, left, right).scaled(demand.factor).times(cuts)


def burst_mean(bursts: Bursts | None) -> float:
    """Return the factor by which bursts raise the expected volume."""
    if bursts is None:
        return 1.0
    share = bursts.length_ms / (bursts.length_ms + bursts.gap_ms)
    return 1.0 + (bursts.factor - 1.0) * share


def draw_offsets(profile: Profile, streams: Streams, name: str, factor: float) -> Array:
    """Return one day's arrival offsets (ms, not rounded) of a demand, in order."""
    day = profile.scaled(factor)
    total = float(day.integral()[-1])
    if total <= 0:
        return np.empty(0)
    guess = math.ceil(total + 6 * math.sqrt(total) + 20)
    masses = np.cumsum(streams.exponentials(name, "arrival", guess))
    while masses[-1] < total:
        guess *= 2
        masses = np.cumsum(streams.exponentials(name, "arrival", guess))
    return day.invert(masses[: int(np.searchsorted(masses, total, side="right"))])


def draw_bursts(
    bursts: Bursts, streams: Streams, name: str, length_ms: float
) -> list[tuple[float, float, float]]:
    """Return the bursts of a day as (start, end, factor); the first state is that of a long run."""
    on = streams.uniform(name, "burst-first", 0) < bursts.length_ms / (
        bursts.length_ms + bursts.gap_ms
    )
    spells = []
    offset, number = 0.0, 0
    while offset < length_ms:
        mean = bursts.length_ms if on else bursts.gap_ms
        end = offset + streams.exponential(name, "burst", number) * mean
        if on:
            spells.append((offset, end, bursts.factor))
        offset, number, on = end, number + 1, not on
    return spells


def copula_roots(busyness: Busyness, names: tuple[str, ...]) -> Array:
    """Return L with L L' the correlation of the demands' normals, its strongest column first.

    Raises ValueError when the correlations contradict each other (a negative eigenvalue).
    """
    matrix = np.full((len(names), len(names)), busyness.correlation)
    np.fill_diagonal(matrix, 1.0)
    for one, others in busyness.correlations.items():
        for other, value in others.items():
            i, j = names.index(one), names.index(other)
            matrix[i, j] = matrix[j, i] = value
    values, vectors = np.linalg.eigh(matrix)
    if values[0] < -1e-9:
        raise ValueError(
            f"the correlations of busyness contradict each other (eigenvalue {values[0]:.3g})"
        )
    order = np.argsort(-values, kind="stable")
    values, vectors = np.maximum(values[order], 0.0), vectors[:, order]
    signs = np.where(vectors.sum(axis=0) < 0, -1.0, 1.0)
    return np.asarray(vectors * signs * np.sqrt(values))


def draw_busyness(
    busyness: Busyness, names: tuple[str, ...], roots: Array, streams: Streams, strata: int
) -> Array:
    """Return the day's factor of each demand.

    The strongest normal of the copula is stratified: day r lies in stratum r mod `strata`.
    """
    uniforms = np.asarray([streams.uniform("", "busyness", number) for number in range(len(names))])
    if not len(uniforms):
        return uniforms
    uniforms[0] = (streams.replication % strata + uniforms[0]) / strata
    normals = roots @ special.ndtri(np.clip(uniforms, 1e-15, 1 - 1e-15))
    shares = special.ndtr(normals)
    factors = np.ones(len(names))
    for number, name in enumerate(names):
        alpha = busyness.alphas.get(name, busyness.alpha)
        if alpha:
            factors[number] = special.gammaincinv(alpha, shares[number]) / alpha
    return factors


def draw_parts(
    busyness: Busyness, streams: Streams, opens_ms: int, length_ms: float
) -> list[tuple[float, float, float]]:
    """Return the factor of each part of the day as (start, end, factor), offsets from opening."""
    ends = [float(parse_clock(part.until) - opens_ms) for part in busyness.parts]
    cuts = []
    for number, (start, end) in enumerate(pairwise([0.0, *ends])):
        alpha = busyness.parts[number].alpha
        share = streams.uniform("", "part", number)
        if alpha and start < length_ms:
            factor = float(special.gammaincinv(alpha, share)) / alpha
            cuts.append((start, min(end, length_ms), factor))
    return cuts
