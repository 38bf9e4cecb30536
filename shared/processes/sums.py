"""Counters and histograms as plain JSON: processes add up their own, and anybody adds up theirs."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

BUCKETS: Mapping[str, tuple[float, ...]] = {
    "stage_seconds": (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    "batch_seconds": (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
    "batch_photos": (1, 2, 4, 8, 16, 32, 64, 128, 256),
}
"""Upper bounds of each histogram; a last bucket has no bound."""


class Sums:
    """What one process has counted since it started. Safe between threads.

    A series is named `name` or `name|label value`; there is at most one label, never an id.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def count(self, series: str, by: int = 1) -> None:
        """Add to a counter."""
        with self._lock:
            self._document["counters"][series] += by

    def observe(self, series: str, value: float) -> None:
        """Add to a histogram of `BUCKETS`."""
        bounds = BUCKETS[series.partition("|")[0]]
        with self._lock:
            entry = self._document["histograms"].setdefault(
                series, {"sum": 0.0, "counts": [0] * (len(bounds) + 1)}
            )
            entry["sum"] += value
            entry["counts"][bisect_left(bounds, value)] += 1

    def clear(self) -> None:
        """Begin anew."""
        with self._lock:
            self._document: dict[str, Any] = {"counters": Counter(), "histograms": {}}

    def document(self) -> dict[str, Any]:
        """As kept in the database."""
        with self._lock:
            return deepcopy(self._document)


def added(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two documents as one."""
    counters = Counter(one.get("counters", {}))
    counters.update(other.get("counters", {}))
    histograms = dict(one.get("histograms", {}))
    for series, entry in other.get("histograms", {}).items():
        known = histograms.get(series)
        if known is None:
            histograms[series] = entry
        else:
            counts = [a + b for a, b in zip(known["counts"], entry["counts"], strict=True)]
            histograms[series] = {"sum": known["sum"] + entry["sum"], "counts": counts}
    return {"counters": dict(counters), "histograms": histograms}
