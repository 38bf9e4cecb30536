"""Results of identical bytes, analysed with the same weights and options, hold again."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from nightshift.words.analysis import Analysis, TimingsMs
from shared.db.tables import SUCCEEDED, FaceRow, Photo
from shared.queue.save import ANALYSED

_ANALYSIS = TypeAdapter(Analysis)

# Asked for every photo: put together once, since that takes longer than the answer.
_EARLIER = (
    select(Photo.id, Photo.job_id, *(getattr(Photo, name) for name in ANALYSED))
    .where(
        Photo.owner == bindparam("owner"),
        Photo.sha256 == bindparam("sha256"),
        Photo.status == SUCCEEDED,
        Photo.bundle_sha256 == bindparam("bundle_sha256"),
        Photo.options_fingerprint == bindparam("options_fingerprint"),
    )
    # The newest: it is the last to be erased, and most likely has the picture that is wished for now.
    .order_by(Photo.id.desc())
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
    if photo is None:
        return None
    documents = session.scalars(
        select(FaceRow.document).where(FaceRow.photo_id == photo.id).order_by(FaceRow.index)
    )
    found = {name: getattr(photo, name) for name in ANALYSED}
    # Nothing was computed this time.
    found |= {"faces": documents.all(), "timings_ms": TimingsMs()}
    return Earlier(photo.id, photo.job_id, _ANALYSIS.validate_python(found))
