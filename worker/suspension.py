"""Notices that this process did not run for a while, or that the clock was set: then leases tell nothing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

SHORTEST_GAP_S = 2.0
"""A busy machine may keep a thread waiting so long."""


class SuspensionWatch:
    """Says whether leases that ran out can be blamed on their workers.

    After a closed lid, a stopped process, a clock that was set or a database that was away, the workers'
    heartbeats were as silent as this process: they get one lease's time first. Safe between threads.

    Attributes:
        gap_s: silence that is no accident any more, seconds.

    Args:
        lease_s: seconds a lease lasts without a heartbeat.
        wall_s: the clock that goes on while a machine sleeps.
        monotonic_s: the clock that nobody sets.
    """

    def __init__(
        self,
        lease_s: float,
        wall_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lease_s = lease_s
        self._wall_s = wall_s
        self._monotonic_s = monotonic_s
        self.gap_s = max(SHORTEST_GAP_S, lease_s / 4)
        self._seen_at_s = wall_s()
        self._offset_s: float | None = None
        # Nobody knows how long this machine, or the database, was away before.
        self._trusted_from_s = monotonic_s() + lease_s

    def watch(self, stop: threading.Event) -> None:
        """Look at the clock again and again, in a thread of its own, so that slow work is no suspension."""
        while not stop.wait(min(1.0, self.gap_s / 4)):
            self.look()

    def look(self) -> None:
        """Compare the wall clock with the last look."""
        now_s = self._wall_s()
        gap_s = abs(now_s - self._seen_at_s)
        self._seen_at_s = now_s
        if gap_s > self.gap_s:
            log.warning("suspended, or the clock was set: waiting one lease", extra={"gap_s": round(gap_s)})
            self.distrust()

    def distrust(self) -> None:
        """Leases tell nothing until one lease's time from now."""
        self._trusted_from_s = self._monotonic_s() + self._lease_s

    def leases_can_be_trusted(self, leases_s: float) -> bool:
        """True when a lease that ran out means that its worker is gone.

        Args:
            leases_s: now by the clock that leases are held against, which may be another machine's.
        """
        self.look()
        offset_s = leases_s - self._monotonic_s()
        if self._offset_s is not None and abs(offset_s - self._offset_s) > self.gap_s:
            log.warning(
                "the clock was set: waiting one lease", extra={"gap_s": round(offset_s - self._offset_s)}
            )
            self.distrust()
        self._offset_s = offset_s
        return self._monotonic_s() >= self._trusted_from_s
