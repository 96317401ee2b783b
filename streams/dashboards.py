"""Make the boards for Grafana: supervisor, planner, engine; typed code in, JSON out.

A panel is a row in a table here. What all have (data source, matchers for job and instance,
`$__rate_interval`) is put in by one hand, so that no panel can lack it. The library's epoch is
pinned in pyproject.toml: it writes dashboard schema 41.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import common, dashboard, stat, timeseries
from grafana_foundation_sdk.builders import prometheus as prom
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import BigValueColorMode
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    VariableRefresh,
    VariableSort,
)

_SOURCE: Final = DataSourceRef(type_val="prometheus", uid="$datasource")
_MATCHED: Final = 'job=~"$job",instance=~"$instance"'
_COLUMNS: Final = 24


@dataclass(frozen=True)
class Drawn:
    """One panel: what it is called, what it says, its unit, its queries with their legends.

    In a query `{...}` is the braces of a selector: job and instance are put before what stands
    there, and `[$r]` is `[$__rate_interval]`.
    """

    title: str
    told: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    number: bool = False


@dataclass(frozen=True)
class Board:
    """One board: its file and address, its name, its rows of panels."""

    uid: str
    title: str
    told: str
    variables: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[Drawn, ...]], ...]


_Q: Final = 'queue=~"$queue"'
_OLDEST: Final = "switchroom_queue_oldest_contact_timestamp_seconds"
_T: Final = 'team=~"$team"'

SUPERVISOR: Final = Board(
    "switchroom-supervisor",
    "switchroom: supervisor",
    "Who waits, who works, and whether promises are kept, now.",
    (("queue", "label_values(switchroom_queue_contacts{JOB}, queue)"),
     ("team", "label_values(switchroom_agents{JOB}, team)")),
    (
        ("Now", (
            Drawn("Waiting", "Contacts waiting now.", "short",
                  ((f"sum(switchroom_queue_contacts{{{_Q}}})", "waiting"),), number=True),
            Drawn("Oldest", "How long the oldest contact has waited.", "s",
                  (((f"max((time() - {_OLDEST}{{{_Q}}})"
                     f" * ({_OLDEST}{{{_Q}}} > bool 0))"), "oldest"),), number=True),
            Drawn("Agents ready", "Signed-in agents who are idle.", "short",
                  ((f'sum(switchroom_agents{{{_T},state="idle"}})', "idle"),), number=True),
            Drawn("Alerts", "Alerts of these rules that fire.", "short",
                  (('sum(ALERTS{alertname=~"Switchroom.*",alertstate="firing"}) or vector(0)',
                    "firing"),), number=True),
        )),
        ("Queues", (
            Drawn("Waiting by queue", "Contacts waiting.", "short",
                  ((f"sum by (queue) (switchroom_queue_contacts{{{_Q}}})", "{{queue}}"),)),
            Drawn("Promises kept", "Share of promises met, each judged at its deadline; not the "
                  "service level.", "percentunit",
                  ((("sum by (queue, sla) (rate(switchroom_sla_outcomes_total"
                    f'{{{_Q},outcome="met"}}[$r]))\n/ (sum by (queue, sla) '
                    f"(rate(switchroom_sla_outcomes_total{{{_Q}}}[$r])) > 0)"),
                    "{{queue}} {{sla}}"),)),
            Drawn("Arrivals and exits", "Contacts a minute into and out of the lines.", "cpm",
                  ((f"60 * sum (rate(switchroom_queue_arrivals_total{{{_Q}}}[$r]))", "arrivals"),
                   (f"60 * sum by (exit) (rate(switchroom_queue_exits_total{{{_Q}}}[$r]))",
                    "{{exit}}"))),
            Drawn("Wait of nine in ten", "Estimated between the edges of the buckets.", "s",
                  ((("histogram_quantile(0.9, sum by (le, queue) "
                    f"(rate(switchroom_contact_wait_seconds_bucket{{{_Q}}}[$r])))\n"
                    "and on (queue) sum by (queue) "
                    f"(rate(switchroom_contact_wait_seconds_count{{{_Q}}}[$r])) > 0"),
                    "{{queue}}"),)),
        )),
        ("Agents", (
            Drawn("Agents by state", "Signed-in agents.", "short",
                  ((f"sum by (state) (switchroom_agents{{{_T}}})", "{{state}}"),)),
            Drawn("Offers", "Offers a minute by how they ended.", "cpm",
                  ((f"60 * sum by (outcome) (rate(switchroom_offers_total{{{_Q}}}[$r]))",
                    "{{outcome}}"),)),
        )),
    ),
)  # fmt: skip

PLANNER: Final = Board(
    "switchroom-planner",
    "switchroom: planner",
    "What came, how long it took, and what was promised.",
    (("queue", "label_values(switchroom_queue_contacts{JOB}, queue)"),
     ("team", "label_values(switchroom_agents{JOB}, team)")),
    (
        ("Demand", (
            Drawn("Arrivals by queue", "Contacts a quarter of an hour.", "short",
                  ((f"sum by (queue) (increase(switchroom_queue_arrivals_total{{{_Q}}}[15m]))",
                    "{{queue}}"),)),
            Drawn("Handle time", "Mean talk, hold and wrap-up.", "s",
                  ((("sum by (queue) (rate(switchroom_contact_handle_seconds_sum"
                    f"{{{_Q}}}[$r]))\n/ (sum by (queue) "
                    f"(rate(switchroom_contact_handle_seconds_count{{{_Q}}}[$r])) > 0)"),
                    "{{queue}}"),)),
        )),
        ("Promises", (
            Drawn("Kept, over a day", "Share of promises met in the last day, and the objective.",
                  "percentunit",
                  ((("sum by (queue, sla) (increase(switchroom_sla_outcomes_total"
                    f'{{{_Q},outcome="met"}}[1d]))\n/ (sum by (queue, sla) '
                    f"(increase(switchroom_sla_outcomes_total{{{_Q}}}[1d])) > 0)"),
                    "{{queue}} {{sla}}"),
                   (f"max by (queue, sla) (switchroom_sla_objective_ratio{{{_Q}}})",
                    "{{queue}} {{sla}} objective"))),
            Drawn("Answered within 20 s", "Answered contacts only; the reports' service level "
                  "counts who gave up, too.", "percentunit",
                  ((("sum by (queue) (rate(switchroom_contact_wait_seconds_bucket"
                    f'{{{_Q},le="20.0"}}[$r]))\n/ (sum by (queue) '
                    f"(rate(switchroom_contact_wait_seconds_count{{{_Q}}}[$r])) > 0)"),
                    "{{queue}}"),)),
        )),
        ("Staff", (
            Drawn("Signed in", "Agents by team.", "short",
                  ((f"sum by (team) (switchroom_agents{{{_T}}})", "{{team}}"),)),
            Drawn("Busy", "Share of signed-in agents who handle or wrap up.", "percentunit",
                  (((f'sum by (team) (switchroom_agents{{{_T},state=~"handling|wrap_up"}})\n'
                    f"/ (sum by (team) (switchroom_agents{{{_T}}}) > 0)"), "{{team}}"),)),
        )),
    ),
)  # fmt: skip

ENGINE: Final = Board(
    "switchroom-engine",
    "switchroom: engine",
    "How the workers themselves do.",
    (),
    (
        ("State", (
            Drawn("Workers up", "Workers that answer.", "short",
                  (("sum(up{})", "up"),), number=True),
            Drawn("Faults", "What must never happen, in the last day.", "short",
                  (("sum(increase(switchroom_faults_total{}[1d]))", "faults"),), number=True),
            Drawn("Age of the newest event", "Grows when nothing comes, or the loop hangs.", "s",
                  (("time() - max(switchroom_last_event_timestamp_seconds{} > 0)", "age"),),
                  number=True),
            Drawn("Configuration loaded", "When it was last loaded.", "dateTimeFromNow",
                  (("1000 * max(switchroom_config_last_reload_success_timestamp_seconds{})",
                    "loaded"),), number=True),
        )),
        ("Work", (
            Drawn("Events", "Events a second by what became of them.", "eps",
                  (("sum by (result) (rate(switchroom_events_total{}[$r]))", "{{result}}"),)),
            Drawn("Decisions", "Decisions a second by kind.", "ops",
                  (("sum by (decision) (rate(switchroom_decisions_total{}[$r]))",
                    "{{decision}}"),)),
            Drawn("Time to decide", "Nine and ninety-nine of a hundred, between edges.", "s",
                  ((("histogram_quantile(0.9, sum by (le) "
                    "(rate(switchroom_decision_duration_seconds_bucket{}[$r])))"), "p90"),
                   (("histogram_quantile(0.99, sum by (le) "
                    "(rate(switchroom_decision_duration_seconds_bucket{}[$r])))"), "p99"))),
            Drawn("Behind", "Records that came and are not decided yet.", "short",
                  (("sum by (topic, partition) (switchroom_consumer_lag_records{})",
                    "{{topic}}/{{partition}}"),)),
        )),
    ),
)  # fmt: skip

BOARDS: Final = (SUPERVISOR, PLANNER, ENGINE)


def board_files() -> dict[str, str]:
    """Return the files of all boards, with what Grafana needs to find them."""
    files = {f"dashboards/{board.uid}.json": board_json(board) for board in BOARDS}
    files["provisioning/dashboards/switchroom.yaml"] = _PROVIDER
    files["provisioning/datasources/switchroom.yaml"] = _DATASOURCE
    return files


def board_json(board: Board) -> str:
    """Return one board as JSON."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.told)
        .tags(["switchroom"])
        .refresh("10s")
        .time("now-1h", "now")
        .timezone("browser")
        .readonly()
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
        )
    )
    for name, query in variables_of(board):
        made = made.with_variable(_variable(name, query))
    for title, panels in board.rows:
        made = made.with_row(dashboard.Row(title))
        width = _COLUMNS // (4 if all(panel.number for panel in panels) else 2)
        for panel in panels:
            made = made.with_panel(_panel(panel, width))
    body = json.loads(JSONEncoder(sort_keys=True, indent=2).encode(made.build()))
    return json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def variables_of(board: Board) -> list[tuple[str, str]]:
    """Return the variables of a board that are queries: job and instance, then its own."""
    own = [(name, query.replace("JOB", _MATCHED)) for name, query in board.variables]
    return [
        ("job", "label_values(switchroom_build_info, job)"),
        ("instance", 'label_values(switchroom_build_info{job=~"$job"}, instance)'),
        *own,
    ]


