"""Say what a plan of the surrogate is worth with the live core, and confirm it on fresh days.

Two levels (Giles, Acta Numerica 24, 2015): many surrogate days give a mean, few days of the live
core, paired with surrogates of the same days, what it differs by. No figure leans on the surrogate
being right: it is a control variate whose own error is counted.

A plan is confirmed when every need passes its test on fresh days. A plan that misses a need would
have to pass that need's test, so the needs share no risk (intersection-union tests, Berger,
Technometrics 24, 1982). Tests share it: a try takes half of the risk that is left, its looks an
equal part each, and a try meets days that no search has seen. So an answer misses a target with at
most the probability that was allowed, whatever was tried before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from simulation.plan.replications import Study
from simulation.staffing.needs import Need, controls_of
from simulation.staffing.plays import Plays
from simulation.staffing.spaces import Plan
from simulation.staffing.trials import Margin, Twin, margin

_FRESH_FROM: Final = 100_000
_BLOCK: Final = 10_000
_QUICK_PER_DAY: Final = 8
_QUICK_LEAST: Final = 200
_LOOKS: Final = (4, 2, 1)  # the days of a look: those of the last one by this number
_LEAST: Final = 12
_SHORT_BY: Final = 1.0  # in standard errors: so far behind, a look ends the try
_RATIO_MAX: Final = 5.0
_LEAST_MISSED: Final = 0.02
_ALLOWANCE: Final = 2.0  # standard errors, of the confirmation: about what its test asks


@dataclass(frozen=True)
class Try:
    """A plan on fresh days: what it has to spare, and whether all needs passed at `level`."""

    plan: Plan
    study: Study
    margins: tuple[Margin, ...]
    level: float
    passed: bool


def lacking(
    margins: Sequence[Margin], days: int, extra: Sequence[float], confirm_days: int
) -> list[float]:
    """Return what the live days of a plan lack, by need, of what a confirmation will want.

    `extra`: what earlier confirmations lacked, on top of what their test asks beyond the mean.
    """
    share = (days / max(confirm_days, days)) ** 0.5
    return [
        more + _ALLOWANCE * one.error * share - one.mean
        for more, one in zip(extra, margins, strict=True)
    ]


def asked_of(need: Need, live: float, quick: float, wanted: float) -> float:
    """Return what a surrogate must have to spare, so that the live core has `wanted`.

    What both miss is taken to be in proportion: both miss nothing with agents without end.
    """
    allowed = need.share if need.lost else 1 - need.share
    least = _LEAST_MISSED * allowed
    ratio = max(allowed - live, least) / max(allowed - quick, least)
    ratio = min(max(ratio, 1 / _RATIO_MAX), _RATIO_MAX)
    return allowed - max(allowed - wanted, least) / ratio


class Bench:
    """Play plans both ways, and keep account of the risk that is left."""

    def __init__(self, needs: Sequence[Need], live: Plays, quick: Plays, confidence: float) -> None:
        self.needs = tuple(needs)
        self.live = live
        self.quick = quick
        self.risk_left = 1 - confidence
        self.tries = 0

    def margins(self, plan: Plan, days: int, first: int = 0) -> tuple[Study, tuple[Margin, ...]]:
        """Return days of the live core, and what the plan has to spare by both levels."""
        many = max(_QUICK_LEAST, _QUICK_PER_DAY * days)
        study = self.live.study(plan, days, first=first)
        pairs = self.quick.study(plan, days, first=first)
        wide = self.quick.study(plan, many, first=first)
        answer = []
        for need in self.needs:
            base = margin(need.surplus(wide), controls_of(wide, need))
            twin = Twin(need.surplus(pairs) - base.mean, base.error, base.freedom)
            answer.append(margin(need.surplus(study), controls_of(study, need), twin))
        return study, tuple(answer)

    def seen_quickly(self, plan: Plan, days: int) -> tuple[float, ...]:
        """Return what a plan has to spare as a surrogate, on the days that `margins` plays."""
        wide = self.quick.study(plan, max(_QUICK_LEAST, _QUICK_PER_DAY * days))
        return tuple(
            margin(need.surplus(wide), controls_of(wide, need)).mean for need in self.needs
        )

    def confirm(self, plan: Plan, days: int) -> Try:
        """Try a plan on fresh days, at most so many."""
        first = _FRESH_FROM + self.tries * _BLOCK
        self.tries += 1
        self.risk_left /= 2
        level = 1 - self.risk_left / len(_LOOKS)
        for part in _LOOKS:
            count = max(_LEAST, days // part)
            study, margins = self.margins(plan, count, first)
            found = Try(plan, study, margins, level, all(one.low(level) >= 0 for one in margins))
            lost = any(one.mean < -_SHORT_BY * one.error for one in margins)
            if found.passed or lost or count >= days:
                return found
        raise AssertionError("the last look has all days")
