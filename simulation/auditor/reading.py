"""Read from the configuration what a contact needs and who may serve it.

Written from the descriptions in `router.center`, not from the router's code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulation.auditor.ledger import AgentAccount, ContactAccount, Ledger, Place

if TYPE_CHECKING:
    from router.center import Channel


class Demand(NamedTuple):
    """Say what an agent must be for a contact as it stands: a class of equal contacts."""

    channel: str
    queue: str
    needs: tuple[tuple[str, int], ...]
    teams: frozenset[str]
    any_team: bool


def demand_of(ledger: Ledger, contact: ContactAccount, step: int | None = None) -> Demand:
    """Derive needs and teams with all steps up to the one in force."""
    needs: dict[str, int] = dict(contact.skills)
    category = ledger.category(contact.category)
    teams: set[str] = set()
    queue = ledger.queue(contact.queue)
    any_team = queue is None or not queue.teams
    if queue is not None:
        teams.update(queue.teams)
    if category is not None:
        for skill, level in category.needs.items():
            needs[skill] = max(level, needs.get(skill, 0))
        if contact.language and category.language_level > 0:
            skill = f"lang:{contact.language}"
            needs[skill] = max(category.language_level, needs.get(skill, 0))
        if ledger.center is not None and not needs.keys() <= set(ledger.center.skills):
            # Nobody can have a skill that is unknown: the line for such contacts decides alone.
            needs.clear()
        for rule in category.steps[: contact.step if step is None else step]:
            for skill, level in rule.lower.items():
                if skill in needs:
                    needs[skill] = min(level, needs[skill])
            for skill in rule.drop:
                needs.pop(skill, None)
            teams.update(rule.add_teams)
    return Demand(
        contact.channel, contact.queue, tuple(sorted(needs.items())), frozenset(teams), any_team
    )


def priority_of(ledger: Ledger, contact: ContactAccount) -> int:
    """Return the priority with what steps and promises added to it; there is none above 9."""
    category = ledger.category(contact.category)
    steps = category.steps[: contact.step] if category else ()
    raised = sum(step.raise_priority for step in steps) + contact.raised_priority
    return min(9, stated_priority(ledger, contact) + raised)


def stated_priority(ledger: Ledger, contact: ContactAccount) -> int:
    """Return the priority that the contact came with or was given, else that of its category."""
    category = ledger.category(contact.category)
    if contact.own_priority >= 0:
        return contact.own_priority
    return category.priority if category else 0


def home_queue(ledger: Ledger, contact: ContactAccount) -> str:
    """Return the line that the contact's own facts lead to."""
    category, center = ledger.category(contact.category), ledger.center
    if category is None or center is None:
        return contact.own_queue
    needs = {*category.needs, *contact.skills}
    if contact.language and category.language_level > 0:
        needs.add(f"lang:{contact.language}")
    if not needs <= set(center.skills):
        return center.unknown_skill_queue
    return contact.own_queue or category.queue


def qualification_gap(agent: AgentAccount, demand: Demand) -> str:
    """Say why the agent's skills or team will not do, "" if they do."""
    if not demand.any_team and agent.team not in demand.teams:
        return f"team {agent.team} does not serve {demand.queue} (teams {sorted(demand.teams)})"
    for skill, level in demand.needs:
        had = agent.skills.get(skill, 0)
        if had < level:
            return f"needs {skill} >= {level}, has {had}"
    return ""


def presence_gap(ledger: Ledger, agent: AgentAccount) -> str:
    """Say why the agent takes no work just now, "" if he does."""
    if not agent.signed_in:
        return "is signed out"
    if agent.lost:
        return "was lost"
    assert ledger.center is not None
    if not ledger.center.presences.get(agent.presence, False):
        return f"has presence {agent.presence}"
    return ""


def channel_limit(ledger: Ledger, agent: AgentAccount, channel: str) -> int:
    """Return how many contacts of a channel the agent may have at once, 0 for no cap.

    An agent's own cap is the more specific word and comes before the channel's.
    """
    assert ledger.center is not None
    configured = ledger.center.agents.get(agent.agent_id)
    if configured is not None and channel in configured.channel_max:
        return configured.channel_max[channel]
    settings = ledger.channel(channel)
    return settings.agent_max if settings else 0


def interruptible(ledger: Ledger, contact: ContactAccount) -> bool:
    """Say whether the contact's work may be set aside."""
    settings = ledger.channel(contact.channel)
    return settings is not None and settings.interruptible


def load_of(
    ledger: Ledger,
    agent: AgentAccount,
    *,
    without_interruptible: bool = False,
    with_held: bool = False,
    surely: bool = False,
) -> int:
    """Sum the units that work and offers take of an agent; held work takes none of its own."""
    load = sum(ledger.units_of(ledger.offers[offer_id].contact_id) for offer_id in agent.offers)
    for contact_id in agent.work:
        contact = ledger.contacts[contact_id]
        if contact.held and not with_held:
            continue
        if without_interruptible and may_be_held(ledger, contact, surely=surely):
            continue
        load += ledger.units_of(contact_id)
    return load


def may_be_held(ledger: Ledger, contact: ContactAccount, *, surely: bool) -> bool:
    """Say whether a contact under way may be set aside; of its wrap-up nobody is sure."""
    return interruptible(ledger, contact) and (not surely or contact.place is Place.HANDLING)


def count_of(ledger: Ledger, agent: AgentAccount, channel: str, *, with_held: bool) -> int:
    """Count an agent's contacts of one channel, in work and on offer."""
    count = 0
    for contact_id in agent.work:
        contact = ledger.contacts[contact_id]
        if contact.channel == channel and (with_held or not contact.held):
            count += 1
    for offer_id in agent.offers:
        offered = ledger.contacts.get(ledger.offers[offer_id].contact_id)
        if offered is not None and offered.channel == channel:
            count += 1
    return count


def room_gap(ledger: Ledger, agent: AgentAccount, channel: str, *, by_holding: bool) -> str:
    """Say why one more contact of the channel does not fit, "" if it does.

    `by_holding` asks whether an offer breaks a limit: interruptible work gives way where the
    channel interrupts, held work does not count. Without it the question is whether there is room
    beyond doubt: held work, which must be taken up again, counts.
    """
    settings: Channel | None = ledger.channel(channel)
    if settings is None:
        return f"channel {channel} is not configured"
    gives_way = settings.interrupts
    load = load_of(
        ledger,
        agent,
        without_interruptible=gives_way,
        with_held=not by_holding and not gives_way,
        surely=not by_holding,
    )
    if load + settings.units > agent.capacity:
        return f"load {load} + {settings.units} units > capacity {agent.capacity}"
    limit = channel_limit(ledger, agent, channel)
    if limit:
        # An offer is judged by what runs; who waits is judged by what the agent holds in all.
        count = count_of(ledger, agent, channel, with_held=not by_holding)
        if count + 1 > limit:
            return f"{count} + 1 contacts of {channel} > cap {limit}"
    return ""
