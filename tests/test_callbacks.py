"""Call customers back: the place in line, the hours, the attempts, and who calls himself."""

from __future__ import annotations

import pytest

from router import events as e
from router.center import CallbackRules, Category, Channel, Queue
from router.decisions import (
    AssignContact,
    CloseContact,
    DialCallback,
    EndAssignment,
    EnqueueContact,
    Exit,
    LinkContact,
    OfferContact,
    Reason,
    RefuseEvent,
    ScheduleCallback,
)
from tests.builders import HOUR, MINUTE, SECOND, accept, arrive, desk, end, hours, sign_in
from tests.playbook import DEADLINE, Playbook, at, ms

THREE = CallbackRules(attempts_max=3, spacing_ms=30 * MINUTE, busy_spacing_ms=5 * MINUTE)
PHONE = {"phone": Channel(offer_timeout_ms=20 * SECOND, connect_timeout_ms=30 * SECOND)}


def called(rules: CallbackRules = THREE, category: Category | None = None) -> Playbook:
    """Let agent a accept the callback of contact 1, and dial."""
    play = Playbook(desk(callbacks=rules, channels=PHONE, category=category)) >> sign_in("a")
    play >> arrive("1", customer="x") >> e.CallbackRequested("1")
    offers = [d.offer_id for d in play.decisions if isinstance(d, OfferContact)]
    return play >> accept(offers[-1], "1")


def test_a_call_that_nobody_answers_is_tried_again_after_the_spacing() -> None:
    play = called()
    assert play.of(DialCallback) == [DialCallback("1", "a", Reason.ACCEPTED)]
    play >> at(20 * SECOND, e.CallbackFailed("1"))
    play << (
        EndAssignment("1", "a", Reason.NO_ANSWER),
        ScheduleCallback("1", ms(20 * SECOND + 30 * MINUTE), Reason.NO_ANSWER),
    )
    play >> DEADLINE
    assert [type(d) for d in play.decisions] == [EnqueueContact, OfferContact]
    assert play.now_ms == ms(20 * SECOND + 30 * MINUTE)


def test_a_busy_line_is_tried_again_sooner() -> None:
    play = called() >> at(SECOND, e.CallbackFailed("1", e.CallFailure.BUSY))
    assert play.of(ScheduleCallback)[-1].due_at_ms == ms(SECOND + 5 * MINUTE)


def test_after_the_last_attempt_the_contact_expires_for_its_own_reason() -> None:
    play = called()
    for number in (2, 3):
        play >> e.CallbackFailed("1", e.CallFailure.VOICEMAIL) >> DEADLINE
        play >> accept(play.of(OfferContact)[-1].offer_id, "1")
        assert play.of(DialCallback)[-1].attempt == number
    play >> e.CallbackFailed("1")
    play << (
        EndAssignment("1", "a", Reason.NO_ANSWER),
        CloseContact("1", Exit.EXPIRED, Reason.ATTEMPTS_SPENT),
    )


def test_a_call_that_does_not_connect_in_time_is_an_attempt_and_nobodys_fault() -> None:
    play = called() >> DEADLINE
    play << (
        EndAssignment("1", "a", Reason.NO_ANSWER),
        ScheduleCallback("1", ms(30 * SECOND + 30 * MINUTE), Reason.NO_ANSWER),
    )
    # The agent is not left in peace for it: the next caller rings at once.
    play >> arrive("2")
    assert [d.agent_id for d in play.decisions if isinstance(d, OfferContact)] == ["a"]


def test_without_a_limit_of_attempts_a_failed_connection_goes_back_to_its_line() -> None:
    play = called(CallbackRules()) >> DEADLINE
    assert play.decisions[0] == EndAssignment("1", "a", Reason.CONNECT_TIMEOUT)
    assert not any(isinstance(d, ScheduleCallback) for d in play.decisions)


def test_a_voicemail_found_in_wrap_up_is_no_conversation() -> None:
    play = called(category=Category(queue="q", wrap_up_ms=-1))
    play >> e.OfferConnected(2, "1", "a") >> end("1")
    play >> e.CallbackFailed("1", e.CallFailure.VOICEMAIL, "a")
    assert play.of(CloseContact) == []
    assert play.of(ScheduleCallback)[-1].reason is Reason.VOICEMAIL


