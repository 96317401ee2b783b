"""Read a table from a CSV file or a workbook: a header, and rows that know their numbers.

Delimiters are found out from the header (comma, semicolon, tab, pipe); a header may be a line
`#fields:a|b|c`. A workbook gives its first sheet with something in it.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias

Cell: TypeAlias = str | float | bool | date | datetime | time | timedelta | None

SIZE_MAX: Final = 512 * 1024 * 1024
WORKBOOKS: Final = frozenset({".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"})
FIELDS_MARK: Final = "#fields"
_DELIMITERS: Final = (",", ";", "\t", "|")


class TableError(ValueError):
    """A file that cannot be read as a table; says where, why and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `number` is the line, or the sheet's row, and counts from 1."""

    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table as it was written. With `decimal_comma`, `1,5` is one and a half.

    `notes` say what was done to read it: another encoding, rows above the header.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    decimal_comma: bool = False
    notes: tuple[str, ...] = ()


def read_table(path: Path) -> Table:
    """Return the table in a file; raises `TableError`."""
    if not path.is_file():
        raise TableError(f"{path}: no such file; give a CSV file or a workbook")
    if path.stat().st_size > SIZE_MAX:
        raise TableError(f"{path}: larger than {SIZE_MAX // 1024**2} MiB; split it by months")
    if path.suffix.lower() in WORKBOOKS:
        return _read_workbook(path)
    return _read_text(path)


def _read_text(path: Path) -> Table:
    text, notes = _decoded(path)
    lines = text.splitlines(keepends=True)
    start = _header_line(lines)
    if start is None:
        raise TableError(f"{path}: empty; the first line must name the columns")
    above = sum(bool(line.strip()) and not line.startswith("#") for line in lines[:start])
    if above:
        notes = (*notes, f"{above} lines above the header left out")
    header = lines[start].strip()
    marked = header.lower().startswith(FIELDS_MARK)
    if marked:
        header = header[len(FIELDS_MARK) :].lstrip(": ")
    delimiter = max(_DELIMITERS, key=header.count)
    columns = tuple(name.strip() for name in next(csv.reader([header], delimiter=delimiter)))
    while len(columns) > 1 and not columns[-1]:
        columns = columns[:-1]
    _check_columns(path, columns)
    reader = csv.reader(io.StringIO("".join(lines[start + 1 :])), delimiter=delimiter)
    return Table(
        name=str(path),
        columns=columns,
        rows=tuple(_text_rows(path, reader, start + 1, len(columns), marked=marked)),
        decimal_comma=delimiter == ";",
        notes=notes,
    )


