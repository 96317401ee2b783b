"""Play a recording through the unchanged core again, with other rules or other people.

What came from outside comes at its instant. What answered a stage or an offer comes as long after
this stage or offer of the replay, if it still lasts then. Events of one instant come in their
recorded order, what was not recorded after them. So a replay without a change hears the same
events in the same order, and its digest is that of the recording; with a change, everything that
the change does not touch stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from heapq import heappop, heappush
from typing import Final, Protocol, TypeAlias

from msgspec import structs

from router import events as e
from router.center import Center
from router.decisions import ChangeAgentState, Reason
from router.events import Event
from router.journal import Digest, Entry
from router.router import Router
from router.sequencer import Sequencer
from simulation.whatif.recording import OfferScript, Recording, Said, Script
from simulation.whatif.stages import Held, Kind, Stage, Tracker

Hear: TypeAlias = Callable[[Entry], None]

_AFTER_ALL: Final = 2**60
_TAKEN_OUT_MS: Final = 60_000


class Answers(Protocol):
    """Say what nobody saw: how a stage or an offer goes on where the recording is silent."""

    def ends(self, stage: Stage, seen: Script | None) -> tuple[int, Event] | None:
        """Return after how long a stage (of which so much was seen) ends, and by what."""

    def answers(self, offer: Held, seen: OfferScript | None) -> tuple[int, Event] | None:
        """Return after how long an offer is answered, and how."""

    def connects_ms(self, stage: Stage) -> int | None:
        """Return after how long a contact is connected; None where it needs no connecting."""

    def redials(self, stage: Stage) -> tuple[int, Event] | None:
        """Return when, and as what, a customer comes again who gave up only in this replay."""

    def factor(self, stage: Stage, seen: Script) -> float:
        """Return by what the work seen is multiplied, since another agent does it."""

    @property
    def keeps_acceptances(self) -> bool:
        """Say whether recorded answers to offers hold, where they are made to the same agent."""


class Replay:
    """One replay; `hear` is told every entry. `more` are events from outside besides."""

    def __init__(
        self,
        recording: Recording,
        answers: Answers,
        *,
        center: Callable[[Center], Center] | None = None,
        more: tuple[tuple[int, Event], ...] = (),
        drop: Callable[[Said], bool] | None = None,
        hear: Hear | None = None,
        keeps_digest: bool = False,
    ) -> None:
        self.recording = recording
        self.answers = answers
        self.digest = Digest()
        self._keeps_digest = keeps_digest
        self._center = center
        self._hear = hear
        self._tracker = Tracker()
        self._drop = drop
        self._sequencer = Sequencer(Router())
        self._heap: list[tuple[int, int, int, Event | Said, Stage | None, int]] = []
        self._number = 0
        self._said: set[int] = set()
        self._open: set[int] = set()
        for said in recording.outside:
            if drop is None or not drop(said):
                self._put(said.at_ms, said, said.seq)
        for at_ms, event in more:
            self._put(at_ms, event)

    def _put(
        self,
        at_ms: int,
        what: Event | Said,
        order: int = _AFTER_ALL,
        stage: Stage | None = None,
    ) -> None:
        self._number += 1
        token = 0 if stage is None else stage.token
        heappush(self._heap, (at_ms, order, self._number, what, stage, token))

    def run(self) -> None:
        """Play to the instant at which the recording ends."""
        heap, recording, sequencer = self._heap, self.recording, self._sequencer
        router = sequencer.router
        while True:
            due_ms = router.next_deadline()
            if heap and heap[0][0] <= recording.end_ms:
                at_ms, _, _, what, stage, token = heap[0]
                late = isinstance(what, Said) and what.late and what.at_ms == at_ms
                if due_ms is not None and due_ms < at_ms + late:
                    self._follow(sequencer.advance(due_ms + 1))
                    continue
                heappop(heap)
                if stage is None or stage.token == token:
                    self._say(what, at_ms)
            elif due_ms is not None and due_ms < recording.end_ms + recording.ends_late:
                self._follow(sequencer.advance(due_ms + 1))
            else:
                return

    def _say(self, what: Event | Said, at_ms: int) -> None:
        if isinstance(what, Said):
            event = what.event
            self._said.add(what.seq)
            if isinstance(event, e.CenterChanged) and self._center is not None:
                event = structs.replace(event, center=self._center(event.center))
            entries = self._sequencer.accept(
                event, at_ms, event_id=what.event_id, occurred_ms=what.occurred_ms
            )
        else:
            answer = isinstance(what, e.OfferAccepted | e.OfferDeclined)
            if answer and what.offer_id not in self._open:  # type: ignore[union-attr]
                return
            entries = self._sequencer.accept(what, at_ms)
        self._follow(entries)

    def _follow(self, entries: list[Entry]) -> None:
        for entry in entries:
            if self._keeps_digest:
                self.digest.update(entry.stamped, entry.decisions)
            if self._hear is not None:
                self._hear(entry)
            now_ms = entry.stamped.at_ms
            turn = self._tracker.follow(entry)
            for stage in turn.begun:
                self._begin(stage, now_ms)
            for stage in (*turn.held, *turn.resumed):
                if not stage.over:
                    self._play(stage, now_ms)
            for gone, _ in turn.withdrawn:
                self._open.discard(gone.offer_id)
            for offer in turn.offered:
                self._offer(offer, now_ms)
            for decision in entry.decisions:
                if isinstance(decision, ChangeAgentState):
                    self._take_out(decision, now_ms)

    # --- stages -----------------------------------------------------------------------------

    def _begin(self, stage: Stage, now_ms: int) -> None:
        self._play(stage, now_ms)
        if stage.place not in self.recording.scripts:
            if stage.kind is Kind.SERVICE:
                after_ms = self.answers.connects_ms(stage)
                if after_ms is not None:
                    connected = e.OfferConnected(
                        stage.offer_id, stage.contact.contact_id, stage.agent_id
                    )
                    self._put(now_ms + after_ms, connected, stage=stage)
            elif stage.kind is Kind.CLOSED:
                again = self.answers.redials(stage)
                if again is not None:
                    self._put(now_ms + again[0], again[1])

    def _play(self, stage: Stage, now_ms: int) -> None:
        """Put down what is still to come in a stage whose clock runs (again)."""
        seen = self.recording.scripts.get(stage.place)
        through = seen is not None and seen.through
        if stage.held and not through:
            return
        gone_ms = now_ms - stage.began_ms if through else stage.elapsed_ms(now_ms)
        factor = 1.0
        if seen is not None and stage.kind is Kind.SERVICE and seen.agent_id != stage.agent_id:
            factor = self.answers.factor(stage, seen)
        for said in seen.said if seen is not None else ():
            after_ms = said.wall_ms if through else said.after_ms
            after_ms = after_ms if factor == 1.0 else round(after_ms * factor)
            if said.seq in self._said:
                continue
            arrival = isinstance(said.event, e.ContactArrived)
            if arrival and self._drop is not None and self._drop(said):
                continue
            fitted = self._fitted(said, stage, seen)
            # Who calls anew is not bound to what becomes of the contact that he gave up.
            bound = None if arrival else stage
            self._put(now_ms + max(0, after_ms - gone_ms), fitted, said.seq, bound)
        if seen is None or not seen.own_end:
            end = self.answers.ends(stage, seen)
            if end is not None:
                self._put(max(now_ms, now_ms + end[0] - gone_ms), end[1], stage=stage)

    def _fitted(self, said: Said, stage: Stage, seen: Script | None) -> Said:
        """Return what was said with the ids of this replay in it."""
        event = said.event
        if seen is None or not hasattr(event, "agent_id") or event.agent_id != seen.agent_id:
            return said
        if isinstance(event, e.OfferConnected | e.OfferConnectFailed):
            event = structs.replace(event, offer_id=stage.offer_id, agent_id=stage.agent_id)
        elif isinstance(event, e.WrapUpEnded | e.CallbackFailed):
            event = structs.replace(event, agent_id=stage.agent_id)
        if event == said.event:
            return said
        return replace(said, event=event)

    # --- offers -----------------------------------------------------------------------------

    def _offer(self, offer: Held, now_ms: int) -> None:
        stage = offer.trail.stage
        taken = stage is not None and stage.offer_id == offer.offer_id
        if not taken:
            self._open.add(offer.offer_id)
        seen = self.recording.offers.get((offer.trail.contact_id, offer.number))
        same = seen is not None and seen.agent_id == offer.agent_id
        if not self.answers.keeps_acceptances or not same:
            seen = None
        for said in seen.said if seen is not None else ():
            event = said.event
            assert isinstance(event, e.OfferAccepted | e.OfferDeclined), "an answer to an offer"
            if event.offer_id != offer.offer_id:
                event = structs.replace(event, offer_id=offer.offer_id)
                said = replace(said, event=event)  # noqa: PLW2901 - the same word, another offer
            self._put(now_ms + said.after_ms, said, said.seq)
        if not taken and (seen is None or not (seen.said or seen.expired)):
            answer = self.answers.answers(offer, seen)
            if answer is not None:
                self._put(now_ms + answer[0], answer[1])

    def _take_out(self, decision: ChangeAgentState, now_ms: int) -> None:
        """Let an agent come back whom the router took out at another time than recorded."""
        if decision.reason is not Reason.UNANSWERED_OFFERS:
            return
        if (decision.agent_id, now_ms) in self.recording.taken_out:
            return
        center = self._sequencer.router.floor.center
        assert center is not None, "who takes an agent out has a configuration"
        at_desk = next((name for name, works in center.presences.items() if works), "")
        if at_desk:
            agent = self._sequencer.router.floor.agents[decision.agent_id]
            back = e.AgentPresenceChanged(decision.agent_id, at_desk, agent.session)
            self._put(now_ms + _TAKEN_OUT_MS, back)
