"""Say, for each state of a contact and each event about it, whether it moves.

Two rules for this file: the table is total, and the code, the tests and the picture in the
documentation read it. `MOVE` means that the event is followed (the contact may stay in its state),
`REPEAT` that it told nothing new, a reason that it is refused. An event that is not followed
changes nothing.

A contact waits in line; it may be scheduled for a callback; it is on offer to agents; an agent
has accepted it and it is being connected; it is handled; the agent wraps up; it waits on its
customer; it has ended. `ABSENT` is the state of a contact never heard of; in `SELF_SERVICE` a bot
has it, before anybody else.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, TypeAlias

from router import events as e
from router import states
from router.decisions import Reason


class ContactState(IntEnum):
    """Name the states of a contact."""

    WAITING = states.WAITING
    SCHEDULED = states.SCHEDULED
    OFFERED = states.OFFERED
    CONNECTING = states.CONNECTING
    HANDLING = states.HANDLING
    WRAP_UP = states.WRAP_UP
    AWAITING_CUSTOMER = states.AWAITING_CUSTOMER
    ENDED = states.ENDED
    ABSENT = states.ABSENT
    SELF_SERVICE = states.SELF_SERVICE


class Verdict(IntEnum):
    """Name what happens to an event that is not refused."""

    MOVE = 0
    REPEAT = 1


MOVE: Final = Verdict.MOVE
REPEAT: Final = Verdict.REPEAT
_WRONG: Final = Reason.WRONG_STATE
_CLOSED: Final = Reason.CONTACT_CLOSED
_UNKNOWN: Final = Reason.UNKNOWN_CONTACT
_ANSWERED: Final = Reason.ALREADY_ANSWERED

Outcome: TypeAlias = Verdict | Reason


def _row(usual: Outcome, **others: Outcome) -> tuple[Outcome, ...]:
    """Give one outcome for all states but those named."""
    names = [state.name.lower() for state in ContactState]
    assert others.keys() <= set(names), "a row names states"
    return tuple(others.get(name, usual) for name in names)


# `ContactArrived` for a known contact is a repeat if it says the same, else a conflict
# (`id_conflict`): that is for the handler to see.
CONTACT_TABLE: Final[dict[type[e.Event], tuple[Outcome, ...]]] = {
    e.ContactArrived: _row(REPEAT, absent=MOVE),
    e.ContactHandedOver: _row(
        REPEAT,
        scheduled=_WRONG,
        wrap_up=_WRONG,
        awaiting_customer=_WRONG,
        ended=_CLOSED,
        absent=_UNKNOWN,
        self_service=MOVE,
    ),
    e.ContactUpdated: _row(MOVE, ended=_CLOSED, absent=_UNKNOWN),
    e.ContactTransferred: _row(
        MOVE, wrap_up=_WRONG, ended=_CLOSED, absent=_UNKNOWN, self_service=_WRONG
    ),
    e.ContactHeld: _row(_WRONG, handling=MOVE, ended=_CLOSED, absent=_UNKNOWN),
    e.ContactResumed: _row(_WRONG, handling=MOVE, ended=_CLOSED, absent=_UNKNOWN),
    e.ContactEnded: _row(MOVE, wrap_up=REPEAT, ended=REPEAT),
    e.ContactAbandoned: _row(MOVE, handling=_ANSWERED, wrap_up=_ANSWERED, ended=REPEAT),
    e.ContactResolved: _row(
        _WRONG,
        handling=MOVE,
        wrap_up=MOVE,
        awaiting_customer=MOVE,
        ended=REPEAT,
        absent=_UNKNOWN,
        self_service=MOVE,
    ),
    e.ContactReopened: _row(REPEAT, awaiting_customer=MOVE, ended=MOVE, absent=_UNKNOWN),
    e.CustomerReplied: _row(MOVE, absent=_UNKNOWN, self_service=_WRONG),
    e.AgentReplied: _row(MOVE, ended=_CLOSED, absent=_UNKNOWN, self_service=_WRONG),
    e.CustomerAwaited: _row(
        _WRONG, handling=MOVE, awaiting_customer=REPEAT, ended=_CLOSED, absent=_UNKNOWN
    ),
    e.CustomerWaitEnded: _row(
        REPEAT,
        scheduled=_WRONG,
        wrap_up=_WRONG,
        awaiting_customer=MOVE,
        ended=_CLOSED,
        absent=_UNKNOWN,
        self_service=_WRONG,
    ),
    e.CallbackRequested: _row(
        MOVE,
        connecting=_ANSWERED,
        handling=_ANSWERED,
        wrap_up=_ANSWERED,
        awaiting_customer=_WRONG,
        ended=_CLOSED,
        absent=_UNKNOWN,
        self_service=_WRONG,
    ),
    e.CallbackFailed: _row(
        _WRONG, connecting=MOVE, handling=MOVE, wrap_up=MOVE, ended=_CLOSED, absent=_UNKNOWN
    ),
    e.ContactRedialled: _row(
        REPEAT,
        scheduled=_WRONG,
        handling=_WRONG,
        wrap_up=_WRONG,
        awaiting_customer=_WRONG,
        ended=MOVE,
        absent=_UNKNOWN,
    ),
    e.ContactMerged: _row(MOVE, ended=REPEAT, absent=_UNKNOWN),
    e.ComplaintRaised: _row(MOVE, absent=_UNKNOWN),
    e.NoteAdded: _row(MOVE, absent=_UNKNOWN),
    e.SurveyAnswered: _row(_WRONG, ended=MOVE, absent=_UNKNOWN),
    e.WrapUpEnded: _row(_WRONG, wrap_up=MOVE, ended=REPEAT, absent=_UNKNOWN),
}
