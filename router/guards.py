"""Say who may be given to whom just now: reserves, lending, weights of pairs.

A *guard* holds agents back from contacts that they could serve. Three are known:

- a *reserve* keeps idle agents for one queue; other queues get an idle agent only beyond it;
- *lending*: a team takes contacts of other queues only while its own service level is safe;
- a *pair weight* below zero: a team takes the contacts of a queue only after some waiting
  (Chan, Koole & L'Ecuyer, "Dynamic call center routing policies using call waiting and agent idle
  times", M&SOM 16, 2014).

Contacts bound to one agent (preferred, last) are never held back. Each bench is divided into rows
of agents for whom the guards say the same, so that a held row is passed over as a whole, whatever
its length. When a guard opens, the heads of all lanes look again; when only time can open one,
the guards are armed for that instant.

Cost: O(guards + rows) per question, O(lanes) when a guard opens. A centre without guards asks
one question per event: is there any?
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from router import states
from router.bench import DividedBench, RankedBench, Row, Seat, mix
from router.center import AgentPolicy
from router.deadlines import NEVER
from router.decisions import Exit
from router.keeping import Guards, Lending, Reserve
from router.policies.agent_selection import GRADED, POLICIES
from router.skills import needs_of, qualifies

if TYPE_CHECKING:
    from router.center import Center, PairWeight
    from router.floor import Floor
    from router.lines import Demand, Lane
    from router.records import Agent, Contact


# --- the guards of a configuration -----------------------------------------------------------


def make_guards(center: Center, before: Guards | None) -> Guards | None:
    """Return the guards that a configuration asks for, None if it asks for none.

    What those before knew of the same queues and teams is kept.
    """
    guards = Guards()
    for name, queue in center.queues.items():
        if queue.reserve:
            wanted = tuple(
                needs_of(category.needs, {}, {})
                for category in center.categories.values()
                if category.queue == name
            )
            reserve = Reserve(
                len(guards.reserves), name, queue.reserve, queue.reserve_band, queue.teams, wanted
            )
            guards.reserves.append(reserve)
            guards.reserve_bits[name] = reserve.bit
    for name, team in center.teams.items():
        if team.own_queues and team.lend_percent:
            guards.lendings[name] = Lending(
                name,
                frozenset(team.own_queues),
                team.lend_percent,
                team.lend_band,
                team.lend_window_ms,
            )
        for queue_name, weight in team.pairs.items():
            guards.pairs[name, queue_name] = weight
    by_pairs = any(q.agent_policy is AgentPolicy.HEAVIEST_PAIR for q in center.queues.values())
    if not (guards.reserves or guards.lendings or guards.pairs or by_pairs):
        return None
    if before is not None:
        _carry_over(guards, before)
    return guards


def _carry_over(guards: Guards, before: Guards) -> None:
    shut = {reserve.queue for reserve in before.reserves if reserve.shut}
    for reserve in guards.reserves:
        reserve.shut = reserve.queue in shut
    for name, lending in guards.lendings.items():
        known = before.lendings.get(name)
        if known is not None and known.own == lending.own:
            lending.answers, lending.good, lending.shut = known.answers, known.good, known.shut
            lending.touched = True


def find_abilities(floor: Floor, agent: Agent) -> None:
    """Find out what an agent without work could do: channels, and reserves that he counts for."""
    mask = 0
    for channel in floor.channel_list:
        if channel.units <= agent.capacity:
            mask |= 1 << channel.index
    agent.idle_mask = mask
    agent.keeps = 0
    if floor.guards is None:
        return
    for reserve in floor.guards.reserves:
        able = not reserve.teams or agent.team in reserve.teams
        if able and any(qualifies(agent.skills, needs) for needs in reserve.wanted):
            agent.keeps |= reserve.bit


# --- may these two meet? ---------------------------------------------------------------------


def holds_back(floor: Floor, agent: Agent, demand: Demand) -> bool:
    """Say whether a reserve or the own service level keeps an agent from a queue."""
    return (
        lending_against(floor, agent, demand) is not None
        or reserve_against(floor, agent, demand) is not None
    )


def lending_against(floor: Floor, agent: Agent, demand: Demand) -> Lending | None:
    """Return the guard of the agent's own service level, if it keeps him from a queue."""
    guards = floor.guards
    assert guards is not None, "asked only where there are guards"
    lending = guards.lendings.get(agent.team)
    if lending is None or not lending.shut or demand.queue.name in lending.own:
        return None
    return lending


