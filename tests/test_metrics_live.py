"""The pages of a running worker: what promtool says of them, who sees ids, health."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from configs.loader import load_center
from router.events import (
    AgentSignedIn,
    CenterChanged,
    ContactArrived,
    Event,
    OfferAccepted,
    Stamped,
)
from router.journal import JournalError, ReplayDivergedError
from router.measures_text import OPENMETRICS_TYPE, TEXT_TYPE, render
from streams.clock import WallClock
from streams.desk import WorkerDesk
from streams.embedded import EmbeddedJournal, EmbeddedStore
from streams.http import BEHIND_MAX, Server
from streams.metrics_page import MetricsPage, fault_of, merge
from streams.ports import (
    ForeignWriterError,
    LogStuckError,
    OutcomeUnknownError,
    StoreFencedError,
)
from streams.recovery import recover
from streams.service import Service
from streams.telemetry import Telemetry
from streams.views import Views
from streams.worker import Settings, Worker
from streams.writing import encode_event
from tests.prometheus_tools import find_tool

CENTER = load_center(Path(__file__).parent.parent / "configs" / "tiny").center
TOKEN = "opened"  # noqa: S105 - of a test
OPENMETRICS = {"Accept": "application/openmetrics-text"}


class Site:
    """One worker that listens, and who asks it."""

    def __init__(self, base: str, worker: Worker, session: aiohttp.ClientSession) -> None:
        self.base, self.worker, self.session = base, worker, session

    async def get(self, path: str, **headers: str) -> tuple[int, str, str]:
        async with self.session.get(self.base + path, headers=headers) as answer:
            return answer.status, answer.headers["Content-Type"], await answer.text()

    async def numbers(self) -> dict[str, float]:
        _, _, page = await self.get("/metrics")
        lines = (line.rpartition(" ") for line in page.splitlines() if line[:1] != "#")
        return {name: float(number) for name, _, number in lines}


def on_site(path: Path, play: Callable[[Site], Awaitable[None]], token: str = "") -> None:
    async def whole() -> None:
        store = EmbeddedStore.own(path / "day.db")
        journal = EmbeddedJournal(store)
        state = await recover(journal, journal)
        service = Service(state, CenterChanged(CENTER), store.writer_epoch)
        telemetry = Telemetry(["http"])
        worker = Worker(
            service, journal, journal, WallClock(), settings=Settings(stop_at_end=False),
            telemetry=telemetry,
        )  # fmt: skip
        views = Views(path / "day.db")
        desk = WorkerDesk(CENTER.name, views, worker, telemetry)
        server = Server([desk], token, loopback=not token)
        running = asyncio.create_task(worker.run())
        try:
            async with (
                server.listen("127.0.0.1", 0) as (host, port),
                aiohttp.ClientSession() as session,
            ):
                site = Site(f"http://{host}:{port}", worker, session)
                if token:
                    site.session.headers.update(Authorization=f"Bearer {token}")
                await serve_one(site)
                site.session.headers.clear()
                await play(site)
                worker.stop()
                await running
        finally:
            running.cancel()
            await views.close()
            store.close()

    asyncio.run(whole())


async def serve_one(site: Site) -> None:
    """Let a contact arrive and be answered."""
    category = next(iter(CENTER.categories))
    now_ms = time.time_ns() // 1_000_000
    events: list[Event] = [
        *(AgentSignedIn(agent, 1, "available") for agent in CENTER.agents),
        ContactArrived("c-1", "phone", category),
        *(OfferAccepted(number, "c-1", agent) for number in (1, 2) for agent in CENTER.agents),
    ]
    for number, event in enumerate(events):
        body = encode_event(Stamped(number + 1, now_ms, event, f"e-{number}"), CENTER.name)
        kind = {"Content-Type": "application/cloudevents+json"}
        answer = await site.session.post(f"{site.base}/v1/events", data=body, headers=kind)
        assert answer.status == 200, await answer.text()
        answer.release()


def test_a_live_scrape_is_what_promtool_wants(tmp_path: Path) -> None:
    promtool = find_tool("promtool")

    async def play(site: Site) -> None:
        status, kind, page = await site.get("/metrics")
        assert (status, kind) == (200, TEXT_TYPE)
        checked = await asyncio.to_thread(
            subprocess.run, [promtool, "check", "metrics"], input=page, text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")

    on_site(tmp_path, play)


def test_openmetrics_names_the_contact_behind_a_bucket(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        status, kind, page = await site.get("/metrics", **OPENMETRICS)
        assert (status, kind) == (200, OPENMETRICS_TYPE)
        assert page.endswith("# EOF\n")
        assert '# {contact_id="c-1"}' in page

    on_site(tmp_path, play)


def test_without_the_token_there_are_numbers_and_no_ids(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        status, _, page = await site.get("/metrics", **OPENMETRICS)
        assert status == 200
        assert "switchroom_queue_arrivals_total" in page
        assert "c-1" not in page
        status, _, page = await site.get("/metrics", **OPENMETRICS, Authorization="Bearer t" * 1)
        assert "c-1" not in page
        status, _, page = await site.get("/metrics", **OPENMETRICS, Authorization=f"Bearer {TOKEN}")
        assert '# {contact_id="c-1"}' in page
        assert (await site.get("/v1/queues"))[0] == 401

    on_site(tmp_path, play, TOKEN)


def test_numbers_go_on_from_nought_after_a_restart(tmp_path: Path) -> None:
    async def first(site: Site) -> None:
        numbers = await site.numbers()
        assert sum(n for name, n in numbers.items() if "arrivals_total" in name) == 1
        assert sum(
            n for name, n in numbers.items() if name.startswith("switchroom_agents{")
        ) == len(CENTER.agents)

    async def again(site: Site) -> None:
        numbers = await site.numbers()
        assert sum(n for name, n in numbers.items() if "arrivals_total" in name) == 0
        assert sum(n for name, n in numbers.items() if 'result="duplicate"' in name) > 0
        handling = 'switchroom_agents{state="handling",'
        assert sum(n for name, n in numbers.items() if name.startswith(handling)) == 1

    on_site(tmp_path, first)
    on_site(tmp_path, again)


def test_health_says_why_not(tmp_path: Path) -> None:
    async def play(site: Site) -> None:
        assert [(await site.get(path))[0] for path in ("/livez", "/healthz", "/-/healthy")] == [
            200
        ] * 3
        assert [(await site.get(path))[0] for path in ("/readyz", "/-/ready")] == [200] * 2
        site.worker.behind = lambda: [("http", 0, BEHIND_MAX + 1)]  # type: ignore[method-assign]
        status, _, page = await site.get("/readyz")
        assert (status, "wait to be decided" in page) == (503, True)
        site.worker.health.ready = False
        assert (await site.get("/readyz"))[0] == 503
        assert (await site.get("/metrics"))[0] == 200

    on_site(tmp_path, play)


def desk_of(telemetry: Telemetry, worker: Worker | None) -> WorkerDesk:
    return WorkerDesk("x", Views(Path("none.db")), worker, telemetry)


def test_who_asks_often_gets_the_page_that_was_just_made() -> None:
    telemetry = Telemetry(["http"])
    page = MetricsPage([desk_of(telemetry, None)])
    first = page.render(openmetrics=False)
    page._made[False, False] = (time.monotonic(), 1.0, first)
    telemetry.count_fault("fenced")
    assert page.render(openmetrics=False) is first
    page._made[False, False] = (time.monotonic() - 21, 1.0, first)
    assert b'switchroom_faults_total{kind="fenced"} 1.0' in page.render(openmetrics=False)


def test_a_centre_is_on_the_page_while_its_worker_lives_here() -> None:
    page = MetricsPage([desk_of(Telemetry(["http"]), None)]).render(openmetrics=False).decode()
    named = {
        line.partition("{")[0].partition(" ")[0] for line in page.splitlines() if line[0] != "#"
    }
    assert named == {
        "switchroom_faults_total",
        "switchroom_build_info",
        "switchroom_config_last_reload_successful",
        "switchroom_config_last_reload_success_timestamp_seconds",
    }


def test_several_centres_share_a_page_without_repeating_a_series() -> None:
    first, second = Telemetry(["http"]), Telemetry(["http"])
    first.count_fault("fenced")
    second.count_fault("fenced")
    merged = merge([first.families(), second.families()])
    lines = render(merged, openmetrics=False).decode().splitlines()
    names = [line.rpartition(" ")[0] for line in lines if line[0] != "#"]
    assert len(names) == len(set(names))
    assert 'switchroom_faults_total{kind="fenced"} 2.0' in lines


def test_errors_that_are_faults_are_counted_by_kind() -> None:
    assert fault_of(ReplayDivergedError("")) == "replay_diverged"
    assert fault_of(JournalError("")) == "journal_conflict"
    assert fault_of(StoreFencedError("")) == "fenced"
    assert fault_of(ForeignWriterError("")) == "fenced"
    assert fault_of(LogStuckError("")) == "lso_stuck"
    assert fault_of(OutcomeUnknownError("")) == ""
    assert fault_of(OSError()) == ""
