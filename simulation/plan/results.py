"""Put a study into a planner's words: one sentence, one table, the risk, the notes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import numpy as np

from configs.durations import parse_clock
from configs.planning import Scenario
from router.checks import config_hash
from simulation.phrases import Phrase
from simulation.plan import estimates as est
from simulation.plan.answers import (
    DemandRow,
    Figure,
    GroupRow,
    IntervalRow,
    PromiseRow,
    Result,
    Risk,
    figure,
    share_figure,
)
from simulation.plan.costs import DayCosts, costs_of, has_costs
from simulation.plan.estimates import Floats, Ratio, view
from simulation.plan.people import groups_of, size_of
from simulation.plan.prepared import Prepared
from simulation.plan.replications import Study
from simulation.plan.requirement import DEFERRED, Line, dedicated, lines_of, pooled
from simulation.plan.tallies import Count, Staffed
from simulation.plan.theory import theory_rows

_HOUR_MS: Final = 3_600_000
_QUANTILES: Final = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


def judged_demands(scenario: Scenario) -> tuple[str, ...]:
    """Return the demands that the target speaks of: prompt ones without a time of their own.

    Who is dialled did not call, so no promise was made to him.
    """
    prompt = tuple(
        name
        for name, demand in scenario.demand.items()
        if demand.channel not in DEFERRED and not demand.answer_within_ms and demand.dialer is None
    )
    return prompt or tuple(scenario.demand)


def result_of(study: Study, prepared: Prepared | None = None) -> Result:
    """Return what a study says about its scenario."""
    prepared = prepared or Prepared(study.scenario)
    scenario = study.scenario
    judged = judged_demands(scenario)
    whole = view(study, judged)
    level = est.estimate(est.service_level(whole))
    service = share_figure(est.service_level(whole))
    risk = _risk(est.service_level(whole), scenario.target.percent / 100)
    meets = service.value is not None and service.value >= scenario.target.percent / 100
    lines = lines_of(prepared)
    money = costs_of(study) if has_costs(scenario.costs) else None
    everything = view(study)
    cost = figure(everything.per_day(money.total)) if money else None
    answered = float(everything.count(Count.ANSWERED).mean())
    resolved = float(everything.count(Count.RESOLVED).mean())
    mean_cost = float(money.total.mean()) if money else None
    return Result(
        sentence=_sentence(scenario, service, risk, meets=meets, cost=cost),
        meets=meets,
        scenario=scenario.name,
        center=scenario.center.name,
        config_hash=config_hash(scenario.center),
        date=scenario.date,
        seed=study.seed,
        days=study.days,
        target_percent=scenario.target.percent,
        definition=scenario.target.level.replace("_", " "),
        judged=judged,
        service_level=service,
        abandonment=share_figure(est.abandonment(whole)),
        wait_s=figure(est.speed_of_answer_s(whole)),
        risk=risk,
        variance_ratio=level.variance_ratio,
        intervals=_interval_rows(study, prepared, judged, lines, money.pay if money else None),
        demands=tuple(_demand_row(study, prepared, name) for name in study.demands),
        groups=tuple(_group_row(study, index, money) for index in range(len(study.groups))),
        promises=tuple(_promise_rows(study)),
        costs=dict(zip(money.kinds, money.amounts.mean(axis=0).tolist(), strict=True))
        if money
        else {},
        cost_per_day=cost,
        cost_per_contact=mean_cost / answered if mean_cost is not None and answered else None,
        cost_per_resolved=mean_cost / resolved if mean_cost is not None and resolved else None,
        currency=scenario.costs.currency if money else "",
        theory=tuple(theory_rows(study, prepared, lines)),
        notes=tuple(_notes(study, prepared)),
        last_ends={
            f"{share:.0%}": _clock(
                prepared.opens_ms + round(float(np.quantile(study.ended_ms, share)))
            )
            for share in (0.5, 0.9)
        },
    )


def _sentence(
    scenario: Scenario, service: Figure, risk: Risk, *, meets: bool, cost: Figure | None
) -> str:
    """Answer in one sentence: met or not, how sure, how often a day misses, at what cost."""
    if service.value is None:
        return Phrase("Nobody came, so there is no service level.")
    # Too few days leave no error to be told: an interval of nothing would be a lie.
    share = Phrase("{share:.1%} (error not known)", share=service.value)
    if service.known:
        reach = 100 * service.half_width
        share = Phrase("{share:.1%} ± {reach:.1f} points", share=service.value, reach=reach)
    verb = Phrase("is met") if meets else Phrase("is missed")
    if not surely(service, scenario.target.percent / 100):
        verb = Phrase("{verb}, but not surely", verb=verb)
    money: str = ""
    if cost is not None and cost.value is not None:
        currency = scenario.costs.currency
        money = Phrase(", at {cost:,.0f} {currency} a day", cost=cost.value, currency=currency)
    return Phrase(
        "The target of {percent:g} % {verb}: {share} are answered in time, and {missed} of the "
        "{days} days played miss it{money}.",
        percent=scenario.target.percent, verb=verb, share=share, missed=risk.missed,
        days=risk.days, money=money,
    )  # fmt: skip


def surely(level: Figure, target: float) -> bool:
    """Say whether the whole interval lies on one side of the target."""
    if level.low is None or level.high is None:
        return False
    return level.low >= target or level.high < target


def _risk(level: Ratio, target: float) -> Risk:
    daily = level.daily()
    if not len(daily):
        return Risk(Figure(None), {})
    missed = daily < target
    found = est.share_of_days(missed)
    quantiles = {f"{share:.0%}": float(np.quantile(daily, share)) for share in _QUANTILES}
    misses = Figure(found.value, found.low, found.high)
    return Risk(misses, quantiles, int(missed.sum()), len(daily))


def _clock(offset_ms: int) -> str:
    minutes = offset_ms // 60_000
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _interval_rows(
    study: Study,
    prepared: Prepared,
    judged: Iterable[str],
    lines: tuple[Line, ...],
    pay: Floats | None,
) -> tuple[IntervalRow, ...]:
    scenario = study.scenario
    needed = dedicated(lines, scenario.target)
    needed_pooled = pooled(lines, scenario.target)
    planned = planned_agents(prepared)
    net = est.agents_at_desks(study, prepared.interval_edges)
    sums = study.staffed.sum(axis=1).mean(axis=0)
    edges = prepared.interval_edges
    rows = []
    for index in range(study.intervals):
        part = view(study, judged, [index])
        length = float(edges[index + 1] - edges[index])
        signed = float(sums[index, Staffed.SIGNED_IN])
        busy = float(sums[index, Staffed.BUSY])
        everybody = view(study, None, [index])
        rows.append(
            IntervalRow(
                start=_clock(prepared.opens_ms + index * scenario.interval_ms),
                arrivals=figure(everybody.per_day(everybody.count(Count.ARRIVED))),
                required=float(needed[index]),
                required_pooled=float(needed_pooled[index]),
                staffed=float(planned[index]),
                net=float(net[index]),
                service_level=share_figure(est.service_level(part)),
                wait_s=figure(est.speed_of_answer_s(part)),
                abandonment=share_figure(est.abandonment(part)),
                occupancy=busy / signed if signed else None,
                cost=float(pay[:, index].mean()) if pay is not None else None,
                queue=float(part.count(Count.QUEUED_MS).mean()) / length,
            )
        )
    return tuple(rows)


def planned_agents(prepared: Prepared) -> Floats:
    """Return the agents on shift in each interval, time-averaged, before breaks and absence."""
    edges = prepared.interval_edges
    planned = np.zeros(prepared.intervals)
    for member in prepared.staff.members:
        for stint in member.stints:
            since = np.clip(stint.start_ms, edges[:-1], edges[1:])
            until = np.clip(stint.end_ms, edges[:-1], edges[1:])
            planned += (until - since) / np.diff(edges)
    return planned


def _demand_row(study: Study, prepared: Prepared, name: str) -> DemandRow:
    part = view(study, [name])
    source = next(source for source in prepared.sources if source.name == name)
    answered = float(part.count(Count.ANSWERED).mean())
    lost = (
        "ABANDONED",
        "BLOCKED",
        "DEFLECTED",
        "EXPIRED",
        "CLEARED",
        "CALLBACKS",
        "CARRIED",
        "BOT",
    )
    not_served = {what.lower(): float(part.count(Count[what]).mean()) for what in lost}
    work = part.count(Count.TALK_MS) + part.count(Count.WRAP_UP_MS)
    quantile = est.wait_quantile_s(part, 0.9)
    index = study.demands.index(name)
    served = zip(study.groups, study.served[:, :, index].mean(axis=0).tolist(), strict=True)
    fresh = float(part.count(Count.FRESH).sum() - part.count(Count.BOT).sum())
    queue = prepared.center.categories[source.demand.category].queue
    return DemandRow(
        name=name,
        queue=queue,
        channel=source.demand.channel,
        within_s=source.within_ms / 1000,
        arrivals=figure(part.per_day(part.count(Count.ARRIVED))),
        service_level=share_figure(est.service_level(part)),
        wait_s=figure(est.speed_of_answer_s(part)),
        wait_p90_s=None if math.isnan(quantile) else quantile,
        abandonment=share_figure(est.abandonment(part)),
        answered=answered,
        not_served={what: count for what, count in not_served.items() if count},
        handle_s=float(work.sum()) / 1000 / (answered * study.days) if answered else None,
        served_by={group: count for group, count in served if count},
        dialled=float(part.count(Count.DIALLED).mean()),
        first_answered=float(part.count(Count.FIRST_ANSWERED).sum()) / fresh if fresh else None,
        short_s=prepared.center.queues[queue].short_abandon_ms / 1000,
    )


def _group_row(study: Study, index: int, money: DayCosts | None) -> GroupRow:
    name = study.groups[index]
    sums = study.staffed[:, index].sum(axis=1).mean(axis=0)
    hours = sums / _HOUR_MS
    signed, paid, busy = (
        float(hours[what]) for what in (Staffed.SIGNED_IN, Staffed.PAID, Staffed.BUSY)
    )
    return GroupRow(
        name=name,
        agents=size_of(study.scenario, name, groups_of(study.scenario)[name]),
        paid_hours=paid,
        signed_in_hours=signed,
        away_hours=float(hours[Staffed.AWAY]),
        after_shift_hours=float(hours[Staffed.AFTER]),
        occupancy=busy / signed if signed else None,
        utilisation=busy / paid if paid else None,
        handled=float(sums[Staffed.HANDLED]),
        cost=float(money.staff[:, index].mean()) if money else None,
        idle_cost=float(money.idle[:, index].mean()) if money else None,
    )


def _promise_rows(study: Study) -> Iterable[PromiseRow]:
    everything = view(study)
    for index, name in enumerate(study.promise_names):
        met, breached = (study.promises[:, index, column].astype(float) for column in (0, 1))
        if not (met + breached).any():
            continue
        yield PromiseRow(
            name=name,
            met=share_figure(everything.over(met, met + breached)),
            breaches_per_day=float(breached.mean()),
        )


def _notes(study: Study, prepared: Prepared) -> Iterable[str]:
    """Say what a reader must know beside the numbers."""
    scenario = study.scenario
    yield (
        f"Service level: {scenario.target.level.replace('_', ' ')}; counted in the interval of "
        "arrival, decided at answer or exit. ± is the 95 % interval of the mean over all days."
    )
    staff = prepared.staff
    for index, name in enumerate(staff.groups):
        idle = sum(member.group == index and not member.stints for member in staff.members)
        if idle:
            yield f"{idle} agents of {name} have no shift on this day."
    if not scenario.workforce:
        yield (
            "The scenario names no workforce: all agents of the centre work all day, without "
            "breaks or absence."
        )
    whole = view(study)
    carried = float(whole.count(Count.CARRIED).mean())
    if carried >= 0.05:
        yield f"{carried:.1f} contacts a day still wait at the end and are carried over."
    cleared = float(whole.count(Count.CLEARED).mean())
    if cleared:
        yield f"{cleared:.1f} contacts a day are sent away at closing."
    if study.strata > 1:
        yield f"Busyness is stratified: {study.strata} quantiles, each with its due share of days."
    length_h = (parse_clock(scenario.closes) - parse_clock(scenario.opens)) / _HOUR_MS
    yield (
        f"{study.days} days of {length_h:g} h, seed {study.seed}; the same seed meets the same "
        "customers under any plan."
    )
