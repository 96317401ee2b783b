"""Judge the service around the routing: I36 callbacks, I37 the loop, I38 overload.

Callbacks are called within their hours, as often and as late as the rules say. Surveys, follow-ups,
complaints and returns are counted again from the journal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router import decisions as d
from router import events as e
from router.center import OpeningTable, OverloadClass
from router.decisions import Exit, Reason
from simulation.auditor.ledger import ContactAccount, Place
from simulation.auditor.opening import stretches

if TYPE_CHECKING:
    from router.center import Center
    from simulation.auditor.findings import Findings
    from simulation.auditor.ledger import Ledger

_FAILURES: Final = {
    e.CallFailure.NO_ANSWER: Reason.NO_ANSWER,
    e.CallFailure.BUSY: Reason.BUSY,
    e.CallFailure.VOICEMAIL: Reason.VOICEMAIL,
    e.CallFailure.UNREACHABLE: Reason.UNREACHABLE,
}
_SHED: Final = (OverloadClass.DEFLECT, OverloadClass.REFUSE, OverloadClass.OVERFLOW)


class ServiceJudge:
    """Count callbacks, surveys and returns again."""

    def __init__(self, ledger: Ledger, findings: Findings) -> None:
        self.ledger = ledger
        self.findings = findings
        self.asked: dict[str, int] = {}
        self.asked_ms: dict[str, int] = {}
        self.overload = False
        self.expected: dict[str, str] = {}

    # --- what an event calls for ------------------------------------------------------

    def hear(self, event: e.Event, decisions: tuple[d.Decision, ...]) -> None:
        """Note what an event that is followed must lead to; call before its decisions."""
        center = self.ledger.center
        if isinstance(event, e.OverloadSwitched):
            self.overload = event.active
        elif isinstance(event, e.CustomerErased):
            self.asked_ms.pop(event.customer, None)
        elif center is not None and isinstance(event, e.SurveyAnswered):
            self._answered(center, event, decisions)
        elif center is not None and isinstance(event, e.ComplaintRaised):
            self._complained(center, event, decisions)
        elif isinstance(event, e.CallbackFailed):
            self._not_reached(event, decisions)

    def _answered(
        self, center: Center, event: e.SurveyAnswered, decisions: tuple[d.Decision, ...]
    ) -> None:
        contact = self.ledger.account_of(event.contact_id)
        if contact is None:
            return
        if contact.surveyed:
            self._report("I37", f"{event.contact_id} is answered for a second time")
        contact.surveyed = True
        unhappy = event.score <= center.surveys.unhappy_score or not event.resolved
        wanted = [x for x in decisions if isinstance(x, d.RequestFollowUp)]
        if len(wanted) != unhappy:
            self._report("I37", f"{event.contact_id}: {len(wanted)} follow-ups, unhappy {unhappy}")
            return
        category = center.categories.get(contact.category)
        rule = category.follow_up if category is not None and unhappy else None
        opened = [x for x in decisions if isinstance(x, d.OpenContact)]
        if rule is None or not rule.category:
            if opened:
                self._report("I37", f"{event.contact_id} is followed up without a rule")
            return
        full = len(self.ledger.contacts) >= center.limits.open_contacts
        ids = [x.contact_id for x in opened]
        if [x.follow_up_id for x in wanted if x.follow_up_id] != ids or not (ids or full):
            self._report("I37", f"{event.contact_id} is followed up by {ids or 'nobody'}")
        for one in opened:
            self._check_opened(one, contact, rule.category, rule.channel)

    def _complained(
        self, center: Center, event: e.ComplaintRaised, decisions: tuple[d.Decision, ...]
    ) -> None:
        contact = self.ledger.account_of(event.contact_id)
        if contact is None:
            return
        rules = center.complaints
        opened = [x for x in decisions if isinstance(x, d.OpenContact)]
        is_open = event.contact_id in self.ledger.contacts
        own = not is_open or (rules.always and contact.category != rules.category)
        if len(opened) != own:
            self._report("I37", f"complaint about {event.contact_id} opens {len(opened)} contacts")
        for one in opened:
            contact.complaint_id = one.contact_id
            self._check_opened(one, contact, rules.category, rules.channel)

    def _check_opened(
        self, one: d.OpenContact, origin: ContactAccount, category: str, channel: str
    ) -> None:
        said = (one.origin_id, one.category, one.channel, one.customer)
        wanted = (origin.contact_id, category, channel or origin.channel, origin.customer)
        if said != wanted:
            self._report("I37", f"{one.contact_id} is opened as {said}, not as {wanted}")

    def _not_reached(self, event: e.CallbackFailed, decisions: tuple[d.Decision, ...]) -> None:
        contact = self.ledger.contacts.get(event.contact_id)
        if contact is None or not contact.dialling:
            self._report("I36", f"{event.contact_id} was not reached, and nobody had called it")
            return
        reason = _FAILURES[event.cause]
        ended = [x for x in decisions if isinstance(x, d.EndAssignment)]
        if [(x.contact_id, x.reason) for x in ended] != [(event.contact_id, reason)]:
            self._report("I36", f"the call to {event.contact_id} does not end as {reason.value}")
        self.expected[event.contact_id] = "a further call, or the end"

    # --- what is decided --------------------------------------------------------------

    def see(self, decision: d.Decision, event: e.Event) -> None:
        """Judge one decision, before it is carried out."""
        match decision:
            case d.ScheduleCallback():
                self._scheduled(decision, event)
            case d.OfferContact():
                contact = self.ledger.contacts.get(decision.contact_id)
                if contact is not None and contact.callback_due_ms >= 0:
                    self._in_hours(contact, self.ledger.now_ms, "is offered")
            case d.AssignContact():
                contact = self.ledger.contacts.get(decision.contact_id)
                if contact is not None:
                    contact.dialling = contact.callback_due_ms >= 0
                    if contact.dialling:
                        self.expected[contact.contact_id] = "DialCallback"
                    channel = self.ledger.channel(contact.channel)
                    if channel is not None and not channel.connect_timeout_ms:
                        # Connected at once: from here on it is a conversation.
                        contact.callback_due_ms = -1
            case d.DialCallback():
                self._dialled(decision)
            case d.CloseContact():
                self._closed(decision)
            case d.RequestSurvey():
                self._asked(decision)
            case d.LinkContact():
                self._linked(decision)
            case d.DeflectContact() | d.OverflowContact() if decision.reason is Reason.OVERLOAD:
                self._shed(decision.contact_id, event)
            case _:
                pass

    def close_entry(self) -> None:
        """Report what had to follow and did not."""
        for contact_id, what in self.expected.items():
            rule = "I37" if what == "RequestSurvey" else "I36"
            self._report(rule, f"{contact_id}: {what} is missing")
        self.expected.clear()

    # --- callbacks ---------------------------------------------------------------------

    def _tables(self, contact: ContactAccount) -> list[OpeningTable]:
        center = self.ledger.center
        category = self.ledger.category(contact.category)
        assert center is not None
        names = [center.callbacks.calendar]
        own = contact.own_queue or (category.queue if category else "")
        needs = {*contact.skills, *(category.needs if category else ())}
        if contact.language and category is not None and category.language_level:
            needs.add(f"lang:{contact.language}")
        if not needs <= set(center.skills):
            own = center.unknown_skill_queue
        queue = self.ledger.queue(own)
        if queue is not None:
            names.append(queue.calendar)
        return [center.calendars[name].table for name in names if name in center.calendars]

    def _has_rules(self) -> bool:
        center = self.ledger.center
        return center is not None and center.callbacks != type(center.callbacks)()

    def _in_hours(self, contact: ContactAccount, at_ms: int, what: str) -> None:
        if not self._has_rules():
            return
        for table in self._tables(contact):
            # At its last instant a window may be over or not: its timer may still come.
            if not stretches(table, at_ms, at_ms + 1) and not stretches(table, at_ms - 1, at_ms):
                self._report("I36", f"callback {contact.contact_id} {what} at {at_ms}: closed")

    def _scheduled(self, decision: d.ScheduleCallback, event: e.Event) -> None:
        ledger = self.ledger
        contact = ledger.contacts.get(decision.contact_id)
        if contact is None or ledger.center is None:
            return
        self._in_hours(contact, decision.due_at_ms, "is due")
        if self.expected.pop(contact.contact_id, "") and contact.dialling:
            rules = ledger.center.callbacks
            spacing_ms = rules.spacing_ms
            if decision.reason is Reason.BUSY:
                spacing_ms = rules.busy_spacing_ms
            if decision.due_at_ms < ledger.now_ms + spacing_ms:
                text = f"is called again at {decision.due_at_ms}, too soon"
                self._report("I36", f"{contact.contact_id} {text}")
            if rules.attempts_max and contact.dials >= rules.attempts_max:
                self._report("I36", f"{contact.contact_id} is called after {contact.dials} calls")
        contact.dialling = False

    def _dialled(self, decision: d.DialCallback) -> None:
        contact = self.ledger.contacts.get(decision.contact_id)
        if contact is None or self.ledger.center is None:
            return
        if self.expected.pop(contact.contact_id, "") != "DialCallback":
            self._report("I36", f"{contact.contact_id} is called, and is no callback")
        contact.dials += 1
        most = self.ledger.center.callbacks.attempts_max
        if decision.attempt != (contact.dials if most else 1):
            text = f"call {decision.attempt} to {contact.contact_id}, it is the {contact.dials}."
            self._report("I36", text)

    def _closed(self, decision: d.CloseContact) -> None:
        ledger = self.ledger
        contact = ledger.contacts.get(decision.contact_id)
        self.expected.pop(decision.contact_id, None)
        if contact is None or ledger.center is None:
            return
        # Each life of a contact may be asked about, and answered for, once.
        contact.surveyed = False
        most = ledger.center.callbacks.attempts_max
        if decision.reason is Reason.ATTEMPTS_SPENT and not (most and contact.dials >= most):
            text = f"{contact.contact_id} is given up after {contact.dials} calls of {most}"
            self._report("I36", text)
        at_bot = contact.place is Place.SELF_SERVICE
        if (decision.reason is Reason.SELF_SERVED) != (at_bot and decision.exit is Exit.DEFLECTED):
            text = f"{contact.contact_id} closes as {decision.reason.value}"
            self._report("I37", f"{text} while it is {contact.place.value}")
        if decision.exit is Exit.HANDLED:
            self._expect_survey(ledger.center, contact)

    # --- surveys and returns ---------------------------------------------------------------

    def _expect_survey(self, center: Center, contact: ContactAccount) -> None:
        """Work out whether the customer of a contact that closes now must be asked."""
        category, channel = center.categories.get(contact.category), contact.channel
        spec = center.channels.get(channel)
        if category is None or spec is None or not spec.survey:
            return
        every, percent = category.survey_every, category.survey_percent
        if not every and not percent:
            return
        rules, now_ms = center.surveys, self.ledger.now_ms
        last_ms = self.asked_ms.get(contact.customer) if contact.customer else None
        if rules.cool_down_ms and last_ms is not None and now_ms - last_ms < rules.cool_down_ms:
            return
        count = self.asked.get(contact.category, 0) + 1
        self.asked[contact.category] = count
        due = count % every == 0 if every else (count * percent) % 100 < percent
        if due:
            self.expected[contact.contact_id] = "RequestSurvey"

    def _asked(self, decision: d.RequestSurvey) -> None:
        contact = self.ledger.account_of(decision.contact_id)
        if self.expected.pop(decision.contact_id, "") != "RequestSurvey":
            self._report("I37", f"{decision.contact_id} is asked, and it is not its turn")
        if contact is not None and contact.customer:
            self.asked_ms[contact.customer] = self.ledger.now_ms

    def _linked(self, decision: d.LinkContact) -> None:
        ledger = self.ledger
        contact = ledger.contacts.get(decision.contact_id)
        if contact is None or ledger.center is None:
            self._report("I37", f"{decision.contact_id} is linked, and is not there")
            return
        name = f"{contact.contact_id} returns from {decision.origin_id}"
        earlier = ledger.account_of(decision.origin_id)
        if decision.reason not in (Reason.REDIALLED, Reason.CALLED_MEANWHILE):
            if decision.since_ms:
                self._report("I37", f"{name} and keeps an age that it never had")
            return
        if earlier is None or decision.since_ms != earlier.arrived_ms:
            self._report("I37", f"{name} with the age of {decision.since_ms}")
            return
        if (earlier.customer, earlier.category) != (contact.customer, contact.category):
            self._report("I37", f"{name}, a contact of somebody else or about something else")
        closed = ledger.closed.get(decision.origin_id)
        if decision.reason is Reason.CALLED_MEANWHILE:
            if closed is not None or earlier.callback_due_ms < 0:
                self._report("I37", f"{name}, which waits for no callback")
        elif closed is None or closed.exit is not Exit.ABANDONED:
            self._report("I37", f"{name}, which was not abandoned")
        elif ledger.now_ms - closed.closed_ms > ledger.center.returns.redial_window_ms:
            self._report("I37", f"{name} after the window for redials")
        self._inherit(contact, earlier)

    def _inherit(self, contact: ContactAccount, earlier: ContactAccount) -> None:
        """Give a contact the age of an earlier one, and what of it was spent in line."""
        contact.arrived_ms, contact.number = earlier.arrived_ms, earlier.number
        contact.line_ms = earlier.line_ms
        if earlier.line_since_ms >= 0:
            contact.line_ms += self.ledger.now_ms - earlier.line_since_ms
        contact.reopened = True
        self.ledger.dirty_contacts[contact.contact_id] = None

    # --- overload --------------------------------------------------------------------------

    def _shed(self, contact_id: str, event: e.Event) -> None:
        contact = self.ledger.contacts.get(contact_id)
        if not isinstance(event, e.ContactArrived | e.ContactHandedOver):
            self._report("I38", f"{contact_id} is shed on {type(event).__name__}")
            return
        # One that arrives is on the books already, and does not crowd itself out.
        itself = int(isinstance(event, e.ContactArrived))
        if contact is not None and not self.may_shed(contact.category, open_before=itself):
            self._report("I38", f"{contact_id} is shed, and nothing is overloaded")

    def refused(self, event: e.Event, answer: d.Decision) -> None:
        """Check that only arrivals are refused for overload, and only under it."""
        if answer.reason is not Reason.OVERLOAD:
            return
        if not isinstance(event, e.ContactArrived):
            self._report("I38", f"{type(event).__name__} is refused for overload")
        elif not self.may_shed(event.category, open_before=0):
            self._report("I38", f"{event.contact_id} is refused, and nothing is overloaded")

    def may_shed(self, category_name: str, *, open_before: int) -> bool:
        """Say whether a category's contacts may be kept out as things stand."""
        center, ledger = self.ledger.center, self.ledger
        category = ledger.category(category_name)
        if center is None or category is None or category.overload not in _SHED:
            return False
        most = center.limits.overload_open_contacts
        # An own queue or an unknown skill may lead elsewhere: any queue that is overloaded will do.
        # A callback that the customer's next contact takes over was open when that one came.
        gone = ledger.closed_now
        crowded = any(
            queue.overload_length
            and ledger.queue_lengths.get(name, 0) + sum(x.queue == name for x in gone)
            >= queue.overload_length
            for name, queue in center.queues.items()
        )
        found = len(ledger.contacts) + len(gone) - open_before
        return self.overload or bool(most and found >= most) or crowded

    def _report(self, rule: str, text: str) -> None:
        self.findings.report(rule, text)
