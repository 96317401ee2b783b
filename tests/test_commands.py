"""The command line: data to stdout, the rest to stderr, exit codes, errors that say what to do."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import switchroom
from configs.loader import load_center
from router.journal import decode_record
from streams.embedded import EmbeddedStore
from tests.kill_soak import bodies_in, command, make_day

ROOT = Path(__file__).parent.parent
TINY = ROOT / "configs" / "tiny"
CENTER = load_center(TINY).center


class Told:
    """What a command wrote and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


class Cli:
    """Run commands in this process, as the entry point does."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], directory: Path
    ) -> None:
        self.monkeypatch = monkeypatch
        self.capfd = capfd
        self.directory = directory
        self.store = directory / "store.db"

    def __call__(self, *arguments: str | Path) -> Told:
        self.monkeypatch.setattr(sys, "argv", ["switchroom", *map(str, arguments)])
        self.capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            switchroom.main()
        out, err = self.capfd.readouterr()
        code = ended.value.code
        return Told(code if isinstance(code, int) else int(code is not None), out, err)

    def day(self, lines: int = 300, seed: int = 1) -> Path:
        path = self.directory / f"day-{seed}.ndjson"
        path.write_bytes(b"\n".join(make_day(CENTER, lines, seed)) + b"\n")
        return path

    def run(self, *arguments: str | Path, store: Path | None = None) -> Told:
        return self("run", "--config", TINY, "--store", store or self.store, *arguments)

    def run_day(self, lines: int = 300) -> Path:
        day = self.day(lines)
        told = self.run("--input", day, "--as-fast-as-possible")
        assert told.code == 0, told.err
        return day

    def digest(self, file: Path | None = None) -> str:
        return self("journal", "digest", file or self.store).out.strip()


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    return Cli(monkeypatch, capfd, tmp_path)


_HELP = """
import sys
sys.argv = ["switchroom", "--help"]
import switchroom
try:
    switchroom.main()
finally:
    heavy = {"aiohttp", "numpy", "pydantic", "simpy", "yaml", "sqlite3", "asyncio", "aiokafka"}
    print("LOADED", sorted(heavy & set(sys.modules)))
