"""Budgets by hand: every item, three methods, the walk between them, investments."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from configs.findings import ConfigError
from configs.planning import Costs, Rate
from simulation.budget.assumptions import (
    Assumptions,
    Investment,
    read_assumptions,
    read_investment,
)
from simulation.budget.calendar import lay_out
from simulation.budget.comparison import Budget, budget_of
from simulation.budget.drivers import Drivers, GroupDrivers
from simulation.budget.investment import internal_rate, judge, payback
from simulation.budget.methods import Ledger, Method, read_ledger
from simulation.budget.showing import as_plain, as_rows, as_text
from switchroom import build

RATE = Rate(
    salary_per_month=3_000, benefits=0.2, hours_per_month=150, overtime=1.5,
    training_per_year=600, recruiting=2_000, training=1_000, licence_per_month=90,
)  # fmt: skip
DRIVERS = Drivers(
    scenario="by hand",
    days=1,
    seed=1,
    costs=Costs(
        rates={},
        breach={"answer": 5.0},
        per_minute={"phone": 0.1},
        fixed_per_month={"systems": 1_000.0},
        once={"move": 700.0},
    ),
    groups=(
        GroupDrivers(
            name="own", rate=RATE, heads=10, paid_h=80.0, after_h=2.0, handled=300.0,
            turnover_per_year=0.24,
        ),
        GroupDrivers(
            name="outside", rate=Rate(per_contact=4.0), heads=5, paid_h=40.0, after_h=0.0,
            handled=50.0, turnover_per_year=0.0,
        ),
        GroupDrivers(
            name="students", rate=Rate(per_hour=15.0), heads=2, paid_h=12.0, after_h=0.0,
            handled=20.0, turnover_per_year=0.0,
        ),
    ),
    contacts={"phone": 300.0, "chat": 80.0},
    work_minutes={"phone": 1_500.0, "chat": 500.0},
    talk_minutes={"phone": 1_200.0, "chat": 400.0},
    breaches={"answer": 6.0},
)  # fmt: skip
DAYS = Assumptions(working_days=(20.0,) * 12)


def items(budget: Budget, method: Method = Method.DRIVERS) -> dict[str, float]:
    """Return the totals of a method's items."""
    found = next(one for one in budget.methods if one.method is method)
    return {item.name: item.total for item in found.items}


def test_one_month_by_hand() -> None:
    assert items(budget_of(DRIVERS, "2026-03", 1, DAYS)) == pytest.approx(
        {
            "salaries own": 30_000.0,
            "benefits and social insurance": 6_000.0,
            # 2 h a day, 20 days, 3,600 / 150 an hour, half more
            "overtime": 2 * 20 * 24 * 1.5,
            # 10 heads, 24 % a year: .2 leave in a month
            "recruiting": 0.2 * 2_000,
            "training": 10 * 600 / 12 + 0.2 * 1_000,
            "licences": 900.0,
            "outsourcing per contact": 50 * 20 * 4.0,
            "hourly pay students": 12 * 20 * 15.0,
            "telephony": 1_200 * 20 * 0.1,
            "penalties for breaches": 6 * 20 * 5.0,
            "systems": 1_000.0,
            "move": 700.0,
        }
    )


def test_months_have_their_days_volumes_wages_and_prices() -> None:
    months = lay_out(
        "2026-11",
        3,
        Assumptions(
            growth_per_year=0.21,
            inflation_per_year=0.1,
            wage_rises={"2026-12": 0.05, "2027-01": 0.1},
            season=(2.0, *(1.0,) * 11),
            country="DE",
        ),
    )
    assert [month.name for month in months] == ["2026-11", "2026-12", "2027-01"]
    # Christmas 2026 is a Friday and a Saturday, New Year's Day a Friday.
    assert [month.working_days for month in months] == [21.0, 22.0, 20.0]
    assert [month.wages for month in months] == pytest.approx([1.0, 1.05, 1.155])
    assert months[2].volume == pytest.approx(2 * 1.21 ** (2 / 12))
    assert months[2].growth == pytest.approx(1.21 ** (2 / 12))
    assert months[1].prices == pytest.approx(1.1 ** (1 / 12))


