"""Give rogue acts their occasions: who is there, what is open, and lots of their own.

The acts themselves: `rogue_contacts`, `rogue_agents`, `rogue_center`; `rogues` names them all.
Each looks at what the world knows, says what it has to say on the line, and returns whether it
found an occasion. Contacts and agents that do not exist carry ids that no world gives out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from simulation.faults import Line
from simulation.randomness import Lots
from simulation.stage import Contact, Desk, Phase
from simulation.world import World

# Far from the generations of repeat contacts, so that a rogue contact draws lots of its own.
_ROGUE_GENERATION: Final = 9


class Mischief:
    """Hold what rogue acts use: the world, the line, their own lots."""

    def __init__(self, world: World, line: Line, lots: Lots, swap: Callable[[], None]) -> None:
        self.world = world
        self.stage = world.stage
        self.line = line
        self.lots = lots
        self.swap = swap
        self.number = 0

    def contact(self, *phases: Phase) -> Contact | None:
        """Choose an open contact in one of these phases."""
        found = [
            contact for contact in self.world.open_contacts if not phases or contact.phase in phases
        ]
        return self.lots.pick(found) if found else None

    def desk(self) -> Desk | None:
        """Choose an agent who is signed in."""
        found = [desk for desk in self.stage.desks.values() if desk.signed_in]
        return self.lots.pick(found) if found else None

    def any_agent(self) -> str:
        """Choose any agent of the centre."""
        return self.lots.pick(list(self.stage.center.agents))

    def stranger(self) -> Contact:
        """Let the world know a contact that no demand announced, in case the router takes it."""
        demand = self.lots.pick(self.stage.options.demands)
        number = self.number % 64
        contact = Contact(f"rogue-{self.number}", demand, number, "rogue", _ROGUE_GENERATION)
        contact.arrived_ms = self.stage.env.now_ms
        self.stage.contacts[contact.id] = contact
        return contact


Rogue: TypeAlias = Callable[[Mischief], bool]
