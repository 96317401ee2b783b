"""The demo: its words on the wire, its lines, its pictures, and the whole show, run for real."""

from __future__ import annotations

import atexit
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from configs.loader import load_center
from router import decisions as d
from router import events as e
from router.center import Center
from router.journal import Entry
from router.measures import Measures
from router.measures_views import as_table
from simulation.demo_day import START_MS, stage_for
from simulation.demo_end import Notes, choose_passage, keep_last, next_commands
from simulation.demo_screen import Frame, Painter, PlainFace, state_of
from simulation.demo_teller import Line, Rank, Teller, choose, seconds
from simulation.demo_wire import (
    DECISION_TYPES,
    decode_decision,
    encode_event,
    encode_watermark,
    format_instant,
    name_event,
    parse_instant,
)
from streams.codec import ClockReached, Codec, Heard
from streams.names import DECISION_NAMES, EVENT_NAMES
from streams.writing import DecisionWriter

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "configs" / "sample"


@pytest.fixture(scope="module")
def center() -> Center:
    return load_center(SAMPLE).center


# --- the wire: another hand than the worker's wrote it ----------------------------------


def test_event_names_are_the_published_ones() -> None:
    assert {kind: name_event(kind) for kind in EVENT_NAMES} == EVENT_NAMES


def test_decision_names_are_the_published_ones() -> None:
    assert {f"switchroom.{name}": kind for name, kind in DECISION_TYPES.items()} == {
        name: kind for kind, name in DECISION_NAMES.items()
    }


@pytest.mark.parametrize(
    "event",
    [
        e.ContactArrived("c-1", "phone", "billing", tier="strict", language="zh"),
        e.CallbackRequested("c-1", due_at_ms=START_MS + 90_001),
        e.CallbackRequested("c-1"),
        e.OfferDeclined(7, "c-1", "a-1", e.DeclineCause.BUSY),
        e.AgentSignedIn("a-1", 3, "available"),
        e.SurveyAnswered("c-1", score=4, resolved=False),
    ],
)
def test_the_worker_reads_what_the_demo_sends(event: e.Event, center: Center) -> None:
    body = json.dumps(encode_event(event, START_MS + 1_234, 9)).encode()
    heard = Codec.of(center).decode(body)
    assert heard == Heard(event, "/switchroom/demo d-9", START_MS + 1_234)


def test_the_worker_reads_the_watermark(center: Center) -> None:
    body = json.dumps(encode_watermark(START_MS + 7)).encode()
    assert Codec.of(center).decode(body) == ClockReached(START_MS + 7)


def test_the_demo_reads_what_the_worker_publishes() -> None:
    told = (
        d.OfferContact(4, "c-1", "a-1", d.Reason.LONGEST_IDLE, START_MS + 20_003),
        d.StartSla("c-1", "80-20", 1, START_MS + 20_000, d.Reason.CLOCK_STARTED),
        d.RebaseSla("c-1", "80-20", 1, START_MS + 1, START_MS + 2, d.Reason.RETARGETED),
        d.AssignContact(4, "c-1", "a-1", d.Reason.ACCEPTED, 1_500, 1_400),
        d.CloseContact("c-1", d.Exit.ABANDONED, d.Reason.ABANDONED),
    )
    entry = Entry(e.Stamped(17, START_MS + 5, e.TimeAdvanced()), told)
    written = DecisionWriter("x").envelopes(entry, "1")
    read = [decode_decision(json.loads(json.dumps(envelope))) for envelope in written]
    assert read == [(17, START_MS + 5, decision) for decision in told]


def test_instants_keep_their_milliseconds() -> None:
    for at_ms in (1, START_MS, START_MS + 999, START_MS + 1_001):
        assert parse_instant(format_instant(at_ms)) == at_ms


# --- lines ------------------------------------------------------------------------------


