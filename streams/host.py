"""Run several centres in one process, on one loop: signals, HTTP, reload, watchdog.

Each centre is a shard of its own: its router, its sequence, its chain of hashes. What ends one of
them for good does not end the others; the process ends with the last, or when it is told to.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final, Protocol

from router.journal import JournalError
from streams.desk import Desk
from streams.metrics_page import MetricsPage, fault_of
from streams.ports import StoreError
from streams.reload import Reloader
from streams.service import CenterMismatchError
from streams.staffing import Staffing
from streams.watchdog import Watchdog, notify

log: Final = logging.getLogger("switchroom")

WATCHDOG_S: Final = 30.0
_FATAL: Final = (StoreError, JournalError, CenterMismatchError, OSError)


class Shard(Desk, Protocol):
    """One centre that can be run."""

    settled: asyncio.Event
    """Set once it is known how it starts: ready, standing by, or failed."""

    async def run(self) -> None:
        """Run until stopped or until the input ends; raises `StoreError` and its like."""

    def stop(self) -> None:
        """Finish the unit at hand, then let `run` return."""

    async def close(self) -> None:
        """Let go of what outlives a run."""

    def fail(self, why: str) -> None:
        """Note why it has stopped for good."""


@dataclass(frozen=True, kw_only=True)
class HostOptions:
    """What a process does beside running its centres; `port` None: it does not listen."""

    host: str = "127.0.0.1"
    port: int | None = None
    token: str = ""
    reloader: Reloader | None = None
    staffing: Staffing | None = None
    lifecycle: bool = False
    watchdog_s: float = WATCHDOG_S


@dataclass
class Host:
    """Hold the shards of one process."""

    shards: Sequence[Shard]
    options: HostOptions
    announce: Callable[[str], None]
    interrupted: bool = False
    stopping: bool = False
    _reloads: set[asyncio.Task[object]] = field(default_factory=set)

    async def run(self) -> int:
        """Return the exit code: 0, or 130 after SIGINT; raises what ended the only centre."""
        watchdog = Watchdog(self.options.watchdog_s)
        async with AsyncExitStack() as stack:
            watchdog.start()
            stack.callback(watchdog.stop)
            for shard in self.shards:
                stack.push_async_callback(shard.close)
            self._listen_to_signals()
            if self.options.reloader is not None:
                self.options.reloader.attend(self.shards)
            runs = [asyncio.create_task(self._run(shard)) for shard in self.shards]
            try:
                await self._serve(stack, runs)
                faults = [fault for fault in await asyncio.gather(*runs) if fault is not None]
            finally:
                for run in (*runs, *self._reloads):
                    run.cancel()
                await asyncio.gather(*runs, *self._reloads, return_exceptions=True)
            notify("STOPPING=1")
        if faults:
            raise faults[0]
        return 130 if self.interrupted else 0

    def stop(self, *, interrupted: bool = False) -> None:
        """Finish every unit at hand, then return from `run`."""
        self.interrupted |= interrupted
        self.stopping = True
        for shard in self.shards:
            shard.stop()

    async def _run(self, shard: Shard) -> Exception | None:
        """Run one centre; return what ended it, if the others are to go on."""
        try:
            await shard.run()
        except _FATAL as error:
            shard.fail(str(error))
            if shard.telemetry is not None and (kind := fault_of(error)):
                shard.telemetry.count_fault(kind)
            if len(self.shards) > 1:
                self.announce(f"{shard.name} has stopped, the others go on: {error}")
            return error
        finally:
            shard.settled.set()
        return None

    async def _serve(self, stack: AsyncExitStack, runs: Sequence[asyncio.Task[object]]) -> None:
        """Listen at once, and say so when every centre is ready, standing by, or has failed."""
        options = self.options
        address = ""
        if options.port is not None:
            # Imported here, so that a run without it needs no such library.
            from streams.http import Server, is_loopback  # noqa: PLC0415

            server = Server(
                self.shards,
                options.token,
                loopback=is_loopback(options.host),
                reloader=options.reloader,
                lifecycle=options.lifecycle,
                page=MetricsPage(self.shards, options.reloader, options.staffing),
            )
            try:
                listening = server.listen(options.host, options.port)
                host, port = await stack.enter_async_context(listening)
            except OSError as error:
                raise StoreError(
                    f"cannot listen on {options.host}:{options.port} ({error.strerror}); take "
                    "another --port, or 0 for any that is free"
                ) from None
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        settled = [asyncio.create_task(shard.settled.wait()) for shard in self.shards]
        await asyncio.wait(settled)
        if all(run.done() for run in runs):
            return
        notify("READY=1")
        if address:
            self.announce(f"listening on http://{address}")

    # --- signals ------------------------------------------------------------------

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()

        def stop(number: int) -> None:
            # A second one must not wait for anything.
            loop.remove_signal_handler(number)
            self.stop(interrupted=number == signal.SIGINT)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop, number)
        loop.add_signal_handler(signal.SIGHUP, self._reload)

    def _reload(self) -> None:
        if self.options.reloader is None:
            self.announce("SIGHUP: this process has no files to read again")
            return
        task = asyncio.create_task(self.options.reloader.reload())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)