def test_heads_follow_the_volume_and_the_peak_is_hired_once() -> None:
    season = Assumptions(working_days=(20.0,) * 12, season=(1.0, 1.2, 1.0, 1.2, *(1.0,) * 8))
    budget = budget_of(DRIVERS, "2026-01", 4, season)
    recruiting = next(item for item in budget.methods[-1].items if item.name == "recruiting").months
    assert recruiting == pytest.approx([0.2 * 2_000, (0.24 + 2) * 2_000, 0.2 * 2_000, 0.24 * 2_000])
    steady = budget_of(DRIVERS, "2026-01", 4, replace(season, heads_follow_volume=False))
    assert items(steady)["salaries own"] == 120_000
    assert items(budget)["salaries own"] == pytest.approx(132_000)


def test_standard_cost_from_drivers_is_the_same_money_at_the_scenarios_volume() -> None:
    budget = budget_of(DRIVERS, "2026-01", 12, DAYS)
    standard, drivers = budget.methods
    assert standard.total == pytest.approx(drivers.total)
    found = items(budget, Method.STANDARD)
    # A chat holds more work than a call: 500/80 minutes against 1,500/300.
    assert found["contacts phone"] / found["contacts chat"] == pytest.approx(3.0)
    assert found["systems"] == 12_000
    assert found["move"] == 700


def test_standard_cost_as_assumed() -> None:
    given = replace(DAYS, standard_cost={"phone": 5.0, "chat": 7.0})
    found = items(budget_of(DRIVERS, "2026-01", 1, given), Method.STANDARD)
    assert found["contacts phone"] == 300 * 20 * 5.0
    with pytest.raises(ValueError, match="says nothing of chat"):
        budget_of(DRIVERS, "2026-01", 1, replace(given, standard_cost={"phone": 5.0}))


LEDGER = Ledger(
    name="ledger.csv",
    year="2025-01 to 2025-12",
    amounts={
        "salaries": dict.fromkeys(range(1, 13), 30_000.0),
        "telephony": {month: 1_000.0 + 100 * month for month in range(1, 13)},
        "systems": dict.fromkeys(range(1, 13), 900.0),
    },
    contacts=dict.fromkeys(range(1, 13), 8_000.0),
)


def test_history_carries_each_months_items_on() -> None:
    grown = replace(
        DAYS, growth_per_year=0.12, inflation_per_year=0.06, wage_rises={"2026-02": 0.1}
    )
    budget = budget_of(DRIVERS, "2026-01", 2, grown, LEDGER)
    history = next(one for one in budget.methods if one.method is Method.HISTORY)
    by_name = {item.name: item.months for item in history.items}
    growth, prices = 1.12 ** (1 / 12), 1.06 ** (1 / 12)
    assert by_name["salaries"] == pytest.approx([30_000, 30_000 * growth * 1.1])
    assert by_name["telephony"] == pytest.approx([1_100, 1_200 * growth * prices])
    # Systems are fixed in the scenario: no volume.
    assert by_name["systems"] == pytest.approx([900, 900 * prices])
    # With a ledger the standard is its cost per contact: (360,000 + 19,800) / 96,000.
    standard = next(one for one in budget.methods if one.method is Method.STANDARD)
    contacts = [item for item in standard.items if item.name.startswith("contacts")]
    assert sum(item.months[0] for item in contacts) == pytest.approx(380 * 20 * 379_800 / 96_000)


