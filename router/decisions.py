"""List everything the router may order, and why.

Decisions are imperative. Each carries a `Reason` from one closed list, which is also
its metric label. `Decision` is a closed union, published as JSON Schema. Instants and
durations are integer milliseconds.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, TypeAlias

from msgspec import Struct

from router.enums import plain


@plain
class Reason(Enum):
    """Say why a decision was taken or an event was not followed."""

    # a contact enters, moves or returns to a line
    ARRIVED = "arrived"
    NO_ELIGIBLE_AGENT = "no_eligible_agent"
    UNROUTABLE = "unroutable"
    TRANSFERRED = "transferred"
    UPDATED = "updated"
    REOPENED = "reopened"
    REDIALLED = "redialled"
    CUSTOMER_REPLIED = "customer_replied"
    WAITING_ENDED = "waiting_ended"
    CALLBACK_DUE = "callback_due"
    CENTER_CHANGED = "center_changed"
    HANDED_OVER = "handed_over"
    # an agent is chosen
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
    PREFERRED_AGENT = "preferred_agent"
    LAST_AGENT = "last_agent"
    # a contact is chosen by an agent who became free
    PRIORITY_THEN_AGE = "priority_then_age"
    LINEAR_AGEING = "linear_ageing"
    EARLIEST_DEADLINE = "earliest_deadline"
    LONGEST_WEIGHTED_WAIT = "longest_weighted_wait"
    GENERALIZED_C_MU = "generalized_c_mu"
    FIXED_QUEUE_RATIO = "fixed_queue_ratio"
    WEIGHTED_PAIRS = "weighted_pairs"
    # an offer ends
    ACCEPTED = "accepted"
    AUTO_ACCEPTED = "auto_accepted"
    DECLINED = "declined"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    EXPIRED = "expired"
    TAKEN = "taken"
    CONTACT_GONE = "contact_gone"
    AGENT_LOST = "agent_lost"
    AGENT_SIGNED_OUT = "agent_signed_out"
    AGENT_AWAY = "agent_away"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_FAILED = "connect_failed"
    UNANSWERED_OFFERS = "unanswered_offers"
    HEARD_AGAIN = "heard_again"
    # routing steps and limits
    STEP_DUE = "step_due"
    NO_STAFFED_AGENT = "no_staffed_agent"
    QUEUE_FULL = "queue_full"
    QUEUE_WAIT_LIMIT = "queue_wait_limit"
    AFFINITY_ENDED = "affinity_ended"
    QUEUE_CLOSED = "queue_closed"
    QUEUE_OPENED = "queue_opened"
    OVERLOAD = "overload"
    CALLBACK_REQUESTED = "callback_requested"
    NO_ANSWER = "no_answer"
    VOICEMAIL = "voicemail"
    OUTSIDE_WINDOW = "outside_window"
    ATTEMPTS_SPENT = "attempts_spent"
    # interruptible work
    INTERRUPTED = "interrupted"
    CAPACITY_FREE = "capacity_free"
    # an assignment or a contact ends
    CUSTOMER_LEFT = "customer_left"
    RESOLVED = "resolved"
    WRAPPED_UP = "wrapped_up"
    WRAP_UP_LIMIT = "wrap_up_limit"
    WAITING_ON_CUSTOMER = "waiting_on_customer"
    ABANDONED = "abandoned"
    ENDED_BEFORE_ARRIVAL = "ended_before_arrival"
    MERGED = "merged"
    LIFE_LIMIT = "life_limit"
    SELF_SERVED = "self_served"
    # SLA clocks
    CLOCK_STARTED = "clock_started"
    CLOCK_PAUSED = "clock_paused"
    CLOCK_RESUMED = "clock_resumed"
    CLOCK_RESET = "clock_reset"
    WARNING_DUE = "warning_due"
    DEADLINE_PASSED = "deadline_passed"
    STOPPED_IN_TIME = "stopped_in_time"
    STOPPED_LATE = "stopped_late"
    CLOCK_CANCELED = "clock_canceled"
    RETARGETED = "retargeted"
    SLA_WARNED = "sla_warned"
    SLA_BREACHED = "sla_breached"
    ESCALATION_DUE = "escalation_due"
    # events not followed
    DUPLICATE = "duplicate"
    ID_CONFLICT = "id_conflict"
    STALE = "stale"
    UNKNOWN_CONTACT = "unknown_contact"
    UNKNOWN_AGENT = "unknown_agent"
    UNKNOWN_OFFER = "unknown_offer"
    UNKNOWN_CHANNEL = "unknown_channel"
    UNKNOWN_CATEGORY = "unknown_category"
    UNKNOWN_QUEUE = "unknown_queue"
    UNKNOWN_SKILL = "unknown_skill"
    UNKNOWN_PRESENCE = "unknown_presence"
    CONTACT_CLOSED = "contact_closed"
    ALREADY_ANSWERED = "already_answered"
    WRONG_STATE = "wrong_state"
    WRONG_AGENT = "wrong_agent"
    OFFER_CLOSED = "offer_closed"
    SIGNED_OUT = "signed_out"
    BAD_TARGET = "bad_target"
    BAD_CENTER = "bad_center"
    VERSION_CONFLICT = "version_conflict"
    STILL_IN_USE = "still_in_use"
    NO_CENTER = "no_center"
    LIMIT_REACHED = "limit_reached"
    # records that could not be read (decided by the codec, journaled by the core)
    BAD_TIMESTAMP = "bad_timestamp"
    BAD_ENCODING = "bad_encoding"
    BAD_JSON = "bad_json"
    BAD_SCHEMA = "bad_schema"
    DUPLICATE_KEY = "duplicate_key"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    EMPTY = "empty"
    UNKNOWN_TYPE = "unknown_type"
    WRONG_PARTITION = "wrong_partition"
    # the loop after the contact
    SURVEY_DUE = "survey_due"
    UNHAPPY_ANSWER = "unhappy_answer"
    COMPLAINT_RAISED = "complaint_raised"
    # a customer comes again
    CALLED_MEANWHILE = "called_meanwhile"
    BLOCKED_BEFORE = "blocked_before"
    DEFLECTION_FAILED = "deflection_failed"
    # the plain acts of upkeep
    CONFIGURED = "configured"


@plain
class Exit(Enum):
    """Name the one way in which a contact ended."""

    HANDLED = "handled"
    ABANDONED = "abandoned"
    DEFLECTED = "deflected"
    EXPIRED = "expired"
    MERGED = "merged"


class EnqueueContact(Struct, frozen=True, gc=False, omit_defaults=True, tag="enqueue_contact"):
    """Put a contact into a line."""

    contact_id: str
    queue: str
    reason: Reason
    priority: int = 0
    step: int = 0


class OfferContact(Struct, frozen=True, gc=False, omit_defaults=True, tag="offer_contact"):
    """Hold a contact out to an agent; `expires_at_ms` 0 means never."""

    offer_id: int
    contact_id: str
    agent_id: str
    reason: Reason
    expires_at_ms: int = 0


class WithdrawOffer(Struct, frozen=True, gc=False, tag="withdraw_offer"):
    """Take an open offer back."""

    offer_id: int
    contact_id: str
    agent_id: str
    reason: Reason


class AssignContact(Struct, frozen=True, gc=False, omit_defaults=True, tag="assign_contact"):
    """Give the contact to the agent: the assignment begins.

    `wait_ms` is the time since arrival, `net_wait_ms` the part of it spent in line or on offer.
    """

    offer_id: int
    contact_id: str
    agent_id: str
    reason: Reason
    wait_ms: int = 0
    net_wait_ms: int = 0


class StartWrapUp(Struct, frozen=True, gc=False, omit_defaults=True, tag="start_wrap_up"):
    """Begin the work after the contact; `until_ms` 0 means without limit."""

    contact_id: str
    agent_id: str
    reason: Reason
    until_ms: int = 0


class EndAssignment(Struct, frozen=True, gc=False, tag="end_assignment"):
    """End the assignment: the agent's units are free again."""

    contact_id: str
    agent_id: str
    reason: Reason


