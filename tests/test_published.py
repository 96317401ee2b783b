"""Published results of other simulators, and what their models asked of a scenario."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from configs.findings import ConfigError
from configs.planning import Again, Costs, Group, LaterLaw, Law, LawName, Rate
from router.center import FollowUp
from simulation.plan.changes import replace_at
from simulation.plan.checks import check_scenario
from simulation.plan.costs import costs_of
from simulation.plan.day import play_day
from simulation.plan.laws import durations_at, law_at
from simulation.plan.prepared import Prepared
from simulation.plan.reading import SHIPPED, load_scenario
from simulation.plan.replications import run
from simulation.plan.requirement import lines_of
from simulation.plan.results import result_of
from simulation.plan.showing import show_result
from simulation.plan.tallies import Count, Staffed
from simulation.randomness import Streams
from tests.test_plan_days import MINUTE_MS, phone_day
from tests.validation import load
from tests.validation.published import is_known
from tests.validation.published_cases import cases
from tests.validation.verdicts import Verdict

# Case and days: a small part of what `python -m tests.validation` plays.
QUICK = [("P02", 8), ("P06", 4), ("P07", 40), ("P08", 12), ("P09", 15), ("P10", 20)]


@pytest.mark.parametrize(("name", "days"), QUICK, ids=[row[0] for row in QUICK])
def test_a_published_result_comes_out(name: str, days: int) -> None:
    case = cases()[name]()
    verdicts = case.judge(run(case.scenario, days, seed=5, workers=1))
    assert any(found.proves for found in verdicts)
    for found in verdicts:
        # So few days know their own error badly; beside the published one it weighs little.
        assert found.off <= 4 or found.name.endswith("(resimulated)"), found


def test_every_published_figure_is_compared_or_has_a_reason() -> None:
    known = load("published")
    assert set(cases()) == set(known)
    for name, make in cases().items():
        case = make()
        for figure in {**known[name]["expected"], **known[name].get("resimulated", {})}:
            measured = figure in case.measures
            assert measured != (figure in case.unmeasured), (name, figure)


def test_a_wrong_simulator_would_be_found_out() -> None:
    """One agent fewer, and the published figures are off."""
    case = cases()["P02"]()
    fewer = replace(case.scenario, workforce={"pool": Group(staffed=(11,) * 9)})
    verdicts = case.judge(run(fewer, 8, seed=5, workers=1))
    assert max(found.off for found in verdicts) > 4


# --- laws that change over the day --------------------------------------------------------

_CHANGING = Law(
    law=LawName.CONSTANT,
    mean_ms=60_000,
    later=(
        LaterLaw(start="01:00", law=LawName.CONSTANT, mean_ms=30_000),
        LaterLaw(start="02:00", mean_ms=90_000),
    ),
)


def test_a_law_is_that_of_its_time_of_day() -> None:
    assert law_at(_CHANGING, 0) is _CHANGING
    assert law_at(_CHANGING, 3_599_999) is _CHANGING
    assert law_at(_CHANGING, 3_600_000) is _CHANGING.later[0]
    assert law_at(_CHANGING, 99_000_000) is _CHANGING.later[1]
    clocks = np.asarray([0.0, 3_600_000.0, 7_200_000.0])
    drawn = durations_at(_CHANGING, np.full(3, 0.5), clocks)
    assert drawn == pytest.approx([60_000, 30_000, 90_000 * np.log(2)])


def test_work_and_patience_follow_the_hour_of_arrival() -> None:
    """Two hours, nobody waits: the work of those who came in each hour is that hour's."""
    scenario = phone_day(30, 5.0, hours=2)
    calls = replace(scenario.demand["calls"], handle=replace(_CHANGING, later=_CHANGING.later[:1]))
    counts = play_day(replace(scenario, demand={"calls": calls}), seed=4).counts[0]
    assert (counts[:, Count.DELAYED] == 0).all()
    talk = counts[:, Count.TALK_MS] / counts[:, Count.ANSWERED]
    assert talk.tolist() == [60_000, 30_000]
    # Nobody there: everybody leaves when the patience of the hour of arrival ends.
    alone = replace(
        scenario,
        demand={"calls": replace(calls, patience=calls.handle)},
        workforce={"nobody": Group(members=("a0",), staffed=(0, 0))},
    )
    counts = play_day(alone, seed=4).counts[0]
    assert (counts[:, Count.ABANDONED] == counts[:, Count.ARRIVED]).all()
    waits = counts[:, Count.WAIT_MS] / counts[:, Count.ABANDONED]
    assert waits.tolist() == [60_000, 30_000]


