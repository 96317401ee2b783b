"""Assemble a worker on topics, run it, and rebuild everything when an outcome is unknown.

One life: clients, topics looked at, journal read to its end and compared, what was not published
published, inputs set to where the journal left them, then the same worker as on a file. Any
error of unknown outcome ends the life; the next one starts from the journal and from nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from router.events import CenterChanged
from streams.clock import Clock, RecordedClock, ScaledClock, WallClock
from streams.kafka import Cluster, Place
from streams.kafka_admin import check_topics
from streams.kafka_intake import KafkaIntake, check_positions
from streams.kafka_journal import KafkaJournal
from streams.kafka_publish import KafkaSink
from streams.kafka_settings import KafkaSettings
from streams.ports import ForeignWriterError, OutcomeUnknownError, StoreError, StoreFencedError
from streams.recovery import Refold, recover
from streams.service import Service
from streams.snapshots import SnapshotFiles
from streams.topics import TopicNames, partition_of
from streams.worker import Settings, Worker

log: Final = logging.getLogger("switchroom.kafka")

STOP_S: Final = 8.0
BACKOFF_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
LIVES_MAX: Final = 5
LIVES_WITHIN_S: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class KafkaOptions:
    """What `switchroom run` was told about Kafka; `partition` None is that of the key."""

    cluster: KafkaSettings
    configured: CenterChanged
    recorded: bool = False
    speed: float | None = None
    partition: int | None = None
    create_topics: bool = False
    until_end: bool = False
    snapshots: Path | None = None
    settings: Settings = field(default_factory=Settings)

    @property
    def clock_follows_records(self) -> bool:
        """Whether records tell the time."""
        return self.recorded or self.speed is not None


class KafkaWorker:
    """Live one life after the other until told to stop."""

    def __init__(self, options: KafkaOptions, announce: Callable[[str], None]) -> None:
        self.options = options
        self.worker: Worker | None = None
        self.epoch = 0
        self.committed_units = 0
        self._announce = announce
        self._stop = asyncio.Event()
        self._interrupted = False

    def stop(self, *, interrupted: bool = False) -> None:
        """Finish the unit at hand, then return from `run`."""
        self._interrupted |= interrupted
        self._stop.set()
        if self.worker is not None:
            self.worker.stop()

    async def run(self) -> int:
        """Return the exit code (130 after SIGINT); raises `StoreError` when it must not go on."""
        deaths: deque[float] = deque(maxlen=LIVES_MAX)
        ever_ready = False
        while not self._stop.is_set():
            life = asyncio.create_task(self._live())
            stopped = asyncio.create_task(self._stop.wait())
            await asyncio.wait({life, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if self._stop.is_set() and not life.done():
                # Between lives there is nothing to finish; else the unit at hand, in time.
                await asyncio.wait({life}, timeout=STOP_S if self.worker else 0)
                life.cancel()
            try:
                await life
                break
            except asyncio.CancelledError:
                break
            except OutcomeUnknownError as error:
                ever_ready |= self.worker is not None
                if self._stop.is_set():
                    break
                if not ever_ready:
                    raise
                await self._mourn(deaths, error)
            finally:
                self.worker = None
        return 130 if self._interrupted else 0

    async def _mourn(self, deaths: deque[float], error: OutcomeUnknownError) -> None:
        """Say why, wait a little; a worker that dies at once, again and again, must not go on."""
        deaths.append(time.monotonic())
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
        options = self.options
        async with AsyncExitStack() as stack:
            cluster = Cluster(options.cluster)
            stack.push_async_callback(cluster.close)
            names = TopicNames(options.cluster.topic_prefix)
            center_name, folder = options.configured.center.name, options.snapshots
            partition = await self._choose_partition(cluster, names)
            sink = KafkaSink(cluster, names, partition, center_name)
            journal = KafkaJournal(
                cluster,
                Place(names.journal, partition),
                center_name,
                published_seq=await sink.find_position(),
                snapshots=SnapshotFiles(folder, center_name) if folder else None,
                own_epoch=self.epoch,
            )
            await cluster.start_producer()
            state = await recover(journal, journal)
            self.epoch = journal.next_epoch
            self._tell_recovered(state, center_name, partition)
            service = Service(state, options.configured, self.epoch)
            republished = await sink.catch_up(journal)
            if republished:
                self._announce(f"published {republished} decisions that were perhaps not out")
            intake = await self._open_inputs(cluster, names, partition, service)
            stack.push_async_callback(intake.close)
            wake = asyncio.Event()
            intake.start(wake.set)
            worker = self.worker = Worker(
                service,
                journal,
                journal,
                self._clock(service.router.now_ms),
                intake=intake,
                sinks=[sink],
                settings=options.settings,
                wake=wake,
            )
            if self._stop.is_set():
                return
            try:
                await worker.run()
            finally:
                self.committed_units += worker.health.committed_units
            self._announce(
                f"{center_name}: stopped at seq {service.committed_seq}, "
                f"digest {service.state.digest.hexdigest()}"
            )

    async def _choose_partition(self, cluster: Cluster, names: TopicNames) -> int:
        options = self.options
        count = await check_topics(cluster, names, create=options.create_topics)
        if options.partition is None:
            return partition_of(options.configured.center.name, count)
        if options.partition >= count:
            raise StoreError(f"--partition {options.partition}: the topics have {count}, from 0 on")
        return options.partition

    async def _open_inputs(
        self, cluster: Cluster, names: TopicNames, partition: int, service: Service
    ) -> KafkaIntake:
        places = [Place(topic, partition) for topic in names.inputs]
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
            operator_topic=names.control,
            merged=self.options.clock_follows_records,
            until_end=self.options.until_end,
        )

    def _tell_recovered(self, state: Refold, center_name: str, partition: int) -> None:
        self._announce(
            f"{center_name}: partition {partition}, recovered {state.seq} entries up to digest "
            f"{state.digest.hexdigest()[:16]}, writer epoch {self.epoch}"
        )

    def _clock(self, floor_ms: int) -> Clock:
        if self.options.recorded:
            return RecordedClock()
        if self.options.speed is not None:
            return ScaledClock(self.options.speed)
        return WallClock(floor_ms)


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


async def run_kafka(options: KafkaOptions, announce: Callable[[str], None]) -> int:
    """Run until a signal comes, or until the inputs' ends if asked to; returns the exit code."""
    worker = KafkaWorker(options, announce)
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        # A second one must not wait for anything.
        loop.remove_signal_handler(number)
        worker.stop(interrupted=number == signal.SIGINT)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    return await worker.run()
