"""Put a search's answer into plain data: plan, cost, what it is worth, and what is next to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from router.checks import config_hash
from simulation.phrases import Phrase
from simulation.plan.estimates import Floats
from simulation.plan.replications import Study
from simulation.plan.tallies import Staffed
from simulation.staffing.hunt import Effort
from simulation.staffing.master import Master
from simulation.staffing.needs import Need, clock, is_judged, target_of
from simulation.staffing.search import Found
from simulation.staffing.spaces import Plan

_SHORT_MAX: Final = 6


@dataclass(frozen=True)
class Kept:
    """One need of the plan: the share reached on fresh days, and what is sure of it.

    `reached` is estimated with what is known by chance taken out; `low` (for shares of who gave up:
    the high end) is the bound that this need's test had to clear. `days_met` is the share of days
    that reach the share by themselves.
    """

    need: str
    measure: str
    asked: float
    reached: float
    low: float
    met: bool
    days_met: float


@dataclass(frozen=True)
class Short:
    """A line that falls short in an interval, though the day as a whole holds."""

    start: str
    line: str
    reached: float
    asked: float
    arrivals: float
    busiest: str
    occupancy: float


@dataclass(frozen=True)
class Other:
    """Another plan that was tried: what it costs more (or less), and what it lacks."""

    cost: float
    change: float
    holds: bool
    least: str
    to_spare_points: float
    differs: dict[str, int]


@dataclass(frozen=True)
class Certificate:
    """The answer to "how many": a sentence, the plan, and how good it is.

    `rows[row][column]` with `row_names` (intervals or kinds of shift) and `columns` (groups).
    `bound`: no plan costs less, by formula of pooled lines; `gap` is the plan's cost over it.
    `days_played` by the live core, `surrogate_days` by its surrogate; `cut_short`: the time was
    up, or it was stopped.
    """

    sentence: str
    scenario: str
    center: str
    config_hash: str
    date: str
    seed: int
    confidence: float
    confirmed: bool
    unit: str
    columns: tuple[str, ...]
    row_names: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]
    at_work: tuple[tuple[float, ...], ...]
    intervals: tuple[str, ...]
    cost: float
    currency: str
    bound: float
    gap: float
    dedicated: float | None
    kept: tuple[Kept, ...]
    short: tuple[Short, ...]
    others: tuple[Other, ...]
    days_played: int
    fresh_days: int
    plans_tried: int
    notes: tuple[str, ...]
    surrogate_days: int = 0
    cut_short: bool = False


def certificate_of(
    found: Found, master: Master, effort: Effort, seed: int, unit: str
) -> Certificate:
    """Return what a search found, in words and figures; `unit`: "agents" or "shifts"."""
    space, study = master.space, found.study
    scenario = space.scenario
    cost = space.cost_of(found.plan)
    kept = tuple(_kept(found, master))
    columns, row_names, rows = _table(found.plan, master, unit)
    currency = scenario.costs.currency if scenario.costs.rates else Phrase("agent hours")
    gap = cost / found.bound - 1 if found.bound > 0 else math.inf
    prepared = master.prepared
    return Certificate(
        sentence=_sentence(found, kept, cost, currency, gap, effort, unit),
        scenario=scenario.name,
        center=scenario.center.name,
        config_hash=config_hash(scenario.center),
        date=scenario.date,
        seed=seed,
        confidence=effort.confidence,
        confirmed=found.confirmed,
        unit=unit,
        columns=columns,
        row_names=row_names,
        rows=rows,
        at_work=tuple(tuple(row) for row in space.at_work(found.plan).tolist()),
        intervals=tuple(clock(prepared, index) for index in range(prepared.intervals)),
        cost=cost,
        currency=currency,
        bound=found.bound,
        gap=gap,
        dedicated=found.upper,
        kept=kept,
        short=tuple(_short(study, master)),
        others=tuple(_other(found, master, plan) for plan in _nearest(found, cost, master)),
        days_played=found.played,
        fresh_days=study.days,
        plans_tried=len(found.tried),
        notes=tuple(_notes(master, unit)),
        surrogate_days=found.quick,
        cut_short=found.cut_short,
    )


def _sentence(
    found: Found,
    kept: tuple[Kept, ...],
    cost: float,
    currency: str,
    gap: float,
    effort: Effort,
    unit: str,
) -> str:
    price = Phrase("{cost:,.2f} {currency} a day", cost=cost, currency=currency)
    if not found.confirmed:
        unsure = tuple(row.need for row in kept if not row.met)
        return unconfirmed(unsure, price, cut_short=found.cut_short, stopped=found.stopped)
    if unit == "shifts":
        what: str = Phrase("{total:,} shifts keep", total=sum(found.plan))
    else:
        what = Phrase("The plan below keeps")
    targets = Phrase("all {count} targets", count=len(kept))
    if len(kept) < 3:
        targets = Phrase("the target") if len(kept) == 1 else Phrase("both targets")
    above: str = ""
    if math.isfinite(gap):
        above = Phrase(", at most {gap:.1%} above the least that pooled lines would need", gap=gap)
    early: str = ""
    if found.stopped:
        early = Phrase(" The search was stopped before it was done: there may be cheaper plans.")
    elif found.cut_short:
        early = Phrase(" The time was up before the search was done: there may be cheaper plans.")
    return Phrase(
        "{what} {targets} with {confidence:.0%} confidence at {price}{above}.{early}",
        what=what, targets=targets, confidence=effort.confidence, price=price, above=above,
        early=early,
    )  # fmt: skip


def unconfirmed(
    unsure: tuple[str, ...], price: str, *, cut_short: bool, stopped: bool = False
) -> str:
    """Say that no plan was confirmed, what the nearest one costs and lacks, and what may help."""
    lacking = Phrase("{target} is not sure", target=unsure or (Phrase("one of the targets"),))
    if len(unsure) > 1:
        lacking = Phrase("{targets} are not sure", targets=unsure)
    if stopped:
        return Phrase(
            "No plan was confirmed before the search was stopped: the nearest costs {price} and "
            "{lacking}.",
            price=price, lacking=lacking,
        )  # fmt: skip
    if cut_short:
        return Phrase(
            "No plan was confirmed in the time given: the nearest costs {price} and {lacking}; "
            "give more --minutes.",
            price=price, lacking=lacking,
        )  # fmt: skip
    return Phrase(
        "No plan was confirmed within the rounds: the nearest costs {price} and {lacking}; give "
        "more --rounds, --days or --confirm-days.",
        price=price, lacking=lacking,
    )  # fmt: skip


def _kept(found: Found, master: Master) -> list[Kept]:
    answer = []
    for need, one in zip(master.needs, found.margins, strict=True):
        part, whole = need.counts(found.study)
        there = whole > 0
        daily = part[there] / whole[there]
        # The margin is in shares of expected arrivals, the level in shares of its own whole.
        factor = need.scale(found.study) * found.study.days / max(float(whole.sum()), 1e-9)
        reach = (one.mean - one.low(found.level)) * factor
        best = need.share - one.mean * factor if need.lost else need.share + one.mean * factor
        good = daily <= need.share if need.lost else daily >= need.share
        answer.append(
            Kept(
                need=need.name,
                measure=need.measure.replace("_", " "),
                asked=need.share,
                reached=_share(best),
                low=_share(best + reach if need.lost else best - reach),
                met=one.low(found.level) >= 0,
                days_met=float(good.mean()) if len(daily) else 1.0,
            )
        )
    return answer


def _share(value: float) -> float:
    """Return an estimate of a share as one: what chance is taken out of may lie beyond all."""
    return min(max(value, 0.0), 1.0)


def _table(
    plan: Plan, master: Master, unit: str
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[int, ...], ...]]:
    """Return columns, names and rows: intervals by groups, or kinds of shift by one column."""
    space, prepared = master.space, master.prepared
    if unit == "shifts":
        chosen = [(name, count) for name, count in zip(space.labels, plan, strict=True) if count]
        names = tuple(name for name, _ in chosen)
        return ("agents",), names, tuple((count,) for _, count in chosen)
    count = prepared.intervals
    table = np.array(plan).reshape(len(space.groups), count).T
    names = tuple(clock(prepared, index) for index in range(count))
    return space.groups, names, tuple(tuple(int(cell) for cell in row) for row in table)


def _short(study: Study, master: Master) -> list[Short]:
    """Return the intervals in which a line falls short, the most contacts missed first."""
    space, scenario = master.space, master.space.scenario
    busy = _occupancy(study, len(space.groups))
    found: list[tuple[float, Short]] = []
    for number, line in enumerate(master.lines):
        if not is_judged(scenario, line):
            continue
        target = target_of(scenario, line.queue)
        demands = tuple(study.demands.index(name) for name in line.demands)
        lost = target.percent <= 0
        share = target.abandoned_percent / 100 if lost else target.percent / 100
        measure = "abandoned" if lost else target.level
        for index in range(study.intervals):
            need = Need("", number, demands, (index,), measure, share)
            arrivals = need.scale(study)
            reached = need.level(study)
            missing = (reached - share if lost else share - reached) * arrivals
            if arrivals < 0.5 or missing <= 0:
                continue
            serving = [g for g in range(len(space.groups)) if space.serves[g][number]]
            top = max(serving, key=lambda g, index=index: float(busy[g, index]))  # type: ignore[misc]
            found.append(
                (
                    missing,
                    Short(
                        start=clock(master.prepared, index),
                        line=line.name,
                        reached=reached,
                        asked=share,
                        arrivals=arrivals,
                        busiest=space.groups[top],
                        occupancy=float(busy[top, index]),
                    ),
                )
            )
    found.sort(key=lambda pair: -pair[0])
    return [short for _, short in found[:_SHORT_MAX]]


def _occupancy(study: Study, groups: int) -> Floats:
    sums = study.staffed[:, :groups].sum(axis=0).astype(float)
    signed = sums[..., Staffed.SIGNED_IN]
    return np.asarray(sums[..., Staffed.BUSY] / np.maximum(signed, 1.0), dtype=np.float64)


def _nearest(found: Found, cost: float, master: Master) -> list[Plan]:
    """Return the next dearer one that held, and the dearest cheaper ones: short, or not sure."""
    holds = {verdict.plan: verdict.meets for verdict in found.tried}
    costs = {plan: master.space.cost_of(plan) for plan in found.others}
    dearer = [plan for plan in found.others if holds[plan] and costs[plan] >= cost]
    cheaper = [plan for plan in found.others if costs[plan] < cost]
    return dearer[:1] + cheaper[-2:]


def _other(found: Found, master: Master, plan: Plan) -> Other:
    space = master.space
    verdict = next(one for one in reversed(found.tried) if one.plan == plan)
    worst = min(range(len(verdict.margins)), key=lambda index: verdict.margins[index].mean)
    differs: dict[str, int] = {}
    for choice, (ours, theirs) in enumerate(zip(found.plan, plan, strict=True)):
        if theirs != ours:
            name = space.groups[space.group[choice]]
            differs[name] = differs.get(name, 0) + theirs - ours
    cost = space.cost_of(plan)
    return Other(
        cost=cost,
        change=cost - space.cost_of(found.plan),
        holds=verdict.meets,
        least=master.needs[worst].name,
        to_spare_points=100 * verdict.margins[worst].mean,
        differs={name: change for name, change in differs.items() if change},
    )


def _notes(master: Master, unit: str) -> list[str]:
    notes: list[str] = []
    if unit == "agents":
        notes.append(
            Phrase(
                "Agents planned per interval; absence and adherence are in, breaks are not: "
                "`switchroom schedule` makes shifts with breaks of it."
            )
        )
    if not master.space.scenario.costs.rates:
        notes.append(Phrase("The scenario has no prices: an agent's hour costs 1."))
    notes.append(
        Phrase(
            "The bound is Erlang A on the modified offered load of lines whose agents can do "
            "everything, each group limited to what it serves; redials and repeat contacts are "
            "not in it."
        )
    )
    return notes
