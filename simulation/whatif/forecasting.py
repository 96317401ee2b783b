"""Play the next hours many times, without and with changes, on the same lots, and say what differs.

Every pair meets the same customers: those who are here have the same rest, those who come the same
patience and work. So the difference of a pair is the change, and its interval is narrow long
before that of either alone. Up to the moment of the change pairs are identical.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simulation.plan.customers import Phase
from simulation.plan.prepared import Prepared
from simulation.whatif.onward import OnwardDay, Start, Turn

Floats = NDArray[np.float64]

_CONFIDENCE: Final = 0.95
_TOLD_CONTACTS: Final = 20
MEASURES: Final = ("answered", "answered in time", "gave up", "waiting")
ANSWERED, IN_TIME, GAVE_UP, WAITING = range(len(MEASURES))


@dataclass(frozen=True, kw_only=True)
class Course:
    """One way the next hours may go: its name, what changes, and the scenario it is played on."""

    name: str
    turn: Turn
    prepared: Prepared


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """Where a forecast begins, and the courses it may take; the first is to change nothing."""

    start: Start
    courses: tuple[Course, ...]
    seed: int
    slice_ms: int

    @property
    def slices(self) -> int:
        """Return the number of slices of the horizon."""
        return -(-self.start.horizon_ms // self.slice_ms)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one draw of one course gave.

    `counts[slice, measure]`: by when it happened; WAITING at the slice's end. `demands` the same
    by demand over the whole horizon. `fates`: of each contact that is here now, whether it is
    answered (1), gone (2) or waits (0), and after how long; -1: it is not waiting now.
    """

    counts: Floats
    demands: Floats
    queue_ms: float
    in_system: int
    fates: NDArray[np.int64]
    waits_ms: NDArray[np.int64]


