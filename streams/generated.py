"""Write generated files, or say which of those that are there differ."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def differing(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Return the paths of files that are missing or hold something else."""
    return [folder / name for name, text in files.items() if _text_of(folder / name) != text]


def write(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write what differs, folders too, and return its paths."""
    changed = differing(folder, files)
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path.relative_to(folder).as_posix()], encoding="utf-8")
    return changed


def _text_of(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
