"""Ask customers, follow unhappy ones up, take complaints: the loop after the contact."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from router import events as e
from router.center import (
    Category,
    Center,
    Channel,
    ClockKind,
    ComplaintRules,
    FollowUp,
    Limits,
    Queue,
    SurveyRules,
)
from router.decisions import (
    CloseContact,
    DialCallback,
    EnqueueContact,
    NoteDuplicate,
    OfferContact,
    OpenContact,
    Reason,
    RefuseEvent,
    RequestFollowUp,
    RequestSurvey,
    ScheduleCallback,
    StartSla,
)
from tests.builders import CHANNELS, HOUR, MINUTE, accept, arrive, desk, end, promise, sign_in
from tests.playbook import Playbook, at, ms

SURVEYED = Category(queue="q", survey_percent=100)


def serve(play: Playbook, contact_id: str, **facts: str) -> Playbook:
    """Let the one agent serve a contact from its arrival to its end."""
    play >> arrive(contact_id, **facts)
    return play >> accept(play.of(OfferContact)[-1].offer_id, contact_id) >> end(contact_id)


def asked(play: Playbook) -> list[str]:
    """Return the contacts whose customers were asked."""
    return [d.contact_id for d in play.of(RequestSurvey)]


# --- surveys --------------------------------------------------------------------------------------


@pytest.mark.parametrize("percent", [1, 10, 30, 33, 50, 99, 100])
def test_of_any_hundred_the_share_is_asked_exactly(percent: int) -> None:
    play = Playbook(desk(category=replace(SURVEYED, survey_percent=percent))) >> sign_in("a")
    # Whatever was before: the share is exact from any place of the count on.
    play.router.floor.surveyed["c"] = play.understudy.floor.surveyed["c"] = 37
    for number in range(100):
        serve(play, f"c{number}")
    assert len(asked(play)) == percent


def test_ten_of_a_hundred_are_every_tenth() -> None:
    play = Playbook(desk(category=replace(SURVEYED, survey_percent=10))) >> sign_in("a")
    for number in range(1, 31):
        serve(play, str(number))
    assert asked(play) == ["10", "20", "30"]


def test_a_customer_is_spared_for_a_while_and_does_not_count_meanwhile() -> None:
    stage = desk(category=SURVEYED, surveys=SurveyRules(cool_down_ms=HOUR))
    play = Playbook(stage) >> sign_in("a")
    serve(play, "1", customer="x")
    serve(play, "2", customer="x")
    serve(play, "3", customer="y")
    play >> at(HOUR - 1)
    serve(play, "4", customer="x")
    play >> at(HOUR)
    serve(play, "5", customer="x")
    assert asked(play) == ["1", "3", "5"]
    assert play.router.floor.surveyed == {"c": 3}
    play >> e.CustomerErased("x")
    serve(play, "6", customer="x")
    assert asked(play)[-1] == "6"


def test_a_channel_may_ask_nobody() -> None:
    channels = {**CHANNELS, "chat": replace(CHANNELS["chat"], survey=False)}
    play = Playbook(desk(category=SURVEYED, channels=channels)) >> sign_in("a")
    play >> arrive("1", "chat") >> accept(1, "1") >> end("1")
    serve(play, "2")
    assert asked(play) == ["2"]


def test_an_answer_counts_after_closed_contacts_are_forgotten() -> None:
    stage = desk(
        category=SURVEYED,
        limits=Limits(duplicate_window_ms=HOUR),
        surveys=SurveyRules(answer_within_ms=48 * HOUR),
    )
    play = Playbook(stage) >> sign_in("a")
    serve(play, "1")
    serve(play, "2")
    play >> at(48 * HOUR, e.SurveyAnswered("1", 1))
    play << RequestFollowUp("1", Reason.UNHAPPY_ANSWER)
    play >> e.SurveyAnswered("1", 1) << NoteDuplicate(Reason.DUPLICATE, "1")
    play >> at(48 * HOUR + 1, e.SurveyAnswered("2", 1))
    play << RefuseEvent(Reason.UNKNOWN_CONTACT, "2")


def test_an_answer_may_come_too_late_though_the_contact_is_known() -> None:
    stage = desk(category=SURVEYED, surveys=SurveyRules(answer_within_ms=MINUTE))
    play = Playbook(stage) >> sign_in("a")
    serve(play, "1")
    play >> at(MINUTE + 1, e.SurveyAnswered("1", 1)) << RefuseEvent(Reason.STALE, "1")


# --- follow-ups -----------------------------------------------------------------------------------


def loop(follow_up: FollowUp, **fields: Any) -> Center:  # noqa: ANN401 - fields of Center
    """Return a centre whose unhappy customers are called by the same agent, or written to."""
    return desk(
        ("a", "b"),
        categories={
            "c": replace(SURVEYED, follow_up=follow_up),
            "after": Category(queue="later", preferred_wait_ms=10 * MINUTE, priority=3),
        },
        queues={"q": Queue(), "later": Queue()},
        promises={"after": promise(ClockKind.FOLLOW_UP, 4 * HOUR, categories=("after",))},
        **fields,
    )


def test_an_unhappy_customer_is_called_by_the_agent_who_served_him() -> None:
    play = Playbook(loop(FollowUp(category="after", same_agent=True))) >> sign_in("b")
    serve_by(play, "1", "b", customer="x", tier="")
    play >> sign_in("a") >> e.SurveyAnswered("1", 2)
    play << (
        RequestFollowUp("1", Reason.UNHAPPY_ANSWER, "1.f1"),
        OpenContact("1.f1", "1", "phone", "after", Reason.UNHAPPY_ANSWER, "x", preferred_agent="b"),
        StartSla("1.f1", "after", 1, ms(4 * HOUR), Reason.CLOCK_STARTED),
        ScheduleCallback("1.f1", ms(0), Reason.UNHAPPY_ANSWER),
        EnqueueContact("1.f1", "later", Reason.CALLBACK_DUE, 3),
        OfferContact(2, "1.f1", "b", Reason.PREFERRED_AGENT, ms(20_000)),
    )
    play >> accept(2, "1.f1", "b")
    assert play.of(DialCallback) == [DialCallback("1.f1", "b", Reason.ACCEPTED)]


def serve_by(play: Playbook, contact_id: str, agent_id: str, **facts: str) -> Playbook:
    """Let an agent serve a contact from its arrival to its end."""
    play >> arrive(contact_id, **facts)
    return (
        play >> accept(play.of(OfferContact)[-1].offer_id, contact_id, agent_id) >> end(contact_id)
    )


def test_a_matter_not_settled_is_followed_up_in_writing_by_whoever_may() -> None:
    play = Playbook(loop(FollowUp(category="after", channel="email"))) >> sign_in("a")
    serve(play, "1", customer="x")
    play >> e.SurveyAnswered("1", 5, resolved=False)
    assert [type(d) for d in play.decisions] == [
        RequestFollowUp, OpenContact, StartSla, EnqueueContact, OfferContact,
    ]  # fmt: skip


def test_a_content_customer_is_left_alone() -> None:
    play = Playbook(loop(FollowUp(category="after"))) >> sign_in("a")
    serve(play, "1")
    play >> e.SurveyAnswered("1", 3)
    assert play.decisions == []


def test_who_is_unhappy_is_a_matter_of_the_rules() -> None:
    stage = loop(FollowUp(category="after"), surveys=SurveyRules(unhappy_score=3))
    play = Playbook(stage) >> sign_in("a")
    serve(play, "1")
    play >> e.SurveyAnswered("1", 3)
    assert play.of(OpenContact) != []


def test_a_centre_that_is_full_leaves_the_follow_up_to_others() -> None:
    stage = loop(FollowUp(category="after"), limits=Limits(open_contacts=1))
    play = Playbook(stage) >> sign_in("a")
    serve(play, "1")
    play >> arrive("2") >> e.SurveyAnswered("1", 1) << RequestFollowUp("1", Reason.UNHAPPY_ANSWER)


def test_a_long_id_is_cut_and_stays_unique() -> None:
    long, other = "x" * 63 + "1", "x" * 63 + "2"
    play = Playbook(loop(FollowUp(category="after"))) >> sign_in("a")
    for name in (long, other):
        serve(play, name)
        play >> e.SurveyAnswered(name, 1) >> e.ContactAbandoned(play.of(OpenContact)[-1].contact_id)
    ids = [d.contact_id for d in play.of(OpenContact)]
    assert len(set(ids)) == 2
    assert all(len(name) <= 64 for name in ids)


# --- complaints -----------------------------------------------------------------------------------

COMPLAINTS = {
    "complaint_acknowledged": promise(
        ClockKind.COMPLAINT_ACKNOWLEDGEMENT, 30 * MINUTE, categories=("complaint",)
    )
}


def office(rules: ComplaintRules) -> Center:
    """Return a centre with a line for complaints."""
    return desk(
        categories={"c": Category(queue="q"), "complaint": Category(queue="cases", priority=8)},
        queues={"q": Queue(), "cases": Queue()},
        promises=COMPLAINTS,
        complaints=rules,
    )


def test_a_complaint_about_a_closed_contact_becomes_one_of_its_own() -> None:
    play = Playbook(office(ComplaintRules(category="complaint", channel="email")))
    serve(play >> sign_in("a"), "1", customer="x")
    play >> at(MINUTE, e.ComplaintRaised("1"))
    assert play.decisions[:3] == [
        OpenContact("1.c1", "1", "email", "complaint", Reason.COMPLAINT_RAISED, "x"),
        StartSla("1.c1", "complaint_acknowledged", 1, ms(31 * MINUTE), Reason.CLOCK_STARTED),
        EnqueueContact("1.c1", "cases", Reason.ARRIVED, 8),
    ]
    play >> e.ComplaintRaised("1") << NoteDuplicate(Reason.DUPLICATE, "1")


def test_a_complaint_about_an_open_contact_starts_its_clocks_or_has_its_own() -> None:
    promised = {"any": promise(ClockKind.COMPLAINT_ACKNOWLEDGEMENT, MINUTE)}
    stage = replace(office(ComplaintRules(category="complaint")), promises=promised)
    play = Playbook(stage) >> arrive("1") >> e.ComplaintRaised("1")
    play << StartSla("1", "any", 1, ms(MINUTE), Reason.CLOCK_STARTED)
    stage = replace(stage, complaints=ComplaintRules(category="complaint", always=True))
    play = Playbook(stage) >> arrive("1") >> e.ComplaintRaised("1")
    assert [d.contact_id for d in play.of(StartSla)] == ["1.c1"]
    # A complaint about a complaint is heard by its own clocks.
    play >> e.ComplaintRaised("1.c1")
    assert play.of(OpenContact)[1:] == []


def test_without_a_category_for_it_a_late_complaint_is_refused() -> None:
    play = serve(Playbook(desk()) >> sign_in("a"), "1")
    play >> e.ComplaintRaised("1") << RefuseEvent(Reason.CONTACT_CLOSED, "1")


def test_a_complaint_may_not_be_lost_for_a_full_line() -> None:
    stage = office(ComplaintRules(category="complaint", channel="email"))
    stage = replace(stage, queues={"q": Queue(), "cases": Queue(length_max=1)})
    play = Playbook(stage) >> arrive("9", category="complaint")
    play >> arrive("1") >> end("1") >> e.ComplaintRaised("1")
    assert [d.contact_id for d in play.of(EnqueueContact)][-1] == "1.c1"


def test_a_note_stops_no_clock_and_is_taken_in_every_state() -> None:
    promised = {"first": promise(ClockKind.FIRST_RESPONSE, HOUR)}
    play = Playbook(desk(promises=promised)) >> sign_in("a") >> arrive("1", "email")
    play >> e.NoteAdded("1", "a", "called_shop", "crm-88")
    assert play.decisions == []
    play >> accept(1, "1") >> end("1") >> e.NoteAdded("1")
    assert play.decisions == []
    assert [d.contact_id for d in play.of(CloseContact)] == ["1"]
    play >> e.NoteAdded("2") << RefuseEvent(Reason.UNKNOWN_CONTACT, "2")


def test_a_callback_channel_is_dialled_for_a_follow_up() -> None:
    channels = {**CHANNELS, "callback": Channel()}
    play = Playbook(loop(FollowUp(category="after", channel="callback"), channels=channels))
    serve(play >> sign_in("a"), "1")
    play >> e.SurveyAnswered("1", 1) >> accept(2, "1.f1")
    assert [d.contact_id for d in play.of(DialCallback)] == ["1.f1"]
