"""Say what HTTP asks of one centre, and answer it for a worker that owns its store.

A desk is there before its worker and stays when a worker is built anew: between two lives it
answers that nobody is ready. `streams.kafka_desk` answers for a worker on topics.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from msgspec import Struct

from router.decisions import Reason
from router.events import CenterChanged
from router.journal import Entry
from streams import ENGINE_VERSION
from streams.codec import ClockReached, Codec, Item, hash_body, refuse
from streams.strict_json import BYTES_MAX
from streams.telemetry import Telemetry
from streams.views import Views
from streams.worker import Outcome, Worker
from streams.writing import DecisionWriter

HEARTBEAT_S: Final = 15.0


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """An answer that is an error: status, title, what to do."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail


class Posted(Struct, frozen=True, gc=False):
    """One CloudEvent as it was posted; `headers` None: structured mode, all is in the body."""

    body: bytes
    headers: Mapping[str, str] | None = None


class Receipt(Struct, frozen=True):
    """What became of a post: the entry of each record, None for a watermark.

    `decisions` writes what it led to, as CloudEvents. `undecided` are the places in the log of
    records that are durable, but have no answer yet: then everything else says nothing.
    """

    entries: tuple[Entry | None, ...] = ()
    seq: int = 0
    at_ms: int = 0
    last_id: str = ""
    decisions: Callable[[], list[dict[str, Any]]] = list
    undecided: tuple[str, ...] = ()


class Desk(Protocol):
    """One centre, as HTTP sees it."""

    @property
    def name(self) -> str:
        """Return the centre's name."""

    @property
    def views(self) -> Views:
        """Return what shows its journal."""

    @property
    def worker(self) -> Worker | None:
        """Return the worker that lives now."""

    @property
    def telemetry(self) -> Telemetry | None:
        """Return what counts for `/metrics`, if anything does."""

    @property
    def standing_by(self) -> bool:
        """Whether another process has this centre, and we wait for its end."""

    @property
    def failure(self) -> str:
        """Return why it has stopped for good, "" if it has not."""

    async def take(self, records: Sequence[Posted], *, operator: bool, wait: bool) -> Receipt:
        """Bring records into the log; with `wait` also wait for their entries."""

    async def wait_beyond(self, seq: int, seconds: float) -> bool:
        """Wait until views can show more than `seq`; False if that took too long."""

    async def change_center(self, configured: CenterChanged) -> Entry | None:
        """Put a new configuration in force; None if it is the one that is."""


class WorkerDesk:
    """Answer for a worker whose posts go straight into its journal."""

    def __init__(
        self,
        name: str,
        views: Views,
        worker: Worker | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        self.name = name
        self.views = views
        self.worker = worker
        self.telemetry = telemetry
        self.standing_by = False
        self.failure = ""

    def _ready_worker(self) -> Worker:
        if self.worker is None or not self.worker.health.ready:
            raise Problem(503, "Not ready", "the worker is starting or stopping; send it again")
        return self.worker

    async def take(self, records: Sequence[Posted], *, operator: bool, wait: bool) -> Receipt:  # noqa: ARG002 - what is durable here is decided, too
        """Decide and journal records; raises `Problem` if that cannot be done now."""
        worker = self._ready_worker()
        codec = worker.service.codec
        items = [
            (read_posted(codec, one, operator=operator), hash_body(one.body)) for one in records
        ]
        if not worker.can_stamp and not any(_tells_time(item) for item, _ in items):
            raise Problem(
                409,
                "No time yet",
                "the worker follows recorded time and nothing has told it yet: "
                "send an event with `time`, or `switchroom.clock.reached`, first",
            )
        try:
            outcome = await worker.post(items)
        except asyncio.CancelledError:
            if worker.health.ready:
                raise
            raise Problem(
                503, "Stopped", "the worker stopped before the answer; send it again: repeats are "
                "recognised by source and id"
            ) from None  # fmt: skip
        return Receipt(
            tuple(answer.entry for answer in outcome.answers),
            outcome.seq,
            outcome.at_ms,
            outcome.last_id,
            lambda: self._decisions_of(outcome),
        )

    def _decisions_of(self, outcome: Outcome) -> list[dict[str, Any]]:
        writer = DecisionWriter(self.name, outcome.previous_id, outcome.center_version)
        return [
            envelope
            for entry in outcome.entries
            for envelope in writer.envelopes(entry, ENGINE_VERSION)
        ]

    async def wait_beyond(self, seq: int, seconds: float) -> bool:
        """Wait for a commit behind `seq`."""
        worker = self._ready_worker()
        async with worker.committed:
            try:
                async with asyncio.timeout(seconds):
                    while worker.service.committed_seq <= seq:
                        await worker.committed.wait()
            except TimeoutError:
                return False
        return True

    async def change_center(self, configured: CenterChanged) -> Entry | None:
        """Put a new configuration in force."""
        return await self._ready_worker().change_center(configured)


def read_posted(codec: Codec, posted: Posted, *, operator: bool) -> Item:
    """Read one record as it came over HTTP."""
    if len(posted.body) > BYTES_MAX:
        return refuse(Reason.TOO_LARGE, f"more than {BYTES_MAX} bytes", hash_body(posted.body))
    if posted.headers is not None:
        return codec.decode_binary(posted.headers, posted.body, operator=operator)
    return codec.decode(posted.body, operator=operator)


def _tells_time(item: Item) -> bool:
    return bool(item.at_ms if isinstance(item, ClockReached) else item.occurred_ms)
