"""List everything that can happen to a centre.

Events are past tense. They say what somebody did; `router.decisions` says what
the router orders in answer. The union `Event` is closed: a new kind of event is a
new class here, a line in `EVENT_TYPES`, a row in each transition table that it
concerns and a handler. Durations and instants are integer milliseconds, instants
since the Unix epoch in UTC.

Nothing here carries the time at which it is handled: that is the stamp's
(`Stamped.at_ms`), given once by the sequencer. Ids are opaque strings of
`[A-Za-z0-9._:-]{1,64}`; the codec checks them at the door.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Final, TypeAlias

from msgspec import Meta, Struct

from router.center import Center

Id: TypeAlias = Annotated[str, Meta(pattern="^[A-Za-z0-9._:-]{1,64}$")]
OptionalId: TypeAlias = Annotated[str, Meta(pattern="^[A-Za-z0-9._:-]{0,64}$")]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
OptionalName: TypeAlias = Annotated[str, Meta(max_length=64)]
Level: TypeAlias = Annotated[int, Meta(ge=1, le=10)]
Priority: TypeAlias = Annotated[int, Meta(ge=0, le=9)]
Number: TypeAlias = Annotated[int, Meta(ge=0, le=9007199254740991)]


class DeclineCause(Enum):
    """Say why an offer was not taken: each cause has its own back-off."""

    DECLINED = "declined"
    BUSY = "busy"
    UNREACHABLE = "unreachable"


class CallFailure(Enum):
    """Say why a call reached nobody: each is tried again in its own time."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    VOICEMAIL = "voicemail"
    UNREACHABLE = "unreachable"


# --- contacts -----------------------------------------------------------------


class ContactArrived(Struct, frozen=True, gc=False, omit_defaults=True, tag="contact_arrived"):
    """A request for service reached the centre.

    `priority` -1 means the category's own. `skills` are needs of this contact beside
    those of its category. `queue` overrides the category's queue. `bot` names the self-service
    that has it first, `origin_id` an earlier contact that this one goes back to.
    """

    contact_id: Id
    channel: Name
    category: Name
    priority: Annotated[int, Meta(ge=-1, le=9)] = -1
    customer: OptionalId = ""
    tier: OptionalName = ""
    language: OptionalName = ""
    preferred_agent: OptionalId = ""
    queue: OptionalName = ""
    skills: Annotated[dict[Name, Level], Meta(max_length=32)] = {}
    attributes: Annotated[
        dict[Name, Annotated[str, Meta(max_length=256)]], Meta(max_length=64)
    ] = {}
    bot: OptionalName = ""
    origin_id: OptionalId = ""


class ContactHandedOver(
    Struct, frozen=True, gc=False, omit_defaults=True, tag="contact_handed_over"
):
    """A bot passed the contact on to people; `category` "" keeps what it was."""

    contact_id: Id
    category: OptionalName = ""


class ContactUpdated(Struct, frozen=True, gc=False, omit_defaults=True, tag="contact_updated"):
    """Facts of a contact changed; None keeps what was."""

    contact_id: Id
    priority: Priority | None = None
    category: Name | None = None
    tier: OptionalName | None = None
    language: OptionalName | None = None
    skills: Annotated[dict[Name, Level], Meta(max_length=32)] | None = None


class ContactTransferred(
    Struct, frozen=True, gc=False, omit_defaults=True, tag="contact_transferred"
):
    """The contact was passed on: to a queue, a category or an agent, exactly one."""

    contact_id: Id
    queue: OptionalName = ""
    category: OptionalName = ""
    agent_id: OptionalId = ""


class ContactHeld(Struct, frozen=True, gc=False, tag="contact_held"):
    """The agent put the customer on hold."""

    contact_id: Id


class ContactResumed(Struct, frozen=True, gc=False, tag="contact_resumed"):
    """The agent took the customer off hold."""

    contact_id: Id


class ContactEnded(Struct, frozen=True, gc=False, tag="contact_ended"):
    """The customer left, or the medium ended."""

    contact_id: Id


class ContactAbandoned(Struct, frozen=True, gc=False, tag="contact_abandoned"):
    """The customer gave up before being served."""

    contact_id: Id


class ContactResolved(Struct, frozen=True, gc=False, omit_defaults=True, tag="contact_resolved"):
    """The matter was settled; `resolution_code` says how."""

    contact_id: Id
    resolution_code: OptionalName = ""


class ContactReopened(Struct, frozen=True, gc=False, tag="contact_reopened"):
    """A handled contact came back to life."""

    contact_id: Id


class CustomerReplied(Struct, frozen=True, gc=False, tag="customer_replied"):
    """The customer wrote (or spoke) again."""

    contact_id: Id


