from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import chromium, find_browser
from tests.support.requirements import require


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = find_browser()
    require(path, "no Chromium: run tests/install_programs.sh")
    assert path is not None
    with chromium(path) as running:
        yield running


# Five seconds, its default, are not much for a busy machine.
expect.set_options(timeout=15_000)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages; at the end none may have asked for anything but files, or have complained."""
    contexts, requests, complaints = [], [], []

    def opened(path: Path, *, wish: str = "", **options: Any) -> Page:
        context = browser.new_context(
            **{"offline": True, "viewport": {"width": 1280, "height": 900}, **options}
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("request", lambda request: requests.append(request.url))
        page.on("requestfailed", lambda request: complaints.append(f"{request.url}: {request.failure}"))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.goto(path.as_uri() + (f"#{wish}" if wish else ""))
        expect(page.locator("#grid .tile[aria-busy]")).to_have_count(0)
        expect(page.locator("[name=name]")).to_be_enabled()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert requests
    assert [url for url in requests if not url.startswith("file:")] == []
    assert complaints == []
