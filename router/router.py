"""Decide: one verb in, one answer out, and one question.

`Router.handle(stamped)` folds one stamped event and returns the decisions it leads to.
`Router.next_deadline()` says when the router wants to hear that time has passed. The router does no
I/O, reads no clock and draws no lot: its state is a fold of the events, its decisions a function of
them. Here is control flow only; what happens is in the handlers (`on_*`), who is chosen in
`matching`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router import states, whys
from router.agents import AGENT_TABLE
from router.clocks import escalate, fire_clock
from router.contacts import CONTACT_TABLE, Verdict
from router.deadlines import NEVER, Timer
from router.decisions import Decision, Reason
from router.events import (
    AgentCapacityChanged,
    AgentHeartbeat,
    AgentLost,
    AgentPresenceChanged,
    AgentReplied,
    AgentSignedIn,
    AgentSignedOut,
    AgentSkillsChanged,
    CallbackFailed,
    CallbackRequested,
    CenterChanged,
    ComplaintRaised,
    ContactAbandoned,
    ContactArrived,
    ContactEnded,
    ContactHandedOver,
    ContactHeld,
    ContactMerged,
    ContactRedialled,
    ContactReopened,
    ContactResolved,
    ContactResumed,
    ContactTransferred,
    ContactUpdated,
    CustomerAwaited,
    CustomerErased,
    CustomerReplied,
    CustomerWaitEnded,
    EngineActivated,
    Event,
    NoteAdded,
    OfferAccepted,
    OfferConnected,
    OfferConnectFailed,
    OfferDeclined,
    OverloadSwitched,
    RecordRefused,
    Stamped,
    SurveyAnswered,
    TimeAdvanced,
    WrapUpEnded,
)
from router.floor import Floor
from router.keeping import Guards
from router.matching import ring_one_more, serve_freed, settle_guards
from router.memory import purge
from router.on_agent import (
    fire_agent,
    fire_heartbeat,
    is_stale,
    on_capacity_changed,
    on_heartbeat,
    on_lost,
    on_presence_changed,
    on_signed_in,
    on_signed_out,
    on_skills_changed,
)
from router.on_arrival import on_arrived, on_handed_over, on_known_arrival, on_unknown_end
from router.on_center import (
    on_center_changed,
    on_customer_erased,
    on_engine_activated,
    on_overload_switched,
    on_record_refused,
)
from router.on_contact import (
    on_agent_replied,
    on_callback_failed,
    on_callback_requested,
    on_customer_awaited,
    on_customer_replied,
    on_customer_wait_ended,
    on_held,
    on_merged,
    on_redialled,
    on_reopened,
    on_resumed,
    on_transferred,
    on_updated,
)
from router.on_offer import (
    abandon,
    expire_offer,
    fire_assignment,
    on_ended,
    on_offer_event,
    on_resolved,
    on_wrap_up_ended,
)
from router.on_service import on_complaint_raised, on_note_added, on_survey_answered
from router.opening import turn_doors
from router.records import (
    BREACHED,
    Agent,
    Assignment,
    Clock,
    Contact,
    Heartbeat,
    Offer,
    RingTimer,
)
from router.refusals import note_duplicate, refuse
from router.snapshot import thaw
from router.snapshot_writing import freeze
from router.waiting import fire_contact, raise_priority, take_next_step

if TYPE_CHECKING:
    from collections.abc import Callable


class Router:
    """Route the contacts of one centre; a new one waits for its first `CenterChanged`."""

    __slots__ = ("floor", "now_ms", "seq")

    def __init__(self) -> None:
        self.floor = Floor()
        self.seq = 0
        self.now_ms = 0

    def handle(self, stamped: Stamped) -> tuple[Decision, ...]:
        """Fold one stamped event; return what is ordered because of it.

        Total: whatever the event says, it is followed, noted as a duplicate, or refused with a
        reason, in which cases nothing changes. A stamp that is out of order is the driver's
        mistake and fails an assertion.
        """
        floor = self.floor
        at_ms = stamped.at_ms
        assert stamped.seq == self.seq + 1, "the sequence is dense"
        assert at_ms >= self.now_ms, "time never goes back"
        self.seq = stamped.seq
        self.now_ms = at_ms
        floor.now_ms = at_ms
        out: list[Decision] = []
        floor.out = out
        if at_ms - floor.window_ms > floor.oldest_ms:
            purge(floor)
        event = stamped.event
        if stamped.event_id and self._is_repeat(stamped.event_id):
            note_duplicate(floor, "")
            return tuple(out)
        self._follow(event, stamped.occurred_ms)
        if floor.due_actions:
            self._act_on_promises()
        if floor.freed:
            serve_freed(floor)
        if floor.guards is not None:
            settle_guards(floor)
        return tuple(out)

    def next_deadline(self) -> int | None:
        """Return the earliest instant (ms) at which time alone changes something, or None."""
        due_ms = self.floor.timers.next_due_ms()
        return None if due_ms == NEVER else due_ms

    def is_due_before(self, at_ms: int) -> bool:
        """Say whether a deadline lies before an instant: what a driver asks most often."""
        timers = self.floor.timers
        return timers.soonest_ms < at_ms and timers.next_due_ms() < at_ms

    def snapshot(self) -> bytes:
        """Return the whole state as checked bytes (see `router.snapshot`)."""
        return freeze(self.floor, self.seq)

    @classmethod
    def restore(cls, body: bytes) -> Router:
        """Return the router that `snapshot` described; raises `SnapshotError` if it is damaged."""
        router = cls()
        router.seq = thaw(router.floor, body)
        router.now_ms = router.floor.now_ms
        return router

    def _is_repeat(self, event_id: str) -> bool:
        """Say whether a producer's event id was seen lately, and remember it."""
        floor = self.floor
        if event_id in floor.event_ids:
            return True
        floor.event_ids[event_id] = floor.now_ms
        floor.event_order.append((floor.now_ms, event_id))
        if floor.center is not None and len(floor.event_ids) > floor.center.limits.event_ids:
            floor.event_ids.pop(floor.event_order.popleft()[1], None)
        return False

    def _follow(self, event: Event, occurred_ms: int) -> None:
        """Lead an event to its handler, if the table of its subject admits it."""
        floor = self.floor
        kind = type(event)
        if kind in CONTACT_TABLE and floor.center is not None:
            self._follow_contact(kind, event, occurred_ms)
        elif isinstance(event, TimeAdvanced):
            self._fire_due()
        elif kind in CENTER_HANDLERS:
            CENTER_HANDLERS[kind](floor, event)
        elif floor.center is None:
            refuse(floor, whys.NO_CENTER, "")
        elif kind in AGENT_TABLE:
            self._follow_agent(event)
        else:
            assert isinstance(
                event, (OfferAccepted, OfferDeclined, OfferConnected, OfferConnectFailed)
            ), "every event has a table"
            on_offer_event(floor, event)

    def _follow_contact(self, kind: type[Event], event: Event, occurred_ms: int) -> None:
        floor = self.floor
        contact_id: str = event.contact_id  # type: ignore[union-attr]
        contact = floor.contacts.get(contact_id)
        if contact is None:
            outcome = CONTACT_TABLE[kind][states.ABSENT]
            if isinstance(event, ContactArrived):
                on_arrived(floor, event, occurred_ms)
            elif outcome is Verdict.MOVE:
                on_unknown_end(floor, contact_id)
            else:
                assert isinstance(outcome, Reason), "an unknown contact is refused"
                refuse(floor, outcome, contact_id)
            return
        outcome = CONTACT_TABLE[kind][contact.state]
        if isinstance(event, ContactArrived):
            on_known_arrival(floor, contact, event)
        elif outcome is Verdict.MOVE:
            CONTACT_HANDLERS[kind](floor, contact, event)
        elif outcome is Verdict.REPEAT:
            note_duplicate(floor, contact_id)
        else:
            assert isinstance(outcome, Reason), "neither moved nor repeated is refused"
            refuse(floor, outcome, contact_id)

    def _follow_agent(self, event: Event) -> None:
        floor = self.floor
        agent_id: str = event.agent_id  # type: ignore[union-attr]
        agent = floor.agents.get(agent_id)
        if agent is None or agent.removed:
            refuse(floor, whys.UNKNOWN_AGENT, agent_id)
            return
        kind = type(event)
        session = 0
        if isinstance(
            event,
            (AgentSignedIn, AgentSignedOut, AgentPresenceChanged, AgentHeartbeat, AgentLost),
        ):
            session = event.session
        if is_stale(agent, session):
            refuse(floor, whys.STALE, agent_id)
            return
        outcome = AGENT_TABLE[kind][agent.state]
        if isinstance(outcome, Reason):
            refuse(floor, outcome, agent_id)
        elif outcome is Verdict.REPEAT:
            note_duplicate(floor, agent_id)
        else:
            AGENT_HANDLERS[kind](floor, agent, event)

    def _fire_due(self) -> None:
        """Fire every timer due by now, in (instant, list, order of arming)."""
        floor = self.floor
        timers = floor.timers
        if floor.doors:
            turn_doors(floor)
            if floor.freed:
                serve_freed(floor)
        while True:
            timer = timers.pop_due(floor.now_ms)
            if timer is None:
                break
            self._fire(timer)
            if floor.due_actions:
                self._act_on_promises()
            if floor.freed:
                serve_freed(floor)
        if floor.keeps_scores:
            self._rebase_scores()

    def _fire(self, timer: Timer) -> None:
        floor = self.floor
        if isinstance(timer, Contact):
            fire_contact(floor, timer)
        elif isinstance(timer, Offer):
            expire_offer(floor, timer)
        elif isinstance(timer, Clock):
            fire_clock(floor, timer)
        elif isinstance(timer, Assignment):
            fire_assignment(floor, timer)
        elif isinstance(timer, Agent):
            fire_agent(floor, timer)
        elif isinstance(timer, Heartbeat):
            fire_heartbeat(floor, timer.agent)
        elif isinstance(timer, Guards):
            timer.due = True
        else:
            assert isinstance(timer, RingTimer), "every timer has its act"
            ring_one_more(floor, timer.contact)

    def _act_on_promises(self) -> None:
        """Do what promises want done at their warnings and breaches."""
        floor = self.floor
        while floor.due_actions:
            clock, action = floor.due_actions.pop(0)
            contact = clock.contact
            reason = whys.SLA_BREACHED if clock.phase == BREACHED else whys.SLA_WARNED
            if action.escalate:
                escalate(floor, clock, reason)
            if action.raise_priority:
                raise_priority(floor, contact, action.raise_priority, reason)
            if action.next_step:
                take_next_step(floor, contact, reason)

    def _rebase_scores(self) -> None:
        floor = self.floor
        shift = floor.decay.rebase_shift(floor.now_ms)
        if shift:
            for agent in floor.agents.values():
                floor.stand_up(agent)
                if agent.scores is not None:
                    agent.scores.busy >>= shift
                    agent.scores.talk >>= shift
                    agent.scores.contacts >>= shift
                floor.freed.append(agent)