def test_only_the_agent_who_calls_reports_the_call() -> None:
    play = called() >> e.CallbackFailed("1", agent_id="b")
    play << RefuseEvent(Reason.WRONG_AGENT, "b")
    play = Playbook(desk()) >> sign_in("a") >> arrive("1") >> accept(1, "1")
    play >> e.CallbackFailed("1") << RefuseEvent(Reason.WRONG_STATE, "1")


DAY, NEXT = (0, 9 * HOUR), (24 * HOUR, 33 * HOUR)


@pytest.mark.parametrize("of_queue", [True, False])
def test_callbacks_keep_to_their_hours(of_queue: bool) -> None:  # noqa: FBT001 - two cases
    rules = CallbackRules(attempts_max=3) if of_queue else CallbackRules(calendar="day")
    queue = Queue(calendar="day" if of_queue else "always")
    play = Playbook(desk(callbacks=rules, queue=queue, calendars={"day": hours(DAY, NEXT)}))
    play >> at(8 * HOUR, arrive("1")) >> e.CallbackRequested("1", ms(10 * HOUR))
    assert play.of(ScheduleCallback)[-1].due_at_ms == ms(24 * HOUR)


def test_a_due_callback_that_nobody_took_waits_for_the_next_day() -> None:
    stage = desk(callbacks=CallbackRules(calendar="day"), calendars={"day": hours(DAY, NEXT)})
    play = Playbook(stage) >> at(8 * HOUR, arrive("1")) >> e.CallbackRequested("1") >> DEADLINE
    play << ScheduleCallback("1", ms(24 * HOUR), Reason.OUTSIDE_WINDOW)
    assert play.now_ms == ms(9 * HOUR)
    # Whoever comes at night is not offered it.
    play >> at(20 * HOUR, sign_in("a"))
    assert play.decisions == []
    play >> at(24 * HOUR) >> accept(1, "1")
    waits = [(d.wait_ms, d.net_wait_ms) for d in play.of(AssignContact)]
    assert waits == [(16 * HOUR, HOUR)]


def test_an_offer_that_ends_after_the_hours_is_not_made_again() -> None:
    stage = desk(callbacks=CallbackRules(calendar="day"), calendars={"day": hours(DAY, NEXT)})
    play = Playbook(stage) >> sign_in("a") >> at(9 * HOUR - SECOND, arrive("1"))
    play >> e.CallbackRequested("1") >> DEADLINE
    assert play.decisions[-1] == ScheduleCallback("1", ms(24 * HOUR), Reason.OUTSIDE_WINDOW)


def test_who_calls_meanwhile_takes_the_place_of_his_callback() -> None:
    play = Playbook(desk(callbacks=CallbackRules(taken_over=True)))
    play >> arrive("1", customer="x") >> at(MINUTE, e.CallbackRequested("1", ms(HOUR)))
    play >> at(2 * MINUTE, arrive("2")) >> at(5 * MINUTE, arrive("3", customer="x"))
    play << (
        LinkContact("3", "1", Reason.CALLED_MEANWHILE, 2, ms(0)),
        CloseContact("1", Exit.MERGED, Reason.CALLED_MEANWHILE),
        EnqueueContact("3", "q", Reason.NO_ELIGIBLE_AGENT, 5),
    )
    play >> at(6 * MINUTE, sign_in("a")) >> accept(1, "3")
    # He is first, with his whole wait; what he spent away from the line is not in the net one.
    assert [(d.contact_id, d.wait_ms, d.net_wait_ms) for d in play.of(AssignContact)] == [
        ("3", 6 * MINUTE, 2 * MINUTE)
    ]


def test_a_callback_stays_when_its_customer_calls_about_something_else() -> None:
    play = Playbook(desk(callbacks=CallbackRules(taken_over=True)))
    play >> arrive("1", customer="x") >> e.CallbackRequested("1", ms(HOUR))
    play >> arrive("2", customer="y") >> end("1") >> arrive("3", customer="x")
    assert play.of(LinkContact) == []
