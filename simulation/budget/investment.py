"""Judge an investment: cash flows month by month, payback, net present value, internal rate.

Flows come at the end of their months, the outlay at the start. Savings by deflected contacts and
by shorter handling are shares of what the budget from drivers spends on them: staff that follows
the contacts, and what is paid by contact or minute.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simulation.budget.assumptions import Investment
from simulation.budget.calendar import Month
from simulation.budget.methods import ItemKind, MethodBudget

_YEAR = 12
_PENALTIES = "penalties for breaches"
# Paid by the contact, however long it takes.
_BY_CONTACT = frozenset({"outsourcing per contact", _PENALTIES})


@dataclass(frozen=True, kw_only=True)
class CostBenefit:
    """What an investment brings.

    `flows[0]` is the outlay (negative), `flows[m]` what month m brings on balance; `cumulative`
    their running sum. `payback_months` until the sum is no longer negative, within a month by
    proportion; `discounted_payback_months` likewise of discounted flows; None: not in its life.
    `npv` at `discount_per_year`; `internal_rate_per_year` None where no rate makes it zero.
    `benefit_cost_ratio`: discounted savings over discounted costs.
    """

    name: str
    months: int
    discount_per_year: float
    outlay: float
    savings_per_month: float
    running_per_month: float
    flows: tuple[float, ...]
    cumulative: tuple[float, ...]
    payback_months: float | None
    discounted_payback_months: float | None
    npv: float
    internal_rate_per_year: float | None
    benefit_cost_ratio: float | None


def judge(investment: Investment, drivers: MethodBudget, months: Sequence[Month]) -> CostBenefit:
    """Judge an investment against the budget from drivers; after its last month years repeat."""
    assert len(drivers.months) == len(months), "one amount a month"
    full = [_saving(investment, drivers, index) for index in range(len(months))]
    running = sum(investment.per_month.values())
    savings = [
        _in_month(full, month) * _ramp(investment, month) for month in range(investment.months)
    ]
    flows = [-sum(investment.outlay.values())]
    flows += [saved - running for saved in savings]
    flows[-1] += investment.residual
    rate = (1 + investment.discount_per_year) ** (1 / _YEAR) - 1
    discounted = [flow / (1 + rate) ** month for month, flow in enumerate(flows)]
    gains = sum(saved / (1 + rate) ** month for month, saved in enumerate(savings, start=1))
    gains += investment.residual / (1 + rate) ** investment.months
    costs = gains - sum(discounted)
    return CostBenefit(
        name=investment.name,
        months=investment.months,
        discount_per_year=investment.discount_per_year,
        outlay=-flows[0],
        savings_per_month=sum(full) / len(full),
        running_per_month=running,
        flows=tuple(flows),
        cumulative=tuple(sum(flows[: month + 1]) for month in range(len(flows))),
        payback_months=payback(flows),
        discounted_payback_months=payback(discounted),
        npv=sum(discounted),
        internal_rate_per_year=internal_rate(flows),
        benefit_cost_ratio=gains / costs if costs > 0 else None,
    )


def _in_month(full: list[float], month: int) -> float:
    """Return a month's saving; beyond the budget its last year is repeated."""
    if month < len(full):
        return full[month]
    last = full[-min(_YEAR, len(full)) :]
    return last[(month - len(full)) % len(last)]


def _ramp(investment: Investment, month: int) -> float:
    if not investment.ramp_up_months:
        return 1.0
    return min(1.0, (month + 1) / investment.ramp_up_months)


def _saving(investment: Investment, drivers: MethodBudget, index: int) -> float:
    """Return what a month saves once all is running; deflected contacts are handled by nobody."""
    staff = timed = counted = penalties = 0.0
    for item in drivers.items:
        amount = item.months[index]
        if item.name == _PENALTIES:
            penalties += amount
        elif item.name in _BY_CONTACT:
            counted += amount
        elif item.kind is ItemKind.STAFF:
            staff += amount
        elif item.kind is ItemKind.VOLUME:
            timed += amount
    left = 1 - investment.deflects
    saved = (staff + timed) * (1 - left * (1 - investment.handle_time))
    saved += counted * investment.deflects
    saved += penalties * (1 - left * (1 - investment.breaches))
    return saved + sum(investment.saves_per_month.values())


def payback(flows: Sequence[float]) -> float | None:
    """Return the months until the flows have paid for the outlay and stay so; None: never."""
    total, found = 0.0, None
    for month, flow in enumerate(flows):
        before, total = total, total + flow
        if total >= 0 and before < 0:
            found = month - 1 + (-before / flow)
        elif total < 0:
            found = None
        elif month == 0:
            found = 0.0
    return found


def internal_rate(flows: Sequence[float]) -> float | None:
    """Return the yearly rate at which the flows are worth nothing; None where there is none."""

    def worth(rate: float) -> float:
        return sum(flow / (1 + rate) ** month for month, flow in enumerate(flows))

    low, high = -0.2, 1.0
    if not (worth(low) > 0 > worth(high)):
        return None
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if worth(middle) > 0 else (low, middle)
    return math.expm1(_YEAR * math.log1p((low + high) / 2))
