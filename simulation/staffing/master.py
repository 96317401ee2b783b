"""Choose the cheapest plan that formulas and cuts allow: a mixed integer program (HiGHS).

Capacity of a group in an interval = the agents at work times the share that absence and adherence
leave (shrinkage divides the need; whole numbers come last). What formulas ask stands in it as the
concave envelope of Erlang A's curves; what was simulated, as cuts: u(x0) + sum q_j (x_j - x0_j)
>= 0 (Cezik & L'Ecuyer, Management Science 54, 2008; Avramidis et al., EJOR 200, 2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import optimize, sparse

from simulation.plan.estimates import Floats
from simulation.plan.prepared import Prepared
from simulation.plan.requirement import Line, lines_of
from simulation.staffing import curves
from simulation.staffing.curves import Curve
from simulation.staffing.needs import Need, is_judged
from simulation.staffing.spaces import Plan, Space, rounded

_NODES: Final = 100  # not seconds: an answer must not depend on the machine
_GAP: Final = 1e-4
_GAP_OF_MANY: Final = 1e-2  # where more than this many choices make a proof dear
_MANY: Final = 12
_THERE: Final = 0.5  # of an interval, to count as somebody who is there
_TANGENTS: Final = (0.0, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Cut:
    """A plan that was simulated: what it had to spare of a need, and what one more brings.

    `slopes[choice, interval]`; `missed[interval]`: what the plan lacks of perfection there. With
    gain S = t missed, missed exp(-t - t^2 / 2) is left, since agents help ever more against what
    is left (Erlang A); below 0 it runs straight.
    """

    need: int
    surplus: float
    plan: Plan
    slopes: Floats
    missed: Floats


class Program:
    """Rows of a mixed integer program as they come; the first variables are the choices."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.count = len(space.group)
        self.entries: tuple[list[int], list[int], list[float]] = ([], [], [])
        self.low: list[float] = []

    def more(self, count: int) -> int:
        """Add continuous variables in [0, inf) and return the first one's number."""
        self.count += count
        return self.count - count

    def at_least(self, terms: Sequence[tuple[int, float]], low: float) -> None:
        """Demand that a sum is at least a number."""
        rows, columns, values = self.entries
        for column, value in terms:
            rows.append(len(self.low))
            columns.append(column)
            values.append(value)
        self.low.append(low)

    def capacity(self, groups: Sequence[int], interval: int) -> list[tuple[int, float]]:
        """Return the terms of the agents present of some groups in an interval."""
        space = self.space
        return [
            (choice, float(space.present[group] * space.cover[choice, interval]))
            for choice, group in enumerate(space.group)
            if group in groups and space.cover[choice, interval] > 0
        ]

    def solve(self, *, whole: bool = True) -> tuple[Floats, float] | None:
        """Return the cheapest numbers and the proven bound, None where nothing fits."""
        choices = len(self.space.group)
        cost = np.zeros(self.count)
        cost[:choices] = self.space.cost
        upper = np.full(self.count, np.inf)
        upper[:choices] = self.space.most
        kinds = np.zeros(self.count)
        kinds[:choices] = 1.0 if whole else 0.0
        rows, columns, values = self.entries
        matrix = sparse.csr_matrix((values, (rows, columns)), shape=(len(self.low), self.count))
        found = optimize.milp(
            cost,
            constraints=optimize.LinearConstraint(matrix, lb=np.array(self.low)),
            integrality=kinds,
            bounds=optimize.Bounds(lb=0, ub=upper),
            options={
                "mip_rel_gap": _GAP if choices <= _MANY else _GAP_OF_MANY,
                "node_limit": _NODES,
            },
        )
        if found.x is None:
            return None
        bound = found.mip_dual_bound if whole and found.mip_dual_bound is not None else found.fun
        return np.asarray(found.x[:choices]), float(bound)


