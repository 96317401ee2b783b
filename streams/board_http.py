"""Serve the board: its page to anyone who may reach the port, its frames to who has the token."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from aiohttp import web

from streams.board import PAGE, PAGE_FILES, PAGE_HEADERS
from streams.views import Views
from streams.worker import Worker

BOARDS_MAX: Final = 16
FRAME_S: Final = 1.0
STILL_S: Final = 5.0  # without news a frame comes this often, so that a page can tell silence
WRITE_TIMEOUT_S: Final = 10.0


class BoardPages:
    """Answer for the board of one worker; its viewers share the frames."""

    def __init__(self, worker: Worker, views: Views) -> None:
        self._worker = worker
        self._views = views
        self._viewers: set[asyncio.Task[Any]] = set()
        self._files = {
            path: ((PAGE / name).read_bytes(), kind) for path, (name, kind) in PAGE_FILES.items()
        }
        self._made: tuple[int, int, bytes] = (-1, -1, b"")

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

    async def _frame(self, _: web.Request) -> web.Response:
        return web.Response(body=await self._make(), content_type="application/json")

    async def _make(self) -> bytes:
        """Return the frame of this second; viewers that ask within it get the same bytes."""
        now_ms = self._worker.clock.now_ms()
        seq = self._worker.service.committed_seq
        second = -1 if now_ms is None else now_ms // 1_000
        if self._made[:2] != (seq, second):
            frame = await self._views.ask(lambda: self._views.board(now_ms))
            self._made = (seq, second, json.dumps(frame, separators=(",", ":")).encode())
        return self._made[2]

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if len(self._viewers) >= BOARDS_MAX:
            return web.Response(status=503, text=f"at most {BOARDS_MAX} boards at a time")
        task = asyncio.current_task()
        assert task is not None, "a handler runs in a task"
        self._viewers.add(task)
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        try:
            await response.prepare(request)
            while True:
                seen = self._worker.service.committed_seq
                async with asyncio.timeout(WRITE_TIMEOUT_S):
                    await response.write(b"data: %b\n\n" % await self._make())
                await asyncio.sleep(FRAME_S)
                await self._wait_for_news(seen)
        except (asyncio.CancelledError, ConnectionError, TimeoutError):
            if request.transport is not None and not request.transport.is_closing():
                request.transport.close()
        finally:
            self._viewers.discard(task)
        return response

    async def _wait_for_news(self, seen: int) -> None:
        worker = self._worker
        async with worker.committed:
            try:
                async with asyncio.timeout(STILL_S - FRAME_S):
                    while worker.service.committed_seq == seen:
                        await worker.committed.wait()
            except TimeoutError:
                return

    async def _end(self, _: web.Application) -> None:
        for task in tuple(self._viewers):
            task.cancel()