class HoldWork(Struct, frozen=True, gc=False, tag="hold_work"):
    """Set interruptible work aside, which frees its units."""

    contact_id: str
    agent_id: str
    reason: Reason


class ResumeWork(Struct, frozen=True, gc=False, tag="resume_work"):
    """Take held work up again."""

    contact_id: str
    agent_id: str
    reason: Reason


class RequeueContact(Struct, frozen=True, gc=False, omit_defaults=True, tag="requeue_contact"):
    """Put a contact back into line at its old place."""

    contact_id: str
    queue: str
    reason: Reason
    priority: int = 0


class RelaxContact(Struct, frozen=True, gc=False, tag="relax_contact"):
    """Go to the contact's next routing step (1 is the first after the start)."""

    contact_id: str
    step: int
    reason: Reason


class OverflowContact(Struct, frozen=True, gc=False, tag="overflow_contact"):
    """Move a contact to another queue."""

    contact_id: str
    from_queue: str
    to_queue: str
    reason: Reason


class DeflectContact(Struct, frozen=True, gc=False, tag="deflect_contact"):
    """Send a contact away to another way of being served."""

    contact_id: str
    reason: Reason


class ScheduleCallback(Struct, frozen=True, gc=False, tag="schedule_callback"):
    """Keep the contact's place; nobody is on the line until `due_at_ms`."""

    contact_id: str
    due_at_ms: int
    reason: Reason


