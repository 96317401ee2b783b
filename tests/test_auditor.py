"""The auditor: clean journals pass, each broken rule is named, planted bugs are found."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import msgspec
import pytest

import router.router
from router import center as c
from router import decisions as d
from router import events as e
from router.journal import Entry, JournalWriter
from router.sla import DEFAULT_SIGNALS
from simulation.auditor import Auditor, RecordAuditor, Violation, audit
from simulation.auditor.clock import USUAL_SIGNALS
from tests.builders import desk
from tests.planted_bugs import Bug
from tests.planted_routing_bugs import BUGS
from tests.small_worlds import World, draw_center, journal_of

CLEAN_SEEDS = range(24)
BUG_SEEDS = range(40)

Journal: TypeAlias = list[Entry]

CENTER = c.Center(
    name="desk",
    version=1,
    channels={
        "phone": c.Channel(units=100, offer_timeout_ms=20_000),
        "email": c.Channel(units=50, offer_timeout_ms=0),
    },
    skills=("billing",),
    queues={"front": c.Queue()},
    categories={"invoice": c.Category(queue="front", needs={"billing": 3})},
    teams={"care": c.Team()},
    agents={
        "ann": c.Agent(team="care", skills={"billing": 5}),
        "ben": c.Agent(team="care", skills={"billing": 2}),
    },
    promises={
        "answer": c.Promise(
            kind=c.ClockKind.ANSWER, target_ms=30_000, channels=("phone",), warnings=(50,)
        )
    },
)

Step: TypeAlias = tuple[int, e.Event, tuple[d.Decision, ...]]


def journal(*steps: Step) -> Journal:
    """Make a journal of (ms, event, decisions); the centre and Ann's sign-in come first."""
    opening: list[Step] = [
        (1_000, e.CenterChanged(CENTER), (d.ActivateCenter(1, "hash", d.Reason.CONFIGURED),)),
        (1_000, e.AgentSignedIn("ann", 1), ()),
    ]
    return [
        Entry(e.Stamped(number, at_ms, event), decisions)
        for number, (at_ms, event, decisions) in enumerate((*opening, *steps), start=1)
    ]


ARRIVED = e.ContactArrived("c1", "phone", "invoice")
START = d.StartSla("c1", "answer", 1, 35_000, d.Reason.CLOCK_STARTED)
ENQUEUE = d.EnqueueContact("c1", "front", d.Reason.ARRIVED, 5)
OFFER = d.OfferContact(1, "c1", "ann", d.Reason.LONGEST_IDLE, 25_000)
ASSIGN = d.AssignContact(1, "c1", "ann", d.Reason.ACCEPTED, 3_000, 3_000)
MEET = d.MeetSla("c1", "answer", 1, 3_000, d.Reason.STOPPED_IN_TIME)
END = d.EndAssignment("c1", "ann", d.Reason.CUSTOMER_LEFT)
CLOSE = d.CloseContact("c1", d.Exit.HANDLED, d.Reason.CUSTOMER_LEFT)

ARRIVAL: Step = (5_000, ARRIVED, (START, ENQUEUE, OFFER))
ACCEPTANCE: Step = (8_000, e.OfferAccepted(1, "c1", "ann"), (ASSIGN, MEET))
ENDING: Step = (60_000, e.ContactEnded("c1"), (END, CLOSE))


def rules(found: list[Violation]) -> set[str]:
    """Return the names of the rules that were broken."""
    return {violation.rule for violation in found}


def test_a_plain_life_is_clean() -> None:
    """A contact arrives, is offered, accepted, served and closed."""
    assert audit(journal(ARRIVAL, ACCEPTANCE, ENDING), drained=True) == []


WITHDRAW = d.WithdrawOffer(1, "c1", "ann", d.Reason.EXPIRED)
REQUEUE = d.RequeueContact("c1", "front", d.Reason.EXPIRED, 5)
WARN = d.WarnSla("c1", "answer", 1, 50, d.Reason.WARNING_DUE)
BREACH = d.BreachSla("c1", "answer", 1, 35_000, d.Reason.DEADLINE_PASSED)
TICK = e.TimeAdvanced()

