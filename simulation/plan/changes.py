"""Change a scenario: every change is a function from a scenario to a scenario.

Whatever the change, the customers stay who they are: their lots belong to (seed, day, demand,
number), so the difference between two scenarios is the change and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any, TypeAlias

import numpy as np
from pydantic import TypeAdapter, ValidationError

from configs.changes import Change, OtherHours, Outsource, Pool, SecondSkill
from configs.durations import DurationError, parse_clock, parse_duration
from configs.planning import Demand, Group, Law, Rate, Scenario, Shift
from configs.shapes import DURATION_SUFFIX, Kind, bare, element_of, fields_of, written_names
from router.center import Queue, Team
from router.problems import suggest
from simulation.phrases import Phrase
from simulation.plan.arrivals import profile_of
from simulation.plan.people import groups_of, members_of, size_of

Value: TypeAlias = str | float | bool
# What stands beside a change and is none by itself.
_BESIDE = frozenset({"only", "start", "end"})


class ChangeError(ValueError):
    """A change that does not fit its scenario; says what, and what to do."""


def apply_changes(scenario: Scenario, changes: Iterable[Change]) -> Scenario:
    """Return the scenario after all changes, in order; raises `ChangeError`."""
    for change in changes:
        scenario = apply_change(scenario, change)
    return scenario


def apply_change(scenario: Scenario, change: Change) -> Scenario:
    """Return the scenario after one change; raises `ChangeError`."""
    given = [
        part.name
        for part in fields(change)
        if part.name not in _BESIDE and getattr(change, part.name) is not None
    ]
    if len(given) != 1:
        raise ChangeError(f"a change says one thing; this one says {', '.join(given) or 'none'}")
    if (change.start or change.end) and (given != ["agents"] or not (change.start and change.end)):
        raise ChangeError("start and end, both of them, say when added agents are there")
    if not scenario.workforce:
        # Without groups the centre's teams work all day; a change may name them.
        scenario = replace(scenario, workforce=groups_of(scenario))
    return _CHANGES[given[0]](scenario, change)


def _named(kind: str, known: Iterable[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """Return the wanted names, or all; raises `ChangeError` for one that nobody knows."""
    names = tuple(known)
    for name in wanted:
        if name not in names:
            near = suggest(name, names)
            hint = f'did you mean "{near}"?' if near else f"known are {', '.join(names)}"
            raise ChangeError(f'no {kind} "{name}"; {hint}')
    return tuple(wanted) or names


def with_demands(
    scenario: Scenario, names: Iterable[str], changed: Callable[[Demand], Demand]
) -> Scenario:
    """Return the scenario with some demands changed."""
    chosen = set(names)
    demand = {
        name: changed(part) if name in chosen else part for name, part in scenario.demand.items()
    }
    return replace(scenario, demand=demand)


def with_groups(
    scenario: Scenario, names: Iterable[str], changed: Callable[[Group], Group]
) -> Scenario:
    """Return the scenario with some groups changed."""
    chosen = set(names)
    groups = {
        name: changed(part) if name in chosen else part for name, part in scenario.workforce.items()
    }
    return replace(scenario, workforce=groups)


def _demand(scenario: Scenario, change: Change) -> Scenario:
    factor = change.demand
    assert factor is not None, "chosen because it is given"
    if factor < 0:
        raise ChangeError(f"demand {factor}: a factor is not negative; 1.3 is 30 % more")
    names = _named("demand", scenario.demand, change.only)
    return with_demands(scenario, names, lambda part: replace(part, factor=part.factor * factor))


def _bot(scenario: Scenario, change: Change) -> Scenario:
    share = change.bot
    assert share is not None, "chosen because it is given"
    names = _named("demand", scenario.demand, change.only)
    return with_demands(scenario, names, lambda part: replace(part, bot=share))


def _sick(scenario: Scenario, change: Change) -> Scenario:
    share = change.sick
    assert share is not None, "chosen because it is given"
    names = _named("group", scenario.workforce, change.only)
    return with_groups(
        scenario,
        names,
        # Who is away for another reason cannot be sick as well.
        lambda part: replace(
            part, unplanned_absence=1 - (1 - part.unplanned_absence) * (1 - share)
        ),
    )


def _agents(scenario: Scenario, change: Change) -> Scenario:
    assert change.agents is not None, "chosen because it is given"
    _named("group", scenario.workforce, change.agents)
    for name, more in change.agents.items():
        group = scenario.workforce[name]
        if change.start:
            shifted = _shift_more(scenario, name, more, change)
            scenario = replace(scenario, workforce={**scenario.workforce, name: shifted})
            continue
        size = size_of(scenario, name, group) + more
        if size < 1:
            raise ChangeError(f'group "{name}" would have {size} agents; leave at least 1')
        staffed = tuple(max(0, wanted + more) for wanted in group.staffed)
        shifts = _shifts_of(group.shifts, more)
        changed = replace(group, count=0 if staffed else size, staffed=staffed, shifts=shifts)
        scenario = replace(scenario, workforce={**scenario.workforce, name: changed})
    return scenario


def _shifts_of(shifts: tuple[Shift, ...], more: int) -> tuple[Shift, ...]:
    """Return shifts for so many agents more or fewer: those of the longest one, then the next.

    A shift without a count takes all that are left, so nothing is to be changed.
    """
    if not all(shift.count for shift in shifts):
        return shifts
    counts = [shift.count for shift in shifts]
    by_length = sorted(
        range(len(shifts)),
        key=lambda place: parse_clock(shifts[place].start) - parse_clock(shifts[place].end),
    )
    for place in by_length:
        changed = max(0, counts[place] + more)
        more -= changed - counts[place]
        counts[place] = changed
    return tuple(
        replace(shift, count=count) for shift, count in zip(shifts, counts, strict=True) if count
    )


def _shift_more(scenario: Scenario, name: str, more: int, change: Change) -> Group:
    """Return a group with some agents more at some hours: one shift more."""
    if more < 1:
        raise ChangeError(f'group "{name}": a shift of {more} agents; add 1 or more')
    try:
        start_ms, end_ms = (parse_clock(text) for text in (change.start, change.end))
    except DurationError as error:
        raise ChangeError(str(error)) from error
    if start_ms >= end_ms:
        raise ChangeError(f"start {change.start} is not before end {change.end}")
    group = scenario.workforce[name]
    size = size_of(scenario, name, group)
    if group.staffed:
        opens_ms = parse_clock(scenario.opens)
        starts = (opens_ms + index * scenario.interval_ms for index in range(len(group.staffed)))
        staffed = tuple(
            wanted + (more if at_ms < end_ms and at_ms + scenario.interval_ms > start_ms else 0)
            for wanted, at_ms in zip(group.staffed, starts, strict=True)
        )
        return replace(group, count=0, staffed=staffed)
    all_day = Shift(start=scenario.opens, end=scenario.closes)
    shifts: list[Shift] = []
    left = size
    for shift in group.shifts or (all_day,):
        count = min(shift.count or left, left)
        left -= count
        if count:
            shifts.append(replace(shift, count=count))
    extra = Shift(start=change.start, end=change.end, count=more)
    return replace(group, count=size - left + more, shifts=(*shifts, extra))


def _pool(scenario: Scenario, change: Change) -> Scenario:
    pool = change.pool
    assert isinstance(pool, Pool), "chosen because it is given"
    center = scenario.center
    _named("queue", center.queues, (*pool.queues, pool.into))
    pooled = {*pool.queues, pool.into}
    teams: dict[str, None] = {}
    unlimited = any(not center.queues[name].teams for name in pooled)
    for name in sorted(pooled):
        teams.update(dict.fromkeys(center.queues[name].teams))
    queue = replace(center.queues[pool.into], teams=() if unlimited else tuple(teams))
    categories = {
        name: replace(
            category,
            queue=pool.into if category.queue in pooled else category.queue,
            steps=tuple(
                replace(step, overflow_to="")
                if step.overflow_to in pooled and category.queue in pooled
                else step
                for step in category.steps
            ),
        )
        for name, category in center.categories.items()
    }
    changed = replace(center, queues={**center.queues, pool.into: queue}, categories=categories)
    return replace(scenario, center=changed)


def _second_skill(scenario: Scenario, change: Change) -> Scenario:
    lesson = change.second_skill
    assert isinstance(lesson, SecondSkill), "chosen because it is given"
    center = scenario.center
    _named("group", scenario.workforce, [lesson.group])
    _named("skill", center.skills, [lesson.skill])
    members = members_of(center, lesson.group, scenario.workforce[lesson.group])
    if not 1 <= lesson.agents <= len(members):
        raise ChangeError(
            f'second_skill for {lesson.agents} agents of "{lesson.group}": it has {len(members)}'
        )
    agents = dict(center.agents)
    for agent_id in members[: lesson.agents]:
        agent = agents[agent_id]
        agents[agent_id] = replace(agent, skills={**agent.skills, lesson.skill: lesson.level})
    queues = dict(center.queues)
    team = agents[members[0]].team
    for name, category in center.categories.items():
        queue = queues[category.queue]
        wanted = lesson.skill in category.needs and (not lesson.teams or name in lesson.teams)
        if wanted and queue.teams and team not in queue.teams:
            queues[category.queue] = replace(queue, teams=(*queue.teams, team))
    cost = lesson.agents * lesson.training_per_head
    lessons = Phrase("training {skill}", skill=lesson.skill)
    once = {**scenario.costs.once, lessons: cost}
    return replace(
        scenario,
        center=replace(center, agents=agents, queues=queues),
        costs=replace(scenario.costs, once=once),
    )


def _outsource(scenario: Scenario, change: Change) -> Scenario:
    """Split demands: the share goes to a line of its own, which only the new group serves."""
    deal = change.outsource
    assert isinstance(deal, Outsource), "chosen because it is given"
    names = _named("demand", scenario.demand, deal.demands)
    if not 0 < deal.share <= 1:
        raise ChangeError(f"outsource a share of {deal.share}: give more than 0 and at most 1")
    if deal.group in scenario.center.teams:
        raise ChangeError(f'outsource to "{deal.group}": a team has this name; choose another')
    line = f"outsourced-{deal.group}"
    queues, categories = dict(scenario.center.queues), dict(scenario.center.categories)
    demands = dict(scenario.demand)
    for name in names:
        demand = demands[name]
        category = categories[demand.category]
        old = queues[category.queue]
        theirs = Queue(
            teams=(deal.group,),
            service_level_ms=old.service_level_ms,
            short_abandon_ms=old.short_abandon_ms,
        )
        queues.setdefault(line, theirs)
        ours = replace(category, queue=line, needs={line: 1}, language_level=0, steps=())
        categories[f"{demand.category}-{deal.group}"] = ours
        demands[name] = replace(demand, factor=demand.factor * (1 - deal.share))
        demands[f"{name}-{deal.group}"] = replace(
            demand, category=f"{demand.category}-{deal.group}", factor=demand.factor * deal.share
        )
    center = replace(
        scenario.center,
        skills=(*scenario.center.skills, line),
        queues=queues,
        categories=categories,
        teams={**scenario.center.teams, deal.group: Team(cost_group=deal.group)},
    )
    group = Group(team=deal.group, skills={line: deal.level}, count=deal.agents, rate=deal.group)
    rates = {deal.group: Rate(per_contact=deal.per_contact), **scenario.costs.rates}
    return replace(
        scenario,
        center=center,
        demand=demands,
        workforce={**groups_of(scenario), deal.group: group},
        costs=replace(scenario.costs, rates=rates),
    )


def _site_lost(scenario: Scenario, change: Change) -> Scenario:
    outage = change.site_lost
    assert outage is not None, "chosen because it is given"
    _named("group", scenario.workforce, outage.groups)
    return replace(scenario, outages=(*scenario.outages, outage))


def _hours(scenario: Scenario, change: Change) -> Scenario:
    """Open and close at other times; who is shut out comes at another hour, or not at all."""
    hours = change.hours
    assert isinstance(hours, OtherHours), "chosen because it is given"
    opens_ms, closes_ms = parse_clock(hours.opens), parse_clock(hours.closes)
    if closes_ms <= opens_ms:
        raise ChangeError(f"opens {hours.opens}, closes {hours.closes}: closing comes later")
    moved_ms = opens_ms - parse_clock(scenario.opens)
    count = -(-(closes_ms - opens_ms) // scenario.interval_ms)
    edges = np.minimum(
        np.arange(count + 1) * float(scenario.interval_ms), float(closes_ms - opens_ms)
    )

    def moved(demand: Demand) -> Demand:
        if demand.arrivals_ms:
            raise ChangeError("recorded contacts came when they came; hours cannot be changed")
        if demand.dialer is not None:
            return demand
        profile = profile_of(scenario, replace(demand, factor=1.0, surges=()))
        inside = profile.expected(np.clip(edges + moved_ms, 0.0, profile.edges[-1]))
        total, kept = float(profile.integral()[-1]), float(inside.sum())
        more = 1.0 + hours.come_later * (total - kept) / kept if kept else 1.0
        return replace(demand, per_interval=tuple((inside * more).tolist()), rates_per_hour=())

    def regrouped(group: Group) -> Group:
        if not group.staffed:
            return group
        if moved_ms % scenario.interval_ms:
            raise ChangeError("staffed goes by intervals; move the hours by whole ones")
        shift = moved_ms // scenario.interval_ms
        known = dict(enumerate(group.staffed))
        return replace(group, staffed=tuple(known.get(n + shift, 0) for n in range(count)))

    changed = with_groups(
        with_demands(scenario, scenario.demand, moved), scenario.workforce, regrouped
    )
    return replace(changed, opens=hours.opens, closes=hours.closes)


def _replace(scenario: Scenario, change: Change) -> Scenario:
    assert change.replace is not None, "chosen because it is given"
    for path, value in change.replace.items():
        scenario = replace_at(scenario, path, value)
    return scenario


def replace_at(scenario: Scenario, path: str, value: Value) -> Scenario:
    """Return the scenario with another value at a path like `demand.calls.handle.mean`.

    The value is read as in a file: durations as `20s`, lists as JSON. Raises `ChangeError`.
    """
    try:
        changed: Scenario = _with(scenario, Scenario, tuple(path.split(".")), value, path)
    except ValidationError as error:
        first = error.errors()[0]
        raise ChangeError(f"{path}: {first['msg']}, found {value!r}") from error
    except (DurationError, json.JSONDecodeError) as error:
        raise ChangeError(f"{path}: {error}") from error
    return changed


def _with(whole: Any, kind: Kind, names: tuple[str, ...], value: Any, path: str) -> Any:
    """Return a value with the part that `names` leads to replaced, whatever holds it."""
    if not names:
        return _read(kind, value)
    name, rest = names[0], names[1:]
    parts = fields_of(kind)
    if parts:
        if name not in parts and name + DURATION_SUFFIX in parts:
            name += DURATION_SUFFIX
            value = parse_duration(value) if isinstance(value, str) else value
        if name not in parts or whole is None:
            near = suggest(name, written_names(kind))
            hint = f'did you mean "{near}"?' if near else f"known are {', '.join(parts)}"
            raise ChangeError(f'{path}: no "{name}" here; {hint}')
        return replace(whole, **{name: _with(getattr(whole, name), parts[name], rest, value, path)})
    element = element_of(kind)
    if isinstance(whole, dict) and element is not None:
        if name not in whole and rest:
            _named("entry", whole, [name])
        return {**whole, name: _with(whole.get(name), element, rest, value, path)}
    if isinstance(whole, tuple) and name.isdecimal() and int(name) < len(whole):
        number = int(name)
        return (
            *whole[:number],
            _with(whole[number], element, rest, value, path),
            *whole[number + 1 :],
        )
    raise ChangeError(f'{path}: nothing is called "{name}" here')


def _read(kind: Kind, value: Any) -> Any:
    """Read a value for a kind: texts of lists and maps as JSON, durations of laws as means."""
    if bare(kind) is Law and isinstance(value, str) and not value.startswith("{"):
        return Law(mean_ms=parse_duration(value))
    structured = bool(fields_of(kind)) or element_of(kind) is not None
    if structured and isinstance(value, str):
        value = json.loads(value)
    return TypeAdapter(kind).validate_python(value)


_CHANGES: dict[str, Callable[[Scenario, Change], Scenario]] = {
    "demand": _demand,
    "bot": _bot,
    "sick": _sick,
    "agents": _agents,
    "pool": _pool,
    "second_skill": _second_skill,
    "outsource": _outsource,
    "site_lost": _site_lost,
    "hours": _hours,
    "replace": _replace,
}
