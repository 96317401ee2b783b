"""Look ahead from live states: against exact answers, in pairs, with nobody's age reset."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from configs.planning import Bursts, Busyness, Law, LawName
from router.events import ContactAbandoned, ContactResolved, Event, Stamped
from router.journal import Entry, JournalWriter
from router.router import Router
from router.snapshot import SnapshotError, open_snapshot
from simulation.plan import phases
from simulation.plan.day import play_day
from simulation.plan.prepared import Prepared
from simulation.plan.reading import load_scenario
from simulation.plan.tallies import Count
from simulation.whatif.forecasting import (
    Course,
    Outlook,
    play_pair,
    play_pairs,
)
from simulation.whatif.foretelling import Draws, answer_of, foretell
from simulation.whatif.live import Live, LiveError, outlook_of
from simulation.whatif.onward import OnwardDay
from simulation.whatif.onward_lots import Draw, OnwardLots
from simulation.whatif.posterior import posteriors
from simulation.whatif.starting import Start, Turn, lean
from switchroom import build
from tests.live_states import MINUTE_MS, live_router, one_line, scenario_of
from tests.validation import load
from tests.validation.ahead import BODY, PASSES, compare
from tests.validation.ahead import outlook as a45_outlook

CASE = load("days")["A45"]
FACTS = open_snapshot(BODY)
OPENED_MS = 1_772_442_000_000


def held_to_a45(pairs: int) -> None:
    compared = compare(pairs)
    assert {one.name: one.off for one in compared if one.off > PASSES} == {}
    assert len(compared) == 13


def test_the_next_half_hour_is_that_of_case_a45() -> None:
    held_to_a45(60)


@pytest.mark.nightly
def test_the_next_half_hour_is_that_of_case_a45_to_half_a_percent() -> None:
    held_to_a45(2_000)


def test_pairs_are_identical_until_the_change_and_for_any_number_of_processes() -> None:
    outlook = a45_outlook()
    days = []
    for course in outlook.courses:
        heard: list[Entry] = []
        day = OnwardDay(course.prepared, outlook.start, course.turn, Draw(1, 3), (heard.append,))
        day.play()
        days.append((day, heard))
    change_ms = days[0][0].prepared.start_ms + outlook.courses[1].turn.at_ms
    before = [[one for one in heard if one.stamped.at_ms < change_ms] for _, heard in days]
    assert len(before[0]) > 20
    assert before[0] == before[1]
    assert len(days[0][1]) != len(days[1][1])
    alone = [pair[1].counts.tolist() for pair in play_pairs(outlook, 3)]
    together = [pair[1].counts.tolist() for pair in play_pairs(outlook, 3, workers=2)]
    assert alone == together


def test_nothing_changed_differs_by_nothing() -> None:
    outlook = a45_outlook()
    courses = (outlook.courses[0], replace(outlook.courses[0], name="no change"))
    same = replace(outlook, courses=courses)
    pairs = [play_pair(same, number) for number in range(3)]
    answer = answer_of(Draws(same, pairs), pairs, 1)
    assert all(paired.difference == 0 == paired.half_width for paired in answer.whole.values())
    assert not answer.contacts


def test_no_more_is_played_than_the_answer_needs() -> None:
    outlook = a45_outlook()
    loose = foretell(outlook, FACTS, pairs_max=400, within_points=20.0)
    assert loose.pairs == 20
    assert loose.sharp
    wanted = 4.0
    told = foretell(outlook, FACTS, pairs_max=400, within_points=wanted)
    assert 20 < told.pairs < 400
    assert told.sharp
    assert 100 * told.courses[0].whole["service level"].half_width <= wanted
    few = foretell(outlook, FACTS, pairs_max=25, within_points=0.1)
    assert (few.pairs, few.sharp) == (25, False)
    assert told.sentence == told.courses[0].sentence
    assert told.definition == "answered in time over offered less short"
    assert told.within_s == {"calls": 20.0}


def test_figures_add_up_and_hold_the_exact_one() -> None:
    told = foretell(a45_outlook(), FACTS, pairs_max=60, within_points=0)
    assert told.pairs == 60
    course = told.courses[0]
    for paired in course.whole.values():
        assert paired.difference == pytest.approx(paired.within - paired.without, abs=1e-9)
    exact = CASE["expected"]["abandonments_mean"]
    gone = course.whole["gave up"]
    assert gone.without == pytest.approx(exact["do_nothing"], abs=2 * gone.without_half)
    assert gone.within == pytest.approx(exact["add_3"], abs=2 * gone.within_half)
    low, high = course.spread["gave up"]
    assert low < gone.within < high
    assert high - low > 2 * gone.within_half


def test_as_many_come_as_are_expected() -> None:
    # The number of arrivals is the control of every figure, so its expectation must be right.
    scenario = load_scenario(Path("sample"))
    busy = replace(scenario.busyness, correlation=0.5)
    demand = dict(scenario.demand)
    first = next(iter(demand))
    demand[first] = replace(
        demand[first], bursts=Bursts(factor=2.0, length_ms=20 * MINUTE_MS, gap_ms=60 * MINUTE_MS)
    )
    prepared = Prepared(replace(scenario, busyness=busy, demand=demand))
    names = dict.fromkeys(demand, 1.0)
    start = Start(
        body=b"",
        now_ms=120 * MINUTE_MS,
        horizon_ms=60 * MINUTE_MS,
        posteriors=posteriors(busy, names, {}),
    )
    turn = Turn(at_ms=150 * MINUTE_MS, demand=1.5)
    course = Course(name="half as many again", turn=turn, prepared=prepared)
    outlook = Outlook(start=start, courses=(course,), seed=1, slice_ms=MINUTE_MS)
    came = np.array(
        [
            [len(one) for one in OnwardLots(prepared, Draw(1, number), start, turn).arrivals]
            for number in range(400)
        ]
    )
    error = came.std(axis=0, ddof=1) / np.sqrt(len(came))
    assert (np.abs(came.mean(axis=0) - outlook.expected(course)) < 4 * error).all()
    # Demands that go together in part only are not busy on the same days altogether.
    together = np.corrcoef(came.T)[1, 2]
    assert 0.1 < together < 0.9


def test_every_contact_is_somewhere_at_the_end() -> None:
    outlook = a45_outlook()
    for course in outlook.courses:
        day = OnwardDay(course.prepared, outlook.start, course.turn, Draw(1, 0))
        day.play()
        came = len(day.present) + day.customers._next[0]
        served = sum(left.how is Count.ANSWERED for left in day.left)
        gone = sum(left.how is Count.ABANDONED for left in day.left)
        waiting = sum(
            call.phase == phases.WAITING and not call.answered
            for call in day.customers.calls.values()
        )
        in_hand_at_start = 12
        assert came == in_hand_at_start + served + gone + waiting


def test_ages_are_not_reset() -> None:
    center = one_line(1)
    scenario = scenario_of(center, per_minute=0.001, work_min=5, patience_min=None)
    # Work of exactly ten minutes, of which the call in hand has had most.
    demand = replace(
        scenario.demand["calls"],
        handle=Law(law=LawName.CONSTANT, mean_ms=10 * MINUTE_MS),
        patience=Law(law=LawName.CONSTANT, mean_ms=9 * MINUTE_MS),
    )
    scenario = replace(scenario, demand={"calls": demand})
    router = live_router(center, 1, 1, apart_ms=4 * MINUTE_MS)
    # The first call began at 9:00, the second has waited since 9:04, when the snapshot was taken.
    outlook, facts = outlook_of(
        Live(body=router.snapshot()), scenario, {}, horizon_ms=30 * MINUTE_MS
    )
    assert facts.now_ms == OPENED_MS + 4 * MINUTE_MS
    day = OnwardDay(outlook.courses[0].prepared, outlook.start, outlook.courses[0].turn, Draw(1, 0))
    day.play()
    assert [(left.at_ms, left.how) for left in day.left] == [(10 * MINUTE_MS, Count.ANSWERED)]


def test_a_lean_snapshot_decides_as_the_whole_one() -> None:
    whole = live_router(one_line(12), 12, 8)
    body, _ = lean(whole.snapshot())
    assert lean(body)[0] == body
    thin = Router.restore(body)
    happens: list[Event] = [
        ContactResolved("calls-0"),
        ContactAbandoned("calls-13"),
        ContactResolved("calls-3"),
    ]
    for number, event in enumerate(happens):
        stamped = Stamped(whole.seq + 1, whole.now_ms + number, event)
        decisions = whole.handle(stamped)
        assert decisions
        assert thin.handle(stamped) == decisions
    with pytest.raises(SnapshotError):
        lean(b"nothing of ours")


def test_what_came_so_far_tells_how_busy_the_day_is() -> None:
    expected = {"a": 100.0, "b": 50.0}
    together = posteriors(Busyness(alpha=30), expected, {"a": 130, "b": 65})
    assert together["a"].mean == pytest.approx((30 + 195) / (30 + 150))
    assert together["a"] == together["b"]
    apart = posteriors(Busyness(alpha=30, correlation=0.5), expected, {"a": 130})
    assert apart["a"].mean == pytest.approx((30 + 130) / (30 + 100))
    assert apart["b"].mean == 1.0
    draws = [together["a"].factor(lot) for lot in np.linspace(0.0005, 0.9995, 1000)]
    assert np.mean(draws) == pytest.approx(together["a"].mean, rel=2e-3)
    assert np.var(draws) == pytest.approx((30 + 195) / (30 + 150) ** 2, rel=0.03)
    assert posteriors(Busyness(), expected, {"a": 9})["a"].factor(0.3) == 1.0


def test_a_scenario_of_another_centre_or_hour_is_told() -> None:
    center = one_line(2)
    live = Live(body=live_router(center, 2, 0).snapshot())
    scenario = scenario_of(center, per_minute=1, work_min=3, patience_min=4)
    with pytest.raises(LiveError, match="does not know"):
        outlook_of(live, load_scenario(Path("tiny")), {}, horizon_ms=MINUTE_MS)
    later = replace(scenario, opens="12:00", closes="13:00")
    with pytest.raises(LiveError, match="from 12:00 to 13:00 only"):
        outlook_of(live, later, {}, horizon_ms=MINUTE_MS)


def test_the_command_looks_ahead_from_a_journal(tmp_path: Path) -> None:
    entries: list[Entry] = []
    play_day(load_scenario(Path("tiny")), 1, listeners=(entries.append,))
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(JournalWriter("tiny", "test").record(entries) + b"\n")
    base = [
        "forecast-now", "--journal", str(journal), "--at", "11:20", "--scenario", "tiny",
        "--horizon", "40m", "--pairs", "4", "--workers", "1",
    ]  # fmt: skip
    runner = CliRunner()
    told = runner.invoke(build(), [*base, "--add", "shop=1", "--in", "5m"])
    assert told.exit_code == 0, told.output
    assert told.output.startswith("With 1 more in shop in 5 min")
    assert "in time: answered in time over offered less short, within" in told.output
    answer = json.loads(runner.invoke(build(), [*base, "--demand", "+50%", "--json"]).output)
    assert answer["horizon_min"] == 40
    assert answer["courses"][0]["whole"]["answered"]["difference"] > 0
    none = runner.invoke(build(), ["forecast-now", "--scenario", "tiny"])
    assert none.exit_code == 1
    assert "give one of --snapshot FILE" in none.output
