"""Make families of metrics of one centre's measures: the same names live and simulated.

Every label set of the plan exists from the start, with the value 0: a series that appears when
it is already 1 is invisible to `increase()`. Label values come from the plan and from closed
lists, never from a contact or an agent. Numbers are read from `Measures`, which holds each once;
`METRICS` is the whole table, with what only a live worker can know (`streams.telemetry`).

At most `SERIES_MAX` series: beyond, the handle time histograms of the last queues by name fold
into one of `queue="other"`, then the wait histograms. What promises are judged by never folds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Final

from router.center import Center
from router.measures import Measures
from router.measures_agents import AgentState
from router.measures_edges import is_deferred, wait_edges_ms
from router.measures_histogram import HANDLE_EDGES_MS, FixedHistogram
from router.measures_lines import Line, QueueExit
from router.measures_promised import promised_pairs
from router.measures_reasons import REASONS_OF
from router.measures_text import Exemplar, Family, Kind, Metric, Number

SERIES_MAX: Final = 5_000
OTHER: Final = "other"

_C, _G, _H = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

METRICS: Final = {
    metric.name.removeprefix("switchroom_"): metric
    for metric in (
        Metric("switchroom_queue_arrivals", _C, ("queue", "channel"),
               "Contacts that came into the line, by overflow and again included."),
        Metric("switchroom_queue_exits", _C, ("queue", "channel", "exit"),
               "Contacts that left the line, by the way they left."),
        Metric("switchroom_sla_outcomes", _C, ("queue", "sla", "outcome"),
               "Promises decided, each once: met in time, or breached at its deadline."),
        Metric("switchroom_contact_wait_seconds", _H, ("queue",),
               "Waits of answered contacts, from when the customer began to wait."),
        Metric("switchroom_contact_wait_deferred_seconds", _H, ("queue",),
               "The same of queues that promise an answer later than in ten minutes."),
        Metric("switchroom_contact_handle_seconds", _H, ("queue",),
               "Handle times: talk, hold and wrap-up."),
        Metric("switchroom_sla_target_seconds", _G, ("queue", "sla"),
               "The time promised, on the promise's own clock; 0 if it is the end of a day."),
        Metric("switchroom_sla_objective_ratio", _G, ("queue", "sla"),
               "The share of promises that is to be met."),
        Metric("switchroom_queue_contacts", _G, ("queue",), "Contacts waiting now."),
        Metric("switchroom_queue_oldest_contact_timestamp_seconds", _G, ("queue",),
               "Since when the oldest contact waits; 0 if nobody waits."),
        Metric("switchroom_agents", _G, ("team", "state"), "Signed-in agents by state."),
        Metric("switchroom_agents_required", _G, ("team",), "Agents that the plan asks for now."),
        Metric("switchroom_agents_scheduled", _G, ("team",), "Agents that are scheduled now."),
        Metric("switchroom_offers", _C, ("queue", "outcome"), "Offers ended, by their outcome."),
        Metric("switchroom_decisions", _C, ("decision", "reason"), "Decisions, by their reason."),
        Metric("switchroom_decision_duration_seconds", _H, ("policy",),
               "Time from the stamp of an event to its decisions, by the policy that chose."),
        Metric("switchroom_events", _C, ("topic", "type", "result"),
               "Events handled, by where they came from; deadlines come from the clock."),
        Metric("switchroom_consumer_lag_records", _G, ("topic", "partition"),
               "Records received or known of that are not decided yet."),
        Metric("switchroom_last_event_timestamp_seconds", _G, ("topic",),
               "The stamp of the newest event handled; 0 if there was none."),
        Metric("switchroom_faults", _C, ("kind",), "Things that must never happen, and did."),
        Metric("switchroom_config_last_reload_successful", _G, (),
               "Whether the last attempt to load the configuration succeeded."),
        Metric("switchroom_config_last_reload_success_timestamp_seconds", _G, (),
               "When a configuration was last loaded."),
        Metric("switchroom_build_info", _G, ("version",), "The version that runs; always 1."),
        Metric("switchroom_config_info", _G, ("config_hash",),
               "The configuration in force; always 1."),
    )
}  # fmt: skip

OFFER_OUTCOMES: Final = ("accepted", "declined", "expired", "withdrawn")
SLA_OUTCOMES: Final = ("met", "breached")
_NO_EXITS: Final = (0,) * len(QueueExit)
_NO_OFFERS: Final = (0,) * len(OFFER_OUTCOMES)

Select = Callable[[Line], FixedHistogram]


class CenterMetrics:
    """Keep the families of one centre in step with its plan and its measures."""

    def __init__(self, measures: Measures, *, series_beside: int = 0) -> None:
        """Count `series_beside` series of others towards `SERIES_MAX`."""
        self.measures = measures
        self._series_beside = series_beside
        self._center: Center | None = None
        self._pairs: dict[tuple[str, str], None] = {}
        self._decisions: dict[tuple[str, str], None] = {}
        self._families: list[Family] = []

    def families(self) -> list[Family]:
        """Return the families as the plan is now; empty before there is a plan."""
        measures = self.measures
        if measures.center is not self._center:
            self._center = measures.center
            if measures.center is None:
                return []
            self._pairs = dict.fromkeys(promised_pairs(measures.center))
            self._families = []
        if self._center is not None and (not self._families or self._learn()):
            self._families = self._make(self._center)
        return self._families

    def _learn(self) -> bool:
        """Take in what the plan did not foretell, and tell whether there was anything."""
        measures, center = self.measures, self._center
        assert center is not None, "asked for after the plan is known"
        pairs = [
            pair
            for pair in measures.promises
            if pair not in self._pairs and pair[0] in center.queues and pair[1] in center.promises
        ]
        decided = [
            (decision, reason.value)
            for decision, reason in measures.decisions
            if (decision, reason.value) not in self._decisions
        ]
        self._pairs.update(dict.fromkeys(pairs))
        self._decisions.update(dict.fromkeys(decided))
        return bool(pairs or decided)

    # --- families -----------------------------------------------------------------

    def _make(self, center: Center) -> list[Family]:
        if not self._decisions:
            known = ((name, reason) for name, all_ in REASONS_OF.items() for reason in all_)
            self._decisions = dict.fromkeys(known)
        self._learn()
        counted = [*self._lines(center), *self._promises(center), *self._rest(center)]
        room = SERIES_MAX - self._series_beside - count_series(counted)
        return [*counted, *self._histograms(center, room)]

    def _lines(self, center: Center) -> list[Family]:
        keys = [(queue, channel) for queue in sorted(center.queues) for channel in center.channels]
        lines = self.measures.lines

        def arrivals() -> list[int]:
            found = map(lines.get, keys)
            return [0 if line is None else line.counts.arrivals for line in found]

        def exits() -> list[int]:
            numbers: list[int] = []
            for line in map(lines.get, keys):
                numbers += _NO_EXITS if line is None else line.counts.exits.values()
            return numbers

        ways = [(*key, exit_.value) for key in keys for exit_ in QueueExit]
        return [
            Family(METRICS["queue_arrivals"], keys, arrivals),
            Family(METRICS["queue_exits"], ways, exits),
        ]

    def _promises(self, center: Center) -> list[Family]:
        pairs = sorted(self._pairs)
        kept = self.measures.promises
        plans = [center.promises[name] for _, name in pairs]

        def outcomes() -> list[int]:
            numbers: list[int] = []
            for counts in map(kept.get, pairs):
                numbers += (0, 0) if counts is None else (counts.met, counts.breached)
            return numbers

        decided = [(*pair, outcome) for pair in pairs for outcome in SLA_OUTCOMES]
        targets = [plan.target_ms / 1000 for plan in plans]
        objectives = [plan.objective_percent / 100 for plan in plans]
        return [
            Family(METRICS["sla_outcomes"], decided, outcomes),
            Family(METRICS["sla_target_seconds"], pairs, lambda: targets),
            Family(METRICS["sla_objective_ratio"], pairs, lambda: objectives),
        ]

    def _rest(self, center: Center) -> list[Family]:
        measures = self.measures
        queues = sorted(center.queues)
        by_queue = self._by_queue(center)
        teams = sorted(center.teams)
        reasons = list(self._decisions)

        def waiting() -> list[int]:
            return [sum(len(line.waiting) for line in by_queue(queue)) for queue in queues]

        def oldest() -> list[float]:
            found = (
                [since for line in by_queue(queue) if (since := line.waiting.oldest_ms())]
                for queue in queues
            )
            return [min(since, default=0) / 1000 for since in found]

        def offers() -> list[int]:
            numbers: list[int] = []
            for queue in queues:
                ended = [_NO_OFFERS, *(_offers_of(line) for line in by_queue(queue))]
                numbers += map(sum, zip(*ended, strict=True))
            return numbers

        def agents() -> list[int]:
            count = measures.agents.count
            return [count(team, state) for team in teams for state in AgentState]

        def decisions() -> list[int]:
            counts = {(kind, why.value): n for (kind, why), n in measures.decisions.items()}
            return [counts.get(reason, 0) for reason in reasons]

        states = [(team, state.value) for team in teams for state in AgentState]
        ways = [(queue, outcome) for queue in queues for outcome in OFFER_OUTCOMES]
        alone = [(queue,) for queue in queues]
        return [
            Family(METRICS["queue_contacts"], alone, waiting),
            Family(METRICS["queue_oldest_contact_timestamp_seconds"], alone, oldest),
            Family(METRICS["agents"], states, agents),
            Family(METRICS["offers"], ways, offers),
            Family(METRICS["decisions"], reasons, decisions),
        ]

    def _by_queue(self, center: Center) -> Callable[[str], list[Line]]:
        lines, channels = self.measures.lines, tuple(center.channels)

        def find(queue: str) -> list[Line]:
            found = (lines.get((queue, channel)) for channel in channels)
            return [line for line in found if line is not None]

        return find

    # --- histograms ---------------------------------------------------------------

    def _histograms(self, center: Center, room: int) -> list[Family]:
        """Make the histograms; handle times give way to waits where there is not room for all."""
        queues = sorted(center.queues)
        soon = [queue for queue in queues if not is_deferred(center, queue)]
        later = [queue for queue in queues if is_deferred(center, queue)]
        handle_lines = len(HANDLE_EDGES_MS) + 3
        families: list[Family] = []
        left = room - handle_lines
        for name, group in (("contact_wait_seconds", soon),
                            ("contact_wait_deferred_seconds", later)):  # fmt: skip
            if group:
                edges = wait_edges_ms(center, group[0])
                rows = _rows(group, len(edges) + 3, left)
                family = self._histogram(center, name, rows, edges, lambda one: one.answered_waits)
                families.append(family)
                left -= len(family.prefixes)
        rows = _rows(queues, handle_lines, left + handle_lines)
        family = self._histogram(
            center, "contact_handle_seconds", rows, HANDLE_EDGES_MS, lambda one: one.handle_times
        )
        return [*families, family]

    def _histogram(
        self,
        center: Center,
        name: str,
        rows: Sequence[tuple[str, tuple[str, ...]]],
        edges_ms: tuple[int, ...],
        select: Select,
    ) -> Family:
        by_queue = self._by_queue(center)

        def found() -> Iterable[list[FixedHistogram]]:
            for _, queues in rows:
                yield [select(line) for queue in queues for line in by_queue(queue)]

        def read() -> list[Number]:
            numbers: list[Number] = []
            for histograms in found():
                write_histogram(numbers, edges_ms, histograms)
            return numbers

        def exemplars() -> dict[int, Exemplar]:
            told: dict[int, Exemplar] = {}
            for row, histograms in enumerate(found()):
                first = row * (len(edges_ms) + 3)
                for histogram in histograms:
                    for contact_id, value_ms in histogram.latest.values():
                        number = first + bisect_left(edges_ms, value_ms)
                        told[number] = Exemplar(contact_id, value_ms)
            return told

        edges = [edge / 1000 for edge in edges_ms]
        return Family(METRICS[name], [(row,) for row, _ in rows], read, edges, exemplars)


def write_histogram(
    numbers: list[Number], edges_ms: tuple[int, ...], histograms: Sequence[FixedHistogram]
) -> None:
    """Append the lines of one label set: cumulated buckets, count, sum in seconds."""
    counts = [0] * (len(edges_ms) + 1)
    for histogram in histograms:
        if histogram.edges_ms == edges_ms:
            counts = list(map(int.__add__, counts, histogram.counts))
            continue
        # Begun under another plan: each bucket goes where its end lies, so nothing is too early.
        for edge_ms, count in zip(histogram.edges_ms, histogram.counts, strict=False):
            counts[bisect_left(edges_ms, edge_ms)] += count
        counts[-1] += histogram.counts[-1]
    numbers += accumulate(counts)
    numbers.append(numbers[-1])
    numbers.append(sum(histogram.sum_ms for histogram in histograms) / 1000)


def _rows(queues: list[str], lines_each: int, room: int) -> list[tuple[str, tuple[str, ...]]]:
    """Say which queues have a histogram of their own and which share one."""
    own = len(queues)
    if own * lines_each > room:
        own = max(min(room // lines_each - 1, own - 2), 0)
    rows: list[tuple[str, tuple[str, ...]]] = [(queue, (queue,)) for queue in queues[:own]]
    return rows if own == len(queues) else [*rows, (OTHER, tuple(queues[own:]))]


def _offers_of(line: Line) -> tuple[int, int, int, int]:
    return line.assignments, line.offers_declined, line.offers_expired, line.offers_withdrawn


def count_series(families: Iterable[Family]) -> int:
    """Return how many series, that is lines, some families have."""
    return sum(len(family.prefixes) for family in families)
