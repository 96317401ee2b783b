"""The simulated world against queueing theory: where a formula is exact, the simulator meets it.

Model: Poisson arrivals, exponential service and patience, one pool (M/M/n+M, "Erlang A"; Garnett,
Mandelbaum & Reiman, M&SOM 2002). The whole engine runs: offers, auto-accept, timers, abandonment.
"""

from __future__ import annotations

from statistics import fmean, stdev

import pytest

from router.center import Agent, Category, Center, Channel, Queue, Team
from router.decisions import AssignContact, CloseContact, Exit
from router.events import ContactArrived
from router.journal import Entry
from simulation.day import simulate_day
from simulation.scenario import Customers, Demand, Law, Options, Shift, Workforce

MINUTE_MS = 60_000
START_MS = 1_767_603_600_000
WARM_UP_MS = 30 * MINUTE_MS
BATCH_MS = 30 * MINUTE_MS
BATCHES = 16


def erlang_a(rate: float, service: float, patience: float, agents: int) -> tuple[float, float]:
    """Return P(delay) and P(abandon) from the birth-death chain; rates per minute.

    The chain is cut where its mass is below 1e-15.
    """
    weights = [1.0]
    for k in range(1, 40 * agents):
        leave = min(k, agents) * service + max(k - agents, 0) * patience
        weights.append(weights[-1] * rate / leave)
        if k > agents and weights[-1] < 1e-15 * max(weights):
            break
    total = sum(weights)
    delay = sum(weights[agents:]) / total
    queue = sum((k - agents) * w for k, w in enumerate(weights) if k > agents) / total
    return delay, patience * queue / rate


def test_the_formula_gives_the_published_values() -> None:
    delay, abandon = erlang_a(48, 1, 0.5, 50)
    assert delay == pytest.approx(0.46777406855379, abs=1e-9)
    assert abandon == pytest.approx(0.0309122491621932, abs=1e-9)


class Observer:
    """Note, per batch of arrivals, who was delayed, who abandoned, who was served within 20 s."""

    def __init__(self) -> None:
        self.batch_of: dict[str, int] = {}
        self.arrived = [0] * BATCHES
        self.delayed = [0] * BATCHES
        self.abandoned = [0] * BATCHES
        self.in_time = [0] * BATCHES

    def hear(self, entry: Entry) -> None:
        event = entry.stamped.event
        if isinstance(event, ContactArrived):
            batch = (entry.stamped.at_ms - START_MS - WARM_UP_MS) // BATCH_MS
            if 0 <= batch < BATCHES:
                self.batch_of[event.contact_id] = batch
                self.arrived[batch] += 1
                # Nobody was free if the contact is not assigned in the entry of its arrival.
                at_once = any(isinstance(decision, AssignContact) for decision in entry.decisions)
                self.delayed[batch] += not at_once
        for decision in entry.decisions:
            if isinstance(decision, AssignContact) and decision.wait_ms <= 20_000:
                batch = self.batch_of.get(decision.contact_id, -1)
                if batch >= 0:
                    self.in_time[batch] += 1
            if isinstance(decision, CloseContact) and decision.exit is Exit.ABANDONED:
                batch = self.batch_of.get(decision.contact_id, -1)
                if batch >= 0:
                    self.abandoned[batch] += 1


def pool(agents: int) -> Center:
    """One queue, one skill, every call taken at once by whoever is free."""
    return Center(
        name="pool",
        version=1,
        channels={"phone": Channel(auto_accept=True)},
        skills=("any",),
        queues={"q": Queue()},
        categories={"calls": Category(queue="q", needs={"any": 1})},
        teams={"t": Team()},
        agents={f"a{n}": Agent(team="t", skills={"any": 5}) for n in range(agents)},
    )


def calls(center: Center, per_minute: float, length_ms: int, patience: Law | None) -> Options:
    """Poisson calls with exponential work of a minute, and nothing else."""
    return Options(
        seed=6,
        start_ms=START_MS,
        length_ms=length_ms,
        demands=(
            Demand(
                name="calls",
                category="calls",
                channel="phone",
                rates_per_hour=(per_minute * 60,),
                interval_ms=length_ms,
                handle=Law(mean_ms=MINUTE_MS),
                patience=patience,
            ),
        ),
        customers=Customers(
            holds=0,
            transfers=0,
            updates=0,
            merges=0,
            complains=0,
            redials=0,
            reopens=0,
            repeats=0,
        ),
        workforce=Workforce(
            shifts=tuple(
                Shift(agent_id=name, start_ms=0, end_ms=length_ms) for name in center.agents
            ),
            proficiency_gain=0,
        ),
    )


@pytest.mark.parametrize(
    ("agents", "per_minute", "patience_ms", "in_time"),
    [(50, 48.0, 120_000, 0.943018954746981), (10, 11.0, 60_000, None)],
)
def test_the_simulator_meets_erlang_a(
    agents: int, per_minute: float, patience_ms: int, in_time: float | None
) -> None:
    center = pool(agents)
    length_ms = WARM_UP_MS + BATCHES * BATCH_MS + 10 * MINUTE_MS
    options = calls(center, per_minute, length_ms, Law(mean_ms=patience_ms))
    observer = Observer()
    simulate_day(center, options, listeners=(observer.hear,))
    delay, abandon = erlang_a(per_minute, 1, MINUTE_MS / patience_ms, agents)
    shares = [(observer.delayed, delay), (observer.abandoned, abandon)]
    if in_time is not None:
        shares.append((observer.in_time, in_time))
    for counts, exact in shares:
        ratio = sum(counts) / sum(observer.arrived)
        # Batch means, ratio of sums: r_i = (G_i - s D_i) / mean(D); the batches are long
        # against the service, so hardly correlated.
        mean = fmean(observer.arrived)
        errors = [
            (got - ratio * all_) / mean for got, all_ in zip(counts, observer.arrived, strict=True)
        ]
        error = stdev(errors) / BATCHES**0.5
        assert error < 0.05 * exact + 0.02, "the run is long enough to tell"
        assert abs(ratio - exact) < 4 * error, (ratio, exact, error)


def waits_of(agents: int) -> dict[str, int]:
    center = pool(agents)
    waits: dict[str, int] = {}

    def hear(entry: Entry) -> None:
        for decision in entry.decisions:
            if isinstance(decision, AssignContact):
                waits[decision.contact_id] = decision.wait_ms

    simulate_day(center, calls(center, 9.0, 4 * 60 * MINUTE_MS, None), listeners=(hear,))
    return waits


def test_one_agent_more_delays_nobody() -> None:
    """Same customers, first come first served, endless patience: path by path, no wait grows."""
    ten, eleven = waits_of(10), waits_of(11)
    assert len(ten) > 2_000
    assert set(ten) <= set(eleven)
    assert all(eleven[contact_id] <= wait_ms for contact_id, wait_ms in ten.items())
    assert sum(eleven[contact_id] for contact_id in ten) < sum(ten.values()) / 2
