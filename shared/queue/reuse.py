"""Results of identical bytes, analysed with the same weights and options, hold again."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from nightshift.words.analysis import Analysis, Face, TimingsMs
from shared.db.tables import SUCCEEDED, FaceRow, Photo

_FACE = TypeAdapter(Face)

# Asked for every photo: put together once, since that takes longer than the answer.
_EARLIER = (
    select(
        *(Photo.id, Photo.job_id, Photo.width, Photo.height, Photo.exif_orientation, Photo.scale),
        *(Photo.precision, Photo.warnings),
    )
    .where(
        Photo.owner == bindparam("owner"),
        Photo.sha256 == bindparam("sha256"),
        Photo.status == SUCCEEDED,
        Photo.bundle_sha256 == bindparam("bundle_sha256"),
        Photo.options_fingerprint == bindparam("options_fingerprint"),
    )
    .limit(1)
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
        _EARLIER,
        {
            "owner": owner,
            "sha256": sha256,
            "bundle_sha256": bundle_sha256,
            "options_fingerprint": options_fingerprint,
        },
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
