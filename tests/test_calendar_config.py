"""Calendars as they are written: what is read, what is refused and where, what is warned of."""

from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from configs.commands import check_directory
from configs.effective import render_effective
from configs.holiday_tables import UnknownCountryError, look_up
from configs.ical import IcalError, read_closed_days
from configs.loader import load_center
from configs.schema import config_schema
from configs.zones import rules_version, zone_names
from router.calendars import OpeningHours
from router.center import Center, DayKind
from router.checks import check_center, config_hash
from tests.planted import GOOD, MARK, errors_of

CALENDAR = """\
calendars:
  office:
    zone: Asia/Shanghai
    hours:
      mon-fri: ["09:00-12:00", "13:00-18:00"]
      sat: []
    holidays: CN
    exceptions:
      - {date: 2026-12-24, hours: ["09:00-12:00"], name: Christmas Eve}
    years: [2026]
"""
PROMISE = "    target: 20s\n    warnings: [80]\n"

config = Draft202012Validator(config_schema())


def write(directory: Path, calendar: str = CALENDAR, *changes: tuple[str, str]) -> str:
    """Write a centre with a calendar; return the marked `file:line:column`."""
    text = GOOD + calendar
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    before, _, after = text.partition(MARK)
    path = directory / "center.yaml"
    path.write_text(before + after, encoding="utf-8")
    line = before.count("\n") + 1
    return f"{path}:{line}:{len(before) - before.rfind(chr(10))}"


def hours_of(center: Center, name: str = "office") -> OpeningHours:
    """Return a calendar of a centre."""
    return OpeningHours(name, center.calendars[name].table)


# --- mistakes, each at its place ----------------------------------------------------------

