"""Reach one Kafka cluster through aiokafka: every call with a deadline, every error made ours.

No type of the client leaves `streams.kafka*`. What a client did when it failed is unknown, so
after any error here all clients are thrown away and made anew (`streams.kafka_live`).

Known of the client (0.14): an idempotent batch is retried for ever, hence our deadlines; a batch
that the broker had already taken counts as sent without an offset, hence the check of -1;
`stop` waits for what hangs, hence our own end; reading from a dead cluster gives nothing, for
ever, and no error, hence `log_ends` as a sign of life.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, Final, TypeVar

import aiokafka
from aiokafka import errors
from msgspec import Struct

from streams.kafka_settings import KafkaSettings, client_options
from streams.ports import (
    ForeignWriterError,
    LogStuckError,
    NotAllowedError,
    OutcomeUnknownError,
    StoreError,
)

log: Final = logging.getLogger("switchroom.kafka")


FETCH_BYTES_MAX: Final = 16 * 1024 * 1024
BATCH_BYTES: Final = 512 * 1024
END_S: Final = 2.0
POLL_MS: Final = 500
TRANSACTION_MS: Final = 10_000
"""A dead owner's transaction holds readers up for as long: the client's default is a minute."""

T = TypeVar("T")
_NOT_ALLOWED: Final = (
    errors.TopicAuthorizationFailedError,
    errors.ClusterAuthorizationFailedError,
    errors.GroupAuthorizationFailedError,
    errors.TransactionalIdAuthorizationFailed,
)


class _LastWord(logging.Handler):
    """Keep the client's last complaint: it tells why, its exceptions often do not.

    Without a broker it complains forty times a second, so nothing of that is written; what it comes
    to, we say ourselves.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.word = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.word = record.getMessage()[:300]


_last: Final = _LastWord()
_client_log: Final = logging.getLogger("aiokafka")
_client_log.addHandler(_last)
_client_log.propagate = log.isEnabledFor(logging.DEBUG)


class Place(Struct, frozen=True, order=True):
    """One partition of one topic."""

    topic: str
    partition: int


class KafkaRecord(Struct, frozen=True, gc=False):
    """A record as it lies in a topic."""

    place: Place
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Outgoing(Struct, frozen=True, gc=False):
    """A record to be sent.

    It gets the wall's time as its timestamp, never that of the event in it: retention counts from
    the timestamp, and a recorded day may lie years back.
    """

    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


