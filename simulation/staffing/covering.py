"""Cover a given need with the cheapest shifts: the integer program of `schedule`, no simulation.

For who has the agents of each interval already: from `switchroom staff -o`, a formula, or a rule of
the house.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from configs.planning import Scenario
from simulation.fit.kinds import Kind
from simulation.fit.people_there import rows_of
from simulation.plan.estimates import Floats
from simulation.plan.prepared import Prepared, start_of
from simulation.staffing.master import Program
from simulation.staffing.needs import clock
from simulation.staffing.search import UnreachableError
from simulation.staffing.spaces import Plan, Space, rounded, shifts_space


@dataclass(frozen=True)
class Covered:
    """The cheapest shifts that cover a need.

    `agents` by kind of shift, those of 0 left out; `spare[name]`: agent hours beyond the need;
    `gap`: what the cost may be above the least at most, as a share.
    """

    cost: float
    currency: str
    agents: dict[str, int]
    spare: dict[str, float]
    gap: float
    plan: Plan
    scenario: Scenario


def need_of(path: Path, scenario: Scenario) -> dict[str, list[float]]:
    """Return the agents by name and interval that a staffing file asks for on the scenario's date.

    A name is a group, or a team: any of its groups will do. Raises ValueError for another name,
    or a file without such rows.
    """
    prepared = Prepared(scenario)
    start_ms, step_ms = start_of(scenario), scenario.interval_ms
    need: dict[str, list[float]] = {}
    found = False
    for row in rows_of(path, Kind.STAFFING, scenario.zone):
        group = str(row.values["group"])
        if group not in need:
            if not _groups_of(prepared, group):
                raise ValueError(
                    f'{path}: row {row.number}: no group or team "{group}" in the scenario; there '
                    f"are {', '.join(prepared.staff.groups)}"
                )
            need[group] = [0.0] * prepared.intervals
        since_ms = int(row.values["interval_start"]) - start_ms
        until_ms = since_ms + int(row.values.get("interval_minutes", step_ms // 60_000)) * 60_000
        for index in range(prepared.intervals):
            if since_ms < (index + 1) * step_ms and until_ms > index * step_ms:
                found = True
                need[group][index] = max(need[group][index], float(row.values["agents"]))
    if not found:
        raise ValueError(f"{path}: no row on {scenario.date} while the doors are open")
    return need


def _groups_of(prepared: Prepared, name: str) -> tuple[int, ...]:
    """Return the group of a name, or all groups of a team."""
    groups = prepared.staff.groups
    if name in groups:
        return (groups.index(name),)
    agents = prepared.staff.center.agents
    members = prepared.staff.members
    return tuple(
        number
        for number, plan in enumerate(prepared.staff.plans)
        if plan.team == name
        or any(agents[one.agent_id].team == name for one in members if one.group == number)
    )


def cover(scenario: Scenario, need: Mapping[str, Sequence[float]]) -> Covered:
    """Return the cheapest shifts with as many agents at work as needed, absence added.

    Raises `UnreachableError` where nobody's shift lies.
    """
    space = shifts_space(scenario)
    program = Program(space)
    prepared = Prepared(space.scenario)
    for name, wanted in need.items():
        numbers = _groups_of(prepared, name)
        for interval, agents in enumerate(wanted):
            terms = program.capacity(numbers, interval)
            if agents > 0 and not terms:
                raise UnreachableError(
                    f"{name} needs {agents:g} at {clock(prepared, interval)} and none of its "
                    "shifts is at work then"
                )
            program.at_least(terms, agents)
    found = program.solve()
    if found is None:
        raise UnreachableError("no number of these shifts covers the need; allow more heads")
    plan = rounded(found[0])
    cost = space.cost_of(plan)
    return Covered(
        cost=cost,
        currency=scenario.costs.currency if scenario.costs.rates else "agent hours",
        agents={name: count for name, count in zip(space.labels, plan, strict=True) if count},
        spare=_spare(space, prepared, plan, need),
        gap=cost / found[1] - 1 if found[1] > 0 else 0.0,
        plan=plan,
        scenario=space.made(plan),
    )


def _spare(
    space: Space, prepared: Prepared, plan: Plan, need: Mapping[str, Sequence[float]]
) -> dict[str, float]:
    hours = np.diff(prepared.interval_edges) / 3_600_000
    there: Floats = space.at_work(plan) * space.present[:, None]
    return {
        name: float(
            (
                (there[list(_groups_of(prepared, name))].sum(axis=0) - np.asarray(wanted)) * hours
            ).sum()
        )
        for name, wanted in need.items()
    }
