"""Word what is wrong with a configuration, and what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]

# Beyond this many names a search for the nearest one costs more than it helps.
_SUGGESTIONS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a configuration, at the value that `path` leads to.

    `at_key` says that the fault is in the last name of the path itself, not in its value.
    `suggestion` is the name that was probably meant ("" if none is near).
    """

    path: Path
    message: str
    suggestion: str = ""
    warning: bool = False
    at_key: bool = False

    def text(self) -> str:
        """Return the message with its suggestion."""
        return (
            f'{self.message}; did you mean "{self.suggestion}"?'
            if self.suggestion
            else self.message
        )


def show_duration(value_ms: int) -> str:
    """Write milliseconds as the configuration does: `90s`, `4h`, `1500ms`."""
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1_000)):
        if value_ms and value_ms % size == 0:
            return f"{value_ms // size}{unit}"
    return f"{value_ms}ms" if value_ms else "0s"


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the known name nearest to `name`, or "" if none is near."""
    names = list(known)
    if len(names) > _SUGGESTIONS_MAX:
        return ""
    folded = {k.casefold(): k for k in reversed(names)}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else ""
