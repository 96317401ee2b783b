"""The board: what its frames hold, who may ask for them, and the page in a real browser."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from configs.loader import load_center
from router.center import Center, ClockKind
from router.decisions import DECISION_TYPES, Reason
from router.events import (
    AgentSignedIn,
    CallbackRequested,
    ContactArrived,
    ContactUpdated,
    CustomerAwaited,
    CustomerReplied,
    Event,
    OfferAccepted,
    Stamped,
)
from router.journal import Entry
from router.measures import Measures
from router.measures_views import QueueRow, queue_rows
from router.records import BREACHED, OVER, PAUSED
from router.router import Router
from router.sequencer import Sequencer
from simulation.day import simulate_day
from simulation.options import from_seed
from streams import board_http
from streams.board import CLOCKS_MAX, DECISIONS_MAX, PAGE, frame, queue_state
from streams.board_clocks import RECENT_MAX, TELLING, BoardFold
from streams.clock import WallClock
from streams.writing import encode_event, encode_watermark
from tests.builders import changed, desk, promise
from tests.test_http import BATCH, CENTER, T0, Caller, run, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WORDS = json.loads((PAGE / "board-words.json").read_text())


def folded(center: Center, *steps: tuple[int, Event]) -> tuple[Measures, BoardFold, Sequencer]:
    """Play steps and fold every entry, as a worker's views do."""
    sequencer, measures, fold = Sequencer(Router()), Measures(), BoardFold()
    for at_ms, event in ((0, changed(center)), *steps):
        for entry in sequencer.accept(event, T0 + at_ms):
            measures.fold(entry.stamped, entry.decisions)
            fold.fold(entry)
    return measures, fold, sequencer


def waits(at_ms: int, contact_id: str = "k") -> tuple[int, Event]:
    return at_ms, ContactArrived(contact_id, "phone", "c")


def clocks_of(fold: BoardFold) -> list[tuple[str, str, int, bool]]:
    late = fold.overdue(99)[1]
    return [
        (c.contact_id, c.promise, c.deadline_ms - T0, c.breached)
        for c in (*late, *fold.due_next(99))
    ]


# --- the fold -------------------------------------------------------------------------------


def test_a_clock_is_shown_until_it_is_met() -> None:
    center = desk(promises={"answer": promise(ClockKind.ANSWER, 20_000)})
    _, fold, _ = folded(center, waits(1_000))
    assert clocks_of(fold) == [("k", "answer", 21_000, False)]
    steps = (waits(1_000), (2_000, AgentSignedIn("a")), (3_000, OfferAccepted(1, "k", "a")))
    _, fold, _ = folded(center, *steps)
    assert clocks_of(fold) == []
    assert fold.agents == {"k": "a"}


def test_a_broken_promise_stays_on_top_while_its_clock_runs() -> None:
    center = desk(promises={"answer": promise(ClockKind.ANSWER, 20_000)})
    _, fold, _ = folded(center, waits(0), waits(10_000, "m"), waits(25_000, "n"))
    assert clocks_of(fold) == [
        ("k", "answer", 20_000, True),
        ("m", "answer", 30_000, False),
        ("n", "answer", 45_000, False),
    ]
    assert fold.overdue(0) == (1, [])


def test_a_paused_clock_is_not_due_and_comes_back_later() -> None:
    center = desk(promises={"done": promise(ClockKind.RESOLUTION, 100_000)})
    steps = (
        (0, AgentSignedIn("a")),
        waits(0),
        (1_000, OfferAccepted(1, "k", "a")),
        (10_000, CustomerAwaited("k")),
    )
    _, fold, _ = folded(center, *steps)
    assert clocks_of(fold) == []
    _, fold, _ = folded(center, *steps, (60_000, CustomerReplied("k")))
    assert clocks_of(fold) == [("k", "done", 150_000, False)]


