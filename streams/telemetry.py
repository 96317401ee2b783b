"""Tell Prometheus how a worker does: the families of its centre and those only it can know.

`Telemetry` hears each committed unit and keeps the measures of what happened since the worker
started; what happened before is not counted again, but who waits and who works is known
(`router.measures_opening`). Everything runs in the worker's own loop, so that a reading is of one
instant. `streams.metrics_page` makes the page.
"""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Final

from router.center import Center
from router.checks import config_hash
from router.decisions import OfferContact, Reason
from router.events import EVENT_TYPES, RecordRefused, TimeAdvanced
from router.journal import Entry
from router.measures import OK, Measures
from router.measures_metrics import METRICS, CenterMetrics, count_series
from router.measures_opening import open_measures
from router.measures_text import Family, Number
from router.router import Router
from streams.ports import CommitUnit

LATE_MS: Final = 60_000
"""An event is late when its producer's clock says that it is older than this."""

CLOCK: Final = "clock"
"""The topic of what no producer sent: deadlines, and what the worker says itself."""

UNKNOWN: Final = "unknown"
RESULTS: Final = ("ok", "refused", "late", "duplicate")
FAULTS: Final = ("journal_conflict", "replay_diverged", "lso_stuck", "fenced", "clock_drift")
UNCHOSEN: Final = "none"

_DURATION_EDGES_US: Final = (
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
    1_000_000,
)  # fmt: skip
_OWN_TYPES: Final = ("TimeAdvanced", "CenterChanged", "EngineActivated")
_SENT_TYPES: Final = tuple(
    kind.__name__ for kind in EVENT_TYPES if kind is not RecordRefused and kind is not TimeAdvanced
)

_WORD_OF: Final = {reason: reason.value for reason in Reason}

Lag = Callable[[], Iterable[tuple[str, int, int]]]


class Durations:
    """Count how long decisions took, by the policy that chose an agent or a contact."""

    def __init__(self) -> None:
        self.counts: dict[str, list[int]] = {}
        self.sums_us: dict[str, int] = {}

    def add(self, entry: Entry, spent_ns: int) -> None:
        """Count one event; `spent_ns` includes the deadlines that came before it."""
        policy = UNCHOSEN
        for decision in entry.decisions:
            if decision.__class__ is OfferContact:
                policy = _WORD_OF[decision.reason]
                break
        counts = self.counts.get(policy)
        if counts is None:
            counts = self.counts[policy] = [0] * (len(_DURATION_EDGES_US) + 1)
            self.sums_us.setdefault(policy, 0)
        spent_us = spent_ns // 1_000
        counts[bisect_left(_DURATION_EDGES_US, spent_us)] += 1
        self.sums_us[policy] += spent_us


