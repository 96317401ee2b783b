"""Say what many draws of the next hours say: figures with their intervals, paired differences.

What the number of arrivals explains of a figure is taken out, since its expectation is known
(`simulation.plan.estimates`). Service levels are those of the planner, by the same names; here a
contact counts when it is answered or gone, and who still waits at the horizon is not decided yet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from router import states
from router.checks import config_hash
from router.snapshot_facts import FloorFacts
from simulation.phrases import Phrase
from simulation.plan import estimates as est
from simulation.plan import phases
from simulation.plan.estimates import Floats, Ratio
from simulation.plan.tallies import Count
from simulation.whatif.forecasting import COLUMNS, Outlook, Seen, play_until
from simulation.whatif.onward import OnwardDay
from simulation.whatif.onward_lots import Draw

_TOLD_CONTACTS: Final = 20
_TOLD_SHARE: Final = 0.005
_TOLD_WAIT_S: Final = 0.5
_MINUTE_MS: Final = 60_000
_SPREAD: Final = (0.05, 0.95)
LEVEL: Final = "service level"
MEASURES: Final = {
    "answered": Count.ANSWERED,
    "gave up": Count.ABANDONED,
    "waiting": Count.CARRIED,
}


@dataclass(frozen=True, kw_only=True)
class Paired:
    """A mean without and with a change, their paired difference, and half its 95 % interval.

    `without_half` and `within_half` are those of the two means alone; `error` is the standard
    error of the difference.
    """

    without: float
    within: float
    difference: float
    half_width: float
    error: float
    without_half: float
    within_half: float


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A part of the horizon, from minutes after now; what is measured in it."""

    from_min: float
    measures: dict[str, Paired]


@dataclass(frozen=True, kw_only=True)
class Present:
    """A contact that waits now: the shares of draws in which it gives up."""

    contact_id: str
    demand: str
    waited_s: float
    gives_up_without: float
    gives_up_with: float
    wait_s_without: float
    wait_s_with: float


