"""Keeps a lease alive while its batch makes progress, and ends what gets nowhere."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from nightshift.words.errors import Transient
from shared.queue.claim import Claim
from shared.queue.unpacking import HeldArchive
from worker.logged import ids_of
from worker.parts import Parts

log = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 4
STUCK = 75
"""Exit status of a process that ended itself because it got nowhere; its parent starts another."""


class Progress(Protocol):
    """See `Heartbeat.progress`."""

    def __call__(self, at: Collection[str] = (), *, at_store: bool = False) -> None: ...  # noqa: D102


class Stopped(BaseException):
    """This process was asked to end; the batch goes back. Nobody may take it for a photo's error."""


@dataclass(frozen=True, slots=True)
class Stall:
    """A batch, or an archive, that gets nowhere.

    Attributes:
        at: ids of the photos that it is at; empty where it is at none in particular.
        at_store: whether it is the store, or a disk, that it waits for.
        stopping: whether it is merely too slow for a stop.
    """

    at: Collection[str] = ()
    at_store: bool = False
    stopping: bool = False


class LeaseLost(BaseException):
    """Another worker has the photos by now; what this one finds no longer counts, and is no photo's error."""


class Heartbeat:
    """Context of one batch, or of one archive. `progress` is to be called whenever it gets anywhere.

    Nothing in Python stops a decoder that never returns. A batch without progress is therefore let go of
    by this thread, in the database, and then the process ends. So it is when the process was asked to stop
    and the batch does not come home in time.

    Args:
        parts: of this process.
        held: whose lease it keeps.
    """

    def __init__(self, parts: Parts, held: Claim | HeldArchive) -> None:
        self._parts = parts
        self._held = held
        self._steps = 0
        self._at: dict[int, Stall] = {}
        self._lost = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="heartbeat", daemon=True)

    def progress(self, at: Collection[str] = (), *, at_store: bool = False) -> None:
        """Note that the batch got on.

        Args:
            at: ids of the photos that this thread is at from now; empty where it is at none in particular.
            at_store: whether what comes next is the store's to do.

        Raises:
            Stopped: the process is to end.
            LeaseLost: the lease is gone.
        """
        self._at[threading.get_ident()] = Stall(at, at_store)
        self._steps += 1
        if self._parts.should_stop():
            raise Stopped
        if self._lost:
            raise LeaseLost

    def _stall(self) -> Stall:
        """Where all threads are. Those that wait for the store are not to blame while another is at work."""
        stalls = [stall for stall in list(self._at.values()) if stall.at]
        busy = [stall for stall in stalls if not stall.at_store]
        return Stall([photo for stall in busy or stalls for photo in stall.at], bool(stalls) and not busy)

    def _watch(self) -> None:
        settings = self._parts.settings
        tick_s = min(1.0, settings.stall_s / 4, settings.lease_s / RENEWALS_PER_LEASE)
        seen = renewed = -1
        idle_s = stopping_s = since_renewal_s = 0.0
        looked_at_s = time.monotonic()
        while not self._over.wait(tick_s):
            now_s = time.monotonic()
            # While the process itself was suspended, no photo was to blame.
            passed_s = min(now_s - looked_at_s, 2 * tick_s)
            since_renewal_s += now_s - looked_at_s
            looked_at_s = now_s
            idle_s = 0.0 if self._steps != seen else idle_s + passed_s
            seen = self._steps
            stopping_s += passed_s if self._parts.should_stop() else 0.0
            if idle_s > settings.stall_s:
                self._end(self._stall(), "no progress")
            elif stopping_s > settings.shutdown_s:
                self._end(Stall(stopping=True), "not home in time after a stop")
            elif seen != renewed and since_renewal_s >= settings.lease_s / RENEWALS_PER_LEASE:
                renewed, since_renewal_s = seen, 0.0
                self._beat()

    def _beat(self) -> None:
        try:
            self._lost = self._parts.queue.renew(self._held) == 0
        except Transient as error:
            log.warning("not renewed", extra={**ids_of(self._held), "reason": error.message})
        except Exception:
            # This thread is needed: it alone ends what hangs.
            log.exception("not renewed", extra=ids_of(self._held))

    def _end(self, stall: Stall, why: str) -> None:
        fields = {"photos": ",".join(stall.at) or "-", "why": why}
        log.error("ending this process", extra={**ids_of(self._held), **fields})
        try:
            self._let_go(stall)
        except Exception:
            # The sweeper finds the lease without its process.
            log.exception("could not be let go of", extra=ids_of(self._held))
        self._parts.exit(STUCK)

    def _let_go(self, stall: Stall) -> None:
        queue, held = self._parts.queue, self._held
        if stall.stopping:
            queue.give_back(held)
        elif isinstance(held, Claim):
            for code in queue.release_hung(held, stall.at, at_store=stall.at_store):
                self._parts.metrics.count_failure(code)
        # An archive that hangs keeps its lease: the sweeper counts a crash at this member.

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
