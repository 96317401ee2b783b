"""Say a change on the command line: `--add care=2 --between 10:00-14:00`, `--demand +10%`.

Each option is a course: what is told of it, and the change that a scenario file would name.
`plan` takes all of them together, `compare` each by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from configs.changes import Change
from configs.durations import DurationError, parse_clock
from configs.planning import Scenario
from simulation.phrases import Phrase
from simulation.plan.changes import ChangeError, apply_change

__all__ = ["Course", "Wishes", "changed", "courses_of"]


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What was asked for, as written: every entry of `add`, `demand`, `sick`, `change` is one."""

    add: tuple[str, ...] = ()
    between: str = ""
    demand: tuple[str, ...] = ()
    sick: tuple[str, ...] = ()
    change: tuple[str, ...] = ()


@dataclass(frozen=True)
class Course:
    """One change with the words for it."""

    told: str
    change: Change


def courses_of(wishes: Wishes) -> Iterator[Course]:
    """Yield what is asked for, option by option; raises `ChangeError`."""
    if wishes.between and not wishes.add:
        raise ChangeError("--between says when those of --add are there; give --add GROUP=2")
    for text in wishes.add:
        yield _added(text, wishes.between)
    for text in wishes.demand:
        share = _percent("--demand", text, "+10% or -5%")
        yield Course(Phrase("{more:+g} % contacts", more=100 * share), Change(demand=1 + share))
    for text in wishes.sick:
        share = _percent("--sick", text, "5%")
        if not 0 <= share < 1:
            raise ChangeError(f'--sick "{text}": write 5%, from 0% to under 100%')
        yield Course(Phrase("{more:g} % more absent", more=100 * share), Change(sick=share))
    for text in wishes.change:
        path, equals, value = text.partition("=")
        if not (path and equals and value):
            raise ChangeError(f'--change "{text}": write PATH=VALUE, as workforce.care.pace=0.95')
        yield Course(text, Change(replace={path: value}))


def changed(scenario: Scenario, courses: Iterable[Course]) -> Scenario:
    """Return the scenario after these courses, named by them; raises `ChangeError`."""
    told = []
    for course in courses:
        scenario = apply_change(scenario, course.change)
        told.append(course.told)
    return replace(scenario, name=Phrase("{all}", all=tuple(told))) if told else scenario


def _added(text: str, between: str) -> Course:
    group, equals, number = text.partition("=")
    try:
        agents = int(number)
    except ValueError:
        agents = 0
    if not (group and equals and agents):
        raise ChangeError(f'--add "{text}": write GROUP=2, or GROUP=-1')
    told = f"{group} {agents:+d}"
    if not between:
        return Course(told, Change(agents={group: agents}))
    start, dash, end = between.partition("-")
    try:
        if not dash or parse_clock(start) >= parse_clock(end):
            raise ChangeError(f'--between "{between}": write 10:00-14:00')
    except DurationError as error:
        raise ChangeError(f'--between "{between}": write 10:00-14:00') from error
    when = Phrase(
        "{group} {agents:+d} from {start} to {end}",
        group=group, agents=agents, start=start, end=end,
    )  # fmt: skip
    return Course(when, Change(agents={group: agents}, start=start, end=end))


def _percent(option: str, text: str, example: str) -> float:
    number, sign, rest = text.strip().replace(",", ".").partition("%")
    try:
        share = float(number) / 100
    except ValueError as error:
        raise ChangeError(f'{option} "{text}": write {example}') from error
    if not sign or rest:
        raise ChangeError(f'{option} "{text}": write {example}')
    if not -1 <= share <= 9:
        raise ChangeError(f'{option} "{text}": must lie between -100% and +900%')
    return share
