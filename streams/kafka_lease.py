"""Share centres among processes: a consumer group says who has which partition.

The group carries no offsets and reads nothing; it is the lease. Its own assignor gives every
partition that has a centre to one of the processes that know that centre, as evenly as it can,
and lets a process keep what it has. A process that dies loses its partitions after the session
time-out. A process that loses one finishes the unit at hand and lets go; should it be too slow,
the offset of its next record stops it (`streams.kafka_journal`): the group decides who should
write, the journal who did.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import aiokafka
import msgspec
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)
from msgspec import Struct

from streams.kafka import Cluster
from streams.kafka_settings import KafkaSettings, client_options
from streams.ports import OutcomeUnknownError, StoreError

log: Final = logging.getLogger("switchroom.kafka")

POLL_MS: Final = 500
_END_S: Final = 3.0


class Lease(Protocol):
    """Say whether a partition is ours to write."""

    def has(self, partition: int) -> bool:
        """Return whether it is ours now."""

    async def wait_until(self, partition: int, *, ours: bool) -> None:
        """Wait until it is ours, or no longer; raises `StoreError` if that cannot be known."""


class Always:
    """Have every partition: the list of centres is fixed."""

    def has(self, partition: int) -> bool:  # noqa: ARG002 - whichever it is
        """Say yes."""
        return True

    async def wait_until(self, partition: int, *, ours: bool) -> None:  # noqa: ARG002 - as above
        """Return at once, or never."""
        if not ours:
            await asyncio.Event().wait()


class Wish(Struct, frozen=True):
    """What a member tells the others: partitions whose centres it knows, those that it has."""

    knows: tuple[int, ...]
    has: tuple[int, ...] = ()


def share(wishes: Mapping[str, Wish]) -> dict[str, list[int]]:
    """Give each partition to one member that knows its centre: evenly, moving little."""
    given: dict[str, list[int]] = {member: [] for member in sorted(wishes)}
    wanted = sorted({partition for wish in wishes.values() for partition in wish.knows})
    most = -(-len(wanted) // max(1, len(given)))
    open_ones = []
    for partition in wanted:
        holders = [m for m in given if partition in wishes[m].has and partition in wishes[m].knows]
        # Two may claim one after a split: neither is believed more than the other.
        if len(holders) == 1 and len(given[holders[0]]) < most:
            given[holders[0]].append(partition)
        else:
            open_ones.append(partition)
    for partition in open_ones:
        able = [member for member in given if partition in wishes[member].knows]
        given[min(able, key=lambda member: (len(given[member]), member))].append(partition)
    return given


class GroupLease(ConsumerRebalanceListener):  # type: ignore[misc] # the client is not typed
    """Take part in the group that shares `topic`'s partitions; `member` makes it a static one."""

    def __init__(
        self,
        settings: KafkaSettings,
        topic: str,
        group: str,
        knows: Sequence[int],
        *,
        member: str = "",
    ) -> None:
        self._settings = settings
        self._topic = topic
        self._owned: frozenset[int] = frozenset()
        self._changed = asyncio.Condition()
        self._error: StoreError | None = None
        self._task: asyncio.Task[None] | None = None
        self._assignor = _Assignor(self, topic, tuple(knows))
        self._options: dict[str, Any] = {
            **client_options(settings),
            "group_id": group,
            "group_instance_id": member or None,
            "session_timeout_ms": settings.session_timeout_ms,
            "heartbeat_interval_ms": settings.session_timeout_ms // 4,
            "rebalance_timeout_ms": settings.session_timeout_ms,
            "enable_auto_commit": False,
            # Nothing is read: without a committed offset it must only not fail.
            "auto_offset_reset": "latest",
            "partition_assignment_strategy": (self._assignor,),
        }

    @property
    def owned(self) -> frozenset[int]:
        """Return the partitions that are ours now."""
        return self._owned

    def has(self, partition: int) -> bool:
        """Return whether it is ours now."""
        return partition in self._owned

    async def wait_until(self, partition: int, *, ours: bool) -> None:
        """Wait until it is ours, or no longer."""
        async with self._changed:
            while self._error is None and self.has(partition) is not ours:
                await self._changed.wait()
        if self._error is not None:
            raise self._error

    def start(self) -> None:
        """Begin to take part."""
        self._task = asyncio.get_running_loop().create_task(self._take_part())

    async def close(self) -> None:
        """Leave the group, so that the others need not wait for the time-out."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=2 * _END_S)

    async def _take_part(self) -> None:
        """Be a member, again and again; while there is no group, what we have stays ours.

        Whoever else may have got it by then is told apart by the journal.
        """
        while True:
            try:
                await self._be_member()
            except OutcomeUnknownError as error:
                log.warning("the group that shares the centres is out of reach: %s", error)
                await asyncio.sleep(1)
            except StoreError as error:
                self._error = error
                await self._tell()
                return

    async def _be_member(self) -> None:
        cluster = Cluster(self._settings)
        consumer = aiokafka.AIOKafkaConsumer(**self._options)
        try:
            await cluster.within(consumer.start(), "connecting")
            consumer.subscribe([self._topic], listener=self)
            while True:
                # The client leaves the group if nobody asks it for records.
                await cluster.within(consumer.getmany(timeout_ms=POLL_MS), "taking part")
        finally:
            stopping = asyncio.ensure_future(consumer.stop())
            await asyncio.wait({stopping}, timeout=_END_S)

    async def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        """Let nothing go yet: most of it comes back a moment later."""

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Learn what is ours from now on."""
        self._owned = frozenset(place.partition for place in assigned)
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class _Assignor(AbstractPartitionAssignor):  # type: ignore[misc] # the client is not typed
    """Bring `share` behind the client's door."""

    name = "switchroom"

    def __init__(self, lease: GroupLease, topic: str, knows: tuple[int, ...]) -> None:
        self._lease = lease
        self._topic = topic
        self._knows = knows

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """Say what we know and have."""
        wish = Wish(self._knows, tuple(sorted(self._lease.owned)))
        return ConsumerProtocolMemberMetadata(0, list(topics), msgspec.json.encode(wish))

    def assign(
        self,
        cluster: object,  # noqa: ARG002 - the members say which partitions there are
        members: Mapping[str, ConsumerProtocolMemberMetadata],
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Share out among the members; called at the one that leads."""
        wishes = {
            member: msgspec.json.decode(bytes(told.user_data), type=Wish)
            for member, told in members.items()
        }
        return {
            member: ConsumerProtocolMemberAssignment(0, [(self._topic, partitions)], b"")
            for member, partitions in share(wishes).items()
        }

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Nothing to do: the lease hears of it as the listener."""
