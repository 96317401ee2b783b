"""Hold what customers and agents share: the clock, the lots, the centre, who is present.

The two sides act on `Contact` and `Desk`, whose phases follow the router's decisions alone:
an event that was sent proves nothing, it may be refused or lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Final, TypeAlias

import simpy

from router.center import Center
from router.events import Event
from simulation.driver import WorldEnvironment
from simulation.randomness import Streams
from simulation.scenario import Demand, Law, Options

Emit: TypeAlias = Callable[[Event], None]
Step: TypeAlias = "tuple[int, Callable[[Contact], None]]"

_REMEMBERED: Final = 64


class Phase(Enum):
    """Say where a contact is, as far as decisions told."""

    ANNOUNCED = "announced"
    WAITING = "waiting"
    CONNECTING = "connecting"
    SERVED = "served"
    WRAP_UP = "wrap_up"
    AWAITED = "awaited"
    CALLBACK = "callback"
    SELF_SERVICE = "self_service"
    LOOSE = "loose"
    CLOSED = "closed"


class Contact:
    """One customer's matter, as the world sees it.

    `number` addresses its lots within the demand; `spell`, `offers` and `turn` count its waits,
    its offers and its times with an agent. `token` makes planned acts void when the contact
    moves on. `script` is what will happen in the present turn, from `began_ms` on.
    """

    __slots__ = (
        "accepted",
        "agent_id",
        "arrived_ms",
        "began_ms",
        "called_back",
        "customer",
        "demand",
        "dialled",
        "generation",
        "held_at_ms",
        "id",
        "last_agent_id",
        "number",
        "offer_id",
        "offers",
        "open_offers",
        "patience_over",
        "phase",
        "redials",
        "script",
        "script_at",
        "spell",
        "token",
        "turn",
    )

    def __init__(
        self, contact_id: str, demand: Demand, number: int, customer: str, generation: int = 0
    ) -> None:
        self.id = contact_id
        self.demand = demand
        self.number = number
        self.customer = customer
        self.generation = generation
        self.phase = Phase.ANNOUNCED
        self.accepted = False
        self.called_back = False
        self.dialled = False
        self.patience_over = False
        self.arrived_ms = 0
        self.agent_id = ""
        self.last_agent_id = ""
        self.offer_id = 0
        self.open_offers: dict[int, str] = {}
        self.offers = 0
        self.spell = 0
        self.turn = 0
        self.redials = 0
        self.token = 0
        self.script: list[Step] = []
        self.script_at = 0
        self.began_ms = 0
        self.held_at_ms = -1


class Desk:
    """One agent at work, as he sees it himself."""

    __slots__ = (
        "agent_id",
        "beating",
        "emptied",
        "presence",
        "returning",
        "session",
        "signed_in",
        "silent",
        "work",
    )

    def __init__(self, agent_id: str) -> None:
        self.agent_id = agent_id
        self.session = 0
        self.signed_in = False
        self.silent = False
        self.returning = False
        self.beating = False
        self.presence = ""
        self.work: set[str] = set()
        self.emptied: simpy.Event | None = None

    def is_alive(self) -> bool:
        """Say whether the desktop is on and answers."""
        return self.signed_in and not self.silent


class Stage:
    """Hold what both sides use; `emit` is the one way out."""

    def __init__(
        self, env: WorldEnvironment, center: Center, options: Options, streams: Streams, emit: Emit
    ) -> None:
        self.env = env
        self.center = center
        self.options = options
        self.streams = streams
        self.emit = emit
        self.contacts: dict[str, Contact] = {}
        self.desks: dict[str, Desk] = {}
        self.healed = False
        self.closed_offers: deque[tuple[int, str, str]] = deque(maxlen=_REMEMBERED)
        self.closed_contacts: deque[str] = deque(maxlen=_REMEMBERED)

    def over(self) -> bool:
        """Say whether the day is over and everything was put right."""
        return self.healed

    def chance(self, contact: Contact, purpose: str, share: float, attempt: int = 0) -> bool:
        """Draw this contact's lot for a purpose."""
        return self.uniform(contact, purpose, attempt) < share

    def uniform(self, contact: Contact, purpose: str, attempt: int = 0) -> float:
        """Return this contact's number in [0, 1) for a purpose."""
        return self.streams.uniform(
            contact.demand.name, purpose, contact.number, attempt + 32 * contact.generation
        )

    def duration_ms(self, contact: Contact, law: Law, purpose: str, attempt: int = 0) -> int:
        """Return this contact's duration for a purpose."""
        return self.streams.duration_ms(
            law, contact.demand.name, purpose, contact.number, attempt + 32 * contact.generation
        )

    def open_contacts(self) -> list[Contact]:
        """Return the contacts the router has accepted and not closed, oldest first."""
        return [contact for contact in self.contacts.values() if contact.accepted]
