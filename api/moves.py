"""Use cases of steering a job: change, pause, resume, retry, cancel, erase."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from werkzeug.datastructures import ETags

from api.context import Context
from api.following import require_as_known
from nightshift.words import documents
from nightshift.words.new_job import JobChange
from shared.db.ballast import with_room
from shared.operations import erasure
from shared.operations.webhooks import check_receivers
from shared.queue import control
from shared.reads.shown import shown

log = logging.getLogger("nightshift.api")


def pause(service: Context, job_id: str, until: datetime | None) -> None:
    """Let no more of the job's photos be claimed, for good or until then.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """
    service.queue.pause(service.owner, job_id, until)
    service.jobs.changed(job_id)


def change(service: Context, job_id: str, wishes: JobChange, known: ETags | None = None) -> None:
    """Have wishes of a job be otherwise, and ring for it: its window may be open now.

    Args:
        service: the parts.
        job_id: the job.
        wishes: what is to be otherwise.
        known: of the job as the client knows it, which it has to be still; None: however it is.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`, `webhook_secret_missing`, `precondition_failed`.
        InvalidInput: `priority_forbidden`, `webhook_address_forbidden`, `invalid_fields`.
    """
    service.check_priority(wishes.priority)
    check_receivers(service.settings, (each.url for each in wishes.notify or ()))
    with service.database.write() as session:
        if known is not None:
            require_as_known(service.jobs.locked(session, service.owner, job_id), known)
        control.change(session, service.owner, job_id, wishes)
    log.info("job changed", extra={"job": job_id, "changed": sorted(wishes.model_fields_set)})
    _show_and_ring(service, job_id)


def resume(service: Context, job_id: str) -> None:
    """Let a paused job go on, and ring for it.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """
    service.queue.resume(service.owner, job_id)
    # It may have been paused after its last photo was saved.
    service.queue.finish(job_id)
    _show_and_ring(service, job_id)


def _show_and_ring(service: Context, job_id: str) -> None:
    service.jobs.changed(job_id)
    if rings := service.queue.rings_wanted():
        service.doorbell.ring(rings)


def retry(
    service: Context, job_id: str, codes: Sequence[str] | None, photo_ids: Sequence[str] | None = None
) -> None:
    """Queue again what did not succeed, and ring for it.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`, `originals_deleted`, `nothing_to_retry`, `too_many_jobs`.
    """
    queued = service.queue.retry(service.owner, job_id, codes, photo_ids)
    service.jobs.changed(job_id)
    service.doorbell.ring(service.queue.rings_for(queued))


def cancel(service: Context, job_id: str) -> None:
    """Cancel what has not begun, and end the job at once when nothing is under way.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """
    # Only what is cancelled can be erased.
    with_room(service.database, lambda: service.queue.cancel(service.owner, job_id))
    service.queue.finish(job_id)
    service.jobs.changed(job_id)


def erase(service: Context, job_id: str) -> documents.Erasure:
    """Delete everything the service holds of a job.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """
    receipt = erasure.erase(service.database, service.store, service.owner, job_id, "requested")
    service.jobs.changed(job_id)
    return shown(documents.Erasure, receipt)
