"""Play the model as a day of the planner: draws, shifts, tallies and all, with the live core."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any

from benchmarks.customers import ABANDONED, SERVED_AFTER_WAIT, SERVED_AT_ONCE, Customers, Model
from configs.planning import Demand, Law, Scenario
from router.center import Agent, Category, Center, Channel, Queue, Team
from simulation.plan.day import Day, play_day
from simulation.plan.prepared import Prepared
from simulation.plan.reading import load_scenario
from simulation.plan.tallies import Count

INTERVAL_MIN = 15


def scenario(model: Model, count: int) -> Scenario:
    """Return a day long enough for `count` customers to be expected."""
    intervals = round(count * model.interarrival_mean_ms / 60_000 / INTERVAL_MIN)
    hours, minutes = divmod(intervals * INTERVAL_MIN, 60)
    calls = Demand(
        category="calls",
        channel="phone",
        handle=Law(mean_ms=model.service_mean_ms),
        patience=Law(mean_ms=model.patience_mean_ms),
        per_interval=(INTERVAL_MIN * 60_000 / model.interarrival_mean_ms,) * intervals,
    )
    center = Center(
        name="pool",
        version=1,
        channels={"phone": Channel(auto_accept=True)},
        skills=("any",),
        queues={"calls": Queue()},
        categories={"calls": Category(queue="calls", needs={"any": 1})},
        teams={"pool": Team()},
        agents={f"a{n}": Agent(team="pool", skills={"any": 5}) for n in range(model.agents)},
    )
    return Scenario(
        name="pool",
        center=center,
        date="2026-03-10",
        opens="00:00",
        closes=f"{hours:02d}:{minutes:02d}",
        interval_ms=INTERVAL_MIN * 60_000,
        demand={"calls": calls},
    )


def run(model: Model, customers: Customers) -> bytearray:
    """Play about as many customers as the others get; the planner draws its own.

    What became of them is known per interval of arrival: their order within one is not.
    """
    day = scenario(model, len(customers))
    counts = play_day(day, seed=customers.arrivals_ms[-1]).counts[0]
    outcome = bytearray()
    for row in counts:
        arrived, delayed, left = (
            int(row[what]) for what in (Count.ARRIVED, Count.DELAYED, Count.ABANDONED)
        )
        outcome += bytes([SERVED_AT_ONCE]) * (arrived - delayed)
        outcome += bytes([SERVED_AFTER_WAIT]) * (delayed - left) + bytes([ABANDONED]) * left
    return outcome


def measure(name: str, days: int) -> dict[str, Any]:
    """Play days of a shipped scenario; only `play` is timed (CPU seconds), after a first day."""
    prepared = Prepared(load_scenario(Path(name)))
    Day(prepared, 1, 0).play()
    gc.collect()
    gc.freeze()
    contacts, cpu_s = 0, 0.0
    for number in range(1, 1 + days):
        day = Day(prepared, 1, number)
        started = time.process_time()
        tally = day.play()
        cpu_s += time.process_time() - started
        contacts += int(tally.counts[:, :, Count.ARRIVED].sum())
    return {"name": name, "days": days, "contacts": contacts, "cpu_s": cpu_s}
