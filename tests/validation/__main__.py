"""Play every case of known truth and write a ledger: `python -m tests.validation [case ...]`.

Each case runs until its figures are as sharp as it wants, or the budget of contacts is spent;
`--contacts` sets the budget of a case. With `--keep FILE` what is played is kept there at once, and
not played again: a night that was broken off goes on. Exit code 1 if a figure is off by more than
four standard errors.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from zlib import crc32

from router import build_info
from simulation.plan import phases
from simulation.plan.replications import Workers, merge, strata_of
from tests.validation import published_cases, simulated
from tests.validation.ledger import LEDGER, Played, append, section, sum_up
from tests.validation.playing import play
from tests.validation.published import Published, is_known
from tests.validation.verdicts import Verdict


def play_published(name: str, seed: int, contacts: int, crew: Workers) -> Played:
    """Play a published case until its figures are sharp or the budget is spent."""
    case: Published = published_cases.cases()[name]()
    began_s = time.process_time()
    scenario = case.scenario
    own_seed = crc32(name.encode()) + seed
    strata = strata_of(scenario)
    volume = sum(
        sum(demand.per_interval) or len(demand.arrivals_ms) for demand in scenario.demand.values()
    )
    days_max = max(12, int(contacts / volume))
    days, tallies = 0, []
    while True:
        more = max(12, days)
        more = -(-min(more, max(days_max - days, 1)) // strata) * strata
        tallies += crew.play(scenario, own_seed, days, more, strata)
        days += more
        verdicts = case.judge(merge(scenario, own_seed, strata, tallies))
        if days >= days_max or is_known(verdicts):
            cpu_s = time.process_time() - began_s
            return Played(name, tuple(verdicts), days, round(days * volume), cpu_s)


def read_kept(path: Path | None) -> dict[str, Played]:
    """Return what an earlier run kept, by the name of the case."""
    if path is None or not path.exists():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        verdicts = tuple(Verdict(**verdict) for verdict in row.pop("verdicts"))
        found[row["name"]] = Played(verdicts=verdicts, **row)
    return found


def main() -> int:
    """Play the cases named, or all, and append what came out to the ledger."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--contacts", type=int, default=400_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--ledger", type=Path, default=LEDGER)
    parser.add_argument("--no-ledger", action="store_true")
    given = parser.parse_args()
    played = []
    for case in play_all(given):
        played.append(case)
        sys.stdout.write(f"{case.name}: {sum_up([case])}")
        sys.stdout.flush()
    if not given.no_ledger:
        append(section(title_of(given.ledger), played), given.ledger)
    sys.stdout.write(f"\n{sum_up(played)}")
    return 0 if all(found.passes for case in played for found in case.verdicts) else 1


def play_all(given: argparse.Namespace) -> Iterator[Played]:
    """Yield what comes out of each case that is wanted."""
    kept = read_kept(given.keep)
    with Workers(given.workers) as crew:
        for name in (*simulated.cases(), *published_cases.cases()):
            if given.cases and not {name, name.split()[0]} & set(given.cases):
                continue
            if name in kept:
                yield kept[name]
                continue
            if name in published_cases.cases():
                case = play_published(name, given.seed, given.contacts, crew)
            else:
                case = play(name, crew, seed=given.seed, contacts_max=given.contacts)
            if given.keep is not None:
                with given.keep.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(asdict(case)) + "\n")
            yield case


def title_of(ledger: Path) -> str:
    """Return the heading of a run: when, of what, on which build."""
    where = str(ledger.resolve().parent)
    commit = subprocess.run(
        ["git", "-C", where, "rev-parse", "--short", "HEAD"],  # noqa: S607 - whichever git is there
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    build = (
        f"core {kind(build_info.__file__)}, the planner's world {kind(phases.__file__)}, "
        f"Python {platform.python_version()}"
    )
    return f"{datetime.now(UTC):%Y-%m-%d}, commit {commit or 'not known'}, {build}"


def kind(sources: str) -> str:
    """Say whether the modules beside this one are compiled."""
    suffixes = tuple(EXTENSION_SUFFIXES)
    found = any(path.name.endswith(suffixes) for path in Path(sources).parent.iterdir())
    return "compiled" if found else "interpreted"


if __name__ == "__main__":
    sys.exit(main())
