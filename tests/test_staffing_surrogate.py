"""Surrogate days: the live core's customers, nearly its figures, and an error that is counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.staffing_cases import n_design, shift_day, two_skills
from configs.planning import Scenario
from simulation.plan.prepared import Prepared
from simulation.plan.reading import load_scenario
from simulation.plan.replications import Study, Workers
from simulation.plan.tallies import Count
from simulation.staffing.confirming import Bench
from simulation.staffing.master import Master
from simulation.staffing.needs import controls_of, needs_of
from simulation.staffing.plays import LivePlays, QuickPlays
from simulation.staffing.polish import polish
from simulation.staffing.spaces import Plan, intervals_space, shifts_space
from simulation.staffing.trials import Pace, Trials, Twin, margin


def both(scenario: Scenario, plan: Plan, days: int, more: str = "") -> tuple[Study, Study]:
    """Play the same days with the live core and as surrogates."""
    space = intervals_space(scenario)
    with Workers(1) as crew:
        live = LivePlays(space.made, crew, 3).study(plan, days, more=more)
        quick = QuickPlays(space.scenario, space.made, crew, 3).study(plan, days, more=more)
    return live, quick


@pytest.mark.parametrize(
    ("scenario", "plan", "more"), [(n_design(), (4, 9), ""), (two_skills(), (4, 12), "flexible")]
)
def test_where_routing_is_plain_a_surrogate_is_the_live_day(
    scenario: Scenario, plan: Plan, more: str
) -> None:
    live, quick = both(scenario, plan, 4, more)
    for need in needs_of(Prepared(scenario)):
        assert need.surplus(live) == pytest.approx(need.surplus(quick), abs=2e-3)
    for count in (Count.FRESH, Count.ARRIVED, Count.ANSWERED, Count.ABANDONED):
        seen, said = (study.counts[..., count].sum() for study in (live, quick))
        assert abs(seen - said) <= 1 + 0.001 * seen


def test_a_surrogate_of_chats_redials_and_teams_meets_the_same_customers() -> None:
    scenario = load_scenario(Path("tiny"))
    plan = (4,) * 8
    live, quick = both(scenario, plan, 6)
    assert (live.counts[..., Count.FRESH] == quick.counts[..., Count.FRESH]).all()
    answered = [study.counts[..., Count.ANSWERED].sum() for study in (live, quick)]
    assert answered[1] == pytest.approx(answered[0], rel=0.1)


def test_a_twin_takes_noise_out_and_counts_its_own() -> None:
    lots = np.random.default_rng(5)
    common, own = lots.normal(size=400), 0.1 * lots.normal(size=400)
    nothing = np.zeros((400, 0))
    plain = margin(common + own + 0.3, nothing)
    known = margin(common + own + 0.3, nothing, Twin(common, 0.0, 10_000))
    guessed = margin(common + own + 0.3, nothing, Twin(common, 0.02, 50))
    assert known.error < 0.15 * plain.error
    assert known.mean == pytest.approx(0.3, abs=4 * known.error)
    assert guessed.error == pytest.approx((known.error**2 + 0.02**2) ** 0.5, rel=0.05)
    assert guessed.freedom < known.freedom


def test_both_levels_agree_with_many_days_of_the_live_core() -> None:
    scenario, plan = n_design(minutes=60), (4, 9)
    space, needs = intervals_space(scenario), needs_of(Prepared(scenario))
    with Workers(1) as crew:
        live = LivePlays(space.made, crew, 8)
        bench = Bench(needs, live, QuickPlays(space.scenario, space.made, crew, 8), 0.9)
        _, found = bench.margins(plan, 12)
        long = live.study(plan, 24)
        first = bench.confirm(plan, 12)
        second = bench.confirm(plan, 12)
    for need, one in zip(needs, found, strict=True):
        other = margin(need.surplus(long), controls_of(long, need))
        assert one.error < other.error
        assert abs(one.mean - other.mean) < 4 * other.error
    # Half of what is left goes to each try, in equal parts to its looks.
    assert (first.level, second.level) == pytest.approx((1 - 0.05 / 3, 1 - 0.025 / 3))
    assert not first.passed, ".0536 of B give up where .05 may"
    assert (first.study.counts != second.study.counts).any(), "a try meets days of its own"


def test_steps_lead_to_a_cheaper_plan_and_leave_somebody_for_every_line() -> None:
    scenario = shift_day()
    space, needs = shifts_space(scenario), needs_of(Prepared(scenario))
    master = Master(space, needs)
    start = master.upper()
    assert start is not None
    start = tuple(count + 1 for count in start)
    with Workers(1) as crew:
        plays = QuickPlays(space.scenario, space.made, crew, 2)
        trials = Trials(space, needs, plays, Pace(glance=4, days=6))
        verdict = trials.judge(start)
        assert verdict.meets
        best = polish(trials, master.floors, verdict, 3, trials.judge, rounds=1)
    assert best.meets
    assert space.cost_of(best.plan) < 0.97 * space.cost_of(start)
    assert all(sum(best.plan[choice] for choice in floor) >= 1 for floor in master.floors)
