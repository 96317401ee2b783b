"""Lay out the months of a budget: working days, volume, wages and prices of each."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from simulation.budget.assumptions import Assumptions

_YEAR = 12


@dataclass(frozen=True, kw_only=True)
class Month:
    """One month: `wages` and `prices` are indexes, 1 at the start.

    `volume` is the contacts of a working day over the scenario's, `growth` the part of it that
    is no season.
    """

    name: str
    working_days: float
    volume: float
    growth: float
    wages: float
    prices: float


def lay_out(first: str, months: int, assumptions: Assumptions) -> tuple[Month, ...]:
    """Return months from `first` ("2026-01") on."""
    year, number = int(first[:4]), int(first[5:])
    holidays = _holidays(assumptions.country, year, year + months // _YEAR + 1)
    found = []
    wages = 1.0
    for index in range(months):
        place = (number - 1 + index) % _YEAR
        name = f"{year + (number - 1 + index) // _YEAR:04d}-{place + 1:02d}"
        wages *= 1 + assumptions.wage_rises.get(name, 0.0)
        growth = (1 + assumptions.growth_per_year) ** (index / _YEAR)
        season = assumptions.season[place] if assumptions.season else 1.0
        found.append(
            Month(
                name=name,
                working_days=_working_days(name, assumptions.working_days, holidays),
                volume=season * growth,
                growth=growth,
                wages=wages,
                prices=(1 + assumptions.inflation_per_year) ** (index / _YEAR),
            )
        )
    return tuple(found)


def _working_days(name: str, given: Sequence[float], holidays: frozenset[date]) -> float:
    year, month = int(name[:4]), int(name[5:])
    if given:
        return given[month - 1]
    days = (date(year, month, day) for day in range(1, calendar.monthrange(year, month)[1] + 1))
    return float(sum(1 for day in days if day.weekday() < 5 and day not in holidays))


def _holidays(country: str, first: int, last: int) -> frozenset[date]:
    if not country:
        return frozenset()
    import holidays  # noqa: PLC0415 - a second to load

    code, _, region = country.partition("-")
    try:
        found = holidays.country_holidays(code, subdiv=region or None, years=range(first, last + 1))
    except NotImplementedError as error:
        raise ValueError(
            f'country "{country}": no holidays are known for it; write an ISO code such as DE, or '
            "DE-BY, or give working_days"
        ) from error
    return frozenset(found)
