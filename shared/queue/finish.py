"""Ending a job whose photos are all final."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, exists, func, select, update

from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import PHOTO_ERROR_CODES, Code
from nightshift.words.plain_text import counted
from nightshift.words.states import MOVES, JobState, Outcome, PhotoStatus
from shared.db.engine import Transaction
from shared.db.tables import Job, Photo
from shared.queue.counts import Counts, count_photos
from shared.queue.moves import try_move
from shared.settings import Settings

_UNFINISHED = exists().where(
    Photo.job_id == Job.id, Photo.status.in_([PhotoStatus.QUEUED, PhotoStatus.RUNNING])
)

_STANDING = select(Job.state, Job.max_failure_rate, _UNFINISHED.label("unfinished")).where(
    Job.id == bindparam("job_id")
)


def may_be_done(session: Transaction, job_id: str) -> bool:
    """Whether `finish_if_done` could have anything to do: one read, which saves most batches a write."""
    job = session.execute(_STANDING, {"job_id": job_id}).first()
    if job is None or job.state not in MOVES["finish"].leaves:
        return False
    return not job.unfinished or job.state == JobState.CANCELLING or job.max_failure_rate is not None


def finish_if_done(session: Transaction, settings: Settings, job_id: str) -> bool:
    """End the job when none of its photos is queued or running; True when this call ended it.

    To be called in a transaction after the one that saved: two workers that save a job's last two
    batches at once do not see each other's rows before they commit, and neither would end it.
    """
    _give_up_if_failing(session, job_id)
    state = session.scalar(select(Job.state).where(Job.id == job_id))
    if state == JobState.CANCELLING:
        # Photos that came back to the queue after the cancel.
        cancel_queued(session, job_id)
    ended = try_move(session, job_id, "finish", ~_UNFINISHED, **_ended_at(session.now, settings))
    if ended:
        _freeze(session, job_id, cancelled=state == JobState.CANCELLING)
    return ended


def end_by_time(session: Transaction, settings: Settings, until: datetime) -> dict[str, str]:
    """End, or begin to end, the jobs whose time is over; returns why, by their ids."""
    expired = expire_open(session, settings, until)
    late = cancel_late(session, until)
    return dict.fromkeys(expired, "it was never submitted") | dict.fromkeys(late, "its deadline has passed")


def cancel_late(session: Transaction, until: datetime) -> list[str]:
    """Cancel what has not begun of jobs whose deadline has passed, as `cancel` does; returns their ids."""
    due = select(Job.id, Job.deadline).where(Job.state.in_(MOVES["cancel"].leaves), Job.deadline <= until)
    late = []
    for job_id, deadline in session.execute(due.limit(100)).all():
        message = f"the job's deadline, {deadline:%Y-%m-%d %H:%M} UTC, has passed"
        error = {"code": Code.DEADLINE_PASSED, "message": message}
        if try_move(session, job_id, "cancel", Job.deadline <= until, error=error):
            cancel_queued(session, job_id)
            late.append(job_id)
    return late


def expire_open(session: Transaction, settings: Settings, until: datetime) -> list[str]:
    """End open jobs that nobody has added to for long, by what is believed of time; returns their ids.

    Their photos fail as `expired`; while they are kept, a retry still queues them.
    """
    due = select(Job.id).where(Job.state == JobState.OPEN, Job.open_until < until).limit(100)
    expired = []
    for job_id in session.scalars(due).all():
        message = "the job was never submitted"
        values = {"error": {"code": Code.EXPIRED, "message": message}, **_ended_at(until, settings)}
        if try_move(session, job_id, "expire", Job.open_until < until, **values):
            error = asdict(PhotoError.of(Code.EXPIRED, "queue", message))
            _end_queued(session, job_id, PhotoStatus.FAILED, until, error)
            _freeze(session, job_id, cancelled=False)
            expired.append(job_id)
    return expired


def _ended_at(at: datetime, settings: Settings) -> dict[str, datetime | None]:
    return {
        "ended_at": at,
        "results_expire_at": at + timedelta(days=settings.results_ttl_days),
        "cleared_at": None,
    }


def _give_up_if_failing(session: Transaction, job_id: str) -> None:
    """Stop a job once more photos have failed than its `max_failure_rate` allows of all."""
    rate = session.scalar(
        select(Job.max_failure_rate).where(
            Job.id == job_id, Job.max_failure_rate.is_not(None), Job.state.in_(MOVES["give_up"].leaves)
        )
    )
    if rate is None:
        return
    # After every batch, hence not by counting them all: ordinals leave no gaps.
    failed = select(func.count()).where(Photo.job_id == job_id, Photo.status == PhotoStatus.FAILED)
    total = select(func.max(Photo.ordinal) + 1).where(Photo.job_id == job_id)
    if (session.scalar(failed) or 0) <= rate * (session.scalar(total) or 0):
        return
    counts = count_photos(session, job_id)
    if counts.failed <= rate * counts.total:
        return
    message = f"{counts.failed:,} of {counted(counts.total, 'photo')} failed; {rate:.2%} were allowed"
    try_move(session, job_id, "give_up", error={"code": Code.TOO_MANY_FAILURES, "message": message})


def _freeze(session: Transaction, job_id: str, *, cancelled: bool) -> None:
    """Write counts and outcome on the row of a job that has just ended."""
    counts = count_photos(session, job_id)
    error = session.scalar(select(Job.error).where(Job.id == job_id))
    outcome = _outcome(counts, error, cancelled=cancelled)
    session.change(
        update(Job).where(Job.id == job_id).values(final_counts=counts.model_dump(), outcome=outcome)
    )


_OUTCOMES = {Code.EXPIRED: Outcome.EXPIRED, Code.DEADLINE_PASSED: Outcome.CANCELLED}
"""Of jobs that ended otherwise than by their photos; others have failed."""


def _outcome(counts: Counts, error: dict[str, Any] | None, *, cancelled: bool) -> Outcome:
    if error is not None:
        return _OUTCOMES.get(error["code"], Outcome.FAILED)
    # Also those an earlier cancel left, when others were tried again.
    if cancelled or counts.cancelled:
        return Outcome.CANCELLED
    if counts.failed == 0:
        return Outcome.SUCCEEDED
    return Outcome.PARTIAL if counts.succeeded else Outcome.FAILED


def cancel_queued(session: Transaction, job_id: str) -> None:
    """Make every queued photo of the job final as cancelled; it says why where the job says so for photos."""
    why = session.scalar(select(Job.error).where(Job.id == job_id))
    error = None
    if why is not None and why["code"] in PHOTO_ERROR_CODES:
        error = asdict(PhotoError(why["code"], "queue", why["message"], retryable=True))
    _end_queued(session, job_id, PhotoStatus.CANCELLED, session.now, error)


def _end_queued(
    session: Transaction, job_id: str, status: PhotoStatus, at: datetime, error: dict[str, Any] | None
) -> None:
    photos = update(Photo).where(Photo.job_id == job_id, Photo.status == PhotoStatus.QUEUED)
    session.change(photos.values(status=status, finished_at=at, **({"error": error} if error else {})))
