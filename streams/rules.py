"""Write the alert rules of a centre for Prometheus, from its configuration alone.

What belongs to the centre (thresholds, guards, limits) stands in records of constants, so that
the alerts themselves are the same everywhere, and the arithmetic can be tested. Prometheus 2.42
to 3.x: no group-level offset, no names beyond ASCII, and no test that asserts the value of a
`rate()`. The arithmetic is in `configs.burn_rates`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import yaml

from configs.burn_rates import PAIRS, AlertPlan, Pair, plan_alerts
from router.center import Center
from router.checks import config_hash

RULES_FILE: Final = "switchroom.rules.yml"
RUNBOOK: Final = "OBSERVABILITY.md#alerts"
THRESHOLD: Final = "queue_sla_pair:switchroom_sla_burn_threshold:ratio"
GUARD: Final = "queue_sla_pair:switchroom_sla_burn_guard:contacts"
LIMIT: Final = "queue:switchroom_stall_limit:seconds"
CONFIG: Final = "switchroom:rules_config:info"
# Alert, pace of the limit, minutes without an answer, minutes to wait.
STALLS: Final = (
    ("SwitchroomQueueStalled", "fast", 5, 2),
    ("SwitchroomDeferredQueueStalled", "slow", 60, 15),
)
_PAIR_TOLD: Final = {
    "fast": "a tenth of the day's budget for broken promises burns in a quarter of an hour",
    "slow": "a fifth of the day's budget for broken promises burns in an hour",
    "ticket": "three tenths of the day's budget for broken promises burn in three hours",
}


class Block(str):
    """A text that YAML writes as a block of lines."""

    __slots__ = ()


class Dumper(yaml.SafeDumper):
    """Write rules as people do: expressions as blocks, nothing folded, no aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - as the base class
        """Write equal things twice."""
        return True


def _write_block(dumper: yaml.SafeDumper, data: Block) -> yaml.ScalarNode:
    style = "|" if "\n" in data else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(data), style=style)


Dumper.add_representer(Block, _write_block)


def to_yaml(body: object, head: str) -> str:
    """Write a document below a head of comments."""
    text = yaml.dump(body, Dumper=Dumper, sort_keys=False, width=10_000, allow_unicode=True)
    return f"{head}{text}"


