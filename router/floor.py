"""Hold everything the fold knows, and keep its indexes true.

The floor has no opinion: it finds the lane of a contact, seats agents at the benches of the demands
they can serve, and arms timers. Who gets what is decided in `router.matching`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from router import states, whys
from router.bench import Seat
from router.deadlines import NEVER, Timers
from router.decisions import Reason
from router.doors import Door, due_by, rests
from router.lines import Demand, Dues, Lane
from router.plan import ChannelPlan, Profile, ProfileKey, QueuePlan, make_profile
from router.policies.agent_selection import POLICIES, Decay, make_bench
from router.policies.contact_selection import due_ms, lane_ranks
from router.records import PLACE_BITS, Agent, Clock, Contact, Ending, More, Offer, Trace
from router.skills import qualifies
from router.windows import CallWindows

if TYPE_CHECKING:
    from router.calendars import OpeningHours
    from router.center import Center, PromiseAction
    from router.decisions import Decision
    from router.keeping import Guards

# An agent on break counts as staffed: he may come back for the contact that waits for him.
STAFFED = (states.READY, states.AWAY)

_UNKNOWN = {
    "channel": whys.UNKNOWN_CHANNEL,
    "category": whys.UNKNOWN_CATEGORY,
    "queue": whys.UNKNOWN_QUEUE,
    "skill": whys.UNKNOWN_SKILL,
}


class Floor:
    """Hold the contacts, agents, lines, offers and timers of one centre.

    `freed` lists the agents who may have become able to take something; they are served at the end
    of each step. `due_actions` lists what promises want done about a warning or a breach. `out`
    collects the decisions of the event at hand.
    """

    __slots__ = (
        "agents",
        "asked",
        "asked_customers",
        "by_deadline",
        "calls",
        "center",
        "channel_list",
        "channels",
        "closed",
        "config_hash",
        "contacts",
        "decay",
        "demand_list",
        "demands",
        "doors",
        "due_actions",
        "event_ids",
        "event_order",
        "freed",
        "guards",
        "hours",
        "interrupting",
        "keeps_scores",
        "lanes",
        "last_agents",
        "life_ms",
        "next_offer",
        "next_place",
        "now_ms",
        "offers",
        "oldest_ms",
        "open_contacts",
        "out",
        "overload",
        "profiles",
        "promises_by_priority",
        "queue_shares",
        "queues",
        "surveyed",
        "team_policy",
        "timers",
        "tombstone_order",
        "tombstones",
        "traces",
        "turn",
        "units_min",
        "waiting",
        "waiting_mask",
        "window_ms",
    )

    def __init__(self) -> None:
        self.now_ms = 0
        self.out: list[Decision] = []
        self.freed: list[Agent] = []
        self.due_actions: list[tuple[Clock, PromiseAction]] = []
        self.center: Center | None = None
        self.config_hash = ""
        self.timers = Timers()
        self.contacts: dict[str, Contact] = {}
        self.agents: dict[str, Agent] = {}
        self.offers: dict[int, Offer] = {}
        self.channels: dict[str, ChannelPlan] = {}
        self.channel_list: list[ChannelPlan] = []
        self.queues: dict[str, QueuePlan] = {}
        self.hours: dict[str, OpeningHours] = {}
        self.doors: list[Door] = []
        self.profiles: dict[ProfileKey, Profile] = {}
        self.demands: dict[
            tuple[str, tuple[tuple[str, int], ...], tuple[str, ...], str], Demand
        ] = {}
        self.demand_list: list[Demand] = []
        self.lanes: dict[tuple[int, int, int], Lane] = {}
        self.team_policy: dict[str, int] = {}
        self.waiting_mask = 0
        self.waiting = 0
        self.by_deadline = False
        self.queue_shares = 0
        self.guards: Guards | None = None
        self.next_offer = 1
        self.next_place = 0
        self.turn = 0
        self.open_contacts = 0
        self.oldest_ms = 0
        self.closed: deque[Ending] = deque()
        self.tombstones: dict[str, int] = {}
        self.tombstone_order: deque[tuple[int, str]] = deque()
        self.event_ids: dict[str, int] = {}
        self.event_order: deque[tuple[int, str]] = deque()
        self.last_agents: dict[str, str] = {}
        self.surveyed: dict[str, int] = {}
        self.asked: deque[Ending] = deque()
        self.asked_customers: dict[str, int] = {}
        self.traces: dict[tuple[str, str], Trace] = {}
        self.calls = CallWindows()
        self.overload = False
        self.decay = Decay(0)
        self.keeps_scores = False
        self.life_ms = 0
        self.window_ms = 0
        self.units_min = 0
        self.interrupting = False
        self.promises_by_priority = False

    # --- places, profiles, lanes ------------------------------------------------------

    def take_place(self) -> int:
        """Return the place of a contact that arrives now: later than every place given out."""
        self.next_place = max(self.next_place + 1, self.now_ms << PLACE_BITS)
        return self.next_place

    def profile(self, key: ProfileKey) -> Profile | Reason:
        """Return the profile of a contact's facts, or why there can be none."""
        known = self.profiles.get(key)
        if known is not None:
            return known
        center = self.center
        assert center is not None, "a centre comes before contacts"
        made = make_profile(center, key, self.channels, self.queues, self.hours)
        if isinstance(made, str):
            return _UNKNOWN[made]
        if len(self.profiles) >= center.limits.need_sets:
            return whys.LIMIT_REACHED
        self.profiles[key] = made
        return made

    def home_lane(self, contact: Contact) -> Lane:
        """Return the lane in which the contact waits at its present queue, step and priority."""
        profile = contact.profile
        more = contact.more
        if more is None or (more.queue is None and not more.raised):
            lane = profile.lanes[contact.step]
            if lane is None:
                lane = self._find_lane(profile, profile.queue, contact.step, 0)
                profile.lanes[contact.step] = lane
            return lane
        queue = profile.queue if more.queue is None else more.queue
        return self._find_lane(profile, queue, contact.step, more.raised)

    def _find_lane(self, profile: Profile, queue: QueuePlan, step: int, raised: int) -> Lane:
        demand = self.demand(
            queue, profile.needs_at(step), profile.teams_at(queue, step), profile.channel
        )
        priority = min(profile.priority_at(step) + raised, 9)
        key = (demand.index, priority, profile.lead_ms)
        lane = self.lanes.get(key)
        if lane is None:
            assert self.center is not None, "a centre comes before lanes"
            ranks = lane_ranks(priority, self.center.ageing_points_ms, PLACE_BITS)
            lane = Lane(len(self.lanes), demand, priority, ranks, profile.lead_ms)
            self.lanes[key] = lane
            position = len(demand.lanes)
            while position and demand.lanes[position - 1].priority < priority:
                position -= 1
            demand.lanes.insert(position, lane)
        return lane

    def demand(
        self,
        queue: QueuePlan,
        needs: tuple[tuple[str, int], ...],
        teams: tuple[str, ...],
        channel: ChannelPlan,
    ) -> Demand:
        """Return a demand; the first contact of a new one costs a look at every agent."""
        key = (queue.name, needs, teams, channel.name)
        demand = self.demands.get(key)
        if demand is None:
            bench = make_bench(queue, divided=self.guards is not None)
            demand = Demand(len(self.demand_list), queue, needs, teams, channel, bench)
            if self.by_deadline:
                demand.dues = Dues()
            self.demands[key] = demand
            self.demand_list.append(demand)
            for agent in self.agents.values():
                self.give_seat(agent, demand)
        return demand

    def wait_in(self, contact: Contact, lane: Lane) -> None:
        """Let a contact wait in a lane, or until its queue opens."""
        contact.lane = lane
        demand = lane.demand
        queue = demand.queue
        queue.waiting += 1
        self.waiting += 1
        if queue.shut and rests(queue, contact):
            queue.resting[contact.contact_id] = contact
            return
        lane.join(contact)
        if demand.dues is not None:
            demand.dues.put(contact, due_ms(contact))
        self.waiting_mask |= demand.bit

    def stop_waiting(self, contact: Contact) -> None:
        """Take a waiting contact out of its lane, or from the one agent it waits for."""
        lane = contact.lane
        assert lane is not None, "a waiting contact has a lane"
        demand = lane.demand
        queue = demand.queue
        queue.waiting -= 1
        self.waiting -= 1
        if queue.resting and queue.resting.pop(contact.contact_id, None) is not None:
            return
        more = contact.more
        if more is not None and more.affinity is not None:
            own = more.affinity.own
            assert own is not None, "the agent knows who waits for him"
            own.remove(contact.place, 0)
            return
        lane.leave(contact)
        if demand.dues is not None:
            demand.dues.drop(contact)
        if not demand.waiting:
            self.waiting_mask &= ~demand.bit

    def note_due(self, contact: Contact) -> None:
        """Put a contact whose clocks have changed where it belongs now, if it stands in line."""
        lane = contact.lane
        if lane is None or contact.state != states.WAITING:
            return
        dues = lane.demand.dues
        # One that waits for its own agent, or is about to wait, stands in no order.
        if dues is not None and contact.place in dues.keys:
            dues.put(contact, due_ms(contact))

    # --- agents and their seats ---------------------------------------------------------

    def may_serve(self, agent: Agent, demand: Demand) -> bool:
        """Say whether an agent has the skills and the team for a demand."""
        return (
            not agent.removed
            and (not demand.teams or agent.team in demand.teams)
            and qualifies(agent.skills, demand.needs)
        )

    def give_seat(self, agent: Agent, demand: Demand) -> None:
        """Give an agent a seat at a demand that he may serve."""
        if not self.may_serve(agent, demand):
            return
        rank = POLICIES[demand.queue.spec.agent_policy][0]
        seat = Seat(agent, demand, rank(agent, demand))
        index = demand.channel.index
        agent.seats[index].append(seat)
        agent.masks[index] |= demand.bit
        demand.seats.append(seat)
        if agent.state in STAFFED:
            demand.staffed += 1
        if agent.open_mask >> index & 1:
            agent.mask |= demand.bit
            seat.tie = agent.turn
            demand.bench.take(seat)

    def reseat(self, agent: Agent) -> None:
        """Give an agent all his seats anew, after his skills or the centre changed."""
        self.stand_up(agent)
        staffed = agent.state in STAFFED
        for seats in agent.seats:
            for seat in seats:
                seat.demand.seats.remove(seat)
                if staffed:
                    seat.demand.staffed -= 1
        agent.seats = [[] for _ in self.channel_list]
        agent.masks = [0] * len(self.channel_list)
        for demand in self.demand_list:
            self.give_seat(agent, demand)

    def channels_open(self, agent: Agent) -> int:
        """Return a bit for each channel on which the agent could take one contact more."""
        if agent.state != states.READY or agent.backing_off or agent.removed:
            return 0
        offered = agent.offered_units
        total = agent.units + offered
        if not total:
            return agent.idle_mask
        if total + self.units_min > agent.capacity and not self.interrupting:
            return 0
        mask = 0
        for channel in self.channel_list:
            index = channel.index
            load = agent.firm_units + offered if channel.interrupts else total
            if load + channel.units > agent.capacity:
                continue
            most = agent.channel_max[index]
            if not most or agent.counts[index] < most:
                mask |= 1 << index
        return mask

    def demands_of(self, agent: Agent, open_mask: int) -> int:
        """Return a bit for each demand that the agent may serve on the open channels."""
        mask = 0
        index = 0
        while open_mask:
            if open_mask & 1:
                mask |= agent.masks[index]
            open_mask >>= 1
            index += 1
        return mask

    def stand_up(self, agent: Agent) -> None:
        """Let an agent leave all benches."""
        open_mask = agent.open_mask
        if not open_mask:
            return
        agent.open_mask = 0
        agent.mask = 0
        index = 0
        while open_mask:
            if open_mask & 1:
                for seat in agent.seats[index]:
                    seat.demand.bench.leave(seat)
            open_mask >>= 1
            index += 1
        if agent.counted and self.guards is not None:
            self.guards.uncount(agent)

    def sit_down(self, agent: Agent, open_mask: int) -> None:
        """Let an agent take his seats for the open channels; he sits nowhere before."""
        if self.guards is not None:
            self.guards.count(agent)
        agent.open_mask = open_mask
        agent.mask = self.demands_of(agent, open_mask)
        turn = agent.turn
        index = 0
        while open_mask:
            if open_mask & 1:
                for seat in agent.seats[index]:
                    demand = seat.demand
                    rank = demand.rank
                    if rank is not None:
                        seat.rank = rank(agent, demand)
                    seat.tie = turn
                    demand.bench.take(seat)
            open_mask >>= 1
            index += 1

    def take_turn(self, agent: Agent) -> None:
        """Put an agent behind all others in the order of idleness."""
        self.turn += 1
        agent.turn = self.turn

    def policy_of(self, agent: Agent) -> int:
        """Return the number of the contact policy by which the agent chooses."""
        return self.team_policy.get(agent.team, 0)

    # --- timers of contacts ------------------------------------------------------------

    def next_step_ms(self, contact: Contact) -> int:
        """Return when the contact's next routing step is due."""
        steps = contact.profile.category.steps
        if contact.step >= len(steps):
            return NEVER
        more = contact.more
        began_ms = more.steps_from_ms if more is not None else 0
        lane = contact.lane
        hours = None if lane is None else lane.demand.queue.hours
        return due_by(hours, began_ms or contact.arrived_ms, steps[contact.step].after_ms)

    def queue_limit_ms(self, contact: Contact) -> int:
        """Return when the contact will have waited too long for its queue; callbacks never do."""
        lane = contact.lane
        assert lane is not None, "a waiting contact has a lane"
        queue = lane.demand.queue
        limit_ms = queue.spec.wait_max_ms
        more = contact.more
        if not limit_ms or (more is not None and more.callback_due_ms >= 0):
            return NEVER
        began_ms = more.entered_ms if more is not None else 0
        return due_by(queue.hours, began_ms or contact.arrived_ms, limit_ms)

    def set_alarm(self, contact: Contact) -> None:
        """Arm the contact for the earliest thing that time alone will do to it."""
        due_ms = contact.arrived_ms + self.life_ms
        more = contact.more
        state = contact.state
        if more is not None and more.reopened_ms:
            due_ms = more.reopened_ms + self.life_ms
        if state == states.WAITING:
            due_ms = min(due_ms, self.next_step_ms(contact), self.queue_limit_ms(contact))
            if more is not None and more.affinity is not None:
                due_ms = min(due_ms, more.affinity_until_ms)
            if more is not None and more.callback_due_ms >= 0:
                spec = contact.profile.queue.spec
                due_ms = min(due_ms, self.calls.closing_ms(spec.calendar, self.now_ms))
        elif state == states.SCHEDULED and more is not None:
            due_ms = min(due_ms, more.callback_due_ms)
        due_ms = max(due_ms, self.now_ms)
        timers = self.timers
        if contact.fifo is not None:
            if timers.due_ms(contact) == due_ms:
                return
            timers.cancel(contact)
        timers.arm(contact, self.now_ms, due_ms - self.now_ms)

    def more_of(self, contact: Contact) -> More:
        """Return the rarer facts of a contact, made on first use."""
        more = contact.more
        if more is None:
            more = More()
            contact.more = more
        return more
