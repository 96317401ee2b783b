"""Cases of known truth with several pools, or with work that waits beside calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from configs.planning import (
    Closing,
    Group,
    Scenario,
)
from router.center import (
    Center,
    ContactPolicy,
    PairWeight,
)
from simulation.plan.tallies import Count, Staffed
from tests.validation.figures import (
    Columns,
    Figure,
    Look,
)
from tests.validation.making import (
    CALLS,
    Simulated,
    case_named,
    expected_of,
    make,
)
from tests.validation.worlds import (
    MINUTE_MS,
    Class,
    Times,
    center_of,
    minutes,
    steady,
    times_of,
)


def _n_design(case_id: str, *, own_first: bool, reserve: int = 0) -> Simulated:
    given = case_named(case_id)["parameters"]
    rates, patience = given["arrival_rate_per_min"], given["patience_rate_per_min"]
    classes = {
        "A": Class(
            rates["A"], minutes(1), minutes(1 / patience["A"]), 4 if own_first else 6,
            levels={"pool_1": 9, "pool_2": 3},
        ),
        "B": Class(rates["B"], minutes(1), minutes(1 / patience["B"]), 5, levels={"pool_2": 9}),
    }  # fmt: skip
    center = _reserved(center_of(classes, given["agents"]), "q-B", reserve)
    times = times_of(classes, sum(given["agents"].values()), lasting=1.5)
    scenario = steady(classes, given["agents"], center=center, times=times)
    return make(case_id, scenario, times.window)


def _reserved(center: Center, name: str, reserve: int) -> Center:
    """Keep idle agents for one line."""
    queues = dict(center.queues)
    return replace(center, queues=queues | {name: replace(queues[name], reserve=reserve)})


def _x_design() -> Simulated:
    """A30: each pool its own type first; work of the other type takes it longer."""
    given = case_named("A30")["parameters"]
    rates = given["service_rate_per_min"]
    types = {"type_0": ("pool_0", "pool_1"), "type_1": ("pool_1", "pool_0")}
    classes = {
        name: Class(
            given["arrival_rate_per_min"][name],
            minutes(1 / rates[f"{name}_in_{own}"]),
            minutes(1 / given["patience_rate_per_min"][name]),
            levels={own: 9, other: 3},
        )
        for name, (own, other) in types.items()
    }
    center = center_of(classes, given["agents"], policy=ContactPolicy.WEIGHTED_PAIRS)
    # A head start of days: the own type goes first, whatever the waits.
    first = PairWeight(base_ms=1_000_000_000, wait=1)
    teams = {
        own: replace(center.teams[own], pairs={f"q-{name}": first})
        for name, (own, _) in types.items()
    }
    times = times_of(classes, sum(given["agents"].values()), lasting=1.5)
    scenario = steady(classes, given["agents"], center=replace(center, teams=teams), times=times)
    groups = {
        other: Group(paces={name: rates[f"{name}_in_{own}"] / rates[f"{name}_in_{other}"]})
        for name, (own, other) in types.items()
    }

    def crossed(look: Look) -> Columns:
        """Return the share of a day's contacts that the other pool begins, and all, a minute."""
        other = look.served("pool_1", "type_0") + look.served("pool_0", "type_1")
        everybody = other + look.served("pool_0", "type_0") + look.served("pool_1", "type_1")
        handled = look.staff(Staffed.HANDLED)
        return [other, everybody, handled, look.always(look.length_min)]

    name = "cross_served_per_min"
    figure = Figure(
        name, expected_of("A30")[name], crossed,
        lambda other, everybody, handled, length: other / everybody * handled / length,
    )  # fmt: skip
    return make("A30", replace(scenario, workforce=groups), times.window, figure)


def _w_design() -> Simulated:
    given = case_named("A31")["parameters"]
    balks = given["balk_probability_when_not_served_at_once"]
    seats = {
        "type_0": {"group_0": 5},
        "type_1": {"group_0": 9, "group_1": 3},
        "type_2": {"group_1": 5},
    }
    classes = {
        name: Class(
            rate / 60,
            minutes(60 / given["service_rate_per_h"]),
            minutes(60 / given["patience_rate_per_h"][name]),
            9 if name == "type_1" else 5,
            balks[name],
            seats[name],
        )
        for name, rate in given["arrival_rate_per_h"].items()
    }
    times = times_of(classes, sum(given["agents"].values()))
    return make("A31", steady(classes, given["agents"], times=times), times.window)


def _unequal() -> Simulated:
    given = case_named("A37")["parameters"]
    fast = 1 / given["service_rate_per_min"]["fast"]
    slow = 1 / given["service_rate_per_min"]["slow"]
    part = Class(given["arrival_rate_per_min"], minutes(fast), levels={"fast": 9, "slow": 3})
    times = times_of({"calls": part}, 2)
    scenario = steady({"calls": part}, {"fast": 1, "slow": 1}, times=times)
    groups = {"fast": Group(), "slow": Group(pace=slow / fast)}
    return make("A37", replace(scenario, workforce=groups), times.window)


