"""How many photos a worker process claims at once: less after memory ran short, more again later."""

from __future__ import annotations

GROW_AFTER = 20
"""Batches without trouble after which one photo more is tried."""


class BatchSize:
    """Halves when memory is short and grows back one by one.

    Args:
        most: photos, as configured.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._quiet = 0
        self.photos = most

    def too_many(self, photos: int) -> None:
        """Memory was short with so many."""
        self.photos = max(1, min(self.photos, photos // 2))
        self._quiet = 0

    def begin(self) -> None:
        """A batch begins; after enough of them without trouble the next may have one photo more."""
        self._quiet += 1
        if self._quiet > GROW_AFTER and self.photos < self._most:
            self.photos += 1
            self._quiet = 1