def test_differences_are_explained_to_the_penny() -> None:
    grown = replace(
        DAYS, growth_per_year=0.1, inflation_per_year=0.03, wage_rises={"2026-05": 0.04}
    )
    budget = budget_of(DRIVERS, "2026-01", 18, grown, LEDGER)
    for method in budget.methods:
        assert method.base + method.volume + method.prices == pytest.approx(method.total)
        assert sum(method.months) == pytest.approx(method.total)
    drivers = budget.methods[-1]
    assert [difference.method for difference in budget.differences] == [
        Method.HISTORY,
        Method.STANDARD,
    ]
    for difference, method in zip(budget.differences, budget.methods, strict=False):
        assert difference.total == pytest.approx(method.total - drivers.total)
        parts = difference.base + difference.volume + difference.prices
        assert parts == pytest.approx(difference.total)
        if difference.kinds:
            assert sum(difference.kinds.values()) == pytest.approx(difference.total)
    assert [(year.year, year.months) for year in budget.years] == [("2026", 12), ("2027", 6)]
    assert sum(year.totals["drivers"] for year in budget.years) == pytest.approx(drivers.total)


def test_a_budget_is_shown_and_can_be_a_table() -> None:
    budget = budget_of(DRIVERS, "2026-01", 2, DAYS, LEDGER)
    assert any("salaries own" in line for line in as_text(budget))
    header, *rows = as_rows(budget)
    assert header == ("method", "item", "follows", "2026-01", "2026-02", "total")
    assert all(len(row) == len(header) for row in rows)
    plain = as_plain(budget)
    assert plain["methods"][-1]["total"] == pytest.approx(budget.methods[-1].total)
    json.dumps(plain)


# --- investments ----------------------------------------------------------------------------------


def test_an_investment_by_hand() -> None:
    plain = Investment(
        name="plain", outlay={"tool": 1_000.0}, months=12, saves_per_month={"paper": 120.0},
        per_month={"hosting": 20.0}, discount_per_year=0.0,
    )  # fmt: skip
    budget = budget_of(DRIVERS, "2026-01", 12, DAYS)
    found = judge(plain, budget.methods[-1], budget.months)
    assert found.npv == pytest.approx(12 * 100 - 1_000)
    assert found.payback_months == pytest.approx(10.0)
    assert found.cumulative[-1] == pytest.approx(200.0)
    discounted = judge(replace(plain, discount_per_year=0.1), budget.methods[-1], budget.months)
    rate = 1.1 ** (1 / 12) - 1
    annuity = (1 - (1 + rate) ** -12) / rate
    assert discounted.npv == pytest.approx(100 * annuity - 1_000)
    assert discounted.discounted_payback_months is not None
    assert discounted.discounted_payback_months > 10
    assert discounted.internal_rate_per_year is not None
    monthly = (1 + discounted.internal_rate_per_year) ** (1 / 12) - 1
    assert sum(100 / (1 + monthly) ** m for m in range(1, 13)) == pytest.approx(1_000)
    costs = 1_000 + 20 * annuity
    assert discounted.benefit_cost_ratio == pytest.approx(120 * annuity / costs)


def test_what_a_bot_and_a_faster_tool_save() -> None:
    budget = budget_of(DRIVERS, "2026-01", 1, replace(DAYS))
    spent = items(budget)
    volume = ("recruiting", "training", "licences", "telephony")
    staff = ("salaries own", "benefits and social insurance", "overtime")
    timed = sum(spent[name] for name in volume + staff) + spent["hourly pay students"]
    by_contact = spent["outsourcing per contact"]
    penalties = spent["penalties for breaches"]
    bot = Investment(name="bot", outlay={}, deflects=0.1)
    tool = Investment(name="tool", outlay={}, handle_time=0.2, breaches=0.5)

    def saved(investment: Investment) -> float:
        return judge(investment, budget.methods[-1], budget.months).savings_per_month

    assert saved(bot) == pytest.approx(0.1 * (timed + by_contact + penalties))
    assert saved(tool) == pytest.approx(0.2 * timed + 0.5 * penalties)
    both = replace(bot, handle_time=0.2)
    assert saved(both) == pytest.approx((1 - 0.9 * 0.8) * timed + 0.1 * (by_contact + penalties))


