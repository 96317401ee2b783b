"""Write a scenario's plain values as YAML, with what was assumed at its head."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import yaml

import configs

_SCHEMA: Final = Path(configs.__file__).parent / "schemas" / "scenario.schema.json"


class _Dumper(yaml.SafeDumper):
    """Write equal values out instead of pointing to the first."""

    def ignore_aliases(self, data: object) -> bool:
        """Say that nothing is pointed to."""
        return True


def scenario_text(head: list[str], scenario: dict[str, Any], beside: Path) -> str:
    """Return the text of a file in a folder; each line of the head becomes a comment."""
    schema = os.path.relpath(_SCHEMA, beside.resolve())
    body = yaml.dump(
        scenario,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=None,
        allow_unicode=True,
        width=96,
    )
    first = f"# yaml-language-server: $schema={schema}\n"
    return first + "".join(f"# {line}\n" for line in head) + body


def duration(seconds: float) -> str:
    """Return seconds as a file writes them: from 100 s on in whole ones (within half a percent)."""
    milliseconds = max(1, round(1000 * seconds))
    if milliseconds % 60_000 == 0:
        return f"{milliseconds // 60_000}m"
    if milliseconds >= 100_000 or milliseconds % 1000 == 0:
        return f"{round(milliseconds / 1000)}s"
    return f"{milliseconds}ms"


def clock(minutes: int) -> str:
    """Return minutes from midnight as a time of day."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
