"""Keep the journal in one partition: one record a commit unit, and nobody but us behind it.

The log is a line whoever writes it: a reader accepts a record only if it is the next one (J3: the
first for its seq, naming the hash of the one before), so of two writers only one is heard. A
writer notices the other by the offset of its own record: it must be exactly the one expected
(J4). If it is not, nothing is published, all state is thrown away, and the log is read again. Who
then finds a record of a later epoch than its own has been replaced, and stops. No transaction
is needed, so none can hang, tear or come back.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from msgspec import Struct

from router.journal import GENESIS_HASH, hash_record
from streams.kafka import Cluster, KafkaRecord, Outgoing, Place
from streams.mirror import CopiedRecord, ForeignCopyError
from streams.ports import (
    CommitUnit,
    ForeignWriterError,
    StoredRecord,
    StoredSnapshot,
    StoreError,
    StoreFencedError,
)
from streams.snapshots import SnapshotFiles

log: Final = logging.getLogger("switchroom.kafka")

PREVIOUS_ID: Final = "previous_id"
CENTER_VERSION: Final = "center_version"


class Links(Struct, frozen=True, gc=False):
    """What of a journal record says where it belongs."""

    seq_from: int
    seq_to: int
    writer_epoch: int
    prev_hash: str


_links: Final = msgspec.json.Decoder(Links)


class JournalLine:
    """Follow the one line through a log that several may have written to."""

    def __init__(self, seq: int = 0, prev_hash: str = GENESIS_HASH) -> None:
        self.seq = seq
        self.prev_hash = prev_hash
        self.conflicts = 0
        self.latest_epoch = 0

    def accept(self, body: bytes | None) -> Links | None:
        """Return the links of the next record of the line; None for what is to be dropped."""
        links = _links_of(body)
        if links is None:
            self.conflicts += 1
            return None
        # Also of a dropped record: it tells of another writer.
        self.latest_epoch = max(self.latest_epoch, links.writer_epoch)
        if links.seq_from != self.seq + 1 or links.prev_hash != self.prev_hash:
            self.conflicts += 1
            return None
        assert body, "it was decoded"
        self.seq, self.prev_hash = links.seq_to, hash_record(body)
        return links


class KafkaJournal:
    """Put one partition behind the ports `Journal` and `Snapshots`.

    `own_epoch` is that under which this process wrote before it recovered, 0 if it did not;
    `published_seq` the seq up to which all decisions are certainly out, -1 if nobody can tell:
    then all but those of the last record are, since a unit is appended only after the one before
    it was published.
    """

    def __init__(
        self,
        cluster: Cluster,
        place: Place,
        center_name: str,
        *,
        published_seq: int,
        snapshots: SnapshotFiles | None = None,
        own_epoch: int = 0,
    ) -> None:
        self.place = place
        self.line = JournalLine()
        self.expected_offset = -1
        self.last_offset = -1
        self._cluster = cluster
        self._key = center_name.encode()
        self._published_seq = published_seq
        self._snapshots = snapshots
        self._own_epoch = own_epoch
        self._offsets: dict[int, int] = {}
        self._first_unpublished: tuple[int, JournalLine] | None = None

    @property
    def next_epoch(self) -> int:
        """Return the epoch to write under, once the journal was read."""
        return self.line.latest_epoch + 1

    # --- reading ------------------------------------------------------------------

    async def read(self, after_seq: int) -> AsyncIterator[StoredRecord]:
        """Yield the records of the line that end after `after_seq`; learn the log's end."""
        if not after_seq:
            # A snapshot whose record was found may still have been passed over.
            self.line, self._first_unpublished = JournalLine(), None
        reader = await self._cluster.reader({self.place: 0})
        try:
            first, end = (await reader.bounds((self.place,)))[self.place]
            start = self._offsets[after_seq] + 1 if after_seq else first
            reader.seek(self.place, start)
            async for record in reader.read_until(self.place, end):
                if (stored := self._follow(record, after_seq)) is not None:
                    yield stored
        finally:
            await reader.close()
        if not self.line.seq and first:
            raise self._incomplete(first)
        self.expected_offset = end
        if self.line.conflicts:
            log.warning(
                "journal_conflict: %s/%d holds %d records that are not of its line; two workers "
                "wrote at the same time; the records were dropped, as every reader drops them",
                *(self.place.topic, self.place.partition, self.line.conflicts),
            )

    def _follow(self, record: KafkaRecord, after_seq: int) -> StoredRecord | None:
        line, before = self.line, (self.line.seq, self.line.prev_hash)
        links = line.accept(record.value)
        if self._own_epoch and line.latest_epoch > self._own_epoch:
            raise StoreFencedError(
                f"{self.place.topic}/{self.place.partition}: another worker (epoch "
                f"{line.latest_epoch}) took the journal over from this one (epoch "
                f"{self._own_epoch}); nothing more was published; run one worker for a centre"
            )
        if links is None:
            if not line.seq and not after_seq and record.offset:
                raise self._incomplete(record.offset)
            return None
        unknown = self._published_seq < 0
        if unknown or (links.seq_to > self._published_seq and self._first_unpublished is None):
            self._first_unpublished = (record.offset, JournalLine(*before))
        return _stored(record, links)

    def _incomplete(self, first: int) -> StoreError:
        return StoreError(
            f"{self.place.topic}/{self.place.partition}: the journal no longer begins at seq 1 "
            f"(first record at offset {first}) and no snapshot fits; bring the snapshots back, or "
            "restore the topic; starting empty beside a journal is refused"
        )

    async def unpublished(self) -> AsyncIterator[StoredRecord]:
        """Yield the records whose decisions are perhaps not all out; after `read`."""
        if self._first_unpublished is None:
            return
        offset, line = self._first_unpublished
        reader = await self._cluster.reader({self.place: offset})
        try:
            async for record in reader.read_until(self.place, self.expected_offset):
                if (links := line.accept(record.value)) is not None:
                    yield _stored(record, links)
        finally:
            await reader.close()

    async def copy(self, seq: int, prev_hash: str, offset: int) -> AsyncIterator[CopiedRecord]:
        """Yield the records of the line behind the one at `offset`, up to the end known now."""
        line, end, reached = JournalLine(seq, prev_hash), self.expected_offset, self.line.seq
        reader = await self._cluster.reader({self.place: 0})
        try:
            first, _ = (await reader.bounds((self.place,)))[self.place]
            if seq and not first <= offset < end:
                raise ForeignCopyError(f"{self.place.topic}: nothing at offset {offset}")
            reader.seek(self.place, offset + 1 if seq else first)
            async for record in reader.read_until(self.place, end):
                if (links := line.accept(record.value)) is not None:
                    yield CopiedRecord(_stored(record, links), record.offset)
        finally:
            await reader.close()
        if line.seq < reached:
            raise ForeignCopyError(f"{self.place.topic}: another line than that of the copy")

    async def find(self, seq_to: int) -> StoredRecord | None:
        """Return the record that ends with `seq_to`, if a snapshot says where it lies.

        None also if decisions before that record are perhaps not out: they must be read again.
        """
        offset = self._offsets.get(seq_to, -1)
        reader = await self._cluster.reader({self.place: 0})
        try:
            first, end = (await reader.bounds((self.place,)))[self.place]
            if not first <= offset < end:
                return None
            reader.seek(self.place, offset)
            async for record in reader.read_until(self.place, offset + 1):
                links = _links_of(record.value)
                if links is None or links.seq_to != seq_to or not record.value:
                    return None
                if links.seq_from - 1 > self._published_seq >= 0:
                    return None
                self._first_unpublished = None
                if seq_to > self._published_seq:
                    before = JournalLine(links.seq_from - 1, links.prev_hash)
                    self._first_unpublished = (offset, before)
                self.line = JournalLine(seq_to, hash_record(record.value))
                self.line.latest_epoch = links.writer_epoch
                return _stored(record, links)
        finally:
            await reader.close()
        return None

    # --- writing ------------------------------------------------------------------

    async def append(self, unit: CommitUnit) -> None:
        """Append one unit and hold the acknowledged offset against the expected one."""
        record = Outgoing(
            self._key,
            unit.body,
            (
                (PREVIOUS_ID, unit.previous_id.encode()),
                (CENTER_VERSION, str(unit.center_version).encode()),
            ),
        )
        assert self.expected_offset >= 0, "the journal was read to its end"
        seconds = self._cluster.settings.append_s
        self.expected_offset = await self._cluster.append(
            self.place, record, seconds, self._check_offset
        )
        self._offsets = {unit.seq_to: self.last_offset}

    def _check_offset(self, offset: int) -> None:
        if offset != self.expected_offset:
            raise ForeignWriterError(
                f"{self.place.topic}/{self.place.partition}: appended at offset {offset}, "
                f"{self.expected_offset} was expected: another writer is there; nothing of this "
                "unit was published"
            )
        self.last_offset = offset

    # --- snapshots ----------------------------------------------------------------

    async def load(self) -> list[StoredSnapshot]:
        """Return the snapshots, newest first."""
        if self._snapshots is None:
            return []
        found = self._snapshots.load()
        self._offsets = {snapshot.seq: offset for snapshot, offset in found}
        return [snapshot for snapshot, _ in found]

    async def save(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot of the state after the last append; a full disk is no reason to stop."""
        if self._snapshots is None or snapshot.seq not in self._offsets:
            return
        try:
            self._snapshots.save(snapshot, self._offsets[snapshot.seq])
        except OSError as error:
            log.warning("snapshot at seq %d was not kept: %s", snapshot.seq, error)


def _links_of(body: bytes | None) -> Links | None:
    try:
        return _links.decode(body or b"")
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        return None


def _stored(record: KafkaRecord, links: Links) -> StoredRecord:
    headers = dict(record.headers)
    assert record.value, "it was decoded"
    return StoredRecord(
        links.seq_from,
        links.seq_to,
        record.value,
        headers.get(PREVIOUS_ID, b"").decode("utf-8", "replace"),
        int(headers.get(CENTER_VERSION, b"0")),
    )