def _decoded(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return a file's text, and what is to be told of its encoding.

    Spreadsheets write UTF-16 as "Unicode text", and Windows-1252 as CSV.
    """
    body = path.read_bytes()
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", errors="replace"), ("read as UTF-16",)
    try:
        return body.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        try:
            text = body.decode("cp1252")
        except UnicodeDecodeError:
            raise TableError(
                f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8 text"
            ) from error
        line = body[: error.start].count(b"\n") + 1
        return text, (f"not UTF-8 (line {line}); read as Windows-1252: look at the names",)


def _header_line(lines: list[str]) -> int | None:
    """Return where the header is: the `#fields` line, else the first line that is a table's.

    That is the first one with about as many delimiters as the fullest of the next lines: titles
    that stand above a table have fewer.
    """
    first = None
    chosen: list[tuple[int, int]] = []
    for number, line in enumerate(lines):
        if line.lower().startswith(FIELDS_MARK):
            return number
        if line.strip() and not line.startswith("#"):
            first = number if first is None else first
            chosen.append((number, max(line.count(sign) for sign in _DELIMITERS)))
        if first is not None and number > first + 20:
            break
    if not chosen:
        return None
    fullest = max(count for _, count in chosen)
    if fullest < 2:
        return first
    return next(number for number, count in chosen if 2 * count >= fullest)


def _text_rows(
    path: Path, reader: Iterator[list[str]], before: int, width: int, *, marked: bool
) -> Iterator[Row]:
    try:
        for offset, cells in enumerate(reader, start=before + 1):
            if not any(cell.strip() for cell in cells) or cells[0].startswith("#"):
                continue
            # Exports of this kind end their lines with a delimiter, too.
            kept = cells[:width] if marked else cells
            while len(kept) > width and not kept[-1].strip():
                kept = kept[:-1]
            if len(kept) > width:
                raise TableError(
                    f"{path}: row {offset} has {len(kept)} values for {width} columns; "
                    "quote values that hold the delimiter"
                )
            padded = [cell.strip() or None for cell in kept] + [None] * (width - len(kept))
            yield Row(offset, tuple(padded))
    except csv.Error as error:
        raise TableError(f"{path}: not readable as CSV: {error}") from error


def _read_workbook(path: Path) -> Table:
    try:
        import python_calamine  # noqa: PLC0415 - only workbooks need it
    except ModuleNotFoundError as error:
        raise TableError(
            f"{path}: workbooks need a library; pip install 'switchroom[plan]', or save as CSV"
        ) from error
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(str(path))
        sheets = [(name, workbook.get_sheet_by_name(name)) for name in workbook.sheet_names]
    except (python_calamine.CalamineError, OSError) as error:
        raise TableError(f"{path}: not readable as a workbook: {error}") from error
    for name, sheet in sheets:
        rows = sheet.to_python(skip_empty_area=False)
        filled = [number for number, row in enumerate(rows) if any(cell != "" for cell in row)]
        if not filled:
            continue
        columns, below, notes = _header_rows(rows, filled)
        _check_columns(path, columns)
        return Table(
            name=f"{path} sheet {name}" if len(sheets) > 1 else str(path),
            columns=columns,
            rows=tuple(
                Row(number + 1, tuple(_cell(cell) for cell in rows[number][: len(columns)]))
                for number in below
            ),
            notes=notes,
        )
    raise TableError(f"{path}: empty; the first row must name the columns")


def _header_rows(
    rows: list[list[Any]], filled: list[int]
) -> tuple[tuple[str, ...], list[int], tuple[str, ...]]:
    """Return the columns of a sheet, the rows below them, and what is to be told.

    Titles stand above a table in few cells. A header of two rows has merged cells: the upper one
    names a group of columns, the lower one what the upper leaves open, or splits.
    """
    sizes = {number: sum(cell != "" for cell in rows[number]) for number in filled[:20]}
    fullest = max(sizes.values())
    place = next(index for index, number in enumerate(filled) if 2 * sizes[number] >= fullest)
    notes = (f"{place} rows above the header left out",) if place else ()
    columns = [str(cell).strip() for cell in rows[filled[place]]]
    below = filled[place + 1 :]
    while columns and not columns[-1] and not (below and _is_text(rows[below[0]])):
        columns.pop()
    if "" in columns and below and _is_text(rows[below[0]]):
        lower = [str(cell).strip() for cell in rows[below[0]]]
        columns = [under or over for over, under in zip(columns, lower, strict=True)]
        notes = (*notes, "the header has two rows; the lower one names the columns it splits")
        below = below[1:]
        while columns and not columns[-1]:
            columns.pop()
    return tuple(columns), below, notes


def _is_text(row: list[Any]) -> bool:
    """Say whether a row holds names alone: no number, no date."""
    return all(isinstance(cell, str) for cell in row) and any(row)


def _cell(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return cell.strip() or None
    return cell


def _check_columns(path: Path, columns: tuple[str, ...]) -> None:
    for number, name in enumerate(columns, start=1):
        if not name:
            raise TableError(f"{path}: column {number} has no name; name it or remove it")
        if columns.index(name) != number - 1:
            raise TableError(f'{path}: two columns are called "{name}"; rename one')
