"""Name every event and every decision on the wire: one table, both ways.

The rule: event `ObjectParticiple` is `switchroom.object.participle`, decision `VerbObject` is
the same with the verb's participle. The object is the name's first word, but for `wrap_up` and
`follow_up`; the rest is snake_case. A test holds the table against the rule.
"""

from __future__ import annotations

from typing import Final

from router import decisions as d
from router import events as e

PREFIX: Final = "switchroom."

CLOCK_REACHED: Final = "switchroom.clock.reached"
"""The watermark: nothing before its `time` will come. It lets time pass; it is no event."""

EVENT_NAMES: Final[dict[type[e.Event], str]] = {
    e.ContactArrived: "switchroom.contact.arrived",
    e.ContactHandedOver: "switchroom.contact.handed_over",
    e.ContactUpdated: "switchroom.contact.updated",
    e.ContactTransferred: "switchroom.contact.transferred",
    e.ContactHeld: "switchroom.contact.held",
    e.ContactResumed: "switchroom.contact.resumed",
    e.ContactEnded: "switchroom.contact.ended",
    e.ContactAbandoned: "switchroom.contact.abandoned",
    e.ContactResolved: "switchroom.contact.resolved",
    e.ContactReopened: "switchroom.contact.reopened",
    e.CustomerReplied: "switchroom.customer.replied",
    e.AgentReplied: "switchroom.agent.replied",
    e.CustomerAwaited: "switchroom.customer.awaited",
    e.CustomerWaitEnded: "switchroom.customer.wait_ended",
    e.CallbackRequested: "switchroom.callback.requested",
    e.CallbackFailed: "switchroom.callback.failed",
    e.ContactRedialled: "switchroom.contact.redialled",
    e.ContactMerged: "switchroom.contact.merged",
    e.ComplaintRaised: "switchroom.complaint.raised",
    e.NoteAdded: "switchroom.note.added",
    e.SurveyAnswered: "switchroom.survey.answered",
    e.OfferAccepted: "switchroom.offer.accepted",
    e.OfferDeclined: "switchroom.offer.declined",
    e.OfferConnected: "switchroom.offer.connected",
    e.OfferConnectFailed: "switchroom.offer.connect_failed",
    e.WrapUpEnded: "switchroom.wrap_up.ended",
    e.AgentSignedIn: "switchroom.agent.signed_in",
    e.AgentSignedOut: "switchroom.agent.signed_out",
    e.AgentPresenceChanged: "switchroom.agent.presence_changed",
    e.AgentSkillsChanged: "switchroom.agent.skills_changed",
    e.AgentCapacityChanged: "switchroom.agent.capacity_changed",
    e.AgentHeartbeat: "switchroom.agent.heartbeat",
    e.AgentLost: "switchroom.agent.lost",
    e.CenterChanged: "switchroom.center.changed",
    e.OverloadSwitched: "switchroom.overload.switched",
    e.RecordRefused: "switchroom.record.refused",
    e.EngineActivated: "switchroom.engine.activated",
    e.CustomerErased: "switchroom.customer.erased",
    e.TimeAdvanced: "switchroom.time.advanced",
}

DECISION_NAMES: Final[dict[type[d.Decision], str]] = {
    d.EnqueueContact: "switchroom.contact.enqueued",
    d.OfferContact: "switchroom.contact.offered",
    d.WithdrawOffer: "switchroom.offer.withdrawn",
    d.AssignContact: "switchroom.contact.assigned",
    d.StartWrapUp: "switchroom.wrap_up.started",
    d.EndAssignment: "switchroom.assignment.ended",
    d.HoldWork: "switchroom.work.held",
    d.ResumeWork: "switchroom.work.resumed",
    d.RequeueContact: "switchroom.contact.requeued",
    d.RelaxContact: "switchroom.contact.relaxed",
    d.OverflowContact: "switchroom.contact.overflowed",
    d.DeflectContact: "switchroom.contact.deflected",
    d.ScheduleCallback: "switchroom.callback.scheduled",
    d.OfferCallback: "switchroom.callback.offered",
    d.DialCallback: "switchroom.callback.dialled",
    d.ChangeAgentState: "switchroom.agent.state_changed",
    d.EscalateContact: "switchroom.contact.escalated",
    d.StartSla: "switchroom.sla.started",
    d.PauseSla: "switchroom.sla.paused",
    d.ResumeSla: "switchroom.sla.resumed",
    d.WarnSla: "switchroom.sla.warned",
    d.BreachSla: "switchroom.sla.breached",
    d.MeetSla: "switchroom.sla.met",
    d.StopSla: "switchroom.sla.stopped",
    d.RebaseSla: "switchroom.sla.rebased",
    d.RequestSurvey: "switchroom.survey.requested",
    d.RequestFollowUp: "switchroom.follow_up.requested",
    d.OpenContact: "switchroom.contact.opened",
    d.LinkContact: "switchroom.contact.linked",
    d.CloseContact: "switchroom.contact.closed",
    d.ActivateCenter: "switchroom.center.activated",
    d.RefuseEvent: "switchroom.event.refused",
    d.NoteDuplicate: "switchroom.duplicate.noted",
}

JOURNAL_ONLY: Final[frozenset[type[e.Event]]] = frozenset(
    {e.RecordRefused, e.EngineActivated, e.TimeAdvanced}
)
"""Events the worker makes itself; nobody may send them."""

OPERATOR_ONLY: Final[frozenset[type[e.Event]]] = frozenset(
    {e.CenterChanged, e.OverloadSwitched, e.CustomerErased}
)
"""Events that change how a whole centre works: taken from the operator's own inputs only."""

RECEIVED_TYPES: Final[dict[str, type[e.Event]]] = {
    name: event_type for event_type, name in EVENT_NAMES.items() if event_type not in JOURNAL_ONLY
}

INSTANT_FIELDS: Final[dict[str, str]] = {
    "due_at_ms": "due_at",
    "expires_at_ms": "expires_at",
    "until_ms": "until_at",
    "deadline_ms": "deadline_at",
    "old_deadline_ms": "old_deadline_at",
    "since_ms": "since_at",
}
"""Our integer instants and what the wire calls them there, written in RFC 3339."""

SCHEMA_MAJOR: Final = 1


def dataschema_of(name: str) -> str:
    """Return the reference of the JSON Schema that the data of type `name` follows."""
    return f"/schemas/events/{name.removeprefix(PREFIX)}/{SCHEMA_MAJOR}"
