"""Pausing, resuming and cancelling a job."""

from __future__ import annotations

from sqlalchemy.orm import Session

from shared.clock import utc_now
from shared.errors import Conflict
from shared.queue.finish import cancel_queued
from shared.queue.jobs import owned_job
from shared.queue.moves import move
from shared.states import JobState, Outcome


def pause(session: Session, owner: str, job_id: str) -> None:
    """Stop claiming the job's photos; batches under way are finished and saved.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """
    owned_job(session, owner, job_id)
    move(session, job_id, "pause")


def resume(session: Session, owner: str, job_id: str) -> None:
    """Let a paused job be claimed again.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """
    owned_job(session, owner, job_id)
    move(session, job_id, "resume")


def cancel(session: Session, owner: str, job_id: str) -> None:
    """Cancel what has not begun; batches under way are finished, and everything saved is kept.

    Cancelling a cancelled job again is no error.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`, when the job has ended otherwise.
    """
    job = owned_job(session, owner, job_id, lock=True)
    if job.state == JobState.CANCELLING or job.outcome == Outcome.CANCELLED:
        return
    if job.state == JobState.ENDED:
        message = f"cannot cancel job {job_id}: it has ended, {job.outcome}"
        raise Conflict("illegal_move", message, state=job.state)
    move(session, job_id, "cancel")
    cancel_queued(session, job_id, utc_now())
