"""Write a document as one HTML page that asks nobody for anything: all is inlined."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from simulation.report.document import Cell, Document, Form, Table, shown

HERE: Final = Path(__file__).parent
_LONG: Final = 24  # letters; a Chinese one counts twice


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )


def render_page(document: Document) -> str:
    """Return a document as HTML, pictures drawn as SVG when it is opened."""
    pictures: dict[str, Any] = {}
    chapters = []
    for chapter in document.chapters:
        drawn = []
        for picture in chapter.pictures:
            key = str(len(pictures))
            pictures[key] = picture.option
            drawn.append({"key": key, "title": picture.title, "height_px": picture.height_px})
        chapters.append(
            {
                "name": chapter.name,
                "title": chapter.title,
                "words": chapter.words,
                "pictures": drawn,
                "tables": [_table(table) for table in chapter.tables],
            }
        )
    return (
        _environment()
        .get_template("page.html")
        .render(
            document={
                "title": document.title,
                "language": document.language,
                "answer": document.answer,
                "good": document.good,
                "facts": document.facts,
                "chapters": chapters,
                "foot": document.foot,
                "labels": document.labels,
            },
            pictures=_inlined(json.dumps(pictures, ensure_ascii=False, allow_nan=False)),
            style=_text("page.css"),
            library=_text("vendored/echarts.min.js"),
            script=_text("page.js"),
        )
    )


def _table(table: Table) -> dict[str, Any]:
    text = [column.form is Form.TEXT for column in table.columns]
    return {
        "title": table.title,
        "open": table.open,
        "columns": [
            {"head": column.head, "text": is_text}
            for column, is_text in zip(table.columns, text, strict=True)
        ],
        "rows": [
            [
                {"shown": shown(value, column.form), "kind": _kind(value, column.form)}
                for value, column in zip(row, table.columns, strict=True)
            ]
            for row in table.rows
        ],
    }


def _kind(value: Cell, form: Form) -> str:
    """Return how a cell is laid out: a number, text, or long text that needs a wide column."""
    if form is not Form.TEXT:
        return ""
    wide = isinstance(value, str) and sum(1 + (letter > "\u2e80") for letter in value) > _LONG
    return "text long" if wide else "text"


def _inlined(body: str) -> Markup:
    """Return JSON that no name within it can end or open an element of the page with."""
    return Markup(body.replace("<", "\\u003c").replace("&", "\\u0026"))  # noqa: S704 - escaped here


@cache
def _text(name: str) -> Markup:
    """Return a file of this package as it is; `</script` stands in none of them."""
    text = (HERE / name).read_text(encoding="utf-8")
    assert "</script" not in text, f"{name} would end the element it is inlined in"
    return Markup(text)  # noqa: S704 - our own file
