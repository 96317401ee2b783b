"""Run what the documents show, and hold their pictures and stories to the code.

- A block of shell after `<!-- run -->` is run in an empty directory, one block after the other; a
  block of text after `<!-- prints -->` is what the block before it must print, `...` standing
  for anything. `<!-- needs curl -->` says what a block needs beside us.
- What stands between `<!-- made: NAME -->` and `<!-- end -->` is made from the tables and by
  the router itself. After a change, `python -m tests.test_docs` writes it anew.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import pairwise
from pathlib import Path

import pytest

from configs.loader import load_center
from router import center as words
from router import events as e
from router import measures_formulas as formulas
from router.agents import AGENT_TABLE, AgentState
from router.center import Agent, Category, Center, Channel, OfferRules, Queue, Team
from router.contacts import CONTACT_TABLE, ContactState, Outcome, Verdict
from router.decisions import ChangeAgentState, Decision, Exit, Reason
from router.events import Event, Stamped
from router.measures_lines import QueueExit
from router.offers import OFFER_TABLE, OfferState
from router.records import CONNECTING, Assignment
from router.router import Router
from router.sequencer import Sequencer

ROOT = Path(__file__).parent.parent
DOCUMENTS = tuple(sorted(path.name for path in ROOT.glob("*.md")))
OWN = tuple(name for name in DOCUMENTS if name not in {"CONTRIBUTING.md", "SECURITY.md"})
DAY_MS = 1_772_442_000_000  # 2026-03-02T09:00:00Z
ENOUGH_S = 60

MADE = re.compile(r"(<!-- made: ([a-z-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
RUN = re.compile(
    r"<!-- run(?:; needs (?P<needs>\w+))? -->\n```(?P<language>sh|python)\n(?P<commands>.*?)```\n"
    r"(?:\s*<!-- prints -->\n```text\n(?P<prints>.*?)```\n)?",
    re.DOTALL,
)


def read(name: str) -> str:
    """Return a document's text."""
    return (ROOT / name).read_text(encoding="utf-8")


# --- what moves: the router is asked, state by state ----------------------------------------------

STAGE = Center(
    name="stage",
    version=1,
    channels={"phone": Channel(offer_timeout_ms=20_000, connect_timeout_ms=10_000)},
    skills=("rare",),
    queues={"first": Queue(), "second": Queue(), "narrow": Queue(wait_max_ms=300_000)},
    categories={
        "help": Category(queue="first", wrap_up_ms=30_000),
        "quick": Category(queue="narrow"),
    },
    teams={"team": Team()},
    agents={"a": Agent(team="team")},
    offers=OfferRules(unanswered_max=1, heartbeat_timeout_ms=60_000),
)
ARRIVED = e.ContactArrived("c", "phone", "help")
# Nobody can serve it, so it is in nobody's way: something to be merged into.
OTHER = e.ContactArrived("other", "phone", "help", skills={"rare": 1})
QUICK = e.ContactArrived("c", "phone", "quick")
IN = e.AgentSignedIn("a")
OUT = e.AgentSignedOut("a")
LOST = e.AgentLost("a")
CALLBACK = e.CallbackRequested("c", due_at_ms=DAY_MS + 3_600_000)
ACCEPTED, CONNECTED = e.OfferAccepted(1, "c", "a"), e.OfferConnected(1, "c", "a")
TIME = e.TimeAdvanced()

OFFERED = (IN, ARRIVED)
ACCEPTING = (*OFFERED, ACCEPTED)
TALKING = (*ACCEPTING, CONNECTED)
WRAPPING = (*TALKING, e.ContactEnded("c"))
DONE = (*WRAPPING, e.WrapUpEnded("c", "a"))

