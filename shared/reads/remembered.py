"""What many ask for at the same time is made once, and remembered for a moment."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Made = TypeVar("Made")

MOST = 256
"""Answers remembered at most; the one not asked for longest is forgotten."""


@dataclass(slots=True)
class _Entry(Generic[Made]):
    making: threading.Lock = field(default_factory=threading.Lock)
    # When its making was begun, at which version of what it is made of, and what came out.
    made: tuple[float, int, Made] | None = None


class Remembered(Generic[Made]):
    """Answers by who asks, each for `fresh_s` seconds; safe between threads.

    Who asks while one is being made anew gets the one before, unless something has changed since.

    Args:
        fresh_s: how old an answer may be, seconds, from when its making began.
        monotonic_s: the clock.
    """

    def __init__(self, fresh_s: float, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._fresh_s = fresh_s
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry[Made]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Made], version: int = 0) -> Made:
        """The answer for `key`.

        Args:
            key: who asks, for what.
            make: makes it; what it raises is raised, and nothing is remembered.
            version: of what it is made of: an answer of another version is not handed out.
        """
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > MOST:
                self._entries.popitem(last=False)
        made = entry.made
        is_of_this_version = made is not None and made[1] == version
        if made is not None and is_of_this_version and self._is_fresh(made[0]):
            return made[2]
        if not entry.making.acquire(blocking=not is_of_this_version) and made is not None:
            return made[2]
        try:
            # Who waited may find it made.
            made = entry.made
            if made is not None and made[1] == version and self._is_fresh(made[0]):
                return made[2]
            begun_s = self._monotonic_s()
            entry.made = (begun_s, version, make())
            return entry.made[2]
        finally:
            entry.making.release()

    def get_soon(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """The answer for `key`; while an old one is made anew, which a thread does beside, nobody waits.

        What that raises is dropped, and the next who asks has it tried again.
        """
        entry = self._entries.get(key)
        made = entry.made if entry else None
        if entry is None or made is None:
            return self.get(key, make)
        if not self._is_fresh(made[0]) and not entry.making.locked():
            threading.Thread(target=self._renew, args=(key, make), name="remembered", daemon=True).start()
        return made[2]

    def _renew(self, key: Hashable, make: Callable[[], Made]) -> None:
        with suppress(Exception):
            self.get(key, make)

    def _is_fresh(self, begun_s: float) -> bool:
        return self._monotonic_s() - begun_s < self._fresh_s
