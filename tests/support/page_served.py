"""A real `nightshift serve`, and its page in Chromium."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.support.command import Nightshift
from tests.support.processes import wait_for

Open = Callable[..., Page]


@dataclass
class Served:
    """A service, and how to reach it."""

    command: Nightshift
    url: str
    link: str

    @property
    def key(self) -> str:
        return (self.command.home / "api_key").read_text().strip()

    def ask(self, method: str, path: str, **request: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.request(method, self.url + path, headers=headers, timeout=60, **request).json()

    def made_key(self, *scopes: str, owner: str = "local") -> dict[str, Any]:
        body = {"name": "for a test", "owner": owner, "scopes": scopes}
        return dict(self.ask("POST", "/v1/keys", json=body))


def free_port() -> int:
    """A port that was free just now, for what has to be told of its address before it starts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def serving(folder: Path, port: int = 0, **settings: str) -> Iterator[Served]:
    command = Nightshift(folder, settings)
    said = folder / "serve.stderr"
    with command.running("serve", "--port", str(port)) as process:
        wait_for(lambda: "#link=" in said.read_text() or process.poll() is not None, "the server", 60)
        found = re.search(r"(http://\S+)/#link=\S+", said.read_text())
        assert found, said.read_text()
        command.settings["SERVER"] = found[1]
        yield Served(command, found[1], found[0])


@contextmanager
def opened_pages(browser: Browser) -> Iterator[Open]:
    """Opens pages; none may ask another host, be refused by its policy, or throw."""
    contexts, complaints, urls = [], [], []

    def opened(url: str, **options: Any) -> Page:
        context = browser.new_context(
            **{"locale": "en-GB", "viewport": {"width": 1200, "height": 900}, **options}
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda request: urls.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: _answer(dialog, complaints))
        page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [url for url in urls if not url.startswith(("http://127.0.0.1:", "blob:"))] == []
    assert complaints == []


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Tonight")).to_be_visible()


def signed_in(open_page: Open, served: Served, place: str = "", **options: Any) -> Page:
    page = open_page(served.url, **options)
    sign_in(page, served.key)
    if place:
        page.goto(f"{served.url}/#/{place}")
    return page


def accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def _answer(dialog: Dialog, complaints: list[str]) -> None:
    # A page that is at work asks whether one means to leave it. No other dialog is ours.
    if dialog.type != "beforeunload":
        complaints.append(f"dialog: {dialog.message}")
    dialog.accept()
