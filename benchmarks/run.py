"""Run every benchmark, print the tables, and with `--write` keep them.

`python -m benchmarks.run [--quick] [--write] [--output FILE]`. Each measurement runs in a fresh
process pinned to one processor. The models of the simulated day take turns: round 1 of all,
round 2 of all, and so on, so that a slow minute of the machine hits all of them. A compiled core
is measured too where `make compiled` has built one from the very sources that are here.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from benchmarks import tables
from benchmarks.customers import Model
from benchmarks.peers.c_loop import compiler

Json: TypeAlias = Any
ROOT: Final = Path(__file__).resolve().parent.parent
RESULTS: Final = Path(__file__).with_name("results.json")
COMPILED_PYTHON: Final = ROOT / ".venv-compiled" / "bin" / "python"
# -P keeps the directory of the sources out of the front of the path: a compiled core must be
# found in its own environment, and only the benchmarks here.
_START: Final = (
    "import sys; sys.path.append(sys.argv.pop(1)); from benchmarks.worker import main; main()"
)
OURS: Final = (
    "engine in SimPy",
    "engine in SimPy, journal kept",
    "engine in SimPy, offers + wrap-up + clock",
    "core in a heapq loop",
    "core in a heapq loop, offers + wrap-up + clock",
)
SINGLE: Final = Model()
LARGE: Final = Model(agents=2_000)
SKILLED: Final = Model(categories=4)


@dataclass(frozen=True)
class Size:
    """Say how much of everything is measured."""

    rounds: int
    customers: int
    fast_customers: int
    large_rounds: int
    large_customers: int
    days: int
    agents: tuple[int, ...]
    measured: int
    replays: int
    waiting: tuple[int, ...]
    memory_contacts: int
    memory_agents: int
    count_agents: tuple[int, ...]
    count_waiting: tuple[int, ...]


FULL: Final = Size(
    rounds=7,
    customers=30_000,
    fast_customers=200_000,
    large_rounds=2,
    large_customers=40_000,
    days=10,
    agents=(20, 200, 2_000, 20_000),
    measured=20_000,
    replays=5,
    waiting=(1_000, 10_000, 100_000, 1_000_000),
    memory_contacts=50_000,
    memory_agents=5_000,
    count_agents=(20, 2_000, 20_000),
    count_waiting=(1_000, 100_000, 1_000_000),
)
QUICK: Final = Size(
    rounds=2,
    customers=8_000,
    fast_customers=20_000,
    large_rounds=0,
    large_customers=0,
    days=1,
    agents=(20, 2_000),
    measured=4_000,
    replays=3,
    waiting=(1_000, 30_000),
    memory_contacts=20_000,
    memory_agents=1_000,
    count_agents=(20, 2_000),
    count_waiting=(1_000, 30_000),
)
FAST: Final = {"C loop", "heapq loop", "SimPy, re-used events"}


class WorkerError(Exception):
    """A measurement failed: says which, and what its process wrote."""


@dataclass
class Bench:
    """Hand out measurements and collect them."""

    size: Size
    processor: int | None
    pythons: dict[str, str]
    found: dict[str, list[Any]] = field(default_factory=dict)

    def ask(self, build: str, **task: object) -> Json:
        """Measure one thing in a fresh process of one build."""
        command = [self.pythons[build], "-P", "-c", _START, str(ROOT)]
        body = json.dumps({**task, "processor": self.processor})
        answer = subprocess.run([*command, body], check=False, capture_output=True, cwd="/")
        if answer.returncode:
            reason = answer.stderr.decode().strip()
            raise WorkerError(f"{build}: {task}: {reason}")
        return json.loads(answer.stdout)

    def keep(self, section: str, build: str, **task: object) -> None:
        """Measure one thing for both, or one, of the builds and keep the answer."""
        started = time.perf_counter()
        answer = self.ask(build, **task)
        self.found.setdefault(section, []).append({"build": build, **answer})
        took = time.perf_counter() - started
        what = task.get("name") or {key: value for key, value in task.items() if key != "model"}
        print(f"  {section}: {build}: {what} ({took:.1f} s)", file=sys.stderr, flush=True)

    def builds(self) -> tuple[str, ...]:
        """Return the builds of the core that are there."""
        return tuple(self.pythons)


def find_pythons(compiled_python: Path) -> dict[str, str]:
    """Return the interpreter of each build: this one, and the compiled one if it is up to date."""
    pythons = {"pure": sys.executable}
    if not compiled_python.exists():
        print("no compiled core (make compiled): measuring the pure one only", file=sys.stderr)
        return pythons
    trial = Bench(QUICK, None, {**pythons, "compiled": str(compiled_python)})
    try:
        pure, compiled = trial.ask("pure", do="build"), trial.ask("compiled", do="build")
    except WorkerError as error:
        reason = str(error).splitlines()[-1]
        print(f"measuring the pure core only, the compiled one fails: {reason}", file=sys.stderr)
        return pythons
    if compiled["core"] != "compiled" or compiled["source_hash"] != pure["source_hash"]:
        print(
            "the compiled core is not made from these sources: measuring the pure one only; "
            "run `make compiled` to build it again",
            file=sys.stderr,
        )
        return pythons
    return trial.pythons


def compare_days(bench: Bench) -> None:
    """Let the models of the three centres take turns."""
    size = bench.size
    peers = ["textbook SimPy", "SimPy, re-used events", "Ciw", "heapq loop"]
    if compiler() is not None:
        peers.append("C loop")
    for number in range(size.rounds):
        for name in peers:
            count = size.fast_customers if name in FAST else size.customers
            _day(bench, "day", "pure", SINGLE, name, count, number)
        for build in bench.builds():
            for name in OURS:
                _day(bench, "day", build, SINGLE, name, size.customers, number)
    for number in range(size.rounds):
        for name in ("event router", "FilterStore"):
            label = f"multi-skill SimPy {name}"
            _day(bench, "skills", "pure", SKILLED, label, size.customers, number)
        _day(bench, "skills", "pure", SKILLED, "multi-skill heapq loop", size.customers, number)
        for build in bench.builds():
            for name in ("engine in SimPy", "core in a heapq loop"):
                _day(bench, "skills", build, SKILLED, name, size.customers, number)
    for number in range(size.large_rounds):
        for name in ("textbook SimPy", "Ciw"):
            _day(bench, "large", "pure", LARGE, name, size.large_customers, number)
        for build in bench.builds():
            _day(bench, "large", build, LARGE, "engine in SimPy", size.large_customers, number)
    for number in range(size.days):
        _day(bench, "short day", "pure", SINGLE, "textbook SimPy", 5_000, number)
        for build in bench.builds():
            _day(bench, "short day", build, SINGLE, "engine in SimPy", 5_000, number)


def _day(
    bench: Bench, section: str, build: str, model: Model, name: str, count: int, number: int
) -> None:
    # A round's number is its seed: all models of one round meet the same customers.
    task = {"do": "day", "name": name, "count": count, "seed": 100 + number}
    bench.keep(section, build, model=asdict(model), **task)


def measure_core(bench: Bench) -> None:
    """Measure growth, memory, operations and the border."""
    size = bench.size
    for agents in size.agents:
        for build in bench.builds():
            task = {"agents": agents, "measured": size.measured, "replays": size.replays}
            bench.keep("agents", build, do="agents", **task)
    for waiting in size.waiting:
        for build in bench.builds():
            bench.keep("waiting", build, do="waiting", waiting=waiting, rounds=5, block=2_000)
    for build in bench.builds():
        bench.keep("contact memory", build, do="contact memory", contacts=size.memory_contacts)
        bench.keep("agent memory", build, do="agent memory", agents=size.memory_agents)
    for number in range(3):
        for build in bench.builds():
            for stdlib in (False, True):
                task = {"agents": 200, "measured": size.measured, "stdlib": stdlib}
                bench.keep(f"border stdlib={stdlib}", build, do="border", **task)
        del number
    for agents in size.count_agents:
        _count(bench, "served", agents)
    for waiting in size.count_waiting:
        _count(bench, "lines", waiting)


def _count(bench: Bench, what: str, scale: int) -> None:
    name = {"served": "agents", "lines": "waiting"}[what]
    counts = bench.ask("pure", do=what, samples=100, **{name: scale})
    bench.found.setdefault(what, []).append({"scale": scale, "counts": counts})
    print(f"  {what}: {scale}", file=sys.stderr, flush=True)


def describe_machine() -> dict[str, Any]:
    """Say what was measured on."""
    model = platform.processor()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"cpu": model, "processors": os.cpu_count(), "system": platform.system()}


def main() -> None:
    """Read the command line, measure, print, keep."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute; figures to look at")
    parser.add_argument("--write", action="store_true", help="keep results.json and README.md")
    parser.add_argument("--output", type=Path, help="write the results to this file instead")
    parser.add_argument("--only", choices=("days", "core"), help="measure one half")
    parser.add_argument(
        "--compiled", type=Path, default=COMPILED_PYTHON, help="an interpreter with a compiled core"
    )
    options = parser.parse_args()
    processor = None
    if hasattr(os, "sched_getaffinity"):
        processor = max(os.sched_getaffinity(0))
    bench = Bench(QUICK if options.quick else FULL, processor, find_pythons(options.compiled))
    started = time.perf_counter()
    if options.only != "core":
        compare_days(bench)
    if options.only != "days":
        measure_core(bench)
    results = {
        "measured_at": datetime.now(UTC).strftime("%Y-%m-%d"),
        "quick": options.quick,
        "took_s": round(time.perf_counter() - started),
        "load_average": list(os.getloadavg()),
        "machine": describe_machine(),
        "builds": {build: bench.ask(build, do="build") for build in bench.builds()},
        "found": bench.found,
    }
    body = json.dumps(results, indent=1) + "\n"
    if options.output is not None:
        options.output.write_text(body, encoding="utf-8")
    if options.write:
        RESULTS.write_text(body, encoding="utf-8")
        tables.write(results)
    print(tables.render(results))


if __name__ == "__main__":
    main()
