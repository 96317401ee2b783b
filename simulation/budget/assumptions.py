"""Describe what a budget assumes, and an investment; read from YAML files, strictly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, TypeVar

from configs.findings import ConfigError, Finding
from configs.origins import Origins
from configs.settling import Settler, plain
from configs.validation import validate
from configs.weekly_hours import WEEKDAYS
from configs.yaml_reader import Mapping, YamlError, read_yaml
from router.problems import Path as Way
from router.problems import Problem, suggest

ORDINARY: Final = "ordinary"
_CLOSED = {"extra": "forbid"}
_WORK_WEEK: Final = frozenset(WEEKDAYS[:5])
_A_LEAP_YEAR: Final = "2024-"
_month = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII).fullmatch
_date = re.compile(r"(\d{4}-)?\d{2}-\d{2}", re.ASCII).fullmatch

T = TypeVar("T", "Assumptions", "Investment")


@dataclass(frozen=True, kw_only=True)
class OtherDay:
    """Describe another kind of day: the scenario it is played from, and which days are such.

    `scenario` is a path as seen from the file of assumptions, or a shipped name. Its days are
    `dates` ("2026-11-27", or "12-24" of every year), else, `on_holidays`, the holidays of the
    country that fall on a day of any kind, else its `weekdays` (`sat`). `working_days` counts
    them instead, January first: they come on top of the days that others have.
    """

    __pydantic_config__ = _CLOSED

    scenario: str
    weekdays: tuple[str, ...] = ()
    on_holidays: bool = False
    dates: tuple[str, ...] = ()
    working_days: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """Say how the budget's months differ from the scenario's day.

    `growth_per_year` of volume counts from the first month. `season` holds a factor of each
    calendar month, January first (none: all 1). `working_days` likewise; without them weekdays
    are counted, holidays of `country` (ISO 3166-1, with `-region`) left out. `other_days`, by
    name, are played from scenarios of their own; the scenario's are those from Monday to Friday
    that none of them claims. `wage_rises` (share by month, "2026-04": 0.03) hold from their month
    on; other prices follow `inflation_per_year`. With `heads_follow_volume` staff grows with the
    contacts a day, else it stays as the scenario has it. `standard_cost` of a contact by channel,
    fixed items apart; none: worked out of the ledger, or of the drivers.
    """

    __pydantic_config__ = _CLOSED

    growth_per_year: float = 0.0
    season: tuple[float, ...] = ()
    working_days: tuple[float, ...] = ()
    country: str = ""
    other_days: dict[str, OtherDay] = field(default_factory=dict)
    wage_rises: dict[str, float] = field(default_factory=dict)
    inflation_per_year: float = 0.0
    heads_follow_volume: bool = True
    standard_cost: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Investment:
    """Describe an investment: what it costs, what it saves, from when on and for how long.

    `outlay` is paid at the start, `per_month` while it runs, `residual` comes back at the end of
    `months`. Savings: `saves_per_month` in money; `deflects`, the share of contacts that no agent
    sees any more; `handle_time`, the share by which handling gets shorter; `breaches`, the share
    of penalties avoided. They grow evenly to their full size over `ramp_up_months`.
    """

    __pydantic_config__ = _CLOSED

    name: str
    outlay: dict[str, float]
    months: int = 36
    per_month: dict[str, float] = field(default_factory=dict)
    saves_per_month: dict[str, float] = field(default_factory=dict)
    deflects: float = 0.0
    handle_time: float = 0.0
    breaches: float = 0.0
    ramp_up_months: int = 0
    residual: float = 0.0
    discount_per_year: float = 0.08


def read_assumptions(path: Path | None) -> Assumptions:
    """Return a file's assumptions, the plain ones without a file; raises `ConfigError`."""
    return Assumptions() if path is None else read_with_places(path)[0]


def read_with_places(path: Path) -> tuple[Assumptions, Origins]:
    """Return a file's assumptions and where each of them stands; raises `ConfigError`."""
    found, origins = _read(Assumptions, path)
    problems = [*_calendar_problems((), found.season, "season")]
    problems += _calendar_problems((), found.working_days, "working_days")
    problems += [
        Problem(("wage_rises", month), f'"{month}" is no month; write 2026-04')
        for month in found.wage_rises
        if not _month(month)
    ]
    numbers = {
        "growth_per_year": found.growth_per_year,
        "inflation_per_year": found.inflation_per_year,
    }
    problems += [
        Problem((name,), f"{value} is a share a year: .05 is five percent")
        for name, value in numbers.items()
        if not -0.9 <= value <= 3
    ]
    problems += _other_days(found)
    refuse(problems, origins)
    return found, origins


