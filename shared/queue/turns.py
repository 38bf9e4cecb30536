"""Whose turn it is: which jobs may be claimed from now, and in which order."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from shared.db.models import Job, Photo
from shared.processing_window import ProcessingWindow
from shared.states import CLAIMABLE_STATES, PhotoStatus

CANDIDATE_JOBS = 8
"""Jobs looked at for one claim: the first may be paused or emptied since it was chosen."""


def next_jobs(session: Session, now: datetime) -> Select[str]:
    """Ids of jobs to claim from: highest priority, fewest photos under lease, claimed from longest ago."""
    leased = (
        select(func.count())
        .select_from(Photo)
        .where(Photo.job_id == Job.id, Photo.status == PhotoStatus.RUNNING)
        .correlate(Job)
        .scalar_subquery()
    )
    waits = exists().where(Photo.job_id == Job.id, Photo.status == PhotoStatus.QUEUED)
    return (
        select(Job.id)
        .where(may_be_claimed(session, now), waits)
        .order_by(
            Job.priority.desc(), leased, Job.last_claimed_at.asc().nulls_first(), Job.submitted_at, Job.id
        )
        .limit(CANDIDATE_JOBS)
    )


def may_be_claimed(session: Session, now: datetime) -> ColumnElement[bool]:
    """Condition on `jobs`: submitted, not paused, and its processing window is open."""
    # Windows are few, and their clocks are Python's: the database is only told which are closed.
    windows = session.scalars(
        select(Job.processing_window)
        .where(Job.state.in_(CLAIMABLE_STATES), Job.processing_window.is_not(None))
        .distinct()
    )
    closed = [window for window in windows if window and not _is_open(window, now)]
    open_now = or_(Job.processing_window.is_(None), Job.processing_window.not_in(closed))
    return and_(Job.state.in_(CLAIMABLE_STATES), open_now)


def new_job_waits(session: Session, now: datetime) -> bool:
    """Whether a job of which nothing was ever claimed could be claimed now."""
    waits = exists().where(Photo.job_id == Job.id, Photo.status == PhotoStatus.QUEUED)
    new = select(Job.id).where(may_be_claimed(session, now), Job.last_claimed_at.is_(None), waits).limit(1)
    return session.scalar(new) is not None


def count_claimable(session: Session, now: datetime, at_most: int) -> int:
    """Photos a claim could take now, counted no further than `at_most`."""
    claimable = (
        select(Photo.id)
        .join(Job, Job.id == Photo.job_id)
        .where(may_be_claimed(session, now), Photo.status == PhotoStatus.QUEUED)
        .limit(at_most)
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(claimable)) or 0


def _is_open(window: str, now: datetime) -> bool:
    try:
        return ProcessingWindow.parse(window).is_open(now)
    except ValueError:
        # A zone that this machine does not know: others may, and nobody else's job waits for it.
        return False
