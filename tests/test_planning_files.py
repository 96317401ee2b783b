"""Planning files of every format: what is read, what is refused, and how that is told."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter
from typer.testing import CliRunner

from simulation.fit.column_memory import FILE_NAME, recall
from simulation.fit.ical_shifts import read_shifts
from simulation.fit.kinds import Kind
from simulation.fit.layouts import Format, RepeatedHour
from simulation.fit.local_time import to_local
from simulation.fit.planning_files import Imported, Options, read_planning_file, write_csv
from simulation.fit.tables import TableError
from switchroom import build

HEAD = "interval_start,interval_minutes,queue,channel,offered,handled,aht_seconds\n"
MARCH_MS = 1_772_442_000_000  # 2026-03-02T09:00:00Z


def read(tmp_path: Path, text: str, name: str = "file.csv", **options: object) -> Imported:
    """Write a file and read it."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_planning_file(path, Options(**options))  # type: ignore[arg-type]


def faults(imported: Imported) -> list[tuple[int, str, str]]:
    """Return where faults are, and their values."""
    return [(fault.row, fault.column, fault.value) for fault in imported.faults]


# --- ours -----------------------------------------------------------------------------------------


def test_ours_is_read_with_offsets_and_totals(tmp_path: Path) -> None:
    imported = read(tmp_path, HEAD + "2026-03-02T10:00:00+01:00,30,billing,voice,20,18,200\n")
    assert imported.kind is Kind.COUNTS
    assert imported.faults == ()
    values = imported.rows[0].values
    assert values["interval_start"] == MARCH_MS
    assert values["channel"] == "phone"
    assert values["handle_seconds"] == 3_600


def test_every_wrong_value_is_told_with_row_column_and_value(tmp_path: Path) -> None:
    imported = read(
        tmp_path,
        HEAD
        + "2026-03-02T10:00:00Z,30,billing,phone,many,1,2\n"
        + "2026-03-02T10:30:00Z,30,,phone,1,1,2\n"
        + "yesterday,7,billing,phone,-1,1,2\n"
        + "2026-03-02T11:00:00Z,30,billing,phone,1,1,2\n"
        + "2026-03-02T11:00:00Z,30,billing,phone,1,1,2\n",
    )
    assert faults(imported) == [
        (2, "offered", "many"),
        (3, "queue", ""),
        (4, "interval_minutes", "7"),
        (4, "offered", "-1"),
        (4, "interval_start", "yesterday"),
        (6, "interval_start", "2026-03-02T11:00:00Z"),
    ]
    assert "stands in row 5 already" in str(imported.faults[-1])
    assert str(imported.faults[0]).endswith('file.csv: row 2: offered: "many" is no number')
    assert len(imported.rows) == 1


def test_unknown_columns_are_kept_as_they_are(tmp_path: Path) -> None:
    imported = read(
        tmp_path, "interval_start,queue,offered,Weather\n2026-03-02T10:00:00Z,a,3,rain\n"
    )
    assert imported.unknown == ("Weather",)
    write_csv(imported, tmp_path / "out.csv")
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert rows == [
        {
            "interval_start": "2026-03-02T10:00:00+00:00",
            "queue": "a",
            "offered": "3",
            "Weather": "rain",
        }
    ]


def test_what_is_written_is_read_again_as_the_same(tmp_path: Path) -> None:
    text = HEAD + "2026-10-25T02:30:00+01:00,30,billing,phone,20,18,200\n"
    first = read(tmp_path, text, zone="Europe/Berlin")
    write_csv(first, tmp_path / "again.csv")
    second = read_planning_file(tmp_path / "again.csv")
    assert [row.values for row in second.rows] == [row.values for row in first.rows]


