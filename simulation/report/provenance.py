"""Close a document with what it takes to repeat its run: names, hashes, seed, days."""

from __future__ import annotations

from simulation.report.document import Chapter, Column, Table
from simulation.report.wording import Words


def run_table(words: Words, rows: tuple[tuple[str, str], ...]) -> Table:
    """Return a table of what was run, a row a fact: (what, value)."""
    return Table(
        words("sheet_run"),
        words("run_table"),
        (Column(words("what")), Column(words("value"))),
        rows,
        open=True,
    )


def run_chapter(words: Words, told: str, rows: tuple[tuple[str, str], ...]) -> Chapter:
    """Return the last chapter of a document; `told` says how the run is repeated."""
    return Chapter("run", words("run_title"), (told,), (), (run_table(words, rows),))
