"""The command `switchroom`: mounts the command groups, each of which imports its own world.

`switchroom --help` names the commands of both drivers and imports neither of their worlds.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from typing import Any, Final

import typer
from typer.core import TyperGroup

GROUPS: Final = ("streams.commands", "simulation.commands")
EXIT_INTERRUPTED: Final = 130


class Commands(TyperGroup):
    """The commands; one that Ctrl-C ends before it has an answer says so in one line."""

    def invoke(self, *context: Any) -> object:  # noqa: ANN401 - typer gives its context no name
        """Run the command that was named."""
        try:
            return super().invoke(*context)
        except KeyboardInterrupt as stop:
            tell_interrupted()
            raise typer.Exit(EXIT_INTERRUPTED) from stop


def tell_interrupted() -> None:
    """Say in a line of its own that there is no answer; a terminal stands behind its ^C."""
    sys.stderr.write("\ninterrupted\n" if sys.stderr.isatty() else "interrupted\n")


def build() -> typer.Typer:
    """Make the application with the commands of every group."""
    app = typer.Typer(
        name="switchroom",
        cls=Commands,
        help="Route contacts to agents, keep promises, and know why: live, simulated, replayed.",
        no_args_is_help=True,
        rich_markup_mode=None if os.environ.get("NO_COLOR") else "rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in GROUPS:
        group = importlib.import_module(name)
        if hasattr(group, "register"):
            group.register(app)
        else:
            app.add_typer(group.app)
    return app


def main() -> None:
    """Run one command; an expected error is told in one line on stderr, without a traceback."""
    logging.basicConfig(
        level=os.environ.get("SWITCHROOM_LOG", "INFO").upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    try:
        build()(prog_name="switchroom")
    except KeyboardInterrupt:
        tell_interrupted()
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Who reads us (`| head`) has seen enough; a second flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        if isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError):
            remedy = "give the path of a file that is there"
        else:
            remedy = "check the path, its rights and the port"
        sys.stderr.write(f"{where}{error.strerror or error}; {remedy}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
