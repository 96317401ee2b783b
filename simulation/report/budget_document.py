"""Put a budget in order: what is asked for by month, what it is made of, why others differ."""

from __future__ import annotations

from simulation.budget.assumptions import ORDINARY
from simulation.budget.comparison import Budget
from simulation.budget.investment import CostBenefit
from simulation.budget.methods import MethodBudget
from simulation.budget.showing import several_kinds
from simulation.report import charts, charts_beside
from simulation.report.document import Chapter, Column, Document, Fact, Form, Picture, Table
from simulation.report.plan_document import labels, release
from simulation.report.provenance import run_chapter
from simulation.report.wording import Words


def budget_document(budget: Budget, language: str = "en") -> Document:
    """Return the document of a budget."""
    words = Words(language)
    drivers = budget.methods[-1]
    contacts = sum(budget.contacts)
    others = "".join(
        words(
            "budget_other",
            method=words.name(method.method.value),
            change=f"{100 * (method.total / drivers.total - 1):+.1f}",
        )
        for method in budget.methods[:-1]
        if drivers.total
    )
    answer = words(
        "budget_answer",
        first=budget.months[0].name,
        last=budget.months[-1].name,
        total=f"{drivers.total:,.0f}",
        currency=budget.currency,
        each=f"{drivers.total / contacts:,.2f}" if contacts else "–",
        other=others,
    )
    chapters = [_months(words, budget)]
    if several_kinds(budget):
        chapters.append(_kinds(words, budget))
    chapters.append(_items(words, budget, drivers))
    if budget.differences:
        chapters.append(_differences(words, budget))
    if budget.investment is not None:
        chapters.append(_investment(words, budget.investment, budget.currency))
    basis = tuple(
        words("basis", method=words.name(method.method.value), basis=method.basis)
        for method in budget.methods
    )
    chapters.append(
        Chapter("notes", words("budget_notes"), (*basis, *map(words.name, budget.notes)))
    )
    chapters += _basis(words, budget)
    return Document(
        title=words("budget_title", name=budget.scenario),
        language=language,
        answer=answer,
        good=None,
        facts=tuple(
            Fact(
                f"{words.name(method.method.value)} ({budget.currency})",
                f"{method.total:,.0f}",
                words("each_contact", cost=f"{method.total / contacts:,.2f}") if contacts else "",
            )
            for method in reversed(budget.methods)
        ),
        chapters=tuple(chapters),
        foot=words("budget_foot", version=release(), months=len(budget.months)),
        labels=labels(words),
    )


def _basis(words: Words, budget: Budget) -> list[Chapter]:
    rows = (
        (words("scenario"), budget.scenario),
        (words("seed"), str(budget.seed)),
        (words("days_played"), str(budget.days)),
        (words("first_month"), budget.months[0].name),
        (words("month_count"), str(len(budget.months))),
    )
    keys = ("definition_budget_drivers", "definition_budget_standard", "definition_budget_history")
    return [
        Chapter("definitions", words("definitions_title"), tuple(words(key) for key in keys)),
        run_chapter(words, words("budget_run_words"), rows),
    ]


def _kind(words: Words, name: str) -> str:
    return words("ordinary_days") if name == ORDINARY else name


def _kinds(words: Words, budget: Budget) -> Chapter:
    table = Table(
        words("sheet_kinds_of_day"),
        words("kinds_of_day_table"),
        (
            Column(words("kind_of_day")),
            Column(words("scenario")),
            Column(words("working_days"), Form.NUMBER),
            Column(words("contacts_a_day_played"), Form.NUMBER),
            Column(words("days_played"), Form.WHOLE),
        ),
        tuple(
            (
                _kind(words, kind.name),
                kind.scenario,
                kind.days,
                kind.contacts_per_day,
                float(kind.played),
            )
            for kind in budget.kinds_of_day
        ),
        open=True,
    )
    told = (words("kinds_of_day_words"),)
    return Chapter("kinds", words("kinds_of_day_title"), told, (), (table,))


