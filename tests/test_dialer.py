"""A dialer of the planner: when it dials, how many, and what becomes of who answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from configs.changes import Change, OtherHours
from configs.findings import ConfigError
from configs.planning import Demand, Dialer, Group, Law, LawName, Scenario
from simulation.plan.changes import apply_change
from simulation.plan.checks import check_scenario
from simulation.plan.day import play_day
from simulation.plan.prepared import Prepared
from simulation.plan.reading import SHIPPED, load_scenario
from simulation.plan.replications import run
from simulation.plan.requirement import lines_of
from simulation.plan.results import judged_demands, result_of
from simulation.plan.showing import show_result
from simulation.plan.tallies import Count, Staffed
from tests.test_plan_days import EXITS, MINUTE_MS, assert_same, phone_day
from tests.validation.published_cases import cases

DIALER = Dialer(start="01:00", end="02:00", groups=("t",), reach=(1.0,))
MINUTE = Law(law=LawName.CONSTANT, mean_ms=MINUTE_MS)


def outbound_day(agents: int, dialer: Dialer, patience_ms: int = 5_000) -> Scenario:
    """Return three hours in which nobody calls, and agents are dialled for."""
    scenario = phone_day(agents, 1.0)
    calls = Demand(
        category="calls",
        channel="phone",
        handle=MINUTE,
        patience=Law(law=LawName.CONSTANT, mean_ms=patience_ms),
        dialer=dialer,
    )
    return replace(scenario, demand={"calls": calls}, workforce={"t": Group()})


def counted(scenario: Scenario, seed: int = 3) -> dict[Count, int]:
    """Return the counts of a day, the hours together."""
    counts = play_day(scenario, seed=seed).counts
    assert counts[0, :, Count.ARRIVED].sum() == counts[0][:, EXITS].sum()
    sums = counts[0].sum(axis=0).tolist()
    return {what: sums[what] for what in Count}


def test_agents_are_busy_while_the_dialer_dials() -> None:
    """Everybody answers at once: three agents have sixty talks each, in that hour alone."""
    tally = play_day(outbound_day(3, DIALER), seed=3)
    counts = tally.counts[0]
    assert counts[:, Count.DIALLED].tolist() == [0, 180, 0]
    assert counts[:, Count.ANSWERED].tolist() == [0, 180, 0]
    assert counts[:, Count.FRESH].sum() == 0
    assert tally.staffed[0, 1, Staffed.BUSY] == 3 * 60 * MINUTE_MS


def test_numbers_that_answer_to_nobody_hang_up() -> None:
    """Three numbers for each idle agent, half of which answer: more than there are agents."""
    found = counted(outbound_day(10, replace(DIALER, lines_per_agent=3.0, reach=(0.5,))))
    assert found[Count.ABANDONED] > 20
    assert found[Count.ARRIVED] == pytest.approx(found[Count.DIALLED] / 2, rel=0.1)
    fewer = counted(outbound_day(10, replace(DIALER, lines_per_agent=1.0, reach=(0.5,))))
    assert fewer[Count.ABANDONED] == 0


def test_a_dialer_that_reaches_nobody_goes_on() -> None:
    found = counted(outbound_day(2, replace(DIALER, reach=(0.0,), every_ms=10_000)))
    assert (found[Count.DIALLED], found[Count.ARRIVED]) == (2 * 360, 0)


def test_without_ends_of_contacts_and_looks_nothing_is_dialled() -> None:
    assert counted(outbound_day(2, replace(DIALER, every_ms=0)))[Count.DIALLED] == 0


def test_numbers_that_ring_are_not_dialled_twice() -> None:
    """One agent, one line: while it rings for half a minute no other number is tried."""
    rings = Law(law=LawName.CONSTANT, mean_ms=30_000)
    dialer = replace(DIALER, rings=rings, every_ms=1_000, reach=(0.0,))
    assert 115 <= counted(outbound_day(1, dialer))[Count.DIALLED] <= 120
    # A talk of a minute after half a minute of ringing: forty in an hour.
    found = counted(outbound_day(1, replace(dialer, reach=(1.0,))))
    assert found[Count.ANSWERED] in (39, 40)
    assert found[Count.ABANDONED] == 0


def test_a_list_comes_to_its_end() -> None:
    assert counted(outbound_day(3, replace(DIALER, numbers=50)))[Count.DIALLED] == 50


def test_idle_agents_are_counted_in_other_groups_too() -> None:
    """Four idle of both groups are asked for; three of them alone are too few."""
    scenario = outbound_day(4, DIALER)
    members = tuple(scenario.center.agents)
    groups = {"out": Group(members=members[:1]), "in": Group(members=members[1:])}
    alone = replace(DIALER, groups=("out",), idle_min=4)
    for beside, dialled in (((), 0), (("in",), 60)):
        demand = replace(scenario.demand["calls"], dialer=replace(alone, beside=beside))
        found = counted(replace(scenario, workforce=groups, demand={"calls": demand}))
        # Whoever is idle longest takes the call, so the one dialled for is often idle again.
        assert (found[Count.DIALLED] >= dialled) if dialled else not found[Count.DIALLED]


def test_a_study_with_a_dialer_is_the_same_for_any_number_of_workers() -> None:
    scenario = outbound_day(10, replace(DIALER, lines_per_agent=3.0, reach=(0.5,)))
    assert_same(run(scenario, 4, seed=5, workers=1), run(scenario, 4, seed=5, workers=2))


def test_a_plan_tells_what_was_dialled() -> None:
    study = run(outbound_day(3, DIALER), 4, seed=1, workers=1)
    result = result_of(study)
    assert result.demands[0].dialled == 180
    assert result.last_ends == {"50%": "02:00", "90%": "02:00"}
    assert any("dialled 180.0" in line for line in show_result(result))
    assert any("a dialer" in row.outside for row in result.theory)


def test_a_target_speaks_of_callers_only() -> None:
    case = cases()["P10"]()
    assert judged_demands(case.scenario) == ("inbound",)
    assert [line.demands for line in lines_of(Prepared(case.scenario))] == [("inbound",)]


def test_a_dialer_is_read_and_checked(tmp_path: Path) -> None:
    text = (SHIPPED / "tiny.yaml").read_text(encoding="utf-8")
    text = text.replace("../tiny", str(SHIPPED.parent / "tiny"))
    offers = """
  offers:
    category: order_status
    channel: phone
    handle: 3m
    patience: {law: constant, mean: 5s}
    dialer: {start: "13:00", end: "16:00", groups: [shop], lines_per_agent: 2, reach: [0.3],
             rings: {law: uniform, low: 5s, high: 25s}, every: 20s, numbers: 500}

