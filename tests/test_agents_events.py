"""Follow agents: sign-in, presence, skills, capacity, heartbeat, loss."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router import events as e
from router.center import Agent, Category, Channel, OfferRules, Queue
from router.decisions import (
    AssignContact,
    ChangeAgentState,
    CloseContact,
    EndAssignment,
    OfferContact,
    Reason,
    RefuseEvent,
    RequeueContact,
    WithdrawOffer,
)
from tests.builders import (
    AUTO,
    HOUR,
    MINUTE,
    PATIENT,
    SECOND,
    accept,
    arrive,
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


ALIVE = replace(PATIENT, heartbeat_timeout_ms=30 * SECOND, lost_agent_timeout_ms=MINUTE)

# --- who gets work --------------------------------------------------------------------------------


@pytest.mark.parametrize("presence", ["break", "training", "unanswered"])
def test_only_a_presence_that_takes_work_gets_any(presence: str) -> None:
    play = Playbook(desk()) >> arrive("1") >> sign_in("a", presence=presence) << ()
    play >> go("a", "available")
    assert offered(play) == [("1", "a")]


def test_presences_are_the_configurations_own() -> None:
    stage = desk(presences={"available": True, "mentoring": True, "unanswered": False})
    play = Playbook(stage) >> arrive("1") >> sign_in("a", presence="mentoring")
    assert offered(play) == [("1", "a")]
    play >> go("a", "break") << RefuseEvent(Reason.UNKNOWN_PRESENCE, "a")


def test_signing_in_again_with_a_newer_session_keeps_the_work() -> None:
    play = Playbook(desk()) >> sign_in("a", 1) >> arrive("1") >> accept(1, "1")
    play >> sign_in("a", 2) << ()
    play >> end("1")
    assert [x.agent_id for x in play.of(EndAssignment)] == ["a"]


def test_signing_out_gives_back_what_is_not_connected_and_keeps_what_is() -> None:
    stage = desk(
        channels={"chat": Channel(units=34, connect_timeout_ms=HOUR, offer_timeout_ms=HOUR)}
    )
    play = Playbook(stage) >> sign_in("a")
    for number in ("1", "2"):
        play >> arrive(number, "chat") >> accept(int(number), number)
    (
        play
        >> e.OfferConnected(1, "1", "a")
        >> e.AgentSignedOut("a")
        << (
            EndAssignment("2", "a", Reason.AGENT_SIGNED_OUT),
            RequeueContact("2", "q", Reason.AGENT_SIGNED_OUT, 5),
        )
    )
    play >> at(2 * HOUR) << ()
    play >> end("1")
    assert [x.contact_id for x in play.of(CloseContact)] == ["1"]


def test_who_comes_back_from_a_break_stands_behind_those_who_stayed() -> None:
    play = Playbook(desk("ab")) >> sign_in("a") >> sign_in("b") >> go("a", "break")
    play >> go("a", "available") >> arrive("1")
    assert offered(play) == [("1", "b")]


def test_a_change_between_two_presences_that_take_work_costs_no_turn() -> None:
    presences = {"available": True, "mentoring": True, "unanswered": False}
    play = Playbook(desk("ab", presences=presences)) >> sign_in("a") >> sign_in("b")
    play >> go("a", "mentoring") >> arrive("1")
    assert offered(play) == [("1", "a")]


def test_an_agent_at_work_on_a_break_finishes_and_gets_nothing_new() -> None:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1") >> accept(1, "1") >> go("a", "break")
    play >> arrive("2") >> end("1")
    assert offered(play) == []
    play >> go("a", "available")
    assert offered(play) == [("2", "a")]


def test_an_agent_takes_all_that_he_has_room_for_at_once() -> None:
    play = Playbook(desk({"a": Agent(team="t", capacity=110)}))
    for number in range(5):
        play >> arrive(f"{number}", "chat")
    play >> sign_in("a")
    assert offered(play) == [("0", "a"), ("1", "a"), ("2", "a")]


def test_an_agent_without_capacity_gets_nothing() -> None:
    play = Playbook(desk("ab")) >> e.AgentCapacityChanged("a", 0) >> sign_in("a") >> arrive("1")
    assert offered(play) == []
    play >> e.AgentCapacityChanged("a", 100)
    assert offered(play) == [("1", "a")]


# --- skills ---------------------------------------------------------------------------------------

SKILLED = desk(
    {"a": with_skills(s=5), "b": with_skills()},
    skills=("s",),
    category=Category(queue="q", needs={"s": 5}, preferred_wait_ms=HOUR),
)


def test_a_skill_gained_is_used_at_once() -> None:
    play = Playbook(SKILLED) >> sign_in("b") >> arrive("1") >> e.AgentSkillsChanged("b", {"s": 5})
    assert offered(play) == [("1", "b")]


def test_a_skill_gained_while_signed_out_counts_from_the_sign_in() -> None:
    play = Playbook(SKILLED) >> arrive("1") >> e.AgentSkillsChanged("b", {"s": 9}) << ()
    play >> sign_in("b")
    assert offered(play) == [("1", "b")]


def test_who_waits_for_an_agent_that_lost_the_skill_waits_for_anyone() -> None:
    play = Playbook(SKILLED) >> sign_in("a", presence="break") >> arrive("1", preferred_agent="a")
    play >> sign_in("b") >> e.AgentSkillsChanged("b", {"s": 5})
    assert offered(play) == []
    play >> e.AgentSkillsChanged("a", {})
    assert offered(play) == [("1", "b")]


def test_an_open_offer_survives_the_loss_of_the_skill() -> None:
    """The call may already be ringing in his ear; the next one does not."""
    play = Playbook(SKILLED) >> sign_in("a") >> arrive("1") >> e.AgentSkillsChanged("a", {})
    play >> accept(1, "1")
    assert [x.contact_id for x in play.of(AssignContact)] == ["1"]


# --- loss -----------------------------------------------------------------------------------------


def test_silence_is_loss_at_its_exact_instant() -> None:
    play = Playbook(desk(offers=ALIVE)) >> sign_in("a") >> arrive("1") >> accept(1, "1")
    play >> at(20 * SECOND, e.AgentHeartbeat("a")) >> at(50 * SECOND - 1)
    assert play.of(ChangeAgentState) == []
    play >> at(50 * SECOND) << ChangeAgentState("a", "available", Reason.AGENT_LOST)


def test_a_heartbeat_is_no_sign_in() -> None:
    play = Playbook(desk(offers=ALIVE)) >> arrive("1")
    play >> e.AgentHeartbeat("a") << RefuseEvent(Reason.SIGNED_OUT, "a")
    play >> sign_in("a") >> e.AgentSignedOut("a")
    play >> e.AgentHeartbeat("a") << RefuseEvent(Reason.SIGNED_OUT, "a")
    play >> at(HOUR)
    assert play.of(ChangeAgentState) == [], "who is gone is not missed"


def test_any_word_of_his_presence_starts_the_time_anew() -> None:
    play = Playbook(desk(offers=ALIVE)) >> sign_in("a") >> at(20 * SECOND, go("a", "break"))
    play >> DEADLINE << ChangeAgentState("a", "break", Reason.AGENT_LOST)
    assert play.now_ms == ms(50 * SECOND)


def test_who_is_heard_again_is_as_he_was() -> None:
    play = Playbook(desk(offers=ALIVE)) >> sign_in("a") >> DEADLINE >> arrive("1")
    (
        play
        >> e.AgentHeartbeat("a")
        << (
            ChangeAgentState("a", "available", Reason.HEARD_AGAIN),
            OfferContact(1, "1", "a", Reason.PRIORITY_THEN_AGE, ms(50 * SECOND)),
        )
    )
    play = Playbook(desk(offers=ALIVE)) >> sign_in("a", presence="break") >> DEADLINE
    play >> arrive("1") >> e.AgentHeartbeat("a")
    play << ChangeAgentState("a", "break", Reason.HEARD_AGAIN)


def test_a_lost_agent_may_sign_in_again() -> None:
    play = Playbook(desk()) >> sign_in("a", 1) >> e.AgentLost("a") >> arrive("1")
    play >> sign_in("a", 1)
    assert offered(play) == [("1", "a")]


def test_a_lost_agent_who_comes_back_in_time_keeps_his_call() -> None:
    play = Playbook(desk(offers=ALIVE)) >> sign_in("a") >> arrive("1") >> accept(1, "1")
    play >> DEADLINE >> at(60 * SECOND, sign_in("a")) >> at(150 * SECOND - 1)
    assert play.of(EndAssignment) == [], "lost again at 90 s, he has a minute once more"
    play >> at(150 * SECOND)
    assert [x.reason for x in play.of(EndAssignment)] == [Reason.AGENT_LOST]


def test_a_call_that_ends_with_a_lost_agent_has_no_wrap_up() -> None:
    stage = desk(category=Category(queue="q", wrap_up_ms=-1))
    play = Playbook(stage) >> sign_in("a") >> arrive("1") >> accept(1, "1") >> e.AgentLost("a")
    play >> end("1")
    assert [x.reason for x in play.of(CloseContact)] == [Reason.CUSTOMER_LEFT]


@pytest.mark.parametrize("leave", [e.AgentLost("a"), e.AgentSignedOut("a")])
def test_nobody_waits_in_a_wrap_up_that_will_never_end(leave: e.Event) -> None:
    stage = desk(category=Category(queue="q", wrap_up_ms=MINUTE), offers=ALIVE)
    play = Playbook(stage) >> sign_in("a") >> arrive("1") >> accept(1, "1") >> end("1") >> leave
    play >> at(2 * MINUTE)
    assert [x.contact_id for x in play.of(CloseContact)] == ["1"]


def test_a_lost_agents_open_offer_is_withdrawn_at_once() -> None:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1") >> e.AgentLost("a")
    play << (
        WithdrawOffer(1, "1", "a", Reason.AGENT_LOST),
        RequeueContact("1", "q", Reason.AGENT_LOST, 5),
    )


# --- back-off and presence ------------------------------------------------------------------------


def test_a_break_does_not_shorten_a_back_off() -> None:
    rules = OfferRules(backoff_declined_ms=MINUTE)
    play = Playbook(desk(offers=rules)) >> sign_in("a") >> arrive("1")
    play >> e.OfferDeclined(1, "1", "a") >> go("a", "break") >> go("a", "available")
    assert offered(play) == []
    play >> at(MINUTE)
    assert offered(play) == [("1", "a")]


def test_a_new_session_begins_without_back_off() -> None:
    rules = OfferRules(backoff_declined_ms=MINUTE)
    play = Playbook(desk(offers=rules)) >> sign_in("a", 1) >> arrive("1")
    play >> e.OfferDeclined(1, "1", "a") >> e.AgentSignedOut("a") >> sign_in("a", 2)
    assert offered(play) == [("1", "a")]


def test_unanswered_offers_are_forgotten_when_the_agent_says_that_he_is_there() -> None:
    rules = replace(PATIENT, unanswered_max=2)
    play = Playbook(desk(offers=rules)) >> sign_in("a") >> arrive("1") >> DEADLINE
    play >> go("a", "break") >> go("a", "available") >> DEADLINE
    assert play.of(ChangeAgentState) == []


# --- the customer's last agent --------------------------------------------------------------------


def test_an_erased_customer_has_no_last_agent() -> None:
    stage = desk(
        "ab",
        channels={"phone": AUTO},
        queue=Queue(),
        category=Category(queue="q", last_agent_wait_ms=HOUR),
    )
    play = Playbook(stage) >> sign_in("b") >> arrive("1", customer="x") >> end("1")
    play >> sign_in("a") >> e.CustomerErased("x") << ()
    assert "x" not in play.router.floor.last_agents
    play >> arrive("0") >> arrive("2", customer="x")
    assert offered(play) == [("2", "a")]