def test_an_offer_is_told_with_need_idleness_and_deadline(center: Center) -> None:
    teller = Teller(center)
    agent = next(name for name, a in center.agents.items() if a.skills.get("billing") == 5)
    teller.sent(e.AgentSignedIn(agent), START_MS)
    teller.sent(e.ContactArrived("c-1", "phone", "billing", language="zh"), START_MS + 41_000)
    at_ms = START_MS + 49_000
    for decision in (
        d.EnqueueContact("c-1", "care", d.Reason.ARRIVED),
        d.StartSla("c-1", "phone_answer", 1, START_MS + 61_000, d.Reason.CLOCK_STARTED),
    ):
        assert teller.tell(decision, START_MS + 41_000) is None
    line = teller.tell(d.OfferContact(1, "c-1", agent, d.Reason.LONGEST_IDLE), at_ms)
    assert line is not None
    assert line.text.startswith(f"c-1 -> {agent}: ")
    for part in ("billing 5 >= 5", "idle longest 49 s", "due in 12 s", "waited 8 s"):
        assert part in line.text
    relaxed = teller.tell(d.RelaxContact("c-1", 1, d.Reason.STEP_DUE), at_ms)
    assert relaxed is not None
    assert relaxed.rank is Rank.NOTABLE


def test_breaches_are_alarms_and_ends_are_forgotten(center: Center) -> None:
    teller = Teller(center)
    teller.sent(e.ContactArrived("c-1", "phone", "fault"), START_MS)
    teller.tell(d.EnqueueContact("c-1", "technical", d.Reason.ARRIVED), START_MS)
    breach = teller.tell(
        d.BreachSla("c-1", "phone_answer", 1, START_MS + 20_000, d.Reason.DEADLINE_PASSED),
        START_MS + 20_000,
    )
    assert breach is not None
    assert (breach.rank, breach.text) == (
        Rank.ALARM,
        "breach c-1 in technical: phone_answer, deadline passed",
    )
    closed = teller.tell(
        d.CloseContact("c-1", d.Exit.ABANDONED, d.Reason.ABANDONED), START_MS + 70_000
    )
    assert closed is not None
    assert "abandoned after 70 s" in closed.text
    assert teller.queue_of("c-1") == ""


def test_there_is_room_for_the_gravest_and_a_usual_line() -> None:
    ranks = (Rank.USUAL, Rank.ALARM, Rank.WARNING, Rank.USUAL, Rank.ALARM, Rank.NOTABLE)
    lines = [Line(START_MS + number, rank, str(number)) for number, rank in enumerate(ranks)]
    assert [line.text for line in choose(lines)] == ["3", "4"]
    assert [line.text for line in choose(lines[:1])] == ["0"]
    assert choose([]) == ()


def test_durations_are_short_and_whole() -> None:
    told = {400: "0.4 s", 5_000: "5 s", 41_900: "41 s", 185_000: "3:05", 1_800_000: "30 min"}
    assert {ms: seconds(ms) for ms in told} == told
    assert seconds(7_800_000) == "2:10 h"


# --- pictures -----------------------------------------------------------------------------


def incident_frame(center: Center) -> Frame:
    """Make a frame in which one queue is late and its team away."""
    stage = stage_for(center, 600_000)
    measures = Measures()
    seq = 0

    def fold(after_ms: int, event: e.Event, *told: d.Decision) -> None:
        nonlocal seq
        seq += 1
        measures.fold(e.Stamped(seq, START_MS + after_ms, event), told)

    fold(0, e.CenterChanged(center=center))
    for agent_id in center.agents:
        fold(0, e.AgentSignedIn(agent_id))
    for agent_id in stage.away:
        fold(1, e.AgentPresenceChanged(agent_id, "break"))
    category = next(name for name, c in center.categories.items() if c.queue == stage.queue)
    for number in range(12):
        fold(
            2,
            e.ContactArrived(f"c-{number}", "phone", category),
            d.EnqueueContact(f"c-{number}", stage.queue, d.Reason.ARRIVED),
        )
    fold(100_000, e.TimeAdvanced())
    lines = tuple(
        Line(START_MS, Rank.ALARM, f"breach c-{number} {'x' * 100}") for number in range(30)
    )
    return Frame(
        at_ms=START_MS + 100_000,
        elapsed_ms=100_000,
        act=stage.act(stage.incident_ms),
        table=as_table(measures),
        lines=lines,
        untold=0,
    )


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (60, 24)])
def test_the_picture_fits_and_says_late_without_colour(
    center: Center, width: int, height: int
) -> None:
    frame = incident_frame(center)
    out = StringIO()
    console = Console(file=out, width=width, height=height, force_terminal=False, highlight=False)
    console.print(Painter("title", {"phone_answer": 80}).picture(frame, frame.lines, width, height))
    rows = out.getvalue().rstrip("\n").split("\n")
    assert len(rows) <= height
    assert max(len(row) for row in rows) <= width
    queue = stage_for(center, 600_000).queue
    (late,) = (row for row in rows if row.startswith(queue) and "LATE" in row)
    assert re.search(r"\b12\b", late)
    assert not any("…" in row for row in rows[2:18] if "breach c-" not in row)
    assert "\x1b" not in out.getvalue()


