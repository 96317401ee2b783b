"""Check what must hold between the values of a scenario; every problem with its path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from itertools import pairwise

from configs.durations import DurationError, parse_clock
from configs.planning import (
    Again,
    Break,
    Demand,
    Dialer,
    Group,
    Law,
    LawName,
    PlainLaw,
    Scenario,
    Shift,
    Target,
)
from configs.scenarios import CLOCKS, OPTIONAL_CLOCKS
from router.center import Center
from router.checks import check_center
from router.measures_formulas import SERVICE_LEVELS
from router.problems import Path, Problem, suggest
from simulation.plan.arrivals import copula_roots
from simulation.plan.people import groups_of, members_of, staff_of

_SHAPED = (LawName.LOGNORMAL, LawName.GAMMA, LawName.WEIBULL)
_DAYS_MAX_MS = 172_800_000
_LOOK_MIN_MS = 1_000


def check_scenario(scenario: Scenario) -> list[Problem]:
    """Return everything that is wrong with a scenario, in the order of its parts."""
    # Times of day that are none would stop everything below.
    problems = list(_clocks(scenario, ())) or list(_hours(scenario))
    if problems:
        return problems
    for name, demand in scenario.demand.items():
        problems += _demand(scenario, name, demand)
    problems += _busyness(scenario)
    for name, group in scenario.workforce.items():
        problems += _group(scenario, name, group)
    problems += _others(scenario)
    if problems:
        return problems
    # With the agents whom the groups add: they may be the only ones who can serve a line.
    return [
        Problem(("center",), f"{'.'.join(map(str, problem.path))}: {problem.text()}")
        for problem in check_center(staff_of(scenario).center)
        if not problem.warning
    ]


def _clocks(part: object, path: Path) -> Iterator[Problem]:
    """Find every time of day that is none, wherever it stands; the centre has its own checks."""
    named: Iterable[tuple[str | int, object]] = ()
    if isinstance(part, dict):
        named = part.items()
    elif isinstance(part, tuple) and part and is_dataclass(part[0]):
        named = enumerate(part)
    elif is_dataclass(part) and not isinstance(part, Center):
        named = ((one.name, getattr(part, one.name)) for one in fields(part))
    for name, value in named:
        here = (*path, name)
        if not isinstance(value, str) or not is_dataclass(part) or name not in CLOCKS:
            yield from _clocks(value, here)
        elif value or name not in OPTIONAL_CLOCKS:
            try:
                parse_clock(value)
            except DurationError as error:
                yield Problem(here, str(error))


def _unknown(kind: str, name: str, known: Iterable[str], path: Path) -> Iterator[Problem]:
    names = list(known)
    if name not in names:
        near = suggest(name, names)
        hint = "" if near else f"; known are {', '.join(sorted(names))}"
        yield Problem(path, f'no {kind} "{name}"{hint}', near)


def _in(path: Path, value: float, low: float, high: float) -> Iterator[Problem]:
    if not low <= value <= high:
        yield Problem(path, f"{value:g} is out of range; must be from {low:g} to {high:g}")


def _hours(scenario: Scenario) -> Iterator[Problem]:
    length_ms = parse_clock(scenario.closes) - parse_clock(scenario.opens)
    if not 0 < length_ms <= _DAYS_MAX_MS:
        yield Problem(("closes",), f"closing at {scenario.closes} must come after opening")
    if not 60_000 <= scenario.interval_ms <= max(length_ms, 60_000):
        yield Problem(("interval_ms",), "an interval is at least 1m and at most the day")
    if not scenario.demand:
        yield Problem(("demand",), "no demand: nobody comes; add one")


def _demand(scenario: Scenario, name: str, demand: Demand) -> Iterator[Problem]:
    path: Path = ("demand", name)
    center = scenario.center
    yield from _unknown("category", demand.category, center.categories, (*path, "category"))
    yield from _unknown("channel", demand.channel, center.channels, (*path, "channel"))
    length_ms = parse_clock(scenario.closes) - parse_clock(scenario.opens)
    intervals = -(-length_ms // scenario.interval_ms)
    ways = ("per_interval", "rates_per_hour", "arrivals_ms", "dialer")
    given = [way for way in ways if getattr(demand, way)]
    called_back = any(other.callback_as == name for other in scenario.demand.values())
    if len(given) != 1 and not demand.recorded and not (called_back and not given):
        yield Problem(path, f"give one of {', '.join(ways)}, or recorded", at_key=True)
    for way, count in (("per_interval", intervals), ("rates_per_hour", intervals + 1)):
        values = getattr(demand, way)
        if values and len(values) != count:
            yield Problem(
                (*path, way),
                f"{len(values)} numbers; the day from {scenario.opens} to {scenario.closes} needs "
                f"{count}",
            )
        if any(value < 0 for value in values):
            yield Problem((*path, way), "a rate is not negative")
    for share in ("balking", "bot", "resolved", "takes_callback"):
        yield from _in((*path, share), getattr(demand, share), 0, 1)
    yield from _in((*path, "factor"), demand.factor, 0, 1_000)
    yield from _callback(scenario, demand, path)
    if demand.dialer is not None:
        yield from _dialer(scenario, demand.dialer, (*path, "dialer"))
    for target in demand.transfers:
        yield from _unknown("category", target, center.categories, (*path, "transfers", target))
    for tier in demand.tiers:
        yield from _unknown("tier", tier, center.tiers, (*path, "tiers", tier))
    for shares in ("tiers", "languages", "transfers"):
        total = sum(getattr(demand, shares).values())
        if total > 1 + 1e-9:
            yield Problem((*path, shares), f"shares of {total:g} in all; at most 1")
    for part in fields(demand):
        value = getattr(demand, part.name)
        if isinstance(value, Law):
            yield from _law(value, (*path, part.name))
        elif isinstance(value, Again):
            yield from _in((*path, part.name, "share"), value.share, 0, 1)
            yield from _law(value.after, (*path, part.name, "after"))


def _dialer(scenario: Scenario, dialer: Dialer, path: Path) -> Iterator[Problem]:
    length_ms = parse_clock(scenario.closes) - parse_clock(scenario.opens)
    intervals = -(-length_ms // scenario.interval_ms)
    if parse_clock(dialer.end) <= parse_clock(dialer.start):
        yield Problem((*path, "end"), f"ends at {dialer.end}, before it starts")
    if not dialer.groups:
        yield Problem((*path, "groups"), "name the groups for whose agents it dials")
    for part in ("groups", "beside"):
        for group in getattr(dialer, part):
            yield from _unknown("group", group, groups_of(scenario), (*path, part))
    if len(dialer.reach) not in (1, intervals):
        yield Problem(
            (*path, "reach"), f"{len(dialer.reach)} numbers; give one, or {intervals} for the day"
        )
    for number, share in enumerate(dialer.reach):
        yield from _in((*path, "reach", number), share, 0, 1)
    yield from _in((*path, "lines_per_agent"), dialer.lines_per_agent, 0.01, 100)
    yield from _in((*path, "idle_min"), dialer.idle_min, 1, 1_000_000)
    if dialer.every_ms and dialer.every_ms < _LOOK_MIN_MS:
        yield Problem((*path, "every_ms"), "looks at most once a second; 0s: at ends of contacts")
    if dialer.rings is not None:
        yield from _law(dialer.rings, (*path, "rings"))


def _callback(scenario: Scenario, demand: Demand, path: Path) -> Iterator[Problem]:
    if demand.callback_from < 0:
        yield Problem((*path, "callback_from"), "a number who wait is not negative")
    if demand.callback_as:
        yield from _unknown("demand", demand.callback_as, scenario.demand, (*path, "callback_as"))
        further = scenario.demand.get(demand.callback_as)
        if further is not None and further.callback_from:
            yield Problem((*path, "callback_as"), f'"{demand.callback_as}" offers callbacks itself')
        if not demand.callback_from:
            yield Problem(
                (*path, "callback_as"), "needs callback_from, which says when one is offered"
            )


def _law(law: Law, path: Path) -> Iterator[Problem]:
    yield from _plain_law(law, path)
    starts = [parse_clock(later.start) for later in law.later]
    if any(a >= b for a, b in pairwise(starts)):
        yield Problem((*path, "later"), "each start must come after the one before")
    for number, later in enumerate(law.later):
        yield from _plain_law(later, (*path, "later", number))


def _plain_law(law: PlainLaw, path: Path) -> Iterator[Problem]:
    if law.law is LawName.UNIFORM:
        if not 0 <= law.low_ms < law.high_ms:
            yield Problem(path, "a uniform law needs 0 <= low < high")
    elif law.law is LawName.EMPIRICAL:
        if not law.values_ms or min(law.values_ms) < 0:
            yield Problem(path, "an empirical law needs values, none negative")
    elif law.law is LawName.HAZARD:
        rising = all(a < b for a, b in zip(law.from_ms, law.from_ms[1:], strict=False))
        if not law.from_ms or law.from_ms[0] != 0 or not rising:
            yield Problem(path, "a hazard curve needs from: [0s, ...], rising")
        elif len(law.per_minute) != len(law.from_ms) or min(law.per_minute) < 0:
            yield Problem(path, "a hazard curve needs per_minute, one for each from")
    elif law.mean_ms <= 0:
        yield Problem(path, f"a law of kind {law.law.value} needs a mean above 0")
    elif law.law in _SHAPED and not 0.01 <= law.cv <= 20:
        yield from _in((*path, "cv"), law.cv, 0.01, 20)


def _busyness(scenario: Scenario) -> Iterator[Problem]:
    busyness = scenario.busyness
    path: Path = ("busyness",)
    yield from _in((*path, "alpha"), busyness.alpha, 0, 1e9)
    yield from _in((*path, "correlation"), busyness.correlation, -1, 1)
    names = tuple(scenario.demand)
    problems: list[Problem] = []
    for one, others in busyness.correlations.items():
        for name in (one, *others):
            problems += _unknown("demand", name, names, (*path, "correlations", one))
    for name in busyness.alphas:
        problems += _unknown("demand", name, names, (*path, "alphas", name))
    yield from problems
    if not problems:
        try:
            copula_roots(busyness, names)
        except ValueError as error:
            yield Problem((*path, "correlation"), str(error))


def _group(scenario: Scenario, name: str, group: Group) -> Iterator[Problem]:
    path: Path = ("workforce", name)
    center = scenario.center
    for member in group.members:
        yield from _unknown("agent", member, center.agents, (*path, "members"))
    if group.skills:
        yield from _unknown("team", group.team or name, center.teams, (*path, "team"))
        for skill in group.skills:
            yield from _unknown("skill", skill, center.skills, (*path, "skills", skill))
    elif not members_of(center, name, group):
        yield Problem(
            path,
            "the centre has no agent group and no team of this name; name its members, or give "
            "team and skills",
            at_key=True,
        )
    length_ms = parse_clock(scenario.closes) - parse_clock(scenario.opens)
    intervals = -(-length_ms // scenario.interval_ms)
    if group.staffed and len(group.staffed) != intervals:
        yield Problem((*path, "staffed"), f"{len(group.staffed)} numbers; needs {intervals}")
    if group.staffed and group.shifts:
        yield Problem((*path, "staffed"), "give shifts or staffed, not both")
    for share in ("planned_absence", "unplanned_absence", "declines", "ignores"):
        yield from _in((*path, share), getattr(group, share), 0, 1)
    yield from _in((*path, "adherence"), group.adherence, 0.01, 1)
    yield from _in((*path, "pace"), group.pace, 0.01, 100)
    if group.count < 0 or any(wanted < 0 for wanted in group.staffed):
        yield Problem(path, "a number of agents is not negative", at_key=True)
    for category, pace in group.paces.items():
        yield from _unknown("category", category, center.categories, (*path, "paces", category))
        yield from _in((*path, "paces", category), pace, 0.01, 100)
    for number, shift in enumerate(group.shifts):
        if parse_clock(shift.end) <= parse_clock(shift.start):
            yield Problem(
                (*path, "shifts", number, "end"),
                f"ends at {shift.end}, before it starts; after midnight count on: 30:00 is 06:00",
            )
            continue
        if shift.count < 0:
            yield Problem((*path, "shifts", number, "count"), "a number is not negative")
        for place, rest in enumerate(shift.breaks):
            yield from _break(shift, rest, (*path, "shifts", number, "breaks", place))
    if group.reaction is not None:
        yield from _law(group.reaction, (*path, "reaction"))


def _break(shift: Shift, rest: Break, path: Path) -> Iterator[Problem]:
    latest = rest.latest or rest.earliest
    if parse_clock(latest) < parse_clock(rest.earliest):
        yield Problem(path, f"latest {latest} comes before earliest {rest.earliest}")
    elif parse_clock(rest.earliest) < parse_clock(shift.start) or (
        parse_clock(latest) + rest.length_ms > parse_clock(shift.end)
    ):
        yield Problem(
            path,
            f"a break of {rest.length_ms / 60_000:g} min from {rest.earliest} to {latest} does not "
            f"fit into the shift from {shift.start} to {shift.end}",
        )


def _target(target: Target, path: Path) -> Iterator[Problem]:
    yield from _unknown("service level", target.level, SERVICE_LEVELS, (*path, "level"))
    yield from _in((*path, "percent"), target.percent, 0, 100)
    yield from _in((*path, "abandoned_percent"), target.abandoned_percent, 0, 100)


def _others(scenario: Scenario) -> Iterator[Problem]:
    for channel in scenario.effects.speeds:
        path: Path = ("effects", "speeds", channel)
        yield from _unknown("channel", channel, scenario.center.channels, path)
    for channel, speeds in scenario.effects.speeds.items():
        if not speeds or min(speeds) <= 0:
            yield Problem(("effects", "speeds", channel), "give speeds above 0, at least one")
    for number, outage in enumerate(scenario.outages):
        for name in outage.groups:
            yield from _unknown("group", name, scenario.workforce, ("outages", number, "groups"))
    yield from _target(scenario.target, ("target",))
    for name, target in scenario.targets.items():
        yield from _unknown("queue", name, scenario.center.queues, ("targets", name))
        yield from _target(target, ("targets", name))
    for name in scenario.costs.breach:
        path = ("costs", "breach", name)
        yield from _unknown("promise", name, scenario.center.promises, path)
