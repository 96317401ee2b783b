"""Say what becomes of those who come: answered, gone, carried over, sent away; and who served."""

from __future__ import annotations

from typing import Final

from simulation.plan.answers import Result
from simulation.report import charts
from simulation.report.document import Chapter, Column, Form, Picture, Table
from simulation.report.wording import Words

# In this order they are drawn and tabled.
_ENDS: Final = (
    "answered", "bot", "callbacks", "abandoned", "blocked", "deflected", "expired", "cleared",
    "carried",
)  # fmt: skip


def outcomes_chapter(words: Words, result: Result) -> Chapter:
    """Return what becomes of all contacts, by demand, with what is left at closing in words."""
    ends = {
        row.name: {"answered": row.answered, **row.not_served}
        for row in result.demands
        if row.arrivals.value
    }
    kinds = [kind for kind in _ENDS if any(found.get(kind) for found in ends.values())]
    totals = {kind: sum(found.get(kind, 0.0) for found in ends.values()) for kind in kinds}
    told = [words("outcomes_words")]
    told += [
        words(f"{kind}_words", number=f"{totals[kind]:,.1f}")
        for kind in ("carried", "cleared")
        if totals.get(kind, 0.0) >= 0.05
    ]
    shares = {
        words(f"end_{kind}"): [
            found.get(kind, 0.0) / max(sum(found.values()), 1e-9) for found in ends.values()
        ]
        for kind in kinds
    }
    picture = Picture(
        "outcomes",
        words("outcomes_picture"),
        charts.parts(list(ends), shares),
        100 + 32 * len(ends),
    )
    table = Table(
        words("sheet_outcomes"),
        words("outcomes_table"),
        (
            Column(words("demand")),
            *(Column(words(f"end_{kind}"), Form.NUMBER, words("a_day")) for kind in kinds),
            Column(words("total"), Form.NUMBER, words("a_day")),
        ),
        tuple(
            (name, *(found.get(kind, 0.0) for kind in kinds), sum(found.values()))
            for name, found in ends.items()
        ),
    )
    return Chapter("outcomes", words("outcomes_title"), tuple(told), (picture,), (table,))


def served_table(words: Words, result: Result) -> Table | None:
    """Return who serves whom: contacts a day that each group begins of each demand."""
    groups = [row.name for row in result.groups]
    if len(groups) < 2:
        return None
    return Table(
        words("sheet_served"),
        words("served_table"),
        (
            Column(words("demand")),
            *(Column(name, Form.NUMBER, words("a_day")) for name in groups),
        ),
        tuple(
            (row.name, *(row.served_by.get(name, 0.0) for name in groups)) for row in result.demands
        ),
    )
