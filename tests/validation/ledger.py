"""Write what came out of a run as a section of the ledger: one line that sums it up, one table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.validation.verdicts import Verdict

LEDGER: Final = Path(__file__).parents[2] / "benchmarks" / "validation-ledger.md"
HEAD: Final = """# Ledger of validation by simulation

Numbers of known truth (tests/validation), played by the planner's simulator on the live core;
`make validate` appends a run. Ids are those of the JSON files in tests/validation: A.. exact, by
formula, chain or differential equation; P.. published by other simulators, with an error of theirs.

- **passes**: within four standard errors, and the standard error is as small as a full run wants it
  (0.5 % of the value, 2 or 3 % where the case says so; half of the published error for P..).
- **passes, less sharp**: within four standard errors, known to 3 % (or as well as published).
- **proves nothing**: within four standard errors, known less well than that.
- **FAILS**: off by more than four standard errors.
"""
COLUMNS: Final = """| case | figure | exact | simulated | standard error | of value | off by | |
|---|---|---|---|---|---|---|---|
"""
SAYS: Final = ("passes", "passes, less sharp", "proves nothing", "**FAILS**")


@dataclass(frozen=True)
class Played:
    """What came out of a case, and what it took."""

    name: str
    verdicts: tuple[Verdict, ...]
    days: int
    contacts: int
    cpu_s: float


def say(found: Verdict) -> str:
    """Return what a verdict says, one of `SAYS`."""
    if not found.passes:
        return SAYS[3]
    if found.is_sharp:
        return SAYS[0]
    return SAYS[1] if found.proves else SAYS[2]


def row_of(name: str, found: Verdict) -> str:
    """Return a verdict as a row of the table."""
    share = "" if not found.expected else f"{found.relative_error:.2%}"
    return (
        f"| {name} | {found.name} | {found.expected:.6g} | {found.estimate:.6g} | "
        f"{found.distance_error:.2g} | {share} | {found.off:.1f} | {say(found)} |\n"
    )


def sum_up(played: Iterable[Played]) -> str:
    """Return the line that sums a run up."""
    done = list(played)
    verdicts = [found for case in done for found in case.verdicts]
    counts = [sum(say(found) == word for found in verdicts) for word in SAYS]
    off = [found.off for found in verdicts if found.error and math.isfinite(found.off)]
    spread = math.sqrt(sum(value * value for value in off) / len(off)) if off else 0.0
    return (
        f"**{len(verdicts)} figures of {len(done)} cases and variants: {counts[0]} pass, "
        f"{counts[1]} pass less sharp, {counts[2]} prove nothing, {counts[3]} fail.** "
        f"{sum(case.contacts for case in done):,} contacts, "
        f"{sum(case.cpu_s for case in done) / 60:.0f} minutes of CPU; the distances have a root "
        f"mean square of {spread:.2f} (1.00 if all errors are told as they are).\n"
    )


def section(title: str, played: Iterable[Played]) -> str:
    """Return a run as a section of the ledger."""
    done = list(played)
    rows = "".join(row_of(case.name, found) for case in done for found in case.verdicts)
    return f"\n## {title}\n\n{sum_up(done)}\n{COLUMNS}{rows}"


def append(text: str, ledger: Path = LEDGER) -> None:
    """Append a section to the ledger."""
    fresh = not ledger.exists()
    with ledger.open("a", encoding="utf-8") as out:
        out.write((HEAD if fresh else "") + text)
