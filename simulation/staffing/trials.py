"""Play plans on the same days, and say with stated confidence which needs they meet.

All plans meet the same customers and the same sick notes (common random numbers). A verdict is
sequential: the sum of a need's surplus over the days is compared with a triangle that closes as
days pass, +-(h^2 S^2 / (2 delta) - delta r / 2), as Kim & Nelson (ACM TOMACS 11, 2001) do for
differences and Batur & Kim (ACM TOMACS 20, 2010) for constraints; a surplus within `delta` of 0
counts as either. Plans that are clearly short leave after six days (paired t).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import special

from simulation.plan.estimates import Floats
from simulation.plan.replications import Study
from simulation.staffing.needs import Need, controls_of
from simulation.staffing.plays import Plays
from simulation.staffing.spaces import Plan, Space

_CLEARLY: Final = 4.0
_FAR: Final = 10.0  # in tolerances
_SURELY: Final = 2.5
_SPARE_FREEDOM: Final = 8
_LEAST_MISSED: Final = 0.01  # nobody is perfect: an interval always has this share to lose


@dataclass(frozen=True)
class Margin:
    """What a plan has to spare of a need: mean, standard error, degrees of freedom."""

    mean: float
    error: float
    freedom: int

    def low(self, confidence: float) -> float:
        """Return the lower bound that holds with this confidence."""
        return self.mean - float(special.stdtrit(self.freedom, confidence)) * self.error


@dataclass(frozen=True)
class Verdict:
    """A plan that was played: what it has to spare, and whether that is enough."""

    plan: Plan
    margins: tuple[Margin, ...]
    meets: bool
    days: int


@dataclass(frozen=True)
class Pace:
    """Say how many days are played: at a glance, at first, and how often a verdict may be wrong."""

    glance: int = 6
    days: int = 20
    risk: float = 0.1


@dataclass(frozen=True)
class Twin:
    """The same days played in another way: what each had to spare beyond a mean that is known.

    `error`: the standard error of that mean, `freedom` its degrees of freedom.
    """

    beyond: Floats
    error: float
    freedom: int


def margin(surplus: Floats, controls: Floats, twin: Twin | None = None) -> Margin:
    """Return the mean surplus with what its controls explain taken out, a twin's days first."""
    days = len(surplus)
    if twin is not None:
        both = np.column_stack((twin.beyond, controls))
        controls = both if days - 1 - both.shape[1] >= _SPARE_FREEDOM else both[:, :1]
    centered = surplus - surplus.mean()
    mean, spread, freedom, borrowed = (
        float(surplus.mean()),
        float(centered @ centered),
        days - 1,
        0.0,
    )
    if days - 1 - controls.shape[1] >= _SPARE_FREEDOM:
        within = controls - controls.mean(axis=0)
        slopes, _, rank, _ = np.linalg.lstsq(within, centered, rcond=1e-9)
        left = centered - within @ slopes
        freedom -= int(rank)
        mean -= float(slopes @ controls.mean(axis=0))
        spread = float(left @ left)
        borrowed = 0.0 if twin is None else (float(slopes[0]) * twin.error) ** 2
    freedom = max(freedom, 1)
    own = spread / freedom / days
    if twin is not None and own + borrowed > 0:
        # Welch and Satterthwaite's freedom of a sum of two estimated variances.
        parts = own**2 / freedom + borrowed**2 / twin.freedom
        freedom = max(1, int((own + borrowed) ** 2 / parts)) if parts > 0 else freedom
    return Margin(mean, math.sqrt(own + borrowed), freedom)


def tolerance(need: Need) -> float:
    """Return the surplus that is as good as none: a twentieth of the smaller share."""
    return 0.05 * max(min(need.share, 1 - need.share), 0.002)


