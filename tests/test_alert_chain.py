"""The chain of alerts with real programs: an incident, a page, one call that names the queue, over.

The boards' queries are asked of the same Prometheus, while all is well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live_stage import Stage, wait_for

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
    calls = stage.called.notifications
    wait_for("the call", lambda: calls)
    stage.traffic.relent()
    wait_for("the call that all is well", lambda: calls[-1][1]["status"] == "resolved")
    firing = [(path, call) for path, call in calls if call["status"] == "firing"]
    assert [path for path, _ in firing] == ["/care/page"]
    assert firing[0][1]["groupLabels"] == {"queue": "billing"}
    assert [one["labels"]["alertname"] for one in firing[0][1]["alerts"]] == [
        "SwitchroomSlaBurnFast"
    ]
    assert stage.alerts("SwitchroomSlaBurnFast") == []
