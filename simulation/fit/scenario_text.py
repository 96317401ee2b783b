"""Write a scenario's plain values as YAML, with what was assumed at its head."""

from __future__ import annotations

from typing import Any, Final

import yaml

_SCHEMA: Final = "# yaml-language-server: $schema=../schemas/scenario.schema.json\n"


class _Dumper(yaml.SafeDumper):
    """Write equal values out instead of pointing to the first."""

    def ignore_aliases(self, data: object) -> bool:
        """Say that nothing is pointed to."""
        return True


def scenario_text(head: list[str], scenario: dict[str, Any]) -> str:
    """Return the file's text; each line of the head becomes a comment."""
    body = yaml.dump(
        scenario,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=None,
        allow_unicode=True,
        width=96,
    )
    return _SCHEMA + "".join(f"# {line}\n" for line in head) + body


def duration(seconds: float) -> str:
    """Return seconds as a file writes them."""
    return f"{max(1, round(1000 * seconds))}ms"


def clock(minutes: int) -> str:
    """Return minutes from midnight as a time of day."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
