"""Offer budgets on the command line: `switchroom budget`."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from simulation.budget.comparison import Budget

_month = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII).fullmatch

_Output = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", help="A file .csv for the table, or a directory for page and workbook."
    ),
]
_Language = Annotated[str, typer.Option("--lang", help="Language of page and workbook: en, zh.")]


def budget(
    scenario: Annotated[Path, typer.Argument(help="A scenario with costs, or a shipped name.")],
    first: Annotated[str, typer.Option("--from", help="First month, as 2026-01.")],
    months: Annotated[int, typer.Option(min=1, max=120, help="How many months.")] = 12,
    assumptions: Annotated[
        Path | None,
        typer.Option(help="Growth, season, rises, standards, other kinds of day (YAML)."),
    ] = None,
    ledger: Annotated[
        Path | None, typer.Option(help="What was booked: month, item, amount (CSV).")
    ] = None,
    *,
    investment: Annotated[Path | None, typer.Option(help="An investment to judge (YAML).")] = None,
    days: Annotated[
        int, typer.Option(min=1, max=2_000, help="Days played to measure the drivers.")
    ] = 20,
    seed: Annotated[int, typer.Option(help="The number from which the days are drawn.")] = 1,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one a core.")] = 0,
    output: _Output = None,
    language: _Language = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Budget by month and year, three ways side by side; judge an investment.

    For example: switchroom budget sample --from 2026-01 --months 12 -o budget
    """
    from simulation.fit.commands import stop, with_libraries  # noqa: PLC0415 - on demand

    with_libraries()
    from configs.findings import ConfigError  # noqa: PLC0415 - help is quick
    from simulation.budget.assumptions import read_investment  # noqa: PLC0415 - loads pydantic
    from simulation.budget.comparison import make_budget  # noqa: PLC0415 - loads the planner
    from simulation.budget.kinds_of_day import read_kinds  # noqa: PLC0415 - as above
    from simulation.budget.methods import read_ledger  # noqa: PLC0415 - as above
    from simulation.budget.showing import as_plain, as_text  # noqa: PLC0415 - as above
    from simulation.plan.reading import load_scenario  # noqa: PLC0415 - as above

    if language not in {"en", "zh"}:
        raise typer.BadParameter(f"--lang {language}: known are en, zh")
    if not _month(first):
        raise typer.BadParameter(f'--from "{first}": write a month as 2026-01')
    try:
        main = load_scenario(scenario)
        assumed, others = read_kinds(assumptions, main)
        found = make_budget(
            main,
            first,
            months,
            assumptions=assumed,
            others=others,
            ledger=None if ledger is None else read_ledger(ledger),
            investment=None if investment is None else read_investment(investment),
            days=days,
            seed=seed,
            workers=workers,
        )
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except ValueError as error:
        stop(str(error))
    if output is not None:
        _write(found, output, language)
    if as_json:
        typer.echo(json.dumps(as_plain(found), ensure_ascii=False))
        return
    for line in as_text(found):
        typer.echo(line)


def _write(found: Budget, output: Path, language: str) -> None:
    """Write a table, or a page and a workbook into a directory."""
    from simulation.budget.showing import as_rows  # noqa: PLC0415 - loads the planner

    if output.suffix.lower() == ".csv":
        with output.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            for row in as_rows(found):
                writer.writerow([f"{x:.2f}" if isinstance(x, float) else x for x in row])
        return
    from simulation.report.budget_document import budget_document  # noqa: PLC0415 - as above
    from simulation.report.folder import write_document  # noqa: PLC0415 - as above

    page, book = write_document(budget_document(found, language), output, "budget")
    typer.echo(f"written: {page}, {book}", err=True)
