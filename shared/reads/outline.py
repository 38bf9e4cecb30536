"""Photos that are sought, in outline: how many, of which shapes, and where each page of them begins."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from nightshift.words import documents
from shared.db.tables import Photo
from shared.queue.jobs import owned_job
from shared.reads.order import AS_ADDED, Order
from shared.reads.sought import Sought

_COLUMNS: tuple[Any, ...] = (Photo.ordinal, Photo.width, Photo.height)


def photo_outline(
    session: Session, owner: str, job_id: str, sought: Sought, *, order: Order = AS_ADDED, limit: int
) -> documents.PhotoOutline:
    """The shapes of a job's photos that are as sought, in the order of `photo_page` with this `limit`.

    Raises:
        NotFound: `job_not_found`.
    """
    owned_job(session, owner, job_id)
    query = select(*_COLUMNS).where(*sought.conditions(job_id))
    rows, cursors = order.whole(session, query, job_id, limit)
    shapes = [_shape(row.width, row.height) for row in rows]
    return documents.PhotoOutline(total=len(rows), shapes=shapes, cursors=cursors)


def _shape(width: int | None, height: int | None) -> int:
    return max(1, round(100 * width / height)) if width and height else 0
