"""Estimate how agents answer offers, and how they keep their shifts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from simulation.fit.durations import DurationFit, fit_durations
from simulation.fit.figures import Figure, share_of
from simulation.fit.history import OfferCounts, Presence, Shift


@dataclass(frozen=True, kw_only=True)
class AcceptanceFit:
    """How offers of a channel were answered, withdrawn ones apart."""

    channel: str
    offers: int
    accepted: Figure
    declined: Figure
    ignored: Figure
    reaction: DurationFit


@dataclass(frozen=True, kw_only=True)
class AttendanceFit:
    """How shifts were kept.

    `absence`: the share of shifts of which nothing was worked. `adherence`: of the others, the
    share of the time beside breaks in which the agent took work.
    """

    shifts: int
    absence: Figure
    adherence: Figure


def fit_acceptance(counts: OfferCounts) -> AcceptanceFit:
    """Fit shares of accepted, declined and ignored offers, and the time to accept."""
    answered = counts.accepted + counts.declined + counts.expired
    return AcceptanceFit(
        channel=counts.channel,
        offers=answered,
        accepted=share_of(counts.accepted, answered),
        declined=share_of(counts.declined, answered),
        ignored=share_of(counts.expired, answered),
        reaction=fit_durations(counts.reaction_s, short_below_s=0.0),
    )


def fit_attendance(
    shifts: Sequence[Shift], presences: Iterable[Presence], from_ms: int, to_ms: int
) -> AttendanceFit | None:
    """Compare the shifts that lie in the record with who was there; None without any."""
    there = {presence.agent: presence.working_ms for presence in presences}
    judged = [shift for shift in shifts if shift.start_ms >= from_ms and shift.end_ms <= to_ms]
    if not judged:
        return None
    worked, planned = [], []
    absent = 0
    for shift in judged:
        wanted = [(shift.start_ms, shift.end_ms)]
        for rest in shift.breaks_ms:
            wanted = [part for span in wanted for part in _without(span, rest)]
        spans = there.get(shift.agent, ())
        done = sum(_common(span, part) for span in spans for part in wanted)
        if done == 0:
            absent += 1
            continue
        worked.append(done)
        planned.append(sum(end - start for start, end in wanted))
    return AttendanceFit(
        shifts=len(judged),
        absence=share_of(absent, len(judged)),
        adherence=_ratio(worked, planned),
    )


def _without(span: tuple[int, int], rest: tuple[int, int]) -> list[tuple[int, int]]:
    start, end = span
    parts = [(start, min(end, rest[0])), (max(start, rest[1]), end)]
    return [(low, high) for low, high in parts if low < high]


def _common(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def _ratio(parts: list[int], wholes: list[int]) -> Figure:
    """Return a ratio of sums with the delta method's error."""
    if not wholes:
        return Figure(math.nan)
    part, whole = np.array(parts, dtype=np.float64), np.array(wholes, dtype=np.float64)
    value = float(part.sum() / whole.sum())
    if len(part) < 2:
        return Figure(value)
    residual = (part - value * whole) / whole.mean()
    return Figure(value, float(residual.std(ddof=1)) / math.sqrt(len(part)))
