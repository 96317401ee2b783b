"""Make the page that `/metrics` shows: what the centres of a process count, and the process itself.

A centre is on the page while its worker lives here; its faults stay on it. A page that was just
made is given again, so that nobody who asks often takes more than a twentieth of the loop's time.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from router.journal import JournalError, ReplayDivergedError
from router.measures_text import Family, Number, render
from streams import ENGINE_VERSION
from streams.desk import Desk
from streams.ports import ForeignWriterError, LogStuckError, StoreFencedError
from streams.reload import Reloader
from streams.staffing import Staffing
from streams.telemetry import constant

_LOAD_SHARE: Final = 20


class MetricsPage:
    """Render what the desks of a process count."""

    def __init__(
        self,
        desks: Sequence[Desk],
        reloader: Reloader | None = None,
        staffing: Staffing | None = None,
    ) -> None:
        self._desks = desks
        self._reloader = reloader
        self._staffing = staffing
        self._made: dict[tuple[bool, bool], tuple[float, float, bytes]] = {}

    def render(self, *, openmetrics: bool, exemplars: bool = False) -> bytes:
        """Render a reading: the last one again if it is younger than twenty times its own cost."""
        began_s = time.monotonic()
        made_s, cost_s, body = self._made.get((openmetrics, exemplars), (0.0, 0.0, b""))
        if body and began_s - made_s < cost_s * _LOAD_SHARE:
            return body
        body = render(self.families(), openmetrics=openmetrics, exemplars=exemplars)
        self._made[openmetrics, exemplars] = began_s, time.monotonic() - began_s, body
        return body

    def families(self) -> list[Family]:
        """Return the families of all centres, like ones together, then those of the process."""
        found = []
        teams: list[str] = []
        for desk in self._desks:
            if (counted := desk.telemetry) is not None:
                alive = desk.worker is not None
                found.append(counted.families() if alive else [counted.fault_family()])
                if alive and (center := counted.measures.center) is not None:
                    teams += center.teams
        families = found[0] if len(found) == 1 else merge(found)
        planned = [] if self._staffing is None else self._staffing.families(teams)
        return [*families, *planned, *self._own_families()]

    def _own_families(self) -> list[Family]:
        reloader = self._reloader
        good = 1 if reloader is None else int(reloader.successful)
        since = 0 if reloader is None else reloader.success_s
        return [
            constant("config_last_reload_successful", [()], [good]),
            constant("config_last_reload_success_timestamp_seconds", [()], [since]),
            constant("build_info", [(ENGINE_VERSION,)], [1]),
        ]


def merge(found: Iterable[Sequence[Family]]) -> list[Family]:
    """Put families of one name together; where two have the same series, add the numbers.

    Queues and teams have names of their own in a deployment, so what adds up are counts that bear
    neither: decisions, events, faults.
    """
    by_name: dict[str, list[Family]] = {}
    for families in found:
        for family in families:
            by_name.setdefault(family.metric.name, []).append(family)
    return [parts[0] if len(parts) == 1 else _merged(parts) for parts in by_name.values()]


def _merged(parts: list[Family]) -> Family:
    numbers: dict[str, Number] = {}
    for part in parts:
        for prefix, number in zip(part.prefixes, part.read(), strict=True):
            numbers[prefix] = numbers.get(prefix, 0) + number
    merged = Family(parts[0].metric, (), partial(list, numbers.values()))
    merged.prefixes = list(numbers)
    return merged


def fault_of(error: Exception) -> str:
    """Return the kind of fault that an error shows, "" if it is none."""
    if isinstance(error, ReplayDivergedError):
        return "replay_diverged"
    if isinstance(error, JournalError):
        return "journal_conflict"
    if isinstance(error, LogStuckError):
        return "lso_stuck"
    return "fenced" if isinstance(error, StoreFencedError | ForeignWriterError) else ""
