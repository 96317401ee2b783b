"""Write a document as a workbook: a sheet a table, raw numbers, units in the headers."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from simulation.report.document import Cell, Column, Document, Form, Table

_FORMATS: Final = {
    Form.SHARE: "0.0%",
    Form.RAW: "#,##0.00",
    Form.SIGNED: "+#,##0.00;-#,##0.00;0.00",
    Form.NUMBER: "#,##0.0",
    Form.WHOLE: "#,##0",
    Form.MONEY: "#,##0",
}
_WRITTEN_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
_HEAD_ROW: Final = 2  # the title stands above the table
_SHEET_NAME_MAX: Final = 31


def write_workbook(document: Document, path: Path) -> None:
    """Write a workbook; the first sheet holds the answer."""
    options = {"default_date_format": "yyyy-mm-dd", "strings_to_formulas": False,
               "strings_to_urls": False, "nan_inf_to_errors": False}  # fmt: skip
    with xlsxwriter.Workbook(path, options) as book:
        # No instant of writing in it: the same plan gives the same bytes.
        book.set_properties(
            {"title": document.title, "comments": document.foot, "created": _WRITTEN_AT}
        )
        styles = {
            form: book.add_format({"num_format": text}) for form, text in _FORMATS.items()
        } | {Form.TEXT: book.add_format({"text_wrap": False})}
        bold = book.add_format({"bold": True, "font_size": 13, "text_wrap": True})
        used: set[str] = {""}
        _answer(book, document, bold, _free_name(document.labels["answer"], used))
        for table in document.tables():
            _sheet(book, table, styles, bold, _free_name(table.name, used))


def _free_name(name: str, used: set[str]) -> str:
    """Return a sheet's name that Excel takes and no other sheet has."""
    clean = "".join(" " if letter in "[]:*?/\\" else letter for letter in name)
    chosen, number = clean[:_SHEET_NAME_MAX], 2
    while chosen.lower() in used:
        chosen = f"{clean[: _SHEET_NAME_MAX - 4]} {number}"
        number += 1
    used.add(chosen.lower())
    return chosen


def _answer(book: Any, document: Document, bold: Any, name: str) -> None:
    sheet = book.add_worksheet(name)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 24)
    sheet.set_column(2, 2, 40)
    sheet.merge_range(0, 0, 0, 2, document.answer, bold)
    sheet.set_row(0, 56)
    for row, fact in enumerate(document.facts, 2):
        sheet.write_row(row, 0, [fact.label, fact.value, fact.note])
    row = len(document.facts) + 3
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    heading = book.add_format({"bold": True})
    for chapter in document.chapters:
        if not chapter.words:
            continue
        sheet.write(row, 0, chapter.title, heading)
        for words in chapter.words:
            sheet.merge_range(row, 1, row, 2, words, wrapped)
            sheet.set_row(row, 16 * max(1, math.ceil(len(words) / 62)))
            row += 1
    sheet.write(row + 1, 0, document.foot)


def _sheet(book: Any, table: Table, styles: dict[Form, Any], bold: Any, name: str) -> None:
    sheet = book.add_worksheet(name)
    sheet.write(0, 0, table.title, bold)
    last_row, last_column = _HEAD_ROW + len(table.rows), len(table.columns) - 1
    heads = _distinct(table.columns)
    for index, column in enumerate(table.columns):
        sheet.set_column(index, index, _width(heads[index], table, index), styles[column.form])
    for number, row in enumerate(table.rows, _HEAD_ROW + 1):
        for index, value in enumerate(row):
            _cell(sheet, number, index, value, styles[table.columns[index].form])
    if table.rows:
        sheet.add_table(
            _HEAD_ROW,
            0,
            last_row,
            last_column,
            {
                "columns": [
                    {"header": head, "format": styles[column.form]}
                    for head, column in zip(heads, table.columns, strict=True)
                ],
                "style": "Table Style Light 1",
            },
        )
        if table.heat:
            _heat(sheet, table, last_row)
        if table.drawn:
            _chart(book, sheet, table, name, last_row)
    sheet.freeze_panes(_HEAD_ROW + 1, 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _distinct(columns: tuple[Column, ...]) -> list[str]:
    """Return headers, of which a table of Excel takes each only once."""
    heads: list[str] = []
    for column in columns:
        head, number = column.head, 2
        while head.lower() in {other.lower() for other in heads}:
            head = f"{column.head} {number}"
            number += 1
        heads.append(head)
    return heads


def _width(head: str, table: Table, index: int) -> float:
    longest = max((len(row[index]) for row in table.rows if isinstance(row[index], str)), default=0)  # type: ignore[arg-type]
    return min(60.0, max(10.0, 1.15 * longest, 1.2 * sum(1.8 if ord(c) > 255 else 1 for c in head)))


def _cell(sheet: Any, row: int, column: int, value: Cell, style: Any) -> None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        sheet.write_blank(row, column, None, style)
    elif isinstance(value, str):
        sheet.write_string(row, column, value, style)
    else:
        sheet.write_number(row, column, value, style)


def _heat(sheet: Any, table: Table, last_row: int) -> None:
    scale = {
        "type": "3_color_scale",
        "min_type": "num",
        "min_value": max(0.0, table.heat_middle - 0.4),
        "min_color": "#E2795A",
        "mid_type": "num",
        "mid_value": table.heat_middle,
        "mid_color": "#FFFFFF",
        "max_type": "num",
        "max_value": 1,
        "max_color": "#4D94CD",
    }
    sheet.conditional_format(_HEAD_ROW + 1, table.heat[0], last_row, table.heat[-1], scale)


def _chart(book: Any, sheet: Any, table: Table, name: str, last_row: int) -> None:
    kind = {"type": "column", "subtype": "stacked"} if table.bars else {"type": "line"}
    chart = book.add_chart(kind)
    for index in table.drawn:
        chart.add_series(
            {
                "name": [name, _HEAD_ROW, index],
                "categories": [name, _HEAD_ROW + 1, 0, last_row, 0],
                "values": [name, _HEAD_ROW + 1, index, last_row, index],
            }
        )
    chart.set_title({"name": table.title, "name_font": {"size": 12}})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 860, "height": 380})
    sheet.insert_chart(last_row + 2, 0, chart)
