# ruff: noqa: PLC0415 - a command imports what it needs when it runs
"""Offer the worker on the command line: `switchroom run`, for one centre or several."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from streams.journal_commands import fail, told
from streams.kafka_commands import (
    BootstrapOption,
    CreateOption,
    FenceOption,
    KafkaChoice,
    MemberOption,
    PartitionsOption,
    PrefixOption,
    SettingsOption,
    ShareOption,
    SnapshotsOption,
    UntilEndOption,
    run_on_kafka,
)

if TYPE_CHECKING:
    from router.events import CenterChanged
    from streams.host import HostOptions
    from streams.reload import Handover, Reloader
    from streams.staffing import Staffing
    from streams.worker import Settings

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


CentersOption = Annotated[
    str, typer.Option("--centers", help="Only these centres of the directory, with commas.")
]
LifecycleOption = Annotated[
    bool, typer.Option("--enable-lifecycle", help="Allow POST /-/reload; SIGHUP always works.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Decide and print; journal nothing, publish nothing.")
]
StandbyOption = Annotated[
    bool, typer.Option("--standby", help="Wait for a store in use; take over when it is free.")
]
StaffingOption = Annotated[
    Path | None,
    typer.Option("--staffing", help="Who is scheduled when: a planning file, shown in /metrics."),
]
WatchdogOption = Annotated[
    float, typer.Option(min=0, help="End with code 70 if the loop hangs so many seconds; 0: never.")
]


def run(
    config: Annotated[
        Path, typer.Option(help="The configuration: a centre's directory, or one of several.")
    ],
    store: StoreOption = None,
    *,
    centers: CentersOption = "",
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
    dry_run: DryRunOption = False,
    unit_records: UnitOption = 500,
    snapshot_every: EveryOption = 50_000,
    standby: StandbyOption = False,
    enable_lifecycle: LifecycleOption = False,
    watchdog: WatchdogOption = 30.0,
    staffing: StaffingOption = None,
    bootstrap_server: BootstrapOption = "",
    kafka_settings: SettingsOption = None,
    topic_prefix: PrefixOption = "",
    create_topics: CreateOption = False,
    partition: PartitionsOption = None,
    until_end: UntilEndOption = False,
    snapshots: SnapshotsOption = None,
    share: ShareOption = False,
    member: MemberOption = "",
    fence: FenceOption = False,
) -> None:
    """Run centres: decide, journal, publish; on embedded stores (--store) or on Kafka."""
    choice = KafkaChoice(
        bootstrap=bootstrap_server,
        file=kafka_settings,
        prefix=topic_prefix,
        create_topics=create_topics,
        partitions=tuple(partition or ()),
        until_end=until_end,
        snapshots=snapshots,
        share=share,
        member=member,
        fence=fence,
    )
    stores = _StoreChoice(
        store=store,
        input=input_,
        recorded=as_fast_as_possible,
        speed=speed,
        print_decisions=print_decisions,
        standby=standby,
        dry_run=dry_run,
    )
    address = _address(http, port)
    choice.check(stored=store is not None, heard=bool(input_), printed=print_decisions or standby)
    listens = address[1] is not None
    _check_usage(stores, heard=choice.wanted or bool(input_) or listens)
    configured = _configured(config, centers, handover_of(drain, move_to, rebase=rebase))
    planned = _staffing(staffing, stores, configured, listens=listens)
    read = _reloader(config, centers, planned)
    hosting = _hosting(address, token_file, read, planned, enable_lifecycle, watchdog)
    settings = _settings(unit_records, snapshot_every, listens=listens)
    go = _run_on_kafka if choice.wanted else _run_on_stores
    raise typer.Exit(go(choice, stores, configured, settings, hosting))


@dataclass(frozen=True, kw_only=True)
class _StoreChoice:
    """What was said on the command line about the store and the way it is run."""

    store: Path | None
    input: str
    recorded: bool
    speed: float | None
    print_decisions: bool
    standby: bool
    dry_run: bool


def _run_on_kafka(
    choice: KafkaChoice,
    stores: _StoreChoice,
    configured: Mapping[str, CenterChanged],
    settings: Settings,
    hosting: HostOptions,
) -> int:
    return run_on_kafka(
        choice,
        list(configured.values()),
        settings,
        hosting,
        _announce,
        recorded=stores.recorded,
        speed=stores.speed,
        dry_run=stores.dry_run,
    )


def _run_on_stores(
    _: KafkaChoice,
    choice: _StoreChoice,
    configured: Mapping[str, CenterChanged],
    settings: Settings,
    hosting: HostOptions,
) -> int:
    import asyncio

    from streams.host import Host
    from streams.live import RunOptions, StoreShard

    store, several = choice.store, len(configured) > 1
    if store is None:
        fail("error: give --store FILE, or --bootstrap-server HOST:PORT to run on Kafka", 2)
    if several and choice.input:
        fail("error: --input feeds one centre; choose it with --centers NAME", 2)
    if several and not choice.dry_run:
        store.mkdir(parents=True, exist_ok=True)
    with told():
        shards = [
            StoreShard(
                RunOptions(
                    store=store / f"{name}.db" if several else store,
                    configured=one,
                    input=choice.input,
                    recorded=choice.recorded,
                    speed=choice.speed,
                    print_decisions=choice.print_decisions,
                    standby=choice.standby,
                    dry_run=choice.dry_run,
                    counted=hosting.port is not None,
                    settings=settings,
                ),
                _announce,
            )
            for name, one in configured.items()
        ]
        return asyncio.run(Host(shards, hosting, _announce).run())


def _settings(unit_records: int, snapshot_every: int, *, listens: bool) -> Settings:
    from streams.worker import Settings

    return Settings(
        unit_records=unit_records, snapshot_every=snapshot_every, stop_at_end=not listens
    )


def _hosting(
    address: tuple[str, int | None],
    token_file: Path | None,
    reloader: Reloader,
    staffing: Staffing | None,
    lifecycle: bool,  # noqa: FBT001 - as it was said on the command line
    watchdog_s: float,
) -> HostOptions:
    from streams.host import HostOptions

    host, port = address
    return HostOptions(
        host=host,
        port=port,
        token=_token(token_file, host),
        reloader=reloader,
        staffing=staffing,
        lifecycle=lifecycle,
        watchdog_s=watchdog_s,
    )


def _check_usage(said: _StoreChoice, *, heard: bool) -> None:
    """Refuse what contradicts itself, and an interpreter that would skip our checks."""
    if not __debug__:
        fail("error: python -O switches our checks off; run without -O and PYTHONOPTIMIZE")
    if said.recorded and said.speed is not None:
        fail("error: --as-fast-as-possible and --speed exclude each other", 2)
    if said.speed is not None and not 0 < said.speed <= SPEED_MAX:
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


def handover_of(drain: list[str] | None, move_to: list[str] | None, *, rebase: bool) -> Handover:
    """Read how a running centre takes a configuration over."""
    from streams.reload import Handover

    moves: dict[str, str] = {}
    for move in move_to or ():
        queue, _, other = move.partition("=")
        if not queue or not other:
            fail(f"error: --move-to {move}: not QUEUE=OTHER", 2)
        moves[queue] = other
    return Handover(moves, tuple(drain or ()), rebase)


def _configured(config: Path, centers: str, handed: Handover) -> dict[str, CenterChanged]:
    """Load the configurations of all centres, or end with everything that is wrong."""
    from streams.reload import ReloadError, load_centers

    try:
        return load_centers(config, centers, handed)
    except ReloadError as error:
        fail(str(error))


def _staffing(
    path: Path | None,
    stores: _StoreChoice,
    configured: Mapping[str, CenterChanged],
    *,
    listens: bool,
) -> Staffing | None:
    """Read who is scheduled, or end with what is wrong."""
    from streams.staffing import Staffing, StaffingError

    if path is None:
        return None
    if not listens or stores.recorded or stores.speed is not None:
        fail("error: --staffing is shown in /metrics by the wall's clock; it needs --port N", 2)
    staffing = Staffing(path)
    try:
        staffing.read([one.center for one in configured.values()])
    except StaffingError as error:
        fail(f"error: {error}")
    _announce(staffing.told())
    return staffing


def _reloader(config: Path, centers: str, staffing: Staffing | None) -> Reloader:
    """Make what reads the same files again."""
    from streams.reload import Reloader, ReloadError, load_centers
    from streams.staffing import StaffingError

    def load(handed: Handover) -> dict[str, CenterChanged]:
        loaded = load_centers(config, centers, handed)
        if staffing is not None:
            try:
                staffing.read([one.center for one in loaded.values()])
            except StaffingError as error:
                raise ReloadError(str(error)) from None
            _announce(staffing.told())
        return loaded

    return Reloader(load, _announce)
