"""Rank the contacts from which a free agent may take one.

Within a lane (same queue, needs, channel, priority and promised time) the older contact comes
first, so a policy compares the heads of lanes. There are three kinds of policies:

- *placed*: a tier and an offset of the place, both constants of the lane (priority then age, linear
  ageing). Nothing is computed when heads are compared.
- *dated*: by an instant that changes only when one of the contact's clocks does (earliest
  deadline). Each demand keeps its contacts sorted by it: O(log contacts) per change.
- *scored*: by a number that grows while the contact waits, computed for heads alone: O(lanes that
  the agent may serve) per choice, whatever the number of contacts and agents. A higher priority
  goes first; the score decides among equals, so that a step or a promise can lift a contact
  out of any of them.

Sources. Linear ageing is Kleinrock's delay-dependent priority with a head start instead of a slope,
the longest weighted wait is the original (Kleinrock, "A delay dependent queue discipline", Naval
Research Logistics Quarterly 11, 1964). Earliest deadline: Liu & Layland, 1973. Generalized c-mu:
Van Mieghem, "Dynamic scheduling with convex delay costs", Annals of Applied Probability 5, 1995;
Mandelbaum & Stolyar, "Scheduling flexible servers with convex delay costs", Operations Research 52,
2004; due dates: Van Mieghem, "Due-date scheduling", Operations Research 51, 2003. Fixed queue
ratio: Gurvich & Whitt, "Scheduling flexible servers with convex delay costs in many-server service
systems", M&SOM 11, 2009. Pairs by weight: Chan, Koole & L'Ecuyer, "Dynamic call center routing
policies using call waiting and agent idle times", M&SOM 16, 2014. All arithmetic is on integers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from router.center import ContactPolicy
from router.decisions import Reason
from router.records import BREACHED, RUNNING

if TYPE_CHECKING:
    from router.lines import Lane
    from router.records import Contact

# rank(priority, ageing_points_ms) -> (tier, offset_ms): the lowest (tier, arrival + offset)
# goes first.
Rank = Callable[[int, int], tuple[int, int]]

# score(lane, wait_ms, waiting, shares) -> the highest goes first. `waiting` counts all who wait in
# the centre, `shares` sums the shares of its queues.
Score = Callable[["Lane", int, int, int], int]

NO_PROMISE_MS: Final = 10 * 365 * 86_400_000

# Marginal costs are quotients; so many bits keep a millisecond of a long promise apart.
_FRACTION_BITS: Final = 40


def rank_priority_then_age(priority: int, points_ms: int) -> tuple[int, int]:
    """Take the highest priority, within it the oldest."""
    return 9 - priority, 0


def rank_linear_ageing(priority: int, points_ms: int) -> tuple[int, int]:
    """Take the highest score of wait plus points for priority."""
    return 0, -priority * points_ms


def due_ms(contact: Contact) -> int:
    """Return the earliest deadline (ms) of the contact's running clocks.

    A broken promise keeps its deadline until it is answered, so the longest overdue goes first; a
    clock that is paused or over sets none. Without any: long after everybody who has one, by age.
    """
    earliest_ms = contact.arrived_ms + NO_PROMISE_MS
    clock = contact.clocks
    while clock is not None:
        if clock.phase in (RUNNING, BREACHED):
            earliest_ms = min(earliest_ms, clock.deadline_ms)
        clock = clock.next
    return earliest_ms


def score_weighted_wait(lane: Lane, wait_ms: int, waiting: int, shares: int) -> int:
    """Score by the wait times the weight of the queue (Kleinrock 1964)."""
    return lane.demand.queue.spec.wait_weight * wait_ms


def score_c_mu(lane: Lane, wait_ms: int, waiting: int, shares: int) -> int:
    """Score by the cost that serving now saves per unit of work: mu times C'(wait).

    The cost of a wait rises with its square, in units of what was promised, and `late_weight`
    times faster past the promise. So its derivative is (w + late_weight * max(0, w - d)) / d, times
    `wait_weight`; mu is one over the mean handling time. The promise d is the shortest that
    starts at arrival, else the queue's service level.
    """
    spec = lane.demand.queue.spec
    promised_ms = lane.lead_ms or spec.service_level_ms
    late_ms = wait_ms - promised_ms
    cost = wait_ms + spec.late_weight * late_ms if late_ms > 0 else wait_ms
    return (spec.wait_weight * cost << _FRACTION_BITS) // (promised_ms * spec.handle_time_ms)


def score_queue_ratio(lane: Lane, wait_ms: int, waiting: int, shares: int) -> int:
    """Score by how far the queue exceeds its share of all who wait, in share-contacts."""
    queue = lane.demand.queue
    return queue.waiting * shares - queue.spec.queue_share * waiting


PLACED: Final = 0
DATED: Final = 1
SCORED: Final = 2

# name -> (reason, kind, rank of a placed policy, score of a scored one)
POLICIES: Final[dict[ContactPolicy, tuple[Reason, int, Rank | None, Score | None]]] = {
    ContactPolicy.PRIORITY_THEN_AGE: (
        Reason.PRIORITY_THEN_AGE,
        PLACED,
        rank_priority_then_age,
        None,
    ),
    ContactPolicy.LINEAR_AGEING: (Reason.LINEAR_AGEING, PLACED, rank_linear_ageing, None),
    ContactPolicy.EARLIEST_DEADLINE: (Reason.EARLIEST_DEADLINE, DATED, None, None),
    ContactPolicy.LONGEST_WEIGHTED_WAIT: (
        Reason.LONGEST_WEIGHTED_WAIT,
        SCORED,
        None,
        score_weighted_wait,
    ),
    ContactPolicy.GENERALIZED_C_MU: (Reason.GENERALIZED_C_MU, SCORED, None, score_c_mu),
    ContactPolicy.FIXED_QUEUE_RATIO: (Reason.FIXED_QUEUE_RATIO, SCORED, None, score_queue_ratio),
    # scored by the pair of contact and agent: `router.guards.pair_score`
    ContactPolicy.WEIGHTED_PAIRS: (Reason.WEIGHTED_PAIRS, SCORED, None, None),
}

# The placed ones stand first: their number is an index into `Lane.ranks`.
POLICY_ORDER: Final[tuple[ContactPolicy, ...]] = tuple(ContactPolicy)
BY_PRIORITY: Final = POLICY_ORDER.index(ContactPolicy.PRIORITY_THEN_AGE)
BY_DEADLINE: Final = POLICY_ORDER.index(ContactPolicy.EARLIEST_DEADLINE)


def lane_ranks(priority: int, points_ms: int, place_bits: int) -> list[tuple[int, int]]:
    """Return (tier, offset of the place) per placed policy, in `POLICY_ORDER`."""
    ranks = []
    for policy in POLICY_ORDER:
        rank = POLICIES[policy][2]
        if rank is not None:
            tier, offset_ms = rank(priority, points_ms)
            ranks.append((tier, offset_ms << place_bits))
    return ranks
