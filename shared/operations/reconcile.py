"""Holds database and store against each other: what one has and the other does not, and what is stuck."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from nightshift.machine.process_id import is_surely_dead
from nightshift.words.states import JobState
from shared.db.engine import Database
from shared.db.tables import RUNNING, Job, Photo, Upload
from shared.files.no_pictures import is_no_picture
from shared.files.store import Store, Stored, job_prefix, kind_of
from shared.queue.counts import count_photos
from shared.queue.queue import Queue
from shared.settings import Settings

Kind = Literal["orphan", "missing_original", "wrong_counts", "stuck_job", "dead_lease"]

MEANINGS: dict[Kind, str] = {
    "orphan": "objects in the store that no row speaks of",
    "missing_original": "uploaded photos whose bytes are not in the store",
    "wrong_counts": "ended jobs whose counts are not those of their photos",
    "stuck_job": "jobs with nothing left to do that have not ended",
    "dead_lease": "photos under the lease of a process that is gone",
}

YOUNG = timedelta(hours=1)
"""Bytes are stored before their row is made: what is younger may be on its way."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not agree.

    Attributes:
        kind: what is wrong.
        job_id: where.
        count: how many objects, photos or jobs.
        fixed: whether it has been put right.
    """

    kind: Kind
    job_id: str
    count: int
    fixed: bool = False


def reconcile(
    settings: Settings, database: Database, store: Store, *, fix: bool, now: datetime
) -> Iterator[Finding]:
    """Look through everything, job by job.

    Args:
        settings: of the service.
        database: of the service.
        store: of the service.
        fix: put right what can be: delete orphans over an hour old, end, return and count anew. A missing
            original cannot be brought back. Files in place are never touched.
        now: the time.
    """
    for folder in [job for owner in store.folders() for job in store.folders(owner)]:
        yield from _objects(database, store, folder, fix=fix, now=now)
    with database.read() as session:
        jobs = list(session.scalars(select(Job.id).order_by(Job.created_at)))
    queue = Queue(database, settings)
    stuck = queue.unended_jobs()
    for job_id in jobs:
        yield from _job(database, store, job_id, fix=fix)
    for job_id in stuck:
        if fix:
            queue.finish(job_id)
        yield Finding("stuck_job", job_id, 1, fix)
    yield from _dead_leases(queue, fix=fix)


def _objects(database: Database, store: Store, folder: str, *, fix: bool, now: datetime) -> Iterator[Finding]:
    job_id = folder.split("/")[1]
    count = 0
    for page in list(store.pages(folder)):
        with database.read() as session:
            orphans = _orphans(session, job_id, page)
        old = [found.key for found in orphans if now - found.modified_at > YOUNG]
        if fix and old:
            store.delete(*old)
        count += len(old)
    if count:
        yield Finding("orphan", job_id, count, fix)


def _orphans(session: Session, job_id: str, page: list[Stored]) -> list[Stored]:
    if session.scalar(select(Upload.job_id).where(Upload.job_id == job_id, Upload.lease_token.is_not(None))):
        return []
    job = session.get(Job, job_id)
    if job is None:
        return page
    # Photos are still arriving; and a copy within a directory is as old as its original.
    if job.state in (JobState.OPEN, JobState.UNPACKING):
        return []
    ids = {_photo_id(found.key) for found in page}
    needed = select(Photo.id).where(Photo.job_id == job_id, Photo.id.in_(ids), ~is_no_picture())
    known = set(session.scalars(needed))
    if job.state != JobState.ENDED:
        # They go when it has ended.
        known.add("archive")
        known.update(session.scalars(select(Photo.id).where(Photo.id.in_(ids), is_no_picture())))
    return [found for found in page if _photo_id(found.key) not in known]


def _photo_id(key: str) -> str:
    return key.rpartition("/")[2].partition(".")[0]


def _job(database: Database, store: Store, job_id: str, *, fix: bool) -> Iterator[Finding]:
    with database.read() as session:
        job = session.get(Job, job_id)
        if job is None:
            return
        uploads = select(Photo.id).where(
            Photo.job_id == job_id,
            Photo.in_place_path.is_(None),
            Photo.sha256.is_not(None),
            ~is_no_picture(),
        )
        expected = set(session.scalars(uploads))
        counts = count_photos(session, job_id).model_dump()
    stored = {_photo_id(o.key) for page in store.pages(job_prefix(job.owner, job_id)) for o in page
              if kind_of(o.key) == "original"}  # fmt: skip
    if not job.delete_originals and expected - stored:
        yield Finding("missing_original", job_id, len(expected - stored))
    if job.state == JobState.ENDED and job.final_counts != counts:
        if fix:
            with database.write() as session:
                session.execute(
                    update(Job)
                    .where(Job.id == job_id, Job.state == JobState.ENDED)
                    .values(final_counts=count_photos(session, job_id).model_dump())
                )
        yield Finding("wrong_counts", job_id, 1, fix)


def _dead_leases(queue: Queue, *, fix: bool) -> Iterator[Finding]:
    with queue.database.read() as session:
        held = session.execute(select(Photo.job_id, Photo.worker).where(Photo.status == RUNNING)).all()
    dead = [job_id for job_id, worker in held if worker and is_surely_dead(worker)]
    if dead and fix:
        queue.return_lapsed(is_surely_dead, by_time=False)
    for job_id in sorted(set(dead)):
        yield Finding("dead_lease", job_id, dead.count(job_id), fix)
