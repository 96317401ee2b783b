"""Budgets over several kinds of day: a hand-worked year, whose days are whose, what is refused."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from configs.findings import ConfigError
from configs.planning import Costs, Group, Rate
from simulation.budget.assumptions import ORDINARY, Assumptions, OtherDay, read_assumptions
from simulation.budget.calendar import lay_out
from simulation.budget.comparison import Budget, budget_of, make_budget
from simulation.budget.drivers import Drivers, GroupDrivers, blend, measure
from simulation.budget.kinds_of_day import read_kinds
from simulation.budget.methods import Ledger, Method
from simulation.budget.showing import as_plain, as_rows, as_text
from simulation.plan.reading import load_scenario
from simulation.report.budget_document import budget_document
from switchroom import build
from tests.test_report_chinese import english

SALARY = Rate(
    salary_per_month=3_000, benefits=0.2, hours_per_month=150, overtime=1.5,
    training_per_year=600, recruiting=2_000, training=1_000, licence_per_month=90,
)  # fmt: skip
STUDENT = Rate(per_hour=15.0)
WEEKDAY = Drivers(
    scenario="a weekday",
    days=1,
    seed=1,
    costs=Costs(
        rates={}, breach={"answer": 5.0}, per_minute={"phone": 0.1, "video": 0.5},
        fixed_per_month={"systems": 1_000.0}, once={"move": 700.0},
    ),
    groups=(
        GroupDrivers(
            name="own", rate=SALARY, heads=10, paid_h=70.0, after_h=2.0, handled=300.0,
            turnover_per_year=0.24,
        ),
        GroupDrivers(
            name="students", rate=STUDENT, heads=2, paid_h=12.0, after_h=0.5, handled=20.0,
            turnover_per_year=0.0,
        ),
    ),
    contacts={"phone": 300.0, "chat": 80.0},
    work_minutes={"phone": 1_500.0, "chat": 500.0},
    talk_minutes={"phone": 1_200.0, "chat": 400.0},
    breaches={"answer": 6.0},
)  # fmt: skip
SATURDAY = Drivers(
    scenario="a Saturday",
    days=1,
    seed=1,
    costs=Costs(rates={}),
    groups=(
        GroupDrivers(
            name="own", rate=SALARY, heads=12, paid_h=30.0, after_h=1.0, handled=90.0,
            turnover_per_year=0.24,
        ),
        GroupDrivers(
            name="weekend", rate=SALARY, heads=3, paid_h=18.0, after_h=0.0, handled=40.0,
            turnover_per_year=0.48,
        ),
    ),
    contacts={"phone": 110.0, "video": 20.0},
    work_minutes={"phone": 500.0, "video": 100.0},
    talk_minutes={"phone": 440.0, "video": 90.0},
    breaches={"answer": 1.0, "video_answer": 2.0},
)  # fmt: skip
BEFORE_KINDS = {
    "standard": (667_912.0, 57_621.130553189665, 22_503.177090668352),
    "drivers": (667_912.0, 70_133.73916936107, 23_685.24286503147),
}
CONTACTS_BEFORE = 122_402.08465953286
TWENTY = (20.0,) * 12
ALONE = Assumptions(working_days=TWENTY)
FOUR = OtherDay(scenario="saturday.yaml", working_days=(4.0,) * 12)
MIXED = replace(ALONE, other_days={"saturday": FOUR})


def mixed(months: int, assumptions: Assumptions = MIXED, ledger: Ledger | None = None) -> Budget:
    """Return the budget of weekdays and Saturdays."""
    return budget_of(WEEKDAY, "2026-01", months, assumptions, ledger, others={"saturday": SATURDAY})


def items(budget: Budget, method: Method = Method.DRIVERS) -> dict[str, float]:
    """Return the totals of a method's items."""
    found = next(one for one in budget.methods if one.method is method)
    return {item.name: item.total for item in found.items}


