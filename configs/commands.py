"""Answer `switchroom check` and `switchroom schema`, without the command line around them.

Each function returns what to print and the exit code; nothing here prints. Exit codes: 0 fine,
1 errors (or, with `check`, files that differ), 3 warnings when they are not allowed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from configs.burn_rates import plan_alerts
from configs.effective import render_effective
from configs.findings import Finding, in_order
from configs.horizon import horizon_warnings
from configs.loader import ConfigError, LoadedCenter, load_center
from configs.schema import check_schemas, write_schemas
from router.center import Center
from router.checks import config_hash
from router.measures import Measures
from router.measures_metrics import SERIES_MAX, CenterMetrics, count_series

EXIT_FINE: Final = 0
EXIT_FAILED: Final = 1
EXIT_WARNINGS: Final = 3


@dataclass(frozen=True)
class Outcome:
    """What a command leaves behind: its exit code, data for stdout, messages for stderr."""

    exit_code: int
    stdout: str = ""
    stderr: str = ""


def check_directory(
    directory: Path,
    *,
    strict: bool = False,
    print_effective: bool = False,
    as_json: bool = False,
    now_ms: int | None = None,
    series_beside: int = 0,
) -> Outcome:
    """Check a configuration; `strict` makes warnings fail, `as_json` makes one JSON object.

    With `now_ms` it is also checked that calendars do not end soon; who calls has the clock.
    `series_beside` is how many metric series a worker has beside those of its centre.
    """
    try:
        loaded = load_center(directory)
    except ConfigError as error:
        if as_json:
            return Outcome(EXIT_FAILED, _as_json(None, list(error.findings)))
        return Outcome(EXIT_FAILED, "", f"{error}\n")
    if now_ms is not None:
        problems = in_order([*loaded.problems, *horizon_warnings(loaded, now_ms)])
        loaded = replace(loaded, problems=problems)
    code = EXIT_WARNINGS if strict and loaded.problems else EXIT_FINE
    if as_json:
        return Outcome(code, _as_json(loaded, list(loaded.problems), series_beside))
    warnings = "".join(f"{problem}\n" for problem in loaded.problems)
    text = render_effective(loaded) if print_effective else _summary(loaded, series_beside)
    return Outcome(code, text, warnings)


def generate_schemas(directory: Path, *, check: bool = False) -> Outcome:
    """Write the published schemas, or with `check` only say which files differ."""
    if not check:
        changed = write_schemas(directory)
        return Outcome(EXIT_FINE, "".join(f"{directory / path}\n" for path in changed))
    differing = check_schemas(directory)
    if not differing:
        return Outcome(EXIT_FINE)
    lines = "".join(f"{directory / path}: differs from the code\n" for path in differing)
    return Outcome(EXIT_FAILED, "", f"{lines}run switchroom schema -o {directory}\n")


def _summary(loaded: LoadedCenter, series_beside: int) -> str:
    center = loaded.center
    counts = ", ".join(
        f"{len(getattr(center, field))} {field}"
        for field in ("channels", "queues", "categories", "skills", "agents", "promises")
    )
    warnings = len(loaded.problems)
    found = f"; {warnings} warning{'s' if warnings > 1 else ''}" if warnings else ""
    return (
        f"{center.name} version {center.version}, hash {config_hash(center)}: {counts}; "
        f"no errors{found}\n"
        f"{_watching(center, series_beside)}\n"
    )


def _watching(center: Center, series_beside: int) -> str:
    """Say how much there is to watch: series of metrics, alerts, and what of them is not usual."""
    plan = plan_alerts(center)
    burns = f"{len(plan.burns)} alerts on broken promises, {len(plan.stalls)} on queues that stand"
    notes = f", {len(plan.notes)} notes" if plan.notes else ""
    series = f"{_series_of(center, series_beside)} metric series of at most {SERIES_MAX}"
    return f"{series}; {burns}{notes} (switchroom rules)"


def _series_of(center: Center, series_beside: int) -> int:
    metrics = CenterMetrics(Measures(center), series_beside=series_beside)
    return count_series(metrics.families()) + series_beside


def _as_json(loaded: LoadedCenter | None, findings: list[Finding], series_beside: int = 0) -> str:
    """Return `{"valid", "center", "version", "hash", "series", "findings"}` on one line."""
    center = loaded.center if loaded is not None else None
    body = {
        "valid": center is not None,
        "center": center.name if center is not None else None,
        "version": center.version if center is not None else None,
        "hash": config_hash(center) if center is not None else None,
        "series": _series_of(center, series_beside) if center is not None else None,
        "findings": [
            {
                "file": found.place.file,
                "line": found.place.line,
                "column": found.place.column,
                "path": found.path,
                "message": found.message,
                "suggestion": found.suggestion,
                "severity": "warning" if found.warning else "error",
            }
            for found in findings
        ],
    }
    return msgspec.json.encode(body).decode() + "\n"
