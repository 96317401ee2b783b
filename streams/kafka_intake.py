"""Receive from the input topics of one centre, each partition in its own order.

Several topics have no common order; the sequencer makes one by taking records as they come. Only
when records tell the time themselves (a recorded day) are the topics merged by that time, so that
feeding them twice gives the same order twice.

A task of its own fetches, so that the worker never waits for the broker; it fetches no more than
fits (`BYTES_HELD_MAX`, `RECORDS_HELD_MAX`). What goes wrong there is raised by `receive`.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from streams.codec import hash_body
from streams.instants import parse_instant
from streams.kafka import KafkaRecord, Place, Reader
from streams.ports import Carriage, OutcomeUnknownError, Received, StoreError
from streams.strict_json import BYTES_MAX

BYTES_HELD_MAX: Final = 16 * 1024 * 1024
RECORDS_HELD_MAX: Final = 20_000
FETCHED_AT_ONCE: Final = 2000
STUCK_S: Final = 30.0
LOOKS: Final = 3
"""How often within that time the broker is asked what there is."""


class _Timed(Struct, frozen=True, gc=False):
    time: str = ""


_timed: Final = msgspec.json.Decoder(_Timed)


def check_positions(
    positions: Mapping[Place, int], bounds: Mapping[Place, tuple[int, int]]
) -> dict[Place, int]:
    """Return where to read on; a position of -1 is the start of the log.

    Raises `StoreError` if what comes next in an input is gone, or was never there: nothing is
    ever jumped over.
    """
    starts: dict[Place, int] = {}
    for place, position in positions.items():
        first, end = bounds[place]
        if position < 0:
            starts[place] = first
            continue
        if position < first:
            raise StoreError(
                f"{place.topic}/{place.partition}: unread records {position} to {first - 1} were "
                "deleted by retention; nothing is jumped over: restore them, or start a new "
                "deployment with another --topic-prefix"
            )
        if position > end:
            raise StoreError(
                f"{place.topic}/{place.partition}: ends at {end}, but the journal has read up to "
                f"{position}; the topic was made anew: restore it, or start a new deployment with "
                "another --topic-prefix"
            )
        starts[place] = position
    return starts


class KafkaIntake:
    """Hold what was fetched from `places`, in the order in which they rank.

    `ends` are the offsets at which each log ended at the start: with `until_end` nothing is
    received behind them.
    """

    def __init__(
        self,
        reader: Reader,
        places: Sequence[Place],
        ends: Mapping[Place, int],
        *,
        operator_topic: str,
        merged: bool = False,
        until_end: bool = False,
        stuck_s: float = STUCK_S,
    ) -> None:
        self.topic = places[-1].topic
        self._stuck_s = stuck_s
        # Where each partition stood when it was last seen to move, and when that was.
        self._moved: dict[Place, tuple[int, float]] = {}
        self._reader = reader
        self._ends = dict(ends)
        self._operator_topic = operator_topic
        self._merged = merged
        self._until_end = until_end
        self._held: dict[Place, deque[KafkaRecord]] = {place: deque() for place in places}
        self._arrived: deque[Place] = deque()
        self._times: dict[Place, deque[int]] = {place: deque() for place in places}
        self._bytes = 0
        self._room = asyncio.Event()
        self._error: Exception | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self, wake: Callable[[], None]) -> None:
        """Begin to fetch; `wake` is called when something came."""
        self._task = asyncio.get_running_loop().create_task(self._fetch(wake))

    async def close(self) -> None:
        """Stop fetching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=1)

    def behind(self) -> list[tuple[str, int, int]]:
        """Return (topic, partition, records) fetched or in the log, and not received."""
        return [
            (place.topic, place.partition, len(held) + self._reader.lag(place))
            for place, held in self._held.items()
        ]

    @property
    def ended(self) -> bool:
        """Whether all was received that was there at the start, if that is all we want."""
        return self._until_end and not any(self._held.values()) and not self._open()

    def receive(self, records_max: int) -> list[Received]:
        """Return what has come, without waiting; raises what the fetching ran into."""
        if self._error is not None:
            raise self._error
        taken: list[Received] = []
        while len(taken) < records_max and (place := self._choose()) is not None:
            record = self._held[place].popleft()
            if self._merged:
                self._times[place].popleft()
            self._bytes -= _size(record)
            taken.append(self._received(record))
        if taken:
            self._room.set()
        return taken

    def _choose(self) -> Place | None:
        """Return the partition whose first record is next."""
        if not self._merged:
            return self._arrived.popleft() if self._arrived else None
        if any(not self._held[place] for place in self._open()):
            return None  # it may bring something earlier
        heads = [(times[0], rank) for rank, times in enumerate(self._times.values()) if times]
        return list(self._held)[min(heads)[1]] if heads else None

    def _open(self) -> list[Place]:
        """Return the partitions that have not been read to where they ended at the start."""
        return [p for p in self._held if self._reader.position(p) < self._ends[p]]

    # --- fetching -----------------------------------------------------------------

    async def _fetch(self, wake: Callable[[], None]) -> None:
        looked_s = time.monotonic()
        try:
            while not (self._until_end and not self._open()):
                wanted = self._wanted()
                if not wanted:
                    self._room.clear()
                    await self._room.wait()
                    self._moved.clear()
                    continue
                if records := await self._reader.next(FETCHED_AT_ONCE, wanted):
                    self._hold(records)
                    wake()
                if time.monotonic() - looked_s > self._stuck_s / LOOKS:
                    await self._look(wanted)
                    looked_s = time.monotonic()
        except (StoreError, OSError) as error:
            self._error = error
        except Exception as error:  # noqa: BLE001 - raised by `receive`, where the worker hears it
            self._error = OutcomeUnknownError(f"{self.topic}: reading failed: {error!r}")
        wake()

    def _wanted(self) -> list[Place]:
        """Return the partitions that there is room for."""
        if self._bytes >= BYTES_HELD_MAX and not self._merged:
            return []
        share = RECORDS_HELD_MAX // len(self._held)
        return [
            place
            for place, held in self._held.items()
            if len(held) < share
            and not (self._until_end and self._reader.position(place) >= self._ends[place])
        ]

    async def _look(self, places: list[Place]) -> None:
        """Ask the broker (a sign of life) for what we did not get; raises if it never comes.

        Each partition is judged by itself: agents' heartbeats say nothing about the contacts.
        """
        bounds = await self._reader.bounds(places)
        now_s = time.monotonic()
        moved: dict[Place, tuple[int, float]] = {}
        for place, (_, stable) in bounds.items():
            position = self._reader.position(place)
            # What the broker calls the end is where open transactions begin.
            end = max(stable, position + self._reader.lag(place))
            stood, since_s = self._moved.get(place, (-1, now_s))
            if position >= end or position != stood:
                since_s = now_s
            elif now_s - since_s >= self._stuck_s:
                raise self._reader.stuck(place, end, now_s - since_s)
            moved[place] = position, since_s
        self._moved = moved

    def _hold(self, records: list[KafkaRecord]) -> None:
        for record in records:
            if self._until_end and record.offset >= self._ends[record.place]:
                continue
            self._held[record.place].append(record)
            self._bytes += _size(record)
            if self._merged:
                self._times[record.place].append(_time_of(record))
            else:
                self._arrived.append(record.place)

    def _received(self, record: KafkaRecord) -> Received:
        place, body = record.place, record.value or b""
        carriage = Carriage(
            None if record.key is None else record.key.decode("utf-8", "replace"),
            _headers(record),
            place.topic == self._operator_topic,
        )
        too_large = len(body) > BYTES_MAX
        return Received(
            place.topic,
            record.offset,
            None if too_large else body,
            hash_body(body) if too_large else "",
            partition=place.partition,
            carriage=carriage,
        )


def _headers(record: KafkaRecord) -> dict[str, str]:
    """Return the headers that CloudEvents are made of; of a repeated one the last."""
    return {
        name: value.decode("utf-8", "replace")
        for name, value in record.headers
        if name.lower().startswith("ce_")
    }


def _time_of(record: KafkaRecord) -> int:
    """Return the instant that a record gives, 0 if none can be read: it is taken at once."""
    time = ""
    for name, value in record.headers:
        if name == "ce_time":
            time = value.decode("utf-8", "replace")
    try:
        if not time and record.value and len(record.value) <= BYTES_MAX:
            time = _timed.decode(record.value).time
        return parse_instant(time)
    except (ValueError, RecursionError):  # what the codec will refuse, when its turn comes
        return 0


def _size(record: KafkaRecord) -> int:
    return len(record.value or b"") + 200
