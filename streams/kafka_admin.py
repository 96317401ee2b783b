"""Look at the topics before relying on them, and make them where that was asked for.

The worker needs no right to create anything: without `--create-topics` this only looks. A broker
that does not tell a topic's settings (no right to describe them) is believed, with a warning.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.kafka import Cluster
from streams.kafka_settings import KafkaSettings, client_options
from streams.ports import StoreError
from streams.topics import DAY_MS, PARTITIONS, TopicNames, TopicSpec

log: Final = logging.getLogger("switchroom.kafka")

REPLICATION: Final = 3
_EXISTS: Final = 36


async def check_topics(cluster: Cluster, names: TopicNames, *, create: bool) -> int:
    """Return how many partitions the topics have; raises `StoreError` with everything wrong."""
    specs = names.specs()
    counts = await cluster.partitions_of(spec.name for spec in specs)
    missing = [spec for spec in specs if not counts[spec.name]]
    if missing and create:
        there = max(counts.values()) or PARTITIONS
        await create_topics(cluster, missing, there)
        counts |= dict.fromkeys((spec.name for spec in missing), there)
        missing = []
    if missing:
        raise StoreError(
            f"{cluster.settings.bootstrap_servers}: topics are missing: "
            f"{', '.join(spec.name for spec in missing)}; `switchroom topics` prints the commands "
            "that make them, `run --create-topics` makes them itself"
        )
    if len(set(counts.values())) != 1:
        told = ", ".join(f"{topic}: {count}" for topic, count in counts.items())
        raise StoreError(
            f"the topics have different numbers of partitions ({told}); a centre has the same "
            "partition in all of them: make them anew with equal numbers"
        )
    faults = await find_faults(cluster, specs)
    if faults:
        raise StoreError("; ".join(faults))
    return counts[names.journal]


async def create_topics(cluster: Cluster, specs: list[TopicSpec], partitions: int) -> None:
    """Make topics, with as many replicas as there are brokers, at most three."""
    admin = AIOKafkaAdminClient(**client_options(cluster.settings))
    await cluster.within(admin.start(), "connecting")
    try:
        known = await cluster.within(admin.describe_cluster(), "asking for the brokers")
        replicas = min(REPLICATION, len(known["brokers"]))
        insync = {"min.insync.replicas": str(max(1, replicas - 1))}
        new = [
            NewTopic(spec.name, partitions, replicas, topic_configs={**spec.settings, **insync})
            for spec in specs
        ]
        answer = await cluster.within(admin.create_topics(new), "creating topics")
    finally:
        await admin.close()
    for topic, code, message in answer.topic_errors:
        # Somebody else may have been quicker.
        if code not in (0, _EXISTS):
            raise StoreError(f"topic {topic} could not be made: {message or f'error {code}'}")
    await _wait_for(cluster, [spec.name for spec in specs])


async def _wait_for(cluster: Cluster, topics: list[str]) -> None:
    """Wait until the brokers tell of new topics; each question has its own deadline."""
    for _ in range(20):
        if all((await cluster.partitions_of(topics)).values()):
            return
    raise StoreError(f"the topics were made, but are not to be seen: {', '.join(topics)}")


async def find_faults(cluster: Cluster, specs: tuple[TopicSpec, ...]) -> list[str]:
    """Return what is wrong with the settings of topics that exist."""
    faults: list[str] = []
    for spec, settings in (await _describe(cluster.settings, cluster, specs)).items():
        faults += faults_of(spec, settings)
    return faults


def faults_of(spec: TopicSpec, settings: Mapping[str, str]) -> list[str]:
    """Hold one topic's settings against what it must be like."""
    faults = []
    if "compact" in settings.get("cleanup.policy", ""):
        faults.append(f"{spec.name}: is compacted, so records vanish; set cleanup.policy=delete")
    bytes_max = int(settings.get("max.message.bytes", spec.bytes_max))
    if bytes_max < spec.bytes_max:
        faults.append(
            f"{spec.name}: takes records of at most {bytes_max} bytes; "
            f"set max.message.bytes={spec.bytes_max}"
        )
    retention_ms = int(settings.get("retention.ms", -1))
    if spec.name.endswith(".journal.v1") and 0 <= retention_ms < DAY_MS:
        faults.append(
            f"{spec.name}: is kept for {retention_ms} ms; set retention.ms={spec.retention_ms}"
        )
    return faults


async def _describe(
    settings: KafkaSettings, cluster: Cluster, specs: tuple[TopicSpec, ...]
) -> dict[TopicSpec, dict[str, str]]:
    admin = AIOKafkaAdminClient(**client_options(settings))
    await cluster.within(admin.start(), "connecting")
    try:
        asked = [ConfigResource(ConfigResourceType.TOPIC, spec.name) for spec in specs]
        answers = await cluster.within(admin.describe_configs(asked), "asking for topic settings")
    finally:
        await admin.close()
    by_name = {spec.name: spec for spec in specs}
    found: dict[TopicSpec, dict[str, str]] = {}
    for answer in answers:
        for code, message, _, name, entries in _resources(answer):
            if code:
                log.warning("%s: settings unknown, believed to be right: %s", name, message)
                continue
            found[by_name[name]] = {entry[0]: entry[1] for entry in entries}
    return found


def _resources(answer: Any) -> list[Any]:  # noqa: ANN401 - the client's answers have no types
    resources: list[Any] = answer.resources
    return resources
