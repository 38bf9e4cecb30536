"""What each owner holds, and how much an owner may: so that one cannot fill the service for all.

Photos, and the bytes of uploads and archives in the store, are added up in one row for each owner, in
the transactions that add and delete the rows they are counted from. Jobs that have not ended are counted
when one is made, from an index that holds few of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, func, select, text
from sqlalchemy.orm import Session

from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict
from nightshift.words.plain_text import counted
from nightshift.words.states import JobState
from shared.db.tables import Archive, Holding, Job, Photo
from shared.settings import Settings

RETRY_AFTER_S = 60
"""A job that ends makes room for another."""

_UNENDED = [state for state in JobState if state != JobState.ENDED]

_ADD = text(
    "INSERT INTO holdings (owner, photos, size_bytes) VALUES (:owner, :photos, :size_bytes)"
    " ON CONFLICT (owner) DO UPDATE SET photos = holdings.photos + excluded.photos,"
    " size_bytes = holdings.size_bytes + excluded.size_bytes RETURNING photos, size_bytes"
)


@dataclass(frozen=True, slots=True)
class Held:
    """Photos of an owner's jobs, and bytes that the store keeps for them, thumbnails apart."""

    photos: int = 0
    size_bytes: int = 0

    def plus(self, photos: int, size_bytes: int) -> Held:
        """With so much more."""
        return Held(self.photos + photos, self.size_bytes + size_bytes)


def check(quota: Settings, held: Held) -> None:
    """Refuse what would be more than an owner may hold.

    Args:
        quota: the settings, which say it.
        held: what the owner would hold.

    Raises:
        Conflict: `quota_exceeded`, with the numbers.
    """
    what = (
        ("photos", held.photos, quota.max_owner_photos, "NIGHTSHIFT_MAX_OWNER_PHOTOS"),
        ("bytes", held.size_bytes, quota.max_owner_bytes, "NIGHTSHIFT_MAX_OWNER_BYTES"),
    )
    for name, number, limit, setting in what:
        if number > limit:
            message = f"an owner may hold {limit:,} {name} ({setting}); with these it would be {number:,}"
            raise _over(Code.QUOTA_EXCEEDED, f"{message}: erase jobs first", name, limit, number)


def _over(code: Code, message: str, quota: str, limit: int, wanted: int, **more: int) -> Conflict:
    return Conflict(code, message, quota=quota, limit=limit, wanted=wanted, **more)


def held_by(session: Session, owner: str) -> Held:
    """What an owner holds."""
    row = session.execute(select(Holding.photos, Holding.size_bytes).where(Holding.owner == owner)).first()
    return Held(*row) if row else Held()


def require(session: Session, owner: str, quota: Settings, *, photos: int, size_bytes: int) -> None:
    """Refuse early what `add` would refuse later.

    Raises:
        Conflict: `quota_exceeded`.
    """
    check(quota, held_by(session, owner).plus(photos, size_bytes))


def require_new_job(session: Session, owner: str, quota: Settings) -> None:
    """As `require_job`, for one that is made: an ended job without photos, too, has a row, and metadata.

    Raises:
        Conflict: `too_many_jobs`; `quota_exceeded`, with the numbers.
    """
    require_job(session, owner, quota)
    most = quota.max_owner_kept_jobs
    kept = select(Job.id).where(Job.owner == owner).limit(most).subquery()
    jobs = session.scalar(select(func.count()).select_from(kept)) or 0
    if jobs >= most:
        message = (
            f"an owner may hold {counted(most, 'job')} (NIGHTSHIFT_MAX_OWNER_KEPT_JOBS): erase some first"
        )
        raise _over(Code.QUOTA_EXCEEDED, message, "jobs", most, jobs + 1)


def require_job(session: Session, owner: str, quota: Settings) -> None:
    """Refuse one job more than an owner may have that have not ended.

    Raises:
        Conflict: `too_many_jobs`, with the numbers.
    """
    unended = select(func.count()).select_from(Job).where(Job.owner == owner, Job.state.in_(_UNENDED))
    jobs, most = session.scalar(unended) or 0, quota.max_owner_jobs
    if jobs >= most:
        message = f"an owner may have {counted(most, 'unended job')} (NIGHTSHIFT_MAX_OWNER_JOBS)"
        message += f"; there are {jobs:,}"
        raise _over(Code.TOO_MANY_JOBS, message, "jobs", most, jobs + 1, retry_after_s=RETRY_AFTER_S)


def add(
    session: Session, owner: str, *, photos: int = 0, size_bytes: int = 0, quota: Settings | None = None
) -> None:
    """Count what is added in this transaction; last in it, since the owner's other requests wait for the row.

    Raises:
        Conflict: `quota_exceeded`; the transaction is to be given up.
    """
    if photos or size_bytes:
        values = {"owner": owner, "photos": photos, "size_bytes": size_bytes}
        held = Held(*session.execute(_ADD, values).one())
        if quota is not None:
            check(quota, held)


def lock(session: Session, owner: str) -> None:
    """Have whoever else calls this, or adds to what the owner holds, wait for the end of this transaction."""
    session.execute(_ADD, {"owner": owner, "photos": 0, "size_bytes": 0})


def remove(session: Session, owner: str, *, photos: int = 0, size_bytes: int = 0) -> None:
    """Count what is deleted in this transaction."""
    add(session, owner, photos=-photos, size_bytes=-size_bytes)


def stored_bytes(session: Session, job: Job) -> int:
    """Bytes of a job that its owner's row counts: of uploads, and of an archive until it is unpacked."""
    if job.originals_deleted_at is not None:
        return 0
    uploaded = case((Photo.in_place_path.is_(None), Photo.size_bytes))
    photos = session.scalar(select(func.sum(uploaded)).where(Photo.job_id == job.id))
    archive = select(Archive.size_bytes).where(Archive.job_id == job.id, Archive.unpacked_at.is_(None))
    return int(photos or 0) + (session.scalar(archive) or 0)
