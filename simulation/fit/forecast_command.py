"""Offer forecasts and made-up histories on the command line: `switchroom forecast`, `history`."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulation.fit.commands import (
    ColumnOption,
    FirstOption,
    FormatOption,
    HolidayOption,
    HourOption,
    JsonOption,
    LastOption,
    WithoutOption,
    ZoneOption,
    holiday_set,
    load,
    read,
    reading_of,
    stop,
    with_libraries,
)
from simulation.fit.layouts import Format, RepeatedHour

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from simulation.fit.forecasting import DayForecast, Judged

    Found: TypeAlias = dict[str, tuple[list[DayForecast], list[Judged]]]

_COLUMNS = ("day", "kind", "source", "mean", "low", "high")
# How many open days ahead forecasts of the past are judged, beside the next day.
_HORIZONS = (5, 10, 20)


def forecast(
    source: Annotated[
        Path, typer.Argument(help="A journal, a store, or counts or contacts as CSV or workbook.")
    ],
    center: Annotated[Path | None, typer.Option(help="The centre's directory.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the days here, as CSV.")
    ] = None,
    *,
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days ahead.")] = 28,
    coverage: Annotated[
        float, typer.Option(min=0.5, max=0.99, help="How often the interval should hold.")
    ] = 0.9,
    form: FormatOption = Format.OURS,
    timezone: ZoneOption = "",
    repeated_hour: HourOption = RepeatedHour.ASK,
    holidays: HolidayOption = "",
    first: FirstOption = "",
    last: LastOption = "",
    without: WithoutOption = "",
    column: ColumnOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forecast daily volumes with intervals made of the forecast's own past errors.

    For example: switchroom forecast history.csv --timezone Europe/Madrid --days 14
    """
    with_libraries()
    from simulation.fit.forecasting import Forecaster  # noqa: PLC0415 - loads numpy
    from simulation.fit.showing import as_plain  # noqa: PLC0415 - as above

    reading = reading_of(
        form, timezone, repeated_hour, first=first, last=last, without=without, column=column
    )
    history = read(source, reading, load(center))
    apart = holiday_set(holidays)
    found: Found = {}
    for table in history.tables:
        try:
            forecaster = Forecaster(table.days, table.totals, apart, coverage)
        except ValueError as error:
            stop(f"{table.name}: {error}")
        judged = (forecaster.judge(horizon) for horizon in (1, *_HORIZONS) if horizon <= days)
        known = [one for one in judged if one is not None]
        found[table.name] = (forecaster.forecast(days), known)
    if output is not None:
        _write(output, found)
    if as_json:
        plain = {
            name: {
                "days": as_plain(ahead),
                "judged": as_plain(past[0] if past else None),
                "judged_ahead": as_plain(past[1:]),
            }
            for name, (ahead, past) in found.items()
        }
        typer.echo(json.dumps(plain, ensure_ascii=False))
        return
    for note in history.notes:
        typer.echo(note)
    for name, (ahead, past) in found.items():
        typer.echo(name)
        for line in _lines(ahead, past, coverage):
            typer.echo(f"  {line}")


def _lines(ahead: list[DayForecast], judged: list[Judged], coverage: float) -> Iterator[str]:
    """Yield how good past forecasts were, then the days ahead, with the interval asked for."""
    if judged:
        first = judged[0]
        yield (
            f"one day ahead, on {first.days} past days: {first.covered.value:.1%} within the "
            f"{coverage:.0%} interval; off by {first.error:.1%} on average (last week's same day: "
            f"{first.naive:.1%})"
        )
        for other in judged[1:]:
            yield (
                f"{other.horizon} open days ahead: {other.covered.value:.1%} within; off by "
                f"{other.error:.1%} ({other.naive:.1%})"
            )
    else:
        yield "too few days to judge the forecast by its past"
    for day in ahead:
        between = f"{day.low:8.0f} to {day.high:8.0f}" if math.isfinite(day.low) else "not known"
        mark = " ~" if day.stretched else ""
        yield f"{day.day} {day.kind:<8} {day.mean:8.0f}   {between}{mark}"
    if any(day.stretched for day in ahead):
        yield "~ too few past days at this distance: widened from the longest one that is known"


def _write(path: Path, found: Found) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for name, (ahead, _) in found.items():
            for day in ahead:
                values = (day.mean, day.low, day.high)
                figures = (f"{value:.1f}" if math.isfinite(value) else "" for value in values)
                writer.writerow((day.day, day.kind, name, *figures))


def history(
    scenario: Annotated[Path, typer.Argument(help="A scenario file, or a shipped one's name.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The CSV file to write.")],
    first: Annotated[str, typer.Option("--from", help="The first day.")] = "2026-01-05",
    weeks: Annotated[int, typer.Option(min=1, max=520, help="How many weeks.")] = 8,
    seed: Annotated[int, typer.Option(help="The number from which everything is drawn.")] = 1,
    weekdays: Annotated[
        str, typer.Option(help="Factors of weekdays; those not named are closed.")
    ] = "mon=1,tue=1,wed=1,thu=1,fri=1",
    *,
    alpha: Annotated[
        float, typer.Option(min=0, help="Shape of the days' busyness; 0: the scenario's own.")
    ] = 0.0,
    contacts: Annotated[
        bool, typer.Option(help="A row per contact instead of one per interval and queue.")
    ] = False,
) -> None:
    """Play a scenario over weeks and record it as a telephone system would, truth known.

    For example: switchroom history tiny --weeks 8 -o history.csv
    """
    with_libraries()
    from configs.findings import ConfigError  # noqa: PLC0415 - help is quick
    from simulation.fit.recording import Recording, write_contacts, write_counts  # noqa: PLC0415
    from simulation.plan.reading import load_scenario  # noqa: PLC0415 - loads the planner

    try:
        loaded = load_scenario(scenario)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if alpha:
        loaded = replace(loaded, busyness=replace(loaded.busyness, alpha=alpha, alphas={}))
    try:
        recording = Recording(
            first=date.fromisoformat(first),
            days=7 * weeks,
            seed=seed,
            weekdays=_factors(weekdays),
        )
    except ValueError as error:
        raise typer.BadParameter(f"--from {first}: write a day as 2026-01-05") from error
    rows = (write_contacts if contacts else write_counts)(loaded, recording, output)
    typer.echo(f"{rows} rows written to {output}", err=True)


def _factors(text: str) -> dict[str, float]:
    from simulation.fit.arrivals import WEEKDAYS  # noqa: PLC0415 - loads scipy

    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, factor = part.strip().partition("=")
        try:
            value = float(factor)
        except ValueError:
            value = -1.0
        if name not in WEEKDAYS or not 0 <= value <= 1_000:
            raise typer.BadParameter(f'--weekdays "{part}": write mon=1.2,tue=1')
        found[name] = value
    return found
