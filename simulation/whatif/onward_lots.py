"""Draw the lots of the next hours once, for all the courses that are played on them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from scipy import special

from configs.planning import Law
from simulation.plan.arrivals import Profile, draw_bursts, draw_offsets
from simulation.plan.draws import Lots
from simulation.plan.prepared import Prepared, Source
from simulation.randomness import Streams
from simulation.whatif.starting import Start, Turn

# A demand and by what it is multiplied, from when on: all that a course may change of arrivals.
Volume: TypeAlias = tuple[str, float, int]


class Draw:
    """One draw of the next hours, shared by the courses that are played on it.

    Streams keep what was drawn, and lists are kept by purpose: the second course asks for what the
    first has drawn already.
    """

    def __init__(self, seed: int, replication: int) -> None:
        self.replication = replication
        self.streams = Streams(seed, replication)
        self.instants: dict[Volume, list[int]] = {}
        self.durations: dict[tuple[Volume, str], list[float]] = {}


def rate_ahead(source: Source, prepared: Prepared, start: Start, turn: Turn) -> Profile | None:
    """Return the rate at which a demand's contacts come from now to the horizon.

    Busyness and bursts are left out; None for recorded arrivals.
    """
    if source.profile is None:
        return None
    length = float(prepared.length_ms)
    cuts = [(0.0, float(start.now_ms), 0.0), (float(start.end_ms), length, 0.0)]
    if turn.demand != 1.0:
        cuts.append((float(turn.at_ms), length, turn.demand))
    return source.profile.times([cut for cut in cuts if cut[0] < cut[1]])


class OnwardLots(Lots):
    """The lots of a day of which a part is over: contacts come from now to the horizon."""

    def __init__(self, prepared: Prepared, draw: Draw, start: Start, turn: Turn) -> None:
        self._start = start
        self._turn = turn
        self._draw = draw
        self._factors = _posterior_factors(prepared, draw.streams, start)
        super().__init__(prepared, draw.streams, 1)

    def _arrivals(self, source: Source, parts: list[tuple[float, float, float]]) -> list[int]:
        kept, volume = self._draw.instants, self._volume(source)
        if volume not in kept:
            kept[volume] = self._draw_instants(source, parts)
        return kept[volume]

    def _volume(self, source: Source) -> Volume:
        turn = self._turn
        return source.name, turn.demand, turn.at_ms if turn.demand != 1.0 else 0

    def _draw_instants(self, source: Source, parts: list[tuple[float, float, float]]) -> list[int]:
        start = self._start
        profile = rate_ahead(source, self.prepared, start, self._turn)
        if profile is None:
            return [
                at for at in super()._arrivals(source, parts) if start.now_ms < at < start.end_ms
            ]
        bursts = source.demand.bursts
        if bursts is not None:
            length_ms = float(self.prepared.length_ms)
            parts = parts + draw_bursts(bursts, self.streams, source.name, length_ms)
        factor = self._factors[source.index]
        offsets = draw_offsets(profile.times(parts), self.streams, source.name, factor)
        instants: list[int] = np.ceil(offsets).astype(np.int64).tolist()
        return instants

    def _all(self, source: Source, purpose: str, law: Law | None) -> list[float]:
        kept, key = self._draw.durations, (self._volume(source), purpose)
        if key not in kept:
            kept[key] = super()._all(source, purpose, law)
        return kept[key]


def _posterior_factors(prepared: Prepared, streams: Streams, start: Start) -> list[float]:
    """Return how busy each demand is from now on: its posterior, with the prior's correlation."""
    names = [source.name for source in prepared.sources]
    lots = [streams.uniform("", "posterior", number) for number in range(len(names))]
    normals = prepared.roots @ special.ndtri(np.clip(lots, 1e-15, 1 - 1e-15))
    shares = special.ndtr(normals).tolist()
    return [start.posteriors[name].factor(share) for name, share in zip(names, shares, strict=True)]
