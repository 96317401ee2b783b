"""Start processes that do not hear Ctrl-C, and end them in order.

A terminal sends Ctrl-C to all processes that were started from it. It is for the one that the
planner talks to; the others would die in the middle, each with its own traceback. What ours hear
is a pipe that we hold: when it closes, since we have what we want or are no more, no work is
wanted.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import forkserver, get_context, resource_tracker
from multiprocessing.connection import Connection
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class Processes:
    """Run tasks on some processes; each first calls `begin` with what it is `given`."""

    def __init__(
        self, count: int, begin: Callable[..., None] | None = None, given: tuple[Any, ...] = ()
    ) -> None:
        # A fork of a process with threads may hang; the fork server starts clean.
        context = get_context("forkserver" if os.name == "posix" else "spawn")
        told, self._tells = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(count, context, _begin, (told, begin, given))
        self._deaf = _deaf_thread()

    def submit(self, function: Callable[..., Answer], /, *args: Any) -> Future[Answer]:
        """Start a call and return its future; processes start when there is work for them."""
        return self._deaf.submit(self._pool.submit, _do, function, *args).result()

    def end(self, *, wait: bool = True) -> None:
        """Let the processes go: what has not begun never will, and tasks that ask end early.

        To `wait` takes as long as a task's longest stretch between two calls of `is_wanted`.
        """
        self._tells.close()
        ended = self._deaf.submit(self._pool.shutdown, wait=wait, cancel_futures=True)
        self._deaf.shutdown(wait=False)
        ended.result()


def preload(module: str) -> None:
    """Let a fork server load what processes will need, while this one goes on."""
    if os.name == "posix":
        get_context("forkserver").set_forkserver_preload([module])
        with _deaf_thread() as deaf:
            deaf.submit(forkserver.ensure_running).result()


def _deaf_thread() -> ThreadPoolExecutor:
    """Return a thread that starts and ends processes.

    Ctrl-C breaks off what the main thread does, wherever it is; a process that is half started, or
    half ended, hangs or complains. Processes inherit the signal mask of the thread that starts
    them; a mask of the main thread alone would not hold Ctrl-C off it while others listen.
    """
    return ThreadPoolExecutor(1, "deaf", _deafen)


def _deafen() -> None:
    if hasattr(signal, "pthread_sigmask"):
        # To start the tracker ends with a mask taken off, in whichever thread needs it first.
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


# In a process of ours: the pipe that closes when no work is wanted any more.
_told: list[Connection] = []


def is_wanted() -> bool:
    """Say whether the task at hand is still wanted: asked by long tasks, again and again."""
    return not (_told and _told[0].poll())


def _begin(told: Connection, begin: Callable[..., None] | None, given: tuple[Any, ...]) -> None:
    """Begin a process's work."""
    # Where there are no masks, or who uses us as a library had started a fork server before.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _told[:] = [told]
    if begin is not None:
        begin(*given)


def _do(function: Callable[..., Answer], *args: Any) -> Answer:
    """Do a task, if it is still wanted: a process's queue holds some that none can cancel."""
    if not is_wanted():
        raise CancelledError
    return function(*args)
