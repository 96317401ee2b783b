"""Time the forecast from a live state: three courses, paired, two hours of 500 contacts an hour.

`python -m benchmarks.look_ahead` plays the sample centre (calls, chats, letters; offers, promises,
breaks, redials) from a state of its own at eleven o'clock, and one plain line of calls at the same
rate. It prints CPU time, wall time on two processes, and contacts per CPU second; `--write` keeps
them in look_ahead.md, beside those of the other build (interpreted or compiled).
"""

from __future__ import annotations

import argparse
import json
import os
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
WORKERS = 2


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


def measure(name: str, outlook: Outlook, pairs: int) -> dict[str, Any]:
    """Play all pairs in this process, then again on two, and return what it took."""
    cpu = time.process_time()
    contacts = 0.0
    for pair in play_pairs(outlook, pairs):
        contacts += sum(float(s.counts[:, (ANSWERED, GAVE_UP)].sum()) for s in pair)
    cpu_s = time.process_time() - cpu
    began = time.monotonic()
    for _ in play_pairs(outlook, pairs, workers=WORKERS):
        pass
    wall_s = time.monotonic() - began
    return {
        "name": name,
        "build": "pure" if core.__file__.endswith(".py") else "compiled",
        "courses": len(outlook.courses),
        "pairs": pairs,
        "contacts": round(contacts),
        "wall_s": round(wall_s, 1),
        "cpu_s": round(cpu_s, 1),
        "contacts_per_cpu_s": round(contacts / cpu_s),
        "load": os.getloadavg()[0],
    }


HEAD = """# Looking ahead from a live state

Written by `python -m benchmarks.look_ahead --write`; do not edit. Three courses (nothing changed,
2 more here, 2 more there), paired, two hours of 500 contacts an hour. CPU time is that of one
process; that of two processes is by the clock, their start included. The column of 200
pairs (0.6 million contacts) has the CPU seconds that they take at this rate.

| centre | build | pairs | contacts | CPU s | contacts a CPU s | 200 pairs | 2 processes, s | load |
|---|---|---:|---:|---:|---:|---:|---:|---:|
"""


def row_of(found: dict[str, Any]) -> str:
    """Return what was measured as a row of the page."""
    whole = 200 * found["cpu_s"] / found["pairs"]
    return (
        f"| {found['name']} | {found['build']} | {found['pairs']} | "
        f"{found['contacts']:,} | {found['cpu_s']:.1f} | "
        f"{found['contacts_per_cpu_s']:,} | {whole:.0f} | {found['wall_s']:.1f} | "
        f"{found['load']:.1f} |\n"
    )


def write(rows: list[str], page: Path) -> None:
    """Put rows into the page; the other build's stay."""
    kept = page.read_text(encoding="utf-8").splitlines() if page.exists() else []
    of_both = {
        tuple(line.split("|")[1:3]): f"{line.strip()}\n"
        for line in (*kept, *rows)
        if line.startswith("| ") and not line.startswith("| centre")
    }
    page.write_text(HEAD + "".join(of_both[key] for key in sorted(of_both)), encoding="utf-8")


def main() -> None:
    """Measure both centres and print a line of JSON for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--page", type=Path, default=Path(__file__).with_name("look_ahead.md"))
    chosen = parser.parse_args()
    rows = []
    for name, scenario_of in (("sample", sample), ("one line", plain)):
        outlook = outlook_for(*scenario_of())
        found = measure(name, outlook, chosen.pairs)
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
        rows.append(row_of(found))
    if chosen.write:
        write(rows, chosen.page)


if __name__ == "__main__":
    main()
