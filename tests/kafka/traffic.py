"""Feed a day into the topics, and read back what a stranger sees there."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.instants import parse_instant
from streams.topics import TopicNames

PARTITIONS: Final = 3


def to_binary(body: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Return a structured CloudEvent in binary mode: data and headers."""
    envelope = msgspec.json.decode(body)
    data = envelope.pop("data", None)
    headers = [(f"ce_{name}", str(value).encode()) for name, value in envelope.items()]
    headers.append(("content-type", b"application/json"))
    return b"" if data is None else msgspec.json.encode(data), headers


def topic_of(names: TopicNames, body: bytes) -> str:
    """Return the topic that an event belongs to."""
    name = msgspec.json.decode(body)["type"]
    return names.agents if name.startswith("switchroom.agent.") else names.contacts


def time_of(body: bytes) -> int:
    return parse_instant(msgspec.json.decode(body)["time"])


async def create_topics(address: str, names: TopicNames, partitions: int = PARTITIONS) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        topics = [
            NewTopic(spec.name, partitions, 1, topic_configs=spec.settings)
            for spec in names.specs()
        ]
        await admin.create_topics(topics)
    finally:
        await admin.close()


async def feed(
    address: str, center: str, records: Sequence[tuple[str, bytes]], *, structured: bool = False
) -> None:
    """Send (topic, structured CloudEvent) in order, keyed by centre, in binary mode by default."""
    async with AIOKafkaProducer(
        bootstrap_servers=address, acks="all", enable_idempotence=True, linger_ms=5
    ) as producer:
        sent = []
        for topic, body in records:
            value, headers = (body, []) if structured else to_binary(body)
            sent.append(await producer.send(topic, value, center.encode(), headers=headers))
        await asyncio.gather(*sent)


class Seen(msgspec.Struct, frozen=True):
    """One record as a stranger sees it."""

    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: dict[str, bytes]


async def read_all(address: str, topic: str) -> list[Seen]:
    """Return everything that is in a topic, partition by partition."""
    async with AIOKafkaConsumer(
        bootstrap_servers=address,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
    ) as consumer:
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        await asyncio.sleep(0)
        begin = await consumer.beginning_offsets(places)
        for place in places:
            consumer.seek(place, begin[place])
        ends = await consumer.end_offsets(places)
        found: list[Seen] = []
        for place in places:
            while await consumer.position(place) < ends[place]:
                for record in (await consumer.getmany(place, timeout_ms=1000)).get(place, []):
                    headers = dict(record.headers)
                    value = record.value or b""
                    found.append(
                        Seen(place.partition, record.offset, record.key or b"", value, headers)
                    )
        return found


def worker_command(address: str, config: Path, prefix: str, *options: str) -> list[str]:
    """Return the command line of a worker on topics."""
    run = ["run", "--config", str(config), "--bootstrap-server", address]
    return [sys.executable, "-m", "switchroom", *run, "--topic-prefix", prefix, *options]
