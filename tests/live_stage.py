"""A stage with real programs: a worker fed with traffic, Prometheus, Alertmanager, who is called.

Everything listens on free loopback ports and writes into one folder; what was started is stopped
by its own handle. Time is the wall's: scrapes and rules come every second, rules are scaled.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from tests.prometheus_tools import find_tool

SCALE = 90
AGENTS = 24
STAYING = 2
REQUIRED = 20
CONTACTS_A_SECOND = 20
TALK_S = 0.3
PATIENCE_S = 4.0
ENOUGH_S = 60.0
CONFIG = f"""
name: alert-stage
version: 1
channels: {{phone: {{auto_accept: true}}}}
skills: [talk]
queues:
  billing: {{service_level: 1s, teams: [care]}}
  post: {{service_level: 30m, teams: [care]}}
categories:
  billing: {{queue: billing, needs: {{talk: 1}}}}
  letters: {{queue: post, needs: {{talk: 1}}}}
teams: {{care: {{}}}}
agent_groups:
  desk: {{count: {AGENTS}, team: care, skills: {{talk: 5}}}}
promises:
  quick: {{kind: answer, categories: [billing], target: 1s, objective_percent: 80}}
  letter: {{kind: answer, categories: [letters], target: 30m, objective_percent: 80}}
"""


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(url: str, body: bytes | None = None, **headers: str) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON that an address answers with."""
    request = urllib.request.Request(  # noqa: S310 - a loopback address
        url, body, {k.replace("_", "-"): v for k, v in headers.items()}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        return json.loads(answer.read() or b"null")


def wait_for(what: str, found: Callable[[], Any], seconds: float = ENOUGH_S) -> Any:  # noqa: ANN401 - what was found
    """Ask until there is an answer that is not nothing."""
    until = time.monotonic() + seconds
    last: Exception | None = None
    while time.monotonic() < until:
        try:
            if answer := found():
                return answer
        except (OSError, urllib.error.URLError, KeyError) as error:
            last = error
        time.sleep(0.2)
    pytest.fail(f"{what}: not within {seconds:g} s ({last})")


class Called:
    """Listen where Alertmanager calls, and keep what it says."""

    def __init__(self) -> None:
        self.notifications: list[tuple[str, dict[str, Any]]] = []
        kept = self.notifications

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                kept.append((self.path, json.loads(self.rfile.read(length))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


class Traffic:
    """Let customers call and agents answer; `strike` sends most agents on break."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._events = 0
        self._contacts = 0
        self._talking: deque[tuple[float, str]] = deque()
        self._waiting: deque[tuple[float, str]] = deque()
        self._open: set[str] = set()
        self._orders: deque[list[dict[str, Any]]] = deque()
        self._over = threading.Event()
        self.error: Exception | None = None
        self._agents = [f"desk-{number:03d}" for number in range(1, AGENTS + 1)]
        self._send([self._event("agent.signed_in", agent_id=a, session=1, presence="available")
                    for a in self._agents])  # fmt: skip
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def strike(self) -> None:
        self._present(self._agents[STAYING:], "break")

    def relent(self) -> None:
        self._present(self._agents[STAYING:], "available")

    def go_home(self) -> None:
        self._orders.append([self._event("agent.signed_out", agent_id=a) for a in self._agents])

    def close(self) -> None:
        self._over.set()
        self._thread.join(15)
        if self.error is not None:
            raise self.error

    def _present(self, agents: list[str], presence: str) -> None:
        changed = [
            self._event("agent.presence_changed", agent_id=agent, presence=presence)
            for agent in agents
        ]
        self._orders.append(changed)

    def _event(self, kind: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        self._events += 1
        return {
            "specversion": "1.0", "id": f"e-{self._events}", "source": "/stage",
            "type": f"switchroom.{kind}", "data": data,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }  # fmt: skip

    def _run(self) -> None:
        begun = time.monotonic()
        try:
            while not self._over.is_set():
                now = time.monotonic()
                self._turn(now, int((now - begun) * CONTACTS_A_SECOND))
                self._over.wait(0.05)
        except Exception as error:  # noqa: BLE001 - raised where the stage is closed
            self.error = error

    def _turn(self, now: float, due: int) -> None:
        batch = self._orders.popleft() if self._orders else []
        while self._contacts < due:
            self._contacts += 1
            name = f"c-{self._contacts}"
            category = "letters" if self._contacts % 10 == 0 else "billing"
            batch.append(
                self._event("contact.arrived", contact_id=name, channel="phone", category=category)
            )
            self._waiting.append((now + PATIENCE_S, name))
            self._open.add(name)
        for line, kind in ((self._talking, "contact.ended"), (self._waiting, "contact.abandoned")):
            while line and line[0][0] <= now:
                name = line.popleft()[1]
                if name in self._open:
                    batch.append(self._event(kind, contact_id=name))
        if batch:
            self._send(batch)

    def _send(self, batch: list[dict[str, Any]]) -> None:
        answer = ask(
            f"{self._base}/v1/events",
            json.dumps(batch).encode(),
            Content_Type="application/cloudevents-batch+json",
            Prefer="return=representation",
        )
        for decision in answer["decisions"]:
            kind, data = decision["type"].removeprefix("switchroom."), decision["data"]
            if kind == "contact.assigned":
                # Who is being served does not hang up: he is no longer counted as waiting.
                self._waiting = deque(one for one in self._waiting if one[1] != data["contact_id"])
                self._talking.append((time.monotonic() + TALK_S, data["contact_id"]))
            elif kind == "contact.closed":
                self._open.discard(data["contact_id"])


class Stage:
    """Hold the programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config"
        self._processes: list[subprocess.Popen[bytes]] = []
        self.called = Called()

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.traffic.close()
        finally:
            self._end()

    def _begin(self) -> None:
        prometheus, alertmanager = find_tool("prometheus"), find_tool("prometheus-alertmanager")
        self.config.mkdir()
        (self.config / "center.yaml").write_text(CONFIG, encoding="utf-8")
        rules = self._switchroom(
            "rules", str(self.config), "-o", str(self.folder), "--scale", str(SCALE),
            "--webhook", self.called.address,
        )  # fmt: skip
        assert rules.wait(30) == 0, self._words("rules")
        self._switchroom(
            "run", "--config", str(self.config), "--store", str(self.folder / "day.db"),
            "--port", "0", "--staffing", str(self._plan_staff()),
        )  # fmt: skip
        self.worker = wait_for("the worker", lambda: self._address("run"))
        self._start(alertmanager, *self._alertmanager_flags())
        self._start(prometheus, *self._prometheus_flags())
        wait_for("Alertmanager", lambda: ask(f"{self.alertmanager}/api/v2/status"))
        self.traffic = Traffic(self.worker)
        wait_for("a scrape", lambda: self.query("up{job='switchroom'} == 1"))

    def _plan_staff(self) -> Path:
        """Schedule everybody from an hour ago for a day."""
        path = self.folder / "staff.csv"
        start = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")
        path.write_text(
            "interval_start,interval_minutes,group,agents,required\n"
            f"{start},1440,desk,{AGENTS},{REQUIRED}\n",
            encoding="utf-8",
        )
        return path

    def _alertmanager_flags(self) -> list[str]:
        self.alertmanager = f"http://127.0.0.1:{(port := free_port())}"
        return [
            f"--config.file={self.folder / 'alertmanager.yml'}",
            f"--storage.path={self.folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ]

    def _prometheus_flags(self) -> list[str]:
        self.prometheus = f"http://127.0.0.1:{(port := free_port())}"
        path = self.folder / "prometheus.yml"
        path.write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            "rule_files: [switchroom.rules.yml]\n"
            "alerting: {alertmanagers: [{static_configs: [{targets: ['"
            f"{self.alertmanager.removeprefix('http://')}']}}]}}]}}\n"
            "scrape_configs: [{job_name: switchroom, static_configs: [{targets: ['"
            f"{self.worker.removeprefix('http://')}']}}]}}]\n",
            encoding="utf-8",
        )
        return [
            f"--config.file={path}",
            f"--storage.tsdb.path={self.folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--enable-feature=exemplar-storage",
        ]

    def query(self, expr: str) -> list[dict[str, Any]]:
        """Ask Prometheus for an instant vector."""
        told = urllib.parse.urlencode({"query": expr})
        answer = ask(f"{self.prometheus}/api/v1/query?{told}")
        return list(answer["data"]["result"])

    def exemplars(self, name: str) -> list[dict[str, Any]]:
        """Return the exemplars of a metric in the last minute."""
        now = time.time()
        told = urllib.parse.urlencode({"query": name, "start": now - 60, "end": now})
        found = ask(f"{self.prometheus}/api/v1/query_exemplars?{told}")["data"]
        return [exemplar for series in found for exemplar in series["exemplars"]]

    def alerts(self, name: str) -> list[dict[str, Any]]:
        """Return the firing alerts of a name."""
        found = ask(f"{self.prometheus}/api/v1/alerts")["data"]["alerts"]
        return [
            alert
            for alert in found
            if alert["state"] == "firing" and alert["labels"]["alertname"] == name
        ]

    def _switchroom(self, *arguments: str) -> subprocess.Popen[bytes]:
        return self._start(sys.executable, "-m", "switchroom", *arguments, name=arguments[0])

    def _start(self, program: str, *flags: str, name: str = "") -> subprocess.Popen[bytes]:
        log = self.folder / f"{name or Path(program).name}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [program, *flags], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                cwd=Path(__file__).parent.parent,
            )  # fmt: skip
        self._processes.append(process)
        return process

    def _words(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def _address(self, name: str) -> str:
        _, found, rest = self._words(name).partition("listening on ")
        return rest.split()[0] if found and "\n" in rest else ""

    def _end(self) -> None:
        for process in reversed(self._processes):
            if process.poll() is None:
                process.terminate()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        self.called.close()