BROKEN: dict[str, tuple[str, Journal]] = {
    "arrives and goes nowhere": ("I4", journal((5_000, ARRIVED, (START,)))),
    "left waiting beside a free agent": ("I12", journal((5_000, ARRIVED, (START, ENQUEUE)))),
    "a second offer": (
        "I5",
        journal(
            (5_000, ARRIVED, (START, ENQUEUE, OFFER, msgspec.structs.replace(OFFER, offer_id=2)))
        ),
    ),
    "an offer to somebody signed out": (
        "I8",
        journal((5_000, ARRIVED, (START, ENQUEUE, msgspec.structs.replace(OFFER, agent_id="ben")))),
    ),
    "an offer without room": (
        "I7",
        journal(
            ARRIVAL,
            ACCEPTANCE,
            (
                9_000,
                e.ContactArrived("c2", "email", "invoice"),
                (
                    d.EnqueueContact("c2", "front", d.Reason.ARRIVED, 5),
                    d.OfferContact(2, "c2", "ann", d.Reason.LONGEST_IDLE),
                ),
            ),
        ),
    ),
    "an offer that ends twice": (
        "I9",
        journal(ARRIVAL, ACCEPTANCE, (9_000, e.OfferAccepted(1, "c1", "ann"), (ASSIGN,))),
    ),
    "an acceptance without assignment": (
        "I9",
        journal(ARRIVAL, (8_000, e.OfferAccepted(1, "c1", "ann"), ())),
    ),
    "an offer that expires early": (
        "I10",
        journal(ARRIVAL, (24_999, TICK, (WARN, WITHDRAW, REQUEUE))),
    ),
    "an offer that never expires": ("I10", journal(ARRIVAL, (25_001, e.AgentHeartbeat("ann"), ()))),
    "no rest after an offer that expired": (
        "I11",
        journal(
            ARRIVAL,
            (20_000, TICK, (WARN,)),
            (
                25_000,
                TICK,
                (
                    WITHDRAW,
                    REQUEUE,
                    msgspec.structs.replace(OFFER, offer_id=2, expires_at_ms=45_000),
                ),
            ),
        ),
    ),
    "a second assignment": (
        "I6",
        journal(
            ARRIVAL,
            ACCEPTANCE,
            (9_000, e.ContactHeld("c1"), (msgspec.structs.replace(ASSIGN, agent_id="ben"),)),
        ),
    ),
    "a wait that is wrong": (
        "I13",
        journal(
            ARRIVAL,
            (
                8_000,
                e.OfferAccepted(1, "c1", "ann"),
                (msgspec.structs.replace(ASSIGN, wait_ms=2_999), MEET),
            ),
        ),
    ),
    "a close that is said twice": (
        "I2",
        journal(ARRIVAL, ACCEPTANCE, ENDING, (61_000, e.AgentHeartbeat("ann"), (CLOSE,))),
    ),
    "a closed contact that is heard": (
        "I2",
        journal(ARRIVAL, ACCEPTANCE, ENDING, (61_000, e.AgentReplied("c1"), ())),
    ),
    "a contact taken in twice": ("I2", journal(ARRIVAL, (6_000, ARRIVED, (START, ENQUEUE)))),
    "an unknown contact": ("I3", journal((5_000, e.AgentReplied("c9"), ()))),
    "a refusal that changes something": (
        "I3",
        journal(ARRIVAL, (6_000, ARRIVED, (d.NoteDuplicate(d.Reason.DUPLICATE, "c1"), ENQUEUE))),
    ),
    "a refusal that is not true": (
        "I3",
        journal(
            ARRIVAL,
            (6_000, e.ContactEnded("c1"), (d.RefuseEvent(d.Reason.UNKNOWN_CONTACT, "c1"),)),
        ),
    ),
    "an acceptance that is refused": (
        "I9",
        journal(
            ARRIVAL,
            (6_000, e.OfferAccepted(1, "c1", "ann"), (d.RefuseEvent(d.Reason.OFFER_CLOSED),)),
        ),
    ),
    "a clock that never starts": ("I15", journal((5_000, ARRIVED, (ENQUEUE, OFFER)))),
    "a clock that is met with a wrong time": (
        "I21",
        journal(
            ARRIVAL,
            (
                8_000,
                e.OfferAccepted(1, "c1", "ann"),
                (ASSIGN, msgspec.structs.replace(MEET, elapsed_ms=2_999)),
            ),
        ),
    ),
    "a deadline that is wrong": (
        "I22",
        journal(
            (5_000, ARRIVED, (msgspec.structs.replace(START, deadline_ms=35_001), ENQUEUE, OFFER))
        ),
    ),
    "time that goes back": ("I23", journal(ARRIVAL, (4_999, e.AgentHeartbeat("ann"), ()))),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_named(name: str) -> None:
    """Each journal that breaks one rule is reported under that rule."""
    rule, entries = BROKEN[name]
    found = audit(entries)
    assert rule in rules(found), [str(violation) for violation in found]


def waiting_journal(*steps: Step) -> Journal:
    """Make a journal in which c1 waits while nobody may serve it."""
    away: Step = (2_000, e.AgentPresenceChanged("ann", "break"), ())
    arrival: Step = (5_000, ARRIVED, (START, ENQUEUE))
    return journal(away, arrival, *steps)


BREACHES: dict[str, tuple[str, tuple[Step, ...]]] = {
    "no warning": ("I20", ((20_001, TICK, ()),)),
    "a late warning": ("I20", ((20_001, TICK, (WARN,)),)),
    "no breach": ("I17", ((20_000, TICK, (WARN,)), (35_001, TICK, ()))),
    "an early breach": ("I18", ((20_000, TICK, (WARN,)), (34_999, TICK, (BREACH,)))),
    "a breach that answers something else": (
        "I17",
        ((20_000, TICK, (WARN,)), (35_000, e.AgentHeartbeat("ann"), (BREACH,))),
    ),
    "a second breach": (
        "I16",
        ((20_000, TICK, (WARN,)), (35_000, TICK, (BREACH,)), (36_000, TICK, (BREACH,))),
    ),
    "a warning after the breach": (
        "I20",
        ((35_000, TICK, (BREACH,)), (36_000, TICK, (WARN,))),
    ),
}


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_is_judged_to_the_millisecond(name: str) -> None:
    """Warnings and breaches answer the tick of exactly their instant, once."""
    rule, steps = BREACHES[name]
    found = audit(waiting_journal(*steps))
    assert rule in rules(found), [str(violation) for violation in found]


def test_a_stop_at_the_deadline_is_met() -> None:
    """An event stamped at the deadline comes before the tick: met, and no breach."""
    entries = waiting_journal(
        (20_000, TICK, (WARN,)),
        (
            35_000,
            e.ContactAbandoned("c1"),
            (
                d.StopSla("c1", "answer", 1, d.Reason.CLOCK_CANCELED),
                d.CloseContact("c1", d.Exit.ABANDONED, d.Reason.ABANDONED),
            ),
        ),
        (36_000, TICK, ()),
    )
    assert audit(entries, drained=True) == []


def test_what_is_open_at_the_end_is_reported_when_all_should_have_ended() -> None:
    """`finish(drained=True)` reports every contact that is still there."""
    assert audit(journal(ARRIVAL)) == []
    assert rules(audit(journal(ARRIVAL), drained=True)) == {"I2"}


def test_a_gap_in_the_sequence_is_reported() -> None:
    """Seq is dense."""
    entries = journal(ARRIVAL, ACCEPTANCE)
    stamped = msgspec.structs.replace(entries[-1].stamped, seq=9)
    assert "I31" in rules(audit([*entries[:-1], Entry(stamped, entries[-1].decisions)]))


def test_a_canary_is_found() -> None:
    """A string planted in an input may appear nowhere in the journal."""
    auditor = Auditor(canaries=("+49 170 5550000",))
    entry = journal((5_000, msgspec.structs.replace(ARRIVED, tier="+49 170 5550000"), ()))[-1]
    assert "I35" in rules(auditor.check(entry.stamped, entry.decisions))


def test_an_overtaken_contact_is_named() -> None:
    """Of two equals the older comes first."""
    email = e.ContactArrived("c2", "email", "invoice")
    entries = journal(
        (2_000, e.AgentPresenceChanged("ann", "break"), ()),
        (
            3_000,
            e.ContactArrived("c1", "email", "invoice"),
            (d.EnqueueContact("c1", "front", d.Reason.ARRIVED, 5),),
        ),
        (4_000, email, (d.EnqueueContact("c2", "front", d.Reason.ARRIVED, 5),)),
        (
            5_000,
            e.AgentPresenceChanged("ann", "available"),
            (
                d.OfferContact(1, "c2", "ann", d.Reason.PRIORITY_THEN_AGE),
                d.OfferContact(2, "c1", "ann", d.Reason.PRIORITY_THEN_AGE),
            ),
        ),
    )
    found = audit(entries)
    assert [v.rule for v in found] == ["I13"], [str(violation) for violation in found]
    assert "before c1" in found[0].text


def test_signals_agree_with_the_core() -> None:
    """The auditor's own table of signals says what the core's says."""
    for kind, (start, stop, pause, resume, reset) in USUAL_SIGNALS.items():
        sets = DEFAULT_SIGNALS[kind]
        assert (sets.start, sets.stop) == (start, stop), kind
        assert (sets.pause, sets.resume, sets.reset) == (pause, resume, reset), kind
    assert USUAL_SIGNALS.keys() == DEFAULT_SIGNALS.keys()


def test_the_auditor_imports_the_words_only() -> None:
    """No module of the auditor imports anything of the core but its words."""
    words = {"router.events", "router.decisions", "router.center", "router.center_calendars"}
    for name, module in list(sys.modules.items()):
        if not name.startswith("simulation.auditor"):
            continue
        for value in vars(module).values():
            origin = getattr(value, "__module__", None) or ""
            assert not origin.startswith("router.") or origin in words, (name, value)


# --- the real core ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", CLEAN_SEEDS)
def test_the_core_breaks_no_rule(seed: int) -> None:
    """A small world drawn from a seed leaves a clean journal."""
    found = audit(journal_of(seed))
    assert found == [], "\n".join(str(violation) for violation in found[:5])


def test_a_callback_taken_over_was_still_there_when_its_customer_came() -> None:
    """One open contact is the limit, and he is it: overload is what he finds on arriving."""
    center = desk(
        category=c.Category(queue="q", overload=c.OverloadClass.DEFLECT),
        limits=c.Limits(overload_open_contacts=1),
        callbacks=c.CallbackRules(taken_over=True),
    )
    events: tuple[e.Event, ...] = (
        e.CenterChanged(center),
        e.ContactArrived("1", "phone", "c", customer="x"),
        e.CallbackRequested("1", 10_000_000),
        e.ContactArrived("2", "phone", "c", customer="x"),
    )
    core = router.router.Router()
    entries: Journal = []
    for seq, event in enumerate(events, start=1):
        stamped = e.Stamped(seq, 1_000_000, event)
        entries.append(Entry(stamped, core.handle(stamped)))
    assert d.CloseContact("1", d.Exit.MERGED, d.Reason.CALLED_MEANWHILE) in entries[-1].decisions
    assert d.DeflectContact("2", d.Reason.OVERLOAD) in entries[-1].decisions
    assert audit(entries) == []


@pytest.mark.parametrize("seed", range(12))
def test_no_journal_is_too_broken_to_be_judged(seed: int) -> None:
    """A journal with decisions lost, doubled and swapped is reported, never a crash."""
    random_ = random.Random(seed)
    broken: Journal = []
    for entry in journal_of(seed, steps=150):
        decisions = [x for x in entry.decisions for _ in range(random_.choice((0, 1, 1, 1, 1, 2)))]
        if random_.random() < 0.1:
            random_.shuffle(decisions)
        if random_.random() > 0.03 or entry.stamped.seq == 1:
            kept = entry.decisions if entry.stamped.seq == 1 else tuple(decisions)
            broken.append(Entry(entry.stamped, kept))
    assert audit(broken, drained=True)


def hunt(bug: Bug, seed: int) -> list[Violation]:
    """Run a world with the bug in it; a router that fails ends the journal early."""
    random_ = random.Random(seed)
    world = World(random_, bug.adapt(draw_center(random_)))
    with pytest.MonkeyPatch.context() as patch:
        bug.plant(patch)
        with contextlib.suppress(Exception):
            world.run(300)
    return audit(world.entries)


@pytest.mark.skipif(
    not (router.router.__file__ or "").endswith(".py"), reason="the compiled core cannot be changed"
)
@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_a_planted_bug_is_found(bug: Bug) -> None:
    """Some seed makes the bug show, under a rule that fits it."""
    for seed in BUG_SEEDS:
        found = hunt(bug, seed)
        if bug.rules & rules(found):
            return
    pytest.fail(f"{bug.name} went unseen in seeds {BUG_SEEDS.start}-{BUG_SEEDS.stop - 1}")


# --- records ----------------------------------------------------------------------------------


def records(seed: int) -> list[bytes]:
    """Write a small world's journal as records of seven entries."""
    entries = journal_of(seed, steps=60)
    writer = JournalWriter("shard", "0.1.0")
    return [writer.record(entries[i : i + 7]) for i in range(0, len(entries), 7)]


def judge_records(bodies: list[bytes]) -> set[str]:
    """Return the rules that records break."""
    auditor = RecordAuditor()
    return rules([violation for body in bodies for violation in auditor.check(body)])


def test_written_records_are_clean() -> None:
    """Chain, sequence and state hash agree with what the standard library computes."""
    assert judge_records(records(3)) == set()


Damage: TypeAlias = Callable[[list[bytes]], list[bytes]]

DAMAGES: dict[str, tuple[str, Damage]] = {
    "a record is missing": ("I31", lambda bodies: [*bodies[:1], *bodies[2:]]),
    "a record comes twice": ("I31", lambda bodies: [*bodies[:2], *bodies[1:]]),
    "an instant is altered": (
        "I31",
        lambda bodies: [bodies[0].replace(b'"at_ms":1', b'"at_ms":2'), *bodies[1:]],
    ),
    "the epoch goes back": (
        "I28",
        lambda bodies: [*bodies[:1], bodies[1].replace(b'"writer_epoch":1', b'"writer_epoch":0')],
    ),
    "an offset is lost": (
        "I29",
        lambda bodies: [
            bodies[0].replace(b'"inputs_up_to":{}', b'"inputs_up_to":{"t/0":5},"gaps":[["t",0,3]]')
        ],
    ),
    "an offset is taken twice": (
        "I1",
        lambda bodies: [
            bodies[0].replace(
                b'"inputs_up_to":{}', b'"inputs_up_to":{"t/0":5},"gaps":[["t",0,4],["t",0,4]]'
            )
        ],
    ),
    "JSON that is no record": ("I31", lambda _: [b"[1]"]),
    "bytes that are no record": ("I31", lambda _: [b"{"]),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_records_are_found(name: str) -> None:
    """Each damage to the records is reported."""
    rule, damage = DAMAGES[name]
    assert rule in judge_records(damage(records(3)))


def test_memory_follows_what_is_open() -> None:
    """After everybody has gone and been forgotten the books are empty but for the agents."""
    center = replace(CENTER, limits=c.Limits(duplicate_window_ms=1_000), promises={})
    auditor = Auditor()
    opening = Entry(
        e.Stamped(1, 1_000, e.CenterChanged(center)),
        (d.ActivateCenter(1, "hash", d.Reason.CONFIGURED),),
    )
    found = auditor.check(opening.stamped, opening.decisions)
    for number in range(500):
        seq, at_ms, name = 2 + 2 * number, 10_000 * (number + 1), f"c{number}"
        found += auditor.check(
            e.Stamped(seq, at_ms, e.ContactArrived(name, "phone", "invoice")),
            (d.EnqueueContact(name, "front", d.Reason.NO_ELIGIBLE_AGENT, 5),),
        )
        found += auditor.check(
            e.Stamped(seq + 1, at_ms + 1, e.ContactAbandoned(name)),
            (d.CloseContact(name, d.Exit.ABANDONED, d.Reason.ABANDONED),),
        )
    ledger = auditor.ledger
    assert found == []
    assert auditor.open_contacts == 0
    assert len(ledger.closed) <= 2
    assert len(ledger.agenda.items) < 100
    assert not auditor.fairness.lines
    assert not auditor.fairness.places
