"""Keep the contacts that wait, so that an agent who becomes free sees only the heads of lines.

A *demand* is a class of contacts that the same agents can serve: same queue, same needs and teams,
same channel. Inside a demand, a *lane* holds the contacts of one priority and one promised time.
Within a lane every contact policy takes the older first; policies differ only in how they compare
the heads of lanes. A contact that returns to the middle of a line goes to the lane's side list,
kept in order of place, so that no insertion walks along a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.ordered import Ordered
from router.policies.agent_selection import FIXED, GRADED, POLICIES, Rank

if TYPE_CHECKING:
    from router.bench import Bench, Seat
    from router.decisions import Reason
    from router.plan import ChannelPlan, QueuePlan
    from router.records import Contact
    from router.skills import Needs


class Lane:
    """Hold waiting contacts of one demand, priority and promised time, oldest place first.

    `ranks` has, per placed policy, what is compared between heads: (tier, offset of the place).
    `lead_ms` is the shortest time promised from arrival, 0 if nothing is.
    """

    __slots__ = ("demand", "first", "index", "last", "lead_ms", "priority", "ranks", "side", "size")

    def __init__(
        self,
        index: int,
        demand: Demand,
        priority: int,
        ranks: list[tuple[int, int]],
        lead_ms: int = 0,
    ) -> None:
        self.index = index
        self.lead_ms = lead_ms
        self.demand = demand
        self.priority = priority
        self.ranks = ranks
        self.first: Contact | None = None
        self.last: Contact | None = None
        self.side: Ordered[Contact] | None = None
        self.size = 0

    def join(self, contact: Contact) -> None:
        """Put a contact in at its place."""
        self.size += 1
        self.demand.waiting += 1
        last = self.last
        if last is None:
            self.first = contact
            self.last = contact
        elif last.place < contact.place:
            last.behind = contact
            contact.ahead = last
            self.last = contact
        else:
            first = self.first
            assert first is not None, "a lane with a last has a first"
            if contact.place < first.place:
                first.ahead = contact
                contact.behind = first
                self.first = contact
            else:
                if self.side is None:
                    self.side = Ordered()
                self.side.add(contact.place, 0, contact)

    def leave(self, contact: Contact) -> None:
        """Take a contact out."""
        self.size -= 1
        self.demand.waiting -= 1
        if self.is_aside(contact):
            assert self.side is not None, "a contact aside stands in a side list"
            self.side.remove(contact.place, 0)
            return
        ahead, behind = contact.ahead, contact.behind
        if ahead is None:
            self.first = behind
        else:
            ahead.behind = behind
            contact.ahead = None
        if behind is None:
            self.last = ahead
        else:
            behind.ahead = ahead
            contact.behind = None

    def is_aside(self, contact: Contact) -> bool:
        """Say whether a contact of the lane stands in its side list: unlinked, yet not first."""
        return contact.ahead is None and self.first is not contact

    def head(self) -> Contact | None:
        """Return the contact with the oldest place."""
        first = self.first
        if self.side is None or not self.side.size:
            return first
        aside = self.side.first()
        if first is None or (aside is not None and aside.place < first.place):
            return aside
        return first

    def following(self, contact: Contact) -> Contact | None:
        """Return the next older-first contact after `contact`."""
        side = None if self.side is None else self.side.after(contact.place, 0)
        if not self.is_aside(contact):
            line = contact.behind
        else:
            # `contact` stands aside: the line's next is its first with a later place.
            line = self.first
            while line is not None and line.place < contact.place:
                line = line.behind
        if line is None or (side is not None and side.place < line.place):
            return side
        return line

    def contacts(self) -> list[Contact]:
        """Return all contacts, oldest place first."""
        listed: list[Contact] = []
        contact = self.first
        while contact is not None:
            listed.append(contact)
            contact = contact.behind
        if self.side is not None and self.side.size:
            listed.extend(self.side)
            listed.sort(key=place_of)
        return listed


def place_of(contact: Contact) -> int:
    """Return the place of a contact, its key in every order by age."""
    return contact.place


class Dues:
    """Keep the waiting contacts of a demand in the order of their earliest deadline.

    Only where somebody chooses by it. A contact is moved when one of its clocks changes.
    """

    __slots__ = ("keys", "order")

    def __init__(self) -> None:
        self.order: Ordered[Contact] = Ordered()
        self.keys: dict[int, int] = {}

    def put(self, contact: Contact, due_ms: int) -> None:
        """Put a contact in, or where it belongs now."""
        place = contact.place
        known_ms = self.keys.get(place)
        if known_ms == due_ms:
            return
        if known_ms is not None:
            self.order.remove(known_ms, place)
        self.keys[place] = due_ms
        self.order.add(due_ms, place, contact)

    def drop(self, contact: Contact) -> None:
        """Take a contact out."""
        self.order.remove(self.keys.pop(contact.place), contact.place)


class Demand:
    """Join the contacts and the agents of one queue, need set and channel.

    `lanes` stand in order of priority, the highest first. `dues` orders the same contacts by
    deadline, None where nobody asks.
    """

    __slots__ = (
        "bench",
        "bit",
        "channel",
        "dues",
        "index",
        "lanes",
        "needs",
        "queue",
        "rank",
        "ranked",
        "reason",
        "seats",
        "staffed",
        "teams",
        "waiting",
    )

    def __init__(
        self,
        index: int,
        queue: QueuePlan,
        needs: Needs,
        teams: tuple[str, ...],
        channel: ChannelPlan,
        bench: Bench,
    ) -> None:
        self.index = index
        self.bit = 1 << index
        self.queue = queue
        self.needs = needs
        self.teams = teams
        self.channel = channel
        self.bench = bench
        policy = POLICIES[queue.spec.agent_policy]
        # None: the rank of a seat is found once, when it is made.
        self.rank: Rank | None = None if policy[3] == FIXED else policy[0]
        self.reason: Reason = policy[2]
        self.ranked = policy[1] != GRADED
        self.lanes: list[Lane] = []
        self.dues: Dues | None = None
        self.seats: list[Seat] = []
        self.staffed = 0
        self.waiting = 0