def test_savings_ramp_up_and_repeat_the_last_year() -> None:
    budget = budget_of(DRIVERS, "2026-01", 2, replace(DAYS, inflation_per_year=0.5))
    ramped = Investment(
        name="x", outlay={"x": 1.0}, months=5, ramp_up_months=4, deflects=0.5, residual=7.0
    )
    flows = judge(ramped, budget.methods[-1], budget.months).flows
    full = judge(replace(ramped, ramp_up_months=0), budget.methods[-1], budget.months).flows
    assert [flow / whole for flow, whole in zip(flows[1:4], full[1:4], strict=True)] == (
        pytest.approx([0.25, 0.5, 0.75])
    )
    assert full[1] == pytest.approx(full[3])
    assert full[5] == pytest.approx(full[1] + 7)


def test_payback_is_when_it_stays_paid_back() -> None:
    assert payback([-100.0, 50.0, 50.0]) == 2.0
    assert payback([-100.0, 40.0, 80.0]) == pytest.approx(1.75)
    assert payback([-100.0, 150.0, -100.0, 60.0]) == pytest.approx(2 + 50 / 60)
    assert payback([-100.0, 10.0]) is None
    assert payback([0.0, 10.0]) == 0.0


def test_no_rate_where_nothing_is_earned() -> None:
    assert internal_rate([-100.0, 10.0, 10.0]) is None
    assert internal_rate([100.0, 10.0]) is None


# --- files and the command ------------------------------------------------------------------------


def test_a_ledger_keeps_its_last_year_and_tells_faults(tmp_path: Path) -> None:
    path = tmp_path / "ledger.csv"
    path.write_text(
        "month,item,amount\n2024-01,salaries,1\n"
        + "".join(f"2025-{month:02d},salaries,100\n" for month in range(1, 13))
        + "2025-12,salaries,5\n2025-12,contacts,40\n"
    )
    ledger = read_ledger(path)
    assert ledger.year == "2025-01 to 2025-12"
    assert ledger.amounts["salaries"][12] == 105
    assert ledger.total_contacts == 480
    path.write_text("month,item,amount\n2025-13,salaries,1\n")
    with pytest.raises(ValueError, match=r'row 2: month: "2025-13" is no month'):
        read_ledger(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("growth_per_yeer: 0.1\n", 'did you mean "growth_per_year"'),
        ("season: [1, 2]\n", "give one a calendar month"),
        ("growth_per_year: 8\n", "a share a year"),
        ("wage_rises: {may: 0.1}\n", "is no month"),
    ],
)
def test_wrong_assumptions_are_told_with_their_place(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "assume.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        read_assumptions(path)
    assert message in str(error.value)
    assert "assume.yaml:1:" in str(error.value)


def test_wrong_investments_are_told(tmp_path: Path) -> None:
    path = tmp_path / "invest.yaml"
    path.write_text("name: x\noutlay: {a: 1.0}\ndeflects: 10\n")
    with pytest.raises(ConfigError, match="is a share"):
        read_investment(path)


def test_the_command_makes_a_budget_of_a_scenario(tmp_path: Path) -> None:
    scenario = tmp_path / "shop.yaml"
    text = Path("configs/scenarios/tiny.yaml").read_text(encoding="utf-8")
    scenario.write_text(
        text.replace("../tiny", str(Path("configs/tiny").resolve()))
        + "costs:\n  rates: {shop: {salary_per_month: 2000, benefits: 0.3}}\n"
    )
    invest, table = tmp_path / "invest.yaml", tmp_path / "table.csv"
    invest.write_text("name: bot\noutlay: {all: 20000.0}\ndeflects: 0.1\n")
    arguments = ["budget", str(scenario), "--from", "2026-01", "--months", "3", "--days", "2"]
    arguments += ["--workers", "1", "--investment", str(invest), "-o", str(table), "--json"]
    result = CliRunner().invoke(build(), arguments)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert [method["method"] for method in found["methods"]] == ["standard", "drivers"]
    assert found["investment"]["npv"] > 0
    assert table.read_text().startswith("method,item,follows,2026-01")


def test_a_scenario_without_prices_has_no_budget() -> None:
    result = CliRunner().invoke(build(), ["budget", "tiny", "--from", "2026-01"])
    assert result.exit_code == 1
    assert "gives no costs" in result.stderr
