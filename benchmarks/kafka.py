"""Measure the worker on a real Kafka, beside a bare loop that consumes and produces.

`python -m benchmarks.kafka [--quick] [--write] [--parts throughput,latency,...]` starts a broker of
its own (one node, on this machine; needs Java 17), takes turns between what it compares, prints a
table and with `--write` puts it into KAFKA.md. The broker shares the processors with what is
measured, so ratios within a run say more than figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from msgspec import structs

from benchmarks.kafka_live import measure_failover, measure_latency, measure_restart
from configs.loader import load_center
from router.events import CenterChanged
from streams.kafka_live import KafkaOptions, KafkaShard
from streams.kafka_settings import KafkaSettings
from streams.topics import TopicNames, partition_of
from streams.worker import Settings
from tests.kafka.broker import Broker
from tests.kafka.traffic import PARTITIONS, create_topics, feed
from tests.kill_soak import make_day

ROOT: Final = Path(__file__).resolve().parent.parent
DOCUMENT: Final = ROOT / "KAFKA.md"
BEGIN: Final = "<!-- figures: written by benchmarks/kafka.py; do not edit -->"
END: Final = "<!-- end -->"
SAMPLE: Final = ROOT / "configs" / "sample"
UNIT: Final = 500
FAUST_TIMEOUT_S: Final = 300


@dataclass(frozen=True)
class Size:
    """Say how much is measured."""

    rounds: int = 2
    records: int = 10_000
    seconds: int = 20
    open_contacts: int = 10_000
    restarts: int = 2


QUICK: Final = Size(1, 4_000, 8, 1_000, 1)


@dataclass
class Rate:
    """Records and seconds of each round, of the wall and of our processor time."""

    name: str
    per_s: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    def note(self, records: int, wall_s: float, cpu_s: float) -> None:
        """Keep one round."""
        self.per_s.append(records / wall_s)
        self.cpu_us.append(cpu_s / records * 1e6)


def no_word(_: str) -> None:
    """Say nothing: what a worker announces is no figure."""


async def run_worker(settings: KafkaSettings, count: int, rate: Rate) -> None:
    """Let a worker take everything from the inputs to the published decisions."""
    configured = CenterChanged(load_center(SAMPLE).center)
    options = KafkaOptions(
        cluster=settings,
        configured=configured,
        partition=partition_of(configured.center.name, PARTITIONS),
        recorded=True,
        until_end=True,
        settings=Settings(unit_records=UNIT, snapshot_every=10**9),
    )
    shard = KafkaShard(options, no_word)
    running = asyncio.create_task(shard.run())
    await shard.settled.wait()
    began_s, cpu_s = time.perf_counter(), time.process_time()
    await running
    rate.note(count, time.perf_counter() - began_s, time.process_time() - cpu_s)
    await shard.close()


async def run_bare(address: str, names: TopicNames, center: str, count: int, rate: Rate) -> None:
    """Consume the same records and produce each once, acknowledged by all, and nothing else."""
    number = partition_of(center, PARTITIONS)
    source, sink = TopicPartition(names.contacts, number), names.decisions
    consumer = AIOKafkaConsumer(
        bootstrap_servers=address, enable_auto_commit=False, max_partition_fetch_bytes=16 << 20
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=address, enable_idempotence=True, acks="all", max_batch_size=512 << 10
    )
    await consumer.start()
    await producer.start()
    consumer.assign([source])
    await asyncio.sleep(0)
    consumer.seek(source, 0)
    began_s, cpu_s, done = time.perf_counter(), time.process_time(), 0
    while done < count:
        found = await consumer.getmany(source, timeout_ms=1000, max_records=UNIT)
        batch, sent = producer.create_batch(), []
        for record in found.get(source, []):
            parts = {"key": record.key, "value": record.value, "timestamp": None}
            if batch.append(**parts, headers=list(record.headers)) is None:
                sent.append(await producer.send_batch(batch, sink, partition=number))
                batch = producer.create_batch()
                batch.append(**parts, headers=list(record.headers))
            done += 1
        if batch.record_count():
            sent.append(await producer.send_batch(batch, sink, partition=number))
        for one in sent:
            await one
    rate.note(count, time.perf_counter() - began_s, time.process_time() - cpu_s)
    await producer.stop()
    await consumer.stop()


def run_faust(address: str, names: TopicNames, count: int, rate: Rate) -> None:
    """Let a Faust agent pass the same records on, in a process of its own."""
    module = [sys.executable, "-m", "benchmarks.kafka_faust"]
    done = subprocess.run(
        [*module, address, names.contacts, names.decisions, str(count)],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=FAUST_TIMEOUT_S,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    rate.note(count, told["wall_s"], told["cpu_s"])


async def measure_throughput(address: str, size: Size) -> list[Rate]:
    """Take turns: the bare loop, the worker, the worker with the fence, a trivial Faust agent."""
    center = load_center(SAMPLE).center
    day = make_day(center, size.records, 1, gap_ms=500)
    faust = Rate("trivial Faust agent, consume and produce only")
    rates = [Rate("bare consume-produce loop"), Rate("worker"), Rate("worker, fence"), faust]
    for number in range(size.rounds):
        for at, rate in enumerate(rates):
            prefix = f"bench-{number}-{at}"
            names = TopicNames(prefix)
            await create_topics(address, names)
            await feed(address, center.name, [(names.contacts, body) for body in day])
            if not at:
                await run_bare(address, names, center.name, len(day), rate)
                continue
            if rate is faust:
                await asyncio.to_thread(run_faust, address, names, len(day), rate)
                continue
            settings = KafkaSettings(bootstrap_servers=address, topic_prefix=prefix)
            fenced = rate.name.endswith("fence")
            await run_worker(structs.replace(settings, fence=fenced), len(day), rate)
    return rates


# --- the table --------------------------------------------------------------------------------


def spread(values: Sequence[float], form: str = ",.0f") -> str:
    """Write the median with its range."""
    middle = f"{statistics.median(values):{form}}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):{form}} to {max(values):{form}})"


def throughput_rows(rates: Sequence[Rate]) -> list[tuple[str, str]]:
    """Say what each loop does, and the bare one's lead, taken within a round."""
    rows = []
    for rate in rates:
        rows.append((f"{rate.name}, records/s", spread(rate.per_s)))
        rows.append((f"{rate.name}, our processor time a record, us", spread(rate.cpu_us)))
    for rate in rates[1:]:
        ratios = [bare / own for bare, own in zip(rates[0].per_s, rate.per_s, strict=True)]
        rows.append((f"bare loop : {rate.name}", spread(ratios, ".1f")))
    return rows


