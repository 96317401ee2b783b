"""Try out on a cluster what the worker relies on, and say what is missing.

The trial writes two records to a dead-letter topic's partition, where nobody's decisions depend on
them, marked as a trial; everything else only looks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct

from streams.kafka import Cluster, Outgoing, Place
from streams.kafka_admin import find_faults
from streams.kafka_settings import KafkaSettings
from streams.ports import StoreError
from streams.topics import TopicNames, dead_letters_of

_MARK: Final = (("switchroom_trial", b"doctor"),)


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    good: bool
    told: str


async def examine(settings: KafkaSettings) -> list[Finding]:
    """Look at everything that can still be looked at; a failure hides only what needs it."""
    names = TopicNames(settings.topic_prefix)
    cluster = Cluster(settings)
    findings: list[Finding] = []

    async def look(what: str, trial: Callable[[], Awaitable[str]]) -> bool:
        try:
            told = await trial()
        except StoreError as error:
            findings.append(Finding(what, False, str(error)))  # noqa: FBT003 - bad, as it says
            return False
        findings.append(Finding(what, True, told))  # noqa: FBT003 - good
        return True

    try:
        if not await look("topics", lambda: _topics(cluster, names)):
            return findings
        await look("topic settings", lambda: _settings(cluster, names))
        await look("reading", lambda: _reading(cluster, names))
        await look("writing", lambda: _writing(cluster, names))
    finally:
        await cluster.close()
    return findings


async def _topics(cluster: Cluster, names: TopicNames) -> str:
    counts = await cluster.partitions_of(spec.name for spec in names.specs())
    missing = [topic for topic, count in counts.items() if not count]
    if missing:
        raise StoreError(f"missing: {', '.join(missing)}; `switchroom topics` prints the commands")
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{topic}: {count}" for topic, count in counts.items())
        raise StoreError(f"different numbers of partitions: {told}; make them equal")
    return f"all {len(counts)} are there, with {counts[names.journal]} partitions each"


async def _settings(cluster: Cluster, names: TopicNames) -> str:
    if faults := await find_faults(cluster, names.specs()):
        raise StoreError("; ".join(faults))
    return "nothing is compacted, units fit into a record, the journal is kept long enough"


async def _reading(cluster: Cluster, names: TopicNames) -> str:
    topics = (*names.inputs, names.journal, names.decisions)
    places = [Place(topic, 0) for topic in topics]
    reader = await cluster.reader(dict.fromkeys(places, 0))
    bounds = await reader.bounds(places)
    for place, (first, end) in bounds.items():
        if end > first:
            reader.seek(place, end - 1)
            async for _ in reader.read_until(place, end):
                pass
    return f"{len(topics)} topics can be read up to their ends"


async def _writing(cluster: Cluster, names: TopicNames) -> str:
    place = Place(dead_letters_of(names.control), 0)
    await cluster.start_producer()
    offsets = [
        await cluster.send(place, Outgoing(b"trial", b"{}", _MARK), cluster.settings.append_s)
        for _ in range(2)
    ]
    reader = await cluster.reader({place: offsets[0]})
    read = [record.offset async for record in reader.read_until(place, offsets[1] + 1)]
    if offsets[1] <= offsets[0] or not set(offsets) <= set(read):
        raise StoreError(
            f"{place.topic}/{place.partition}: records were acknowledged at {offsets}, but read at "
            f"{read}; the worker relies on these offsets"
        )
    return "idempotent records are acknowledged with their offsets, in their order"
