"""Alert rules: the arithmetic of a day's budget, and what promtool and amtool say of the files."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

import switchroom
from configs.burn_rates import (
    AlertPlan,
    Burn,
    least_contacts,
    plan_alerts,
    usual_open_minutes,
)
from configs.loader import load_center
from router.center import ALWAYS, Calendar, Center, ClockKind, OpeningTable, Promise
from router.measures_metrics import METRICS
from streams.rules import Scale, rules_text
from streams.rules_routes import ROUTES_FILE, routes_text
from streams.rules_tests import rule_tests_text
from tests.prometheus_tools import must_run, run_tool

ROOT = Path(__file__).parent.parent
TINY = load_center(ROOT / "configs" / "tiny").center
SAMPLE = load_center(ROOT / "configs" / "sample").center
MINUTE_MS = 60_000
DAY_MS = 1_440 * MINUTE_MS


def open_for(minutes: int) -> Calendar:
    """Five days a week open for so many minutes, with a break in the middle."""
    half, days = minutes * MINUTE_MS // 2, [n * DAY_MS for n in range(10) if n % 7 < 5]
    stretches = [
        (day + start, day + start + half) for day in days for start in (0, half + 30 * MINUTE_MS)
    ]
    workdays = [(day, day + 2 * half + 30 * MINUTE_MS) for day in days]
    table = OpeningTable(open_ms=tuple(stretches), workdays_ms=tuple(workdays))
    return Calendar(zone="UTC", hours={}, years=(1970,), table=table)


def centre(minutes: int = 600, **objectives: int) -> Center:
    """Return the tiny centre, open so long, with a promise of 20 s for each objective."""
    promises = {
        name: Promise(kind=kind, target_ms=20_000, objective_percent=percent, calendar="office")
        for (name, percent), kind in zip(objectives.items(), ClockKind, strict=False)
    }
    return replace(TINY, promises=promises, calendars={"office": open_for(minutes)})


def burns_of(plan: AlertPlan, sla: str) -> dict[str, Burn]:
    queue = next(burn.queue for burn in plan.burns if burn.sla == sla)
    return {b.pair.name: b for b in plan.burns if (b.queue, b.sla) == (queue, sla)}


# --- arithmetic ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("objective", "fast", "slow", "ticket"),
    [(80, "4/5", "2/5", "1/5"), (90, "2/5", "1/5", "1/10"), (95, "1/5", "1/10", "1/20")],
)
def test_thresholds_of_ten_hours(objective: int, fast: str, slow: str, ticket: str) -> None:
    burns = burns_of(plan_alerts(centre(a=objective)), "a")
    found = [burns[name].threshold for name in ("fast", "slow", "ticket")]
    assert found == [Fraction(fast), Fraction(slow), Fraction(ticket)]
    assert not any(burn.capped for burn in burns.values())


def test_the_day_is_the_median_open_day() -> None:
    centre_ = centre(a=80)
    queue = next(iter(centre_.queues))
    assert usual_open_minutes(centre_, queue, centre_.promises["a"]) == 600
    always = replace(centre_.promises["a"], calendar=ALWAYS)
    assert usual_open_minutes(centre_, queue, always) == 1_440


@pytest.mark.parametrize(("objective", "fast", "slow"), [(80, 7, 28), (90, 15, 60), (95, 35, 140)])
def test_guards_are_where_chance_ends(objective: int, fast: int, slow: int) -> None:
    burns = burns_of(plan_alerts(centre(a=objective)), "a")
    assert (burns["fast"].guard, burns["slow"].guard, burns["ticket"].guard) == (fast, slow, 60)


def test_no_number_of_contacts_tells_a_threshold_on_the_promise_itself() -> None:
    assert least_contacts(20, Fraction(1, 5), 0.01) == 0


def test_minutes_to_the_alarm_at_eighty_percent() -> None:
    burns = burns_of(plan_alerts(centre(a=80)), "a")
    times = {name: float(burn.fires_after(Fraction(1))) for name, burn in burns.items()}
    assert times == {"fast": 12, "slow": 24, "ticket": 36}
    assert float(burns["slow"].fires_after(Fraction(45, 100))) == pytest.approx(53.3, abs=0.1)


def test_the_textbook_factors_can_never_fire_here() -> None:
    for factor in (Fraction(144, 10), Fraction(6)):
        assert factor * Fraction(20, 100) > 1
    assert all(burn.threshold < 1 for burn in plan_alerts(SAMPLE).burns)


def test_a_threshold_above_nine_tenths_is_lowered_and_says_what_is_spent() -> None:
    plan = plan_alerts(centre(a=70))
    fast = burns_of(plan, "a")["fast"]
    assert (fast.threshold, fast.capped) == (Fraction(9, 10), True)
    assert float(fast.share) == pytest.approx(0.9 * 15 / (600 * 0.3))
    assert any("0.90, not 1.20: fires with 7.5%" in note for note in plan.notes)
    all_day = replace(centre(a=80), calendars={"office": open_for(1_380)})
    assert burns_of(plan_alerts(all_day), "a")["fast"].threshold == Fraction(9, 10)


def test_a_pair_that_would_fire_while_the_promise_is_kept_is_dropped() -> None:
    plan = plan_alerts(centre(240, a=80))
    assert list(burns_of(plan, "a")) == ["fast"]
    assert sum("while the promise is kept; dropped" in note for note in plan.notes) >= 2


def test_slow_promises_wake_nobody_and_certain_ones_have_no_budget() -> None:
    slow = centre(a=80)
    slow = replace(slow, promises={"a": replace(slow.promises["a"], target_ms=1_800_000)})
    assert list(burns_of(plan_alerts(slow), "a")) == ["ticket"]
    plan = plan_alerts(centre(a=100))
    assert (plan.burns, "no budget to burn" in plan.notes[0]) == ((), True)


def test_a_queue_stands_after_twice_its_longest_target() -> None:
    stalls = {stall.queue: stall for stall in plan_alerts(SAMPLE).stalls}
    assert (stalls["partner"].limit_s, stalls["partner"].slow) == (120, False)
    assert (stalls["post"].limit_s, stalls["post"].slow) == (3_600, True)


# --- files --------------------------------------------------------------------------------------


def written(folder: Path, center: Center) -> Path:
    (folder / "switchroom.rules.yml").write_text(rules_text(center), encoding="utf-8")
    (folder / "switchroom.rules.test.yml").write_text(rule_tests_text(center), encoding="utf-8")
    (folder / ROUTES_FILE).write_text(routes_text(center), encoding="utf-8")
    return folder


@pytest.mark.parametrize("scale", [1, 60, 90])
def test_promtool_finds_nothing_to_mend(tmp_path: Path, scale: int) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(rules_text(SAMPLE, Scale(scale)), encoding="utf-8")
    must_run("promtool", ["check", "rules", "--lint-fatal", str(path)])


def test_every_alert_fires_and_is_silent_when_it_should(tmp_path: Path) -> None:
    folder = written(tmp_path, centre(a=80, b=95))
    must_run("promtool", ["test", "rules", str(folder / "switchroom.rules.test.yml")])


def test_the_tests_find_an_alert_with_another_ones_threshold(tmp_path: Path) -> None:
    folder = written(tmp_path, centre(240, a=80))
    path = folder / "switchroom.rules.yml"
    text = path.read_text(encoding="utf-8")
    spoilt = re.sub(r"expr: vector\(0\.32\)", "expr: vector(0.6)", text)
    assert spoilt != text
    path.write_text(spoilt, encoding="utf-8")
    done = run_tool("promtool", "test", "rules", str(folder / "switchroom.rules.test.yml"))
    assert done.returncode == 1, done.stdout + done.stderr


def test_alertmanager_routes_by_team_and_severity(tmp_path: Path) -> None:
    path = written(tmp_path, SAMPLE) / ROUTES_FILE
    must_run("amtool", ["check-config", str(path)])
    for team in ("care", "technical", "sales", "partner"):
        for severity in ("page", "ticket"):
            labels = [f"team={team}", f"severity={severity}", "queue=x"]
            told = must_run(
                "amtool", ["config", "routes", "test", f"--config.file={path}", *labels]
            )
            assert f"{team}-{severity}" in told
    for severity in ("page", "ticket"):
        labels = ["alertname=SwitchroomDown", f"severity={severity}"]
        told = must_run("amtool", ["config", "routes", "test", f"--config.file={path}", *labels])
        assert f"operations-{severity}" in told


def test_rules_name_only_metrics_that_exist() -> None:
    text = rules_text(SAMPLE)
    named = set(re.findall(r"(?<![\w:])switchroom_\w+(?=[{\[ )])", text))
    known = {metric.line_name for metric in METRICS.values()}
    assert named - known == set()
    assert len(named) >= 9


def test_the_committed_rules_are_those_of_the_sample_centre() -> None:
    call = [
        "rules",
        str(ROOT / "configs/sample"),
        "-o",
        str(ROOT / "configs/prometheus"),
        "--check",
    ]
    done = CliRunner().invoke(switchroom.build(), call)
    assert done.exit_code == 0, "run switchroom rules configs/sample -o configs/prometheus"


def test_check_says_which_files_differ(tmp_path: Path) -> None:
    runner, app = CliRunner(), switchroom.build()
    call = ["rules", str(ROOT / "configs/tiny"), "-o", str(tmp_path)]
    assert runner.invoke(app, [*call, "--check"]).exit_code == 1
    first = runner.invoke(app, call)
    assert first.exit_code == 0
    assert len(list(tmp_path.iterdir())) == 3
    assert runner.invoke(app, [*call, "--check"]).exit_code == 0
    assert runner.invoke(app, [*call, "--scale", "90", "--check"]).exit_code == 1


def test_the_committed_prometheus_configuration_is_one() -> None:
    path = ROOT / "configs" / "prometheus" / "prometheus.yml"
    must_run("promtool", ["check", "config", str(path)])


def test_scaled_durations_are_whole_seconds() -> None:
    scale = Scale(90)
    assert [scale.window(minutes) for minutes in (5, 15, 60, 180)] == ["4s", "10s", "40s", "2m"]
    assert Scale().window(90) == "90m"
    assert Scale().seconds(0) == "0s"