class OfferCallback(Struct, frozen=True, gc=False, tag="offer_callback"):
    """Offer the waiting customer to be called back."""

    contact_id: str
    reason: Reason


class DialCallback(Struct, frozen=True, gc=False, omit_defaults=True, tag="dial_callback"):
    """Call the customer: an agent has taken the callback.

    `attempt` counts the calls where the centre limits them, else it is 1.
    """

    contact_id: str
    agent_id: str
    reason: Reason
    attempt: int = 1


class ChangeAgentState(Struct, frozen=True, gc=False, tag="change_agent_state"):
    """Set an agent's presence in his place (for example after unanswered offers)."""

    agent_id: str
    presence: str
    reason: Reason


class EscalateContact(Struct, frozen=True, gc=False, tag="escalate_contact"):
    """Call the next one in a promise's chain; `level` starts at 1."""

    contact_id: str
    policy: str
    level: int
    to: str
    reason: Reason


class StartSla(Struct, frozen=True, gc=False, tag="start_sla"):
    """Start a clock; `cycle` starts at 1."""

    contact_id: str
    policy: str
    cycle: int
    deadline_ms: int
    reason: Reason


class PauseSla(Struct, frozen=True, gc=False, tag="pause_sla"):
    """Stop a clock from running, for now."""

    contact_id: str
    policy: str
    cycle: int
    reason: Reason


class ResumeSla(Struct, frozen=True, gc=False, tag="resume_sla"):
    """Let a paused clock run on to its new deadline."""

    contact_id: str
    policy: str
    cycle: int
    deadline_ms: int
    reason: Reason


class WarnSla(Struct, frozen=True, gc=False, tag="warn_sla"):
    """Warn that `percent` of the promised time has gone."""

    contact_id: str
    policy: str
    cycle: int
    percent: int
    reason: Reason


class BreachSla(Struct, frozen=True, gc=False, tag="breach_sla"):
    """Say that the promise is broken; decided once, at the deadline."""

    contact_id: str
    policy: str
    cycle: int
    deadline_ms: int
    reason: Reason


class MeetSla(Struct, frozen=True, gc=False, tag="meet_sla"):
    """Say that the promise was kept, with the running time it took."""

    contact_id: str
    policy: str
    cycle: int
    elapsed_ms: int
    reason: Reason


class StopSla(Struct, frozen=True, gc=False, omit_defaults=True, tag="stop_sla"):
    """End a clock that is not met: breached before, by `late_ms` in the end, or canceled."""

    contact_id: str
    policy: str
    cycle: int
    reason: Reason
    late_ms: int = 0


