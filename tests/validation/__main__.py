"""Play every case of known truth and write a ledger: `python -m tests.validation [case ...]`.

Each case runs until its figures are known to half a percent, or the budget of contacts is spent;
`--contacts` sets the budget. Exit code 1 if a figure is off by more than four standard errors.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from zlib import crc32

from configs.planning import Scenario
from simulation.plan.replications import Study, Workers, merge, strata_of
from tests.validation import published_cases, simulated
from tests.validation.simulated import Verdict

LEDGER = Path(__file__).parents[2] / "benchmarks" / "validation-ledger.md"
HEAD = """# Ledger of validation by simulation

Each row: a number of known truth (tests/validation), played by the planner's simulator on the
live core; `make validate` appends a run. A figure passes within four standard errors; one whose
standard error is above 3 % of the value proves nothing and says so.
"""
COLUMNS = """| case | figure | exact | simulated | standard error | off by | days | |
|---|---|---|---|---|---|---|---|
"""
PASSES = 4.0


class Case(Protocol):
    """What can be played and judged."""

    @property
    def scenario(self) -> Scenario:
        """Return the scenario of a day."""
        ...

    def judge(self, study: Study) -> list[Verdict]:
        """Return a verdict for every number that is compared."""
        ...


def play(case: Case, seed: int, contacts: int, crew: Workers) -> tuple[list[Verdict], int]:
    """Play a case until its figures are sharp or the budget is spent; also return the days."""
    scenario = case.scenario
    strata = strata_of(scenario)
    volume = sum(
        sum(demand.per_interval) or len(demand.arrivals_ms) for demand in scenario.demand.values()
    )
    days_max = max(12, int(contacts / volume))
    days, tallies = 0, []
    while True:
        more = max(12, days)
        more = -(-min(more, max(days_max - days, 1)) // strata) * strata
        tallies += crew.play(scenario, seed, days, more, strata)
        days += more
        verdicts = case.judge(merge(scenario, seed, strata, tallies))
        if days >= days_max or all(found.is_sharp for found in verdicts):
            return verdicts, days


def main() -> int:
    """Play the cases named, or all, and append what came out to the ledger."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--contacts", type=int, default=2_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--no-ledger", action="store_true")
    given = parser.parse_args()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - whichever git is there
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    title = f"{datetime.now(UTC):%Y-%m-%d}, commit {commit}, {given.contacts:,} contacts a case"
    out = sys.stdout
    if not given.no_ledger:
        fresh = not LEDGER.exists()
        out = LEDGER.open("a", encoding="utf-8")
        out.write(HEAD if fresh else "")
    out.write(f"\n## {title}\n\n{COLUMNS}")
    failed = 0
    with Workers(given.workers) as crew:
        for name, make in (simulated.cases() | published_cases.cases()).items():
            if given.cases and name.split()[0] not in given.cases:
                continue
            # Cases with one seed would share their customers, and so their luck.
            seed = crc32(name.encode()) + given.seed
            verdicts, days = play(make(), seed, given.contacts, crew)
            for found in verdicts:
                failed += found.off > PASSES
                out.write(row_of(name, found, days))
                out.flush()
    return 1 if failed else 0


def row_of(name: str, found: Verdict, days: int) -> str:
    """Return a verdict as a row of the ledger."""
    said = "passes" if found.off <= PASSES else "**FAILS**"
    if found.off <= PASSES and not found.proves:
        said = "proves nothing"
    return (
        f"| {name} | {found.name} | {found.expected:.6g} | {found.estimate:.6g} | "
        f"{found.distance_error:.2g} | {found.off:.1f} | {days} | {said} |\n"
    )


if __name__ == "__main__":
    sys.exit(main())
