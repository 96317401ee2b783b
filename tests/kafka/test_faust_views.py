"""Tables kept by Faust: what they show is what the measures say, whatever happened to them."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from router.journal import decode_record
from router.measures import Measures
from router.measures_views import interval_rows
from streams.embedded import EmbeddedStore
from streams.faust_views import BEYOND_MAX, Shelf, ViewOptions, make_app
from streams.kafka_settings import KafkaSettings
from streams.topics import partition_of
from tests.kafka.conftest import Stage
from tests.kafka.test_kafka_day import FAST, finish, start
from tests.kafka.traffic import PARTITIONS, feed, read_all, topic_of
from tests.kill_soak import ROOT

PATIENCE_S = 60.0


class Viewer:
    """One `switchroom views` process and the questions to it."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        port = self.base.rpartition(":")[2]
        command = [sys.executable, "-m", "switchroom", "views", "--bootstrap-server"]
        command += [stage.address, "--topic-prefix", stage.prefix, "--port", port]
        self.log = folder / f"views-{port}.log"
        self._log = self.log.open("wb")
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=self._log, stderr=self._log)

    def ask(self, path: str) -> Any:  # noqa: ANN401 - JSON
        with urllib.request.urlopen(self.base + path, timeout=5) as answer:  # noqa: S310 - loopback
            return json.loads(answer.read())

    def wait_for(self, center: str, seq: int) -> None:
        """Wait until a centre was followed up to `seq`."""
        until = time.monotonic() + PATIENCE_S
        found: Any = None
        while time.monotonic() < until:
            assert self.process.poll() is None, self.log.read_text()
            try:
                found = self.ask("/v1/centers/")
            except OSError:
                found = None
            if found and found.get(center, {}).get("seq") == seq:
                return
            time.sleep(0.2)  # no event tells when another process has caught up
        raise AssertionError(f"{found}\n{self.log.read_text()}")

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows, without the seq of their last change."""
        until = time.monotonic() + PATIENCE_S
        before: list[dict[str, Any]] = []
        while time.monotonic() < until:
            now = self.ask("/v1/intervals/")["intervals"]
            if now and now == before:
                return [{k: v for k, v in row.items() if k not in {"seq", "center"}} for row in now]
            before = now
            time.sleep(0.3)
        raise AssertionError(before)

    def end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.wait(PATIENCE_S)
        self._log.close()


def test_the_tables_show_what_the_measures_say(
    stage: Stage, day: list[bytes], tmp_path: Path
) -> None:
    name = stage.center.name
    asyncio.run(feed(stage.address, name, [(topic_of(stage.names, body), body) for body in day]))
    finish(start(stage, *FAST))
    bodies = [seen.value for seen in asyncio.run(read_all(stage.address, stage.names.journal))]
    measures = Measures()
    for body in bodies:
        for entry in decode_record(body).entries:
            measures.fold(entry.stamped, entry.decisions)
    expected = sorted(
        (asdict(row) for row in interval_rows(measures)),
        key=lambda row: (row["interval_start_ms"], row["queue"]),
    )
    assert len(expected) > 4

    # A record of a writer that was replaced: no reader counts it.
    asyncio.run(append(stage, bodies[1]))
    viewer = Viewer(stage, tmp_path)
    try:
        viewer.wait_for(name, measures.seq)
        assert viewer.rows() == expected
        only = viewer.ask(f"/v1/intervals/?queue={expected[0]['queue']}")["intervals"]
        assert {row["queue"] for row in only} == {expected[0]["queue"]}
    finally:
        viewer.end(signal.SIGKILL)
    # Its memory is gone; the journal is not.
    again = Viewer(stage, tmp_path)
    try:
        again.wait_for(name, measures.seq)
        assert again.rows() == expected
    finally:
        again.end(signal.SIGTERM)


async def append(stage: Stage, body: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=stage.address, acks="all") as producer:
        partition = partition_of(stage.center.name, PARTITIONS)
        await producer.send_and_wait(
            stage.names.journal, body, stage.center.name.encode(), partition
        )


def journal_of(day: list[bytes], tmp_path: Path) -> list[bytes]:
    """Return the records that a day leaves in the embedded store."""
    store = tmp_path / "day.db"
    lines = tmp_path / "day.jsonl"
    lines.write_bytes(b"\n".join(day))
    config = str(ROOT / "configs" / "tiny")
    run = ["run", "--config", config, "--store", str(store), "--input", str(lines)]
    command = [sys.executable, "-m", "switchroom", *run, "--as-fast-as-possible"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    opened = EmbeddedStore.read_only(store)
    bodies = [stored.body for stored in opened.records()]
    opened.close()
    return bodies


def test_a_shelf_takes_each_record_of_the_line_once(day: list[bytes], tmp_path: Path) -> None:
    bodies = journal_of(day, tmp_path)
    once, twice = Shelf(), Shelf()
    assert all(once.take(body) for body in bodies)
    for body in bodies:
        assert twice.take(body)
        assert not twice.take(body)
    assert twice.changes() == once.changes() != {}
    assert twice.changes() == {}
    late = Shelf()  # retention took the first record
    assert [late.take(body) for body in bodies[1:]] == [True] * (len(bodies) - 1)
    assert not Shelf().take(b"no record")


def test_a_line_that_misses_a_record_says_so(
    day: list[bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bodies = journal_of(day, tmp_path)
    shelf = Shelf()
    assert all(shelf.take(body) for body in bodies[:3])
    beyond = bodies[4:] * BEYOND_MAX
    assert not any(shelf.take(body) for body in beyond)
    (said,) = caplog.messages
    assert f"lie beyond seq {shelf.measures.seq}, none follows it" in said
    assert shelf.take(bodies[3])
    assert shelf.beyond == 0


def test_no_record_is_dropped_when_the_flow_resumes(tmp_path: Path) -> None:
    settings = KafkaSettings(bootstrap_servers="127.0.0.1:1", topic_prefix="none")
    app = make_app(ViewOptions(settings, "127.0.0.1", 6066, tmp_path))

    async def left() -> int:
        queue = app.topic("none.journal.v1").queue
        queue.put_nowait(b"came between the seek and the resuming")
        app.flow_control.suspend()
        app.flow_control.resume()
        return queue.qsize()

    assert asyncio.run(left()) == 1
