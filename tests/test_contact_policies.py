"""Hold each contact policy to what it promises, by an oracle that looks at everybody in line.

The oracle knows the events, the decisions and the configuration, never the router's own books:
deadlines are those that the clocks' decisions name.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pytest

from benchmarks import policies as study
from router import decisions as d
from router import events as e
from router.center import (
    Agent,
    Category,
    Center,
    ClockKind,
    ContactPolicy,
    PairWeight,
    Promise,
    Queue,
    Signal,
    Team,
)
from router.events import CenterChanged
from router.explain import explain
from router.journal import Entry
from router.router import Router
from router.sequencer import Sequencer
from tests.builders import AUTO, HOUR, MINUTE, SECOND, arrive, desk, end, promise, sign_in
from tests.playbook import START_MS, Playbook, at, run

QUEUES = {
    "loans": Queue(wait_weight=1, queue_share=5, handle_time_ms=10 * MINUTE),
    "cards": Queue(wait_weight=2, queue_share=3, service_level_ms=MINUTE),
    "fraud": Queue(wait_weight=7, queue_share=2, service_level_ms=10 * SECOND, late_weight=9),
}
PAIRS = {
    "loans": PairWeight(base_ms=MINUTE),
    "cards": PairWeight(wait=3),
    "fraud": PairWeight(base_ms=30 * SECOND, wait=2),
}
SCORED = (
    ContactPolicy.WEIGHTED_PAIRS,
    ContactPolicy.LONGEST_WEIGHTED_WAIT,
    ContactPolicy.GENERALIZED_C_MU,
    ContactPolicy.FIXED_QUEUE_RATIO,
)


def bank(policy: ContactPolicy, **fields: Any) -> Center:  # noqa: ANN401 - the fields of Center
    """Return a centre of three queues in which everybody serves everybody, one at a time."""
    settings: dict[str, Any] = {
        "agents": ("a",),
        "channels": {"phone": AUTO},
        "contact_policy": policy,
        "teams": {"t": Team(pairs=PAIRS)},
        "ageing_points_ms": MINUTE,
        "queues": QUEUES,
        "categories": {name: Category(queue=name) for name in QUEUES},
        "promises": {
            # Lifted by a complaint, so that a contact in line may have a clock that stands still.
            "solve": Promise(
                kind=ClockKind.RESOLUTION,
                target_ms=5 * MINUTE,
                categories=("cards",),
                pause=(Signal.COMPLAINT_RAISED,),
                resume=(Signal.CUSTOMER_REPLIED,),
            ),
            "answer": promise(ClockKind.ANSWER, 40 * SECOND, categories=("fraud",)),
            "reply": promise(ClockKind.NEXT_RESPONSE, 2 * MINUTE),
        },
    }
    return desk(**{**settings, **fields})


@dataclass
class Waiting:
    """What a bystander knows of a contact in line; `dues` holds its running clocks' deadlines."""

    number: int
    arrived_ms: int
    priority: int
    queue: str
    dues: dict[str, int] = field(default_factory=dict)


def follow_clocks(line: dict[str, Waiting], decisions: Iterable[d.Decision]) -> None:
    """Note the deadlines that the clocks' decisions name."""
    for said in decisions:
        match said:
            case d.StartSla() | d.ResumeSla():
                line[said.contact_id].dues[said.policy] = said.deadline_ms
            case d.RebaseSla():
                dues = line[said.contact_id].dues
                dues.pop(said.from_policy or said.policy, None)
                dues[said.policy] = said.deadline_ms
            case d.PauseSla() | d.StopSla() | d.MeetSla():
                if said.contact_id in line:
                    line[said.contact_id].dues.pop(said.policy, None)
            case _:
                pass


LEADS = {"loans": 0, "cards": 5 * MINUTE, "fraud": 40 * SECOND}


def cost_of(one: Waiting, now_ms: int) -> Fraction:
    """Return mu times the derivative of the delay cost, as its sources write it."""
    spec = QUEUES[one.queue]
    promised_ms = LEADS[one.queue] or spec.service_level_ms
    wait_ms = now_ms - one.arrived_ms
    slope = Fraction(wait_ms + spec.late_weight * max(0, wait_ms - promised_ms), promised_ms)
    return spec.wait_weight * slope / spec.handle_time_ms


