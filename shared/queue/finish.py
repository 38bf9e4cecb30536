"""Ending a job whose photos are all final."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from shared.db.models import Job, Photo
from shared.queue.counts import Counts, count_photos
from shared.queue.moves import try_move
from shared.states import JobState, Outcome, PhotoStatus


def finish_if_done(session: Session, job_id: str, *, results_ttl_days: int, now: datetime) -> bool:
    """End the job when none of its photos is queued or running; True when this call ended it.

    To be called in a transaction after the one that saved: two workers that save a job's last two
    batches at once do not see each other's rows before they commit, and neither would end it.
    """
    state = session.scalar(select(Job.state).where(Job.id == job_id))
    if state == JobState.CANCELLING:
        # Photos that came back to the queue after the cancel.
        cancel_queued(session, job_id, now)
    unfinished = exists().where(
        Photo.job_id == Job.id, Photo.status.in_([PhotoStatus.QUEUED, PhotoStatus.RUNNING])
    )
    ended = try_move(
        session,
        job_id,
        "finish",
        ~unfinished,
        ended_at=now,
        results_expire_at=now + timedelta(days=results_ttl_days),
    )
    if not ended:
        return False
    counts = count_photos(session, job_id)
    session.execute(
        update(Job)
        .where(Job.id == job_id)
        .values(final_counts=counts.frozen(), outcome=_outcome(JobState(state or ""), counts))
        .execution_options(synchronize_session=False)
    )
    return True


def _outcome(left: JobState, counts: Counts) -> Outcome:
    if left == JobState.CANCELLING:
        return Outcome.CANCELLED
    if counts.failed == 0:
        return Outcome.SUCCEEDED
    return Outcome.PARTIAL if counts.succeeded else Outcome.FAILED


def cancel_queued(session: Session, job_id: str, now: datetime) -> None:
    """Make every queued photo of the job final as cancelled."""
    session.execute(
        update(Photo)
        .where(Photo.job_id == job_id, Photo.status == PhotoStatus.QUEUED)
        .values(status=PhotoStatus.CANCELLED, finished_at=now)
        .execution_options(synchronize_session=False)
    )
