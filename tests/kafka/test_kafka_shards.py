"""Several centres and several processes on Kafka: shared, taken over, changed, tried dry."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from configs.loader import load_center
from router.journal import decode_record
from streams.kafka_lease import Wish, share
from streams.kafka_process import choose_partitions
from streams.ports import StoreError
from streams.topics import partition_of
from tests.kafka.conftest import Stage
from tests.kafka.test_kafka_day import check_public, journal_of, seen_in
from tests.kafka.traffic import feed, worker_command
from tests.kill_soak import ROOT
from tests.listening import Listening, event, listening
from tests.test_host import ARRIVED, SIGNED_IN, activated, post, write_center

CENTERS = {"north": 0, "south": 1}


def partition_options() -> list[str]:
    return [word for name, at in CENTERS.items() for word in ("--partition", f"{name}={at}")]


def on_topics(stage: Stage, config: Path, *options: str) -> list[str]:
    command = worker_command(stage.address, config, stage.prefix, *options)
    return command[command.index("run") + 1 :]


def states(worker: Listening) -> dict[str, str]:
    answer = worker.get("/v1/centers")
    assert isinstance(answer, dict)
    centers: dict[str, str] = answer["centers"]
    return centers


def wait_for(workers: Sequence[Listening], name: str, count: int, patience_s: float = 40) -> float:
    """Wait until `count` of the workers have a centre; return the seconds it took."""
    began_s = time.monotonic()
    while [states(worker)[name] for worker in workers].count("ok") != count:
        assert time.monotonic() - began_s < patience_s, [states(worker) for worker in workers]
        time.sleep(0.02)
    return time.monotonic() - began_s


# --- who has what -------------------------------------------------------------------------------


def test_sharing_is_even_and_moves_little() -> None:
    both = (0, 1, 2, 3)
    assert share({"a": Wish(both)}) == {"a": [0, 1, 2, 3]}
    assert share({"a": Wish(both, both), "b": Wish(both)}) == {"a": [0, 1], "b": [2, 3]}
    kept = share({"a": Wish(both, (1, 3)), "b": Wish(both, (0, 2))})
    assert kept == {"a": [1, 3], "b": [0, 2]}
    assert share({"b": Wish(both, (0, 2))}) == {"b": [0, 2, 1, 3]}
    # Nobody gets a centre that he does not know; what two claim goes to one of them.
    assert share({"a": Wish((0,)), "b": Wish((1, 2))}) == {"a": [0], "b": [1, 2]}
    claimed = share({"a": Wish((0,), (0,)), "b": Wish((0,), (0,))})
    assert sorted(claimed.values()) == [[], [0]]


def test_two_centres_in_one_partition_are_refused() -> None:
    same = [name for name in map(str, range(50)) if partition_of(name, 3) == 1][:2]
    with pytest.raises(StoreError, match="a partition carries one centre"):
        choose_partitions(same, {}, 3)
    assert choose_partitions(same, {same[0]: 0}, 3) == {same[0]: 0, same[1]: 1}
    with pytest.raises(StoreError, match="the topics have 3"):
        choose_partitions(["a"], {"a": 3}, 3)


def test_processes_share_centres_and_take_over_from_one_that_dies(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_KAFKA__SESSION_TIMEOUT_MS", "6000")
    for name in CENTERS:
        write_center(tmp_path / name, name)
    options = on_topics(stage, tmp_path, "--share", *partition_options())
    with listening(options) as first:
        wait_for([first], "north", 1)
        wait_for([first], "south", 1)
        post(first, SIGNED_IN, ARRIVED, center="north")
        with listening(options) as second:
            # Each gets one of them; what goes to the other is handed on in order.
            for name in CENTERS:
                wait_for([first, second], name, 1)
            until_s = time.monotonic() + 40
            while sorted(states(first).values()) != ["ok", "standby"]:
                assert time.monotonic() < until_s, states(first)
            mine = next(name for name, state in states(first).items() if state == "ok")
            post(first, event("agent.heartbeat", "h", agent_id="ben"), center=mine)
            began_s = time.monotonic()
            first.process.kill()
            wait_for([second], mine, 1)
            took_s = time.monotonic() - began_s
            # The session's end, a rebalance, a recovery.
            assert took_s < 20, took_s
            assert post(second, ARRIVED, center="north")["duplicates"] == 1
            second.process.send_signal(signal.SIGTERM)
            assert second.process.wait(15) == 0
    epochs = {}
    for name, partition in CENTERS.items():
        line = [s for s in seen_in(stage, stage.names.journal) if s.partition == partition]
        assert {record.key for record in line} == {name.encode()}
        epochs[name] = [decode_record(record.value).writer_epoch for record in line]
        assert epochs[name] == sorted(epochs[name])
    assert max(epochs[mine]) >= 2, "both wrote"


def test_a_new_configuration_and_a_dry_run_on_topics(stage: Stage, tmp_path: Path) -> None:
    config = write_center(tmp_path / "config")
    stage = Stage(stage.address, stage.prefix, config, load_center(config).center)
    options = on_topics(stage, config)
    with listening([*options, "--enable-lifecycle"]) as worker:
        post(worker, SIGNED_IN)
        write_center(config, version=2)
        assert worker.call("POST", "/-/reload")[0] == 200
        journal = seen_in(stage, stage.names.journal)
        changed = write_center(tmp_path / "changed", version=3)
        stamped = {**ARRIVED, "id": "dry"}
        contacts = [(stage.names.contacts, json.dumps(stamped).encode())]
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(15) == 0
    asyncio.run(feed(stage.address, stage.center.name, contacts))
    dry = worker_command(stage.address, changed, stage.prefix, "--dry-run", "--until-end")
    done = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True, check=True)
    assert '"type":"switchroom.contact.offered"' in done.stdout
    assert "nothing was journaled, nothing published" in done.stderr
    assert seen_in(stage, stage.names.journal) == journal
    run = worker_command(stage.address, config, stage.prefix, "--until-end")
    subprocess.run(run, cwd=ROOT, capture_output=True, check=True)
    (tmp_path / "journal").write_bytes(b"\n".join(journal_of(stage)) + b"\n")
    assert activated(tmp_path / "journal") == [1, 2]
    check_public(stage, journal_of(stage))
