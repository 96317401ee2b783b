# ruff: noqa: PLC0415 - a command imports what it needs when it runs
"""`switchroom adapt`: another platform's records in, our events out, a line each.

Reads JSON lines, or a file that is one JSON list; writes CloudEvents to standard output and what it
left out, with counts, to standard error. Nothing is dropped in silence.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from streams.journal_commands import fail

if TYPE_CHECKING:
    from router.center import Center
    from streams.adapters.mapping import Names
    from streams.adapters.said import Said

PLATFORMS: Final = ("amazon-connect", "twilio", "genesys", "zendesk")
_TOLD_MAX: Final = 10
_WANTED: Final = "the platform's records, one JSON object a line or one list"


def adapt(
    source: Annotated[str, typer.Argument(help="A file of records, or - for standard input.")],
    *,
    platform: Annotated[str, typer.Option("--from", help="One of: " + ", ".join(PLATFORMS))],
    mapping: Annotated[Path, typer.Option(help="How the platform's names are ours, a YAML file.")],
    config: Annotated[
        Path | None, typer.Option(help="The centre; the mapping is checked against it.")
    ] = None,
    center_name: Annotated[
        str, typer.Option("--center", help="The centre's name, if no --config tells it.")
    ] = "",
    customer_key: Annotated[
        Path | None,
        typer.Option(help="A file with the key of customer tokens; without it none are written."),
    ] = None,
    in_order: Annotated[
        bool, typer.Option("--sort/--as-they-come", help="Sort a file's events by their time.")
    ] = True,
) -> None:
    """Turn records of another platform into events for `switchroom run --input`."""
    if platform not in PLATFORMS:
        fail(f'error: --from: no platform "{platform}"; one of {", ".join(PLATFORMS)}', 2)
    from streams.adapters.mapping import MappingError, read_names

    center = _center(config)
    key = customer_key.read_bytes().strip() if customer_key is not None else b""
    try:
        names = read_names(mapping, center, key)
    except MappingError as error:
        plural = "s" * (len(error.findings) != 1)
        fail(f"{error}\n{len(error.findings)} error{plural}; nothing read")
    name = center.name if center is not None else center_name
    if not name:
        fail("error: whose events? give --config DIR or --center NAME", 2)
    tally = Tally()
    said = _translate(_records(source, tally), platform, names, tally)
    try:
        if in_order and source != "-":
            said = iter(sorted(said, key=lambda one: one.at_ms))
        _write(said, name)
    except UnicodeDecodeError as error:
        fail(f"{source}: byte {error.start} is not UTF-8; give {_WANTED}, saved as UTF-8")
    sys.stderr.write(tally.told(source))
    if tally.faults:
        raise typer.Exit(1)


class Tally:
    """Count what became of the records; keep the first faults in words."""

    def __init__(self) -> None:
        self.records = 0
        self.events = 0
        self.unheard: Counter[str] = Counter()
        self.faults = 0
        self.first: list[str] = []

    def fault(self, place: str, message: str) -> None:
        """Count a record that could not be used, and keep what was wrong with the first ones."""
        self.faults += 1
        if self.faults <= _TOLD_MAX:
            self.first.append(f"{place}: {message}")

    def told(self, source: str) -> str:
        """Say it."""
        lines = [*self.first]
        if self.faults > _TOLD_MAX:
            lines.append(f"... and {self.faults - _TOLD_MAX} more")
        left = ", ".join(f"{kind} {count}" for kind, count in sorted(self.unheard.items()))
        lines.append(
            f"{source}: {self.records} records, {self.events} events, "
            f"{self.unheard.total()} without meaning to a router"
            + (f" ({left})" if left else "")
            + f", {self.faults} unusable"
        )
        return "\n".join(lines) + "\n"


def _center(config: Path | None) -> Center | None:
    if config is None:
        return None
    from configs.loader import ConfigError, load_center

    try:
        return load_center(config).center
    except ConfigError as error:
        fail(f"{error}\nerror: {config} does not hold together")


def _records(source: str, tally: Tally) -> Iterator[tuple[str, Any]]:
    """Yield each record with its place; what is no JSON object is a fault."""
    if source == "-":
        yield from _lines(source, sys.stdin, tally)
        return
    with Path(source).open(encoding="utf-8") as lines:
        start = lines.read(4096).lstrip("\ufeff \t\r\n")[:1]
        lines.seek(0)
        if start != "[":
            yield from _lines(source, lines, tally)
            return
        try:
            whole = json.load(lines)
        except ValueError as error:
            fail(f"{source}: not JSON: {error}; give {_WANTED}")
    for number, record in enumerate(whole, 1):
        yield f"{source}[{number}]", record


def _lines(source: str, lines: Iterable[str], tally: Tally) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                tally.records += 1
                tally.fault(f"{source}:{number}", f"not JSON: {error}; give {_WANTED}")
                continue
            yield f"{source}:{number}", record


def _translate(
    records: Iterator[tuple[str, Any]], platform: str, names: Names, tally: Tally
) -> Iterator[Said]:
    import importlib

    from streams.adapters.said import AdapterError, Unheard

    adapter = importlib.import_module(f"streams.adapters.{platform.replace('-', '_')}")
    names = replace(
        names,
        channels={**adapter.CHANNELS, **names.channels},
        presences={**adapter.PRESENCES, **names.presences},
    )
    for place, record in records:
        tally.records += 1
        if not isinstance(record, dict):
            tally.fault(place, "a record is a JSON object")
            continue
        try:
            heard = adapter.adapt(record, names)
        except AdapterError as error:
            tally.fault(place, str(error))
            continue
        if isinstance(heard, Unheard):
            tally.unheard[heard.kind] += 1
            continue
        for said in heard:
            tally.events += 1
            yield said


def _write(said: Iterator[Said], center_name: str) -> None:
    from router.events import Stamped
    from streams.writing import encode_event

    for number, one in enumerate(said, 1):
        stamped = Stamped(number, one.at_ms, one.event, f"{one.source} {one.record_id}")
        body = encode_event(stamped, center_name)
        assert body is not None, "adapters make no events of the worker's own"
        sys.stdout.write(body.decode() + "\n")
        sys.stdout.flush()
