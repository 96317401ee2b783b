"""Offer the fit on the command line: `switchroom fit`, `switchroom forecast`."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from simulation.fit.layouts import Format, RepeatedHour

if TYPE_CHECKING:
    from router.center import Center
    from simulation.fit.fitting import Fit, FitOptions
    from simulation.fit.history import History
    from simulation.fit.reading import Reading

_EXTRAS = ("numpy", "scipy")


FormatOption = Annotated[Format, typer.Option("--format", help="Layout of a table.")]
ZoneOption = Annotated[str, typer.Option(help="Zone of days and hours, as Europe/Berlin.")]
HourOption = Annotated[
    RepeatedHour, typer.Option(help="Which pass an unmarked time of a repeated hour is.")
]
HolidayOption = Annotated[
    str, typer.Option(help="Days apart: an ISO country code, or dates with commas.")
]
FirstOption = Annotated[str, typer.Option("--from", help="First day, as 2026-03-02.")]
LastOption = Annotated[str, typer.Option("--to", help="Last day.")]
WithoutOption = Annotated[
    str, typer.Option(help="Days left out, as 2026-01-20,2026-02-03: an outage, a failed record.")
]
ColumnOption = Annotated[
    list[str] | None, typer.Option("--column", help='OURS=THEIRS: offered="Calls in".')
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


_Day = Annotated[
    str, typer.Option(help="Which day the scenario is: busiest, mon ... sun, holiday.")
]
_Interval = Annotated[int, typer.Option(help="Minutes of the scenario's intervals.")]
_Shifts = Annotated[
    Path | None,
    typer.Option(help="Planned shifts (CSV, workbook, .ics): who is there; absence beside them."),
]
_Staffing = Annotated[
    Path | None, typer.Option(help="Agents planned (interval_start, group, agents; CSV).")
]
_Rates = Annotated[
    Path | None, typer.Option(help="What an hour costs (group, cost_per_hour; CSV).")
]
_Currency = Annotated[str, typer.Option(help="The currency of --rates.")]
_Short = Annotated[str, typer.Option(help="A handling below this is somebody hanging up.")]
_Redial = Annotated[str, typer.Option(help="A redial comes within this time.")]
_Repeat = Annotated[str, typer.Option(help="A repeat comes within this time.")]
_Edges = Annotated[
    str, typer.Option(help="Seconds between which patience is told apart, with commas.")
]
_Law = Annotated[
    str, typer.Option(help="Law of handling in the scenario: best, empirical, or one by name.")
]


def fit(
    source: Annotated[
        Path, typer.Argument(help="A journal, a store, or counts or contacts as CSV or workbook.")
    ],
    center: Annotated[
        Path | None, typer.Option(help="The centre's directory: its queues, categories, zone.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write a scenario here, for `plan`.")
    ] = None,
    *,
    day: _Day = "busiest",
    form: FormatOption = Format.OURS,
    timezone: ZoneOption = "",
    repeated_hour: HourOption = RepeatedHour.ASK,
    interval: _Interval = 30,
    holidays: HolidayOption = "",
    shifts: _Shifts = None,
    staffing: _Staffing = None,
    rates: _Rates = None,
    currency: _Currency = "EUR",
    first: FirstOption = "",
    last: LastOption = "",
    without: WithoutOption = "",
    column: ColumnOption = None,
    short_service: _Short = "10s",
    redial_window: _Redial = "1h",
    repeat_window: _Repeat = "24h",
    hazard_edges: _Edges = "",
    law: _Law = "best",
    as_json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print no report.")] = False,
) -> None:
    """Fit demand, handling, patience and behaviour from history; write a scenario from them.

    For example: switchroom fit history.csv --center configs/tiny --timezone Europe/Madrid --day tue
    --shifts shifts.csv --rates rates.csv -o tuesday.yaml
    """
    with_libraries()
    from simulation.fit.fitting import fit_history  # noqa: PLC0415 - loads scipy
    from simulation.fit.writing import WritingOptions, write_scenario  # noqa: PLC0415 - as above

    known = load(center)
    reading = reading_of(
        form, timezone, repeated_hour, shifts=shifts, first=first, last=last, without=without,
        column=column,
    )  # fmt: skip
    options = _options(holidays, short_service, redial_window, repeat_window, hazard_edges)
    history = read(source, reading, known)
    found = fit_history(history, options)
    if output is not None:
        if center is None or known is None:
            stop("a scenario names its centre; give the directory with --center")
        wanted = WritingOptions(
            path=output, center=center, day=day, interval=interval, law=law,
            staffing=staffing, rates=rates, currency=currency,
        )  # fmt: skip
        try:
            found = with_notes(found, write_scenario(found, history, known, wanted))
        except ValueError as error:
            stop(str(error))
    _show(found, as_json=as_json, quiet=quiet)
    if output is not None:
        typer.echo(f"written to {output}; next: switchroom plan {output}", err=True)


def _show(found: Fit, *, as_json: bool, quiet: bool) -> None:
    from simulation.fit.showing import as_plain, as_text  # noqa: PLC0415 - loads scipy

    if as_json:
        typer.echo(json.dumps(as_plain(found), ensure_ascii=False))
    elif not quiet:
        for line in as_text(found):
            typer.echo(line)


def with_libraries() -> None:
    """End with a hint when the planner's libraries are not installed."""
    try:
        import numpy  # noqa: F401, ICN001, PLC0415 - asked for, not used
        import scipy  # noqa: F401, PLC0415 - as above
    except ModuleNotFoundError as error:
        stop(
            f"{error.name} is not installed; fits need the planner's libraries: "
            "pip install 'switchroom[plan]'"
        )


