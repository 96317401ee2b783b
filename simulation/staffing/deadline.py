"""Say until when is searched: until a time, or until somebody says that the time is up now.

A search asks before each stretch of days. When the time is up it looks no further, and makes an
answer of what it knows.
"""

from __future__ import annotations

import math
import os
import signal
import time  # noqa: TID251 - a deadline is in the wall's time; no day reads it
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

_STDERR: Final = 2


class TimeUpError(Exception):
    """The time is up: what is known makes the answer."""


class NothingFoundError(Exception):
    """The search was stopped before there was an answer; says what was seen until then."""


class Deadline:
    """The end of a search: some `minutes` from now (0: no limit), or when it is `stopped`."""

    def __init__(self, minutes: float = 0.0) -> None:
        self.stopped = False
        self._ends_s = time.monotonic() + 60 * minutes if minutes else math.inf
        self._lifted = False

    def stop(self) -> None:
        """Say that the time is up now: from a signal's handler, or another thread."""
        self.stopped = True

    def ask(self) -> None:
        """Raise `TimeUpError` when the time is up."""
        if not self._lifted and (self.stopped or time.monotonic() >= self._ends_s):
            raise TimeUpError

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Let a block be done to its end, whatever the time: an answer needs it."""
        before, self._lifted = self._lifted, True
        try:
            yield
        finally:
            self._lifted = before


@contextmanager
def stopped_by_ctrl_c(deadline: Deadline, told: str) -> Iterator[None]:
    """Let the first Ctrl-C of a block stop a search, and tell so; the second one ends the block.

    For the main thread of a command. Where Ctrl-C is ignored (`nohup`), it stays so.
    """
    before = signal.getsignal(signal.SIGINT)
    if before in {signal.SIG_IGN, None}:
        yield
        return

    def hear(_number: int, _frame: FrameType | None) -> None:
        if deadline.stopped:
            raise KeyboardInterrupt
        deadline.stop()
        start = "\r" if os.isatty(_STDERR) else ""  # over the ^C of the terminal
        # Not by `sys.stderr`: it may be in the middle of a line of ours.
        with suppress(OSError):
            os.write(_STDERR, f"{start}{told}\n".encode())

    signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
