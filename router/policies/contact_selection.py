"""Rank the heads of the lines from which a free agent may take a contact.

Within a lane (same queue, needs, channel, priority and promised time) every policy takes the
older contact first. Between lanes a policy compares a tier, then a place shifted by an offset; both
are constants of the lane, so heads are compared without arithmetic on the clock.

Sources. Linear ageing is Kleinrock's delay-dependent priority with a head start instead of a slope
(Kleinrock, "A delay dependent queue discipline", 1964). Earliest deadline: Liu & Layland, 1973;
for call centres Gurvich & Whitt treat it as a special case of queue ratios.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from router.center import ContactPolicy
from router.decisions import Reason

# rank(priority, lead_ms, ageing_points_ms) -> (tier, offset_ms): the lowest
# (tier, arrival + offset) goes first. `lead_ms` is the shortest promised time of the lane, 0 if
# nothing is promised.
Rank = Callable[[int, int, int], tuple[int, int]]

_NO_PROMISE_MS: Final = 10 * 365 * 86_400_000


def rank_priority_then_age(priority: int, lead_ms: int, points_ms: int) -> tuple[int, int]:
    """Take the highest priority, within it the oldest."""
    return 9 - priority, 0


def rank_linear_ageing(priority: int, lead_ms: int, points_ms: int) -> tuple[int, int]:
    """Take the highest score of wait plus points for priority."""
    return 0, -priority * points_ms


def rank_earliest_deadline(priority: int, lead_ms: int, points_ms: int) -> tuple[int, int]:
    """Take the contact whose shortest promise is due first.

    Promises that start at arrival count, from the arrival on, whether or not they are kept already.
    """
    return 0, lead_ms or _NO_PROMISE_MS


POLICIES: Final[dict[ContactPolicy, tuple[Rank, Reason]]] = {
    ContactPolicy.PRIORITY_THEN_AGE: (rank_priority_then_age, Reason.PRIORITY_THEN_AGE),
    ContactPolicy.LINEAR_AGEING: (rank_linear_ageing, Reason.LINEAR_AGEING),
    ContactPolicy.EARLIEST_DEADLINE: (rank_earliest_deadline, Reason.EARLIEST_DEADLINE),
}

POLICY_ORDER: Final[tuple[ContactPolicy, ...]] = tuple(ContactPolicy)


def lane_ranks(
    priority: int, lead_ms: int, points_ms: int, place_bits: int
) -> list[tuple[int, int]]:
    """Return (tier, offset of the place) per policy, in `POLICY_ORDER`."""
    ranks = []
    for policy in POLICY_ORDER:
        tier, offset_ms = POLICIES[policy][0](priority, lead_ms, points_ms)
        ranks.append((tier, offset_ms << place_bits))
    return ranks
