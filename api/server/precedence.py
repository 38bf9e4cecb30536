"""Who runs first: while the poller has a crowd to see to, requests hold back."""

from __future__ import annotations

import threading

SOME = 4
"""Threads that go on at a time while there is a crowd."""
HOLD_BACK_S = 0.5
"""At most, each time, however long the crowd is: who uploads must go on."""


class Precedence:
    """The main thread's right of way.

    Threads have one interpreter between them. The main thread lets go of it with every call of the system,
    and among twenty that want it, too, it comes back late: it took ten times as long as its work.
    So threads hold back while there is a crowd, at the places where they call `hold_back`.
    """

    def __init__(self) -> None:
        self.is_taken = False
        self._let_through = 0
        self._turn = threading.Condition(threading.Lock())

    def take(self) -> None:
        """Go first from now on. Only the main thread does."""
        self.is_taken = True

    def let_some_through(self) -> None:
        """Have those go on who have held back for longest, up to the next such place."""
        if self.is_taken:
            with self._turn:
                self._let_through = SOME
                self._turn.notify(SOME)

    def give_back(self) -> None:
        """The crowd is over."""
        if self.is_taken:
            with self._turn:
                self.is_taken = False
                self._let_through = 0
                self._turn.notify_all()

    def hold_back(self) -> None:
        """Wait for the main thread; where nothing is held that it may want."""
        if not self.is_taken:
            return
        with self._turn:
            if self._turn.wait_for(lambda: not self.is_taken or self._let_through > 0, HOLD_BACK_S):
                self._let_through = max(0, self._let_through - 1)