class Cluster:
    """Make and end the clients of one cluster; `rebuild` is: end all, make another `Cluster`."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.settings = settings
        self._options = client_options(settings)
        self._readers: list[Reader] = []
        self._producer: aiokafka.AIOKafkaProducer | None = None
        self._fenced: aiokafka.AIOKafkaProducer | None = None

    async def within(self, call: Awaitable[T], doing: str, seconds: float | None = None) -> T:
        """Wait for a call of the client, not longer than its deadline."""
        limit_s = self.settings.request_s if seconds is None else seconds
        where = self.settings.bootstrap_servers
        try:
            answer = await asyncio.wait_for(call, limit_s)
            _last.word = ""  # whatever it was, it is over
        except TimeoutError:
            raise OutcomeUnknownError(
                f"{where}: no answer within {limit_s:g} s ({doing}); is the broker up?"
            ) from None
        except errors.ProducerFenced:
            raise ForeignWriterError(
                f"{where}: {doing}: another worker has this transactional id now; nothing of this "
                "unit was published"
            ) from None
        except _NOT_ALLOWED as error:
            told = f"{where}: {doing}: not allowed ({_word(error)}); check the ACLs"
            raise NotAllowedError(f"{told} (`switchroom topics --acls`)") from None
        except (errors.AuthenticationFailedError, errors.SaslAuthenticationFailed) as error:
            raise StoreError(f"{where}: {doing}: not let in ({error}); check the secret") from None
        except (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError) as error:
            raise StoreError(
                f"{where}: {doing}: the record is too large for the topic ({error}); raise its "
                "max.message.bytes to what `switchroom topics` says"
            ) from None
        except (errors.KafkaError, OSError) as error:
            raise OutcomeUnknownError(f"{where}: {doing} failed ({_why(error)})") from None
        else:
            return answer

    # --- writing ------------------------------------------------------------------

    async def start_producer(self) -> None:
        """Make the one producer: idempotent, acknowledged by all."""
        self._producer = aiokafka.AIOKafkaProducer(
            **self._options,
            enable_idempotence=True,
            acks="all",
            max_request_size=FETCH_BYTES_MAX,
            max_batch_size=BATCH_BYTES,
        )
        await self.within(self._producer.start(), "connecting")

    async def start_fenced(self, transactional_id: str) -> None:
        """Make a second producer for appends in transactions; whoever had this id is shut out."""
        self._fenced = aiokafka.AIOKafkaProducer(
            **self._options,
            transactional_id=transactional_id,
            transaction_timeout_ms=TRANSACTION_MS,
            acks="all",
            max_request_size=FETCH_BYTES_MAX,
            max_batch_size=BATCH_BYTES,
        )
        await self.within(self._fenced.start(), "asking for the transactional id")

    async def append(
        self, place: Place, record: Outgoing, seconds: float, check: Callable[[int], None]
    ) -> int:
        """Send one record, let `check` look at its offset, return the offset of the next one.

        With a fence all of it is a transaction, whose marker takes an offset, too.
        """
        if self._fenced is None:
            offset = await self.send(place, record, seconds)
            check(offset)
            return offset + 1
        await self.within(self._fenced.begin_transaction(), "beginning a transaction")
        offset = await self._send(self._fenced, place, record, seconds)
        check(offset)
        await self.within(self._fenced.commit_transaction(), "committing", seconds)
        return offset + 2

    async def send(self, place: Place, record: Outgoing, seconds: float) -> int:
        """Send one record, wait for its acknowledgement, return its offset.

        Raises `OutcomeUnknownError` also if the broker had it already and does not say where.
        """
        assert self._producer is not None, "started before anything is sent"
        return await self._send(self._producer, place, record, seconds)

    async def _send(
        self,
        producer: aiokafka.AIOKafkaProducer,
        place: Place,
        record: Outgoing,
        seconds: float,
    ) -> int:
        told = await self.within(
            producer.send_and_wait(
                place.topic,
                record.value,
                key=record.key,
                partition=place.partition,
                headers=list(record.headers),
            ),
            f"writing to {place.topic}",
            seconds,
        )
        offset: int = told.offset
        if offset < 0:
            raise OutcomeUnknownError(
                f"{place.topic}/{place.partition}: the broker had the record already and does not "
                "say where"
            )
        return offset

    async def send_each(self, records: Iterable[tuple[Place, Outgoing]]) -> list[int]:
        """Send records to several places, in their order in each, and return their offsets."""
        seconds = self.settings.append_s
        producer = self._producer
        assert producer is not None, "started before anything is sent"

        async def send() -> list[int]:
            sent = [
                await producer.send(
                    place.topic,
                    record.value,
                    key=record.key,
                    partition=place.partition,
                    headers=list(record.headers),
                )
                for place, record in records
            ]
            return [(await one).offset for one in sent]

        return await self.within(send(), "writing to the inputs", seconds)

    async def send_all(self, place: Place, records: Iterable[Outgoing], seconds: float) -> None:
        """Send records in their order and wait until all are acknowledged."""
        await self.within(self._send_all(place, records), f"writing to {place.topic}", seconds)

    async def _send_all(self, place: Place, records: Iterable[Outgoing]) -> None:
        producer = self._producer
        assert producer is not None, "started before anything is sent"
        sent = []
        topic, partition = place.topic, place.partition
        batch = producer.create_batch()
        for record in records:
            parts: dict[str, Any] = {"key": record.key, "value": record.value}
            parts |= {"timestamp": None, "headers": list(record.headers)}
            if batch.append(**parts) is None:
                sent.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(**parts)
        if batch.record_count():
            sent.append(await producer.send_batch(batch, topic, partition=partition))
        for acknowledged in sent:
            await acknowledged

    # --- reading ------------------------------------------------------------------

    async def reader(self, positions: Mapping[Place, int]) -> Reader:
        """Make a reader that stands at these offsets."""
        consumer = aiokafka.AIOKafkaConsumer(
            **self._options,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            max_partition_fetch_bytes=FETCH_BYTES_MAX,
            fetch_max_wait_ms=POLL_MS,
        )
        reader = Reader(self, consumer)
        self._readers.append(reader)
        await self.within(consumer.start(), "connecting")
        consumer.assign([_their(place) for place in positions])
        await asyncio.sleep(0)
        for place, offset in positions.items():
            reader.seek(place, offset)
        return reader

    async def partitions_of(self, topics: Iterable[str]) -> dict[str, int]:
        """Return how many partitions each topic has, 0 if it is not there."""
        client = aiokafka.AIOKafkaConsumer(**self._options, enable_auto_commit=False)
        try:
            await self.within(client.start(), "connecting")
            # The client's own call would wait for ever for a topic that is not there.
            known = await self.within(client._client.fetch_all_metadata(), "asking for topics")  # noqa: SLF001
            return {topic: len(known.partitions_for_topic(topic) or ()) for topic in topics}
        finally:
            await _end(client.stop())

    async def close(self) -> None:
        """End all clients, whatever state they are in; never waits long, never raises."""
        for reader in self._readers:
            await reader.close()
        for producer in (self._producer, self._fenced):
            if producer is None:
                continue
            await _end(producer.stop())
            # After a broken `stop` the sender would go on trying behind our back.
            if (sender := producer._sender) is not None:  # noqa: SLF001
                await _end(sender.close())
            await _end(producer.client.close())
        self._producer = self._fenced = None


class Reader:
    """Read some partitions from given offsets on."""

    def __init__(self, cluster: Cluster, consumer: aiokafka.AIOKafkaConsumer) -> None:
        self._cluster = cluster
        self._consumer = consumer
        self._positions: dict[Place, int] = {}

    async def bounds(self, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
        """Return the first offset of each partition and the one after its last."""
        theirs = [_their(place) for place in places]
        within = self._cluster.within
        first = await within(self._consumer.beginning_offsets(theirs), "asking for a log's start")
        ends = await within(self._consumer.end_offsets(theirs), "asking for a log's end")
        return {_our(one): (first[one], ends[one]) for one in theirs}

    def seek(self, place: Place, offset: int) -> None:
        """Go to an offset."""
        self._consumer.seek(_their(place), offset)
        self._positions[place] = offset

    def position(self, place: Place) -> int:
        """Return the offset of the record that comes next."""
        return self._positions[place]

    def lag(self, place: Place) -> int:
        """Return how many records the broker's last answer knew of behind the position."""
        end = self._consumer.highwater(_their(place))
        return max((end or 0) - self.position(place), 0)

    async def next(
        self, records_max: int, places: Iterable[Place] = (), poll_ms: int = POLL_MS
    ) -> list[KafkaRecord]:
        """Return what comes within `poll_ms`, at most `records_max` records, of some places only.

        Raises `StoreError` if the broker no longer has what stands at our position.
        """
        try:
            found = await self._cluster.within(
                self._consumer.getmany(
                    *map(_their, places), timeout_ms=poll_ms, max_records=records_max
                ),
                "reading",
            )
        except OutcomeUnknownError as error:
            if "OffsetOutOfRange" in str(error) or "NoOffsetForPartition" in str(error):
                raise StoreError(
                    f"{error}: the records at the journal's position are gone; nothing is jumped "
                    "over: restore the topic, or raise its retention and start a new deployment"
                ) from None
            raise
        for place in self._positions:
            # The client's own: it also passes what is no record (a transaction's marker).
            self._positions[place] = await self._consumer.position(_their(place))
        return [_read(record) for records in found.values() for record in records]

    async def read_until(self, place: Place, end: int) -> AsyncIterator[KafkaRecord]:
        """Yield the records of one partition from the position on, before offset `end`."""
        waited_s = 0.0
        while (position := self.position(place)) < end:
            records = await self.next(500, (place,))
            for record in records:
                if record.offset < end:
                    yield record
            if records or self.position(place) != position:
                waited_s = 0.0
                continue
            waited_s += POLL_MS / 1000
            if waited_s > self._cluster.settings.request_s:
                raise self.stuck(place, end, waited_s)

    def stuck(self, place: Place, end: int, waited_s: float) -> OutcomeUnknownError:
        """Return what to say of records before `end` that do not come, by why they do not."""
        position, stable = self.position(place), self._consumer.last_stable_offset(_their(place))
        where = f"{place.topic}/{place.partition}"
        if stable is not None and stable <= position:
            return LogStuckError(
                f"{where}: lso_stuck: records up to {end}, stable only up to {stable} for "
                f"{waited_s:.0f} s: a producer left a transaction open; end it "
                "(kafka-transactions.sh find-hanging, abort) or wait for its time-out"
            )
        return OutcomeUnknownError(
            f"{where}: nothing came at {position} before {end} for {waited_s:.0f} s"
        )

    async def close(self) -> None:
        """End the client."""
        await _end(self._consumer.stop())


