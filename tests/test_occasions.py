"""Both questions are asked whenever their answer can have changed, and the answer can be told."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from router import events as e
from router.center import AgentPolicy, Category, Center, Queue, Step, WhenClosed
from router.decisions import OfferContact
from router.explain import explain
from router.journal import Entry
from router.router import Router
from router.sequencer import Sequencer
from tests.builders import (
    HOUR,
    MINUTE,
    PATIENT,
    RING,
    SECOND,
    accept,
    arrive,
    changed,
    decline,
    desk,
    end,
    go,
    hours,
    sign_in,
    with_skills,
)
from tests.playbook import START_MS, Playbook, at, ms
from tests.playbook import Step as Happening

# An expert who never comes: without him the configuration would be refused.
STAFF = {"a": with_skills(s=3), "expert": with_skills(s=9)}
NEEDY = desk(STAFF, skills=("s",), category=Category(queue="q", needs={"s": 5}))
RELAXING = replace(
    NEEDY,
    categories={
        "c": Category(queue="q", needs={"s": 5}, steps=(Step(after_ms=MINUTE, lower={"s": 3}),))
    },
)
OFFICE = desk(
    queue=Queue(calendar="day", when_closed=WhenClosed.WAIT),
    calendars={"day": hours((HOUR, 2 * HOUR))},
)
WRAPPING = desk(category=Category(queue="q", wrap_up_ms=30 * SECOND))
CONNECTING = desk(channels={"phone": replace(RING, connect_timeout_ms=10 * SECOND)})
RESTING = desk("a", offers=replace(PATIENT, backoff_expired_ms=MINUTE))
TWO_QUEUES = desk(
    {"a": with_skills(), "expert": with_skills(s=9)},
    queues={"q": Queue(), "far": Queue()},
    categories={"c": Category(queue="q"), "d": Category(queue="far", needs={"s": 1})},
    skills=("s",),
)


@dataclass(frozen=True)
class Occasion:
    """What stands before, what happens then, and who is offered what in the same entry."""

    center: Center
    before: tuple[Happening, ...]
    then: Happening
    offers: tuple[str, str]


IN_HAND = (sign_in("a"), arrive("1"), accept(1, "1"), arrive("2"))
OCCASIONS = {
    "arrival": Occasion(desk(), (sign_in("a"),), arrive("1"), ("1", "a")),
    "offer declined": Occasion(
        desk("ab"), (sign_in("a"), sign_in("b"), arrive("1")), decline(1, "1"), ("1", "b")
    ),
    "offer expired": Occasion(
        desk("ab"),
        (sign_in("a"), sign_in("b"), arrive("1"), at(19 * SECOND)),
        at(20 * SECOND),
        ("1", "b"),
    ),
    "customer gone while it rang": Occasion(
        desk(),
        (sign_in("a"), arrive("1"), arrive("2")),
        e.ContactAbandoned("1"),
        ("2", "a"),
    ),
    "connection failed": Occasion(
        replace(CONNECTING, agents=desk("ab").agents),
        (sign_in("a"), sign_in("b"), arrive("1"), accept(1, "1")),
        e.OfferConnectFailed(1, "1", "a"),
        ("1", "b"),
    ),
    "end of work": Occasion(desk(), IN_HAND, end("1"), ("2", "a")),
    "end of wrap-up": Occasion(WRAPPING, (*IN_HAND, end("1")), e.WrapUpEnded("1", "a"), ("2", "a")),
    "limit of wrap-up": Occasion(WRAPPING, (*IN_HAND, end("1")), at(30 * SECOND), ("2", "a")),
    "transfer": Occasion(desk(), IN_HAND, e.ContactTransferred("1", queue="q"), ("1", "a")),
    "sign-in": Occasion(desk(), (arrive("1"),), sign_in("a"), ("1", "a")),
    "presence": Occasion(
        desk(), (sign_in("a", presence="break"), arrive("1")), go("a", "available"), ("1", "a")
    ),
    "skills": Occasion(
        NEEDY, (sign_in("a"), arrive("1")), e.AgentSkillsChanged("a", {"s": 5}), ("1", "a")
    ),
    "needs of the contact": Occasion(
        TWO_QUEUES,
        (sign_in("a"), arrive("1", category="d")),
        e.ContactUpdated("1", category="c"),
        ("1", "a"),
    ),
    "capacity": Occasion(
        desk(),
        (e.AgentCapacityChanged("a", 0), sign_in("a"), arrive("1")),
        e.AgentCapacityChanged("a", 100),
        ("1", "a"),
    ),
    "end of a back-off": Occasion(
        RESTING,
        (sign_in("a"), arrive("1"), at(20 * SECOND), at(80 * SECOND - 1)),
        at(80 * SECOND),
        ("1", "a"),
    ),
    "routing step": Occasion(
        RELAXING,
        (sign_in("a"), sign_in("expert", presence="break"), arrive("1"), at(MINUTE - 1)),
        at(MINUTE),
        ("1", "a"),
    ),
    "opening": Occasion(OFFICE, (sign_in("a"), arrive("1"), at(HOUR - 1)), at(HOUR), ("1", "a")),
    "callback due": Occasion(
        desk(),
        (
            sign_in("a", presence="break"),
            arrive("1"),
            e.CallbackRequested("1", ms(HOUR)),
            go("a", "available"),
            at(HOUR - 1),
        ),
        at(HOUR),
        ("1", "a"),
    ),
    "customer back": Occasion(
        desk(),
        (sign_in("a"), arrive("1", "email"), accept(1, "1"), e.CustomerAwaited("1")),
        e.CustomerReplied("1"),
        ("1", "a"),
    ),
    "configuration": Occasion(
        NEEDY,
        (sign_in("a"), arrive("1")),
        changed(NEEDY, categories={"c": Category(queue="q", needs={"s": 3})}),
        ("1", "a"),
    ),
}


@pytest.mark.parametrize("name", OCCASIONS)
def test_the_question_is_asked_in_the_same_entry(name: str) -> None:
    occasion = OCCASIONS[name]
    play = Playbook(occasion.center)
    for step in occasion.before:
        play >> step
    earlier = len(play.of(OfferContact))
    play >> occasion.then
    offers = play.of(OfferContact)[earlier:]
    assert [(x.contact_id, x.agent_id) for x in offers] == [occasion.offers]


def test_contacts_with_the_same_needs_are_one_class() -> None:
    play = Playbook(NEEDY)
    for number in range(40):
        play >> arrive(str(number), skills={"s": 5} if number % 2 else {})
    lanes = [contact.lane for contact in play.router.floor.contacts.values()]
    demands = [lane.demand for lane in lanes if lane is not None]
    assert len(demands) == 40
    assert len({id(demand) for demand in demands}) == 1


# --- told in words ------------------------------------------------------------------------------


def story(center: Center, *steps: tuple[int, e.Event]) -> str:
    sequencer = Sequencer(Router())
    entries: list[Entry] = list(sequencer.accept(e.CenterChanged(center), START_MS))
    for after_ms, event in steps:
        entries += sequencer.accept(event, START_MS + after_ms)
    return explain(entries, "1")


def test_an_assignment_tells_winner_losers_and_who_could_not() -> None:
    center = desk(
        {name: with_skills(s=level) for name, level in (("a", 6), ("b", 9), ("c", 7), ("low", 2))},
        skills=("s",),
        queue=Queue(agent_policy=AgentPolicy.MOST_PROFICIENT),
        category=Category(queue="q", needs={"s": 5}),
        version=7,
    )
    there = [(0, sign_in(name)) for name in ("a", "b", "c", "low")]
    told = story(center, *there, (SECOND, arrive("1")))
    assert "offered to b, for 20.0 s: most proficient" in told
    assert "proficiency 9" in told, told
    assert told.index("proficiency 9") < told.index("proficiency 7") < told.index("proficiency 6")
    assert "low: s 2, needed 5" in told, told
    assert "at step 0" in told


def test_a_wait_tells_the_first_condition_that_each_class_fails_and_what_would_change_it() -> None:
    center = desk(
        {name: with_skills(s=7) for name in ("at-work", "away", "out")} | {"low": with_skills(s=2)},
        skills=("s",),
        category=Category(
            queue="q",
            needs={"s": 5},
            steps=(Step(after_ms=MINUTE, lower={"s": 4}), Step(after_ms=HOUR, deflect=True)),
        ),
        version=7,
    )
    told = story(
        center,
        (0, sign_in("at-work")),
        (0, arrive("0")),
        (0, accept(1, "0", "at-work")),
        (0, sign_in("away", presence="break")),
        (0, sign_in("low")),
        (0, arrive("1")),
        (MINUTE + SECOND, e.AgentHeartbeat("low")),
    )
    for words in (
        "waits in queue q at step 1, priority 5, needs s >= 4 (configuration 7)",
        "at-work: busy: no room for phone",
        "away: away (break)",
        "low: s 2, needed 4",
        "out: signed out",
        "it is offered when one of 1 busy agents becomes free and it is first",
        "routing step 2 falls due in 58 min 59 s",
    ):
        assert words in told, f"{words}\n--\n{told}"
