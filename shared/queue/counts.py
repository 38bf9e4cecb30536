"""How many photos of a job stand where. They come from the photo rows, so they always add up."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.db.models import Photo
from shared.states import PhotoStatus


@dataclass(frozen=True, slots=True)
class Counts:
    """Photos by status, and the faces found so far."""

    total: int = 0
    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    faces: int = 0

    @property
    def final(self) -> int:
        """Photos that nothing will change any more."""
        return self.succeeded + self.failed + self.cancelled

    def frozen(self) -> dict[str, int]:
        """As kept on the row of an ended job."""
        return asdict(self)


def count_photos(session: Session, job_id: str) -> Counts:
    """Count one job's photos, from the covering index alone."""
    query = (
        select(Photo.status, func.count(), func.coalesce(func.sum(Photo.face_count), 0))
        .where(Photo.job_id == job_id)
        .group_by(Photo.status)
    )
    rows = session.execute(query).all()
    by_status = {PhotoStatus(status): count for status, count, _ in rows}
    return Counts(
        total=sum(by_status.values()),
        faces=int(sum(faces for _, _, faces in rows)),
        **{status.value: by_status.get(status, 0) for status in PhotoStatus},
    )
