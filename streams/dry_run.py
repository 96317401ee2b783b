"""Decide beside a journal and leave no trace: nothing is journaled, nothing published.

What was committed is read as ever; from there on every unit is shown and forgotten. So it may run
beside the worker that owns the journal. It is a look at what the next records would lead to: the
answers of agents to offers that only it made never come, and those to the worker's offers do not
fit its own, so after a while it tells another story than the worker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import TextIO

from streams.ports import CommitUnit, Journal, Snapshots, StoredRecord, StoredSnapshot
from streams.writing import DecisionWriter


class DryJournal:
    """Read from a store, forget what is appended."""

    def __init__(self, journal: Journal, snapshots: Snapshots) -> None:
        self._journal = journal
        self._snapshots = snapshots
        self._entries = 0
        self._decisions: Counter[str] = Counter()

    async def append(self, unit: CommitUnit) -> None:
        """Count one unit, and forget it."""
        self._entries += len(unit.entries)
        for entry in unit.entries:
            self._decisions.update(type(decision).__name__ for decision in entry.decisions)

    def read(self, after_seq: int) -> AsyncIterator[StoredRecord]:
        """Yield what is committed."""
        return self._journal.read(after_seq)

    async def find(self, seq_to: int) -> StoredRecord | None:
        """Return a committed record."""
        return await self._journal.find(seq_to)

    async def load(self) -> list[StoredSnapshot]:
        """Return the snapshots."""
        return await self._snapshots.load()

    async def save(self, snapshot: StoredSnapshot) -> None:
        """Keep nothing."""

    def told(self) -> str:
        """Say what would have been done."""
        kinds = ", ".join(f"{name} {count}" for name, count in sorted(self._decisions.items()))
        return (
            f"dry run: {self._entries} entries, {self._decisions.total()} decisions"
            f"{f' ({kinds})' if kinds else ''}; nothing was journaled, nothing published"
        )


class DrySink:
    """Show decisions, a CloudEvent a line; nobody else gets them."""

    name = "dry run"

    def __init__(self, stream: TextIO, center_name: str) -> None:
        self._stream = stream
        self._center_name = center_name

    async def publish(self, unit: CommitUnit, engine_version: str) -> None:
        """Show the decisions of one unit."""
        writer = DecisionWriter(self._center_name, unit.previous_id, unit.center_version)
        for entry in unit.entries:
            for _, _, body in writer.write(entry, engine_version):
                self._stream.write(body.decode() + "\n")
        self._stream.flush()
