"""Pausing, resuming, cancelling a job, and trying again what did not succeed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update

from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict
from nightshift.words.new_job import CHANGED_AFTER_THE_END, LIMITS, JobChange
from nightshift.words.plain_text import counted
from nightshift.words.states import JobState, Outcome, PhotoStatus
from shared.db.engine import Transaction
from shared.db.tables import Job, Photo
from shared.files.no_pictures import is_no_picture
from shared.queue import audit, outbox
from shared.queue.finish import cancel_queued
from shared.queue.jobs import owned_job
from shared.queue.moves import move, try_move


def pause(session: Transaction, owner: str, job_id: str, until: datetime | None = None) -> None:
    """Stop claiming the job's photos, for good or until then; batches under way are finished and saved.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """
    owned_job(session, owner, job_id)
    move(session, job_id, "pause", paused_until=until)


def resume(session: Transaction, owner: str, job_id: str) -> None:
    """Let a paused job be claimed again.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`.
    """
    owned_job(session, owner, job_id)
    move(session, job_id, "resume", paused_until=None)


def change(session: Transaction, owner: str, job_id: str, wishes: JobChange) -> None:
    """Have wishes of a job be otherwise; a worker obeys them from its next claim on.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move`, when the job has nothing left that a wish could act on;
            `webhook_secret_missing`.
        InvalidInput: `invalid_fields`, its deadline has passed by the database's clock.
    """
    job = owned_job(session, owner, job_id, lock=True)
    late = wishes.model_fields_set - CHANGED_AFTER_THE_END
    if late and job.state in (JobState.CANCELLING, JobState.ENDED):
        message = f"cannot change {', '.join(sorted(late))} of job {job_id}: it is {job.state}"
        raise Conflict(Code.ILLEGAL_MOVE, message, state=job.state)
    outbox.require_secret(session, owner, (each.url for each in wishes.notify or ()))
    values = wishes.model_dump(include=set(wishes.model_fields_set))
    if "metadata" in values:
        values["client_metadata"] = values.pop("metadata")
    if "deadline" in values:
        values["deadline"] = wishes.deadline_from(session.now)
    for name, value in values.items():
        setattr(job, name, value)
    audit.note(session, "change", owner, job_id)
    session.flush()


def resume_due(session: Transaction) -> list[str]:
    """Resume jobs whose pause is over; returns their ids."""
    due = select(Job.id).where(Job.state == JobState.PAUSED, Job.paused_until < session.now).limit(100)
    return [
        job_id
        for job_id in session.scalars(due).all()
        if try_move(session, job_id, "resume", Job.paused_until < session.now, paused_until=None)
    ]


def cancel(session: Transaction, owner: str, job_id: str) -> None:
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
        raise Conflict(Code.ILLEGAL_MOVE, message, state=job.state)
    move(session, job_id, "cancel")
    cancel_queued(session, job_id)


def retry(
    session: Transaction,
    owner: str,
    job_id: str,
    codes: Collection[str] | None = None,
    photo_ids: Collection[str] | None = None,
) -> int:
    """Queue again what did not succeed in an ended job; results stay, and attempts count on.

    It is its owner's word to go on: what would stop it again at once holds no longer.

    Args:
        session: a write transaction.
        owner: of the job.
        job_id: the job.
        codes: of errors; `cancelled` stands for photos that were cancelled. None for every one.
        photo_ids: only these photos. None for every one.

    Returns:
        Photos queued. Uploads that failed on their way in, or are no pictures, are left: their bytes are
        gone.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move` when it has not ended; `originals_deleted`; `nothing_to_retry`.
    """
    job = owned_job(session, owner, job_id, lock=True)
    move(
        session,
        job_id,
        "retry",
        outcome=None,
        ended_at=None,
        results_expire_at=None,
        final_counts=None,
        error=None,
        paused_until=None,
        told_percent=None,
        told_expiring_at=None,
        **dict.fromkeys(LIMITS),
    )
    named = [Photo.id.in_(photo_ids)] if photo_ids is not None else []
    photos = update(Photo).where(Photo.job_id == job_id, _to_retry(codes), has_bytes(job), *named)
    queued = session.change(
        photos.values(
            status=PhotoStatus.QUEUED,
            error=None,
            finished_at=None,
            # Whose worker died before is still claimed alone.
            crashes=case((Photo.crashes > 0, 1), else_=0),
            read_errors=0,
        )
    )
    if not queued:
        # The transaction ends here, and the job is as it was.
        raise _nothing_to_retry(session, job, _to_retry(codes), *named)
    return queued


def _nothing_to_retry(session: Transaction, job: Job, *such: ColumnElement[bool]) -> Conflict:
    """Why: there is nothing, nothing such, or its bytes are gone."""

    def number(*which: ColumnElement[bool]) -> int:
        return session.scalar(select(func.count()).where(Photo.job_id == job.id, *which)) or 0

    code, without_bytes = Code.NOTHING_TO_RETRY, number(*such)
    if not number(_to_retry(None)):
        message = f"nothing failed in job {job.id}: there is nothing to try again"
    elif not without_bytes:
        message = f"job {job.id} has no such photos to try again"
    elif job.delete_originals:
        code = Code.ORIGINALS_DELETED
        message = f"job {job.id} deletes its uploads when it ends: send them again as a new job"
    else:
        photos = counted(without_bytes, "photo")
        why = "they failed on their way in, or are no pictures"
        message = f"the bytes of {photos} were not kept: {why}. Mended, they are sent as a new job"
    return Conflict(code, message, state=JobState.ENDED)


def _to_retry(codes: Collection[str] | None) -> ColumnElement[bool]:
    failed = Photo.status == PhotoStatus.FAILED
    cancelled = Photo.status == PhotoStatus.CANCELLED
    if codes is None:
        return or_(failed, cancelled)
    with_code = and_(or_(failed, cancelled), Photo.error["code"].as_string().in_(codes))
    return or_(with_code, cancelled) if PhotoStatus.CANCELLED in codes else with_code


def has_bytes(job: Job) -> ColumnElement[bool]:
    """Whether a photo of this job, which has ended, can be tried again."""
    in_place = Photo.in_place_path.is_not(None)
    # What is no picture was not kept: see `shared.files.no_pictures`.
    return in_place if job.delete_originals else or_(in_place, Photo.sha256.is_not(None) & ~is_no_picture())
