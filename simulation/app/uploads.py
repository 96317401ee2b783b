"""Take what a planner hands in: a scenario file, or a history to fit one to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from configs.findings import ConfigError
from configs.planning import Scenario
from configs.scenarios import read_scenario_file
from simulation.plan.reading import find_scenario, load_scenario

TABLES: Final = (".csv", ".xlsx", ".xls", ".ods", ".txt")
_BASES_MAX: Final = 20
_POINTER: Final = re.compile(r"^(?P<key>center|base): *(?P<path>[^#\n]+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Refusal:
    """One value that was refused: where it stands, what it is, and why."""

    row: int
    column: str
    value: str
    message: str


@dataclass(frozen=True)
class HandedIn:
    """What became of a file: a scenario, or why not; values refused, notes about the rest.

    `text` is the scenario's file, its centre or base by its whole path.
    """

    scenario: Scenario | None
    path: Path | None
    problem: str = ""
    text: str = ""
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()


def take(
    name: str, body: bytes, folder: Path, beside: Path, *, keep_good: bool = False
) -> HandedIn:
    """Take a file that was handed in under `name`; `folder` is where copies are kept.

    `beside` is the scenario on the desk: a scenario's relative paths are seen from its directory,
    a history is fitted to its centre. With `keep_good` the rows that are fine are fitted although
    others were refused.
    """
    safe = re.sub(r"[^\w.-]", "-", Path(name).name) or "file"
    copy = folder / safe
    copy.write_bytes(body)
    if copy.suffix.lower() in {".yaml", ".yml"}:
        return _take_scenario(copy, beside)
    if copy.suffix.lower() in TABLES:
        return _take_history(copy, beside, keep_good=keep_good)
    known = ", ".join((".yaml", *TABLES))
    return HandedIn(None, None, f"{safe}: neither scenario nor table; hand in one of {known}")


def _take_scenario(copy: Path, beside: Path) -> HandedIn:
    """Load a scenario; its centre or base lies where that of the one on the desk does."""
    try:
        text = copy.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return HandedIn(None, None, f"{copy.name}: not UTF-8")

    text = _placed(text, beside.parent)
    copy.write_text(text, encoding="utf-8")
    try:
        return HandedIn(load_scenario(copy), copy, text=text)
    except ConfigError as error:
        return HandedIn(None, None, str(error))


def _placed(text: str, folder: Path) -> str:
    """Return a scenario's text with its centre or base by the whole path, seen from a folder."""

    def whole(found: re.Match[str]) -> str:
        there = folder / found["path"].strip("\"'")
        return f"{found['key']}: {there.resolve()}" if there.exists() else found[0]

    return _POINTER.sub(whole, text)


def _take_history(copy: Path, beside: Path, *, keep_good: bool) -> HandedIn:
    from simulation.fit.fitting import fit_history  # noqa: PLC0415 - loads scipy.stats
    from simulation.fit.local_time import TimeError  # noqa: PLC0415 - as above
    from simulation.fit.planning_files import (  # noqa: PLC0415 - as above
        Options,
        read_planning_file,
        write_csv,
    )
    from simulation.fit.reading import Reading, read_history  # noqa: PLC0415 - as above
    from simulation.fit.tables import TableError  # noqa: PLC0415 - as above
    from simulation.fit.writing import WritingOptions, write_scenario  # noqa: PLC0415 - as above

    scenario = load_scenario(beside)
    options = Options(zone=scenario.zone)
    refusals: tuple[Refusal, ...] = ()
    try:
        imported = read_planning_file(copy, options)
        refusals = tuple(
            Refusal(fault.row, fault.column, fault.value, fault.message)
            for fault in imported.faults
        )
        source = copy
        if refusals and not keep_good:
            problem = f"{copy.name}: {len(refusals)} values refused"
            return HandedIn(None, None, problem, refusals=refusals)
        if refusals:
            source = copy.with_name(f"{copy.stem}-good.csv")
            write_csv(imported, source)
        history = read_history(source, Reading(options=options), scenario.center)
        path = copy.with_name(f"{copy.stem}.yaml")
        minutes = scenario.interval_ms // 60_000
        notes = write_scenario(
            fit_history(history),
            history,
            scenario.center,
            WritingOptions(path=path, center=center_of(beside), interval=minutes),
        )
        text = _placed(path.read_text(encoding="utf-8"), path.parent)
        return HandedIn(
            load_scenario(path), path, text=text, refusals=refusals,
            notes=(*history.notes, *notes),
        )  # fmt: skip
    except (TableError, TimeError, ConfigError, ValueError) as error:
        return HandedIn(None, None, str(error), refusals=refusals)


def center_of(path: Path) -> Path:
    """Return the centre's directory of a scenario file, through its bases."""
    found = find_scenario(path)
    for _ in range(_BASES_MAX):
        file = read_scenario_file(found).file
        if not file.base:
            return (found.parent / file.center).resolve()
        found = find_scenario(found.parent / file.base)
    raise ValueError(f"{path}: bases that lead in a circle")
