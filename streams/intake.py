"""Receive records from a file or from standard input, one a line, each with its position.

A file can be read again: after a restart the lines that the journal has answered are stepped
over, and their hash must be what it was, or another file lies in its place. Standard input
goes on where it goes on: its positions only count. Lines too long to be taken are hashed and
dropped without being held in memory.
"""

from __future__ import annotations

import hashlib
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from streams.ports import Received, StoreError
from streams.strict_json import BYTES_MAX

log: Final = logging.getLogger("switchroom.intake")

_CHUNKS_MAX: Final = 64


def _read_lines(stream: BinaryIO) -> Iterator[tuple[bytes | None, str, bytes]]:
    """Yield (body or None, hash of a body too long, bytes for the chain) of each line."""
    while line := stream.readline(BYTES_MAX + 2):
        if line.endswith(b"\n") or len(line) <= BYTES_MAX:
            yield line.rstrip(b"\r\n"), "", line
            continue
        hasher = hashlib.blake2b(line.rstrip(b"\n"), digest_size=32)
        while not line.endswith(b"\n") and (line := stream.readline(BYTES_MAX)):
            hasher.update(line.rstrip(b"\n"))
        yield None, hasher.hexdigest(), hasher.digest()


class FileIntake:
    """Read a file of records from a position on.

    Raises `StoreError` if the lines before the position are not those read before.
    """

    def __init__(self, path: Path, next_offset: int = 0, chain: str = "") -> None:
        self.topic = path.name
        self.ended = False
        self._path = path
        self._stream = path.open("rb")
        self._lines = _read_lines(self._stream)
        self._offset = 0
        self._chain = ""
        try:
            self._skip(next_offset, chain)
        except BaseException:
            self.close()
            raise

    def _skip(self, next_offset: int, chain: str) -> None:
        for _ in range(next_offset):
            if self._next() is None:
                raise StoreError(
                    f"{self._path}: ends after line {self._offset}, but the store has already "
                    f"read {next_offset} lines of it; a file may grow, not shrink: put the whole "
                    "one back, or give new records a file with another name"
                )
        if chain not in ("", self._chain):
            raise StoreError(
                f"{self._path}: its first {next_offset} lines are not those that the store has "
                "read under this name; put the old file back, or give the new one another name"
            )

    def behind(self) -> list[tuple[str, int, int]]:
        """Return nothing: nobody knows what a file still holds."""
        return []

    def receive(self, records_max: int) -> list[Received]:
        """Return the next lines."""
        records: list[Received] = []
        while len(records) < records_max and (record := self._next()) is not None:
            records.append(record)
        return records

    def _next(self) -> Received | None:
        line = next(self._lines, None)
        if line is None:
            self.ended = True
            return None
        body, body_hash, content = line
        self._chain = hashlib.blake2b(
            self._chain.encode() + content, digest_size=16, usedforsecurity=False
        ).hexdigest()
        record = Received(self.topic, self._offset, body, body_hash, self._chain)
        self._offset += 1
        return record

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


class StreamIntake:
    """Read standard input, or a pipe, in a thread of its own; `wake` is called when lines came.

    The thread stops reading while `_CHUNKS_MAX` chunks wait: the pipe's own buffer then
    holds the producer back.
    """

    def __init__(
        self, stream: BinaryIO, wake: Callable[[], None], topic: str, next_offset: int = 0
    ) -> None:
        self.topic = topic
        self._stream = stream
        self._wake = wake
        self._offset = next_offset
        self._chunks: queue.Queue[list[tuple[bytes | None, str]] | None] = queue.Queue(_CHUNKS_MAX)
        self._ready: deque[tuple[bytes | None, str]] = deque()
        self._all_read = False
        # A daemon: a read that never returns must not keep the worker from stopping.
        threading.Thread(target=self._read, name=f"intake {topic}", daemon=True).start()

    def behind(self) -> list[tuple[str, int, int]]:
        """Return nothing: nobody knows what a pipe still holds."""
        return []

    @property
    def ended(self) -> bool:
        """Whether the stream was closed and all its lines were received."""
        return self._all_read and not self._ready

    def receive(self, records_max: int) -> list[Received]:
        """Return what has come, without waiting."""
        while len(self._ready) < records_max and not self._all_read:
            try:
                chunk = self._chunks.get_nowait()
            except queue.Empty:
                break
            if chunk is None:
                self._all_read = True
            else:
                self._ready.extend(chunk)
        records: list[Received] = []
        while self._ready and len(records) < records_max:
            body, body_hash = self._ready.popleft()
            records.append(Received(self.topic, self._offset, body, body_hash))
            self._offset += 1
        return records

    def close(self) -> None:
        """Leave the stream to its thread; both end with the process."""

    def _read(self) -> None:
        splitter = _Splitter()
        # `read1` hands over what is there; waiting for a full buffer would hold a line back.
        read1 = getattr(self._stream, "read1", self._stream.read)
        try:
            while block := read1(BYTES_MAX):
                if lines := splitter.feed(block):
                    self._chunks.put(lines)
                    self._wake()
        except (OSError, ValueError):
            log.exception("%s: reading failed; no more records will come from here", self.topic)
        self._chunks.put(splitter.finish())
        self._chunks.put(None)
        self._wake()


class _Splitter:
    """Cut blocks of bytes into lines; one that grows too long is only hashed."""

    def __init__(self) -> None:
        self._rest = b""
        self._hasher: hashlib.blake2b | None = None

    def feed(self, block: bytes) -> list[tuple[bytes | None, str]]:
        """Return the lines that are whole now."""
        *whole, self._rest = (self._rest + block).split(b"\n")
        lines = [self._line(line) for line in whole]
        if len(self._rest) > BYTES_MAX + 1:
            self._hasher = self._hasher or hashlib.blake2b(digest_size=32)
            self._hasher.update(self._rest)
            self._rest = b""
        return lines

    def finish(self) -> list[tuple[bytes | None, str]]:
        """Return a last line that has no end."""
        return [self._line(self._rest)] if self._rest or self._hasher else []

    def _line(self, line: bytes) -> tuple[bytes | None, str]:
        if self._hasher is not None:
            self._hasher.update(line)
            body_hash, self._hasher = self._hasher.hexdigest(), None
            return None, body_hash
        if len(line) > BYTES_MAX + 1:
            return None, hashlib.blake2b(line, digest_size=32).hexdigest()
        return line.rstrip(b"\r"), ""
