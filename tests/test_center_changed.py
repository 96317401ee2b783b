"""Change the configuration under the feet of contacts and agents."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router import events as e
from router.center import (
    Agent,
    AgentPolicy,
    Category,
    Channel,
    ContactPolicy,
    Limits,
    OfferRules,
    Queue,
    Step,
    Team,
)
from router.decisions import (
    ActivateCenter,
    AssignContact,
    CloseContact,
    EnqueueContact,
    Exit,
    OfferContact,
    Reason,
    RefuseEvent,
    RequeueContact,
    WithdrawOffer,
)
from tests.builders import (
    AUTO,
    CHANNELS,
    HOUR,
    MINUTE,
    SECOND,
    accept,
    arrive,
    changed,
    desk,
    end,
    sign_in,
    with_skills,
)
from tests.playbook import Playbook, at, ms

TWO = desk("ab", queues={"q": Queue(), "q2": Queue()})


def offered(play: Playbook) -> list[tuple[str, str]]:
    """Return whom the last step offered to whom."""
    return [(x.contact_id, x.agent_id) for x in play.decisions if isinstance(x, OfferContact)]


def still_in_use(play: Playbook, name: str) -> None:
    assert play.decisions == [RefuseEvent(Reason.STILL_IN_USE, name)]


def test_the_first_configuration_opens_the_centre() -> None:
    play = Playbook() >> e.CenterChanged(desk())
    assert [type(x) for x in play.decisions] == [ActivateCenter]
    assert play.of(ActivateCenter)[0].version == 1


@pytest.mark.parametrize(
    "event",
    [arrive("1"), sign_in("a"), accept(1, "1"), end("1"), e.AgentHeartbeat("a")],
)
def test_before_it_everything_is_refused(event: e.Event) -> None:
    play = Playbook() >> event << RefuseEvent(Reason.NO_CENTER, "")
    play >> e.CenterChanged(desk()) >> arrive("1")
    assert len(play.of(EnqueueContact)) == 1


def test_those_who_wait_keep_their_order_and_are_served_by_the_new_rules() -> None:
    play = Playbook(TWO) >> arrive("1") >> at(1, arrive("2", priority=9)) >> at(2, arrive("3"))
    play >> changed(TWO, contact_policy=ContactPolicy.LINEAR_AGEING, ageing_points_ms=1)
    requeued = [x.contact_id for x in play.decisions if isinstance(x, RequeueContact)]
    assert requeued == ["1", "2", "3"]
    play >> sign_in("a")
    assert [x.reason for x in play.of(OfferContact)] == [Reason.LINEAR_AGEING]
    assert offered(play) == [("2", "a")]
    play >> accept(1, "2") >> end("2")
    assert offered(play) == [("1", "a")]


def test_what_is_on_offer_or_in_hand_goes_on() -> None:
    play = Playbook(TWO) >> sign_in("a") >> sign_in("b") >> arrive("1") >> accept(1, "1")
    play >> arrive("2") >> changed(TWO, categories={"c": Category(queue="q2", wrap_up_ms=HOUR)})
    assert [type(x) for x in play.decisions] == [ActivateCenter]
    play >> accept(2, "2", "b") >> end("1") >> end("2")
    assert not play.of(CloseContact), "both wrap up, as the new version says"
    play >> at(HOUR)
    assert len(play.of(CloseContact)) == 2


def test_an_agent_no_longer_configured_loses_offers_and_finishes_his_work() -> None:
    play = Playbook(TWO) >> sign_in("a") >> sign_in("b") >> arrive("1") >> arrive("2")
    play >> accept(1, "1", "a") >> changed(TWO, agents={"a": Agent(team="t")})
    assert WithdrawOffer(2, "2", "b", Reason.AGENT_SIGNED_OUT) in play.decisions
    play >> changed(TWO, version=3, agents={"c": Agent(team="t")})
    play >> sign_in("a") << RefuseEvent(Reason.UNKNOWN_AGENT, "a")
    play >> sign_in("c")
    assert offered(play) == [("2", "c")]
    play >> end("1")
    assert CloseContact("1", Exit.HANDLED, Reason.CUSTOMER_LEFT) in play.decisions
    assert "a" not in play.router.floor.agents


def test_an_agent_who_comes_back_into_the_configuration_signs_in_anew() -> None:
    play = Playbook(TWO) >> sign_in("a", 3) >> changed(TWO, agents={"b": Agent(team="t")})
    play >> changed(TWO, version=3) >> arrive("1")
    assert offered(play) == []
    play >> sign_in("a", 4)
    assert offered(play) == [("1", "a")]


def test_new_skills_and_teams_hold_at_once() -> None:
    stage = desk(
        {"a": Agent(team="t", skills={"s": 2}), "b": Agent(team="u")},
        teams={"t": Team(), "u": Team()},
        skills=("s",),
        queue=Queue(teams=("t", "u")),
        category=Category(queue="q", needs={"s": 2}),
    )
    play = Playbook(stage) >> sign_in("a") >> sign_in("b")
    higher = {"c": Category(queue="q", needs={"s": 5})}
    agents = {"a": stage.agents["a"], "b": Agent(team="u", skills={"s": 5})}
    play >> changed(stage, categories=higher, agents=agents) >> arrive("1")
    assert offered(play) == [("1", "b")]
    play >> changed(stage, version=3, queues={"q": Queue(teams=("t",))}, categories=higher,
                    agents={**agents, "a": Agent(team="t", skills={"s": 9})})  # fmt: skip
    play >> arrive("2")
    assert offered(play) == [("2", "a")]


def test_skills_learnt_since_survive_a_version_that_says_nothing_new_of_them() -> None:
    stage = desk(
        {"a": with_skills(s=9), "b": with_skills()},
        skills=("s",),
        category=Category(queue="q", needs={"s": 9}),
    )
    play = Playbook(stage) >> sign_in("b") >> e.AgentSkillsChanged("b", {"s": 9})
    play >> changed(stage, ageing_points_ms=SECOND) >> arrive("1")
    assert offered(play) == [("1", "b")]


def test_dearer_channels_are_counted_anew() -> None:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1", "chat") >> accept(1, "1")
    dear = {**CHANNELS, "chat": replace(CHANNELS["chat"], units=60)}
    play >> changed(desk(), channels=dear) >> arrive("2", "chat")
    assert offered(play) == [], "120 units are more than 100"
    play >> end("1")
    assert offered(play) == [("2", "a")]


def test_another_agent_policy_takes_over() -> None:
    play = Playbook(TWO) >> sign_in("b") >> sign_in("a")
    linear = {"q": Queue(agent_policy=AgentPolicy.LINEAR), "q2": Queue()}
    play >> changed(TWO, queues=linear) >> arrive("1")
    assert play.of(OfferContact)[-1].reason is Reason.LINEAR
    assert offered(play) == [("1", "a")]


def test_a_version_without_scores_may_be_followed_by_one_with() -> None:
    play = Playbook(TWO) >> sign_in("a") >> sign_in("b") >> arrive("1") >> accept(1, "1")
    few = {"q": Queue(agent_policy=AgentPolicy.FEWEST_CONTACTS), "q2": Queue()}
    play >> at(MINUTE, changed(TWO, queues=few)) >> end("1") >> arrive("2") >> arrive("3")
    assert offered(play) == [("3", "a")]
    assert [x.agent_id for x in play.of(OfferContact)] == ["a", "b", "a"]


# --- queues -------------------------------------------------------------------------------------


def test_a_queue_may_go_when_nobody_needs_it() -> None:
    play = Playbook(TWO) >> arrive("1") >> changed(desk("ab"))
    assert isinstance(play.decisions[0], ActivateCenter)


@pytest.mark.parametrize("state", ["waiting", "offered", "handling", "awaiting", "scheduled"])
def test_a_queue_with_open_contacts_may_not_go(state: str) -> None:
    play = Playbook(TWO)
    if state not in {"waiting", "scheduled"}:
        play >> sign_in("a")
    play >> arrive("1", queue="q2")
    if state in {"handling", "awaiting"}:
        play >> accept(1, "1")
    if state == "awaiting":
        play >> e.CustomerAwaited("1")
    if state == "scheduled":
        play >> e.CallbackRequested("1", ms(HOUR))
    still_in_use(play >> changed(desk("ab")), "q2")
    play >> changed(desk("ab"), move_to={"q2": "q"})
    assert isinstance(play.decisions[0], ActivateCenter)
    play >> e.CustomerReplied("1") >> sign_in("b") >> at(HOUR)
    if state != "handling":
        enqueued = [
            x.queue for x in play.history if isinstance(x, (EnqueueContact, RequeueContact))
        ]
        assert state == "offered" or enqueued[-1] == "q"


def test_a_contact_that_overflowed_is_in_the_queue_it_went_to() -> None:
    steps = (Step(after_ms=SECOND, overflow_to="q2"),)
    stage = replace(TWO, categories={"c": Category(queue="q", steps=steps)})
    play = Playbook(stage) >> arrive("1") >> at(SECOND)
    still_in_use(play >> changed(desk("ab")), "q2")
    play >> changed(desk("ab"), move_to={"q2": "q"})
    assert RequeueContact("1", "q", Reason.CENTER_CHANGED, 5) in play.decisions


def test_move_to_a_queue_that_is_not_there_is_refused() -> None:
    play = Playbook(TWO) >> arrive("1", queue="q2")
    play >> changed(desk("ab"), move_to={"q2": "q9"})
    assert [type(x) for x in play.decisions] == [RefuseEvent]
    assert play.router.floor.center == TWO


def test_a_drained_queue_takes_nobody_in() -> None:
    play = Playbook(TWO) >> arrive("1", queue="q2") >> arrive("2")
    play >> changed(desk("ab"), drain=("q2",))
    play >> arrive("3", queue="q2") << RefuseEvent(Reason.UNKNOWN_QUEUE, "3")
    play >> e.ContactTransferred("2", queue="q2") << RefuseEvent(Reason.UNKNOWN_QUEUE, "2")


def test_a_drained_queue_ends_with_its_last_contact() -> None:
    play = Playbook(TWO) >> arrive("1", queue="q2") >> arrive("2", queue="q2")
    play >> changed(desk("ab"), drain=("q2",))
    play >> sign_in("a") >> accept(1, "1") >> end("1")
    assert offered(play) == [("2", "a")]
    play >> accept(2, "2") >> end("2") >> changed(desk("ab"), version=3)
    assert isinstance(play.decisions[0], ActivateCenter)
    play >> arrive("4", queue="q2") << RefuseEvent(Reason.UNKNOWN_QUEUE, "4")


def test_a_category_channel_or_skill_in_use_may_not_go() -> None:
    stage = desk(
        {"a": with_skills(s=1)},
        skills=("s",),
        categories={"c": Category(queue="q"), "d": Category(queue="q")},
    )
    play = Playbook(stage) >> arrive("1", category="d")
    still_in_use(play >> changed(stage, categories={"c": Category(queue="q")}), "d")
    play = Playbook(stage) >> arrive("1", "chat")
    still_in_use(play >> changed(stage, channels={"phone": AUTO}), "chat")
    play = Playbook(stage) >> arrive("1", skills={"s": 1})
    play >> changed(stage, skills=(), agents={"a": Agent(team="t")})
    assert [x.reason for x in play.decisions if isinstance(x, RefuseEvent)] == [Reason.STILL_IN_USE]
    play >> end("1") >> changed(stage, skills=(), agents={"a": Agent(team="t")})
    assert isinstance(play.decisions[0], ActivateCenter)


def test_a_closed_contact_whose_category_is_gone_can_no_longer_be_reopened() -> None:
    stage = desk(categories={"c": Category(queue="q"), "d": Category(queue="q")})
    play = Playbook(stage) >> sign_in("a") >> arrive("1", category="d") >> accept(1, "1")
    play >> end("1") >> changed(stage, categories={"c": Category(queue="q")})
    play >> e.ContactReopened("1") << RefuseEvent(Reason.UNKNOWN_CATEGORY, "1")


# --- numbers ------------------------------------------------------------------------------------


def test_fewer_steps_than_taken() -> None:
    steps = tuple(Step(after_ms=n * SECOND, raise_priority=1) for n in (1, 2, 3))
    stage = desk(category=Category(queue="q", steps=steps))
    play = Playbook(stage) >> arrive("1") >> at(3 * SECOND)
    play >> changed(stage, categories={"c": Category(queue="q", steps=steps[:1])})
    assert RequeueContact("1", "q", Reason.CENTER_CHANGED, 6) in play.decisions


def test_new_limits_hold_from_now_on_and_lose_nobody() -> None:
    play = Playbook(TWO) >> arrive("1") >> arrive("2")
    play >> changed(TWO, limits=Limits(open_contacts=1))
    assert not play.of(CloseContact)
    play >> arrive("3") << RefuseEvent(Reason.LIMIT_REACHED, "3")


def test_a_shorter_life_ends_contacts_that_are_older() -> None:
    play = Playbook(TWO) >> arrive("1")
    play >> at(HOUR, changed(TWO, limits=Limits(contact_life_ms=MINUTE))) >> at(HOUR)
    assert [x.reason for x in play.of(CloseContact)] == [Reason.LIFE_LIMIT]


def test_new_offer_times_hold_for_new_offers() -> None:
    play = Playbook(desk()) >> sign_in("a") >> arrive("1")
    quick = {"phone": Channel(offer_timeout_ms=SECOND)}
    play >> changed(desk(), channels=quick) >> at(19 * SECOND)
    assert not play.of(WithdrawOffer), "the first one still rings by its own time"
    play >> at(20 * SECOND)
    assert play.of(OfferContact)[-1].expires_at_ms == ms(21 * SECOND)


def test_back_offs_end_by_the_time_they_began_with() -> None:
    rules = OfferRules(backoff_declined_ms=10 * SECOND)
    play = Playbook(desk(offers=rules)) >> sign_in("a") >> arrive("1")
    play >> e.OfferDeclined(1, "1", "a") >> changed(desk(offers=rules), offers=OfferRules())
    play >> at(10 * SECOND - 1)
    assert len(play.of(OfferContact)) == 1
    play >> at(10 * SECOND)
    assert len(play.of(OfferContact)) == 2


def test_auto_accept_switched_on() -> None:
    play = Playbook(desk()) >> arrive("1") >> changed(desk(), channels={"phone": AUTO})
    play >> sign_in("a")
    assert [x.reason for x in play.of(AssignContact)] == [Reason.AUTO_ACCEPTED]


def test_a_ring_stops_growing_when_the_policy_is_another() -> None:
    growing = Queue(agent_policy=AgentPolicy.RING_PROGRESSIVELY, ring_size=3)
    play = Playbook(desk("ab", queue=growing)) >> sign_in("a") >> sign_in("b") >> arrive("1")
    single = replace(growing, agent_policy=AgentPolicy.LONGEST_IDLE)
    play >> changed(desk("ab"), queues={"q": single}) >> at(19 * SECOND)
    assert len(play.of(OfferContact)) == 1
