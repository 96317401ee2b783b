"""Know customers who come again: redials, refused attempts, deflections that did not help; bots."""

from __future__ import annotations

from router import events as e
from router.center import (
    Category,
    ClockKind,
    LimitAction,
    Limits,
    OverloadClass,
    Queue,
    ReturnRules,
    Signal,
)
from router.decisions import (
    AssignContact,
    CloseContact,
    DeflectContact,
    EnqueueContact,
    Exit,
    LinkContact,
    MeetSla,
    NoteDuplicate,
    OverflowContact,
    Reason,
    RefuseEvent,
    StartSla,
)
from tests.builders import HOUR, MINUTE, SECOND, accept, arrive, desk, end, promise, sign_in
from tests.playbook import Playbook, at, ms

RULES = ReturnRules(redial_window_ms=10 * MINUTE, deflection_window_ms=24 * HOUR)


def test_a_redial_as_a_new_contact_keeps_the_age_of_the_abandoned_one() -> None:
    play = Playbook(desk(returns=RULES)) >> arrive("1", customer="x")
    play >> at(MINUTE, e.ContactAbandoned("1")) >> at(2 * MINUTE, arrive("2"))
    play >> at(3 * MINUTE, arrive("3", customer="x"))
    play << (
        LinkContact("3", "1", Reason.REDIALLED, 2, ms(0)),
        EnqueueContact("3", "q", Reason.NO_ELIGIBLE_AGENT, 5),
    )
    play >> at(4 * MINUTE, sign_in("a")) >> accept(1, "3")
    assert [(d.wait_ms, d.net_wait_ms) for d in play.of(AssignContact)] == [
        (4 * MINUTE, 2 * MINUTE)
    ]
    # The old contact has no place to come back to.
    play >> e.ContactRedialled("1") << NoteDuplicate(Reason.DUPLICATE, "1")


def test_a_third_call_is_the_third_attempt() -> None:
    play = Playbook(desk(returns=RULES))
    for name in ("1", "2", "3"):
        play >> arrive(name, customer="x") >> e.ContactAbandoned(name)
    assert [(d.contact_id, d.attempt) for d in play.of(LinkContact)] == [("2", 2), ("3", 3)]
    assert {d.since_ms for d in play.of(LinkContact)} == {ms(0)}


def test_neither_somebody_else_nor_another_matter_nor_a_late_call_is_a_redial() -> None:
    stage = desk(returns=RULES, categories={"c": Category(queue="q"), "c2": Category(queue="q")})
    play = Playbook(stage) >> arrive("1", customer="x") >> e.ContactAbandoned("1")
    play >> arrive("2", customer="y") >> arrive("3", category="c2", customer="x") >> arrive("4")
    play >> at(10 * MINUTE + 1, arrive("5", customer="x"))
    assert play.of(LinkContact) == []


def test_who_gave_up_about_something_else_in_the_end_is_not_known_by_the_first_matter() -> None:
    stage = desk(returns=RULES, categories={"c": Category(queue="q"), "c2": Category(queue="q")})
    play = Playbook(stage) >> arrive("1", customer="x") >> e.ContactAbandoned("1")
    play >> e.ContactRedialled("1") >> e.ContactUpdated("1", category="c2")
    play >> e.ContactAbandoned("1") >> arrive("2", customer="x")
    assert play.of(LinkContact) == []
    play >> arrive("3", category="c2", customer="x")
    assert [(d.contact_id, d.origin_id) for d in play.of(LinkContact)] == [("3", "1")]


def test_refused_attempts_are_counted() -> None:
    stage = desk(returns=RULES, limits=Limits(open_contacts=1))
    play = Playbook(stage) >> arrive("1")
    for name in ("2", "3"):
        play >> arrive(name, customer="x") << RefuseEvent(Reason.LIMIT_REACHED, name)
    play >> end("1") >> arrive("4", customer="x")
    assert play.decisions[0] == LinkContact("4", "2", Reason.BLOCKED_BEFORE, 3)


def test_an_erased_customer_is_not_known_again() -> None:
    play = Playbook(desk(returns=RULES)) >> arrive("1", customer="x") >> e.ContactAbandoned("1")
    play >> e.CustomerErased("x") >> arrive("2", customer="x")
    assert play.of(LinkContact) == []


# --- bots -----------------------------------------------------------------------------------------

ANSWER = promise(ClockKind.ANSWER, MINUTE)
WHOLE = promise(ClockKind.RESOLUTION, HOUR, start=(Signal.SELF_SERVED,))


def test_what_a_bot_settles_is_deflected_and_its_clock_is_met() -> None:
    play = Playbook(desk(promises={"answer": ANSWER, "whole": WHOLE}))
    play >> arrive("1", bot="faq")
    play << StartSla("1", "whole", 1, ms(HOUR), Reason.CLOCK_STARTED)
    play >> at(90 * SECOND, e.ContactResolved("1", "told"))
    play << (
        MeetSla("1", "whole", 1, 90 * SECOND, Reason.STOPPED_IN_TIME),
        CloseContact("1", Exit.DEFLECTED, Reason.SELF_SERVED),
    )


