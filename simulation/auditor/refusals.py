"""Judge events that were not followed: is what is said of them true (I2, I3, I9)?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router import events as e
from router.decisions import NoteDuplicate, Reason, RefuseEvent

if TYPE_CHECKING:
    from simulation.auditor.findings import Findings
    from simulation.auditor.ledger import Ledger

# Words by which an event is set aside because it, or its like, was seen before.
_SEEN_BEFORE: Final = (Reason.DUPLICATE, Reason.ID_CONFLICT, Reason.STALE)


class RefusalJudge:
    """See that nothing is refused, or called known, without cause."""

    def __init__(self, ledger: Ledger, findings: Findings) -> None:
        self.ledger = ledger
        self.findings = findings

    def refused(self, event: e.Event, answer: RefuseEvent | NoteDuplicate, event_id: str) -> None:
        """Check that the reason why an event was not followed is true."""
        text = self._untruth(event, answer)
        if text:
            name = f"{type(event).__name__} is answered {answer.reason.value}"
            self.findings.report("I3", f"{name}, but {text}")
        if answer.reason in _SEEN_BEFORE and (event_id or answer.reason is not Reason.DUPLICATE):
            return
        if isinstance(event, e.OfferAccepted):
            offer = self.ledger.offers.get(event.offer_id)
            if offer and (offer.contact_id, offer.agent_id) == (event.contact_id, event.agent_id):
                text = f"offer {event.offer_id} is open and {event.agent_id}'s"
                self.findings.report("I9", f"acceptance is answered {answer.reason.value}: {text}")
        if (
            isinstance(event, e.ContactArrived)
            and isinstance(answer, NoteDuplicate)
            and self.ledger.account_of(event.contact_id) is None
        ):
            text = f"nobody knows {event.contact_id}"
            self.findings.report("I2", f"arrival is called a duplicate, but {text}")

    def _untruth(self, event: e.Event, answer: RefuseEvent | NoteDuplicate) -> str:
        ledger = self.ledger
        # A merge speaks of two contacts: the answer's subject says which one is meant.
        contact_id: str = answer.subject or getattr(event, "contact_id", "")
        agent_id: str = getattr(event, "agent_id", "")
        agent = ledger.agents.get(agent_id)
        text = ""
        match answer.reason:
            case Reason.UNKNOWN_CONTACT | Reason.CONTACT_CLOSED if contact_id in ledger.contacts:
                text = f"contact {contact_id} is {ledger.contacts[contact_id].place.value}"
            case Reason.UNKNOWN_AGENT if ledger.center and agent_id in ledger.center.agents:
                text = f"agent {agent_id} is configured"
            case Reason.SIGNED_OUT if agent is not None and agent.signed_in and not agent.lost:
                text = f"agent {agent_id} is signed in"
            case Reason.STALE if agent is not None and hasattr(event, "session"):
                session: int = getattr(event, "session", 0)
                again = isinstance(event, e.AgentSignedIn) and not agent.signed_in
                if session > agent.session or (session == agent.session and not again):
                    text = f"session {session} is not older than {agent.session}"
            case Reason.NO_CENTER if ledger.center is not None:
                text = f"version {ledger.center.version} is in force"
            case Reason.UNKNOWN_CHANNEL if ledger.channel(getattr(event, "channel", "")):
                text = "the channel is configured"
            case Reason.UNKNOWN_CATEGORY if ledger.category(getattr(event, "category", "") or ""):
                text = "the category is configured"
            case _:
                pass
        return text
