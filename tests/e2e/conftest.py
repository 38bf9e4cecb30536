from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import chromium, find_browser
from tests.support.requirements import require


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = find_browser()
    require(path, "no Chromium: run tests/install_programs.sh")
    assert path is not None
    with chromium(path) as running:
        yield running
