"""Records of four platforms become our events; nothing is dropped in silence."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from configs.loader import load_center
from router import events as e
from router.decisions import NoteDuplicate, RefuseEvent
from router.events import CenterChanged, DeclineCause, Event, Stamped
from router.router import Router
from router.sequencer import Sequencer
from streams.adapters import amazon_connect, genesys, twilio, zendesk
from streams.adapters.mapping import MappingError, Names, read_names
from streams.adapters.said import AdapterError, Said, Unheard, customer_token, own_id
from streams.codec import Codec, Heard
from streams.writing import encode_event
from switchroom import build

CONFIGS = Path(__file__).parents[2] / "configs"
CENTER = load_center(CONFIGS / "sample").center
KEY = b"a key for tests"
ADAPTERS: dict[str, Any] = {
    "amazon-connect": amazon_connect,
    "twilio": twilio,
    "genesys": genesys,
    "zendesk": zendesk,
}
AT = "2026-03-02T09:00:00.000Z"
AT_MS = 1_772_442_000_000


def names_of(platform: str, **more: Any) -> Names:  # noqa: ANN401 - fields of Names
    adapter = ADAPTERS[platform]
    names = read_names(CONFIGS / "adapters" / f"{platform}.yaml", CENTER, KEY)
    given = {name: getattr(names, name) for name in Names.__dataclass_fields__ if name not in more}
    given["channels"] = {**adapter.CHANNELS, **names.channels}
    given["presences"] = {**adapter.PRESENCES, **names.presences}
    return Names(**given, **more)


def events_of(platform: str, record: dict[str, Any]) -> list[Event]:
    heard = ADAPTERS[platform].adapt(record, names_of(platform))
    return [] if isinstance(heard, Unheard) else [said.event for said in heard]


# --- samples ----------------------------------------------------------------------------------


def connect_contact(kind: str, **detail: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "version": "0",
        "id": f"id-{kind}",
        "detail-type": "Amazon Connect Contact Event",
        "source": "aws.connect",
        "account": "123456789012",
        "time": AT,
        "region": "us-west-2",
        "resources": ["arn:aws:connect:us-west-2:123456789012:instance/i/contact/c"],
        "detail": {
            "eventType": kind,
            "contactId": "12345678-1234-1234-1234-123456789012",
            "channel": "VOICE",
            "instanceArn": "arn:aws:connect:us-west-2:123456789012:instance/i",
            "initiationMethod": "INBOUND",
            "a_field_of_tomorrow": {"x": 1},
            **detail,
        },
    }


CONNECT_QUEUE = {
    "queueType": "STANDARD",
    "queueArn": "arn:aws:connect:us-west-2:123456789012:instance/i/queue/"
    "11111111-aaaa-4000-8000-000000000001",
    "enqueueTimestamp": "2026-03-02T09:00:01.250Z",
}
CONNECT_AGENT = {
    "agentArn": "arn:aws:connect:us-west-2:123456789012:instance/i/agent/"
    "22222222-bbbb-4000-8000-000000000001",
    "connectedToAgentTimestamp": "2026-03-02T09:00:09.000Z",
}
OURS = {"switchroom_offer": {"valueString": "7"}}


def connect_agent(kind: str, now: str, before: str = "", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "AWSAccountId": "123456789012",
        "AgentARN": CONNECT_AGENT["agentArn"],
        "CurrentAgentSnapshot": {"AgentStatus": {"Name": now, "Type": "ROUTABLE"}, **more},
        "PreviousAgentSnapshot": {"AgentStatus": {"Name": before}} if before else None,
        "EventId": f"e-{kind}",
        "EventTimestamp": AT,
        "EventType": kind,
        "InstanceARN": "arn:aws:connect:us-west-2:123456789012:instance/i",
        "Version": "2017-10-01",
    }


def twilio_event(
    kind: str,
    attributes: dict[str, Any] | None = None,
    **payload: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": f"com.twilio.taskrouter.{kind}",
        "source": "AB00000000000000000000000001",
        "id": f"NO-{kind}",
        "dataschema": "https://events-schemas.twilio.com/TaskRouter.WDSEvent/4",
        "datacontenttype": "2025-10-08T07:17:02.363Z",  # as published, and not looked at
        "data": {
            "payload_type": "application/json",
            "payload": {
                "eventtype": kind,
                "timestamp": AT,
                "timestamp_ms": AT_MS + 250,
                "task_sid": "WT0000000000000000000000000000001",
                "task_attributes": json.dumps(attributes or {}),
                "task_priority": 3,
                "task_channel_unique_name": "voice",
                "workflow_name": "Assign",
                "worker_sid": "WK0000000000000000000000000000001",
                **payload,
            },
        },
    }


def genesys_event(kind: str, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    topic = f"v2.detail.events.conversation.9dbe1b1e.{kind}"
    return {
        "version": "0",
        "id": f"g-{kind}",
        "detail-type": "v2.detail.events.conversation.{id}." + kind,
        "source": "aws.partner/genesys.com/cloud/org/bus",
        "time": AT,
        "detail": {
            "topicName": topic,
            "version": "2",
            "timestamp": AT,
            "eventBody": {
                "eventTime": AT_MS + 250,
                "conversationId": "9dbe1b1e",
                "participantId": "p-1",
                "sessionId": "s-1",
                "mediaType": "VOICE",
                "direction": "INBOUND",
                **body,
            },
        },
    }


def genesys_presence(word: str) -> dict[str, Any]:
    return {
        "id": f"p-{word}",
        "detail-type": "v2.users.{id}.presence",
        "detail": {
            "topicName": "v2.users.44444444-dddd-4000-8000-000000000001.presence",
            "eventBody": {
                "source": "PURECLOUD",
                "presenceDefinition": {"id": "x", "systemPresence": word},
                "modifiedDate": AT,
            },
        },
    }


def zendesk_event(kind: str, event: dict[str, Any], **ticket: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "account_id": 22129848,
        "detail": {
            "id": "5158",
            "group_id": "98739",
            "requester_id": "8447388090494",
            "priority": "high",
            "status": "OPEN",
            "via": {"channel": "web"},
            "created_at": AT,
            **ticket,
        },
        "event": event,
        "event_version": "2022-11-06",
        "id": f"z-{kind}",
        "subject": "zen:ticket:5158",
        "time": "2026-03-02T09:00:00.123456789Z",
        "type": f"zen:event-type:ticket.{kind}",
    }


CONTACT = "12345678-1234-1234-1234-123456789012"
TASK = "WT0000000000000000000000000000001"

CASES: list[tuple[str, dict[str, Any], list[Event]]] = [
    ("amazon-connect", connect_contact("INITIATED"), []),
    (
        "amazon-connect",
        connect_contact("QUEUED", queueInfo=CONNECT_QUEUE),
        [e.ContactArrived(CONTACT, "phone", "billing")],
    ),
    (
        "amazon-connect",
        connect_contact("QUEUED", channel="CHAT", queueInfo={"queueArn": "arn/queue/unknown"}),
        [e.ContactArrived(CONTACT, "chat", "order_status")],
    ),
    (
        "amazon-connect",
        connect_contact("CONNECTED_TO_AGENT", queueInfo=CONNECT_QUEUE, agentInfo=CONNECT_AGENT),
        [],
    ),
    (
        "amazon-connect",
        connect_contact("CONNECTED_TO_AGENT", agentInfo=CONNECT_AGENT, segmentAttributes=OURS),
        [e.OfferConnected(7, CONTACT, "tech-001")],
    ),
    (
        "amazon-connect",
        connect_contact("DISCONNECTED", queueInfo=CONNECT_QUEUE, disconnectTimestamp=AT),
        [e.ContactAbandoned(CONTACT)],
    ),
    ("amazon-connect", connect_contact("DISCONNECTED"), []),
    (
        "amazon-connect",
        connect_contact("DISCONNECTED", queueInfo=CONNECT_QUEUE, agentInfo=CONNECT_AGENT),
        [e.ContactEnded(CONTACT)],
    ),
    (
        "amazon-connect",
        connect_contact("COMPLETED", queueInfo=CONNECT_QUEUE, agentInfo=CONNECT_AGENT),
        [e.WrapUpEnded(CONTACT, "tech-001")],
    ),
    ("amazon-connect", connect_contact("PAUSED"), [e.ContactHeld(CONTACT)]),
    ("amazon-connect", connect_contact("RESUMED"), [e.ContactResumed(CONTACT)]),
    ("amazon-connect", connect_contact("A_KIND_OF_TOMORROW"), []),
    ("amazon-connect", connect_agent("LOGIN", "Available"), [e.AgentSignedIn("tech-001")]),
    ("amazon-connect", connect_agent("LOGOUT", "Offline"), [e.AgentSignedOut("tech-001")]),
    (
        "amazon-connect",
        connect_agent("STATE_CHANGE", "Lunch", "Available"),
        [e.AgentPresenceChanged("tech-001", "break")],
    ),
    ("amazon-connect", connect_agent("STATE_CHANGE", "Available", "Available"), []),
    ("amazon-connect", connect_agent("HEART_BEAT", "Offline"), [e.AgentHeartbeat("tech-001")]),
    (
        "amazon-connect",
        connect_agent(
            "STATE_CHANGE",
            "Available",
            "Available",
            Contacts=[
                {"ContactId": CONTACT, "State": "MISSED", "segmentAttributes": OURS},
                {"ContactId": "other", "State": "MISSED"},
            ],
        ),
        [e.OfferDeclined(7, CONTACT, "tech-001", DeclineCause.UNREACHABLE)],
    ),
    (
        "twilio",
        twilio_event(
            "task.created",
            {"category": "technical", "language": "zh", "tier": "gold", "customer_id": "42"},
        ),
        [
            e.ContactArrived(
                TASK,
                "phone",
                "technical_help",
                priority=3,
                customer=customer_token("42", KEY),
                tier="gold",
                language="zh",
            )
        ],
    ),
    ("twilio", twilio_event("task.updated"), [e.ContactUpdated(TASK, priority=3)]),
    ("twilio", twilio_event("task.canceled"), [e.ContactAbandoned(TASK)]),
    ("twilio", twilio_event("task.wrapup"), [e.ContactEnded(TASK)]),
    (
        "twilio",
        twilio_event("task.completed"),
        [e.ContactEnded(TASK), e.WrapUpEnded(TASK, "tech-001")],
    ),
    ("twilio", twilio_event("reservation.accepted"), []),
    (
        "twilio",
        twilio_event("reservation.accepted", {"switchroom_offer": 9}),
        [e.OfferAccepted(9, TASK, "tech-001")],
    ),
    (
        "twilio",
        twilio_event("reservation.rejected", {"switchroom_offer": 9}),
        [e.OfferDeclined(9, TASK, "tech-001")],
    ),
    (
        "twilio",
        twilio_event("reservation.timeout", {"switchroom_offer": 9}),
        [e.OfferDeclined(9, TASK, "tech-001", DeclineCause.UNREACHABLE)],
    ),
    (
        "twilio",
        twilio_event("worker.activity.update", worker_activity_name="Available"),
        [e.AgentSignedIn("tech-001")],
    ),
    (
        "twilio",
        twilio_event(
            "worker.activity.update",
            worker_activity_name="Break",
            worker_previous_activity_name="Available",
        ),
        [e.AgentPresenceChanged("tech-001", "break")],
    ),
    (
        "twilio",
        twilio_event("worker.activity.update", worker_activity_name="Offline"),
        [e.AgentSignedOut("tech-001")],
    ),
    ("twilio", twilio_event("workflow.entered"), []),
    (
        "genesys",
        genesys_event("acd.start", queueId="33333333-cccc-4000-8000-000000000002"),
        [e.ContactArrived("9dbe1b1e", "phone", "technical_help")],
    ),
    ("genesys", genesys_event("acd.start", direction="OUTBOUND"), []),
    ("genesys", genesys_event("customer.start"), []),
    ("genesys", genesys_event("user.start", userId="u-1"), []),
    ("genesys", genesys_event("customer.end"), [e.ContactEnded("9dbe1b1e")]),
    (
        "genesys",
        genesys_event("wrapup", userId="44444444-dddd-4000-8000-000000000001"),
        [e.WrapUpEnded("9dbe1b1e", "tech-001")],
    ),
    (
        "genesys",
        genesys_presence("ON_QUEUE"),
        [e.AgentSignedIn("tech-001"), e.AgentPresenceChanged("tech-001", "available")],
    ),
    ("genesys", genesys_presence("OFFLINE"), [e.AgentSignedOut("tech-001")]),
    (
        "zendesk",
        zendesk_event("created", {}),
        [
            e.ContactArrived(
                "5158",
                "email",
                "technical_help",
                priority=6,
                customer=customer_token("8447388090494", KEY),
            )
        ],
    ),
    (
        "zendesk",
        zendesk_event(
            "comment_added", {"comment": {"is_public": True, "author": {"is_staff": True}}}
        ),
        [e.AgentReplied("5158")],
    ),
    (
        "zendesk",
        zendesk_event(
            "comment_added", {"comment": {"is_public": True, "author": {"is_staff": False}}}
        ),
        [e.CustomerReplied("5158")],
    ),
    (
        "zendesk",
        zendesk_event(
            "comment_added", {"comment": {"is_public": False, "author": {"is_staff": True}}}
        ),
        [],
    ),
    (
        "zendesk",
        zendesk_event("status_changed", {"current": "PENDING", "previous": "OPEN"}),
        [e.CustomerAwaited("5158")],
    ),
    (
        "zendesk",
        zendesk_event("status_changed", {"current": "OPEN", "previous": "PENDING"}),
        [e.CustomerWaitEnded("5158")],
    ),
    (
        "zendesk",
        zendesk_event("status_changed", {"current": "SOLVED", "previous": "OPEN"}),
        [e.ContactResolved("5158")],
    ),
    (
        "zendesk",
        zendesk_event("status_changed", {"current": "OPEN", "previous": "SOLVED"}),
        [e.ContactReopened("5158")],
    ),
    (
        "zendesk",
        zendesk_event("priority_changed", {"current": "URGENT", "previous": "LOW"}),
        [e.ContactUpdated("5158", priority=8)],
    ),
    (
        "zendesk",
        {
            "id": "eb-1",
            "source": "aws.partner/zendesk.com/1/default",
            "detail-type": "Support Ticket: Status Changed",
            "time": AT,
            "detail": {
                "ticket_event": {
                    "meta": {
                        "occurred_at": "2026-03-02T09:00:00.465719851Z",
                        "sequence": {"id": "CE4A", "position": 1, "total": 1},
                    },
                    "type": "Status Changed",
                    "previous": "open",
                    "current": "solved",
                    "ticket": {"id": 5158},
                }
            },
        },
        [e.ContactResolved("5158")],
    ),
]


@pytest.mark.parametrize(("platform", "record", "expected"), CASES)
def test_a_sample_becomes_events(
    platform: str, record: dict[str, Any], expected: list[Event]
) -> None:
    assert events_of(platform, record) == expected


@pytest.mark.parametrize("platform", sorted(ADAPTERS))
def test_every_event_keeps_id_and_time_and_can_be_read(platform: str) -> None:
    """What adapters make passes the codec, twice with the same ids."""
    codec = Codec(CENTER.name)
    for name, record, expected in CASES:
        if name != platform:
            continue
        heard = ADAPTERS[platform].adapt(record, names_of(platform))
        assert heard == ADAPTERS[platform].adapt(record, names_of(platform))
        said: list[Said] = [] if isinstance(heard, Unheard) else heard
        assert len({one.record_id for one in said}) == len(expected)
        for one in said:
            assert AT_MS <= one.at_ms < AT_MS + 60_000
            body = encode_event(
                Stamped(1, one.at_ms, one.event, f"{one.source} {one.record_id}"), CENTER.name
            )
            assert body is not None
            read = codec.decode(body)
            assert isinstance(read, Heard), read
            assert read.event == one.event


@pytest.mark.parametrize(
    ("platform", "record", "message"),
    [
        ("amazon-connect", connect_contact("QUEUED", channel="TELEX"), 'channel "TELEX" is not'),
        ("amazon-connect", connect_contact("QUEUED", contactId=""), "contactId is missing"),
        ("amazon-connect", connect_agent("LOGIN", "Gone fishing"), 'presence "Gone fishing"'),
        ("twilio", twilio_event("task.wrapup", timestamp="soon", timestamp_ms=None), "timestamp"),
        ("zendesk", zendesk_event("created", {}, via={"channel": "pigeon"}), 'channel "pigeon"'),
    ],
)
def test_what_a_record_lacks_is_said(platform: str, record: dict[str, Any], message: str) -> None:
    with pytest.raises(AdapterError, match=message):
        ADAPTERS[platform].adapt(record, names_of(platform))


def test_customers_are_tokens_or_nobody() -> None:
    assert customer_token("+44 20 7946 0000", b"") == ""
    assert customer_token(None, KEY) == ""
    token = customer_token("+44 20 7946 0000", KEY)
    assert token.startswith("h:")
    assert token == customer_token("+44 20 7946 0000", KEY)
    assert token != customer_token("+44 20 7946 0000", b"another key")
    assert "7946" not in token


def test_ids_that_we_do_not_allow_are_derived() -> None:
    assert own_id("arn:aws:connect:eu:1:instance/i/agent/abc-1") == "abc-1"
    odd = own_id("ticket 12 (copy)")
    assert odd.startswith("x-")
    assert odd == own_id("ticket 12 (copy)") != own_id("ticket 13 (copy)")


# --- a day through the router ------------------------------------------------------------------


def play(events: Iterable[Event]) -> list[str]:
    sequencer, reasons = Sequencer(Router()), []
    sequencer.accept(CenterChanged(CENTER), AT_MS)
    for number, event in enumerate(events, 1):
        for entry in sequencer.accept(event, AT_MS + number * 1000):
            reasons += [
                decision.reason.value
                for decision in entry.decisions
                if isinstance(decision, RefuseEvent | NoteDuplicate)
            ]
    return reasons


def test_a_ticket_lives_its_life() -> None:
    public = {"comment": {"is_public": True, "author": {"is_staff": False}}}
    records = [
        zendesk_event("created", {}),
        zendesk_event("comment_added", public),
        zendesk_event("status_changed", {"current": "SOLVED", "previous": "OPEN"}),
    ]
    events = [event for record in records for event in events_of("zendesk", record)]
    events.insert(1, e.AgentSignedIn("tech-001"))
    events.insert(2, e.OfferAccepted(1, "5158", "tech-001"))
    assert play(events) == []


def test_repeated_records_are_noted_and_change_nothing() -> None:
    record = twilio_event("task.created", {"category": "technical"})
    events = [*events_of("twilio", record), *events_of("twilio", record)]
    assert play(events) == ["duplicate"]


# --- the mapping, the command -------------------------------------------------------------------


def test_a_mapping_is_checked_with_places(tmp_path: Path) -> None:
    path = tmp_path / "names.yaml"
    path.write_text(
        "chanels: {VOICE: phone}\n"
        "categories: {q-1: biling}\n"
        "default_category: nonsense\n"
        "agents: {a: tech-1}\n"
    )
    with pytest.raises(MappingError) as caught:
        read_names(path, CENTER)
    told = str(caught.value)
    assert f"{path}:1:1: chanels: unknown key" in told
    assert 'did you mean "channels"?' in told
    assert (
        f'{path}:2:19: categories.q-1: the centre has no "biling"; did you mean "billing"?' in told
    )
    assert f"{path}:3:19: default_category" in told
    assert "agents.a" in told
    path.write_text("channels: [phone]\n")
    with pytest.raises(MappingError, match=":1:1: channels: needs keys with values, found a list"):
        read_names(path, CENTER)


def adapted(*arguments: str, stdin: str | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(build(), ["adapt", *arguments], input=stdin)
    return result.exit_code, result.stdout, result.stderr


def test_the_command_sorts_counts_and_tells(tmp_path: Path) -> None:
    later = connect_contact("QUEUED", queueInfo=CONNECT_QUEUE)
    first = connect_agent("LOGIN", "Available")
    source = tmp_path / "records.jsonl"
    source.write_text(
        "\n".join([json.dumps(later), json.dumps(first), json.dumps(connect_contact("INITIATED"))])
    )
    options = (
        "--from",
        "amazon-connect",
        "--mapping",
        str(CONFIGS / "adapters/amazon-connect.yaml"),
    )
    code, out, err = adapted(str(source), *options, "--config", str(CONFIGS / "sample"))
    assert code == 0, err
    kinds = [json.loads(line)["type"] for line in out.splitlines()]
    assert kinds == ["switchroom.agent.signed_in", "switchroom.contact.arrived"]
    assert "3 records, 2 events, 1 without meaning to a router (contact event INITIATED 1)" in err
    as_list = tmp_path / "records.json"
    as_list.write_text(json.dumps([later, first]))
    assert adapted(str(as_list), *options, "--center", CENTER.name)[1] == out


def test_the_command_goes_on_after_what_it_cannot_use_and_fails_in_the_end() -> None:
    options = ("--from", "zendesk", "--mapping", str(CONFIGS / "adapters/zendesk.yaml"))
    lines = [
        "no json",
        json.dumps(zendesk_event("created", {}, via={"channel": "pigeon"})),
        json.dumps(zendesk_event("created", {})),
    ]
    code, out, err = adapted("-", *options, "--center", "c", stdin="\n".join(lines))
    assert code == 1
    assert len(out.splitlines()) == 1
    assert "-:1: not JSON" in err
    assert '-:2: channel "pigeon" is not in the mapping; add it under `channels`' in err
    assert json.loads(out)["data"].get("customer") is None


def test_a_wrong_platform_names_the_right_ones() -> None:
    code, _, err = adapted("-", "--from", "avaya", "--mapping", "x", "--center", "c", stdin="")
    assert code == 2
    assert "amazon-connect, twilio, genesys, zendesk" in err
