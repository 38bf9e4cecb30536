"""Photos that take much memory: one at a time on a machine, whichever worker process has it."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)

POLL_S = 0.1


class Alone:
    """A lock that all worker processes of one home share; the kernel opens it when its holder dies.

    Args:
        path: of the lock's file; None: no lock. Where it cannot be locked, photos go on without.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    @contextmanager
    def held(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Wait until nobody else holds it.

        Args:
            waiting: called again and again until then; what it raises passes through.
        """
        handle = self._open()
        if handle is None:
            yield
            return
        try:
            while not self._taken(handle):
                waiting()
                time.sleep(POLL_S)
            yield
        finally:
            os.close(handle)

    def _open(self) -> int | None:
        if self._path is None:
            return None
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            log.warning("large photos are not decoded one at a time", extra={"reason": str(error)})
            return None

    def _taken(self, handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EINTR):
                return False
            log.warning("large photos are not decoded one at a time", extra={"reason": str(error)})
        return True
