"""Ask what a new configuration would do, before it is accepted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from configs.loader import load_center
from router import events as e
from router.center import Category, Center, ClockKind, Queue
from router.decisions import RebaseSla
from router.journal import JournalWriter
from router.preview import MovedClock, preview, preview_lines
from router.router import Router
from router.sequencer import Sequencer
from switchroom import build
from tests.builders import HOUR, MINUTE, SECOND, arrive, desk, promise, sign_in
from tests.playbook import Playbook, at, ms
from tests.test_clocks import TALK

PROMISES = {
    "solve": promise(ClockKind.RESOLUTION, HOUR),
    "answer": promise(ClockKind.ANSWER, MINUTE),
}


def running() -> Playbook:
    """Return a floor with three open contacts at minute 40, one promise broken."""
    center = desk(promises=PROMISES, channels=TALK, queues={"q": Queue(), "q2": Queue()})
    play = Playbook(center) >> arrive("1", "email") >> at(30 * MINUTE, arrive("2", queue="q2"))
    return play >> at(39 * MINUTE + 30 * SECOND, arrive("3", "email")) >> at(40 * MINUTE)


def center_of(play: Playbook) -> Center:
    """Return the configuration in force."""
    center = play.router.floor.center
    assert center is not None
    return center


def test_the_clocks_that_would_move_are_listed() -> None:
    play = running()
    shorter = {**PROMISES, "solve": promise(ClockKind.RESOLUTION, 30 * MINUTE)}
    center = replace(center_of(play), version=2, promises=shorter)
    before = play.router.snapshot()
    found = preview(play.router, center)
    assert play.router.snapshot() == before, "only a copy was asked"
    assert found.clocks == (
        MovedClock("1", "solve", "solve", 1, ms(HOUR), ms(30 * MINUTE), "broken at once"),
        MovedClock("2", "solve", "solve", 1, ms(90 * MINUTE), ms(HOUR), "moved"),
        MovedClock(
            "3",
            "solve",
            "solve",
            1,
            ms(99 * MINUTE + 30 * SECOND),
            ms(69 * MINUTE + 30 * SECOND),
            "moved",
        ),
    )
    play >> e.CenterChanged(center, rebase=True)
    said = [(x.contact_id, x.deadline_ms) for x in play.of(RebaseSla)]
    assert said == [(clock.contact_id, clock.deadline_ms) for clock in found.clocks]


def test_canceled_new_and_broken_ones_are_told_apart() -> None:
    play = running()
    other = {
        "answer": promise(ClockKind.ANSWER, 2 * HOUR),
        "first": promise(ClockKind.FIRST_RESPONSE, 2 * HOUR),
    }
    found = preview(play.router, replace(center_of(play), version=2, promises=other))
    assert {(clock.contact_id, clock.promise, clock.effect) for clock in found.clocks} == {
        ("1", "solve", "canceled"),
        ("2", "solve", "canceled"),
        ("3", "solve", "canceled"),
        ("1", "first", "new"),
        ("2", "first", "new"),
        ("3", "first", "new"),
        ("3", "answer", "moved"),
        ("1", "answer", "stays broken"),
        ("2", "answer", "stays broken"),
    }


def test_a_queue_with_contacts_needs_drain_or_move_to() -> None:
    play = running()
    center = replace(center_of(play), version=2, queues={"q": Queue()})
    found = preview(play.router, center)
    assert found.queues == {"q2": 1}
    assert found.faults == (
        "queue q2 is gone and has 1 in it: give --drain q2, or --move-to q2=OTHER",
    )
    assert preview(play.router, center, {"q2": "q"}).faults == ()
    assert preview(play.router, center, drain=("q2",)).faults == ()


def test_other_faults_are_told_too() -> None:
    play = running()
    center = center_of(play)
    assert "version 1 does not follow version 1" in preview(play.router, center).faults[0]
    gone = replace(center, version=2, categories={"d": Category(queue="q")})
    assert preview(play.router, gone).faults == (
        "open contacts need c, which is gone; keep it until they have ended",
    )
    assert preview(Router(), center).faults == ("the journal holds no configuration yet",)


def test_nothing_to_move() -> None:
    play = running() >> sign_in("a")
    center = replace(center_of(play), version=2)
    assert preview_lines(preview(play.router, center))[-1] == "  no clock would move under --rebase"


YAML = """\
name: desk
version: {version}
skills: []
channels:
  email: {{units: 10, auto_accept: true}}
queues:
  {queue}: {{}}
categories:
  c: {{queue: {queue}}}
teams:
  t: {{}}
agents:
  a: {{team: t}}
promises:
  p: {{kind: resolution, target: {target}}}
"""


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_tells_it(tmp_path: Path, *, as_json: bool) -> None:
    for name, facts in (
        ("old", {"version": 1, "queue": "q", "target": "4h"}),
        ("new", {"version": 2, "queue": "other", "target": "1h"}),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "center.yaml").write_text(YAML.format(**facts))
    sequencer = Sequencer(Router())
    entries = sequencer.accept(e.CenterChanged(load_center(tmp_path / "old").center), 1_000)
    entries += sequencer.accept(arrive("c-1", "email"), 2_000)
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(JournalWriter("desk", "test").record(entries) + b"\n")
    runner = CliRunner()
    arguments = ["check", str(tmp_path / "new"), "--against", str(journal)]
    refused = runner.invoke(build(), arguments)
    assert refused.exit_code == 1
    assert "queue q is gone and has 1 in it" in refused.stdout
    arguments += ["--move-to", "q=other", *(["--json"] if as_json else [])]
    accepted = runner.invoke(build(), arguments)
    assert accepted.exit_code == 0, accepted.output
    if as_json:
        assert json.loads(accepted.stdout)["clocks"][0]["contact_id"] == "c-1"
    else:
        assert "1 clock would move under --rebase" in accepted.stdout
        assert "c-1  p  1970-01-01 04:00:02.000 UTC -> 1970-01-01 01:00:02.000 UTC" in (
            accepted.stdout
        )
