"""Cases of known truth as scenarios: what the planner's simulator must reproduce.

The numbers stand in the JSON files beside this one; here is how a case is played and measured. A
case is covered when every number that it expects is a figure, in one of its variants or another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np

from configs.planning import (
    Again,
    Bursts,
    Busyness,
    Closing,
    Effects,
    Group,
    Law,
    LawName,
    Scenario,
)
from router.center import (
    AgentPolicy,
    Center,
    Channel,
    ContactPolicy,
    LimitAction,
    PairWeight,
    Queue,
)
from simulation.plan.estimates import Floats
from simulation.plan.tallies import Count, Staffed
from tests.validation import load
from tests.validation.figures import (
    MEASURES,
    Columns,
    Figure,
    Look,
    Quantile,
    deviation,
    figures_of,
    wait_deviation,
    waited_longer,
)
from tests.validation.verdicts import Verdict
from tests.validation.worlds import (
    MINUTE_MS,
    Class,
    Times,
    center_of,
    clock,
    minutes,
    steady,
    times_of,
    whole_day,
)

__all__ = ["MINUTE_MS", "Class", "Simulated", "Verdict", "cases", "center_of", "minutes"]

FILES: Final = ("formulas", "chains", "days", "staffing")
CALLS: Final = ("calls",)


@dataclass(frozen=True)
class Simulated:
    """A case ready to be played: its scenario, what is looked at, and what must come out.

    `relative_max` is the largest standard error over the value. With `single_waits` the waits of
    the first demand's contacts are looked at one by one, the first share of them left out.
    """

    scenario: Scenario
    figures: tuple[Figure, ...]
    window: tuple[int, ...]
    counted: tuple[str, ...]
    relative_max: float
    single_waits: bool = False

    @property
    def share_left_out(self) -> float:
        """Return the share of the day that is left out at its beginning."""
        return self.window[0] / (self.window[-1] + 1)


def case_named(case_id: str) -> dict[str, Any]:
    """Return a case by its id."""
    return next(found[case_id] for file in FILES if case_id in (found := load(file)))


def make(
    case_id: str,
    scenario: Scenario,
    window: Iterable[int],
    *special: Figure,
    counted: tuple[str, ...] = (),
    only: Callable[[str], bool] = lambda _: True,
    single_waits: bool = False,
) -> Simulated:
    """Return a case: what it expects and `special` figures do not say is measured by its name.

    A special figure is named like what it stands for, with a part behind a blank. `only` says
    which of the expected measures this variant is for.
    """
    case = case_named(case_id)
    said = {figure.name.split()[0] for figure in special}
    figures = [figure for figure in special if only(figure.name.split()[0])]
    for name, expected in case["expected"].items():
        if name not in said and only(name):
            figures += figures_of(expected, name)
    return Simulated(
        scenario,
        tuple(figures),
        tuple(window),
        counted or tuple(scenario.demand),
        case["simulation"],
        single_waits,
    )


def expected_of(case_id: str) -> dict[str, Any]:
    """Return what a case expects."""
    expected: dict[str, Any] = case_named(case_id)["expected"]
    return expected


# --- one pool -----------------------------------------------------------------------------


def of_a_pool(
    case_id: str,
    part: Class,
    agents: int,
    threshold_s: float,
    *special: Figure,
    queue: Queue | None = None,
    lasting: float = 1.0,
    only: Callable[[str], bool] = lambda _: True,
    single_waits: bool = False,
) -> Simulated:
    """Return a case with one class and one pool in its steady state."""
    classes = {"calls": part}
    center = center_of(classes, {"pool": agents}, queue=queue)
    times = times_of(classes, agents, lasting=lasting)
    scenario = steady(
        classes, {"pool": agents}, threshold_s=threshold_s, center=center, times=times
    )
    return make(case_id, scenario, times.window, *special, only=only, single_waits=single_waits)


def _quantiles(case_id: str) -> list[Figure]:
    """Return the quantiles of the wait that an Erlang C case expects."""
    expected = expected_of(case_id)
    found = []
    for name, tail in (("wait_p95_min", 0.05), ("wait_p90_s", 0.1)):
        if name in expected:
            limit_min = expected[name] / (60 if name.endswith("_s") else 1)
            unit = expected[name] / limit_min
            scale = expected["wait_mean_delayed_min"] * unit
            combine = Quantile(expected[name], tail, scale)
            found.append(Figure(name, expected[name], partial(waited_longer, limit_min), combine))
    return found


def _erlang(case_id: str) -> Simulated:
    """Erlang C and A by their parameters."""
    given = case_named(case_id)["parameters"]
    rate = given.get("arrival_rate_per_min") or given.get("arrival_rate_per_h", 0) / 60
    if "contacts_per_interval" in given:
        length = given.get("interval_min") or given["interval_s"] / 60
        rate = given["contacts_per_interval"] / length
    work = given.get("service_mean_min") or given.get("service_mean_s", 0) / 60
    work = work or 1 / given["service_rate_per_min"]
    patience = given.get("patience_mean_min", 0)
    if "patience_rate_per_min" in given:
        patience = 1 / given["patience_rate_per_min"]
    part = Class(rate, minutes(work), minutes(patience) if patience else None)
    quantiles = _quantiles(case_id)
    return of_a_pool(
        case_id, part, given["agents"], given.get("threshold_s", 20), *quantiles,
        # How many agents a target needs is for formulas.
        only=lambda name: not name.startswith("agents_minimum"),
        single_waits=bool(quantiles),
    )  # fmt: skip


def _lost_at_once(case_id: str, law: LawName, cv: float) -> Simulated:
    """Erlang B: without a place to wait, whoever is not taken at once leaves."""
    given = case_named(case_id)["parameters"]
    work = minutes(given["service_mean_min"], law, cv)
    part = Class(given["arrival_rate_per_min"], work, None, balking=1.0)
    return of_a_pool(case_id, part, given["agents"], 20)


def _lines() -> Simulated:
    given = case_named("A09")["parameters"]
    places = given["lines"] - given["agents"]
    part = Class(
        given["arrival_rate_per_min"],
        minutes(1 / given["service_rate_per_min"]),
        minutes(1 / given["patience_rate_per_min"]),
    )
    queue = Queue(length_max=places, when_full=LimitAction.REFUSE)
    return of_a_pool("A09", part, given["agents"], 20, queue=queue)


def _patience(case_id: str) -> Simulated:
    """A10 to A12: other laws of patience."""
    given = case_named(case_id)["parameters"]
    if case_id == "A10":
        law = minutes(given["patience_exactly_min"], LawName.CONSTANT)
    elif case_id == "A11":
        low, high = (given[f"patience_uniform_{end}_min"] for end in ("low", "high"))
        law = Law(
            law=LawName.UNIFORM, low_ms=round(low * MINUTE_MS), high_ms=round(high * MINUTE_MS)
        )
    else:
        spread = given["patience_lognormal_cv_squared"] ** 0.5
        law = minutes(given["patience_lognormal_mean_min"], LawName.LOGNORMAL, spread)
    part = Class(given["arrival_rate_per_min"], minutes(1 / given["service_rate_per_min"]), law)
    return of_a_pool(case_id, part, given["agents"], given["threshold_s"], lasting=2.0)


def _balking() -> Simulated:
    given = case_named("A13")["parameters"]
    part = Class(
        given["arrival_rate_per_h"] / 60,
        minutes(given["service_mean_s"] / 60),
        minutes(given["patience_mean_s"] / 60),
        balking=given["balk_probability_when_all_busy"],
    )
    return of_a_pool("A13", part, given["agents"], given["threshold_s"])


def _one_law(case_id: str) -> Simulated:
    """A14 to A17: one or more agents and a law of work; the mean work is the unit of time."""
    given = case_named(case_id)["parameters"]
    law, cv, mean_min = LawName.CONSTANT, 0.0, given.get("service_exactly_min", 0.0)
    if case_id == "A15":
        law, cv = LawName.LOGNORMAL, given["service_lognormal_cv_squared"] ** 0.5
        mean_min = given["service_lognormal_mean_min"]
    elif case_id == "A16":
        shape = given["service_gamma_shape"]
        law, cv, mean_min = LawName.GAMMA, shape**-0.5, shape * given["service_gamma_scale_s"] / 60
    part = Class(given["arrival_rate_per_min"] * mean_min, minutes(1.0, law, cv))
    special = []
    expected = expected_of(case_id)
    spread = "wait_standard_deviation_min"
    if spread in expected:
        special.append(Figure(spread, expected[spread], wait_deviation, deviation))
    case = of_a_pool(case_id, part, given["agents"], 20, *special, single_waits=bool(special))
    figures = [
        replace(figure, expected=figure.expected / mean_min)
        if figure.name.endswith("_min")
        else figure
        for figure in case.figures
    ]
    return replace(case, figures=tuple(figures))


def _even_arrivals() -> Simulated:
    given = case_named("A18")["parameters"]
    gap_ms = round(given["interarrival_exactly_min"] * MINUTE_MS)
    part = Class(MINUTE_MS / gap_ms, minutes(1 / given["service_rate_per_min"]))
    case = of_a_pool("A18", part, 1, 20)
    length_ms = (case.window[-1] + 2) * case.scenario.interval_ms
    calls = replace(
        case.scenario.demand["calls"],
        per_interval=(),
        arrivals_ms=tuple(range(gap_ms, length_ms, gap_ms)),
    )
    return replace(case, scenario=replace(case.scenario, demand={"calls": calls}))


def _redials() -> Simulated:
    given = case_named("A32")["parameters"]
    expected = expected_of("A32")
    delay = given["redial_delay_exponential_mean_min"]
    again = Again(share=given["redial_probability"], after=minutes(delay), max=1_000_000)
    part = Class(
        given["arrival_rate_per_min"],
        minutes(1 / given["service_rate_per_min"]),
        minutes(1 / given["patience_rate_per_min"]),
        more={"redial": again},
    )
    name = "redialling_customers_mean"
    lost = "lost_customer_fraction"
    return of_a_pool(
        "A32", part, given["agents"], 20,
        Figure(name, expected[name], partial(_redialling, delay)),
        # Who is not lost is answered in the end.
        Figure(lost, expected[lost], _never_answered),
    )  # fmt: skip


def _redialling(delay_min: float, look: Look) -> Columns:
    """Return how many are about to redial: Little's law with the known mean delay."""
    return [look.count(Count.REDIALS) * delay_min, look.always(look.length_min)]


