"""Measure what a working day needs: contacts, heads, hours, minutes on the line, breaches.

Played on the live core, so that time after shift, work sent out and broken promises are what the
scenario's staffing really brings, not rules of thumb.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from configs.planning import Costs, Rate, Scenario
from simulation.plan.costs import rate_of
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


def measure(scenario: Scenario, days: int, seed: int, workers: int = 0) -> Drivers:
    """Play some days and return their means; few days are not stratified."""
    strata = strata_of(scenario)
    with Workers(workers) as crew:
        return drivers_of(run_with(crew, scenario, days, seed, strata if days >= strata else 1))


def drivers_of(study: Study) -> Drivers:
    """Return the mean working day of a study."""
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
                rate=rate_of(scenario, name),
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
