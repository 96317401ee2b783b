"""Start a worker that listens, and call it over HTTP, with nothing but the standard library."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from tests.kill_soak import ROOT

PATIENCE_S = 60.0
EVENT = {"Content-Type": "application/cloudevents+json"}


class Listening:
    """A worker process with its address and what it said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.told: list[str] = []
        self.port = 0
        self._heard = threading.Condition()
        self._hearing = threading.Thread(target=self._hear, daemon=True)
        self._hearing.start()

    def _hear(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._heard:
                self.told.append(line.rstrip())
                if found := re.search(r"listening on http://127\.0\.0\.1:(\d+)", line):
                    self.port = int(found[1])
                self._heard.notify_all()
        with self._heard:
            self.told.append("(end)")
            self._heard.notify_all()

    def close(self) -> None:
        """End the process, if it has not ended."""
        self.process.kill()
        self.process.wait()
        self._hearing.join()
        assert self.process.stderr is not None
        self.process.stderr.close()

    def wait_for(self, text: str) -> str:
        """Wait until the process has said something; return the line."""

        def found() -> bool:
            return any(text in line for line in self.told) or self.told[-1:] == ["(end)"]

        with self._heard:
            assert self._heard.wait_for(found, PATIENCE_S), (text, self.told)
            line = next((line for line in self.told if text in line), "")
        assert line, (text, self.told)
        return line

    def call(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, path, data, headers or (EVENT if data else {}))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON it is
        status, answer = self.call("GET", path)
        assert status == 200, answer
        return answer

    def stream(self, path: str, count: int) -> list[dict[str, Any]]:
        """Return the next decisions of the stream."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        found: list[dict[str, Any]] = []
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            while len(found) < count:
                line = answer.readline()
                if line.startswith(b"data: "):
                    found.append(json.loads(line[6:]))
        finally:
            connection.close()
        return found


@contextlib.contextmanager
def listening(arguments: Sequence[str]) -> Iterator[Listening]:
    """Run `switchroom run` with a port of its own; it does not outlive the test."""
    process = subprocess.Popen(
        [sys.executable, "-m", "switchroom", "run", "--port", "0", *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    worker = Listening(process)
    try:
        worker.wait_for("listening on")
        yield worker
    finally:
        worker.close()


def event(name: str, number: int | str, **data: str | int) -> dict[str, Any]:
    """Return a CloudEvent."""
    return {
        "specversion": "1.0",
        "id": str(number),
        "source": "/test",
        "type": f"switchroom.{name}",
        "data": data,
    }
