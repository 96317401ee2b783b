"""`switchroom plan` and `switchroom compare`, as a planner calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from switchroom import build

SCENARIOS = Path("configs/scenarios").resolve()


def call(*words: str) -> tuple[int, str]:
    """Run the command and return its exit code and what it printed."""
    done = CliRunner().invoke(build(), list(words))
    return done.exit_code, done.output


def what_if(path: Path, *lines: str) -> Path:
    """Write a scenario that changes the tiny one."""
    text = [f"name: {path.stem}", f"base: {SCENARIOS / 'tiny.yaml'}", *lines]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return path


def test_a_plan_answers_in_one_sentence_and_one_table(tmp_path: Path) -> None:
    code, said = call("plan", "tiny", "--days", "20", "--workers", "1", "-o", str(tmp_path))
    assert code == 0, said
    assert said.startswith("The target of 80 % is met: 9")
    assert "09:00" in said
    assert "of the 20 days played miss it" in said
    assert "answered in time over offered less short" in said
    written = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert written["days"] == 20
    assert len(written["intervals"]) == 8
    table = (tmp_path / "intervals.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == 9
    assert "service_level_low" in table[0]


def test_a_promise_that_is_missed_fails_with_4() -> None:
    code, said = call(
        "plan", "tiny", "--days", "4", "--workers", "1", "--json", "--fail-under", "99.9"
    )
    assert code == 4
    result = json.loads(said.splitlines()[0])
    assert result["service_level"]["value"] < 0.999
    assert call("plan", "tiny", "--target", "80:20")[0] == 2


def test_no_change_is_exactly_no_difference(tmp_path: Path) -> None:
    same = what_if(tmp_path / "same.yaml")
    code, said = call("compare", "tiny", str(same), "--days", "6", "--workers", "1", "--json")
    assert code == 0, said
    (comparison,) = json.loads(said)
    for row in comparison["rows"]:
        assert row["change"] == {"value": 0.0, "low": 0.0, "high": 0.0}, row["measure"]
    assert "exactly the same on all 6 days" in comparison["sentence"]


def test_more_demand_is_surely_worse_on_few_pairs(tmp_path: Path) -> None:
    busier = what_if(tmp_path / "busier.yaml", "changes:", "  - {demand: 2.5}")
    code, said = call("compare", "tiny", str(busier), "--days", "12", "--workers", "1", "--json")
    assert code == 0, said
    (comparison,) = json.loads(said)
    level = comparison["rows"][0]
    assert level["measure"] == "service level"
    assert level["sure"]
    assert level["change"]["high"] < 0
    single = level["after"]["high"] - level["after"]["low"]
    assert level["change"]["high"] - level["change"]["low"] < 1.5 * single


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("{demand: 1.1, bot: 0.2}", "a change says one thing; this one says demand, bot"),
        ("{bot: 0.2, only: [order_call]}", 'did you mean "order_calls"?'),
        ("{replace: {demand.order_calls.handle.mena: 3m}}", 'did you mean "mean"?'),
        ("{replace: {center.queues.orders.agent_policy: best}}", "center.queues.orders"),
    ],
)
def test_a_change_that_does_not_fit_is_told_at_its_line(
    tmp_path: Path, change: str, message: str
) -> None:
    wrong = what_if(tmp_path / "wrong.yaml", "changes:", f"  - {change}")
    code, said = call("plan", str(wrong), "--days", "1")
    assert code == 1
    assert "wrong.yaml:4:" in said
    assert message in said


def test_help_names_both_commands() -> None:
    code, said = call("--help")
    assert code == 0
    assert " plan " in said
    assert " compare " in said


def test_a_planned_day_is_written_as_a_live_one_would_be(tmp_path: Path) -> None:
    journal, metrics = tmp_path / "day.jsonl", tmp_path / "day.om"
    code, said = call(
        "plan", "tiny", "--days", "2", "--workers", "1",
        "--journal", str(journal), "--openmetrics", str(metrics),
    )  # fmt: skip
    assert code == 0, said
    code, said = call("replay", str(journal))
    assert code == 0, said
    assert "same decisions" in said
    code, said = call("explain", "--journal", str(journal), "order_calls-3")
    assert "assigned to" in said
    text = metrics.read_text(encoding="utf-8")
    assert text.endswith("# EOF\n")
    assert 'switchroom_queue_arrivals_total{instance="simulated",job="switchroom"' in text
