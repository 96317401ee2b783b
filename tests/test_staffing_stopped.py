"""Ctrl-C on real commands: what was found is kept, and no process is left behind."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pytest

from configs.planning import Target
from simulation.plan.reading import load_scenario
from simulation.plan.replications import Workers
from simulation.staffing.deadline import (
    Deadline,
    NothingFoundError,
    TimeUpError,
    stopped_by_ctrl_c,
)
from simulation.staffing.hunt import Effort
from simulation.staffing.seeking import seek
from simulation.staffing.spaces import intervals_space
from simulation.staffing.tuning import Knob, tune

ROOT = Path(__file__).parent.parent
_PATIENCE_S: Final = 60.0


class Terminal:
    """A command that somebody watches on a terminal, with its own group of processes.

    What it tells is read from a pseudoterminal, its answer from a file. The terminal ends when the
    last process that could write to it has ended.
    """

    def __init__(self, answer: Path, *words: str) -> None:
        self.answer = answer
        self.told = ""
        self._master, slave = pty.openpty()
        with answer.open("w", encoding="utf-8") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "switchroom", *words],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=slave,
                start_new_session=True,
            )
        os.close(slave)
        self._parts = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._master)

    def _read(self) -> Iterator[str]:
        while True:
            assert select.select([self._master], [], [], _PATIENCE_S)[0], self.told
            try:
                part = os.read(self._master, 65_536)
            except OSError:  # so the end of a pseudoterminal is told on Linux
                return
            if not part:
                return
            yield part.decode(errors="replace").replace("\r\n", "\n")

    def until(self, text: str) -> Self:
        """Read until a text was told."""
        while text not in self.told:
            part = next(self._parts, None)
            assert part is not None, f"ended before {text!r}:\n{self.told}"
            self.told += part
        return self

    def interrupt(self) -> Self:
        """Do what Ctrl-C on a terminal does: every process of the group is sent the signal."""
        os.killpg(self._process.pid, signal.SIGINT)
        return self

    def end(self) -> tuple[int, str, str]:
        """Return the exit code, the answer, and all that was told, once no process is left."""
        self.told += "".join(self._parts)
        code = self._process.wait(_PATIENCE_S)
        assert "Traceback" not in self.told
        return code, self.answer.read_text(encoding="utf-8"), self.told


def test_an_interrupted_plan_shows_the_days_played_and_leaves_no_process(tmp_path: Path) -> None:
    words = ("plan", "tiny", "--precision", "0.0001", "--days-max", "2000")
    with Terminal(tmp_path / "answer", *words) as terminal:
        code, answer, told = terminal.until(" days, ").interrupt().end()
    assert code == 130
    assert "interrupted: the figures below are those of the" in told
    assert "service level" in answer


def test_a_comparison_without_a_pair_says_one_line(tmp_path: Path) -> None:
    words = ("compare", "tiny", "--sick", "5%", "--days", "2000", "--workers", "1")
    with Terminal(tmp_path / "answer", *words) as terminal:
        code, answer, told = terminal.until(" days, ").interrupt().end()
    assert (code, answer) == (130, "")
    assert told.splitlines()[-1] == "interrupted"
    assert "figures below" not in told


def test_ctrl_c_keeps_the_best_plan_found_and_confirms_it(tmp_path: Path) -> None:
    words = ("staff", "tiny", "--days", "12", "--confirm-days", "16", "--confidence", "0.6")
    out = tmp_path / "out"
    with Terminal(tmp_path / "answer", *words, "--workers", "1", "-o", str(out)) as terminal:
        # Twenty days of this plan are played already: the search could go on for long.
        terminal.until("Ctrl-C stops the search and keeps what was found").until("plan 1: ")
        code, answer, told = terminal.interrupt().end()
    assert code == 0, told
    assert "what was found is confirmed on fresh days; Ctrl-C again ends at once" in told
    assert "confirming cost" in told
    assert "The search was stopped before it was done: there may be cheaper plans." in answer
    certificate = json.loads((out / "certificate.json").read_text(encoding="utf-8"))
    assert certificate["confirmed"]
    assert certificate["cut_short"]
    assert all(row["met"] for row in certificate["kept"])
    assert (out / "scenario.yaml").exists()
    assert (out / "report.html").exists()


def test_a_second_ctrl_c_ends_at_once_and_writes_nothing(tmp_path: Path) -> None:
    words = ("schedule", "tiny", "--days", "12", "--confirm-days", "5000", "--workers", "2")
    out = tmp_path / "out"
    with Terminal(tmp_path / "answer", *words, "-o", str(out)) as terminal:
        terminal.until("live core: ").interrupt().until("confirming cost")
        code, answer, told = terminal.interrupt().end()
    assert (code, answer) == (130, "")
    assert told.splitlines()[-1] == "interrupted"
    assert not list(out.iterdir())


def test_settings_tried_before_ctrl_c_are_shown(tmp_path: Path) -> None:
    vary = ("queues.orders.reserve=0..3", "categories.order_status.priority=6..9",
            "categories.invoice.priority=1..9")  # fmt: skip
    varied = [word for path in vary for word in ("--vary", f"center.{path}")]
    words = ("tune", "tiny", *varied, "--workers", "1", "--json")
    with Terminal(tmp_path / "answer", *words) as terminal:
        terminal.until("5 of 145 settings played, 6 days each")
        code, answer, told = terminal.interrupt().end()
    assert code == 0, told
    found = json.loads(answer)
    assert found["untried"] > 0
    assert len(found["settings"]) + found["dropped"] + found["alike"] + found["untried"] == 145
    assert f"stopped: {found['untried']} of the settings were not tried" in found["sentence"]
    assert any(setting["front"] for setting in found["settings"])
    assert {setting["days"] for setting in found["settings"]} == {6}


def test_a_search_stopped_before_its_first_plan_says_so() -> None:
    deadline = Deadline()
    deadline.stop()
    space = intervals_space(load_scenario(Path("tiny")))
    with Workers(1) as crew, pytest.raises(NothingFoundError, match="no plan was played"):
        seek(space, crew, Effort(12, 12), 1, "agents", lambda _: None, deadline)


def test_a_plan_that_falls_short_is_no_answer_of_a_search_that_is_stopped() -> None:
    deadline = Deadline()

    def tell(text: str) -> None:
        assert "falls short" in text
        deadline.stop()

    # Nearly everybody within the two seconds that accepting takes.
    asked = replace(load_scenario(Path("tiny")), target=Target(percent=99, within_ms=3_000))
    with Workers(1) as crew, pytest.raises(NothingFoundError, match="keeps all targets"):
        seek(intervals_space(asked), crew, Effort(12, 12), 1, "agents", tell, deadline)


def test_settings_that_were_to_get_more_days_are_compared_on_those_they_have() -> None:
    deadline = Deadline()

    def tell(text: str) -> None:
        if "12 days each" in text:
            deadline.stop()

    tiny, knobs = load_scenario(Path("tiny")), (Knob("center.queues.orders.reserve", (0, 1, 2)),)
    with Workers(1) as crew:
        whole = tune(tiny, knobs, crew, 1, 6)
        found = tune(tiny, knobs, crew, 1, 24, deadline, tell)
    assert "each setting was played on 6 days only" in found.sentence
    assert found.settings == whole.settings
    assert (found.untried, found.days) == (0, 6)


def test_the_first_ctrl_c_stops_and_the_second_one_ends() -> None:
    before = signal.getsignal(signal.SIGINT)
    deadline = Deadline()
    with stopped_by_ctrl_c(deadline, "stopping"):
        os.kill(os.getpid(), signal.SIGINT)
        assert deadline.stopped
        with pytest.raises(TimeUpError):
            deadline.ask()
        with deadline.lifted():
            deadline.ask()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        deadline = Deadline()
        with stopped_by_ctrl_c(deadline, "stopping"):
            os.kill(os.getpid(), signal.SIGINT)
        assert not deadline.stopped
    finally:
        signal.signal(signal.SIGINT, before)
