"""Measure the core alone as the centre grows: by agents, and by waiting contacts.

No driver, no journal, no codec: `Router.handle` is fed with stamped events. Latency is read with
`perf_counter_ns` around each call (its own cost, about 50 ns, is in the figure); "least of k"
takes each event's least time over k replays of one log, which removes what the machine did in
between and keeps what the core does for that event.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.centers import START_MS, growing, name_agent
from benchmarks.phone_day import draw
from router.decisions import OfferContact
from router.events import (
    AgentSignedIn,
    CenterChanged,
    ContactAbandoned,
    ContactArrived,
    ContactEnded,
    Event,
    OfferAccepted,
    Stamped,
    WrapUpEnded,
)
from router.router import Router

WAITING_POOL = 20
WAITING_AGENTS = 200
PRIORITIES = 10
_FOUR_HOURS_MS = 4 * 3_600_000


def percentile(ordered: list[int], share: float) -> int:
    """Return the value at or below which `share` of a sorted list lies."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def describe(times_ns: list[int]) -> dict[str, float]:
    """Return percentiles in microseconds."""
    ordered = sorted(times_ns)
    return {
        "p50": percentile(ordered, 0.5) / 1_000,
        "p99": percentile(ordered, 0.99) / 1_000,
        "p999": percentile(ordered, 0.999) / 1_000,
        "max": ordered[-1] / 1_000,
        "mean": sum(ordered) / len(ordered) / 1_000,
    }


def _warm(log: list[Stamped], begin: int) -> Callable[[Stamped], Any]:
    handle: Callable[[Stamped], Any] = Router().handle
    for stamped in log[:begin]:
        handle(stamped)
    return handle


def _replay_timed(log: list[Stamped], begin: int) -> list[int]:
    handle = _warm(log, begin)
    clock = time.perf_counter_ns
    times = []
    for stamped in log[begin:]:
        started = clock()
        handle(stamped)
        times.append(clock() - started)
    return times


def _replay_whole(log: list[Stamped], begin: int) -> float:
    handle = _warm(log, begin)
    gc.collect()
    started = time.process_time()
    for stamped in log[begin:]:
        handle(stamped)
    return (time.process_time() - started) / (len(log) - begin)


def grow_agents(agents: int, measured: int, replays: int) -> dict[str, Any]:
    """Replay one log of a centre of `agents`, with the collector on and off.

    The log itself is frozen out of the collector's sight: it is the benchmark's, not the core's.
    """
    log, begin = draw(agents, measured)
    gc.collect()
    gc.freeze()
    collected = [_replay_timed(log, begin) for _ in range(replays)]
    cpu_s = [_replay_whole(log, begin) for _ in range(min(replays, 3))]
    gc.disable()
    uncollected = [_replay_timed(log, begin) for _ in range(replays)]
    gc.enable()
    least = [min(times) for times in zip(*uncollected, strict=True)]
    kinds: dict[str, list[int]] = {}
    for stamped, took_ns in zip(log[begin:], least, strict=True):
        kinds.setdefault(type(stamped.event).__name__, []).append(took_ns)
    return {
        "agents": agents,
        "events": len(log) - begin,
        "kinds": {kind: len(times) for kind, times in kinds.items()},
        "kind_mean_us": {kind: sum(times) / len(times) / 1e3 for kind, times in kinds.items()},
        "first": _time_first(log, begin),
        "cpu_us_per_event": [one * 1e6 for one in cpu_s],
        "least_gc_on": describe([min(times) for times in zip(*collected, strict=True)]),
        "least_gc_off": describe(least),
        "single_gc_on": describe_single(collected),
        "single_gc_off": describe_single(uncollected),
    }


def _time_first(log: list[Stamped], begin: int) -> dict[str, float]:
    """Return what happens once: the configuration, a sign-in, the first contact of each category.

    The least of two replays each, the collector off; of the first contacts the slowest is given.
    """
    described: list[dict[str, float]] = []
    gc.collect()
    gc.disable()
    for _ in range(2):
        handle = Router().handle
        sign_ins_ns, firsts_ns, configured_ns = [0], [0], 0
        seen: set[str] = set()
        for stamped in log[:begin]:
            started = time.perf_counter_ns()
            handle(stamped)
            took_ns = time.perf_counter_ns() - started
            event = stamped.event
            if isinstance(event, CenterChanged):
                configured_ns = took_ns
            elif isinstance(event, AgentSignedIn):
                sign_ins_ns.append(took_ns)
            elif isinstance(event, ContactArrived) and event.category not in seen:
                seen.add(event.category)
                firsts_ns.append(took_ns)
        described.append(
            {
                "center_changed": configured_ns / 1e3,
                "sign_in": sum(sign_ins_ns) / (len(sign_ins_ns) - 1) / 1e3,
                "contact": max(firsts_ns) / 1e3,
            }
        )
    gc.enable()
    return {key: min(one[key] for one in described) for key in described[0]}


def describe_single(replays: list[list[int]]) -> dict[str, float]:
    """Return the median over replays of each replay's own percentiles."""
    described = [describe(times) for times in replays]
    return {key: median(one[key] for one in described) for key in described[0]}


