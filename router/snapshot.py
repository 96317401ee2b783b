"""Write the whole state of a router down, and bring it back exactly.

A snapshot is JSON with a header line: format version and BLAKE2b-256 of the body. It holds facts
only; lines, benches and indexes are built anew from them. A router restored from a snapshot at seq
N decides everything after N as the one that wrote it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from router.agents import AgentState
from router.center import Center, Promise, Queue
from router.contacts import ContactState
from router.deadlines import Timer
from router.decisions import Exit, Reason
from router.on_center import change_agents, count_work, put_in_force
from router.ordered import Ordered
from router.plan import ProfileKey, QueuePlan, remnant
from router.policies.agent_selection import Decay
from router.records import (
    Agent,
    Assignment,
    Clock,
    Contact,
    Ending,
    Heartbeat,
    Offer,
    RingTimer,
    Scores,
)
from router.sla import PromisePlan

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


class SnapshotError(Exception):
    """A snapshot that cannot be used: says why and what to do."""


class MoreState(Struct, array_like=True):
    """The rarer facts of a contact, as written."""

    first_key: ProfileKey | None
    preferred_agent: str
    queue: str
    raised: int
    tried: dict[str, int]
    affinity: str
    affinity_until_ms: int
    affinity_reason: int
    callback_due_ms: int
    absent_ms: int
    absent_since_ms: int
    entered_ms: int
    steps_from_ms: int
    escalated: dict[str, int]
    held: bool
    last_agent: str
    reopened_ms: int


class ClockState(Struct, array_like=True):
    """A clock, as written; `plan` is a position in the snapshot's list of promises."""

    plan: int
    cycle: int
    phase: int
    since_ms: int
    consumed_ms: int
    noticed: int


class WorkState(Struct, array_like=True):
    """An assignment, as written."""

    offer_id: int
    agent_id: str
    assigned_ms: int
    talk_ended_ms: int
    phase: int
    held: bool


class ContactFacts(Struct, array_like=True):
    """A contact, as written; `offers` are its open offers as (number, agent id), first first."""

    contact_id: str
    customer: str
    key: ProfileKey
    place: int
    state: int
    step: int
    more: MoreState | None
    clocks: tuple[ClockState, ...]
    offers: tuple[tuple[int, str], ...]
    work: WorkState | None


class AgentFacts(Struct, array_like=True):
    """An agent, as written; `works` and `offers` in his order."""

    agent_id: str
    team: str
    skills: dict[str, int]
    capacity: int
    state: int
    session: int
    presence: str
    removed: bool
    turn: int
    idle_since_ms: int
    backing_off: bool
    unanswered: int
    works: tuple[str, ...]
    offers: tuple[int, ...]
    scores: tuple[int, int, int, int, dict[str, int]] | None


class EndingFacts(Struct, array_like=True):
    """An ended contact in the list of those remembered; `current` if it has not reopened since."""

    contact_id: str
    exit: Exit
    closed_ms: int
    absent_from_ms: int
    surveyed: bool
    current: bool


class TimerFacts(Struct, array_like=True):
    """An armed timer: which, in which list, since when (list 0: until when)."""

    kind: int
    subject: str
    number: int
    list: int
    armed_ms: int


class FloorFacts(Struct):
    """Everything the fold knows."""

    seq: int
    now_ms: int
    center: Center | None
    config_hash: str
    next_offer: int
    next_place: int
    turn: int
    overload: bool
    decay_landmark_ms: int
    surveyed: dict[str, int]
    last_agents: tuple[tuple[str, str], ...]
    event_order: tuple[tuple[int, str], ...]
    tombstone_order: tuple[tuple[int, str], ...]
    queues: tuple[tuple[str, int, int, int], ...]
    drained: dict[str, Queue]
    durations: tuple[int, ...]
    profiles: tuple[ProfileKey, ...]
    promises: tuple[tuple[str, Promise, str], ...]
    contacts: tuple[ContactFacts, ...]
    agents: tuple[AgentFacts, ...]
    endings: tuple[EndingFacts, ...]
    timers: tuple[TimerFacts, ...]


