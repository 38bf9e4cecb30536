"""Times as people read them."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from nightshift.words.clock import local_time


def test_a_moment_is_told_by_this_machines_clock_and_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        evening = datetime(2026, 12, 24, 17, 30, 5, tzinfo=UTC)
        assert local_time(evening) == "2026-12-24 18:30 CET"
        assert local_time(evening, seconds=True) == "2026-12-24 18:30:05 CET"
        assert local_time(evening, zone=False) == "2026-12-24 18:30"
        assert local_time(datetime(2026, 7, 1, 12, tzinfo=UTC)) == "2026-07-01 14:00 CEST"
        assert local_time(None) == ""
    finally:
        monkeypatch.undo()
        time.tzset()
