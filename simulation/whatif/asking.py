"""Replay a recording many times with a change, and say what the replays say together.

Each replay is one imputation: it draws what the recording does not show. For a figure Q with the
values Q_1 ... Q_M, W the mean of their variances within a replay (over contacts, by the delta
method) and B the variance between them, the variance of the mean is W + (1 + 1/M) B, with
(M - 1) (1 + W / ((1 + 1/M) B))^2 degrees of freedom (Rubin 1987, ch. 3). W speaks for days like
the recorded one; of that very day only B is uncertain, and `of_that_day` gives its half width.

Differences are paired, contact by contact. With recorded acceptances they are taken from the
recording itself; with drawn ones from a replay of the same lots without the change.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simulation.whatif.altering import Alteration
from simulation.whatif.laws import Drawn, Laws
from simulation.whatif.outcomes import Outcome, Outcomes
from simulation.whatif.recording import Recording
from simulation.whatif.replaying import Replay

Floats = NDArray[np.float64]

_CONFIDENCE: Final = 0.95
_INTERVAL_MS: Final = 1_800_000
_TOLD_CONTACTS: Final = 20


class NotRepeatedError(Exception):
    """A recording that the core, under its own rules, does not repeat: says where."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A measure: as it happened, as it would have been, the difference and half its interval.

    Shares lie in [0, 1], waits are seconds. None: nothing to divide by. `of_that_day` is the half
    width for that very day, without what makes other days like it differ.
    """

    happened: float | None
    would_be: float | None
    difference: float | None
    half_width: float | None
    of_that_day: float | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One queue in one interval, or all of either (queue "", `from_ms` -1)."""

    queue: str
    from_ms: int
    offered: Compared
    service_level: Compared
    abandoned: Compared
    wait_s: Compared


