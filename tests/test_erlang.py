"""Hold formulas to known numbers: Erlang, impatience, one agent, priority, load through a day."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import switchroom
from router.measures_formulas import SERVICE_LEVELS
from simulation import priority
from simulation.erlang import (
    ErlangA,
    ErlangC,
    Offered,
    QueueModel,
    erlang_b,
    inverse_erlang_b,
    service_levels,
)
from simulation.general_service import EvenArrivals, FixedService, OneAgent
from simulation.impatience import GeneralPatience, LimitedLines
from simulation.offered_load import (
    identity_delay_probability,
    identity_mean,
    identity_queue_length,
    modified_offered_load,
)
from simulation.time_laws import Deterministic, Exponential, Gamma, Lognormal, TimeLaw, Uniform
from tests.validation import check, load

CASES = load("formulas")
ROOT = Path(__file__).parent.parent


def rates(parameters: dict[str, Any]) -> tuple[float, float]:
    """Return arrivals and services a minute, however a case says them."""
    p = parameters
    if "contacts_per_interval" in p:
        length_min = p.get("interval_min", p.get("interval_s", 0) / 60)
        arrival = p["contacts_per_interval"] / length_min
    else:
        arrival = p.get("arrival_rate_per_min", p.get("arrival_rate_per_h", 0) / 60)
    if "service_rate_per_min" in p:
        return arrival, p["service_rate_per_min"]
    return arrival, 1 / p.get("service_mean_min", p.get("service_mean_s", 0) / 60)


# --- Erlang B and C -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["A01a", "A01b"])
def test_erlang_b(name: str) -> None:
    p = CASES[name]["parameters"]
    check(CASES[name], {"blocking_probability": erlang_b(p["offered_load_erlang"], p["agents"])})


@pytest.mark.parametrize("load_erlang", [0.3, 4.9, 5.1, 12.0, 900.0, 5000.0])
@pytest.mark.parametrize("agents", [0.25, 1.5, 3.75])
def test_erlang_b_continues_to_real_agents(load_erlang: float, agents: float) -> None:
    # Jagerman's integral with y = (1+x)a, by Gauss-Laguerre, which shares nothing with our way.
    nodes, weights = np.polynomial.laguerre.laggauss(80)
    integral = float(weights @ (1 + nodes / load_erlang) ** agents)
    assert inverse_erlang_b(load_erlang, agents) == pytest.approx(integral, rel=1e-6)


def test_erlang_b_of_real_agents_meets_the_whole_ones() -> None:
    assert erlang_b(12, 10 - 1e-11) == pytest.approx(erlang_b(12, 10), rel=1e-9)
    assert erlang_b(12, 10 + 1e-11) == pytest.approx(erlang_b(12, 10), rel=1e-9)
    assert erlang_b(12, 10) > erlang_b(12, 10.5) > erlang_b(12, 11)


def test_nothing_offered_blocks_nothing() -> None:
    assert erlang_b(0, 3) == 0
    assert erlang_b(0, 0) == 1
    assert ErlangC(1e-9, 1, 500).delay_probability == 0


def describe_c(model: ErlangC, parameters: dict[str, Any]) -> dict[str, float]:
    """Return every name that the cases of Erlang C use."""
    return {
        "occupancy": model.occupancy,
        "delay_probability": model.delay_probability,
        "no_delay_probability": 1 - model.delay_probability,
        "wait_mean_min": model.wait_mean_min,
        "wait_mean_s": model.wait_mean_min * 60,
        "wait_mean_delayed_min": model.wait_mean_delayed_min,
        "wait_mean_delayed_s": model.wait_mean_delayed_min * 60,
        "queue_length_mean": model.queue_length_mean,
        "number_in_system_mean": model.number_in_system_mean,
        "served_within_threshold_per_arrival": model.served_within(
            parameters.get("threshold_s", 0) / 60
        ),
        "wait_p95_min": model.wait_quantile_min(0.95),
        "wait_p90_s": model.wait_quantile_min(0.9) * 60,
        "agents_minimum_for_80_percent_in_20_s": model.agents,
    }


@pytest.mark.parametrize("name", ["A02", "A03", "A04", "A05", *(f"A07{c}" for c in "abcde")])
def test_erlang_c(name: str) -> None:
    case = CASES[name]
    p = case["parameters"]
    told = describe_c(ErlangC(*rates(p), p["agents"]), p)
    check(case, {key: told[key] for key in case["expected"]})
    if "agents_minimum_for_80_percent_in_20_s" in case["expected"]:
        assert ErlangC(*rates(p), p["agents"] - 1).served_within(1 / 3) < 0.8


def test_erlang_c_without_enough_agents_says_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"12 agents for 12 erlang .* give more agents"):
        ErlangC(12, 1, 12)


# --- impatience -----------------------------------------------------------------------------------

PATIENCE: dict[str, TimeLaw] = {
    "A10": Deterministic(0.5),
    "A11": Uniform(0, 2),
    "A12": Lognormal(1, 4),
    "A13": Exponential(1000 / 60),
}


def describe_impatient(model: ErlangA | GeneralPatience, threshold_min: float) -> dict[str, float]:
    """Return every name that the cases with abandonment use."""
    named = service_levels(model, threshold_min)
    return {
        "delay_probability": model.delay_probability,
        "abandon_fraction": model.abandon_fraction,
        "wait_mean_min": model.wait_mean_min,
        "wait_mean_s": model.wait_mean_min * 60,
        "queue_length_mean": model.queue_length_mean,
        "wait_mean_served_min": model.wait_mean_served_min,
        "wait_mean_served_s": model.wait_mean_served_min * 60,
        "wait_mean_abandoned_min": model.wait_mean_abandoned_min,
        "wait_mean_abandoned_s": model.wait_mean_abandoned_min * 60,
        "occupancy": model.occupancy,
        "busy_agents_mean": model.busy_agents_mean,
        "abandoned_within_threshold_per_arrival": model.abandoned_within(threshold_min),
        "served_within_threshold_per_arrival": named[
            "answered_in_time_over_answered_and_abandoned"
        ],
        "served_within_threshold_per_served": named["answered_in_time_over_answered"],
        "served_within_threshold_per_arrival_less_early_abandons": named[
            "answered_in_time_over_answered_and_late_abandoned"
        ],
        "served_or_abandoned_within_threshold_per_arrival": named[
            "answered_and_abandoned_in_time_over_offered"
        ],
    }


@pytest.mark.parametrize("name", ["A06", *(f"A08{c}" for c in "abcde"), *PATIENCE])
def test_impatience(name: str) -> None:
    case = CASES[name]
    p = case["parameters"]
    arrival, service = rates(p)
    model: ErlangA | GeneralPatience
    if name in PATIENCE:
        balk = p.get("balk_probability_when_all_busy", 0)
        model = GeneralPatience(arrival, service, p["agents"], PATIENCE[name], balk)
    else:
        patience = p.get("patience_rate_per_min") or 1 / p["patience_mean_min"]
        model = ErlangA(arrival, service, patience, p["agents"])
    told = describe_impatient(model, p["threshold_s"] / 60)
    check(case, {key: told[key] for key in case["expected"]})


@pytest.mark.parametrize("agents", [8, 10, 12.6, 30])
def test_two_ways_to_erlang_a_agree(agents: float) -> None:
    chain = ErlangA(10, 1, 0.5, agents)
    integral = GeneralPatience(10, 1, agents, Exponential(2))
    for name, value in describe_impatient(chain, 0.3).items():
        assert value == pytest.approx(describe_impatient(integral, 0.3)[name], rel=1e-9), name


def test_endless_patience_tends_to_erlang_c() -> None:
    patient, endless = ErlangA(8, 1, 1e-7, 10), ErlangC(8, 1, 10)
    assert patient.served_within(0.5) == pytest.approx(endless.served_within(0.5), rel=1e-5)
    assert patient.wait_mean_min == pytest.approx(endless.wait_mean_min, rel=1e-5)


@pytest.mark.parametrize("rate", [0.0, 1e-6])
def test_what_is_offered_to_the_patient(rate: float) -> None:
    # Three wait and nobody gives up: a sum of four exponential times.
    offered = Offered(5.0, rate, 4)
    expected = 1 - math.exp(-2.5) * sum(2.5**k / math.factorial(k) for k in range(4))
    assert offered.served()[3] == pytest.approx(1, rel=1e-5)
    assert offered.served_within(0.5)[3] == pytest.approx(expected, rel=1e-5)
    assert offered.still_waiting(0.5)[3] == pytest.approx(1 - expected, rel=1e-5)
    assert offered.wait_of_served_min()[3] == pytest.approx(0.8, rel=1e-5)


def test_shares_of_waits_add_up() -> None:
    model = ErlangA(48, 1, 0.5, 47.3)
    for threshold in (0.01, 0.3, 2.0):
        parts = model.served_within(threshold), model.abandoned_within(threshold)
        assert sum(parts) + model.waits_longer(threshold) == pytest.approx(1, abs=1e-12)


def test_an_overload_far_beyond_settles_at_what_can_be_served() -> None:
    model = ErlangA(1000, 1, 0.01, 100)
    assert model.abandon_fraction == pytest.approx(0.9, rel=1e-9)
    with pytest.raises(ValueError, match="shorter patience or more agents"):
        _ = ErlangA(1000, 1, 1e-6, 100).abandon_fraction


def test_limited_lines() -> None:
    case = CASES["A09"]
    p = case["parameters"]
    model = LimitedLines(
        p["arrival_rate_per_min"],
        p["service_rate_per_min"],
        p["patience_rate_per_min"],
        p["agents"],
        p["lines"],
    )
    check(case, {name: getattr(model, name) for name in case["expected"]})


def test_lines_without_a_queue_are_erlang_b() -> None:
    assert LimitedLines(10, 1, 0, 13, 13).blocked_fraction == pytest.approx(erlang_b(10, 13))


@pytest.mark.parametrize(
    "law",
    [Exponential(2), Deterministic(0.5), Uniform(0.5, 2), Lognormal(1, 4), Gamma(0.7, 3)],
)
def test_a_law_agrees_with_itself(law: TimeLaw) -> None:
    nodes, weights = np.polynomial.legendre.leggauss(60)
    cuts = [0.0, 0.01, 0.1, *(c for c in law.corners_min if 0.1 < c < 3), 3.0]
    area = sum(
        float((high - low) / 2 * weights @ law.tail(low + (high - low) / 2 * (1 + nodes)))
        for low, high in pairwise(cuts)
    )
    assert float(law.integrated_tail(np.array([3.0]))[0]) == pytest.approx(area, rel=1e-7)
    far = float(law.integrated_tail(np.array([1e6]))[0])
    assert far == pytest.approx(law.moment(1), rel=1e-6), "the whole area is the mean"


# --- one agent, fixed lengths, priority -----------------------------------------------------------

ONE_AGENT: dict[str, TimeLaw] = {
    "A14": Deterministic(1),
    "A15": Lognormal(3, 2),
    "A16": Gamma(0.755, 753.8 / 60),
}


@pytest.mark.parametrize("name", ONE_AGENT)
def test_one_agent(name: str) -> None:
    case = CASES[name]
    model = OneAgent(case["parameters"]["arrival_rate_per_min"], ONE_AGENT[name])
    check(case, {key: getattr(model, key) for key in case["expected"]})


def test_fixed_service_even_arrivals_and_breaks() -> None:
    fixed, even = FixedService(4.5, 1, 5), EvenArrivals(1.25, 1)
    check(CASES["A17"], {key: getattr(fixed, key) for key in CASES["A17"]["expected"]})
    check(CASES["A18"], {key: getattr(even, key) for key in CASES["A18"]["expected"]})
    check(
        CASES["A19"], {"wait_mean_min": OneAgent(0.6, Exponential(1), Exponential(3)).wait_mean_min}
    )
    # M/M/1: variance ρ(2-ρ)/(μ(1-ρ))² = 5.25; the rest of an exponential break adds its 9.
    breaks = OneAgent(0.6, Exponential(1), Exponential(3))
    assert breaks.wait_standard_deviation_min == pytest.approx(math.sqrt(5.25 + 9))
    one = FixedService(0.8, 1, 1)
    assert one.wait_mean_min == pytest.approx(OneAgent(0.8, Deterministic(1)).wait_mean_min)


def test_priority_of_one_agent() -> None:
    classes = [0.2, 0.3, 0.25]
    waits = priority.one_agent_waits_min(classes, [Exponential(1)] * 3)
    named = dict(zip(("class_1", "class_2", "class_3"), waits, strict=True))
    check(CASES["A20"], {"wait_mean_min": named})
    mail: tuple[list[float], list[TimeLaw]] = ([0.1, 0.05], [Exponential(2), Gamma(2, 4)])
    call, email = priority.one_agent_waits_min(*mail)
    check(
        CASES["A21"],
        {
            "residual_work_mean_min": priority.residual_work_min(*mail),
            "wait_mean_min": {"call": call, "email": email},
        },
    )
    call, email = priority.interrupting_times_min(*mail)
    check(CASES["A22"], {"time_in_system_mean_min": {"call": call, "email": email}})


def test_priority_of_many_agents() -> None:
    pooled = ErlangC(9, 1, 10)
    first, second = priority.many_agents_waits_min([4, 5], 1, 10)
    check(
        CASES["A23"],
        {
            "delay_probability": pooled.delay_probability,
            "wait_mean_min": {"class_1": first, "class_2": second},
            "wait_mean_all_classes_min": (4 * first + 5 * second) / 9,
        },
    )
    first, second = priority.TwoClasses(4, 5, 1, 10).served_within(0.5)
    check(
        CASES["A24"],
        {
            "served_within_threshold_per_arrival": {"class_1": first, "class_2": second},
            "served_within_threshold_per_arrival_fifo": pooled.served_within(0.5),
        },
    )


def test_the_wait_of_the_second_class_has_its_mean() -> None:
    model = priority.TwoClasses(4, 5, 1, 10)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    edges = np.linspace(0, 60, 61)
    mean = sum(
        float(weight) / 2 * model.waits_longer(float(low + (1 + node) / 2))[1]
        for low in edges[:-1]
        for node, weight in zip(nodes, weights, strict=True)
    )
    assert mean == pytest.approx(priority.many_agents_waits_min([4, 5], 1, 10)[1], rel=1e-4)


def test_priority_that_grows_with_the_wait() -> None:
    rates_per_min = [2.5, 2.5, 3]
    waits = priority.accumulating_waits_min(rates_per_min, [1, 2, 4], 1, 10)
    mean = sum(rate * wait for rate, wait in zip(rates_per_min, waits, strict=True)) / 8
    names = ("weight_1", "weight_2", "weight_4")
    check(
        CASES["A25"],
        {
            "wait_mean_min": dict(zip(names, waits, strict=True)),
            "wait_mean_all_classes_min": mean,
        },
    )
    with pytest.raises(ValueError, match="increasing"):
        priority.accumulating_waits_min([1, 1], [2, 1], 1, 10)


# --- the load through the day ---------------------------------------------------------------------


def test_when_patience_is_service_nothing_else_matters() -> None:
    case = CASES["A43"]
    p = case["parameters"]
    means = [identity_mean(lambda t: 100 + 20 * math.sin(t), 1.0, t) for t in p["time_min"]]

    def by_time(formula: Callable[[float, int], float]) -> dict[str, dict[str, float]]:
        return {
            f"time_{time}_min": {f"agents_{n}": formula(mean, n) for n in p["agents"]}
            for time, mean in zip(p["time_min"], means, strict=True)
        }

    check(
        case,
        {
            "number_in_system_mean": means,
            "delay_probability": by_time(identity_delay_probability),
            "queue_length_mean": by_time(identity_queue_length),
        },
    )


def test_the_offered_load_lags_behind_the_arrivals() -> None:
    times = np.array([0.0, 30.0, 31.0, 60.0, 1e5])
    rates_per_min = [2.0, 4.0]
    load_erlang = modified_offered_load(rates_per_min, 30, Exponential(3.5), times)
    decay = math.exp(-30 / 3.5)
    assert load_erlang[0] == 0
    assert load_erlang[1] == pytest.approx(7 * (1 - decay))
    assert load_erlang[2] < 14, "a minute after the rise the load is not yet there"
    assert load_erlang[3] == pytest.approx(14 * (1 - decay) + 7 * (1 - decay) * decay)
    assert load_erlang[4] == pytest.approx(0, abs=1e-12)
    fixed = modified_offered_load(rates_per_min, 30, Deterministic(3.5), times)
    assert fixed[2] == pytest.approx(2 * 2.5 + 4 * 1), "the last 3.5 minutes of arrivals"


# --- service levels and trap 1 --------------------------------------------------------------------

GARNETT = ErlangA(48, 1, 0.5, 50)


def test_the_six_service_levels_of_one_queue() -> None:
    assert {name: round(value, 6) for name, value in service_levels(GARNETT, 1 / 3).items()} == {
        "answered_in_time_over_answered": 0.973100,
        "answered_and_abandoned_in_time_over_offered": 0.972864,
        "answered_in_time_over_answered_and_late_abandoned": 0.972030,
        "answered_in_time_and_short_abandoned_over_offered": 0.958291,
        "answered_in_time_over_offered_less_short": 0.957644,
        "answered_in_time_over_answered_and_abandoned": 0.943019,
    }
    assert set(service_levels(GARNETT, 1 / 3)) == set(SERVICE_LEVELS)


def test_trap_1_erlang_a_by_rule_of_thumb() -> None:
    # turbotab 0.8 takes P(delay) from Erlang C, as if nobody left; pyqueueing 0.1.1 has P(delay)
    # and abandonment right, the rest not.
    wrong = {"delay": 0.694456, "abandon": 0.12588, "served_within": 0.8533, "asa_s": 3.83}
    assert ErlangC(48, 1, 50).delay_probability == pytest.approx(wrong["delay"], abs=1e-6)
    right = {
        "delay": GARNETT.delay_probability,
        "abandon": GARNETT.abandon_fraction,
        "served_within": GARNETT.served_within(1 / 3),
        "asa_s": GARNETT.wait_mean_served_min * 60,
    }
    assert right == {
        "delay": pytest.approx(0.467774, abs=1e-6),
        "abandon": pytest.approx(0.030912, abs=1e-6),
        "served_within": pytest.approx(0.943019, abs=1e-6),
        "asa_s": pytest.approx(3.6159, abs=1e-4),
    }
    assert all(abs(right[name] / wrong[name] - 1) > 0.05 for name in right)


def test_trap_5_good_without_a_denominator() -> None:
    # The published three-type example: means over 80,000 days of an independent simulation.
    served, abandoned = 4285.48, 898.52
    level = {"served": 0.58411, "served and late": 0.50567, "arrivals": 0.48286}
    in_time = level["served"] * served
    assert in_time / (served + abandoned) == pytest.approx(level["arrivals"], abs=2e-4)

    class Example:
        """The same shares as a queue."""

        delay_probability = wait_mean_served_min = occupancy = math.nan
        abandon_fraction = abandoned / (served + abandoned)

        def served_within(self, threshold_min: float) -> float:
            assert threshold_min <= 1 / 3
            return in_time / (served + abandoned)

        def abandoned_within(self, threshold_min: float) -> float:
            assert threshold_min <= 1 / 3
            in_time_or_late = in_time / level["served and late"]
            return 1 - in_time_or_late / (served + abandoned)

    example: QueueModel = Example()
    named = service_levels(example, 1 / 3)
    assert round(named["answered_in_time_over_answered"], 3) == 0.584
    assert round(named["answered_in_time_over_answered_and_late_abandoned"], 3) == 0.506
    assert round(named["answered_in_time_over_answered_and_abandoned"], 3) == 0.483


# --- the command ----------------------------------------------------------------------------------

CENTRE = ["erlang", "--arrivals-per-hour", "2880", "--handle-time", "1m", "--patience", "2m"]


def run(*arguments: str) -> tuple[int, str]:
    """Return exit code and output of the command."""
    found = CliRunner().invoke(switchroom.build(), list(arguments), env={"NO_COLOR": "1"})
    return found.exit_code, found.output


def test_the_command_prints_both_models() -> None:
    code, text = run(*CENTRE, "--agents", "50")
    assert code == 0
    assert "answered in time over offered less short" in text
    for number in ("69.45 %", "46.78 %", "64.35 %", "95.76 %", "3.09 %", "3.62 s", "20.83 s"):
        assert number in text


def test_the_command_finds_the_fewest_agents() -> None:
    code, text = run(*CENTRE, "--target", "90/10", "--json")
    found = json.loads(text)
    assert code == 0
    for name, model in (
        ("erlang_c", lambda n: ErlangC(48, 1, n)),
        ("erlang_a", lambda n: ErlangA(48, 1, 0.5, n)),
    ):
        agents = found[name]["agents"]
        level = found["service_level_definition"]
        assert service_levels(model(agents), 1 / 6)[level] >= 0.9
        assert service_levels(model(agents - 1), 1 / 6)[level] < 0.9


def test_the_command_says_when_nothing_settles() -> None:
    code, text = run(
        "erlang", "--arrivals-per-hour", "240", "--handle-time", "3m", "--agents", "12"
    )
    assert code == 0
    assert "never settles" in text
    assert "give more --agents" in text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--handle-time", "3x"], "3x"),
        (["--handle-time", "0s"], "above 0"),
        (["--target", "80"], "80/20"),
        (["--target", "101/20"], "less than 100"),
        (["--agents", "-1"], "above 0"),
        (["--arrivals-per-hour", "0"], "above 0"),
        (["--level", "good"], "answered_in_time_over_answered"),
    ],
)
def test_the_command_says_what_is_wrong(arguments: list[str], told: str) -> None:
    code, text = run(*CENTRE, *arguments)
    assert code == 2
    assert told in text


def test_a_target_out_of_reach_is_told() -> None:
    code, text = run(*CENTRE, "--target", "99/1ms", "--arrivals-per-hour", "99999999")
    assert code == 1
    assert "ask for less" in text


def test_help_loads_no_formula() -> None:
    program = (
        "import sys, switchroom\n"
        "try: switchroom.build()(['--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('numpy', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "erlang" in done.stdout
    assert done.stdout.strip().endswith("[]")
