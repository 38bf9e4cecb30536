"""How fast a job goes: photos made final over the last minute, or over the whole of a run that has ended."""

from __future__ import annotations

from collections import deque

WINDOW_S = 60.0
"""Samples older than this no longer count, as long as a later one is there."""
SHORTEST_SPAN_S = 1.0
"""Over less than this a rate is chance."""
SHORTEST_RUN_S = 10.0
"""Of a shorter one, much is the first batch, which warms the networks up: its rate says little."""


def per_second(photos: int, seconds: float, shortest_s: float) -> float | None:
    """Photos a second, None over less than `shortest_s`."""
    return max(0, photos) / seconds if seconds >= shortest_s else None


class Rate:
    """Samples of (time, final photos), from which the rate is the slope between the ends."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def sample(self, at_s: float, final: int) -> None:
        """Take a sample; times must not fall."""
        self._samples.append((at_s, final))
        while len(self._samples) > 2 and at_s - self._samples[1][0] >= WINDOW_S:
            self._samples.popleft()

    @property
    def is_empty(self) -> bool:
        """True before the first sample."""
        return not self._samples

    @property
    def per_second(self) -> float | None:
        """Photos a second, None when the samples lie too close together to say."""
        if len(self._samples) < 2:
            return None
        (first_s, first), (last_s, last) = self._samples[0], self._samples[-1]
        return per_second(last - first, last_s - first_s, SHORTEST_SPAN_S)
