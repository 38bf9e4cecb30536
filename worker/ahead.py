"""Work that runs ahead of its consumer in threads, within a budget of pixels."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class PixelBudget:
    """How many pixels may lie in memory at once. One photo that is over it alone is let in alone.

    Args:
        most: the budget, pixels.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._closed = False
        self._changed = threading.Condition()

    def take(self, pixels: int) -> None:
        """Wait until there is room, and take it; once closed, take without waiting."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or not self._taken or self._taken + pixels <= self._most
            )
            self._taken += pixels

    def give_back(self, pixels: int) -> None:
        """Let others have it."""
        with self._changed:
            self._taken -= pixels
            self._changed.notify_all()

    def close(self) -> None:
        """Let everybody go on who waits: what they hold will be dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


@contextmanager
def done_ahead(
    work: Callable[[Item], Result], items: Sequence[Item], threads: int, budget: PixelBudget
) -> Iterator[Iterator[Result]]:
    """Do something to each item in threads; gives the results as they come, in whatever order.

    As they come and not in order, since a result that holds pixels must never wait for one that waits for
    room.

    Args:
        work: may raise; the consumer meets it as it would the result.
        items: all are begun unless the consumer leaves first.
        threads: how many at once.
        budget: closed when the consumer leaves.
    """
    done: queue.SimpleQueue[Future[Result]] = queue.SimpleQueue()
    with ThreadPoolExecutor(threads, thread_name_prefix="ahead") as pool:
        for item in items:
            pool.submit(work, item).add_done_callback(done.put)
        try:
            yield (done.get().result() for _ in items)
        finally:
            budget.close()
            pool.shutdown(wait=False, cancel_futures=True)
