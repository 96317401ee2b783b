"""Close queues at night: who arrives then, who waits then, and what happens in the morning."""

from __future__ import annotations

from typing import Any

import pytest

from router import events as e
from router.center import (
    AgentPolicy,
    AtClosing,
    Calendar,
    Category,
    Center,
    Channel,
    OpeningTable,
    Queue,
    Step,
    WaitClock,
    WhenClosed,
)
from router.decisions import (
    AssignContact,
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
    ScheduleCallback,
)
from router.explain import explain
from router.router import Router
from router.sequencer import Sequencer
from tests.builders import (
    CHANNELS,
    HOUR,
    MINUTE,
    accept,
    arrive,
    changed,
    decline,
    desk,
    go,
    sign_in,
)
from tests.playbook import DEADLINE, START_MS, Playbook, at, ms

# Open for the first hour, and again from the second to the third; then for good.
TABLE = OpeningTable(
    from_ms=START_MS,
    to_ms=START_MS + 3 * HOUR,
    open_ms=((START_MS, START_MS + HOUR), (START_MS + 2 * HOUR, START_MS + 3 * HOUR)),
    workdays_ms=((START_MS, START_MS + 3 * HOUR),),
    offsets_ms=((START_MS, HOUR),),
)
DAY = {"day": Calendar(zone="Europe/Berlin", hours={"daily": ("09:00-10:00",)}, years=(2026,),
                       table=TABLE)}  # fmt: skip
NIGHT = 90 * MINUTE
MORNING = 2 * HOUR


def office(agents: str = "a", category: Category | None = None, **settings: object) -> Center:
    """Return a centre whose queue `q` closes; beside it stands `q2`, which never does."""
    fields: dict[str, Any] = {"calendar": "day", "when_closed": WhenClosed.WAIT, **settings}
    queue = Queue(**fields)
    return desk(
        agents,
        queues={"q": queue, "q2": Queue()},
        category=category,
        calendars=DAY,
    )


def offered(play: Playbook) -> list[tuple[str, str]]:
    """Return whom the last step offered to whom."""
    return [(x.contact_id, x.agent_id) for x in play.decisions if isinstance(x, OfferContact)]


# --- who arrives while it is closed ---------------------------------------------------------------


def test_who_arrives_at_night_waits_until_it_opens() -> None:
    play = Playbook(office()) >> sign_in("a")
    (play >> at(NIGHT, arrive("1")) << EnqueueContact("1", "q", Reason.QUEUE_CLOSED, 5) >> DEADLINE)
    assert play.now_ms == ms(MORNING), "a timer, no poll"
    assert play.decisions[0] == RequeueContact("1", "q", Reason.QUEUE_OPENED, 5)
    assert offered(play) == [("1", "a")]


def test_in_the_morning_the_contact_policy_decides_who_comes_first() -> None:
    play = Playbook(office()) >> sign_in("a") >> at(NIGHT, arrive("1")) >> arrive("2", priority=9)
    play >> DEADLINE
    assert offered(play) == [("2", "a")]


def test_the_agent_policy_decides_who_gets_it() -> None:
    center = office("ab", agent_policy=AgentPolicy.LINEAR)
    play = Playbook(center) >> sign_in("b") >> sign_in("a") >> at(NIGHT, arrive("1")) >> DEADLINE
    assert len(offered(play)) == 1


@pytest.mark.parametrize(
    ("when", "kind"),
    [(WhenClosed.REFUSE, RefuseEvent), (WhenClosed.DEFLECT, DeflectContact)],
)
def test_a_closed_queue_may_turn_away(when: WhenClosed, kind: type) -> None:
    play = Playbook(office(when_closed=when)) >> sign_in("a") >> at(NIGHT) >> arrive("1")
    assert [x.reason for x in play.decisions if isinstance(x, kind)] == [Reason.QUEUE_CLOSED]
    play >> at(MORNING + 1, arrive("2"))
    assert offered(play) == [("2", "a")]