# How a contact gets into each state, with somebody free for it and without.
CONTACT_PATHS: tuple[tuple[Event, ...], ...] = (
    (),
    (IN,),
    (ARRIVED,),
    (QUICK,),
    (ARRIVED, CALLBACK),
    (e.ContactArrived("c", "phone", "help", bot="faq"),),
    (ARRIVED, e.CallbackRequested("c"), IN, ACCEPTED),
    (ARRIVED, e.CallbackRequested("c"), IN, ACCEPTED, CONNECTED),
    (ARRIVED, e.CallbackRequested("c"), IN, ACCEPTED, CONNECTED, e.ContactEnded("c")),
    OFFERED,
    ACCEPTING,
    TALKING,
    (IN, QUICK, ACCEPTED, CONNECTED),
    (*TALKING, LOST),
    WRAPPING,
    (*TALKING, e.CustomerAwaited("c"), OUT),
    (*DONE, OUT),
    (ARRIVED, e.ContactAbandoned("c")),
)
CONTACT_TRIES: tuple[Event, ...] = (
    ARRIVED,
    e.ContactHandedOver("c"),
    e.ContactUpdated("c", priority=9),
    e.ContactTransferred("c", queue="second"),
    e.ContactHeld("c"),
    e.ContactResumed("c"),
    e.ContactEnded("c"),
    e.ContactAbandoned("c"),
    e.ContactResolved("c"),
    e.ContactReopened("c"),
    e.CustomerReplied("c"),
    e.AgentReplied("c"),
    e.CustomerAwaited("c"),
    e.CustomerWaitEnded("c"),
    CALLBACK,
    e.CallbackFailed("c"),
    e.ContactRedialled("c"),
    e.ContactMerged("c", "other"),
    e.ComplaintRaised("c"),
    e.NoteAdded("c"),
    e.SurveyAnswered("c", 5),
    e.WrapUpEnded("c", "a"),
    IN,
    OUT,
    LOST,
    e.OfferAccepted(1, "c", "a"),
    e.OfferDeclined(1, "c", "a"),
    CONNECTED,
    e.OfferConnectFailed(1, "c", "a"),
    TIME,
)

AWAY = e.AgentPresenceChanged("a", "break")
AGENT_PATHS: tuple[tuple[Event, ...], ...] = ((), (IN,), OFFERED, (IN, AWAY), (IN, LOST))
AGENT_TRIES: tuple[tuple[str, Event], ...] = (
    ("AgentSignedIn", IN),
    ("AgentSignedIn (on break)", e.AgentSignedIn("a", presence="break")),
    ("AgentSignedOut", OUT),
    ("AgentPresenceChanged (takes work)", e.AgentPresenceChanged("a", "available")),
    ("AgentPresenceChanged (takes none)", e.AgentPresenceChanged("a", "training")),
    ("AgentSkillsChanged", e.AgentSkillsChanged("a", {})),
    ("AgentCapacityChanged", e.AgentCapacityChanged("a", 0)),
    ("AgentHeartbeat", e.AgentHeartbeat("a")),
    ("AgentLost", LOST),
    ("", TIME),
)

OFFER_PATHS: tuple[tuple[Event, ...], ...] = (
    (IN,),
    (ARRIVED,),
    OFFERED,
    ACCEPTING,
    TALKING,
    (IN, QUICK, ACCEPTED, CONNECTED),
    WRAPPING,
    DONE,
)


def play(events: Iterable[Event]) -> Router:
    """Return a router that heard these events on the stage, a second after each other."""
    router = Router()
    sequencer = Sequencer(router)
    sequencer.accept(e.CenterChanged(STAGE), DAY_MS)
    for number, event in enumerate(events, start=1):
        sequencer.accept(event, DAY_MS + number * 1000)
    return router


def hear(router: Router, event: Event) -> tuple[Decision, ...]:
    """Hand one event in, a second on; time itself at the next deadline."""
    due_ms = router.next_deadline()
    at_ms = router.now_ms + 1000
    if event is TIME:
        assert due_ms is not None, "something is always due where an agent or a contact is"
        at_ms = due_ms
    return router.handle(Stamped(router.seq + 1, at_ms, event))


def contact_state(router: Router) -> ContactState:
    contact = router.floor.contacts.get("c")
    return ContactState.ABSENT if contact is None else ContactState(contact.state)


def agent_state(router: Router) -> AgentState:
    return AgentState(router.floor.agents["a"].state)


def offer_state(router: Router) -> OfferState:
    """Find the state of offer 1 as the handler of offers does."""
    if 1 in router.floor.offers:
        return OfferState.OPEN
    if router.floor.next_offer == 1:
        return OfferState.ABSENT
    contact = router.floor.contacts.get("c")
    work = None if contact is None else contact.work
    if not isinstance(work, Assignment) or work.offer_id != 1:
        return OfferState.CLOSED
    return OfferState.CONNECTING if work.phase == CONNECTING else OfferState.CONNECTED


def why(decisions: tuple[Decision, ...], *, of_agent: bool) -> str:
    """Return the reason of what time did, to an agent or to the rest."""
    reasons = [d.reason for d in decisions if isinstance(d, ChangeAgentState) is of_agent]
    return reasons[0].value if reasons else "nothing due"


