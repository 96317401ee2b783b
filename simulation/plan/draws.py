"""Draw the lots of one day, addressed by (seed, day, demand, contact number, purpose).

What every contact needs is drawn for all of them at once; the rarer lots, and those of later
attempts, are looked up one by one. Both ways give a contact the same number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from configs.planning import Law, LawName
from simulation.plan.arrivals import draw_bursts, draw_busyness, draw_offsets, draw_parts
from simulation.plan.laws import duration_ms, durations_at, law_at
from simulation.randomness import Streams

if TYPE_CHECKING:
    from simulation.plan.customers import Call
    from simulation.plan.prepared import Prepared, Shares, Source

_ATTEMPT_BACKLOG = 1_000  # contacts of the backlog have numbers below 0


class Lots:
    """Hold the lots of one day."""

    def __init__(self, prepared: Prepared, streams: Streams, strata: int) -> None:
        self.prepared = prepared
        self.streams = streams
        scenario = prepared.scenario
        names = tuple(source.name for source in prepared.sources)
        self.busyness = draw_busyness(scenario.busyness, names, prepared.roots, streams, strata)
        parts = draw_parts(scenario.busyness, streams, prepared.opens_ms, prepared.length_ms)
        self.arrivals = [self._arrivals(source, parts) for source in prepared.sources]
        self._work = [
            self._all(source, "work", source.demand.handle) for source in prepared.sources
        ]
        self._wrap_up = [
            self._all(source, "wrap-up", source.demand.wrap_up) for source in prepared.sources
        ]
        self._patience = [
            self._all(source, "patience", source.demand.patience) for source in prepared.sources
        ]
        self._laws = {
            (demand.category, demand.channel): demand.handle for demand in scenario.demand.values()
        }

    def _arrivals(self, source: Source, parts: list[tuple[float, float, float]]) -> list[int]:
        demand, streams = source.demand, self.streams
        if source.profile is None:
            return self._recorded(source)
        profile = source.profile.times(parts)
        if demand.bursts is not None:
            length_ms = float(self.prepared.length_ms)
            profile = profile.times(draw_bursts(demand.bursts, streams, source.name, length_ms))
        offsets = draw_offsets(profile, streams, source.name, float(self.busyness[source.index]))
        instants: list[int] = np.ceil(offsets).astype(np.int64).tolist()
        return instants

    def _recorded(self, source: Source) -> list[int]:
        """Return recorded arrivals: all of them at factor 1, fewer or repeated ones else."""
        instants = source.demand.arrivals_ms
        factor = source.demand.factor
        if factor == 1.0:
            return list(instants)
        lots = self.streams.uniforms(source.name, "copies", len(instants))
        copies = (lots + factor).astype(int)
        return [at_ms for at_ms, count in zip(instants, copies, strict=True) for _ in range(count)]

    def _all(self, source: Source, purpose: str, law: Law | None) -> list[float]:
        """Return the duration of every fresh contact of a source."""
        if law is None:
            return []
        instants = self.arrivals[source.index]
        if law.law is LawName.CONSTANT and not law.later:
            return [float(law.mean_ms)] * len(instants)
        values: list[float] = durations_at(
            law,
            self.streams.uniforms(source.name, purpose, len(instants)),
            np.asarray(instants, dtype=np.float64) + self.prepared.opens_ms,
        ).tolist()
        return values

    def uniform(self, source: Source, purpose: str, number: int, attempt: int = 0) -> float:
        """Return the number in [0, 1) of a contact, purpose and attempt."""
        if number < 0:
            number, attempt = -1 - number, attempt + _ATTEMPT_BACKLOG
        return self.streams.uniform(source.name, purpose, number, attempt)

    def lot(self, call: Call, purpose: str) -> float:
        """Return the number in [0, 1) of a contact for a purpose, in its present attempt."""
        if call.number < 0:
            return self.uniform(call.source, purpose, call.number, call.attempt)
        return self.streams.uniform(call.source.name, purpose, call.number, call.attempt)

    def _duration(self, call: Call, law: Law, purpose: str, drawn: list[float]) -> float:
        attempt = 0 if call.source.same_work else call.attempt
        if not attempt and 0 <= call.number < len(drawn):
            return drawn[call.number]
        lot = self.uniform(call.source, purpose, call.number, attempt)
        return float(self._of_arrival(call, law, lot))

    def _of_arrival(self, call: Call, law: Law, lot: float) -> int:
        """Return one duration (ms) by the law of the time at which the contact arrived."""
        return duration_ms(law_at(law, self.prepared.opens_ms + call.wait_ms), lot)

    def work(self, call: Call) -> float:
        """Return the plain work of a contact, ms; passed on, that of its new category."""
        source = call.source
        if not call.visit:
            return self._duration(call, source.demand.handle, "work", self._work[source.index])
        law = self._laws.get((call.category, source.channel), source.demand.handle)
        lot = self.lot(call, f"work-{min(call.visit, 9)}")
        return float(self._of_arrival(call, law, lot))

    def wrap_up_ms(self, call: Call) -> int:
        """Return the length of the work after a contact."""
        law = call.source.demand.wrap_up
        if law is None:
            return 0
        return round(self._duration(call, law, "wrap-up", self._wrap_up[call.source.index]))

    def patience_ms(self, call: Call) -> int:
        """Return how long a contact waits before it gives up, in whole ms."""
        law = call.source.demand.patience
        assert law is not None, "asked only of those who may give up"
        if call.answered:
            return self._of_arrival(call, law, self.lot(call, "patience-again"))
        return round(self._duration(call, law, "patience", self._patience[call.source.index]))

    def reply_ms(self, call: Call, work: float) -> int:
        """Return when the first written reply goes out: after a while, at the end at the latest."""
        law = call.source.demand.reply_after
        if law is None:
            return max(0, round(work))
        return max(0, round(min(work, self._of_arrival(call, law, self.lot(call, "reply")))))

    def kind(self, call: Call) -> tuple[str, str]:
        """Return the tier and the language of a contact."""
        source = call.source
        tier = language = ""
        # The same person whichever attempt it is.
        if source.tiers:
            tier = _choose(source.tiers, self.uniform(source, "tier", call.number, 0))
        if source.languages:
            language = _choose(source.languages, self.uniform(source, "language", call.number, 0))
        return tier, language

    def is_resolved(self, call: Call, agent_id: str) -> bool:
        """Say whether the matter is settled with this contact."""
        share = self.prepared.resolves(agent_id, call.source.demand)
        return share >= 1.0 or self.lot(call, "resolved") < share

    def transfer_to(self, call: Call) -> str:
        """Return the category to which a contact is passed on after the talk; "" for none."""
        transfers = call.source.transfers
        if not transfers or call.visit:
            return ""
        return _choose(transfers, self.lot(call, "transfer"))


def _choose(shares: Shares, uniform: float) -> str:
    """Return the name in whose share the number falls, "" beyond the last."""
    for name, share in shares:
        if uniform < share:
            return name
        uniform -= share
    return ""
