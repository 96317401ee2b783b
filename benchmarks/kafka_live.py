"""Measure a worker of its own process on a real Kafka: latency, restart, takeover."""

from __future__ import annotations

import asyncio
import heapq
import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from configs.loader import load_center
from router.center import Center
from router.decisions import OfferContact
from router.journal import decode_record
from streams.names import EVENT_NAMES
from streams.topics import TopicNames, partition_of
from tests.kafka.traffic import PARTITIONS, create_topics, feed
from tests.listening import Listening, event, listening

ROOT: Final = Path(__file__).resolve().parent.parent
SAMPLE: Final = ROOT / "configs" / "sample"
TINY: Final = ROOT / "configs" / "tiny"
CONTACTS_PER_S: Final = 50
CHANNEL: Final = "phone"
CATEGORY: Final = "order_status"
HANDLE_S: Final = 0.3
WARM_UP_S: Final = 3.0
PATIENCE_S: Final = 300.0


@dataclass
class Latencies:
    """When each contact was sent, journaled with an offer, and published as one; seconds."""

    sent: dict[str, float] = field(default_factory=dict)
    journaled: dict[str, float] = field(default_factory=dict)
    published: dict[str, float] = field(default_factory=dict)

    def of(self, there: dict[str, float]) -> list[float]:
        """Return the milliseconds that each took, sorted."""
        return sorted((at - self.sent[c]) * 1000 for c, at in there.items() if c in self.sent)


