# ruff: noqa: PLC0415 - a command imports what it needs when it runs
"""Offer Kafka on the command line: `run --bootstrap-server`, `topics`, `doctor`, `fetch`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.journal_commands import fail, journal_app, told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from router.events import CenterChanged
    from streams.host import HostOptions
    from streams.kafka_settings import KafkaSettings
    from streams.worker import Settings

BootstrapOption = Annotated[
    str, typer.Option("--bootstrap-server", help="Run on Kafka: HOST:PORT, several with commas.")
]
SettingsOption = Annotated[
    Path | None,
    typer.Option("--kafka-settings", help="A YAML file: TLS, SASL, timeouts; see KAFKA.md."),
]
PrefixOption = Annotated[
    str, typer.Option("--topic-prefix", help="What the topics' names begin with.")
]
CreateOption = Annotated[
    bool, typer.Option("--create-topics", help="Make the topics that are missing.")
]
PartitionOption = Annotated[
    int | None, typer.Option(min=0, help="The centre's partition; else that of its name as key.")
]
PartitionsOption = Annotated[
    list[str] | None,
    typer.Option("--partition", help="NUMBER or CENTRE=NUMBER; else that of its name as key."),
]
ShareOption = Annotated[
    bool, typer.Option("--share", help="Share the centres with other processes that say so.")
]
MemberOption = Annotated[
    str, typer.Option("--member", help="This process' lasting name among those that share.")
]
FenceOption = Annotated[
    bool, typer.Option("--fence", help="Append in transactions as well; see KAFKA.md.")
]
UntilEndOption = Annotated[
    bool, typer.Option("--until-end", help="Stop where the input topics end now.")
]
SnapshotsOption = Annotated[
    Path | None, typer.Option(help="A directory for snapshots; without it, full replays.")
]


@dataclass(frozen=True, kw_only=True)
class KafkaChoice:
    """What was said about Kafka on the command line, as it was said."""

    bootstrap: str = ""
    file: Path | None = None
    prefix: str = ""
    create_topics: bool = False
    partitions: tuple[str, ...] = ()
    until_end: bool = False
    snapshots: Path | None = None
    share: bool = False
    member: str = ""
    fence: bool = False

    @property
    def wanted(self) -> bool:
        """Whether the worker is to run on Kafka."""
        return bool(self.bootstrap or self.file)

    def check(self, *, stored: bool, heard: bool, printed: bool) -> None:
        """Refuse options of the other kind of store."""
        if not self.wanted:
            asked = self.prefix or self.create_topics or self.until_end or self.snapshots
            if asked or self.partitions or self.share or self.member or self.fence:
                fail("error: this option needs --bootstrap-server HOST:PORT", 2)
            return
        others = {
            "--store": stored,
            "--input": heard,
            "--print-decisions and --standby": printed,
        }
        for name, given in others.items():
            if given:
                fail(f"error: {name}: not with --bootstrap-server; see KAFKA.md", 2)
        if self.member and not self.share:
            fail("error: --member needs --share", 2)

    def partition_of_each(self, centers: Sequence[str]) -> dict[str, int]:
        """Read --partition; raises nothing but the end of the command."""
        given: dict[str, int] = {}
        for text in self.partitions:
            center, equals, number = text.rpartition("=")
            if not equals and len(centers) == 1:
                center = centers[0]
            if center not in centers or not number.isdecimal():
                fail(f"error: --partition {text}: not CENTRE=NUMBER, with one of our centres", 2)
            given[center] = int(number)
        return given


def run_on_kafka(
    choice: KafkaChoice,
    configured: Sequence[CenterChanged],
    settings: Settings,
    hosting: HostOptions,
    announce: Callable[[str], None],
    *,
    recorded: bool,
    speed: float | None,
    dry_run: bool,
) -> int:
    """Run centres on topics; returns the exit code."""
    with told():
        cluster = _settings_of(choice)
        _check_installed()
        import asyncio

        from streams.kafka_process import KafkaProcess, run_kafka

        process = KafkaProcess(
            cluster=cluster,
            configured=configured,
            partitions=choice.partition_of_each([one.center.name for one in configured]),
            recorded=recorded,
            speed=speed,
            create_topics=choice.create_topics and not dry_run,
            until_end=choice.until_end,
            snapshots=choice.snapshots,
            dry_run=dry_run,
            share=choice.share,
            member=choice.member,
            settings=settings,
        )
        return asyncio.run(run_kafka(process, hosting, announce))


def _settings_of(choice: KafkaChoice) -> KafkaSettings:
    from msgspec.structs import replace

    from streams.kafka_settings import load_settings

    settings = load_settings(
        choice.file, bootstrap_servers=choice.bootstrap, topic_prefix=choice.prefix
    )
    return replace(settings, fence=True) if choice.fence else settings


def _check_installed() -> None:
    from importlib.util import find_spec

    if find_spec("aiokafka") is None:
        fail("error: the Kafka client is not installed; pip install 'switchroom[kafka]'")


def topics(
    bootstrap: BootstrapOption = "127.0.0.1:9092",
    prefix: PrefixOption = "switchroom",
    *,
    partitions: Annotated[
        int, typer.Option(min=1, help="Centres have one each; cannot be changed later.")
    ] = 12,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each partition.")] = 3,
    centers: Annotated[
        str, typer.Option(help="Centres, with commas: at least so many partitions that none share.")
    ] = "",
    acls: Annotated[bool, typer.Option("--acls", help="Print the rights instead.")] = False,
    principal: Annotated[str, typer.Option(help="Whose rights.")] = "User:switchroom",
    role: Annotated[str, typer.Option(help="worker, adapter, operator or reader.")] = "worker",
    http_events: Annotated[
        bool, typer.Option("--http-events", help="This worker takes events over HTTP, too.")
    ] = False,
) -> None:
    """Print the kafka-topics.sh commands that make the topics, or the kafka-acls.sh commands."""
    from streams.acls import Role, acl_commands, rights_of
    from streams.topics import TopicNames, check_prefix, creation_commands, enough_partitions

    if fault := check_prefix(prefix):
        fail(f"error: {fault}", 2)
    names = TopicNames(prefix)
    if acls:
        if role not in list(Role):
            fail(f"error: --role {role}: one of {', '.join(Role)}", 2)
        commands = acl_commands(
            rights_of(Role(role), names, http_events=http_events), bootstrap, principal
        )
    else:
        listed = [name.strip() for name in centers.split(",") if name.strip()]
        partitions = enough_partitions(listed, partitions)
        commands = creation_commands(names, bootstrap, partitions, replication)
    for command in commands:
        sys.stdout.write(command + "\n")


@journal_app.command()
def fetch(
    center: Annotated[str, typer.Argument(help="The centre, as its configuration names it.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The journal file to write.")],
    bootstrap: BootstrapOption = "",
    file: SettingsOption = None,
    prefix: PrefixOption = "",
    partition: PartitionOption = None,
) -> None:
    """Copy a centre's journal from Kafka into a file that every other command can read."""
    with told():
        choice = KafkaChoice(bootstrap=bootstrap, file=file, prefix=prefix)
        settings = _settings_of(choice)
        _check_installed()
        import asyncio

        from streams.kafka_live import fetch_journal

        count = asyncio.run(fetch_journal(settings, center, partition, output))
    sys.stderr.write(f"{output}: {count} records\n")


def doctor(
    bootstrap: BootstrapOption = "",
    file: SettingsOption = None,
    prefix: PrefixOption = "",
) -> None:
    """Check what the worker relies on: topics, rights, offsets, order; says what is missing."""
    with told():
        settings = _settings_of(KafkaChoice(bootstrap=bootstrap, file=file, prefix=prefix))
        _check_installed()
        import asyncio

        from streams.doctor import examine

        findings = asyncio.run(examine(settings))
    for finding in findings:
        sys.stdout.write(f"{'ok  ' if finding.good else 'FAIL'} {finding.what}: {finding.told}\n")
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)
