"""Follow the running clocks and the latest decisions, for the board.

A fold over the journal, like the measures: what it knows follows from the entries alone. It is
bounded by the contacts that are open and by `RECENT_MAX`.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import Final

from msgspec import Struct

from router.decisions import (
    AssignContact,
    BreachSla,
    ChangeAgentState,
    CloseContact,
    Decision,
    DeflectContact,
    EndAssignment,
    EnqueueContact,
    EscalateContact,
    LinkContact,
    MeetSla,
    OfferCallback,
    OfferContact,
    OpenContact,
    OverflowContact,
    PauseSla,
    RebaseSla,
    RefuseEvent,
    RelaxContact,
    RequeueContact,
    ResumeSla,
    ScheduleCallback,
    StartSla,
    StopSla,
    WarnSla,
    WithdrawOffer,
)
from router.journal import Entry

RECENT_MAX: Final = 200

# What a supervisor wants to see pass by; the rest is in the journal.
TELLING: Final = (
    AssignContact,
    BreachSla,
    ChangeAgentState,
    CloseContact,
    DeflectContact,
    EscalateContact,
    LinkContact,
    OfferCallback,
    OfferContact,
    OpenContact,
    OverflowContact,
    RefuseEvent,
    RelaxContact,
    RequeueContact,
    ScheduleCallback,
    WarnSla,
    WithdrawOffer,
)


class RunningClock(Struct, gc=False):
    """One clock that runs (or ran over): when it started, when it is due."""

    contact_id: str
    promise: str
    started_ms: int
    deadline_ms: int
    breached: bool = False
    paused: bool = False


class Told(Struct, frozen=True, gc=False):
    """One decision as the board shows it."""

    seq: int
    index: int
    at_ms: int
    decision: str
    reason: str
    contact_id: str = ""
    agent_id: str = ""
    queue: str = ""
    promise: str = ""
    wait_ms: int = -1


class BoardFold:
    """Know the clocks of open contacts, where those are, and what was decided last."""

    def __init__(self) -> None:
        self.clocks: dict[str, dict[str, RunningClock]] = {}
        self.queues: dict[str, str] = {}
        self.agents: dict[str, str] = {}
        self.recent: deque[Told] = deque(maxlen=RECENT_MAX)

    def fold(self, entry: Entry) -> None:
        """Take one entry in."""
        at_ms, seq = entry.stamped.at_ms, entry.stamped.seq
        for index, decision in enumerate(entry.decisions):
            self._follow(decision, at_ms)
            if isinstance(decision, TELLING):
                self.recent.append(self._tell(decision, seq, index, at_ms))
            if isinstance(decision, CloseContact):
                self._forget(decision.contact_id)

    def due_next(self, clocks_max: int) -> list[RunningClock]:
        """Return the running clocks that are not breached, the earliest deadline first."""
        running = (
            clock
            for clocks in self.clocks.values()
            for clock in clocks.values()
            if not clock.breached and not clock.paused
        )
        return heapq.nsmallest(clocks_max, running, key=lambda c: (c.deadline_ms, c.contact_id))

    def overdue(self, clocks_max: int) -> tuple[int, list[RunningClock]]:
        """Return how many breached clocks still run, and those that are late the longest."""
        late = [
            clock for clocks in self.clocks.values() for clock in clocks.values() if clock.breached
        ]
        late.sort(key=lambda clock: (clock.deadline_ms, clock.contact_id))
        return len(late), late[:clocks_max]

    def _follow(self, decision: Decision, at_ms: int) -> None:
        match decision:
            case StartSla():
                self.clocks.setdefault(decision.contact_id, {})[decision.policy] = RunningClock(
                    decision.contact_id, decision.policy, at_ms, decision.deadline_ms
                )
            case ResumeSla() | PauseSla() | BreachSla() | RebaseSla():
                self._change(decision)
            case MeetSla() | StopSla():
                self._end(decision.contact_id, decision.policy)
            case EnqueueContact() | RequeueContact():
                self.queues[decision.contact_id] = decision.queue
            case OverflowContact():
                self.queues[decision.contact_id] = decision.to_queue
            case AssignContact():
                self.agents[decision.contact_id] = decision.agent_id
            case EndAssignment():
                self.agents.pop(decision.contact_id, None)
            case _:
                pass

    def _change(self, decision: ResumeSla | PauseSla | BreachSla | RebaseSla) -> None:
        clocks = self.clocks.get(decision.contact_id, {})
        before = decision.from_policy if isinstance(decision, RebaseSla) else ""
        clock = clocks.pop(before or decision.policy, None)
        if clock is None:
            return
        clock.promise = decision.policy
        clocks[decision.policy] = clock
        match decision:
            case PauseSla():
                clock.paused = True
            case BreachSla():
                clock.breached = True
            case _:
                clock.paused = clock.paused and isinstance(decision, RebaseSla)
                clock.deadline_ms = decision.deadline_ms

    def _end(self, contact_id: str, promise: str) -> None:
        clocks = self.clocks.get(contact_id)
        if clocks is not None:
            clocks.pop(promise, None)
            if not clocks:
                del self.clocks[contact_id]

    def _forget(self, contact_id: str) -> None:
        """Forget where a closed contact was; a clock of it that still runs stays."""
        self.queues.pop(contact_id, None)
        self.agents.pop(contact_id, None)

    def _tell(self, decision: Decision, seq: int, index: int, at_ms: int) -> Told:
        contact_id = getattr(decision, "contact_id", "") or getattr(decision, "subject", "")
        agent_id = getattr(decision, "agent_id", "") or getattr(decision, "to", "")
        return Told(
            seq,
            index,
            at_ms,
            type(decision).__name__,
            decision.reason.value,
            contact_id,
            agent_id,
            getattr(decision, "to_queue", "") or self.queues.get(contact_id, ""),
            getattr(decision, "policy", ""),
            getattr(decision, "wait_ms", -1),
        )
