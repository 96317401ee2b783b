"""Work out what the clocks of a contact hear of an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router import events as e
from router.center import Signal
from router.decisions import (
    AssignContact,
    CloseContact,
    Decision,
    EnqueueContact,
    Exit,
    Reason,
    ScheduleCallback,
)

if TYPE_CHECKING:
    from simulation.auditor.ledger import Ledger

_EVENT_SIGNALS: Final[dict[type[e.Event], Signal]] = {
    e.ContactArrived: Signal.ARRIVED,
    e.ContactTransferred: Signal.TRANSFERRED,
    e.ContactHeld: Signal.HELD,
    e.ContactResumed: Signal.RESUMED,
    e.ContactResolved: Signal.RESOLVED,
    e.ContactReopened: Signal.REOPENED,
    e.CustomerReplied: Signal.CUSTOMER_REPLIED,
    e.AgentReplied: Signal.AGENT_REPLIED,
    e.CustomerAwaited: Signal.CUSTOMER_AWAITED,
    e.CustomerWaitEnded: Signal.CUSTOMER_WAIT_ENDED,
    e.ComplaintRaised: Signal.COMPLAINT_RAISED,
    e.OfferConnected: Signal.CONNECTED,
}


class Hearing:
    """Turn events and decisions into signals."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def signals(
        self, event: e.Event, decisions: tuple[Decision, ...]
    ) -> dict[str, list[tuple[Signal, bool]]]:
        """List what each contact's clocks hear, in order; the flag says: was it served."""
        heard: dict[str, list[tuple[Signal, bool]]] = {}
        contact_id: str = getattr(event, "contact_id", "")
        for signal in self._signals_of_event(event, contact_id):
            heard.setdefault(contact_id, []).append((signal, True))
        for decision in decisions:
            match decision:
                case AssignContact():
                    given = heard.setdefault(decision.contact_id, [])
                    given.append((Signal.ASSIGNED, True))
                    contact = self.ledger.account_of(decision.contact_id)
                    channel = self.ledger.channel(contact.channel) if contact else None
                    if channel is not None and channel.connect_timeout_ms == 0:
                        given.append((Signal.CONNECTED, True))
                case ScheduleCallback():
                    heard.setdefault(decision.contact_id, []).append(
                        (Signal.CALLBACK_SCHEDULED, True)
                    )
                case EnqueueContact(reason=Reason.CALLBACK_DUE):
                    heard.setdefault(decision.contact_id, []).append((Signal.CALLBACK_DUE, True))
                case CloseContact():
                    heard.setdefault(decision.contact_id, []).append(
                        (Signal.CLOSED, decision.exit is Exit.HANDLED)
                    )
                case _:
                    pass
        return heard

    def _signals_of_event(self, event: e.Event, contact_id: str) -> list[Signal]:
        """List what an event itself says to the clocks of its contact."""
        signal = _EVENT_SIGNALS.get(type(event))
        closed = self.ledger.closed.get(contact_id)
        if isinstance(event, e.AgentReplied) and event.automatic:
            return []
        if isinstance(event, e.ContactArrived) and closed is not None and closed.early:
            return []
        if contact_id in self.ledger.revived_now:
            # A message, a call or a word of the agent brings the closed contact back.
            also = [Signal.CUSTOMER_REPLIED] if isinstance(event, e.CustomerReplied) else []
            return [Signal.REOPENED, *also]
        if isinstance(event, e.ContactReopened):
            # Only the wait for the customer was over: the contact had not been closed.
            return [Signal.CUSTOMER_WAIT_ENDED]
        return [] if signal is None else [signal]
