"""Check what the policies and guards of routing ask of each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from router.center import AgentPolicy, Center, ContactPolicy, PairWeight, Queue, Team
from router.problems import Path, Problem, suggest
from router.ranges import RANGES

_WHOLE: Final = 100

# which contact policies read a setting of a queue
_READ_BY: Final = {
    "wait_weight": (ContactPolicy.LONGEST_WEIGHTED_WAIT, ContactPolicy.GENERALIZED_C_MU),
    "handle_time_ms": (ContactPolicy.GENERALIZED_C_MU,),
    "late_weight": (ContactPolicy.GENERALIZED_C_MU,),
    "queue_share": (ContactPolicy.FIXED_QUEUE_RATIO,),
}


def check_routing(center: Center) -> Iterator[Problem]:
    """Yield what is wrong with the settings of policies and guards."""
    yield from _settings_unread(center)
    yield from _policies_without_object(center)
    yield from _reserves(center)
    for name, team in center.teams.items():
        yield from _lending(name, team, center)
        yield from _pairs(name, team, center)


def policies_of(center: Center) -> set[ContactPolicy]:
    """Return the contact policies by which somebody may choose."""
    return {team.contact_policy or center.contact_policy for team in center.teams.values()}


def _settings_unread(center: Center) -> Iterator[Problem]:
    """Warn of weights that nobody asks for."""
    used = policies_of(center)
    defaults = {item.name: item.default for item in fields(Queue)}
    for setting, readers in _READ_BY.items():
        if used & set(readers):
            continue
        choose = " or ".join(reader.value for reader in readers)
        for name, queue in center.queues.items():
            if getattr(queue, setting) != defaults[setting]:
                message = f"unused: no team chooses by {choose}; set contact_policy or remove it"
                yield Problem(("queues", name, setting), message, warning=True)


def _policies_without_object(center: Center) -> Iterator[Problem]:
    """Warn of policies that have nothing to tell contacts apart by."""
    asked: list[tuple[Path, ContactPolicy]] = []
    if center.contact_policy in policies_of(center):
        asked.append(((), center.contact_policy))
    asked += [
        (("teams", name), team.contact_policy)
        for name, team in center.teams.items()
        if team.contact_policy is not None
    ]
    for path, policy in asked:
        place = (*path, "contact_policy")
        if policy is ContactPolicy.EARLIEST_DEADLINE and not center.promises:
            message = "no promise sets a deadline; add promises or choose priority_then_age"
            yield Problem(place, message, warning=True)
        if policy is ContactPolicy.FIXED_QUEUE_RATIO and len(center.queues) == 1:
            message = "one queue has no ratio; choose priority_then_age"
            yield Problem(place, message, warning=True)


def _reserves(center: Center) -> Iterator[Problem]:
    """Find reserves that keep everybody, or nobody."""
    for name, queue in center.queues.items():
        path = ("queues", name, "reserve")
        if queue.reserve_band and not queue.reserve:
            message = "unused without a reserve; add reserve or remove it"
            yield Problem(("queues", name, "reserve_band"), message, warning=True)
        if not queue.reserve:
            continue
        needs = [c.needs for c in center.categories.values() if c.queue == name]
        able = sum(
            (not queue.teams or agent.team in queue.teams)
            and any(all(agent.skills.get(s, 0) >= n for s, n in one.items()) for one in needs)
            for agent in center.agents.values()
        )
        if not needs:
            message = "no category leads to this queue, so nobody counts; give it one or remove it"
            yield Problem(path, message, warning=True)
        elif queue.reserve > able:
            yield Problem(
                path, f"keeps {queue.reserve} agents, but {able} could serve this queue; keep fewer"
            )
        elif queue.reserve + queue.reserve_band >= able:
            kept = f"{queue.reserve}" + (f" + {queue.reserve_band}" if queue.reserve_band else "")
            yield Problem(
                path,
                f"keeps {kept} of the {able} agents who could serve this queue, so they would "
                "never help another; keep fewer, or give the queue teams of its own",
                warning=True,
            )


def _ranges(path: Path, part: Team | PairWeight) -> Iterator[Problem]:
    for field, (low, high) in RANGES[type(part).__name__].items():
        value = getattr(part, field)
        if not low <= value <= high:
            limit = f"at least {low}" if value < low else f"at most {high}"
            yield Problem((*path, field), f"{value} is out of range; must be {limit}")


def _lending(name: str, team: Team, center: Center) -> Iterator[Problem]:
    path: Path = ("teams", name)
    yield from _ranges(path, team)
    for index, queue in enumerate(team.own_queues):
        if queue not in center.queues:
            near = suggest(queue, center.queues)
            yield Problem((*path, "own_queues", index), f'no queue "{queue}"', near)
    if team.lend_percent and not team.own_queues:
        message = "lends by the level of its own queues, but has none; add own_queues"
        yield Problem((*path, "lend_percent"), message)
    if team.own_queues and not team.lend_percent:
        message = "unused without lend_percent; add it or remove own_queues"
        yield Problem((*path, "own_queues"), message, warning=True)
    if team.lend_band and not team.lend_percent:
        message = "unused without lend_percent; add it or remove lend_band"
        yield Problem((*path, "lend_band"), message, warning=True)
    if team.lend_percent <= _WHOLE < team.lend_percent + team.lend_band:
        message = (
            f"begins anew at {team.lend_percent} + {team.lend_band} percent, more than all; "
            "lower one of them"
        )
        yield Problem((*path, "lend_band"), message)


def _pairs(name: str, team: Team, center: Center) -> Iterator[Problem]:
    path: Path = ("teams", name, "pairs")
    for queue, weight in team.pairs.items():
        place = (*path, queue)
        if queue not in center.queues:
            near = suggest(queue, center.queues)
            yield Problem(place, f'no queue "{queue}"', near, at_key=True)
        yield from _ranges(place, weight)
        if weight.base_ms < 0 and not (weight.wait or weight.idle):
            message = "stays below zero for ever, so the team never helps; let wait or idle count"
            yield Problem((*place, "base_ms"), message)
    policy = team.contact_policy or center.contact_policy
    weighs = policy is ContactPolicy.WEIGHTED_PAIRS or any(
        queue.agent_policy is AgentPolicy.HEAVIEST_PAIR for queue in center.queues.values()
    )
    if team.pairs and not weighs and all(one.base_ms >= 0 for one in team.pairs.values()):
        message = "unused: nobody chooses by pairs and no base is below zero; set contact_policy"
        yield Problem(path, message, warning=True)
