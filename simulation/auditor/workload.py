"""Judge what an agent carries: units, caps, work that is held (I7), rest after misses (I11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.decisions import (
    AssignContact,
    EndAssignment,
    HoldWork,
    OfferContact,
    ResumeWork,
    StartWrapUp,
)
from simulation.auditor import reading
from simulation.auditor.ledger import AgentAccount, ContactAccount

if TYPE_CHECKING:
    from simulation.auditor.findings import Findings
    from simulation.auditor.ledger import Ledger


def pair_of(
    ledger: Ledger,
    findings: Findings,
    decision: OfferContact | AssignContact | StartWrapUp | EndAssignment | HoldWork | ResumeWork,
) -> tuple[ContactAccount, AgentAccount] | None:
    """Return the accounts a decision is about; report ids that nobody has heard of."""
    contact = ledger.contacts.get(decision.contact_id)
    agent = ledger.agents.get(decision.agent_id)
    what = type(decision).__name__
    if contact is None:
        closed = decision.contact_id in ledger.closed
        rule, state = ("I2", "closed") if closed else ("I3", "unknown")
        findings.report(rule, f"{what} on {state} contact {decision.contact_id}")
    if agent is None:
        findings.report("I3", f"{what} for unknown agent {decision.agent_id}")
    return (contact, agent) if contact and agent else None


class WorkloadJudge:
    """See that nobody carries more than he may, and that held work is taken up again."""

    def __init__(self, ledger: Ledger, findings: Findings) -> None:
        self.ledger = ledger
        self.findings = findings

    def hold(self, decision: HoldWork) -> None:
        """Check that only interruptible work of this agent is set aside."""
        pair = pair_of(self.ledger, self.findings, decision)
        if pair is None:
            return
        contact, agent = pair
        name = f"holding {contact.contact_id} at {agent.agent_id}"
        if contact.agent != agent.agent_id:
            self.findings.report("I6", f"{name}: it is assigned to {contact.agent or 'nobody'}")
        elif not reading.interruptible(self.ledger, contact):
            self.findings.report("I7", f"{name}: {contact.channel} may not be interrupted")
        elif contact.held:
            self.findings.report("I7", f"{name}: it is held already")
        contact.held = True
        self.ledger.dirty_agents[agent.agent_id] = None

    def resume(self, decision: ResumeWork) -> None:
        """Check that held work is resumed only where it fits."""
        pair = pair_of(self.ledger, self.findings, decision)
        if pair is None:
            return
        contact, agent = pair
        name = f"resuming {contact.contact_id} at {agent.agent_id}"
        if contact.agent != agent.agent_id or not contact.held:
            self.findings.report("I7", f"{name}: it is not held there")
            return
        contact.held = False
        self.ledger.dirty_agents[agent.agent_id] = None
        load = sum(self.ledger.units_of(c) for c in agent.work if not self.ledger.contacts[c].held)
        if load > agent.capacity:
            self.findings.report("I7", f"{name}: load {load} > capacity {agent.capacity}")

    def check_load(self, agent: AgentAccount) -> None:
        """Check units, presence and rest of an agent whom an entry touched."""
        ledger, report = self.ledger, self.findings.report
        limit = ledger.center.offers.unanswered_max if ledger.center else 0
        missed, agent.missed_now = agent.missed_now, False
        if (
            missed
            and limit
            and agent.unanswered_surely >= limit
            and not reading.presence_gap(ledger, agent)
        ):
            text = f"missed {agent.unanswered_surely} offers in a row and stays {agent.presence}"
            report("I11", f"{agent.agent_id} {text}")
            agent.unanswered_surely = 0
        gap = reading.presence_gap(ledger, agent)
        if gap and agent.offers:
            report("I8", f"{agent.agent_id} {gap}, but holds offers {sorted(agent.offers)}")
        load = reading.load_of(ledger, agent)
        if load > agent.capacity and load > agent.load_allowed:
            firm = reading.load_of(ledger, agent, without_interruptible=True)
            offered = any(
                (c := ledger.contacts.get(ledger.offers[o].contact_id)) is not None
                and (channel := ledger.channel(c.channel)) is not None
                and channel.interrupts
                for o in agent.offers
            )
            if not (offered and firm <= max(agent.capacity, agent.load_allowed)):
                report("I7", f"{agent.agent_id} carries {load} units, capacity {agent.capacity}")
        # What a cut of capacity left on him is allowed, and may only fall.
        agent.load_allowed = load if load > agent.capacity else 0
        if not gap and load + min_resumable(ledger, agent) <= agent.capacity:
            held = next(c for c in agent.work if ledger.contacts[c].held)
            report("I7", f"{agent.agent_id} has room again, but {held} stays held")


def min_resumable(ledger: Ledger, agent: AgentAccount) -> int:
    """Return the fewest units that resuming held work would take; huge if nothing is held."""
    held = [ledger.units_of(c) for c in agent.work if ledger.contacts[c].held]
    return min(held, default=1 << 60)
