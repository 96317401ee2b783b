# ruff: noqa: PLC0415, T201 - a command imports what it needs when it runs, and prints
"""Offer the register of contacts on the command line."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from streams.journal_commands import JournalArgument, JsonOption, entries_in, fail, told

if TYPE_CHECKING:
    from router.register import Row

_SHOWN: Final = ("contact_id", "category", "agent_id", "exit", "resolution_code", "score")


def contacts(
    file: JournalArgument,
    customer: Annotated[str, typer.Option(help="Only contacts of this customer token.")] = "",
    category: Annotated[str, typer.Option(help="Only contacts of this category.")] = "",
    agent: Annotated[str, typer.Option(help="Only contacts this agent served last.")] = "",
    *,
    with_open: Annotated[bool, typer.Option("--open", help="Open contacts, too.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, times in UTC.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the register of closed contacts: who, when, about what, by whom, done how, liked how."""
    import msgspec

    from router.register import register

    if as_csv and as_json:
        fail("error: --csv and --json exclude each other; choose one", 2)
    with told():
        rows = [
            row
            for row in register(entries_in(file), with_open=with_open)
            if (not customer or row.customer == customer)
            and (not category or row.category == category)
            and (not agent or row.agent_id == agent)
        ]
    if as_json:
        print(msgspec.json.encode([fields_of(row) for row in rows]).decode())
    elif as_csv:
        _write_csv(rows)
    else:
        _write_table(rows)


def fields_of(row: Row) -> dict[str, Any]:
    """Return a row by its names on the wire: instants in RFC 3339, "" where there is none."""
    from msgspec import structs

    from streams.instants import format_instant

    fields: dict[str, Any] = {}
    for name, value in structs.asdict(row).items():
        if name in ("arrived_ms", "assigned_ms", "closed_ms"):
            fields[name.replace("_ms", "_at")] = format_instant(value) if value else ""
        else:
            fields[name] = value
    return fields


def _write_csv(rows: list[Row]) -> None:
    from router.register import Row as Form

    writer = csv.DictWriter(sys.stdout, list(fields_of(Form("", 0))), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        fields = fields_of(row)
        writer.writerow(
            {k: str(v).lower() if isinstance(v, bool) else v for k, v in fields.items()}
        )


def _write_table(rows: list[Row]) -> None:
    from streams.instants import format_instant

    print(f"{'arrived':<24} {'waited':>8} " + " ".join(f"{name:<16}" for name in _SHOWN).rstrip())
    for row in rows:
        fields = fields_of(row)
        words = " ".join(f"{fields[name] or '-'!s:<16}" for name in _SHOWN)
        waited = f"{row.wait_ms / 1000:.1f} s" if row.assigned_ms else "-"
        print(f"{format_instant(row.arrived_ms):<24} {waited:>8} {words}".rstrip())
    print(f"{len(rows)} contacts")
