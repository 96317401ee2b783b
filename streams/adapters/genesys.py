"""Genesys Cloud over EventBridge: detail events of conversations, presence of users.

Topics: `v2.detail.events.conversation.{id}.*` and `v2.users.{id}.presence`. A conversation has
several parties; the contact is the conversation from the start of its ACD part, since before that
nobody waits for an agent. A second ACD part (a transfer back to a queue) repeats the arrival and
is noted as a repeat.
"""

from __future__ import annotations

from typing import Final

from router.events import (
    AgentPresenceChanged,
    AgentSignedIn,
    AgentSignedOut,
    ContactArrived,
    ContactEnded,
    Event,
    OfferConnected,
    WrapUpEnded,
)
from streams.adapters.mapping import Names
from streams.adapters.said import Heard, Record, Said, Unheard, field, instant_ms, own_id, text

CHANNELS: Final = {
    "VOICE": "phone",
    "CHAT": "chat",
    "MESSAGE": "chat",
    "EMAIL": "email",
    "CALLBACK": "callback",
    "SOCIAL_EXPRESSION": "social",
}
# Who is merely available is not on a queue there: only ON_QUEUE takes work.
PRESENCES: Final = {
    "ON_QUEUE": "available",
    "AVAILABLE": "break",
    "BUSY": "break",
    "AWAY": "break",
    "IDLE": "break",
    "BREAK": "break",
    "MEAL": "break",
    "MEETING": "training",
    "TRAINING": "training",
}
OFFLINE: Final = "OFFLINE"
_CONVERSATION: Final = "v2.detail.events.conversation."
_USERS: Final = "v2.users."


def adapt(record: Record, names: Names) -> Heard:
    """Turn one record into events; raises `AdapterError` for one that lacks what it must have."""
    topic = str(field(record, "detail.topicName") or field(record, "detail-type") or "unknown")
    body = field(record, "detail.eventBody")
    if topic.startswith(_CONVERSATION):
        kind = topic.removeprefix(_CONVERSATION).partition(".")[2]
        events = _conversation(kind, body, names)
        at_ms = instant_ms(body, "eventTime")
    elif topic.startswith(_USERS) and topic.endswith(".presence"):
        kind = "presence"
        user_id = topic.removeprefix(_USERS).removesuffix(".presence")
        events = _presence(user_id, body, names)
        at_ms = instant_ms(body, "modifiedDate")
    else:
        return Unheard(topic.rpartition(".")[2])
    if not events:
        return Unheard(kind)
    record_id = text(record, "id")
    return [
        Said(event, "/genesys-cloud", f"{record_id}.{index}" if index else record_id, at_ms)
        for index, event in enumerate(events)
    ]


def _conversation(kind: str, body: Record, names: Names) -> list[Event]:
    contact_id = own_id(text(body, "conversationId"))
    match kind:
        case "acd.start" if field(body, "direction") in {None, "INBOUND"}:
            queue = field(body, "queueId")
            channel = names.channel(text(body, "mediaType"))
            category = names.category(body, queue)
            return [ContactArrived(contact_id, channel, category, **names.facts(body))]
        case "user.start":
            offer_id = names.offer(body)
            user = field(body, "userId")
            if offer_id is None or not user:
                return []
            return [OfferConnected(offer_id, contact_id, names.agent(user))]
        case "customer.end":
            return [ContactEnded(contact_id)]
        case "wrapup":
            return [WrapUpEnded(contact_id, names.agent(text(body, "userId")))]
        case _:
            return []


def _presence(user_id: str, body: Record, names: Names) -> list[Event]:
    """Follow the presence: it is told alone, so the sign-in goes with it, once as a repeat."""
    agent_id = names.agent(user_id)
    word = text(body, "presenceDefinition.systemPresence").upper()
    if word == OFFLINE:
        return [AgentSignedOut(agent_id)]
    presence = names.presence(word)
    return [AgentSignedIn(agent_id, presence=presence), AgentPresenceChanged(agent_id, presence)]
