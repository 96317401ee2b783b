"""Read a journal of the engine as history: one `Visit` for each time a contact waited.

What counts as waiting, answered, handled is what `router.measures` says; here the single contacts
are kept. Interruptible work that was set aside does not count as handled meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from router import decisions as d
from router import events as e
from router.center import Center
from router.journal import Entry
from simulation.fit.history import Ending, OfferCounts, Presence, Visit

_AVAILABLE: Final = "available"


@dataclass(slots=True)
class _Contact:
    """What is known of a contact that is not over."""

    category: str
    channel: str
    customer: str
    queue: str = ""
    redials: int = 0
    turns: int = 0
    waiting: bool = False
    since_ms: int = 0
    wait_s: float = 0.0
    agent: str = ""
    busy: bool = False  # connected, and in somebody's hands
    aside: bool = False
    wrap_up_ms: int = -1
    answered_ms: int = 0
    reply_s: float | None = None
    handled_s: float | None = None
    shared_s: list[float] = field(default_factory=list)
    shared_last: int = 0


@dataclass(slots=True)
class _Offers:
    offered: int = 0
    accepted: int = 0
    declined: int = 0
    expired: int = 0
    withdrawn: int = 0
    reaction_s: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _Agent:
    signed_in_ms: list[tuple[int, int]] = field(default_factory=list)
    working_ms: list[tuple[int, int]] = field(default_factory=list)
    since_ms: int = -1
    working_since_ms: int = -1
    clock_ms: int = 0
    busy: dict[str, dict[str, None]] = field(default_factory=dict)  # channel to contacts


class JournalReader:
    """Fold entries in their order; then ask for `visits`, `offers`, `presences`."""

    def __init__(self) -> None:
        self.center: Center | None = None
        self.now_ms = 0
        self.first_ms = 0
        self.visits: list[Visit] = []
        self._contacts: dict[str, _Contact] = {}
        self._offers: dict[str, _Offers] = {}
        self._open: dict[int, tuple[str, int]] = {}  # offer id to channel and instant
        self._agents: dict[str, _Agent] = {}

    def fold(self, entry: Entry) -> None:
        """Take one entry."""
        self.now_ms = entry.stamped.at_ms
        self.first_ms = self.first_ms or self.now_ms
        refused = any(isinstance(x, d.RefuseEvent | d.NoteDuplicate) for x in entry.decisions)
        if not refused:
            self._see(entry.stamped.event)
        for decision in entry.decisions:
            self._obey(decision)

    def finish(self) -> None:
        """End the record: what is open stays open."""
        for name in self._agents:
            self._share(name)
        for contact in self._contacts.values():
            if contact.waiting:
                self._leave(contact, Ending.OTHER)
            elif contact.handled_s is not None:
                self._keep_answered(contact, still_open=True)
        self._contacts.clear()
        for agent in self._agents.values():
            self._sign_out(agent)

    def offers(self) -> tuple[OfferCounts, ...]:
        """Return how offers were answered, by channel."""
        return tuple(
            OfferCounts(
                channel=channel,
                offered=counts.offered,
                accepted=counts.accepted,
                declined=counts.declined,
                expired=counts.expired,
                withdrawn=counts.withdrawn,
                reaction_s=np.array(counts.reaction_s),
            )
            for channel, counts in sorted(self._offers.items())
        )

    def presences(self) -> tuple[Presence, ...]:
        """Return when agents were there."""
        return tuple(
            Presence(
                agent=name,
                signed_in_ms=tuple(agent.signed_in_ms),
                working_ms=tuple(agent.working_ms),
            )
            for name, agent in sorted(self._agents.items())
        )

    # --- events -----------------------------------------------------------------------------------

    def _see(self, event: e.Event) -> None:
        match event:
            case e.ContactArrived():
                self._contacts[event.contact_id] = _Contact(
                    event.category, event.channel, event.customer, event.queue
                )
            case e.ContactUpdated() if event.category is not None:
                contact = self._contacts.get(event.contact_id)
                if contact is not None:
                    contact.category = event.category
            case e.ContactRedialled():
                contact = self._contacts.get(event.contact_id)
                if contact is not None:
                    contact.redials += 1
                    contact.turns = 0
            case e.OfferConnected():
                self._answer(event.contact_id, event.agent_id)
            case e.AgentReplied() if not event.automatic:
                contact = self._contacts.get(event.contact_id)
                if (
                    contact is not None
                    and contact.handled_s is not None
                    and contact.reply_s is None
                ):
                    contact.reply_s = (self.now_ms - contact.answered_ms) / 1000
            case e.OfferDeclined():
                channel, _ = self._open.pop(event.offer_id, ("", 0))
                if channel:
                    self._offers[channel].declined += 1
            case e.AgentSignedIn() | e.AgentPresenceChanged():
                self._present(event.agent_id, event.presence)
            case e.AgentSignedOut() | e.AgentLost():
                self._sign_out(self._agent(event.agent_id))
            case e.CenterChanged():
                self.center = event.center
            case _:
                pass

    def _agent(self, name: str) -> _Agent:
        agent = self._agents.get(name)
        if agent is None:
            agent = self._agents[name] = _Agent()
        return agent

    def _present(self, name: str, presence: str) -> None:
        agent = self._agent(name)
        if agent.since_ms < 0:
            agent.since_ms = self.now_ms
        if presence == _AVAILABLE and agent.working_since_ms < 0:
            agent.working_since_ms = self.now_ms
        elif presence != _AVAILABLE and agent.working_since_ms >= 0:
            agent.working_ms.append((agent.working_since_ms, self.now_ms))
            agent.working_since_ms = -1

    def _sign_out(self, agent: _Agent) -> None:
        if agent.working_since_ms >= 0:
            agent.working_ms.append((agent.working_since_ms, self.now_ms))
        if agent.since_ms >= 0:
            agent.signed_in_ms.append((agent.since_ms, self.now_ms))
        agent.since_ms = agent.working_since_ms = -1

    # --- decisions --------------------------------------------------------------------------------

    def _obey(self, decision: d.Decision) -> None:
        match decision:
            case d.EnqueueContact() | d.RequeueContact():
                self._enqueue(decision.contact_id, decision.queue)
            case d.OverflowContact():
                self._enqueue(decision.contact_id, decision.to_queue)
            case d.OfferContact():
                contact = self._contacts.get(decision.contact_id)
                if contact is not None:
                    counts = self._offers.setdefault(contact.channel, _Offers())
                    counts.offered += 1
                    self._open[decision.offer_id] = (contact.channel, self.now_ms)
            case d.WithdrawOffer():
                channel, _ = self._open.pop(decision.offer_id, ("", 0))
                if channel and decision.reason is d.Reason.EXPIRED:
                    self._offers[channel].expired += 1
                elif channel:
                    self._offers[channel].withdrawn += 1
            case d.AssignContact():
                self._assign(decision)
            case d.HoldWork():
                self._set_aside(decision.contact_id, aside=True)
            case d.ResumeWork():
                self._set_aside(decision.contact_id, aside=False)
            case d.StartWrapUp():
                contact = self._contacts.get(decision.contact_id)
                if contact is not None and contact.handled_s is not None:
                    self._free(decision.contact_id, contact)
                    contact.wrap_up_ms = self.now_ms
            case d.EndAssignment():
                # Wrap-up that met its limit would have taken longer.
                cut_off = decision.reason is d.Reason.WRAP_UP_LIMIT
                self._end(decision.contact_id, wrap_up_open=cut_off)
            case d.ScheduleCallback() | d.DeflectContact():
                contact = self._contacts.get(decision.contact_id)
                if contact is not None:
                    self._leave(contact, Ending.OTHER)
            case d.ChangeAgentState():
                if decision.reason is d.Reason.AGENT_LOST:
                    self._sign_out(self._agent(decision.agent_id))
                else:
                    self._present(decision.agent_id, decision.presence)
            case d.CloseContact():
                self._close(decision)
            case _:
                pass

    def _enqueue(self, contact_id: str, queue: str) -> None:
        contact = self._contacts.get(contact_id)
        if contact is None:
            return
        if contact.handled_s is not None:
            # Taken back into line: transferred, reopened, its agent lost.
            self._end(contact_id)
        if not contact.waiting:
            contact.waiting, contact.since_ms = True, self.now_ms
        contact.queue = queue

    def _leave(self, contact: _Contact, ending: Ending) -> None:
        """End a wait; the customer's own are kept as visits, others' turns are not."""
        if not contact.waiting:
            return
        contact.waiting = False
        contact.wait_s = (self.now_ms - contact.since_ms) / 1000
        if ending is Ending.ANSWERED:
            return
        self._keep(contact, ending)

    def _keep(self, contact: _Contact, ending: Ending, **more: object) -> None:
        if contact.turns == 0:
            self.visits.append(
                Visit(
                    arrived_ms=contact.since_ms,
                    category=contact.category,
                    channel=contact.channel,
                    queue=contact.queue,
                    ending=ending,
                    wait_s=contact.wait_s,
                    customer=contact.customer,
                    redials=contact.redials,
                    **more,  # type: ignore[arg-type]
                )
            )
        contact.turns += 1

    def _assign(self, decision: d.AssignContact) -> None:
        channel, offered_ms = self._open.pop(decision.offer_id, ("", 0))
        if channel:
            counts = self._offers[channel]
            counts.accepted += 1
            counts.reaction_s.append((self.now_ms - offered_ms) / 1000)
        contact = self._contacts.get(decision.contact_id)
        if contact is None:
            return
        known = self.center.channels.get(contact.channel) if self.center else None
        if known is None or not known.connect_timeout_ms:
            self._answer(decision.contact_id, decision.agent_id)

    def _answer(self, contact_id: str, agent_id: str) -> None:
        contact = self._contacts.get(contact_id)
        if contact is None:
            return
        self._leave(contact, Ending.ANSWERED)
        contact.agent, contact.handled_s, contact.wrap_up_ms = agent_id, 0.0, -1
        contact.answered_ms, contact.reply_s = self.now_ms, None
        contact.shared_s, contact.shared_last, contact.aside = [], 0, False
        self._take(contact_id, contact)

    # --- who is busy with what --------------------------------------------------------------------

    def _share(self, agent_id: str) -> None:
        """Book the time since the last change to all contacts in an agent's hands."""
        agent = self._agent(agent_id)
        spent_s = (self.now_ms - agent.clock_ms) / 1000
        agent.clock_ms = self.now_ms
        for contacts in agent.busy.values():
            together = len(contacts)
            for contact_id in contacts:
                contact = self._contacts[contact_id]
                assert contact.handled_s is not None, "only answered contacts are in hands"
                contact.handled_s += spent_s
                while len(contact.shared_s) < together:
                    contact.shared_s.append(0.0)
                contact.shared_s[together - 1] += spent_s
                contact.shared_last = together

    def _take(self, contact_id: str, contact: _Contact) -> None:
        self._share(contact.agent)
        contact.busy = True
        self._agent(contact.agent).busy.setdefault(contact.channel, {})[contact_id] = None

    def _free(self, contact_id: str, contact: _Contact) -> None:
        if contact.busy:
            self._share(contact.agent)
            del self._agent(contact.agent).busy[contact.channel][contact_id]
            contact.busy = False

    def _set_aside(self, contact_id: str, *, aside: bool) -> None:
        contact = self._contacts.get(contact_id)
        if contact is None or contact.handled_s is None or contact.wrap_up_ms >= 0:
            return
        if aside:
            self._free(contact_id, contact)
        elif not contact.busy:
            self._take(contact_id, contact)

    def _end(self, contact_id: str, *, wrap_up_open: bool = False) -> None:
        contact = self._contacts.get(contact_id)
        if contact is None or contact.handled_s is None:
            return
        self._free(contact_id, contact)
        self._keep_answered(contact, wrap_up_open=wrap_up_open)

    def _keep_answered(
        self, contact: _Contact, *, still_open: bool = False, wrap_up_open: bool = False
    ) -> None:
        wrapping = contact.wrap_up_ms >= 0
        self._keep(
            contact,
            Ending.ANSWERED,
            handle_s=contact.handled_s,
            handle_open=still_open and not wrapping,
            wrap_up_s=(self.now_ms - contact.wrap_up_ms) / 1000 if wrapping else None,
            wrap_up_open=wrapping and (still_open or wrap_up_open),
            reply_s=contact.reply_s,
            agent=contact.agent,
            shared_s=tuple(contact.shared_s),
            shared_last=contact.shared_last,
        )
        contact.handled_s, contact.wrap_up_ms = None, -1

    def _close(self, decision: d.CloseContact) -> None:
        contact = self._contacts.get(decision.contact_id)
        if contact is None:
            return
        self._end(decision.contact_id)
        if contact.waiting:
            abandoned = decision.exit is d.Exit.ABANDONED
            self._leave(contact, Ending.ABANDONED if abandoned else Ending.OTHER)
        # Who abandoned may call again, and is the same contact then.
        contact.waiting = False


def read_entries(entries: Iterable[Entry]) -> JournalReader:
    """Fold a whole journal."""
    reader = JournalReader()
    for entry in entries:
        reader.fold(entry)
    reader.finish()
    return reader
