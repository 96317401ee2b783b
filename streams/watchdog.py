"""Notice a loop that hangs, end the process so that a supervisor starts it again, and tell systemd.

The loop beats once a second; a thread beside it counts. A loop that has not beaten for too long
is stuck in something that no exception will end, so the process ends at once with a code of its
own, after writing where every thread stands. Nothing is lost by that: it is a kill like any
other, and the journal is the truth.

Source of the protocol: sd_notify(3) of systemd; datagrams to the socket in `NOTIFY_SOCKET`.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

EXIT_STUCK: Final = 70
"""The exit code of a process whose loop hung (`EX_SOFTWARE` of sysexits.h)."""

BEAT_S: Final = 1.0


class Watchdog:
    """Watch the running loop from a thread; `limit_s` 0 switches it off."""

    def __init__(self, limit_s: float, end: Callable[[int], None] = os._exit) -> None:
        self._limit_s = limit_s
        self._end = end
        self._beaten_s = time.monotonic()
        self._over = threading.Event()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to watch; to be called on the loop."""
        self._beat()
        if self._limit_s:
            # A daemon: it must not keep a process alive that has ended.
            threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Watch no longer."""
        self._over.set()
        if self._timer is not None:
            self._timer.cancel()

    def _beat(self) -> None:
        self._beaten_s = time.monotonic()
        notify("WATCHDOG=1")
        self._timer = asyncio.get_running_loop().call_later(BEAT_S, self._beat)

    def _watch(self) -> None:
        while not self._over.wait(min(BEAT_S, self._limit_s / 2)):
            silent_s = time.monotonic() - self._beaten_s
            if silent_s > self._limit_s:
                sys.stderr.write(
                    f"error: the loop has hung for {silent_s:.1f} s (--watchdog "
                    f"{self._limit_s:g}); ending with code {EXIT_STUCK}, start it again; what "
                    "every thread was doing:\n"
                )
                sys.stderr.flush()
                with contextlib.suppress(OSError, ValueError):
                    faulthandler.dump_traceback()
                self._end(EXIT_STUCK)
                return


def notify(state: str) -> bool:
    """Tell the service manager a state such as `READY=1`; False if there is none to tell."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    # A name that begins with @ is one of Linux' abstract sockets.
    place = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as teller:
            teller.settimeout(0)
            teller.sendto(state.encode(), place)
    except OSError:
        return False
    return True