def test_semicolons_bring_decimal_commas(tmp_path: Path) -> None:
    imported = read(
        tmp_path, "interval_start;queue;offered;aht_seconds\n2026-03-02T10:00:00Z;a;1.200,0;180,5\n"
    )
    assert imported.rows[0].values["handle_seconds"] == pytest.approx(180.5 * 1200)
    text = "interval_start;queue;offered\n2026-03-02T10:00:00Z;a;1.200\n"
    assert "thousand or a decimal" in str(read(tmp_path, text).faults[0])


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ("interval_start,group,agents", Kind.STAFFING),
        ("agent,start,end,skills,break_start,break_end", Kind.SHIFTS),
        ("group,cost_per_hour", Kind.RATES),
        ("arrived_at,queue,outcome,wait_seconds", Kind.CONTACTS),
    ],
)
def test_the_kind_of_a_file_shows_in_its_columns(tmp_path: Path, columns: str, kind: Kind) -> None:
    cells = {"agents": "3", "cost_per_hour": "31", "outcome": "handled", "wait_seconds": "4"}
    times = {"start", "end", "interval_start", "arrived_at", "break_start", "break_end"}
    row = ",".join(
        "2026-03-02T10:00:00Z" if name in times else cells.get(name, "x")
        for name in columns.split(",")
    )
    imported = read(tmp_path, f"{columns}\n{row}\n")
    assert imported.kind is kind
    assert imported.faults == ()


