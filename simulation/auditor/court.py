"""Let the judges hear a journal, entry by entry."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

from router import decisions as d
from router import events as e
from simulation.auditor.agents import AgentRegister
from simulation.auditor.assignment import AssignmentJudge
from simulation.auditor.conservation import ConservationJudge
from simulation.auditor.doors import DoorJudge
from simulation.auditor.escalation import EscalationJudge
from simulation.auditor.fairness import FairnessJudge
from simulation.auditor.findings import Findings, Violation
from simulation.auditor.guards import GuardJudge
from simulation.auditor.ledger import Ledger
from simulation.auditor.refusals import RefusalJudge
from simulation.auditor.service import ServiceJudge
from simulation.auditor.sla import SlaJudge
from simulation.auditor.timeline import TimelineJudge

if TYPE_CHECKING:
    from collections.abc import Iterable


class JournalEntry(Protocol):
    """What the auditor wants of a journal entry."""

    @property
    def stamped(self) -> e.Stamped:
        """Return the stamped event."""
        ...

    @property
    def decisions(self) -> tuple[d.Decision, ...]:
        """Return its decisions."""
        ...


class Auditor:
    """Check one centre's journal, from its first entry to its last.

    `canaries` are strings that were planted in inputs and may appear nowhere (I35).
    """

    def __init__(self, canaries: tuple[str, ...] = ()) -> None:
        self.canaries = canaries
        self.findings = Findings()
        self.ledger = Ledger()
        self.timeline = TimelineJudge(self.ledger, self.findings)
        self.register = AgentRegister(self.ledger, self.findings)
        self.refusals = RefusalJudge(self.ledger, self.findings)
        self.escalation = EscalationJudge(self.ledger, self.findings)
        self.conservation = ConservationJudge(self.ledger, self.findings)
        self.service = ServiceJudge(self.ledger, self.findings)
        self.assignment = AssignmentJudge(self.ledger, self.findings)
        self.doors = DoorJudge(self.ledger, self.findings)
        self.sla = SlaJudge(self.ledger, self.findings)
        self.guards = GuardJudge(self.ledger, self.findings)
        self.fairness = FairnessJudge(
            self.ledger, self.findings, self.sla.promises_of, self.doors.is_shut, self.guards
        )
        self.entries = 0

    @property
    def open_contacts(self) -> int:
        """Return how many contacts are open after the last entry."""
        return len(self.ledger.contacts)

    @property
    def counts(self) -> dict[str, int]:
        """Return how many open contacts are in each place."""
        return dict(Counter(c.place.value for c in self.ledger.contacts.values()))

    def check(self, stamped: e.Stamped, decisions: tuple[d.Decision, ...]) -> list[Violation]:
        """Judge one entry; return the violations found, usually none."""
        self.entries += 1
        ledger = self.ledger
        ledger.dirty_contacts.clear()
        ledger.dirty_agents.clear()
        ledger.revived_now.clear()
        ledger.reclassed_now.clear()
        self.timeline.open_entry(stamped)
        self.doors.open_entry(stamped.event)
        if self.canaries:
            self._look_for_canaries(stamped, decisions)
        if not self._not_followed(stamped, decisions):
            self._follow(stamped.event, decisions)
        if isinstance(stamped.event, e.ContactArrived):
            # What is over may be remembered longer than it must, until somebody new comes.
            ledger.forget_closed()
        self.timeline.close_entry()
        return self.findings.take()

    def finish(self, *, drained: bool = False) -> list[Violation]:
        """Judge the end of the journal.

        What was due before its last instant must have happened. With `drained` (everything was
        given the time to end) no contact may be open.
        """
        ledger = self.ledger
        self.timeline.settle(ledger.now_ms)
        if drained:
            for contact in ledger.contacts.values():
                text = f"{contact.contact_id} is {contact.place.value} when everything has ended"
                self.findings.report("I2", f"{text}; it arrived at {contact.arrived_ms}")
        return self.findings.take()

    # --- one entry -----------------------------------------------------------------

    def _not_followed(self, stamped: e.Stamped, decisions: tuple[d.Decision, ...]) -> bool:
        answers = [x for x in decisions if isinstance(x, d.RefuseEvent | d.NoteDuplicate)]
        if not answers:
            return False
        if len(decisions) > 1:
            others = ", ".join(type(x).__name__ for x in decisions if x is not answers[0])
            text = f"{type(stamped.event).__name__} is not followed"
            self.findings.report("I3", f"{text}, yet the entry also says {others}")
            return False
        self.refusals.refused(stamped.event, answers[0], stamped.event_id)
        self.service.refused(stamped.event, answers[0])
        return True

    def _follow(self, event: e.Event, decisions: tuple[d.Decision, ...]) -> None:
        ledger = self.ledger
        self.service.hear(event, decisions)
        self._hear(event, decisions)
        if ledger.center is None:
            if decisions:
                self.findings.report("I3", "decisions before the first configuration")
            return
        for decision in decisions:
            self.service.see(decision, event)
            self._carry_out(decision, event, decisions)
        self.service.close_entry()
        self.assignment.close_entry()
        self.conservation.close_entry(event)
        self.doors.close_entry(event)
        self.sla.judge(event, decisions)
        for contact_id in ledger.dirty_contacts:
            self.fairness.update(contact_id)
        for contact in ledger.closed_now:
            self.fairness.update(contact.contact_id)
        ledger.closed_now.clear()
        self.guards.close_entry()
        self.fairness.close_entry()

    def _hear(self, event: e.Event, decisions: tuple[d.Decision, ...]) -> None:
        match event:
            case e.ContactArrived():
                if self.ledger.center is not None:
                    self.conservation.arrive(event)
            case e.OfferAccepted() | e.OfferDeclined():
                self.assignment.answered(event)
            case e.CenterChanged():
                if self.register.change_center(event, decisions):
                    self.doors.rebuild(event.center)
                    self.guards.change_center()
                    self.fairness.rebuild()
            case _ if hasattr(event, "contact_id"):
                self.conservation.speak_of(event)
            case _:
                self.register.hear(event)

    def _carry_out(
        self, decision: d.Decision, event: e.Event, decisions: tuple[d.Decision, ...]
    ) -> None:
        match decision:
            case d.OfferContact():
                self.doors.judge_offer(decision)
                self.fairness.judge_offer(decision, decisions)
                self.assignment.offer(decision)
            case d.WithdrawOffer():
                self.guards.withdrawn.add(decision.contact_id)
                self.assignment.withdraw(decision, event)
            case d.AssignContact():
                self.guards.note(decision)
                self.assignment.assign(decision)
            case d.StartWrapUp():
                self.assignment.start_wrap_up(decision)
            case d.EndAssignment():
                self.assignment.end(decision)
            case d.HoldWork():
                self.assignment.workload.hold(decision)
            case d.ResumeWork():
                self.assignment.workload.resume(decision)
            case d.ChangeAgentState():
                self.assignment.change_state(decision)
            case d.EscalateContact():
                self.escalation.note_escalation(decision)
            case d.WarnSla() | d.BreachSla():
                escalated = any(
                    isinstance(x, d.EscalateContact)
                    and (x.contact_id, x.policy) == (decision.contact_id, decision.policy)
                    for x in decisions
                )
                rebased = any(
                    isinstance(x, d.RebaseSla)
                    and (x.contact_id, x.policy) == (decision.contact_id, decision.policy)
                    for x in decisions
                )
                self.sla.note_action(decision, escalated=escalated, rebased=rebased)
            case _:
                self._move(decision, event)

    def _move(self, decision: d.Decision, event: e.Event) -> None:
        match decision:
            case d.EnqueueContact():
                self.conservation.enqueue(decision)
            case d.RequeueContact():
                self.conservation.requeue(decision)
            case d.RelaxContact():
                self.conservation.relax(decision, event)
            case d.OverflowContact():
                self.conservation.overflow(decision)
            case d.ScheduleCallback():
                self.conservation.schedule(decision)
            case d.OpenContact():
                self.conservation.opened(decision)
            case d.CloseContact():
                self.guards.note(decision)
                self.conservation.close(decision, event)
            case d.RequestSurvey() | d.RequestFollowUp():
                self.conservation.ask(decision)
            case d.DeflectContact() | d.OfferCallback() | d.DialCallback():
                self.conservation.name(decision)
            case _:
                pass

    def _look_for_canaries(self, stamped: e.Stamped, decisions: tuple[d.Decision, ...]) -> None:
        body = repr((stamped, decisions))
        for canary in self.canaries:
            if canary in body:
                self.findings.report("I35", f"planted string {canary!r} appears in the journal")


def audit(entries: Iterable[JournalEntry], *, drained: bool = False) -> list[Violation]:
    """Judge a whole journal; return everything found."""
    auditor = Auditor()
    found: list[Violation] = []
    for entry in entries:
        found += auditor.check(entry.stamped, entry.decisions)
    return found + auditor.finish(drained=drained)
