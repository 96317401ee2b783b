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

# Columns: WAITING, SCHEDULED, OFFERED, CONNECTING, HANDLING, WRAP_UP, AWAITING_CUSTOMER, ENDED,
# ABSENT, SELF_SERVICE. `ContactArrived` for a known contact is a repeat if it says the same, else a
# conflict (`id_conflict`): that is for the handler to see.
_ROWS: Final[dict[type[e.Event], tuple[Outcome, ...]]] = {
    e.ContactArrived: (
        REPEAT,
        REPEAT,
        REPEAT,
        REPEAT,
        REPEAT,
        REPEAT,
        REPEAT,
        REPEAT,
        MOVE,
        REPEAT,
    ),
    e.ContactHandedOver: (
        REPEAT,
        _WRONG,
        REPEAT,
        REPEAT,
        REPEAT,
        _WRONG,
        _WRONG,
        _CLOSED,
        _UNKNOWN,
        MOVE,
    ),
    e.ContactUpdated: (MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, _CLOSED, _UNKNOWN, MOVE),
    e.ContactTransferred: (MOVE, MOVE, MOVE, MOVE, MOVE, _WRONG, MOVE, _CLOSED, _UNKNOWN, _WRONG),
    e.ContactHeld: (
        _WRONG,
        _WRONG,
        _WRONG,
        _WRONG,
        MOVE,
        _WRONG,
        _WRONG,
        _CLOSED,
        _UNKNOWN,
        _WRONG,
    ),
    e.ContactResumed: (
        _WRONG,
        _WRONG,
        _WRONG,
        _WRONG,
        MOVE,
        _WRONG,
        _WRONG,
        _CLOSED,
        _UNKNOWN,
        _WRONG,
    ),
    e.ContactEnded: (MOVE, MOVE, MOVE, MOVE, MOVE, REPEAT, MOVE, REPEAT, MOVE, MOVE),
    e.ContactAbandoned: (MOVE, MOVE, MOVE, MOVE, _ANSWERED, _ANSWERED, MOVE, REPEAT, MOVE, MOVE),
    e.ContactResolved: (_WRONG, _WRONG, _WRONG, _WRONG, MOVE, MOVE, MOVE, REPEAT, _UNKNOWN, MOVE),
    e.ContactReopened: (
        REPEAT,
        REPEAT,
        REPEAT,
        REPEAT,
        REPEAT,
        REPEAT,
        MOVE,
        MOVE,
        _UNKNOWN,
        REPEAT,
    ),
    e.CustomerReplied: (MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, _UNKNOWN, _WRONG),
    e.AgentReplied: (MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, _CLOSED, _UNKNOWN, _WRONG),
    e.CustomerAwaited: (
        _WRONG,
        _WRONG,
        _WRONG,
        _WRONG,
        MOVE,
        _WRONG,
        REPEAT,
        _CLOSED,
        _UNKNOWN,
        _WRONG,
    ),
    e.CustomerWaitEnded: (
        REPEAT,
        _WRONG,
        REPEAT,
        REPEAT,
        REPEAT,
        _WRONG,
        MOVE,
        _CLOSED,
        _UNKNOWN,
        _WRONG,
    ),
    e.CallbackRequested: (
        MOVE,
        MOVE,
        MOVE,
        _ANSWERED,
        _ANSWERED,
        _ANSWERED,
        _WRONG,
        _CLOSED,
        _UNKNOWN,
        _WRONG,
    ),
    e.CallbackFailed: (_WRONG, _WRONG, _WRONG, MOVE, MOVE, MOVE, _WRONG, _CLOSED, _UNKNOWN, _WRONG),
    e.ContactRedialled: (
        REPEAT,
        _WRONG,
        REPEAT,
        REPEAT,
        _WRONG,
        _WRONG,
        _WRONG,
        MOVE,
        _UNKNOWN,
        REPEAT,
    ),
    e.ContactMerged: (MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, REPEAT, _UNKNOWN, MOVE),
    e.ComplaintRaised: (MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, _UNKNOWN, MOVE),
    e.NoteAdded: (MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, MOVE, _UNKNOWN, MOVE),
    e.SurveyAnswered: (
        _WRONG,
        _WRONG,
        _WRONG,
        _WRONG,
        _WRONG,
        _WRONG,
        _WRONG,
        MOVE,
        _UNKNOWN,
        _WRONG,
    ),
    e.WrapUpEnded: (_WRONG, _WRONG, _WRONG, _WRONG, _WRONG, MOVE, _WRONG, REPEAT, _UNKNOWN, _WRONG),
}

CONTACT_TABLE: Final[dict[type[e.Event], tuple[Outcome, ...]]] = _ROWS
