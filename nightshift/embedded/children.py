"""Child processes: each in a session of its own, under a guard, its output in a log file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from nightshift.embedded import guard

_GUARD = [sys.executable, "-I", "-S", str(Path(guard.__file__).resolve())]


@dataclass(frozen=True, slots=True)
class Command:
    """What to start and how.

    Attributes:
        name: as shown to the user; names the log file.
        arguments: the command line.
        environment: whole environment of the child.
        folder: its working directory. Gunicorn and Celery import from there first, whatever Python is told:
            for these it is the folder of our own modules.
        log: file its output is appended to; None leaves it on the runner's standard error.
        refuses_as: its name where it logs that it cannot work at all, as `nightshift NAME: code: why`; empty
            for `name`.
        grace_s: seconds between being asked to stop and being killed.
        passed_fds: open descriptors it inherits under their own numbers.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path | None = None
    refuses_as: str = ""
    grace_s: float = 10.0
    passed_fds: tuple[int, ...] = ()


class Child:
    """A command that runs under its guard until it ends, is stopped, or this process dies."""

    def __init__(self, command: Command) -> None:
        self.command = command
        # Not inheritable: the guard has the reading end, this process alone the writing end.
        reading, writing = os.pipe()
        self._lifeline = os.fdopen(writing, "wb", buffering=0)
        try:
            with command.log.open("ab") if command.log else nullcontext(sys.stderr) as output:
                self._process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
                    [*_GUARD, str(reading), str(command.grace_s), *command.arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=dict(command.environment),
                    cwd=command.folder,
                    pass_fds=(reading, *command.passed_fds),
                    start_new_session=True,
                )
        except BaseException:
            self._lifeline.close()
            raise
        finally:
            os.close(reading)

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Ask it to stop, and have it killed when its grace is over."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it, and all of its process group, without asking."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)

    def wait(self, timeout_s: float) -> bool:
        """True when it has ended within `timeout_s` seconds."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        self._lifeline.close()
        return True