def find_moves(
    paths: Iterable[tuple[Event, ...]],
    tries: Iterable[tuple[str, Event]],
    state_of: Callable[[Router], IntEnum],
) -> dict[tuple[IntEnum, IntEnum], list[str]]:
    """Try every event in every state; return the moves to another state with what made them."""
    moves: dict[tuple[IntEnum, IntEnum], list[str]] = {}
    for path in paths:
        for name, event in tries:
            router = play((OTHER, *path) if isinstance(event, e.ContactMerged) else path)
            before = state_of(router)
            if event is TIME and router.next_deadline() is None:
                continue
            decisions = hear(router, event)
            after = state_of(router)
            label = name
            if event is TIME:
                label = f"time ({why(decisions, of_agent=state_of is agent_state)})"
            told = moves.setdefault((before, after), [])
            if label not in told:
                told.append(label)
    return {pair: names for pair, names in moves.items() if pair[0] is not pair[1]}


# --- what is written into the documents -----------------------------------------------------------


def draw(moves: dict[tuple[IntEnum, IntEnum], list[str]], absent: IntEnum | None) -> str:
    """Draw moves as a mermaid state diagram; `absent` is the start."""
    lines = ["```mermaid", "stateDiagram-v2"]
    order = sorted(moves.items(), key=lambda move: (move[0][0] is not absent, *move[0]))
    for (before, after), names in order:
        source = "[*]" if before is absent else before.name.lower()
        lines.append(f"    {source} --> {after.name.lower()} : {'<br/>'.join(names)}")
    return "\n".join([*lines, "```", ""])


def tell(outcome: Outcome) -> str:
    """Say in a cell what a table says."""
    if isinstance(outcome, Reason):
        return f"`{outcome.value}`"
    return "**follow**" if outcome is Verdict.MOVE else "repeat"


def write_table(table: dict[type[Event], tuple[Outcome, ...]], states: type[IntEnum]) -> str:
    """Write a transition table with a row an event."""
    names = [state.name.lower() for state in states]
    lines = ["| event | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    lines += [
        f"| {kind.__name__} | " + " | ".join(tell(outcome) for outcome in row) + " |"
        for kind, row in table.items()
    ]
    return "\n".join([*lines, ""])


def named(events: Iterable[Event]) -> list[tuple[str, Event]]:
    """Give each event its own name."""
    return [(type(event).__name__, event) for event in events]


def draw_contact() -> str:
    return draw(find_moves(CONTACT_PATHS, named(CONTACT_TRIES), contact_state), ContactState.ABSENT)


def draw_agent() -> str:
    return draw(find_moves(AGENT_PATHS, AGENT_TRIES, agent_state), None)


def draw_offer() -> str:
    return draw(find_moves(OFFER_PATHS, named(CONTACT_TRIES), offer_state), OfferState.ABSENT)


# --- the life of one contact, on the sample centre ------------------------------------------------

SENIOR, TECH = "tech-senior-001", "tech-001"
STORY: tuple[tuple[int, Event], ...] = (
    (-50_000, e.AgentSignedIn(TECH, session=1)),
    (-45_000, e.ContactArrived("mail-7", "email", "technical_help", language="zh")),
    (-40_000, e.OfferAccepted(1, "mail-7", TECH)),
    (-30_000, e.AgentSignedIn(SENIOR, session=1)),
    (0, e.ContactArrived("call-1", "phone", "technical_help", customer="k-42", language="zh")),
    (17_200, e.OfferAccepted(3, "call-1", TECH)),
    (18_900, e.OfferConnected(3, "call-1", TECH)),
    (96_000, e.ContactResolved("call-1", "router_reset")),
    (121_500, e.WrapUpEnded("call-1", TECH)),
)


def play_story() -> Iterator[str]:
    """Yield the entries of the story: seconds since the call arrived, event, decisions."""
    router = Router()
    sequencer = Sequencer(router)
    center = load_center(ROOT / "configs" / "sample").center
    sequencer.accept(e.CenterChanged(center), DAY_MS - 100_000)
    for after_ms, event in STORY:
        for entry in sequencer.accept(event, DAY_MS + after_ms):
            at_ms = entry.stamped.at_ms - DAY_MS
            kind = type(entry.stamped.event).__name__
            head = f"{entry.stamped.seq:>3} {at_ms / 1000:>8.1f} s  {kind}"
            yield f"{head} {name(event, kind)}".rstrip()
            for decision in entry.decisions:
                reason = decision.reason.value
                yield f"{'':>16}-> {type(decision).__name__} {facts(decision)} ({reason})"


def name(event: Event, kind: str) -> str:
    """Name what an event is about; time is about nothing."""
    if kind == "TimeAdvanced":
        return ""
    return " ".join(
        str(getattr(event, part)) for part in ("contact_id", "agent_id") if hasattr(event, part)
    )


TOLD = (
    "contact_id", "agent_id", "queue", "policy", "percent", "exit", "wait_ms", "elapsed_ms",
)  # fmt: skip


