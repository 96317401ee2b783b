"""Draw a centre from lots: small, odd, and never wrong.

Each seed switches a random subset of features on (swarm testing: Groce et al., ISSTA 2012), so
that rare combinations meet; a centre with everything on would seldom reach any corner. What comes
out passes `router.checks` without an error.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from router.center import (
    ALWAYS,
    Agent,
    AgentPolicy,
    AtClosing,
    Calendar,
    Category,
    Center,
    Channel,
    ClockKind,
    ContactPolicy,
    LimitAction,
    Limits,
    OfferRules,
    OpeningTable,
    OverloadClass,
    Promise,
    PromiseAction,
    Queue,
    ReopenMode,
    Step,
    Team,
    WaitClock,
    WhenClosed,
)
from router.checks import check_center
from simulation.randomness import Lots
from simulation.swarm_guards import draw_guards, with_fit_reserves

# What promises were of before there were more kinds; those are drawn from lots of their own, so
# that a seed goes on to mean the same day.
FIRST_KINDS: Final = tuple(ClockKind)[:7]
LANGUAGES: Final = ("en", "zh", "es")
TIERS: Final = ("gold", "silver")
_SKILLS: Final = ("billing", "tech", "sales", "claims", "returns", "vip")
_CAPACITY: Final = 100
# Those that ask nothing of the queue.
_CLASSES: Final = (OverloadClass.SERVE, OverloadClass.DEFLECT, OverloadClass.REFUSE)


def draw_center(lots: Lots) -> Center:
    """Draw a whole centre of 2 to 30 agents."""
    skills = _SKILLS[: lots.between(1, len(_SKILLS))]
    speaks = lots.chance(0.4)
    languages = tuple(f"lang:{name}" for name in LANGUAGES) if speaks else ()
    teams = {f"team-{number}": _team(lots) for number in range(lots.between(1, 3))}
    queues = _queues(lots, list(teams))
    channels = _channels(lots)
    categories = {
        f"{lots.pick(skills)}-{number}": _category(lots, skills, list(queues), speaks=speaks)
        for number in range(lots.between(1, 8))
    }
    size = lots.between(2, 8) if lots.chance(0.7) else lots.between(9, 30)
    agents = {
        f"agent-{number}": _agent(lots, skills, languages, list(teams), channels)
        for number in range(size)
    }
    agents = _make_able(lots, agents, categories, queues)
    queues = _weigh(lots, queues, list(agents))
    queues, teams = draw_guards(lots, queues, teams)
    center = Center(
        name="swarm",
        version=1,
        channels=channels,
        skills=(*skills, *languages),
        queues=queues,
        categories={
            name: _steps(lots, category, list(queues), list(teams))
            for name, category in categories.items()
        },
        teams=teams,
        agents=agents,
        promises=_promises(lots, list(categories), list(channels)),
        tiers=TIERS,
        contact_policy=lots.pick(tuple(ContactPolicy)),
        ageing_points_ms=lots.pick((1_000, 30_000, 60_000)),
        unknown_skill_queue=lots.pick(list(queues)) if lots.chance(0.5) else "",
        offers=_offer_rules(lots, size),
        limits=_limits(lots),
    )
    return with_fit_reserves(center)


def _team(lots: Lots) -> Team:
    policy = lots.pick(tuple(ContactPolicy)) if lots.chance(0.3) else None
    return Team(cost_group="inside", contact_policy=policy)


def _channels(lots: Lots) -> dict[str, Channel]:
    blend = lots.chance(0.3)
    timeout_ms = lots.pick((5_000, 15_000, 20_000, 45_000))
    connect_ms = lots.pick((0, 0, 10_000))
    every = {
        "phone": Channel(
            auto_accept=lots.chance(0.15),
            offer_timeout_ms=timeout_ms,
            connect_timeout_ms=connect_ms,
            interrupts=blend,
        ),
        "chat": Channel(
            units=lots.pick((25, 34, 50)),
            agent_max=lots.pick((0, 0, 2)),
            auto_accept=lots.chance(0.3),
            offer_timeout_ms=lots.pick((0, 10_000, 30_000)),
            connect_timeout_ms=lots.pick((0, 0, 15_000)),
        ),
        "email": Channel(
            units=lots.pick((50, 100)),
            offer_timeout_ms=lots.pick((0, 60_000)),
            interruptible=blend,
        ),
        "social": Channel(units=34, agent_max=lots.pick((0, 1)), auto_accept=lots.chance(0.5)),
        "task": Channel(units=100, interruptible=blend, offer_timeout_ms=60_000),
    }
    kinds = lots.some(tuple(every), 1, 4)
    return {kind: every[kind] for kind in kinds}


def _queues(lots: Lots, teams: list[str]) -> dict[str, Queue]:
    names = [f"q{number}" for number in range(lots.between(1, 4))]
    queues = {}
    for index, name in enumerate(names):
        # Overflow goes to later queues only, so that no ring can arise.
        overflow_to = lots.pick(names[index + 1 :]) if index + 1 < len(names) else ""
        when_full, when_late = LimitAction.REFUSE, LimitAction.EXPIRE
        length_max = lots.between(2, 12) if lots.chance(0.2) else 0
        wait_max_ms = lots.between(20, 400) * 1_000 if lots.chance(0.2) else 0
        if length_max:
            when_full = lots.pick(tuple(LimitAction))
        if wait_max_ms:
            when_late = lots.pick((LimitAction.EXPIRE, LimitAction.DEFLECT, LimitAction.OVERFLOW))
        if not overflow_to:
            when_full = LimitAction.DEFLECT if when_full is LimitAction.OVERFLOW else when_full
            when_late = LimitAction.EXPIRE if when_late is LimitAction.OVERFLOW else when_late
        queues[name] = Queue(
            agent_policy=lots.pick(tuple(AgentPolicy)),
            ring_size=lots.between(1, 3),
            ring_step_ms=lots.pick((2_000, 5_000)),
            seed=lots.between(0, 1_000),
            teams=tuple(lots.some(teams, 1, len(teams))) if lots.chance(0.3) else (),
            length_max=length_max,
            when_full=when_full,
            wait_max_ms=wait_max_ms,
            when_late=when_late,
            overflow_to=overflow_to if LimitAction.OVERFLOW in (when_full, when_late) else "",
            wait_weight=lots.pick((1, 1, 3, 20)),
            handle_time_ms=lots.pick((60_000, 300_000)),
            late_weight=lots.pick((0, 4)),
            queue_share=lots.pick((1, 1, 4)),
        )
    return queues


def _weigh(lots: Lots, queues: dict[str, Queue], agents: list[str]) -> dict[str, Queue]:
    weighed = dict(queues)
    for name, queue in queues.items():
        if queue.agent_policy is AgentPolicy.WEIGHTED_SHARE:
            weights = {agent: lots.between(1, 5) for agent in lots.some(agents, 0, len(agents))}
            weighed[name] = replace(queue, weights=weights)
    return weighed


def _category(lots: Lots, skills: tuple[str, ...], queues: list[str], *, speaks: bool) -> Category:
    needs = {skill: lots.between(1, 8) for skill in lots.some(skills, 0, 2)}
    return Category(
        queue=lots.pick(queues),
        needs=needs,
        language_level=lots.between(1, 5) if speaks and lots.chance(0.5) else 0,
        priority=lots.between(0, 9) if lots.chance(0.5) else 5,
        offer_timeout_ms=lots.pick((-1, -1, -1, 8_000)),
        wrap_up_ms=lots.pick((0, 0, 15_000, 60_000, -1)),
        preferred_wait_ms=lots.pick((0, 0, 20_000, 90_000)),
        last_agent_wait_ms=lots.pick((0, 0, 0, 30_000)),
        overload=lots.pick(_CLASSES),
        survey_every=lots.pick((0, 1, 3)),
    )


def _steps(lots: Lots, category: Category, queues: list[str], teams: list[str]) -> Category:
    if lots.chance(0.5):
        return category
    needs, queue, after_ms, steps = dict(category.needs), category.queue, 0, []
    for _ in range(lots.between(1, 4)):
        after_ms += lots.between(2, 60) * 1_000
        kind = lots.between(0, 6)
        if kind == 0 and any(level > 1 for level in needs.values()):
            skill = next(name for name, level in needs.items() if level > 1)
            needs[skill] = lots.between(1, needs[skill] - 1)
            steps.append(Step(after_ms=after_ms, lower={skill: needs[skill]}))
        elif kind == 1 and needs:
            skill = next(iter(needs))
            del needs[skill]
            steps.append(Step(after_ms=after_ms, drop=(skill,)))
        elif kind == 2:
            steps.append(Step(after_ms=after_ms, add_teams=(lots.pick(teams),)))
        elif kind == 3 and len(queues) > 1:
            queue = lots.pick([name for name in queues if name != queue])
            steps.append(Step(after_ms=after_ms, overflow_to=queue))
        elif kind == 4:
            steps.append(Step(after_ms=after_ms, offer_callback=True))
        elif kind == 5 and lots.chance(0.3):
            steps.append(Step(after_ms=after_ms, deflect=True))
            break
        else:
            steps.append(Step(after_ms=after_ms, raise_priority=lots.between(1, 4)))
    fields = {name: getattr(category, name) for name in category.__dataclass_fields__}
    return Category(**{**fields, "steps": tuple(steps)})


def _agent(
    lots: Lots,
    skills: tuple[str, ...],
    languages: tuple[str, ...],
    teams: list[str],
    channels: dict[str, Channel],
) -> Agent:
    known = {skill: lots.between(1, 10) for skill in lots.some(skills, 1, len(skills))}
    known |= {skill: lots.between(3, 10) for skill in lots.some(languages, 1, 2)}
    caps = {}
    if lots.chance(0.2):
        caps[lots.pick(list(channels))] = lots.between(1, 2)
    return Agent(
        team=lots.pick(teams),
        skills=known,
        capacity=lots.pick((_CAPACITY, _CAPACITY, 150, 200)),
        channel_max=caps,
    )


def _make_able(
    lots: Lots,
    agents: dict[str, Agent],
    categories: dict[str, Category],
    queues: dict[str, Queue],
) -> dict[str, Agent]:
    """Teach one agent of a right team what each category needs."""
    able = dict(agents)
    for category in categories.values():
        teams = queues[category.queue].teams
        name = lots.pick(list(able))
        agent = able[name]
        learned = dict(agent.skills)
        for skill, level in category.needs.items():
            learned[skill] = max(level, learned.get(skill, 0))
        able[name] = Agent(
            team=agent.team if not teams or agent.team in teams else lots.pick(teams),
            skills=learned,
            capacity=agent.capacity,
            channel_max=agent.channel_max,
        )
    # A later lesson may have moved an earlier pupil to another team; one who can all settles it.
    for category in categories.values():
        teams = queues[category.queue].teams
        if not any(
            (not teams or agent.team in teams)
            and all(agent.skills.get(skill, 0) >= level for skill, level in category.needs.items())
            for agent in able.values()
        ):
            team = lots.pick(teams) if teams else next(iter(able.values())).team
            able[f"agent-{len(able)}"] = Agent(team=team, skills=dict(category.needs))
    return able


def _promises(lots: Lots, categories: list[str], channels: list[str]) -> dict[str, Promise]:
    promises = {}
    for number in range(lots.between(0, 5)):
        chain = ("lead", "manager") if lots.chance(0.4) else ()
        warnings = tuple(lots.some((25, 50, 80), 0, 3))
        promises[f"promise-{number}"] = Promise(
            kind=lots.pick(FIRST_KINDS),
            target_ms=lots.pick((5_000, 20_000, 30_000, 180_000, 600_000)),
            categories=tuple(lots.some(categories, 0, 2)),
            channels=tuple(lots.some(channels, 1, 1)) if lots.chance(0.4) else (),
            tiers=(lots.pick(TIERS),) if lots.chance(0.2) else (),
            warnings=warnings,
            reopen=lots.pick(tuple(ReopenMode)),
            on_warning=_action(lots, chain) if warnings else PromiseAction(),
            on_breach=_action(lots, chain),
            escalation=chain,
        )
    return promises


def draw_later_settings(lots: Lots, center: Center, start_ms: int, length_ms: int) -> Center:
    """Draw what came later, for most centres: opening hours, chains that climb, priorities."""
    if lots.chance(0.2):
        return center
    if lots.chance(0.5):
        center = _with_hours(lots, center, start_ms, length_ms)
    promises = {name: _later_promise(lots, made) for name, made in center.promises.items()}
    if lots.chance(0.5):
        promises["complaint"] = Promise(
            kind=lots.pick(tuple(ClockKind)[7:]),
            target_ms=lots.pick((20_000, 300_000)),
            warnings=(50,),
            reopen=lots.pick(tuple(ReopenMode)),
            on_breach=PromiseAction(escalate=True),
            escalation=("lead", "manager", "director"),
            escalate_every_ms=lots.pick((0, 15_000)),
        )
    return replace(center, promises=promises)


def _with_hours(lots: Lots, center: Center, start_ms: int, length_ms: int) -> Center:
    """Let some queues and promises go by a calendar that opens and closes during the day."""
    edge_ms, edges = start_ms, []
    for _ in range(2 * lots.between(1, 4)):
        edge_ms += lots.between(1, max(2, length_ms // 6_000)) * 1_000
        edges.append(edge_ms)
    table = OpeningTable(
        from_ms=start_ms - lots.pick((0, 60_000)),
        # Behind its years a calendar is open, so every day comes to its end.
        to_ms=edge_ms + lots.pick((1_000, 600_000)),
        open_ms=tuple(zip(edges[::2], edges[1::2], strict=True)),
        workdays_ms=((edges[0], edges[-1]),),
    )
    calendar = Calendar(zone="UTC", hours={"daily": ("09:00-17:00",)}, years=(2026,), table=table)
    open_ms = sum(closes - opens for opens, closes in table.open_ms)
    queues = dict(center.queues)
    for name in lots.some(list(queues), 1, len(queues)):
        queues[name] = _closing(lots, queues[name], queues)
    promises = {
        name: replace(made, calendar="hours")
        if made.target_ms <= open_ms and lots.chance(0.4)
        else made
        for name, made in center.promises.items()
    }
    changed = replace(center, queues=queues, promises=promises, calendars={"hours": calendar})
    return center if any(not found.warning for found in check_center(changed)) else changed


def _closing(lots: Lots, queue: Queue, queues: dict[str, Queue]) -> Queue:
    target = queues.get(queue.overflow_to)
    leads = target is not None and target.calendar == ALWAYS
    return (
        replace(
            queue,
            calendar="hours",
            when_closed=lots.pick([w for w in WhenClosed if leads or w is not WhenClosed.OVERFLOW]),
            at_closing=AtClosing.KEEP,
            wait_clock=lots.pick(tuple(WaitClock)),
        )
        if lots.chance(0.3)
        else replace(
            queue,
            calendar="hours",
            when_closed=lots.pick((WhenClosed.WAIT, WhenClosed.WAIT, WhenClosed.CALLBACK)),
            at_closing=lots.pick([a for a in AtClosing if leads or a is not AtClosing.OVERFLOW]),
            wait_clock=lots.pick(tuple(WaitClock)),
        )
    )


def _later_promise(lots: Lots, promise: Promise) -> Promise:
    climbs = bool(promise.escalation) and lots.chance(0.8)
    return replace(
        promise,
        escalate_every_ms=lots.pick((1_000, 20_000, 120_000)) if climbs else 0,
        priorities=tuple(sorted(lots.some(range(10), 2, 6))) if lots.chance(0.2) else (),
    )


def _action(lots: Lots, chain: tuple[str, ...]) -> PromiseAction:
    return PromiseAction(
        raise_priority=lots.pick((0, 0, 2)),
        next_step=lots.chance(0.2),
        escalate=bool(chain) and lots.chance(0.7),
    )


def _offer_rules(lots: Lots, size: int) -> OfferRules:
    # Heartbeats of many agents would drown the day in events that decide nothing.
    beats = size <= 10 and lots.chance(0.3)
    return OfferRules(
        backoff_declined_ms=lots.pick((0, 1_000, 5_000)),
        backoff_expired_ms=lots.pick((0, 10_000)),
        backoff_busy_ms=lots.pick((0, 5_000)),
        backoff_unreachable_ms=lots.pick((0, 30_000)),
        per_agent_max=lots.pick((0, 1, 2, 2)),
        unanswered_max=lots.pick((0, 1, 2, 3)),
        heartbeat_timeout_ms=lots.pick((180_000, 300_000)) if beats else 0,
        lost_agent_timeout_ms=lots.pick((0, 60_000, 600_000)),
    )


def _limits(lots: Lots) -> Limits:
    return Limits(
        open_contacts=lots.pick((100_000, 100_000, 25)),
        event_ids=lots.pick((100_000, 50)),
        duplicate_window_ms=lots.pick((3_600_000, 300_000)),
        contact_life_ms=lots.pick((2_592_000_000, 2_592_000_000, 1_800_000)),
        overload_open_contacts=lots.pick((0, 0, 15)),
    )