class Trials:
    """Judge the plans of a space by days that are played in one of two ways."""

    def __init__(
        self, space: Space, needs: Sequence[Need], plays: Plays, pace: Pace = Pace()
    ) -> None:
        self.space = space
        self.needs = tuple(needs)
        self.plays = plays
        self.pace = pace
        self._slopes: list[tuple[Plan, Floats]] = []

    def margins(self, study: Study, asked: Sequence[float] = ()) -> tuple[Margin, ...]:
        """Return what a study has to spare of each need, beyond what is asked of it."""
        answer = []
        for index, need in enumerate(self.needs):
            surplus = need.surplus(study) - (asked[index] if asked else 0.0)
            answer.append(margin(surplus, controls_of(study, need)))
        return tuple(answer)

    def judge(self, plan: Plan, asked: Sequence[float] = ()) -> Verdict:
        """Say whether a plan meets all needs; wrong with at most `pace.risk`, within tolerance."""
        pace = self.pace
        found = self.margins(self.plays.study(plan, pace.glance), asked)
        if any(_clearly_short(need, one) for need, one in zip(self.needs, found, strict=True)):
            return Verdict(plan, found, meets=False, days=pace.glance)
        days, most = pace.days, 5 * pace.days
        share = pace.risk / max(len(self.needs), 1)
        while True:
            found = self.margins(self.plays.study(plan, days), asked)
            open_ = False
            for need, one in zip(self.needs, found, strict=True):
                state = _triangle(one, days, share, tolerance(need))
                if state < 0:
                    return Verdict(plan, found, meets=False, days=days)
                open_ |= state == 0
            if not open_ or days >= most:
                meets = all(one.mean >= 0 for one in found)
                return Verdict(plan, found, meets=meets, days=days)
            days = min(most, days + max(pace.days // 2, 2))

    def slopes_near(self, plan: Plan, within: float) -> Floats:
        """Return the slopes of the last plan whose groups cost nearly the same, else its own.

        `within`: the share of the cost by which they may differ, all groups' differences together;
        0: each plan has its own. Plans of one cost whose groups differ have other slopes.
        """
        space = self.space
        cost = space.cost_of(plan)
        for other, known in reversed(self._slopes):
            apart = np.abs(space.cost_by_group(plan) - space.cost_by_group(other)).sum()
            if within > 0 and apart <= within * cost:
                return known
        slopes = self.slopes(plan)
        self._slopes.append((plan, slopes))
        return slopes

    def slopes(self, plan: Plan) -> Floats:
        """Return what one agent more of a choice brings, `[need, choice, interval]`.

        One pair of runs a group: an agent is added all day on the same days. What he brings is
        credited to intervals: half as the gain was seen there (smoothed), half as contacts were
        missed there. A standard error is added: a cut rather asks too little than too much.
        """
        space = self.space
        base = self.plays.study(plan, self.pace.glance)
        groups, count = len(space.groups), space.cover.shape[1]
        gains = np.zeros((len(self.needs), groups))
        seen = np.full((len(self.needs), count), 1e-9)
        for group, name in enumerate(space.groups):
            other = self.plays.study(plan, self.pace.glance, more=name)
            for index, need in enumerate(self.needs):
                pairs = need.surplus(other) - need.surplus(base)
                error = float(pairs.std(ddof=1)) / math.sqrt(len(pairs))
                gains[index, group] = max(float(pairs.mean()) + error, 0.0)
                by_interval = need.surplus_by_interval(other) - need.surplus_by_interval(base)
                seen[index] += np.clip(_smooth(by_interval), 0.0, None)
        missed = self.missed(plan)
        shapes = seen / seen.sum(axis=1, keepdims=True) + missed / missed.sum(axis=1, keepdims=True)
        owners = np.array(space.group)
        brings = gains[:, owners] * space.present[owners] / 2
        return np.asarray(brings[:, :, None] * space.cover[None] * shapes[:, None, :])

    def missed(self, plan: Plan) -> Floats:
        """Return what a plan lacks of perfection, `[need, interval]`, in shares of the arrivals."""
        study = self.plays.study(plan, self.pace.glance)
        answer = np.zeros((len(self.needs), study.intervals))
        for index, need in enumerate(self.needs):
            expected = study.expected[list(need.demands)].sum(axis=0)
            for interval in need.intervals:
                part, whole = replace(need, intervals=(interval,)).counts(study)
                lost = part if need.lost else whole - part
                least = _LEAST_MISSED * float(expected[interval])
                answer[index, interval] = max(float(lost.mean()), least) / need.scale(study)
        return np.maximum(answer, 1e-9)


def _clearly_short(need: Need, one: Margin) -> bool:
    """Say whether a glance is enough: far behind, or behind by far more than noise."""
    far = one.mean < -_FAR * tolerance(need) and one.mean < -_SURELY * one.error
    return far or one.mean < -_CLEARLY * max(one.error, 1e-9)


def _smooth(values: Floats) -> Floats:
    """Return each value with half of its neighbours; the sum stays."""
    if len(values) < 3:
        return values
    padded = np.concatenate((values[:1], values, values[-1:]))
    return np.asarray(padded[:-2] / 4 + padded[1:-1] / 2 + padded[2:] / 4)


def _triangle(found: Margin, days: int, risk: float, delta: float) -> int:
    """Return 1 when a surplus is shown, -1 when a want is, 0 while the triangle is open."""
    if found.error <= 0:
        return 1 if found.mean >= 0 else -1
    reach = 0.5 * ((2 * risk) ** (-2 / found.freedom) - 1)
    spread = found.error**2 * days
    bound = 2 * reach * found.freedom * spread / (2 * delta) - delta * days / 2
    total = found.mean * days
    if total > max(bound, 0.0):
        return 1
    return -1 if total < -max(bound, 0.0) else int(bound <= 0) * (1 if total >= 0 else -1)
