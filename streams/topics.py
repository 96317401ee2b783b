"""Name the topics, say how each must be kept, and write the commands that make them.

The key of every record is its centre, so all of a centre is in one partition of each topic, and
that partition has one worker. No topic is compacted: a journal that forgets a key has a hole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

DAY_MS: Final = 86_400_000
PARTITIONS: Final = 12
"""Cannot change later without moving centres: more centres than this need more partitions now."""

UNIT_BYTES_MAX: Final = 8 * 1024 * 1024
"""The largest journal record: a whole configuration fits, with the entries around it."""


class TopicSpec(Struct, frozen=True):
    """How one topic must be: who writes it, for how long it is kept, how large records get."""

    name: str
    written_by: str
    retention_ms: int
    bytes_max: int = 1_048_588

    @property
    def settings(self) -> dict[str, str]:
        """Return the topic's settings in the broker's words."""
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "max.message.bytes": str(self.bytes_max),
            # Retention counts from when it was written, whatever a producer's clock says.
            "message.timestamp.type": "LogAppendTime",
        }


class TopicNames(Struct, frozen=True):
    """Name the topics of one deployment; `prefix` may hold dots, no underscores."""

    prefix: str = "switchroom"

    @property
    def contacts(self) -> str:
        """Return the input of contacts' and offers' events."""
        return f"{self.prefix}.contacts.v1"

    @property
    def agents(self) -> str:
        """Return the input of agents' events."""
        return f"{self.prefix}.agents.v1"

    @property
    def control(self) -> str:
        """Return the input that only operators may write."""
        return f"{self.prefix}.control.v1"

    @property
    def journal(self) -> str:
        """Return the journal."""
        return f"{self.prefix}.journal.v1"

    @property
    def decisions(self) -> str:
        """Return the output."""
        return f"{self.prefix}.decisions.v1"

    @property
    def inputs(self) -> tuple[str, str, str]:
        """Return the inputs; at the same instant the earlier one here comes first."""
        return self.control, self.agents, self.contacts

    def specs(self) -> tuple[TopicSpec, ...]:
        """Return what all topics must be like."""
        inputs = (
            TopicSpec(self.contacts, "adapters", 7 * DAY_MS),
            TopicSpec(self.agents, "adapters", 7 * DAY_MS),
            TopicSpec(self.control, "the operator", 30 * DAY_MS),
        )
        return (
            *inputs,
            TopicSpec(self.journal, "the worker", 30 * DAY_MS, UNIT_BYTES_MAX),
            TopicSpec(self.decisions, "the worker", 30 * DAY_MS),
            *(TopicSpec(dead_letters_of(spec.name), "the worker", 7 * DAY_MS) for spec in inputs),
        )


def dead_letters_of(topic: str) -> str:
    """Return where the traces of a topic's unreadable records go."""
    return f"{topic}.dlq"


def check_prefix(prefix: str) -> str:
    """Return what is wrong with a prefix, "" if nothing."""
    plain = prefix.replace(".", "").replace("-", "")
    if not (plain.isascii() and plain.isalnum() and prefix[0] not in ".-" and prefix[-1] != "."):
        return f"topic prefix {prefix!r}: only letters, digits, dots and hyphens (no underscores)"
    return "" if len(prefix) <= 100 else "a topic prefix has at most 100 characters"  # noqa: PLR2004


def creation_commands(
    names: TopicNames, address: str, partitions: int, replication: int
) -> list[str]:
    """Return one `kafka-topics.sh` command a topic."""
    insync = max(1, replication - 1)
    commands = []
    for spec in names.specs():
        settings = {**spec.settings, "min.insync.replicas": str(insync)}
        options = " ".join(f"--config {name}={value}" for name, value in settings.items())
        commands.append(
            f"kafka-topics.sh --bootstrap-server {address} --create --if-not-exists "
            f"--topic {spec.name} --partitions {partitions} "
            f"--replication-factor {replication} {options}"
        )
    return commands


def partition_of(center_name: str, partitions: int) -> int:
    """Return the partition that every Kafka client gives the key of a centre.

    Murmur2, as the Java client's default partitioner and those compatible with it compute it
    (org.apache.kafka.common.utils.Utils): other hashes would look for a centre elsewhere.
    """
    return (_murmur2(center_name.encode()) & 0x7FFFFFFF) % partitions


def enough_partitions(centers: Sequence[str], least: int) -> int:
    """Return a number of partitions, at least `least`, at which no two centres share one."""
    number = max(least, len(centers))
    while len({partition_of(center, number) for center in centers}) < len(centers):
        number += 1
    return number


def _murmur2(key: bytes) -> int:
    mask, multiplier = 0xFFFFFFFF, 0x5BD1E995
    whole = len(key) & ~3
    mixed = 0x9747B28C ^ len(key)
    for start in range(0, whole, 4):
        word = int.from_bytes(key[start : start + 4], "little") * multiplier & mask
        word = (word ^ word >> 24) * multiplier & mask
        mixed = (mixed * multiplier & mask) ^ word
    if rest := key[whole:]:
        mixed = (mixed ^ int.from_bytes(rest, "little")) * multiplier & mask
    mixed = (mixed ^ mixed >> 13) * multiplier & mask
    return mixed ^ mixed >> 15
