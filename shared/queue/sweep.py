"""What workers that are gone held, and jobs that nobody ended: found again in each round of a sweeper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import or_, select

from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.states import JobState, PhotoStatus
from shared.db.engine import Transaction
from shared.db.tables import Job, Photo
from shared.queue.attempts import HeldPhoto, crashed, end, under_lease
from shared.queue.leases import lapsed
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Lapsed:
    """A photo whose worker is gone."""

    photo_id: str
    job_id: str
    worker: str | None
    quarantined: bool


def return_lapsed(
    session: Transaction, settings: Settings, is_dead: Callable[[str], bool], *, by_time: bool = True
) -> list[Lapsed]:
    """Count a crash for every photo whose lease ran out or whose worker is dead, and queue it again.

    A photo that has crashed `max_crashes` times fails as `worker_lost`: from its first crash on it
    was claimed alone, so it was not a batch mate that did it.

    Args:
        session: a write transaction.
        settings: of the service.
        is_dead: whether the named worker process is surely gone.
        by_time: False leaves out leases that merely ran out.
    """
    photos = under_lease(session, *lapsed(session, Photo, is_dead, by_time=by_time), skip_locked=True)
    ends = [(photo, crashed(photo, _given_up(photo, settings.max_crashes))) for photo in photos]
    end(session, ends)
    return [
        Lapsed(photo.id, photo.job_id, photo.worker, quarantined=ended.error is not None)
        for photo, ended in ends
    ]


def _given_up(photo: HeldPhoto, max_crashes: int) -> PhotoError | None:
    crashes = photo.crashes + 1
    if crashes < max_crashes:
        return None
    message = f"its worker died {crashes} times while it had this photo, the last time alone"
    return PhotoError.of(Code.WORKER_LOST, "queue", message)


def unended_jobs(session: Transaction) -> list[str]:
    """Submitted jobs that have not ended and have nothing under lease: those that may be due to end."""
    running = select(Photo.id).where(Photo.job_id == Job.id, Photo.status == PhotoStatus.RUNNING).exists()
    waiting = select(Photo.id).where(Photo.job_id == Job.id, Photo.status == PhotoStatus.QUEUED).exists()
    query = select(Job.id).where(
        Job.state.in_([JobState.QUEUED, JobState.RUNNING, JobState.PAUSED, JobState.CANCELLING]),
        ~running,
        or_(~waiting, Job.state == JobState.CANCELLING),
    )
    return list(session.scalars(query))
