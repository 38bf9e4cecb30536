"""Whose turn it is: which jobs may be claimed from now, and in which order.

Statements are put together once, at import: every batch asks, and SQLAlchemy takes longer to put them
together than the database to answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import aliased

from nightshift.words.processing_window import ProcessingWindow
from nightshift.words.states import CLAIMABLE_STATES, PhotoStatus
from shared.db.base import UtcDateTime
from shared.db.engine import Transaction
from shared.db.tables import RUNNING, Job, Photo, WorkerRow
from shared.processes.registry import SILENT_AFTER

CANDIDATE_JOBS = 8
"""Jobs looked at for one claim: the first may be paused or emptied since it was chosen."""


_MAY_BE_CLAIMED = and_(
    Job.state.in_(CLAIMABLE_STATES),
    or_(
        Job.processing_window.is_(None),
        Job.processing_window.not_in(bindparam("closed", expanding=True)),
    ),
)
"""Submitted, not paused, and its processing window is open."""

_WAITS = exists().where(Photo.job_id == Job.id, Photo.status == PhotoStatus.QUEUED)

_LEASED = (
    select(func.count())
    .select_from(Photo)
    .where(Photo.job_id == Job.id, Photo.status == PhotoStatus.RUNNING)
    .correlate(Job)
    .scalar_subquery()
)

# Owners share alike, however many jobs each has. Also of jobs that have ended, or many small ones would
# look like an owner who never had a turn.
_of_owner = aliased(Job)
_LEASED_BY_OWNER = (
    select(Photo.owner, func.count().label("photos"))
    .where(Photo.status == RUNNING)
    .group_by(Photo.owner)
    .subquery()
)
_OWNER_CLAIMED_AT = (
    select(func.max(_of_owner.last_claimed_at))
    .where(_of_owner.owner == Job.owner)
    .correlate(Job)
    .scalar_subquery()
)

_NEXT_JOBS = (
    select(Job.id)
    .outerjoin(_LEASED_BY_OWNER, _LEASED_BY_OWNER.c.owner == Job.owner)
    .where(_MAY_BE_CLAIMED, _WAITS)
    .order_by(
        Job.priority.desc(),
        func.coalesce(_LEASED_BY_OWNER.c.photos, 0),
        _OWNER_CLAIMED_AT.asc().nulls_first(),
        _LEASED,
        Job.last_claimed_at.asc().nulls_first(),
        Job.submitted_at,
        Job.id,
    )
    .limit(CANDIDATE_JOBS)
)

_NEW_JOB = select(Job.id).where(_MAY_BE_CLAIMED, Job.last_claimed_at.is_(None), _WAITS).limit(1)

_CLAIMABLE = (
    select(Photo.id)
    .join(Job, Job.id == Photo.job_id)
    .where(_MAY_BE_CLAIMED, Photo.status == PhotoStatus.QUEUED)
    .limit(bindparam("at_most"))
    .subquery()
)

_CLAIMABLE_JOBS = (
    select(Job).where(_MAY_BE_CLAIMED, _WAITS).order_by(Job.submitted_at, Job.id).limit(bindparam("at_most"))
)

_COUNT_CLAIMABLE = select(func.count()).select_from(_CLAIMABLE)

_WORKERS = (
    select(func.count())
    .select_from(WorkerRow)
    .where(
        WorkerRow.kind == "worker",
        WorkerRow.stopped_at.is_(None),
        WorkerRow.seen_at > bindparam("since", type_=UtcDateTime()),
    )
)

_WINDOWS = (
    select(Job.processing_window)
    .where(Job.state.in_(CLAIMABLE_STATES), Job.processing_window.is_not(None))
    .distinct()
)


def next_jobs(session: Transaction) -> Sequence[str]:
    """Ids of jobs to claim from.

    Highest priority first; then of the owner, and then the job, with the fewest photos under lease, claimed
    from longest ago.
    """
    return session.scalars(_NEXT_JOBS, {"closed": _closed_windows(session)}).all()


def count_workers(session: Transaction) -> int:
    """Worker processes that were seen lately, on all machines."""
    return session.scalar(_WORKERS, {"since": session.now - SILENT_AFTER}) or 0


def fair_share(session: Transaction, most: int) -> int:
    """How many photos to claim, `most` at most, so that all workers end together.

    Where little is left, each takes its share of it; the rest is shared again, down to single photos.
    So nobody has more than a photo to do when the others find nothing any more.
    """
    workers = count_workers(session)
    if workers < 2 or most < 2:
        return most
    waiting = count_claimable(session, workers * most)
    return min(most, max(1, -(-waiting // workers)))


def new_job_waits(session: Transaction) -> bool:
    """Whether a job of which nothing was ever claimed could be claimed now."""
    return session.scalar(_NEW_JOB, {"closed": _closed_windows(session)}) is not None


def count_claimable(session: Transaction, at_most: int) -> int:
    """Photos a claim could take now, counted no further than `at_most`."""
    closed = _closed_windows(session)
    return session.scalar(_COUNT_CLAIMABLE, {"closed": closed, "at_most": at_most}) or 0


def claimable_jobs(session: Transaction, at_most: int) -> Sequence[Job]:
    """Jobs that a claim could take from now, as far as they have photos that wait; `at_most` of them."""
    return session.scalars(_CLAIMABLE_JOBS, {"closed": _closed_windows(session), "at_most": at_most}).all()


def _closed_windows(session: Transaction) -> list[str]:
    """Windows are few, and their clocks are Python's: the database is only told which are closed."""
    return [window for window in session.scalars(_WINDOWS) if window and not _is_open(window, session.now)]


def _is_open(window: str, now: datetime) -> bool:
    try:
        return ProcessingWindow.parse(window).is_open(now)
    except ValueError:
        # A zone that this machine does not know: others may, and nobody else's job waits for it.
        return False
