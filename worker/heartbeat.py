"""Keeps a lease alive while its batch makes progress, and tells the batch when to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from sqlalchemy.orm import Session

from shared.errors import Transient
from worker.parts import Parts

log = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 4


class Stopped(Exception):
    """This process was asked to end; the batch goes back."""


class LeaseLost(Exception):
    """Another worker has the photos by now; what this one finds no longer counts."""


class Heartbeat:
    """Context of one batch, or of one archive. `progress` is to be called whenever it gets anywhere.

    A batch that hangs calls it no more, its lease runs out, and the sweeper gives its photos to
    another worker.

    Args:
        parts: of this process.
        renew: moves the lease's end in a write transaction; 0 when the lease is lost.
        lease: its token, for the log.
    """

    def __init__(self, parts: Parts, renew: Callable[[Session], int], lease: str) -> None:
        self._parts = parts
        self._renew = renew
        self._lease = lease
        self._steps = 0
        self._lost = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def progress(self) -> None:
        """Note that the batch got on.

        Raises:
            Stopped: the process is to end.
            LeaseLost: the lease is gone.
        """
        self._steps += 1
        if self._parts.should_stop():
            raise Stopped
        if self._lost:
            raise LeaseLost

    def _beat(self) -> None:
        lease_s = self._parts.settings.lease_s
        seen = -1
        while not self._over.wait(lease_s / RENEWALS_PER_LEASE):
            if self._steps == seen:
                continue
            seen = self._steps
            try:
                with self._parts.database.write() as session:
                    still = self._renew(session)
            except Transient as error:
                log.warning("lease %s not renewed: %s", self._lease, error)
                continue
            self._lost = still == 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