@dataclass(frozen=True, kw_only=True)
class ChangedContact:
    """A contact whose fate changes: as it happened, and the mean over the replays."""

    contact_id: str
    queue: str
    arrived_ms: int
    happened: str
    happened_wait_s: float
    answered_share: float
    abandoned_share: float
    wait_s: float


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a what-if says. `same_digest`: without a change the core repeats the recording."""

    change: str
    acceptances: str
    imputations: int
    seed: int
    entries: int
    contacts: int
    digest: str
    same_digest: bool
    sentence: str
    rows: tuple[Row, ...]
    promises: dict[str, tuple[int, float]]
    contacts_changed: tuple[ChangedContact, ...]
    changed: float
    notes: tuple[str, ...] = ()
    interval_ms: int = _INTERVAL_MS
    first_ms: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """The outcomes of one replay, and its breaches by promise."""

    contacts: dict[str, Outcome]
    breached: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Question:
    """A recording with a change, and how it is asked: all that a process needs."""

    recording: Recording
    laws: Laws
    alteration: Alteration
    seed: int
    keeps_acceptances: bool = True
    interval_ms: int = _INTERVAL_MS

    def play(self, alteration: Alteration, imputation: int) -> Told:
        """Play one imputation of an alteration."""
        lots = Drawn(self.laws, self.seed, imputation, keeps_acceptances=self.keeps_acceptances)
        outcomes = Outcomes()
        replay = Replay(
            self.recording,
            lots,
            center=alteration.altered,
            more=alteration.events(self.recording, lots),
            drop=lambda said: alteration.drops(said, lots),
            hear=outcomes.fold,
        )
        replay.run()
        return Told(outcomes.finish(self.recording.end_ms), outcomes.breached)


def is_repeated(recording: Recording, laws: Laws) -> bool:
    """Say whether a replay without a change gives the recorded digest."""
    replay = Replay(recording, Drawn(laws, 0, 0), keeps_digest=True)
    replay.run()
    return replay.digest.hexdigest() == recording.digest.hexdigest()


# --- many replays -------------------------------------------------------------------------

_question: Question | None = None


def _take(body: bytes) -> None:
    global _question  # noqa: PLW0603 - one question a process, sent once and not with each task
    _question = pickle.loads(body)  # noqa: S301 - made by this very module


def _play_pair(imputation: int) -> tuple[Told, Told | None]:
    assert _question is not None, "a process is given its question first"
    return play_pair(_question, imputation)


def play_pair(question: Question, imputation: int) -> tuple[Told, Told | None]:
    """Play an imputation with the change and, where acceptances are drawn, without it."""
    after = question.play(question.alteration, imputation)
    before = None
    if not question.keeps_acceptances:
        before = question.play(Alteration(), imputation)
    return after, before


def play_all(
    question: Question, imputations: int, workers: int
) -> Iterator[tuple[Told, Told | None]]:
    """Yield all imputations in order, on some processes."""
    if workers <= 1 or imputations == 1:
        for number in range(imputations):
            yield play_pair(question, number)
        return
    body = pickle.dumps(question, protocol=5)
    context = get_context("forkserver")
    with ProcessPoolExecutor(workers, context, _take, (body,)) as pool:
        yield from pool.map(_play_pair, range(imputations))


def ask(question: Question, happened: Outcomes, imputations: int = 20, workers: int = 1) -> Answer:
    """Replay with the change and lay the outcomes beside what happened.

    Raises `NotRepeatedError` when the core does not repeat the recording under its own rules.
    """
    recording = question.recording
    if not is_repeated(recording, question.laws):
        raise NotRepeatedError(
            "the recording is not repeated by this version of the core under its own rules; run "
            "`switchroom replay` on it: it says at which seq the decisions part"
        )
    seen = Told(happened.finish(recording.end_ms), happened.breached)
    pairs = [(after, before or seen) for after, before in play_all(question, imputations, workers)]
    rows = _rows(seen, pairs, recording.first_ms, question.interval_ms)
    changed, told = _changed(seen, pairs)
    breached = {
        name: (
            seen.breached.get(name, 0),
            sum(after.breached.get(name, 0) for after, _ in pairs) / len(pairs),
        )
        for name in sorted(
            {*seen.breached, *(name for after, _ in pairs for name in after.breached)}
        )
    }
    return Answer(
        change=question.alteration.told or "no change",
        acceptances="recorded" if question.keeps_acceptances else "drawn",
        imputations=imputations,
        seed=question.seed,
        entries=recording.entries,
        contacts=len(seen.contacts),
        digest=recording.digest.hexdigest(),
        same_digest=True,
        sentence=_sentence(question.alteration.told, rows[0], changed),
        rows=rows,
        promises=breached,
        contacts_changed=told,
        changed=changed,
        interval_ms=question.interval_ms,
        first_ms=recording.first_ms,
    )


# --- rows ---------------------------------------------------------------------------------


def _rows(
    seen: Told, pairs: list[tuple[Told, Told]], first_ms: int, interval_ms: int
) -> tuple[Row, ...]:
    start_ms = first_ms - first_ms % interval_ms
    keys: dict[tuple[str, int], None] = {("", -1): None}
    for outcome in sorted(seen.contacts.values(), key=lambda one: one.arrived_ms):
        if outcome.queue:
            from_ms = start_ms + (outcome.arrived_ms - start_ms) // interval_ms * interval_ms
            keys[outcome.queue, -1] = None
            keys["", from_ms] = None
            keys[outcome.queue, from_ms] = None

    def cell_of(outcome: Outcome) -> tuple[tuple[str, int], ...]:
        from_ms = start_ms + (outcome.arrived_ms - start_ms) // interval_ms * interval_ms
        queue = outcome.queue
        return ("", -1), (queue, -1), ("", from_ms), (queue, from_ms)

    def sort(told: Told) -> dict[tuple[str, int], dict[str, Outcome]]:
        cells: dict[tuple[str, int], dict[str, Outcome]] = {key: {} for key in keys}
        for outcome in told.contacts.values():
            if outcome.queue:
                for key in cell_of(outcome):
                    if key in cells:
                        cells[key][outcome.contact_id] = outcome
        return cells

    before_all = sort(seen)
    sorted_pairs = [(sort(after), before_all if b is seen else sort(b)) for after, b in pairs]
    rows = []
    for key in sorted(keys, key=lambda one: (one[1] >= 0, one[0] != "", one)):
        mine = [(after[key], before[key]) for after, before in sorted_pairs]
        rows.append(
            Row(
                queue=key[0],
                from_ms=key[1],
                offered=_compare(before_all[key], mine, lambda _: 1.0, None),
                service_level=_compare(before_all[key], mine, _in_time, _counted),
                abandoned=_compare(before_all[key], mine, _abandoned, None),
                wait_s=_compare(before_all[key], mine, _wait_s, _answered),
            )
        )
    return tuple(rows)


def _in_time(outcome: Outcome) -> float:
    return float(outcome.in_time)


def _counted(outcome: Outcome) -> float:
    return float(outcome.counted)


def _abandoned(outcome: Outcome) -> float:
    return float(outcome.abandoned)


def _answered(outcome: Outcome) -> float:
    return float(outcome.answered)


def _wait_s(outcome: Outcome) -> float:
    return outcome.wait_ms / 1000 if outcome.answered else 0.0


_Part = Callable[[Outcome], float]


def _figure(cell: Iterable[Outcome], part: _Part, whole: _Part | None) -> float | None:
    """Return a sum, or a ratio of sums; None where there is nothing to divide by."""
    outcomes = list(cell)
    upper = math.fsum(part(outcome) for outcome in outcomes)
    if whole is None:
        return upper
    lower = math.fsum(whole(outcome) for outcome in outcomes)
    return upper / lower if lower else None


def _compare(
    happened: dict[str, Outcome],
    pairs: list[tuple[dict[str, Outcome], dict[str, Outcome]]],
    part: _Part,
    whole: _Part | None,
) -> Compared:
    seen = _figure(happened.values(), part, whole)
    values: list[float] = []
    shifts: list[float] = []
    within: list[float] = []
    for after, before in pairs:
        new, old = _figure(after.values(), part, whole), _figure(before.values(), part, whole)
        if new is not None:
            values.append(new)
        if new is not None and old is not None:
            shifts.append(new - old)
            within.append(_within(after, before, part, whole, new, old))
    would_be = math.fsum(values) / len(values) if values else None
    if not shifts:
        return Compared(
            happened=seen, would_be=would_be, difference=None, half_width=None, of_that_day=None
        )
    difference = math.fsum(shifts) / len(shifts)
    wide, narrow = _half_widths(np.array(shifts), math.fsum(within) / len(within))
    return Compared(
        happened=seen,
        would_be=would_be,
        difference=difference,
        half_width=wide,
        of_that_day=narrow,
    )


def _within(
    after: dict[str, Outcome],
    before: dict[str, Outcome],
    part: _Part,
    whole: _Part | None,
    new: float,
    old: float,
) -> float:
    """Return the variance of a paired difference over contacts (delta method for ratios)."""
    weights = [1.0, 1.0]
    if whole is not None:
        for side, cell in enumerate((after, before)):
            weights[side] = math.fsum(whole(outcome) for outcome in cell.values())

    def residual(outcome: Outcome | None, value: float, weight: float) -> float:
        if outcome is None:
            return 0.0
        if whole is None:
            return part(outcome)
        return (part(outcome) - value * whole(outcome)) / weight

    total = 0.0
    for name in {**after, **before}:
        gap = residual(after.get(name), new, weights[0]) - residual(
            before.get(name), old, weights[1]
        )
        total += gap * gap
    return total


def _half_widths(shifts: Floats, within: float) -> tuple[float, float]:
    """Return half the 95 % interval: for days like this, and for this very day."""
    count = len(shifts)
    between = float(shifts.var(ddof=1)) * (1 + 1 / count) if count > 1 else 0.0
    total = within + between
    if total <= 0:
        return 0.0, 0.0
    freedom = (count - 1) * (1 + within / between) ** 2 if between > 0 else 1e9
    share = (1 + _CONFIDENCE) / 2
    wide = float(special.stdtrit(min(freedom, 1e9), share)) * math.sqrt(total)
    narrow = float(special.stdtrit(max(count - 1, 1), share)) * math.sqrt(between)
    return wide, narrow


# --- contacts -----------------------------------------------------------------------------


def _changed(
    seen: Told, pairs: list[tuple[Told, Told]]
) -> tuple[float, tuple[ChangedContact, ...]]:
    """Return how many contacts end otherwise, on average, and those that change most."""
    ends_otherwise = 0
    found: list[tuple[float, ChangedContact]] = []
    for name, outcome in seen.contacts.items():
        fates = [after.contacts[name] for after, _ in pairs if name in after.contacts]
        if not fates or not outcome.queue:
            continue
        otherwise = sum(fate.ending != outcome.ending for fate in fates)
        ends_otherwise += otherwise
        wait_ms = sum(fate.wait_ms for fate in fates) / len(fates)
        gap_ms = sum(abs(fate.wait_ms - outcome.wait_ms) for fate in fates) / len(fates)
        if not otherwise and not gap_ms:
            continue
        weight = 3_600_000 * otherwise / len(fates) + gap_ms
        found.append(
            (
                weight,
                ChangedContact(
                    contact_id=name,
                    queue=outcome.queue,
                    arrived_ms=outcome.arrived_ms,
                    happened=outcome.ending,
                    happened_wait_s=outcome.wait_ms / 1000,
                    answered_share=sum(fate.answered for fate in fates) / len(fates),
                    abandoned_share=sum(fate.abandoned for fate in fates) / len(fates),
                    wait_s=wait_ms / 1000,
                ),
            )
        )
    found.sort(key=lambda one: (-one[0], one[1].contact_id))
    return ends_otherwise / len(pairs), tuple(contact for _, contact in found[:_TOLD_CONTACTS])


def _sentence(told: str, whole: Row, changed: float) -> str:
    level, gone = whole.service_level, whole.abandoned
    moved = [level.difference or 0.0, gone.difference or 0.0, changed]
    if not any(moved):
        return f"With {told or 'no change'}, nothing would have been different."
    assert gone.happened is not None, "counts are always there"
    assert gone.would_be is not None, "counts are always there"
    text = (
        f"With {told or 'no change'}, {gone.would_be:.1f} contacts would have given up instead of "
        f"{gone.happened:.0f} ({_signed(gone, 1.0, 1)})"
    )
    if level.happened is not None and level.would_be is not None:
        text += (
            f", and {level.would_be:.1%} instead of {level.happened:.1%} would have been answered "
            f"in time ({_signed(level, 100.0, 1)} points)"
        )
    return f"{text}."


def _signed(compared: Compared, unit: float, digits: int) -> str:
    if compared.difference is None or compared.half_width is None:
        return "not known"
    return f"{compared.difference * unit:+.{digits}f} ± {compared.half_width * unit:.{digits}f}"
