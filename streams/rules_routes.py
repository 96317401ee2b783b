"""Write where alerts go: an Alertmanager configuration by team and severity."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from configs.burn_rates import PAIRS, team_of
from router.center import Center
from streams.rules import STALLS, Scale, head_of, to_yaml

ROUTES_FILE: Final = "alertmanager.yml"
WEBHOOK: Final = "http://127.0.0.1:9099/alerts"
OPERATIONS: Final = "operations"
_BURNS: Final = [pair.alert for pair in PAIRS]


def routes_text(center: Center, scale: Scale | None = None, webhook: str = WEBHOOK) -> str:
    """Return the routes of a centre; every receiver is a webhook, below `webhook`, to change."""
    scale = scale or Scale()
    teams = sorted({team_of(center, queue) for queue in center.queues})
    body: dict[str, Any] = {
        "route": {
            "receiver": f"{OPERATIONS}-page",
            "group_by": ["queue"],
            "group_wait": scale.seconds(10),
            "group_interval": scale.seconds(300),
            "repeat_interval": scale.seconds(14_400),
            "routes": [
                *(_team_route(team, scale) for team in teams),
                _ticket_route(OPERATIONS, scale),
            ],
        },
        "inhibit_rules": [
            _inhibit('alertname="SwitchroomDown"', 'queue!=""', []),
            _inhibit(_one_of(name for name, *_ in STALLS), _one_of(_BURNS), ["queue"]),
            _inhibit(_one_of(_BURNS[:1]), _one_of(_BURNS[1:]), ["queue", "sla"]),
        ],
        "receivers": [
            {
                "name": f"{team}-{severity}",
                "webhook_configs": [{"url": f"{webhook}/{team}/{severity}", "send_resolved": True}],
            }
            for team in (OPERATIONS, *teams)
            for severity in ("page", "ticket")
        ],
    }
    return to_yaml(body, head_of(center, scale))


def _team_route(team: str, scale: Scale) -> dict[str, Any]:
    return {
        "matchers": [f'team="{team}"'],
        "receiver": f"{team}-page",
        "routes": [_ticket_route(team, scale)],
    }


def _ticket_route(team: str, scale: Scale) -> dict[str, Any]:
    return {
        "matchers": ['severity="ticket"'],
        "receiver": f"{team}-ticket",
        "group_wait": scale.seconds(300),
        "repeat_interval": scale.seconds(43_200),
    }


def _one_of(alerts: Iterable[str]) -> str:
    return f'alertname=~"{"|".join(alerts)}"'


def _inhibit(source: str, target: str, equal: list[str]) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "source_matchers": [source],
        "target_matchers": [target],
    }
    return rule | ({"equal": equal} if equal else {})
