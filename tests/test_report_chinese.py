"""Every page and workbook in Chinese is Chinese to its last cell; English is said only once."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import re
import string
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path

import msgspec
import pytest

from benchmarks.staffing_cases import n_design
from configs.changes import Change, SiteLost
from configs.planning import Again, Busyness, Law, Scenario
from router.center import CHANNEL_KINDS
from simulation.phrases import Phrase
from simulation.plan.changes import apply_change
from simulation.plan.courses import Wishes, changed, courses_of
from simulation.plan.reading import load_scenario
from simulation.plan.replications import Study, Workers, run
from simulation.report.compare_document import compare_document
from simulation.report.document import Document
from simulation.report.forecast_document import forecast_document
from simulation.report.plan_document import plan_document
from simulation.report.tune_document import tune_document
from simulation.report.what_if_document import what_if_document
from simulation.report.wording import Words, read_words
from simulation.staffing.hunt import Effort
from simulation.staffing.seeking import seek
from simulation.staffing.spaces import intervals_space
from tests import test_report_onward as onward
from tests import test_report_search as search

ROOT = Path(__file__).parent.parent
# Names of people and programs, and what a reader would type.
ALLOWED = (
    "switchroom", "Erlang A", "Rubin", "delta", "scenario.yaml", "each_interval", "JavaScript",
)  # fmt: skip
TYPED = re.compile(
    r"`[^`]*`"  # a command
    r"|--[a-z-]+"  # an option
    r"|\b[0-9a-f]{16,}\b"  # a hash
    r"|\b[A-Za-z]\w*(?:[.=/][\w-]+)+",  # a path, a value, a zone
    re.ASCII,
)
SHOWN = {"name", "formatter", "label", "data"}


def texts(value: object) -> Iterator[str]:
    """Yield every text of a document; of pictures what is drawn, not how."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            # What a part is called in the page's own links is not shown.
            if field.name not in {"language", "option", "form"} and not (
                field.name == "name" and type(value).__name__ in {"Chapter", "Picture"}
            ):
                yield from texts(getattr(value, field.name))
            elif field.name == "option":
                yield from drawn(getattr(value, field.name))
    elif isinstance(value, dict):
        yield from (text for part in value.values() for text in texts(part))
    elif isinstance(value, tuple | list):
        yield from (text for part in value for text in texts(part))


def drawn(option: object, key: str = "") -> Iterator[str]:
    """Yield the texts in a picture."""
    if isinstance(option, str):
        if key in SHOWN:
            yield option
    elif isinstance(option, dict):
        for name, part in option.items():
            yield from drawn(part, name)
    elif isinstance(option, list | tuple):
        for part in option:
            yield from drawn(part, key)


def english(document: Document, names: set[str]) -> set[str]:
    """Return the Latin words of a document that nobody wrote or would type."""
    found = set()
    for text in texts(document):
        left = TYPED.sub(" ", text)
        for name in sorted({*names, *ALLOWED}, key=len, reverse=True):
            left = re.sub(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])", " ", left)
        left = re.sub(r"\{\w+\}", " ", left)
        if re.search(r"[A-Za-z]{2,}", left):
            found.add(text)
    return found


def names_of(*scenarios: Scenario) -> set[str]:
    """Return the names that somebody gave in scenarios and their centres."""
    found: set[str] = set()
    for scenario in scenarios:
        center = scenario.center
        found |= {center.name, scenario.zone, scenario.costs.currency}
        found |= {*scenario.demand, *scenario.workforce, *center.queues, *center.categories}
        found |= {*center.teams, *center.agents, *center.promises}
        found |= {*scenario.costs.fixed_per_month, *center.skills}
        if not isinstance(scenario.name, Phrase):
            found.add(scenario.name)
    return found - {""}


@cache
def busy_shop() -> Scenario:
    """Return the corner shop with all that theory does not know, and with prices."""
    shop = load_scenario(Path("tiny"))
    sample = load_scenario(Path("sample"))
    later = Law(mean_ms=600_000)
    demand = {
        name: replace(
            one, redial=Again(share=0.4, after=later), resolved=0.9,
            repeat=Again(share=0.5, after=later), bot=0.1,
        )
        for name, one in shop.demand.items()
    }  # fmt: skip
    group = replace(shop.workforce["shop"], reaction=Law(mean_ms=2_000), planned_absence=0.1)
    rate = next(iter(sample.costs.rates.values()))
    costs = replace(sample.costs, rates={"shop": rate}, breach={"phone_answer": 1.0})
    return replace(
        shop, demand=demand, workforce={"shop": replace(group, rate="shop")}, costs=costs,
        busyness=Busyness(alpha=20),
        outages=(SiteLost(groups=("shop",), start="10:00", end="10:30"),),
    )  # fmt: skip


@cache
def played(*courses: str) -> Study:
    """Return two days of the shop, with courses by option as on the command line."""
    wishes = Wishes(
        add=tuple(text for text in courses if "=" in text and "." not in text),
        between="10:00-12:00" if "between" in courses else "",
        demand=tuple(text for text in courses if text.startswith("+")),
        sick=tuple(text for text in courses if text == "5%"),
        change=tuple(text for text in courses if "." in text),
    )
    return run(changed(busy_shop(), courses_of(wishes)), 3, workers=1)


