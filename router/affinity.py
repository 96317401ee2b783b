"""Let a contact wait, for a bounded time, for one agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import states
from router.records import Agent, Contact

if TYPE_CHECKING:
    from router.floor import Floor


def seek_affinity(floor: Floor, contact: Contact) -> None:
    """Let a contact wait, for a bounded time, for the agent it prefers or had last.

    Never for one who is signed out, or who could not serve it.
    """
    category = contact.profile.category
    more = contact.more
    preferred = "" if more is None else more.preferred_agent
    if preferred and category.preferred_wait_ms:
        agent = floor.agents.get(preferred)
        if agent is not None and set_affinity(floor, contact, agent, category.preferred_wait_ms, 0):
            return
    if category.last_agent_wait_ms:
        last = more.last_agent if more is not None and more.last_agent else ""
        if not last and contact.customer:
            last = floor.last_agents.get(contact.customer, "")
        agent = floor.agents.get(last) if last else None
        if agent is not None:
            set_affinity(floor, contact, agent, category.last_agent_wait_ms, 1)


def set_affinity(floor: Floor, contact: Contact, agent: Agent, wait_ms: int, reason: int) -> bool:
    """Bind a contact to one agent for a while, if he is there and can serve it."""
    if agent.state not in (states.READY, states.AWAY):
        return False
    if not floor.may_serve(agent, floor.home_lane(contact).demand):
        return False
    more = floor.more_of(contact)
    more.affinity = agent
    more.affinity_until_ms = floor.now_ms + wait_ms
    more.affinity_reason = reason
    return True
