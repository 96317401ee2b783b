"""`staff`, `schedule` and `tune`: known optima, bounds, files that others read, honest refusals."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import configs
from benchmarks.staffing import find
from benchmarks.staffing_cases import n_design, two_skills
from configs.planning import Busyness, DayPart, Scenario, Target
from router.center import ContactPolicy
from simulation.erlang import ErlangA
from simulation.plan.prepared import Prepared
from simulation.plan.reading import load_scenario
from simulation.plan.replications import Workers
from simulation.staffing.curves import _table, spread_of
from simulation.staffing.hunt import Effort
from simulation.staffing.master import Cut, Master
from simulation.staffing.needs import controls_of, needs_of
from simulation.staffing.plays import LivePlays
from simulation.staffing.search import UnreachableError
from simulation.staffing.showing import show_tuning
from simulation.staffing.spaces import intervals_space, shifts_space
from simulation.staffing.trials import margin
from simulation.staffing.tuning import Knob, tune, usual_knobs
from switchroom import build
from tests.validation import load

CHAINS, STAFFING = load("chains"), load("staffing")
TINY = Path(configs.__file__).parent / "tiny"


def call(*words: str) -> tuple[int, str]:
    """Run a command and return its exit code and what it printed."""
    done = CliRunner().invoke(build(), list(words))
    return done.exit_code, done.output


@pytest.mark.parametrize(
    "seed",
    [1, pytest.param(2, marks=pytest.mark.nightly), pytest.param(3, marks=pytest.mark.nightly)],
)
def test_the_cheapest_n_design_is_found(seed: int) -> None:
    """A44: the quick subset of `benchmarks.staffing seeds`, with fewer days to confirm."""
    expected = CHAINS["A44"]["expected"]["agents"]
    space = intervals_space(n_design())
    found = find(space, seed, 1, Effort(confirm_days=24, confidence=0.8))
    assert dict(zip(space.groups, found.plan, strict=True)) == expected
    assert found.confirmed
    assert found.bound <= space.cost_of(found.plan) + 1e-9
    assert found.upper is not None


def test_the_shift_cover_of_a48(tmp_path: Path) -> None:
    """A48 by the command: a group a kind of shift, since each has its price; the team is needed."""
    p = STAFFING["A48"]["parameters"]
    length = p["shift_length_h"]
    starts = list(zip(p["shift_start_h"], p["shift_cost"], strict=True))
    groups = [
        f"  from-{start}: {{team: shop, skills: {{orders: 5}}, rate: r{start}, "
        f'shifts: [{{start: "{start:02d}:00", end: "{start + length:02d}:00"}}]}}'
        for start, _ in starts
    ]
    rates = [f"    r{start}: {{per_hour: {cost / length}}}" for start, cost in starts]
    lines = [
        "name: cover", f"center: {TINY}", 'date: "2026-03-10"', 'opens: "00:00"',
        'closes: "24:00"', "interval: 60m", "demand:",
        "  calls: {category: order_status, channel: phone, handle: {law: exponential, mean: 60s},",
        f"    per_interval: [{', '.join(['1'] * 24)}]}}",
        "workforce:", *groups, "costs:", "  rates:", *rates,
    ]  # fmt: skip
    scenario, need = tmp_path / "a48.yaml", tmp_path / "need.csv"
    scenario.write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = [
        f"2026-03-10T{hour:02d}:00:00Z,60,shop,{count}"
        for hour, count in enumerate(p["need_by_hour"])
    ]
    head = "interval_start,interval_minutes,group,agents"
    need.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    code, said = call("cover", str(scenario), str(need), "-o", str(tmp_path / "out"))
    assert code == 0, said
    cost = STAFFING["A48"]["expected"]["cost"]
    assert f"shifts cover the need at {cost:,.2f}" in said
    assert "the least there is" in said
    code, said = call("cover", str(scenario), str(need), "--json")
    agents = json.loads(said)["agents"]
    there = np.zeros(24)
    for name, count in agents.items():
        start = int(name.split("-")[1].split(" ")[0])
        there[start : start + length] += count
    assert (there >= np.array(p["need_by_hour"])).all()
    planned = load_scenario(tmp_path / "out" / "scenario.yaml").workforce
    assert (
        sum(shift.count for group in planned.values() for shift in group.shifts) == there.sum() / 6
    )
    # Both may move together.
    text = (tmp_path / "out" / "scenario.yaml").read_text(encoding="utf-8")
    assert 'base: "../a48.yaml"\n' in text
    need.write_text(f"{head}\n2026-03-10T09:00:00Z,60,shops,3\n", encoding="utf-8")
    code, said = call("cover", str(scenario), str(need))
    assert code == 1
    assert 'no group or team "shops"' in said


def test_bounds_lie_on_both_sides_and_shrinkage_divides() -> None:
    scenario = load_scenario(Path("tiny"))
    needs = needs_of(Prepared(scenario))
    costs = []
    for space in (intervals_space(scenario), shifts_space(scenario)):
        master = Master(space, needs)
        lower, upper = master.lower(), master.upper()
        assert lower is not None
        assert upper is not None
        assert lower[1] <= space.cost_of(lower[0]) + 1e-6
        assert lower[1] <= space.cost_of(upper)
        costs.append(lower[1])
    assert costs[0] < costs[1], "shifts cost more than agents who come and go by interval"
    half = {name: replace(group, adherence=0.5) for name, group in scenario.workforce.items()}
    absent = intervals_space(replace(scenario, workforce=half))
    found = Master(absent, needs).lower()
    assert found is not None
    assert found[1] == pytest.approx(2 * costs[0], rel=0.1)


def test_days_that_differ_raise_the_bound() -> None:
    scenario = load_scenario(Path("tiny"))
    large = {name: replace(part, factor=10) for name, part in scenario.demand.items()}
    scenario = replace(scenario, demand=large)
    costs = []
    for busyness in (Busyness(), Busyness(alpha=30), Busyness(alpha=10)):
        space = intervals_space(replace(scenario, busyness=busyness))
        master = Master(space, needs_of(Prepared(space.scenario)))
        found, upper = master.lower(), master.upper()
        assert found is not None
        assert upper is not None
        costs.append(found[1])
        assert found[1] <= space.cost_of(upper)
    assert costs[0] < costs[1] < costs[2]
    even = Prepared(scenario)
    assert (spread_of(even) == np.ones((1, len(scenario.demand), even.intervals))).all()
    name = next(iter(scenario.demand))
    came = replace(scenario.demand[name], per_interval=(), factor=1, arrivals_ms=(60_000, 90_000))
    mixed = replace(scenario, demand={**scenario.demand, name: came}, busyness=Busyness(alpha=10))
    assert (spread_of(Prepared(mixed))[:, 0] == 1.0).all(), "recorded contacts come as they came"
    assert spread_of(Prepared(mixed))[:, 1].std() > 0.2
    parts = (DayPart(until="12:00", alpha=50),)
    typical = spread_of(Prepared(replace(scenario, busyness=Busyness(alpha=10, parts=parts))))
    assert typical.mean(axis=0) == pytest.approx(1.0)
    spread = typical[:, 0].var(axis=0)
    # Var of a product of means 1: of each part 1/alpha, and of both together their product more.
    assert spread[-1] == pytest.approx(1 / 10, rel=0.1)
    assert spread[0] == pytest.approx(1 / 10 + 1 / 50 + 1 / 500, rel=0.2)


def test_a_curve_is_the_mean_over_busier_and_calmer_days() -> None:
    agents, levels = _table(10.0, 3.0, 0.5, 1 / 3, 0.0, "abandoned", (0.8, 1.2))
    place = int(np.searchsorted(agents, 11.0))
    lost = [
        part * ErlangA(part * 10 / 3, 1 / 3, 0.5, agents[place]).abandon_fraction
        for part in (0.8, 1.2)
    ]
    assert levels[place] == pytest.approx(1 - sum(lost) / 2, rel=1e-9)
    even = _table(10.0, 3.0, 0.5, 1 / 3, 0.0, "abandoned", (1.0,))
    assert levels[place] < np.interp(agents[place], *even)


def test_a_cut_asks_for_more_agents_and_saturates() -> None:
    scenario = n_design()
    space = intervals_space(scenario)
    master = Master(space, needs_of(Prepared(scenario)))
    start = master.lower()
    assert start is not None
    cut = Cut(1, -0.01, start[0], np.array([[0.0], [0.02]]), np.array([0.06]))
    more = master.lower([cut])
    assert more is not None
    assert more[0][1] > start[0][1]
    # Nobody can win more than was missed.
    beyond = master.lower([replace(cut, surplus=-0.07)])
    assert beyond is None


def test_controls_have_expectation_zero_and_take_noise_out() -> None:
    scenario = n_design()
    space = intervals_space(scenario)
    needs = needs_of(Prepared(scenario))
    with Workers(1) as crew:
        study = LivePlays(space.made, crew, 5).study((4, 9), 24)
    for need in needs:
        controls = controls_of(study, need)
        scores = controls.mean(axis=0) / controls.std(axis=0, ddof=1) * np.sqrt(study.days)
        assert (abs(scores) < 4).all()
        plain = margin(need.surplus(study), np.zeros((study.days, 0)))
        assert margin(need.surplus(study), controls).error < 0.9 * plain.error


N_CENTER = """
name: N
version: 1
channels: {phone: {auto_accept: true}}
skills: [a, b]
queues: {A: {agent_policy: most_proficient}, B: {}}
categories:
  A: {queue: A, needs: {a: 1}, priority: 3}
  B: {queue: B, needs: {b: 1}, priority: 5}