def test_a_plan_is_chinese_to_its_last_cell() -> None:
    study = played()
    document = plan_document(study, "zh")
    assert english(document, names_of(study.scenario)) == set()
    assert english(plan_document(study), names_of(study.scenario)), "the test sees English"
    assert "电话" in {cell for table in document.tables() for row in table.rows for cell in row}


def test_a_comparison_names_what_is_changed_in_chinese() -> None:
    courses = (
        ("shop=1",), ("shop=1", "between"), ("+10%",), ("5%",), ("workforce.shop.adherence=0.9",),
        ("shop=1", "+10%"),
    )  # fmt: skip
    others = [played(*course) for course in courses]
    names = names_of(busy_shop(), *(study.scenario for study in others))
    document = compare_document(played(), others, "zh")
    assert english(document, names) == set()
    assert "“shop +1、联络 +10 %”与“" in document.answer
    assert english(compare_document(played(), [played()], "zh"), names) == set()
    lone = run(busy_shop(), 1, workers=1)
    more = run(apply_change(busy_shop(), Change(demand=1.5)), 1, workers=1)
    assert english(compare_document(lone, [more], "zh"), names) == set()


@pytest.mark.parametrize("unit", ["agents", "shifts"])
def test_a_staffing_is_chinese_to_its_last_cell(unit: str) -> None:
    scenario = search.found(unit)[1].scenario
    names = names_of(scenario)
    assert english(search.document(unit, "zh"), names) == set()


def test_settings_are_chinese_to_the_last_cell() -> None:
    names = {"orders", "billing", "care", "night", "a shop", "shop"}
    assert english(tune_document(search.tuned(4), "zh"), names) == set()


def test_what_would_have_been_is_chinese_to_the_last_cell() -> None:
    names = {"billing", "orders", "phone", "shop", "call-7"}
    assert english(what_if_document(onward.answer(), "Europe/Madrid", "zh"), names) == set()


def test_the_next_hours_are_chinese_to_the_last_cell() -> None:
    names = {"shop", "corner-shop", "order_calls", "call-9"}
    assert english(forecast_document(onward.forecast(), "Europe/Madrid", "zh"), names) == set()


# --- phrases --------------------------------------------------------------------------------------


def patterns() -> Iterator[tuple[str, str]]:
    """Yield every pattern that the planner makes phrases of, with where it stands."""
    for path in sorted((ROOT / "simulation").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "Phrase"
                and isinstance(node.args[0], ast.Constant)
            ):
                yield str(node.args[0].value), f"{path.name}:{node.lineno}"


def places(pattern: str) -> set[str]:
    """Return what a pattern leaves to be filled in."""
    return {place for _, place, _, _ in string.Formatter().parse(pattern) if place}


def test_every_phrase_has_a_chinese_pattern_with_the_same_places() -> None:
    chinese = read_words()["names"]["zh"]
    found = list(patterns())
    assert len(found) > 40
    for pattern, place in found:
        if re.search(r"[A-Za-z(]", re.sub(r"\{[^}]*\}", "", pattern)):
            assert pattern in chinese, f"{place}: words.json lacks names.zh of {pattern!r}"
            assert places(chinese[pattern]) == places(pattern), place
    said = {pattern for pattern, _ in found}
    assert not {name for name in chinese if "{" in name} - said, "nobody says these"


def test_what_somebody_named_stays_whole() -> None:
    chinese = Words("zh")
    assert chinese.name("telephony") == "通信"
    assert chinese.name("telephony lines") == "telephony lines", "a fixed cost of the scenario"
    assert chinese("plan_title", name="training") == "training：规划"


def test_a_name_with_braces_is_no_pattern() -> None:
    named = Phrase("{odd} name")
    assert named == "{odd} name"
    assert Words("zh").name(named) == "{odd} name"
    assert Phrase("{agents} more in {where}", agents=1, where=named) == "1 more in {odd} name"
    with pytest.raises(KeyError):
        Phrase("{agents} more in {where}", agents=1)


def test_every_channel_has_a_chinese_name() -> None:
    assert set(CHANNEL_KINDS) <= set(read_words()["names"]["zh"])


def test_a_phrase_is_its_english_text_everywhere() -> None:
    more = Phrase("{agents} more in {where}", agents=2, where="a {b}")
    both = Phrase("{all}", all=(more, "care.pace=1", Phrase("{more:+g} % contacts", more=10)))
    assert both == "2 more in a {b}, care.pace=1, +10 % contacts"
    for again in (pickle.loads(pickle.dumps(both)), copy.deepcopy(both)):  # noqa: S301 - our own
        assert Words("zh").name(again) == "a {b} 增加 2 人、care.pace=1、联络 +10 %"
    assert json.loads(json.dumps({"said": both})) == {"said": both}
    assert msgspec.json.encode([both], enc_hook=str) == json.dumps([both]).encode()
    assert Words("en").name(both) == both


def test_a_search_tells_how_far_it_is_in_chinese() -> None:
    heard: list[str] = []
    space = intervals_space(n_design(minutes=60))
    with Workers(1) as crew:
        seek(space, crew, Effort(12, 12, 2, 0.7), 1, "agents", heard.append)
    chinese = Words("zh")
    said = [chinese("app_seeking", told=told) for told in heard]
    assert any("确认" in line for line in said)
    assert not any(re.search(r"[A-Za-z]{2,}", line) for line in said), said
    assert any("falls short" in line for line in heard), "a terminal hears English"