def facts(decision: Decision) -> str:
    """Tell the facts of a decision in the order of their declaration, but for instants."""
    told = []
    for part in TOLD:
        value = getattr(decision, part, None)
        if value is not None:
            text = getattr(value, "value", value)
            told.append(f"{part}={text}" if part.endswith(("_ms", "percent")) else str(text))
    return " ".join(told)


def tell_story() -> str:
    return "\n".join(["```text", *play_story(), "```", ""])


MAKERS: dict[str, Callable[[], str]] = {
    "contact-states": draw_contact,
    "agent-states": draw_agent,
    "offer-states": draw_offer,
    "contact-table": lambda: write_table(CONTACT_TABLE, ContactState),
    "agent-table": lambda: write_table(AGENT_TABLE, AgentState),
    "offer-table": lambda: write_table(OFFER_TABLE, OfferState),
    "life-of-a-contact": tell_story,
}


def rewrite(text: str) -> str:
    """Return a document with every made part made anew."""
    return MADE.sub(lambda found: found[1] + MAKERS[found[2]]() + found[4], text)


def made_parts() -> list[tuple[str, str, str]]:
    """Return (document, part, text) of every made part of the documents."""
    return [(doc, found[2], found[3]) for doc in DOCUMENTS for found in MADE.finditer(read(doc))]


# --- tests: made parts ----------------------------------------------------------------------------


@pytest.mark.parametrize("part", MAKERS)
def test_a_made_part_is_what_the_code_makes(part: str) -> None:
    written = [text for _, name, text in made_parts() if name == part]
    assert written == [MAKERS[part]()], "run python -m tests.test_docs and look at the difference"


def test_arrows_are_labelled_as_mermaid_reads_them() -> None:
    """A colon or a semicolon in a label would end it."""
    for part in ("contact-states", "agent-states", "offer-states"):
        arrows = [line for line in MAKERS[part]().splitlines() if "-->" in line]
        assert arrows
        for line in arrows:
            assert re.fullmatch(r"    (\[\*\]|\w+) --> \w+ : [^:;]+", line), line


def test_the_pictures_reach_every_state() -> None:
    for path, states, state_of in (
        (CONTACT_PATHS, ContactState, contact_state),
        (AGENT_PATHS, AgentState, agent_state),
        (OFFER_PATHS, OfferState, offer_state),
    ):
        assert {state_of(play(events)) for events in path} == set(states)


def test_the_pictures_try_every_event_of_the_tables() -> None:
    tried = {type(event) for event in CONTACT_TRIES}
    assert tried >= set(CONTACT_TABLE) | set(OFFER_TABLE)
    assert {type(event) for _, event in AGENT_TRIES} >= set(AGENT_TABLE)


def test_only_what_a_table_lets_through_moves_a_contact() -> None:
    """Compare the picture with the table: no arrow where the table repeats or refuses."""
    for path in CONTACT_PATHS:
        for event in CONTACT_TRIES:
            row = CONTACT_TABLE.get(type(event))
            if row is None:
                continue
            router = play((OTHER, *path))
            before = contact_state(router)
            hear(router, event)
            if row[before] is not Verdict.MOVE:
                assert contact_state(router) is before, f"{type(event).__name__} in {before.name}"


# --- tests: what the documents show is run --------------------------------------------------------


@dataclass
class Stage:
    """An empty directory in which `switchroom` and `configs` are at hand, and a free port."""

    folder: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, commands: str, language: str = "sh") -> str:
        """Run commands; return what they print, on whichever stream."""
        shell = shutil.which("bash")
        assert shell is not None, "the documents are written for bash"
        program = [sys.executable] if language == "python" else [shell, "-euo", "pipefail"]
        done = subprocess.run(
            [*program, "-c", commands.replace("8080", str(self.port))],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=ENOUGH_S,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}"
        return done.stdout.replace(str(self.port), "8080")


def set_stage(folder: Path) -> Stage:
    command = folder / "bin" / "switchroom"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/switchroom.py" "$@"\n')
    command.chmod(0o755)
    for name in ("configs", "Makefile"):
        (folder / name).symlink_to(ROOT / name)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    environment = {
        **os.environ,
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }
    return Stage(folder, port, environment)


