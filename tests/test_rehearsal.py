"""Rehearsals: a simulated day as time series, and the alerts that it would have raised."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.loader import load_center
from router.measures import Measures
from router.measures_metrics import CenterMetrics
from simulation.day import simulate_day
from simulation.openmetrics import DayRecorder
from simulation.options import for_center
from streams.rehearsal import RehearsalError, firings, rehearse, span_of
from streams.rules import rules_text
from tests.prometheus_tools import find_tool
from tests.test_rules import centre

TINY = load_center(Path(__file__).parent.parent / "configs" / "tiny").center
START_S = 1_767_603_600
MINUTE = 60


@pytest.mark.parametrize(
    ("held", "wait", "keep", "fires"),
    [
        ([5, 6, 7], 0, 0, [(5, 8)]),
        ([5, 6, 7], 2, 0, [(7, 8)]),
        ([5, 6, 7], 3, 0, []),
        ([5, 7, 8, 9], 2, 0, [(9, 10)]),
        ([5, 6, 9, 10], 0, 5, [(5, 15)]),
        ([5, 6, 20], 0, 5, [(5, 11), (20, 25)]),
        ([28, 29, 30], 0, 5, [(28, None)]),
    ],
)
def test_for_and_keep_firing_for(
    held: list[int], wait: int, keep: int, fires: list[tuple[int, int | None]]
) -> None:
    found = firings(
        [minute * MINUTE for minute in held],
        wait_s=wait * MINUTE, keep_s=keep * MINUTE, end_s=30 * MINUTE,
    )  # fmt: skip
    assert found == [
        (start * MINUTE, None if end is None else end * MINUTE) for start, end in fires
    ]


def test_a_day_is_written_with_a_sample_a_minute_and_ends_as_it_was_counted(tmp_path: Path) -> None:
    options = for_center(TINY, 3, length_ms=1_800_000)
    recorder, measures = DayRecorder(TINY, options.start_ms), Measures()
    simulate_day(
        TINY, options,
        listeners=(recorder.hear, lambda e: measures.fold(e.stamped, e.decisions)),
    )  # fmt: skip
    recorder.advance(options.start_ms + options.length_ms + 60_000)
    path = tmp_path / "day.om"
    recorder.write(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    arrivals = [line.split() for line in lines if "queue_arrivals_total{" in line]
    assert all('instance="simulated",job="switchroom"' in name for name, _, _ in arrivals)
    last_s = max(int(at_s) for _, _, at_s in arrivals)
    assert last_s == (options.start_ms + options.length_ms) // 1000 + 60
    told = sum(float(number) for _, number, at_s in arrivals if int(at_s) == last_s)
    live = {f.metric.name: f for f in CenterMetrics(measures).families()}
    assert told == sum(live["switchroom_queue_arrivals"].read()) > 0
    assert span_of(path)[1] == last_s


def test_a_rehearsed_day_pages_when_the_arithmetic_says(tmp_path: Path) -> None:
    """A quarter of an hour of quiet, half an hour with every promise broken, quiet again."""
    find_tool("prometheus")
    center = centre(a=80)
    queue = next(iter(center.queues))
    (tmp_path / "rules.yml").write_text(rules_text(center), encoding="utf-8")
    lines = ["# HELP switchroom_sla_outcomes x", "# TYPE switchroom_sla_outcomes counter"]
    for outcome in ("met", "breached"):
        value = 0
        for minute in range(90):
            broken = 20 <= minute < 50
            at_s = START_S + minute * MINUTE
            name = f'switchroom_sla_outcomes_total{{outcome="{outcome}",queue="{queue}",sla="a"}}'
            lines.append(f"{name} {value} {at_s}")
            value += 60 if broken == (outcome == "breached") else 0
    day = tmp_path / "day.om"
    day.write_text("\n".join([*lines, "# EOF", ""]), encoding="utf-8")
    found = {
        one.alert: one for one in rehearse(day, tmp_path / "rules.yml", tmp_path)
        if one.labels.get("sla") == "a"
    }  # fmt: skip
    fast = found["SwitchroomSlaBurnFast"]
    assert fast.labels == {"queue": queue, "sla": "a", "team": fast.labels["team"]}
    assert (fast.from_s - START_S) // MINUTE == pytest.approx(20 + 12, abs=2)
    assert fast.until_s is not None
    assert (fast.until_s - START_S) // MINUTE == pytest.approx(51 + 5, abs=2)
    assert fast.severity == "page"


def test_half_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "day.om"
    path.write_text("x 1 5\n", encoding="utf-8")
    with pytest.raises(RehearsalError, match="not a whole file"):
        span_of(path)
