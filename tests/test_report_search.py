"""Pages of `staff`, `schedule` and `tune`: they say what the search found, in two languages."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from configs.changes import Change, OtherHours
from configs.planning import Break, Shift
from simulation.plan.changes import apply_change
from simulation.plan.reading import SHIPPED, load_scenario
from simulation.plan.replications import Study, Workers
from simulation.report.charts_staffing import Bar, shifts
from simulation.report.document import Document, Form
from simulation.report.folder import write_document
from simulation.report.page import render_page
from simulation.report.staff_document import staff_document
from simulation.report.tune_document import tune_document
from simulation.report.wording import LANGUAGES, Words, read_words
from simulation.staffing.certificate import Certificate, unconfirmed
from simulation.staffing.hunt import Effort
from simulation.staffing.seeking import seek
from simulation.staffing.spaces import intervals_space, shifts_space
from simulation.staffing.tuning import Reached, Setting, Tuning, sentence_of
from switchroom import build
from tests.looking import look, needs_chromium

NOON = Break(earliest="11:00", latest="11:30", length_ms=600_000)
KINDS = (
    Shift(start="10:00", end="12:00", count=2, breaks=(NOON,)),
    Shift(start="11:00", end="12:00", count=2),
)
TWO_HOURS = OtherHours(opens="10:00", closes="12:00", come_later=0.0)


@cache
def found(unit: str) -> tuple[Certificate, Study]:
    """Search two hours of the shop, once a unit, with little effort: what is found is all one."""
    scenario = apply_change(load_scenario(Path("tiny")), Change(hours=TWO_HOURS))
    scenario = replace(scenario, target=replace(scenario.target, percent=70))
    shop = replace(scenario.workforce["shop"], shifts=KINDS if unit == "shifts" else ())
    scenario = replace(scenario, workforce={"shop": shop})
    if unit == "shifts":
        lost = replace(scenario.target, percent=0, abandoned_percent=8)
        scenario = replace(scenario, targets={"billing": lost})
    space = shifts_space(scenario) if unit == "shifts" else intervals_space(scenario)
    with Workers(1) as crew:
        sought = seek(space, crew, Effort(12, 12, 3, 0.6), 1, unit, lambda _: None)
    return sought.certificate, sought.study


def two_hours(folder: Path) -> Path:
    """Write the two hours as a scenario file."""
    path = folder / "two-hours.yaml"
    path.write_text(
        f"name: two hours\nbase: {SHIPPED / 'tiny.yaml'}\n"
        "changes: [{hours: {opens: '10:00', closes: '12:00', come_later: 0.0}}]\n",
        encoding="utf-8",
    )
    return path


@cache
def document(unit: str, language: str = "en") -> Document:
    return staff_document(*found(unit), language)


@pytest.mark.parametrize("unit", ["agents", "shifts"])
def test_a_staffing_says_how_many_how_surely_and_what_is_next(unit: str) -> None:
    certificate, page = found(unit)[0], document(unit)
    assert page.answer == certificate.sentence
    chapters = {chapter.name: chapter for chapter in page.chapters}
    assert list(chapters)[:4] == ["plan", "kept", "worth", "staffing"]
    assert {"levels", "waits", "theory", "assumptions", "definitions", "run"} <= set(chapters)
    agents = chapters["plan"].tables[-1]
    assert [row[-1] for row in agents.rows] == pytest.approx(
        [sum(column) for column in zip(*certificate.at_work, strict=True)]
    )
    drawn = chapters["plan"].pictures[-1].option["series"][0]["data"]
    assert drawn == pytest.approx([row[1] for row in agents.rows], abs=0.01)
    kept = chapters["kept"].tables[0]
    assert [row[3] for row in kept.rows] == [min(1.0, row.reached) for row in certificate.kept]
    pictures = {"kept"} if unit == "agents" else {"kept", "lost"}
    assert {picture.name for picture in chapters["kept"].pictures} == pictures
    worth = chapters["worth"].tables[0]
    assert (worth.rows[0][1], worth.rows[1][1]) == (certificate.bound, certificate.cost)
    seconds = [row for row in worth.rows if row[0] == "Second best"]
    assert all(row[2] >= 0 for row in seconds), "what costs less and held is no second best"  # type: ignore[operator]
    assert ("Seed", "1") in chapters["run"].tables[0].rows


def test_the_chinese_pages_speak_chinese_and_every_note_has_a_name() -> None:
    names = read_words()["names"]["zh"]
    for unit in ("agents", "shifts"):
        certificate = found(unit)[0]
        assert set(certificate.notes) <= set(names)
        page = document(unit, "zh")
        assert "个目标" in page.answer or "没有方案" in page.answer
        for chapter in page.chapters:
            for text in (chapter.title, *(picture.title for picture in chapter.pictures)):
                assert any("\u4e00" <= letter <= "\u9fff" for letter in text), text


def test_an_unconfirmed_plan_says_what_is_not_sure() -> None:
    certificate, study = found("agents")
    lacking = replace(certificate.kept[0], met=False)
    kept = (lacking, *certificate.kept[1:])
    said = unconfirmed((lacking.need,), "9 EUR", cut_short=True)
    shaky = replace(certificate, sentence=said, confirmed=False, kept=kept)
    page = staff_document(shaky, study, "zh")
    assert page.good is False
    assert f"{Words('zh').name(lacking.need)} 尚无把握" in page.answer
    assert staff_document(shaky, study).answer == (
        f"No plan was confirmed in the time given: the nearest costs 9 EUR and {lacking.need} is "
        "not sure; give more --minutes."
    )
    assert page.facts[1].good is False
    told = {words for chapter in page.chapters for words in chapter.words}
    assert Words("zh")("falls_short") not in told, "the day as a whole does not hold"


def test_shifts_are_bars_with_the_time_in_which_breaks_lie() -> None:
    bar = Bar("shop", "09:00–17:00", 3, 9, 17, ((12, 14), (13.5, 14.5), (9, 9.5)))
    assert bar.pieces() == [
        (False, 0), (True, 0.5), (False, 2.5), (True, 2.5), (False, 2.5),
    ]  # fmt: skip
    option = shifts(Words("en"), [bar, Bar("night", "00:00–08:00", 1, 0, 8, ())])
    ends = [
        sum(
            cell["value"] if isinstance(cell, dict) else cell
            for cell in (series["data"][row] for series in option["series"])
        )
        for row in range(2)
    ]
    assert ends == [17, 8]
    assert option["yAxis"]["data"] == ["shop × 3", "night × 1"]


def test_workbooks_hold_numbers_with_units_and_frozen_heads(tmp_path: Path) -> None:
    page = document("shifts")
    _, path = write_document(page, tmp_path, "schedule")
    book = CalamineWorkbook.from_path(str(path))
    for name, table in zip(book.sheet_names[1:], page.tables(), strict=True):
        title, _, head, *rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        assert title[0] == table.title
        for column, shown in zip(table.columns, head, strict=False):
            assert str(shown).startswith(column.title)
            assert (column.unit in str(shown)) or not column.unit
        for read in rows:
            for cell, column in zip(read, table.columns, strict=False):
                number = column.form is not Form.TEXT
                assert cell == "" or isinstance(cell, float) is number, (name, column.title)


def call(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(build(), list(words))
    return done.exit_code, done.output


def test_staff_writes_its_page(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, said = call(
        "staff", str(two_hours(tmp_path)), "--workers", "1", "--days", "12", "--confirm-days", "12",
        "--rounds", "2", "--confidence", "0.6", "--target", "70/30", "-o", str(out), "--lang", "zh",
    )  # fmt: skip
    assert code == 0, said
    assert {path.name for path in out.iterdir()} == {
        "report.html", "staff.xlsx", "certificate.json", "staffing.csv", "scenario.yaml",
    }  # fmt: skip
    assert '<html lang="zh-CN">' in (out / "report.html").read_text(encoding="utf-8")
    assert call("staff", "tiny", "--lang", "fr")[0] == 2
    assert call("schedule", "tiny", "--open")[0] == 2


@needs_chromium
@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh", 390)])
def test_a_planner_opens_the_shifts(tmp_path: Path, language: str, width: int) -> None:
    page, _ = write_document(document("shifts", language), tmp_path, "schedule")
    seen = asyncio.run(look(page.resolve(), width))
    assert seen["troubles"] == []
    assert seen["drawn"] == seen["pictures"] == len(document("shifts", language).pictures())
    assert seen["wide"] <= width, "nothing sticks out to the side"
    assert seen["cut"] == seen["covered"] == []
    assert 3 <= seen["sheets"] <= 12


def test_pictures_are_plain_data() -> None:
    for unit in ("agents", "shifts"):
        for language in LANGUAGES:
            pictures = document(unit, language).pictures()
            json.dumps([picture.option for picture in pictures], allow_nan=False)
            assert render_page(document(unit, language))
            assert len({picture.name for picture in pictures}) == len(pictures)


# --- routing settings -----------------------------------------------------------------------------


def reached(line: str, missed: float, change: float) -> Reached:
    return Reached(line, "not in time", missed, 0.01, change, change - 0.02, change + 0.02)


@cache
def tuned(lines: int = 2) -> Tuning:
    """Return what `tune` could say of some lines: today's, one on the front, one beaten."""
    names = ("orders", "billing", "care", "night")[:lines]
    settings = [
        Setting({}, True, True, 12, tuple(reached(name, 0.1, 0.0) for name in names), ""),
        Setting(
            {"center.queues.orders.reserve": 1}, False, True, 12,
            tuple(reached(name, 0.1 + by, by) for name, by in zip(names, (0.03, -0.04, 0.01, 0.0),
                                                                  strict=False)), "",
        ),
        Setting(
            {"center.queues.orders.reserve": 2}, False, False, 12,
            tuple(reached(name, 0.15, 0.05) for name in names), "",
        ),
    ]  # fmt: skip
    sentence = sentence_of([(-1,), (0,)], (-1,))
    return Tuning(sentence, "a shop", "shop", "0123", 1, 12, 40, tuple(settings), 3)


