"""Ctrl-C on real commands: what was found is kept, and no process is left behind."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

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
    words = ("compare", "tiny", "--sick", "5%", "--precision", "0.0001", "--days-max", "2000")
    with Terminal(tmp_path / "answer", *words) as terminal:
        code, answer, told = terminal.until(" days, ").interrupt().end()
    assert (code, answer) == (130, "")
    assert told.splitlines()[-1] == "interrupted"
    assert "figures below" not in told
