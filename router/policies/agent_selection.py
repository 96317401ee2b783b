"""Rank the agents who could take a contact.

Every policy ranks an agent once, when he sits down at a demand's bench; the rank does not change
while he sits there, so the bench needs no re-sorting. Ties go to the agent whose last work or
missed offer lies furthest back.

Sources. Longest idle, round robin, most proficient (skills-based), linear, ring-all: the strategies
of the common automatic call distributors (Asterisk `app_queue`, FreeSWITCH `mod_callcenter`).
Longest cumulative idleness: Atar, Shaki & Shwartz, "A blind policy for equalizing cumulative
idleness", Queueing Systems 67 (2011). Decaying counters by forward decay: Cormode, Shkapenyuk,
Srivastava & Xu, "Forward decay", ICDE 2009. Weighted share by stride scheduling: Waldspurger &
Weihl, 1995. Pairs of contact and agent group by weight: Chan, Koole & L'Ecuyer, M&SOM 16 (2014).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from router.bench import LOWEST, RANDOM, ROTATING, Bench, DividedBench, GradedBench, RankedBench
from router.center import AgentPolicy
from router.decisions import Reason
from router.skills import proficiency

if TYPE_CHECKING:
    from router.lines import Demand
    from router.plan import QueuePlan
    from router.records import Agent

HALF_LIFE_MS: Final = 1_800_000
SHARE_STRIDE: Final = 1_000_000
_REBASE_HALF_LIVES: Final = 256

Rank = Callable[["Agent", "Demand"], int]


def rank_equal(agent: Agent, demand: Demand) -> int:
    """Rank all the same: the tie rule (longest idle) decides."""
    return 0


def rank_proficiency(agent: Agent, demand: Demand) -> int:
    """Rank by the summed proficiency in the demand's needs, the highest first."""
    return proficiency(agent.skills, demand.needs)


def rank_spare_share(agent: Agent, demand: Demand) -> int:
    """Rank by the share of the budget that is free, in sixtieths, the largest first."""
    if agent.capacity <= 0:
        return 0
    spare = max(agent.capacity - agent.units - agent.offered_units, 0)
    return spare * 60 // agent.capacity


def rank_order(agent: Agent, demand: Demand) -> int:
    """Rank by the order of the agents in the configuration."""
    return agent.index


def rank_busy(agent: Agent, demand: Demand) -> int:
    """Rank by decayed working time: occupancy over a rolling window, the lowest first."""
    return 0 if agent.scores is None else agent.scores.busy


def rank_contacts(agent: Agent, demand: Demand) -> int:
    """Rank by the decayed number of contacts taken, the fewest first."""
    return 0 if agent.scores is None else agent.scores.contacts


def rank_talk(agent: Agent, demand: Demand) -> int:
    """Rank by decayed handling time without wrap-up, the least first."""
    return 0 if agent.scores is None else agent.scores.talk


def rank_share(agent: Agent, demand: Demand) -> int:
    """Rank by passes in this queue: each contact costs one stride over the agent's weight."""
    return 0 if agent.scores is None else agent.scores.shares.get(demand.queue.name, 0)


def rank_idleness(agent: Agent, demand: Demand) -> int:
    """Rank by idle time since sign-in, the longest first.

    While agents sit idle all their totals grow alike, so idle start less earlier total orders them.
    """
    idle_ms = 0 if agent.scores is None else agent.scores.idle_ms
    return agent.idle_since_ms - idle_ms


GRADED: Final = -1

FIXED: Final = 0
VARYING: Final = 1
SCORED: Final = 2

# name -> (rank, structure, reason, how the rank lives: fixed, varying with load, from scores)
POLICIES: Final[dict[AgentPolicy, tuple[Rank, int, Reason, int]]] = {
    AgentPolicy.LONGEST_IDLE: (rank_equal, GRADED, Reason.LONGEST_IDLE, FIXED),
    AgentPolicy.MOST_PROFICIENT: (rank_proficiency, GRADED, Reason.MOST_PROFICIENT, FIXED),
    AgentPolicy.LEAST_LOADED: (rank_spare_share, GRADED, Reason.LEAST_LOADED, VARYING),
    AgentPolicy.RING_ALL: (rank_equal, GRADED, Reason.RING_ALL, FIXED),
    AgentPolicy.RING_PROGRESSIVELY: (rank_equal, GRADED, Reason.RING_PROGRESSIVELY, FIXED),
    # Between teams the pair weights decide (`router.guards`), within one the idleness.
    AgentPolicy.HEAVIEST_PAIR: (rank_equal, GRADED, Reason.HEAVIEST_PAIR, FIXED),
    AgentPolicy.LINEAR: (rank_order, LOWEST, Reason.LINEAR, FIXED),
    AgentPolicy.ROUND_ROBIN: (rank_order, ROTATING, Reason.ROUND_ROBIN, FIXED),
    AgentPolicy.SEEDED_RANDOM: (rank_order, RANDOM, Reason.SEEDED_RANDOM, FIXED),
    AgentPolicy.LEAST_OCCUPIED: (rank_busy, LOWEST, Reason.LEAST_OCCUPIED, SCORED),
    AgentPolicy.FEWEST_CONTACTS: (rank_contacts, LOWEST, Reason.FEWEST_CONTACTS, SCORED),
    AgentPolicy.LEAST_TALK_TIME: (rank_talk, LOWEST, Reason.LEAST_TALK_TIME, SCORED),
    AgentPolicy.WEIGHTED_SHARE: (rank_share, LOWEST, Reason.WEIGHTED_SHARE, SCORED),
    AgentPolicy.LONGEST_CUMULATIVE_IDLENESS: (
        rank_idleness,
        LOWEST,
        Reason.LONGEST_CUMULATIVE_IDLENESS,
        SCORED,
    ),
}


def make_bench(queue: QueuePlan, *, divided: bool) -> Bench:
    """Return an empty bench of the structure that the queue's policy needs."""
    structure = POLICIES[queue.spec.agent_policy][1]
    if divided:
        return DividedBench(structure, queue)
    return GradedBench() if structure == GRADED else RankedBench(structure, queue)


class Decay:
    """Weigh what happens now against what happened before: half as much per half-life.

    Forward decay: later amounts get larger weights, so a sum never has to be touched again and the
    order of two sums never changes by waiting. The weight doubles per `HALF_LIFE_MS` and is linear
    in between; all integers. `rebase_shift` says by how many bits all sums must be cut when the
    landmark moves.
    """

    __slots__ = ("landmark_ms",)

    def __init__(self, landmark_ms: int) -> None:
        self.landmark_ms = landmark_ms

    def weigh(self, amount: int, now_ms: int) -> int:
        """Return `amount` with the weight of `now_ms`."""
        lives, rest_ms = divmod(now_ms - self.landmark_ms, HALF_LIFE_MS)
        return (amount * (HALF_LIFE_MS + rest_ms) // HALF_LIFE_MS) << (lives + 16)

    def rebase_shift(self, now_ms: int) -> int:
        """Move the landmark if it lies far back; return the bits to cut off every sum."""
        lives = (now_ms - self.landmark_ms) // HALF_LIFE_MS
        if lives < _REBASE_HALF_LIVES:
            return 0
        self.landmark_ms += lives * HALF_LIFE_MS
        return lives
