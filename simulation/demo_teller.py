"""Tell decisions in plain words, each with its reason.

What a line says is taken from the decision, the published configuration and the decisions
before it: how long the agent was idle, what the contact needs, when its promise falls due.
Nothing is asked of the worker's inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from router import decisions as d
from router import events as e
from router.center import Center

_GRAVE_PERCENT: Final = 75


class Rank(IntEnum):
    """Say how much a line matters when there is not room for all."""

    USUAL = 0
    NOTABLE = 1
    WARNING = 2
    ALARM = 3
    PAGE = 4


@dataclass(frozen=True)
class Line:
    """One told decision: when, how much it matters, what it says."""

    at_ms: int
    rank: Rank
    text: str


class _Facts:
    """What was heard of one open contact."""

    __slots__ = ("arrived_ms", "category", "deadlines", "language", "queue", "step")

    def __init__(self, category: str, language: str, at_ms: int) -> None:
        self.category = category
        self.language = language
        self.queue = ""
        self.step = 0
        self.arrived_ms = at_ms
        self.deadlines: dict[str, int] = {}


class Teller:
    """Turn events sent and decisions heard into lines."""

    def __init__(self, center: Center) -> None:
        self._center = center
        self._contacts: dict[str, _Facts] = {}
        self._free_since_ms: dict[str, int] = {}

    def sent(self, event: e.Event, at_ms: int) -> None:
        """Note an event on its way to the worker."""
        match event:
            case e.ContactArrived():
                self._contacts[event.contact_id] = _Facts(event.category, event.language, at_ms)
            case e.AgentSignedIn() | e.AgentPresenceChanged():
                self._free_since_ms[event.agent_id] = at_ms
            case _:
                pass

    def tell(self, decision: d.Decision, at_ms: int) -> Line | None:
        """Return what a decision says, None when it is too small to tell."""
        match decision:
            case d.EnqueueContact() | d.RequeueContact():
                facts = self._contacts.get(decision.contact_id)
                if facts is not None:
                    facts.queue = decision.queue
            case d.StartSla() | d.ResumeSla() | d.RebaseSla():
                facts = self._contacts.get(decision.contact_id)
                if facts is not None:
                    facts.deadlines[decision.policy] = decision.deadline_ms
            case d.MeetSla() | d.StopSla() | d.PauseSla():
                facts = self._contacts.get(decision.contact_id)
                if facts is not None:
                    facts.deadlines.pop(decision.policy, None)
            case d.EndAssignment():
                self._free_since_ms[decision.agent_id] = at_ms
            case d.OfferContact():
                return Line(at_ms, Rank.USUAL, self._offer(decision, at_ms))
            case d.CloseContact():
                return self._close(decision, at_ms)
            case _:
                return self._notable(decision, at_ms)
        return None

    def _offer(self, offer: d.OfferContact, at_ms: int) -> str:
        facts = self._contacts.get(offer.contact_id)
        why = words(offer.reason)
        if offer.reason is d.Reason.LONGEST_IDLE:
            idle_ms = at_ms - self._free_since_ms.get(offer.agent_id, at_ms)
            why = f"idle longest {seconds(idle_ms)}"
        told = [why]
        if facts is not None:
            told.append(self._tightest_need(facts, offer.agent_id))
            if facts.deadlines:
                left_ms = min(facts.deadlines.values()) - at_ms
                late = f"late {seconds(-left_ms)}"
                told.append(late if left_ms < 0 else f"due in {seconds(left_ms)}")
            if at_ms - facts.arrived_ms >= 1_000:
                told.append(f"waited {seconds(at_ms - facts.arrived_ms)}")
        text = "; ".join(part for part in told if part)
        return f"{offer.contact_id} -> {offer.agent_id}: {text}"

    def _tightest_need(self, facts: _Facts, agent_id: str) -> str:
        """Say how the agent meets the category's need that he meets with the least to spare."""
        category = self._center.categories.get(facts.category)
        agent = self._center.agents.get(agent_id)
        if category is None or agent is None:
            return ""
        needs = dict(category.needs)
        if category.language_level and facts.language:
            needs[f"lang:{facts.language}"] = category.language_level
        if not needs:
            return ""
        skill = min(needs, key=lambda name: agent.skills.get(name, 0) - needs[name])
        has, level = agent.skills.get(skill, 0), needs[skill]
        step = f" (step {facts.step})" if facts.step else ""
        return f"{skill} {has} {'>=' if has >= level else '<'} {level}{step}"

    def _close(self, close: d.CloseContact, at_ms: int) -> Line | None:
        facts = self._contacts.pop(close.contact_id, None)
        if close.exit in (d.Exit.HANDLED, d.Exit.MERGED) or facts is None:
            return None
        waited = seconds(at_ms - facts.arrived_ms)
        text = f"close  {close.contact_id} {close.exit.value} after {waited}: {words(close.reason)}"
        return Line(at_ms, Rank.NOTABLE, text)

    def _notable(self, decision: d.Decision, at_ms: int) -> Line | None:
        reason = words(decision.reason)
        match decision:
            case d.WarnSla():
                text = (
                    f"warn   {decision.contact_id} {self._queue(decision.contact_id)}: "
                    f"{decision.percent} % of {decision.policy} gone"
                )
                rank = Rank.WARNING if decision.percent >= _GRAVE_PERCENT else Rank.NOTABLE
                return Line(at_ms, rank, text)
            case d.BreachSla():
                text = (
                    f"breach {decision.contact_id} {self._queue(decision.contact_id)}: "
                    f"{decision.policy}, {reason}"
                )
                return Line(at_ms, Rank.ALARM, text)
            case d.RelaxContact():
                facts = self._contacts.get(decision.contact_id)
                if facts is not None:
                    facts.step = decision.step
                text = f"relax  {decision.contact_id} to routing step {decision.step}: {reason}"
                return Line(at_ms, Rank.NOTABLE, text)
            case d.OverflowContact():
                text = (
                    f"move   {decision.contact_id} {decision.from_queue} -> "
                    f"{decision.to_queue}: {reason}"
                )
                return Line(at_ms, Rank.NOTABLE, text)
            case d.WithdrawOffer():
                text = f"take   {decision.contact_id} back from {decision.agent_id}: {reason}"
                return Line(at_ms, Rank.NOTABLE, text)
            case d.ChangeAgentState():
                text = f"agent  {decision.agent_id} set to {decision.presence}: {reason}"
                return Line(at_ms, Rank.NOTABLE, text)
            case d.EscalateContact():
                text = f"call   {decision.to} for {decision.contact_id}: {reason}"
                return Line(at_ms, Rank.WARNING, text)
            case d.HoldWork() | d.ResumeWork():
                verb = "set aside" if isinstance(decision, d.HoldWork) else "taken up"
                text = f"work   {decision.contact_id} {verb} by {decision.agent_id}: {reason}"
                return Line(at_ms, Rank.USUAL, text)
            case d.OfferCallback() | d.ScheduleCallback() | d.DeflectContact():
                verb = type(decision).__name__.removesuffix("Contact").removesuffix("Callback")
                text = f"{verb.lower():<6} {decision.contact_id}: {reason}"
                return Line(at_ms, Rank.NOTABLE, text)
            case _:
                return None

    def queue_of(self, contact_id: str) -> str:
        """Return the queue in which an open contact was last put, "" if none is known."""
        facts = self._contacts.get(contact_id)
        return facts.queue if facts is not None else ""

    def _queue(self, contact_id: str) -> str:
        queue = self.queue_of(contact_id)
        return f"in {queue}" if queue else ""


