"""Read one scenario file, strictly: every mistake at once, each with its place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from configs.durations import DurationError, parse_clock
from configs.findings import ConfigError, Finding
from configs.origins import Origins
from configs.planning import ScenarioFile
from configs.settling import Path as ValuePath
from configs.settling import Plain, Settler, plain
from configs.validation import validate
from configs.yaml_reader import Mapping, YamlError, read_yaml

__all__ = ["CLOCKS", "OPTIONAL_CLOCKS", "LoadedScenarioFile", "read_scenario_file"]

# Fields that hold a time of day, wherever they stand.
CLOCKS: Final = frozenset({"opens", "closes", "start", "end", "until", "earliest", "latest"})
OPTIONAL_CLOCKS: Final = frozenset({"latest"})


@dataclass(frozen=True)
class LoadedScenarioFile:
    """A scenario file that could be read, and where each of its values stands."""

    path: Path
    file: ScenarioFile
    origins: Origins
    written: frozenset[str]


def read_scenario_file(path: Path) -> LoadedScenarioFile:
    """Return what a scenario file says; raises `ConfigError` with every error."""
    try:
        root = read_yaml(path)
    except YamlError as error:
        raise ConfigError(
            [Finding(fault.place, "", fault.message) for fault in error.faults]
        ) from error
    settler = Settler()
    settled = settler.settle(root, ScenarioFile)
    assert isinstance(settled, Mapping), "settling keeps the form"
    origins = Origins(settled)
    values = plain(settled)
    validation = validate(ScenarioFile, values, origins)
    findings = settler.findings + validation.findings + _clock_findings(values, origins)
    if validation.files is not None and not findings:
        findings += _required(validation.files, values, origins)
    if findings or validation.files is None:
        raise ConfigError(findings)
    return LoadedScenarioFile(path, validation.files, origins, frozenset(values))


def _clock_findings(values: Plain, origins: Origins, path: ValuePath = ()) -> list[Finding]:
    """Find every time of day that is none."""
    parts: list[tuple[str | int, Plain]]
    if isinstance(values, list):
        parts = list(enumerate(values))
    elif isinstance(values, dict):
        parts = list(values.items())
    else:
        return []
    findings = []
    for name, value in parts:
        here = (*path, name)
        if name in CLOCKS and isinstance(value, str):
            if not value and name in OPTIONAL_CLOCKS:
                continue
            try:
                parse_clock(value)
            except DurationError as error:
                findings.append(Finding(origins.place(here), origins.spelling(here), str(error)))
        elif path[:1] != ("costs",):
            findings += _clock_findings(value, origins, here)
    return findings


def _required(file: ScenarioFile, values: Plain, origins: Origins) -> list[Finding]:
    """Check what a file must have: all of a scenario, or a base and what differs from it."""
    whole = Finding(origins.root.place, "", "")
    found: list[Finding] = []

    def say(message: str, *path: str) -> None:
        place = origins.place(path, at_key=True) if path else whole.place
        found.append(Finding(place, origins.spelling(path), message))

    if file.base:
        allowed = {"name", "base", "changes", "target", "targets"}
        for name in sorted(set(values) - allowed):
            say("a scenario with a base says what differs under changes (replace: ...)", name)
        return found
    for name in ("center", "date", "demand"):
        if not values.get(name):
            say(f'"{name}" is missing; a scenario without a base needs it')
    if file.date:
        try:
            date.fromisoformat(file.date)
        except ValueError:
            say(f'"{file.date}" is no date; write for example 2026-03-10', "date")
    try:
        ZoneInfo(file.zone)
    except (ZoneInfoNotFoundError, ValueError):
        say(f'no time zone "{file.zone}"; write one of the IANA list, as Europe/Berlin', "zone")
    return found
