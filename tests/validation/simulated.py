"""Cases of known truth as scenarios: what the planner's simulator must reproduce.

The numbers stand in the JSON files beside this one; here is how a case is played and measured. A
steady state is a long day whose first and last intervals are left out. The time unit is the
minute, so that rounding to whole milliseconds stays below 1e-5 of a mean service time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import numpy as np

from configs.planning import (
    Again,
    Bursts,
    Busyness,
    Closing,
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
    LimitAction,
    Queue,
    Team,
)
from simulation.plan import estimates as est
from simulation.plan.estimates import Floats, Ratio, View, view
from simulation.plan.replications import Study
from simulation.plan.tallies import Count, Staffed
from tests.validation import load

MINUTE_MS: Final = 60_000
STEADY_INTERVALS: Final = 20
# One agent needs many more services than a pool until its start is forgotten.
WARM_UP: Final = 5
_SHARP: Final = 0.005
_PROVES: Final = 0.03
_PLAIN: Final = Effects()
_EVEN: Final = Busyness()


@dataclass(frozen=True)
class Simulated:
    """A case ready to be played: its scenario, what is looked at, and what must come out."""

    scenario: Scenario
    expected: Mapping[str, Any]
    intervals: tuple[int, ...]
    wanted: tuple[str, ...]
    relative_max: float = 0.03

    def judge(self, study: Study) -> list[Verdict]:
        """Return a verdict for every number that the case wants compared."""
        return judge(self, study)


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


def steady_min(classes: Mapping[str, Class], agents: int) -> int:
    """Return the minutes of an interval of a steady day: fewer where many contacts come.

    Without abandonment a start is forgotten in work / (sqrt(n) - sqrt(load))^2.
    """
    rate = sum(part.rate for part in classes.values())
    load = sum(part.rate * part.work.mean_ms / MINUTE_MS for part in classes.values())
    longest = max(part.work.mean_ms for part in classes.values()) / MINUTE_MS
    lasting = 8.0 * longest
    if load < agents and not any(part.patience or part.balking for part in classes.values()):
        lasting = max(lasting, longest / (math.sqrt(agents) - math.sqrt(load)) ** 2)
    return round(min(100.0, max(lasting, 250 / rate if rate else 100.0)))


def steady(
    classes: Mapping[str, Class],
    agents: Mapping[str, int],
    *,
    threshold_s: float = 20.0,
    center: Center | None = None,
    effects: Effects = _PLAIN,
) -> Scenario:
    """Return a long day at constant rates."""
    interval_min = steady_min(classes, sum(agents.values()))
    hours, rest = divmod(STEADY_INTERVALS * interval_min, 60)
    demand = {
        name: Demand(
            category=name,
            channel="phone",
            handle=part.work,
            patience=part.patience,
            balking=part.balking,
            per_interval=(part.rate * interval_min,) * STEADY_INTERVALS,
            **part.more,
        )
        for name, part in classes.items()
    }
    return Scenario(
        name="steady",
        center=center or center_of(classes, agents),
        date="2026-03-10",
        opens="00:00",
        closes=f"{hours:02d}:{rest:02d}",
        interval_ms=interval_min * MINUTE_MS,
        demand=demand,
        workforce={group: Group() for group in agents},
        target=Target(within_ms=round(threshold_s * 1000)),
        effects=effects,
    )


def of_a_pool(
    case_id: str,
    name: str,
    part: Class,
    agents: int,
    threshold_s: float,
    queue: Queue | None = None,
) -> Simulated:
    """Return a case with one class and one pool in its steady state."""
    center = center_of({"calls": part}, {"pool": agents}, queue=queue)
    scenario = steady({"calls": part}, {"pool": agents}, threshold_s=threshold_s, center=center)
    return case_of(case_id, name, scenario)


def case_of(case_id: str, name: str, scenario: Scenario, *wanted: str) -> Simulated:
    """Return a steady case; `wanted` names what is compared, all that can be without it."""
    expected = load(name)[case_id]["expected"]
    window = tuple(range(WARM_UP, STEADY_INTERVALS - 1))
    return Simulated(scenario, expected, window, wanted or tuple(set(expected) & set(MEASURES)))


# --- measures by the names of the cases ---------------------------------------------------


def _over(part: Callable[[View], Floats], *wholes: Count) -> Callable[[View], Ratio]:
    def measure(part_view: View) -> Ratio:
        whole = np.asarray(sum(part_view.count(what) for what in wholes), dtype=np.float64)
        return part_view.over(part(part_view), whole)

    return measure


def _count(what: Count, divisor: float = 1.0) -> Callable[[View], Floats]:
    return lambda part_view: part_view.count(what) / divisor


def _wait_of_lost(part_view: View) -> Floats:
    lost = part_view.count(Count.WAIT_MS) - part_view.count(Count.WAIT_ANSWERED_MS)
    return np.asarray(lost / MINUTE_MS)


def _length_min(part_view: View) -> float:
    return len(part_view.intervals) * part_view.study.scenario.interval_ms / MINUTE_MS


def _queue_length(part_view: View) -> Ratio:
    waited = part_view.count(Count.WAIT_MS) / MINUTE_MS
    return part_view.over(waited, np.full_like(waited, _length_min(part_view)))


MEASURES: Final[dict[str, Callable[[View], Ratio]]] = {
    "delay_probability": _over(_count(Count.DELAYED), Count.ARRIVED),
    "abandon_fraction": _over(_count(Count.ABANDONED), Count.ARRIVED),
    "abandon_fraction_per_attempt": _over(_count(Count.ABANDONED), Count.ARRIVED),
    "blocking_probability": _over(_count(Count.BALKED), Count.ARRIVED),
    "blocked_fraction": _over(_count(Count.BLOCKED), Count.ARRIVED),
    "wait_mean_min": _over(_count(Count.WAIT_MS, MINUTE_MS), Count.ARRIVED),
    "wait_mean_per_attempt_min": _over(_count(Count.WAIT_MS, MINUTE_MS), Count.ARRIVED),
    "wait_mean_s": _over(_count(Count.WAIT_MS, 1000), Count.ARRIVED),
    "wait_mean_served_min": _over(_count(Count.WAIT_ANSWERED_MS, MINUTE_MS), Count.ANSWERED),
    "wait_mean_served_s": _over(_count(Count.WAIT_ANSWERED_MS, 1000), Count.ANSWERED),
    "wait_mean_abandoned_min": _over(_wait_of_lost, Count.ABANDONED),
    "served_within_threshold_per_arrival": _over(_count(Count.IN_TIME), Count.ARRIVED),
    "served_within_threshold_per_served": _over(_count(Count.IN_TIME), Count.ANSWERED),
    "abandoned_within_threshold_per_arrival": _over(_count(Count.ABANDONED_IN_TIME), Count.ARRIVED),
    "queue_length_mean": _queue_length,
}
_OF_STAFF: Final = ("occupancy", "busy_agents_mean")


def _staff_ratio(name: str, study: Study, case: Simulated, group: int | None) -> Ratio:
    chosen = study.staffed if group is None else study.staffed[:, [group]]
    sums = chosen[:, :, list(case.intervals)].sum(axis=(1, 2)).astype(float)
    whole = view(study, None, case.intervals)
    if name == "occupancy":
        return whole.over(sums[:, Staffed.BUSY], sums[:, Staffed.SIGNED_IN])
    length_ms = len(case.intervals) * study.scenario.interval_ms
    return whole.over(sums[:, Staffed.BUSY], np.full(study.days, float(length_ms)))


@dataclass(frozen=True)
class Verdict:
    """One number of a case: what came out, and by how many standard errors it is off.

    A published number has a standard error of its own, `theirs`, and was rounded by at most
    `slack`.
    """

    name: str
    estimate: float
    error: float
    expected: float
    theirs: float = 0.0
    slack: float = 0.0

    @property
    def distance_error(self) -> float:
        """Return the standard error of the difference."""
        return math.hypot(self.error, self.theirs)

    @property
    def off(self) -> float:
        """Return the distance in standard errors of the difference."""
        distance = max(0.0, abs(self.estimate - self.expected) - self.slack)
        return distance / self.distance_error if self.distance_error else 0.0

    @property
    def relative_error(self) -> float:
        """Return the standard error relative to the expected value."""
        return self.distance_error / abs(self.expected) if self.expected else 0.0

    @property
    def is_sharp(self) -> bool:
        """Say whether more days would tell little more."""
        return self.relative_error <= _SHARP or self.error <= self.theirs / 2

    @property
    def proves(self) -> bool:
        """Say whether it is known well enough: to 3 %, or as well as it was published."""
        return self.relative_error <= _PROVES or self.error <= self.theirs


def judge(case: Simulated, study: Study) -> list[Verdict]:
    """Return a verdict for every number that the case wants compared."""
    verdicts = []
    for name in sorted(case.wanted):
        expected = case.expected[name]
        parts = expected.items() if isinstance(expected, dict) else [("", expected)]
        for part, value in parts:
            if name in _OF_STAFF:
                group = study.groups.index(part) if part else None
                ratio = _staff_ratio(name, study, case, group)
            else:
                demands = [part] if part else None
                ratio = MEASURES[name](view(study, demands, case.intervals))
            found = est.estimate(ratio)
            label = f"{name} {part}".strip()
            verdicts.append(Verdict(label, found.value, found.error, value))
    return verdicts


# --- the cases ----------------------------------------------------------------------------


def _erlang(case_id: str) -> Simulated:
    """Erlang B, C and A by their parameters."""
    given = load("formulas")[case_id]["parameters"]
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
    return of_a_pool(case_id, "formulas", part, given["agents"], given.get("threshold_s", 20))


def _lost_at_once(case_id: str, law: LawName, cv: float) -> Simulated:
    """Erlang B: without a place to wait, whoever is not taken at once leaves."""
    given = load("formulas")[case_id]["parameters"]
    work = minutes(given["service_mean_min"], law, cv)
    part = Class(given["arrival_rate_per_min"], work, None, balking=1.0)
    return of_a_pool(case_id, "formulas", part, given["agents"], 20)


def _lines() -> Simulated:
    given = load("formulas")["A09"]["parameters"]
    places = given["lines"] - given["agents"]
    part = Class(
        given["arrival_rate_per_min"],
        minutes(1 / given["service_rate_per_min"]),
        minutes(1 / given["patience_rate_per_min"]),
    )
    queue = Queue(length_max=places, when_full=LimitAction.REFUSE)
    return of_a_pool("A09", "formulas", part, given["agents"], 20, queue)


def _patience(case_id: str, law: Law) -> Simulated:
    given = load("formulas")[case_id]["parameters"]
    work = minutes(1 / given["service_rate_per_min"])
    part = Class(given["arrival_rate_per_min"], work, law)
    return of_a_pool(case_id, "formulas", part, given["agents"], given["threshold_s"])


def _balking() -> Simulated:
    given = load("formulas")["A13"]["parameters"]
    part = Class(
        given["arrival_rate_per_h"] / 60,
        minutes(given["service_mean_s"] / 60),
        minutes(given["patience_mean_s"] / 60),
        balking=given["balk_probability_when_all_busy"],
    )
    return of_a_pool("A13", "formulas", part, given["agents"], given["threshold_s"])


def _one_law(case_id: str, rate: float, law: LawName, cv: float, mean_min: float) -> Simulated:
    """One or more agents and a law of work; played with the mean work as the unit of time."""
    agents = load("formulas")[case_id]["parameters"]["agents"]
    part = Class(rate * mean_min, minutes(1.0, law, cv))
    case = of_a_pool(case_id, "formulas", part, agents, 20)
    expected = {
        name: value / mean_min if name.endswith("_min") else value
        for name, value in case.expected.items()
        if not isinstance(value, dict)
    }
    return replace(case, expected=expected)


def _even_arrivals() -> Simulated:
    given = load("formulas")["A18"]["parameters"]
    gap_ms = round(given["interarrival_exactly_min"] * MINUTE_MS)
    part = Class(0.0, minutes(1 / given["service_rate_per_min"]))
    case = of_a_pool("A18", "formulas", part, 1, 20)
    length_ms = STEADY_INTERVALS * case.scenario.interval_ms
    calls = replace(
        case.scenario.demand["calls"],
        per_interval=(),
        arrivals_ms=tuple(range(gap_ms, length_ms, gap_ms)),
    )
    return replace(case, scenario=replace(case.scenario, demand={"calls": calls}))


def _priority(case_id: str, name: str = "formulas") -> Simulated:
    """Classes in strict order, the first first."""
    given = load(name)[case_id]["parameters"]
    patience = given.get("patience_rate_per_min", {})
    classes = {
        part: Class(
            rate,
            minutes(1 / given["service_rate_per_min"]),
            minutes(1 / patience[part]) if patience else None,
            priority=9 - number,
        )
        for number, (part, rate) in enumerate(given["arrival_rate_per_min"].items())
    }
    scenario = steady(classes, {"pool": given["agents"]}, threshold_s=given.get("threshold_s", 20))
    return case_of(case_id, name, scenario)


def _calls_and_letters() -> Simulated:
    """A21: calls go first, a letter is not interrupted."""
    given = load("formulas")["A21"]["parameters"]
    spread = given["service_cv_squared"]["email"] ** 0.5
    means, rates = given["service_mean_min"], given["arrival_rate_per_min"]
    classes = {
        "call": Class(rates["call"], minutes(means["call"]), priority=9),
        "email": Class(rates["email"], minutes(means["email"], LawName.GAMMA, spread)),
    }
    return case_of("A21", "formulas", steady(classes, {"pool": 1}))


def _weighted() -> Simulated:
    """A25: the largest weight times wait first."""
    given = load("formulas")["A25"]["parameters"]
    classes = {
        name: Class(rate, minutes(1 / given["service_rate_per_min"]))
        for name, rate in given["arrival_rate_per_min"].items()
    }
    policy = ContactPolicy.LONGEST_WEIGHTED_WAIT
    center = center_of(classes, {"pool": given["agents"]}, policy=policy)
    queues = {
        f"q-{name}": replace(center.queues[f"q-{name}"], wait_weight=weight)
        for name, weight in given["weight"].items()
    }
    scenario = steady(classes, {"pool": given["agents"]}, center=replace(center, queues=queues))
    return case_of("A25", "formulas", scenario)


def _n_design(case_id: str, *, own_first: bool, reserve: int = 0) -> Simulated:
    given = load("chains")[case_id]["parameters"]
    rates, patience = given["arrival_rate_per_min"], given["patience_rate_per_min"]
    classes = {
        "A": Class(
            rates["A"], minutes(1), minutes(1 / patience["A"]), 4 if own_first else 6,
            levels={"pool_1": 9, "pool_2": 3},
        ),
        "B": Class(rates["B"], minutes(1), minutes(1 / patience["B"]), 5, levels={"pool_2": 9}),
    }  # fmt: skip
    center = _reserved(center_of(classes, given["agents"]), "q-B", reserve)
    return case_of(case_id, "chains", steady(classes, given["agents"], center=center))


def _reserved(center: Center, name: str, reserve: int) -> Center:
    """Keep idle agents for one line."""
    queues = dict(center.queues)
    return replace(center, queues=queues | {name: replace(queues[name], reserve=reserve)})


def _blending(case_id: str) -> Simulated:
    """A35, A36: letters that never run out, begun while fewer than `c` agents are busy.

    Fewer than c busy means more than agents - c idle: a reserve of agents - c for the calls.
    """
    given = load("chains")[case_id]["parameters"]
    agents = given["agents"]
    patience = given.get("patience_rate_per_min")
    calls = Class(
        given["arrival_rate_per_min"],
        minutes(1 / given["service_rate_per_min"]),
        minutes(1 / patience) if patience else None,
        priority=9,
    )
    per_min = given["backlog_service_rate_per_min"]
    length_min = STEADY_INTERVALS * steady_min({"calls": calls}, agents)
    # Half of the agents at most are ever free for letters in these cases.
    endless = {"backlog": round(length_min * per_min * agents / 2), "closing": Closing.CLEARED}
    letters = Class(0.0, minutes(1 / per_min), priority=1, more=endless)
    classes = {"calls": calls, "letters": letters}
    center = center_of(classes, {"pool": agents})
    center = _reserved(center, "q-calls", agents - given["backlog_start_while_busy_agents_below"])
    scenario = steady(classes, {"pool": agents}, center=center)
    wanted = set(load("chains")[case_id]["expected"]) & {*MEASURES, *_OF_STAFF}
    return case_of(case_id, "chains", scenario, *wanted)


def _w_design() -> Simulated:
    given = load("chains")["A31"]["parameters"]
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
    return case_of("A31", "chains", steady(classes, given["agents"]))


def _redials() -> Simulated:
    given = load("chains")["A32"]["parameters"]
    again = Again(
        share=given["redial_probability"],
        after=minutes(given["redial_delay_exponential_mean_min"]),
        max=1_000,
    )
    part = Class(
        given["arrival_rate_per_min"],
        minutes(1 / given["service_rate_per_min"]),
        minutes(1 / given["patience_rate_per_min"]),
        more={"redial": again},
    )
    return of_a_pool("A32", "chains", part, given["agents"], 20)


def _chats() -> Simulated:
    """A34: an exponential work of mean 1, done at the rate that the number of chats allows."""
    given = load("chains")["A34"]["parameters"]
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
    scenario = steady({"calls": part}, {"pool": given["agents"]}, center=center, effects=effects)
    return case_of("A34", "chains", scenario)


def _unequal() -> Simulated:
    given = load("chains")["A37"]["parameters"]
    part = Class(given["arrival_rate_per_min"], minutes(1), levels={"fast": 9, "slow": 3})
    scenario = steady({"calls": part}, {"fast": 1, "slow": 1})
    slow = 1 / given["service_rate_per_min"]["slow"]
    groups = {"fast": Group(), "slow": Group(pace=slow)}
    return case_of("A37", "chains", replace(scenario, workforce=groups))


def _overflow() -> Simulated:
    given = load("chains")["A38"]["parameters"]
    rates = given["arrival_rate_per_min"]
    classes = {
        "type_1": Class(
            rates["type_1"], minutes(1), balking=1.0, levels={"group_1": 9, "group_2": 3}
        ),
        "type_2": Class(rates["type_2"], minutes(1), balking=1.0, levels={"group_2": 9}),
    }
    return case_of("A38", "chains", steady(classes, given["agents"]))


def _bursts() -> Simulated:
    given = load("chains")["A39"]["parameters"]
    rates, lengths = given["arrival_rate_per_min"], given["state_duration_exponential_mean_min"]
    bursts = Bursts(
        factor=rates["burst"] / rates["quiet"],
        length_ms=round(lengths["burst"] * MINUTE_MS),
        gap_ms=round(lengths["quiet"] * MINUTE_MS),
    )
    part = Class(rates["quiet"], minutes(1), more={"bursts": bursts})
    return of_a_pool("A39", "chains", part, given["agents"], 20)


def _finite(
    case_id: str, rates_per_min: tuple[float, ...], agents: tuple[int, ...], interval_min: int,
    work_min: float, patience_min: float, *wanted: str,
    balking: float = 0.0, busyness: Busyness = _EVEN,
) -> Simulated:  # fmt: skip
    """Return a day with its own staff in each interval, served until it is empty."""
    part = Class(1.0, minutes(work_min), minutes(patience_min) if patience_min else None)
    length = interval_min * len(rates_per_min)
    scenario = steady({"calls": part}, {"pool": max(agents)}, threshold_s=20)
    calls = replace(
        scenario.demand["calls"],
        per_interval=tuple(rate * interval_min for rate in rates_per_min),
        balking=balking,
    )
    scenario = replace(
        scenario,
        closes=f"{length // 60:02d}:{length % 60:02d}",
        interval_ms=interval_min * MINUTE_MS,
        demand={"calls": calls},
        workforce={"pool": Group(staffed=agents, leaving=Leaving.FINISH)},
        busyness=busyness,
    )
    expected = load("days")[case_id]["expected"]
    return Simulated(scenario, expected, tuple(range(len(rates_per_min))), wanted)


def _changing_staff() -> Simulated:
    given = load("days")["A42"]["parameters"]
    return _finite(
        "A42", tuple(given["arrival_rate_per_min"]), tuple(given["agents"]),
        given["interval_min"], given["service_mean_min"], given["patience_mean_min"],
        "abandon_fraction",
    )  # fmt: skip


def _whole_day(case_id: str) -> Simulated:
    given = load("days")[case_id]["parameters"]
    hours = given["day_length_min"] // 60
    return _finite(
        case_id, (given["arrival_rate_per_min"],) * hours, (given["agents"],) * hours, 60,
        1 / given["service_rate_per_min"], given.get("patience_mean_min", 0),
        "delay_probability", "served_within_threshold_per_served", "wait_mean_served_min",
    )  # fmt: skip


def _uncertain(which: str) -> Simulated:
    """A47: a day of 13 hours whose volume is uncertain; lost contacts over expected ones."""
    given = load("days")["A47"]["parameters"]
    alpha = {"fixed": 0.0, "gamma_400": 400.0, "gamma_10": 10.0}[which]
    case = _finite(
        "A47", tuple(rate / 60 for rate in given["arrival_rate_base_per_h"]),
        tuple(given["agents"]), 60, given["service_mean_s"] / 60, given["patience_mean_s"] / 60,
        "abandonments_mean", balking=given["balk_probability_when_all_busy"],
        busyness=Busyness(alpha=alpha),
    )  # fmt: skip
    return replace(case, expected={"abandonments_mean": case.expected["abandonments_mean"][which]})


def _abandonments(part_view: View) -> Ratio:
    return part_view.per_day(part_view.count(Count.ABANDONED))


MEASURES["abandonments_mean"] = _abandonments


def cases() -> dict[str, Callable[[], Simulated]]:
    """Return every case that can be played, by its id (and law, or variant)."""
    formulas = load("formulas")
    erlang = ("A02", "A03", "A04", "A05", "A06", "A07b", "A08a", "A08b", "A08c", "A08d", "A08e")
    found: dict[str, Callable[[], Simulated]] = {}
    for case_id in ("A01a", "A01b"):
        for law, cv in (
            (LawName.EXPONENTIAL, 1.0), (LawName.LOGNORMAL, 1.5), (LawName.CONSTANT, 0.0),
        ):  # fmt: skip
            found[f"{case_id} {law.value}"] = partial(_lost_at_once, case_id, law, cv)
    for case_id in erlang:
        found[case_id] = partial(_erlang, case_id)
    found["A09"] = _lines
    given = {case_id: case["parameters"] for case_id, case in formulas.items()}
    found["A10"] = lambda: _patience(
        "A10", minutes(given["A10"]["patience_exactly_min"], LawName.CONSTANT)
    )
    found["A11"] = lambda: _patience(
        "A11",
        Law(
            law=LawName.UNIFORM,
            low_ms=round(given["A11"]["patience_uniform_low_min"] * MINUTE_MS),
            high_ms=round(given["A11"]["patience_uniform_high_min"] * MINUTE_MS),
        ),
    )
    found["A12"] = lambda: _patience(
        "A12",
        minutes(
            given["A12"]["patience_lognormal_mean_min"],
            LawName.LOGNORMAL,
            given["A12"]["patience_lognormal_cv_squared"] ** 0.5,
        ),
    )
    found["A13"] = _balking
    shape = given["A16"]["service_gamma_shape"]
    mean_min = shape * given["A16"]["service_gamma_scale_s"] / 60
    found["A14"] = partial(_one_law, "A14", 0.8, LawName.CONSTANT, 0.0, 1.0)
    found["A15"] = partial(_one_law, "A15", 0.25, LawName.LOGNORMAL, 2**0.5, 3.0)
    found["A16"] = partial(_one_law, "A16", 0.08, LawName.GAMMA, shape**-0.5, mean_min)
    found["A17"] = partial(_one_law, "A17", 4.5, LawName.CONSTANT, 0.0, 1.0)
    found["A18"] = _even_arrivals
    for case_id in ("A20", "A23", "A24"):
        found[case_id] = partial(_priority, case_id)
    found["A21"] = _calls_and_letters
    found["A25"] = _weighted
    found["A26"] = lambda: _priority("A26", "chains")
    found["A27"] = lambda: _n_design("A27", own_first=True)
    found["A28"] = lambda: _n_design("A28", own_first=False)
    found["A29"] = lambda: _n_design("A29", own_first=True, reserve=1)
    found["A31"] = _w_design
    found["A32"] = _redials
    found["A34"] = _chats
    found["A35"] = partial(_blending, "A35")
    found["A36"] = partial(_blending, "A36")
    found["A37"] = _unequal
    found["A38"] = _overflow
    found["A39"] = _bursts
    found["A42"] = _changing_staff
    found["A46a"] = lambda: _whole_day("A46a")
    found["A46b"] = lambda: _whole_day("A46b")
    for which in ("fixed", "gamma_400", "gamma_10"):
        found[f"A47 {which}"] = partial(_uncertain, which)
    return found
