"""Know from a staffing file who is scheduled now, team by team: the plan beside the live count.

The file is the planning file of kind staffing in our own form, CSV: `interval_start` (RFC 3339 with
its offset), `group` or `team`, `agents`, and if they are there `required` and `interval_minutes`.
`switchroom import` makes it of other forms. A group is a team, or an agent group of the
configuration; rows of one team add up. Outside all intervals nobody is scheduled.
"""

from __future__ import annotations

import csv
import io
import math
import re
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

from router.center import Center
from router.measures_text import Family
from streams.instants import format_instant, parse_instant
from streams.telemetry import constant

_MINUTE_MS: Final = 60_000
_NS_PER_MS: Final = 1_000_000


class StaffingError(Exception):
    """A staffing file that cannot be taken: file, row, column, value, what to do."""


@dataclass(frozen=True)
class Stretch:
    """So many agents of a team from one instant to another, in ms since the epoch."""

    team: str
    from_ms: int
    until_ms: int
    scheduled: float
    required: float | None


class Timetable:
    """Answer who is scheduled at an instant."""

    def __init__(self, stretches: Iterable[Stretch] = ()) -> None:
        steps: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
        self.demanding = False
        self.until_ms = 0
        for one in stretches:
            self.demanding |= one.required is not None
            self.until_ms = max(self.until_ms, one.until_ms)
            for at_ms, sign in ((one.from_ms, 1), (one.until_ms, -1)):
                step = steps[one.team][at_ms]
                step[0] += sign * one.scheduled
                step[1] += sign * (one.required or 0)
        self._starts: dict[str, list[int]] = {}
        self._levels: dict[str, list[tuple[float, float]]] = {}
        for team, changes in steps.items():
            self._starts[team] = sorted(changes)
            levels = self._levels[team] = [(0.0, 0.0)]
            for at_ms in self._starts[team]:
                before, change = levels[-1], changes[at_ms]
                # Thousandths: sums of what goes and comes leave no dust behind.
                levels.append((round(before[0] + change[0], 3), round(before[1] + change[1], 3)))

    def at(self, team: str, at_ms: int) -> tuple[float, float]:
        """Return how many agents of a team are scheduled, and how many are required."""
        if team not in self._starts:
            return 0.0, 0.0
        return self._levels[team][bisect_right(self._starts[team], at_ms)]


class Staffing:
    """Keep the timetable of a file; `read` takes the file anew."""

    def __init__(self, path: Path, read_wall_ns: Callable[[], int] = time.time_ns) -> None:
        self.path = path
        self._read_wall_ns = read_wall_ns
        self._table = Timetable()

    def read(self, centers: Sequence[Center]) -> None:
        """Read the file; raises `StaffingError`, and then the former timetable stays."""
        self._table = Timetable(read_stretches(self.path, teams_by_group(centers)))

    def told(self) -> str:
        """Say how far the file goes."""
        until_ms = self._table.until_ms
        over = "; it is over: nobody is scheduled" if until_ms <= self._now_ms() else ""
        return f"{self.path}: staffing up to {format_instant(until_ms)}{over}"

    def families(self, teams: Iterable[str]) -> list[Family]:
        """Return who is scheduled and who is required now."""
        rows, now_ms = sorted(teams), self._now_ms()
        found = [self._table.at(team, now_ms) for team in rows]
        labels = [(team,) for team in rows]
        scheduled = constant("agents_scheduled", labels, [one for one, _ in found])
        if not self._table.demanding:
            return [scheduled]
        return [constant("agents_required", labels, [one for _, one in found]), scheduled]

    def _now_ms(self) -> int:
        return self._read_wall_ns() // _NS_PER_MS


def teams_by_group(centers: Sequence[Center]) -> dict[str, str]:
    """Return the team of every name that a row may bear: teams, and groups by their agents' ids."""
    found: dict[str, str] = {}
    for center in centers:
        for agent_id, agent in center.agents.items():
            if numbered := re.fullmatch(r"(.+)-\d+", agent_id):
                found.setdefault(numbered[1], agent.team)
    return found | {team: team for center in centers for team in center.teams}


def read_stretches(path: Path, teams: Mapping[str, str]) -> list[Stretch]:
    """Read a staffing file; raises `StaffingError`."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise StaffingError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise StaffingError(f"{path}: not UTF-8 text; save it as CSV in UTF-8") from None
    rows = csv.DictReader(io.StringIO(text))
    columns = rows.fieldnames or []
    who = "team" if "team" in columns else "group"
    if missing := [name for name in ("interval_start", who, "agents") if name not in columns]:
        raise StaffingError(
            f"{path}: no column {', '.join(missing)}; a staffing file has interval_start, group or "
            "team, agents, and may have required, interval_minutes; `switchroom import` makes one "
            "of other forms"
        )
    found = [_Row(path, number, row).stretch(who, teams) for number, row in enumerate(rows, 2)]
    if not found:
        raise StaffingError(f"{path}: no row below the names of the columns")
    starts = sorted({one.from_ms for one in found})
    usual_ms = min((after - before for before, after in pairwise(starts)), default=0)
    if not usual_ms and any(one.until_ms == one.from_ms for one in found):
        raise StaffingError(
            f"{path}: one interval only, so its length is not known; add a column interval_minutes"
        )
    return [
        one if one.until_ms > one.from_ms else replace(one, until_ms=one.from_ms + usual_ms)
        for one in found
    ]


@dataclass(frozen=True)
class _Row:
    """One row of the file, read column by column."""

    path: Path
    number: int
    cells: Mapping[str, str]

    def refuse(self, column: str, why: str) -> StaffingError:
        value = self.cells.get(column) or ""
        return StaffingError(f'{self.path}: row {self.number}: {column}: "{value}" {why}')

    def count(self, column: str) -> float:
        try:
            value = float(self.cells[column])
        except (TypeError, ValueError):
            raise self.refuse(column, "is no number") from None
        if not (math.isfinite(value) and value >= 0):
            raise self.refuse(column, "must be a number from 0 on")
        return value

    def stretch(self, who: str, teams: Mapping[str, str]) -> Stretch:
        """Return what the row says; until it is `from_ms` where no column tells the length."""
        try:
            start_ms = parse_instant(self.cells["interval_start"] or "")
        except ValueError:
            why = "is no instant; write it as 2026-03-02T09:00:00+01:00"
            raise self.refuse("interval_start", why) from None
        team = teams.get((self.cells[who] or "").strip())
        if team is None:
            raise self.refuse(
                who, f"is no team or agent group; there are {', '.join(sorted(teams))}"
            )
        minutes = self.count("interval_minutes") if self.cells.get("interval_minutes") else 0
        required = self.count("required") if self.cells.get("required") else None
        until_ms = start_ms + int(minutes * _MINUTE_MS)
        return Stretch(team, start_ms, until_ms, self.count("agents"), required)