class Floor:
    """Let customers call and agents work, as the decisions say; a stranger to the worker."""

    def __init__(self, address: str, names: TopicNames, center: Center) -> None:
        self.names = names
        self.center = center
        self.times = Latencies()
        self._address = address
        self._partition = partition_of(center.name, PARTITIONS)
        self._later: list[tuple[float, int, str, dict[str, Any]]] = []
        self._number = 0

    async def run(self, seconds: float) -> Latencies:
        """Play for a while."""
        async with (
            AIOKafkaProducer(bootstrap_servers=self._address, acks="all") as producer,
            AIOKafkaConsumer(
                bootstrap_servers=self._address, enable_auto_commit=False, fetch_max_wait_ms=5
            ) as consumer,
        ):
            places = [
                TopicPartition(topic, self._partition)
                for topic in (self.names.decisions, self.names.journal)
            ]
            consumer.assign(places)
            await asyncio.sleep(0)
            for place in places:
                consumer.seek(place, (await consumer.end_offsets([place]))[place])
            for agent_id in self.center.agents:
                await self._send(producer, "agent.signed_in", agent_id=agent_id)
            hearing = asyncio.create_task(self._hear(consumer))
            await self._speak(producer, seconds)
            hearing.cancel()
            await asyncio.wait({hearing})
        return self.times

    async def _speak(self, producer: AIOKafkaProducer, seconds: float) -> None:
        began_s = time.perf_counter()
        count = 0
        while (now_s := time.perf_counter()) < began_s + seconds:
            while self._later and self._later[0][0] <= now_s:
                _, _, name, data = heapq.heappop(self._later)
                await self._send(producer, name, **data)
            if count < (now_s - began_s) * CONTACTS_PER_S:
                contact_id = f"c-{count}"
                if now_s - began_s > WARM_UP_S:
                    self.times.sent[contact_id] = time.perf_counter()
                arrived = {"contact_id": contact_id, "channel": CHANNEL, "category": CATEGORY}
                await self._send(producer, "contact.arrived", **arrived)
                count += 1
                continue
            await asyncio.sleep(0.001)

    async def _send(self, producer: AIOKafkaProducer, name: str, **data: Any) -> None:
        self._number += 1
        topic = self.names.agents if name.startswith("agent") else self.names.contacts
        body = json.dumps(event(name, self._number, **data)).encode()
        key = self.center.name.encode()
        await producer.send(topic, body, key, partition=self._partition)

    async def _hear(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            for place, records in (await consumer.getmany(timeout_ms=100)).items():
                now_s = time.perf_counter()
                for record in records:
                    if place.topic == self.names.journal:
                        for entry in decode_record(record.value).entries:
                            for decision in entry.decisions:
                                if isinstance(decision, OfferContact):
                                    self.times.journaled.setdefault(decision.contact_id, now_s)
                    else:
                        self._decided(now_s, dict(record.headers), record.value)

    def _decided(self, now_s: float, headers: dict[str, bytes], value: bytes) -> None:
        if headers["ce_type"] == b"switchroom.contact.offered":
            data = json.loads(value)
            self.times.published.setdefault(data["contact_id"], now_s)
            offer = {name: data[name] for name in ("offer_id", "contact_id", "agent_id")}
            self._plan(now_s, "offer.accepted", offer)
            self._plan(now_s, "offer.connected", offer)
            ended = {"contact_id": data["contact_id"]}
            self._plan(now_s + HANDLE_S, "contact.ended", ended)
        elif headers["ce_type"] == b"switchroom.wrap_up.started":
            data = json.loads(value)
            over = {"contact_id": data["contact_id"], "agent_id": data["agent_id"]}
            self._plan(now_s, "wrap_up.ended", over)

    def _plan(self, at_s: float, name: str, data: dict[str, Any]) -> None:
        assert f"switchroom.{name}" in EVENT_NAMES.values(), name
        self._number += 1
        heapq.heappush(self._later, (at_s, self._number, name, data))


def worker_on(address: str, prefix: str, config: Path, *options: str) -> list[str]:
    """Return the options of a worker on topics."""
    told = ["--config", str(config), "--bootstrap-server", address, "--topic-prefix", prefix]
    return [*told, *options]


def percentile(values: list[float], share: float) -> float:
    """Return the value below which a share of sorted values lies."""
    return values[min(len(values) - 1, int(len(values) * share))]


def measure_latency(address: str, seconds: float, *, fence: bool) -> dict[str, Any]:
    """Play 50 contacts a second against a worker; ms from sending to the journaled offer."""
    center = load_center(SAMPLE).center
    names = TopicNames(f"latency-{'fence' if fence else 'plain'}")
    asyncio.run(create_topics(address, names))
    with listening(worker_on(address, names.prefix, SAMPLE, *(["--fence"] if fence else []))) as on:
        times = asyncio.run(Floor(address, names, center).run(seconds))
        on.process.send_signal(signal.SIGTERM)
        on.process.wait(PATIENCE_S)
    facts: dict[str, Any] = {"sent": len(times.sent)}
    for what, there in (("journaled", times.journaled), ("published", times.published)):
        took = times.of(there)
        facts[what] = {"count": len(took)} | (
            {"p50": percentile(took, 0.5), "p99": percentile(took, 0.99)} if took else {}
        )
    return facts


def arrivals(count: int) -> Iterator[bytes]:
    """Yield contacts that nobody is there to take."""
    for number in range(count):
        data = {"contact_id": f"c-{number}", "channel": CHANNEL, "category": CATEGORY}
        yield json.dumps(event("contact.arrived", number, **data)).encode()


def measure_restart(address: str, folder: Path, contacts: int, rounds: int) -> dict[str, Any]:
    """Let contacts wait, kill the worker, and take the time until another is ready."""
    center = load_center(TINY).center  # it has no limits: everybody may wait
    names = TopicNames("restart")
    asyncio.run(create_topics(address, names))
    records = [(names.contacts, body) for body in arrivals(contacts)]
    asyncio.run(feed(address, center.name, records, structured=True))
    kept = ("--snapshots", str(folder), "--snapshot-every", "2000")
    facts: dict[str, Any] = {"open_contacts": 0, "with_snapshot": [], "full_replay": []}
    with listening(worker_on(address, names.prefix, TINY, *kept)) as on:
        until_s = time.monotonic() + PATIENCE_S
        while (waiting := on.get("/v1/queues")["open_contacts"]) < contacts:
            assert time.monotonic() < until_s, waiting
            time.sleep(0.2)
        facts["open_contacts"] = waiting
        on.process.kill()
    for what, options in (("with_snapshot", kept), ("full_replay", ())):
        for _ in range(rounds):
            began_s = time.perf_counter()
            with listening(worker_on(address, names.prefix, TINY, *options)) as on:
                facts[what].append(time.perf_counter() - began_s)
                on.process.kill()
    return facts


def measure_failover(address: str, folder: Path, rounds: int) -> dict[str, Any]:
    """Kill the process that has a centre; seconds until the other one is ready with it."""
    facts: dict[str, Any] = {"store": [], "kafka": []}
    for number in range(rounds):
        names = TopicNames(f"failover-{number}")
        asyncio.run(create_topics(address, names))
        shared = worker_on(address, names.prefix, SAMPLE, "--share")
        stores = ["--config", str(SAMPLE), "--store", str(folder / f"{number}.db"), "--standby"]
        for what, options in (("store", stores), ("kafka", shared)):
            with listening(options) as first:
                _wait_until_ok(first)
                with listening(options) as second:
                    began_s = time.perf_counter()
                    first.process.kill()
                    _wait_until_ok(second)
                    facts[what].append(time.perf_counter() - began_s)
    return facts


def _wait_until_ok(worker: Listening) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while set(worker.get("/v1/centers")["centers"].values()) != {"ok"}:
        assert time.monotonic() < until_s, "nobody took over"
        time.sleep(0.01)
