"""Count while a day is played: the columns of its rows as plain numbers, and time by intervals.

The columns are those of `tallies.Count` and `tallies.Staffed`. A day looks them up a dozen times
a contact, and a member of an enumeration costs ten times as much as a number.
"""

from __future__ import annotations

from typing import Final

from simulation.plan.tallies import Count, Staffed

FRESH: Final = int(Count.FRESH)
BOT: Final = int(Count.BOT)
ARRIVED: Final = int(Count.ARRIVED)
REDIALS: Final = int(Count.REDIALS)
REPEATS: Final = int(Count.REPEATS)
DELAYED: Final = int(Count.DELAYED)
ANSWERED: Final = int(Count.ANSWERED)
IN_TIME: Final = int(Count.IN_TIME)
ABANDONED: Final = int(Count.ABANDONED)
ABANDONED_IN_TIME: Final = int(Count.ABANDONED_IN_TIME)
SHORT: Final = int(Count.SHORT)
BALKED: Final = int(Count.BALKED)
BLOCKED: Final = int(Count.BLOCKED)
DEFLECTED: Final = int(Count.DEFLECTED)
EXPIRED: Final = int(Count.EXPIRED)
CLEARED: Final = int(Count.CLEARED)
CARRIED: Final = int(Count.CARRIED)
CARRIED_LATE: Final = int(Count.CARRIED_LATE)
CALLBACKS: Final = int(Count.CALLBACKS)
RESOLVED: Final = int(Count.RESOLVED)
TRANSFERS: Final = int(Count.TRANSFERS)
WAIT_MS: Final = int(Count.WAIT_MS)
WAIT_ANSWERED_MS: Final = int(Count.WAIT_ANSWERED_MS)
TALK_MS: Final = int(Count.TALK_MS)
WRAP_UP_MS: Final = int(Count.WRAP_UP_MS)
OFFERS: Final = int(Count.OFFERS)
CARRIED_WAIT_MS: Final = int(Count.CARRIED_WAIT_MS)
FIRST_ANSWERED: Final = int(Count.FIRST_ANSWERED)
QUEUED_MS: Final = int(Count.QUEUED_MS)
LEFT: Final = int(Count.LEFT)
DIALLED: Final = int(Count.DIALLED)

PAID: Final = int(Staffed.PAID)
SIGNED_IN: Final = int(Staffed.SIGNED_IN)
AWAY: Final = int(Staffed.AWAY)
BUSY: Final = int(Staffed.BUSY)
AFTER: Final = int(Staffed.AFTER)
HANDLED: Final = int(Staffed.HANDLED)


def interval_of(offset_ms: int, interval_ms: int, intervals: int) -> int:
    """Return the interval in which an offset lies; what is outside belongs to the nearest."""
    if offset_ms <= 0:
        return 0
    index = offset_ms // interval_ms
    return index if index < intervals else intervals - 1


def spread(
    rows: list[list[int]], column: int, since_ms: int, until_ms: int, interval_ms: int
) -> None:
    """Add a stretch of time to the intervals in which it lies, the rest to the last one."""
    last = len(rows) - 1
    index = interval_of(since_ms, interval_ms, last + 1)
    while since_ms < until_ms:
        end_ms = until_ms
        if index < last:
            end_ms = min(until_ms, (index + 1) * interval_ms)
        rows[index][column] += end_ms - since_ms
        since_ms = end_ms
        if index < last:
            index += 1
