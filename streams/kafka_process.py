"""Run the centres of one process on Kafka: which partition each has, and who owns it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from router.events import CenterChanged
from streams.host import Host, HostOptions
from streams.kafka import Cluster
from streams.kafka_admin import check_topics
from streams.kafka_desk import Front
from streams.kafka_lease import GroupLease
from streams.kafka_live import KafkaOptions, KafkaShard
from streams.kafka_settings import KafkaSettings
from streams.ports import StoreError
from streams.topics import TopicNames, partition_of
from streams.worker import Settings


@dataclass(frozen=True, kw_only=True)
class KafkaProcess:
    """What `switchroom run` was told about Kafka.

    `partitions` names those that are not of the centre's key. With `share` the centres are shared
    with every other process that says so; `member` is this one's name there, if it has one.
    """

    cluster: KafkaSettings
    configured: Sequence[CenterChanged]
    partitions: Mapping[str, int] = field(default_factory=dict)
    recorded: bool = False
    speed: float | None = None
    create_topics: bool = False
    until_end: bool = False
    snapshots: Path | None = None
    dry_run: bool = False
    share: bool = False
    member: str = ""
    settings: Settings = field(default_factory=Settings)


def choose_partitions(
    centers: Iterable[str], given: Mapping[str, int], count: int
) -> dict[str, int]:
    """Return each centre's partition; raises `StoreError` if two have the same one."""
    chosen: dict[str, int] = {}
    for center in centers:
        chosen[center] = given.get(center, partition_of(center, count))
        if chosen[center] >= count:
            raise StoreError(
                f"--partition {center}={chosen[center]}: the topics have {count}, from 0 on"
            )
        same = [other for other in chosen if chosen[other] == chosen[center] and other != center]
        if same:
            raise StoreError(
                f"{same[0]} and {center} have the same partition, {chosen[center]}; a partition "
                "carries one centre: name another with --partition CENTRE=NUMBER (producers must "
                "use it, too), or make topics with the number of partitions that `switchroom "
                "topics --centers` finds"
            )
    return chosen


async def run_kafka(
    process: KafkaProcess, host: HostOptions, announce: Callable[[str], None]
) -> int:
    """Run until a signal comes, or until the inputs' ends if asked to; returns the exit code."""
    names = TopicNames(process.cluster.topic_prefix)
    cluster = Cluster(process.cluster)
    try:
        count = await check_topics(cluster, names, create=process.create_topics)
    finally:
        await cluster.close()
    by_name = {configured.center.name: configured for configured in process.configured}
    partitions = choose_partitions(by_name, process.partitions, count)
    async with AsyncExitStack() as stack:
        front = lease = None
        if host.port is not None:
            front = Front(process.cluster)
            stack.push_async_callback(front.close)
        if process.share:
            lease = GroupLease(
                process.cluster,
                names.control,
                f"{names.prefix}.owners",
                sorted(partitions.values()),
                member=process.member,
            )
            lease.start()
            stack.push_async_callback(lease.close)
        shards = [
            KafkaShard(
                KafkaOptions(
                    cluster=process.cluster,
                    configured=configured,
                    partition=partitions[name],
                    recorded=process.recorded,
                    speed=process.speed,
                    until_end=process.until_end,
                    snapshots=process.snapshots,
                    shown=host.port is not None,
                    dry_run=process.dry_run,
                    settings=process.settings,
                ),
                announce,
                lease=lease,
                front=front,
            )
            for name, configured in by_name.items()
        ]
        return await Host(shards, host, announce).run()
