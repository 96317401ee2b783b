# ruff: noqa: PLC0415, T201 - a command imports what it needs when it runs, and prints
"""Offer the journal on the command line: verify, digest, show, export; a store or a file.

`fail`, `told` and `print_facts` are how every command of this driver speaks of errors and facts.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from router.journal import Entry

journal_app = typer.Typer(
    help="Verify, show, digest or export a journal (a store, or a file of records).",
    no_args_is_help=True,
)

JournalArgument = Annotated[
    Path, typer.Argument(help="A store, or a journal file with one record a line.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


class ExportForm(StrEnum):
    """What `switchroom journal export` writes."""

    RECORDS = "records"
    DECISIONS = "decisions"
    EVENTS = "events"


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what went wrong on stderr and end with an exit code."""
    sys.stderr.write(message.rstrip("\n") + "\n")
    raise typer.Exit(code)


@contextlib.contextmanager
def told(file: Path | None = None) -> Iterator[None]:
    """Tell errors that are nobody's bug in their own words, without a traceback.

    `file` is what is read; it is named where the error does not name it.
    """
    from router.journal import JournalError
    from streams.ports import StoreError
    from streams.service import CenterMismatchError

    try:
        yield
    except (StoreError, JournalError, CenterMismatchError) as error:
        named = file is None or str(file) in str(error)
        fail(f"error: {error}" if named else f"error: {file}: {error}")


@journal_app.command()
def verify(file: JournalArgument, *, as_json: JsonOption = False) -> None:
    """Check that sequence, chain and digest hold, without deciding anything again."""
    from router.journal import Digest, verify_records

    with told(file):
        records = entries = 0
        digest = Digest().hexdigest()
        for record in verify_records(bodies_of(file)):
            records += 1
            entries, digest = record.seq_to, record.state_hash
    facts: dict[str, int | str] = {"records": records, "entries": entries, "digest": digest}
    print_facts(facts, f"{file}: whole, {records} records", as_json=as_json)


@journal_app.command()
def digest(file: JournalArgument) -> None:
    """Print the digest: two journals with the same one decided the same."""
    from router.journal import Digest

    with told():
        folded = Digest()
        for entry in entries_in(file):
            folded.update(entry.stamped, entry.decisions)
    print(folded.hexdigest())


@journal_app.command()
def show(
    file: JournalArgument,
    first: Annotated[int, typer.Option("--from", min=1, help="The first seq.")] = 1,
    last: Annotated[int, typer.Option("--to", min=1, help="The last seq.")] = 2**53,
    contact: Annotated[str, typer.Option(help="Only entries that name this contact.")] = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Print entries: seq, instant, event, decisions with their reasons."""
    import msgspec

    from streams.instants import format_instant

    encode = msgspec.json.encode
    named = f'"{contact}"'.encode()
    with told():
        for entry in entries_in(file):
            stamped = entry.stamped
            if not first <= stamped.seq <= last or (contact and named not in encode(entry)):
                continue
            if as_json:
                print(encode(entry).decode())
                continue
            name = type(stamped.event).__name__
            print(f"{stamped.seq:>8} {format_instant(stamped.at_ms)} {name} {_ids(stamped.event)}")
            for decision in entry.decisions:
                kind, reason = type(decision).__name__, decision.reason.value
                print(f"{'':>34}-> {kind} {_ids(decision)} ({reason})")


def _ids(struct: object) -> str:
    names = ("contact_id", "agent_id", "offer_id", "queue", "policy", "subject", "reason")
    found = ((name, getattr(struct, name, "")) for name in names)
    return " ".join(str(value) for _, value in found if isinstance(value, str | int) and value)


@journal_app.command()
def export(
    file: JournalArgument,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write here instead of stdout.")
    ] = None,
    form: Annotated[
        ExportForm,
        typer.Option("--as", help="records; decisions; events: to be fed to `run --input`."),
    ] = ExportForm.RECORDS,
) -> None:
    """Write a journal as lines: its records, its decisions, or the events it was fed with."""
    with told(), contextlib.ExitStack() as stack:
        stream = sys.stdout.buffer
        if output is not None:
            stream = stack.enter_context(output.open("wb"))
        for line in _export(file, form):
            stream.write(line + b"\n")
        stream.flush()


def _export(file: Path, form: ExportForm) -> Iterator[bytes]:
    from router.events import TimeAdvanced
    from router.journal import decode_record
    from streams.writing import DecisionWriter, encode_event, encode_watermark

    if form is ExportForm.RECORDS:
        yield from bodies_of(file)
        return
    writer, late, shard = DecisionWriter(""), None, ""
    for body in bodies_of(file):
        record = decode_record(body)
        if record.shard != shard:
            shard, writer = record.shard, DecisionWriter(record.shard)
        for entry in record.entries:
            if form is ExportForm.DECISIONS:
                yield from (line for _, _, line in writer.write(entry, record.engine_version))
            # The first entry is the configuration, which `run --config` brings itself.
            elif entry.stamped.seq > 1 and (event := encode_event(entry.stamped, shard)):
                yield event
            late = entry.stamped if isinstance(entry.stamped.event, TimeAdvanced) else None
    if form is ExportForm.EVENTS and late is not None:
        # What became due after the last event becomes due again only if time is said to pass.
        yield encode_watermark(late.at_ms + 1, shard)


def bodies_of(file: Path) -> Iterator[bytes]:
    """Yield the records of a store or of a journal file."""
    from router.journal import read_journal
    from streams.embedded import EmbeddedStore, is_store

    if not is_store(file):
        yield from read_journal(file)
        return
    store = EmbeddedStore.read_only(file)
    try:
        for stored in store.records():
            yield stored.body
    finally:
        store.close()


def entries_in(file: Path) -> Iterator[Entry]:
    """Yield the entries of a store or of a journal file; an error names the file and record."""
    from router.journal import JournalError, decode_record

    number = 0
    for number, body in enumerate(bodies_of(file), start=1):
        try:
            entries = decode_record(body).entries
        except JournalError as error:
            raise JournalError(f"{file}: record {number}: {error}") from error
        yield from entries
    if not number:
        raise JournalError(f"{file}: holds no entries; nothing has happened yet")


def print_facts(facts: Mapping[str, int | str], sentence: str, *, as_json: bool) -> None:
    """Print facts as JSON, or a sentence with the facts below it."""
    if as_json:
        print(json.dumps(facts))
        return
    print(sentence)
    for name, value in facts.items():
        print(f"  {name:<8} {value}")
