"""Starts the children, starts them again when they die, and stops them in order."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from nightshift.embedded.children import Child, Command
from nightshift.embedded.logs import last_lines
from nightshift.machine.allowance import allowance
from nightshift.machine.pauses import Pauses
from nightshift.words.error_codes import Code
from nightshift.words.errors import NightshiftError

RESTARTS = 4
"""Deaths in a row after which a child is given up."""

PAUSES = Pauses(first_s=0.5, longest_s=8.0)

STEADY_S = 60.0
"""A child that ran this long is healthy again: its earlier deaths are forgotten."""

_LOOK_S = 0.25

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Kept:
    child: Child
    started_at: float
    deaths: int = 0
    restart_at: float | None = None


class Supervisor:
    """Keeps children running.

    Args:
        say: shows one line to the user.

    Attributes:
        say: as given.
        failure: why the service cannot go on, None while it can.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self.failure: str | None = None

    def check(self) -> None:
        """Raise when the service cannot go on.

        Raises:
            NightshiftError: `service_failed`.
        """
        if self.failure:
            raise NightshiftError(Code.SERVICE_FAILED, self.failure)

    def start(self, command: Command, begun: Child | None = None) -> None:
        """Start a child and keep it running, or keep the one that has `begun` by this command."""
        with self._lock:
            self._kept[command.name] = _Kept(begun or Child(command), time.monotonic())
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
                self._thread.start()

    def stop(self, *names: str, within_s: float) -> None:
        """Stop children for good, at the same time; kill those that have not ended in `within_s` seconds."""
        with self._lock:
            stopping = [kept for name in names if (kept := self._kept.pop(name, None))]
        for kept in stopping:
            kept.child.ask_to_stop()
        over_at = time.monotonic() + within_s
        for kept in stopping:
            if not kept.child.wait(max(0.0, over_at - time.monotonic())):
                log.warning("%s did not stop within %.0f s", kept.child.command.name, within_s)
                kept.child.kill()
                kept.child.wait(5.0)

    def kill_all(self) -> None:
        """End every child at once."""
        self._over.set()
        # No lock: this is the way out when an orderly stop is stuck in it.
        for kept in list(self._kept.values()):
            kept.child.kill()

    def close(self) -> None:
        """Stop watching. Children still there end with this process."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(5.0)

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_S):
            with self._lock:
                for name, kept in self._kept.items():
                    self._look_at(name, kept)

    def _look_at(self, name: str, kept: _Kept) -> None:
        now = time.monotonic()
        if kept.restart_at is not None:
            if now >= kept.restart_at and not self.failure:
                self._start_again(name, kept, now)
            return
        code = kept.child.exit_code
        if code is None or self.failure:
            return
        kept.child.wait(0)
        if now - kept.started_at > STEADY_S:
            kept.deaths = 0
        kept.deaths += 1
        log.error("%s ended with code %d, death %d", name, code, kept.deaths)
        if refusal := _refusal(kept.child.command):
            # Started again, it would say the same.
            self.failure = refusal
            return
        if kept.deaths > RESTARTS:
            self.failure = _how_it_ends(kept.child.command, code)
            return
        pause_s = PAUSES.after(kept.deaths)
        self.say(f"{name} ended with code {code}{_by_the_kernel(code)}; starting it again in {pause_s:g} s")
        kept.restart_at = now + pause_s

    def _start_again(self, name: str, kept: _Kept, now: float) -> None:
        try:
            kept.child, kept.started_at, kept.restart_at = Child(kept.child.command), now, None
        except OSError as error:
            # Of the machine: no memory for a process, no descriptor, no room for its log. It may pass.
            kept.deaths += 1
            kept.restart_at = now + PAUSES.after(kept.deaths)
            log.error("%s cannot be started: %s", name, error)
            if kept.deaths > RESTARTS:
                self.failure = f"{name} cannot be started again: {error.strerror or error}"


def _refusal(command: Command) -> str | None:
    """What a child said of why it cannot work, where it said so."""
    if command.log is None:
        return None
    marked = f"nightshift {command.refuses_as or command.name}: "
    lines = [line for line in last_lines(command.log, 20).split("\n") if marked in line]
    return lines[-1].partition(marked)[2] if lines else None


def _by_the_kernel(code: int) -> str:
    """What is likely behind a kill: nobody here sends one to a child that is to go on."""
    killed = code == 128 + signal.SIGKILL
    return (
        f": killed, as the kernel does when memory is short; {allowance().text} may be used" if killed else ""
    )


def _how_it_ends(command: Command, code: int) -> str:
    text = f"{command.name} keeps ending (code {code}{_by_the_kernel(code)})"
    if command.log is None:
        return text
    # One line: of a traceback it is the one that says what it was.
    return f"{text}; {command.log} ends: {last_lines(command.log, 1).strip()}"
