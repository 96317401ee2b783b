"""The world around a centre: it speaks in events, hears decisions, and knows no router."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from router.center import Agent, Category, Center, Channel, OfferRules, Queue, Team
from router.checks import check_center
from router.decisions import (
    AssignContact,
    ChangeAgentState,
    CloseContact,
    Decision,
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
    StartWrapUp,
    WithdrawOffer,
)
from router.events import (
    AgentHeartbeat,
    AgentPresenceChanged,
    AgentReplied,
    AgentSignedIn,
    AgentSignedOut,
    ContactAbandoned,
    ContactArrived,
    ContactRedialled,
    ContactResolved,
    CustomerAwaited,
    CustomerReplied,
    Event,
    OfferAccepted,
    OfferConnected,
    OfferDeclined,
    SurveyAnswered,
    WrapUpEnded,
)
from simulation.driver import WorldEnvironment
from simulation.options import for_center, from_seed, work_ms
from simulation.randomness import Streams
from simulation.scenario import (
    Customers,
    Demand,
    Law,
    LawKind,
    Leaving,
    Options,
    Shift,
    Workforce,
)
from simulation.world import World

START_MS = 1_000_000
MINUTE_MS = 60_000

QUIET = Customers(
    connect=Law(mean_ms=1_000, kind=LawKind.CONSTANT),
    connect_fails=0,
    holds=0,
    transfers=0,
    updates=0,
    merges=0,
    complains=0,
    ends_unresolved=0,
    awaited=0,
    answers_back=1,
    reply=Law(mean_ms=7_000, kind=LawKind.CONSTANT),
    redials=0,
    reopens=0,
    repeats=0,
    answers_survey=1,
    unhappy=0,
)


def center(*, connect_timeout_ms: int = 0) -> Center:
    return Center(
        name="test",
        version=1,
        channels={
            "phone": Channel(connect_timeout_ms=connect_timeout_ms),
            "email": Channel(units=50),
        },
        skills=("billing",),
        queues={"q": Queue()},
        categories={"billing": Category(queue="q", needs={"billing": 1})},
        teams={"t": Team()},
        agents={"ann": Agent(team="t", skills={"billing": 5})},
    )


def demand(**changes: object) -> Demand:
    facts: dict[str, Any] = {
        "name": "billing",
        "category": "billing",
        "channel": "phone",
        "rates_per_hour": (60.0,),
        "interval_ms": 10 * MINUTE_MS,
        "handle": Law(mean_ms=30_000, kind=LawKind.CONSTANT),
    }
    return Demand(**(facts | changes))


def options(of: Demand, **changes: object) -> Options:
    facts: dict[str, Any] = {
        "seed": 7,
        "start_ms": START_MS,
        "length_ms": 10 * MINUTE_MS,
        "demands": (of,),
        "customers": QUIET,
        "workforce": Workforce(
            shifts=(Shift(agent_id="ann", start_ms=0, end_ms=10 * MINUTE_MS),),
            reaction=Law(mean_ms=2_000, kind=LawKind.CONSTANT),
            wrap_up=Law(mean_ms=4_000, kind=LawKind.CONSTANT),
            declines=0,
            ignores=0,
            proficiency_gain=0,
        ),
    }
    return Options(**(facts | changes))


class Scene:
    """A world whose events land in a list and whose decisions are spoken by the test."""

    def __init__(self, day: Options, of: Center | None = None) -> None:
        self.env = WorldEnvironment(START_MS)
        self.told: list[tuple[int, Event]] = []
        self.world = World(self.env, of or center(), day, Streams(day.seed), self.hear)
        self.world.start()

    def hear(self, event: Event) -> None:
        self.told.append((self.env.now_ms, event))

    def say(self, *decisions: Decision) -> None:
        self.world.observe(decisions, self.env.now_ms)

    def until(self, kind: type[Event]) -> tuple[int, Any]:
        """Run until the world says something of this kind; return when and what."""
        known = len(self.told)
        for _ in range(10_000):
            for at_ms, event in self.told[known:]:
                if isinstance(event, kind):
                    return at_ms, event
            known = len(self.told)
            self.env.step()
        raise AssertionError(f"no {kind.__name__}")

    def arrive(self) -> str:
        _, event = self.until(ContactArrived)
        self.say(EnqueueContact(event.contact_id, "q", Reason.ARRIVED))
        return str(event.contact_id)

    def assign(self, contact_id: str, offer_id: int = 1) -> int:
        self.say(OfferContact(offer_id, contact_id, "ann", Reason.LONGEST_IDLE))
        at_ms, _ = self.until(OfferAccepted)
        self.say(AssignContact(offer_id, contact_id, "ann", Reason.ACCEPTED))
        return at_ms

    def kinds(self) -> list[str]:
        return [type(event).__name__ for _, event in self.told]


def test_an_offer_is_accepted_after_the_reaction_and_work_takes_its_time() -> None:
    scene = Scene(options(demand()))
    contact_id = scene.arrive()
    offered_ms = scene.env.now_ms
    accepted_ms = scene.assign(contact_id)
    assert accepted_ms - offered_ms == 2_000
    resolved_ms, event = scene.until(ContactResolved)
    assert event.contact_id == contact_id
    assert resolved_ms - accepted_ms == 30_000


def test_proficiency_shortens_the_work() -> None:
    day = options(demand())
    day = replace(day, workforce=replace(day.workforce, proficiency_gain=0.45))
    able = center()
    able = replace(able, agents={"ann": Agent(team="t", skills={"billing": 10})})
    scene = Scene(day, able)
    accepted_ms = scene.assign(scene.arrive())
    assert scene.until(ContactResolved)[0] - accepted_ms == round(30_000 * 0.55)


def test_a_channel_with_connect_timeout_connects_first() -> None:
    scene = Scene(options(demand()), center(connect_timeout_ms=10_000))
    accepted_ms = scene.assign(scene.arrive())
    connected_ms, event = scene.until(OfferConnected)
    assert connected_ms - accepted_ms == 1_000
    assert event.offer_id == 1
    assert scene.until(ContactResolved)[0] - connected_ms == 30_000


def test_a_withdrawn_offer_is_not_accepted() -> None:
    scene = Scene(options(demand(rates_per_hour=(6.0,), interval_ms=600 * MINUTE_MS)))
    contact_id = scene.arrive()
    scene.say(OfferContact(1, contact_id, "ann", Reason.LONGEST_IDLE))
    scene.env.run(until=scene.env.now_ms + 1_999)
    scene.say(WithdrawOffer(1, contact_id, "ann", Reason.EXPIRED))
    scene.env.run(until=scene.env.now_ms + 10_000)
    assert "OfferAccepted" not in scene.kinds()


def test_a_careless_agent_declines_or_ignores() -> None:
    day = options(demand())
    declining = replace(day, workforce=replace(day.workforce, declines=1.0))
    scene = Scene(declining)
    scene.say(OfferContact(1, scene.arrive(), "ann", Reason.LONGEST_IDLE))
    assert scene.until(OfferDeclined)[1].offer_id == 1
    ignoring = replace(day, workforce=replace(day.workforce, ignores=1.0))
    scene = Scene(ignoring)
    scene.say(OfferContact(1, scene.arrive(), "ann", Reason.LONGEST_IDLE))
    scene.env.run(until=scene.env.now_ms + MINUTE_MS)
    assert not {"OfferAccepted", "OfferDeclined"} & set(scene.kinds())


def test_wrap_up_ends_and_held_work_stands_still() -> None:
    scene = Scene(options(demand()))
    contact_id = scene.arrive()
    began_ms = scene.assign(contact_id)
    scene.env.run(until=began_ms + 10_000)
    scene.say(HoldWork(contact_id, "ann", Reason.INTERRUPTED))
    scene.env.run(until=began_ms + 60_000)
    assert "ContactResolved" not in scene.kinds()
    scene.say(ResumeWork(contact_id, "ann", Reason.CAPACITY_FREE))
    resolved_ms, _ = scene.until(ContactResolved)
    assert resolved_ms - began_ms == 80_000
    scene.say(StartWrapUp(contact_id, "ann", Reason.RESOLVED))
    assert scene.until(WrapUpEnded)[0] - resolved_ms == 4_000


def test_impatient_customers_abandon_and_some_redial() -> None:
    patience = Law(mean_ms=5_000, kind=LawKind.CONSTANT)
    always = replace(QUIET, redials=1.0, redial_delay=Law(mean_ms=9_000, kind=LawKind.CONSTANT))
    scene = Scene(options(demand(patience=patience), customers=always))
    contact_id = scene.arrive()
    arrived_ms = scene.env.now_ms
    abandoned_ms, event = scene.until(ContactAbandoned)
    assert (event.contact_id, abandoned_ms - arrived_ms) == (contact_id, 5_000)
    scene.say(CloseContact(contact_id, Exit.ABANDONED, Reason.ABANDONED))
    redialled_ms, event = scene.until(ContactRedialled)
    assert (event.contact_id, redialled_ms - abandoned_ms) == (contact_id, 9_000)


def test_patience_ends_with_the_connection_and_goes_on_after_a_requeue() -> None:
    patience = Law(mean_ms=5_000, kind=LawKind.CONSTANT)
    day = options(demand(rates_per_hour=(6.0,), interval_ms=600 * MINUTE_MS, patience=patience))
    scene = Scene(day)
    contact_id = scene.arrive()
    arrived_ms = scene.env.now_ms
    scene.assign(contact_id)
    scene.env.run(until=arrived_ms + 6_000)
    assert "ContactAbandoned" not in scene.kinds()
    scene.say(
        EndAssignment(contact_id, "ann", Reason.CONNECT_TIMEOUT),
        RequeueContact(contact_id, "q", Reason.CONNECT_TIMEOUT),
    )
    abandoned_ms, _ = scene.until(ContactAbandoned)
    assert abandoned_ms - arrived_ms == 11_000


def test_email_is_answered_awaits_its_customer_and_comes_back() -> None:
    awaiting = replace(QUIET, awaited=1.0)
    scene = Scene(options(demand(channel="email"), customers=awaiting))
    contact_id = scene.arrive()
    scene.assign(contact_id)
    scene.until(AgentReplied)
    awaited_ms, _ = scene.until(CustomerAwaited)
    scene.say(EndAssignment(contact_id, "ann", Reason.WAITING_ON_CUSTOMER))
    replied_ms, event = scene.until(CustomerReplied)
    assert (event.contact_id, replied_ms - awaited_ms) == (contact_id, 7_000)


def test_a_survey_is_answered() -> None:
    scene = Scene(options(demand()))
    contact_id = scene.arrive()
    scene.say(
        CloseContact(contact_id, Exit.HANDLED, Reason.RESOLVED),
        RequestSurvey(contact_id, Reason.SURVEY_DUE),
    )
    _, event = scene.until(SurveyAnswered)
    assert event.contact_id == contact_id
    assert event.score >= 4
    assert scene.world.open_contacts == []


def test_a_follow_up_asked_for_twice_comes_once() -> None:
    scene = Scene(options(demand(rates_per_hour=(6.0,), interval_ms=600 * MINUTE_MS)))
    contact_id = scene.arrive()
    scene.say(
        CloseContact(contact_id, Exit.HANDLED, Reason.RESOLVED),
        RequestFollowUp(contact_id, Reason.UNHAPPY_ANSWER),
        RequestFollowUp(contact_id, Reason.UNHAPPY_ANSWER),
    )
    follow_up_id = scene.arrive()
    assert follow_up_id == f"{contact_id}-f1"
    scene.env.run(until=scene.env.now_ms + 10 * MINUTE_MS)
    arrived = [event for _, event in scene.told if isinstance(event, ContactArrived)]
    assert [event.contact_id for event in arrived].count(follow_up_id) == 1


@pytest.mark.parametrize("leaving", list(Leaving))
def test_shift_and_break_are_simpy_processes(leaving: Leaving) -> None:
    shift = Shift(agent_id="ann", start_ms=1_000, end_ms=90_000, breaks=((20_000, 5_000),))
    day = options(demand(rates_per_hour=(0.0,)))
    day = replace(day, workforce=replace(day.workforce, shifts=(shift,), leaving=leaving))
    scene = Scene(day)
    scene.env.run(until=START_MS + 100_000)
    told = [(at_ms - START_MS, event) for at_ms, event in scene.told]
    expected: list[tuple[int, Event]] = [
        (1_000, AgentSignedIn("ann", 1, "available")),
        (20_000, AgentPresenceChanged("ann", "break", 1)),
        (25_000, AgentPresenceChanged("ann", "available", 1)),
    ]
    if leaving is Leaving.FINISH:
        expected.append((90_000, AgentPresenceChanged("ann", "break", 1)))
    assert told == [*expected, (90_000, AgentSignedOut("ann", 1))]


def test_who_finishes_his_contact_goes_home_at_the_instant_it_ends() -> None:
    shift = Shift(agent_id="ann", start_ms=0, end_ms=8 * MINUTE_MS)
    handle = Law(mean_ms=20 * MINUTE_MS, kind=LawKind.CONSTANT)
    day = options(demand(rates_per_hour=(60.0,), handle=handle))
    scene = Scene(replace(day, workforce=replace(day.workforce, shifts=(shift,))))
    contact_id = scene.arrive()
    scene.assign(contact_id)
    ended_ms, _ = scene.until(ContactResolved)
    assert ended_ms > START_MS + 8 * MINUTE_MS
    assert "AgentSignedOut" not in scene.kinds()
    scene.say(
        EndAssignment(contact_id, "ann", Reason.RESOLVED),
        CloseContact(contact_id, Exit.HANDLED, Reason.RESOLVED),
    )
    assert scene.until(AgentSignedOut)[0] == ended_ms


def test_heartbeats_follow_the_configured_timeout() -> None:
    beating = replace(center(), offers=OfferRules(heartbeat_timeout_ms=30_000))
    scene = Scene(options(demand(rates_per_hour=(0.0,))), beating)
    scene.env.run(until=START_MS + 35_000)
    beats = [at_ms - START_MS for at_ms, event in scene.told if isinstance(event, AgentHeartbeat)]
    assert beats == [10_000, 20_000, 30_000]


def test_an_agent_taken_out_comes_back_and_an_unknown_session_signs_in_again() -> None:
    scene = Scene(options(demand(rates_per_hour=(0.0,))))
    scene.until(AgentSignedIn)
    scene.say(ChangeAgentState("ann", "unanswered", Reason.UNANSWERED_OFFERS))
    assert scene.until(AgentPresenceChanged)[1].presence == "available"
    scene.say(RefuseEvent(Reason.SIGNED_OUT, "ann"))
    assert scene.until(AgentSignedIn)[1].session == 2


def test_more_demand_moves_contacts_and_changes_nobody() -> None:
    def arrivals(rate: float) -> dict[str, ContactArrived]:
        scene = Scene(options(demand(rates_per_hour=(rate,), tiers=(("gold", 0.5),))))
        scene.env.run(until=START_MS + 10 * MINUTE_MS)
        return {e.contact_id: e for _, e in scene.told if isinstance(e, ContactArrived)}

    few, many = arrivals(60.0), arrivals(120.0)
    assert len(few) < len(many)
    assert few == {contact_id: many[contact_id] for contact_id in few}


def test_arrivals_follow_their_rates() -> None:
    rates = (30.0, 0.0, 240.0)
    scene = Scene(options(demand(rates_per_hour=rates, interval_ms=60 * MINUTE_MS)))
    scene.env.run(until=START_MS + 200 * MINUTE_MS)
    hours = [0, 0, 0]
    for at_ms, event in scene.told:
        if isinstance(event, ContactArrived):
            hours[(at_ms - START_MS - 1) // (60 * MINUTE_MS)] += 1
    # Four standard deviations of a Poisson count: a wrong rate fails, a right one hardly ever.
    assert abs(hours[0] - 30) < 4 * 30**0.5
    assert hours[1] == 0
    assert abs(hours[2] - 240) < 4 * 240**0.5


def test_numbers_belong_to_seed_replication_purpose_and_contact() -> None:
    streams = Streams(1)
    late = streams.uniform("billing", "patience", 700)
    assert Streams(1).uniform("billing", "patience", 700) == late
    others = {
        streams.uniform("billing", "patience", 701),
        streams.uniform("billing", "patience", 700, attempt=1),
        streams.uniform("billing", "work", 700),
        streams.uniform("tech", "patience", 700),
        Streams(2).uniform("billing", "patience", 700),
        Streams(1, replication=1).uniform("billing", "patience", 700),
    }
    assert len(others | {late}) == 7


@pytest.mark.parametrize("kind", list(LawKind))
def test_laws_have_their_mean(kind: LawKind) -> None:
    law = Law(mean_ms=10_000, kind=kind, cv=0.8)
    streams, size = Streams(3), 20_000
    total = sum(streams.duration_ms(law, "billing", "work", number) for number in range(size))
    # cv <= 1, so four standard errors of the mean are at most 283 ms.
    assert abs(total / size - 10_000) < 283


def test_durations_are_whole_and_positive() -> None:
    streams = Streams(3)
    law = Law(mean_ms=1)
    drawn = [streams.duration_ms(law, "billing", "work", number) for number in range(1_000)]
    assert all(type(value) is int and value >= 1 for value in drawn)


def test_every_drawn_center_is_valid_and_every_seed_repeats() -> None:
    for seed in range(1, 101):
        drawn, day = from_seed(seed)
        assert [p for p in check_center(drawn) if not p.warning] == [], seed
        assert from_seed(seed) == (drawn, day)
        assert {shift.agent_id for shift in day.workforce.shifts} == set(drawn.agents)


def test_a_day_for_a_center_loads_its_agents() -> None:
    drawn, _ = from_seed(4)
    day = for_center(drawn, 1, length_ms=60 * MINUTE_MS, load=0.5)
    contacts = [(one, sum(one.rates_per_hour) / len(one.rates_per_hour)) for one in day.demands]
    hourly_work_ms = sum(
        hourly * work_ms(drawn, one.category, one.channel, day.customers, day.workforce)
        for one, hourly in contacts
    )
    assert hourly_work_ms / 3_600_000 == pytest.approx(0.5 * len(drawn.agents), rel=0.01)
