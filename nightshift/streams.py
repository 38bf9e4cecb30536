"""Standard output and error as they may be: closed, full, a pipe that nobody reads, ASCII alone."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class OutputLost(Exception):
    """What was to be printed could not be: standard output is full or closed, or whoever read it has gone."""


class _Strict:
    """Standard output, text or bytes: an error of writing is known for what it is wherever it is caught."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    @property
    def buffer(self) -> Any:
        return _Strict(self._stream.buffer)

    def write(self, data: Any) -> Any:
        with _output_lost_on_error():
            return self._stream.write(data)

    def flush(self) -> None:
        with _output_lost_on_error():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _output_lost_on_error() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeError):
            raise
        raise OutputLost(_why(error)) from error


class _Lenient:
    """Standard error, which nothing depends on: what cannot be written there is dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


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
    if not isinstance(sys.stdout, _Strict):
        sys.stdout = _Strict(sys.stdout)
    if not isinstance(sys.stderr, _Lenient):
        sys.stderr = _Lenient(sys.stderr)


def drop_output() -> None:
    """Let what is left unwritten go, so that Python does not complain of it at its end."""
    with suppress(OSError):
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.close(sink)


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        return "whoever read it has gone"
    if isinstance(error, OSError) and error.errno == errno.EBADF:
        return "standard output is closed"
    return str(getattr(error, "strerror", None) or error)
