"""How much waits, in numbers of the whole service: what /metrics shows beside the sums."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select

from nightshift.words.states import JobState, PhotoStatus
from shared.db.engine import Transaction
from shared.db.tables import Job, Photo
from shared.processes.registry import alive
from shared.queue.unpacking import count_archives
from shared.reads.tally import Tallies


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


MOST_JOBS = 500
"""Jobs whose photos are added up by their counts of the last second, which takes a time that does not grow
with them. Only where more are under way at once are photos of the others counted one by one."""


def load(session: Transaction, tallies: Tallies) -> Load:
    """Read the load; photos of ended jobs are not counted at all.

    Args:
        session: a read transaction.
        tallies: of this process.
    """
    by_state = select(Job.state, func.count()).group_by(Job.state)
    waits = select(Photo.id).where(Photo.job_id == Job.id, Photo.status == PhotoStatus.QUEUED).exists()
    oldest = session.scalar(
        select(func.min(Job.submitted_at)).where(
            Job.state.in_([JobState.QUEUED, JobState.RUNNING, JobState.PAUSED]), waits
        )
    )
    kinds = [row.kind for row in alive(session)]
    return Load(
        photos=_photos(session, tallies),
        jobs=dict.fromkeys(map(str, JobState), 0) | dict(session.execute(by_state).all()),
        oldest_queued_s=max(0.0, (session.now - oldest).total_seconds()) if oldest else 0.0,
        archives=count_archives(session),
        alive={kind: kinds.count(kind) for kind in ("worker", "sweeper")},
    )


def _photos(session: Transaction, tallies: Tallies) -> dict[str, int]:
    unended = select(Job).where(Job.state != JobState.ENDED).order_by(Job.created_at, Job.id)
    jobs = session.scalars(unended.limit(MOST_JOBS)).all()
    found = Counter(dict.fromkeys(map(str, PhotoStatus), 0))
    for job in jobs:
        counts = tallies.get(session, job).counts
        found.update({status: getattr(counts, status) for status in found})
    if len(jobs) == MOST_JOBS:
        others = unended.with_only_columns(Job.id).limit(None).offset(MOST_JOBS)
        by_status = select(Photo.status, func.count()).where(Photo.job_id.in_(others)).group_by(Photo.status)
        found.update(dict(session.execute(by_status).all()))
    return dict(found)
