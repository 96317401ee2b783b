"""The published cases of a week, P07 to P09, as scenarios.

The days of such a week are alike, and nothing of one reaches the next: a week is five of them.
A contact holds a line from its arrival until it is over, so lines are the open contacts of the
centre.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from configs.opening_hours import compile_calendars
from configs.planning import (
    Again,
    Closing,
    Costs,
    Demand,
    Group,
    Law,
    LawName,
    Rate,
    Scenario,
)
from router.center import (
    AgentPolicy,
    AtClosing,
    CalendarDefinition,
    Center,
    ContactPolicy,
    LimitAction,
    PairWeight,
    Queue,
    Team,
    WhenClosed,
)
from simulation.plan.costs import costs_of
from simulation.plan.estimates import Ratio, view
from simulation.plan.replications import Study
from simulation.plan.tallies import Count, Staffed
from tests.validation.published import (
    ANSWERED,
    ARRIVED,
    IN_TIME,
    LOST,
    WAIT_SERVED_MIN,
    Published,
    clock,
    given,
    occupancy,
    per_day,
    share,
    staff_ms,
)
from tests.validation.simulated import MINUTE_MS, Class, center_of, minutes

HOUR_MS: Final = 60 * MINUTE_MS


def _week(
    center: Center, hours: int, demand: Mapping[str, Demand], groups: Mapping[str, Group],
    *, lines: int, after: int = 0, rates: Mapping[str, Rate] | None = None,
) -> Scenario:  # fmt: skip
    """Return a day of a week whose days are alike, with so many hours after it."""
    return Scenario(
        name="published",
        center=replace(center, limits=replace(center.limits, open_contacts=lines)),
        date="2026-03-10",
        opens="08:00",
        closes=clock((8 + hours + after) * 60),
        interval_ms=60 * MINUTE_MS,
        overrun_ms=0,
        demand=dict(demand),
        workforce=dict(groups),
        costs=Costs(rates=dict(rates or {})),
    )


def telethon() -> Published:
    """P07: who still waits after two minutes speaks to a voice box; closing clears the line."""
    these = given("P07")
    hours = these["open_until_hour"] - these["open_from_hour"]
    queue = Queue(
        wait_max_ms=round(these["message_after_min"] * MINUTE_MS), when_late=LimitAction.DEFLECT
    )
    work, patience = minutes(these["service_mean_min"]), minutes(these["patience_mean_min"])
    calls = Demand(
        category="calls",
        channel="phone",
        handle=work,
        patience=patience,
        per_interval=(float(these["arrival_rate_per_h"]),) * hours,
        closing=Closing.CLEARED,
        answer_within_ms=these["threshold_s"] * 1000,
    )
    agents, days = these["agents"], these["open_days"]
    center = center_of({"calls": Class(1.0, work)}, {"pool": agents}, queue=queue)
    return Published(
        "P07",
        _week(center, hours, {"calls": calls}, {"pool": Group()}, lines=these["lines"]),
        {
            **LOST,
            "messages_count": per_day(Count.DEFLECTED),
            "disconnected_count": per_day(Count.CLEARED),
            "served_within_threshold_percent_of_expected_arrivals": per_day(
                *IN_TIME, over=these["expected_arrivals"] / days / 100
            ),
            "wait_mean_served_min": WAIT_SERVED_MIN,
            "occupancy_percent": occupancy(0, staffed_ms={"pool": agents * hours * HOUR_MS}),
        },
        days,
    )


def bilingual() -> Published:
    """P08: agents by chance, and redials that go on after closing, when nobody is there."""
    these = given("P08")
    opens, closes = these["open_from_hour"], these["open_until_hour"]
    hours, after = closes - opens, 24 - closes
    rates = these["arrival_rate_per_h_by_language"]
    volume = (rates["first_hour"], *(rates["later"],) * (hours - 1), *(0.0,) * after)
    hold = Law(law=LawName.CONSTANT, mean_ms=these["redial_delay_min"] * MINUTE_MS)
    languages = tuple(these["service_uniform_low_min"])
    demand = {
        language: Demand(
            category=language,
            channel="phone",
            handle=_uniform(these, "service", language),
            patience=minutes(these["patience_mean_min"]),
            per_interval=tuple(map(float, volume)),
            answer_within_ms=these["threshold_s"] * 1000,
            redial=Again(
                share=these["redial_probability"], after=hold, max=1_000, same_work=True,
                waits_add_up=True,
            ),
        )
        for language in languages
    }  # fmt: skip
    agents = these["agents"]
    classes = {
        language: Class(1.0, minutes(1), levels={f"{language}_only": 5, "bilingual": 5})
        for language in languages
    }
    queue = Queue(
        agent_policy=AgentPolicy.SEEDED_RANDOM, calendar="hours", when_closed=WhenClosed.WAIT,
        at_closing=AtClosing.EXPIRE,
    )  # fmt: skip
    calendar = CalendarDefinition(
        zone="UTC", hours={"daily": (f"{clock(opens * 60)}-{clock(closes * 60)}",)}, years=(2026,)
    )
    calendars, problems = compile_calendars({"hours": calendar}, Path())
    assert not problems
    center = replace(center_of(classes, agents, queue=queue), calendars=calendars)
    groups = {name: Group(staffed=(*(n,) * hours, *(0,) * after)) for name, n in agents.items()}
    expected = these["expected_arrivals_by_language"] / these["open_days"]

    def percent(study: Study, path: tuple[str, ...]) -> Ratio:
        of = expected * (len(languages) if path == ("all",) else 1)
        return per_day(*IN_TIME, over=of / 100)(study, path)

    return Published(
        "P08",
        _week(center, hours, demand, groups, lines=these["lines"], after=after),
        {
            **LOST,
            "redials_count": per_day(Count.REDIALS),
            "disconnected_count": per_day(Count.EXPIRED),
            "served_within_threshold_percent_of_expected_arrivals": percent,
            "occupancy_percent": occupancy(
                0, staffed_ms={name: n * hours * HOUR_MS for name, n in agents.items()}
            ),
        },
        these["open_days"],
    )


def _uniform(these: Mapping[str, Any], what: str, name: str) -> Law:
    low, high = (these[f"{what}_uniform_{end}_min"][name] for end in ("low", "high"))
    return Law(law=LawName.UNIFORM, low_ms=round(low * MINUTE_MS), high_ms=round(high * MINUTE_MS))


def _specialists(fields: tuple[str, ...], agents: Mapping[str, int]) -> Center:
    """Return a centre whose teams are best at the field of their name, and begin with it."""
    classes = {
        name: Class(1.0, minutes(1), levels={group: 9 if group == name else 5 for group in agents})
        for name in fields
    }
    center = center_of(classes, agents)
    anybody = replace(center.queues["q-balance"], agent_policy=AgentPolicy.SEEDED_RANDOM)
    # A day's head start: whatever waits, the own field goes first.
    own_first = {group: {f"q-{group}": PairWeight(base_ms=24 * HOUR_MS)} for group in agents}
    return replace(
        center,
        queues={**center.queues, "q-balance": anybody},
        teams={
            group: Team(contact_policy=ContactPolicy.WEIGHTED_PAIRS, pairs=own_first[group])
            for group in agents
        },
    )


def bank() -> Published:
    """P09: each team prefers its own field and is faster in it."""
    these = given("P09")
    hours = these["open_until_hour"] - these["open_from_hour"]
    means, agents, days = these["service_exponential_mean_min"], these["agents"], these["open_days"]
    demand = {
        name: Demand(
            category=name,
            channel="phone",
            handle=minutes(means[name]),
            patience=_uniform(these, "patience", name),
            per_interval=(float(rate["first_hour"]), *(float(rate["later"]),) * (hours - 1)),
            closing=Closing.CLEARED,
            answer_within_ms=these["threshold_s"][name] * 1000,
        )
        for name, rate in these["arrival_rate_per_h"].items()
    }
    center = _specialists(tuple(demand), agents)
    factor = these["service_factor_own_field"]
    groups = {group: Group(paces={group: factor}) for group in agents}
    rates = {group: Rate(per_hour=cost) for group, cost in these["agent_cost_per_h"].items()}

    def cost(study: Study, path: tuple[str, ...], *, idle: bool) -> Ratio:
        money = costs_of(study)
        found = money.idle if idle else money.staff - money.idle
        chosen = [study.groups.index(name) for name in path if name in agents]
        return view(study).per_day(found[:, chosen or range(len(agents))].sum(axis=1))

    def by_type(study: Study, path: tuple[str, ...]) -> Ratio:
        group, name = path[0].removesuffix("_agents"), path[1]
        pace = factor if group == name else 1.0
        begun = study.served[:, study.groups.index(group), study.demands.index(name)]
        # The mean work of each that is begun: which work it is has no part in who gets it.
        busy_ms = begun * means[name] * pace * MINUTE_MS
        return view(study).over(100 * busy_ms, staff_ms(study, (group,), Staffed.SIGNED_IN))

    return Published(
        "P09",
        _week(center, hours, demand, groups, lines=these["lines"], rates=rates),
        {
            **LOST,
            "disconnected_count": per_day(Count.CLEARED),
            "served_within_threshold_percent_of_arrivals": share(IN_TIME, ARRIVED, 100),
            "service_mean_min": share((Count.TALK_MS,), ANSWERED, 1 / MINUTE_MS),
            "wait_served_sum_per_arrival_min": share(
                (Count.WAIT_ANSWERED_MS,), ARRIVED, 1 / MINUTE_MS
            ),
            # Over staffed and finishing time: what busy and idle money add up to.
            "occupancy_percent": occupancy(0),
            "busy_cost": partial(cost, idle=False),
            "idle_cost": partial(cost, idle=True),
            "occupancy_percent_by_type": by_type,
            "busy_lines_mean": per_day(Count.WAIT_MS, Count.TALK_MS, over=168 * HOUR_MS / days),
        },
        days,
    )
