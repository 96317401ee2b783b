"""The store: whole units or nothing, one owner, never a fresh start beside a journal."""

from __future__ import annotations

import itertools
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from router.events import OverloadSwitched, Stamped
from router.journal import Entry, JournalWriter
from streams.embedded import SNAPSHOTS_KEPT, EmbeddedStore, checksum_of, is_store
from streams.ports import (
    CommitUnit,
    StoredSnapshot,
    StoreError,
    StoreFencedError,
    StoreLockedError,
)

ROOT = Path(__file__).parent.parent


class Units:
    """Make commit units that follow one another."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.writer = JournalWriter("shop", "test", epoch)

    def next(self, entries: int = 2, inputs: dict[str, int] | None = None) -> CommitUnit:
        seq = self.writer.seq
        made = [
            Entry(Stamped(seq + n, 1000 + seq + n, OverloadSwitched(active=bool(n % 2))), ())
            for n in range(1, entries + 1)
        ]
        body = self.writer.record(made, inputs)
        return CommitUnit(
            body=body,
            entries=tuple(made),
            seq_from=seq + 1,
            seq_to=seq + entries,
            at_ms=1000,
            writer_epoch=self.epoch,
            previous_id="",
            center_version=1,
            inputs_up_to=inputs or {},
            input_hashes={"day": "abc"} if inputs else {},
        )


def snapshot(seq: int) -> StoredSnapshot:
    return StoredSnapshot(seq, "test", "hash", checksum_of(seq, "test", "hash", b"body"), b"body")


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    store = EmbeddedStore.own(tmp_path / "day.db")
    units = Units(store.writer_epoch)
    first, second = units.next(2), units.next(3, {"day/0": 7})
    store.append(first)
    store.append(second)
    assert [r.body for r in store.records()] == [first.body, second.body]
    assert [r.seq_from for r in store.records(2)] == [3]
    assert store.find(5) is not None
    assert store.find(4) is None
    assert store.seq_end() == 5
    assert store.input_hash("day") == "abc"
    assert [r.seq_to for r in store.records(containing="overload_switched")] == [2, 5]
    assert list(store.records(containing="c-1")) == []
    store.close()
    assert is_store(tmp_path / "day.db")
    assert (tmp_path / "day.db").stat().st_mode & 0o077 == 0, "others must not read it"


def test_a_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    store = EmbeddedStore.own(tmp_path / "day.db")
    with pytest.raises(StoreLockedError, match=str(os.getpid())):
        EmbeddedStore.own(tmp_path / "day.db")
    store.close()
    again = EmbeddedStore.own(tmp_path / "day.db")
    assert again.writer_epoch == 2, "every owner writes under an epoch of its own"
    again.close()


_HOLDER = """
import sys
from pathlib import Path
from streams.embedded import EmbeddedStore
store = EmbeddedStore.own(Path(sys.argv[1]))
print("owned", flush=True)
sys.stdin.read()
"""


def test_a_killed_owner_leaves_no_lock_behind(tmp_path: Path) -> None:
    path = tmp_path / "day.db"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "owned\n"
        with pytest.raises(StoreLockedError, match=str(holder.pid)):
            EmbeddedStore.own(path)
        holder.kill()
    EmbeddedStore.own(path).close()


def test_a_reader_needs_no_lock(tmp_path: Path) -> None:
    store = EmbeddedStore.own(tmp_path / "day.db")
    store.append(Units(store.writer_epoch).next())
    reader = EmbeddedStore.read_only(tmp_path / "day.db")
    assert reader.seq_end() == 2
    with pytest.raises(StoreError):
        reader.save_published("x", 1)
    reader.close()
    store.close()


def test_a_fenced_owner_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "day.db"
    zombie = EmbeddedStore.own(path)
    units = Units(zombie.writer_epoch)
    zombie.append(units.next())
    # Somebody removed the lock's file: the epoch still tells the two apart.
    (tmp_path / "day.db-lock").unlink()
    owner = EmbeddedStore.own(path)
    with pytest.raises(StoreFencedError, match="epoch 2"):
        zombie.append(units.next())
    assert owner.seq_end() == 2
    owner.close()
    zombie.close()


def test_a_unit_that_does_not_follow_is_refused(tmp_path: Path) -> None:
    store = EmbeddedStore.own(tmp_path / "day.db")
    units = Units(store.writer_epoch)
    units.next()
    with pytest.raises(StoreFencedError, match="ends at seq 0"):
        store.append(units.next())
    assert store.seq_end() == 0
    store.close()


def test_an_append_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "day.db"
    store = EmbeddedStore.own(path)
    units = Units(store.writer_epoch)
    store.append(units.next(2, {"day/0": 3}))
    store._connection.execute("PRAGMA max_page_count = 1")  # as a full disk would
    unit = units.next(400, {"day/0": 9})
    with pytest.raises(StoreError, match="disk space"):
        store.append(unit)
    store.close()
    again = EmbeddedStore.own(path)
    assert again.seq_end() == 2
    again.append(msgspec_replace(unit, again.writer_epoch))
    again.close()


def msgspec_replace(unit: CommitUnit, epoch: int) -> CommitUnit:
    fields = {name: getattr(unit, name) for name in unit.__struct_fields__}
    return CommitUnit(**{**fields, "writer_epoch": epoch})


def test_never_empty_beside_remains(tmp_path: Path) -> None:
    path = tmp_path / "day.db"
    store = EmbeddedStore.own(path)
    units = Units(store.writer_epoch)
    store.append(units.next())
    store.append(units.next())
    store.save_snapshot(snapshot(4))
    store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM journal WHERE seq_from = 1")
    connection.close()
    with pytest.raises(StoreError, match="does not begin at seq 1"):
        EmbeddedStore.own(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM journal")
    connection.close()
    with pytest.raises(StoreError, match="does not begin at seq 1"):
        EmbeddedStore.own(path)


def test_a_missing_main_file_with_its_log_left_is_no_fresh_start(tmp_path: Path) -> None:
    (tmp_path / "day.db-wal").write_bytes(b"remains")
    with pytest.raises(StoreError, match="gone"):
        EmbeddedStore.own(tmp_path / "day.db")
    assert not (tmp_path / "day.db").exists()


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("some notes " * 20)
    with pytest.raises(StoreError, match=r"notes\.txt"):
        EmbeddedStore.own(text)
    assert text.read_text() == "some notes " * 20
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    for opening in (EmbeddedStore.own, EmbeddedStore.read_only):
        with pytest.raises(StoreError, match="no switchroom store"):
            opening(other)
    with pytest.raises(StoreError, match="no such store"):
        EmbeddedStore.read_only(tmp_path / "nothing.db")
    with pytest.raises(StoreError, match="does not exist"):
        EmbeddedStore.own(tmp_path / "no" / "where.db")


def test_a_store_of_a_later_schema_is_refused(tmp_path: Path) -> None:
    EmbeddedStore.own(tmp_path / "day.db").close()
    with closing(sqlite3.connect(tmp_path / "day.db")) as connection, connection:
        connection.execute("UPDATE meta SET value = '2' WHERE key = 'schema'")
    connection.close()
    with pytest.raises(StoreError, match="schema 2"):
        EmbeddedStore.own(tmp_path / "day.db")


def test_snapshots_are_kept_the_sparser_the_older_they_are(tmp_path: Path) -> None:
    store = EmbeddedStore.own(tmp_path / "day.db")
    for seq in range(100, 20_100, 100):
        store.save_snapshot(snapshot(seq))
        kept = [kept.seq for kept in store.snapshots()]
        assert kept[:2] == [seq, seq - 100][: len(kept)], "the newest two, for recovery"
        assert len(kept) == min(seq // 100, SNAPSHOTS_KEPT)
    ages = [20_000 - kept.seq for kept in store.snapshots()][1:]
    factors = [older / newer for newer, older in itertools.pairwise([*ages, 20_000])]
    assert max(factors) <= 4, "an entry's way from its snapshot is a share of its age"
    assert [kept.seq for kept in store.snapshots(before_seq=19_900)] == [
        20_000 - a for a in ages[1:]
    ]
    store.close()


def test_positions_of_readers(tmp_path: Path) -> None:
    store = EmbeddedStore.own(tmp_path / "day.db")
    assert store.published_seq("lines") == 0
    store.save_published("lines", 4)
    store.save_published("lines", 9)
    assert store.published_seq("lines") == 9
    store.close()