def test_theory_knows_that_work_changes_over_the_day() -> None:
    scenario = phone_day(30, 5.0, hours=3)
    calls = replace(scenario.demand["calls"], handle=_CHANGING)
    (line,) = lines_of(Prepared(replace(scenario, demand={"calls": calls})))
    # Five a minute of 60, 30 and 90 seconds; the first hour begins empty.
    assert line.load == pytest.approx([5.0, 2.5, 7.5], rel=0.05)
    assert line.work_min == pytest.approx((1.0 + 0.5 + 1.5) / 3, rel=0.02)


def test_a_changing_law_is_read_from_a_file(tmp_path: Path) -> None:
    text = (SHIPPED / "tiny.yaml").read_text(encoding="utf-8")
    text = text.replace("../tiny", str(SHIPPED.parent / "tiny"))
    plain = "handle: {law: lognormal, mean: 170s, cv: 1.1}"
    assert plain in text
    path = tmp_path / "changing.yaml"
    changing = "handle: {mean: 170s, later: [{start: '12:00', law: gamma, mean: 200s, cv: 0.7}]}"
    path.write_text(text.replace(plain, changing), encoding="utf-8")
    (later,) = load_scenario(path).demand["order_calls"].handle.later
    assert later == LaterLaw(start="12:00", law=LawName.GAMMA, mean_ms=200_000, cv=0.7)
    again = replace_at(load_scenario(path), "demand.order_calls.handle.later.0.mean", "100s")
    assert again.demand["order_calls"].handle.later[0].mean_ms == 100_000
    wrong = changing.replace("gamma, mean: 200s", "gamma, mean: 0s").replace("12:00", "noon")
    path.write_text(text.replace(plain, wrong), encoding="utf-8")
    with pytest.raises(ConfigError, match="noon"):
        load_scenario(path)


def test_later_laws_come_in_order_and_are_checked() -> None:
    scenario = phone_day(3, 1.0)
    swapped = replace(_CHANGING, later=_CHANGING.later[::-1])
    wrong = replace(_CHANGING, later=(LaterLaw(start="01:00"),))
    for law, said in ((swapped, "each start must come after"), (wrong, "needs a mean above 0")):
        calls = replace(scenario.demand["calls"], handle=law)
        (problem,) = check_scenario(replace(scenario, demand={"calls": calls}))
        assert said in problem.message
        assert problem.path[:4] == ("demand", "calls", "handle", "later")


# --- pace by category, waits that add up --------------------------------------------------


def test_a_group_has_a_pace_of_its_own_for_a_category() -> None:
    scenario = phone_day(30, 5.0, hours=2)
    calls = replace(scenario.demand["calls"], handle=Law(law=LawName.CONSTANT, mean_ms=MINUTE_MS))
    fast = Group(members=tuple(scenario.center.agents), pace=0.8, paces={"calls": 0.75})
    day = replace(scenario, demand={"calls": calls}, workforce={"fast": fast})
    counts = play_day(day, seed=4).counts[0].sum(axis=0)
    assert counts[Count.TALK_MS] == counts[Count.ANSWERED] * 36_000
    unknown = replace(day, workforce={"fast": replace(fast, paces={"call": 0.75})})
    (problem,) = check_scenario(unknown)
    assert problem.path == ("workforce", "fast", "paces", "call")


