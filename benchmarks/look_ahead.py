"""Time the forecast from a live state: three courses, paired, two hours of 500 contacts an hour.

`python -m benchmarks.look_ahead` plays the sample centre (calls, chats, letters; offers, promises,
breaks, redials) from a state of its own at eleven o'clock, and one plain line of calls at the same
rate. It prints wall time, CPU time of all processes, and contacts per CPU second.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from configs.changes import Change
from configs.planning import Demand, Group, Law, Scenario
from router import router as core
from router.center import Agent, Category, Center, Channel, Queue, Team
from simulation.plan.changes import apply_change
from simulation.plan.day import Day
from simulation.plan.prepared import Prepared
from simulation.plan.reading import load_scenario
from simulation.whatif.altering import Alteration, Reinforcement
from simulation.whatif.forecasting import ANSWERED, GAVE_UP, Outlook, play_pairs
from simulation.whatif.live import Live, outlook_of

PER_HOUR = 500
HORIZON_MS = 7_200_000
BEFORE_MS = 7_200_000


def sample() -> tuple[Scenario, tuple[str, str]]:
    """Return the sample centre with 500 contacts an hour in the two hours looked at."""
    scenario = load_scenario(Path("sample"))
    expected = float(Prepared(scenario).expected[:, 4:8].sum())
    factor = PER_HOUR * HORIZON_MS / 3_600_000 / expected
    return apply_change(scenario, Change(demand=factor)), ("care", "technical")


def plain() -> tuple[Scenario, tuple[str, str]]:
    """Return one line of calls for 45 agents: 5 minutes each, patience 4 minutes."""
    center = Center(
        name="one-line",
        version=1,
        channels={"phone": Channel(auto_accept=True)},
        skills=("calls",),
        queues={"calls": Queue()},
        categories={"call": Category(queue="calls", needs={"calls": 1}, wrap_up_ms=0)},
        teams={"team": Team()},
        agents={f"agent-{n:02d}": Agent(team="team", skills={"calls": 5}) for n in range(45)},
    )
    demand = Demand(
        category="call",
        channel="phone",
        handle=Law(mean_ms=300_000),
        patience=Law(mean_ms=240_000),
        per_interval=(float(PER_HOUR),) * 8,
    )
    scenario = Scenario(
        name="one line",
        center=center,
        date="2026-03-10",
        opens="09:00",
        closes="17:00",
        interval_ms=3_600_000,
        demand={"calls": demand},
        workforce={"team": Group(members=tuple(center.agents))},
    )
    return scenario, ("team", "calls")


def outlook_for(scenario: Scenario, wheres: tuple[str, str]) -> Outlook:
    """Return the outlook from a state that this scenario itself came to, with two changes."""
    day = Day(Prepared(scenario), 1, 0)
    day.driver.feed(day.prepared.opening(day.streams))
    day.desks.start()
    day.customers.start()
    day.driver.run(until=day.prepared.start_ms + BEFORE_MS)
    courses = {
        f"2 more in {where}": Alteration(
            reinforcements=(Reinforcement(where=where, agents=2, from_ms=0, to_ms=0),)
        )
        for where in wheres
    }
    live = Live(body=day.driver.router.snapshot())
    outlook, _ = outlook_of(live, scenario, courses, horizon_ms=HORIZON_MS)
    return replace(outlook, seed=7)


def measure(name: str, outlook: Outlook, pairs: int, workers: int) -> dict[str, Any]:
    """Play all pairs and return what it took."""

    def spent() -> float:
        return sum(
            usage.ru_utime + usage.ru_stime
            for usage in (
                resource.getrusage(resource.RUSAGE_SELF),
                resource.getrusage(resource.RUSAGE_CHILDREN),
            )
        )

    began, cpu = time.monotonic(), spent()
    contacts = 0.0
    for pair in play_pairs(outlook, pairs, workers):
        contacts += sum(float(s.counts[:, (ANSWERED, GAVE_UP)].sum()) for s in pair)
    wall_s, cpu_s = time.monotonic() - began, spent() - cpu
    return {
        "name": name,
        "build": "pure" if core.__file__.endswith(".py") else "compiled",
        "courses": len(outlook.courses),
        "pairs": pairs,
        "workers": workers,
        "contacts": round(contacts),
        "wall_s": round(wall_s, 1),
        "cpu_s": round(cpu_s, 1),
        "contacts_per_cpu_s": round(contacts / cpu_s),
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """Measure both centres and print a line of JSON for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    for name, scenario_of in (("sample", sample), ("one line", plain)):
        outlook = outlook_for(*scenario_of())
        found = measure(name, outlook, chosen.pairs, chosen.workers)
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
