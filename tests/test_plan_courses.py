"""Changes said on the command line, what is told when little is known, and Ctrl-C."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from configs.changes import Change
from configs.planning import Group, Scenario, Shift
from simulation.plan.answers import Figure
from simulation.plan.changes import ChangeError, apply_change
from simulation.plan.courses import Wishes, changed, courses_of
from simulation.plan.people import staff_of
from simulation.plan.playing import play_pairs, play_until
from simulation.plan.reading import load_scenario
from simulation.plan.replications import (
    Progress,
    Report,
    RunInterruptedError,
    Workers,
    run,
    run_with,
)
from simulation.plan.results import result_of, surely
from simulation.plan.showing import show_comparison, show_result
from simulation.plan.tallies import Tally
from switchroom import build

SCENARIOS = Path("configs/scenarios").resolve()


def call(*words: str) -> tuple[int, str]:
    """Run the command and return its exit code and what it printed."""
    done = CliRunner().invoke(build(), list(words), env={"COLUMNS": "200", "NO_COLOR": "1"})
    return done.exit_code, done.output


def hours_of(scenario_name: str, change: Change) -> float:
    """Return the agent hours planned in a shipped scenario after a change."""
    made = apply_change(load_scenario(Path(scenario_name)), change)
    stints = [stint for member in staff_of(made).members for stint in member.stints]
    return sum(stint.end_ms - stint.start_ms for stint in stints) / 3_600_000


def test_an_agent_more_may_work_a_shift_of_his_own() -> None:
    assert hours_of("tiny", Change(agents={"shop": 1})) == 48
    assert hours_of("tiny", Change(agents={"shop": 2}, start="10:00", end="14:00")) == 40 + 8


def test_an_agent_more_works_a_shift_although_all_are_counted() -> None:
    """Else he would have none, and nothing would change."""
    tiny = load_scenario(Path("tiny"))
    counted = Group(
        count=3,
        shifts=(
            Shift(start="10:00", end="14:00", count=1),
            Shift(start="09:00", end="17:00", count=2),
        ),
    )
    tiny = replace(tiny, workforce={"shop": counted})
    more = apply_change(tiny, Change(agents={"shop": 1})).workforce["shop"]
    assert [(shift.start, shift.count) for shift in more.shifts] == [("10:00", 1), ("09:00", 3)]
    fewer = apply_change(tiny, Change(agents={"shop": -2})).workforce["shop"]
    assert [(shift.start, shift.count) for shift in fewer.shifts] == [("10:00", 1)]
    idle = replace(tiny, workforce={"shop": replace(counted, count=5)})
    said = result_of(run(idle, 1, workers=1)).notes
    assert "2 agents of shop have no shift on this day." in said


def test_an_agent_more_in_staffed_intervals_is_there_at_his_hours() -> None:
    tiny = load_scenario(Path("tiny"))
    tiny = replace(tiny, workforce={"shop": Group(staffed=(2, 2, 2, 2, 2, 2, 2, 2))})
    made = apply_change(tiny, Change(agents={"shop": 1}, start="10:00", end="11:30"))
    assert made.workforce["shop"].staffed == (2, 3, 3, 2, 2, 2, 2, 2)


def test_a_scenario_without_groups_is_changed_by_its_teams() -> None:
    """What a fit of counts writes names no workforce; still one agent more is one agent more."""
    bare = replace(load_scenario(Path("tiny")), workforce={})
    made = apply_change(bare, Change(agents={"shop": 1}))
    assert len(staff_of(made).members) == len(staff_of(bare).members) + 1


@pytest.mark.parametrize(
    "change",
    [
        Change(agents={"shop": -1}, start="10:00", end="14:00"),
        Change(agents={"shop": 1}, start="14:00", end="10:00"),
        Change(agents={"shop": 1}, start="10:00"),
        Change(demand=1.1, start="10:00", end="12:00"),
    ],
)
def test_hours_that_do_not_fit_a_change_are_refused(change: Change) -> None:
    with pytest.raises(ChangeError):
        apply_change(load_scenario(Path("tiny")), change)


def test_each_option_is_a_course() -> None:
    wishes = Wishes(
        add=("shop=1",), between="10:00-12:00", demand=("+10%",), sick=("5%",),
        change=("workforce.shop.adherence=0.9",),
    )  # fmt: skip
    courses = list(courses_of(wishes))
    assert [course.told for course in courses] == [
        "shop +1 from 10:00 to 12:00",
        "+10 % contacts",
        "5 % more absent",
        "workforce.shop.adherence=0.9",
    ]
    made = changed(load_scenario(Path("tiny")), courses)
    assert made.name.startswith("shop +1 from 10:00 to 12:00, +10 % contacts")
    assert made.demand["order_calls"].factor == pytest.approx(1.1)
    assert made.workforce["shop"].unplanned_absence == pytest.approx(0.05)
    assert made.workforce["shop"].adherence == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--add", "shopp=1"), 'did you mean "shop"?'),
        (("--add", "shop=x"), "write GROUP=2"),
        (("--add", "shop=-9"), "leave at least 1"),
        (("--demand", "10"), "write +10%"),
        (("--sick", "100%"), "from 0% to under 100%"),
        (("--between", "10:00-12:00"), "give --add"),
        (("--add", "shop=1", "--between", "12:00-10:00"), "write 10:00-14:00"),
        (("--change", "workforce.shop.adherence=2"), "must be from 0.01 to 1"),
        (("--change", "adherence"), "PATH=VALUE"),
        ((), "give a second scenario, or a change"),
    ],
)
def test_a_course_that_does_not_fit_is_told(words: tuple[str, ...], message: str) -> None:
    code, said = call("compare", "tiny", "--days", "2", *words)
    assert code == 2
    assert message in said


def test_courses_are_compared_with_the_scenario_itself() -> None:
    code, said = call(
        "compare", "tiny", "--days", "6", "--workers", "1", "--add", "shop=1", "--demand", "+0%",
        "--json",
    )  # fmt: skip
    assert code == 0, said
    more, none = json.loads(said)
    assert more["after"] == "shop +1"
    assert more["rows"][3]["measure"] == "occupancy"
    assert more["rows"][3]["change"]["high"] < 0
    assert "exactly the same on all 6 days" in none["sentence"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--days", "0"), "--days"),
        (("--target", "0.8/20"), "is a percentage"),
        (("-o", "pyproject.toml"), "nothing can be written there"),
        (("-o", "pyproject.toml/deeper"), "nothing can be written there"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused_before_anything_is_played(
    words: tuple[str, ...], message: str
) -> None:
    code, said = call("plan", "tiny", *words)
    assert code == 2
    assert message in said


def test_what_one_day_cannot_tell_is_not_told() -> None:
    lines = list(show_result(result_of(run(load_scenario(Path("tiny")), 1, workers=1))))
    text = "\n".join(lines)
    assert "but not surely" in lines[0]
    assert "± ?" in text
    assert "± 0.0" not in text


def test_a_difference_of_nothing_is_the_same_not_unsure() -> None:
    from simulation.plan.comparison import compare_studies  # noqa: PLC0415 - here alone

    study = run(load_scenario(Path("tiny")), 4, workers=1)
    said = "\n".join(show_comparison(compare_studies(study, study)))
    assert "(the same)" in said
    assert "(not sure)" not in said


def test_a_target_inside_the_interval_is_not_sure() -> None:
    assert surely(Figure(0.85, 0.81, 0.89), 0.8)
    assert not surely(Figure(0.82, 0.79, 0.85), 0.8)
    assert surely(Figure(0.7, 0.6, 0.79), 0.8)
    assert not surely(Figure(0.9), 0.8)


def test_stretches_under_the_target_are_named_with_what_lacks(tmp_path: Path) -> None:
    few = tmp_path / "few.yaml"
    few.write_text(
        f"name: two\nbase: {SCENARIOS / 'tiny.yaml'}\nchanges:\n  - {{agents: {{shop: -3}}}}\n",
        encoding="utf-8",
    )
    code, said = call("plan", str(few), "--days", "6", "--workers", "1")
    assert code == 0, said
    under = [line for line in said.splitlines() if line.startswith("under ")]
    assert under
    assert "agents fewer at their desks than lines of their own would need" in said


def test_an_interrupted_run_keeps_whole_rounds_of_its_days() -> None:
    tiny = load_scenario(Path("tiny"))
    with Workers(1) as crew:
        tallies = crew.play(tiny, 1, 0, 5, 1)
        whole = run_with(crew, tiny, 4, 1, 2)
    assert RunInterruptedError(tiny, 1, 2, []).study() is None
    kept = RunInterruptedError(tiny, 1, 2, crew.play(tiny, 1, 0, 5, 2)).study()
    assert kept is not None
    assert kept.days == 4
    assert (kept.counts == whole.counts).all()
    assert (whole.first(2).counts == whole.counts[:2]).all()
    assert len(tallies) == 5


class Impatient(Workers):
    """Workers who are interrupted after some days, as by Ctrl-C."""

    def play(
        self,
        scenario: Scenario,
        seed: int,
        first: int,
        count: int,
        strata: int,
        report: Report | None = None,
    ) -> list[Tally]:
        del report

        def interrupt(progress: Progress) -> None:
            if first + progress.done >= 22:
                raise KeyboardInterrupt

        return super().play(scenario, seed, first, count, strata, interrupt)


def test_ctrl_c_tells_what_was_played(capsys: pytest.CaptureFixture[str]) -> None:
    tiny = load_scenario(Path("tiny"))
    with Impatient(1) as crew:
        study, whole = play_until(tiny, None, 1e-4, 100, 1, crew)
    assert not whole
    assert study.days >= 22
    assert f"those of the {study.days} days played" in capsys.readouterr().err


def test_ctrl_c_leaves_pairs_of_the_days_that_all_have_played() -> None:
    tiny = load_scenario(Path("tiny"))
    with Workers(1) as crew:
        whole, _ = play_until(tiny, 20, 0.1, 100, 1, crew)
    with Impatient(1) as crew, pytest.raises(KeyboardInterrupt):
        play_pairs([tiny, tiny], 30, 0.1, 100, 1, crew)
    assert whole.days == 20
