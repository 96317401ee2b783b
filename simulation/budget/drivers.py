"""Measure what a working day needs: contacts, heads, hours, minutes on the line, breaches.

Played on the live core, so that time after shift, work sent out and broken promises are what the
scenario's staffing really brings, not rules of thumb. Each kind of day is played by itself; the
mean day of a month (`blend`) is then what everything else calculates with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from configs.planning import Costs, Rate, Scenario
from simulation.plan.costs import found_rate
from simulation.plan.people import groups_of, size_of
from simulation.plan.replications import Study, Workers, run_with, strata_of
from simulation.plan.tallies import Count, Staffed

_HOUR_MS = 3_600_000
_MINUTE_MS = 60_000


@dataclass(frozen=True, kw_only=True)
class GroupDrivers:
    """One group on a working day: heads, paid hours, hours after shift, contacts handled."""

    name: str
    rate: Rate
    heads: int
    paid_h: float
    after_h: float
    handled: float
    turnover_per_year: float


@dataclass(frozen=True, kw_only=True)
class Drivers:
    """What one working day of the scenario needs, on average over the days played.

    `contacts`, `work_minutes` (handling and wrap-up) and `talk_minutes` by channel, `breaches` by
    promise. `days` were played from `seed`.
    """

    scenario: str
    days: int
    seed: int
    costs: Costs
    groups: tuple[GroupDrivers, ...]
    contacts: Mapping[str, float]
    work_minutes: Mapping[str, float]
    talk_minutes: Mapping[str, float]
    breaches: Mapping[str, float]

    @property
    def contacts_per_day(self) -> float:
        """Return all contacts of a day."""
        return sum(self.contacts.values())


def measure(
    scenarios: Mapping[str, Scenario], days: int, seed: int, workers: int = 0
) -> dict[str, Drivers]:
    """Play some days of each kind and return their means; few days are not stratified.

    The first kind is the centre's own day; what others lack in rates is taken from its costs.
    Kinds that share a scenario share what was played of it.
    """
    prices = next(iter(scenarios.values())).costs
    found: dict[str, Drivers] = {}
    with Workers(workers) as crew:
        for kind, scenario in scenarios.items():
            alike = next((name for name in found if scenarios[name] == scenario), None)
            if alike is not None:
                found[kind] = found[alike]
                continue
            strata = strata_of(scenario)
            study = run_with(crew, scenario, days, seed, strata if days >= strata else 1)
            found[kind] = drivers_of(study, prices)
    return found


def blend(kinds: Mapping[str, Drivers], days: Mapping[str, float]) -> Drivers:
    """Return the mean working day of a mix: so many days of each kind, of those that have any.

    What a day brings (contacts, hours, minutes, breaches) is weighted by the days. Heads are
    people, not days: of each group the most that any kind in the mix needs. The first kind is
    always in it, be it with no day at all: its people are there. Its prices hold; a group it
    does not have brings its own rate. Names and days played are those of the first kind, too.
    """
    first = next(iter(kinds))
    total = sum(days[kind] for kind in kinds)
    shares = {
        kind: days[kind] / total if total else float(kind == first)
        for kind in kinds
        if kind == first or days[kind]
    }

    def mean(amounts: Callable[[Drivers], Mapping[str, float]]) -> dict[str, float]:
        found: dict[str, float] = {}
        for kind, share in shares.items():
            for name, amount in amounts(kinds[kind]).items():
                found[name] = found.get(name, 0.0) + share * amount
        return found

    return replace(
        kinds[first],
        groups=_blend_groups(kinds, shares),
        contacts=mean(lambda drivers: drivers.contacts),
        work_minutes=mean(lambda drivers: drivers.work_minutes),
        talk_minutes=mean(lambda drivers: drivers.talk_minutes),
        breaches=mean(lambda drivers: drivers.breaches),
    )


def _blend_groups(
    kinds: Mapping[str, Drivers], shares: Mapping[str, float]
) -> tuple[GroupDrivers, ...]:
    """Return every group of any kind; one that no day of the mix needs has nobody."""
    found: dict[str, GroupDrivers] = {}
    for kind, drivers in kinds.items():
        share = shares.get(kind, 0.0)
        for group in drivers.groups:
            before = found.get(group.name)
            if before is None:
                before = replace(group, heads=0, paid_h=0.0, after_h=0.0, handled=0.0)
            found[group.name] = replace(
                before,
                heads=max(before.heads, group.heads) if kind in shares else before.heads,
                paid_h=before.paid_h + share * group.paid_h,
                after_h=before.after_h + share * group.after_h,
                handled=before.handled + share * group.handled,
            )
    return tuple(found.values())


def rate_in(scenario: Scenario, group: str, prices: Costs) -> Rate | None:
    """Return a group's rate by its scenario, else by the budget's `prices`; None: it has none."""
    return found_rate(scenario, group) or found_rate(replace(scenario, costs=prices), group)


def drivers_of(study: Study, prices: Costs) -> Drivers:
    """Return the mean working day of a study; a group without a rate is looked up in `prices`."""
    scenario = study.scenario
    groups = groups_of(scenario)
    per_group = study.staffed.sum(axis=2).mean(axis=0)
    per_demand = study.counts.sum(axis=2).mean(axis=0)
    contacts: dict[str, float] = {}
    work: dict[str, float] = {}
    talk: dict[str, float] = {}
    for index, demand in enumerate(scenario.demand.values()):
        row, channel = per_demand[index], demand.channel
        talked = float(row[Count.TALK_MS]) / _MINUTE_MS
        contacts[channel] = contacts.get(channel, 0.0) + float(row[Count.ARRIVED])
        talk[channel] = talk.get(channel, 0.0) + talked
        work[channel] = work.get(channel, 0.0) + talked + float(row[Count.WRAP_UP_MS]) / _MINUTE_MS
    return Drivers(
        scenario=scenario.name,
        days=study.days,
        seed=study.seed,
        costs=scenario.costs,
        groups=tuple(
            GroupDrivers(
                name=name,
                rate=rate_in(scenario, name, prices) or Rate(),
                heads=size_of(scenario, name, groups[name]),
                paid_h=float(per_group[index, Staffed.PAID]) / _HOUR_MS,
                after_h=float(per_group[index, Staffed.AFTER]) / _HOUR_MS,
                handled=float(per_group[index, Staffed.HANDLED]),
                turnover_per_year=groups[name].turnover_per_year,
            )
            for index, name in enumerate(study.groups)
        ),
        contacts=contacts,
        work_minutes=work,
        talk_minutes=talk,
        breaches={
            name: float(study.promises[:, index, 1].mean())
            for index, name in enumerate(study.promise_names)
        },
    )
