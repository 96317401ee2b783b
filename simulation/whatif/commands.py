"""Offer what-ifs on the command line: `switchroom what-if`, `switchroom forecast-now`."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulation.report.options import Language, Output, Pages, Show
from simulation.whatif.forecast_command import forecast_now
from simulation.whatif.spoken import center_from, change_of, stop, with_libraries

if TYPE_CHECKING:
    from configs.changes import Change
    from simulation.report.document import Document
    from simulation.whatif.altering import Alteration
    from simulation.whatif.asking import Answer
    from simulation.whatif.outcomes import Outcomes
    from simulation.whatif.recording import Recording


class Acceptances(StrEnum):
    """Say how agents answer offers in a replay."""

    RECORDED = "recorded"
    DRAWN = "drawn"


def register(app: typer.Typer) -> None:
    """Mount the commands; the simulator loads when one is called."""
    app.command("what-if")(what_if)
    app.command("forecast-now")(forecast_now)


_Add = Annotated[
    list[str] | None,
    typer.Option("--add", help="care=3: so many more agents of a team, queue or skill."),
]
_Seed = Annotated[int, typer.Option(help="The number from which all lots are drawn.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_Zone = Annotated[str, typer.Option("--zone", help="Zone of the times of day.")]


def what_if(
    journal: Annotated[
        Path, typer.Argument(help="A journal file, a store, or a list of calls (.csv, .xlsx).")
    ],
    add: _Add = None,
    between: Annotated[
        str, typer.Option(help="10:00-12:00: when those are there; else all the time.")
    ] = "",
    *,
    config: Annotated[
        Path | None, typer.Option(help="Route by this configuration instead.")
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option(help="queues.care.agent_policy=most_proficient: another value in the centre."),
    ] = None,
    scenario: Annotated[
        Path | None, typer.Option(help="The `changes:` of this scenario file (of the centre).")
    ] = None,
    demand: Annotated[str, typer.Option(help="+30%, -20%: other volume.")] = "",
    zone: _Zone = "UTC",
    interval: Annotated[int, typer.Option(min=1, help="Minutes of the table's rows.")] = 30,
    imputations: Annotated[int, typer.Option(min=1, max=1_000, help="How many replays.")] = 20,
    acceptances: Annotated[
        Acceptances, typer.Option(help="Keep recorded answers to offers, or draw all.")
    ] = Acceptances.RECORDED,
    seed: _Seed = 1,
    workers: Annotated[int, typer.Option(help="Processes; 0: one a core.")] = 0,
    details: Annotated[bool, typer.Option("--details", help="Each queue in each row.")] = False,
    as_json: _Json = False,
    output: Output = None,
    show_page: Show = False,
    language: Language = "en",
) -> None:
    """Replay a recorded day with other people or rules, beside what happened."""
    pages = Pages(output, language, show_page)
    with_libraries()
    from simulation.plan.replications import available_cores  # noqa: PLC0415 - loads numpy
    from simulation.whatif.altering import AlterationError  # noqa: PLC0415 - as above
    from simulation.whatif.asking import NotRepeatedError, Question, ask  # noqa: PLC0415 - as above
    from simulation.whatif.laws import Laws  # noqa: PLC0415 - as above

    recording, happened = _read(journal, zone)
    try:
        alteration = _alteration(
            recording,
            add or [],
            between,
            config=config,
            change=change or [],
            scenario=scenario,
            demand=demand,
            zone=zone,
        )
        question = Question(
            recording=recording,
            laws=Laws(recording),
            alteration=alteration,
            seed=seed,
            keeps_acceptances=acceptances is Acceptances.RECORDED,
            interval_ms=60_000 * interval,
        )
        answer = ask(question, happened, imputations, workers or available_cores())
    except (AlterationError, NotRepeatedError) as error:
        stop(str(error))
    _tell(answer, zone, pages, details=details, as_json=as_json)


def _tell(answer: Answer, zone: str, pages: Pages, *, details: bool, as_json: bool) -> None:
    """Write page and workbook where they are asked for, and print."""
    from simulation.whatif.showing import show  # noqa: PLC0415 - as above

    def document(language: str) -> Document:
        from simulation.report.what_if_document import what_if_document  # noqa: PLC0415 - as above

        return what_if_document(answer, zone, language)

    plain = json.dumps(asdict(answer), ensure_ascii=False)
    for line in [plain] if as_json else show(answer, zone, details=details):
        typer.echo(line)
    pages.write("what-if", answer, document)


def _read(journal: Path, zone: str) -> tuple[Recording, Outcomes]:
    """Take a journal apart, or read a list of calls; tell what is wrong with it."""
    from router.journal import JournalError  # noqa: PLC0415 - help must not load the engine
    from simulation.journal_sources import entries_in, is_list  # noqa: PLC0415 - as above
    from simulation.whatif.outcomes import Outcomes  # noqa: PLC0415 - as above
    from simulation.whatif.recording import Recording  # noqa: PLC0415 - as above

    if is_list(journal):
        return _read_list(journal, zone)
    recording, happened = Recording(), Outcomes()
    try:
        for entry in entries_in(journal):
            recording.fold(entry)
            happened.fold(entry)
    except JournalError as error:
        stop(f"{journal}: {error}")
    except OSError as error:
        stop(f"{journal}: {error.strerror}; give a worker's store or a journal file")
    recording.finish()
    if recording.center is None:
        stop(f"{journal}: holds no configuration, so nothing was routed; give a worker's journal")
    return recording, happened


def _read_list(path: Path, zone: str) -> tuple[Recording, Outcomes]:
    """Read a list of calls; tell what is wrong with it."""
    from simulation.fit.planning_files import Options  # noqa: PLC0415 - as above
    from simulation.fit.reading import Reading, read_history  # noqa: PLC0415 - as above
    from simulation.whatif.contact_list import recording_of  # noqa: PLC0415 - as above

    try:
        return recording_of(read_history(path, Reading(options=Options(zone=zone))).visits)
    except ValueError as error:
        stop(str(error) if str(path) in str(error) else f"{path}: {error}")


def _alteration(
    recording: Recording,
    add: list[str],
    between: str,
    *,
    config: Path | None,
    change: list[str],
    scenario: Path | None,
    demand: str,
    zone: str,
) -> Alteration:
    """Return what is asked for, in data and in words; raises `AlterationError`."""
    from simulation.phrases import Phrase  # noqa: PLC0415 - as above
    from simulation.whatif import altering  # noqa: PLC0415 - as above

    told: list[str] = []
    _check_zone(zone)
    from_ms, to_ms = recording.first_ms, recording.end_ms
    if between:
        from_ms, to_ms = altering.parse_between(between, recording.first_ms, zone)
    reinforcements = []
    for text in add:
        where, agents = altering.parse_added(text)
        reinforcements.append(
            altering.Reinforcement(where=where, agents=agents, from_ms=from_ms, to_ms=to_ms)
        )
        more = Phrase("{agents} more in {where}", agents=agents, where=where)
        start, _, end = between.partition("-")
        if between:
            more = Phrase("{more} from {start} to {end}", more=more, start=start, end=end)
        told.append(more)
    center = None
    if config is not None:
        center = center_from(config)
        told.append(Phrase("the rules of {path}", path=str(config)))
    changes: list[Change] = []
    if scenario is not None:
        changes += _read_changes(scenario)
        told.append(Phrase("the changes of {path}", path=str(scenario)))
    for text in change:
        changes.append(change_of(text))
        told.append(text)
    factor = 1.0
    if demand:
        factor = altering.parse_share(demand)
        told.append(Phrase("{more:+.0%} contacts", more=factor - 1))
    found = altering.Alteration(
        reinforcements=tuple(reinforcements),
        center=center,
        changes=tuple(changes),
        demand=factor,
        told=_together(told),
    )
    assert recording.center is not None, "checked by who asks"
    found.altered(recording.center)  # tells what does not fit before anything is played
    return found


def _together(told: list[str]) -> str:
    """Return changes as one text; none: an empty one."""
    from simulation.phrases import Phrase  # noqa: PLC0415 - as above

    if len(told) < 2:
        return told[0] if told else ""
    return Phrase("{all} and {last}", all=tuple(told[:-1]), last=told[-1])


def _check_zone(zone: str) -> None:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - as above

    try:
        ZoneInfo(zone)
    except (ValueError, KeyError, OSError):
        stop(f'no zone "{zone}"; write one as Europe/Berlin')


def _read_changes(path: Path) -> tuple[Change, ...]:
    from configs.findings import ConfigError  # noqa: PLC0415 - loads pydantic
    from configs.scenarios import read_scenario_file  # noqa: PLC0415 - as above

    try:
        return read_scenario_file(path).file.changes
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
