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

from simulation.plan.replications import Workers, merge, strata_of
from tests.validation.simulated import Simulated, Verdict, cases, judge

LEDGER = Path(__file__).parents[2] / "benchmarks" / "validation-ledger.md"
HEAD = """# Ledger of validation by simulation

Each row: a number of known truth (tests/validation), played by the planner's simulator on the
live core; `make validate` appends a run. A figure passes within four standard errors; one whose
standard error is above 3 % of the value proves nothing and says so.
"""


def play(case: Simulated, contacts: int, crew: Workers) -> tuple[list[Verdict], int]:
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
        tallies += crew.play(scenario, 20_260_310, days, more, strata)
        days += more
        verdicts = judge(case, merge(scenario, 20_260_310, strata, tallies))
        if days >= days_max or all(found.relative_error <= 0.005 for found in verdicts):
            return verdicts, days


def main() -> int:
    """Play the cases named, or all, and append what came out to the ledger."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--contacts", type=int, default=2_000_000)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--no-ledger", action="store_true")
    given = parser.parse_args()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - whichever git is there
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    rows, failed = [], 0
    with Workers(given.workers) as crew:
        for name, make in cases().items():
            if given.cases and not any(name.split()[0] == case for case in given.cases):
                continue
            verdicts, days = play(make(), given.contacts, crew)
            for found in verdicts:
                passed = "passes" if found.off <= 4 else "**FAILS**"
                failed += found.off > 4
                if found.relative_error > 0.03:
                    passed = "proves nothing"
                row = (
                    f"| {name} | {found.name} | {found.expected:.6g} | {found.estimate:.6g} | "
                    f"{found.error:.2g} | {found.off:.1f} | {days} | {passed} |"
                )
                rows.append(row)
                sys.stdout.write(row + "\n")
                sys.stdout.flush()
    if not given.no_ledger:
        text = LEDGER.read_text(encoding="utf-8") if LEDGER.exists() else HEAD
        text += (
            f"\n## {datetime.now(UTC):%Y-%m-%d}, commit {commit}, "
            f"about {given.contacts:,} contacts a case\n\n"
            "| case | figure | exact | simulated | standard error | off by | days | |\n"
            "|---|---|---|---|---|---|---|---|\n"
        ) + "".join(f"{row}\n" for row in rows)
        LEDGER.write_text(text, encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