class Master:
    """Hold what formulas say of a space; answer with the cheapest plans that also obey cuts."""

    def __init__(self, space: Space, needs: Sequence[Need]) -> None:
        self.space = space
        self.needs = tuple(needs)
        self.prepared = Prepared(space.scenario)
        self.lines = lines_of(self.prepared)
        self.spread = curves.spread_of(self.prepared)
        self.pooled = curves.pooled(self.prepared, needs, space, self.spread)
        self.floors = _floors(space, self.lines, needs)

    def upper(self) -> Plan | None:
        """Return the cheapest plan that gives every line agents of its own."""
        program = self._program(())
        space, intervals = self.space, self.space.cover.shape[1]
        flows: dict[tuple[int, int, int], int] = {}
        for group, row in enumerate(space.serves):
            mine = [line for line in range(len(self.lines)) if row[line]]
            for interval in range(intervals):
                first = program.more(len(mine))
                for offset, line in enumerate(mine):
                    flows[line, group, interval] = first + offset
                given = [(first + offset, -1.0) for offset in range(len(mine))]
                program.at_least([*program.capacity([group], interval), *given], 0.0)
        for curve in curves.dedicated(self.prepared, self.needs, self.spread):
            (line,) = curve.lines
            for place, taken in enumerate(self._points(program, curve)):
                index = curve.intervals[place]
                got = [
                    (flow, 1.0)
                    for (who, _, when), flow in flows.items()
                    if who == line and when == index
                ]
                program.at_least([*got, *taken], 0.0)
        for line, later in enumerate(self.lines):
            if not is_judged(space.scenario, later):
                got = [(flow, 1.0) for (who, _, _), flow in flows.items() if who == line]
                program.at_least(got, float(later.load.sum()) if got else 0.0)
        found = program.solve()
        return None if found is None else rounded(found[0])

    def lower(
        self, cuts: Sequence[Cut] = (), cost_max: float = np.inf, asked: Sequence[float] = ()
    ) -> tuple[Plan, float] | None:
        """Return the cheapest plan that formulas of pooled lines and cuts allow, and its bound.

        `asked[need]`: how much of each need is to spare. None when no plan fits.
        """
        program = self._program(cuts, cost_max, asked)
        for curve in self.pooled:
            self._pool(program, curve)
        found = program.solve()
        return None if found is None else (rounded(found[0]), found[1])

    def out_of_reach(self) -> tuple[str, ...]:
        """Return the needs that no plan meets, each looked at alone, by formula."""
        missed = []
        for curve in self.pooled:
            program = self._program(())
            self._pool(program, curve)
            if program.solve(whole=False) is None:
                missed.append(curve.name)
        return tuple(missed)

    def _pool(self, program: Program, curve: Curve) -> None:
        serving = [
            group
            for group, row in enumerate(self.space.serves)
            if any(row[line] for line in curve.lines)
        ]
        for place, terms in enumerate(self._points(program, curve)):
            have = program.capacity(serving, curve.intervals[place])
            program.at_least([*have, *terms], 0.0)

    def _points(self, program: Program, curve: Curve) -> list[list[tuple[int, float]]]:
        """Add the points of a curve; return, by interval, minus the agents that they take."""
        level: list[tuple[int, float]] = []
        taken = []
        for place in range(len(curve.intervals)):
            agents, levels = curve.agents[place], curve.levels[place]
            corners = _corners(agents, levels)
            first = program.more(len(corners))
            row = range(first, first + len(corners))
            program.at_least([(column, 1.0) for column in row], 1.0)
            program.at_least([(column, -1.0) for column in row], -1.0)
            taken.append(list(zip(row, (-agents[corners]).tolist(), strict=True)))
            worth = (curve.weights[place] * levels[corners]).tolist()
            level += list(zip(row, worth, strict=True))
        program.at_least(level, min(curve.share, float(_best(curve))))
        return taken

    def _program(
        self, cuts: Sequence[Cut], cost_max: float = np.inf, asked: Sequence[float] = ()
    ) -> Program:
        space = self.space
        program = Program(space)
        if np.isfinite(cost_max):
            program.at_least(
                [(j, -float(cost)) for j, cost in enumerate(space.cost)], -float(cost_max)
            )
        for group, heads in enumerate(space.heads):
            if np.isfinite(heads):
                mine = [j for j, owner in enumerate(space.group) if owner == group]
                program.at_least([(j, -1.0) for j in mine], -float(heads))
        for choices in self.floors:
            program.at_least([(choice, 1.0) for choice in choices], 1.0)
        for cut in cuts:
            _add_cut(program, cut, asked[cut.need] if asked else 0.0)
        return program


def _floors(
    space: Space, lines: Sequence[Line], needs: Sequence[Need]
) -> tuple[tuple[int, ...], ...]:
    """Return sets of choices of which one agent must be there: somebody for every line that opens.

    A share over the day could be kept with nobody there in a quiet hour; who calls then would
    not think so.
    """
    floors: set[tuple[int, ...]] = set()
    for number in sorted({need.line for need in needs}):
        for interval in np.flatnonzero(lines[number].arrivals_per_min > 0):
            choices = tuple(
                choice
                for choice, group in enumerate(space.group)
                if space.serves[group][number] and space.cover[choice, interval] > _THERE
            )
            if choices:
                floors.add(choices)
    return tuple(sorted(floors))


def _add_cut(program: Program, cut: Cut, spare: float) -> None:
    """Ask that what is still missed leaves enough: u + sum(missed - left) >= spare.

    left is at least each tangent of missed exp(-t - t^2 / 2).
    """
    here = np.array(cut.plan, dtype=float)
    intervals = np.flatnonzero(cut.slopes.any(axis=0))
    left = program.more(len(intervals))
    for offset, interval in enumerate(intervals):
        column = cut.slopes[:, interval]
        gains = [(int(j), float(column[j])) for j in np.flatnonzero(column)]
        missed, base = float(cut.missed[interval]), float(column @ here)
        for t in _TANGENTS:
            steep = float(np.exp(-t))
            terms = [(j, steep * slope) for j, slope in gains]
            program.at_least([(left + offset, 1.0), *terms], steep * (missed * (1 + t) + base))
    total = float(cut.missed[intervals].sum())
    rest = [(left + offset, -1.0) for offset in range(len(intervals))]
    program.at_least(rest, spare - cut.surplus - total)


def _corners(agents: Floats, levels: Floats) -> list[int]:
    """Return the points of a rising curve that its concave envelope touches."""
    kept: list[int] = []
    for point in range(len(agents)):
        while len(kept) > 1:
            one, two = kept[-2], kept[-1]
            before = (levels[two] - levels[one]) * (agents[point] - agents[one])
            if before > (levels[point] - levels[one]) * (agents[two] - agents[one]):
                break
            kept.pop()
        kept.append(point)
    return kept


def _best(curve: Curve) -> float:
    """Return the level that the most agents of a curve bring."""
    return float(curve.weights @ curve.levels[:, -1])
