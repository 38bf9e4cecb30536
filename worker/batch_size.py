"""How many photos a worker process claims at once: less after memory ran short, more again later."""

from __future__ import annotations

GROW_AFTER = 20
"""Batches without trouble after which one photo more is tried."""


class BatchSize:
    """Halves when memory is short and grows back one by one.

    Args:
        most: photos, as configured.
        first: photos of the first batch. A small one is soon done, and shows that there is progress, while
            the networks meet their first pictures.
    """

    def __init__(self, most: int, first: int | None = None) -> None:
        self._most = most
        self._quiet = 0
        self._is_first = first is not None
        self.photos = min(first or most, most)

    def too_many(self, photos: int) -> None:
        """Memory was short with so many."""
        self.photos = max(1, min(self.photos, photos // 2))
        self._quiet = 0
        self._is_first = False

    def begin(self) -> None:
        """A batch begins; after enough of them without trouble the next may have one photo more."""
        if self._is_first:
            self._is_first, self.photos = False, self._most
        self._quiet += 1
        if self._quiet > GROW_AFTER and self.photos < self._most:
            self.photos += 1
            self._quiet = 1
