"""Producers that write in transactions: what they leave in a log, ended or open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer

from streams.kafka import Cluster, Place
from streams.kafka_intake import KafkaIntake
from streams.kafka_settings import load_settings
from streams.ports import LogStuckError
from tests.kafka.conftest import Stage

STUCK_S = 1.5
PATIENCE_S = 20.0


def producer_of(stage: Stage, name: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=stage.address, transactional_id=f"{stage.prefix}.{name}"
    )


@asynccontextmanager
async def reading(stage: Stage, *, until_end: bool = False) -> AsyncIterator[KafkaIntake]:
    """Read partition 0 of both topics from their beginning."""
    cluster = Cluster(load_settings(None, bootstrap_servers=stage.address))
    try:
        places = [Place(stage.names.agents, 0), Place(stage.names.contacts, 0)]
        reader = await cluster.reader(dict.fromkeys(places, 0))
        ends = {place: end for place, (_, end) in (await reader.bounds(places)).items()}
        intake = KafkaIntake(
            reader, places, ends, operator_topic="", until_end=until_end, stuck_s=STUCK_S
        )
        intake.start(lambda: None)
        yield intake
        await intake.close()
    finally:
        await cluster.close()


async def receive(intake: KafkaIntake, seconds: float, *, count: int = 0) -> list[tuple[str, int]]:
    """Take what comes within a time, or until there are so many; raises what it ran into."""
    taken: list[tuple[str, int]] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until and not (count and len(taken) >= count) and not intake.ended:
        taken += [(one.topic, one.offset) for one in intake.receive(100)]
        await asyncio.sleep(0.05)
    return taken


def test_what_a_transaction_that_ended_leaves_behind_holds_nothing_up(stage: Stage) -> None:
    """Markers take offsets, and what was given up is there: neither is a record to wait for."""

    async def play() -> None:
        names = stage.names
        async with producer_of(stage, "kept") as producer:
            async with producer.transaction():
                await producer.send_and_wait(names.contacts, b"{}", partition=0)
            await producer.begin_transaction()
            await producer.send_and_wait(names.contacts, b"{}", partition=0)
            await producer.abort_transaction()
        async with reading(stage) as intake:
            assert await receive(intake, 2.5 * STUCK_S) == [(names.contacts, 0)]
            assert intake.behind() == [(names.agents, 0, 0), (names.contacts, 0, 0)]
        async with reading(stage, until_end=True) as finite:
            assert await receive(finite, PATIENCE_S) == [(names.contacts, 0)]
            assert finite.ended, "a marker at the end is no record that is missing"

    asyncio.run(play())


def test_a_transaction_left_open_is_told_though_other_topics_go_on(stage: Stage) -> None:
    async def play() -> None:
        names = stage.names

        async def beat(intake: KafkaIntake) -> None:
            for _ in range(100):
                await other.send_and_wait(names.agents, b"{}", partition=0)
                await receive(intake, 0.2)

        async with (
            producer_of(stage, "left") as left,
            AIOKafkaProducer(bootstrap_servers=stage.address) as other,
        ):
            await left.begin_transaction()
            await left.send_and_wait(names.contacts, b"{}", partition=0)
            async with reading(stage) as intake:
                with pytest.raises(LogStuckError, match="/0: lso_stuck: ") as told:
                    await beat(intake)
            assert f"{names.contacts}/0" in str(told.value)
            assert "stable only up to 0" in str(told.value)
            await left.commit_transaction()
            async with reading(stage) as intake:
                taken = await receive(intake, PATIENCE_S, count=4)
                assert (names.contacts, 0) in taken, "the next life reads on"

    asyncio.run(play())
