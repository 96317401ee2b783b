# ruff: noqa: PLC0415 - a command imports what it needs when it runs
"""Offer what watches a centre on the command line: rules, dashboards."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.journal_commands import fail

if TYPE_CHECKING:
    from router.center import Center

CheckOption = Annotated[bool, typer.Option("--check", help="Only compare; exit 1 if files differ.")]


def register(app: typer.Typer) -> None:
    """Mount these commands."""
    app.command("rules")(rules)
    app.command("dashboards")(dashboards)
    app.command("rehearse")(rehearse)


def rules(
    directory: Annotated[Path, typer.Argument(help="The directory of the configuration.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Write the files here.")] = Path(),
    *,
    check_only: CheckOption = False,
    test: Annotated[
        bool, typer.Option("--test", help="Let promtool and amtool check and test them.")
    ] = False,
    scale: Annotated[
        int, typer.Option(min=1, max=900, help="Divide windows and waits, to try alerts out.")
    ] = 1,
    webhook: Annotated[str, typer.Option(help="Where notifications go.")] = "",
) -> None:
    """Write alert rules, their tests and the routes of alerts, from a configuration."""
    from configs.burn_rates import plan_alerts
    from streams.rules import RULES_FILE, Scale, rules_text
    from streams.rules_routes import ROUTES_FILE, WEBHOOK, routes_text
    from streams.rules_tests import TESTS_FILE, rule_tests_text

    center, scaled = _load(directory), Scale(scale)
    files = {
        RULES_FILE: rules_text(center, scaled),
        ROUTES_FILE: routes_text(center, scaled, webhook or WEBHOOK),
    }
    if scale == 1:
        files[TESTS_FILE] = rule_tests_text(center)
    command = f"switchroom rules {directory} -o {output}"
    deliver(output, files, command, check_only=check_only)
    for note in plan_alerts(center).notes:
        sys.stderr.write(f"note: {note}\n")
    if test:
        _try_out(output, files)


def _load(directory: Path) -> Center:
    from configs.loader import ConfigError, load_center

    try:
        return load_center(directory).center
    except ConfigError as error:
        fail(str(error))


def deliver(folder: Path, files: Mapping[str, str], command: str, *, check_only: bool) -> None:
    """Write files and print their paths, or with `check_only` fail if any differs."""
    from streams.generated import differing, write

    if not check_only:
        for path in write(folder, files):
            sys.stdout.write(f"{path}\n")
        return
    stale = differing(folder, files)
    for path in stale:
        sys.stderr.write(f"{path}: differs from the configuration\n")
    if stale:
        fail(f"run {command}")


def _try_out(folder: Path, files: Mapping[str, str]) -> None:
    """Run the tools of Prometheus on the files; fail with the first that fails."""
    from streams.rules import RULES_FILE
    from streams.rules_routes import ROUTES_FILE
    from streams.rules_tests import TESTS_FILE

    calls = [
        ("promtool", "check", "rules", "--lint-fatal", str(folder / RULES_FILE)),
        ("amtool", "check-config", str(folder / ROUTES_FILE)),
    ]
    if TESTS_FILE in files:
        calls.append(("promtool", "test", "rules", str(folder / TESTS_FILE)))
    for call in calls:
        program = shutil.which(call[0])
        if program is None:
            fail(
                f"error: {call[0]} is not installed; it comes with Prometheus and Alertmanager "
                "(Debian: apt install prometheus prometheus-alertmanager)"
            )
        done = subprocess.run([program, *call[1:]], check=False, stdout=sys.stderr)
        if done.returncode:
            fail(f"error: {' '.join(call)} failed with code {done.returncode}")


def dashboards(
    output: Annotated[Path, typer.Option("-o", "--output", help="Write the files here.")] = Path(
        "grafana"
    ),
    *,
    check_only: CheckOption = False,
) -> None:
    """Write the boards for Grafana, and where it finds them."""
    try:
        from streams.dashboards import board_files
    except ImportError as error:
        fail(f"error: {error}; install the boards' library: pip install 'switchroom[dashboards]'")
    deliver(output, board_files(), f"switchroom dashboards -o {output}", check_only=check_only)


def rehearse(
    series: Annotated[Path, typer.Argument(help="A day's metrics: simulate --openmetrics FILE.")],
    rules_file: Annotated[Path, typer.Option("--rules", help="The rules to rehearse.")] = Path(
        "configs/prometheus/switchroom.rules.yml"
    ),
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Say which alerts a day would have raised, and when."""
    import tempfile

    import msgspec

    from streams.rehearsal import RehearsalError
    from streams.rehearsal import rehearse as hold

    try:
        with tempfile.TemporaryDirectory(prefix="switchroom-rehearsal-") as folder:
            found = hold(series, rules_file, Path(folder))
    except (RehearsalError, OSError) as error:
        fail(f"error: {error}")
    for one in found:
        if as_json:
            sys.stdout.write(msgspec.json.encode(one).decode() + "\n")
            continue
        what = " ".join(value for name, value in sorted(one.labels.items()) if name != "team")
        verb = "paged" if one.severity == "page" else "ticket"
        over = "still on at the end" if one.until_s is None else f"over {_hour(one.until_s)}"
        sys.stdout.write(f"{verb} {_hour(one.from_s)}, {over}: {one.alert} {what}\n")
    if not found:
        sys.stderr.write("no alert would have fired\n")


def _hour(at_s: int) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(at_s, tz=UTC):%H:%M}"
