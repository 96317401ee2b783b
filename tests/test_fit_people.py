"""Who is there and what it costs, from planning files beside a history, into a scenario."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from simulation.plan.reading import load_scenario
from switchroom import build

HISTORY = Path("configs/scenarios/history.csv").resolve()
TINY = Path("configs/tiny").resolve()
SHIFTS = """agent,start,end,break_start,break_end
ann,2026-03-03 09:00,2026-03-03 17:00,2026-03-03 12:00,2026-03-03 12:30
ben,2026-03-03 09:00,2026-03-03 17:00,2026-03-03 12:30,2026-03-03 13:00
carla,2026-03-03 10:00,2026-03-03 14:00,,
dan,2026-03-10 09:00,2026-03-10 17:00,2026-03-10 13:30,2026-03-10 14:00
eve,2026-03-10 09:00,2026-03-10 17:00,2026-03-10 13:00,2026-03-10 13:30
carla,2026-03-10 10:00,2026-03-10 14:00,,
zoe,2026-03-03 09:00,2026-03-03 17:00,,
"""


def fit(tmp_path: Path, *words: str, **files: str) -> tuple[int, str, Path]:
    """Fit a Tuesday of the shipped history with planning files beside it."""
    out = tmp_path / "new" / "tuesday.yaml"
    options = []
    for name, text in files.items():
        path = tmp_path / f"{name}.csv"
        path.write_text(text)
        options += [f"--{name}", str(path)]
    done = CliRunner().invoke(
        build(),
        ["fit", str(HISTORY), "--center", str(TINY), "--timezone", "Europe/Madrid", "--interval",
         "60", "--day", "tue", "--quiet", "-o", str(out), *options, *words],
    )  # fmt: skip
    return done.exit_code, done.output, out


def test_without_a_word_on_people_all_work_all_day_and_it_is_told(tmp_path: Path) -> None:
    code, said, out = fit(tmp_path)
    assert code == 0, said
    text = out.read_text()
    assert "who works when is not in the history; all work all day" in text
    assert "the day is a Tuesday" in text
    scenario = load_scenario(out)
    (shift,) = scenario.workforce["shop"].shifts
    assert (shift.start, shift.end, shift.count) == ("09:00", "17:00", 0)
    assert scenario.demand["invoice-chat"].reply_after is not None
    assert "first replies cannot be seen in counts" in text


def test_a_scenario_names_the_schema_where_it_is(tmp_path: Path) -> None:
    _, _, out = fit(tmp_path)
    first = out.read_text().splitlines()[0]
    assert (out.parent / first.partition("$schema=")[2]).is_file()


def test_shifts_become_kinds_with_their_counts_and_breaks(tmp_path: Path) -> None:
    code, said, out = fit(tmp_path, shifts=SHIFTS)
    assert code == 0, said
    text = out.read_text()
    assert "1 agents with shifts are not in the centre; left out: zoe" in text
    shop = load_scenario(out).workforce["shop"]
    # Two long shifts a day, worked by four people once each; carla always works the short one.
    assert shop.members == ("ann", "ben", "carla")
    long, short = shop.shifts
    assert (long.start, long.end, long.count) == ("09:00", "17:00", 2)
    (rest,) = long.breaks
    # Two people share it: one at 12:00, one at 13:30, each in the middle of his half.
    assert (rest.earliest, rest.latest, rest.length_ms) == ("11:15", "14:15", 1_800_000)
    assert (short.start, short.end, short.count, short.breaks) == ("10:00", "14:00", 1, ())


def test_a_staffing_file_gives_agents_an_interval(tmp_path: Path) -> None:
    rows = "".join(f"2026-03-03T{hour:02d}:00,60,shop,{hour % 3 + 1}\n" for hour in range(9, 17))
    head = "interval_start,interval_minutes,group,agents\n"
    code, said, out = fit(tmp_path, staffing=head + rows)
    assert code == 0, said
    assert load_scenario(out).workforce["shop"].staffed == (1, 2, 3, 1, 2, 3, 1, 2)


def test_rates_are_what_an_hour_costs(tmp_path: Path) -> None:
    code, said, out = fit(tmp_path, "--currency", "GBP", rates="group,cost_per_hour\nshop,21.5\n")
    assert code == 0, said
    costs = yaml.safe_load(out.read_text())["costs"]
    assert costs == {"currency": "GBP", "rates": {"shop": {"per_hour": 21.5}}}
    load_scenario(out)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"staffing": "group,cost_per_hour\nshop,1\n"}, "holds rates, not staffing"),
        ({"staffing": "interval_start,group,agents\n2026-03-03T09:00,shoop,1\n"}, "is no team"),
        ({"staffing": "interval_start,group,agents\n2026-03-04T09:00,shop,1\n"}, "no row on a tue"),
        ({"rates": "group,cost_per_hour\nshoop,1\n"}, "is no team and no cost group"),
        ({"rates": "group,cost_per_hour\nshop,much\n"}, 'cost_per_hour: "much" is no number'),
        ({"shifts": "agent,start,end\nzoe,2026-03-03 09:00,2026-03-03 17:00\n"}, "no shift of an"),
    ],
)
def test_a_file_that_does_not_fit_is_told(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    code, said, out = fit(tmp_path, **files)
    assert code == 1
    assert message in said
    assert not out.exists()
