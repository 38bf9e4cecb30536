"""The sweeper: returns what dead workers held, ends finished jobs, rings while work waits, erases.

Its own process at scale (`python -m worker.sweeper`), a thread of the runner when embedded. Any
number may run; every step is conditional on what it finds.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from nightshift.machine.privacy import keep_files_private
from nightshift.machine.process_id import is_surely_dead, own_process_id
from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict, NoRoom, NotFound, Transient
from shared.broker.doorbell import CeleryDoorbell, Doorbell
from shared.db import ballast
from shared.db.engine import Database, Transaction
from shared.db.leftovers import rewrite_if_due
from shared.db.tables import Job
from shared.files.no_pictures import abandoned_archives, clear_abandoned, clear_ended, uncleared
from shared.files.store import Store, job_prefix
from shared.logs import configure
from shared.operations import erasure
from shared.processes.registry import fold_gone
from shared.queue import audit, expiry, uploads
from shared.queue.control import resume_due
from shared.queue.expiry import Horizon
from shared.queue.finish import end_by_time, finish_if_done
from shared.queue.leases import shorten
from shared.queue.queue import Queue
from shared.queue.sweep import return_lapsed
from shared.queue.unpacking import return_lapsed_archives
from shared.settings import Settings, load_settings
from worker.deliveries import Deliveries, tell_by_time
from worker.metrics import Metrics
from worker.registration import Registration
from worker.suspension import SuspensionWatch

log = logging.getLogger(__name__)

_NO_DATABASE = {Code.DATABASE_UNAVAILABLE, Code.STORE_FULL}
"""Nothing can be written, heartbeats neither."""


class Sweeper:
    """Runs rounds until it is stopped."""

    def __init__(
        self,
        settings: Settings,
        database: Database | None = None,
        doorbell: Doorbell | None = None,
        store: Store | None = None,
    ) -> None:
        self._settings = settings
        self._database = database or Database(settings.database_url)
        self._store = store or Store(settings.store_url)
        self._queue = Queue(self._database, settings)
        self._doorbell = doorbell or CeleryDoorbell(settings.broker_url)
        self._suspension = SuspensionWatch(settings.lease_s)
        self._metrics = Metrics()
        self._doubt_was_said = False

    def run(self, stop: threading.Event) -> None:
        """Sweep until `stop` is set; a database that is away is waited for."""
        watch = threading.Thread(target=self._suspension.watch, args=(stop,), name="suspension", daemon=True)
        watch.start()
        registration = Registration(self._database, own_process_id(), "sweeper", self._metrics, {})
        registration.start()
        deliveries = Deliveries(self._database, self._settings)
        deliveries.start()
        while not stop.wait(self._settings.sweep_interval_s):
            try:
                self.sweep()
            except Transient as error:
                log.warning("sweep put off", extra={"reason": error.message})
                if error.code in _NO_DATABASE:
                    # It took no heartbeats either.
                    self._suspension.distrust()
            except Exception:
                log.exception("sweep broke; the next round tries again")
        try:
            deliveries.close()
        finally:
            registration.close()

    def sweep(self) -> None:
        """One round: first what workers wait for."""
        try:
            self._return_lapsed()
            horizon = self._move_on()
            self._finish_jobs()
            tell_by_time(self._database)
        except NoRoom:
            # Whatever cannot be written: this makes room.
            with self._database.read() as session:
                horizon = expiry.standing(session)
            self._erase(horizon)
            raise
        self._ring()
        self._erase(horizon)
        ballast.keep(self._database)

    @contextmanager
    def _write(self) -> Iterator[Transaction]:
        """A write transaction. One that waited long for the database knows that heartbeats did, too."""
        asked_s = time.monotonic()
        with self._database.write() as session:
            # SQLite's lock is taken here, and not by the first statement.
            session.connection()
            if time.monotonic() - asked_s > self._suspension.gap_s:
                self._suspension.distrust()
            yield session

    def _return_lapsed(self) -> None:
        with self._write() as session:
            # The time first: should a clock be set from here on, it is not what leases are held against.
            by_time = self._suspension.leases_can_be_trusted(session.now.timestamp())
            shorten(session, self._settings)
            lapsed = return_lapsed(session, self._settings, is_surely_dead, by_time=by_time)
            archives = return_lapsed_archives(session, self._settings, is_surely_dead, by_time=by_time)
        for photo in lapsed:
            self._metrics.count("leases_expired")
            if photo.quarantined:
                self._metrics.count_failure("worker_lost")
            log.warning(
                "quarantined" if photo.quarantined else "requeued",
                extra={"job": photo.job_id, "photo": photo.photo_id, "worker": photo.worker},
            )
        for job_id in archives:
            self._metrics.count("leases_expired")
            log.warning("freed archive", extra={"job": job_id})

    def _move_on(self) -> Horizon:
        """What time alone moves: pauses that are over, jobs that are."""
        with self._write() as session:
            horizon = expiry.look(session)
            resumed = resume_due(session)
            fold_gone(session)
            ended = end_by_time(session, self._settings, horizon.until)
            audit.forget_old(session, self._settings, horizon.until)
        self._say_doubt(horizon)
        for job_id in resumed:
            log.info("resumed: its pause is over", extra={"job": job_id})
        for job_id, why in ended.items():
            log.info("ended: %s", why, extra={"job": job_id})
        return horizon

    def _say_doubt(self, horizon: Horizon) -> None:
        """Once when the clock is found to be ahead, once when it is believed again."""
        if horizon.in_doubt == self._doubt_was_said:
            return
        self._doubt_was_said = horizon.in_doubt
        if horizon.trusted_at is None:
            log.info("the clock is believed again")
            return
        log.error(
            "the clock is far ahead of the last sweep: nothing expires until it has gone on evenly for"
            " days; if it is right, say so: nightshift admin clock --trust",
            extra={
                "clock": horizon.now.isoformat(timespec="seconds"),
                "last_sweep": horizon.until.isoformat(timespec="seconds"),
                "believed_from": horizon.trusted_at.isoformat(timespec="seconds"),
            },
        )

    def _finish_jobs(self) -> None:
        for job_id in self._queue.unended_jobs():
            with self._write() as session:
                ended = finish_if_done(session, self._settings, job_id)
                job = session.get(Job, job_id) if ended else None
            if job is not None:
                self._store.drop_unfinished(job_prefix(job.owner, job_id))
                clear_ended(self._database, self._store, job_id)

    def _ring(self) -> None:
        wanted = self._queue.rings_wanted()
        if not wanted:
            return
        on_the_list = self._doorbell.waiting()
        if on_the_list is not None and on_the_list < wanted:
            self._doorbell.ring(wanted - on_the_list)

    def _erase(self, horizon: Horizon) -> None:
        """What has expired, what was begun and broken off, and what uploads left behind."""
        database, store = self._database, self._store
        with database.read() as session:
            expired = erasure.expired_jobs(session, horizon.until)
            incomplete = erasure.incomplete(session)
            due = erasure.due_for_originals(session)
            abandoned = abandoned_archives(session)
            left_behind = uncleared(session)
            # By a clock that is ahead, requests under way have been given up long ago.
            uploads_due = not horizon.in_doubt and uploads.any_due(session)
        self._erase_expired(expired, horizon)
        for job_id in incomplete:
            with _alone(job_id):
                erasure.erase_bytes(database, store, job_id)
        for owner, job_id in due:
            with _alone(job_id):
                erasure.delete_originals(database, store, owner, job_id)
        for owner, job_id in abandoned:
            with _alone(job_id):
                clear_abandoned(database, store, owner, job_id)
        for job_id in left_behind:
            with _alone(job_id):
                clear_ended(database, store, job_id)
        if uploads_due:
            self._clear_uploads()
        if rewrite_if_due(database):
            log.info("wrote the database's file anew after erasures")

    def _erase_expired(self, expired: list[tuple[str, str]], horizon: Horizon) -> None:
        for owner, job_id in expired:
            with _alone(job_id):
                receipt = erasure.erase(
                    self._database, self._store, owner, job_id, "expired", expired_by=horizon.until
                )
                log.info("erased: its results had expired", extra={"job": job_id, "photos": receipt.photos})
        if len(expired) == erasure.AT_ONCE:
            with self._database.read() as session:
                left = erasure.count_expired(session, horizon.until)
            log.info("erased as many as one round may", extra={"jobs": len(expired), "left": left})

    def _clear_uploads(self) -> None:
        with self._write() as session:
            uploads.forget(session)
            abandoned = uploads.take_over(session, self._settings)
        for upload in abandoned:
            log.warning("deleting an upload nobody goes on with", extra={"job": upload.job_id})
            self._store.clear(job_prefix(upload.owner, upload.job_id))
            with self._write() as session:
                uploads.abandon(session, upload)


@contextmanager
def _alone(job_id: str) -> Iterator[None]:
    """One job whose bytes cannot be deleted keeps nobody else's, nor may it be erased by two at once."""
    try:
        yield
    except Conflict:
        log.info("not erased: it goes on", extra={"job": job_id})
    except NotFound:
        log.info("erased by another", extra={"job": job_id})
    except Transient as error:
        if error.code in _NO_DATABASE:
            raise
        log.warning("not erased yet", extra={"job": job_id, "reason": error.message})


def main() -> None:
    """Run as a process until SIGTERM or SIGINT; a second one ends it where it stands."""
    keep_files_private()
    settings = load_settings()
    configure(settings.log_level, settings.log_format)
    stop = threading.Event()

    def end(number: int, _frame: object) -> None:
        if stop.is_set():
            raise SystemExit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    Sweeper(settings).run(stop)


if __name__ == "__main__":
    main()
