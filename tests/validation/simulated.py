"""Cases of known truth as scenarios: what the planner's simulator must reproduce.

A case is covered when every number that it expects is a figure, in one of its variants or another
(tests/test_plan_validation.py). `pools`, `centers` and `days` hold them.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.validation.centers import centers
from tests.validation.days import days
from tests.validation.making import FILES, Simulated
from tests.validation.pools import pools
from tests.validation.verdicts import Verdict
from tests.validation.worlds import MINUTE_MS, Class, center_of, minutes

__all__ = ["FILES", "MINUTE_MS", "Class", "Simulated", "Verdict", "cases", "center_of", "minutes"]


def cases() -> dict[str, Callable[[], Simulated]]:
    """Return every case that can be played, by its id (and law, or variant)."""
    return dict([*pools(), *centers(), *days()])
