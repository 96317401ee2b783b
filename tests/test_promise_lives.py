"""Follow promises beyond their first deadline: chains that climb, reopened contacts, complaints."""

from __future__ import annotations

import pytest

from router import events as e
from router.center import Category, ClockKind, Limits, PromiseAction, ReopenMode
from router.decisions import (
    BreachSla,
    EscalateContact,
    MeetSla,
    PauseSla,
    Reason,
    RebaseSla,
    StartSla,
    StopSla,
    WarnSla,
)
from router.explain import explain
from router.router import Router
from router.sequencer import Sequencer
from tests.builders import HOUR, MINUTE, arrive, changed, desk, end, promise, sign_in
from tests.playbook import DEADLINE, START_MS, Playbook, at, ms
from tests.test_clocks import TALK

CHAIN = ("agent", "team-lead", "manager")
SLA = (StartSla, PauseSla, WarnSla, BreachSla, MeetSla, StopSla, RebaseSla)


def climbing(every_ms: int = 10 * MINUTE, **fields: object) -> Playbook:
    """Return a floor whose promise of an hour calls the next of three every ten minutes."""
    made = promise(
        ClockKind.RESOLUTION,
        HOUR,
        on_breach=PromiseAction(escalate=True),
        escalation=CHAIN,
        escalate_every_ms=every_ms,
        **fields,
    )
    return Playbook(desk(promises={"p": made}, channels=TALK)) >> sign_in("a")


# --- chains that climb ----------------------------------------------------------------------------


def test_nobody_answers_so_the_next_one_is_called() -> None:
    play = climbing() >> arrive("1", "email")
    for minute, to, reason in (
        (60, "agent", Reason.SLA_BREACHED),
        (70, "team-lead", Reason.ESCALATION_DUE),
        (80, "manager", Reason.ESCALATION_DUE),
    ):
        play >> DEADLINE
        assert play.now_ms == ms(minute * MINUTE)
        assert [(x.to, x.reason) for x in play.decisions if isinstance(x, EscalateContact)] == [
            (to, reason)
        ]
    play >> at(24 * HOUR)
    assert len(play.of(EscalateContact)) == 3, "the chain ends with its last link"
    assert len(play.of(BreachSla)) == 1


def test_who_stops_the_clock_calls_nobody_else() -> None:
    play = climbing() >> arrive("1", "email") >> at(65 * MINUTE, e.ContactResolved("1"))
    play >> at(24 * HOUR)
    assert [x.to for x in play.of(EscalateContact)] == ["agent"]


def test_a_stop_in_the_instant_of_the_next_call_comes_first() -> None:
    play = climbing() >> arrive("1", "email") >> at(70 * MINUTE, e.ContactResolved("1"))
    play >> at(24 * HOUR)
    assert [x.to for x in play.of(EscalateContact)] == ["agent"]


def test_a_chain_called_by_a_warning_climbs_before_the_deadline() -> None:
    play = climbing(warnings=(50,), on_warning=PromiseAction(escalate=True))
    play >> arrive("1", "email") >> at(2 * HOUR)
    assert [(x.level, x.reason) for x in play.of(EscalateContact)] == [
        (1, Reason.SLA_WARNED),
        (2, Reason.ESCALATION_DUE),
        (3, Reason.ESCALATION_DUE),
    ]


def test_a_breach_that_calls_puts_the_next_call_off() -> None:
    play = climbing(25 * MINUTE, warnings=(50,), on_warning=PromiseAction(escalate=True))
    play >> arrive("1", "email") >> at(59 * MINUTE)
    assert [x.level for x in play.of(EscalateContact)] == [1, 2], "at 30 and at 55 minutes"
    play >> at(HOUR)
    assert [x.reason for x in play.of(EscalateContact)][2:] == [Reason.SLA_BREACHED]