def _never_answered(look: Look) -> Columns:
    fresh = look.count(Count.FRESH)
    return [fresh - look.count(Count.ANSWERED), fresh]


def _retrials() -> Simulated:
    """A33: without a place to wait, whoever is not taken tries again until he is."""
    given = case_named("A33")["parameters"]
    expected = expected_of("A33")
    delay = 1 / given["redial_rate_per_min"]
    again = Again(share=1.0, after=minutes(delay), max=1_000_000)
    part = Class(
        given["arrival_rate_per_min"],
        minutes(1 / given["service_rate_per_min"]),
        balking=1.0,
        more={"redial": again},
    )

    def found_busy(look: Look) -> Columns:
        fresh = look.count(Count.FRESH)
        return [fresh - look.count(Count.FIRST_ANSWERED), fresh]

    def redials_per_customer(look: Look) -> Columns:
        return [look.count(Count.REDIALS) * delay, look.count(Count.FRESH)]

    names = ("all_busy_probability", "redialling_customers_mean", "time_redialling_mean_min")
    columns: tuple[Callable[[Look], Columns], ...] = (
        found_busy, partial(_redialling, delay), redials_per_customer,
    )  # fmt: skip
    special = [
        Figure(name, expected[name], found) for name, found in zip(names, columns, strict=True)
    ]
    return of_a_pool("A33", part, given["agents"], 20, *special, lasting=6.0)


