"""Copy a journal that lies in a topic into a store file, so that views can look into it.

The copy is nobody's truth: it may lag, and it is made anew if it does not fit the journal. It is
written in a thread of its own, beside the work; only a unit that is committed gets here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol, TypeVar

from msgspec import Struct

from router.journal import GENESIS_HASH, hash_record
from streams.embedded import EmbeddedStore
from streams.ports import CommitUnit, StoredRecord, StoreError, StoreLockedError

log: Final = logging.getLogger("switchroom.mirror")

BATCH: Final = 500
_PLACE: Final = "journal offset"

T = TypeVar("T")


class ForeignCopyError(StoreError):
    """A copy that does not fit the journal: it is of another one, or was damaged."""


class CopiedRecord(Struct, frozen=True, gc=False):
    """A journal record with the offset at which it lies."""

    stored: StoredRecord
    offset: int


class Original(Protocol):
    """The journal that is copied."""

    last_offset: int
    """Where the record appended last lies."""

    def copy(self, seq: int, prev_hash: str, offset: int) -> AsyncIterator[CopiedRecord]:
        """Yield the records of the line behind the one at `offset`, which ends with `seq`.

        Raises `ForeignCopyError` if that one is not of the line.
        """


class _End(Struct, frozen=True):
    seq: int
    prev_hash: str
    offset: int


class Mirror:
    """Keep the copy in one file; `grown` tells when it got longer, `failure` why it cannot."""

    def __init__(self, path: Path, forget: Callable[[], None]) -> None:
        self.path = path
        self.seq = 0
        self.failure = ""
        self.grown = asyncio.Condition()
        self._forget = forget
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mirror")
        self._store: EmbeddedStore | None = None
        self._waiting: list[CopiedRecord] = []
        self._writing: asyncio.Task[None] | None = None
        self._original: Original | None = None
        self._following: asyncio.Task[None] | None = None

    # --- as a sink ----------------------------------------------------------------

    name = "mirror"

    async def publish(self, unit: CommitUnit, engine_version: str) -> None:  # noqa: ARG002 - a port
        """Take one committed unit over; it is written soon."""
        if self.failure or self._original is None:
            return
        stored = StoredRecord(
            unit.seq_from, unit.seq_to, unit.body, unit.previous_id, unit.center_version
        )
        self._waiting.append(CopiedRecord(stored, self._original.last_offset))
        self._write_soon()

    # --- following ----------------------------------------------------------------

    async def follow(self, original: Original) -> None:
        """Copy what is missing, beside the work; units that come meanwhile wait."""
        await self.leave()
        self._original = original
        self._following = asyncio.create_task(self._catch_up(original))

    async def leave(self) -> None:
        """Follow nobody; what waited is read again when there is somebody."""
        for task in (self._following, self._writing):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})
        self._following = self._writing = self._original = None
        self._waiting.clear()

    async def close(self) -> None:
        """Close the file and end the thread."""
        await self.leave()
        await self._in_thread(self._close)
        self._thread.shutdown()

    async def wait_beyond(self, seq: int, seconds: float) -> bool:
        """Wait until the copy holds more than `seq`; False if that took too long."""
        async with self.grown:
            try:
                async with asyncio.timeout(seconds):
                    while self.seq <= seq:
                        await self.grown.wait()
            except TimeoutError:
                return False
        return True

    async def _catch_up(self, original: Original) -> None:
        try:
            end = await self._in_thread(self._open)
            try:
                await self._copy(original, end)
            except ForeignCopyError:
                log.warning("%s is not a copy of this journal; it is made anew", self.path)
                await self._in_thread(self._clear)
                await self._copy(original, _End(0, GENESIS_HASH, -1))
        except (StoreError, OSError) as error:
            self.failure = f"the copy of the journal cannot be kept: {error}"
            log.warning("%s; queues, agents and contacts cannot be shown", self.failure)
            self._waiting.clear()
        self._following = None
        self._write_soon()

    async def _copy(self, original: Original, end: _End) -> None:
        """Copy what lies behind `end`."""
        batch: list[CopiedRecord] = []
        async for record in original.copy(end.seq, end.prev_hash, end.offset):
            batch.append(record)
            if len(batch) >= BATCH:
                await self._write(batch)
                batch = []
        await self._write(batch)

    def _write_soon(self) -> None:
        if self._following is None and self._writing is None and self._waiting:
            self._writing = asyncio.create_task(self._write_waiting())

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._write(batch)
        except (StoreError, OSError) as error:
            self.failure = f"the copy of the journal cannot be kept: {error}"
            log.warning("%s; queues, agents and contacts are no longer shown", self.failure)
            self._waiting.clear()
        finally:
            self._writing = None

    async def _write(self, batch: list[CopiedRecord]) -> None:
        if not batch:
            return
        await self._in_thread(lambda: self._keep(batch))
        self.seq = max(self.seq, batch[-1].stored.seq_to)
        async with self.grown:
            self.grown.notify_all()

    # --- in the thread ------------------------------------------------------------

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _open(self) -> _End:
        if self._store is None:
            try:
                self._store = EmbeddedStore.own(self.path, durable=False)
            except StoreLockedError:
                raise
            except StoreError as error:
                log.warning("%s: %s; the copy is made anew", self.path, error)
                self._clear()
        assert self._store is not None, "opened or made anew"
        self.seq = self._store.seq_end()
        last = self._store.find(self.seq) if self.seq else None
        if last is None:
            return _End(0, GENESIS_HASH, -1)
        offset = self._store.published_seq(_PLACE)
        return _End(self.seq, hash_record(last.body), offset)

    def _clear(self) -> None:
        self._close()
        self._forget()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self._store = EmbeddedStore.own(self.path, durable=False)
        self.seq = 0

    def _keep(self, records: Iterable[CopiedRecord]) -> None:
        assert self._store is not None, "opened before anything is kept"
        end = self._store.seq_end()
        # Catching up may have met what was also handed over as a unit.
        new = [record for record in records if record.stored.seq_to > end]
        if new:
            self._store.copy([record.stored for record in new], _PLACE, new[-1].offset)

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
