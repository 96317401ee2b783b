"""Say who is there, when: groups become agents with stints, breaks and absence.

A stint is a stretch of work of one agent. Absence, and the spells in which an agent on shift is
not at his desk, belong to (seed, day, agent); so one agent more changes nobody else's day.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from configs.durations import parse_clock
from configs.planning import Break, Group, Scenario, Shift
from router.center import Agent, Center
from simulation.randomness import Streams

_MIDDLE_LEVEL: Final = 5.5
_LEVEL_SPREAD: Final = 4.5


@dataclass(frozen=True)
class Stint:
    """One stretch of work, as offsets (ms) from opening; breaks are (offset, length) in order."""

    start_ms: int
    end_ms: int
    breaks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Member:
    """One agent of a group, with the work planned for him."""

    agent_id: str
    group: int
    stints: tuple[Stint, ...]


@dataclass(frozen=True)
class Staff:
    """All agents of a scenario, and the centre with those in it who were added."""

    center: Center
    groups: tuple[str, ...]
    plans: tuple[Group, ...]
    members: tuple[Member, ...]


def staff_of(scenario: Scenario) -> Staff:
    """Expand the groups of a scenario; without any, the centre's teams work all day."""
    groups = groups_of(scenario)
    agents: dict[str, Agent] = dict(scenario.center.agents)
    members: list[Member] = []
    for index, (name, group) in enumerate(groups.items()):
        size = size_of(scenario, name, group)
        ids = _ids(agents, name, group, size)
        stints = _stints(scenario, group, size)
        members += [
            Member(agent_id, index, stint) for agent_id, stint in zip(ids, stints, strict=True)
        ]
    center = replace(scenario.center, agents=agents)
    return Staff(center, tuple(groups), tuple(groups.values()), tuple(members))


def groups_of(scenario: Scenario) -> dict[str, Group]:
    """Return the groups of a scenario; without any, the teams of its centre."""
    if scenario.workforce:
        return scenario.workforce
    teams: dict[str, list[str]] = {}
    for agent_id, agent in scenario.center.agents.items():
        teams.setdefault(agent.team, []).append(agent_id)
    return {name: Group(members=tuple(ids)) for name, ids in teams.items()}


def members_of(center: Center, name: str, group: Group) -> tuple[str, ...]:
    """Return the agents of the centre who belong to a group: its own, or those of its team."""
    if group.members or group.skills:
        return group.members
    return tuple(agent_id for agent_id, agent in center.agents.items() if agent.team == name)


def size_of(scenario: Scenario, name: str, group: Group) -> int:
    """Return how many agents a group has: its count, the most it ever staffs, or its members."""
    if group.count:
        return group.count
    if group.staffed:
        return max(group.staffed)
    return len(members_of(scenario.center, name, group))


def _ids(agents: dict[str, Agent], name: str, group: Group, size: int) -> list[str]:
    """Return the ids of a group's agents, adding to `agents` those whom nobody knows yet."""
    if group.members:
        known = list(group.members)
    elif group.skills:
        known = []
    else:
        known = [agent_id for agent_id, agent in agents.items() if agent.team == name]
    if len(known) >= size:
        return known[:size]
    if group.skills or group.team:
        model = Agent(
            team=group.team or name,
            skills=group.skills,
            capacity=group.capacity,
            channel_max=group.channel_max,
        )
    else:
        model = agents[known[-1]]
    number = 0
    while len(known) < size:
        number += 1
        agent_id = f"{name}+{number:03d}".replace("+", ".")
        if agent_id not in agents:
            agents[agent_id] = model
            known.append(agent_id)
    return known


def _stints(scenario: Scenario, group: Group, size: int) -> list[tuple[Stint, ...]]:
    opens_ms = parse_clock(scenario.opens)
    length_ms = parse_clock(scenario.closes) - opens_ms
    if group.staffed:
        return [_staffed_stints(scenario, group.staffed, number) for number in range(size)]
    if not group.shifts:
        return [(Stint(0, length_ms),)] * size
    stints: list[tuple[Stint, ...]] = []
    for shift in group.shifts:
        left = size - len(stints)
        count = min(shift.count or left, left)
        stints += [(_stint(shift, opens_ms, number, count),) for number in range(count)]
    return stints + [()] * (size - len(stints))


