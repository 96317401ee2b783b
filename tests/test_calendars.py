"""Open time: brute force on small tables, a minute-by-minute clock on real zones."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.opening_hours import compile_calendars
from configs.weekly_hours import WEEKDAYS
from configs.zones import load_zone
from router.calendar_checks import table_fault
from router.calendars import (
    BEYOND,
    DAY_MS,
    PLAIN_TIME,
    OpeningHours,
    Stretch,
    opening_hours,
    show_timeline,
    timeline,
)
from router.center import ALWAYS, CalendarDefinition, DayException, Holidays, OpeningTable
from tests.builders import desk

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ms(at: datetime) -> int:
    """Return an aware datetime as milliseconds."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def hours_of(definition: CalendarDefinition) -> OpeningHours:
    """Compile a definition that has nothing wrong."""
    calendars, problems = compile_calendars({"office": definition}, Path())
    assert problems == []
    assert table_fault(calendars["office"].table) == ""
    return OpeningHours("office", calendars["office"].table)


# --- small tables, every millisecond ------------------------------------------------------


@st.composite
def tables(draw: st.DrawFn) -> OpeningTable:
    """Draw a table over some 60 ms."""
    from_ms = draw(st.integers(-30, 30))
    edges = draw(st.lists(st.integers(0, 60), unique=True, max_size=12).map(sorted))
    edges = [from_ms + edge for edge in edges[: len(edges) // 2 * 2]]
    pairs = tuple(zip(edges[::2], edges[1::2], strict=True))
    return OpeningTable(from_ms=from_ms, to_ms=from_ms + 60, open_ms=pairs)


def opens_at(table: OpeningTable, at_ms: int) -> bool:
    """Say by looking whether a table is open; outside its years it is."""
    if not table.from_ms <= at_ms < table.to_ms:
        return True
    return any(opens <= at_ms < closes for opens, closes in table.open_ms)


@given(tables(), st.integers(-50, 110), st.integers(-50, 110))
def test_elapsed_is_the_number_of_open_milliseconds(
    table: OpeningTable, from_ms: int, to_ms: int
) -> None:
    hours = OpeningHours("small", table)
    first, last = min(from_ms, to_ms), max(from_ms, to_ms)
    counted = sum(opens_at(table, at_ms) for at_ms in range(first, last))
    assert hours.elapsed_ms(from_ms, to_ms) == (counted if from_ms <= to_ms else -counted)


@given(tables(), st.integers(-50, 110), st.integers(0, 150))
def test_adding_ends_at_the_earliest_instant(
    table: OpeningTable, from_ms: int, duration_ms: int
) -> None:
    hours = OpeningHours("small", table)
    at_ms, left_ms = from_ms, duration_ms
    while left_ms:
        left_ms -= opens_at(table, at_ms)
        at_ms += 1
    found_ms = hours.add_ms(from_ms, duration_ms)
    assert found_ms == at_ms
    assert hours.elapsed_ms(from_ms, found_ms) == duration_ms


@given(tables(), st.integers(-50, 110))
def test_edges_are_found_by_looking(table: OpeningTable, at_ms: int) -> None:
    hours = OpeningHours("small", table)
    assert hours.is_open(at_ms) is opens_at(table, at_ms)
    far_ms = table.to_ms + 60
    opening_ms = next(t for t in range(at_ms, at_ms + 200) if opens_at(table, t))
    assert hours.next_opening_ms(at_ms) == opening_ms
    closing_ms = next((t for t in range(at_ms, far_ms) if not opens_at(table, t)), None)
    assert hours.next_closing_ms(at_ms) == closing_ms
    closed = [t for t in range(table.from_ms + 1, at_ms + 1) if not opens_at(table, t)]
    edges = [t for t in closed if opens_at(table, t - 1)]
    if table.from_ms <= at_ms < table.to_ms and not opens_at(table, at_ms):
        assert hours.last_closing_ms(at_ms) == max(edges, default=table.from_ms)


@given(tables(), st.integers(-50, 110), st.integers(0, 150))
def test_a_timeline_has_no_gap_and_adds_up(
    table: OpeningTable, start_ms: int, duration_ms: int
) -> None:
    hours = OpeningHours("small", table)
    path = timeline(hours, start_ms, duration_ms)
    end_ms = hours.add_ms(start_ms, duration_ms)
    edges = [start_ms, *(part.to_ms for part in path)]
    assert [part.from_ms for part in path] == edges[:-1]
    assert edges[-1] == end_ms
    assert sum(part.ran_ms for part in path) == duration_ms
    for part in path:
        is_open = opens_at(table, part.from_ms)
        assert part.ran_ms == (part.to_ms - part.from_ms if is_open else 0)
        assert ("closed" in part.why) is not is_open
        assert part.from_ms < part.to_ms


def test_plain_time_is_the_calendar_without_years() -> None:
    assert PLAIN_TIME.elapsed_ms(-5, 7) == 12
    assert PLAIN_TIME.add_ms(1_000, 500) == 1_500
    assert PLAIN_TIME.is_open(-1)
    assert PLAIN_TIME.is_open(0)
    assert PLAIN_TIME.next_closing_ms(10) is None
    assert timeline(PLAIN_TIME, -5, 10) == [Stretch(-5, 5, 10, "open")]
    assert PLAIN_TIME.end_of_nth_working_day(0, 1) == 2 * DAY_MS
    assert PLAIN_TIME.end_of_nth_working_day(-1, 1) == DAY_MS


# --- a clock read minute by minute -----------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """What a clock on the wall tells in a window, minute by minute from `from_ms`.

    `run` holds, before each minute, the open minutes so far; `ends` the working dates of the
    window with the instant of their last closing; `dates` the date of each minute.
    """

    from_ms: int
    open: list[bool]
    run: list[int]
    dates: list[date]
    ends: dict[date, int]


def spans_of(definition: CalendarDefinition, day: date) -> list[tuple[datetime, datetime]]:
    """Return the stretches that begin on a date, as readings of the wall clock."""
    weekday = WEEKDAYS[day.weekday()]
    texts = definition.hours.get(weekday, ())
    for exception in definition.exceptions:
        if exception.date == day.isoformat():
            texts = exception.hours
    spans = []
    for text in texts:
        start, end = text.split("-")
        midnight = datetime.combine(day, datetime.min.time())
        opens = midnight + timedelta(hours=int(start[:2]), minutes=int(start[3:]))
        closes = midnight + timedelta(hours=int(end[:2]), minutes=int(end[3:]))
        spans.append((opens, closes if closes > opens else closes + timedelta(days=1)))
    return sorted(spans)


def read_the_clock(
    definition: CalendarDefinition, zone: ZoneInfo, at: datetime, days: int
) -> Reading:
    """Watch the clock for some days: open when it first shows an opening time, and so on."""
    start = at.astimezone(zone).date() - timedelta(days=3)
    spans = [
        (span, day)
        for number in range(days + 8)
        for day in [start + timedelta(days=number)]
        for span in spans_of(definition, day)
    ]
    opened: set[int] = set()
    closed: set[int] = set()
    # Two days of watching before the window, so that first showings are really the first.
    now = at - timedelta(days=2)
    reading = Reading(ms(at), [], [0], [], {})
    today = date.min
    while now < at + timedelta(days=days):
        local = now.astimezone(zone).replace(tzinfo=None, fold=0)
        today = max(today, local.date())
        for number, (span, _) in enumerate(spans):
            if number not in closed:
                if local >= span[1]:
                    closed.add(number)
                elif local >= span[0]:
                    opened.add(number)
                else:
                    break
        live = [number for number in opened if number not in closed]
        opened = set(live)
        for number in live:
            reading.ends[spans[number][1]] = ms(now) + MINUTE_MS
        if now >= at:
            reading.open.append(bool(live))
            reading.run.append(reading.run[-1] + bool(live))
            reading.dates.append(today)
        now += timedelta(minutes=1)
    return reading


ZONES = [
    "Asia/Shanghai", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Australia/Adelaide",
    "Europe/Berlin", "Europe/Dublin", "Europe/London", "America/New_York", "America/Sao_Paulo",
    "America/Havana", "America/St_Johns", "Atlantic/Azores", "Africa/Casablanca", "Asia/Tehran",
    "Asia/Beirut", "Africa/Cairo", "America/Santiago", "Antarctica/Troll", "Pacific/Chatham",
    "Asia/Gaza", "Pacific/Apia", "Asia/Pyongyang", "UTC",
]  # fmt: skip


def changes_of(zone: ZoneInfo, year: int) -> list[datetime]:
    """Return about when the clock is changed in a year."""
    days = [datetime(year, 1, 2, tzinfo=UTC) + timedelta(days=number) for number in range(360)]
    return [
        day
        for day, after in pairwise(days)
        if day.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset()
    ]


def draw_definition(lot: random.Random, zone: str, year: int) -> CalendarDefinition:
    """Draw split shifts, night shifts, whole days and exceptions."""
    hours: dict[str, tuple[str, ...]] = {}
    for weekday in WEEKDAYS:
        shape = lot.randrange(6)
        times = sorted(lot.sample(range(0, 24 * 60, 5), 4))
        shown = [f"{minute // 60:02}:{minute % 60:02}" for minute in times]
        if shape == 0:
            hours[weekday] = ()
        elif shape == 1:
            hours[weekday] = ("00:00-24:00",)
        else:
            hours[weekday] = (f"{shown[0]}-{shown[1]}", f"{shown[2]}-{shown[3]}")
    if not any(hours.values()):
        hours["wed"] = ("00:00-02:30", "02:30-24:00")
    if lot.random() < 0.4:
        # The night shift ends before the next day's first opening.
        hours |= {"fri": ("21:30-02:30",), "sat": ("03:00-12:00",)}
    dates = lot.sample(range(1, 28), 3)
    month = lot.randrange(1, 13)
    exceptions = tuple(
        DayException(
            date=f"{year}-{month:02}-{day:02}",
            hours=lot.choice([(), ("10:00-11:30",), ("12:00-24:00",)]),
        )
        for day in dates
    )
    return CalendarDefinition(zone=zone, hours=hours, years=(year,), exceptions=exceptions)


def windows() -> Iterator[tuple[str, int, int]]:
    """Yield zone, year and seed of each window."""
    for number, zone in enumerate(ZONES):
        yield zone, 1999 + number % 30, number
        yield zone, 2026, 100 + number
    yield "America/Sao_Paulo", 2016, 200  # midnight does not exist, then 23:00 comes twice
    yield "America/St_Johns", 2006, 201  # clocks change at 00:01
    yield "Pacific/Apia", 2011, 202  # 30 December does not exist
    yield "Europe/Berlin", 2024, 203  # 29 February
    yield "Africa/Casablanca", 2025, 204  # four changes a year


@pytest.mark.parametrize(("zone_name", "year", "seed"), list(windows()))
def test_a_calendar_agrees_with_the_clock_on_the_wall(zone_name: str, year: int, seed: int) -> None:
    lot = random.Random(seed)
    zone = load_zone(zone_name)
    definition = draw_definition(lot, zone_name, year)
    hours = hours_of(definition)
    around = changes_of(zone, year) or [datetime(year, 2, 27, tzinfo=UTC)]
    begin = lot.choice(around) - timedelta(days=2)
    latest = datetime(year, 12, 22, tzinfo=UTC)
    begin = max(min(begin, latest), datetime(year, 1, 5, tzinfo=UTC)).replace(hour=0, minute=0)
    reading = read_the_clock(definition, zone, begin, 6)
    minutes = len(reading.open)
    at = reading.from_ms
    compiled = [hours.is_open(at + minute * MINUTE_MS) for minute in range(minutes)]
    assert compiled == reading.open
    for _ in range(300):
        first, last = sorted(lot.sample(range(minutes), 2))
        from_ms, to_ms = at + first * MINUTE_MS, at + last * MINUTE_MS
        run = reading.run[last] - reading.run[first]
        assert hours.elapsed_ms(from_ms, to_ms) == run * MINUTE_MS
        if run:
            wanted = lot.randint(1, run)
            minute = bisect_left(reading.run, reading.run[first] + wanted)
            assert hours.add_ms(from_ms, wanted * MINUTE_MS) == at + minute * MINUTE_MS
            short_ms = lot.randrange(MINUTE_MS)
            assert (
                hours.add_ms(from_ms, wanted * MINUTE_MS - short_ms)
                == (at + minute * MINUTE_MS - short_ms)
                or wanted * MINUTE_MS == short_ms
            )
    for _ in range(100):
        minute, n = lot.randrange(minutes), lot.randint(1, 3)
        later = sorted(day for day in reading.ends if day > reading.dates[minute])
        # What ends on the window's last day may go on after it.
        later = [day for day in later if day < reading.dates[-1] - timedelta(days=1)]
        if len(later) >= n:
            found_ms = hours.end_of_nth_working_day(at + minute * MINUTE_MS, n)
            assert found_ms == reading.ends[later[n - 1]]


# --- cases that one can check by hand ------------------------------------------------------


def wall(zone: str, *parts: int, fold: int = 0) -> int:
    """Return the instant of a reading of the clock."""
    year, month, day, hour, minute = (*parts, 0, 0)[:5]
    return ms(datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone), fold=fold))


BERLIN = "Europe/Berlin"
NIGHTS = CalendarDefinition(zone=BERLIN, hours={"daily": ("22:00-06:00",)}, years=(2026,))


def test_a_change_of_the_clock_costs_nobody_an_hour() -> None:
    hours = hours_of(NIGHTS)
    for day, length in ((28, 7), (27, 8)):  # 29 March: 02:00 becomes 03:00
        opens_ms = wall(BERLIN, 2026, 3, day, 22)
        assert hours.next_closing_ms(opens_ms) == opens_ms + length * HOUR_MS
        assert hours.add_ms(opens_ms, length * HOUR_MS) == wall(BERLIN, 2026, 3, day + 1, 6)
    opens_ms = wall(BERLIN, 2026, 10, 24, 22)  # 25 October: 03:00 becomes 02:00
    assert hours.add_ms(opens_ms, 9 * HOUR_MS) == wall(BERLIN, 2026, 10, 25, 6)


@pytest.mark.parametrize(
    ("zone", "text", "day", "opens", "closes"),
    [
        # 02:30 does not exist: open from the jump on.
        (BERLIN, "02:30-05:00", (2026, 3, 29), (1, 0), (3, 0)),
        (BERLIN, "01:00-02:30", (2026, 3, 29), (0, 0), (1, 0)),
        # 02:30 comes twice: what opens then opens at the first, what closes closes at the first.
        (BERLIN, "02:30-05:00", (2026, 10, 25), (0, 30), (4, 0)),
        (BERLIN, "01:00-02:30", (2026, 10, 25), (-1, 0), (0, 30)),
        # Lord Howe goes half an hour: 02:00 becomes 01:30 on 5 April, 02:30 on 4 October.
        ("Australia/Lord_Howe", "01:00-04:00", (2026, 4, 5), (-10, 0), (-7, 30)),
        ("Australia/Lord_Howe", "01:00-04:00", (2026, 10, 4), (-10, 30), (-7, 0)),
        ("Asia/Kolkata", "09:30-18:00", (2026, 3, 29), (4, 0), (12, 30)),
    ],
)
def test_edges_at_a_change_of_the_clock(
    zone: str, text: str, day: tuple[int, int, int], opens: tuple[int, int], closes: tuple[int, int]
) -> None:
    hours = hours_of(CalendarDefinition(zone=zone, hours={"daily": (text,)}, years=(2026,)))
    midnight_ms = ms(datetime(*day, tzinfo=UTC))
    opens_ms, closes_ms = (midnight_ms + (h * 60 + m) * MINUTE_MS for h, m in (opens, closes))
    assert hours.next_opening_ms(opens_ms - 1) == opens_ms
    assert hours.next_closing_ms(opens_ms) == closes_ms


def test_stretches_in_the_skipped_hour_are_none() -> None:
    definition = CalendarDefinition(zone=BERLIN, hours={"sun": ("02:10-02:50",)}, years=(2026,))
    hours = hours_of(definition)
    sunday_ms = wall(BERLIN, 2026, 3, 29)
    assert hours.elapsed_ms(sunday_ms, sunday_ms + DAY_MS) == 0
    assert hours.end_of_nth_working_day(sunday_ms - DAY_MS, 1) == wall(BERLIN, 2026, 4, 5, 2, 50)


OFFICE = CalendarDefinition(
    zone="Asia/Shanghai",
    hours={"mon-fri": ("09:00-12:00", "13:00-18:00")},
    years=(2026,),
    holidays=Holidays(country="CN"),
    exceptions=(DayException(date="2026-12-24", hours=("09:00-12:00",), name="Christmas Eve"),),
)


def at_office(*parts: int) -> int:
    """Return the instant of a reading of the office's clock."""
    return wall("Asia/Shanghai", *parts)


def test_the_closing_instant_is_the_deadline_not_the_next_opening() -> None:
    hours = hours_of(OFFICE)
    monday = (2026, 3, 2)
    assert hours.add_ms(at_office(*monday, 9), 3 * HOUR_MS) == at_office(*monday, 12)
    assert hours.add_ms(at_office(*monday, 9), 3 * HOUR_MS + 1) == at_office(*monday, 13) + 1
    assert hours.add_ms(at_office(*monday, 20), 1_800_000) == at_office(2026, 3, 3, 9, 30)
    assert hours.add_ms(at_office(*monday, 20), 0) == at_office(*monday, 20)
    assert not hours.is_open(at_office(*monday, 12))
    assert hours.is_open(at_office(*monday, 9))


@pytest.mark.parametrize(
    ("start", "n", "end"),
    [
        ((2026, 3, 2, 10), 1, (2026, 3, 3, 18)),  # the day itself is not counted
        ((2026, 3, 2, 23), 1, (2026, 3, 3, 18)),
        ((2026, 3, 2, 0), 1, (2026, 3, 3, 18)),  # its first instant is of the day
        ((2026, 3, 7, 10), 1, (2026, 3, 9, 18)),  # Saturday: Monday is the first
        ((2026, 3, 6, 10), 1, (2026, 3, 9, 18)),
        ((2026, 2, 13, 12), 1, (2026, 2, 14, 18)),  # a Saturday worked in lieu
        ((2026, 2, 13, 12), 2, (2026, 2, 24, 18)),  # Spring Festival
        ((2026, 12, 23, 12), 1, (2026, 12, 24, 12)),  # an exception with short hours
        ((2026, 12, 24, 12), 5, (2026, 12, 31, 18)),
    ],
)
def test_working_days(start: tuple[int, ...], n: int, end: tuple[int, ...]) -> None:
    hours = hours_of(OFFICE)
    assert hours.end_of_nth_working_day(at_office(*start), n) == at_office(*end)
    run_ms = hours.working_days_ms(at_office(*start), n)
    assert hours.add_ms(at_office(*start), run_ms) == at_office(*end)


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    hours = hours_of(NIGHTS)
    afternoon_ms = wall(BERLIN, 2026, 3, 2, 15)
    assert hours.end_of_nth_working_day(afternoon_ms, 1) == wall(BERLIN, 2026, 3, 4, 6)


def test_outside_its_years_a_calendar_is_open_and_every_day_counts() -> None:
    hours = hours_of(OFFICE)
    begin_ms, end_ms = hours.horizon
    assert (begin_ms, end_ms) == (at_office(2026, 1, 1), at_office(2027, 1, 1))
    friday_ms = at_office(2026, 12, 31, 17)
    assert hours.add_ms(friday_ms, 3 * HOUR_MS) == end_ms + 2 * HOUR_MS
    assert hours.add_ms(begin_ms - HOUR_MS, 2 * HOUR_MS) == at_office(2026, 1, 4, 10)
    assert hours.is_open(end_ms)
    assert hours.is_open(begin_ms - 1)
    assert hours.end_of_nth_working_day(friday_ms, 2) == end_ms + 2 * DAY_MS
    assert hours.end_of_nth_working_day(end_ms + HOUR_MS, 1) == end_ms + 2 * DAY_MS
    assert hours.end_of_nth_working_day(begin_ms - DAY_MS - 1, 1) == begin_ms
    assert hours.end_of_nth_working_day(begin_ms - DAY_MS, 1) == at_office(2026, 1, 4, 18)
    assert not hours.covers(friday_ms, end_ms + 1)
    assert timeline(hours, end_ms - HOUR_MS, HOUR_MS)[-1].why == BEYOND
    assert hours.add_ms(2**62, 1) == 2**62 + 1


def test_the_version_names_what_is_open_and_nothing_else() -> None:
    hours = hours_of(OFFICE)
    table = hours.table
    newer = replace(table, tz_version="2099z", sources=("elsewhere",))
    assert OpeningHours("other", newer).version == hours.version
    later = replace(table, open_ms=table.open_ms[:-1])
    assert OpeningHours("office", later).version != hours.version


def test_a_centre_has_plain_time_beside_its_calendars() -> None:
    assert opening_hours(desk()) == {ALWAYS: PLAIN_TIME}
    calendars, _ = compile_calendars({"office": OFFICE}, Path())
    hours = opening_hours(replace(desk(), calendars=calendars))
    assert list(hours) == ["office", ALWAYS]
    assert hours["office"].table is calendars["office"].table


def test_a_path_tells_breaks_holidays_and_moved_workdays() -> None:
    hours = hours_of(OFFICE)
    path = timeline(hours, at_office(2026, 2, 13, 17, 45), 9 * HOUR_MS)
    assert show_timeline(hours, path) == [
        "2026-02-13 17:45:00 to 2026-02-13 18:00:00         15m  open",
        "2026-02-13 18:00:00 to 2026-02-14 09:00:00          0s  closed",
        "2026-02-14 09:00:00 to 2026-02-14 12:00:00          3h  "
        "open, moved workday: in lieu of 2026-02-20",
        "2026-02-14 12:00:00 to 2026-02-14 13:00:00          0s  break",
        "2026-02-14 13:00:00 to 2026-02-14 18:00:00          5h  "
        "open, moved workday: in lieu of 2026-02-20",
        "2026-02-14 18:00:00 to 2026-02-16 00:00:00          0s  closed",
        "2026-02-16 00:00:00 to 2026-02-17 00:00:00          0s  "
        "closed, holiday: Chinese New Year's Eve",
        "2026-02-17 00:00:00 to 2026-02-20 00:00:00          0s  "
        "closed, holiday: Chinese New Year (Spring Festival)",
        "2026-02-20 00:00:00 to 2026-02-21 00:00:00          0s  "
        "closed, holiday: day off, worked on 2026-02-14",
        "2026-02-21 00:00:00 to 2026-02-23 00:00:00          0s  closed",
        "2026-02-23 00:00:00 to 2026-02-24 00:00:00          0s  "
        "closed, holiday: day off, worked on 2026-02-28",
        "2026-02-24 00:00:00 to 2026-02-24 09:00:00          0s  closed",
        "2026-02-24 09:00:00 to 2026-02-24 09:45:00         45m  open",
    ]
    eve = timeline(hours, at_office(2026, 12, 24, 11), HOUR_MS + 1)
    assert [part.why for part in eve] == [
        "open, exception: Christmas Eve", "closed, exception: Christmas Eve", "closed", "open",
    ]  # fmt: skip


def test_local_texts_follow_the_change_of_the_clock() -> None:
    hours = hours_of(NIGHTS)
    before_ms = wall(BERLIN, 2026, 3, 29, 1, 59)
    assert hours.local_text(before_ms) == "2026-03-29 01:59:00"
    assert hours.local_text(before_ms + MINUTE_MS) == "2026-03-29 03:00:00"