_decoder = msgspec.json.Decoder(FloorFacts)


def freeze(floor: Floor, seq: int) -> bytes:
    """Return the state as bytes: a header line, then JSON."""
    plans: dict[tuple[str, str, Promise], int] = {}
    promises: list[tuple[str, Promise, str]] = []
    contacts = tuple(_freeze_contact(c, plans, promises) for c in floor.contacts.values())
    center = floor.center
    facts = FloorFacts(
        seq=seq,
        now_ms=floor.now_ms,
        center=center,
        config_hash=floor.config_hash,
        next_offer=floor.next_offer,
        next_place=floor.next_place,
        turn=floor.turn,
        overload=floor.overload,
        decay_landmark_ms=floor.decay.landmark_ms,
        surveyed=floor.surveyed,
        last_agents=tuple(floor.last_agents.items()),
        event_order=tuple(floor.event_order),
        tombstone_order=tuple(item for item in floor.tombstone_order if item[1] in floor.tombstones),
        queues=tuple((q.name, q.last_rank, q.drawn, q.passed) for q in floor.queues.values()),
        drained={
            name: queue.spec
            for name, queue in floor.queues.items()
            if center is not None and name not in center.queues
        },
        durations=tuple(fifo.duration_ms for fifo in floor.timers.fifos[1:]),
        profiles=tuple(floor.profiles),
        promises=tuple(promises),
        contacts=contacts,
        agents=tuple(_freeze_agent(agent) for agent in floor.agents.values()),
        endings=tuple(
            EndingFacts(
                e.contact.contact_id,
                e.exit,
                e.closed_ms,
                e.absent_from_ms,
                e.surveyed,
                e.contact.ending is e,
            )
            for e in floor.closed
        ),
        timers=tuple(_freeze_timer(timer) for timer in floor.timers.in_order()),
    )
    body = msgspec.json.encode(facts)
    checksum = hashlib.blake2b(body, digest_size=32).hexdigest()
    return f"switchroom-snapshot {SNAPSHOT_VERSION} {checksum}\n".encode() + body


