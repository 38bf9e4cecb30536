"""Photos that are sought, in outline: how many, of which shapes, and where each page of them begins."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from nightshift.words import documents
from shared.db.tables import Photo
from shared.queue.jobs import owned_job
from shared.reads.cursor import Place, encode_place
from shared.reads.sought import Sought


def photo_outline(
    session: Session, owner: str, job_id: str, sought: Sought, *, limit: int
) -> documents.PhotoOutline:
    """The shapes of a job's photos that are as sought, in the order of `photo_page` with this `limit`.

    Raises:
        NotFound: `job_not_found`.
    """
    owned_job(session, owner, job_id)
    query = (
        select(Photo.ordinal, Photo.width, Photo.height)
        .where(*sought.conditions(job_id))
        .order_by(Photo.ordinal)
    )
    rows = session.execute(query).all()
    return documents.PhotoOutline(
        total=len(rows),
        shapes=[_shape(width, height) for _, width, height in rows],
        cursors=[
            encode_place(job_id, "added", Place(rows[at - 1].ordinal))
            for at in range(limit, len(rows), limit)
        ],
    )


def _shape(width: int | None, height: int | None) -> int:
    return max(1, round(100 * width / height)) if width and height else 0
