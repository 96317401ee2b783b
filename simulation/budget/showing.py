"""Show a budget as text, as rows, and as plain values for JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from enum import Enum
from typing import Any

from simulation.budget.comparison import Budget, Difference
from simulation.budget.investment import CostBenefit
from simulation.budget.kinds_of_day import KindOfDay


def as_plain(value: Any) -> Any:
    """Return a budget as JSON can hold it, totals included."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        plain = {
            field.name: as_plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
        for worked_out in ("total", "working_days"):
            if hasattr(value, worked_out) and worked_out not in plain:
                plain[worked_out] = getattr(value, worked_out)
        return plain
    if isinstance(value, dict):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    return value


def as_rows(budget: Budget) -> Iterator[tuple[str | float, ...]]:
    """Yield a table: a header, then method, item, kind, a column a month, the total.

    First the days of each kind, where there are several.
    """
    yield ("method", "item", "follows", *(month.name for month in budget.months), "total")
    for kind in several_kinds(budget):
        yield (
            "days",
            kind.name,
            "",
            *(month.days[kind.name] for month in budget.months),
            kind.days,
        )
    for method in budget.methods:
        for item in method.items:
            yield (method.method.value, item.name, item.kind.value, *item.months, item.total)
        yield (method.method.value, "total", "", *method.months, method.total)


def as_text(budget: Budget) -> Iterator[str]:
    """Yield the lines for a terminal."""
    names = [method.method.value for method in budget.methods]
    span = f"{budget.months[0].name} to {budget.months[-1].name}"
    yield f"{budget.scenario}: {span}, {budget.currency}"
    yield ""
    widths = {kind.name: max(8, len(kind.name)) + 2 for kind in several_kinds(budget)}
    kinds = "".join(f"{name:>{width}}" for name, width in widths.items())
    heads = "".join(f"{name:>15}" for name in names)
    yield f"{'month':<10}{'days':>6}{kinds}{'contacts':>11}{heads}"
    for index, month in enumerate(budget.months):
        amounts = "".join(f"{method.months[index]:>15,.0f}" for method in budget.methods)
        days = "".join(f"{month.days[name]:>{width}g}" for name, width in widths.items())
        contacts = f"{budget.contacts[index]:>11,.0f}"
        yield f"{month.name:<10}{month.working_days:>6g}{days}{contacts}{amounts}"
    blank = f"{'':>{17 + len(kinds)}}"
    for year in budget.years:
        amounts = "".join(f"{year.totals[name]:>15,.0f}" for name in names)
        yield f"{year.year:<10}{blank}{amounts}"
    total = sum(budget.contacts)
    each = "".join(f"{method.total / total:>15,.2f}" for method in budget.methods)
    yield f"{'a contact':<10}{blank}{each}"
    yield from _kind_lines(budget)
    for method in budget.methods:
        yield ""
        yield f"{method.method.value}: {method.basis}"
        for item in method.items:
            yield f"  {item.name:<34}{item.total:>15,.0f}   {item.total / method.total:>6.1%}"
    if budget.differences:
        yield ""
        yield "beside the drivers' budget"
    for difference in budget.differences:
        yield from _difference_lines(difference)
    if budget.investment is not None:
        yield ""
        yield from _investment_lines(budget.investment, budget.currency)
    for note in budget.notes:
        yield f"note: {note}"


def several_kinds(budget: Budget) -> tuple[KindOfDay, ...]:
    """Return the kinds of day where there are several; one alone needs no telling."""
    return budget.kinds_of_day if len(budget.kinds_of_day) > 1 else ()


def _kind_lines(budget: Budget) -> Iterator[str]:
    kinds = several_kinds(budget)
    if kinds:
        yield ""
        width = max(12, *(len(kind.name) + 2 for kind in kinds))
        yield f"{'kind of day':<{width}}{'days':>6}{'contacts a day':>16}   scenario"
        for kind in kinds:
            name, contacts = f"{kind.name:<{width}}", f"{kind.contacts_per_day:>16,.1f}"
            yield f"{name}{kind.days:>6g}{contacts}   {kind.scenario}"


def _difference_lines(difference: Difference) -> Iterator[str]:
    # Rounded before it is signed: what differs by rounding alone is +0.
    total, base, volume, prices = (
        f"{round(amount):+,}"
        for amount in (difference.total, difference.base, difference.volume, difference.prices)
    )
    yield (
        f"  {difference.method.value}: {total} = at the scenario's volume and prices {base}, by "
        f"volume {volume}, by prices {prices}"
    )
    if difference.kinds:
        yield "    " + ", ".join(
            f"{kind} {amount:+,.0f}" for kind, amount in difference.kinds.items() if round(amount)
        )
    for words in difference.words:
        yield f"    {words}"


def _investment_lines(found: CostBenefit, currency: str) -> Iterator[str]:
    yield f"{found.name}: {found.outlay:,.0f} {currency} at the start, {found.months} months"
    yield (
        f"  saves {found.savings_per_month:,.0f} a month when it runs, costs "
        f"{found.running_per_month:,.0f}"
    )
    yield (
        f"  pays back after {_months(found.payback_months)}; discounted at "
        f"{found.discount_per_year:.1%} a year, after {_months(found.discounted_payback_months)}"
    )
    rate = found.internal_rate_per_year
    ratio = found.benefit_cost_ratio
    yield (
        f"  net present value {found.npv:,.0f} {currency}; internal rate "
        f"{'none' if rate is None else f'{rate:.1%} a year'}; benefits over costs "
        f"{'none' if ratio is None else f'{ratio:.2f}'}"
    )


def _months(value: float | None) -> str:
    return "never in its life" if value is None else f"{value:.1f} months"
