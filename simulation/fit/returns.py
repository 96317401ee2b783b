"""Estimate who calls again: after giving up (redials), after being served (repeat contacts).

A customer is known by his token. Who has not called by the end of the record may still do so:
shares come from a Kaplan-Meier curve of the delay. Customers also call again for other reasons,
which the share after *served* contacts shows; it stands beside that after abandoned ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulation.fit.durations import DurationFit, fit_durations
from simulation.fit.figures import Array, Figure, Flags
from simulation.fit.history import Ending, Visit
from simulation.fit.survival import Curve, kaplan_meier

WITHIN_S: Final = (600.0, 3_600.0, 43_200.0)
REDIAL_WINDOW_S: Final = 3_600.0
REPEAT_WINDOW_S: Final = 86_400.0


@dataclass(frozen=True, kw_only=True)
class ReturnFit:
    """Who came back: the share within some times, within the window, and after how long.

    `by_chance` is the share of other customers within the window (of the served, for redials).
    """

    asked: int
    window_s: float
    share: Figure
    by_chance: Figure
    within: dict[float, Figure]
    delay: DurationFit


def fit_redials(
    visits: Iterable[Visit], end_ms: int, window_s: float = REDIAL_WINDOW_S
) -> ReturnFit | None:
    """Fit redials of known customers who gave up; None when there are none such."""
    delays = _delays(visits, end_ms, same_category=False)
    return _fit(delays[Ending.ABANDONED], delays[Ending.ANSWERED], window_s)


def fit_repeats(
    visits: Iterable[Visit], end_ms: int, window_s: float = REPEAT_WINDOW_S
) -> ReturnFit | None:
    """Fit contacts of the same customer in the same category after he was served."""
    return _fit(_delays(visits, end_ms, same_category=True)[Ending.ANSWERED], None, window_s)


def _fit(
    delays: tuple[Array, Flags], others: tuple[Array, Flags] | None, window_s: float
) -> ReturnFit | None:
    times, came = delays
    if not len(times):
        return None
    curve = kaplan_meier(times, came)
    chance = Figure(math.nan)
    if others is not None and len(others[0]):
        chance = _come_by(kaplan_meier(*others), window_s)
    return ReturnFit(
        asked=len(times),
        window_s=window_s,
        share=_come_by(curve, window_s),
        by_chance=chance,
        within={time: _come_by(curve, time) for time in WITHIN_S},
        delay=fit_durations(times[came & (times <= window_s)], short_below_s=0.0),
    )


def _come_by(curve: Curve, time_s: float) -> Figure:
    place = int(np.searchsorted(curve.times_s, time_s, side="right"))
    if place == 0:
        return Figure(0.0, 0.0)
    left = float(curve.survival[place - 1])
    return Figure(1 - left, left * math.sqrt(float(curve.log_variance[place - 1])))


def _delays(
    visits: Iterable[Visit], end_ms: int, *, same_category: bool
) -> dict[Ending, tuple[Array, Flags]]:
    """Return by ending the seconds from a visit's end to the customer's next, or to the end."""
    found: dict[Ending, list[tuple[float, bool]]] = {ending: [] for ending in Ending}
    earlier: dict[tuple[str, str], Visit] = {}
    for visit in sorted(visits, key=lambda one: one.arrived_ms):
        if not visit.customer or visit.handle_open:
            continue
        key = (visit.customer, visit.category if same_category else "")
        before = earlier.get(key)
        if before is not None:
            gap_s = (visit.arrived_ms - _ended_ms(before)) / 1000
            if gap_s > 0:
                found[before.ending].append((gap_s, True))
        earlier[key] = visit
    for last in earlier.values():
        gap_s = (end_ms - _ended_ms(last)) / 1000
        if gap_s > 0:
            found[last.ending].append((gap_s, False))
    return {
        ending: (
            np.array([gap for gap, _ in gaps]),
            np.array([came for _, came in gaps], dtype=np.bool_),
        )
        for ending, gaps in found.items()
    }


def _ended_ms(visit: Visit) -> float:
    spent_s = (visit.wait_s or 0.0) + (visit.handle_s or 0.0)
    return visit.arrived_ms + 1000 * spent_s