def latency_rows(name: str, facts: dict[str, dict[str, float]]) -> list[tuple[str, str]]:
    """Say how long an offer took."""
    rows = []
    for what in ("journaled", "published"):
        told = facts[what]
        label = f"50 contacts/s, {name}: sent to {what} offer as a reader sees it, p50 / p99 ms"
        rows.append((label, f"{told['p50']:.1f} / {told['p99']:.1f} (of {told['count']:.0f})"))
    return rows


def table(rows: Sequence[tuple[str, str]], size: Size) -> str:
    """Write the rows with where and how they were measured."""
    where = (
        f"Python {platform.python_version()}, aiokafka {aiokafka.__version__}, one Kafka node on "
        f"the same {os.cpu_count()} processors, which others used, too (load average "
        f"{os.getloadavg()[0]:.1f}); {size.records:,} records, units of at most {UNIT}; median "
        f"(range) of {size.rounds} rounds."
    )
    lines = ["| measured | figure |", "|---|---|"]
    lines += [f"| {name} | {figure} |" for name, figure in rows]
    return "\n".join([where, "", *lines])


def write(text: str) -> None:
    """Put the table between its marks."""
    document = DOCUMENT.read_text(encoding="utf-8")
    head, _, rest = document.partition(BEGIN)
    _, _, tail = rest.partition(END)
    DOCUMENT.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")


def main() -> None:
    """Measure, print, and keep what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, under a minute")
    parser.add_argument("--write", action="store_true", help="put the table into KAFKA.md")
    parser.add_argument("--parts", default="throughput,latency,restart,failover")
    chosen = parser.parse_args()
    size, parts = QUICK if chosen.quick else Size(), chosen.parts.split(",")
    rows: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as made:
        broker = Broker(Path(made))
        broker.start()
        try:
            if "throughput" in parts:
                rows += throughput_rows(asyncio.run(measure_throughput(broker.address, size)))
                sys.stderr.write(f"{rows}\n")
            if "latency" in parts:
                for name, fence in (("no fence", False), ("fence", True)):
                    facts = measure_latency(broker.address, size.seconds, fence=fence)
                    rows += latency_rows(name, facts)
                    sys.stderr.write(f"{rows[-2:]}\n")
            if "restart" in parts:
                folder = Path(made) / "snapshots"
                told = measure_restart(broker.address, folder, size.open_contacts, size.restarts)
                killed = f"killed with {told['open_contacts']:,} open contacts"
                for what in ("with snapshot", "full replay"):
                    figure = spread(told[what.replace(" ", "_")], ".1f")
                    rows.append((f"{killed}, {what}, s to ready", figure))
            if "failover" in parts:
                told = measure_failover(broker.address, Path(made), size.restarts)
                for what, how in (("store", "--standby"), ("kafka", "--share, session 6 s")):
                    label = f"kill -9, s until the other process has the centre ({how})"
                    rows.append((label, spread(told[what], ".1f")))
        finally:
            broker.stop()
    text = table(rows, size)
    sys.stdout.write(text + "\n")
    if chosen.write:
        write(text)


if __name__ == "__main__":
    main()
