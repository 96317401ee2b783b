"""Name where a contact is, as far as decisions told: plain numbers, compared at every step."""

from __future__ import annotations

from typing import Final

WAITING: Final = 1
SERVED: Final = 2
WRAP_UP: Final = 3
LOOSE: Final = 4
CALLBACK: Final = 5
CLOSED: Final = 6
