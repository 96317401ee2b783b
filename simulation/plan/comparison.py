"""Compare two studies of the same days: paired differences, so that only the change shows."""

from __future__ import annotations

from typing import Final

import numpy as np

from simulation.phrases import Phrase
from simulation.plan import estimates as est
from simulation.plan.answers import ComparedRow, Comparison, figure, figure_of
from simulation.plan.costs import costs_of, has_costs
from simulation.plan.estimates import Ratio, View, view
from simulation.plan.replications import Study
from simulation.plan.results import judged_demands
from simulation.plan.tallies import Count, Staffed

_HOUR_MS: Final = 3_600_000


def compare_studies(before: Study, after: Study) -> Comparison:
    """Return the paired differences of two studies of the same seed and days.

    Raises ValueError when they were not played on the same days.
    """
    if before.seed != after.seed:
        raise ValueError("studies of different seeds met different customers")
    names = [name for name in judged_demands(before.scenario) if name in after.demands]
    ours, theirs = view(before, names or None), view(after, judged_demands(after.scenario))
    pairs: list[tuple[str, str, Ratio, Ratio]] = [
        ("service level", "%", est.service_level(ours), est.service_level(theirs)),
        ("abandonment", "%", est.abandonment(ours), est.abandonment(theirs)),
        ("speed of answer", "s", est.speed_of_answer_s(ours), est.speed_of_answer_s(theirs)),
        ("occupancy", "%", _occupancy(before), _occupancy(after)),
        ("contacts answered", "a day", _per_day(before, Count.ANSWERED),
         _per_day(after, Count.ANSWERED)),
        ("time after shift", "h a day", _after_shift(before), _after_shift(after)),
    ]  # fmt: skip
    if has_costs(before.scenario.costs) or has_costs(after.scenario.costs):
        unit = Phrase("{currency} a day", currency=after.scenario.costs.currency)
        pairs.append(("cost", unit, _cost(before), _cost(after)))
    rows = tuple(_compared(*pair) for pair in pairs)
    return Comparison(
        before=before.scenario.name,
        after=after.scenario.name,
        days=before.days,
        seed=before.seed,
        sentence=_compared_sentence(before, after, rows[0]),
        rows=rows,
    )


def _compared(measure: str, unit: str, before: Ratio, after: Ratio) -> ComparedRow:
    change = figure_of(est.difference(before, after))
    sure = change.low is not None and change.high is not None and not change.low <= 0 <= change.high
    return ComparedRow(measure, unit, figure(before), figure(after), change, sure)


def _compared_sentence(before: Study, after: Study, row: ComparedRow) -> str:
    names = Phrase(
        '"{after}" against "{before}"', after=after.scenario.name, before=before.scenario.name
    )
    change = row.change
    if change.value is None:
        return Phrase("{names}: nothing to compare.", names=names)
    if change.value == 0 and change.known and change.half_width == 0:
        return Phrase(
            "{names}: the service level is exactly the same on all {days} days.",
            names=names, days=before.days,
        )  # fmt: skip
    if not change.known:
        return Phrase(
            "{names}: the service level changes by {points:+.2f} points; too few days to say how "
            "sure.",
            names=names, points=100 * change.value,
        )  # fmt: skip
    ways = {
        (True, True): Phrase("surely better"),
        (True, False): Phrase("surely worse"),
        (False, True): Phrase("not surely better"),
        (False, False): Phrase("not surely worse"),
    }
    return Phrase(
        "{names}: the service level changes by {points:+.2f} ± {reach:.2f} points, {way}.",
        names=names, points=100 * change.value, reach=100 * change.half_width,
        way=ways[row.sure, change.value > 0],
    )  # fmt: skip


def _occupancy(study: Study) -> Ratio:
    sums = study.staffed.sum(axis=(1, 2)).astype(float)
    return view(study).over(sums[:, Staffed.BUSY], sums[:, Staffed.SIGNED_IN])


def _per_day(study: Study, what: Count) -> Ratio:
    whole: View = view(study)
    return whole.per_day(whole.count(what))


def _after_shift(study: Study) -> Ratio:
    hours = study.staffed[:, :, :, Staffed.AFTER].sum(axis=(1, 2)) / _HOUR_MS
    return view(study).per_day(np.asarray(hours, dtype=np.float64))


def _cost(study: Study) -> Ratio:
    return view(study).per_day(costs_of(study).total)
