"""A contact's story from a store: the same as from the whole journal, with less of it folded."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from configs.loader import load_center
from router.events import ContactArrived
from router.explain import explain
from router.journal import Entry, JournalWriter
from simulation.day import simulate_day
from simulation.options import for_center
from streams.embedded import EmbeddedStore
from streams.journal_commands import entries_in
from streams.stories import router_before, tell_story
from switchroom import build
from tests.test_scorecard import ROOT

TINY = ROOT / "configs" / "tiny"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run an hour of the tiny centre on a store that takes snapshots."""
    folder = tmp_path_factory.mktemp("stories")
    center = load_center(TINY).center
    journal: list[Entry] = []
    simulate_day(center, for_center(center, 7, length_ms=3_600_000), listeners=(journal.append,))
    recorded, events, store = folder / "day.jsonl", folder / "events.jsonl", folder / "day.db"
    recorded.write_bytes(JournalWriter(center.name, "test").record(journal) + b"\n")
    export = ["journal", "export", str(recorded), "--as", "events", "-o", str(events)]
    run = ["run", "--config", str(TINY), "--store", str(store), "--input", str(events)]
    run += ["--as-fast-as-possible", "--unit-records", "9", "--snapshot-every", "150"]
    for words in (export, run):
        outcome = CliRunner().invoke(build(), words)
        assert outcome.exit_code == 0, outcome.output
    return store


def arrivals(store: Path) -> list[tuple[int, str]]:
    return [
        (entry.stamped.seq, entry.stamped.event.contact_id)
        for entry in entries_in(store)
        if isinstance(entry.stamped.event, ContactArrived)
    ]


def test_a_story_is_the_same_from_a_snapshot_as_from_the_start(stored: Path) -> None:
    entries = list(entries_in(stored))
    store = EmbeddedStore.read_only(stored)
    newest, *_, oldest = (snapshot.seq for snapshot in store.snapshots())
    # Snapshots lie anywhere among the arrivals; some must come after one for this to tell anything.
    assert any(seq > oldest for seq, _ in arrivals(stored)), (oldest, newest)
    for _, contact_id in arrivals(stored):
        assert tell_story(store, contact_id) == explain(entries, contact_id)
    seq, contact_id = arrivals(stored)[20]
    before = [entry for entry in entries if entry.stamped.seq <= seq + 5]
    assert tell_story(store, contact_id, seq + 5) == explain(before, contact_id)
    assert tell_story(store, "nobody") is None
    store.close()


def test_the_fold_begins_at_the_newest_snapshot_before(stored: Path) -> None:
    store = EmbeddedStore.read_only(stored)
    newest, *older = (snapshot.seq for snapshot in store.snapshots())
    assert len(older) > 1, "also those that recovery does not need"
    assert router_before(store, newest + 1).seq == newest
    for seq, before in zip([newest, *older], [*older, 0], strict=True):
        assert router_before(store, seq).seq == before
    store.close()


def test_a_damaged_snapshot_is_passed_over(stored: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with sqlite3.connect(stored) as original, sqlite3.connect(copy) as other:
        original.backup(other)
        other.execute(
            "UPDATE snapshots SET checksum = 'x' WHERE seq = (SELECT max(seq) FROM snapshots)"
        )
    store = EmbeddedStore.read_only(copy)
    newest, older, *_ = (snapshot.seq for snapshot in store.snapshots())
    assert router_before(store, newest + 1).seq == older
    store.close()
