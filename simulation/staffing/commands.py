"""Offer the search on the command line: `switchroom staff`, `schedule` and `tune`."""

from __future__ import annotations

import json
import sys
import time  # noqa: TID251 - tells how long it takes; no day reads it
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from simulation.plan.commands import EXIT_INTERRUPTED, crew_of, load
from simulation.report.options import Language, Output, Pages, Show, write_report
from simulation.staffing.deadline import Deadline, NothingFoundError, stopped_by_ctrl_c

if TYPE_CHECKING:
    from collections.abc import Callable

    from configs.planning import Scenario
    from simulation.report.document import Document
    from simulation.staffing.hunt import Effort
    from simulation.staffing.spaces import Space
    from simulation.staffing.tuning import Knob

EXIT_UNREACHABLE: Final = 3
_WATCHED: Final = "Ctrl-C stops the search and keeps what was found"
_CONFIRMS: Final = "stopping: what was found is confirmed on fresh days; Ctrl-C again ends at once"
_SHOWS: Final = "stopping: what was tried is shown; Ctrl-C again ends at once"
_SCENARIO_HELP = "A scenario file, a centre's directory, or sample or tiny."
_Target = Annotated[
    str, typer.Option(help="percent/seconds of every line, instead of the scenario's targets.")
]
_Confidence = Annotated[float, typer.Option(help="How sure all targets together must be.")]
_Seed = Annotated[int, typer.Option(help="The number from which all days are drawn.")]
_Days = Annotated[int, typer.Option(help="Days on which a plan is played first.")]
_Fresh = Annotated[int, typer.Option("--confirm-days", help="Fresh days of the confirmation.")]
_Rounds = Annotated[int, typer.Option(help="Plans to try at most before a confirmation.")]
_Minutes = Annotated[
    float, typer.Option(help="Look for cheaper plans no longer than this; 0: until the end.")
]
_Count = Annotated[int, typer.Option("--workers", help="Processes; 0: one a core.")]
_Heads = Annotated[
    bool, typer.Option("--within-heads", help="No more agents a group than it has now.")
]
_AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_Output = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", help="Write page, workbook, certificate, planning files, scenario here."
    ),
]


def register(app: typer.Typer) -> None:
    """Mount the commands; the simulator loads when one is called."""
    app.command("staff")(
        _searching(
            "agents", "Find the cheapest agents per interval and group that keep all targets."
        )
    )
    app.command("schedule")(
        _searching(
            "shifts",
            "Find the cheapest agents per group and kind of shift that keep all targets.\n\n"
            "The kinds are the shifts that the scenario gives each group; their counts are sought.",
        )
    )
    app.command("cover")(cover)
    app.command("tune")(tune)


def cover(
    scenario: Annotated[Path, typer.Argument(help=_SCENARIO_HELP)],
    need: Annotated[Path, typer.Argument(help="A staffing file: interval_start, group, agents.")],
    *,
    as_json: _AsJson = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write shifts.csv and scenario here.")
    ] = None,
) -> None:
    """Find the cheapest shifts that cover a given need; nothing is simulated."""
    loaded = load(scenario, "")
    from simulation.plan.reading import pointer_to  # noqa: PLC0415 - loads its world here
    from simulation.staffing import covering  # noqa: PLC0415 - as above
    from simulation.staffing.search import UnreachableError  # noqa: PLC0415 - as above
    from simulation.staffing.showing import show_cover  # noqa: PLC0415 - as above
    from simulation.staffing.writing import write_shifts  # noqa: PLC0415 - as above

    try:
        found = covering.cover(loaded, covering.need_of(need, loaded))
    except UnreachableError as error:
        typer.echo(f"The need cannot be covered: {error}", err=True)
        raise typer.Exit(EXIT_UNREACHABLE) from error
    except (ValueError, OSError) as error:
        _fail(str(error))
    plain = {"cost": found.cost, "currency": found.currency, "gap": found.gap}
    plain |= {"agents": found.agents, "spare": found.spare}
    for line in [json.dumps(plain, ensure_ascii=False)] if as_json else show_cover(found):
        typer.echo(line)
    if output is not None:
        write_shifts(output, found.scenario, pointer_to(scenario, output))


