"""Look at the agents through the eyes of one contact: who could serve it, who not, and why not.

For explanations only: it looks at every agent, which routing itself never does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.agents import AgentState
from router.center import AgentPolicy
from router.guards import lending_against, pair_holds_back, pair_score, reserve_against
from router.policies.agent_selection import POLICIES
from router.records import Agent, Contact
from router.skills import first_gap

if TYPE_CHECKING:
    from router.floor import Floor
    from router.lines import Demand

_EXAMPLES = 3


class Candidate:
    """An agent in the view of a demand; `obstacle` is the first condition he fails, "" if none.

    `rank` and `turn` are what the queue's policy compares, the lowest first within equal ranks.
    """

    __slots__ = ("agent_id", "idle_since_ms", "obstacle", "rank", "team", "turn")

    def __init__(self, agent: Agent, obstacle: str, rank: int) -> None:
        self.agent_id = agent.agent_id
        self.team = agent.team
        self.obstacle = obstacle
        self.rank = rank
        self.turn = agent.turn
        self.idle_since_ms = agent.idle_since_ms


def look_at(floor: Floor, demand: Demand, contact: Contact | None) -> list[Candidate]:
    """Return every agent with the first condition that he fails for a demand."""
    rank = POLICIES[demand.queue.spec.agent_policy][0]
    return [
        Candidate(agent, obstacle(floor, agent, demand, contact), rank(agent, demand))
        for agent in floor.agents.values()
    ]


def obstacle(floor: Floor, agent: Agent, demand: Demand, contact: Contact | None) -> str:
    """Return the first condition that an agent fails, in the order in which they are checked."""
    if agent.removed:
        return "is no longer configured"
    if demand.teams and agent.team not in demand.teams:
        return f"team is not among {', '.join(demand.teams)}"
    gap = first_gap(agent.skills, demand.needs)
    if gap is not None:
        skill, needed, had = gap
        return f"{skill} {had or 'missing'}, needed {needed}" if had else f"has no {skill}"
    if agent.state == AgentState.SIGNED_OUT:
        return "signed out"
    if agent.state == AgentState.LOST:
        return "lost: not heard of"
    if agent.state == AgentState.AWAY:
        return f"away ({agent.presence})"
    if agent.backing_off:
        return "left in peace after an offer not taken"
    if not floor.channels_open(agent) >> demand.channel.index & 1:
        return f"busy: no room for {demand.channel.name}"
    if floor.guards is not None:
        kept = _say_guard(floor, agent, demand, contact)
        if kept:
            return kept
    return _tries(floor, agent, contact)


def _say_guard(floor: Floor, agent: Agent, demand: Demand, contact: Contact | None) -> str:
    """Say which guard keeps an agent from a contact, "" if none does."""
    lending = lending_against(floor, agent, demand)
    if lending is not None:
        needed = min(lending.percent + lending.band, 100)
        return (
            f"not lent: team {agent.team} answered {lending.percent_now()} % of its own in time, "
            f"{needed} % are needed"
        )
    reserve = reserve_against(floor, agent, demand)
    if reserve is not None:
        needed = reserve.size + (reserve.band if reserve.shut else 0)
        return f"kept for queue {reserve.queue}: {reserve.idle} of {needed} reserve agents idle"
    lane = None if contact is None else contact.lane
    if contact is None or lane is None or not pair_holds_back(floor, agent, lane, contact):
        return ""
    score = pair_score(floor, agent, lane, floor.now_ms - contact.arrived_ms)
    return f"not yet for team {agent.team}: the weight of the pair is {say_duration(score)}"


def _tries(floor: Floor, agent: Agent, contact: Contact | None) -> str:
    more = None if contact is None else contact.more
    assert floor.center is not None, "a centre comes before contacts"
    most = floor.center.offers.per_agent_max
    if more is not None and most and more.tried.get(agent.agent_id, 0) >= most:
        return f"had this contact {most} times already"
    return ""


def group_obstacles(candidates: list[Candidate]) -> list[tuple[str, int, list[str]]]:
    """Return (obstacle, how many agents, examples), the most frequent first."""
    groups: dict[str, list[str]] = {}
    for candidate in candidates:
        if candidate.obstacle:
            groups.setdefault(candidate.obstacle, []).append(candidate.agent_id)
    ordered = sorted(groups.items(), key=_size_then_name)
    return [(text, len(ids), ids[:_EXAMPLES]) for text, ids in ordered]


def _size_then_name(item: tuple[str, list[str]]) -> tuple[int, str]:
    return -len(item[1]), item[0]


def free_in_order(candidates: list[Candidate], policy: AgentPolicy) -> list[Candidate]:
    """Return those without obstacle as the policy orders them (round and lot: by their rank)."""
    free = [candidate for candidate in candidates if not candidate.obstacle]
    highest_first = policy in (AgentPolicy.MOST_PROFICIENT, AgentPolicy.LEAST_LOADED)
    free.sort(key=_by_rank_down if highest_first else _by_rank_up)
    return free


def _by_rank_up(candidate: Candidate) -> tuple[int, int]:
    return candidate.rank, candidate.turn


def _by_rank_down(candidate: Candidate) -> tuple[int, int]:
    return -candidate.rank, candidate.turn


def say_score(candidate: Candidate, policy: AgentPolicy, now_ms: int) -> str:
    """Say in words what the policy compares."""
    idle = f"idle for {say_duration(now_ms - candidate.idle_since_ms)}"
    if policy is AgentPolicy.MOST_PROFICIENT:
        return f"proficiency {candidate.rank}, {idle}"
    if policy is AgentPolicy.LEAST_LOADED:
        return f"{candidate.rank * 100 // 60} % of the budget free, {idle}"
    if policy in (AgentPolicy.LINEAR, AgentPolicy.ROUND_ROBIN, AgentPolicy.SEEDED_RANDOM):
        return f"place {candidate.rank + 1} in the order of the configuration"
    if policy in (
        AgentPolicy.LEAST_OCCUPIED,
        AgentPolicy.FEWEST_CONTACTS,
        AgentPolicy.LEAST_TALK_TIME,
        AgentPolicy.WEIGHTED_SHARE,
    ):
        return f"score {candidate.rank} (the lowest goes first)"
    return idle


def say_duration(duration_ms: int) -> str:
    """Say a duration as a person would: 950 ms, 12.3 s, 4 min 5 s, 3 h 20 min."""
    sign, duration_ms = ("-", -duration_ms) if duration_ms < 0 else ("", duration_ms)
    seconds, ms = divmod(duration_ms, 1000)
    if not seconds:
        return f"{sign}{ms} ms"
    minutes, seconds = divmod(seconds, 60)
    if not minutes:
        return f"{sign}{seconds}.{ms // 100} s"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{sign}{minutes} min {seconds} s"
    return f"{sign}{hours} h {minutes} min"
