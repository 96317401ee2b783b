"""Metrics: the reference client's bytes, every label set from the start, books that balance."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client import Metric as TheirMetric
from prometheus_client.core import Exemplar as TheirExemplar
from prometheus_client.core import Sample
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.registry import Collector

from configs.loader import load_center
from router.center import Center, Queue
from router.journal import Entry
from router.measures import Measures
from router.measures_edges import wait_edges_ms
from router.measures_lines import QueueExit
from router.measures_metrics import METRICS, OTHER, SERIES_MAX, CenterMetrics, count_series
from router.measures_opening import open_measures
from router.measures_promised import promised_pairs
from router.measures_reasons import REASONS_OF
from router.measures_text import (
    Exemplar,
    Family,
    Kind,
    Metric,
    render,
    wants_openmetrics,
    write_exemplar,
    write_number,
)
from router.router import Router
from simulation.day import simulate_day
from simulation.options import for_center
from streams.telemetry import Telemetry

ROOT = Path(__file__).parent.parent
SAMPLE = load_center(ROOT / "configs" / "sample").center
TINY = load_center(ROOT / "configs" / "tiny").center


def day_of(center: Center, hours: float = 0.5) -> list[Entry]:
    entries: list[Entry] = []
    options = for_center(center, 3, length_ms=round(hours * 3_600_000))
    simulate_day(center, options, listeners=(entries.append,))
    return entries


@pytest.fixture(scope="module")
def sample_day() -> list[Entry]:
    return day_of(SAMPLE)


@pytest.fixture(scope="module")
def told(sample_day: list[Entry]) -> Telemetry:
    telemetry = Telemetry(["http"])
    for entry in sample_day:
        telemetry.hear(entry)
        telemetry.durations.add(entry, 1_234_567)
    telemetry._lag = lambda: [("http", 0, 3)]
    return telemetry


# --- the bytes ----------------------------------------------------------------------------------


class Theirs(Collector):
    """The same families, as the reference client holds them."""

    def __init__(self, families: list[Family]) -> None:
        self.families = families

    def collect(self) -> list[TheirMetric]:
        return [theirs_of(family) for family in self.families]


def theirs_of(family: Family) -> TheirMetric:
    metric = family.metric
    made = TheirMetric(metric.name, metric.told, metric.kind.value, metric.unit)
    exemplars = family.read_exemplars() if family.read_exemplars is not None else {}
    for number, (prefix, value) in enumerate(zip(family.prefixes, family.read(), strict=True)):
        found = re.fullmatch(r'(\w+)(?:\{((?:\w+="[^"]*",?)+)\})? ', prefix)
        assert found is not None, prefix
        labels = dict(re.findall(r'(\w+)="([^"]*)"', found[2] or ""))
        exemplar = exemplars.get(number)
        seen = None
        if exemplar is not None:
            seen = TheirExemplar({"contact_id": exemplar.contact_id}, exemplar.value_ms / 1000)
        made.samples.append(Sample(found[1], labels, value, None, seen))
    return made


def test_both_formats_are_the_reference_clients_bytes(told: Telemetry) -> None:
    families = told.families()
    registry = CollectorRegistry()
    registry.register(Theirs(families))
    assert render(families, openmetrics=False) == generate_latest(registry)
    ours = render(families, openmetrics=True, exemplars=True)
    assert ours == generate_openmetrics(registry)  # type: ignore[no-untyped-call]
    assert b"# {contact_id=" in ours


def test_both_formats_are_read_by_the_reference_parsers(told: Telemetry) -> None:
    families = told.families()
    text = render(families, openmetrics=False).decode()
    names = {family.name for family in parse_text(text)}
    marked = render(families, openmetrics=True, exemplars=True).decode()
    assert names == {family.name for family in parse_openmetrics(marked)}  # type: ignore[no-untyped-call]
    assert "contact_id" not in text
    assert "contact_id" not in render(families, openmetrics=True).decode()


def test_odd_texts_are_escaped_as_the_reference_client_does() -> None:
    metric = Metric("x", Kind.GAUGE, ("b", "a"), 'back\\slash "quoted"\nnew line')
    families = [Family(metric, [('q"1', "l\n2"), ("\\", "电话")], lambda: [1.5, 2])]
    made = TheirMetric(metric.name, metric.told, "gauge")
    made.samples.append(Sample("x", {"b": 'q"1', "a": "l\n2"}, 1.5))
    made.samples.append(Sample("x", {"b": "\\", "a": "电话"}, 2))

    class One(Collector):
        def collect(self) -> list[TheirMetric]:
            return [made]

    registry = CollectorRegistry()
    registry.register(One())
    assert render(families, openmetrics=False) == generate_latest(registry)
    assert render(families, openmetrics=True) == generate_openmetrics(registry)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    "number",
    [0, 1, 999_999, 1_000_000, 1_234_567, 10**9, 10**15, 0.1, 2.5, 1e6, 1234567.25, 1e21, 1e-9, -3],
)
def test_numbers_are_written_as_the_reference_client_does(number: float) -> None:
    from prometheus_client.utils import floatToGoString  # noqa: PLC0415 - no types published

    assert write_number(number) == floatToGoString(number)  # type: ignore[no-untyped-call]


def test_an_exemplar_that_is_too_long_is_left_out() -> None:
    assert write_exemplar(Exemplar("c" * 118, 1_500)).endswith('"} 1.5')
    assert write_exemplar(Exemplar("c" * 119, 1_500)) == ""


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;"
         "version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", True),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.8", False),
        ("application/openmetrics-text;version=2.0.0,text/plain;q=0.1", False),
        ("application/openmetrics-text;q=nonsense", False),
    ],
)  # fmt: skip
def test_the_format_is_the_one_asked_for(accept: str, *, openmetrics: bool) -> None:
    assert wants_openmetrics(accept) is openmetrics


# --- label sets ---------------------------------------------------------------------------------


def test_every_label_set_exists_before_the_first_event(told: Telemetry) -> None:
    fresh = CenterMetrics(Measures(SAMPLE)).families()
    assert all(number == 0 for family in fresh if family.metric.kind is not Kind.GAUGE
               for number in family.read())  # fmt: skip
    before = {prefix for family in fresh for prefix in family.prefixes}
    after = {prefix for family in CenterMetrics(told.measures).families()
             for prefix in family.prefixes}  # fmt: skip
    assert before <= after
    moved = {prefix for prefix in after - before if "switchroom_sla_" not in prefix}
    assert moved == set(), "only a contact sent to another queue makes what nobody could foretell"


def test_recorded_journals_hold_no_other_reasons(sample_day: list[Entry]) -> None:
    seen = {
        (type(one).__name__, one.reason.value) for entry in sample_day for one in entry.decisions
    }
    listed = {(name, reason) for name, reasons in REASONS_OF.items() for reason in reasons}
    assert seen - listed == set(), "add them to router/measures_reasons.py"


def test_what_the_plan_did_not_foretell_is_counted_from_its_first_time_on() -> None:
    measures = Measures(SAMPLE)
    metrics = CenterMetrics(measures)
    before = count_series(metrics.families())
    assert ("sales", "complaint_update") not in promised_pairs(SAMPLE)
    from router.measures_lines import PromiseCounts  # noqa: PLC0415 - as a fold would

    measures.promises["sales", "complaint_update"] = PromiseCounts()
    measures.promises["sales", "gone"] = PromiseCounts()
    assert count_series(metrics.families()) == before + 4


def test_promises_are_foretold_where_contacts_come_and_overflow() -> None:
    pairs = promised_pairs(SAMPLE)
    assert ("care", "phone_answer") in pairs
    assert ("complaints", "complaint_acknowledged") in pairs
    assert ("partner", "phone_answer") not in pairs, "it starts at the arrival, in another queue"
    assert ("partner", "chat_next_reply") in pairs, "it may start after the overflow"


def test_arrivals_are_exits_and_waiting(told: Telemetry) -> None:
    families = {family.metric.name: family for family in told.families()}
    arrivals = families["switchroom_queue_arrivals"].read()
    exits = families["switchroom_queue_exits"].read()
    waiting = families["switchroom_queue_contacts"].read()
    assert sum(arrivals) == sum(exits) + sum(waiting) > 500
    assert len(exits) == len(arrivals) * len(QueueExit)


# --- the cap ------------------------------------------------------------------------------------


def many_queues(count: int) -> Center:
    names = [f"q{number:04d}" for number in range(count)]
    return replace(TINY, queues={**TINY.queues, **{name: Queue() for name in names}})


@pytest.mark.parametrize("count", [10, 40, 60, 100])
def test_handle_times_fold_first_and_promises_never(count: int) -> None:
    center = many_queues(count)
    families = {f.metric.name: f for f in CenterMetrics(Measures(center)).families()}
    total = count_series(families.values())
    handle = families["switchroom_contact_handle_seconds"].prefixes
    wait = families["switchroom_contact_wait_seconds"].prefixes
    folded_handle = any(f'queue="{OTHER}"' in prefix for prefix in handle)
    folded_wait = any(f'queue="{OTHER}"' in prefix for prefix in wait)
    assert total <= SERIES_MAX
    assert not folded_wait or len(handle) == 15, "handle times give way before waits"
    assert folded_handle == (total > SERIES_MAX - 40)
    pairs = promised_pairs(center)
    assert len(families["switchroom_sla_outcomes"].prefixes) == 2 * len(pairs)


def test_a_folded_histogram_holds_everything() -> None:
    measures = Measures(many_queues(260))
    for queue in ("q0003", "q0257", "q0258"):
        measures.line(queue, "phone").answered_waits.add(2_000, "c-1")
    families = {f.metric.name: f for f in CenterMetrics(measures).families()}
    wait = families["switchroom_contact_wait_seconds"]
    shown = dict(zip(wait.prefixes, wait.read(), strict=True))
    assert sum(n for p, n in shown.items() if p.startswith(f"{wait.metric.name}_count")) == 3
    assert shown[f'switchroom_contact_wait_seconds_bucket{{le="2.5",queue="{OTHER}"}} '] >= 2


def test_targets_of_the_plan_are_edges() -> None:
    edges = wait_edges_ms(SAMPLE, "care")
    assert {5_000, 20_000, 30_000, 60_000, 180_000} <= set(edges)
    later = wait_edges_ms(SAMPLE, "post")
    assert later[0] == 900_000
    assert 1_800_000 in later


# --- a worker that starts again -----------------------------------------------------------------


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_books_opened_at_work_agree_from_then_on(sample_day: list[Entry], cut: float) -> None:
    """Gauges at once, and what is counted afterwards, are those of who saw the whole day."""
    at = int(len(sample_day) * cut)
    router, whole = Router(), Measures()
    for entry in sample_day[:at]:
        router.handle(entry.stamped)
        whole.fold(entry.stamped, entry.decisions)
    opened = open_measures(Router.restore(router.snapshot()))
    assert counts_of(opened) == dict.fromkeys(counts_of(opened), 0)
    assert gauges_of(opened) == gauges_of(whole)
    before = counts_of(whole)
    for entry in sample_day[at:]:
        whole.fold(entry.stamped, entry.decisions)
        opened.fold(entry.stamped, entry.decisions)
    assert gauges_of(opened) == gauges_of(whole)
    after = counts_of(whole)
    since = {name: after[name] - before.get(name, 0) for name in after}
    assert anywhere(counts_of(opened)) == anywhere(since)


def anywhere(counts: dict[str, float]) -> dict[str, float]:
    """Leave out noughts, and the queue of promises: where a clock began is not remembered."""
    found: dict[str, float] = {}
    for name, number in counts.items():
        shown = re.sub('queue="[^"]*",', "", name) if "sla_outcomes" in name else name
        found[shown] = found.get(shown, 0) + number
    return {name: number for name, number in found.items() if number}


def gauges_of(measures: Measures) -> dict[str, float]:
    names = ("queue_contacts", "queue_oldest_contact_timestamp_seconds", "agents")
    return numbers_of(measures, names)


def counts_of(measures: Measures) -> dict[str, float]:
    names = ("queue_arrivals", "queue_exits", "sla_outcomes", "offers", "decisions")
    return numbers_of(measures, names)


def numbers_of(measures: Measures, names: tuple[str, ...]) -> dict[str, float]:
    wanted = {METRICS[name].name for name in names}
    return {
        prefix: number
        for family in CenterMetrics(measures).families()
        if family.metric.name in wanted
        for prefix, number in zip(family.prefixes, family.read(), strict=True)
    }


# --- documents ----------------------------------------------------------------------------------


def test_every_metric_is_documented_with_its_labels() -> None:
    text = (ROOT / "OBSERVABILITY.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(switchroom_\w+)` \| (\w+) \| ([\w, ]*) ?\| ", text, re.MULTILINE)
    told = {
        name: (kind, tuple(filter(None, labels.strip().split(", ")))) for name, kind, labels in rows
    }
    known = {metric.line_name: (metric.kind.value, metric.labels) for metric in METRICS.values()}
    assert told == known
