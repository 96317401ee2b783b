"""Describe one centre completely: the configuration, frozen, without a default hidden elsewhere.

A centre is one routing group: the queues, agents and skills that can reach each other.
These dataclasses are the only definition of the configuration: the loader at the edge
builds them from YAML and reports every mistake with its place, the journal carries them
whole in `CenterChanged`, the JSON Schema is made from them. What must hold *between*
values is checked in `router.checks`.

Durations are integer milliseconds in names that end in `_ms` (in the YAML files they may be
written `20s`, `3m`, `4h`). Priorities run from 0 to 9, the higher the earlier.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from router.center_calendars import (
    AtClosing,
    Calendar,
    CalendarDefinition,
    DayException,
    DayKind,
    Holidays,
    NamedDay,
    OpeningTable,
    WaitClock,
    WhenClosed,
)
from router.center_loop import CallbackRules, ComplaintRules, FollowUp, ReturnRules, SurveyRules

__all__ = [
    "ALWAYS",
    "CHANNEL_KINDS",
    "LATER",
    "Agent",
    "AgentPolicy",
    "AtClosing",
    "Calendar",
    "CalendarDefinition",
    "CallbackRules",
    "Category",
    "Center",
    "Channel",
    "ClockKind",
    "ComplaintRules",
    "ContactPolicy",
    "DayException",
    "DayKind",
    "FollowUp",
    "Holidays",
    "LimitAction",
    "Limits",
    "NamedDay",
    "OfferRules",
    "OpeningTable",
    "OverloadClass",
    "PairWeight",
    "Promise",
    "PromiseAction",
    "Queue",
    "ReopenMode",
    "ReturnRules",
    "Signal",
    "Step",
    "SurveyRules",
    "Team",
    "WaitClock",
    "WhenClosed",
]

_CLOSED = {"extra": "forbid"}
ALWAYS = "always"  # the calendar that every centre has: plain time, day and night

# Marks a setting that came after journals had been written: `field(default=..., metadata={LATER:
# "0.2"})`. At its default it is left out of their bytes (`router.canonical`), so they keep theirs.
LATER = "later"


class AgentPolicy(Enum):
    """Name the ways to choose an agent for a contact (`router.policies.agent_selection`)."""

    LONGEST_IDLE = "longest_idle"
    MOST_PROFICIENT = "most_proficient"
    LEAST_OCCUPIED = "least_occupied"
    LEAST_LOADED = "least_loaded"
    ROUND_ROBIN = "round_robin"
    FEWEST_CONTACTS = "fewest_contacts"
    LEAST_TALK_TIME = "least_talk_time"
    LINEAR = "linear"
    WEIGHTED_SHARE = "weighted_share"
    SEEDED_RANDOM = "seeded_random"
    RING_ALL = "ring_all"
    RING_PROGRESSIVELY = "ring_progressively"
    LONGEST_CUMULATIVE_IDLENESS = "longest_cumulative_idleness"
    HEAVIEST_PAIR = "heaviest_pair"


class ContactPolicy(Enum):
    """Name the ways to choose a contact for an agent (`router.policies.contact_selection`)."""

    PRIORITY_THEN_AGE = "priority_then_age"
    LINEAR_AGEING = "linear_ageing"
    EARLIEST_DEADLINE = "earliest_deadline"
    LONGEST_WEIGHTED_WAIT = "longest_weighted_wait"
    GENERALIZED_C_MU = "generalized_c_mu"
    FIXED_QUEUE_RATIO = "fixed_queue_ratio"
    WEIGHTED_PAIRS = "weighted_pairs"


class ClockKind(Enum):
    """Name what a promise promises; the kind brings the usual start, stop and pause sets."""

    ANSWER = "answer"
    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"
    PERIODIC_UPDATE = "periodic_update"
    FOLLOW_UP = "follow_up"
    COMPLAINT_ACKNOWLEDGEMENT = "complaint_acknowledgement"
    COMPLAINT_UPDATE = "complaint_update"
    COMPLAINT_ANSWER = "complaint_answer"


class Signal(Enum):
    """Name what a clock can hear of the life of its contact."""

    ARRIVED = "arrived"
    ASSIGNED = "assigned"
    CONNECTED = "connected"
    AGENT_REPLIED = "agent_replied"
    CUSTOMER_REPLIED = "customer_replied"
    CUSTOMER_AWAITED = "customer_awaited"
    CUSTOMER_WAIT_ENDED = "customer_wait_ended"
    HELD = "held"
    RESUMED = "resumed"
    TRANSFERRED = "transferred"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    COMPLAINT_RAISED = "complaint_raised"
    CALLBACK_SCHEDULED = "callback_scheduled"
    CALLBACK_DUE = "callback_due"
    CLOSED = "closed"
    SELF_SERVED = "self_served"


class ReopenMode(Enum):
    """Say what a reopened contact does to the clock of a promise.

    `resume`: it goes on with what it had left, unless it was broken; `restart`: it has its whole
    time again; `new_cycle`: as `restart`, and its escalation begins with the first of the chain
    again. The time in which the contact was closed never counts.
    """

    RESUME = "resume"
    RESTART = "restart"
    NEW_CYCLE = "new_cycle"


class LimitAction(Enum):
    """Say what happens to a contact at a limit."""

    REFUSE = "refuse"
    DEFLECT = "deflect"
    OVERFLOW = "overflow"
    EXPIRE = "expire"


class OverloadClass(Enum):
    """Say what happens to newly arriving contacts of a category under overload."""

    SERVE = "serve"
    DEFLECT = "deflect"
    REFUSE = "refuse"
    OVERFLOW = "overflow"


@dataclass(frozen=True, kw_only=True)
class Channel:
    """Say how contacts of one channel are offered and what they cost of an agent's budget.

    `units` is the cost (phone 100, chat 34 ...); `agent_max` caps the contacts of the channel
    per agent (0: only the budget counts). `offer_timeout_ms` 0 means an offer never expires.
    `connect_timeout_ms` 0 means that an accepted contact is connected at once. Work on an
    `interruptible` channel is held when one that `interrupts` needs the agent. Without `survey`
    nobody is asked afterwards.
    """

    __pydantic_config__ = _CLOSED

    units: int = 100
    agent_max: int = 0
    auto_accept: bool = False
    offer_timeout_ms: int = 20_000
    connect_timeout_ms: int = 0
    interruptible: bool = False
    interrupts: bool = False
    survey: bool = field(default=True, metadata={LATER: "0.2"})


@dataclass(frozen=True, kw_only=True)
class Queue:
    """Describe a line: how its agents are chosen and where its limits are.

    `ring_size` is k of the ring policies; `ring_step_ms` the time after which `ring_progressively`
    rings one agent more. `weights` (agent id to share, default 1) serve `weighted_share`.
    `length_max` and `wait_max_ms` 0 mean unlimited; `overflow_to` serves the action `overflow`.
    With `overload_length` waiting (0: never) each category's overload class decides who comes in.
    `teams`, when given, restricts the line to their agents. `calendar` names its opening hours:
    `when_closed` is for who arrives while it is closed, `at_closing` for who waits when it closes
    (callbacks are always kept), `wait_clock` says whether steps and `wait_max_ms` count closed
    time.

    Some contact policies weigh one line against another: `wait_weight` multiplies the wait under
    `longest_weighted_wait` and is the cost of a delay under `generalized_c_mu`, which also takes
    `handle_time_ms`, the mean time a contact takes of an agent, and `late_weight`, by how much
    faster than before a wait past its promise costs. `queue_share` is this line's share of all who
    wait under `fixed_queue_ratio`.

    `reserve` idle agents who could serve this line are kept for it: other lines get an idle agent
    only while more are idle. Once there were too few it takes `reserve_band` more to open again.
    """

    __pydantic_config__ = _CLOSED

    agent_policy: AgentPolicy = AgentPolicy.LONGEST_IDLE
    ring_size: int = 1
    ring_step_ms: int = 5_000
    weights: dict[str, int] = field(default_factory=dict)
    seed: int = 0
    teams: tuple[str, ...] = ()
    calendar: str = ALWAYS
    length_max: int = 0
    when_full: LimitAction = LimitAction.REFUSE
    wait_max_ms: int = 0
    when_late: LimitAction = LimitAction.EXPIRE
    overflow_to: str = ""
    service_level_ms: int = 20_000
    short_abandon_ms: int = 5_000
    wait_weight: int = field(default=1, metadata={LATER: "0.2"})
    handle_time_ms: int = field(default=300_000, metadata={LATER: "0.2"})
    late_weight: int = field(default=4, metadata={LATER: "0.2"})
    queue_share: int = field(default=1, metadata={LATER: "0.2"})
    when_closed: WhenClosed = field(default=WhenClosed.SERVE, metadata={LATER: "0.2"})
    at_closing: AtClosing = field(default=AtClosing.KEEP, metadata={LATER: "0.2"})
    wait_clock: WaitClock = field(default=WaitClock.PLAIN, metadata={LATER: "0.2"})
    overload_length: int = field(default=0, metadata={LATER: "0.2"})
    reserve: int = field(default=0, metadata={LATER: "0.2"})
    reserve_band: int = field(default=0, metadata={LATER: "0.2"})


@dataclass(frozen=True, kw_only=True)
class Step:
    """Widen the search for an agent after `after_ms` in line (counted from the first enqueueing).

    What a step says is added to what the steps before it said: `lower` sets lower levels,
    `drop` lets needs go, `add_teams` lets more teams serve, `raise_priority` adds to the
    priority, `overflow_to` moves the contact, `offer_callback` and `deflect` speak for themselves.
    """

    __pydantic_config__ = _CLOSED

    after_ms: int
    lower: dict[str, int] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    add_teams: tuple[str, ...] = ()
    raise_priority: int = 0
    overflow_to: str = ""
    offer_callback: bool = False
    deflect: bool = False


@dataclass(frozen=True, kw_only=True)
class Category:
    """Describe a reason to call: queue, needs, priority, steps.

    `needs` maps skills to the lowest level that will do. A contact's language adds the need
    `lang:<language>` at `language_level` (0: language is no need). `offer_timeout_ms` -1 means
    the channel's. `wrap_up_ms` 0 means no wrap-up; `wrap_up_ms` -1 wrap-up without limit.
    `preferred_wait_ms` and `last_agent_wait_ms` bound the wait for one agent (0: not waited).
    Every `survey_every`-th handled contact of the category asks for a survey (0: none), or
    `survey_percent` of 100, spread evenly.
    """

    __pydantic_config__ = _CLOSED

    queue: str
    needs: dict[str, int] = field(default_factory=dict)
    language_level: int = 0
    priority: int = 5
    offer_timeout_ms: int = -1
    wrap_up_ms: int = 0
    steps: tuple[Step, ...] = ()
    preferred_wait_ms: int = 0
    last_agent_wait_ms: int = 0
    overload: OverloadClass = OverloadClass.SERVE
    survey_every: int = 0
    survey_percent: int = field(default=0, metadata={LATER: "0.2"})
    follow_up: FollowUp = field(default=FollowUp(), metadata={LATER: "0.2"})


@dataclass(frozen=True, kw_only=True)
class PromiseAction:
    """Say what a warning or a breach sets off."""

    __pydantic_config__ = _CLOSED

    raise_priority: int = 0
    next_step: bool = False
    escalate: bool = False


@dataclass(frozen=True, kw_only=True)
class Promise:
    """Describe one SLA policy: for whom, what clock, how long, what then.

    Of the promises of one kind the first that matches a contact holds; an empty match list
    matches all. The target is `target_ms` on the clock of `calendar` ("always" is plain time), or
    the end of its `target_working_days`-th working day after the day of the start. `warnings` are
    percentages of it. Empty signal sets mean the usual ones of the kind
    (`router.sla.DEFAULT_SIGNALS`). `objective_percent` is the share that should be met.
    `priorities` match the contact's own priority, before steps and promises add to it.
    Once somebody of the chain was called, the next one is after `escalate_every_ms` on the
    promise's calendar, as long as the clock runs (0: only warnings and the breach call).
    """

    __pydantic_config__ = _CLOSED

    kind: ClockKind
    target_ms: int = 0
    target_working_days: int = 0
    categories: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    calendar: str = ALWAYS
    warnings: tuple[int, ...] = ()
    start: tuple[Signal, ...] = ()
    stop: tuple[Signal, ...] = ()
    pause: tuple[Signal, ...] = ()
    resume: tuple[Signal, ...] = ()
    reset: tuple[Signal, ...] = ()
    reopen: ReopenMode = ReopenMode.NEW_CYCLE
    on_warning: PromiseAction = PromiseAction()
    on_breach: PromiseAction = PromiseAction()
    escalation: tuple[str, ...] = ()
    objective_percent: int = 80
    priorities: tuple[int, ...] = field(default=(), metadata={LATER: "0.2"})
    escalate_every_ms: int = field(default=0, metadata={LATER: "0.2"})


@dataclass(frozen=True, kw_only=True)
class PairWeight:
    """Weigh the contacts of one queue for the agents of one team.

    The weight of a pair is `base_ms` + `wait` times the wait + `idle` times the agent's idle time,
    in milliseconds. Below zero the pair does not meet: with base -30s and wait 1 the team
    helps out after half a minute.
    """

    __pydantic_config__ = _CLOSED

    base_ms: int = 0
    wait: int = 1
    idle: int = 0


@dataclass(frozen=True, kw_only=True)
class Team:
    """Describe a group of agents: who pays for it, how its agents choose contacts, whom they help.

    `contact_policy` None means the centre's. With `lend_percent` the team takes contacts of other
    queues than its `own_queues` only while so many percent of its own were answered in time within
    the last `lend_window_ms`; once it was less, it takes `lend_band` percent more to begin again.
    `pairs` weighs queues for the policies `weighted_pairs` and `heaviest_pair`; a weight below zero
    holds back under every policy.
    """

    __pydantic_config__ = _CLOSED

    cost_group: str = ""
    contact_policy: ContactPolicy | None = None
    own_queues: tuple[str, ...] = field(default=(), metadata={LATER: "0.2"})
    lend_percent: int = field(default=0, metadata={LATER: "0.2"})
    lend_band: int = field(default=0, metadata={LATER: "0.2"})
    lend_window_ms: int = field(default=1_800_000, metadata={LATER: "0.2"})
    pairs: dict[str, PairWeight] = field(default_factory=dict, metadata={LATER: "0.2"})


@dataclass(frozen=True, kw_only=True)
class Agent:
    """Describe one agent: team, skills with proficiency 1 to 10, budget of units."""

    __pydantic_config__ = _CLOSED

    team: str
    skills: dict[str, int] = field(default_factory=dict)
    capacity: int = 100
    channel_max: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class OfferRules:
    """Say how patient the router is with agents.

    An agent gets no offer for the back-off of the cause after an offer he did not take.
    Who has let the same contact go `per_agent_max` times (declined, expired, not connected; 0: no
    cap) does not get it again before somebody has served it. After
    `unanswered_max` expired offers in a row (0: never) his presence becomes
    `unanswered_presence`. Agents not heard of for `heartbeat_timeout_ms` (0: never) are lost;
    a lost agent's connected contacts go back into line after `lost_agent_timeout_ms`.
    """

    __pydantic_config__ = _CLOSED

    backoff_declined_ms: int = 5_000
    backoff_expired_ms: int = 10_000
    backoff_busy_ms: int = 5_000
    backoff_unreachable_ms: int = 30_000
    per_agent_max: int = 2
    unanswered_max: int = 2
    unanswered_presence: str = "unanswered"
    heartbeat_timeout_ms: int = 0
    lost_agent_timeout_ms: int = 600_000


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bound what a centre may hold; at a bound new things are refused, nothing is lost.

    `duplicate_window_ms` is how long a closed contact and a producer's event id are remembered,
    and how old an arriving contact may be. `contact_life_ms` is the longest life of an open one.
    """

    __pydantic_config__ = _CLOSED

    open_contacts: int = 100_000
    agents: int = 15_000
    queues: int = 5_000
    need_sets: int = 10_000
    skills_per_contact: int = 32
    event_ids: int = 100_000
    duplicate_window_ms: int = 3_600_000
    contact_life_ms: int = 2_592_000_000
    overload_open_contacts: int = 0


