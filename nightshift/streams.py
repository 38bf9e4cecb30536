"""Standard output and error as they may be: closed, full, a pipe that nobody reads, ASCII alone."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any


class OutputLost(Exception):
    """What was to be printed could not be: standard output is full or closed, or whoever read it has gone."""


@contextmanager
def _output_lost_on_error() -> Iterator[None]:
    """What could not be written to standard output is known for what it is."""
    try:
        yield
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeError):
            raise
        raise OutputLost(_why(error)) from error


class _Guarded:
    """Standard output or error, text or bytes, whose errors of writing are dealt with wherever they arise.

    Args:
        stream: as it is.
        guard: around each writing.
    """

    def __init__(self, stream: Any, guard: Callable[[], AbstractContextManager[bool | None]]) -> None:
        self._stream = stream
        self._guard = guard

    @property
    def buffer(self) -> Any:
        return _Guarded(self._stream.buffer, self._guard)

    def write(self, data: Any) -> Any:
        with self._guard():
            return self._stream.write(data)
        return len(data)

    def flush(self) -> None:
        with self._guard():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _dropped_on_error() -> AbstractContextManager[bool | None]:
    """Nothing depends on standard error: what cannot be written there is dropped."""
    return suppress(OSError, ValueError)


def prepare() -> None:
    """Have both streams take any text, and standard error any fate. To be called before anything is opened.

    A descriptor that is closed would be given to the next file that is opened, a database perhaps, and
    whoever prints would write into it.
    """
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            # The lowest that is free, so this one. What is written to an output that is not there is lost,
            # and is to be known as such: to a descriptor for reading, nothing can be written.
            os.open(os.devnull, os.O_RDWR if fd == 2 else os.O_RDONLY)
            os.set_inheritable(fd, True)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for name in ("COLUMNS", "LINES"):
        if not os.environ.get(name, "1").isdigit() or int(os.environ.get(name, "1")) < 1:
            del os.environ[name]
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if not isinstance(sys.stdout, _Guarded):
        sys.stdout = _Guarded(sys.stdout, _output_lost_on_error)
    if not isinstance(sys.stderr, _Guarded):
        sys.stderr = _Guarded(sys.stderr, _dropped_on_error)


def drop_output() -> None:
    """Let what is left unwritten go, so that Python does not complain of it at its end."""
    with suppress(OSError):
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.close(sink)


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EBADF:
        return "standard output is closed"
    return str(getattr(error, "strerror", None) or error)
