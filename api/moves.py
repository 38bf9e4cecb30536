"""Use cases of steering a job: pause, resume, retry, cancel, erase."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from api.context import Context
from nightshift.words import documents
from shared.broker.doorbell import rings_for
from shared.db.ballast import with_room
from shared.operations import erasure
from shared.reads.shown import shown


def pause(to: Context, job_id: str, until: datetime | None) -> None:
    """Let no more of the job's photos be claimed, for good or until then.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """
    to.queue.pause(to.owner, job_id, until)
    to.jobs.changed(job_id)


def resume(to: Context, job_id: str) -> None:
    """Let a paused job go on, and ring for it.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """
    to.queue.resume(to.owner, job_id)
    # It may have been paused after its last photo was saved.
    to.queue.finish(job_id)
    to.jobs.changed(job_id)
    if rings := to.queue.rings_wanted():
        to.doorbell.ring(rings)


def retry(to: Context, job_id: str, codes: Sequence[str] | None) -> None:
    """Queue again what did not succeed, and ring for it.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`, `originals_deleted`, `nothing_to_retry`, `too_many_jobs`.
    """
    queued = to.queue.retry(to.owner, job_id, codes)
    to.jobs.changed(job_id)
    to.doorbell.ring(rings_for(queued, to.settings.batch_size))


def cancel(to: Context, job_id: str) -> None:
    """Cancel what has not begun, and end the job at once when nothing is under way.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """
    # Only what is cancelled can be erased.
    with_room(to.database, lambda: to.queue.cancel(to.owner, job_id))
    to.queue.finish(job_id)
    to.jobs.changed(job_id)


def erase(to: Context, job_id: str) -> documents.Erasure:
    """Delete everything the service holds of a job.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """
    receipt = erasure.erase(to.database, to.store, to.owner, job_id, "requested")
    to.jobs.changed(job_id)
    return shown(documents.Erasure, receipt)
