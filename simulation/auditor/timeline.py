"""Judge order and time: I23, I24, I31, and everything that was due and did not happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.events import Stamped
    from simulation.auditor.findings import Findings
    from simulation.auditor.ledger import Ledger


class TimelineJudge:
    """See that seq is dense, that time does not go back and that no deadline is passed over."""

    def __init__(self, ledger: Ledger, findings: Findings) -> None:
        self.ledger = ledger
        self.findings = findings
        self.started = False

    def open_entry(self, stamped: Stamped) -> None:
        """Check the stamp, then what should have happened before it."""
        ledger, report = self.ledger, self.findings.report
        self.findings.seq = stamped.seq
        if stamped.seq != ledger.seq + 1 and self.started:
            report("I31", f"seq {stamped.seq} follows {ledger.seq}")
        if stamped.at_ms < ledger.now_ms:
            report("I23", f"time goes back from {ledger.now_ms} to {stamped.at_ms}")
        self.started = True
        ledger.seq = stamped.seq
        before_ms, ledger.now_ms = ledger.now_ms, max(ledger.now_ms, stamped.at_ms)
        if ledger.now_ms > before_ms:
            self.settle(ledger.now_ms)

    def settle(self, now_ms: int) -> None:
        """Report what was due before `now_ms` and is outstanding, earliest first."""
        for _, rule, text in self.ledger.agenda.overdue(now_ms):
            self.findings.report(rule, text)

    def close_entry(self) -> None:
        """Keep the agenda in proportion to what is open."""
        ledger = self.ledger
        clocks = 4 * len(ledger.contacts)
        ledger.agenda.trim(clocks + len(ledger.offers) + len(ledger.agents))
