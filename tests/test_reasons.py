"""Reach every `Reason` by a small screenplay: its last step, and no step before, gives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from router import decisions as d
from router import events as e
from router.center import (
    Agent,
    AgentPolicy,
    Calendar,
    Category,
    Channel,
    ClockKind,
    ContactPolicy,
    LimitAction,
    Limits,
    OfferRules,
    OpeningTable,
    OverloadClass,
    PromiseAction,
    Queue,
    ReopenMode,
    Step,
    Team,
    WhenClosed,
)
from router.decisions import Reason
from tests.builders import (
    AUTO,
    CHANNELS,
    HOUR,
    PATIENT,
    SECOND,
    accept,
    arrive,
    changed,
    decline,
    desk,
    end,
    go,
    promise,
    sign_in,
    with_skills,
)
from tests.playbook import DEADLINE, START_MS, Playbook, at
from tests.service_scenes import SERVICE_SCENES

Scene = Callable[[], Playbook]
SCENES: Final[dict[Reason, tuple[type[d.Decision], Scene]]] = dict(SERVICE_SCENES)


def reaches(reason: Reason, kind: type[d.Decision]) -> Callable[[Scene], Scene]:
    """Enter a screenplay whose last step gives a decision of this kind for this reason."""

    def enter(scene: Scene) -> Scene:
        assert reason not in SCENES, "one screenplay per reason"
        SCENES[reason] = (kind, scene)
        return scene

    return enter


@pytest.mark.parametrize("reason", Reason)
def test_reason(reason: Reason) -> None:
    assert reason in SCENES, "every reason has its screenplay"
    kind, scene = SCENES[reason]
    play = scene()
    last = [x for x in play.decisions if type(x) is kind and x.reason is reason]
    assert len(last) == 1, play.decisions
    before = play.history[: len(play.history) - len(play.decisions)]
    assert not [x for x in before if x.reason is reason], "reached before its time"


def talking(play: Playbook) -> Playbook:
    """Let contact 1 be served by agent a."""
    return play >> sign_in("a") >> arrive("1") >> accept(1, "1")


# --- into a line ----------------------------------------------------------------------------------


@reaches(Reason.ARRIVED, d.EnqueueContact)
def arrived() -> Playbook:
    return Playbook(desk()) >> sign_in("a") >> arrive("1")


@reaches(Reason.NO_ELIGIBLE_AGENT, d.EnqueueContact)
def no_eligible_agent() -> Playbook:
    return Playbook(desk()) >> arrive("1")


@reaches(Reason.UNROUTABLE, d.EnqueueContact)
def unroutable() -> Playbook:
    return Playbook(desk(unknown_skill_queue="q")) >> arrive("1", skills={"welsh": 1})


@reaches(Reason.TRANSFERRED, d.EnqueueContact)
def transferred() -> Playbook:
    stage = desk(queues={"q": Queue(), "q2": Queue()})
    return Playbook(stage) >> arrive("1") >> e.ContactTransferred("1", queue="q2")


@reaches(Reason.UPDATED, d.EnqueueContact)
def updated() -> Playbook:
    stage = desk(categories={"c": Category(queue="q"), "c2": Category(queue="q")})
    return Playbook(stage) >> arrive("1") >> e.ContactUpdated("1", category="c2")


@reaches(Reason.REOPENED, d.EnqueueContact)
def reopened() -> Playbook:
    return talking(Playbook(desk())) >> end("1") >> e.ContactReopened("1")


@reaches(Reason.REDIALLED, d.EnqueueContact)
def redialled() -> Playbook:
    play = Playbook(desk()) >> arrive("1") >> e.ContactAbandoned("1")
    return play >> e.ContactRedialled("1")


@reaches(Reason.CUSTOMER_REPLIED, d.EnqueueContact)
def customer_replied() -> Playbook:
    return talking(Playbook(desk())) >> e.CustomerAwaited("1") >> e.CustomerReplied("1")


@reaches(Reason.WAITING_ENDED, d.EnqueueContact)
def waiting_ended() -> Playbook:
    return talking(Playbook(desk())) >> e.CustomerAwaited("1") >> e.CustomerWaitEnded("1")


@reaches(Reason.CALLBACK_DUE, d.EnqueueContact)
def callback_due() -> Playbook:
    return Playbook(desk()) >> arrive("1") >> e.CallbackRequested("1", 1_500_000) >> DEADLINE


@reaches(Reason.CENTER_CHANGED, d.RequeueContact)
def center_changed() -> Playbook:
    return Playbook(desk()) >> arrive("1") >> changed(desk())


# --- an agent is chosen ---------------------------------------------------------------------------


def chosen_by(policy: AgentPolicy) -> Scene:
    def scene() -> Playbook:
        stage = desk("ab", queue=Queue(agent_policy=policy, ring_size=2))
        return Playbook(stage) >> sign_in("a") >> arrive("1")

    return scene


for _policy in AgentPolicy:
    reaches(Reason(_policy.value), d.OfferContact)(chosen_by(_policy))

AFFINE = Category(queue="q", preferred_wait_ms=30 * SECOND, last_agent_wait_ms=30 * SECOND)


@reaches(Reason.PREFERRED_AGENT, d.OfferContact)
def preferred_agent() -> Playbook:
    stage = desk("ab", category=AFFINE)
    play = Playbook(stage) >> sign_in("a") >> sign_in("b")
    return play >> arrive("1", preferred_agent="b")


@reaches(Reason.LAST_AGENT, d.OfferContact)
def last_agent() -> Playbook:
    stage = desk("ab", category=AFFINE, channels={"phone": AUTO})
    play = Playbook(stage) >> sign_in("b") >> arrive("1", customer="x") >> end("1")
    return play >> sign_in("a") >> arrive("2", customer="x")


# --- a contact is chosen --------------------------------------------------------------------------


def chosen_for_an_agent(policy: ContactPolicy) -> Scene:
    def scene() -> Playbook:
        return Playbook(desk(contact_policy=policy)) >> arrive("1") >> sign_in("a")

    return scene


for _contact_policy in ContactPolicy:
    reaches(Reason(_contact_policy.value), d.OfferContact)(chosen_for_an_agent(_contact_policy))


# --- an offer ends --------------------------------------------------------------------------------


@reaches(Reason.ACCEPTED, d.AssignContact)
def accepted() -> Playbook:
    return talking(Playbook(desk()))


@reaches(Reason.AUTO_ACCEPTED, d.AssignContact)
def auto_accepted() -> Playbook:
    return Playbook(desk(channels={"phone": AUTO})) >> sign_in("a") >> arrive("1")


def not_taken(cause: e.DeclineCause) -> Scene:
    def scene() -> Playbook:
        return Playbook(desk()) >> sign_in("a") >> arrive("1") >> decline(1, "1", cause=cause)

    return scene


for _cause in e.DeclineCause:
    reaches(Reason(_cause.value), d.RequeueContact)(not_taken(_cause))


@reaches(Reason.EXPIRED, d.WithdrawOffer)
def expired() -> Playbook:
    return Playbook(desk()) >> sign_in("a") >> arrive("1") >> DEADLINE


@reaches(Reason.TAKEN, d.WithdrawOffer)
def taken() -> Playbook:
    stage = desk("ab", queue=Queue(agent_policy=AgentPolicy.RING_ALL, ring_size=2))
    return Playbook(stage) >> sign_in("a") >> sign_in("b") >> arrive("1") >> accept(1, "1")


@reaches(Reason.CONTACT_GONE, d.WithdrawOffer)
def contact_gone() -> Playbook:
    return Playbook(desk()) >> sign_in("a") >> arrive("1") >> e.ContactAbandoned("1")


@reaches(Reason.AGENT_LOST, d.WithdrawOffer)
def agent_lost() -> Playbook:
    return Playbook(desk()) >> sign_in("a") >> arrive("1") >> e.AgentLost("a")


@reaches(Reason.AGENT_SIGNED_OUT, d.WithdrawOffer)
def agent_signed_out() -> Playbook:
    return Playbook(desk()) >> sign_in("a") >> arrive("1") >> e.AgentSignedOut("a")


@reaches(Reason.AGENT_AWAY, d.WithdrawOffer)
def agent_away() -> Playbook:
    return Playbook(desk()) >> sign_in("a") >> arrive("1") >> go("a", "break")


CONNECTED_LATER = {"phone": Channel(connect_timeout_ms=SECOND)}


@reaches(Reason.CONNECT_TIMEOUT, d.EndAssignment)
def connect_timeout() -> Playbook:
    return talking(Playbook(desk(channels=CONNECTED_LATER))) >> DEADLINE


@reaches(Reason.CONNECT_FAILED, d.EndAssignment)
def connect_failed() -> Playbook:
    play = talking(Playbook(desk(channels=CONNECTED_LATER)))
    return play >> e.OfferConnectFailed(1, "1", "a")


@reaches(Reason.UNANSWERED_OFFERS, d.ChangeAgentState)
def unanswered_offers() -> Playbook:
    stage = desk(offers=replace(PATIENT, unanswered_max=1))
    return Playbook(stage) >> sign_in("a") >> arrive("1") >> DEADLINE


@reaches(Reason.HEARD_AGAIN, d.ChangeAgentState)
def heard_again() -> Playbook:
    stage = desk(offers=OfferRules(heartbeat_timeout_ms=SECOND))
    return Playbook(stage) >> sign_in("a") >> DEADLINE >> e.AgentHeartbeat("a")


# --- steps and limits -----------------------------------------------------------------------------

LOWERING = Category(queue="q", needs={"s": 5}, steps=(Step(after_ms=SECOND, lower={"s": 2}),))
SKILLED = {"a": with_skills(s=5), "b": with_skills(s=2)}


@reaches(Reason.STEP_DUE, d.RelaxContact)
def step_due() -> Playbook:
    stage = desk(SKILLED, category=LOWERING, skills=("s",))
    return Playbook(stage) >> sign_in("a", presence="break") >> arrive("1") >> DEADLINE


@reaches(Reason.NO_STAFFED_AGENT, d.RelaxContact)
def no_staffed_agent() -> Playbook:
    stage = desk(SKILLED, category=LOWERING, skills=("s",))
    return Playbook(stage) >> sign_in("b") >> arrive("1")


@reaches(Reason.QUEUE_FULL, d.RefuseEvent)
def queue_full() -> Playbook:
    return Playbook(desk(queue=Queue(length_max=1))) >> arrive("1") >> arrive("2")


@reaches(Reason.QUEUE_WAIT_LIMIT, d.CloseContact)
def queue_wait_limit() -> Playbook:
    return Playbook(desk(queue=Queue(wait_max_ms=SECOND))) >> arrive("1") >> DEADLINE


@reaches(Reason.AFFINITY_ENDED, d.RequeueContact)
def affinity_ended() -> Playbook:
    play = Playbook(desk("ab", category=AFFINE)) >> sign_in("a", presence="break")
    return play >> arrive("1", preferred_agent="a") >> DEADLINE


@reaches(Reason.OVERLOAD, d.RefuseEvent)
def overload() -> Playbook:
    stage = desk(category=Category(queue="q", overload=OverloadClass.REFUSE))
    return Playbook(stage) >> e.OverloadSwitched(active=True) >> arrive("1")


@reaches(Reason.CALLBACK_REQUESTED, d.ScheduleCallback)
def callback_requested() -> Playbook:
    return Playbook(desk()) >> arrive("1") >> e.CallbackRequested("1")


# --- interruptible work ---------------------------------------------------------------------------

INTERRUPTING = {"phone": Channel(interrupts=True), "email": CHANNELS["email"]}


def interrupted_mail() -> Playbook:
    play = Playbook(desk(channels=INTERRUPTING)) >> sign_in("a") >> arrive("1", "email")
    return play >> accept(1, "1") >> arrive("2") >> accept(2, "2")


@reaches(Reason.INTERRUPTED, d.HoldWork)
def interrupted() -> Playbook:
    return interrupted_mail()


@reaches(Reason.CAPACITY_FREE, d.ResumeWork)
def capacity_free() -> Playbook:
    return interrupted_mail() >> end("2")


# --- ends -----------------------------------------------------------------------------------------


@reaches(Reason.CUSTOMER_LEFT, d.CloseContact)
def customer_left() -> Playbook:
    return talking(Playbook(desk())) >> end("1")


@reaches(Reason.RESOLVED, d.CloseContact)
def resolved() -> Playbook:
    return talking(Playbook(desk())) >> e.ContactResolved("1")


WRAPPING = Category(queue="q", wrap_up_ms=SECOND)


@reaches(Reason.WRAPPED_UP, d.CloseContact)
def wrapped_up() -> Playbook:
    return talking(Playbook(desk(category=WRAPPING))) >> end("1") >> e.WrapUpEnded("1", "a")


@reaches(Reason.WRAP_UP_LIMIT, d.CloseContact)
def wrap_up_limit() -> Playbook:
    return talking(Playbook(desk(category=WRAPPING))) >> end("1") >> DEADLINE


@reaches(Reason.WAITING_ON_CUSTOMER, d.EndAssignment)
def waiting_on_customer() -> Playbook:
    return talking(Playbook(desk())) >> e.CustomerAwaited("1")


@reaches(Reason.ABANDONED, d.CloseContact)
def abandoned() -> Playbook:
    return Playbook(desk()) >> arrive("1") >> e.ContactAbandoned("1")


@reaches(Reason.ENDED_BEFORE_ARRIVAL, d.CloseContact)
def ended_before_arrival() -> Playbook:
    return Playbook(desk()) >> end("1") >> arrive("1")


@reaches(Reason.MERGED, d.CloseContact)
def merged() -> Playbook:
    return Playbook(desk()) >> arrive("1") >> arrive("2") >> e.ContactMerged("1", "2")


@reaches(Reason.LIFE_LIMIT, d.CloseContact)
def life_limit() -> Playbook:
    return Playbook(desk(limits=Limits(contact_life_ms=SECOND))) >> arrive("1") >> DEADLINE


# --- clocks ---------------------------------------------------------------------------------------

RESOLUTION = {"r": promise(ClockKind.RESOLUTION, HOUR, warnings=(50,))}
UPDATES = {"u": promise(ClockKind.PERIODIC_UPDATE, HOUR)}
ANSWER = {"p": promise(ClockKind.ANSWER, SECOND)}


@reaches(Reason.CLOCK_STARTED, d.StartSla)
def clock_started() -> Playbook:
    return Playbook(desk(promises=RESOLUTION)) >> arrive("1")


@reaches(Reason.CLOCK_PAUSED, d.PauseSla)
def clock_paused() -> Playbook:
    return talking(Playbook(desk(promises=RESOLUTION))) >> e.CustomerAwaited("1")


@reaches(Reason.CLOCK_RESUMED, d.ResumeSla)
def clock_resumed() -> Playbook:
    return clock_paused() >> e.CustomerReplied("1")


@reaches(Reason.CLOCK_RESET, d.StartSla)
def clock_reset() -> Playbook:
    return talking(Playbook(desk(promises=UPDATES))) >> e.AgentReplied("1")


@reaches(Reason.WARNING_DUE, d.WarnSla)
def warning_due() -> Playbook:
    return Playbook(desk(promises=RESOLUTION)) >> arrive("1") >> DEADLINE


@reaches(Reason.DEADLINE_PASSED, d.BreachSla)
def deadline_passed() -> Playbook:
    return Playbook(desk(promises=ANSWER)) >> arrive("1") >> DEADLINE


@reaches(Reason.STOPPED_IN_TIME, d.MeetSla)
def stopped_in_time() -> Playbook:
    return talking(Playbook(desk(promises=ANSWER)))


@reaches(Reason.STOPPED_LATE, d.StopSla)
def stopped_late() -> Playbook:
    return talking(deadline_passed())


@reaches(Reason.CLOCK_CANCELED, d.StopSla)
def clock_canceled() -> Playbook:
    return Playbook(desk(promises=ANSWER)) >> arrive("1") >> e.ContactAbandoned("1")


@reaches(Reason.RETARGETED, d.RebaseSla)
def retargeted() -> Playbook:
    stage = desk(
        tiers=("gold",),
        promises={
            "gold": promise(ClockKind.ANSWER, SECOND, tiers=("gold",)),
            "rest": promise(ClockKind.ANSWER, HOUR),
        },
    )
    return Playbook(stage) >> arrive("1") >> e.ContactUpdated("1", tier="gold")


ACTIVE = {
    "r": promise(
        ClockKind.RESOLUTION,
        HOUR,
        warnings=(50,),
        reopen=ReopenMode.RESUME,
        on_warning=PromiseAction(escalate=True),
        on_breach=PromiseAction(escalate=True),
        escalation=("lead", "manager"),
    )
}


@reaches(Reason.SLA_WARNED, d.EscalateContact)
def sla_warned() -> Playbook:
    return Playbook(desk(promises=ACTIVE)) >> arrive("1") >> DEADLINE


@reaches(Reason.SLA_BREACHED, d.EscalateContact)
def sla_breached() -> Playbook:
    return sla_warned() >> DEADLINE


@reaches(Reason.ESCALATION_DUE, d.EscalateContact)
def escalation_due() -> Playbook:
    climbing = {"r": replace(ACTIVE["r"], escalate_every_ms=SECOND)}
    return Playbook(desk(promises=climbing)) >> arrive("1") >> DEADLINE >> DEADLINE


def evening(**settings: object) -> Playbook:
    """Return a floor with an agent whose queue is open for the first hour, shut for the next."""
    table = OpeningTable(
        from_ms=START_MS,
        to_ms=START_MS + 9 * HOUR,
        open_ms=((START_MS, START_MS + HOUR), (START_MS + 2 * HOUR, START_MS + 3 * HOUR)),
        workdays_ms=((START_MS, START_MS + 3 * HOUR),),
    )
    hours = Calendar(zone="UTC", hours={"daily": ("09:00-10:00",)}, years=(2026,), table=table)
    fields: dict[str, Any] = {"calendar": "day", "when_closed": WhenClosed.WAIT, **settings}
    return Playbook(desk(queue=Queue(**fields), calendars={"day": hours})) >> sign_in("a")


@reaches(Reason.QUEUE_CLOSED, d.RefuseEvent)
def queue_closed() -> Playbook:
    return evening(when_closed=WhenClosed.REFUSE) >> at(HOUR + 1) >> arrive("1")


@reaches(Reason.QUEUE_OPENED, d.RequeueContact)
def queue_opened() -> Playbook:
    return evening() >> at(HOUR + 1, go("a", "break")) >> at(HOUR + 2, arrive("1")) >> DEADLINE


# --- events not followed --------------------------------------------------------------------------


@reaches(Reason.DUPLICATE, d.NoteDuplicate)
def duplicate() -> Playbook:
    return Playbook(desk()) >> arrive("1") >> arrive("1")


@reaches(Reason.ID_CONFLICT, d.RefuseEvent)
def id_conflict() -> Playbook:
    return Playbook(desk()) >> arrive("1") >> arrive("1", priority=9)


@reaches(Reason.STALE, d.RefuseEvent)
def stale() -> Playbook:
    return Playbook(desk()) >> sign_in("a", 2) >> e.AgentPresenceChanged("a", "break", 1)


@reaches(Reason.UNKNOWN_CONTACT, d.RefuseEvent)
def unknown_contact() -> Playbook:
    return Playbook(desk()) >> e.ContactHeld("1")


@reaches(Reason.UNKNOWN_AGENT, d.RefuseEvent)
def unknown_agent() -> Playbook:
    return Playbook(desk()) >> sign_in("nobody")


@reaches(Reason.UNKNOWN_OFFER, d.RefuseEvent)
def unknown_offer() -> Playbook:
    return Playbook(desk()) >> accept(1, "1")


@reaches(Reason.UNKNOWN_CHANNEL, d.RefuseEvent)
def unknown_channel() -> Playbook:
    return Playbook(desk()) >> arrive("1", "telegraph")


@reaches(Reason.UNKNOWN_CATEGORY, d.RefuseEvent)
def unknown_category() -> Playbook:
    return Playbook(desk()) >> arrive("1", category="praise")


@reaches(Reason.UNKNOWN_QUEUE, d.RefuseEvent)
def unknown_queue() -> Playbook:
    return Playbook(desk()) >> arrive("1", queue="elsewhere")


@reaches(Reason.UNKNOWN_SKILL, d.RefuseEvent)
def unknown_skill() -> Playbook:
    return Playbook(desk()) >> arrive("1", skills={"welsh": 1})


@reaches(Reason.UNKNOWN_PRESENCE, d.RefuseEvent)
def unknown_presence() -> Playbook:
    return Playbook(desk()) >> sign_in("a", presence="asleep")


@reaches(Reason.CONTACT_CLOSED, d.RefuseEvent)
def contact_closed() -> Playbook:
    return talking(Playbook(desk())) >> end("1") >> e.ContactHeld("1")


@reaches(Reason.ALREADY_ANSWERED, d.RefuseEvent)
def already_answered() -> Playbook:
    return talking(Playbook(desk())) >> e.ContactAbandoned("1")


@reaches(Reason.WRONG_STATE, d.RefuseEvent)
def wrong_state() -> Playbook:
    return Playbook(desk()) >> arrive("1") >> e.ContactHeld("1")


@reaches(Reason.WRONG_AGENT, d.RefuseEvent)
def wrong_agent() -> Playbook:
    return Playbook(desk("ab")) >> sign_in("a") >> arrive("1") >> accept(1, "1", "b")


@reaches(Reason.OFFER_CLOSED, d.RefuseEvent)
def offer_closed() -> Playbook:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1") >> decline(1, "1")
    return play >> accept(1, "1")


@reaches(Reason.SIGNED_OUT, d.RefuseEvent)
def signed_out() -> Playbook:
    return Playbook(desk()) >> e.AgentHeartbeat("a")


@reaches(Reason.BAD_TARGET, d.RefuseEvent)
def bad_target() -> Playbook:
    return Playbook(desk()) >> arrive("1") >> e.ContactTransferred("1")


@reaches(Reason.BAD_CENTER, d.RefuseEvent)
def bad_center() -> Playbook:
    return Playbook(desk(queues={}))


@reaches(Reason.VERSION_CONFLICT, d.RefuseEvent)
def version_conflict() -> Playbook:
    return Playbook(desk()) >> changed(desk("b"), version=1)


@reaches(Reason.STILL_IN_USE, d.RefuseEvent)
def still_in_use() -> Playbook:
    stage = desk(queues={"q": Queue(), "q2": Queue()})
    return Playbook(stage) >> arrive("1", queue="q2") >> changed(desk())


@reaches(Reason.NO_CENTER, d.RefuseEvent)
def no_center() -> Playbook:
    return Playbook() >> arrive("1")


@reaches(Reason.LIMIT_REACHED, d.RefuseEvent)
def limit_reached() -> Playbook:
    return Playbook(desk(limits=Limits(open_contacts=1))) >> arrive("1") >> arrive("2")


# --- records that could not be read ---------------------------------------------------------------


def unreadable(reason: Reason) -> Scene:
    def scene() -> Playbook:
        return Playbook(desk()) >> e.RecordRefused(reason.value, "at byte 7", "ab12")

    return scene


for _reason in (
    Reason.BAD_TIMESTAMP,
    Reason.BAD_ENCODING,
    Reason.BAD_JSON,
    Reason.BAD_SCHEMA,
    Reason.DUPLICATE_KEY,
    Reason.TOO_LARGE,
    Reason.TOO_DEEP,
    Reason.EMPTY,
    Reason.UNKNOWN_TYPE,
    Reason.WRONG_PARTITION,
):
    reaches(_reason, d.RefuseEvent)(unreadable(_reason))


# --- the loop after the contact, and upkeep -------------------------------------------------------


@reaches(Reason.SURVEY_DUE, d.RequestSurvey)
def survey_due() -> Playbook:
    return talking(Playbook(desk(category=Category(queue="q", survey_every=1)))) >> end("1")


@reaches(Reason.UNHAPPY_ANSWER, d.RequestFollowUp)
def unhappy_answer() -> Playbook:
    return talking(Playbook(desk())) >> end("1") >> e.SurveyAnswered("1", 2)


@reaches(Reason.CONFIGURED, d.ActivateCenter)
def configured() -> Playbook:
    return Playbook(desk())


# --- reasons given by more than one kind of decision ----------------------------------------------

OTHERWISE: Final[dict[str, tuple[Reason, type[d.Decision], Scene]]] = {
    "a clock goes on where it stood": (
        Reason.REOPENED,
        d.StartSla,
        lambda: (
            talking(Playbook(desk(promises=ACTIVE)))
            >> at(SECOND, end("1"))
            >> at(2 * SECOND, e.ContactReopened("1"))
        ),
    ),
    "a full queue deflects": (
        Reason.QUEUE_FULL,
        d.DeflectContact,
        lambda: (
            Playbook(desk(queue=Queue(length_max=1, when_full=LimitAction.DEFLECT)))
            >> arrive("1")
            >> arrive("2")
        ),
    ),
    "a full queue expires": (
        Reason.QUEUE_FULL,
        d.CloseContact,
        lambda: (
            Playbook(desk(queue=Queue(length_max=1, when_full=LimitAction.EXPIRE)))
            >> arrive("1")
            >> arrive("2")
        ),
    ),
    "a callback too far away": (
        Reason.BAD_TIMESTAMP,
        d.RefuseEvent,
        lambda: Playbook(desk()) >> arrive("1") >> e.CallbackRequested("1", 253_402_300_799_999),
    ),
    "a lost agent's unconnected contact": (
        Reason.AGENT_LOST,
        d.EndAssignment,
        lambda: talking(Playbook(desk(channels=CONNECTED_LATER))) >> e.AgentLost("a"),
    ),
    "silence": (
        Reason.AGENT_LOST,
        d.ChangeAgentState,
        lambda: (
            Playbook(desk(offers=OfferRules(heartbeat_timeout_ms=SECOND)))
            >> sign_in("a")
            >> DEADLINE
        ),
    ),
    "an unheard-of reason in a record": (
        Reason.BAD_SCHEMA,
        d.RefuseEvent,
        lambda: Playbook(desk()) >> e.RecordRefused("moonlight", "", ""),
    ),
    "a team's own contact policy": (
        Reason.LINEAR_AGEING,
        d.OfferContact,
        lambda: (
            Playbook(
                desk(
                    {"a": Agent(team="own")},
                    teams={"own": Team(contact_policy=ContactPolicy.LINEAR_AGEING)},
                )
            )
            >> arrive("1")
            >> sign_in("a")
        ),
    ),
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_reasons_otherwise(name: str) -> None:
    reason, kind, scene = OTHERWISE[name]
    play = scene()
    assert [x for x in play.decisions if type(x) is kind and x.reason is reason], play.decisions


DECIDED: Final[dict[type[d.Decision], Scene]] = {
    d.StartWrapUp: wrapped_up,
    d.OfferCallback: lambda: (
        Playbook(
            desk(category=Category(queue="q", steps=(Step(after_ms=SECOND, offer_callback=True),)))
        )
        >> arrive("1")
        >> DEADLINE
    ),
    d.DialCallback: lambda: (
        Playbook(desk())
        >> arrive("1")
        >> e.CallbackRequested("1")
        >> sign_in("a")
        >> accept(1, "1")
    ),
    d.OverflowContact: lambda: (
        Playbook(
            desk(
                queues={"q": Queue(), "q2": Queue()},
                categories={
                    "c": Category(queue="q", steps=(Step(after_ms=SECOND, overflow_to="q2"),))
                },
            )
        )
        >> arrive("1")
        >> DEADLINE
    ),
}


@pytest.mark.parametrize("kind", d.DECISION_TYPES)
def test_every_decision_is_reached(kind: type[d.Decision]) -> None:
    scenes = [scene for _, _, scene in OTHERWISE.values()]
    scenes += [scene for of, scene in SCENES.values() if of is kind]
    scenes += [DECIDED[kind]] if kind in DECIDED else []
    assert any(type(x) is kind for scene in scenes for x in scene().history)
