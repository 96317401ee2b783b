"""Count the lines of the core that an event executes: growth without the noise of a clock.

What one line does inside C (slicing a list, copying a dictionary) counts as one; the clock in
`core_growth` sees that part.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from types import FrameType
from typing import Any

import router
from benchmarks.core_growth import Room
from router.decisions import OfferContact
from router.events import (
    ContactAbandoned,
    ContactEnded,
    Event,
    OfferAccepted,
    OfferDeclined,
    TimeAdvanced,
    WrapUpEnded,
)

_CORE = str(Path(router.__file__).parent)


def count_lines(act: Callable[[], Any]) -> tuple[int, Any]:
    """Return how many lines under `router/` ran during `act()`, and what it returned.

    Entering a function counts as one more. A compiled core runs no lines: callers must not ask.
    """
    lines = 0

    def trace(frame: FrameType, kind: str, _: object) -> Callable[..., Any] | None:
        nonlocal lines
        if not frame.f_code.co_filename.startswith(_CORE):
            return None
        if kind in {"call", "line"}:
            lines += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        result = act()
    finally:
        sys.settrace(before)
    return lines, result


def count_event(room: Room, event: Event) -> tuple[int, tuple[Any, ...]]:
    """Return the lines that handling `event` runs, and the decisions."""
    stamped = room.stamp(event)
    lines, decisions = count_lines(lambda: room.router.handle(stamped))
    return lines, decisions


def count_served(agents: int, samples: int) -> dict[str, float]:
    """Return mean lines per event of contacts that are served at once, in a room of idle agents."""
    room = Room(0, agents, fill=False)
    counts: dict[str, list[int]] = {}

    def note(kind: str, event: Event) -> tuple[Any, ...]:
        lines, decisions = count_event(room, event)
        counts.setdefault(kind, []).append(lines)
        return decisions

    for _ in range(samples):
        decisions = note("arrive, offered at once", room.new_contact())
        offer = next(one for one in decisions if isinstance(one, OfferContact))
        declined = OfferDeclined(offer.offer_id, offer.contact_id, offer.agent_id)
        decisions = note("decline, offered to the next", declined)
        offers = [one for one in decisions if isinstance(one, OfferContact)]
        if not offers:
            # A small room may have one agent only for a category: the contact goes away again.
            counts["decline, offered to the next"].pop()
            room.send(ContactAbandoned(offer.contact_id))
            _pass_back_off(room)
            continue
        offer = offers[0]
        note("accept", OfferAccepted(offer.offer_id, offer.contact_id, offer.agent_id))
        note("end, wrap-up begins", ContactEnded(offer.contact_id))
        note("wrap-up end, agent idle", WrapUpEnded(offer.contact_id, offer.agent_id))
        room.now_ms = _next_deadline_ms(room) - 1
        note("time advanced, back-off over", TimeAdvanced())
    return {kind: mean(found) for kind, found in counts.items()}


def _next_deadline_ms(room: Room) -> int:
    due_ms = room.router.next_deadline()
    assert due_ms is not None, "the back-off of the agent who declined is armed"
    return due_ms


def _pass_back_off(room: Room) -> None:
    """Let the back-off of an agent who declined go by."""
    room.now_ms = _next_deadline_ms(room) - 1
    room.send(TimeAdvanced())


def count_waiting(waiting: int, samples: int, agents: int = 20) -> dict[str, float]:
    """Return mean lines per event where nobody is idle and `waiting` contacts stand in line."""
    room = Room(waiting, agents)
    counts: dict[str, list[int]] = {}

    def note(kind: str, event: Event) -> tuple[Any, ...]:
        lines, decisions = count_event(room, event)
        counts.setdefault(kind, []).append(lines)
        return decisions

    for _ in range(samples):
        event = room.new_contact()
        note("arrive, enqueued", event)
        place = room.lots.randrange(len(room.waiting))
        gone, room.waiting[place] = room.waiting[place], event.contact_id
        note("abandon from the middle", ContactAbandoned(gone))
    for _ in range(samples):
        contact_id, agent_id = room.busy.pop(0)
        note("end, wrap-up begins", ContactEnded(contact_id))
        decisions = note("wrap-up end, next contact offered", WrapUpEnded(contact_id, agent_id))
        offer = next(one for one in decisions if isinstance(one, OfferContact))
        accepted = OfferAccepted(offer.offer_id, offer.contact_id, offer.agent_id)
        note("accept, others waiting", accepted)
        room.busy.append((offer.contact_id, offer.agent_id))
    return {kind: mean(found) for kind, found in counts.items()}
