"""Measure the search for staff: the known optimum by seed, a day of shifts, and others' answers.

    python -m benchmarks.staffing seeds 1 100     # case A44: which optimum, how long
    python -m benchmarks.staffing day             # 26 intervals, 5 groups, 3 lines, 6 shifts
    python -m benchmarks.staffing peer            # pyworkforce's 7 + 6 agents of trap 2

Times are processor seconds of this process (one worker), or wall seconds where it says so.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from benchmarks.staffing_cases import n_design, shift_day, two_skills
from configs.planning import Scenario
from simulation.plan.prepared import Prepared
from simulation.plan.replications import Workers
from simulation.staffing.master import Master
from simulation.staffing.needs import needs_of
from simulation.staffing.plays import LivePlays, QuickPlays
from simulation.staffing.search import Effort, Found, search
from simulation.staffing.spaces import Space, intervals_space, shifts_space

BEST_OF_A44 = (3, 10)
_FRESH = 900_000  # days that no search has played


def find(space: Space, seed: int, workers: int, effort: Effort | None = None) -> Found:
    """Return what the search finds for a space."""
    effort = effort or Effort()
    needs = needs_of(Prepared(space.scenario))
    with Workers(workers) as crew:
        live = LivePlays(space.made, crew, seed)
        quick = QuickPlays(space.scenario, space.made, crew, seed)
        return search(live, quick, Master(space, needs), effort, lambda _: None)


def seeds(first: int, last: int) -> Iterator[str]:
    """Search case A44 with many seeds."""
    space = intervals_space(n_design())
    right, worst = 0, 0.0
    for seed in range(first, last + 1):
        began = time.process_time()
        found = find(space, seed, 1)
        took = time.process_time() - began
        worst = max(worst, took)
        right += found.plan == BEST_OF_A44 and found.confirmed
        yield f"{seed} {found.plan} {found.played} days {took:.1f} s"
    yield f"{right} of {last - first + 1} right; at most {worst:.1f} s of processor"


def day() -> Iterator[str]:
    """Search a day of shifts, and hold the answer to 2,000 fresh days' worth of contacts."""
    space = shifts_space(shift_day())
    began, cpu = time.monotonic(), time.process_time()
    found = find(space, 1, 2)
    took = time.monotonic() - began
    yield (
        f"{len(space.group)} choices: cost {space.cost_of(found.plan):,.1f}, bound "
        f"{found.bound:,.1f}, dedicated {found.upper:,.1f}, confirmed {found.confirmed}, "
        f"{len(found.tried)} plans, {found.played} days"
    )
    yield f"{took:.0f} s on 2 workers ({time.process_time() - cpu:.0f} s of it in this process)"


def peer() -> Iterator[str]:
    """Hold pyworkforce's answer to trap 2 to our days, and search a better one."""
    from pyworkforce.queuing import (  # noqa: PLC0415
        ErlangC,  # only this part needs it
    )

    began = time.perf_counter()
    counts = [
        ErlangC(
            transactions=volume, aht=work, asa=20 / 60, interval=60, shrinkage=0.0
        ).required_positions(service_level=0.8, max_occupancy=1.0)["raw_positions"]
        for volume, work in ((100, 4), (50, 8))
    ]
    yield f"pyworkforce, skill by skill: {counts}, {1e3 * (time.perf_counter() - began):.1f} ms"
    for agents in ((7, 6), None):
        scenario: Scenario = two_skills(agents or (7, 6))
        space = intervals_space(scenario)
        needs = needs_of(Prepared(scenario))
        began = time.process_time()
        plan = agents or find(space, 1, 1).plan
        took = time.process_time() - began
        with Workers(1) as crew:
            study = LivePlays(space.made, crew, 1).study(plan, 60, first=_FRESH)
        levels = ", ".join(f"{need.name} {need.level(study):.1%}" for need in needs)
        yield f"{plan}: {levels}" + (f"; searched in {took:.1f} s" if agents is None else "")


def main(words: list[str]) -> None:
    """Run one part."""
    part = words[0] if words else "peer"
    lines = (
        seeds(int(words[1]), int(words[2]))
        if part == "seeds"
        else {"day": day, "peer": peer}[part]()
    )
    for line in lines:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
