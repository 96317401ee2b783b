"""Count pages in a centre that keeps its promise exactly: every one of them is a false one.

Calls arrive as a Poisson stream at a line with exponential handle times and patience; the volume
is the one at which exactly the promised share is answered in time. So breaches cluster as they do
in a real queue; beside it stand the same calls with breaches drawn one by one. The
thresholds and guards are the shipped ones (`configs.burn_rates`), judged minute by minute by
`configs.burn_watch`. A day is ten hours, a week five days.

    python -m benchmarks.false_pages [--weeks N]
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from fractions import Fraction
from heapq import heapreplace
from typing import Final

from configs.burn_rates import PAIRS, THRESHOLD_MAX, Burn, least_contacts
from configs.burn_watch import BurnWatch

DAY_MIN: Final = 600
DAYS_A_WEEK: Final = 5
HANDLE_S: Final = 240.0
WITHIN_S: Final = 20.0
WARM_S: Final = 7_200.0
"""A day opens with the queue that it usually has."""


def decide_calls(
    agents: int, erlangs: float, patience_s: float, until_s: float, lots: random.Random
) -> list[tuple[float, bool]]:
    """Return when each promise was decided, and whether it was broken; who left early has none."""
    free_s = [0.0] * agents
    at_s = 0.0
    decided: list[tuple[float, bool]] = []
    while at_s < until_s:
        at_s += lots.expovariate(erlangs / HANDLE_S)
        begin_s = max(at_s, free_s[0])
        left_s = at_s + lots.expovariate(1 / patience_s) if patience_s else begin_s
        if begin_s <= left_s:
            heapreplace(free_s, begin_s + lots.expovariate(1 / HANDLE_S))
        # Decided once: at the answer, or at the deadline.
        if min(begin_s, left_s) - at_s > WITHIN_S:
            decided.append((at_s + WITHIN_S, True))
        elif begin_s <= left_s:
            decided.append((begin_s, False))
    decided.sort()
    return decided


def load_for(agents: int, objective: float, patience_s: float) -> float:
    """Return the offered load at which exactly the objective is kept, found by simulation."""
    low, high = agents * 0.2, agents * 1.5
    for _ in range(12):
        middle = (low + high) / 2
        length_s = 150_000 * HANDLE_S / middle
        decided = decide_calls(agents, middle, patience_s, length_s, random.Random(1))
        kept = 1 - sum(late for _, late in decided) / len(decided)
        low, high = (middle, high) if kept > objective else (low, middle)
    return low


def burns_of(objective: int) -> list[Burn]:
    """Return the pages of a promise, as the generator makes them for a ten-hour day."""
    budget = 100 - objective
    burns = []
    for pair in PAIRS:
        if pair.severity == "page":
            asked = pair.share * DAY_MIN / pair.long * Fraction(budget, 100)
            threshold = min(asked, THRESHOLD_MAX)
            guard = least_contacts(budget, threshold, pair.chance)
            burns.append(Burn("q", "p", pair, "t", threshold, guard, pair.share, objective))
    return burns


def count_pages(decided: Sequence[tuple[float, bool]], burns: list[Burn]) -> list[str]:
    """Return the pages of one day, which begins at `WARM_S`."""
    watch, pages, place = BurnWatch(burns), [], 0
    counts = [0, 0]
    for minute in range(DAY_MIN):
        until_s = WARM_S + (minute + 1) * 60
        while place < len(decided) and decided[place][0] <= until_s:
            counts[decided[place][1]] += decided[place][0] > WARM_S
            place += 1
        calls = watch.look(minute * 60_000, {("q", "p"): (counts[0], counts[1])})
        pages += [call.burn.pair.name for call in calls if not call.over]
    return pages


def pages_a_week(agents: int, objective: int, patience_s: float, weeks: int) -> str:
    """Return calls an hour, fast and slow pages a week; then the same if chance alone broke."""
    burns = burns_of(objective)
    erlangs = load_for(agents, objective / 100, patience_s)
    lots = random.Random(objective * 1_000 + agents)
    queued: list[str] = []
    drawn: list[str] = []
    for _ in range(weeks * DAYS_A_WEEK):
        decided = decide_calls(agents, erlangs, patience_s, WARM_S + DAY_MIN * 60, lots)
        queued += count_pages(decided, burns)
        mixed = [(at_s, lots.random() * 100 >= objective) for at_s, _ in decided]
        drawn += count_pages(mixed, burns)
    told = [pages.count(n) / weeks for pages in (queued, drawn) for n in ("fast", "slow")]
    calls = erlangs * 3_600 / HANDLE_S
    return f"{calls:.0f} | " + " | ".join(f"{number:.2f}" for number in told)


def main() -> None:
    """Print a row for each promise and size of team."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--weeks", type=int, default=100)
    weeks = parser.parse_args().weeks
    sys.stdout.write(
        "| promise | agents | patience | calls an hour | fast | slow | fast, by chance | slow |\n"
        "|---|---|---|---|---|---|---|---|\n"
    )
    for objective in (80, 90, 95):
        for agents in (5, 20, 60):
            for patience_s in (0.0, 180.0):
                row = pages_a_week(agents, objective, patience_s, weeks)
                patience = f"{patience_s:.0f} s" if patience_s else "endless"
                sys.stdout.write(f"| {objective} % in 20 s | {agents} | {patience} | {row} |\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
