"""Say what became of each contact: where it waited, how long, how that ended, who served it.

A contact counts in the queue it entered and in the interval in which it arrived; it is decided
once, when it is answered or leaves. These are the rules of `router.measures`, kept per contact so
that two runs can be laid side by side.
"""

from __future__ import annotations

from dataclasses import dataclass

from router import decisions as d
from router import events as e
from router.center import Center, Queue
from router.journal import Entry


@dataclass(slots=True)
class Outcome:
    """One contact; `ending`: answered, abandoned, another exit, callback, or open."""

    contact_id: str
    arrived_ms: int
    category: str
    channel: str
    queue: str = ""
    ending: str = "open"
    wait_ms: int = 0
    agent_id: str = ""
    within_ms: int = 0
    short_ms: int = 0

    @property
    def answered(self) -> bool:
        """Say whether an agent answered."""
        return self.ending == "answered"

    @property
    def in_time(self) -> bool:
        """Say whether that was within the queue's time."""
        return self.answered and self.wait_ms <= self.within_ms

    @property
    def abandoned(self) -> bool:
        """Say whether the customer gave up."""
        return self.ending == "abandoned"

    @property
    def counted(self) -> bool:
        """Say whether it counts in the service level: decided here, not given up at once."""
        if self.abandoned:
            return self.wait_ms >= self.short_ms
        return self.answered or self.ending == "expired"


class Outcomes:
    """Fold entries; then ask for `contacts`, `met`, `breached`."""

    def __init__(self) -> None:
        self.contacts: dict[str, Outcome] = {}
        self.met: dict[str, int] = {}
        self.breached: dict[str, int] = {}
        self._center: Center | None = None

    def fold(self, entry: Entry) -> None:
        """Take one entry."""
        event, at_ms = entry.stamped.event, entry.stamped.at_ms
        refused = any(isinstance(x, d.RefuseEvent | d.NoteDuplicate) for x in entry.decisions)
        if not refused:
            if isinstance(event, e.ContactArrived):
                self.contacts[event.contact_id] = Outcome(
                    event.contact_id, at_ms, event.category, event.channel
                )
            elif isinstance(event, e.OfferConnected):
                self._answer(event.contact_id, event.agent_id, at_ms)
            elif isinstance(event, e.CenterChanged):
                self._center = event.center
        for decision in entry.decisions:
            self._obey(decision, at_ms)

    def _obey(self, decision: d.Decision, at_ms: int) -> None:
        match decision:
            case d.EnqueueContact():
                self._enter(decision.contact_id, decision.queue)
            case d.AssignContact():
                outcome = self.contacts.get(decision.contact_id)
                if outcome is not None and not self._connects(outcome):
                    self._answer(decision.contact_id, decision.agent_id, at_ms)
            case d.ScheduleCallback():
                self._decide(decision.contact_id, "callback", at_ms)
            case d.CloseContact():
                self._decide(decision.contact_id, decision.exit.value, at_ms)
            case d.OpenContact():
                self.contacts[decision.contact_id] = Outcome(
                    decision.contact_id, at_ms, decision.category, decision.channel
                )
            case d.MeetSla():
                self.met[decision.policy] = self.met.get(decision.policy, 0) + 1
            case d.BreachSla():
                self.breached[decision.policy] = self.breached.get(decision.policy, 0) + 1
            case _:
                pass

    def _enter(self, contact_id: str, queue: str) -> None:
        outcome = self.contacts.get(contact_id)
        if outcome is not None and not outcome.queue:
            outcome.queue = queue
            known = self._center.queues.get(queue) if self._center is not None else None
            spec = known or Queue()
            outcome.within_ms, outcome.short_ms = spec.service_level_ms, spec.short_abandon_ms

    def _connects(self, outcome: Outcome) -> bool:
        channel = self._center.channels.get(outcome.channel) if self._center is not None else None
        return channel is not None and channel.connect_timeout_ms > 0

    def _answer(self, contact_id: str, agent_id: str, at_ms: int) -> None:
        outcome = self.contacts.get(contact_id)
        if outcome is not None and outcome.ending == "open":
            outcome.agent_id = agent_id
            self._decide(contact_id, "answered", at_ms)

    def _decide(self, contact_id: str, ending: str, at_ms: int) -> None:
        outcome = self.contacts.get(contact_id)
        if outcome is not None and outcome.ending == "open":
            outcome.ending, outcome.wait_ms = ending, at_ms - outcome.arrived_ms

    def finish(self, end_ms: int) -> dict[str, Outcome]:
        """Return all contacts; who still waits has waited until now."""
        for outcome in self.contacts.values():
            if outcome.ending == "open":
                outcome.wait_ms = end_ms - outcome.arrived_ms
        return self.contacts
