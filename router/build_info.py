"""Say how this core was built: interpreted or compiled, and from which sources.

Pure Python is the reference. A compiled build carries a record of the sources and binaries it
was made from (setup.py writes it, with the functions here, before any library is installed:
hence nothing but the standard library), so that a binary older than the source beside it, which
the interpreter would silently prefer, can be told from a good one. Each compiled package has its
record; of one that is compiled in part only the sources of its binaries count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Final

RECORD_NAME: Final = "compiled.json"
_CORE: Final = Path(__file__).parent


@dataclass(frozen=True)
class BuildRecord:
    """What a compiled build was made from; paths are relative to the package.

    `sources`: which of its sources count; None: all.
    """

    source_hash: str
    binaries: dict[str, str]
    sources: tuple[str, ...] | None = None


def hash_file(path: Path) -> str:
    """Return the BLAKE2b-256 of a file's bytes in hex."""
    return hashlib.blake2b(path.read_bytes(), digest_size=32).hexdigest()


def hash_sources(core: Path = _CORE, names: Iterable[str] | None = None) -> str:
    """Return one BLAKE2b-256 over Python sources below `core`, all or the named, with names."""
    found = core.rglob("*.py") if names is None else map(core.joinpath, names)
    lines = sorted(
        f"{path.relative_to(core).as_posix()} {hash_file(path)}" for path in found if path.exists()
    )
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=32).hexdigest()


def find_binaries(core: Path = _CORE) -> list[str]:
    """Return the compiled modules below `core` that this interpreter would import."""
    return sorted(
        path.relative_to(core).as_posix()
        for path in core.rglob("*")
        if path.name.endswith(tuple(EXTENSION_SUFFIXES))
    )


def check_build(core: Path = _CORE) -> list[str]:
    """Return what is wrong with the build, a sentence each; empty when source and binary agree."""
    binaries = find_binaries(core)
    record_path = core.joinpath(RECORD_NAME)
    if not binaries and not record_path.exists():
        return []
    remedy = "remove the binaries, or build again with `make compiled`"
    if not record_path.exists():
        return [f"{core}: compiled modules without {RECORD_NAME} ({', '.join(binaries)}); {remedy}"]
    record = BuildRecord(**json.loads(record_path.read_bytes()))
    problems = [
        f"{core.joinpath(name)}: a compiled module that {RECORD_NAME} does not list; {remedy}"
        for name in binaries
        if name not in record.binaries
    ]
    for name, expected in record.binaries.items():
        path = core.joinpath(name)
        if not path.exists():
            problems.append(f"{path}: listed in {RECORD_NAME}, but missing; {remedy}")
        elif hash_file(path) != expected:
            problems.append(f"{path}: not the binary that was built from these sources; {remedy}")
    if hash_sources(core, record.sources) != record.source_hash:
        problems.append(f"{core}: the sources were edited after they were compiled; {remedy}")
    return problems


COMPILED: Final = bool(find_binaries())
"""Whether this interpreter runs compiled modules of the core."""

SOURCE_HASH: Final = hash_sources()
"""The sources this core was made from: the same for a pure and a compiled build of them."""
