"""Play one day of a scenario: the unchanged core, through the sequencer, in SimPy's time.

The world around the core is as lean as a planner needs it: no faults, no heartbeats, no journal
unless somebody listens. `play` gives the day's `Tally`; with `listeners` each entry is heard
as in any other run, so that a simulated day can be folded into measures, written as a journal,
or judged by the auditor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from configs.durations import parse_clock
from configs.planning import Scenario
from router.decisions import (
    AssignContact,
    BreachSla,
    ChangeAgentState,
    CloseContact,
    Decision,
    EndAssignment,
    EnqueueContact,
    HoldWork,
    MeetSla,
    OfferCallback,
    OfferContact,
    RefuseEvent,
    RequeueContact,
    ResumeWork,
    ScheduleCallback,
    StartWrapUp,
)
from router.events import Event, OfferAccepted, OfferConnected, OfferDeclined
from router.router import Router
from simulation.driver import Act, Driver, Listener
from simulation.plan.customers import Customers
from simulation.plan.desks import Desks
from simulation.plan.dialer import Dialers
from simulation.plan.draws import Lots
from simulation.plan.laws import duration_ms, law_at
from simulation.plan.prepared import Prepared
from simulation.plan.tallies import WAIT_EDGES_MS, Tally
from simulation.randomness import Streams

_AFTERWORK_MS: Final = 21_600_000
_STEP_MS: Final = 600_000


class Day:
    """One day. Instants are offsets (ms) from opening; only the router hears of epochs."""

    def __init__(
        self,
        prepared: Prepared,
        seed: int,
        replication: int = 0,
        *,
        strata: int = 1,
        listeners: tuple[Listener, ...] = (),
    ) -> None:
        self.prepared = prepared
        self.replication = replication
        self.streams = self._make_streams(seed)
        self.start_ms = prepared.start_ms
        self.length_ms = prepared.length_ms
        self.interval_ms = prepared.scenario.interval_ms
        self.horizon_ms = self.length_ms + prepared.scenario.overrun_ms
        stints = [stint.start_ms for member in prepared.staff.members for stint in member.stints]
        self.earliest_ms = min([0, *stints])
        self.driver = self._make_driver(listeners)
        self.clockwork = self.driver.clockwork
        self.clockwork.observer = self._hear
        self.lots = self._make_lots(strata)
        self.customers = self._make_customers()
        self.desks = self._make_desks()
        self.dialers = Dialers(self)
        self.promises = {name: [0, 0] for name in prepared.promises}
        self._hearers: dict[type, Callable[[Any], None]] = {
            EnqueueContact: self._enqueued,
            OfferContact: self._offered,
            AssignContact: self._assigned,
            StartWrapUp: self._wrapping_up,
            EndAssignment: self._released,
            CloseContact: self._closed,
            RequeueContact: self._requeued,
            HoldWork: self._set_aside,
            ResumeWork: self._taken_up,
            RefuseEvent: self._refused,
            OfferCallback: self._callback_offered,
            ScheduleCallback: self._callback_taken,
            ChangeAgentState: self._taken_out,
            MeetSla: self._met,
            BreachSla: self._breached,
        }

    # A day that begins with a live state makes these otherwise.

    def _make_streams(self, seed: int) -> Streams:
        return Streams(seed, self.replication)

    def _make_driver(self, listeners: tuple[Listener, ...]) -> Driver:
        return Driver(Router(), self.prepared.start_ms + self.earliest_ms, listeners)

    def _make_lots(self, strata: int) -> Lots:
        return Lots(self.prepared, self.streams, strata)

    def _make_customers(self) -> Customers:
        return Customers(self)

    def _make_desks(self) -> Desks:
        return Desks(self)

    def now(self) -> int:
        """Return the present offset from opening, ms."""
        return self.clockwork.now_ms - self.start_ms

    def feed(self, event: Event) -> None:
        """Hand an event to the router."""
        self.clockwork.feed(event)

    def call_at(self, offset_ms: int, act: Act, subject: object) -> None:
        """Call `act(subject)` at an offset from opening."""
        self.clockwork.call_at(self.start_ms + offset_ms, act, subject)

    def call_in(self, delay_ms: int, act: Act, subject: object) -> None:
        """Call `act(subject)` after a delay."""
        self.clockwork.call_in(delay_ms, act, subject)

    def offset_of(self, clock: str) -> int:
        """Return the offset (ms) of a time of day."""
        return parse_clock(clock) - self.prepared.opens_ms

    def play(self) -> Tally:
        """Play the day to its end; who is in service at the end of the overrun is served.

        Raises `ValueError` for a centre that the router refuses.
        """
        clockwork = self.clockwork
        self.feed(self.prepared.opening(self.streams))
        if self.driver.router.floor.center is None:
            raise ValueError(
                f"the router refuses the centre {self.prepared.center.name!r}; "
                "simulation.plan.checks.check_scenario says what is wrong with it"
            )
        self.desks.start()
        self.customers.start()
        self.dialers.start()
        clockwork.run(self.start_ms + self.horizon_ms)
        self.desks.late.go_home()
        last_ms = clockwork.now_ms + _AFTERWORK_MS
        while clockwork.now_ms < last_ms and self._is_working():
            clockwork.run(clockwork.now_ms + _STEP_MS)
        self.customers.finish_day()
        self.desks.finish_day()
        return self._tally()

    def _is_working(self) -> bool:
        return any(desk.calls for desk in self.desks.desks.values())

    def _tally(self) -> Tally:
        edges = np.asarray(WAIT_EDGES_MS)
        waits = [
            # A backlog may wait longer than the last edge.
            np.bincount(
                np.minimum(np.searchsorted(edges, found, side="left"), len(edges) - 1),
                minlength=len(edges),
            )
            for found in self.customers.waits
        ]
        return Tally(
            replication=self.replication,
            counts=np.asarray(self.customers.rows, dtype=np.int64),
            staffed=np.asarray(self.desks.rows, dtype=np.int64),
            promises=np.asarray(list(self.promises.values()), dtype=np.int64).reshape(-1, 2),
            waits=np.asarray(waits, dtype=np.int64).reshape(len(waits), -1),
            busyness=self.lots.busyness,
            served=np.asarray(self.desks.served, dtype=np.int64),
            ended_ms=self.desks.ended_ms,
        )

    # --- what decisions tell --------------------------------------------------------------

    def _hear(self, decisions: tuple[Decision, ...], _at_ms: int) -> None:
        hearers = self._hearers
        for decision in decisions:
            hear = hearers.get(type(decision))
            if hear is not None:
                hear(decision)

    def _offered(self, decision: OfferContact) -> None:
        """Let the agent accept, decline or miss an offer."""
        call = self.customers.calls[decision.contact_id]
        call.offers += 1
        if not call.source.offers:
            return
        group = self.desks.desks[decision.agent_id].group
        offer = (decision.offer_id, decision.contact_id, decision.agent_id)
        delay_ms = 0
        if group.reaction is not None or group.ignores or group.declines:
            attempt = 100 * call.attempt + min(call.offers, 99)
            lot = self.lots.uniform(call.source, "offer", call.number, attempt)
            if lot < group.ignores:
                return
            if group.reaction is not None:
                lots = self.lots.uniform(call.source, "reaction", call.number, attempt)
                law = law_at(group.reaction, self.prepared.opens_ms + self.now())
                delay_ms = duration_ms(law, lots)
            if lot < group.ignores + group.declines:
                self.call_in(delay_ms, self.feed, OfferDeclined(*offer))
                return
        if delay_ms:
            self.call_in(delay_ms, self._accept, OfferAccepted(*offer))
        else:
            self.feed(OfferAccepted(*offer))

    def _accept(self, event: OfferAccepted) -> None:
        if event.contact_id in self.customers.calls:
            self.feed(event)

    def _assigned(self, decision: AssignContact) -> None:
        call = self.customers.calls[decision.contact_id]
        self.desks.take(call, decision.agent_id)
        if call.source.connects:
            self.feed(OfferConnected(decision.offer_id, call.id, decision.agent_id))
        self.customers.answered(call)
        self.desks.serve(call)

    def _wrapping_up(self, decision: StartWrapUp) -> None:
        self.desks.wrap_up(self.customers.calls[decision.contact_id])

    def _released(self, decision: EndAssignment) -> None:
        call = self.customers.calls.get(decision.contact_id)
        if call is not None:
            self.desks.release(call)

    def _closed(self, decision: CloseContact) -> None:
        call = self.customers.calls.get(decision.contact_id)
        if call is not None:
            self.desks.release(call)
            self.customers.closed(call, decision)

    def _enqueued(self, decision: EnqueueContact) -> None:
        self.customers.back_in_line(self.customers.calls[decision.contact_id])

    def _requeued(self, decision: RequeueContact) -> None:
        call = self.customers.calls.get(decision.contact_id)
        if call is not None:
            self.desks.release(call)
            self.customers.back_in_line(call)

    def _set_aside(self, decision: HoldWork) -> None:
        self.desks.hold(self.customers.calls[decision.contact_id])

    def _taken_up(self, decision: ResumeWork) -> None:
        self.desks.resume(self.customers.calls[decision.contact_id])

    def _refused(self, decision: RefuseEvent) -> None:
        self.customers.refused(decision.subject)

    def _callback_offered(self, decision: OfferCallback) -> None:
        self.customers.callback_offered(self.customers.calls[decision.contact_id])

    def _callback_taken(self, decision: ScheduleCallback) -> None:
        self.customers.callback_taken(self.customers.calls[decision.contact_id])

    def _taken_out(self, decision: ChangeAgentState) -> None:
        self.desks.taken_out(decision.agent_id)

    def _met(self, decision: MeetSla) -> None:
        self.promises[decision.policy][0] += 1

    def _breached(self, decision: BreachSla) -> None:
        self.promises[decision.policy][1] += 1


def play_day(
    scenario: Scenario,
    seed: int,
    replication: int = 0,
    *,
    listeners: tuple[Listener, ...] = (),
) -> Tally:
    """Play one day of a scenario and return what was counted; `listeners` hear every entry."""
    return Day(Prepared(scenario), seed, replication, listeners=listeners).play()
