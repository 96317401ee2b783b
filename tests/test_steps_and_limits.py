"""Widen the search in steps, and do at each limit what the configuration says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router import events as e
from router.center import (
    Agent,
    Category,
    Center,
    LimitAction,
    Limits,
    OverloadClass,
    Queue,
    Step,
    Team,
)
from router.decisions import (
    CloseContact,
    DeflectContact,
    EnqueueContact,
    Exit,
    OfferCallback,
    OfferContact,
    OverflowContact,
    Reason,
    RefuseEvent,
    RelaxContact,
    RequeueContact,
)
from tests.builders import (
    AUTO,
    HOUR,
    MINUTE,
    SECOND,
    accept,
    arrive,
    decline,
    desk,
    end,
    go,
    sign_in,
    with_skills,
)
from tests.playbook import DEADLINE, Playbook, at, ms


def offered(play: Playbook) -> list[tuple[str, str]]:
    """Return whom the last step offered to whom."""
    return [(x.contact_id, x.agent_id) for x in play.decisions if isinstance(x, OfferContact)]


def stepping(*steps: Step, needs: dict[str, int] | None = None, **fields: object) -> Center:
    """Return a centre with these steps; agents of levels 9, 5, 3 and 0; `x` is of another team."""
    center = desk(
        {
            "nine": with_skills(s=9, r=9),
            "five": with_skills(s=5),
            "three": with_skills(s=3),
            "zero": with_skills(),
            "x": Agent(team="other", skills={"s": 9, "r": 9}),
        },
        skills=("s", "r"),
        teams={"t": Team(), "other": Team()},
        queues={"q": Queue(teams=("t",)), "q2": Queue()},
        category=Category(queue="q", needs={"s": 9} if needs is None else needs, steps=steps),
    )
    return replace(center, **fields)  # type: ignore[arg-type]


# --- steps ----------------------------------------------------------------------------------------


def test_each_step_comes_at_its_time_counted_from_the_start() -> None:
    stage = stepping(
        Step(after_ms=10 * SECOND, lower={"s": 5}),
        Step(after_ms=30 * SECOND, lower={"s": 3}, raise_priority=2),
        Step(after_ms=50 * SECOND, drop=("s",)),
    )
    play = Playbook(stage) >> sign_in("nine", presence="break") >> arrive("1")
    for number, after_ms in ((1, 10), (2, 30), (3, 50)):
        play >> DEADLINE << RelaxContact("1", number, Reason.STEP_DUE)
        assert play.now_ms == ms(after_ms * SECOND)


@pytest.mark.parametrize(("steps", "name"), [(0, "nine"), (1, "five"), (2, "three"), (3, "zero")])
def test_a_step_lets_more_agents_serve(steps: int, name: str) -> None:
    """Somebody is staffed for each step, so that none is skipped."""
    stage = stepping(
        Step(after_ms=10 * SECOND, lower={"s": 5}),
        Step(after_ms=20 * SECOND, lower={"s": 3}),
        Step(after_ms=30 * SECOND, drop=("s",)),
    )
    play = Playbook(stage) >> sign_in("nine", presence="break") >> arrive("1")
    play >> at(10 * SECOND * steps) >> go("nine", "training")
    for weaker in ("zero", "three", "five"):
        if weaker == name:
            break
        play >> sign_in(weaker)
        assert offered(play) == [], weaker
    play >> (go("nine", "available") if name == "nine" else sign_in(name))
    assert offered(play) == [("1", name)]


def test_a_due_step_finds_an_agent_at_once() -> None:
    stage = stepping(Step(after_ms=10 * SECOND, lower={"s": 5}))
    play = Playbook(stage) >> sign_in("nine", presence="break") >> sign_in("five") >> arrive("1")
    (
        play
        >> at(10 * SECOND)
        << (
            RelaxContact("1", 1, Reason.STEP_DUE),
            OfferContact(1, "1", "five", Reason.LONGEST_IDLE, ms(30 * SECOND)),
        )
    )


def test_a_step_adds_a_team() -> None:
    stage = stepping(Step(after_ms=10 * SECOND, add_teams=("other",)))
    play = Playbook(stage) >> sign_in("nine", presence="break") >> sign_in("x") >> arrive("1")
    assert play.of(OfferContact) == []
    play >> at(10 * SECOND)
    assert offered(play) == [("1", "x")]


def test_a_step_raises_priority_and_the_place_stays() -> None:
    stage = stepping(Step(after_ms=10 * SECOND, raise_priority=2))
    play = Playbook(stage) >> arrive("1") >> at(5 * SECOND, arrive("2", priority=6))
    play >> at(10 * SECOND, sign_in("nine"))
    assert offered(play) == [("2", "nine")], "an event at the instant of a deadline comes first"
    play >> at(11 * SECOND) >> accept(1, "2", "nine") >> end("2")
    assert offered(play) == [("1", "nine")]
    play = Playbook(stage) >> arrive("1") >> at(5 * SECOND, arrive("2", priority=6))
    play >> at(11 * SECOND, sign_in("nine"))
    assert offered(play) == [("1", "nine")], "priority 7"


def test_priority_ends_at_nine() -> None:
    stage = stepping(Step(after_ms=SECOND, raise_priority=9))
    play = Playbook(stage) >> sign_in("nine", presence="break") >> arrive("1", priority=8)
    play >> at(SECOND) >> sign_in("x") >> go("nine", "available") >> decline(1, "1", "nine")
    assert RequeueContact("1", "q", Reason.DECLINED, 9) in play.decisions


def test_a_step_overflows_to_another_queue_at_the_old_place() -> None:
    stage = stepping(Step(after_ms=10 * SECOND, overflow_to="q2"))
    play = Playbook(stage) >> sign_in("nine", presence="break") >> arrive("1")
    (
        play
        >> at(SECOND, arrive("2", queue="q2"))
        >> at(10 * SECOND)
        << (
            RelaxContact("1", 1, Reason.STEP_DUE),
            OverflowContact("1", "q", "q2", Reason.STEP_DUE),
        )
    )
    play >> sign_in("x")
    assert offered(play) == [("1", "x")]


def test_a_step_widens_the_search_of_one_who_stands_in_its_overflow_already() -> None:
    stage = stepping(Step(after_ms=10 * SECOND, drop=("s",), overflow_to="q2"), needs={"s": 5})
    play = Playbook(stage) >> sign_in("nine", presence="break") >> sign_in("zero")
    play >> arrive("1") >> e.ContactTransferred("1", "q2")
    assert offered(play) == []
    assert offered(play >> at(10 * SECOND)) == [("1", "zero")]


def test_a_step_offers_a_callback() -> None:
    stage = stepping(Step(after_ms=10 * SECOND, offer_callback=True))
    (
        Playbook(stage)
        >> arrive("1")
        >> DEADLINE
        << (
            RelaxContact("1", 1, Reason.STEP_DUE),
            OfferCallback("1", Reason.STEP_DUE),
        )
    )


def test_a_step_deflects() -> None:
    stage = stepping(Step(after_ms=10 * SECOND, deflect=True))
    (
        Playbook(stage)
        >> arrive("1")
        >> DEADLINE
        << (
            RelaxContact("1", 1, Reason.STEP_DUE),
            DeflectContact("1", Reason.STEP_DUE),
            CloseContact("1", Exit.DEFLECTED, Reason.STEP_DUE),
        )
    )


def test_a_contact_on_offer_takes_no_step_until_it_is_back() -> None:
    stage = stepping(Step(after_ms=10 * SECOND, lower={"s": 5}))
    play = Playbook(stage) >> sign_in("nine") >> arrive("1") >> at(19 * SECOND)
    assert play.of(RelaxContact) == []
    play >> go("nine", "break") >> at(19 * SECOND)
    assert [x.step for x in play.of(RelaxContact)] == [1]


def test_steps_only_advance() -> None:
    stage = stepping(Step(after_ms=SECOND, lower={"s": 5}), Step(after_ms=MINUTE, drop=("s",)))
    play = Playbook(stage) >> sign_in("five") >> arrive("1")
    assert [x.step for x in play.of(RelaxContact)] == [1]
    play >> decline(1, "1", "five") >> at(30 * SECOND)
    assert [x.step for x in play.of(RelaxContact)] == [1], "once is enough"


def test_a_transferred_contact_begins_its_steps_anew() -> None:
    stage = stepping(Step(after_ms=10 * SECOND, lower={"s": 5}))
    play = Playbook(stage) >> sign_in("nine") >> arrive("1") >> accept(1, "1", "nine")
    play >> go("nine", "break") >> at(HOUR, e.ContactTransferred("1", category="c"))
    assert [x.step for x in play.of(EnqueueContact)] == [0, 0]
    play >> DEADLINE << RelaxContact("1", 1, Reason.STEP_DUE)
    assert play.now_ms == ms(HOUR + 10 * SECOND)


def test_own_needs_join_those_of_the_category() -> None:
    play = Playbook(stepping(needs={"s": 3})) >> sign_in("five") >> sign_in("nine")
    play >> arrive("1", skills={"r": 2})
    assert offered(play) == [("1", "nine")]
    play >> arrive("2", skills={"s": 1})
    assert offered(play) == [("2", "five")], "of two levels the higher holds"


def test_language_is_a_need() -> None:
    stage = desk(
        {"en": with_skills(**{"lang:en": 9}), "zh": with_skills(**{"lang:zh": 5})},
        skills=("lang:en", "lang:zh"),
        category=Category(queue="q", language_level=5),
    )
    play = Playbook(stage) >> sign_in("en") >> sign_in("zh") >> arrive("1", language="zh")
    assert offered(play) == [("1", "zh")]
    play >> arrive("2", language="de") << RefuseEvent(Reason.UNKNOWN_SKILL, "2")
    play >> arrive("3")
    assert offered(play) == [("3", "en")]


# --- length ---------------------------------------------------------------------------------------


def full(action: LimitAction) -> Playbook:
    """Return a floor whose queue holds the two contacts it may."""
    queues = {
        "q": Queue(length_max=2, when_full=action, overflow_to="q2"),
        "q2": Queue(),
    }
    return Playbook(desk(queues=queues)) >> arrive("1") >> arrive("2")


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (LimitAction.REFUSE, [RefuseEvent(Reason.QUEUE_FULL, "3")]),
        (
            LimitAction.DEFLECT,
            [
                DeflectContact("3", Reason.QUEUE_FULL),
                CloseContact("3", Exit.DEFLECTED, Reason.QUEUE_FULL),
            ],
        ),
        (LimitAction.EXPIRE, [CloseContact("3", Exit.EXPIRED, Reason.QUEUE_FULL)]),
        (
            LimitAction.OVERFLOW,
            [
                OverflowContact("3", "q", "q2", Reason.QUEUE_FULL),
                EnqueueContact("3", "q2", Reason.NO_ELIGIBLE_AGENT, 5),
            ],
        ),
    ],
)
def test_a_full_queue(action: LimitAction, expected: list[object]) -> None:
    play = full(action) >> arrive("3")
    assert play.decisions == expected


def test_a_refused_contact_may_come_again() -> None:
    play = full(LimitAction.REFUSE) >> arrive("3") >> end("1") >> arrive("3")
    assert [x.contact_id for x in play.of(EnqueueContact)] == ["1", "2", "3"]


def test_who_waits_on_offer_takes_no_room_in_the_queue() -> None:
    play = full(LimitAction.REFUSE) >> sign_in("a") >> arrive("3")
    assert [x.contact_id for x in play.of(EnqueueContact)] == ["1", "2", "3"]


def test_a_contact_that_returns_is_not_refused() -> None:
    """A limit of the queue loses nobody who is in."""
    play = full(LimitAction.REFUSE) >> sign_in("a") >> arrive("3") >> e.AgentSignedOut("a")
    assert play.of(CloseContact) == []
    assert play.router.floor.queues["q"].waiting == 3


# --- wait -----------------------------------------------------------------------------------------


def late(action: LimitAction) -> Playbook:
    queues = {
        "q": Queue(wait_max_ms=MINUTE, when_late=action, overflow_to="q2"),
        "q2": Queue(length_max=1, wait_max_ms=HOUR),
    }
    return Playbook(desk(queues=queues)) >> arrive("1")


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (LimitAction.EXPIRE, [CloseContact("1", Exit.EXPIRED, Reason.QUEUE_WAIT_LIMIT)]),
        (
            LimitAction.DEFLECT,
            [
                DeflectContact("1", Reason.QUEUE_WAIT_LIMIT),
                CloseContact("1", Exit.DEFLECTED, Reason.QUEUE_WAIT_LIMIT),
            ],
        ),
        (LimitAction.OVERFLOW, [OverflowContact("1", "q", "q2", Reason.QUEUE_WAIT_LIMIT)]),
    ],
)
def test_waited_too_long(action: LimitAction, expected: list[object]) -> None:
    play = late(action) >> DEADLINE
    assert play.now_ms == ms(MINUTE)
    assert play.decisions == expected


def test_after_overflowing_the_next_queues_limit_counts() -> None:
    play = late(LimitAction.OVERFLOW) >> DEADLINE >> DEADLINE
    assert play.now_ms == ms(MINUTE + HOUR)
    assert [x.exit for x in play.of(CloseContact)] == [Exit.EXPIRED]


def test_where_the_next_queue_is_full_nobody_is_lost() -> None:
    play = late(LimitAction.OVERFLOW) >> arrive("2", queue="q2") >> at(30 * MINUTE)
    assert play.of(OverflowContact) == []
    assert play.of(CloseContact) == []
    play >> end("2") >> at(31 * MINUTE)
    assert [x.contact_id for x in play.of(OverflowContact)] == ["1"]


def test_a_contact_on_offer_does_not_wait_too_long() -> None:
    play = late(LimitAction.EXPIRE) >> at(50 * SECOND, sign_in("a")) >> at(69 * SECOND)
    assert play.of(CloseContact) == []
    play >> accept(1, "1") >> at(HOUR)
    assert play.of(CloseContact) == []


# --- overload -------------------------------------------------------------------------------------


def overloaded(kind: OverloadClass, most: int = 0) -> Playbook:
    center = desk(
        category=Category(queue="q", overload=kind),
        limits=Limits(overload_open_contacts=most),
        channels={"phone": AUTO},
    )
    play = Playbook(center) >> sign_in("a") >> arrive("0")
    return play >> e.OverloadSwitched(active=True) if not most else play


@pytest.mark.parametrize("most", [0, 1])
def test_overload_decides_by_class(most: int) -> None:
    play = overloaded(OverloadClass.REFUSE, most) >> arrive("1")
    play << RefuseEvent(Reason.OVERLOAD, "1")
    play = (
        overloaded(OverloadClass.DEFLECT, most)
        >> arrive("1")
        << (
            DeflectContact("1", Reason.OVERLOAD),
            CloseContact("1", Exit.DEFLECTED, Reason.OVERLOAD),
        )
    )
    play = overloaded(OverloadClass.SERVE, most) >> arrive("1")
    assert [type(x) for x in play.decisions] == [EnqueueContact]


def test_overload_sheds_no_end_no_agent_and_no_time() -> None:
    play = overloaded(OverloadClass.REFUSE)
    for event in (go("a", "break"), end("0"), go("a", "available"), e.TimeAdvanced()):
        play >> event
        assert not [x for x in play.decisions if isinstance(x, RefuseEvent)]
    play >> e.OverloadSwitched(active=False) >> arrive("1")
    assert [x.contact_id for x in play.of(EnqueueContact)] == ["0", "1"]


# --- caps -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 3])
def test_open_contacts_at_the_cap_and_one_more(most: int) -> None:
    play = Playbook(desk(limits=Limits(open_contacts=most)))
    for number in range(most):
        play >> arrive(f"{number}")
        assert isinstance(play.decisions[0], EnqueueContact)
    play >> arrive("x") << RefuseEvent(Reason.LIMIT_REACHED, "x")
    for number in range(most * 10):
        play >> arrive(f"x{number}") << RefuseEvent(Reason.LIMIT_REACHED, f"x{number}")
    play >> end("0") >> arrive("x")
    assert isinstance(play.decisions[0], EnqueueContact)


def test_a_reopened_contact_counts_against_the_cap() -> None:
    play = Playbook(desk(limits=Limits(open_contacts=1), channels={"phone": AUTO})) >> sign_in("a")
    play >> arrive("1") >> end("1") >> arrive("2")
    play >> e.ContactReopened("1") << RefuseEvent(Reason.LIMIT_REACHED, "1")


def test_kinds_of_needs_at_the_cap_and_one_more() -> None:
    play = Playbook(desk(limits=Limits(need_sets=2))) >> arrive("1") >> arrive("2", "chat")
    play >> arrive("3", "email") << RefuseEvent(Reason.LIMIT_REACHED, "3")
    play >> arrive("4")
    assert isinstance(play.decisions[0], EnqueueContact)


@pytest.mark.parametrize(("count", "taken"), [(3, True), (4, False), (30, False)])
def test_own_needs_at_the_cap_and_one_more(count: int, taken: bool) -> None:  # noqa: FBT001 - a row
    skills = tuple(f"s{n}" for n in range(30))
    stage = desk(
        {"a": Agent(team="t", skills=dict.fromkeys(skills, 5))},
        skills=skills,
        limits=Limits(skills_per_contact=3),
    )
    play = Playbook(stage) >> arrive("1", skills=dict.fromkeys(skills[:count], 1))
    if taken:
        assert isinstance(play.decisions[0], EnqueueContact)
    else:
        play << RefuseEvent(Reason.LIMIT_REACHED, "1")


def test_own_needs_are_capped_in_updates_as_well() -> None:
    skills = tuple(f"s{n}" for n in range(5))
    stage = desk(
        {"a": Agent(team="t", skills=dict.fromkeys(skills, 5))},
        skills=skills,
        limits=Limits(skills_per_contact=3),
    )
    play = Playbook(stage) >> arrive("1")
    play >> e.ContactUpdated("1", skills=dict.fromkeys(skills, 1))
    play << RefuseEvent(Reason.LIMIT_REACHED, "1")


def test_event_ids_are_bounded() -> None:
    play = Playbook(desk(limits=Limits(event_ids=3)))
    for number in range(10):
        play >> at(number, arrive(f"{number}"), event_id=f"e{number}")
    assert len(play.router.floor.event_ids) <= 3
    play >> at(10, arrive("9"), event_id="e9")
    assert [x.reason for x in play.decisions] == [Reason.DUPLICATE]
