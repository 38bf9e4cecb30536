"""Which code more than half of a job's failed photos have, in a time that does not grow with the job."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from nightshift.words.states import PhotoStatus
from shared.db.tables import Photo

LOOKED_AT = 1000
"""Of the failed photos, the last ones: asked again and again, ten thousand would be read each time."""


def commonest_failure(session: Session, job_id: str) -> str | None:
    """The code that more than half of the last `LOOKED_AT` failed photos have; None without one."""
    code = Photo.error["code"].as_string().label("code")
    failed = (
        select(code)
        .where(Photo.job_id == job_id, Photo.status == PhotoStatus.FAILED)
        .order_by(Photo.ordinal.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    query = select(failed.c.code, func.count().label("photos")).group_by(failed.c.code)
    counts: dict[str, int] = {row.code: row.photos for row in session.execute(query)}
    half = sum(counts.values()) / 2
    return next((code for code, photos in counts.items() if photos > half), None)
