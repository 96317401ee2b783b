"""Publish the decisions of committed units, in order, as CloudEvents in binary mode.

The position is in the output itself: the last record of the decisions' partition carries the id
of the decision that was published last. So nothing has to be stored beside it, and after a crash
publishing goes on behind it. What may have been sent before is sent again with the same id and
the same bytes. Input that could not be read leaves a trace in `<topic>.dlq`: coordinates, reason,
hash, no body; its id is the coordinates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from router.events import RecordRefused
from router.journal import Entry, decode_record
from streams.instants import format_instant
from streams.kafka import Cluster, Outgoing, Place
from streams.kafka_journal import KafkaJournal
from streams.names import EVENT_NAMES
from streams.ports import CommitUnit, NotAllowedError, StoreError
from streams.topics import TopicNames, dead_letters_of
from streams.writing import DecisionWriter, encode_source

_encode: Final = msgspec.json.Encoder().encode
_CONTENT_TYPE: Final = ("content-type", b"application/json")
_ID: Final = "ce_id"


# What differs from decision to decision; all else is the same for a type, and written once.
_CHANGING: Final = tuple(
    (name, f"ce_{name}")
    for name in (
        *("id", "time", "subject", "cause", "engineversion", "centerversion"),
        *("previd", "validuntil"),
    )
)


def _fixed_headers(envelope: dict[str, Any]) -> tuple[tuple[str, bytes], ...]:
    """Return the headers that all decisions of a type share."""
    changing = {"data", "datacontenttype", *(name for name, _ in _CHANGING)}
    named = [(f"ce_{name}", value) for name, value in envelope.items() if name not in changing]
    return (_CONTENT_TYPE, *((name, str(value).encode()) for name, value in named))


class KafkaSink:
    """Write decisions and dead letters to the partition of the centre."""

    name = "kafka"

    def __init__(
        self, cluster: Cluster, names: TopicNames, partition: int, center_name: str
    ) -> None:
        self._cluster = cluster
        self._place = Place(names.decisions, partition)
        self._center_name = center_name
        self._key = center_name.encode()
        self._last = (0, -1)
        self._fixed: dict[str, tuple[tuple[str, bytes], ...]] = {}

    async def find_position(self) -> int:
        """Find the last decision that is out; return the seq up to which all certainly are.

        -1 if we have no right to read what we wrote: then the journal tells (`KafkaJournal`).
        """
        reader = await self._cluster.reader({self._place: 0})
        try:
            first, end = (await reader.bounds((self._place,)))[self._place]
            reader.seek(self._place, max(first, end - 1))
            async for record in reader.read_until(self._place, end):
                self._last = self._parse_id(dict(record.headers).get(_ID, b"").decode())
        except NotAllowedError:
            return -1
        finally:
            await reader.close()
        # Of its own entry perhaps not all decisions are out.
        return max(0, self._last[0] - 1)

    def _parse_id(self, text: str) -> tuple[int, int]:
        center_name, _, rest = text.partition("/")
        seq, _, index = rest.partition("/")
        if center_name != self._center_name or not (seq.isdecimal() and index.isdecimal()):
            raise StoreError(
                f"{self._place.topic}/{self._place.partition}: ends with {text!r}, which is no "
                f"decision of {self._center_name}; a partition carries one centre: take a "
                "--topic-prefix of its own, or another --partition"
            )
        return int(seq), int(index)

    async def catch_up(self, journal: KafkaJournal) -> int:
        """Publish what was committed but perhaps not published; return how many records."""
        if self._last[0] > journal.line.seq:
            raise StoreError(
                f"{self._place.topic}/{self._place.partition}: decisions are out up to seq "
                f"{self._last[0]}, the journal ends at {journal.line.seq}: it lost records that "
                "were acknowledged; restore it before anything else is decided"
            )
        count = 0
        async for stored in journal.unpublished():
            record = decode_record(stored.body)
            writer = DecisionWriter(record.shard, stored.previous_id, stored.center_version)
            count += await self._send(record.entries, writer, record.engine_version)
        return count

    async def publish(self, unit: CommitUnit, engine_version: str) -> None:
        """Publish the decisions of one committed unit."""
        writer = DecisionWriter(self._center_name, unit.previous_id, unit.center_version)
        await self._send(unit.entries, writer, engine_version)

    async def _send(
        self, entries: Iterable[Entry], writer: DecisionWriter, engine_version: str
    ) -> int:
        entries = tuple(entries)
        seconds = self._cluster.settings.append_s
        # First: the last decision being out then says that these are, too.
        for topic, letters in self._dead_letters(entries).items():
            place = Place(dead_letters_of(topic), self._place.partition)
            await self._cluster.send_all(place, letters, seconds)
        records = list(self._decisions(entries, writer, engine_version))
        if records:
            await self._cluster.send_all(self._place, records, seconds)
        return len(records)

    def _decisions(
        self, entries: Iterable[Entry], writer: DecisionWriter, engine_version: str
    ) -> Iterator[Outgoing]:
        for entry in entries:
            seq = entry.stamped.seq
            for index, envelope in enumerate(writer.envelopes(entry, engine_version)):
                if (seq, index) <= self._last:
                    continue
                self._last = (seq, index)
                kind = envelope["type"]
                fixed = self._fixed.get(kind)
                if fixed is None:
                    fixed = self._fixed[kind] = _fixed_headers(envelope)
                changing = [
                    (header, str(envelope[name]).encode())
                    for name, header in _CHANGING
                    if name in envelope
                ]
                yield Outgoing(self._key, _encode(envelope["data"]), (*fixed, *changing))

    def _dead_letters(self, entries: Iterable[Entry]) -> dict[str, list[Outgoing]]:
        letters: dict[str, list[Outgoing]] = {}
        for entry in entries:
            event, source = entry.stamped.event, entry.source
            if not isinstance(event, RecordRefused) or source is None:
                continue
            trace = {
                "topic": source.topic,
                "partition": source.partition,
                "offset": source.offset,
                "reason": event.reason,
                "detail": event.detail,
                "body_hash": event.body_hash,
            }
            headers = {
                "ce_specversion": "1.0",
                _ID: encode_source(source),
                "ce_source": f"/switchroom/{self._center_name}",
                "ce_type": EVENT_NAMES[RecordRefused],
                "ce_time": format_instant(entry.stamped.at_ms),
            }
            letter = Outgoing(
                self._key,
                _encode(trace),
                (_CONTENT_TYPE, *((name, value.encode()) for name, value in headers.items())),
            )
            letters.setdefault(source.topic, []).append(letter)
        return letters
