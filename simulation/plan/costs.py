"""Say what a day costs: paid time, time after the shift, contacts, talk, breaches, fixed items.

All in the scenario's currency. A group is paid for its planned time, present or not; time after
the shift is overtime. What is paid by the month is spread over the working days of a month.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from configs.planning import Costs, Rate, Scenario
from simulation.plan.estimates import Floats
from simulation.plan.people import groups_of, size_of
from simulation.plan.replications import Study
from simulation.plan.tallies import Count, Staffed

_HOUR_MS: Final = 3_600_000
_MONTHS: Final = 12


@dataclass(frozen=True)
class DayCosts:
    """What each day cost, by kind: `amounts[day, kind]`, and staff pay by interval of the day.

    `staff[day, group]` and `pay[day, interval]` are parts of the same money; `idle[day, group]` is
    that part of the staff's in which they sit at their desks and have no contact.
    """

    kinds: tuple[str, ...]
    amounts: Floats
    staff: Floats
    pay: Floats
    idle: Floats

    @property
    def total(self) -> Floats:
        """Return the whole cost of each day."""
        return np.asarray(self.amounts.sum(axis=1))


def has_costs(costs: Costs) -> bool:
    """Say whether a scenario gives any price at all."""
    return bool(costs.rates or costs.breach or costs.per_minute or costs.fixed_per_month)


def rate_of(scenario: Scenario, group: str) -> Rate:
    """Return the rate of a group: its own, that of its team's cost group, or nothing."""
    return found_rate(scenario, group) or Rate()


def found_rate(scenario: Scenario, group: str) -> Rate | None:
    """Return the rate of a group; None when the scenario gives it none."""
    plan = groups_of(scenario)[group]
    rates = scenario.costs.rates
    if plan.rate:
        return rates.get(plan.rate)
    if group in rates:
        return rates[group]
    members = plan.members
    team = plan.team or (scenario.center.agents[members[0]].team if members else group)
    known = scenario.center.teams.get(team)
    return rates.get(known.cost_group if known else "")


def hourly(rate: Rate) -> float:
    """Return what an hour costs, benefits included."""
    return rate.per_hour + rate.salary_per_month * (1 + rate.benefits) / rate.hours_per_month


def per_head_and_day(rate: Rate, turnover_per_year: float, days_per_month: float) -> float:
    """Return licences, yearly training and the cost of replacing who leaves, for a head and day."""
    yearly = rate.training_per_year + turnover_per_year * (rate.recruiting + rate.training)
    return (rate.licence_per_month + yearly / _MONTHS) / days_per_month


def costs_of(study: Study) -> DayCosts:
    """Return what every day of a study cost."""
    scenario = study.scenario
    costs = scenario.costs
    days = study.days
    hours = study.staffed / _HOUR_MS
    groups = groups_of(scenario)
    regular, overtime, contacts, heads, idle = (
        np.zeros((days, len(study.groups))) for _ in range(5)
    )
    pay = np.zeros((days, study.intervals))
    for index, name in enumerate(study.groups):
        rate = rate_of(scenario, name)
        per_hour = hourly(rate)
        regular[:, index] = hours[:, index, :, Staffed.PAID].sum(axis=1) * per_hour
        after = hours[:, index, :, Staffed.AFTER] * per_hour * rate.overtime
        overtime[:, index] = after.sum(axis=1)
        at_desk = hours[:, index, :, Staffed.SIGNED_IN] - hours[:, index, :, Staffed.AWAY]
        unused = at_desk - hours[:, index, :, Staffed.BUSY]
        idle[:, index] = unused.sum(axis=1) * per_hour
        handled = study.staffed[:, index, :, Staffed.HANDLED]
        contacts[:, index] = handled.sum(axis=1) * rate.per_contact
        size = size_of(scenario, name, groups[name])
        heads[:, index] = size * per_head_and_day(
            rate, groups[name].turnover_per_year, costs.days_per_month
        )
        pay += hours[:, index, :, Staffed.PAID] * per_hour + after + handled * rate.per_contact
    talk = np.zeros(days)
    for index, demand in enumerate(scenario.demand.values()):
        minutes = study.counts[:, index, :, Count.TALK_MS].sum(axis=1) / 60_000
        talk += minutes * costs.per_minute.get(demand.channel, 0.0)
    breaches = np.zeros(days)
    for index, name in enumerate(study.promise_names):
        breaches += study.promises[:, index, 1] * costs.breach.get(name, 0.0)
    fixed = np.full(days, sum(costs.fixed_per_month.values()) / costs.days_per_month)
    columns = {
        "staff": regular.sum(axis=1),
        "time after shift": overtime.sum(axis=1),
        "outsourcing per contact": contacts.sum(axis=1),
        "licences, training, replacement": heads.sum(axis=1),
        "telephony": talk,
        "penalties for breaches": breaches,
        "fixed": fixed,
    }
    return DayCosts(
        tuple(columns),
        np.stack(list(columns.values()), axis=1),
        regular + overtime + contacts + heads,
        pay,
        idle,
    )
