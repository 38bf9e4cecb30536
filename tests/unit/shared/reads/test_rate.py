from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.reads.tally import Rate


def rate_of(*samples: tuple[float, int]) -> float | None:
    rate = Rate()
    for at_s, final in samples:
        rate.sample(at_s, final)
    return rate.per_second


def test_unknown_until_two_samples_lie_apart() -> None:
    assert rate_of() is None
    assert rate_of((0, 10)) is None
    assert rate_of((0, 10), (0.5, 20)) is None
    assert rate_of((0, 10), (2, 20)) == 5


def test_only_the_last_minute_counts() -> None:
    assert rate_of((0, 0), (100, 1000), (130, 1060), (170, 1140)) == 2


def test_two_samples_are_kept_however_old() -> None:
    assert rate_of((0, 0), (500, 100)) == 0.2


def test_a_job_that_stands_still_goes_at_zero() -> None:
    assert rate_of((0, 5), (30, 5)) == 0


@given(st.lists(st.tuples(st.floats(0.1, 100), st.integers(0, 50)), min_size=2, max_size=50))
def test_never_below_zero_and_never_faster_than_its_fastest_step(steps: list[tuple[float, int]]) -> None:
    samples, at_s, final = [], 0.0, 0
    for step_s, photos in steps:
        at_s, final = at_s + step_s, final + photos
        samples.append((at_s, final))
    rate = rate_of(*samples)
    fastest = max(photos / step_s for step_s, photos in steps)
    assert rate is None or 0 <= rate <= fastest * (1 + 1e-6)
