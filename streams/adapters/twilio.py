"""Twilio TaskRouter over Event Streams: CloudEvents of the types `com.twilio.taskrouter.*`.

Format: the pages of Event Streams on TaskRouter's task, reservation and worker events (schema
`TaskRouter.WDSEvent/4`). Published samples carry a timestamp in `datacontenttype`: it is not
looked at. `task.completed` is the end of wrap-up there, not the end of the conversation.
"""

from __future__ import annotations

import json
from typing import Any, Final

from router.events import (
    AgentPresenceChanged,
    AgentSignedIn,
    AgentSignedOut,
    ContactAbandoned,
    ContactArrived,
    ContactEnded,
    ContactUpdated,
    DeclineCause,
    Event,
    OfferAccepted,
    OfferDeclined,
    WrapUpEnded,
)
from streams.adapters.mapping import Names
from streams.adapters.said import Heard, Record, Said, Unheard, field, instant_ms, own_id, text

CHANNELS: Final = {
    "voice": "phone",
    "chat": "chat",
    "sms": "sms",
    "email": "email",
    "default": "task",
    "video": "phone",
}
PRESENCES: Final = {"Available": "available", "Break": "break"}
OFFLINE: Final = "Offline"
_PREFIX: Final = "com.twilio.taskrouter."
_PRIORITY_MAX: Final = 9


def adapt(record: Record, names: Names) -> Heard:
    """Turn one record into events; raises `AdapterError` for one that lacks what it must have."""
    kind = str(field(record, "type") or "unknown").removeprefix(_PREFIX)
    payload = dict(field(record, "data.payload") or {})
    payload["attributes"] = _attributes(payload.get("task_attributes"))
    events = _events(kind, payload, names)
    if not events:
        return Unheard(kind)
    at_ms = instant_ms(payload, "timestamp_ms", "timestamp")
    record_id = text(record, "id")
    return [
        Said(event, "/twilio", f"{record_id}.{index}" if index else record_id, at_ms)
        for index, event in enumerate(events)
    ]


def _events(kind: str, payload: Record, names: Names) -> list[Event]:
    if kind.startswith("task."):
        return _task(kind, payload, names)
    if kind.startswith("reservation."):
        return _reservation(kind, payload, names)
    if kind == "worker.activity.update":
        return _activity(payload, names)
    return []


def _task(kind: str, payload: Record, names: Names) -> list[Event]:
    contact_id = own_id(text(payload, "task_sid"))
    match kind:
        case "task.created":
            workflow = field(payload, "workflow_name")
            arrived = ContactArrived(
                contact_id,
                names.channel(text(payload, "task_channel_unique_name")),
                names.category(payload, workflow),
                priority=_priority(payload),
                **names.facts(payload),
            )
            return [arrived]
        case "task.updated":
            return [ContactUpdated(contact_id, priority=_priority(payload))]
        case "task.canceled":
            return [ContactAbandoned(contact_id)]
        case "task.wrapup":
            return [ContactEnded(contact_id)]
        case "task.completed":
            # Who skips wrap-up says only this; after a wrap-up the first of the two is a repeat.
            worker = field(payload, "worker_sid")
            ended: list[Event] = [ContactEnded(contact_id)]
            return [*ended, WrapUpEnded(contact_id, names.agent(worker))] if worker else ended
        case _:
            return []


def _reservation(kind: str, payload: Record, names: Names) -> list[Event]:
    offer_id = names.offer(payload)
    if offer_id is None:
        return []
    contact_id, agent_id = own_id(text(payload, "task_sid")), text(payload, "worker_sid")
    agent_id = names.agent(agent_id)
    match kind:
        case "reservation.accepted":
            return [OfferAccepted(offer_id, contact_id, agent_id)]
        case "reservation.rejected":
            return [OfferDeclined(offer_id, contact_id, agent_id)]
        case "reservation.timeout":
            return [OfferDeclined(offer_id, contact_id, agent_id, DeclineCause.UNREACHABLE)]
        case _:
            return []


def _activity(payload: Record, names: Names) -> list[Event]:
    agent_id = names.agent(text(payload, "worker_sid"))
    activity = text(payload, "worker_activity_name")
    if activity == OFFLINE:
        return [AgentSignedOut(agent_id)]
    presence = names.presence(activity)
    if field(payload, "worker_previous_activity_name") in {None, "", OFFLINE}:
        return [AgentSignedIn(agent_id, presence=presence)]
    return [AgentPresenceChanged(agent_id, presence)]


def _priority(payload: Record) -> int:
    """Return TaskRouter's priority within ours; it has no upper end there."""
    value = field(payload, "task_priority")
    return min(max(int(value), 0), _PRIORITY_MAX) if str(value).isdecimal() else -1


def _attributes(written: object) -> dict[str, Any]:
    """Read a task's attributes, which come as JSON within JSON."""
    if isinstance(written, str):
        try:
            written = json.loads(written)
        except ValueError:
            return {}
    return written if isinstance(written, dict) else {}