def test_the_red_row_is_red_where_there_is_colour(center: Center) -> None:
    frame = incident_frame(center)
    out = StringIO()
    console = Console(file=out, width=80, height=24, force_terminal=True, color_system="standard")
    console.print(Painter("title", {}).picture(frame, frame.lines, 80, 24))
    assert re.search(r"\x1b\[1;31m[^\n]*LATE", out.getvalue())


def test_plain_lines_name_the_turn_once(center: Center) -> None:
    frame = incident_frame(center)
    out = StringIO()
    face = PlainFace(Painter("title", {}), Console(file=out, width=80))
    face.show(frame)
    face.show(frame)
    queue = stage_for(center, 600_000).queue
    assert out.getvalue().count(f"{queue} turns LATE") == 1


def test_state_follows_the_threshold() -> None:
    row = {"service_level_ms": 20_000}
    assert [state_of(row | {"longest_wait_now_ms": ms}) for ms in (10_000, 10_001, 20_000)] == [
        "ok", "warn", "warn",
    ]  # fmt: skip
    assert state_of(row | {"longest_wait_now_ms": 20_001}) == "LATE"


def test_the_passage_runs_from_the_last_offer_to_the_assignment() -> None:
    story = [
        "seq 1  contact arrived (c-1)",
        "    enters queue q",
        "seq 5  a deadline was reached",
        "    offered to a-1, for 15 s",
        "seq 7  wrap up ended (a-2)",
        "    offered to a-2, for 15 s",
        "      not a-1: busy",
        "seq 8  offer accepted (a-2)",
        "    assigned to a-2 after 9 s",
        "seq 9  contact ended (c-1)",
    ]
    assert choose_passage(story) == [story[0], "    ...", *story[4:9]]
    assert choose_passage(story[:2]) == story[:2]


# --- the whole show -------------------------------------------------------------------------


