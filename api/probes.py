"""Questions to parts that may not answer at all: asked together, and waited for only so long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

AT_ONCE = 6
"""Threads, more than there are parts to ask."""


class Probes:
    """Asks in threads of its own."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="probe")
        self._asked: dict[str, Future[Any]] = {}

    def ask(self, questions: Mapping[str, Callable[[], Any]], *, within_s: float) -> dict[str, Any]:
        """The answers by name; who has not answered in time, or raised, is left out.

        Who has not answered an earlier question is not asked another: whatever hangs takes one thread.
        """
        for name, question in questions.items():
            if name not in self._asked or self._asked[name].done():
                self._asked[name] = self._pool.submit(question)
        asked = {name: self._asked[name] for name in questions}
        done, _ = wait(asked.values(), within_s)
        return {
            name: answer.result()
            for name, answer in asked.items()
            if answer in done and answer.exception() is None
        }
