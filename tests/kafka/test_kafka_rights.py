"""Logins and rights on a real broker: the worker runs under exactly the list that we ship."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest
from typer.testing import CliRunner

import switchroom
from router.journal import decode_record
from tests.kafka.broker import CLIENT, LIMITED, SECRET, Broker
from tests.kafka.conftest import Stage
from tests.kafka.test_kafka_day import (
    FAST,
    check_public,
    check_whole,
    embedded_digest,
    finish,
    journal_of,
    start,
)
from tests.kafka.test_kafka_shards import wait_for
from tests.kafka.traffic import feed
from tests.listening import listening
from tests.test_host import SIGNED_IN

# The numbers of the protocol: org.apache.kafka.common.acl and .resource.
RESOURCES: Final = {"--topic": 2, "--group": 3, "--transactional-id": 5}
OPERATIONS: Final = {"Read": 3, "Write": 4, "Describe": 8}
ALLOW: Final = 3
LITERAL: Final = 3
PREFIXED: Final = 4


def printed_rights(stage: Stage, principal: str, *options: str) -> list[str]:
    """Return the commands that the product prints for a worker."""
    arguments = ["topics", "--acls", "--topic-prefix", stage.prefix, "--principal", principal]
    done = CliRunner().invoke(switchroom.build(), [*arguments, *options])
    assert done.exit_code == 0, done.stderr
    return done.stdout.splitlines()


def read_command(command: str) -> Iterator[tuple[int, str, int, str, int]]:
    """Yield (kind, name, pattern, principal, operation) of one `kafka-acls.sh` command."""
    words = shlex.split(command)
    assert words[0] == "kafka-acls.sh"
    assert "--add" in words
    pattern = PREFIXED if "prefixed" in words else LITERAL
    pairs = list(pairwise(words))
    principal = next(value for word, value in pairs if word == "--allow-principal")
    for word, name in pairs:
        if word in RESOURCES:
            for operation in (value for option, value in pairs if option == "--operation"):
                yield RESOURCES[word], name, pattern, principal, OPERATIONS[operation]


async def grant(address: str, commands: Sequence[str]) -> None:
    """Do what the commands say; Kafka's own tool for it is not among our jars."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        for command in commands:
            for kind, name, pattern, principal, operation in read_command(command):
                request = CreateAclsRequest(kind, name, pattern, principal, "*", operation, ALLOW)
                answer = await admin._send_to_controller(request)
                assert [code for code, _ in answer.creation_responses] == [0]
    finally:
        await admin.close()


@pytest.fixture
def limited(stage: Stage, broker: Broker, tmp_path: Path) -> tuple[Stage, Path]:
    """Return the stage as a user without any right sees it, and his settings."""
    (tmp_path / "secret").write_text(SECRET)
    settings = tmp_path / "kafka.yaml"
    settings.write_text(
        "security_protocol: SASL_SSL\n"
        f"ssl_ca_file: {broker.certificate}\n"
        f"sasl_username: {LIMITED}\n"  # SCRAM-SHA-512 is the default
        f"sasl_password_file: {tmp_path}/secret\n"
    )
    return Stage(broker.secure_address, stage.prefix, stage.config, stage.center), settings


def test_the_worker_runs_under_exactly_the_rights_that_are_printed(
    stage: Stage, limited: tuple[Stage, Path], day: list[bytes], tmp_path: Path
) -> None:
    there, settings = limited
    part = day[:300]
    asyncio.run(
        feed(stage.address, stage.center.name, [(stage.names.contacts, body) for body in part])
    )
    run = (*FAST, "--kafka-settings", str(settings), "--snapshots", str(tmp_path / "s"))
    assert "topics are missing" in finish(start(there, *run), code=1), "nothing is even seen"
    commands = printed_rights(stage, f"User:{LIMITED}")
    assert len(commands) == 5
    for never in ("Create", "Delete", "Alter", "--cluster", "ClusterAction", "All"):
        assert not any(never in shlex.split(command) for command in commands)
    asyncio.run(grant(stage.address, commands))
    finish(start(there, *run))
    # Started again it may not read what it published; the journal tells it what is out.
    finish(start(there, *run, "--fence"))
    assert check_whole(stage, len(part)) == embedded_digest(stage, part, tmp_path)
    repeats = check_public(stage, journal_of(stage))
    last = decode_record(journal_of(stage)[-1])
    assert repeats <= sum(len(entry.decisions) for entry in last.entries)


def test_sharing_needs_no_more_and_events_over_http_do(
    stage: Stage, limited: tuple[Stage, Path]
) -> None:
    there, settings = limited
    asyncio.run(grant(stage.address, printed_rights(stage, f"User:{LIMITED}")))
    options = ["--config", str(there.config), "--bootstrap-server", there.address, "--share"]
    options += ["--topic-prefix", there.prefix, "--kafka-settings", str(settings)]
    with listening(options) as worker:
        wait_for([worker], there.center.name, 1)
        status, answer = worker.call("POST", "/v1/events", SIGNED_IN)
        assert (status, answer["title"]) == (503, "Not allowed to write the inputs")
        assert "--http-events adds the right" in answer["detail"]
        asyncio.run(grant(stage.address, printed_rights(stage, f"User:{LIMITED}", "--http-events")))
        status, answer = worker.call("POST", "/v1/events", SIGNED_IN)
        assert (status, answer["accepted"]) == (200, 1), answer


def test_a_certificate_is_a_login(
    stage: Stage,
    broker: Broker,
    day: list[bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    part = day[:200]
    records = [(stage.names.contacts, body) for body in part]
    asyncio.run(feed(stage.address, stage.center.name, records))
    asyncio.run(grant(stage.address, printed_rights(stage, f"User:{CLIENT}")))
    there = Stage(broker.mutual_address, stage.prefix, stage.config, stage.center)
    settings = tmp_path / "kafka.yaml"
    lines = ["security_protocol: SSL", f"ssl_ca_file: {broker.certificate}"]
    settings.write_text("\n".join(lines) + "\n")
    run = (*FAST, "--kafka-settings", str(settings))
    monkeypatch.setenv("SWITCHROOM_KAFKA__REQUEST_TIMEOUT_MS", "2000")
    told = finish(start(there, *run), code=1)
    monkeypatch.delenv("SWITCHROOM_KAFKA__REQUEST_TIMEOUT_MS")
    assert "error:" in told, "without a certificate nobody is let in"
    lines.append(f"ssl_certificate_file: {broker.client_certificate}")
    lines.append(f"ssl_key_file: {broker.client_key}")
    settings.write_text("\n".join(lines) + "\n")
    finish(start(there, *run))
    assert check_whole(stage, len(part)) == embedded_digest(stage, part, tmp_path)
