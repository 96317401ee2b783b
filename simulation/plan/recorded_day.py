"""Record one day of a scenario as a live worker would: its journal, its metrics."""

from __future__ import annotations

from pathlib import Path

from configs.planning import Scenario
from router.journal import Entry
from simulation.journal_file import write_journal
from simulation.openmetrics import DayRecorder
from simulation.plan.day import Day
from simulation.plan.prepared import Prepared


def record_day(
    scenario: Scenario, seed: int, *, journal: Path | None, openmetrics: Path | None
) -> None:
    """Play the seed's first day (no strata) and write what is asked for.

    `journal`: JSON lines for `explain`, `replay`, `what-if`, `fit`. `openmetrics`: a sample a
    minute from the first agent to the end of the overrun, for `rehearse`.
    """
    prepared = Prepared(scenario)
    entries: list[Entry] = []
    day = Day(prepared, seed, listeners=(entries.append,))
    day.play()
    if journal is not None:
        write_journal(entries, scenario.center.name, journal)
    if openmetrics is not None:
        recorder = DayRecorder(scenario.center, prepared.start_ms + day.earliest_ms)
        for entry in entries:
            recorder.hear(entry)
        recorder.advance(prepared.start_ms + day.horizon_ms)
        recorder.write(openmetrics)