def _searching(unit: str, finds: str) -> Callable[..., None]:
    """Return the command that seeks agents or shifts: both have the same options."""

    def command(  # noqa: PLR0917 - one option of the command a parameter
        scenario: Annotated[Path, typer.Argument(help=_SCENARIO_HELP)],
        target: _Target = "",
        confidence: _Confidence = 0.9,
        seed: _Seed = 1,
        days: _Days = 20,
        confirm_days: _Fresh = 60,
        rounds: _Rounds = 14,
        minutes: _Minutes = 0.0,
        workers: _Count = 0,
        *,
        within_heads: _Heads = False,
        as_json: _AsJson = False,
        output: _Output = None,
        show: Show = False,
        language: Language = "en",
    ) -> None:
        pages = Pages(output, language, show)
        loaded = _targeted(scenario, target)
        effort = _effort(days, confirm_days, rounds, confidence, seed)
        deadline = _deadline(minutes)
        from simulation.staffing import spaces  # noqa: PLC0415 - loads its world here

        made = spaces.shifts_space if unit == "shifts" else spaces.intervals_space
        try:
            space = made(loaded, within_heads=within_heads)
        except ValueError as error:
            _fail(str(error))
        run = _Run(scenario, seed, workers, unit, as_json=as_json)
        _answer(space, effort, deadline, run, pages)

    command.__doc__ = finds
    return command


def tune(
    scenario: Annotated[Path, typer.Argument(help=_SCENARIO_HELP)],
    vary: Annotated[
        list[str] | None,
        typer.Option(help="PATH=VALUE,VALUE or PATH=0..3; may be given again. Else: reserves."),
    ] = None,
    seed: _Seed = 1,
    days: _Days = 40,
    workers: _Count = 0,
    *,
    as_json: _AsJson = False,
    output: Output = None,
    show: Show = False,
    language: Language = "en",
) -> None:
    """Try routing settings on the same days and show those that nothing beats."""
    pages = Pages(output, language, show)
    loaded = load(scenario, "")
    from simulation.plan.changes import ChangeError  # noqa: PLC0415 - loads its world here
    from simulation.staffing import tuning  # noqa: PLC0415 - as above
    from simulation.staffing.showing import show_tuning  # noqa: PLC0415 - as above

    if days < 6 or seed < 0:
        raise typer.BadParameter("give at least 6 --days, and a seed that is not negative")
    knobs = tuple(_knob(text) for text in vary or ()) or tuning.usual_knobs(loaded)
    deadline, tell = Deadline(), _teller()
    tell(_WATCHED)
    with crew_of(workers) as crew, stopped_by_ctrl_c(deadline, _SHOWS):
        try:
            found = tuning.tune(loaded, knobs, crew, seed, days, deadline, tell)
        except ChangeError as error:
            _fail(f"--vary {error}")
        except NothingFoundError as error:
            _stop(error)

    def document(language: str) -> Document:
        from simulation.report.tune_document import tune_document  # noqa: PLC0415 - as above

        return tune_document(found, language)

    plain = json.dumps(asdict(found), ensure_ascii=False)
    for line in [plain] if as_json else show_tuning(found):
        typer.echo(line)
    pages.write("tune", found, document)


def _knob(text: str) -> Knob:
    from simulation.staffing.tuning import Knob  # noqa: PLC0415 - loads its world here

    path, equals, values = text.partition("=")
    first, dots, last = values.partition("..")
    if dots and first.isdecimal() and last.isdecimal():
        return Knob(path, tuple(range(int(first), int(last) + 1)))
    chosen = [value.strip() for value in values.split(",") if value.strip()]
    if not equals or not chosen:
        raise typer.BadParameter(
            f'--vary "{text}": write for example center.queues.care.reserve=0..2'
        )
    return Knob(path, tuple(int(value) if value.isdecimal() else value for value in chosen))


