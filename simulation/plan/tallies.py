"""Count one day: per demand and interval of arrival, per group and interval, per promise.

A contact is counted in the interval in which it arrived, and decided at answer or exit, not at
hang-up. Durations are milliseconds. Every figure of a study is a sum of these, or a ratio of
sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


class Count(IntEnum):
    """Name what is counted per demand and interval of arrival.

    FRESH: arrivals of the drawn process, those whom a bot settled included. ARRIVED: at the
    router, redials and repeats included = ANSWERED + ABANDONED + BLOCKED + DEFLECTED + EXPIRED
    + CLEARED + CALLBACKS + CARRIED. IN_TIME: answered within the demand's time. DELAYED: not
    taken at once.
    SHORT and ABANDONED_IN_TIME are parts of ABANDONED, BALKED too. CARRIED wait at the end,
    CARRIED_LATE those of them who wait too long already. WAIT_MS: of all that left the line.
    FIRST_ANSWERED: answered at the first attempt, a part of ANSWERED. DIALLED: numbers a dialer
    tried; those that answer are ARRIVED.

    Two stand in the interval of the clock instead: QUEUED_MS is the same waiting (CARRIED too) when
    it is spent, so that over the interval's length it is the mean queue; LEFT are ABANDONED when
    they leave.
    """

    FRESH = 0
    BOT = 1
    ARRIVED = 2
    REDIALS = 3
    REPEATS = 4
    DELAYED = 5
    ANSWERED = 6
    IN_TIME = 7
    ABANDONED = 8
    ABANDONED_IN_TIME = 9
    SHORT = 10
    BALKED = 11
    BLOCKED = 12
    DEFLECTED = 13
    EXPIRED = 14
    CLEARED = 15
    CARRIED = 16
    CARRIED_LATE = 17
    CALLBACKS = 18
    RESOLVED = 19
    TRANSFERS = 20
    WAIT_MS = 21
    WAIT_ANSWERED_MS = 22
    TALK_MS = 23
    WRAP_UP_MS = 24
    OFFERS = 25
    CARRIED_WAIT_MS = 26
    FIRST_ANSWERED = 27
    QUEUED_MS = 28
    LEFT = 29
    DIALLED = 30


class Staffed(IntEnum):
    """Name what is counted per group of agents and interval of the clock, in ms but HANDLED.

    PAID: planned working time, whoever is absent included. SIGNED_IN: at the desk, pauses
    included. AWAY: pauses that began. BUSY: with at least one contact, wrap-up included.
    AFTER: signed in after the end of the shift. HANDLED: contacts, in the interval of the answer.
    """

    PAID = 0
    SIGNED_IN = 1
    AWAY = 2
    BUSY = 3
    AFTER = 4
    HANDLED = 5


def _edges() -> tuple[int, ...]:
    """Return edges (ms) that are at most 4.5 % apart, from 250 ms to two days."""
    edges, value = [0], 250.0
    while value < 172_800_000:
        edges.append(round(value))
        value *= 2 ** (1 / 16)
    return tuple(edges)


WAIT_EDGES_MS: Final = _edges()


@dataclass(frozen=True)
class Tally:
    """All that is kept of one day.

    `counts[demand, interval, Count]`, `staffed[group, interval, Staffed]`,
    `promises[promise, (met, breached)]`, `waits[demand, bucket]`: answered contacts whose wait is
    at most `WAIT_EDGES_MS[bucket]` and more than the edge before; `busyness[demand]`: the day's
    factor; `served[group, demand]`: contacts begun, by whom; `ended_ms`: when the last contact
    was over, from opening. The last interval also holds what happens after closing.
    """

    replication: int
    counts: Counts
    staffed: Counts
    promises: Counts
    waits: Counts
    busyness: NDArray[np.float64]
    served: Counts
    ended_ms: int
