"""Rebuild the state from the journal, and believe nothing that was not compared.

Each journaled event is fed to the router again; its decisions must come out byte for byte as
they were written, and the chain of hashes must hold. A snapshot only shortens the way: one that
is damaged, of another version or not of this journal is passed over, down to a full replay.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from router.center import Center
from router.decisions import ActivateCenter
from router.events import CenterChanged
from router.journal import (
    GENESIS_HASH,
    JOURNAL_SCHEMA,
    Digest,
    Entry,
    JournalError,
    Record,
    ReplayDivergedError,
    decode_record,
    hash_record,
)
from router.router import Router
from router.snapshot import SnapshotError
from streams import ENGINE_VERSION
from streams.embedded import checksum_of
from streams.ports import Journal, Snapshots, StoredRecord, StoredSnapshot
from streams.producers import ProducerClocks

log: Final = logging.getLogger("switchroom.recovery")
_encode: Final = msgspec.json.Encoder().encode


class Refold:
    """Follow a journal from its start, or from a snapshot, with a router of our own."""

    def __init__(self, router: Router | None = None) -> None:
        self.router = Router() if router is None else router
        self.seq = 0
        self.prev_hash = GENESIS_HASH
        self.writer_epoch = 0
        self.engine_version = ""
        self.shard = ""
        self.center: Center | None = None
        self.digest = Digest()
        self.inputs_up_to: dict[str, int] = {}
        self.previous_id = ""
        self.producers = ProducerClocks()
        self.records = 0

    @property
    def center_version(self) -> int:
        """Return the version of the configuration in force, 0 before there is one."""
        return 0 if self.center is None else self.center.version

    def feed(self, body: bytes) -> Record:
        """Check one record, feed its events to the router and compare what it decides.

        Raises `JournalError` if the record does not hold together, `ReplayDivergedError` if
        this version decides differently.
        """
        record = decode_record(body)
        where = f"record {self.records + 1} (seq {record.seq_from}-{record.seq_to})"
        self._check_links(record, where)
        self.shard = self.shard or record.shard
        for entry in record.entries:
            self._follow(entry, where)
        if record.seq_to != self.seq or record.state_hash != self.digest.hexdigest():
            raise JournalError(f"{where}: digest differs; the record was altered")
        self.adopt(record, body)
        return record

    def feed_all(self, bodies: Iterable[bytes]) -> None:
        """Feed a whole journal."""
        for body in bodies:
            self.feed(body)

    def _check_links(self, record: Record, where: str) -> None:
        if record.schema != JOURNAL_SCHEMA:
            raise JournalError(
                f"{where}: schema {record.schema}, this version reads {JOURNAL_SCHEMA}; "
                "use the version that wrote it"
            )
        if record.seq_from != self.seq + 1:
            raise JournalError(
                f"{where}: expected seq {self.seq + 1}; entries are missing or repeated"
            )
        if record.prev_hash != self.prev_hash:
            raise JournalError(f"{where}: does not follow the record before it (chain broken)")
        if self.shard not in ("", record.shard):
            raise JournalError(f"{where}: belongs to another centre than the record before it")
        if record.writer_epoch < self.writer_epoch:
            raise JournalError(f"{where}: writer epoch went back to {record.writer_epoch}")

    def _follow(self, entry: Entry, where: str) -> None:
        stamped = entry.stamped
        if stamped.seq != self.seq + 1:
            raise JournalError(f"{where}: entry has seq {stamped.seq}, expected {self.seq + 1}")
        decisions = self.router.handle(stamped)
        if decisions != entry.decisions or _encode(decisions) != _encode(entry.decisions):
            raise ReplayDivergedError(
                f"{where}: replay_diverged at seq {stamped.seq} ({type(stamped.event).__name__}): "
                f"the journal holds {_names(entry)}, this version decides "
                f"{[type(decision).__name__ for decision in decisions]}; nothing was written; use "
                "the version that wrote the journal"
            )
        self.seq = stamped.seq
        self.digest.update(stamped, decisions)
        self.note(entry)

    def note(self, entry: Entry) -> None:
        """Keep what the worker must know beside the router's state."""
        stamped = entry.stamped
        if stamped.occurred_ms:
            self.producers.note(stamped.event_id, stamped.occurred_ms, stamped.at_ms)
        if entry.decisions:
            last = len(entry.decisions) - 1
            if isinstance(stamped.event, CenterChanged) and any(
                isinstance(decision, ActivateCenter) for decision in entry.decisions
            ):
                self.center = stamped.event.center
            self.previous_id = f"{self.shard}/{stamped.seq}/{last}"

    def adopt(self, record: Record, body: bytes) -> None:
        """Take over a record's position, hash and versions."""
        self.records += 1
        self.seq = record.seq_to
        self.prev_hash = hash_record(body)
        self.writer_epoch = record.writer_epoch
        self.engine_version = record.engine_version
        self.inputs_up_to = dict(record.inputs_up_to)


