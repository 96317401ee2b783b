"""Speak CloudEvents as a user's own client would: plain JSON from the public names.

The simulator shares no code with the live worker; it knows the published names only. A test
holds both tables against the worker's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from router import decisions as d
from router.events import Event

PREFIX: Final = "switchroom."
CLOCK_REACHED: Final = "switchroom.clock.reached"
SOURCE: Final = "/switchroom/demo"

DECISION_TYPES: Final[dict[str, type[d.Decision]]] = {
    "contact.enqueued": d.EnqueueContact,
    "contact.offered": d.OfferContact,
    "offer.withdrawn": d.WithdrawOffer,
    "contact.assigned": d.AssignContact,
    "wrap_up.started": d.StartWrapUp,
    "assignment.ended": d.EndAssignment,
    "work.held": d.HoldWork,
    "work.resumed": d.ResumeWork,
    "contact.requeued": d.RequeueContact,
    "contact.relaxed": d.RelaxContact,
    "contact.overflowed": d.OverflowContact,
    "contact.deflected": d.DeflectContact,
    "callback.scheduled": d.ScheduleCallback,
    "callback.offered": d.OfferCallback,
    "callback.dialled": d.DialCallback,
    "agent.state_changed": d.ChangeAgentState,
    "contact.escalated": d.EscalateContact,
    "sla.started": d.StartSla,
    "sla.paused": d.PauseSla,
    "sla.resumed": d.ResumeSla,
    "sla.warned": d.WarnSla,
    "sla.breached": d.BreachSla,
    "sla.met": d.MeetSla,
    "sla.stopped": d.StopSla,
    "sla.rebased": d.RebaseSla,
    "survey.requested": d.RequestSurvey,
    "follow_up.requested": d.RequestFollowUp,
    "contact.closed": d.CloseContact,
    "contact.opened": d.OpenContact,
    "contact.linked": d.LinkContact,
    "center.activated": d.ActivateCenter,
    "event.refused": d.RefuseEvent,
    "duplicate.noted": d.NoteDuplicate,
}

_INSTANTS: Final = {
    "due_at": "due_at_ms",
    "expires_at": "expires_at_ms",
    "until_at": "until_ms",
    "deadline_at": "deadline_ms",
    "old_deadline_at": "old_deadline_ms",
}


def name_event(kind: type[Event]) -> str:
    """Return the public type of an event: `AgentSignedIn` is `switchroom.agent.signed_in`."""
    words = [word.lower() for word in re.findall("[A-Z][a-z]*", kind.__name__)]
    if words[:2] == ["wrap", "up"]:
        words[:2] = ["wrap_up"]
    return f"{PREFIX}{words[0]}.{'_'.join(words[1:])}"


def format_instant(at_ms: int) -> str:
    """Write an instant as RFC 3339 in UTC, with milliseconds."""
    moment = datetime.fromtimestamp(at_ms // 1000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def parse_instant(text: str) -> int:
    """Read an RFC 3339 instant, to the millisecond."""
    moment = datetime.fromisoformat(text)
    return int(moment.replace(microsecond=0).timestamp()) * 1000 + moment.microsecond // 1000


def encode_event(event: Event, at_ms: int, number: int) -> dict[str, Any]:
    """Make the CloudEvent of an event that happened at an instant."""
    data = msgspec.to_builtins(event)
    del data["type"]
    for theirs, ours in _INSTANTS.items():
        if data.get(ours):
            data[theirs] = format_instant(data.pop(ours))
    return {
        "specversion": "1.0",
        "id": f"d-{number}",
        "source": SOURCE,
        "type": name_event(type(event)),
        "time": format_instant(at_ms),
        "datacontenttype": "application/json",
        "data": data,
    }


def encode_watermark(at_ms: int) -> dict[str, Any]:
    """Make the record that says: nothing before this instant will come any more."""
    return {
        "specversion": "1.0",
        "id": f"clock-{at_ms}",
        "source": SOURCE,
        "type": CLOCK_REACHED,
        "time": format_instant(at_ms),
    }


def encode_batch(records: Iterable[Mapping[str, Any]]) -> bytes:
    """Write records as one CloudEvents batch."""
    return json.dumps(list(records), separators=(",", ":")).encode()


def decode_decision(envelope: Mapping[str, Any]) -> tuple[int, int, d.Decision]:
    """Read a decision off the wire: its entry's seq, its instant, itself.

    Raises ValueError for a type or an id that this version does not know.
    """
    kind = DECISION_TYPES.get(str(envelope["type"]).removeprefix(PREFIX))
    if kind is None:
        raise ValueError(f"unknown decision type {envelope['type']!r}")
    fields = {}
    for name, value in dict(envelope["data"]).items():
        ours = _INSTANTS.get(name)
        fields[ours or name] = parse_instant(value) if ours else value
    seq = int(str(envelope["id"]).split("/")[-2])
    return seq, parse_instant(envelope["time"]), msgspec.convert(fields, kind)