def test_a_month_of_weekdays_and_saturdays_by_hand() -> None:
    """20 weekdays and 4 Saturdays: people are counted once, what days bring is added up."""
    hour = 3_000 * 1.2 / 150
    assert items(mixed(1)) == pytest.approx(
        {
            # 12 on Saturdays, 10 of them in the week; the three are there on Saturdays only.
            "salaries own": 12 * 3_000,
            "salaries weekend": 3 * 3_000,
            "benefits and social insurance": 15 * 3_000 * 0.2,
            "overtime": (20 * 2.0 + 4 * 1.0) * hour * 1.5 + 20 * 0.5 * 15.0 * 1.0,
            "hourly pay students": 20 * 12.0 * 15.0,
            "recruiting": (12 * 0.02 + 3 * 0.04) * 2_000,
            "training": 15 * 50 + (12 * 0.02 + 3 * 0.04) * 1_000,
            "licences": 15 * 90,
            "telephony": (20 * 1_200 + 4 * 440) * 0.1 + 4 * 90 * 0.5,
            # The other promise has no price in the budget's scenario.
            "penalties for breaches": (20 * 6 + 4 * 1) * 5.0,
            "systems": 1_000.0,
            "move": 700.0,
        }
    )


def test_growth_season_and_rises_reach_every_kind() -> None:
    assumed = replace(
        MIXED, growth_per_year=0.1, season=(1.0, 1.5, *(1.0,) * 10), inflation_per_year=0.05,
        wage_rises={"2026-02": 0.04},
    )  # fmt: skip
    budget = mixed(2, assumed)
    volume, prices = 1.5 * 1.1 ** (1 / 12), 1.05 ** (1 / 12)
    assert budget.contacts == pytest.approx([20 * 380 + 4 * 130, (20 * 380 + 4 * 130) * volume])
    found = {item.name: item.months for item in budget.methods[-1].items}
    assert found["salaries own"] == pytest.approx([36_000, 36_000 * volume * 1.04])
    assert found["hourly pay students"] == pytest.approx([3_600, 3_600 * volume * 1.04])
    talk = (20 * 1_200 + 4 * 440) * 0.1 + 4 * 90 * 0.5
    assert found["telephony"] == pytest.approx([talk, talk * volume * prices])
    hired = 12 * volume * 0.02 + 12 * (volume - 1) + 3 * volume * 0.04 + 3 * (volume - 1)
    assert found["recruiting"] == pytest.approx([720.0, hired * 2_000 * prices])


def test_standard_costs_are_those_of_all_days() -> None:
    budget = mixed(12)
    standard, drivers = budget.methods
    assert standard.total == pytest.approx(drivers.total)
    work = {"phone": 20 * 1_500 + 4 * 500, "chat": 20 * 500, "video": 4 * 100}
    spent = drivers.total - 12 * 1_000 - 700
    found = items(budget, Method.STANDARD)
    for channel, minutes in work.items():
        share = minutes / sum(work.values())
        assert found[f"contacts {channel}"] == pytest.approx(spent * share)
    given = replace(MIXED, standard_cost={"phone": 5.0, "chat": 7.0, "video": 9.0})
    found = items(mixed(1, given), Method.STANDARD)
    assert found["contacts phone"] == pytest.approx((20 * 300 + 4 * 110) * 5.0)
    assert found["contacts video"] == pytest.approx(4 * 20 * 9.0)
    with pytest.raises(ValueError, match="says nothing of video"):
        mixed(1, replace(given, standard_cost={"phone": 5.0, "chat": 7.0}))


def test_differences_still_add_up() -> None:
    ledger = Ledger(name="x", year="2025", amounts={"salaries": {1: 40_000.0}}, contacts={1: 8e3})
    grown = replace(MIXED, growth_per_year=0.1, inflation_per_year=0.03)
    budget = mixed(18, grown, ledger)
    for method in budget.methods:
        assert method.base + method.volume + method.prices == pytest.approx(method.total)
    for difference, method in zip(budget.differences, budget.methods, strict=False):
        assert difference.total == pytest.approx(method.total - budget.methods[-1].total)
    assert sum(year.totals["drivers"] for year in budget.years) == pytest.approx(
        budget.methods[-1].total
    )


