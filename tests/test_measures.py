"""Every measure by its formula, and the fold that feeds them."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.center import Agent, Category, Center, Channel, ClockKind, Promise, Queue, Team
from router.decisions import (
    AssignContact,
    BreachSla,
    ChangeAgentState,
    CloseContact,
    Decision,
    EndAssignment,
    EnqueueContact,
    Exit,
    MeetSla,
    OfferContact,
    OverflowContact,
    Reason,
    RefuseEvent,
    RequeueContact,
    ScheduleCallback,
    StartSla,
    StartWrapUp,
    StopSla,
    WarnSla,
    WithdrawOffer,
)
from router.events import (
    AgentPresenceChanged,
    AgentSignedIn,
    AgentSignedOut,
    CallbackRequested,
    CenterChanged,
    ContactAbandoned,
    ContactArrived,
    ContactEnded,
    ContactHeld,
    ContactMerged,
    ContactReopened,
    ContactResumed,
    ContactTransferred,
    Event,
    OfferAccepted,
    OfferConnected,
    OfferDeclined,
    Stamped,
    TimeAdvanced,
    WrapUpEnded,
)
from router.journal import Entry
from router.measures import Measures
from router.measures_agents import AgentState
from router.measures_formulas import (
    SERVICE_LEVELS,
    ServiceCounts,
    abandonment,
    abandonment_without_short,
    answered_and_abandoned_in_time_over_offered,
    answered_in_time_and_short_abandoned_over_offered,
    answered_in_time_over_answered,
    answered_in_time_over_answered_and_abandoned,
    answered_in_time_over_answered_and_late_abandoned,
    answered_in_time_over_offered_less_short,
    service_level,
    sla_met_share,
)
from router.measures_histogram import FineHistogram, FixedHistogram
from router.measures_lines import INTERVALS_KEPT, Line, QueueExit, WaitingRoom
from router.measures_views import (
    QueueRow,
    as_table,
    interval_rows,
    promise_rows,
    queue_rows,
    service_levels,
    summary,
    team_rows,
)
from simulation.day import judge_seed

T0 = 1_790_000_100_000
Outcome: TypeAlias = tuple[Decision, ...]


def center(*, connect_timeout_ms: int = 0) -> Center:
    return Center(
        name="test",
        version=1,
        channels={
            "phone": Channel(connect_timeout_ms=connect_timeout_ms),
            "chat": Channel(units=34),
        },
        skills=("billing",),
        queues={
            "billing": Queue(service_level_ms=20_000, short_abandon_ms=5_000),
            "tech": Queue(service_level_ms=30_000, short_abandon_ms=0),
        },
        categories={"bill": Category(queue="billing"), "fault": Category(queue="tech")},
        teams={"care": Team(), "back": Team()},
        agents={
            "a-1": Agent(team="care"),
            "a-2": Agent(team="care"),
            "b-1": Agent(team="back"),
        },
        promises={"80-20": Promise(kind=ClockKind.ANSWER, target_ms=20_000)},
    )


class Book:
    """Write a journal by hand: at so many ms, this event, these decisions."""

    def __init__(self, **options: int) -> None:
        self.measures = Measures()
        self.seq = 0
        self(0, CenterChanged(center=center(**options)))

    def __call__(self, after_ms: int, event: Event, *decisions: Decision) -> None:
        self.seq += 1
        self.told = self.measures.fold(Stamped(self.seq, T0 + after_ms, event), decisions)

    def arrive(
        self, after_ms: int, contact_id: str, queue: str = "billing", channel: str = "phone"
    ) -> None:
        category = "bill" if queue == "billing" else "fault"
        self(
            after_ms,
            ContactArrived(contact_id, channel, category),
            EnqueueContact(contact_id, queue, Reason.ARRIVED),
        )

    def answer(self, after_ms: int, contact_id: str, agent_id: str = "a-1", offer: int = 1) -> None:
        self(
            after_ms,
            OfferAccepted(offer, contact_id, agent_id),
            AssignContact(offer, contact_id, agent_id, Reason.ACCEPTED),
        )

    def abandon(self, after_ms: int, contact_id: str) -> None:
        self(
            after_ms,
            ContactAbandoned(contact_id),
            CloseContact(contact_id, Exit.ABANDONED, Reason.ABANDONED),
        )

    def row(self, queue: str = "billing") -> QueueRow:
        return next(row for row in queue_rows(self.measures) if row.queue == queue)

    def line(self, queue: str = "billing", channel: str = "phone") -> Line:
        return self.measures.lines[queue, channel]

    def conserved(self) -> bool:
        return all(
            line.counts.arrivals == sum(line.counts.exits.values()) + len(line.waiting)
            for line in self.measures.lines.values()
        ) and (
            self.measures.accepted
            == sum(self.measures.closed.values()) + self.measures.open_contacts
        )


# ICMI's published example: 1,000 answered, 860 of them within 20 s; 60 abandoned, 20 within
# 20 s, of which 10 within 5 s.
ICMI = ServiceCounts(
    answered=1_000,
    answered_in_time=860,
    abandoned=60,
    abandoned_in_time=20,
    short_abandoned=10,
)


@pytest.mark.parametrize(
    ("formula", "percent"),
    [
        (answered_and_abandoned_in_time_over_offered, 83.0),
        (answered_in_time_over_answered, 86.0),
        (answered_in_time_over_answered_and_abandoned, 81.1),
        (answered_in_time_over_answered_and_late_abandoned, 82.7),
        (answered_in_time_and_short_abandoned_over_offered, 82.1),
        (answered_in_time_over_offered_less_short, 81.9),
    ],
)
def test_six_service_levels_of_the_icmi_example(formula: object, percent: float) -> None:
    assert formula in SERVICE_LEVELS.values()
    value = formula(ICMI)  # type: ignore[operator]
    assert round(100 * value, 1) == percent


def test_default_service_level_is_answered_in_time_over_offered_less_short() -> None:
    assert service_level is answered_in_time_over_offered_less_short


def test_fold_of_the_icmi_example_gives_the_same_six() -> None:
    book = Book()
    ends = (
        [(20_000, True)] * 860
        + [(20_001, True)] * 140
        + [(4_999, False)] * 10
        + [(5_000, False)] * 10
        + [(20_001, False)] * 40
    )
    for number in range(len(ends)):
        book.arrive(0, f"c-{number}")
    for wait_ms, number in sorted((wait, i) for i, (wait, _) in enumerate(ends)):
        if ends[number][1]:
            book.answer(wait_ms, f"c-{number}")
        else:
            book.abandon(wait_ms, f"c-{number}")
    shares = service_levels([book.line()])
    assert [round(100 * share, 1) for share in shares.values() if share is not None] == [
        83.0, 86.0, 81.1, 82.7, 82.1, 81.9,
    ]  # fmt: skip
    assert book.line().counts.service_counts() == ICMI
    assert book.row().wait_p50_ms in range(20_000, 20_000 + 20_000 // 32)
    assert book.line().answered_waits.at_most(20_000) == 860
    assert book.conserved()


def test_nothing_decided_has_no_ratio() -> None:
    nothing = ServiceCounts(answered=0, answered_in_time=0)
    assert [formula(nothing) for formula in SERVICE_LEVELS.values()] == [None] * 6
    assert abandonment(nothing) is None
    assert sla_met_share(0, 0) is None


def test_expired_contacts_lower_the_service_level() -> None:
    counts = ServiceCounts(answered=8, answered_in_time=8, expired=2)
    assert service_level(counts) == 0.8
    assert answered_in_time_over_answered(counts) == 1.0


def test_abandonment_with_and_without_short_ones() -> None:
    assert abandonment(ICMI) == 60 / 1_060
    assert abandonment_without_short(ICMI) == 50 / 1_050


# --- the fold: lines ------------------------------------------------------------------


def test_answer_at_the_threshold_is_in_time() -> None:
    book = Book()
    book.arrive(0, "c-1")
    book.arrive(0, "c-2")
    book.answer(20_000, "c-1")
    book.answer(20_001, "c-2")
    assert book.row().service_level == 0.5
    assert book.row().average_speed_of_answer_ms == 20_000.5


def test_answer_is_the_connection_where_the_channel_connects() -> None:
    book = Book(connect_timeout_ms=10_000)
    book.arrive(0, "c-1")
    book.answer(3_000, "c-1")
    assert book.row().waiting == 1
    book(
        9_000,
        TimeAdvanced(),
        EndAssignment("c-1", "a-1", Reason.CONNECT_TIMEOUT),
        RequeueContact("c-1", "billing", Reason.CONNECT_TIMEOUT),
    )
    assert book.row().waiting == 1
    assert book.row().arrivals == 1
    assert book.row().handled == 0
    book.answer(12_000, "c-1", "a-2", offer=2)
    book(15_000, OfferConnected(2, "c-1", "a-2"))
    assert book.row().waiting == 0
    assert book.row().average_speed_of_answer_ms == 15_000
    assert book.row().assignments == 2
    assert book.conserved()


def test_refused_connection_answers_nobody() -> None:
    book = Book(connect_timeout_ms=10_000)
    book.arrive(0, "c-1")
    book(1_000, OfferConnected(9, "c-1", "a-1"), RefuseEvent(Reason.UNKNOWN_OFFER, "c-1"))
    assert book.row().answered == 0
    assert book.told == "refused"


def test_oldest_waiting_is_the_earliest_arrival_still_in_line() -> None:
    book = Book()
    for number in range(3):
        book.arrive(1_000 * number, f"c-{number}")
    assert book.row().oldest_arrival_ms == T0
    book.abandon(4_000, "c-0")
    assert book.row().oldest_arrival_ms == T0 + 1_000
    assert book.row().longest_wait_now_ms == 3_000
    book.answer(5_000, "c-1")
    book.answer(5_000, "c-2")
    assert book.row().oldest_arrival_ms is None
    assert book.row().longest_wait_now_ms == 0


def test_short_abandonment_lies_below_the_threshold() -> None:
    book = Book()
    for queue in ("billing", "tech"):
        for wait_ms in (0, 4_999, 5_000):
            book.arrive(0, f"{queue}-{wait_ms}", queue)
    for wait_ms in (0, 4_999, 5_000):
        for queue in ("billing", "tech"):
            book.abandon(wait_ms, f"{queue}-{wait_ms}")
    assert (book.row().short_abandoned, book.row().abandoned) == (2, 1)
    assert (book.row("tech").short_abandoned, book.row("tech").abandoned) == (0, 3)


def test_overflow_moves_the_visit_and_keeps_the_wait() -> None:
    book = Book()
    book.arrive(0, "c-1")
    book(
        25_000,
        TimeAdvanced(),
        OverflowContact("c-1", "billing", "tech", Reason.STEP_DUE),
        EnqueueContact("c-1", "tech", Reason.STEP_DUE),
    )
    assert (book.row().overflowed, book.row().waiting) == (1, 0)
    assert (book.row("tech").arrivals, book.row("tech").waiting) == (1, 1)
    assert book.row("tech").oldest_arrival_ms == T0
    book.answer(31_000, "c-1")
    assert book.row("tech").average_speed_of_answer_ms == 31_000
    assert book.row("tech").service_level == 0.0
    assert book.row().service_level is None
    assert book.conserved()


def test_overflow_at_the_door_is_a_visit_to_both_lines() -> None:
    book = Book()
    book(
        0,
        ContactArrived("c-1", "phone", "bill"),
        OverflowContact("c-1", "billing", "tech", Reason.QUEUE_FULL),
    )
    assert (book.row().arrivals, book.row().overflowed) == (1, 1)
    assert (book.row("tech").arrivals, book.row("tech").waiting) == (1, 1)
    assert book.conserved()


def test_transfer_while_waiting_overflows_and_is_counted_as_transfer() -> None:
    book = Book()
    book.arrive(0, "c-1")
    book(
        5_000,
        ContactTransferred("c-1", queue="tech"),
        EnqueueContact("c-1", "tech", Reason.TRANSFERRED),
    )
    assert (book.row().overflowed, book.row().transferred) == (1, 1)
    assert book.row("tech").waiting == 1
    assert book.conserved()


def test_transfer_by_the_agent_starts_a_new_wait() -> None:
    book = Book()
    book.arrive(0, "c-1")
    book.answer(10_000, "c-1")
    book(
        70_000,
        ContactTransferred("c-1", queue="tech"),
        EndAssignment("c-1", "a-1", Reason.TRANSFERRED),
        EnqueueContact("c-1", "tech", Reason.TRANSFERRED),
    )
    assert (book.row().answered, book.row().overflowed, book.row().transferred) == (1, 0, 1)
    assert (book.row().handled, book.row().talk_ms) == (1, 60_000)
    book.answer(75_000, "c-1", "b-1", offer=2)
    assert book.row("tech").average_speed_of_answer_ms == 5_000
    assert book.conserved()


def test_deflected_at_the_door_still_arrived() -> None:
    book = Book()
    book.arrive(0, "c-0")
    for number in (1, 2):
        book(
            1_000,
            ContactArrived(f"c-{number}", "phone", "bill"),
            CloseContact(f"c-{number}", Exit.DEFLECTED, Reason.OVERLOAD),
        )
    assert (book.row().arrivals, book.row().deflected, book.row().waiting) == (3, 2, 1)
    assert book.conserved()


def test_merged_and_settled_while_waiting_leave_the_line_as_deflected() -> None:
    book = Book()
    book.arrive(0, "c-1")
    book.arrive(0, "c-2")
    book(1_000, ContactMerged("c-1", "c-2"), CloseContact("c-1", Exit.MERGED, Reason.MERGED))
    book(2_000, ContactEnded("c-2"), CloseContact("c-2", Exit.HANDLED, Reason.RESOLVED))
    assert book.row().deflected == 2
    assert book.row().answered == 0
    assert book.conserved()


def test_wait_limit_is_the_exit_expired() -> None:
    book = Book()
    book.arrive(0, "c-1")
    book(
        60_000,
        TimeAdvanced(),
        CloseContact("c-1", Exit.EXPIRED, Reason.QUEUE_WAIT_LIMIT),
    )
    assert book.row().expired == 1
    assert book.row().service_level == 0.0
    assert book.conserved()


def test_callback_leaves_the_line_and_comes_back_with_a_new_wait() -> None:
    book = Book()
    book.arrive(0, "c-1")
    book(
        30_000,
        CallbackRequested("c-1", T0 + 600_000),
        ScheduleCallback("c-1", T0 + 600_000, Reason.CALLBACK_REQUESTED),
    )
    assert (book.row().callback, book.row().waiting) == (1, 0)
    book(600_000, TimeAdvanced(), RequeueContact("c-1", "billing", Reason.CALLBACK_DUE))
    book.answer(604_000, "c-1")
    assert (book.row().arrivals, book.row().answered) == (2, 1)
    assert book.row().average_speed_of_answer_ms == 4_000
    assert book.conserved()


def test_reopened_contact_is_accepted_again() -> None:
    book = Book()
    book.arrive(0, "c-1")
    book.abandon(8_000, "c-1")
    book(60_000, ContactReopened("c-1"), EnqueueContact("c-1", "billing", Reason.REOPENED))
    assert (book.row().reopened, book.row().arrivals, book.row().waiting) == (1, 2, 1)
    assert book.measures.accepted == 2
    assert book.conserved()


def test_closed_contacts_are_forgotten_with_the_core() -> None:
    book = Book()
    for number in range(50):
        book.arrive(number, f"c-{number}")
        book.abandon(number, f"c-{number}")
    assert len(book.measures._finished) == 50
    book.arrive(center().limits.duplicate_window_ms + 100, "late")
    assert len(book.measures._finished) == 0


def test_intervals_go_by_arrival_and_are_bounded() -> None:
    book = Book()
    interval = book.measures.interval_ms
    start = interval - T0 % interval
    book.arrive(start - 1, "before")
    book.arrive(start, "after")
    book.answer(start + 5_000, "before")
    book.answer(start + 5_000, "after")
    assert [(row.arrivals, row.answered) for row in interval_rows(book.measures)] == [
        (1, 1),
        (1, 1),
    ]
    for number in range(INTERVALS_KEPT + 20):
        book.arrive(start + interval * number + 6_000, f"x-{number}")
    assert len(book.line().intervals) == INTERVALS_KEPT
    assert book.line().counts.arrivals == INTERVALS_KEPT + 22


# --- the fold: work, offers, promises ----------------------------------------------------


def test_handle_time_keeps_talk_hold_and_wrap_up_apart() -> None:
    book = Book()
    book.arrive(0, "c-1")
    book.answer(1_000, "c-1")
    book(11_000, ContactHeld("c-1"))
    book(14_000, ContactResumed("c-1"))
    book(31_000, ContactEnded("c-1"), StartWrapUp("c-1", "a-1", Reason.CUSTOMER_LEFT))
    book(
        36_000,
        WrapUpEnded("c-1", "a-1"),
        EndAssignment("c-1", "a-1", Reason.WRAPPED_UP),
        CloseContact("c-1", Exit.HANDLED, Reason.WRAPPED_UP),
    )
    row = book.row()
    assert (row.talk_ms, row.hold_ms, row.wrap_up_ms, row.handled) == (27_000, 3_000, 5_000, 1)
    assert row.average_handle_time_ms == 35_000
    assert book.measures.closed[Exit.HANDLED] == 1


def test_offers_per_assignment_and_their_outcomes() -> None:
    book = Book()
    book.arrive(0, "c-1")
    book(1, AgentSignedIn("a-1"), OfferContact(1, "c-1", "a-1", Reason.LONGEST_IDLE))
    book(2, OfferDeclined(1, "c-1", "a-1"), RequeueContact("c-1", "billing", Reason.DECLINED))
    book(3, AgentSignedIn("a-2"), OfferContact(2, "c-1", "a-2", Reason.LONGEST_IDLE))
    book(
        20_003,
        TimeAdvanced(),
        WithdrawOffer(2, "c-1", "a-2", Reason.EXPIRED),
        RequeueContact("c-1", "billing", Reason.EXPIRED),
        OfferContact(3, "c-1", "a-1", Reason.LONGEST_IDLE),
    )
    book.answer(20_004, "c-1", offer=3)
    line = book.line()
    assert (line.offers, line.offers_declined, line.offers_expired) == (3, 1, 1)
    assert book.row().offers_per_assignment == 3.0
    assert book.row().arrivals == 1
    assert book.measures.decisions["OfferContact", Reason.LONGEST_IDLE] == 3


def test_promise_share_counts_the_breach_at_its_deadline_and_no_canceled_clock() -> None:
    book = Book()
    for number in range(4):
        book.arrive(0, f"c-{number}")
        book(
            0,
            TimeAdvanced(),
            StartSla(f"c-{number}", "80-20", 1, T0 + 20_000, Reason.CLOCK_STARTED),
        )
    book(5_000, TimeAdvanced(), MeetSla("c-0", "80-20", 1, 5_000, Reason.STOPPED_IN_TIME))
    book(
        6_000,
        ContactAbandoned("c-1"),
        CloseContact("c-1", Exit.ABANDONED, Reason.ABANDONED),
        StopSla("c-1", "80-20", 1, Reason.CLOCK_CANCELED),
    )
    book(10_000, TimeAdvanced(), WarnSla("c-2", "80-20", 1, 50, Reason.WARNING_DUE))
    book(20_000, TimeAdvanced(), BreachSla("c-2", "80-20", 1, T0 + 20_000, Reason.DEADLINE_PASSED))
    (row,) = promise_rows(book.measures)
    assert (row.met, row.breached, row.canceled, row.warned) == (1, 1, 1, 1)
    assert row.met_share == 0.5
    book(30_000, TimeAdvanced(), StopSla("c-2", "80-20", 1, Reason.STOPPED_LATE, 10_000))
    (row,) = promise_rows(book.measures)
    assert (row.breached, row.canceled) == (1, 1)


# --- the fold: agents ---------------------------------------------------------------------


def states(book: Book, team: str = "care") -> dict[str, int]:
    counts = {state.value: book.measures.agents.count(team, state) for state in AgentState}
    return {name: number for name, number in counts.items() if number}


def test_agents_are_counted_by_team_and_state() -> None:
    book = Book()
    book(0, AgentSignedIn("a-1"))
    book(0, AgentSignedIn("a-2", presence="break"))
    book(0, AgentSignedIn("b-1"))
    assert states(book) == {"idle": 1, "away": 1}
    assert states(book, "back") == {"idle": 1}
    book.arrive(1_000, "c-1")
    book(1_000, TimeAdvanced(), OfferContact(1, "c-1", "a-1", Reason.LONGEST_IDLE))
    assert states(book) == {"offered": 1, "away": 1}
    book.answer(2_000, "c-1")
    book(3_000, AgentPresenceChanged("a-1", "break"))
    assert states(book) == {"handling": 1, "away": 1}
    book(4_000, ContactEnded("c-1"), StartWrapUp("c-1", "a-1", Reason.CUSTOMER_LEFT))
    assert states(book) == {"wrap_up": 1, "away": 1}
    book(
        6_000,
        WrapUpEnded("c-1", "a-1"),
        EndAssignment("c-1", "a-1", Reason.WRAPPED_UP),
        CloseContact("c-1", Exit.HANDLED, Reason.WRAPPED_UP),
    )
    assert states(book) == {"away": 2}
    book(7_000, AgentSignedOut("a-1"))
    book(7_000, AgentSignedOut("a-2"))
    assert states(book) == {}
    assert book.measures.agents.busy_and_signed_in_ms("care", T0 + 9_000) == (4_000, 14_000)


def test_occupancy_counts_an_agent_with_two_chats_once() -> None:
    book = Book()
    book(0, AgentSignedIn("a-1"))
    for number in (1, 2):
        book.arrive(0, f"c-{number}", channel="chat")
        book.answer(0, f"c-{number}", offer=number)
    for number in (1, 2):
        book(
            5_000 * number,
            ContactEnded(f"c-{number}"),
            EndAssignment(f"c-{number}", "a-1", Reason.CUSTOMER_LEFT),
            CloseContact(f"c-{number}", Exit.HANDLED, Reason.CUSTOMER_LEFT),
        )
    care = next(row for row in team_rows(book.measures, T0 + 20_000) if row.team == "care")
    assert care.occupancy == 0.5
    assert (care.signed_in, care.idle) == (1, 1)


def test_a_lost_agent_is_not_counted_and_comes_back_with_his_work() -> None:
    book = Book()
    book(0, AgentSignedIn("a-1"))
    book.arrive(0, "c-1")
    book.answer(0, "c-1")
    book(1_000, TimeAdvanced(), ChangeAgentState("a-1", "available", Reason.AGENT_LOST))
    assert states(book) == {}
    book(5_000, TimeAdvanced(), ChangeAgentState("a-1", "available", Reason.HEARD_AGAIN))
    assert states(book) == {"handling": 1}
    assert book.measures.agents.busy_and_signed_in_ms("care", T0 + 6_000) == (2_000, 2_000)


def test_a_new_plan_moves_agents_between_teams() -> None:
    book = Book()
    book(0, AgentSignedIn("a-1"))
    book(0, AgentSignedIn("b-1"))
    plan = center()
    agents = {"a-1": Agent(team="back"), "a-2": Agent(team="care")}
    book(1_000, CenterChanged(center=replace(plan, agents=agents)))
    assert states(book) == {}
    assert states(book, "back") == {"idle": 1}


def test_refused_sign_in_signs_nobody_in() -> None:
    book = Book()
    book(0, AgentSignedIn("x-9"), RefuseEvent(Reason.UNKNOWN_AGENT, "x-9"))
    assert sum(row.signed_in for row in team_rows(book.measures)) == 0


# --- structures -----------------------------------------------------------------------------


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=200), st.integers(1, 100))
def test_percentile_is_never_low_and_at_most_a_32nd_high(values: list[int], percent: int) -> None:
    histogram = FineHistogram()
    for value in values:
        histogram.add(value)
    exact = sorted(values)[max(-(-len(values) * percent // 100), 1) - 1]
    found = histogram.percentile_ms(percent)
    assert found is not None
    assert exact <= found <= exact + exact // 32


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 50)), max_size=120))
def test_waiting_room_agrees_with_a_plain_minimum(steps: list[tuple[int, int]]) -> None:
    room, plain = WaitingRoom(), dict[str, int]()
    for key, since_ms in steps:
        contact_id = f"c-{key}"
        if contact_id in plain:
            room.leave(contact_id)
            del plain[contact_id]
        else:
            room.enter(contact_id, since_ms)
            plain[contact_id] = since_ms
        assert room.oldest_ms() == min(plain.values(), default=None)
        assert len(room) == len(plain)


def test_waiting_room_stays_small_behind_one_old_contact() -> None:
    room = WaitingRoom()
    room.enter("old", 0)
    for number in range(10_000):
        room.enter(f"c-{number}", number + 1)
        room.leave(f"c-{number}")
    assert len(room._heap) < 100
    assert room.oldest_ms() == 0


def test_fixed_histogram_knows_its_edges_only() -> None:
    histogram = FixedHistogram((1_000, 20_000))
    for value in (1_000, 1_001, 20_000, 20_001):
        histogram.add(value)
    assert histogram.at_most(1_000) == 1
    assert histogram.at_most(20_000) == 3
    assert histogram.count == 4
    with pytest.raises(ValueError, match="not in tuple"):
        histogram.at_most(15_000)


def test_every_exit_has_a_place_in_the_row() -> None:
    assert {how.value for how in QueueExit} <= set(QueueRow.__dataclass_fields__)


def test_table_is_plain_and_lists_idle_queues() -> None:
    book = Book()
    book.arrive(0, "c-1")
    table = as_table(book.measures)
    queues = table["queues"]
    assert isinstance(queues, list)
    assert [row["queue"] for row in queues] == ["billing", "tech"]
    assert table["decisions"] == [{"decision": "EnqueueContact", "reason": "arrived", "count": 1}]


def test_summary_is_the_sum_of_the_lines() -> None:
    book = Book()
    book.arrive(0, "c-1")
    book.arrive(0, "c-2", "tech")
    book.arrive(0, "c-3", "tech")
    book.answer(4_000, "c-1")
    book.answer(6_000, "c-2", "b-1", offer=2)
    whole = summary(book.measures)
    assert (whole["contacts"], whole["answered"], whole["open"]) == (3, 2, 3)
    assert whole["average_speed_of_answer_ms"] == 5_000
    assert whole["service_level"] == 1.0
    assert whole["abandonment"] == 0.0
    assert whole["sla_met_share"] is None


def test_a_clock_counts_where_it_started() -> None:
    book = Book()
    book.arrive(0, "c-1")
    book(
        0,
        TimeAdvanced(),
        StartSla("c-1", "80-20", 1, T0 + 20_000, Reason.CLOCK_STARTED),
        OverflowContact("c-1", "billing", "tech", Reason.STEP_DUE),
        BreachSla("c-1", "80-20", 1, T0 + 20_000, Reason.DEADLINE_PASSED),
    )
    (row,) = promise_rows(book.measures)
    assert (row.queue, row.started, row.breached) == ("billing", 1, 1)


# --- whole days -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [3, 5, 10, 13, 18, 22])
def test_a_faulty_day_adds_up_at_every_entry(seed: int) -> None:
    measures = Measures()

    def check(entry: Entry) -> None:
        measures.fold(entry.stamped, entry.decisions)
        for line in measures.lines.values():
            gone = sum(line.counts.exits.values())
            assert line.counts.arrivals == gone + len(line.waiting)
        ended = sum(measures.closed.values())
        assert measures.accepted == ended + measures.open_contacts

    judge_seed(seed, listeners=(check,))
    assert measures.accepted > 0
    assert measures.open_contacts == 0
    for counts in measures.promises.values():
        assert counts.started == counts.met + counts.breached + counts.canceled
    for line in measures.lines.values():
        assert sum(line.intervals[start].arrivals for start in line.intervals) == (
            line.counts.arrivals
        )
        answered = line.counts.exits[QueueExit.ANSWERED]
        assert line.answered_waits.count == line.percentiles.count == answered
    signed_in = sum(row.signed_in for row in team_rows(measures))
    counted = sum(
        1 for agent_id in measures.agents._agents if measures.agents.state_of(agent_id) is not None
    )
    assert signed_in == counted
