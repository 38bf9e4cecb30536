"""What most tests of the page begin with: a service for each file, and pages that may not complain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.page_served import Open, Served, opened_pages, serving

expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    with opened_pages(browser) as opened:
        yield opened
