"""Speak HTTP: events in, decisions and state out; nothing is changed but through the journal.

`POST /v1/events` answers when the events are durable. Errors are problem details (RFC 9457).
The server binds the loopback address unless told otherwise, and beyond it wants a token on
every path but the health checks. Browsers cannot be turned against it: the content types it
takes need a preflight, which it never grants, and on the loopback it answers to loopback
names only.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_address
from typing import Any, Final
from weakref import WeakSet

from aiohttp import web

from router.decisions import Reason
from router.events import RecordRefused
from streams import ENGINE_VERSION
from streams.board import PAGE_FILES
from streams.board_http import BoardPages
from streams.codec import (
    BatchError,
    ClockReached,
    Item,
    hash_body,
    refuse,
    split_batch,
)
from streams.service import is_duplicate, refusal_of
from streams.strict_json import BYTES_MAX
from streams.views import Views
from streams.worker import Outcome, Worker
from streams.writing import DecisionWriter

BODY_BYTES_MAX: Final = 4 * 1024 * 1024
WAITING_BYTES_MAX: Final = 16 * 1024 * 1024
BATCH_RECORDS_MAX: Final = 10_000
CONNECTIONS_MAX: Final = 64
STREAMS_MAX: Final = 16
HEAD_TIMEOUT_S: Final = 10.0
READ_TIMEOUT_S: Final = 5.0
WRITE_TIMEOUT_S: Final = 30.0
HEARTBEAT_S: Final = 15.0
RETURN_ALL: Final = "return=representation"

_HEALTH_PATHS: Final = frozenset({"/livez", "/healthz", "/readyz", "/-/healthy", "/-/ready"})
_NDJSON: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
_CONTACT_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_PLACE: Final = re.compile(r"([0-9]{1,15})|.+/([0-9]{1,15})/([0-9]{1,9})")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """An answer that is an error: status, title, what to do."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine only."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Server:
    """Answer for one worker."""

    def __init__(self, worker: Worker, views: Views, token: str = "", *, loopback: bool) -> None:
        assert loopback or token, "beyond the loopback address a token is needed"
        self._worker = worker
        self._views = views
        self._token = token
        self._loopback = loopback
        self._waiting_bytes = 0
        self._streams: set[asyncio.Task[Any]] = set()
        self._connections: Callable[[], int] = lambda: 0
        self._heard: WeakSet[asyncio.Transport] = WeakSet()

    def application(self) -> web.Application:
        """Make the application: its routes and its guards."""
        app = web.Application(
            middlewares=[self._tell_problems, self._guard], client_max_size=BODY_BYTES_MAX
        )
        for path in sorted(_HEALTH_PATHS):
            app.router.add_get(path, self._ready if "ready" in path else self._health)
        app.router.add_post("/v1/events", self._events)
        app.router.add_get("/v1/stream", self._stream)
        app.router.add_get("/v1/queues", self._queues)
        app.router.add_get("/v1/agents", self._agents)
        app.router.add_get("/v1/measures", self._measures)
        app.router.add_get("/v1/contacts/{contact_id}", self._contact)
        BoardPages(self._worker, self._views).add_routes(app)
        app.on_shutdown.append(self._end_streams)
        return app

    @asynccontextmanager
    async def listen(self, host: str, port: int) -> AsyncIterator[tuple[str, int]]:
        """Serve until the context ends; yields the address, with the port the system chose."""
        runner = web.AppRunner(
            self.application(), access_log=None, keepalive_timeout=15, shutdown_timeout=2
        )
        await runner.setup()
        try:
            assert runner.server is not None, "set up above"
            handlers = runner.server
            self._connections = lambda: len(handlers.connections)
            loop = asyncio.get_running_loop()
            listener = await loop.create_server(
                lambda: self._watched(handlers()), host, port, backlog=CONNECTIONS_MAX
            )
            try:
                address = listener.sockets[0].getsockname()
                yield str(address[0]), int(address[1])
            finally:
                listener.close()
        finally:
            await runner.cleanup()

    def _watched(self, protocol: web.RequestHandler) -> web.RequestHandler:
        """Give a new connection `HEAD_TIMEOUT_S` to say what it wants (slow-loris)."""

        def look() -> None:
            transport = protocol.transport
            if transport is not None and transport not in self._heard:
                transport.abort()

        asyncio.get_running_loop().call_later(HEAD_TIMEOUT_S, look)
        return protocol

    # --- guards -------------------------------------------------------------------

    @web.middleware
    async def _tell_problems(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Problem as problem:
            return _problem(problem.status, problem.title, problem.detail)
        except web.HTTPException as error:
            if error.status < web.HTTPBadRequest.status_code:
                raise
            response = _problem(error.status, error.reason, _ADVICE.get(error.status, ""))
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
            return response

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.transport is not None:
            self._heard.add(request.transport)
        if self._connections() > CONNECTIONS_MAX:
            raise Problem(503, "Too many connections", f"at most {CONNECTIONS_MAX}; close some")
        if request.path in _HEALTH_PATHS:
            return await handler(request)
        if self._loopback and not is_loopback(_host_of(request.host)):
            raise Problem(421, "Misdirected request", "this server answers to loopback names only")
        if request.path in PAGE_FILES:  # the page tells nothing; what it shows it asks for
            return await handler(request)
        if self._token:
            scheme, _, given = request.headers.get("Authorization", "").partition(" ")
            same = hmac.compare_digest(given.strip().encode(), self._token.encode())
            if scheme.lower() != "bearer" or not same:
                raise Problem(401, "Unauthorized", "send `Authorization: Bearer <token>`")
        return await handler(request)

    # --- events in ----------------------------------------------------------------

    async def _events(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                body = await request.read()
        except TimeoutError:
            raise Problem(408, "Request timeout", f"send it within {READ_TIMEOUT_S:g} s") from None
        if self._waiting_bytes + len(body) > WAITING_BYTES_MAX:
            raise Problem(503, "Busy", "too much waits to be journaled; send it again later")
        if not self._worker.health.ready:
            raise Problem(503, "Not ready", "the worker is starting or stopping; send it again")
        items = self._read(request, body)
        if not self._worker.can_stamp and not any(_tells_time(item) for item, _ in items):
            raise Problem(
                409,
                "No time yet",
                "the worker follows recorded time and nothing has told it yet: "
                "send an event with `time`, or `switchroom.clock.reached`, first",
            )
        self._waiting_bytes += len(body)
        try:
            outcome = await self._worker.post(items)
        except asyncio.CancelledError:
            if self._worker.health.ready:
                raise
            raise Problem(
                503, "Stopped", "the worker stopped before the answer; send it again: repeats are "
                "recognised by source and id"
            ) from None  # fmt: skip
        finally:
            self._waiting_bytes -= len(body)
        summary = _summarize(outcome)
        if _wants_decisions(request):
            summary["decisions"] = self._decisions_of(outcome)
            return web.json_response(summary, headers={"Preference-Applied": RETURN_ALL})
        return web.json_response(summary)

    def _read(self, request: web.Request, body: bytes) -> list[tuple[Item, str]]:
        """Read a body by its content type; raises `Problem` if it cannot be taken apart."""
        codec, operator = self._worker.service.codec, bool(self._token)
        kind = request.content_type
        if any(name.lower().startswith("ce-") for name in request.headers):
            item = codec.decode_binary(request.headers, body, operator=operator)
            return [(item, hash_body(body))]
        if kind in _NDJSON:
            bodies = [line for line in body.splitlines() if line.strip()]
        elif kind == "application/cloudevents-batch+json" or (
            kind == "application/json" and body.lstrip()[:1] == b"["
        ):
            try:
                bodies = split_batch(body)
            except BatchError as error:
                raise Problem(400, "Unreadable batch", error.detail) from None
        elif kind in {"application/cloudevents+json", "application/json"}:
            bodies = [body]
        else:
            raise Problem(
                415,
                "Unsupported content type",
                "send application/cloudevents+json, application/cloudevents-batch+json or "
                "application/x-ndjson, or binary mode with ce- headers",
            )
        if len(bodies) > BATCH_RECORDS_MAX:
            raise Problem(413, "Batch too large", f"at most {BATCH_RECORDS_MAX} records a request")
        return [(self._decode(one, operator=operator), hash_body(one)) for one in bodies]

    def _decode(self, body: bytes, *, operator: bool) -> Item:
        if len(body) > BYTES_MAX:
            detail = f"more than {BYTES_MAX} bytes"
            return refuse(Reason.TOO_LARGE, detail, hash_body(body))
        return self._worker.service.codec.decode(body, operator=operator)

    def _decisions_of(self, outcome: Outcome) -> list[dict[str, Any]]:
        shard = self._worker.service.state.shard
        writer = DecisionWriter(shard, outcome.previous_id, outcome.center_version)
        return [
            envelope
            for entry in outcome.entries
            for envelope in writer.envelopes(entry, ENGINE_VERSION)
        ]

    # --- decisions and state out --------------------------------------------------

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        after = _place_of(request.headers.get("Last-Event-ID") or request.query.get("after", "0"))
        if len(self._streams) >= STREAMS_MAX:
            raise Problem(503, "Too many streams", f"at most {STREAMS_MAX} at a time")
        task = asyncio.current_task()
        assert task is not None, "a handler runs in a task"
        self._streams.add(task)
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        try:
            await response.prepare(request)
            await self._send_decisions(response, after)
        except (asyncio.CancelledError, ConnectionError, TimeoutError):
            if request.transport is not None and not request.transport.is_closing():
                request.transport.close()
        finally:
            self._streams.discard(task)
        return response

    async def _send_decisions(self, response: web.StreamResponse, after: tuple[int, int]) -> None:
        worker = self._worker
        while True:
            seen = worker.service.committed_seq
            found, after = await self._views.ask(partial(self._views.decisions, after))
            block = b"".join(
                b"id: %b\nevent: %b\ndata: %b\n\n" % (d.event_id.encode(), d.type.encode(), d.body)
                for d in found
            )
            if not found:
                async with worker.committed:
                    try:
                        async with asyncio.timeout(HEARTBEAT_S):
                            while worker.service.committed_seq == seen:
                                await worker.committed.wait()
                        continue
                    except TimeoutError:
                        block = b": still here\n\n"
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                await response.write(block)

    async def _end_streams(self, _: web.Application) -> None:
        for task in tuple(self._streams):
            task.cancel()

    async def _queues(self, _: web.Request) -> web.Response:
        now_ms = self._worker.clock.now_ms()
        return web.json_response(await self._views.ask(lambda: self._views.queues(now_ms)))

    async def _agents(self, _: web.Request) -> web.Response:
        now_ms = self._worker.clock.now_ms()
        return web.json_response(await self._views.ask(lambda: self._views.agents(now_ms)))

    async def _measures(self, _: web.Request) -> web.Response:
        now_ms = self._worker.clock.now_ms()
        return web.json_response(await self._views.ask(lambda: self._views.measures(now_ms)))

    async def _contact(self, request: web.Request) -> web.Response:
        contact_id = request.match_info["contact_id"]
        if not _CONTACT_ID.fullmatch(contact_id):
            raise Problem(400, "No contact id", "1 to 64 letters, digits and . _ : -")
        story = await self._views.ask(lambda: self._views.contact(contact_id))
        if story is None:
            raise Problem(404, "Unknown contact", "no entry of the journal names it")
        return web.json_response({"contact_id": contact_id, "explanation": story})

    async def _health(self, _: web.Request) -> web.Response:
        health, service = self._worker.health, self._worker.service
        return web.json_response(
            {
                "status": "ok" if health.ready else "starting",
                "seq": service.committed_seq,
                "at_ms": service.router.now_ms,
                "writer_epoch": service.writer_epoch,
                "commit_units": health.committed_units,
                "late_records": health.late_records,
                "clock_drift_ms": health.drift_ms,
                "edge_counts": dict(service.codec.counts),
            }
        )

    async def _ready(self, _: web.Request) -> web.Response:
        if not self._worker.health.ready:
            raise Problem(503, "Not ready", "the worker is starting or stopping")
        return web.json_response({"status": "ready"})


_ADVICE: Final = {
    404: "see /v1/queues, /v1/agents, /v1/contacts/{id}, /v1/stream, /healthz; POST /v1/events",
    405: "see the Allow header",
    413: f"at most {BODY_BYTES_MAX} bytes a request; send several",
}


def _wants_decisions(request: web.Request) -> bool:
    """Tell whether the client asked for what its events led to (RFC 7240)."""
    preferences = ",".join(request.headers.getall("Prefer", [])).split(",")
    return RETURN_ALL in (preference.partition(";")[0].strip() for preference in preferences)


def _summarize(outcome: Outcome) -> dict[str, Any]:
    """Say what became of each item: the codec's and the core's refusals in one list."""
    refused = []
    duplicates = accepted = 0
    for index, answer in enumerate(outcome.answers):
        refusal = None if answer.entry is None else refusal_of(answer.entry)
        if answer.entry is not None and refusal is not None:
            event = answer.entry.stamped.event
            told = {"detail": event.detail} if isinstance(event, RecordRefused) else {}
            place = {"index": index, "seq": answer.entry.stamped.seq}
            refused.append({**place, "reason": refusal.reason.value, **told})
        elif answer.entry is not None and is_duplicate(answer.entry):
            duplicates += 1
        else:
            accepted += 1
    return {
        "accepted": accepted,
        "duplicates": duplicates,
        "refused": refused,
        "seq": outcome.seq,
        "at_ms": outcome.at_ms,
        "last_id": outcome.last_id,
    }


def _problem(status: int, title: str, detail: str) -> web.Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    headers = {"Retry-After": "1"} if status == web.HTTPServiceUnavailable.status_code else None
    return web.Response(
        status=status,
        text=json.dumps(body),
        content_type="application/problem+json",
        headers=headers,
    )


def _host_of(host: str) -> str:
    """Return the name in a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _place_of(text: str) -> tuple[int, int]:
    """Read a place in the stream: a seq (all of it was seen) or the id of the last decision."""
    match = _PLACE.fullmatch(text)
    if match is None:
        raise Problem(400, "No place in the stream", "give a seq or the id of a decision")
    whole, seq, index = match.groups()
    return (int(whole), 2**31) if whole is not None else (int(seq), int(index))


def _tells_time(item: Item) -> bool:
    return bool(item.at_ms if isinstance(item, ClockReached) else item.occurred_ms)