def _months(words: Words, budget: Budget) -> Chapter:
    kinds = several_kinds(budget)
    money = [
        Column(words.name(method.method.value), Form.MONEY, budget.currency)
        for method in budget.methods
    ]
    table = Table(
        words("sheet_months"),
        words("months_table"),
        (
            Column(words("month")),
            Column(words("working_days"), Form.NUMBER),
            *(Column(_kind(words, kind.name), Form.NUMBER, words("days")) for kind in kinds),
            Column(words("contacts"), Form.WHOLE),
            *money,
        ),
        tuple(
            (
                month.name,
                month.working_days,
                *(month.days[kind.name] for kind in kinds),
                budget.contacts[index],
                *(method.months[index] for method in budget.methods),
            )
            for index, month in enumerate(budget.months)
        ),
        drawn=tuple(range(3 + len(kinds), 3 + len(kinds) + len(money))),
        open=True,
    )
    years = Table(
        words("sheet_years"),
        words("years_table"),
        (Column(words("month")), *money),
        tuple(
            (
                words("budget_year", year=year.year, months=year.months),
                *(year.totals[method.method.value] for method in budget.methods),
            )
            for year in budget.years
        ),
    )
    series = {words.name(method.method.value): method.months for method in budget.methods}
    option = charts_beside.months(words, [month.name for month in budget.months], series)
    picture = Picture("months", words("budget_picture", currency=budget.currency), option)
    return Chapter(
        "months", words("budget_months"), (words("budget_words"),), (picture,), (table, years)
    )


def _items(words: Words, budget: Budget, drivers: MethodBudget) -> Chapter:
    table = Table(
        words("sheet_items"),
        words("items_table"),
        (
            Column(words("method")),
            Column(words("item")),
            Column(words("follows")),
            Column(words("amount"), Form.MONEY, budget.currency),
            Column(words("share_of_all"), Form.SHARE, words("share_unit")),
        ),
        tuple(
            (
                words.name(method.method.value),
                words.name(item.name),
                words.name(item.kind.value),
                item.total,
                item.total / method.total if method.total else None,
            )
            for method in budget.methods
            for item in method.items
        ),
        open=True,
    )
    parts = {item.name: item.total for item in drivers.items}
    picture = Picture(
        "items",
        words("budget_items_picture", currency=budget.currency),
        charts.amounts(words, parts, budget.currency),
        70 + 36 * len(parts),
    )
    return Chapter("items", words("budget_items"), (), (picture,), (table,))


def _differences(words: Words, budget: Budget) -> Chapter:
    table = Table(
        words("sheet_differences"),
        words("differences_table"),
        (
            Column(words("method")),
            *(
                Column(words(part), Form.MONEY, budget.currency)
                for part in ("total", "by_base", "by_volume", "by_prices")
            ),
        ),
        tuple(
            (
                words.name(found.method.value),
                # To the cent; plus zero, for what differs by rounding alone is no "-0".
                *(
                    round(amount, 2) + 0.0
                    for amount in (found.total, found.base, found.volume, found.prices)
                ),
            )
            for found in budget.differences
        ),
        open=True,
    )
    told = tuple(
        words("basis", method=words.name(found.method.value), basis=reason)
        for found in budget.differences
        for reason in found.words
    )
    return Chapter("differences", words("budget_differences"), told, (), (table,))


def _investment(words: Words, found: CostBenefit, currency: str) -> Chapter:
    payback = words("payback_never")
    if found.payback_months is not None:
        payback = words("payback", months=f"{found.payback_months:.1f}")
    told = words(
        "investment_words",
        outlay=f"{found.outlay:,.0f}",
        currency=currency,
        months=found.months,
        payback=payback,
        npv=f"{found.npv:,.0f}",
    )
    option = charts_beside.cumulative(words, found.flows, found.cumulative)
    table = Table(
        words("sheet_investment"),
        words("investment_table"),
        (
            Column(words("month"), Form.WHOLE),
            Column(words("flow"), Form.MONEY, currency),
            Column(words("running_sum"), Form.MONEY, currency),
        ),
        tuple(
            (float(month), flow, running)
            for month, (flow, running) in enumerate(zip(found.flows, found.cumulative, strict=True))
        ),
        drawn=(1, 2),
    )
    return Chapter(
        "investment",
        words("budget_investment", name=found.name),
        (told,),
        (Picture("investment", words("investment_picture", currency=currency), option),),
        (table,),
    )
