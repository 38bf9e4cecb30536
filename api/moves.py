"""Use cases of steering a job: pause, resume, retry, cancel, erase."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from api.context import Context
from nightshift.words import documents
from shared.db.ballast import with_room
from shared.operations import erasure
from shared.reads.shown import shown


def pause(service: Context, job_id: str, until: datetime | None) -> None:
    """Let no more of the job's photos be claimed, for good or until then.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """
    service.queue.pause(service.owner, job_id, until)
    service.jobs.changed(job_id)


def resume(service: Context, job_id: str) -> None:
    """Let a paused job go on, and ring for it.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """
    service.queue.resume(service.owner, job_id)
    # It may have been paused after its last photo was saved.
    service.queue.finish(job_id)
    service.jobs.changed(job_id)
    if rings := service.queue.rings_wanted():
        service.doorbell.ring(rings)


def retry(service: Context, job_id: str, codes: Sequence[str] | None) -> None:
    """Queue again what did not succeed, and ring for it.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`, `originals_deleted`, `nothing_to_retry`, `too_many_jobs`.
    """
    queued = service.queue.retry(service.owner, job_id, codes)
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
