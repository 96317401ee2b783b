"""Say who is there on a day: from planned shifts, a staffing file, or who was at work.

Files say most: shifts (with their kinds, which `switchroom schedule` counts anew), or a number an
interval. Without either the agents are there as they were in a journal; and where nobody knows,
all of the centre's agents work all day, which is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from router.center import Center
from simulation.fit.arrivals import HOLIDAY, WEEKDAYS
from simulation.fit.figures import Array
from simulation.fit.history import DAY_MINUTES, History, Shift
from simulation.fit.import_command import read_any
from simulation.fit.kinds import Kind
from simulation.fit.local_time import find_zone, to_local
from simulation.fit.planning_files import Options, PlanningRow, told
from simulation.fit.scenario_text import clock, duration

_MINUTE_MS = 60_000
_FAULTS_SHOWN = 5

Plain = dict[str, Any]
# Start and end in minutes from midnight, and the lengths of breaks.
_Kind = tuple[int, int, tuple[int, ...]]


@dataclass(frozen=True, kw_only=True)
class DayWanted:
    """The day that a scenario is of: its kind, its opening and interval in minutes."""

    kind: str
    zone: str
    opens: int
    closes: int
    minutes: int
    holidays: frozenset[date] = frozenset()

    def holds(self, day: date) -> bool:
        """Say whether a day is of this kind."""
        kind = HOLIDAY if day in self.holidays else WEEKDAYS[day.weekday()]
        return kind == self.kind

    @property
    def all_day(self) -> list[Plain]:
        """Return one shift from opening to closing."""
        return [{"start": clock(self.opens), "end": clock(self.closes)}]


def rows_of(path: Path, kind: Kind, zone: str) -> tuple[PlanningRow, ...]:
    """Return the rows of a planning file of a kind; raises ValueError."""
    imported = read_any(path, Options(zone=zone))
    if imported.faults:
        raise ValueError("\n".join(told(imported.faults, _FAULTS_SHOWN)))
    if imported.kind is not kind:
        raise ValueError(f"{path}: holds {imported.kind.value}, not {kind.value}")
    return imported.rows


def shift_kinds(
    shifts: Iterable[Shift], center: Center, wanted: DayWanted, note: Callable[[str], None]
) -> dict[str, Plain]:
    """Return of each team the kinds of shift on days of a kind, how many work each, and who.

    Who does matters, since agents differ in skill: of several days those who did most often.
    """
    zone = find_zone(wanted.zone)
    days: set[date] = set()
    unknown: set[str] = set()
    counts: dict[str, dict[_Kind, list[tuple[str, list[int]]]]] = {}
    for shift in shifts:
        start = to_local(shift.start_ms, zone)
        if not wanted.holds(start.date()):
            continue
        agent = center.agents.get(shift.agent)
        if agent is None:
            unknown.add(shift.agent)
            continue
        days.add(start.date())
        from_minute = start.hour * 60 + start.minute
        length = (shift.end_ms - shift.start_ms) // _MINUTE_MS
        breaks = sorted(shift.breaks_ms)
        lengths = tuple((until - since) // _MINUTE_MS for since, until in breaks)
        places = [from_minute + (since - shift.start_ms) // _MINUTE_MS for since, _ in breaks]
        key = (from_minute, from_minute + length, lengths)
        kinds = counts.setdefault(agent.team, {})
        kinds.setdefault(key, []).append((shift.agent, places))
    if unknown:
        some = ", ".join(sorted(unknown)[:4])
        note(f"{len(unknown)} agents with shifts are not in the centre; left out: {some}")
    if not counts:
        raise ValueError(
            f"no shift of an agent of centre {center.name} begins on a {wanted.kind}; there are "
            f"agents {', '.join(sorted(center.agents)[:4])}, ..."
        )
    return {team: _team(kinds, len(days)) for team, kinds in sorted(counts.items())}


def _team(kinds: dict[_Kind, list[tuple[str, list[int]]]], days: int) -> Plain:
    """Return members and shifts of one team; members in the order in which shifts take them."""
    members: list[str] = []
    shifts: list[Plain] = []
    for key, worked in sorted(kinds.items()):
        count = max(1, round(len(worked) / days))
        often = Counter(agent for agent, _ in worked if agent not in members)
        chosen = sorted(often, key=lambda agent: (-often[agent], agent))[:count]
        members += chosen
        if chosen:
            shifts.append(_shift(key, [places for _, places in worked], len(chosen)))
    return {"members": members, "shifts": shifts}


def _shift(key: _Kind, places: list[list[int]], count: int) -> Plain:
    """Return one kind of shift; breaks from where the first goes to where the last does."""
    start, end, lengths = key
    found: Plain = {"start": clock(start), "end": clock(end), "count": count}
    if lengths:
        found["breaks"] = [
            _break([place[number] for place in places], length, start, end, count)
            for number, length in enumerate(lengths)
        ]
    return found


def _break(begins: list[int], length: int, start: int, end: int, count: int) -> Plain:
    """Return a break from the minutes at which it began, so that it begins there again.

    Who shares a break takes it in the middle of his share of the time from earliest to latest.
    """
    first, last = min(begins), max(begins)
    margin = (last - first) / (2 * (count - 1)) if count > 1 else 0.0
    if count == 1:
        first = last = round(sum(begins) / len(begins))
    return {
        "earliest": clock(max(start, round(first - margin))),
        "latest": clock(min(end - length, round(last + margin))),
        "length": duration(60 * length),
    }


def staffed_as_planned(path: Path, center: Center, wanted: DayWanted) -> dict[str, list[int]]:
    """Return the agents an interval of each group in a staffing file, the mean of days alike.

    Raises ValueError for a group that the centre does not know, or a file without such a day.
    """
    zone = find_zone(wanted.zone)
    days: set[date] = set()
    tables: dict[str, Array] = {}
    for row in rows_of(path, Kind.STAFFING, wanted.zone):
        local = to_local(int(row.values["interval_start"]), zone)
        if not wanted.holds(local.date()):
            continue
        group = str(row.values["group"])
        if group not in center.teams:
            raise ValueError(
                f'{path}: row {row.number}: group "{group}" is no team of centre {center.name}; '
                f"there are {', '.join(center.teams)}"
            )
        days.add(local.date())
        start = local.hour * 60 + local.minute
        end = min(DAY_MINUTES, start + int(row.values.get("interval_minutes", wanted.minutes)))
        table = tables.setdefault(group, np.zeros(DAY_MINUTES))
        table[start:end] += float(row.values["agents"])
    if not days:
        raise ValueError(f"{path}: no row on a {wanted.kind}")
    return {
        group: [
            round(float(np.mean(table[at : at + wanted.minutes]) / len(days)))
            for at in range(wanted.opens, wanted.closes, wanted.minutes)
        ]
        for group, table in sorted(tables.items())
    }


def rates_of(path: Path, center: Center, zone: str) -> dict[str, float]:
    """Return what an hour costs, by team or cost group; raises ValueError."""
    known = {*center.teams, *(team.cost_group for team in center.teams.values())} - {""}
    found: dict[str, float] = {}
    for row in rows_of(path, Kind.RATES, zone):
        group = str(row.values["group"])
        if group not in known:
            raise ValueError(
                f'{path}: row {row.number}: "{group}" is no team and no cost group of centre '
                f"{center.name}; there are {', '.join(sorted(known))}"
            )
        found[group] = float(row.values["cost_per_hour"])
    return found


def there_of(
    history: History,
    center: Center,
    wanted: DayWanted,
    staffing: Path | None,
    note: Callable[[str], None],
) -> dict[str, Plain]:
    """Return who is there, by team: as a file says, else as people were; {} if nobody knows.

    Raises ValueError when a file does not fit the centre or the day.
    """
    if staffing is not None:
        planned = staffed_as_planned(staffing, center, wanted)
        return {team: {"staffed": agents} for team, agents in planned.items() if any(agents)}
    if history.shifts:
        return shift_kinds(history.shifts, center, wanted, note)
    days = frozenset(day for day in history.tables[0].days if wanted.holds(day))
    staffed = staffed_by_team(history, center, wanted.zone, wanted.minutes, days)
    hours = slice(wanted.opens // wanted.minutes, wanted.closes // wanted.minutes)
    return {
        team: {"staffed": agents[hours]} for team, agents in staffed.items() if any(agents[hours])
    }


def staffed_by_team(
    history: History, center: Center, zone: str, minutes: int, days: frozenset[date]
) -> dict[str, list[int]]:
    """Return the mean number of agents per interval of a day, rounded, by team.

    Teams without anybody are not there; nothing at all without presence.
    """
    spans = [
        (presence.agent, start, end)
        for presence in history.presences
        for start, end in presence.working_ms
    ]
    clock = find_zone(zone)
    minutes_by_team: dict[str, Array] = {}
    for agent, start_ms, end_ms in spans:
        known = center.agents.get(agent)
        if known is None:
            continue
        table = minutes_by_team.setdefault(known.team, np.zeros(DAY_MINUTES))
        for at_ms in range(start_ms - start_ms % _MINUTE_MS, end_ms, _MINUTE_MS):
            # Minutes begun or ended within count by their share.
            part = (min(end_ms, at_ms + _MINUTE_MS) - max(start_ms, at_ms)) / _MINUTE_MS
            local = to_local(at_ms, clock)
            if local.date() in days:
                table[local.hour * 60 + local.minute] += part
    return {
        team: [
            round(value / (minutes * max(1, len(days))))
            for value in table.reshape(-1, minutes).sum(axis=1)
        ]
        for team, table in sorted(minutes_by_team.items())
        if table.any()
    }
