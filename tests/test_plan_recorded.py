"""Recorded contacts as a scenario's demand: a journal, a store, a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.findings import ConfigError
from configs.planning import Scenario
from router.events import ContactArrived
from router.journal import Entry, JournalWriter
from simulation.plan.day import Day
from simulation.plan.prepared import Prepared, start_of
from simulation.plan.reading import load_scenario
from simulation.plan.replications import run
from simulation.plan.tallies import Count

TINY = Path("configs/scenarios/tiny.yaml").resolve()


@pytest.fixture(scope="module")
def played() -> tuple[Scenario, list[Entry]]:
    """Return a scenario and the entries of a day of it."""
    scenario = load_scenario(TINY)
    entries: list[Entry] = []
    Day(Prepared(scenario), 3, listeners=(entries.append,)).play()
    return scenario, entries


def with_records(tmp_path: Path, file: str, **replaced: str) -> Path:
    """Write the tiny scenario with both of its demands read from a file."""
    text = TINY.read_text(encoding="utf-8").replace(
        "center: ../tiny", f"center: {TINY.parent.parent}/tiny"
    )
    for line in ("[14, 22, 26, 20, 12, 16, 20, 12]", "[4, 6, 8, 6, 4, 6, 6, 4]"):
        text = text.replace(f"per_interval: {line}", f"recorded: {file}")
    path = tmp_path / "recorded.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def arrivals_of(entries: list[Entry], channel: str) -> list[int]:
    events = ((entry.stamped.event, entry.stamped.at_ms) for entry in entries)
    return [
        at_ms
        for event, at_ms in events
        if isinstance(event, ContactArrived) and event.channel == channel
    ]


def test_a_journal_is_demand_and_each_day_meets_it(
    played: tuple[Scenario, list[Entry]], tmp_path: Path
) -> None:
    scenario, entries = played
    (tmp_path / "day.jsonl").write_bytes(JournalWriter("shop", "test").record(entries) + b"\n")
    again = load_scenario(with_records(tmp_path, "day.jsonl"))
    start_ms = start_of(scenario)
    for name, channel in (("order_calls", "phone"), ("invoice_chats", "chat")):
        offsets = [at_ms - start_ms for at_ms in arrivals_of(entries, channel)]
        assert list(again.demand[name].arrivals_ms) == offsets
    study = run(again, 2, workers=1)
    came = study.counts[..., Count.FRESH].sum(axis=(1, 2)).tolist()
    assert came == [len(arrivals_of(entries, "phone")) + len(arrivals_of(entries, "chat"))] * 2


def test_a_table_gives_each_demand_its_own_rows(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text(
        "arrived_at;queue;channel\n"
        "10.03.2026 09:30;orders;voice\n"
        "10.03.2026 10:30;billing;chat\n"
        "10.03.2026 11:30;orders;phone\n"
        "11.03.2026 11:30;orders;phone\n"
    )
    again = load_scenario(with_records(tmp_path, "calls.csv"))
    assert again.demand["order_calls"].arrivals_ms == (1_800_000, 9_000_000)
    assert again.demand["invoice_chats"].arrivals_ms == (5_400_000,)


def test_instants_alone_need_no_header(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("2026-03-10T09:30:00+01:00\n2026-03-10T10:30:00+01:00\n")
    again = load_scenario(with_records(tmp_path, "calls.csv"))
    assert again.demand["order_calls"].arrivals_ms == (1_800_000, 5_400_000)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "calls.csv",
            "arrived_at\n2026-04-10T09:30:00+02:00\n",
            "there are 1 from 2026-04-10 09:30",
        ),
        ("calls.csv", "arrived_at\n2026-03-10T09:30:00+01:00\nnoon\n", 'row 3, column 1: "noon"'),
        (
            "calls.csv",
            "arrived_at,channel\n2026-03-10T09:30:00,mail\n",
            "no contact of order_status",
        ),
        ("day.jsonl", "no journal\n", "day.jsonl"),
        ("day.jsonl", None, "no such file"),
    ],
)
def test_what_cannot_be_read_is_told_at_its_line(
    tmp_path: Path, name: str, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError) as told:
        load_scenario(with_records(tmp_path, name))
    assert "recorded.yaml:16:15: demand.order_calls.recorded" in str(told.value)
    assert message in str(told.value)
