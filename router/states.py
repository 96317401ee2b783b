"""Number the states, for the records and the hot path.

The enumerations `ContactState`, `AgentState` and `OfferState` give these numbers their names for
people and tables; plain integers are what is compared on every event.
"""

from __future__ import annotations

from typing import Final

# contacts
WAITING: Final = 0
SCHEDULED: Final = 1
OFFERED: Final = 2
CONNECTING: Final = 3
HANDLING: Final = 4
WRAP_UP: Final = 5
AWAITING_CUSTOMER: Final = 6
ENDED: Final = 7
ABSENT: Final = 8
SELF_SERVICE: Final = 9

# agents
SIGNED_OUT: Final = 0
READY: Final = 1
AWAY: Final = 2
LOST: Final = 3
