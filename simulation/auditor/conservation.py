"""Judge the life of contacts: I2, I3, I4, I14, I34, and whether refusals are true.

Every contact that the centre took in is in exactly one place after each entry, and leaves by
exactly one `CloseContact`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router import events as e
from router.decisions import (
    CloseContact,
    DeflectContact,
    DialCallback,
    EnqueueContact,
    Exit,
    OfferCallback,
    OpenContact,
    OverflowContact,
    Reason,
    RelaxContact,
    RequestFollowUp,
    RequestSurvey,
    RequeueContact,
    ScheduleCallback,
)
from simulation.auditor import reading
from simulation.auditor.ledger import ClosedAccount, ContactAccount, Place
from simulation.auditor.steps import StepJudge

if TYPE_CHECKING:
    from simulation.auditor.findings import Findings
    from simulation.auditor.ledger import Ledger

# Events that may be followed on a closed contact: they ask about it or bring it back.
_AFTERLIFE: Final = (
    e.SurveyAnswered,
    e.ContactReopened,
    e.ContactRedialled,
    e.CustomerReplied,
    e.ComplaintRaised,
    e.NoteAdded,
)
_REVIVING: Final = (e.ContactReopened, e.ContactRedialled, e.CustomerReplied)


class ConservationJudge:
    """Follow every contact from its arrival to its one end."""

    def __init__(self, ledger: Ledger, findings: Findings) -> None:
        self.ledger = ledger
        self.findings = findings
        self.steps = StepJudge(ledger, findings)

    def arrive(self, event: e.ContactArrived) -> None:
        """Open the account of a contact that was taken in."""
        ledger, report = self.ledger, self.findings.report
        closed = ledger.closed.get(event.contact_id)
        if closed is not None and ledger.need_not_know(closed):
            del ledger.closed[event.contact_id]
        if ledger.account_of(event.contact_id) is not None:
            report("I2", f"{event.contact_id} arrives a second time and is taken in again")
            return
        if ledger.category(event.category) is None or ledger.channel(event.channel) is None:
            text = f"channel {event.channel}, category {event.category}"
            report("I3", f"{event.contact_id} is taken in with unknown {text}")
        assert ledger.center is not None
        ledger.contacts[event.contact_id] = ContactAccount(
            contact_id=event.contact_id,
            number=ledger.seq,
            arrived_ms=ledger.now_ms,
            born_ms=ledger.now_ms,
            life_ms=ledger.center.limits.contact_life_ms,
            channel=event.channel,
            category=event.category,
            own_priority=event.priority,
            own_queue=event.queue,
            tier=event.tier,
            language=event.language,
            customer=event.customer,
            preferred_agent=event.preferred_agent,
            skills=dict(event.skills),
        )
        if event.bot:
            ledger.put(ledger.contacts[event.contact_id], Place.SELF_SERVICE)
        ledger.dirty_contacts[event.contact_id] = None
        limits = ledger.center.limits
        if len(ledger.contacts) > limits.open_contacts:
            report("I34", f"{len(ledger.contacts)} open contacts, limit {limits.open_contacts}")
        if len(event.skills) > limits.skills_per_contact:
            text = f"{len(event.skills)} skills, limit {limits.skills_per_contact}"
            report("I34", f"{event.contact_id} is taken in with {text}")

    def opened(self, decision: OpenContact) -> None:
        """Open the account of a contact that the router opened itself."""
        if self.ledger.account_of(decision.origin_id) is None:
            text = f"{decision.contact_id} follows from {decision.origin_id}, which nobody knows"
            self.findings.report("I37", text)
        self.arrive(
            e.ContactArrived(
                decision.contact_id,
                decision.channel,
                decision.category,
                customer=decision.customer,
                tier=decision.tier,
                language=decision.language,
                preferred_agent=decision.preferred_agent,
            )
        )

    def speak_of(self, event: e.Event) -> None:
        """Follow an event about a contact that is known, or report that it is not."""
        ledger = self.ledger
        contact_id: str = getattr(event, "contact_id", "")
        contact = ledger.contacts.get(contact_id)
        if contact is not None:
            self._follow(event, contact)
            return
        closed = ledger.closed.get(contact_id)
        if closed is not None and ledger.need_not_know(closed):
            # It need not be remembered any more, though it may be.
            early = isinstance(event, e.ContactEnded | e.ContactAbandoned)
            closed = None if early else closed
        name = type(event).__name__
        if closed is None:
            if isinstance(event, e.ContactEnded | e.ContactAbandoned):
                # The end came before the arrival: it is remembered for a while.
                ledger.gone_early[contact_id] = ledger.now_ms
            else:
                self.findings.report("I3", f"{name} is followed, contact {contact_id} is unknown")
        elif isinstance(event, _REVIVING):
            self.revivable = closed
        elif not isinstance(event, _AFTERLIFE):
            self.findings.report("I2", f"{name} is followed, contact {contact_id} is closed")

    revivable: ClosedAccount | None = None

    def _revive(self, contact_id: str) -> ContactAccount | None:
        """Reopen the account of a closed contact that an event brings back."""
        closed = self.revivable
        if closed is None or closed.account.contact_id != contact_id:
            return None
        self.revivable = None
        contact = self.ledger.closed.pop(contact_id).account
        contact.place, contact.reopened = Place.NOWHERE, True
        contact.born_ms = self.ledger.now_ms
        contact.callback_due_ms = -1
        self._search_anew(contact)
        self.ledger.contacts[contact_id] = contact
        self.ledger.dirty_contacts[contact_id] = None
        self.ledger.revived_now.add(contact_id)
        return contact

    def _follow(self, event: e.Event, contact: ContactAccount) -> None:
        match event:
            case e.ContactUpdated():
                self._update(event, contact)
            case e.ContactTransferred():
                contact.claimed_agent = event.agent_id
                contact.callback_due_ms = -1
                self._search_anew(contact)
                contact.preference_over = True
                if event.category:
                    self._recategorise(contact, event.category)
                elif event.queue:
                    contact.own_queue = event.queue
            case e.OfferConnected():
                contact.connected = contact.served = True
                contact.callback_due_ms = -1
            case e.ContactHandedOver():
                self._search_anew(contact)
                if event.category:
                    contact.category, contact.own_queue = event.category, ""
                self.ledger.put(contact, Place.NOWHERE)
            case e.CallbackRequested():
                contact.preference_over = True
                contact.dials = 0
                if contact.place is Place.CALLBACK:
                    self.ledger.put(contact, Place.NOWHERE)
            case e.CustomerReplied() | e.CustomerWaitEnded() | e.ContactReopened():
                if contact.place is Place.ON_CUSTOMER:
                    self._search_anew(contact)
                    self.ledger.put(contact, Place.NOWHERE)
            case _:
                pass

    def _search_anew(self, contact: ContactAccount) -> None:
        """Let a new search begin: steps, tries and the wait for one agent count from now."""
        contact.step = 0
        contact.steps_from_ms = self.ledger.now_ms
        contact.times_missed.clear()
        contact.times_offered.clear()
        contact.preference_over = False

    def _update(self, event: e.ContactUpdated, contact: ContactAccount) -> None:
        if event.category is not None:
            if event.category != contact.category:
                self._search_anew(contact)
            # A category, even the old one, leads back to its own line.
            contact.queue_open = True
            self._recategorise(contact, event.category)
        if event.priority is not None:
            center = self.ledger.center
            if center is not None and any(p.priorities for p in center.promises.values()):
                self.ledger.reclassed_now.add(contact.contact_id)
            contact.own_priority = event.priority
        if event.tier is not None and event.tier != contact.tier:
            contact.tier = event.tier
            self.ledger.reclassed_now.add(contact.contact_id)
        if event.language is not None:
            contact.language = event.language
        if event.skills is not None:
            contact.skills = dict(event.skills)
        contact.preference_over = True
        self.ledger.dirty_contacts[contact.contact_id] = None

    def _recategorise(self, contact: ContactAccount, name: str) -> None:
        if contact.category != name:
            self.ledger.reclassed_now.add(contact.contact_id)
        contact.category, contact.own_queue = name, ""
        if contact.place is not Place.WAITING:
            contact.queue = reading.home_queue(self.ledger, contact)
        self.ledger.dirty_contacts[contact.contact_id] = None

    # --- lines -------------------------------------------------------------------

    def _contact(self, contact_id: str, what: str) -> ContactAccount | None:
        contact = self.ledger.contacts.get(contact_id) or self._revive(contact_id)
        if contact is None:
            closed = contact_id in self.ledger.closed
            rule, state = ("I2", "closed") if closed else ("I3", "unknown")
            self.findings.report(rule, f"{what} on {state} contact {contact_id}")
        return contact

    def enqueue(self, decision: EnqueueContact) -> None:
        """Check that a contact without a place, or changing its line, enters one."""
        ledger, report = self.ledger, self.findings.report
        contact = self._contact(decision.contact_id, "EnqueueContact")
        if contact is None:
            return
        name = f"{contact.contact_id} enters {decision.queue}"
        if contact.agent or contact.offers:
            report("I4", f"{name} while it is {contact.place.value}")
            return
        if ledger.queue(decision.queue) is None:
            report("I3", f"{name}, which is not configured")
        if decision.step != contact.step:
            report("I14", f"{name} at step {decision.step}, it was at {contact.step}")
        contact.step = decision.step
        if decision.reason is Reason.CALLBACK_DUE and ledger.now_ms != contact.callback_due_ms:
            report("I24", f"{name} to be called at {ledger.now_ms}, due {contact.callback_due_ms}")
        self._enter(contact, decision.queue)
        self._check_priority(contact, decision.priority, name)
        self._prefer(contact)

    def _prefer(self, contact: ContactAccount) -> None:
        """Let the wait for one agent begin here, if he is there and able, or not at all."""
        ledger = self.ledger
        wanted = ledger.agents.get(contact.preferred_agent)
        if wanted is not None:
            contact.preference_epoch = wanted.epoch
            demand = reading.demand_of(ledger, contact)
            there = wanted.signed_in and not wanted.lost
            if not there or reading.qualification_gap(wanted, demand):
                contact.preference_over = True

    def _check_priority(self, contact: ContactAccount, said: int, name: str) -> None:
        priority = reading.priority_of(self.ledger, contact)
        if said != priority:
            self.findings.report("I13", f"{name} with priority {said}, it is {priority}")

    def _enter(self, contact: ContactAccount, queue: str) -> None:
        ledger = self.ledger
        contact.queue_open = False
        ledger.requeue_as(contact, queue)
        if not contact.steps_from_ms:
            contact.steps_from_ms = ledger.now_ms
        ledger.put(contact, Place.WAITING)
        contact.waiting_since_ms = ledger.now_ms
        self.steps.expect(contact)

    def requeue(self, decision: RequeueContact) -> None:
        """Check that a contact that lost its offer or agent returns to its own line."""
        contact = self._contact(decision.contact_id, "RequeueContact")
        if contact is None:
            return
        name = f"{contact.contact_id} returns to {decision.queue}"
        if contact.agent or contact.offers:
            self.findings.report("I4", f"{name} while it is {contact.place.value}")
            return
        contact.preference_over, contact.claimed_agent = True, ""
        if decision.reason is Reason.QUEUE_OPENED:
            contact.preference_over = False
            self._prefer(contact)
        queues = (contact.queue, reading.home_queue(self.ledger, contact))
        if decision.queue not in queues and not contact.queue_open:
            self.findings.report("I13", f"{name}, its line was {contact.queue}")
        self._enter(contact, decision.queue)
        self._check_priority(contact, decision.priority, name)

    def overflow(self, decision: OverflowContact) -> None:
        """Check that a contact is moved from where it is to a line that exists."""
        contact = self._contact(decision.contact_id, "OverflowContact")
        if contact is None:
            return
        name = f"{contact.contact_id} overflows to {decision.to_queue}"
        if decision.from_queue != contact.queue and contact.queue:
            self.findings.report("I4", f"{name} from {decision.from_queue}, was in {contact.queue}")
        if self.ledger.queue(decision.to_queue) is None:
            self.findings.report("I3", f"{name}, which is not configured")
        contact.preference_over = True
        self.ledger.requeue_as(contact, decision.to_queue)
        contact.overflowed_ms = self.ledger.now_ms
        if contact.place is Place.WAITING:
            # The other line may count by another clock.
            self.steps.expect(contact)

    def schedule(self, decision: ScheduleCallback) -> None:
        """Note that nobody is on the line until the callback is due."""
        contact = self._contact(decision.contact_id, "ScheduleCallback")
        if contact is None:
            return
        if contact.agent or contact.offers:
            text = f"{contact.contact_id} is {contact.place.value}"
            self.findings.report("I4", f"callback is scheduled while {text}")
            return
        self.ledger.put(contact, Place.CALLBACK)
        contact.callback_due_ms = due_ms = decision.due_at_ms
        if due_ms < self.ledger.now_ms:
            text = f"for {due_ms}, which is past"
            self.findings.report("I24", f"callback of {contact.contact_id} is scheduled {text}")

        def outstanding() -> str:
            still = contact.place is Place.CALLBACK and contact.callback_due_ms == due_ms
            text = f"callback of {contact.contact_id} was due at {due_ms}"
            return f"{text} and did not enter its line" if still else ""

        self.ledger.agenda.expect(due_ms, "I24", outstanding)

    def relax(self, decision: RelaxContact, event: e.Event) -> None:
        """Check a routing step of a contact that is there."""
        contact = self._contact(decision.contact_id, "RelaxContact")
        if contact is not None:
            self.steps.relax(contact, decision, event)

    # --- the end -----------------------------------------------------------------

    def close(self, decision: CloseContact, event: e.Event) -> None:
        """Check that an open contact ends, once, in a way that fits its life."""
        ledger, report = self.ledger, self.findings.report
        contact = self._contact(decision.contact_id, "CloseContact")
        if contact is None:
            return
        name = f"{contact.contact_id} closes as {decision.exit.value}"
        if contact.agent:
            report("I4", f"{name} while it is {contact.place.value} with {contact.agent}")
            ledger.free(contact, Place.NOWHERE)
        early = decision.reason is Reason.ENDED_BEFORE_ARRIVAL
        if early and contact.contact_id not in ledger.gone_early:
            report("I2", f"{name}, but nothing said before that it had ended")
        if decision.exit is Exit.HANDLED and not contact.served:
            report("I2", f"{name}, but nobody was ever connected with it")
        meanwhile = decision.reason is Reason.CALLED_MEANWHILE and isinstance(
            event, e.ContactArrived
        )
        if decision.exit is Exit.MERGED and not (isinstance(event, e.ContactMerged) or meanwhile):
            report("I2", f"{name} in answer to {type(event).__name__}")
        if decision.reason is Reason.LIFE_LIMIT and ledger.center is not None:
            due_ms = contact.born_ms + ledger.center.limits.contact_life_ms
            # Whether a new limit holds for a contact that is there already is open.
            dues_ms = (due_ms, ledger.life_changed_ms, contact.born_ms + contact.life_ms)
            if ledger.now_ms not in dues_ms:
                report("I2", f"{name} for its age at {ledger.now_ms}, due at {due_ms}")
        ledger.put(contact, Place.NOWHERE)
        del ledger.contacts[contact.contact_id]
        ledger.closed[contact.contact_id] = ClosedAccount(
            contact, ledger.now_ms, decision.exit, early=early
        )
        ledger.dirty_contacts.pop(contact.contact_id, None)
        ledger.closed_now.append(contact)

    def name(self, decision: DeflectContact | OfferCallback | DialCallback) -> None:
        """Check that a decision that moves no account is about an open contact."""
        self._contact(decision.contact_id, type(decision).__name__)

    def ask(self, decision: RequestSurvey | RequestFollowUp) -> None:
        """Check that only known contacts are asked about."""
        if self.ledger.account_of(decision.contact_id) is None:
            what = type(decision).__name__
            self.findings.report("I3", f"{what} on unknown contact {decision.contact_id}")

    def _check_arrival(self, event: e.ContactArrived) -> None:
        """Check that who had ended before is closed, and that a full line took nobody in."""
        ledger = self.ledger
        contact = ledger.contacts.get(event.contact_id)
        gone = ledger.gone_early.pop(event.contact_id, None)
        if contact is None:
            return
        if gone is not None and gone + ledger.window_ms() >= ledger.now_ms:
            text = f"its end was journaled at {gone}"
            self.findings.report("I2", f"{event.contact_id} is taken in, but {text}")
        queue = ledger.queue(contact.queue)
        if contact.place is Place.WAITING and queue is not None and queue.length_max:
            length = ledger.queue_lengths[contact.queue]
            if length > queue.length_max:
                text = f"enters {contact.queue}: {length} wait, limit {queue.length_max}"
                self.findings.report("I34", f"{event.contact_id} {text}")

    def close_entry(self, event: e.Event) -> None:
        """Check that everybody has a place, and that what closed left nothing open."""
        ledger, report = self.ledger, self.findings.report
        if self.revivable is not None:
            if isinstance(event, e.ContactReopened | e.ContactRedialled):
                contact_id = self.revivable.account.contact_id
                report("I2", f"{contact_id} comes back, but enters no line")
            self.revivable = None
        if isinstance(event, e.ContactArrived):
            self._check_arrival(event)
        for contact_id in ledger.dirty_contacts:
            contact = ledger.contacts.get(contact_id)
            if contact is not None and contact.place is Place.NOWHERE:
                text = f"after {type(event).__name__} it neither waits, is offered, nor served"
                report("I4", f"{contact_id} is lost: {text}")
        for contact in ledger.closed_now:
            if contact.offers:
                report(
                    "I9", f"{contact.contact_id} is closed, offers stay: {sorted(contact.offers)}"
                )
                for offer_id in list(contact.offers):
                    ledger.drop_offer(ledger.offers[offer_id])
                contact.offers.clear()
        if ledger.contacts and ledger.center is not None:
            oldest = next(iter(ledger.contacts.values()))
            life_ms = max(ledger.center.limits.contact_life_ms, oldest.life_ms)
            if oldest.born_ms + life_ms < ledger.now_ms:
                report("I2", f"{oldest.contact_id} is open beyond its life of {life_ms} ms")
                ledger.contacts[oldest.contact_id] = ledger.contacts.pop(oldest.contact_id)
                oldest.born_ms = ledger.now_ms
