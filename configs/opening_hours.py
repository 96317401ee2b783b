"""Make a calendar's table: weekly hours, holidays and exceptions into open stretches in UTC.

A day's hours come from the first that names it: an exception, the iCalendar file, a workday moved
to it, a holiday, its weekday. A stretch opens when the local clock first shows the opening time,
and closes when it first shows the closing time; a time that the clock skips is the instant of the
jump (`configs.zones`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from configs.holiday_tables import HolidayTable, UnknownCountryError, look_up
from configs.ical import ClosedDays, IcalError, read_closed_days
from configs.weekly_hours import MINUTE_MS, HoursError, Span, Week, parse_spans, parse_week
from configs.zones import LocalClock, load_zone, local_clock, rules_version, zone_names
from router.center import Calendar, CalendarDefinition, DayKind, NamedDay, OpeningTable
from router.problems import Path as ValuePath
from router.problems import Problem, suggest
from router.ranges import CALENDAR_YEARS, CALENDAR_YEARS_MAX

_EPOCH: Final = date(1970, 1, 1)
_DAY: Final = timedelta(days=1)
_DAY_MS: Final = 86_400_000


def compile_calendars(
    definitions: Mapping[str, CalendarDefinition], directory: Path
) -> tuple[dict[str, Calendar], list[Problem]]:
    """Return the calendars with their tables, and what is wrong with them or doubtful.

    `directory` holds the iCalendar files. A calendar with an error has an empty table.
    """
    calendars: dict[str, Calendar] = {}
    problems: list[Problem] = []
    for name, definition in definitions.items():
        maker = _Maker(("calendars", name), definition, directory)
        table = maker.table()
        problems += maker.problems
        parts = {part.name: getattr(definition, part.name) for part in fields(CalendarDefinition)}
        calendars[name] = Calendar(**parts, table=table)
    return calendars, problems


@dataclass
class _Maker:
    """Make the table of one calendar; `problems` keeps what was found on the way."""

    path: ValuePath
    definition: CalendarDefinition
    directory: Path
    problems: list[Problem] = field(default_factory=list)

    def has_failed(self) -> bool:
        """Say whether an error was found."""
        return any(not problem.warning for problem in self.problems)

    def error(self, *path: str | int, message: str, near: str = "", at_key: bool = False) -> None:
        self.problems.append(Problem((*self.path, *path), message, near, at_key=at_key))

    def warn(self, *path: str | int, message: str) -> None:
        self.problems.append(Problem((*self.path, *path), message, warning=True))

    def table(self) -> OpeningTable:
        """Return the table; an empty one after an error."""
        self.check_zone()
        self.check_years()
        week = self.week()
        exceptions = self.exceptions()
        if self.has_failed():
            return OpeningTable()
        years = self.definition.years
        sources: list[str] = []
        holidays = self.holidays(years, sources)
        closures = self.closures(years, sources)
        if self.has_failed():
            return OpeningTable()
        days = _Days(week, exceptions, closures.days, holidays.closed, self.worked(week, holidays))
        clock = local_clock(load_zone(self.definition.zone), years[0], years[-1])
        return _compile(days, clock, years, tuple(sources))

    # --- what is written --------------------------------------------------------------

    def check_zone(self) -> None:
        zone = self.definition.zone
        if zone not in zone_names():
            near = suggest(zone, zone_names())
            self.error(
                "zone", message=f'no time zone "{zone[:80]}"; write for example Asia/Shanghai',
                near=near,
            )  # fmt: skip

    def check_years(self) -> None:
        years = self.definition.years
        low, high = CALENDAR_YEARS
        if not years:
            self.error("years", message="holds for no year; write for example [2026, 2027]")
        if len(years) > CALENDAR_YEARS_MAX:
            message = f"{len(years)} years; a calendar holds for {CALENDAR_YEARS_MAX} at most"
            self.error("years", message=message)
        for index, year in enumerate(years):
            if not low <= year <= high:
                message = f"{year} is out of range; must be from {low} to {high}"
                self.error("years", index, message=message)
            elif index and year != years[index - 1] + 1:
                message = f"{year} does not follow {years[index - 1]}; years are in order, no gaps"
                self.error("years", index, message=message)

    def week(self) -> Week:
        try:
            week = parse_week(self.definition.hours)
        except HoursError as error:
            for fault in error.faults:
                self.error(
                    "hours", *fault.path, message=fault.message, near=fault.near,
                    at_key=fault.at_key,
                )  # fmt: skip
            return ((),) * 7
        return week

    def exceptions(self) -> dict[date, tuple[tuple[Span, ...], str]]:
        found: dict[date, tuple[tuple[Span, ...], str]] = {}
        for index, exception in enumerate(self.definition.exceptions):
            try:
                day = _date_of(exception.date)
            except ValueError:
                message = f'"{exception.date[:40]}" is no date; write for example 2026-12-24'
                self.error("exceptions", index, "date", message=message)
                continue
            if day in found:
                message = f"{day} stands here twice; keep one"
                self.error("exceptions", index, "date", message=message)
            elif self.definition.years and day.year not in self.definition.years:
                message = f"{day} is outside the calendar's years, so it has no effect"
                self.warn("exceptions", index, "date", message=message)
            try:
                spans = parse_spans(exception.hours)
            except HoursError as error:
                for fault in error.faults:
                    self.error("exceptions", index, "hours", *fault.path, message=fault.message)
                continue
            found[day] = spans, exception.name or "as configured"
        return found

    def holidays(self, years: tuple[int, ...], sources: list[str]) -> HolidayTable:
        wanted = self.definition.holidays
        if not wanted.country:
            if wanted.subdivision:
                self.error("holidays", "subdivision", message="needs a country; add country")
            return HolidayTable({}, {}, (), "")
        try:
            table = look_up(wanted.country, wanted.subdivision, years)
        except UnknownCountryError as error:
            written = getattr(wanted, error.field)
            near = suggest(written.upper(), error.known)
            self.error("holidays", error.field, message=str(error), near=near)
            return HolidayTable({}, {}, (), "")
        for doubt in table.doubts:
            self.warn("holidays", "country", message=doubt)
        sources.append(table.source)
        return table

    def closures(self, years: tuple[int, ...], sources: list[str]) -> ClosedDays:
        name = self.definition.holidays.ical
        if not name:
            return ClosedDays({}, 0)
        if Path(name).name != name:
            message = f'"{name[:80]}" is not beside the other files; give the name of one that is'
            self.error("holidays", "ical", message=message)
            return ClosedDays({}, 0)
        try:
            found = read_closed_days(self.directory / name, years)
        except IcalError as error:
            self.error("holidays", "ical", message=str(error))
            return ClosedDays({}, 0)
        if found.left_out:
            message = f"{found.left_out} entries with a time of day (or no date) are left out"
            self.warn("holidays", "ical", message=f"{message}; only whole days are read")
        if not found.days:
            self.warn("holidays", "ical", message="names no day in the calendar's years")
        sources.append(name)
        return found

    def worked(self, week: Week, table: HolidayTable) -> dict[date, tuple[tuple[Span, ...], str]]:
        """Return the moved workdays with their hours: those of the weekday they stand for."""
        if not self.definition.holidays.moved_workdays:
            return {}
        moved = {}
        usual = next(spans for spans in week if spans)
        for day, stands_for in table.worked.items():
            spans = usual if stands_for is None else week[stands_for.weekday()]
            name = "in lieu" if stands_for is None else f"in lieu of {stands_for}"
            moved[day] = spans or week[day.weekday()], name
        return moved


@dataclass(frozen=True)
class _Days:
    """Know the hours of every date, and why they are not those of the week."""

    week: Week
    exceptions: Mapping[date, tuple[tuple[Span, ...], str]]
    closures: Mapping[date, str]
    holidays: Mapping[date, str]
    worked: Mapping[date, tuple[tuple[Span, ...], str]]

    def of(self, day: date) -> tuple[tuple[Span, ...], DayKind | None, str]:
        if day in self.exceptions:
            spans, name = self.exceptions[day]
            return spans, DayKind.EXCEPTION, name
        if day in self.closures:
            return (), DayKind.HOLIDAY, self.closures[day]
        if day in self.worked:
            spans, name = self.worked[day]
            return spans, DayKind.MOVED_WORKDAY, name
        if day in self.holidays:
            return (), DayKind.HOLIDAY, self.holidays[day]
        return self.week[day.weekday()], None, ""


def _compile(
    days: _Days, clock: LocalClock, years: tuple[int, ...], sources: tuple[str, ...]
) -> OpeningTable:
    first, end = date(years[0], 1, 1), date(years[-1] + 1, 1, 1)
    from_ms, to_ms = _start_of(clock, first), _start_of(clock, end)
    stretches: list[tuple[int, int]] = []
    workdays: list[tuple[int, int]] = []
    named: list[NamedDay] = []
    # The night shift of the last day before the years runs into them.
    before = first - _DAY
    stretches += _stretches(clock, before, days.week[before.weekday()])
    for number in range((end - first).days):
        day = first + number * _DAY
        spans, kind, name = days.of(day)
        own = list(_stretches(clock, day, spans))
        stretches += own
        starts_ms, ends_ms = _start_of(clock, day), _start_of(clock, day + _DAY)
        if own:
            workdays.append((starts_ms, min(max(closes for _, closes in own), to_ms)))
        if kind is not None and starts_ms < ends_ms:
            named.append(
                NamedDay(
                    date=day.isoformat(), kind=kind, name=name, from_ms=starts_ms, to_ms=ends_ms
                )
            )
    cut = ((max(opens, from_ms), min(closes, to_ms)) for opens, closes in stretches)
    return OpeningTable(
        from_ms=from_ms,
        to_ms=to_ms,
        open_ms=_merged(sorted((opens, closes) for opens, closes in cut if opens < closes)),
        workdays_ms=tuple(workdays),
        offsets_ms=clock.offsets_ms,
        named=tuple(named),
        tz_version=rules_version(),
        sources=sources,
    )


def _start_of(clock: LocalClock, day: date) -> int:
    return clock.first_instant_ms((day - _EPOCH).days * _DAY_MS)


def _stretches(clock: LocalClock, day: date, spans: tuple[Span, ...]) -> Iterator[tuple[int, int]]:
    """Yield the open stretches that begin on a date; those that the clock skips are none."""
    midnight_ms = (day - _EPOCH).days * _DAY_MS
    for opens, closes in spans:
        opens_ms = clock.first_instant_ms(midnight_ms + opens * MINUTE_MS)
        closes_ms = clock.first_instant_ms(midnight_ms + closes * MINUTE_MS)
        if opens_ms < closes_ms:
            yield opens_ms, closes_ms


def _merged(stretches: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Join stretches that touch or overlap."""
    merged: list[tuple[int, int]] = []
    for opens_ms, closes_ms in stretches:
        if merged and opens_ms <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], closes_ms)
        else:
            merged.append((opens_ms, closes_ms))
    return tuple(merged)


def _date_of(text: str) -> date:
    """Return the date of `2026-12-24`; raises ValueError for any other form."""
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError(text)
    return day
