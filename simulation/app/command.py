"""Offer the planner's app on the command line: `switchroom app`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer


def app(
    scenario: Annotated[
        Path, typer.Argument(help="A scenario file, a centre's directory, or sample or tiny.")
    ] = Path("sample"),
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1; 0: any free one.")] = 8090,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one a core.")] = 0,
    language: Annotated[str, typer.Option("--lang", help="en or zh.")] = "en",
    *,
    show: Annotated[
        bool, typer.Option("--open/--no-open", help="Show it in a browser at once.")
    ] = True,
) -> None:
    """Plan in a browser, on this machine alone: edit, play, compare, take away."""
    if language not in {"en", "zh"}:
        raise typer.BadParameter(f"--lang {language}: known are en, zh")
    try:
        import nicegui  # noqa: F401, PLC0415 - asked for, not used
        import simpy  # noqa: F401, PLC0415 - as above
    except ModuleNotFoundError as error:
        typer.echo(
            f'{error.name} is missing; install it with: pip install "switchroom[app,plan]"',
            err=True,
        )
        raise typer.Exit(1) from error
    from configs.findings import ConfigError  # noqa: PLC0415 - help must not load pydantic
    from simulation.app.serving import serve  # noqa: PLC0415 - loads the app's world
    from simulation.plan.reading import find_scenario, load_scenario  # noqa: PLC0415 - as above

    try:
        path = find_scenario(scenario)
        load_scenario(path)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    with tempfile.TemporaryDirectory(prefix="switchroom-") as folder:
        serve(path, Path(folder), port=port, workers=workers, language=language, show=show)
