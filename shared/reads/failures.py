"""Which code most of a job's failed photos have, in a time that does not grow with the job."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from nightshift.words.states import PhotoStatus
from shared.db.tables import Photo

LOOKED_AT = 1000
"""Of the failed photos, the last ones: asked again and again, ten thousand would be read each time."""


def commonest_failure(session: Session, job_id: str) -> str | None:
    """The code that most of the last `LOOKED_AT` failed photos have; None without a failed photo."""
    code = Photo.error["code"].as_string().label("code")
    failed = (
        select(code)
        .where(Photo.job_id == job_id, Photo.status == PhotoStatus.FAILED)
        .order_by(Photo.ordinal.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    query = select(failed.c.code).group_by(failed.c.code).order_by(func.count().desc(), failed.c.code)
    return session.scalar(query.limit(1))