@dataclass(frozen=True)
class Scale:
    """Divide windows and waits, so that a test sees in seconds what takes minutes.

    Durations are rounded up to whole seconds: shorter ones hold too few scrapes.
    """

    factor: int = 1

    def window(self, minutes: int) -> str:
        """Write a duration of so many minutes."""
        return self.seconds(minutes * 60)

    def seconds(self, seconds: int) -> str:
        """Write a duration of so many seconds."""
        scaled = -(-seconds // self.factor) if seconds else 0
        for unit, size in (("h", 3_600), ("m", 60)):
            if scaled and scaled % size == 0:
                return f"{scaled // size}{unit}"
        return f"{scaled}s"


def head_of(center: Center, scale: Scale) -> str:
    """Return the comment that says where a file comes from."""
    scaled = "" if scale.factor == 1 else f" --scale {scale.factor}"
    return (
        f"# Made by `switchroom rules{scaled}` from {center.name} version {center.version}, hash\n"
        f"# {config_hash(center)}. Change the configuration and make it again.\n"
    )


def rules_text(center: Center, scale: Scale | None = None) -> str:
    """Return the rules of a centre."""
    scale = scale or Scale()
    plan = plan_alerts(center)
    groups = [
        {"name": "switchroom-plan", "rules": [*_constants(plan, center, scale)]},
        {"name": "switchroom-sli", "rules": [*_ratios(scale)]},
        {"name": "switchroom-alerts", "rules": [*_alerts(scale)]},
    ]
    return to_yaml({"groups": groups}, head_of(center, scale))


def _constants(plan: AlertPlan, center: Center, scale: Scale) -> Iterable[dict[str, Any]]:
    for burn in plan.burns:
        labels = {"queue": burn.queue, "sla": burn.sla, "pair": burn.pair.name}
        threshold = f"vector({round(float(burn.threshold), 6):g})"
        yield {"record": THRESHOLD, "expr": threshold, "labels": {**labels, "team": burn.team}}
        yield {"record": GUARD, "expr": f"vector({burn.guard})", "labels": labels}
    for stall in plan.stalls:
        labels = {
            "queue": stall.queue,
            "team": stall.team,
            "pace": "slow" if stall.slow else "fast",
        }
        limit = -(-stall.limit_s // scale.factor)
        yield {"record": LIMIT, "expr": f"vector({limit})", "labels": labels}
    yield {"record": CONFIG, "expr": "vector(1)", "labels": {"config_hash": config_hash(center)}}


def _ratios(scale: Scale) -> Iterable[dict[str, Any]]:
    for minutes in sorted({minutes for pair in PAIRS for minutes in (pair.long, pair.short)}):
        window = scale.window(minutes)
        yield {
            "record": ratio_name(minutes),
            "expr": Block(
                "sum by (queue, sla) (rate("
                f'switchroom_sla_outcomes_total{{outcome="breached"}}[{window}]))\n'
                f"/ (sum by (queue, sla) (rate(switchroom_sla_outcomes_total[{window}])) > 0)\n"
            ),
        }


def ratio_name(minutes: int) -> str:
    """Return the record of the breach ratio over a window: its unscaled name, always."""
    return f"queue_sla:switchroom_sla_breach:ratio_rate{Scale().window(minutes)}"


def burn_expr(pair: Pair, scale: Scale) -> str:
    """Return the condition of one burn alert, for all queues and promises."""
    matched = f'{THRESHOLD}{{pair="{pair.name}"}}'
    window = scale.window(pair.long)
    return (
        f"({ratio_name(pair.long)}\n  > on (queue, sla) group_left (team) {matched})\n"
        "and on (queue, sla)\n"
        f"({ratio_name(pair.short)}\n  > on (queue, sla) {matched})\n"
        "and on (queue, sla)\n"
        f"(sum by (queue, sla) (increase(switchroom_sla_outcomes_total[{window}]))\n"
        f'  >= on (queue, sla) {GUARD}{{pair="{pair.name}"}})\n'
    )


def stall_expr(pace: str, window: str) -> str:
    """Return the condition that a queue stands: somebody waits, nobody was answered for long."""
    return (
        "(time() - min by (queue) (switchroom_queue_oldest_contact_timestamp_seconds > 0))\n"
        f'  > on (queue) group_left (team) {LIMIT}{{pace="{pace}"}}\n'
        "unless on (queue)\n"
        f'(sum by (queue) (rate(switchroom_queue_exits_total{{exit="answered"}}[{window}])) > 0)\n'
    )


_WAITING: Final = (
    '{{ range printf "sum(switchroom_queue_contacts{queue=%q})" $labels.queue | query }}'
    "{{ . | value | humanize }} waiting{{ end }}"
)
_AWAY: Final = (
    "{{ range printf \"sum(switchroom_agents{team=%q,state='away'})\" $labels.team | query }}"
    "{{ . | value | humanize }} agents of {{ $labels.team }} away{{ end }}"
)


def _alerts(scale: Scale) -> Iterable[dict[str, Any]]:
    for pair in PAIRS:
        told = Scale().window(pair.long)
        yield _alert(
            pair.alert,
            burn_expr(pair, scale),
            pair.severity,
            f"{{{{ $labels.queue }}}} breaches {{{{ $value | humanizePercentage }}}} of "
            f"{{{{ $labels.sla }}}} ({told})",
            f"{_PAIR_TOLD[pair.name]}; {_WAITING}, {_AWAY}",
            keep=scale.window(pair.short),
            board="switchroom-supervisor",
        )
    stalled = "{{ $labels.queue }} answers nobody; the oldest waits {{ $value | humanizeDuration }}"
    for name, pace, minutes, wait in STALLS:
        yield _alert(
            name,
            stall_expr(pace, scale.window(minutes)),
            "page",
            stalled,
            f"{_WAITING}, {_AWAY}",
            wait=scale.window(wait),
            board="switchroom-supervisor",
        )
    for name, expr, severity, wait_s, summary in _ENGINE_ALERTS:
        yield _alert(
            name,
            expr.replace("[5m]", f"[{scale.window(5)}]").replace("[10m]", f"[{scale.window(10)}]"),
            severity,
            summary,
            wait=scale.seconds(wait_s) if wait_s else "",
        )


_ENGINE_ALERTS: Final = (
    ("SwitchroomNoAgent",
     "sum by (team) (switchroom_agents) == 0\nand on (team) switchroom_agents_scheduled > 0\n",
     "page", 120, "nobody of {{ $labels.team }} is signed in, though somebody is scheduled"),
    ("SwitchroomDown",
     'absent(up{job="switchroom"}) or up{job="switchroom"} == 0\n',
     "page", 60, "the worker{{ with $labels.instance }} {{ . }}{{ end }} does not answer"),
    ("SwitchroomIntegrity",
     "sum by (kind) (increase(switchroom_faults_total[10m])) > 0\n",
     "page", 0, "{{ $labels.kind }}: what must never happen has happened"),
    ("SwitchroomLagGrowing",
     ("max by (topic, partition) (switchroom_consumer_lag_records) > 1000\n"
      "and on (topic, partition)\n"
      "max by (topic, partition) (deriv(switchroom_consumer_lag_records[5m])) > 0\n"),
     "page", 300, "{{ $labels.topic }}/{{ $labels.partition }}: {{ $value }} records behind"),
    ("SwitchroomInputRefused",
     ('sum by (topic) (rate(switchroom_events_total{result="refused"}[5m]))\n'
      "/ (sum by (topic) (rate(switchroom_events_total[5m])) > 0) > 0.01\n"),
     "ticket", 300, "{{ $labels.topic }}: {{ $value | humanizePercentage }} is refused"),
    ("SwitchroomReloadFailed", "switchroom_config_last_reload_successful == 0\n",
     "ticket", 60, "the last configuration was refused, the old one is in force"),
    ("SwitchroomRulesStale",
     f"switchroom_config_info unless on (config_hash) {CONFIG}\n",
     "ticket", 600, "these rules are not of the configuration in force; run switchroom rules"),
)  # fmt: skip


def _alert(
    name: str,
    expr: str,
    severity: str,
    summary: str,
    detail: str = "",
    *,
    wait: str = "",
    keep: str = "",
    board: str = "switchroom-engine",
) -> dict[str, Any]:
    annotations = {"summary": summary}
    if detail:
        annotations["description"] = detail
    annotations["runbook_url"] = RUNBOOK
    annotations["dashboard_url"] = f"/d/{board}"
    return {
        "alert": name,
        "expr": Block(expr),
        **({"for": wait} if wait else {}),
        **({"keep_firing_for": keep} if keep else {}),
        "labels": {"severity": severity},
        "annotations": annotations,
    }