class RebaseSla(Struct, frozen=True, gc=False, omit_defaults=True, tag="rebase_sla"):
    """Move a deadline, counted from the clock's original start with all its pauses.

    `from_policy` is the promise that held before, if another one holds now.
    """

    contact_id: str
    policy: str
    cycle: int
    old_deadline_ms: int
    deadline_ms: int
    reason: Reason
    from_policy: str = ""


class RequestSurvey(Struct, frozen=True, gc=False, tag="request_survey"):
    """Ask the customer how it was."""

    contact_id: str
    reason: Reason


class RequestFollowUp(Struct, frozen=True, gc=False, omit_defaults=True, tag="request_follow_up"):
    """Follow the contact up with its customer.

    `follow_up_id` is the contact that the router opened for it; "" leaves opening one to others.
    """

    contact_id: str
    reason: Reason
    follow_up_id: str = ""


class OpenContact(Struct, frozen=True, gc=False, omit_defaults=True, tag="open_contact"):
    """Open a contact that nobody announced: it follows from `origin_id`, whose customer it has."""

    contact_id: str
    origin_id: str
    channel: str
    category: str
    reason: Reason
    customer: str = ""
    tier: str = ""
    language: str = ""
    preferred_agent: str = ""


class LinkContact(Struct, frozen=True, gc=False, omit_defaults=True, tag="link_contact"):
    """Know a contact as the return of a customer from an earlier one.

    `attempt` counts his contacts about the matter, this one included. Where the new contact keeps
    the age of the earlier one, `since_ms` is the instant from which it counts, else 0.
    """

    contact_id: str
    origin_id: str
    reason: Reason
    attempt: int = 2
    since_ms: int = 0


class CloseContact(Struct, frozen=True, gc=False, tag="close_contact"):
    """End a contact, in exactly one way."""

    contact_id: str
    exit: Exit
    reason: Reason


class ActivateCenter(Struct, frozen=True, gc=False, tag="activate_center"):
    """Route by this version of the configuration from here on."""

    version: int
    config_hash: str
    reason: Reason


class RefuseEvent(Struct, frozen=True, gc=False, omit_defaults=True, tag="refuse_event"):
    """Do not follow an event; nothing changed. `subject` is the id it concerns, never a payload."""

    reason: Reason
    subject: str = ""


class NoteDuplicate(Struct, frozen=True, gc=False, omit_defaults=True, tag="note_duplicate"):
    """Say that an event told nothing new; nothing changed."""

    reason: Reason
    subject: str = ""


Decision: TypeAlias = (
    EnqueueContact
    | OfferContact
    | WithdrawOffer
    | AssignContact
    | StartWrapUp
    | EndAssignment
    | HoldWork
    | ResumeWork
    | RequeueContact
    | RelaxContact
    | OverflowContact
    | DeflectContact
    | ScheduleCallback
    | OfferCallback
    | DialCallback
    | ChangeAgentState
    | EscalateContact
    | StartSla
    | PauseSla
    | ResumeSla
    | WarnSla
    | BreachSla
    | MeetSla
    | StopSla
    | RebaseSla
    | RequestSurvey
    | RequestFollowUp
    | OpenContact
    | LinkContact
    | CloseContact
    | ActivateCenter
    | RefuseEvent
    | NoteDuplicate
)

DECISION_TYPES: Final[tuple[type[Decision], ...]] = (
    EnqueueContact,
    OfferContact,
    WithdrawOffer,
    AssignContact,
    StartWrapUp,
    EndAssignment,
    HoldWork,
    ResumeWork,
    RequeueContact,
    RelaxContact,
    OverflowContact,
    DeflectContact,
    ScheduleCallback,
    OfferCallback,
    DialCallback,
    ChangeAgentState,
    EscalateContact,
    StartSla,
    PauseSla,
    ResumeSla,
    WarnSla,
    BreachSla,
    MeetSla,
    StopSla,
    RebaseSla,
    RequestSurvey,
    RequestFollowUp,
    OpenContact,
    LinkContact,
    CloseContact,
    ActivateCenter,
    RefuseEvent,
    NoteDuplicate,
)
