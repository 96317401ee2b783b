"""Offer page and workbook on the command line: the options of every answer, and their writing.

Only what `--help` needs is imported here; the page's world loads when one is written.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulation.report.document import Document

Output: TypeAlias = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Write report.html, a workbook and the answer as JSON."),
]
Language: TypeAlias = Annotated[
    str, typer.Option("--lang", help="Language of page and workbook: en, zh.")
]
Show: TypeAlias = Annotated[
    bool, typer.Option("--open", help="Show the page in a browser; needs -o.")
]


@dataclass(frozen=True)
class Pages:
    """Say where page and workbook go, in which language, and whether they are shown at once.

    Refuses what does not fit when it is made: make it before anything is played.
    """

    output: Path | None
    language: str
    show: bool

    def __post_init__(self) -> None:
        check_report(self.output, self.language, show=self.show)

    def write(self, name: str, answer: Any, make: Callable[[str], Document]) -> None:
        """Write `NAME.json`, page and workbook where they are asked for; `make` a language."""
        if self.output is not None:
            write_answer_json(answer, self.output, name)
            write_report(make(self.language), self.output, name, show=self.show)


def check_report(output: Path | None, language: str, *, show: bool) -> None:
    """Refuse options of a page that do not fit, before anything is played."""
    if language not in {"en", "zh"}:
        raise typer.BadParameter(f"--lang {language}: known are en, zh")
    if show and output is None:
        raise typer.BadParameter("--open shows a page: say where to write it, with -o DIR")
    if output is not None:
        check_folder(output)


def check_folder(directory: Path) -> None:
    """Make the folder that will be written to; refuse one that cannot be, before minutes pass."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise typer.BadParameter(
            f"-o {directory}: nothing can be written there ({error.strerror}); give another folder"
        ) from error


def write_report(document: Document, directory: Path, name: str, *, show: bool) -> None:
    """Write page and workbook, say where they are, and show the page if asked."""
    from simulation.report.folder import open_page, write_document  # noqa: PLC0415 - on demand

    page, book = write_document(document, directory, name)
    typer.echo(f"written: {page}, {book}", err=True)
    if show and not open_page(page):
        typer.echo(f"no browser found; open {page} yourself", err=True)


def write_answer_json(answer: Any, directory: Path, name: str) -> None:
    """Write an answer's dataclass as `NAME.json`, what `--json` prints."""
    directory.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(answer), indent=2, ensure_ascii=False)
    (directory / f"{name}.json").write_text(text + "\n", encoding="utf-8")
