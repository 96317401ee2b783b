"""Pages of `what-if` and `forecast-now`: what was or comes, what would be, and how sure."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from simulation.phrases import Phrase
from simulation.report.charts_onward import Course, changes, courses
from simulation.report.document import Document
from simulation.report.folder import write_document
from simulation.report.forecast_document import forecast_document
from simulation.report.page import render_page
from simulation.report.what_if_document import what_if_document
from simulation.report.wording import Words
from simulation.whatif.asking import Answer, sentence_of
from simulation.whatif.comparing import ChangedContact, Compared, Row
from simulation.whatif.foretelling import CourseAnswer, ForecastNow, Paired, Present, Slice
from simulation.whatif.foretelling import sentence_of as foretold
from switchroom import build
from tests.looking import look, needs_chromium

MORNING_MS = 1_772_528_400_000  # 2026-03-03 09:00 UTC
ONE_MORE = Phrase("{agents} more in {where}", agents=1, where="shop")
MORE_CONTACTS = Phrase("{more:+.0%} contacts", more=0.3)


def compared(happened: float | None, difference: float | None, half: float) -> Compared:
    would_be = None if happened is None or difference is None else happened + difference
    return Compared(
        happened=happened,
        would_be=would_be,
        difference=difference,
        half_width=None if difference is None else half,
        of_that_day=None,
        without=happened,
    )


def row(queue: str, from_ms: int, level: Compared) -> Row:
    return Row(
        queue=queue,
        from_ms=from_ms,
        offered=compared(20, 0.0, 0.0),
        service_level=level,
        abandoned=compared(6, -2.5, 3.0),
        wait_s=compared(40.0, -12.0, 4.0),
    )


@cache
def answer() -> Answer:
    """Return what a replay could say of a morning of two queues."""
    levels = [compared(0.5, 0.1, 0.04), compared(None, None, 0.0), compared(0.8, -0.02, 0.05)]
    slices = [row("", MORNING_MS + 1_800_000 * n, level) for n, level in enumerate(levels)]
    queues = [
        row(name, -1, level) for name, level in zip(("billing", "orders"), levels, strict=False)
    ]
    contact = ChangedContact(
        contact_id="call-7", queue="orders", arrived_ms=MORNING_MS + 60_000, happened="abandoned",
        happened_wait_s=90.0, answered_share=0.75, abandoned_share=0.25, wait_s=31.0,
    )  # fmt: skip
    whole = row("", -1, levels[0])
    return Answer(
        change=ONE_MORE, acceptances="recorded", imputations=20, seed=1, entries=400, contacts=60,
        digest="ab" * 32, same_digest=True,
        sentence=sentence_of(ONE_MORE, whole, 4.2), rows=(whole, *queues, *slices),
        promises={"phone": (12, 8.5)}, contacts_changed=(contact,), changed=4.2,
    )  # fmt: skip


def page(language: str = "en") -> Document:
    return what_if_document(answer(), "Europe/Madrid", language)


# --- pictures -------------------------------------------------------------------------------------


def test_a_band_below_zero_lies_where_it_should() -> None:
    line = Course("one more", (-2.0, None, 3.0), (-5.0, None, 1.0), (1.0, None, 5.0))
    low, reach, middle = changes(Words("en"), ["1", "2", "3"], [line], "points")["series"]
    assert low["data"] == [-5.0, None, 1.0]
    assert reach["data"] == [6.0, None, 4.0]
    assert low["stack"] == reach["stack"]
    assert low["stackStrategy"] == reach["stackStrategy"] == "all"
    assert middle["data"] == [-2.0, None, 3.0]


def test_shares_are_drawn_in_percent_from_a_round_number() -> None:
    lines = [Course("now", (0.91, 0.95)), Course("then", (0.97, 1.0), (0.84, 0.9), (1.0, 1.0))]
    option = courses(Words("en"), ["1", "2"], lines, "", shares=True)
    assert (option["yAxis"]["min"], option["yAxis"]["max"]) == (70, 100)
    assert option["series"][-1]["data"] == [97.0, 100.0]
    assert option["legend"]["data"] == ["now", "then"]


# --- a recorded day otherwise ---------------------------------------------------------------------


def test_a_what_if_lays_both_days_side_by_side() -> None:
    document = page()
    assert document.answer == answer().sentence
    level, gone, wait, otherwise = document.facts
    assert (level.value, level.note, level.good) == (
        "+10.0 ± 4.0",
        "was 50.0%, would be 60.0%",
        True,
    )
    assert gone.good is None, "half the interval is more than the difference"
    assert wait.good is True
    assert otherwise.value == "4.2"
    pictures = {picture.name: picture.option for picture in document.pictures()}
    assert pictures["levels"]["xAxis"]["data"] == ["10:00", "10:30", "11:00"], "Madrid, not UTC"
    happened, would_be = pictures["levels"]["series"]
    assert (happened["data"], would_be["data"]) == ([50.0, None, 80.0], [60.0, None, 78.0])
    tables = {table.name: table for table in document.tables()}
    assert tables["Queues"].rows[0][:5] == ("billing", 0.5, 0.6, 10.0, 4.0)
    assert len(tables["Queue and interval"].rows) == 3
    assert tables["Contacts"].rows[0][:4] == ("call-7", "orders", "10:01", "abandoned")
    assert ("Digest of the recording", "ab" * 32) in tables["Run"].rows
    json.dumps([picture.option for picture in document.pictures()], allow_nan=False)


def test_the_chinese_what_if_speaks_chinese() -> None:
    document = page("zh")
    assert document.answer.startswith("若“shop 增加 1 人”，放弃的联络为 3.5 个而非 6 个")
    for chapter in document.chapters:
        for text in (chapter.title, *(picture.title for picture in chapter.pictures)):
            assert any("\u4e00" <= letter <= "\u9fff" for letter in text), text
    nothing = compared(0.5, 0.0, 0.0)
    same = replace(answer().rows[0], service_level=nothing, abandoned=compared(6, 0.0, 0.0))
    still = replace(answer(), sentence=sentence_of(ONE_MORE, same, 0.0), rows=(same,), changed=0.0)
    assert "不会改变" in what_if_document(still, "UTC", "zh").answer


def test_replays_without_the_change_are_the_yardstick_where_all_is_drawn() -> None:
    level = replace(compared(0.5, 0.1, 0.04), without=0.45)
    rows = tuple(
        replace(row, service_level=level, abandoned=replace(row.abandoned, without=7.0))
        for row in answer().rows
    )
    rows = (*rows, replace(rows[-1], from_ms=rows[-1].from_ms + 86_400_000))
    found = {"gave up": (0.1, 0.12), "waited": (0.5, 0.55), "wait s": (30.0, 33.0)}
    drawn = replace(
        answer(), rows=rows, acceptances="drawn", listed=True, digest="", reproduced=found
    )
    document = what_if_document(drawn, "Europe/Madrid")
    pictures = {picture.name: picture.option for picture in document.pictures()}
    before = pictures["levels"]["series"][0]
    assert (before["name"], before["data"][0]) == ("Without the change", 45.0)
    assert pictures["levels"]["xAxis"]["data"][0] == "2026-03-03 10:00", "several days"
    tables = {table.name: table for table in document.tables()}
    assert tables["Queues"].rows[0][:4] == ("billing", 0.5, 0.45, 0.6)
    told = " ".join(
        words for chapter in document.chapters if chapter.name == "assumptions"
        for words in chapter.words
    )  # fmt: skip
    assert "12.0% who give up (10.0% did)" in told
    assert all(row[0] != "Digest of the recording" for row in tables["Run"].rows)


def call(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(build(), list(words))
    return done.exit_code, done.output


def test_what_if_writes_its_page(tmp_path: Path) -> None:
    journal, out = tmp_path / "day.jsonl", tmp_path / "out"
    code, said = call(
        "simulate", "--config", "configs/tiny", "--hours", "1", "--seed", "5", "-o", str(journal)
    )
    assert code == 0, said
    code, said = call(
        "what-if", str(journal), "--add", "shop=1", "--imputations", "2", "--workers", "1",
        "-o", str(out), "--lang", "zh",
    )  # fmt: skip
    assert code == 0, said
    assert {path.name for path in out.iterdir()} == {"report.html", "what-if.xlsx", "what-if.json"}
    assert json.loads((out / "what-if.json").read_text(encoding="utf-8"))["same_digest"]
    book = CalamineWorkbook.from_path(str(out / "what-if.xlsx"))
    assert "联络" in book.sheet_names
    assert call("what-if", str(journal), "--open")[0] == 2


# --- the next hours -------------------------------------------------------------------------------


def pair(without: float, difference: float, half: float = 0.02) -> Paired:
    return Paired(
        without=without, within=without + difference, difference=difference, half_width=half,
        error=half / 2, without_half=0.03, within_half=0.04,
    )  # fmt: skip


def course(name: str, change: float) -> CourseAnswer:
    """Return a course that changes the service level so much, and hang-ups ten times against it."""
    measures = {
        "service level": pair(0.6, change),
        "answered": pair(50, 0.0),
        "gave up": pair(8, -10 * change, 0.5),
        "waiting": pair(2, -change),
    }
    quiet = {name: one for name, one in measures.items() if name != "service level"}
    spread = {"service level": (0.4, 0.8), "answered": (40.0, 60.0), "gave up": (2.0, 16.0)}
    present = Present(
        contact_id="call-9", demand="order_calls", waited_s=40.0, gives_up_without=0.4,
        gives_up_with=0.1, wait_s_without=70.0, wait_s_with=50.0,
    )  # fmt: skip
    return CourseAnswer(
        name=name, sentence=foretold(name if change else "", 60.0, measures), whole=measures,
        slices=(Slice(from_min=0.0, measures=measures), Slice(from_min=30.0, measures=quiet)),
        demands={"order_calls": measures}, contacts=(present,) if change else (),
        spread={**spread, "waiting": (0.0, 5.0)},
    )  # fmt: skip


@cache
def forecast() -> ForecastNow:
    """Return what a look ahead could say of two courses."""
    better, worse = course(ONE_MORE, 0.1), course(MORE_CONTACTS, -0.2)
    return ForecastNow(
        sentence=better.sentence, center="corner-shop", config_hash="0123", at_ms=MORNING_MS,
        seq=77, horizon_min=60.0, pairs=40, pairs_max=200, within_points=1.0, sharp=False, seed=1,
        waiting=2, in_hand=6, signed_in=5, busyness={"order_calls": 1.2},
        definition="answered in time over offered less short", within_s={"order_calls": 20.0},
        alone=course("nothing", 0.0), courses=(better, worse),
    )  # fmt: skip


def test_a_forecast_draws_courses_against_doing_nothing() -> None:
    document = forecast_document(forecast(), "Europe/Madrid")
    assert document.answer == (
        "With 1 more in shop, 7.0 contacts give up in the next 60 minutes instead of 8.0 (-1.0 ± "
        "0.5), and 70.0% instead of 60.0% are answered in time (+10.0 ± 2.0 points)."
    )
    now, level, *_, better, worse = document.facts
    assert (now.value, now.note) == ("2 waiting", "6 in hand, 5 signed in")
    assert (level.value, level.note) == ("60.0% ± 3.0", "40% to 80% in 9 of 10 draws")
    assert (better.value, better.good) == ("+10.0 ± 2.0", True)
    assert (worse.value, worse.good) == ("-20.0 ± 2.0", False)
    pictures = {picture.name: picture.option for picture in document.pictures()}
    lines = [one for one in pictures["ahead_in_time"]["series"] if one.get("z") == 3]
    assert [line["data"] for line in lines] == [[60.0, None], [70.0, None], [40.0, None]]
    assert pictures["ahead_in_time"]["xAxis"]["data"] == ["10:00", "10:30"]
    low, reach, middle, *_ = pictures["change_gave_up"]["series"]
    assert (low["data"], reach["data"], middle["data"]) == ([-1.5] * 2, [1.0] * 2, [-1.0] * 2)
    tables = {table.name: table for table in document.tables()}
    assert len(tables["Ahead"].rows) == 6
    assert tables["Courses"].rows[0][:4] == ("1 more in shop", "Answered in time", "%", 60.0)
    assert tables["Contacts"].rows[0][4:6] == (0.4, 0.1)
    assert ("Draws", "40 of at most 200") in tables["Run"].rows
    json.dumps([picture.option for picture in document.pictures()], allow_nan=False)


def test_the_chinese_forecast_speaks_chinese() -> None:
    document = forecast_document(forecast(), "UTC", "zh")
    assert document.answer == (
        "若“shop 增加 1 人”，未来 60 分钟内有 7.0 个联络放弃而非 8.0 个（-1.0 ± 0.5），"
        "70.0% 而非 60.0% 及时应答（+10.0 ± 2.0 个百分点）。"
    )
    alone = replace(forecast(), sentence=forecast().alone.sentence, courses=())
    document = forecast_document(alone, "UTC", "zh")
    assert document.answer == (
        "若无改变，未来 60 分钟内有 8.0 ± 0.0 个联络放弃，60.0%（± 3.0 个百分点）及时应答。"
    )
    assert [chapter.name for chapter in document.chapters] == [
        "ahead", "assumptions", "definitions", "run",
    ]  # fmt: skip


def test_forecast_now_writes_its_page(tmp_path: Path) -> None:
    journal, out = tmp_path / "day.jsonl", tmp_path / "out"
    code, said = call(
        "simulate", "--config", "configs/tiny", "--hours", "1", "--seed", "5", "-o", str(journal)
    )
    assert code == 0, said
    code, said = call(
        "forecast-now", "--store", str(journal), "--scenario", "tiny", "--horizon", "20m",
        "--add", "shop=1", "--pairs", "2", "--workers", "1", "-o", str(out),
    )  # fmt: skip
    assert code == 0, said
    assert {path.name for path in out.iterdir()} == {
        "report.html", "forecast.xlsx", "forecast.json",
    }  # fmt: skip
    found = json.loads((out / "forecast.json").read_text(encoding="utf-8"))
    assert found["config_hash"] in (out / "report.html").read_text(encoding="utf-8")
    sheets = CalamineWorkbook.from_path(str(out / "forecast.xlsx")).sheet_names
    assert sheets[:3] == ["Answer", "Ahead", "Demand ahead"]


@needs_chromium
def test_a_floor_manager_opens_the_forecast(tmp_path: Path) -> None:
    path, _ = write_document(forecast_document(forecast(), "UTC", "zh"), tmp_path, "forecast")
    seen = asyncio.run(look(path.resolve(), 390))
    assert seen["troubles"] == []
    assert seen["drawn"] == seen["pictures"] == 6
    assert {"shop 增加 1 人", "联络 +30%", "09:30"} <= set(seen["texts"])
    assert seen["wide"] <= 390
    assert seen["cut"] == seen["covered"] == []


@needs_chromium
@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh", 390)])
def test_a_planner_opens_the_what_if(tmp_path: Path, language: str, width: int) -> None:
    path, _ = write_document(page(language), tmp_path, "what-if")
    seen = asyncio.run(look(path.resolve(), width))
    assert seen["troubles"] == []
    assert seen["drawn"] == seen["pictures"] == 5
    assert seen["wide"] <= width
    assert seen["cut"] == seen["covered"] == []
    assert render_page(page(language)).count("10:30")
