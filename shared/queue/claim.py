"""Claiming queued photos, keeping the lease alive, giving photos back.

A claim commits the attempt, an owner token and a lease time before any work starts; whoever saves
must still hold that token. That is all that keeps two workers from doing, or undoing, each other's work.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from pydantic import ValidationError
from sqlalchemy import (
    Boolean,
    ColumnElement,
    CursorResult,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session

from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.ids import new_id
from nightshift.words.options import JobOptions
from nightshift.words.states import CLAIMABLE_STATES, JobState, PhotoStatus
from shared.db.tables import RUNNING, Job, Photo, UtcDateTime
from shared.queue.history import with_attempt
from shared.queue.moves import try_move
from shared.queue.turns import next_jobs

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
    select(Job.owner, Job.state, Job.options)
    .where(Job.id == bindparam("job_id"), Job.state.in_(CLAIMABLE_STATES))
    .with_for_update(key_share=True)
)
_TURN = update(Job).where(Job.id == bindparam("job_id")).values(last_claimed_at=bindparam("now"))
_LEASE = (
    update(Photo)
    .where(Photo.id.in_(bindparam("ids", expanding=True)))
    .values(
        status=PhotoStatus.RUNNING,
        attempts=Photo.attempts + 1,
        lease_token=bindparam("token"),
        lease_expires_at=bindparam("expires_at"),
        worker=bindparam("worker_id"),
        claimed_at=bindparam("now"),
    )
)
_NO_ENTITIES = {"synchronize_session": False}


def claim(
    session: Session,
    *,
    worker: str,
    batch_size: int,
    lease_s: float,
    now: datetime,
    in_place: bool = True,
    read_pauses_s: Sequence[float] = (),
) -> Claim | None:
    """Take up to `batch_size` queued photos of the job whose turn it is; None when nothing waits.

    A photo whose worker died before is taken alone, so that it cannot take batch mates down again.

    Args:
        session: a write transaction.
        worker: id of the process that claims.
        batch_size: most photos to take.
        lease_s: how long the claim holds, seconds.
        now: by the clock that leases are held against.
        in_place: whether photos that stay where they are may be taken.
        read_pauses_s: such as `READ_PAUSES_S`; none by default.
    """
    which: dict[str, object] = {"in_place": in_place}
    for errors in range(1, len(READ_PAUSES_S) + 1):
        # Without pauses: whenever it was claimed.
        pause_s = read_pauses_s[errors - 1] if read_pauses_s else -1e8
        which[f"due_{errors}"] = now - timedelta(seconds=pause_s)
    for job_id in next_jobs(session, now):
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
        queued = session.execute(_QUEUED, {**which, "job_id": job_id, "most": batch_size}).all()
        queued = queued or session.execute(_SUSPECTS, {**which, "job_id": job_id, "most": 1}).all()
        if queued:
            photos = tuple(ClaimedPhoto(*row[:-1], row.attempts + 1) for row in queued)
            _begin(session, job_id, JobState(job.state), now)
            token = _lease(session, photos, worker, now + timedelta(seconds=lease_s), now)
            return Claim(token, job_id, job.owner, options, photos)
    return None


def _begin(session: Session, job_id: str, state: JobState, now: datetime) -> None:
    """Have the job run, and its next turn be after others'. Its row is locked, so that `state` holds."""
    if state == JobState.QUEUED:
        started_at = func.coalesce(Job.started_at, now)
        try_move(session, job_id, "start", started_at=started_at, last_claimed_at=now)
        return
    session.execute(_TURN, {"job_id": job_id, "now": now}, execution_options=_NO_ENTITIES)


def _lease(
    session: Session, photos: Sequence[ClaimedPhoto], worker: str, expires_at: datetime, now: datetime
) -> str:
    token = new_id("lea")
    values = {"token": token, "expires_at": expires_at, "worker_id": worker, "now": now}
    ids = [photo.id for photo in photos]
    session.execute(_LEASE, {"ids": ids, **values}, execution_options=_NO_ENTITIES)
    return token


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


