"""Replay recordings with a change, and without one: then nothing at all may differ."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from typer.testing import CliRunner

from configs.changes import Change
from configs.planning import Law, LawName
from router.center import Center
from router.journal import Entry, JournalWriter
from router.router import Router
from simulation.plan.changes import apply_change
from simulation.plan.day import play_day
from simulation.plan.laws import durations, weibull_shape
from simulation.plan.reading import load_scenario
from simulation.time_laws import Array
from simulation.whatif import altering
from simulation.whatif.altering import Alteration, AlterationError, Reinforcement
from simulation.whatif.asking import Answer, Question, ask, is_repeated
from simulation.whatif.laws import Drawn, Laws
from simulation.whatif.outcomes import Outcomes
from simulation.whatif.recording import Recording, record
from simulation.whatif.replaying import Replay
from simulation.whatif.residuals import residual_ms, total_ms
from switchroom import build
from tests.test_journals import DIGESTS, entries_of

TINY = Path("tiny")


def recorded_day(seed: int = 1, change: Change | None = None) -> list[Entry]:
    """Return the journal of a simulated day of the tiny centre, short of hands."""
    scenario = load_scenario(TINY)
    scenario = apply_change(scenario, Change(demand=1.5))
    if change is not None:
        scenario = apply_change(scenario, change)
    entries: list[Entry] = []
    play_day(scenario, seed, listeners=(entries.append,))
    return entries


@pytest.fixture(scope="module")
def day() -> list[Entry]:
    return recorded_day()


def happened_in(entries: list[Entry]) -> Outcomes:
    outcomes = Outcomes()
    for entry in entries:
        outcomes.fold(entry)
    return outcomes


def asked(
    entries: list[Entry], alteration: Alteration, *, keeps: bool = True, m: int = 5
) -> Answer:
    recording = record(entries)
    question = Question(
        recording=recording,
        laws=Laws(recording),
        alteration=alteration,
        seed=1,
        keeps_acceptances=keeps,
    )
    return ask(question, happened_in(entries), m)


def center_of(entries: list[Entry]) -> Center:
    center = record(entries).center
    assert center is not None
    return center


def more_agents(entries: list[Entry], agents: int) -> Alteration:
    recording = record(entries)
    part = Reinforcement(
        where=next(iter(center_of(entries).teams)),
        agents=agents,
        from_ms=recording.first_ms,
        to_ms=recording.end_ms,
    )
    return Alteration(reinforcements=(part,), told=f"{agents} more")


# --- no change, no difference -----------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_a_recorded_journal_without_a_change_gives_its_own_digest(name: str) -> None:
    recording = record(entries_of(name))
    assert recording.digest.hexdigest() == DIGESTS[name]
    assert is_repeated(recording, Laws(recording))


def test_a_simulated_day_without_a_change_differs_by_exactly_nothing(day: list[Entry]) -> None:
    answer = asked(day, Alteration(), m=2)
    assert answer.same_digest
    assert answer.changed == 0
    assert not answer.contacts_changed
    for row in answer.rows:
        for compared in (row.offered, row.service_level, row.abandoned, row.wait_s):
            assert compared.would_be == compared.happened
            assert compared.difference in (0.0, None)
            assert compared.half_width in (0.0, None)


def test_the_ways_of_asking_for_nothing_are_nothing(day: list[Entry]) -> None:
    alteration = Alteration(center=center_of(day), demand=altering.parse_share("+0%"))
    assert asked(day, alteration, m=2).changed == 0


def test_another_core_than_the_recorded_one_is_told(day: list[Entry]) -> None:
    # A decision left out is what another version of the core would have decided.
    broken = list(day)
    place = next(n for n, entry in enumerate(broken) if len(entry.decisions) > 1)
    broken[place] = Entry(broken[place].stamped, broken[place].decisions[:-1])
    recording = record(broken)
    assert not is_repeated(recording, Laws(recording))


# --- drawn acceptances, and changes -------------------------------------------------------------


def test_drawn_acceptances_reproduce_the_day_within_noise() -> None:
    entries = entries_of("swarm-26")
    answer = asked(entries, Alteration(), keeps=False, m=8)
    whole = answer.rows[0]
    # The same lots with and without no change: nothing differs between the two replays.
    assert whole.service_level.difference == 0
    assert whole.offered.would_be == whole.offered.happened
    assert whole.service_level.happened == pytest.approx(whole.service_level.would_be, abs=0.12)


def test_more_agents_help_as_much_as_they_would_have(day: list[Entry]) -> None:
    answer = asked(day, more_agents(day, 1), m=8)
    team = next(iter(center_of(day).teams))
    scenario = load_scenario(TINY)
    group = next(name for name, part in scenario.workforce.items() if team in (name, part.team))
    truth = happened_in(recorded_day(change=Change(agents={group: 1}))).finish(0).values()
    gone = answer.rows[0].abandoned
    assert gone.happened is not None
    assert gone.would_be is not None
    assert gone.half_width is not None
    real = sum(outcome.abandoned for outcome in truth)
    assert real < gone.happened  # the true day with one more agent, the same customers
    assert abs(gone.would_be - real) <= 1.5 * gone.half_width + 4
    assert answer.contacts_changed


def test_a_replay_keeps_what_was_seen_and_every_contact(day: list[Entry]) -> None:
    recording = record(day)
    before = happened_in(day).finish(recording.end_ms)
    lots = Drawn(Laws(recording), 3, 0)
    # One agent less: more wait longer than they did.
    center = center_of(day)
    gone = min(center.agents)
    outcomes, router, entries = Outcomes(), Router(), []

    def less(found: Center) -> Center:
        return replace(found, agents={k: v for k, v in found.agents.items() if k != gone})

    def hear(entry: Entry) -> None:
        entries.append(entry)
        outcomes.fold(entry)
        # What the replay decided is what any core decides on the same events.
        assert router.handle(entry.stamped) == entry.decisions

    Replay(recording, lots, center=less, hear=hear).run()
    after = outcomes.finish(recording.end_ms)
    assert set(before) <= set(after)
    assert all(name in before or ".again" in name for name in after)
    changed = 0
    for name, seen in before.items():
        now = after[name]
        assert now.arrived_ms == seen.arrived_ms or seen.arrived_ms > recording.first_ms
        changed += now.wait_ms != seen.wait_ms
        if seen.answered and now.abandoned:
            assert now.wait_ms > seen.wait_ms, "patience outlasted the wait that was seen"
        if seen.abandoned and now.abandoned and now.arrived_ms == seen.arrived_ms:
            assert now.wait_ms == seen.wait_ms, "patience was seen"
    assert changed
    counted = sum(
        1 for outcome in after.values() if outcome.ending in
        {"answered", "abandoned", "open", "deflected", "expired", "merged", "callback", "handled"}
    )  # fmt: skip
    assert counted == len(after)


@pytest.mark.parametrize(("share", "low", "high"), [("+30%", 1.2, 1.4), ("-50%", 0.4, 0.6)])
def test_other_volume(day: list[Entry], share: str, low: float, high: float) -> None:
    answer = asked(day, Alteration(demand=altering.parse_share(share)), m=2)
    offered = answer.rows[0].offered
    assert offered.happened is not None
    assert offered.would_be is not None
    assert low < offered.would_be / offered.happened < high


def test_other_rules_by_path(day: list[Entry]) -> None:
    queue = next(iter(center_of(day).queues))
    change = Change(replace={f"center.queues.{queue}.service_level": "1s"})
    answer = asked(day, Alteration(changes=(change,)), m=2)
    level = answer.rows[0].service_level
    assert level.happened is not None
    assert level.would_be is not None
    assert level.would_be < level.happened


# --- residuals ------------------------------------------------------------------------------------

_TAILS: dict[LawName, Callable[[Law, float], float]] = {
    LawName.EXPONENTIAL: lambda law, x: math.exp(-x / law.mean_ms),
    LawName.LOGNORMAL: lambda law, x: float(
        stats.lognorm.sf(
            x,
            math.sqrt(math.log1p(law.cv**2)),
            scale=law.mean_ms / math.sqrt(1 + law.cv**2),
        )
    ),
    LawName.GAMMA: lambda law, x: float(
        stats.gamma.sf(x, law.cv**-2, scale=law.mean_ms * law.cv**2)
    ),
    LawName.WEIBULL: lambda law, x: float(
        stats.weibull_min.sf(
            x,
            weibull_shape(law.cv),
            scale=law.mean_ms / math.gamma(1 + 1 / weibull_shape(law.cv)),
        )
    ),
}


@settings(max_examples=80, deadline=None)
@given(
    name=st.sampled_from(sorted(_TAILS, key=lambda law: law.value)),
    mean_ms=st.integers(1_000, 1_000_000),
    cv=st.floats(0.3, 2.5),
    age=st.floats(0.0, 5.0),
    uniform=st.floats(0.001, 0.999),
)
def test_a_residual_has_the_conditional_law(
    name: LawName, mean_ms: int, cv: float, age: float, uniform: float
) -> None:
    law = Law(law=name, mean_ms=mean_ms, cv=cv)
    age_ms = age * mean_ms
    tail = _TAILS[name]
    if tail(law, age_ms) < 1e-12:
        return
    total = total_ms(law, age_ms, uniform)
    assert total >= age_ms
    assert tail(law, total) / tail(law, age_ms) == pytest.approx(uniform, rel=1e-5)


def test_at_age_nothing_the_residual_is_the_law_itself() -> None:
    law = Law(law=LawName.HAZARD, from_ms=(0, 10_000, 60_000), per_minute=(0.2, 1.5, 0.4))
    for uniform in (0.02, 0.3, 0.5, 0.9):
        expected = float(durations(law, durations_lot(1 - uniform))[0])
        assert total_ms(law, 0.0, uniform) == pytest.approx(expected, rel=1e-9)
        # Who has waited 30 s already has passed the hazard of 30 s.
        passed = (0.2 * 10 + 1.5 * 20) / 60
        total = total_ms(law, 30_000.0, uniform)
        assert total_ms(law, 0.0, uniform * math.exp(-passed)) == pytest.approx(total, rel=1e-9)


def durations_lot(value: float) -> Array:
    return np.array([value])


@pytest.mark.parametrize("age", [30.0, 1e3])
def test_far_out_in_the_tail_there_is_still_a_residual(age: float) -> None:
    for name in (LawName.LOGNORMAL, LawName.GAMMA, LawName.WEIBULL):
        law = Law(law=name, mean_ms=60_000, cv=0.7)
        found = [residual_ms(law, age * law.mean_ms, uniform) for uniform in (0.9, 0.5, 0.1)]
        assert 0 < found[0] < found[1] < found[2]


def test_what_can_last_no_longer_ends() -> None:
    assert residual_ms(Law(law=LawName.CONSTANT, mean_ms=5_000), 9_000, 0.5) == 1
    values = Law(law=LawName.EMPIRICAL, values_ms=(10, 20, 30, 40))
    assert {total_ms(values, 20, u / 10) for u in range(1, 10)} == {30.0, 40.0}


# --- the command ----------------------------------------------------------------------------------


def written(entries: list[Entry], path: Path) -> Path:
    writer = JournalWriter("tiny", "test")
    path.write_bytes(writer.record(entries) + b"\n")
    return path


def test_the_command_tells_and_prints_json(day: list[Entry], tmp_path: Path) -> None:
    journal = written(day, tmp_path / "journal.jsonl")
    team = next(iter(center_of(day).teams))
    runner = CliRunner()
    options = ["--imputations", "2", "--workers", "1", "--zone", "Europe/Madrid"]
    told = runner.invoke(build(), ["what-if", str(journal), "--add", f"{team}=1", *options])
    assert told.exit_code == 0, told.output
    assert f"With 1 more in {team}" in told.output
    plain = runner.invoke(build(), ["what-if", str(journal), "--json", *options])
    answer = json.loads(plain.output)
    assert answer["changed"] == 0
    assert answer["same_digest"]
    wrong = runner.invoke(build(), ["what-if", str(journal), "--add", "nobody=1", *options])
    assert wrong.exit_code == 1
    assert 'no team, queue or skill "nobody"' in wrong.output


@pytest.mark.parametrize("text", ["care", "care=", "=3", "care=0", "care=x"])
def test_what_is_added_is_read_strictly(text: str) -> None:
    with pytest.raises(AlterationError):
        altering.parse_added(text)


def test_a_recording_without_a_center_has_none() -> None:
    assert Recording().center is None
