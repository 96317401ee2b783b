"""Rehearse alerts on a day that is over: who would have been woken, and when.

A file of time series (`switchroom simulate --openmetrics`) becomes blocks of Prometheus, the
recorded rules are filled in, and each alert's condition is asked over the whole day; what `for`
and `keep_firing_for` make of it is worked out here, since filling in does not evaluate alerts.
Prometheus and promtool do the work; both must be installed.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct

STEP_S: Final = 60
_START_S: Final = 60.0
_MAKE_ONE: Final = "make one with `switchroom simulate --config DIR --openmetrics FILE`"
_SIZES: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class RehearsalError(Exception):
    """A rehearsal that cannot be held: says what, where and what to do."""


class Firing(Struct, frozen=True):
    """One time an alert fired; seconds since 1970, `until_s` None if it still does at the end."""

    alert: str
    severity: str
    labels: dict[str, str]
    from_s: int
    until_s: int | None


def rehearse(series: Path, rules: Path, folder: Path) -> list[Firing]:
    """Return what fires on a day, in the order of time; `folder` takes the blocks."""
    first_s, last_s = span_of(series)
    data = folder / "data"
    _promtool("tsdb", "create-blocks-from", "openmetrics", str(series), str(data))
    alerts = alerts_of(rules)
    with _prometheus(folder, data) as address:
        _promtool(
            "tsdb", "create-blocks-from", "rules", f"--start={first_s}", f"--end={last_s}",
            f"--url={address}", f"--output-dir={data}", f"--eval-interval={STEP_S}s", str(rules),
        )  # fmt: skip
    found: list[Firing] = []
    with _prometheus(folder, data) as address:
        for alert in alerts:
            for labels, times in _ask_range(address, alert["expr"], first_s, last_s):
                merged = {**labels, **alert.get("labels", {})}
                spans = firings(
                    times,
                    wait_s=_seconds(alert.get("for", "0s")),
                    keep_s=_seconds(alert.get("keep_firing_for", "0s")),
                    end_s=last_s,
                )
                severity = merged.pop("severity", "")
                found += [
                    Firing(alert["alert"], severity, merged, start, end) for start, end in spans
                ]
    return sorted(found, key=lambda one: (one.from_s, one.alert, sorted(one.labels.items())))


def firings(
    times: Sequence[int], *, wait_s: int, keep_s: int, end_s: int
) -> list[tuple[int, int | None]]:
    """Return from when to when an alert fires whose condition holds at these times.

    It fires once the condition has held for `wait_s`, and until it has not held for `keep_s`.
    """
    spans: list[tuple[int, int | None]] = []
    since = begun = last = -1
    for at_s in [*times, end_s + 10 * 86_400]:
        if begun >= 0 and at_s - last > max(keep_s, STEP_S):
            over = last + max(keep_s, STEP_S)
            spans.append((begun, over if over <= end_s else None))
            begun = since = -1
        if since < 0 or at_s - last > STEP_S:
            since = at_s
        last = at_s
        if begun < 0 and at_s <= end_s and at_s - since >= wait_s:
            begun = at_s
    return spans


def alerts_of(rules: Path) -> list[dict[str, Any]]:
    """Return the alerts of a file of rules; raises `RehearsalError` when it is none."""
    write_some = "write some with `switchroom rules DIR -o FOLDER`"
    try:
        body = yaml.safe_load(rules.read_text(encoding="utf-8"))
        return [rule for group in body["groups"] for rule in group["rules"] if "alert" in rule]
    except OSError as error:
        raise RehearsalError(f"{rules}: {error.strerror}; {write_some}") from error
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise RehearsalError(f"{rules}: not a file of alert rules; {write_some}") from error


def span_of(series: Path) -> tuple[int, int]:
    """Return the first and the last second of a file of time series."""
    first_s, last_s, ended = 2**62, 0, False
    try:
        with series.open(encoding="utf-8") as lines:
            for line in lines:
                ended = line.startswith("# EOF")
                if line[:1] != "#":
                    at_s = int(float(line.rsplit(" ", 1)[1]))
                    first_s, last_s = min(first_s, at_s), max(last_s, at_s)
    except OSError as error:
        raise RehearsalError(f"{series}: {error.strerror}; {_MAKE_ONE}") from error
    except (ValueError, IndexError):  # words in place of numbers, or bytes that are no text
        ended = False
    if not last_s or not ended:
        raise RehearsalError(
            f"{series}: not a whole file of time series with instants; {_MAKE_ONE}"
        )
    return first_s, last_s


def _seconds(text: str) -> int:
    return int(text[:-1]) * _SIZES[text[-1]]


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise RehearsalError(
            f"{name} is not installed; a rehearsal needs Prometheus "
            "(Debian: apt install prometheus)"
        )
    return found


def _promtool(*arguments: str) -> None:
    done = subprocess.run(
        [_tool("promtool"), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        told = (done.stderr or done.stdout).strip().splitlines()
        raise RehearsalError(f"promtool {' '.join(arguments[:3])}: {told[-1] if told else '?'}")


@contextmanager
def _prometheus(folder: Path, data: Path) -> Iterator[str]:
    """Run a Prometheus on the blocks, on a free loopback port, until the context ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "prometheus.yml"
    config.write_text("global: {evaluation_interval: 1h}\n", encoding="utf-8")
    flags = [
        f"--config.file={config}", f"--storage.tsdb.path={data}",
        f"--web.listen-address=127.0.0.1:{port}",
        # Without it days long past are deleted at the start.
        "--storage.tsdb.retention.time=100y", "--log.level=error",
    ]  # fmt: skip
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([_tool("prometheus"), *flags], stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + _START_S
        while not _is_ready(address):
            if process.poll() is not None or time.monotonic() > until:
                told = (folder / "prometheus.log").read_text(errors="replace").strip()
                raise RehearsalError(f"Prometheus did not start: {told[-300:]}")
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/-/ready", timeout=5) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)  # noqa: PLR2004 - the status of HTTP
    except (OSError, urllib.error.URLError):
        return False


def _ask_range(
    address: str, expr: str, first_s: int, last_s: int
) -> list[tuple[dict[str, str], list[int]]]:
    asked = {"query": expr, "start": first_s, "end": last_s, "step": STEP_S}
    url = f"{address}/api/v1/query_range?{urllib.parse.urlencode(asked)}"
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - a loopback address
        result = json.loads(answer.read())["data"]["result"]
    return [
        (
            {name: value for name, value in one["metric"].items() if name != "__name__"},
            [int(at_s) for at_s, _ in one["values"]],
        )
        for one in result
    ]