def reserve_against(floor: Floor, agent: Agent, demand: Demand) -> Reserve | None:
    """Return the first reserve that an idle agent is needed for, if the queue is another."""
    guards = floor.guards
    assert guards is not None, "asked only where there are guards"
    if not agent.counted:
        return None
    keeps = agent.keeps & ~guards.reserve_bits.get(demand.queue.name, 0)
    if keeps:
        for reserve in guards.reserves:
            if keeps & reserve.bit and not reserve.spares_one():
                return reserve
    return None


def weight_of(floor: Floor, agent: Agent, demand: Demand) -> PairWeight | None:
    """Return the weight of the agent's team and a queue, None if it has none of its own."""
    guards = floor.guards
    return None if guards is None else guards.pairs.get((agent.team, demand.queue.name))


def pair_score(floor: Floor, agent: Agent, lane: Lane, wait_ms: int) -> int:
    """Return base + wait weight * wait + idle weight * idle time, in weighted milliseconds."""
    weight = weight_of(floor, agent, lane.demand)
    if weight is None:
        return wait_ms
    return weight.base_ms + weight.wait * wait_ms + weight.idle * idle_ms(floor, agent)


def idle_ms(floor: Floor, agent: Agent) -> int:
    """Return how long an agent has been without work, 0 while he has any, or is not there."""
    busy = agent.units or agent.offered_units or agent.state != states.READY
    return 0 if busy else floor.now_ms - agent.idle_since_ms


def pair_holds_back(floor: Floor, agent: Agent, lane: Lane, contact: Contact) -> bool:
    """Say whether the weight of contact and agent has not reached zero yet."""
    weight = weight_of(floor, agent, lane.demand)
    return (
        weight is not None
        and weight.base_ms < 0
        and pair_score(floor, agent, lane, floor.now_ms - contact.arrived_ms) < 0
    )


# --- a contact looks for an agent -------------------------------------------------------------


def choices(floor: Floor, demand: Demand, contact: Contact) -> Iterator[Seat]:
    """Yield the seats whom the guards let have a contact, in the order of the queue's policy."""
    bench = demand.bench
    lane = contact.lane
    assert isinstance(bench, DividedBench), "a guarded bench is divided"
    assert lane is not None, "a contact that seeks has a lane"
    rows: list[Row] = []
    for _, row in sorted(bench.rows.items(), key=_row_key):
        first = row.first()
        if first is None or holds_back(floor, first.agent, demand):
            continue
        if not pair_holds_back(floor, first.agent, lane, contact):
            rows.append(row)
    if demand.queue.spec.agent_policy is AgentPolicy.SEEDED_RANDOM:
        yield from _drawn(demand, rows)
        return
    heads = [row.first() for row in rows]
    while True:
        best = -1
        best_key = (0, 0, 0)
        for number, seat in enumerate(heads):
            if seat is not None:
                key = _order(floor, demand, lane, contact, seat)
                if best < 0 or key < best_key:
                    best, best_key = number, key
        if best < 0:
            return
        chosen = heads[best]
        assert chosen is not None, "the best head is there"
        heads[best] = rows[best].following(chosen)
        yield chosen


def _row_key(item: tuple[tuple[str, int, bool], Row]) -> tuple[str, int, bool]:
    return item[0]


def _order(
    floor: Floor, demand: Demand, lane: Lane, contact: Contact, seat: Seat
) -> tuple[int, int, int]:
    """Return the key by which heads of rows are compared, the lowest first."""
    policy = demand.queue.spec.agent_policy
    if policy is AgentPolicy.HEAVIEST_PAIR:
        wait_ms = floor.now_ms - contact.arrived_ms
        return 0, -pair_score(floor, seat.agent, lane, wait_ms), seat.tie
    if policy is AgentPolicy.ROUND_ROBIN:
        return int(seat.rank <= demand.queue.last_rank), seat.rank, seat.tie
    if POLICIES[policy][1] == GRADED:
        return 0, -seat.rank, seat.tie
    return 0, seat.rank, seat.tie


