"""Play the world around one centre: customers who call and agents who answer.

A world speaks in events and hears decisions. It knows no router: `emit` may lead to a simulated
one at the same instant or over a network to a live one, whose decisions are handed to `observe`
whenever they arrive. What a world believes follows from decisions alone, so a lost or refused
event leaves it with a true picture, and a late decision is simply heard late.

The world acts on the calendars of the environment it was given; who runs that environment (a
simulated driver, or one paced by the wall) decides how fast its time goes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from router.center import Center
from router.checks import config_hash
from router.decisions import (
    ActivateCenter,
    AssignContact,
    ChangeAgentState,
    CloseContact,
    Decision,
    DialCallback,
    EndAssignment,
    EnqueueContact,
    HoldWork,
    OfferCallback,
    OfferContact,
    OpenContact,
    Reason,
    RefuseEvent,
    RequestFollowUp,
    RequestSurvey,
    RequeueContact,
    ResumeWork,
    ScheduleCallback,
    StartWrapUp,
    WithdrawOffer,
)
from router.events import (
    AgentCapacityChanged,
    AgentSignedIn,
    AgentSkillsChanged,
    CenterChanged,
    ContactAbandoned,
    ContactEnded,
    ContactResolved,
    CustomerWaitEnded,
    OfferConnected,
    OverloadSwitched,
    WrapUpEnded,
)
from simulation.demand import CustomerSide
from simulation.driver import WorldEnvironment
from simulation.randomness import Streams
from simulation.scenario import Options
from simulation.stage import Contact, Desk, Emit, Phase, Stage
from simulation.workforce import AgentSide

# An arrival that nobody answered in this time after healing was lost on its way.
_LOST_AFTER_MS: Final = 60_000


class World:
    """Play one day around one centre.

    `env` gives the time and both calendars, `options` the day, `streams` the lots; `emit` takes
    each event. Call `start()` once, `observe()` with every entry's decisions, `heal()` when the
    day is over and every contact shall come to its end.
    """

    def __init__(
        self,
        env: WorldEnvironment,
        center: Center,
        options: Options,
        streams: Streams,
        emit: Emit,
    ) -> None:
        self.stage = Stage(env, center, options, streams, emit)
        self.customers = CustomerSide(self.stage)
        self.agents = AgentSide(self.stage)
        self.proposals: dict[str, Center] = {}
        self._hear: dict[type, Callable[[Any], None]] = {
            EnqueueContact: self._enqueued,
            OfferContact: self._offered,
            WithdrawOffer: self._withdrawn,
            AssignContact: self._assigned,
            StartWrapUp: self._wrapping_up,
            EndAssignment: self._released,
            HoldWork: self._set_aside,
            ResumeWork: self._taken_up,
            RequeueContact: self._requeued,
            ScheduleCallback: self._called_back,
            OfferCallback: self._callback_offered,
            DialCallback: self._dialled,
            ChangeAgentState: self.agents.state_changed,
            RequestSurvey: self._surveyed,
            RequestFollowUp: self._followed_up,
            OpenContact: self._opened,
            CloseContact: self._closed,
            ActivateCenter: self._activated,
            RefuseEvent: self._refused,
        }

    def start(self) -> None:
        """Plan the arrivals and start the shifts."""
        self.agents.start()
        self.customers.start()

    def observe(self, decisions: tuple[Decision, ...], at_ms: int) -> None:
        """Hear one entry's decisions, taken at `at_ms` (not after the environment's now)."""
        assert at_ms <= self.stage.env.now_ms, "decisions come from the past or the present"
        hear = self._hear
        for decision in decisions:
            heard = hear.get(type(decision))
            if heard is not None:
                heard(decision)

    @property
    def open_contacts(self) -> list[Contact]:
        """Return the contacts the router has accepted and not closed, oldest first."""
        return self.stage.open_contacts()

    def propose(self, event: CenterChanged) -> None:
        """Send a new version of the configuration; it counts once the router activates it."""
        self.proposals[config_hash(event.center)] = event.center
        self.stage.emit(event)

    # --- what decisions tell --------------------------------------------------------------

    def _contact(self, contact_id: str) -> Contact | None:
        return self.stage.contacts.get(contact_id)

    def _enqueued(self, decision: EnqueueContact) -> None:
        contact = self._contact(decision.contact_id)
        if contact is not None:
            contact.accepted = True
            self.customers.enqueued(contact)

    def _requeued(self, decision: RequeueContact) -> None:
        contact = self._contact(decision.contact_id)
        if contact is not None:
            self.customers.requeued(contact)

    def _offered(self, decision: OfferContact) -> None:
        contact = self._contact(decision.contact_id)
        if contact is not None:
            contact.accepted = True
            self.agents.offered(contact, decision.offer_id, decision.agent_id)

    def _withdrawn(self, decision: WithdrawOffer) -> None:
        contact = self._contact(decision.contact_id)
        self.stage.closed_offers.append((decision.offer_id, decision.contact_id, decision.agent_id))
        if contact is not None:
            contact.open_offers.pop(decision.offer_id, None)

    def _assigned(self, decision: AssignContact) -> None:
        contact = self._contact(decision.contact_id)
        if contact is not None:
            self.agents.assigned(contact, decision.offer_id, decision.agent_id)

    def _wrapping_up(self, decision: StartWrapUp) -> None:
        contact = self._contact(decision.contact_id)
        if contact is not None:
            self.agents.wrapping_up(contact, decision.agent_id)

    def _released(self, decision: EndAssignment) -> None:
        contact = self._contact(decision.contact_id)
        if contact is None:
            return
        self.stage.closed_offers.append((contact.offer_id, decision.contact_id, decision.agent_id))
        self.agents.released(contact, decision.agent_id)
        if decision.reason is Reason.WAITING_ON_CUSTOMER:
            self.customers.awaited(contact)

    def _set_aside(self, decision: HoldWork) -> None:
        contact = self._contact(decision.contact_id)
        if contact is not None:
            self.agents.set_aside(contact)

    def _taken_up(self, decision: ResumeWork) -> None:
        contact = self._contact(decision.contact_id)
        if contact is not None:
            self.agents.taken_up(contact)

    def _called_back(self, decision: ScheduleCallback) -> None:
        contact = self._contact(decision.contact_id)
        if contact is not None:
            contact.accepted = contact.called_back = True
            contact.phase = Phase.CALLBACK

    def _callback_offered(self, decision: OfferCallback) -> None:
        contact = self._contact(decision.contact_id)
        if contact is not None:
            self.customers.callback_offered(contact)

    def _dialled(self, decision: DialCallback) -> None:
        contact = self._contact(decision.contact_id)
        if contact is not None:
            contact.called_back = True
            self.agents.dialled(contact)

    def _surveyed(self, decision: RequestSurvey) -> None:
        contact = self._contact(decision.contact_id)
        if contact is not None:
            self.customers.surveyed(contact)

    def _followed_up(self, decision: RequestFollowUp) -> None:
        contact = self._contact(decision.contact_id)
        if contact is not None and not decision.follow_up_id:
            self.customers.follow_up(contact)

    def _opened(self, decision: OpenContact) -> None:
        self.customers.opened(decision, self._contact(decision.origin_id))

    def _closed(self, decision: CloseContact) -> None:
        contact = self._contact(decision.contact_id)
        if contact is None:
            return
        contact.accepted = False
        contact.token += 1
        self.customers.closed(contact, decision)
        self.stage.closed_contacts.append(contact.id)

    def _activated(self, decision: ActivateCenter) -> None:
        center = self.proposals.get(decision.config_hash)
        if center is not None:
            self.stage.center = center

    def _refused(self, decision: RefuseEvent) -> None:
        desk = self.stage.desks.get(decision.subject)
        if desk is None:
            return
        if decision.reason is Reason.SIGNED_OUT:
            self.agents.refused(desk)
        elif decision.reason is Reason.UNKNOWN_AGENT:
            # He was taken out of the configuration: his desktop closes.
            desk.signed_in = False

    # --- the end of the day ----------------------------------------------------------------

    def heal(self) -> None:
        """Put everything right: overload off, all agents back with all they can, quick to answer.

        From here on nobody new comes, and `settle()` says again what may have been lost.
        """
        stage = self.stage
        stage.healed = True
        stage.emit(OverloadSwitched(active=False))
        for agent_id, agent in stage.center.agents.items():
            desk = stage.desks.setdefault(agent_id, Desk(agent_id))
            desk.silent = False
            desk.signed_in = True
            desk.session += 1
            desk.presence = self.agents.presence(working=True)
            stage.emit(AgentSkillsChanged(agent_id, dict(agent.skills)))
            stage.emit(AgentCapacityChanged(agent_id, agent.capacity))
            stage.emit(AgentSignedIn(agent_id, desk.session, desk.presence))
            if not desk.beating and stage.center.offers.heartbeat_timeout_ms:
                desk.beating = True
                stage.env.process(self.agents.beat(desk))

    def settle(self, *, give_up: bool = False) -> None:
        """Say again, for each open contact, what would end it; `give_up` lets the waiting leave."""
        stage = self.stage
        for contact in list(stage.contacts.values()):
            if contact.phase is Phase.CLOSED and not contact.accepted:
                del stage.contacts[contact.id]
                continue
            if contact.phase is Phase.ANNOUNCED:
                if stage.env.now_ms - contact.arrived_ms > _LOST_AFTER_MS:
                    del stage.contacts[contact.id]
                continue
            self._urge(contact, give_up=give_up)

    def _urge(self, contact: Contact, *, give_up: bool) -> None:
        emit = self.stage.emit
        match contact.phase:
            case Phase.CONNECTING:
                emit(OfferConnected(contact.offer_id, contact.id, contact.agent_id))
                emit(ContactEnded(contact.id))
            case Phase.SERVED if contact.held_at_ms < 0 or give_up:
                emit(ContactResolved(contact.id, "settled"))
            case Phase.WRAP_UP:
                emit(WrapUpEnded(contact.id, contact.agent_id))
            case Phase.AWAITED:
                emit(CustomerWaitEnded(contact.id))
            case Phase.SELF_SERVICE:
                emit(ContactEnded(contact.id))
            case Phase.WAITING | Phase.CALLBACK if give_up:
                emit(ContactAbandoned(contact.id))
            case _:
                pass
