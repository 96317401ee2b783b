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
    from collections.abc import Callable

    from router.events import CenterChanged
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
    partition: int | None = None
    until_end: bool = False
    snapshots: Path | None = None

    @property
    def wanted(self) -> bool:
        """Whether the worker is to run on Kafka."""
        return bool(self.bootstrap or self.file)

    def check(self, *, stored: bool, heard: bool, printed: bool) -> None:
        """Refuse options of the other kind of store."""
        if not self.wanted:
            asked = self.prefix or self.create_topics or self.until_end or self.snapshots
            if asked or self.partition is not None:
                fail("error: this option needs --bootstrap-server HOST:PORT", 2)
            return
        others = {
            "--store": stored,
            "--input, --http and --port": heard,
            "--print-decisions": printed,
        }
        for name, given in others.items():
            if given:
                fail(f"error: {name}: not with --bootstrap-server; see KAFKA.md", 2)


def run_on_kafka(
    choice: KafkaChoice,
    configured: CenterChanged,
    settings: Settings,
    announce: Callable[[str], None],
    *,
    recorded: bool,
    speed: float | None,
) -> int:
    """Run the worker on topics; returns the exit code."""
    with told():
        cluster = _settings_of(choice)
        _check_installed()
        import asyncio

        from streams.kafka_live import KafkaOptions, run_kafka

        options = KafkaOptions(
            cluster=cluster,
            configured=configured,
            recorded=recorded,
            speed=speed,
            partition=choice.partition,
            create_topics=choice.create_topics,
            until_end=choice.until_end,
            snapshots=choice.snapshots,
            settings=settings,
        )
        return asyncio.run(run_kafka(options, announce))


def _settings_of(choice: KafkaChoice) -> KafkaSettings:
    from streams.kafka_settings import load_settings

    return load_settings(
        choice.file, bootstrap_servers=choice.bootstrap, topic_prefix=choice.prefix
    )


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
) -> None:
    """Print the kafka-topics.sh commands that make the topics."""
    from streams.topics import TopicNames, check_prefix, creation_commands

    if fault := check_prefix(prefix):
        fail(f"error: {fault}", 2)
    for command in creation_commands(TopicNames(prefix), bootstrap, partitions, replication):
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
        choice = KafkaChoice(bootstrap=bootstrap, file=file, prefix=prefix, partition=partition)
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
