"""Define every measure by its formula, once, over plain counts.

Each function takes whole numbers and returns a ratio between 0 and 1, or None where there is
nothing to divide by: an empty queue has no service level, not a good or a bad one. These are
the only places where a measure becomes a float; `router.measures` keeps integers only. Report,
board and metrics call these functions and no other.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class ServiceCounts(NamedTuple):
    """Count decided contacts of a line: all that a service level needs.

    `abandoned` and `abandoned_in_time` include the short ones. `expired` contacts were sent away
    by the wait limit. Deflected, overflowed and called-back contacts are decided elsewhere and
    stand in no service level of the line that they left.
    """

    answered: int
    answered_in_time: int
    abandoned: int = 0
    abandoned_in_time: int = 0
    short_abandoned: int = 0
    expired: int = 0

    @property
    def offered(self) -> int:
        """Return the contacts that were this line's to answer: answered, abandoned, expired."""
        return self.answered + self.abandoned + self.expired


def ratio(part: int, whole: int) -> float | None:
    """Return part over whole, None when the whole is nothing."""
    return part / whole if whole > 0 else None


def answered_and_abandoned_in_time_over_offered(counts: ServiceCounts) -> float | None:
    """Count an abandonment within the threshold as a success (ICMI's example: 83.0 %)."""
    return ratio(counts.answered_in_time + counts.abandoned_in_time, counts.offered)


def answered_in_time_over_answered(counts: ServiceCounts) -> float | None:
    """Look at answered contacts only (ICMI's example: 86.0 %)."""
    return ratio(counts.answered_in_time, counts.answered)


def answered_in_time_over_answered_and_abandoned(counts: ServiceCounts) -> float | None:
    """Count every abandonment as a failure (ICMI's example: 81.1 %)."""
    return ratio(counts.answered_in_time, counts.answered + counts.abandoned)


def answered_in_time_over_answered_and_late_abandoned(counts: ServiceCounts) -> float | None:
    """Count abandonments after the threshold as failures, forget the others (82.7 %)."""
    late = counts.abandoned - counts.abandoned_in_time
    return ratio(counts.answered_in_time, counts.answered + late)


def answered_in_time_and_short_abandoned_over_offered(counts: ServiceCounts) -> float | None:
    """Count only a short abandonment as a success (ICMI's example: 82.1 %)."""
    return ratio(counts.answered_in_time + counts.short_abandoned, counts.offered)


def answered_in_time_over_offered_less_short(counts: ServiceCounts) -> float | None:
    """Forget short abandonments, count the rest (81.9 %). The default of this product."""
    return ratio(counts.answered_in_time, counts.offered - counts.short_abandoned)


SERVICE_LEVELS: Final = {
    function.__name__: function
    for function in (
        answered_and_abandoned_in_time_over_offered,
        answered_in_time_over_answered,
        answered_in_time_over_answered_and_abandoned,
        answered_in_time_over_answered_and_late_abandoned,
        answered_in_time_and_short_abandoned_over_offered,
        answered_in_time_over_offered_less_short,
    )
}
service_level = answered_in_time_over_offered_less_short
SERVICE_LEVEL_DEFINITION: Final = "answered in time over offered less short abandons"


def average_speed_of_answer_ms(answered_wait_ms: int, answered: int) -> float | None:
    """Return the mean wait of answered contacts, in milliseconds."""
    return ratio(answered_wait_ms, answered)


def abandonment(counts: ServiceCounts) -> float | None:
    """Return all abandoned contacts over offered ones."""
    return ratio(counts.abandoned, counts.offered)


def abandonment_without_short(counts: ServiceCounts) -> float | None:
    """Return abandoned over offered contacts, the short abandonments left out of both."""
    short = counts.short_abandoned
    return ratio(counts.abandoned - short, counts.offered - short)


def sla_met_share(met: int, breached: int) -> float | None:
    """Return met over met and breached clocks; canceled ones count in neither."""
    return ratio(met, met + breached)


def offers_per_assignment(offers: int, assignments: int) -> float | None:
    """Return how many offers an assignment took; 1 is the best, it may exceed 1."""
    return ratio(offers, assignments)


def average_handle_time_ms(
    talk_ms: int, hold_ms: int, wrap_up_ms: int, handled: int
) -> float | None:
    """Return the mean of talk, hold and wrap-up time together, in milliseconds."""
    return ratio(talk_ms + hold_ms + wrap_up_ms, handled)


def occupancy_over_signed_in(busy_ms: int, signed_in_ms: int) -> float | None:
    """Return the share of signed-in time in which an agent handled or wrapped up.

    An agent with three chats is busy once. Ringing (an offer held out) is not busy time.
    """
    return ratio(busy_ms, signed_in_ms)