# --- nothing changes where there is one kind ------------------------------------------------------


def test_the_mean_day_of_one_kind_is_that_day_to_the_bit() -> None:
    for days in (20.0, 21.0, 19.7, 0.0):
        assert blend({ORDINARY: WEEKDAY}, {ORDINARY: days}) == WEEKDAY


def test_a_kind_without_days_or_a_split_of_equal_days_changes_nothing() -> None:
    grown = replace(ALONE, growth_per_year=0.2, season=(1.0, 1.3, 0.8) * 4)
    alone = budget_of(WEEKDAY, "2026-01", 14, grown)
    none = replace(grown, other_days={"saturday": replace(FOUR, working_days=(0.0,) * 12)})
    assert mixed(14, none).methods == tuple(
        replace(found, basis=other.basis)
        for found, other in zip(alone.methods, mixed(14, none).methods, strict=True)
    )
    split = replace(
        grown, working_days=(13.0,) * 12,
        other_days={"alike": replace(FOUR, working_days=(7.0,) * 12)},
    )  # fmt: skip
    halves = budget_of(WEEKDAY, "2026-01", 14, split, others={"alike": WEEKDAY})
    assert halves.contacts == pytest.approx(alone.contacts)
    for method, other in zip(halves.methods, alone.methods, strict=True):
        assert method.months == pytest.approx(other.months)


def test_a_budget_of_one_kind_has_the_totals_it_always_had() -> None:
    """Made by the version that knew one kind of day only."""
    assumed = Assumptions(
        growth_per_year=0.13, season=(1.0, 1.2, 0.9) * 4, inflation_per_year=0.03,
        wage_rises={"2026-05": 0.04}, country="DE",
    )  # fmt: skip
    budget = budget_of(WEEKDAY, "2026-03", 14, assumed)
    found = {one.method.value: (one.base, one.volume, one.prices) for one in budget.methods}
    assert found == {name: pytest.approx(parts, rel=1e-12) for name, parts in BEFORE_KINDS.items()}
    assert sum(budget.contacts) == pytest.approx(CONTACTS_BEFORE, rel=1e-12)


def test_a_month_without_own_days_still_pays_its_people() -> None:
    shut = replace(MIXED, working_days=(0.0, *(20.0,) * 11))
    found = {item.name: item.months for item in mixed(2, shut).methods[-1].items}
    assert found["salaries own"] == pytest.approx([36_000, 36_000])
    assert found["hourly pay students"] == pytest.approx([0, 3_600])
    alone = budget_of(WEEKDAY, "2026-01", 2, replace(shut, other_days={}))
    found = {item.name: item.months for item in alone.methods[-1].items}
    assert found["salaries own"] == pytest.approx([30_000, 30_000])


def test_months_without_any_contact_have_no_budget() -> None:
    shut = replace(ALONE, working_days=(0.0,) * 12)
    with pytest.raises(ValueError, match="no contact comes in 2 months from 2026-01"):
        budget_of(WEEKDAY, "2026-01", 2, shut)


# --- people ---------------------------------------------------------------------------------------


def test_people_of_a_season_are_hired_for_it_and_paid_in_it_alone() -> None:
    sale = OtherDay(scenario="sale.yaml", dates=("2026-03-05", "2026-03-06", "2027-03-05"))
    assumed = Assumptions(other_days={"sale": sale})
    helpers = replace(SATURDAY.groups[1], name="helpers", turnover_per_year=0.0)
    crowd = replace(SATURDAY, groups=(replace(WEEKDAY.groups[0], heads=14), helpers))
    budget = budget_of(WEEKDAY, "2026-02", 14, assumed, others={"sale": crowd})
    found = {item.name: item.months for item in budget.methods[-1].items}
    assert found["salaries helpers"] == (0.0, 9_000.0, *(0.0,) * 11, 9_000.0)
    assert found["salaries own"][:3] == (30_000.0, 42_000.0, 30_000.0)
    leaving = [10 * 0.02, 14 * 0.02, 10 * 0.02]
    came = [0, 4 + 3, 0]
    assert found["recruiting"][:3] == pytest.approx(
        [2_000 * (left + new) for left, new in zip(leaving, came, strict=True)]
    )
    # In the second year they are known: nobody is hired again.
    assert found["recruiting"][-1] == pytest.approx(2_000 * 14 * 0.02)


