"""Say in what two scenarios differ: values by the paths that a scenario's `replace` knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from configs.planning import Scenario

_SHOWN_MAX: Final = 60
_MISSING: Final = "–"


def differences(before: Scenario, after: Scenario) -> list[tuple[str, str, str]]:
    """Return the path of each value that differs, with both values as short text."""
    first, second = (dict(_flat(_plain(scenario))) for scenario in (before, after))
    paths = sorted({*first, *second} - {"name"})
    return [
        (path, first.get(path, _MISSING), second.get(path, _MISSING))
        for path in paths
        if first.get(path) != second.get(path)
    ]


def _plain(scenario: Scenario) -> Any:
    body = msgspec.json.encode(scenario, order="deterministic", enc_hook=str)
    return msgspec.json.decode(body)


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield leaves by path; lists are told whole, unless their parts are named things."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _flat(part, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        for number, part in enumerate(value):
            yield from _flat(part, f"{path}.{number}")
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield path, text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 1]}…"
