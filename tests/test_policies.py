"""Hold each policy to what it promises, by oracles that look at everybody each time.

The oracles know the events and the decisions, never the router's own books.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import pytest

from router import events as e
from router.center import (
    Agent,
    AgentPolicy,
    Category,
    Center,
    Channel,
    OfferRules,
    Queue,
)
from router.decisions import AssignContact, OfferContact, Reason, WithdrawOffer
from router.events import CenterChanged
from router.router import Router
from tests.builders import (
    AUTO,
    MINUTE,
    PATIENT,
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
from tests.playbook import DEADLINE, START_MS, Playbook, at, ms, run

HALF_LIFE_MS = 30 * MINUTE


@dataclass
class Person:
    """What a bystander knows of an agent."""

    index: int
    proficiency: int
    idle_from_ms: int = START_MS
    turn: int = 0
    contact: str = ""
    taken_ms: int = 0
    idle_before_ms: int = 0
    contacts: Fraction = Fraction(0)
    talk: Fraction = Fraction(0)
    busy: Fraction = Fraction(0)


@dataclass
class Bystander:
    """Watch a floor where everybody takes one contact at a time, all that come."""

    people: dict[str, Person]
    now_ms: int = START_MS
    turns: int = 0
    last_chosen: int = -1
    sums: int = 0
    wrapping: dict[str, int] = field(default_factory=dict)

    def idle(self) -> dict[str, Person]:
        return {name: p for name, p in self.people.items() if not p.contact}

    def weight(self, amount: int) -> Fraction:
        """Weigh by doubling per half-life, straight in between."""
        lives, rest_ms = divmod(self.now_ms - START_MS, HALF_LIFE_MS)
        return amount * (1 + Fraction(rest_ms, HALF_LIFE_MS)) * (1 << lives)

    def take(self, name: str, contact: str) -> None:
        person = self.people[name]
        person.contact = contact
        person.taken_ms = self.now_ms
        person.idle_before_ms += self.now_ms - person.idle_from_ms
        person.contacts += self.weight(1)
        self.last_chosen = person.index

    def leave(self, name: str, talk_ms: int) -> None:
        person = self.people[name]
        person.contact = ""
        person.idle_from_ms = self.now_ms
        person.talk += self.weight(talk_ms)
        person.busy += self.weight(self.now_ms - person.taken_ms)
        self.turns += 1
        self.sums += 1
        person.turn = self.turns

    def check(self, policy: AgentPolicy, chosen: str) -> None:
        """Look at everybody and say whether the right one was chosen."""
        idle = self.idle()
        assert chosen in idle, "chosen while at work"
        one = idle[chosen]
        # Sums are cut to whole milliseconds once per contact.
        slack = (self.sums + 1) * self.weight(1) / 500
        others = idle.values()
        if policy is AgentPolicy.LONGEST_IDLE:
            assert one.turn == min(p.turn for p in others)
        elif policy is AgentPolicy.MOST_PROFICIENT:
            best = max(p.proficiency for p in others)
            assert one.proficiency == best
            assert one.turn == min(p.turn for p in others if p.proficiency == best)
        elif policy is AgentPolicy.LINEAR:
            assert one.index == min(p.index for p in others)
        elif policy is AgentPolicy.ROUND_ROBIN:
            behind = [p.index for p in others if p.index > self.last_chosen]
            assert one.index == (min(behind) if behind else min(p.index for p in others))
        elif policy is AgentPolicy.FEWEST_CONTACTS:
            assert one.contacts <= min(p.contacts for p in others) + slack
        elif policy is AgentPolicy.LEAST_TALK_TIME:
            assert one.talk <= min(p.talk for p in others) + slack * 500
        elif policy is AgentPolicy.LEAST_OCCUPIED:
            assert one.busy <= min(p.busy for p in others) + slack * 500
        else:
            assert policy is AgentPolicy.LONGEST_CUMULATIVE_IDLENESS
            totals = {p.index: p.idle_before_ms + self.now_ms - p.idle_from_ms for p in others}
            assert totals[one.index] == max(totals.values())


ORACLES = [
    AgentPolicy.LONGEST_IDLE,
    AgentPolicy.MOST_PROFICIENT,
    AgentPolicy.LINEAR,
    AgentPolicy.ROUND_ROBIN,
    AgentPolicy.FEWEST_CONTACTS,
    AgentPolicy.LEAST_TALK_TIME,
    AgentPolicy.LEAST_OCCUPIED,
    AgentPolicy.LONGEST_CUMULATIVE_IDLENESS,
]


@pytest.mark.parametrize("policy", ORACLES)
@pytest.mark.parametrize("seed", range(4))
def test_the_right_agent_is_chosen(policy: AgentPolicy, seed: int) -> None:
    draw = random.Random(seed)
    names = [f"a{number}" for number in range(9)]
    levels = {name: draw.choice((3, 5, 5, 9)) for name in names}
    stage = desk(
        {name: with_skills(s=level) for name, level in levels.items()},
        skills=("s",),
        channels={"phone": AUTO},
        queue=Queue(agent_policy=policy),
        category=Category(queue="q", needs={"s": 2}, wrap_up_ms=-1),
    )
    router = Router()
    run(router, START_MS, CenterChanged(stage))
    seen = Bystander({n: Person(index, levels[n]) for index, n in enumerate(names)})
    for name in names:
        run(router, START_MS, sign_in(name))
        seen.turns += 1
        seen.people[name].turn = seen.turns
    for number in range(400):
        # Long enough to pass several half-lives.
        seen.now_ms += draw.choice((0, 1, SECOND, MINUTE, 5 * MINUTE))
        busy = [name for name, p in seen.people.items() if p.contact and name not in seen.wrapping]
        if seen.idle() and draw.random() < 0.5:
            assigned = [
                x
                for x in run(router, seen.now_ms, arrive(str(number)))
                if isinstance(x, AssignContact)
            ]
            assert len(assigned) == 1
            seen.check(policy, assigned[0].agent_id)
            seen.take(assigned[0].agent_id, str(number))
        elif busy and draw.random() < 0.6:
            name = draw.choice(busy)
            run(router, seen.now_ms, end(seen.people[name].contact))
            seen.wrapping[name] = seen.now_ms - seen.people[name].taken_ms
        elif seen.wrapping:
            name = draw.choice(sorted(seen.wrapping))
            run(router, seen.now_ms, e.WrapUpEnded(seen.people[name].contact, name))
            seen.leave(name, seen.wrapping.pop(name))


def serve_one(router: Router, number: int, at_ms: int) -> str:
    """Let one contact come and go at one instant; return who got it."""
    assigned = [
        x.agent_id for x in run(router, at_ms, arrive(str(number))) if isinstance(x, AssignContact)
    ]
    run(router, at_ms, end(str(number)))
    assert len(assigned) == 1
    return assigned[0]


def served(stage: Center, count: int) -> list[str]:
    """Let contacts come one by one while everybody is idle; return who got each."""
    router = Router()
    run(router, START_MS, CenterChanged(stage))
    for name in stage.agents:
        run(router, START_MS, sign_in(name))
    return [serve_one(router, number, START_MS + number * SECOND) for number in range(count)]


def test_weighted_share_keeps_the_shares() -> None:
    """Stride scheduling never strays more than one contact per agent from the exact share."""
    weights = {"a": 5, "b": 3, "c": 1}
    queue = Queue(agent_policy=AgentPolicy.WEIGHTED_SHARE, weights=weights)
    names = served(desk("abcd", queue=queue, channels={"phone": AUTO}), 1_000)
    for count in (10, 100, 1_000):
        got = Counter(names[:count])
        for name in "abcd":
            share = Fraction(count * weights.get(name, 1), 10)
            assert abs(got[name] - share) <= 2, (name, count, got)


def test_weighted_share_counts_what_waited_as_well() -> None:
    """A contact that an agent takes off the line is part of his share."""
    queue = Queue(agent_policy=AgentPolicy.WEIGHTED_SHARE)
    router = Router()
    run(router, START_MS, CenterChanged(desk("ab", queue=queue, channels={"phone": AUTO})))
    for number in range(6):
        run(router, START_MS, arrive(f"w{number}"))
    run(router, START_MS, sign_in("a"))
    for number in range(6):
        run(router, START_MS, end(f"w{number}"))
    run(router, START_MS, e.AgentSignedIn("b"))
    names = [serve_one(router, number, START_MS) for number in range(4)]
    # b starts level with what a had, so from here on they take turns.
    assert Counter(names) == {"a": 2, "b": 2}
    # Now a takes four off the line while b is away ...
    run(router, START_MS, go("b", "break"))
    for number in range(5):
        run(router, START_MS, arrive(f"x{number}"))
    for number in range(5):
        run(router, START_MS, end(f"x{number}"))
    run(router, START_MS, go("b", "available"))
    # ... which b makes up for.
    assert [serve_one(router, 100 + number, START_MS) for number in range(4)] == ["b"] * 4


def test_seeded_random_is_even_and_repeats() -> None:
    """Chi-square over 6 agents: 99.9 % of fair lots stay below 20.5 (5 degrees of freedom)."""

    def lots(seed: int) -> list[str]:
        queue = Queue(agent_policy=AgentPolicy.SEEDED_RANDOM, seed=seed)
        return served(desk("abcdef", queue=queue, channels={"phone": AUTO}), 1_200)

    names = lots(1)
    chi_square = sum((names.count(name) - 200) ** 2 / 200 for name in "abcdef")
    assert chi_square < 20.5
    assert lots(1) == names
    assert lots(2) != names
    pairs = Counter(pairwise(names))
    assert max(pairs.values()) < 70, "one lot says little about the next (33 expected)"


@pytest.mark.parametrize("seed", range(4))
def test_the_least_loaded_has_the_largest_free_share(seed: int) -> None:
    """Shares are compared in sixtieths; among equals the longest idle is chosen."""
    draw = random.Random(seed)
    budgets = {f"a{n}": draw.choice((100, 200, 340)) for n in range(6)}
    stage = desk(
        {name: Agent(team="t", capacity=budget) for name, budget in budgets.items()},
        channels={"chat": Channel(units=34, auto_accept=True)},
        queue=Queue(agent_policy=AgentPolicy.LEAST_LOADED),
    )
    router = Router()
    run(router, START_MS, CenterChanged(stage))
    for name in budgets:
        run(router, START_MS, sign_in(name))
    load = dict.fromkeys(budgets, 0)
    turns = {name: number for number, name in enumerate(budgets)}
    talks: dict[str, str] = {}
    for number in range(300):
        if draw.random() < 0.6 and any(load[n] + 34 <= budgets[n] for n in budgets):
            able = [n for n in budgets if load[n] + 34 <= budgets[n]]
            grades = {n: (budgets[n] - load[n]) * 60 // budgets[n] for n in able}
            best = max(grades.values())
            wanted = min((n for n in able if grades[n] == best), key=turns.__getitem__)
            assigned = [
                x.agent_id
                for x in run(router, START_MS, arrive(str(number), "chat"))
                if isinstance(x, AssignContact)
            ]
            assert assigned == [wanted]
            talks[str(number)] = wanted
            load[wanted] += 34
            turns[wanted] = 1_000 + number
        elif talks:
            contact = draw.choice(sorted(talks))
            name = talks.pop(contact)
            run(router, START_MS, end(contact))
            load[name] -= 34
            turns[name] = 1_000 + number


def test_the_most_proficient_of_many_skills() -> None:
    """Seven needs at level 10 are more than sixty points; the better agent still comes first."""
    skills = tuple(f"s{n}" for n in range(8))
    stage = desk(
        {
            "good": Agent(team="t", skills=dict.fromkeys(skills, 8)),
            "best": Agent(team="t", skills=dict.fromkeys(skills, 10)),
        },
        skills=skills,
        category=Category(queue="q", needs=dict.fromkeys(skills, 1)),
        queue=Queue(agent_policy=AgentPolicy.MOST_PROFICIENT),
    )
    play = Playbook(stage) >> sign_in("good") >> sign_in("best") >> arrive("1")
    assert [x.agent_id for x in play.of(OfferContact)] == ["best"]


def test_a_newcomer_is_not_flooded() -> None:
    """Somebody who signs in late starts level, under each policy that counts."""
    for policy in (
        AgentPolicy.LEAST_OCCUPIED,
        AgentPolicy.FEWEST_CONTACTS,
        AgentPolicy.LEAST_TALK_TIME,
        AgentPolicy.WEIGHTED_SHARE,
    ):
        stage = desk("abcn", queue=Queue(agent_policy=policy), channels={"phone": AUTO})
        router = Router()
        run(router, START_MS, CenterChanged(stage))
        for name in "abc":
            run(router, START_MS, sign_in(name))
        now_ms = START_MS
        got: Counter[str] = Counter()
        for number in range(60):
            if number == 30:
                run(router, now_ms, sign_in("n"))
            now_ms += SECOND
            assigned = run(router, now_ms, arrive(str(number)))
            name = next(x.agent_id for x in assigned if isinstance(x, AssignContact))
            now_ms += MINUTE
            run(router, now_ms, end(str(number)))
            got[name] += number >= 30
        assert 3 <= got["n"] <= 12, (policy, got)


def test_idleness_before_a_break_counts() -> None:
    """Cumulative idleness is the idle time since sign-in, not since the last break."""
    stage = desk("ab", queue=Queue(agent_policy=AgentPolicy.LONGEST_CUMULATIVE_IDLENESS))
    play = Playbook(stage) >> sign_in("a") >> at(100 * SECOND, sign_in("b"))
    play >> at(110 * SECOND, go("a", "break")) >> at(120 * SECOND, go("a", "available"))
    play >> at(130 * SECOND, arrive("1"))
    assert [x.agent_id for x in play.of(OfferContact)] == ["a"], "a: 120 s idle, b: 30 s"


# --- ringing --------------------------------------------------------------------------------------


def ring(size: int, policy: AgentPolicy = AgentPolicy.RING_ALL) -> Playbook:
    """Return a floor of five idle agents, a to e, in this order of idleness."""
    queue = Queue(agent_policy=policy, ring_size=size, ring_step_ms=5 * SECOND)
    play = Playbook(desk("abcde", queue=queue))
    for name in "abcde":
        play >> sign_in(name)
    return play


@pytest.mark.parametrize("size", range(1, 8))
def test_ring_all_rings_k_and_one_wins(size: int) -> None:
    play = ring(size) >> arrive("1")
    offers = [x for x in play.decisions if isinstance(x, OfferContact)]
    assert [x.agent_id for x in offers] == list("abcde")[:size]
    winner = offers[-1]
    play >> at(SECOND, accept(winner.offer_id, "1", winner.agent_id))
    taken = [x for x in play.decisions if isinstance(x, WithdrawOffer)]
    assert sorted(x.offer_id for x in taken) == [x.offer_id for x in offers[:-1]]
    assert all(x.reason is Reason.TAKEN for x in taken)
    assert [x.agent_id for x in play.of(AssignContact)] == [winner.agent_id]
    for loser in offers[:-1]:
        play >> accept(loser.offer_id, "1", loser.agent_id)
        assert [x.reason for x in play.decisions] == [Reason.OFFER_CLOSED]


def test_one_who_declines_leaves_the_others_ringing() -> None:
    play = ring(3) >> arrive("1") >> decline(2, "1", "b")
    assert not [x for x in play.decisions if isinstance(x, WithdrawOffer)]
    play >> accept(3, "1", "c")
    assert [x.agent_id for x in play.of(AssignContact)] == ["c"]


def test_losing_a_ring_costs_nobody_his_turn() -> None:
    """Those whose offers were withdrawn are still the longest idle."""
    play = ring(3) >> arrive("1") >> accept(1, "1", "a") >> arrive("2")
    rung = [x.agent_id for x in play.decisions if isinstance(x, OfferContact)]
    assert rung == ["b", "c", "d"]


def test_ring_progressively_adds_one_per_step_up_to_k() -> None:
    play = ring(3, AgentPolicy.RING_PROGRESSIVELY) >> arrive("1")
    rung = [(x.agent_id, START_MS) for x in play.of(OfferContact)]
    assert rung == [("a", START_MS)]
    for number, name in ((1, "b"), (2, "c")):
        play >> at(number * 5 * SECOND - 1)
        assert play.decisions == []
        play >> at(number * 5 * SECOND)
        added = [x for x in play.decisions if isinstance(x, OfferContact)]
        assert [(x.agent_id, x.expires_at_ms) for x in added] == [
            (name, ms(number * 5 * SECOND + 20 * SECOND))
        ]
    play >> at(19 * SECOND)
    assert play.decisions == [], "no more than three"


def test_ring_progressively_never_rings_one_twice_at_once() -> None:
    """An agent with room for two chats gets one offer of the same chat."""
    queue = Queue(agent_policy=AgentPolicy.RING_PROGRESSIVELY, ring_size=3, ring_step_ms=SECOND)
    play = Playbook(desk("a", queue=queue)) >> sign_in("a") >> arrive("1", "chat")
    play >> at(10 * SECOND)
    assert len(play.of(OfferContact)) == 1


# --- promises of all policies ---------------------------------------------------------------------


@pytest.mark.parametrize("policy", AgentPolicy)
def test_nobody_is_held_up_by_one_whom_no_free_agent_may_serve(policy: AgentPolicy) -> None:
    stage = desk(
        {"a": with_skills(s=5), "b": with_skills(t=5)},
        skills=("s", "t"),
        queue=Queue(agent_policy=policy, ring_size=2),
        categories={
            "s": Category(queue="q", needs={"s": 5}),
            "t": Category(queue="q", needs={"t": 5}),
        },
    )
    play = Playbook(stage) >> sign_in("b")
    for number in range(5):
        play >> arrive(f"s{number}", category="s", priority=9)
    play >> arrive("t1", category="t", priority=0)
    assert [(x.contact_id, x.agent_id) for x in play.of(OfferContact)] == [("t1", "b")]
    play >> arrive("t2", category="t", priority=0) >> accept(1, "t1", "b") >> end("t1")
    assert [x.contact_id for x in play.decisions if isinstance(x, OfferContact)] == ["t2"]


def test_a_contact_that_returns_keeps_its_place() -> None:
    """Declined, expired, given back: it stands before all that came after it."""
    play = Playbook(desk("ab", offers=OfferRules(per_agent_max=9)))
    play >> sign_in("a") >> arrive("1") >> at(SECOND, arrive("2")) >> at(2 * SECOND, arrive("3"))
    play >> decline(1, "1") >> sign_in("b")
    assert [x.contact_id for x in play.decisions if isinstance(x, OfferContact)] == ["1"]


def test_a_preferred_agent_is_waited_for_and_not_for_ever() -> None:
    wait = Category(queue="q", preferred_wait_ms=30 * SECOND)
    play = Playbook(desk("ab", category=wait, channels={"phone": AUTO}))
    play >> sign_in("a") >> sign_in("b") >> arrive("0", preferred_agent="a")
    play >> at(SECOND, arrive("1", preferred_agent="a"))
    assert [x.agent_id for x in play.of(AssignContact)] == ["a"], "b is idle and is not asked"
    play >> at(31 * SECOND - 1)
    assert play.decisions == []
    play >> at(31 * SECOND)
    assert [(x.contact_id, x.agent_id) for x in play.of(AssignContact)] == [("0", "a"), ("1", "b")]


def test_a_preferred_agent_who_is_free_in_time_gets_his_contact() -> None:
    wait = Category(queue="q", preferred_wait_ms=30 * SECOND)
    play = Playbook(desk("ab", category=wait, channels={"phone": AUTO}))
    play >> sign_in("a") >> sign_in("b") >> arrive("0", preferred_agent="a")
    play >> at(SECOND, arrive("1", preferred_agent="a")) >> at(5 * SECOND, end("0"))
    offers = play.of(OfferContact)
    assert (offers[-1].agent_id, offers[-1].reason) == ("a", Reason.PREFERRED_AGENT)


@pytest.mark.parametrize("leaving", [e.AgentSignedOut("a"), e.AgentLost("a")])
def test_nobody_waits_for_one_who_is_gone(leaving: e.Event) -> None:
    wait = Category(queue="q", preferred_wait_ms=30 * SECOND)
    play = Playbook(desk("ab", category=wait)) >> sign_in("b")
    play >> arrive("0", preferred_agent="a")
    assert [x.agent_id for x in play.of(OfferContact)] == ["b"], "a never signed in"
    play = Playbook(desk("ab", category=wait)) >> sign_in("b") >> sign_in("a", presence="break")
    play >> arrive("0", preferred_agent="a")
    assert play.of(OfferContact) == []
    play >> leaving
    assert [x.agent_id for x in play.of(OfferContact)] == ["b"]


def test_a_preferred_agent_who_declines_is_not_waited_for_again() -> None:
    wait = Category(queue="q", preferred_wait_ms=30 * SECOND)
    play = Playbook(desk("ab", category=wait)) >> sign_in("b") >> sign_in("a")
    play >> arrive("0", preferred_agent="a") >> decline(1, "0")
    assert [x.agent_id for x in play.of(OfferContact)] == ["a", "b"]


def test_the_last_agent_comes_before_anyone() -> None:
    wait = Category(queue="q", last_agent_wait_ms=30 * SECOND)
    play = Playbook(desk("ab", category=wait, channels={"phone": AUTO}))
    play >> sign_in("b") >> arrive("1", customer="x") >> end("1") >> sign_in("a")
    play >> arrive("2", customer="y") >> arrive("3", customer="x")
    offers = [(x.contact_id, x.agent_id) for x in play.of(OfferContact)]
    assert offers == [("1", "b"), ("2", "b")], "b is idle longest; then 3 waits for him"
    play >> at(SECOND, end("2"))
    offer = play.of(OfferContact)[-1]
    assert (offer.contact_id, offer.agent_id, offer.reason) == ("3", "b", Reason.LAST_AGENT)


def test_offers_expire_by_the_categorys_own_time() -> None:
    stage = desk(category=Category(queue="q", offer_timeout_ms=7 * SECOND), offers=PATIENT)
    play = Playbook(stage) >> sign_in("a") >> arrive("1")
    assert play.of(OfferContact)[0].expires_at_ms == ms(7 * SECOND)
    play >> DEADLINE
    assert play.now_ms == ms(7 * SECOND)
