"""A job with more failures than anybody reads, made without a worker."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import update

from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.states import JobState, PhotoStatus
from shared.db.engine import Database
from shared.db.tables import Job, Photo
from tests.support.queue_rows import queue_of, queued_job

MANY = 10_000
TIMED_OUT, DAMAGED = (
    PhotoError.of(code, "decode", "it broke") for code in (Code.TIMEOUT, Code.CORRUPT_IMAGE)
)


def job_of_failures(database: Database) -> str:
    """An ended job of `MANY` photos: every third timed out, the others are damaged."""
    job_id = queued_job(database, MANY)
    of_job = Photo.job_id == job_id
    with database.write() as session:
        failed = {"status": PhotoStatus.FAILED, "finished_at": session.now}
        session.change(update(Photo).where(of_job).values(**failed, error=asdict(DAMAGED)))
        third = update(Photo).where(of_job, Photo.ordinal % 3 == 0)
        session.change(third.values(error=asdict(TIMED_OUT)))
        session.execute(update(Job).where(Job.id == job_id).values(state=JobState.RUNNING))
    queue_of(database).finish(job_id)
    return job_id
