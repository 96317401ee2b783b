"""Read what both commands are told alike, and say what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from configs.changes import Change
    from router.center import Center


def stop(message: str) -> NoReturn:
    """Say what is wrong and end with exit code 1."""
    typer.echo(f"switchroom: {message}", err=True)
    raise typer.Exit(1)


def with_libraries() -> None:
    """End with a hint when the planner's libraries are not installed."""
    try:
        import scipy  # noqa: F401, PLC0415 - asked for, not used
        import simpy  # noqa: F401, PLC0415 - as above
    except ModuleNotFoundError as error:
        stop(f'{error.name} is missing; install it with: pip install "switchroom[plan]"')


def change_of(text: str) -> Change:
    """Read PATH=VALUE, a path in the configuration; raises `AlterationError`."""
    from configs.changes import Change  # noqa: PLC0415 - loads pydantic
    from simulation.whatif.altering import AlterationError  # noqa: PLC0415 - as above

    path, equals, value = text.partition("=")
    if not equals or not path:
        raise AlterationError(
            f'change "{text}": write a path and a value: queues.care.service_level=15s'
        )
    path = path if path.startswith("center.") else f"center.{path}"
    return Change(replace={path: value})


def center_from(directory: Path) -> Center:
    """Load a configuration; tell its mistakes."""
    from configs.loader import ConfigError, load_center  # noqa: PLC0415 - loads pydantic

    try:
        return load_center(directory).center
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