def test_a_retargeted_clock_changes_name_and_deadline() -> None:
    center = desk(
        promises={
            "gold": promise(ClockKind.ANSWER, 10_000, tiers=("gold",)),
            "all": promise(ClockKind.ANSWER, 60_000),
        },
        tiers=("gold",),
    )
    _, fold, _ = folded(center, waits(0), (5_000, ContactUpdated("k", tier="gold")))
    assert clocks_of(fold) == [("k", "gold", 10_000, False)]


def test_the_fold_agrees_with_the_router_at_every_point() -> None:
    """The clocks of the board are those of the router, whatever happened before."""
    most = 0
    for seed in range(3, 9):
        entries: list[Entry] = []
        simulate_day(*from_seed(seed), listeners=(entries.append,))
        router, fold = Router(), BoardFold()
        for entry in entries:
            router.handle(entry.stamped)
            fold.fold(entry)
            true = clocks_of_router(router)
            shown = {
                (contact_id, name): (clock.breached, clock.paused)
                for contact_id, clocks in fold.clocks.items()
                for name, clock in clocks.items()
            }
            assert shown == true, (seed, entry.stamped)
            most = max(most, len(true))
    assert most > 10


def clocks_of_router(router: Router) -> dict[tuple[str, str], tuple[bool, bool]]:
    """Return the clocks that run, are paused or ran over: (breached, paused)."""
    found = {}
    for contact in router.floor.contacts.values():
        clock = contact.clocks
        while clock is not None:
            if clock.phase != OVER:
                found[contact.contact_id, clock.plan.name] = (
                    clock.phase == BREACHED,
                    clock.phase == PAUSED,
                )
            clock = clock.next
    return found


def test_what_the_fold_keeps_is_bounded() -> None:
    center = desk(promises={"answer": promise(ClockKind.ANSWER, 20_000)})
    steps = [waits(n, f"k{n}") for n in range(400)]
    measures, fold, _ = folded(center, *steps, (30_000, CallbackRequested("k0")))
    assert len(fold.recent) == RECENT_MAX
    shown = frame(measures, fold, T0 + 30_000)
    assert len(shown["clocks"]) <= CLOCKS_MAX
    assert len(shown["decisions"]) == DECISIONS_MAX
    assert shown["overdue"] == 400
    newest = [(told["seq"], told["index"]) for told in shown["decisions"]]
    assert newest == sorted(newest, reverse=True)


# --- frames ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waiting", "longest_ms", "limit_ms", "state"),
    [
        (0, 0, 20_000, "idle"),
        (1, 10_000, 20_000, "calm"),
        (1, 10_001, 20_000, "soon"),
        (1, 20_000, 20_000, "soon"),
        (1, 20_001, 20_000, "late"),
        (1, 99_000, 0, "calm"),
    ],
)
def test_how_a_queue_stands(waiting: int, longest_ms: int, limit_ms: int, state: str) -> None:
    measures, _, _ = folded(desk())
    row: QueueRow = replace(
        queue_rows(measures)[0],
        waiting=waiting,
        longest_wait_now_ms=longest_ms,
        service_level_ms=limit_ms,
    )
    assert queue_state(row) == state


def test_the_recent_service_level_forgets_what_came_more_than_an_hour_ago() -> None:
    steps: list[tuple[int, Event]] = [(0, AgentSignedIn("a")), waits(1_000)]
    steps += [(2_000, OfferAccepted(1, "k", "a"))]
    measures, fold, _ = folded(desk(), *steps)
    soon = frame(measures, fold, T0 + 60_000)["queues"][0]
    assert (soon["recent_arrivals"], soon["recent_service_level"]) == (1, 1.0)
    later = frame(measures, fold, T0 + 3 * 3_600_000)["queues"][0]
    assert (later["recent_arrivals"], later["recent_service_level"]) == (0, None)
    assert later["service_level"] == 1.0


