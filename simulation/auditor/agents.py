"""Keep the register of agents and the configuration in force, as events tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import events as e
from router.decisions import ActivateCenter, Decision
from simulation.auditor import reading
from simulation.auditor.ledger import AgentAccount

if TYPE_CHECKING:
    from router.center import Center
    from simulation.auditor.findings import Findings
    from simulation.auditor.ledger import Ledger


class AgentRegister:
    """Know who is configured, signed in, and able to do what."""

    def __init__(self, ledger: Ledger, findings: Findings) -> None:
        self.ledger = ledger
        self.findings = findings

    def hear(self, event: e.Event) -> None:
        """Follow an event about an agent that was not refused."""
        agent_id: str = getattr(event, "agent_id", "")
        if not agent_id:
            return
        agent = self.ledger.agents.get(agent_id)
        name = type(event).__name__
        if agent is None:
            self.findings.report("I3", f"{name} is followed, agent {agent_id} is unknown")
            return
        session: int = getattr(event, "session", 0)
        if session and session < agent.session:
            text = f"session {session}, {agent_id} is in session {agent.session}"
            self.findings.report("I8", f"{name} is followed for {text}")
            return
        self.ledger.dirty_agents[agent_id] = None
        self._apply(event, agent)

    def _apply(self, event: e.Event, agent: AgentAccount) -> None:
        match event:
            case e.AgentSignedIn():
                agent.signed_in, agent.session = True, event.session
                agent.presence = event.presence
                agent.unanswered = 0
                agent.heard_ms = self.ledger.now_ms
            case e.AgentSignedOut():
                agent.signed_in = False
            case e.AgentLost():
                agent.signed_in = False
            case e.AgentPresenceChanged():
                agent.presence = event.presence
                agent.unanswered = 0
            case e.AgentSkillsChanged():
                agent.skills = dict(event.skills)
            case e.AgentCapacityChanged():
                agent.capacity = event.capacity
                agent.load_allowed = reading.load_of(self.ledger, agent)
            case e.AgentHeartbeat():
                agent.heard_ms = self.ledger.now_ms
            case _:
                pass

    def change_center(self, event: e.CenterChanged, decisions: tuple[Decision, ...]) -> bool:
        """Put a version of the configuration in force; return whether it is."""
        activations = [d for d in decisions if isinstance(d, ActivateCenter)]
        if not activations:
            self.findings.report("I3", "CenterChanged is neither refused nor activated")
            return False
        new, old = event.center, self.ledger.center
        if activations[0].version != new.version:
            text = f"version {activations[0].version}, the event carries {new.version}"
            self.findings.report("I3", f"activated is {text}")
        if old is not None and new.version <= old.version:
            text = f"version {new.version} replaces version {old.version}"
            self.findings.report("I3", f"{text}: versions only rise")
        self.ledger.center = new
        if old is not None and old.limits.contact_life_ms != new.limits.contact_life_ms:
            self.ledger.life_changed_ms = self.ledger.now_ms
        self._change_agents(new, old)
        return True

    def _change_agents(self, new: Center, old: Center | None) -> None:
        agents = self.ledger.agents
        for agent_id, spec in new.agents.items():
            agent = agents.get(agent_id)
            if agent is None:
                agents[agent_id] = AgentAccount(
                    agent_id, spec.team, dict(spec.skills), spec.capacity
                )
                continue
            before = old.agents.get(agent_id) if old else None
            agent.team = spec.team
            # What an event said of an agent holds until the configuration says something new.
            if before is None or before.skills != spec.skills:
                agent.skills = dict(spec.skills)
            if before is None or before.capacity != spec.capacity:
                agent.capacity = spec.capacity
            agent.load_allowed = reading.load_of(self.ledger, agent)
        for agent_id in [a for a in agents if a not in new.agents]:
            agent = agents[agent_id]
            agent.signed_in = False
            if not agent.work and not agent.offers:
                del agents[agent_id]