def _drawn(demand: Demand, rows: list[Row]) -> Iterator[Seat]:
    """Yield one by lot among all rows, then the others round the table."""
    total = sum(row.size for row in rows)
    if not total:
        return
    start = mix(demand.queue.spec.seed, demand.queue.drawn) % total
    for step in range(total):
        position = (start + step) % total
        for row in rows:
            if position < row.size:
                assert isinstance(row, RankedBench), "lots are drawn from ranked rows"
                yield row.at(position)
                break
            position -= row.size


# --- what guards watch ------------------------------------------------------------------------


def note_answer(floor: Floor, contact: Contact, net_wait_ms: int) -> None:
    """Tell the teams whose own contact was answered how long it had waited."""
    lane = contact.lane
    if floor.guards is None or lane is None:
        return
    queue = lane.demand.queue
    for lending in floor.guards.lendings.values():
        if queue.name in lending.own:
            lending.note(floor.now_ms, in_time=net_wait_ms <= queue.spec.service_level_ms)


def note_loss(floor: Floor, contact: Contact, exit_: Exit) -> None:
    """Tell the teams whose own contact left unanswered; one who leaves at once is not counted."""
    lane = contact.lane
    in_line = contact.state in (states.WAITING, states.OFFERED)
    if floor.guards is None or lane is None or not in_line:
        return
    if exit_ not in (Exit.ABANDONED, Exit.EXPIRED):
        return
    absent_ms = 0 if contact.more is None else contact.more.absent_ms
    queue = lane.demand.queue
    short_ms = queue.spec.short_abandon_ms if exit_ is Exit.ABANDONED else -1
    if floor.now_ms - contact.arrived_ms - absent_ms <= short_ms:
        return
    for lending in floor.guards.lendings.values():
        if queue.name in lending.own:
            lending.note(floor.now_ms, in_time=False)


def judge_guards(floor: Floor) -> bool:
    """Let the guards open or shut by what the event has changed; say whether one has opened."""
    guards = floor.guards
    assert guards is not None, "asked only where there are guards"
    opened, guards.due = guards.due, False
    for reserve in guards.reserves:
        was_shut = reserve.shut
        reserve.shut = not reserve.spares_one()
        opened = opened or (was_shut and not reserve.shut)
    for lending in guards.lendings.values():
        if lending.touched or (lending.shut and opened):
            opened = lending.judge(floor.now_ms) or opened
    return opened


def arm_guards(floor: Floor) -> None:
    """Arm the guards for the next instant at which time alone may open one of them."""
    guards = floor.guards
    assert guards is not None, "asked only where there are guards"
    due_ms = NEVER
    for lending in guards.lendings.values():
        if lending.shut:
            due_ms = min(due_ms, lending.next_ms())
    if guards.pairs:
        due_ms = min(due_ms, _next_pair_ms(floor))
    if guards.fifo is not None:
        if floor.timers.due_ms(guards) == due_ms:
            return
        floor.timers.cancel(guards)
    if due_ms != NEVER:
        floor.timers.arm_odd(guards, max(due_ms, floor.now_ms + 1))


def _next_pair_ms(floor: Floor) -> int:
    """Return when the first pair of a waiting contact and a seated agent reaches weight zero.

    Of each lane the oldest below zero counts: those before it are let through and wait for a
    reason of their own (the agent has had his tries with them).
    """
    earliest_ms = NEVER
    for demand in floor.demand_list:
        bench = demand.bench
        if not demand.waiting or not bench.size or not isinstance(bench, DividedBench):
            continue
        for row in bench.rows.values():
            first = row.first()
            weight = None if first is None else weight_of(floor, first.agent, demand)
            if first is None or weight is None or weight.base_ms >= 0:
                continue
            slope = weight.wait + (0 if first.agent.units else weight.idle)
            if not slope or holds_back(floor, first.agent, demand):
                continue
            for lane in demand.lanes:
                missing = _missing(floor, first.agent, lane)
                if missing > 0:
                    earliest_ms = min(earliest_ms, floor.now_ms - (-missing // slope))
    return earliest_ms


def _missing(floor: Floor, agent: Agent, lane: Lane) -> int:
    """Return what the oldest contact of a lane below weight zero misses, 0 if there is none."""
    contact = lane.head()
    while contact is not None:
        missing = -pair_score(floor, agent, lane, floor.now_ms - contact.arrived_ms)
        if missing > 0:
            return missing
        contact = lane.following(contact)
    return 0