def test_a_bot_hands_over_with_the_age_and_the_clocks_begin_then() -> None:
    stage = desk(
        promises={"answer": ANSWER},
        categories={"c": Category(queue="q"), "c2": Category(queue="q", priority=7)},
    )
    play = Playbook(stage) >> sign_in("a") >> arrive("1", bot="faq")
    assert play.decisions == []
    play >> at(2 * MINUTE, e.ContactHandedOver("1", "c2"))
    assert play.decisions[:2] == [
        StartSla("1", "answer", 1, ms(3 * MINUTE), Reason.CLOCK_STARTED),
        EnqueueContact("1", "q", Reason.HANDED_OVER, 7),
    ]
    play >> at(2 * MINUTE + SECOND, accept(1, "1"))
    assert [(d.wait_ms, d.net_wait_ms) for d in play.of(AssignContact)] == [
        (2 * MINUTE + SECOND, SECOND)
    ]


def test_who_gives_up_at_the_bot_has_abandoned() -> None:
    play = Playbook(desk()) >> arrive("1", bot="faq") >> e.ContactAbandoned("1")
    play << CloseContact("1", Exit.ABANDONED, Reason.ABANDONED)


def test_a_bot_cannot_hand_over_to_an_unknown_category() -> None:
    play = Playbook(desk()) >> arrive("1", bot="faq") >> e.ContactHandedOver("1", "nothing")
    play << RefuseEvent(Reason.UNKNOWN_CATEGORY, "1")


def test_a_full_line_deflects_what_a_bot_hands_over() -> None:
    play = Playbook(desk(queue=Queue(length_max=1))) >> arrive("1") >> arrive("2", bot="faq")
    play >> e.ContactHandedOver("2")
    play << (
        DeflectContact("2", Reason.QUEUE_FULL),
        CloseContact("2", Exit.DEFLECTED, Reason.QUEUE_FULL),
    )


def test_a_deflected_customer_who_comes_again_within_the_window_was_not_helped() -> None:
    play = Playbook(desk(returns=RULES)) >> arrive("1", customer="x", bot="faq") >> end("1")
    play >> at(20 * HOUR, arrive("2", customer="x"))
    # It is a new wait: only the deflection is called a failure.
    assert play.decisions[0] == LinkContact("2", "1", Reason.DEFLECTION_FAILED, 2)
    assert play.router.floor.contacts["2"].arrived_ms == ms(20 * HOUR)


# --- overload by queue ----------------------------------------------------------------------------


def crowd(overload: OverloadClass, overflow_to: str = "") -> Playbook:
    """Fill the queue up to where its overload begins."""
    stage = desk(
        queues={"q": Queue(overload_length=2, overflow_to=overflow_to), "q2": Queue()},
        category=Category(queue="q", overload=overload),
    )
    return Playbook(stage) >> arrive("1") >> arrive("2")


def test_an_overloaded_queue_serves_refuses_deflects_or_overflows_by_class() -> None:
    crowd(OverloadClass.REFUSE) >> arrive("3") << RefuseEvent(Reason.OVERLOAD, "3")
    play = crowd(OverloadClass.DEFLECT) >> arrive("3")
    assert play.of(DeflectContact) == [DeflectContact("3", Reason.OVERLOAD)]
    play = crowd(OverloadClass.OVERFLOW, overflow_to="q2") >> arrive("3")
    assert play.of(OverflowContact) == [OverflowContact("3", "q", "q2", Reason.OVERLOAD)]


def test_a_category_that_is_served_waits_in_an_overloaded_queue() -> None:
    stage = desk(
        queue=Queue(overload_length=1, when_full=LimitAction.REFUSE),
        categories={
            "c": Category(queue="q", overload=OverloadClass.REFUSE),
            "vital": Category(queue="q"),
        },
    )
    play = Playbook(stage) >> arrive("1") >> arrive("2", category="vital")
    assert [d.contact_id for d in play.of(EnqueueContact)] == ["1", "2"]


def test_under_overload_nothing_but_arrivals_is_kept_out() -> None:
    play = Playbook(desk(category=Category(queue="q", overload=OverloadClass.REFUSE)))
    play >> sign_in("a") >> arrive("1") >> arrive("2") >> e.OverloadSwitched(active=True)
    play >> arrive("3") << RefuseEvent(Reason.OVERLOAD, "3")
    play >> accept(1, "1") >> end("1") >> e.ContactReopened("1") >> e.ContactAbandoned("2")
    assert [d for d in play.of(RefuseEvent) if d.reason is Reason.OVERLOAD] == [
        RefuseEvent(Reason.OVERLOAD, "3")
    ]
