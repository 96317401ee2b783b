"""Refold the recorded journals: the same decisions, byte for byte, in every build of the core."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from router.journal import Digest, Entry, verify_records
from router.router import Router

JOURNALS = Path(__file__).parent / "journals"
DIGESTS: dict[str, str] = json.loads((JOURNALS / "digests.json").read_text())


def entries_of(name: str) -> list[Entry]:
    """Return the entries of a recorded journal, its chain verified."""
    lines = gzip.decompress((JOURNALS / f"{name}.jsonl.gz").read_bytes()).splitlines()
    return [entry for record in verify_records(lines) for entry in record.entries]


def refold(entries: list[Entry], restore_at: int = 0) -> tuple[str, bytes]:
    """Decide everything again; at `restore_at` entries go on from a snapshot."""
    router, digest = Router(), Digest()
    for number, entry in enumerate(entries):
        if restore_at and number == restore_at:
            router = Router.restore(router.snapshot())
        decisions = router.handle(entry.stamped)
        assert decisions == entry.decisions, f"seq {entry.stamped.seq}"
        digest.update(entry.stamped, decisions)
    return digest.hexdigest(), router.snapshot()


def test_every_recorded_journal_is_named() -> None:
    files = {path.name.removesuffix(".jsonl.gz") for path in JOURNALS.glob("*.jsonl.gz")}
    assert files == set(DIGESTS)
    assert len(files) >= 10


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_a_recorded_journal_is_decided_the_same_again(name: str) -> None:
    entries = entries_of(name)
    digest, state = refold(entries)
    assert digest == DIGESTS[name]
    assert refold(entries, restore_at=len(entries) // 2) == (digest, state)


@pytest.mark.parametrize(
    ("hash_seed", "zone"), [("0", "UTC"), ("0", "Asia/Shanghai"), ("77", "America/New_York")]
)
def test_neither_hash_seed_nor_zone_changes_a_byte(hash_seed: str, zone: str) -> None:
    name = min(DIGESTS)
    program = (
        "from tests.test_journals import *\n"
        f"digest, state = refold(entries_of({name!r}))\n"
        "import hashlib; print(digest, hashlib.blake2b(state).hexdigest())"
    )
    found = set()
    for seed in (hash_seed, "12345"):
        # The core that is loaded here is the one to be tried there, compiled or not.
        paths = os.pathsep.join(path for path in sys.path if path)
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": paths}
        done = subprocess.run(
            [sys.executable, "-P", "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1
    assert found.pop().split()[0] == DIGESTS[name]
