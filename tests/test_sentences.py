"""See that each sentence of the documents is shown by a test or a case, or says why it is not.

The documents number their sentences: 3 is routing, 4 promises, 5 measures, 6 the loop around it.
A row says what shows the sentence: tests by file and name, *the suite* (the cases of
`tests/conformance` that name it), or *not shown* with the reason.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

from tests.conformance.play import read_cases

ROOT: Final = Path(__file__).parent.parent
DOCUMENTS: Final = ("ROUTING.md", "PROMISES.md", "MEASURES.md", "SERVICE.md")
_ROW: Final = re.compile(r"^\| (\d\.\d+\.\d+) \| (.*?) \| (.*?) \|$", re.MULTILINE)
_LOOKS_LIKE_A_ROW: Final = re.compile(r"^\|\s*\d+\.\d+\.\d+", re.MULTILINE)
_TEST: Final = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_SUITE: Final = "the suite"
_NOT_SHOWN: Final = "not shown: "


def sentences() -> list[tuple[str, str, str]]:
    """Return number, sentence and what shows it, of all documents."""
    return [row for name in DOCUMENTS for row in _ROW.findall(read(name))]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def functions_of(file: str) -> frozenset[str]:
    """Return the names of the test functions of a file."""
    tree = ast.parse(read(file) if (ROOT / file).is_file() else "")
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_no_row_is_overlooked_and_no_number_missing() -> None:
    for name in DOCUMENTS:
        text = read(name)
        assert len(_LOOKS_LIKE_A_ROW.findall(text)) == len(_ROW.findall(text)) > 0, name
    numbers = [number for number, _, _ in sentences()]
    assert len(numbers) == len(set(numbers)), "a number stands twice"
    groups: dict[tuple[int, int], set[int]] = {}
    for number in numbers:
        part, group, last = map(int, number.split("."))
        groups.setdefault((part, group), set()).add(last)
    assert {part for part, _ in groups} == {3, 4, 5, 6}
    for (part, group), found in groups.items():
        assert found == set(range(1, len(found) + 1)), f"{part}.{group} has a gap"
        assert group <= 1 or (part, group - 1) in groups, f"nothing stands before {part}.{group}"


def test_every_sentence_is_shown_or_says_why_not() -> None:
    for number, says, shown in sentences():
        assert len(says) > 4, f"{number} says nothing"
        if shown.startswith(_NOT_SHOWN):
            assert len(shown) > len(_NOT_SHOWN) + 10, f"{number} gives no reason"
            continue
        tests = _TEST.findall(shown)
        assert tests or _SUITE in shown, f"nothing shows {number}"
        for file, name in tests:
            assert name in functions_of(file), f"{number}: {file} has no {name}"
            assert name.startswith("test_"), f"{number}: {name} is no test"


def test_the_suite_is_named_where_its_cases_name_a_sentence() -> None:
    table = {number: shown for number, _, shown in sentences()}
    shown_by_cases = {sentence for case in read_cases() for sentence in case.shows}
    assert shown_by_cases <= set(table), "a case shows a sentence that no document has"
    for number, shown in table.items():
        assert (_SUITE in shown) == (number in shown_by_cases), number
