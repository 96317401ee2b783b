"""Make the budget by three methods: from history, from standard cost per contact, from drivers.

Each method is a function from months to money by item, so that the same method can be asked what
it says without growth and without rises: that is how differences are explained.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from configs.planning import Costs
from simulation.budget.assumptions import Assumptions
from simulation.budget.calendar import Month, days_of
from simulation.budget.drivers import Drivers, GroupDrivers, blend
from simulation.phrases import Phrase
from simulation.plan.costs import hourly

_YEAR = 12
CONTACTS = "contacts"


class Method(StrEnum):
    """Name the three methods."""

    HISTORY = "history"
    STANDARD = "standard"
    DRIVERS = "drivers"


class ItemKind(StrEnum):
    """Say what an item follows: wages of people, contacts, or nothing."""

    STAFF = "staff"
    VOLUME = "volume"
    FIXED = "fixed"
    ONCE = "once"


Money: TypeAlias = dict[str, list[float]]
Maker: TypeAlias = Callable[[Sequence[Month]], Money]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of a budget: an amount a month."""

    name: str
    kind: ItemKind
    months: tuple[float, ...]

    @property
    def total(self) -> float:
        """Return the sum over the months."""
        return sum(self.months)


@dataclass(frozen=True, kw_only=True)
class MethodBudget:
    """What one method says.

    `base` would be the total if days were the scenario's and prices stayed; `volume` is what
    growth and season add, `prices` what rises add: they sum to the total. `basis` says in words
    what the figures rest on.
    """

    method: Method
    basis: str
    items: tuple[Item, ...]
    base: float
    volume: float
    prices: float

    @property
    def months(self) -> tuple[float, ...]:
        """Return the total of each month."""
        return tuple(sum(found) for found in zip(*(i.months for i in self.items), strict=True))

    @property
    def total(self) -> float:
        """Return the total."""
        return sum(item.total for item in self.items)


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What was booked: amounts by item and calendar month, contacts if they are told."""

    name: str
    year: str
    amounts: Mapping[str, Mapping[int, float]]
    contacts: Mapping[int, float] = field(default_factory=dict)

    @property
    def total_contacts(self) -> float:
        """Return the contacts of the months told, as a year."""
        known = self.contacts
        return sum(known.values()) * _YEAR / len(known) if known else 0.0


def read_ledger(path: Path) -> Ledger:
    """Return the last twelve booked months of a CSV file: month, item, amount.

    The item `contacts` holds how many there were. Raises ValueError with row, column and value.
    """
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    if not rows or not {"month", "item", "amount"} <= set(rows[0]):
        raise ValueError(f"{path}: needs the columns month, item, amount")
    found: dict[str, dict[str, float]] = {}
    for number, row in enumerate(rows, start=2):
        try:
            amount = float(row["amount"])
        except ValueError as error:
            raise ValueError(
                f'{path}: row {number}: amount: "{row["amount"]}" is no number'
            ) from error
        month = row["month"].strip()
        if len(month) != 7 or not month[:4].isdigit() or month[5:] not in _MONTH_NAMES:
            raise ValueError(f'{path}: row {number}: month: "{month}" is no month; write 2025-01')
        booked = found.setdefault(month, {})
        item = row["item"].strip()
        booked[item] = booked.get(item, 0.0) + amount
    last = sorted(found)[-_YEAR:]
    amounts: dict[str, dict[int, float]] = {}
    for month in last:
        for item, amount in found[month].items():
            amounts.setdefault(item, {})[int(month[5:])] = amount
    contacts = amounts.pop(CONTACTS, {})
    return Ledger(
        name=str(path),
        year=Phrase("{first} to {last}", first=last[0], last=last[-1]),
        amounts=amounts,
        contacts=contacts,
    )


_MONTH_NAMES = frozenset(f"{number:02d}" for number in range(1, _YEAR + 1))


def budgets(
    kinds: Mapping[str, Drivers],
    months: Sequence[Month],
    assumptions: Assumptions,
    ledger: Ledger | None,
) -> tuple[MethodBudget, ...]:
    """Return the budget by every method that has its data; drivers always has.

    `kinds` holds the drivers of each kind of day that the months have, the scenario's own first.
    """
    day = blend(kinds, days_of(months))
    by_drivers = _driver_maker(kinds, assumptions)
    follows = {name: _kind_of(name, day.costs) for name in by_drivers(months)}
    found = []
    if ledger is not None:
        follows |= {name: _kind_of(name, day.costs) for name in ledger.amounts}
        basis: str = Phrase(
            "{ledger}, {year}: each item's same month, with volume and prices",
            ledger=ledger.name,
            year=ledger.year,
        )
        maker = _history_maker(ledger, day.costs)
        found.append(_make(Method.HISTORY, basis, maker, months, follows))
    standard, basis = _standards(day, months, assumptions, ledger, by_drivers)
    maker = _standard_maker(kinds, standard, _wage_share(by_drivers(months), day.costs))
    follows |= {name: ItemKind.VOLUME for name in maker(months) if name not in follows}
    found.append(_make(Method.STANDARD, basis, maker, months, follows))
    played = dict.fromkeys(
        Phrase("{days} days of {scenario}", days=one.days, scenario=one.scenario)
        for one in kinds.values()
    )
    basis = Phrase("{played} played from seed {seed}", played=tuple(played), seed=day.seed)
    found.append(_make(Method.DRIVERS, basis, by_drivers, months, follows))
    return tuple(found)


def _make(
    method: Method,
    basis: str,
    maker: Maker,
    months: Sequence[Month],
    follows: Mapping[str, ItemKind],
) -> MethodBudget:
    """Ask a method three times: as things are, with the volume, with volume and prices."""

    def total(asked: Sequence[Month]) -> float:
        return sum(sum(amounts) for amounts in maker(asked).values())

    steady = [replace(month, wages=1.0, prices=1.0) for month in months]
    base = total([replace(month, volume=1.0, growth=1.0) for month in steady])
    with_volume = total(steady)
    money = maker(months)
    whole = sum(sum(amounts) for amounts in money.values())
    return MethodBudget(
        method=method,
        basis=basis,
        items=tuple(
            Item(name=name, kind=follows[name], months=tuple(amounts))
            for name, amounts in money.items()
            if any(amounts)
        ),
        base=base,
        volume=with_volume - base,
        prices=whole - with_volume,
    )


def _kind_of(name: str, costs: Costs) -> ItemKind:
    if name in costs.fixed_per_month:
        return ItemKind.FIXED
    if name in costs.once:
        return ItemKind.ONCE
    staff = ("salar", "wage", "benefit", "overtime", "staff", "insurance")
    return ItemKind.STAFF if any(word in name.lower() for word in staff) else ItemKind.VOLUME


# --- drivers --------------------------------------------------------------------------------------


def _driver_maker(kinds: Mapping[str, Drivers], assumptions: Assumptions) -> Maker:
    def make(months: Sequence[Month]) -> Money:
        money: Money = {}
        days = [blend(kinds, month.days) for month in months]

        def book(name: str, index: int, amount: float) -> None:
            money.setdefault(name, [0.0] * len(months))[index] += amount

        for group in zip(*(day.groups for day in days), strict=True):
            _book_group(group, months, book, follow=assumptions.heads_follow_volume)
        costs = days[0].costs
        for index, (month, day) in enumerate(zip(months, days, strict=True)):
            scale = month.working_days * month.volume
            for channel, price in costs.per_minute.items():
                minutes = day.talk_minutes.get(channel, 0.0) * scale
                book("telephony", index, minutes * price * month.prices)
            for promise, price in costs.breach.items():
                broken = day.breaches.get(promise, 0.0) * scale
                book("penalties for breaches", index, broken * price)
            for name, amount in costs.fixed_per_month.items():
                book(name, index, amount * month.prices)
        for name, amount in costs.once.items():
            book(name, 0, amount)
        return money

    return make


def _book_group(
    group: Sequence[GroupDrivers],
    months: Sequence[Month],
    book: Callable[[str, int, float], None],
    *,
    follow: bool,
) -> None:
    """Book a group, as the mean day of each month has it: heads by the month, the rest by day."""
    name, rate = group[0].name, group[0].rate
    per_hour = hourly(rate)
    most = float(group[0].heads)
    for index, (month, day) in enumerate(zip(months, group, strict=True)):
        volume = month.volume if follow else 1.0
        heads, days = day.heads * volume, month.working_days
        salaries = heads * rate.salary_per_month * month.wages
        book(Phrase("salaries {group}", group=name), index, salaries)
        book("benefits and social insurance", index, salaries * rate.benefits)
        paid = day.paid_h * days * volume * rate.per_hour * month.wages
        book(Phrase("hourly pay {group}", group=name), index, paid)
        after = day.after_h * days * month.volume * per_hour * rate.overtime * month.wages
        book("overtime", index, after)
        contacts = day.handled * days * month.volume
        book("outsourcing per contact", index, contacts * rate.per_contact * month.prices)
        # Who leaves is replaced; who comes on top of the most there ever were is hired, too.
        hired = heads * day.turnover_per_year / _YEAR + max(0.0, heads - most)
        most = max(most, heads)
        book("recruiting", index, hired * rate.recruiting * month.prices)
        training = heads * rate.training_per_year / _YEAR + hired * rate.training
        book("training", index, training * month.prices)
        book("licences", index, heads * rate.licence_per_month * month.prices)


# --- standard cost --------------------------------------------------------------------------------


def _standards(
    day: Drivers,
    months: Sequence[Month],
    assumptions: Assumptions,
    ledger: Ledger | None,
    by_drivers: Maker,
) -> tuple[dict[str, float], str]:
    """Return the standard cost of a contact by channel, fixed items apart, and where it is from.

    `day` is the mean working day of all the months.
    """
    if assumptions.standard_cost:
        missing = [name for name in day.contacts if name not in assumptions.standard_cost]
        if missing:
            raise ValueError(f"standard_cost says nothing of {', '.join(missing)}; add it")
        return dict(assumptions.standard_cost), Phrase("standard cost per contact as assumed")
    contacts = day.contacts_per_day
    work = sum(day.work_minutes.values())
    if ledger is not None and ledger.total_contacts:
        spent = sum(
            sum(amounts.values()) * _YEAR / len(amounts)
            for name, amounts in ledger.amounts.items()
            if _kind_of(name, day.costs) in {ItemKind.STAFF, ItemKind.VOLUME}
        )
        average = spent / ledger.total_contacts
        basis = Phrase(
            "cost per contact of {ledger}, {year}, by the work of each channel",
            ledger=ledger.name,
            year=ledger.year,
        )
    else:
        plain_months = [replace(m, volume=1.0, wages=1.0, prices=1.0) for m in months]
        money = by_drivers(plain_months)
        spent = sum(
            sum(amounts)
            for name, amounts in money.items()
            if _kind_of(name, day.costs) in {ItemKind.STAFF, ItemKind.VOLUME}
        )
        average = spent / (contacts * sum(month.working_days for month in months))
        basis = Phrase(
            "the drivers' cost per contact at the scenario's volume, by the work of each channel"
        )
    return {
        channel: average * (day.work_minutes[channel] / work) / (number / contacts)
        for channel, number in day.contacts.items()
        if number
    }, basis


def _standard_maker(
    kinds: Mapping[str, Drivers], standard: Mapping[str, float], wage_share: float
) -> Maker:
    def make(months: Sequence[Month]) -> Money:
        money: Money = {}
        days = [blend(kinds, month.days) for month in months]
        costs = days[0].costs
        for channel, cost in standard.items():
            money[Phrase("contacts {channel}", channel=Phrase(channel))] = [
                day.contacts.get(channel, 0.0)
                * month.working_days
                * month.volume
                * cost
                * (wage_share * month.wages + (1 - wage_share) * month.prices)
                for month, day in zip(months, days, strict=True)
            ]
        for name, amount in costs.fixed_per_month.items():
            money[name] = [amount * month.prices for month in months]
        for name, amount in costs.once.items():
            money[name] = [amount] + [0.0] * (len(months) - 1)
        return money

    return make


def _wage_share(money: Money, costs: Costs) -> float:
    """Return the share of wages in what is not fixed."""
    follows = {name: _kind_of(name, costs) for name in money}
    staff = sum(sum(money[name]) for name, kind in follows.items() if kind is ItemKind.STAFF)
    volume = sum(sum(money[name]) for name, kind in follows.items() if kind is ItemKind.VOLUME)
    return staff / (staff + volume) if staff + volume else 0.0


# --- history --------------------------------------------------------------------------------------


def _history_maker(ledger: Ledger, costs: Costs) -> Maker:
    def make(months: Sequence[Month]) -> Money:
        return {
            name: [
                _booked(amounts, month) * _follows(_kind_of(name, costs), month) for month in months
            ]
            for name, amounts in ledger.amounts.items()
            if _kind_of(name, costs) is not ItemKind.ONCE
        }

    return make


def _booked(amounts: Mapping[int, float], month: Month) -> float:
    """Return the same month's amount, the mean where nothing was booked in it."""
    own = amounts.get(int(month.name[5:]))
    return sum(amounts.values()) / len(amounts) if own is None else own


def _follows(kind: ItemKind, month: Month) -> float:
    """Return how an item grows; the season is in the booked months already."""
    match kind:
        case ItemKind.STAFF:
            return month.growth * month.wages
        case ItemKind.VOLUME:
            return month.growth * month.prices
        case _:
            return month.prices
