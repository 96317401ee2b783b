"""Numbers of known truth, played by the planner's simulator on the live core.

A few cases, small, here; all of them by `python -m tests.validation`, which keeps a ledger. A
figure passes within four standard errors, and must be known well enough to prove something.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from simulation.plan.replications import Workers
from tests.validation import load
from tests.validation.figures import Figure, settle
from tests.validation.ledger import Played, section
from tests.validation.playing import play
from tests.validation.simulated import FILES, cases
from tests.validation.verdicts import Verdict

# Case, contacts, and how many of its figures are then known to 3 %.
QUICK = [
    ("A09", 20_000, 6),  # limited lines
    ("A14", 20_000, 4),  # one agent: waits, their spread
    ("A22", 10_000, 1),  # calls interrupt letters
    ("A29", 20_000, 4),  # flexible agents, a reserve
    ("A30", 20_000, 5),  # slower in the other's field
    ("A33", 15_000, 1),  # blocked callers try until they are served
    ("A34", 20_000, 5),  # several chats at once, slower each
    ("A42", 20_000, 20),  # staff that rises and falls
]
# Not played, and why; each is proved elsewhere.
NOT_PLAYED = {
    "A45": "begins with a live state: tests/test_forecast_now.py",
}
NOT_BY_SIMULATION = {
    "A04": {"agents_minimum_for_80_percent_in_20_s"},  # a count of agents: test_erlang
}


@pytest.mark.parametrize(("name", "contacts", "known"), QUICK, ids=[row[0] for row in QUICK])
def test_a_case_comes_out_as_it_must(name: str, contacts: int, known: int) -> None:
    with Workers(1) as crew:
        played = play(name, crew, seed=9, contacts_max=contacts)
    for found in played.verdicts:
        assert found.passes, found
    sharp = sum(found.proves for found in played.verdicts)
    assert sharp >= known, [(found.name, found.relative_error) for found in played.verdicts]


def leaves(expected: object) -> int:
    """Return how many numbers are expected."""
    if isinstance(expected, dict):
        return sum(leaves(part) for part in expected.values())
    return sum(leaves(part) for part in expected) if isinstance(expected, list) else 1


def test_every_number_that_simulation_can_prove_is_played() -> None:
    """By the names of the figures: a measure is played in one variant of its case or another."""
    wanted = {
        case_id: case["expected"]
        for file in FILES
        for case_id, case in load(file).items()
        if "simulation" in case and case_id not in NOT_PLAYED
    }
    played: dict[str, set[str]] = {case_id: set() for case_id in wanted}
    for name, make in cases().items():
        played[name.split()[0]] |= {figure.name for figure in make().figures}
    for case_id, expected in wanted.items():
        left_out = NOT_BY_SIMULATION.get(case_id, set())
        asked = {name: part for name, part in expected.items() if name not in left_out}
        for measure, part in asked.items():
            found = [name for name in played[case_id] if name.split()[0] == measure]
            assert len(found) >= leaves(part), (case_id, measure, found)
        extra = {name.split()[0] for name in played[case_id]} - set(asked)
        assert all(name.startswith("resimulated_") for name in extra), (case_id, extra)
    everything = {case_id for file in FILES for case_id in load(file)}
    assert len(everything) == 64
    # For formulas and the search for staff alone: no rule says how to simulate these.
    assert everything - set(wanted) - set(NOT_PLAYED) == {
        "A07a", "A07c", "A07d", "A07e", *(f"A41{letter}" for letter in "abcdefg"), "A44", "A48",
    }  # fmt: skip


def test_controls_make_sharper_and_move_nothing() -> None:
    """A mean of 5 with noise that the controls know: found to their rest, with an honest error."""
    lots = np.random.default_rng(3)
    offs = []
    for _ in range(60):
        controls = lots.normal(size=(200, 6))
        columns = np.stack((5 + controls @ np.arange(6) + lots.normal(size=200), np.ones(200)), 1)
        found = settle(Figure("mean", 5.0, lambda _: []), columns, controls, 1, 0.005)
        assert 0.06 < found.error < 0.09, "sqrt(1 / 200), not sqrt(56 / 200)"
        offs.append(found.off)
    assert 0.7 < math.sqrt(float(np.mean(np.square(offs)))) < 1.35


def test_a_verdict_says_what_it_is_worth() -> None:
    sharp = Verdict("x", 1.001, 0.004, 1.0)
    found = [
        sharp,
        replace(sharp, error=0.02),
        replace(sharp, error=0.04),
        replace(sharp, estimate=1.017),
        replace(sharp, error=0.0),
    ]
    text = section("a run", [Played("A00", tuple(found), 20, 1_000, 60.0)])
    assert (
        "5 figures of 1 cases and variants: 1 pass, 1 pass less sharp, 1 prove nothing, 2 fail"
        in text
    )
    assert text.count("**FAILS**") == 2, "also what is known exactly, and differs"