def test_a_paused_clock_calls_nobody_and_begins_the_wait_anew() -> None:
    play = climbing(warnings=(50,), on_warning=PromiseAction(escalate=True))
    play >> arrive("1", "email") >> at(35 * MINUTE, e.CustomerAwaited("1"))
    play >> at(10 * HOUR)
    assert len(play.of(EscalateContact)) == 1
    play >> e.CustomerReplied("1") >> DEADLINE
    assert play.now_ms == ms(10 * HOUR + 10 * MINUTE)
    assert [x.level for x in play.of(EscalateContact)] == [1, 2]


def test_another_promise_has_a_chain_of_its_own() -> None:
    gold = promise(ClockKind.RESOLUTION, 2 * HOUR, tiers=("gold",), escalation=("director",),
                   on_breach=PromiseAction(escalate=True))  # fmt: skip
    silver = promise(ClockKind.RESOLUTION, 2 * HOUR, warnings=(25,), escalation=CHAIN,
                     on_warning=PromiseAction(escalate=True), escalate_every_ms=MINUTE)  # fmt: skip
    center = desk(promises={"gold": gold, "p": silver}, tiers=("gold",), channels=TALK)
    play = Playbook(center) >> sign_in("a") >> arrive("1", "email")
    play >> at(30 * MINUTE + 1, e.ContactUpdated("1", tier="gold")) >> at(5 * HOUR)
    assert [(x.policy, x.to) for x in play.of(EscalateContact)] == [
        ("p", "agent"),
        ("gold", "director"),
    ]


def test_a_new_configuration_may_make_a_running_chain_climb() -> None:
    center = desk(
        promises={
            "p": promise(
                ClockKind.RESOLUTION,
                HOUR,
                warnings=(50,),
                on_warning=PromiseAction(escalate=True),
                escalation=CHAIN,
            )
        },
        channels=TALK,
    )
    faster = {
        "p": promise(
            ClockKind.RESOLUTION,
            HOUR,
            warnings=(50,),
            on_warning=PromiseAction(escalate=True),
            escalation=CHAIN,
            escalate_every_ms=5 * MINUTE,
        )
    }
    play = Playbook(center) >> sign_in("a") >> arrive("1", "email")
    play >> at(31 * MINUTE, changed(center, promises=faster, rebase=True)) >> at(40 * MINUTE)
    assert [x.level for x in play.of(EscalateContact)] == [1, 2]


# --- reopening ------------------------------------------------------------------------------------


def reopened(mode: ReopenMode, closed_after_ms: int, **fields: object) -> Playbook:
    """Return a floor on which a contact was closed and, three hours later, reopened."""
    made = promise(ClockKind.RESOLUTION, HOUR, reopen=mode, warnings=(50,), **fields)
    center = desk(promises={"p": made}, channels=TALK, limits=Limits(duplicate_window_ms=99 * HOUR))
    play = Playbook(center) >> sign_in("a") >> arrive("1", "email")
    play >> at(closed_after_ms, e.ContactResolved("1")) >> at(3 * HOUR, e.ContactReopened("1"))
    return play


def deadline(play: Playbook) -> int:
    """Return the deadline last said, in minutes after the start."""
    return (play.of(StartSla)[-1].deadline_ms - START_MS) // MINUTE


@pytest.mark.parametrize(
    ("mode", "minutes"),
    [(ReopenMode.RESUME, 220), (ReopenMode.RESTART, 240), (ReopenMode.NEW_CYCLE, 240)],
)
def test_the_time_between_close_and_reopening_never_counts(mode: ReopenMode, minutes: int) -> None:
    play = reopened(mode, 20 * MINUTE)
    assert deadline(play) == minutes
    play >> at(minutes * MINUTE, e.ContactResolved("1"))
    assert [x.cycle for x in play.of(MeetSla)] == [1, 2]
    assert not play.of(BreachSla)


def test_what_was_broken_cannot_be_resumed() -> None:
    play = reopened(ReopenMode.RESUME, 90 * MINUTE)
    assert deadline(play) == 240, "its whole time, from the reopening"
    play >> at(9 * HOUR)
    assert [x.cycle for x in play.of(BreachSla)] == [1, 2], "the first breach is not taken back"


