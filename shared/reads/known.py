"""Which bytes an owner has sent before."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from nightshift.words.error_codes import Code
from shared.db.tables import NOT_SUCCEEDED, SUCCEEDED, Photo
from shared.files.no_pictures import is_no_picture

_WORTH_ANOTHER: tuple[ColumnElement[bool], ...] = (
    Photo.status.in_(NOT_SUCCEEDED),
    ~is_no_picture(),
    # What the store has are other bytes; sent again, the photo is whole.
    func.coalesce(Photo.error["code"].as_string(), "") != Code.DIGEST_MISMATCH,
)


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
    """For each digest an upload of the owner that has ended; its bytes may have been deleted since.

    One that was analysed, or else one that was not and may be the next time, with other options.
    """
    found = _uploads(session, owner, digests, Photo.status == SUCCEEDED)
    rest = set(digests) - found.keys()
    return found | (_uploads(session, owner, rest, *_WORTH_ANOTHER) if rest else {})


def _uploads(
    session: Session, owner: str, digests: Collection[str], *such: ColumnElement[bool]
) -> dict[str, Sent]:
    query = select(Photo.sha256, Photo.job_id, Photo.id, Photo.size_bytes).where(
        Photo.owner == owner, Photo.sha256.in_(digests), Photo.in_place_path.is_(None), *such
    )
    # Of several the newest: it is the last to be erased. Sorted here: the index is not of ids.
    rows = sorted(session.execute(query).all(), key=lambda row: row.id)
    return {sha256: Sent(job_id, photo_id, size) for sha256, job_id, photo_id, size in rows if sha256}