class Telemetry:
    """Keep what `/metrics` tells of one worker, from before its recovery on."""

    def __init__(self, topics: Iterable[str] = ()) -> None:
        """Know the topics that events may come from: their counts exist from the start."""
        self.durations = Durations()
        self.measures = Measures()
        self._lag: Lag = tuple
        self._topics = dict.fromkeys([CLOCK, *topics])
        self._events: dict[tuple[str, str, str], int] = {}
        self._stamps_ms: dict[str, int] = {}
        self._faults = dict.fromkeys(FAULTS, 0)
        self._metrics: CenterMetrics | None = None
        self._config_hash: tuple[Center | None, str] = (None, "")
        self._counted = constant("events", [], [])
        for topic in self._topics:
            self._know(topic)

    # --- hearing ------------------------------------------------------------------

    def begin(self, router: Router, lag: Lag) -> None:
        """Take over who is in the house, once a worker has recovered; `lag` says what waits."""
        self.measures = open_measures(router)
        self._metrics = None
        self._lag = lag

    def decided(self, entry: Entry, spent_ns: int) -> None:
        """Count how long it took to decide an entry."""
        self.durations.add(entry, spent_ns)

    def hear_unit(self, unit: CommitUnit) -> None:
        """Count a committed unit."""
        for entry in unit.entries:
            self.hear(entry)

    def hear(self, entry: Entry) -> None:
        """Count one entry of the journal."""
        stamped = entry.stamped
        result = self.measures.fold(stamped, entry.decisions)
        topic = CLOCK if entry.source is None else entry.source.topic
        if topic not in self._topics:
            self._topics[topic] = None
            self._know(topic)
        if result is OK and 0 < stamped.occurred_ms < stamped.at_ms - LATE_MS:
            result = "late"
        kind = stamped.event.__class__
        name = UNKNOWN if kind is RecordRefused else kind.__name__
        key = topic, name, result
        self._events[key] = self._events.get(key, 0) + 1
        self._stamps_ms[topic] = stamped.at_ms

    def count_fault(self, kind: str) -> None:
        """Count something that must never happen; `kind` is one of `FAULTS`."""
        self._faults[kind] += 1

    def _know(self, topic: str) -> None:
        types = _OWN_TYPES if topic == CLOCK else (*_SENT_TYPES, UNKNOWN)
        results = RESULTS[:2] if topic == CLOCK else RESULTS
        for name in types:
            for result in results:
                self._events.setdefault((topic, name, result), 0)
        self._stamps_ms.setdefault(topic, 0)

    # --- telling ------------------------------------------------------------------

    def families(self) -> list[Family]:
        """Return all families: the centre's, then the worker's own."""
        own = self._own_families()
        if self._metrics is None:
            self._metrics = CenterMetrics(self.measures, series_beside=count_series(own))
        return [*self._metrics.families(), *own]

    def _own_families(self) -> list[Family]:
        stamps = sorted(self._stamps_ms)
        behind = sorted(self._lag())
        return [
            self._duration_family(),
            self._event_family(),
            constant(
                "consumer_lag_records",
                [(topic, str(partition)) for topic, partition, _ in behind],
                [records for _, _, records in behind],
            ),
            constant(
                "last_event_timestamp_seconds",
                [(topic,) for topic in stamps],
                [self._stamps_ms[topic] / 1000 for topic in stamps],
            ),
            self.fault_family(),
            *self._config_family(),
        ]

    def fault_family(self) -> Family:
        """Return the family that is told whether a worker lives or not."""
        return constant("faults", [(kind,) for kind in FAULTS], list(self._faults.values()))

    def _event_family(self) -> Family:
        if len(self._counted.prefixes) != len(self._events):
            keys = sorted(self._events)
            read = operator.itemgetter(*keys)
            self._counted = Family(METRICS["events"], keys, lambda: read(self._events))
        return self._counted

    def _duration_family(self) -> Family:
        policies = dict.fromkeys([UNCHOSEN, *_policies_of(self.measures.center)])
        policies.update(dict.fromkeys(self.durations.counts))
        names, none = sorted(policies), [0] * (len(_DURATION_EDGES_US) + 1)

        def read() -> list[Number]:
            numbers: list[Number] = []
            for name in names:
                numbers += accumulate(self.durations.counts.get(name, none))
                numbers.append(numbers[-1])
                numbers.append(self.durations.sums_us.get(name, 0) / 1_000_000)
            return numbers

        metric = METRICS["decision_duration_seconds"]
        edges = [edge / 1_000_000 for edge in _DURATION_EDGES_US]
        return Family(metric, [(name,) for name in names], read, edges)

    def _config_family(self) -> list[Family]:
        center = self.measures.center
        if center is None:
            return []
        if self._config_hash[0] is not center:
            self._config_hash = center, config_hash(center)
        return [constant("config_info", [(self._config_hash[1],)], [1])]


def _policies_of(center: Center | None) -> list[str]:
    if center is None:
        return []
    teams = (team.contact_policy for team in center.teams.values())
    return [
        center.contact_policy.value,
        *(queue.agent_policy.value for queue in center.queues.values()),
        *(policy.value for policy in teams if policy is not None),
    ]


def constant(name: str, rows: Iterable[tuple[str, ...]], numbers: list[Number]) -> Family:
    """Make a family of numbers that are known now."""
    return Family(METRICS[name], rows, lambda: numbers)
