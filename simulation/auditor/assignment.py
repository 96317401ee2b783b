"""Judge offers and assignments: I5 to I11."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router import events as e
from router.decisions import (
    AssignContact,
    ChangeAgentState,
    EndAssignment,
    OfferContact,
    Reason,
    StartWrapUp,
    WithdrawOffer,
)
from simulation.auditor import reading
from simulation.auditor.ledger import AgentAccount, ContactAccount, OfferAccount, Place, ring_size
from simulation.auditor.workload import WorkloadJudge, pair_of

if TYPE_CHECKING:
    from router.center import OfferRules
    from simulation.auditor.findings import Findings
    from simulation.auditor.ledger import Ledger

_CAUSES: Final = {
    e.DeclineCause.DECLINED: "backoff_declined_ms",
    e.DeclineCause.BUSY: "backoff_busy_ms",
    e.DeclineCause.UNREACHABLE: "backoff_unreachable_ms",
}
_GONE: Final = {
    Reason.AGENT_LOST,
    Reason.AGENT_SIGNED_OUT,
    Reason.AGENT_AWAY,
}


class AssignmentJudge:
    """Follow every offer to its one end and every assignment from acceptance to its end."""

    def __init__(self, ledger: Ledger, findings: Findings) -> None:
        self.ledger = ledger
        self.findings = findings
        self.workload = WorkloadJudge(ledger, findings)
        self.accepted: OfferAccount | None = None

    def rules(self) -> OfferRules:
        """Return the offer rules in force."""
        assert self.ledger.center is not None
        return self.ledger.center.offers

    # --- offers ------------------------------------------------------------------

    def offer(self, decision: OfferContact) -> None:
        """Check an offer as it is made, and open it."""
        ledger, report = self.ledger, self.findings.report
        pair = pair_of(self.ledger, self.findings, decision)
        if decision.offer_id <= ledger.last_offer_id:
            report("I9", f"offer id {decision.offer_id} after {ledger.last_offer_id}")
        ledger.last_offer_id = max(ledger.last_offer_id, decision.offer_id)
        if pair is None or decision.offer_id in ledger.offers:
            return
        contact, agent = pair
        name = f"offer {decision.offer_id} of {contact.contact_id} to {agent.agent_id}"
        if contact.place not in (Place.WAITING, Place.OFFERED):
            report("I6" if contact.agent else "I4", f"{name}: contact is {contact.place.value}")
            return
        if len(contact.offers) >= ring_size(ledger.queue(contact.queue)):
            report("I5", f"{name}: already open are {sorted(contact.offers)}")
        if agent.agent_id in contact.offers.values():
            report("I5", f"{name}: he holds an open offer of it already")
        self._check_agent(contact, agent, name)
        self._check_patience(contact, agent, name)
        expires_at_ms = self._expiry(contact)
        if expires_at_ms != decision.expires_at_ms:
            report("I10", f"{name}: expires at {decision.expires_at_ms}, due is {expires_at_ms}")
        offer = OfferAccount(
            decision.offer_id,
            contact.contact_id,
            agent.agent_id,
            decision.expires_at_ms,
            ledger.seq,
        )
        ledger.offers[offer.offer_id] = offer
        contact.offers[offer.offer_id] = agent.agent_id
        agent.offers.add(offer.offer_id)
        contact.times_offered[agent.agent_id] = contact.times_offered.get(agent.agent_id, 0) + 1
        ledger.put(contact, Place.OFFERED)
        if decision.expires_at_ms:
            self._expect_end(offer)

    def _check_agent(self, contact: ContactAccount, agent: AgentAccount, name: str) -> None:
        ledger = self.ledger
        gap = reading.presence_gap(ledger, agent)
        if gap:
            self.findings.report("I8", f"{name}: the agent {gap}")
        demand = reading.demand_of(ledger, contact)
        gap = reading.qualification_gap(agent, demand)
        if gap:
            self.findings.report("I8", f"{name} at step {contact.step}: {gap}")
        self._check_preference(contact, agent, name)
        if agent.agent_id == contact.preferred_agent:
            contact.preference_over = True
        gap = reading.room_gap(ledger, agent, contact.channel, by_holding=True)
        if gap:
            self.findings.report("I7", f"{name}: {gap}")

    def _check_preference(self, contact: ContactAccount, agent: AgentAccount, name: str) -> None:
        """See that a contact still waiting for its preferred agent is kept for him."""
        category = self.ledger.category(contact.category)
        wanted = self.ledger.agents.get(contact.preferred_agent)
        if (
            wanted is None
            or wanted is agent
            or category is None
            or not category.preferred_wait_ms
            or contact.preference_over
            or contact.preference_epoch != wanted.epoch
            or not wanted.signed_in
        ):
            return
        until_ms = contact.waiting_since_ms + category.preferred_wait_ms
        if self.ledger.now_ms < until_ms:
            text = f"it waits for {wanted.agent_id} until {until_ms}"
            self.findings.report("I8", f"{name}: {text}")

    def _check_patience(self, contact: ContactAccount, agent: AgentAccount, name: str) -> None:
        now_ms = self.ledger.now_ms
        if now_ms < agent.backoff_until_ms:
            self.findings.report("I11", f"{name}: he is left alone until {agent.backoff_until_ms}")
        cap = self.rules().per_agent_max
        if cap and contact.times_missed.get(agent.agent_id, 0) >= cap:
            self.findings.report("I11", f"{name}: he let it pass {cap} times already")

    def _expiry(self, contact: ContactAccount) -> int:
        category = self.ledger.category(contact.category)
        channel = self.ledger.channel(contact.channel)
        timeout_ms = category.offer_timeout_ms if category else -1
        if timeout_ms < 0:
            timeout_ms = channel.offer_timeout_ms if channel else 0
        if channel is not None and channel.auto_accept:
            return 0
        return self.ledger.now_ms + timeout_ms if timeout_ms else 0

    def _expect_end(self, offer: OfferAccount) -> None:
        def outstanding() -> str:
            if self.ledger.offers.get(offer.offer_id) is not offer:
                return ""
            text = f"offer {offer.offer_id} of {offer.contact_id} to {offer.agent_id}"
            return f"{text} is still open after its deadline {offer.expires_at_ms}"

        self.ledger.agenda.expect(offer.expires_at_ms, "I10", outstanding)

    def answered(self, event: e.OfferAccepted | e.OfferDeclined) -> None:
        """Follow an agent's answer that was not refused."""
        offer = self.ledger.offers.get(event.offer_id)
        name = f"{type(event).__name__} of offer {event.offer_id} by {event.agent_id}"
        if offer is None:
            self.findings.report("I9", f"{name} is followed, but the offer is not open")
            return
        if (offer.contact_id, offer.agent_id) != (event.contact_id, event.agent_id):
            text = f"the offer is of {offer.contact_id} to {offer.agent_id}"
            self.findings.report("I9", f"{name} is followed, but {text}")
            return
        agent = self.ledger.agents.get(event.agent_id)
        if isinstance(event, e.OfferAccepted):
            self.accepted = offer
            return
        self._count_miss(offer)
        self.ledger.drop_offer(offer)
        if agent is not None:
            # Whether a decline ends the row of unanswered offers is open: it is an answer.
            agent.unanswered_surely = 0
            self._back_off(agent, getattr(self.rules(), _CAUSES[event.cause]))

    def _count_miss(self, offer: OfferAccount) -> None:
        contact = self.ledger.contacts.get(offer.contact_id)
        if contact is not None:
            missed = contact.times_missed
            missed[offer.agent_id] = missed.get(offer.agent_id, 0) + 1

    def _back_off(self, agent: AgentAccount, duration_ms: int) -> None:
        until_ms = self.ledger.now_ms + duration_ms if duration_ms else 0
        agent.backoff_until_ms = max(agent.backoff_until_ms, until_ms)

    def withdraw(self, decision: WithdrawOffer, event: e.Event) -> None:
        """Check that a withdrawal ends an open offer for a true reason."""
        ledger, report = self.ledger, self.findings.report
        offer = ledger.offers.get(decision.offer_id)
        name = f"withdrawal of offer {decision.offer_id} ({decision.reason.value})"
        if offer is None:
            report("I9", f"{name}: it is not open")
            return
        if (offer.contact_id, offer.agent_id) != (decision.contact_id, decision.agent_id):
            report("I9", f"{name}: it is of {offer.contact_id} to {offer.agent_id}")
        if offer is self.accepted:
            report("I9", f"{name}: it was accepted in this entry")
        agent = ledger.agents.get(offer.agent_id)
        if decision.reason is Reason.EXPIRED:
            timely = isinstance(event, e.TimeAdvanced) and ledger.now_ms == offer.expires_at_ms
            if not timely:
                text = f"at {ledger.now_ms} in answer to {type(event).__name__}"
                report("I10", f"{name} {text}, deadline {offer.expires_at_ms}")
            self._count_miss(offer)
            if agent is not None:
                agent.unanswered += 1
                agent.unanswered_surely += 1
                agent.missed_now = True
                self._back_off(agent, self.rules().backoff_expired_ms)
        elif decision.reason in _GONE and agent is not None:
            self._check_departure(decision, event, agent, name)
        ledger.drop_offer(offer)

    def _check_departure(
        self, decision: WithdrawOffer, event: e.Event, agent: AgentAccount, name: str
    ) -> None:
        if (
            decision.reason is Reason.AGENT_SIGNED_OUT
            and agent.signed_in
            and not isinstance(event, e.CenterChanged)
        ):
            self.findings.report("I9", f"{name}: the agent is signed in")
        lost = isinstance(event, e.AgentLost | e.TimeAdvanced)
        if decision.reason is Reason.AGENT_LOST and not lost:
            self.findings.report("I9", f"{name} answers {type(event).__name__}")

    # --- assignments -------------------------------------------------------------

    def assign(self, decision: AssignContact) -> None:
        """Check that an assignment follows from an accepted offer, and begin it."""
        ledger, report = self.ledger, self.findings.report
        pair = pair_of(self.ledger, self.findings, decision)
        if pair is None:
            return
        contact, agent = pair
        name = f"assignment of {contact.contact_id} to {agent.agent_id}"
        offer = ledger.offers.get(decision.offer_id)
        channel = ledger.channel(contact.channel)
        automatic = channel is not None and channel.auto_accept
        if offer is None:
            report("I9", f"{name}: offer {decision.offer_id} is not open")
        elif (offer.contact_id, offer.agent_id) != (contact.contact_id, agent.agent_id):
            report("I9", f"{name}: the offer is of {offer.contact_id} to {offer.agent_id}")
        elif offer is not self.accepted and not (automatic and offer.made_seq == ledger.seq):
            report("I9", f"{name}: nobody accepted offer {decision.offer_id}")
        if contact.agent:
            report("I6", f"{name}: it is assigned to {contact.agent} already")
            ledger.free(contact, Place.NOWHERE)
        self._check_waits(contact, decision, name)
        if offer is not None:
            contact.place = Place.NOWHERE if contact.place is Place.OFFERED else contact.place
            ledger.drop_offer(offer)
        self.accepted = None if offer is self.accepted else self.accepted
        contact.agent, contact.assigned_offer = agent.agent_id, decision.offer_id
        contact.held = False
        # Whoever serves the contact has it from the start: its next search is a new one.
        contact.times_missed.clear()
        agent.work.add(contact.contact_id)
        agent.unanswered = agent.unanswered_surely = 0
        ledger.put(contact, Place.HANDLING)
        ledger.dirty_agents[agent.agent_id] = None
        contact.connected = channel is None or channel.connect_timeout_ms == 0
        contact.served = contact.served or contact.connected
        if channel is not None and channel.connect_timeout_ms > 0:
            self._expect_connection(contact, ledger.now_ms + channel.connect_timeout_ms)

    def _check_waits(self, contact: ContactAccount, decision: AssignContact, name: str) -> None:
        now_ms = self.ledger.now_ms
        wait_ms = now_ms - contact.arrived_ms
        if decision.wait_ms != wait_ms:
            self.findings.report("I13", f"{name}: wait {decision.wait_ms} ms, it is {wait_ms}")
        net_ms = contact.line_ms
        if contact.line_since_ms >= 0:
            net_ms += now_ms - contact.line_since_ms
        if decision.net_wait_ms != net_ms:
            text = f"net wait {decision.net_wait_ms} ms, in line and on offer were {net_ms}"
            self.findings.report("I13", f"{name}: {text}")

    def _expect_connection(self, contact: ContactAccount, due_ms: int) -> None:
        contact.connect_due_ms = due_ms
        offer_id = contact.assigned_offer

        def outstanding() -> str:
            if contact.assigned_offer != offer_id or contact.connected or not contact.agent:
                return ""
            text = f"{contact.contact_id} with {contact.agent} is not connected"
            return f"{text} and was not taken back at {due_ms}"

        self.ledger.agenda.expect(due_ms, "I24", outstanding)

    def start_wrap_up(self, decision: StartWrapUp) -> None:
        """Check the limit of a wrap-up and begin it."""
        ledger, report = self.ledger, self.findings.report
        pair = pair_of(self.ledger, self.findings, decision)
        if pair is None:
            return
        contact, agent = pair
        name = f"wrap-up of {contact.contact_id} by {agent.agent_id}"
        if contact.place is not Place.HANDLING or contact.agent != agent.agent_id:
            report("I4", f"{name}: contact is {contact.place.value} with {contact.agent or '-'}")
            return
        category = ledger.category(contact.category)
        limit_ms = category.wrap_up_ms if category else -1
        until_ms = ledger.now_ms + limit_ms if limit_ms > 0 else 0
        if decision.until_ms != until_ms:
            report("I24", f"{name}: until {decision.until_ms}, due is {until_ms}")
        ledger.put(contact, Place.WRAP_UP)
        ledger.dirty_agents[agent.agent_id] = None
        contact.connected = True
        contact.wrap_due_ms = decision.until_ms
        offer_id = contact.assigned_offer

        def outstanding() -> str:
            if contact.assigned_offer != offer_id or contact.place is not Place.WRAP_UP:
                return ""
            return f"{name} goes on after its limit {decision.until_ms}"

        if decision.until_ms:
            ledger.agenda.expect(decision.until_ms, "I24", outstanding)

    def end(self, decision: EndAssignment) -> None:
        """Check that an assignment that is there ends, at its time if for a limit."""
        ledger, report = self.ledger, self.findings.report
        pair = pair_of(self.ledger, self.findings, decision)
        if pair is None:
            return
        contact, agent = pair
        name = f"end of {contact.contact_id} with {agent.agent_id} ({decision.reason.value})"
        if contact.agent != agent.agent_id:
            report("I6", f"{name}: it is assigned to {contact.agent or 'nobody'}")
            return
        limits = {
            Reason.WRAP_UP_LIMIT: contact.wrap_due_ms,
            Reason.CONNECT_TIMEOUT: contact.connect_due_ms,
        }
        due_ms = limits.get(decision.reason, ledger.now_ms)
        if due_ms != ledger.now_ms and not agent.lost:
            report("I24", f"{name} at {ledger.now_ms}, due at {due_ms}")
        if decision.reason is Reason.CONNECT_TIMEOUT and contact.connected:
            report("I24", f"{name}: it was connected")
        if decision.reason in (Reason.CONNECT_FAILED, Reason.CONNECT_TIMEOUT):
            agent.uncertain_until_ms = ledger.now_ms + self.rules().backoff_unreachable_ms
            # Whether this counts as one of his tries is open.
            tries = contact.times_offered.get(agent.agent_id, 0)
            contact.times_offered[agent.agent_id] = tries + 1
        awaiting = decision.reason is Reason.WAITING_ON_CUSTOMER
        ledger.free(contact, Place.ON_CUSTOMER if awaiting else Place.NOWHERE)

    # --- the end of an entry -----------------------------------------------------

    def change_state(self, decision: ChangeAgentState) -> None:
        """Check that an agent's presence is changed for unanswered offers only when they are."""
        agent = self.ledger.agents.get(decision.agent_id)
        if agent is None:
            self.findings.report("I3", f"state change of unknown agent {decision.agent_id}")
            return
        if decision.reason is Reason.UNANSWERED_OFFERS:
            limit = self.rules().unanswered_max
            if agent.unanswered < limit or not limit:
                text = f"after {agent.unanswered} unanswered offers in a row, limit {limit}"
                self.findings.report("I11", f"{agent.agent_id} is set aside {text}")
            agent.unanswered = agent.unanswered_surely = 0
        agent.presence = decision.presence
        if decision.reason is Reason.AGENT_LOST:
            agent.lost = True
            agent.epoch += 1
            agent.forget_back_off()
        elif decision.reason is Reason.HEARD_AGAIN:
            agent.lost = False
        self.ledger.dirty_agents[agent.agent_id] = None

    def close_entry(self) -> None:
        """Check what must hold once all decisions of an entry are carried out."""
        ledger, report = self.ledger, self.findings.report
        if self.accepted is not None:
            text = f"offer {self.accepted.offer_id} of {self.accepted.contact_id}"
            report("I9", f"{text} was accepted, but no AssignContact follows")
            ledger.drop_offer(self.accepted)
            self.accepted = None
        for contact_id in ledger.dirty_contacts:
            contact = ledger.contacts.get(contact_id)
            if contact is not None and contact.agent and contact.offers:
                text = f"{contact_id} is with {contact.agent}, but offers stay open"
                report("I5", f"{text}: {sorted(contact.offers)}")
        for agent_id in ledger.dirty_agents:
            agent = ledger.agents.get(agent_id)
            if agent is not None:
                self.workload.check_load(agent)