def give_back(session: Session, held: Claim, *, now: datetime) -> int:
    """Return what the lease still holds to the queue, the attempt with it; returns how many."""
    return _give_back(session, still_held(held), now)


def give_back_unheard(session: Session, worker: str, *, now: datetime) -> int:
    """Return all that a worker holds; for one that has nothing in hand, see `give_back`.

    A connection that breaks during a commit leaves open whether there was one. So a worker may hold a
    lease that it never heard of; nobody's crash, and found here before it runs out.
    """
    return _give_back(session, (Photo.status == RUNNING, Photo.worker == worker), now)


def _give_back(session: Session, which: tuple[ColumnElement[bool], ...], now: datetime) -> int:
    photos = session.scalars(select(Photo).where(*which).with_for_update()).all()
    for photo in photos:
        photo.history = with_attempt(photo, "returned", now)
        photo.attempts -= 1
        photo.status = PhotoStatus.QUEUED
        photo.lease_token = photo.lease_expires_at = None
    session.flush()
    return len(photos)


@dataclass(frozen=True, slots=True)
class Hung:
    """Why a batch gets nowhere.

    Attributes:
        at: ids of the photos it is at.
        at_store: whether it waits for the store, or a disk, and not for the photo.
        after_s: how long nothing moved, seconds.
        max_read_errors: attempts that may fail on the store before a photo does.
    """

    at: Collection[str]
    at_store: bool
    after_s: float
    max_read_errors: int


def release_hung(session: Session, held: Claim, hung: Hung, *, now: datetime) -> list[str]:
    """End a batch that gets nowhere, and give what is not to blame back as if nothing had been.

    A single photo fails as `timeout`; of several, each goes back as a suspect, to be taken alone. Where the
    store is waited for, they go back a set number of times, as after any read that failed.

    Returns:
        The error code of each photo that failed.
    """
    codes = []
    photos = session.scalars(select(Photo).where(*still_held(held)).with_for_update()).all()
    for photo in photos:
        photo.status = PhotoStatus.QUEUED
        error = None
        if photo.id not in hung.at:
            photo.history = with_attempt(photo, "returned", now)
            photo.attempts -= 1
        else:
            error = _blame(photo, hung)
            photo.history = with_attempt(photo, "not_read" if hung.at_store else "hung", now)
        photo.lease_token = photo.lease_expires_at = None
        if error is not None:
            photo.error, photo.status, photo.finished_at = asdict(error), PhotoStatus.FAILED, now
            codes.append(error.code)
    session.flush()
    return codes


def release_broken(session: Session, held: Claim, *, now: datetime) -> list[str]:
    """End a batch that broke in a way nobody foresaw.

    A single photo fails as `internal`; several go back as suspects, to be taken alone.

    Returns:
        The error code of each photo that failed.
    """
    photos = session.scalars(select(Photo).where(*still_held(held)).with_for_update()).all()
    alone = len(held.photos) == 1
    for photo in photos:
        photo.history = with_attempt(photo, "failed" if alone else "crashed", now)
        photo.lease_token = photo.lease_expires_at = None
        if alone:
            message = "the analysis broke; the worker's log says where"
            photo.error = asdict(PhotoError.of(Code.INTERNAL, "queue", message))
            photo.status, photo.finished_at = PhotoStatus.FAILED, now
        else:
            photo.crashes += 1
            photo.status = PhotoStatus.QUEUED
    session.flush()
    return [Code.INTERNAL] * (len(photos) if alone else 0)


def _blame(photo: Photo, hung: Hung) -> PhotoError | None:
    """Count against the photo; the error it fails with, None when it is tried again."""
    silence = f"no sign of progress with it in {hung.after_s:.0f} s"
    if hung.at_store:
        photo.read_errors += 1
        if photo.read_errors < hung.max_read_errors:
            return None
        return PhotoError.of(Code.FILE_UNAVAILABLE, "read", f"{silence} of reading it")
    if len(hung.at) > 1:
        photo.crashes += 1
        return None
    return PhotoError.of(Code.TIMEOUT, "queue", f"{silence} (NIGHTSHIFT_PHOTO_TIMEOUT_S)")
