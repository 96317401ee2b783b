"""Say what the worker asks of whoever keeps the order: few calls, nothing of their insides.

`streams.embedded` answers them with one SQLite file, `streams.kafka_*` with topics; the service
above never learns which it is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from msgspec import Struct

from router.journal import Entry


class Carriage(Struct, frozen=True, gc=False):
    """What a broker's record carries beside its body.

    `key` None: it has none. `operator`: it came by a way that only operators may use.
    """

    key: str | None
    headers: dict[str, str]
    operator: bool = False


class Received(Struct, frozen=True, gc=False):
    """One input record with its place.

    `body` None means too large to be kept; then `body_hash` is there. `chain` is the hash of
    everything read so far, "" if the input cannot be read again. `carriage` None: a plain line.
    """

    topic: str
    offset: int
    body: bytes | None
    body_hash: str = ""
    chain: str = ""
    partition: int = 0
    carriage: Carriage | None = None


class CommitUnit(Struct, frozen=True):
    """What one append makes durable: one journal record and the inputs it answers.

    `previous_id` is the id of the last decision before it, `center_version` the configuration in
    force there (0: none yet). `input_hashes` says, by topic, what
    was read up to the new position, so that another file in its place is noticed.
    """

    body: bytes
    entries: tuple[Entry, ...]
    seq_from: int
    seq_to: int
    at_ms: int
    writer_epoch: int
    previous_id: str
    center_version: int
    inputs_up_to: dict[str, int]
    input_hashes: dict[str, str]


class StoredRecord(Struct, frozen=True, gc=False):
    """A journal record as it lies in the store."""

    seq_from: int
    seq_to: int
    body: bytes
    previous_id: str
    center_version: int


class StoredSnapshot(Struct, frozen=True, gc=False):
    """The router's state after entry `seq`; good only if `checksum` is that of the rest."""

    seq: int
    engine_version: str
    state_hash: str
    checksum: str
    body: bytes


class StoreError(Exception):
    """A store that cannot be used: says what, where, why and what to do."""


class StoreLockedError(StoreError):
    """Another worker owns the store."""


class StoreFencedError(StoreError):
    """Another worker took the store over: this one must stop and say nothing more."""


class NotAllowedError(StoreError):
    """A right that we do not have."""


class OutcomeUnknownError(StoreError):
    """Nobody knows whether the last call was done: throw the state away, recover, go on."""


class ForeignWriterError(OutcomeUnknownError):
    """A record of ours lies where it was not expected: somebody else writes this journal."""


class LogStuckError(OutcomeUnknownError):
    """A log holds records that nobody may read: a transaction of somebody is open before them."""


class Intake(Protocol):
    """Where records come from, in their order."""

    topic: str

    def receive(self, records_max: int) -> list[Received]:
        """Return what is there, at most `records_max` records; empty when nothing is."""

    def behind(self) -> list[tuple[str, int, int]]:
        """Return (topic, partition, records) of what is known to be there and not received."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""


class Journal(Protocol):
    """The truth: append-only, one writer."""

    async def append(self, unit: CommitUnit) -> None:
        """Make one unit durable, or raise `StoreError`; after an error the outcome is unknown."""

    def read(self, after_seq: int) -> AsyncIterator[StoredRecord]:
        """Yield the records that end after `after_seq`, in order."""

    async def find(self, seq_to: int) -> StoredRecord | None:
        """Return the record that ends with `seq_to`."""


class Snapshots(Protocol):
    """Shortcuts through the journal; losing them costs time, never truth."""

    async def load(self) -> list[StoredSnapshot]:
        """Return what there is, newest first, good or bad."""

    async def save(self, snapshot: StoredSnapshot) -> None:
        """Keep one more; older ones than the last two may go."""


class Sink(Protocol):
    """Where decisions go once they are durable; repeats after a crash carry the same ids."""

    name: str

    async def publish(self, unit: CommitUnit, engine_version: str) -> None:
        """Bring the decisions of one committed unit out."""