class Room:
    """Be a centre in which every agent is busy and many contacts wait."""

    def __init__(self, waiting: int, agents: int = WAITING_AGENTS, *, fill: bool = True) -> None:
        self.router = Router()
        self.lots = random.Random(7)
        self.now_ms = START_MS
        self.seq = 0
        self.arrived = 0
        self.busy: list[tuple[str, str]] = []
        center = growing(agents, pool=WAITING_POOL, answer_ms=_FOUR_HOURS_MS)
        self.send(CenterChanged(center=center))
        for agent in range(agents):
            self.send(AgentSignedIn(agent_id=name_agent(agent)))
        self.meet_everyone()
        if fill:
            while len(self.busy) < agents:
                self.fill_one()
        self.waiting = [self.arrive() for _ in range(waiting)]

    def meet_everyone(self) -> None:
        """Let one contact of each category and priority come and go.

        The first of its kind is where the core builds that kind's line and seats every agent who
        may serve it: once per kind, not once per contact, so it is kept out of the figures.
        """
        for number in range(WAITING_POOL * PRIORITIES):
            category, priority = number % WAITING_POOL, number // WAITING_POOL
            contact_id = f"first-{number}"
            self.send(ContactArrived(contact_id, "phone", f"category-{category}", priority))
            self.send(ContactAbandoned(contact_id))

    def stamp(self, event: Event) -> Stamped:
        """Stamp an event one millisecond after the last."""
        self.seq += 1
        self.now_ms += 1
        return Stamped(self.seq, self.now_ms, event)

    def send(self, event: Event) -> tuple[Any, ...]:
        """Let the router handle an event now."""
        decisions: tuple[Any, ...] = self.router.handle(self.stamp(event))
        return decisions

    def new_contact(self) -> ContactArrived:
        """Return the arrival of a contact of a drawn category and priority."""
        self.arrived += 1
        category = f"category-{self.lots.randrange(WAITING_POOL)}"
        priority = self.lots.randrange(PRIORITIES)
        return ContactArrived(f"contact-{self.arrived}", "phone", category, priority)

    def arrive(self) -> str:
        """Let a contact in, and return its id."""
        event = self.new_contact()
        self.send(event)
        return event.contact_id

    def fill_one(self) -> None:
        """Send in a contact and let its agent take it; one nobody is free for goes away again."""
        decisions = self.send(self.new_contact())
        if not self.take_offers(decisions):
            self.send(ContactAbandoned(f"contact-{self.arrived}"))

    def take_offers(self, decisions: tuple[Any, ...]) -> bool:
        """Accept every offer among the decisions; say whether there was one."""
        offers = [one for one in decisions if isinstance(one, OfferContact)]
        for offer in offers:
            self.send(OfferAccepted(offer.offer_id, offer.contact_id, offer.agent_id))
            self.busy.append((offer.contact_id, offer.agent_id))
        return bool(offers)


def grow_waiting(waiting: int, rounds: int, block: int) -> dict[str, Any]:
    """Time arrivals, abandonments and freed agents in a room with `waiting` contacts.

    Each round lets `block` contacts in, `block` others out and frees `block` / 10 agents; the room
    is as full after it as before. Reported is the round with the least median.
    """
    filled = time.process_time()
    room = Room(waiting)
    filled = time.process_time() - filled
    gc.collect()
    gc.freeze()
    gc.disable()
    rounds_ns: dict[str, list[list[int]]] = {"arrive": [], "abandon": [], "free": []}
    for _ in range(rounds):
        for kind, times in _time_round(room, block).items():
            rounds_ns[kind].append(times)
    return {
        "waiting": waiting,
        "fill_us_per_contact": filled / max(1, waiting) * 1e6,
        **{
            kind: min((describe(times) for times in rounds), key=_median_of)
            for kind, rounds in rounds_ns.items()
        },
    }


def _median_of(described: dict[str, float]) -> float:
    return described["p50"]


def _time_round(room: Room, block: int) -> dict[str, list[int]]:
    arrive = [_timed(room, room.new_contact())[0] for _ in range(block)]
    new = [f"contact-{number}" for number in range(room.arrived - block + 1, room.arrived + 1)]
    abandon, free = [], []
    for contact_id in new:
        place = room.lots.randrange(len(room.waiting))
        gone, room.waiting[place] = room.waiting[place], contact_id
        abandon.append(_timed(room, ContactAbandoned(gone))[0])
    taken = set()
    for _ in range(block // 10):
        contact_id, agent_id = room.busy.pop(0)
        room.send(ContactEnded(contact_id))
        took, decisions = _timed(room, WrapUpEnded(contact_id, agent_id))
        free.append(took)
        room.take_offers(decisions)
        taken.add(room.busy[-1][0])
    room.waiting = [one for one in room.waiting if one not in taken]
    while len(taken) > 0:
        taken.pop()
        room.waiting.append(room.arrive())
    return {"arrive": arrive, "abandon": abandon, "free": free}


def _timed(room: Room, event: Event) -> tuple[int, tuple[Any, ...]]:
    stamped = room.stamp(event)
    started = time.perf_counter_ns()
    decisions = room.router.handle(stamped)
    return time.perf_counter_ns() - started, decisions
