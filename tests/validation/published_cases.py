"""The published cases as scenarios, P01 to P10: how each is played, and what is measured of it.

An interval after closing in which nobody comes holds what happens then, where a figure looks at
the open hours alone or at the staff that stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np

from configs.planning import (
    Busyness,
    Demand,
    Dialer,
    Group,
    LaterLaw,
    Law,
    LawName,
    Scenario,
    Target,
)
from router.center import AgentPolicy, Center, LimitAction, Queue, Step
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
    over_late_abandons,
    per_day,
    scaled,
    share,
    staff_ms,
    summed,
)
from tests.validation.published_weeks import bank, bilingual, telethon
from tests.validation.simulated import MINUTE_MS, Class, center_of, minutes

_LEFT_IN_TIME: Final = (Count.IN_TIME, Count.ABANDONED_IN_TIME)
_EVEN: Final = Busyness()


def _one_pool(
    rates_per_min: tuple[float, ...], agents: tuple[int, ...], interval_min: int, part: Class,
    threshold_s: float, busyness: Busyness = _EVEN,
) -> Scenario:  # fmt: skip
    """Return a day of one pool; its last interval is the one after closing."""
    calls = Demand(
        category="calls",
        channel="phone",
        handle=part.work,
        patience=part.patience,
        balking=part.balking,
        per_interval=(*(rate * interval_min for rate in rates_per_min), 0.0),
    )
    return Scenario(
        name="published",
        center=center_of({"calls": part}, {"pool": max(agents)}),
        date="2026-03-10",
        opens="00:00",
        closes=clock(len(agents) * interval_min),
        interval_ms=interval_min * MINUTE_MS,
        demand={"calls": calls},
        workforce={"pool": Group(staffed=agents)},
        target=Target(within_ms=round(threshold_s * 1000)),
        busyness=busyness,
    )


def _erlang(case_id: str) -> Published:
    """P01, P02: one pool over a day of eight hours."""
    these = given(case_id)
    hours = these["day_length_min"] // 60
    patience_min = these.get("patience_mean_min")
    part = Class(
        these["arrival_rate_per_min"],
        minutes(1 / these["service_rate_per_min"]),
        minutes(patience_min) if patience_min else None,
    )
    scenario = _one_pool(
        (part.rate,) * hours, (these["agents"],) * (hours + 1), 60, part, these["threshold_s"]
    )
    return Published(
        case_id,
        scenario,
        {
            "abandonments_count": per_day(Count.ABANDONED),
            "served_within_threshold_count": per_day(*IN_TIME),
            "served_within_threshold_per_served": share(IN_TIME, ANSWERED),
            "served_within_threshold_per_served_plus_late_abandons": over_late_abandons,
            "wait_mean_served_min": WAIT_SERVED_MIN,
            "occupancy_open_hours": scaled(occupancy(hours), 0.01),
        },
    )


def _uncertain(case_id: str) -> Published:
    """P05, P06: one pool whose day is busy or not; figures over the expected arrivals."""
    these = given(case_id)
    rates = tuple(rate / 60 for rate in these["arrival_rate_base_per_h"])
    part = Class(
        1.0,
        minutes(these["service_mean_s"] / 60),
        minutes(these["patience_mean_s"] / 60),
        balking=these["balk_probability_when_all_busy"],
    )
    scenario = _one_pool(
        rates, (*these["agents"], these["agents_after_closing"]), 60, part,
        these["threshold_s"], Busyness(alpha=these["busyness_gamma_shape"]),
    )  # fmt: skip
    expected = these["expected_arrivals"]
    return Published(
        case_id,
        scenario,
        {
            "arrivals_count": per_day(Count.ARRIVED),
            "wait_sum_per_expected_arrival_s": per_day(Count.WAIT_MS, over=1000 * expected),
            "within_threshold_per_expected_arrival": per_day(
                Count.IN_TIME, Count.ABANDONED_IN_TIME, over=expected
            ),
            "abandonments_per_expected_arrival": per_day(Count.ABANDONED, over=expected),
        },
    )


def _rate_law(rates_per_min: list[float], interval_min: int) -> Law:
    """Return an exponential law whose rate is another one for who arrives later."""
    first, *rest = (round(MINUTE_MS / rate) for rate in rates_per_min)
    later = tuple(
        LaterLaw(start=clock(number * interval_min), mean_ms=mean_ms)
        for number, mean_ms in enumerate(rest, 1)
    )
    return Law(mean_ms=first, later=later)


def _w_center(
    classes: Mapping[str, Class], staffed: Mapping[str, tuple[int, ...]], overflow_min: float
) -> Center:
    """Return the centre of the W-design; type 1 goes to group 1 after a while, if one is given."""
    center = center_of(classes, {group: max(numbers) for group, numbers in staffed.items()})
    if not overflow_min:
        return center
    queue = replace(center.queues["q-type_1"], teams=("group_0",))
    step = Step(after_ms=round(overflow_min * MINUTE_MS), add_teams=("group_1",))
    category = replace(center.categories["type_1"], steps=(step,))
    return replace(
        center,
        queues={**center.queues, "q-type_1": queue},
        categories={**center.categories, "type_1": category},
    )


def _w_design(case_id: str, priorities: tuple[int, int, int], overflow_min: float = 0) -> Published:
    """P03, P04: three types, two groups; type 1 may go to both, at once or after a while."""
    these = given(case_id)
    interval_min, threshold_s = these["interval_min"], these["threshold_s"]
    work = _rate_law(these["service_rate_per_min_by_arrival_interval"], interval_min)
    patience = _rate_law(these["patience_rate_per_min_by_arrival_interval"], interval_min)
    levels = {
        "type_0": {"group_0": 5},
        "type_1": {"group_0": 9, "group_1": 3},
        "type_2": {"group_1": 5},
    }
    classes = {
        name: Class(1.0, work, patience, priority, levels=levels[name])
        for name, priority in zip(levels, priorities, strict=True)
    }
    staffed = {
        group: (*numbers, these["agents_after_closing"][group])
        for group, numbers in these["agents"].items()
    }
    scenario = Scenario(
        name="published",
        center=_w_center(classes, staffed, overflow_min),
        date="2026-03-10",
        opens="00:00",
        closes=clock(4 * interval_min),
        interval_ms=interval_min * MINUTE_MS,
        demand={
            name: Demand(
                category=name,
                channel="phone",
                handle=work,
                patience=patience,
                per_interval=(*(rate * interval_min for rate in rates), 0.0),
            )
            for name, rates in these["arrival_rate_per_min"].items()
        },
        workforce={group: Group(staffed=numbers) for group, numbers in staffed.items()},
        target=Target(within_ms=threshold_s * 1000),
        busyness=Busyness(alpha=these["busyness_gamma_shape"]),
    )
    closed_ms, stays = 3 * interval_min * MINUTE_MS, these["agents_after_closing"]["group_0"]

    def until_empty(study: Study, path: tuple[str, ...]) -> Ratio:
        # Those who stay do so until the last contact is over; ours have the hours after closing.
        after_ms = np.maximum(study.ended_ms - closed_ms, 0) * stays
        there_ms = staff_ms(study, ("group_0",), Staffed.SIGNED_IN, 3) + after_ms
        return view(study).over(staff_ms(study, ("group_0",), Staffed.BUSY), there_ms)

    return Published(
        case_id,
        scenario,
        {
            "served_count": per_day(*ANSWERED),
            "abandonments_count": per_day(Count.ABANDONED),
            "served_within_threshold_count": per_day(*IN_TIME),
            "served_within_threshold_per_served": share(IN_TIME, ANSWERED),
            "served_within_threshold_per_arrival": share(IN_TIME, ARRIVED),
            "served_within_threshold_per_served_plus_late_abandons": over_late_abandons,
            "abandon_fraction": share((Count.ABANDONED,), ARRIVED),
            "occupancy_group_0": until_empty,
        },
    )


def _outbound(these: Mapping[str, Any]) -> Demand:
    """Return the demand that the dialer of P10 makes."""
    opens_min = these["opening_hour"] * 60
    return Demand(
        category="outbound",
        channel="phone",
        handle=minutes(these["outbound_service_exponential_mean_s"] / 60),
        patience=minutes(these["outbound_patience_exactly_s"] / 60, LawName.CONSTANT),
        dialer=Dialer(
            start=clock(opens_min + these["dialer_start_after_opening_min"]),
            end=clock(opens_min + these["dialer_stop_after_opening_min"]),
            groups=("blend",),
            beside=("inbound_only",),
            idle_min=these["dialer_needs_idle_agents_at_least"],
            lines_per_agent=these["dialer_calls_per_idle_blend_agent"],
            reach=(*these["reach_probability"], 0.0),
            every_ms=0,
        ),
    )


def _blend() -> Published:
    """P10: calls come in, and a dialer calls out when agents are idle."""
    these = given("P10")
    interval_min, agents = these["interval_min"], these["agents"]
    open_ms = len(these["inbound_arrival_rate_per_30_min"]) * interval_min * MINUTE_MS
    opens_min = these["opening_hour"] * 60
    shape = these["inbound_service_gamma_shape"]
    inbound = Demand(
        category="inbound",
        channel="phone",
        handle=Law(
            law=LawName.GAMMA,
            mean_ms=round(shape * these["inbound_service_gamma_scale_s"] * 1000),
            cv=shape**-0.5,
        ),
        patience=minutes(these["inbound_patience_mean_s"] / 60),
        balking=these["balk_probability_when_not_served_at_once"],
        per_interval=(
            *(rate * interval_min / 30 for rate in these["inbound_arrival_rate_per_30_min"]), 0.0,
        ),
    )  # fmt: skip
    classes = {
        "inbound": Class(1.0, minutes(1), levels={"inbound_only": 9, "blend": 3}),
        "outbound": Class(1.0, minutes(1), priority=9, levels={"blend": 5}),
    }
    staffed = {name: (*n, these["agents_after_closing"][name]) for name, n in agents.items()}
    queue = Queue(
        agent_policy=AgentPolicy.MOST_PROFICIENT,
        length_max=these["queue_places"],
        when_full=LimitAction.REFUSE,
    )
    sizes = {name: max(numbers) for name, numbers in staffed.items()}
    scenario = Scenario(
        name="published",
        center=center_of(classes, sizes, queue=queue),
        date="2026-03-10",
        opens=clock(opens_min),
        closes=clock(opens_min + 4 * interval_min),
        interval_ms=interval_min * MINUTE_MS,
        demand={"inbound": inbound, "outbound": _outbound(these)},
        busyness=Busyness(alphas={"inbound": these["busyness_gamma_shape"]}),
        workforce={name: Group(staffed=numbers) for name, numbers in staffed.items()},
        target=Target(within_ms=these["threshold_s"] * 1000),
    )

    def late(study: Study, path: tuple[str, ...]) -> Ratio:
        part = view(study, ["inbound"])
        return part.per_day(summed(part, *ARRIVED) - summed(part, *_LEFT_IN_TIME))

    def in_time(study: Study, path: tuple[str, ...]) -> Ratio:
        part = view(study, ["inbound"])
        return part.over(100 * summed(part, *_LEFT_IN_TIME), summed(part, *ARRIVED))

    return Published(
        "P10",
        scenario,
        {
            **LOST,
            "dialed_count": per_day(Count.DIALLED),
            "delayed_count": per_day(Count.DELAYED),
            "inbound_wait_at_least_threshold_count": late,
            "inbound_left_queue_within_threshold_percent_of_arrivals": in_time,
            "occupancy_percent": occupancy(3),
            "queue_length_mean": per_day(Count.WAIT_MS, over=open_ms),
            "wait_mean_min": share((Count.WAIT_MS,), ARRIVED, 1 / MINUTE_MS),
        },
    )


def cases() -> dict[str, Callable[[], Published]]:
    """Return every published case, by its id."""
    return {
        "P01": partial(_erlang, "P01"),
        "P02": partial(_erlang, "P02"),
        "P03": partial(_w_design, "P03", (5, 5, 5)),
        "P03 strict_priority": partial(_w_design, "P03 strict_priority", (7, 8, 9)),
        "P04": lambda: _w_design("P04", (9, 8, 5), given("P04")["overflow_delay_min"]),
        "P05": partial(_uncertain, "P05"),
        "P06": partial(_uncertain, "P06"),
        "P07": telethon,
        "P08": bilingual,
        "P09": bank,
        "P10": _blend,
    }
