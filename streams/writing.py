"""Write decisions, and events too, as CloudEvents 1.0.

A decision's id is `{center}/{seq}/{index}`, derived and never drawn, so the same journal gives
the same bytes whoever writes them, and whenever. Our extension attributes: `previd` is the id of
the decision before it, `cause` the input record (topic/partition/offset) or the event that led to
it, `validuntil` the instant after which nobody should act on it, `engineversion` and
`centerversion` say by which software and which configuration it was decided.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from router.decisions import ActivateCenter, Decision, OfferContact
from router.events import Event, Source, Stamped
from router.journal import Entry
from streams.instants import format_instant
from streams.names import (
    CLOCK_REACHED,
    DECISION_NAMES,
    EVENT_NAMES,
    INSTANT_FIELDS,
    JOURNAL_ONLY,
    dataschema_of,
)

_encoder: Final = msgspec.json.Encoder()

_INSTANTS_OF: Final = {
    kind: tuple(
        (ours, theirs) for ours, theirs in INSTANT_FIELDS.items() if ours in kind.__struct_fields__
    )
    for kind in (*EVENT_NAMES, *DECISION_NAMES)
}
"""The fields of each type that the wire writes as instants: most have none."""


def encode_source(source: Source | None) -> str:
    """Write the coordinates of an input record: topic/partition/offset."""
    return "" if source is None else f"{source.topic}/{source.partition}/{source.offset}"


def wire_data(struct: Event | Decision) -> dict[str, Any]:
    """Return a struct's fields by their names on the wire; instants in RFC 3339, 0 left out."""
    data: dict[str, Any] = msgspec.to_builtins(struct)
    del data["type"]
    for ours, theirs in _INSTANTS_OF[type(struct)]:
        # One that is left out at its default is none.
        if at_ms := data.pop(ours, 0):
            data[theirs] = format_instant(at_ms)
    return data


class DecisionWriter:
    """Write the decisions of a journal, in its order, as CloudEvents.

    The ids are derived, so the same journal gives the same bytes whoever writes them, and
    whenever. `previous_id` is the id of the decision before the next one ("" at the start),
    `center_version` the version in force there.
    """

    def __init__(self, center_name: str, previous_id: str = "", center_version: int = 0) -> None:
        self.center_name = center_name
        self.previous_id = previous_id
        self.center_version = center_version
        self._head: dict[type, dict[str, str]] = {
            decision_type: {
                "specversion": "1.0",
                "type": name,
                "source": f"/switchroom/{center_name}",
                "datacontenttype": "application/json",
                "dataschema": dataschema_of(name),
                "partitionkey": center_name,
            }
            for decision_type, name in DECISION_NAMES.items()
        }

    def envelopes(self, entry: Entry, engine_version: str) -> Iterator[dict[str, Any]]:
        """Yield the CloudEvents of one entry, in order; the version is that of its record."""
        if not entry.decisions:
            return
        stamped = entry.stamped
        time = format_instant(stamped.at_ms)
        cause = encode_source(entry.source) or EVENT_NAMES[type(stamped.event)]
        for index, decision in enumerate(entry.decisions):
            data = wire_data(decision)
            if isinstance(decision, ActivateCenter):
                self.center_version = decision.version
            envelope: dict[str, Any] = {
                "id": f"{self.center_name}/{stamped.seq}/{index}",
                **self._head[type(decision)],
                "time": time,
                "subject": _subject_of(data),
                "cause": cause,
                "engineversion": engine_version,
                "centerversion": self.center_version,
            }
            if not envelope["subject"]:
                del envelope["subject"]
            if self.previous_id:
                envelope["previd"] = self.previous_id
            if isinstance(decision, OfferContact) and decision.expires_at_ms:
                envelope["validuntil"] = format_instant(decision.expires_at_ms)
            envelope["data"] = data
            self.previous_id = envelope["id"]
            yield envelope

    def write(self, entry: Entry, engine_version: str) -> list[tuple[str, str, bytes]]:
        """Return (id, type, structured CloudEvent) of each decision of one entry."""
        return [
            (envelope["id"], envelope["type"], _encoder.encode(envelope))
            for envelope in self.envelopes(entry, engine_version)
        ]


def _subject_of(data: dict[str, Any]) -> str:
    for name in ("contact_id", "agent_id", "subject"):
        if name in data:
            return str(data[name])
    return ""


def encode_event(stamped: Stamped, center_name: str) -> bytes | None:
    """Write an event of a journal as the record it may have come from; None for the worker's own.

    So a journal, a simulated one too, becomes an input that can be fed again.
    """
    event = stamped.event
    if type(event) in JOURNAL_ONLY:
        return None
    source, _, record_id = stamped.event_id.partition(" ")
    if not record_id:
        source, record_id = f"/switchroom/{center_name}/events", str(stamped.seq)
    name = EVENT_NAMES[type(event)]
    return _encoder.encode(
        {
            "specversion": "1.0",
            "id": record_id,
            "source": source,
            "type": name,
            "time": format_instant(stamped.at_ms),
            "dataschema": dataschema_of(name),
            "partitionkey": center_name,
            "data": wire_data(event),
        }
    )


def encode_watermark(at_ms: int, center_name: str) -> bytes:
    """Write the watermark of an instant."""
    return _encoder.encode(
        {
            "specversion": "1.0",
            "id": f"clock-{at_ms}",
            "source": f"/switchroom/{center_name}/clock",
            "type": CLOCK_REACHED,
            "time": format_instant(at_ms),
        }
    )
