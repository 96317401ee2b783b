"""Describe a document: an answer, then chapters of words, pictures and tables.

A cell is a raw value, which its column knows how to show: shares are fractions, durations
seconds or hours, money is in the document's currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

Cell: TypeAlias = str | float | None
Option: TypeAlias = dict[str, Any]


class Form(StrEnum):
    """Say how the values of a column are shown."""

    TEXT = "text"
    SHARE = "share"
    RAW = "raw"
    SIGNED = "signed"
    NUMBER = "number"
    WHOLE = "whole"
    MONEY = "money"


@dataclass(frozen=True)
class Column:
    """A column: what it holds, in which unit ("" for none), shown how."""

    title: str
    form: Form = Form.TEXT
    unit: str = ""

    @property
    def head(self) -> str:
        """Return the title with its unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


@dataclass(frozen=True)
class Table:
    """Rows under columns. `name` is that of the workbook's sheet.

    `heat` holds the columns to be coloured as a heat map around `heat_middle`, `drawn` those to be
    drawn as lines over the first one in the workbook, `bars` asks for bars instead.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    heat: tuple[int, ...] = ()
    heat_middle: float = 0.8
    drawn: tuple[int, ...] = ()
    bars: bool = False
    open: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture: an ECharts option and how high it is drawn; `text` says what is to be seen."""

    name: str
    title: str
    option: Option
    height_px: int = 320
    text: str = ""


@dataclass(frozen=True)
class Chapter:
    """Words, pictures and tables about one thing."""

    name: str
    title: str
    words: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Fact:
    """One figure at the head of a page; `good` colours it, None leaves it plain."""

    label: str
    value: str
    note: str = ""
    good: bool | None = None


@dataclass(frozen=True)
class Document:
    """A whole document, in one language."""

    title: str
    language: str
    answer: str
    good: bool | None
    facts: tuple[Fact, ...]
    chapters: tuple[Chapter, ...]
    foot: str
    labels: dict[str, str]

    def tables(self) -> tuple[Table, ...]:
        """Return all tables in their order."""
        return tuple(table for chapter in self.chapters for table in chapter.tables)

    def pictures(self) -> tuple[Picture, ...]:
        """Return all pictures in their order."""
        return tuple(picture for chapter in self.chapters for picture in chapter.pictures)


def shown(value: Cell, form: Form) -> str:
    """Return a cell as people read it; a dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    match form:
        case Form.SHARE:
            return f"{value:.1%}"
        case Form.RAW:
            return f"{value:,.2f}"
        case Form.SIGNED:
            return f"{value:+,.2f}"
        case Form.WHOLE | Form.MONEY:
            return f"{value:,.0f}"
        case _:
            return f"{value:,.1f}"
