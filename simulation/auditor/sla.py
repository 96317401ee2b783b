"""Judge the SLA clocks: I15 to I22.

For every entry the judge works out which signals the contacts gave, what each clock must say to
them, and compares this with what the journal says. Warnings and breaches are matters of time:
they must answer the `TimeAdvanced` of exactly their instant, and none may be missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import events as e
from router.center import ClockKind, Promise, ReopenMode, Signal
from router.decisions import (
    BreachSla,
    Decision,
    MeetSla,
    PauseSla,
    RebaseSla,
    ResumeSla,
    StartSla,
    StopSla,
    WarnSla,
)
from simulation.auditor import clock as model
from simulation.auditor import reading
from simulation.auditor.clock import SLA_DECISIONS, Clock, SlaDecision, say
from simulation.auditor.escalation import expect_next_link
from simulation.auditor.hearing import Hearing
from simulation.auditor.ledger import Place

if TYPE_CHECKING:
    from simulation.auditor.findings import Findings
    from simulation.auditor.ledger import ContactAccount, Ledger

Words = list[tuple[str, int, str]]


class SlaJudge:
    """Follow every clock of every open contact."""

    def __init__(self, ledger: Ledger, findings: Findings) -> None:
        self.ledger = ledger
        self.findings = findings
        self.hearing = Hearing(ledger)

    # --- one entry ---------------------------------------------------------------

    def judge(self, event: e.Event, decisions: tuple[Decision, ...]) -> None:
        """Compare what the clocks said in this entry with what they had to say."""
        seen: dict[str, list[SlaDecision]] = {}
        for decision in decisions:
            if isinstance(decision, SLA_DECISIONS):
                seen.setdefault(decision.contact_id, []).append(decision)
        signals = self.hearing.signals(event, decisions)
        retargeted = dict.fromkeys(self._concerned(event, seen))
        for contact_id in dict.fromkeys((*retargeted, *signals, *seen)):
            contact = self.ledger.account_of(contact_id)
            if contact is None:
                if contact_id in seen:
                    self.findings.report("I3", f"SLA decision on unknown contact {contact_id}")
                continue
            said = seen.get(contact_id, [])
            heard = signals.get(contact_id, [])
            self._judge_contact(event, contact, heard, said, moved=contact_id in retargeted)

    def _judge_contact(
        self,
        event: e.Event,
        contact: ContactAccount,
        signals: list[tuple[Signal, bool]],
        seen: list[SlaDecision],
        *,
        moved: bool,
    ) -> None:
        before = {kind: clock.twin() for kind, clock in contact.clocks.items()}
        expected = self._retarget(contact, seen) if moved else []
        for decision in seen:
            if isinstance(decision, WarnSla | BreachSla):
                self._judge_timed(event, contact, decision)
        for signal, served in signals:
            expected += self._hear(contact, signal, served=served)
        stated = [d for d in seen if not isinstance(d, WarnSla | BreachSla)]
        said = [(d.policy, d.cycle, say(d)) for d in stated]
        if sorted(said) != sorted(expected):
            heard = ", ".join(signal.value for signal, _ in signals) or type(event).__name__
            self._explain(contact, expected, said, heard)
            contact.clocks = before
            for decision in seen:
                self._follow(contact, decision)
        for kind, clock in contact.clocks.items():
            if clock.since_ms >= 0:
                self._watch(contact, kind, clock)

    # --- signals -----------------------------------------------------------------

    def _hear(self, contact: ContactAccount, signal: Signal, *, served: bool) -> Words:
        """Let all clocks of a contact hear a signal; return what they must say."""
        promises = self.promises_of(contact)
        words: Words = []
        for kind in dict.fromkeys((*promises, *contact.clocks)):
            clock = contact.clocks.get(kind)
            if clock is None or clock.ended:
                words += self._begin(contact, promises.get(kind), clock, signal)
            else:
                words += self._hear_running(contact, clock, signal, served=served)
        return words

    def _begin(
        self,
        contact: ContactAccount,
        promised: tuple[str, Promise] | None,
        ended: Clock | None,
        signal: Signal,
    ) -> Words:
        if promised is None:
            return []
        cycle = ended.cycle + 1 if ended else 1
        starts, *others = model.signals_of(promised[1], contact.channel)
        if signal in starts and not any(signal in signals for signals in others):
            return [self._start(contact, *promised, cycle)]
        if signal is Signal.REOPENED and ended is not None:
            return self._reopen(contact, promised, ended)
        return []

    def _hear_running(
        self, contact: ContactAccount, clock: Clock, signal: Signal, *, served: bool
    ) -> Words:
        now_ms = self.ledger.now_ms
        _, stop, pause, resume, reset = model.signals_of(clock.promise, clock.channel)
        name = (clock.policy, clock.cycle)
        if signal is Signal.CLOSED:
            served = served and Signal.CLOSED in stop
            return [(*name, model.stop_clock(clock, now_ms, served=served))]
        if signal in stop:
            return [(*name, model.stop_clock(clock, now_ms, served=True))]
        if signal in reset:
            ending = (*name, model.stop_clock(clock, now_ms, served=True))
            made = self.promises_of(contact).get(clock.promise.kind)
            policy, promise = made or (clock.policy, clock.promise)
            return [ending, self._start(contact, policy, promise, clock.cycle + 1)]
        # Breached is an end: the clock runs on only to tell how late it becomes.
        if signal in pause and not clock.paused and not clock.breached:
            return [(*name, model.pause_clock(clock, now_ms))]
        if signal in resume and clock.paused:
            word = model.resume_clock(clock, now_ms)
            expect_next_link(self.ledger, contact, clock)
            return [(*name, word)]
        return []

    def _reopen(
        self, contact: ContactAccount, promised: tuple[str, Promise], ended: Clock
    ) -> Words:
        """Begin the next cycle of a promise on arrival; `resume` carries the time that had run.

        So lives on what was promised of a complaint, if the solution had answered it.
        """
        policy, promise = promised
        starts, stops, *_ = model.signals_of(promise, contact.channel)
        of_complaint = Signal.COMPLAINT_RAISED in starts and Signal.RESOLVED in stops
        if Signal.ARRIVED not in starts and not of_complaint:
            return []
        if promise.reopen is ReopenMode.NEW_CYCLE:
            contact.escalated.pop(policy, None)
        words = self._start(contact, policy, promise, ended.cycle + 1)
        clock = contact.clocks[promise.kind]
        same = (policy, promise, clock.table) == (ended.policy, ended.promise, ended.table)
        target_ms = ended.target_ms if same else clock.target_ms
        if promise.reopen is not ReopenMode.RESUME or ended.ran_ms >= target_ms:
            return [words]
        clock.target_ms, clock.ran_ms = target_ms, ended.ran_ms
        clock.due_ms = clock.instant_ms(clock.target_ms)
        clock.moved_ms = self.ledger.now_ms
        return [(policy, clock.cycle, f"start until {clock.due_ms}")]

    def _start(
        self, contact: ContactAccount, policy: str, promise: Promise, cycle: int
    ) -> tuple[str, int, str]:
        clock = model.start_clock(
            policy, promise, contact.channel, cycle, self.ledger.now_ms, self.ledger.center
        )
        contact.clocks[promise.kind] = clock
        return (policy, cycle, f"start until {clock.due_ms}")

    def promises_of(self, contact: ContactAccount) -> dict[ClockKind, tuple[str, Promise]]:
        """Return, per kind, the first promise that is made to the contact as it is now."""
        found: dict[ClockKind, tuple[str, Promise]] = {}
        if self.ledger.center is None:
            return found
        for policy, promise in self.ledger.center.promises.items():
            if promise.kind not in found and model.holds_for(
                promise,
                contact.category,
                contact.channel,
                contact.tier,
                reading.stated_priority(self.ledger, contact),
            ):
                found[promise.kind] = (policy, promise)
        return found

    # --- time --------------------------------------------------------------------

    def _clock_of(self, contact: ContactAccount, policy: str, cycle: int) -> Clock | None:
        for clock in contact.clocks.values():
            if clock.policy == policy and clock.cycle == cycle:
                return clock
        return None

    def _judge_timed(
        self, event: e.Event, contact: ContactAccount, decision: WarnSla | BreachSla
    ) -> None:
        now_ms, report = self.ledger.now_ms, self.findings.report
        name = f"{decision.policy} cycle {decision.cycle} of {contact.contact_id}"
        clock = self._clock_of(contact, decision.policy, decision.cycle)
        if clock is None or clock.ended:
            state = "never started" if clock is None else "already ended"
            report("I15", f"{say(decision)} on clock {name}, which {state}")
            return
        if isinstance(decision, BreachSla):
            if clock.breached:
                report("I16", f"clock {name} is breached a second time")
                return
            clock.breached = True
        elif clock.breached:
            report("I20", f"clock {name} warns at {decision.percent} % after its breach")
            return
        elif decision.percent in clock.warned or decision.percent not in clock.promise.warnings:
            report("I20", f"clock {name} warns at {decision.percent} %, twice or not promised")
            return
        else:
            clock.warned |= {decision.percent}
        if clock.since_ms < 0 and self._broken_while_paused(clock, decision):
            clock.since_ms, clock.paused = now_ms, False
            return
        if clock.since_ms < 0:
            report("I15", f"{say(decision)} on clock {name}, which is paused")
            return
        if isinstance(decision, BreachSla):
            if decision.deadline_ms != clock.due_ms:
                text = f"says deadline {decision.deadline_ms}, it is {clock.due_ms}"
                report("I18", f"breach of clock {name} {text}")
            due_ms = max(clock.due_ms, clock.moved_ms)
        else:
            # What a new target put into the past of a paused clock is said when it runs on.
            due_ms = max(clock.warning_ms(decision.percent), clock.moved_ms, clock.since_ms)
        rule = "I18" if isinstance(decision, BreachSla) else "I20"
        if now_ms != due_ms:
            report(rule, f"{say(decision)} of clock {name} at {now_ms}, due at {due_ms}")
        elif not isinstance(event, e.TimeAdvanced) and clock.moved_ms != now_ms:
            text = f"answers {type(event).__name__}, not TimeAdvanced"
            report("I17", f"{say(decision)} of clock {name} {text}")

    def _broken_while_paused(self, clock: Clock, decision: WarnSla | BreachSla) -> bool:
        """Say whether a target that was just changed had run out before the clock was paused."""
        return (
            isinstance(decision, BreachSla)
            and clock.moved_ms == self.ledger.now_ms
            and clock.ran_ms >= clock.target_ms
            and decision.deadline_ms == model.due_now_ms(clock, clock.moved_ms)
        )

    def _watch(self, contact: ContactAccount, kind: ClockKind, clock: Clock) -> None:
        """Put the instants of a running clock on the agenda, once per run."""
        run = (clock.since_ms, clock.ran_ms, clock.target_ms)
        if clock.watched == run:
            return
        clock.watched = run
        cycle = clock.cycle

        def current() -> Clock | None:
            now = contact.clocks.get(kind)
            if now is None or now.cycle != cycle or now.ended or now.breached:
                return None
            return now if (now.since_ms, now.ran_ms, now.target_ms) == run else None

        def breach_missing() -> str:
            now = current()
            if now is None:
                return ""
            text = f"{now.policy} cycle {cycle} of {contact.contact_id}"
            return f"clock {text} ran past its deadline {now.due_ms} without BreachSla"

        self.ledger.agenda.expect(max(clock.due_ms, clock.moved_ms), "I17", breach_missing)
        for percent in clock.promise.warnings:
            if percent in clock.warned or clock.warning_ms(percent) <= clock.moved_ms:
                continue

            def warning_missing(percent: int = percent) -> str:
                now = current()
                if now is None or percent in now.warned:
                    return ""
                if percent not in now.promise.warnings:
                    return ""
                if now.warning_ms(percent) <= now.moved_ms:
                    return ""
                if now.moved_ms and percent < max(now.warned, default=0):
                    # Under the promise before, more than this was warned of already.
                    return ""
                text = f"{now.policy} cycle {cycle} of {contact.contact_id}"
                return f"clock {text} passed {percent} % without WarnSla"

            self.ledger.agenda.expect(clock.warning_ms(percent), "I20", warning_missing)

    def note_action(self, decision: WarnSla | BreachSla, *, escalated: bool, rebased: bool) -> None:
        """Apply what a warning or breach sets off, as soon as it is said.

        `rebased`: the same entry put the clock under the promise as it is now.
        """
        contact = self.ledger.contacts.get(decision.contact_id)
        clock = contact and self._clock_of(contact, decision.policy, decision.cycle)
        if contact is None or not clock:
            return
        breach = isinstance(decision, BreachSla)
        promise, center = clock.promise, self.ledger.center
        if rebased and center is not None:
            promise = center.promises.get(decision.policy, promise)
        action = promise.on_breach if breach else promise.on_warning
        contact.raised_priority += action.raise_priority
        if action.raise_priority or action.next_step:
            self.ledger.dirty_contacts[contact.contact_id] = None
        done = contact.escalated.get(decision.policy, 0)
        if action.escalate and done < len(promise.escalation) and not escalated:
            text = f"{say(decision)} of {decision.policy} on {contact.contact_id}"
            self.findings.report("I14", f"{text} escalates to nobody; the chain is not at its end")

    # --- changed targets ---------------------------------------------------------

    def _concerned(self, event: e.Event, seen: dict[str, list[SlaDecision]]) -> list[str]:
        """List the contacts whose promises an event may have changed."""
        if isinstance(event, e.CenterChanged) and event.rebase:
            return list(self.ledger.contacts)
        if isinstance(event, e.ContactUpdated | e.ContactTransferred) and any(
            isinstance(decision, RebaseSla) for decision in seen.get(event.contact_id, [])
        ):
            # Any change of the contact may put it under promises of a newer configuration.
            return [event.contact_id]
        return list(self.ledger.reclassed_now)

    def _retarget(self, contact: ContactAccount, seen: list[SlaDecision]) -> Words:
        """Put a contact's clocks under the promises made to it as it is now.

        A clock whose promise is no longer made is canceled. A promise new to the contact counts
        from its arrival. Two things are left open and taken as the journal has them: whether a
        clock already breached gets a new target, and whether a promise is made anew to a contact
        that has been served.
        """
        now_ms, words = self.ledger.now_ms, []
        promises = self.promises_of(contact)
        for kind, clock in contact.clocks.items():
            promised = promises.get(kind)
            policy = promised[0] if promised else clock.policy
            if clock.ended or (clock.breached and not model.moves(seen, policy, clock.cycle)):
                continue
            if promised is None:
                name = (clock.policy, clock.cycle)
                words.append((*name, model.stop_clock(clock, now_ms, served=False)))
            elif promised != (clock.policy, clock.promise):
                said = model.rebase_clock(clock, *promised, now_ms, self.ledger.center)
                words.append((clock.policy, clock.cycle, said))
                if not clock.chain_due_ms and not clock.paused:
                    expect_next_link(self.ledger, contact, clock)
        for kind, (policy, promise) in promises.items():
            starts = model.signals_of(promise, contact.channel)[0]
            if kind in contact.clocks or Signal.ARRIVED not in starts:
                continue
            if contact.place is Place.SELF_SERVICE:
                # For people it has not arrived yet.
                continue
            if contact.served and not any(
                isinstance(said, StartSla) and said.policy == policy for said in seen
            ):
                continue
            clock = model.start_clock(
                policy, promise, contact.channel, 1, contact.arrived_ms, self.ledger.center
            )
            clock.moved_ms = now_ms
            contact.clocks[kind] = clock
            words.append((policy, 1, f"start until {clock.due_ms}"))
        return words

    # --- disagreement ------------------------------------------------------------

    def _explain(self, contact: ContactAccount, expected: Words, said: Words, heard: str) -> None:
        """Report every difference between what was due and what was said, once per clock."""
        names = dict.fromkeys((p, c) for p, c, _ in (*expected, *said))
        for policy, cycle in names:
            due = [w for p, c, w in expected if (p, c) == (policy, cycle)]
            saw = [w for p, c, w in said if (p, c) == (policy, cycle)]
            if sorted(due) == sorted(saw):
                continue
            text = f"clock {policy} cycle {cycle} of {contact.contact_id} on {heard}"
            wanted, found = "; ".join(due) or "nothing", "; ".join(saw) or "nothing"
            self.findings.report(
                model.rule_of(due, saw), f"{text}: expected {wanted}, found {found}"
            )

    def _follow(self, contact: ContactAccount, decision: SlaDecision) -> None:
        """Take the journal's word after a disagreement, so that it is reported once."""
        now_ms = self.ledger.now_ms
        clock = self._clock_of(contact, decision.policy, decision.cycle)
        match decision:
            case StartSla():
                center = self.ledger.center
                promise = center.promises.get(decision.policy) if center else None
                if promise is not None:
                    started = model.start_clock(
                        decision.policy,
                        promise,
                        contact.channel,
                        decision.cycle,
                        now_ms,
                        self.ledger.center,
                    )
                    started.due_ms = decision.deadline_ms
                    started.target_ms = decision.deadline_ms - now_ms
                    contact.clocks[promise.kind] = started
            case PauseSla() if clock is not None:
                model.pause_clock(clock, now_ms)
            case ResumeSla() if clock is not None:
                model.resume_clock(clock, now_ms)
            case MeetSla() | StopSla() if clock is not None:
                model.stop_clock(clock, now_ms, served=True)
            case BreachSla() if clock is not None:
                clock.breached = True
            case WarnSla() if clock is not None:
                clock.warned |= {decision.percent}
            case RebaseSla():
                self._follow_rebase(contact, decision)
            case _:
                pass

    def _follow_rebase(self, contact: ContactAccount, decision: RebaseSla) -> None:
        center = self.ledger.center
        promise = center.promises.get(decision.policy) if center else None
        clock = contact.clocks.get(promise.kind) if promise else None
        if promise is not None and clock is not None and not clock.ended:
            center, now_ms = self.ledger.center, self.ledger.now_ms
            model.rebase_clock(clock, decision.policy, promise, now_ms, center)
