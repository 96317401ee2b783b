"""The demo as a guest: customers and agents at a worker that runs already, twice in a row."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from simulation.demo import run_demo
from tests.live_stage import ask, wait_for

ROOT = Path(__file__).parent.parent
SECONDS = 6.0


def start(config: str, folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start a worker on the wall's clock; return it with its address."""
    log = folder / "run.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "switchroom", "run", "--config", str(ROOT / "configs" / config),
             "--store", str(folder / "day.db"), "--port", "0"],
            cwd=ROOT, stdin=subprocess.DEVNULL, stderr=stream,
        )  # fmt: skip

    def address() -> str:
        _, found, rest = log.read_text().partition("listening on ")
        return rest.split()[0] if found and "\n" in rest else ""

    try:
        return process, wait_for("the worker", address)
    except BaseException:
        process.kill()
        process.wait()
        raise


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(10)


def events_of(url: str) -> dict[tuple[str, str], float]:
    """Return how many events there were, by type and result."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:  # noqa: S310 - loopback
        lines = answer.read().decode().splitlines()
    found: dict[tuple[str, str], float] = {}
    for line in lines:
        if line.startswith('switchroom_events_total{result="'):
            parts = line.split('"')
            found[parts[5], parts[1]] = float(line.rpartition(" ")[2])
    return found


def test_one_show_after_the_other_leaves_nobody_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process, url = start("sample", tmp_path)
    try:
        begun = time.monotonic()
        assert run_demo(seconds=SECONDS, url=url) == 0
        assert time.monotonic() - begun >= SECONDS, "at the wall's own pace"
        assert f"{url} goes on" in capsys.readouterr().err
        first = ask(f"{url}/v1/measures")["summary"]["contacts"]
        assert run_demo(seconds=SECONDS, url=f"{url}/", seed=2) == 0
        events = events_of(url)
        summary = ask(f"{url}/v1/measures")["summary"]
        assert summary["contacts"] > first > 0
        assert events["AgentSignedOut", "ok"] == events["AgentSignedIn", "ok"] > 0
        assert events["AgentSignedIn", "refused"] == events["ContactArrived", "duplicate"] == 0
        assert sum(team["signed_in"] for team in ask(f"{url}/v1/measures")["teams"]) == 0
    finally:
        stop(process)


def test_it_says_which_worker_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for url, told in ("8080", "write it as http://"), ("http://127.0.0.1:9", "no answer"):
        assert run_demo(seconds=1, url=url) == 1
        assert told in capsys.readouterr().err
    process, url = start("tiny", tmp_path)
    try:
        assert run_demo(seconds=1, url=url) == 1
        assert "runs corner-shop (ok), and harbour-care is wanted" in capsys.readouterr().err
    finally:
        stop(process)
