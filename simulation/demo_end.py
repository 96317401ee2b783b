"""End the demo: the morning in numbers, the journal verified, one decision explained, what next.

Everything is asked of the product's own commands, on the store the worker left behind, as a
user would ask. The commands printed can be pasted.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from router.measures_formulas import SERVICE_LEVEL_DEFINITION
from simulation.demo_screen import Frame, clock, percent, print_json
from simulation.demo_teller import seconds
from simulation.demo_worker import WorkerError, run_command

USUAL_SPEED: Final = 30.0
USUAL_SECONDS: Final = 45.0
_EXPLAINED_LINES_MAX: Final = 14


@dataclass(kw_only=True)
class Notes:
    """Keep what the show itself saw: the incident's course and a tale worth explaining."""

    queue: str
    agents_away: int
    seed: int
    length_ms: int
    decisions: int = 0
    longest_ms: int = -1
    longest_id: str = ""
    late_at_ms: int = 0
    paged_at_ms: int = 0
    recovered_at_ms: int = 0
    oldest_max_ms: int = 0


def program() -> str:
    """Return how this very command is called from here, ready to paste."""
    called = Path(sys.argv[0])
    if called.name == "switchroom":
        found = shutil.which("switchroom")
        if found and Path(found).resolve() == called.resolve():
            return "switchroom"
        return shlex.quote(os.path.relpath(called))
    return f"{shlex.quote(sys.executable)} -m switchroom"


def keep_last(folder: Path) -> Path | None:
    """Keep a show's journal where the next one replaces it; None where nothing can be kept.

    In the user's cache (`XDG_CACHE_HOME`, else `~/.cache`), so that a planner's questions about the
    morning just seen need no second show.
    """
    try:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        place = Path(cache) / "switchroom" / "demo"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(folder, place)
    except (OSError, RuntimeError):
        return None
    return place


def finish(
    notes: Notes, last: Frame, store: Path, *, keep: bool, as_json: bool, kept: Path | None = None
) -> None:
    """Verify the journal, explain the longest wait, print the summary.

    Raises `WorkerError` when the journal does not hold or cannot be explained.
    """
    verified = json.loads(_ask("replay", str(store), "--json"))
    explained = []
    if notes.longest_id:
        explained = _ask("explain", notes.longest_id, "--store", str(store)).splitlines()
    if as_json:
        print_json(
            {
                "kind": "summary",
                "summary": last.table["summary"],
                "service_level_is": SERVICE_LEVEL_DEFINITION,
                "notes": asdict(notes),
                "journal": verified,
                "explained": explained,
                **({"store": str(store if keep else kept)} if keep or kept else {}),
            }
        )
        return
    console = Console(highlight=False)
    grid = Table.grid(padding=(0, 2, 0, 0))
    console.print()
    for name, text in facts(notes, last, verified):
        grid.add_row(Text(name, "bold"), text)
    console.print(grid)
    console = Console(highlight=False, soft_wrap=True)
    if explained:
        head = f"One assignment, explained from the journal alone (explain {notes.longest_id})"
        console.print(Text(f"\n{head}", "bold"))
        for line in choose_passage(explained):
            indent = " " * (len(line) - len(line.lstrip()) + 4)
            # A pipe gets the line whole, a person gets it broken between words.
            width = console.width if console.is_terminal else len(line) + 4
            for part in wrap(f"  {line}", width, subsequent_indent=indent):
                console.print(Text(part))
    told = "ask the journal"
    if not keep:
        told = "the same morning in seconds, its journal kept; a plan"
        if kept is not None:
            told = (
                "its journal is kept until the next demo: what would have helped, and why; a plan"
            )
    console.print(Text(f"\nNext: {told}", "bold"))
    for command in next_commands(notes, store if keep else kept, kept=keep):
        console.print(Text(f"  {command}", "green"))