def test_a_pause_before_the_close_stays_a_pause() -> None:
    made = promise(ClockKind.RESOLUTION, HOUR, reopen=ReopenMode.RESUME)
    play = Playbook(desk(promises={"p": made}, channels=TALK)) >> sign_in("a")
    play >> arrive("1", "email") >> at(10 * MINUTE, e.CustomerAwaited("1"))
    play >> at(50 * MINUTE, e.ContactResolved("1")) >> at(55 * MINUTE, e.ContactReopened("1"))
    assert deadline(play) == 105, "ten minutes had run"


@pytest.mark.parametrize(
    ("mode", "links"),
    [
        (ReopenMode.RESUME, ["agent", "team-lead"]),
        (ReopenMode.RESTART, ["agent", "team-lead"]),
        (ReopenMode.NEW_CYCLE, ["agent", "agent"]),
    ],
)
def test_only_a_new_cycle_begins_with_the_first_of_the_chain(
    mode: ReopenMode, links: list[str]
) -> None:
    escalating = PromiseAction(escalate=True)
    play = reopened(mode, 90 * MINUTE, on_breach=escalating, escalation=CHAIN) >> at(9 * HOUR)
    assert [x.to for x in play.of(EscalateContact)] == links


def test_resumed_warnings_are_not_said_twice() -> None:
    play = reopened(ReopenMode.RESUME, 40 * MINUTE) >> at(9 * HOUR)
    assert [(x.cycle, x.percent) for x in play.of(WarnSla)] == [(1, 50)]


# --- complaints -----------------------------------------------------------------------------------


def test_a_complaint_has_three_clocks_and_a_chain_of_its_own() -> None:
    promises = {
        "solve": promise(ClockKind.RESOLUTION, 9 * HOUR),
        "heard": promise(ClockKind.COMPLAINT_ACKNOWLEDGEMENT, 30 * MINUTE,
                         escalation=("complaints",), on_breach=PromiseAction(escalate=True)),
        "update": promise(ClockKind.COMPLAINT_UPDATE, 2 * HOUR),
        "answer": promise(ClockKind.COMPLAINT_ANSWER, 5 * HOUR),
    }  # fmt: skip
    play = Playbook(desk(promises=promises, channels=TALK)) >> sign_in("a") >> arrive("1", "email")
    assert [x.policy for x in play.of(StartSla)] == ["solve"]
    play >> at(HOUR, e.ComplaintRaised("1"))
    assert [x.policy for x in play.of(StartSla)][1:] == ["heard", "update", "answer"]
    play >> at(91 * MINUTE, e.AgentReplied("1"))
    assert [x.to for x in play.of(EscalateContact)] == ["complaints"], "one minute late"
    assert [(x.policy, x.cycle) for x in play.of(StartSla)][4:] == [("update", 2)]
    play >> at(2 * HOUR, e.CustomerAwaited("1"))
    assert {x.policy for x in play.of(PauseSla)} == {"solve", "answer"}
    play >> at(3 * HOUR, e.CustomerReplied("1")) >> at(3 * HOUR + 1, e.ContactResolved("1"))
    assert {x.policy: x.elapsed_ms for x in play.of(MeetSla)} == {
        "update": 89 * MINUTE + 1,
        "answer": HOUR + 1,
        "solve": 2 * HOUR + 1,
    }


def test_a_complaint_whose_answer_did_not_hold_is_open_again() -> None:
    promises = {"answer": promise(ClockKind.COMPLAINT_ANSWER, HOUR, reopen=ReopenMode.RESUME)}
    play = Playbook(desk(promises=promises, channels=TALK)) >> sign_in("a") >> arrive("1", "email")
    play >> e.ComplaintRaised("1") >> at(20 * MINUTE, e.ContactResolved("1"))
    play >> at(30 * MINUTE, e.ContactReopened("1"))
    assert deadline(play) == 70