def _their(place: Place) -> aiokafka.TopicPartition:
    return aiokafka.TopicPartition(place.topic, place.partition)


def _our(theirs: aiokafka.TopicPartition) -> Place:
    return Place(theirs.topic, theirs.partition)


def _read(record: aiokafka.ConsumerRecord[bytes, bytes]) -> KafkaRecord:
    place = Place(record.topic, record.partition)
    headers = tuple((name, value or b"") for name, value in record.headers)
    return KafkaRecord(place, record.offset, record.key, record.value, headers)


def _word(error: Exception) -> str:
    """Return what was refused; of some errors the client keeps only a set of names."""
    return (
        ", ".join(map(str, error.args[0]))
        if error.args and isinstance(error.args[0], set)
        else str(error)
    )


def _why(error: Exception) -> str:
    """Word an error of the client, with what it complained about before, if that says more."""
    told = str(error) if type(error).__name__ in str(error) else f"{type(error).__name__}: {error}"
    return f"{told}; {_last.word}" if _last.word else told


async def _end(call: Coroutine[Any, Any, object]) -> None:
    """Wait a little for a client's end; what it says on its way out changes nothing."""
    task = asyncio.create_task(call)
    await asyncio.wait({task}, timeout=END_S)
    # It may also have cancelled itself: `stop` does right after `assign`.
    if not task.done():
        task.cancel()
    elif not task.cancelled() and (error := task.exception()) is not None:
        log.debug("a client did not end in order: %r", error)