def test_the_front_is_a_picture_and_says_what_to_write() -> None:
    page = tune_document(tuned())
    front, values, *_ = page.chapters
    (picture,) = front.pictures
    series = {each["name"]: each for each in picture.option["series"]}
    assert [dot["value"] for dot in series["On the front"]["data"]] == [[13.0, 6.0]]
    assert series["today"]["data"] == [{"name": "today", "value": [10.0, 10.0]}]
    assert series[""]["data"] == [[10.0, 10.0], [13.0, 6.0]], "from left to right"
    whiskers = [s["data"] for s in picture.option["series"] if "interval" in s["name"]]
    assert whiskers == [[[11.0, 6.0], [15.0, 6.0]], [[13.0, 4.0], [13.0, 8.0]]]
    name, on_front, *numbers = front.tables[0].rows[1][:6]
    assert (name, on_front) == ("setting 1", "yes")
    assert numbers == pytest.approx([0.13, 3.0, 1.0, 5.0])
    assert values.tables[0].rows[0] == ("setting 1", "queues.orders.reserve", "1")
    assert page.facts[1].value == "6.00%"
    assert "setting 1: -4.00 ± 2.00" in page.facts[1].note


def test_many_lines_stand_beside_each_other() -> None:
    names = [picture.name for picture in tune_document(tuned(4)).pictures()]
    assert names == ["front0-1", "front0-2", "front1-2", "all_lines"]
    option = tune_document(tuned(4)).pictures()[-1].option
    assert [axis["name"] for axis in option["parallelAxis"]] == [
        "orders", "billing", "care", "night",
    ]  # fmt: skip
    assert len(option["series"]) == 2, "what is beaten would hide the front"
    answers = {
        tune_document(replace(tuned(), sentence=sentence_of(front, (-1,))), "zh").answer
        for front in ([(-1,)], [(0,)], [(0,), (-1,)], [(0,), (1,)])
    }
    assert "试过的设置中没有一个在任何队列上优于现有设置。" in answers
    alone = tune_document(replace(tuned(), settings=tuned().settings[:1], dropped=2, alike=1))
    assert [chapter.name for chapter in alone.chapters] == ["front", "definitions", "run"]
    assert alone.pictures() == (), "one point is no picture"
    assert alone.chapters[0].words[0].startswith("3 more were")
    assert len(answers) == 4


def test_tune_writes_its_page(tmp_path: Path) -> None:
    code, said = call(
        "tune", "tiny", "--workers", "1", "--days", "6", "-o", str(tmp_path),
        "--vary", "center.queues.orders.reserve=0..1",
    )  # fmt: skip
    assert code == 0, said
    found = json.loads((tmp_path / "tune.json").read_text(encoding="utf-8"))
    assert found["config_hash"] in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Settings" in CalamineWorkbook.from_path(str(tmp_path / "tune.xlsx")).sheet_names


@needs_chromium
def test_a_planner_opens_the_front(tmp_path: Path) -> None:
    page, _ = write_document(tune_document(tuned(4)), tmp_path, "tune")
    seen = asyncio.run(look(page.resolve(), 390))
    assert seen["troubles"] == []
    assert seen["drawn"] == seen["pictures"] == 4
    assert {"orders", "night", "today"} <= set(seen["texts"])
    assert seen["wide"] <= 390
    assert seen["cut"] == seen["covered"] == []
