"""Describe what a budget assumes, and an investment; read from YAML files, strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from configs.findings import ConfigError, Finding
from configs.origins import Origins
from configs.settling import Settler, plain
from configs.validation import validate
from configs.yaml_reader import Mapping, YamlError, read_yaml

_CLOSED = {"extra": "forbid"}
_month = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII).fullmatch

T = TypeVar("T", "Assumptions", "Investment")


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """Say how the budget's months differ from the scenario's day.

    `growth_per_year` of volume counts from the first month. `season` holds a factor of each
    calendar month, January first (none: all 1). `working_days` likewise; without them weekdays
    are counted, holidays of `country` (ISO 3166-1, with `-region`) left out. `wage_rises` (share
    by month, "2026-04": 0.03) hold from their month on; other prices follow
    `inflation_per_year`. With `heads_follow_volume` staff grows with the contacts a day, else it
    stays as the scenario has it. `standard_cost` of a contact by channel, fixed items apart;
    none: worked out of the ledger, or of the drivers.
    """

    __pydantic_config__ = _CLOSED

    growth_per_year: float = 0.0
    season: tuple[float, ...] = ()
    working_days: tuple[float, ...] = ()
    country: str = ""
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
    if path is None:
        return Assumptions()
    found, origins = _read(Assumptions, path)
    problems: list[tuple[tuple[str | int, ...], str]] = [
        ((name,), f"has {len(values)} numbers; give one a calendar month, January first: 12")
        for name, values in (("season", found.season), ("working_days", found.working_days))
        if values and len(values) != 12
    ]
    problems += [
        (("wage_rises", month), f'"{month}" is no month; write 2026-04')
        for month in found.wage_rises
        if not _month(month)
    ]
    numbers = {
        "growth_per_year": found.growth_per_year,
        "inflation_per_year": found.inflation_per_year,
    }
    problems += [
        ((name,), f"{value} is a share a year: .05 is five percent")
        for name, value in numbers.items()
        if not -0.9 <= value <= 3
    ]
    if any(value < 0 for value in (*found.season, *found.working_days)):
        problems.append((("season",), "season and working_days hold no negative numbers"))
    _refuse(problems, origins)
    return found


def read_investment(path: Path) -> Investment:
    """Return the investment of a file; raises `ConfigError`."""
    found, origins = _read(Investment, path)
    shares = {
        "deflects": found.deflects,
        "handle_time": found.handle_time,
        "breaches": found.breaches,
    }
    problems: list[tuple[tuple[str | int, ...], str]] = [
        ((name,), f"{value} is a share: from 0 to 1")
        for name, value in shares.items()
        if not 0 <= value <= 1
    ]
    if not 1 <= found.months <= 600:
        problems.append((("months",), f"{found.months}: an investment runs from 1 to 600 months"))
    if not -0.5 < found.discount_per_year <= 5:
        problems.append((("discount_per_year",), "is a share a year: .08 is eight percent"))
    _refuse(problems, origins)
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


def _refuse(problems: list[tuple[tuple[str | int, ...], str]], origins: Origins) -> None:
    if problems:
        raise ConfigError(
            [
                Finding(origins.place(path), origins.spelling(path), message)
                for path, message in problems
            ]
        )
