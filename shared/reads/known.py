"""Which bytes an owner has sent before."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.db.tables import SUCCEEDED, Photo


@dataclass(frozen=True, slots=True)
class Sent:
    """A photo in the store.

    Attributes:
        job_id: of its job.
        photo_id: its own.
        size_bytes: of its bytes.
    """

    job_id: str
    photo_id: str
    size_bytes: int | None

    @property
    def key(self) -> tuple[str, str]:
        """The part of its store key that follows the owner."""
        return (self.job_id, self.photo_id)


def uploads_of(session: Session, job_id: str, custom_ids: Collection[str]) -> dict[str, str | None]:
    """Digests of the uploads a job has under these names."""
    query = select(Photo.custom_id, Photo.sha256).where(
        Photo.job_id == job_id, Photo.custom_id.in_(custom_ids), Photo.in_place_path.is_(None)
    )
    return dict(session.execute(query).all())


def names_in(session: Session, job_id: str, custom_ids: Collection[str]) -> set[str]:
    """Which of these names a job has photos under."""
    query = select(Photo.custom_id).where(Photo.job_id == job_id, Photo.custom_id.in_(custom_ids))
    return set(session.scalars(query))


def uploads_with(session: Session, owner: str, digests: Collection[str]) -> dict[str, Sent]:
    """For each digest an upload of the owner that was analysed; its bytes may have been deleted since."""
    query = select(Photo.sha256, Photo.job_id, Photo.id, Photo.size_bytes).where(
        Photo.owner == owner,
        Photo.sha256.in_(digests),
        Photo.status == SUCCEEDED,
        Photo.in_place_path.is_(None),
    )
    # Of several the newest: it is the last to be erased.
    rows = session.execute(query.order_by(Photo.id))
    return {sha256: Sent(job_id, photo_id, size) for sha256, job_id, photo_id, size in rows if sha256}
