"""Play the demo's customers and agents at a worker that somebody else has started.

What they do goes in by `POST /v1/events`; what the worker decides, at its own time, comes from
`GET /v1/stream`. So it may stand on a store or on Kafka. One show can follow another at the same
worker: ids of events and sessions of agents go on from the wall's clock.
"""

from __future__ import annotations

import http.client
import json
import os
import queue
import threading
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from router.decisions import Decision
from simulation.demo_wire import decode_decision, encode_batch
from simulation.demo_worker import ANSWER_SECONDS, Answer, WorkerError

_MS: Final = 1_000


class Guest:
    """Talk to a running worker. Use as a context manager."""

    def __init__(self, url: str, center_name: str, begun_ms: int) -> None:
        """Raise `WorkerError` for an address that is none."""
        parts = urlsplit(url if "//" in url else f"//{url}")
        if parts.scheme not in ("", "http") or not parts.hostname or not parts.port:
            raise WorkerError(f"--url {url}: write it as http://127.0.0.1:8080")
        self.address = f"http://{parts.hostname}:{parts.port}"
        self._place = parts.hostname, parts.port
        self._center_name = center_name
        self._begun_ms = begun_ms
        self._heard: queue.SimpleQueue[tuple[int, int, Decision] | None] = queue.SimpleQueue()
        self._stream: http.client.HTTPConnection | None = None
        self._seq = 0

    def __enter__(self) -> Self:
        """Look whether the worker is ours to play at, and begin to listen."""
        states = self._ask("GET", "/v1/centers")["centers"]
        if states.get(self._center_name) != "ok":
            told = ", ".join(f"{name} ({state})" for name, state in states.items())
            raise WorkerError(
                f"{self.address}: runs {told}, and {self._center_name} is wanted, "
                "ready: start it with `switchroom run --config configs/sample --port ...`"
            )
        self._seq = int(self.measures()["seq"])
        self._stream = http.client.HTTPConnection(*self._place)
        path = f"/v1/stream?center={self._center_name}&after={self._seq}"
        self._stream.request("GET", path, headers=_token())
        answer = self._stream.getresponse()
        # A daemon: a read that waits for the next decision must not keep us from ending.
        threading.Thread(target=self._listen, args=(answer,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave; the worker stays."""
        if self._stream is not None and self._stream.sock is not None:
            self._stream.sock.close()

    def _listen(self, answer: http.client.HTTPResponse) -> None:
        try:
            for line in answer:
                if line.startswith(b"data: "):
                    self._heard.put(decode_decision(json.loads(line[6:])))
        except (OSError, ValueError, http.client.HTTPException):
            pass
        self._heard.put(None)

    def post(self, records: Iterable[Mapping[str, Any]], until_ms: int) -> Answer:
        """Hand events in; return what was decided since the last call, whatever caused it."""
        sent = [self._ours(record) for record in records]
        if sent:
            path = f"/v1/events?center={self._center_name}"
            self._ask("POST", path, encode_batch(sent))
        entries: list[tuple[int, tuple[Decision, ...]]] = []
        while not self._heard.empty():
            heard = self._heard.get()
            if heard is None:
                raise WorkerError(f"{self.address}: the stream of decisions ended; is it stopped?")
            seq, at_ms, decision = heard
            if entries and seq == self._seq:
                entries[-1] = (at_ms, (*entries[-1][1], decision))
            else:
                entries.append((at_ms, (decision,)))
            self._seq = seq
        return Answer(self._seq, tuple(entries))

    def _ours(self, record: Mapping[str, Any]) -> dict[str, Any]:
        data = dict(record.get("data", {}))
        if data.get("session"):
            data["session"] += self._begun_ms // _MS
        return {**record, "id": f"{self._begun_ms}-{record['id']}", "data": data}

    def measures(self) -> dict[str, Any]:
        """Return the worker's numbers."""
        return self._ask("GET", f"/v1/measures?center={self._center_name}")

    def _ask(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(*self._place, timeout=ANSWER_SECONDS)
        headers = {"content-type": "application/cloudevents-batch+json"} if body else {}
        try:
            connection.request(method, path, body, headers | _token())
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise WorkerError(
                f"{self.address}{path}: no answer ({error}); start a worker there with "
                "`switchroom run ... --port N`"
            ) from error
        finally:
            connection.close()
        if response.status >= http.HTTPStatus.MULTIPLE_CHOICES:
            told = text[:500].decode(errors="replace")
            raise WorkerError(f"{self.address}{path}: status {response.status}: {told}")
        answer: dict[str, Any] = json.loads(text)
        return answer


def _token() -> dict[str, str]:
    token = os.environ.get("SWITCHROOM_HTTP_TOKEN", "")
    return {"authorization": f"Bearer {token}"} if token else {}
