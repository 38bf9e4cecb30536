from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightshift.words.processing_window import ProcessingWindow

BERLIN = ZoneInfo("Europe/Berlin")
TIMES = st.times().map(lambda at: at.strftime("%H:%M"))


@pytest.mark.parametrize(
    ("local", "is_open"),
    [("21:59", False), ("22:00", True), ("00:00", True), ("05:59", True), ("06:00", False)],
)
def test_a_window_over_midnight_by_local_clocks(local: str, is_open: bool) -> None:
    window = ProcessingWindow.parse("22:00-06:00 Europe/Berlin")
    hour, minute = map(int, local.split(":"))
    for month in (1, 7):  # winter time, summer time
        assert (
            window.is_open(datetime(2026, month, 10, hour, minute, tzinfo=BERLIN).astimezone(UTC)) is is_open
        )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "22-06 Europe/Berlin",
        "22:00-06:00",
        "22:00-06:00 Mars/Olympus",
        "22:00-06:00 Europe",
        "22:00-06:00 ../etc/passwd",
        "24:00-06:00 UTC",
        "06:00-06:00 UTC",
        " 22:00-06:00 UTC",
        "22:00-06:00 UTC\n",
    ],
)
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must read like|lacks its|hours go|same time|no time zone"):
        ProcessingWindow.parse(text)


@given(
    TIMES,
    TIMES,
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    st.datetimes(
        datetime(2020, 1, 1),  # noqa: DTZ001
        datetime(2030, 1, 1),  # noqa: DTZ001
    ),
)
def test_the_next_opening_is_within_days_and_open(opens: str, closes: str, zone: str, at: datetime) -> None:
    if opens == closes:
        return
    window = ProcessingWindow.parse(f"{opens}-{closes} {zone}")
    after = at.replace(tzinfo=UTC)
    opening = window.next_opening(after)
    assert after < opening <= after + timedelta(days=3)
    assert window.is_open(opening)


@pytest.mark.parametrize(
    ("text", "after", "opens"),
    [
        # The clocks skip 02:00 to 03:00: that night it does not open.
        ("02:15-02:45 Europe/Berlin", "2026-03-29T00:00", "2026-03-30T00:15"),
        ("02:15-02:45 Europe/Berlin", "2026-03-28T00:00", "2026-03-28T01:15"),
        # They show 02:00 to 03:00 twice: it opens twice.
        ("02:15-02:45 Europe/Berlin", "2026-10-25T00:00", "2026-10-25T00:15"),
        ("02:15-02:45 Europe/Berlin", "2026-10-25T00:50", "2026-10-25T01:15"),
        ("22:00-06:00 Europe/Berlin", "2026-03-29T10:00", "2026-03-29T20:00"),
        ("22:00-06:00 Europe/Berlin", "2026-10-25T10:00", "2026-10-25T21:00"),
    ],
)
def test_the_nights_in_which_clocks_are_set(text: str, after: str, opens: str) -> None:
    at = datetime.fromisoformat(f"{after}Z")
    assert ProcessingWindow.parse(text).next_opening(at) == datetime.fromisoformat(f"{opens}Z")


@pytest.mark.parametrize(
    ("at", "is_open"),
    [("2026-10-25T00:30", True), ("2026-10-25T00:50", False), ("2026-10-25T01:30", True)],
)
def test_an_hour_that_comes_twice_is_open_twice(at: str, is_open: bool) -> None:
    window = ProcessingWindow.parse("02:15-02:45 Europe/Berlin")
    assert window.is_open(datetime.fromisoformat(f"{at}Z")) is is_open


def test_work_rests_while_the_window_is_closed() -> None:
    window = ProcessingWindow.parse("22:00-06:00 UTC")
    evening = datetime(2026, 11, 28, 20, tzinfo=UTC)
    opens, hour = evening + timedelta(hours=2), timedelta(hours=1)
    for needed, ready in (
        (3, opens + 3 * hour),
        (8, opens + 8 * hour),
        (9, opens + timedelta(days=1) + hour),
        (16, opens + timedelta(days=1) + 8 * hour),
        (17, opens + timedelta(days=2) + hour),
    ):
        assert window.end_of(needed * hour, evening) == ready
    assert window.end_of(3 * hour, opens + 6 * hour) == opens + timedelta(days=1) + hour
    assert window.end_of(timedelta(days=3650), evening).year < 2040


@given(TIMES, TIMES, st.integers(1, 1_000_000), st.sampled_from(["UTC", "Europe/Berlin"]))
def test_work_ends_within_a_window(opens: str, closes: str, needed_s: int, zone: str) -> None:
    if opens == closes:
        return
    window = ProcessingWindow.parse(f"{opens}-{closes} {zone}")
    begins = datetime(2026, 3, 20, 12, tzinfo=UTC)
    ends = window.end_of(timedelta(seconds=needed_s), begins)
    assert ends >= begins + timedelta(seconds=needed_s)
    # A night is an hour shorter or longer where the clocks are changed.
    near = (ends + hours * timedelta(hours=1) - timedelta(seconds=1) for hours in (-1, 0, 1))
    assert any(map(window.is_open, near))
