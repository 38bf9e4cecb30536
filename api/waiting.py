"""Long polls: a request that waits for a change, in one of few seats."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK_EVERY_S = 0.5


class WaitingRoom:
    """Seats for waiting requests; who finds none is answered at once.

    Args:
        seats: how many may wait, so that waiting never takes every thread.
    """

    def __init__(self, seats: int) -> None:
        self._seats = threading.BoundedSemaphore(seats)
        self._closed = threading.Event()

    def close(self) -> None:
        """Answer everybody now, and let nobody wait any more: the server is about to stop."""
        self._closed.set()

    @contextmanager
    def seat(self) -> Iterator[bool]:
        """True, holding a seat, or False when all are taken."""
        seated = self._seats.acquire(blocking=False)
        try:
            yield seated
        finally:
            if seated:
                self._seats.release()

    def wait(self, is_over: Callable[[], bool], *, at_most_s: float, client: socket.socket | None) -> bool:
        """Look again and again until `is_over`, the time has passed, the client has gone or the room closes.

        Returns:
            False when there was no seat and nothing was waited for.
        """
        deadline_s = time.monotonic() + at_most_s
        with self.seat() as seated:
            while seated and not is_over() and not _has_gone(client):
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    break
                if self._closed.wait(min(LOOK_EVERY_S, left_s)):
                    break
        return seated


def _has_gone(client: socket.socket | None) -> bool:
    """True when the client has closed its side; unread bytes (a next request) mean it has not."""
    if client is None:
        return False
    try:
        poll = select.poll()
        poll.register(client, select.POLLIN)
        return bool(poll.poll(0)) and client.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True
