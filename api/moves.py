"""Use cases of steering a job: pause, resume, retry, cancel, erase."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from api.context import Context
from nightshift.words import documents
from nightshift.words.clock import utc_now
from shared.broker.doorbell import MOST_RINGS, rings_for
from shared.db.ballast import with_room
from shared.db.engine import database_now
from shared.operations import erasure
from shared.queue import control, holdings
from shared.queue.finish import finish_if_done
from shared.queue.holdings import Quota
from shared.queue.turns import count_claimable
from shared.reads.shown import shown


def pause(service: Context, job_id: str, until: datetime | None) -> None:
    """Let no more of the job's photos be claimed, for good or until then.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """
    with service.database.write() as session:
        control.pause(session, service.owner, job_id, until)
    service.jobs.changed(job_id)


def resume(service: Context, job_id: str) -> None:
    """Let a paused job go on, and ring for it.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """
    with service.database.write() as session:
        control.resume(session, service.owner, job_id)
        waiting = count_claimable(session, utc_now(), MOST_RINGS * service.settings.batch_size)
    with service.database.write() as session:
        # It may have been paused after its last photo was saved.
        finish_if_done(
            session, job_id, results_ttl_days=service.settings.results_ttl_days, now=database_now(session)
        )
    service.jobs.changed(job_id)
    if waiting:
        service.doorbell.ring(rings_for(waiting, service.settings.batch_size))


def retry(service: Context, job_id: str, codes: Sequence[str] | None) -> None:
    """Queue again what did not succeed, and ring for it.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`, `originals_deleted`, `nothing_to_retry`, `too_many_jobs`.
    """
    with service.database.write() as session:
        holdings.require_job(session, service.owner, Quota.of(service.settings))
        queued = control.retry(session, service.owner, job_id, codes)
    service.jobs.changed(job_id)
    service.doorbell.ring(rings_for(queued, service.settings.batch_size))


def cancel(service: Context, job_id: str) -> None:
    """Cancel what has not begun, and end the job at once when nothing is under way.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """

    def cancel_rows() -> None:
        with service.database.write() as session:
            control.cancel(session, service.owner, job_id)

    # Only what is cancelled can be erased.
    with_room(service.database, cancel_rows)
    with service.database.write() as session:
        finish_if_done(
            session, job_id, results_ttl_days=service.settings.results_ttl_days, now=database_now(session)
        )
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