@dataclass(frozen=True, kw_only=True)
class CourseAnswer:
    """What a change would do, against doing nothing.

    `spread`: between which values each measure of this course lies in nine of ten draws.
    """

    name: str
    sentence: str
    whole: dict[str, Paired]
    slices: tuple[Slice, ...]
    demands: dict[str, dict[str, Paired]]
    contacts: tuple[Present, ...]
    spread: dict[str, tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class ForecastNow:
    """A forecast from a live state.

    `busyness`: by demand, how busy the day is expected to be. `alone`: nothing changed.
    `definition`: of the service level, in words; `within_s`: its time by demand. `sharp`: the
    differences of service level are known to `within_points` either way.
    """

    sentence: str
    center: str
    config_hash: str
    at_ms: int
    seq: int
    horizon_min: float
    pairs: int
    pairs_max: int
    within_points: float
    sharp: bool
    seed: int
    waiting: int
    in_hand: int
    signed_in: int
    busyness: dict[str, float]
    definition: str
    within_s: dict[str, float]
    alone: CourseAnswer
    courses: tuple[CourseAnswer, ...]
    took_s: float = 0.0


class Told:
    """The counts of all draws: of one slice, one demand, or of the whole horizon."""

    def __init__(self, rows: Floats) -> None:
        self._rows = rows

    def count(self, what: Count) -> Floats:
        """Return a count, draw by draw; what is not counted ahead is 0."""
        column = COLUMNS.get(what)
        if column is None:
            return np.zeros(len(self._rows))
        found: Floats = self._rows[:, column]
        return found


class Draws:
    """All draws of all courses, as arrays: `counts[course, draw, slice, column]`."""

    def __init__(self, outlook: Outlook, pairs: list[list[Seen]]) -> None:
        self.outlook = outlook
        courses = range(len(outlook.courses))
        self.counts = np.array([[pair[course].counts for pair in pairs] for course in courses])
        self.demands = np.array([[pair[course].demands for pair in pairs] for course in courses])
        self.came = np.array([[pair[course].came for pair in pairs] for course in courses])
        self.expected = np.array([outlook.expected(course) for course in outlook.courses])
        self.level = outlook.courses[0].prepared.scenario.target.level

    def whole(self, course: int) -> Told:
        """Return the whole horizon of a course; who waits does so at its end."""
        rows = self.counts[course].sum(axis=1)
        waiting = COLUMNS[Count.CARRIED]
        rows[:, waiting] = self.counts[course][:, -1, waiting]
        return Told(rows)

    def controls(self, course: int, demand: int | None = None) -> Floats:
        """Return how many more came than expected, without and with the change."""
        chosen = slice(None) if demand is None else slice(demand, demand + 1)
        columns = [
            np.nansum(self.came[which][:, chosen] - self.expected[which, chosen], axis=1)
            for which in dict.fromkeys((0, course))
        ]
        return np.stack(columns, axis=1)

    def measures(self, without: Told, within: Told, controls: Floats) -> dict[str, Paired]:
        """Return every measure without and with a change; no service level where none is."""
        found = {}
        for name, what in MEASURES.items():
            ones = np.ones(len(controls))
            pair = [Ratio(told.count(what), ones, controls) for told in (without, within)]
            found[name] = _paired(pair[0], pair[1])
        level = est.LEVELS[self.level]
        first, second = (Ratio(*level(told), controls) for told in (without, within))
        if first.wholes.sum() > 0 and second.wholes.sum() > 0:
            found[LEVEL] = _paired(first, second)
        return found

    def of_course(self, course: int) -> dict[str, Paired]:
        """Return the measures of a course over the whole horizon."""
        return self.measures(self.whole(0), self.whole(course), self.controls(course))

    def spread(self, course: int) -> dict[str, tuple[float, float]]:
        """Return between which values each measure lies in nine of ten draws."""
        told = self.whole(course)
        values = {name: told.count(what) for name, what in MEASURES.items()}
        parts, wholes = est.LEVELS[self.level](told)
        there = wholes > 0
        if there.any():
            values[LEVEL] = parts[there] / wholes[there]
        return {
            name: (float(low), float(high))
            for name, found in values.items()
            for low, high in (np.quantile(found, _SPREAD),)
        }


def _paired(without: Ratio, within: Ratio) -> Paired:
    first, second = est.estimate(without), est.estimate(within)
    gap = est.difference(without, within)

    def finite(number: float) -> float:
        return number if math.isfinite(number) else 0.0

    return Paired(
        without=first.value,
        within=second.value,
        difference=gap.value,
        half_width=finite(gap.half_width),
        error=finite(gap.error),
        without_half=finite(first.half_width),
        within_half=finite(second.half_width),
    )


def width(outlook: Outlook, pairs: list[list[Seen]]) -> float:
    """Return the widest half interval of a difference of service levels.

    Without any change, that of the service level itself.
    """
    draws = Draws(outlook, pairs)
    if len(outlook.courses) == 1:
        level = draws.of_course(0).get(LEVEL)
        return 0.0 if level is None else level.without_half
    found = [draws.of_course(course).get(LEVEL) for course in range(1, len(outlook.courses))]
    return max(0.0 if level is None else level.half_width for level in found)


def answer_of(draws: Draws, pairs: list[list[Seen]], course: int) -> CourseAnswer:
    """Return what a course says against the first."""
    outlook = draws.outlook
    whole = draws.of_course(course)
    controls = draws.controls(course)
    slices = tuple(
        Slice(
            from_min=number * outlook.slice_ms / _MINUTE_MS,
            measures=draws.measures(
                Told(draws.counts[0][:, number]), Told(draws.counts[course][:, number]), controls
            ),
        )
        for number in range(outlook.slices)
    )
    demands = {
        source.name: draws.measures(
            Told(draws.demands[0][:, source.index]),
            Told(draws.demands[course][:, source.index]),
            draws.controls(course, source.index),
        )
        for source in outlook.courses[0].prepared.sources
    }
    return CourseAnswer(
        name=outlook.courses[course].name,
        sentence=sentence_of(
            outlook.courses[course].name if course else "",
            outlook.start.horizon_ms / _MINUTE_MS,
            whole,
        ),
        whole=whole,
        slices=slices,
        demands=demands,
        contacts=_contacts(outlook, pairs, course),
        spread=draws.spread(course),
    )


def sentence_of(change: str, minutes: float, whole: dict[str, Paired]) -> str:
    """Answer in one sentence: who gives up, and is answered in time; `change` "": without one."""
    gone, level = whole["gave up"], whole.get(LEVEL)
    in_time: str = ""
    if not change:
        if level is not None:
            in_time = Phrase(
                " and {level:.1%} ± {half:.1f} points are answered in time",
                level=level.without, half=100 * level.without_half,
            )  # fmt: skip
        return Phrase(
            "If nothing changes, {gone:.1f} ± {half:.1f} contacts give up in the next {minutes:g} "
            "minutes{in_time}.",
            minutes=minutes, gone=gone.without, half=gone.without_half, in_time=in_time,
        )  # fmt: skip
    if level is not None:
        in_time = Phrase(
            ", and {level:.1%} instead of {was:.1%} are answered in time ({difference:+.1f} ± "
            "{half:.1f} points)",
            level=level.within, was=level.without, difference=100 * level.difference,
            half=100 * level.half_width,
        )  # fmt: skip
    return Phrase(
        "With {change}, {gone:.1f} contacts give up in the next {minutes:g} minutes instead of "
        "{was:.1f} ({difference:+.1f} ± {half:.1f}){in_time}.",
        change=change, gone=gone.within, minutes=minutes, was=gone.without,
        difference=gone.difference, half=gone.half_width, in_time=in_time,
    )  # fmt: skip


def _contacts(outlook: Outlook, pairs: list[list[Seen]], course: int) -> tuple[Present, ...]:
    """Return the contacts waiting now whose fate the change touches most."""
    start, first = outlook.start, outlook.courses[0]
    day = OnwardDay(first.prepared, start, first.turn, Draw(outlook.seed, 0))
    day.customers.start()
    fates = [np.stack([seen[which].fates for seen in pairs]) for which in (0, course)]
    waits = [np.stack([seen[which].waits_ms for seen in pairs]) for which in (0, course)]
    found = []
    for place, call in enumerate(day.present):
        if call.phase != phases.WAITING or call.answered:
            continue
        gone = [float((fate[:, place] == 2).mean()) for fate in fates]
        wait_s = [float(wait[:, place].mean()) / 1000 for wait in waits]
        gaps = abs(gone[1] - gone[0]), abs(wait_s[1] - wait_s[0])
        weight = gaps[0] + gaps[1] / 3_600
        if gaps[0] >= _TOLD_SHARE or gaps[1] >= _TOLD_WAIT_S:
            contact = Present(
                contact_id=call.id,
                demand=call.source.name,
                waited_s=(start.now_ms - call.wait_ms) / 1000,
                gives_up_without=gone[0],
                gives_up_with=gone[1],
                wait_s_without=wait_s[0],
                wait_s_with=wait_s[1],
            )
            found.append((weight, contact))
    found.sort(key=lambda one: (-one[0], one[1].contact_id))
    return tuple(contact for _, contact in found[:_TOLD_CONTACTS])


def foretell(
    outlook: Outlook,
    facts: FloorFacts,
    *,
    pairs_max: int = 200,
    within_points: float = 1.0,
    workers: int = 1,
) -> ForecastNow:
    """Play as many pairs as the answer needs, and say it.

    Pairs are played until the differences of service level are known to `within_points`
    (percentage points either way), at most `pairs_max`; 0 points: all of them.
    """
    assert facts.center is not None, "an outlook has a centre"
    pairs = play_until(
        outlook, pairs_max, within_points / 100, lambda found: width(outlook, found), workers
    )
    draws = Draws(outlook, pairs)
    alone = answer_of(draws, pairs, 0)
    courses = tuple(answer_of(draws, pairs, course) for course in range(1, len(outlook.courses)))
    known = [contact.state for contact in facts.contacts]
    return ForecastNow(
        sentence=_first(alone, courses),
        center=facts.center.name,
        config_hash=config_hash(facts.center),
        at_ms=facts.now_ms,
        seq=facts.seq,
        horizon_min=outlook.start.horizon_ms / _MINUTE_MS,
        pairs=len(pairs),
        pairs_max=pairs_max,
        within_points=within_points,
        sharp=width(outlook, pairs) <= within_points / 100,
        seed=outlook.seed,
        waiting=sum(state in (states.WAITING, states.OFFERED) for state in known),
        in_hand=sum(
            state in (states.CONNECTING, states.HANDLING, states.WRAP_UP) for state in known
        ),
        signed_in=sum(agent.state in (states.READY, states.AWAY) for agent in facts.agents),
        busyness={name: one.mean for name, one in outlook.start.posteriors.items()},
        definition=draws.level.replace("_", " "),
        within_s={
            source.name: source.within_ms / 1000 for source in outlook.courses[0].prepared.sources
        },
        alone=alone,
        courses=courses,
    )


def _first(alone: CourseAnswer, courses: tuple[CourseAnswer, ...]) -> str:
    """Return the sentence that answers: of several changes, the one that helps most."""
    if not courses:
        return alone.sentence

    def gain(course: CourseAnswer) -> float:
        level = course.whole.get(LEVEL)
        return -math.inf if level is None else level.difference

    return max(courses, key=gain).sentence
