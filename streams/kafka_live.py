"""Assemble a worker on topics, run it, and rebuild everything when an outcome is unknown.

One life: clients, topics looked at, journal read to its end and compared, what was not published
published, inputs set to where the journal left them, then the same worker as on a file. Any
error of unknown outcome ends the life; the next one starts from the journal and from nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from router.events import CenterChanged
from router.journal import Entry
from streams.clock import Clock, RecordedClock, ScaledClock, steady_wall
from streams.desk import Posted, Problem, Receipt
from streams.dry_run import DryJournal, DrySink
from streams.kafka import Cluster, Place
from streams.kafka_admin import check_topics
from streams.kafka_desk import Answers, Front, TopicDesk
from streams.kafka_intake import KafkaIntake, check_positions
from streams.kafka_journal import KafkaJournal
from streams.kafka_lease import Always, Lease
from streams.kafka_publish import KafkaSink
from streams.kafka_settings import KafkaSettings
from streams.metrics_page import fault_of
from streams.mirror import Mirror
from streams.ports import (
    ForeignWriterError,
    OutcomeUnknownError,
    Sink,
    StoreError,
    StoreFencedError,
)
from streams.recovery import Refold, recover
from streams.service import Service, newest
from streams.snapshots import SnapshotFiles
from streams.telemetry import Telemetry
from streams.topics import TopicNames, partition_of
from streams.views import Views
from streams.worker import Settings, Worker

log: Final = logging.getLogger("switchroom.kafka")

STOP_S: Final = 8.0
BACKOFF_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
LIVES_MAX: Final = 5
LIVES_WITHIN_S: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class KafkaOptions:
    """What one centre is run with on Kafka.

    `shown`: its journal is copied into a file, for views. `dry_run`: decide and leave no trace.
    """

    cluster: KafkaSettings
    configured: CenterChanged
    partition: int
    recorded: bool = False
    speed: float | None = None
    until_end: bool = False
    snapshots: Path | None = None
    shown: bool = False
    dry_run: bool = False
    settings: Settings = field(default_factory=Settings)

    @property
    def clock_follows_records(self) -> bool:
        """Whether records tell the time."""
        return self.recorded or self.speed is not None


class KafkaShard:
    """Run one centre on topics: one life after the other until told to stop."""

    def __init__(
        self,
        options: KafkaOptions,
        announce: Callable[[str], None],
        *,
        lease: Lease | None = None,
        front: Front | None = None,
    ) -> None:
        self.options = options
        self.worker: Worker | None = None
        self.epoch = 0
        self.committed_units = 0
        self.settled = asyncio.Event()
        self.failure = ""
        self.telemetry: Telemetry | None = None
        if options.shown:
            self.telemetry = Telemetry(TopicNames(options.cluster.topic_prefix).inputs)
        self.names = TopicNames(options.cluster.topic_prefix)
        self._announce = announce
        self._lease = lease or Always()
        self._stop = asyncio.Event()
        self._configured = options.configured
        self._partition = options.partition
        self._lives = 0
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._mirror: Mirror | None = None
        self._answers = Answers()
        self._desk = TopicDesk(self.name, self.names, front, self._answers) if front else None
        self.views = self._make_views()

    def _make_views(self) -> Views:
        """Prepare views of a copy of the journal, beside the snapshots or where it is forgotten."""
        folder = self.options.snapshots
        if folder is None and self.options.shown:
            self._scratch = tempfile.TemporaryDirectory(prefix="switchroom-")
            folder = Path(self._scratch.name)
        path = (folder or Path()) / f"{self.name}.mirror"
        views = Views(path)
        if self.options.shown:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._mirror = Mirror(path, views.forget)
        return views

    # --- as a desk ----------------------------------------------------------------

    @property
    def name(self) -> str:
        """Return the centre's name."""
        return self.options.configured.center.name

    @property
    def standing_by(self) -> bool:
        """Whether another process has this centre."""
        return not self._lease.has(self._partition)

    def fail(self, why: str) -> None:
        """Note why it has stopped for good."""
        self.failure = why

    async def take(self, records: Sequence[Posted], *, operator: bool, wait: bool) -> Receipt:
        """Bring records into the input topics."""
        if self._desk is None:
            raise Problem(503, "Not ready", "this worker takes no events")
        # An answer comes only from a worker that lives here.
        wait &= self.worker is not None
        return await self._desk.take(records, self._partition, operator=operator, wait=wait)

    async def wait_beyond(self, seq: int, seconds: float) -> bool:
        """Wait until the copy of the journal holds more than `seq`."""
        if self._mirror is None or self._mirror.failure:
            raise StoreError(self._mirror.failure if self._mirror else "nothing is copied here")
        return await self._mirror.wait_beyond(seq, seconds)

    async def change_center(self, configured: CenterChanged) -> Entry | None:
        """Put a new configuration in force; the next life begins with it, too."""
        if self.worker is None:
            raise StoreError(f"{self.name}: not ready; reload again when it is")
        entry = await self.worker.change_center(configured)
        self._configured = configured
        return entry

    async def close(self) -> None:
        """Let go of the copy."""
        if self._mirror is not None:
            await self._mirror.close()
        await self.views.close()
        if self._scratch is not None:
            self._scratch.cleanup()

    # --- lives --------------------------------------------------------------------

    def stop(self) -> None:
        """Finish the unit at hand, then return from `run`."""
        self._stop.set()
        if self.worker is not None:
            self.worker.stop()

    async def run(self) -> None:
        """Live until stopped; raises `StoreError` when it must not go on."""
        deaths: deque[float] = deque(maxlen=LIVES_MAX)
        ever_ready = False
        while not self._stop.is_set():
            life = asyncio.create_task(self._live())
            try:
                if await self._accompany(life):
                    continue
                break
            except asyncio.CancelledError:
                life.cancel()
                if self._stop.is_set():
                    break
                raise
            except OutcomeUnknownError as error:
                ever_ready |= self.worker is not None
                if self._stop.is_set():
                    break
                if not ever_ready:
                    raise
                await self._mourn(deaths, error)
            except StoreFencedError as error:
                if isinstance(self._lease, Always):
                    raise
                await self._mourn(deaths, ForeignWriterError(str(error)))
                self.epoch = 0
            finally:
                self.worker = None

    async def _accompany(self, life: asyncio.Task[None]) -> bool:
        """Wait for the end of a life; True if it ended because the centre is no longer ours."""
        stopped = asyncio.create_task(self._stop.wait())
        lost = asyncio.create_task(self._watch_lease())
        await asyncio.wait({life, stopped, lost}, return_when=asyncio.FIRST_COMPLETED)
        was_lost = lost.done() and not lost.cancelled()
        stopped.cancel()
        lost.cancel()
        if was_lost:
            self._announce(f"{self.name}: partition {self._partition} goes to another process")
            if self.worker is not None:
                self.worker.stop()
        if not life.done():
            # Between lives there is nothing to finish; else the unit at hand, in time.
            await asyncio.wait({life}, timeout=STOP_S if self.worker else 0)
            life.cancel()
        if was_lost:
            await asyncio.wait({life})
            await lost  # raises, if it cannot be known any more whose it is
            self.epoch = 0
            return not self._stop.is_set()
        await life
        return False

    async def _watch_lease(self) -> None:
        """Return once a partition that was ours is not."""
        await self._lease.wait_until(self._partition, ours=True)
        await self._lease.wait_until(self._partition, ours=False)

    async def _mourn(self, deaths: deque[float], error: OutcomeUnknownError) -> None:
        """Say why, wait a little; a worker that dies at once, again and again, must not go on."""
        deaths.append(time.monotonic())
        if self.telemetry is not None and (kind := fault_of(error)):
            self.telemetry.count_fault(kind)
        recent = sum(1 for died_s in deaths if deaths[-1] - died_s < LIVES_WITHIN_S)
        if recent == LIVES_MAX and isinstance(error, ForeignWriterError):
            raise StoreFencedError(
                f"{error}; {LIVES_MAX} times in {LIVES_WITHIN_S:g} s: two workers fight for one "
                "journal; run one worker for a centre"
            )
        self._announce(f"{error}; everything is thrown away and read from the journal again")
        wait_s = BACKOFF_S[min(recent, len(BACKOFF_S)) - 1]
        with_stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait({with_stop}, timeout=wait_s)
        with_stop.cancel()

    async def _live(self) -> None:
        async with AsyncExitStack() as stack:
            cluster = Cluster(self.options.cluster)
            stack.push_async_callback(cluster.close)
            await check_topics(cluster, self.names, create=False)
            await self._become_owner()
            journal, state, sinks = await self._recover(cluster)
            configured = newest(self._configured, state) if self._lives else self._configured
            self._lives += 1
            service = Service(state, configured, self.epoch)
            if isinstance(sinks[0], KafkaSink) and isinstance(journal, KafkaJournal):
                republished = await sinks[0].catch_up(journal)
                if republished:
                    self._announce(f"published {republished} decisions that were perhaps not out")
            intake = await self._open_inputs(cluster, service)
            stack.push_async_callback(intake.close)
            wake = asyncio.Event()
            intake.start(wake.set)
            worker = self.worker = Worker(
                service,
                journal,
                journal,
                await self._clock(service.router.now_ms),
                intake=intake,
                sinks=sinks,
                settings=self.options.settings,
                wake=wake,
                ready=self.settled,
                telemetry=self.telemetry,
            )
            if self._stop.is_set():
                return
            try:
                await worker.run()
            finally:
                self.committed_units += worker.health.committed_units
            self._tell_end(service, journal)

    async def _become_owner(self) -> None:
        if not self._lease.has(self._partition):
            self._announce(f"{self.name}: standing by for partition {self._partition}")
            self.settled.set()
        await self._lease.wait_until(self._partition, ours=True)

    async def _recover(
        self, cluster: Cluster
    ) -> tuple[KafkaJournal | DryJournal, Refold, list[Sink]]:
        """Read the journal to its end; return it, the state there, and who is to hear of units."""
        options, folder = self.options, self.options.snapshots
        sink = KafkaSink(cluster, self.names, self._partition, self.name)
        journal = KafkaJournal(
            cluster,
            Place(self.names.journal, self._partition),
            self.name,
            published_seq=await sink.find_position(),
            snapshots=SnapshotFiles(folder, self.name) if folder else None,
            own_epoch=self.epoch,
        )
        if not options.dry_run:
            if options.cluster.fence:
                await cluster.start_fenced(f"{self.names.prefix}.{self._partition}")
            await cluster.start_producer()
        state = await recover(journal, journal)
        self.epoch = journal.next_epoch
        self._tell_recovered(state)
        if self._mirror is not None:
            await self._mirror.follow(journal)
        seen: list[Sink] = [] if self._mirror is None else [self._mirror]
        if options.dry_run:
            return DryJournal(journal, journal), state, [DrySink(sys.stdout, self.name)]
        return journal, state, [sink, *seen, *([self._answers] if self._desk else [])]

    async def _open_inputs(self, cluster: Cluster, service: Service) -> KafkaIntake:
        places = [Place(topic, self._partition) for topic in self.names.inputs]
        known = service.state.inputs_up_to
        positions = {place: known.get(f"{place.topic}/{place.partition}", -1) for place in places}
        reader = await cluster.reader(dict.fromkeys(places, 0))
        bounds = await reader.bounds(places)
        for place, offset in check_positions(positions, bounds).items():
            reader.seek(place, offset)
        return KafkaIntake(
            reader,
            places,
            {place: end for place, (_, end) in bounds.items()},
            operator_topic=self.names.control,
            merged=self.options.clock_follows_records,
            until_end=self.options.until_end,
        )

    def _tell_recovered(self, state: Refold) -> None:
        self._announce(
            f"{self.name}: partition {self._partition}, recovered {state.seq} entries up to digest "
            f"{state.digest.hexdigest()[:16]}, writer epoch {self.epoch}"
        )

    def _tell_end(self, service: Service, journal: KafkaJournal | DryJournal) -> None:
        told = "would stand" if self.options.dry_run else "stopped"
        self._announce(
            f"{self.name}: {told} at seq {service.committed_seq}, "
            f"digest {service.state.digest.hexdigest()}"
        )
        if isinstance(journal, DryJournal):
            self._announce(journal.told())

    async def _clock(self, floor_ms: int) -> Clock:
        if self.options.recorded:
            return RecordedClock()
        if self.options.speed is not None:
            return ScaledClock(self.options.speed)
        return await steady_wall(floor_ms)


async def fetch_journal(
    settings: KafkaSettings, center_name: str, partition: int | None, output: Path
) -> int:
    """Write the line of a journal to a file, one record a line; return how many there are."""
    names = TopicNames(settings.topic_prefix)
    cluster = Cluster(settings)
    try:
        counts = await cluster.partitions_of([names.journal])
        if not counts[names.journal]:
            raise StoreError(f"{settings.bootstrap_servers}: there is no topic {names.journal}")
        if partition is None:
            partition = partition_of(center_name, counts[names.journal])
        place = Place(names.journal, partition)
        journal = KafkaJournal(cluster, place, center_name, published_seq=0)
        count = 0
        with output.open("wb") as stream:
            async for record in journal.read(0):
                stream.write(record.body + b"\n")
                count += 1
    finally:
        await cluster.close()
    if not count:
        raise StoreError(f"{place.topic}/{place.partition}: no record; is {center_name!r} right?")
    return count
