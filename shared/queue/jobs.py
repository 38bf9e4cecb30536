"""Finding one owner's job. Another owner's job is not there."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.db.models import Job
from shared.errors import NotFound


def owned_job(session: Session, owner: str, job_id: str, *, lock: bool = False) -> Job:
    """The job, its row locked until the transaction ends when `lock` (PostgreSQL; SQLite is locked whole).

    Raises:
        NotFound: `job_not_found`, also for another owner's job.
    """
    query = select(Job).where(Job.id == job_id, Job.owner == owner)
    job = session.scalar(query.with_for_update() if lock else query)
    if job is None:
        raise NotFound("job_not_found", f"no job {job_id}")
    return job
