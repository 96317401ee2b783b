"""The five steps and their loop: same bytes whatever the units, the speed or the interruptions."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from configs.loader import load_center
from router.center import Center
from router.decisions import (
    ActivateCenter,
    BreachSla,
    OfferContact,
    Reason,
    RefuseEvent,
    WithdrawOffer,
)
from router.events import (
    AgentSignedIn,
    CenterChanged,
    ContactArrived,
    EngineActivated,
    Event,
    RecordRefused,
    Stamped,
    TimeAdvanced,
)
from router.journal import Entry, JournalError, JournalWriter, ReplayDivergedError, decode_record
from simulation.auditor import RecordAuditor, audit
from streams import recovery, service
from streams.clock import Clock, RecordedClock, ScaledClock, WallClock
from streams.codec import Heard, hash_body
from streams.embedded import EmbeddedJournal, EmbeddedStore
from streams.intake import FileIntake, StreamIntake
from streams.ports import CommitUnit, StoredSnapshot, StoreError
from streams.recovery import Refold, recover, take_snapshot
from streams.service import CenterMismatchError, Service
from streams.strict_json import BYTES_MAX
from streams.worker import Settings, Worker
from streams.writing import encode_event, encode_watermark

CENTER = load_center(Path(__file__).parent.parent / "configs" / "tiny").center
T0 = 1_772_438_400_000


def line(at_ms: int, event: Event, number: int = 0) -> bytes:
    body = encode_event(Stamped(number or at_ms - T0 + 1, at_ms, event), CENTER.name)
    assert body is not None
    return body


def arrival(number: int, at_ms: int, category: str = "order_status") -> bytes:
    return line(at_ms, ContactArrived(f"c-{number}", "phone", category))


def small_day(contacts: int = 60) -> list[bytes]:
    """Make a day on which offers expire, promises break and some lines are strange."""
    lines = [line(T0 + n, AgentSignedIn(agent_id)) for n, agent_id in enumerate(CENTER.agents)]
    for number in range(contacts):
        at_ms = T0 + 1000 + number * 2700
        lines.append(arrival(number, at_ms, "invoice" if number % 3 else "order_status"))
        if number % 7 == 0:
            lines += [b"", b"not a record", lines[-1], b"  "]
        if number % 11 == 0:
            lines.append(encode_watermark(at_ms + 1300, CENTER.name))
    lines.append(encode_watermark(T0 + 3_600_000, CENTER.name))
    return lines


def write_day(directory: Path, lines: Sequence[bytes]) -> Path:
    path = directory / "day.ndjson"
    path.write_bytes(b"".join(one + b"\n" for one in lines))
    return path


class Run:
    """Run a worker over a store, as the command does, and look at what it left."""

    def __init__(self, directory: Path, center: Center = CENTER, name: str = "store.db") -> None:
        self.path = directory / name
        self.center = center

    def over(
        self,
        day: Path | None,
        clock: Clock | None = None,
        *,
        units_max: int | None = None,
        settings: Settings | None = None,
        crash: tuple[str, int] = ("", 0),
    ) -> Run:
        asyncio.run(
            self._over(day, clock or RecordedClock(), units_max, settings or Settings(), crash)
        )
        return self

    async def _over(
        self,
        day: Path | None,
        clock: Clock,
        units_max: int | None,
        settings: Settings,
        crash: tuple[str, int],
    ) -> None:
        store, intake = EmbeddedStore.own(self.path), None
        try:
            journal = CrashingJournal(store, *crash)
            made = Service(
                await recover(journal, journal), CenterChanged(self.center), store.writer_epoch
            )
            if day is not None:
                offset = made.next_offset(day.name)
                intake = FileIntake(day, offset, store.input_hash(day.name))
            counter = StopAfter(units_max)
            worker = Worker(
                made, journal, journal, clock, intake=intake, sinks=[counter], settings=settings
            )
            counter.worker = worker
            await worker.run()
        finally:
            store.close()
            if intake is not None:
                intake.close()

    @property
    def bodies(self) -> list[bytes]:
        store = EmbeddedStore.read_only(self.path)
        try:
            return [stored.body for stored in store.records()]
        finally:
            store.close()

    @property
    def entries(self) -> list[Entry]:
        return [entry for body in self.bodies for entry in decode_record(body).entries]

    @property
    def digest(self) -> str:
        return decode_record(self.bodies[-1]).state_hash

    def check(self) -> Run:
        """Hold the records against the auditor, who shares no code with us."""
        auditor = RecordAuditor()
        assert [found for body in self.bodies for found in auditor.check(body)] == []
        return self


class StopAfter:
    """Stop a worker after some units, as a signal would."""

    name = "stop"

    def __init__(self, units: int | None) -> None:
        self.left = units
        self.worker: Worker | None = None

    async def publish(self, unit: CommitUnit, engine_version: str) -> None:
        assert unit.entries
        assert engine_version
        if self.left is not None:
            self.left -= 1
            if self.left == 0 and self.worker is not None:
                self.worker.stop()


class JumpingClock:
    """A wall that stands still, and jumps whenever somebody waits."""

    recorded = False
    started = True

    def __init__(self, at_ms: int, until_ms: int) -> None:
        self.at_ms = at_ms
        self.until_ms = until_ms
        self.waits = 0
        self.worker: Worker | None = None

    def start(self, at_ms: int) -> None:
        self.at_ms = max(self.at_ms, at_ms)

    def now_ms(self) -> int:
        return self.at_ms

    def wait_s(self, until_ms: int) -> float:
        assert self.waits < 100, "a worker that waits for the same instant again and again"
        self.waits += 1
        self.at_ms = max(self.at_ms, min(until_ms, self.until_ms))
        if self.at_ms == self.until_ms and self.worker is not None:
            self.worker.stop()
        return 0


# --- one day, one digest ----------------------------------------------------------


@pytest.mark.parametrize("unit_records", [1, 7, 100_000])
def test_where_units_end_changes_no_byte(tmp_path: Path, unit_records: int) -> None:
    day = write_day(tmp_path, small_day())
    whole = Run(tmp_path, name="whole.db").over(day).check()
    split = Run(tmp_path).over(day, settings=Settings(unit_records=unit_records)).check()
    assert split.digest == whole.digest
    kinds = {type(decision) for entry in whole.entries for decision in entry.decisions}
    assert {OfferContact, WithdrawOffer, BreachSla, RefuseEvent} <= kinds
    assert any(isinstance(entry.stamped.event, TimeAdvanced) for entry in whole.entries)


def test_units_end_at_so_many_bytes(tmp_path: Path) -> None:
    day = write_day(tmp_path, small_day())
    whole = Run(tmp_path, name="whole.db").over(day).check()
    split = Run(tmp_path).over(day, settings=Settings(unit_bytes=1)).check()
    assert split.digest == whole.digest
    store = EmbeddedStore.read_only(split.path)
    records = [decode_record(stored.body) for stored in store.records()]
    store.close()
    heard = [sum(entry.source is not None for entry in record.entries) for record in records]
    assert max(heard) == 1, "a journal record may not outgrow what a store takes"


@pytest.mark.parametrize("units", [1, 2, 5, 40])
def test_an_interrupted_day_ends_like_an_undisturbed_one(tmp_path: Path, units: int) -> None:
    day = write_day(tmp_path, small_day())
    whole = Run(tmp_path, name="whole.db").over(day)
    run = Run(tmp_path)
    settings = Settings(unit_records=5, snapshot_every=40)
    run.over(day, units_max=units, settings=settings)
    assert 0 < len(run.entries) < len(whole.entries)
    run.over(day, units_max=units, settings=settings).over(day, settings=settings).check()
    assert run.digest == whole.digest


class Crash(Exception):  # noqa: N818 - a process that ends, seen from inside
    """The process ends here."""


class CrashingJournal(EmbeddedJournal):
    """End the process at the n-th append or snapshot, before or after it is durable."""

    def __init__(self, store: EmbeddedStore, point: str, number: int) -> None:
        super().__init__(store)
        self.point = point
        self.left = number

    def _pass(self, point: str) -> None:
        if point == self.point:
            self.left -= 1
            if self.left == 0:
                raise Crash(point)

    async def append(self, unit: CommitUnit) -> None:
        self._pass("before append")
        await super().append(unit)
        self._pass("after append")

    async def save(self, snapshot: StoredSnapshot) -> None:
        self._pass("before snapshot")
        await super().save(snapshot)
        self._pass("after snapshot")


@pytest.mark.parametrize(
    "point", ["before append", "after append", "before snapshot", "after snapshot"]
)
def test_a_crash_at_any_moment_loses_and_doubles_nothing(tmp_path: Path, point: str) -> None:
    day = write_day(tmp_path, small_day(25))
    settings = Settings(unit_records=5, snapshot_every=10)
    whole = Run(tmp_path, name="whole.db").over(day, settings=settings)
    run, crashes = Run(tmp_path), 0
    # Each life of the worker gets a little further before it ends.
    for number in range(1, 100):
        try:
            run.over(day, settings=settings, crash=(point, number))
        except Crash:
            crashes += 1
            continue
        break
    assert crashes >= 2
    assert run.check().digest == whole.digest
    sources = [entry.source for entry in run.entries if entry.source is not None]
    assert len(set(map(str, sources))) == len(sources)


def test_speed_changes_no_byte(tmp_path: Path) -> None:
    day = write_day(tmp_path, small_day(20))
    whole = Run(tmp_path, name="whole.db").over(day)
    paced = Run(tmp_path).over(day, ScaledClock(2_000_000)).check()
    # At a pace deadlines may also fire behind the last line, before the worker stops.
    assert [e.stamped for e in paced.entries][: len(whole.entries)] == [
        e.stamped for e in whole.entries
    ]


def test_every_line_is_answered_once_or_stepped_over(tmp_path: Path) -> None:
    lines = small_day()
    run = Run(tmp_path).over(write_day(tmp_path, lines), settings=Settings(unit_records=7))
    records = [decode_record(body) for body in run.bodies]
    sources = [e.source.offset for r in records for e in r.entries if e.source is not None]
    gaps = [gap.offset for record in records for gap in record.gaps]
    position = records[-1].inputs_up_to["day.ndjson/0"]
    assert sorted(sources + gaps) == list(range(position))
    empty = [n for n, one in enumerate(lines) if not one.strip() or b"clock.reached" in one]
    # The last watermark set the last deadlines free; a place behind the last entry waits.
    assert sorted(gaps) == [n for n in empty if n < position]


def test_the_auditor_finds_nothing_in_a_day(tmp_path: Path) -> None:
    run = Run(tmp_path).over(write_day(tmp_path, small_day()))
    assert [str(found) for found in audit(run.entries)] == []


# --- time -------------------------------------------------------------------------


def test_deadlines_fire_between_records_at_their_own_instants(tmp_path: Path) -> None:
    lines = [line(T0, AgentSignedIn("ben")), arrival(1, T0 + 100), arrival(2, T0 + 60_000)]
    run = Run(tmp_path).over(write_day(tmp_path, lines))
    advanced = [e for e in run.entries if isinstance(e.stamped.event, TimeAdvanced)]
    expiry = CENTER.channels["phone"].offer_timeout_ms
    withdrawn = next(e for e in advanced if any(isinstance(d, WithdrawOffer) for d in e.decisions))
    assert withdrawn.stamped.at_ms == T0 + 100 + expiry
    assert [e.stamped.at_ms for e in run.entries] == sorted(e.stamped.at_ms for e in run.entries)


def test_a_watermark_lets_time_pass_and_leaves_no_entry(tmp_path: Path) -> None:
    lines = [arrival(1, T0), encode_watermark(T0 + 20_000, CENTER.name)]
    before = Run(tmp_path, name="a.db").over(write_day(tmp_path, lines))
    assert not any(isinstance(d, BreachSla) for e in before.entries for d in e.decisions)
    lines[-1] = encode_watermark(T0 + 20_001, CENTER.name)
    after = Run(tmp_path, name="b.db").over(write_day(tmp_path, lines))
    last = after.entries[-1]
    assert isinstance(last.stamped.event, TimeAdvanced)
    assert last.stamped.at_ms == T0 + 20_000
    assert any(isinstance(d, BreachSla) for d in last.decisions)


def test_a_record_that_comes_late_gets_the_last_time(tmp_path: Path) -> None:
    lines = [arrival(1, T0 + 5000), arrival(2, T0 + 1000)]
    run = Run(tmp_path).over(write_day(tmp_path, lines))
    last = run.entries[-1].stamped
    assert (last.at_ms, last.occurred_ms) == (T0 + 5000, T0 + 1000)


def test_one_wild_stamp_does_not_freeze_the_centre(tmp_path: Path) -> None:
    wild = arrival(2, T0 + 400 * 86_400_000)
    mark = encode_watermark(T0 + 400 * 86_400_000, CENTER.name)
    run = Run(tmp_path).over(write_day(tmp_path, [arrival(1, T0), wild, mark, arrival(3, T0 + 9)]))
    refused = [e for e in run.entries if isinstance(e.stamped.event, RecordRefused)]
    assert [r.stamped.event.reason for r in refused] == ["bad_timestamp"] * 2  # type: ignore[union-attr]
    assert run.entries[-1].stamped.at_ms == T0 + 9


def test_the_first_record_that_tells_the_time_starts_the_clock(tmp_path: Path) -> None:
    run = Run(tmp_path).over(write_day(tmp_path, [b"no record", arrival(1, T0 + 7)]))
    assert [type(e.stamped.event) for e in run.entries][:3] == [
        CenterChanged,
        RecordRefused,
        ContactArrived,
    ]
    assert {e.stamped.at_ms for e in run.entries} == {T0 + 7}


def test_on_the_wall_deadlines_fire_while_nobody_speaks(tmp_path: Path) -> None:
    day = write_day(tmp_path, [line(T0 - 2, AgentSignedIn("ben"), 1), arrival(1, T0 - 1)])
    clock = JumpingClock(T0, T0 + 60_000)

    async def run() -> list[Entry]:
        store = EmbeddedStore.own(tmp_path / "store.db")
        journal = EmbeddedJournal(store)
        made = Service(Refold(), CenterChanged(CENTER), store.writer_epoch)
        settings = Settings(stop_at_end=False)
        intake = FileIntake(day)
        worker = Worker(made, journal, journal, clock, intake=intake, settings=settings)
        clock.worker = worker
        await worker.run()
        intake.close()
        bodies = [stored.body for stored in store.records()]
        store.close()
        return [entry for body in bodies for entry in decode_record(body).entries]

    entries = asyncio.run(run())
    assert entries[1].stamped.at_ms == T0, "the wall's time, not the record's"
    fired = [e.stamped.at_ms for e in entries if isinstance(e.stamped.event, TimeAdvanced)]
    assert T0 + CENTER.channels["phone"].offer_timeout_ms in fired
    assert T0 + 20_000 in fired, "the promise to answer within 20 s"


def test_a_step_of_the_hosts_clock_changes_nothing() -> None:
    wall, monotonic = [T0 * 1_000_000], [5_000_000_000]
    clock = WallClock(0, lambda: wall[0], lambda: monotonic[0])
    assert clock.now_ms() == T0
    monotonic[0] += 250_000_000
    wall[0] -= 3_600_000_000_000
    assert clock.now_ms() == T0 + 250
    assert clock.drift_ms() == -3_600_250
    assert clock.wait_s(T0 + 1250) == 1


def test_a_drift_of_the_hosts_clock_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wall = [T0 * 1_000_000]
    clock = WallClock(0, lambda: wall[0], lambda: 0)
    store = EmbeddedStore.own(tmp_path / "store.db")
    journal = EmbeddedJournal(store)
    worker = Worker(Service(Refold(), CenterChanged(CENTER), 1), journal, journal, clock)
    for step_ms in (900, 200, 5000):
        wall[0] += step_ms * 1_000_000
        worker._watch_drift()
    assert worker.health.drift_ms == 6100
    assert [r.getMessage().split(":")[0] for r in caplog.records] == ["clock_drift"]
    store.close()


def test_many_deadlines_at_once_need_not_share_one_unit() -> None:
    made = Service(Refold(), CenterChanged(CENTER), 1)
    made.begin(T0)
    for number in range(30):
        made.hear(Heard(ContactArrived(f"c-{number}", "phone", "invoice")), T0 + number, None)
    made.close_unit()
    units = []
    while not made.tick(T0 + 60_000, entries_max=10):
        unit = made.close_unit()
        assert unit is not None
        units.append(unit)
    assert len(units) > 2
    assert all(len(unit.entries) <= 11 for unit in units)


def test_the_wall_never_goes_below_the_journal() -> None:
    clock = WallClock(T0 + 99, lambda: T0 * 1_000_000, lambda: 0)
    assert clock.now_ms() == T0 + 99
    clock.start(T0 + 500)
    assert clock.now_ms() == T0 + 500


def test_a_scaled_clock_runs_at_its_pace() -> None:
    monotonic = [0]
    clock = ScaledClock(60, lambda: monotonic[0])
    assert (clock.started, clock.now_ms(), clock.wait_s(T0)) == (False, None, None)
    clock.start(T0)
    clock.start(T0 + 999)
    monotonic[0] = 1_000_000_000
    assert clock.now_ms() == T0 + 60_000
    assert clock.wait_s(T0 + 120_000) == 1


# --- the journal's beginning and its versions ---------------------------------------


def test_an_unchanged_configuration_is_not_journaled_again(tmp_path: Path) -> None:
    day = write_day(tmp_path, small_day(5))
    run = Run(tmp_path).over(day)
    digest = run.digest
    assert run.over(day).digest == digest


def test_a_new_version_is_journaled_where_it_came(tmp_path: Path) -> None:
    day = write_day(tmp_path, small_day(5))
    Run(tmp_path).over(day)
    later = replace(CENTER, version=2, attributes=("order",))
    run = Run(tmp_path, later).over(day).check()
    changes = [e for e in run.entries if isinstance(e.stamped.event, CenterChanged)]
    assert [c.stamped.event.center.version for c in changes] == [1, 2]  # type: ignore[union-attr]
    assert isinstance(changes[1].decisions[0], ActivateCenter)
    assert changes[1].stamped.at_ms >= changes[0].stamped.at_ms


def test_a_changed_configuration_needs_a_new_version(tmp_path: Path) -> None:
    day = write_day(tmp_path, small_day(5))
    digest = Run(tmp_path).over(day).digest
    with pytest.raises(CenterMismatchError, match="set `version` to 2 or more"):
        Run(tmp_path, replace(CENTER, attributes=("order",))).over(day)
    with pytest.raises(CenterMismatchError, match="a --store of its own"):
        Run(tmp_path, replace(CENTER, name="other-shop")).over(day)
    assert Run(tmp_path).digest == digest, "nothing was written"


def test_a_queue_in_use_is_not_taken_away(tmp_path: Path) -> None:
    day = write_day(tmp_path, [arrival(1, T0, "invoice")])
    Run(tmp_path).over(day)
    categories = {"order_status": CENTER.categories["order_status"]}
    without = replace(
        CENTER, version=2, queues={"orders": CENTER.queues["orders"]}, categories=categories
    )
    with pytest.raises(CenterMismatchError, match="still_in_use"):
        Run(tmp_path, without).over(day)


def test_another_engine_version_is_journaled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = write_day(tmp_path, small_day(5))
    Run(tmp_path).over(day)
    for module in (service, recovery):
        monkeypatch.setattr(module, "ENGINE_VERSION", "0.2.0")
    run = Run(tmp_path).over(day).check()
    events = [e.stamped.event for e in run.entries]
    assert events[-1] == EngineActivated("0.2.0")
    digest = run.digest
    assert run.over(day).digest == digest, "once"


def test_a_new_allow_list_holds_from_the_very_next_line(tmp_path: Path) -> None:
    def with_order(number: int) -> bytes:
        body = json.loads(arrival(number, T0 + number))
        body["data"]["attributes"] = {"order": "A"}
        return json.dumps(body).encode()

    change = line(T0 + 2, CenterChanged(replace(CENTER, version=2, attributes=("order",))))
    run = Run(tmp_path).over(write_day(tmp_path, [with_order(1), change, with_order(3)]))
    arrived = [e.stamped.event for e in run.entries if isinstance(e.stamped.event, ContactArrived)]
    assert [event.attributes for event in arrived] == [{}, {"order": "A"}]


# --- recovery -----------------------------------------------------------------------


def damaged(snapshot: StoredSnapshot, **changes: object) -> StoredSnapshot:
    fields = {name: getattr(snapshot, name) for name in snapshot.__struct_fields__}
    return StoredSnapshot(**{**fields, **changes})


def recovered(path: Path, caplog: pytest.LogCaptureFixture) -> tuple[Refold, list[str]]:
    store = EmbeddedStore.read_only(path)
    journal = EmbeddedJournal(store)
    caplog.clear()
    state = asyncio.run(recover(journal, journal))
    store.close()
    return state, [record.getMessage() for record in caplog.records]


def test_a_snapshot_leads_to_the_same_state_as_the_whole_journal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    day = write_day(tmp_path, small_day())
    run = Run(tmp_path).over(day, settings=Settings(unit_records=9, snapshot_every=50))
    whole = Refold()
    whole.feed_all(run.bodies)
    state, warnings = recovered(run.path, caplog)
    assert warnings == []
    assert state.records < whole.records, "the snapshot was used"
    for name in ("seq", "prev_hash", "shard", "center", "inputs_up_to", "previous_id"):
        assert getattr(state, name) == getattr(whole, name), name
    assert state.digest.hexdigest() == whole.digest.hexdigest() == run.digest
    assert state.router.snapshot() == whole.router.snapshot()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"body": b"\x00"}, "checksum"),
        ({"body": b""}, "checksum"),
        ({"engine_version": "9"}, "checksum"),
        ({"seq": 3}, "checksum"),
    ],
)
def test_a_damaged_snapshot_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, changes: dict[str, object], why: str
) -> None:
    day = write_day(tmp_path, small_day())
    run = Run(tmp_path).over(day, settings=Settings(unit_records=9, snapshot_every=50))
    store = EmbeddedStore.own(run.path)
    newest = next(store.snapshots())
    store.save_snapshot(damaged(newest, **{"seq": newest.seq, **changes}))
    store.close()
    state, warnings = recovered(run.path, caplog)
    assert state.digest.hexdigest() == run.digest
    if changes.get("seq") is None:
        assert why in warnings[0]


def test_a_snapshot_of_another_version_or_journal_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = write_day(tmp_path, small_day(20))
    run = Run(tmp_path).over(day)
    whole = Refold()
    whole.feed_all(run.bodies)
    monkeypatch.setattr(recovery, "ENGINE_VERSION", "0.0.9")
    other_version = take_snapshot(whole)
    monkeypatch.undo()
    whole.digest.state = "f" * 64
    other_journal = take_snapshot(whole)
    for snapshot, why in ((other_version, "version 0.0.9"), (other_journal, "not that of the")):
        assert snapshot is not None
        store = EmbeddedStore.own(run.path)
        store.save_snapshot(snapshot)
        store.close()
        state, warnings = recovered(run.path, caplog)
        assert why in warnings[0]
        assert state.digest.hexdigest() == run.digest


def rewritten(bodies: list[bytes], seq: int, decisions: tuple[object, ...]) -> list[bytes]:
    """Make a journal that holds together but in which one entry decided differently."""
    writer = JournalWriter(CENTER.name, "0.1.0")
    result = []
    for body in bodies:
        record = decode_record(body)
        entries = [
            msgspec.structs.replace(e, decisions=decisions) if e.stamped.seq == seq else e
            for e in record.entries
        ]
        result.append(writer.record(entries, record.inputs_up_to, record.gaps))
    return result


def test_a_replay_that_diverges_stops(tmp_path: Path) -> None:
    run = Run(tmp_path).over(write_day(tmp_path, small_day()), settings=Settings(unit_records=9))
    victim = next(e for e in run.entries if any(isinstance(d, OfferContact) for d in e.decisions))
    bodies = rewritten(run.bodies, victim.stamped.seq, victim.decisions[:-1])
    with pytest.raises(ReplayDivergedError, match=f"replay_diverged at seq {victim.stamped.seq}"):
        Refold().feed_all(bodies)


def test_a_journal_that_does_not_hold_together_stops(tmp_path: Path) -> None:
    run = Run(tmp_path).over(write_day(tmp_path, small_day()), settings=Settings(unit_records=9))
    bodies = run.bodies
    with pytest.raises(JournalError, match="missing or repeated"):
        Refold().feed_all(bodies[:2] + bodies[3:])
    with pytest.raises(JournalError, match="missing or repeated"):
        Refold().feed_all([*bodies, bodies[-1]])
    with pytest.raises(JournalError, match="chain broken"):
        Refold().feed_all([bodies[0].replace(b'"gaps"', b'"gap_"'), *bodies[1:]])
    with pytest.raises(JournalError, match=r"digest differs|replay_diverged"):
        Refold().feed_all([bodies[0].replace(b'"ben"', b'"eve"', 1), *bodies[1:]])
    with pytest.raises(JournalError, match=r"none of ours|not a journal"):
        Refold().feed_all([b"{}"])


# --- inputs -------------------------------------------------------------------------


def test_another_file_in_place_of_the_first_is_noticed(tmp_path: Path) -> None:
    lines = small_day(10)
    day = write_day(tmp_path, lines)
    run = Run(tmp_path).over(day, units_max=1, settings=Settings(unit_records=8))
    write_day(tmp_path, [arrival(99, T0), *lines[1:]])
    with pytest.raises(StoreError, match="not those that the store has read"):
        run.over(day)
    write_day(tmp_path, lines[:3])
    with pytest.raises(StoreError, match="ends after line 3"):
        run.over(day)
    write_day(tmp_path, [*lines, arrival(100, T0 + 4_000_000)])
    run.over(day)
    assert run.entries[-1].source is not None
    assert run.entries[-1].source.offset == len(lines), "a file may grow"


def test_lines_too_long_are_hashed_and_dropped(tmp_path: Path) -> None:
    for extra in (1, 2, BYTES_MAX, 5 * BYTES_MAX):
        long = b"x" * (BYTES_MAX + extra)
        day = write_day(tmp_path, [arrival(1, T0), long, arrival(2, T0 + 5)])
        run = Run(tmp_path, name=f"{extra}.db").over(day).check()
        refused = [e for e in run.entries if isinstance(e.stamped.event, RecordRefused)]
        expected = RefuseEvent(Reason.TOO_LARGE, hash_body(long))
        assert [r.decisions for r in refused] == [(expected,)], extra
        assert run.entries[-1].source is not None
        assert run.entries[-1].source.offset == 2
        intake = FileIntake(day)
        kept = [r.body for r in intake.receive(10)]
        intake.close()
        # One byte more may still be a line's end; who reads it counts again.
        assert kept[1] is None or len(kept[1]) == BYTES_MAX + 1
        assert None not in (kept[0], kept[2])


def test_a_last_line_without_its_end_is_a_line(tmp_path: Path) -> None:
    day = tmp_path / "day.ndjson"
    day.write_bytes(arrival(1, T0) + b"\r\n" + arrival(2, T0 + 1))
    run = Run(tmp_path).over(day)
    assert [e.source.offset for e in run.entries if e.source] == [0, 1]


def test_a_pipe_is_read_as_its_lines_come(tmp_path: Path) -> None:
    lines = [arrival(1, T0), b"", b"y" * (3 * BYTES_MAX), arrival(2, T0 + 1)]
    day = write_day(tmp_path, lines)
    file = FileIntake(day)
    from_file = [(r.body, r.body_hash) for r in file.receive(10)]
    file.close()

    async def read() -> list[tuple[bytes | None, str]]:
        reading, writing = os.pipe()
        loop, came = asyncio.get_running_loop(), asyncio.Event()
        stream = os.fdopen(reading, "rb")

        def wake() -> None:
            loop.call_soon_threadsafe(came.set)

        intake = StreamIntake(stream, wake, "stdin", 5)
        os.write(writing, lines[0] + b"\n")
        found: list[tuple[bytes | None, str]] = []
        while not found:
            await asyncio.wait_for(came.wait(), 20)
            came.clear()
            found += [(r.body, r.body_hash) for r in intake.receive(10)]
        assert found == from_file[:1], "the first line is there while the pipe is open"

        def rest() -> None:
            with os.fdopen(writing, "wb") as sink:
                sink.write(b"\n".join(lines[1:]))

        await asyncio.to_thread(rest)
        while not intake.ended:
            await asyncio.wait_for(came.wait(), 20)
            came.clear()
            found += [(r.body, r.body_hash) for r in intake.receive(10)]
        stream.close()
        return found

    assert asyncio.run(read()) == from_file


def test_the_service_says_what_is_pending(tmp_path: Path) -> None:
    made = Service(Refold(), CenterChanged(CENTER), 1)
    assert made.fresh
    assert made.close_unit() is None
    made.begin(T0)
    made.hear(Heard(AgentSignedIn("ann")), T0 + 1, None)
    assert (made.pending, made.fresh, made.committed_seq) == (2, False, 0)
    unit = made.close_unit()
    assert unit is not None
    made.committed(unit)
    assert (made.pending, made.committed_seq, unit.seq_from, unit.seq_to) == (0, 2, 1, 2)
    assert list(tmp_path.iterdir()) == [], "the service writes nothing"
