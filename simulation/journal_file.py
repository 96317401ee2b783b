"""Write what was decided in a simulation as a journal, the one that a live worker keeps."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from router.journal import Entry, JournalWriter

_RECORD_ENTRIES: Final = 64


def write_journal(entries: list[Entry], shard: str, path: Path) -> None:
    """Write entries as JSON lines that `explain`, `replay`, `what-if` and `fit` read."""
    writer = JournalWriter(shard, _engine_version())
    with path.open("wb") as lines:
        for start in range(0, len(entries), _RECORD_ENTRIES):
            lines.write(writer.record(entries[start : start + _RECORD_ENTRIES]) + b"\n")


def _engine_version() -> str:
    """Return the installed version; a plain checkout has none."""
    try:
        return version("switchroom")
    except PackageNotFoundError:
        return "uninstalled"
