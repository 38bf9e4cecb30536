"""Erasing: the rows of a job at once, then its bytes, and a receipt that says what there was.

The receipt is written in the transaction that deletes the rows. Should the bytes' turn be broken off,
the sweeper finds a receipt that is not complete and goes on. A file that was registered in place is
not in the store, and nothing here knows how to delete it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import Update, delete, func, select, update
from sqlalchemy.orm import Session

from shared.clock import utc_now
from shared.db.engine import Database
from shared.db.models import Erasure, FaceRow, Job, Photo
from shared.errors import Conflict
from shared.queue.jobs import owned_job
from shared.states import ERASABLE_STATES, JobState
from shared.store import Kind, Store, Stored, job_prefix, kind_of

Reason = Literal["requested", "expired"]
AT_ONCE = 20
"""Jobs erased in one round of the sweeper, so that its other duties are not kept waiting."""

_COLUMNS: dict[Kind, str] = {"original": "originals", "thumbnail": "thumbnails", "archive": "archives"}


def erase(database: Database, store: Store, owner: str, job_id: str, reason: Reason) -> Erasure:
    """Erase a job, or show the receipt of one that was erased before.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move` while it is worked on.
    """
    with database.write() as session:
        earlier = session.scalar(select(Erasure).where(Erasure.job_id == job_id, Erasure.owner == owner))
        if earlier is None:
            _erase_rows(session, owner, job_id, reason, utc_now())
        elif earlier.completed_at is not None:
            return earlier
    return erase_bytes(database, store, job_id)


def erase_bytes(database: Database, store: Store, job_id: str) -> Erasure:
    """Delete what the store holds of a job whose rows are gone, and complete its receipt."""
    with database.read() as session:
        receipt = session.get_one(Erasure, job_id)
    for deleted in store.clear(job_prefix(receipt.owner, job_id)):
        with database.write() as session:
            session.execute(_added(job_id, deleted))
    with database.write() as session:
        receipt = session.get_one(Erasure, job_id)
        receipt.completed_at = receipt.completed_at or utc_now()
        return receipt


def expired_jobs(session: Session, now: datetime) -> list[tuple[str, str]]:
    """Owner and id of jobs whose results have expired."""
    query = select(Job.owner, Job.id).where(Job.state == JobState.ENDED, Job.results_expire_at < now)
    return [(owner, job_id) for owner, job_id in session.execute(query.limit(AT_ONCE))]


def incomplete(session: Session) -> list[str]:
    """Ids of erased jobs whose bytes may still be there."""
    return list(session.scalars(select(Erasure.job_id).where(Erasure.completed_at.is_(None)).limit(AT_ONCE)))


def forget_bytes(store: Store, owner: str, job_id: str) -> None:
    """Delete what the store holds of a job that was never made."""
    for _ in store.clear(job_prefix(owner, job_id)):
        pass


def due_for_originals(session: Session) -> list[tuple[str, str]]:
    """Owner and id of ended jobs whose uploads are to be deleted by the job's own wish."""
    query = select(Job.owner, Job.id).where(
        Job.state == JobState.ENDED, Job.delete_originals, Job.originals_deleted_at.is_(None)
    )
    return [(owner, job_id) for owner, job_id in session.execute(query.limit(AT_ONCE))]


def delete_originals(database: Database, store: Store, owner: str, job_id: str) -> None:
    """Delete the photos that were uploaded for a job; thumbnails stay."""
    for page in list(store.pages(job_prefix(owner, job_id))):
        if keys := [found.key for found in page if kind_of(found.key) != "thumbnail"]:
            store.delete(*keys)
    with database.write() as session:
        session.execute(update(Job).where(Job.id == job_id).values(originals_deleted_at=utc_now()))


def _erase_rows(session: Session, owner: str, job_id: str, reason: Reason, now: datetime) -> None:
    job = owned_job(session, owner, job_id, lock=True)
    if job.state not in ERASABLE_STATES:
        message = f"cannot delete job {job_id}: it is {job.state}; cancel it first"
        raise Conflict("illegal_move", message, state=job.state)
    photos, in_place = session.execute(
        select(func.count(), func.count(Photo.in_place_path)).where(Photo.job_id == job_id)
    ).one()
    faces = session.scalar(select(func.count()).select_from(FaceRow).where(FaceRow.job_id == job_id))
    session.add(
        Erasure(
            job_id=job_id,
            owner=owner,
            reason=reason,
            requested_at=now,
            photos=photos,
            faces=faces or 0,
            in_place=in_place,
        )
    )
    # Faces and photos would follow their job by the database's own rule, faces of each photo one by one.
    for table in (FaceRow, Photo):
        session.execute(delete(table).where(table.job_id == job_id))
    session.execute(delete(Job).where(Job.id == job_id))


def _added(job_id: str, deleted: list[Stored]) -> Update:
    values = {
        column: getattr(Erasure, column) + sum(kind_of(found.key) == kind for found in deleted)
        for kind, column in _COLUMNS.items()
    }
    values["size_bytes"] = Erasure.size_bytes + sum(found.size_bytes for found in deleted)
    return update(Erasure).where(Erasure.job_id == job_id).values(**values)
