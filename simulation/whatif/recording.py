"""Take a journal apart: what came from outside, and what answered a stage or an offer.

Events from outside (arrivals, agents coming and going, new configurations) keep their instant.
What people did about a contact is kept as an answer: so long after this stage of it began, so long
after this offer. An arrival of a customer who had given up shortly before answers that end: it is
a redial, and comes only if he gives up again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from router import events as e
from router.center import Center
from router.decisions import ChangeAgentState, CloseContact, Exit, Reason
from router.events import Event
from router.journal import Digest, Entry
from simulation.whatif.stages import Held, Kind, Stage, Tracker

Place: TypeAlias = tuple[str, str, str, int]

REDIAL_WINDOW_MS: Final = 3_600_000

# What is said of a contact at its own time, whatever stage it is in.
_ANY_TIME: Final = (
    e.ContactArrived, e.ContactUpdated, e.ContactMerged, e.NoteAdded, e.ComplaintRaised,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """An event as recorded, with its place in the order; `after_ms` since what it answers.

    `wall_ms` is the same with the time in which a stage stood still.
    `late`: the deadlines of its instant had fired before it.
    """

    seq: int
    at_ms: int
    event: Event
    event_id: str
    occurred_ms: int
    late: bool
    after_ms: int = 0
    wall_ms: int = 0


@dataclass(slots=True)
class Script:
    """What was seen of a stage: what was said in it, and how long it lasted.

    `own_end`: something said in it ended it; else it would have lasted longer. `through`: it went
    on while it was set aside, as wrap-up may, so its answers follow the wall's time.
    """

    agent_id: str
    said: list[Said] = field(default_factory=list)
    length_ms: int = 0
    own_end: bool = False
    through: bool = False


@dataclass(slots=True)
class OfferScript:
    """What was seen of an offer: what was said to it, and how long it was open without a word."""

    agent_id: str
    said: list[Said] = field(default_factory=list)
    withdrawn_ms: int = -1
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """A stage with the facts that laws are fitted by."""

    category: str
    channel: str
    kind: Kind
    script: Script
    off_line: bool


class Recording:
    """A journal, taken apart; or `listed`: made of a list of calls, without any decision in it."""

    def __init__(self, redial_window_ms: int = REDIAL_WINDOW_MS) -> None:
        self.redial_window_ms = redial_window_ms
        self.outside: list[Said] = []
        self.scripts: dict[Place, Script] = {}
        self.offers: dict[tuple[str, int], OfferScript] = {}
        self.known: list[Known] = []
        self.offered: list[tuple[str, OfferScript]] = []
        self.taken_out: set[tuple[str, int]] = set()
        self.redials = 0
        self.listed = False
        self.digest = Digest()
        self.entries = 0
        self.first_ms = 0
        self.end_ms = 0
        self.ends_late = False
        self.center: Center | None = None
        self._tracker = Tracker()
        self._fired_ms = -1
        self._gone: dict[str, tuple[Place, int]] = {}

    def fold(self, entry: Entry) -> None:
        """Take one entry."""
        stamped = entry.stamped
        self.digest.update(stamped, entry.decisions)
        self.entries += 1
        self.first_ms = self.first_ms or stamped.at_ms
        self.end_ms = stamped.at_ms
        self.ends_late = isinstance(stamped.event, e.TimeAdvanced)
        if self.ends_late:
            self._fired_ms = stamped.at_ms
            speaker = None
        else:
            speaker = self._keep(stamped)
        turn = self._tracker.follow(entry)
        for stage in turn.ended:
            script = self._script(stage)
            script.length_ms = stage.before_ms
            script.own_end = stage is speaker
        for stage in turn.begun:
            self._script(stage)
        for offer in turn.offered:
            script_ = OfferScript(offer.agent_id)
            self.offers[offer.trail.contact_id, offer.number] = script_
            self.offered.append((offer.trail.channel, script_))
        for offer, reason in turn.withdrawn:
            seen = self.offers[offer.trail.contact_id, offer.number]
            seen.withdrawn_ms = stamped.at_ms - offer.at_ms
            seen.expired = reason is Reason.EXPIRED
        self._note(entry)

    def finish(self) -> None:
        """End the recording: stages that are not over lasted at least until now."""
        for trail in self._tracker.trails.values():
            stage = trail.stage
            if stage is not None and not stage.over:
                self._script(stage).length_ms = stage.elapsed_ms(self.end_ms)
        for offer in self._tracker.offers.values():
            seen = self.offers[offer.trail.contact_id, offer.number]
            if seen.withdrawn_ms < 0 and not seen.said:
                seen.withdrawn_ms = self.end_ms - offer.at_ms
        self._tracker = Tracker()

    def _note(self, entry: Entry) -> None:
        stamped = entry.stamped
        if isinstance(stamped.event, e.CenterChanged):
            self.center = stamped.event.center
        for decision in entry.decisions:
            if isinstance(decision, CloseContact) and decision.exit is Exit.ABANDONED:
                trail = self._tracker.trails.get(decision.contact_id)
                if trail is not None and trail.customer and trail.stage is not None:
                    self._gone[trail.customer] = (trail.stage.place, stamped.at_ms)
            elif isinstance(decision, ChangeAgentState):
                self.taken_out.add((decision.agent_id, stamped.at_ms))

    def _script(self, stage: Stage) -> Script:
        script = self.scripts.get(stage.place)
        if script is None:
            script = self.scripts[stage.place] = Script(stage.agent_id)
            trail = stage.contact
            self.known.append(
                Known(trail.category, trail.channel, stage.kind, script, trail.off_line)
            )
        return script

    def _keep(self, stamped: e.Stamped) -> Stage | None:
        """Keep an event where it belongs; return the stage that it answers."""
        event, at_ms = stamped.event, stamped.at_ms
        late = self._fired_ms == at_ms

        def said(after_ms: int = 0, wall_ms: int = 0) -> Said:
            ids = stamped.event_id, stamped.occurred_ms
            return Said(stamped.seq, at_ms, event, *ids, late, after_ms, wall_ms)

        if isinstance(event, e.ContactArrived):
            gone = self._gone.pop(event.customer, None) if event.customer else None
            if gone is not None and at_ms - gone[1] <= self.redial_window_ms:
                self.redials += 1
                self.scripts[gone[0]].said.append(said(at_ms - gone[1]))
                return None
        offer = self._offer_of(event)
        if offer is not None:
            seen = self.offers[offer.trail.contact_id, offer.number]
            seen.said.append(said(at_ms - offer.at_ms))
            return None
        stage = self._stage_of(event)
        if stage is None:
            self.outside.append(said())
            return None
        script = self._script(stage)
        script.said.append(said(stage.elapsed_ms(at_ms), at_ms - stage.began_ms))
        script.through = script.through or stage.held
        return stage

    def _offer_of(self, event: Event) -> Held | None:
        """Return the offer to which an event says yes or no, if there was such an offer."""
        if not isinstance(event, e.OfferAccepted | e.OfferDeclined):
            return None
        offer = self._tracker.offers.get(event.offer_id)
        meant = offer is not None and (
            (offer.trail.contact_id, offer.agent_id) == (event.contact_id, event.agent_id)
        )
        return offer if meant else None

    def _stage_of(self, event: Event) -> Stage | None:
        contact_id = getattr(event, "contact_id", "")
        if not contact_id or isinstance(event, _ANY_TIME):
            return None
        trail = self._tracker.trails.get(contact_id)
        if trail is None or trail.stage is None:
            return None
        stage = trail.stage
        if isinstance(event, e.OfferAccepted | e.OfferDeclined):
            return None
        if isinstance(event, e.OfferConnected | e.OfferConnectFailed) and (
            stage.kind is not Kind.SERVICE
            or (event.offer_id, event.agent_id) != (stage.offer_id, stage.agent_id)
        ):
            return None
        return stage


def record(entries: Iterable[Entry], redial_window_ms: int = REDIAL_WINDOW_MS) -> Recording:
    """Take a whole journal apart."""
    recording = Recording(redial_window_ms)
    for entry in entries:
        recording.fold(entry)
    recording.finish()
    return recording
