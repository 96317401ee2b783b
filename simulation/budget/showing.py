"""Show a budget as text, as rows, and as plain values for JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from enum import Enum
from typing import Any

from simulation.budget.comparison import Budget, Difference
from simulation.budget.investment import CostBenefit


def as_plain(value: Any) -> Any:
    """Return a budget as JSON can hold it, totals included."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        plain = {
            field.name: as_plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
        if hasattr(value, "total") and "total" not in plain:
            plain["total"] = value.total
        return plain
    if isinstance(value, dict):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    return value


def as_rows(budget: Budget) -> Iterator[tuple[str | float, ...]]:
    """Yield a table: a header, then method, item, kind, a column a month, the total."""
    yield ("method", "item", "follows", *(month.name for month in budget.months), "total")
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
    yield f"{'month':<10}{'days':>6}{'contacts':>11}" + "".join(f"{name:>15}" for name in names)
    for index, month in enumerate(budget.months):
        amounts = "".join(f"{method.months[index]:>15,.0f}" for method in budget.methods)
        yield f"{month.name:<10}{month.working_days:>6g}{budget.contacts[index]:>11,.0f}{amounts}"
    for year in budget.years:
        amounts = "".join(f"{year.totals[name]:>15,.0f}" for name in names)
        yield f"{year.year:<10}{'':>17}{amounts}"
    contacts = sum(budget.contacts)
    each = "".join(f"{method.total / contacts:>15,.2f}" for method in budget.methods)
    yield f"{'a contact':<10}{'':>17}{each}"
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


def _difference_lines(difference: Difference) -> Iterator[str]:
    yield (
        f"  {difference.method.value}: {difference.total:+,.0f} = at the scenario's volume and "
        f"prices {difference.base:+,.0f}, by volume {difference.volume:+,.0f}, by prices "
        f"{difference.prices:+,.0f}"
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
