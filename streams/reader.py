"""Read decisions exactly once, from another program: over Kafka, or over the HTTP stream.

A decision's id is (center, seq, index), the same bytes whenever it is sent, and it names the id
before it. So a reader needs one number pair: it drops what is not behind it (a repeat after a
crash of the worker) and stops where something between is missing. Keep the pair with what you do,
in one transaction if you can; pass `Decision.id` on as idempotency key where you cannot.

```python
async for decision in read_topic(settings, "corner-shop", after=last):
    with database:
        act(database, decision)
        save(database, decision.place)
```
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import Struct

from streams.instants import parse_instant
from streams.ports import OutcomeUnknownError, StoreError

if TYPE_CHECKING:
    from streams.kafka import KafkaRecord
    from streams.kafka_settings import KafkaSettings

log: Final = logging.getLogger("switchroom.reader")

Place: TypeAlias = tuple[int, int]
"""A decision's (seq, index)."""

START: Final[Place] = (0, -1)
AGAIN_S: Final = 1.0
SILENCE_S: Final = 60.0


class GapError(StoreError):
    """Decisions that were to come next are not there: say which, and do nothing more."""


class Decision(Struct, frozen=True):
    """One decision. `data` is its body; `cause` the input record, or the event, that led to it.

    `at_ms` and `valid_until_ms` are milliseconds since the epoch; 0: it has no end.
    """

    center: str
    seq: int
    index: int
    type: str
    at_ms: int
    data: dict[str, Any]
    cause: str = ""
    valid_until_ms: int = 0

    @property
    def id(self) -> str:
        """Return its id; pass it on as idempotency key."""
        return f"{self.center}/{self.seq}/{self.index}"

    @property
    def place(self) -> Place:
        """Return where to go on after it."""
        return self.seq, self.index

    def is_over(self, now_ms: int) -> bool:
        """Tell whether it is too late to act on it, as on an offer that has expired."""
        return bool(self.valid_until_ms) and now_ms >= self.valid_until_ms


class Sieve:
    """Let each decision of one centre through once, in order.

    `after` is the place of the last one that was acted on. With `from_oldest` the first that
    comes may be any: what is older has been deleted, and nobody misses it.
    """

    def __init__(self, center: str, after: Place = START, *, from_oldest: bool = False) -> None:
        self.center = center
        self.last = after
        self.repeats = 0
        self._anything = from_oldest and after == START

    def accept(self, decision_id: str, previous_id: str) -> Place | None:
        """Return the place of a decision that is next, None for a repeat; raises `GapError`."""
        place = parse_id(self.center, decision_id)
        if place <= self.last:
            self.repeats += 1
            return None
        expected = "" if self.last == START else f"{self.center}/{self.last[0]}/{self.last[1]}"
        if previous_id != expected and not self._anything:
            raise GapError(
                f"{decision_id} follows {previous_id or 'nothing'}, but the last one seen is "
                f"{expected or 'none'}: decisions between are missing (deleted by retention?); "
                "take the state from the journal, or read on with from_oldest"
            )
        self._anything = False
        self.last = place
        return place

    def read(self, envelope: Mapping[str, str], data: bytes) -> Decision | None:
        """Make a decision of CloudEvents attributes and a body; None for a repeat."""
        place = self.accept(envelope["id"], envelope.get("previd", ""))
        if place is None:
            return None
        until = envelope.get("validuntil", "")
        return Decision(
            self.center,
            *place,
            envelope["type"],
            parse_instant(envelope["time"]),
            json.loads(data),
            envelope.get("cause", ""),
            parse_instant(until) if until else 0,
        )


def parse_id(center: str, decision_id: str) -> Place:
    """Return the place in an id of a centre's decision; raises `StoreError` if it is none."""
    named, _, rest = decision_id.partition("/")
    seq, _, index = rest.partition("/")
    if named != center or not (seq.isdecimal() and index.isdecimal()):
        raise StoreError(
            f"{decision_id!r} is no decision of {center!r}; is the centre's name right?"
        )
    return int(seq), int(index)


