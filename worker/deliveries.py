"""Webhooks go out beside the sweeper's rounds: no receiver, however slow, holds up anything else."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter

from nightshift.words.errors import NightshiftError
from nightshift.words.traces import trace_id
from shared.addresses import networks_in
from shared.db.engine import Database, Transaction
from shared.db.tables import Archive, Delivery, Job
from shared.queue import dispatch, outbox
from shared.queue.counts import Counts, count_photos
from shared.reads.jobs import job_view
from shared.reads.tally import Tally
from shared.settings import Settings
from worker.sending import certificates, send

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Attempts under way in one process."""
AT_ONCE_EACH = 2
"""To one URL: a slow one leaves the others their places."""
LOOK_S = 1.0
LAST_CALL_S = 5.0
"""For what is due when the process is told to stop, such as the end of the one job that it ran for."""


class Deliveries:
    """Sends what is due until it is closed; each attempt in a thread of its own.

    Args:
        database: of this process.
        settings: which networks are allowed.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._allowed = networks_in(settings.webhook_allow_cidrs)
        self._certificates = certificates()
        self._lock = threading.Lock()
        self._busy: Counter[str] = Counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Send what is due a last time, and wait for it a little; the next sweeper sends the rest."""
        self._stop.set()
        self._thread.join(LAST_CALL_S)
        self.send_due()
        until_s = time.monotonic() + LAST_CALL_S
        while self.under_way and time.monotonic() < until_s:
            time.sleep(0.02)

    @property
    def under_way(self) -> int:
        """Attempts that have not ended."""
        with self._lock:
            return sum(self._busy.values())

    def send_due(self) -> int:
        """Begin to send what is due, as far as there is place; returns how many."""
        try:
            parcels = self._claim()
        except NightshiftError as error:
            log.warning("webhooks put off", extra={"reason": error.message})
            return 0
        for parcel in parcels:
            threading.Thread(target=self._attempt, args=(parcel,), name=parcel.id, daemon=True).start()
        return len(parcels)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                self.send_due()
            except Exception:
                log.exception("webhooks broke; the next look tries again")

    def _claim(self) -> list[dispatch.Parcel]:
        with self._database.read() as session:
            if not dispatch.any_due(session):
                return []
        with self._lock:
            busy = Counter(self._busy)
        places = AT_ONCE - sum(busy.values())
        if places <= 0:
            return []
        with self._database.write() as session:
            parcels = dispatch.claim(session, compose, places, busy, AT_ONCE_EACH)
        with self._lock:
            self._busy.update(parcel.url for parcel in parcels)
        return parcels

    def _attempt(self, parcel: dispatch.Parcel) -> None:
        try:
            answered = send(parcel, self._allowed, self._certificates)
            with self._database.write() as session:
                dispatch.settle(session, parcel, answered)
            # Without the URL, which may have a secret in it.
            log.log(
                logging.WARNING if answered.problem else logging.INFO,
                "webhook not delivered" if answered.problem else "webhook delivered",
                extra={"delivery": parcel.id, "webhook": parcel.event, "attempt": parcel.attempt}
                | trace_id(parcel.traceparent)
                | ({"reason": answered.problem} if answered.problem else {}),
            )
        except NightshiftError as error:
            # It is due again when its lease is over.
            log.warning("webhook's fate not written", extra={"delivery": parcel.id, "reason": error.message})
        except Exception:
            log.exception("webhook broke")
        finally:
            with self._lock:
                self._busy[parcel.url] -= 1
                self._busy += Counter()


def compose(session: Transaction, delivery: Delivery) -> str:
    """The body: the event's type and time, and the job as the API shows it, without its receivers."""
    data: dict[str, object] = {}
    job = session.get(Job, delivery.job_id) if delivery.job_id else None
    if job is not None:
        counts = Counts(**job.final_counts) if job.final_counts else count_photos(session, job.id)
        view = job_view(job, Tally(counts, None), session.now, session.get(Archive, job.id))
        data = view.model_dump(mode="json", exclude={"notify"})
    at = delivery.created_at.isoformat().replace("+00:00", "Z")
    return json.dumps({"type": delivery.event, "timestamp": at, "data": data}, ensure_ascii=False)


def tell_by_time(database: Database) -> None:
    """Write down what time brings: progress, and jobs that are to be erased."""
    with database.read() as session:
        if not outbox.anything_to_tell(session):
            return
    with database.write() as session:
        outbox.tell_by_time(session)
