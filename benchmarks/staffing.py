"""Measure the search for staff: known optima by seed, a day of shifts, and others' answers.

    python -m benchmarks.staffing seeds 1 100 2   # case A44: which optimum, how long; 2 at once
    python -m benchmarks.staffing designs 1 20 2  # three other designs, their best by exact chains
    python -m benchmarks.staffing day 2           # 26 intervals, 5 groups, 3 lines; 2 workers
    python -m benchmarks.staffing sample 2        # staff and schedule of the sample centre
    python -m benchmarks.staffing honest 1 100 2  # how often what was confirmed is true
    python -m benchmarks.staffing peer            # pyworkforce's 7 + 6 agents of trap 2

Times are processor seconds of this process, or wall seconds where it says so. The last line of
each part but `peer` goes to benchmarks/staffing-ledger.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

from benchmarks.staffing_cases import (
    SMALL,
    TIGHT,
    Small,
    n_design,
    of_design,
    shift_day,
    two_skills,
)
from configs.planning import Scenario
from simulation.chain_designs import DesignAnswer
from simulation.plan import day as day_module
from simulation.plan.prepared import Prepared
from simulation.plan.reading import load_scenario
from simulation.plan.replications import Workers
from simulation.staffing.deadline import Deadline
from simulation.staffing.hunt import Effort
from simulation.staffing.master import Master
from simulation.staffing.needs import controls_of, needs_of
from simulation.staffing.plays import LivePlays, QuickPlays
from simulation.staffing.search import Found, search
from simulation.staffing.spaces import Plan, Space, intervals_space, shifts_space
from simulation.staffing.trials import margin

BEST_OF_A44 = (3, 10)
LEDGER = Path(__file__).parent / "staffing-ledger.md"
CORE = "live core pure" if day_module.__file__.endswith(".py") else "live core compiled"
_FRESH = 900_000  # days that no search has played


def find(space: Space, seed: int, workers: int, effort: Effort | None = None) -> Found:
    """Return what the search finds for a space."""
    effort = effort or Effort()
    needs = needs_of(Prepared(space.scenario))
    with Workers(workers) as crew:
        live = LivePlays(space.made, crew, seed)
        quick = QuickPlays(space.scenario, space.made, crew, seed)
        return search(live, quick, Master(space, needs), effort, lambda _: None, Deadline())


def _scenario(name: str) -> Scenario:
    """Return a scenario of which the best plan is known."""
    return n_design() if name == "A44" else of_design({**SMALL, "tight": TIGHT}[name])


def _one(name: str, seed: int, effort: Effort) -> tuple[Plan, bool, int, int, float]:
    """Search with a seed: the plan, whether confirmed, days, surrogate days, processor seconds."""
    began = time.process_time()
    found = find(intervals_space(_scenario(name)), seed, 1, effort)
    took = time.process_time() - began
    return found.plan, found.confirmed, found.played, found.quick, took


def _each(
    name: str, first: str, last: str, workers: str, effort: Effort | None = None
) -> Iterator[tuple[int, Plan, bool, int, int, float]]:
    """Search with many seeds, each in one process."""
    with Workers(int(workers)) as crew:
        tasks = [(name, seed, effort or Effort()) for seed in range(int(first), int(last) + 1)]
        for (_, seed, _), answer in zip(tasks, crew.each(_one, tasks), strict=True):
            yield seed, *answer


def _right(name: str, best: Plan, first: str, last: str, workers: str) -> Iterator[str]:
    """Search a scenario of which the best plan is known with many seeds."""
    right, took = 0, []
    for seed, plan, confirmed, played, quick, seconds in _each(name, first, last, workers):
        took.append(seconds)
        right += plan == best and confirmed
        sure = "confirmed" if confirmed else "open"
        yield f"{seed} {plan} {sure}, {played} days, {quick} surrogates, {seconds:.1f} s"
    took.sort()
    yield (
        f"{right} of {len(took)} seeds right; {took[len(took) // 2]:.1f} s of processor in the "
        f"middle, {took[-1]:.1f} s at most, {CORE}"
    )


def seeds(first: str, last: str, workers: str = "1") -> Iterator[str]:
    """Search case A44 with many seeds."""
    yield from _right("A44", BEST_OF_A44, first, last, workers)


def _best(small: Small) -> Plan:
    """Return the cheapest plan by complete enumeration of exact chains, empty pools included."""
    space = intervals_space(of_design(small))
    rates = sum(small.design.arrival_rates_per_min)
    for plan in sorted(product(range(30), repeat=2), key=space.cost_of):
        if sum(plan) < (1 - small.lost_max) * rates or not plan[1]:
            continue  # all work takes a minute, and somebody is there for every type
        lost = DesignAnswer(replace(small.design, agents=plan), edge_mass_max=1e-9).abandon_fraction
        if max(lost) <= small.lost_max:
            return plan
    raise AssertionError("thirty agents a pool are enough")


def designs(first: str, last: str, workers: str = "1") -> Iterator[str]:
    """Search other small designs; complete enumeration of exact chains knows the best."""
    told = []
    for name, small in SMALL.items():
        best = _best(small)
        line = f"{name}: best {best}"
        yield line
        for line in _right(name, best, first, last, workers):
            yield line
        told.append(f"{name} {best}: {line}")
    yield "; ".join(told)


def day(workers: str = "2") -> Iterator[str]:
    """Search a day of shifts, and hold the answer to 2,000 fresh days."""
    space = shifts_space(shift_day())
    found, told = _timed(space, int(workers))
    yield f"{len(space.group)} choices, {found.plan}: {told}"
    with Workers(int(workers)) as crew:
        study = LivePlays(space.made, crew, 1).study(found.plan, 2_000, first=_FRESH)
    needs = needs_of(Prepared(space.scenario))
    reached = []
    for need in needs:
        one = margin(need.surplus(study), controls_of(study, need))
        reached.append(f"{need.name} {need.level(study):.2%} ({one.mean / one.error:+.1f} errors)")
    yield f"{told}; on 2,000 fresh days {', '.join(reached)}"


def sample(workers: str = "2", confirm_days: str = "60") -> Iterator[str]:
    """Search agents and shifts of the sample centre."""
    scenario = load_scenario(Path("sample"))
    effort = Effort(confirm_days=int(confirm_days))
    answers = []
    for name, made in (("staff", intervals_space), ("schedule", shifts_space)):
        _, told = _timed(made(scenario), int(workers), effort)
        answers.append(f"{name}: {told}")
        yield answers[-1]
    yield "; ".join(answers)


def _timed(space: Space, workers: int, effort: Effort | None = None) -> tuple[Found, str]:
    began, cpu = time.monotonic(), _processor_s()
    found = find(space, 1, workers, effort)
    cost, sure = space.cost_of(found.plan), "confirmed" if found.confirmed else "not confirmed"
    return found, (
        f"cost {cost:,.1f} {sure}, bound {found.bound:,.1f} (gap {cost / found.bound - 1:.1%}), "
        f"{len(found.tried)} plans, {found.played} days, {found.quick:,} surrogates, "
        f"{time.monotonic() - began:.0f} s on {workers} workers, "
        f"{_processor_s() - cpu:.0f} s of processor, {CORE}"
    )


def _processor_s() -> float:
    """Return the processor seconds of this process and of its children that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def honest(first: str, last: str, workers: str = "1") -> Iterator[str]:
    """Hold what is confirmed with 90 % to exact chains, where the cheapest misses by a hair."""
    true: dict[Plan, bool] = {}
    sure = kept = 0
    effort = Effort(days=12, confirm_days=24)
    for seed, plan, confirmed, *_ in _each("tight", first, last, workers, effort):
        if plan not in true:
            lost = DesignAnswer(replace(TIGHT.design, agents=plan)).abandon_fraction
            true[plan] = max(lost) <= TIGHT.lost_max
        sure += confirmed
        kept += confirmed and true[plan]
        yield f"{seed} {plan} {'confirmed' if confirmed else 'open'}, truly {true[plan]}"
    yield f"90 % stated; {kept} of {sure} confirmed plans hold by exact chains"


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


def record(words: list[str], result: str) -> None:
    """Append a result to the ledger."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - whichever git is there
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    today = time.strftime("%Y-%m-%d")
    with LEDGER.open("a", encoding="utf-8") as lines:
        lines.write(f"| {today} | {commit} | {' '.join(words)} | {result} |\n")


def main(words: list[str]) -> None:
    """Run one part."""
    part, *options = words or ["peer"]
    parts: dict[str, Callable[..., Iterator[str]]] = {
        "seeds": seeds,
        "designs": designs,
        "day": day,
        "sample": sample,
        "honest": honest,
        "peer": peer,
    }
    line = ""
    for line in parts[part](*options):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    if part != "peer":
        record(words, line)


if __name__ == "__main__":
    main(sys.argv[1:])
