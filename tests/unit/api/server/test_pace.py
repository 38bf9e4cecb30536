from __future__ import annotations

import itertools

import pytest

from api.server.limits import LEAST_BYTES_PER_S
from api.server.pace import Pace


def seconds_until_spent(pace: Pace, bytes_a_second: int, *, at_most: int = 5000) -> int:
    for second in itertools.count(1):
        pace.waited(1.0)
        pace.passed(bytes_a_second)
        if pace.is_spent or second == at_most:
            return second
    raise AssertionError


@pytest.mark.parametrize("before", [0, 1, 10**9])
def test_silence_is_over_in_its_time_whatever_came_before(before: int) -> None:
    pace = Pace(30)
    pace.passed(before)
    assert seconds_until_spent(pace, 0) == 30


@pytest.mark.parametrize(
    ("bytes_a_second", "after_s"),
    [(1, 31), (LEAST_BYTES_PER_S // 2, 60), (LEAST_BYTES_PER_S, 5000), (10**6, 5000)],
)
def test_the_least_rate_is_enough(bytes_a_second: int, after_s: int) -> None:
    assert seconds_until_spent(Pace(30), bytes_a_second) == after_s


def test_a_pause_is_forgiven_and_earned_back() -> None:
    pace = Pace(30)
    for _ in range(20):
        pace.waited(25)
        assert not pace.is_spent
        pace.passed(100 * LEAST_BYTES_PER_S)


def test_the_rate_is_that_of_late() -> None:
    pace = Pace(30)
    pace.passed(10**9)
    assert pace.bytes_per_s() == float("inf")
    for _ in range(20):
        pace.passed(100)
        pace.waited(0.5)
    assert pace.bytes_per_s() == pytest.approx(200, rel=0.3)


def test_who_falls_silent_has_no_rate_at_once() -> None:
    pace = Pace(30)
    for _ in range(5):
        pace.passed(10**6)
        pace.waited(0.5)
    assert pace.bytes_per_s() > 10**5
    pace.waited(1.0)
    assert pace.bytes_per_s() == 0
