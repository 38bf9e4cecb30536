"""How fast a client passes bytes, by the time that is spent waiting for it and no other."""

from __future__ import annotations

from api.server.limits import LEAST_BYTES_PER_S

SEEN_S = 1.0
"""A client is not called slow before it was waited for so long."""
_SPAN_S = 2.0


class Pace:
    """Time on credit: waiting spends it, bytes earn it back, but never more than there was.

    So a silent client is cut off after `patience_s`, whatever it sent before; one that keeps the least rate
    never is; and what the store or the database take is not held against it.

    Args:
        patience_s: the credit, seconds.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self.left_s = patience_s
        self.passed_bytes = 0
        self.waited_s = self.silent_s = 0.0
        # Of this span and of the last one: bytes, seconds.
        self._now, self._before = (0, 0.0), (0, 0.0)

    @property
    def is_spent(self) -> bool:
        """Whether the client is not to be waited for any longer."""
        return self.left_s <= 0

    def passed(self, size_bytes: int) -> None:
        """So many bytes went through."""
        self.passed_bytes += size_bytes
        if size_bytes:
            self.silent_s = 0.0
        self.left_s = min(self._patience_s, self.left_s + size_bytes / LEAST_BYTES_PER_S)
        self._add(size_bytes, 0.0)

    def waited(self, seconds: float) -> None:
        """The client was waited for."""
        self.waited_s += seconds
        self.silent_s += seconds
        self.left_s -= seconds
        self._add(0, seconds)

    def bytes_per_s(self) -> float:
        """Of the last seconds of waiting; none in silence, endless while it was hardly waited for."""
        if self.silent_s >= SEEN_S:
            return 0.0
        bytes_, seconds = (mine + other for mine, other in zip(self._now, self._before, strict=True))
        return bytes_ / seconds if seconds >= SEEN_S else float("inf")

    def _add(self, size_bytes: int, seconds: float) -> None:
        if self._now[1] >= _SPAN_S:
            self._before, self._now = self._now, (0, 0.0)
        self._now = (self._now[0] + size_bytes, self._now[1] + seconds)