def test_a_closed_queue_says_until_when() -> None:
    """The night after Monday, 2 March 2026, and its morning."""
    sample = load_center(Path(__file__).parent.parent / "configs" / "sample").center
    name = "post"
    posts = replace(sample.queues[name], calendar="office")
    sample = replace(sample, queues={**sample.queues, name: posts})
    measures, fold, _ = folded(sample)
    night = T0 + 15 * 3_600_000
    shown = {queue["queue"]: queue for queue in frame(measures, fold, night)["queues"]}
    assert re.fullmatch(r"2026-03-0\d \d\d:00", shown[name]["closed_until"])
    morning = T0 - 6 * 3_600_000
    open_ = {queue["queue"]: queue for queue in frame(measures, fold, morning)["queues"]}
    assert {queue["closed_until"] for queue in open_.values()} == {""}
    always = next(name for name, queue in sample.queues.items() if queue.calendar == "always")
    assert shown[always]["closed_until"] == ""


def test_every_word_the_board_may_need_is_there_in_both_languages() -> None:
    english, chinese = WORDS["en"], WORDS["zh"]
    plain = {key for key, value in english.items() if isinstance(value, str)}
    assert plain == {key for key, value in chinese.items() if isinstance(value, str)}
    telling = {kind.__name__ for kind in TELLING}
    assert telling <= {kind.__name__ for kind in DECISION_TYPES}
    assert set(english["decision"]) == set(chinese["decision"]) == telling
    assert set(chinese["reason"]) == {reason.value for reason in Reason}


# --- over HTTP ------------------------------------------------------------------------------


def event_line(number: int, at_ms: int, event: Event) -> bytes:
    body = encode_event(Stamped(number, T0 + at_ms, event), CENTER.name)
    assert body is not None
    return body


MORNING: tuple[tuple[int, Event], ...] = (
    (0, AgentSignedIn("ben")),
    (5_000, ContactArrived("call-1", "phone", "order_status")),
    (7_000, OfferAccepted(1, "call-1", "ben")),
    (8_000, ContactArrived("call-2", "phone", "order_status")),
    (9_000, ContactArrived("call-3", "phone", "order_status")),
)


async def play_morning(caller: Caller) -> None:
    lines = [event_line(n, at_ms, event) for n, (at_ms, event) in enumerate(MORNING, 1)]
    body = b"[" + b",".join([*lines, encode_watermark(T0 + 40_000, CENTER.name)]) + b"]"
    status, answer = await caller.post(body, BATCH)
    assert (status, answer["refused"]) == (200, [])


def test_a_frame_over_http(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        await play_morning(caller)
        status, shown = await caller.get("/v1/board")
        assert status == 200
        orders = next(queue for queue in shown["queues"] if queue["queue"] == "orders")
        assert (orders["waiting"], orders["state"]) == (2, "late")
        assert {clock["contact_id"] for clock in shown["clocks"]} >= {"call-2", "call-3"}
        async with caller.session.get(caller.base + "/v1/board/stream") as stream:
            assert stream.content_type == "text/event-stream"
            first = await stream.content.readline()
            assert json.loads(first.removeprefix(b"data: "))["seq"] == shown["seq"]

    run(tmp_path / "board.db", play)


def test_one_board_too_many_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_http, "BOARDS_MAX", 1)

    async def play(caller: Caller) -> None:
        await play_morning(caller)
        async with caller.session.get(caller.base + "/v1/board/stream") as first:
            await first.content.readline()
            status, told = await caller.get("/v1/board/stream")
            assert (status, told["detail"]) == (503, "at most 1 at a time; close one")

    run(tmp_path / "board.db", play)


def test_the_page_needs_no_token_and_its_frames_do(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        for path in ("/", "/board.js", "/board.css", "/board-words.json"):
            async with caller.session.get(caller.base + path) as page:
                assert page.status == 200
                assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        for path in ("/v1/board", "/v1/board/stream", "/v1/contacts/call-1"):
            assert (await caller.get(path))[0] == 401
        assert (await caller.get("/v1/board", Authorization="Bearer secret"))[0] == 200

    run(tmp_path / "board.db", play, token="secret")  # noqa: S106 - a token for a test


# --- in a browser ---------------------------------------------------------------------------

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and os.environ.get("CI") != "true",
    reason="NOT TESTED: the page in a browser; install Chromium (Debian: apt install chromium)",
)


