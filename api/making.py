"""Use case of `POST /v1/jobs`: a job from a form, or an open one from JSON; never two from one key."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from flask import Request, request

from api import intake as adding
from api.arrival import Arrival, fingerprint_of
from api.body import RequestBody
from api.context import Context
from api.multipart import Form, boundary_of
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, NoRoom, Transient
from nightshift.words.new_job import NewJob
from nightshift.words.traces import traceparent_of
from shared.db.engine import Transaction
from shared.db.tables import Job
from shared.files.store import job_prefix
from shared.operations.webhooks import check_receivers
from shared.queue import holdings, intake, unpacking, uploads

RENEWALS_PER_LEASE = 4


@dataclass(frozen=True, slots=True)
class Made:
    """A job, and whether an earlier request had made it."""

    job_id: str
    replayed: bool = False


def open_job(service: Context, wanted: NewJob, key: str | None) -> Made:
    """Open a job to add photos to.

    Raises:
        Conflict: `idempotency_key_in_use`, `too_many_jobs`, `quota_exceeded`.
        InvalidInput: `idempotency_key_reused`, `priority_forbidden`, `webhook_address_forbidden`.
        NoRoom: `store_full`.
    """
    service.check_priority(wanted.priority)
    fingerprint = fingerprint_of(wanted)
    with service.database.write() as session:
        begun = uploads.begin(session, service.settings, service.owner, key)
        if isinstance(begun, uploads.Replay):
            return _replayed(begun, fingerprint)
        adding.require_room_for(service)
        holdings.require_new_job(session, service.owner, service.settings)
        uploads.finish(session, begun, fingerprint)
        _add_job(session, service, wanted, begun.job_id)
    return Made(begun.job_id)


def receive_job(service: Context, request: Request, key: str | None) -> Made:
    """Take in a form with photos or an archive, and submit the job it makes.

    Bytes pass to the store with no transaction open. The job appears when everything has arrived;
    after an error nothing of it is left.

    Raises:
        Conflict: `idempotency_key_in_use`; `too_many_jobs` and `quota_exceeded`, before the body is read
            where its length was announced.
        InvalidInput: `idempotency_key_reused`, or what `Arrival.read` raises.
        NoRoom: `store_full`, likewise.
    """
    boundary = boundary_of(request)
    if key is None:
        # Otherwise not before it is known whether the job has been made already.
        _require_admission(service, request)
    body = RequestBody(
        request.stream.read, length=request.content_length, limit=service.settings.max_upload_bytes
    )
    begun = service.queue.begin_upload(service.owner, key)
    if isinstance(begun, uploads.Replay):
        again = Arrival(service, None)
        again.read(Form(body.read, boundary))
        return _replayed(begun, again.fingerprint)
    with _deleting_on_error(service, begun):
        if begun.abandoned:
            service.store.clear(job_prefix(service.owner, begun.abandoned))
        _require_admission(service, request)
        arrival = Arrival(service, begun.job_id)
        arrival.read(Form(_renewing_lease(service, begun, body.read), boundary))
        repeated = _commit(service, begun, arrival)
    for photo in repeated:
        adding.discard(service, begun.job_id, photo.id)
    _announce(service, begun.job_id, arrival)
    return Made(begun.job_id)


def _require_admission(service: Context, request: Request) -> None:
    """Refuse a form before its body is read, as far as its length says what it will be."""
    announced_bytes = request.content_length or 0
    adding.require_room_for(service, announced_bytes)
    with service.database.read() as session:
        holdings.require_new_job(session, service.owner, service.settings)
        holdings.require(session, service.owner, service.settings, photos=1, size_bytes=announced_bytes)


def _replayed(earlier: uploads.Replay, fingerprint: str) -> Made:
    if earlier.fingerprint != fingerprint:
        message = "this Idempotency-Key came with another request; use a new one for new content"
        raise InvalidInput(Code.IDEMPOTENCY_KEY_REUSED, message)
    return Made(earlier.job_id, replayed=True)


@contextmanager
def _deleting_on_error(service: Context, begun: uploads.Receiving) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        if isinstance(error, Transient) and not isinstance(error, NoRoom):
            # A commit whose answer was lost may stand; if it does not, the sweeper clears up after the lease.
            raise
        service.store.clear(job_prefix(service.owner, begun.job_id))
        service.queue.abandon_upload(begun)
        raise


def _renewing_lease(
    service: Context, begun: uploads.Receiving, read: Callable[[], bytes]
) -> Callable[[], bytes]:
    """Reading that keeps the lease while bytes arrive."""
    kept_at_s = time.monotonic()

    def renew_and_read() -> bytes:
        nonlocal kept_at_s
        if time.monotonic() - kept_at_s > service.settings.lease_s / RENEWALS_PER_LEASE:
            service.queue.keep_upload(begun)
            kept_at_s = time.monotonic()
        return read()

    return renew_and_read


def _commit(service: Context, begun: uploads.Receiving, arrival: Arrival) -> list[intake.NewPhoto]:
    """Everything in one transaction; returns photos that came twice."""
    with service.database.write() as session:
        holdings.require_new_job(session, service.owner, service.settings)
        uploads.finish(session, begun, arrival.fingerprint)
        job = _add_job(session, service, arrival.wanted, begun.job_id)
        if arrival.archive is not None:
            unpacking.begin(session, job, **asdict(arrival.archive), quota=service.settings)
            return []
        repeated = intake.add_arrived(session, job, arrival.photos, service.settings)
        intake.submit(session, service.owner, job.id)
        return repeated


def _add_job(session: Transaction, service: Context, wanted: NewJob, job_id: str) -> Job:
    check_receivers(service.settings, (each.url for each in wanted.notify or ()))
    return intake.open_job(
        session,
        service.owner,
        wanted.over(service.settings.default_job_options()),
        service.bundle,
        open_until=adding.open_until(service, session),
        job_id=job_id,
        traceparent=traceparent_of(request.headers.get("traceparent", "")),
    )


def _announce(service: Context, job_id: str, arrival: Arrival) -> None:
    service.jobs.changed(job_id)
    if arrival.archive is not None:
        service.doorbell.ring()
    elif waiting := sum(photo.error is None for photo in arrival.photos):
        service.doorbell.ring(service.queue.rings_for(waiting))
    else:
        service.queue.finish(job_id)
