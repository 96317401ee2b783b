"""Follow a new version of the configuration, and the events of the centre as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.agents import AgentState
from router.assignments import withdraw_offer
from router.calendars import opening_hours
from router.checks import check_center, config_hash
from router.contacts import ContactState
from router.deadlines import NEVER
from router.decisions import ActivateCenter, Reason
from router.doors import hang_doors
from router.events import (
    CenterChanged,
    CustomerErased,
    EngineActivated,
    OverloadSwitched,
    RecordRefused,
)
from router.guards import find_abilities, make_guards
from router.lines import place_of
from router.plan import ChannelPlan, ProfileKey, QueuePlan, make_profile
from router.policies.agent_selection import POLICIES, SCORED, Decay
from router.policies.contact_selection import BY_DEADLINE, POLICY_ORDER
from router.records import Agent, Contact, Scores
from router.refusals import note_duplicate, refuse
from router.retargeting import retarget_clocks
from router.sla import ALWAYS
from router.waiting import requeue
from router.windows import CallWindows

if TYPE_CHECKING:
    from router.center import Center
    from router.floor import Floor


def on_center_changed(floor: Floor, event: CenterChanged) -> None:
    """Take a new configuration over, as a whole or not at all."""
    center = event.center
    digest = config_hash(center)
    old = floor.center
    if old is not None:
        if center.name != old.name or center.version < old.version:
            reason = Reason.BAD_CENTER if center.name != old.name else Reason.STALE
            refuse(floor, reason, center.name)
            return
        if center.version == old.version:
            if digest == floor.config_hash:
                note_duplicate(floor, center.name)
            else:
                refuse(floor, Reason.VERSION_CONFLICT, center.name)
            return
    if any(not problem.warning for problem in check_center(center)):
        refuse(floor, Reason.BAD_CENTER, center.name)
        return
    in_use = find_in_use(floor, event)
    if in_use:
        refuse(floor, Reason.STILL_IN_USE, in_use)
        return
    floor.out.append(ActivateCenter(center.version, digest, Reason.CONFIGURED))
    change_center(floor, event, digest)


def open_contacts_of(floor: Floor) -> list[Contact]:
    """Return all contacts that have not ended, oldest first."""
    found = [c for c in floor.contacts.values() if c.state != ContactState.ENDED]
    found.sort(key=place_of)
    return found


def find_in_use(floor: Floor, event: CenterChanged) -> str:
    """Return the name of something that open contacts still need and that would be gone."""
    center = event.center
    channels, queues = plans_of(center)
    hours = opening_hours(center)
    for name in event.drain:
        if name in floor.queues:
            queues.setdefault(name, floor.queues[name])
    keys: dict[ProfileKey, bool] = {}
    for contact in open_contacts_of(floor):
        key, more = moved_key(contact.profile.key, event), contact.more
        if key not in keys:
            keys[key] = True
            made = make_profile(center, key, channels, queues, hours)
            if isinstance(made, str):
                part = key[KEY_PARTS[made]]
                return part if isinstance(part, str) and part else made
        names = []
        if more is not None and more.queue is not None:
            names.append(more.queue.name)
        if contact.lane is not None:
            names.append(contact.lane.demand.queue.name)
        for name in names:
            if event.move_to.get(name, name) not in queues:
                return name
    return "need_sets" if len(keys) > center.limits.need_sets else ""


# where in a profile key the fact stands that `make_profile` may name
KEY_PARTS = {"channel": 0, "category": 1, "queue": 5, "skill": 3}


def moved_key(key: ProfileKey, event: CenterChanged) -> ProfileKey:
    """Return a contact's facts with its own queue replaced where the event moves it."""
    if key[5] in event.move_to:
        return (key[0], key[1], key[2], key[3], key[4], event.move_to[key[5]], key[6])
    return key


def plans_of(center: Center) -> tuple[dict[str, ChannelPlan], dict[str, QueuePlan]]:
    """Make the channels and queues of a configuration ready."""
    channels = {
        name: ChannelPlan(index, name, channel)
        for index, (name, channel) in enumerate(center.channels.items())
    }
    return channels, {name: QueuePlan(name, queue) for name, queue in center.queues.items()}


