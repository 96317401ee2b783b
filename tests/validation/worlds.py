"""Build the scenarios in which numbers of known truth are played: centres, steady days, whole days.

A steady state is a long day whose beginning is left out. The time unit is the minute, so that
rounding to whole milliseconds stays below 1e-5 of a mean service time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from configs.planning import (
    Busyness,
    Demand,
    Effects,
    Group,
    Law,
    LawName,
    Leaving,
    Scenario,
    Target,
)
from router.center import (
    Agent,
    AgentPolicy,
    Category,
    Center,
    Channel,
    ContactPolicy,
    Queue,
    Team,
)

MINUTE_MS: Final = 60_000
# A clock ends before two days are over.
LENGTH_MIN_MAX: Final = 2_940
# The start is forgotten like e^-x: after so many of its times it is below the error by far.
FORGOTTEN: Final = 9.0
# Of a day at most a seventh is left out, unless it is as long as a day may be.
DAY_OVER_WARM_UP: Final = 7
CONTACTS_LEAST: Final = 1_500
_PLAIN: Final = Effects()
_EVEN: Final = Busyness()


@dataclass(frozen=True)
class Class:
    """One class of contacts: rate a minute, work, patience, priority; who serves it."""

    rate: float
    work: Law
    patience: Law | None = None
    priority: int = 5
    balking: float = 0.0
    levels: dict[str, int] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    channel: str = "phone"


@dataclass(frozen=True)
class Times:
    """A steady day: its length, an interval, and how many intervals are left out, minutes."""

    length_min: int
    interval_min: int
    warm_up: int

    @property
    def intervals(self) -> int:
        """Return how many intervals the day has."""
        return self.length_min // self.interval_min

    @property
    def window(self) -> tuple[int, ...]:
        """Return the intervals looked at: the last one holds what is after closing, too."""
        return tuple(range(self.warm_up, self.intervals - 1))


def minutes(mean: float, law: LawName = LawName.EXPONENTIAL, cv: float = 1.0) -> Law:
    """Return a law by its mean in minutes."""
    return Law(law=law, mean_ms=round(mean * MINUTE_MS), cv=cv)


def center_of(
    classes: Mapping[str, Class],
    agents: Mapping[str, int],
    *,
    queue: Queue | None = None,
    channel: Channel | None = None,
    policy: ContactPolicy = ContactPolicy.PRIORITY_THEN_AGE,
) -> Center:
    """Return a centre with a line and a skill a class, and a team a group."""
    queue = queue or Queue(agent_policy=AgentPolicy.MOST_PROFICIENT)
    members = {
        f"{group}-{number}": Agent(
            team=group,
            skills={
                f"s-{name}": part.levels.get(group, 5)
                for name, part in classes.items()
                if not part.levels or group in part.levels
            },
        )
        for group, count in agents.items()
        for number in range(count)
    }
    return Center(
        name="case",
        version=1,
        channels={"phone": channel or Channel(auto_accept=True)},
        skills=tuple(f"s-{name}" for name in classes),
        queues={f"q-{name}": queue for name in classes},
        categories={
            name: Category(queue=f"q-{name}", needs={f"s-{name}": 1}, priority=part.priority)
            for name, part in classes.items()
        },
        teams={group: Team() for group in agents},
        agents=members,
        contact_policy=policy,
    )


def forgets_min(classes: Mapping[str, Class], agents: int) -> float:
    """Return in what time (min) a pool forgets its start: e-fold, of the slowest part.

    Without abandonment work / (sqrt(n) - sqrt(load))^2, longer by half the variance of the work
    (Abate & Whitt, 1987); with it no longer than one patience.
    """
    rate = sum(part.rate for part in classes.values()) or 1e-9
    load = sum(part.rate * part.work.mean_ms / MINUTE_MS for part in classes.values())
    longest = max(part.work.mean_ms for part in classes.values()) / MINUTE_MS
    spread = max(1.0, *((1 + _cv(part.work) ** 2) / 2 for part in classes.values()))
    queue = math.inf if load else 0.0
    if 0 < load < agents:
        queue = load / rate * spread / (math.sqrt(agents) - math.sqrt(load)) ** 2
    if all(part.balking == 1.0 for part in classes.values()):
        queue = 0.0
    patience = [
        part.patience.mean_ms or part.patience.high_ms
        for part in classes.values()
        if part.patience and part.rate
    ]
    if patience and (
        math.isinf(queue) or len(patience) == sum(1 for part in classes.values() if part.rate)
    ):
        queue = min(queue, max(patience) / MINUTE_MS)
    assert math.isfinite(queue), "a pool without abandonment has capacity"
    return longest + queue


def _cv(law: Law) -> float:
    return law.cv if law.law in (LawName.LOGNORMAL, LawName.GAMMA) else 1.0


def times_of(classes: Mapping[str, Class], agents: int, *, lasting: float = 1.0) -> Times:
    """Return how a steady day is cut; `lasting` stretches the time in which a start is forgotten.

    Intervals of about a mean work: what the controls know of the past is then fresh.
    """
    rate = sum(part.rate for part in classes.values()) or 1.0
    forgets = lasting * forgets_min(classes, agents)
    work = min(part.work.mean_ms for part in classes.values()) / MINUTE_MS
    warm_up = FORGOTTEN * forgets
    wanted = max(DAY_OVER_WARM_UP * warm_up, CONTACTS_LEAST / rate)
    interval = max(1, math.ceil(work))
    length = min(LENGTH_MIN_MAX, math.ceil(wanted / interval) * interval)
    # Where one agent has a slow clientele, a quarter of the longest day is enough to forget.
    warm_up = min(warm_up, length / 4)
    return Times(length // interval * interval, interval, math.ceil(warm_up / interval))


def clock(length_min: float) -> str:
    """Return a time of day."""
    hours, rest = divmod(round(length_min * 60), 3600)
    return f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"


def steady(
    classes: Mapping[str, Class],
    agents: Mapping[str, int],
    *,
    threshold_s: float = 20.0,
    center: Center | None = None,
    effects: Effects = _PLAIN,
    times: Times | None = None,
) -> Scenario:
    """Return a long day at constant rates."""
    times = times or times_of(classes, sum(agents.values()))
    demand = {
        name: Demand(
            category=name,
            channel=part.channel,
            handle=part.work,
            patience=part.patience,
            balking=part.balking,
            per_interval=(part.rate * times.interval_min,) * times.intervals,
            **part.more,
        )
        for name, part in classes.items()
    }
    return Scenario(
        name="steady",
        center=center or center_of(classes, agents),
        date="2026-03-10",
        opens="00:00",
        closes=clock(times.length_min),
        interval_ms=times.interval_min * MINUTE_MS,
        demand=demand,
        workforce={group: Group() for group in agents},
        target=Target(within_ms=round(threshold_s * 1000)),
        effects=effects,
    )


def whole_day(
    rates_per_min: tuple[float, ...],
    agents: tuple[int, ...],
    interval_min: int,
    work_min: float,
    patience_min: float,
    *,
    balking: float = 0.0,
    busyness: Busyness = _EVEN,
) -> Scenario:
    """Return a day with its own staff in each interval, served until it is empty.

    Two intervals more, in which nobody comes and the last staff stays, show what is after closing.
    """
    rates_per_min = (*rates_per_min, 0.0, 0.0)
    agents = (*agents, agents[-1], agents[-1])
    part = Class(1.0, minutes(work_min), minutes(patience_min) if patience_min else None)
    times = Times(interval_min * len(rates_per_min), interval_min, 0)
    scenario = steady({"calls": part}, {"pool": max(agents)}, times=times)
    calls = replace(
        scenario.demand["calls"],
        per_interval=tuple(rate * interval_min for rate in rates_per_min),
        balking=balking,
    )
    return replace(
        scenario,
        demand={"calls": calls},
        workforce={"pool": Group(staffed=agents, leaving=Leaving.FINISH)},
        busyness=busyness,
    )
