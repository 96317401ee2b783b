"""Put several kinds of day into one budget: read their scenarios, refuse what cannot be mixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from configs.findings import ConfigError
from configs.planning import Scenario
from router.problems import Problem
from simulation.budget.assumptions import ORDINARY, Assumptions, read_with_places, refuse
from simulation.budget.calendar import Month, days_of
from simulation.budget.drivers import Drivers, blend, rate_in
from simulation.phrases import Phrase
from simulation.plan.costs import has_costs
from simulation.plan.people import groups_of
from simulation.plan.reading import find_scenario, load_scenario

# Of a scenario's prices, beside rates and currency; a budget has them from its first scenario.
_PRICES = ("breach", "per_minute", "fixed_per_month", "once")


@dataclass(frozen=True, kw_only=True)
class KindOfDay:
    """One kind of day in a budget: how many there are, and what was played for them.

    `contacts_per_day` are those of a mean day played, before growth and season.
    """

    name: str
    scenario: str
    days: float
    played: int
    contacts_per_day: float


def read_kinds(path: Path | None, main: Scenario) -> tuple[Assumptions, dict[str, Scenario]]:
    """Return a file's assumptions, and the scenarios of its other days by their names.

    `main` is the scenario of the budget itself. Raises `ConfigError`.
    """
    if path is None:
        return Assumptions(), {}
    assumptions, origins = read_with_places(path)
    scenarios: dict[str, Scenario] = {}
    problems: list[Problem] = []
    for name, other in assumptions.other_days.items():
        place = ("other_days", name, "scenario")
        try:
            file = find_scenario(path.parent / other.scenario)
        except ConfigError as error:
            message = f'"{other.scenario}", as seen from this file: {error.findings[0].message}'
            problems.append(Problem(place, message))
            continue
        scenarios[name] = load_scenario(file)
        problems += [Problem(place, words) for words in mismatches(main, scenarios[name])]
    refuse(problems, origins)
    return assumptions, scenarios


def mismatches(main: Scenario, other: Scenario) -> Iterator[str]:
    """Find why a scenario's days cannot stand in the budget of another: money, people's rates."""
    if has_costs(other.costs) and other.costs.currency != main.costs.currency:
        yield (
            f"its costs are in {other.costs.currency}, the budget's in {main.costs.currency}; "
            "give all scenarios the same currency"
        )
        return
    # Without any rates the budget is its ledger's.
    for group in groups_of(other) if main.costs.rates else ():
        if group not in groups_of(main) and rate_in(other, group, main.costs) is None:
            yield (
                f"group {group} works on these days only and has no rate; give it one in that "
                f"scenario, costs: rates: {group}: ... (per_hour: 0 if it costs nothing)"
            )


def kinds_in(kinds: Mapping[str, Drivers], months: Sequence[Month]) -> tuple[KindOfDay, ...]:
    """Return the kinds of day of a budget, the scenario's own first."""
    days = days_of(months)
    return tuple(
        KindOfDay(
            name=name,
            scenario=drivers.scenario,
            days=days[name],
            played=drivers.days,
            contacts_per_day=drivers.contacts_per_day,
        )
        for name, drivers in kinds.items()
    )


def notes_on(kinds: Mapping[str, Drivers], months: Sequence[Month]) -> Iterator[Phrase]:
    """Say what a reader of a mixed budget would take for granted, and what does not hold."""
    main, *others = kinds.values()
    rates = {group.name: group.rate for group in main.groups}
    for name, other in zip(list(kinds)[1:], others, strict=True):
        own = [part for part in _PRICES if getattr(other.costs, part)]
        unused = [part for part in own if getattr(other.costs, part) != getattr(main.costs, part)]
        unused += [
            Phrase("rate of {group}", group=group.name)
            for group in other.groups
            if group.rate != rates.setdefault(group.name, group.rate)
        ]
        if unused:
            yield Phrase(
                "{kind}: prices of its own are not used ({prices}): those of {scenario} hold; "
                "people paid otherwise are a group of their own",
                kind=name,
                prices=tuple(unused),
                scenario=main.scenario,
            )
    if others:
        yield from _too_many_hours(kinds, months)


def _too_many_hours(kinds: Mapping[str, Drivers], months: Sequence[Month]) -> Iterator[Phrase]:
    """Find the salaried groups whom the other days give more hours than their contract has."""
    days = days_of(months)
    own = {group.name: group for group in next(iter(kinds.values())).groups}
    found = []
    for group in blend(kinds, days).groups:
        if not group.rate.salary_per_month or not group.heads:
            continue
        hours = group.paid_h * sum(days.values())
        alone = own[group.name].paid_h * days[ORDINARY] if group.name in own else 0.0
        each, paid = hours / len(months) / group.heads, group.rate.hours_per_month
        if each > paid and hours > alone:
            found.append(
                Phrase("{group} {hours:.0f} of {paid:g}", group=group.name, hours=each, paid=paid)
            )
    if found:
        yield Phrase(
            "hours a head and month that all kinds of day together plan, of those in the rate: "
            "{groups}: salaries do not pay the rest; plan more heads, or other people on other "
            "days",
            groups=tuple(found),
        )
