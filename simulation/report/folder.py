"""Write a study's answers into a directory: the page, the workbook, and say where they are."""

from __future__ import annotations

import webbrowser
from pathlib import Path

from simulation.report.document import Document
from simulation.report.page import render_page
from simulation.report.workbook import write_workbook


def write_document(document: Document, directory: Path, name: str) -> tuple[Path, Path]:
    """Write `report.html` and `NAME.xlsx`; return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    page, book = directory / "report.html", directory / f"{name}.xlsx"
    page.write_text(render_page(document), encoding="utf-8")
    write_workbook(document, book)
    return page, book


def open_page(page: Path) -> bool:
    """Show a page in the user's browser; False where there is none."""
    return webbrowser.open(page.resolve().as_uri())