def _staffed_stints(scenario: Scenario, staffed: tuple[int, ...], number: int) -> tuple[Stint, ...]:
    """Return the stretches of intervals in which more than `number` agents are wanted."""
    length_ms = parse_clock(scenario.closes) - parse_clock(scenario.opens)
    stints: list[Stint] = []
    for index, wanted in enumerate(staffed):
        start_ms = index * scenario.interval_ms
        end_ms = min(start_ms + scenario.interval_ms, length_ms)
        if index == len(staffed) - 1:
            end_ms = length_ms
        if wanted <= number:
            continue
        if stints and stints[-1].end_ms == start_ms:
            stints[-1] = Stint(stints[-1].start_ms, end_ms)
        else:
            stints.append(Stint(start_ms, end_ms))
    return tuple(stints)


def _stint(shift: Shift, opens_ms: int, number: int, count: int) -> Stint:
    start_ms = parse_clock(shift.start) - opens_ms
    end_ms = parse_clock(shift.end) - opens_ms
    breaks = tuple(
        sorted((_spread(rest, number, count) - opens_ms, rest.length_ms) for rest in shift.breaks)
    )
    return Stint(start_ms, end_ms, breaks)


def _spread(rest: Break, number: int, count: int) -> int:
    """Return when this agent's break starts: evenly spread, so that not all go at once."""
    earliest_ms = parse_clock(rest.earliest)
    latest_ms = parse_clock(rest.latest) if rest.latest else earliest_ms
    return earliest_ms + (latest_ms - earliest_ms) * (2 * number + 1) // (2 * count)


# --- one day ------------------------------------------------------------------------------


def draw_absent(staff: Staff, streams: Streams) -> set[str]:
    """Return who is away all day: planned evenly over the group, unplanned each for himself."""
    absent: set[str] = set()
    numbers: dict[int, int] = {}
    for member in staff.members:
        group = staff.plans[member.group]
        number = numbers.get(member.group, 0)
        numbers[member.group] = number + 1
        if group.planned_absence:
            turn = streams.uniform(staff.groups[member.group], "planned-absence", 0)
            share = group.planned_absence
            # Systematic sampling: as many are away as the share says, to within one.
            if math.floor((number + 1) * share + turn) > math.floor(number * share + turn):
                absent.add(member.agent_id)
        lot = streams.uniform(staff.groups[member.group], "unplanned-absence", number)
        if lot < group.unplanned_absence:
            absent.add(member.agent_id)
    return absent


def draw_pauses(
    stint: Stint, group: Group, streams: Streams, agent_id: str
) -> list[tuple[int, int]]:
    """Return breaks and spells away from the desk as (offset, length), in order, apart.

    Spells come at random, as often as makes the share 1 - adherence of the time beside breaks.
    """
    pauses = list(stint.breaks)
    lost = 1.0 - group.adherence
    if lost <= 0:
        return pauses
    gap_ms = group.away_ms * (1.0 - lost) / lost
    offset, number = float(stint.start_ms), 0
    while True:
        offset += streams.exponential(agent_id, "away-gap", number) * gap_ms
        length_ms = max(1, round(streams.exponential(agent_id, "away", number) * group.away_ms))
        if offset >= stint.end_ms:
            break
        clear = all(
            offset + length_ms <= start or offset >= start + length
            for start, length in stint.breaks
        )
        if clear:
            pauses.append((round(offset), length_ms))
        offset += length_ms
        number += 1
    return sorted(pauses)


def pace_of(scenario: Scenario, group: Group, agent: Agent, category: str) -> float:
    """Return by what factor this agent's work on a category is longer than the plain work."""
    pace = group.pace * group.paces.get(category, 1.0)
    pace *= 1.0 - scenario.effects.faster * skill_above_middle(scenario, agent, category)
    if group.ramp_up is not None and group.weeks < group.ramp_up.weeks:
        ramp = group.ramp_up
        pace *= ramp.start + (1.0 - ramp.start) * group.weeks / ramp.weeks
    return pace


def skill_above_middle(scenario: Scenario, agent: Agent, category: str) -> float:
    """Return (mean level in the category's needs - 5.5) / 4.5; 0 without needs."""
    needs = scenario.center.categories[category].needs
    if not needs:
        return 0.0
    mean = sum(agent.skills.get(skill, 0) for skill in needs) / len(needs)
    return (mean - _MIDDLE_LEVEL) / _LEVEL_SPREAD
