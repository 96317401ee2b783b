"""Meet the faults and inputs that the core must stand, one test per numbered case.

The numbers are those of the project's list of cases; what is not here happens at the edges (codec,
loader, journal, worker) and is tested there.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from router import events as e
from router.center import Category, Center, Channel, ClockKind, Limits, OfferRules, Queue, Step
from router.decisions import (
    AssignContact,
    BreachSla,
    ChangeAgentState,
    CloseContact,
    EndAssignment,
    EnqueueContact,
    Exit,
    NoteDuplicate,
    OfferContact,
    Reason,
    RebaseSla,
    RefuseEvent,
    RelaxContact,
    RequeueContact,
    StartSla,
    WithdrawOffer,
)
from router.events import Stamped
from router.router import Router
from tests.builders import (
    AUTO,
    HOUR,
    MINUTE,
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
from tests.playbook import DEADLINE, START_MS, Playbook, at, ms


def refused(reason: Reason, subject: str) -> RefuseEvent:
    return RefuseEvent(reason, subject)


def repeated(subject: str) -> NoteDuplicate:
    return NoteDuplicate(Reason.DUPLICATE, subject)


def test_case_01_exact_duplicate() -> None:
    play = Playbook(desk()) >> arrive("1", customer="x")
    before = play.facts()
    play >> arrive("1", customer="x") << repeated("1")
    assert play.facts() == before


def test_case_01_the_same_event_id_twice() -> None:
    play = Playbook(desk()) >> at(0, arrive("1"), event_id="e1")
    before = play.facts()
    play >> at(1, arrive("1"), event_id="e1") << repeated("")
    assert play.facts() == before


def test_case_02_same_id_other_payload() -> None:
    play = Playbook(desk()) >> arrive("1", customer="x") >> arrive("1", customer="y")
    play << refused(Reason.ID_CONFLICT, "1")
    play >> arrive("1", priority=9) << refused(Reason.ID_CONFLICT, "1")
    play >> arrive("1", customer="x") << repeated("1")


def test_case_02_a_contact_changed_since_is_still_known_by_its_first_facts() -> None:
    play = Playbook(desk()) >> arrive("1") >> e.ContactUpdated("1", priority=9)
    play >> arrive("1") << repeated("1")
    play >> arrive("1", priority=9) << refused(Reason.ID_CONFLICT, "1")


def test_case_02_an_event_id_is_the_producers_word() -> None:
    """One producer's id stands for one record; another text under it is the first one again."""
    play = Playbook(desk()) >> at(0, arrive("1"), event_id="e1")
    play >> at(1, arrive("2"), event_id="e1") << repeated("")
    play >> at(2, arrive("2"), event_id="e2")
    assert [x.contact_id for x in play.of(EnqueueContact)] == ["1", "2"]


WINDOW = Limits(duplicate_window_ms=HOUR)


def test_case_03_duplicate_after_the_end() -> None:
    play = Playbook(desk(limits=WINDOW)) >> at(0, arrive("1"), occurred_ms=ms(0))
    play >> at(MINUTE, e.ContactAbandoned("1"))
    play >> at(MINUTE + HOUR, arrive("1"), occurred_ms=ms(0)) << repeated("1")
    play >> at(MINUTE + HOUR, e.ContactAbandoned("1")) << repeated("1")


def test_case_03_duplicate_after_the_window() -> None:
    play = Playbook(desk(limits=WINDOW)) >> at(0, arrive("1"), occurred_ms=ms(0))
    play >> at(MINUTE, e.ContactAbandoned("1"))
    late = at(MINUTE + HOUR + 1, arrive("1"), occurred_ms=ms(0))
    play >> late << refused(Reason.STALE, "1")
    assert len(play.of(EnqueueContact)) == 1, "never a second contact"


def test_case_03_an_event_id_is_remembered_for_the_window() -> None:
    play = Playbook(desk(limits=WINDOW)) >> at(0, sign_in("a"), event_id="e1")
    play >> at(HOUR, go("a", "break"), event_id="e1") << repeated("")


@pytest.mark.parametrize("kind", [e.ContactEnded, e.ContactAbandoned])
def test_case_04_end_before_arrival(kind: type[e.ContactEnded | e.ContactAbandoned]) -> None:
    play = Playbook(desk()) >> sign_in("a") >> kind("1") << ()
    play >> kind("1") << repeated("1")
    play >> at(MINUTE, arrive("1"))
    play << CloseContact("1", Exit.ABANDONED, Reason.ENDED_BEFORE_ARRIVAL)
    play >> at(2 * MINUTE, arrive("1")) << repeated("1")
    assert play.of(OfferContact) == []