def choose_passage(explained: list[str]) -> list[str]:
    """Choose what tells why this agent: from the last offer's event to the assignment.

    The whole is left to the command itself; a story without an assignment is told from its start.
    """
    ends = [number for number, line in enumerate(explained) if "assigned to " in line]
    if not ends:
        return explained[:_EXPLAINED_LINES_MAX]
    offers = [n for n, line in enumerate(explained[: ends[0]]) if "offered to " in line]
    start = offers[-1] if offers else ends[0]
    while start and explained[start].startswith(" "):
        start -= 1
    passage = explained[start : ends[0] + 1]
    passage = passage if len(passage) <= _EXPLAINED_LINES_MAX else [
        *passage[: _EXPLAINED_LINES_MAX - 2], "    ...", passage[-1]
    ]  # fmt: skip
    return [explained[0], "    ...", *passage] if start else passage


def _ask(*arguments: str) -> str:
    """Run one of our own commands and return what it printed."""
    done = run_command(arguments)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise WorkerError(f"switchroom {' '.join(arguments)}: exit {done.returncode}: {said}")
    return done.stdout


def facts(notes: Notes, last: Frame, verified: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the morning in a few lines, each with its name."""
    total = last.table["summary"]
    rows = last.table["queues"]
    warned = sum(row["warned"] for row in last.table["promises"])
    exits = ("answered", "abandoned", "short_abandoned", "deflected", "overflowed", "callback",
             "expired", "waiting")  # fmt: skip
    ends = {how: sum(row[how] for row in rows) for how in exits}
    ends["abandoned"] += ends.pop("short_abandoned")
    told = " + ".join(f"{number} {how}" for how, number in ends.items() if number)
    incident = f"{notes.queue}: {notes.agents_away} agents on break"
    if notes.late_at_ms:
        until = clock(notes.recovered_at_ms) if notes.recovered_at_ms else "the end"
        incident += f"; late {clock(notes.late_at_ms)}-{until}"
        incident += f", oldest wait {seconds(notes.oldest_max_ms)}"
    if notes.paged_at_ms:
        incident += f"; paged {clock(notes.paged_at_ms)}"
    span = f"{seconds(last.elapsed_ms)} of the centre's time"
    promises = f"{total['sla_met']} met, {total['sla_breached']} breached, {warned} warnings: "
    promises += f"{percent(total['sla_met_share'])} kept"
    journal = f"{verified['entries']} entries decided again, the same to the byte; "
    journal += f"digest {verified['digest'][:12]}"
    return [
        ("in line", f"{sum(row['arrivals'] for row in rows)} arrivals = {told}"),
        ("in time", f"{percent(total['service_level'])} ({SERVICE_LEVEL_DEFINITION})"),
        ("promises", promises),
        ("incident", incident),
        ("decisions", f"{notes.decisions} in {span}, each with its reason; seed {notes.seed}"),
        ("journal", journal),
    ]


def next_commands(notes: Notes, store: Path | None, *, kept: bool) -> list[str]:
    """Return what to try next, ready to paste; of a journal that is there, it can be asked.

    `kept` says that it was asked for and stays; else the next demo replaces it.
    """
    me = program()
    plan = f"{me} plan sample --target 80/20"
    if store is None:
        # Unpaced, a second of the wall stands for as much as at the usual speed.
        seconds_asked = notes.length_ms / USUAL_SPEED / 1_000
        length = "" if seconds_asked == USUAL_SECONDS else f" --seconds {seconds_asked:g}"
        return [f"{me} demo --seed {notes.seed}{length} --speed 0 --keep", plan]
    place = shlex.quote(str(store))
    found = []
    if notes.late_at_ms:
        found.append(f"{me} what-if {place} {_more(notes)}")
    if kept:
        found.append(f"{me} journal verify {place}")
    if notes.longest_id:
        found.append(f"{me} explain {notes.longest_id} --store {place}")
    return found if kept else [*found, plan]


def _more(notes: Notes) -> str:
    """Return the options that bring half of those away back while the queue was late."""
    minute_ms = 60_000
    until_ms = notes.recovered_at_ms or notes.late_at_ms + 10 * minute_ms
    since, until = notes.late_at_ms // minute_ms, -(-until_ms // minute_ms)
    between = "-".join(f"{at // 60 % 24:02d}:{at % 60:02d}" for at in (since, until))
    return f"--add {notes.queue}={max(1, notes.agents_away // 2)} --between {between}"
