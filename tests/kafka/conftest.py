"""Have one broker for all tests here; without Java and Maven say so loudly, under CI fail."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from configs.loader import load_center
from router.center import Center
from streams.topics import TopicNames
from tests.kafka.broker import Broker, find_missing
from tests.kafka.traffic import create_topics
from tests.kill_soak import ROOT, make_day

HERE = Path(__file__).parent
TINY = ROOT / "configs" / "tiny"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that asks for the broker; keep them in one process, on one broker."""
    for item in items:
        if HERE in item.path.parents and "broker" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.kafka)
            item.add_marker(pytest.mark.xdist_group("kafka"))


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    missing = find_missing()
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"NO KAFKA: {missing}", pytrace=False)
    if missing:
        pytest.skip(f"NO KAFKA, NOTHING OF IT WAS TESTED: {missing}")
    broker = Broker(tmp_path_factory.mktemp("kafka"))
    broker.start()
    yield broker
    broker.stop()


@dataclass
class Stage:
    """A deployment of its own on the broker: its topics carry the test's name."""

    address: str
    prefix: str
    config: Path
    center: Center
    names: TopicNames = field(init=False)

    def __post_init__(self) -> None:
        self.names = TopicNames(self.prefix)


@pytest.fixture
def stage(broker: Broker, request: pytest.FixtureRequest) -> Stage:
    prefix = re.sub(r"[^a-z]+", "-", str(request.node.name).removeprefix("test_"))[:60].strip("-")
    stage = Stage(broker.address, prefix, TINY, load_center(TINY).center)
    asyncio.run(create_topics(stage.address, stage.names))
    return stage


@pytest.fixture(scope="session")
def day() -> list[bytes]:
    """Return a day of the tiny centre: CloudEvents in their order, and a watermark."""
    return make_day(load_center(TINY).center, 2000, 4)
