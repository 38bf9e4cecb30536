"""What the sweeper does in one round: return dead leases, end finished jobs, count what waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.states import JobState, PhotoStatus
from shared.db.tables import RUNNING, Archive, Job, Photo
from shared.queue.history import with_attempt


@dataclass(frozen=True, slots=True)
class Lapsed:
    """A photo whose worker is gone."""

    photo_id: str
    job_id: str
    worker: str | None
    quarantined: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """When a lease is over.

    Attributes:
        max_crashes: crashes after which something is given up.
        is_dead: whether the named worker process is surely gone.
        by_time: False leaves out leases that merely ran out.
    """

    max_crashes: int
    is_dead: Callable[[str], bool]
    by_time: bool = True


def return_lapsed(session: Session, rules: Rules, now: datetime) -> list[Lapsed]:
    """Count a crash for every photo whose lease ran out or whose worker is dead, and queue it again.

    A photo that has crashed `max_crashes` times fails as `worker_lost`: from its first crash on it
    was claimed alone, so it was not a batch mate that did it.
    """
    workers = session.scalars(select(Photo.worker).where(Photo.status == RUNNING).distinct())
    dead = [worker for worker in workers if worker and rules.is_dead(worker)]
    lapsed_now: ColumnElement[bool] = Photo.worker.in_(dead)
    if rules.by_time:
        lapsed_now = or_(lapsed_now, Photo.lease_expires_at < now)
    photos = session.scalars(
        select(Photo).where(Photo.status == RUNNING, lapsed_now).with_for_update(skip_locked=True)
    ).all()
    lapsed = []
    for photo in photos:
        quarantined = photo.crashes + 1 >= rules.max_crashes
        lapsed.append(Lapsed(photo.id, photo.job_id, photo.worker, quarantined))
        photo.history = with_attempt(photo, "crashed", now)
        photo.crashes += 1
        photo.lease_token = None
        photo.lease_expires_at = None
        photo.status = PhotoStatus.FAILED if quarantined else PhotoStatus.QUEUED
        if quarantined:
            photo.finished_at = now
            message = f"its worker died {photo.crashes} times while it had this photo, the last time alone"
            photo.error = asdict(PhotoError.of(Code.WORKER_LOST, "queue", message))
    session.flush()
    return lapsed


def shorten_leases(session: Session, lease_s: float, now: datetime) -> None:
    """Bring leases from before a clock was set back to an hour that can come."""
    latest = now + timedelta(seconds=lease_s)
    for table, held in ((Photo, Photo.status == RUNNING), (Archive, Archive.lease_token.is_not(None))):
        session.execute(
            update(table)
            .where(held, table.lease_expires_at > latest + timedelta(seconds=lease_s))
            .values(lease_expires_at=latest)
            .execution_options(synchronize_session=False)
        )


def unended_jobs(session: Session) -> list[str]:
    """Submitted jobs that have not ended and have nothing under lease: those that may be due to end."""
    running = select(Photo.id).where(Photo.job_id == Job.id, Photo.status == PhotoStatus.RUNNING).exists()
    waiting = select(Photo.id).where(Photo.job_id == Job.id, Photo.status == PhotoStatus.QUEUED).exists()
    query = select(Job.id).where(
        Job.state.in_([JobState.QUEUED, JobState.RUNNING, JobState.PAUSED, JobState.CANCELLING]),
        ~running,
        or_(~waiting, Job.state == JobState.CANCELLING),
    )
    return list(session.scalars(query))
