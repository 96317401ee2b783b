"""Offer the simulator on the command line: `switchroom simulate`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from router.journal import Entry
    from router.measures import Measures
    from simulation.day import Verdict
    from simulation.scenario import Options

_HOUR_MS: Final = 3_600_000


def register(app: typer.Typer) -> None:
    """Mount this package's commands; each loads its own world when it is called."""
    from simulation.app.command import app as planner_app  # noqa: PLC0415 - mounted on demand
    from simulation.budget.commands import budget  # noqa: PLC0415 - as above
    from simulation.demo_command import demo  # noqa: PLC0415 - as above
    from simulation.erlang_command import register as register_erlang  # noqa: PLC0415 - as above
    from simulation.fit.commands import fit  # noqa: PLC0415 - as above
    from simulation.fit.forecast_command import forecast, history  # noqa: PLC0415 - as above
    from simulation.fit.import_command import import_  # noqa: PLC0415 - as above
    from simulation.plan.commands import register as register_plan  # noqa: PLC0415 - as above
    from simulation.staffing.commands import register as register_staff  # noqa: PLC0415 - as above
    from simulation.whatif.commands import register as register_what_if  # noqa: PLC0415 - as above

    app.command("simulate")(simulate)
    app.command("demo")(demo)
    app.command("import")(import_)
    app.command("fit")(fit)
    app.command("forecast")(forecast)
    app.command("history")(history)
    app.command("budget")(budget)
    app.command("app")(planner_app)
    register_erlang(app)
    register_plan(app)
    register_what_if(app)
    register_staff(app)


def simulate(
    seed: Annotated[int, typer.Option(help="The number from which everything is drawn.")] = 1,
    seeds: Annotated[str, typer.Option(help="A range of seeds, first..last, instead of one.")] = "",
    config: Annotated[
        Path | None, typer.Option(help="Simulate a day of this configuration instead.")
    ] = None,
    hours: Annotated[float, typer.Option(help="Length of that day, with --config.")] = 8.0,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a seed.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the journal here, as JSON lines.")
    ] = None,
    openmetrics: Annotated[
        Path | None,
        typer.Option(help="Write the day's metrics here, a sample a minute, with --config."),
    ] = None,
) -> None:
    """Simulate under the auditor; exit 1 if any promise of the engine was broken."""
    if seeds:
        _simulate_many(_parse_range(seeds), as_json=as_json)
        return
    if config is not None:
        _simulate_center(
            config, seed, hours, as_json=as_json, output=output, openmetrics=openmetrics
        )
        return
    _simulate_one(seed, as_json=as_json, output=output)


def _parse_range(text: str) -> range:
    first, dots, last = text.partition("..")
    if not (first.isdecimal() and (last.isdecimal() if dots else not last)):
        raise typer.BadParameter(
            f'"{text}" is no range of seeds; write first..last, for example 1..500'
        )
    found = range(int(first), int(last if dots else first) + 1)
    if not found:
        raise typer.BadParameter(f'"{text}" is empty: the last seed comes before the first')
    return found


def _simulate_one(seed: int, *, as_json: bool, output: Path | None) -> None:
    from router.measures import Measures  # noqa: PLC0415 - help must not load the engine
    from simulation.day import judge_seed  # noqa: PLC0415 - as above

    journal: list[Entry] = []
    measures = Measures()

    def keep(entry: Entry) -> None:
        journal.append(entry)
        measures.fold(entry.stamped, entry.decisions)

    verdict = judge_seed(seed, listeners=(keep,))
    _keep(journal, verdict.center.name, output)
    _show(verdict, measures, f"switchroom simulate --seed {seed}", as_json=as_json)


def _simulate_center(
    config: Path,
    seed: int,
    hours: float,
    *,
    as_json: bool,
    output: Path | None,
    openmetrics: Path | None,
) -> None:
    from configs.loader import ConfigError, load_center  # noqa: PLC0415 - loads pydantic
    from router.measures import Measures  # noqa: PLC0415 - help must not load the engine
    from simulation.day import judge_day  # noqa: PLC0415 - as above
    from simulation.openmetrics import DayRecorder  # noqa: PLC0415 - as above
    from simulation.options import for_center  # noqa: PLC0415 - as above

    if not 0 < hours <= 24 * 7:
        raise typer.BadParameter(f"--hours {hours}: give more than 0 and at most 168")
    try:
        center = load_center(config).center
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    options = for_center(center, seed, length_ms=round(hours * _HOUR_MS))
    journal: list[Entry] = []
    measures = Measures()

    def keep(entry: Entry) -> None:
        if output is not None:
            journal.append(entry)
        measures.fold(entry.stamped, entry.decisions)

    recorder = None if openmetrics is None else DayRecorder(center, options.start_ms)
    listeners = (keep,) if recorder is None else (keep, recorder.hear)
    verdict = judge_day(center, options, listeners=listeners, heal=False)
    if recorder is not None and openmetrics is not None:
        recorder.advance(options.start_ms + options.length_ms)
        recorder.write(openmetrics)
    _keep(journal, center.name, output)
    command = f"switchroom simulate --config {config} --seed {seed} --hours {hours:g}"
    _show(verdict, measures, command, as_json=as_json)


