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


def halved(size: BatchSize) -> int:
    size.too_many(size.photos)
    return size.photos
