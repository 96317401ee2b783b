"""The planner's days: the same customers whatever changes, conservation, same bytes anywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from configs.changes import Change
from configs.findings import ConfigError
from configs.planning import Demand, Group, Law, LawName, Scenario
from router.center import Agent, Category, Center, Channel, Queue, Team
from simulation.plan.changes import apply_change
from simulation.plan.checks import check_scenario
from simulation.plan.day import Day, play_day
from simulation.plan.prepared import Prepared
from simulation.plan.reading import load_scenario
from simulation.plan.replications import Study, run
from simulation.plan.tallies import Count, Staffed

MINUTE_MS = 60_000
CONSTANT = Law(law=LawName.CONSTANT, mean_ms=MINUTE_MS)
EXITS = (
    Count.ANSWERED, Count.ABANDONED, Count.BLOCKED, Count.DEFLECTED, Count.EXPIRED, Count.CLEARED,
    Count.CALLBACKS, Count.CARRIED,
)  # fmt: skip


def pool(agents: int) -> Center:
    """One queue, one skill, every call taken at once by whoever is free."""
    return Center(
        name="pool",
        version=1,
        channels={"phone": Channel(auto_accept=True)},
        skills=("any",),
        queues={"q": Queue()},
        categories={"calls": Category(queue="q", needs={"any": 1})},
        teams={"t": Team()},
        agents={f"a{n}": Agent(team="t", skills={"any": 5}) for n in range(agents)},
    )


def phone_day(agents: int, per_minute: float, hours: int = 3, **demand: object) -> Scenario:
    """Return a few hours of Poisson calls with exponential work of a minute."""
    calls = Demand(
        category="calls",
        channel="phone",
        handle=Law(mean_ms=MINUTE_MS),
        per_interval=(per_minute * 60,) * hours,
        **demand,  # type: ignore[arg-type]
    )
    return Scenario(
        name="phone",
        center=pool(agents),
        date="2026-03-10",
        opens="00:00",
        closes=f"{hours:02d}:00",
        interval_ms=60 * MINUTE_MS,
        demand={"calls": calls},
    )


def assert_same(one: Study, two: Study) -> None:
    for name in ("counts", "staffed", "promises", "waits", "busyness", "expected"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name


@pytest.mark.parametrize("name", ["tiny", "sample"])
def test_a_shipped_scenario_plays_and_loses_nobody(name: str) -> None:
    tally = play_day(load_scenario(Path(name)), seed=3)
    arrived = tally.counts[:, :, Count.ARRIVED]
    assert arrived.sum() > 50
    assert np.array_equal(arrived, sum(tally.counts[:, :, exit_] for exit_ in EXITS))
    by_clock = tally.counts[:, :, Count.QUEUED_MS].sum(axis=1)
    waited = tally.counts[:, :, [Count.WAIT_MS, Count.CARRIED_WAIT_MS]].sum(axis=(1, 2))
    assert np.array_equal(by_clock, waited), "the same waiting, seen by the clock"
    left, lost = (tally.counts[:, :, what].sum() for what in (Count.LEFT, Count.ABANDONED))
    assert left == lost
    assert tally.served.sum() == tally.staffed[:, :, Staffed.HANDLED].sum()
    staffed = tally.staffed.sum(axis=(0, 1))
    assert 0 < staffed[Staffed.BUSY] < staffed[Staffed.SIGNED_IN]


def test_a_study_has_the_same_bytes_for_any_number_of_workers() -> None:
    scenario = load_scenario(Path("tiny"))
    alone, two = run(scenario, 6, seed=5, workers=1), run(scenario, 6, seed=5, workers=2)
    assert_same(alone, two)
    assert not np.array_equal(alone.counts[0], alone.counts[1]), "days differ"


def test_more_volume_moves_customers_without_changing_them() -> None:
    """Arrival i is Lambda^-1(e_1 + ... + e_i): at a flat rate, 30 % more is 1.3 times sooner."""
    scenario = phone_day(10, 8.0)
    more = apply_change(scenario, Change(demand=1.3))
    day, busier = Day(Prepared(scenario), 4), Day(Prepared(more), 4)
    ours, theirs = day.lots.arrivals[0], busier.lots.arrivals[0]
    assert len(theirs) > 1.15 * len(ours)
    assert all(abs(one - 1.3 * two) < 3 for one, two in zip(ours, theirs, strict=False))
    assert day.lots._work[0] == busier.lots._work[0][: len(ours)]


def test_one_agent_more_delays_nobody() -> None:
    """One line, first come first served, endless patience: day by day nobody waits longer."""
    ten, eleven = phone_day(10, 9.0), phone_day(11, 9.0)
    for day in range(3):
        few, many = play_day(ten, 2, day), play_day(eleven, 2, day)
        waits = (few.counts[:, :, Count.WAIT_MS], many.counts[:, :, Count.WAIT_MS])
        assert (waits[0] >= waits[1]).all()
        assert waits[0].sum() > waits[1].sum()


def test_a_scenario_says_all_that_is_wrong_at_its_place(tmp_path: Path) -> None:
    text = Path("configs/scenarios/tiny.yaml").read_text(encoding="utf-8")
    text = text.replace("../tiny", str(Path("configs/tiny").resolve()))
    text = text.replace("category: invoice", "category: invoices").replace("12]", "12, 3]")
    text = text.replace('end: "17:00"', 'end: "25:90"')
    path = tmp_path / "wrong.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_scenario(path)
    line = text[: text.index("25:90")].count("\n") + 1
    assert f"wrong.yaml:{line}:31: workforce.shop.shifts[0].end" in str(caught.value)
    assert '"25:90" is no time of day' in str(caught.value)
    path.write_text(text.replace("25:90", "17:00"), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_scenario(path)
    assert 'no category "invoices"; did you mean "invoice"?' in str(caught.value)
    assert "9 numbers; the day from 09:00 to 17:00 needs 8" in str(caught.value)


def test_a_value_of_no_kind_that_a_replacement_may_be_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "name: x\nbase: tiny\nchanges:\n  - {demand: much}\n"
        "  - {replace: {workforce.shop: {count: 2}, center.version: [1], name: y}}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_scenario(path)
    assert str(caught.value).splitlines() == [
        f'{path}:4:14: changes[0].demand: needs a number, found the text "much"',
        f"{path}:5:16: changes[1].replace.workforce.shop: needs a text, a number, true or false, "
        "found keys with values",
        f"{path}:5:44: changes[1].replace.center.version: needs a text, a number, true or false, "
        "found a list",
        "3 errors; nothing loaded",
    ]


def test_bots_take_their_share_and_the_sick_stay_away() -> None:
    scenario = phone_day(10, 8.0)
    bot = play_day(apply_change(scenario, Change(bot=0.25)), 1)
    fresh, settled = (bot.counts[0, :, what].sum() for what in (Count.FRESH, Count.BOT))
    assert 0.2 < settled / fresh < 0.3
    named = replace(scenario, workforce={"t": Prepared(scenario).staff.plans[0]})
    sick = play_day(apply_change(named, Change(sick=0.5)), 1)
    signed = sick.staffed[0, :, Staffed.SIGNED_IN].sum()
    assert signed < 0.85 * sick.staffed[0, :, Staffed.PAID].sum()


def test_a_category_may_take_a_group_longer() -> None:
    scenario = phone_day(3, 1.0)
    scenario = replace(
        scenario, demand={"calls": replace(scenario.demand["calls"], handle=CONSTANT)}
    )
    plain = play_day(scenario, 1).counts[0, :, [Count.TALK_MS, Count.ANSWERED]].sum(axis=1)
    slow = replace(scenario, workforce={"t": Group(pace=1.2, paces={"calls": 1.25, "other": 9.0})})
    slower = play_day(slow, 1).counts[0, :, [Count.TALK_MS, Count.ANSWERED]].sum(axis=1)
    assert plain[0] == MINUTE_MS * plain[1]
    assert slower[0] == 1.5 * MINUTE_MS * slower[1]
    assert [problem.text() for problem in check_scenario(slow)] == [
        'no category "other"; known are calls'
    ]


def with_callbacks(share: float) -> Scenario:
    """Return one agent; who finds two waiting is offered a callback."""
    scenario = phone_day(
        1,
        1.2,
        takes_callback=share,
        callback_from=2,
        callback_as="back",
        patience=Law(mean_ms=90_000),
    )
    center = scenario.center
    center = replace(
        center,
        queues={"q": Queue(reserve=0), "later": Queue()},
        categories={
            **center.categories,
            "back": Category(queue="later", needs={"any": 1}, priority=1),
        },
    )
    back = Demand(category="back", channel="phone", handle=Law(mean_ms=MINUTE_MS))
    return replace(scenario, center=center, demand={**scenario.demand, "back": back})


def test_who_hears_of_a_long_line_may_be_called_back() -> None:
    scenario = with_callbacks(0.5)
    assert not check_scenario(scenario)
    calls, back = (play_day(scenario, 1).counts[n].sum(axis=0) for n in (0, 1))
    assert 5 < calls[Count.CALLBACKS] == back[Count.ARRIVED] == back[Count.ANSWERED]
    assert calls[Count.ARRIVED] == sum(calls[exit_] for exit_ in EXITS)
    assert back[Count.FRESH] == 0
    assert back[Count.WAIT_MS] > 60_000 * back[Count.ARRIVED], "who is called back waits for a lull"
    everybody = play_day(with_callbacks(1.0), 1)
    assert everybody.waits[0].sum() > 0
    most = (
        everybody.counts[0, :, Count.QUEUED_MS].sum() / everybody.counts[0, :, Count.ARRIVED].sum()
    )
    assert most < calls[Count.WAIT_MS] / calls[Count.ARRIVED]


def test_a_callback_without_a_line_of_its_own_keeps_its_place() -> None:
    scenario = with_callbacks(1.0)
    plain = replace(scenario.demand["calls"], callback_as="")
    tally = play_day(replace(scenario, demand={**scenario.demand, "calls": plain}), 1)
    calls, back = (tally.counts[n].sum(axis=0) for n in (0, 1))
    assert calls[Count.CALLBACKS] > 5
    assert back[Count.ARRIVED] == 0
    assert (
        tally.staffed[0, :, Staffed.HANDLED].sum() == calls[Count.ANSWERED] + calls[Count.CALLBACKS]
    )


def test_what_is_wrong_with_callbacks_is_told() -> None:
    scenario = with_callbacks(0.5)

    def problems(name: str, **changes: object) -> list[str]:
        changed = replace(scenario.demand[name], **changes)  # type: ignore[arg-type]
        odd = replace(scenario, demand={**scenario.demand, name: changed})
        return [problem.text() for problem in check_scenario(odd)]

    assert problems("calls", callback_as="bak")[0] == 'no demand "bak"; did you mean "back"?'
    assert problems("calls", callback_from=0) == [
        "needs callback_from, which says when one is offered"
    ]
    assert problems("back", callback_from=2) == ['"back" offers callbacks itself']
    assert problems("calls", callback_from=-1)[0] == "a number who wait is not negative"


def test_a_centre_that_the_router_refuses_plays_no_day() -> None:
    scenario = phone_day(3, 1.0)
    odd = replace(scenario, center=replace(scenario.center, name="two words"))
    with pytest.raises(ValueError, match="the router refuses the centre 'two words'"):
        play_day(odd, 1)


def test_a_first_attempt_is_one_of_today() -> None:
    tally = play_day(phone_day(5, 1.0, backlog=20), 3)
    counts = tally.counts.sum(axis=(0, 1))
    assert counts[Count.ANSWERED] == counts[Count.FRESH] + 20
    assert counts[Count.FIRST_ANSWERED] == counts[Count.FRESH]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [("60%", "; write 0.6"), ("7.5 %", "; write 0.075"), ("+10%", ""), ("x%", ""), ("%", "")],
)
def test_a_percentage_where_a_factor_is_due_is_told_as_one(
    tmp_path: Path, text: str, remedy: str
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(f'name: x\nbase: tiny\nchanges:\n  - {{demand: "{text}"}}\n')
    with pytest.raises(ConfigError) as caught:
        load_scenario(path)
    said = str(caught.value).splitlines()[0]
    assert said == (
        f'{path}:4:14: changes[0].demand: needs a number, found the text "{text}"{remedy}'
    )
