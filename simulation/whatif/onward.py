"""Play a planner's day that begins with a live snapshot: nobody's age is reset.

The core is restored from the snapshot. Who waits has waited; whose call is in hand has been
talking; their rest is drawn given that, one uniform a contact, the same in every scenario. Breaks,
shifts and arrivals go on from now. What is changed is changed at its instant and not before, so
that two scenarios with the same lots are identical up to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from configs.planning import Demand, Law
from router import states
from router.decisions import AssignContact, CloseContact, Exit
from router.events import AgentSignedIn, CenterChanged, OfferAccepted, OfferConnected
from router.records import CONNECTING, WRAPPING_UP, Assignment, Contact, Offer
from router.router import Router
from simulation.driver import Driver, Listener
from simulation.plan import phases
from simulation.plan.customers import Call, Customers
from simulation.plan.day import Day
from simulation.plan.desks import Desk, Desks
from simulation.plan.draws import Lots
from simulation.plan.laws import law_at
from simulation.plan.people import Stint, draw_absent, draw_pauses
from simulation.plan.prepared import Prepared, Source
from simulation.plan.tallies import Count, Tally
from simulation.randomness import Streams
from simulation.whatif.onward_lots import Draw, OnwardLots
from simulation.whatif.residuals import residual_ms
from simulation.whatif.starting import Start, Turn


class OnwardCustomers(Customers):
    """Those who are here already, and those who come."""

    def __init__(self, day: OnwardDay) -> None:
        super().__init__(day)
        self.onward = day

    def _come(
        self, source: Source, number: int, attempt: int, contact_id: str, earlier_ms: int = 0
    ) -> None:
        # A live centre may know a contact of the plain name.
        super()._come(source, number, attempt, f"next.{contact_id}", earlier_ms)

    def callback_taken(self, call: Call) -> None:
        """Hear that nobody is on the line any more."""
        if call.phase == phases.WAITING and not call.answered:
            self.onward.note(call, Count.CALLBACKS)
        super().callback_taken(call)

    def start(self) -> None:
        """Take over who is here, and plan the first arrival of each source."""
        day = self.onward
        contacts = day.driver.router.floor.contacts.values()
        for number, contact in enumerate(contacts):
            self._take_over(contact, number)
        for source in day.prepared.sources:
            if day.lots.arrivals[source.index]:
                day.call_at(day.lots.arrivals[source.index][0], self._arrive, source)
        if day.length_ms > day.start.now_ms:
            day.call_at(day.length_ms, self._close, None)

    def _take_over(self, contact: Contact, number: int) -> None:
        """Go on with a contact from where it is."""
        day = self.onward
        source = day.source_of(contact)
        arrived_ms = contact.arrived_ms - day.prepared.start_ms
        rows = self.rows[source.index]
        row = rows[min(max(arrived_ms // day.interval_ms, 0), len(rows) - 1)]
        call = Call(contact.contact_id, source, -1 - number, 0, row, arrived_ms)
        call.category = contact.profile.category_name
        call.entered = call.replied = True
        self.calls[call.id] = call
        day.present.append(call)
        work, state, more = contact.work, contact.state, contact.more
        if state in (states.WAITING, states.OFFERED):
            call.phase = phases.WAITING
            call.answered = more is not None and (
                more.callback_due_ms >= 0 or more.last_agent != ""
            )
            if source.is_awaited:
                self._count_waiting(1)
            if source.demand.patience is not None and not (more and more.callback_due_ms >= 0):
                call.token += 1
                age_ms = day.now() - arrived_ms
                left_ms = residual_ms(
                    law_at(source.demand.patience, day.prepared.opens_ms + call.wait_ms),
                    age_ms,
                    day.lot("patience", number),
                )
                day.call_in(left_ms, self._lose_patience, (call, call.token))
            offer = work if isinstance(work, Offer) else None
            while offer is not None:
                day.accept_open(call, offer, number)
                offer = offer.sibling
            return
        call.answered = state != states.SELF_SERVICE
        if state == states.SCHEDULED:
            call.phase = phases.CALLBACK
        elif isinstance(work, Assignment):
            day.desks.take(call, work.agent.agent_id)
            day.hands.go_on(call, work, number)


class OnwardDesks(Desks):
    """Agents who are at work already; their shifts and breaks go on."""

    def __init__(self, day: OnwardDay) -> None:
        super().__init__(day)
        self.onward = day

    def start(self) -> None:
        """Take over who is signed in, and plan the rest of every stint."""
        day = self.onward
        now_ms = day.start.now_ms
        for agent in day.driver.router.floor.agents.values():
            desk = self.desks.get(agent.agent_id)
            if desk is None or agent.state not in (states.READY, states.AWAY):
                continue
            desk.session = agent.session
            desk.signed_ms = now_ms
            if agent.state == states.AWAY:
                desk.resting = True
                desk.away_ms = now_ms
                lot = day.lot(f"away {desk.agent_id}", 0)
                left_ms = residual_ms(Law(mean_ms=desk.group.away_ms), 0.0, lot)
                day.call_in(left_ms, self._return, (desk, desk.session))
        absent = draw_absent(day.prepared.staff, day.streams)
        for member in day.prepared.staff.members:
            desk = self.desks[member.agent_id]
            for stint in member.stints:
                self._plan(desk, stint, away=member.agent_id in absent)

    def _plan(self, desk: Desk, stint: Stint, *, away: bool) -> None:
        day = self.onward
        now_ms = day.start.now_ms
        here = desk.signed_ms >= 0
        if stint.end_ms <= now_ms:
            return
        if stint.start_ms > now_ms:
            if away:
                return
            day.call_at(stint.start_ms, self._begin_stint, (desk, stint))
        elif here:
            desk.stint = stint
        else:
            # Who should be here and is not stays away.
            return
        for offset_ms, length_ms in draw_pauses(stint, desk.group, day.streams, desk.agent_id):
            if now_ms < offset_ms < stint.end_ms:
                day.call_at(offset_ms, self._pause, (desk, length_ms))
        day.call_at(stint.end_ms, self._end_stint, (desk, stint))

    def leave(self, subject: tuple[Desk, Stint]) -> None:
        """Let a newcomer go home; he finishes what he has in hand."""
        self._end_stint(subject)

    def go_on(self, call: Call, work: Assignment, number: int) -> None:
        """Go on with a contact in hand: connect it, finish the talk, or wrap up."""
        day, source, desk = self.onward, call.source, call.desk
        assert desk is not None, "what is in hand lies on a desk"
        start_ms, now_ms = day.prepared.start_ms, day.start.now_ms
        if work.phase == CONNECTING:
            event = OfferConnected(work.offer_id, call.id, desk.agent_id)
            day.call_in(0, day.feed, event)
            self.serve(call)
            return
        if work.phase == WRAPPING_UP:
            call.phase = phases.WRAP_UP
            call.began_ms = work.talk_ended_ms - start_ms
            wrap_up = source.demand.wrap_up
            left_ms = 0
            if wrap_up is not None:
                law = law_at(wrap_up, day.prepared.opens_ms + call.wait_ms)
                left_ms = residual_ms(law, now_ms - call.began_ms, day.lot("wrap-up", number))
            call.token += 1
            day.call_in(left_ms, self._wrapped_up, (call, call.token))
            return
        call.phase = phases.SERVED
        call.began_ms = work.assigned_ms - start_ms
        call.held = work.held
        pace = day.prepared.pace(desk.agent_id, desk.index, call.category)
        speeds = day.prepared.scenario.effects.speeds.get(source.demand.channel, (1.0,))
        together = len(work.agent.works)
        done = (now_ms - call.began_ms) * speeds[min(together, len(speeds)) - 1] / pace
        handle = law_at(source.demand.handle, day.prepared.opens_ms + call.wait_ms)
        call.left = residual_ms(handle, done, day.lot("work", number)) * pace
        if call.held:
            return
        if source.paced:
            self._repace(desk, source.demand.channel)
        else:
            self._proceed(call, 1.0)


_HOW: Final = {
    Exit.ABANDONED: Count.ABANDONED,
    Exit.DEFLECTED: Count.DEFLECTED,
    Exit.EXPIRED: Count.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Left:
    """The end of a wait: when (offset), after how long, and how (RESOLVED: without an agent)."""

    call: Call
    at_ms: int
    wait_ms: int
    how: Count


class OnwardDay(Day):
    """One draw of the next hours."""

    def __init__(
        self,
        prepared: Prepared,
        start: Start,
        turn: Turn,
        draw: Draw,
        listeners: tuple[Listener, ...] = (),
    ) -> None:
        self.draw = draw
        self.start = start
        self.turn = turn
        self.present: list[Call] = []
        self.left: list[Left] = []
        self._channels: dict[tuple[str, str], Source] = {}
        super().__init__(prepared, 0, draw.replication, listeners=listeners)
        self.horizon_ms = min(self.horizon_ms, start.end_ms)

    def _make_driver(self, listeners: tuple[Listener, ...]) -> Driver:
        return Driver(
            Router.restore(self.start.body),
            self.prepared.start_ms + self.start.now_ms,
            listeners,
        )

    def _make_streams(self, seed: int) -> Streams:
        return self.draw.streams

    def _make_lots(self, strata: int) -> Lots:
        return OnwardLots(self.prepared, self.draw, self.start, self.turn)

    def _make_customers(self) -> Customers:
        return OnwardCustomers(self)

    def _make_desks(self) -> Desks:
        desks = self.hands = OnwardDesks(self)
        staff, center = self.prepared.staff, self.prepared.center
        for name in self.turn.newcomers:
            team = center.agents[name].team
            index = next(
                (member.group for member in staff.members
                 if center.agents[member.agent_id].team == team),
                0,
            )  # fmt: skip
            plan = replace(staff.plans[index], planned_absence=0.0, unplanned_absence=0.0)
            desks.desks[name] = Desk(name, index, plan)
        return desks

    def lot(self, purpose: str, number: int) -> float:
        """Return the number in (0, 1) of a contact that is here already."""
        return max(self.streams.uniform("present", purpose, number), 1e-12)

    def source_of(self, contact: Contact) -> Source:
        """Return the demand whose laws a contact has: its own, or one of its channel."""
        key = (contact.profile.category_name, contact.profile.channel.name)
        found = self._channels.get(key)
        if found is None:

            def distance(source: Source) -> tuple[bool, bool]:
                demand: Demand = source.demand
                return demand.channel != key[1], demand.category != key[0]

            found = self._channels[key] = min(self.prepared.sources, key=distance)
        return found

    def accept_open(self, call: Call, offer: Offer, number: int) -> None:
        """Let an offer that is open now be accepted, given that it has been open for a while."""
        if not call.source.offers:
            return
        event = OfferAccepted(offer.offer_id, call.id, offer.agent.agent_id)
        reaction = self.desks.desks[offer.agent.agent_id].group.reaction
        if reaction is None:
            self.call_in(0, self._accept, event)
            return
        since_ms = offer.armed_ms if offer.fifo is not None and offer.fifo.index else 0
        age_ms = self.driver.now_ms - since_ms if since_ms else 0
        left_ms = residual_ms(reaction, age_ms, self.lot("reaction", number))
        self.call_in(left_ms, self._accept, event)

    def play(self) -> Tally:
        """Play to the horizon."""
        driver, turn = self.driver, self.turn
        self.desks.start()
        self.customers.start()
        self.dialers.start()
        if turn.center is not None or turn.newcomers:
            self.call_at(max(turn.at_ms, self.start.now_ms), self._change, None)
        driver.run(until=self.prepared.start_ms + self.start.end_ms)
        self.customers.finish_day()
        self.desks.finish_day()
        return self._tally()

    def _change(self, _: object) -> None:
        turn = self.turn
        if turn.center is not None:
            self.feed(CenterChanged(turn.center))
        for name in turn.newcomers:
            desk = self.desks.desks[name]
            desk.session, desk.signed_ms = 1, self.now()
            self.feed(AgentSignedIn(name, 1, self.prepared.at_desk))
            if 0 < turn.leave_ms < self.start.end_ms:
                stint = Stint(self.now(), turn.leave_ms)
                desk.stint = stint
                self.call_at(turn.leave_ms, self.hands.leave, (desk, stint))

    # --- what is noted --------------------------------------------------------------------

    def note(self, call: Call, how: Count) -> None:
        """Note that a contact's wait is over."""
        now_ms = self.now()
        self.left.append(Left(call, now_ms, now_ms - call.wait_ms, how))

    def _assigned(self, decision: AssignContact) -> None:
        call = self.customers.calls[decision.contact_id]
        if not call.answered:
            self.note(call, Count.ANSWERED)
        super()._assigned(decision)

    def _closed(self, decision: CloseContact) -> None:
        call = self.customers.calls.get(decision.contact_id)
        if call is not None and call.phase == phases.WAITING and not call.answered:
            self.note(
                call, Count.CLEARED if call.cleared else _HOW.get(decision.exit, Count.RESOLVED)
            )
        super()._closed(decision)
