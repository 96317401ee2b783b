"""Read what is asked about: a journal file, or the store of a worker, which is only looked at."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from router.journal import Entry, JournalError, read_journal, verify_records

_SQLITE: Final = b"SQLite format 3\x00"
LISTS: Final = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"})


def is_list(path: Path) -> bool:
    """Say whether a file is a table of contacts, by its name."""
    return path.suffix.lower() in LISTS


def bodies_in(path: Path) -> Iterator[bytes]:
    """Yield the records of a journal file or of a store; raises `JournalError`, `OSError`."""
    with path.open("rb") as file:
        is_store = file.read(len(_SQLITE)) == _SQLITE
    if not is_store:
        yield from read_journal(path)
        return
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as store:
            for (body,) in store.execute("SELECT body FROM journal ORDER BY seq_from"):
                yield bytes(body)
    except sqlite3.Error as error:
        raise JournalError(
            f"{path}: {error}; write its journal to a file first: "
            f"switchroom journal export {path} -o journal.jsonl"
        ) from error


def entries_in(path: Path) -> Iterator[Entry]:
    """Yield the entries, each record checked; raises `JournalError`, `OSError`."""
    for record in verify_records(bodies_in(path)):
        yield from record.entries
