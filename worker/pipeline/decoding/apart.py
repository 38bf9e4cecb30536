"""Decoders that are not trusted, in a process of their own: what ends it costs one file, not the worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any, NamedTuple

from nightshift.words.error_codes import Code
from nightshift.words.errors import Unreadable
from shared.processes.bare import bare_environment
from worker.pipeline.decoding.refusal import damaged

COMMAND = (sys.executable, "-m", "worker.pipeline.decoding.apart_child")

_SPARE_BYTES = 300_000_000
"""Address space that the libraries take for themselves, beside what is reckoned."""

_PATIENCE_S = 5.0

_MEMORY = frozenset({"MemoryError", "LibRawUnsufficientMemoryError"})


class Answer(NamedTuple):
    """What is known of a picture, by name, and its bytes."""

    known: dict[str, Any]
    bodies: list[bytes]


_LONGEST_LINE = 10_000
"""Bytes of what is known of a picture; whatever goes on for longer is no answer."""


class _Process(NamedTuple):
    """The process and its two pipes."""

    child: subprocess.Popen[bytes]
    questions: IO[bytes]
    answers: IO[bytes]


class Refused(Exception):
    """A decoder raised something.

    Attributes:
        kind: the name of its exception.
        reason: its first line.
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason or kind)
        self.kind = kind
        self.reason = reason


class Apart:
    """The process, started when it is first needed, and again when it has died. One file at a time.

    Args:
        command: that starts it.
    """

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._owner = 0
        self._answered = 0

    def ask(
        self, operation: str, data: bytes, *, package: str, memory: int, seconds: float, **more: object
    ) -> Answer:
        """Have something done with a file.

        Args:
            operation: one of `worker.pipeline.decoding.apart_child.OPERATIONS`.
            data: the whole file.
            package: that has the decoder, as it is installed.
            memory: bytes that it may take.
            seconds: of a processor that it may take.
            more: what else is to be said.

        Raises:
            Refused: the decoder raised something.
            Unreadable: `decoder_not_installed`; `too_much_memory`; `timeout` where it took longer;
                `corrupt_image` where the file ended the process.
            MemoryError: the system ended the process.
        """
        asked = {
            "operation": operation,
            "size": len(data),
            "memory": memory + _SPARE_BYTES,
            "seconds": seconds,
            **more,
        }
        with self._lock:
            known, bodies = self._asked(json.dumps(asked).encode() + b"\n", data, asked)
        error, reason = known.get("error"), known.get("reason", "")
        if error == "missing":
            raise Unreadable(
                Code.DECODER_NOT_INSTALLED,
                f'its decoder is not installed where the worker runs: pip install "{package}"',
            )
        if error in _MEMORY:
            raise Unreadable(Code.TOO_MUCH_MEMORY, "decoding it would take more memory than it may")
        if error is not None:
            raise Refused(error, reason)
        return Answer(known, bodies)

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _asked(self, line: bytes, data: bytes, asked: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        while True:
            process = self._running()
            is_new = not self._answered
            try:
                process.questions.write(line)
                process.questions.write(data)
                process.questions.flush()
                found = _read_answer(process.answers, asked["memory"])
                self._answered += 1
                return found
            except OSError:
                # It is about to end by itself, and of what it ends is to be known.
                why = _what_ended(self._end(_PATIENCE_S), asked["seconds"])
            except (ValueError, TypeError, AttributeError, RecursionError):
                self._end()
                why = damaged("its decoder gave no answer that can be read")
            except BaseException:
                # What is left of an answer would be taken for the next one.
                self._end()
                raise
            # An earlier file may have broken the process that this one met its end in.
            if is_new or not isinstance(why, Unreadable) or why.code != Code.CORRUPT_IMAGE:
                raise why

    def _running(self) -> _Process:
        if self._process is not None and self._owner != os.getpid():
            self._process = None  # it is the process's that this one was forked from
        if self._process is None or self._process.child.poll() is not None:
            self._end()
            self._owner, self._answered = os.getpid(), 0
            pipe = subprocess.PIPE
            child = subprocess.Popen(  # noqa: S603 - a command of ours
                self._command,
                stdin=pipe,
                stdout=pipe,
                stderr=subprocess.DEVNULL,
                env=bare_environment(),
            )
            assert child.stdin and child.stdout  # noqa: S101 - they are pipes
            self._process = _Process(child, child.stdin, child.stdout)
        return self._process

    def _end(self, patience_s: float = 0) -> int:
        """End the process; returns its exit status, by which signal it ended where that is negative."""
        process, self._process = self._process, None
        if process is None:
            return 0
        with suppress(subprocess.TimeoutExpired):
            process.child.wait(patience_s)
        process.child.kill()
        status = process.child.wait()
        process.answers.close()
        with suppress(OSError):
            process.questions.close()
        return status


def _read_answer(answers: IO[bytes], most_bytes: int) -> tuple[dict[str, Any], list[bytes]]:
    """What it says.

    Raises:
        OSError: it breaks off.
        ValueError, TypeError, AttributeError, RecursionError: no process of ours says that.
    """
    line = answers.readline(_LONGEST_LINE)
    if not line:
        raise BrokenPipeError
    known: dict[str, Any] = json.loads(line)
    sizes: list[int] = known.pop("sizes", None)
    if min(sizes, default=0) < 0 or sum(sizes) > most_bytes:
        raise ValueError(sizes)
    bodies = [answers.read(size) for size in sizes]
    if list(map(len, bodies)) != sizes:
        raise BrokenPipeError
    return known, bodies


def _what_ended(status: int, seconds: float) -> Exception:
    if status == -signal.SIGKILL:
        return MemoryError("the decoder was ended by the system; memory may be short")
    if status in (-signal.SIGPROF, -signal.SIGALRM):
        return Unreadable(Code.TIMEOUT, f"decoding it took over {seconds:g} s of a processor")
    name = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    return damaged(f"its decoder broke off ({name})")


APART = Apart()
"""Of this process."""