@dataclass(frozen=True, kw_only=True)
class Center:
    """Describe one routing group as a whole.

    `presences` maps each presence to whether it takes work. `unknown_skill_queue` receives
    contacts that need a skill the centre has never heard of ("": they are refused).
    Beside `calendars` there is always `always`, the calendar of plain time.
    `ageing_points_ms` is what one priority point is worth under `linear_ageing`.
    """

    __pydantic_config__ = _CLOSED

    name: str
    version: int
    channels: dict[str, Channel]
    skills: tuple[str, ...]
    queues: dict[str, Queue]
    categories: dict[str, Category]
    teams: dict[str, Team]
    agents: dict[str, Agent]
    promises: dict[str, Promise] = field(default_factory=dict)
    calendars: dict[str, Calendar] = field(default_factory=dict)
    tiers: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    presences: dict[str, bool] = field(
        default_factory=lambda: {
            "available": True,
            "break": False,
            "training": False,
            "unanswered": False,
        }
    )
    contact_policy: ContactPolicy = ContactPolicy.PRIORITY_THEN_AGE
    ageing_points_ms: int = 60_000
    unknown_skill_queue: str = ""
    offers: OfferRules = OfferRules()
    limits: Limits = Limits()
    callbacks: CallbackRules = field(default=CallbackRules(), metadata={LATER: "0.2"})
    returns: ReturnRules = field(default=ReturnRules(), metadata={LATER: "0.2"})
    surveys: SurveyRules = field(default=SurveyRules(), metadata={LATER: "0.2"})
    complaints: ComplaintRules = field(default=ComplaintRules(), metadata={LATER: "0.2"})


CHANNEL_KINDS = ("phone", "chat", "email", "social", "sms", "callback", "task")