def test_it_may_send_to_a_queue_that_is_open() -> None:
    center = office(when_closed=WhenClosed.OVERFLOW, overflow_to="q2")
    play = Playbook(center) >> sign_in("a") >> at(NIGHT) >> arrive("1")
    assert OverflowContact("1", "q", "q2", Reason.QUEUE_CLOSED) in play.decisions
    assert offered(play) == [("1", "a")]


def test_it_may_offer_to_call_back() -> None:
    play = Playbook(office(when_closed=WhenClosed.CALLBACK)) >> sign_in("a") >> at(NIGHT)
    (
        play
        >> arrive("1")
        << [
            EnqueueContact("1", "q", Reason.QUEUE_CLOSED, 5),
            OfferCallback("1", Reason.QUEUE_CLOSED),
        ]
        >> e.CallbackRequested("1", ms(NIGHT + 1))
    )
    assert [x.due_at_ms for x in play.of(ScheduleCallback)] == [ms(MORNING)], "when it is open"
    play >> DEADLINE
    assert offered(play) == [("1", "a")]


def test_serve_is_as_ever_and_the_default() -> None:
    play = Playbook(office(when_closed=WhenClosed.SERVE)) >> sign_in("a") >> at(NIGHT)
    play >> arrive("1")
    assert offered(play) == [("1", "a")]
    assert Queue().when_closed is WhenClosed.SERVE


def test_who_gives_up_at_night_is_gone() -> None:
    play = Playbook(office()) >> sign_in("a") >> at(NIGHT, arrive("1")) >> e.ContactAbandoned("1")
    assert CloseContact("1", Exit.ABANDONED, Reason.ABANDONED) in play.decisions
    play >> at(9 * HOUR)
    assert not play.of(OfferContact)
    assert play.router.floor.queues["q"].waiting == 0


# --- the instant of an edge -----------------------------------------------------------------------


def test_what_happens_in_the_instant_of_an_edge_finds_the_queue_as_it_was() -> None:
    play = Playbook(office(when_closed=WhenClosed.REFUSE)) >> sign_in("a")
    play >> at(HOUR, arrive("1"))
    assert offered(play) == [("1", "a")], "the last millisecond is in time"
    play >> at(HOUR + 1, arrive("2")) << RefuseEvent(Reason.QUEUE_CLOSED, "2")
    play >> at(MORNING, arrive("3"))
    assert play.decisions[-1] == RefuseEvent(Reason.QUEUE_CLOSED, "3")


def test_an_agent_who_signs_in_at_night_gets_nothing_of_it() -> None:
    play = Playbook(office()) >> at(NIGHT, arrive("1")) >> sign_in("a")
    assert offered(play) == []
    play >> DEADLINE
    assert offered(play) == [("1", "a")]


# --- who waits when it closes ---------------------------------------------------------------------


def test_who_waits_at_closing_time_is_kept_for_the_morning() -> None:
    play = Playbook(office()) >> arrive("1") >> at(HOUR) >> sign_in("a")
    assert offered(play) == []
    play >> DEADLINE
    assert (play.now_ms, offered(play)) == (ms(MORNING), [("1", "a")])


@pytest.mark.parametrize(
    ("what", "exit_"),
    [(AtClosing.EXPIRE, Exit.EXPIRED), (AtClosing.DEFLECT, Exit.DEFLECTED)],
)
def test_they_may_be_sent_away(what: AtClosing, exit_: Exit) -> None:
    play = Playbook(office(at_closing=what)) >> arrive("1") >> at(HOUR)
    assert play.decisions[-1] == CloseContact("1", exit_, Reason.QUEUE_CLOSED)


def test_they_may_be_moved_to_a_queue_that_is_open() -> None:
    center = office(at_closing=AtClosing.OVERFLOW, overflow_to="q2")
    play = Playbook(center) >> arrive("1") >> at(HOUR) >> sign_in("a")
    assert play.of(OverflowContact) == [OverflowContact("1", "q", "q2", Reason.QUEUE_CLOSED)]
    assert offered(play) == [("1", "a")]


