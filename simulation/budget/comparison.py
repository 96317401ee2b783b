"""Put the three budgets side by side and say why they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from configs.planning import Scenario
from simulation.budget.assumptions import ORDINARY, Assumptions, Investment
from simulation.budget.calendar import Month, days_of, lay_out
from simulation.budget.drivers import Drivers, blend, measure
from simulation.budget.investment import CostBenefit, judge
from simulation.budget.kinds_of_day import KindOfDay, kinds_in, mismatches, notes_on
from simulation.budget.methods import ItemKind, Ledger, Method, MethodBudget, budgets
from simulation.phrases import Phrase

_YEAR = 12


@dataclass(frozen=True, kw_only=True)
class Difference:
    """By how much a method's total differs from the drivers' total, and through what.

    `base` + `volume` + `prices` = `total`, as they are in `MethodBudget`; `kinds` splits the same
    total by what items follow (none for the standard, whose contacts hold all of it).
    """

    method: Method
    total: float
    base: float
    volume: float
    prices: float
    kinds: dict[str, float]
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class YearTotal:
    """The total of a calendar year (or what of it lies in the budget) by method."""

    year: str
    months: int
    totals: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A budget, ready to be printed or drawn: months, three methods, why they differ.

    The drivers were measured on `days` played from `seed`; `kinds_of_day` are the scenario's own
    days, and others.
    """

    scenario: str
    currency: str
    months: tuple[Month, ...]
    contacts: tuple[float, ...]
    methods: tuple[MethodBudget, ...]
    years: tuple[YearTotal, ...]
    differences: tuple[Difference, ...]
    investment: CostBenefit | None
    notes: tuple[str, ...]
    days: int = 0
    seed: int = 0
    kinds_of_day: tuple[KindOfDay, ...] = ()


def make_budget(
    scenario: Scenario,
    first: str,
    months: int,
    *,
    assumptions: Assumptions | None = None,
    others: Mapping[str, Scenario] | None = None,
    ledger: Ledger | None = None,
    investment: Investment | None = None,
    days: int = 20,
    seed: int = 1,
    workers: int = 0,
) -> Budget:
    """Play the scenario's day, and `others` by name, and make their budget.

    `others` are the scenarios of the assumptions' `other_days` (`kinds_of_day.read_kinds`).
    Raises ValueError when there are no prices, or when the others' do not fit.
    """
    others = others or {}
    if not scenario.costs.rates and ledger is None:
        raise ValueError(
            f"scenario {scenario.name} gives no costs; write costs: rates: ... (and name them in "
            "workforce: GROUP: rate, or as the teams' cost groups), or give a --ledger"
        )
    for name, other in others.items():
        for words in mismatches(scenario, other):
            raise ValueError(f"other_days.{name}: {words}")
    kinds = measure({ORDINARY: scenario, **others}, days, seed, workers)
    own = kinds.pop(ORDINARY)
    return budget_of(own, first, months, assumptions, ledger, investment, kinds)


def budget_of(
    drivers: Drivers,
    first: str,
    months: int,
    assumptions: Assumptions | None = None,
    ledger: Ledger | None = None,
    investment: Investment | None = None,
    others: Mapping[str, Drivers] | None = None,
) -> Budget:
    """Return the budget that follows from measured drivers, `others` those of the other days."""
    assumptions = assumptions or Assumptions()
    kinds = {ORDINARY: drivers, **(others or {})}
    if set(kinds) != {ORDINARY, *assumptions.other_days}:
        raise ValueError(
            f"other_days are {', '.join(assumptions.other_days) or 'none'}, but drivers are there "
            f"for {', '.join(others or ()) or 'none'}; give one for each"
        )
    laid_out = lay_out(first, months, assumptions)
    mean_days = [blend(kinds, month.days) for month in laid_out]
    contacts = tuple(
        day.contacts_per_day * month.working_days * month.volume
        for day, month in zip(mean_days, laid_out, strict=True)
    )
    if not any(contacts):
        raise ValueError(
            f"no contact comes in {months} months from {first}, so there is no cost of one; look "
            "at working_days, season and the demand"
        )
    found = budgets(kinds, laid_out, assumptions, ledger)
    notes = [
        Phrase("group {group} has no rate: it costs nothing here", group=group.name)
        for group in blend(kinds, days_of(laid_out)).groups
        if not (group.rate.per_hour or group.rate.salary_per_month or group.rate.per_contact)
    ]
    notes += notes_on(kinds, laid_out)
    if ledger is None:
        notes.append(Phrase("no ledger given: no budget from history (--ledger)"))
    else:
        missing = _YEAR - max((len(amounts) for amounts in ledger.amounts.values()), default=0)
        if missing > 0:
            notes.append(
                Phrase(
                    "the ledger lacks {missing} months; their items stand at their mean",
                    missing=missing,
                )
            )
    return Budget(
        scenario=drivers.scenario,
        currency=drivers.costs.currency,
        months=laid_out,
        contacts=contacts,
        methods=found,
        years=_years(laid_out, found),
        differences=tuple(
            _difference(other, found[-1]) for other in found if other.method is not Method.DRIVERS
        ),
        investment=None if investment is None else judge(investment, found[-1], laid_out),
        notes=tuple(notes),
        days=drivers.days,
        seed=drivers.seed,
        kinds_of_day=kinds_in(kinds, laid_out),
    )


def _years(months: Sequence[Month], methods: Sequence[MethodBudget]) -> tuple[YearTotal, ...]:
    years = sorted({month.name[:4] for month in months})
    return tuple(
        YearTotal(
            year=year,
            months=sum(1 for month in months if month.name.startswith(year)),
            totals={
                method.method.value: sum(
                    amount
                    for month, amount in zip(months, method.months, strict=True)
                    if month.name.startswith(year)
                )
                for method in methods
            },
        )
        for year in years
    )


def _difference(method: MethodBudget, drivers: MethodBudget) -> Difference:
    kinds = {}
    if method.method is not Method.STANDARD:
        kinds = {
            kind.value: sum(item.total for item in method.items if item.kind is kind)
            - sum(item.total for item in drivers.items if item.kind is kind)
            for kind in ItemKind
        }
    base = method.base - drivers.base
    volume = method.volume - drivers.volume
    prices = method.prices - drivers.prices
    words = []
    if method.method is Method.STANDARD:
        words.append(
            Phrase("pays contacts, so months follow working days; salaries are paid by the month")
        )
        if volume:
            words.append(
                Phrase("growth and season reach every contact; hiring for a peak reaches none")
            )
    else:
        words.append(
            Phrase("carries on what was booked: staffing and breaches of then, not of the plan")
        )
        if kinds[ItemKind.ONCE.value]:
            words.append(Phrase("what is paid once is not in it"))
    return Difference(
        method=method.method,
        total=method.total - drivers.total,
        base=base,
        volume=volume,
        prices=prices,
        kinds=kinds,
        words=tuple(words),
    )
