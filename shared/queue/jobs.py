"""Finding one owner's job. Another owner's job is not there."""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from nightshift.words.error_codes import Code
from nightshift.words.errors import NotFound
from nightshift.words.states import JobState
from shared.db.tables import Job

# Put together once: every photo that is uploaded asks.
_OWNED = (Job.id == bindparam("job_id"), Job.owner == bindparam("owner"))
_JOB = select(Job).where(*_OWNED)
_LOCKED_JOB = _JOB.with_for_update()
_STATE = select(Job.state).where(*_OWNED)


def owned_job(session: Session, owner: str, job_id: str, *, lock: bool = False) -> Job:
    """The job, its row locked until the transaction ends when `lock` (PostgreSQL; SQLite is locked whole).

    Raises:
        NotFound: `job_not_found`, also for another owner's job.
    """
    job = session.scalar(_LOCKED_JOB if lock else _JOB, {"job_id": job_id, "owner": owner})
    if job is None:
        raise _no(job_id)
    return job


def owned_state(session: Session, owner: str, job_id: str) -> JobState:
    """The state the job is in.

    Raises:
        NotFound: as `owned_job`.
    """
    state = session.scalar(_STATE, {"job_id": job_id, "owner": owner})
    if state is None:
        raise _no(job_id)
    return JobState(state)


def _no(job_id: str) -> NotFound:
    return NotFound(Code.JOB_NOT_FOUND, f"no job {job_id}")