def test_case_04_tombstones_are_bounded() -> None:
    play = Playbook(desk(limits=Limits(event_ids=3, duplicate_window_ms=HOUR)))
    for number in range(3):
        play >> end(f"{number}") << ()
    play >> end("3") << refused(Reason.LIMIT_REACHED, "3")
    play >> at(HOUR + 1, end("3")) << ()


def test_case_05_accepted_after_the_caller_left() -> None:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1") >> end("1")
    play >> accept(1, "1") << refused(Reason.CONTACT_GONE, "1")
    play >> arrive("2")
    assert [x.agent_id for x in play.decisions if isinstance(x, OfferContact)] == ["a"]


def test_case_06_accepted_by_somebody_else_or_never_offered() -> None:
    play = Playbook(desk("ab")) >> sign_in("a") >> sign_in("b") >> arrive("1")
    before = play.facts()
    play >> accept(1, "1", "b") << refused(Reason.WRONG_AGENT, "b")
    play >> accept(1, "2", "a") << refused(Reason.WRONG_AGENT, "a")
    play >> accept(7, "1", "a") << refused(Reason.UNKNOWN_OFFER, "1")
    play >> accept(0, "1", "a") << refused(Reason.UNKNOWN_OFFER, "1")
    assert play.facts() == before


def test_case_07_accept_after_expiry() -> None:
    play = Playbook(desk("ab")) >> sign_in("a") >> sign_in("b") >> arrive("1") >> DEADLINE
    play >> accept(2, "1", "b") >> accept(1, "1", "a") << refused(Reason.OFFER_CLOSED, "1")
    assert [x.agent_id for x in play.of(AssignContact)] == ["b"]


def test_case_08_accept_twice() -> None:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1") >> accept(1, "1") >> accept(1, "1")
    play << repeated("1")


def test_case_09_accept_and_cancel_in_one_millisecond() -> None:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1")
    play >> at(5, accept(1, "1")) >> at(5, e.ContactAbandoned("1"))
    play << refused(Reason.ALREADY_ANSWERED, "1")
    play = Playbook(desk()) >> sign_in("a") >> arrive("1")
    play >> at(5, e.ContactAbandoned("1")) >> at(5, accept(1, "1"))
    play << refused(Reason.CONTACT_GONE, "1")


def test_case_09_accept_exactly_at_the_expiry_is_in_time() -> None:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1") >> at(20 * SECOND, accept(1, "1"))
    assert [x.reason for x in play.of(AssignContact)] == [Reason.ACCEPTED]
    play = Playbook(desk()) >> sign_in("a") >> arrive("1") >> at(20 * SECOND + 1, accept(1, "1"))
    assert play.of(AssignContact) == []


def test_case_10_old_presence_arrives_late() -> None:
    play = Playbook(desk()) >> sign_in("a", 2)
    play >> e.AgentPresenceChanged("a", "break", 1) << refused(Reason.STALE, "a")
    play >> e.AgentSignedOut("a", 1) << refused(Reason.STALE, "a")
    play >> arrive("1")
    assert [x.agent_id for x in play.of(OfferContact)] == ["a"]


def test_case_11_unknown_skill() -> None:
    wanted = arrive("1", skills={"welsh": 3})
    play = Playbook(desk()) >> wanted << refused(Reason.UNKNOWN_SKILL, "1")
    stage = desk(
        queues={"q": Queue(), "odd": Queue()},
        unknown_skill_queue="odd",
        promises={"p": promise(ClockKind.ANSWER, MINUTE)},
    )
    play = Playbook(stage) >> wanted
    play << (
        StartSla("1", "p", 1, ms(MINUTE), Reason.CLOCK_STARTED),
        EnqueueContact("1", "odd", Reason.UNROUTABLE, 5),
    )
    play >> sign_in("a")
    assert [x.contact_id for x in play.of(OfferContact)] == ["1"]


def test_case_12_unknown_agent() -> None:
    play = Playbook(desk()) >> sign_in("nobody") << refused(Reason.UNKNOWN_AGENT, "nobody")
    assert "nobody" not in play.router.floor.agents
    (
        play
        >> arrive("1", preferred_agent="nobody")
        << EnqueueContact("1", "q", Reason.NO_ELIGIBLE_AGENT, 5)
    )


