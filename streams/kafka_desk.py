"""Answer HTTP for a centre on topics: events go into the inputs, answers come from the journal.

Nothing goes past the log: what is posted becomes a record of an input topic like anybody else's,
and the answer is what the journal says of it. So events are taken also while the worker is being
built anew, or lives in another process; then only their places are told.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from router.events import Source
from router.journal import Entry
from streams import ENGINE_VERSION
from streams.desk import Posted, Problem, Receipt
from streams.kafka import Cluster, Outgoing, Place
from streams.kafka_settings import KafkaSettings
from streams.names import OPERATOR_ONLY, RECEIVED_TYPES
from streams.ports import CommitUnit, NotAllowedError, OutcomeUnknownError, StoreError
from streams.topics import TopicNames
from streams.writing import DecisionWriter

ANSWER_S: Final = 5.0
REMEMBERED_MAX: Final = 20_000
_AGENT: Final = "switchroom.agent."


class _Typed(Struct, frozen=True, gc=False):
    type: str = ""


_typed: Final = msgspec.json.Decoder(_Typed)


class Front:
    """Write into the input topics, through clients of our own: the worker's are not disturbed."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._cluster: Cluster | None = None
        self._starting = asyncio.Lock()

    async def send(self, records: Sequence[tuple[Place, Outgoing]]) -> list[int]:
        """Bring records into the log and return their offsets; raises `Problem`."""
        cluster: Cluster | None = None
        try:
            cluster = await self._started()
            offsets = await cluster.send_each(records)
        except NotAllowedError as error:
            raise Problem(
                503, "Not allowed to write the inputs", f"{error}; --http-events adds the right"
            ) from None
        except OutcomeUnknownError as error:
            await self._forget(cluster)
            raise Problem(
                503, "Not taken for certain", f"{error}; send it again: repeats are recognised by "
                "source and id"
            ) from None  # fmt: skip
        except StoreError as error:
            raise Problem(413, "Not taken", str(error)) from None
        if min(offsets, default=0) < 0:
            await self._forget(cluster)
            raise Problem(503, "Not taken for certain", "the broker does not say where; send again")
        return offsets

    async def _started(self) -> Cluster:
        async with self._starting:
            if self._cluster is None:
                cluster = Cluster(self._settings)
                try:
                    await cluster.start_producer()
                except BaseException:
                    await cluster.close()
                    raise
                self._cluster = cluster
            return self._cluster

    async def _forget(self, cluster: Cluster | None) -> None:
        if cluster is not None and cluster is self._cluster:
            self._cluster = None
            await cluster.close()

    async def close(self) -> None:
        """End the clients."""
        await self._forget(self._cluster)


class _Answer(Struct, frozen=True, gc=False):
    entry: Entry
    unit: CommitUnit


class Answers:
    """Tell those who posted a record what the journal says of it; a sink of the worker."""

    name = "answers"

    def __init__(self) -> None:
        self._recent: OrderedDict[Source, _Answer] = OrderedDict()
        self._waiting: dict[Source, asyncio.Future[_Answer | None]] = {}
        self._up_to: dict[str, int] = {}

    def expect(self, source: Source) -> asyncio.Future[_Answer | None]:
        """Return what will be said of a record: None if it is no event, but a word about time."""
        answer: asyncio.Future[_Answer | None] = asyncio.get_running_loop().create_future()
        place = f"{source.topic}/{source.partition}"
        if source in self._recent:
            answer.set_result(self._recent[source])
        elif source.offset < self._up_to.get(place, 0):
            answer.set_result(None)
        else:
            self._waiting[source] = answer
        return answer

    def forget(self, source: Source) -> None:
        """Wait no longer."""
        self._waiting.pop(source, None)

    async def publish(self, unit: CommitUnit, engine_version: str) -> None:  # noqa: ARG002 - a port
        """Answer those who wait for records of one unit."""
        for entry in unit.entries:
            if (source := entry.source) is None:
                continue
            answer = self._recent[source] = _Answer(entry, unit)
            if (waiting := self._waiting.pop(source, None)) is not None and not waiting.done():
                waiting.set_result(answer)
        while len(self._recent) > REMEMBERED_MAX:
            self._recent.popitem(last=False)
        self._up_to = unit.inputs_up_to
        for source in [s for s in self._waiting if s.offset < self._reached(s)]:
            if not (waiting := self._waiting.pop(source)).done():
                waiting.set_result(None)

    def _reached(self, source: Source) -> int:
        return self._up_to.get(f"{source.topic}/{source.partition}", 0)


