"""Fit what a contact takes of an agent: its law, the speed beside other chats, the agents' pace.

An agent with j contacts of a channel at once does each at speed r_j of the speed he has with
one. A contact with T_j seconds at j then held W = Σ r_j T_j seconds of work, and the speeds are
fitted together with a lognormal law of W by maximum likelihood, open contacts censored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import optimize, special

from simulation.fit.durations import SHORT_S, DurationFit, fit_durations
from simulation.fit.figures import Array, Figure, mean_of
from simulation.fit.history import Visit

# A speed is fitted where so many contacts ended at it; above, the last one holds.
_ENDED_MIN: Final = 30
_CONTACTS_MIN: Final = 20


@dataclass(frozen=True, kw_only=True)
class AgentPace:
    """One agent: contacts, mean handling, and the factor of his pace, drawn towards 1."""

    agent: str
    contacts: int
    mean_s: Figure
    factor: float


@dataclass(frozen=True, kw_only=True)
class PaceFit:
    """How agents differ: `spread` is the standard deviation of log pace between agents."""

    spread: Figure
    agents: tuple[AgentPace, ...]


@dataclass(frozen=True, kw_only=True)
class HandlingFit:
    """Handling, wrap-up and the first written reply of one source."""

    category: str
    channel: str
    handle: DurationFit
    wrap_up: DurationFit | None
    reply: DurationFit | None


def fit_speeds(visits: Sequence[Visit]) -> tuple[Figure, ...]:
    """Return the speeds at 1, 2, 3 ... contacts of one channel; (1,) when nothing is shared."""
    kept = [visit for visit in visits if visit.shared_s and sum(visit.shared_s) > 0]
    ended = [visit.shared_last for visit in kept if not visit.handle_open]
    levels = 1
    while sum(1 for last in ended if last >= levels + 1) >= _ENDED_MIN:
        levels += 1
    if levels == 1:
        return (Figure(1.0, 0.0),)
    spent = np.zeros((len(kept), levels))
    for row, visit in enumerate(kept):
        for place, seconds in enumerate(visit.shared_s):
            spent[row, min(place, levels - 1)] += seconds
    last = np.array([min(visit.shared_last, levels) for visit in kept])
    closed = np.array([not visit.handle_open for visit in kept])
    centers = _centers(kept)

    def loss(free: Array) -> float:
        sigma = math.exp(free[0])
        speeds = np.concatenate([[0.0], free[2:]])
        work = np.log(spent @ np.exp(speeds)) - centers - free[1]
        density = (
            -0.5 * (work / sigma) ** 2 - free[0] + speeds[last - 1] - np.log(spent @ np.exp(speeds))
        )
        tail = special.log_ndtr(-work / sigma)
        return -float(np.where(closed, density, tail).sum())

    start = np.zeros(levels + 1)
    found = optimize.minimize(loss, start, method="BFGS", options={"gtol": 1e-3})
    errors = np.sqrt(np.clip(np.diag(found.hess_inv), 0.0, None))[2:]
    speeds = np.exp(found.x[2:])
    return (
        Figure(1.0, 0.0),
        *(Figure(float(r), float(r * error)) for r, error in zip(speeds, errors, strict=True)),
    )


def _centers(visits: Sequence[Visit]) -> Array:
    """Return each visit's mean log handling within its category, which differs between them."""
    sums: dict[str, list[float]] = {}
    for visit in visits:
        sums.setdefault(visit.category, []).append(math.log(sum(visit.shared_s)))
    means = {category: sum(logs) / len(logs) for category, logs in sums.items()}
    return np.array([means[visit.category] for visit in visits])


def work_of(visit: Visit, speeds: tuple[Figure, ...]) -> float | None:
    """Return the seconds of work in a visit: what it would have taken alone."""
    if visit.handle_s is None:
        return None
    if len(speeds) == 1 or not visit.shared_s:
        return visit.handle_s
    return sum(
        seconds * speeds[min(place, len(speeds) - 1)].value
        for place, seconds in enumerate(visit.shared_s)
    )