def _overflow() -> Simulated:
    given = case_named("A38")["parameters"]
    rates = given["arrival_rate_per_min"]
    work = minutes(1 / given["service_rate_per_min"])
    classes = {
        "type_1": Class(rates["type_1"], work, balking=1.0, levels={"group_1": 9, "group_2": 3}),
        "type_2": Class(rates["type_2"], work, balking=1.0, levels={"group_2": 9}),
    }
    times = times_of(classes, sum(given["agents"].values()))

    def overflowed(look: Look) -> Columns:
        own = look.staff(Staffed.HANDLED, "group_1")
        return [look.count(Count.ANSWERED, "type_1") - own, look.count(Count.ARRIVED, "type_1")]

    name = "overflow_fraction_type_1"
    figure = Figure(name, expected_of("A38")[name], overflowed)
    return make("A38", steady(classes, given["agents"], times=times), times.window, figure)


# --- work that waits, callbacks -----------------------------------------------------------


def _with_endless_letters(
    calls: Class, agents: int, letter_min: float, times: Times, reserve: int = 0
) -> Scenario:
    """Return calls beside letters that never run out and are not interrupted."""
    load_of_calls = calls.rate * calls.work.mean_ms / MINUTE_MS
    done = times.length_min * (agents - 0.85 * load_of_calls) / letter_min
    letters = Class(
        0.0,
        minutes(letter_min),
        priority=1,
        more={"backlog": round(1.2 * done) + 20, "closing": Closing.CLEARED},
    )
    classes = {"calls": calls, "letters": letters}
    center = _reserved(center_of(classes, {"pool": agents}), "q-calls", reserve)
    return steady(classes, {"pool": agents}, center=center, times=times)


def _vacations() -> Simulated:
    """A19: a break whenever idle, never cut short, is a letter of which there is always one."""
    given = case_named("A19")["parameters"]
    calls = Class(
        given["arrival_rate_per_min"], minutes(1 / given["service_rate_per_min"]), priority=9
    )
    times = Times(2_800, 10, 15)
    scenario = _with_endless_letters(
        calls, given["agents"], given["break_exponential_mean_min"], times
    )
    return make("A19", scenario, times.window, counted=CALLS)


def _blending(case_id: str) -> Simulated:
    """A35, A36: letters that never run out, begun while fewer than `c` agents are busy.

    Fewer than c busy means more than agents - c idle: a reserve of agents - c for the calls.
    """
    given = case_named(case_id)["parameters"]
    agents = given["agents"]
    patience = given.get("patience_rate_per_min")
    calls = Class(
        given["arrival_rate_per_min"],
        minutes(1 / given["service_rate_per_min"]),
        minutes(1 / patience) if patience else None,
        priority=9,
    )
    reserve = agents - given["backlog_start_while_busy_agents_below"]
    times = Times(900, 5, 18)
    letter_min = 1 / given["backlog_service_rate_per_min"]
    scenario = _with_endless_letters(calls, agents, letter_min, times, reserve)

    def letters_done(look: Look) -> Columns:
        calls_done = look.count(Count.ANSWERED, "calls")
        return [look.staff(Staffed.HANDLED) - calls_done, look.always(look.length_min)]

    name = "backlog_items_done_per_min"
    figure = Figure(name, expected_of(case_id)[name], letters_done)
    return make(case_id, scenario, times.window, figure, counted=CALLS)


def _callbacks() -> Simulated:
    """A40: who finds a line may hang up; he is called when more than one agent is idle."""
    given = case_named("A40")["parameters"]
    expected = expected_of("A40")
    calls = Class(
        given["arrival_rate_per_min"],
        minutes(1 / given["service_rate_per_min"]),
        minutes(1 / given["patience_rate_per_min"]),
        priority=9,
        more={
            "takes_callback": given["callback_accept_probability"],
            "callback_from": given["callback_offered_from_waiting_contacts"],
            "callback_as": "callbacks",
        },
    )
    back = Class(0.0, minutes(1 / given["callback_service_rate_per_min"]), priority=1)
    classes = {"calls": calls, "callbacks": back}
    reserve = given["callback_needs_idle_agents_more_than"]
    center = _reserved(center_of(classes, {"pool": given["agents"]}), "q-calls", reserve)
    times = times_of({"calls": calls}, given["agents"], lasting=8.0)
    scenario = steady(classes, {"pool": given["agents"]}, center=center, times=times)

    def backlog(look: Look) -> Columns:
        return [look.minutes(Count.QUEUED_MS, "callbacks"), look.always(look.length_min)]

    def called_after(look: Look) -> Columns:
        waits = look.minutes(Count.WAIT_MS, "callbacks")
        return [waits, look.count(Count.ARRIVED, "callbacks")]

    special = [
        Figure(name, expected[name], columns)
        for name, columns in (
            ("callback_backlog_mean", backlog),
            ("callback_wait_mean_min", called_after),
        )
    ]
    return make("A40", scenario, times.window, *special, counted=CALLS)


# --- all of them --------------------------------------------------------------------------


def centers() -> Iterator[tuple[str, Callable[[], Simulated]]]:
    """Yield the cases of several pools, and of work that waits."""
    yield "A27", partial(_n_design, "A27", own_first=True)
    yield "A28", partial(_n_design, "A28", own_first=False)
    yield "A29", partial(_n_design, "A29", own_first=True, reserve=1)
    yield "A30", _x_design
    yield "A31", _w_design
    yield "A35", partial(_blending, "A35")
    yield "A36", partial(_blending, "A36")
    yield "A37", _unequal
    yield "A38", _overflow
    yield "A40", _callbacks
    yield "A19", _vacations
