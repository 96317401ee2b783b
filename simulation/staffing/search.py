"""Find the cheapest plan that meets every need: look with surrogates, judge by the live core.

Start from the plan in which every line has agents of its own; with few choices, from the cheapest
that pooled lines would need. Play surrogate days of it; while it falls short, one agent more in
each group is played on the same days, and what they bring becomes a cut: the next plan is the
cheapest that obeys all cuts. Once a plan holds, cheaper ones are tried against the cuts near it. It
is evened out over the day (`evening`), and stepped from choice by choice (`polish`).

What this finds is played with the live core. What surrogates flatter it by is asked on top, what
they deny it is waived, until the answer stays (Avramidis, Chan & L'Ecuyer, IIE Transactions 41,
2009, correct an approximation so); with not too many choices a plan that then falls short is mended
by steps. The cheapest that held is confirmed on fresh days.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulation.phrases import Phrase
from simulation.plan.estimates import Floats
from simulation.plan.replications import Study
from simulation.staffing.confirming import Bench, Try, asked_of, lacking
from simulation.staffing.deadline import Deadline, NothingFoundError, TimeUpError
from simulation.staffing.evening import even_out
from simulation.staffing.hunt import Effort, Hunt, Tell
from simulation.staffing.master import Cut, Master
from simulation.staffing.plays import Plays
from simulation.staffing.polish import mend, polish
from simulation.staffing.spaces import Plan, unserved
from simulation.staffing.trials import Margin, Pace, Trials, Verdict, tolerance

_CORRECTIONS: Final = 16
_FAR_SHORT: Final = 4.0
_AFAR: Final = 3.0  # in tolerances
_MORE: Final = 1.15  # times the agents of a plan, where cuts leave no plan
_FIRST_DAYS: Final = 12
_OTHERS_FROM: Final = 50_000  # days that no search looks at, short of those of a confirmation
_STEP_DAYS: Final = 20
_STEPPED: Final = 60  # so many choices at most are tried one by one
_NEAR: Final = 8.0  # in tolerances: a cut from farther away is forgotten once a plan holds,
_NEAR_OF_MANY: Final = 24.0  # where many choices make each way back long
_FEW: Final = 6  # so few choices are searched from below, each with slopes of its own
_WORTH: Final = 0.01  # of the cost: what a large plan must save to be played with the live core
_LITTLE: Final = 1e-3  # and one whose choices are stepped one by one
_SEEN_FAR: Final = 3  # so few choices are looked at farther around the best plan
_UNTRIED_MAX: Final = 60
_HOPELESS: Final = 2.0
_SAME_SLOPES: Final = 0.06  # share of the cost by which plans may differ and share their slopes
_QUICK: Final = Pace(glance=20, days=60, risk=0.02)  # of few choices, each must be right
_QUICK_OF_MANY: Final = Pace(glance=20, days=40, risk=0.1)


class UnreachableError(ValueError):
    """No plan meets what is asked; says why, and what to do."""


@dataclass(frozen=True)
class Found:
    """The plan that was chosen, on what grounds.

    `margins` and `study` are those of the fresh days, `level` the confidence of each need's test.
    `bound` is the least cost by formula, `upper` that of lines with agents of their own; `tried` in
    the order in which plans were played; `played` days of the live core, `quick` surrogates.
    `cut_short`: the time was up before the search was done; `stopped`: since somebody said so.
    """

    plan: Plan
    margins: tuple[Margin, ...]
    study: Study
    level: float
    confirmed: bool
    bound: float
    upper: float | None
    tried: tuple[Verdict, ...]
    others: tuple[Plan, ...]
    played: int
    quick: int
    cut_short: bool
    stopped: bool


def search(
    live: Plays,
    quick: Plays,
    master: Master,
    effort: Effort,
    tell: Tell,
    deadline: Deadline,
) -> Found:
    """Return the cheapest plan that meets all needs, of those found when the time is up.

    `live` and `quick` ask `deadline`. Raises `UnreachableError`, and `NothingFoundError` when it
    was stopped before a plan held.
    """
    if alone := unserved(master.space):
        names = ", ".join(line.name for line in alone)
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
    upper = master.upper()
    start = first[0] if upper is None else upper
    hunt = Hunt(
        trials=Trials(
            master.space, master.needs, quick, _QUICK if len(start) <= _FEW else _QUICK_OF_MANY
        ),
        master=master,
        effort=effort,
        bench=Bench(master.needs, live, quick, effort.confidence),
        tell=tell,
        asked=[0.0] * len(master.needs),
        ceiling=max(first[1], master.space.cost_of(start)),
        bound=first[1],
        deadline=deadline,
        extra=[0.0] * len(master.needs),
    )
    cut_short = False
    try:
        _correct(hunt, start, min(_FIRST_DAYS, effort.days))
        if len(start) > _FEW:
            _try(hunt, start)
        tried = _answer(hunt)
    except TimeUpError:
        cut_short = True
        with deadline.lifted():
            tried = _conclude(hunt, start)
    others = sorted({verdict.plan for verdict in hunt.tried} - {tried.plan}, key=hunt.cost)
    return Found(
        plan=tried.plan,
        margins=tried.margins,
        study=tried.study,
        level=tried.level,
        confirmed=tried.passed,
        bound=first[1],
        upper=None if upper is None else hunt.cost(upper),
        tried=tuple({**{one.plan: one for one in hunt.tried}, **hunt.live}.values()),
        others=tuple(others),
        played=live.played,
        quick=quick.played,
        cut_short=cut_short,
        stopped=cut_short and deadline.stopped,
    )


def _answer(hunt: Hunt) -> Try:
    """Correct and confirm until a plan is confirmed, or corrections are spent."""
    for _ in range(_CORRECTIONS):
        enough = [plan for plan in hunt.known() if max(hunt.lacked(hunt.live[plan])) <= 0]
        best = min(enough, key=hunt.cost, default=None)
        plan = _cheapest(hunt, best)
        if plan is None:
            assert best is not None, "without a best one any plan will do"
            found = _confirm(hunt, best)
            if found.passed:
                return found
            hunt.tell(Phrase("not confirmed on fresh days; asking for more"))
            hunt.ask_more([max(-one.low(found.level), 0.0) for one in found.margins])
        elif plan in hunt.live:
            little = [0.5 * tolerance(need) for need in hunt.master.needs]
            hunt.ask_more(little if plan in hunt.failed else hunt.lacked(hunt.live[plan]))
        else:
            _correct(hunt, plan, hunt.effort.days)
    known = hunt.known()
    return _confirm(hunt, min(known, key=hunt.cost)) if known else _nearest(hunt)


def _conclude(hunt: Hunt, start: Plan) -> Try:
    """Confirm the best plan there is, now that the time is up; raises `NothingFoundError`."""
    if not hunt.live:
        if hunt.deadline.stopped:
            raise NothingFoundError("no plan was played with the live core yet")
        _correct(hunt, start, min(_FIRST_DAYS, hunt.effort.days))
    hunt.renew()
    most = min(map(hunt.cost, hunt.known()), default=np.inf)
    held = [plan for plan in hunt.held if plan not in hunt.live and hunt.cost(plan) < most]
    if held:
        _correct(hunt, min(held, key=hunt.cost), hunt.effort.days)
    for plan in sorted(hunt.known(), key=hunt.cost):
        found = _confirm(hunt, plan)
        if found.passed:
            return found
    if hunt.deadline.stopped and not hunt.failed:
        raise NothingFoundError("no plan that was tried keeps all targets")
    return _nearest(hunt)


def _confirm(hunt: Hunt, plan: Plan) -> Try:
    """Try a plan on fresh days, to the end of it."""
    hunt.tell(Phrase("confirming cost {cost:,.1f} on fresh days", cost=hunt.cost(plan)))
    with hunt.deadline.lifted():
        found = hunt.bench.confirm(plan, hunt.effort.confirm_days)
    if not found.passed:
        hunt.failed[plan] = found
    return found


def _nearest(hunt: Hunt) -> Try:
    """Return the plan that lacks least, where none is confirmed."""
    if hunt.failed:
        return max(hunt.failed.values(), key=lambda one: min(part.mean for part in one.margins))
    nearest = max(hunt.live.values(), key=lambda one: min(part.mean for part in one.margins))
    return _confirm(hunt, nearest.plan)


def _cheapest(hunt: Hunt, best: Plan | None) -> Plan | None:
    """Return the cheapest plan that holds as a surrogate, if it is cheaper than the best known."""
    most = np.inf if best is None else hunt.cost(best)
    plan = _mended(hunt, most) or _descend(hunt, most)
    if plan is None or hunt.cost(plan) >= most - 1e-9:
        return None if best is None else _untried(hunt, best)
    if plan in hunt.held and len(plan) <= _STEPPED:
        plan = _refined(hunt, hunt.held[plan])
    return plan


def _mended(hunt: Hunt, most: float) -> Plan | None:
    """Return a plan that holds near the one that was corrected last, None if none costs less."""
    last = next(reversed(hunt.live))
    if not _FEW < len(last) <= _STEPPED:
        return None
    near = hunt.trials.judge(last, hunt.asked)
    if _is_afar(hunt, [one.mean for one in near.margins]):
        return None
    found = mend(hunt.trials, hunt.master.floors, near, _STEP_DAYS, hunt.judge)
    return found.plan if found.meets and hunt.cost(found.plan) < most - 1e-9 else None


def _is_afar(hunt: Hunt, means: Sequence[float]) -> bool:
    """Say whether some need is missed by so much that nothing is learned there."""
    needs = hunt.master.needs
    return any(mean < -_AFAR * tolerance(need) for need, mean in zip(needs, means, strict=True))


def _refined(hunt: Hunt, held: Verdict) -> Plan:
    """Return the cheapest plan that holds near one: evened out, and stepped from."""
    held = even_out(hunt.master, held, hunt.judge)
    if len(held.plan) > _STEPPED:
        return held.plan
    return polish(hunt.trials, hunt.master.floors, held, _STEP_DAYS, hunt.judge).plan


def _untried(hunt: Hunt, best: Plan) -> Plan | None:
    """Return a cheaper plan near the best one, or None: cuts are noisy."""
    if len(best) > _FEW:
        plan = _refined(hunt, hunt.trials.judge(best, hunt.asked))
        worth = _WORTH if len(best) > _STEPPED else _LITTLE
        return plan if hunt.cost(plan) < hunt.cost(best) * (1 - worth) else None
    reach = 4 if len(best) <= _SEEN_FAR else 1
    near = hunt.master.space.cheaper_near(best, reach, hunt.bound, hunt.master.floors)
    short = [plan for plan, one in hunt.live.items() if not one.meets]
    for plan in near[:_UNTRIED_MAX]:
        if any(all(a <= b for a, b in zip(plan, other, strict=True)) for other in short):
            continue
        if hunt.judge(plan).meets:
            return plan
        short.append(plan)
    return None


def _correct(hunt: Hunt, plan: Plan, days: int) -> Verdict:
    """Play a plan with the live core; ask of surrogates what makes up for the difference.

    Beside it they must have to spare what a confirmation will want. A large plan fits the days that
    found it: it is judged on others. A plan that is far behind, for both, says nothing about how
    they differ where targets are kept.
    """
    bench, needs = hunt.bench, hunt.master.needs
    count, first = min(_FIRST_DAYS, days), _OTHERS_FROM if len(plan) > _STEPPED else 0
    _, margins = bench.margins(plan, count, first)
    far = any(
        one.mean < -_FAR_SHORT * one.error - tolerance(need)
        for need, one in zip(needs, margins, strict=True)
    )
    if count < days and not far:
        count = days
        _, margins = bench.margins(plan, count, first)
    lacked = lacking(margins, count, hunt.extra, hunt.effort.confirm_days)
    wanted = [one.mean + more for one, more in zip(margins, lacked, strict=True)]
    seen = bench.seen_quickly(plan, count)
    if not _is_afar(hunt, [max(one.mean, see) for one, see in zip(margins, seen, strict=True)]):
        hunt.asked = [
            asked_of(need, one.mean, quick, more)
            for need, one, quick, more in zip(needs, margins, seen, wanted, strict=True)
        ]
    verdict = hunt.live[plan] = Verdict(plan, margins, max(lacked) <= 0, count)
    hunt.renew()
    hunt.told(Phrase("live core"), verdict)
    return verdict


def _descend(hunt: Hunt, most: float) -> Plan | None:
    """Return the cheapest plan that holds as a surrogate, or the last one tried in the rounds.

    None when no plan costs less than `most`.
    """
    best = min(hunt.held, key=hunt.cost, default=None)
    plan: Plan | None = None
    for _ in range(hunt.effort.rounds):
        limit = min(most, np.inf if best is None else hunt.cost(best)) * (1 - 1e-3)
        found = hunt.master.lower(hunt.cuts, limit, hunt.asked)
        if found is None and (best is not None or np.isfinite(most)):
            break
        plan = _more_of_all(hunt) if found is None else found[0]
        if _try(hunt, plan):
            best = plan
    return plan if best is None else best


def _more_of_all(hunt: Hunt) -> Plan:
    """Return more of every choice of the dearest plan tried: cuts from afar contradict each other.

    Raises `UnreachableError` where there are no more agents.
    """
    space = hunt.master.space
    last = max((one.plan for one in hunt.tried), key=hunt.cost, default=None)
    if last is None or np.isfinite(space.heads).any() or np.isfinite(space.most).any():
        raise UnreachableError(_why(hunt, last))
    hunt.cuts = []
    return tuple(math.ceil(_MORE * count) for count in last)


def _try(hunt: Hunt, plan: Plan) -> bool:
    """Play surrogate days of a plan, learn its cuts, and say whether it holds."""
    verdict = hunt.judge(plan)
    slopes = hunt.trials.slopes_near(plan, _SAME_SLOPES if len(plan) > _FEW else 0.0)
    cuts = _cuts(hunt, verdict, slopes)
    if verdict.meets:
        near, needs = _NEAR if len(plan) <= _FEW else _NEAR_OF_MANY, hunt.master.needs
        hunt.cuts = [
            cut for cut in hunt.cuts if abs(cut.surplus) <= near * tolerance(needs[cut.need])
        ]
    hunt.cuts += cuts
    return verdict.meets


def _cuts(hunt: Hunt, verdict: Verdict, slopes: Floats) -> list[Cut]:
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


def _nominal(hunt: Hunt, verdict: Verdict, index: int, slopes: Floats) -> Floats:
    """Return slopes where one agent more shows nothing: a line far behind needs many.

    A per cent more agents is taken for a per cent of what is missed. Raises `UnreachableError`
    where twice the agents that lines of their own would need have not helped.
    """
    space, need = hunt.master.space, hunt.master.needs[index]
    serving = np.array([space.serves[group][need.line] for group in space.group])
    have = np.where(serving, np.array(verdict.plan, dtype=float), 0.0) @ space.cover
    if hunt.cost(verdict.plan) > _HOPELESS * max(hunt.ceiling, 1e-9):
        level = need.level(hunt.trials.plays.study(verdict.plan, verdict.days)) - hunt.asked[index]
        raise UnreachableError(
            f"{need.name}: {level:.1%} ({need.measure.replace('_', ' ')}) where {need.share:.1%} "
            "is asked, and more agents no longer help; look at what is not staff: reaction times, "
            "declined offers, limits, closing, routing"
        )
    missed = hunt.trials.missed(verdict.plan)[index]
    changed = slopes.copy()
    changed[index] = serving[:, None] * space.cover * (missed / np.maximum(have, 1.0))[None, :]
    return changed


def _why(hunt: Hunt, plan: Plan | None) -> str:
    if plan is None:
        return "no plan fits; allow more heads or a lower target"
    verdict = hunt.tried[-1]
    worst = min(range(len(verdict.margins)), key=lambda index: verdict.margins[index].mean)
    need = hunt.master.needs[worst]
    level = need.level(hunt.trials.plays.study(plan, verdict.days)) - hunt.asked[worst]
    return (
        f"not with the agents there are: {need.name} reaches {level:.1%} where "
        f"{need.share:.1%} is asked; allow more heads, longer shifts or a lower target"
    )
