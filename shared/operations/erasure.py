"""Erasing: the rows of a job at once, then its bytes, and a receipt that says what there was.

The receipt is written in the transaction that deletes the rows. Should the bytes' turn be broken off,
the sweeper finds a receipt that is not complete and goes on. Bytes are counted before the first of them
goes, and that count stands: any number of processes may delete at the same time. A file that was
registered in place is not in the store, and nothing here knows how to delete it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import chain
from typing import Any, Literal

from sqlalchemy import ColumnElement, Update, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict, NotFound
from nightshift.words.states import ERASABLE_STATES, JobState
from shared.db.ballast import with_room
from shared.db.engine import Database, Transaction
from shared.db.leftovers import forget_deleted
from shared.db.tables import Erasure, FaceRow, Job, Photo
from shared.files.store import Kind, Store, Stored, job_prefix, kind_of
from shared.queue import audit, holdings, uploads
from shared.queue.jobs import owned_job

Reason = Literal["requested", "expired"]
AT_ONCE = 20
"""Jobs erased in one round of the sweeper, so that its other duties are not kept waiting."""

_COLUMNS: dict[Kind, str] = {"original": "originals", "thumbnail": "thumbnails", "archive": "archives"}


def erase(
    database: Database,
    store: Store,
    owner: str,
    job_id: str,
    reason: Reason,
    *,
    expired_by: datetime | None = None,
) -> Erasure:
    """Erase a job, or show the receipt of one that was erased before.

    Args:
        database: of the service.
        store: of the service.
        owner: of the job.
        job_id: the job.
        reason: why.
        expired_by: only if its results have expired by then: it may have been retried meanwhile.

    Raises:
        NotFound: `job_not_found`.
        Conflict: `illegal_move` while it is worked on.
    """
    receipt = select(Erasure).where(Erasure.job_id == job_id, Erasure.owner == owner)
    counted: dict[str, int] = {}

    def erase_rows() -> Erasure | None:
        with database.write() as session:
            earlier = session.scalar(receipt)
            if earlier is None:
                _erase_rows(session, owner, job_id, reason, expired_by, counted)
            return earlier

    def erase_photos_first() -> None:
        # On a full disk, it is these bytes that make room to delete the rows.
        counted.update(_counted(store.pages(job_prefix(owner, job_id))))
        store.clear(job_prefix(owner, job_id))

    try:
        earlier = with_room(database, erase_rows, erase_photos_first)
        if earlier is not None and earlier.completed_at is not None:
            return earlier
    except NotFound:
        # Perhaps another request, or the sweeper, was quicker.
        with database.read() as session:
            if session.scalar(receipt) is None:
                raise
    return erase_bytes(database, store, job_id)


def erase_bytes(database: Database, store: Store, job_id: str) -> Erasure:
    """Delete what the store, and the database's own files, hold of a job whose rows are gone.

    The receipt is complete when nothing is left. While others read the database's log, it is not, and
    the sweeper goes on.
    """
    with database.read() as session:
        receipt = session.get_one(Erasure, job_id)
    prefix = job_prefix(receipt.owner, job_id)
    if receipt.size_bytes is None:
        values = _counted(store.pages(prefix))
        with database.write() as session:
            session.execute(_unless_set(Erasure.size_bytes, job_id, values))
    store.clear(prefix)
    if not forget_deleted(database):
        with database.read() as session:
            return session.get_one(Erasure, job_id)
    with database.write() as session:
        session.execute(_unless_set(Erasure.completed_at, job_id, {"completed_at": session.now}))
        return session.get_one(Erasure, job_id)


def expired_jobs(session: Session, until: datetime) -> list[tuple[str, str]]:
    """Owner and id of jobs whose results have expired by then, the earliest first."""
    query = select(Job.owner, Job.id).where(*_expired(until)).order_by(Job.results_expire_at)
    return [(owner, job_id) for owner, job_id in session.execute(query.limit(AT_ONCE))]


def count_expired(session: Session, until: datetime) -> int:
    """Jobs whose results have expired by then."""
    return session.scalar(select(func.count()).select_from(Job).where(*_expired(until))) or 0


def _expired(until: datetime) -> tuple[ColumnElement[bool], ...]:
    return Job.state == JobState.ENDED, Job.results_expire_at < until


def incomplete(session: Session) -> list[str]:
    """Ids of erased jobs whose bytes may still be there."""
    return list(session.scalars(select(Erasure.job_id).where(Erasure.completed_at.is_(None)).limit(AT_ONCE)))


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
    with database.write() as session, suppress(NotFound):
        job = owned_job(session, owner, job_id, lock=True)
        holdings.remove(session, owner, size_bytes=holdings.stored_bytes(session, job))
        job.originals_deleted_at = session.now


def _erase_rows(
    session: Transaction,
    owner: str,
    job_id: str,
    reason: Reason,
    expired_by: datetime | None,
    counted: Mapping[str, int],
) -> None:
    job = owned_job(session, owner, job_id, lock=True)
    if expired_by is not None and not (job.results_expire_at and job.results_expire_at < expired_by):
        raise Conflict(Code.ILLEGAL_MOVE, f"the results of job {job_id} have not expired", state=job.state)
    if job.state not in ERASABLE_STATES:
        message = f"cannot delete job {job_id}: it is {job.state}; cancel it first"
        raise Conflict(Code.ILLEGAL_MOVE, message, state=job.state)
    photos, in_place = session.execute(
        select(func.count(), func.count(Photo.in_place_path)).where(Photo.job_id == job_id)
    ).one()
    faces = session.scalar(select(func.count()).select_from(FaceRow).where(FaceRow.job_id == job_id))
    holdings.remove(session, owner, photos=photos, size_bytes=holdings.stored_bytes(session, job))
    session.add(
        Erasure(
            job_id=job_id,
            owner=owner,
            reason=reason,
            requested_at=session.now,
            photos=photos,
            faces=faces or 0,
            in_place=in_place,
            **counted,
        )
    )
    audit.note(session, "erase", owner, job_id)
    # Faces and photos would follow their job by the database's own rule, faces of each photo one by one.
    for table in (FaceRow, Photo):
        session.execute(delete(table).where(table.job_id == job_id))
    session.execute(delete(Job).where(Job.id == job_id))
    uploads.forget_job(session, job_id)


def _counted(pages: Iterable[list[Stored]]) -> dict[str, int]:
    values = dict.fromkeys((*_COLUMNS.values(), "size_bytes"), 0)
    for found in chain.from_iterable(pages):
        values[_COLUMNS[kind_of(found.key)]] += 1
        values["size_bytes"] += found.size_bytes
    return values


def _unless_set(column: InstrumentedAttribute[Any], job_id: str, values: Mapping[str, Any]) -> Update:
    return update(Erasure).where(Erasure.job_id == job_id, column.is_(None)).values(**values)
