"""Read CloudEvents 1.0 into events.

Structured mode is one JSON object; binary mode carries the attributes in headers (`ce_type`
on Kafka, `ce-type` on HTTP) and the data in the body. Reading never raises: what cannot be
read becomes the event `RecordRefused` with its reason and the hash of the body, never the
body itself. Producers' new fields are ignored, unknown values of open lists are replaced and
counted, attributes that the centre does not list are dropped and counted.

Sources: github.com/cloudevents/spec, `cloudevents/spec.md`, `bindings/kafka-protocol-binding.md`,
`bindings/http-protocol-binding.md`.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from router.center import Center
from router.decisions import Reason
from router.events import (
    CallbackFailed,
    CallFailure,
    ContactArrived,
    ContactUpdated,
    DeclineCause,
    Event,
    OfferDeclined,
    RecordRefused,
)
from streams.instants import check_instant_ms, parse_instant
from streams.names import (
    CLOCK_REACHED,
    INSTANT_FIELDS,
    OPERATOR_ONLY,
    RECEIVED_TYPES,
    SCHEMA_MAJOR,
)
from streams.ports import Carriage
from streams.strict_json import StrictJsonError, parse

ATTRIBUTES_MAX: Final = 64
ATTRIBUTE_LENGTH_MAX: Final = 256
SKILLS_MAX: Final = 32
EVENT_ID_LENGTH_MAX: Final = 128
ENVELOPE_TEXT_MAX: Final = 1024

_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9._:/@+=-]+ [A-Za-z0-9._:/@+=-]+")
_MAJOR: Final = re.compile(r"/v?([0-9]{1,9})/?\Z")
_THIS_MAJOR: Final = f"/{SCHEMA_MAJOR}"
_QUOTED: Final = re.compile(r"^Invalid (enum )?value .* - at", re.DOTALL)
# What stands for a word that a later version of an open list may know.
_CAUSES: Final[dict[type[Event], tuple[frozenset[str], str]]] = {
    OfferDeclined: (frozenset(cause.value for cause in DeclineCause), DeclineCause.DECLINED.value),
    CallbackFailed: (frozenset(cause.value for cause in CallFailure), CallFailure.NO_ANSWER.value),
}


class Heard(Struct, frozen=True, gc=False):
    """One record as read: the event, the producer's id and clock ("" and 0 if it gave none)."""

    event: Event
    event_id: str = ""
    occurred_ms: int = 0


class ClockReached(Struct, frozen=True, gc=False):
    """A producer's word that nothing before `at_ms` will come any more."""

    at_ms: int


Item: TypeAlias = Heard | ClockReached


class BatchError(ValueError):
    """A batch that cannot be taken apart; nothing of it was read."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def hash_body(body: bytes) -> str:
    """Return the BLAKE2b-256 of a record's body in hex: proof without content."""
    return hashlib.blake2b(body, digest_size=32).hexdigest()


def refuse(reason: Reason, detail: str, body_hash: str, occurred_ms: int = 0) -> Heard:
    """Make the event that stands for a record nobody could read."""
    return Heard(RecordRefused(reason.value, detail[:256], body_hash), "", occurred_ms)