def change_center(floor: Floor, event: CenterChanged, digest: str) -> None:
    """Rebuild plans, lines and benches around the contacts and agents that are there."""
    for agent in list(floor.agents.values()):
        floor.stand_up(agent)
        if agent.agent_id not in event.center.agents:
            remove_agent(floor, agent)
    contacts = open_contacts_of(floor)
    waiting = [c for c in contacts if c.state == ContactState.WAITING]
    queues_before = {c.contact_id: c.lane.demand.queue.name for c in contacts if c.lane is not None}
    for contact in waiting:
        if contact.work is None and contact.lane is not None:
            floor.stop_waiting(contact)
            if contact.more is not None:
                contact.more.affinity = None
    old = floor.center
    put_in_force(floor, event.center, digest, drain=event.drain)
    change_agents(floor, event.center, old)
    for contact in contacts:
        refit_contact(floor, contact, event, queues_before.get(contact.contact_id, ""))
    for contact in contacts:
        if event.rebase:
            retarget_clocks(floor, contact)
        floor.set_alarm(contact)
    for contact in waiting:
        requeue(floor, contact, Reason.CENTER_CHANGED)
    for agent in sorted(floor.agents.values(), key=turn_of):
        floor.freed.append(agent)


def turn_of(agent: Agent) -> int:
    """Return the place of an agent in the order of idleness."""
    return agent.turn


def put_in_force(floor: Floor, center: Center, digest: str, drain: tuple[str, ...] = ()) -> None:
    """Put a configuration in force, without contacts and agents."""
    before = floor.queues
    floor.center = center
    floor.config_hash = digest
    floor.channels, floor.queues = plans_of(center)
    floor.channel_list = list(floor.channels.values())
    floor.hours = opening_hours(center)
    for name in drain:
        if name in before and name not in floor.queues:
            floor.queues[name] = QueuePlan(name, before[name].spec)
            floor.queues[name].draining = True
    for name, queue in floor.queues.items():
        if name in before:
            queue.last_rank = before[name].last_rank
            queue.drawn = before[name].drawn
            queue.passed = before[name].passed
    floor.profiles = {}
    floor.demands = {}
    floor.demand_list = []
    floor.lanes = {}
    floor.waiting_mask = 0
    hang(floor)
    floor.life_ms = center.limits.contact_life_ms
    floor.window_ms = center.limits.duplicate_window_ms
    # What was remembered for longer may be over.
    floor.oldest_ms = 0
    note_policies(floor, center)
    if floor.keeps_scores and not floor.decay.landmark_ms:
        floor.decay = Decay(floor.now_ms)
    register_durations(floor, center)


def note_policies(floor: Floor, center: Center) -> None:
    """Look up once what the channels and policies of a centre need."""
    floor.calls = CallWindows(center.callbacks, floor.hours)
    floor.units_min = min((channel.units for channel in floor.channel_list), default=0)
    floor.interrupting = any(channel.interrupts for channel in floor.channel_list)
    floor.promises_by_priority = any(p.priorities for p in center.promises.values())
    floor.keeps_scores = any(
        POLICIES[queue.agent_policy][3] == SCORED for queue in center.queues.values()
    )
    floor.team_policy = {
        name: POLICY_ORDER.index(team.contact_policy or center.contact_policy)
        for name, team in center.teams.items()
    }
    floor.by_deadline = BY_DEADLINE in floor.team_policy.values()
    if floor.guards is not None:
        floor.timers.cancel(floor.guards)
    floor.guards = make_guards(center, floor.guards)
    floor.queue_shares = sum(queue.queue_share for queue in center.queues.values())


def hang(floor: Floor) -> None:
    """Give the queues their doors, as they are now, and arm each for its next edge."""
    for door in floor.doors:
        floor.timers.cancel(door)
    floor.doors = hang_doors(floor.queues.values(), floor.hours, floor.now_ms)
    for door in floor.doors:
        if door.turns_ms != NEVER:
            floor.timers.arm_odd(door, door.turns_ms)


def register_durations(floor: Floor, center: Center) -> None:
    """Give every duration that the configuration knows its own list of timers."""
    durations = [center.limits.contact_life_ms]
    rules = center.offers
    durations += [
        rules.backoff_declined_ms,
        rules.backoff_expired_ms,
        rules.backoff_busy_ms,
        rules.backoff_unreachable_ms,
        rules.heartbeat_timeout_ms,
        rules.lost_agent_timeout_ms,
    ]
    for channel in center.channels.values():
        durations += [channel.offer_timeout_ms, channel.connect_timeout_ms]
    for queue in center.queues.values():
        durations += [queue.wait_max_ms, queue.ring_step_ms]
    for category in center.categories.values():
        durations += [
            category.offer_timeout_ms,
            category.wrap_up_ms,
            category.preferred_wait_ms,
            category.last_agent_wait_ms,
        ]
        before_ms = 0
        for step in category.steps:
            durations += [step.after_ms, step.after_ms - before_ms]
            before_ms = step.after_ms
    for promise in center.promises.values():
        if promise.calendar != ALWAYS:
            continue
        before_ms = 0
        for percent in (*promise.warnings, 100):
            threshold_ms = promise.target_ms * percent // 100
            durations += [threshold_ms, threshold_ms - before_ms]
            before_ms = threshold_ms
    for duration_ms in durations:
        if duration_ms > 0:
            floor.timers.lane(duration_ms)


