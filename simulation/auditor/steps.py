"""Judge routing steps: I14. Each is the next one, and comes when it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import events as e
from router.decisions import Reason, RelaxContact
from simulation.auditor import reading
from simulation.auditor.doors import step_due_ms
from simulation.auditor.ledger import ContactAccount, Place

if TYPE_CHECKING:
    from simulation.auditor.findings import Findings
from simulation.auditor.ledger import Ledger


class StepJudge:
    """Follow the routing steps of waiting contacts."""

    def __init__(self, ledger: Ledger, findings: Findings) -> None:
        self.ledger = ledger
        self.findings = findings

    def relax(self, contact: ContactAccount, decision: RelaxContact, event: e.Event) -> None:
        """Check that a routing step exists, is the next one, and is due."""
        ledger, report = self.ledger, self.findings.report
        name = f"step {decision.step} of {contact.contact_id} ({decision.reason.value})"
        category = ledger.category(contact.category)
        steps = category.steps if category else ()
        if decision.step != contact.step + 1 or decision.step > len(steps):
            report("I14", f"{name} after step {contact.step}; the category has {len(steps)}")
        elif decision.reason is Reason.STEP_DUE:
            due_ms = step_due_ms(ledger, contact, steps[decision.step - 1].after_ms)
            due_ms = max(due_ms, contact.waiting_since_ms, contact.overflowed_ms)
            if ledger.now_ms != due_ms or not isinstance(event, e.TimeAdvanced):
                text = f"at {ledger.now_ms} on {type(event).__name__}, due at {due_ms}"
                report("I14", f"{name} {text}")
        elif decision.reason is Reason.NO_STAFFED_AGENT:
            demand = reading.demand_of(ledger, contact)
            for agent in ledger.agents.values():
                there = agent.signed_in and not agent.lost
                if there and not reading.qualification_gap(agent, demand):
                    text = f"{agent.agent_id} is staffed and could serve step {contact.step}"
                    report("I14", f"{name}, but {text}")
                    break
        contact.step = max(contact.step, decision.step)
        ledger.dirty_contacts[contact.contact_id] = None
        self.expect(contact)

    def expect(self, contact: ContactAccount) -> None:
        """Put the next routing step of a waiting contact on the agenda."""
        category = self.ledger.category(contact.category)
        if category is None or contact.step >= len(category.steps):
            return
        step, since_ms, queue = contact.step, contact.waiting_since_ms, contact.queue
        due_ms = max(
            step_due_ms(self.ledger, contact, category.steps[step].after_ms),
            since_ms,
            contact.overflowed_ms,
        )

        def outstanding() -> str:
            still = (
                self.ledger.contacts.get(contact.contact_id) is contact
                and contact.place is Place.WAITING
                and (contact.step, contact.waiting_since_ms) == (step, since_ms)
                and contact.queue == queue
            )
            text = f"{contact.contact_id} waits on at step {step}"
            return f"{text}, its next one was due at {due_ms}" if still else ""

        self.ledger.agenda.expect(due_ms, "I14", outstanding)
