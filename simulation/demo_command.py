"""Offer the demo on the command line: `switchroom demo`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

_EXTRAS: Final = ("aiohttp", "numpy", "simpy")


def demo(
    seconds: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Length of the show on the wall.")
    ] = 45.0,
    seed: Annotated[int, typer.Option(min=0, help="The number everything is drawn from.")] = 1,
    speed: Annotated[
        float,
        typer.Option(
            min=0, max=10_000, help="Virtual seconds in one of the wall; 0: as fast as it goes."
        ),
    ] = 30.0,
    *,
    url: Annotated[
        str,
        typer.Option(help="Play at this worker of configs/sample, at the wall's pace."),
    ] = "",
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the journal and say where it is.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a tick, and one at the end.")
    ] = False,
) -> None:
    """Show a contact centre coming alive: queues, promises, agents, decisions and an incident."""
    try:
        from simulation.demo import run_demo  # noqa: PLC0415 - help must not load the engine
    except ModuleNotFoundError as error:
        if error.name not in _EXTRAS:
            raise
        typer.echo(
            f"switchroom demo: {error.name} is not installed; the demo needs both drivers: "
            "pip install 'switchroom[live,plan]'",
            err=True,
        )
        raise typer.Exit(1) from error
    code = run_demo(seconds=seconds, seed=seed, speed=speed, keep=keep, as_json=as_json, url=url)
    raise typer.Exit(code)
