"""Surrogate days: the live core's customers, nearly its figures, and an error that is counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.staffing_cases import n_design, shift_day, two_skills
from configs.planning import Again, Law, Scenario
from simulation.plan.prepared import Prepared
from simulation.plan.reading import load_scenario
from simulation.plan.replications import Study, Workers
from simulation.plan.tallies import Count
from simulation.staffing.confirming import Bench
from simulation.staffing.master import Master
from simulation.staffing.needs import controls_of, needs_of
from simulation.staffing.plays import LivePlays, QuickPlays
from simulation.staffing.polish import effects_of, mend, polish
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


def test_plans_of_one_cost_whose_groups_differ_have_slopes_of_their_own() -> None:
    scenario = two_skills()
    space, needs = intervals_space(scenario), needs_of(Prepared(scenario))
    assert space.cost_of((4, 12)) == space.cost_of((12, 4))
    assert space.cost_by_group((4, 12)).tolist() == [4 * space.cost[0], 12 * space.cost[1]]
    with Workers(1) as crew:
        plays = QuickPlays(space.scenario, space.made, crew, 2)
        trials = Trials(space, needs, plays, Pace(glance=2, days=4))
        one = trials.slopes_near((4, 12), 0.06)
        assert trials.slopes_near((12, 4), 0.06) is not one
        assert trials.slopes_near((4, 12), 0.06) is one


def test_who_is_served_by_nobody_gives_up_in_time_to_call_again() -> None:
    scenario = n_design(minutes=60)
    again = Again(share=0.6, after=Law(mean_ms=300_000), max=5)
    demand = {name: replace(one, redial=again) for name, one in scenario.demand.items()}
    live, quick = both(replace(scenario, demand=demand), (12, 0), 4)
    came = [int(study.counts[..., Count.ARRIVED][:, 1].sum()) for study in (live, quick)]
    fresh = int(live.counts[..., Count.FRESH][:, 1].sum())
    assert live.counts[..., Count.ANSWERED][:, 1].sum() == 0
    assert came[0] > 1.5 * fresh, "most of them call again"
    assert came[1] == pytest.approx(came[0], rel=0.03)


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


def test_steps_mend_what_falls_short() -> None:
    scenario = two_skills()
    space, needs = intervals_space(scenario), needs_of(Prepared(scenario))
    master = Master(space, needs)
    with Workers(1) as crew:
        plays = QuickPlays(space.scenario, space.made, crew, 2)
        trials = Trials(space, needs, plays, Pace(glance=4, days=6))
        short = trials.judge((4, 12))
        mended = mend(trials, master.floors, short, 6, trials.judge)
        effects = effects_of(trials, mended.plan, 6)
        best = polish(trials, master.floors, mended, 6, trials.judge)
    assert not short.meets
    assert mended.meets
    assert best.meets
    assert space.cost_of(best.plan) <= space.cost_of(mended.plan) <= 1.3 * space.cost_of(short.plan)
    one_more, one_less = np.nan_to_num(effects.up), np.nan_to_num(effects.down)
    assert (one_more + one_less <= 1e-12).all(), "a step and its way back are no gain"
