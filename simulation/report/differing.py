"""Say in what two scenarios differ: values by the paths that a scenario's `replace` knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from configs.planning import Scenario
from configs.shapes import DURATION_SUFFIX

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
        if path.endswith(DURATION_SUFFIX) and isinstance(value, int):
            path, value = path.removesuffix(DURATION_SUFFIX), _duration(value)
        text = value if isinstance(value, str) else json.dumps(_rounded(value), ensure_ascii=False)
        yield path, text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 1]}…"


def _duration(milliseconds: int) -> str:
    """Return a duration as a file writes it."""
    if milliseconds % 60_000 == 0 and milliseconds >= 120_000:
        return f"{milliseconds // 60_000}m"
    return f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 else f"{milliseconds}ms"


def _rounded(value: Any) -> Any:
    """Return a value without the digits that only binary fractions have."""
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    return float(f"{value:.12g}") if isinstance(value, float) else value