def _freeze_contact(
    contact: Contact, plans: dict[tuple[str, str, Promise], int], promises: list[tuple[str, Promise, str]]
) -> ContactFacts:
    clocks: list[ClockState] = []
    clock = contact.clocks
    while clock is not None:
        channel = contact.profile.key[0]
        mark = (clock.plan.name, channel, clock.plan.promise)
        if mark not in plans:
            plans[mark] = len(promises)
            promises.append((clock.plan.name, clock.plan.promise, channel))
        clocks.append(
            ClockState(
                plans[mark],
                clock.cycle,
                clock.phase,
                clock.since_ms,
                clock.consumed_ms,
                clock.noticed,
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
    else:
        offer = work
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
    elif isinstance(timer, Heartbeat):
        kind, subject = HEARTBEAT_TIMER, timer.agent.agent_id
    else:
        assert isinstance(timer, RingTimer), "every timer has its kind"
        kind, subject = RING_TIMER, timer.contact.contact_id
    return TimerFacts(kind, subject, number, fifo.index, timer.armed_ms)


def open_snapshot(body: bytes) -> FloorFacts:
    """Check and read a snapshot; raises `SnapshotError`."""
    head, _, payload = body.partition(b"\n")
    words = head.split(b" ")
    if len(words) != 3 or words[0] != b"switchroom-snapshot":
        raise SnapshotError("not a snapshot of switchroom; use an older one or replay the journal")
    if words[1] != str(SNAPSHOT_VERSION).encode():
        raise SnapshotError(
            f"snapshot format {words[1].decode('ascii', 'replace')}, this version reads "
            f"{SNAPSHOT_VERSION}; replay the journal, or use the version that wrote it"
        )
    if hashlib.blake2b(payload, digest_size=32).hexdigest().encode() != words[2]:
        raise SnapshotError("snapshot damaged (checksum); use an older one or replay the journal")
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise SnapshotError(f"snapshot unreadable: {error}; replay the journal") from error


def thaw(floor: Floor, body: bytes) -> int:
    """Fill an empty floor from a snapshot; return its seq. Raises `SnapshotError`."""
    facts = open_snapshot(body)
    floor.now_ms = facts.now_ms
    for duration_ms in facts.durations:
        floor.timers.lane(duration_ms)
    floor.next_offer = facts.next_offer
    floor.next_place = facts.next_place
    floor.overload = facts.overload
    floor.decay = Decay(facts.decay_landmark_ms)
    floor.surveyed = dict(facts.surveyed)
    floor.last_agents = dict(facts.last_agents)
    for at_ms, event_id in facts.event_order:
        floor.event_ids[event_id] = at_ms
        floor.event_order.append((at_ms, event_id))
    for at_ms, contact_id in facts.tombstone_order:
        floor.tombstones[contact_id] = at_ms
        floor.tombstone_order.append((at_ms, contact_id))
    if facts.center is None:
        return facts.seq
    put_in_force(floor, facts.center, facts.config_hash)
    for name, queue in facts.drained.items():
        floor.queues[name] = QueuePlan(name, queue)
    for name, last_rank, drawn, passed in facts.queues:
        plan = floor.queues[name]
        plan.last_rank, plan.drawn, plan.passed = last_rank, drawn, passed
    for agent_facts in facts.agents:
        _thaw_agent(floor, agent_facts)
    change_agents(floor, facts.center)
    for agent_facts in facts.agents:
        agent = floor.agents[agent_facts.agent_id]
        agent.removed = agent_facts.removed
        agent.skills = dict(agent_facts.skills)
        agent.capacity = agent_facts.capacity
        floor.find_idle_mask(agent)
    floor.turn = facts.turn
    for key in facts.profiles:
        floor.profile(key)
    plans = [PromisePlan(name, promise, channel) for name, promise, channel in facts.promises]
    for contact_facts in facts.contacts:
        _thaw_contact(floor, contact_facts, plans)
    for ending_facts in facts.endings:
        _thaw_ending(floor, ending_facts)
    _thaw_work(floor, facts)
    for timer_facts in facts.timers:
        timer = _find_timer(floor, timer_facts)
        if timer_facts.list:
            duration_ms = floor.timers.fifos[timer_facts.list].duration_ms
            floor.timers.arm(timer, timer_facts.armed_ms, duration_ms)
        else:
            floor.timers.arm_odd(timer, timer_facts.armed_ms)
    for agent in sorted(floor.agents.values(), key=_turn_of):
        open_mask = floor.channels_open(agent)
        if open_mask:
            floor.sit_down(agent, open_mask)
    return facts.seq


def _turn_of(agent: Agent) -> int:
    return agent.turn


def _thaw_agent(floor: Floor, facts: AgentFacts) -> None:
    agent = Agent(facts.agent_id, len(floor.agents), facts.team)
    agent.state = AgentState(facts.state)
    agent.session = facts.session
    agent.presence = facts.presence
    agent.turn = facts.turn
    agent.idle_since_ms = facts.idle_since_ms
    agent.backing_off = facts.backing_off
    agent.unanswered = facts.unanswered
    if facts.scores is not None:
        scores = Scores()
        scores.contacts, scores.talk, scores.busy, scores.idle_ms = facts.scores[:4]
        scores.shares = dict(facts.scores[4])
        agent.scores = scores
    floor.agents[facts.agent_id] = agent


def _thaw_contact(floor: Floor, facts: ContactFacts, plans: list[PromisePlan]) -> None:
    profile = floor.profile(facts.key)
    if isinstance(profile, Reason):
        profile = remnant(facts.key)
    contact = Contact(facts.contact_id, facts.customer, profile, facts.place)
    floor.contacts[facts.contact_id] = contact
    contact.state = ContactState(facts.state)
    contact.step = facts.step
    if facts.more is not None:
        _thaw_more(floor, contact, facts.more)
    for written in reversed(facts.clocks):
        clock = Clock(contact, plans[written.plan], written.cycle, written.since_ms)
        clock.phase = written.phase
        clock.consumed_ms = written.consumed_ms
        clock.noticed = written.noticed
        clock.next = contact.clocks
        contact.clocks = clock
    if contact.state == ContactState.ENDED:
        return
    floor.open_contacts += 1
    lane = floor.home_lane(contact)
    contact.lane = lane
    if contact.state == ContactState.WAITING:
        more = contact.more
        if more is not None and more.affinity is not None:
            lane.demand.queue.waiting += 1
            own = more.affinity.own
            if own is None:
                own = Ordered()
                more.affinity.own = own
            own.add(contact.place, 0, contact)
        else:
            floor.wait_in(contact, lane)
    for number, agent_id in reversed(facts.offers):
        offer = Offer(number, contact, floor.agents[agent_id])
        offer.sibling = contact.work if isinstance(contact.work, Offer) else None
        contact.work = offer
        floor.offers[number] = offer
    held = facts.work
    if held is not None:
        work = Assignment(
            held.offer_id, contact, floor.agents[held.agent_id], held.assigned_ms
        )
        work.talk_ended_ms = held.talk_ended_ms
        work.phase = held.phase
        work.held = held.held
        contact.work = work


def _thaw_more(floor: Floor, contact: Contact, facts: MoreState) -> None:
    more = floor.more_of(contact)
    more.first_key = facts.first_key
    more.preferred_agent = facts.preferred_agent
    more.queue = floor.queues.get(facts.queue)
    more.raised = facts.raised
    more.tried = dict(facts.tried)
    more.affinity = floor.agents[facts.affinity] if facts.affinity else None
    more.affinity_until_ms = facts.affinity_until_ms
    more.affinity_reason = facts.affinity_reason
    more.callback_due_ms = facts.callback_due_ms
    more.absent_ms = facts.absent_ms
    more.absent_since_ms = facts.absent_since_ms
    more.entered_ms = facts.entered_ms
    more.steps_from_ms = facts.steps_from_ms
    more.escalated = dict(facts.escalated)
    more.held = facts.held
    more.last_agent = facts.last_agent
    more.reopened_ms = facts.reopened_ms


def _thaw_ending(floor: Floor, facts: EndingFacts) -> None:
    contact = floor.contacts.get(facts.contact_id)
    if contact is None:
        return
    ending = Ending(contact, facts.exit, facts.closed_ms, facts.absent_from_ms)
    ending.surveyed = facts.surveyed
    floor.closed.append(ending)
    if facts.current:
        contact.ending = ending


def _thaw_work(floor: Floor, facts: FloorFacts) -> None:
    """Give agents their work and offers back, in their order."""
    for written in facts.agents:
        agent = floor.agents[written.agent_id]
        for contact_id in written.works:
            work = floor.contacts[contact_id].work
            assert isinstance(work, Assignment), "a contact at work is assigned"
            agent.works.append(work)
        agent.offers = [floor.offers[number] for number in written.offers]
        count_work(floor, agent)


def _find_timer(floor: Floor, facts: TimerFacts) -> Timer:
    """Return the thing that a written timer is."""
    if facts.kind == OFFER_TIMER:
        return floor.offers[facts.number]
    if facts.kind == AGENT_TIMER:
        return floor.agents[facts.subject]
    if facts.kind == HEARTBEAT_TIMER:
        agent = floor.agents[facts.subject]
        agent.heartbeat = Heartbeat(agent)
        return agent.heartbeat
    contact = floor.contacts[facts.subject]
    if facts.kind == CONTACT_TIMER:
        return contact
    if facts.kind == WORK_TIMER:
        assert isinstance(contact.work, Assignment), "a work timer has its assignment"
        return contact.work
    if facts.kind == RING_TIMER:
        more = floor.more_of(contact)
        more.ring = RingTimer(contact)
        return more.ring
    clock = contact.clocks
    for _ in range(facts.number):
        assert clock is not None, "a contact has as many clocks as were written"
        clock = clock.next
    assert clock is not None, "a contact has as many clocks as were written"
    return clock
