"""Act out of turn as an agent: vanish, flap, sign in twice, lose capacity or skills."""

from __future__ import annotations

from typing import Final

from router.events import (
    AgentCapacityChanged,
    AgentHeartbeat,
    AgentLost,
    AgentPresenceChanged,
    AgentSignedIn,
    AgentSignedOut,
    AgentSkillsChanged,
    Event,
)
from simulation.mischief import Mischief
from simulation.stage import Desk, Phase

_RETURN_MS: Final = 180_000


def unknown_agent(act: Mischief) -> bool:
    """Let somebody sign in, and change, who was never configured."""
    events: tuple[Event, ...] = (
        AgentSignedIn("rogue-agent", 1),
        AgentPresenceChanged("rogue-agent", "available", 1),
        AgentHeartbeat("rogue-agent", 1),
        AgentSkillsChanged("rogue-agent", {}),
        AgentLost("rogue-agent"),
        AgentSignedOut("rogue-agent"),
    )
    act.line.send(act.lots.pick(events))
    return True


def presence_flaps(act: Mischief) -> bool:
    """Change presence many times in one instant."""
    desk = act.desk()
    if desk is None:
        return False
    working = act.world.agents.presence(working=True)
    resting = act.world.agents.presence(working=False)
    for _ in range(act.lots.between(1, 4)):
        act.line.send(AgentPresenceChanged(desk.agent_id, resting, desk.session))
        act.line.send(AgentPresenceChanged(desk.agent_id, working, desk.session))
    act.line.send(AgentPresenceChanged(desk.agent_id, "no-such-presence", desk.session))
    desk.presence = working
    return True


def _come_back(act: Mischief, desk: Desk) -> None:
    act.stage.env.call_in(
        act.lots.gap_ms(_RETURN_MS),
        lambda who: None if act.stage.healed else act.world.agents.sign_in(who),
        desk,
    )


def agent_lost(act: Mischief) -> bool:
    """Let the platform lose an agent; he signs in again later."""
    desk = act.desk()
    if desk is None:
        return False
    desk.silent = True
    act.line.send(AgentLost(desk.agent_id, desk.session))
    _come_back(act, desk)
    return True


def agent_lost_in_offer(act: Mischief) -> bool:
    """Lose an agent while a contact is held out to him."""
    for contact in act.world.open_contacts:
        for agent_id in contact.open_offers.values():
            desk = act.stage.desks.get(agent_id)
            if desk is not None and desk.signed_in:
                desk.silent = True
                act.line.send(AgentLost(agent_id, desk.session))
                _come_back(act, desk)
                return True
    return False


def agent_lost_in_call(act: Mischief) -> bool:
    """Lose an agent in the middle of a contact."""
    contact = act.contact(Phase.SERVED, Phase.CONNECTING, Phase.WRAP_UP)
    desk = act.stage.desks.get(contact.agent_id) if contact else None
    if desk is None or not desk.signed_in:
        return False
    desk.silent = True
    act.line.send(AgentLost(desk.agent_id, desk.session))
    _come_back(act, desk)
    return True


def agent_silent(act: Mischief) -> bool:
    """Let a desktop freeze: no answer, no heartbeat, and nobody says so."""
    desk = act.desk()
    if desk is None:
        return False
    desk.silent = True
    _come_back(act, desk)
    return True


def signed_in_twice(act: Mischief) -> bool:
    """Open a second session, then let the first one speak."""
    desk = act.desk()
    if desk is None:
        return False
    old = desk.session
    act.world.agents.sign_in(desk)
    resting = act.world.agents.presence(working=False)
    act.line.send(AgentPresenceChanged(desk.agent_id, resting, old))
    act.line.send(AgentSignedOut(desk.agent_id, old))
    act.line.send(AgentSignedIn(desk.agent_id, old))
    return True


def signed_out_in_work(act: Mischief) -> bool:
    """Let an agent sign out with everything in hand, and come back later."""
    desk = act.desk()
    if desk is None:
        return False
    act.world.agents.sign_out(desk)
    _come_back(act, desk)
    return True


def capacity_cut(act: Mischief) -> bool:
    """Cut an agent's budget, below his load or to nothing."""
    desk = act.desk()
    if desk is None:
        return False
    act.line.send(AgentCapacityChanged(desk.agent_id, act.lots.pick((0, 34, 50, 100, 200))))
    return True


def skills_changed(act: Mischief) -> bool:
    """Change what an agent can do, in the middle of whatever he does."""
    desk = act.desk()
    if desk is None:
        return False
    center, lots = act.stage.center, act.lots
    skills = {skill: lots.between(1, 10) for skill in lots.some(center.skills, 0, 3)}
    if lots.chance(0.1):
        skills["no-such-skill"] = 5
    act.line.send(AgentSkillsChanged(desk.agent_id, skills))
    return True
