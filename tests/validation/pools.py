"""Cases of known truth with one pool of agents, by formula or chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from configs.planning import (
    Again,
    Bursts,
    Effects,
    Law,
    LawName,
)
from router.center import (
    AgentPolicy,
    Channel,
    ContactPolicy,
    LimitAction,
    Queue,
)
from simulation.plan.tallies import Count, Staffed
from tests.validation.figures import (
    Columns,
    Figure,
    Look,
    Quantile,
    deviation,
    figures_of,
    wait_deviation,
    waited_longer,
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
    center_of,
    minutes,
    steady,
    times_of,
)


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
    # A long tail fills the pool slowly: after 9 means of this lognormal law 0.3 % of the load of an
    # hour is still to come, and blocking is ten times as sensitive.
    lasting = 8.0 if law is LawName.LOGNORMAL else 1.0
    return of_a_pool(case_id, part, given["agents"], 20, lasting=lasting)


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


# --- all of them --------------------------------------------------------------------------


def pools() -> Iterator[tuple[str, Callable[[], Simulated]]]:
    """Yield the cases of one pool, by their id (and law, or variant)."""
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
    for case_id in ("A20", "A23", "A24", "A26"):
        yield case_id, partial(_priority, case_id)
    yield "A24 fifo", partial(_priority, "A24", fifo=True)
    yield "A21", _calls_and_letters
    yield "A22", _interrupted_letters
    yield "A25", _weighted
    yield "A32", _redials
    yield "A33", _retrials
    yield "A34", _chats
    yield "A39", _bursts
