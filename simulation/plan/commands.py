"""Offer planning on the command line: `switchroom plan` and `switchroom compare`."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from simulation.plan.playing import each_wish, play_pairs, play_until, wishes_of, with_wishes
from simulation.report.options import Language, Show, check_report, write_report

if TYPE_CHECKING:
    from configs.planning import Scenario
    from simulation.plan.answers import Result
    from simulation.plan.replications import Workers

EXIT_UNDER: Final = 4
EXIT_INTERRUPTED: Final = 130
_EXTRAS: Final = ("numpy", "scipy", "simpy", "pydantic", "jinja2", "xlsxwriter")
_SHIFTS_OF_SECONDS: Final = 1_000


def register(app: typer.Typer) -> None:
    """Mount the planner's commands; the simulator loads when one is called."""
    app.command("plan")(plan)
    app.command("compare")(compare)


_SCENARIO_HELP = "A scenario file, a centre's directory, or sample or tiny."
_Seed = Annotated[
    int, typer.Option(min=0, help="The number from which all days are drawn: same seed, same days.")
]
_Days = Annotated[
    int | None,
    typer.Option(
        "--replications",
        "--days",
        min=1,
        help="Play so many days (rounded up to tens where days differ much). Else: until precise.",
    ),
]
_Precision = Annotated[
    float,
    typer.Option(
        min=1e-4,
        help="Play until half the 95 % interval of the service level is this share of it.",
    ),
]
_DaysMax = Annotated[int, typer.Option(min=1, help="But no more days than this.")]
_Target = Annotated[
    str,
    typer.Option(help="percent/seconds or percent/duration: 80/20, 90/2m. Else the scenario's."),
]
_Count = Annotated[int, typer.Option("--workers", help="Processes; 0: one a core.")]
_Add = Annotated[
    list[str] | None,
    typer.Option(
        "--add", help="GROUP=2: so many agents more, on its longest shift; GROUP=-1: fewer."
    ),
]
_Between = Annotated[
    str, typer.Option(help="10:00-14:00: those of --add work one shift at these hours.")
]
_Demand = Annotated[list[str] | None, typer.Option("--demand", help="+10%, -5%: other volume.")]
_Sick = Annotated[list[str] | None, typer.Option("--sick", help="5%: so many more are absent.")]
_Change = Annotated[
    list[str] | None,
    typer.Option("--change", help="PATH=VALUE of the scenario: workforce.care.adherence=0.9."),
]
_AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def plan(
    scenario: Annotated[Path, typer.Argument(help=_SCENARIO_HELP)],
    target: _Target = "",
    replications: _Days = None,
    precision: _Precision = 0.025,
    days_max: _DaysMax = 100,
    seed: _Seed = 1,
    workers: _Count = 0,
    *,
    add: _Add = None,
    between: _Between = "",
    demand: _Demand = None,
    sick: _Sick = None,
    change: _Change = None,
    as_json: _AsJson = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Write report.html, plan.xlsx, plan.json and CSV tables here."
        ),
    ] = None,
    show: Show = False,
    language: Language = "en",
    fail_under: Annotated[
        float | None, typer.Option(help="Exit 4 if the service level is under this percentage.")
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(help="Write one of the days as a journal here, for explain and what-if."),
    ] = None,
    openmetrics: Annotated[
        Path | None,
        typer.Option(help="Write its metrics here, a sample a minute, for rehearse."),
    ] = None,
) -> None:
    """Say whether a scenario keeps its promise: how sure, how often not, at what cost.

    Plays whole days of it with the live router. All of --add, --demand, --sick and --change are
    made before. For example: switchroom plan tiny --target 80/20 --add shop=1 -o report
    """
    check_report(output, language, show=show)
    loaded = load(scenario, target)
    loaded = with_wishes(loaded, wishes_of(add, between, demand, sick, change))
    from simulation.plan.results import result_of  # noqa: PLC0415 - as in `load`

    with crew_of(workers) as crew:
        study, whole = play_until(loaded, replications, precision, days_max, seed, crew)
    result = result_of(study)
    if as_json:
        typer.echo(json.dumps(asdict(result), ensure_ascii=False))
    else:
        from simulation.plan.showing import show_result  # noqa: PLC0415 - as in `load`

        for line in show_result(result):
            typer.echo(line)
    if output is not None:
        _write(result, output)
        from simulation.report.plan_document import plan_document  # noqa: PLC0415 - as in `load`

        write_report(plan_document(study, language, result), output, "plan", show=show)
    if journal is not None or openmetrics is not None:
        from simulation.plan.recorded_day import record_day  # noqa: PLC0415 - as in `load`

        record_day(loaded, seed, journal=journal, openmetrics=openmetrics)
    if not whole:
        raise typer.Exit(EXIT_INTERRUPTED)
    _hold_to(result, fail_under)


def _hold_to(result: Result, fail_under: float | None) -> None:
    """End with exit code 4 when a plan reaches less than was asked of it."""
    level = result.service_level.value
    if fail_under is not None and (level is None or 100 * level < fail_under):
        shown = "none" if level is None else f"{level:.1%}"
        typer.echo(f"the service level, {shown}, is under {fail_under:g} %", err=True)
        raise typer.Exit(EXIT_UNDER)


