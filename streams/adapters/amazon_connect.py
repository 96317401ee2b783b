"""Amazon Connect: contact events (EventBridge) and the agent event stream (Kinesis).

Formats: the administrator guide's pages "Amazon Connect contact events" and "Agent event streams
data model". Contact events come without order and at best effort; reconcile a day with the
contact records. A leg after a transfer has a contact id of its own and is a contact of its own
here.
"""

from __future__ import annotations

from typing import Final

from router.events import (
    AgentHeartbeat,
    AgentPresenceChanged,
    AgentSignedIn,
    AgentSignedOut,
    ContactAbandoned,
    ContactArrived,
    ContactEnded,
    ContactHeld,
    ContactResumed,
    DeclineCause,
    Event,
    OfferConnected,
    OfferDeclined,
    WrapUpEnded,
)
from streams.adapters.mapping import Names
from streams.adapters.said import Heard, Record, Said, Unheard, field, instant_ms, own_id, text

CHANNELS: Final = {"VOICE": "phone", "CHAT": "chat", "TASK": "task", "EMAIL": "email"}
PRESENCES: Final = {"Available": "available"}

# When each kind of contact event happened, where the record tells it.
_INSTANTS: Final = {
    "QUEUED": "queueInfo.enqueueTimestamp",
    "CONNECTED_TO_AGENT": "agentInfo.connectedToAgentTimestamp",
    "DISCONNECTED": "disconnectTimestamp",
}


def adapt(record: Record, names: Names) -> Heard:
    """Turn one record into events; raises `AdapterError` for one that lacks what it must have."""
    if field(record, "detail-type") == "Amazon Connect Contact Event":
        return _contact_event(record, names)
    if field(record, "AgentARN") is not None:
        return _agent_event(record, names)
    return Unheard(str(field(record, "detail-type") or field(record, "EventType") or "unknown"))


def _contact_event(record: Record, names: Names) -> Heard:
    detail = field(record, "detail")
    kind = text(detail, "eventType")
    contact_id = own_id(text(detail, "contactId"))
    agent = field(detail, "agentInfo.agentArn")
    offer_id = names.offer(detail)
    event: Event | None = None
    match kind:
        case "QUEUED":
            queue = field(detail, "queueInfo.queueArn") or ""
            event = ContactArrived(
                contact_id,
                names.channel(text(detail, "channel")),
                names.category(detail, queue.rsplit("/", 1)[-1]),
                **names.facts(detail),
            )
        case "CONNECTED_TO_AGENT" if agent is not None and offer_id is not None:
            event = OfferConnected(offer_id, contact_id, names.agent(agent))
        case "DISCONNECTED" if field(detail, "queueInfo") is not None:
            # Connected to nobody: he left the line. Without a queue he never was in one.
            event = ContactAbandoned(contact_id) if agent is None else ContactEnded(contact_id)
        case "COMPLETED" if agent is not None:
            event = WrapUpEnded(contact_id, names.agent(agent))
        case "PAUSED":
            event = ContactHeld(contact_id)
        case "RESUMED":
            event = ContactResumed(contact_id)
        case _:
            pass
    if event is None:
        return Unheard(f"contact event {kind}")
    own = f"detail.{_INSTANTS[kind]}" if kind in _INSTANTS else "time"
    return [Said(event, "/amazon-connect", text(record, "id"), instant_ms(record, own, "time"))]


def _agent_event(record: Record, names: Names) -> Heard:
    kind = text(record, "EventType")
    agent_id = names.agent(text(record, "AgentARN"))
    at_ms = instant_ms(record, "EventTimestamp")
    now, before = (
        field(record, f"{which}AgentSnapshot.AgentStatus.Name") for which in ("Current", "Previous")
    )
    events: list[Event] = []
    match kind:
        case "LOGIN":
            events = [AgentSignedIn(agent_id, presence=names.presence(str(now)))]
        case "LOGOUT":
            events = [AgentSignedOut(agent_id)]
        case "STATE_CHANGE":
            if now != before and now is not None:
                events = [AgentPresenceChanged(agent_id, names.presence(str(now)))]
            events += _missed(record, names, agent_id)
        case "HEART_BEAT":
            # It goes on for up to an hour after the log-off: never a sign-in.
            events = [AgentHeartbeat(agent_id)]
        case _:
            pass
    if not events:
        return Unheard(f"agent event {kind}")
    record_id = text(record, "EventId")
    return [
        Said(event, "/amazon-connect/agents", f"{record_id}.{index}" if index else record_id, at_ms)
        for index, event in enumerate(events)
    ]


def _missed(record: Record, names: Names, agent_id: str) -> list[Event]:
    """Return the offers of ours that the agent let go, for contacts that carry their number."""
    causes = {"MISSED": DeclineCause.UNREACHABLE, "REJECTED": DeclineCause.DECLINED}
    missed: list[Event] = []
    for contact in field(record, "CurrentAgentSnapshot.Contacts") or ():
        cause, offer_id = causes.get(str(field(contact, "State"))), names.offer(contact)
        if cause is not None and offer_id is not None:
            contact_id = own_id(text(contact, "ContactId"))
            missed.append(OfferDeclined(offer_id, contact_id, agent_id, cause))
    return missed
