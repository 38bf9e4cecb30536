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

PASSABLE = 10
"""An answer this many times as old as a fresh one may be is handed out while a new one is made, and no older:
what was told last night would be told again to the second of two who ask this morning."""


def _never_changes() -> int:
    return 0


@dataclass(slots=True)
class _Entry(Generic[Made]):
    making: threading.Lock = field(default_factory=threading.Lock)
    # When its making began, at which version of what it is made of, and what came out.
    made: tuple[float, int, Made] | None = None


class Remembered(Generic[Made]):
    """Answers by who asks, each for `fresh_s` seconds; safe between threads.

    Who asks while one is being made anew gets the one before, unless something has changed since. Who has to
    wait for a new one gets what was begun after they asked: of many who wait, one makes it for all.

    Args:
        fresh_s: how old an answer may be, seconds, from when its making began.
        monotonic_s: the clock.
    """

    def __init__(self, fresh_s: float, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._fresh_s = fresh_s
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry[Made]] = OrderedDict()

    def get(
        self, key: Hashable, make: Callable[[], Made], version: Callable[[], int] = _never_changes
    ) -> Made:
        """The answer for `key`.

        Args:
            key: who asks, for what.
            make: makes it; what it raises is raised, and nothing is remembered.
            version: of what it is made of, which only grows: an answer made at an earlier one than when it is
                asked for is not handed out.
        """
        asked_at = version()
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > MOST:
                self._entries.popitem(last=False)
        made = entry.made
        if made is not None and self._is_good(made, asked_at, self._fresh_s):
            return made[2]
        may_be_old = made is not None and self._is_good(made, asked_at, PASSABLE * self._fresh_s)
        if not entry.making.acquire(blocking=not may_be_old) and made is not None:
            return made[2]
        try:
            # Who waited may find it made.
            made = entry.made
            if made is not None and self._is_good(made, asked_at, self._fresh_s):
                return made[2]
            # Taken now, and not when it was asked for: it is good for all who wait by now.
            begun_s, at = self._monotonic_s(), version()
            entry.made = (begun_s, at, make())
            return entry.made[2]
        finally:
            entry.making.release()

    def get_soon(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """The answer for `key`; while an old one is made anew, which a thread does beside, nobody waits.

        What that raises is dropped, and the next who asks has it tried again.
        """
        entry = self._entries.get(key)
        made = entry.made if entry else None
        if entry is None or made is None or not self._is_good(made, 0, PASSABLE * self._fresh_s):
            return self.get(key, make)
        if not self._is_good(made, 0, self._fresh_s) and not entry.making.locked():
            threading.Thread(target=self._renew, args=(key, make), name="remembered", daemon=True).start()
        return made[2]

    def _renew(self, key: Hashable, make: Callable[[], Made]) -> None:
        with suppress(Exception):
            self.get(key, make)

    def _is_good(self, made: tuple[float, int, Made], asked_at: int, most_s: float) -> bool:
        begun_s, version, _ = made
        return version >= asked_at and self._monotonic_s() - begun_s < most_s
