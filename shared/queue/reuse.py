"""Results of identical bytes, analysed with the same weights and options, hold again."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.db.models import SUCCEEDED, FaceRow, Photo
from shared.domain import Analysis, Face, TimingsMs

_FACE = TypeAdapter(Face)
_NEEDED = (
    *(Photo.id, Photo.job_id, Photo.width, Photo.height, Photo.exif_orientation, Photo.scale),
    *(Photo.precision, Photo.warnings),
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """An analysis made before, and of which photo."""

    photo_id: str
    job_id: str
    analysis: Analysis


def find_earlier(
    session: Session, *, owner: str, sha256: str, bundle_sha256: str, options_fingerprint: str
) -> Earlier | None:
    """The owner's analysis of the same bytes with the same weights and options, None when there is none."""
    photo = session.execute(
        select(*_NEEDED)
        .where(
            Photo.owner == owner,
            Photo.sha256 == sha256,
            Photo.status == SUCCEEDED,
            Photo.bundle_sha256 == bundle_sha256,
            Photo.options_fingerprint == options_fingerprint,
        )
        .limit(1)
    ).first()
    if photo is None or photo.width is None or photo.height is None:
        return None
    documents = session.scalars(
        select(FaceRow.document).where(FaceRow.photo_id == photo.id).order_by(FaceRow.index)
    )
    analysis = Analysis(
        width=photo.width,
        height=photo.height,
        exif_orientation=photo.exif_orientation or 1,
        scale=photo.scale or 1.0,
        faces=tuple(_FACE.validate_python(document) for document in documents),
        # Nothing was computed this time.
        timings_ms=TimingsMs(),
        precision=photo.precision or "",
        warnings=tuple(photo.warnings or ()),
    )
    return Earlier(photo.id, photo.job_id, analysis)
