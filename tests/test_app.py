"""The planner's app: the desk without a browser, the page in-process, and once in Chromium."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simulation.app.desk import Desk
from simulation.app.runs import CancelledRunError, Run
from simulation.app.uploads import center_of, take
from simulation.plan.changes import ChangeError
from simulation.plan.people import groups_of, size_of
from simulation.plan.reading import SHIPPED, load_scenario
from simulation.report.wording import Words
from simulation.staffing.hunt import Effort
from simulation.staffing.writing import scenario_text
from tests.test_report_search import two_hours

if TYPE_CHECKING:
    from nicegui.testing import User

TINY = SHIPPED / "tiny.yaml"
SAMPLE = SHIPPED / "sample.yaml"
HISTORY = SHIPPED / "history.csv"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def desk(path: Path = TINY) -> Desk:
    return Desk(load_scenario(path), path)


# --- the desk -------------------------------------------------------------------------------------


def test_the_grid_holds_everybody_once() -> None:
    on = desk(SAMPLE)
    for name, group in groups_of(on.scenario).items():
        seats = [seat.planned for seat in on.seats() if seat.group == name]
        assert sum(seats) == size_of(on.scenario, name, group)


def test_what_was_edited_is_what_is_played_and_what_is_exported(tmp_path: Path) -> None:
    on = desk(SAMPLE)
    first, second = [seat for seat in on.seats() if seat.group == "care-zh"]
    on.put(first, first.planned + 2)
    on.put(second, 0)
    on.demand, on.sick, on.percent, on.within_s = 1.3, 0.15, 85.0, 30.0
    on.bots["order_calls"], on.factors["sales_calls"] = 0.25, 0.5
    changed = on.changed()
    care = changed.workforce["care-zh"]
    assert (care.count, [shift.count for shift in care.shifts]) == (20, [20, 0])
    assert {name: changed.demand[name].bot for name in ("order_calls", "order_chats")} == {
        "order_calls": 0.25, "order_chats": on.scenario.demand["order_chats"].bot,
    }  # fmt: skip
    assert changed.demand["billing_calls"].factor == pytest.approx(1.3)
    assert changed.demand["sales_calls"].factor == pytest.approx(0.65)
    assert (changed.target.percent, changed.target.within_ms) == (85.0, 30_000)
    path = tmp_path / "scenario.yaml"
    path.write_text(on.text(), encoding="utf-8")
    assert load_scenario(path) == changed


def test_a_group_that_is_staffed_by_interval_moves_as_a_whole() -> None:
    on = desk()
    name, group = next(iter(on.scenario.workforce.items()))
    staffed = replace(group, shifts=(), staffed=(2, 3, 4, 4, 4, 4, 3, 2))
    on.scenario = replace(on.scenario, workforce={**on.scenario.workforce, name: staffed})
    seat = next(seat for seat in on.seats() if seat.group == name)
    assert (seat.shift, seat.planned) == (-1, 4)
    on.put(seat, 6)
    assert on.changed().workforce[name].staffed == (4, 5, 6, 6, 6, 6, 5, 4)


def test_nothing_edited_is_nothing_changed() -> None:
    on = desk()
    seat = on.seats()[0]
    on.put(seat, seat.planned + 1)
    on.put(seat, seat.planned)
    assert on.changes() == []
    assert on.changed() == on.scenario
    with pytest.raises(ValueError, match="give 0 or more"):
        on.put(seat, -1)
    for empty in on.seats():
        on.put(empty, 0)
    with pytest.raises(ChangeError, match="leave at least 1"):
        on.changed()


def test_what_was_handed_in_is_exported_whole(tmp_path: Path) -> None:
    """The app's own folder goes when it ends: an exported file must not lead there."""
    folder, kept = tmp_path / "app", tmp_path / "kept"
    folder.mkdir()
    kept.mkdir()
    body = b"name: mine\nbase: tiny.yaml\nchanges: [{demand: 1.5}]\n"
    for name, given in (("mine.yaml", body), ("history.csv", HISTORY.read_bytes())):
        handed = take(name, given, folder, TINY)
        assert handed.scenario is not None, handed.problem
        assert handed.path is not None
        on = Desk(handed.scenario, handed.path, handed.text)
        on.sick = 0.1
        path = kept / "scenario.yaml"
        path.write_text(on.text(), encoding="utf-8")
        assert str(folder) not in on.text()
        wanted = on.changed()
        shutil.rmtree(folder)
        folder.mkdir()
        assert load_scenario(path) == wanted