def _chats() -> Simulated:
    """A34: an exponential work of mean 1, done at the rate that the number of chats allows."""
    given = case_named("A34")["parameters"]
    expected = expected_of("A34")
    speeds = tuple(given["completion_rate_per_chat_per_min"].values())
    most = given["chats_per_agent_max"]
    part = Class(
        given["arrival_rate_per_min"], minutes(1 / speeds[0]), minutes(given["patience_mean_min"])
    )
    center = center_of(
        {"calls": part},
        {"pool": given["agents"]},
        queue=Queue(agent_policy=AgentPolicy.LEAST_LOADED),
        channel=Channel(auto_accept=True, units=100 // most, agent_max=most),
    )
    effects = Effects(speeds={"phone": tuple(speed / speeds[0] for speed in speeds)})
    times = Times(2_940, 15, 14)
    scenario = steady(
        {"calls": part}, {"pool": given["agents"]}, center=center, effects=effects, times=times
    )

    def in_progress(look: Look) -> Columns:
        return [look.minutes(Count.TALK_MS), look.always(look.length_min)]

    def per_busy_agent(look: Look) -> Columns:
        return [look.minutes(Count.TALK_MS), look.staff(Staffed.BUSY)]

    def duration(look: Look) -> Columns:
        return [look.minutes(Count.TALK_MS), look.count(Count.ANSWERED)]

    special = (
        ("chats_in_progress_mean", in_progress),
        ("chats_per_busy_agent_mean", per_busy_agent),
        ("chat_duration_mean_min", duration),
    )
    figures = [Figure(name, expected[name], columns) for name, columns in special]
    return make("A34", scenario, times.window, *figures)


def _bursts() -> Simulated:
    given = case_named("A39")["parameters"]
    rates, lengths = given["arrival_rate_per_min"], given["state_duration_exponential_mean_min"]
    bursts = Bursts(
        factor=rates["burst"] / rates["quiet"],
        length_ms=round(lengths["burst"] * MINUTE_MS),
        gap_ms=round(lengths["quiet"] * MINUTE_MS),
    )
    part = Class(
        rates["quiet"], minutes(1 / given["service_rate_per_min"]), more={"bursts": bursts}
    )
    return of_a_pool("A39", part, given["agents"], 20, lasting=12.0)


# --- classes in one pool ------------------------------------------------------------------


def _ranked(case_id: str) -> dict[str, Class]:
    """Return classes in strict order, the first first."""
    given = case_named(case_id)["parameters"]
    patience = given.get("patience_rate_per_min", {})
    return {
        part: Class(
            rate,
            minutes(1 / given["service_rate_per_min"]),
            minutes(1 / patience[part]) if patience else None,
            priority=9 - number,
        )
        for number, (part, rate) in enumerate(given["arrival_rate_per_min"].items())
    }


def _priority(case_id: str, *, fifo: bool = False) -> Simulated:
    """Classes in strict order; or, of A24, first come first served."""
    given = case_named(case_id)["parameters"]
    classes, agents = _ranked(case_id), {"pool": given["agents"]}
    times = times_of(classes, given["agents"], lasting=1.5)
    threshold_s = given.get("threshold_s", 20)
    if not fifo:
        scenario = steady(classes, agents, threshold_s=threshold_s, times=times)
        return make(case_id, scenario, times.window, only=lambda name: not name.endswith("_fifo"))
    equal = {name: replace(part, priority=5) for name, part in classes.items()}
    scenario = steady(equal, agents, threshold_s=threshold_s, times=times)
    share = "served_within_threshold_per_arrival"
    figure = replace(
        figures_of(expected_of(case_id)[f"{share}_fifo"], share)[0], name=f"{share}_fifo"
    )
    return make(case_id, scenario, times.window, figure, only=lambda name: name.endswith("_fifo"))


def _letters(case_id: str) -> dict[str, Class]:
    given = case_named(case_id)["parameters"]
    spread = given["service_cv_squared"]["email"] ** 0.5
    means, rates = given["service_mean_min"], given["arrival_rate_per_min"]
    return {
        "call": Class(rates["call"], minutes(means["call"]), priority=9),
        "email": Class(rates["email"], minutes(means["email"], LawName.GAMMA, spread), priority=1),
    }


def _calls_and_letters() -> Simulated:
    """A21: calls go first, a letter is not interrupted."""
    classes = _letters("A21")
    times = times_of(classes, 1)
    load_of = {name: part.rate * part.work.mean_ms / MINUTE_MS for name, part in classes.items()}
    rho = sum(load_of.values())

    def residual_work(look: Look) -> Columns:
        """Kleinrock's law of conservation: sum of load x wait = rho W0 / (1 - rho)."""
        top = sum(
            share * (1 - rho) / rho / classes[name].rate * look.minutes(Count.WAIT_MS, name)
            for name, share in load_of.items()
        )
        return [np.asarray(top, dtype=np.float64), look.always(look.length_min)]

    name = "residual_work_mean_min"
    figure = Figure(name, expected_of("A21")[name], residual_work)
    return make("A21", steady(classes, {"pool": 1}, times=times), times.window, figure)


def _interrupted_letters() -> Simulated:
    """A22: a call interrupts a letter at once; it goes on when no call is there."""
    classes = _letters("A22")
    classes["email"] = replace(classes["email"], channel="email")
    times = times_of(classes, 1)
    center = center_of(classes, {"pool": 1})
    channels = {
        "phone": Channel(auto_accept=True, interrupts=True),
        "email": Channel(auto_accept=True, interruptible=True),
    }
    scenario = steady(classes, {"pool": 1}, center=replace(center, channels=channels), times=times)
    return make("A22", scenario, times.window)


def _weighted() -> Simulated:
    """A25: the largest weight times wait first."""
    given = case_named("A25")["parameters"]
    classes = {
        name: Class(rate, minutes(1 / given["service_rate_per_min"]))
        for name, rate in given["arrival_rate_per_min"].items()
    }
    agents = {"pool": given["agents"]}
    center = center_of(classes, agents, policy=ContactPolicy.LONGEST_WEIGHTED_WAIT)
    queues = {
        f"q-{name}": replace(center.queues[f"q-{name}"], wait_weight=weight)
        for name, weight in given["weight"].items()
    }
    times = times_of(classes, given["agents"])
    scenario = steady(classes, agents, center=replace(center, queues=queues), times=times)
    return make("A25", scenario, times.window)


# --- several pools ------------------------------------------------------------------------


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
    times = Times(2_900, 10, 15)
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


# --- days ---------------------------------------------------------------------------------


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


def _identity(agents: dict[str, int], variant: str) -> Simulated:
    """A43: patience as long as work, 100 + 20 sin t a minute: Poisson numbers at each instant.

    In two pools one class may be served by all, and goes first; one pool serves both as they come.
    """
    given = case_named("A43")["parameters"]
    expected = expected_of("A43")
    per_min = 20
    length = max(given["time_min"]) + 1
    work, patience = (
        minutes(1 / given[f"{name}_rate_per_min"]) for name in ("service", "patience")
    )
    levels = {"one": {"one": 9, "both": 3}, "both": {"both": 9}}
    classes = {
        name: Class(1.0, work, patience, levels=levels[name] if len(agents) > 1 else {},
                    priority=6 if name == "one" else 5)
        for name in (("one", "both") if len(agents) > 1 else ("calls",))
    }  # fmt: skip
    edges = np.arange(length * per_min + 1) / per_min
    rates: Floats = 60 * (100 + 20 * np.sin(edges)) / len(classes)
    scenario = steady(classes, agents, times=Times(length, 1, 0))
    demand = {
        name: replace(part, per_interval=(), rates_per_hour=tuple(rates.tolist()))
        for name, part in scenario.demand.items()
    }
    scenario = replace(
        scenario, closes=clock(length), interval_ms=MINUTE_MS // per_min, demand=demand
    )
    figures = []
    for number, time in enumerate(given["time_min"]):
        # The two intervals of three seconds around the instant.
        around = (time * per_min - 1, time * per_min)
        name = "number_in_system_mean"
        figures.append(_around(f"{name} time_{time}_min", expected[name][number], name, around))
        for name in ("delay_probability", "queue_length_mean"):
            of_time = expected[name][f"time_{time}_min"]
            if variant in of_time:
                label = f"{name} time_{time}_min {variant}"
                figures.append(_around(label, of_time[variant], name, around))
    said = {figure.name.split()[0] for figure in figures}
    return make("A43", scenario, range(length * per_min), *figures, only=lambda name: name in said)


def _around(label: str, expected: float, name: str, around: tuple[int, int]) -> Figure:
    return Figure(label, expected, partial(_at_instant, name, around))


def _at_instant(name: str, around: tuple[int, int], look: Look) -> Columns:
    return MEASURES[name](look.at(*around), "")


# --- all of them --------------------------------------------------------------------------


def _pools() -> Iterator[tuple[str, Callable[[], Simulated]]]:
    laws = ((LawName.EXPONENTIAL, 1.0), (LawName.LOGNORMAL, 1.5), (LawName.CONSTANT, 0.0))
    for case_id in ("A01a", "A01b"):
        for law, cv in laws:
            yield f"{case_id} {law.value}", partial(_lost_at_once, case_id, law, cv)
    for case_id in (
        "A02", "A03", "A04", "A05", "A06", "A07b", "A08a", "A08b", "A08c", "A08d", "A08e"
    ):  # fmt: skip
        yield case_id, partial(_erlang, case_id)
    yield "A09", _lines
    for case_id in ("A10", "A11", "A12"):
        yield case_id, partial(_patience, case_id)
    yield "A13", _balking
    for case_id in ("A14", "A15", "A16", "A17"):
        yield case_id, partial(_one_law, case_id)
    yield "A18", _even_arrivals
    yield "A19", _vacations
    for case_id in ("A20", "A23", "A24", "A26"):
        yield case_id, partial(_priority, case_id)
    yield "A24 fifo", partial(_priority, "A24", fifo=True)
    yield "A21", _calls_and_letters
    yield "A22", _interrupted_letters
    yield "A25", _weighted


def _centers() -> Iterator[tuple[str, Callable[[], Simulated]]]:
    yield "A27", partial(_n_design, "A27", own_first=True)
    yield "A28", partial(_n_design, "A28", own_first=False)
    yield "A29", partial(_n_design, "A29", own_first=True, reserve=1)
    yield "A30", _x_design
    yield "A31", _w_design
    yield "A32", _redials
    yield "A33", _retrials
    yield "A34", _chats
    yield "A35", partial(_blending, "A35")
    yield "A36", partial(_blending, "A36")
    yield "A37", _unequal
    yield "A38", _overflow
    yield "A39", _bursts
    yield "A40", _callbacks


def _days() -> Iterator[tuple[str, Callable[[], Simulated]]]:
    yield "A42", _changing_staff
    for agents in case_named("A43")["parameters"]["agents"]:
        yield f"A43 {agents}", partial(_identity, {"pool": agents}, f"agents_{agents}")
    yield "A43 two pools", partial(_identity, {"one": 40, "both": 55}, "two_pools")
    yield "A46a", partial(_one_day, "A46a")
    yield "A46b", partial(_one_day, "A46b")
    for which in ("fixed", "gamma_400", "gamma_10"):
        yield f"A47 {which}", partial(_uncertain, which)


def cases() -> dict[str, Callable[[], Simulated]]:
    """Return every case that can be played, by its id (and law, or variant)."""
    return dict([*_pools(), *_centers(), *_days()])
