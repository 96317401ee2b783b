"""Assemble a worker from what the command line says, and run it.

The store is opened and locked first, then the journal is followed to its end, then the clock
starts, and only then does anyone listen.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import stat
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from router.events import CenterChanged
from router.journal import decode_record
from streams.clock import Clock, RecordedClock, ScaledClock, WallClock
from streams.embedded import EmbeddedJournal, EmbeddedStore
from streams.intake import FileIntake, StreamIntake
from streams.ports import CommitUnit
from streams.recovery import recover
from streams.service import Service
from streams.worker import Settings, Worker
from streams.writing import DecisionWriter

log: Final = logging.getLogger("switchroom")

STDIN_TOPIC: Final = "stdin"
_SAVE_EVERY_UNITS: Final = 50


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What `switchroom run` was told; `input` "-" is standard input, "" none."""

    store: Path
    configured: CenterChanged
    input: str = ""
    host: str = "127.0.0.1"
    port: int | None = None
    token: str = ""
    recorded: bool = False
    speed: float | None = None
    print_decisions: bool = False
    settings: Settings = field(default_factory=Settings)


class LineSink:
    """Write decisions to a stream, a CloudEvent a line; after a crash some come again, same ids."""

    name = "lines"

    def __init__(self, store: EmbeddedStore, stream: TextIO, center_name: str) -> None:
        self._store = store
        self._stream = stream
        self._center_name = center_name
        self._units = 0
        self._seq = 0

    def catch_up(self) -> None:
        """Write what was committed but perhaps not written before."""
        for stored in self._store.records(self._store.published_seq(self.name)):
            record = decode_record(stored.body)
            writer = DecisionWriter(record.shard, stored.previous_id, stored.center_version)
            for entry in record.entries:
                for _, _, body in writer.write(entry, record.engine_version):
                    self._stream.write(body.decode() + "\n")
            self._seq = stored.seq_to
        self._stream.flush()

    async def publish(self, unit: CommitUnit, engine_version: str) -> None:
        """Write the decisions of one unit."""
        writer = DecisionWriter(self._center_name, unit.previous_id, unit.center_version)
        for entry in unit.entries:
            for _, _, body in writer.write(entry, engine_version):
                self._stream.write(body.decode() + "\n")
        self._stream.flush()
        self._seq = unit.seq_to
        self._units += 1
        # A position that lags only brings repeats; saving it each time would double the flushes.
        if self._units % _SAVE_EVERY_UNITS == 0:
            self.save()

    def save(self) -> None:
        """Note how far the stream got."""
        if self._seq:
            self._store.save_published(self.name, self._seq)


async def run_live(options: RunOptions, announce: Callable[[str], None]) -> int:
    """Run until the input ends or a signal comes; returns the exit code (130 for SIGINT)."""
    async with AsyncExitStack() as stack:
        store = EmbeddedStore.own(options.store)
        stack.callback(store.close)
        journal = EmbeddedJournal(store)
        state = await recover(journal, journal)
        if state.seq:
            announce(
                f"{options.store}: recovered {state.seq} entries up to "
                f"digest {state.digest.hexdigest()[:16]}, writer epoch {store.writer_epoch}"
            )
        service = Service(state, options.configured, store.writer_epoch)
        sinks = []
        if options.print_decisions:
            sink = LineSink(store, sys.stdout, options.configured.center.name)
            sink.catch_up()
            stack.callback(sink.save)
            sinks.append(sink)
        loop = asyncio.get_running_loop()
        wake = asyncio.Event()
        intake = _open_input(options.input, service, store, lambda: _wake(loop, wake))
        if intake is not None:
            stack.callback(intake.close)
        worker = Worker(
            service,
            journal,
            journal,
            _clock_of(options, service.router.now_ms),
            intake=intake,
            sinks=sinks,
            settings=options.settings,
            wake=wake,
        )
        interrupted = _listen_to_signals(loop, worker)
        if options.port is not None:
            await _serve(options, worker, stack, announce)
        await worker.run()
        announce(
            f"{options.store}: stopped at seq {service.committed_seq}, "
            f"digest {service.state.digest.hexdigest()}"
        )
        return 130 if interrupted else 0


def _wake(loop: asyncio.AbstractEventLoop, wake: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(wake.set)


def _clock_of(options: RunOptions, floor_ms: int) -> Clock:
    if options.recorded:
        return RecordedClock()
    if options.speed is not None:
        return ScaledClock(options.speed)
    return WallClock(floor_ms)


def _open_input(
    name: str, service: Service, store: EmbeddedStore, wake: Callable[[], None]
) -> FileIntake | StreamIntake | None:
    if not name:
        return None
    if name == "-":
        return StreamIntake(sys.stdin.buffer, wake, STDIN_TOPIC, service.next_offset(STDIN_TOPIC))
    path = Path(name)
    if stat.S_ISREG(path.stat().st_mode):
        offset = service.next_offset(path.name)
        return FileIntake(path, offset, store.input_hash(path.name))
    # A named pipe: like standard input, it goes on where it goes on.
    stream: BinaryIO = path.open("rb")
    return StreamIntake(stream, wake, path.name, service.next_offset(path.name))


def _listen_to_signals(loop: asyncio.AbstractEventLoop, worker: Worker) -> list[int]:
    """Let SIGTERM and SIGINT end the run after the unit at hand; returns what SIGINT fills."""
    interrupted: list[int] = []

    def stop(number: int) -> None:
        if number == signal.SIGINT:
            interrupted.append(number)
        # A second one must not wait for anything.
        loop.remove_signal_handler(number)
        worker.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    return interrupted


async def _serve(
    options: RunOptions, worker: Worker, stack: AsyncExitStack, announce: Callable[[str], None]
) -> None:
    """Listen; the server is imported here so that a run without it needs no such library."""
    from streams.http import Server, is_loopback  # noqa: PLC0415
    from streams.views import Views  # noqa: PLC0415

    views = Views(options.store)
    stack.push_async_callback(views.close)
    server = Server(worker, views, options.token, loopback=is_loopback(options.host))
    assert options.port is not None, "asked for by the caller"
    host, port = await stack.enter_async_context(server.listen(options.host, options.port))
    shown = f"[{host}]" if ":" in host else host
    announce(f"listening on http://{shown}:{port}")
