"""How much waits, in numbers of the whole service: what /metrics shows beside the sums."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from nightshift.words.states import JobState, PhotoStatus
from shared.db.engine import Transaction
from shared.db.tables import Job, Photo
from shared.processes import registry
from shared.queue.unpacking import count_archives


@dataclass(frozen=True, slots=True)
class Load:
    """Of all owners together.

    Attributes:
        photos: of jobs that have not ended, by status.
        jobs: by state.
        oldest_queued_s: how long ago the oldest job with a queued photo was submitted; 0 without one.
        archives: that wait to be unpacked.
        alive: processes by kind.
    """

    photos: dict[str, int]
    jobs: dict[str, int]
    oldest_queued_s: float
    archives: int
    alive: dict[str, int]


def load(session: Transaction) -> Load:
    """Read the load; photos are counted from the covering index, those of ended jobs not at all."""
    photos = dict.fromkeys(PhotoStatus, 0)
    unended = select(Job.id).where(Job.state != JobState.ENDED)
    by_status = select(Photo.status, func.count()).where(Photo.job_id.in_(unended)).group_by(Photo.status)
    photos |= {PhotoStatus(status): count for status, count in session.execute(by_status)}
    jobs = dict.fromkeys(JobState, 0)
    by_state = select(Job.state, func.count()).group_by(Job.state)
    jobs |= {JobState(state): count for state, count in session.execute(by_state)}
    waits = select(Photo.id).where(Photo.job_id == Job.id, Photo.status == PhotoStatus.QUEUED).exists()
    oldest = session.scalar(
        select(func.min(Job.submitted_at)).where(
            Job.state.in_([JobState.QUEUED, JobState.RUNNING, JobState.PAUSED]), waits
        )
    )
    kinds: tuple[registry.Kind, ...] = ("worker", "sweeper")
    return Load(
        photos={status.value: count for status, count in photos.items()},
        jobs={state.value: count for state, count in jobs.items()},
        oldest_queued_s=max(0.0, (session.now - oldest).total_seconds()) if oldest else 0.0,
        archives=count_archives(session),
        alive={kind: registry.count_alive(session, kind) for kind in kinds},
    )
