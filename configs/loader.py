"""Load a centre from a directory of YAML files, or say everything that is wrong with them.

A directory holds any number of `*.yaml` files; together their top-level keys are the fields of
`router.center.Center` and `agent_groups`, each in one file only. Nothing is loaded unless all of
it is right; warnings do not hinder.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, TypeAlias

from configs.findings import ConfigError, Finding, in_order
from configs.opening_hours import compile_calendars
from configs.origins import Origins
from configs.settling import Settler, plain
from configs.shapes import GROUP_SIZE_MAX, CenterFiles, agents_of_group, element_of, kind_at
from configs.validation import validate
from configs.yaml_reader import Mapping, Place, YamlError, read_yaml
from router.center import Agent, Calendar, Center
from router.checks import check_center, check_values
from router.problems import Problem
from router.ranges import RANGES

__all__ = ["ConfigError", "LoadedCenter", "load_center"]

FILES_MAX: Final = 100
GROUP_DIGITS_MAX: Final = 9

ValuePath: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class LoadedCenter:
    """A valid centre, the warnings about it, and where each of its values was written."""

    center: Center
    problems: tuple[Finding, ...]
    origins: Origins


def load_center(directory: Path) -> LoadedCenter:
    """Return the centre that a directory describes; raises `ConfigError` with all errors."""
    root, findings, broken = _read_files(directory)
    settler = Settler()
    settled = settler.settle(root)
    assert isinstance(settled, Mapping), "settling keeps the form"
    findings += settler.findings
    origins = Origins(settled)
    validation = validate(CenterFiles, plain(settled), origins)
    # What an unreadable file would have said is not known to be missing.
    findings += [
        found
        for found in validation.findings
        if not (broken and found.place == root.place and not found.path)
    ]
    repaired = settler.repaired | validation.repaired
    if validation.files is not None:
        whole = {
            name: definition
            for name, definition in validation.files.calendars.items()
            if not any(path[:2] == ("calendars", name) for path in repaired)
        }
        calendars, problems = compile_calendars(whole, directory)
        findings += [_finding_of(problem, origins) for problem in problems]
        repaired |= {problem.path[:2] for problem in problems if not problem.warning}
        center, group_findings = _with_groups(validation.files, calendars, origins)
        findings += group_findings
        findings += _agreements(center, origins, repaired, broken=broken)
        if not any(not found.warning for found in findings):
            return LoadedCenter(center, in_order(findings), origins)
    raise ConfigError(findings)


def _read_files(directory: Path) -> tuple[Mapping, list[Finding], bool]:
    """Read all files into one mapping; also whether some file could not be read."""
    here = Place(str(directory), 1, 1)
    if not directory.is_dir():
        what = "is a file; give its directory" if directory.exists() else "no such directory"
        raise ConfigError([Finding(here, "", what)])
    try:
        paths = sorted(
            path
            for path in directory.iterdir()
            if path.suffix in {".yaml", ".yml"} and not path.name.startswith(".") and path.is_file()
        )
    except OSError as error:
        raise ConfigError([Finding(here, "", f"cannot be read: {error.strerror}")]) from error
    if not paths:
        raise ConfigError([Finding(here, "", "holds no *.yaml file; a centre needs at least one")])
    if len(paths) > FILES_MAX:
        raise ConfigError([Finding(here, "", f"holds more than {FILES_MAX} *.yaml files")])
    root = Mapping(Place(str(paths[0]), 1, 1))
    findings: list[Finding] = []
    broken = False
    for path in paths:
        try:
            mapping = read_yaml(path)
        except YamlError as error:
            broken = True
            findings += [Finding(fault.place, "", fault.message) for fault in error.faults]
            continue
        if not mapping.entries:
            findings.append(Finding(mapping.place, "", "holds nothing; remove it", warning=True))
        for key, entry in mapping.entries.items():
            if key in root.entries:
                other = root.entries[key].place
                message = f"stands in {other.file} too (line {other.line}); keep it in one file"
                findings.append(Finding(entry.place, key, message))
            else:
                root.entries[key] = entry
    return root, findings, broken


def _with_groups(
    files: CenterFiles, calendars: dict[str, Calendar], origins: Origins
) -> tuple[Center, list[Finding]]:
    """Write the agent groups out as agents, and remember which agent came from which."""
    findings: list[Finding] = []
    agents: dict[str, Agent] = dict(files.agents)
    for name, group in files.agent_groups.items():
        path: ValuePath = ("agent_groups", name)
        for key, value, low, high in (
            ("count", group.count, 1, GROUP_SIZE_MAX),
            ("first", group.first, 0, GROUP_SIZE_MAX),
            ("digits", group.digits, 1, GROUP_DIGITS_MAX),
        ):
            if not low <= value <= high:
                message = f"{value} is out of range; must be from {low} to {high}"
                place = origins.place((*path, key))
                findings.append(Finding(place, origins.spelling((*path, key)), message))
                break
        else:
            total = len(agents) + group.count
            limit = min(files.limits.agents, RANGES["Limits"]["agents"][1])
            if total > limit:
                message = f"makes {total} agents, but limits.agents is {limit}; raise it"
                place = origins.place((*path, "count"))
                findings.append(Finding(place, origins.spelling((*path, "count")), message))
                continue
            for agent_id, agent in agents_of_group(name, group):
                if agent_id in agents:
                    other = origins.place(("agents", agent_id), at_key=True)
                    message = f'agent "{agent_id}" exists already ({other}); change first or prefix'
                    place = origins.place(path, at_key=True)
                    findings.append(Finding(place, origins.spelling(path), message))
                    break
                agents[agent_id] = agent
                origins.group_of[agent_id] = name
    parts = {part.name: getattr(files, part.name) for part in fields(Center)}
    return Center(**{**parts, "agents": agents, "calendars": calendars}), findings


def _agreements(
    center: Center, origins: Origins, repaired: set[ValuePath], *, broken: bool
) -> list[Finding]:
    """Check what holds between values, as far as the values that were wrong allow it.

    With a whole part of the centre missing every name in it would seem unknown, so nothing is
    compared; with single values mended, only what needs the whole picture is left out.
    """
    if broken or any(len(path) == 1 and _names_others(path) for path in repaired):
        return []
    problems = check_values(center) if repaired else check_center(center)
    return [
        _finding_of(problem, origins)
        for problem in problems
        if not any(origins.written_path(problem.path)[: len(path)] == path for path in repaired)
        and not (repaired and problem.warning)
    ]


def _names_others(path: ValuePath) -> bool:
    """Say whether a part of the centre holds names that other parts point to (or is unknown)."""
    kind = kind_at(CenterFiles, path)
    return kind is None or element_of(kind) is not None


def _finding_of(problem: Problem, origins: Origins) -> Finding:
    return Finding(
        origins.place(problem.path, at_key=problem.at_key),
        origins.spelling(problem.path),
        problem.message,
        problem.suggestion,
        problem.warning,
    )
