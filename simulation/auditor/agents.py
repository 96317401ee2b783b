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
                if not agent.signed_in:
                    agent.unanswered = 0
                agent.unanswered_surely = 0
                agent.signed_in, agent.lost = True, False
                agent.session = max(agent.session, event.session)
                agent.presence = event.presence
                self._heard(agent)
            case e.AgentSignedOut():
                agent.epoch += 1
                agent.signed_in = agent.lost = False
                agent.forget_back_off()
            case e.AgentLost():
                agent.epoch += 1
                agent.lost = True
                agent.forget_back_off()
            case e.AgentPresenceChanged():
                agent.presence = event.presence
                agent.session = max(agent.session, event.session)
                agent.unanswered = agent.unanswered_surely = 0
                agent.lost = False
                self._heard(agent)
            case e.AgentSkillsChanged():
                agent.epoch += 1
                agent.skills = dict(event.skills)
            case e.AgentCapacityChanged():
                agent.capacity = event.capacity
                agent.load_allowed = reading.load_of(self.ledger, agent)
            case e.AgentHeartbeat():
                self._heard(agent)
            case _:
                pass

    def _heard(self, agent: AgentAccount) -> None:
        """Expect the agent to be lost if nothing more is heard of him."""
        assert self.ledger.center is not None
        heard_ms = agent.heard_ms = self.ledger.now_ms
        timeout_ms = self.ledger.center.offers.heartbeat_timeout_ms
        if not timeout_ms:
            return
        agent_id = agent.agent_id

        def outstanding() -> str:
            now = self.ledger.agents.get(agent_id)
            center = self.ledger.center
            if now is None or center is None or center.offers.heartbeat_timeout_ms != timeout_ms:
                return ""
            if not now.signed_in or now.lost or now.heard_ms != heard_ms:
                return ""
            return f"{agent_id} was last heard of at {heard_ms} and is still counted on"

        self.ledger.agenda.expect(heard_ms + timeout_ms, "I24", outstanding)

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
        if old is not None:
            self._move_contacts(event, old)
        return True

    def _move_contacts(self, event: e.CenterChanged, old: Center) -> None:
        """Follow the lines that were renamed, and keep those that only empty themselves."""
        ledger = self.ledger
        assert ledger.center is not None
        for closed in ledger.closed.values():
            # What could be forgotten before a longer window came is perhaps forgotten.
            past_ms = closed.closed_ms + old.limits.duplicate_window_ms
            closed.expired = closed.expired or past_ms < ledger.now_ms
        for name in event.drain:
            if name in old.queues and name not in ledger.center.queues:
                ledger.drained[name] = old.queues[name]
        for contact in ledger.contacts.values():
            contact.own_queue = event.move_to.get(contact.own_queue, contact.own_queue)
            queue = event.move_to.get(contact.queue, contact.queue)
            ledger.requeue_as(contact, queue)
            contact.queue_open = True
            contact.life_ms = max(contact.life_ms, old.limits.contact_life_ms)
            category = ledger.category(contact.category)
            contact.step = min(contact.step, len(category.steps) if category else 0)

    def _change_agents(self, new: Center, old: Center | None) -> None:
        agents = self.ledger.agents
        for agent_id, spec in new.agents.items():
            agent = agents.get(agent_id)
            if agent is None:
                agents[agent_id] = AgentAccount(
                    agent_id, spec.team, dict(spec.skills), spec.capacity
                )
                continue
            agent.epoch += 1
            if old is None or old.agents.get(agent_id) != spec:
                # What a new description says replaces what events said before.
                agent.team, agent.skills = spec.team, dict(spec.skills)
                agent.capacity = spec.capacity
            agent.load_allowed = reading.load_of(self.ledger, agent)
        for agent_id in [a for a in agents if a not in new.agents]:
            agent = agents[agent_id]
            agent.signed_in = False
            if not agent.work and not agent.offers:
                del agents[agent_id]
