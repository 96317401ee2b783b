"""Read a scenario: a file, a file with a base and changes, or a centre that comes with one."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

import configs
from configs.findings import ConfigError, Finding
from configs.loader import LoadedCenter, load_center
from configs.origins import Origins
from configs.planning import Group, Scenario
from configs.scenarios import LoadedScenarioFile, read_scenario_file
from configs.yaml_reader import Place
from simulation.plan.changes import ChangeError, apply_change
from simulation.plan.checks import check_scenario
from simulation.plan.recorded_arrivals import read_arrivals

SHIPPED: Final = Path(configs.__file__).parent / "scenarios"
_BASES_MAX: Final = 20


def load_scenario(path: Path) -> Scenario:
    """Return the scenario of a file, of a centre's directory, or of a shipped name.

    A directory (or a name like `sample`) stands for the scenario that is shipped for it, or that
    lies in `scenarios/` beside it under its name. Raises `ConfigError` with every error.
    """
    return _load(find_scenario(path), 0)


def find_scenario(path: Path) -> Path:
    """Return the scenario file that a path or a name means; raises `ConfigError`."""
    if path.is_file():
        return path
    name = f"{path.name}.yaml"
    nearby = [path / "scenario.yaml", path.parent / "scenarios" / name, SHIPPED / name]
    for candidate in nearby:
        if candidate.is_file():
            return candidate
    known = ", ".join(sorted(found.stem for found in SHIPPED.glob("*.yaml")))
    raise ConfigError(
        [
            Finding(
                Place(str(path), 1, 1),
                "",
                "no scenario file, and no centre with one beside it; give a scenario file, or "
                f"one of: {known}",
            )
        ]
    )


def pointer_to(scenario: Path, directory: Path) -> str:
    """Return how a scenario file in `directory` names this one as its base.

    By name where it is shipped, else by the way from there: both may move together.
    """
    found = find_scenario(scenario).resolve()
    if found.parent == SHIPPED.resolve():
        return found.stem
    return Path(os.path.relpath(found, directory.resolve())).as_posix()


def _load(path: Path, depth: int) -> Scenario:
    loaded = read_scenario_file(path)
    if depth > _BASES_MAX:
        raise _error(loaded, ("base",), "bases that lead in a circle, or more than 20 of them")
    if loaded.file.base:
        scenario = _load(find_scenario(path.parent / loaded.file.base), depth + 1)
        scenario = replace(scenario, name=loaded.file.name)
        if "target" in loaded.written:
            scenario = replace(scenario, target=loaded.file.target)
        if "targets" in loaded.written:
            scenario = replace(scenario, targets=loaded.file.targets)
    else:
        scenario = _whole(loaded)
    for number, change in enumerate(loaded.file.changes):
        try:
            scenario = apply_change(scenario, change)
        except ChangeError as error:
            raise _error(loaded, ("changes", number), str(error)) from error
    problems = check_scenario(scenario)
    if problems:
        raise ConfigError(
            [
                Finding(
                    loaded.origins.place(problem.path, at_key=problem.at_key),
                    loaded.origins.spelling(problem.path),
                    problem.message,
                    problem.suggestion,
                )
                for problem in problems
            ]
        )
    return scenario


def _error(loaded: LoadedScenarioFile, path: tuple[str | int, ...], message: str) -> ConfigError:
    origins: Origins = loaded.origins
    return ConfigError([Finding(origins.place(path), origins.spelling(path), message)])


def _whole(loaded: LoadedScenarioFile) -> Scenario:
    """Return the scenario of a file without a base: its centre, its groups, its records."""
    file = loaded.file
    directory = loaded.path.parent / file.center
    if not directory.is_dir():
        raise _error(
            loaded,
            ("center",),
            f'no directory "{directory}"; write the centre\'s, as seen from this file',
        )
    center = load_center(directory)
    parts = {part.name: getattr(file, part.name) for part in fields(Scenario)}
    scenario = Scenario(**{**parts, "center": center.center})
    workforce = {name: _with_members(center, name, group) for name, group in file.workforce.items()}
    scenario = replace(scenario, workforce=workforce)
    demand = dict(file.demand)
    for name, part in demand.items():
        if part.recorded and part.category in center.center.categories:
            try:
                demand[name] = replace(
                    part,
                    arrivals_ms=read_arrivals(loaded.path.parent / part.recorded, scenario, part),
                )
            except ValueError as error:
                raise _error(loaded, ("demand", name, "recorded"), str(error)) from error
    return replace(scenario, demand=demand)


def _with_members(center: LoadedCenter, name: str, group: Group) -> Group:
    """Name the agents of a group after the centre's agent group of this name."""
    if group.members or group.skills:
        return group
    members = tuple(
        agent_id for agent_id, origin in center.origins.group_of.items() if origin == name
    )
    return replace(group, members=members)
