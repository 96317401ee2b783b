"""Register contacts from a journal, and list them on the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from typer.testing import CliRunner

from router import events as e
from router.center import Category, ComplaintRules, FollowUp
from router.journal import Entry, JournalWriter
from router.register import Register, Row, register
from router.router import Router
from router.sequencer import Sequencer
from switchroom import build
from tests.builders import MINUTE, SECOND, accept, arrive, desk, end, sign_in

START_MS = 1_767_603_600_000


def journal() -> list[Entry]:
    """Return a day on which one matter goes through everything."""
    center = desk(
        categories={
            "c": Category(
                queue="q", survey_percent=100, wrap_up_ms=-1, follow_up=FollowUp(category="after")
            ),
            "after": Category(queue="q"),
        },
        complaints=ComplaintRules(category="after", channel="email"),
    )
    sequencer = Sequencer(Router())
    story: tuple[e.Event, ...] = (
        e.CenterChanged(center),
        sign_in("a"),
        arrive("1", customer="x", bot="faq"),
        e.ContactHandedOver("1"),
        accept(1, "1"),
        end("1"),
        e.ContactResolved("1", "refund"),
        e.WrapUpEnded("1", "a"),
        e.NoteAdded("1", "a", "found"),
        e.SurveyAnswered("1", 1, resolved=False),
        e.ComplaintRaised("1"),
        arrive("2", customer="y"),
        e.ContactAbandoned("2"),
        e.ContactRedialled("2"),
        arrive("2", customer="z"),
        arrive("3", category="nothing"),
    )
    entries: list[Entry] = []
    for number, event in enumerate(story):
        entries += sequencer.accept(event, START_MS + number * SECOND)
    return entries


def test_a_row_tells_a_contacts_life() -> None:
    (row,) = register(journal())
    assert row == Row(
        "1",
        START_MS + 2 * SECOND,
        "phone",
        "c",
        "x",
        bot="faq",
        agent_id="a",
        assigned_ms=START_MS + 4 * SECOND,
        wait_ms=2 * SECOND,
        net_wait_ms=SECOND,
        handle_ms=3 * SECOND,
        closed_ms=START_MS + 7 * SECOND,
        exit="handled",
        reason="wrapped_up",
        resolution_code="refund",
        notes=1,
        complained=True,
        complaint_id="1.c2",
        surveyed=True,
        score=1,
        follow_up_id="1.f1",
    )


def test_open_contacts_and_those_the_router_opened_are_listed_when_asked_for() -> None:
    rows = {row.contact_id: row for row in register(journal(), with_open=True)}
    assert list(rows) == ["1", "1.f1", "1.c2", "2"]
    assert rows["1.f1"].origin_id == rows["1.c2"].origin_id == "1"
    # A repeat and a refused arrival leave no trace; a redial goes on in its row.
    assert (rows["2"].customer, rows["2"].reopened, rows["2"].exit) == ("y", 1, "")


def test_an_id_used_again_belongs_to_another_contact() -> None:
    book = Register()
    first = journal()
    for entry in first:
        book.fold(entry)
    again = next(x for x in first if isinstance(x.stamped.event, e.ContactArrived))
    book.fold(replace_at(again, START_MS + 600 * MINUTE))
    rows = [*book.former, *book.rows.values()]
    assert [row.arrived_ms for row in rows if row.contact_id == "1"] == [
        START_MS + 2 * SECOND,
        START_MS + 600 * MINUTE,
    ]


def replace_at(entry: Entry, at_ms: int) -> Entry:
    """Return an entry as if it had come at another time."""
    stamped = entry.stamped
    moved = e.Stamped(stamped.seq, at_ms, stamped.event)
    return Entry(moved, entry.decisions)


def run(tmp_path: Path, *words: str) -> str:
    """Run `switchroom contacts` on the journal."""
    path = tmp_path / "day.jsonl"
    path.write_bytes(JournalWriter("desk", "0.1.0").record(journal()) + b"\n")
    result = CliRunner().invoke(build(), ["contacts", str(path), *words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_register_on_the_command_line(tmp_path: Path) -> None:
    assert run(tmp_path).splitlines()[-1] == "1 contacts"
    (row,) = list(csv.DictReader(io.StringIO(run(tmp_path, "--csv"))))
    assert (row["contact_id"], row["resolution_code"], row["complained"]) == ("1", "refund", "true")
    assert row["arrived_at"] == "2026-01-05T09:00:02.000Z"
    rows = json.loads(run(tmp_path, "--json", "--open", "--category", "after"))
    assert [row["contact_id"] for row in rows] == ["1.f1", "1.c2"]
    assert json.loads(run(tmp_path, "--json", "--customer", "nobody")) == []


def test_one_form_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    path.write_bytes(JournalWriter("desk", "0.1.0").record(journal()) + b"\n")
    result = CliRunner().invoke(build(), ["contacts", str(path), "--json", "--csv"])
    assert result.exit_code == 2