def test_who_plans_more_hours_than_salaries_pay_is_told() -> None:
    # (20 x 70 + 4 x 30) h over 12 heads is 127 of 150 h.
    assert not any("a head" in note for note in mixed(3).notes)
    long = replace(WEEKDAY, groups=(replace(WEEKDAY.groups[0], paid_h=85.0),))
    budget = budget_of(long, "2026-01", 3, MIXED, others={"saturday": SATURDAY})
    # (20 x 85 + 4 x 30) / 12
    assert any("in the rate: own 152 of 150: salaries" in note for note in budget.notes)
    # The week alone is nobody's surprise.
    alone = replace(long, groups=(replace(long.groups[0], paid_h=95.0),))
    assert not any("a head" in n for n in budget_of(alone, "2026-01", 3, ALONE).notes)


def test_prices_of_another_day_that_are_not_used_are_told() -> None:
    dear = replace(
        SATURDAY,
        costs=Costs(breach={"answer": 9.0}, fixed_per_month={"systems": 1_000.0}),
        groups=(replace(SATURDAY.groups[0], rate=STUDENT), SATURDAY.groups[1]),
    )
    budget = budget_of(WEEKDAY, "2026-01", 1, MIXED, others={"saturday": dear})
    assert items(budget) == pytest.approx(items(mixed(1)))
    note = next(note for note in budget.notes if note.startswith("saturday: prices"))
    assert "(breach, rate of own)" in note
    assert not any(note.startswith("saturday: prices") for note in mixed(1).notes)


# --- whose days are whose -------------------------------------------------------------------------


def days(assumptions: Assumptions, month: str) -> dict[str, float]:
    """Return the days of each kind in a month."""
    return dict(lay_out(month, 1, assumptions)[0].days)


def test_days_belong_to_a_date_a_holiday_a_weekday_or_the_scenario() -> None:
    """December 2026 starts on a Tuesday; the 25th is a Friday, both holidays in Germany."""
    saturday = OtherDay(scenario="x", weekdays=("sat",), dates=("12-24", "2026-12-31"))
    assert days(Assumptions(other_days={"saturday": saturday}), "2026-12") == {
        ORDINARY: 21, "saturday": 4 + 2,
    }  # fmt: skip
    germany = Assumptions(country="DE", other_days={"saturday": saturday})
    assert days(germany, "2026-12") == {ORDINARY: 20, "saturday": 3 + 2}
    # Next year the 24th is a Friday and the 31st is ordinary again; 25 and 26 are the weekend.
    assert days(germany, "2027-12") == {ORDINARY: 22, "saturday": 3 + 1}
    quiet = OtherDay(scenario="x", on_holidays=True)
    both = replace(germany, other_days={"saturday": saturday, "quiet": quiet})
    assert days(both, "2026-12") == {ORDINARY: 20, "saturday": 5, "quiet": 2}
    # Without Saturdays the 26th stays a day on which nobody works.
    assert days(replace(germany, other_days={"quiet": quiet}), "2026-12") == {
        ORDINARY: 22, "quiet": 1,
    }  # fmt: skip
    sunday = replace(quiet, weekdays=("sun",))
    assert days(replace(germany, other_days={"sunday": sunday}), "2026-12") == {
        ORDINARY: 22, "sunday": 4 + 1,
    }  # fmt: skip


