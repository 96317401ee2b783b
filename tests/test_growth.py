"""Growth is asserted by counting the core's lines: a clock on a shared machine proves nothing."""

from __future__ import annotations

import pytest

from benchmarks.operations import count_lines, count_served, count_waiting
from router.build_info import COMPILED
from router.skills import needs_of

GROWTH_MAX = 1.1
# What an event may cost a centre that configures none of the rarer features: each of them may add
# one question whether it is there. Counted on 2026-11-22, and a twentieth for other Pythons.
LINES_MAX = {
    "arrive, offered at once": 443,
    "decline, offered to the next": 472,
    "accept": 222,
    "end, wrap-up begins": 91,
    "wrap-up end, agent idle": 262,
    "time advanced, back-off over": 317,
}
SAMPLES = 60

pytestmark = pytest.mark.skipif(COMPILED, reason="a compiled core executes no Python lines")


def assert_flat(small: dict[str, float], large: dict[str, float]) -> None:
    assert small.keys() == large.keys()
    growth = {kind: large[kind] / small[kind] for kind in small}
    grown = {kind: ratio for kind, ratio in growth.items() if ratio > GROWTH_MAX}
    assert not grown, f"lines per event grow with the size: {grown} ({small} -> {large})"


def test_the_counter_sees_growth() -> None:
    few, _ = count_lines(lambda: needs_of({"a": 1}))
    many, needs = count_lines(lambda: needs_of({str(number): 1 for number in range(100)}))
    assert few > 0
    assert len(needs) == 100
    assert many > 5 * few


def test_what_a_centre_does_not_use_costs_it_next_to_nothing() -> None:
    counted = count_served(20, SAMPLES)
    dearer = {kind: lines for kind, lines in counted.items() if lines > LINES_MAX[kind]}
    assert not dearer, f"lines per event: {dearer}, at most {LINES_MAX}"


def test_events_of_served_contacts_cost_the_same_with_100_times_the_agents() -> None:
    assert_flat(count_served(20, SAMPLES), count_served(2_000, SAMPLES))


def test_events_of_waiting_contacts_cost_the_same_with_100_times_the_contacts() -> None:
    assert_flat(count_waiting(1_000, SAMPLES), count_waiting(100_000, SAMPLES))