def play(outlook: Outlook, course: Course, replication: int) -> Seen:
    """Play one draw of a course."""
    start = outlook.start
    day = OnwardDay(course.prepared, start, course.turn, outlook.seed, replication)
    day.play()
    counts = np.zeros((outlook.slices, len(MEASURES)))
    demands = np.zeros((len(course.prepared.sources), len(MEASURES)))
    here = {call.id: place for place, call in enumerate(day.present)}
    fates = np.full(len(here), -1)
    waits_ms = np.zeros(len(here), dtype=np.int64)
    queue_ms = 0.0
    since: list[tuple[int, int]] = []
    for exit_ in day.left:
        place = min((exit_.at_ms - start.now_ms) // outlook.slice_ms, outlook.slices - 1)
        what = ANSWERED if exit_.answered else GAVE_UP
        if exit_.answered or exit_.gave_up:
            for row in (counts[place], demands[exit_.call.source.index]):
                row[what] += 1
                if exit_.answered and exit_.wait_ms <= exit_.call.source.within_ms:
                    row[IN_TIME] += 1
        since.append((exit_.at_ms - exit_.wait_ms, exit_.at_ms))
        if exit_.call.id in here:
            fates[here[exit_.call.id]] = 1 if exit_.answered else 2
            waits_ms[here[exit_.call.id]] = exit_.wait_ms
    for call in day.customers.calls.values():
        if call.phase is Phase.WAITING and not call.answered:
            since.append((call.wait_ms, start.end_ms + 1))
            demands[call.source.index][WAITING] += 1
            if call.id in here:
                fates[here[call.id]] = 0
                waits_ms[here[call.id]] = start.end_ms - call.wait_ms
    for from_ms, to_ms in since:
        queue_ms += max(0, min(to_ms, start.end_ms) - max(from_ms, start.now_ms))
        first = max(-(-(from_ms - start.now_ms) // outlook.slice_ms), 1)
        last = (to_ms - 1 - start.now_ms) // outlook.slice_ms
        for edge in range(first, min(last, outlook.slices) + 1):
            counts[edge - 1][WAITING] += 1
    in_system = sum(
        call.phase in (Phase.WAITING, Phase.SERVED) for call in day.customers.calls.values()
    )
    return Seen(counts, demands, queue_ms, in_system, fates, waits_ms)


def play_pair(outlook: Outlook, replication: int) -> list[Seen]:
    """Play one draw of every course."""
    return [play(outlook, course, replication) for course in outlook.courses]


_outlook: Outlook | None = None


def _take(body: bytes) -> None:
    global _outlook  # noqa: PLW0603 - one outlook a process, sent once and not with each task
    _outlook = pickle.loads(body)  # noqa: S301 - made by this very module


def _play_many(replications: range) -> list[list[Seen]]:
    assert _outlook is not None, "a process is given its outlook first"
    return [play_pair(_outlook, replication) for replication in replications]


def play_pairs(outlook: Outlook, pairs: int, workers: int = 1) -> Iterator[list[Seen]]:
    """Yield every pair in order, the same for any number of processes."""
    if workers <= 1:
        for replication in range(pairs):
            yield play_pair(outlook, replication)
        return
    size = max(1, math.ceil(pairs / (4 * workers)))
    tasks = [range(first, min(first + size, pairs)) for first in range(0, pairs, size)]
    body = pickle.dumps(outlook, protocol=5)
    with ProcessPoolExecutor(workers, get_context("forkserver"), _take, (body,)) as pool:
        for found in pool.map(_play_many, tasks):
            yield from found


# --- what they say --------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Paired:
    """A mean without and with a change, their paired difference, and half its 95 % interval."""

    without: float
    within: float
    difference: float
    half_width: float
    error: float


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A part of the horizon, from minutes after now; the measures of `MEASURES`."""

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
    """What a change would do, against doing nothing."""

    name: str
    sentence: str
    whole: dict[str, Paired]
    slices: tuple[Slice, ...]
    demands: dict[str, dict[str, Paired]]
    contacts: tuple[Present, ...]


@dataclass(frozen=True, kw_only=True)
class ForecastNow:
    """A forecast from a live state.

    `busyness`: by demand, how busy the day is expected to be. `alone`: nothing changed.
    """

    center: str
    at_ms: int
    seq: int
    horizon_min: float
    pairs: int
    seed: int
    waiting: int
    in_hand: int
    signed_in: int
    busyness: dict[str, float]
    alone: CourseAnswer
    courses: tuple[CourseAnswer, ...]


def paired(without: Floats, within: Floats) -> Paired:
    """Return the means, their paired difference and its interval (Student's t)."""
    gaps = within - without
    count = len(gaps)
    error = float(gaps.std(ddof=1)) / math.sqrt(count) if count > 1 else math.inf
    reach = float(special.stdtrit(max(count - 1, 1), (1 + _CONFIDENCE) / 2)) * error
    return Paired(
        without=float(without.mean()),
        within=float(within.mean()),
        difference=float(gaps.mean()),
        half_width=reach if math.isfinite(reach) else 0.0,
        error=error if math.isfinite(error) else 0.0,
    )


def paired_ratio(parts: tuple[Floats, Floats], wholes: tuple[Floats, Floats]) -> Paired | None:
    """Return ratios of expectations and their paired difference (delta method)."""
    if min(float(wholes[0].sum()), float(wholes[1].sum())) <= 0:
        return None
    values = [float(part.sum() / whole.sum()) for part, whole in zip(parts, wholes, strict=True)]
    residuals = [
        value + (part - value * whole) / whole.mean()
        for value, part, whole in zip(values, parts, wholes, strict=True)
    ]
    return paired(residuals[0], residuals[1])


def _measures(pairs: list[list[Seen]], course: int, of: slice | int | None) -> dict[str, Paired]:
    """Return all measures of a course, of one slice (or demand: `of` an index) or of the whole."""

    def column(which: int, measure: int) -> Floats:
        if of is None:
            rows = [seen[which].counts[:, measure] for seen in pairs]
            if measure == WAITING:
                return np.array([row[-1] for row in rows])
            return np.array([row.sum() for row in rows])
        if isinstance(of, slice):
            return np.array([seen[which].counts[of.start, measure] for seen in pairs])
        return np.array([seen[which].demands[of, measure] for seen in pairs])

    found = {
        name: paired(column(0, measure), column(course, measure))
        for measure, name in enumerate(MEASURES)
        if measure != IN_TIME
    }
    parts = (column(0, IN_TIME), column(course, IN_TIME))
    wholes = tuple(column(which, ANSWERED) + column(which, GAVE_UP) for which in (0, course))
    level = paired_ratio(parts, (wholes[0], wholes[1]))
    if level is not None:
        found["service level"] = level
    return found


def answer_of(outlook: Outlook, pairs: list[list[Seen]], course: int) -> CourseAnswer:
    """Return what a course says against the first."""
    whole = _measures(pairs, course, None)
    gone = whole["gave up"]
    name = outlook.courses[course].name
    level = whole.get("service level")
    sentence = (
        f"With {name}, {gone.within:.1f} contacts give up in the next "
        f"{outlook.start.horizon_ms / 60_000:g} minutes instead of {gone.without:.1f} "
        f"({gone.difference:+.1f} ± {gone.half_width:.1f})"
    )
    if level is not None:
        sentence += (
            f", and {level.within:.1%} instead of {level.without:.1%} are answered in time "
            f"({100 * level.difference:+.1f} ± {100 * level.half_width:.1f} points)"
        )
    sources = outlook.courses[0].prepared.sources
    return CourseAnswer(
        name=name,
        sentence=f"{sentence}.",
        whole=whole,
        slices=tuple(
            Slice(
                from_min=number * outlook.slice_ms / 60_000,
                measures=_measures(pairs, course, slice(number, number + 1)),
            )
            for number in range(outlook.slices)
        ),
        demands={source.name: _measures(pairs, course, source.index) for source in sources},
        contacts=_contacts(outlook, pairs, course),
    )


def _contacts(outlook: Outlook, pairs: list[list[Seen]], course: int) -> tuple[Present, ...]:
    """Return the contacts waiting now whose fate the change touches most."""
    start = outlook.start
    day = OnwardDay(outlook.courses[0].prepared, start, outlook.courses[0].turn, outlook.seed, 0)
    day.customers.start()
    fates = [np.stack([seen[which].fates for seen in pairs]) for which in (0, course)]
    waits = [np.stack([seen[which].waits_ms for seen in pairs]) for which in (0, course)]
    found = []
    for place, call in enumerate(day.present):
        if call.phase is not Phase.WAITING or call.answered:
            continue
        gone = [float((fate[:, place] == 2).mean()) for fate in fates]
        wait_s = [float(wait[:, place].mean()) / 1000 for wait in waits]
        weight = abs(gone[1] - gone[0]) + abs(wait_s[1] - wait_s[0]) / 3_600
        if weight > 0:
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
