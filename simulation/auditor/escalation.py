"""Judge escalations: one step up the chain at a time (I14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.decisions import Reason
from simulation.auditor.opening import instant_after

if TYPE_CHECKING:
    from router.decisions import EscalateContact
    from simulation.auditor.clock import Clock
    from simulation.auditor.findings import Findings
    from simulation.auditor.ledger import ContactAccount, Ledger


class EscalationJudge:
    """Follow every chain."""

    def __init__(self, ledger: Ledger, findings: Findings) -> None:
        self.ledger = ledger
        self.findings = findings

    def note_escalation(self, decision: EscalateContact) -> None:
        """Check that an escalation goes one step up its promise's chain."""
        contact = self.ledger.account_of(decision.contact_id)
        if contact is None:
            self.findings.report("I3", f"escalation of unknown contact {decision.contact_id}")
            return
        level = contact.escalated.get(decision.policy, 0) + 1
        contact.escalated[decision.policy] = max(level, decision.level)
        chain: tuple[str, ...] = ()
        for clock in contact.clocks.values():
            if clock.policy == decision.policy:
                chain = clock.promise.escalation
                self._judge_hour(decision, clock)
                if not clock.ended:
                    expect_next_link(self.ledger, contact, clock)
        if decision.level != level:
            text = f"level {decision.level} of {decision.policy} after level {level - 1}"
            self.findings.report("I14", f"{decision.contact_id} escalates to {text}")
        elif chain and (level > len(chain) or chain[level - 1] != decision.to):
            text = f"to {decision.to}, the chain of {decision.policy} is {chain}"
            self.findings.report("I14", f"{decision.contact_id} escalates {text}")

    def _judge_hour(self, decision: EscalateContact, clock: Clock) -> None:
        """Check that a link called because the one before did not answer is called in time."""
        now_ms, due_ms = self.ledger.now_ms, clock.chain_due_ms
        if decision.reason is Reason.ESCALATION_DUE and now_ms != due_ms:
            text = f"link {decision.level} of {decision.policy} at {now_ms}, due at {due_ms}"
            self.findings.report("I14", f"{decision.contact_id} is escalated to {text}")


def expect_next_link(ledger: Ledger, contact: ContactAccount, clock: Clock) -> None:
    """Put on the agenda when the next link of a clock's chain must be called."""
    promise, level = clock.promise, contact.escalated.get(clock.policy, 0)
    clock.chain_due_ms = 0
    if not promise.escalate_every_ms or not 0 < level < len(promise.escalation):
        return
    due_ms = instant_after(clock.table, ledger.now_ms, promise.escalate_every_ms)
    clock.chain_due_ms = due_ms
    kind, cycle = promise.kind, clock.cycle

    def outstanding() -> str:
        now = contact.clocks.get(kind)
        if now is None or now.ended or (now.cycle, now.chain_due_ms) != (cycle, due_ms):
            return ""
        text = f"{now.policy} on {contact.contact_id}: link {level + 1} of its chain"
        return f"nobody answered {text} was to be called at {due_ms}"

    ledger.agenda.expect(due_ms, "I14", outstanding)