def best_of(policy: ContactPolicy, line: list[Waiting], now_ms: int) -> set[int]:
    """Look at everybody in line; return the numbers of whom the policy may take."""
    if policy is ContactPolicy.PRIORITY_THEN_AGE:
        keys = {w.number: (-w.priority, w.number) for w in line}
    elif policy is ContactPolicy.LINEAR_AGEING:
        keys = {w.number: (w.arrived_ms - w.priority * MINUTE, w.number) for w in line}
    elif policy is ContactPolicy.EARLIEST_DEADLINE:
        last_ms = now_ms + 100 * 365 * 24 * HOUR
        keys = {w.number: (min([last_ms, *w.dues.values()]), w.number) for w in line}
    else:
        lengths = {name: sum(w.queue == name for w in line) for name in QUEUES}
        scores = {
            w.number: {
                ContactPolicy.LONGEST_WEIGHTED_WAIT: Fraction(
                    QUEUES[w.queue].wait_weight * (now_ms - w.arrived_ms)
                ),
                ContactPolicy.GENERALIZED_C_MU: cost_of(w, now_ms),
                ContactPolicy.FIXED_QUEUE_RATIO: lengths[w.queue]
                - Fraction(QUEUES[w.queue].queue_share, 10) * len(line),
                ContactPolicy.WEIGHTED_PAIRS: Fraction(
                    PAIRS[w.queue].base_ms + PAIRS[w.queue].wait * (now_ms - w.arrived_ms)
                ),
            }[policy]
            for w in line
        }
        highest = max(w.priority for w in line)
        first = [w for w in line if w.priority == highest]
        best = max(scores[w.number] for w in first)
        tied = min(w.number for w in first if scores[w.number] == best)
        # A quotient is cut off behind 40 bits: what differs by less may fall either way.
        near = {w.number for w in first if 0 < best - scores[w.number] < Fraction(1, 1 << 40)}
        return {tied, *near}
    return {min(keys, key=keys.__getitem__)}


@pytest.mark.parametrize("policy", ContactPolicy)
@pytest.mark.parametrize("seed", range(6))
def test_the_right_contact_is_chosen(policy: ContactPolicy, seed: int) -> None:
    """Contacts come, change, complain and leave; one agent takes one after the other."""
    draw = random.Random(seed)
    router = Router()
    run(router, START_MS, CenterChanged(bank(policy)))
    run(router, START_MS, sign_in("a"))
    run(router, START_MS, arrive("busy", category="loans"))
    line: dict[str, Waiting] = {}
    talking, now_ms, number = "busy", START_MS, 0
    for _ in range(500):
        now_ms += draw.choice((0, 1, SECOND, 10 * SECOND))
        act = draw.random()
        one = draw.choice(list(line.values())) if line else None
        if act < 0.42 or one is None:
            number += 1
            name = draw.choice(list(QUEUES))
            priority = draw.choice((5, 5, 5, 6))
            event = arrive(str(number), category=name, priority=priority)
            line[str(number)] = Waiting(number, now_ms, priority, name)
            if draw.random() < 0.02 and seed % 2:
                router = Router.restore(router.snapshot())
        elif act < 0.5:
            one.priority = 11 - one.priority
            event = e.ContactUpdated(str(one.number), priority=one.priority)
        elif act < 0.56:
            event = e.CustomerReplied(str(one.number))
        elif act < 0.62:
            event = e.ComplaintRaised(str(one.number))
        elif act < 0.66:
            event = e.ContactAbandoned(str(one.number))
            del line[str(one.number)]
        else:
            wanted = best_of(policy, list(line.values()), now_ms)
            decisions = run(router, now_ms, end(talking))
            assigned = [x.contact_id for x in decisions if isinstance(x, d.AssignContact)]
            assert len(assigned) == 1
            assert int(assigned[0]) in wanted, f"{assigned[0]} taken, {wanted} is first"
            talking = assigned[0]
            del line[talking]
            continue
        follow_clocks(line, run(router, now_ms, event))


