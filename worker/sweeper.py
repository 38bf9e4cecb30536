"""The sweeper: returns what dead workers held, ends finished jobs, rings while work waits.

Its own process at scale (`python -m worker.sweeper`), a thread of the runner when embedded. Any
number may run; every step is conditional on what it finds.
"""

from __future__ import annotations

import logging
import signal
import threading
import time

from shared.clock import utc_now
from shared.db.engine import Database
from shared.doorbell import MOST_RINGS, CeleryDoorbell, Doorbell, rings_for
from shared.errors import Transient
from shared.process_id import is_surely_dead
from shared.queue.finish import finish_if_done
from shared.queue.sweep import count_claimable, return_lapsed, unended_jobs
from shared.settings import Settings, load_settings

log = logging.getLogger(__name__)

SUSPENSION_S = 30.0
"""A gap so much longer than a round, by the wall clock, means that the machine slept or a clock stepped."""


class Sweeper:
    """Runs rounds until it is stopped."""

    def __init__(
        self, settings: Settings, database: Database | None = None, doorbell: Doorbell | None = None
    ) -> None:
        self._settings = settings
        self._database = database or Database(settings.database_url)
        self._doorbell = doorbell or CeleryDoorbell(settings.broker_url)
        self._last_round_at = time.time()
        self._trust_leases_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Sweep until `stop` is set; a database that is away is waited for."""
        while not stop.wait(self._settings.sweep_interval_s):
            try:
                self.sweep()
            except Transient as error:
                log.warning("sweep put off: %s", error)
            except Exception:
                log.exception("sweep broke; the next round tries again")

    def sweep(self) -> None:
        """One round."""
        by_time = self._leases_can_be_trusted()
        with self._database.write() as session:
            lapsed = return_lapsed(
                session,
                max_crashes=self._settings.max_crashes,
                now=utc_now(),
                is_dead=is_surely_dead,
                by_time=by_time,
            )
        for photo in lapsed:
            log.warning(
                "%s job=%s photo=%s worker=%s",
                "quarantined" if photo.quarantined else "requeued",
                photo.job_id,
                photo.photo_id,
                photo.worker,
            )
        self._finish_jobs()
        self._ring()

    def _leases_can_be_trusted(self) -> bool:
        """False for one lease after this process was suspended: the workers' heartbeats were, too."""
        now = time.time()
        gap_s = abs(now - self._last_round_at)
        self._last_round_at = now
        if gap_s > self._settings.sweep_interval_s + SUSPENSION_S:
            log.warning("suspended, or the clock stepped, for %.0f s: waiting one lease", gap_s)
            self._trust_leases_at = time.monotonic() + self._settings.lease_s
        return time.monotonic() >= self._trust_leases_at

    def _finish_jobs(self) -> None:
        with self._database.read() as session:
            jobs = unended_jobs(session)
        for job_id in jobs:
            with self._database.write() as session:
                finish_if_done(
                    session, job_id, results_ttl_days=self._settings.results_ttl_days, now=utc_now()
                )

    def _ring(self) -> None:
        batch_size = self._settings.batch_size
        with self._database.read() as session:
            wanted = rings_for(count_claimable(session, MOST_RINGS * batch_size), batch_size)
        if not wanted:
            return
        on_the_list = self._doorbell.waiting()
        if on_the_list is not None and on_the_list < wanted:
            self._doorbell.ring(wanted - on_the_list)


def main() -> None:
    """Run as a process until SIGTERM or SIGINT."""
    settings = load_settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Sweeper(settings).run(stop)


if __name__ == "__main__":
    main()
