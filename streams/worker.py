"""Join intake, service, journal and readers in one loop; the only place that waits.

A turn takes what is there (posts first, then lines, then due deadlines), at most `unit_records`
of it, `unit_bytes`, and for at most `unit_ms`, and commits it as one unit. So under load units
grow and the disk's flush is shared; without load a record waits for nobody.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from router.decisions import Reason
from router.events import CenterChanged
from router.journal import Entry
from streams import ENGINE_VERSION
from streams.clock import DRIFT_ALARM_MS, Clock, WallClock
from streams.codec import ClockReached, Heard, Item, hash_body, refuse
from streams.ports import Intake, Journal, Received, Sink, Snapshots
from streams.recovery import take_snapshot
from streams.service import Service
from streams.strict_json import BYTES_MAX
from streams.telemetry import Telemetry

log: Final = logging.getLogger("switchroom.worker")

JUMP_MAX_MS: Final = 31 * 86_400_000
"""Recorded time may not jump further: it never goes back, so one bad stamp would freeze a centre.

A little more than the longest life of a contact, so no true day is refused.
"""

WATCH_S: Final = 10.0
"""The longest wait: how often the host's clock is compared."""

HTTP_TOPIC: Final = "http"


@dataclass(frozen=True)
class Answer:
    """Say what became of one item of a post: its entry, None for a watermark."""

    item: Item
    entry: Entry | None


@dataclass(frozen=True)
class Outcome:
    """Say what became of a post: an answer per item, and all entries made, due deadlines too.

    `previous_id` is the id of the last decision before them, `center_version` the configuration
    in force there, `last_id` the id of the last decision so far.
    """

    answers: tuple[Answer, ...]
    entries: tuple[Entry, ...]
    previous_id: str
    center_version: int
    last_id: str
    seq: int
    at_ms: int


