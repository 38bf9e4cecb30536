"""A header that anybody writes as they like."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nightshift.words.retry_after import retry_after_s

NOW = datetime(2026, 11, 28, 7, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "wanted_s"),
    [
        *[("7", 7.0), ("0", 0.0), ("2.5", 2.5), ("1e9", 1e9)],
        ("Sat, 28 Nov 2026 07:02:00 GMT", 120.0),
        ("Saturday, 28-Nov-26 07:02:00 GMT", 120.0),
        ("Sat, 28 Nov 2026 07:02:00", 120.0),
        ("Sat, 28 Nov 2026 08:02:00 +0100", 120.0),
        ("Sat, 28 Nov 2026 06:00:00 GMT", 0.0),
        *[("", 0.0), ("soon", 0.0), ("-1", 0.0), ("nan", 0.0), ("inf", 0.0)],
        *[(f"Sat, 28 Nov {'9' * 30} 07:02:00 GMT", 0.0), ("Sat, 28 Nov 2026 07:02:00 +99999999", 0.0)],
    ],
)
def test_seconds_and_dates(value: str, wanted_s: float) -> None:
    assert retry_after_s(value, NOW) == wanted_s