# --- earliest deadline: what the clocks say -------------------------------------------------------


def offered(play: Playbook) -> list[str]:
    """Return the contacts in the order in which they were offered."""
    return [x.contact_id for x in play.of(d.OfferContact)]


def test_a_promise_that_is_not_running_sets_no_deadline() -> None:
    """No complaint was raised, so the complaint's minute does not count."""
    stage = desk(
        contact_policy=ContactPolicy.EARLIEST_DEADLINE,
        categories={"c": Category(queue="q"), "soon": Category(queue="q")},
        promises={
            "complaint": promise(ClockKind.COMPLAINT_ACKNOWLEDGEMENT, MINUTE, categories=("c",)),
            "answer": promise(ClockKind.ANSWER, HOUR, categories=("soon",)),
        },
    )
    play = Playbook(stage) >> arrive("1") >> arrive("2", category="soon")
    assert offered(play >> sign_in("a")) == ["2"]
    play = Playbook(stage) >> arrive("1") >> arrive("2", category="soon")
    play >> e.ComplaintRaised("1") >> sign_in("a")
    assert offered(play) == ["1"], "now it runs, and ends before the hour"


def test_a_clock_that_stands_still_sets_no_deadline_until_it_runs_on() -> None:
    stage = bank(ContactPolicy.EARLIEST_DEADLINE)
    play = Playbook(stage) >> arrive("1", category="cards")
    play >> at(200 * SECOND, arrive("2", category="cards")) >> e.ComplaintRaised("1")
    play >> at(290 * SECOND, sign_in("a"))
    assert offered(play) == ["2"], "1 was due at 300 s, 2 is due at 500 s, but 1 is paused"
    play = Playbook(stage) >> arrive("1", category="cards")
    play >> at(200 * SECOND, arrive("2", category="cards")) >> e.ComplaintRaised("1")
    play >> at(390 * SECOND, e.CustomerReplied("1")) >> sign_in("a")
    assert offered(play) == ["1"], "the pause moved it to 490 s; 2 is due at 500 s"


def test_a_new_tier_moves_the_deadline() -> None:
    stage = desk(
        contact_policy=ContactPolicy.EARLIEST_DEADLINE,
        tiers=("gold",),
        promises={
            "gold": promise(ClockKind.ANSWER, 10 * SECOND, tiers=("gold",)),
            "all": promise(ClockKind.ANSWER, MINUTE),
        },
    )
    play = Playbook(stage) >> arrive("1") >> at(SECOND, arrive("2"))
    play >> e.ContactUpdated("2", tier="gold") >> sign_in("a")
    assert offered(play) == ["2"]


# --- scored policies ------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", SCORED)
def test_a_higher_priority_goes_first_under_every_score(policy: ContactPolicy) -> None:
    play = Playbook(bank(policy)) >> arrive("old", category="fraud")
    play >> at(HOUR, arrive("new", category="loans", priority=6)) >> sign_in("a")
    assert offered(play) == ["new"]


@pytest.mark.parametrize("policy", ContactPolicy)
def test_no_policy_leaves_an_agent_idle_beside_a_contact(policy: ContactPolicy) -> None:
    """Work conservation: three agents, whatever waits, never somebody free while somebody waits."""
    draw = random.Random(7)
    router = Router()
    run(router, START_MS, CenterChanged(bank(policy, agents="abc")))
    for name in "abc":
        run(router, START_MS, sign_in(name))
    waiting: set[str] = set()
    busy: dict[str, str] = {}
    for number in range(400):
        if draw.random() < 0.5 or not busy:
            waiting.add(str(number))
            event = arrive(str(number), category=draw.choice(list(QUEUES)))
        else:
            event = end(busy.pop(draw.choice(sorted(busy))))
        for said in run(router, START_MS + number * SECOND, event):
            if isinstance(said, d.AssignContact):
                waiting.remove(said.contact_id)
                assert said.agent_id not in busy
                busy[said.agent_id] = said.contact_id
        assert not waiting or len(busy) == 3