def _on_abandoned(floor: Floor, contact: Contact, _event: ContactAbandoned) -> None:
    abandon(floor, contact, whys.ABANDONED)


CENTER_HANDLERS: dict[type[Event], Callable[[Floor, Any], None]] = {
    CenterChanged: on_center_changed,
    OverloadSwitched: on_overload_switched,
    RecordRefused: on_record_refused,
    EngineActivated: on_engine_activated,
    CustomerErased: on_customer_erased,
}

CONTACT_HANDLERS: dict[type[Event], Callable[[Floor, Contact, Any], None]] = {
    ContactHandedOver: on_handed_over,
    ContactUpdated: on_updated,
    ContactTransferred: on_transferred,
    ContactHeld: on_held,
    ContactResumed: on_resumed,
    ContactEnded: on_ended,
    ContactAbandoned: _on_abandoned,
    ContactResolved: on_resolved,
    ContactReopened: on_reopened,
    CustomerReplied: on_customer_replied,
    AgentReplied: on_agent_replied,
    CustomerAwaited: on_customer_awaited,
    CustomerWaitEnded: on_customer_wait_ended,
    CallbackRequested: on_callback_requested,
    CallbackFailed: on_callback_failed,
    ContactRedialled: on_redialled,
    ContactMerged: on_merged,
    ComplaintRaised: on_complaint_raised,
    NoteAdded: on_note_added,
    SurveyAnswered: on_survey_answered,
    WrapUpEnded: on_wrap_up_ended,
}

AGENT_HANDLERS: dict[type[Event], Callable[[Floor, Agent, Any], None]] = {
    AgentSignedIn: on_signed_in,
    AgentSignedOut: on_signed_out,
    AgentPresenceChanged: on_presence_changed,
    AgentSkillsChanged: on_skills_changed,
    AgentCapacityChanged: on_capacity_changed,
    AgentHeartbeat: on_heartbeat,
    AgentLost: on_lost,
}
