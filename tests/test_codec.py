"""CloudEvents in and out: the table of names, instants, both modes, ids."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import decisions as d
from router import events as e
from router.events import Source, Stamped
from router.journal import Entry
from streams.codec import ClockReached, Codec, Heard, Item, make_event_id, split_batch
from streams.instants import INSTANT_MS_MAX, check_instant_ms, format_instant, parse_instant
from streams.names import (
    DECISION_NAMES,
    EVENT_NAMES,
    INSTANT_FIELDS,
    JOURNAL_ONLY,
    OPERATOR_ONLY,
    RECEIVED_TYPES,
)
from streams.writing import DecisionWriter, encode_event, encode_watermark

CODEC = Codec("eu-care", ("order",))
AT = "2026-03-02T08:00:00.123Z"
AT_MS = 1_772_438_400_123

PARTICIPLES = {
    "Enqueue": "enqueued",
    "Offer": "offered",
    "Withdraw": "withdrawn",
    "Assign": "assigned",
    "Start": "started",
    "End": "ended",
    "Hold": "held",
    "Resume": "resumed",
    "Requeue": "requeued",
    "Relax": "relaxed",
    "Overflow": "overflowed",
    "Deflect": "deflected",
    "Schedule": "scheduled",
    "Dial": "dialled",
    "Change": "changed",
    "Escalate": "escalated",
    "Pause": "paused",
    "Warn": "warned",
    "Breach": "breached",
    "Meet": "met",
    "Stop": "stopped",
    "Rebase": "rebased",
    "Open": "opened",
    "Link": "linked",
    "Request": "requested",
    "Close": "closed",
    "Activate": "activated",
    "Refuse": "refused",
    "Note": "noted",
}


def words_of(name: str) -> list[str]:
    words = [word.lower() for word in re.findall("[A-Z][a-z]*", name)]
    if words[:2] in (["wrap", "up"], ["follow", "up"]):
        words[:2] = ["_".join(words[:2])]
    return words


def cloud_event(kind: str, data: object, **attributes: object) -> dict[str, Any]:
    envelope = {
        "specversion": "1.0",
        "id": "1",
        "source": "/acd",
        "type": f"switchroom.{kind}",
        "time": AT,
        "data": data,
    }
    return {**envelope, **attributes}


def decode(envelope: object, **options: bool) -> Item:
    return CODEC.decode(json.dumps(envelope).encode(), **options)


def heard(item: Item) -> Heard:
    assert isinstance(item, Heard)
    return item


def test_every_event_has_the_name_of_the_rule() -> None:
    assert set(EVENT_NAMES) == set(e.EVENT_TYPES)
    for event_type, name in EVENT_NAMES.items():
        head, *rest = words_of(event_type.__name__)
        assert name == f"switchroom.{head}.{'_'.join(rest)}"


def test_every_decision_has_the_name_of_the_rule() -> None:
    assert set(DECISION_NAMES) == set(d.DECISION_TYPES)
    for decision_type, name in DECISION_NAMES.items():
        verb = next(v for v in PARTICIPLES if decision_type.__name__.startswith(v))
        head, *rest = words_of(decision_type.__name__.removeprefix(verb))
        assert name == f"switchroom.{head}.{'_'.join([*rest, PARTICIPLES[verb]])}"


def test_no_name_means_two_things() -> None:
    names = [*EVENT_NAMES.values(), *DECISION_NAMES.values()]
    assert len(set(names)) == len(names)
    assert set(RECEIVED_TYPES.values()) == set(e.EVENT_TYPES) - JOURNAL_ONLY


def test_every_instant_of_every_word_is_written_as_rfc_3339() -> None:
    # A new field that is an instant must enter the table, or it would leave as a bare integer.
    instants = re.compile(r".*_at_ms$|^(old_)?deadline_ms$|^(until|since)_ms$")
    for struct in (*e.EVENT_TYPES, *d.DECISION_TYPES):
        for field in struct.__struct_fields__:
            assert (field in INSTANT_FIELDS) == bool(instants.match(field)), (struct, field)


def test_structured_mode() -> None:
    data = {
        "contact_id": "c-123",
        "channel": "phone",
        "category": "billing",
        "center": "eu-care",
        "priority": 5,
        "skills": {"lang:es": 3, "billing": 2},
        "customer": "h:9f2c",
        "tier": "gold",
        "attributes": {"order": "A-1"},
    }
    item = heard(decode(cloud_event("contact.arrived", data)))
    assert item.event == e.ContactArrived(
        contact_id="c-123",
        channel="phone",
        category="billing",
        priority=5,
        customer="h:9f2c",
        tier="gold",
        skills={"lang:es": 3, "billing": 2},
        attributes={"order": "A-1"},
    )
    assert (item.event_id, item.occurred_ms) == ("/acd 1", AT_MS)


@pytest.mark.parametrize("prefix", ["ce_", "ce-"])
def test_binary_mode(prefix: str) -> None:
    headers = {
        f"{prefix}specversion": "1.0",
        f"{prefix}id": "7",
        f"{prefix}source": "/acd",
        f"{prefix}type": "switchroom.contact.ended",
        f"{prefix}time": AT,
        "content-type": "application/json",
    }
    item = heard(CODEC.decode_binary(headers, b'{"contact_id":"c-1"}'))
    assert item == Heard(e.ContactEnded("c-1"), "/acd 7", AT_MS)


def test_binary_headers_over_http_are_percent_encoded() -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "a%2Fb",
        "ce-source": "/acd",
        "ce-type": "switchroom.contact.ended",
    }
    assert heard(CODEC.decode_binary(headers, b'{"contact_id":"c-1"}')).event_id == "/acd a/b"


def test_a_watermark_is_no_event() -> None:
    assert decode(cloud_event("clock.reached", None)) == ClockReached(AT_MS)
    headers = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "s", "ce_time": AT}
    item = CODEC.decode_binary({**headers, "ce_type": "switchroom.clock.reached"}, None)
    assert item == ClockReached(AT_MS)
    assert CODEC.decode(encode_watermark(AT_MS, "eu-care")) == ClockReached(AT_MS)


def test_instants_on_the_wire_become_milliseconds_inside() -> None:
    data = {"contact_id": "c-1", "due_at": "2026-03-02T09:00:00+01:00"}
    item = heard(decode(cloud_event("callback.requested", data)))
    assert item.event == e.CallbackRequested("c-1", due_at_ms=1_772_438_400_000)


def test_an_integer_instant_of_the_envelope() -> None:
    envelope = cloud_event("contact.ended", {"contact_id": "c-1"}, at_ms=AT_MS)
    assert heard(decode(envelope)).occurred_ms == AT_MS
    del envelope["time"]
    assert heard(decode(envelope)).occurred_ms == AT_MS
    differing = cloud_event("contact.ended", {"contact_id": "c-1"}, at_ms=AT_MS + 1)
    event = heard(decode(differing)).event
    assert isinstance(event, e.RecordRefused)
    assert event.reason == d.Reason.BAD_TIMESTAMP.value


def test_operators_events_come_from_operators_only() -> None:
    envelope = cloud_event("overload.switched", {"active": True})
    refused = heard(decode(envelope)).event
    assert isinstance(refused, e.RecordRefused)
    assert refused.reason == d.Reason.UNKNOWN_TYPE.value
    assert heard(decode(envelope, operator=True)).event == e.OverloadSwitched(active=True)
    assert {e.CenterChanged, e.OverloadSwitched, e.CustomerErased} == OPERATOR_ONLY


def test_an_unknown_decline_cause_is_a_plain_decline_and_counted() -> None:
    codec = Codec("eu-care")
    data = {"offer_id": 1, "contact_id": "c-1", "agent_id": "a-1", "cause": "on_fire"}
    body = json.dumps(cloud_event("offer.declined", data)).encode()
    assert heard(codec.decode(body)).event == e.OfferDeclined(1, "c-1", "a-1")
    assert codec.counts["value_unknown"] == 1


def test_attributes_that_the_centre_does_not_list_are_dropped_and_counted() -> None:
    codec = Codec("eu-care", ("order",))
    attributes = {"order": "A-1", "phone": "+49 30 1234", "name": "Somebody"}
    data = {"contact_id": "c-1", "channel": "chat", "category": "x", "attributes": attributes}
    item = heard(codec.decode(json.dumps(cloud_event("contact.arrived", data)).encode()))
    assert isinstance(item.event, e.ContactArrived)
    assert item.event.attributes == {"order": "A-1"}
    assert codec.counts["attribute_dropped"] == 2


def test_our_own_tag_cannot_be_brought_in() -> None:
    item = heard(decode(cloud_event("contact.ended", {"contact_id": "c-1", "type": "agent_lost"})))
    assert item.event == e.ContactEnded("c-1")


def test_ids_are_plain_or_hashed_but_always_told_apart() -> None:
    assert make_event_id("/acd/site-1", "abc") == "/acd/site-1 abc"
    long = make_event_id("s" * 100, "i" * 100)
    assert long.startswith("h:")
    assert len(long) <= 128
    assert make_event_id("a b", "c") != make_event_id("a", "b c")
    assert "+49" not in make_event_id("tel:+49 30", "123 456")


@given(st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12))
def test_two_producers_never_share_an_id(left: str, right: str) -> None:
    assert (make_event_id(left, right) == make_event_id(right, left)) == (left == right)


def test_a_batch_is_taken_apart_unread() -> None:
    assert split_batch(b'[{"a":1,"a":2}, 7]') == [b'{"a":1,"a":2}', b"7"]


@given(st.integers(min_value=1, max_value=INSTANT_MS_MAX))
def test_instants_survive_the_way_out_and_back(at_ms: int) -> None:
    assert parse_instant(format_instant(at_ms)) == at_ms


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-01T00:00:00.001Z", 1),
        ("2026-03-02t08:00:00z", 1_772_438_400_000),
        ("2026-03-02T08:00:00.1239999Z", AT_MS),
        ("2026-03-02T13:30:00.123+05:30", AT_MS),
        ("2026-03-01T20:00:00.123-12:00", AT_MS),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
    ],
)
def test_instants_of_every_form(text: str, at_ms: int) -> None:
    assert parse_instant(text) == at_ms


@pytest.mark.parametrize("at_ms", [0, -1, 1_772_438_400, True, 1.5, "1", None, 2**53])
def test_integers_that_are_no_milliseconds(at_ms: object) -> None:
    with pytest.raises(ValueError, match=r"integer|milliseconds"):
        check_instant_ms(at_ms)


def test_decisions_go_out_with_derived_ids_and_their_cause() -> None:
    stamped = Stamped(12, AT_MS, e.ContactEnded("c-1"))
    offer = d.OfferContact(3, "c-2", "a-1", d.Reason.LONGEST_IDLE, AT_MS + 20_000)
    close = d.CloseContact("c-1", d.Exit.HANDLED, d.Reason.RESOLVED)
    entry = Entry(stamped, (close, offer), Source("day.ndjson", 0, 41))
    writer = DecisionWriter("eu-care", "eu-care/11/0", 3)
    first, second = (json.loads(body) for _, _, body in writer.write(entry, "0.1.0"))
    assert first == {
        "specversion": "1.0",
        "id": "eu-care/12/0",
        "type": "switchroom.contact.closed",
        "source": "/switchroom/eu-care",
        "datacontenttype": "application/json",
        "dataschema": "/schemas/events/contact.closed/1",
        "partitionkey": "eu-care",
        "time": AT,
        "subject": "c-1",
        "cause": "day.ndjson/0/41",
        "engineversion": "0.1.0",
        "centerversion": 3,
        "previd": "eu-care/11/0",
        "data": {"contact_id": "c-1", "exit": "handled", "reason": "resolved"},
    }
    assert second["previd"] == "eu-care/12/0"
    assert second["validuntil"] == second["data"]["expires_at"] == "2026-03-02T08:00:20.123Z"
    assert writer.previous_id == "eu-care/12/1"
    again = DecisionWriter("eu-care", "eu-care/11/0", 3).write(entry, "0.1.0")
    assert [body for _, _, body in again] == [
        body for _, _, body in DecisionWriter("eu-care", "eu-care/11/0", 3).write(entry, "0.1.0")
    ]


@pytest.mark.parametrize(
    "event_type",
    # A whole configuration takes the same way in test_service.
    [kind for kind in RECEIVED_TYPES.values() if kind is not e.CenterChanged],
)
def test_every_event_that_may_come_in_survives_the_way_out_and_back(
    event_type: type[e.Event],
) -> None:
    event = example_of(event_type)
    body = encode_event(Stamped(5, AT_MS, event, "/acd 9"), "eu-care")
    assert body is not None
    assert CODEC.decode(body, operator=True) == Heard(event, "/acd 9", AT_MS)


def example_of(event_type: type[e.Event]) -> e.Event:
    values: dict[str, object] = {
        "channel": "phone",
        "category": "billing",
        "presence": "break",
        "skills": {"billing": 4},
        "attributes": {"order": "1"},
        "capacity": 100,
        "score": 4,
        "offer_id": 7,
        "active": True,
        "due_at_ms": AT_MS,
        "agent_id": "a-1",
        "contact_id": "c-1",
        "into_contact_id": "c-2",
        "customer": "h:1",
    }
    fields = {name: values[name] for name in event_type.__struct_fields__ if name in values}
    return msgspec.convert(fields, event_type)
