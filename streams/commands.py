# ruff: noqa: PLC0415 - a command imports what it needs when it runs
"""Offer the live driver on the command line: run, explain, replay, journal, check, schema, topics.

Data goes to stdout, everything else to stderr. Exit codes: 0 fine, 1 failed, 2 wrong usage,
3 warnings under --strict, 130 interrupted. What a command needs is imported when it runs.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from streams.adapters.adapt_command import adapt
from streams.journal_commands import (
    JournalArgument,
    JsonOption,
    bodies_of,
    entries_in,
    fail,
    journal_app,
    print_facts,
    told,
)
from streams.kafka_commands import doctor, topics
from streams.register_command import contacts
from streams.run_commands import DrainOption, MoveOption, handover_of, run
from streams.scorecard_command import scorecard
from streams.views_command import views
from streams.watch_commands import register as register_watching

if TYPE_CHECKING:
    from configs.commands import Outcome

AgainstOption = Annotated[
    Path | None,
    typer.Option(help="A store or journal: list the clocks that would move, the queues in use."),
]


def register(app: typer.Typer) -> None:
    """Mount the commands of the live driver."""
    app.command("run")(run)
    app.command("explain")(explain)
    app.command("contacts")(contacts)
    app.command("replay")(replay)
    app.command("check")(check)
    app.command("check-config", hidden=True)(check)
    app.command("schema")(schema)
    app.command("topics")(topics)
    app.command("doctor")(doctor)
    app.command("scorecard")(scorecard)
    app.command("adapt")(adapt)
    register_watching(app)
    app.command("views")(views)
    app.add_typer(journal_app, name="journal")


# --- look back ----------------------------------------------------------------


def explain(
    contact_id: Annotated[str, typer.Argument(help="The contact.")],
    store: Annotated[Path | None, typer.Option("--store", help="A store to look into.")] = None,
    journal: Annotated[
        Path | None, typer.Option("--journal", help="A journal file to look into.")
    ] = None,
    at: Annotated[int | None, typer.Option("--at", min=1, help="As things were at a seq.")] = None,
) -> None:
    """Say why this agent, why still waiting: every decision on a contact with its reason."""
    source = store or journal
    if source is None or (store and journal):
        fail("error: give either --store FILE or --journal FILE", 2)
    with told():
        story = _story(source, contact_id, at)
    if story is None:
        fail(
            f"error: {source}: no entry names contact {contact_id}; "
            f"`switchroom journal show {source}` lists what there is"
        )
    sys.stdout.write(story.rstrip("\n") + "\n")


def _story(source: Path, contact_id: str, at: int | None) -> str | None:
    """Tell a contact's story; a store's snapshots shorten the way to it, a file has none."""
    from router.explain import explain as tell
    from streams.embedded import EmbeddedStore, is_store
    from streams.stories import tell_story

    if is_store(source):
        store = EmbeddedStore.read_only(source)
        try:
            return tell_story(store, contact_id, at)
        finally:
            store.close()
    named = f'"{contact_id}"'.encode()
    if not any(named in body for body in bodies_of(source)):
        return None
    return tell((e for e in entries_in(source) if at is None or e.stamped.seq <= at), contact_id)


def replay(
    file: JournalArgument,
    *,
    as_json: JsonOption = False,
) -> None:
    """Refold a journal: decide everything again and compare; `what-if` does it with a change."""
    from streams.recovery import Refold

    with told(file):
        state = Refold()
        state.feed_all(bodies_of(file))
    facts: dict[str, int | str] = {
        "records": state.records,
        "entries": state.seq,
        "at_ms": state.router.now_ms,
        "digest": state.digest.hexdigest(),
    }
    print_facts(facts, f"{file}: same decisions, {state.seq} entries", as_json=as_json)


# --- configuration ------------------------------------------------------------


def check(
    directory: Annotated[Path, typer.Argument(help="The directory of the configuration.")],
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail too (exit 3).")] = False,
    print_effective: Annotated[
        bool, typer.Option("--print-effective", help="Print each value with its origin.")
    ] = False,
    against: AgainstOption = None,
    drain: DrainOption = None,
    move_to: MoveOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a configuration as a whole: all errors at once, each with its place.

    With --against: also what it would do to that centre's open contacts and running clocks.
    """
    from configs.commands import check_directory
    from router.measures_metrics import count_series
    from streams.telemetry import Telemetry
    from streams.worker import HTTP_TOPIC

    outcome = check_directory(
        directory,
        strict=strict,
        print_effective=print_effective,
        as_json=as_json and against is None,
        now_ms=time.time_ns() // 1_000_000,
        series_beside=count_series(Telemetry([HTTP_TOPIC]).families()),
    )
    if against is not None and outcome.exit_code != 1:
        outcome = _previewed(outcome, directory, against, drain or [], move_to or [], as_json)
    _hand_on(outcome)


def _previewed(
    checked: Outcome,
    directory: Path,
    against: Path,
    drain: list[str],
    move_to: list[str],
    as_json: bool,  # noqa: FBT001 - handed on as it was given
) -> Outcome:
    """Add what the configuration would do to a running centre."""
    import msgspec

    from configs.commands import EXIT_FAILED, Outcome
    from configs.loader import load_center
    from router.preview import preview, preview_lines
    from router.router import Router

    handed = handover_of(drain, move_to, rebase=True)
    center = load_center(directory).center
    with told():
        router = Router()
        for entry in entries_in(against):
            router.handle(entry.stamped)
        found = preview(router, center, handed.moves, handed.drain)
    if as_json:
        text = msgspec.json.encode(found).decode() + "\n"
    else:
        text = checked.stdout + "".join(f"{line}\n" for line in preview_lines(found))
    return Outcome(EXIT_FAILED if found.faults else checked.exit_code, text, checked.stderr)


def schema(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The directory of the JSON Schemas.")
    ] = Path("schemas"),
    *,
    check_only: Annotated[
        bool, typer.Option("--check", help="Only compare; exit 1 if files differ.")
    ] = False,
) -> None:
    """Write the JSON Schemas of configuration, events and decisions."""
    from configs.commands import generate_schemas

    _hand_on(generate_schemas(output, check=check_only))


def _hand_on(outcome: Outcome) -> NoReturn:
    sys.stdout.write(outcome.stdout)
    sys.stderr.write(outcome.stderr)
    raise typer.Exit(outcome.exit_code)
