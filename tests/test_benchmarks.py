"""A benchmark is worth something only if every model answers the same question."""

from __future__ import annotations

import json
from math import exp
from pathlib import Path

import pytest

from benchmarks import engine_loops, engine_world, planner_day, tables
from benchmarks.customers import Model, draw_customers
from benchmarks.erlang_a import solve
from benchmarks.peers import heapq_loop, multi_skill, simpy_reused_events, simpy_textbook
from benchmarks.simulated_day import Run, estimate

SMALL = Model(agents=20, load=1.0)
SKILLED = Model(agents=20, load=1.0, categories=4)
PEERS = [simpy_textbook.run, simpy_reused_events.run]
ENGINES = [
    engine_loops.run,
    engine_loops.run_with_offers,
    engine_world.run,
    engine_world.run_keeping_entries,
    engine_world.run_with_offers,
]


def test_erlang_a_with_equal_rates_is_an_infinite_server_queue() -> None:
    # With patience like service each person leaves at the same rate wherever he is: the number
    # present is Poisson with mean 10, so P(wait) = P(Poisson >= 8).
    term, below = exp(-10), 0.0
    for number in range(8):
        below += term
        term *= 10 / (number + 1)
    exact = solve(agents=8, arrivals=10, service=1, patience=1)
    assert exact.wait == pytest.approx(1 - below, rel=1e-12)


def test_erlang_a_reaches_the_published_values() -> None:
    # Garnett, Mandelbaum & Reiman (2002): 50 agents, 48 calls a minute, service 1, patience 2 min.
    exact = solve(agents=50, arrivals=48, service=1, patience=0.5)
    assert round(exact.wait, 3) == 0.468
    assert round(exact.abandon, 3) == 0.031


def test_the_hand_written_model_comes_near_the_exact_values() -> None:
    customers = draw_customers(SMALL, 200_000, seed=1)
    steady = heapq_loop.run(SMALL, customers)[SMALL.warm_up :]
    size = len(steady) // 50
    batches = [steady[start : start + size] for start in range(0, size * 50, size)]
    exact = SMALL.exact()
    for value, target in (({1, 2}, exact.wait), ({2}, exact.abandon)):
        shares = [sum(map(batch.count, value)) / size for batch in batches]
        mean, error = estimate(shares)
        assert abs(mean - target) < 4 * error


@pytest.mark.parametrize("run", [*PEERS, *ENGINES])
def test_every_model_serves_every_customer_alike(run: Run) -> None:
    customers = draw_customers(SMALL, 2_000, seed=2)
    expected = heapq_loop.run(SMALL, customers)
    assert set(expected) == {0, 1, 2}
    assert run(SMALL, customers) == expected


@pytest.mark.parametrize(
    "run",
    [
        multi_skill.run_event_router,
        multi_skill.run_filter_store,
        engine_loops.run,
        engine_world.run,
    ],
)
def test_every_multi_skill_model_serves_every_customer_alike(run: Run) -> None:
    customers = draw_customers(SKILLED, 2_000, seed=3)
    expected = multi_skill.run_heapq(SKILLED, customers)
    assert set(expected) == {0, 1, 2}
    assert run(SKILLED, customers) == expected


def test_the_published_tables_are_those_of_the_results() -> None:
    results = json.loads(tables.RESULTS.read_text(encoding="utf-8"))
    text = Path(tables.README).read_text(encoding="utf-8")
    assert tables.render(results).strip() in text


def test_the_planner_plays_the_model() -> None:
    model = Model(agents=10)
    outcome = planner_day.run(model, draw_customers(model, 4_000, 3))
    exact = model.exact()
    assert len(outcome) == pytest.approx(4_000, abs=250)
    assert outcome.count(0) / len(outcome) == pytest.approx(1 - exact.wait, abs=0.06)
    assert outcome.count(2) / len(outcome) == pytest.approx(exact.abandon, abs=0.025)