def choose(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Choose what there is time to read: the gravest, newest among equals, and one usual one."""
    if not lines:
        return ()
    numbers = range(len(lines))
    gravest = max(numbers, key=lambda number: (lines[number].rank, number))
    usual = [number for number in numbers if lines[number].rank is Rank.USUAL]
    chosen = dict.fromkeys((gravest, *usual[-1:]))
    return tuple(lines[number] for number in sorted(chosen))


_WORDS: Final = {
    d.Reason.PRIORITY_THEN_AGE: "first in line for this agent",
    d.Reason.EARLIEST_DEADLINE: "earliest deadline",
}


def words(reason: d.Reason) -> str:
    """Return a reason as words."""
    return _WORDS.get(reason, reason.value.replace("_", " "))


def seconds(duration_ms: int) -> str:
    """Write a duration in its shortest honest form: 0.4 s, 41 s, 3:05, 30 min, 2:10 h."""
    if duration_ms < 10_000 and duration_ms % 1_000:
        return f"{duration_ms / 1000:.1f} s"
    if duration_ms < 100_000:
        return f"{duration_ms // 1000} s"
    minutes, rest = divmod(duration_ms // 1000, 60)
    if minutes < 100:
        return f"{minutes}:{rest:02d}" if rest else f"{minutes} min"
    return f"{minutes // 60}:{minutes % 60:02d} h"
