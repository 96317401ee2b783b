"""Keep the truth: stamped events with their decisions, in a chain of records.

An `Entry` is one stamped event and the decisions it led to. A `Record` is one commit unit:
the entries made between two appends, written at once, chained to the record before by its
hash. The `Digest` folds entries only, so it does not depend on where one record ended and the
next began: two runs with the same digest decided the same, byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, structs

from router.canonical import journal_form
from router.decisions import Decision
from router.events import CenterChanged, Source, Stamped

JOURNAL_SCHEMA: Final = 1
GENESIS_HASH: Final = "0" * 64

_encoder = msgspec.json.Encoder()


class Entry(Struct, frozen=True, gc=False, omit_defaults=True):
    """A stamped event, its decisions, and the input record it came from (if any)."""

    stamped: Stamped
    decisions: tuple[Decision, ...]
    source: Source | None = None


class Record(Struct, frozen=True, gc=False, omit_defaults=True):
    """One commit unit of the journal.

    `inputs_up_to` gives, per `topic/partition`, the next offset to read; `gaps` lists the offsets
    stepped over. `state_hash` is the digest after the last entry, `prev_hash` the hash of the
    record before. Hashes are BLAKE2b-256 in hex.
    """

    schema: int
    engine_version: str
    shard: str
    writer_epoch: int
    seq_from: int
    seq_to: int
    entries: tuple[Entry, ...]
    inputs_up_to: dict[str, int]
    state_hash: str
    prev_hash: str
    gaps: tuple[Source, ...] = ()


_record_decoder = msgspec.json.Decoder(Record)


class JournalError(Exception):
    """A journal that does not hold together: says where, why and what to do."""


class ReplayDivergedError(JournalError):
    """A replay decided differently from the journal."""


class Digest:
    """Fold entries into one BLAKE2b-256 over their canonical bytes.

    Canonical is the JSON that msgspec writes for the stamp and the decisions: struct fields in
    their order of declaration, defaults left out. The source of an event does not count.
    """

    def __init__(self, state: str = GENESIS_HASH) -> None:
        self.state = state

    def update(self, stamped: Stamped, decisions: tuple[Decision, ...]) -> None:
        """Fold one entry."""
        body = _encoder.encode((self.state, journal_form(stamped), decisions))
        self.state = hashlib.blake2b(body, digest_size=32).hexdigest()

    def hexdigest(self) -> str:
        """Return the digest of everything folded so far, 64 hex digits."""
        return self.state


def encode_record(record: Record) -> bytes:
    """Write a record as one line of JSON, without the line's end."""
    if any(type(entry.stamped.event) is CenterChanged for entry in record.entries):
        entries = tuple(
            structs.replace(entry, stamped=journal_form(entry.stamped)) for entry in record.entries
        )
        record = structs.replace(record, entries=entries)
    return _encoder.encode(record)


def decode_record(body: bytes) -> Record:
    """Read a record; raises `JournalError` when it is none of ours."""
    try:
        return _record_decoder.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise JournalError(
            f"not a journal record ({error}); a journal is a store, or what `switchroom journal "
            "export` and `switchroom simulate -o` write"
        ) from error


def hash_record(body: bytes) -> str:
    """Return the hash by which the next record names this one."""
    return hashlib.blake2b(body, digest_size=32).hexdigest()


def verify_records(bodies: Iterable[bytes]) -> Iterator[Record]:
    """Yield records in order, each checked: sequence dense, chain unbroken, digest right.

    Raises `JournalError` at the first that does not hold.
    """
    seq, prev_hash, epoch = 0, GENESIS_HASH, 0
    digest = Digest()
    for number, body in enumerate(bodies, start=1):
        record = decode_record(body)
        where = f"record {number} (seq {record.seq_from}-{record.seq_to})"
        if record.schema != JOURNAL_SCHEMA:
            raise JournalError(
                f"{where}: schema {record.schema}, this version reads {JOURNAL_SCHEMA}; "
                "use the version that wrote it"
            )
        if record.seq_from != seq + 1:
            raise JournalError(f"{where}: expected seq {seq + 1}; entries are missing or repeated")
        if record.prev_hash != prev_hash:
            raise JournalError(f"{where}: does not follow the record before it (hash chain broken)")
        if record.writer_epoch < epoch:
            raise JournalError(f"{where}: writer epoch went back to {record.writer_epoch}")
        for entry in record.entries:
            seq += 1
            if entry.stamped.seq != seq:
                raise JournalError(f"{where}: entry has seq {entry.stamped.seq}, expected {seq}")
            digest.update(entry.stamped, entry.decisions)
        if record.seq_to != seq or record.state_hash != digest.hexdigest():
            raise JournalError(f"{where}: digest differs; the record was altered")
        prev_hash, epoch = hash_record(body), record.writer_epoch
        yield record


def read_journal(path: Path) -> Iterator[bytes]:
    """Yield the records' bytes of a journal file (one JSON record a line)."""
    with path.open("rb") as lines:
        for line in lines:
            if line.strip():
                yield line.rstrip(b"\n")


class JournalWriter:
    """Chain entries into records; the caller stores the bytes."""

    def __init__(
        self,
        shard: str,
        engine_version: str,
        writer_epoch: int = 1,
        seq: int = 0,
        prev_hash: str = GENESIS_HASH,
        digest: Digest | None = None,
    ) -> None:
        self.shard = shard
        self.engine_version = engine_version
        self.writer_epoch = writer_epoch
        self.seq = seq
        self.prev_hash = prev_hash
        self.digest = digest if digest is not None else Digest()

    def record(
        self,
        entries: list[Entry],
        inputs_up_to: dict[str, int] | None = None,
        gaps: tuple[Source, ...] = (),
    ) -> bytes:
        """Make the next record of `entries` (not empty) and return its bytes."""
        assert entries, "a record holds at least one entry"
        assert entries[0].stamped.seq == self.seq + 1, "entries follow the journal"
        for entry in entries:
            self.digest.update(entry.stamped, entry.decisions)
        seq_from, self.seq = self.seq + 1, entries[-1].stamped.seq
        body = encode_record(
            Record(
                schema=JOURNAL_SCHEMA,
                engine_version=self.engine_version,
                shard=self.shard,
                writer_epoch=self.writer_epoch,
                seq_from=seq_from,
                seq_to=self.seq,
                entries=tuple(entries),
                inputs_up_to=inputs_up_to or {},
                state_hash=self.digest.hexdigest(),
                prev_hash=self.prev_hash,
                gaps=gaps,
            )
        )
        self.prev_hash = hash_record(body)
        return body
