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
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_address
from typing import Any, Final
from weakref import WeakSet

from aiohttp import web

from router.journal import JournalError
from router.measures_text import OPENMETRICS_TYPE, TEXT_TYPE, wants_openmetrics
from streams.board import PAGE_FILES
from streams.board_http import BoardPages
from streams.desk import HEARTBEAT_S, Desk, Problem
from streams.http_events import (
    RESPOND_ASYNC,
    RETURN_ALL,
    preferences_of,
    split_posts,
    summarize,
)
from streams.metrics_page import MetricsPage
from streams.ports import StoreError
from streams.reload import Handover, Reloader

BODY_BYTES_MAX: Final = 4 * 1024 * 1024
WAITING_BYTES_MAX: Final = 16 * 1024 * 1024
CONNECTIONS_MAX: Final = 64
STREAMS_MAX: Final = 16
HEAD_TIMEOUT_S: Final = 10.0
READ_TIMEOUT_S: Final = 5.0
WRITE_TIMEOUT_S: Final = 30.0
BEHIND_MAX: Final = 10_000
"""A worker with more records than this before it is not ready."""

_HEALTH_PATHS: Final = frozenset({"/livez", "/healthz", "/readyz", "/-/healthy", "/-/ready"})
_CONTACT_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_PLACE: Final = re.compile(r"([0-9]{1,15})|.+/([0-9]{1,15})/([0-9]{1,9})")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine only."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Server:
    """Answer for the centres of one process.

    With one centre no path names it; with several `?center=NAME` does. `lifecycle`: a path
    brings in new configurations.
    """

    def __init__(
        self,
        desks: Sequence[Desk],
        token: str = "",
        *,
        loopback: bool,
        reloader: Reloader | None = None,
        lifecycle: bool = False,
        page: MetricsPage | None = None,
    ) -> None:
        assert loopback or token, "beyond the loopback address a token is needed"
        self._desks = {desk.name: desk for desk in desks}
        self._reloader = reloader
        self._lifecycle = lifecycle
        self._page = MetricsPage(desks) if page is None else page
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
        app.router.add_post("/-/reload", self._reload)
        app.router.add_get("/v1/centers", self._centers)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_post("/v1/events", self._events)
        app.router.add_get("/v1/stream", self._stream)
        app.router.add_get("/v1/queues", self._queues)
        app.router.add_get("/v1/agents", self._agents)
        app.router.add_get("/v1/measures", self._measures)
        app.router.add_get("/v1/snapshot", self._snapshot)
        app.router.add_get("/v1/contacts/{contact_id}", self._contact)
        BoardPages(self._desk).add_routes(app)
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
        except (StoreError, JournalError) as error:
            return _problem(503, "Not ready", str(error))
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
        # Who scrapes may be without a token; then he sees numbers and no ids.
        if request.path != "/metrics" and not self._knows(request):
            raise Problem(401, "Unauthorized", "send `Authorization: Bearer <token>`")
        return await handler(request)

    def _knows(self, request: web.Request) -> bool:
        """Tell whether a request may see ids: it brings the token, or there is none."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode(), self._token.encode())
        return not self._token or (scheme.lower() == "bearer" and same)

    def _desk(self, request: web.Request) -> Desk:
        """Return the centre that a request is about."""
        name = request.query.get("center", "")
        if not name and len(self._desks) == 1:
            return next(iter(self._desks.values()))
        if name not in self._desks:
            known = ", ".join(self._desks)
            raise Problem(404 if name else 400, "Which centre?", f"say ?center=NAME, of: {known}")
        return self._desks[name]

    # --- events in ----------------------------------------------------------------

    async def _events(self, request: web.Request) -> web.Response:
        desk = self._desk(request)
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                body = await request.read()
        except TimeoutError:
            raise Problem(408, "Request timeout", f"send it within {READ_TIMEOUT_S:g} s") from None
        if self._waiting_bytes + len(body) > WAITING_BYTES_MAX:
            raise Problem(503, "Busy", "too much waits to be journaled; send it again later")
        records = split_posts(request, body)
        preferences = preferences_of(request)
        self._waiting_bytes += len(body)
        try:
            receipt = await desk.take(
                records, operator=bool(self._token), wait=RESPOND_ASYNC not in preferences
            )
        finally:
            self._waiting_bytes -= len(body)
        if receipt.undecided:
            places = list(receipt.undecided)
            return web.json_response({"taken": len(places), "places": places}, status=202)
        summary = summarize(receipt)
        if RETURN_ALL in preferences:
            summary["decisions"] = receipt.decisions()
            return web.json_response(summary, headers={"Preference-Applied": RETURN_ALL})
        return web.json_response(summary)

    async def _reload(self, request: web.Request) -> web.Response:
        if self._reloader is None or not self._lifecycle:
            raise Problem(403, "Not enabled", "start the worker with --enable-lifecycle")
        if "Origin" in request.headers:
            raise Problem(403, "Forbidden", "no page of a browser may ask for this")
        report = await self._reloader.reload(_handover_of(request))
        if not report.successful:
            raise Problem(422, "Not reloaded; the old configuration stays", report.told)
        return web.json_response({"centers": report.centers})

    # --- decisions and state out --------------------------------------------------

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        desk = self._desk(request)
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
            await self._send_decisions(desk, response, after)
        except (asyncio.CancelledError, ConnectionError, TimeoutError, Problem, StoreError):
            if request.transport is not None and not request.transport.is_closing():
                request.transport.close()
        finally:
            self._streams.discard(task)
        return response

    async def _send_decisions(
        self, desk: Desk, response: web.StreamResponse, after: tuple[int, int]
    ) -> None:
        views = desk.views
        while True:
            found, after = await views.ask(partial(views.decisions, after))
            block = b"".join(
                b"id: %b\nevent: %b\ndata: %b\n\n" % (d.event_id.encode(), d.type.encode(), d.body)
                for d in found
            )
            if not found:
                # What was reached holds no more; only what comes behind it is worth a look.
                if await desk.wait_beyond(after[0], HEARTBEAT_S):
                    continue
                block = b": still here\n\n"
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                await response.write(block)

    async def _end_streams(self, _: web.Application) -> None:
        for task in tuple(self._streams):
            task.cancel()

    async def _centers(self, _: web.Request) -> web.Response:
        centers = {name: _state_of(desk) for name, desk in self._desks.items()}
        return web.json_response({"centers": centers})

    async def _queues(self, request: web.Request) -> web.Response:
        desk = self._desk(request)
        return await _look(desk, desk.views.queues)

    async def _agents(self, request: web.Request) -> web.Response:
        desk = self._desk(request)
        return await _look(desk, desk.views.agents)

    async def _measures(self, request: web.Request) -> web.Response:
        desk = self._desk(request)
        return await _look(desk, desk.views.measures)

    async def _snapshot(self, request: web.Request) -> web.Response:
        """Give the whole state away: whoever may see ids may look ahead from it."""
        desk = self._desk(request)
        worker = desk.worker
        if worker is None or not worker.health.ready:
            raise Problem(503, "Not ready", "the worker is starting or stopping; ask again")
        body, seq = worker.service.router.snapshot(), worker.service.router.seq
        # What is not durable yet may still be decided otherwise.
        while worker.service.committed_seq < seq:
            if not await desk.wait_beyond(seq - 1, HEARTBEAT_S):
                raise Problem(503, "Busy", "nothing is being committed; ask again")
        return web.Response(body=body, content_type="application/octet-stream")

    async def _contact(self, request: web.Request) -> web.Response:
        views, contact_id = self._desk(request).views, request.match_info["contact_id"]
        if not _CONTACT_ID.fullmatch(contact_id):
            raise Problem(400, "No contact id", "1 to 64 letters, digits and . _ : -")
        story = await views.ask(lambda: views.contact(contact_id))
        if story is None:
            raise Problem(404, "Unknown contact", "no entry of the journal names it")
        return web.json_response({"contact_id": contact_id, "explanation": story})

    async def _metrics(self, request: web.Request) -> web.Response:
        openmetrics = wants_openmetrics(request.headers.get("Accept", ""))
        body = self._page.render(openmetrics=openmetrics, exemplars=self._knows(request))
        kind = OPENMETRICS_TYPE if openmetrics else TEXT_TYPE
        return web.Response(body=body, headers={"Content-Type": kind})

    async def _health(self, _: web.Request) -> web.Response:
        desks = list(self._desks.values())
        facts: dict[str, Any] = {"status": self._status()}
        if len(desks) == 1:
            facts = _health_of(desks[0])
        else:
            facts["centers"] = {desk.name: _health_of(desk) for desk in desks}
        if self._reloader is not None:
            facts["last_reload"] = self._reloader.facts()
        return web.json_response(facts)

    def _status(self) -> str:
        states = {_state_of(desk) for desk in self._desks.values()}
        return next((s for s in ("failed", "starting", "ok") if s in states), "standby")

    async def _ready(self, _: web.Request) -> web.Response:
        waiting = {n: s for n, d in self._desks.items() if (s := _state_of(d)) in _NOT_READY}
        if waiting:
            told = ", ".join(f"{name}: {state}" for name, state in waiting.items())
            raise Problem(503, "Not ready", f"the worker is starting or stopping ({told})")
        for name, desk in self._desks.items():
            lags = desk.worker.behind() if desk.worker is not None else []
            if (behind := sum(records for _, _, records in lags)) > BEHIND_MAX:
                told = f"{name}: {behind} records wait to be decided, more than {BEHIND_MAX}"
                raise Problem(503, "Behind", told)
        return web.json_response({"status": "ready"})


_NOT_READY: Final = ("starting", "failed")


def _state_of(desk: Desk) -> str:
    if desk.failure:
        return "failed"
    if desk.standing_by:
        return "standby"
    return "ok" if desk.worker is not None and desk.worker.health.ready else "starting"


def _health_of(desk: Desk) -> dict[str, Any]:
    facts: dict[str, Any] = {"status": _state_of(desk)}
    if desk.failure:
        facts["failure"] = desk.failure
    if (worker := desk.worker) is None:
        return facts
    health, service = worker.health, worker.service
    return facts | {
        "seq": service.committed_seq,
        "at_ms": service.router.now_ms,
        "writer_epoch": service.writer_epoch,
        "commit_units": health.committed_units,
        "late_records": health.late_records,
        "clock_drift_ms": health.drift_ms,
        "edge_counts": {**service.codec.counts, **service.state.producers.counts},
    }


async def _look(desk: Desk, question: Callable[[int | None], dict[str, object]]) -> web.Response:
    """Ask the views of a centre how things are now."""
    now_ms = desk.worker.clock.now_ms() if desk.worker is not None else None
    return web.json_response(await desk.views.ask(lambda: question(now_ms)))


_ADVICE: Final = {
    404: "see /v1/queues, /v1/agents, /v1/contacts/{id}, /v1/stream, /metrics, /healthz; "
    "POST /v1/events",
    405: "see the Allow header",
    413: f"at most {BODY_BYTES_MAX} bytes a request; send several",
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


def _handover_of(request: web.Request) -> Handover:
    """Read ?drain=QUEUE, ?move_to=QUEUE=OTHER and ?rebase=true."""
    moves = {}
    for move in request.query.getall("move_to", []):
        queue, _, other = move.partition("=")
        if not queue or not other:
            raise Problem(400, "No move", "move_to=QUEUE=OTHER says where its contacts go")
        moves[queue] = other
    drain = tuple(request.query.getall("drain", []))
    return Handover(moves, drain, request.query.get("rebase", "") == "true")


def _place_of(text: str) -> tuple[int, int]:
    """Read a place in the stream: a seq (all of it was seen) or the id of the last decision."""
    match = _PLACE.fullmatch(text)
    if match is None:
        raise Problem(400, "No place in the stream", "give a seq or the id of a decision")
    whole, seq, index = match.groups()
    return (int(whole), 2**31) if whole is not None else (int(seq), int(index))
