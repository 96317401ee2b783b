"""What strangers send: each bad record gets its one reason, never an exception, never a body."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.loader import load_center
from router.decisions import Reason
from router.events import CenterChanged, ContactArrived, RecordRefused
from router.journal import decode_record
from streams.codec import BatchError, ClockReached, Codec, Heard, hash_body, split_batch
from streams.embedded import EmbeddedStore
from streams.live import RunOptions, run_live
from streams.strict_json import BYTES_MAX, DEPTH_MAX, StrictJsonError, parse

CODEC = Codec("eu-care", ("order",))
ARRIVED = {"contact_id": "c-1", "channel": "phone", "category": "billing"}
CANARY = "4929-1337-0000-7331"


def envelope(data: object = None, **attributes: object) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "1",
        "source": "/acd",
        "type": "switchroom.contact.arrived",
        "time": "2026-03-02T08:00:00Z",
        "data": ARRIVED if data is None else data,
        **attributes,
    }


def body_of(data: object = None, **attributes: object) -> bytes:
    return json.dumps(envelope(data, **attributes)).encode()


def refusal(body: bytes) -> RecordRefused:
    item = CODEC.decode(body)
    assert isinstance(item, Heard)
    assert isinstance(item.event, RecordRefused), item
    assert item.event_id == "", "a corrected record with the same id must not be a repeat"
    assert item.event.body_hash == hash_body(body)
    assert CANARY not in item.event.detail
    return item.event


def with_data(**fields: object) -> bytes:
    return body_of({**ARRIVED, **fields})


def raw_data(text: str) -> bytes:
    return body_of("@").replace(b'"@"', text.encode())


def nested(levels: int) -> bytes:
    return body_of({**ARRIVED, "x": "@"}).replace(b'"@"', b"[" * levels + b"]" * levels)


NUMBERS = {
    "nan": ("NaN", Reason.BAD_JSON),
    "infinity": ("Infinity", Reason.BAD_JSON),
    "minus infinity": ("-Infinity", Reason.BAD_JSON),
    "1e999": ("1e999", Reason.BAD_JSON),
    "24 digits": ("9" * 24, Reason.BAD_JSON),
    "5000 digits": ("9" * 5000, Reason.BAD_JSON),
    "beyond 2^53": (str(2**53), Reason.BAD_JSON),
    "a true for a number": ("true", Reason.BAD_SCHEMA),
    "a float for an integer": ("5.0", Reason.BAD_SCHEMA),
    "a text for a number": ('"5"', Reason.BAD_SCHEMA),
    "out of range": ("10", Reason.BAD_SCHEMA),
    "negative": ("-2", Reason.BAD_SCHEMA),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_are_none(name: str) -> None:
    text, reason = NUMBERS[name]
    body = with_data(priority="@").replace(b'"@"', text.encode())
    assert refusal(body).reason == reason.value


TIMES: dict[str, object] = {
    "negative": "-0001-03-02T08:00:00Z",
    "before the epoch": "1969-12-31T23:59:59Z",
    "the epoch itself": "1970-01-01T00:00:00Z",
    "no zone": "2026-03-02T08:00:00",
    "a leap second": "2026-12-31T23:59:60Z",
    "hour 24": "2026-03-02T24:00:00Z",
    "30 February": "2026-02-30T08:00:00Z",
    "29 February of no leap year": "2026-02-29T08:00:00Z",
    "a date": "2026-03-02",
    "a number in place of a text": 1_772_438_400_000,
    "a blank between": "2026-03-02 08:00:00Z",
    "foreign digits": "２０２６-03-02T08:00:00Z",
    "empty": "",
    "seconds": "1772438400",
    "a zone of 99 hours": "2026-03-02T08:00:00+99:00",
    "ten digits below the second": "2026-03-02T08:00:00.1234567890Z",
}


@pytest.mark.parametrize("name", TIMES)
def test_times_that_are_none(name: str) -> None:
    assert refusal(body_of(time=TIMES[name])).reason == Reason.BAD_TIMESTAMP.value


@pytest.mark.parametrize("at_ms", [-1, 0, 1_772_438_400, 2**53 - 1, 1.5, True, "1772438400000"])
def test_integer_times_that_are_none(at_ms: object) -> None:
    record = envelope(at_ms=at_ms)
    del record["time"]
    assert refusal(json.dumps(record).encode()).reason == Reason.BAD_TIMESTAMP.value


def test_an_instant_inside_the_data_is_looked_at_as_well() -> None:
    kind = "switchroom.callback.requested"
    for due in ({"due_at": "tomorrow"}, {"due_at_ms": 17}, {"due_at_ms": 0, "due_at": "x"}):
        refused = refusal(body_of({"contact_id": "c-1", **due}, type=kind))
        assert refused.reason == Reason.BAD_TIMESTAMP.value
        assert "due_at" in refused.detail


ENCODINGS = {
    "a broken sequence": b'{"a":"\xc3("}',
    "an overlong slash": b'{"a":"\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
    "a byte order mark": b"\xef\xbb\xbf" + body_of(),
    "UTF-16": json.dumps(envelope()).encode("utf-16"),
    "compressed": gzip.compress(body_of()),
    "a NUL byte": body_of().replace(b"phone", b"pho\x00ne"),
    "an escaped NUL": body_of().replace(b"phone", b"pho\\u0000ne"),
    "an escaped line end in an id": body_of().replace(b'"c-1"', b'"c-1\\n"'),
    "a lone surrogate": body_of().replace(b"phone", b"\\ud800"),
    "a lone surrogate in a key": body_of().replace(b'"category"', b'"\\udfff"'),
    "DEL": body_of().replace(b"phone", b"pho\x7fne"),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_bytes_that_are_no_text(name: str) -> None:
    assert refusal(ENCODINGS[name]).reason == Reason.BAD_ENCODING.value


TEXTS = {
    "nothing": (b"", Reason.EMPTY),
    "white space": (b" \t ", Reason.EMPTY),
    "no JSON": (b"contact arrived", Reason.BAD_JSON),
    "half a record": (body_of()[:-1], Reason.BAD_JSON),
    "two records": (body_of() + body_of(), Reason.BAD_JSON),
    "a raw line end in a string": (body_of().replace(b"phone", b"pho\nne"), Reason.BAD_JSON),
    "a key twice in the envelope": (
        b'{"id":"2",' + body_of()[1:],
        Reason.DUPLICATE_KEY,
    ),
    "a key twice deep inside": (
        raw_data('{"contact_id":"c-1","skills":{"a":1,"\\u0061":2}}'),
        Reason.DUPLICATE_KEY,
    ),
    "an array": (b"[1]", Reason.BAD_SCHEMA),
    "a null": (b"null", Reason.BAD_SCHEMA),
    "no data": (body_of("text"), Reason.BAD_SCHEMA),
    "another specversion": (body_of(specversion="0.3"), Reason.BAD_SCHEMA),
    "no id": (body_of(id=""), Reason.BAD_SCHEMA),
    "a number as id": (body_of(id=7), Reason.BAD_SCHEMA),
    "no type": (body_of(type=None), Reason.BAD_SCHEMA),
    "an unknown type": (body_of(type=f"switchroom.contact.{CANARY}"), Reason.UNKNOWN_TYPE),
    "an event of the journal only": (
        body_of(type="switchroom.time.advanced"),
        Reason.UNKNOWN_TYPE,
    ),
    "a decision": (body_of(type="switchroom.contact.offered"), Reason.UNKNOWN_TYPE),
    "a later schema": (body_of(dataschema="/schemas/contact.arrived/2"), Reason.BAD_SCHEMA),
    "another centre": (with_data(center="us-care"), Reason.WRONG_PARTITION),
    "another key": (body_of(partitionkey="us-care"), Reason.WRONG_PARTITION),
    "a bad id": (with_data(contact_id=f"call {CANARY}"), Reason.BAD_SCHEMA),
    "an id too long": (with_data(contact_id="c" * 65), Reason.BAD_SCHEMA),
    "a level of 99": (with_data(skills={CANARY: 99}), Reason.BAD_SCHEMA),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_that_are_no_events(name: str) -> None:
    body, reason = TEXTS[name]
    assert refusal(body).reason == reason.value


@pytest.mark.parametrize("levels", [1_000, 30_000])
def test_deep_nesting(levels: int) -> None:
    assert refusal(nested(levels)).reason == Reason.TOO_DEEP.value


def test_nesting_beyond_the_size_limit_is_refused_for_its_size() -> None:
    assert refusal(nested(100_000)).reason == Reason.TOO_LARGE.value


def test_nesting_at_the_limit_and_one_more() -> None:
    # Envelope and data are two levels already.
    assert isinstance(CODEC.decode(nested(DEPTH_MAX - 2)), Heard)
    item = CODEC.decode(nested(DEPTH_MAX - 2))
    assert isinstance(item, Heard)
    assert isinstance(item.event, ContactArrived)
    assert refusal(nested(DEPTH_MAX - 1)).reason == Reason.TOO_DEEP.value


def test_braces_inside_strings_are_no_nesting() -> None:
    item = CODEC.decode(with_data(x="{[" * 50 + '\\"{'))
    assert isinstance(item, Heard)
    assert isinstance(item.event, ContactArrived)


def test_size_at_the_limit_and_one_more() -> None:
    body = body_of()
    fitting = body + b" " * (BYTES_MAX - len(body))
    item = CODEC.decode(fitting)
    assert isinstance(item, Heard)
    assert isinstance(item.event, ContactArrived)
    assert refusal(fitting + b" ").reason == Reason.TOO_LARGE.value


@pytest.mark.parametrize(
    ("field", "value", "taken"),
    [
        ("skills", {f"s{n}": 1 for n in range(32)}, True),
        ("skills", {f"s{n}": 1 for n in range(33)}, False),
        ("skills", {f"s{n}": 1 for n in range(4000)}, False),
        ("attributes", {f"a{n}": "" for n in range(64)}, True),
        ("attributes", {f"a{n}": "" for n in range(65)}, False),
        ("attributes", {f"a{n}": "" for n in range(4000)}, False),
        ("attributes", {"order": "x" * 256}, True),
        ("attributes", {"order": "x" * 257}, False),
        ("attributes", {"order": "x" * 2570}, False),
    ],
)
def test_caps_at_the_limit_one_more_and_far_more(field: str, value: object, taken: bool) -> None:  # noqa: FBT001
    body = with_data(**{field: value})
    if taken:
        item = CODEC.decode(body)
        assert isinstance(item, Heard)
        assert isinstance(item.event, ContactArrived)
    else:
        assert refusal(body).reason == Reason.LIMIT_REACHED.value


def test_unknown_fields_are_ignored() -> None:
    item = CODEC.decode(body_of({**ARRIVED, "mood": [1, 2]}, traceparent="00-1-2-01"))
    assert isinstance(item, Heard)
    assert item.event == ContactArrived("c-1", "phone", "billing")


def test_a_strange_datacontenttype_is_let_be() -> None:
    item = CODEC.decode(body_of(datacontenttype="2026-03-02T08:00:00Z"))
    assert isinstance(item, Heard)
    assert isinstance(item.event, ContactArrived)


def test_a_tombstone() -> None:
    headers = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "s"}
    item = CODEC.decode_binary({**headers, "ce_type": "switchroom.contact.arrived"}, None)
    assert isinstance(item, Heard)
    assert isinstance(item.event, RecordRefused)
    assert item.event.reason == Reason.EMPTY.value


def test_a_refused_record_keeps_its_time_so_that_the_clock_may_go_on() -> None:
    item = CODEC.decode(body_of({"contact_id": ""}))
    assert isinstance(item, Heard)
    assert isinstance(item.event, RecordRefused)
    assert item.occurred_ms == 1_772_438_400_000


@pytest.mark.parametrize("body", [b"", b"{}", b"[1,", b"[" * 100_000])
def test_batches_that_cannot_be_taken_apart(body: bytes) -> None:
    with pytest.raises(BatchError):
        split_batch(body)


@given(st.binary(max_size=200))
def test_no_bytes_raise(body: bytes) -> None:
    item = CODEC.decode(body)
    assert isinstance(item, Heard | ClockReached)


@given(st.data())
def test_no_damage_to_a_good_record_raises(data: st.DataObject) -> None:
    body = bytearray(body_of({**ARRIVED, "skills": {"a": 3}, "attributes": {"order": "1"}}))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place] = data.draw(st.integers(0, 255))
    assert isinstance(CODEC.decode(bytes(body)), Heard | ClockReached)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*envelope()]), json_values), json_values)
def test_no_values_raise(attributes: dict[str, Any], contact_id: object) -> None:
    record = {**envelope({**ARRIVED, "contact_id": contact_id}), **attributes}
    assert isinstance(CODEC.decode(json.dumps(record).encode()), Heard | ClockReached)


def test_a_strict_reader_agrees_with_the_plain_one_on_good_text() -> None:
    text = json.dumps({"a": [1, 2.5, None, True, "é\\"], "b": {"c": -(2**53) + 1}})
    assert parse(text.encode()) == json.loads(text)
    with pytest.raises(StrictJsonError) as caught:
        parse(b'{"a":1,"a":1}')
    assert caught.value.reason is Reason.DUPLICATE_KEY


def test_what_was_planted_is_found_nowhere_in_the_store(tmp_path: Path) -> None:
    """Numbers in attributes nobody listed, in broken records and in ids end at the edge."""
    center = load_center(Path(__file__).parent.parent / "configs" / "tiny").center
    records = [
        {**ARRIVED, "category": "invoice", "attributes": {"phone": CANARY, CANARY: "x"}},
        {**ARRIVED, "contact_id": f"tel:{CANARY} "},
        {**ARRIVED, "contact_id": "c-2", "skills": {CANARY: 99}},
        {**ARRIVED, "contact_id": "c-3", "note": CANARY},
    ]
    lines = [json.dumps(envelope(data)).encode() for data in records]
    lines += [
        json.dumps(envelope({**ARRIVED, "contact_id": "c-4"}, id=f"call {CANARY}")).encode(),
        f"{CANARY} is no record".encode(),
        json.dumps(envelope(type=CANARY)).encode(),
        json.dumps(envelope(time=CANARY)).encode(),
        b'{"' + CANARY.encode() * 6000 + b'":1}',
    ]
    day = tmp_path / "day.ndjson"
    day.write_bytes(b"\n".join(lines))
    store = tmp_path / "store.db"
    options = RunOptions(
        store=store, configured=CenterChanged(center), input=str(day), recorded=True
    )
    told: list[str] = []
    assert asyncio.run(run_live(options, told.append)) == 0
    reader = EmbeddedStore.read_only(store)
    records_read = [decode_record(stored.body) for stored in reader.records()]
    reader.close()
    events = [entry.stamped.event for record in records_read for entry in record.entries]
    assert len([e for e in events if isinstance(e, RecordRefused)]) == 6
    for path in tmp_path.iterdir():
        if path != day:
            assert CANARY.encode() not in path.read_bytes(), path.name
    assert CANARY not in " ".join(told)
