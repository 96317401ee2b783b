"""The readers' library: each decision once, in order, or a word about what is missing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from streams.ports import StoreError
from streams.reader import START, Decision, GapError, Sieve, read_stream
from tests.listening import event, listening
from tests.test_host import ARRIVED, SIGNED_IN, TINY, post


def test_a_repeat_is_dropped_and_a_gap_is_told() -> None:
    sieve = Sieve("shop")
    assert sieve.accept("shop/1/0", "") == (1, 0)
    assert sieve.accept("shop/6/0", "shop/1/0") == (6, 0)
    assert sieve.accept("shop/6/1", "shop/6/0") == (6, 1)
    for repeat in ("shop/1/0", "shop/6/0", "shop/6/1"):
        assert sieve.accept(repeat, "whatever") is None
    assert sieve.repeats == 3
    with pytest.raises(
        GapError, match="shop/9/0 follows shop/8/0, but the last one seen is shop/6/1"
    ):
        sieve.accept("shop/9/0", "shop/8/0")
    assert sieve.last == (6, 1), "it stands where it stood"
    assert sieve.accept("shop/7/0", "shop/6/1") == (7, 0)


def test_a_reader_goes_on_from_its_place() -> None:
    sieve = Sieve("shop", (6, 1))
    assert sieve.accept("shop/6/1", "shop/6/0") is None
    assert sieve.accept("shop/7/0", "shop/6/1") == (7, 0)
    with pytest.raises(GapError):
        Sieve("shop").accept("shop/6/0", "shop/5/0")
    oldest = Sieve("shop", from_oldest=True)
    assert oldest.accept("shop/6/0", "shop/5/0") == (6, 0)
    with pytest.raises(GapError):
        oldest.accept("shop/8/0", "shop/7/0")
    for stranger in ("other/7/0", "shop/7", "shop/x/0", ""):
        with pytest.raises(StoreError, match="no decision of"):
            sieve.accept(stranger, "")


def test_a_decision_says_when_it_is_over() -> None:
    offer = Decision("shop", 7, 0, "switchroom.contact.offered", 1000, {}, "", 16_000)
    assert (offer.id, offer.place) == ("shop/7/0", (7, 0))
    assert not offer.is_over(15_999)
    assert offer.is_over(16_000)
    assert not Decision("shop", 7, 0, "t", 1000, {}).is_over(2**53)


def test_the_stream_is_read_on_over_a_restart_of_the_worker(tmp_path: Path) -> None:
    told = ["--config", str(TINY), "--store", str(tmp_path / "store.db")]

    async def read(port: int, after: tuple[int, int], count: int) -> list[Decision]:
        found: list[Decision] = []
        async with asyncio.timeout(30):
            stream = read_stream(f"http://127.0.0.1:{port}", "corner-shop", after)
            async for decision in stream:
                found.append(decision)
                if len(found) == count:
                    await stream.aclose()
                    return found
        return found

    with listening(told) as worker:
        post(worker, SIGNED_IN, ARRIVED)
        first = asyncio.run(read(worker.port, START, 3))
        with pytest.raises(StoreError, match="404"):
            asyncio.run(wrong(worker.port))
        worker.process.kill()
    with listening(told) as worker:
        accepted = event("offer.accepted", "o", offer_id=1, agent_id="ben")
        post(worker, accepted)
        rest = asyncio.run(read(worker.port, first[-1].place, 2))
        whole = asyncio.run(read(worker.port, START, 5))
    assert first + rest == whole
    assert [decision.place for decision in whole] == sorted({one.place for one in whole})
    offer = next(one for one in whole if one.type == "switchroom.contact.offered")
    assert offer.data["agent_id"] == "ben"
    assert offer.valid_until_ms - offer.at_ms == 15_000


async def wrong(port: int) -> None:
    async for _ in read_stream(f"http://127.0.0.1:{port}", "corner-store"):
        break
