"""Keep journal, positions and snapshots in one SQLite file.

One SQL transaction is one commit unit: the record, the input positions it answers and the
check that nobody else has written, so it is there as a whole or not at all. `synchronous=FULL`
makes a commit survive the loss of power. One process owns the file: a lock on a side file,
freed by the system however the owner dies, and an epoch in the file, checked at every append.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from streams.ports import (
    CommitUnit,
    StoredRecord,
    StoredSnapshot,
    StoreError,
    StoreFencedError,
    StoreLockedError,
)

STORE_SCHEMA: Final = "1"
APPLICATION_ID: Final = 0x53574348  # "SWCH": lets `file` and us tell our stores from others
SNAPSHOTS_KEPT: Final = 8
SNAPSHOTS_TO_RECOVER: Final = 2
BUSY_TIMEOUT_MS: Final = 5000

_TABLES: Final = f"""
PRAGMA application_id = {APPLICATION_ID};
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE journal (
    seq_from INTEGER PRIMARY KEY,
    seq_to INTEGER NOT NULL UNIQUE,
    at_ms INTEGER NOT NULL,
    writer_epoch INTEGER NOT NULL,
    previous_id TEXT NOT NULL,
    center_version INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE inputs (
    topic TEXT PRIMARY KEY,
    next_offset INTEGER NOT NULL,
    content_hash TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE published (sink TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE snapshots (
    seq INTEGER PRIMARY KEY,
    engine_version TEXT NOT NULL,
    state_hash TEXT NOT NULL,
    checksum TEXT NOT NULL,
    body BLOB NOT NULL
);
INSERT INTO meta VALUES ('schema', '{STORE_SCHEMA}');
"""  # noqa: S608 - of two constants
_COUNT_REMAINS: Final = """
SELECT (SELECT count(*) FROM inputs) + (SELECT count(*) FROM snapshots)
     + (SELECT count(*) FROM published)
"""


def checksum_of(seq: int, engine_version: str, state_hash: str, body: bytes) -> str:
    """Return the BLAKE2b-256 over a snapshot and what it claims to be."""
    head = f"{seq} {engine_version} {state_hash} ".encode()
    return hashlib.blake2b(head + body, digest_size=32).hexdigest()


def superfluous(seqs: Iterable[int]) -> list[int]:
    """Return which snapshots to let go, so that `SNAPSHOTS_KEPT` are left, spread by their age.

    The newest two stay, for recovery. Of the others the one goes whose neighbours' ages differ by
    the smallest factor, the journal's start counting as the oldest neighbour: so the way from a
    snapshot to any entry is bounded by a share of the entry's age.
    """
    kept = sorted(seqs, reverse=True)
    gone = []
    while len(kept) > SNAPSHOTS_KEPT:
        ages = [kept[0] - seq for seq in (*kept, 0)]
        least = min(range(2, len(kept)), key=lambda i: ages[i + 1] / ages[i - 1])
        gone.append(kept.pop(least))
    return gone


def is_store(path: Path) -> bool:
    """Tell whether a file is an SQLite database (and not a journal file)."""
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\x00"


class EmbeddedStore:
    """Own, or only read, one store."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: int | None) -> None:
        self.path = path
        self.writer_epoch = 0
        self._connection = connection
        self._lock = lock

    # --- opening ------------------------------------------------------------------

    @classmethod
    def own(cls, path: Path, *, durable: bool = True) -> EmbeddedStore:
        """Open a store as its one writer, made if it is not there; a mere copy is not `durable`.

        Raises `StoreLockedError` while another process owns it, `StoreError` if the file is
        none of ours or its remains say that a journal was here.
        """
        if not path.parent.is_dir():
            raise StoreError(f"{path}: the directory {path.parent} does not exist; create it")
        lock = _take_lock(path)
        try:
            if not path.exists():
                _check_remains(path)
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            connection = _connect(path, read_only=False)
        except BaseException:
            os.close(lock)
            raise
        store = cls(path, connection, lock)
        try:
            store._prepare(durable=durable)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def read_only(cls, path: Path) -> EmbeddedStore:
        """Open a store to read it, beside its owner if there is one."""
        if not path.exists():
            raise StoreError(f"{path}: no such store; `switchroom run --store {path}` makes one")
        store = cls(path, _connect(path, read_only=True), None)
        try:
            store._check_ours()
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Let go of the file; the lock goes last."""
        self._connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _prepare(self, *, durable: bool) -> None:
        with self._errors():
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
            if self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                self._connection.executescript("BEGIN IMMEDIATE;" + _TABLES + "COMMIT;")
        self._check_ours()
        with self._errors():
            self._check_begins()
            self._connection.execute("BEGIN IMMEDIATE")
            self.writer_epoch = int(self.meta("writer_epoch") or 0) + 1
            self._put_meta("writer_epoch", str(self.writer_epoch))
            self._put_meta("owner_pid", str(os.getpid()))
            self._connection.execute("COMMIT")

    def _check_ours(self) -> None:
        with self._errors():
            found = self._connection.execute("PRAGMA application_id").fetchone()[0]
        if found != APPLICATION_ID:
            raise StoreError(f"{self.path}: a database, but no switchroom store; give another path")
        if (schema := self.meta("schema")) != STORE_SCHEMA:
            raise StoreError(
                f"{self.path}: store schema {schema}, this version uses {STORE_SCHEMA}; "
                "use the version that wrote it"
            )

    def _check_begins(self) -> None:
        """Refuse to start empty, or in the middle, where a journal was."""
        first = self._connection.execute("SELECT min(seq_from) FROM journal").fetchone()[0]
        if first == 1:
            return
        remains = self._connection.execute(_COUNT_REMAINS).fetchone()[0]
        if first is not None or remains:
            raise StoreError(
                f"{self.path}: the journal does not begin at seq 1, but positions or snapshots "
                "are there; entries were deleted; restore the file from a copy"
            )

    # --- the journal --------------------------------------------------------------

    def append(self, unit: CommitUnit) -> None:
        """Commit one unit. After any error the outcome is unknown: throw the state away."""
        with self._errors():
            execute = self._connection.execute
            execute("BEGIN IMMEDIATE")
            try:
                self._check_owned(unit)
                execute(
                    "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        unit.seq_from,
                        unit.seq_to,
                        unit.at_ms,
                        unit.writer_epoch,
                        unit.previous_id,
                        unit.center_version,
                        unit.body,
                    ),
                )
                for name, next_offset in unit.inputs_up_to.items():
                    topic = name.rpartition("/")[0]
                    if topic in unit.input_hashes:
                        execute(
                            "INSERT OR REPLACE INTO inputs VALUES (?, ?, ?)",
                            (topic, next_offset, unit.input_hashes[topic]),
                        )
                execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    execute("ROLLBACK")
                raise

    def copy(self, records: list[StoredRecord], name: str, position: int) -> None:
        """Keep records of a journal that lies elsewhere, read there up to `position`."""
        with self._errors():
            execute = self._connection.execute
            execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT INTO journal VALUES (?, ?, 0, 0, ?, ?, ?)",
                [(r.seq_from, r.seq_to, r.previous_id, r.center_version, r.body) for r in records],
            )
            self.save_published(name, position)
            execute("COMMIT")

    def _check_owned(self, unit: CommitUnit) -> None:
        epoch = int(self.meta("writer_epoch") or 0)
        if epoch != unit.writer_epoch:
            raise StoreFencedError(
                f"{self.path}: another worker (epoch {epoch}) took the store over from this one "
                f"(epoch {unit.writer_epoch}); nothing was written; run one worker for a store"
            )
        if self.seq_end() != unit.seq_from - 1:
            raise StoreFencedError(
                f"{self.path}: the journal ends at seq {self.seq_end()}, seq {unit.seq_from - 1} "
                "was expected; nothing was written; start the worker again"
            )

    def seq_end(self) -> int:
        """Return the seq of the last journaled entry, 0 for an empty journal."""
        with self._errors():
            row = self._connection.execute("SELECT max(seq_to) FROM journal").fetchone()
        return int(row[0] or 0)

    def records(self, after_seq: int = 0, containing: str = "") -> Iterator[StoredRecord]:
        """Yield the records that end after `after_seq`, in order, those that hold a text only."""
        query = (
            "SELECT seq_from, seq_to, body, previous_id, center_version FROM journal "
            "WHERE seq_to > ?"
        )
        arguments: list[object] = [after_seq]
        if containing:
            query += " AND instr(body, ?)"
            arguments.append(containing.encode())
        with self._errors():
            for row in self._connection.execute(query + " ORDER BY seq_from", arguments):
                yield StoredRecord(*row)

    def find(self, seq_to: int) -> StoredRecord | None:
        """Return the record that ends with `seq_to`."""
        record = next(self.records(seq_to - 1), None)
        return record if record is not None and record.seq_to == seq_to else None

    def input_hash(self, topic: str) -> str:
        """Return the hash of what was read of an input up to the journal's position."""
        with self._errors():
            row = self._connection.execute(
                "SELECT content_hash FROM inputs WHERE topic = ?", (topic,)
            ).fetchone()
        return str(row[0]) if row else ""

    # --- snapshots, positions, facts ----------------------------------------------

    def snapshots(self, before_seq: int = 2**63 - 1) -> Iterator[StoredSnapshot]:
        """Yield the snapshots before `before_seq`, newest first; nobody has checked them yet."""
        with self._errors():
            # One at a time: each holds a whole centre.
            yield from (
                StoredSnapshot(*row)
                for row in self._connection.execute(
                    "SELECT seq, engine_version, state_hash, checksum, body FROM snapshots "
                    "WHERE seq < ? ORDER BY seq DESC",
                    (before_seq,),
                )
            )

    def save_snapshot(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot, the one before it, and older ones the sparser the older they are."""
        with self._errors():
            execute = self._connection.execute
            execute("BEGIN IMMEDIATE")
            execute(
                "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?)",
                (
                    snapshot.seq,
                    snapshot.engine_version,
                    snapshot.state_hash,
                    snapshot.checksum,
                    snapshot.body,
                ),
            )
            known = [row[0] for row in execute("SELECT seq FROM snapshots")]
            for seq in superfluous(known):
                execute("DELETE FROM snapshots WHERE seq = ?", (seq,))
            execute("COMMIT")

    def published_seq(self, sink: str) -> int:
        """Return up to which seq a sink has certainly got its decisions."""
        with self._errors():
            row = self._connection.execute(
                "SELECT seq FROM published WHERE sink = ?", (sink,)
            ).fetchone()
        return int(row[0]) if row else 0

    def save_published(self, sink: str, seq: int) -> None:
        """Note what a sink has got."""
        with self._errors():
            self._connection.execute("INSERT OR REPLACE INTO published VALUES (?, ?)", (sink, seq))

    def meta(self, key: str) -> str | None:
        """Return a fact about the store."""
        with self._errors():
            row = self._connection.execute(
                "SELECT value FROM meta WHERE key = ?", (key,)
            ).fetchone()
        return str(row[0]) if row else None

    def _put_meta(self, key: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn the library's errors into ours, with the file and what to do."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"{self.path}: {error}; nothing that was acknowledged is lost; check disk space, "
                "permissions and that the file is a whole switchroom store, then start again"
            ) from error


class EmbeddedJournal:
    """Put a store behind the worker's ports `Journal` and `Snapshots`."""

    def __init__(self, store: EmbeddedStore) -> None:
        self.store = store

    async def append(self, unit: CommitUnit) -> None:
        """Commit one unit."""
        self.store.append(unit)

    async def read(self, after_seq: int) -> AsyncIterator[StoredRecord]:
        """Yield the records that end after `after_seq`."""
        for record in self.store.records(after_seq):
            yield record

    async def find(self, seq_to: int) -> StoredRecord | None:
        """Return the record that ends with `seq_to`."""
        return self.store.find(seq_to)

    async def load(self) -> list[StoredSnapshot]:
        """Return the newest snapshots, newest first: the others are there for questions."""
        return list(islice(self.store.snapshots(), SNAPSHOTS_TO_RECOVER))

    async def save(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot."""
        self.store.save_snapshot(snapshot)


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    mode = "ro" if read_only else "rw"
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=BUSY_TIMEOUT_MS / 1000,
        )
    except sqlite3.Error as error:
        raise StoreError(f"{path}: cannot be opened ({error}); check path and rights") from error
    return connection


def _take_lock(path: Path) -> int:
    """Lock the side file of a store, or say who holds it."""
    lock_path = path.with_name(path.name + "-lock")
    lock = os.open(lock_path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(lock, 32).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        raise StoreLockedError(
            f"{path}: in use by the worker with process id {holder}; a store has one worker; "
            "stop that one, or give this one another --store"
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def _check_remains(path: Path) -> None:
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size:
        raise StoreError(
            f"{path}: missing, but {wal.name} is there: a journal was here and its main file is "
            "gone; restore it, or move the remains away to start anew"
        )