def matches(expected: str, printed: str) -> bool:
    """Compare texts line by line, trailing blanks aside; `...` stands for anything."""

    def trim(text: str) -> str:
        return "\n".join(line.rstrip() for line in text.strip().splitlines())

    pattern = ".*?".join(re.escape(part) for part in trim(expected).split("..."))
    return re.fullmatch(pattern, trim(printed), re.DOTALL) is not None


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if RUN.search(read(name))])
def test_what_a_document_shows_runs(document: str, tmp_path: Path) -> None:
    stage = set_stage(tmp_path)
    for block in RUN.finditer(read(document)):
        if block["needs"] and not shutil.which(block["needs"]):
            pytest.skip(f"{document} shows commands that need {block['needs']}")
        printed = stage.run(block["commands"], block["language"])
        if block["prints"] is not None:
            assert matches(block["prints"], printed), f"{block['commands']}\n{printed}"


def test_the_readme_has_something_to_run() -> None:
    assert len(RUN.findall(read("README.md"))) >= 3


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a\nb", "a  \nb\n\n", True),
        ("digest ...\nend", "digest 12\nend", True),
        ("digest ...\nend", "digest 12", False),
        ("a.c", "abc", False),
    ],
)
def test_texts_are_compared_with_gaps(expected: str, printed: str, *, same: bool) -> None:
    assert matches(expected, printed) is same


# --- tests: what the documents name exists --------------------------------------------------------


def test_paths_named_in_documents_exist() -> None:
    named = re.compile(r"`((?:router|simulation|streams|configs|tests|benchmarks)/[\w./*-]*)`")
    missing = [
        f"{document}: {path}"
        for document in OWN
        for path in named.findall(read(document))
        if not list(ROOT.glob(path.rstrip("/")))
    ]
    assert missing == []


def test_links_lead_somewhere() -> None:
    lost = []
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)\s]+)\)", read(document)):
            if "://" in target:
                continue
            file, _, anchor = target.partition("#")
            text = read(file or document) if (ROOT / (file or document)).is_file() else ""
            if not (ROOT / file).exists() or (anchor and anchor not in anchors(text)):
                lost.append(f"{document}: {target}")
    assert lost == []


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings, as the usual hosts make them."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_the_map_shows_every_room() -> None:
    """Every module stands in the architecture's map, and nothing else does."""
    found = re.search(r"## The rooms.*?```text\n(.*?)```", read("ARCHITECTURE.md"), re.DOTALL)
    assert found is not None
    parts = re.split(r"^(\w+)/.*$", found[1], flags=re.MULTILINE)[1:]
    rooms = dict(zip(parts[::2], parts[1::2], strict=True))
    assert set(rooms) == {"router", "simulation", "streams", "configs", "tests", "benchmarks"}
    for package in ("router", "simulation", "streams", "configs"):
        told = set(re.findall(r"^  (\w[\w/, *]*?)(?:  |$)", rooms[package], re.MULTILINE))
        names = {name.strip() for line in told for name in line.split(",")}
        folder = ROOT / package
        there = {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}
        there |= {f"{path.name}/" for path in folder.iterdir() if holds_something(path)}
        globs = {name for name in names if "*" in name}
        covered = {room for room in there for glob in globs if Path(room).match(glob)}
        assert there - covered - names == set(), f"{package}: not on the map"
        assert names - globs - there == set(), f"{package}: on the map, not in the tree"


def holds_something(path: Path) -> bool:
    return path.is_dir() and path.name != "__pycache__"


@pytest.mark.parametrize(
    "kind",
    [
        words.AgentPolicy, words.ContactPolicy, words.ClockKind, words.Signal, words.ReopenMode,
        words.LimitAction, words.OverloadClass, words.DayKind, e.DeclineCause, Exit, QueueExit,
    ],
)  # fmt: skip
def test_the_glossary_knows_every_choice(kind: type[words.AgentPolicy]) -> None:
    told = set(re.findall(r"`([\w]+)`", read("GLOSSARY.md")))
    assert {member.value for member in kind} - told == set()


def test_the_glossary_knows_every_formula_and_state() -> None:
    told = set(re.findall(r"`([\w]+)`", read("GLOSSARY.md")))
    made = {
        name
        for name, item in vars(formulas).items()
        if callable(item) and getattr(item, "__module__", "") == formulas.__name__
    }
    wanted = {formulas.service_level.__name__, *formulas.SERVICE_LEVELS} | {
        getattr(formulas, name).__name__ for name in made - {"ServiceCounts", "ratio"}
    }
    states = {state.name.lower() for kind in (ContactState, OfferState) for state in kind}
    assert (wanted | states) - told == set()


def test_the_glossary_is_one_line_a_word() -> None:
    lines = pairwise(read("GLOSSARY.md").splitlines())
    assert [text for before, text in lines if before[:2] == "- " and text[:1] == " "] == []


if __name__ == "__main__":
    for document in DOCUMENTS:
        (ROOT / document).write_text(rewrite(read(document)), encoding="utf-8")
