"""Find the cheapest plan that meets every need: cuts by simulation, then fresh days.

Start from the plan in which every line has agents of its own; with few choices, from the cheapest
that pooled lines would need. Play it; while it falls short, one agent
more in each group is played on the same days, and what they bring becomes a cut: the next plan is
the cheapest that obeys all cuts. The first plan that holds costs least among those that the cuts
allow; cuts from afar are then forgotten, and cheaper plans are tried against those of its
neighbourhood. The cheapest few that held are confirmed on fresh days in the order of their cost:
planned cost is known without error, so selecting the best is a matter of feasibility (Andradottir &
Kim, Naval Research Logistics 57, 2010). If none is confirmed, as much more is asked as was lacking.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np

from simulation.plan.estimates import Floats
from simulation.plan.replications import Study
from simulation.staffing.master import Cut, Master
from simulation.staffing.spaces import Plan, unserved
from simulation.staffing.trials import FRESH_FROM, Margin, Trials, Verdict, tolerance

CANDIDATES: Final = 5
_ATTEMPTS: Final = 4
_NEAR: Final = 8.0  # in tolerances: a cut from farther away is forgotten once a plan holds
_FEW: Final = 6  # so few choices are searched from below, each with slopes of its own
_HOPELESS: Final = 2.0
_SAME_SLOPES: Final = 0.06  # share of the cost by which plans may differ and share their slopes

Tell: TypeAlias = Callable[[str], None]


class UnreachableError(ValueError):
    """No plan meets what is asked; says why, and what to do."""


@dataclass(frozen=True)
class Effort:
    """Say how much is played: days a plan, fresh days of a confirmation, plans tried."""

    days: int = 20
    confirm_days: int = 60
    rounds: int = 14
    confidence: float = 0.9


@dataclass(frozen=True)
class Found:
    """The plan that was chosen, on what grounds.

    `margins` and `study` are those of the fresh days. `bound` is the least cost by formula,
    `upper` that of lines with agents of their own; `tried` in the order in which plans were played.
    """

    plan: Plan
    margins: tuple[Margin, ...]
    study: Study
    confirmed: bool
    bound: float
    upper: float | None
    tried: tuple[Verdict, ...]
    others: tuple[Plan, ...]
    played: int


@dataclass
class _Hunt:
    """What is known on the way."""

    trials: Trials
    master: Master
    effort: Effort
    tell: Tell
    asked: list[float]
    ceiling: float
    cuts: list[Cut] = field(default_factory=list)
    tried: list[Verdict] = field(default_factory=list)
    held: dict[Plan, Verdict] = field(default_factory=dict)
    anchors: list[tuple[Plan, Floats]] = field(default_factory=list)

    def cost(self, plan: Plan) -> float:
        return self.master.space.cost_of(plan)


def search(trials: Trials, master: Master, effort: Effort, tell: Tell) -> Found:
    """Return the cheapest plan that meets all needs; raises `UnreachableError`."""
    alone = unserved(master.space)
    if alone:
        names = ", ".join(f"{line.queue} ({line.channel})" for line in alone)
        raise UnreachableError(
            f"no group serves {names}; teach a group its skills, or open its team"
        )
    first = master.lower()
    if first is None:
        missed = master.out_of_reach()
        what = "; ".join(missed) if missed else "all together, though each alone could be kept"
        raise UnreachableError(
            f"not with the agents there are, by formula: {what}; allow more heads, longer shifts "
            "or a lower target"
        )
    bound = first[1]
    upper = master.upper()
    ceiling = bound if upper is None else max(bound, master.space.cost_of(upper))
    hunt = _Hunt(trials, master, effort, tell, [0.0] * len(master.needs), ceiling)
    best = first[0]
    if upper is not None and len(upper) > _FEW:
        _try(hunt, upper)
    for _ in range(_ATTEMPTS):
        best = _descend(hunt)
        ranked = sorted(hunt.held, key=hunt.cost)[:CANDIDATES]
        for plan in ranked:
            study, margins = _confirm(hunt, plan)
            level = 1 - (1 - effort.confidence) / (CANDIDATES * len(margins))
            lacking = [-one.low(level) for one in margins]
            if max(lacking) <= 0:
                return _found(hunt, plan, margins, study, bound, upper, confirmed=True)
            if plan == best:
                _ask_more(hunt, lacking, margins)
        tell("not confirmed on fresh days; asking for more")
    plan = min(hunt.held, key=hunt.cost) if hunt.held else best
    study, margins = _confirm(hunt, plan)
    return _found(hunt, plan, margins, study, bound, upper, confirmed=False)


def _found(
    hunt: _Hunt,
    plan: Plan,
    margins: tuple[Margin, ...],
    study: Study,
    bound: float,
    upper: Plan | None,
    *,
    confirmed: bool,
) -> Found:
    others = sorted({verdict.plan for verdict in hunt.tried} - {plan}, key=hunt.cost)
    return Found(
        plan=plan,
        margins=margins,
        study=study,
        confirmed=confirmed,
        bound=bound,
        upper=None if upper is None else hunt.cost(upper),
        tried=tuple(hunt.tried),
        others=tuple(others),
        played=hunt.trials.played,
    )


def _confirm(hunt: _Hunt, plan: Plan) -> tuple[Study, tuple[Margin, ...]]:
    study = hunt.trials.study(plan, hunt.effort.confirm_days, first=FRESH_FROM)
    return study, hunt.trials.margins(study, ())


def _ask_more(hunt: _Hunt, lacking: list[float], margins: tuple[Margin, ...]) -> None:
    """Ask for what was lacking, of the needs that lacked it; what held before must hold again."""
    for index, (missing, one) in enumerate(zip(lacking, margins, strict=True)):
        if missing > 0:
            hunt.asked[index] += max(missing, one.error)
    hunt.held = {}


def _descend(hunt: _Hunt) -> Plan:
    """Return the cheapest plan that holds, or the last one tried within the rounds."""
    best = min(hunt.held, key=hunt.cost, default=None)
    plan: Plan | None = None
    for _ in range(hunt.effort.rounds):
        most = np.inf if best is None else hunt.cost(best) * (1 - 1e-3)
        found = hunt.master.lower(hunt.cuts, most, hunt.asked)
        if found is None:
            if best is None:
                raise UnreachableError(_why(hunt, plan))
            return best
        plan = found[0]
        if _try(hunt, plan):
            best = plan
    if best is None:
        assert plan is not None, "there is at least one round"
        best = plan
    return best


def _try(hunt: _Hunt, plan: Plan) -> bool:
    """Play a plan, learn its cuts, and say whether it holds."""
    verdict = hunt.trials.judge(plan, hunt.asked)
    hunt.tried.append(verdict)
    _tell(hunt, verdict)
    cuts = _cuts(hunt, verdict, _slopes(hunt, verdict))
    if verdict.meets:
        hunt.held[plan] = verdict
        hunt.cuts = [cut for cut in hunt.cuts if _is_near(hunt, cut)]
    hunt.cuts += cuts
    return verdict.meets


def _is_near(hunt: _Hunt, cut: Cut) -> bool:
    return abs(cut.surplus) <= _NEAR * tolerance(hunt.master.needs[cut.need])


def _slopes(hunt: _Hunt, verdict: Verdict) -> Floats:
    """Return what one agent more brings, from the nearest plan where that is known."""
    cost = hunt.cost(verdict.plan)
    for plan, slopes in reversed(hunt.anchors):
        if abs(hunt.cost(plan) - cost) <= _SAME_SLOPES * cost and len(plan) > _FEW:
            return slopes
    slopes = hunt.trials.slopes(verdict.plan)
    hunt.anchors.append((verdict.plan, slopes))
    return slopes


def _cuts(hunt: _Hunt, verdict: Verdict, slopes: Floats) -> list[Cut]:
    """Return the cuts of a plan that was played: rather too weak than too strong."""
    cuts = []
    missed = hunt.trials.missed(verdict.plan)
    for index, one in enumerate(verdict.margins):
        need = hunt.master.needs[index]
        # Margins are beyond what was asked then; a cut holds whatever is asked.
        mean = one.mean + hunt.asked[index]
        surplus = mean + one.error
        if one.mean < 0 and not verdict.meets:
            surplus = min(surplus, hunt.asked[index] - 0.1 * tolerance(need))
        if one.mean < 0 and not slopes[index].any():
            slopes = _nominal(hunt, verdict, index, slopes)
        cuts.append(Cut(index, surplus, verdict.plan, slopes[index], missed[index]))
    return cuts


def _nominal(hunt: _Hunt, verdict: Verdict, index: int, slopes: Floats) -> Floats:
    """Return slopes where one agent more shows nothing: a line far behind needs many.

    A per cent more agents is taken for a per cent of what is missed. Raises `UnreachableError`
    where twice the agents that lines of their own would need have not helped.
    """
    space, need = hunt.master.space, hunt.master.needs[index]
    serving = np.array([space.serves[group][need.line] for group in space.group])
    have = np.where(serving, np.array(verdict.plan, dtype=float), 0.0) @ space.cover
    if hunt.cost(verdict.plan) > _HOPELESS * max(hunt.ceiling, 1e-9):
        level = need.level(hunt.trials.study(verdict.plan, verdict.days))
        raise UnreachableError(
            f"{need.name}: {level:.1%} ({need.measure.replace('_', ' ')}) where {need.share:.1%} "
            "is asked, and more agents no longer help; look at what is not staff: reaction times, "
            "declined offers, limits, closing, routing"
        )
    missed = hunt.trials.missed(verdict.plan)[index]
    changed = slopes.copy()
    changed[index] = serving[:, None] * space.cover * (missed / np.maximum(have, 1.0))[None, :]
    return changed


def _why(hunt: _Hunt, plan: Plan | None) -> str:
    if plan is None:
        return "no plan fits; allow more heads or a lower target"
    verdict = hunt.tried[-1]
    worst = min(range(len(verdict.margins)), key=lambda index: verdict.margins[index].mean)
    need = hunt.master.needs[worst]
    level = need.level(hunt.trials.study(plan, verdict.days))
    return (
        f"not with the agents there are: {need.name} reaches {level:.1%} where "
        f"{need.share:.1%} is asked; allow more heads, longer shifts or a lower target"
    )


def _tell(hunt: _Hunt, verdict: Verdict) -> None:
    worst = min(range(len(verdict.margins)), key=lambda index: verdict.margins[index].mean)
    name = hunt.master.needs[worst].name
    spare = 100 * verdict.margins[worst].mean
    word = "holds" if verdict.meets else "falls short"
    hunt.tell(
        f"plan {len(hunt.tried)}: cost {hunt.cost(verdict.plan):,.1f} {word}; least to spare "
        f"{spare:+.2f} points, {name} ({verdict.days} days)"
    )
