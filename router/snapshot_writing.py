"""Write the facts of a floor down: the first half of `router.snapshot`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

from router.canonical import form_of
from router.center import OpeningTable, Promise
from router.deadlines import Timer
from router.doors import Door
from router.keeping import Guards
from router.records import (
    Agent,
    Assignment,
    Clock,
    Contact,
    Ending,
    Heartbeat,
    Offer,
    RingTimer,
)
from router.sla import PromisePlan
from router.snapshot_facts import (
    AgentFacts,
    ClockState,
    ContactFacts,
    EndingFacts,
    FloorFacts,
    GuardFacts,
    MoreState,
    PlanFacts,
    TimerFacts,
    TraceFacts,
    WorkState,
)

if TYPE_CHECKING:
    from router.floor import Floor

SNAPSHOT_VERSION: Final = 1

CONTACT_TIMER: Final = 0
OFFER_TIMER: Final = 1
CLOCK_TIMER: Final = 2
WORK_TIMER: Final = 3
AGENT_TIMER: Final = 4
HEARTBEAT_TIMER: Final = 5
RING_TIMER: Final = 6
DOOR_TIMER: Final = 7
GUARD_TIMER: Final = 8


class PlanBook:
    """Number the promises under which clocks run, each written once, with their opening hours."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, str, Promise, str, int], int] = {}
        self.plans: list[PlanFacts] = []
        self.calendars: dict[str, OpeningTable] = {}

    def note(self, plan: PromisePlan) -> int:
        """Return the number of a plan."""
        version = "" if plan.hours is None else plan.hours.version
        mark = (plan.name, plan.channel, plan.promise, version, plan.target_ms)
        number = self.numbers.get(mark)
        if number is None:
            number = len(self.plans)
            self.numbers[mark] = number
            self.plans.append(
                PlanFacts(plan.name, form_of(plan.promise), plan.channel, version, plan.target_ms)
            )
            # Years of opening hours: written once, not for each promise that keeps them.
            if plan.hours is not None and version not in self.calendars:
                self.calendars[version] = form_of(plan.hours.table)
        return number


def freeze(floor: Floor, seq: int) -> bytes:
    """Return the state as bytes: a header line, then JSON."""
    book = PlanBook()
    contacts = tuple(_freeze_contact(c, book) for c in floor.contacts.values())
    center = floor.center
    facts = FloorFacts(
        seq=seq,
        now_ms=floor.now_ms,
        center=form_of(center),
        config_hash=floor.config_hash,
        next_offer=floor.next_offer,
        next_place=floor.next_place,
        turn=floor.turn,
        overload=floor.overload,
        decay_landmark_ms=floor.decay.landmark_ms,
        surveyed=floor.surveyed,
        last_agents=tuple(floor.last_agents.items()),
        event_order=tuple(floor.event_order),
        tombstone_order=tuple(
            item for item in floor.tombstone_order if item[1] in floor.tombstones
        ),
        queues=tuple((q.name, q.last_rank, q.drawn, q.passed) for q in floor.queues.values()),
        drained={
            name: form_of(queue.spec)
            for name, queue in floor.queues.items()
            if center is not None and name not in center.queues
        },
        durations=tuple(fifo.duration_ms for fifo in floor.timers.fifos[1:]),
        profiles=tuple(floor.profiles),
        promises=tuple(book.plans),
        calendars=book.calendars,
        contacts=contacts,
        agents=tuple(_freeze_agent(agent) for agent in floor.agents.values()),
        endings=tuple(
            _freeze_ending(ending, kept=kept)
            for kept, endings in ((False, floor.closed), (True, floor.asked))
            for ending in endings
        ),
        timers=tuple(_freeze_timer(timer) for timer in floor.timers.in_order()),
        asked_customers=tuple(floor.asked_customers.items()),
        traces=tuple(
            TraceFacts(*key, trace.contact_id, trace.reason, trace.at_ms, trace.attempts)
            for key, trace in floor.traces.items()
        ),
        guards=_freeze_guards(floor.guards),
    )
    body = msgspec.json.encode(facts)
    checksum = hashlib.blake2b(body, digest_size=32).hexdigest()
    return f"switchroom-snapshot {SNAPSHOT_VERSION} {checksum}\n".encode() + body


def _freeze_ending(ending: Ending, *, kept: bool) -> EndingFacts:
    return EndingFacts(
        ending.contact.contact_id,
        ending.exit,
        ending.closed_ms,
        ending.absent_from_ms,
        ending.surveyed,
        ending.contact.ending is ending,
        ending.asked,
        kept,
    )


