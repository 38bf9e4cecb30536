"""How much waits, in numbers of the whole service: what /metrics shows beside the sums."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from nightshift.words.states import JobState, PhotoStatus
from shared.db.engine import Transaction
from shared.db.tables import Job, Photo
from shared.processes.registry import alive
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
    unended = select(Job.id).where(Job.state != JobState.ENDED)
    by_status = select(Photo.status, func.count()).where(Photo.job_id.in_(unended)).group_by(Photo.status)
    by_state = select(Job.state, func.count()).group_by(Job.state)
    waits = select(Photo.id).where(Photo.job_id == Job.id, Photo.status == PhotoStatus.QUEUED).exists()
    oldest = session.scalar(
        select(func.min(Job.submitted_at)).where(
            Job.state.in_([JobState.QUEUED, JobState.RUNNING, JobState.PAUSED]), waits
        )
    )
    kinds = [row.kind for row in alive(session)]
    return Load(
        photos=dict.fromkeys(map(str, PhotoStatus), 0) | dict(session.execute(by_status).all()),
        jobs=dict.fromkeys(map(str, JobState), 0) | dict(session.execute(by_state).all()),
        oldest_queued_s=max(0.0, (session.now - oldest).total_seconds()) if oldest else 0.0,
        archives=count_archives(session),
        alive={kind: kinds.count(kind) for kind in ("worker", "sweeper")},
    )