@asynccontextmanager
async def a_page(width: int, height: int) -> AsyncIterator[tuple[Any, list[str]]]:
    """Open a page in headless Chromium; the list fills with errors and outside requests."""
    from playwright.async_api import async_playwright  # noqa: PLC0415 - only where it is used

    assert CHROMIUM is not None, "in CI the browser is installed by the set-up"
    troubles: list[str] = []

    def note(trouble: str) -> None:
        if trouble:
            troubles.append(trouble)

    def outside(url: str) -> str:
        return "" if url.startswith(("http://127.0.0.1:", "data:")) else url

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = await browser.new_page(
            viewport={"width": width, "height": height}, locale="en-GB", timezone_id="UTC"
        )
        page.on("pageerror", lambda error: note(str(error)))
        page.on("console", lambda said: note(said.text if said.type == "error" else ""))
        page.on("request", lambda request: note(outside(request.url)))
        try:
            yield page, troubles
        finally:
            await browser.close()


@needs_chromium
def test_a_supervisor_looks_at_the_board(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        await play_morning(caller)
        async with a_page(1920, 1080) as (page, troubles):
            await page.goto(caller.base + "/")
            row = page.locator('tr[data-queue="orders"]')
            await row.wait_for()
            assert await row.get_attribute("data-state") == "late"
            assert await row.locator(".waiting").inner_text() == "2"
            assert await page.locator("#line").get_attribute("data-state") == "live"
            assert "call-2" in await page.locator("#clocks").inner_text()
            await page.locator("#decisions button", has_text="call-1").first.click()
            story = page.locator("#story-text")
            await page.wait_for_function(
                "document.getElementById('story-text').textContent.includes('ben')"
            )
            assert "ben was free" in await story.inner_text()
            await page.locator("#close").click()
            await page.locator("#language").click()
            assert await page.locator("#queues-part h2").inner_text() == "队列"
            assert "等待" in await page.locator("#totals").inner_text()
            height = await page.evaluate("document.documentElement.scrollHeight")
            assert height <= 1080, "a wall screen shows all of it"
        assert troubles == []

    run(tmp_path / "board.db", play)


@needs_chromium
def test_a_phone_shows_it_without_scrolling_sideways(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        await play_morning(caller)
        async with a_page(390, 844) as (page, troubles):
            await page.goto(caller.base + "/?lang=zh&theme=light")
            await page.locator('tr[data-queue="orders"]').wait_for()
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390
            assert await page.evaluate("document.documentElement.lang") == "zh-CN"
        assert troubles == []

    run(tmp_path / "board.db", play)


@needs_chromium
def test_a_token_is_asked_for_and_kept(tmp_path: Path) -> None:
    async def play(caller: Caller) -> None:
        async with a_page(800, 600) as (page, _):
            await page.goto(caller.base + "/")
            await page.locator("#token").fill("secret")
            await page.locator('#token-form button[type="submit"]').click()
            await page.locator('tr[data-queue="orders"]').wait_for()

    run(tmp_path / "board.db", play, WallClock(), token="secret")  # noqa: S106 - a token for a test


@needs_chromium
def test_a_worker_that_went_away_is_told(tmp_path: Path) -> None:
    async def whole() -> None:
        async with a_page(800, 600) as (page, _):
            await page.clock.install()
            async with serving(tmp_path / "board.db") as caller:
                await play_morning(caller)
                await page.goto(caller.base + "/")
                await page.locator('tr[data-queue="orders"]').wait_for()
            await page.clock.run_for(30_000)
            assert await page.locator("#line").get_attribute("data-state") == "lost"
            assert "no news" in await page.locator("#line").inner_text()

    asyncio.run(whole())
