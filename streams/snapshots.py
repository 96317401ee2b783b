"""Keep snapshots as files beside a journal that lies elsewhere, each with its place there.

A snapshot is written whole or not at all (other name, flush, rename), read by its owner only, and
believed by nobody until the journal's record at that place agrees (`streams.recovery`).
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from streams.ports import StoredSnapshot, StoreError

log: Final = logging.getLogger("switchroom.snapshots")

KEPT: Final = 2
SUFFIX: Final = ".snapshot"


class _File(Struct, frozen=True):
    offset: int
    snapshot: StoredSnapshot


class SnapshotFiles:
    """Keep the last two snapshots of one centre in a directory."""

    def __init__(self, directory: Path, center_name: str) -> None:
        self._directory = directory
        self._stem = f"{center_name}-"
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{directory}: snapshots cannot be kept here ({error})") from None

    def load(self) -> list[tuple[StoredSnapshot, int]]:
        """Return the snapshots with the journal offset of their record, newest first."""
        found: list[tuple[StoredSnapshot, int]] = []
        for path in self._paths():
            try:
                file = msgspec.msgpack.decode(path.read_bytes(), type=_File)
            except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
                log.warning("%s is passed over: %s", path, error)
                continue
            found.append((file.snapshot, file.offset))
        return found

    def save(self, snapshot: StoredSnapshot, offset: int) -> None:
        """Keep one more; raises `OSError` if the disk does not take it."""
        path = self._directory / f"{self._stem}{snapshot.seq:016d}{SUFFIX}"
        unfinished = path.with_suffix(".unfinished")
        handle = os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(msgspec.msgpack.encode(_File(offset, snapshot)))
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
        folder = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        for old in self._paths()[KEPT:]:
            old.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        names = [
            path
            for path in self._directory.glob(f"*{SUFFIX}")
            if path.stem.rpartition("-")[0] + "-" == self._stem
        ]
        return sorted(names, reverse=True)