class AgentReplied(Struct, frozen=True, gc=False, omit_defaults=True, tag="agent_replied"):
    """An agent answered the customer; an automatic reply stops no response clock."""

    contact_id: Id
    automatic: bool = False


class CustomerAwaited(Struct, frozen=True, gc=False, tag="customer_awaited"):
    """The contact now waits on the customer; its agent is free again."""

    contact_id: Id


class CustomerWaitEnded(Struct, frozen=True, gc=False, tag="customer_wait_ended"):
    """Waiting on the customer ended without a message (a date came, a note was read)."""

    contact_id: Id


class CallbackRequested(
    Struct, frozen=True, gc=False, omit_defaults=True, tag="callback_requested"
):
    """The customer hung up and asked to be called; `due_at_ms` 0: when it is his turn."""

    contact_id: Id
    due_at_ms: Annotated[int, Meta(ge=0, le=253402300799999)] = 0


class CallbackFailed(Struct, frozen=True, gc=False, omit_defaults=True, tag="callback_failed"):
    """The customer was called and not reached; the agent's own leg failing is no such call."""

    contact_id: Id
    cause: CallFailure = CallFailure.NO_ANSWER
    agent_id: OptionalId = ""


class ContactRedialled(Struct, frozen=True, gc=False, tag="contact_redialled"):
    """A customer who had abandoned came back; the contact keeps its age."""

    contact_id: Id


class ContactMerged(Struct, frozen=True, gc=False, tag="contact_merged"):
    """The contact turned out to be part of another one, which goes on."""

    contact_id: Id
    into_contact_id: Id


class ComplaintRaised(Struct, frozen=True, gc=False, tag="complaint_raised"):
    """The customer complained about, or by, this contact."""

    contact_id: Id


class NoteAdded(Struct, frozen=True, gc=False, omit_defaults=True, tag="note_added"):
    """Somebody noted a finding; its text stays where it is, at `reference`. No clock hears it."""

    contact_id: Id
    agent_id: OptionalId = ""
    code: OptionalName = ""
    reference: OptionalId = ""


class SurveyAnswered(Struct, frozen=True, gc=False, omit_defaults=True, tag="survey_answered"):
    """The customer rated a closed contact, 1 (worst) to 5."""

    contact_id: Id
    score: Annotated[int, Meta(ge=1, le=5)]
    resolved: bool = True


# --- offers -------------------------------------------------------------------


class OfferAccepted(Struct, frozen=True, gc=False, tag="offer_accepted"):
    """The agent took the contact that was held out to him."""

    offer_id: Number
    contact_id: Id
    agent_id: Id


class OfferDeclined(Struct, frozen=True, gc=False, omit_defaults=True, tag="offer_declined"):
    """The agent did not take the contact."""

    offer_id: Number
    contact_id: Id
    agent_id: Id
    cause: DeclineCause = DeclineCause.DECLINED


class OfferConnected(Struct, frozen=True, gc=False, tag="offer_connected"):
    """Customer and agent are in contact."""

    offer_id: Number
    contact_id: Id
    agent_id: Id


class OfferConnectFailed(Struct, frozen=True, gc=False, tag="offer_connect_failed"):
    """The accepted contact could not be connected."""

    offer_id: Number
    contact_id: Id
    agent_id: Id


class WrapUpEnded(Struct, frozen=True, gc=False, tag="wrap_up_ended"):
    """The agent finished the work after the contact."""

    contact_id: Id
    agent_id: Id


# --- agents -------------------------------------------------------------------


class AgentSignedIn(Struct, frozen=True, gc=False, omit_defaults=True, tag="agent_signed_in"):
    """An agent opened a session; a higher session number replaces a lower one."""

    agent_id: Id
    session: Number = 0
    presence: Name = "available"


class AgentSignedOut(Struct, frozen=True, gc=False, omit_defaults=True, tag="agent_signed_out"):
    """An agent closed his session."""

    agent_id: Id
    session: Number = 0


class AgentPresenceChanged(
    Struct, frozen=True, gc=False, omit_defaults=True, tag="agent_presence_changed"
):
    """An agent chose another presence (available, on break, in training ...)."""

    agent_id: Id
    presence: Name
    session: Number = 0


class AgentSkillsChanged(Struct, frozen=True, gc=False, tag="agent_skills_changed"):
    """An agent's skills were replaced as a whole."""

    agent_id: Id
    skills: Annotated[dict[Name, Level], Meta(max_length=32)]


class AgentCapacityChanged(Struct, frozen=True, gc=False, tag="agent_capacity_changed"):
    """An agent's budget of units changed; a cut drops no work."""

    agent_id: Id
    capacity: Annotated[int, Meta(ge=0, le=10_000)]


