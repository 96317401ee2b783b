"""Run the real worker beside the demo and talk to it over HTTP, as a user would.

The worker is a process of its own with its own store. It gets events by `POST /v1/events` and
answers, after the commit, with the decisions they led to; numbers come from `GET /v1/measures`.
Nothing here reaches into it another way.
"""

from __future__ import annotations

import http.client
import importlib.util
import json
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from router.decisions import Decision
from simulation.demo_wire import decode_decision, encode_batch, encode_watermark

START_SECONDS: Final = 30.0
ANSWER_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
_ADDRESS: Final = re.compile(r"http://(127\.0\.0\.1|localhost):(\d+)[/\s]")
_TAIL_LINES: Final = 12


class WorkerError(Exception):
    """The worker did not start, did not answer, or refused; says which and what it wrote."""


@dataclass(frozen=True)
class Answer:
    """What a batch led to: the decisions of each entry with its instant, in order."""

    seq: int
    entries: tuple[tuple[int, tuple[Decision, ...]], ...]


def switchroom(*arguments: str) -> list[str]:
    """Return the command line of a switchroom command in this very environment.

    The command's file is named, not its module: what lies in the present directory is not ours.
    """
    spec = importlib.util.find_spec("switchroom")
    if spec is None or spec.origin is None:
        raise WorkerError("the command `switchroom` is not installed here; pip install it")
    return [sys.executable, spec.origin, *arguments]


class Worker:
    """Start, feed, ask and stop one worker. Use as a context manager."""

    def __init__(self, config: Path, store: Path) -> None:
        self.config = config
        self.store = store
        self.address = ""
        self.log = store.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> Self:
        """Start the worker; raises `WorkerError` when it does not come up."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the worker, whatever happened."""
        self.stop()

    def _start(self) -> None:
        command = switchroom(
            "run", "--config", str(self.config), "--store", str(self.store),
            "--port", "0", "--as-fast-as-possible",
        )  # fmt: skip
        with self.log.open("wb") as log:
            # Its own session: a Ctrl-C in the terminal is ours to pass on, once and in order.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        host, port = self._read_address()
        self.address = f"http://{host}:{port}"
        self._connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)

    def _read_address(self) -> tuple[str, int]:
        """Wait for the line in which the worker says where it listens."""
        assert self._process is not None
        assert self._process.stdout is not None
        until = time.monotonic() + START_SECONDS
        said = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while time.monotonic() < until:
                if selector.select(timeout=0.1):
                    chunk = self._process.stdout.read1(65536)  # type: ignore[attr-defined]
                    said += chunk
                    if not chunk and self._process.wait(STOP_SECONDS) is not None:
                        break
                found = _ADDRESS.search(said.decode(errors="replace") + self._log_text())
                if found:
                    return found[1], int(found[2])
        raise WorkerError(f"the worker did not start: {self._last_words(said)}")

    def _log_text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def _last_words(self, said: bytes = b"") -> str:
        lines = (said.decode(errors="replace") + self._log_text()).strip().splitlines()
        return "\n  ".join(["", *lines[-_TAIL_LINES:]]) if lines else "it said nothing"

    def post(self, records: Iterable[Mapping[str, Any]], until_ms: int) -> Answer:
        """Hand CloudEvents in and let time pass up to an instant; return what that led to."""
        batch = encode_batch([*records, encode_watermark(until_ms)])
        body = self._ask(
            "POST",
            "/v1/events",
            batch,
            {
                "content-type": "application/cloudevents-batch+json",
                "prefer": "return=representation",
            },
        )
        entries: list[tuple[int, tuple[Decision, ...]]] = []
        last_seq = -1
        for envelope in body["decisions"]:
            seq, at_ms, decision = decode_decision(envelope)
            if seq == last_seq:
                entries[-1] = (at_ms, (*entries[-1][1], decision))
            else:
                entries.append((at_ms, (decision,)))
            last_seq = seq
        return Answer(int(body["seq"]), tuple(entries))

    def measures(self) -> dict[str, Any]:
        """Return the worker's numbers."""
        return self._ask("GET", "/v1/measures")

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        assert self._connection is not None, "the worker was started"
        try:
            self._connection.request(method, path, body, headers or {})
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise WorkerError(
                f"{method} {path}: no answer from the worker ({error}): {self._last_words()}"
            ) from error
        if response.status >= 300:
            raise WorkerError(
                f"{method} {path}: status {response.status}: {text[:500].decode(errors='replace')}"
            )
        answer: dict[str, Any] = json.loads(text)
        return answer

    def stop(self) -> None:
        """Stop the worker: ask, wait, and only then insist."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_SECONDS)
        if process.stdout is not None:
            process.stdout.close()


def run_command(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run another switchroom command to its end and return what it said."""
    return subprocess.run(
        switchroom(*arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=ANSWER_SECONDS * 4,
    )