workforce:"""
    path = tmp_path / "dialer.yaml"
    path.write_text(text.replace("\nworkforce:", offers), encoding="utf-8")
    scenario = load_scenario(path)
    dialer = scenario.demand["offers"].dialer
    assert dialer is not None
    assert (dialer.every_ms, dialer.lines_per_agent, dialer.numbers) == (20_000, 2.0, 500)
    assert play_day(scenario, seed=1).counts[2, :, Count.DIALLED].sum() > 50
    later = apply_change(scenario, Change(hours=OtherHours(opens="09:00", closes="18:00")))
    assert later.demand["offers"] == scenario.demand["offers"]
    path.write_text(
        text.replace("\nworkforce:", offers.replace("[shop]", "[shp]")), encoding="utf-8"
    )
    with pytest.raises(ConfigError, match="shp"):
        load_scenario(path)


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"end": "01:00"}, "end"),
        ({"groups": ()}, "groups"),
        ({"reach": (0.1, 0.2)}, "reach"),
        ({"reach": (1.2,)}, "reach"),
        ({"lines_per_agent": 0.0}, "lines_per_agent"),
        ({"idle_min": 0}, "idle_min"),
        ({"every_ms": 10}, "every_ms"),
        ({"rings": Law(mean_ms=0)}, "rings"),
    ],
)
def test_a_mistake_in_a_dialer_is_told(changed: dict[str, object], place: str) -> None:
    scenario = outbound_day(3, replace(DIALER, **changed))  # type: ignore[arg-type]
    (problem,) = check_scenario(scenario)
    assert problem.path[:4] == ("demand", "calls", "dialer", place)


def test_a_demand_is_dialled_or_comes_by_itself() -> None:
    scenario = outbound_day(3, DIALER)
    calls = replace(scenario.demand["calls"], per_interval=(1.0, 1.0, 1.0))
    (problem,) = check_scenario(replace(scenario, demand={"calls": calls}))
    assert "give one of" in problem.message
