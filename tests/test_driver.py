"""The driver: one clock over three calendars, ties, wakings, strictness."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias

import pytest
import simpy

from router.decisions import Decision, EnqueueContact, NoteDuplicate, Reason, RelaxContact
from router.events import ContactEnded, ContactHeld, OverloadSwitched, Stamped, TimeAdvanced
from router.journal import Digest, Entry
from router.router import Router
from router.sequencer import Sequencer
from simulation.day import judge_seed
from simulation.driver import Driver, WorldEnvironment

Happenings: TypeAlias = Generator[simpy.Event, Any, None]

START_MS = 1_000_000


class FakeRouter:
    """Answers every event with one decision; its deadlines are a list of instants."""

    def __init__(self, deadlines: list[int] | None = None) -> None:
        self.seq = 0
        self.now_ms = 0
        self.deadlines = sorted(deadlines or [])
        self.inside = False

    def next_deadline(self) -> int | None:
        return self.deadlines[0] if self.deadlines else None

    def is_due_before(self, at_ms: int) -> bool:
        return bool(self.deadlines) and self.deadlines[0] < at_ms

    def handle(self, stamped: Stamped) -> tuple[Decision, ...]:
        assert not self.inside, "handle entered twice"
        assert stamped.seq == self.seq + 1
        self.inside = True
        self.seq, self.now_ms = stamped.seq, stamped.at_ms
        answer: Decision
        if isinstance(stamped.event, TimeAdvanced):
            assert self.deadlines.pop(0) <= stamped.at_ms
            answer = RelaxContact("c-1", 1, Reason.STEP_DUE)
        elif isinstance(stamped.event, ContactEnded):
            answer = EnqueueContact(stamped.event.contact_id, "q", Reason.ARRIVED)
        else:
            answer = NoteDuplicate(Reason.DUPLICATE)
        self.inside = False
        return (answer,)


def make(deadlines: list[int] | None = None) -> tuple[Driver, list[Entry]]:
    journal: list[Entry] = []
    router: Any = FakeRouter(deadlines)
    return Driver(router, START_MS, (journal.append,)), journal


def seen(journal: list[Entry]) -> list[tuple[int, str]]:
    return [
        (entry.stamped.at_ms - START_MS, type(entry.stamped.event).__name__) for entry in journal
    ]


def test_both_calendars_are_one_line_in_time() -> None:
    env = WorldEnvironment()
    told: list[Any] = []

    def person(name: str, wait_ms: int) -> Happenings:
        yield env.timeout(wait_ms)
        told.append((env.now_ms, name))

    env.process(person("simpy", 30))
    env.call_at(20, lambda who: told.append((env.now_ms, who)), "world")
    env.call_in(40, lambda who: told.append((env.now_ms, who)), "world")
    env.run(until=100)
    assert told == [(20, "world"), (30, "simpy"), (40, "world")]
    assert env.now == 100


def test_at_one_instant_simpy_comes_first_and_the_world_in_order() -> None:
    env = WorldEnvironment()
    told: list[Any] = []

    def person() -> Happenings:
        yield env.timeout(10)
        told.append("simpy")
        env.call_in(0, told.append, "third")

    env.call_at(10, told.append, "first")
    env.call_at(10, told.append, "second")
    env.process(person())
    env.run(until=11)
    assert told == ["simpy", "first", "second", "third"]


def test_run_is_strict_and_goes_on_where_it_stopped() -> None:
    env = WorldEnvironment()
    told: list[Any] = []
    env.call_at(10, told.append, "ten")
    env.run(until=10)
    assert told == []
    assert env.now == 10
    env.run(until=11)
    assert told == ["ten"]
    with pytest.raises(ValueError, match="already shows 11"):
        env.run(until=5)


def test_what_is_put_down_while_running_is_still_met() -> None:
    env = WorldEnvironment()
    told: list[Any] = []
    env.call_at(10, lambda _: env.call_at(12, told.append, "later"))
    env.run(until=13)
    assert told == ["later"]


def test_fractions_of_a_millisecond_are_refused() -> None:
    env = WorldEnvironment()
    with pytest.raises(TypeError, match="whole milliseconds"):
        env.timeout(0.5)


def test_so_are_fractions_in_the_worlds_calendar() -> None:
    env = WorldEnvironment()
    nothing: Any = 0.5
    with pytest.raises(TypeError, match=r"an instant of 0\.5"):
        env.call_at(nothing, print)
    with pytest.raises(TypeError, match=r"a delay of 0\.5"):
        env.call_in(nothing, print)


def test_nothing_is_put_down_in_the_past() -> None:
    env = WorldEnvironment(START_MS)
    with pytest.raises(AssertionError, match="the past is over"):
        env.call_at(START_MS - 1, print)
    with pytest.raises(AssertionError, match="the past is over"):
        env.call_in(-1, print)


def test_a_simpy_event_still_ends_a_run() -> None:
    env = WorldEnvironment()
    bell = env.event()

    def ring(_: object) -> None:
        bell.succeed("rung")

    env.call_at(7, ring)
    assert env.run(until=bell) == "rung"
    assert env.now == 7


def test_a_deadline_fires_after_all_at_its_instant_and_before_what_follows() -> None:
    driver, journal = make([START_MS + 10])
    driver.call_at(START_MS + 10, lambda _: driver.feed(ContactHeld("c-1")))
    driver.call_at(START_MS + 11, lambda _: driver.feed(ContactEnded("c-1")))

    def simpy_person() -> Happenings:
        yield driver.timeout(10)
        driver.feed(OverloadSwitched(active=True))

    driver.process(simpy_person())
    driver.run(START_MS + 12)
    assert seen(journal) == [
        (10, "OverloadSwitched"),
        (10, "ContactHeld"),
        (10, "TimeAdvanced"),
        (11, "ContactEnded"),
    ]


def test_deadlines_fire_when_nothing_else_happens() -> None:
    driver, journal = make([START_MS + 10, START_MS + 25])
    driver.run(START_MS + 25)
    assert seen(journal) == [(10, "TimeAdvanced")]
    assert driver.now == START_MS + 25
    driver.run(START_MS + 26)
    assert seen(journal) == [(10, "TimeAdvanced"), (25, "TimeAdvanced")]


def test_without_limit_it_runs_until_nothing_is_left() -> None:
    driver, journal = make([START_MS + 10, START_MS + 5_000])
    driver.run()
    assert seen(journal) == [(10, "TimeAdvanced"), (5_000, "TimeAdvanced")]


def test_who_hears_a_decision_speaks_at_the_same_instant_after_handle_returned() -> None:
    driver, journal = make()
    spoken: list[int] = []

    def hear(decisions: tuple[Decision, ...], at_ms: int) -> None:
        if isinstance(decisions[0], EnqueueContact):
            spoken.append(at_ms)
            driver.feed(ContactHeld("c-1"))
            driver.feed(ContactHeld("c-2"))

    driver.observer = hear
    driver.call_in(5, lambda _: driver.feed(ContactEnded("c-1")))
    driver.run(START_MS + 6)
    assert spoken == [START_MS + 5]
    assert seen(journal) == [(5, "ContactEnded"), (5, "ContactHeld"), (5, "ContactHeld")]


def test_who_hears_a_deadline_speaks_after_the_deadlines_of_that_instant() -> None:
    driver, journal = make([START_MS + 10, START_MS + 10])
    heard: list[int] = []

    def hear(decisions: tuple[Decision, ...], at_ms: int) -> None:
        if isinstance(decisions[0], RelaxContact) and not heard:
            heard.append(at_ms)
            driver.feed(ContactHeld("c-1"))

    driver.observer = hear
    driver.run(START_MS + 20)
    assert seen(journal) == [(10, "TimeAdvanced"), (10, "TimeAdvanced"), (10, "ContactHeld")]


def test_a_decision_wakes_a_simpy_process_at_the_same_instant() -> None:
    driver, _ = make([START_MS + 10])
    bell = driver.event()
    woken: list[int] = []

    def sleeper() -> Happenings:
        yield bell
        woken.append(driver.now_ms)

    driver.process(sleeper())

    def ring(_decisions: tuple[Decision, ...], _at_ms: int) -> None:
        bell.succeed()

    driver.observer = ring
    driver.run(START_MS + 11)
    assert woken == [START_MS + 10]


def test_an_overdue_deadline_fires_now_and_not_in_the_past() -> None:
    driver, journal = make([START_MS - 500])
    driver.run(START_MS + 1)
    assert driver.now == START_MS + 1
    assert seen(journal) == [(-500, "TimeAdvanced")]


def test_an_empty_world_is_empty() -> None:
    driver, journal = make()
    with pytest.raises(simpy.core.EmptySchedule):
        driver.step()
    driver.run()
    assert journal == []


def test_without_listeners_the_world_hears_the_same_decisions() -> None:
    """Entries are made for listeners only; the world needs none."""
    heard: list[list[tuple[Any, int]]] = [[], []]
    for number, listeners in enumerate([(), (lambda _: None,)]):
        router: Any = FakeRouter([START_MS + 10, START_MS + 30])
        driver = Driver(router, START_MS, listeners)
        driver.observer = lambda *said, told=heard[number]: told.append(said)
        driver.call_in(20, driver.feed, ContactEnded("c-1"))
        driver.run(START_MS + 40)
    assert heard[0] == heard[1]
    assert [at_ms - START_MS for _, at_ms in heard[0]] == [10, 20, 30]


def crowd(driver: Driver) -> None:
    """Let all three calendars meet at the same instants, and speak back when spoken to."""

    def person(every_ms: int) -> Happenings:
        while driver.now_ms < START_MS + 40:
            yield driver.timeout(every_ms)
            driver.feed(OverloadSwitched(active=True))

    def hear(decisions: tuple[Decision, ...], _at_ms: int) -> None:
        if isinstance(decisions[0], RelaxContact):
            driver.feed(ContactHeld("c-1"))
        if isinstance(decisions[0], EnqueueContact):
            driver.call_in(0, driver.feed, ContactHeld("c-2"))
            driver.call_in(5, driver.feed, ContactHeld("c-3"))

    driver.observer = hear
    for every_ms in (5, 7):
        driver.process(person(every_ms))
    for at_ms in (4, 5, 7, 14, 35):
        driver.call_at(START_MS + at_ms, driver.feed, ContactEnded("c-1"))


def test_a_run_in_one_go_in_pieces_or_step_by_step_is_the_same_run() -> None:
    deadlines = [START_MS + at_ms for at_ms in (-3, 0, 5, 5, 6, 14, 35, 90)]
    journals = []
    for how in ("at once", "pieces", "steps"):
        driver, journal = make(deadlines)
        crowd(driver)
        if how == "at once":
            driver.run()
        elif how == "pieces":
            for piece in range(101):
                driver.run(START_MS + piece)
        else:
            seen_ms = []
            while (next_ms := driver.peek()) < simpy.core.Infinity:
                driver.step()
                assert driver.now == next_ms
                seen_ms.append(next_ms)
            assert seen_ms == sorted(seen_ms)
            with pytest.raises(simpy.core.EmptySchedule):
                driver.step()
        journals.append(journal)
    assert len(journals[0]) > 30
    assert journals[0] == journals[1] == journals[2]


def test_a_router_put_in_while_running_has_its_own_deadlines_met() -> None:
    driver, journal = make([START_MS + 10, START_MS + 500])
    successor: Any = FakeRouter([START_MS + 30])

    def replace(_: object) -> None:
        successor.seq = driver.router.seq
        driver.replace_router(successor)

    driver.call_at(START_MS + 20, replace)
    driver.run()
    assert seen(journal) == [(10, "TimeAdvanced"), (30, "TimeAdvanced")]


def test_a_router_is_not_replaced_while_it_is_heard() -> None:
    driver, _ = make()
    router: Any = FakeRouter()
    driver.observer = lambda *_: driver.replace_router(router)
    with pytest.raises(AssertionError, match="between two events"):
        driver.feed(ContactEnded("c-1"))


def say_again(
    journal: list[Entry],
    router: Router,
    say: Callable[[Stamped], None],
    pass_time: Callable[[int], None],
) -> None:
    """Hand in only what came from outside: due deadlines must be let in on the way.

    Time is passed by itself where the driver did so, too: at the end of the day, and where a
    deadline woke somebody who spoke at that very instant.
    """
    after = [*(entry.stamped for entry in journal[1:]), None]
    for entry, following in zip(journal, after, strict=True):
        stamped = entry.stamped
        if stamped.seq <= router.seq:
            continue
        if not isinstance(stamped.event, TimeAdvanced):
            say(stamped)
        elif following is None or (
            following.at_ms == stamped.at_ms and not isinstance(following.event, TimeAdvanced)
        ):
            pass_time(stamped.at_ms + 1)


@pytest.mark.parametrize("seed", range(12))
def test_both_doors_of_the_sequencer_stamp_and_decide_the_same(seed: int) -> None:
    journal: list[Entry] = []
    digest = judge_seed(seed, listeners=(journal.append,)).digest
    kept, followed = Digest(), Digest()

    keeping = Sequencer(Router())

    def keep(entries: list[Entry]) -> None:
        for entry in entries:
            kept.update(entry.stamped, entry.decisions)

    say_again(
        journal,
        keeping.router,
        lambda one: keep(
            keeping.accept(one.event, one.at_ms, event_id=one.event_id, occurred_ms=one.occurred_ms)
        ),
        lambda now_ms: keep(keeping.advance(now_ms)),
    )

    following = Sequencer(Router())
    say_again(
        journal,
        following.router,
        lambda one: following.follow(
            one.event, one.at_ms, followed.update, one.event_id, one.occurred_ms
        ),
        lambda now_ms: following.follow_time(now_ms, followed.update),
    )
    assert any(isinstance(entry.stamped.event, TimeAdvanced) for entry in journal)
    assert kept.hexdigest() == digest
    assert followed.hexdigest() == digest
