"""The ids of a job's photos, without all that was found in them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from shared.db.engine import Database
from shared.db.models import Job, Photo
from shared.errors import NotFound
from shared.states import FINAL_STATUSES

IDS_PAGE = 1000
"""Ids read in one transaction."""


def final_photo_ids(
    database: Database, owner: str, job_id: str, page_size: int = IDS_PAGE
) -> Iterator[list[str]]:
    """Id of every photo that is final, page by page in the order they were added; at least one page.

    Each page is read in a transaction of its own, as `final_photos` does.

    Raises:
        NotFound: `job_not_found`; also on a later page, when the job is deleted meanwhile.
    """
    after = -1
    while True:
        with database.read() as session:
            rows = session.execute(
                select(Photo.id, Photo.ordinal)
                .where(Photo.job_id == job_id, Photo.status.in_(FINAL_STATUSES), Photo.ordinal > after)
                .order_by(Photo.ordinal)
                .limit(page_size)
            ).all()
            # Asked last: a job still there now was there, whole, when its photos were read.
            if session.scalar(select(Job.id).where(Job.id == job_id, Job.owner == owner)) is None:
                raise NotFound("job_not_found", f"no job {job_id}")
        yield [row.id for row in rows]
        if len(rows) < page_size:
            return
        after = rows[-1].ordinal
