"""Published results of other simulators, as verdicts: what is measured, and how sure both are.

The numbers stand in `published.json`, the scenarios in `published_cases`. A published mean has a
standard error of its own, so a figure passes within four standard errors of the difference; half
a unit of the last published digit is allowed beside. Figures that the planner does not measure are
named with the reason, so that nothing is left out in silence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np

from configs.planning import Scenario
from simulation.plan import estimates as est
from simulation.plan.estimates import Floats, Ratio, View, view
from simulation.plan.replications import Study
from simulation.plan.tallies import Count, Staffed
from tests.validation import load
from tests.validation.simulated import MINUTE_MS, Verdict

_Z95: Final = 1.959964
_SEEN: Final = 20
_AGAIN: Final = " (resimulated)"
_DIGITS: Final = 3  # that many are printed at least, zeros at the end included

# measure(study, rest of the figure's name) -> the figure day by day.
Measure: TypeAlias = Callable[[Study, tuple[str, ...]], Ratio]


@dataclass(frozen=True)
class Published:
    """A published case ready to be played; `days` make one replication of theirs."""

    case_id: str
    scenario: Scenario
    measures: Mapping[str, Measure]
    days: int = 1
    unmeasured: Mapping[str, str] = field(default_factory=dict)

    def judge(self, study: Study) -> list[Verdict]:
        """Return a verdict for every published figure that is measured."""
        case = load("published")[self.case_id]
        verdicts = []
        for kind in ("expected", "resimulated"):
            for path, leaf in _leaves(case.get(kind, {})):
                if " ".join(path) in self.unmeasured or path[0] in self.unmeasured:
                    continue
                found = est.estimate(self.measures[path[0]](study, path[1:]))
                scale = self.days if path[0].endswith(("_count", "_cost")) else 1
                label = " ".join(path) + (_AGAIN if kind == "resimulated" else "")
                theirs, slack = _sureness(leaf, case["replications"])
                error = found.error * scale
                if path[0].endswith("_count") and found.value * study.days < _SEEN:
                    # Of what happens so seldom the days tell no spread: it is Poisson.
                    error = max(error, math.sqrt(leaf["mean"] * self.days / study.days))
                verdicts.append(
                    Verdict(label, found.value * scale, error, leaf["mean"], theirs, slack)
                )
        return verdicts


def is_known(verdicts: Iterable[Verdict]) -> bool:
    """Say whether more days would tell little more of what was published.

    Those who played it again did so for weeks: their errors are no measure, but where nothing else
    is.
    """
    every = tuple(verdicts)
    published = [found for found in every if not found.name.endswith(_AGAIN)]
    return all(found.is_sharp for found in published or every)


def given(case_id: str) -> dict[str, Any]:
    """Return the parameters of a case."""
    parameters: dict[str, Any] = load("published")[case_id]["parameters"]
    return parameters


def clock(offset_min: int) -> str:
    """Return a time of day so many minutes after midnight."""
    return f"{offset_min // 60:02d}:{offset_min % 60:02d}"


def _leaves(
    figures: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, float]]]:
    for name, value in figures.items():
        if "mean" in value:
            yield (*path, name), value
        else:
            yield from _leaves(value, (*path, name))


def _sureness(leaf: Mapping[str, float], replications: int) -> tuple[float, float]:
    """Return the standard error of a published mean, and half a unit of its last digit."""
    digits = max(_DIGITS, len(repr(leaf["mean"]).partition(".")[2]))
    slack = 0.5 * 10.0**-digits
    if "half_width_95" in leaf:
        return leaf["half_width_95"] / _Z95, slack
    return leaf["standard_deviation_per_replication"] / math.sqrt(replications), slack


# --- measures -----------------------------------------------------------------------------


def part_of(study: Study, path: tuple[str, ...]) -> View:
    """Return what a figure's name asks for: one demand or all, one interval or all."""
    demands = [name for name in path if name in study.demands]
    intervals = [int(name.split("_")[1]) - 1 for name in path if name.startswith("interval_")]
    return view(study, demands or None, intervals or None)


def summed(part: View, *names: Count) -> Floats:
    """Return the sum of some counts of each day."""
    return np.asarray(sum(part.count(name) for name in names), dtype=np.float64)


def per_day(*names: Count, over: float = 1.0) -> Measure:
    """Measure a count of a day (or a duration in ms, with what to divide it by)."""

    def measure(study: Study, path: tuple[str, ...]) -> Ratio:
        part = part_of(study, path)
        found = part.per_day(summed(part, *names) / over)
        if Count.ARRIVED in names:
            # What the arrivals explain of themselves is all: nothing would be measured.
            return replace(found, controls=found.controls[:, :0])
        return found

    return measure


def share(parts: tuple[Count, ...], wholes: tuple[Count, ...], scale: float = 1.0) -> Measure:
    """Measure a ratio of two sums of counts, times a scale."""

    def measure(study: Study, path: tuple[str, ...]) -> Ratio:
        part = part_of(study, path)
        return part.over(summed(part, *parts) * scale, summed(part, *wholes))

    return measure


def over_late_abandons(study: Study, path: tuple[str, ...]) -> Ratio:
    """Measure the answered in time over the answered and those who gave up later."""
    part = part_of(study, path)
    late = part.count(Count.ABANDONED) - part.count(Count.ABANDONED_IN_TIME)
    return part.over(part.count(Count.IN_TIME), part.count(Count.ANSWERED) + late)


def staff_ms(study: Study, groups: tuple[str, ...], what: Staffed, intervals: int = 0) -> Floats:
    """Return a time of each day, of some groups (none: all), in the first intervals (0: all)."""
    chosen = [study.groups.index(name) for name in groups] or list(range(len(study.groups)))
    rows = study.staffed[..., what][:, chosen, : intervals or None]
    return np.asarray(rows.sum(axis=(1, 2)), dtype=np.float64)


def occupancy(intervals: int, *, staffed_ms: Mapping[str, float] | None = None) -> Measure:
    """Measure the occupancy in percent over the first intervals (0: all of the day).

    Busy time is set over signed-in time, or over a staffed time that is given by group.
    """

    def measure(study: Study, path: tuple[str, ...]) -> Ratio:
        groups = tuple(name for name in path if name in study.groups)
        busy = staff_ms(study, groups, Staffed.BUSY, intervals)
        if staffed_ms is None:
            whole = staff_ms(study, groups, Staffed.SIGNED_IN, intervals)
        else:
            names = groups or study.groups
            whole = np.full(study.days, float(sum(staffed_ms[name] for name in names)))
        return view(study).over(busy * 100, whole)

    return measure


def scaled(measure: Measure, factor: float) -> Measure:
    """Return a measure in another unit."""

    def measured(study: Study, path: tuple[str, ...]) -> Ratio:
        ratio = measure(study, path)
        return replace(ratio, parts=ratio.parts * factor)

    return measured


# --- what several cases look at ------------------------------------------------------------

IN_TIME: Final = (Count.IN_TIME,)
ANSWERED: Final = (Count.ANSWERED,)
ARRIVED: Final = (Count.ARRIVED,)
WAIT_SERVED_MIN: Final = share((Count.WAIT_ANSWERED_MS,), ANSWERED, 1 / MINUTE_MS)
LOST: Final = {
    "arrivals_count": per_day(*ARRIVED),
    "served_count": per_day(*ANSWERED),
    "blocked_count": per_day(Count.BLOCKED),
    "abandonments_count": per_day(Count.ABANDONED),
    "served_within_threshold_count": per_day(*IN_TIME),
}
