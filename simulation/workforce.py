"""Play the agents: they sign in, answer or miss offers, work, take breaks, go home."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final, TypeAlias

import simpy

from router.decisions import ChangeAgentState
from router.events import (
    AgentHeartbeat,
    AgentPresenceChanged,
    AgentReplied,
    AgentSignedIn,
    AgentSignedOut,
    CallbackFailed,
    CallFailure,
    ComplaintRaised,
    ContactEnded,
    ContactHeld,
    ContactResolved,
    ContactResumed,
    ContactTransferred,
    CustomerAwaited,
    CustomerReplied,
    DeclineCause,
    OfferAccepted,
    OfferConnected,
    OfferConnectFailed,
    OfferDeclined,
    WrapUpEnded,
)
from simulation.driver import Act
from simulation.scenario import Law, Leaving, Shift
from simulation.stage import Contact, Desk, Phase, Stage, Step

Happenings: TypeAlias = Generator[simpy.Event, Any, None]

WRITTEN: Final = ("chat", "email", "social", "sms")
DEFERRED: Final = ("email", "social", "task")
_HEALED_REACTION_MS: Final = 200
_HEALED_WORK_MS: Final = 1_000
_MIDDLE_LEVEL: Final = 5.5
_LEVEL_SPREAD: Final = 4.5


class AgentSide:
    """Play all agents of one day."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    # --- the working day ----------------------------------------------------------------

    def start(self) -> None:
        """Start a SimPy process for each shift."""
        for shift in self._stage.options.workforce.shifts:
            self.hire(shift)

    def hire(self, shift: Shift) -> None:
        """Let an agent work this shift."""
        desk = self._stage.desks.setdefault(shift.agent_id, Desk(shift.agent_id))
        self._stage.env.process(self._work_shift(desk, shift))

    def presence(self, *, working: bool) -> str:
        """Return the centre's presence for taking work, or for not taking any."""
        presences = self._stage.center.presences
        usual = "available" if working else "break"
        if presences.get(usual) is working:
            return usual
        return next(name for name, takes_work in presences.items() if takes_work is working)

    def _work_shift(self, desk: Desk, shift: Shift) -> Happenings:
        stage, env = self._stage, self._stage.env
        start_ms = stage.options.start_ms

        def until(offset_ms: int) -> simpy.Event:
            return env.timeout(max(0, start_ms + offset_ms - env.now_ms))

        yield until(shift.start_ms)
        if stage.over():
            return
        self.sign_in(desk)
        for offset_ms, length_ms in shift.breaks:
            yield until(offset_ms)
            if stage.over():
                return
            self.set_presence(desk, self.presence(working=False))
            yield env.timeout(length_ms)
            if stage.over():
                return
            self.set_presence(desk, self.presence(working=True))
        yield until(shift.end_ms)
        if stage.over():
            return
        if stage.options.workforce.leaving is Leaving.FINISH:
            self.set_presence(desk, self.presence(working=False))
            while desk.work and not stage.over():
                desk.emptied = env.event()
                yield desk.emptied
        if not stage.over():
            self.sign_out(desk)

    def sign_in(self, desk: Desk) -> None:
        """Open a new session."""
        desk.session += 1
        desk.signed_in = True
        desk.silent = False
        desk.presence = self.presence(working=True)
        self._stage.emit(AgentSignedIn(desk.agent_id, desk.session, desk.presence))
        if self._stage.center.offers.heartbeat_timeout_ms and not desk.beating:
            desk.beating = True
            self._stage.env.process(self.beat(desk))

    def sign_out(self, desk: Desk) -> None:
        """Close the session, whatever is in hand."""
        if desk.signed_in:
            desk.signed_in = False
            self._stage.emit(AgentSignedOut(desk.agent_id, desk.session))

    def set_presence(self, desk: Desk, presence: str) -> None:
        """Choose a presence."""
        if desk.signed_in and not desk.silent:
            desk.presence = presence
            self._stage.emit(AgentPresenceChanged(desk.agent_id, presence, desk.session))

    def beat(self, desk: Desk) -> Happenings:
        """Send heartbeats as long as the desktop is alive: a SimPy process."""
        stage = self._stage
        while desk.signed_in and (timeout_ms := stage.center.offers.heartbeat_timeout_ms):
            yield stage.env.timeout(max(1, timeout_ms // 3))
            if desk.is_alive():
                stage.emit(AgentHeartbeat(desk.agent_id, desk.session))
        desk.beating = False

    def state_changed(self, decision: ChangeAgentState) -> None:
        """Hear that the router took the agent out; he comes back when he notices."""
        stage = self._stage
        desk = stage.desks.get(decision.agent_id)
        if desk is None:
            return
        desk.presence = decision.presence
        if not stage.center.presences.get(decision.presence, False):
            law = stage.options.workforce.unanswered_return
            self._return_later(desk, law)

    def refused(self, desk: Desk) -> None:
        """Hear that the router knows no such session: the desktop signs in again."""
        if desk.signed_in:
            self._return_later(desk, Law(mean_ms=3_000))

    def _return_later(self, desk: Desk, law: Law) -> None:
        if not desk.returning:
            desk.returning = True
            delay_ms = self._stage.streams.duration_ms(
                law, desk.agent_id, "return", desk.session % 64
            )
            self._stage.env.call_in(delay_ms, self._return, (desk, desk.session, law))

    def _return(self, subject: tuple[Desk, int, Law]) -> None:
        desk, session, _ = subject
        desk.returning = False
        if not desk.signed_in or desk.silent:
            return
        known = self._stage.center.presences.get(desk.presence, False)
        if known or desk.session != session:
            self.sign_in(desk)
        else:
            self.set_presence(desk, self.presence(working=True))

    # --- offers ---------------------------------------------------------------------------

    def offered(self, contact: Contact, offer_id: int, agent_id: str) -> None:
        """Hear the ringing: accept, decline or miss it after a reaction."""
        stage, workforce = self._stage, self._stage.options.workforce
        contact.open_offers[offer_id] = agent_id
        contact.offers += 1
        attempt = min(contact.offers, 31)
        channel = stage.center.channels.get(contact.demand.channel)
        if channel is not None and channel.auto_accept:
            return
        subject = (contact, offer_id, agent_id)
        if stage.healed:
            stage.env.call_in(_HEALED_REACTION_MS, self._accept, subject)
            return
        lot = stage.uniform(contact, "offer", attempt)
        if lot < workforce.ignores:
            return
        reaction_ms = stage.duration_ms(contact, workforce.reaction, "reaction", attempt)
        declines = lot < workforce.ignores + workforce.declines
        act: Act = self._decline if declines else self._accept
        stage.env.call_in(reaction_ms, act, subject)

    def _sees(self, contact: Contact, offer_id: int, agent_id: str) -> bool:
        desk = self._stage.desks.get(agent_id)
        return offer_id in contact.open_offers and desk is not None and not desk.silent

    def _accept(self, subject: tuple[Contact, int, str]) -> None:
        contact, offer_id, agent_id = subject
        if self._sees(contact, offer_id, agent_id):
            self._stage.emit(OfferAccepted(offer_id, contact.id, agent_id))

    def _decline(self, subject: tuple[Contact, int, str]) -> None:
        contact, offer_id, agent_id = subject
        if self._sees(contact, offer_id, agent_id):
            causes = tuple(DeclineCause)
            cause = causes[offer_id % len(causes)]
            self._stage.emit(OfferDeclined(offer_id, contact.id, agent_id, cause))

    # --- work -----------------------------------------------------------------------------

    def assigned(self, contact: Contact, offer_id: int, agent_id: str) -> None:
        """Hear that the contact is the agent's: connect, then work."""
        stage = self._stage
        contact.open_offers.pop(offer_id, None)
        contact.offer_id = offer_id
        contact.agent_id = contact.last_agent_id = agent_id
        contact.token += 1
        contact.turn += 1
        desk = stage.desks.setdefault(agent_id, Desk(agent_id))
        desk.work.add(contact.id)
        channel = stage.center.channels.get(contact.demand.channel)
        if channel is None or channel.connect_timeout_ms == 0:
            self._begin(contact)
            return
        contact.phase = Phase.CONNECTING
        law = stage.options.customers.connect
        delay_ms = stage.duration_ms(contact, law, "connect", min(contact.turn, 31))
        stage.env.call_in(delay_ms, self._connect, (contact, contact.token))

    def _connect(self, subject: tuple[Contact, int]) -> None:
        contact, token = subject
        stage = self._stage
        if contact.token != token or contact.phase is not Phase.CONNECTING:
            return
        if self._reaches_nobody(contact):
            return
        fails = 0.0 if stage.healed else stage.options.customers.connect_fails
        ids = (contact.offer_id, contact.id, contact.agent_id)
        if stage.chance(contact, "connect-fails", fails, min(contact.turn, 31)):
            stage.emit(OfferConnectFailed(*ids))
            return
        self._begin(contact)
        stage.emit(OfferConnected(*ids))

    def dialled(self, contact: Contact) -> None:
        """Hear that the agent calls; one connected at once does not know yet whether he reaches."""
        contact.dialled = True
        if contact.phase is Phase.SERVED:
            self._stage.env.call_in(1, self._listen, (contact, contact.token))

    def _listen(self, subject: tuple[Contact, int]) -> None:
        contact, token = subject
        if contact.token == token and contact.phase is Phase.SERVED:
            self._reaches_nobody(contact)

    def _reaches_nobody(self, contact: Contact) -> bool:
        """Say whether a call to the customer reaches nobody, and report it."""
        stage = self._stage
        dialled, contact.dialled = contact.dialled, False
        share = 0.0 if stage.healed else stage.options.customers.calls_unanswered
        turn = min(contact.turn, 31)
        if not dialled or not stage.chance(contact, "call-unanswered", share, turn):
            return False
        causes = tuple(CallFailure)
        cause = causes[int(stage.uniform(contact, "call-cause", turn) * len(causes))]
        stage.emit(CallbackFailed(contact.id, cause, contact.agent_id))
        return True

    def _begin(self, contact: Contact) -> None:
        contact.phase = Phase.SERVED
        contact.script = self._write_script(contact)
        contact.script_at = 0
        contact.began_ms = self._stage.env.now_ms
        contact.held_at_ms = -1
        self._next_step(contact)

    def _next_step(self, contact: Contact) -> None:
        if contact.script_at < len(contact.script):
            at_ms = contact.began_ms + contact.script[contact.script_at][0]
            at_ms = max(at_ms, self._stage.env.now_ms)
            self._stage.env.call_at(at_ms, self._play, (contact, contact.token))

    def _play(self, subject: tuple[Contact, int]) -> None:
        contact, token = subject
        if contact.token != token or contact.phase is not Phase.SERVED:
            return
        act = contact.script[contact.script_at][1]
        contact.script_at += 1
        self._next_step(contact)
        act(contact)

    def _write_script(self, contact: Contact) -> list[Step]:
        """Plan a turn: (offset in ms, act) pairs in order of time."""
        stage, customers = self._stage, self._stage.options.customers
        turn, channel = min(contact.turn, 31), contact.demand.channel
        if stage.healed:
            return [(_HEALED_WORK_MS, self._conclude)]
        work_ms = stage.duration_ms(contact, contact.demand.handle, "work", turn)
        work_ms = max(10, round(work_ms * self._pace(contact)))

        def at(percent: int) -> int:
            return max(1, work_ms * percent // 100)

        script: list[Step] = []
        if channel in WRITTEN:
            script.append((at(15), self._reply))
        if channel == "chat":
            script += [(at(40), self._hear), (at(60), self._reply)]
        if channel not in DEFERRED and stage.chance(contact, "hold", customers.holds, turn):
            script += [(at(30), self._hold), (at(50), self._unhold)]
        if stage.chance(contact, "complain", customers.complains, turn):
            script.append((at(25), self._complain))
        if turn < 6 and stage.chance(contact, "transfer", customers.transfers, turn):
            script.append((at(70), self._transfer))
        script.append((work_ms, self._conclude))
        script.sort(key=lambda step: step[0])
        return script

    def _pace(self, contact: Contact) -> float:
        """Return the factor by which this agent's skill stretches or shortens the work."""
        stage = self._stage
        agent = stage.center.agents.get(contact.agent_id)
        category = stage.center.categories.get(contact.demand.category)
        if agent is None or category is None or not category.needs:
            return 1.0
        levels = [agent.skills.get(skill, 0) for skill in category.needs]
        mean = sum(levels) / len(levels)
        gain = stage.options.workforce.proficiency_gain
        return 1.0 - gain * (mean - _MIDDLE_LEVEL) / _LEVEL_SPREAD

    def _reply(self, contact: Contact) -> None:
        self._stage.emit(AgentReplied(contact.id))

    def _hear(self, contact: Contact) -> None:
        self._stage.emit(CustomerReplied(contact.id))

    def _hold(self, contact: Contact) -> None:
        self._stage.emit(ContactHeld(contact.id))

    def _unhold(self, contact: Contact) -> None:
        self._stage.emit(ContactResumed(contact.id))

    def _complain(self, contact: Contact) -> None:
        self._stage.emit(ComplaintRaised(contact.id))

    def _transfer(self, contact: Contact) -> None:
        stage = self._stage
        attempt = min(contact.turn, 31)
        kind = stage.uniform(contact, "transfer-kind", attempt)
        pick = stage.uniform(contact, "transfer-pick", attempt)
        if kind < 0.4:
            queues = sorted(stage.center.queues)
            event = ContactTransferred(contact.id, queue=queues[int(pick * len(queues))])
        elif kind < 0.75:
            categories = sorted(stage.center.categories)
            event = ContactTransferred(contact.id, category=categories[int(pick * len(categories))])
        else:
            agents = sorted(stage.center.agents)
            event = ContactTransferred(contact.id, agent_id=agents[int(pick * len(agents))])
        stage.emit(event)

    def _conclude(self, contact: Contact) -> None:
        stage, customers = self._stage, self._stage.options.customers
        turn = min(contact.turn, 31)
        if contact.demand.channel in DEFERRED:
            stage.emit(AgentReplied(contact.id))
            awaited = turn < 5 and stage.chance(contact, "awaited", customers.awaited, turn)
            if awaited and not stage.healed and contact.phase is Phase.SERVED:
                stage.emit(CustomerAwaited(contact.id))
                return
        elif stage.chance(contact, "ends", customers.ends_unresolved, turn):
            stage.emit(ContactEnded(contact.id))
            return
        if contact.phase is Phase.SERVED:
            stage.emit(ContactResolved(contact.id, "solved"))

    def wrapping_up(self, contact: Contact, agent_id: str) -> None:
        """Hear that the work after the contact begins."""
        stage = self._stage
        contact.phase = Phase.WRAP_UP
        contact.token += 1
        law = stage.options.workforce.wrap_up
        wait_ms = stage.duration_ms(contact, law, "wrap-up", min(contact.turn, 31))
        if stage.healed:
            wait_ms = min(wait_ms, _HEALED_WORK_MS)
        stage.env.call_in(wait_ms, self._end_wrap_up, (contact, contact.token, agent_id))

    def _end_wrap_up(self, subject: tuple[Contact, int, str]) -> None:
        contact, token, agent_id = subject
        if contact.token == token and contact.phase is Phase.WRAP_UP:
            self._stage.emit(WrapUpEnded(contact.id, agent_id))

    def set_aside(self, contact: Contact) -> None:
        """Hear that the work is held: its script stands still."""
        if contact.phase is Phase.SERVED and contact.held_at_ms < 0:
            contact.held_at_ms = self._stage.env.now_ms
            contact.token += 1

    def taken_up(self, contact: Contact) -> None:
        """Hear that held work goes on."""
        if contact.phase is Phase.SERVED and contact.held_at_ms >= 0:
            contact.began_ms += self._stage.env.now_ms - contact.held_at_ms
            contact.held_at_ms = -1
            contact.token += 1
            self._next_step(contact)

    def released(self, contact: Contact, agent_id: str) -> None:
        """Hear that the assignment ended; who waited to go home goes."""
        contact.token += 1
        contact.agent_id = ""
        contact.phase = Phase.LOOSE
        desk = self._stage.desks.get(agent_id)
        if desk is None:
            return
        desk.work.discard(contact.id)
        if not desk.work and desk.emptied is not None:
            emptied, desk.emptied = desk.emptied, None
            emptied.succeed()
