"""Lay replays beside what happened: rows by queue and interval, contacts, and how sure it is.

For a figure Q with the values Q_1 ... Q_M of M replays, W the mean of their variances within a
replay (over contacts, by the delta method) and B the variance between them, the variance of the
mean is W + (1 + 1/M) B, with (M - 1) (1 + W / ((1 + 1/M) B))^2 degrees of freedom (Rubin 1987,
ch. 3). W speaks for days like the recorded one; of that very day only B is uncertain, and
`of_that_day` gives its half width. Differences are paired, contact by contact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simulation.whatif.outcomes import Outcome

Floats = NDArray[np.float64]

_CONFIDENCE: Final = 0.95
_TOLD_CONTACTS: Final = 20


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A measure: as it happened, as it would have been, the difference and half its interval.

    Shares lie in [0, 1], waits are seconds. None: nothing to divide by. `of_that_day` is the half
    width for that very day, without what makes other days like it differ. `without` is what the
    difference is taken from: what happened, or the mean of the replays without the change.
    """

    happened: float | None
    would_be: float | None
    difference: float | None
    half_width: float | None
    of_that_day: float | None
    without: float | None = None


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


@dataclass(frozen=True, slots=True)
class Told:
    """The outcomes of one replay, and its breaches by promise."""

    contacts: dict[str, Outcome]
    breached: dict[str, int]


def rows_of(
    seen: Told, pairs: list[tuple[Told, Told]], first_ms: int, interval_ms: int
) -> tuple[Row, ...]:
    """Return the whole, each queue, each interval, and each queue in each interval."""
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
    olds: list[float] = []
    shifts: list[float] = []
    within: list[float] = []
    for after, before in pairs:
        new, old = _figure(after.values(), part, whole), _figure(before.values(), part, whole)
        if new is not None:
            values.append(new)
        if old is not None:
            olds.append(old)
        if new is not None and old is not None:
            shifts.append(new - old)
            within.append(_within(after, before, part, whole, new, old))
    would_be = math.fsum(values) / len(values) if values else None
    without = math.fsum(olds) / len(olds) if olds else None
    if not shifts:
        return Compared(
            happened=seen, would_be=would_be, difference=None, half_width=None, of_that_day=None,
            without=without,
        )  # fmt: skip
    difference = math.fsum(shifts) / len(shifts)
    wide, narrow = _half_widths(np.array(shifts), math.fsum(within) / len(within))
    return Compared(
        happened=seen,
        would_be=would_be,
        difference=difference,
        half_width=wide,
        of_that_day=narrow,
        without=without,
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


def changed_contacts(
    seen: Told, pairs: list[tuple[Told, Told]]
) -> tuple[float, tuple[ChangedContact, ...]]:
    """Return how many contacts end otherwise, on average, and those that change most."""
    ends_otherwise = 0
    found: list[tuple[float, ChangedContact]] = []
    for name, outcome in seen.contacts.items():
        fates = [
            (after.contacts[name], before.contacts[name])
            for after, before in pairs
            if name in after.contacts and name in before.contacts
        ]
        if not fates or not outcome.queue:
            continue
        otherwise = sum(after.ending != before.ending for after, before in fates)
        ends_otherwise += otherwise
        wait_ms = sum(after.wait_ms for after, _ in fates) / len(fates)
        gap_ms = sum(abs(after.wait_ms - before.wait_ms) for after, before in fates) / len(fates)
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
                    answered_share=sum(after.answered for after, _ in fates) / len(fates),
                    abandoned_share=sum(after.abandoned for after, _ in fates) / len(fates),
                    wait_s=wait_ms / 1000,
                ),
            )
        )
    found.sort(key=lambda one: (-one[0], one[1].contact_id))
    return ends_otherwise / len(pairs), tuple(contact for _, contact in found[:_TOLD_CONTACTS])


def reproduced_in(seen: Told, pairs: list[tuple[Told, Told]]) -> dict[str, tuple[float, float]]:
    """Return what happened beside the mean of the replays without the change.

    The shares that gave up and that waited, and the mean wait of all in seconds.
    """

    def figures(told: Told) -> tuple[float, float, float]:
        outcomes = [outcome for outcome in told.contacts.values() if outcome.queue]
        count = max(1, len(outcomes))
        return (
            sum(outcome.abandoned for outcome in outcomes) / count,
            sum(outcome.wait_ms > 0 for outcome in outcomes) / count,
            sum(outcome.wait_ms for outcome in outcomes) / count / 1000,
        )

    happened = figures(seen)
    replayed = [figures(before) for _, before in pairs]
    means = [math.fsum(values) / len(values) for values in zip(*replayed, strict=True)]
    return dict(
        zip(("gave up", "waited", "wait s"), zip(happened, means, strict=True), strict=True)
    )
