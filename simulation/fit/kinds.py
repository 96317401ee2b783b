"""Say what our planning files hold: counts, contacts, staffing, shifts, rates; a table each.

Which kind a file is shows in its columns. Most users begin with the first: a row
per interval and queue.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from simulation.fit.layouts import channel_of
from simulation.fit.tables import Cell

Value: TypeAlias = str | float | int
_DAY_S: Final = 86_400
_separated = re.compile(r"[\d.,' ]*\d[,' ][\d.,' ]*", re.ASCII).fullmatch


class ValueRefusedError(ValueError):
    """A value that is not what its column holds."""


def number(cell: Cell) -> float:
    """Return a number that is not negative."""
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    try:
        value = float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        hint = "; write 1234 or 1234.5, without separators" if _has_separators(cell) else ""
        raise ValueRefusedError(f"is no number{hint}") from None
    if not (math.isfinite(value) and value >= 0) or isinstance(cell, bool):
        raise ValueRefusedError("must be a number from 0 on")
    return value


def _has_separators(cell: Cell) -> bool:
    return isinstance(cell, str) and _separated(cell.strip()) is not None


def seconds(cell: Cell) -> float:
    """Return a duration of a contact in seconds: `205`, `3:25` (minutes), `0:03:25`."""
    if isinstance(cell, time):
        return cell.hour * 3600.0 + cell.minute * 60.0 + cell.second
    parts = cell.strip().split(":") if isinstance(cell, str) else []
    if 2 <= len(parts) <= 3 and all(part.replace(".", "", 1).isdigit() for part in parts):
        value = 0.0
        for part in parts:
            value = 60 * value + float(part)
    else:
        value = number(cell)
    if value > _DAY_S:
        raise ValueRefusedError("is longer than a day; write seconds, or 0:03:25")
    return value


def share(cell: Cell) -> float:
    """Return a share between 0 and 1; `85%` and 85 are .85."""
    text = cell.removesuffix("%").strip() if isinstance(cell, str) else cell
    value = number(text)
    if value > 1 or (isinstance(cell, str) and cell.endswith("%")):
        value /= 100
    if value > 1:
        raise ValueRefusedError("must be a share: .85, 85 or 85%")
    return value


def minutes(cell: Cell) -> int:
    """Return the length of an interval, a divisor of the day."""
    value = number(cell)
    if value < 1 or value != int(value) or 1440 % int(value):
        raise ValueRefusedError("must be whole minutes that divide the day, such as 15 or 30")
    return int(value)


def text(cell: Cell) -> str:
    """Return a text; whole numbers lose their decimals."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def channel(cell: Cell) -> str:
    """Return our name of a channel."""
    return channel_of(text(cell))


def outcome(cell: Cell) -> str:
    """Return how a visit to a queue ended: answered, abandoned, or other."""
    word = text(cell).strip().lower()
    if word in {"answered", "handled", "agent", "served"}:
        return "answered"
    if word in {"abandoned", "abandon", "hang", "hung up"}:
        return "abandoned"
    if word in {"other", "deflected", "overflowed", "callback", "expired", "open", "waiting"}:
        return "other"
    raise ValueRefusedError("is no outcome; write answered, abandoned or other")


def fold(cell: Cell) -> int:
    """Return which pass of a repeated hour is meant."""
    value = number(cell)
    if value not in {0, 1}:
        raise ValueRefusedError("must be 0 (first pass) or 1 (second)")
    return int(value)


@dataclass(frozen=True, kw_only=True)
class Field:
    """Describe one column: how it is read, and whether a row needs it.

    `instant` columns are read with the file's clock.
    """

    read: Callable[[Cell], Value] = text
    required: bool = False
    instant: bool = False


class Kind(StrEnum):
    """Name the kinds of planning files."""

    COUNTS = "counts"
    CONTACTS = "contacts"
    STAFFING = "staffing"
    SHIFTS = "shifts"
    RATES = "rates"


_WHEN: Final = {
    "interval_start": Field(required=True, instant=True),
    "interval_minutes": Field(read=minutes),
    "timezone": Field(),
    "fold": Field(read=fold),
}

# The first instant of a row comes first: its local time and queue tell rows apart.
KINDS: Final[dict[Kind, dict[str, Field]]] = {
    Kind.COUNTS: {
        **_WHEN,
        "queue": Field(required=True),
        "channel": Field(read=channel),
        "offered": Field(read=number, required=True),
        "handled": Field(read=number),
        "abandoned": Field(read=number),
        "aht_seconds": Field(read=seconds),
        "handle_seconds": Field(read=number),
        "service_level": Field(read=share),
    },
    Kind.CONTACTS: {
        "arrived_at": Field(required=True, instant=True),
        "timezone": Field(),
        "fold": Field(read=fold),
        "queue": Field(required=True),
        "category": Field(),
        "channel": Field(read=channel),
        "outcome": Field(read=outcome, required=True),
        "wait_seconds": Field(read=seconds, required=True),
        "handle_seconds": Field(read=seconds),
        "wrap_up_seconds": Field(read=seconds),
        "reply_seconds": Field(read=seconds),
        "agent": Field(),
        "customer": Field(),
        "concurrent": Field(read=number),
    },
    Kind.STAFFING: {
        **_WHEN,
        "group": Field(required=True),
        "agents": Field(read=number, required=True),
    },
    Kind.SHIFTS: {
        "start": Field(required=True, instant=True),
        "end": Field(required=True, instant=True),
        "timezone": Field(),
        "fold": Field(read=fold),
        "agent": Field(required=True),
        "skills": Field(),
        "break_start": Field(instant=True),
        "break_end": Field(instant=True),
    },
    Kind.RATES: {
        "group": Field(required=True),
        "cost_per_hour": Field(read=number, required=True),
    },
}


def kind_of(columns: frozenset[str]) -> Kind | None:
    """Return the kind of file with these columns of ours; None when it is none."""
    for kind, fields in KINDS.items():
        if all(name in columns for name, spec in fields.items() if spec.required):
            return kind
    return None


def nearest_kind(columns: frozenset[str]) -> tuple[Kind, tuple[str, ...]]:
    """Return the kind that a file is most like, and which columns it lacks for it."""

    def missing(kind: Kind) -> tuple[str, ...]:
        fields = KINDS[kind].items()
        return tuple(name for name, spec in fields if spec.required and name not in columns)

    # What a file is like shows in all of its columns, not in the needed ones alone; most users have
    # counts, the first.
    kind = max(KINDS, key=lambda name: len(columns & KINDS[name].keys()) - len(missing(name)))
    return kind, missing(kind)