def compare(
    scenarios: Annotated[
        list[Path],
        typer.Argument(help=f"The one compared with first, then others. {_SCENARIO_HELP}"),
    ],
    target: _Target = "",
    replications: _Days = None,
    precision: _Precision = 0.025,
    days_max: _DaysMax = 100,
    seed: _Seed = 1,
    workers: _Count = 0,
    *,
    add: _Add = None,
    between: _Between = "",
    demand: _Demand = None,
    sick: _Sick = None,
    change: _Change = None,
    as_json: _AsJson = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write report.html, compare.xlsx and .json here."),
    ] = None,
    show: Show = False,
    language: Language = "en",
) -> None:
    """Compare scenarios with the first of them, on the same days: paired differences.

    Each of --add, --demand, --sick and --change is a scenario of its own: the first one with this
    change. For example: switchroom compare tiny --add shop=1 --demand +10% --sick 5%
    """
    check_report(output, language, show=show)
    loaded = [load(path, target) for path in scenarios]
    loaded += each_wish(loaded[0], wishes_of(add, between, demand, sick, change))
    if len(loaded) < 2:
        raise typer.BadParameter(
            "nothing to compare with: give a second scenario, or a change (--add GROUP=1, "
            "--demand +10%, --sick 5%, --change PATH=VALUE)"
        )
    from simulation.plan.comparison import compare_studies  # noqa: PLC0415 - as in `load`
    from simulation.plan.showing import show_comparison  # noqa: PLC0415 - as in `load`

    with crew_of(workers) as crew:
        (first, *others), whole = play_pairs(loaded, replications, precision, days_max, seed, crew)
    comparisons = [compare_studies(first, study) for study in others]
    plain = json.dumps([asdict(found) for found in comparisons], ensure_ascii=False)
    if output is not None:
        from simulation.report.compare_document import (  # noqa: PLC0415 - as in `load`
            compare_document,
        )

        output.mkdir(parents=True, exist_ok=True)
        (output / "compare.json").write_text(plain + "\n", encoding="utf-8")
        write_report(compare_document(first, others, language), output, "compare", show=show)
    if as_json:
        typer.echo(plain)
    for number, comparison in enumerate(() if as_json else comparisons):
        if number:
            typer.echo("")
        for line in show_comparison(comparison):
            typer.echo(line)
    if not whole:
        raise typer.Exit(EXIT_INTERRUPTED)


def load(path: Path, target: str) -> Scenario:
    """Read a scenario, with another target if one is given; errors end the command."""
    try:
        from configs.findings import ConfigError  # noqa: PLC0415 - help must not load pydantic
        from simulation.plan.reading import load_scenario  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _EXTRAS:
            raise
        typer.echo(
            f'{error.name} is missing; install it with: pip install "switchroom[plan]"', err=True
        )
        raise typer.Exit(1) from error
    try:
        scenario = load_scenario(path)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if not target:
        return scenario
    percent, within_ms = _parse_target(target)
    return replace(scenario, target=replace(scenario.target, percent=percent, within_ms=within_ms))


def _parse_target(text: str) -> tuple[float, int]:
    from configs.durations import DurationError, parse_duration  # noqa: PLC0415 - as in `load`

    percent, slash, within = text.partition("/")
    try:
        share = float(percent)
        seconds = within.replace(".", "", 1).isdecimal()
        within_ms = round(float(within) * _SHIFTS_OF_SECONDS) if seconds else parse_duration(within)
    except (ValueError, DurationError) as error:
        raise typer.BadParameter(f'target "{text}": write 80/20, or 90/2m') from error
    if not slash or not 0 < share <= 100 or within_ms < 0:
        raise typer.BadParameter(f'target "{text}": write 80/20, or 90/2m')
    if share < 1:
        raise typer.BadParameter(f'target "{text}": the first number is a percentage; write 80/20')
    return share, within_ms


def crew_of(workers: int) -> Workers:
    """Return the workers that a command was asked for."""
    from simulation.plan.replications import Workers  # noqa: PLC0415 - as in `load`

    if workers < 0:
        raise typer.BadParameter(f"--workers {workers}: give 0 or more")
    return Workers(workers)


def _write(result: Result, directory: Path) -> None:
    """Write a plan where other programs find it."""
    directory.mkdir(parents=True, exist_ok=True)
    whole = asdict(result)
    text = json.dumps(whole, indent=2, ensure_ascii=False)
    (directory / "plan.json").write_text(text + "\n", encoding="utf-8")
    for name in ("intervals", "demands", "groups", "promises"):
        rows = [_flat(row) for row in whole[name]]
        if rows:
            path = directory / f"{name}.csv"
            with path.open("w", encoding="utf-8", newline="") as lines:
                columns = list(dict.fromkeys(key for row in rows for key in row))
                writer = csv.DictWriter(lines, columns)
                writer.writeheader()
                writer.writerows(rows)


def _flat(row: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a row with figures as three columns: the value, its low and its high end."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}_")
        else:
            flat[f"{prefix}{key}".removesuffix("_value")] = value
    return flat
