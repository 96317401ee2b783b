"""Play what a command was asked for: changes first, days until it suffices, or until Ctrl-C.

Only what `--help` needs is imported here; the simulator loads when something is played.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from simulation.phrases import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from configs.planning import Scenario
    from simulation.plan.courses import Course, Wishes
    from simulation.plan.replications import Progress, Report, Study, Workers


def wishes_of(
    add: list[str] | None,
    between: str,
    demand: list[str] | None,
    sick: list[str] | None,
    change: list[str] | None,
) -> Wishes | None:
    """Return what was asked to change; None when nothing was."""
    if not (add or between or demand or sick or change):
        return None
    from simulation.plan.courses import Wishes  # noqa: PLC0415 - help is quick

    return Wishes(
        add=tuple(add or ()),
        between=between,
        demand=tuple(demand or ()),
        sick=tuple(sick or ()),
        change=tuple(change or ()),
    )


def with_wishes(scenario: Scenario, wishes: Wishes | None) -> Scenario:
    """Return the scenario with all that was asked for."""
    if wishes is None:
        return scenario
    from simulation.plan.courses import courses_of  # noqa: PLC0415 - help is quick

    return _checked(scenario, lambda: [tuple(courses_of(wishes))])[0]


def each_wish(scenario: Scenario, wishes: Wishes | None) -> list[Scenario]:
    """Return a scenario for each thing that was asked for."""
    if wishes is None:
        return []
    from simulation.plan.courses import courses_of  # noqa: PLC0415 - help is quick

    return _checked(scenario, lambda: [(course,) for course in courses_of(wishes)])


def _checked(scenario: Scenario, ways: Callable[[], list[tuple[Course, ...]]]) -> list[Scenario]:
    from simulation.plan.changes import ChangeError  # noqa: PLC0415 - help is quick
    from simulation.plan.checks import check_scenario  # noqa: PLC0415 - as above
    from simulation.plan.courses import changed  # noqa: PLC0415 - as above

    try:
        found = [changed(scenario, way) for way in ways()]
    except ChangeError as error:
        raise typer.BadParameter(str(error)) from error
    for made in found:
        for problem in check_scenario(made):
            path = ".".join(map(str, problem.path))
            raise typer.BadParameter(f"{made.name}: {path}: {problem.text()}")
    return found


def play_until(
    scenario: Scenario,
    replications: int | None,
    precision: float,
    days_max: int,
    seed: int,
    crew: Workers,
) -> tuple[Study, bool]:
    """Return a study, and whether it is whole: Ctrl-C leaves the days that were played."""
    from simulation.plan.replications import RunInterruptedError  # noqa: PLC0415 - help is quick

    try:
        return _play(scenario, replications, precision, days_max, seed, crew), True
    except RunInterruptedError as stop:
        study = stop.study()
        if study is None:
            raise
        _tell_interrupted(study.days)
        return study, False


def _play(
    scenario: Scenario,
    replications: int | None,
    precision: float,
    days_max: int,
    seed: int,
    crew: Workers,
) -> Study:
    from simulation.plan.replications import run_with, strata_of  # noqa: PLC0415 - help is quick
    from simulation.plan.stopping import run_until  # noqa: PLC0415 - help is quick

    if replications:
        return run_with(crew, scenario, replications, seed, strata_of(scenario), _progress())
    return run_until(scenario, precision, days_max, seed, crew, _progress())


def play_pairs(
    loaded: list[Scenario],
    replications: int | None,
    precision: float,
    days_max: int,
    seed: int,
    crew: Workers,
) -> tuple[list[Study], bool]:
    """Return studies of the same days; after Ctrl-C of those that all of them played."""
    from simulation.plan.replications import (  # noqa: PLC0415 - help is quick
        RunInterruptedError,
        run_with,
        strata_of,
    )

    strata = max(strata_of(scenario) for scenario in loaded)
    first = _play(loaded[0], replications, precision, days_max, seed, crew)
    studies: list[Study] = []
    try:
        if first.strata != strata:
            first = run_with(crew, loaded[0], first.days, seed, strata, _progress())
        studies.append(first)
        for other in loaded[1:]:
            study = run_with(crew, other, first.days, seed, strata, _progress())
            studies.append(study)
    except RunInterruptedError as stop:
        cut = stop.study()
        if not studies or (cut is None and len(studies) < 2):
            raise
        studies = [*studies, cut] if cut is not None else studies
        days = min(study.days for study in studies)
        _tell_interrupted(days)
        return [study.first(days) for study in studies], False
    return studies, True


def _tell_interrupted(days: int) -> None:
    played = counted(days, "day")
    typer.echo(f"interrupted: the figures below are those of the {played} played", err=True)


def _progress() -> Report | None:
    """Return what tells a terminal how far a run is; nothing when nobody watches."""
    if not sys.stderr.isatty():
        return None

    def tell(progress: Progress) -> None:
        done = progress.done >= progress.total
        left = "" if done else f", {progress.left_s:.0f} s left"
        sys.stderr.write(f"\r{progress.done} of {progress.total} days{left}   ")
        if done:
            sys.stderr.write("\r" + " " * 40 + "\r")
        sys.stderr.flush()

    return tell
