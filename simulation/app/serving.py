"""Serve the planner's page on this machine alone; each browser tab has a desk of its own."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import typer
from nicegui import app, ui
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from simulation.app.desk import Desk
from simulation.app.screen import Screen, Settings
from simulation.plan.reading import load_scenario
from simulation.report.wording import Words


def page_of(settings: Settings) -> Callable[[], None]:
    """Return what builds the page for a browser that comes."""

    def build() -> None:
        desk = Desk(load_scenario(settings.path), settings.path)
        screen = Screen(settings, desk, Words(settings.language))
        ui.context.client.on_delete(screen.leave)
        screen.build()

    @app.get("/answers/{key}")
    def answer(key: str) -> Response:
        """Return the page of a tab's last answer; the key is known to that tab alone."""
        page = settings.shelf.get(key)
        return HTMLResponse(page) if page else PlainTextResponse("gone", status_code=404)

    return build


def serve(path: Path, folder: Path, *, port: int, workers: int, language: str, show: bool) -> None:
    """Serve until interrupted."""
    if not port:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
    # A name that leads here from elsewhere (DNS rebinding) is no name of ours.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    typer.echo(f"planner's app: http://127.0.0.1:{port} (Ctrl-C ends it)", err=True)
    ui.run(
        page_of(Settings(path, folder, workers, language)),
        host="127.0.0.1",
        port=port,
        title="switchroom",
        language="zh-CN" if language == "zh" else "en-US",
        reload=False,
        show=show,
        show_welcome_message=False,
    )
