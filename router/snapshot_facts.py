"""List what a snapshot writes down: facts only, no index that can be built anew."""

from __future__ import annotations

from msgspec import Struct

from router.center import Center, OpeningTable, Promise, Queue
from router.decisions import Exit, Reason
from router.plan import ProfileKey


class MoreState(Struct, array_like=True):
    """The rarer facts of a contact, as written."""

    first_key: ProfileKey | None
    preferred_agent: str
    queue: str
    raised: int
    tried: dict[str, int]
    affinity: str
    affinity_until_ms: int
    affinity_reason: int
    callback_due_ms: int
    absent_ms: int
    absent_since_ms: int
    entered_ms: int
    steps_from_ms: int
    escalated: dict[str, int]
    held: bool
    last_agent: str
    reopened_ms: int
    dials: int = 0
    dialling: bool = False
    attempt: int = 1
    succeeded: bool = False
    origin_id: str = ""
    opened: int = 0
    complaint_id: str = ""


class PlanFacts(Struct, array_like=True):
    """A promise under which clocks were started; `hours` is a key of the tables, "" plain time."""

    name: str
    promise: Promise
    channel: str
    hours: str
    target_ms: int


class ClockState(Struct, array_like=True):
    """A clock, as written; `plan` is a position in the snapshot's list of promises."""

    plan: int
    cycle: int
    phase: int
    since_ms: int
    consumed_ms: int
    noticed: int
    started_ms: int = -1
    escalate_ms: int = 0


class WorkState(Struct, array_like=True):
    """An assignment, as written."""

    offer_id: int
    agent_id: str
    assigned_ms: int
    talk_ended_ms: int
    phase: int
    held: bool


class ContactFacts(Struct, array_like=True):
    """A contact, as written; `offers` are its open offers as (number, agent id), first first."""

    contact_id: str
    customer: str
    key: ProfileKey
    place: int
    state: int
    step: int
    more: MoreState | None
    clocks: tuple[ClockState, ...]
    offers: tuple[tuple[int, str], ...]
    work: WorkState | None


class AgentFacts(Struct, array_like=True):
    """An agent, as written; `works` and `offers` in his order."""

    agent_id: str
    team: str
    skills: dict[str, int]
    capacity: int
    state: int
    session: int
    presence: str
    removed: bool
    turn: int
    idle_since_ms: int
    backing_off: bool
    unanswered: int
    works: tuple[str, ...]
    offers: tuple[int, ...]
    scores: tuple[int, int, int, int, dict[str, int]] | None


class EndingFacts(Struct, array_like=True):
    """An ended contact in a list of those remembered; `current` if it has not reopened since.

    `kept`: it stands in the list of those kept for an answer.
    """

    contact_id: str
    exit: Exit
    closed_ms: int
    absent_from_ms: int
    surveyed: bool
    current: bool
    asked: bool = False
    kept: bool = False


class TraceFacts(Struct, array_like=True):
    """How a customer left, as written."""

    customer: str
    category: str
    contact_id: str
    reason: Reason
    at_ms: int
    attempts: int


class TimerFacts(Struct, array_like=True):
    """An armed timer: which, in which list, since when (list 0: until when)."""

    kind: int
    subject: str
    number: int
    list: int
    armed_ms: int


class GuardFacts(Struct, array_like=True):
    """What the guards remember: queues whose reserve is shut; teams with (instant, in time)."""

    shut_reserves: tuple[str, ...]
    lendings: tuple[tuple[str, bool, tuple[tuple[int, bool], ...]], ...]


class FloorFacts(Struct):
    """Everything the fold knows."""

    seq: int
    now_ms: int
    center: Center | None
    config_hash: str
    next_offer: int
    next_place: int
    turn: int
    overload: bool
    decay_landmark_ms: int
    surveyed: dict[str, int]
    last_agents: tuple[tuple[str, str], ...]
    event_order: tuple[tuple[int, str], ...]
    tombstone_order: tuple[tuple[int, str], ...]
    queues: tuple[tuple[str, int, int, int], ...]
    drained: dict[str, Queue]
    durations: tuple[int, ...]
    profiles: tuple[ProfileKey, ...]
    promises: tuple[PlanFacts, ...]
    calendars: dict[str, OpeningTable]
    contacts: tuple[ContactFacts, ...]
    agents: tuple[AgentFacts, ...]
    endings: tuple[EndingFacts, ...]
    timers: tuple[TimerFacts, ...]
    asked_customers: tuple[tuple[str, int], ...] = ()
    traces: tuple[TraceFacts, ...] = ()
    guards: GuardFacts | None = None
