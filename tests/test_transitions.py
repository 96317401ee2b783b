"""Walk through every (state, event) pair of the three tables with a real router."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from router import events as e
from router.agents import AGENT_TABLE, AgentState
from router.center import Category, Channel, ClockKind, ComplaintRules, OfferRules, Queue
from router.contacts import CONTACT_TABLE, ContactState, Outcome, Verdict
from router.decisions import NoteDuplicate, Reason, RefuseEvent
from router.offers import OFFER_TABLE, OfferState
from tests.builders import HOUR, accept, arrive, decline, desk, end, go, promise, sign_in
from tests.playbook import START_MS, Playbook, at

# Every kind of clock runs, so that whatever a clock can hear leaves a trace.
PROMISES = {kind.value: promise(kind, HOUR) for kind in ClockKind}
STAGE = desk(
    ("a", "b"),
    channels={"phone": Channel(connect_timeout_ms=HOUR, offer_timeout_ms=HOUR)},
    queues={"q": Queue(), "q2": Queue()},
    categories={"c": Category(queue="q", wrap_up_ms=HOUR)},
    promises=PROMISES,
    skills=("s",),
    offers=OfferRules(heartbeat_timeout_ms=HOUR),
    complaints=ComplaintRules(category="c"),
)


def check(play: Playbook, event: e.Event, outcome: Outcome, subject: str) -> None:
    """Let an event happen and compare with what the table says of it."""
    before = play.facts()
    play >> at(play.now_ms - START_MS + 1, event)
    answers = [d for d in play.decisions if isinstance(d, (RefuseEvent, NoteDuplicate))]
    if outcome is Verdict.MOVE:
        assert answers == []
        # A note is kept in the journal, and nowhere else.
        told = isinstance(event, e.NoteAdded)
        assert told or play.decisions or play.facts() != before, "nothing followed"
    else:
        reason = Reason.DUPLICATE if isinstance(outcome, Verdict) else outcome
        kind = NoteDuplicate if isinstance(outcome, Verdict) else RefuseEvent
        play << kind(reason, subject)
        assert play.facts() == before, "an event that is not followed changes nothing"


# --- contacts -------------------------------------------------------------------------------------

# Contact 1 is being called back.
CALLED = (arrive("1"), arrive("2"), e.CallbackRequested("1"), sign_in("a"), accept(1, "1"))
# How contact 1 comes into each state; contact 2 waits there for those who merge.
WAITING: tuple[e.Event, ...] = (arrive("2"), arrive("1", customer="x"))
OFFERED = (arrive("1", customer="x"), sign_in("a"), arrive("2"))
CONNECTING = (*OFFERED, accept(1, "1"))
HANDLING = (*CONNECTING, e.OfferConnected(1, "1", "a"))
WRAP_UP = (*HANDLING, end("1"))
CONTACT_STATES: Mapping[ContactState, tuple[e.Event, ...]] = {
    ContactState.WAITING: WAITING,
    ContactState.SCHEDULED: (*WAITING, e.CallbackRequested("1", 9_000_000)),
    ContactState.OFFERED: OFFERED,
    ContactState.CONNECTING: CONNECTING,
    ContactState.HANDLING: HANDLING,
    ContactState.WRAP_UP: WRAP_UP,
    ContactState.AWAITING_CUSTOMER: (*HANDLING, e.CustomerAwaited("1")),
    ContactState.ENDED: (*WRAP_UP, e.WrapUpEnded("1", "a")),
    ContactState.ABSENT: (arrive("2"),),
    ContactState.SELF_SERVICE: (arrive("2"), arrive("1", customer="x", bot="faq")),
}

# What happens to contact 1.
CONTACT_EVENTS: Mapping[type[e.Event], e.Event] = {
    e.ContactArrived: arrive("1", customer="x"),
    e.ContactHandedOver: e.ContactHandedOver("1"),
    e.ContactUpdated: e.ContactUpdated("1", priority=7),
    e.ContactTransferred: e.ContactTransferred("1", queue="q2"),
    e.ContactHeld: e.ContactHeld("1"),
    e.ContactResumed: e.ContactResumed("1"),
    e.ContactEnded: end("1"),
    e.ContactAbandoned: e.ContactAbandoned("1"),
    e.ContactResolved: e.ContactResolved("1"),
    e.ContactReopened: e.ContactReopened("1"),
    e.CustomerReplied: e.CustomerReplied("1"),
    e.AgentReplied: e.AgentReplied("1"),
    e.CustomerAwaited: e.CustomerAwaited("1"),
    e.CustomerWaitEnded: e.CustomerWaitEnded("1"),
    e.CallbackRequested: e.CallbackRequested("1", 9_100_000),
    e.CallbackFailed: e.CallbackFailed("1"),
    e.ContactRedialled: e.ContactRedialled("1"),
    e.ContactMerged: e.ContactMerged("1", "2"),
    e.ComplaintRaised: e.ComplaintRaised("1"),
    e.NoteAdded: e.NoteAdded("1", "a", "checked"),
    e.SurveyAnswered: e.SurveyAnswered("1", 5),
    e.WrapUpEnded: e.WrapUpEnded("1", "a"),
}

# Where the state needs to be reached in one way among several for the event to be followed.
CONTACT_WAYS: Mapping[tuple[ContactState, type[e.Event]], tuple[e.Event, ...]] = {
    (ContactState.HANDLING, e.ContactResumed): (*HANDLING, e.ContactHeld("1")),
    (ContactState.ENDED, e.ContactRedialled): (*WAITING, e.ContactAbandoned("1")),
    (ContactState.CONNECTING, e.CallbackFailed): CALLED,
    (ContactState.HANDLING, e.CallbackFailed): (*CALLED, e.OfferConnected(1, "1", "a")),
    (ContactState.WRAP_UP, e.CallbackFailed): (*CALLED, e.OfferConnected(1, "1", "a"), end("1")),
}


def state_of(play: Playbook, contact_id: str) -> ContactState:
    contact = play.router.floor.contacts.get(contact_id)
    return ContactState.ABSENT if contact is None else ContactState(contact.state)


@pytest.mark.parametrize("state", ContactState)
@pytest.mark.parametrize("kind", CONTACT_TABLE)
def test_contact_table(kind: type[e.Event], state: ContactState) -> None:
    play = Playbook(STAGE)
    for event in CONTACT_WAYS.get((state, kind), CONTACT_STATES[state]):
        play >> event
    assert state_of(play, "1") == state
    check(play, CONTACT_EVENTS[kind], CONTACT_TABLE[kind][state], "1")


REFINEMENTS: Mapping[str, tuple[tuple[e.Event, ...], e.Event, Outcome]] = {
    "a second hold": ((*HANDLING, e.ContactHeld("1")), e.ContactHeld("1"), Verdict.REPEAT),
    "off hold without a hold": (HANDLING, e.ContactResumed("1"), Verdict.REPEAT),
    "the same facts": (WAITING, e.ContactUpdated("1", category="c"), Verdict.REPEAT),
    "an abandoned one reopened": (
        (*WAITING, e.ContactAbandoned("1")), e.ContactReopened("1"), Reason.CONTACT_CLOSED
    ),
    "a message to an abandoned one": (
        (*WAITING, e.ContactAbandoned("1")), e.CustomerReplied("1"), Reason.CONTACT_CLOSED
    ),
    "a handled one redialled": (
        CONTACT_STATES[ContactState.ENDED], e.ContactRedialled("1"), Reason.WRONG_STATE
    ),
    "a second survey": (
        (*CONTACT_STATES[ContactState.ENDED], e.SurveyAnswered("1", 5)),
        e.SurveyAnswered("1", 1),
        Verdict.REPEAT,
    ),
    "another arrival": (WAITING, arrive("1", customer="y"), Reason.ID_CONFLICT),
    "merged into itself": (WAITING, e.ContactMerged("1", "1"), Reason.BAD_TARGET),
    "transferred nowhere": (WAITING, e.ContactTransferred("1"), Reason.BAD_TARGET),
    "transferred to two": (
        WAITING, e.ContactTransferred("1", queue="q2", category="c"), Reason.BAD_TARGET
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFINEMENTS)
def test_contact_refinements(name: str) -> None:
    """Check what the handlers find after the table has admitted an event."""
    events, event, outcome = REFINEMENTS[name]
    play = Playbook(STAGE)
    for before in events:
        play >> before
    check(play, event, outcome, "1")


def test_a_merge_into_an_unknown_contact_names_that_one() -> None:
    play = Playbook(STAGE) >> arrive("1")
    check(play, e.ContactMerged("1", "9"), Reason.UNKNOWN_CONTACT, "9")


def test_someone_elses_wrap_up() -> None:
    play = Playbook(STAGE)
    for event in WRAP_UP:
        play >> event
    check(play, e.WrapUpEnded("1", "b"), Reason.WRONG_AGENT, "b")


# --- agents ---------------------------------------------------------------------------------------

AGENT_STATES: Mapping[AgentState, tuple[e.Event, ...]] = {
    AgentState.SIGNED_OUT: (),
    AgentState.READY: (sign_in("a", 1),),
    AgentState.AWAY: (sign_in("a", 1), go("a", "break")),
    AgentState.LOST: (sign_in("a", 1), e.AgentLost("a")),
}

AGENT_EVENTS: Mapping[type[e.Event], e.Event] = {
    e.AgentSignedIn: sign_in("a", 2),
    e.AgentSignedOut: e.AgentSignedOut("a"),
    e.AgentPresenceChanged: go("a", "training"),
    e.AgentSkillsChanged: e.AgentSkillsChanged("a", {"s": 3}),
    e.AgentCapacityChanged: e.AgentCapacityChanged("a", 50),
    e.AgentHeartbeat: e.AgentHeartbeat("a"),
    e.AgentLost: e.AgentLost("a"),
}


@pytest.mark.parametrize("state", AgentState)
@pytest.mark.parametrize("kind", AGENT_TABLE)
def test_agent_table(kind: type[e.Event], state: AgentState) -> None:
    play = Playbook(STAGE)
    for event in AGENT_STATES[state]:
        play >> event
    assert play.router.floor.agents["a"].state == state
    check(play, AGENT_EVENTS[kind], AGENT_TABLE[kind][state], "a")


AGENT_REFINEMENTS: Mapping[str, tuple[tuple[e.Event, ...], e.Event, Outcome]] = {
    "the same session again": ((sign_in("a", 1),), sign_in("a", 1), Verdict.REPEAT),
    "an older session": ((sign_in("a", 5),), sign_in("a", 4), Reason.STALE),
    "an older session's presence": (
        (sign_in("a", 5),), e.AgentPresenceChanged("a", "break", 4), Reason.STALE
    ),
    "an older session's heartbeat": ((sign_in("a", 5),), e.AgentHeartbeat("a", 4), Reason.STALE),
    "an older session's sign-out": ((sign_in("a", 5),), e.AgentSignedOut("a", 4), Reason.STALE),
    "an older session's loss": ((sign_in("a", 5),), e.AgentLost("a", 4), Reason.STALE),
    "a session signed out of": (
        (sign_in("a", 5), e.AgentSignedOut("a", 5)), sign_in("a", 5), Reason.STALE
    ),
    "the same presence": ((sign_in("a"),), go("a", "available"), Verdict.REPEAT),
    "an unknown presence": ((sign_in("a"),), go("a", "asleep"), Reason.UNKNOWN_PRESENCE),
    "in with an unknown presence": ((), sign_in("a", 1, "asleep"), Reason.UNKNOWN_PRESENCE),
    "the same skills": ((), e.AgentSkillsChanged("a", {}), Verdict.REPEAT),
    "an unknown skill": ((), e.AgentSkillsChanged("a", {"z": 1}), Reason.UNKNOWN_SKILL),
    "the same capacity": ((), e.AgentCapacityChanged("a", 100), Verdict.REPEAT),
}  # fmt: skip


@pytest.mark.parametrize("name", AGENT_REFINEMENTS)
def test_agent_refinements(name: str) -> None:
    """Check what the handlers find after the table has admitted an event."""
    events, event, outcome = AGENT_REFINEMENTS[name]
    play = Playbook(STAGE)
    for before in events:
        play >> before
    check(play, event, outcome, "a")


@pytest.mark.parametrize("kind", AGENT_TABLE)
def test_an_agent_never_configured(kind: type[e.Event]) -> None:
    play = Playbook(STAGE)
    event = AGENT_EVENTS[kind]
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    check(play, kind(**{**fields, "agent_id": "nobody"}), Reason.UNKNOWN_AGENT, "nobody")


# --- offers ---------------------------------------------------------------------------------------

RINGING = (sign_in("a"), arrive("1"))
OFFER_STATES: Mapping[OfferState, tuple[e.Event, ...]] = {
    OfferState.OPEN: RINGING,
    OfferState.CONNECTING: (*RINGING, accept(1, "1")),
    OfferState.CONNECTED: (*RINGING, accept(1, "1"), e.OfferConnected(1, "1", "a")),
    OfferState.CLOSED: (*RINGING, decline(1, "1")),
    OfferState.ABSENT: (arrive("1"),),
}

OFFER_EVENTS: Mapping[type[e.Event], Callable[[int], e.Event]] = {
    e.OfferAccepted: lambda number: e.OfferAccepted(number, "1", "a"),
    e.OfferDeclined: lambda number: e.OfferDeclined(number, "1", "a"),
    e.OfferConnected: lambda number: e.OfferConnected(number, "1", "a"),
    e.OfferConnectFailed: lambda number: e.OfferConnectFailed(number, "1", "a"),
}


@pytest.mark.parametrize("state", OfferState)
@pytest.mark.parametrize("kind", OFFER_TABLE)
def test_offer_table(kind: type[e.Event], state: OfferState) -> None:
    play = Playbook(STAGE)
    for event in OFFER_STATES[state]:
        play >> event
    check(play, OFFER_EVENTS[kind](1), OFFER_TABLE[kind][state], "1")


@pytest.mark.parametrize("kind", OFFER_TABLE)
@pytest.mark.parametrize("number", [0, 2, 10**15])
def test_numbers_never_given_out(kind: type[e.Event], number: int) -> None:
    play = Playbook(STAGE) >> sign_in("a") >> arrive("1")
    check(play, OFFER_EVENTS[kind](number), Reason.UNKNOWN_OFFER, "1")


@pytest.mark.parametrize("kind", OFFER_TABLE)
def test_offers_of_a_contact_that_is_gone(kind: type[e.Event]) -> None:
    play = Playbook(STAGE) >> sign_in("a") >> arrive("1") >> end("1")
    check(play, OFFER_EVENTS[kind](1), Reason.CONTACT_GONE, "1")


@pytest.mark.parametrize("state", [OfferState.OPEN, OfferState.CONNECTING, OfferState.CONNECTED])
@pytest.mark.parametrize("kind", OFFER_TABLE)
def test_offers_of_somebody_else(kind: type[e.Event], state: OfferState) -> None:
    play = Playbook(STAGE)
    for event in OFFER_STATES[state]:
        play >> event
    event = OFFER_EVENTS[kind](1)
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    check(play, kind(**{**fields, "agent_id": "b"}), Reason.WRONG_AGENT, "b")
    check(play, kind(**{**fields, "agent_id": "nobody"}), Reason.UNKNOWN_AGENT, "nobody")


# --- the tables themselves ------------------------------------------------------------------------


def test_the_tables_are_total() -> None:
    """Each event has one table or concerns the centre; each row has a column per state."""
    for table, states in (
        (CONTACT_TABLE, ContactState), (AGENT_TABLE, AgentState), (OFFER_TABLE, OfferState)
    ):  # fmt: skip
        for row in table.values():
            assert len(row) == len(states)
    about_the_centre = {
        e.CenterChanged, e.OverloadSwitched, e.RecordRefused, e.EngineActivated, e.CustomerErased,
        e.TimeAdvanced,
    }  # fmt: skip
    tabled = [*CONTACT_TABLE, *AGENT_TABLE, *OFFER_TABLE]
    assert len(tabled) == len(set(tabled))
    assert set(tabled) | about_the_centre == set(e.EVENT_TYPES)
    assert not set(tabled) & about_the_centre


def test_the_tests_know_every_event_and_state() -> None:
    assert set(CONTACT_EVENTS) == set(CONTACT_TABLE)
    assert set(AGENT_EVENTS) == set(AGENT_TABLE)
    assert set(OFFER_EVENTS) == set(OFFER_TABLE)
    assert set(CONTACT_STATES) == set(ContactState)
    assert set(AGENT_STATES) == set(AgentState)
    assert set(OFFER_STATES) == set(OfferState)
