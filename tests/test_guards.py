"""Hold the guards to their word: reserves, lending, weights of pairs."""

from __future__ import annotations

from typing import Any

import pytest

from router.center import (
    Agent,
    AgentPolicy,
    Category,
    Center,
    Channel,
    ContactPolicy,
    OfferRules,
    PairWeight,
    Queue,
    Team,
)
from router.decisions import OfferContact, Reason, RefuseEvent
from router.events import CenterChanged, ContactAbandoned, ContactTransferred
from router.explain import explain
from router.journal import Entry
from router.router import Router
from router.sequencer import Sequencer
from tests.builders import AUTO, MINUTE, SECOND, arrive, changed, decline, desk, end, sign_in
from tests.playbook import DEADLINE, START_MS, Playbook, at, ms


def n_design(first: int, second: int, **fields: Any) -> Center:  # noqa: ANN401 - as in `desk`
    """Return two lines: A for everybody, B only for the second pool (`b1`, `b2` ...)."""
    one, two = Agent(team="first", skills={"a": 5}), Agent(team="second", skills={"a": 5, "b": 5})
    settings: dict[str, Any] = {
        "agents": {
            **{f"a{number}": one for number in range(1, first + 1)},
            **{f"b{number}": two for number in range(1, second + 1)},
        },
        "teams": {"first": Team(), "second": Team()},
        "skills": ("a", "b"),
        "channels": {"phone": AUTO},
        "queues": {"A": Queue(), "B": Queue(reserve=1)},
        "categories": {
            "A": Category(queue="A", needs={"a": 1}),
            "B": Category(queue="B", needs={"b": 1}),
        },
    }
    return desk(**{**settings, **fields})


def offered(play: Playbook) -> list[tuple[str, str]]:
    """Return who was offered what in the last step."""
    return [(x.contact_id, x.agent_id) for x in play.decisions if isinstance(x, OfferContact)]


def staffed(center: Center) -> Playbook:
    """Let everybody sign in, in the order of the configuration."""
    play = Playbook(center)
    for name in center.agents:
        play >> sign_in(name)
    return play


# --- reserves -------------------------------------------------------------------------------------


def test_a_reserve_is_kept_before_its_queue_has_seen_anybody() -> None:
    play = staffed(n_design(0, 2)) >> arrive("1", category="A")
    assert offered(play) == [("1", "b1")]
    assert offered(play >> arrive("2", category="A")) == [], "b2 is kept for B"
    assert offered(play >> arrive("3", category="B")) == [("3", "b2")]


def test_who_cannot_serve_the_queue_is_not_kept_for_it() -> None:
    play = staffed(n_design(2, 1)) >> arrive("1", category="A") >> arrive("2", category="A")
    assert [x.agent_id for x in play.of(OfferContact)] == ["a1", "a2"]
    assert offered(play >> arrive("3", category="A")) == []


def test_whoever_makes_the_reserve_whole_again_may_help() -> None:
    """A freed agent serves his own line first; the other one if enough are idle with him."""
    play = staffed(n_design(0, 2)) >> arrive("1", category="B") >> arrive("2", category="A")
    assert [x.contact_id for x in play.of(OfferContact)] == ["1"], "the last idle one is kept"
    assert offered(play >> end("1")) == [("2", "b1")], "with b2 there are two"


def test_a_band_opens_later_than_it_shuts() -> None:
    center = n_design(0, 4, queues={"A": Queue(), "B": Queue(reserve=1, reserve_band=1)})
    play = staffed(center)
    for number in range(1, 4):
        play >> arrive(f"A{number}", category="A")
    assert len(play.of(OfferContact)) == 3
    play >> arrive("A4", category="A") >> arrive("A5", category="A")
    assert offered(play >> end("A1")) == [], "two are idle: more than 1, not more than 1 + 1"
    assert offered(play >> end("A2")) == [("A4", "b2"), ("A5", "b4")], "three: open, down to one"
    assert offered(play >> arrive("A6", category="A")) == []


def test_a_preferred_agent_is_not_kept_from_who_waits_for_him() -> None:
    category = Category(queue="A", needs={"a": 1}, preferred_wait_ms=MINUTE)
    center = n_design(0, 1)
    center = n_design(0, 1, categories={**center.categories, "A": category})
    play = staffed(center) >> arrive("1", category="A", preferred_agent="b1")
    assert offered(play) == [("1", "b1")]


def test_who_comes_back_with_his_contact_is_not_given_away_by_the_seat_he_had_at_work() -> None:
    """Transferred, the contact of b1 looks for somebody before b1 is counted as idle again."""
    chat = {"chat": Channel(units=50, auto_accept=True)}
    queues = {"A": Queue(), "B": Queue(reserve=1, reserve_band=1)}
    play = staffed(n_design(0, 2, channels=chat, queues=queues)) >> arrive("1", "chat", "B")
    play >> ContactTransferred("1", queue="A")
    assert offered(play) == [], "two are idle: more than 1, not more than 1 + 1"