def _targeted(path: Path, target: str) -> Scenario:
    """Read a scenario; a target given by hand is that of every line."""
    loaded = load(path, target)
    return replace(loaded, targets={}) if target else loaded


def _effort(days: int, confirm_days: int, rounds: int, confidence: float, seed: int) -> Effort:
    from simulation.staffing.hunt import Effort  # noqa: PLC0415 - loads its world here

    if days < 12 or confirm_days < 12 or rounds < 1 or seed < 0:
        raise typer.BadParameter(
            "give at least 12 --days and --confirm-days, a round, and a seed that is not negative"
        )
    if not 0.5 <= confidence < 1:
        raise typer.BadParameter(f"--confidence {confidence:g}: give 0.5 to 0.999")
    return Effort(days, confirm_days, rounds, confidence)


def _deadline(minutes: float) -> Deadline:
    if minutes < 0:
        raise typer.BadParameter(f"--minutes {minutes:g}: give 0 (no limit) or more")
    return Deadline(minutes)


@dataclass(frozen=True)
class _Run:
    """What was asked: of which file, from which seed, on how many processes, in which form."""

    base: Path
    seed: int
    workers: int
    unit: str
    as_json: bool


def _answer(space: Space, effort: Effort, deadline: Deadline, run: _Run, pages: Pages) -> None:
    """Search, print, write."""
    from simulation.plan.reading import pointer_to  # noqa: PLC0415 - loads its world here
    from simulation.staffing.search import UnreachableError  # noqa: PLC0415 - as above
    from simulation.staffing.seeking import seek  # noqa: PLC0415 - as above
    from simulation.staffing.showing import show  # noqa: PLC0415 - as above
    from simulation.staffing.writing import write_answer  # noqa: PLC0415 - as above

    began, tell = time.monotonic(), _teller()
    tell(_WATCHED)
    with crew_of(run.workers) as crew, stopped_by_ctrl_c(deadline, _CONFIRMS):
        try:
            sought = seek(space, crew, effort, run.seed, run.unit, tell, deadline)
        except UnreachableError as error:
            typer.echo(f"The targets cannot be kept: {error}", err=True)
            raise typer.Exit(EXIT_UNREACHABLE) from error
        except NothingFoundError as error:
            _stop(error)
    certificate, took_s = sought.certificate, time.monotonic() - began
    plain = json.dumps(asdict(certificate), ensure_ascii=False)
    for line in [plain] if run.as_json else show(certificate, took_s):
        typer.echo(line)
    if pages.output is not None:
        from simulation.report.staff_document import staff_document  # noqa: PLC0415 - as above

        source = pointer_to(run.base, pages.output)
        write_answer(pages.output, certificate, sought.scenario, source)
        document = staff_document(certificate, sought.study, pages.language)
        name = "schedule" if run.unit == "shifts" else "staff"
        write_report(document, pages.output, name, show=pages.show)
    if deadline.stopped and not certificate.confirmed:
        raise typer.Exit(EXIT_INTERRUPTED)


def _teller() -> Callable[[str], None]:
    """Return what tells a terminal how far the search is; nothing when nobody watches."""
    watched = sys.stderr.isatty()
    began = time.monotonic()

    def tell(text: str) -> None:
        if watched:
            sys.stderr.write(f"{time.monotonic() - began:5.0f} s  {text}\n")

    return tell


def _stop(error: NothingFoundError) -> NoReturn:
    typer.echo(f"Nothing was found: {error}; let it run longer before Ctrl-C", err=True)
    raise typer.Exit(EXIT_INTERRUPTED) from error


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)
