"""Run one whole day: play it, heal it, demand progress, judge it.

`simulate_day` is the front door for speed: nothing is recorded unless asked for. `judge_seed`
is the front door for doubt: it draws everything from one number, records the journal, lets the
auditor check every step, heals the world and demands that every contact ends.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import simpy

from router.center import Center
from router.decisions import Decision
from router.events import (
    AgentSignedIn,
    CenterChanged,
    ContactArrived,
    ContactEnded,
    Event,
    OverloadSwitched,
)
from router.journal import Digest, Entry
from router.router import Router
from simulation.auditor import Auditor
from simulation.driver import Driver, Listener, Observer
from simulation.faults import CENTER_LATE, Line
from simulation.mischief import Mischief
from simulation.options import from_seed
from simulation.randomness import Streams
from simulation.rogues import misbehave
from simulation.scenario import Options
from simulation.world import World

UserProcess: TypeAlias = Callable[[World], Generator[simpy.Event, Any, None]]

_SETTLE_EVERY_MS: Final = 60_000
_SHOWN_MAX: Final = 10
_FRAMES_MAX: Final = 6


@dataclass
class Day:
    """A day after it was played: the world as it stands, the router, what went wrong on purpose.

    `left_open` holds the contacts still open at the end, `entries` counts the events stamped.
    """

    center: Center
    options: Options
    driver: Driver
    world: World
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def entries(self) -> int:
        """Return how many events were stamped, deadlines among them."""
        return self.driver.router.seq

    @property
    def left_open(self) -> list[str]:
        """Return the ids of the contacts the router still holds, oldest first."""
        return [contact.id for contact in self.world.open_contacts]


def simulate_day(
    center: Center,
    options: Options,
    *,
    listeners: tuple[Listener, ...] = (),
    processes: tuple[UserProcess, ...] = (),
    heal: bool = False,
) -> Day:
    """Play one day and return it.

    `listeners` hear each entry in order: append to a list for a journal, fold a digest or the
    measures, or leave them out for speed. `processes` are SimPy generator functions of the world,
    for what this module does not play: an outage, a fire drill. With `heal` the day goes on,
    without new customers and with every agent willing, until every contact has ended or
    `options.heal_ms` has passed.
    """
    streams = Streams(options.seed, options.replication)
    driver = Driver(Router(), options.start_ms, listeners)
    line = Line(driver, driver.feed, options.faults, streams, event_ids=options.event_ids)
    world = World(driver, center, options, streams, line.send)
    lag_ms = options.lag_ms
    driver.observer = _delayed(driver, world, lag_ms) if lag_ms else world.observe

    def restore() -> None:
        driver.replace_router(Router.restore(driver.router.snapshot()))

    if CENTER_LATE in options.faults.kinds:
        line.counts[CENTER_LATE] += 1
        for event in _too_early(center):
            driver.feed(event)
    driver.feed(CenterChanged(center))
    world.start()
    mischief = Mischief(world, line, streams.lots("mischief"), restore)
    for process in processes:
        driver.process(process(world))
    driver.process(misbehave(mischief, options.faults.kinds, options.faults.gap_ms))
    driver.run(options.start_ms + options.length_ms)
    if heal:
        line.heal()
        world.heal()
        _settle(driver, world, options)
    return Day(center, options, driver, world, line.counts)


def _delayed(driver: Driver, world: World, lag_ms: int) -> Observer:
    """Let the world hear decisions a while after they were taken, as over a network."""

    def hear(subject: tuple[tuple[Decision, ...], int]) -> None:
        world.observe(*subject)

    def observe(decisions: tuple[Decision, ...], at_ms: int) -> None:
        if decisions:
            driver.call_in(lag_ms, hear, (decisions, at_ms))

    return observe


def _too_early(center: Center) -> tuple[Event, ...]:
    """Return what may be said before there is a configuration."""
    agent_id = next(iter(center.agents))
    category = next(iter(center.categories))
    channel = next(iter(center.channels))
    return (
        AgentSignedIn(agent_id, 1),
        ContactArrived("rogue-early", channel, category),
        ContactEnded("rogue-early"),
        OverloadSwitched(active=True),
    )


def _settle(driver: Driver, world: World, options: Options) -> None:
    """Run on until nothing is open; in the second half of the time the waiting leave."""
    end_ms = driver.now_ms + options.heal_ms
    patient_until_ms = driver.now_ms + options.heal_ms // 2
    while driver.now_ms < end_ms:
        driver.run(driver.now_ms + _SETTLE_EVERY_MS)
        world.settle(give_up=driver.now_ms > patient_until_ms)
        if not world.stage.contacts:
            return


@dataclass(frozen=True)
class Verdict:
    """What a seed showed: counts, the digest of its journal, and every violation in words.

    `hours` is the simulated time, `left_open` the contacts open at the end, `faults` how often
    each fault struck.
    """

    seed: int
    center: Center
    options: Options
    entries: int
    decisions: int
    hours: float
    left_open: int
    faults: dict[str, int]
    digest: str
    violations: tuple[str, ...]


def judge_seed(seed: int, *, listeners: tuple[Listener, ...] = ()) -> Verdict:
    """Draw, play, heal and judge the day of one seed."""
    center, options = from_seed(seed)
    return judge_day(center, options, listeners=listeners)


def judge_day(
    center: Center, options: Options, *, listeners: tuple[Listener, ...] = (), heal: bool = True
) -> Verdict:
    """Play a day under the auditor; with `heal`, put all right and demand progress."""
    auditor, digest = Auditor(), Digest()
    found: list[str] = []
    journal: list[Entry] = []

    def judge(entry: Entry) -> None:
        journal.append(entry)
        digest.update(entry.stamped, entry.decisions)
        found.extend(str(violation) for violation in auditor.check(entry.stamped, entry.decisions))

    crash = ""
    left_open: list[str] = []
    faults: Counter[str] = Counter()
    try:
        day = simulate_day(center, options, listeners=(judge, *listeners), heal=heal)
    except Exception as error:  # noqa: BLE001 - whatever breaks under a seed is a finding
        crash = describe_crash(error)
        found.append(crash)
    else:
        left_open, faults = day.left_open, day.faults
        drained = heal and not left_open
        found += [str(violation) for violation in auditor.finish(drained=drained)]
        if heal and left_open:
            found.append(_no_progress(day, options.heal_ms))
    if faults["restored"] and not crash:
        again = refold(journal)
        if again != digest.hexdigest():
            found.append(
                "I30: the journal refolded without a snapshot gives digest "
                f"{again[:16]}, the day gave {digest.hexdigest()[:16]}"
            )
    end_ms = journal[-1].stamped.at_ms if journal else options.start_ms
    return Verdict(
        seed=options.seed,
        center=center,
        options=options,
        entries=len(journal),
        decisions=sum(len(entry.decisions) for entry in journal),
        hours=(end_ms - options.start_ms) / 3_600_000,
        left_open=len(left_open),
        faults=dict(sorted(faults.items())),
        digest=digest.hexdigest(),
        violations=tuple(found),
    )


def _no_progress(day: Day, heal_ms: int) -> str:
    phases = [f"{contact.id} ({contact.phase.value})" for contact in day.world.open_contacts]
    return (
        f"progress: {len(phases)} contacts are open {heal_ms // 60_000} minutes after "
        f"everything was put right: {', '.join(phases[:_SHOWN_MAX])}"
    )


def describe_crash(error: BaseException) -> str:
    """Say in one line what broke and where, innermost frame first.

    SimPy raises a copy of what broke inside a process; the original is its cause.
    """
    origin = error.__cause__ or error
    frames = traceback.extract_tb(origin.__traceback__)[-_FRAMES_MAX:]
    places = [f"{'/'.join(Path(f.filename).parts[-2:])}:{f.lineno} {f.name}" for f in frames]
    return f"crash: {type(origin).__name__}: {origin} ({' < '.join(reversed(places))})"


def refold(journal: Iterable[Entry]) -> str:
    """Let a fresh core decide a journal's events again; return the digest of that."""
    router, digest = Router(), Digest()
    for entry in journal:
        digest.update(entry.stamped, router.handle(entry.stamped))
    return digest.hexdigest()
