"""The readers' library on a real broker, and the example of KAFKA.md as it stands there."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from router.decisions import OfferContact
from router.journal import decode_record
from streams.kafka_settings import load_settings
from streams.reader import START, Decision, GapError, read_topic
from tests.kafka.conftest import Stage
from tests.kafka.test_kafka_day import (
    FAST,
    finish,
    journal_of,
    running,
    seen_in,
    start,
    wait_for_decisions,
)
from tests.kafka.traffic import feed
from tests.kill_soak import ROOT


def example() -> str:
    """Return the example of a reader in KAFKA.md."""
    text = (ROOT / "KAFKA.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- example: reader -->\n```python\n(.*?)```", text, re.DOTALL)
    assert found, "KAFKA.md shows how to read"
    return found[1]


async def read(stage: Stage, after: tuple[int, int] = START, **options: bool) -> list[Decision]:
    settings = load_settings(
        None, bootstrap_servers=stage.address, topic_prefix=stage.prefix, environment={}
    )
    decisions = read_topic(settings, stage.center.name, after, until_end=True, **options)
    return [decision async for decision in decisions]


def test_each_decision_is_read_once_however_often_it_was_published(
    stage: Stage, day: list[bytes], tmp_path: Path
) -> None:
    part = day[:300]
    half = len(part) // 2
    records = [(stage.names.contacts, body) for body in part]
    asyncio.run(feed(stage.address, stage.center.name, records[:half]))
    with running(stage, "--as-fast-as-possible", "--unit-records", "20") as worker:
        wait_for_decisions(stage, 60)
        worker.send_signal(signal.SIGKILL)
    run_example(stage, tmp_path)
    # Repeats, as after a crash between publishing and knowing of it.
    asyncio.run(publish_again(stage))
    asyncio.run(feed(stage.address, stage.center.name, records[half:]))
    finish(start(stage, *FAST))
    run_example(stage, tmp_path)
    entries = [e for body in journal_of(stage) for e in decode_record(body).entries]
    name = stage.center.name
    expected = {
        f"{name}/{entry.stamped.seq}/{index}": decision
        for entry in entries
        for index, decision in enumerate(entry.decisions)
    }
    found = asyncio.run(read(stage))
    assert [decision.id for decision in found] == list(expected)
    assert len(seen_in(stage, stage.names.decisions)) > len(expected), "there were repeats"
    with sqlite3.connect(tmp_path / "screens.db") as screens:
        shown = [row[0] for row in screens.execute("SELECT id FROM offers ORDER BY rowid")]
    screens.close()
    offers = [id_ for id_, decision in expected.items() if isinstance(decision, OfferContact)]
    assert shown == offers, "the example did each once"
    middle = found[len(found) // 2]
    assert asyncio.run(read(stage, middle.place)) == found[len(found) // 2 + 1 :]
    with pytest.raises(GapError):
        asyncio.run(read(stage, (middle.seq, middle.index + 100)))


async def publish_again(stage: Stage) -> None:
    """Send the last decisions once more, as they were."""
    from aiokafka import AIOKafkaProducer  # noqa: PLC0415 - only here

    again = (await asyncio.to_thread(seen_in, stage, stage.names.decisions))[-30:]
    async with AIOKafkaProducer(bootstrap_servers=stage.address) as producer:
        for record in again:
            headers = list(record.headers.items())
            await producer.send_and_wait(
                stage.names.decisions, record.value, record.key, record.partition, headers=headers
            )


def run_example(stage: Stage, directory: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SWITCHROOM_KAFKA__BOOTSTRAP_SERVERS": stage.address,
        "SWITCHROOM_KAFKA__TOPIC_PREFIX": stage.prefix,
    }
    # In the document it reads for ever; a test wants to see its end.
    text = example().replace('"corner-shop", place)', '"corner-shop", place, until_end=True)')
    assert "until_end" in text
    done = subprocess.run(
        [sys.executable, "-c", text],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