def fit_handling(
    category: str,
    channel: str,
    visits: Sequence[Visit],
    speeds: tuple[Figure, ...],
    short_below_s: float = SHORT_S,
) -> HandlingFit:
    """Fit the laws of work, wrap-up and first reply of one source."""
    ended: list[float] = []
    still_open: list[float] = []
    wrap_up: list[float] = []
    wrap_up_open: list[float] = []
    replied: list[float] = []
    unanswered: list[float] = []
    for visit in visits:
        work = work_of(visit, speeds)
        if work is not None:
            (still_open if visit.handle_open else ended).append(work)
        if visit.wrap_up_s is not None:
            (wrap_up_open if visit.wrap_up_open else wrap_up).append(visit.wrap_up_s)
        if visit.reply_s is not None:
            # A reply that came with the end would have come later still.
            at_end = visit.handle_s is not None and visit.reply_s >= visit.handle_s - 0.001
            (unanswered if at_end else replied).append(visit.reply_s)
    return HandlingFit(
        category=category,
        channel=channel,
        handle=fit_durations(np.array(ended), np.array(still_open), short_below_s=short_below_s),
        wrap_up=(
            fit_durations(np.array(wrap_up), np.array(wrap_up_open), short_below_s=0.0)
            if wrap_up
            else None
        ),
        reply=(
            fit_durations(np.array(replied), np.array(unanswered), short_below_s=0.0)
            if replied
            else None
        ),
    )


def fit_paces(
    visits: Sequence[Visit], speeds: dict[str, tuple[Figure, ...]], short_below_s: float = SHORT_S
) -> PaceFit | None:
    """Fit how agents differ within sources: one random effect an agent on log work."""
    rows: dict[str, list[tuple[tuple[str, str], float]]] = {}
    sources: dict[tuple[str, str], list[float]] = {}
    for visit in visits:
        work = work_of(visit, speeds.get(visit.channel, (Figure(1.0),)))
        if not visit.agent or work is None or visit.handle_open or work < max(short_below_s, 1e-3):
            continue
        source = (visit.category, visit.channel)
        rows.setdefault(visit.agent, []).append((source, work))
        sources.setdefault(source, []).append(math.log(work))
    centers = {source: sum(logs) / len(logs) for source, logs in sources.items()}
    kept = {agent: found for agent, found in sorted(rows.items()) if len(found) >= _CONTACTS_MIN}
    if len(kept) < 3:
        return None
    logs = [np.array([math.log(w) - centers[s] for s, w in found]) for found in kept.values()]
    sizes = np.array([len(part) for part in logs], dtype=np.float64)
    means = np.array([part.mean() for part in logs])
    within = sum(float(((part - part.mean()) ** 2).sum()) for part in logs) / (
        sizes.sum() - len(logs)
    )
    grand = float((sizes * means).sum() / sizes.sum())
    between = float((sizes * (means - grand) ** 2).sum()) / (len(logs) - 1)
    typical = (sizes.sum() - (sizes**2).sum() / sizes.sum()) / (len(logs) - 1)
    variance = max(0.0, (between - within) / typical)
    # Var of the between mean square: 2 (within + n variance)^2 / (agents - 1)
    error = math.sqrt(2 / (len(logs) - 1)) * between / typical
    spread = math.sqrt(variance)
    return PaceFit(
        spread=Figure(spread, error / (2 * spread) if spread > 0 else math.sqrt(error)),
        agents=tuple(
            AgentPace(
                agent=agent,
                contacts=len(found),
                mean_s=mean_of(np.array([work for _, work in found])),
                factor=math.exp(
                    (mean - grand) * variance / (variance + within / size) if variance else 0.0
                ),
            )
            for (agent, found), mean, size in zip(kept.items(), means, sizes, strict=True)
        ),
    )
