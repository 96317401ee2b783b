"""Producers' clocks: a wrong one costs no contact, an old repeat makes no second one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from configs.loader import load_center
from router.decisions import Reason, RefuseEvent
from router.events import CenterChanged, ContactArrived, ContactEnded, Event
from router.journal import Entry
from streams.clock import AHEAD_MAX_MS, ClockError, WallClock, steady_wall
from streams.codec import Heard
from streams.embedded import EmbeddedJournal, EmbeddedStore
from streams.producers import PRODUCERS_MAX, ProducerClocks
from streams.recovery import recover
from streams.service import Service, refusal_of
from streams.worker import Settings, Worker

CENTER = load_center(Path(__file__).parent.parent / "configs" / "tiny").center
WINDOW_MS = CENTER.limits.duplicate_window_ms
T0 = 1_772_438_400_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000


class Bench:
    """A worker on a store whose wall stands where we set it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now_ms = T0
        self.counts: dict[str, int] = {}

    def hear(self, *heard: tuple[str, int, Event]) -> list[Entry]:
        """Post (producer, its instant, event), each a minute after the other; return entries."""
        return asyncio.run(self._hear(heard))

    async def _hear(self, heard: tuple[tuple[str, int, Event], ...]) -> list[Entry]:
        store = EmbeddedStore.own(self.path)
        journal = EmbeddedJournal(store)
        service = Service(
            await recover(journal, journal), CenterChanged(CENTER), store.writer_epoch
        )
        clock = WallClock(0, lambda: 0, lambda: self.now_ms * 1_000_000)
        clock._start_ms, clock._monotonic_ns = 0, 0
        settings = Settings(stop_at_end=False, snapshot_every=1)
        worker = Worker(service, journal, journal, clock, settings=settings)
        running = asyncio.create_task(worker.run())
        answers: list[Entry] = []
        for number, (producer, occurred_ms, event) in enumerate(heard):
            self.now_ms += MINUTE_MS
            event_id = f"{producer} {self.now_ms}-{number}"
            outcome = await worker.post([(Heard(event, event_id, occurred_ms), "")])
            answers += [answer.entry for answer in outcome.answers if answer.entry]
        worker.stop()
        await running
        self.counts = dict(service.state.producers.counts)
        store.close()
        return answers


def arrived(number: int) -> ContactArrived:
    return ContactArrived(f"c-{number}", "phone", "order_status")


def reasons(entries: list[Entry]) -> list[str]:
    refusals = [refusal_of(entry) for entry in entries]
    return ["" if refusal is None else refusal.reason.value for refusal in refusals]


def test_a_producer_whose_clock_is_hours_behind_loses_no_contact(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "store.db")
    behind_ms = 5 * HOUR_MS
    entries = bench.hear(
        *[("/slow", T0 + n * MINUTE_MS - behind_ms, arrived(n)) for n in range(1, 4)],
        ("/right", T0 + 4 * MINUTE_MS, arrived(4)),
    )
    assert reasons(entries) == ["", "", "", ""]
    assert bench.counts == {"producer_behind": 3}
    assert [entry.stamped.occurred_ms for entry in entries] == [0, 0, 0, T0 + 4 * MINUTE_MS]
    # Also by a worker that was started again, from a snapshot or from the journal.
    assert reasons(bench.hear(("/slow", T0 + 5 * MINUTE_MS - behind_ms, arrived(5)))) == [""]


def test_records_that_waited_while_the_worker_was_away_are_taken(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "store.db")
    assert reasons(bench.hear(("/desk", T0, arrived(0)))) == [""]
    bench.now_ms += 3 * HOUR_MS
    waited = [("/desk", T0 + n * MINUTE_MS, arrived(n)) for n in range(1, 5)]
    assert reasons(bench.hear(*waited)) == ["", "", "", ""]


def test_an_old_record_again_makes_no_second_contact(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "store.db")
    first = bench.hear(
        ("/desk", T0, arrived(0)),
        ("/desk", T0 + MINUTE_MS, ContactEnded("c-0")),
    )
    assert reasons(first) == ["", ""]
    # Its producer has gone on; by then nobody remembers the contact, nor the record's id.
    bench.now_ms += 2 * WINDOW_MS
    assert reasons(bench.hear(("/desk", bench.now_ms, arrived(1)))) == [""]
    # Heard by another process, whose memory is a snapshot or the journal.
    again = bench.hear(("/desk", T0, arrived(0)))
    assert [d.reason for d in again[0].decisions if isinstance(d, RefuseEvent)] == [Reason.STALE]


def test_a_clock_that_is_ahead_is_counted_and_moves_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "store.db")
    ahead = bench.hear(
        ("/fast", T0 + 9 * HOUR_MS, arrived(0)), ("/fast", T0 + 2 * MINUTE_MS, arrived(1))
    )
    assert reasons(ahead) == ["", ""]
    assert [entry.stamped.at_ms for entry in ahead] == [T0 + MINUTE_MS, T0 + 2 * MINUTE_MS]
    assert bench.counts == {"producer_ahead": 1}


def test_producers_without_a_name_are_judged_by_our_clock(tmp_path: Path) -> None:
    clocks = ProducerClocks()
    old_ms = T0 - 2 * WINDOW_MS
    assert clocks.judge("h:0123", old_ms, T0, WINDOW_MS) == old_ms
    assert clocks.newest_ms == {}
    for number in range(PRODUCERS_MAX + 5):
        clocks.note(f"/{number} 1", T0, T0)
    assert len(clocks.newest_ms) == PRODUCERS_MAX


# --- the host's clock ---------------------------------------------------------------------------


def second_reading(first_ms: int, second_ms: int, floor_ms: int) -> tuple[WallClock, int]:
    walls = [first_ms, second_ms]
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        walls.pop(0)

    def monotonic() -> int:
        return int(sum(waits) * 1e9)

    clock = asyncio.run(steady_wall(floor_ms, wait, lambda: walls[0] * 1_000_000, monotonic))
    return clock, len(waits)


def test_a_wall_far_beyond_the_journal_is_read_twice() -> None:
    later_ms = T0 + AHEAD_MAX_MS + 1
    assert second_reading(T0 + 50, 0, T0)[1] == 0
    assert second_reading(T0, 0, 0)[1] == 0, "a centre that begins has no past to compare with"
    clock, readings = second_reading(later_ms, later_ms + 2000, T0)
    assert (clock.now_ms(), readings) == (later_ms + 2000, 1)
    with pytest.raises(ClockError, match="clock_drift"):
        second_reading(T0 + 900 * 24 * HOUR_MS, T0 + 3000, T0)