def _simulate_many(seeds: range, *, as_json: bool) -> None:
    from simulation.day import judge_seed  # noqa: PLC0415 - help must not load the engine

    failed = entries = 0
    hours = 0.0
    kinds: dict[str, int] = {}
    for seed in seeds:
        if sys.stderr.isatty():
            sys.stderr.write(f"\rseed {seed} of {seeds[-1]}, {failed} failed ")
            sys.stderr.flush()
        verdict = judge_seed(seed)
        entries += verdict.entries
        hours += verdict.hours
        for kind, count in verdict.faults.items():
            kinds[kind] = kinds.get(kind, 0) + count
        if verdict.violations:
            failed += 1
            typer.echo(f"seed {seed}: {len(verdict.violations)} violations", err=True)
            for text in verdict.violations[:5]:
                typer.echo(f"  {text}", err=True)
            typer.echo(f"  repeat with: switchroom simulate --seed {seed}", err=True)
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    summary = {
        "seeds": len(seeds),
        "failed": failed,
        "events": entries,
        "center_hours": round(hours, 1),
        "faults": sum(kinds.values()),
        "fault_kinds": len(kinds),
    }
    if as_json:
        typer.echo(json.dumps({**summary, "faults_by_kind": dict(sorted(kinds.items()))}))
    else:
        typer.echo("  ".join(f"{name} {value}" for name, value in summary.items()))
    if failed:
        raise typer.Exit(1)


def _keep(journal: list[Entry], shard: str, output: Path | None) -> None:
    if output is None:
        return
    from simulation.journal_file import write_journal  # noqa: PLC0415 - help loads no engine

    write_journal(journal, shard, output)


def _show(verdict: Verdict, measures: Measures, command: str, *, as_json: bool) -> None:
    from router.measures_views import as_table  # noqa: PLC0415 - help must not load the engine

    if as_json:
        typer.echo(
            json.dumps(
                {
                    "seed": verdict.seed,
                    "events": verdict.entries,
                    "decisions": verdict.decisions,
                    "hours": verdict.hours,
                    "digest": verdict.digest,
                    "left_open": verdict.left_open,
                    "faults": verdict.faults,
                    "violations": verdict.violations,
                    "measures": as_table(measures),
                    "options": _plain(asdict(verdict.options)),
                }
            )
        )
    else:
        _print_verdict(verdict, measures)
    if verdict.violations:
        for text in verdict.violations:
            typer.echo(text, err=True)
        typer.echo(f"{len(verdict.violations)} violations; repeat with: {command}", err=True)
        raise typer.Exit(1)


def _print_verdict(verdict: Verdict, measures: Measures) -> None:
    center, options = verdict.center, verdict.options
    line = typer.echo
    line(
        f"seed {verdict.seed}: centre {center.name}, agents {len(center.agents)}, "
        f"queues {len(center.queues)}, categories {len(center.categories)}, "
        f"channels {', '.join(center.channels)}"
    )
    line(f"options  {describe(options)}")
    faults = ", ".join(f"{kind} {count}" for kind, count in verdict.faults.items()) or "none"
    line(f"faults   {faults}")
    line(
        f"played   {verdict.hours:.1f} h, {verdict.entries} events, {verdict.decisions} decisions, "
        f"{verdict.left_open} contacts open at the end"
    )
    _print_queues(measures)
    line(f"digest   {verdict.digest}")
    line(f"auditor  {len(verdict.violations) or 'no'} violations")


def _print_queues(measures: Measures) -> None:
    from router.measures_views import queue_rows  # noqa: PLC0415 - help must not load the engine

    typer.echo(
        f"{'queue':<16} {'arrived':>8} {'answered':>8} {'abandoned':>9} {'in time':>8} "
        f"{'wait p90':>9} {'handled':>8} {'avg handle':>10}"
    )
    for row in queue_rows(measures):
        share = "-" if row.service_level is None else f"{row.service_level:.1%}"
        wait = "-" if row.wait_p90_ms is None else f"{row.wait_p90_ms / 1000:.1f} s"
        handle_ms = row.average_handle_time_ms
        handle = "-" if handle_ms is None else f"{handle_ms / 1000:.0f} s"
        typer.echo(
            f"{row.queue:<16} {row.arrivals:>8} {row.answered:>8} {row.abandoned:>9} {share:>8} "
            f"{wait:>9} {row.handled:>8} {handle:>10}"
        )


def describe(options: Options) -> str:
    """Say in one line what a day is made of."""
    peak = max((max(demand.rates_per_hour, default=0.0) for demand in options.demands), default=0.0)
    return (
        f"{options.length_ms / _HOUR_MS:.2f} h from {options.start_ms}, "
        f"{len(options.demands)} demands (peak {peak:.0f}/h each), "
        f"{len(options.workforce.shifts)} shifts, leaving {options.workforce.leaving.value}, "
        f"{len(options.faults.kinds)} kinds of faults"
    )


def _plain(value: Any) -> Any:
    """Turn enums into their values, all the way down."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
