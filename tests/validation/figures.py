"""Measure what a case of known truth expects: each figure by its name, with its standard error.

A figure is a smooth function of means over days: mostly a ratio of two sums. Its error is that of
the linear part (delta method). What the arrivals and the drawn work explain is taken out (control
variates): in each interval as many should come as the rate says, and their work should have its
mean, whatever happened before, and where patience is exponential as many leave as the time waited
times its rate; so each deviation, also when weighed by the queue or the busy agents of the interval
before, has expectation 0. These are the laws put in; nothing of the theory that is tested is used.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from configs.planning import LawName, Scenario
from simulation.plan import estimates as est
from simulation.plan.estimates import Floats, Ratio
from simulation.plan.replications import Study
from simulation.plan.tallies import Count, Staffed
from tests.validation.verdicts import Verdict

MINUTE_MS: Final = 60_000.0
_DAYS_PER_CONTROL: Final = 12
_STRETCHES: Final = 8
_STEP: Final = 1e-6

Columns = list[Floats]


@dataclass(frozen=True)
class Look:
    """What is looked at: a study, some of its intervals, demands ("whole" figures sum these).

    `waits[day]` are the waits (ms) of the first demand's answered contacts after the warm-up.
    """

    study: Study
    window: tuple[int, ...]
    counted: tuple[str, ...]
    waits: Sequence[Floats] = ()

    @property
    def length_min(self) -> float:
        """Return how long the window is, minutes."""
        return len(self.window) * self.study.scenario.interval_ms / MINUTE_MS

    def count(self, what: Count, demand: str = "") -> Floats:
        """Return a count of each day: of one demand, or of all that are counted."""
        names = (demand,) if demand else self.counted
        rows = [self.study.demands.index(name) for name in names]
        chosen = self.study.counts[..., what][:, rows][:, :, list(self.window)]
        return np.asarray(chosen.sum(axis=(1, 2)), dtype=np.float64)

    def minutes(self, what: Count, demand: str = "") -> Floats:
        """Return a duration of each day in minutes."""
        return self.count(what, demand) / MINUTE_MS

    def staff(self, what: Staffed, group: str = "") -> Floats:
        """Return what agents did on each day, minutes (or contacts): one group, or all."""
        groups = [self.study.groups.index(group)] if group else list(range(len(self.study.groups)))
        chosen = self.study.staffed[..., what][:, groups][:, :, list(self.window)]
        total = np.asarray(chosen.sum(axis=(1, 2)), dtype=np.float64)
        return total if what is Staffed.HANDLED else total / MINUTE_MS

    def served(self, group: str, demand: str) -> Floats:
        """Return how many contacts of a demand a group began, all day long."""
        study = self.study
        chosen = study.served[:, study.groups.index(group), study.demands.index(demand)]
        return np.asarray(chosen, dtype=np.float64)

    def always(self, value: float) -> Floats:
        """Return the same number for each day."""
        return np.full(self.study.days, value)

    def at(self, *window: int) -> Look:
        """Return a look at other intervals."""
        return Look(self.study, window, self.counted, self.waits)


def ratio(*means: float) -> float:
    """Return the first over the second."""
    return means[0] / means[1] if means[1] else math.nan


@dataclass(frozen=True)
class Figure:
    """A number of a case: what it should be, and how it is measured.

    `known_error`: the standard error of the expected number itself, 0 for exact ones. A figure
    that is `plain` is not corrected by the controls, since they know it already.
    """

    name: str
    expected: float
    columns: Callable[[Look], Columns]
    combine: Callable[..., float] = ratio
    known_error: float = 0.0
    plain: bool = False


def settle(
    figure: Figure, columns: Floats, controls: Floats, strata: int, relative_max: float
) -> Verdict:
    """Return what came out of a figure after some days; `columns[day, part]`."""
    means = columns.mean(axis=0)
    value = figure.combine(*means)
    slopes = np.zeros(len(means))
    for number, mean in enumerate(means):
        step = _STEP * (abs(mean) or 1.0)
        up, down = means.copy(), means.copy()
        up[number] += step
        down[number] -= step
        slopes[number] = (figure.combine(*up) - figure.combine(*down)) / (2 * step)
    residuals = (columns - means) @ slopes
    many = 0 if figure.plain else len(columns) // _DAYS_PER_CONTROL
    used = controls[:, :many]
    scale = used.std(axis=0)
    used = used[:, scale > 0] / scale[scale > 0]
    found = est.estimate(Ratio(value + residuals, np.ones(len(columns)), used, strata))
    # Slopes that were fitted to the same days make an estimate less sharp than it looks.
    rank, days = used.shape[1], len(columns)
    inflation = math.sqrt((days - 2) / (days - rank - 2)) if days > rank + 2 and rank else 1.0
    return Verdict(
        figure.name,
        found.value,
        found.error * inflation,
        figure.expected,
        figure.known_error,
        relative_max=relative_max,
    )


# --- controls -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Controls:
    """Say which deviations have expectation 0 in a scenario.

    `past`: arrivals do not depend on the past, so that what was before may weigh them. `work`:
    the demands whose talk is their work, done by everybody at one pace. `patience`: those who leave
    while they wait at a constant rate, and in no other way.
    """

    past: bool
    work: tuple[str, ...]
    patience: tuple[str, ...]
    window: tuple[int, ...]


def controls_of(scenario: Scenario, window: tuple[int, ...]) -> Controls:
    """Return the controls of a scenario."""
    demands = scenario.demand.values()
    bursts = any(demand.bursts for demand in demands)
    past = not bursts and not scenario.busyness.alpha
    channels = scenario.center.channels
    paces = any(group.pace != 1.0 or group.paces for group in scenario.workforce.values())
    work = tuple(
        name
        for name, demand in scenario.demand.items()
        if not paces
        and demand.handle.law is not LawName.CONSTANT
        and demand.channel not in scenario.effects.speeds
        and not channels[demand.channel].interruptible
    )
    patience = tuple(
        name
        for name, demand in scenario.demand.items()
        if demand.patience is not None
        and demand.patience.law is LawName.EXPONENTIAL
        and not (demand.patience.later or demand.balking or demand.takes_callback)
    )
    return Controls(past, work, patience, window)


def control_columns(controls: Controls, study: Study) -> Floats:
    """Return the controls of each day, `[day, control]`, the plain ones first."""
    window = list(controls.window)
    counts = study.counts[:, :, window].astype(np.float64)
    came = counts[..., Count.FRESH] - study.expected[None][:, :, window]
    mean_ms = {name: study.scenario.demand[name].handle.mean_ms for name in controls.work}
    deviations = [
        came[:, index]
        for index, name in enumerate(study.demands)
        if not study.scenario.demand[name].arrivals_ms
    ]
    for name in controls.work:
        index = study.demands.index(name)
        rows = counts[:, index]
        deviations.append(rows[..., Count.TALK_MS] - mean_ms[name] * rows[..., Count.ANSWERED])
    for name in controls.patience:
        index, law = study.demands.index(name), study.scenario.demand[name].patience
        assert law is not None, "it is exponential"
        rows = counts[:, index]
        deviations.append(rows[..., Count.LEFT] - rows[..., Count.QUEUED_MS] / law.mean_ms)
    weights: list[Floats] = [np.ones((study.days, len(window)))]
    if controls.past:
        # Row -1 is of the interval before; before the first one nothing is known.
        length = float(study.scenario.interval_ms)
        shown = [0, *window][: len(window) + 1] if window[0] == 0 else [window[0] - 1, *window]
        # A backlog is no queue that says how busy it is.
        demands = study.scenario.demand
        lines = [n for n, name in enumerate(study.demands) if not demands[name].backlog]
        queued = study.counts[..., Count.QUEUED_MS][:, lines][:, :, shown]
        queue = queued.sum(axis=1)[:, :-1] / length
        busy = study.staffed[:, :, shown, Staffed.BUSY].sum(axis=1)[:, :-1] / length
        if window[0] == 0:
            queue[:, 0] = busy[:, 0] = 0.0
        weights += [queue, queue * queue, busy]
    if not deviations:
        return np.empty((study.days, 0))
    # The whole window first; then parts of it, but the last, which is the rest.
    edges = np.linspace(0, len(window), min(_STRETCHES, len(window)) + 1).round().astype(int)
    stretches = [slice(0, len(window)), *map(slice, edges[:-2], edges[1:-1])]
    columns = [
        (weight * deviation)[:, stretch].sum(axis=1)
        for stretch in stretches
        for weight in weights
        for deviation in deviations
    ]
    return np.stack(columns, axis=1)


# --- measures by the names of the cases ---------------------------------------------------


Measure = Callable[[Look, str], Columns]


def _counts(*parts: Count, over: tuple[Count, ...], less: tuple[Count, ...] = ()) -> Measure:
    def measure(look: Look, part: str) -> Columns:
        top = sum(look.count(what, part) for what in parts)
        bottom = sum(look.count(what, part) for what in over)
        left_out = sum(look.count(what, part) for what in less)
        return [np.asarray(top, dtype=np.float64), np.asarray(bottom - left_out)]

    return measure


def _wait(what: Count, over: Count, unit_ms: float = MINUTE_MS) -> Measure:
    return lambda look, part: [look.count(what, part) / unit_ms, look.count(over, part)]


def _wait_of_lost(unit_ms: float) -> Measure:
    def measure(look: Look, part: str) -> Columns:
        lost = look.count(Count.WAIT_MS, part) - look.count(Count.WAIT_ANSWERED_MS, part)
        return [lost / unit_ms, look.count(Count.ABANDONED, part)]

    return measure


def _queue_length(look: Look, part: str) -> Columns:
    return [look.minutes(Count.QUEUED_MS, part), look.always(look.length_min)]


def _busy(look: Look, part: str) -> Columns:
    return [look.staff(Staffed.BUSY, part), look.always(look.length_min)]


def _in_system(look: Look, part: str) -> Columns:
    waiting = look.minutes(Count.QUEUED_MS, part)
    return [waiting + look.staff(Staffed.BUSY), look.always(look.length_min)]


def _time_in_system(look: Look, part: str) -> Columns:
    both = look.minutes(Count.WAIT_MS, part) + look.minutes(Count.TALK_MS, part)
    return [both, look.count(Count.ANSWERED, part)]


def _arrivals(look: Look, part: str) -> Columns:
    return [look.count(Count.ARRIVED, part), look.always(look.length_min)]


def _lost_after(look: Look, part: str) -> Columns:
    late = look.count(Count.ABANDONED, part) - look.count(Count.ABANDONED_IN_TIME, part)
    return [late, look.always(1.0)]


def _a_day(what: Count) -> Measure:
    return lambda look, part: [look.count(what, part), look.always(1.0)]


ARRIVED, ANSWERED, ABANDONED = Count.ARRIVED, Count.ANSWERED, Count.ABANDONED
EARLY: Final = Count.ABANDONED_IN_TIME

MEASURES: Final[dict[str, Measure]] = {
    "delay_probability": _counts(Count.DELAYED, over=(ARRIVED,)),
    "abandon_fraction": _counts(ABANDONED, over=(ARRIVED,)),
    "abandon_fraction_per_attempt": _counts(ABANDONED, over=(ARRIVED,)),
    "abandon_fraction_live": _counts(ABANDONED, over=(ARRIVED,), less=(Count.CALLBACKS,)),
    "blocking_probability": _counts(Count.BALKED, over=(ARRIVED,)),
    "blocked_fraction": _counts(Count.BLOCKED, over=(ARRIVED,)),
    "callback_fraction": _counts(Count.CALLBACKS, over=(ARRIVED,)),
    "accepted_and_delayed_fraction": _counts(Count.DELAYED, over=(ARRIVED,)),
    "lost_customer_fraction": _counts(ABANDONED, over=(Count.FRESH,)),
    "wait_mean_min": _wait(Count.WAIT_MS, ARRIVED),
    "wait_mean_per_attempt_min": _wait(Count.WAIT_MS, ARRIVED),
    "wait_mean_all_classes_min": _wait(Count.WAIT_MS, ARRIVED),
    "wait_mean_s": _wait(Count.WAIT_MS, ARRIVED, 1000),
    "wait_mean_delayed_min": _wait(Count.WAIT_MS, Count.DELAYED),
    "wait_mean_delayed_s": _wait(Count.WAIT_MS, Count.DELAYED, 1000),
    "wait_mean_served_min": _wait(Count.WAIT_ANSWERED_MS, ANSWERED),
    "wait_mean_served_s": _wait(Count.WAIT_ANSWERED_MS, ANSWERED, 1000),
    "wait_mean_abandoned_min": _wait_of_lost(MINUTE_MS),
    "wait_mean_abandoned_s": _wait_of_lost(1000),
    "wait_mean_accepted_min": lambda look, part: [
        look.minutes(Count.WAIT_MS, part),
        look.count(ARRIVED, part) - look.count(Count.BLOCKED, part),
    ],
    "wait_mean_live_min": lambda look, part: [
        look.minutes(Count.WAIT_MS, part),
        look.count(ARRIVED, part) - look.count(Count.CALLBACKS, part),
    ],
    "time_in_system_mean_min": _time_in_system,
    "served_within_threshold_per_arrival": _counts(Count.IN_TIME, over=(ARRIVED,)),
    "served_within_threshold_per_served": _counts(Count.IN_TIME, over=(ANSWERED,)),
    "abandoned_within_threshold_per_arrival": _counts(EARLY, over=(ARRIVED,)),
    "served_within_threshold_per_arrival_less_early_abandons": _counts(
        Count.IN_TIME, over=(ARRIVED,), less=(EARLY,)
    ),
    "served_within_threshold_per_served_plus_late_abandons": _counts(
        Count.IN_TIME, over=(ANSWERED, ABANDONED), less=(EARLY,)
    ),
    "served_or_abandoned_within_threshold_per_arrival": _counts(
        Count.IN_TIME, EARLY, over=(ARRIVED,)
    ),
    "queue_length_mean": _queue_length,
    "number_in_system_mean": _in_system,
    "busy_agents_mean": _busy,
    "occupancy": lambda look, part: [
        look.staff(Staffed.BUSY, part), look.staff(Staffed.SIGNED_IN, part)
    ],
    "idle_agent_fraction": lambda look, part: [
        look.staff(Staffed.SIGNED_IN, part) - look.staff(Staffed.BUSY, part),
        look.staff(Staffed.SIGNED_IN, part),
    ],
    "attempts_per_min": _arrivals,
    "arrival_rate_mean_per_min": _arrivals,
    "no_delay_probability": lambda look, part: [
        look.count(ARRIVED, part) - look.count(Count.DELAYED, part), look.count(ARRIVED, part)
    ],
    "arrivals_mean": _a_day(ARRIVED),
    "abandonments_mean": _a_day(ABANDONED),
    "abandonments_after_threshold_mean": _lost_after,
    "served_mean": _a_day(ANSWERED),
    "served_within_threshold_count_mean": _a_day(Count.IN_TIME),
}  # fmt: skip
# What the controls know exactly would come out exact.
PLAIN: Final = frozenset({"arrivals_mean", "arrival_rate_mean_per_min"})


def figures_of(expected: float | dict[str, float], name: str) -> list[Figure]:
    """Return the figures of one expected measure: a number, or a map by class or group."""
    parts = expected.items() if isinstance(expected, dict) else [("", expected)]
    measure = MEASURES[name]
    return [
        Figure(
            f"{name} {part}".strip(),
            float(value),
            partial(_measured, measure, part),
            plain=name in PLAIN,
        )
        for part, value in parts
    ]


def _measured(measure: Measure, part: str, look: Look) -> Columns:
    return measure(look, part)


# --- figures of the single waits ----------------------------------------------------------


def wait_deviation(look: Look) -> Columns:
    """Return the columns of the standard deviation of waits: squares, waits, how many (min)."""
    waits = [found / MINUTE_MS for found in look.waits]
    return [
        np.asarray([float(found @ found) for found in waits]),
        np.asarray([float(found.sum()) for found in waits]),
        np.asarray([float(len(found)) for found in waits]),
    ]


def deviation(squares: float, total: float, count: float) -> float:
    """Return a standard deviation from sums."""
    return math.sqrt(max(squares / count - (total / count) ** 2, 0.0))


def waited_longer(limit_min: float, look: Look) -> Columns:
    """Return how many waited longer than a limit, and how many there were."""
    return [
        np.asarray([float((found > limit_min * MINUTE_MS).sum()) for found in look.waits]),
        np.asarray([float(len(found)) for found in look.waits]),
    ]


@dataclass(frozen=True)
class Quantile:
    """Turn the share that waits longer than the expected quantile into a quantile.

    Close to it the tail falls like e^(-t / scale), so that a share p for `tail` is a quantile that
    is off by scale ln(p / tail).
    """

    expected: float
    tail: float
    scale: float
    name: str = field(default="quantile")

    def __call__(self, longer: float, count: float) -> float:
        """Return the quantile."""
        share = max(longer / count, 1e-9) if count else math.nan
        return self.expected + self.scale * math.log(share / self.tail)
