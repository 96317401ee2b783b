"""Serve the board: its page to anyone who may reach the port, its frames to who has the token."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from streams.board import PAGE, PAGE_FILES, PAGE_HEADERS
from streams.desk import Desk, Problem
from streams.ports import StoreError

BOARDS_MAX: Final = 16
FRAME_S: Final = 1.0
STILL_S: Final = 5.0  # without news a frame comes this often, so that a page can tell silence
WRITE_TIMEOUT_S: Final = 10.0


class BoardPages:
    """Answer for the boards of a process' centres; the viewers of one share its frames."""

    def __init__(self, find_desk: Callable[[web.Request], Desk]) -> None:
        self._find_desk = find_desk
        self._viewers: set[asyncio.Task[Any]] = set()
        self._files = {
            path: ((PAGE / name).read_bytes(), kind) for path, (name, kind) in PAGE_FILES.items()
        }
        self._made: dict[str, tuple[int, int, bytes]] = {}

    def add_routes(self, app: web.Application) -> None:
        """Add the page, its files and its frames to an application."""
        for path in PAGE_FILES:
            app.router.add_get(path, self._file)
        app.router.add_get("/v1/board", self._frame)
        app.router.add_get("/v1/board/stream", self._stream)
        app.on_shutdown.append(self._end)

    async def _file(self, request: web.Request) -> web.Response:
        body, kind = self._files[request.path]
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=PAGE_HEADERS)

    async def _frame(self, request: web.Request) -> web.Response:
        frame = await self._make(self._find_desk(request))
        return web.Response(body=frame, content_type="application/json")

    async def _make(self, desk: Desk) -> bytes:
        """Return the frame of this second; viewers that ask within it get the same bytes."""
        worker = desk.worker
        now_ms = None if worker is None else worker.clock.now_ms()
        seq = -1 if worker is None else worker.service.committed_seq
        second = -1 if now_ms is None else now_ms // 1_000
        made = self._made.get(desk.name)
        if made is None or worker is None or made[:2] != (seq, second):
            frame = await desk.views.ask(lambda: desk.views.board(now_ms))
            made = (seq, second, json.dumps(frame, separators=(",", ":")).encode())
            self._made[desk.name] = made
        return made[2]

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        desk = self._find_desk(request)
        if len(self._viewers) >= BOARDS_MAX:
            raise Problem(503, "Too many boards", f"at most {BOARDS_MAX} at a time; close one")
        task = asyncio.current_task()
        assert task is not None, "a handler runs in a task"
        self._viewers.add(task)
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        try:
            await response.prepare(request)
            while True:
                seen = desk.worker.service.committed_seq if desk.worker is not None else 0
                async with asyncio.timeout(WRITE_TIMEOUT_S):
                    await response.write(b"data: %b\n\n" % await self._make(desk))
                await asyncio.sleep(FRAME_S)
                with contextlib.suppress(Problem, StoreError):  # between two lives of a worker
                    await desk.wait_beyond(seen, STILL_S - FRAME_S)
        except (asyncio.CancelledError, ConnectionError, TimeoutError, StoreError):
            if request.transport is not None and not request.transport.is_closing():
                request.transport.close()
        finally:
            self._viewers.discard(task)
        return response

    async def _end(self, _: web.Application) -> None:
        for task in tuple(self._viewers):
            task.cancel()
