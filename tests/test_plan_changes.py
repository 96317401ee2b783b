"""Every change, every rule of leaving and closing: it plays, loses nobody, does what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.staffing_cases import n_design
from configs.changes import Change, OtherHours, Outsource, Pool, SecondSkill, SiteLost
from configs.planning import Again, Bursts, Closing, Group, Law, Leaving, Scenario, Shift, Surge
from simulation.plan.changes import apply_change
from simulation.plan.checks import check_scenario
from simulation.plan.costs import costs_of
from simulation.plan.day import play_day
from simulation.plan.estimates import agents_at_desks
from simulation.plan.prepared import Prepared
from simulation.plan.reading import load_scenario
from simulation.plan.replications import run
from simulation.plan.tallies import Count, Staffed, Tally
from tests.test_plan_days import EXITS, phone_day

SAMPLE = load_scenario(Path("sample"))
TINY = load_scenario(Path("tiny"))
MINUTE_MS = 60_000


def played(scenario: Scenario, seed: int = 4) -> Tally:
    """Play a day; everybody who arrived must have ended in exactly one way."""
    assert check_scenario(scenario) == []
    tally = play_day(scenario, seed)
    exits = sum(tally.counts[:, :, exit_] for exit_ in EXITS)
    assert (tally.counts[:, :, Count.ARRIVED] == exits).all()
    return tally


def total(tally: Tally, what: Count) -> int:
    return int(tally.counts[:, :, what].sum())


CHANGES = [
    Change(demand=1.3),
    Change(bot=0.2),
    Change(sick=0.15),
    Change(agents={"care-zh": 4, "tech": -3}),
    Change(pool=Pool(queues=("care", "sales"), into="care")),
    Change(second_skill=SecondSkill(group="tech", agents=6, skill="billing", level=4)),
    Change(outsource=Outsource(share=0.2, group="helpers", agents=9, demands=("order_calls",))),
    Change(site_lost=SiteLost(groups=("care-zh", "care-en"), start="10:00", end="11:00")),
    Change(hours=OtherHours(opens="08:30", closes="19:00", come_later=0.8)),
    Change(replace={"center.queues.care.agent_policy": "most_proficient"}),
    Change(replace={"demand.billing_calls.handle.mean": "200s", "effects.faster": 0.0}),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: repr(change)[7:40])
def test_a_changed_sample_plays(change: Change) -> None:
    quiet = apply_change(SAMPLE, Change(demand=0.25))
    tally = played(apply_change(quiet, change))
    assert total(tally, Count.ANSWERED) > 500


def test_outsourced_contacts_are_paid_by_the_contact() -> None:
    deal = Outsource(share=0.5, group="helpers", agents=3, demands=("order_calls",), per_contact=7)
    study = run(apply_change(TINY, Change(outsource=deal)), 2, workers=1)
    index = study.demands.index("order_calls-helpers")
    answered = study.counts[:, index, :, Count.ANSWERED].sum(axis=1)
    assert (answered > 20).all()
    money = costs_of(study)
    paid = money.amounts[:, money.kinds.index("outsourcing per contact")]
    assert paid == pytest.approx(7.0 * answered)


def test_a_lost_site_answers_nothing_and_comes_back() -> None:
    lost = replace(
        phone_day(6, 4.0, hours=3),
        workforce={"t": Group()},
        outages=(SiteLost(groups=("t",), start="01:00", end="02:00"),),
    )
    tally = played(lost)
    handled = tally.staffed[0, :, Staffed.HANDLED]
    assert handled[1] < 10
    assert handled[2] > 100


@pytest.mark.parametrize("leaving", list(Leaving))
def test_the_end_of_a_shift_is_as_the_group_says(leaving: Leaving) -> None:
    shifts = (Shift(start="00:00", end="01:30", count=6), Shift(start="00:00", end="04:00"))
    scenario = replace(
        phone_day(12, 13.0, hours=4), workforce={"t": Group(shifts=shifts, leaving=leaving)}
    )
    tally = played(scenario)
    after_ms = int(tally.staffed[0, :2, Staffed.AFTER].sum())
    signed = tally.staffed[0, 2, Staffed.SIGNED_IN] / (60 * MINUTE_MS)
    if leaving is Leaving.HAND_OVER:
        assert after_ms == 0
    else:
        assert after_ms > 0
    assert bool(signed > 8) is (leaving is Leaving.UNTIL_EMPTY), signed


@pytest.mark.parametrize("closing", list(Closing))
def test_who_waits_at_closing_is_served_cleared_or_carried(closing: Closing) -> None:
    scenario = phone_day(5, 7.0, hours=2, closing=closing)
    tally = played(scenario)
    cleared, carried = total(tally, Count.CLEARED), total(tally, Count.CARRIED)
    after_ms = int(tally.staffed[:, :, Staffed.AFTER].sum())
    expected = {
        Closing.SERVED: cleared == 0 == carried and after_ms > 5 * MINUTE_MS,
        Closing.CLEARED: cleared > 20 and carried == 0,
        Closing.CARRIED: carried > 20 and cleared == 0,
    }
    assert expected[closing], (cleared, carried, after_ms)


@pytest.mark.parametrize("crew", [False, True])
def test_nobody_stays_after_closing_for_whom_he_cannot_serve(
    crew: bool,  # noqa: FBT001 - a case
) -> None:
    """B waits without end and only pool_2 may serve it: pool_1 stays for A alone."""
    scenario = n_design(minutes=120)
    b = replace(scenario.demand["B"], patience=None)
    whole = (
        Group(staffed=(9,)) if crew else Group(count=9, shifts=(Shift(start="00:00", end="02:00"),))
    )
    for leaves, stay_ms in (("01:30", 0), ("02:00", 2 * MINUTE_MS)):
        pools = {
            "pool_1": whole,
            "pool_2": Group(count=6, shifts=(Shift(start="00:00", end=leaves),)),
        }
        tally = played(replace(scenario, demand={**scenario.demand, "B": b}, workforce=pools))
        assert tally.staffed[0, :, Staffed.SIGNED_IN].sum() < 9 * 130 * MINUTE_MS
        after_ms = int(tally.staffed[1, :, Staffed.AFTER].sum())
        assert after_ms >= stay_ms, "who may serve them serves them"
        assert total(tally, Count.CARRIED) == 0 or leaves == "01:30"


def test_agents_at_desks_are_those_before_closing() -> None:
    study = run(phone_day(4, 7.0, hours=2), 12, 1, workers=1)
    after_ms = study.staffed[:, :, -1, Staffed.AFTER].sum(axis=1).mean()
    assert after_ms > 10 * MINUTE_MS, "who is there at closing serves all who wait"
    at_desks = agents_at_desks(study, Prepared(study.scenario).interval_edges)
    assert at_desks.max() == pytest.approx(4.0)
    assert at_desks.min() > 3.9


@pytest.mark.parametrize("recognised", [False, True])
def test_who_gave_up_calls_again(recognised: bool) -> None:  # noqa: FBT001 - a case
    again = Again(share=0.7, after=Law(mean_ms=5 * MINUTE_MS), recognised=recognised)
    scenario = phone_day(8, 10.0, patience=Law(mean_ms=MINUTE_MS), redial=again)
    tally = played(scenario)
    redials, abandoned = total(tally, Count.REDIALS), total(tally, Count.ABANDONED)
    assert 0.5 * abandoned < redials < 0.8 * abandoned
    assert total(tally, Count.ARRIVED) == total(tally, Count.FRESH) + redials


def test_surges_bursts_backlog_and_repeats_play() -> None:
    scenario = phone_day(
        12, 6.0,
        surges=(Surge(start="01:00", end="01:30", factor=3.0),),
        bursts=Bursts(factor=2.0, length_ms=5 * MINUTE_MS, gap_ms=20 * MINUTE_MS),
        backlog=5,
        resolved=0.7,
        repeat=Again(share=0.5, after=Law(mean_ms=20 * MINUTE_MS), max=2),
        balking=0.1,
    )  # fmt: skip
    tally = played(scenario)
    fresh = tally.counts[0, :, Count.FRESH]
    assert fresh[1] > 1.4 * fresh[0]
    assert total(tally, Count.REPEATS) > 50
    assert total(tally, Count.ARRIVED) == total(tally, Count.FRESH) + 5 + total(
        tally, Count.REPEATS
    )


def test_letters_left_at_closing_are_late_only_when_their_time_is_over() -> None:
    demand = SAMPLE.demand["feedback_mail"]
    scenario = replace(
        SAMPLE,
        demand={"feedback_mail": replace(demand, backlog=400)},
        workforce={"care-en": replace(SAMPLE.workforce["care-en"], count=2)},
    )
    tally = played(scenario)
    late, carried = total(tally, Count.CARRIED_LATE), total(tally, Count.CARRIED)
    assert 0 < late < carried
