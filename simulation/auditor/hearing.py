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
    OpenContact,
    Reason,
    ScheduleCallback,
)

if TYPE_CHECKING:
    from simulation.auditor.ledger import Ledger

_EVENT_SIGNALS: Final[dict[type[e.Event], Signal]] = {
    e.ContactArrived: Signal.ARRIVED,
    e.ContactHandedOver: Signal.ARRIVED,
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
        if not _has_own_contact(event, decisions):
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
                    served = decision.exit is Exit.HANDLED or decision.reason is Reason.SELF_SERVED
                    heard.setdefault(decision.contact_id, []).append((Signal.CLOSED, served))
                case OpenContact():
                    given = heard.setdefault(decision.contact_id, [])
                    given.append((Signal.ARRIVED, True))
                    if decision.reason is Reason.COMPLAINT_RAISED:
                        given.append((Signal.COMPLAINT_RAISED, True))
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
        if isinstance(event, e.ContactArrived) and event.bot:
            return [Signal.SELF_SERVED]
        if contact_id in self.ledger.revived_now:
            # A message, a call or a word of the agent brings the closed contact back.
            also = [Signal.CUSTOMER_REPLIED] if isinstance(event, e.CustomerReplied) else []
            return [Signal.REOPENED, *also]
        if isinstance(event, e.ContactReopened):
            # Only the wait for the customer was over: the contact had not been closed.
            return [Signal.CUSTOMER_WAIT_ENDED]
        return [] if signal is None else [signal]


def _has_own_contact(event: e.Event, decisions: tuple[Decision, ...]) -> bool:
    """Say whether a complaint is a contact of its own: then it is not heard where it was raised."""
    return isinstance(event, e.ComplaintRaised) and any(
        isinstance(decision, OpenContact) for decision in decisions
    )