class SnapshotBody(Struct, frozen=True):
    """What a snapshot holds: the configuration in force, the router's own bytes, clocks."""

    center: Center
    router: bytes
    producers: dict[str, int] = {}


def take_snapshot(state: Refold) -> StoredSnapshot | None:
    """Make the snapshot of a state; None before there is a centre."""
    if state.center is None:
        return None
    whole = SnapshotBody(state.center, state.router.snapshot(), state.producers.newest_ms)
    body = msgspec.msgpack.encode(whole)
    state_hash = state.digest.hexdigest()
    checksum = checksum_of(state.seq, ENGINE_VERSION, state_hash, body)
    return StoredSnapshot(state.seq, ENGINE_VERSION, state_hash, checksum, body)


async def recover(journal: Journal, snapshots: Snapshots) -> Refold:
    """Return the state at the journal's end: newest good snapshot, then what came after.

    Raises `JournalError` or `ReplayDivergedError`; nothing is ever overwritten.
    """
    state = Refold()
    for snapshot in await snapshots.load():
        try:
            state = restore(snapshot, await journal.find(snapshot.seq))
        except (SnapshotError, JournalError, msgspec.MsgspecError) as error:
            log.warning("snapshot at seq %d is passed over: %s", snapshot.seq, error)
            continue
        break
    async for stored in journal.read(state.seq):
        state.feed(stored.body)
        # A long journal must not look like a loop that hangs.
        await asyncio.sleep(0)
    return state


def restore(snapshot: StoredSnapshot, stored: StoredRecord | None) -> Refold:
    """Make the state of a snapshot and the journal record that ends where it was taken.

    Raises `SnapshotError`, `JournalError` or `MsgspecError` for one that is not to be trusted.
    """
    expected = checksum_of(
        snapshot.seq, snapshot.engine_version, snapshot.state_hash, snapshot.body
    )
    if expected != snapshot.checksum:
        raise SnapshotError("its checksum is wrong")
    if snapshot.engine_version != ENGINE_VERSION:
        raise SnapshotError(f"it was taken by version {snapshot.engine_version}")
    if stored is None:
        raise SnapshotError("no journal record ends where it was taken")
    record = decode_record(stored.body)
    if record.state_hash != snapshot.state_hash:
        raise SnapshotError("its state is not that of the journal")
    body = msgspec.msgpack.decode(snapshot.body, type=SnapshotBody)
    state = Refold(Router.restore(body.router))
    state.shard, state.center = record.shard, body.center
    state.producers = ProducerClocks(body.producers)
    state.digest = Digest(record.state_hash)
    state.previous_id = stored.previous_id
    for entry in record.entries:
        state.note(entry)
    state.center = body.center
    state.adopt(record, stored.body)
    if state.router.seq != state.seq:
        raise SnapshotError(f"it holds seq {state.router.seq}, not {state.seq}")
    return state


def _names(entry: Entry) -> list[str]:
    return [type(decision).__name__ for decision in entry.decisions]
