"""Play the conformance suite; `tests/test_sentences.py` sees which sentences it shows."""

from __future__ import annotations

from typing import Final

import pytest

from tests.conformance.play import Case, Play, as_written, read_cases

CASES: Final = read_cases()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_goes_in_and_what_comes_out(case: Case) -> None:
    assert as_written(Play(case).run()) == as_written(case.expected), case.file


def test_the_suite_is_large_and_its_names_are_unique() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    assert len(names) >= 100
