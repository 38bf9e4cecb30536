"""Who runs first: while the poller has a crowd to see to, requests hold back."""

from __future__ import annotations

import threading
import time

LONGEST_S = 0.6
"""Without a pause."""
PAUSE = 1 / 3
"""Of the time that it was taken for; then the threads have the interpreter as well."""
HOLD_BACK_S = 2.0
"""At most, whatever becomes of the poller."""


class Precedence:
    """The main thread's right of way.

    Threads have one interpreter between them. The main thread lets go of it with every call of the system,
    and among twenty that want it, too, it comes back late: it took ten times as long as its work.
    So threads hold back while there is a crowd; of a long one, for three quarters of the time.
    """

    def __init__(self) -> None:
        self._is_free = threading.Event()
        self._is_free.set()
        self._taken_s = self._not_before_s = 0.0

    @property
    def is_taken(self) -> bool:
        """Whether threads hold back."""
        return not self._is_free.is_set()

    def take(self) -> None:
        """Go first, if it is not the others' time yet. Only the main thread does."""
        if self._is_free.is_set():
            now_s = time.monotonic()
            if now_s >= self._not_before_s:
                self._taken_s = now_s
                self._is_free.clear()

    def give_back(self, *, is_over: bool = True) -> None:
        """Let the others go on; before the crowd `is_over` only when they have been held up for long."""
        if not self._is_free.is_set():
            now_s = time.monotonic()
            taken_s = now_s - self._taken_s
            if is_over or taken_s > LONGEST_S:
                self._not_before_s = now_s + taken_s * PAUSE
                self._is_free.set()

    def hold_back(self) -> None:
        """Wait, in a thread that holds nothing the main thread may want, until that has seen to its crowd."""
        if not self._is_free.is_set():
            self._is_free.wait(HOLD_BACK_S)