# --- over Kafka -------------------------------------------------------------------------------


async def read_topic(
    settings: KafkaSettings,
    center: str,
    after: Place = START,
    *,
    partition: int | None = None,
    from_oldest: bool = False,
    until_end: bool = False,
) -> AsyncGenerator[Decision, None]:
    """Yield the decisions of a centre behind `after`, each once, for ever or to the topic's end.

    Goes on by itself after a broker's failure. Raises `GapError`, and `StoreError` if there is no
    such topic or we may not read it.
    """
    from streams.kafka import Cluster  # noqa: PLC0415 - needs the client

    sieve = Sieve(center, after, from_oldest=from_oldest)
    offset, ended = -1, False
    while not ended:
        cluster = Cluster(settings)
        try:
            async for record in _follow(cluster, center, partition, offset, until_end=until_end):
                offset = record.offset + 1
                headers = {
                    name[3:]: value.decode()
                    for name, value in record.headers
                    if name.startswith("ce_")
                }
                if decision := sieve.read(headers, record.value or b"{}"):
                    yield decision
            ended = True
        except OutcomeUnknownError as error:
            log.warning("%s; reading on from where we were", error)
            await asyncio.sleep(AGAIN_S)
        finally:
            await cluster.close()


async def _follow(
    cluster: Any,  # noqa: ANN401 - the type needs the client
    center: str,
    partition: int | None,
    offset: int,
    *,
    until_end: bool,
) -> AsyncIterator[KafkaRecord]:
    from streams.kafka import Place as TopicPlace  # noqa: PLC0415 - needs the client
    from streams.topics import TopicNames, partition_of  # noqa: PLC0415 - as above

    topic = TopicNames(cluster.settings.topic_prefix).decisions
    count = (await cluster.partitions_of([topic]))[topic]
    if not count:
        raise StoreError(f"{cluster.settings.bootstrap_servers}: there is no topic {topic}")
    place = TopicPlace(topic, partition_of(center, count) if partition is None else partition)
    reader = await cluster.reader({place: 0})
    first, end = (await reader.bounds((place,)))[place]
    reader.seek(place, max(first, offset))
    if until_end:
        async for record in reader.read_until(place, end):
            yield record
        return
    while True:
        for record in await reader.next(1000, (place,)):
            yield record


# --- over HTTP --------------------------------------------------------------------------------


async def read_stream(
    url: str, center: str, after: Place = START, *, token: str = "", from_oldest: bool = False
) -> AsyncGenerator[Decision, None]:
    """Yield the decisions behind `after` off a worker's `/v1/stream`, each once, for ever.

    `url` is that of the worker, such as http://127.0.0.1:8080. Calls again whenever the worker or
    the connection is gone. Raises `GapError`, and `StoreError` if the worker will not have us.
    """
    import aiohttp  # noqa: PLC0415 - only who reads over HTTP needs it

    sieve = Sieve(center, after, from_oldest=from_oldest)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=SILENCE_S, sock_read=SILENCE_S)
    async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
        while True:
            seq, index = sieve.last
            asked = {"center": center, "after": f"{center}/{seq}/{max(index, 0)}" if seq else "0"}
            try:
                async with session.get(f"{url.rstrip('/')}/v1/stream", params=asked) as answer:
                    if answer.status in {400, 401, 404, 421}:
                        raise StoreError(f"{url}: {answer.status}: {await answer.text()}")
                    answer.raise_for_status()
                    async for line in answer.content:
                        if not line.startswith(b"data: "):
                            continue
                        envelope = json.loads(line[6:])
                        body = json.dumps(envelope.pop("data", {})).encode()
                        if decision := sieve.read(envelope, body):
                            yield decision
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                log.warning("%s: %r; calling again", url, error)
            await asyncio.sleep(AGAIN_S)
