"""Hold what the fold knows of each contact, agent, offer, assignment and clock.

Plain typed classes with links to each other; everything is unlinked when a contact closes, so that
no reference cycle is left for the collector. A contact is its own timer: it is armed for the
earliest of its next routing step, its limits and the end of its life.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router import states
from router.deadlines import Timer
from router.decisions import Exit, Reason
from router.ordered import Ordered

if TYPE_CHECKING:
    from router.bench import Seat
    from router.lines import Lane
    from router.plan import ChannelPlan, Profile, QueuePlan
    from router.sla import PromisePlan

# A place in line is the arrival instant with a counter behind it, so that places are unique and
# one integer below 2**62 carries them.
PLACE_BITS: Final = 20

RUNNING: Final = 0
PAUSED: Final = 1
BREACHED: Final = 2
OVER: Final = 3

CONNECTING: Final = 0
CONNECTED: Final = 1
WRAPPING_UP: Final = 2


class Contact(Timer):
    """An open contact, or a closed one that is still remembered.

    `place` orders by age. `work` is the first of its open offers, its assignment, or its ending.
    `more` holds what most contacts never need.
    """

    __slots__ = (
        "ahead",
        "behind",
        "clocks",
        "contact_id",
        "customer",
        "lane",
        "more",
        "place",
        "profile",
        "state",
        "work",
    )

    def __init__(self, contact_id: str, customer: str, profile: Profile, place: int) -> None:
        super().__init__()
        self.contact_id = contact_id
        self.customer = customer
        self.profile = profile
        self.place = place
        self.state: int = states.WAITING
        self.lane: Lane | None = None
        self.ahead: Contact | None = None
        self.behind: Contact | None = None
        self.clocks: Clock | None = None
        self.work: Offer | Assignment | Ending | None = None
        self.more: More | None = None

    @property
    def arrived_ms(self) -> int:
        """Return the instant of arrival, which no requeueing changes."""
        return self.place >> PLACE_BITS

    @property
    def step(self) -> int:
        """Return how many routing steps the contact has taken in its present search."""
        return 0 if self.more is None else self.more.step

    @property
    def ending(self) -> Ending | None:
        """Return how an ended contact ended, None for an open one."""
        return self.work if isinstance(self.work, Ending) else None


class More:
    """Hold the rarer facts of a contact.

    `first_key` is the profile key it arrived with, if that changed since. `queue` is where it was
    moved to, if not its profile's. `tried` counts the offers per agent. `affinity` is the agent
    alone waited for, until `affinity_until_ms`. `absent_ms` sums the time since arrival not spent
    in line or on offer; `absent_since_ms` is the start of the present absence, 0 if there is none.
    `entered_ms` is when it came into its present queue, `steps_from_ms` when its routing steps
    began (0: at arrival). `reopened_ms` is when its present life began, 0 if it is the first.
    `dials` counts the calls to its customer, and while `dialling` its assignment is one. `attempt`
    says the how-manieth of its customer it is, once it `succeeded` another has its place.
    `origin_id` is the contact it followed from, `opened` counts those that followed from it,
    `complaint_id` is the complaint about it.
    """

    __slots__ = (
        "absent_ms",
        "absent_since_ms",
        "affinity",
        "affinity_reason",
        "affinity_until_ms",
        "attempt",
        "callback_due_ms",
        "complaint_id",
        "dialling",
        "dials",
        "entered_ms",
        "escalated",
        "first_key",
        "held",
        "last_agent",
        "opened",
        "origin_id",
        "preferred_agent",
        "queue",
        "raised",
        "reopened_ms",
        "ring",
        "step",
        "steps_from_ms",
        "succeeded",
        "tried",
    )

    def __init__(self) -> None:
        self.first_key: tuple[str, str, str, str, int, str, tuple[tuple[str, int], ...]] | None = (
            None
        )
        self.preferred_agent = ""
        self.queue: QueuePlan | None = None
        self.raised = 0
        self.tried: dict[str, int] = {}
        self.affinity: Agent | None = None
        self.affinity_until_ms = 0
        self.affinity_reason = 0
        self.callback_due_ms = -1
        self.absent_ms = 0
        self.absent_since_ms = 0
        self.entered_ms = 0
        self.step = 0
        self.steps_from_ms = 0
        self.escalated: dict[str, int] = {}
        self.held = False
        self.last_agent = ""
        self.ring: RingTimer | None = None
        self.reopened_ms = 0
        self.dials = 0
        self.dialling = False
        self.attempt = 1
        self.succeeded = False
        self.origin_id = ""
        self.opened = 0
        self.complaint_id = ""


class Ending:
    """Remember how and when a contact ended, while repeats may still come.

    `absent_from_ms` is since when it was neither in line nor on offer. `asked`: its customer was
    asked how it was, `surveyed`: he answered.
    """

    __slots__ = ("absent_from_ms", "asked", "closed_ms", "contact", "exit", "surveyed")

    def __init__(self, contact: Contact, exit_: Exit, closed_ms: int, absent_from_ms: int) -> None:
        self.contact = contact
        self.absent_from_ms = absent_from_ms
        self.exit = exit_
        self.closed_ms = closed_ms
        self.asked = False
        self.surveyed = False


class Trace:
    """How a customer left: which contact, when, in which attempt, and what a return will mean."""

    __slots__ = ("at_ms", "attempts", "contact_id", "reason")

    def __init__(self, contact_id: str, reason: Reason, at_ms: int, attempts: int) -> None:
        self.contact_id = contact_id
        self.reason = reason
        self.at_ms = at_ms
        self.attempts = attempts


class Offer(Timer):
    """An open offer; `sibling` is the next open offer of the same contact (ring policies)."""

    __slots__ = ("agent", "contact", "offer_id", "sibling")

    def __init__(self, offer_id: int, contact: Contact, agent: Agent) -> None:
        super().__init__()
        self.offer_id = offer_id
        self.contact = contact
        self.agent = agent
        self.sibling: Offer | None = None


class Assignment(Timer):
    """An accepted offer, until the end of wrap-up; as a timer it is the limit of its phase."""

    __slots__ = (
        "agent",
        "assigned_ms",
        "channel",
        "contact",
        "held",
        "offer_id",
        "phase",
        "talk_ended_ms",
    )

    def __init__(self, offer_id: int, contact: Contact, agent: Agent, now_ms: int) -> None:
        super().__init__()
        self.offer_id = offer_id
        self.contact = contact
        self.agent = agent
        self.channel: ChannelPlan = contact.profile.channel
        self.assigned_ms = now_ms
        self.talk_ended_ms = 0
        self.phase = CONNECTING
        self.held = False


class Clock(Timer):
    """The clock of one promise on one contact; as a timer it is the next warning or the deadline.

    `started_ms` is when its cycle began, `since_ms` when it last began to run, `consumed_ms` what
    had run before that. `noticed` counts the thresholds already passed. `escalate_ms` is when the
    next one of its chain is called, 0 if nobody is.
    """

    __slots__ = (
        "consumed_ms",
        "contact",
        "cycle",
        "escalate_ms",
        "next",
        "noticed",
        "phase",
        "plan",
        "since_ms",
        "started_ms",
    )

    def __init__(self, contact: Contact, plan: PromisePlan, cycle: int, since_ms: int) -> None:
        super().__init__()
        self.contact = contact
        self.plan = plan
        self.cycle = cycle
        self.phase = RUNNING
        self.started_ms = since_ms
        self.since_ms = since_ms
        self.escalate_ms = 0
        self.consumed_ms = 0
        self.noticed = 0
        self.next: Clock | None = None

    @property
    def deadline_ms(self) -> int:
        """Return the instant at which the running clock reaches its target."""
        return self.plan.due_ms(self.since_ms, self.plan.target_ms - self.consumed_ms)


class Agent(Timer):
    """An agent; as a timer he is the end of his back-off.

    `units` is the cost of all his work, `active_units` without what is held, `firm_units` without
    what could be held, `offered_units` that of his open offers. `idle_mask` has a bit for each
    channel he could serve without other work, `open_mask` for each that his seats are taken for,
    `mask` for each demand of these. `keeps` has a bit for each reserve he is able for, `counted`
    says that he is counted idle there. `turn` orders agents by
    the time since their last work or missed offer.
    """

    __slots__ = (
        "active_units",
        "agent_id",
        "backing_off",
        "capacity",
        "channel_max",
        "counted",
        "counts",
        "firm_units",
        "heartbeat",
        "idle_mask",
        "idle_since_ms",
        "index",
        "keeps",
        "mask",
        "masks",
        "offered_units",
        "offers",
        "open_mask",
        "own",
        "presence",
        "removed",
        "scores",
        "seats",
        "session",
        "skills",
        "state",
        "team",
        "turn",
        "unanswered",
        "units",
        "works",
    )

    def __init__(self, agent_id: str, index: int, team: str) -> None:
        super().__init__()
        self.agent_id = agent_id
        self.index = index
        self.team = team
        self.skills: dict[str, int] = {}
        self.capacity = 100
        self.channel_max: list[int] = []
        self.state = 0
        self.session = 0
        self.presence = ""
        self.removed = False
        self.units = 0
        self.active_units = 0
        self.firm_units = 0
        self.offered_units = 0
        self.counts: list[int] = []
        self.counted = False
        self.keeps = 0
        self.works: list[Assignment] = []
        self.offers: list[Offer] = []
        self.seats: list[list[Seat]] = []
        self.masks: list[int] = []
        self.idle_mask = 0
        self.open_mask = 0
        self.mask = 0
        self.own: Ordered[Contact] | None = None
        self.turn = 0
        self.idle_since_ms = 0
        self.backing_off = False
        self.unanswered = 0
        self.heartbeat: Heartbeat | None = None
        self.scores: Scores | None = None


class Heartbeat(Timer):
    """The instant at which an agent not heard of counts as lost."""

    __slots__ = ("agent",)

    def __init__(self, agent: Agent) -> None:
        super().__init__()
        self.agent = agent


class RingTimer(Timer):
    """The instant at which `ring_progressively` rings one agent more."""

    __slots__ = ("contact",)

    def __init__(self, contact: Contact) -> None:
        super().__init__()
        self.contact = contact


class Scores:
    """Hold the numbers by which some policies rank an agent; all integers.

    `contacts`, `talk` and `busy` are sums with forward decay (see `policies.agent_selection`),
    `idle_ms` the idle time since sign-in, `shares` the passes per queue of the weighted share.
    """

    __slots__ = ("busy", "contacts", "idle_ms", "shares", "talk")

    def __init__(self) -> None:
        self.contacts = 0
        self.talk = 0
        self.busy = 0
        self.idle_ms = 0
        self.shares: dict[str, int] = {}
