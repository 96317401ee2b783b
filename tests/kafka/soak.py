"""Disturb a worker on a real Kafka through a long day, and compare what is left.

`python -m tests.kafka.soak` feeds a day, then kills the worker 24 times (SIGKILL, also while it
recovers), freezes it twice while another takes over (SIGSTOP, later SIGCONT), kills the broker
twice and freezes it once for longer than an append may take, in an order drawn from the seed.
At the end the journal must be that of the undisturbed day on a file, whole and without fault to
the auditor, every input answered once, and the public decisions, repeats dropped, those of the
journal.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from configs.loader import load_center
from router.journal import decode_record
from streams.topics import partition_of
from tests.kafka.broker import Broker
from tests.kafka.conftest import Stage
from tests.kafka.test_kafka_day import (
    check_public,
    check_whole,
    embedded_digest,
    finish,
    journal_of,
    seen_in,
    start,
)
from tests.kafka.traffic import PARTITIONS, create_topics, feed
from tests.kill_soak import ROOT, make_day

PATIENCE_S: Final = 90.0
FREEZE_S: Final = 15.0
LAST_RUN_S: Final = 900.0
LEDGER_HEAD: Final = (
    "# Ledger of long runs\n\nWhat ran for long, on which commit, and what it came to; no line is "
    "written unless every\ncheck held.\n\n"
)


async def _end_of(stage: Stage) -> int:
    async with AIOKafkaConsumer(bootstrap_servers=stage.address) as consumer:
        place = TopicPartition(stage.names.decisions, partition_of(stage.center.name, PARTITIONS))
        return int((await consumer.end_offsets([place]))[place])


def progress(stage: Stage) -> int:
    """Return how many decisions are out, repeats and all."""
    return asyncio.run(_end_of(stage))


def wait_for(stage: Stage, count: int) -> int:
    """Wait until so many decisions are out."""
    until = time.monotonic() + PATIENCE_S
    while (there := progress(stage)) < count:
        assert time.monotonic() < until, f"no progress: {there} decisions, {count} expected"
        time.sleep(0.02)
    return there


@dataclass
class Soak:
    """Disturb one day, and count."""

    stage: Stage
    broker: Broker
    directory: Path
    draw: random.Random
    fence: bool = False
    kills: int = 0
    zombies: int = 0
    broker_kills: int = 0
    broker_freezes: int = 0
    marks: list[int] = field(default_factory=list)

    def start(self) -> subprocess.Popen[bytes]:
        """Start a worker that goes on until it is stopped."""
        options = ["--as-fast-as-possible", "--unit-records", "20"]
        options += ["--snapshots", str(self.directory / "snapshots"), "--snapshot-every", "2000"]
        options += ["--fence"] if self.fence else []
        return start(self.stage, *options)

    def go_on(self) -> None:
        """Let the worker get a little further."""
        self.marks.append(wait_for(self.stage, progress(self.stage) + self.draw.randrange(1, 800)))

    def kill(self, worker: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        """Kill the worker, one time in three without asking how far it came."""
        if self.draw.random() < 1 / 3:
            time.sleep(self.draw.uniform(0.1, 1.5))
        else:
            self.go_on()
        worker.kill()
        worker.communicate()
        self.kills += 1
        return self.start()

    def freeze(self, worker: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        """Freeze the worker, let another take over, let the first go on: it must stop itself."""
        self.go_on()
        worker.send_signal(signal.SIGSTOP)
        owner = self.start()
        self.go_on()
        worker.send_signal(signal.SIGCONT)
        assert "took the journal over from this one" in finish(worker, code=1)
        self.zombies += 1
        return owner

    def kill_broker(self, worker: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        """Kill the broker; the worker must find its way back by itself."""
        self.go_on()
        self.broker.kill()
        self.broker.start()
        self.go_on()
        assert worker.poll() is None, "the worker ended with the broker"
        self.broker_kills += 1
        return worker

    def freeze_broker(self, worker: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        """Freeze the broker for longer than any deadline: what was under way is unknown."""
        self.go_on()
        assert self.broker.process is not None, "it runs"
        self.broker.process.send_signal(signal.SIGSTOP)
        time.sleep(FREEZE_S)
        self.broker.process.send_signal(signal.SIGCONT)
        self.go_on()
        assert worker.poll() is None, "the worker ended with the broker"
        self.broker_freezes += 1
        return worker

    def run(self, kills: int, zombies: int, broker_kills: int, broker_freezes: int) -> None:
        """Do all of it in an order drawn from the seed, then let the day end."""
        faults = [self.kill] * kills + [self.freeze] * zombies
        faults += [self.kill_broker] * broker_kills + [self.freeze_broker] * broker_freezes
        self.draw.shuffle(faults)
        worker = self.start()
        try:
            for fault in faults:
                worker = fault(worker)
            self.go_on()
        finally:
            worker.terminate()
            worker.communicate()
        # From the journal's first record on, without a snapshot.
        last = start(self.stage, "--as-fast-as-possible", "--until-end")
        finish(last, patience_s=LAST_RUN_S)


def main() -> None:
    """Run the soak from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=24)
    parser.add_argument("--zombies", type=int, default=2)
    parser.add_argument("--broker-kills", type=int, default=2)
    parser.add_argument("--broker-freezes", type=int, default=1)
    parser.add_argument("--lines", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fence", action="store_true", help="append in transactions")
    parser.add_argument("--ledger", type=Path, help="append the figures to this file")
    chosen = parser.parse_args()
    config = ROOT / "configs" / "sample"
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        broker = Broker(directory)
        broker.start()
        try:
            stage = Stage(broker.address, "soak", config, load_center(config).center)
            day = make_day(stage.center, chosen.lines, chosen.seed, gap_ms=500)
            asyncio.run(create_topics(stage.address, stage.names))
            records = [(stage.names.contacts, body) for body in day]
            asyncio.run(feed(stage.address, stage.center.name, records))
            soak = Soak(stage, broker, directory, random.Random(chosen.seed), chosen.fence)
            soak.run(chosen.kills, chosen.zombies, chosen.broker_kills, chosen.broker_freezes)
            digest = check_whole(stage, len(day))
            assert digest == embedded_digest(stage, day, directory), "another day came out"
            bodies = journal_of(stage)
            facts = {
                "seed": chosen.seed,
                "fence": str(chosen.fence).lower(),
                "auditor_violations": 0,  # else `check_whole` had not returned
                "kills": soak.kills,
                "zombies": soak.zombies,
                "broker_kills": soak.broker_kills,
                "broker_freezes": soak.broker_freezes,
                "inputs": len(day),
                "entries": decode_record(bodies[-1]).seq_to,
                "records": len(bodies),
                "dropped_records": len(seen_in(stage, stage.names.journal)) - len(bodies),
                "decisions_repeated": check_public(stage, bodies),
                "decisions_at_the_last_fault": soak.marks[-1],
                "digest": digest,
            }
        finally:
            broker.stop()
    sys.stdout.write(json.dumps(facts) + "\n")
    if chosen.ledger is not None:
        note(chosen.ledger, facts)


def note(ledger: Path, facts: dict[str, int | str]) -> None:
    """Append what a soak came to, a line a run, to the ledger of long runs."""
    asked = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items())
    day = time.strftime("%Y-%m-%d", time.gmtime())
    if not ledger.exists():
        ledger.write_text(LEDGER_HEAD, encoding="utf-8")
    with ledger.open("a", encoding="utf-8") as lines:
        lines.write(f"- {day}, {commit.stdout.strip()}, worker on Kafka: {told}\n")


if __name__ == "__main__":
    main()
