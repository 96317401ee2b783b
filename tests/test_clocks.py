"""Run the clocks of the promises by hand: exact instants, decided once, never forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router import events as e
from router.center import (
    Category,
    Channel,
    ClockKind,
    Limits,
    Promise,
    PromiseAction,
    Queue,
    ReopenMode,
    Signal,
    Step,
)
from router.decisions import (
    BreachSla,
    Decision,
    EscalateContact,
    MeetSla,
    OfferContact,
    PauseSla,
    Reason,
    RebaseSla,
    RelaxContact,
    RequeueContact,
    ResumeSla,
    StartSla,
    StopSla,
    WarnSla,
)
from tests.builders import (
    AUTO,
    HOUR,
    MINUTE,
    SECOND,
    accept,
    arrive,
    changed,
    decline,
    desk,
    end,
    promise,
    sign_in,
)
from tests.playbook import DEADLINE, Playbook, at, ms

SLA = (StartSla, PauseSla, ResumeSla, WarnSla, BreachSla, MeetSla, StopSla, RebaseSla)
TALK = {"phone": AUTO, "email": Channel(units=50, auto_accept=True)}


def said(play: Playbook) -> list[Decision]:
    """Return what the last step led to for clocks."""
    return [x for x in play.decisions if isinstance(x, SLA)]


def heard(play: Playbook) -> list[Decision]:
    """Return all that was said of clocks so far."""
    return [x for x in play.history if isinstance(x, SLA)]


def start(deadline_ms: int, cycle: int = 1, reason: Reason = Reason.CLOCK_STARTED) -> StartSla:
    return StartSla("1", "p", cycle, ms(deadline_ms), reason)


def met(elapsed_ms: int, cycle: int = 1) -> MeetSla:
    return MeetSla("1", "p", cycle, elapsed_ms, Reason.STOPPED_IN_TIME)


def warned(percent: int, cycle: int = 1) -> WarnSla:
    return WarnSla("1", "p", cycle, percent, Reason.WARNING_DUE)


def breached(deadline_ms: int, cycle: int = 1) -> BreachSla:
    return BreachSla("1", "p", cycle, ms(deadline_ms), Reason.DEADLINE_PASSED)


def late(late_ms: int, cycle: int = 1) -> StopSla:
    return StopSla("1", "p", cycle, Reason.STOPPED_LATE, late_ms)


def canceled(late_ms: int = 0, cycle: int = 1) -> StopSla:
    return StopSla("1", "p", cycle, Reason.CLOCK_CANCELED, late_ms)


def paused(cycle: int = 1) -> PauseSla:
    return PauseSla("1", "p", cycle, Reason.CLOCK_PAUSED)


def resumed(deadline_ms: int, cycle: int = 1) -> ResumeSla:
    return ResumeSla("1", "p", cycle, ms(deadline_ms), Reason.CLOCK_RESUMED)


def stage(kind: ClockKind, target_ms: int, **fields: object) -> Playbook:
    """Return a floor with one promise `p`."""
    return Playbook(desk(promises={"p": promise(kind, target_ms, **fields)}, channels=TALK))


# --- the deadline ---------------------------------------------------------------------------------


def test_answered_exactly_at_the_deadline_is_met() -> None:
    play = stage(ClockKind.ANSWER, 20 * SECOND) >> arrive("1")
    assert said(play) == [start(20 * SECOND)]
    play >> at(20 * SECOND, sign_in("a"))
    assert said(play) == [met(20 * SECOND)]
    play >> at(HOUR)
    assert said(play) == []


def test_one_millisecond_later_is_breached_at_the_deadline_and_late_by_one() -> None:
    play = stage(ClockKind.ANSWER, 20 * SECOND) >> arrive("1") >> at(20 * SECOND + 1, sign_in("a"))
    assert said(play) == [breached(20 * SECOND), late(1)]
    assert play.router.floor.contacts["1"].clocks is not None


def test_the_breach_comes_at_its_own_instant_also_when_nobody_ever_answers() -> None:
    play = stage(ClockKind.ANSWER, 20 * SECOND) >> arrive("1") >> DEADLINE
    assert play.now_ms == ms(20 * SECOND)
    assert said(play) == [breached(20 * SECOND)]
    play >> at(3 * HOUR)
    assert heard(play) == [start(20 * SECOND), breached(20 * SECOND)], "decided once"
    play >> e.ContactAbandoned("1")
    assert said(play) == [canceled(3 * HOUR - 20 * SECOND)], "it says how late it had become"


def test_warnings_come_at_their_shares_of_the_target() -> None:
    play = stage(ClockKind.ANSWER, 20 * SECOND, warnings=(50, 80)) >> arrive("1")
    for instant, word in (
        (10 * SECOND, warned(50)),
        (16 * SECOND, warned(80)),
        (20 * SECOND, breached(20 * SECOND)),
    ):
        play >> DEADLINE
        assert (play.now_ms, said(play)) == (ms(instant), [word])


def test_a_warning_of_an_odd_target_is_cut_to_the_millisecond() -> None:
    play = stage(ClockKind.ANSWER, 999, warnings=(33,)) >> arrive("1") >> DEADLINE
    assert (play.now_ms, said(play)) == (ms(329), [warned(33)])


def test_an_answer_at_the_instant_of_a_warning_comes_first() -> None:
    play = stage(ClockKind.ANSWER, 20 * SECOND, warnings=(50,)) >> arrive("1")
    play >> at(10 * SECOND, sign_in("a"))
    assert said(play) == [met(10 * SECOND)]


def test_abandoning_cancels_and_neither_meets_nor_breaches() -> None:
    play = stage(ClockKind.ANSWER, 20 * SECOND) >> arrive("1")
    play >> at(5 * SECOND, e.ContactAbandoned("1"))
    assert said(play) == [canceled()]
    play >> at(HOUR)
    assert said(play) == []


# --- what each kind hears -------------------------------------------------------------------------


def test_a_spoken_answer_is_a_first_response_a_written_one_is_not() -> None:
    play = stage(ClockKind.FIRST_RESPONSE, HOUR) >> sign_in("a") >> arrive("1")
    assert said(play) == [start(HOUR), met(0)]
    play = stage(ClockKind.FIRST_RESPONSE, HOUR) >> sign_in("a") >> arrive("1", "email")
    assert said(play) == [start(HOUR)]
    play >> at(MINUTE, e.AgentReplied("1", automatic=True))
    assert said(play) == [], "an automatic reply stops no response clock"
    play >> at(2 * MINUTE, e.AgentReplied("1"))
    assert said(play) == [met(2 * MINUTE)]


def test_transfers_and_holds_stop_no_response_clock() -> None:
    play = stage(ClockKind.FIRST_RESPONSE, HOUR) >> sign_in("a") >> arrive("1", "email")
    play >> at(1, e.ContactTransferred("1", category="c")) >> e.ContactHeld("1")
    play >> at(2, e.ContactResumed("1")) >> e.ComplaintRaised("1")
    assert heard(play) == [start(HOUR)]


def test_next_response_counts_from_the_oldest_unanswered_message() -> None:
    play = stage(ClockKind.NEXT_RESPONSE, HOUR) >> sign_in("a") >> arrive("1", "email")
    assert said(play) == []
    play >> at(MINUTE, e.CustomerReplied("1"))
    assert said(play) == [start(MINUTE + HOUR)]
    play >> at(5 * MINUTE, e.CustomerReplied("1"))
    assert said(play) == [], "the second message does not restart it"
    play >> at(10 * MINUTE, e.AgentReplied("1"))
    assert said(play) == [met(9 * MINUTE)]
    play >> at(20 * MINUTE, e.CustomerReplied("1"))
    assert said(play) == [start(20 * MINUTE + HOUR, cycle=2)]


def test_resolution_pauses_while_the_customer_is_waited_on() -> None:
    play = stage(ClockKind.RESOLUTION, HOUR, warnings=(50,)) >> sign_in("a") >> arrive("1", "email")
    play >> at(10 * MINUTE, e.CustomerAwaited("1"))
    assert said(play) == [paused()]
    play >> at(5 * HOUR, e.CustomerReplied("1"))
    assert said(play) == [resumed(5 * HOUR + 50 * MINUTE)]
    play >> DEADLINE
    assert (play.now_ms, said(play)) == (ms(5 * HOUR + 20 * MINUTE), [warned(50)])
    play >> at(5 * HOUR + 50 * MINUTE, e.ContactResolved("1"))
    assert said(play) == [met(HOUR)]


def test_a_wait_on_the_customer_that_ends_without_a_message_resumes_as_well() -> None:
    play = stage(ClockKind.RESOLUTION, HOUR) >> sign_in("a") >> arrive("1", "email")
    play >> at(MINUTE, e.CustomerAwaited("1")) >> at(2 * MINUTE, e.CustomerWaitEnded("1"))
    assert said(play) == [resumed(MINUTE + HOUR)]


def test_many_pauses_add_up_exactly() -> None:
    play = stage(ClockKind.RESOLUTION, HOUR) >> sign_in("a") >> arrive("1", "email")
    now_ms = 0
    for number in range(1, 20):
        now_ms += 7 * number
        play >> at(now_ms, e.CustomerAwaited("1"))
        now_ms += 1_001 * number
        play >> at(now_ms, e.CustomerReplied("1"))
    ran_ms = sum(7 * number for number in range(1, 20))
    assert said(play) == [resumed(now_ms + HOUR - ran_ms)]
    play >> at(now_ms + 13, e.ContactResolved("1"))
    assert said(play) == [met(ran_ms + 13)]


def test_a_clock_paused_at_its_deadline_is_not_breached() -> None:
    play = stage(ClockKind.RESOLUTION, HOUR) >> sign_in("a") >> arrive("1", "email")
    play >> at(HOUR, e.CustomerAwaited("1")) >> at(2 * HOUR)
    assert heard(play) == [start(HOUR), paused()]
    play >> e.CustomerReplied("1")
    assert said(play) == [resumed(2 * HOUR)]
    play >> DEADLINE
    assert said(play) == [breached(2 * HOUR)]


def test_a_breached_clock_does_not_pause_and_says_how_late_it_became() -> None:
    play = stage(ClockKind.RESOLUTION, HOUR) >> sign_in("a") >> arrive("1", "email")
    play >> at(2 * HOUR, e.CustomerAwaited("1"))
    assert said(play) == [breached(HOUR)]
    play >> at(3 * HOUR, e.CustomerReplied("1")) >> at(4 * HOUR, e.ContactResolved("1"))
    assert said(play) == [late(3 * HOUR)]


def test_closing_a_paused_clock_counts_what_had_run() -> None:
    play = stage(ClockKind.RESOLUTION, HOUR) >> sign_in("a") >> arrive("1", "email")
    play >> at(MINUTE, e.CustomerAwaited("1")) >> at(HOUR, e.ContactResolved("1"))
    assert said(play) == [met(MINUTE)]


def test_an_update_is_due_again_and_again() -> None:
    play = stage(ClockKind.PERIODIC_UPDATE, HOUR) >> sign_in("a") >> arrive("1", "email")
    play >> at(30 * MINUTE, e.AgentReplied("1"))
    assert said(play) == [met(30 * MINUTE), start(90 * MINUTE, 2, Reason.CLOCK_RESET)]
    play >> at(100 * MINUTE, e.AgentReplied("1"))
    assert said(play) == [
        breached(90 * MINUTE, 2),
        late(10 * MINUTE, 2),
        start(160 * MINUTE, 3, Reason.CLOCK_RESET),
    ]


def test_a_complaint_is_acknowledged_by_an_agents_reply() -> None:
    play = stage(ClockKind.COMPLAINT_ACKNOWLEDGEMENT, 30 * MINUTE) >> sign_in("a")
    play >> arrive("1", "email") >> at(MINUTE, e.ComplaintRaised("1"))
    assert said(play) == [start(31 * MINUTE)]
    play >> at(2 * MINUTE, e.ComplaintRaised("1"))
    assert said(play) == [], "raised once"
    play >> at(31 * MINUTE, e.AgentReplied("1"))
    assert said(play) == [met(30 * MINUTE)]


def test_a_promise_may_name_its_own_signals() -> None:
    play = stage(
        ClockKind.RESOLUTION,
        HOUR,
        start=(Signal.ASSIGNED,),
        stop=(Signal.CLOSED,),
        pause=(Signal.HELD,),
        resume=(Signal.RESUMED,),
    )
    play >> arrive("1") >> at(MINUTE, sign_in("a"))
    assert said(play) == [start(MINUTE + HOUR)]
    play >> at(2 * MINUTE, e.ContactHeld("1")) >> at(5 * MINUTE, e.ContactResumed("1"))
    assert said(play) == [resumed(4 * MINUTE + HOUR)]
    play >> at(6 * MINUTE, end("1"))
    assert said(play) == [met(2 * MINUTE)]


def test_several_clocks_run_apart() -> None:
    promises = {
        "answer": promise(ClockKind.ANSWER, 20 * SECOND),
        "first": promise(ClockKind.FIRST_RESPONSE, MINUTE),
        "solve": promise(ClockKind.RESOLUTION, HOUR),
    }
    play = Playbook(desk(promises=promises, channels=TALK)) >> arrive("1", "email")
    assert {(x.policy, x.deadline_ms) for x in play.of(StartSla)} == {
        ("answer", ms(20 * SECOND)),
        ("first", ms(MINUTE)),
        ("solve", ms(HOUR)),
    }
    play >> at(30 * SECOND, sign_in("a")) >> at(40 * SECOND, e.AgentReplied("1"))
    assert [x.policy for x in play.of(BreachSla)] == ["answer"]
    assert [(x.policy, x.elapsed_ms) for x in play.of(MeetSla)] == [("first", 40 * SECOND)]
    play >> at(HOUR, end("1"))
    assert [(x.policy, x.elapsed_ms) for x in play.of(MeetSla)][1:] == [("solve", HOUR)]


def test_of_one_kind_the_first_promise_that_matches_holds() -> None:
    promises = {
        "gold": promise(ClockKind.ANSWER, SECOND, tiers=("gold",)),
        "mail": promise(ClockKind.ANSWER, HOUR, channels=("email",)),
        "rest": promise(ClockKind.ANSWER, MINUTE),
    }
    play = Playbook(desk(promises=promises, tiers=("gold",)))
    play >> arrive("1", tier="gold") >> arrive("2", "email") >> arrive("3", tier="tin")
    assert [x.policy for x in play.of(StartSla)] == ["gold", "mail", "rest"]


# --- what a promise sets off ----------------------------------------------------------------------


def test_warning_and_breach_raise_priority_step_and_escalate() -> None:
    active = Promise(
        kind=ClockKind.ANSWER,
        target_ms=20 * SECOND,
        warnings=(50,),
        on_warning=PromiseAction(raise_priority=2, escalate=True),
        on_breach=PromiseAction(raise_priority=9, next_step=True, escalate=True),
        escalation=("lead", "manager"),
    )
    step = Step(after_ms=HOUR, raise_priority=1)
    play = Playbook(desk(promises={"p": active}, category=Category(queue="q", steps=(step,))))
    (
        play
        >> arrive("1")
        >> DEADLINE
        << [
            warned(50),
            EscalateContact("1", "p", 1, "lead", Reason.SLA_WARNED),
            RequeueContact("1", "q", Reason.SLA_WARNED, 7),
        ]
    )
    (
        play
        >> DEADLINE
        << [
            breached(20 * SECOND),
            EscalateContact("1", "p", 2, "manager", Reason.SLA_BREACHED),
            RequeueContact("1", "q", Reason.SLA_BREACHED, 9),
            RelaxContact("1", 1, Reason.SLA_BREACHED),
        ]
    )


def test_a_raised_priority_overtakes() -> None:
    raising = promise(
        ClockKind.ANSWER, MINUTE, channels=("email",), on_breach=PromiseAction(raise_priority=3)
    )
    play = Playbook(desk(promises={"p": raising})) >> arrive("2") >> arrive("1", "email")
    play >> at(2 * MINUTE, sign_in("a"))
    assert [x.contact_id for x in play.of(OfferContact)] == ["1"]


def test_a_chain_ends_with_its_last_link() -> None:
    promises = {
        "p": promise(
            ClockKind.ANSWER,
            MINUTE,
            warnings=(25, 50, 75),
            on_warning=PromiseAction(escalate=True),
            on_breach=PromiseAction(escalate=True),
            escalation=("lead", "manager"),
        )
    }
    play = Playbook(desk(promises=promises)) >> arrive("1") >> at(HOUR)
    assert [(x.level, x.to) for x in play.of(EscalateContact)] == [(1, "lead"), (2, "manager")]


# --- reopening ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "deadline_ms"),
    [
        (ReopenMode.RESUME, 3 * HOUR - 10 * MINUTE),
        (ReopenMode.RESTART, 3 * HOUR),
        (ReopenMode.NEW_CYCLE, 3 * HOUR),
    ],
)
def test_a_reopened_contact(mode: ReopenMode, deadline_ms: int) -> None:
    center = desk(
        promises={"p": promise(ClockKind.RESOLUTION, HOUR, warnings=(10,), reopen=mode)},
        channels=TALK,
        limits=Limits(duplicate_window_ms=9 * HOUR),
    )
    play = Playbook(center) >> sign_in("a") >> arrive("1") >> at(10 * MINUTE, end("1"))
    assert said(play) == [warned(10), met(10 * MINUTE)]
    play >> at(2 * HOUR, e.ContactReopened("1"))
    assert said(play) == [start(deadline_ms, 2, Reason.REOPENED)]
    play >> at(deadline_ms, end("1"))
    assert said(play)[-1] == met(HOUR, 2)
    assert (warned(10, 2) in said(play)) == (mode is not ReopenMode.RESUME)


def test_resuming_what_was_breached_starts_a_new_clock() -> None:
    center = desk(
        promises={"p": promise(ClockKind.RESOLUTION, HOUR, reopen=ReopenMode.RESUME)},
        channels=TALK,
    )
    play = Playbook(center) >> sign_in("a") >> arrive("1") >> at(2 * HOUR, end("1"))
    assert said(play) == [breached(HOUR), late(HOUR)]
    play >> at(2 * HOUR + MINUTE, e.ContactReopened("1"))
    assert said(play) == [start(3 * HOUR + MINUTE, 2, Reason.REOPENED)]


def test_a_customers_message_reopens_and_starts_the_next_response() -> None:
    center = desk(
        promises={
            "next": promise(ClockKind.NEXT_RESPONSE, HOUR),
            "answer": promise(ClockKind.ANSWER, MINUTE),
        }
    )
    play = Playbook(center) >> sign_in("a") >> arrive("1") >> accept(1, "1") >> end("1")
    play >> at(MINUTE, e.CustomerReplied("1"))
    assert {(x.policy, x.deadline_ms) for x in said(play) if isinstance(x, StartSla)} == {
        ("next", ms(MINUTE + HOUR)),
        ("answer", ms(2 * MINUTE)),
    }


def test_a_redialling_customer_gets_a_new_answer_clock() -> None:
    play = stage(ClockKind.ANSWER, MINUTE) >> arrive("1") >> at(SECOND, e.ContactAbandoned("1"))
    play >> at(2 * SECOND, e.ContactRedialled("1"))
    assert said(play) == [start(62 * SECOND, 2, Reason.REOPENED)]


# --- other targets --------------------------------------------------------------------------------

TIERS = {
    "gold": promise(ClockKind.RESOLUTION, 30 * MINUTE, tiers=("gold",), warnings=(50,)),
    "p": promise(ClockKind.RESOLUTION, HOUR, warnings=(50,)),
}


def tiers() -> Playbook:
    center = desk(promises=TIERS, tiers=("gold",), channels=TALK)
    return Playbook(center) >> sign_in("a") >> arrive("1", "email")


def rebased(old_ms: int, new_ms: int) -> RebaseSla:
    return RebaseSla("1", "gold", 1, ms(old_ms), ms(new_ms), Reason.RETARGETED, "p")


def test_another_tier_moves_the_deadline_from_the_original_start() -> None:
    play = tiers() >> at(10 * MINUTE, e.ContactUpdated("1", tier="gold"))
    assert said(play) == [rebased(HOUR, 30 * MINUTE)]
    play >> DEADLINE
    assert (play.now_ms, said(play)) == (
        ms(15 * MINUTE),
        [WarnSla("1", "gold", 1, 50, Reason.WARNING_DUE)],
    )
    play >> DEADLINE
    assert said(play) == [BreachSla("1", "gold", 1, ms(30 * MINUTE), Reason.DEADLINE_PASSED)]


def test_pauses_are_kept_when_the_target_changes() -> None:
    play = tiers() >> at(10 * MINUTE, e.CustomerAwaited("1"))
    play >> at(HOUR, e.CustomerReplied("1")) >> at(HOUR, e.ContactUpdated("1", tier="gold"))
    assert said(play) == [rebased(110 * MINUTE, 80 * MINUTE)]


def test_a_target_moved_into_the_past_is_breached_at_once() -> None:
    play = tiers() >> at(40 * MINUTE, e.ContactUpdated("1", tier="gold"))
    assert said(play) == [WarnSla("1", "p", 1, 50, Reason.WARNING_DUE), rebased(HOUR, 30 * MINUTE)]
    play >> DEADLINE
    assert play.now_ms == ms(40 * MINUTE)
    assert said(play) == [BreachSla("1", "gold", 1, ms(30 * MINUTE), Reason.DEADLINE_PASSED)]


def test_a_target_moved_into_the_past_is_breached_even_if_it_stops_in_that_instant() -> None:
    play = tiers() >> at(40 * MINUTE, e.ContactUpdated("1", tier="gold"))
    play >> at(40 * MINUTE, e.ContactResolved("1"))
    assert said(play) == [
        BreachSla("1", "gold", 1, ms(30 * MINUTE), Reason.DEADLINE_PASSED),
        StopSla("1", "gold", 1, Reason.STOPPED_LATE, 10 * MINUTE),
    ]


def test_a_breach_is_never_erased() -> None:
    center = desk(promises=TIERS, tiers=("gold",), channels=TALK)
    play = Playbook(center) >> sign_in("a") >> arrive("1", "email", tier="gold")
    play >> at(40 * MINUTE, e.ContactUpdated("1", tier=""))
    assert play.of(BreachSla) == [
        BreachSla("1", "gold", 1, ms(30 * MINUTE), Reason.DEADLINE_PASSED)
    ]
    play >> at(50 * MINUTE, e.ContactResolved("1"))
    assert play.of(MeetSla) == [], "met xor breached"
    stops = play.of(StopSla)
    assert [x.reason for x in stops] == [Reason.STOPPED_LATE]
    assert stops[0].late_ms >= 0, "lateness is never negative"


def test_a_warning_is_given_once_whatever_the_target_becomes() -> None:
    play = tiers() >> at(20 * MINUTE, e.ContactUpdated("1", tier="gold"))
    play >> at(25 * MINUTE, e.ContactUpdated("1", tier="")) >> at(59 * MINUTE)
    assert len(play.of(WarnSla)) <= 1


def test_a_promise_new_to_a_contact_counts_from_its_arrival() -> None:
    promises = {"p": promise(ClockKind.ANSWER, MINUTE, tiers=("gold",))}
    play = Playbook(desk(promises=promises, tiers=("gold",))) >> arrive("1")
    play >> at(20 * SECOND, e.ContactUpdated("1", tier="gold"))
    assert said(play) == [start(MINUTE, 1, Reason.RETARGETED)]


def test_an_answered_contact_is_not_asked_to_be_answered_again() -> None:
    """A promise of an answer that comes after the answer cannot be broken any more."""
    promises = {"p": promise(ClockKind.ANSWER, MINUTE, tiers=("gold",))}
    play = Playbook(desk(promises=promises, tiers=("gold",), channels=TALK)) >> sign_in("a")
    play >> arrive("1") >> at(20 * SECOND, e.ContactUpdated("1", tier="gold")) >> at(HOUR)
    assert play.of(BreachSla) == []


def test_a_promise_that_no_longer_holds_is_canceled() -> None:
    promises = {"p": promise(ClockKind.ANSWER, MINUTE, tiers=("gold",))}
    play = Playbook(desk(promises=promises, tiers=("gold",))) >> arrive("1", tier="gold")
    play >> at(20 * SECOND, e.ContactUpdated("1", tier=""))
    assert said(play) == [canceled()]


# --- another configuration ------------------------------------------------------------------------


def test_running_clocks_keep_the_promise_they_started_under() -> None:
    center = desk(promises={"p": promise(ClockKind.ANSWER, HOUR)})
    shorter = {"p": promise(ClockKind.ANSWER, MINUTE)}
    play = Playbook(center) >> arrive("1") >> at(SECOND, changed(center, promises=shorter))
    assert said(play) == []
    play >> arrive("2")
    assert said(play) == [StartSla("2", "p", 1, ms(SECOND + MINUTE), Reason.CLOCK_STARTED)]
    play >> at(2 * HOUR)
    assert [(x.contact_id, x.deadline_ms) for x in play.of(BreachSla)] == [
        ("2", ms(SECOND + MINUTE)),
        ("1", ms(HOUR)),
    ]


def test_rebase_moves_running_clocks_and_breaches_those_moved_into_the_past() -> None:
    center = desk(promises={"p": promise(ClockKind.ANSWER, HOUR)})
    shorter = {"p": promise(ClockKind.ANSWER, MINUTE)}
    play = Playbook(center) >> arrive("1") >> at(2 * MINUTE, arrive("2"))
    play >> changed(center, promises=shorter, rebase=True)
    assert said(play) == [
        RebaseSla("1", "p", 1, ms(HOUR), ms(MINUTE), Reason.RETARGETED),
        RebaseSla("2", "p", 1, ms(2 * MINUTE + HOUR), ms(3 * MINUTE), Reason.RETARGETED),
    ]
    play >> DEADLINE
    assert (play.now_ms, said(play)) == (ms(2 * MINUTE), [breached(MINUTE)])


def test_rebase_with_the_same_promises_says_nothing() -> None:
    center = desk(promises={"p": promise(ClockKind.ANSWER, HOUR)})
    play = Playbook(center) >> arrive("1") >> changed(center, rebase=True)
    assert said(play) == []


def test_a_promise_removed_keeps_its_running_clocks() -> None:
    center = desk(promises={"p": promise(ClockKind.ANSWER, HOUR)}, channels=TALK)
    play = Playbook(center) >> arrive("1") >> changed(center, promises={})
    play >> at(MINUTE, sign_in("a"))
    assert said(play) == [met(MINUTE)]


def test_a_promise_removed_with_rebase_is_canceled() -> None:
    center = desk(promises={"p": promise(ClockKind.ANSWER, HOUR)}, channels=TALK)
    play = Playbook(center) >> arrive("1") >> changed(center, promises={}, rebase=True)
    assert said(play) == [canceled()]


def test_a_warning_due_at_the_instant_of_a_rebase_is_not_lost() -> None:
    center = desk(promises={"p": promise(ClockKind.ANSWER, HOUR, warnings=(50,))})
    longer = {"p": replace(center.promises["p"], objective_percent=90)}
    play = Playbook(center) >> arrive("1")
    play >> at(30 * MINUTE, changed(center, promises=longer, rebase=True)) >> at(31 * MINUTE)
    assert play.of(WarnSla) == [warned(50)]


# --- clocks and the way of a contact --------------------------------------------------------------


def test_offers_that_fail_do_not_touch_the_clock() -> None:
    promises = {"p": promise(ClockKind.ANSWER, MINUTE)}
    play = Playbook(desk(promises=promises)) >> sign_in("a") >> arrive("1")
    play >> at(SECOND, decline(1, "1")) >> at(21 * SECOND) >> at(30 * SECOND)
    assert heard(play) == [start(MINUTE)]
    play >> accept(3, "1")
    assert said(play) == [met(30 * SECOND)]


def test_accepted_but_never_connected_is_not_answered() -> None:
    channels = {"phone": Channel(connect_timeout_ms=10 * SECOND)}
    promises = {"p": promise(ClockKind.ANSWER, 15 * SECOND)}
    play = Playbook(desk(promises=promises, channels=channels)) >> sign_in("a") >> arrive("1")
    play >> accept(1, "1") >> at(10 * SECOND)
    assert heard(play) == [start(15 * SECOND)]
    play >> at(11 * SECOND, accept(2, "1")) >> at(14 * SECOND, e.OfferConnected(2, "1", "a"))
    assert said(play) == [met(14 * SECOND)]


def test_a_scheduled_callback_may_pause_its_clock() -> None:
    promises = {
        "p": promise(
            ClockKind.ANSWER,
            MINUTE,
            pause=(Signal.CALLBACK_SCHEDULED,),
            resume=(Signal.CALLBACK_DUE,),
        )
    }
    play = Playbook(desk(promises=promises)) >> arrive("1")
    play >> at(10 * SECOND, e.CallbackRequested("1", ms(HOUR)))
    assert said(play) == [paused()]
    play >> DEADLINE
    assert said(play) == [resumed(HOUR + 50 * SECOND)]


def test_a_contact_deflected_cancels_its_clocks() -> None:
    steps = (Step(after_ms=SECOND, deflect=True),)
    promises = {"p": promise(ClockKind.ANSWER, MINUTE)}
    center = desk(promises=promises, category=Category(queue="q", steps=steps), queue=Queue())
    play = Playbook(center) >> arrive("1") >> DEADLINE
    assert said(play) == [canceled()]


def test_a_paused_clock_moved_into_the_past_is_breached_and_counts_right() -> None:
    """It had run for 40 minutes when the promise became one of 30."""
    play = tiers() >> at(40 * MINUTE, e.CustomerAwaited("1"))
    play >> at(50 * MINUTE, e.ContactUpdated("1", tier="gold")) >> at(51 * MINUTE)
    assert [x.policy for x in play.of(BreachSla)] == ["gold"]
    play >> at(HOUR, e.CustomerReplied("1")) >> at(70 * MINUTE, e.ContactResolved("1"))
    late_ms = [x.late_ms for x in play.of(StopSla)]
    assert late_ms in ([20 * MINUTE], [30 * MINUTE]), "50 to 60 min of it, as it pauses or not"


def test_a_breached_clock_is_not_breached_again_by_a_rebase() -> None:
    play = tiers() >> at(40 * MINUTE, e.CustomerAwaited("1")) >> at(50 * MINUTE)
    play >> e.CustomerReplied("1") >> at(2 * HOUR, e.ContactUpdated("1", tier="gold"))
    play >> at(3 * HOUR, e.ContactUpdated("1", tier="")) >> at(4 * HOUR, e.ContactResolved("1"))
    assert len(play.of(BreachSla)) == 1
