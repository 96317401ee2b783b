# ruff: noqa: PLC0415 - a command imports what it needs when it runs
"""`switchroom views`: tables of measures over the topics, kept by Faust, beside the workers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from streams.journal_commands import fail, told
from streams.kafka_commands import BootstrapOption, PrefixOption, SettingsOption


def views(
    bootstrap: BootstrapOption = "",
    *,
    kafka_settings: SettingsOption = None,
    topic_prefix: PrefixOption = "",
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port to listen on.")] = 6066,
    replication: Annotated[
        int, typer.Option(min=1, help="Copies of the one topic that Faust makes for itself.")
    ] = 1,
    data: Annotated[
        Path | None, typer.Option(help="Where Faust keeps its files; else a temporary directory.")
    ] = None,
    log_level: Annotated[str, typer.Option(help="How much Faust says: WARNING, INFO.")] = "WARNING",
) -> None:
    """Keep measures per queue and interval from the journal's topic, and serve them as JSON."""
    try:
        from streams.faust_views import ViewOptions, run_views
    except ImportError as error:
        fail(f'error: {error}; the views need Faust: pip install "switchroom[views,kafka,live]"')
    from streams.kafka_settings import load_settings

    with told():
        settings = load_settings(
            kafka_settings, bootstrap_servers=bootstrap, topic_prefix=topic_prefix
        )
    with tempfile.TemporaryDirectory(prefix="switchroom-views-") as folder:
        run_views(
            ViewOptions(settings, host, port, data or Path(folder), replication), log_level.upper()
        )
