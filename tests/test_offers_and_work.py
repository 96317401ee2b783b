"""Follow offers and assignments: accepted, missed, withdrawn, connected, held, wrapped up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router import events as e
from router.center import Agent, Category, Channel, Limits, OfferRules, Queue
from router.decisions import (
    AssignContact,
    ChangeAgentState,
    CloseContact,
    DialCallback,
    EndAssignment,
    EnqueueContact,
    Exit,
    HoldWork,
    OfferContact,
    Reason,
    RefuseEvent,
    RequestFollowUp,
    RequestSurvey,
    RequeueContact,
    ResumeWork,
    ScheduleCallback,
    StartWrapUp,
    WithdrawOffer,
)
from tests.builders import (
    AUTO,
    CHANNELS,
    HOUR,
    MINUTE,
    PATIENT,
    SECOND,
    accept,
    arrive,
    decline,
    desk,
    end,
    go,
    sign_in,
)
from tests.playbook import DEADLINE, Playbook, at, ms


def offered(play: Playbook) -> list[tuple[str, str]]:
    """Return whom the last step offered to whom."""
    return [(x.contact_id, x.agent_id) for x in play.decisions if isinstance(x, OfferContact)]


# --- the life of one contact ----------------------------------------------------------------------


def test_the_life_of_one_contact() -> None:
    stage = desk(
        channels={"phone": Channel(offer_timeout_ms=20 * SECOND, connect_timeout_ms=10 * SECOND)},
        category=Category(queue="q", wrap_up_ms=30 * SECOND),
    )
    (
        Playbook(stage)
        >> arrive("1")
        << EnqueueContact("1", "q", Reason.NO_ELIGIBLE_AGENT, 5)
        >> at(5 * SECOND, sign_in("a"))
        << OfferContact(1, "1", "a", Reason.PRIORITY_THEN_AGE, ms(25 * SECOND))
        >> at(8 * SECOND, accept(1, "1"))
        << AssignContact(1, "1", "a", Reason.ACCEPTED, 8 * SECOND, 8 * SECOND)
        >> at(9 * SECOND, e.OfferConnected(1, "1", "a"))
        << ()
        >> at(60 * SECOND, end("1"))
        << StartWrapUp("1", "a", Reason.CUSTOMER_LEFT, ms(90 * SECOND))
        >> at(70 * SECOND, e.WrapUpEnded("1", "a"))
        << (
            EndAssignment("1", "a", Reason.WRAPPED_UP),
            CloseContact("1", Exit.HANDLED, Reason.WRAPPED_UP),
        )
    )


def test_a_freed_agent_gets_the_next_contact_in_the_same_entry() -> None:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1") >> accept(1, "1") >> arrive("2")
    (
        play
        >> end("1")
        << (
            EndAssignment("1", "a", Reason.CUSTOMER_LEFT),
            CloseContact("1", Exit.HANDLED, Reason.CUSTOMER_LEFT),
            OfferContact(2, "2", "a", Reason.PRIORITY_THEN_AGE, ms(20 * SECOND)),
        )
    )


def test_auto_accept_offers_and_assigns_in_one_entry() -> None:
    play = Playbook(desk(channels={"phone": AUTO})) >> sign_in("a") >> arrive("1")
    play << (
        EnqueueContact("1", "q", Reason.ARRIVED, 5),
        OfferContact(1, "1", "a", Reason.LONGEST_IDLE),
        AssignContact(1, "1", "a", Reason.AUTO_ACCEPTED),
    )


def test_an_offer_without_timeout_rings_on() -> None:
    stage = desk(channels={"phone": Channel(offer_timeout_ms=0)})
    play = Playbook(stage) >> sign_in("a") >> arrive("1") >> at(HOUR)
    assert [x.expires_at_ms for x in play.of(OfferContact)] == [0]
    assert not play.of(WithdrawOffer)


# --- offers not taken -----------------------------------------------------------------------------

RULES = OfferRules(
    backoff_declined_ms=5 * SECOND,
    backoff_expired_ms=10 * SECOND,
    backoff_busy_ms=15 * SECOND,
    backoff_unreachable_ms=25 * SECOND,
    per_agent_max=0,
    unanswered_max=0,
)


@pytest.mark.parametrize(
    ("cause", "backoff_ms"),
    [
        (e.DeclineCause.DECLINED, 5 * SECOND),
        (e.DeclineCause.BUSY, 15 * SECOND),
        (e.DeclineCause.UNREACHABLE, 25 * SECOND),
        (None, 10 * SECOND),
    ],
)
@pytest.mark.parametrize("capacity", [100, 300])
def test_each_cause_has_its_back_off(
    cause: e.DeclineCause | None, backoff_ms: int, capacity: int
) -> None:
    """An agent with room left is left in peace as well."""
    stage = desk({"a": Agent(team="t", capacity=capacity)}, offers=RULES)
    play = Playbook(stage) >> sign_in("a") >> arrive("1")
    missed_ms = 20 * SECOND
    if cause is None:
        play >> DEADLINE
    else:
        missed_ms = SECOND
        play >> at(SECOND, decline(1, "1", cause=cause))
    assert offered(play) == []
    play >> at(missed_ms + backoff_ms - 1) >> arrive("2")
    assert offered(play) == []
    play >> at(missed_ms + backoff_ms)
    assert offered(play)[0] == ("1", "a")


def test_of_two_back_offs_the_later_end_counts() -> None:
    play = Playbook(desk(offers=RULES)) >> sign_in("a") >> arrive("1", "chat")
    play >> arrive("2", "chat") >> decline(1, "1", cause=e.DeclineCause.UNREACHABLE)
    play >> decline(2, "2") >> at(25 * SECOND - 1)
    assert len(play.of(OfferContact)) == 2
    play >> at(25 * SECOND)
    assert len(play.of(OfferContact)) == 4


def test_a_back_off_leaves_other_offers_and_work_alone() -> None:
    play = Playbook(desk(offers=RULES)) >> sign_in("a") >> arrive("1", "chat")
    play >> arrive("2", "chat") >> decline(1, "1") >> accept(2, "2")
    assert [x.contact_id for x in play.of(AssignContact)] == ["2"]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_one_agent_gets_one_contact_so_often_and_no_more(most: int) -> None:
    play = Playbook(desk("ab", offers=replace(PATIENT, per_agent_max=most)))
    play >> sign_in("a") >> arrive("1")
    for number in range(most):
        play >> at(number, decline(number + 1, "1"))
    assert len(play.of(OfferContact)) == most
    play >> arrive("2")
    assert offered(play) == [("2", "a")], "others he still gets"
    play >> sign_in("b")
    assert offered(play) == [("1", "b")]


def test_the_cap_counts_anew_after_an_assignment() -> None:
    play = Playbook(desk(offers=replace(PATIENT, per_agent_max=1))) >> sign_in("a") >> arrive("1")
    play >> accept(1, "1") >> e.CustomerAwaited("1") >> e.CustomerReplied("1")
    assert offered(play) == [("1", "a")]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_after_so_many_unanswered_offers_the_agent_is_set_away(most: int) -> None:
    play = Playbook(desk(offers=replace(PATIENT, unanswered_max=most))) >> sign_in("a")
    play >> arrive("1")
    for number in range(most):
        assert not play.of(ChangeAgentState), number
        play >> DEADLINE
    play << (
        WithdrawOffer(most, "1", "a", Reason.EXPIRED),
        ChangeAgentState("a", "unanswered", Reason.UNANSWERED_OFFERS),
        RequeueContact("1", "q", Reason.EXPIRED, 5),
    )
    play >> go("a", "available")
    assert offered(play) == [("1", "a")]


def test_only_unanswered_offers_in_a_row_count() -> None:
    play = Playbook(desk(offers=replace(PATIENT, unanswered_max=2))) >> sign_in("a")
    play >> arrive("1") >> DEADLINE >> accept(2, "1") >> end("1") >> arrive("2") >> DEADLINE
    assert not play.of(ChangeAgentState)


@pytest.mark.parametrize(
    ("leaving", "reason"),
    [
        (e.AgentSignedOut("a"), Reason.AGENT_SIGNED_OUT),
        (e.AgentLost("a"), Reason.AGENT_LOST),
        (go("a", "break"), Reason.AGENT_AWAY),
    ],
)
def test_an_agent_who_leaves_gives_all_his_offers_back(leaving: e.Event, reason: Reason) -> None:
    play = Playbook(desk("ab")) >> sign_in("a") >> arrive("1", "chat") >> arrive("2", "chat")
    (
        play
        >> sign_in("b")
        >> leaving
        << (
            WithdrawOffer(1, "1", "a", reason),
            RequeueContact("1", "q", reason, 5),
            OfferContact(3, "1", "b", Reason.LONGEST_IDLE, ms(20 * SECOND)),
            WithdrawOffer(2, "2", "a", reason),
            RequeueContact("2", "q", reason, 5),
            OfferContact(4, "2", "b", Reason.LONGEST_IDLE, ms(20 * SECOND)),
        )
    )


# --- capacity -------------------------------------------------------------------------------------


def test_an_agent_holds_as_many_chats_as_his_units_allow() -> None:
    play = Playbook(desk()) >> sign_in("a")
    for number in range(4):
        play >> arrive(str(number), "chat")
    assert [x.contact_id for x in play.of(OfferContact)] == ["0", "1"], "a third is 102 units"


def test_open_offers_count_against_the_budget() -> None:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1", "email") >> arrive("2")
    assert [x.contact_id for x in play.of(OfferContact)] == ["1"]


def test_the_cap_of_a_channel_and_the_agents_own() -> None:
    capped = {"chat": replace(CHANNELS["chat"], agent_max=1)}
    play = Playbook(desk(channels=capped)) >> sign_in("a") >> arrive("1", "chat")
    play >> arrive("2", "chat")
    assert [x.contact_id for x in play.of(OfferContact)] == ["1"]
    own = {"a": Agent(team="t", channel_max={"chat": 2})}
    play = Playbook(desk(own, channels=capped)) >> sign_in("a") >> arrive("1", "chat")
    play >> arrive("2", "chat")
    assert [x.contact_id for x in play.of(OfferContact)] == ["1", "2"]


def test_a_rise_in_capacity_is_used_at_once() -> None:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1") >> accept(1, "1") >> arrive("2")
    play >> e.AgentCapacityChanged("a", 200)
    assert offered(play) == [("2", "a")]


# --- interruptible work ---------------------------------------------------------------------------

MIXED = {
    "phone": Channel(interrupts=True, offer_timeout_ms=20 * SECOND),
    "email": CHANNELS["email"],
    "chat": CHANNELS["chat"],
}


def test_a_call_holds_the_mails_until_it_ends() -> None:
    play = Playbook(desk(channels=MIXED)) >> sign_in("a")
    play >> arrive("m1", "email") >> accept(1, "m1") >> arrive("m2", "email") >> accept(2, "m2")
    (
        play
        >> at(SECOND, arrive("call"))
        << (
            EnqueueContact("call", "q", Reason.ARRIVED, 5),
            OfferContact(3, "call", "a", Reason.LONGEST_IDLE, ms(21 * SECOND)),
        )
    )
    (
        play
        >> accept(3, "call", "a")
        << (
            HoldWork("m2", "a", Reason.INTERRUPTED),
            HoldWork("m1", "a", Reason.INTERRUPTED),
            AssignContact(3, "call", "a", Reason.ACCEPTED),
        )
    )
    play >> arrive("m3", "email")
    assert offered(play) == [], "held mails come back first"
    play >> end("call")
    assert play.decisions[2:] == [
        ResumeWork("m1", "a", Reason.CAPACITY_FREE),
        ResumeWork("m2", "a", Reason.CAPACITY_FREE),
    ]


def test_a_call_that_is_only_offered_holds_nothing() -> None:
    play = Playbook(desk(channels=MIXED)) >> sign_in("a") >> arrive("m", "email")
    play >> accept(1, "m") >> arrive("call") >> decline(2, "call")
    assert not play.of(HoldWork)


def test_work_that_cannot_be_held_is_not() -> None:
    play = Playbook(desk(channels=MIXED)) >> sign_in("a") >> arrive("c", "chat")
    play >> accept(1, "c") >> arrive("call")
    assert offered(play) == []


def test_held_work_may_end_while_it_is_held() -> None:
    play = Playbook(desk(channels=MIXED)) >> sign_in("a") >> arrive("m", "email") >> accept(1, "m")
    play >> arrive("call") >> accept(2, "call") >> e.ContactResolved("m") >> end("call")
    assert [x.contact_id for x in play.of(CloseContact)] == ["m", "call"]
    assert not play.of(ResumeWork)
    play >> arrive("next")
    assert offered(play) == [("next", "a")], "no unit was lost"


# --- wrap-up --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit_ms", "until_ms"), [(30 * SECOND, ms(30 * SECOND)), (-1, 0)])
def test_wrap_up_keeps_the_units(limit_ms: int, until_ms: int) -> None:
    play = Playbook(desk(category=Category(queue="q", wrap_up_ms=limit_ms))) >> sign_in("a")
    play >> arrive("1") >> accept(1, "1") >> end("1")
    play << StartWrapUp("1", "a", Reason.CUSTOMER_LEFT, until_ms)
    play >> arrive("2") >> at(30 * SECOND - 1)
    assert not play.of(CloseContact)
    play >> at(30 * SECOND)
    assert bool(play.of(CloseContact)) == (limit_ms > 0)
    if limit_ms < 0:
        play >> e.WrapUpEnded("1", "a")
    assert offered(play) == [("2", "a")]


def test_a_contact_resolved_in_wrap_up_stays_in_wrap_up() -> None:
    play = Playbook(desk(category=Category(queue="q", wrap_up_ms=-1))) >> sign_in("a")
    play >> arrive("1") >> accept(1, "1") >> end("1") >> e.ContactResolved("1") << ()


# --- wait, gross and net --------------------------------------------------------------------------


def test_net_wait_leaves_out_what_was_not_waiting() -> None:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1") >> at(10 * SECOND, accept(1, "1"))
    play >> at(100 * SECOND, e.ContactTransferred("1", category="c"))
    play >> at(105 * SECOND, accept(2, "1"))
    play << AssignContact(2, "1", "a", Reason.ACCEPTED, 105 * SECOND, 15 * SECOND)
    play >> at(200 * SECOND, e.CustomerAwaited("1")) >> at(HOUR, e.CustomerReplied("1"))
    play >> at(HOUR + SECOND, accept(3, "1"))
    play << AssignContact(3, "1", "a", Reason.ACCEPTED, HOUR + SECOND, 16 * SECOND)
    play >> at(2 * HOUR, end("1")) >> at(2 * HOUR + MINUTE, e.ContactReopened("1"))
    play >> at(2 * HOUR + MINUTE + SECOND, accept(4, "1"))
    play << AssignContact(4, "1", "a", Reason.ACCEPTED, 2 * HOUR + MINUTE + SECOND, 17 * SECOND)


def test_a_callback_waits_without_waiting() -> None:
    play = Playbook(desk()) >> at(0, arrive("1")) >> at(1, arrive("2"))
    play >> at(10 * SECOND, e.CallbackRequested("1", ms(HOUR)))
    play << ScheduleCallback("1", ms(HOUR), Reason.CALLBACK_REQUESTED)
    play >> at(HOUR) << EnqueueContact("1", "q", Reason.CALLBACK_DUE, 5)
    play >> at(HOUR + SECOND, sign_in("a"))
    assert offered(play) == [("1", "a")], "its place is older than that of 2"
    (
        play
        >> accept(1, "1")
        << (
            AssignContact(1, "1", "a", Reason.ACCEPTED, HOUR + SECOND, 11 * SECOND),
            DialCallback("1", "a", Reason.ACCEPTED),
        )
    )


def test_a_callback_for_now_is_in_line_at_once() -> None:
    play = Playbook(desk()) >> arrive("1") >> e.CallbackRequested("1")
    play << (
        ScheduleCallback("1", ms(0), Reason.CALLBACK_REQUESTED),
        EnqueueContact("1", "q", Reason.CALLBACK_DUE, 5),
    )


def test_a_callback_never_waits_too_long_for_its_queue() -> None:
    stage = desk(queue=Queue(wait_max_ms=MINUTE))
    play = Playbook(stage) >> arrive("1") >> e.CallbackRequested("1") >> at(HOUR)
    assert not play.of(CloseContact)


def test_who_redials_keeps_his_age() -> None:
    play = Playbook(desk()) >> arrive("1") >> at(1, arrive("2"))
    play >> at(2, e.ContactAbandoned("1")) >> at(MINUTE, e.ContactRedialled("1")) >> sign_in("a")
    assert offered(play) == [("1", "a")]
    play >> at(MINUTE + SECOND, accept(1, "1"))
    play << AssignContact(1, "1", "a", Reason.ACCEPTED, MINUTE + SECOND, SECOND + 2)


# --- passed on, merged, closed --------------------------------------------------------------------


def test_a_transfer_to_an_agent_waits_for_him() -> None:
    play = Playbook(desk("ab")) >> sign_in("a") >> sign_in("b", presence="break")
    (
        play
        >> arrive("1")
        >> accept(1, "1")
        >> e.ContactTransferred("1", agent_id="b")
        << (
            EndAssignment("1", "a", Reason.TRANSFERRED),
            EnqueueContact("1", "q", Reason.TRANSFERRED, 5),
        )
    )
    play >> at(SECOND, go("b", "available"))
    play << OfferContact(2, "1", "b", Reason.PREFERRED_AGENT, ms(21 * SECOND))


@pytest.mark.parametrize("target", ["signed out", "unknown"])
def test_a_transfer_to_an_agent_who_is_not_there(target: str) -> None:
    play = Playbook(desk("ab")) >> sign_in("a") >> arrive("1") >> accept(1, "1")
    name = "b" if target == "signed out" else "z"
    reason = Reason.SIGNED_OUT if target == "signed out" else Reason.UNKNOWN_AGENT
    play >> e.ContactTransferred("1", agent_id=name) << RefuseEvent(reason, "1")
    play >> end("1")
    assert len(play.of(CloseContact)) == 1


def test_a_merged_contact_is_closed_once_and_its_agent_is_free() -> None:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1") >> accept(1, "1") >> arrive("2")
    (
        play
        >> e.ContactMerged("1", "2")
        << (
            EndAssignment("1", "a", Reason.MERGED),
            CloseContact("1", Exit.MERGED, Reason.MERGED),
            OfferContact(2, "2", "a", Reason.PRIORITY_THEN_AGE, ms(20 * SECOND)),
        )
    )


@pytest.mark.parametrize("state", ["waiting", "offered", "handling", "awaiting", "scheduled"])
def test_no_contact_outlives_its_limit(state: str) -> None:
    play = Playbook(desk(limits=Limits(contact_life_ms=10 * SECOND)))
    if state not in {"waiting", "scheduled"}:
        play >> sign_in("a")
    play >> arrive("1")
    if state in {"handling", "awaiting"}:
        play >> accept(1, "1")
    if state == "awaiting":
        play >> e.CustomerAwaited("1")
    if state == "scheduled":
        play >> e.CallbackRequested("1", ms(10 * SECOND - 1)) >> at(10 * SECOND - 1)
    play >> at(10 * SECOND)
    assert play.of(CloseContact) == [CloseContact("1", Exit.EXPIRED, Reason.LIFE_LIMIT)]
    play >> sign_in("a") >> arrive("2")
    assert ("2", "a") in [(x.contact_id, x.agent_id) for x in play.of(OfferContact)]


# --- surveys --------------------------------------------------------------------------------------


def test_every_third_handled_contact_is_surveyed() -> None:
    stage = desk(category=Category(queue="q", survey_every=3), channels={"phone": AUTO})
    play = Playbook(stage) >> sign_in("a")
    for number in range(9):
        play >> arrive(f"{number}") >> end(f"{number}")
    play >> e.AgentSignedOut("a") >> arrive("x") >> e.ContactAbandoned("x")
    assert [x.contact_id for x in play.of(RequestSurvey)] == ["2", "5", "8"]


@pytest.mark.parametrize(
    ("score", "resolved", "unhappy"),
    [(1, True, True), (2, True, True), (3, True, False), (5, True, False), (5, False, True)],
)
def test_unhappy_answers_open_a_follow_up(score: int, resolved: bool, unhappy: bool) -> None:  # noqa: FBT001 - a row
    play = Playbook(desk(channels={"phone": AUTO})) >> sign_in("a") >> arrive("1") >> end("1")
    play >> e.SurveyAnswered("1", score, resolved)
    assert play.decisions == ([RequestFollowUp("1", Reason.UNHAPPY_ANSWER)] if unhappy else [])
