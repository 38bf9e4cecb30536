"""Keeps a lease alive while its batch makes progress, and tells the batch when to stop."""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import Self

from shared.clock import utc_now
from shared.errors import Transient
from shared.queue.claim import Claim, renew
from worker.parts import Parts

log = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 4


class Stopped(Exception):
    """This process was asked to end; the batch goes back."""


class LeaseLost(Exception):
    """Another worker has the photos by now; what this one finds no longer counts."""


class Heartbeat:
    """Context of one batch. `progress` is to be called whenever the batch gets anywhere.

    A batch that hangs calls it no more, its lease runs out, and the sweeper gives its photos to
    another worker.
    """

    def __init__(self, parts: Parts, held: Claim) -> None:
        self._parts = parts
        self._held = held
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
                    still = renew(session, self._held, lease_s=lease_s, now=utc_now())
            except Transient as error:
                log.warning("lease %s not renewed: %s", self._held.token, error)
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
