"""Say, for each state of an agent's session and each event about it, whether it moves.

*Presence* is the person's choice and decides between `READY` and `AWAY`; what the router makes
of it (idle, offered, handling, wrap-up) follows from the work in hand: `work_state`. Events of an
older session are stale before the table is asked; events of an agent never configured are refused.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from router import events as e
from router import states
from router.contacts import MOVE, REPEAT, Outcome
from router.decisions import Reason


class AgentState(IntEnum):
    """Name the states of an agent's session."""

    SIGNED_OUT = states.SIGNED_OUT
    READY = states.READY
    AWAY = states.AWAY
    LOST = states.LOST


_OUT: Final = Reason.SIGNED_OUT

# A repeated sign-in or presence is seen by the handler (same session, same presence).
AGENT_TABLE: Final[dict[type[e.Event], tuple[Outcome, ...]]] = {
    e.AgentSignedIn: (MOVE, MOVE, MOVE, MOVE),
    e.AgentSignedOut: (_OUT, MOVE, MOVE, MOVE),
    e.AgentPresenceChanged: (_OUT, MOVE, MOVE, MOVE),
    e.AgentSkillsChanged: (MOVE, MOVE, MOVE, MOVE),
    e.AgentCapacityChanged: (MOVE, MOVE, MOVE, MOVE),
    e.AgentHeartbeat: (_OUT, MOVE, MOVE, MOVE),
    e.AgentLost: (_OUT, MOVE, MOVE, REPEAT),
}