def test_teams_choose_each_in_their_own_way() -> None:
    """One team by deadlines, one by weights: each gets what its rule puts first."""
    stage = bank(
        ContactPolicy.EARLIEST_DEADLINE,
        agents={
            "a": Agent(team="t"),
            "b": Agent(team="heavy"),
        },
        teams={"t": Team(), "heavy": Team(contact_policy=ContactPolicy.LONGEST_WEIGHTED_WAIT)},
    )
    play = Playbook(stage) >> arrive("l", category="loans")
    play >> at(MINUTE, arrive("c", category="cards")) >> at(2 * MINUTE, sign_in("b"))
    assert offered(play) == ["l"], "120 s x 1 against 60 s x 2 is a tie: the older"
    play = Playbook(stage) >> arrive("l", category="loans")
    play >> at(MINUTE, arrive("c", category="cards")) >> at(2 * MINUTE, sign_in("a"))
    assert offered(play) == ["c"], "only cards are promised anything"


# --- told in words --------------------------------------------------------------------------------

STORIES = {
    ContactPolicy.PRIORITY_THEN_AGE: ("priority 5, waiting for 2 min 0 s", "then f of queue fraud"),
    ContactPolicy.EARLIEST_DEADLINE: ("overdue for 20.0 s", "then l of queue loans: no clock runs"),
    ContactPolicy.LONGEST_WEIGHTED_WAIT: (
        "waiting for 1 min 0 s, times weight 7 is 7 min 0 s",
        "then l of queue loans: priority 5, waiting for 2 min 0 s, times weight 1 is 2 min 0 s",
    ),
    ContactPolicy.GENERALIZED_C_MU: (
        "150 % of 40.0 s used, late counts 10 times, cost 7, takes 5 min 0 s to handle",
        "then l of queue loans: priority 5, 600 % of 20.0 s used",
    ),
    ContactPolicy.FIXED_QUEUE_RATIO: (
        "1 of 2 who wait stand in fraud, its share is 20 %",
        "then l of queue loans: priority 5, 1 of 2 who wait stand in loans, its share is 50 %",
    ),
}


@pytest.mark.parametrize("policy", STORIES)
def test_the_choice_is_told_with_its_score_and_the_best_loser(policy: ContactPolicy) -> None:
    sequencer = Sequencer(Router())
    entries: list[Entry] = []
    for after_ms, event in (
        (0, CenterChanged(bank(policy))),
        (0, arrive("l", category="loans")),
        (MINUTE, arrive("f", category="fraud")),
        (2 * MINUTE, sign_in("a")),
    ):
        entries += sequencer.accept(event, START_MS + after_ms)
    first = next(
        said.contact_id for said in entries[-1].decisions if isinstance(said, d.OfferContact)
    )
    told = explain(entries, first)
    for words in STORIES[policy]:
        assert words in told, told


# --- what they are for ----------------------------------------------------------------------------


def test_c_mu_costs_less_than_first_come_first_served() -> None:
    """The same 1,500 customers: the cost of waiting falls by more than half."""
    costs = {
        policy: study.delay_cost(study.play(study.bank(policy), study.BANK, 600))
        for policy in (ContactPolicy.PRIORITY_THEN_AGE, ContactPolicy.GENERALIZED_C_MU)
    }
    fifo, c_mu = costs.values()
    assert c_mu < fifo / 2, costs


def test_the_queue_ratio_is_kept() -> None:
    """Of all who wait 50, 30 and 20 % are to stand in the three lines; 5 points are allowed."""
    lengths = study.play(
        study.bank(ContactPolicy.FIXED_QUEUE_RATIO, agents=8), study.BANK, 600
    ).lengths
    whole = sum(lengths.values())
    for name, share in (("loans", 0.5), ("cards", 0.3), ("fraud", 0.2)):
        assert abs(lengths[name] / whole - share) < 0.05, lengths


def test_a_reserve_moves_the_loss_from_one_line_to_the_other() -> None:
    """Exact for endless time: A 5.8 % to 8.4 %, B 10.7 % to 8.3 % (cases A27 and A29)."""
    without = study.play(study.n_design(0), study.N_STREAMS, 400)
    reserved = study.play(study.n_design(1), study.N_STREAMS, 400)
    assert reserved.lost("A") > without.lost("A")
    assert reserved.lost("B") < without.lost("B")