def test_the_rest_may_be_served_but_nobody_who_comes_later() -> None:
    play = Playbook(office(at_closing=AtClosing.SERVE)) >> arrive("1") >> at(NIGHT, arrive("2"))
    play >> sign_in("a")
    assert offered(play) == [("1", "a")]
    play >> decline(1, "1")
    assert offered(play) == [("1", "a")], "it is still one of the rest"
    play >> accept(2, "1") >> e.ContactEnded("1")
    assert offered(play) == []
    play >> DEADLINE
    assert offered(play) == [("2", "a")]


@pytest.mark.parametrize("what", list(AtClosing))
def test_whoever_was_promised_a_call_is_called(what: AtClosing) -> None:
    center = office(at_closing=what, overflow_to="q2")
    play = Playbook(center) >> arrive("1") >> e.CallbackRequested("1", ms(30 * MINUTE))
    play >> at(NIGHT)
    assert not play.of(CloseContact)
    play >> at(MORNING + 1, sign_in("a"))
    assert len(play.of(OfferContact)) == 1


def test_an_offer_that_rings_at_closing_time_may_be_taken() -> None:
    play = Playbook(office()) >> sign_in("a") >> at(HOUR - MINUTE // 6, arrive("1"))
    play >> at(HOUR + 1, accept(1, "1"))
    assert [x.contact_id for x in play.of(AssignContact)] == ["1"]


def test_one_that_rings_out_after_closing_rests() -> None:
    play = Playbook(office()) >> sign_in("a") >> at(HOUR - 1, arrive("1")) >> at(NIGHT)
    assert len(play.of(OfferContact)) == 1
    assert play.of(RequeueContact) == [RequeueContact("1", "q", Reason.EXPIRED, 5)]


def test_who_waits_for_one_agent_alone_rests_too_and_waits_for_him_again() -> None:
    category = Category(queue="q", preferred_wait_ms=9 * HOUR)
    play = Playbook(office("ab", category=category)) >> sign_in("a") >> sign_in("b")
    play >> go("a", "break") >> arrive("1", preferred_agent="a") >> at(NIGHT)
    assert not play.of(OfferContact)
    play >> at(MORNING + 1)
    assert offered(play) == [], "b is free, but a is waited for"
    play >> go("a", "available")
    assert offered(play) == [("1", "a")]


def test_a_call_passed_on_to_one_agent_after_closing_reaches_him() -> None:
    play = Playbook(office("ab")) >> sign_in("a") >> arrive("1") >> accept(1, "1")
    play >> sign_in("b") >> at(NIGHT, e.ContactTransferred("1", agent_id="b"))
    assert offered(play) == [("1", "b")]


def test_a_call_passed_on_to_a_closed_queue_waits() -> None:
    play = Playbook(office("ab")) >> sign_in("a") >> arrive("1", queue="q2") >> accept(1, "1")
    play >> sign_in("b") >> at(NIGHT, e.ContactTransferred("1", queue="q"))
    assert offered(play) == []
    play >> DEADLINE
    assert len(offered(play)) == 1


# --- steps and limits -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "due_ms"),
    [(WaitClock.PLAIN, NIGHT + 10 * MINUTE), (WaitClock.OPEN_HOURS, MORNING + 10 * MINUTE)],
)
def test_a_routing_step_counts_by_the_clock_that_is_named(clock: WaitClock, due_ms: int) -> None:
    category = Category(queue="q", steps=(Step(after_ms=10 * MINUTE, raise_priority=1),))
    play = Playbook(office(category=category, wait_clock=clock)) >> at(NIGHT, arrive("1"))
    while not play.of(RelaxContact):
        play >> DEADLINE
    assert play.now_ms == ms(due_ms)


@pytest.mark.parametrize(
    ("clock", "due_ms"),
    [(WaitClock.PLAIN, NIGHT + 10 * MINUTE), (WaitClock.OPEN_HOURS, MORNING + 10 * MINUTE)],
)
def test_the_wait_limit_counts_by_the_clock_that_is_named(clock: WaitClock, due_ms: int) -> None:
    play = Playbook(office(wait_max_ms=10 * MINUTE, wait_clock=clock)) >> at(NIGHT, arrive("1"))
    while not play.of(CloseContact):
        play >> DEADLINE
    assert (play.now_ms, play.of(CloseContact)[0].reason) == (ms(due_ms), Reason.QUEUE_WAIT_LIMIT)


