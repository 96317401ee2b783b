"""Judge escalations: one step up the chain at a time (I14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.decisions import EscalateContact
    from simulation.auditor.findings import Findings
    from simulation.auditor.ledger import Ledger


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
        if decision.level != level:
            text = f"level {decision.level} of {decision.policy} after level {level - 1}"
            self.findings.report("I14", f"{decision.contact_id} escalates to {text}")
        elif chain and (level > len(chain) or chain[level - 1] != decision.to):
            text = f"to {decision.to}, the chain of {decision.policy} is {chain}"
            self.findings.report("I14", f"{decision.contact_id} escalates {text}")
