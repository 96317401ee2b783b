"""Hold staffing by formula to known answers: fewest agents, shift cover, the cheapest design."""

from __future__ import annotations

import math

import pytest

from simulation.chain_designs import Design
from simulation.erlang import ErlangA, ErlangC
from simulation.staffing_formulas import (
    agents_real,
    cheapest_two_pools,
    cover_shifts,
    fewest_agents,
    queue_of,
)
from tests.validation import check, load

STAFFING, CHAINS = load("staffing"), load("chains")


@pytest.mark.parametrize("name", [f"A41{letter}" for letter in "abcdefg"])
def test_fewest_agents(name: str) -> None:
    p = STAFFING[name]["parameters"]
    arrival, service = p["arrival_rate_per_h"] / 60, 60 / p["service_mean_s"]
    patience = 60 / p["patience_mean_s"]
    threshold = p["threshold_s"] / 60
    target = p["target_served_within_threshold_per_arrival"]
    told: dict[str, float] = {}
    for model, rate in (("erlang_c", 0.0), ("erlang_a", patience)):
        agents = fewest_agents(
            arrival, service, rate, lambda queue: queue.served_within(threshold) >= target
        )
        queue, fewer = (queue_of(arrival, service, rate, n) for n in (agents, agents - 1))
        assert queue is not None
        assert fewer is not None
        share = f"served_within_threshold_per_arrival_{model}"
        told |= {
            f"agents_{model}": agents,
            share: queue.served_within(threshold),
            f"{share}_one_agent_fewer": fewer.served_within(threshold),
            f"abandon_fraction_{model}": queue.abandon_fraction,
        }
        real = agents_real(arrival, service, rate, threshold, target)
        assert agents - 1 < real <= agents
        just = queue_of(arrival, service, rate, real)
        assert just is not None
        assert just.served_within(threshold) == pytest.approx(target, abs=1e-9)
    check(STAFFING[name], {key: told[key] for key in STAFFING[name]["expected"]})


def test_a_queue_that_never_settles_is_none() -> None:
    assert queue_of(12, 1, 0, 12) is None
    assert isinstance(queue_of(12, 1, 0, 12.5), ErlangC)
    assert isinstance(queue_of(12, 1, 0.1, 3), ErlangA)


def test_a_target_out_of_reach_is_told() -> None:
    with pytest.raises(ValueError, match="not even 100,000 agents"):
        fewest_agents(1, 1, 0.5, lambda queue: queue.served_within(1) > 1)


def test_trap_3_rounding_up_each_queue_then_adding() -> None:
    # Twelve queues of 20 to 31 contacts a half hour, 30 % shrinkage: each rounding costs agents.
    needs = [agents_real(volume / 30, 1 / 3, 1 / 2, 1 / 3, 0.8) for volume in range(20, 32)]
    right = math.ceil(sum(need / 0.7 for need in needs))
    wrong = sum(math.ceil(math.ceil(need) / 0.7) for need in needs)
    assert (wrong, right) == (82, 67)


def test_cover_shifts() -> None:
    p = STAFFING["A48"]["parameters"]
    length = p["shift_length_h"]
    shifts = [range(start, start + length) for start in p["shift_start_h"]]
    found = cover_shifts(p["need_by_hour"], shifts, p["shift_cost"])
    assert found.cost == STAFFING["A48"]["expected"]["cost"]
    for hour, need in enumerate(p["need_by_hour"]):
        present = sum(
            count for count, shift in zip(found.agents, shifts, strict=True) if hour in shift
        )
        assert present >= need
    example = STAFFING["A48"]["expected"]["shifts_example"]
    assert found.cost == sum(
        count * cost for count, cost in zip(example, p["shift_cost"], strict=True)
    )


def test_a_need_without_a_shift_is_told() -> None:
    with pytest.raises(ValueError, match="interval 2 needs 1 and no shift works then"):
        cover_shifts([1, 1, 1], [[0, 1]], [8])
    with pytest.raises(ValueError, match="one cost a shift"):
        cover_shifts([1, 1], [[0, 1]], [8, 8])


def test_the_cheapest_design() -> None:
    case = CHAINS["A44"]
    found = cheapest_two_pools(
        lambda agents: Design(
            arrival_rates_per_min=(6, 5),
            agents=agents,
            service_rates_per_min=((1, 0), (1, 1)),
            patience_rates_per_min=(0.5, 0.8),
            pools_of_type=((0, 1), (1,)),
            types_of_pool=((0,), (1, 0)),
        ),
        (1, 1.1),
        (0.05, 0.05),
        served_per_min_least=0.95 * 11,
    )
    check(
        case,
        {
            "agents": dict(zip(("pool_1", "pool_2"), found.agents, strict=True)),
            "cost": found.cost,
            "abandon_fraction": dict(zip(("A", "B"), found.abandon_fraction, strict=True)),
        },
    )


def test_a_promise_that_no_design_keeps_is_told() -> None:
    alone = Design((6, 5), (1, 1), ((1, 0), (0, 1)), (0.5, 0.8), ((0,), (1,)), ((0,), (1,)))
    with pytest.raises(ValueError, match="no design of up to 1 agents a pool"):
        cheapest_two_pools(lambda _: alone, (1, 1), (0.0, 0.0), agents_max=1)
