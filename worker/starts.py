"""Whether the pool's processes come up, and stay. Where none does, the worker says why and ends.

Celery starts a child that fell in its place for ever, whatever it fell over, and swallows most of what it
raises. So children tell their parent how they get on, through a pipe: that survives any of their deaths.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Literal

from nightshift.machine.allowance import Allowance, allowance
from nightshift.words.error_codes import Code
from nightshift.words.plain_text import counted, plain
from shared.settings import Settings

log = logging.getLogger(__name__)

MOST_FAILURES = 3
"""Starts in a row that may fail while no process of the pool is up."""

_LONGEST_REASON = 400
"""Bytes of a reason: with the rest of its line it must go through a pipe in one piece."""


class Starts:
    """A pipe from the children to their parent, opened before the pool is."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        # Never to block a child: a parent that does not read is not worth waiting for.
        os.set_blocking(self._writing, False)

    def tell(self, what: Literal["begun", "waits", "up", "done", "failed"], reason: str = "") -> None:
        """In a child: how it gets on.

        Args:
            what: it has begun to build its parts; waits with its networks until a photo needs them; is up;
                has done a batch; or cannot work, and ends.
            reason: of a failure, a code and a sentence.
        """
        reason = " ".join(reason.split())
        line = f"{what} {os.getpid()} ".encode() + reason.encode("utf-8", "replace")[:_LONGEST_REASON]
        try:
            os.write(self._writing, line + b"\n")
        except OSError:
            log.warning("the parent does not listen")

    def watch(self, settings: Settings, give_up: Callable[[str], None]) -> None:
        """In the parent, a thread of its own: call `give_up` with a reason when no child comes up, or stays.

        Args:
            settings: how many processes the pool has, which may be at their start at the same time; and how
                many of them one photo may cost.
            give_up: ends this process.
        """
        record = Record(settings.worker_count, most_killed=2 * settings.max_crashes)
        threading.Thread(target=self._watch, args=(record, give_up), name="starts", daemon=True).start()

    def _watch(self, record: Record, give_up: Callable[[str], None]) -> None:
        with os.fdopen(self._reading, "rb", closefd=False) as lines:
            for line in lines:
                what, pid, reason = line.decode("utf-8", "replace").rstrip("\n").split(" ", 2)
                record.add(what, int(pid), reason)
                if why := record.hopeless():
                    give_up(why)
                    return


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


class Record:
    """What the children told.

    Args:
        processes: of the pool.
        lives: whether a process is there.
        allowed: what may be used, with the kernel's count of what it has killed for memory.
        most_killed: processes that may be killed for memory while no batch is done. A photo that takes them
            along each time is one process's fate after another's, too, until it is given up.
    """

    def __init__(
        self,
        processes: int,
        lives: Callable[[int], bool] = _lives,
        *,
        allowed: Callable[[], Allowance] = allowance,
        most_killed: int = 10,
    ) -> None:
        self._processes = processes
        self._lives = lives
        self._allowed = allowed
        self._most_killed = most_killed
        self._up: set[int] = set()
        self._here: set[int] = set()
        self._begun = self._failed = self._vanished = 0
        self._kills = allowed().kills or 0
        self._reason = ""

    def add(self, what: str, pid: int, reason: str) -> None:
        """Take down a line."""
        if what == "done":
            self._vanished, self._kills = 0, self._allowed().kills or 0
            return
        gone = {other for other in self._here if not self._lives(other)}
        self._vanished += len(gone)
        self._here -= gone
        (self._here.discard if what == "failed" else self._here.add)(pid)
        if what == "up":
            self._up.add(pid)
            self._begun = self._failed = 0
        elif what == "begun":
            self._begun += 1
        elif what == "waits":
            # Whether its networks can be loaded is not known: it shows neither that all is well, nor not.
            self._begun -= 1
        else:
            self._up.discard(pid)
            self._failed += 1
            self._reason = reason

    def hopeless(self) -> str | None:
        """Why none comes up; None while one is up, or may still come."""
        self._up = {pid for pid in self._up if self._lives(pid)}
        if why := self._killed_for_memory():
            return why
        # Those that were killed, by the kernel for memory or by Celery for their silence, tell nothing.
        vanished = self._begun - self._failed - self._processes
        if self._up or max(self._failed, vanished) < MOST_FAILURES:
            return None
        if self._reason:
            return self._reason
        return "start_failed: its processes are ended while they load the weights; memory may be short"

    def _killed_for_memory(self) -> str | None:
        """Why it is of no use to go on; None where it is, or the kernel does not say what it killed."""
        allowed = self._allowed()
        killed = min(self._vanished, (allowed.kills or 0) - self._kills)
        if killed < self._most_killed:
            return None
        says = f"the kernel has killed its processes for memory {killed} times while no batch was done"
        has = f"{allowed.text} may be used, and it has {counted(self._processes, 'process', 'processes')}"
        fewer = ", or set NIGHTSHIFT_WORKERS lower" if self._processes > 1 else ""
        return f"{Code.OUT_OF_MEMORY}: {says}; {has}: give it more memory{fewer}"


def end_worker(reason: str, stop: Callable[[], None], after_s: float) -> None:
    """Say why, have what works come home, and end this process whatever hangs.

    Args:
        reason: a code and a sentence.
        stop: asks for an orderly end.
        after_s: seconds it may take.
    """
    sys.stderr.write(f"nightshift worker: {plain(reason)}\n")
    sys.stderr.flush()
    stop()
    time.sleep(after_s)
    os._exit(1)
