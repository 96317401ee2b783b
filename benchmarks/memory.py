"""Measure what one open contact and one agent cost in memory.

Contacts: those of `core_growth.Room`, waiting in line, each with its answer clock and its life
limit armed, its entry in the table of contacts and its id string; the events that brought them
are gone. Agents: four skills each, signed in and idle; the configuration the core keeps (the
`Center` with its `Agent` and skills) is given apart.
"""

from __future__ import annotations

import gc
import os
import sys
import tracemalloc
from pathlib import Path

from benchmarks.centers import START_MS, growing, name_agent
from benchmarks.core_growth import WAITING_POOL, Room
from router.events import AgentSignedIn, CenterChanged, Stamped
from router.router import Router


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def per_contact(contacts: int) -> dict[str, float]:
    """Return bytes per contact: what Python allocated (traced), and what the process grew by.

    `without_id` leaves out the id string, which came with the event: the router's own records, with
    their timers and their entry in the table.

    The room is filled to a tenth first, so that tables grown once for all are not counted.
    """
    room = Room(contacts // 10, agents=WAITING_POOL)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    id_bytes = 0
    for _ in range(contacts):
        id_bytes += sys.getsizeof(room.arrive())
    gc.collect()
    traced = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    gc.collect()
    resident = _resident()
    for _ in range(contacts):
        room.arrive()
    gc.collect()
    grown = _resident() - resident
    return {
        "contacts": contacts,
        "traced": traced / contacts,
        "without_id": (traced - id_bytes) / contacts,
        "resident": grown / contacts,
    }


def per_agent(agents: int) -> dict[str, float]:
    """Return bytes per signed-in agent: configuration, and the router's own."""
    growing(WAITING_POOL)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    center = growing(agents, pool=WAITING_POOL)
    gc.collect()
    configured = tracemalloc.get_traced_memory()[0]
    router = Router()
    router.handle(Stamped(1, START_MS, CenterChanged(center=center)))
    for agent in range(agents):
        router.handle(Stamped(agent + 2, START_MS, AgentSignedIn(agent_id=name_agent(agent))))
    gc.collect()
    ready = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return {
        "agents": agents,
        "configuration": (configured - before) / agents,
        "router": (ready - configured) / agents,
    }
