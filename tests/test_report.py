"""The planner's page and workbook: they say what the study says, in two languages."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from configs.changes import Change
from configs.planning import Closing, Law, Scenario
from simulation.plan.answers import Figure, IntervalRow, Result
from simulation.plan.changes import apply_change
from simulation.plan.estimates import LEVELS
from simulation.plan.reading import load_scenario
from simulation.plan.replications import Study, run
from simulation.plan.results import result_of
from simulation.plan.tallies import Count
from simulation.report import charts
from simulation.report.compare_document import compare_document
from simulation.report.differing import differences
from simulation.report.document import Document, Form, shown
from simulation.report.evidence import evidence_of
from simulation.report.folder import write_document
from simulation.report.page import render_page
from simulation.report.plan_document import plan_document
from simulation.report.plan_outcomes import outcomes_chapter
from simulation.report.wording import LANGUAGES, Words, read_words
from switchroom import build
from tests.looking import look, needs_chromium

PAGE_BYTES_MAX = 2_000_000


@cache
def scenario(name: str = "tiny") -> Scenario:
    return load_scenario(Path(name))


@cache
def study(factor: float = 1.0) -> Study:
    played = scenario()
    if factor != 1:
        played = replace(apply_change(played, Change(demand=factor)), name=f"times {factor:g}")
    return run(played, 12, workers=1)


@cache
def result() -> Result:
    return result_of(study())


@cache
def document(language: str = "en") -> Document:
    return plan_document(study(), language, result())


# --- words ----------------------------------------------------------------------------------------


def test_both_languages_have_the_same_words_with_the_same_places() -> None:
    words = read_words()
    english, chinese = words["en"], words["zh"]
    assert set(english) == set(chinese)
    for key in english:
        places = [sorted(re.findall(r"\{(\w+)\}", each[key])) for each in (english, chinese)]
        assert places[0] == places[1], key


def test_every_word_that_is_said_exists_and_every_one_there_is_is_said() -> None:
    root = Path(__file__).parent.parent / "simulation"
    source = "".join(
        path.read_text(encoding="utf-8")
        for room in ("report", "app")
        for path in sorted((root / room).glob("*.py"))
    )
    known = read_words()["en"]
    assert set(re.findall(r"""words\(\s*["']([a-z_0-9]+)["']""", source)) <= set(known)
    named = set(re.findall(r"""["']([a-z_0-9]+)["']""", source))
    made = [
        re.sub(r"\{[^}]*\}", ".*", text) for text in re.findall(r"""f["'](\w*\{[^"]*)""", source)
    ]
    unsaid = {
        key for key in set(known) - named
        if not any(re.fullmatch(form, key) for form in made if form != ".*" and "(" not in form)
    }  # fmt: skip
    assert unsaid == set()


def test_what_a_study_calls_things_has_a_chinese_name() -> None:
    names = read_words()["names"]["zh"]
    called = {*result().costs, *(row.line for row in result().theory)}
    called |= {reason for row in result().theory for reason in row.outside}
    called |= {row.model for row in result().theory}
    called |= {"service level", "abandonment", "speed of answer", "occupancy", "cost"}
    lines = {name for name in called if "(" in name and name not in names}
    assert called - lines <= set(names)


def test_every_definition_of_a_service_level_is_told() -> None:
    for language in LANGUAGES:
        for level in LEVELS:
            assert "/" in Words(language)(f"level_{level}")
    with pytest.raises(ValueError, match="known are en, zh"):
        Words("fr")


def test_cells_are_shown_as_people_read_them() -> None:
    assert shown(0.8614, Form.SHARE) == "86.1%"
    assert shown(61_695.4, Form.MONEY) == "61,695"
    assert shown(None, Form.SHARE) == "–"


# --- pictures are data ----------------------------------------------------------------------------


def row(required: float, pooled: float, net: float) -> IntervalRow:
    none = Figure(None)
    return IntervalRow("09:00", none, required, pooled, 9, net, none, none, none, None, None, 0.0)


def test_what_lacks_is_shaded_between_agents_and_need() -> None:
    rows = [row(10, 8, 12), row(10, 8, 9), row(10, 8, 5)]
    assert charts.shortage(rows) == [(0, 0), (0, 1), (3, 2)]
    option = charts.staffing(Words("en"), rows)
    base, surely, perhaps = (series["data"] for series in option["series"][:3])
    assert [sum(column) for column in zip(base, surely, perhaps, strict=True)] == [10, 10, 10]
    for series in option["series"]:
        assert len(series["data"]) == len(option["xAxis"]["data"]) == 3


def test_waits_add_up_to_the_answered() -> None:
    evidence = evidence_of(study(), result().judged)
    for demand in result().demands:
        assert sum(evidence.waits[demand.name]) == pytest.approx(demand.answered)
    option = charts.waits(Words("en"), evidence.wait_limits_s, evidence.waits)
    drawn = sum(sum(series["data"]) for series in option["series"][:-1])
    assert drawn == pytest.approx(sum(demand.answered for demand in result().demands), abs=0.1)
    assert option["series"][-1]["data"][-1] == 100
    assert len(option["xAxis"]["data"]) == len(option["series"][0]["data"])


def test_a_limit_of_waits_agrees_with_the_service_level() -> None:
    """Of the answered within their time the histogram knows as many as the counts."""
    evidence = evidence_of(study(), result().judged)
    limit = evidence.wait_limits_s.index(20.0)
    counts = study().counts[:, study().demands.index("order_calls"), :, 7].sum() / study().days
    assert sum(evidence.waits["order_calls"][: limit + 1]) == pytest.approx(counts, rel=0.01)


def test_the_heat_map_has_a_cell_for_each_figure() -> None:
    levels = {"a": (0.5, None, 1.0), "b": (0.8, 0.79, 0.0)}
    option = charts.heat_map(Words("en"), ["1", "2", "3"], levels, 0.8)
    assert len(option["series"][0]["data"]) == 5
    pieces = option["visualMap"]["pieces"]
    assert pieces[0]["gte"] == 0
    assert [piece["lt"] for piece in pieces[:-1]] == [piece["gte"] for piece in pieces[1:]]
    assert 80 in {piece["gte"] for piece in pieces}
    assert pieces[-1]["lt"] > 100


@pytest.mark.parametrize("target", [0.8, 0.95, 0.333])
def test_no_bin_of_days_holds_both_kinds(target: float) -> None:
    daily = [0.62, target - 1e-6, target, target + 0.001, 0.99, 1.0]
    bins = charts.risk_bins(daily, target)
    assert sum(count for _, _, count in bins) == len(daily)
    missed = sum(count for low, _, count in bins if low < target - 1e-9)
    assert missed == sum(1 for level in daily if level < target)
    assert charts.risk_bins([], target) == []


def test_costs_are_drawn_whole_and_largest_first() -> None:
    parts = {"staff": 10.0, "fixed": 30.0, "telephony": 0.0}
    option = charts.amounts(Words("zh"), parts, "CNY")
    assert option["yAxis"]["data"] == ["固定费用", "人工"]
    assert [cell["value"] for cell in option["series"][0]["data"]] == [30.0, 10.0]


def test_what_becomes_of_contacts_adds_up_to_all_who_came() -> None:
    table = outcomes_chapter(Words("en"), result()).tables[0]
    counts = study().counts.sum(axis=2).mean(axis=0)
    for index, ends in enumerate(table.rows):
        came = counts[index, Count.ARRIVED] + counts[index, Count.BOT]
        assert ends[-1] == pytest.approx(came)
    played = scenario()
    patient = {
        name: replace(demand, patience=None, closing=closing)
        for (name, demand), closing in zip(
            played.demand.items(), (Closing.CARRIED, Closing.CLEARED), strict=True
        )
    }
    shop = replace(played.workforce["shop"], shifts=(), staffed=(1,) * 8)
    crowded = replace(played, demand=patient, workforce={"shop": shop})
    document = plan_document(run(apply_change(crowded, Change(demand=2.5)), 2, workers=1))
    (chapter,) = (chapter for chapter in document.chapters if chapter.name == "outcomes")
    told = " ".join(chapter.words)
    assert "are carried over to the next day" in told
    assert "are sent away" in told


def test_an_unknown_error_is_not_shown_as_none() -> None:
    lone = replace(result(), service_level=Figure(0.8), wait_s=Figure(3.0), abandonment=Figure(0.1))
    for language in LANGUAGES:
        level, _, lost, wait, *_ = plan_document(study(), language, lone).facts
        for fact in (level, lost, wait):
            assert "±" not in fact.value
            assert Words(language)("error_unknown") in fact.note
    alone = run(scenario(), 1, workers=1)
    assert "误差未知" in plan_document(alone, "zh").answer
    other = run(apply_change(scenario(), Change(demand=2.5)), 1, workers=1)
    compared = compare_document(alone, [replace(other, scenario=scenario())], "zh")
    assert "天数太少" in compared.answer
    assert [row[7] for row in compared.tables()[0].rows[:3]] == [None, None, None]
    assert "±" not in compared.facts[0].value


# --- the page -------------------------------------------------------------------------------------


def test_the_page_opens_with_the_answer_and_asks_nobody() -> None:
    page = render_page(document())
    assert len(page.encode()) < PAGE_BYTES_MAX
    assert page.index(result().sentence) < page.index("<section")
    body = page[: page.index('<script type="application/json"')]
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', body)
    for must in (result().config_hash, "seed 1", "served", "answered in time / (offered"):
        assert must in page


def test_a_name_cannot_break_out_of_the_page() -> None:
    evil = "</script><script>alert(1)</script>&"
    renamed = replace(result(), scenario=evil, sentence=evil)
    page = render_page(plan_document(study(), "en", renamed))
    assert evil not in page
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in page


def test_the_chinese_page_speaks_chinese() -> None:
    chinese = document("zh")
    assert chinese.answer.startswith("目标 80 % 已达到：")
    assert [chapter.name for chapter in chinese.chapters] == [
        chapter.name for chapter in document().chapters
    ]
    for chapter in chinese.chapters:
        for words in (chapter.title, *(table.title for table in chapter.tables)):
            assert re.search(r"[\u4e00-\u9fff]", words), words


# --- the workbook ---------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_workbook_says_what_the_study_says(tmp_path: Path, language: str) -> None:
    _, path = write_document(document(language), tmp_path, "plan")
    book = CalamineWorkbook.from_path(str(path))
    tables = document(language).tables()
    assert len(book.sheet_names) == len(tables) + 1
    for name, table in zip(book.sheet_names[1:], tables, strict=True):
        title, _, head, *rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        assert title[0] == table.title
        assert head[: len(table.columns)] == [column.head for column in table.columns]
        assert len(rows) == len(table.rows)
        for read, written in zip(rows, table.rows, strict=True):
            for cell, value in zip(read, written, strict=True):
                assert cell == ("" if value is None else pytest.approx(value)), (name, read)
    again = tmp_path / "again"
    write_document(document(language), again, "plan")
    assert (again / "plan.xlsx").read_bytes() == path.read_bytes()


# --- comparisons and commands ---------------------------------------------------------------------


def test_a_comparison_opens_with_its_sentence() -> None:
    found = compare_document(study(), [study(2.5), study()])
    assert "surely worse" in found.answer
    assert "exactly the same on all 12 days" in found.answer
    chapter = found.chapters[0]
    assert [picture.name for picture in chapter.pictures] == ["levels1", "days1"]
    days = chapter.pictures[1].option["series"][0]["data"]
    assert len(days) == 12
    assert found.facts[0].good is False
    one = compare_document(study(), [study(2.5)])
    assert [fact.label for fact in one.facts[:2]] == [
        "service level, points", "abandonment, points",
    ]  # fmt: skip
    assert [fact.good for fact in one.facts[:2]] == [False, False], "surely more give up"
    measures, differs = one.chapters[0].tables
    assert isinstance(measures.rows[0][6], float)
    assert [row[0] for row in differs.rows] == [
        f"demand.{name}.factor" for name in sorted(study().demands)
    ]
    assert "surely" not in compare_document(study(), [study(2.5)], "zh").answer
    json.dumps([picture.option for picture in found.pictures()], allow_nan=False)


def call(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(build(), list(words))
    return done.exit_code, done.output


def test_plan_compare_and_budget_write_page_and_workbook(tmp_path: Path) -> None:
    days = ("--days", "2", "--workers", "1")
    code, said = call("plan", "tiny", *days, "-o", str(tmp_path / "p"), "--lang", "zh")
    assert code == 0, said
    assert "written: " in said
    assert {path.name for path in (tmp_path / "p").iterdir()} >= {
        "report.html", "plan.xlsx", "plan.json", "intervals.csv",
    }  # fmt: skip
    assert '<html lang="zh-CN">' in (tmp_path / "p" / "report.html").read_text(encoding="utf-8")
    code, said = call("compare", "tiny", "tiny", *days, "-o", str(tmp_path / "c"))
    assert code == 0, said
    assert "exactly the same" in (tmp_path / "c" / "report.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "c" / "compare.json").read_text())[0]["days"] == 2
    code, said = call(
        "budget", "sample", "--from", "2026-01", "--months", "3", "--days", "1", "--workers", "1",
        "-o", str(tmp_path / "b"),
    )  # fmt: skip
    assert code == 0, said
    assert "the drivers ask for" in (tmp_path / "b" / "report.html").read_text(encoding="utf-8")
    book = CalamineWorkbook.from_path(str(tmp_path / "b" / "budget.xlsx"))
    assert "Months" in book.sheet_names


def test_mistaken_options_are_refused_before_anything_is_played(tmp_path: Path) -> None:
    assert call("plan", "tiny", "--lang", "fr")[0] == 2
    assert call("plan", "tiny", "--open")[0] == 2
    assert call("compare", "tiny", "tiny", "--open")[0] == 2


def test_what_differs_is_told_as_a_file_would_write_it() -> None:
    shop = scenario()
    later = replace(shop.demand["order_calls"], factor=1.1 * 1.1, wrap_up=Law(mean_ms=90_000))
    later = replace(later, answer_within_ms=1_500)
    other = replace(shop, interval_ms=1_800_000, demand={**shop.demand, "order_calls": later})
    assert differences(shop, other) == [
        ("demand.order_calls.answer_within", "0s", "1500ms"),
        ("demand.order_calls.factor", "1.0", "1.21"),
        ("demand.order_calls.wrap_up.mean", "8s", "90s"),
        ("interval", "60m", "30m"),
    ]


# --- in a browser ---------------------------------------------------------------------------------


@needs_chromium
@pytest.mark.parametrize(("language", "width"), [("en", 1200), ("zh", 390)])
def test_a_planner_opens_the_page(tmp_path: Path, language: str, width: int) -> None:
    page, _ = write_document(document(language), tmp_path, "plan")
    seen = asyncio.run(look(page.resolve(), width))
    assert seen["troubles"] == []
    assert seen["answer"] == document(language).answer
    assert seen["cut"] == seen["covered"] == []
    assert seen["drawn"] == seen["pictures"] == len(document(language).pictures())
    assert seen["wide"] <= width, "nothing sticks out to the side"
    words, texts = Words(language), set(seen["texts"])
    assert {words("required"), words("net"), "09:00", "order_calls"} <= texts
    assert words("target_line", percent="80") in texts
    assert 3 <= seen["sheets"] <= 8
