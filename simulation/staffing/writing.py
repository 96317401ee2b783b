"""Write an answer where other programs find it: JSON, CSV, and a scenario that `plan` plays."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from configs.planning import Scenario
from simulation.plan.people import groups_of, staff_of
from simulation.plan.prepared import start_of
from simulation.staffing.certificate import Certificate


def write_answer(directory: Path, found: Certificate, scenario: Scenario, base: str) -> None:
    """Write the certificate, the staffing by interval, and the scenario with it.

    `staffing.csv` and, for shifts, `shifts.csv` are planning files (FITTING.md): `interval_start,
    group, agents` and `agent, group, start, end, break_start, break_end`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(found), indent=2, ensure_ascii=False)
    (directory / "certificate.json").write_text(text + "\n", encoding="utf-8")
    _write_rows(
        directory / "staffing.csv",
        ("interval_start", "group", "agents"),
        _staffing(found, scenario),
    )
    if found.unit == "shifts":
        write_shifts(directory, scenario, base)
        return
    _write_scenario(directory, scenario, base)


def write_shifts(directory: Path, scenario: Scenario, base: str) -> None:
    """Write each agent's shifts and breaks, and the scenario with them."""
    directory.mkdir(parents=True, exist_ok=True)
    _write_rows(
        directory / "shifts.csv",
        ("agent", "group", "start", "end", "break_start", "break_end"),
        _shifts(scenario),
    )
    _write_scenario(directory, scenario, base)


def _write_scenario(directory: Path, scenario: Scenario, base: str) -> None:
    body = scenario_text(scenario, base, f"{scenario.name}, staffed")
    (directory / "scenario.yaml").write_text(body, encoding="utf-8")


def _write_rows(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(head)
        writer.writerows(rows)


def _staffing(found: Certificate, scenario: Scenario) -> Iterable[tuple[object, ...]]:
    start = datetime.fromtimestamp(start_of(scenario) / 1000, ZoneInfo(scenario.zone))
    step = timedelta(milliseconds=scenario.interval_ms)
    for index in range(len(found.intervals)):
        at = (start + index * step).isoformat()
        for name, row in zip(groups_of(scenario), found.at_work, strict=True):
            yield at, name, f"{row[index]:g}"


def _shifts(scenario: Scenario) -> Iterable[tuple[object, ...]]:
    """Yield a row a break, or one without, for each agent who works."""
    start_ms = start_of(scenario)
    zone = ZoneInfo(scenario.zone)

    def at(offset_ms: int) -> str:
        return datetime.fromtimestamp((start_ms + offset_ms) / 1000, zone).isoformat()

    staff = staff_of(scenario)
    for member in staff.members:
        group = staff.groups[member.group]
        for stint in member.stints:
            ends = (member.agent_id, group, at(stint.start_ms), at(stint.end_ms))
            for begin, length in stint.breaks or ((-1, 0),):
                rest = ("", "") if begin < 0 else (at(begin), at(begin + length))
                yield (*ends, *rest)


def scenario_text(scenario: Scenario, base: str, name: str) -> str:
    """Return a scenario file that differs from its base by who works when."""
    lines = [f"name: {json.dumps(name, ensure_ascii=False)}", f"base: {json.dumps(base)}"]
    lines.append("changes:")
    for group, plan in groups_of(scenario).items():
        path = f"workforce.{group}"
        shifts = json.dumps([asdict(shift) for shift in plan.shifts])
        values = {
            "count": str(plan.count),
            "staffed": f"'{json.dumps(list(plan.staffed))}'",
            "shifts": f"'{shifts}'",
        }
        for field, value in values.items():
            lines.append(f"  - replace: {{{json.dumps(f'{path}.{field}')}: {value}}}")
    return "\n".join(lines) + "\n"
