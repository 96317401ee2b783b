"""Offer planning files on the command line: `switchroom import`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulation.fit.layouts import Format, RepeatedHour

if TYPE_CHECKING:
    from simulation.fit.planning_files import Imported

_SHOWN = 20


def import_(
    file: Annotated[Path, typer.Argument(help="A CSV file, a workbook, or shifts as .ics.")],
    form: Annotated[Format, typer.Option("--format", help="Whose layout it has.")] = Format.OURS,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the rows here, as our CSV.")
    ] = None,
    timezone: Annotated[
        str, typer.Option(help="Zone of times without an offset, such as Europe/Berlin.")
    ] = "",
    repeated_hour: Annotated[
        RepeatedHour, typer.Option(help="Which pass an unmarked time of a repeated hour is.")
    ] = RepeatedHour.ASK,
    date_format: Annotated[
        str,
        typer.Option(help="ddmmyyyy or mmddyyyy, where a file's dates do not show it themselves."),
    ] = "",
    *,
    column: Annotated[
        list[str] | None,
        typer.Option(help="OURS=THEIRS: their column for ours; remembered for the next file."),
    ] = None,
    memory: Annotated[
        Path | None,
        typer.Option(help="Where columns are remembered (switchroom-columns.yaml beside FILE)."),
    ] = None,
    keep_good: Annotated[
        bool, typer.Option(help="Write the good rows although others were refused.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Read a planning file: every row checked, refused ones told with row, column and value.

    For example: switchroom import calls.csv --timezone Europe/Madrid -o history.csv
    """
    from simulation.fit.column_memory import FILE_NAME, recall, remember  # noqa: PLC0415
    from simulation.fit.planning_files import Options, write_csv  # noqa: PLC0415
    from simulation.fit.tables import TableError  # noqa: PLC0415

    if date_format not in {"", "mmddyyyy", "ddmmyyyy"}:
        raise typer.BadParameter(f"--date-format {date_format}: say mmddyyyy or ddmmyyyy")
    memory = memory or file.parent / FILE_NAME
    try:
        said = columns_of(column or [])
        options = Options(
            format=form,
            zone=timezone,
            repeated_hour=repeated_hour,
            date_format=date_format,
            columns=said,
            remembered=recall(memory, form),
        )
        imported = read_any(file, options)
        if said:
            remember(memory, form, said)
        written = output is not None and (keep_good or not imported.faults)
        if output is not None and written:
            write_csv(imported, output)
    except ValueError as error:
        if not isinstance(error, TableError) and type(error).__name__ != "TimeError":
            raise
        typer.echo(f"switchroom import: {error}", err=True)
        raise typer.Exit(1) from error
    _show(imported, output if written else None, keep_good=keep_good, as_json=as_json)
    if imported.faults and not keep_good:
        raise typer.Exit(1)


def read_any(file: Path, options: object = None) -> Imported:
    """Read a table or a calendar of shifts, by the file's name."""
    from simulation.fit.column_memory import FILE_NAME, recall  # noqa: PLC0415
    from simulation.fit.ical_shifts import read_shifts  # noqa: PLC0415
    from simulation.fit.planning_files import Options, read_planning_file  # noqa: PLC0415

    assert options is None or isinstance(options, Options), "options are planning_files.Options"
    if file.suffix.lower() in {".ics", ".ical"}:
        return read_shifts(file, options)
    options = options or Options()
    if options.remembered is None:
        options = replace(options, remembered=recall(file.parent / FILE_NAME, options.format))
    return read_planning_file(file, options)


def columns_of(said: list[str]) -> dict[str, str]:
    """Return `OURS=THEIRS` as a map; raises `TableError` for a name that is none of ours."""
    from simulation.fit.column_memory import check_name  # noqa: PLC0415

    columns = {}
    for text in said:
        ours, equals, theirs = text.partition("=")
        if not (equals and theirs):
            raise typer.BadParameter(f'--column "{text}": write OURS=THEIRS')
        check_name(ours, "--column")
        columns[ours] = theirs
    return columns


def _show(imported: Imported, written: Path | None, *, keep_good: bool, as_json: bool) -> None:
    from simulation.fit.overview import overview  # noqa: PLC0415
    from simulation.fit.planning_files import told  # noqa: PLC0415

    if as_json:
        facts = {
            "file": imported.name,
            "kind": imported.kind.value,
            "rows": len(imported.rows),
            "refused": [
                {"row": fault.row, "column": fault.column, "value": fault.value,
                 "message": fault.message}
                for fault in imported.faults
            ],
            "notes": list(imported.notes),
            "columns": imported.mapping,
            "unknown_columns": list(imported.unknown),
            "written": None if written is None else str(written),
        }  # fmt: skip
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    typer.echo(f"{imported.name}: {imported.kind.value}, {len(imported.rows)} rows read")
    for line in overview(imported):
        typer.echo(f"  {line}")
    for name, theirs in imported.mapping.items():
        if name != theirs:
            typer.echo(f'  {name} is their "{theirs}"')
    if imported.unknown:
        typer.echo(f"  kept as they are: {', '.join(imported.unknown)}")
    for note in imported.notes:
        typer.echo(f"  {note}")
    for line in told(imported.faults, _SHOWN):
        typer.echo(line, err=True)
    if imported.faults:
        typer.echo(
            f"{len(imported.faults)} values refused; "
            + ("the other rows kept" if keep_good else "--keep-good keeps the other rows"),
            err=True,
        )
    if written is not None:
        typer.echo(f"written to {written}")