@dataclass
class Post:
    """Hold items that came together and who waits for their commit.

    `topic` "" is no input at all: what comes from there (a new configuration) has no position.
    """

    items: Sequence[tuple[Item, str]]
    done: asyncio.Future[Outcome]
    topic: str = HTTP_TOPIC


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Say how large commit units grow and how often a snapshot is taken."""

    unit_records: int = 500
    unit_bytes: int = 2 * 1024 * 1024
    unit_ms: int = 50
    snapshot_every: int = 50_000
    stop_at_end: bool = True


@dataclass
class Health:
    """Keep what /healthz tells."""

    ready: bool = False
    committed_units: int = 0
    late_records: int = 0
    drift_ms: int = 0


class Worker:
    """Run one centre until told to stop or until its input ends."""

    def __init__(
        self,
        service: Service,
        journal: Journal,
        snapshots: Snapshots,
        clock: Clock,
        *,
        intake: Intake | None = None,
        sinks: Sequence[Sink] = (),
        settings: Settings | None = None,
        operator: bool = True,
        wake: asyncio.Event | None = None,
        ready: asyncio.Event | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        self.service = service
        self.clock = clock
        self.health = Health()
        self.committed = asyncio.Condition()
        self._journal = journal
        self._snapshots = snapshots
        self._intake = intake
        self._sinks = sinks
        self._telemetry = telemetry
        self._settings = settings or Settings()
        self._operator = operator
        self._posts: deque[Post] = deque()
        self._held: deque[Received] = deque()
        self._head: Item | None = None
        self._head_read = False
        self._taken_bytes = 0
        self._answered: list[tuple[Post, Outcome]] = []
        self._wake = wake or asyncio.Event()
        self._ready = ready or asyncio.Event()
        self._stopping = False
        self._snapshot_seq = service.state.seq
        if telemetry is not None:
            telemetry.begin(service.router, self.behind)

    # --- from outside -------------------------------------------------------------

    def stop(self) -> None:
        """Finish the unit at hand, then return from `run`."""
        self._stopping = True
        self._wake.set()

    async def post(self, items: Sequence[tuple[Item, str]]) -> Outcome:
        """Hand items (each with its body's hash) in; returns once they are durable."""
        return await self._submit(items, HTTP_TOPIC)

    async def change_center(self, configured: CenterChanged) -> Entry | None:
        """Bring a new configuration into the journal; None if it is the one in force.

        Raises `CenterMismatchError`, also if the router refuses it; then the old one stays.
        """
        if not self.service.is_new(configured):
            return None
        if not self.can_stamp:
            self.service.configured = configured
            return None
        outcome = await self._submit([(Heard(configured), "")], "")
        entry = outcome.answers[0].entry
        assert entry is not None, "a configuration is no watermark"
        self.service.check_taken(entry, configured.center)
        return entry

    async def _submit(self, items: Sequence[tuple[Item, str]], topic: str) -> Outcome:
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._posts.append(Post(items, done, topic))
        self._wake.set()
        return await done

    def behind(self) -> list[tuple[str, int, int]]:
        """Return (topic, partition, records) of what came and is not decided yet."""
        waiting = [(HTTP_TOPIC, 0, sum(len(post.items) for post in self._posts))]
        if self._intake is not None:
            held = Counter((received.topic, received.partition) for received in self._held)
            held.update({(topic, part): more for topic, part, more in self._intake.behind()})
            waiting += [(*place, records) for place, records in held.items()]
        return waiting

    @property
    def can_stamp(self) -> bool:
        """Whether the time is known: a clock that follows records waits for the first."""
        return self.clock.started

    # --- the loop -----------------------------------------------------------------

    async def run(self) -> None:
        """Work until stopped, or until the input ends (`stop_at_end`)."""
        service = self.service
        if not service.fresh:
            self.clock.start(service.router.now_ms)
        if self.clock.started:
            service.begin(self._now_ms())
            await self._commit()
        self.health.ready = True
        self._ready.set()
        try:
            while not self._stopping:
                self._wake.clear()
                moved = self._turn()
                moved |= await self._commit()
                if not moved and self._at_end():
                    break
                # Also under full load others (HTTP, signals) get their turn.
                await (asyncio.sleep(0) if moved else self._wait())
            await self._save_snapshot()
        finally:
            self.health.ready = False
            for waiting in (*self._posts, *(post for post, _ in self._answered)):
                waiting.done.cancel()

    def _turn(self) -> bool:
        """Take what is there; returns whether anything was."""
        settings, service = self._settings, self.service
        until_ns = time.monotonic_ns() + settings.unit_ms * 1_000_000
        moved, self._taken_bytes = False, 0
        while (
            service.pending < settings.unit_records
            and self._taken_bytes < settings.unit_bytes
            and time.monotonic_ns() < until_ns
        ):
            if self._posts:
                self._take_post(self._posts.popleft())
            elif not self._take_line():
                break
            moved = True
        now_ms = self._horizon_ms()
        if now_ms is not None and not service.fresh:
            service.tick(now_ms, settings.unit_records)
        return moved

    def _horizon_ms(self) -> int | None:
        """Return the instant before which nothing will come any more; None if nobody knows."""
        now_ms = self.clock.now_ms()
        if now_ms is None or not self.clock.recorded:
            return now_ms
        # Lines not taken yet may lie before the clock: what comes after them is not due.
        if not self._held:
            self._fill()
        return min(now_ms, _time_of(self._read_head())) if self._held else now_ms

    def _at_end(self) -> bool:
        ended = self._intake is None or (self._intake.ended and not self._held)
        return ended and self._settings.stop_at_end and not self._posts

    async def _wait(self) -> None:
        """Wait for a record, a deadline or the time of the next line."""
        instants = []
        if (due_ms := self.service.router.next_deadline()) is not None:
            instants.append(due_ms + 1)
        if self._held and (next_ms := _time_of(self._read_head())):
            instants.append(next_ms)
        timeout_s = self.clock.wait_s(min(instants)) if instants else None
        timeout_s = WATCH_S if timeout_s is None else min(timeout_s, WATCH_S)
        self._watch_drift()
        try:
            await asyncio.wait_for(self._wake.wait(), timeout_s)
        except TimeoutError:
            return

    def _watch_drift(self) -> None:
        if isinstance(self.clock, WallClock):
            drift_ms = self.clock.drift_ms()
            if abs(drift_ms) > DRIFT_ALARM_MS >= abs(self.health.drift_ms):
                if self._telemetry is not None:
                    self._telemetry.count_fault("clock_drift")
                log.warning(
                    "clock_drift: the host's clock is %d ms off the worker's; stamps go on "
                    "steadily; restart the worker if the host's clock is right",
                    drift_ms,
                )
            self.health.drift_ms = drift_ms

    # --- taking -------------------------------------------------------------------

    def _take_line(self) -> bool:
        """Take the next line of the input if its time has come."""
        if not self._held:
            self._fill()
        if not self._held or not self.clock.started:
            return False
        item = self._read_head()
        now_ms = self.clock.now_ms() if self.clock.recorded else None
        if now_ms is not None and _time_of(item) > now_ms:
            return False
        received = self._held.popleft()
        self._taken_bytes += len(received.body or b"")
        self._head_read = False
        if item is None:
            self.service.step_over(received)
        else:
            own_ms = _time_of(item) or self.service.router.now_ms
            self._admit(item, received, own_ms if self.clock.recorded else 0)
        return True

    def _read_head(self) -> Item | None:
        """Read the next line, not sooner: what came before it may change how it is read."""
        if not self._head_read:
            self._head, self._head_read = self._read(self._held[0]), True
        return self._head

    def _fill(self) -> None:
        """Receive lines; the first that tells the time starts a clock that follows records."""
        if self._intake is None:
            return
        while records := self._intake.receive(self._settings.unit_records):
            self._held += records
            if self.clock.started:
                return
            if first_ms := next((t for one in records if (t := _time_of(self._read(one)))), 0):
                self._start(first_ms)
                return
        if self._held and self._intake.ended and not self.clock.started:
            self._start(WallClock().now_ms())

    def _read(self, received: Received) -> Item | None:
        if received.body is None:
            detail = f"more than {BYTES_MAX} bytes"
            return refuse(Reason.TOO_LARGE, detail, received.body_hash)
        if received.carriage is not None:
            return self.service.codec.decode_carried(received.carriage, received.body)
        if not received.body.strip():
            return None
        return self.service.codec.decode(received.body, operator=self._operator)

    def _take_post(self, post: Post) -> None:
        service, answers = self.service, []
        pending, previous_id = service.pending, service.state.previous_id
        center_version = service.state.center_version
        for item, body_hash in post.items:
            if not self.clock.started:
                self._start(next(t for other, _ in post.items if (t := _time_of(other))))
            received = None
            if post.topic:
                offset = service.next_offset(post.topic)
                received = Received(post.topic, offset, b"", body_hash)
            # Where the clock can be read, a post happens now; else when it says.
            own_ms = _time_of(item) if self.clock.now_ms() is None else 0
            answers.append(Answer(item, self._admit(item, received, own_ms)))
        outcome = Outcome(
            tuple(answers),
            service.recent(pending),
            previous_id,
            center_version,
            service.state.previous_id,
            service.router.seq,
            service.router.now_ms,
        )
        self._answered.append((post, outcome))

    def _start(self, at_ms: int) -> None:
        self.clock.start(at_ms)
        self.service.begin(at_ms)

    def _admit(self, item: Item, received: Received | None, own_ms: int) -> Entry | None:
        """Stamp one item, with its own instant unless that is 0, and let the service decide."""
        service = self.service
        at_ms = own_ms or self._now_ms()
        if received is not None and own_ms and own_ms - service.router.now_ms > JUMP_MAX_MS:
            days = JUMP_MAX_MS // 86_400_000
            detail = f"more than {days} days after the record before it; time cannot go back"
            body_hash = received.body_hash or hash_body(received.body or b"")
            item, at_ms = refuse(Reason.BAD_TIMESTAMP, detail, body_hash), service.router.now_ms
        if isinstance(item, ClockReached):
            assert received is not None, "a watermark comes from an input"
            service.step_over(received)
            if own_ms:
                service.tick(own_ms, entries_max=2**63)
            return None
        at_ms = max(at_ms, service.router.now_ms)
        if own_ms:
            self.health.late_records += own_ms < at_ms
        elif received is not None:
            item = service.believe(item, at_ms)
        began_ns = time.perf_counter_ns()
        entry = service.hear(item, at_ms, received)
        if self._telemetry is not None:
            self._telemetry.decided(entry, time.perf_counter_ns() - began_ns)
        return entry

    def _now_ms(self) -> int:
        now_ms = self.clock.now_ms()
        return self.service.router.now_ms if now_ms is None else now_ms

    # --- carrying out -------------------------------------------------------------

    async def _commit(self) -> bool:
        """Journal first, then publish, then tell those who wait."""
        unit = self.service.close_unit()
        if unit is not None:
            await self._journal.append(unit)
            self.service.committed(unit)
            self.health.committed_units += 1
            for sink in self._sinks:
                await sink.publish(unit, ENGINE_VERSION)
            if self._telemetry is not None:
                self._telemetry.hear_unit(unit)
            async with self.committed:
                self.committed.notify_all()
            if unit.seq_to - self._snapshot_seq >= self._settings.snapshot_every:
                await self._save_snapshot()
        answered, self._answered = self._answered, []
        for post, outcome in answered:
            if not post.done.done():
                post.done.set_result(outcome)
        return unit is not None

    async def _save_snapshot(self) -> None:
        state = self.service.state
        if state.seq == self._snapshot_seq or self.service.pending:
            return
        snapshot = take_snapshot(state)
        if snapshot is not None:
            await self._snapshots.save(snapshot)
            self._snapshot_seq = state.seq


def _time_of(item: Item | None) -> int:
    """Return the producer's instant of an item, 0 if it has none."""
    if isinstance(item, Heard):
        return item.occurred_ms
    return item.at_ms if item is not None else 0
