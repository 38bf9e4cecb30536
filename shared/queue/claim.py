"""Claiming queued photos, keeping the lease alive, giving photos back.

A claim commits the attempt, an owner token and a lease time before any work starts; whoever saves
must still hold that token. That is all that keeps two workers from doing, or undoing, each other's work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Select, exists, func, select, update
from sqlalchemy.orm import Session

from shared.db.models import Job, Photo
from shared.ids import new_id
from shared.options import JobOptions
from shared.queue.moves import try_move
from shared.states import CLAIMABLE_STATES, PhotoStatus

CANDIDATE_JOBS = 8
"""Jobs looked at for one claim: the first may have all its queued photos locked by other claims."""


@dataclass(frozen=True, slots=True)
class ClaimedPhoto:
    """What a worker needs to know of a photo."""

    id: str
    custom_id: str
    in_place_path: str | None
    sha256: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch under one lease: photos of one job, with one set of options."""

    token: str
    job_id: str
    owner: str
    options: JobOptions
    photos: tuple[ClaimedPhoto, ...]


def claim(session: Session, *, worker: str, batch_size: int, lease_s: float, now: datetime) -> Claim | None:
    """Take up to `batch_size` queued photos of the job that is next; None when nothing waits.

    The next job has the highest priority, then the fewest photos under lease, then waits longest.
    A photo whose worker died before is taken alone, so that it cannot take batch mates down again.
    """
    for job in session.scalars(_next_jobs()).all():
        photos = session.scalars(_queued(job.id, suspect=False).limit(batch_size)).all()
        photos = photos or session.scalars(_queued(job.id, suspect=True).limit(1)).all()
        if photos:
            return _lease(session, job, photos, worker, now + timedelta(seconds=lease_s), now)
    return None


def _next_jobs() -> Select[Job]:
    leased = (
        select(func.count())
        .select_from(Photo)
        .where(Photo.job_id == Job.id, Photo.status == PhotoStatus.RUNNING)
        .correlate(Job)
        .scalar_subquery()
    )
    waits = exists().where(Photo.job_id == Job.id, Photo.status == PhotoStatus.QUEUED)
    return (
        select(Job)
        .where(Job.state.in_(CLAIMABLE_STATES), waits)
        .order_by(Job.priority.desc(), leased, Job.submitted_at, Job.id)
        .limit(CANDIDATE_JOBS)
    )


def _queued(job_id: str, *, suspect: bool) -> Select[Photo]:
    return (
        select(Photo)
        .where(
            Photo.job_id == job_id,
            Photo.status == PhotoStatus.QUEUED,
            Photo.crashes > 0 if suspect else Photo.crashes == 0,
        )
        .order_by(Photo.ordinal)
        .with_for_update(skip_locked=True)
    )


def _lease(
    session: Session, job: Job, photos: Sequence[Photo], worker: str, expires_at: datetime, now: datetime
) -> Claim | None:
    if not try_move(session, job.id, "start", started_at=func.coalesce(Job.started_at, now)):
        # Running already, or it was paused or cancelled since it was chosen.
        state = session.scalar(select(Job.state).where(Job.id == job.id))
        if state not in CLAIMABLE_STATES:
            return None
    token = new_id("lea")
    session.execute(
        update(Photo)
        .where(Photo.id.in_([photo.id for photo in photos]))
        .values(
            status=PhotoStatus.RUNNING,
            attempts=Photo.attempts + 1,
            lease_token=token,
            lease_expires_at=expires_at,
            worker=worker,
        )
        .execution_options(synchronize_session=False)
    )
    claimed = tuple(
        ClaimedPhoto(p.id, p.custom_id, p.in_place_path, p.sha256, p.attempts + 1) for p in photos
    )
    return Claim(token, job.id, job.owner, JobOptions.model_validate(job.options), claimed)


def still_held(held: Claim) -> tuple[ColumnElement[bool], ...]:
    """Condition on `photos`: those of the claim that are under its lease still."""
    return (
        Photo.id.in_([photo.id for photo in held.photos]),
        Photo.lease_token == held.token,
        Photo.status == PhotoStatus.RUNNING,
    )


def renew(session: Session, held: Claim, *, lease_s: float, now: datetime) -> int:
    """Move the lease's end; returns how many photos it still holds, 0 when it has been lost."""
    result = session.execute(
        update(Photo)
        .where(*still_held(held))
        .values(lease_expires_at=now + timedelta(seconds=lease_s))
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", result).rowcount


def give_back(session: Session, held: Claim) -> int:
    """Return what the lease still holds to the queue, the attempt with it; returns how many."""
    result = session.execute(
        update(Photo)
        .where(*still_held(held))
        .values(
            status=PhotoStatus.QUEUED, attempts=Photo.attempts - 1, lease_token=None, lease_expires_at=None
        )
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", result).rowcount
