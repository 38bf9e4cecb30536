"""Questions to parts that may not answer at all: asked together, and waited for only so long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

AT_ONCE = 6
"""Threads, more than there are parts to ask."""


class Probes:
    """Asks in threads of its own."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="probe")
        self._lock = threading.Lock()
        self._asked: dict[str, tuple[Future[Any], float]] = {}

    def ask(self, questions: Mapping[str, Callable[[], Any]], *, within_s: float) -> dict[str, Any]:
        """The answers by name; who has not answered in time, or raised, is left out.

        Who has not answered an earlier question is not asked another, and its time has begun then: whatever
        hangs takes one thread, and holds up the first who asks.
        """
        with self._lock:
            for name, question in questions.items():
                if name not in self._asked or self._asked[name][0].done():
                    self._asked[name] = (self._pool.submit(question), time.monotonic())
            asked = {name: self._asked[name] for name in questions}
        found = {}
        for name, (answer, at_s) in asked.items():
            with suppress(Exception):
                found[name] = answer.result(max(0.0, at_s + within_s - time.monotonic()))
        return found
