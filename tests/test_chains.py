"""Hold exact Markov chains to known numbers: designs, one pool with a twist, whole days."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulation import chain_models as models
from simulation.chain_days import Customers, DayAnswer, Period, follow_day, mix_over_busyness
from simulation.chain_designs import Design, DesignAnswer
from simulation.chains import EDGE_MASS_MAX, ChainError, explore, solve_capped
from simulation.erlang import ErlangA, ErlangC, Offered
from simulation.offered_load import identity_delay_probability, identity_mean
from simulation.priority import TwoClasses
from simulation.time_laws import Exponential
from tests.validation import check, load

CHAINS, DAYS = load("chains"), load("days")


# --- designs: who may serve whom ------------------------------------------------------------------


def n_design(
    agents: tuple[int, int], *, pool_2_takes: tuple[int, int] = (1, 0), reserve: int = 0
) -> Design:
    """Return the N-design of the cases: A to pool_1, then pool_2; B to pool_2 only."""
    return Design(
        arrival_rates_per_min=(6, 5),
        agents=agents,
        service_rates_per_min=((1, 0), (1, 1)),
        patience_rates_per_min=(0.5, 0.8),
        pools_of_type=((0, 1), (1,)),
        types_of_pool=((0,), pool_2_takes),
        reserves={(0, 1): reserve} if reserve else {},
    )


V_DESIGN = Design((5, 6), (10,), ((1, 1),), (0.5, 0.25), ((0,), (0,)), ((0, 1),))
X_DESIGN = Design(
    (3, 2), (3, 3), ((1, 0.7), (0.8, 0.9)), (0.4, 0.6), ((0, 1), (1, 0)), ((0, 1), (1, 0))
)
W_DESIGN = Design(
    arrival_rates_per_min=(1, 2, 1),
    agents=(1, 2),
    service_rates_per_min=((1, 1, 0), (0, 1, 1)),
    patience_rates_per_min=(0.2, 0.1, 0.2),
    pools_of_type=((0,), (0, 1), (1,)),
    types_of_pool=((1, 0), (1, 2)),
    balk_probabilities=(0.08, 0.06, 0.08),
)
DESIGNS = {
    "A26": (V_DESIGN, ("class_1", "class_2"), ()),
    "A27": (n_design((5, 7)), ("A", "B"), ("pool_1", "pool_2")),
    "A28": (n_design((5, 7), pool_2_takes=(0, 1)), ("A", "B"), ("pool_1", "pool_2")),
    "A29": (n_design((5, 7), reserve=1), ("A", "B"), ("pool_1", "pool_2")),
    "A30": (X_DESIGN, ("type_0", "type_1"), ("pool_0", "pool_1")),
    "A31": (W_DESIGN, ("type_0", "type_1", "type_2"), ("group_0", "group_1")),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_designs(name: str) -> None:
    design, types, pools = DESIGNS[name]
    case = CHAINS[name]
    # W has three queues: 1e-13 beyond the edge is enough for it, and faster.
    answer = DesignAnswer(design, edge_mass_max=1e-13 if name == "A31" else EDGE_MASS_MAX)
    delays = dict(zip(types, answer.delay_probability, strict=True))
    one_delay = isinstance(case["expected"]["delay_probability"], float)
    told: dict[str, Any] = {
        "delay_probability": answer.delay_probability_all if one_delay else delays,
        "queue_length_mean": dict(zip(types, answer.queue_length_mean, strict=True)),
        "wait_mean_min": dict(zip(types, answer.wait_mean_min, strict=True)),
        "abandon_fraction": dict(zip(types, answer.abandon_fraction, strict=True)),
        "busy_agents_mean": sum(
            share * count for share, count in zip(answer.occupancy, design.agents, strict=True)
        ),
        "cross_served_per_min": 0.0,
    }
    if pools:
        told["occupancy"] = dict(zip(pools, answer.occupancy, strict=True))
    if name == "A30":
        told["cross_served_per_min"] = 0.7 * answer.at_work(1, 0) + 0.8 * answer.at_work(0, 1)
    check(case, {key: told[key] for key in case["expected"]})


def test_unequal_agents_fastest_first() -> None:
    design = Design((1.2,), (1, 1), ((1,), (0.5,)), (0,), ((0, 1),), ((0,), (0,)))
    answer = DesignAnswer(design)
    check(
        CHAINS["A37"],
        {
            "delay_probability": answer.delay_probability_all,
            "wait_mean_min": answer.wait_mean_min[0],
            "occupancy": dict(zip(("fast", "slow"), answer.occupancy, strict=True)),
        },
    )


def test_overflow_without_waiting() -> None:
    design = Design(
        (5, 3), (6, 5), ((1, 0), (1, 1)), (0, 0), ((0, 1), (1,)), ((0,), (0, 1)), waiting=False
    )
    answer = DesignAnswer(design)
    check(
        CHAINS["A38"],
        {
            "blocking_probability": dict(
                zip(("type_1", "type_2"), answer.delay_probability, strict=True)
            ),
            "occupancy": dict(zip(("group_1", "group_2"), answer.occupancy, strict=True)),
            "overflow_fraction_type_1": answer.taken_by(0, 1),
        },
    )


def test_one_pool_is_erlang_a() -> None:
    design = Design((48,), (50,), ((1,),), (0.5,), ((0,),), ((0,),))
    answer, formula = DesignAnswer(design), ErlangA(48, 1, 0.5, 50)
    assert answer.abandon_fraction[0] == pytest.approx(formula.abandon_fraction, rel=1e-10)
    assert answer.served_within(0, 1 / 3) == pytest.approx(formula.served_within(1 / 3), rel=1e-10)


def test_pooling_bounds_and_dedicated_bounds() -> None:
    # All agents all skills is one Erlang A of the total; dedicated pools are one each.
    same = Design((6, 5), (6, 6), ((1, 1), (1, 1)), (0.5, 0.5), ((0, 1), (1, 0)), ((0, 1), (1, 0)))
    own = Design((6, 5), (6, 6), ((1, 0), (0, 1)), (0.5, 0.5), ((0,), (1,)), ((0,), (1,)))
    pooled = ErlangA(11, 1, 0.5, 12).queue_length_mean
    assert sum(DesignAnswer(same).queue_length_mean) == pytest.approx(pooled, rel=1e-9)
    alone = [ErlangA(rate, 1, 0.5, 6).queue_length_mean for rate in (6, 5)]
    assert DesignAnswer(own).queue_length_mean == pytest.approx(alone, rel=1e-9)
    assert pooled < sum(alone)


def test_waits_of_two_classes_agree_with_the_transform() -> None:
    answer = DesignAnswer(Design((4, 5), (10,), ((1, 1),), (0, 0), ((0,), (0,)), ((0, 1),)))
    chain = [answer.served_within(kind, 0.5) for kind in (0, 1)]
    assert chain == pytest.approx(TwoClasses(4, 5, 1, 10).served_within(0.5), rel=1e-10)


def test_a_design_whose_orders_disagree_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(1, 0\)\] stand in one order only"):
        Design((1, 1), (1,), ((1, 1),), (0, 0), ((0,), (0,)), ((0,),))
    with pytest.raises(ValueError, match="serves type 0 at no rate"):
        Design((1,), (1,), ((0,),), (0,), ((0,),), ((0,),))


def test_trap_2_counting_a_flexible_agent_for_each_skill() -> None:
    # A guide adds 7 billing and 6 flexible agents from two queues of their own, for 13.33 erlang:
    # 80 % in 20 s is promised to both. Billing waits for ever, technical 10 minutes.
    answer = DesignAnswer(
        Design((100 / 60, 50 / 60), (7, 6), ((1 / 4, 0), (1 / 4, 1 / 8)), (0, 0.1),
               ((0, 1), (1,)), ((0,), (0, 1))),
        edge_mass_max=1e-10,
    )  # fmt: skip
    promised = 0.80
    billing, technical = (answer.served_within(kind, 1 / 3) for kind in (0, 1))
    assert billing == pytest.approx(0.7343, abs=5e-5)
    assert technical == pytest.approx(0.1964, abs=5e-5)
    assert answer.abandon_fraction[1] == pytest.approx(0.3107, abs=5e-5)
    assert max(billing, technical) < promised


@pytest.mark.slow
def test_trap_2_with_technical_first() -> None:
    answer = DesignAnswer(
        Design((100 / 60, 50 / 60), (7, 6), ((1 / 4, 0), (1 / 4, 1 / 8)), (0, 0.1),
               ((0, 1), (1,)), ((0,), (1, 0))),
        edge_mass_max=1e-8,
    )  # fmt: skip
    assert answer.served_within(0, 1 / 3) == pytest.approx(0.4638, abs=5e-5)
    assert answer.served_within(1, 1 / 3) == pytest.approx(0.2022, abs=5e-5)
    assert answer.abandon_fraction[1] == pytest.approx(0.2280, abs=5e-5)


# --- one pool with a twist ------------------------------------------------------------------------


def test_redials_and_retrials() -> None:
    check(
        CHAINS["A32"],
        models.solve_redials(8, 1, 0.5, 8, redial_probability=0.6, redial_delay_mean_min=2),
    )
    check(CHAINS["A33"], models.solve_retrials(7, 1, 10, redial_rate_per_min=0.5))


def test_no_redials_are_erlang_a() -> None:
    none = models.solve_redials(8, 1, 0.5, 8, redial_probability=0, redial_delay_mean_min=2)
    assert none["abandon_fraction_per_attempt"] == pytest.approx(
        ErlangA(8, 1, 0.5, 8).abandon_fraction, rel=1e-10
    )


def test_chats() -> None:
    p = CHAINS["A34"]["parameters"]
    rates = list(p["completion_rate_per_chat_per_min"].values())
    check(CHAINS["A34"], models.solve_chats(0.9, 4, rates, patience_rate_per_min=0.25))


def test_one_chat_at_a_time_is_erlang_a() -> None:
    chats = models.solve_chats(3, 4, [0.8], patience_rate_per_min=0.25)
    formula = ErlangA(3, 0.8, 0.25, 4)
    assert chats["delay_probability"] == pytest.approx(formula.delay_probability, rel=1e-10)
    assert chats["abandon_fraction"] == pytest.approx(formula.abandon_fraction, rel=1e-10)


def test_blending() -> None:
    check(CHAINS["A35"], models.solve_blending(8, 1, 1, 12, start_below=10))
    check(
        CHAINS["A36"],
        models.solve_blending(8, 1, 1, 12, start_below=11, patience_rate_per_min=0.5),
    )


def test_blending_nothing_is_erlang_c() -> None:
    none = models.solve_blending(8, 1, 0.3, 12, start_below=0)
    assert none["delay_probability"] == pytest.approx(ErlangC(8, 1, 12).delay_probability, rel=1e-9)
    assert none["backlog_items_done_per_min"] == 0


def test_bursts_and_callbacks() -> None:
    check(CHAINS["A39"], models.solve_bursts((6, 12), (10, 5), 1, 10))
    check(
        CHAINS["A40"],
        models.solve_callbacks(
            8, 1, 0.3, 9, offered_from_waiting=3, accept_probability=0.5, idle_kept=1
        ),
    )


def test_bursts_that_never_settle_are_refused() -> None:
    with pytest.raises(ValueError, match="never catch up"):
        models.solve_bursts((6, 30), (10, 5), 1, 10)


# --- chains themselves ----------------------------------------------------------------------------


def test_the_edge_is_pushed_out_until_nothing_is_there() -> None:
    chain = solve_capped(
        (0,),
        lambda state, caps: [
            (0.95 if state[0] < caps[0] else 0.0, (state[0] + 1,)),
            (1.0 if state[0] else 0.0, (state[0] - 1,)),
        ],
        (0,),
        (4,),
    )
    assert chain.stationary[chain.column(0) == chain.column(0).max()] < EDGE_MASS_MAX
    assert float(chain.stationary @ chain.column(0)) == pytest.approx(19, rel=1e-9)


def test_a_chain_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulation.chains.STATES_MAX", 1000)
    with pytest.raises(ChainError, match="too large"):
        explore([(0,)], lambda state: [(1.0, (state[0] + 1,))])


def test_a_design_that_never_settles_is_refused() -> None:
    design = Design((3,), (2,), ((1,),), (0,), ((0,),), ((0,),))
    with pytest.raises(ChainError, match=r"never settles; give more agents"):
        DesignAnswer(design)


def test_a_long_time_ends_in_the_steady_state() -> None:
    day = follow_day([Period(600, 48, 50)], Customers(1, 0.5))
    now = np.zeros(200)
    for (busy, queue), chance in day.end.items():
        now[busy + queue] += chance
    waiting = ErlangA(48, 1, 0.5, 50).finds_waiting
    assert now[50:150] == pytest.approx(waiting[:100], abs=1e-12)


# --- days -----------------------------------------------------------------------------------------


def six_half_hours() -> DayAnswer:
    p = DAYS["A42"]["parameters"]
    pairs = zip(p["arrival_rate_per_min"], p["agents"], strict=True)
    return follow_day(
        [Period(p["interval_min"], rate, agents) for rate, agents in pairs],
        Customers(1 / p["service_mean_min"], 1 / p["patience_mean_min"]),
        agents_after_closing=p["agents_after_closing"],
    )


def test_a_day_with_changing_staff() -> None:
    day = six_half_hours()
    assert day.closing is not None
    by_interval = (
        "arrivals_mean",
        "abandonments_mean",
        "delay_probability",
        "queue_length_mean",
        "busy_agents_mean",
        "agents_finishing_after_shift_mean",
    )
    told: dict[str, Any] = {
        name: [getattr(part, name) for part in day.periods] for name in by_interval
    }
    told |= {
        "abandonments_after_closing_mean": day.closing.abandonments_mean,
        "abandonments_total_mean": day.abandonments_mean,
        "abandon_fraction": day.abandonments_mean / day.arrivals_mean,
        "delay_probability_all_arrivals": day.delay_probability,
    }
    check(DAYS["A42"], told)


def test_trap_4_intervals_one_by_one() -> None:
    p = DAYS["A42"]["parameters"]
    alone = [
        ErlangA(rate, 1 / 3.5, 1 / 2.5, agents).abandon_fraction
        for rate, agents in zip(p["arrival_rate_per_min"], p["agents"], strict=True)
    ]
    assert alone == pytest.approx(DAYS["A42"]["orientation"]["abandon_fraction"], rel=1e-9)
    true = [part.abandonments_mean / part.arrivals_mean for part in six_half_hours().periods]
    assert alone[0] / true[0] == pytest.approx(1.31, abs=0.005), "it starts empty"
    assert true[4] / alone[4] == pytest.approx(1.05, abs=0.005), "after the trough"
    assert true[5] / alone[5] == pytest.approx(1.13, abs=0.005)


def test_the_next_half_hour_from_a_live_state() -> None:
    case = DAYS["A45"]
    days = {
        name: follow_day(
            [Period(10, 4, 12), Period(20, 4, 12 + added)],
            Customers(0.3, 0.25),
            start={(12, 8): 1.0},
        )
        for name, added in case["parameters"]["agents_added_at_10_min"].items()
    }
    lost = {name: day.abandonments_mean for name, day in days.items()}
    ends = {name: day.end.items() for name, day in days.items()}
    check(
        case,
        {
            "abandonments_mean": lost,
            "abandonments_mean_minutes_0_to_10": {
                name: day.periods[0].abandonments_mean for name, day in days.items()
            },
            "abandonments_mean_minutes_10_to_30": {
                name: day.periods[1].abandonments_mean for name, day in days.items()
            },
            "queue_length_mean": {name: day.wait_sum_mean_min / 30 for name, day in days.items()},
            "someone_waits_at_end_probability": {
                name: sum(chance for state, chance in end if state[1]) for name, end in ends.items()
            },
            "number_in_system_at_end_mean": {
                name: sum(chance * sum(state) for state, chance in end)
                for name, end in ends.items()
            },
            "abandonments_avoided_mean": lost["do_nothing"] - lost["add_3"],
        },
    )


@pytest.mark.parametrize(("name", "patience_rate"), [("A46a", 0.0), ("A46b", 1.0)])
def test_a_day_with_constant_staff(name: str, patience_rate: float) -> None:
    day = follow_day([Period(480, 4.2, 12)], Customers(0.5, patience_rate), agents_after_closing=12)
    served = day.arrivals_mean - day.abandonments_mean
    in_time, late = day.served_within_count_mean(1 / 3), day.abandoned_after_count_mean(1 / 3)
    told = {
        "arrivals_mean": day.arrivals_mean,
        "abandonments_mean": day.abandonments_mean,
        "abandonments_after_threshold_mean": late,
        "served_mean": served,
        "served_within_threshold_count_mean": in_time,
        "served_within_threshold_per_served": in_time / served,
        "served_within_threshold_per_served_plus_late_abandons": in_time / (served + late),
        "wait_mean_served_min": day.wait_sum_served_mean_min() / served,
        "wait_mean_min": day.wait_sum_mean_min / day.arrivals_mean,
        "delay_probability": day.delay_probability,
        "occupancy_open_hours": day.periods[0].busy_agents_mean / 12,
    }
    check(DAYS[name], {key: told[key] for key in DAYS[name]["expected"]})


def test_waits_by_count_need_constant_staff() -> None:
    with pytest.raises(ValueError, match="one number of agents all day"):
        six_half_hours().served_within_count_mean(1 / 3)


@pytest.mark.slow
def test_a_day_with_uncertain_volume() -> None:
    p = DAYS["A47"]["parameters"]
    base = p["arrival_rate_base_per_h"]

    def lost_and_waited(busyness: float) -> np.ndarray[Any, np.dtype[np.float64]]:
        periods = [
            Period(60, busyness * rate / 60, agents)
            for rate, agents in zip(base, p["agents"], strict=True)
        ]
        day = follow_day(periods, Customers(0.6, 0.06, 0.1), agents_after_closing=4)
        return np.array([day.abandonments_mean, day.wait_sum_mean_min * 60])

    mean = float(sum(base))
    answers = {
        "fixed": lost_and_waited(1.0),
        "gamma_400": mix_over_busyness(400, 8, lost_and_waited),
        "gamma_10": mix_over_busyness(10, 32, lost_and_waited),
    }
    check(
        DAYS["A47"],
        {
            "arrivals_mean": mean,
            "arrivals_variance": {
                "fixed": mean,
                "gamma_400": mean + mean**2 / 400,
                "gamma_10": mean + mean**2 / 10,
            },
            "abandonments_mean": {name: float(both[0]) for name, both in answers.items()},
            "abandonments_per_expected_arrival": {
                name: float(both[0]) / mean for name, both in answers.items()
            },
            "wait_sum_mean_s": {name: float(both[1]) for name, both in answers.items()},
            "wait_sum_per_expected_arrival_s": {
                name: float(both[1]) / mean for name, both in answers.items()
            },
        },
    )


def test_a_mixture_of_powers_has_their_moments() -> None:
    moments = mix_over_busyness(10, 8, lambda z: np.array([1.0, z, z**2]))
    assert moments == pytest.approx([1, 1, 1.1], rel=1e-12)


def test_when_patience_is_service_staffing_does_not_matter() -> None:
    periods = [Period(2, 20, 15), Period(2, 30, 25), Period(1, 10, 5)]
    day = follow_day(periods, Customers(1, 1))
    rates = [(0, 2, 20), (2, 4, 30), (4, 5, 10)]
    mean = sum(rate * (np.exp(-(5 - end)) - np.exp(-(5 - start))) for start, end, rate in rates)
    number = np.zeros(200)
    for (busy, queue), chance in day.end.items():
        number[busy + queue] += chance
    assert float(number @ np.arange(200)) == pytest.approx(mean, rel=1e-9)
    assert float(number[20:].sum()) == pytest.approx(identity_delay_probability(mean, 20), rel=1e-9)
    assert identity_mean(lambda _: 20.0, 1.0, 2.0) == pytest.approx(20 * -np.expm1(-2))


def test_offered_waits_meet_the_exponential_law() -> None:
    assert Offered(1.0, 0.0, 1).still_waiting(2.0)[0] == pytest.approx(
        float(Exponential(1).tail(np.array([2.0]))[0])
    )
