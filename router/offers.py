"""Say, for each state of an offer and each event about it, whether it moves.

`OPEN` offers are held out to an agent. `CONNECTING` ones are accepted and not yet connected,
`CONNECTED` ones are the assignment that goes on. `CLOSED` stands for every offer that is over,
`ABSENT` for numbers never given out. Whoever is not the offer's agent is refused before the table
is asked. For closed offers the handler finds the better word: the contact is gone, or somebody
else has it (`contact_gone`, `offer_closed`).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from router import events as e
from router.contacts import MOVE, REPEAT, Outcome
from router.decisions import Reason


class OfferState(IntEnum):
    """Name the states of an offer."""

    OPEN = 0
    CONNECTING = 1
    CONNECTED = 2
    CLOSED = 3
    ABSENT = 4


_UNKNOWN: Final = Reason.UNKNOWN_OFFER
_OVER: Final = Reason.OFFER_CLOSED

OFFER_TABLE: Final[dict[type[e.Event], tuple[Outcome, ...]]] = {
    e.OfferAccepted: (MOVE, REPEAT, REPEAT, _OVER, _UNKNOWN),
    e.OfferDeclined: (MOVE, Reason.WRONG_STATE, Reason.WRONG_STATE, _OVER, _UNKNOWN),
    e.OfferConnected: (Reason.WRONG_STATE, MOVE, REPEAT, _OVER, _UNKNOWN),
    e.OfferConnectFailed: (Reason.WRONG_STATE, MOVE, Reason.WRONG_STATE, _OVER, _UNKNOWN),
}