def test_a_missing_column_is_told_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"no column for offered .*there are .*Calls in"):
        read(tmp_path, "interval_start,queue,Calls in\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("a,,b\n", "column 2 has no name"),
        ("a,a\n", 'two columns are called "a"'),
        ("interval_start,queue,offered\n1,2,3,4\n", "row 2 has 4 values for 3 columns"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TableError, match=message):
        read(tmp_path, text)


def test_a_workbook_is_read_like_a_file(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    book = xlsxwriter.Workbook(path)
    book.add_worksheet("empty")
    sheet = book.add_worksheet("counts")
    sheet.write_row(0, 0, ["interval_start", "queue", "offered", "note"])
    sheet.write_datetime(
        1,
        0,
        datetime.fromisoformat("2026-03-02T10:00:00"),
        book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
    )
    sheet.write_row(1, 1, [7, 12.0, "x"])
    sheet.write_row(2, 0, ["2026-03-02T10:30:00+01:00", "a", "lots"])
    book.close()
    imported = read_planning_file(path, Options(zone="Europe/Berlin"))
    assert imported.rows[0].values == {
        "interval_start": MARCH_MS,
        "queue": "7",
        "offered": 12.0,
    }
    assert faults(imported) == [(3, "offered", "lots")]


# --- the clock ------------------------------------------------------------------------------------


def test_a_local_time_needs_a_zone(tmp_path: Path) -> None:
    text = "interval_start,queue,offered\n2026-03-02T10:00:00,a,3\n"
    assert "--timezone" in str(read(tmp_path, text).faults[0])
    assert read(tmp_path, text, zone="Europe/Berlin").rows[0].values["interval_start"] == MARCH_MS


def test_fold_tells_the_passes_of_a_repeated_hour_apart(tmp_path: Path) -> None:
    imported = read(
        tmp_path,
        "interval_start,timezone,fold,queue,offered\n"
        "2026-10-25T02:30:00,Europe/Berlin,0,a,3\n"
        "2026-10-25T02:30:00,Europe/Berlin,1,a,4\n",
    )
    first, second = (int(row.values["interval_start"]) for row in imported.rows)
    assert second - first == 3_600_000


def test_a_time_that_no_clock_shows_is_refused(tmp_path: Path) -> None:
    imported = read(
        tmp_path,
        "interval_start,queue,offered\n2026-03-29T02:30:00,a,3\n",
        zone="Europe/Berlin",
    )
    assert "never shown" in str(imported.faults[0])


# --- other makers ---------------------------------------------------------------------------------

IEX = (
    "#fields:date|period|TZ|ctName|contactsReceived|contactsHandled|aht|slPct\n"
    "10252026|02:30|Europe/Berlin|billing|5|4|180|80\n"
    "10252026|02:30|Europe/Berlin|billing|7|7|200|90\n"
    "10252026|03:00|Europe/Berlin|billing|6|6|200|90\n"
)


def test_iex_asks_which_pass_of_the_repeated_hour_a_row_is(tmp_path: Path) -> None:
    imported = read(tmp_path, IEX, format=Format.IEX)
    assert [fault.row for fault in imported.faults] == [2, 3]
    assert "--repeated-hour" in str(imported.faults[0])


def test_iex_in_order_takes_the_second_row_as_the_second_pass(tmp_path: Path) -> None:
    imported = read(tmp_path, IEX, format=Format.IEX, repeated_hour=RepeatedHour.IN_ORDER)
    starts = [int(row.values["interval_start"]) for row in imported.rows]
    assert imported.faults == ()
    assert [late - starts[0] for late in starts] == [0, 3_600_000, 5_400_000]
    assert imported.rows[0].values["handle_seconds"] == 720
    assert imported.rows[0].values["service_level"] == 0.8
    third = IEX + "10252026|02:30|Europe/Berlin|billing|1|1|1|1\n"
    found = read(tmp_path, third, format=Format.IEX, repeated_hour=RepeatedHour.IN_ORDER)
    assert "third time" in str(found.faults[0])


def test_iex_first_and_second_say_it_for_the_whole_file(tmp_path: Path) -> None:
    once = "\n".join(IEX.splitlines()[:2]) + "\n"
    first = read(tmp_path, once, format=Format.IEX, repeated_hour=RepeatedHour.FIRST)
    second = read(tmp_path, once, format=Format.IEX, repeated_hour=RepeatedHour.SECOND)
    start = "interval_start"
    assert int(second.rows[0].values[start]) - int(first.rows[0].values[start]) == 3_600_000


def test_iex_dates_may_be_day_first(tmp_path: Path) -> None:
    text = "#fields:date|period|TZ|ctName|contactsReceived\n02032026|1000|Europe/Berlin|a|5|\n"
    imported = read(tmp_path, text, format=Format.IEX, date_format="ddmmyyyy")
    assert imported.rows[0].values["interval_start"] == MARCH_MS


def test_genesys_rows_may_differ_by_skills_only(tmp_path: Path) -> None:
    head = (
        "Interval Start UTC Date,Queue,Media Type,Skill Set,Language,Offered,"
        "Interactions Handled,Total Handle Time (Seconds)\n"
    )
    rows = (
        "2026-03-02T09:00:00Z,care,Voice,fault|||fibre,German,5,5,900\n"
        "2026-03-02T09:00:00Z,care,Voice,,German,3,2,400.5\n"
        "2026-03-02T09:00:00Z,care,Voice,,German,3,2,400.5\n"
    )
    imported = read(tmp_path, head + rows, format=Format.GENESYS)
    assert [fault.row for fault in imported.faults] == [4]
    assert imported.rows[1].values == {
        "interval_start": MARCH_MS,
        "interval_minutes": 15,
        "queue": "care",
        "channel": "phone",
        "offered": 3.0,
        "handled": 2.0,
        "handle_seconds": 400.5,
    }
    assert imported.rows[0].extra["Skill Set"] == "fault|||fibre"


def test_connect_is_read(tmp_path: Path) -> None:
    text = (
        "QueueName,QueueId,ChannelType,TimeStamp,IncomingContactVolume,AverageHandleTime\n"
        "care,abc,CHAT,2026-03-02T09:00:00Z,12,60\n"
    )
    values = read(tmp_path, text, format=Format.CONNECT).rows[0].values
    assert (values["channel"], values["offered"], values["handle_seconds"]) == ("chat", 12, 720)


def test_eleveo_zeros_of_closed_hours_are_left_out_and_told(tmp_path: Path) -> None:
    text = "Queue name,Interval start,Offered,AHT\n" + "".join(
        f"care,2026-03-{day:02d}T{hour:02d}:00:00Z,{5 if 9 <= hour < 12 and day != 9 else 0},60\n"
        for day in (2, 3, 9)
        for hour in range(24)
    )
    imported = read(tmp_path, text, format=Format.ELEVEO)
    # Monday the 9th was quiet, not closed: Mondays have contacts at these hours.
    assert len(imported.rows) == 9
    assert imported.notes[-1].startswith("63 rows of zeros left out")


# --- shifts from a calendar -----------------------------------------------------------------------


def test_shifts_come_from_a_calendar_file(tmp_path: Path) -> None:
    path = tmp_path / "shifts.ics"
    path.write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
        "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:ann\r\nDTSTART:20260302T080000Z\r\n"
        "DTEND:20260302T160000Z\r\nRRULE:FREQ=DAILY;COUNT=3\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:late\r\nATTENDEE;CN=ben:mailto:b@example.org\r\n"
        "DTSTART:20260302T120000Z\r\nDTEND:20260302T200000Z\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:3\r\nSUMMARY:holiday\r\nDTSTART;VALUE=DATE:20260304\r\n"
        "DTEND;VALUE=DATE:20260305\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    imported = read_shifts(path)
    assert [row.values["agent"] for row in imported.rows] == ["ann", "ben", "ann", "ann"]
    assert imported.rows[0].values["start"] == MARCH_MS - 3_600_000
    assert imported.notes == ("1 entries of whole days left out",)


# --- the command ----------------------------------------------------------------------------------


def run(*arguments: object) -> tuple[int, str, str]:
    """Run `switchroom import`."""
    result = CliRunner().invoke(build(), ["import", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_a_named_column_is_remembered_for_the_next_file(tmp_path: Path) -> None:
    path = tmp_path / "march.csv"
    path.write_text("interval_start,queue,Calls in\n2026-03-02T10:00:00Z,a,3\n")
    code, _, told = run(path)
    assert code == 1
    assert '--column offered="..."' in told
    assert run(path, "--column", "offered=Calls in")[0] == 0
    assert recall(tmp_path / FILE_NAME, Format.OURS) == {"offered": "Calls in"}
    assert recall(tmp_path / FILE_NAME, Format.IEX) == {}
    code, out, _ = run(path, "--json")
    assert code == 0
    assert json.loads(out)["columns"]["offered"] == "Calls in"
    assert "no column of ours" in run(path, "--column", "offred=x")[2]


def test_refused_values_write_nothing_unless_the_good_rows_are_wanted(tmp_path: Path) -> None:
    path, out = tmp_path / "a.csv", tmp_path / "out.csv"
    path.write_text(
        "interval_start,queue,offered\n2026-03-02T10:00:00Z,a,3\n2026-03-02T10:30:00Z,a,?\n"
    )
    code, _, told = run(path, "-o", out)
    assert code == 1
    assert 'row 3: offered: "?" is no number' in told
    assert not out.exists()
    assert run(path, "-o", out, "--keep-good")[0] == 0
    assert len(out.read_text().splitlines()) == 2


# --- files as other systems write them ------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("Datum;Uhrzeit;queue;offered;AHT\n31.12.2025;09:00;a;3;1,5\n", ""),
        ("interval_start,queue,offered\n31/12/2025 09:00,a,3\n", "day first"),
        ("interval_start,queue,offered\n12/31/2025 9:00 AM,a,3\n", "month first"),
        ("Date,Interval,Queue name,Calls offered\n2025/12/31,09:00-09:30,a,3\n", ""),
        ("Calls by interval\n\ninterval_start,queue,offered\n2025-12-31 09:00,a,3\n", "1 lines"),
        ("interval_start,queue,offered,\n2025-12-31T09:00,a,3,\n", ""),
    ],
)
def test_dates_and_headers_of_other_systems_are_read(tmp_path: Path, text: str, note: str) -> None:
    columns = {"date": "Datum", "period": "Uhrzeit"} if "Datum" in text else None
    imported = read(tmp_path, text, columns=columns, zone="Europe/Berlin")
    assert imported.faults == ()
    (row,) = imported.rows
    assert to_local(int(row.values["interval_start"]), ZoneInfo("Europe/Berlin")) == datetime(
        2025, 12, 31, 9, tzinfo=ZoneInfo("Europe/Berlin")
    )
    assert row.values["offered"] == 3
    assert note in " ".join(imported.notes)


def test_a_date_that_may_be_either_is_asked_for(tmp_path: Path) -> None:
    text = "interval_start,queue,offered\n05/01/2026 09:00,a,3\n"
    imported = read(tmp_path, text, zone="Europe/Berlin")
    assert "may have day or month first" in imported.faults[0].message
    said = read(tmp_path, text, zone="UTC", date_format="ddmmyyyy")
    assert to_local(int(said.rows[0].values["interval_start"]), ZoneInfo("UTC")).month == 1


def test_a_date_with_dots_is_never_read_month_first(tmp_path: Path) -> None:
    text = "date;period;queue;offered\n05.01.2026;09:00;a;3\n13.01.2026;09:00;a;4\n"
    imported = read(tmp_path, text, zone="UTC")
    days = [to_local(int(row.values["interval_start"]), ZoneInfo("UTC")) for row in imported.rows]
    assert [(day.month, day.day) for day in days] == [(1, 5), (1, 13)]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_encodings_of_spreadsheets_are_read_and_told(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(
        "interval_start,queue,offered\n2026-03-02T09:00:00Z,Störung,3\n".encode(encoding)
    )
    imported = read_planning_file(path)
    assert imported.rows[0].values["queue"] == "Störung"
    assert "read as" in imported.notes[0]


@pytest.mark.parametrize(
    ("written", "seconds"), [("205", 205), ("3:25", 205), ("0:03:25", 205), ("3600000", None)]
)
def test_handle_times_are_seconds_or_clocks(
    tmp_path: Path, written: str, seconds: float | None
) -> None:
    text = f"interval_start,queue,offered,aht_seconds\n2026-03-02T09:00:00Z,a,2,{written}\n"
    imported = read(tmp_path, text)
    if seconds is None:
        assert "longer than a day" in imported.faults[0].message
    else:
        assert imported.rows[0].values["handle_seconds"] == 2 * seconds


def test_a_merged_header_in_a_workbook_is_put_together(tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 5, "Calls, first quarter")
        sheet.write_row(2, 0, ["interval_start", "queue"])
        sheet.merge_range(2, 2, 2, 4, "Calls")
        sheet.write_row(3, 2, ["offered", "handled", "abandoned"])
        sheet.write_row(4, 0, ["2026-03-02T09:00:00Z", "a", 5, 4, 1])
    imported = read_planning_file(path)
    assert imported.faults == ()
    assert imported.rows[0].values["offered"] == 5
    assert imported.rows[0].values["abandoned"] == 1
    assert imported.notes[0] == "1 rows above the header left out"
    assert "two rows" in imported.notes[1]


def test_a_remembered_column_is_no_error_where_a_file_lacks_it(tmp_path: Path) -> None:
    path = tmp_path / "march.csv"
    path.write_text("interval_start,queue,Calls in\n2026-03-02T10:00:00Z,a,3\n")
    assert run(path, "--column", "offered=Calls in")[0] == 0
    other = tmp_path / "ours.csv"
    other.write_text("interval_start,queue,offered\n2026-03-02T10:00:00Z,a,3\n")
    assert run(other)[0] == 0


def test_a_file_of_other_names_is_taken_for_counts(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text(
        "Start,Skill,channel,Calls,handled,abandoned\n2026-03-02T10:00:00Z,a,phone,3,3,0\n"
    )
    code, _, told = run(path)
    assert code == 1
    assert "no column for interval_start, queue, offered (read as counts" in told


def test_faults_alike_are_told_once(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    rows = "".join(f"2026-03-02T{hour:02d}:00:00,a,3\n" for hour in range(24))
    path.write_text("interval_start,queue,offered\n" + rows)
    code, _, told = run(path)
    assert code == 1
    assert told.count("has no offset") == 3
    assert "and 21 rows more" in told


def test_import_says_what_it_read(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    days = [2, 3, 9, 16, 17, 23, 24]  # the second Tuesday is missing
    rows = "".join(f"2026-03-{day:02d}T10:00:00Z,a,3\n" for day in days)
    path.write_text("interval_start,queue,offered\n" + rows)
    code, printed, _ = run(path, "--timezone", "Europe/Berlin")
    assert code == 0
    assert "2026-03-02 to 2026-03-24, 7 days with rows; clock of Europe/Berlin" in printed
    assert "contacts: a 21" in printed
    assert "no rows on 2026-03-10 (tue)" in printed