def stop(message: str) -> NoReturn:
    """Say what is wrong and end with exit code 1."""
    typer.echo(f"switchroom: {message}", err=True)
    raise typer.Exit(1)


def load(directory: Path | None) -> Center | None:
    """Load a centre; tell its mistakes."""
    if directory is None:
        return None
    from configs.loader import ConfigError, load_center  # noqa: PLC0415 - loads pydantic

    try:
        return load_center(directory).center
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def reading_of(
    form: Format,
    timezone: str,
    repeated_hour: RepeatedHour,
    *,
    minutes: int = 0,
    shifts: Path | None = None,
    first: str = "",
    last: str = "",
    without: str = "",
    column: list[str] | None = None,
) -> Reading:
    """Return how a source is to be read."""
    from simulation.fit.import_command import columns_of  # noqa: PLC0415 - help must not load it
    from simulation.fit.planning_files import Options  # noqa: PLC0415 - as above
    from simulation.fit.reading import Reading  # noqa: PLC0415 - as above
    from simulation.fit.tables import TableError  # noqa: PLC0415 - as above

    try:
        columns = columns_of(column or [])
    except TableError as error:
        stop(str(error))
    return Reading(
        options=Options(format=form, zone=timezone, repeated_hour=repeated_hour, columns=columns),
        minutes=minutes,
        shifts=shifts,
        first=_day("--from", first),
        last=_day("--to", last),
        without=_dates("--without", without),
    )


def _dates(option: str, text: str) -> frozenset[date]:
    days = (_day(option, part.strip()) for part in text.split(",") if part.strip())
    return frozenset(day for day in days if day is not None)


def _day(option: str, text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f'{option} "{text}": write a day as 2026-03-02') from error


def _options(holidays: str, short: str, redial: str, repeat: str, edges: str) -> FitOptions:
    from simulation.fit.fitting import FitOptions  # noqa: PLC0415 - loads scipy
    from simulation.fit.survival import HAZARD_EDGES_S  # noqa: PLC0415 - as above

    try:
        seconds = tuple(float(part) for part in edges.split(",")) if edges else HAZARD_EDGES_S
    except ValueError as error:
        raise typer.BadParameter(f"--hazard-edges {edges}: write 0,5,10,30") from error
    if list(seconds) != sorted(set(seconds)) or seconds[0] != 0:
        raise typer.BadParameter(f"--hazard-edges {edges}: begin with 0 and go up")
    return FitOptions(
        holidays=holiday_set(holidays),
        short_below_s=_seconds("--short-service", short),
        redial_window_s=_seconds("--redial-window", redial),
        repeat_window_s=_seconds("--repeat-window", repeat),
        hazard_edges_s=seconds,
    )


def _seconds(option: str, text: str) -> float:
    from configs.durations import DurationError, parse_duration  # noqa: PLC0415 - help is quick

    try:
        return parse_duration(text) / 1000
    except DurationError as error:
        raise typer.BadParameter(f"{option} {text}: {error}") from error


def holiday_set(text: str) -> frozenset[date]:
    """Return the days named by a country's code or by their dates."""
    if not text:
        return frozenset()
    if text[:1].isdigit():
        try:
            return frozenset(date.fromisoformat(part.strip()) for part in text.split(","))
        except ValueError as error:
            raise typer.BadParameter(f"--holidays {text}: write 2026-05-01,2026-12-25") from error
    import holidays as tables  # noqa: PLC0415 - a second to load

    code, _, region = text.partition("-")
    try:
        days = tables.country_holidays(code, subdiv=region or None, years=range(1990, 2051))
    except NotImplementedError as error:
        raise typer.BadParameter(f"--holidays {text}: no such country, or part of it") from error
    return frozenset(days)


def read(source: Path, reading: Reading, center: Center | None) -> History:
    """Read a source; tell what is wrong with it."""
    from router.journal import JournalError  # noqa: PLC0415 - help must not load the engine
    from simulation.fit.local_time import TimeError  # noqa: PLC0415 - loads zones
    from simulation.fit.reading import read_history  # noqa: PLC0415 - loads numpy
    from simulation.fit.tables import TableError  # noqa: PLC0415 - as above

    try:
        return read_history(source, reading, center)
    except (TableError, JournalError, TimeError) as error:
        stop(str(error))


def with_notes(found: Fit, notes: tuple[str, ...]) -> Fit:
    """Return a fit with more notes."""
    from dataclasses import replace  # noqa: PLC0415 - nothing else here needs it

    return replace(found, notes=(*found.notes, *notes))
