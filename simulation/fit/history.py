"""Hold what happened: counts per interval, and single contacts where they are known.

A *source* is a category on a channel. Its `CountTable` has a row per local day and a column per
interval of the local clock; the hour that a clock repeats is counted into one column.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from simulation.fit.figures import Array, Flags
from simulation.fit.local_time import to_local

DAY_MINUTES: Final = 1440


class Ending(Enum):
    """Say how a visit to a queue ended; after `OTHER` the customer would have waited on."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One contact in one queue. Times are seconds; None: not known, or never begun.

    `handle_open` and `wrap_up_open` say that it was still going on when the record ended.
    `reply_s` is from the answer to the agent's first written reply. `shared_s[j]` is the time of
    the handling at which the agent had j + 1 contacts of the channel, `shared_last` how many he
    had at its end (0: not known). `redials` is the contact's number of earlier attempts.
    """

    arrived_ms: int
    category: str
    channel: str
    queue: str
    ending: Ending
    wait_s: float | None = None
    handle_s: float | None = None
    handle_open: bool = False
    wrap_up_s: float | None = None
    wrap_up_open: bool = False
    reply_s: float | None = None
    agent: str = ""
    customer: str = ""
    shared_s: tuple[float, ...] = ()
    shared_last: int = 0
    redials: int = 0


@dataclass(frozen=True, kw_only=True)
class CountTable:
    """Counts of one source, days by intervals; handled contacts and their seconds where known."""

    category: str
    channel: str
    minutes: int
    days: tuple[date, ...]
    offered: Array
    handled: Array | None = None
    handle_s: Array | None = None
    abandoned: Array | None = None

    @property
    def name(self) -> str:
        """Return the source's name."""
        return f"{self.category} ({self.channel})"

    @property
    def totals(self) -> Array:
        """Return the day's totals."""
        found: Array = self.offered.sum(axis=1)
        return found

    def select(self, kept: Flags) -> CountTable:
        """Return the table of some days (booleans)."""
        chosen = np.flatnonzero(kept)
        return CountTable(
            category=self.category,
            channel=self.channel,
            minutes=self.minutes,
            days=tuple(self.days[index] for index in chosen),
            offered=self.offered[chosen],
            handled=None if self.handled is None else self.handled[chosen],
            handle_s=None if self.handle_s is None else self.handle_s[chosen],
            abandoned=None if self.abandoned is None else self.abandoned[chosen],
        )

    def coarser(self, minutes: int) -> CountTable:
        """Return the table in longer intervals, a multiple of its own."""
        assert minutes % self.minutes == 0, "longer intervals hold whole ones"
        step = minutes // self.minutes

        def merged(counts: Array | None) -> Array | None:
            if counts is None:
                return None
            found: Array = counts.reshape(len(self.days), -1, step).sum(axis=2)
            return found

        offered = merged(self.offered)
        assert offered is not None, "offered counts are always there"
        return CountTable(
            category=self.category,
            channel=self.channel,
            minutes=minutes,
            days=self.days,
            offered=offered,
            handled=merged(self.handled),
            handle_s=merged(self.handle_s),
            abandoned=merged(self.abandoned),
        )


@dataclass(frozen=True, kw_only=True)
class OfferCounts:
    """How agents answered offers on one channel; `reaction_s` until they accepted."""

    channel: str
    offered: int
    accepted: int
    declined: int
    expired: int
    withdrawn: int
    reaction_s: Array


@dataclass(frozen=True, kw_only=True)
class Presence:
    """When an agent was signed in, and when he took work; (from, to) in milliseconds."""

    agent: str
    signed_in_ms: tuple[tuple[int, int], ...]
    working_ms: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Shift:
    """When an agent should have worked; breaks as (from, to)."""

    agent: str
    start_ms: int
    end_ms: int
    breaks_ms: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class History:
    """Everything known of the past of a centre.

    `span_ms` is the time that a record of single contacts covers; `notes` say what was made of
    the source.
    """

    source: str
    zone: str
    tables: tuple[CountTable, ...]
    visits: tuple[Visit, ...] = ()
    offers: tuple[OfferCounts, ...] = ()
    presences: tuple[Presence, ...] = ()
    shifts: tuple[Shift, ...] = ()
    span_ms: tuple[int, int] = (0, 0)
    notes: tuple[str, ...] = ()

    def replaced(
        self,
        *,
        tables: tuple[CountTable, ...] | None = None,
        visits: tuple[Visit, ...] | None = None,
        shifts: tuple[Shift, ...] | None = None,
    ) -> History:
        """Return the history with other parts."""
        return replace(
            self,
            tables=self.tables if tables is None else tables,
            visits=self.visits if visits is None else visits,
            shifts=self.shifts if shifts is None else shifts,
        )


def tabulate(visits: Iterable[Visit], zone: ZoneInfo, minutes: int) -> tuple[CountTable, ...]:
    """Count arrivals per source, local day and interval. Redials are no arrivals of their own."""
    found: dict[tuple[str, str], dict[date, Array]] = {}
    days: dict[date, None] = {}
    for visit in visits:
        if visit.redials:
            continue
        local = to_local(visit.arrived_ms, zone)
        table = found.setdefault((visit.category, visit.channel), {})
        day = local.date()
        days[day] = None
        row = table.get(day)
        if row is None:
            row = table[day] = np.zeros(DAY_MINUTES // minutes)
        row[(local.hour * 60 + local.minute) // minutes] += 1
    order = tuple(sorted(days))
    empty = np.zeros(DAY_MINUTES // minutes)
    return tuple(
        CountTable(
            category=category,
            channel=channel,
            minutes=minutes,
            days=order,
            offered=np.array([table.get(day, empty) for day in order]),
        )
        for (category, channel), table in sorted(found.items())
    )