teams: {pool_1: {}, pool_2: {}}
agent_groups:
  pool_1: {count: 5, team: pool_1, skills: {a: 9}}
  pool_2: {count: 7, team: pool_2, skills: {a: 1, b: 5}}
"""
N_SCENARIO = """
name: N-design
center: centre
date: "2026-03-10"
opens: "00:00"
closes: "02:00"
interval: 120m
demand:
  A: {category: A, channel: phone, per_interval: [720], handle: 60s, patience: 120s, backlog: 6}
  B: {category: B, channel: phone, per_interval: [600], handle: 60s, patience: 75s, backlog: 5}
target: {percent: 0, abandoned_percent: 5}
"""


def test_the_command_shows_that_a_reserve_moves_abandonment_as_the_chains_say(
    tmp_path: Path,
) -> None:
    """A27 to A29: reserve 1 for B; each share within four standard errors."""
    (tmp_path / "centre").mkdir()
    (tmp_path / "centre" / "center.yaml").write_text(N_CENTER, encoding="utf-8")
    path = tmp_path / "n.yaml"
    path.write_text(N_SCENARIO, encoding="utf-8")
    words = ("tune", str(path), "--vary", "center.queues.B.reserve=0..1", "--days", "16")
    code, said = call(*words, "--workers", "1", "--json")
    assert code == 0, said
    found = json.loads(said)
    assert len(found["settings"]) == 2, "reserve 0 is today's setting"
    for name, setting in zip(("A27", "A29"), found["settings"], strict=True):
        assert setting["front"], "neither is better for both lines"
        lost = CHAINS[name]["expected"]["abandon_fraction"]
        for one, expected in zip(setting["reached"], (lost["A"], lost["B"]), strict=True):
            # A two-hour stretch that starts as full as usual is not quite the steady state.
            assert abs(one["missed"] - expected) <= 4 * one["error"] + 0.002
    change_a, change_b = found["settings"][1]["reached"]
    assert change_a["change_low"] > 0 > change_b["change_high"]
    assert found["settings"][1]["yaml"] == "queues:\n  B:\n    reserve: 1"


def test_weights_and_reserves_together_make_a_front() -> None:
    scenario = n_design()
    center = scenario.center
    weighted = replace(
        center,
        contact_policy=ContactPolicy.LONGEST_WEIGHTED_WAIT,
        categories={
            name: replace(category, priority=5) for name, category in center.categories.items()
        },
    )
    scenario = replace(scenario, center=weighted)
    usual = {knob.path for knob in usual_knobs(scenario)}
    assert usual >= {"center.queues.A.wait_weight", "center.queues.B.reserve"}
    knobs = (
        Knob("center.queues.A.wait_weight", (1, 4)),
        Knob("center.queues.B.reserve", (0, 1)),
    )
    with Workers(1) as crew:
        found = tune(scenario, knobs, crew, 1, 6)
    lost = {
        tuple(setting.values.values()): [one.missed for one in setting.reached]
        for setting in found.settings
        if setting.front
    }
    today = [one.missed for one in found.settings[0].reached]
    assert found.settings[0].today
    assert lost[4, 0][0] < today[0] < lost[1, 1][0], "weight serves A, the reserve B"
    assert lost[4, 0][1] > today[1] > lost[1, 1][1]
    printed = "\n".join(show_tuning(found))
    assert "wait_weight: 4" in printed


def test_staff_answers_with_files_that_plan_reads(tmp_path: Path) -> None:
    code, said = call(
        "staff", "tiny", "--workers", "1", "--days", "12", "--confirm-days", "16",
        "--rounds", "4", "--confidence", "0.7", "-o", str(tmp_path), "--target", "70/30",
    )  # fmt: skip
    assert code == 0, said
    assert "The plan below keeps both targets with 70% confidence" in said
    certificate = json.loads((tmp_path / "certificate.json").read_text(encoding="utf-8"))
    assert certificate["bound"] <= certificate["cost"] <= 1.5 * certificate["bound"]
    assert all(row["met"] for row in certificate["kept"])
    assert 'base: "tiny"\n' in (tmp_path / "scenario.yaml").read_text(encoding="utf-8")
    scenario: Scenario = load_scenario(tmp_path / "scenario.yaml")
    planned = [row[0] for row in certificate["rows"]]
    assert min(planned) >= 1, "somebody is there whenever the doors are open"
    assert list(scenario.workforce["shop"].staffed) == planned
    with (tmp_path / "staffing.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [float(row["agents"]) for row in rows] == planned
    assert rows[0]["interval_start"] == "2026-03-10T09:00:00+01:00"


def test_a_budget_is_kept_and_told() -> None:
    code, said = call("staff", "tiny", "--workers", "1", "--minutes", "0.001")
    assert code == 0, said
    assert "The time was up before the search was done" in said or "give more --minutes" in said


def test_schedule_answers_with_shifts_and_breaks(tmp_path: Path) -> None:
    code, said = call(
        "schedule", "tiny", "--workers", "1", "--days", "12", "--confirm-days", "12",
        "-o", str(tmp_path),
    )  # fmt: skip
    assert code == 0, said
    assert "shop 09:00-17:00" in said
    count = load_scenario(tmp_path / "scenario.yaml").workforce["shop"].shifts[0].count
    with (tmp_path / "shifts.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == count
    assert all(row["break_start"] < row["break_end"] for row in rows)


def test_what_cannot_be_kept_says_why() -> None:
    code, said = call("staff", "tiny", "--workers", "1", "--target", "80/1")
    assert code == 3
    assert "more agents no longer help" in said, "agents take two seconds to accept"
    code, said = call("staff", "tiny", "--workers", "1", "--target", "99.9/20", "--within-heads")
    assert code == 3
    assert "not with the agents there are" in said


def test_a_line_that_nobody_serves_is_told() -> None:
    scenario = two_skills()
    center = scenario.center
    agents = {name: replace(agent, skills={"billing": 5}) for name, agent in center.agents.items()}
    space = intervals_space(replace(scenario, center=replace(center, agents=agents)))
    with pytest.raises(UnreachableError, match=r"no group serves technical \(phone\)"):
        find(space, 1, 1)


def test_targets_of_single_queues_and_of_each_interval() -> None:
    scenario = load_scenario(Path("tiny"))
    asked = Target(percent=90, within_ms=15_000, each_interval=True)
    needs = needs_of(Prepared(replace(scenario, targets={"orders": asked})))
    ours = [need for need in needs if need.name.startswith("orders")]
    assert len(ours) == 8
    assert {need.share for need in ours} == {0.9}
    assert {need.share for need in needs if need not in ours} == {0.8}


def test_words_that_make_no_sense_are_refused() -> None:
    assert call("staff", "tiny", "--days", "3")[0] == 2
    assert call("tune", "tiny", "--vary", "center.queues")[0] == 2
    code, said = call("tune", "tiny", "--vary", "center.queues.order.reserve=1", "--days", "6")
    assert code == 1
    assert "--vary" in said
    code, said = call("tune", "tiny", "--vary", "center.queues.orders.reserve=1,9", "--days", "6")
    assert code == 1
    assert said.startswith("--vary center.queues.orders.reserve=9: ")
