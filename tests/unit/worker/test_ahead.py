"""Threads that run ahead, and the budget they run in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.ahead import PixelBudget, done_ahead


def until(condition: Callable[[], bool], within_s: float = 10) -> None:
    over_at = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < over_at
        time.sleep(0.002)


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=20),
    threads=st.integers(1, 5),
    most=st.integers(1, 40),
)
@settings(max_examples=40, deadline=None)
def test_no_more_is_in_flight_than_the_budget_or_one_item(sizes: list[int], threads: int, most: int) -> None:
    budget, lock = PixelBudget(most), threading.Lock()
    in_flight: list[int] = []
    seen: list[list[int]] = []

    def work(size: int) -> int:
        budget.take(size)
        with lock:
            in_flight.append(size)
            seen.append(list(in_flight))
        return size

    got = []
    with done_ahead(work, sizes, threads, budget) as results:
        for size in results:
            got.append(size)
            with lock:
                in_flight.remove(size)
            budget.give_back(size)
    assert sorted(got) == sorted(sizes)
    assert all(sum(each) <= most or len(each) == 1 for each in seen)


def test_all_of_it_runs_ahead_where_there_is_room() -> None:
    done: list[int] = []
    with done_ahead(done.append, range(5), 2, PixelBudget(100)) as results:
        until(lambda: len(done) == 5)  # nobody has asked for a result yet
        assert list(results) == [None] * 5


def test_what_the_work_raises_is_met_by_the_consumer() -> None:
    def work(item: int) -> int:
        if item == 2:
            raise ZeroDivisionError
        return item

    got: list[int] = []
    with pytest.raises(ZeroDivisionError), done_ahead(work, range(5), 1, PixelBudget(1)) as results:
        got.extend(results)
    assert got == [0, 1]


def test_a_consumer_that_leaves_does_not_hang_on_who_waits_for_room() -> None:
    budget, begun = PixelBudget(1), []

    def work(item: int) -> int:
        begun.append(item)
        budget.take(1)
        return item

    with pytest.raises(KeyError), done_ahead(work, range(50), 3, budget) as results:
        next(results)  # holds the budget and never gives it back
        until(lambda: len(begun) == 4)
        raise KeyError
    assert len(begun) < 50


def test_without_items_there_are_no_results() -> None:
    with done_ahead(str, [], 2, PixelBudget(1)) as results:
        assert list(results) == []
