from __future__ import annotations

from worker.batch_size import GROW_AFTER, BatchSize


def test_it_halves_down_to_one_and_grows_back_to_what_is_configured() -> None:
    size = BatchSize(8)
    assert [halved(size) for _ in range(5)] == [4, 2, 1, 1, 1]
    for _ in range(7 * GROW_AFTER):
        size.begin()
    assert size.photos == 7
    size.begin()
    assert size.photos == 8
    for _ in range(5 * GROW_AFTER):
        size.begin()
    assert size.photos == 8


def test_the_first_batch_may_be_small_and_is_no_reason_to_be_careful() -> None:
    size = BatchSize(8, first=1)
    assert size.photos == 1
    size.begin()
    assert size.photos == 8
    short = BatchSize(8, first=1)
    short.too_many(1)
    short.begin()
    assert short.photos == 1


def halved(size: BatchSize) -> int:
    size.too_many(size.photos)
    return size.photos
