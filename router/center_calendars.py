"""Describe opening hours, as people write them and as a table in UTC: words of the configuration.

Whoever uses them imports them from `router.center`, where the rest of the configuration is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

_CLOSED = {"extra": "forbid"}


class DayKind(Enum):
    """Say why a day is not what the weekly hours make it."""

    HOLIDAY = "holiday"
    MOVED_WORKDAY = "moved_workday"
    EXCEPTION = "exception"


class WhenClosed(Enum):
    """Say what happens to a contact that arrives while its queue is closed.

    `serve`: the calendar closes nothing; it only moves callbacks into its hours. Under all the
    others nobody is offered a contact of the queue while it is closed.
    """

    SERVE = "serve"
    WAIT = "wait"
    REFUSE = "refuse"
    DEFLECT = "deflect"
    OVERFLOW = "overflow"
    CALLBACK = "callback"


class AtClosing(Enum):
    """Say what happens, when a queue closes, to the contacts that wait in it."""

    KEEP = "keep"
    SERVE = "serve"
    EXPIRE = "expire"
    DEFLECT = "deflect"
    OVERFLOW = "overflow"


class WaitClock(Enum):
    """Say by which clock routing steps and the wait limit of a queue count."""

    PLAIN = "plain"
    OPEN_HOURS = "open_hours"


@dataclass(frozen=True, kw_only=True)
class Holidays:
    """Say where the holidays of a calendar come from.

    `country` is an ISO 3166-1 code. With `moved_workdays` weekend days worked in lieu have the
    hours of the weekday they stand for. `ical` is a file of all-day entries beside the others.
    """

    __pydantic_config__ = _CLOSED

    country: str = ""
    subdivision: str = ""
    moved_workdays: bool = True
    ical: str = ""


@dataclass(frozen=True, kw_only=True)
class DayException:
    """Give one local date its own hours (none: closed)."""

    __pydantic_config__ = _CLOSED

    date: str
    hours: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class CalendarDefinition:
    """Describe opening hours as people do.

    `hours` maps weekdays (`mon-fri`, `sat,sun`, `daily`) to stretches of the local clock of the
    IANA `zone` (`09:00-12:00`, `22:00-06:00`); a weekday not named is closed.
    """

    __pydantic_config__ = _CLOSED

    zone: str
    hours: dict[str, tuple[str, ...]]
    years: tuple[int, ...]
    holidays: Holidays = Holidays()
    exceptions: tuple[DayException, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NamedDay:
    """Name a local date whose hours have a reason of their own, and its span."""

    __pydantic_config__ = _CLOSED

    date: str
    kind: DayKind
    name: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, kw_only=True)
class OpeningTable:
    """Hold a calendar in UTC, complete: from `from_ms` to `to_ms` exactly `open_ms` is open.

    `workdays_ms`: of each date with open hours its first instant and last closing. `offsets_ms`:
    (since, local time ahead of UTC).
    """

    __pydantic_config__ = _CLOSED

    from_ms: int = 0
    to_ms: int = 0
    open_ms: tuple[tuple[int, int], ...] = ()
    workdays_ms: tuple[tuple[int, int], ...] = ()
    offsets_ms: tuple[tuple[int, int], ...] = ()
    named: tuple[NamedDay, ...] = ()
    tz_version: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Calendar(CalendarDefinition):
    """Describe opening hours with the table that the loader made of them."""

    __pydantic_config__ = _CLOSED

    table: OpeningTable
