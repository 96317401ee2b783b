"""Play the conformance suite, and see that every sentence about promises is shown by something."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.conformance.play import Case, Play, as_written, read_cases

ROOT: Final = Path(__file__).parent.parent
CASES: Final = read_cases()
_SENTENCE: Final = re.compile(r"^\| (4\.\d\.\d) \| (.+?) \| (.+?) \|$", re.MULTILINE)
_TEST: Final = re.compile(r"`(tests/\w+\.py)::(\w+)`")


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_goes_in_and_what_comes_out(case: Case) -> None:
    assert as_written(Play(case).run()) == as_written(case.expected), case.file


def test_the_suite_is_large_and_its_names_are_unique() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    assert len(names) >= 100


def sentences() -> dict[str, str]:
    """Return the sentences of PROMISES.md by number, with what shows each."""
    text = (ROOT / "PROMISES.md").read_text(encoding="utf-8")
    return {number: shown for number, _, shown in _SENTENCE.findall(text)}


def test_every_sentence_is_shown_by_a_test_that_exists() -> None:
    table = sentences()
    shown_by_cases = {sentence for case in CASES for sentence in case.shows}
    assert shown_by_cases <= set(table), "a case shows a sentence that the table does not have"
    assert len(table) >= 27
    for number, shown in table.items():
        tests = _TEST.findall(shown)
        assert tests or number in shown_by_cases, f"nothing shows {number}"
        assert ("the suite" in shown) == (number in shown_by_cases), number
        for file, name in tests:
            text = (ROOT / file).read_text(encoding="utf-8")
            assert f"def {name}(" in text, f"{number}: {file} has no {name}"