def change_agents(floor: Floor, center: Center, old: Center | None) -> None:
    """Add new agents, and change those whose description changed since the old version."""
    for index, (agent_id, spec) in enumerate(center.agents.items()):
        agent = floor.agents.get(agent_id)
        if agent is None:
            agent = Agent(agent_id, index, spec.team)
            floor.agents[agent_id] = agent
        agent.removed = False
        agent.index = index
        if old is None or old.agents.get(agent_id) != spec:
            agent.team = spec.team
            agent.skills = dict(spec.skills)
            agent.capacity = spec.capacity
        if floor.keeps_scores and agent.scores is None:
            agent.scores = Scores()
    for agent in floor.agents.values():
        known = center.agents.get(agent.agent_id)
        own_max = {} if known is None else known.channel_max
        agent.channel_max = [
            own_max.get(channel.name, channel.agent_max) for channel in floor.channel_list
        ]
        count_work(floor, agent)
        agent.seats = [[] for _ in floor.channel_list]
        agent.masks = [0] * len(floor.channel_list)
        find_abilities(floor, agent)


def remove_agent(floor: Floor, agent: Agent) -> None:
    """Part with an agent who is no longer configured; one at work finishes it first."""
    for offer in list(agent.offers):
        contact = offer.contact
        withdraw_offer(floor, offer, Reason.AGENT_SIGNED_OUT)
        if contact.work is None:
            contact.state = ContactState.WAITING
            floor.wait_in(contact, floor.home_lane(contact))
    agent.removed = True
    agent.state = AgentState.SIGNED_OUT
    agent.backing_off = False
    floor.timers.cancel(agent)
    if agent.heartbeat is not None:
        floor.timers.cancel(agent.heartbeat)
    if not agent.works:
        del floor.agents[agent.agent_id]


def count_work(floor: Floor, agent: Agent) -> None:
    """Count an agent's units anew, by the costs of the channels as they are now."""
    agent.counts = [0] * len(floor.channel_list)
    agent.units = agent.active_units = agent.firm_units = agent.offered_units = 0
    for work in agent.works:
        channel = floor.channels[work.channel.name]
        work.channel = channel
        agent.counts[channel.index] += 1
        agent.units += channel.units
        if not work.held:
            agent.active_units += channel.units
        if not channel.spec.interruptible:
            agent.firm_units += channel.units
    for offer in agent.offers:
        channel = floor.channels[offer.contact.profile.channel.name]
        agent.counts[channel.index] += 1
        agent.offered_units += channel.units


def refit_contact(floor: Floor, contact: Contact, event: CenterChanged, queue_name: str) -> None:
    """Find the profile and the lane of an open contact in the new configuration.

    Clocks already running keep the promise under which they were started.
    """
    profile = floor.profile(moved_key(contact.profile.key, event))
    assert not isinstance(profile, Reason), "what open contacts need was looked for before"
    contact.profile = profile
    more = contact.more
    if more is not None:
        more.step = min(more.step, len(profile.category.steps))
        more.queue = None
    name = event.move_to.get(queue_name, queue_name)
    if name and name != profile.queue.name:
        floor.more_of(contact).queue = floor.queues[name]
    if contact.lane is not None:
        contact.lane = floor.home_lane(contact)


def on_overload_switched(floor: Floor, event: OverloadSwitched) -> None:
    """Switch the overload rules on or off."""
    if event.active == floor.overload:
        note_duplicate(floor, "overload")
    else:
        floor.overload = event.active


def on_record_refused(floor: Floor, event: RecordRefused) -> None:
    """Put on record that an input could not be read."""
    try:
        reason = Reason(event.reason)
    except ValueError:
        reason = Reason.BAD_SCHEMA
    refuse(floor, reason, event.body_hash)


def on_engine_activated(floor: Floor, event: EngineActivated) -> None:
    """Mark where another version of this software took over; routing goes on unchanged."""


def on_customer_erased(floor: Floor, event: CustomerErased) -> None:
    """Forget who served a customer last, and how he left: the token leads nowhere any more."""
    floor.last_agents.pop(event.customer, None)
    floor.asked_customers.pop(event.customer, None)
    for key in [key for key in floor.traces if key[0] == event.customer]:
        del floor.traces[key]
