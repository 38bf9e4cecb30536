"""A real service over a home, and its page in Chromium, for what is measured or drawn of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

NIGHTSHIFT = str(Path(sys.executable).with_name("nightshift"))
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_LINK = re.compile(r"http://\S+/#link=\S+")
_PATIENCE_S = 60.0


@contextmanager
def served(home: Path) -> Iterator[str]:
    """Have `nightshift serve` over this home for the block; the link that signs in, good once.

    Raises:
        TimeoutError: it did not say its link.
    """
    said = home.with_name("serve.said")
    with running(home, "serve", "--port", "0", said=said):
        yield _link(said)


@contextmanager
def running(home: Path, *arguments: str, said: Path, **settings: str) -> Iterator[None]:
    """Have the command `nightshift` run for the block; what it says goes to a file."""
    with said.open("w") as heard:
        process = subprocess.Popen(  # noqa: S603
            [NIGHTSHIFT, *arguments], env=environment(home, **settings), stdout=heard, stderr=heard
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait()


def environment(home: Path, **settings: str) -> dict[str, str]:
    """Of a command with this home, one worker process and one thread."""
    wanted = {"HOME": str(home), "WORKERS": "1", "THREADS": "1", **settings}
    return {**os.environ, **{f"NIGHTSHIFT_{name}": value for name, value in wanted.items()}}


def _link(said: Path) -> str:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        if found := _LINK.search(said.read_text()):
            return found[0]
        time.sleep(0.1)
    raise TimeoutError(f"nightshift serve did not start: {said.read_text()}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """An installed Chromium, without a window.

    Raises:
        FileNotFoundError: none is installed.
    """
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if path is None:
        raise FileNotFoundError("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--headless", "--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
