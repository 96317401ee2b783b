"""Follow the events of agents; the table in `router.agents` has admitted them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import states, whys
from router.assignments import end_idleness, take_from_agent
from router.decisions import ChangeAgentState, Reason
from router.events import (
    AgentCapacityChanged,
    AgentHeartbeat,
    AgentLost,
    AgentPresenceChanged,
    AgentSignedIn,
    AgentSignedOut,
    AgentSkillsChanged,
)
from router.guards import find_abilities
from router.lines import place_of
from router.on_offer import drop_lost_work, set_away, take_offers_back
from router.records import CONNECTED, CONNECTING, WRAPPING_UP, Agent, Contact, Heartbeat
from router.refusals import note_duplicate, refuse
from router.waiting import end_affinity, return_to_line, skip_steps

if TYPE_CHECKING:
    from router.floor import Floor


def is_stale(agent: Agent, session: int) -> bool:
    """Say whether an event belongs to a session that a newer one has replaced."""
    return 0 < session < agent.session


def on_signed_in(floor: Floor, agent: Agent, event: AgentSignedIn) -> None:
    """Let an agent in; the newest session wins."""
    assert floor.center is not None, "a centre comes before agents"
    takes_work = floor.center.presences.get(event.presence)
    if takes_work is None:
        refuse(floor, whys.UNKNOWN_PRESENCE, agent.agent_id)
        return
    if agent.state == states.SIGNED_OUT:
        if 0 < event.session <= agent.session:
            refuse(floor, whys.STALE, agent.agent_id)
            return
    elif event.session <= agent.session and agent.state != states.LOST:
        note_duplicate(floor, agent.agent_id)
        return
    agent.session = max(event.session, agent.session)
    if agent.state == states.SIGNED_OUT:
        agent.unanswered = 0
        if not agent.works:
            agent.idle_since_ms = floor.now_ms
        if agent.scores is not None:
            _start_scores(floor, agent)
    change_presence(floor, agent, event.presence, takes_work=takes_work)
    hear_from(floor, agent)


def _start_scores(floor: Floor, agent: Agent) -> None:
    """Start a newcomer level with the others, so that he is not flooded."""
    scores = agent.scores
    assert scores is not None, "scores are kept for this agent"
    scores.idle_ms = 0
    others = [
        other.scores
        for other in floor.agents.values()
        if other is not agent and other.state != states.SIGNED_OUT and other.scores
    ]
    if others:
        scores.busy = max(scores.busy, sum(o.busy for o in others) // len(others))
        scores.talk = max(scores.talk, sum(o.talk for o in others) // len(others))
        scores.contacts = max(scores.contacts, sum(o.contacts for o in others) // len(others))
    for name, queue in floor.queues.items():
        scores.shares[name] = max(scores.shares.get(name, 0), queue.passed)


def change_presence(floor: Floor, agent: Agent, presence: str, *, takes_work: bool) -> None:
    """Set an agent's presence and what follows from it."""
    was_staffed = agent.state in (states.READY, states.AWAY)
    was_ready = agent.state == states.READY
    if takes_work:
        agent.presence = presence
        agent.state = states.READY
        if not was_ready:
            floor.take_turn(agent)
            if not agent.works:
                agent.idle_since_ms = floor.now_ms
        floor.freed.append(agent)
    else:
        set_away(floor, agent, presence)
    if not was_staffed:
        count_staff(floor, agent, 1)
        for work in agent.works:
            unlimited = work.contact.profile.category.wrap_up_ms < 0
            if work.phase == CONNECTED or (work.phase == WRAPPING_UP and unlimited):
                floor.timers.cancel(work)


def count_staff(floor: Floor, agent: Agent, change: int) -> None:
    """Count an agent as there, or as gone, at every demand he may serve."""
    newly = False
    for seats in agent.seats:
        for seat in seats:
            seat.demand.staffed += change
            newly = newly or seat.demand.staffed in (0, 1)
    if newly:
        widen_unstaffed(floor)


def widen_unstaffed(floor: Floor) -> None:
    """Let contacts that nobody staffed can serve go on to a wider step, the oldest first."""
    stranded: list[Contact] = []
    for demand in floor.demand_list:
        if demand.waiting and not demand.staffed:
            for lane in demand.lanes:
                stranded.extend(lane.contacts())
    stranded.sort(key=place_of)
    for contact in stranded:
        # One that went on may have taken others along (an agent, a full queue).
        if contact.state == states.WAITING:
            skip_steps(floor, contact)


def hear_from(floor: Floor, agent: Agent) -> None:
    """Start the time after which silence counts as loss."""
    assert floor.center is not None, "a centre comes before agents"
    timeout_ms = floor.center.offers.heartbeat_timeout_ms
    if not timeout_ms:
        return
    if agent.heartbeat is None:
        agent.heartbeat = Heartbeat(agent)
    floor.timers.cancel(agent.heartbeat)
    floor.timers.arm(agent.heartbeat, floor.now_ms, timeout_ms)