def split_batch(body: bytes) -> list[bytes]:
    """Take a JSON array apart without reading its elements; raises `BatchError`."""
    try:
        return [bytes(raw) for raw in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except RecursionError:
        raise BatchError(Reason.TOO_DEEP, "the batch is nested too deeply") from None
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        raise BatchError(Reason.BAD_JSON, "not a JSON array of CloudEvents") from None


class Codec:
    """Read records for one centre.

    `counts` says how often something was let go without refusing the record:
    `attribute_dropped`, `value_unknown`.
    """

    def __init__(self, center_name: str, attributes: Iterable[str] = ()) -> None:
        self.center_name = center_name
        self.attributes = frozenset(attributes)
        self.counts: Counter[str] = Counter()

    @classmethod
    def of(cls, center: Center) -> Codec:
        """Make the codec of a centre."""
        return cls(center.name, center.attributes)

    def decode(self, body: bytes, *, operator: bool = False) -> Item:
        """Read one structured CloudEvent; `operator` also lets operators' events in."""
        try:
            return self._read(parse(body), body, operator=operator)
        except StrictJsonError as error:
            return refuse(error.reason, error.detail, hash_body(body))

    def decode_binary(
        self, headers: Mapping[str, str], body: bytes | None, *, operator: bool = False
    ) -> Item:
        """Read one CloudEvent in binary mode; a body of None is a tombstone."""
        content = body or b""
        envelope: dict[str, Any] = {}
        for header, value in headers.items():
            name = header.lower()
            if name.startswith("ce_"):
                envelope[name[3:]] = value
            elif name.startswith("ce-"):
                envelope[name[3:]] = unquote(value)
        try:
            if "at_ms" in envelope:
                envelope["at_ms"] = _integer_header(envelope["at_ms"])
            if content or envelope.get("type") != CLOCK_REACHED:
                envelope["data"] = parse(content)
            return self._read(envelope, content, operator=operator)
        except StrictJsonError as error:
            return refuse(error.reason, error.detail, hash_body(content))

    def decode_carried(self, carriage: Carriage, body: bytes) -> Item:
        """Read one record of a broker, in binary or structured mode; its key is its centre."""
        if carriage.key != self.center_name:
            detail = "has no key" if carriage.key is None else "has another centre as its key"
            return refuse(Reason.WRONG_PARTITION, f"the record {detail}", hash_body(body))
        headers, operator = carriage.headers, carriage.operator
        if any(name.lower() == "ce_specversion" for name in headers):
            return self.decode_binary(headers, body, operator=operator)
        return self.decode(body, operator=operator)

    def _read(self, envelope: object, body: bytes, *, operator: bool) -> Item:
        if not isinstance(envelope, dict):
            raise StrictJsonError(Reason.BAD_SCHEMA, "not a JSON object")
        if envelope.get("specversion") != "1.0":
            raise StrictJsonError(Reason.BAD_SCHEMA, "specversion is not 1.0")
        record_id, source = envelope.get("id"), envelope.get("source")
        for text, name in ((record_id, "id"), (source, "source"), (envelope.get("type"), "type")):
            if type(text) is not str or not 0 < len(text) <= ENVELOPE_TEXT_MAX:
                raise StrictJsonError(
                    Reason.BAD_SCHEMA,
                    f"attribute {name} must be a string of 1 to {ENVELOPE_TEXT_MAX} characters",
                )
        occurred_ms = _read_time(envelope)
        if envelope["type"] == CLOCK_REACHED:
            if not occurred_ms:
                raise StrictJsonError(Reason.BAD_TIMESTAMP, "a watermark needs its time")
            return ClockReached(occurred_ms)
        try:
            event = self._read_event(envelope, operator=operator)
        except StrictJsonError as error:
            return refuse(error.reason, error.detail, hash_body(body), occurred_ms)
        assert isinstance(record_id, str), "checked above"
        assert isinstance(source, str), "checked above"
        return Heard(event, make_event_id(source, record_id), occurred_ms)

    def _read_event(self, envelope: dict[str, Any], *, operator: bool) -> Event:
        event_type = RECEIVED_TYPES.get(envelope["type"])
        if event_type is None:
            raise StrictJsonError(Reason.UNKNOWN_TYPE, "a type this version does not know")
        if event_type in OPERATOR_ONLY and not operator:
            raise StrictJsonError(
                Reason.UNKNOWN_TYPE, "only the operator's own inputs may bring this type"
            )
        _check_major(envelope.get("dataschema"))
        data = envelope.get("data")
        if type(data) is not dict:
            raise StrictJsonError(Reason.BAD_SCHEMA, "data is not a JSON object")
        self._check_center(envelope, data)
        # `type` would be taken for our own tag; on the wire it stands in the envelope only.
        fields = {name: value for name, value in data.items() if name != "type"}
        self._adapt(event_type, fields)
        try:
            return msgspec.convert(fields, event_type)
        except msgspec.ValidationError as error:
            raise StrictJsonError(Reason.BAD_SCHEMA, _without_values(str(error))) from None

    def _check_center(self, envelope: dict[str, Any], data: dict[str, Any]) -> None:
        named = data.get("center", self.center_name)
        if isinstance(named, dict):  # `center.changed` brings a whole configuration
            named = named.get("name", self.center_name)
        if named != self.center_name:
            raise StrictJsonError(Reason.WRONG_PARTITION, "data.center names another centre")
        if envelope.get("partitionkey", self.center_name) != self.center_name:
            raise StrictJsonError(Reason.WRONG_PARTITION, "partitionkey names another centre")

    def _adapt(self, event_type: type[Event], fields: dict[str, Any]) -> None:
        """Bring the wire's words to ours, in place: instants, caps, attributes, open lists."""
        for ours, theirs in INSTANT_FIELDS.items():
            if theirs in fields or ours in fields:
                _adapt_instant(fields, ours, theirs)
        if event_type is ContactArrived or event_type is ContactUpdated:
            _check_caps(fields)
            self._drop_attributes(fields)
        elif event_type in _CAUSES:
            cause, (known, otherwise) = fields.get("cause"), _CAUSES[event_type]
            if isinstance(cause, str) and cause not in known:
                self.counts["value_unknown"] += 1
                fields["cause"] = otherwise

    def _drop_attributes(self, fields: dict[str, Any]) -> None:
        attributes = fields.get("attributes")
        if not isinstance(attributes, dict):
            return
        kept = {name: attributes[name] for name in attributes if name in self.attributes}
        if len(kept) != len(attributes):
            self.counts["attribute_dropped"] += len(attributes) - len(kept)
            fields["attributes"] = kept


def _read_time(envelope: dict[str, Any]) -> int:
    """Return the producer's instant in ms, 0 when it gave none."""
    time, at_ms = envelope.get("time"), envelope.get("at_ms")
    try:
        instant_ms = _parse_text(time) if time is not None else 0
        stated_ms = check_instant_ms(at_ms) if at_ms is not None else instant_ms
    except ValueError as error:
        raise StrictJsonError(Reason.BAD_TIMESTAMP, str(error)) from None
    if instant_ms and stated_ms != instant_ms:
        raise StrictJsonError(Reason.BAD_TIMESTAMP, "time and at_ms differ")
    return stated_ms


def _parse_text(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError("not a string; integer milliseconds have their own name")  # noqa: TRY004
    return parse_instant(value)


def _integer_header(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,16}", text):
        raise StrictJsonError(Reason.BAD_TIMESTAMP, "at_ms is not an integer")
    return int(text)


def _check_major(dataschema: object) -> None:
    """Refuse data of a schema version that came after this software."""
    if not isinstance(dataschema, str):
        return
    if dataschema.endswith(_THIS_MAJOR):
        return
    match = _MAJOR.search(dataschema[-12:])
    if match and int(match.group(1)) != SCHEMA_MAJOR:
        raise StrictJsonError(
            Reason.BAD_SCHEMA,
            f"schema major {int(match.group(1))}, this version reads {SCHEMA_MAJOR}; "
            "feed the record again after the upgrade",
        )


def _adapt_instant(fields: dict[str, Any], ours: str, theirs: str) -> None:
    if ours in fields and theirs in fields:
        raise StrictJsonError(Reason.BAD_TIMESTAMP, f"{theirs} and {ours} exclude each other")
    try:
        if theirs in fields:
            fields[ours] = _parse_text(fields.pop(theirs))
        else:
            check_instant_ms(fields[ours])
    except ValueError as error:
        raise StrictJsonError(Reason.BAD_TIMESTAMP, f"{theirs}: {error}") from None


def _check_caps(fields: dict[str, Any]) -> None:
    skills, attributes = fields.get("skills"), fields.get("attributes")
    if isinstance(skills, dict) and len(skills) > SKILLS_MAX:
        raise StrictJsonError(Reason.LIMIT_REACHED, f"more than {SKILLS_MAX} skills")
    if not isinstance(attributes, dict):
        return
    if len(attributes) > ATTRIBUTES_MAX:
        raise StrictJsonError(Reason.LIMIT_REACHED, f"more than {ATTRIBUTES_MAX} attributes")
    for value in attributes.values():
        if isinstance(value, str) and len(value) > ATTRIBUTE_LENGTH_MAX:
            raise StrictJsonError(
                Reason.LIMIT_REACHED, f"an attribute longer than {ATTRIBUTE_LENGTH_MAX} characters"
            )


def _without_values(message: str) -> str:
    """Cut what a producer wrote out of a message of msgspec, which quotes bad enum values."""
    return _QUOTED.sub("Invalid value - at", message)


def make_event_id(source: str, record_id: str) -> str:
    """Join what makes a CloudEvent unique; hashed when long or not plainly an id."""
    event_id = f"{source} {record_id}"
    if len(event_id) <= EVENT_ID_LENGTH_MAX and _PLAIN_ID.fullmatch(event_id):
        return event_id
    # The separator is no character of either part: nobody can shift one into the other.
    pair = f"{len(source)} {event_id}".encode("utf-8", "surrogatepass")
    return "h:" + hashlib.blake2b(pair, digest_size=32).hexdigest()
