"""Hold the goals and say beside each, from the results, whether it was reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

Found = dict[str, list[dict[str, Any]]]
Measure = Callable[[Found, str], float | None]


@dataclass(frozen=True, kw_only=True)
class Goal:
    """Compare one measured number with its goals; `at_most` turns the comparison round."""

    what: str
    measure: Measure
    pure: float | None
    compiled: float | None
    stretch: float | None = None
    at_most: bool = False
    unit: str = "x"

    def reached(self, value: float, goal: float) -> bool:
        """Say whether a value is as good as a goal."""
        return value <= goal if self.at_most else value >= goal


def of_build(found: Found, section: str, build: str) -> list[dict[str, Any]]:
    """Return what one build measured in one section."""
    return [one for one in found.get(section, []) if one["build"] == build]


def speeds(found: Found, section: str, build: str, name: str) -> list[float]:
    """Return customers per second of a model, a figure per round."""
    rows = of_build(found, section, build)
    return [one["per_second"] for one in rows if one["name"] == name]


def ratios(found: Found, section: str, mine: tuple[str, str], other: str) -> list[float]:
    """Return how many times as fast as `other` (always pure) a (build, model) was, by round."""
    return [
        own / theirs
        for own, theirs in zip(
            speeds(found, section, *mine), speeds(found, section, "pure", other), strict=True
        )
    ]


def _faster_than(section: str, other: str, name: str = "engine in SimPy") -> Measure:
    def measure(found: Found, build: str) -> float | None:
        if not speeds(found, section, build, name) or not speeds(found, section, "pure", other):
            return None
        return median(ratios(found, section, (build, name), other))

    return measure


def _slower_than_c(found: Found, build: str) -> float | None:
    faster = _faster_than("day", "C loop")(found, build)
    return None if faster is None else 1 / faster


def _border(found: Found, build: str) -> float | None:
    costs = [
        [one["cpu_us_per_event"] for one in of_build(found, f"border stdlib={stdlib}", build)]
        for stdlib in (False, True)
    ]
    if not costs[0]:
        return None
    return float(median(slow / fast for fast, slow in zip(*costs, strict=True)))


def _latency(key: str, replays: str = "least_gc_off") -> Measure:
    def measure(found: Found, build: str) -> float | None:
        rows = of_build(found, "agents", build)
        return max((one[replays][key] for one in rows), default=None)

    return measure


def _agent_growth(found: Found, build: str) -> float | None:
    rows = of_build(found, "agents", build)
    if len(rows) < 2:
        return None
    first, last = rows[0], rows[-1]
    return float(median(last["cpu_us_per_event"]) / median(first["cpu_us_per_event"]))


def _agent_growth_alike(found: Found, build: str) -> float | None:
    """Compare the two sizes on the same mix of events: that of the larger one."""
    rows = of_build(found, "agents", build)
    if len(rows) < 2:
        return None
    first, last = rows[0], rows[-1]
    kinds = [kind for kind in last["kinds"] if kind in first["kinds"]]
    costs = [
        sum(last["kinds"][kind] * one["kind_mean_us"][kind] for kind in kinds)
        for one in (first, last)
    ]
    return float(costs[1] / costs[0])


def _first_contact(found: Found, build: str) -> float | None:
    rows = of_build(found, "agents", build)
    return max((one["first"]["contact"] for one in rows), default=None)


def _waiting_growth(kind: str) -> Measure:
    def measure(found: Found, build: str) -> float | None:
        rows = of_build(found, "waiting", build)
        if len(rows) < 2:
            return None
        return float(rows[-1][kind]["p50"] / rows[0][kind]["p50"])

    return measure


def _memory(section: str, key: str) -> Measure:
    def measure(found: Found, build: str) -> float | None:
        rows = of_build(found, section, build)
        return rows[0][key] if rows else None

    return measure


def _lines(section: str) -> Measure:
    def measure(found: Found, build: str) -> float | None:
        rows = found.get(section, [])
        if build != "pure" or not rows:
            return None
        first, last = rows[0]["counts"], rows[-1]["counts"]
        return max(float(last[kind] / first[kind]) for kind in first)

    return measure


def _goal(
    what: str,
    measure: Measure,
    goals: tuple[float | None, float | None, float | None],
    *,
    at_most: bool = False,
    unit: str = "x",
) -> Goal:
    pure, compiled, stretch = goals
    return Goal(
        what=what,
        measure=measure,
        pure=pure,
        compiled=compiled,
        stretch=stretch,
        at_most=at_most,
        unit=unit,
    )


GOALS: Final = (
    _goal(
        "engine in SimPy vs textbook SimPy", _faster_than("day", "textbook SimPy"), (4.5, 12, 25)
    ),
    _goal("engine in SimPy vs Ciw, 100 agents", _faster_than("day", "Ciw"), (10, 25, 50)),
    _goal("engine in SimPy vs Ciw, 2,000 agents", _faster_than("large", "Ciw"), (100, 300, 600)),
    _goal(
        "multi-skill vs SimPy event router",
        _faster_than("skills", "multi-skill SimPy event router"),
        (2.2, 7, 12),
    ),
    _goal(
        "multi-skill vs SimPy FilterStore",
        _faster_than("skills", "multi-skill SimPy FilterStore"),
        (5, 15, 25),
    ),
    _goal("engine in SimPy vs bare heapq loop", _faster_than("day", "heapq loop"), (0.5, 1.5, 3)),
    _goal("times slower than the model in C", _slower_than_c, (30, 10, 4), at_most=True),
    _goal(
        "days of 5,000 customers vs textbook SimPy, CPU",
        _faster_than("short day", "textbook SimPy"),
        (4, 15, 30),
    ),
    _goal("decode, core, encode vs the same with stdlib json", _border, (2.5, 3, None)),
    _goal("latency p50, worst size", _latency("p50"), (1.5, 0.6, None), at_most=True, unit=" us"),
    _goal("latency p99, worst size", _latency("p99"), (8, 2.5, None), at_most=True, unit=" us"),
    _goal("latency p99.9, worst size", _latency("p999"), (12, 4, None), at_most=True, unit=" us"),
    _goal(
        "slowest event of the steady day, collector off",
        _latency("max"),
        (1_000, 1_000, None),
        at_most=True,
        unit=" us",
    ),
    _goal(
        "slowest first contact of a category",
        _first_contact,
        (1_000, 1_000, None),
        at_most=True,
        unit=" us",
    ),
    _goal("mean time, most agents / fewest", _agent_growth, (1.5, 1.5, None), at_most=True),
    _goal(
        "the same on the same mix of events",
        _agent_growth_alike,
        (1.5, 1.5, None),
        at_most=True,
    ),
    _goal(
        "arrive p50, most waiting / fewest",
        _waiting_growth("arrive"),
        (2, 2, None),
        at_most=True,
    ),
    _goal(
        "abandon p50, most waiting / fewest",
        _waiting_growth("abandon"),
        (2, 2, None),
        at_most=True,
    ),
    _goal(
        "memory of an open contact",
        _memory("contact memory", "traced"),
        (400, 400, None),
        at_most=True,
        unit=" B",
    ),
    _goal(
        "the same, the string of its id apart",
        _memory("contact memory", "without_id"),
        (400, 400, None),
        at_most=True,
        unit=" B",
    ),
    _goal(
        "memory of an agent with 4 skills",
        _memory("agent memory", "router"),
        (800, 800, None),
        at_most=True,
        unit=" B",
    ),
    _goal(
        "lines run per event, most agents / fewest",
        _lines("served"),
        (1.1, None, None),
        at_most=True,
    ),
    _goal(
        "lines run per event, most waiting / fewest",
        _lines("lines"),
        (1.1, None, None),
        at_most=True,
    ),
)

NOT_MEASURED: Final = (
    "ContactCenters (Java), cold and hot: the library is not part of this repository's set-up",
    (
        "the core against the same core in C: there is no such C program; the row above compares "
        "the engine with the bare model in C, which is a harder comparison"
    ),
    "live on Kafka (input to journal to published decision): belongs to the Kafka driver",
)
