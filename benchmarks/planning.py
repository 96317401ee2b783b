"""Set the planner beside its peers: `python -m benchmarks.planning [--write]`, two minutes.

Days of a telephone pool with impatient customers, played by the planner (interpreted, and compiled
where `make compiled` has built that), Ciw and textbook SimPy in turns; whole days of the shipped
scenarios; and one staffing question, asked of a calculator and of the planner. `--write` keeps
the tables in planning.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import mean, median
from typing import Any, Final

from pyworkforce.queuing import ErlangC

from benchmarks.builds import COMPILED_PYTHON, BuildError, check_compiled, command
from benchmarks.customers import Model
from benchmarks.simulated_day import estimate
from configs.planning import Demand, Group, Law, Scenario, Target
from router.center import Agent, AgentPolicy, Category, Center, Channel, Queue, Team
from simulation.plan import estimates as est
from simulation.plan.estimates import view
from simulation.plan.prepared import Prepared
from simulation.plan.replications import run
from simulation.plan.requirement import dedicated, lines_of, pooled
from simulation.plan.tallies import Count

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = Path(__file__).with_name("planning.md")
PLANNER: Final = "planner"
COMPILED: Final = "planner, compiled"
PEERS: Final = ("textbook SimPy", "Ciw")
MODEL: Final = Model()
ROUNDS: Final = 12
SHIPPED: Final = {"tiny": 40, "sample": 2}
CUSTOMERS: Final = 15_000
# Measured once by hand with seeds 1000 to 1039: a day's seconds are too dear for every run.
CIW_40: Final = "0.2704 ± 0.0062"
MINUTE_MS: Final = 60_000
DAYS: Final = 6


def measure(who: str, processor: int, **task: object) -> dict[str, Any]:
    """Measure in a process of its own, in the build that the model's name says."""
    compiled = COMPILED_PYTHON if who == COMPILED else None
    body = json.dumps({**task, "processor": processor})
    done = subprocess.run(
        command(compiled, "benchmarks.worker", body), cwd=ROOT, capture_output=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def find_planners() -> tuple[str, ...]:
    """Return the planner's builds that are there and made from these sources; say what is not."""
    try:
        check_compiled(COMPILED_PYTHON)
    except BuildError as error:
        print(f"## NOT MEASURED: the compiled planner. {error}", file=sys.stderr)
        return (PLANNER,)
    return PLANNER, COMPILED


def compare_days(planners: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    """Let the models take turns; a round's number is its seed."""
    processor = max(os.sched_getaffinity(0))
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in (*planners, *PEERS)}
    for number in range(ROUNDS):
        for name, rounds in found.items():
            task = {"name": PLANNER if name in planners else name, "count": CUSTOMERS}
            rounds.append(
                measure(name, processor, do="day", model=asdict(MODEL), seed=100 + number, **task)
            )
    return found


def table_of_days(found: dict[str, list[dict[str, Any]]]) -> str:
    """Return speeds, the planners' ratios to each, and the answers beside the exact ones."""
    exact = MODEL.exact()
    rows = [
        "| model | contacts/s | planner vs model | compiled vs model | P(wait) | P(abandon) |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, rounds in found.items():
        answers = []
        for share in ("waited", "abandoned"):
            days = [mean(play[share]) for play in rounds]
            middle, error = estimate(days)
            answers.append(f"{middle:.4f} ± {error:.4f}")
        rows.append(
            f"| {name} | {median(_speeds(found, name)):,.0f} | {_ratio(found, PLANNER, name)} | "
            f"{_ratio(found, COMPILED, name)} | {answers[0]} | {answers[1]} |"
        )
    if COMPILED not in found:
        rows.append(f"| {COMPILED} | NOT MEASURED: `make compiled` builds it | | | | |")
    rows.append(f"| exact (Erlang A) | | | | {exact.wait:.4f} | {exact.abandon:.4f} |")
    return "\n".join(rows)


def _speeds(found: dict[str, list[dict[str, Any]]], name: str) -> list[float]:
    return [play["per_second"] for play in found[name]]


def _ratio(found: dict[str, list[dict[str, Any]]], ours: str, theirs: str) -> str:
    """Return how many times as fast one is, round by round: median and range."""
    if ours not in found:
        return ""
    if ours == theirs:
        return "1"
    pairs = zip(_speeds(found, ours), _speeds(found, theirs), strict=True)
    ratios = [mine / other for mine, other in pairs]
    return f"{median(ratios):.2f}x ({min(ratios):.2f} to {max(ratios):.2f})"


def table_of_scenarios(planners: tuple[str, ...]) -> str:
    """Return how fast whole days of the shipped scenarios are played."""
    processor = max(os.sched_getaffinity(0))
    rows = [
        "| scenario | contacts a day | "
        + " | ".join(f"{one}, contacts/s" for one in planners)
        + " | a day, s | compiled vs interpreted |",
        "| --- | ---: | " + "---: | " * (len(planners) + 1) + "---: |",
    ]
    for name, days in SHIPPED.items():
        plays: dict[str, list[dict[str, Any]]] = {one: [] for one in planners}
        for _ in range(3):
            for one, kept in plays.items():
                kept.append(measure(one, processor, do="planned days", name=name, days=days))
        speeds = {
            one: [play["contacts"] / play["cpu_s"] for play in kept] for one, kept in plays.items()
        }
        best = planners[-1]
        seconds = median(play["cpu_s"] / days for play in plays[best])
        ratio = median(
            fast / slow for fast, slow in zip(speeds[best], speeds[PLANNER], strict=True)
        )
        rows.append(
            f"| {name} | {plays[PLANNER][0]['contacts'] / days:,.0f} | "
            + " | ".join(f"{median(found):,.0f}" for found in speeds.values())
            + f" | {seconds:.3f} | {f'{ratio:.1f}x' if best == COMPILED else 'NOT MEASURED'} |"
        )
    return "\n".join(rows)


# --- a flexible agent counted fully for each skill ----------------------------------------


def two_skills(only: int, flexible: int, patience_ms: int = 10 * MINUTE_MS) -> Scenario:
    """Return 100 billing calls an hour of 4 min, 50 technical ones of 8 min, 80/20.

    Technical calls go first where an agent can do both; billing customers wait for ever.
    """
    agents = {
        **{f"b{n}": Agent(team="only", skills={"billing": 9}) for n in range(only)},
        **{
            f"f{n}": Agent(team="flexible", skills={"billing": 3, "technical": 9})
            for n in range(flexible)
        },
    }
    queue = Queue(agent_policy=AgentPolicy.MOST_PROFICIENT)
    center = Center(
        name="two-skills",
        version=1,
        channels={"phone": Channel(auto_accept=True)},
        skills=("billing", "technical"),
        queues={"billing": queue, "technical": queue},
        categories={
            "billing": Category(queue="billing", needs={"billing": 1}, priority=5),
            "technical": Category(queue="technical", needs={"technical": 1}, priority=6),
        },
        teams={"only": Team(), "flexible": Team()},
        agents=agents,
    )
    demand = {
        name: Demand(
            category=name,
            channel="phone",
            handle=Law(mean_ms=handle_min * MINUTE_MS),
            patience=Law(mean_ms=patience_ms) if name == "technical" and patience_ms else None,
            per_interval=(per_hour * 2.0,) * 12,
        )
        for name, per_hour, handle_min in (("billing", 100, 4), ("technical", 50, 8))
    }
    return Scenario(
        name="two skills",
        center=center,
        date="2026-03-10",
        opens="00:00",
        closes="24:00",
        interval_ms=120 * MINUTE_MS,
        demand=demand,
        workforce={"only": Group(), "flexible": Group()},
        target=Target(within_ms=20_000),
    )


def shares_in_time(scenario: Scenario) -> str:
    """Return who of each demand was answered in time, of all that came, after a first interval."""
    study = run(scenario, DAYS, workers=1)
    shares = []
    for name in scenario.demand:
        part = view(study, [name], range(1, 12))
        found = est.estimate(part.over(part.count(Count.IN_TIME), part.count(Count.ARRIVED)))
        shares.append(f"{100 * found.value:.1f} ± {100 * found.half_width:.1f} %")
    return " | ".join(shares)


def calculator() -> dict[str, int]:
    """Return what pyworkforce asks for, line by line."""
    asked = {}
    for name, per_hour, handle_min in (("billing", 100, 4), ("technical", 50, 8)):
        line = ErlangC(transactions=per_hour, aht=handle_min, asa=20 / 60, interval=60)
        asked[name] = int(line.required_positions(0.8, max_occupancy=1.0)["positions"])
    return asked


def table_of_skills() -> str:
    """Return what each way to count asks for, and what the planner's simulator makes of it."""
    asked = calculator()
    # The calculator knows no patience: the bounds beside it are for customers who never leave.
    patient = two_skills(7, 6, patience_ms=0)
    lines = lines_of(Prepared(patient))
    alone, together = (float(need(lines, patient.target).max()) for need in (dedicated, pooled))
    rows = [
        f"| {only} for billing, {flexible} for both | {only + flexible} | "
        f"{shares_in_time(two_skills(only, flexible))} |"
        for only, flexible in ((7, 6), (7, 10), (10, 10))
    ]
    return f"""\
pyworkforce {version("pyworkforce")} sizes each line alone, in whole agents: {asked["billing"]}
and {asked["technical"]}, {sum(asked.values())} together; it has no answer for agents who do both.
The planner's bounds before any simulation, without abandonment as well: {alone:.2f} agents if each
line has its own, {together:.2f} if everybody does everything.

| design | agents | billing in 20 s | technical in 20 s |
| --- | ---: | ---: | ---: |
""" + "\n".join(rows)


def page(planners: tuple[str, ...]) -> str:
    """Measure everything and return the whole page."""
    load = os.getloadavg()[0]
    days, scenarios = table_of_days(compare_days(planners)), table_of_scenarios(planners)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    libraries = ", ".join(f"{name} {version(name)}" for name in ("simpy", "ciw"))
    return f"""# The planner beside its peers

Written by `python -m benchmarks.planning --write`; do not edit. Measured on {today}:
{os.cpu_count()} processors, load average {load:.1f} before, CPython {platform.python_version()}; \
{libraries}.
`make compiled` builds the compiled planner: the same files through mypyc, the same figures.

## A day of one pool

{MODEL.agents} agents, load {MODEL.load}, work {MODEL.service_mean_ms // 1000} s and patience
{MODEL.patience_mean_ms // 1000} s, both exponential; {CUSTOMERS:,} contacts a day, {ROUNDS} days in
turns, CPU time of the run alone, each in a process of its own. SimPy's customers are drawn before
its clock runs; the planner and Ciw draw theirs on the clock. The planner plays the live router,
with shifts and tallies by interval; SimPy and Ciw play a queue with one kind of server.

{days}

± is one standard error over the days. Single days scatter by 0.04 in P(wait), so a model may be two
of these errors off by luck; over 40 days Ciw comes to a P(wait) of {CIW_40}.
Speeds and ratios are medians over the days, ratios within a day with their range.

## Days of the shipped scenarios

One core, CPU time of the day alone; contacts with redials and repeats.

{scenarios}

Other things that are timed have their own scripts: the look-ahead from a live state
`python -m benchmarks.look_ahead` ([WHATIF.md](../WHATIF.md)), the search for staff
`python -m benchmarks.staffing` ([STAFFING.md](../STAFFING.md)).

## Two skills, and agents who have both

100 billing calls an hour of 4 min, 50 technical ones of 8 min (13.33 erlang), 80 % within 20 s, the
share of all that came. Technical customers have a patience of 10 min and go first; billing
customers never leave. {DAYS} simulated days a row; ± is the half-width of the 95 % interval.

{table_of_skills()}

The first row counts each flexible agent fully for both lines. Exact for it, from the Markov chain:
46.7 % and 20.3 %.
"""


def main() -> None:
    """Measure, print, and with `--write` keep the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    text = page(find_planners())
    print(text)
    if given.write:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
