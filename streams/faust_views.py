"""Keep tables of measures per queue and interval with Faust, and serve them as JSON.

What is in them is derived and never decides anything: the journal's records are folded with the
same measures as everywhere, and the rows of the intervals that changed are written over. So a
record that comes twice changes nothing, and a table that was lost is made again: every start
reads the journal from its beginning.

Not Faust's own windows: those go by when a record was written, measures by when a contact arrived,
and a contact that arrived at 9:59 may be decided at 10:20. One Faust worker has all it is
assigned in memory; `concurrency` stays 1.
"""

from __future__ import annotations

import logging
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import faust
from faust.web import Request, Response, View
from mode.utils.queues import ThrowableQueue
from msgspec import Struct

from router.journal import JournalError, decode_record
from router.measures import Measures
from router.measures_views import interval_rows, summary
from streams.kafka_journal import JournalLine
from streams.kafka_settings import KafkaSettings, client_options
from streams.topics import TopicNames

TAKE: Final = 200
WITHIN_S: Final = 1.0
ROWS_MAX: Final = 10_000
BEYOND_MAX: Final = 50
"""So many records in a row beyond the next one are told of."""

log: Final = logging.getLogger("switchroom.views")


class ViewOptions(Struct, frozen=True):
    """What `switchroom views` was told; `data` is where Faust keeps what it needs on disk."""

    kafka: KafkaSettings
    host: str
    port: int
    data: Path
    replication: int = 1

    @property
    def names(self) -> TopicNames:
        """Return the names of the deployment's topics."""
        return TopicNames(self.kafka.topic_prefix)


class ViewsApp(faust.App):
    """A Faust application that keeps what it has read when the flow of records is resumed.

    Faust lets the partitions be read again, waits for a seek, and only then resumes the flow, which
    by default empties the queues: whatever came in between never reached an agent. What a rebalance
    brings a second time is known by its place in the line.
    """

    def FlowControlQueue(  # noqa: N802 - the name is Faust's
        self,
        maxsize: int | None = None,
        *,
        clear_on_resume: bool = False,  # noqa: ARG002 - Faust asks for it, and must not have it
    ) -> ThrowableQueue[Any]:
        """Return a queue that is never emptied behind its reader's back."""
        queue: ThrowableQueue[Any] = super().FlowControlQueue(maxsize, clear_on_resume=False)
        return queue


class Shelf:
    """Fold the journal of one partition; says which rows changed."""

    def __init__(self) -> None:
        self.center = ""
        self.beyond = 0
        """Records since the last one taken that lie beyond the next: of a writer that was replaced,
        or behind one that is missing."""
        self.measures = Measures()
        self._line: JournalLine | None = None
        self._shown: dict[str, dict[str, Any]] = {}

    def take(self, body: bytes) -> bool:
        """Fold one record of the log; False for one that is not next in the line."""
        try:
            record = decode_record(body)
        except JournalError:
            return False
        if self._line is None:
            # Where retention took the beginning the line starts at what is left.
            self._line = JournalLine(record.seq_from - 1, record.prev_hash)
        if self._line.accept(body) is None:
            self.beyond += record.seq_from > self._line.seq + 1
            if self.beyond == BEYOND_MAX:
                log.warning(
                    "%s: %d records lie beyond seq %d, none follows it; one seems to be missing: "
                    "start this process again, it reads the journal from its beginning",
                    record.shard,
                    self.beyond,
                    self._line.seq,
                )
            return False
        self.beyond = 0
        self.center = record.shard
        for entry in record.entries:
            self.measures.fold(entry.stamped, entry.decisions)
        return True

    def changes(self) -> dict[str, dict[str, Any]]:
        """Return the rows that changed since the last call, by key."""
        changed = {}
        for row in interval_rows(self.measures):
            key = f"{self.center}/{row.queue}/{row.interval_start_ms}"
            shown = {"center": self.center, "seq": self.measures.seq, **asdict(row)}
            before = self._shown.get(key)
            if before is None or {**before, "seq": shown["seq"]} != shown:
                changed[key] = self._shown[key] = shown
        return changed


def make_app(options: ViewOptions) -> faust.App:
    """Make the Faust application: one agent, one table, two pages."""
    app = ViewsApp(
        # A group of its own each time: nobody's offsets, and no waiting for a member that died.
        f"{options.names.prefix}-views-{time.time_ns() // 1_000_000}",
        broker=[
            f"aiokafka://{address.strip()}"
            for address in options.kafka.bootstrap_servers.split(",")
        ],
        broker_credentials=_credentials(options.kafka),
        store="memory://",
        datadir=str(options.data),
        web_host=options.host,
        web_bind=options.host,
        web_port=options.port,
        autodiscover=False,
        consumer_auto_offset_reset="earliest",
        topic_replication_factor=options.replication,
        broker_commit_interval=5.0,
    )
    journal = app.topic(options.names.journal, value_type=bytes, value_serializer="raw")
    # The topic outlives the group: rows of days that the journal forgot are still there.
    kept = app.topic(
        f"{options.names.prefix}.views-intervals.v1",
        key_serializer="json",
        value_serializer="json",
        partitions=1,
        compacting=True,
        acks=False,
        internal=True,
    )
    intervals = app.Table(
        "intervals", default=dict, partitions=1, use_partitioner=True, changelog_topic=kept
    )
    shelves: dict[int, Shelf] = {}

    @app.agent(journal, concurrency=1)
    async def _fold(stream: Any) -> None:  # noqa: ANN401 - Faust's own streams are untyped
        async for batch in stream.take_events(TAKE, within=WITHIN_S):
            touched = set()
            for event in batch:
                partition = event.message.partition
                if shelves.setdefault(partition, Shelf()).take(event.value):
                    touched.add(partition)
            for partition in touched:
                for key, row in shelves[partition].changes().items():
                    intervals[key] = row

    @app.page("/v1/intervals/")
    async def _intervals(view: View, request: Request) -> Response:
        wanted = {name: request.query.get(name) for name in ("center", "queue")}
        rows = [
            row
            for row in intervals.values()
            if all(value is None or row[name] == value for name, value in wanted.items())
        ]
        rows.sort(key=lambda row: (row["center"], row["interval_start_ms"], row["queue"]))
        return view.json({"intervals": rows[-ROWS_MAX:]})

    @app.page("/v1/centers/")
    async def _centers(view: View, _: Request) -> Response:
        found = {shelf.center: shelf.measures for shelf in shelves.values() if shelf.center}
        return view.json(
            {
                name: {"seq": measures.seq, "at_ms": measures.now_ms, **summary(measures)}
                for name, measures in sorted(found.items())
            }
        )

    return app


def _credentials(settings: KafkaSettings) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """Give Faust what every client of the cluster is told; None in the clear."""
    told = client_options(settings)
    if "sasl_mechanism" in told:
        return faust.SASLCredentials(
            username=told["sasl_plain_username"],
            password=told["sasl_plain_password"],
            mechanism=told["sasl_mechanism"],
            ssl_context=told.get("ssl_context"),
        )
    return faust.SSLCredentials(told["ssl_context"]) if "ssl_context" in told else None


def run_views(options: ViewOptions, log_level: str) -> None:
    """Run until a signal comes; never returns."""
    worker = faust.Worker(make_app(options), loglevel=log_level, redirect_stdouts=False)
    worker.execute_from_commandline()
