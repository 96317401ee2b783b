"""Hold what a planner edits: a scenario, and his changes to it, as a scenario file says them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from configs.changes import Change
from configs.planning import Scenario
from simulation.phrases import Phrase
from simulation.plan.changes import ChangeError, apply_changes
from simulation.plan.checks import check_scenario
from simulation.plan.people import groups_of, size_of


@dataclass(frozen=True)
class Seat:
    """One cell of the grid: a group's agents in one shift, or all of them (`shift` -1)."""

    group: str
    shift: int
    hours: str
    planned: int


@dataclass
class Desk:
    """A scenario and what was changed of it; `counts` by (group, shift) where they were edited.

    `demand` is a factor of all volume, `factors` of single demands; `bots` the share of a demand
    that a bot settles, where it was edited; `sick` the share of agents who are away beside those
    planned; `percent` and `within_s` another target. `own` is the text of a scenario that was
    handed in: it is told whole, since its file goes when the app ends.
    """

    scenario: Scenario
    path: Path
    own: str = ""
    demand: float = 1.0
    sick: float = 0.0
    percent: float | None = None
    within_s: float | None = None
    factors: dict[str, float] = field(default_factory=dict)
    bots: dict[str, float] = field(default_factory=dict)
    counts: dict[tuple[str, int], int] = field(default_factory=dict)

    def seats(self) -> tuple[Seat, ...]:
        """Return the grid of agents as the scenario has them."""
        return tuple(self._seats())

    def _seats(self) -> Iterator[Seat]:
        for name, group in groups_of(self.scenario).items():
            size = size_of(self.scenario, name, group)
            if group.staffed or not group.shifts:
                hours = f"{self.scenario.opens}–{self.scenario.closes}"
                yield Seat(name, -1, hours, size)
                continue
            left = size
            for number, shift in enumerate(group.shifts):
                planned = min(shift.count or left, left)
                left -= planned
                yield Seat(name, number, f"{shift.start}–{shift.end}", planned)

    def put(self, seat: Seat, count: int) -> None:
        """Write a number into the grid; raises ValueError for less than none."""
        if count < 0:
            raise ValueError(f"{seat.group} {seat.hours}: {count} agents; give 0 or more")
        if count == seat.planned:
            self.counts.pop((seat.group, seat.shift), None)
        else:
            self.counts[seat.group, seat.shift] = count

    def changes(self) -> list[dict[str, Any]]:
        """Return the changes as a scenario file writes them."""
        found: list[dict[str, Any]] = []
        if self.demand != 1:
            found.append({"demand": round(self.demand, 4)})
        for name, demand in self.scenario.demand.items():
            if self.factors.get(name, 1.0) != 1:
                found.append({"demand": round(self.factors[name], 4), "only": [name]})
            if self.bots.get(name, demand.bot) != demand.bot:
                found.append({"bot": round(self.bots[name], 4), "only": [name]})
        if self.sick:
            found.append({"sick": round(self.sick, 4)})
        found += self._target()
        more: dict[str, int] = {}
        for name in dict.fromkeys(group for group, _ in self.counts):
            seats = [seat for seat in self.seats() if seat.group == name]
            counts = [self.counts.get((name, seat.shift), seat.planned) for seat in seats]
            if seats[0].shift < 0:
                more[name] = counts[0] - seats[0].planned
                continue
            found.append({"replace": _shifts(name, counts)})
        if more:
            found.append({"agents": more})
        return found

    def _target(self) -> list[dict[str, Any]]:
        target, wanted = self.scenario.target, {}
        if self.percent is not None and self.percent != target.percent:
            wanted["target.percent"] = self.percent
        if self.within_s is not None and round(1000 * self.within_s) != target.within_ms:
            wanted["target.within_ms"] = round(1000 * self.within_s)
        return [{"replace": wanted}] if wanted else []

    def changed(self, name: str = "") -> Scenario:
        """Return the scenario with all changes; raises `ChangeError` when they do not fit."""
        changed = apply_changes(self.scenario, (Change(**change) for change in self.changes()))
        problems = check_scenario(changed)
        if problems:
            raise ChangeError("; ".join(problem.message for problem in problems))
        return replace(changed, name=name or self.name())

    def name(self) -> str:
        """Return the scenario's name, with a mark when it was changed."""
        if not self.changes():
            return self.scenario.name
        return Phrase("{name}, changed", name=self.scenario.name)

    def text(self) -> str:
        """Return the scenario as a file: its base, or what was handed in, and the changes."""
        if self.own:
            whole = yaml.safe_load(self.own)
            whole["changes"] = [*(whole.get("changes") or []), *self.changes()]
        else:
            whole = {"base": str(self.path.resolve()), "changes": self.changes()}
        return told({"name": str(self.name())} | {k: v for k, v in whole.items() if k != "name"})

    def with_staff(self, staffed: str) -> str:
        """Return the scenario as a file, with the changes of a scenario file that staffs it."""
        whole = yaml.safe_load(self.text())
        whole["changes"] += yaml.safe_load(staffed)["changes"]
        return told(whole | {"name": f"{self.name()}, staffed"})


def told(whole: dict[str, Any]) -> str:
    """Return a scenario file's text."""
    return yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=96)


def _shifts(name: str, counts: list[int]) -> dict[str, int]:
    """Return the values of a group's shifts; the count of a group is their sum."""
    if not sum(counts):
        raise ChangeError(f'group "{name}" would have no agents; leave at least 1')
    values = {f"workforce.{name}.count": sum(counts)}
    for number, count in enumerate(counts):
        # 0 would mean "all that are left", of which there are none.
        values[f"workforce.{name}.shifts.{number}.count"] = count
    return values