class TopicDesk:
    """Take posts for one centre on topics."""

    def __init__(self, name: str, names: TopicNames, front: Front, answers: Answers) -> None:
        self._name = name
        self._names = names
        self._front = front
        self._answers = answers

    async def take(
        self, records: Sequence[Posted], partition: int, *, operator: bool, wait: bool
    ) -> Receipt:
        """Bring records into the inputs; wait for their entries if asked to, `ANSWER_S` at most."""
        places = [
            Place(topic_of(self._names, posted, operator=operator), partition) for posted in records
        ]
        outgoing = [_outgoing(self._name, posted) for posted in records]
        offsets = await self._front.send(list(zip(places, outgoing, strict=True)))
        sources = [
            Source(place.topic, place.partition, offset)
            for place, offset in zip(places, offsets, strict=True)
        ]
        undecided = Receipt(undecided=tuple(f"{s.topic}/{s.partition}/{s.offset}" for s in sources))
        if not wait:
            return undecided
        expected = [self._answers.expect(source) for source in sources]
        try:
            async with asyncio.timeout(ANSWER_S):
                answers = await asyncio.gather(*expected)
        except TimeoutError:
            return undecided
        finally:
            for source in sources:
                self._answers.forget(source)
        return self._receipt(answers)

    def _receipt(self, answers: Sequence[_Answer | None]) -> Receipt:
        units = {answer.unit.seq_to: answer.unit for answer in answers if answer is not None}
        entries = tuple(None if answer is None else answer.entry for answer in answers)
        if not units:
            return Receipt(entries)
        last = units[max(units)]
        decided = [entry for entry in last.entries if entry.decisions]
        last_id = last.previous_id
        if decided:
            last_id = f"{self._name}/{decided[-1].stamped.seq}/{len(decided[-1].decisions) - 1}"
        return Receipt(
            entries, last.seq_to, last.at_ms, last_id, lambda: self._decisions(units, entries)
        )

    def _decisions(
        self, units: dict[int, CommitUnit], entries: Sequence[Entry | None]
    ) -> list[dict[str, Any]]:
        """Write the decisions that records led to, as they were published."""
        asked = {entry.stamped.seq for entry in entries if entry is not None}
        found: list[dict[str, Any]] = []
        for _, unit in sorted(units.items()):
            writer = DecisionWriter(self._name, unit.previous_id, unit.center_version)
            for entry in unit.entries:
                envelopes = writer.envelopes(entry, ENGINE_VERSION)
                found += envelopes if entry.stamped.seq in asked else ()
        return found


def topic_of(names: TopicNames, posted: Posted, *, operator: bool) -> str:
    """Return the input that a record belongs to; what cannot be read is refused at the contacts'.

    Only who may act as an operator gets into the operator's topic.
    """
    if posted.headers is not None:
        kind = next((v for n, v in posted.headers.items() if n.lower() == "ce-type"), "")
    else:
        try:
            kind = _typed.decode(posted.body).type
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            kind = ""
    if operator and RECEIVED_TYPES.get(kind) in OPERATOR_ONLY:
        return names.control
    return names.agents if kind.startswith(_AGENT) else names.contacts


def _outgoing(center_name: str, posted: Posted) -> Outgoing:
    """Write a posted CloudEvent as Kafka's binding wants it, in the mode it came in."""
    if posted.headers is None:
        mode = (("content-type", b"application/cloudevents+json"),)
        return Outgoing(center_name.encode(), posted.body, mode)
    headers = [("content-type", b"application/json")]
    for name, value in posted.headers.items():
        if name.lower().startswith("ce-"):
            text = unquote(value).encode("utf-8", "surrogatepass")
            headers.append((f"ce_{name[3:].lower()}", text))
    return Outgoing(center_name.encode(), posted.body, tuple(headers))