def test_at_night_no_step_is_skipped_because_nobody_is_there() -> None:
    category = Category(queue="q", steps=(Step(after_ms=30 * MINUTE, overflow_to="q2"),))
    play = Playbook(office(category=category, wait_clock=WaitClock.OPEN_HOURS))
    play >> at(NIGHT, arrive("1"))
    assert not play.of(RelaxContact)
    play >> DEADLINE
    assert play.now_ms == ms(MORNING)


def test_a_step_never_leads_into_a_closed_queue() -> None:
    steps = (Step(after_ms=MINUTE, overflow_to="q"),)
    center = office()
    center = desk(queues=center.queues, calendars=DAY, category=Category(queue="q2", steps=steps))
    play = Playbook(center) >> at(NIGHT, arrive("1")) >> at(NIGHT + 2 * MINUTE)
    assert play.of(RelaxContact)
    assert not play.of(OverflowContact)


def test_ringing_one_more_ends_with_the_day() -> None:
    center = office(
        "abc", agent_policy=AgentPolicy.RING_PROGRESSIVELY, ring_size=3, ring_step_ms=5_000
    )
    play = Playbook(center) >> sign_in("a") >> sign_in("b") >> sign_in("c")
    play >> at(HOUR - 6_000, arrive("1")) >> at(HOUR + 12_000)
    assert len(play.of(OfferContact)) == 2


# --- another configuration ------------------------------------------------------------------------


def test_a_new_version_may_close_a_queue_at_once_and_keeps_who_waits() -> None:
    open_ = office(when_closed=WhenClosed.SERVE)
    shut = office()
    play = Playbook(open_) >> at(NIGHT, arrive("1")) >> changed(open_, queues=shut.queues)
    play >> sign_in("a")
    assert offered(play) == []
    play >> DEADLINE
    assert offered(play) == [("1", "a")]


def test_a_new_version_may_open_it_at_once() -> None:
    shut = office()
    play = Playbook(shut) >> sign_in("a") >> at(NIGHT, arrive("1"))
    play >> changed(shut, queues={"q": Queue(), "q2": Queue()}, calendars={})
    assert offered(play) == [("1", "a")]


def test_a_queue_that_drains_without_its_calendar_stays_open() -> None:
    shut = office()
    play = Playbook(shut) >> at(NIGHT, arrive("1"))
    play >> changed(
        shut, queues={"q2": Queue()}, calendars={}, drain=("q",),
        categories={"c": Category(queue="q2")},
    )  # fmt: skip
    play >> e.CallbackRequested("1", ms(NIGHT + MINUTE)) >> sign_in("a") >> at(9 * HOUR)
    assert [x.contact_id for x in play.of(OfferContact)][:1] == ["1"]


def test_only_queues_that_say_so_are_closed() -> None:
    """An agent of a closed queue goes on with an open one."""
    play = Playbook(office()) >> sign_in("a") >> at(NIGHT, arrive("1"))
    play >> arrive("2", queue="q2")
    assert offered(play) == [("2", "a")]


def test_an_auto_accepting_channel_waits_for_the_morning_as_well() -> None:
    center = office()
    channels = {**CHANNELS, "phone": Channel(auto_accept=True)}
    play = Playbook(desk(queues=center.queues, calendars=DAY, channels=channels)) >> sign_in("a")
    play >> at(NIGHT, arrive("1"))
    assert not play.of(AssignContact)
    play >> DEADLINE
    assert len(play.of(AssignContact)) == 1


# --- told -----------------------------------------------------------------------------------------


def test_the_story_says_until_when_it_is_closed() -> None:
    sequencer = Sequencer(Router())
    entries = []
    for offset_ms, event in ((0, e.CenterChanged(office())), (NIGHT, arrive("1"))):
        entries += sequencer.accept(event, ms(offset_ms))
    story = explain(entries, "1")
    # The play begins 1,000 s after the epoch, and Berlin was an hour ahead: a Thursday.
    assert "queue q is closed until Thu 1970-01-01 03:16:40 (Europe/Berlin)" in story
    assert "nobody is asked before" in story
