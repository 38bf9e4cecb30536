"""Questions to parts that may not answer at all: asked together, and waited for only so long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

AT_ONCE = 6
"""Threads; when all of them hang, further questions count as not answered."""


class Probes:
    """Asks in threads of its own."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="probe")

    def ask(self, questions: Mapping[str, Callable[[], Any]], *, within_s: float) -> dict[str, Any]:
        """The answers by name; who has not answered in time, or raised, is left out."""
        asked = {name: self._pool.submit(question) for name, question in questions.items()}
        done, _ = wait(asked.values(), within_s)
        for late in set(asked.values()) - done:
            late.cancel()
        return {
            name: answer.result()
            for name, answer in asked.items()
            if answer in done and answer.exception() is None
        }
