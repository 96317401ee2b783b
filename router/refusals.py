"""Answer events that are not followed: refused with a reason, or noted as telling nothing new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import whys
from router.decisions import NoteDuplicate, Reason, RefuseEvent

if TYPE_CHECKING:
    from router.floor import Floor


def refuse(floor: Floor, reason: Reason, subject: str) -> None:
    """Answer that an event is not followed; nothing changes."""
    floor.out.append(RefuseEvent(reason, subject))


def note_duplicate(floor: Floor, subject: str) -> None:
    """Answer that an event told nothing new; nothing changes."""
    floor.out.append(NoteDuplicate(whys.DUPLICATE, subject))
