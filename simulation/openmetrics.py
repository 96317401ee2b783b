"""Write a simulated day as time series: the metrics of a live worker, a sample a minute.

The names, labels and numbers are those of `/metrics` (`router.measures_metrics`), with the labels
that a scrape would add. `promtool tsdb create-blocks-from openmetrics` makes blocks of the file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from router.center import Center
from router.checks import config_hash
from router.journal import Entry
from router.measures import Measures
from router.measures_metrics import METRICS, CenterMetrics
from router.measures_text import Family, Kind, Metric, Number, write_number

STEP_MS: Final = 60_000
_LE: Final = re.compile(r'le="[^"]*",?')
_SCRAPED: Final = 'instance="simulated",job="switchroom"'
_UP: Final = Metric("up", Kind.GAUGE, (), "Whether the target answers; it always does here.")


class DayRecorder:
    """Hear a day entry by entry and sample its measures at each full minute."""

    def __init__(self, center: Center, start_ms: int) -> None:
        self._measures = Measures()
        self._metrics = CenterMetrics(self._measures)
        self._next_ms = start_ms
        told = config_hash(center)
        self._beside = [
            Family(METRICS["config_info"], [(told,)], lambda: [1]),
            Family(_UP, [()], lambda: [1]),
        ]
        # By metric and label set (without `le`): OpenMetrics wants these in the order of time.
        self._series: dict[Metric, dict[str, list[tuple[str, Number, int]]]] = {}
        self._groups: dict[str, str] = {}

    def hear(self, entry: Entry) -> None:
        """Count one entry, after sampling the minutes before it."""
        self.advance(entry.stamped.at_ms)
        self._measures.fold(entry.stamped, entry.decisions)

    def advance(self, until_ms: int) -> None:
        """Sample every minute up to an instant."""
        while self._next_ms <= until_ms:
            self._sample(self._next_ms)
            self._next_ms += STEP_MS

    def _sample(self, at_ms: int) -> None:
        for family in (*self._metrics.families(), *self._beside):
            series = self._series.setdefault(family.metric, {})
            for prefix, number in zip(family.prefixes, family.read(), strict=True):
                group = self._groups.get(prefix)
                if group is None:
                    group = self._groups[prefix] = _LE.sub("", prefix.partition("{")[2])
                series.setdefault(group, []).append((prefix, number, at_ms // 1000))

    def write(self, path: Path) -> None:
        """Write all samples, series by series as OpenMetrics asks."""
        with path.open("w", encoding="utf-8") as lines:
            for metric, series in self._series.items():
                lines.write(metric.head(openmetrics=True))
                for samples in series.values():
                    lines.writelines(
                        f"{_scraped(prefix)} {write_number(number)} {at_s}\n"
                        for prefix, number, at_s in samples
                    )
            lines.write("# EOF\n")


def _scraped(prefix: str) -> str:
    """Add the labels that a scrape would add."""
    name, brace, rest = prefix.rstrip().partition("{")
    return f"{name}{{{_SCRAPED},{rest}" if brace else f"{name}{{{_SCRAPED}}}"
