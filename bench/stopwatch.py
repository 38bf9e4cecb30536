"""Where the time goes: wall and processor time by phase, each without the phases within it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


@dataclass(slots=True)
class Spent:
    """Seconds on the clock, and of this process's processor time in all its threads."""

    wall_s: float = 0.0
    cpu_s: float = 0.0


class Stopwatch:
    """Adds up phases of one thread; a phase entered within another interrupts it."""

    def __init__(self) -> None:
        self.spent: dict[str, Spent] = defaultdict(Spent)
        self._phases: list[str] = []
        self._since = (0.0, 0.0)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count what is done within as `name`."""
        self._charge()
        self._phases.append(name)
        try:
            yield
        finally:
            self._charge()
            self._phases.pop()

    def timed(self, name: str, call: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
        """The function, its time counted as `name`."""

        def timed_call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
            with self.phase(name):
                return call(*args, **kwargs)

        return timed_call

    def _charge(self) -> None:
        """Book what has passed since the last change to the phase that it passed in."""
        now = (time.perf_counter(), time.process_time())
        if self._phases:
            spent = self.spent[self._phases[-1]]
            spent.wall_s += now[0] - self._since[0]
            spent.cpu_s += now[1] - self._since[1]
        self._since = now
