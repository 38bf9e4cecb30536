"""Halving: who fails, who does not, and how large the calls become."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.pipeline.isolation import isolated


@settings(deadline=None)
@given(st.integers(0, 40), st.sets(st.integers(0, 39)))
def test_exactly_the_bad_items_fail_and_order_is_kept(count: int, bad: set[int]) -> None:
    def square(items: Sequence[int]) -> list[int]:
        if bad.intersection(items):
            raise ValueError(f"one of {list(items)}")
        return [item * item for item in items]

    results = isolated(square, range(count))
    assert len(results) == count
    for item, result in enumerate(results):
        if item in bad:
            assert isinstance(result, ValueError)
            assert str(result) == f"one of [{item}]"
        else:
            assert result == item * item


def test_a_batch_too_large_for_the_memory_is_worked_off_in_smaller_ones() -> None:
    sizes: list[int] = []

    def call(items: Sequence[int]) -> Sequence[int]:
        sizes.append(len(items))
        if len(items) > 3:
            raise MemoryError
        return items

    assert isolated(call, range(10)) == list(range(10))
    assert max(size for size in sizes if size <= 3) >= 2


def test_a_stop_is_no_error_of_an_item() -> None:
    def call(items: Sequence[int]) -> Sequence[int]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        isolated(call, [1, 2])