def test_staff_that_was_found_comes_on_top_of_what_was_edited(tmp_path: Path) -> None:
    on = desk()
    on.demand = 1.2
    by_hour = (2, 3, 4, 4, 4, 4, 3, 2)
    shop = replace(on.scenario.workforce["shop"], shifts=(), count=0, staffed=by_hour)
    staffed = scenario_text(replace(on.scenario, workforce={"shop": shop}), str(TINY), "")
    path = tmp_path / "staffed.yaml"
    path.write_text(on.with_staff(staffed), encoding="utf-8")
    loaded = load_scenario(path)
    assert loaded.workforce["shop"].staffed == by_hour
    assert loaded.demand["order_calls"].factor == pytest.approx(1.2)
    assert loaded.name == "the corner shop on a Tuesday, changed, staffed"


def test_a_run_stops_when_it_is_told_to() -> None:
    played = Run()
    played.cancel()
    with pytest.raises(CancelledRunError):
        played.play([desk().scenario], 50, 1, 1, 1)
    assert played.done < 50
    with pytest.raises(CancelledRunError):
        played.seek(desk().scenario, Effort(12, 12, 2), 1, 1)


# --- what is handed in ----------------------------------------------------------------------------


def test_a_scenario_is_taken_with_its_centre_beside_the_one_on_the_desk(tmp_path: Path) -> None:
    handed = take("mine.yaml", TINY.read_bytes(), tmp_path, TINY)
    assert handed.scenario == load_scenario(TINY)
    handed = take("../../what if.yaml", b"name: x\nbase: tiny.yaml\n", tmp_path, TINY)
    assert handed.scenario is not None, handed.problem
    assert handed.path is not None
    assert handed.path.parent == tmp_path
    bad = take("bad.yaml", b"name: x\nbase: tiny.yaml\nchanges: [{demnd: 2}]\n", tmp_path, TINY)
    assert bad.scenario is None
    assert "demnd" in bad.problem
    assert "hand in one of" in take("x.exe", b"", tmp_path, TINY).problem


def spoilt_history() -> bytes:
    lines = HISTORY.read_text(encoding="utf-8").splitlines()
    cells = lines[5].split(",")
    cells[lines[0].split(",").index("offered")] = "many"
    lines[5] = ",".join(cells)
    return "\n".join(lines).encode()


def test_a_history_with_mistakes_names_them_and_goes_on_without_them(tmp_path: Path) -> None:
    handed = take("history.csv", spoilt_history(), tmp_path, TINY)
    assert handed.scenario is None
    (refusal,) = handed.refusals
    assert (refusal.row, refusal.column, refusal.value) == (6, "offered", "many")
    handed = take("history.csv", spoilt_history(), tmp_path, TINY, keep_good=True)
    assert handed.scenario is not None, handed.problem
    assert handed.refusals
    assert center_of(TINY) == (SHIPPED.parent / "tiny").resolve()
    assert "order_status" in {demand.category for demand in handed.scenario.demand.values()}


# --- the page, in-process -------------------------------------------------------------------------


def in_process(
    folder: Path,
    play: Callable[[User], Awaitable[None]],
    language: str = "en",
    scenario: Path = TINY,
) -> None:
    """Open the page as a user who has no browser."""
    from nicegui.testing import user_simulation  # noqa: PLC0415 - the app's own extra

    from simulation.app.screen import Settings  # noqa: PLC0415 - as above
    from simulation.app.serving import page_of  # noqa: PLC0415 - as above

    async def whole() -> None:
        async with user_simulation(root=page_of(Settings(scenario, folder, 1, language))) as user:
            await user.open("/")
            await play(user)

    asyncio.run(whole())


async def seen(user: User, text: str) -> None:
    await user.should_see(text, retries=400)


async def page_after(user: User, marker: str) -> str:
    """Press a button, wait until its work is done, and return the page that it leaves."""
    user.find(marker="told").elements.pop().set_text("")  # type: ignore[attr-defined]
    user.find(marker=marker).click()
    await seen(user, "Done in ")
    await user.should_see(marker="answer", retries=400)
    user.find(marker="report.html").click()
    return (await user.download.next()).content.decode()


