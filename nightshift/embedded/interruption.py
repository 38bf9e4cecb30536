"""Ctrl-C and SIGTERM: the first asks for an orderly stop, the second forces."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(BaseException):
    """The user, or the system, wants the command to end.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def interruptible(force: Callable[[], None]) -> Iterator[threading.Event]:
    """Raise `Interrupted` in the main thread at the first SIGINT or SIGTERM.

    Args:
        force: ends every child at once; called at the second signal, before this process ends.

    Yields:
        An event to set when the work is done and the parts are being stopped anyway: a first
        signal is then ignored.
    """
    done = threading.Event()
    received = 0

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal received
        received += 1
        if received > 1:
            force()
            os._exit(128 + number)
        if not done.is_set():
            raise Interrupted(number)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield done
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
