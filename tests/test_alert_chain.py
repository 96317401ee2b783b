"""The chain of alerts with real programs: an incident, a page, one call that names the queue, over.

The boards' queries are asked of the same Prometheus, while all is well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.dashboards import BOARDS, queries_of, variables_of
from tests.live_stage import AGENTS, REQUIRED, Stage, wait_for

pytestmark = pytest.mark.xdist_group("prometheus")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(Path(tmp_path_factory.mktemp("stage"))) as stage:
        yield stage


def test_an_incident_pages_once_and_is_over(stage: Stage) -> None:
    wait_for(
        "contacts that are answered in time",
        lambda: stage.query('increase(switchroom_sla_outcomes_total{outcome="met"}[10s]) > 100'),
    )
    assert stage.query("ALERTS{alertstate='firing'}") == []
    stage.traffic.strike()
    (alert,) = wait_for("the alert", lambda: stage.alerts("SwitchroomSlaBurnFast"))
    assert alert["labels"] == {
        "alertname": "SwitchroomSlaBurnFast", "queue": "billing", "severity": "page",
        "sla": "quick", "team": "care",
    }  # fmt: skip
    assert alert["annotations"]["summary"].startswith("billing breaches 9") or alert["annotations"][
        "summary"
    ].startswith("billing breaches 100%")
    assert "agents of care away" in alert["annotations"]["description"]

    def calls() -> list[tuple[str, dict[str, Any]]]:
        # Who is paged; tickets may come beside it, as the slower pairs of the same promise.
        return [one for one in stage.called.notifications if one[0] == "/care/page"]

    wait_for("the call", calls)
    stage.traffic.relent()
    wait_for("the call that all is well", lambda: calls()[-1][1]["status"] == "resolved")
    firing = [(path, call) for path, call in calls() if call["status"] == "firing"]
    assert [path for path, _ in firing] == ["/care/page"]
    assert firing[0][1]["groupLabels"] == {"queue": "billing"}
    assert [one["labels"]["alertname"] for one in firing[0][1]["alerts"]] == [
        "SwitchroomSlaBurnFast"
    ]
    assert stage.alerts("SwitchroomSlaBurnFast") == []


def fill_in(query: str) -> str:
    """Put in what Grafana puts in for its variables."""
    for name in ("job", "instance", "queue", "team"):
        query = query.replace(f"${name}", ".+")
    return query.replace("$__rate_interval", "10s")


def test_every_query_of_every_board_has_an_answer(stage: Stage) -> None:
    """Nothing empty, nothing that is no number, from a worker with traffic."""
    wait_for(
        "handled contacts",
        lambda: stage.query("sum(increase(switchroom_contact_handle_seconds_count[10s])) > 50"),
    )
    answers: dict[str, list[str]] = {}
    for board in BOARDS:
        for panel, query, _ in queries_of(board):
            values = [one["value"][1] for one in stage.query(fill_in(query))]
            answers[f"{board.uid}: {panel.title}: {query}"] = values
        for name, query in variables_of(board):
            found = re.fullmatch(r"label_values\((.*), (\w+)\)", query, re.DOTALL)
            assert found is not None
            values = [one["value"][1] for one in stage.query(
                f"group by ({found[2]}) ({fill_in(found[1])})")]  # fmt: skip
            answers[f"{board.uid}: variable {name}"] = values
    assert len(answers) > 30
    assert [name for name, values in answers.items() if not values] == []
    assert [name for name, values in answers.items() if "NaN" in values] == []


def test_exemplars_lead_from_a_bucket_to_a_contact(stage: Stage) -> None:
    found = wait_for("exemplars", lambda: stage.exemplars("switchroom_contact_wait_seconds_bucket"))
    assert all(re.fullmatch(r"c-\d+", one["labels"]["contact_id"]) for one in found)


def test_a_team_that_is_scheduled_and_not_there_pages(stage: Stage) -> None:
    """Who is scheduled comes from the staffing file; here all of them go home."""
    for name, expected in ("scheduled", AGENTS), ("required", REQUIRED):
        (found,) = stage.query(f"switchroom_agents_{name}")
        assert (found["metric"]["team"], float(found["value"][1])) == ("care", expected)
    assert stage.alerts("SwitchroomNoAgent") == []
    stage.traffic.go_home()
    (alert,) = wait_for("the alert", lambda: stage.alerts("SwitchroomNoAgent"))
    assert alert["labels"]["team"] == "care"
    assert alert["annotations"]["summary"].startswith("nobody of care is signed in")