def _calendar_problems(path: Way, values: tuple[float, ...], name: str) -> Iterator[Problem]:
    if values and len(values) != 12:
        message = f"has {len(values)} numbers; give one a calendar month, January first: 12"
        yield Problem((*path, name), message)
    if any(value < 0 for value in values):
        yield Problem((*path, name), "holds a negative number; give 0 or more")


def _other_days(found: Assumptions) -> Iterator[Problem]:
    """Find what is wrong with the other days: each day belongs to one kind alone."""
    weekdays: dict[str, str] = {}
    dates: dict[str, str] = {}
    on_holidays = ""
    for name, other in found.other_days.items():
        path = ("other_days", name)
        if name == ORDINARY:
            message = f'"{ORDINARY}" are the days of the scenario itself; take another name'
            yield Problem(path, message, at_key=True)
        by_date = bool(other.weekdays or other.on_holidays or other.dates)
        if by_date == bool(other.working_days):
            yield Problem(
                path,
                "give either working_days, or which days they are: weekdays, dates, on_holidays",
                at_key=True,
            )
        yield from _calendar_problems(path, other.working_days, "working_days")
        yield from _weekdays(path, other, weekdays)
        yield from _dates(path, other, dates)
        if other.on_holidays:
            if not found.country:
                yield Problem((*path, "on_holidays"), "needs a country; write country: DE")
            if on_holidays:
                message = f'"{on_holidays}" has the holidays already; leave them to one'
                yield Problem((*path, "on_holidays"), message)
            on_holidays = name
    if not found.working_days and set(weekdays) >= _WORK_WEEK:
        yield Problem(
            ("other_days",),
            "no weekday is left to the scenario itself; leave it one, or budget another scenario",
            at_key=True,
        )


def _weekdays(path: tuple[str, ...], other: OtherDay, claimed: dict[str, str]) -> Iterator[Problem]:
    for index, weekday in enumerate(other.weekdays):
        place: Way = (*path, "weekdays", index)
        if weekday not in WEEKDAYS:
            message = f'"{weekday}" is no weekday; write one of {", ".join(WEEKDAYS)}'
            yield Problem(place, message, suggest(weekday[:3], WEEKDAYS))
        elif weekday in claimed:
            message = f'"{claimed[weekday]}" has {weekday} already; leave it to one'
            yield Problem(place, message)
        claimed.setdefault(weekday, path[-1])


def _dates(path: tuple[str, ...], other: OtherDay, claimed: dict[str, str]) -> Iterator[Problem]:
    for index, written in enumerate(other.dates):
        place: Way = (*path, "dates", index)
        if not _is_date(written):
            message = f'"{written}" is no date; write 2026-11-27, or 12-24 of every year'
            yield Problem(place, message)
            continue
        for before, whose in claimed.items():
            # "12-24" is every year's, so it is also that of 2026.
            if before.endswith(written) or written.endswith(before):
                yield Problem(place, f'"{whose}" has {before} already; leave it to one')
        claimed.setdefault(written, path[-1])


def _is_date(written: str) -> bool:
    if not _date(written):
        return False
    try:
        date.fromisoformat(written if len(written) > 5 else _A_LEAP_YEAR + written)
    except ValueError:
        return False
    return True


def read_investment(path: Path) -> Investment:
    """Return the investment of a file; raises `ConfigError`."""
    found, origins = _read(Investment, path)
    shares = {
        "deflects": found.deflects,
        "handle_time": found.handle_time,
        "breaches": found.breaches,
    }
    problems = [
        Problem((name,), f"{value} is a share: from 0 to 1")
        for name, value in shares.items()
        if not 0 <= value <= 1
    ]
    if not 1 <= found.months <= 600:
        message = f"{found.months}: an investment runs from 1 to 600 months"
        problems.append(Problem(("months",), message))
    if not -0.5 < found.discount_per_year <= 5:
        message = "is a share a year: .08 is eight percent"
        problems.append(Problem(("discount_per_year",), message))
    refuse(problems, origins)
    return found


def _read(kind: type[T], path: Path) -> tuple[T, Origins]:
    try:
        root = read_yaml(path)
    except YamlError as error:
        raise ConfigError(
            [Finding(fault.place, "", fault.message) for fault in error.faults]
        ) from error
    settler = Settler()
    settled = settler.settle(root, kind)
    assert isinstance(settled, Mapping), "settling keeps the form"
    origins = Origins(settled)
    validation = validate(kind, plain(settled), origins)
    findings = settler.findings + validation.findings
    if findings or validation.files is None:
        raise ConfigError(findings)
    return validation.files, origins


def refuse(problems: Sequence[Problem], origins: Origins) -> None:
    """Raise a `ConfigError` that tells each problem with its place, if there is any."""
    if problems:
        raise ConfigError(
            [
                Finding(
                    origins.place(problem.path, at_key=problem.at_key),
                    origins.spelling(problem.path),
                    problem.message,
                    problem.suggestion,
                )
                for problem in problems
            ]
        )
