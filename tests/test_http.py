"""HTTP: answers after the journal, one list of refusals, problems that say what to do, guards."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from configs.loader import load_center
from router.events import AgentSignedIn, CenterChanged, ContactArrived, Event, Stamped
from router.journal import decode_record
from router.router import Router
from streams import http
from streams.clock import Clock, RecordedClock, WallClock
from streams.desk import WorkerDesk
from streams.embedded import EmbeddedJournal, EmbeddedStore
from streams.http import BODY_BYTES_MAX, Server, is_loopback
from streams.http_events import BATCH_RECORDS_MAX
from streams.ports import CommitUnit, StoreError
from streams.recovery import Refold, recover
from streams.service import Service
from streams.strict_json import BYTES_MAX
from streams.views import Views
from streams.worker import Settings, Worker
from streams.writing import encode_event, encode_watermark

CENTER = load_center(Path(__file__).parent.parent / "configs" / "tiny").center
T0 = 1_772_438_400_000
EVENT = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
LINES = {"Content-Type": "application/x-ndjson"}


class Caller:
    """Call one server; answers are (status, value)."""

    def __init__(self, session: aiohttp.ClientSession, base: str, worker: Worker) -> None:
        self.session = session
        self.base = base
        self.worker = worker

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        async with self.session.get(self.base + path, headers=headers) as response:
            return response.status, json.loads(await response.read())

    async def post(
        self, body: bytes, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        async with self.session.post(
            f"{self.base}/v1/events", data=io.BytesIO(body), headers=headers or EVENT
        ) as response:
            return response.status, json.loads(await response.read())

    async def stream(self, path: str, count: int, **headers: str) -> list[dict[str, Any]]:
        """Read `count` decisions off the stream; ids and types outside must be those inside."""
        found: list[dict[str, Any]] = []
        fields: dict[str, str] = {}
        async with self.session.get(self.base + path, headers=headers) as response:
            assert response.content_type == "text/event-stream"
            async for raw in response.content:
                name, _, value = raw.decode().rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                    continue
                envelope = json.loads(fields["data"])
                assert (envelope["id"], envelope["type"]) == (fields["id"], fields["event"])
                found.append(envelope)
                if len(found) == count:
                    break
        return found


@asynccontextmanager
async def serving(path: Path, clock: Clock | None = None, token: str = "") -> AsyncIterator[Caller]:
    store = EmbeddedStore.own(path)
    journal = EmbeddedJournal(store)
    service = Service(await recover(journal, journal), CenterChanged(CENTER), store.writer_epoch)
    worker = Worker(
        service, journal, journal, clock or RecordedClock(), settings=Settings(stop_at_end=False)
    )
    views = Views(path)
    running = asyncio.create_task(worker.run())
    server = Server([WorkerDesk(CENTER.name, views, worker)], token, loopback=not token)
    try:
        async with server.listen("127.0.0.1", 0) as (host, port):
            timeout = aiohttp.ClientTimeout(total=20)
            async with aiohttp.ClientSession(timeout=timeout) as session:
                yield Caller(session, f"http://{host}:{port}", worker)
            worker.stop()
            await running
    finally:
        running.cancel()
        await views.close()
        store.close()


def run(
    path: Path,
    play: Callable[[Caller], Awaitable[None]],
    clock: Clock | None = None,
    token: str = "",
) -> None:
    async def whole() -> None:
        async with serving(path, clock, token) as caller:
            await play(caller)

    asyncio.run(whole())


def event(number: int, at_ms: int, what: Event) -> bytes:
    body = encode_event(Stamped(number, at_ms, what), CENTER.name)
    assert body is not None
    return body


def arrival(number: int, at_ms: int = T0) -> bytes:
    return event(number, at_ms, ContactArrived(f"c-{number}", "phone", "order_status"))


def batch(*records: bytes) -> bytes:
    return b"[" + b",".join(records) + b"]"


def entries_in(path: Path) -> int:
    store = EmbeddedStore.read_only(path)
    try:
        return store.seq_end()
    finally:
        store.close()


def test_an_event_is_durable_when_it_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    async def play(caller: Caller) -> None:
        status, answer = await caller.post(arrival(1))
        assert status == 200
        assert answer["accepted"] == 1
        assert answer["refused"] == []
        assert entries_in(path) == answer["seq"] == 2
        assert answer["at_ms"] == T0
        assert answer["last_id"] == "corner-shop/2/1"

    run(path, play)


def test_one_list_tells_what_became_of_each(tmp_path: Path) -> None:
    unreadable = arrival(3).replace(b'"contact_id":"c-3"', b'"contact_id":7')
    unknown = event(4, T0, AgentSignedIn("nobody"))

    async def play(caller: Caller) -> None:
        body = batch(arrival(1), arrival(1), unreadable, unknown, arrival(5))
        status, answer = await caller.post(body, BATCH)
        assert status == 200
        assert (answer["accepted"], answer["duplicates"]) == (2, 1)
        first, second = answer["refused"]
        assert (first["index"], first["reason"]) == (2, "bad_schema")
        assert "contact_id" in first["detail"]
        assert (second["index"], second["reason"]) == (3, "unknown_agent")

    run(tmp_path / "store.db", play)


def test_every_item_has_its_place_in_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    async def play(caller: Caller) -> None:
        await caller.post(batch(arrival(1), b"7", arrival(2)), BATCH)
        await caller.post(arrival(3) + b"\n\nno record\n" + arrival(4), LINES)

    run(path, play)
    run(path, lambda caller: caller.post(arrival(5)))  # type: ignore[arg-type,return-value]
    store = EmbeddedStore.read_only(path)
    entries = [e for r in store.records() for e in decode_record(r.body).entries]
    store.close()
    offsets = [e.source.offset for e in entries if e.source is not None]
    assert offsets == list(range(7))


def test_what_the_events_led_to_comes_back_if_asked_for(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        records = [event(9, T0, AgentSignedIn("ben")), arrival(1), arrival(2)]
        body = batch(*records, encode_watermark(T0 + 60_000, CENTER.name))
        headers = {**BATCH, "Prefer": "return=representation"}
        status, answer = await caller.post(body, headers)
        assert (status, answer["accepted"]) == (200, 4)
        assert answer["at_ms"] > T0, "deadlines before the watermark fired"
        kinds = [decision["type"].removeprefix("switchroom.") for decision in answer["decisions"]]
        assert {"center.activated", "contact.offered", "offer.withdrawn", "sla.breached"} <= set(
            kinds
        )
        assert answer["decisions"][-1]["id"] == answer["last_id"]
        streamed = await caller.stream("/v1/stream?after=0", len(kinds))
        assert streamed == answer["decisions"], "exactly as the stream sends them"

    run(tmp_path / "store.db", play)


def test_binary_mode(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        record = json.loads(arrival(1))
        headers = {f"ce-{name}": value for name, value in record.items() if name != "data"}
        headers["Content-Type"] = "application/json"
        status, answer = await caller.post(json.dumps(record["data"]).encode(), headers)
        assert (status, answer["accepted"]) == (200, 1)

    run(tmp_path / "store.db", play)


def test_the_stream_goes_on_where_a_reader_stopped(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        await caller.post(batch(*(arrival(n, T0 + n) for n in range(1, 6))), BATCH)
        every = await caller.stream("/v1/stream", 11)
        assert [d.get("previd") for d in every[1:]] == [d["id"] for d in every[:-1]]
        for place, decision in enumerate(every[:-1]):
            headers = {"Last-Event-ID": decision["id"]}
            rest = await caller.stream("/v1/stream", len(every) - place - 1, **headers)
            assert rest == every[place + 1 :]
        whole = await caller.stream("/v1/stream?after=3", 6)
        assert whole == every[5:], "all of seq 3 was seen"

    run(tmp_path / "store.db", play)


def test_the_stream_brings_what_happens_while_one_listens(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        await caller.post(arrival(1))
        reading = asyncio.create_task(caller.stream("/v1/stream?after=2", 2))
        for number in range(2, 30):
            await caller.post(arrival(number, T0 + number))
        found = await reading
        assert [d["id"] for d in found] == ["corner-shop/3/0", "corner-shop/3/1"]

    run(tmp_path / "store.db", play)


def test_state_comes_from_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    async def first(caller: Caller) -> None:
        await caller.post(batch(event(9, T0, AgentSignedIn("ben")), arrival(1), arrival(2)), BATCH)

    async def second(caller: Caller) -> None:
        _, queues = await caller.get("/v1/queues")
        rows = {row["queue"]: row for row in queues["queues"]}
        assert (rows["orders"]["waiting"], rows["billing"]["waiting"]) == (2, 0)
        _, agents = await caller.get("/v1/agents")
        states = {row["agent_id"]: row["state"] for row in agents["agents"]}
        assert (states["ben"], states["ann"]) == ("offered", "signed_out")
        _, measures = await caller.get("/v1/measures")
        assert measures["seq"] == queues["seq"]
        assert {row["queue"] for row in measures["queues"]} >= {"orders", "billing"}
        status, contact = await caller.get("/v1/contacts/c-1")
        assert status == 200
        assert "ben" in contact["explanation"]
        status, problem = await caller.get("/v1/contacts/c-77")
        assert (status, problem["title"]) == (404, "Unknown contact")
        assert (await caller.get("/v1/contacts/c%20%22"))[0] == 400

    run(path, first)
    run(path, second)


def test_the_whole_state_can_be_had_and_restored(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        await caller.post(batch(event(9, T0, AgentSignedIn("ben")), arrival(1), arrival(2)), BATCH)
        async with caller.session.get(f"{caller.base}/v1/snapshot") as response:
            assert response.content_type == "application/octet-stream"
            body = await response.read()
        router = caller.worker.service.router
        assert Router.restore(body).snapshot() == router.snapshot()
        assert router.seq == caller.worker.service.committed_seq

    async def stranger(caller: Caller) -> None:
        assert (await caller.get("/v1/snapshot"))[0] == 401

    run(tmp_path / "store.db", play)
    run(tmp_path / "store.db", stranger, token="secret")  # noqa: S106 - of a test


def test_health(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        await caller.post(arrival(1))
        for path in ("/livez", "/healthz", "/-/healthy"):
            status, health = await caller.get(path)
            assert (status, health["status"], health["seq"]) == (200, "ok", 2)
        for path in ("/readyz", "/-/ready"):
            assert (await caller.get(path))[0] == 200
        caller.worker.health.ready = False
        for path in ("/readyz", "/-/ready"):
            assert (await caller.get(path))[0] == 503
        assert (await caller.post(arrival(2)))[0] == 503
        caller.worker.health.ready = True

    run(tmp_path / "store.db", play)


def test_problems_say_what_to_do(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        await caller.post(arrival(1))
        cases: list[tuple[bytes, dict[str, str], int]] = [
            (b"[1,", BATCH, 400),
            (arrival(2), {"Content-Type": "text/plain"}, 415),
            (b"x" * (BODY_BYTES_MAX + 1), LINES, 413),
            (b"7\n" * (BATCH_RECORDS_MAX + 1), LINES, 413),
        ]
        for body, headers, expected in cases:
            status, problem = await caller.post(body, headers)
            assert (status, problem["status"]) == (expected, expected)
            assert problem["title"]
            assert problem["detail"]
        for path, expected in (("/nowhere", 404), ("/v1/events", 405), ("/v1/stream?after=x", 400)):
            status, problem = await caller.get(path)
            assert (status, problem["status"]) == (expected, expected)
        async with caller.session.get(f"{caller.base}/nowhere") as response:
            assert response.content_type == "application/problem+json"

    run(tmp_path / "store.db", play)


def test_a_record_too_large_is_refused_and_not_parsed(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        large = arrival(1) + b" " * BYTES_MAX
        status, answer = await caller.post(arrival(2) + b"\n" + large, LINES)
        assert (status, answer["accepted"]) == (200, 1)
        assert [refused["reason"] for refused in answer["refused"]] == ["too_large"]

    run(tmp_path / "store.db", play)


def test_recorded_time_needs_a_first_word(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        record = json.loads(arrival(1))
        del record["time"]
        status, problem = await caller.post(json.dumps(record).encode())
        assert (status, problem["title"]) == (409, "No time yet")
        assert (await caller.post(encode_watermark(T0, CENTER.name)))[0] == 200
        status, answer = await caller.post(json.dumps(record).encode())
        assert (status, answer["accepted"], answer["at_ms"]) == (200, 1, T0)

    run(tmp_path / "store.db", play)


def test_on_the_wall_the_wall_stamps(tmp_path: Path) -> None:
    clock = WallClock(0, lambda: T0 * 1_000_000, lambda: 0)

    async def play(caller: Caller) -> None:
        status, answer = await caller.post(arrival(1, T0 - 5000))
        assert (status, answer["at_ms"]) == (200, T0)

    run(tmp_path / "store.db", play, clock)


def test_many_posts_share_commits_and_each_is_answered(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        answers = await asyncio.gather(*(caller.post(arrival(n)) for n in range(1, 61)))
        assert all(answer["accepted"] == 1 for _, answer in answers)
        assert sorted(answer["seq"] for _, answer in answers) == list(range(2, 62))
        assert caller.worker.health.committed_units <= 61

    run(tmp_path / "store.db", play)


def test_a_token_guards_all_but_health(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        assert (await caller.post(arrival(1)))[0] == 401
        for path in ("/v1/queues", "/v1/stream", "/v1/contacts/c-1", "/nowhere"):
            assert (await caller.get(path))[0] == 401
        assert (await caller.get("/v1/queues", Authorization="Bearer secreT"))[0] == 401
        assert (await caller.get("/v1/queues", Authorization="Basic secret"))[0] == 401
        assert (await caller.get("/v1/queues", Authorization="Bearer secret"))[0] == 200
        assert (await caller.get("/readyz"))[0] == 200
        status, answer = await caller.post(arrival(1), {**EVENT, "Authorization": "Bearer secret"})
        assert (status, answer["accepted"]) == (200, 1)

    run(tmp_path / "store.db", play, token="secret")  # noqa: S106 - of a test


def test_a_page_of_another_site_gets_nowhere(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        status, problem = await caller.get("/v1/queues", Host="evil.example")
        assert (status, problem["title"]) == (421, "Misdirected request")
        for host in ("localhost:1", "127.0.0.1", "[::1]:80"):
            assert (await caller.get("/v1/queues", Host=host))[0] == 200
        # What a form can send without a preflight is not taken.
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            assert (await caller.post(arrival(1), {"Content-Type": kind}))[0] == 415

    run(tmp_path / "store.db", play)


def test_who_never_says_what_he_wants_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "HEAD_TIMEOUT_S", 0.05)

    async def play(caller: Caller) -> None:
        port = int(caller.base.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /v1/events HTTP/1.1\r\nHost: loc")
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        assert (await caller.get("/healthz"))[0] == 200
        reading = asyncio.create_task(caller.stream("/v1/stream", 1))
        while not reading.done():
            await caller.post(arrival(1))
        assert await reading, "who has asked is waited for"

    run(tmp_path / "store.db", play)


def test_a_body_that_never_ends_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "READ_TIMEOUT_S", 0.05)

    async def play(caller: Caller) -> None:
        port = int(caller.base.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
            b"Content-Type: application/json\r\n\r\n{"
        )
        assert b" 408 " in await asyncio.wait_for(reader.readline(), 10)
        writer.close()
        await writer.wait_closed()

    run(tmp_path / "store.db", play)


def test_operators_events_need_the_operators_token(tmp_path: Path) -> None:
    switch = json.loads(arrival(1))
    switch |= {"type": "switchroom.overload.switched", "data": {"active": True}}
    body = json.dumps(switch).encode()

    async def without(caller: Caller) -> None:
        _, answer = await caller.post(body)
        assert [refused["reason"] for refused in answer["refused"]] == ["unknown_type"]

    async def with_token(caller: Caller) -> None:
        _, answer = await caller.post(body, {**EVENT, "Authorization": "Bearer secret"})
        assert answer["accepted"] == 1

    run(tmp_path / "a.db", without)
    run(tmp_path / "b.db", with_token, token="secret")  # noqa: S106 - of a test


def test_who_waits_while_the_worker_stops_is_told(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        await caller.post(arrival(1))
        caller.worker.stop()
        status, _ = await caller.post(arrival(2))
        assert status in {200, 503}, "durable, or told to send it again; never left hanging"

    run(tmp_path / "store.db", play)


def test_questions_before_anything_happened(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        assert (await caller.get("/v1/queues"))[1]["seq"] == 0
        assert (await caller.get("/v1/agents"))[1]["agents"] == []
        assert (await caller.get("/v1/measures"))[0] == 200
        assert (await caller.get("/v1/contacts/c-1"))[0] == 404
        assert (await caller.get("/healthz"))[1]["seq"] == 0

    run(tmp_path / "store.db", play)


class FullDisk(EmbeddedJournal):
    """A journal whose disk is full from some moment on."""

    full = False

    async def append(self, unit: CommitUnit) -> None:
        if self.full:
            raise StoreError("store.db: disk full")
        await super().append(unit)


def test_what_could_not_be_journaled_is_not_answered_as_done(tmp_path: Path) -> None:
    async def whole() -> None:
        store = EmbeddedStore.own(tmp_path / "store.db")
        journal = FullDisk(store)
        service = Service(Refold(), CenterChanged(CENTER), store.writer_epoch)
        worker = Worker(
            service, journal, journal, RecordedClock(), settings=Settings(stop_at_end=False)
        )
        views = Views(tmp_path / "store.db")
        running = asyncio.create_task(worker.run())
        server = Server([WorkerDesk(CENTER.name, views, worker)], loopback=True)
        async with server.listen("127.0.0.1", 0) as (host, port):
            timeout = aiohttp.ClientTimeout(total=20)
            async with aiohttp.ClientSession(timeout=timeout) as session:
                caller = Caller(session, f"http://{host}:{port}", worker)
                assert (await caller.post(arrival(1)))[0] == 200
                journal.full = True
                status, problem = await caller.post(arrival(2))
                assert (status, problem["title"]) == (503, "Stopped")
                assert (await caller.get("/readyz"))[0] == 503
                assert (await caller.post(arrival(3)))[0] == 503
        with pytest.raises(StoreError, match="disk full"):
            await running
        assert service.committed_seq == store.seq_end() == 2
        await views.close()
        store.close()

    asyncio.run(whole())


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - the address to refuse
        ("10.0.0.1", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_which_addresses_others_cannot_reach(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected
