"""Webhooks go out beside the sweeper's rounds: no receiver, however slow, holds up anything else."""

from __future__ import annotations

import json
import logging
import threading
import time

from nightshift.words import documents
from nightshift.words.errors import NightshiftError
from nightshift.words.traces import trace_id
from nightshift.words.webhooks import is_message
from shared.addresses import networks_in
from shared.db.engine import Database, Transaction
from shared.db.tables import Archive, Delivery, Job
from shared.queue import dispatch, outbox
from shared.queue.counts import Counts, count_photos
from shared.reads.jobs import job_view
from shared.reads.summary import failures_of
from shared.reads.tally import Tally
from shared.settings import Settings
from worker.message_text import text_of, title_of
from worker.messages import send_message
from worker.sending import certificates, send

log = logging.getLogger(__name__)

PLACES = dispatch.Places(all=32, each=2, messages=4)
LOOK_S = 1.0
LAST_CALL_S = 5.0
"""For what is due when the process is told to stop, such as the end of the one job that it ran for."""


class Deliveries:
    """Sends what is due until it is closed; each attempt in a thread of its own.

    Args:
        database: of this process.
        settings: which networks are allowed, and where the page is.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._allowed = networks_in(settings.webhook_allow_cidrs)
        self._certificates = certificates()
        self._ended = threading.Condition()
        self._under_way: dict[str, dispatch.Parcel] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Send what is due a last time, and wait for it a little; the next sweeper sends the rest."""
        until_s = time.monotonic() + LAST_CALL_S
        self._stop.set()
        self._thread.join(LAST_CALL_S)
        if self._thread.is_alive():
            # The database hangs: what it would send now, it could not note.
            return
        self.send_due()
        with self._ended:
            self._ended.wait_for(lambda: not self._under_way, until_s - time.monotonic())

    @property
    def under_way(self) -> int:
        """Attempts that have not ended."""
        with self._ended:
            return len(self._under_way)

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
        with self._ended:
            under_way = list(self._under_way.values())
        if len(under_way) >= PLACES.all:
            return []
        with self._database.write() as session:
            parcels = dispatch.claim(session, self._compose, under_way, PLACES)
        with self._ended:
            self._under_way |= {parcel.id: parcel for parcel in parcels}
        return parcels

    def _attempt(self, parcel: dispatch.Parcel) -> None:
        try:
            if is_message(parcel.url):
                answered = send_message(parcel, self._settings.webhook_allow_cidrs)
            else:
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
            with self._ended:
                # One that took so long that it is due again has another under its id.
                if self._under_way.get(parcel.id) is parcel:
                    del self._under_way[parcel.id]
                self._ended.notify_all()

    def _compose(self, session: Transaction, delivery: Delivery) -> str:
        return compose(session, delivery, self._settings.public_url)


def compose(session: Transaction, delivery: Delivery, public_url: str = "") -> str:
    """The body, as JSON.

    A webhook's is the event's type and time, and the job as the API shows it `as_of` now, without its
    receivers; a message's, `title` and `text`.
    """
    job = _job_of(session, delivery)
    if is_message(delivery.url):
        failures = failures_of(session, job.id) if job and job.counts.failed else {}
        text = {"title": title_of(delivery.event, job), "text": text_of(job, failures, public_url)}
        return json.dumps(text, ensure_ascii=False)
    data = job.model_dump(mode="json", exclude={"notify", "notify_disabled"}) if job else {}
    at = delivery.created_at.isoformat().replace("+00:00", "Z")
    as_of = session.now.isoformat().replace("+00:00", "Z")
    told = {"type": delivery.event, "timestamp": at, "as_of": as_of, "data": data}
    return json.dumps(told, ensure_ascii=False)


def _job_of(session: Transaction, delivery: Delivery) -> documents.Job | None:
    job = session.get(Job, delivery.job_id) if delivery.job_id else None
    if job is None:
        return None
    counts = Counts(**job.final_counts) if job.final_counts else count_photos(session, job.id)
    return job_view(job, Tally(counts, None), session.now, session.get(Archive, job.id))


def tell_by_time(database: Database) -> None:
    """Write down what time brings: progress, and jobs that are to be erased."""
    with database.read() as session:
        if not outbox.anything_to_tell(session):
            return
    with database.write() as session:
        outbox.tell_by_time(session)
