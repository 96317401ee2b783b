"""Numbers with known truth: what formulas, chains and days must reproduce, as data.

Each JSON file says where its numbers come from and how to read them. `check` compares everything
that a case expects, so that a case cannot be met in part.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ZERO = 1e-12


@cache
def load(name: str) -> dict[str, dict[str, Any]]:
    """Return the cases of one file by their id."""
    cases = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))["cases"]
    return {case["id"]: case for case in cases}


def find_misses(got: object, expected: object, relative: float, place: str = "") -> list[str]:
    """Return every place where a number is not what is expected, or is not there."""
    if isinstance(expected, dict):
        if not isinstance(got, dict) or set(got) != set(expected):
            return [f"{place}: {got!r} has not the names {sorted(expected)}"]
        pairs = [(f"{place}/{name}", got[name], expected[name]) for name in expected]
    elif isinstance(expected, list):
        if not isinstance(got, list | tuple) or len(got) != len(expected):
            return [f"{place}: {got!r} are not {len(expected)} numbers"]
        pairs = [(f"{place}/{n}", got[n], theirs) for n, theirs in enumerate(expected)]
    else:
        assert isinstance(got, int | float), place
        assert isinstance(expected, int | float), place
        bound = relative * abs(expected) if expected else ZERO
        return [] if abs(got - expected) <= bound else [f"{place}: {got!r}, not {expected!r}"]
    return [
        miss for name, mine, theirs in pairs for miss in find_misses(mine, theirs, relative, name)
    ]


def check(case: dict[str, Any], got: dict[str, Any]) -> None:
    """Fail unless these are all the numbers that a case expects, each to its tolerance."""
    assert find_misses(got, case["expected"], case["relative"], case["id"]) == []
