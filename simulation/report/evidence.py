"""Take from a study the arrays that pictures need, as plain numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from simulation.plan import estimates as est
from simulation.plan.answers import Figure, share_figure
from simulation.plan.costs import costs_of, has_costs
from simulation.plan.estimates import view
from simulation.plan.replications import Study
from simulation.plan.tallies import WAIT_EDGES_MS, Count, Staffed

Series: TypeAlias = tuple[float | None, ...]
_WAIT_LIMITS_S: Final = (0.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)


@dataclass(frozen=True)
class Evidence:
    """What pictures are drawn from; shares are fractions.

    `levels[demand]` and `occupancy[group]` by interval; `waits[demand]`: answered contacts a day
    by bin of `wait_limits_s` (the last is open); `daily_levels`: each day's own service level;
    `daily_costs` empty without prices.
    """

    levels: dict[str, tuple[Figure, ...]]
    arrivals: dict[str, Series]
    occupancy: dict[str, Series]
    signed_in: dict[str, Series]
    wait_limits_s: tuple[float, ...]
    waits: dict[str, tuple[float, ...]]
    daily_levels: tuple[float, ...]
    daily_costs: tuple[float, ...]


def evidence_of(study: Study, judged: tuple[str, ...]) -> Evidence:
    """Return the evidence of a study; `judged` are the demands of the target."""
    scenario = study.scenario
    limits = sorted(
        {
            *_WAIT_LIMITS_S,
            *(
                (demand.answer_within_ms or scenario.target.within_ms) / 1000
                for demand in scenario.demand.values()
            ),
        }
    )
    intervals = range(study.intervals)
    sums = study.staffed.sum(axis=0)
    hours = sums[:, :, Staffed.SIGNED_IN] / study.days / scenario.interval_ms
    # Who only finishes what he has in hand is busy all the time: that says nothing of a group.
    on_shift = sums[:, :, Staffed.PAID] > 0
    busy = sums[:, :, Staffed.BUSY] / study.days / scenario.interval_ms
    return Evidence(
        levels={
            name: tuple(
                share_figure(est.service_level(view(study, [name], [index]))) for index in intervals
            )
            for name in study.demands
        },
        arrivals={
            name: tuple(study.counts[:, index, :, Count.ARRIVED].mean(axis=0).tolist())
            for index, name in enumerate(study.demands)
        },
        occupancy={
            name: tuple(
                float(busy[group, index] / hours[group, index])
                if hours[group, index] and on_shift[group, index]
                else None
                for index in intervals
            )
            for group, name in enumerate(study.groups)
        },
        signed_in={name: tuple(hours[group].tolist()) for group, name in enumerate(study.groups)},
        wait_limits_s=tuple(limits),
        waits={name: _binned(study, name, limits) for name in study.demands},
        daily_levels=tuple(est.service_level(view(study, judged)).daily().tolist()),
        daily_costs=tuple(costs_of(study).total.tolist()) if has_costs(scenario.costs) else (),
    )


def _binned(study: Study, name: str, limits: list[float]) -> tuple[float, ...]:
    """Return answered contacts a day by bin of their wait.

    A bucket of the study belongs to the bin that its middle lies in, so a limit is met to within
    half a bucket: 2.3 % of the limit.
    """
    buckets = study.waits[:, study.demands.index(name)].sum(axis=0) / study.days
    edges = np.array(WAIT_EDGES_MS[: len(buckets)]) / 1000
    middles = np.concatenate((edges[:1], np.sqrt(np.maximum(edges[:-1], 0.1) * edges[1:])))
    if len(middles) < len(buckets):
        middles = np.append(middles, [math.inf] * (len(buckets) - len(middles)))
    bins = np.searchsorted(np.array(limits), middles, side="left")
    return tuple(
        float(value) for value in np.bincount(bins, weights=buckets, minlength=len(limits) + 1)
    )