def test_a_claimed_weekday_is_taken_from_the_scenario_and_given_numbers_hold() -> None:
    monday = OtherDay(scenario="x", weekdays=("mon",))
    assert days(Assumptions(other_days={"monday": monday}), "2026-03") == {
        ORDINARY: 17, "monday": 5,
    }  # fmt: skip
    given = Assumptions(working_days=TWENTY, other_days={"monday": monday, "extra": FOUR})
    assert days(given, "2026-03") == {ORDINARY: 20, "monday": 5, "extra": 4}
    month = lay_out("2026-03", 1, given)[0]
    assert month.working_days == 29


SATURDAYS = "{scenario: tiny, weekdays: [sat]}"
TWELVE = "[1,1,1,1,1,1,1,1,1,1,1,1]"
WRONG = [
    ("{scenario: tiny, weekdays: [saturday]}", ':3:36: other_days.sat.weekdays[0]: "saturday"'),
    ("{scenario: tiny, weekdays: [Saturday]}", 'thu, fri, sat, sun; did you mean "sat"?'),
    ("{scenario: tiny, weekdays: [sun, sun]}", '"sat" has sun already; leave it to one'),
    (f"{SATURDAYS}\n  b: {SATURDAYS}", ':4:34: other_days.b.weekdays[0]: "sat" has sat already'),
    (
        "{scenario: tiny, weekdays: [mon, tue, wed, thu, fri]}",
        ":2:1: other_days: no weekday is left to the scenario itself; leave it one",
    ),
    ("{scenario: tiny}", "give either working_days, or which days they are"),
    (f"{{scenario: tiny, weekdays: [sat], working_days: {TWELVE}}}", "give either working_days"),
    ("{scenario: tiny, working_days: [1, 2]}", "other_days.sat.working_days: has 2 numbers"),
    (f"{{scenario: tiny, working_days: {TWELVE.replace('1', '-1')}}}", "holds a negative number"),
    ("{scenario: tiny, dates: [2026-02-29]}", '"2026-02-29" is no date; write 2026-11-27'),
    ("{scenario: tiny, dates: [Christmas]}", '"Christmas" is no date'),
    ("{scenario: tiny, dates: [12-24, 2026-12-24]}", 'dates[1]: "sat" has 12-24 already'),
    ("{scenario: tiny, on_holidays: true}", "needs a country; write country: DE"),
    ("{scenario: tiny, weekday: [sat]}", 'did you mean "weekdays"'),
    ("{weekdays: [sat]}", 'other_days.sat: "scenario" is missing'),
    (
        f"{SATURDAYS}\n  ordinary: {SATURDAYS}",
        ':4:3: other_days.ordinary: "ordinary" are the days of the scenario itself',
    ),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_wrong_other_days_are_told_with_place_and_remedy(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "assume.yaml"
    path.write_text(f"growth_per_year: 0.1\nother_days:\n  sat: {text}\n")
    with pytest.raises(ConfigError) as error:
        read_assumptions(path)
    assert message in str(error.value)
    assert f"{path}:" in str(error.value)


def test_holidays_belong_to_one_kind(tmp_path: Path) -> None:
    path = tmp_path / "assume.yaml"
    path.write_text(
        "country: DE\nother_days:\n  a: {scenario: tiny, on_holidays: true}\n"
        "  b: {scenario: tiny, on_holidays: true}\n"
    )
    with pytest.raises(ConfigError, match='"a" has the holidays already; leave them to one'):
        read_assumptions(path)


# --- scenarios, and the command -------------------------------------------------------------------

SHOP = """
costs:
  rates: {shop: {salary_per_month: 2000, benefits: 0.3}}
  per_minute: {phone: 0.02}
"""
SATURDAY_FILE = """
name: a Saturday
base: shop.yaml
changes:
  - {hours: {opens: "10:00", closes: "12:00", come_later: 0.0}}
  - {agents: {shop: -2}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Write a shop with a Saturday and return the directory."""
    text = Path("configs/scenarios/tiny.yaml").read_text(encoding="utf-8")
    text = text.replace("../tiny", str(Path("configs/tiny").resolve()))
    (tmp_path / "shop.yaml").write_text(text + SHOP)
    (tmp_path / "days").mkdir()
    (tmp_path / "days" / "saturday.yaml").write_text(SATURDAY_FILE.replace("shop", "../shop", 1))
    (tmp_path / "assume.yaml").write_text(
        "other_days:\n  saturday: {scenario: days/saturday.yaml, weekdays: [sat]}\n"
    )
    return tmp_path


def refused(shop: Path) -> str:
    """Return what is said of the shop's assumptions."""
    with pytest.raises(ConfigError) as error:
        read_kinds(shop / "assume.yaml", load_scenario(shop / "shop.yaml"))
    return str(error.value)


def test_a_missing_scenario_is_told_where_it_is_named(shop: Path) -> None:
    (shop / "assume.yaml").write_text(
        "other_days:\n  sat: {scenario: saturday.yaml, weekdays: [sat]}\n"
    )
    said = refused(shop)
    assert 'assume.yaml:2:19: other_days.sat.scenario: "saturday.yaml", as seen from this' in said
    assert "give a scenario file, or one of: sample, tiny" in said


def test_another_currency_is_refused(shop: Path) -> None:
    (shop / "assume.yaml").write_text("other_days: {x: {scenario: sample, weekdays: [sat]}}\n")
    said = refused(shop)
    assert "other_days.x.scenario: its costs are in CNY, the budget's in EUR; give all" in said
    main, other = load_scenario(shop / "shop.yaml"), load_scenario(Path("sample"))
    with pytest.raises(ValueError, match=r"other_days\.x: its costs are in CNY"):
        make_budget(main, "2026-01", 1, others={"x": other})


def test_people_of_another_day_without_a_rate_are_refused(shop: Path) -> None:
    saturday = shop / "days" / "saturday.yaml"
    text = (shop / "shop.yaml").read_text(encoding="utf-8").partition("costs:")[0]
    temps = "  temps:\n    team: shop\n    count: 2\n    skills: {orders: 5, billing: 5}\n"
    saturday.write_text(text.replace("  shop:\n", temps))
    said = refused(shop)
    assert "other_days.saturday.scenario: group temps works on these days only" in said
    assert "rates: temps: ... (per_hour: 0 if it costs nothing)" in said
    # By the budget's own prices, when they name them; or by its own scenario's.
    main = load_scenario(shop / "shop.yaml")
    other = load_scenario(saturday)
    priced = replace(main, costs=replace(main.costs, rates={**main.costs.rates, "temps": STUDENT}))
    found = measure({ORDINARY: priced, "saturday": other}, 1, 1, 1)
    assert found["saturday"].groups[0].rate == STUDENT
    own = replace(other, costs=replace(other.costs, rates={"temps": SALARY}))
    found = measure({ORDINARY: main, "saturday": own}, 1, 1, 1)
    assert found["saturday"].groups[0].rate == SALARY


def test_kinds_that_share_a_scenario_are_played_once() -> None:
    tiny = load_scenario(Path("tiny"))
    with_group = replace(tiny, workforce={"shop": replace(tiny.workforce["shop"], count=4)})
    found = measure({ORDINARY: tiny, "a": with_group, "b": with_group}, 2, 1, 1)
    assert found["a"] is found["b"]
    assert [found[kind].groups[0].heads for kind in (ORDINARY, "a")] == [5, 4]
    assert isinstance(tiny.workforce["shop"], Group)


def test_drivers_must_be_there_for_each_kind() -> None:
    with pytest.raises(ValueError, match="other_days are saturday, but drivers are there for none"):
        budget_of(WEEKDAY, "2026-01", 1, MIXED)


def test_the_command_budgets_weekdays_and_saturdays(shop: Path) -> None:
    arguments = ["budget", str(shop / "shop.yaml"), "--from", "2026-01", "--months", "3"]
    arguments += ["--days", "2", "--workers", "1"]
    table = shop / "table.csv"
    more = ["--assumptions", str(shop / "assume.yaml"), "-o", str(table), "--json"]
    result = CliRunner().invoke(build(), arguments + more)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert [month["days"] for month in found["months"]] == [
        {"ordinary": 22, "saturday": 5}, {"ordinary": 20, "saturday": 4},
        {"ordinary": 22, "saturday": 4},
    ]  # fmt: skip
    assert found["months"][0]["working_days"] == 27
    week, saturday = found["kinds_of_day"]
    assert (saturday["scenario"], saturday["days"], saturday["played"]) == ("a Saturday", 13, 2)
    assert found["contacts"][0] == pytest.approx(
        22 * week["contacts_per_day"] + 5 * saturday["contacts_per_day"]
    )
    salaries = next(i for i in found["methods"][-1]["items"] if i["name"] == "salaries shop")
    assert salaries["months"] == [10_000, 10_000, 10_000]
    rows = list(csv.reader(table.read_text().splitlines()))
    assert rows[1:3] == [
        ["days", "ordinary", "", "22.00", "20.00", "22.00", "64.00"],
        ["days", "saturday", "", "5.00", "4.00", "4.00", "13.00"],
    ]
    missing = [*arguments, "--assumptions", str(shop / "none.yaml")]
    result = CliRunner().invoke(build(), missing)
    assert result.exit_code == 1
    assert "none.yaml" in result.stderr


def test_several_kinds_are_shown_and_one_is_not() -> None:
    lines = list(as_text(mixed(2)))
    assert lines[2].split() == [
        "month", "days", "ordinary", "saturday", "contacts", "standard", "drivers",
    ]  # fmt: skip
    assert lines[3].split()[:4] == ["2026-01", "24", "20", "4"]
    assert "saturday         8           130.0   a Saturday" in lines
    single = budget_of(WEEKDAY, "2026-01", 2, ALONE)
    assert not any("ordinary" in line or "kind of day" in line for line in as_text(single))
    assert not any(row[0] == "days" for row in as_rows(single))
    assert as_plain(single)["months"][0]["working_days"] == 20


@pytest.mark.parametrize(("language", "ordinary"), [("en", "ordinary"), ("zh", "平常日")])
def test_page_and_workbook_have_the_days_of_each_kind(language: str, ordinary: str) -> None:
    document = budget_document(mixed(2), language)
    months = document.tables()[0]
    assert [column.title for column in months.columns][2:4] == [ordinary, "saturday"]
    assert months.rows[0][1:4] == (24, 20, 4)
    assert [months.columns[index].unit for index in months.drawn] == ["EUR", "EUR"]
    kinds = next(chapter for chapter in document.chapters if chapter.name == "kinds").tables[0]
    assert [row[2] for row in kinds.rows] == [40, 8]
    single = budget_document(budget_of(WEEKDAY, "2026-01", 2, ALONE), language)
    assert "kinds" not in {chapter.name for chapter in single.chapters}
    assert len(single.tables()[0].columns) == 5


def test_the_page_is_chinese_to_its_last_cell() -> None:
    names = {"saturday", "a weekday", "a Saturday", "own", "students", "weekend", "systems", "move"}
    names |= {"EUR", "ledger.csv", "video", "breach", "fixed_per_month"}
    dear = replace(
        SATURDAY,
        costs=Costs(breach={"answer": 9.0}),
        groups=tuple(replace(group, rate=Rate(), paid_h=900.0) for group in SATURDAY.groups),
    )
    ledger = Ledger(
        name="ledger.csv", year="2025", amounts={"salaries": {1: 40_000.0}}, contacts={1: 8e3}
    )
    grown = replace(MIXED, growth_per_year=0.1)
    budgets = [
        budget_of(WEEKDAY, "2026-01", 3, grown, booked, others={"saturday": other})
        for booked, other in ((None, SATURDAY), (None, dear), (ledger, dear))
    ]
    for budget in budgets:
        assert english(budget_document(budget, "zh"), names) == set()
    assert len(budgets[-1].notes) == 4
