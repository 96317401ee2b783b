"""Swarm: each seed draws a centre, a day and faults; the auditor judges, healing must succeed."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import simpy
import typer
from typer.testing import CliRunner

from router.center import Agent, Category, Center, Channel, ClockKind, Promise, Queue, Team
from router.decisions import AssignContact
from router.journal import Entry, read_journal, verify_records
from simulation.commands import simulate
from simulation.day import judge_day, judge_seed, simulate_day
from simulation.options import from_seed
from simulation.rogues import FAULTS
from simulation.scenario import Customers, Demand, Faults, Law, Options, Shift, Workforce
from simulation.world import World

MINUTE_MS = 60_000

app = typer.Typer()
app.command()(simulate)


def busy_center() -> Center:
    """Give every fault its occasion: slow answers, twins among the agents, two queues."""
    able = Agent(team="t", skills={"billing": 5, "tech": 5})
    return Center(
        name="busy",
        version=1,
        channels={
            "phone": Channel(connect_timeout_ms=20_000),
            "email": Channel(units=50, offer_timeout_ms=60_000),
        },
        skills=("billing", "tech"),
        queues={"q1": Queue(), "q2": Queue()},
        categories={
            "billing": Category(queue="q1", needs={"billing": 2}, wrap_up_ms=30_000),
            "tech": Category(queue="q2", needs={"tech": 2}),
        },
        teams={"t": Team()},
        agents={f"a{number}": able for number in range(5)},
        promises={
            "answer": Promise(kind=ClockKind.ANSWER, target_ms=20_000, warnings=(50,)),
            "resolve": Promise(kind=ClockKind.RESOLUTION, target_ms=300_000),
        },
    )


def busy_day(faults: Faults, seed: int = 11) -> Options:
    demands = tuple(
        Demand(
            name=f"{category}-{channel}",
            category=category,
            channel=channel,
            rates_per_hour=(30.0,),
            interval_ms=60 * MINUTE_MS,
            handle=Law(mean_ms=120_000),
            patience=Law(mean_ms=200_000) if channel == "phone" else None,
        )
        for category in ("billing", "tech")
        for channel in ("phone", "email")
    )
    shifts = tuple(
        Shift(agent_id=f"a{number}", start_ms=0, end_ms=60 * MINUTE_MS) for number in range(5)
    )
    return Options(
        seed=seed,
        start_ms=1_767_603_600_000,
        length_ms=60 * MINUTE_MS,
        demands=demands,
        customers=Customers(connect=Law(mean_ms=5_000)),
        workforce=Workforce(shifts=shifts, reaction=Law(mean_ms=8_000), ignores=0.1),
        faults=faults,
        event_ids=True,
    )


def test_a_seed_breaks_no_promise(simulation_seed: int) -> None:
    verdict = judge_seed(simulation_seed)
    assert not verdict.violations, f"switchroom simulate --seed {simulation_seed}: " + "; ".join(
        verdict.violations[:5]
    )
    if simulation_seed % 100 == 1:
        assert judge_seed(simulation_seed) == verdict


def test_the_seeds_reach_every_fault() -> None:
    named: set[str] = set()
    for seed in range(1, 101):
        named.update(from_seed(seed)[1].faults.kinds)
    assert named == set(FAULTS)


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_alone_finds_its_occasion_and_does_no_harm(kind: str) -> None:
    faults = Faults(kinds=(kind,), share=0.1, gap_ms=30_000)
    verdict = judge_day(busy_center(), busy_day(faults))
    assert verdict.violations == ()
    assert verdict.left_open == 0
    assert verdict.faults[kind] > 0


def test_a_day_without_faults_has_none() -> None:
    verdict = judge_day(busy_center(), busy_day(Faults()))
    assert (verdict.violations, verdict.left_open, verdict.faults) == ((), 0, {})
    assert verdict.entries > 500


def test_a_restart_from_a_snapshot_changes_nothing() -> None:
    # The lots of faults are their own, so the two days differ in the snapshots alone.
    plain = judge_day(busy_center(), busy_day(Faults()))
    restored = judge_day(busy_center(), busy_day(Faults(kinds=("restored",), gap_ms=60_000)))
    assert restored.faults["restored"] > 20
    assert restored.digest == plain.digest


def test_a_users_own_simpy_process_takes_part() -> None:
    """Five agents leave for ten minutes at half past: nobody is served meanwhile."""
    center, options = busy_center(), busy_day(Faults())
    journal: list[Entry] = []
    away_ms, back_ms = 30 * MINUTE_MS, 40 * MINUTE_MS

    def fire_drill(world: World) -> Generator[simpy.Event, Any, None]:
        yield world.stage.env.timeout(away_ms)
        for desk in world.stage.desks.values():
            world.agents.set_presence(desk, "break")
        yield world.stage.env.timeout(back_ms - away_ms)
        for desk in world.stage.desks.values():
            world.agents.set_presence(desk, "available")

    simulate_day(center, options, listeners=(journal.append,), processes=(fire_drill,))
    taken = [
        entry.stamped.at_ms - options.start_ms
        for entry in journal
        if any(isinstance(decision, AssignContact) for decision in entry.decisions)
    ]
    assert any(at_ms < away_ms for at_ms in taken)
    assert not any(away_ms <= at_ms < back_ms for at_ms in taken)
    assert any(at_ms >= back_ms for at_ms in taken)


def test_the_command_repeats_a_seed_and_writes_its_journal(tmp_path: Path) -> None:
    runner, file = CliRunner(), tmp_path / "journal.jsonl"
    first = runner.invoke(app, ["--seed", "3", "--json", "-o", str(file)])
    assert first.exit_code == 0, first.output
    told = json.loads(first.stdout)
    records = list(verify_records(read_journal(file)))
    assert records[-1].state_hash == told["digest"]
    assert records[-1].seq_to == told["events"]
    assert json.loads(runner.invoke(app, ["--seed", "3", "--json"]).stdout) == told
    text = runner.invoke(app, ["--seed", "3"]).stdout
    assert told["digest"] in text


def test_the_command_runs_a_range_and_refuses_a_wrong_one() -> None:
    runner = CliRunner()
    several = runner.invoke(app, ["--seeds", "5..6", "--json"])
    assert several.exit_code == 0, several.output
    assert json.loads(several.stdout)["seeds"] == 2
    wrong = runner.invoke(app, ["--seeds", "6..5"])
    assert wrong.exit_code == 2


def test_a_crash_is_a_finding_with_its_place() -> None:
    def trip(entry: Entry) -> None:
        if entry.stamped.seq == 50:
            raise AssertionError("a planted crash")

    verdict = judge_day(busy_center(), busy_day(Faults()), listeners=(trip,))
    assert verdict.entries == 50
    (violation,) = verdict.violations
    assert violation.startswith("crash: AssertionError: a planted crash (tests/")
