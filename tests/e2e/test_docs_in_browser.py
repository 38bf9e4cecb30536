"""The API's own page in Chromium: it works under the policy that it is delivered with, and is not framed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.gunicorn_server import Server, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server


def test_swagger_works_under_its_policy(browser: Browser, server: Server) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{server.url}/docs")
    operation = page.locator(".opblock", has_text="/healthz")
    expect(operation).to_be_visible(timeout=60_000)
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table .response-col_status").nth(1)).to_contain_text(
        "200", timeout=60_000
    )
    assert complaints == []
    page.close()


def test_nobody_frames_it(browser: Browser, server: Server) -> None:
    page = browser.new_page()
    page.goto("about:blank")
    page.set_content(f'<iframe src="{server.url}/docs/swagger"></iframe>')
    page.wait_for_timeout(2000)
    frames = [frame for frame in page.frames if frame.parent_frame is not None]
    assert all(frame.locator("#swagger-ui").count() == 0 for frame in frames)
    page.close()
