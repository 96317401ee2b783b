"""Make a case of known truth ready to be played: which scenario, which figures, what is expected.

The numbers stand in the JSON files beside this one. What a case expects is measured by its name
(`figures.MEASURES`), or by a special figure of that name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from configs.planning import (
    Scenario,
)
from tests.validation import load
from tests.validation.figures import (
    Figure,
    figures_of,
)

FILES: Final = ("formulas", "chains", "days", "staffing")
CALLS: Final = ("calls",)


@dataclass(frozen=True)
class Simulated:
    """A case ready to be played: its scenario, what is looked at, and what must come out.

    `relative_max` is the largest standard error over the value. With `single_waits` the waits of
    the first demand's contacts are looked at one by one, the first share of them left out.
    """

    scenario: Scenario
    figures: tuple[Figure, ...]
    window: tuple[int, ...]
    counted: tuple[str, ...]
    relative_max: float
    single_waits: bool = False

    @property
    def share_left_out(self) -> float:
        """Return the share of the day that is left out at its beginning."""
        return self.window[0] / (self.window[-1] + 1)


def case_named(case_id: str) -> dict[str, Any]:
    """Return a case by its id."""
    return next(found[case_id] for file in FILES if case_id in (found := load(file)))


def make(
    case_id: str,
    scenario: Scenario,
    window: Iterable[int],
    *special: Figure,
    counted: tuple[str, ...] = (),
    only: Callable[[str], bool] = lambda _: True,
    single_waits: bool = False,
) -> Simulated:
    """Return a case: what it expects and `special` figures do not say is measured by its name.

    A special figure is named like what it stands for, with a part behind a blank. `only` says
    which of the expected measures this variant is for.
    """
    case = case_named(case_id)
    said = {figure.name.split()[0] for figure in special}
    figures = [figure for figure in special if only(figure.name.split()[0])]
    for name, expected in case["expected"].items():
        if name not in said and only(name):
            figures += figures_of(expected, name)
    return Simulated(
        scenario,
        tuple(figures),
        tuple(window),
        counted or tuple(scenario.demand),
        case["simulation"],
        single_waits,
    )


def expected_of(case_id: str) -> dict[str, Any]:
    """Return what a case expects."""
    expected: dict[str, Any] = case_named(case_id)["expected"]
    return expected
