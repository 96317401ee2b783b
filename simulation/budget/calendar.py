"""Lay out the months of a budget: days of each kind, volume, wages and prices of each."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from configs.weekly_hours import WEEKDAYS
from simulation.budget.assumptions import ORDINARY, Assumptions

_YEAR = 12


@dataclass(frozen=True, kw_only=True)
class Month:
    """One month: `wages` and `prices` are indexes, 1 at the start.

    `days` are the working days of each kind, the scenario's own first. `volume` is the contacts
    of a working day over the scenario's, `growth` the part of it that is no season.
    """

    name: str
    days: Mapping[str, float]
    volume: float
    growth: float
    wages: float
    prices: float

    @property
    def working_days(self) -> float:
        """Return the working days of all kinds."""
        return sum(self.days.values())


def lay_out(first: str, months: int, assumptions: Assumptions) -> tuple[Month, ...]:
    """Return months from `first` ("2026-01") on."""
    year, number = int(first[:4]), int(first[5:])
    week = _Week(assumptions, _holidays(assumptions.country, year, year + months // _YEAR + 1))
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
                days=week.days_in(name),
                volume=season * growth,
                growth=growth,
                wages=wages,
                prices=(1 + assumptions.inflation_per_year) ** (index / _YEAR),
            )
        )
    return tuple(found)


def days_of(months: Iterable[Month]) -> dict[str, float]:
    """Return the days of each kind in all the months."""
    found: dict[str, float] = {}
    for month in months:
        for kind, days in month.days.items():
            found[kind] = found.get(kind, 0.0) + days
    return found


class _Week:
    """Know of what kind a date is: by its date, else as a holiday, else by its weekday."""

    def __init__(self, assumptions: Assumptions, holidays: frozenset[date]) -> None:
        others = assumptions.other_days
        self.kinds = (ORDINARY, *others)
        self.given = {ORDINARY: assumptions.working_days}
        self.given |= {name: other.working_days for name, other in others.items()}
        self.holidays = holidays
        self.dates = {written: name for name, other in others.items() for written in other.dates}
        self.weekdays = dict.fromkeys(WEEKDAYS[:5], ORDINARY)
        self.weekdays |= {day: name for name, other in others.items() for day in other.weekdays}
        self.on_holidays = next((name for name in others if others[name].on_holidays), None)

    def days_in(self, name: str) -> dict[str, float]:
        """Return the days of each kind in a month, counted unless they are given."""
        year, month = int(name[:4]), int(name[5:])
        found = [self._kind_of(day) for day in _dates_of(year, month)]
        return {
            kind: given[month - 1] if (given := self.given[kind]) else float(found.count(kind))
            for kind in self.kinds
        }

    def _kind_of(self, day: date) -> str | None:
        """Return the kind of a date; None when nobody works."""
        dated = self.dates.get(f"{day:%Y-%m-%d}") or self.dates.get(f"{day:%m-%d}")
        if dated is not None:
            return dated
        kind = self.weekdays.get(WEEKDAYS[day.weekday()])
        # A holiday takes the place of a day on which somebody works; others stay closed.
        return self.on_holidays if kind is not None and day in self.holidays else kind


def _dates_of(year: int, month: int) -> Iterator[date]:
    last = calendar.monthrange(year, month)[1]
    return (date(year, month, day) for day in range(1, last + 1))


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
