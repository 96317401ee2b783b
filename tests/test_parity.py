"""One journal, every driver, one digest: simulator, bare core, restored core, live worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from router.events import CenterChanged, TimeAdvanced
from router.journal import Digest, Entry, JournalWriter, read_journal, verify_records
from router.router import Router
from router.sequencer import Sequencer
from simulation.day import judge_seed, refold
from streams.codec import Heard
from streams.embedded import EmbeddedStore
from streams.recovery import Refold
from streams.service import Service

SEEDS = (2, 5, 11)
ROOT = Path(__file__).parent.parent


def record(seed: int) -> tuple[list[Entry], str]:
    journal: list[Entry] = []
    verdict = judge_seed(seed, listeners=(journal.append,))
    return journal, verdict.digest


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bare_core_decides_what_the_simulator_saw(seed: int) -> None:
    journal, digest = record(seed)
    assert len(journal) > 200
    assert refold(journal) == digest


@pytest.mark.parametrize("seed", SEEDS)
def test_the_sequencer_lets_the_same_deadlines_in(seed: int) -> None:
    """Feed only what came from outside: every `TimeAdvanced` must come back by itself."""
    journal, digest = record(seed)
    sequencer, again = Sequencer(Router()), Digest()
    for entry in journal:
        stamped = entry.stamped
        if isinstance(stamped.event, TimeAdvanced):
            continue
        made = sequencer.accept(
            stamped.event,
            stamped.at_ms,
            event_id=stamped.event_id,
            occurred_ms=stamped.occurred_ms,
        )
        for one in made:
            again.update(one.stamped, one.decisions)
    for one in sequencer.advance(journal[-1].stamped.at_ms + 1):
        again.update(one.stamped, one.decisions)
    assert again.hexdigest() == digest


@pytest.mark.parametrize("seed", SEEDS)
def test_a_core_restored_from_a_snapshot_goes_on_the_same(seed: int) -> None:
    journal, digest = record(seed)
    for part in (0.1, 0.37, 0.5, 0.93):
        cut = int(len(journal) * part)
        router, again = Router(), Digest()
        for entry in journal[:cut]:
            again.update(entry.stamped, router.handle(entry.stamped))
        router = Router.restore(router.snapshot())
        for entry in journal[cut:]:
            again.update(entry.stamped, router.handle(entry.stamped))
        assert again.hexdigest() == digest, f"restored at seq {cut}"


@pytest.mark.parametrize("unit", [1, 40])
@pytest.mark.parametrize("seed", SEEDS[:2])
def test_the_embedded_worker_journals_the_same(seed: int, unit: int, tmp_path: Path) -> None:
    """Let the live service stamp the recorded input; units of any size, one digest."""
    journal, digest = record(seed)
    first = journal[0].stamped
    assert isinstance(first.event, CenterChanged)
    store = EmbeddedStore.own(tmp_path / "store.db")
    service = Service(Refold(), first.event, store.writer_epoch)

    def commit() -> None:
        closed = service.close_unit()
        if closed is not None:
            store.append(closed)
            service.committed(closed)

    service.begin(first.at_ms)
    for entry in journal[1:]:
        stamped = entry.stamped
        if not isinstance(stamped.event, TimeAdvanced):
            heard = Heard(stamped.event, stamped.event_id, stamped.occurred_ms)
            service.hear(heard, stamped.at_ms, None)
        if service.pending >= unit:
            commit()
    service.tick(journal[-1].stamped.at_ms + 1)
    commit()
    bodies = [stored.body for stored in store.records()]
    store.close()
    assert list(verify_records(bodies))[-1].state_hash == digest
    recovered = Refold()
    for body in bodies:
        recovered.feed(body)
    assert recovered.digest.hexdigest() == digest


_CHILD = """
import sys
from pathlib import Path
from router.journal import read_journal, verify_records
from simulation.day import judge_seed, refold
entries = [e for r in verify_records(read_journal(Path(sys.argv[1]))) for e in r.entries]
print(refold(entries), judge_seed(int(sys.argv[2])).digest)
"""


@pytest.mark.parametrize(
    ("hash_seed", "zone", "locale"),
    [("0", "UTC", "C"), ("1", "Asia/Kathmandu", "C.UTF-8"), ("77", "America/New_York", "POSIX")],
)
def test_hash_seed_zone_and_locale_change_no_byte(
    hash_seed: str, zone: str, locale: str, tmp_path: Path
) -> None:
    seed = SEEDS[0]
    journal, digest = record(seed)
    file = tmp_path / "journal.jsonl"
    file.write_bytes(JournalWriter("parity", "test").record(journal) + b"\n")
    assert next(iter(verify_records(read_journal(file)))).state_hash == digest
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, str(file), str(seed)],
        cwd=ROOT,
        env=os.environ
        | {"PYTHONHASHSEED": hash_seed, "TZ": zone, "LC_ALL": locale, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert child.stdout.split() == [digest, digest]
