"""Boards: generated is committed, and the rules of the dashboard linter hold."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from router.measures_metrics import METRICS
from router.measures_text import Kind
from streams.dashboards import BOARDS, Board, board_files, queries_of, variables_of
from streams.generated import differing
from tests.prometheus_tools import must_run

ROOT = Path(__file__).parent.parent
MADE = board_files()


def panels_of(board: Board) -> list[dict[str, Any]]:
    body = json.loads(MADE[f"dashboards/{board.uid}.json"])
    return [panel for panel in body["panels"] if panel["type"] != "row"]


def names_of_metrics() -> set[str]:
    names = {metric.line_name for metric in METRICS.values()}
    for metric in METRICS.values():
        if metric.kind is Kind.HISTOGRAM:
            names |= {f"{metric.name}_{part}" for part in ("bucket", "sum", "count")}
    return names


def test_the_committed_boards_are_those_of_the_code() -> None:
    stale = differing(ROOT / "configs" / "grafana", MADE)
    assert stale == [], "run switchroom dashboards -o configs/grafana"


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_panels_keep_the_linters_rules(board: Board) -> None:
    titles = [panel["title"] for panel in panels_of(board)]
    assert len(set(titles)) == len(titles)
    for panel in panels_of(board):
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "$datasource"}
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "$datasource"
            assert target["legendFormat"], panel["title"]
            for selector in re.findall(r"switchroom_\w+\{([^}]*)\}|up\{([^}]*)\}", target["expr"]):
                assert 'job=~"$job",instance=~"$instance"' in "".join(selector), target["expr"]
            if re.search(r"\b(i?rate)\(", target["expr"]):
                assert "[$__rate_interval]" in target["expr"], target["expr"]
            bare = re.sub(r'"[^"]*"|\{[^}]*\}', "", target["expr"])
            assert "switchroom_" not in re.sub(r"switchroom_\w+(?=[\[ )\n]|$)", "", bare)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_boards_name_metrics_and_labels_that_exist(board: Board) -> None:
    known = names_of_metrics()
    text = " ".join(query for _, query, _ in queries_of(board))
    text += " ".join(query for _, query in variables_of(board))
    assert set(re.findall(r"switchroom_\w+", text)) - known == set()
    labels = {label for metric in METRICS.values() for label in metric.labels}
    labels |= {"job", "instance", "le", "alertname", "alertstate"}
    assert set(re.findall(r'(\w+)=~?"', text)) - labels == set()


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_promtool_can_read_every_query(board: Board, tmp_path: Path) -> None:
    rules = [
        {"record": f"board:panel:{number}", "expr": query.replace("$__rate_interval", "5m")}
        for number, (_, query, _) in enumerate(queries_of(board))
    ]
    path = tmp_path / "board.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": rules}]}))
    must_run("promtool", ["check", "rules", str(path)])


def test_panels_do_not_lie_on_one_another() -> None:
    for board in BOARDS:
        seen: set[tuple[int, int]] = set()
        for panel in panels_of(board):
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & seen, (board.uid, panel["title"])
            assert place["x"] + place["w"] <= 24
            seen |= cells
