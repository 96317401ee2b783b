"""Growth is asserted by counting the core's lines: a clock on a shared machine proves nothing."""

from __future__ import annotations

import pytest

from benchmarks.operations import count_lines, count_served, count_waiting
from router.build_info import COMPILED
from router.skills import needs_of

GROWTH_MAX = 1.1
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


def test_events_of_served_contacts_cost_the_same_with_100_times_the_agents() -> None:
    assert_flat(count_served(20, SAMPLES), count_served(2_000, SAMPLES))


def test_events_of_waiting_contacts_cost_the_same_with_100_times_the_contacts() -> None:
    assert_flat(count_waiting(1_000, SAMPLES), count_waiting(100_000, SAMPLES))
