"""Play the agents of a day: stints, pauses, offers, work, leaving.

A desk follows the decisions alone. What is in an agent's hands is a `Call`; how fast he does it
depends on how many of the channel he has, and work that is set aside stands still: what is left
of it is carried when either changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from configs.planning import Group, Leaving
from router.events import (
    AgentLost,
    AgentPresenceChanged,
    AgentReplied,
    AgentSignedIn,
    AgentSignedOut,
    ContactEnded,
    ContactResolved,
    ContactTransferred,
    WrapUpEnded,
)
from simulation.plan.counting import (
    AFTER,
    AWAY,
    BUSY,
    HANDLED,
    PAID,
    RESOLVED,
    SIGNED_IN,
    TALK_MS,
    TRANSFERS,
    WRAP_UP_MS,
    interval_of,
    spread,
)
from simulation.plan.crews import Crew
from simulation.plan.customers import Call
from simulation.plan.late import Late
from simulation.plan.people import Stint, draw_absent, draw_pauses
from simulation.plan.phases import LOOSE, SERVED, WRAP_UP
from simulation.plan.tallies import Staffed

if TYPE_CHECKING:
    from simulation.plan.day import Day


class Desk:
    """One agent at work."""

    __slots__ = (
        "after_ms", "agent_id", "away_ms", "barred", "busy_ms", "calls", "ending", "group", "index",
        "lost", "paces", "pause_ms", "resting", "session", "signed_ms", "stint",
    )  # fmt: skip

    def __init__(self, agent_id: str, index: int, group: Group) -> None:
        self.agent_id = agent_id
        self.index = index
        self.group = group
        self.calls: dict[str, Call] = {}
        self.session = 0
        self.signed_ms = -1
        self.busy_ms = 0
        self.away_ms = 0
        self.after_ms = -1
        self.pause_ms = 0
        self.resting = False
        self.ending = False
        self.lost = False
        self.barred = False
        self.paces: dict[str, float] = {}
        self.stint: Stint | None = None


class Desks:
    """Play all agents of one day."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.clock = day.clockwork
        prepared = day.prepared
        staff = prepared.staff
        self.desks = {
            member.agent_id: Desk(member.agent_id, member.group, staff.plans[member.group])
            for member in staff.members
        }
        self.late = Late(self)
        self.crews = [Crew(self, i) if plan.staffed else None for i, plan in enumerate(staff.plans)]
        self.rows = [[[0] * len(Staffed) for _ in range(prepared.intervals)] for _ in staff.groups]
        self.served = [[0] * len(prepared.sources) for _ in staff.groups]
        self.ended_ms = 0

    # --- the working day ------------------------------------------------------------------

    def start(self) -> None:
        """Plan every stint of who is not absent, and the outages."""
        day = self.day
        prepared, staff = day.prepared, day.prepared.staff
        absent = draw_absent(staff, day.streams)
        for member in staff.members:
            desk = self.desks[member.agent_id]
            for stint in member.stints:
                self.count(desk, PAID, stint.start_ms, stint.end_ms)
                if member.agent_id in absent:
                    continue
                begins_ms = max(stint.start_ms, day.earliest_ms)
                if self.crews[member.group] is None:
                    day.call_at(begins_ms, self._begin_stint, (desk, stint))
                    day.call_at(stint.end_ms, self._end_stint, (desk, stint))
                for offset_ms, length_ms in draw_pauses(
                    stint, desk.group, day.streams, desk.agent_id
                ):
                    if begins_ms <= offset_ms < stint.end_ms:
                        day.call_at(offset_ms, self._pause, (desk, length_ms))
        for crew in self.crews:
            if crew is not None:
                crew.start(absent)
        for outage in prepared.scenario.outages:
            groups = {staff.groups.index(name) for name in outage.groups}
            since_ms, until_ms = day.offset_of(outage.start), day.offset_of(outage.end)
            day.call_at(since_ms, self._lose, groups)
            day.call_at(until_ms, self._find, groups)

    def count(self, desk: Desk, column: int, since_ms: int, until_ms: int) -> None:
        """Count a stretch of time, given as offsets from opening."""
        spread(self.rows[desk.index], column, since_ms, until_ms, self.day.interval_ms)

    def _begin_stint(self, subject: tuple[Desk, Stint]) -> None:
        desk, stint = subject
        desk.stint = stint
        if desk.signed_ms >= 0:
            # He stayed longer than his last stint: he simply goes on.
            self._settle_after(desk)
            if desk.ending:
                desk.ending = False
                self.show(desk, working=True)
            return
        self.sign_in(desk)

    def sign_in(self, desk: Desk) -> None:
        """Open a new session."""
        day = self.day
        desk.session += 1
        desk.signed_ms = day.now()
        desk.ending = desk.barred = desk.resting = False
        desk.pause_ms = 0
        self.clock.feed(AgentSignedIn(desk.agent_id, desk.session, day.prepared.at_desk))

    def sign_out(self, desk: Desk) -> None:
        """Close the session and count its time."""
        day = self.day
        now = day.now()
        if desk.resting:
            self.count(desk, AWAY, desk.away_ms, now)
            desk.resting = False
        self.count(desk, SIGNED_IN, desk.signed_ms, now)
        self._settle_after(desk)
        desk.signed_ms = -1
        desk.stint = None
        if not desk.lost:
            self.clock.feed(AgentSignedOut(desk.agent_id, desk.session))

    def _settle_after(self, desk: Desk) -> None:
        """Count the time since the shift was over."""
        if desk.after_ms >= 0:
            self.count(desk, AFTER, desk.after_ms, self.day.now())
            desk.after_ms = -1

    def _end_stint(self, subject: tuple[Desk, Stint]) -> None:
        desk, stint = subject
        day = self.day
        if desk.stint is not stint or desk.signed_ms < 0:
            return
        desk.after_ms = day.now()
        if desk.resting or desk.lost:
            self.sign_out(desk)
            return
        stays = desk.group.leaving is Leaving.UNTIL_EMPTY or stint.end_ms >= day.length_ms
        if stays and day.now() < day.horizon_ms and self.late.stay(desk):
            return
        self.send_home(desk)

    def send_home(self, desk: Desk) -> None:
        """Go home by the group's rule."""
        if desk.group.leaving is Leaving.HAND_OVER:
            for call in list(desk.calls.values()):
                self._hand_over(desk, call)
            self.sign_out(desk)
        elif desk.calls:
            desk.ending = True
            self.show(desk, working=False)
        else:
            self.sign_out(desk)

    def _hand_over(self, desk: Desk, call: Call) -> None:
        """Give a contact in hand back to its line, with what is left of its work."""
        if call.phase == SERVED:
            self._carry(call)
            call.carried = True
            self.clock.feed(ContactTransferred(call.id, category=call.category))
        elif call.phase == WRAP_UP:
            self.clock.feed(WrapUpEnded(call.id, desk.agent_id))

    def show(self, desk: Desk, *, working: bool) -> None:
        """Tell the router whether an agent takes work."""
        prepared = self.day.prepared
        presence = prepared.at_desk if working else prepared.away
        if presence and not desk.lost:
            self.clock.feed(AgentPresenceChanged(desk.agent_id, presence, desk.session))

    def _pause(self, subject: tuple[Desk, int]) -> None:
        """Begin a pause; who is busy begins it when he is done."""
        desk, length_ms = subject
        if desk.signed_ms < 0 or desk.after_ms >= 0 or desk.lost:
            return
        desk.pause_ms += length_ms
        if desk.pause_ms > length_ms or desk.resting:
            return
        self.show(desk, working=False)
        if not desk.calls:
            self.rest(desk)

    def rest(self, desk: Desk) -> None:
        """Begin the pause that is due."""
        desk.resting = True
        desk.away_ms = self.day.now()
        length_ms, desk.pause_ms = desk.pause_ms, 0
        self.day.call_at(self.day.now() + length_ms, self._return, (desk, desk.session))

    def _return(self, subject: tuple[Desk, int]) -> None:
        desk, session = subject
        if desk.session != session or not desk.resting:
            return
        self.count(desk, AWAY, desk.away_ms, self.day.now())
        desk.resting = False
        if desk.pause_ms:
            self.rest(desk)
        elif not desk.barred:
            self.show(desk, working=True)

    def taken_out(self, agent_id: str) -> None:
        """Hear that the router set an agent's presence: he is back in a minute."""
        desk = self.desks.get(agent_id)
        if desk is not None and desk.signed_ms >= 0 and not desk.ending:
            self.day.call_in(0, self._pause, (desk, 60_000))

    def _lose(self, groups: set[int]) -> None:
        for desk in self.desks.values():
            if desk.index in groups and desk.signed_ms >= 0:
                desk.lost = True
                for call in desk.calls.values():
                    if call.phase == SERVED:
                        self._carry(call)
                self.clock.feed(AgentLost(desk.agent_id, desk.session))

    def _find(self, groups: set[int]) -> None:
        for desk in self.desks.values():
            if desk.index not in groups or not desk.lost:
                continue
            desk.lost = False
            if desk.stint is not None and desk.signed_ms >= 0:
                desk.session += 1
                self.clock.feed(
                    AgentSignedIn(desk.agent_id, desk.session, self.day.prepared.at_desk)
                )
                for call in desk.calls.values():
                    if call.phase == SERVED and not call.held and not call.speed:
                        self._proceed(call, 1.0)

    # --- work -----------------------------------------------------------------------------

    def take(self, call: Call, agent_id: str) -> None:
        """Hold a contact: from the assignment to the end of wrap-up he is busy."""
        desk = self.desks[agent_id]
        call.desk = desk
        if not desk.calls:
            desk.busy_ms = self.day.now()
        desk.calls[call.id] = call

    def serve(self, call: Call) -> None:
        """Begin the work on a contact that is connected."""
        day = self.day
        desk = call.desk
        assert desk is not None, "who serves has a desk"
        call.phase = SERVED
        call.began_ms = now = day.now()
        rows = self.rows[desk.index]
        rows[interval_of(now, day.interval_ms, len(rows))][HANDLED] += 1
        source = call.source
        self.served[desk.index][source.index] += 1
        if not call.carried:
            pace = desk.paces.get(call.category)
            if pace is None:
                pace = day.prepared.pace(desk.agent_id, desk.index, call.category)
                desk.paces[call.category] = pace
            call.left = day.lots.work(call) * pace
            if source.replies:
                day.call_at(now + day.lots.reply_ms(call, call.left), self._reply, call)
        call.speed = 0.0
        if source.paced:
            self._repace(desk, source.channel)
        else:
            self._proceed(call, 1.0)

    def _repace(self, desk: Desk, channel: str) -> None:
        """Let every contact of a channel go on at the speed that their number allows."""
        day = self.day
        mine = [
            call
            for call in desk.calls.values()
            if call.phase == SERVED and call.source.channel == channel
        ]
        running = [call for call in mine if not call.held]
        speeds = day.prepared.scenario.effects.speeds.get(channel, (1.0,))
        speed = speeds[min(len(running), len(speeds)) - 1]
        for call in running:
            if call.speed != speed:
                self._carry(call)
                self._proceed(call, speed)

    def _carry(self, call: Call) -> None:
        """Stop the work on a contact and keep what is left of it."""
        if call.speed:
            call.left = max(0.0, call.left - (self.day.now() - call.since_ms) * call.speed)
        call.speed = 0.0
        call.token += 1

    def _proceed(self, call: Call, speed: float) -> None:
        """Go on with what is left of the work, at a speed above 0."""
        call.speed = speed
        call.since_ms = self.day.now()
        call.token += 1
        rest_ms = max(1, round(call.left / speed))
        self.clock.call_in(rest_ms, self._finish, (call, call.token))

    def hold(self, call: Call) -> None:
        """Hear that a contact's work is set aside."""
        if call.phase == SERVED and not call.held:
            self._carry(call)
            call.held = True
            assert call.desk is not None, "held work lies on a desk"
            self._repace(call.desk, call.source.channel)

    def resume(self, call: Call) -> None:
        """Hear that it is taken up again."""
        if call.phase == SERVED and call.held:
            call.held = False
            assert call.desk is not None, "resumed work lies on a desk"
            self._repace(call.desk, call.source.channel)

    def _reply(self, call: Call) -> None:
        if call.phase == SERVED and not call.replied:
            call.replied = True
            self.clock.feed(AgentReplied(call.id))

    def _finish(self, subject: tuple[Call, int]) -> None:
        """End the talk: settled, passed on, or only ended."""
        call, token = subject
        if call.token != token or call.phase != SERVED:
            return
        day, desk = self.day, call.desk
        assert desk is not None, "work ends at a desk"
        call.token += 1
        call.row[TALK_MS] += day.now() - call.began_ms
        if call.source.replies and not call.replied:
            call.replied = True
            self.clock.feed(AgentReplied(call.id))
        onward = day.lots.transfer_to(call)
        call.carried = False
        if onward:
            call.row[TRANSFERS] += 1
            call.category = onward
            call.visit += 1
            self.clock.feed(ContactTransferred(call.id, category=onward))
        elif day.lots.is_resolved(call, desk.agent_id):
            call.row[RESOLVED] += 1
            self.clock.feed(ContactResolved(call.id))
        else:
            day.customers.come_back(call)
            self.clock.feed(ContactEnded(call.id))

    def wrap_up(self, call: Call) -> None:
        """Hear that the work after the contact begins."""
        day = self.day
        call.phase = WRAP_UP
        call.token += 1
        call.began_ms = day.now()
        desk = call.desk
        assert desk is not None, "wrap-up is done at a desk"
        if call.source.paced:
            self._repace(desk, call.source.channel)
        self.clock.call_in(day.lots.wrap_up_ms(call), self._wrapped_up, (call, call.token))

    def _wrapped_up(self, subject: tuple[Call, int]) -> None:
        call, token = subject
        if call.token == token and call.phase == WRAP_UP and call.desk is not None:
            self.clock.feed(WrapUpEnded(call.id, call.desk.agent_id))

    def release(self, call: Call) -> None:
        """Hear that the contact is no longer this agent's."""
        desk = call.desk
        if desk is None:
            return
        day = self.day
        if call.phase == WRAP_UP:
            call.row[WRAP_UP_MS] += day.now() - call.began_ms
        was_served = call.phase == SERVED
        call.desk = None
        call.held = False
        call.token += 1
        call.phase = LOOSE
        desk.calls.pop(call.id, None)
        if call.source.paced and was_served and desk.calls:
            self._repace(desk, call.source.channel)
        if desk.calls:
            return
        self.ended_ms = day.now()
        self.count(desk, BUSY, desk.busy_ms, self.ended_ms)
        crew = self.crews[desk.index]
        if desk.ending:
            self.sign_out(desk)
        elif crew is not None and desk.barred:
            crew.freed(desk)
        elif desk.pause_ms and not desk.resting and desk.signed_ms >= 0:
            self.rest(desk)
        day.dialers.freed()

    def finish_day(self) -> None:
        """Count the time of those who are still there."""
        now = self.day.now()
        for desk in self.desks.values():
            if desk.calls:
                self.count(desk, BUSY, desk.busy_ms, now)
            if desk.signed_ms >= 0:
                if desk.resting:
                    self.count(desk, AWAY, desk.away_ms, now)
                self.count(desk, SIGNED_IN, desk.signed_ms, now)
                self._settle_after(desk)
