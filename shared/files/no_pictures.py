"""Bytes that nobody needs: of uploads that turned out to be no picture, archives that were unpacked, and jobs
that were erased meanwhile.

A photo that is damaged, or took too long, keeps its bytes as long as its job: another attempt may succeed.
What is no picture of a kind that is read here never becomes one, and is not stored for anybody.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from nightshift.words.error_codes import Code
from nightshift.words.errors import Transient
from nightshift.words.states import JobState, PhotoStatus
from shared.db.engine import Database
from shared.db.tables import Archive, Job, Photo
from shared.files.store import Store, archive_key, job_prefix, photo_key

AT_ONCE = 500
JOBS_AT_ONCE = 20

log = logging.getLogger(__name__)


def is_no_picture() -> ColumnElement[bool]:
    """Whether a photo's row says that it is none."""
    code = func.coalesce(Photo.error["code"].as_string(), "")
    return (Photo.status == PhotoStatus.FAILED) & (code == Code.UNSUPPORTED_FORMAT)


def delete_bytes(store: Store, owner: str, job_id: str, photo_ids: Collection[str]) -> None:
    """Delete the uploads that were found to be no picture, those that are there.

    Should the store be away, they go when the job ends.
    """
    _deleted(store, job_id, [photo_key(owner, job_id, photo_id) for photo_id in photo_ids])


def clear_ended(database: Database, store: Store, job_id: str) -> None:
    """Delete what an ended job needs no more; again is no error.

    Should the store be away, the sweeper asks again: `uncleared`.
    """
    with database.read() as session:
        owner, archive = _of(session, job_id)
        ids = list(
            session.scalars(
                select(Photo.id).where(Photo.job_id == job_id, Photo.in_place_path.is_(None), is_no_picture())
            )
        )
    if owner is None:
        return
    keys = [photo_key(owner, job_id, photo_id) for photo_id in ids]
    if archive:
        keys.append(archive_key(owner, job_id))
    if _deleted(store, job_id, keys):
        with database.write() as session:
            # Not of one that is tried again meanwhile: it ends anew.
            ended = update(Job).where(Job.id == job_id, Job.state == JobState.ENDED)
            session.execute(ended.values(cleared_at=session.now))


def clear_erased(database: Database, store: Store, owner: str, job_id: str) -> None:
    """Delete what was stored for a job that is gone; to be called after the last write for it.

    Raises:
        Transient: database or store are away.
    """
    with database.read() as session:
        if session.get(Job, job_id) is not None:
            return
    store.clear(job_prefix(owner, job_id))
    log.info("cleared after an erased job", extra={"job": job_id})


def uncleared(session: Session) -> list[str]:
    """Ids of ended jobs that may have bytes in the store that nobody needs."""
    query = select(Job.id).where(Job.state == JobState.ENDED, Job.cleared_at.is_(None))
    return list(session.scalars(query.limit(JOBS_AT_ONCE)))


def _deleted(store: Store, job_id: str, keys: Sequence[str]) -> bool:
    """Delete what is there of these; False when the store is away."""
    try:
        for start in range(0, len(keys), AT_ONCE):
            store.delete(*keys[start : start + AT_ONCE])
    except Transient as error:
        log.warning("left behind", extra={"job": job_id, "objects": len(keys), "reason": error.message})
        return False
    return True


def abandoned_archives(session: Session) -> list[tuple[str, str]]:
    """Owner and id of jobs that ended before their archive was unpacked, which nobody does any more."""
    query = select(Job.owner, Job.id).join(Archive, Archive.job_id == Job.id)
    query = query.where(
        Archive.unpacked_at.is_(None), Archive.lease_token.is_(None), Job.state == JobState.ENDED
    )
    return [(owner, job_id) for owner, job_id in session.execute(query.limit(AT_ONCE))]


def clear_abandoned(database: Database, store: Store, owner: str, job_id: str) -> None:
    """Delete an archive that will not be unpacked.

    Raises:
        Transient: database or store are away.
    """
    store.delete(archive_key(owner, job_id))
    with database.write() as session:
        session.execute(update(Archive).where(Archive.job_id == job_id).values(unpacked_at=session.now))


def _of(session: Session, job_id: str) -> tuple[str | None, bool]:
    """The job's owner, None when it was erased; and whether it came as an archive."""
    row = session.execute(
        select(Job.owner, Archive.job_id).outerjoin(Archive, Archive.job_id == Job.id).where(Job.id == job_id)
    ).first()
    return (row[0], row[1] is not None) if row else (None, False)
