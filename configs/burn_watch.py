"""Follow the counts of promises and say when an alert would wake somebody, without Prometheus.

The conditions are those of the generated rules: the ratio over the long and over the short window
above the threshold, enough contacts in the long one, and an alert that has fired goes on until
its condition has been false for the short window. So a show can page by the shipped arithmetic.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from configs.burn_rates import Burn

_MINUTE_MS: Final = 60_000

Outcomes = Mapping[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True)
class Call:
    """An alert that began (`over` False) or ended, with the ratio over its long window."""

    at_ms: int
    burn: Burn
    ratio: float
    over: bool


class _Counter:
    """Remember counts by time, as far back as the longest window."""

    def __init__(self) -> None:
        self.times_ms: list[int] = []
        self.counts: list[tuple[int, int]] = []

    def note(self, at_ms: int, met: int, breached: int) -> None:
        self.times_ms.append(at_ms)
        self.counts.append((met, breached))

    def since(self, from_ms: int) -> tuple[int, int]:
        """Return how many were met and breached since an instant, or since the first look."""
        first = max(bisect_right(self.times_ms, from_ms) - 1, 0)
        then, now = self.counts[first], self.counts[-1]
        return now[0] - then[0], now[1] - then[1]


class BurnWatch:
    """Watch the alerts of a plan that wake somebody; `scale` divides their windows."""

    def __init__(self, burns: Iterable[Burn], scale: int = 1) -> None:
        self._burns = [burn for burn in burns if burn.pair.severity == "page"]
        self._scale = scale
        self._counters: dict[tuple[str, str], _Counter] = {}
        self._held_until_ms: dict[Burn, int] = {}

    def look(self, at_ms: int, outcomes: Outcomes) -> list[Call]:
        """Take the counts (met, breached) by queue and promise; return what began or ended."""
        for key in {(burn.queue, burn.sla) for burn in self._burns}:
            counter = self._counters.setdefault(key, _Counter())
            counter.note(at_ms, *outcomes.get(key, (0, 0)))
        calls = []
        for burn in self._burns:
            ratio, burning = self._judge(burn, at_ms)
            held_ms = self._held_until_ms.get(burn)
            if burning:
                hold_ms = burn.pair.short * _MINUTE_MS // self._scale
                self._held_until_ms[burn] = at_ms + hold_ms
                if held_ms is None:
                    calls.append(Call(at_ms, burn, ratio, over=False))
            elif held_ms is not None and at_ms >= held_ms:
                del self._held_until_ms[burn]
                calls.append(Call(at_ms, burn, ratio, over=True))
        return calls

    def _judge(self, burn: Burn, at_ms: int) -> tuple[float, bool]:
        counter = self._counters[burn.queue, burn.sla]
        ratios: list[Fraction] = []
        contacts = 0
        for minutes in (burn.pair.short, burn.pair.long):
            met, breached = counter.since(at_ms - minutes * _MINUTE_MS // self._scale)
            contacts = met + breached
            ratios.append(Fraction(breached, max(contacts, 1)))
        burning = min(ratios) > burn.threshold and contacts >= burn.guard
        return float(ratios[-1]), burning
