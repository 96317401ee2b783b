"""Offer planning on the command line: `switchroom plan` and `switchroom compare`."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from simulation.report.options import Language, Show, check_report, write_report

if TYPE_CHECKING:
    from configs.planning import Scenario
    from simulation.plan.answers import Result
    from simulation.plan.replications import Progress, Report, Study, Workers

EXIT_UNDER: Final = 4
_EXTRAS: Final = ("numpy", "scipy", "simpy", "pydantic", "jinja2", "xlsxwriter")
_SHIFTS_OF_SECONDS: Final = 1_000


def register(app: typer.Typer) -> None:
    """Mount the planner's commands; the simulator loads when one is called."""
    app.command("plan")(plan)
    app.command("compare")(compare)


_SCENARIO_HELP = "A scenario file, a centre's directory, or sample or tiny."
_Seed = Annotated[int, typer.Option(help="The number from which all days are drawn.")]
_Days = Annotated[
    int, typer.Option("--replications", "--days", help="Play so many days, no more, no less.")
]
_Precision = Annotated[
    float,
    typer.Option(help="Else play until the service level is known to this share of its value."),
]
_DaysMax = Annotated[int, typer.Option(help="But no more days than this.")]
_Target = Annotated[
    str, typer.Option(help="percent/seconds or percent/duration, instead of the scenario's.")
]
_Count = Annotated[int, typer.Option("--workers", help="Processes; 0: one a core.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def plan(
    scenario: Annotated[Path, typer.Argument(help=_SCENARIO_HELP)],
    target: _Target = "",
    replications: _Days = 0,
    precision: _Precision = 0.025,
    days_max: _DaysMax = 100,
    seed: _Seed = 1,
    workers: _Count = 0,
    *,
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
    """Say whether a scenario keeps its promise: how sure, how often not, at what cost."""
    check_report(output, language, show=show)
    loaded = load(scenario, target)
    from simulation.plan.results import result_of  # noqa: PLC0415 - as in `load`

    with crew_of(workers) as crew:
        study = _study(loaded, replications, precision, days_max, seed, crew)
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
    level = result.service_level.value
    if fail_under is not None and (level is None or 100 * level < fail_under):
        shown = "none" if level is None else f"{level:.1%}"
        typer.echo(f"the service level, {shown}, is under {fail_under:g} %", err=True)
        raise typer.Exit(EXIT_UNDER)


def compare(
    scenarios: Annotated[list[Path], typer.Argument(help=f"Two or more. {_SCENARIO_HELP}")],
    target: _Target = "",
    replications: _Days = 0,
    precision: _Precision = 0.025,
    days_max: _DaysMax = 100,
    seed: _Seed = 1,
    workers: _Count = 0,
    *,
    as_json: _AsJson = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write report.html, compare.xlsx and .json here."),
    ] = None,
    show: Show = False,
    language: Language = "en",
) -> None:
    """Compare scenarios with the first of them, on the same days: paired differences."""
    check_report(output, language, show=show)
    if len(scenarios) < 2:
        raise typer.BadParameter("give two scenarios at least, the one compared with first")
    loaded = [load(path, target) for path in scenarios]
    from simulation.plan.comparison import compare_studies  # noqa: PLC0415 - as in `load`
    from simulation.plan.replications import run_with, strata_of  # noqa: PLC0415 - as in `load`
    from simulation.plan.showing import show_comparison  # noqa: PLC0415 - as in `load`

    strata = max(strata_of(scenario) for scenario in loaded)
    with crew_of(workers) as crew:
        first = _study(loaded[0], replications, precision, days_max, seed, crew)
        if first.strata != strata:
            first = run_with(crew, loaded[0], first.days, seed, strata, _progress())
        others = [
            run_with(crew, other, first.days, seed, strata, _progress()) for other in loaded[1:]
        ]
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
        return
    for number, comparison in enumerate(comparisons):
        if number:
            typer.echo("")
        for line in show_comparison(comparison):
            typer.echo(line)


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
    return share, within_ms


def crew_of(workers: int) -> Workers:
    """Return the workers that a command was asked for."""
    from simulation.plan.replications import Workers  # noqa: PLC0415 - as in `load`

    if workers < 0:
        raise typer.BadParameter(f"--workers {workers}: give 0 or more")
    return Workers(workers)


def _study(
    scenario: Scenario, replications: int, precision: float, days_max: int, seed: int, crew: Workers
) -> Study:
    from simulation.plan.replications import run_with, strata_of  # noqa: PLC0415 - as in `load`
    from simulation.plan.stopping import run_until  # noqa: PLC0415 - as in `load`

    if replications < 0 or days_max < 1 or precision <= 0 or seed < 0:
        raise typer.BadParameter("days, precision and seed are positive numbers")
    if replications:
        return run_with(crew, scenario, replications, seed, strata_of(scenario), _progress())
    return run_until(scenario, precision, days_max, seed, crew, _progress())


def _progress() -> Report | None:
    """Return what tells a terminal how far a run is; nothing when nobody watches."""
    if not sys.stderr.isatty():
        return None

    def tell(progress: Progress) -> None:
        done = progress.done >= progress.total
        left = "" if done else f", {progress.left_s:.0f} s left"
        sys.stderr.write(f"\r{progress.done} of {progress.total} days{left}   ")
        if done:
            sys.stderr.write("\r" + " " * 40 + "\r")
        sys.stderr.flush()

    return tell


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
