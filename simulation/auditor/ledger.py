"""Keep the auditor's own books: what the journal says of contacts, offers and agents.

The books are folded from events and decisions alone. They hold open contacts, open offers and
agents; of closed contacts only what a later event may refer to, for as long as the configuration
says that the centre remembers them (`limits.duplicate_window_ms`).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from router.center import AgentPolicy, Category, Center, Channel, ClockKind, Queue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from router.decisions import Exit
    from simulation.auditor.clock import Clock

CLOSED_REMEMBERED_MAX = 100_000


class Place(Enum):
    """Say where an open contact is; after each entry nobody may be `NOWHERE`."""

    NOWHERE = "nowhere"
    WAITING = "waiting"
    CALLBACK = "callback"
    OFFERED = "offered"
    HANDLING = "handling"
    WRAP_UP = "wrap_up"
    ON_CUSTOMER = "waiting_on_customer"
    SELF_SERVICE = "self_service"


@dataclass(slots=True, eq=False)
class ContactAccount:
    """Hold what the journal said of one open contact."""

    contact_id: str
    number: int
    arrived_ms: int
    channel: str
    category: str
    own_priority: int
    tier: str = ""
    language: str = ""
    customer: str = ""
    preferred_agent: str = ""
    skills: dict[str, int] = field(default_factory=dict)
    place: Place = Place.NOWHERE
    queue: str = ""
    own_queue: str = ""
    raised_priority: int = 0
    step: int = 0
    steps_from_ms: int = 0
    waiting_since_ms: int = 0
    overflowed_ms: int = 0
    born_ms: int = 0
    life_ms: int = 0
    served: bool = False
    reopened: bool = False
    line_since_ms: int = -1
    line_ms: int = 0
    offers: dict[int, str] = field(default_factory=dict)
    times_offered: dict[str, int] = field(default_factory=dict)
    times_missed: dict[str, int] = field(default_factory=dict)
    agent: str = ""
    assigned_offer: int = 0
    connected: bool = False
    connect_due_ms: int = 0
    wrap_due_ms: int = 0
    held: bool = False
    callback_due_ms: int = -1
    dials: int = 0
    dialling: bool = False
    complaint_id: str = ""
    surveyed: bool = False
    preference_over: bool = False
    preference_epoch: int = 0
    queue_open: bool = False
    claimed_agent: str = ""
    clocks: dict[ClockKind, Clock] = field(default_factory=dict)
    escalated: dict[str, int] = field(default_factory=dict)
    line: tuple[object, ...] | None = None
    rank: tuple[int, int, int] = (0, 0, 0)


@dataclass(slots=True, eq=False)
class OfferAccount:
    """Hold one open offer."""

    offer_id: int
    contact_id: str
    agent_id: str
    expires_at_ms: int
    made_seq: int


@dataclass(slots=True, eq=False)
class AgentAccount:
    """Hold what the journal said of one agent of the configuration."""

    agent_id: str
    team: str
    skills: dict[str, int]
    capacity: int
    signed_in: bool = False
    lost: bool = False
    session: int = 0
    presence: str = ""
    work: set[str] = field(default_factory=set)
    offers: set[int] = field(default_factory=set)
    backoff_until_ms: int = 0
    uncertain_until_ms: int = 0
    unanswered: int = 0
    unanswered_surely: int = 0
    heard_ms: int = 0
    load_allowed: int = 0
    epoch: int = 0
    missed_now: bool = False

    def forget_back_off(self) -> None:
        """Let a new session begin: whether the back-off outlives the old one is open."""
        self.uncertain_until_ms = max(self.uncertain_until_ms, self.backoff_until_ms)
        self.backoff_until_ms = 0


@dataclass(slots=True, eq=False)
class ClosedAccount:
    """Hold what may still be needed of a closed contact."""

    account: ContactAccount
    closed_ms: int
    exit: Exit
    early: bool = False
    expired: bool = False


class Agenda:
    """Remember what must have happened by when; ask again once the instant has passed.

    Each item carries a function that returns what is still outstanding, "" when it is settled.
    """

    def __init__(self) -> None:
        self.items: list[tuple[int, int, str, Callable[[], str]]] = []
        self.number = 0

    def expect(self, due_ms: int, rule: str, outstanding: Callable[[], str]) -> None:
        """Note that something falls due at `due_ms`."""
        self.number += 1
        heappush(self.items, (due_ms, self.number, rule, outstanding))

    def overdue(self, now_ms: int) -> Iterator[tuple[int, str, str]]:
        """Yield (instant, rule, text) of everything due before `now_ms` and not settled."""
        while self.items and self.items[0][0] < now_ms:
            due_ms, _, rule, outstanding = heappop(self.items)
            text = outstanding()
            if text:
                yield due_ms, rule, text

    def trim(self, live: int) -> None:
        """Forget settled items when they outnumber the `live` things by far."""
        if len(self.items) > 64 + 16 * live:
            self.items = [item for item in self.items if item[3]()]
            heapify(self.items)


class Ledger:
    """Hold the state of one centre as its journal tells it."""

    def __init__(self) -> None:
        self.center: Center | None = None
        self.now_ms = 0
        self.seq = 0
        self.contacts: dict[str, ContactAccount] = {}
        self.offers: dict[int, OfferAccount] = {}
        self.agents: dict[str, AgentAccount] = {}
        self.drained: dict[str, Queue] = {}
        self.closed: OrderedDict[str, ClosedAccount] = OrderedDict()
        self.gone_early: OrderedDict[str, int] = OrderedDict()
        self.agenda = Agenda()
        self.last_offer_id = 0
        self.queue_lengths: dict[str, int] = {}
        self.closed_now: list[ContactAccount] = []
        self.revived_now: set[str] = set()
        self.reclassed_now: set[str] = set()
        self.life_changed_ms = 0
        self.dirty_contacts: dict[str, None] = {}
        self.dirty_agents: dict[str, None] = {}

    def channel(self, name: str) -> Channel | None:
        """Return a channel of the configuration in force."""
        return self.center.channels.get(name) if self.center else None

    def category(self, name: str) -> Category | None:
        """Return a category of the configuration in force."""
        return self.center.categories.get(name) if self.center else None

    def queue(self, name: str) -> Queue | None:
        """Return a queue of the configuration in force."""
        found = self.center.queues.get(name) if self.center else None
        return found or self.drained.get(name)

    def units_of(self, contact_id: str) -> int:
        """Return what a contact costs of an agent's budget, as the configuration says now."""
        contact = self.account_of(contact_id)
        channel = self.channel(contact.channel) if contact else None
        return channel.units if channel else 0

    def account_of(self, contact_id: str) -> ContactAccount | None:
        """Return what is known of a contact, open or lately closed."""
        contact = self.contacts.get(contact_id)
        if contact is None and contact_id in self.closed:
            return self.closed[contact_id].account
        return contact

    def put(self, contact: ContactAccount, place: Place) -> None:
        """Move a contact, keeping the time in line and the lengths of the lines."""
        in_line = (Place.WAITING, Place.OFFERED)
        if contact.line_since_ms >= 0 and place not in in_line:
            contact.line_ms += self.now_ms - contact.line_since_ms
            contact.line_since_ms = -1
        elif contact.line_since_ms < 0 and place in in_line:
            contact.line_since_ms = self.now_ms
        if contact.place is Place.WAITING:
            self.queue_lengths[contact.queue] -= 1
        if place is Place.WAITING:
            self.queue_lengths[contact.queue] = self.queue_lengths.get(contact.queue, 0) + 1
        contact.place = place
        self.dirty_contacts[contact.contact_id] = None

    def requeue_as(self, contact: ContactAccount, queue: str) -> None:
        """Change the line of a contact without moving it otherwise."""
        if contact.place is Place.WAITING:
            self.queue_lengths[contact.queue] -= 1
            self.queue_lengths[queue] = self.queue_lengths.get(queue, 0) + 1
        contact.queue = queue
        self.dirty_contacts[contact.contact_id] = None

    def drop_offer(self, offer: OfferAccount) -> None:
        """Forget an offer that ended; a contact without offers is then nowhere."""
        del self.offers[offer.offer_id]
        agent = self.agents.get(offer.agent_id)
        if agent is not None:
            agent.offers.discard(offer.offer_id)
            self.dirty_agents[agent.agent_id] = None
        contact = self.contacts.get(offer.contact_id)
        if contact is not None:
            contact.offers.pop(offer.offer_id, None)
            if contact.place is Place.OFFERED and not contact.offers:
                self.put(contact, Place.NOWHERE)
        elif offer.contact_id in self.closed:
            self.closed[offer.contact_id].account.offers.pop(offer.offer_id, None)

    def free(self, contact: ContactAccount, place: Place) -> None:
        """End a contact's assignment."""
        agent = self.agents.get(contact.agent)
        if agent is not None:
            agent.work.discard(contact.contact_id)
            self.dirty_agents[agent.agent_id] = None
        contact.agent = ""
        contact.assigned_offer = 0
        contact.connected = False
        contact.connect_due_ms = contact.wrap_due_ms = 0
        contact.held = False
        self.put(contact, place)

    def window_ms(self) -> int:
        """Return for how long what is over must be remembered."""
        return self.center.limits.duplicate_window_ms if self.center else 0

    def need_not_know(self, closed: ClosedAccount) -> bool:
        """Say whether a closed contact may have been forgotten by now."""
        return closed.expired or closed.closed_ms + self.window_ms() < self.now_ms

    def forget_closed(self) -> None:
        """Let go of contacts closed too long ago to be spoken of."""
        window_ms = self.window_ms()
        if self.center is not None:
            # Of those who were asked the centre may know for as long as an answer counts.
            window_ms = max(window_ms, self.center.surveys.answer_within_ms)
        while self.closed:
            first = next(iter(self.closed.values()))
            if (
                first.closed_ms + window_ms >= self.now_ms
                and len(self.closed) <= CLOSED_REMEMBERED_MAX
            ):
                break
            self.closed.popitem(last=False)
        while self.gone_early and (
            next(iter(self.gone_early.values())) + window_ms < self.now_ms
            or len(self.gone_early) > CLOSED_REMEMBERED_MAX
        ):
            self.gone_early.popitem(last=False)


def ring_size(queue: Queue | None) -> int:
    """Return how many offers of one contact may be open in a line."""
    if queue is None:
        return 1
    rings = (AgentPolicy.RING_ALL, AgentPolicy.RING_PROGRESSIVELY)
    return max(1, queue.ring_size) if queue.agent_policy in rings else 1