def queries_of(board: Board) -> list[tuple[Drawn, str, str]]:
    """Return every query of a board: its panel, the expression, the legend."""
    return [
        (panel, expression(query), legend)
        for _, panels in board.rows
        for panel in panels
        for query, legend in panel.queries
    ]


def expression(query: str) -> str:
    """Put what all queries have into one: see `Drawn`."""
    if query.startswith("sum(ALERTS"):  # made by Prometheus itself, of no job
        return query
    matched = query.replace("{}", "{" + _MATCHED + "}").replace("{queue", "{" + _MATCHED + ",queue")
    return matched.replace("{team", "{" + _MATCHED + ",team").replace("[$r]", "[$__rate_interval]")


def _variable(name: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(name.capitalize())
        .datasource(_SOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .include_all(True)  # noqa: FBT003 - the builder's own form
        .all_value(".+")
        .multi(True)  # noqa: FBT003 - as above
    )


def _targets(panel: Drawn) -> Sequence[prom.Dataquery]:
    made = []
    for number, (query, legend) in enumerate(panel.queries):
        target = prom.Dataquery().expr(expression(query)).legend_format(legend)
        target = target.ref_id(chr(ord("A") + number)).datasource(_SOURCE)
        made.append(target.instant() if panel.number else target.range())
    return made


def _panel(panel: Drawn, width: int) -> Any:  # noqa: ANN401 - one of the library's builders
    made: Any
    if panel.number:
        last = common.ReduceDataOptions().calcs(["lastNotNull"])
        made = stat.Panel().color_mode(BigValueColorMode.VALUE).reduce_options(last).height(4)
    else:
        made = timeseries.Panel().fill_opacity(10).height(8)
    made = made.title(panel.title).description(panel.told).unit(panel.unit)
    made = made.datasource(_SOURCE).span(width)
    for target in _targets(panel):
        made = made.with_target(target)
    return made


_PROVIDER: Final = """\
apiVersion: 1
providers:
  - name: switchroom
    folder: switchroom
    type: file
    options: {path: /etc/grafana/dashboards/switchroom}
"""
_DATASOURCE: Final = """\
apiVersion: 1
datasources:
  - name: Prometheus
    type: prometheus
    access: proxy
    url: http://127.0.0.1:9090
    isDefault: true
    jsonData: {timeInterval: 15s}
"""
