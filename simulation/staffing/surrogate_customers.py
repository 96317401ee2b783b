"""Draw the customers of a surrogate day: those of the live one, from the same streams."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from configs.planning import Law
from simulation.plan.draws import Lots
from simulation.plan.laws import duration_ms, durations_at
from simulation.plan.prepared import Prepared, Source
from simulation.plan.tallies import Counts
from simulation.randomness import Streams

EVER: Final = math.inf


@dataclass
class Callers:
    """The fresh contacts of one day, in order of arrival; times in ms, `back` -1: never."""

    streams: Streams
    at: NDArray[np.float64]
    kind: NDArray[np.int32]
    number: NDArray[np.int32]
    work: NDArray[np.float32]
    after: NDArray[np.float32]
    patience: NDArray[np.float32]
    balks: NDArray[np.bool_]
    fresh: Counts
    bots: Counts


def draw_callers(
    prepared: Prepared, kinds_of: Sequence[dict[str, int]], seed: int, day: int
) -> Callers:
    """Draw the customers of a day from the streams of the real one."""
    streams = Streams(seed, day)
    lots = Lots(prepared, streams, 1)
    fresh = np.zeros((len(prepared.sources), prepared.intervals), dtype=np.int64)
    bots = np.zeros_like(fresh)
    parts: list[tuple[NDArray[np.float64], ...]] = []
    for source in prepared.sources:
        at = np.asarray(lots.arrivals[source.index], dtype=np.float64)
        rows = rows_of(prepared, at)
        fresh[source.index] = np.bincount(rows, minlength=prepared.intervals)
        count, demand, clocks_ms = len(at), source.demand, at + prepared.opens_ms

        def lot(purpose: str, source: Source = source, count: int = count) -> NDArray[np.float64]:
            return streams.uniforms(source.name, purpose, count)

        def times(
            law: Law | None,
            purpose: str,
            none: float,
            lot: Callable[..., NDArray[np.float64]] = lot,
        ) -> NDArray[np.float64]:
            if law is None:
                return np.full(count, none)  # noqa: B023 - called at once
            return durations_at(law, lot(purpose), clocks_ms)  # noqa: B023 - called at once

        chosen = np.full(count, kinds_of[source.index][""], dtype=np.float64)
        if demand.languages:
            known = kinds_of[source.index]
            edges = np.cumsum(list(demand.languages.values()))
            numbers = [known[name] for name in demand.languages] + [known[""]]
            chosen = np.asarray(numbers, dtype=np.float64)[
                np.searchsorted(edges, lot("language"), side="right")
            ]
        wraps = demand.wrap_up if source.wraps_up else None
        kept = lot("bot") >= demand.bot if demand.bot else np.ones(count, dtype=bool)
        bots[source.index] = np.bincount(rows[~kept], minlength=prepared.intervals)
        balks = lot("balk") < demand.balking if demand.balking else np.zeros(count)
        columns = (
            at,
            chosen,
            np.arange(count, dtype=np.float64),
            times(demand.handle, "work", 0.0),
            times(wraps, "wrap-up", 0.0),
            times(demand.patience, "patience", EVER),
            np.asarray(balks, dtype=np.float64),
        )
        parts.append(tuple(column[kept] for column in columns))
        parts.append(_backlog(kinds_of[source.index][""], streams, source))
    at, kind, number, work, after, patience, balks = (
        np.concatenate([part[column] for part in parts]) for column in range(7)
    )
    order = np.argsort(at, kind="stable")
    return Callers(
        streams=streams,
        at=at[order],
        kind=kind[order].astype(np.int32),
        number=number[order].astype(np.int32),
        work=work[order].astype(np.float32),
        after=after[order].astype(np.float32),
        patience=patience[order].astype(np.float32),
        balks=balks[order] > 0,
        fresh=fresh,
        bots=bots,
    )


def _backlog(kind: int, streams: Streams, source: Source) -> tuple[NDArray[np.float64], ...]:
    """Return those who wait already when the doors open."""
    demand, name = source.demand, source.name
    rows = []
    for number in range(demand.backlog):
        lots = [streams.uniform(name, what, number, 1_000) for what in ("work", "patience")]
        work = duration_ms(demand.handle, lots[0])
        patience = EVER if demand.patience is None else duration_ms(demand.patience, lots[1])
        rows.append((0.0, kind, -1.0 - number, work, 0.0, patience, 0.0))
    return tuple(np.asarray(rows, dtype=np.float64).reshape(-1, 7).T)


def rows_of(prepared: Prepared, at: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the interval of each instant."""
    rows = (at // prepared.scenario.interval_ms).astype(np.int64)
    return np.clip(rows, 0, prepared.intervals - 1)
