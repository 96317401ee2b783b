# ruff: noqa: PLC0415 - a command imports what it needs when it runs
"""Offer the live driver on the command line: run, explain, replay, journal, check, schema, topics.

Data goes to stdout, everything else to stderr. Exit codes: 0 fine, 1 failed, 2 wrong usage,
3 warnings under --strict, 130 interrupted. What a command needs is imported when it runs.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

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
from streams.kafka_commands import (
    BootstrapOption,
    CreateOption,
    KafkaChoice,
    PartitionOption,
    PrefixOption,
    SettingsOption,
    SnapshotsOption,
    UntilEndOption,
    doctor,
    run_on_kafka,
    topics,
)

if TYPE_CHECKING:
    from configs.commands import Outcome
    from router.events import CenterChanged
    from streams.live import RunOptions

HTTP_PORT_MAX: Final = 65_535
SPEED_MAX: Final = 1_000_000

StoreOption = Annotated[
    Path | None, typer.Option("--store", help="The SQLite file that holds the journal.")
]
InputOption = Annotated[
    str, typer.Option("--input", help="CloudEvents, one a line: a file, or - for stdin.")
]
PortOption = Annotated[
    int | None,
    typer.Option(min=0, max=HTTP_PORT_MAX, help="Listen on 127.0.0.1:PORT; 0: any free one."),
]
TokenOption = Annotated[
    Path | None,
    typer.Option(help="A file with the token clients must send; or SWITCHROOM_HTTP_TOKEN."),
]
SpeedOption = Annotated[
    float | None, typer.Option(help="Play recorded time at this many times its pace.")
]
DrainOption = Annotated[
    list[str] | None, typer.Option(help="A queue that may leave and empty itself.")
]
MoveOption = Annotated[
    list[str] | None, typer.Option(help="QUEUE=OTHER: where its contacts go if it leaves.")
]
RecordedOption = Annotated[
    bool, typer.Option("--as-fast-as-possible", help="Stamp records with their own `time`.")
]
RebaseOption = Annotated[
    bool, typer.Option("--rebase", help="Re-target running clocks by a new configuration.")
]
PrintOption = Annotated[
    bool, typer.Option("--print-decisions", help="Write decisions to stdout as CloudEvents.")
]
UnitOption = Annotated[
    int, typer.Option(min=1, max=10_000, help="At most this many entries in one commit.")
]
EveryOption = Annotated[int, typer.Option(min=1, help="Take a snapshot every so many entries.")]


def register(app: typer.Typer) -> None:
    """Mount the commands of the live driver."""
    app.command("run")(run)
    app.command("explain")(explain)
    app.command("replay")(replay)
    app.command("check")(check)
    app.command("check-config", hidden=True)(check)
    app.command("schema")(schema)
    app.command("topics")(topics)
    app.command("doctor")(doctor)
    app.add_typer(journal_app, name="journal")


# --- run ----------------------------------------------------------------------


def run(
    config: Annotated[Path, typer.Option(help="The directory of the centre's configuration.")],
    store: StoreOption = None,
    *,
    input_: InputOption = "",
    http: Annotated[str, typer.Option(help="Listen on HOST:PORT.")] = "",
    port: PortOption = None,
    token_file: TokenOption = None,
    speed: SpeedOption = None,
    drain: DrainOption = None,
    move_to: MoveOption = None,
    as_fast_as_possible: RecordedOption = False,
    rebase: RebaseOption = False,
    print_decisions: PrintOption = False,
    unit_records: UnitOption = 500,
    snapshot_every: EveryOption = 50_000,
    bootstrap_server: BootstrapOption = "",
    kafka_settings: SettingsOption = None,
    topic_prefix: PrefixOption = "",
    create_topics: CreateOption = False,
    partition: PartitionOption = None,
    until_end: UntilEndOption = False,
    snapshots: SnapshotsOption = None,
) -> None:
    """Run one centre: decide, journal, publish; on an embedded store (--store) or on Kafka."""
    choice = KafkaChoice(
        bootstrap=bootstrap_server,
        file=kafka_settings,
        prefix=topic_prefix,
        create_topics=create_topics,
        partition=partition,
        until_end=until_end,
        snapshots=snapshots,
    )
    listens = bool(http) or port is not None
    choice.check(stored=store is not None, heard=bool(input_ or listens), printed=print_decisions)
    heard = bool(choice.wanted or input_ or listens)
    _check_usage(paced=speed, recorded=as_fast_as_possible, heard=heard)
    configured = _configured(config, drain or [], move_to or [], rebase=rebase)
    from streams.worker import Settings

    settings = Settings(
        unit_records=unit_records, snapshot_every=snapshot_every, stop_at_end=not listens
    )
    if choice.wanted:
        raise typer.Exit(
            run_on_kafka(
                choice, configured, settings, _announce, recorded=as_fast_as_possible, speed=speed
            )
        )
    if store is None:
        fail("error: give --store FILE, or --bootstrap-server HOST:PORT to run on Kafka", 2)
    host, number = _address(http, port)
    with told():
        from streams.live import RunOptions

        options = RunOptions(
            store=store,
            configured=configured,
            input=input_,
            host=host,
            port=number,
            token=_token(token_file, host),
            recorded=as_fast_as_possible,
            speed=speed,
            print_decisions=print_decisions,
            settings=settings,
        )
        raise typer.Exit(_run_on_store(options))


def _run_on_store(options: RunOptions) -> int:
    import asyncio

    from streams.live import run_live

    return asyncio.run(run_live(options, _announce))


def _check_usage(*, paced: float | None, recorded: bool, heard: bool) -> None:
    """Refuse what contradicts itself, and an interpreter that would skip our checks."""
    if not __debug__:
        fail("error: python -O switches our checks off; run without -O and PYTHONOPTIMIZE")
    if recorded and paced is not None:
        fail("error: --as-fast-as-possible and --speed exclude each other", 2)
    if paced is not None and not 0 < paced <= SPEED_MAX:
        fail(f"error: --speed must be above 0 and at most {SPEED_MAX}", 2)
    if not heard:
        fail("error: nothing to listen to; give --input FILE, --input - or --port N", 2)


def _announce(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _address(http: str, port: int | None) -> tuple[str, int | None]:
    if not http:
        return "127.0.0.1", port
    if port is not None:
        fail("error: --http and --port exclude each other", 2)
    host, _, number = http.rpartition(":")
    if not host or not number.isdecimal() or int(number) > HTTP_PORT_MAX:
        fail(f"error: --http {http}: not HOST:PORT, such as 127.0.0.1:8080", 2)
    return host.strip("[]"), int(number)


def _token(token_file: Path | None, host: str) -> str:
    token = os.environ.get("SWITCHROOM_HTTP_TOKEN", "")
    if token_file is not None:
        token = token_file.read_text(encoding="utf-8").strip()
        if not token:
            fail(f"error: {token_file}: holds no token; write one line into it")
    from ipaddress import ip_address

    with contextlib.suppress(ValueError):
        if ip_address(host).is_loopback:
            return token
    if host != "localhost" and not token:
        fail(
            f"error: --http {host}: others can reach this address, so a token is needed: give "
            "--token-file FILE or SWITCHROOM_HTTP_TOKEN, or listen on 127.0.0.1",
            2,
        )
    return token


def _configured(
    directory: Path, drain: list[str], move_to: list[str], *, rebase: bool
) -> CenterChanged:
    """Load a configuration and say how a running centre takes it over."""
    from configs.loader import ConfigError, load_center
    from router.events import CenterChanged

    moves: dict[str, str] = {}
    for move in move_to:
        queue, _, other = move.partition("=")
        if not queue or not other:
            fail(f"error: --move-to {move}: not QUEUE=OTHER", 2)
        moves[queue] = other
    try:
        loaded = load_center(directory)
    except ConfigError as error:
        fail(str(error))
    return CenterChanged(loaded.center, moves, tuple(drain), rebase)


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
    from router.explain import explain as tell

    with told():
        entries = [e for e in entries_in(source) if at is None or e.stamped.seq <= at]
        named = f'"{contact_id}"'.encode()
        if not any(named in body for body in bodies_of(source)):
            fail(
                f"error: {source}: no entry names contact {contact_id}; "
                f"`switchroom journal show {source}` lists what there is"
            )
        sys.stdout.write(tell(entries, contact_id).rstrip("\n") + "\n")


def replay(
    file: JournalArgument,
    *,
    as_json: JsonOption = False,
) -> None:
    """Refold a journal: decide everything again and compare, byte for byte."""
    from streams.recovery import Refold

    with told():
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
    as_json: JsonOption = False,
) -> None:
    """Check a configuration as a whole: all errors at once, each with its place."""
    from configs.commands import check_directory

    _hand_on(
        check_directory(
            directory,
            strict=strict,
            print_effective=print_effective,
            as_json=as_json,
            now_ms=time.time_ns() // 1_000_000,
        )
    )


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