def _freeze_contact(
    contact: Contact,
    book: PlanBook,
) -> ContactFacts:
    clocks: list[ClockState] = []
    clock = contact.clocks
    while clock is not None:
        clocks.append(
            ClockState(
                book.note(clock.plan),
                clock.cycle,
                clock.phase,
                clock.since_ms,
                clock.consumed_ms,
                clock.noticed,
                clock.started_ms,
                clock.escalate_ms,
            )
        )
        clock = clock.next
    offers: list[tuple[int, str]] = []
    work = contact.work
    held: WorkState | None = None
    if isinstance(work, Assignment):
        held = WorkState(
            work.offer_id,
            work.agent.agent_id,
            work.assigned_ms,
            work.talk_ended_ms,
            work.phase,
            work.held,
        )
    elif isinstance(work, Offer):
        offer: Offer | None = work
        while offer is not None:
            offers.append((offer.offer_id, offer.agent.agent_id))
            offer = offer.sibling
    return ContactFacts(
        contact.contact_id,
        contact.customer,
        contact.profile.key,
        contact.place,
        int(contact.state),
        contact.step,
        _freeze_more(contact),
        tuple(clocks),
        tuple(offers),
        held,
    )


def _freeze_more(contact: Contact) -> MoreState | None:
    more = contact.more
    if more is None:
        return None
    return MoreState(
        more.first_key,
        more.preferred_agent,
        "" if more.queue is None else more.queue.name,
        more.raised,
        more.tried,
        "" if more.affinity is None else more.affinity.agent_id,
        more.affinity_until_ms,
        more.affinity_reason,
        more.callback_due_ms,
        more.absent_ms,
        more.absent_since_ms,
        more.entered_ms,
        more.steps_from_ms,
        more.escalated,
        more.held,
        more.last_agent,
        more.reopened_ms,
        more.dials,
        more.dialling,
        more.attempt,
        more.succeeded,
        more.origin_id,
        more.opened,
        more.complaint_id,
    )


def _freeze_agent(agent: Agent) -> AgentFacts:
    scores = agent.scores
    return AgentFacts(
        agent.agent_id,
        agent.team,
        agent.skills,
        agent.capacity,
        int(agent.state),
        agent.session,
        agent.presence,
        agent.removed,
        agent.turn,
        agent.idle_since_ms,
        agent.backing_off,
        agent.unanswered,
        tuple(work.contact.contact_id for work in agent.works),
        tuple(offer.offer_id for offer in agent.offers),
        None
        if scores is None
        else (scores.contacts, scores.talk, scores.busy, scores.idle_ms, scores.shares),
    )


def _freeze_guards(guards: Guards | None) -> GuardFacts | None:
    if guards is None:
        return None
    return GuardFacts(
        tuple(reserve.queue for reserve in guards.reserves if reserve.shut),
        tuple((name, one.shut, tuple(one.answers)) for name, one in guards.lendings.items()),
    )


def _freeze_timer(timer: Timer) -> TimerFacts:
    fifo = timer.fifo
    assert fifo is not None, "an armed timer stands in a list"
    kind, subject, number = CONTACT_TIMER, "", 0
    if isinstance(timer, Contact):
        subject = timer.contact_id
    elif isinstance(timer, Offer):
        kind, number = OFFER_TIMER, timer.offer_id
    elif isinstance(timer, Clock):
        kind, subject = CLOCK_TIMER, timer.contact.contact_id
        clock = timer.contact.clocks
        while clock is not timer:
            assert clock is not None, "a contact knows its clocks"
            number += 1
            clock = clock.next
    elif isinstance(timer, Assignment):
        kind, subject = WORK_TIMER, timer.contact.contact_id
    elif isinstance(timer, Agent):
        kind, subject = AGENT_TIMER, timer.agent_id
    elif isinstance(timer, Guards):
        kind = GUARD_TIMER
    elif isinstance(timer, Heartbeat):
        kind, subject = HEARTBEAT_TIMER, timer.agent.agent_id
    elif isinstance(timer, Door):
        kind, subject = DOOR_TIMER, timer.hours.name
    else:
        assert isinstance(timer, RingTimer), "every timer has its kind"
        kind, subject = RING_TIMER, timer.contact.contact_id
    return TimerFacts(kind, subject, number, fifo.index, timer.armed_ms)