def test_a_planner_runs_keeps_changes_and_compares(tmp_path: Path) -> None:
    async def play(user: User) -> None:
        from nicegui import ui  # noqa: PLC0415 - the app's own extra

        user.find(marker="compare").click()
        await seen(user, "Nothing is kept yet")
        assert "The target of 80 % is met" in await page_after(user, "run")
        user.find(marker="keep").click()
        await seen(user, "A is: the corner shop on a Tuesday")
        (slider,) = user.find(kind=ui.slider, marker="demand").elements
        slider.set_value(200)
        await user.should_see("Demand: 200 %")
        assert "surely worse" in await page_after(user, "compare")
        for name, holds in (("scenario.yaml", b"demand: 2.0"), ("plan.xlsx", b"PK")):
            user.find(marker=name).click()
            assert holds in (await user.download.next()).content, name

    in_process(tmp_path, play)


def test_a_planner_asks_how_many_and_puts_them_on_the_desk(tmp_path: Path) -> None:
    async def play(user: User) -> None:
        user.find(marker="target").clear().type("60")
        (days,) = user.find("Days").elements
        days.set_value(12)  # type: ignore[attr-defined]
        assert "targets with 90% confidence" in await page_after(user, "staff")
        user.find(marker="take").click()
        await seen(user, "On the desk: two hours, changed, staffed")
        user.find(marker="scenario.yaml").click()
        text = (await user.download.next()).content.decode()
        assert "workforce.shop.staffed" in text
        assert "target.percent: 60" in text
        assert str(tmp_path / "app") not in text, "that folder goes when the app ends"

    (tmp_path / "app").mkdir()
    in_process(tmp_path / "app", play, scenario=two_hours(tmp_path))


def test_two_tabs_have_folders_of_their_own(tmp_path: Path) -> None:
    from simulation.app.screen import Screen, Settings  # noqa: PLC0415 - the app's own extra

    settings = Settings(TINY, tmp_path)
    first, second = (Screen(settings, desk(), Words("en")) for _ in range(2))
    assert first.folder != second.folder
    settings.shelf[first.key] = "a page"
    second.leave()
    assert settings.shelf
    first.leave()
    assert not settings.shelf


def test_the_chinese_app_speaks_chinese(tmp_path: Path) -> None:
    async def play(user: User) -> None:
        await user.should_see("各组各班次的坐席")
        user.find(marker="run").click()
        await seen(user, "完成，用时")
        await user.should_see(marker="answer", retries=400)
        user.find(marker="report.html").click()
        assert "目标 80 % 已达到" in (await user.download.next()).content.decode()

    in_process(tmp_path, play, "zh")


# --- and once in a browser ------------------------------------------------------------------------


@pytest.mark.skipif(
    CHROMIUM is None and os.environ.get("CI") != "true",
    reason="NOT TESTED: the app in a browser; install Chromium (Debian: apt install chromium)",
)
def test_the_app_in_a_browser(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "switchroom", "app", str(TINY), "--port", "0", "--no-open"]
    # It must not think that it is under test itself.
    own = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "NICEGUI"))}
    history = tmp_path / "history.csv"
    history.write_bytes(spoilt_history())
    with subprocess.Popen(
        [*command, "--workers", "1"],
        env=own,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            assert server.stderr is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", server.stderr.readline())
            assert found is not None
            asyncio.run(wait_for(found[0]))
            assert asyncio.run(look(found[0], history)) == []
        finally:
            server.terminate()


async def wait_for(url: str) -> None:
    """Wait until the server listens."""
    host, port = url.removeprefix("http://").split(":")
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection(host, int(port))
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def look(url: str, history: Path) -> list[str]:
    """Run a plan, hand in a history; return errors of the page and outside requests."""
    from playwright.async_api import async_playwright  # noqa: PLC0415 - only where it is used

    assert CHROMIUM is not None, "in CI the browser is installed by the set-up"
    troubles: list[str] = []
    ours = (url, "data:", "blob:", url.replace("http", "ws"))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport={"width": 1400, "height": 900})
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith(ours) else troubles.append(asked.url),
        )
        await page.goto(url)
        await page.get_by_role("button", name="Run", exact=True).click()
        answer = page.frame_locator("iframe.answer")
        await answer.get_by_text("The target of 80 % is met").wait_for(timeout=60_000)
        await answer.locator("svg text", has_text="09:00").first.wait_for()
        for width in (1400, 390):
            await page.set_viewport_size({"width": width, "height": 900})
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, "nothing sticks out to the side"
        if shot := os.environ.get("SWITCHROOM_SHOT"):
            await page.screenshot(path=shot)
        await page.locator("input[type=file]").set_input_files(str(history))
        await page.get_by_text("1 values refused:").wait_for(timeout=30_000)
        await page.get_by_role("button", name="Go on with the other rows").click()
        await page.get_by_text("On the desk:").wait_for(timeout=60_000)
        await browser.close()
    return troubles