def test_an_agent_at_work_is_no_reserve() -> None:
    """What he takes beside his work leaves nobody less for the other line."""
    chat = {"chat": Channel(units=34, auto_accept=True)}
    play = staffed(n_design(0, 1, channels=chat)) >> arrive("1", "chat", "B")
    assert offered(play >> arrive("2", "chat", "A")) == [("2", "b1")]


def test_who_gets_work_of_his_own_line_takes_what_he_was_kept_from_beside_it() -> None:
    chat = {"chat": Channel(units=34, auto_accept=True)}
    play = staffed(n_design(0, 1, channels=chat)) >> arrive("1", "chat", "A")
    assert offered(play) == []
    assert offered(play >> arrive("2", "chat", "B")) == [("2", "b1"), ("1", "b1")]


def test_a_new_configuration_opens_a_reserve() -> None:
    center = n_design(0, 1)
    play = staffed(center) >> arrive("1", category="A")
    assert offered(play) == []
    play >> changed(center, queues={"A": Queue(), "B": Queue()})
    assert offered(play) == [("1", "b1")]


# --- lending --------------------------------------------------------------------------------------


def lending(**fields: Any) -> Center:  # noqa: ANN401 - the fields of Team
    """Return a centre whose second pool helps A while B is well."""
    settings = {"own_queues": ("B",), "lend_percent": 80, "lend_window_ms": 10 * MINUTE, **fields}
    return n_design(
        0,
        2,
        queues={"A": Queue(), "B": Queue(service_level_ms=10 * SECOND)},
        teams={"first": Team(), "second": Team(**settings)},
    )


def miss_one(play: Playbook) -> Playbook:
    """Let a contact of B wait for 20 s beside two busy agents, then be answered."""
    play >> arrive("x", category="B") >> arrive("y", category="B") >> arrive("late", category="B")
    play >> at(20 * SECOND, end("x"))
    assert offered(play) == [("late", "b1")]
    return play >> end("y") >> end("late")


def test_nobody_is_lent_while_the_own_level_is_missed() -> None:
    play = miss_one(staffed(lending()))
    assert offered(play >> arrive("1", category="A")) == [], "two of three is less than 80 %"
    assert offered(play >> arrive("B1", category="B")) == [("B1", "b2")]
    assert offered(play >> arrive("B2", category="B")) == [("B2", "b1")], "four of five is 80 %"
    assert offered(play >> end("B1")) == [("1", "b2")]


def test_lending_begins_anew_when_the_misses_are_long_past() -> None:
    play = miss_one(staffed(lending())) >> arrive("1", category="A")
    assert offered(play) == []
    play >> DEADLINE
    assert play.now_ms == ms(10 * MINUTE), "the two answered at once fall out of the window"
    assert offered(play) == []
    play >> DEADLINE
    assert play.now_ms == ms(10 * MINUTE + 20 * SECOND), "and now the miss does"
    assert offered(play) == [("1", "b2")]


def test_a_band_of_lending_asks_for_more_before_it_begins_anew() -> None:
    play = miss_one(staffed(lending(lend_band=10))) >> arrive("1", category="A")
    play >> arrive("B1", category="B") >> arrive("B2", category="B") >> end("B1")
    assert offered(play) == [], "80 % would do, had it not been missed"


def test_a_lost_contact_is_a_miss_and_one_who_left_at_once_is_none() -> None:
    play = staffed(lending()) >> arrive("x", category="B") >> arrive("y", category="B")
    play >> arrive("z", category="B") >> at(4 * SECOND, ContactAbandoned("z")) >> end("x")
    assert offered(play >> arrive("1", category="A")) == [("1", "b1")]
    play = staffed(lending()) >> arrive("x", category="B") >> arrive("y", category="B")
    play >> arrive("z", category="B") >> at(6 * SECOND, ContactAbandoned("z")) >> end("x")
    assert offered(play >> arrive("1", category="A")) == []


# --- weights of pairs -----------------------------------------------------------------------------


def test_a_pair_below_zero_meets_at_the_instant_it_reaches_zero() -> None:
    """Base -30 s, wait 2, idle 1: after 10 s of both."""
    pairs = {"A": PairWeight(base_ms=-30 * SECOND, wait=2, idle=1)}
    teams = {"first": Team(), "second": Team(pairs=pairs)}
    play = staffed(n_design(0, 1, queues={"A": Queue(), "B": Queue()}, teams=teams))
    assert offered(play >> arrive("1", category="A")) == []
    play >> at(10 * SECOND - 1)
    assert play.of(OfferContact) == []
    play >> DEADLINE
    assert play.now_ms == ms(10 * SECOND)
    assert offered(play) == [("1", "b1")]


def test_behind_one_whom_the_agent_has_declined_the_next_is_his_at_its_time() -> None:
    """The first is let through, but had its try with him: only the second waits for its weight."""
    teams = {"first": Team(), "second": Team(pairs={"A": PairWeight(base_ms=-10 * SECOND)})}
    center = n_design(
        0,
        1,
        queues={"A": Queue(), "B": Queue()},
        teams=teams,
        channels={"phone": Channel()},
        offers=OfferRules(per_agent_max=1, backoff_declined_ms=0),
    )
    play = staffed(center) >> arrive("1", category="A") >> at(5 * SECOND, arrive("2", category="A"))
    play >> at(10 * SECOND)
    assert offered(play) == [("1", "b1")]
    play >> decline(1, "1", "b1")
    assert offered(play) == []
    assert offered(play >> at(15 * SECOND)) == [("2", "b1")]


