"""Assemble a worker on a store from what the command line says, and run it.

The store is opened and locked first (or waited for, while another process has it), then the
journal is followed to its end, then the clock starts, and only then are events taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import stat
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from router.events import CenterChanged
from router.journal import decode_record
from streams.clock import Clock, RecordedClock, ScaledClock, steady_wall
from streams.desk import WorkerDesk
from streams.dry_run import DryJournal, DrySink
from streams.embedded import EmbeddedJournal, EmbeddedStore
from streams.host import Host, HostOptions
from streams.intake import FileIntake, StreamIntake
from streams.ports import CommitUnit, Sink, StoreLockedError
from streams.recovery import recover
from streams.service import Service, newest
from streams.telemetry import Telemetry
from streams.views import Views
from streams.worker import HTTP_TOPIC, Settings, Worker
from streams.writing import DecisionWriter

log: Final = logging.getLogger("switchroom")

STDIN_TOPIC: Final = "stdin"
LOCK_POLL_S: Final = 0.2
_SAVE_EVERY_UNITS: Final = 50


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a store is run with; `input` "-" is standard input, "" none.

    `standby`: wait while another process has the store, and take over when it ends.
    `dry_run`: decide beside the store, and leave no trace. `counted`: somebody may ask for metrics.
    """

    store: Path
    configured: CenterChanged
    input: str = ""
    recorded: bool = False
    speed: float | None = None
    print_decisions: bool = False
    standby: bool = False
    dry_run: bool = False
    counted: bool = False
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


class StoreShard(WorkerDesk):
    """Run one centre on its store."""

    def __init__(self, options: RunOptions, announce: Callable[[str], None]) -> None:
        topics = [HTTP_TOPIC, *_topics_of(options.input)]
        super().__init__(
            options.configured.center.name,
            Views(options.store),
            telemetry=Telemetry(topics) if options.counted else None,
        )
        self.options = options
        self.settled = asyncio.Event()
        self._announce = announce
        self._stopped = asyncio.Event()
        self._took_over = False

    def stop(self) -> None:
        """Finish the unit at hand, then let `run` return."""
        self._stopped.set()
        if self.worker is not None:
            self.worker.stop()

    async def close(self) -> None:
        """Close the views."""
        await self.views.close()

    def fail(self, why: str) -> None:
        """Note why it has stopped for good."""
        self.failure = why

    async def run(self) -> None:
        """Run until stopped, or until the input ends."""
        async with AsyncExitStack() as stack:
            store = await self._own()
            if store is None:
                return
            stack.callback(store.close)
            await self._live(store, stack)

    async def _own(self) -> EmbeddedStore | None:
        """Open the store; None if it was to be waited for and we were stopped meanwhile."""
        options = self.options
        if options.dry_run:
            return EmbeddedStore.read_only(options.store)
        while True:
            try:
                store = EmbeddedStore.own(options.store)
            except StoreLockedError as error:
                if not options.standby:
                    raise
                if not self.standing_by:
                    self._announce(f"{self.name}: standing by: {error}")
                self.standing_by = True
                self.settled.set()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), LOCK_POLL_S)
                    return None
                continue
            if self.standing_by:
                self._announce(f"{self.name}: taking over {options.store}")
            self._took_over, self.standing_by = self.standing_by, False
            return store

    async def _live(self, store: EmbeddedStore, stack: AsyncExitStack) -> None:
        options = self.options
        kept = EmbeddedJournal(store)
        journal = DryJournal(kept, kept) if options.dry_run else kept
        epoch = store.writer_epoch
        state = await recover(journal, journal)
        if state.seq:
            self._announce(
                f"{options.store}: recovered {state.seq} entries up to "
                f"digest {state.digest.hexdigest()[:16]}, "
                + ("read only" if options.dry_run else f"writer epoch {epoch}")
            )
        configured = options.configured
        if self._took_over:
            # Its former owner may have been given a newer one than we were started with.
            configured = newest(configured, state)
        service = Service(state, configured, max(epoch, state.writer_epoch))
        sinks: list[Sink] = []
        if options.dry_run:
            sinks.append(DrySink(sys.stdout, self.name))
        elif options.print_decisions:
            sink = LineSink(store, sys.stdout, self.name)
            sink.catch_up()
            stack.callback(sink.save)
            sinks.append(sink)
        loop = asyncio.get_running_loop()
        wake = asyncio.Event()
        intake = _open_input(options.input, service, store, lambda: _wake(loop, wake))
        if intake is not None:
            stack.callback(intake.close)
        worker = self.worker = Worker(
            service,
            journal,
            journal,
            await _clock_of(options, service.router.now_ms),
            intake=intake,
            sinks=sinks,
            settings=options.settings,
            wake=wake,
            ready=self.settled,
            telemetry=self.telemetry,
        )
        if self._stopped.is_set():
            worker.stop()
        await worker.run()
        told = "would stand" if options.dry_run else "stopped"
        self._announce(
            f"{options.store}: {told} at seq {service.committed_seq}, "
            f"digest {service.state.digest.hexdigest()}"
        )
        if isinstance(journal, DryJournal):
            self._announce(journal.told())


async def run_live(options: RunOptions, announce: Callable[[str], None]) -> int:
    """Run one centre until its input ends or a signal comes; returns the exit code."""
    return await Host([StoreShard(options, announce)], HostOptions(), announce).run()


def _wake(loop: asyncio.AbstractEventLoop, wake: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(wake.set)


async def _clock_of(options: RunOptions, floor_ms: int) -> Clock:
    if options.recorded:
        return RecordedClock()
    if options.speed is not None:
        return ScaledClock(options.speed)
    return await steady_wall(floor_ms)


def _topics_of(name: str) -> list[str]:
    """Return the topic of an input: its name, or that of standard input."""
    return [] if not name else [STDIN_TOPIC if name == "-" else Path(name).name]


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