def test_without_a_complaint_no_clock_of_one_runs_after_a_reopening() -> None:
    promises = {"answer": promise(ClockKind.COMPLAINT_ANSWER, HOUR)}
    play = Playbook(desk(promises=promises, channels=TALK)) >> sign_in("a") >> arrive("1", "email")
    play >> end("1") >> e.ContactReopened("1")
    assert not play.of(StartSla)


# --- promises by priority -------------------------------------------------------------------------

BY_PRIORITY = {
    "urgent": promise(ClockKind.RESOLUTION, HOUR, priorities=(8, 9)),
    "p": promise(ClockKind.RESOLUTION, 4 * HOUR),
}


def test_another_priority_is_another_promise_from_the_original_start() -> None:
    play = Playbook(desk(promises=BY_PRIORITY, channels=TALK)) >> sign_in("a")
    play >> arrive("1", "email") >> at(30 * MINUTE, e.ContactUpdated("1", priority=9))
    assert play.of(RebaseSla) == [
        RebaseSla("1", "urgent", 1, ms(4 * HOUR), ms(HOUR), Reason.RETARGETED, "p")
    ]
    play >> at(40 * MINUTE, e.ContactUpdated("1", priority=1))
    assert play.of(RebaseSla)[1:] == [
        RebaseSla("1", "p", 1, ms(HOUR), ms(4 * HOUR), Reason.RETARGETED, "urgent")
    ]


def test_a_category_brings_its_priority_along() -> None:
    stage = desk(
        promises=BY_PRIORITY,
        channels=TALK,
        categories={"c": Category(queue="q"), "fire": Category(queue="q", priority=9)},
    )
    play = Playbook(stage) >> arrive("1", "email", "fire") >> arrive("2", "email")
    assert [x.policy for x in play.of(StartSla)] == ["urgent", "p"]


def test_a_priority_that_steps_and_breaches_raise_promises_nothing_new() -> None:
    raising = {
        "urgent": BY_PRIORITY["urgent"],
        "p": promise(ClockKind.RESOLUTION, HOUR, warnings=(10,),
                     on_warning=PromiseAction(raise_priority=4)),
    }  # fmt: skip
    play = Playbook(desk(promises=raising)) >> arrive("1", "email") >> at(2 * HOUR)
    assert [x.policy for x in play.of(BreachSla)] == ["p"]


def test_working_out_the_priority_asks_nobody_where_no_promise_does() -> None:
    center = desk(promises={"p": promise(ClockKind.RESOLUTION, HOUR)}, channels=TALK)
    shorter = {"p": promise(ClockKind.RESOLUTION, MINUTE)}
    play = Playbook(center) >> arrive("1", "email") >> changed(center, promises=shorter)
    play >> e.ContactUpdated("1", priority=9)
    assert not play.of(RebaseSla), "running clocks keep the promise they were started under"


# --- who paused what ------------------------------------------------------------------------------


def test_the_story_says_who_paused_a_clock_and_whom_it_called() -> None:
    center = desk(
        promises={
            "p": promise(
                ClockKind.RESOLUTION,
                HOUR,
                on_breach=PromiseAction(escalate=True),
                escalation=CHAIN,
                escalate_every_ms=MINUTE,
            )
        },
        channels=TALK,
    )
    router = Router()
    sequencer = Sequencer(router)
    entries = []
    for minute, event in (
        (0, e.CenterChanged(center)),
        (0, sign_in("a")),
        (0, arrive("1", "email")),
        (10, e.CustomerAwaited("1")),
        (50, e.CustomerReplied("1")),
        (600, end("1")),
    ):
        entries += sequencer.accept(event, ms(minute * MINUTE))
    story = explain(entries, "1")
    assert "clock p stands still: clock paused\n      by a: customer awaited (1)" in story
    assert "team-lead is called, link 2 of the chain of p: escalation due" in story
