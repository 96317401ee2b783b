"""Write the whole state of a router down, and bring it back exactly.

A snapshot is JSON with a header line: format version and BLAKE2b-256 of the body. It holds facts
only; lines, benches and indexes are built anew from them. A router restored from a snapshot at seq
N decides everything after N as the one that wrote it.
"""

from __future__ import annotations

import hashlib
from collections import deque
from typing import TYPE_CHECKING, Final

import msgspec

from router.agents import AgentState
from router.calendars import OpeningHours
from router.center import OpeningTable
from router.contacts import ContactState
from router.deadlines import Timer
from router.guards import find_abilities
from router.on_center import change_agents, count_work, hang, put_in_force
from router.plan import QueuePlan, remnant
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
    Trace,
)
from router.sla import PromisePlan
from router.snapshot_facts import (
    AgentFacts,
    ContactFacts,
    EndingFacts,
    FloorFacts,
    GuardFacts,
    MoreState,
    PlanFacts,
    TimerFacts,
)
from router.snapshot_writing import (
    AGENT_TIMER,
    CONTACT_TIMER,
    DOOR_TIMER,
    GUARD_TIMER,
    HEARTBEAT_TIMER,
    OFFER_TIMER,
    RING_TIMER,
    SNAPSHOT_VERSION,
    WORK_TIMER,
)
from router.waiting import look_ahead, wait_alone

if TYPE_CHECKING:
    from router.floor import Floor


class SnapshotError(Exception):
    """A snapshot that cannot be used: says why and what to do."""


# the words of the header line
_HEADER: Final = ("switchroom-snapshot", "version", "checksum")

_decoder = msgspec.json.Decoder(FloorFacts)


def open_snapshot(body: bytes) -> FloorFacts:
    """Check and read a snapshot; raises `SnapshotError`."""
    head, _, payload = body.partition(b"\n")
    words = head.split(b" ")
    if len(words) != len(_HEADER) or words[0] != b"switchroom-snapshot":
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
    floor.asked_customers = dict(facts.asked_customers)
    for trace in facts.traces:
        floor.traces[trace.customer, trace.category] = Trace(
            trace.contact_id, trace.reason, trace.at_ms, trace.attempts
        )
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
        floor.queues[name].draining = True
    _thaw_doors(floor, facts)
    for name, last_rank, drawn, passed in facts.queues:
        plan = floor.queues[name]
        plan.last_rank, plan.drawn, plan.passed = last_rank, drawn, passed
    for agent_facts in facts.agents:
        _thaw_agent(floor, agent_facts)
    change_agents(floor, facts.center, facts.center)
    for agent_facts in facts.agents:
        agent = floor.agents[agent_facts.agent_id]
        agent.removed = agent_facts.removed
        agent.skills = dict(agent_facts.skills)
        agent.capacity = agent_facts.capacity
        find_abilities(floor, agent)
    floor.turn = facts.turn
    _thaw_guards(floor, facts.guards)
    for key in facts.profiles:
        floor.profile(key)
    plans = [_thaw_plan(written, facts.calendars) for written in facts.promises]
    for contact_facts in facts.contacts:
        _thaw_contact(floor, contact_facts, plans)
    for contact in list(floor.contacts.values()):
        look_ahead(floor, contact)
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


def _thaw_doors(floor: Floor, facts: FloorFacts) -> None:
    """Bring doors back as they were: an edge in this very instant may be still to come."""
    hang(floor)
    edges = {timer.subject: timer.armed_ms for timer in facts.timers if timer.kind == DOOR_TIMER}
    for door in floor.doors:
        floor.timers.cancel(door)
        edge_ms = edges.get(door.hours.name)
        if edge_ms is not None:
            door.turn(edge_ms - 1)


def _thaw_guards(floor: Floor, facts: GuardFacts | None) -> None:
    guards = floor.guards
    if guards is None or facts is None:
        return
    for reserve in guards.reserves:
        reserve.shut = reserve.queue in facts.shut_reserves
    for team, shut, answers in facts.lendings:
        lending = guards.lendings[team]
        lending.shut = shut
        lending.answers = deque(answers)
        lending.good = sum(in_time for _, in_time in answers)


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


def _thaw_plan(facts: PlanFacts, calendars: dict[str, OpeningTable]) -> PromisePlan:
    hours = None
    if facts.hours:
        hours = OpeningHours(facts.promise.calendar, calendars[facts.hours])
    return PromisePlan(facts.name, facts.promise, facts.channel, hours, facts.target_ms)


def _thaw_contact(floor: Floor, facts: ContactFacts, plans: list[PromisePlan]) -> None:
    profile = floor.profiles.get(facts.key) or remnant(facts.key)
    contact = Contact(facts.contact_id, facts.customer, profile, facts.place)
    floor.contacts[facts.contact_id] = contact
    contact.state = ContactState(facts.state)
    if facts.more is not None:
        _thaw_more(floor, contact, facts.more)
        floor.more_of(contact).step = facts.step
    for written in reversed(facts.clocks):
        clock = Clock(contact, plans[written.plan], written.cycle, written.since_ms)
        clock.phase = written.phase
        clock.consumed_ms = written.consumed_ms
        clock.noticed = written.noticed
        # Snapshots of the first version do not say when a clock was started: at arrival, mostly.
        clock.started_ms = contact.arrived_ms if written.started_ms < 0 else written.started_ms
        clock.escalate_ms = written.escalate_ms
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
            wait_alone(floor, contact, more.affinity)
        else:
            floor.wait_in(contact, lane)
    for number, agent_id in reversed(facts.offers):
        offer = Offer(number, contact, floor.agents[agent_id])
        offer.sibling = contact.work if isinstance(contact.work, Offer) else None
        contact.work = offer
        floor.offers[number] = offer
    held = facts.work
    if held is not None:
        work = Assignment(held.offer_id, contact, floor.agents[held.agent_id], held.assigned_ms)
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
    more.dials = facts.dials
    more.dialling = facts.dialling
    more.attempt = facts.attempt
    more.succeeded = facts.succeeded
    more.origin_id = facts.origin_id
    more.opened = facts.opened
    more.complaint_id = facts.complaint_id


def _thaw_ending(floor: Floor, facts: EndingFacts) -> None:
    contact = floor.contacts.get(facts.contact_id)
    if contact is None:
        return
    ending = Ending(contact, facts.exit, facts.closed_ms, facts.absent_from_ms)
    ending.surveyed = facts.surveyed
    ending.asked = facts.asked
    (floor.asked if facts.kept else floor.closed).append(ending)
    if facts.current:
        contact.work = ending


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
    if facts.kind == GUARD_TIMER:
        assert floor.guards is not None, "a centre with guards has them"
        return floor.guards
    if facts.kind == AGENT_TIMER:
        return floor.agents[facts.subject]
    if facts.kind == HEARTBEAT_TIMER:
        agent = floor.agents[facts.subject]
        agent.heartbeat = Heartbeat(agent)
        return agent.heartbeat
    if facts.kind == DOOR_TIMER:
        return next(door for door in floor.doors if door.hours.name == facts.subject)
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
