"""Claiming queued photos.

A claim commits the attempt, an owner token and a lease time before any work starts; whoever saves
must still hold that token. That is all that keeps two workers from doing, or undoing, each other's work.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from pydantic import ValidationError
from sqlalchemy import Boolean, ColumnElement, Select, and_, bindparam, func, or_, select, true, update

from nightshift.words.ids import new_id
from nightshift.words.options import JobOptions
from nightshift.words.states import CLAIMABLE_STATES, JobState, PhotoStatus
from shared.db.base import UtcDateTime
from shared.db.engine import Transaction
from shared.db.tables import PHOTOS, Job, Photo
from shared.queue.leases import lease_end
from shared.queue.moves import try_move
from shared.queue.turns import fair_share, next_jobs
from shared.settings import Settings

log = logging.getLogger(__name__)


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
    traceparent: str | None = None
    table: ClassVar[type[Photo]] = Photo

    def still_held(self) -> tuple[ColumnElement[bool], ...]:
        """See `leases.Held`."""
        return (
            Photo.id.in_([photo.id for photo in self.photos]),
            Photo.lease_token == self.token,
            Photo.status == PhotoStatus.RUNNING,
        )


READ_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0)
"""How long a photo is left alone after its first read that failed, its second and so on, seconds."""

_PAUSE_IS_OVER = or_(
    Photo.read_errors == 0,
    *(
        and_(
            Photo.read_errors == errors if errors < len(READ_PAUSES_S) else Photo.read_errors >= errors,
            Photo.claimed_at <= bindparam(f"due_{errors}", type_=UtcDateTime()),
        )
        for errors in range(1, len(READ_PAUSES_S) + 1)
    ),
)


def _queued(*, suspect: bool) -> Select[str, str, str | None, str | None, int]:
    return (
        select(Photo.id, Photo.custom_id, Photo.in_place_path, Photo.sha256, Photo.attempts)
        .where(
            Photo.job_id == bindparam("job_id"),
            Photo.status == PhotoStatus.QUEUED,
            Photo.crashes > 0 if suspect else Photo.crashes == 0,
            or_(bindparam("in_place", type_=Boolean) == true(), Photo.in_place_path.is_(None)),
            _PAUSE_IS_OVER,
        )
        .order_by(Photo.ordinal)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )


# Put together once: every batch asks, and SQLAlchemy takes longer to do so than the database to answer.
_QUEUED, _SUSPECTS = _queued(suspect=False), _queued(suspect=True)
_JOB = (
    select(Job.owner, Job.state, Job.options, Job.traceparent)
    .where(Job.id == bindparam("job_id"), Job.state.in_(CLAIMABLE_STATES))
    .with_for_update(key_share=True)
)
_TURN = update(Job).where(Job.id == bindparam("job_id")).values(last_claimed_at=bindparam("now"))
# The rest of what it sets is in its parameters.
_LEASE = (
    update(PHOTOS)
    .where(PHOTOS.c.id.in_(bindparam("ids", expanding=True)))
    .values(status=PhotoStatus.RUNNING, attempts=PHOTOS.c.attempts + 1)
)


def claim(
    session: Transaction, settings: Settings, *, worker: str, batch_size: int, in_place: bool = True
) -> Claim | None:
    """Take up to `batch_size` queued photos of the job whose turn it is; None when nothing waits.

    Fewer are taken where little is left, so that others have their share of it.
    A photo whose worker died before is taken alone, so that it cannot take batch mates down again.

    Args:
        session: a write transaction.
        settings: of the service.
        worker: id of the process that claims.
        batch_size: most photos to take.
        in_place: whether photos that stay where they are may be taken.
    """
    which: dict[str, object] = {"in_place": in_place}
    for errors, pause_s in enumerate(READ_PAUSES_S, 1):
        which[f"due_{errors}"] = session.now - timedelta(seconds=pause_s)
    jobs = next_jobs(session)
    most = fair_share(session, batch_size) if jobs else 0
    for job_id in jobs:
        # The job before its photos, as everybody locks them; waiting for another claim takes a moment.
        job = session.execute(_JOB, {"job_id": job_id}).first()
        if job is None:
            continue
        try:
            options = JobOptions.model_validate(job.options)
        except ValidationError:
            # Of a later version; its workers will take it, and those behind it need not wait.
            log.warning("options not understood", extra={"job": job_id})
            continue
        queued = session.execute(_QUEUED, {**which, "job_id": job_id, "most": most}).all()
        queued = queued or session.execute(_SUSPECTS, {**which, "job_id": job_id, "most": 1}).all()
        if queued:
            photos = tuple(ClaimedPhoto(*row[:-1], row.attempts + 1) for row in queued)
            _begin(session, job_id, JobState(job.state))
            held = Claim(new_id("lea"), job_id, job.owner, options, photos, job.traceparent)
            _lease(session, settings, held, worker)
            return held
    return None


def _begin(session: Transaction, job_id: str, state: JobState) -> None:
    """Have the job run, and its next turn be after others'. Its row is locked, so that `state` holds."""
    now = session.now
    if state == JobState.QUEUED:
        try_move(session, job_id, "start", started_at=func.coalesce(Job.started_at, now), last_claimed_at=now)
        return
    session.execute(_TURN, {"job_id": job_id, "now": now}, execution_options={"synchronize_session": False})


def _lease(session: Transaction, settings: Settings, held: Claim, worker: str) -> None:
    session.execute(
        _LEASE,
        {
            "ids": [photo.id for photo in held.photos],
            "lease_token": held.token,
            "lease_expires_at": lease_end(session, settings),
            "worker": worker,
            "claimed_at": session.now,
        },
    )