"""


def test_help_names_the_commands_and_loads_neither_world() -> None:
    told = subprocess.run(
        [sys.executable, "-c", _HELP], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = re.search(r"LOADED (.*)", told.stdout)
    assert loaded is not None
    for heavy in ("aiohttp", "numpy", "pydantic", "simpy", "sqlite3"):
        assert heavy not in loaded[1]
    for name in ("run", "explain", "replay", "check", "schema", "journal", "simulate"):
        assert re.search(rf"^\W*{name}\b", told.stdout, re.MULTILINE), name


def test_a_day_from_a_file_and_all_one_can_ask_of_it(cli: Cli) -> None:
    cli.run_day()
    verified = json.loads(cli("journal", "verify", cli.store, "--json").out)
    replayed = json.loads(cli("replay", cli.store, "--json").out)
    assert verified["digest"] == replayed["digest"] == cli.digest()
    assert verified["entries"] == replayed["entries"] > 300
    assert f"{verified['entries']} entries" in cli("replay", cli.store).out
    shown = cli("journal", "show", cli.store, "--to", "2").out.splitlines()
    assert "CenterChanged" in shown[0]
    assert "ActivateCenter" in shown[1]
    one = cli("journal", "show", cli.store, "--contact", "c-1").out
    assert "ContactArrived c-1" in one
    assert "c-2" not in one
    as_json = cli("journal", "show", cli.store, "--from", "2", "--to", "3", "--json").out
    assert [json.loads(line)["stamped"]["seq"] for line in as_json.splitlines()] == [2, 3]
    told = cli("explain", "c-1", "--store", cli.store)
    assert told.code == 0
    assert "c-1" in told.out
    assert told.err == ""


def test_an_explanation_may_stop_at_an_earlier_seq(cli: Cli) -> None:
    cli.run_day()
    whole = cli("explain", "c-1", "--store", cli.store).out
    entry = next(
        e
        for body in bodies_in(cli.store)
        for e in decode_record(body).entries
        if getattr(e.stamped.event, "contact_id", "") == "c-1"
    )
    early = cli("explain", "c-1", "--store", cli.store, "--at", str(entry.stamped.seq)).out
    assert len(early) < len(whole)


def test_an_exported_journal_is_a_journal(cli: Cli) -> None:
    cli.run_day()
    file = cli.directory / "day.journal"
    assert cli("journal", "export", cli.store, "-o", file).code == 0
    assert cli.digest(file) == cli.digest()
    assert cli("replay", file).code == 0
    story = cli("explain", "c-2", "--journal", file).out
    assert story == cli("explain", "c-2", "--store", cli.store).out
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[1:]))
    told = cli("journal", "verify", file)
    assert told.code == 1
    assert "expected seq 1" in told.err


def test_exported_events_fed_again_make_the_same_day(cli: Cli) -> None:
    cli.run_day()
    events = cli.directory / "again.ndjson"
    assert cli("journal", "export", cli.store, "--as", "events", "-o", events).code == 0
    again = cli.directory / "again.db"
    assert cli.run("--input", events, "--as-fast-as-possible", store=again).code == 0
    assert cli.digest(again) == cli.digest()


def test_decisions_are_printed_once_and_are_those_of_the_journal(cli: Cli) -> None:
    day = cli.day()
    options = ("--input", day, "--as-fast-as-possible", "--print-decisions")
    first = cli.run(*options)
    exported = cli("journal", "export", cli.store, "--as", "decisions").out
    assert first.out == exported
    ids = [json.loads(line)["id"] for line in first.out.splitlines()]
    assert len(set(ids)) == len(ids) > 300
    assert cli.run(*options).out == "", "nothing new"
    store = EmbeddedStore.own(cli.store)
    store.save_published("lines", 40)  # as after a crash: the position lags
    store.close()
    repeated = cli.run(*options).out
    assert repeated
    assert first.out.endswith(repeated), "what comes again is the same, ids and all"


def test_standard_input_at_a_speed(cli: Cli) -> None:
    day = cli.day(60)
    arguments = command(TINY, cli.store, "--input", "-", "--speed", "100000")
    told = subprocess.run(
        arguments, cwd=ROOT, input=day.read_bytes(), capture_output=True, timeout=60, check=False
    )
    assert told.returncode == 0, told.stderr
    last = decode_record(bodies_in(cli.store)[-1])
    assert last.inputs_up_to["stdin/0"] >= 60


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "nothing to listen to"),
        (("--input", "x", "--as-fast-as-possible", "--speed", "2"), 2, "exclude each other"),
        (("--input", "x", "--speed", "0"), 2, "--speed must be"),
        (("--http", "127.0.0.1:1", "--port", "1"), 2, "exclude each other"),
        (("--http", "127.0.0.1"), 2, "HOST:PORT"),
        (("--http", "0.0.0.0:8080"), 2, "--token-file"),
        (("--port", "70000"), 2, "65535"),
        (("--input", "x", "--move-to", "orders"), 2, "QUEUE=OTHER"),
        (("--input", "missing.ndjson"), 1, "missing.ndjson"),
        (("--port", "0", "--token-file", "missing.token"), 1, "missing.token"),
    ],
)
def test_wrong_usage_is_told(cli: Cli, arguments: tuple[str, ...], code: int, words: str) -> None:
    told = cli.run(*arguments)
    assert (told.code, told.out) == (code, "")
    assert words in told.err
    assert "Traceback" not in told.err


def test_a_broken_configuration_is_told_and_nothing_is_made(cli: Cli) -> None:
    broken = cli.directory / "broken"
    broken.mkdir()
    (broken / "center.yaml").write_text("name: x\nversion: 1\nqueus: {}\n")
    told = cli("run", "--config", broken, "--store", cli.store, "--input", "-")
    assert told.code == 1
    assert "center.yaml:3" in told.err
    assert not cli.store.exists()
    assert cli("check", broken).code == 1
    assert cli("check", TINY).code == 0
    assert cli("check-config", TINY, "--json").code == 0


def test_schemas_are_written_and_compared(cli: Cli) -> None:
    directory = cli.directory / "schemas"
    assert cli("schema", "-o", directory).code == 0
    assert cli("schema", "-o", directory, "--check").code == 0
    written = next(directory.rglob("*.json"))
    written.write_text("{}")
    assert cli("schema", "-o", directory, "--check").code == 1


def test_questions_about_what_is_not_there(cli: Cli) -> None:
    cli.run_day(60)
    told = cli("explain", "c-none", "--store", cli.store)
    assert (told.code, told.out) == (1, "")
    assert "no entry names contact c-none" in told.err
    assert cli("explain", "c-1").code == 2
    assert cli("replay", cli.directory / "none.db").code == 1
    text = cli.directory / "notes.txt"
    text.write_text("notes\n")
    told = cli("replay", text)
    assert told.code == 1
    assert "notes.txt: not a journal record" in told.err


def test_a_store_that_is_in_use(cli: Cli) -> None:
    store = EmbeddedStore.own(cli.store)
    told = cli.run("--input", cli.day(60))
    store.close()
    assert told.code == 1
    assert f"process id {os.getpid()}" in told.err


def test_a_port_that_is_in_use(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        told = cli.run("--port", str(taken.getsockname()[1]))
    assert told.code == 1
    assert "port" in told.err
    assert "Traceback" not in told.err
    EmbeddedStore.own(cli.store).close()  # the lock was let go


def test_checks_are_never_switched_off(cli: Cli) -> None:
    arguments = command(TINY, cli.store, "--input", "-")
    told = subprocess.run(
        [arguments[0], "-O", *arguments[1:]],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 1
    assert "without -O" in told.stderr
    assert not cli.store.exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_signals_end_a_worker_in_order(cli: Cli, number: signal.Signals, code: int) -> None:
    with subprocess.Popen(
        command(TINY, cli.store, "--port", "0"), cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stderr is not None
        first = worker.stderr.readline()
        assert re.fullmatch(r"listening on http://127\.0\.0\.1:\d+\n", first)
        worker.send_signal(number)
        _, told = worker.communicate(timeout=20)
    assert worker.returncode == code
    assert "stopped at seq 1" in told
    assert "Traceback" not in told


def test_a_reader_that_has_seen_enough(cli: Cli) -> None:
    cli.run_day()
    with subprocess.Popen(
        [sys.executable, "-m", "switchroom", "journal", "show", str(cli.store)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as shown:
        assert shown.stdout is not None
        assert shown.stderr is not None
        shown.stdout.readline()
        shown.stdout.close()
        assert shown.stderr.read() == b""