class AgentHeartbeat(Struct, frozen=True, gc=False, omit_defaults=True, tag="agent_heartbeat"):
    """An agent's desktop said that it is alive; never a sign-in."""

    agent_id: Id
    session: Number = 0


class AgentLost(Struct, frozen=True, gc=False, omit_defaults=True, tag="agent_lost"):
    """The platform lost the agent's desktop."""

    agent_id: Id
    session: Number = 0


# --- the centre itself ----------------------------------------------------------


class CenterChanged(Struct, frozen=True, gc=False, omit_defaults=True, tag="center_changed"):
    """A new version of the configuration, whole, so that a journal explains itself.

    `move_to` says where the waiting contacts of a removed queue go; queues in `drain`
    may disappear from the categories and empty themselves. `rebase` re-targets running clocks.
    """

    center: Center
    move_to: dict[Name, Name] = {}
    drain: tuple[Name, ...] = ()
    rebase: bool = False


class OverloadSwitched(Struct, frozen=True, gc=False, tag="overload_switched"):
    """An operator, or a guard outside, switched the overload rules on or off."""

    active: bool


class RecordRefused(Struct, frozen=True, gc=False, tag="record_refused"):
    """A record could not be read; its body is not kept, only its hash (BLAKE2b, hex)."""

    reason: Name
    detail: Annotated[str, Meta(max_length=256)]
    body_hash: Annotated[str, Meta(max_length=64)]


class EngineActivated(Struct, frozen=True, gc=False, tag="engine_activated"):
    """A version of this software took over; new behaviour begins here and nowhere else."""

    engine_version: Name


class CustomerErased(Struct, frozen=True, gc=False, tag="customer_erased"):
    """A customer's key was destroyed; the token no longer leads to a person."""

    customer: Id


class TimeAdvanced(Struct, frozen=True, gc=False, tag="time_advanced"):
    """The clock reached the earliest deadline; the instant is the stamp's."""


Event: TypeAlias = (
    ContactArrived
    | ContactHandedOver
    | ContactUpdated
    | ContactTransferred
    | ContactHeld
    | ContactResumed
    | ContactEnded
    | ContactAbandoned
    | ContactResolved
    | ContactReopened
    | CustomerReplied
    | AgentReplied
    | CustomerAwaited
    | CustomerWaitEnded
    | CallbackRequested
    | CallbackFailed
    | ContactRedialled
    | ContactMerged
    | ComplaintRaised
    | NoteAdded
    | SurveyAnswered
    | OfferAccepted
    | OfferDeclined
    | OfferConnected
    | OfferConnectFailed
    | WrapUpEnded
    | AgentSignedIn
    | AgentSignedOut
    | AgentPresenceChanged
    | AgentSkillsChanged
    | AgentCapacityChanged
    | AgentHeartbeat
    | AgentLost
    | CenterChanged
    | OverloadSwitched
    | RecordRefused
    | EngineActivated
    | CustomerErased
    | TimeAdvanced
)

EVENT_TYPES: Final[tuple[type[Event], ...]] = (
    ContactArrived,
    ContactHandedOver,
    ContactUpdated,
    ContactTransferred,
    ContactHeld,
    ContactResumed,
    ContactEnded,
    ContactAbandoned,
    ContactResolved,
    ContactReopened,
    CustomerReplied,
    AgentReplied,
    CustomerAwaited,
    CustomerWaitEnded,
    CallbackRequested,
    CallbackFailed,
    ContactRedialled,
    ContactMerged,
    ComplaintRaised,
    NoteAdded,
    SurveyAnswered,
    OfferAccepted,
    OfferDeclined,
    OfferConnected,
    OfferConnectFailed,
    WrapUpEnded,
    AgentSignedIn,
    AgentSignedOut,
    AgentPresenceChanged,
    AgentSkillsChanged,
    AgentCapacityChanged,
    AgentHeartbeat,
    AgentLost,
    CenterChanged,
    OverloadSwitched,
    RecordRefused,
    EngineActivated,
    CustomerErased,
    TimeAdvanced,
)


class Source(Struct, frozen=True, gc=False, array_like=True):
    """Name the input record an event came from."""

    topic: str
    partition: int
    offset: int


class Stamped(Struct, frozen=True, gc=False, omit_defaults=True):
    """An event with its place in the centre's one order.

    `seq` is dense and starts at 1. `at_ms` never decreases. `event_id` is the producer's
    id of the record ("" if it gave none), by which repeats are recognised. `occurred_ms`
    is the producer's clock (0 if it gave none); it moves no clock of ours.
    """

    seq: int
    at_ms: int
    event: Event
    event_id: str = ""
    occurred_ms: int = 0
