"""HTTP beside Kafka: what is posted goes through the topics, what is shown is the journal's."""

from __future__ import annotations

import signal
from pathlib import Path

from router.journal import decode_record
from tests.kafka.conftest import Stage
from tests.kafka.test_kafka_day import check_public, check_whole, journal_of, seen_in
from tests.kafka.traffic import worker_command
from tests.listening import event, listening

ARRIVED = event("contact.arrived", "a", contact_id="c-1", channel="phone", category="order_status")
OFFERED = "switchroom.contact.offered"
BATCH = {"Content-Type": "application/cloudevents-batch+json"}


def test_events_go_into_the_topics_and_answers_come_from_the_journal(
    stage: Stage, tmp_path: Path
) -> None:
    options = on_topics(stage, "--snapshots", str(tmp_path))
    with listening(options) as worker:
        status, answer = worker.call(
            "POST", "/v1/events", event("agent.signed_in", "s", agent_id="ben")
        )
        assert (status, answer["accepted"], answer["refused"]) == (200, 1, [])
        wanted = {"Content-Type": "application/cloudevents+json", "Prefer": "return=representation"}
        status, answer = worker.call("POST", "/v1/events", ARRIVED, wanted)
        assert (status, answer["accepted"]) == (200, 1)
        offered = [d for d in answer["decisions"] if d["type"] == OFFERED]
        assert [offer["data"]["agent_id"] for offer in offered] == ["ben"]
        assert answer["last_id"] == answer["decisions"][-1]["id"]
        assert (
            answer["decisions"][0]["cause"] == f"{stage.names.contacts}/{seen_partition(stage)}/0"
        )
        # The same again, and what nobody can read: told as ever, though it went round the log.
        status, answer = worker.call("POST", "/v1/events", [ARRIVED, {"no": "event"}], BATCH)
        assert (status, answer["duplicates"]) == (200, 1)
        assert [(one["index"], one["reason"]) for one in answer["refused"]] == [(1, "bad_schema")]
        # Operators' events need a token: without one they are nobody's.
        switched = event("overload.switched", "o", on=True)
        status, answer = worker.call("POST", "/v1/events", switched)
        assert [one["reason"] for one in answer["refused"]] == ["unknown_type"]
        status, answer = worker.call(
            "POST",
            "/v1/events",
            event("agent.heartbeat", "h", agent_id="ben"),
            {"Content-Type": "application/cloudevents+json", "Prefer": "respond-async"},
        )
        assert (status, answer["taken"]) == (202, 1)
        assert answer["places"][0].startswith(f"{stage.names.agents}/")
        stream = worker.stream("/v1/stream?after=0", 4)
        assert [one["id"] for one in stream] == [
            one.headers["ce_id"].decode() for one in seen_in(stage, stage.names.decisions)
        ][:4]
        assert "c-1" in worker.get("/v1/contacts/c-1")["explanation"]
        assert worker.get("/v1/queues")["open_contacts"] == 1
        states = {one["agent_id"]: one["state"] for one in worker.get("/v1/agents")["agents"]}
        assert states["ben"] == "offered"
        assert worker.get("/v1/measures")
        assert worker.get("/readyz") == {"status": "ready"}
        assert worker.get("/healthz")["status"] == "ok"
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(10) == 0
    assert (tmp_path / f"{stage.center.name}.mirror").exists()
    # The copy is there again, and a damaged one is made anew.
    with listening(options) as worker:
        assert worker.get("/v1/contacts/c-1")
        worker.process.kill()
    (tmp_path / f"{stage.center.name}.mirror").write_bytes(b"not a store" * 1000)
    with listening(options) as worker:
        worker.stream("/v1/stream?after=0", 4)
        assert worker.get("/v1/contacts/c-1")
    fed = sum(decode_record(journal_of(stage)[-1]).inputs_up_to.values())
    check_whole(stage, fed)
    check_public(stage, journal_of(stage))


def on_topics(stage: Stage, *options: str) -> list[str]:
    return worker_command(stage.address, stage.config, stage.prefix, *options)[4:]


def seen_partition(stage: Stage) -> int:
    return seen_in(stage, stage.names.contacts)[0].partition