SKILLS_13 = desk(
    {"high": with_skills(s=9), "low": with_skills(s=3), "none": with_skills()},
    skills=("s",),
    category=Category(
        queue="q",
        needs={"s": 9},
        steps=(
            Step(after_ms=MINUTE, lower={"s": 5}),
            Step(after_ms=2 * MINUTE, lower={"s": 3}),
            Step(after_ms=3 * MINUTE, drop=("s",)),
        ),
    ),
)
SKIPPED_13 = (
    RelaxContact("1", 1, Reason.NO_STAFFED_AGENT),
    RelaxContact("1", 2, Reason.NO_STAFFED_AGENT),
)


def test_case_13_nobody_has_the_skill() -> None:
    """It waits and says so once; steps that help nobody staffed are skipped, others are not."""
    play = Playbook(SKILLS_13) >> sign_in("low", presence="break") >> arrive("1")
    play << (EnqueueContact("1", "q", Reason.NO_ELIGIBLE_AGENT, 5), *SKIPPED_13)
    play >> at(3 * MINUTE - 1) << ()
    play >> at(3 * MINUTE) << RelaxContact("1", 3, Reason.STEP_DUE)
    play >> sign_in("none")
    assert [x.agent_id for x in play.of(OfferContact)] == ["none"]
    assert [x.reason for x in play.of(EnqueueContact)] == [Reason.NO_ELIGIBLE_AGENT]


def test_case_13_steps_are_skipped_as_soon_as_that_helps() -> None:
    play = Playbook(SKILLS_13) >> arrive("1")
    play << EnqueueContact("1", "q", Reason.NO_ELIGIBLE_AGENT, 5)
    play >> sign_in("low", presence="break") << SKIPPED_13


def test_case_13_the_last_one_staffed_leaves() -> None:
    play = Playbook(SKILLS_13) >> sign_in("high", presence="break") >> arrive("1")
    play << EnqueueContact("1", "q", Reason.ARRIVED, 5)
    play >> sign_in("low", presence="break") << ()
    play >> e.AgentSignedOut("high") << SKIPPED_13


def test_case_13_with_nobody_there_the_steps_come_in_time() -> None:
    stage = desk(
        {"a": with_skills(s=9)},
        skills=("s",),
        category=Category(
            queue="q",
            needs={"s": 9},
            steps=(Step(after_ms=MINUTE, lower={"s": 5}), Step(after_ms=HOUR, deflect=True)),
        ),
    )
    play = Playbook(stage) >> arrive("1") >> DEADLINE << RelaxContact("1", 1, Reason.STEP_DUE)
    play >> DEADLINE
    assert [x.exit for x in play.of(CloseContact)] == [Exit.DEFLECTED]


@pytest.mark.parametrize("how", ["silence", "word", "expiry"])
def test_case_14_agent_vanishes_in_an_offer(how: str) -> None:
    rules = replace(PATIENT, heartbeat_timeout_ms=10 * SECOND if how == "silence" else 0)
    play = Playbook(desk("ab", offers=rules)) >> sign_in("a") >> arrive("1") >> arrive("2")
    if how == "word":
        play >> at(SECOND, e.AgentLost("a"))
    else:
        play >> DEADLINE
        assert play.now_ms == ms(10 * SECOND if how == "silence" else 20 * SECOND)
    reason = Reason.EXPIRED if how == "expiry" else Reason.AGENT_LOST
    assert WithdrawOffer(1, "1", "a", reason) in play.decisions
    assert RequeueContact("1", "q", reason, 5) in play.decisions
    play >> sign_in("b")
    if how != "expiry":
        offered = [x.contact_id for x in play.decisions if isinstance(x, OfferContact)]
        assert offered == ["1"], "it kept its place"


def test_case_14_an_agent_heard_of_is_not_lost() -> None:
    play = Playbook(desk(offers=OfferRules(heartbeat_timeout_ms=10 * SECOND))) >> sign_in("a")
    for second in range(9, 60, 9):
        play >> at(second * SECOND, e.AgentHeartbeat("a")) << ()
    play >> DEADLINE << ChangeAgentState("a", "available", Reason.AGENT_LOST)
    assert play.now_ms == ms(64 * SECOND)


def test_case_15_agent_vanishes_in_a_call() -> None:
    rules = replace(PATIENT, lost_agent_timeout_ms=10 * MINUTE)
    play = Playbook(desk("ab", offers=rules)) >> sign_in("a") >> sign_in("b") >> arrive("1")
    play >> accept(1, "1") >> at(SECOND, e.AgentLost("a")) << ()
    (
        play
        >> at(MINUTE, end("1"))
        << (
            EndAssignment("1", "a", Reason.CUSTOMER_LEFT),
            CloseContact("1", Exit.HANDLED, Reason.CUSTOMER_LEFT),
        )
    )


