"""Say what the files may hold: the core's dataclasses, and groups of agents beside them.

`CenterFiles` is `Center` with one shorthand more (`agent_groups` describes many agents at once)
and calendars as people write them, without their tables.
Everything else here asks the dataclasses about themselves, so that a field added to the core
is known to the loader, the schema and the effective configuration without a line of their own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, Final, TypeAlias, get_args, get_origin, get_type_hints

from configs.planning import Law
from router.center import Agent, CalendarDefinition, Center, Holidays

GROUP_SIZE_MAX: Final = 100_000
DURATION_SUFFIX: Final = "_ms"

# What a type hint evaluates to: a class, or a `dict[...]`, `tuple[...]`, `X | None`.
Kind: TypeAlias = Any

_CLOSED = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class AgentGroup:
    """Describe `count` agents who differ in nothing but their number.

    The agents are called `<prefix>-<number>`, the prefix being the group's name unless given,
    numbers counting from `first` and filled with zeros to `digits`: `care-001`, `care-002` ...
    Team, skills, capacity and `channel_max` are those of each agent.
    """

    __pydantic_config__ = _CLOSED

    count: int
    team: str
    prefix: str = ""
    first: int = 1
    digits: int = 3
    skills: dict[str, int] = field(default_factory=dict)
    capacity: int = 100
    channel_max: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CenterFiles(Center):
    """Describe one centre as its files do: agents singly or in groups, calendars without tables."""

    __pydantic_config__ = _CLOSED

    calendars: dict[str, CalendarDefinition] = field(  # type: ignore[assignment]
        default_factory=dict
    )
    agents: dict[str, Agent] = field(default_factory=dict)
    agent_groups: dict[str, AgentGroup] = field(default_factory=dict)


def agents_of_group(name: str, group: AgentGroup) -> Iterator[tuple[str, Agent]]:
    """Yield the agents of a group with their ids."""
    agent = Agent(
        team=group.team,
        skills=group.skills,
        capacity=group.capacity,
        channel_max=group.channel_max,
    )
    for number in range(group.first, group.first + group.count):
        yield f"{group.prefix or name}-{number:0{group.digits}d}", agent


# A single text in the place of these stands for one of their fields.
SHORTHANDS: Final[dict[type, str]] = {Holidays: "country", Law: "mean"}


@cache
def bare(kind: Kind) -> Kind:
    """Return X for an `X | None`, anything else as it is."""
    parts = [part for part in get_args(kind) if part is not NoneType]
    return parts[0] if NoneType in get_args(kind) and len(parts) == 1 else kind


@cache
def fields_of(kind: Kind) -> dict[str, Kind]:
    """Return the fields of a dataclass with their kinds; empty for anything else."""
    kind = bare(kind)
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return {}
    hints = get_type_hints(kind)
    return {part.name: hints[part.name] for part in dataclasses.fields(kind)}


@cache
def defaults_of(kind: Kind) -> dict[str, Any]:
    """Return the defaults of a dataclass by field; a field without one is required."""
    kind = bare(kind)
    defaults: dict[str, Any] = {}
    for part in dataclasses.fields(kind):
        if part.default is not dataclasses.MISSING:
            defaults[part.name] = part.default
        elif part.default_factory is not dataclasses.MISSING:
            defaults[part.name] = part.default_factory()
    return defaults


def element_of(kind: Kind) -> Kind:
    """Return what a `dict[str, X]` or `tuple[X, ...]` holds: X; None for anything else."""
    origin: Kind = get_origin(kind)
    parts = get_args(kind)
    if origin is dict:
        return parts[1]
    if origin is tuple:
        return parts[0]
    return None


def kind_at(kind: Kind, path: tuple[str | int, ...]) -> Kind:
    """Return the kind of the value that a path leads to; None where no kind is known."""
    for name in path:
        kind = fields_of(kind).get(str(name), element_of(kind))
    return kind


def written_names(kind: Kind) -> list[str]:
    """Return the keys that a file may use for a dataclass, durations in both ways."""
    names = list(fields_of(kind))
    return names + [n.removesuffix(DURATION_SUFFIX) for n in names if n.endswith(DURATION_SUFFIX)]


def choices_of(kind: Kind) -> list[str]:
    """Return the words of an enumeration, also of an optional one; empty for anything else."""
    for part in (kind, *get_args(kind)):
        if isinstance(part, type) and issubclass(part, Enum):
            return [str(member.value) for member in part]
    return []


def placeholder_of(kind: Kind) -> str | int | list[str] | dict[str, str] | None:
    """Return a plain value that satisfies a kind, to go on checking after a mistake."""
    if NoneType in get_args(kind):
        return None
    choices = choices_of(kind)
    if choices:
        return choices[0]
    if kind is str or kind is bool:
        return kind()
    if kind is int or kind is float:
        return 1
    origin: Kind = get_origin(kind)
    return [] if origin is tuple else {}