def on_signed_out(floor: Floor, agent: Agent, event: AgentSignedOut) -> None:
    """Let an agent go; what he is talking about stays with him until it ends."""
    leave(floor, agent, states.SIGNED_OUT, whys.AGENT_SIGNED_OUT)


def leave(floor: Floor, agent: Agent, state: int, reason: Reason) -> None:
    """Take an agent off the floor: offers, unconnected work and who waits for him alone."""
    was_staffed = agent.state in (states.READY, states.AWAY)
    end_idleness(floor, agent)
    floor.stand_up(agent)
    agent.state = state
    agent.backing_off = False
    floor.timers.cancel(agent)
    if agent.heartbeat is not None:
        floor.timers.cancel(agent.heartbeat)
    if was_staffed:
        count_staff(floor, agent, -1)
    take_offers_back(floor, agent, reason)
    if state == states.LOST:
        drop_lost_work(floor, agent)
    else:
        for work in list(agent.works):
            if work.phase == CONNECTING:
                contact = work.contact
                take_from_agent(floor, contact, reason)
                return_to_line(floor, contact, reason)
    release_waiters(floor, agent)


def release_waiters(floor: Floor, agent: Agent) -> None:
    """Let everybody who waits for this agent alone wait for anyone."""
    if agent.own is not None:
        for contact in list(agent.own):
            end_affinity(floor, contact)


def on_presence_changed(floor: Floor, agent: Agent, event: AgentPresenceChanged) -> None:
    """Follow the agent's own choice."""
    assert floor.center is not None, "a centre comes before agents"
    takes_work = floor.center.presences.get(event.presence)
    if takes_work is None:
        refuse(floor, whys.UNKNOWN_PRESENCE, agent.agent_id)
    elif event.presence == agent.presence and agent.state != states.LOST:
        note_duplicate(floor, agent.agent_id)
    else:
        agent.session = max(event.session, agent.session)
        agent.unanswered = 0
        change_presence(floor, agent, event.presence, takes_work=takes_work)
        hear_from(floor, agent)


def on_skills_changed(floor: Floor, agent: Agent, event: AgentSkillsChanged) -> None:
    """Give an agent other skills; what he is doing stays with him."""
    assert floor.center is not None, "a centre comes before agents"
    if any(skill not in floor.center.skills for skill in event.skills):
        refuse(floor, whys.UNKNOWN_SKILL, agent.agent_id)
        return
    if event.skills == agent.skills:
        note_duplicate(floor, agent.agent_id)
        return
    agent.skills = dict(event.skills)
    floor.reseat(agent)
    find_abilities(floor, agent)
    drop_misfits(floor, agent)
    widen_unstaffed(floor)
    floor.freed.append(agent)


def drop_misfits(floor: Floor, agent: Agent) -> None:
    """Let contacts that wait for an agent who can no longer serve them wait for anyone."""
    if agent.own is not None:
        for contact in list(agent.own):
            if not floor.may_serve(agent, floor.home_lane(contact).demand):
                end_affinity(floor, contact)


def on_capacity_changed(floor: Floor, agent: Agent, event: AgentCapacityChanged) -> None:
    """Change an agent's budget; a cut drops nothing."""
    if event.capacity == agent.capacity:
        note_duplicate(floor, agent.agent_id)
        return
    agent.capacity = event.capacity
    find_abilities(floor, agent)
    floor.freed.append(agent)


def on_heartbeat(floor: Floor, agent: Agent, event: AgentHeartbeat) -> None:
    """Note that an agent is alive; one who was lost is back."""
    assert floor.center is not None, "a centre comes before agents"
    if agent.state == states.LOST:
        takes_work = floor.center.presences.get(agent.presence, False)
        floor.out.append(ChangeAgentState(agent.agent_id, agent.presence, whys.HEARD_AGAIN))
        change_presence(floor, agent, agent.presence, takes_work=takes_work)
    hear_from(floor, agent)


def on_lost(floor: Floor, agent: Agent, event: AgentLost) -> None:
    """Stop counting on an agent."""
    leave(floor, agent, states.LOST, whys.AGENT_LOST)


def fire_heartbeat(floor: Floor, agent: Agent) -> None:
    """Count an agent not heard of as lost."""
    floor.out.append(ChangeAgentState(agent.agent_id, agent.presence, whys.AGENT_LOST))
    leave(floor, agent, states.LOST, whys.AGENT_LOST)


def fire_agent(floor: Floor, agent: Agent) -> None:
    """End an agent's back-off."""
    agent.backing_off = False
    floor.freed.append(agent)