def test_case_15_a_call_is_given_back_when_nobody_speaks_for_it() -> None:
    rules = replace(PATIENT, lost_agent_timeout_ms=10 * MINUTE)
    play = Playbook(desk("ab", offers=rules)) >> sign_in("a") >> sign_in("b") >> arrive("1")
    play >> accept(1, "1") >> at(SECOND, e.AgentLost("a")) >> DEADLINE
    assert play.now_ms == ms(SECOND + 10 * MINUTE)
    assert play.decisions[:2] == [
        EndAssignment("1", "a", Reason.AGENT_LOST),
        RequeueContact("1", "q", Reason.AGENT_LOST, 5),
    ]
    assert [x.agent_id for x in play.of(OfferContact)] == ["a", "b"]


def test_case_15_an_agent_who_comes_back_keeps_his_call() -> None:
    rules = replace(PATIENT, lost_agent_timeout_ms=10 * MINUTE)
    play = Playbook(desk(offers=rules)) >> sign_in("a") >> arrive("1") >> accept(1, "1")
    play >> at(SECOND, e.AgentLost("a")) >> at(MINUTE, e.AgentHeartbeat("a"))
    play << ChangeAgentState("a", "available", Reason.HEARD_AGAIN)
    play >> at(HOUR) << ()


@pytest.mark.parametrize("failed", [False, True])
def test_case_16_accepted_never_connected(failed: bool) -> None:  # noqa: FBT001 - a row
    stage = desk("ab", channels={"phone": Channel(connect_timeout_ms=10 * SECOND)})
    play = Playbook(stage) >> sign_in("a") >> arrive("1") >> at(1, arrive("2")) >> accept(1, "1")
    if failed:
        play >> at(SECOND, e.OfferConnectFailed(1, "1", "a"))
    else:
        play >> DEADLINE
    reason = Reason.CONNECT_FAILED if failed else Reason.CONNECT_TIMEOUT
    assert play.decisions[:2] == [
        EndAssignment("1", "a", reason),
        RequeueContact("1", "q", reason, 5),
    ]
    offered = [x.contact_id for x in play.decisions if isinstance(x, OfferContact)]
    assert offered == ["1"], "at its old place, before 2"


def test_case_17_signed_in_twice() -> None:
    play = Playbook(desk()) >> sign_in("a", 1) >> sign_in("a", 2) << ()
    play >> sign_in("a", 1) << refused(Reason.STALE, "a")
    play >> sign_in("a", 2) << repeated("a")
    play >> e.AgentSignedOut("a", 1) << refused(Reason.STALE, "a")


def test_case_18_capacity_cut_below_load() -> None:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1", "chat") >> accept(1, "1")
    play >> arrive("2", "chat") >> accept(2, "2") >> e.AgentCapacityChanged("a", 34) << ()
    play >> arrive("3", "chat") << EnqueueContact("3", "q", Reason.ARRIVED, 5)
    play >> end("1")
    assert not [x for x in play.decisions if isinstance(x, OfferContact)]
    play >> end("2")
    assert [x.contact_id for x in play.decisions if isinstance(x, OfferContact)] == ["3"]


def test_case_19_skill_removed_in_a_call() -> None:
    stage = desk(
        {"a": with_skills(s=5)}, skills=("s",), category=Category(queue="q", needs={"s": 5})
    )
    play = Playbook(stage) >> sign_in("a") >> arrive("1") >> accept(1, "1")
    play >> e.AgentSkillsChanged("a", {}) << ()
    play >> arrive("2") << EnqueueContact("2", "q", Reason.NO_ELIGIBLE_AGENT, 5)
    play >> end("1")
    assert not [x for x in play.decisions if isinstance(x, OfferContact)]
    play >> e.AgentSkillsChanged("a", {"s": 5})
    assert [x.contact_id for x in play.decisions if isinstance(x, OfferContact)] == ["2"]


@pytest.mark.parametrize(
    "bad",
    [
        desk(queue=Queue(wait_max_ms=-1)),
        desk(queue=Queue(ring_step_ms=0)),
        desk(category=Category(queue="q", wrap_up_ms=10**15)),
        desk(channels={"phone": Channel(offer_timeout_ms=-5)}),
        desk(promises={"p": promise(ClockKind.ANSWER, 0)}),
        desk(offers=OfferRules(backoff_busy_ms=10**18)),
    ],
)
def test_case_35_negative_zero_and_huge_durations(bad: Center) -> None:
    good = desk()
    play = Playbook(good) >> changed(bad) << refused(Reason.BAD_CENTER, "desk")
    assert play.router.floor.center == good, "the old version stays"
    assert Playbook(bad).decisions == [refused(Reason.BAD_CENTER, "desk")]