def test_waits_of_one_matter_can_add_up() -> None:
    """Nobody gets through in the first hour, all at once in the second: ten attempts later."""
    again = Again(
        share=1.0, after=Law(law=LawName.CONSTANT, mean_ms=MINUTE_MS), max=100, same_work=True
    )
    scenario = phone_day(60, 1.0, hours=2)
    scenario = replace(scenario, workforce={"t": Group(staffed=(0, 60))})
    seen = {}
    for adds_up in (False, True):
        calls = replace(
            scenario.demand["calls"],
            per_interval=(60.0, 0.0),
            patience=Law(law=LawName.CONSTANT, mean_ms=15_000),
            redial=replace(again, waits_add_up=adds_up),
            answer_within_ms=20_000,
        )
        counts = play_day(replace(scenario, demand={"calls": calls}), seed=2).counts[0]
        seen[adds_up] = counts.sum(axis=0)
    assert seen[False][Count.ANSWERED] == seen[False][Count.IN_TIME] == seen[True][Count.ANSWERED]
    # In time is only who waited once before at most: 15 s and at once.
    assert 0 <= seen[True][Count.IN_TIME] < 5 < seen[False][Count.IN_TIME]
    assert seen[True][Count.ABANDONED_IN_TIME] < seen[False][Count.ABANDONED_IN_TIME]
    assert seen[True][Count.REDIALS] == seen[False][Count.REDIALS]


def test_agents_by_lot_are_other_lots_each_day() -> None:
    """One seed for all days would choose alike on each, and no number of days would show it."""
    case = cases()["P08"]()
    prepared = Prepared(case.scenario)
    seeds = {
        prepared.opening(Streams(seed, day)).center.queues["q-english"].seed
        for seed in (1, 2)
        for day in range(20)
    }
    assert len(seeds) == 40
    plain = Prepared(cases()["P02"]().scenario)
    assert plain.opening(Streams(1, 1)).center is plain.center


def test_idle_time_has_its_cost() -> None:
    """Three agents an hour at 12 an hour: what is not busy is idle, and both are paid."""
    scenario = phone_day(3, 1.0, hours=1)
    scenario = replace(
        scenario,
        workforce={"t": Group()},
        costs=Costs(rates={"t": Rate(per_hour=12.0)}),
    )
    study = run(scenario, 4, seed=3, workers=1)
    money = costs_of(study)
    busy_h = study.staffed[:, 0, :, Staffed.BUSY].sum(axis=1) / 3_600_000
    after_h = study.staffed[:, 0, :, Staffed.AFTER].sum(axis=1) / 3_600_000
    assert money.idle[:, 0] == pytest.approx(12 * (3 + after_h - busy_h))
    assert (money.staff[:, 0] - money.idle[:, 0]) == pytest.approx(12 * busy_h)
    result = result_of(study)
    assert result.groups[0].idle_cost == pytest.approx(money.idle.mean())
    assert any("idle EUR" in line for line in show_result(result))


def test_a_centre_with_surveys_and_follow_ups_is_planned() -> None:
    """Nobody answers a survey in a plan, so no follow-up is opened, and nobody gets lost."""
    scenario = load_scenario(Path("tiny"))
    categories = {
        name: replace(category, survey_every=1, follow_up=FollowUp(category="after"))
        for name, category in scenario.center.categories.items()
    }
    categories["after"] = scenario.center.categories["order_status"]
    center = replace(scenario.center, categories=categories)
    followed = replace(scenario, center=center)
    assert check_scenario(followed) == []
    plain, surveyed = play_day(scenario, seed=3), play_day(followed, seed=3)
    assert np.array_equal(plain.counts, surveyed.counts)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("demand.order_calls.handle", '{"mean_ms": 60000, "later": [{"start": "noon"}]}'),
        ("workforce.shop.shifts.0.start", "noon"),
        ("workforce.shop.shifts.0.breaks.0.latest", "noon"),
        ("closes", "noon"),
    ],
)
def test_a_time_of_day_that_is_none_is_told_however_it_came(path: str, value: str) -> None:
    """A change may put it there, past the reading of the file."""
    changed = replace_at(load_scenario(Path("tiny")), path, value)
    problems = check_scenario(changed)
    assert problems
    assert 'noon" is no time of day' in problems[0].message


def test_a_run_ends_when_what_was_published_is_known() -> None:
    def verdict(name: str, error: float) -> Verdict:
        return Verdict(name, 1.0, error, 1.0, theirs=0.02)

    again = verdict("a (resimulated)", 0.9)
    assert is_known([verdict("a", 0.01), again])
    assert not is_known([verdict("a", 0.011), again])
    assert not is_known([again])