OFFICE = "calendars.office"
MISTAKES = [
    ("zone", "zone: Asia/Shanghai", "zone: ^^asia/Shangai",
     f'{OFFICE}.zone: no time zone "asia/Shangai"; write for example Asia/Shanghai; '
     'did you mean "Asia/Shanghai"?'),
    ("zone_missing", "  office:\n    zone: Asia/Shanghai\n", "  ^^office:\n",
     f'{OFFICE}: "zone" is missing and has no default; add it'),
    ("weekday", "mon-fri:", "^^mon-fry:",
     f'{OFFICE}.hours.mon-fry: "mon-fry" names no weekdays; write mon, mon-fri, sat,sun or daily; '
     'did you mean "mon-fri"?'),
    ("weekday_twice", "sat: []", '^^fri: ["09:00-10:00"]',
     f'{OFFICE}.hours.fri: fri stands under "mon-fri" already; keep one'),
    ("never_open", 'mon-fri: ["09:00-12:00", "13:00-18:00"]', "mon-fri: []",
     f"{OFFICE}.hours: never open; give at least one weekday hours such as 09:00-18:00"),
    ("stretch", '"13:00-18:00"', '^^"1pm-6pm"',
     f'{OFFICE}.hours.mon-fri[1]: "1pm-6pm" is no stretch of a day; '
     "write for example 09:00-18:00"),
    ("stretch_25", '"13:00-18:00"', '^^"13:00-25:00"',
     f'{OFFICE}.hours.mon-fri[1]: "13:00-25:00" is no stretch of a day; '
     "write for example 09:00-18:00"),
    ("stretch_empty", '"13:00-18:00"', '^^"13:00-13:00"',
     f'{OFFICE}.hours.mon-fri[1]: "13:00-13:00" is empty, or a whole day; '
     "write 00:00-24:00 for the latter"),
    ("overlap", '"13:00-18:00"', '^^"11:00-18:00"',
     f"{OFFICE}.hours.mon-fri[1]: 11:00-18:00 overlaps 09:00-12:00; join or part them"),
    ("night_overlap", 'mon-fri: ["09:00-12:00", "13:00-18:00"]',
     '^^mon-fri: ["09:00-12:00", "22:00-09:30"]',
     f"{OFFICE}.hours.mon-fri: 22:00-09:30 of mon runs into 09:00-12:00 of tue; part them"),
    ("hours_text", "sat: []", "sat: ^^closed",
     f'{OFFICE}.hours.sat: needs a list, found the text "closed"; write [closed]'),
    ("country", "holidays: CN", "holidays: ^^XX",
     f'{OFFICE}.holidays.country: no country "XX"; write its two letters (ISO 3166-1), as CN'),
    ("country_case", "holidays: CN", "holidays: {country: ^^cn}",
     f'{OFFICE}.holidays.country: no country "cn"; write its two letters (ISO 3166-1), as CN; '
     'did you mean "CN"?'),
    ("subdivision", "holidays: CN", "holidays: {country: DE, subdivision: ^^BX}",
     f'{OFFICE}.holidays.subdivision: no subdivision "BX" of DE; known are Augsburg, BB, '
     "BE, BW, BY, HB, HE, HH, MV, NI, NW, RP, SH, SL, SN, ST, TH"),
    ("subdivision_alone", "holidays: CN", "holidays: {subdivision: ^^BY}",
     f"{OFFICE}.holidays.subdivision: needs a country; add country"),
    ("ical_missing", "holidays: CN", "holidays: {ical: ^^days.ics}",
     f"{OFFICE}.holidays.ical: days.ics cannot be read: No such file or directory"),
    ("ical_elsewhere", "holidays: CN", "holidays: {ical: ^^../days.ics}",
     f'{OFFICE}.holidays.ical: "../days.ics" is not beside the other files; '
     "give the name of one that is"),
    ("date", "date: 2026-12-24", "date: ^^2026-02-29",
     f'{OFFICE}.exceptions[0].date: "2026-02-29" is no date; write for example 2026-12-24'),
    ("date_form", "date: 2026-12-24", "date: ^^20261224x",
     f'{OFFICE}.exceptions[0].date: "20261224x" is no date; write for example 2026-12-24'),
    ("date_twice", "    years:", "      - {date: ^^2026-12-24}\n    years:",
     f"{OFFICE}.exceptions[1].date: 2026-12-24 stands here twice; keep one"),
    ("exception_hours", 'hours: ["09:00-12:00"], name', 'hours: [^^"9-12"], name',
     f'{OFFICE}.exceptions[0].hours[0]: "9-12" is no stretch of a day; '
     "write for example 09:00-18:00"),
    ("years_none", "years: [2026]", "^^years: []",
     f"{OFFICE}.years: holds for no year; write for example [2026, 2027]"),
    ("years_gap", "years: [2026]", "years: [2026, ^^2028]",
     f"{OFFICE}.years[1]: 2028 does not follow 2026; years are in order, no gaps"),
    ("years_range", "years: [2026]", "years: [^^26]",
     f"{OFFICE}.years[0]: 26 is out of range; must be from 1970 to 2199"),
    ("always", "  office:", "  ^^always:",
     'calendars.always: "always" is plain time and exists already; choose another name'),
    ("table", "    years: [2026]", "    years: [2026]\n    ^^table: {from_ms: 1}",
     f"{OFFICE}.table: unknown key; known are exceptions, holidays, hours, years, zone"),
    ("promise_calendar", PROMISE, f"{PROMISE}    calendar: ^^ofice\n",
     'promises.answer.calendar: no calendar "ofice"; did you mean "office"?'),
    ("queue_calendar", "    wait_max: 20m\n", "    wait_max: 20m\n    calendar: ^^ofice\n",
     'queues.back.calendar: no calendar "ofice"; did you mean "office"?'),
    ("days_of_plain_time", "    target: 20s\n", "    target_working_days: ^^2\n",
     "promises.answer.target_working_days: plain time has no working days; "
     "name a calendar, or write target in hours"),
    ("two_targets", PROMISE, f"{PROMISE}    calendar: office\n    target_working_days: ^^2\n",
     "promises.answer.target_working_days: target says how long already; "
     "keep target or target_working_days"),
    ("too_long", PROMISE, "    target: ^^9000h\n    calendar: office\n",
     'promises.answer.target: 9000h is more than calendar "office" is ever open (1979h); '
     "add years to it"),
    ("too_many_days", PROMISE, "    calendar: office\n    target_working_days: ^^300\n",
     'promises.answer.target_working_days: calendar "office" has 248 working days only; '
     "add years to it"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_a_mistake_is_found_at_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    place = write(tmp_path, CALENDAR, (old, new))
    found = [line.replace(f"{tmp_path}/days", "days") for line in errors_of(tmp_path)]
    if MARK in new:
        assert found == [f"{place}: {said}"]
    else:
        assert [line.split(": ", 1)[1] for line in found] == [said]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    write(
        tmp_path, CALENDAR, ("zone: Asia/Shanghai", "zone: Asia/Atlantis"),
        ('"13:00-18:00"', '"x"'), ("date: 2026-12-24", "date: soon"),
        (PROMISE, f"{PROMISE}    calendar: office\n"),
    )  # fmt: skip
    assert [line.split(": ")[1] for line in errors_of(tmp_path)] == [
        f"{OFFICE}.zone", f"{OFFICE}.hours.mon-fri[1]", f"{OFFICE}.exceptions[0].date",
    ]  # fmt: skip


# --- what is read ----------------------------------------------------------------------------


def test_a_calendar_is_compiled_and_checked(tmp_path: Path) -> None:
    write(tmp_path)
    loaded = load_center(tmp_path)
    assert loaded.problems == ()
    assert check_center(loaded.center) == ()
    table = loaded.center.calendars["office"].table
    assert table.tz_version == rules_version()
    assert len(table.workdays_ms) == 248
    kinds = [day.kind for day in table.named]
    assert (kinds.count(DayKind.MOVED_WORKDAY), kinds.count(DayKind.EXCEPTION)) == (6, 1)


@pytest.mark.parametrize(
    ("hours", "same"),
    [
        ('{daily: ["00:00-24:00"]}', '{mon-sun: ["00:00-12:00", "12:00-24:00"]}'),
        ('{"sat,sun": ["10:00-12:00"]}', '{sat-sun: ["10:00-12:00"]}'),
        ('{sat-mon: ["10:00-12:00"]}', '{"mon,sat,sun": ["10:00-12:00"]}'),
        ('{daily: ["22:00-06:00"]}', '{daily: ["00:00-06:00", "22:00-24:00"]}'),
    ],
)
def test_hours_can_be_written_in_several_ways(tmp_path: Path, hours: str, same: str) -> None:
    text = "calendars:\n" + "".join(
        f"  {name}: {{zone: Europe/Berlin, years: [2026], hours: {written}}}\n"
        for name, written in (("one", hours), ("other", same))
    )
    write(tmp_path, text)
    one, other = load_center(tmp_path).center.calendars.values()
    # A night shift from the last day of the year before belongs to this year's table in both.
    assert one.table.open_ms == other.table.open_ms


def test_another_edition_of_the_rules_makes_no_other_centre(tmp_path: Path) -> None:
    write(tmp_path)
    center = load_center(tmp_path).center
    calendar = center.calendars["office"]
    table = calendar.table
    newer = replace(table, tz_version="2099z", sources=())
    shorter = replace(table, open_ms=table.open_ms[1:])
    for changed, same in ((newer, True), (shorter, False)):
        again = replace(center, calendars={"office": replace(calendar, table=changed)})
        assert (config_hash(again) == config_hash(center)) is same


@pytest.mark.parametrize("change", ["open_ms", "workdays_ms", "offsets_ms", "named", "from_ms"])
def test_a_table_that_nobody_compiled_is_refused(tmp_path: Path, change: str) -> None:
    write(tmp_path)
    center = load_center(tmp_path).center
    calendar = center.calendars["office"]
    value: Any = getattr(calendar.table, change)
    # Beijing has kept one offset, so its table needs a second one to be out of order.
    backwards = (value + value) if isinstance(value, tuple) else calendar.table.to_ms
    changes: dict[str, Any] = {change: backwards}
    broken = replace(calendar.table, **changes)
    again = replace(center, calendars={"office": replace(calendar, table=broken)})
    problems = [problem for problem in check_center(again) if not problem.warning]
    assert [problem.path for problem in problems] == [("calendars", "office")]
    assert "load the configuration anew" in problems[0].message


def test_the_effective_form_shows_origins_and_days_and_loads_again(tmp_path: Path) -> None:
    write(tmp_path, CALENDAR, (PROMISE, "    calendar: office\n    target_working_days: 3\n"))
    loaded = load_center(tmp_path)
    text = render_effective(loaded)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    line = 1 + GOOD.count("\n") + 2
    assert f'zone: "Asia/Shanghai" # {tmp_path}/center.yaml:{line}' in lines
    assert "# 2026-02-14 open, moved workday: in lieu of 2026-02-20" in lines
    assert "# 2026-02-20 closed, holiday: day off, worked on 2026-02-14" in lines
    assert "# 2026-12-24 open, exception: Christmas Eve" in lines
    again = tmp_path / "again"
    again.mkdir()
    (again / "center.yaml").write_text(text, encoding="utf-8")
    assert config_hash(load_center(again).center) == config_hash(loaded.center)
    assert list(config.iter_errors(yaml.safe_load(text.replace("2026-12-24", "eve")))) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [(row[1], row[2]) for row in MISTAKES
     if row[0] in {"zone_missing", "stretch", "stretch_25", "weekday", "years_none", "years_range",
                   "table", "exception_hours"}],
)  # fmt: skip
def test_the_schema_sees_mistakes_of_form(old: str, new: str) -> None:
    text = (GOOD + CALENDAR).replace("date: 2026-12-24", 'date: "2026-12-24"')
    assert list(config.iter_errors(yaml.safe_load(text))) == []
    assert old in text
    broken = yaml.safe_load(text.replace(old, new.replace(MARK, "")))
    assert list(config.iter_errors(broken)) != []


# --- holidays ------------------------------------------------------------------------------


def test_chinas_moved_workdays_agree_with_another_library() -> None:
    oracle = pytest.importorskip("chinese_calendar")
    for year in range(2019, 2027):
        table = look_up("CN", "", (year,))
        assert table.doubts == ()
        day = date(year, 1, 1)
        while day.year == year:
            works = day in table.worked or (day.weekday() < 5 and day not in table.closed)
            assert works is oracle.is_workday(day), day
            day += timedelta(days=1)
        stood_for = [off for off in table.worked.values() if off is not None]
        assert len(stood_for) == len(table.worked)
        assert all(off.weekday() < 5 and off in table.closed for off in stood_for)


def test_a_year_whose_moved_days_are_not_published_is_told(tmp_path: Path) -> None:
    place = write(
        tmp_path, CALENDAR, ("holidays: CN", "holidays: ^^CN"), ("[2026]", "[2026, 2027]")
    )
    (warning,) = load_center(tmp_path).problems
    version = importlib.metadata.version("holidays")
    assert str(warning) == (
        f"{place}: warning: {OFFICE}.holidays.country: the days that CN moves in 2027 are not "
        f"published in holidays {version} (it ends with 2026): moved days off and workdays are "
        "missing; update the library when they are out, or write them under exceptions"
    )


def test_estimated_holidays_and_empty_years_are_told() -> None:
    assert any("estimated" in doubt for doubt in look_up("AE", "", (2030,)).doubts)
    assert look_up("DE", "BY", (2026,)).doubts == ()
    with pytest.raises(UnknownCountryError, match='no country "Elbonia"'):
        look_up("Elbonia", "", (2026,))


def test_moved_workdays_take_the_hours_of_the_day_they_stand_for(tmp_path: Path) -> None:
    hours = 'mon-fri: ["09:00-12:00", "13:00-18:00"]'
    short = 'mon-thu: ["09:00-18:00"]\n      fri: ["09:00-12:00"]'
    write(tmp_path, CALENDAR, (hours, short))
    office = hours_of(load_center(tmp_path).center)
    worked = {
        day.date: office.elapsed_ms(day.from_ms, day.to_ms) // 3_600_000
        for day in office.table.named
        if day.kind is DayKind.MOVED_WORKDAY
    }
    # 14 February stands for Friday the 20th, 28 February for Monday the 23rd.
    assert (worked["2026-02-14"], worked["2026-02-28"]) == (3, 9)


def test_moved_workdays_can_be_left_free(tmp_path: Path) -> None:
    write(tmp_path, CALENDAR,
          ("holidays: CN", "holidays: {country: CN, moved_workdays: false}"))  # fmt: skip
    table = load_center(tmp_path).center.calendars["office"].table
    assert len(table.workdays_ms) == 248 - 6


def test_an_exception_outside_the_years_is_told(tmp_path: Path) -> None:
    place = write(tmp_path, CALENDAR, ("date: 2026-12-24", "date: ^^2027-12-24"))
    (warning,) = load_center(tmp_path).problems
    assert str(warning) == (
        f"{place}: warning: {OFFICE}.exceptions[0].date: 2027-12-24 is outside the calendar's "
        "years, so it has no effect"
    )


NOVEMBER_MS = 1_793_491_200_000  # 1 November 2026, 00:00 UTC
DAYS_MS = 86_400_000


def test_a_calendar_that_ends_soon_is_told(tmp_path: Path) -> None:
    place = write(
        tmp_path, CALENDAR.replace("years:", "^^years:"),
        (PROMISE, "    calendar: office\n    target_working_days: 10\n"),
    )  # fmt: skip
    calm = check_directory(tmp_path, strict=True, now_ms=NOVEMBER_MS)
    assert (calm.exit_code, calm.stderr) == (0, "")
    warned = check_directory(tmp_path, strict=True, now_ms=NOVEMBER_MS + 20 * DAYS_MS)
    assert warned.exit_code == 3
    place = place.rpartition(":")[0]
    assert warned.stderr.startswith(f"{place}:")
    assert (
        "warning: calendars.office.years: holds from 2026-01-01 until 2027-01-01 (without that "
        "day), but what runs on it now and in the next 30 days needs it until 2027-01-0"
    ) in warned.stderr
    assert check_directory(tmp_path, strict=True).exit_code == 0
    write(tmp_path)  # nothing runs on it
    assert check_directory(tmp_path, strict=True, now_ms=2 * NOVEMBER_MS).exit_code == 0


# --- iCalendar --------------------------------------------------------------------------------

ICAL = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//desk//closures//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20250101T000000Z
DTSTART;VALUE=DATE:20260803
DTEND;VALUE=DATE:20260806
SUMMARY:Works outing
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTAMP:20250101T000000Z
DTSTART;VALUE=DATE:20200229
RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1
SUMMARY:Stocktaking
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTAMP:20250101T000000Z
DTSTART:20260901T090000Z
SUMMARY:Staff meeting
END:VEVENT
BEGIN:VEVENT
UID:4
DTSTAMP:20250101T000000Z
DTSTART;VALUE=DATE:20261009
STATUS:CANCELLED
SUMMARY:Not after all
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


def write_ical(directory: Path, text: str = ICAL) -> Path:
    """Write an iCalendar file."""
    path = directory / "days.ics"
    path.write_bytes(text.encode())
    return path


def test_all_day_entries_are_closed_days(tmp_path: Path) -> None:
    found = read_closed_days(write_ical(tmp_path), (2026, 2027))
    assert {day.isoformat(): name for day, name in found.days.items()} == {
        "2026-02-28": "Stocktaking", "2026-08-03": "Works outing", "2026-08-04": "Works outing",
        "2026-08-05": "Works outing", "2027-02-28": "Stocktaking",
    }  # fmt: skip
    assert found.left_out == 1


def test_an_ical_file_closes_days_that_a_country_works(tmp_path: Path) -> None:
    write_ical(tmp_path)
    place = write(tmp_path, CALENDAR, ("holidays: CN", "holidays: {country: CN, ical: ^^days.ics}"))
    loaded = load_center(tmp_path)
    assert [str(problem) for problem in loaded.problems] == [
        f"{place}: warning: {OFFICE}.holidays.ical: 1 entries with a time of day (or no date) "
        "are left out; only whole days are read"
    ]
    table = loaded.center.calendars["office"].table
    # 28 February is a Saturday worked in lieu; the office is closed all the same.
    assert len(table.workdays_ms) == 248 - 4
    assert "days.ics" in table.sources


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "is no iCalendar file"),
        ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "is no iCalendar file"),
        (ICAL.replace("FREQ=YEARLY", "FREQ=SECONDLY"), "repeats a day SECONDLY"),
        (ICAL.replace("20260803", "20269903"), "no date"),
    ],
)
def test_a_broken_ical_file_is_refused_or_left_out(tmp_path: Path, text: str, said: str) -> None:
    path = write_ical(tmp_path, text)
    try:
        found = read_closed_days(path, (2026,))
    except IcalError as error:
        assert said in str(error)  # noqa: PT017  # either answer will do for the last case
    else:
        assert said == "no date"
        assert found.left_out == 2


def test_every_zone_of_the_database_can_be_read() -> None:
    assert {"Asia/Shanghai", "Australia/Lord_Howe", "UTC"} <= set(zone_names())