# Where the shows of this file leave their last journal.
CACHE = Path(tempfile.mkdtemp(prefix="switchroom-test-cache-"))
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ, "COLUMNS": "80", "NO_COLOR": "1", "XDG_CACHE_HOME": str(CACHE)
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "switchroom", "demo", "--speed", "0", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def objects(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def shows() -> list[subprocess.CompletedProcess[str]]:
    """Play one seed twice and another once."""
    return [demo("--seconds", "20", "--json", "--seed", seed) for seed in ("1", "1", "2")]


def test_one_seed_gives_one_journal_and_one_picture(
    shows: list[subprocess.CompletedProcess[str]],
) -> None:
    first, again, other = shows
    assert [show.returncode for show in shows] == [0, 0, 0], first.stderr
    assert first.stdout == again.stdout
    digests = [objects(show.stdout)[-1]["journal"]["digest"] for show in shows]  # type: ignore[index]
    assert len(set(digests)) == 2
    assert objects(other.stdout)[0]["kind"] == "tick"


def test_the_incident_turns_the_queue_late_and_agents_come_back(
    shows: list[subprocess.CompletedProcess[str]], center: Center
) -> None:
    *ticks, summary = objects(shows[0].stdout)
    stage = stage_for(center, 20 * 30_000)
    away = []
    for tick in ticks:
        teams = tick["table"]["teams"]  # type: ignore[index]
        away.append(sum(row["away"] for row in teams))
    assert max(away) >= len(stage.away) * 2 // 3
    assert away[-1] < max(away) // 2
    assert any("Incident" in str(tick["act"]) for tick in ticks)
    texts = [line["text"] for tick in ticks for line in tick["lines"]]  # type: ignore[attr-defined]
    assert any(text.startswith("warn") for text in texts)
    assert any(text.startswith("breach") for text in texts)
    assert summary["notes"]["late_at_ms"] > START_MS + stage.incident_ms  # type: ignore[index]


def test_the_summary_adds_up_and_explains_one_assignment(
    shows: list[subprocess.CompletedProcess[str]],
) -> None:
    *ticks, summary = objects(shows[0].stdout)
    total: dict[str, int] = summary["summary"]  # type: ignore[assignment]
    for tick in ticks:
        for row in tick["table"]["queues"]:  # type: ignore[index]
            exits = ("answered", "abandoned", "short_abandoned", "deflected", "overflowed")
            gone = sum(row[how] for how in (*exits, "callback", "expired"))
            assert row["arrivals"] == gone + row["waiting"]
    assert total["contacts"] > 50
    assert summary["journal"]["entries"] == ticks[-1]["table"]["seq"]  # type: ignore[index]
    assert any(str(summary["notes"]["longest_id"]) in line for line in summary["explained"])  # type: ignore[index,attr-defined]


def test_the_demo_ends_with_a_planners_question_about_its_own_morning(tmp_path: Path) -> None:
    """What it prints can be pasted, and is about the queue that was late while it was."""
    notes = Notes(
        queue="technical", agents_away=16, seed=1, length_ms=1_350_000,
        late_at_ms=START_MS + 515_000, recovered_at_ms=START_MS + 773_000,
    )  # fmt: skip
    command, *_, plan = next_commands(notes, tmp_path / "day.db", kept=False)
    start = START_MS // 60_000 % 1440
    clocks = [f"{(start + at) // 60:02d}:{(start + at) % 60:02d}" for at in (8, 13)]
    assert command.endswith(f"day.db --add technical=8 --between {'-'.join(clocks)}")
    assert " what-if " in command
    assert plan.endswith("plan sample --target 80/20")
    again = next_commands(notes, None, kept=False)
    assert again[0].endswith("demo --seed 1 --speed 0 --keep")


def test_a_show_is_kept_until_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "show"
    folder.mkdir()
    (folder / "day.db").write_text("first")
    (folder / "day.db-wal").write_text("more")
    kept = keep_last(folder)
    assert kept is not None
    assert sorted(path.name for path in kept.iterdir()) == ["day.db", "day.db-wal"]
    (folder / "day.db-wal").unlink()
    (folder / "day.db").write_text("second")
    assert keep_last(folder) == kept
    assert [path.read_text() for path in kept.iterdir()] == ["second"]
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert keep_last(folder) is None


def test_piped_it_prints_plain_lines_and_a_next_command_that_works(tmp_path: Path) -> None:
    first = demo("--seconds", "3")
    explain, plan = (line.strip() for line in first.stdout.rstrip().splitlines()[-2:])
    assert explain.endswith(f"--store {CACHE}/switchroom/demo/day.db")
    assert plan.endswith("plan sample --target 80/20")
    show = demo("--seconds", "3", "--keep")
    digests = [re.findall("digest ([0-9a-f]+)", one.stdout) for one in (first, show)]
    assert digests[0] == digests[1] != []
    assert show.returncode == 0, show.stderr
    assert "\x1b" not in show.stdout
    assert max(len(line) for line in show.stdout.splitlines()) <= 200
    for word in ("in line", "in time", "promises", "incident", "decisions", "journal", "Next"):
        assert word in show.stdout
    command = show.stdout.rstrip().splitlines()[-1].strip()
    store = Path(command.split("--store ")[1])
    try:
        follow = subprocess.run(
            shlex.split(command),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert follow.returncode == 0, follow.stderr
        assert follow.stdout
    finally:
        for path in store.parent.iterdir():
            path.unlink()
        store.parent.rmdir()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_the_worker_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    show = subprocess.Popen(
        [sys.executable, "-m", "switchroom", "demo", "--json", "--seconds", "600"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert show.stdout is not None
    assert "tick" in show.stdout.readline()
    (folder,) = tmp_path.glob("switchroom-demo-*")
    workers = worker_processes(str(folder))
    assert workers
    show.send_signal(number)
    _, errors = show.communicate(timeout=30)
    assert show.returncode == 130
    assert "Traceback" not in errors
    assert not folder.exists()
    assert not worker_processes(str(folder))


def worker_processes(mark: str) -> list[str]:
    """Return the processes whose command line names the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if mark in line and "switchroom.py run" in line:
            found.append(line)
    return found


def test_the_incident_pages_by_the_rules_and_it_is_over_in_the_end() -> None:
    frames: list[Any] = objects(demo("--json").stdout)
    told = [(f["act"].split()[0], line["text"]) for f in frames if f["kind"] == "tick"
            for line in f["lines"] if line["rank"] == "page"]  # fmt: skip
    assert [(act, text.partition(":")[0]) for act, text in told] == [
        ("Incident:", "PAGE SwitchroomSlaBurnFast technical"),
        ("Recovery:", "over SwitchroomSlaBurnFast technical"),
    ]
