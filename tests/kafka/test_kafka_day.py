"""A day through the topics: the same decisions as without them, whatever happens on the way."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from router.events import ContactArrived, RecordRefused
from router.journal import decode_record, verify_records
from simulation.auditor import RecordAuditor
from streams.recovery import Refold
from streams.topics import partition_of
from streams.writing import DecisionWriter
from tests.kafka.broker import SECRET, USER, Broker
from tests.kafka.conftest import Stage
from tests.kafka.traffic import (
    PARTITIONS,
    Seen,
    feed,
    read_all,
    time_of,
    topic_of,
    worker_command,
)
from tests.kill_soak import ROOT, command

FAST = ("--as-fast-as-possible", "--until-end", "--unit-records", "50")
PATIENCE_S = 60.0


def start(stage: Stage, *options: str) -> subprocess.Popen[bytes]:
    arguments = worker_command(stage.address, stage.config, stage.prefix, *options)
    return subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(process: subprocess.Popen[bytes], code: int = 0, patience_s: float = PATIENCE_S) -> str:
    _, told = process.communicate(timeout=patience_s)
    assert process.returncode == code, told.decode()
    return told.decode()


@contextlib.contextmanager
def running(stage: Stage, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker; it does not outlive the test."""
    process = start(stage, *options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def seen_in(stage: Stage, topic: str) -> list[Seen]:
    return asyncio.run(read_all(stage.address, topic))


def journal_of(stage: Stage) -> list[bytes]:
    """Return the line of the journal, as any reader finds it: the first record for each seq."""
    line: list[bytes] = []
    seq = 0
    for record in seen_in(stage, stage.names.journal):
        read = decode_record(record.value)
        if read.seq_from == seq + 1:
            line.append(record.value)
            seq = read.seq_to
    assert list(verify_records(line)), "an empty journal proves nothing"
    return line


def wait_for_decisions(stage: Stage, count: int) -> int:
    """Wait until at least `count` decisions are out; return how many are."""
    until = time.monotonic() + PATIENCE_S
    while (there := len(seen_in(stage, stage.names.decisions))) < count:
        assert time.monotonic() < until, f"{there} of {count} decisions"
    return there


def wait_for_snapshot(directory: Path) -> None:
    """Wait until a snapshot is whole; they are written beside the work."""
    until = time.monotonic() + PATIENCE_S
    while not any(directory.glob("*.snapshot")):
        assert time.monotonic() < until, "no snapshot"
        time.sleep(0.05)


def check_public(stage: Stage, bodies: Sequence[bytes]) -> int:
    """Compare the public decisions, repeats dropped, with the journal; return the repeats."""
    writer = DecisionWriter(stage.center.name)
    expected = {
        envelope["id"]: envelope
        for body in bodies
        for entry in decode_record(body).entries
        for envelope in writer.envelopes(entry, decode_record(body).engine_version)
    }
    published = seen_in(stage, stage.names.decisions)
    found: dict[str, Seen] = {}
    for record in published:
        same = found.setdefault(record.headers["ce_id"].decode(), record)
        assert (same.value, same.headers) == (record.value, record.headers), "same id, other bytes"
    assert list(found) == list(expected), "in order, none missing, none of nobody's"
    for decision_id, envelope in expected.items():
        record = found[decision_id]
        assert record.key == stage.center.name.encode()
        assert msgspec.json.decode(record.value) == envelope["data"]
        for name in ("type", "time", "cause", "previd", "validuntil"):
            told = record.headers.get(f"ce_{name}", b"").decode()
            assert told == str(envelope.get(name, "")), name
    return len(published) - len(found)


def check_whole(stage: Stage, fed: int) -> str:
    """Hold journal and topics against the auditor, a replay and the inputs; return the digest."""
    bodies = journal_of(stage)
    auditor = RecordAuditor()
    found = [str(violation) for body in bodies for violation in auditor.check(body)]
    assert not found, found
    answered: Counter[tuple[str, int]] = Counter()
    up_to: dict[str, int] = {}
    for body in bodies:
        record = decode_record(body)
        places = [entry.source for entry in record.entries if entry.source is not None]
        answered.update((place.topic, place.offset) for place in (*places, *record.gaps))
        up_to = record.inputs_up_to
    assert set(answered.values()) == {1}, "an input was doubled"
    assert len(answered) == sum(up_to.values()), "an input was lost"
    # Watermarks at the end have no entry that could carry them.
    assert fed - 1 <= len(answered) <= fed
    again = Refold()
    again.feed_all(bodies)
    return again.digest.hexdigest()


def embedded_digest(stage: Stage, day: Sequence[bytes], directory: Path) -> str:
    """Run the same records through the worker on a file."""
    (directory / "day.ndjson").write_bytes(b"\n".join(day) + b"\n")
    options = ["--input", str(directory / "day.ndjson"), "--as-fast-as-possible"]
    store = directory / "store.db"
    subprocess.run(
        command(stage.config, store, *options), cwd=ROOT, check=True, capture_output=True
    )
    told = subprocess.run(
        [*command(stage.config, store)[:3], "journal", "digest", str(store)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return told.stdout.strip()


def fed_by_topic(stage: Stage, day: Sequence[bytes]) -> list[tuple[str, bytes]]:
    return [(topic_of(stage.names, body), body) for body in day]


def test_a_day_through_topics_is_the_day_through_a_file(
    stage: Stage, day: list[bytes], tmp_path: Path
) -> None:
    records = fed_by_topic(stage, day)
    asyncio.run(feed(stage.address, stage.center.name, records))
    finish(start(stage, *FAST))
    # Two topics have no order between them: the worker merges a recorded day by its time, agents
    # first. The file gets the same order, the topics must give the same digest.
    ranks = {stage.names.agents: 0, stage.names.contacts: 1}
    merged = sorted(records, key=lambda record: (time_of(record[1]), ranks[record[0]]))
    expected = embedded_digest(stage, [body for _, body in merged], tmp_path)
    assert check_whole(stage, len(day)) == expected
    assert check_public(stage, journal_of(stage)) == 0
    # Started again where all is done, it says nothing again.
    finish(start(stage, *FAST))
    assert check_whole(stage, len(day)) == expected
    assert check_public(stage, journal_of(stage)) == 0


def test_structured_records_mean_the_same(stage: Stage, day: list[bytes], tmp_path: Path) -> None:
    part = day[:400]
    records = [(stage.names.contacts, body) for body in part]
    asyncio.run(feed(stage.address, stage.center.name, records, structured=True))
    finish(start(stage, *FAST))
    assert check_whole(stage, len(part)) == embedded_digest(stage, part, tmp_path)


def test_killed_in_mid_day_it_finishes_the_same_day(
    stage: Stage, day: list[bytes], tmp_path: Path
) -> None:
    records = [(stage.names.contacts, body) for body in day]
    snapshots = ("--snapshots", str(tmp_path / "snapshots"), "--snapshot-every", "60")
    third, there = len(day) // 3, 0
    for part in (records[:third], records[third : 2 * third]):
        # The rest comes only later: however fast the worker is, the day is not over.
        asyncio.run(feed(stage.address, stage.center.name, part))
        with running(stage, "--as-fast-as-possible", "--unit-records", "20", *snapshots) as process:
            there = wait_for_decisions(stage, there + 300)
            wait_for_snapshot(tmp_path / "snapshots")
            process.send_signal(signal.SIGKILL)
    files = list((tmp_path / "snapshots").glob("*.snapshot"))
    assert files
    for file in files:
        # Whole as a file, but not what was written: recovery goes back to the first record.
        body = file.read_bytes()
        file.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
    asyncio.run(feed(stage.address, stage.center.name, records[2 * third :]))
    assert "its checksum is wrong" in finish(start(stage, *FAST, *snapshots))
    assert check_whole(stage, len(day)) == embedded_digest(stage, day, tmp_path)
    check_public(stage, journal_of(stage))


def test_a_zombie_is_stopped_by_the_offset_of_its_own_record(
    stage: Stage, day: list[bytes]
) -> None:
    half = len(day) // 2
    center_name = stage.center.name
    records = [(stage.names.contacts, body) for body in day]
    with running(stage, "--as-fast-as-possible") as zombie:
        asyncio.run(feed(stage.address, center_name, records[:half]))
        wait_for_decisions(stage, 500)
        zombie.send_signal(signal.SIGSTOP)
        with running(stage, "--as-fast-as-possible") as owner:
            asyncio.run(feed(stage.address, center_name, records[half : half + 200]))
            before = len(seen_in(stage, stage.names.decisions))
            wait_for_decisions(stage, before + 100)
            zombie.send_signal(signal.SIGCONT)
            # What it still holds, or the new records, make it append: at an offset not expected.
            asyncio.run(feed(stage.address, center_name, records[half + 200 :]))
            told = finish(zombie, code=1)
            assert "another worker (epoch 2) took the journal over from this one (epoch 1)" in told
            os.kill(owner.pid, signal.SIGTERM)
            finish(owner)
    finish(start(stage, *FAST))
    check_whole(stage, len(day))
    check_public(stage, journal_of(stage))
    epochs = {decode_record(body).writer_epoch for body in journal_of(stage)}
    assert len(epochs) >= 2, "both wrote"


def test_a_killed_broker_is_waited_for(
    stage: Stage, day: list[bytes], broker: Broker, tmp_path: Path
) -> None:
    center_name, half = stage.center.name, len(day) // 2
    records = [(stage.names.contacts, body) for body in day]
    with running(stage, "--as-fast-as-possible", "--unit-records", "50") as process:
        asyncio.run(feed(stage.address, center_name, records[:half]))
        wait_for_decisions(stage, 1000)
        broker.kill()
        broker.start()
        asyncio.run(feed(stage.address, center_name, records[half:]))
        # The day's last decisions come only if the worker found its way back by itself.
        until = time.monotonic() + PATIENCE_S
        while not journal_of(stage) or read_up_to(stage) < len(day) - 1:
            assert time.monotonic() < until, "the worker did not come back"
        process.send_signal(signal.SIGTERM)
        finish(process)
    finish(start(stage, *FAST))
    assert check_whole(stage, len(day)) == embedded_digest(stage, day, tmp_path)
    check_public(stage, journal_of(stage))


def test_an_unknown_outcome_begins_a_new_life(
    stage: Stage,
    day: list[bytes],
    broker: Broker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("APPEND", "REQUEST"):
        monkeypatch.setenv(f"SWITCHROOM_KAFKA__{name}_TIMEOUT_MS", "1500")
    part = day[:1200]
    records = [(stage.names.contacts, body) for body in part]
    asyncio.run(feed(stage.address, stage.center.name, records))
    # One record a unit: slow enough to be under way when the broker freezes.
    with running(stage, "--as-fast-as-possible", "--unit-records", "1") as process:
        there = wait_for_decisions(stage, 100)
        assert broker.process is not None
        broker.process.send_signal(signal.SIGSTOP)
        time.sleep(3)
        broker.process.send_signal(signal.SIGCONT)
        wait_for_decisions(stage, there + 500)
        process.send_signal(signal.SIGTERM)
        assert "everything is thrown away and read from the journal again" in finish(process)
    finish(start(stage, *FAST))
    assert check_whole(stage, len(part)) == embedded_digest(stage, part, tmp_path)
    check_public(stage, journal_of(stage))


def read_up_to(stage: Stage) -> int:
    return sum(decode_record(journal_of(stage)[-1]).inputs_up_to.values())


def test_what_cannot_be_read_leaves_a_trace_without_its_body(stage: Stage) -> None:
    canary = "+1-555-0100-CANARY"
    good = msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": "1",
            "source": "/test",
            "type": "switchroom.contact.arrived",
            "time": "2026-03-02T09:00:00.000Z",
            "data": {"contact_id": "c-1", "channel": "phone", "category": "invoice"},
        }
    )
    operators = good.replace(b"contact.arrived", b"overload.switched").replace(b'"1"', b'"2"')

    async def send() -> None:
        from aiokafka import AIOKafkaProducer  # noqa: PLC0415 - only here

        key = stage.center.name.encode()
        place = partition_of(stage.center.name, PARTITIONS)
        async with AIOKafkaProducer(bootstrap_servers=stage.address) as producer:
            for one, value in (
                (key, f'{{"tel": "{canary}"'.encode()),
                (key, None),
                (b"other-centre", good),
                (None, good),
                (key, b"x" * 70_000),
                (key, operators),
                (key, good),
            ):
                await producer.send_and_wait(stage.names.contacts, value, one, place)

    asyncio.run(send())
    finish(start(stage, *FAST))
    bodies = journal_of(stage)
    entries = [entry for body in bodies for entry in decode_record(body).entries]
    refused = [e.stamped.event for e in entries if isinstance(e.stamped.event, RecordRefused)]
    reasons = [event.reason for event in refused]
    assert reasons == [
        "bad_json",
        "empty",
        "wrong_partition",
        "wrong_partition",
        "too_large",
        "unknown_type",
    ]
    assert sum(isinstance(entry.stamped.event, ContactArrived) for entry in entries) == 1
    letters = seen_in(stage, f"{stage.names.contacts}.dlq")
    traces = [msgspec.json.decode(letter.value) for letter in letters]
    assert [trace["reason"] for trace in traces] == reasons
    assert [trace["offset"] for trace in traces] == [0, 1, 2, 3, 4, 5]
    assert all(len(trace["body_hash"]) == 64 for trace in traces)
    everything = [*bodies, *(letter.value for letter in letters)]
    assert not any(canary.encode() in body for body in everything)


@pytest.mark.parametrize("missing", ["journal", "decisions"])
def test_it_refuses_to_start_where_something_is_missing(
    stage: Stage, day: list[bytes], missing: str
) -> None:
    """Take the journal, or a topic, away from under a deployment."""
    asyncio.run(
        feed(stage.address, stage.center.name, [(stage.names.contacts, b) for b in day[:100]])
    )
    finish(start(stage, *FAST))

    async def take_away() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=stage.address)
        await admin.start()
        await admin.delete_topics([getattr(stage.names, missing)])
        await admin.close()

    asyncio.run(take_away())
    told = finish(start(stage, *FAST), code=1)
    assert f"topics are missing: {getattr(stage.names, missing)}" in told
    if missing == "journal":
        told = finish(start(stage, *FAST, "--create-topics"), code=1)
        assert "the journal ends at 0: it lost records" in told
    else:
        # Decisions are made anew from the journal: the same ids, the same bytes.
        finish(start(stage, *FAST, "--create-topics"))
        assert check_public(stage, journal_of(stage)) == 0


def switchroom(stage: Stage, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command about the deployment."""
    where = ["--bootstrap-server", stage.address, "--topic-prefix", stage.prefix]
    return subprocess.run(
        [*worker_command("", stage.config, "")[:3], *arguments, *where],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_fetched_journal_can_be_replayed(stage: Stage, day: list[bytes], tmp_path: Path) -> None:
    records = [(stage.names.contacts, body) for body in day[:300]]
    asyncio.run(feed(stage.address, stage.center.name, records))
    finish(start(stage, *FAST))
    file = tmp_path / "journal.ndjson"
    told = switchroom(stage, "journal", "fetch", stage.center.name, "-o", str(file))
    assert told.returncode == 0, told.stderr
    assert file.read_bytes().splitlines() == journal_of(stage)
    nobody = switchroom(stage, "journal", "fetch", "nobody", "-o", str(tmp_path / "none"))
    assert nobody.returncode == 1


def test_the_doctor_says_what_is_missing(stage: Stage) -> None:
    told = switchroom(stage, "doctor")
    assert told.returncode == 0, told.stdout + told.stderr
    assert [line[:4] for line in told.stdout.splitlines()] == ["ok  "] * 4
    other = Stage(stage.address, "nowhere", stage.config, stage.center)
    told = switchroom(other, "doctor")
    assert told.returncode == 1
    assert "FAIL topics: missing: nowhere.contacts.v1" in told.stdout


def test_tls_and_a_login_are_used_and_refused(
    stage: Stage, broker: Broker, day: list[bytes], tmp_path: Path
) -> None:
    part = day[:200]
    records = [(stage.names.contacts, body) for body in part]
    asyncio.run(feed(stage.address, stage.center.name, records))
    secret, settings = tmp_path / "secret", tmp_path / "kafka.yaml"
    lines = {
        "security_protocol": "SASL_SSL",
        "ssl_ca_file": broker.certificate,
        "sasl_mechanism": "PLAIN",
        "sasl_username": USER,
        "sasl_password_file": secret,
    }
    settings.write_text("".join(f"{name}: {value}\n" for name, value in lines.items()))
    there = Stage(broker.secure_address, stage.prefix, stage.config, stage.center)
    secret.write_text("wrong-secret")
    told = finish(start(there, *FAST, "--kafka-settings", str(settings)), code=1)
    assert "Authentication failed" in told
    assert "wrong-secret" not in told
    secret.write_text(SECRET)
    finish(start(there, *FAST, "--kafka-settings", str(settings)))
    assert check_whole(stage, len(part)) == embedded_digest(stage, part, tmp_path)
    # A broker whose certificate nobody we trust has signed is not talked to.
    strangers = settings.read_text().replace(f"ssl_ca_file: {broker.certificate}\n", "")
    settings.write_text(strangers)
    told = finish(start(there, *FAST, "--kafka-settings", str(settings)), code=1)
    assert "CERTIFICATE_VERIFY_FAILED" in told


def test_a_journal_without_its_beginning_needs_a_snapshot(
    stage: Stage, day: list[bytes], tmp_path: Path
) -> None:
    """Let retention take the beginning of the journal away."""
    options = (*FAST, "--snapshots", str(tmp_path), "--snapshot-every", "60")
    records = [(stage.names.contacts, body) for body in day[:400]]
    asyncio.run(feed(stage.address, stage.center.name, records[:300]))
    finish(start(stage, *options))
    place = TopicPartition(stage.names.journal, partition_of(stage.center.name, PARTITIONS))
    count = len(journal_of(stage))

    async def take_away() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=stage.address)
        await admin.start()
        await admin.delete_records({place: RecordsToDelete(count - 1)})
        await admin.close()

    asyncio.run(take_away())
    asyncio.run(feed(stage.address, stage.center.name, records[300:]))
    told = finish(start(stage, *FAST), code=1)
    assert "the journal no longer begins at seq 1" in told
    finish(start(stage, *options))
    told = finish(start(stage, *options))
    expected = embedded_digest(stage, day[:400], tmp_path)
    assert f"digest {expected}" in told
