"""What needs no broker: settings, names, the line of a journal, snapshot files, merging."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.partitioner import murmur2
from typer.testing import CliRunner

import switchroom
from configs.loader import load_center
from router.events import CenterChanged, ContactArrived
from router.journal import Entry, JournalWriter
from router.router import Router
from router.sequencer import Sequencer
from streams.codec import Codec, Heard
from streams.kafka import KafkaRecord, Place, Reader
from streams.kafka_admin import faults_of
from streams.kafka_intake import KafkaIntake, check_positions
from streams.kafka_journal import JournalLine
from streams.kafka_settings import KafkaSettings, client_options, load_settings
from streams.ports import Carriage, StoredSnapshot, StoreError
from streams.snapshots import SnapshotFiles
from streams.topics import (
    TopicNames,
    TopicSpec,
    check_prefix,
    creation_commands,
    enough_partitions,
    partition_of,
)
from tests.kafka.conftest import TINY

LOCAL = "127.0.0.1:9092"
FAR = "kafka.example:9093"


# --- settings -----------------------------------------------------------------------------------


def load(file: Path | None = None, server: str = LOCAL, **environment: str) -> KafkaSettings:
    return load_settings(file, bootstrap_servers=server, environment=environment)


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "kafka.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_plain_text_is_for_this_machine_only() -> None:
    assert load().protocol == "PLAINTEXT"
    assert load(server="[::1]:9092,localhost:9093").protocol == "PLAINTEXT"
    with pytest.raises(StoreError, match="SASL_SSL needs sasl_username"):
        load(server=FAR)
    for protocol in ("PLAINTEXT", "SASL_PLAINTEXT"):
        with pytest.raises(StoreError, match="shows all of it to whoever listens"):
            load(server=FAR, SWITCHROOM_KAFKA__SECURITY_PROTOCOL=protocol)
    with pytest.raises(StoreError, match="whoever listens"):
        load(server=f"{LOCAL},{FAR}", SWITCHROOM_KAFKA__SECURITY_PROTOCOL="PLAINTEXT")


def test_plain_text_to_others_must_be_allowed(tmp_path: Path) -> None:
    file = write(tmp_path, "security_protocol: PLAINTEXT\nallow_insecure: true\n")
    assert load(file, FAR).protocol == "PLAINTEXT"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("sasl_password: hunter2\n", "no secrets here"),
        ("pasword_file: x\n", "unknown field `pasword_file`"),
        ("append_timeout_ms: soon\n", "append_timeout_ms"),
        ("append_timeout_ms: 0\n", "positive"),
        ("append_timeout_ms: 1\nappend_timeout_ms: 2\n", "append_timeout_ms"),
        ("topic_prefix: under_score\n", "no underscores"),
        ("security_protocol: TLS\n", "must be one of"),
        ("sasl_mechanism: GSSAPI\n", "must be one of"),
        ("bootstrap_servers: [a]\n", "one value"),
    ],
)
def test_bad_settings_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(StoreError) as caught:
        load(write(tmp_path, text))
    assert complaint in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("server", ["", "kafka", "kafka:", ":9092", "kafka:70000", "a:1,b"])
def test_addresses_are_checked(server: str) -> None:
    with pytest.raises(StoreError, match="not HOST:PORT"):
        load(server=server)


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    file = write(tmp_path, "bootstrap_servers: 127.0.0.1:1\ntopic_prefix: file\n")
    assert load_settings(file, environment={}).topic_prefix == "file"
    environment = {"SWITCHROOM_KAFKA__TOPIC_PREFIX": "environment"}
    assert load_settings(file, environment=environment).topic_prefix == "environment"
    both = load_settings(file, topic_prefix="flag", environment=environment)
    assert (both.topic_prefix, both.bootstrap_servers) == ("flag", "127.0.0.1:1")


def test_secrets_come_from_files_or_the_environment_and_show_nowhere(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n", encoding="utf-8")
    file = write(tmp_path, f"sasl_username: worker\nsasl_password_file: {tmp_path}/secret\n")
    settings = load(file, FAR)
    assert "hunter2" not in repr(settings)
    assert client_options(settings, {})["sasl_plain_password"] == "hunter2"  # noqa: S105 - made up
    bare = load(write(tmp_path, "sasl_username: worker\n"), FAR)
    named = {"SWITCHROOM_KAFKA__SASL_PASSWORD": "of the environment"}
    assert client_options(bare, named)["sasl_plain_password"].startswith("of the")
    with pytest.raises(StoreError, match="none given"):
        client_options(bare, {})
    with pytest.raises(StoreError, match="cannot be read"):
        client_options(load(write(tmp_path, "sasl_username: w\nsasl_password_file: no\n"), FAR), {})


def test_tls_checks_names_and_begins_at_1_2(tmp_path: Path) -> None:
    options = client_options(load(write(tmp_path, "security_protocol: SSL\n"), FAR), {})
    context = options["ssl_context"]
    assert context.check_hostname
    assert context.minimum_version.name == "TLSv1_2"
    bad = load(write(tmp_path, "security_protocol: SSL\nssl_ca_file: none.pem\n"), FAR)
    with pytest.raises(StoreError, match="certificates"):
        client_options(bad, {})


# --- topics -------------------------------------------------------------------------------------


@pytest.mark.parametrize("center", ["eu-care", "a", "ab", "abc", "abcd", "corner-shop", "é"])
def test_a_key_has_the_partition_every_client_gives_it(center: str) -> None:
    assert partition_of(center, 12) == (murmur2(center.encode()) & 0x7FFFFFFF) % 12


def test_topics_are_printed_for_every_topic() -> None:
    names = TopicNames("my.room")
    commands = creation_commands(names, LOCAL, 24, 3)
    assert len(commands) == len(names.specs()) == 8
    journal = next(command for command in commands if "my.room.journal.v1" in command)
    for part in ("--partitions 24", "--replication-factor 3", "cleanup.policy=delete"):
        assert part in journal
    assert "min.insync.replicas=2" in journal
    assert "max.message.bytes=8388608" in journal
    printed = CliRunner().invoke(
        switchroom.build(), ["topics", "--topic-prefix", "my.room", "--partitions", "24"]
    )
    assert printed.stdout.splitlines() == commands


def test_there_are_enough_partitions_for_the_centres_that_are_named() -> None:
    centers = [f"centre-{number}" for number in range(6)]
    number = enough_partitions(centers, 6)
    assert number > 6, "six of them collide somewhere: it is a matter of luck"
    assert len({partition_of(center, number) for center in centers}) == len(centers)
    options = ["topics", "--partitions", "6", "--centers", ",".join(centers)]
    printed = CliRunner().invoke(switchroom.build(), options).stdout
    assert printed.count(f"--partitions {number} ") == len(TopicNames().specs())


def test_rights_are_printed_for_every_role() -> None:
    options = ["topics", "--acls", "--principal", "User:me"]
    for role, operations in (
        ("adapter", {"Read", "Write"}),
        ("operator", {"Write"}),
        ("reader", {"Read"}),
    ):
        done = CliRunner().invoke(switchroom.build(), [*options, "--role", role])
        words = done.stdout.split()
        assert {
            words[at + 1] for at, word in enumerate(words) if word == "--operation"
        } == operations
        assert ("switchroom.control.v1" in words) is (role == "operator")
    assert CliRunner().invoke(switchroom.build(), [*options, "--role", "king"]).exit_code == 2


@pytest.mark.parametrize("prefix", ["a_b", "", ".a", "a.", "ä", "a b", "x" * 101])
def test_bad_prefixes_are_refused(prefix: str) -> None:
    assert check_prefix(prefix)


def test_topics_that_lose_records_are_refused() -> None:
    spec = next(spec for spec in TopicNames().specs() if spec.name.endswith("journal.v1"))
    assert faults_of(spec, spec.settings) == []
    assert faults_of(spec, {}) == [], "a broker that does not tell is believed"
    assert "compacted" in faults_of(spec, {"cleanup.policy": "compact,delete"})[0]
    assert "max.message.bytes" in faults_of(spec, {"max.message.bytes": "1048588"})[0]
    assert "retention.ms" in faults_of(spec, {"retention.ms": "3600000"})[0]
    other = TopicSpec("switchroom.agents.v1", "adapters", 1)
    assert faults_of(other, {"retention.ms": "3600000"}) == []


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--bootstrap-server", LOCAL, "--store", "x.db"], "--store: not with --bootstrap-server"),
        (["--bootstrap-server", LOCAL, "--input", "-"], "--input: not with"),
        (["--bootstrap-server", LOCAL, "--standby"], "--print-decisions and --standby: not with"),
        (["--bootstrap-server", LOCAL, "--member", "a"], "--member needs --share"),
        (["--bootstrap-server", LOCAL, "--partition", "other=1"], "not CENTRE=NUMBER"),
        (["--store", "x.db", "--input", "-", "--until-end"], "needs --bootstrap-server"),
        (["--input", "-"], "give --store FILE, or --bootstrap-server"),
    ],
)
def test_options_that_contradict_each_other(options: list[str], complaint: str) -> None:
    done = CliRunner().invoke(switchroom.build(), ["run", "--config", "configs/tiny", *options])
    assert done.exit_code == 2
    assert complaint in done.stderr


# --- the line of a journal ----------------------------------------------------------------------


def make_records(epochs: list[int]) -> list[bytes]:
    """Return one record an epoch, a contact in each."""
    center = load_center(TINY).center
    sequencer, writer = Sequencer(Router()), JournalWriter(center.name, "0.1.0")
    entries: list[list[Entry]] = [sequencer.accept(CenterChanged(center), 1_000_000_000_000)]
    for number, _ in enumerate(epochs[1:]):
        event = ContactArrived(f"c-{number}", "phone", next(iter(center.categories)))
        entries.append(sequencer.accept(event, 1_000_000_000_000 + number))
    records = []
    for epoch, unit in zip(epochs, entries, strict=True):
        writer.writer_epoch = epoch
        records.append(writer.record(unit))
    return records


def test_the_first_record_for_a_seq_wins() -> None:
    first, second, third = make_records([1, 1, 1])
    _, late, _ = make_records([1, 7, 7])
    line = JournalLine()
    for body in (first, second):
        assert line.accept(body) is not None
    for dropped in (second, late, first, b"{}", b"\xff", b"", None):
        assert line.accept(dropped) is None
    assert line.conflicts == 7
    assert line.accept(third) is not None
    assert line.latest_epoch == 7, "a dropped record tells of another writer, too"


def test_a_record_that_names_another_before_it_is_dropped() -> None:
    first, _, _ = make_records([1, 1, 1])
    _, _, third = make_records([1, 7, 1])
    _, second, _ = make_records([1, 1, 1])
    line = JournalLine()
    for body in (first, second):
        assert line.accept(body) is not None
    assert line.accept(third) is None, "the right seq, but another history"


# --- snapshots ----------------------------------------------------------------------------------


def test_two_snapshots_are_kept_and_damaged_ones_passed_over(tmp_path: Path) -> None:
    files = SnapshotFiles(tmp_path / "snapshots", "eu-care")
    SnapshotFiles(tmp_path / "snapshots", "eu-care-2").save(
        StoredSnapshot(9, "0.1.0", "h", "c", b"other"), 1
    )
    for seq in (10, 200, 3000):
        files.save(StoredSnapshot(seq, "0.1.0", "hash", "checksum", b"body"), seq * 2)
    assert [(one.seq, offset) for one, offset in files.load()] == [(3000, 6000), (200, 400)]
    newest = next((tmp_path / "snapshots").glob("eu-care-*3000.snapshot"))
    assert newest.stat().st_mode & 0o077 == 0, "for its owner only"
    newest.write_bytes(newest.read_bytes()[:-3])
    assert [one.seq for one, _ in files.load()] == [200]


# --- receiving ----------------------------------------------------------------------------------


def test_positions_are_never_jumped_over() -> None:
    place = Place("t", 0)
    assert check_positions({place: -1}, {place: (5, 9)}) == {place: 5}
    assert check_positions({place: 9}, {place: (5, 9)}) == {place: 9}
    with pytest.raises(StoreError, match="unread records 3 to 4 were deleted"):
        check_positions({place: 3}, {place: (5, 9)})
    with pytest.raises(StoreError, match="the topic was made anew"):
        check_positions({place: 10}, {place: (5, 9)})


def make_intake(merged: bool, ends: int = 2) -> tuple[KafkaIntake, dict[Place, int], list[Place]]:  # noqa: FBT001
    places = [Place(topic, 0) for topic in ("control", "agents", "contacts")]
    positions = dict.fromkeys(places, 0)
    reader = cast("Reader", SimpleNamespace(position=positions.__getitem__))
    intake = KafkaIntake(
        reader,
        places,
        {places[0]: 0, places[1]: ends, places[2]: ends},
        operator_topic="control",
        merged=merged,
        until_end=True,
    )
    return intake, positions, places


def record(place: Place, offset: int, second: int, **fields: Any) -> KafkaRecord:  # noqa: ANN401
    time = f"2026-03-02T09:00:{second:02d}.000Z".encode()
    parts: dict[str, Any] = {"key": b"k", "value": b"{}", "headers": (("ce_time", time),)}
    return KafkaRecord(place, offset, **(parts | fields))


def test_a_recorded_day_is_merged_by_its_time() -> None:
    intake, positions, (_, agents, contacts) = make_intake(merged=True)
    intake._hold([record(agents, 0, 5), record(agents, 1, 9)])
    positions[agents] = 2
    assert intake.receive(10) == [], "the contacts may bring something earlier"
    structured = b'{"time":"2026-03-02T09:00:07.000Z"}'
    intake._hold([record(contacts, 0, 5), record(contacts, 1, 0, value=structured, headers=())])
    positions[contacts] = 2
    taken = [(received.topic, received.offset) for received in intake.receive(10)]
    assert taken == [("agents", 0), ("contacts", 0), ("contacts", 1), ("agents", 1)]
    assert intake.ended


def test_without_recorded_time_records_come_as_they_arrive() -> None:
    intake, _, (control, agents, contacts) = make_intake(merged=False)
    intake._hold([record(contacts, 0, 9), record(agents, 0, 5), record(control, 0, 1)])
    taken = intake.receive(10)
    # Nothing behind the ends is taken: the control topic was empty at the start.
    assert [received.topic for received in taken] == ["contacts", "agents"]
    assert [received.carriage.operator for received in taken if received.carriage] == [False] * 2


# --- the key and the modes ----------------------------------------------------------------------


def test_a_record_needs_its_centre_as_key() -> None:
    codec = Codec("eu-care")
    headers = {
        "ce_specversion": "1.0",
        "ce_id": "1",
        "ce_source": "/t",
        "ce_type": "switchroom.overload.switched",
    }
    for key in (None, "", "us-care"):
        item = codec.decode_carried(Carriage(key, headers), b'{"active":true}')
        assert isinstance(item, Heard)
        assert getattr(item.event, "reason", "") == "wrong_partition"
    mine = codec.decode_carried(Carriage("eu-care", headers), b'{"active":true}')
    assert isinstance(mine, Heard)
    assert getattr(mine.event, "reason", "") == "unknown_type", "operators' own topic only"
