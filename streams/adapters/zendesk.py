"""Zendesk tickets: webhooks (`zen:event-type:ticket.*`) and the events connector to EventBridge.

Formats: the developer pages "Ticket events" (webhooks) and "Ticket events schema" (connector).
Order is not guaranteed: a connector's event says its place in `meta.sequence`, and both kinds
carry a time. Tickets come without personal data where the mapping takes none.
"""

from __future__ import annotations

from typing import Final

from router.events import (
    AgentReplied,
    ContactArrived,
    ContactEnded,
    ContactMerged,
    ContactReopened,
    ContactResolved,
    ContactUpdated,
    CustomerAwaited,
    CustomerReplied,
    CustomerWaitEnded,
    Event,
)
from streams.adapters.mapping import Names
from streams.adapters.said import Heard, Record, Said, Unheard, field, instant_ms, own_id, text

CHANNELS: Final = {
    "email": "email",
    "web": "email",
    "api": "task",
    "chat": "chat",
    "messaging": "chat",
    "native_messaging": "chat",
    "voice": "phone",
    "phone": "phone",
    "sms": "sms",
    "twitter": "social",
    "facebook": "social",
    "instagram_dm": "social",
    "whatsapp": "social",
}
PRESENCES: Final[dict[str, str]] = {}  # tickets tell nothing of agents
PRIORITIES: Final = {"low": 2, "normal": 4, "high": 6, "urgent": 8}
_WEBHOOK: Final = "zen:event-type:ticket."

# The connector's names for what a webhook says.
_CONNECTOR_KINDS: Final = {
    "Ticket Created": "created",
    "Comment Created": "comment_added",
    "Status Changed": "status_changed",
    "Priority Changed": "priority_changed",
    "Ticket Merged": "merged",
    "Ticket Marked as Spam": "marked_as_spam",
    "Ticket Soft Deleted": "soft_deleted",
}


def adapt(record: Record, names: Names) -> Heard:
    """Turn one record into events; raises `AdapterError` for one that lacks what it must have."""
    told = field(record, "detail.ticket_event")
    if told is not None:
        kind = _CONNECTOR_KINDS.get(str(field(told, "type")), str(field(told, "type")))
        ticket, change = field(told, "ticket"), told
        at_ms = instant_ms(told, "meta.occurred_at")
        record_id = text(record, "id")
    else:
        kind = str(field(record, "type") or "unknown")
        if not kind.startswith(_WEBHOOK):
            return Unheard(kind.removeprefix("zen:event-type:"))
        kind = kind.removeprefix(_WEBHOOK)
        ticket, change = field(record, "detail"), field(record, "event")
        at_ms = instant_ms(record, "time")
        record_id = text(record, "id")
    event = _event(kind, ticket, change, names)
    if event is None:
        return Unheard(kind)
    return [Said(event, "/zendesk", record_id, at_ms)]


def _event(kind: str, ticket: Record, change: Record, names: Names) -> Event | None:
    ticket_id = own_id(text(ticket, "id"))
    match kind:
        case "created":
            return ContactArrived(
                ticket_id,
                names.channel(text(ticket, "via.channel")),
                names.category(ticket, field(ticket, "group_id")),
                priority=_priority(field(ticket, "priority"), names),
                **names.facts(ticket, field(ticket, "requester_id")),
            )
        case "comment_added":
            return _comment(ticket_id, ticket, change)
        case "status_changed":
            return _status(ticket_id, change)
        case "priority_changed":
            priority = _priority(field(change, "current"), names)
            return ContactUpdated(ticket_id, priority=priority) if priority >= 0 else None
        case "merged":
            into = field(change, "target_ticket_id") or field(change, "current")
            return ContactMerged(ticket_id, own_id(str(into))) if into else None
        case "marked_as_spam" | "soft_deleted":
            return ContactEnded(ticket_id)
        case _:
            return None


def _comment(ticket_id: str, ticket: Record, change: Record) -> Event | None:
    """Tell whose word a public comment is; a private one is a note and says nothing."""
    if field(change, "comment.is_public") is not True:
        return None
    staff = field(change, "comment.author.is_staff")
    if staff is None:
        staff = field(change, "comment.author.id") != field(ticket, "requester_id")
    return AgentReplied(ticket_id) if staff else CustomerReplied(ticket_id)


def _status(ticket_id: str, change: Record) -> Event | None:
    before, now = (str(field(change, which)).lower() for which in ("previous", "current"))
    match now:
        case "pending":
            return CustomerAwaited(ticket_id)
        case "solved":
            return ContactResolved(ticket_id)
        case "closed":
            return ContactEnded(ticket_id)
        case "open" if before == "pending":
            return CustomerWaitEnded(ticket_id)
        case "open" if before == "solved":
            return ContactReopened(ticket_id)
        case _:
            return None


def _priority(word: object, names: Names) -> int:
    return (names.priorities or PRIORITIES).get(str(word).lower(), -1)
