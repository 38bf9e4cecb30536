"""Choices at a worker's start do not go by what the machine does beside it."""

from __future__ import annotations

import time

from worker.pipeline.timing import least_time_s


def waits() -> None:
    time.sleep(0.2)


def computes() -> None:
    sum(range(200_000))


def test_on_the_cpu_waiting_for_its_turn_does_not_count() -> None:
    assert least_time_s(waits, 2) < least_time_s(computes, 2)


def test_elsewhere_the_clock_is_asked() -> None:
    assert least_time_s(waits, 2, "cuda:0") > least_time_s(computes, 2, "cuda:0")


def test_the_least_of_the_rounds_counts() -> None:
    rounds = iter([0.3, 0.0, 0.3])
    assert least_time_s(lambda: time.sleep(next(rounds)), 3, "cuda:0") < 0.3
