"""Look at a page of the report in headless Chromium: what it drew, and what troubles it had."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and os.environ.get("CI") != "true",
    reason="NOT TESTED: the page in a browser; install Chromium (Debian: apt install chromium)",
)


async def look(page_path: Path, width: int) -> dict[str, Any]:
    """Open a page in headless Chromium; return what it drew, and its troubles.

    `cut`: texts that stick out of their picture; `covered`: pairs that lie on each other.
    """
    from playwright.async_api import async_playwright  # noqa: PLC0415 - only where it is used

    assert CHROMIUM is not None, "in CI the browser is installed by the set-up"
    troubles: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = await browser.new_page(viewport={"width": width, "height": 900})
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: troubles.append(said.text))
        page.on(
            "request",
            lambda request: (
                None if request.url == page_path.as_uri() else troubles.append(request.url)
            ),
        )
        await page.goto(page_path.as_uri())
        await page.wait_for_selector("[data-picture] svg text")
        seen: dict[str, Any] = await page.evaluate(
            """() => ({
                pictures: document.querySelectorAll('[data-picture]').length,
                drawn: document.querySelectorAll('[data-picture] svg').length,
                texts: [...document.querySelectorAll('svg text')].map((t) => t.textContent),
                wide: document.documentElement.scrollWidth,
                cut: [...document.querySelectorAll('svg')].flatMap((svg) => {
                    const all = svg.getBoundingClientRect();
                    return [...svg.querySelectorAll('text')].filter((text) => {
                        const own = text.getBoundingClientRect();
                        return own.width && (own.left < all.left - 1 || own.right > all.right + 1
                            || own.top < all.top - 1 || own.bottom > all.bottom + 1);
                    }).map((text) => text.textContent);
                }),
                covered: [...document.querySelectorAll('svg')].flatMap((svg) => {
                    const texts = [...svg.querySelectorAll('text')].filter((text) =>
                        text.textContent.trim()).map((text) => [text.textContent,
                        text.getBoundingClientRect()]);
                    return texts.flatMap(([one, a], at) => texts.slice(at + 1).filter(([, b]) =>
                        Math.min(a.right, b.right) - Math.max(a.left, b.left) > 3
                        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4)
                        .map(([other]) => `${one} / ${other}`));
                }),
                answer: document.querySelector('h1').textContent,
            })"""
        )
        printed = await page.pdf(prefer_css_page_size=True)
        seen["sheets"] = len(re.findall(rb"/Type\s*/Page\b", printed))
        await browser.close()
    return {**seen, "troubles": troubles}