def test_case_37_configuration_changed_with_open_clocks() -> None:
    old = desk(promises={"p": promise(ClockKind.ANSWER, HOUR)})
    new = {"p": promise(ClockKind.ANSWER, MINUTE)}
    play = Playbook(old) >> arrive("1") >> changed(old, promises=new) >> at(2 * MINUTE)
    assert play.of(BreachSla) == []
    play >> changed(old, version=3, promises=new, rebase=True)
    assert play.of(RebaseSla) == [RebaseSla("1", "p", 1, ms(HOUR), ms(MINUTE), Reason.RETARGETED)]


def test_case_38_queue_removed_with_contacts_in_it() -> None:
    both = desk(queues={"q": Queue(), "q2": Queue()})
    play = Playbook(both) >> arrive("1", queue="q2")
    play >> changed(desk()) << refused(Reason.STILL_IN_USE, "q2")
    assert play.router.floor.center == both
    play >> changed(desk(), move_to={"q2": "q"})
    assert RequeueContact("1", "q", Reason.CENTER_CHANGED, 5) in play.decisions
    play = Playbook(both) >> arrive("1", queue="q2") >> changed(desk(), drain=("q2",))
    assert RequeueContact("1", "q2", Reason.CENTER_CHANGED, 5) in play.decisions
    play >> sign_in("a")
    assert [x.contact_id for x in play.of(OfferContact)] == ["1"]


def test_case_39_versions_out_of_order() -> None:
    center = desk()
    play = Playbook(center) >> changed(center, version=5)
    play >> changed(center, version=4) << refused(Reason.STALE, "desk")
    play >> changed(center, version=5) << repeated("desk")
    play >> changed(desk("b"), version=5) << refused(Reason.VERSION_CONFLICT, "desk")
    play >> changed(replace(center, name="other"), version=6) << refused(Reason.BAD_CENTER, "other")
    assert play.router.floor.center is not None
    assert play.router.floor.center.version == 5


def test_case_43_alarm_rings_twice_or_late() -> None:
    stage = desk(promises={"p": promise(ClockKind.ANSWER, MINUTE)}, channels={"phone": AUTO})
    play = Playbook(stage) >> arrive("1") >> at(MINUTE)
    assert len(play.of(BreachSla)) == 1
    play >> at(MINUTE, e.TimeAdvanced()) << ()
    play >> at(2 * MINUTE, e.TimeAdvanced()) << ()


def test_case_43_an_alarm_that_rings_before_its_time_is_harmless() -> None:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1")
    before = play.facts()
    play >> at(SECOND, e.TimeAdvanced()) << ()
    assert play.facts() == before
    play >> DEADLINE
    assert play.now_ms == ms(20 * SECOND)


def test_case_43_late_alarms_ring_in_order_and_none_is_lost() -> None:
    """A driver that was away for an hour still finds each instant in its turn."""
    router = Router()
    stage = desk(promises={"p": promise(ClockKind.ANSWER, MINUTE, warnings=(50,))})
    router.handle(Stamped(1, START_MS, e.CenterChanged(stage)))
    for number in range(3):
        router.handle(Stamped(2 + number, START_MS + number, arrive(f"{number}")))
    decisions = router.handle(Stamped(5, START_MS + HOUR, e.TimeAdvanced()))
    said = [(type(x).__name__, x.contact_id) for x in decisions if hasattr(x, "contact_id")]
    assert said == [("WarnSla", "0"), ("WarnSla", "1"), ("WarnSla", "2")] + [
        ("BreachSla", f"{number}") for number in range(3)
    ]
    assert [x.deadline_ms for x in decisions if isinstance(x, BreachSla)] == [
        ms(MINUTE + number) for number in range(3)
    ]


def test_a_declined_offer_leaves_a_trace_and_no_more() -> None:
    play = Playbook(desk("ab")) >> sign_in("a") >> sign_in("b") >> arrive("1")
    play >> decline(1, "1") >> accept(2, "1", "b") >> end("1")
    assert play.of(CloseContact) == [CloseContact("1", Exit.HANDLED, Reason.CUSTOMER_LEFT)]