def test_a_full_queue_takes_nobody_in_for_an_agent_who_must_wait_for_his_weight() -> None:
    teams = {"first": Team(), "second": Team(pairs={"A": PairWeight(base_ms=-10 * SECOND)})}
    queues = {"A": Queue(length_max=1), "B": Queue()}
    play = staffed(n_design(0, 1, queues=queues, teams=teams)) >> arrive("1", category="A")
    play >> arrive("2", category="A") << RefuseEvent(Reason.QUEUE_FULL, "2")


def test_the_team_with_the_heavier_pair_is_chosen() -> None:
    queue = Queue(agent_policy=AgentPolicy.HEAVIEST_PAIR)
    teams = {
        "first": Team(pairs={"A": PairWeight(idle=1)}),
        "second": Team(pairs={"A": PairWeight(base_ms=-20 * SECOND, idle=3)}),
    }
    center = n_design(2, 2, queues={"A": queue, "B": Queue()}, teams=teams)
    play = staffed(center) >> at(9 * SECOND, arrive("1", category="A"))
    assert offered(play) == [("1", "a1")], "9 s against 27 s - 20 s"
    play = staffed(center) >> at(11 * SECOND, arrive("1", category="A"))
    assert offered(play) == [("1", "b1")], "11 s against 33 s - 20 s"
    assert play.of(OfferContact)[0].reason is Reason.HEAVIEST_PAIR


@pytest.mark.parametrize("policy", AgentPolicy)
def test_with_and_without_rows_the_same_agent_is_chosen(policy: AgentPolicy) -> None:
    """A guard that never holds anybody back changes no choice."""
    drawn: list[list[tuple[str, str]]] = []
    for pairs in ({}, {"q": PairWeight()}):
        agents = {n: Agent(team="t" if n in "ace" else "u", skills={"s": 3}) for n in "abcdef"}
        center = desk(
            agents,
            skills=("s",),
            teams={"t": Team(pairs=pairs), "u": Team()},
            queue=Queue(agent_policy=policy, ring_size=3),
            category=Category(queue="q", needs={"s": 1}, wrap_up_ms=-1),
            channels={"phone": AUTO},
        )
        play = staffed(center)
        for number in range(40):
            play >> at(number * SECOND, arrive(str(number)))
            if number % 3:
                play >> end(str(number - 1))
        drawn.append([(x.contact_id, x.agent_id) for x in play.of(OfferContact)])
    if policy is AgentPolicy.SEEDED_RANDOM:
        assert len(drawn[0]) == len(drawn[1]), "lots fall otherwise, as many are served"
    else:
        assert drawn[0] == drawn[1]


# --- told in words --------------------------------------------------------------------------------


def story(center: Center, *steps: tuple[int, Any], contact: str = "1") -> str:
    sequencer = Sequencer(Router())
    entries: list[Entry] = list(sequencer.accept(CenterChanged(center), START_MS))
    for name in center.agents:
        entries += sequencer.accept(sign_in(name), START_MS)
    for after_ms, event in steps:
        entries += sequencer.accept(event, START_MS + after_ms)
    return explain(entries, contact)


def test_the_guard_in_force_is_named() -> None:
    told = story(n_design(0, 1), (0, arrive("1", category="A")))
    assert "not b1: kept for queue B: 1 of 1 reserve agents idle" in told
    assert "it is offered when one of 1 idle agents is no longer kept" in told
    calls = [arrive(name, category="B") for name in ("x", "y", "late")]
    steps = [(0, call) for call in calls] + [(20_000, end(n)) for n in ("x", "y", "late")]
    told = story(lending(), *steps, (20_000, arrive("1", category="A")))
    assert "not lent: team second answered 66 % of its own in time, 80 % are needed" in told
    teams = {"first": Team(), "second": Team(pairs={"A": PairWeight(base_ms=-30_000)})}
    center = n_design(0, 1, queues={"A": Queue(), "B": Queue()}, teams=teams)
    told = story(center, (0, arrive("1", category="A")), (5_000, arrive("2", category="A")))
    assert "not yet for team second: the weight of the pair is -25.0 s" in told


def test_the_weight_that_won_is_told() -> None:
    teams = {"t": Team(pairs={"q": PairWeight(base_ms=MINUTE, wait=2, idle=1)})}
    center = desk("a", teams=teams, contact_policy=ContactPolicy.WEIGHTED_PAIRS)
    sequencer = Sequencer(Router())
    entries: list[Entry] = []
    for after_ms, event in ((0, CenterChanged(center)), (0, arrive("1")), (5_000, sign_in("a"))):
        entries += sequencer.accept(event, START_MS + after_ms)
    assert "weight 1 min 10 s (base 1 min 0 s, 2 x waiting for 5.0 s, 1 x idle" in explain(
        entries, "1"
    )
