"""Cases of known truth in which a day begins empty: A42, A43, A46, A47."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from configs.planning import (
    Busyness,
)
from simulation.plan.estimates import Floats
from simulation.plan.tallies import Count, Staffed
from tests.validation.figures import (
    MEASURES,
    Columns,
    Figure,
    Look,
)
from tests.validation.making import (
    Simulated,
    case_named,
    expected_of,
    make,
)
from tests.validation.worlds import (
    MINUTE_MS,
    Class,
    Times,
    clock,
    minutes,
    steady,
    whole_day,
)


def _by_interval(
    expected: list[float], name: str, measure: Callable[[Look], Columns]
) -> list[Figure]:
    """Return a figure an interval."""
    return [
        Figure(
            f"{name} {number + 1}", value, partial(_in_interval, number, measure),
            plain=name == "arrivals_mean",
        )
        for number, value in enumerate(expected)
    ]  # fmt: skip


def _in_interval(number: int, measure: Callable[[Look], Columns], look: Look) -> Columns:
    return measure(look.at(number))


def _changing_staff() -> Simulated:
    """A42: by the interval of arrival, or of leaving; what is left is served after closing."""
    case = case_named("A42")
    given, expected = case["parameters"], case["expected"]
    scenario = whole_day(
        tuple(given["arrival_rate_per_min"]), tuple(given["agents"]), given["interval_min"],
        given["service_mean_min"], given["patience_mean_min"],
    )  # fmt: skip
    figures: list[Figure] = []
    measures: dict[str, Callable[[Look], Columns]] = {
        "arrivals_mean": lambda look: [look.count(Count.ARRIVED), look.always(1.0)],
        "abandonments_mean": lambda look: [look.count(Count.LEFT), look.always(1.0)],
        "agents_finishing_after_shift_mean": lambda look: [
            look.staff(Staffed.AFTER), look.always(look.length_min)
        ],
    }  # fmt: skip
    for name in ("delay_probability", "queue_length_mean", "busy_agents_mean"):
        measures[name] = partial(_plain_measure, name)
    for name, measure in measures.items():
        figures += _by_interval(expected[name], name, measure)

    def after_closing(look: Look) -> Columns:
        return [look.at(6, 7).count(Count.LEFT), look.always(1.0)]

    figures += [
        Figure("abandonments_after_closing_mean",
               expected["abandonments_after_closing_mean"], after_closing),
        Figure("abandonments_total_mean", expected["abandonments_total_mean"],
               partial(_plain_measure, "abandonments_mean")),
        Figure("delay_probability_all_arrivals", expected["delay_probability_all_arrivals"],
               partial(_plain_measure, "delay_probability")),
    ]  # fmt: skip
    again = case["resimulated"]
    for of_what in ("per_served", "per_served_plus_late_abandons"):
        name = f"served_within_threshold_{of_what}"
        known = again[name]
        figures.append(
            Figure(f"resimulated_{name}", known["mean"], partial(_plain_measure, name),
                   known_error=known["half_width_95"] / 1.96)
        )  # fmt: skip
    return make("A42", scenario, range(8), *figures)


def _plain_measure(name: str, look: Look) -> Columns:
    return MEASURES[name](look, "")


def _one_day(case_id: str) -> Simulated:
    """A46: eight hours; the occupancy is that of the open hours, all else of all contacts."""
    given = case_named(case_id)["parameters"]
    hours = given["day_length_min"] // 60
    scenario = whole_day(
        (given["arrival_rate_per_min"],) * hours, (given["agents"],) * hours, 60,
        1 / given["service_rate_per_min"], given.get("patience_mean_min", 0),
    )  # fmt: skip
    name = "occupancy_open_hours"

    def open_hours(look: Look) -> Columns:
        return MEASURES["occupancy"](look.at(*range(hours)), "")

    figure = Figure(name, expected_of(case_id)[name], open_hours)
    return make(case_id, scenario, range(hours + 2), figure)


def _uncertain(which: str) -> Simulated:
    """A47: a day of 13 hours whose volume is uncertain; lost contacts over expected ones."""
    given = case_named("A47")["parameters"]
    expected = expected_of("A47")
    alpha = {"fixed": 0.0, "gamma_400": 400.0, "gamma_10": 10.0}[which]
    scenario = whole_day(
        tuple(rate / 60 for rate in given["arrival_rate_base_per_h"]),
        tuple(given["agents"]), 60, given["service_mean_s"] / 60, given["patience_mean_s"] / 60,
        balking=given["balk_probability_when_all_busy"], busyness=Busyness(alpha=alpha),
    )  # fmt: skip
    volume = float(expected["arrivals_mean"])

    def spread(look: Look) -> Columns:
        return [(look.count(Count.ARRIVED) - volume) ** 2, look.always(1.0)]

    def lost(over: float, look: Look) -> Columns:
        return [look.count(Count.ABANDONED), look.always(over)]

    def waited(over: float, look: Look) -> Columns:
        return [look.count(Count.WAIT_MS) / 1000, look.always(over)]

    columns: dict[str, Callable[[Look], Columns]] = {
        "arrivals_variance": spread,
        "abandonments_mean": partial(lost, 1.0),
        "abandonments_per_expected_arrival": partial(lost, volume),
        "wait_sum_mean_s": partial(waited, 1.0),
        "wait_sum_per_expected_arrival_s": partial(waited, volume),
    }
    figures = [
        Figure(f"{name} {which}", expected[name][which], found, plain=name == "arrivals_variance")
        for name, found in columns.items()
    ]
    return make("A47", scenario, range(15), *figures)


def _identity(agents: dict[str, int], times_min: list[int]) -> Simulated:
    """A43: patience as long as work, 100 + 20 sin t a minute: Poisson numbers at each instant.

    In two pools one class may be served by all, and goes first; one pool serves both as they come.
    """
    given = case_named("A43")["parameters"]
    expected = expected_of("A43")
    per_min = 20
    length = max(times_min) + 0.25
    work, patience = (
        minutes(1 / given[f"{name}_rate_per_min"]) for name in ("service", "patience")
    )
    levels = {"one": {"one": 9, "both": 3}, "both": {"both": 9}}
    classes = {
        name: Class(1.0, work, patience, levels=levels[name] if len(agents) > 1 else {},
                    priority=6 if name == "one" else 5)
        for name in (("one", "both") if len(agents) > 1 else ("calls",))
    }  # fmt: skip
    intervals = round(length * per_min)
    edges = np.arange(intervals + 1) / per_min
    rates: Floats = 60 * (100 + 20 * np.sin(edges)) / len(classes)
    scenario = steady(classes, agents, times=Times(1, 1, 0))
    demand = {
        name: replace(part, per_interval=(), rates_per_hour=tuple(rates.tolist()))
        for name, part in scenario.demand.items()
    }
    scenario = replace(
        scenario, closes=clock(length), interval_ms=MINUTE_MS // per_min, demand=demand
    )
    figures = []
    for time in times_min:
        # The two intervals of three seconds around the instant.
        around = (time * per_min - 1, time * per_min)
        name = "number_in_system_mean"
        figures.append(
            _around(
                f"{name} time_{time}_min",
                expected[name][given["time_min"].index(time)],
                name,
                around,
            )
        )
        for name in ("delay_probability", "queue_length_mean"):
            of_time = expected[name][f"time_{time}_min"]
            if len(agents) == 1:
                label = f"{name} time_{time}_min agents_{agents['pool']}"
                value = of_time[f"agents_{agents['pool']}"]
                figures.append(_around(label, value, name, around))
    said = {figure.name.split()[0] for figure in figures}
    return make("A43", scenario, range(intervals), *figures, only=lambda name: name in said)


def _around(label: str, expected: float, name: str, around: tuple[int, int]) -> Figure:
    return Figure(label, expected, partial(_at_instant, name, around))


def _at_instant(name: str, around: tuple[int, int], look: Look) -> Columns:
    return MEASURES[name](look.at(*around), "")


# --- all of them --------------------------------------------------------------------------


def days() -> Iterator[tuple[str, Callable[[], Simulated]]]:
    """Yield the cases of a day that begins empty."""
    yield "A42", _changing_staff
    given = case_named("A43")["parameters"]
    for agents in given["agents"]:
        for time in given["time_min"]:
            # Each instant by days that end soon after it.
            yield f"A43 {agents} {time}_min", partial(_identity, {"pool": agents}, [time])
    yield "A43 two pools", partial(_identity, {"one": 40, "both": 55}, given["time_min"])
    yield "A46a", partial(_one_day, "A46a")
    yield "A46b", partial(_one_day, "A46b")
    for which in ("fixed", "gamma_400", "gamma_10"):
        yield f"A47 {which}", partial(_uncertain, which)
