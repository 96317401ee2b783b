"""Case A45, the next half hour from a live state, in full: `python -m tests.validation.ahead`.

12 busy, 8 waiting; 3 more after ten minutes. Every number that the case expects is compared with
the mean of so many pairs, and written to the ledger. Exit code 1 if one is off by more than four
standard errors.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from router import router as core
from simulation.plan.estimates import Floats
from simulation.plan.replications import available_cores
from simulation.whatif.altering import Alteration, Reinforcement
from simulation.whatif.forecasting import GAVE_UP, WAITING, Outlook, play_pairs
from simulation.whatif.live import Live, outlook_of
from tests.live_states import MINUTE_MS, live_router, one_line, scenario_of
from tests.validation import HERE, load

LEDGER: Final = HERE.parents[1] / "benchmarks" / "validation-ledger.md"
PASSES: Final = 4.0
CENTER: Final = one_line(12)
BODY: Final = live_router(CENTER, 12, 8).snapshot()
COURSES: Final = ("do_nothing", "add_3")
MINUTES: Final = 30


@dataclass(frozen=True)
class Compared:
    """A number of the case beside the mean of the pairs."""

    name: str
    expected: float
    mean: float
    error: float

    @property
    def off(self) -> float:
        """Return the distance in standard errors."""
        return abs(self.mean - self.expected) / self.error if self.error else 0.0


def more(agents: int) -> Alteration:
    """Return more agents of the one team."""
    part = Reinforcement(where="team", agents=agents, from_ms=0, to_ms=0)
    return Alteration(reinforcements=(part,))


def outlook(seed: int = 1) -> Outlook:
    """Return the case as an outlook with two courses."""
    found, _ = outlook_of(
        Live(body=BODY),
        scenario_of(CENTER, per_minute=4, work_min=1 / 0.3, patience_min=4),
        {"3 more": more(3)},
        horizon_ms=MINUTES * MINUTE_MS,
        change_in_ms=10 * MINUTE_MS,
        slice_ms=10 * MINUTE_MS,
        seed=seed,
    )
    return found


def compare(pairs: int, seed: int = 1, workers: int = 1) -> list[Compared]:
    """Play pairs and lay every number of the case beside their means."""
    found = play_pairs(outlook(seed), pairs, workers)
    expected = load("days")["A45"]["expected"]
    compared = []
    for which, course in enumerate(COURSES):
        lost = np.array([pair[which].counts[:, GAVE_UP] for pair in found])
        ends = np.array([pair[which].counts[-1, WAITING] > 0 for pair in found], dtype=float)
        told = {
            "abandonments_mean": lost.sum(axis=1),
            "abandonments_mean_minutes_0_to_10": lost[:, 0],
            "abandonments_mean_minutes_10_to_30": lost[:, 1:].sum(axis=1),
            "queue_length_mean": np.array([pair[which].queue_ms for pair in found])
            / (MINUTES * MINUTE_MS),
            "someone_waits_at_end_probability": ends,
            "number_in_system_at_end_mean": np.array(
                [float(pair[which].in_system) for pair in found]
            ),
        }
        for name, values in told.items():
            compared.append(_compare(f"{name} {course}", expected[name][course], values))
    avoided = np.array(
        [pair[0].counts[:, GAVE_UP].sum() - pair[1].counts[:, GAVE_UP].sum() for pair in found]
    )
    name = "abandonments_avoided_mean"
    return [*compared, _compare(name, expected[name], avoided)]


def _compare(name: str, expected: float, values: Floats) -> Compared:
    error = float(values.std(ddof=1)) / len(values) ** 0.5
    return Compared(name, expected, float(values.mean()), error)


def main() -> int:
    """Play the case and append it to the ledger."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=available_cores())
    parser.add_argument("--no-ledger", action="store_true")
    given = parser.parse_args()
    compared = compare(given.pairs, given.seed, given.workers)
    build = "interpreted" if core.__file__.endswith(".py") else "compiled"
    lines = [
        f"\n## {datetime.now(UTC):%Y-%m-%d}, look-ahead from a live state, {given.pairs:,} pairs, "
        f"core {build}\n",
        "| case | figure | exact | simulated | standard error | of value | off by | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in compared:
        said = "passes" if one.off <= PASSES else "**FAILS**"
        lines.append(
            f"| A45 | {one.name} | {one.expected:.6g} | {one.mean:.6g} | {one.error:.2g} | "
            f"{one.error / one.expected:.2%} | {one.off:.1f} | {said} |"
        )
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if not given.no_ledger:
        with LEDGER.open("a", encoding="utf-8") as out:
            out.write(text)
    return 0 if all(one.off <= PASSES for one in compared) else 1


if __name__ == "__main__":
    sys.exit(main())
