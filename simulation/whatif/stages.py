"""Follow the decisions on every contact: in which stage it is, since when, for how long.

A contact goes through stages: it waits, is served, its agent wraps up, it is closed. What people
do about a contact answers a stage of it, or an offer. So a recording and a replay, followed by the
same rules, can be laid side by side: the second time this contact was served, its third offer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from router import decisions as d
from router.events import ContactArrived
from router.journal import Entry


class Kind(StrEnum):
    """Name the stages; `LOOSE` is everything between, as waiting on the customer."""

    START = "start"
    WAIT = "wait"
    CALLBACK = "callback"
    SERVICE = "service"
    WRAP_UP = "wrap_up"
    LOOSE = "loose"
    CLOSED = "closed"


@dataclass(slots=True)
class Stage:
    """A stage of a contact: the `number`-th of its kind, from 0.

    A closed stage is numbered apart by `exit`. Its clock stands still while work is set aside.
    """

    contact: Trail
    kind: Kind
    exit: str
    number: int
    began_ms: int
    since_ms: int
    agent_id: str = ""
    offer_id: int = -1
    token: int = 0
    held: bool = False
    over: bool = False
    before_ms: int = 0

    @property
    def place(self) -> tuple[str, str, str, int]:
        """Return where the stage stands: the same in a recording and in a replay."""
        return self.contact.contact_id, self.kind.value, self.exit, self.number

    def elapsed_ms(self, now_ms: int) -> int:
        """Return how long the stage has lasted, without the time in which it stood still."""
        return self.before_ms if self.held else self.before_ms + now_ms - self.since_ms


@dataclass(slots=True)
class Trail:
    """What has become of one contact so far."""

    contact_id: str
    category: str
    channel: str
    customer: str
    stage: Stage | None = None
    offers: int = 0
    off_line: bool = False
    counts: dict[tuple[Kind, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """An offer: the `number`-th of its contact, made to an agent at an instant."""

    trail: Trail
    number: int
    offer_id: int
    agent_id: str
    at_ms: int


@dataclass(slots=True)
class Turn:
    """What one entry brought about: stages that ended, those that began and last, offers, holds."""

    ended: list[Stage] = field(default_factory=list)
    begun: list[Stage] = field(default_factory=list)
    offered: list[Held] = field(default_factory=list)
    withdrawn: list[tuple[Held, d.Reason]] = field(default_factory=list)
    held: list[Stage] = field(default_factory=list)
    resumed: list[Stage] = field(default_factory=list)


class Tracker:
    """Fold entries in their order; `follow` says what each brought about."""

    def __init__(self) -> None:
        self.trails: dict[str, Trail] = {}
        self.offers: dict[int, Held] = {}
        self._now_ms = 0
        self._turn = Turn()
        self._steps: dict[type, Callable[[Any], None]] = {
            d.EnqueueContact: self._enqueued,
            d.RequeueContact: self._enqueued,
            d.ScheduleCallback: self._scheduled,
            d.OfferContact: self._offered,
            d.WithdrawOffer: self._withdrawn,
            d.AssignContact: self._assigned,
            d.StartWrapUp: self._wrapping_up,
            d.EndAssignment: self._released,
            d.HoldWork: self._held,
            d.ResumeWork: self._resumed,
            d.CloseContact: self._closed,
            d.OpenContact: self._opened,
        }

    def follow(self, entry: Entry) -> Turn:
        """Take one entry and return what it brought about."""
        self._now_ms = entry.stamped.at_ms
        self._turn = turn = Turn()
        event = entry.stamped.event
        if isinstance(event, ContactArrived) and event.contact_id not in self.trails:
            refused = any(isinstance(x, d.RefuseEvent | d.NoteDuplicate) for x in entry.decisions)
            if not refused:
                trail = Trail(event.contact_id, event.category, event.channel, event.customer)
                self.trails[trail.contact_id] = trail
                self._begin(trail, Kind.START)
        for decision in entry.decisions:
            step = self._steps.get(type(decision))
            if step is not None:
                step(decision)
        # Stages that came and went within the instant concern nobody.
        turn.begun = [stage for stage in turn.begun if not stage.over]
        return turn

    def _begin(self, trail: Trail, kind: Kind, exit_: str = "") -> Stage:
        self._end(trail)
        number = trail.counts.get((kind, exit_), 0)
        trail.counts[kind, exit_] = number + 1
        trail.stage = stage = Stage(trail, kind, exit_, number, self._now_ms, self._now_ms)
        self._turn.begun.append(stage)
        return stage

    def _end(self, trail: Trail) -> None:
        stage = trail.stage
        if stage is not None and not stage.over:
            stage.before_ms = stage.elapsed_ms(self._now_ms)
            stage.since_ms = self._now_ms
            stage.over = True
            stage.token += 1
            self._turn.ended.append(stage)

    def _enqueued(self, decision: d.EnqueueContact | d.RequeueContact) -> None:
        trail = self.trails.get(decision.contact_id)
        if trail is not None and (trail.stage is None or trail.stage.kind is not Kind.WAIT):
            self._begin(trail, Kind.WAIT)

    def _scheduled(self, decision: d.ScheduleCallback) -> None:
        trail = self.trails.get(decision.contact_id)
        if trail is not None:
            trail.off_line = True
            if trail.stage is None or trail.stage.kind is not Kind.CALLBACK:
                self._begin(trail, Kind.CALLBACK)

    def _offered(self, decision: d.OfferContact) -> None:
        trail = self.trails.get(decision.contact_id)
        if trail is None:
            return
        offer = Held(trail, trail.offers, decision.offer_id, decision.agent_id, self._now_ms)
        trail.offers += 1
        self.offers[decision.offer_id] = offer
        self._turn.offered.append(offer)

    def _withdrawn(self, decision: d.WithdrawOffer) -> None:
        offer = self.offers.get(decision.offer_id)
        if offer is not None:
            self._turn.withdrawn.append((offer, decision.reason))

    def _assigned(self, decision: d.AssignContact) -> None:
        trail = self.trails.get(decision.contact_id)
        if trail is not None:
            stage = self._begin(trail, Kind.SERVICE)
            stage.agent_id, stage.offer_id = decision.agent_id, decision.offer_id

    def _wrapping_up(self, decision: d.StartWrapUp) -> None:
        trail = self.trails.get(decision.contact_id)
        if trail is not None:
            stage = self._begin(trail, Kind.WRAP_UP)
            stage.agent_id = decision.agent_id

    def _released(self, decision: d.EndAssignment) -> None:
        trail = self.trails.get(decision.contact_id)
        if trail is not None:
            self._begin(trail, Kind.LOOSE)

    def _held(self, decision: d.HoldWork) -> None:
        stage = self._stage_of(decision.contact_id)
        if stage is not None and not stage.held:
            stage.before_ms = stage.elapsed_ms(self._now_ms)
            stage.held = True
            stage.token += 1
            self._turn.held.append(stage)

    def _resumed(self, decision: d.ResumeWork) -> None:
        stage = self._stage_of(decision.contact_id)
        if stage is not None and stage.held:
            stage.since_ms = self._now_ms
            stage.held = False
            stage.token += 1
            self._turn.resumed.append(stage)

    def _stage_of(self, contact_id: str) -> Stage | None:
        trail = self.trails.get(contact_id)
        return None if trail is None else trail.stage

    def _closed(self, decision: d.CloseContact) -> None:
        trail = self.trails.get(decision.contact_id)
        if trail is not None:
            self._begin(trail, Kind.CLOSED, decision.exit.value)

    def _opened(self, decision: d.OpenContact) -> None:
        trail = Trail(decision.contact_id, decision.category, decision.channel, decision.customer)
        self.trails[trail.contact_id] = trail
        self._begin(trail, Kind.START)
