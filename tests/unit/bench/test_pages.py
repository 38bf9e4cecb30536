"""The benchmark of pages: a run of it with a handful of photos, and its page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import pages_job
from bench.pages import RESULTS
from bench.pages_job import PAGES, measure
from docs.generated import between
from docs.pages_section import BY, PAGE_OF_IT, section


def test_every_page_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_job, "FAILURES", 5)
    monkeypatch.setattr(pages_job, "PAGE", 10)
    measured = measure(tmp_path / "home", 40, "")

    assert set(measured["pages"]) == set(PAGES)
    assert all(took["first"]["wall_ms"] > 0 for took in measured["pages"].values())
    assert measured["pages"]["by name"]["halfway"]["wall_ms"] > 0
    assert len(measured["failures"]) == 6


def test_the_page_says_what_was_measured() -> None:
    measured = json.loads(RESULTS.read_text(encoding="utf-8"))
    page = PAGE_OF_IT.read_text(encoding="utf-8")
    assert between(page, "pages", section(measured), BY) == page
