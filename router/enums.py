"""Make the members of an enum as cheap as constants, and as keys as cheap as any object.

CPython 3.11 looks every `Reason.ARRIVED` up through a descriptor and hashes every member by calling
Python code; later versions keep members as plain attributes of the class, and so does this. The
words of decisions and of the measures are read several times an event.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

E = TypeVar("E", bound=Enum)


def plain(words: type[E]) -> type[E]:
    """Decorate an enum: members become plain attributes, hashed by identity; all else stays."""
    for name, member in words.__members__.items():
        # The enum's own class refuses to set a member again.
        type.__setattr__(words, name, member)
    type.__setattr__(words, "__hash__", object.__hash__)
    return words
