"""Say where a forecast begins, what changes on the way, and who is there.

The snapshot of a live core is made lean; a scenario is made one about the agents of that centre.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

import msgspec
from msgspec import structs

from configs.planning import Group, Scenario
from router import states
from router.center import Center
from router.snapshot import open_snapshot
from router.snapshot_facts import FloorFacts
from router.snapshot_writing import (
    CLOCK_TIMER,
    CONTACT_TIMER,
    HEARTBEAT_TIMER,
    RING_TIMER,
    SNAPSHOT_VERSION,
    WORK_TIMER,
)
from simulation.plan.people import groups_of, members_of
from simulation.whatif.posterior import Posterior

_OTHERS: Final = "others on shift"
_OF_CONTACTS: Final = frozenset({CONTACT_TIMER, CLOCK_TIMER, WORK_TIMER, RING_TIMER})


def lean(body: bytes) -> tuple[bytes, FloorFacts]:
    """Return a snapshot without what is over, and what it holds; raises `SnapshotError`.

    Contacts that have ended and ids of past events are only remembered against repeats, which do
    not come here; and a simulated desktop is lost only when we say so.
    """
    facts = open_snapshot(body)
    contacts = tuple(one for one in facts.contacts if one.state != states.ENDED)
    names = {one.contact_id for one in contacts}
    center = facts.center
    if center is not None:
        center = replace(center, offers=replace(center.offers, heartbeat_timeout_ms=0))
    timers = tuple(
        timer
        for timer in facts.timers
        if timer.kind != HEARTBEAT_TIMER
        and (timer.kind not in _OF_CONTACTS or timer.subject in names)
    )
    facts = structs.replace(
        facts, center=center, contacts=contacts, timers=timers, endings=(), event_order=(),
        tombstone_order=(), traces=(),
    )  # fmt: skip
    payload = msgspec.json.encode(facts)
    checksum = hashlib.blake2b(payload, digest_size=32).hexdigest()
    return f"switchroom-snapshot {SNAPSHOT_VERSION} {checksum}\n".encode() + payload, facts


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where a forecast begins: a lean snapshot, at an offset (ms) from the scenario's opening."""

    body: bytes
    now_ms: int
    horizon_ms: int
    posteriors: dict[str, Posterior]

    @property
    def end_ms(self) -> int:
        """Return the offset at which the forecast ends."""
        return self.now_ms + self.horizon_ms


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What changes at an offset: the configuration (None: it stays), newcomers, the volume."""

    at_ms: int
    center: Center | None = None
    newcomers: tuple[str, ...] = ()
    leave_ms: int = 0
    demand: float = 1.0


def live_scenario(scenario: Scenario, center: Center) -> Scenario:
    """Return a scenario about the agents of a live centre: groups of those who are in it."""
    groups: dict[str, Group] = {}
    named: set[str] = set()
    for name, group in groups_of(scenario).items():
        members = tuple(
            agent_id
            for agent_id in members_of(scenario.center, name, group)
            if agent_id in center.agents and agent_id not in named
        )
        if not members:
            continue
        named.update(members)
        staffed = tuple(min(wanted, len(members)) for wanted in group.staffed)
        groups[name] = replace(group, members=members, count=0, staffed=staffed)
    others = tuple(agent_id for agent_id in center.agents if agent_id not in named)
    if others:
        groups[_OTHERS] = Group(members=others)
    return replace(scenario, center=center, workforce=groups, outages=())
