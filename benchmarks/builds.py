"""Play the same days with the pure and the compiled build, and compare all they decided.

`python -m benchmarks.builds [--events N] [--ledger]`: without N a few days of each scenario, which
`make compiled` does in every test run; with N the sample centre's days until so many events were
handled. Compared are the digest of every event with its decisions, and of every tally.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks import planner_day
from benchmarks.customers import Model
from configs.planning import Scenario
from router.build_info import COMPILED, check_build, find_binaries, hash_sources
from router.journal import Digest, Entry
from simulation.plan.day import Day
from simulation.plan.prepared import Prepared
from simulation.plan.reading import load_scenario
from simulation.plan.replications import strata_of
from simulation.plan.tallies import Tally

ROOT: Final = Path(__file__).resolve().parent.parent
LEDGER: Final = Path(__file__).with_name("ledger.md")
COMPILED_PYTHON: Final = ROOT / ".venv-compiled" / "bin" / "python"
# Where `make compiled` keeps the sources of the simulator with the compiled modules among them.
COMPILED_TREE: Final = ROOT / ".cache" / "compiled" / "check"
SAMPLE: Final = "sample"
QUICK: Final = {"tiny": 4, SAMPLE: 2, "pool": 1}
POOL_CONTACTS: Final = 6_000
CHUNK_DAYS: Final = 8
SEED: Final = 20_260_310
_START: Final = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


class BuildError(Exception):
    """A build is missing, stale or fails; says what to do."""


def command(compiled: Path | None, module: str, *arguments: str) -> list[str]:
    """Return how to run a module of this repository: interpreted, or by a compiled environment."""
    if compiled is None:
        return [sys.executable, "-P", "-c", _START, str(ROOT), module, *arguments]
    return [str(compiled), "-P", "-c", _START, str(COMPILED_TREE), module, *arguments]


def sources_hash(root: Path) -> str:
    """Return one hash over the sources that decide how a day is played."""
    parts = [hash_sources(root / name) for name in ("simulation", "configs", "benchmarks")]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


# --- in a process of its own --------------------------------------------------------------


@dataclass
class Hearing:
    """Fold every entry of a day, and count."""

    digest: Digest = field(default_factory=Digest)
    events: int = 0
    decisions: int = 0

    def hear(self, entry: Entry) -> None:
        """Fold one entry."""
        self.events += 1
        self.decisions += len(entry.decisions)
        self.digest.update(entry.stamped, entry.decisions)


def digest_of(tally: Tally) -> str:
    """Return a digest of everything that was counted of a day."""
    whole = hashlib.blake2b(digest_size=16)
    for one in fields(tally):
        value = getattr(tally, one.name)
        whole.update(one.name.encode())
        whole.update(value.tobytes() if hasattr(value, "tobytes") else repr(value).encode())
    return whole.hexdigest()


def play(name: str, first: int, count: int) -> Iterator[dict[str, Any]]:
    """Play days of a scenario with somebody listening."""
    scenario = _scenario(name)
    prepared, strata = Prepared(scenario), strata_of(scenario)
    for number in range(first, first + count):
        hearing = Hearing()
        heard = Day(prepared, SEED, number, strata=strata, listeners=(hearing.hear,)).play()
        yield {
            "day": f"{name} {number}",
            "events": hearing.events,
            "decisions": hearing.decisions,
            "digest": hearing.digest.hexdigest(),
            "tally": digest_of(heard),
        }


def _scenario(name: str) -> Scenario:
    if name == "pool":
        return planner_day.scenario(Model(), POOL_CONTACTS)
    return load_scenario(Path(name))


def answer(tasks: list[tuple[str, int, int]]) -> dict[str, Any]:
    """Play what is asked and say which build did."""
    started = time.process_time()
    days = [day for task in tasks for day in play(*task)]
    home = Path(sys.modules["simulation"].__path__[0])
    return {
        "compiled": COMPILED and bool(find_binaries(home)),
        "core": hash_sources(),
        "sources": sources_hash(home.parent),
        "wrong": check_build() + check_build(home),
        "days": days,
        "cpu_s": time.process_time() - started,
    }


# --- both ---------------------------------------------------------------------------------


def ask_both(compiled: Path, tasks: list[tuple[str, int, int]]) -> list[dict[str, Any]]:
    """Let both builds play the same days at the same time; raises `BuildError`."""
    if not compiled.exists() or not COMPILED_TREE.is_dir():
        raise BuildError(f"{compiled}: no compiled build is there; `make compiled` makes it")
    body = json.dumps(tasks)
    running = [
        subprocess.Popen(
            command(python, "benchmarks.builds", "--play", body),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
        )
        for python in (None, compiled)
    ]
    answers = []
    for process in running:
        out, err = process.communicate()
        if process.returncode:
            raise BuildError(f"a build cannot play: {err.decode().strip()}")
        answers.append(json.loads(out))
    pure, other = answers
    if pure["compiled"] or not other["compiled"]:
        raise BuildError("not one pure and one compiled build; `make compiled` makes the second")
    stale = [*pure["wrong"], *other["wrong"]]
    if stale or (pure["core"], pure["sources"]) != (other["core"], other["sources"]):
        found = "; ".join(stale) or "it was not made from the sources that are here"
        raise BuildError(f"the compiled build is stale: {found}; `make compiled` makes it anew")
    return answers


def check_compiled(compiled: Path) -> None:
    """Raise `BuildError` unless the compiled build is there and made from these sources."""
    ask_both(compiled, [])


def compare(compiled: Path, tasks: list[tuple[str, int, int]]) -> list[dict[str, Any]]:
    """Return both answers; raises `BuildError` at the first day that differs."""
    answers = ask_both(compiled, tasks)
    check_alike(answers[0]["days"], answers[1]["days"])
    return answers


def check_alike(days: list[dict[str, Any]], others: list[dict[str, Any]]) -> None:
    """Raise `BuildError` at the first day that differs."""
    for pure, other in zip(days, others, strict=True):
        if pure != other:
            raise BuildError(f"the builds differ on {pure['day']}: pure {pure}, compiled {other}")


def play_many(compiled: Path, events: int) -> str:
    """Play the sample centre until so many events were handled by each build, or Ctrl-C.

    Returns how it went, of the days that both have finished.
    """
    done = decisions = days = 0
    cpu_s = [0.0, 0.0]
    whole = hashlib.blake2b(digest_size=32)
    while done < events:
        try:
            answers = compare(compiled, [(SAMPLE, days, CHUNK_DAYS)])
        except KeyboardInterrupt:
            if not days:
                raise BuildError("interrupted before the first days were played") from None
            break
        days += CHUNK_DAYS
        for day in answers[0]["days"]:
            done += day["events"]
            decisions += day["decisions"]
            whole.update(f"{day['digest']} {day['tally']}\n".encode())
        cpu_s = [total + one["cpu_s"] for total, one in zip(cpu_s, answers, strict=True)]
        print(f"  {done:,} events alike", file=sys.stderr, flush=True)
    return (
        f"pure and compiled alike: {days} days of {SAMPLE}, seed {SEED}, {done} events, "
        f"{decisions} decisions, every digest and tally the same; {cpu_s[0]:.0f} s of CPU pure, "
        f"{cpu_s[1]:.0f} s compiled (digests included), CPython {platform.python_version()}, "
        f"digest of digests {whole.hexdigest()}"
    )


def main(arguments: list[str] | None = None) -> int:
    """Compare the builds; exit code 1 when they differ, or one of them is not there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=0)
    parser.add_argument("--compiled", type=Path, default=COMPILED_PYTHON)
    parser.add_argument("--ledger", action="store_true", help="append the outcome to ledger.md")
    parser.add_argument("--play", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.play:
        json.dump(answer([tuple(task) for task in json.loads(given.play)]), sys.stdout)
        return 0
    try:
        if given.events:
            said = play_many(given.compiled, given.events)
        else:
            answers = compare(given.compiled, [(name, 0, days) for name, days in QUICK.items()])
            days = answers[0]["days"]
            said = (
                f"pure and compiled alike: {len(days)} planned days, "
                f"{sum(day['events'] for day in days):,} events"
            )
    except BuildError as error:
        print(f"builds: {error}", file=sys.stderr)
        return 1
    print(said)
    if given.ledger:
        commit = subprocess.run(
            ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
        with LEDGER.open("a", encoding="utf-8") as ledger:
            ledger.write(f"- {datetime.now(UTC):%Y-%m-%d}, {commit}, {said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
