"""Saving what became of a batch: one transaction, by token, only where the lease is still held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from nightshift.words.analysis import Analysis, PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.states import PhotoStatus
from shared.bundles.manifest import Manifest
from shared.db.tables import FaceRow, Photo
from shared.queue.claim import Claim, still_held
from shared.queue.history import Attempted, Ending, with_attempt


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The photo was analysed, or an earlier analysis of the same bytes holds for it."""

    photo_id: str
    sha256: str
    size_bytes: int
    analysis: Analysis
    reused_from: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The photo cannot be analysed; `sha256` and `size_bytes` are None when it could not be read."""

    photo_id: str
    error: PhotoError
    sha256: str | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class NotRead:
    """The photo's bytes were out of reach for now; it goes back to the queue a set number of times."""

    photo_id: str
    message: str


@dataclass(frozen=True, slots=True)
class Away:
    """The folder that the photo stays in is out of reach; it goes back to the queue, uncounted."""

    photo_id: str
    message: str


Result = Succeeded | Failed | NotRead | Away


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save did.

    Attributes:
        statuses: of the photos written, by id.
        lost: photos whose lease had been lost.
    """

    statuses: Mapping[str, PhotoStatus]
    lost: int

    @property
    def written(self) -> int:
        """Photos written."""
        return len(self.statuses)


_ENDINGS: dict[PhotoStatus, Ending] = {
    PhotoStatus.SUCCEEDED: "succeeded",
    PhotoStatus.FAILED: "failed",
    PhotoStatus.QUEUED: "not_read",
}


def save(
    session: Session,
    held: Claim,
    results: Sequence[Result],
    *,
    bundle: Manifest,
    max_read_errors: int,
    now: datetime,
) -> Saved:
    """Write each result whose photo is still under this lease, and release it.

    The number of statements does not grow with the photos, nor with their faces.
    """
    rows = session.execute(select(*_HELD).where(*still_held(held)).with_for_update())
    photos = {photo.id: photo for photo in rows}
    statuses: dict[str, PhotoStatus] = {}
    faces: list[dict[str, Any]] = []
    made_by = {
        "finished_at": now,
        "bundle_name": bundle.name,
        "bundle_sha256": bundle.sha256,
        "options_fingerprint": held.options.analysis().fingerprint(bundle.reading),
    }
    # By the columns they set: those of one kind go to the database together.
    ended: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for result in results:
        photo = photos.get(result.photo_id)
        if photo is None:
            continue
        values = _release(result, photo.read_errors, max_read_errors, made_by)
        ending = _ENDINGS[values["status"]]
        if isinstance(result, Away):
            ending, values["attempts"] = "returned", photo.attempts - 1
        history = with_attempt(cast(Attempted, photo), ending, now)
        ended[tuple(values)].append({"held_id": photo.id, "history": history, **values})
        statuses[photo.id] = values["status"]
        if isinstance(result, Succeeded):
            faces += _face_rows(held.job_id, result)
    for alike in ended.values():
        session.execute(_RELEASE, alike)
    if faces:
        session.execute(insert(cast(Table, FaceRow.__table__)), faces)
    return Saved(statuses, len(results) - len(statuses))


# Columns that are needed, and the table itself: entities of 40 columns would cost more than all the rest.
_PHOTOS = cast(Table, Photo.__table__)
_RELEASE = (
    update(_PHOTOS)
    .where(_PHOTOS.c.id == bindparam("held_id"))
    .values(lease_token=None, lease_expires_at=None)
)
_HELD = (Photo.id, Photo.read_errors, Photo.attempts, Photo.worker, Photo.claimed_at, Photo.history)


def _release(
    result: Result, read_errors: int, max_read_errors: int, made_by: Mapping[str, Any]
) -> dict[str, Any]:
    """Columns that end the photo's attempt."""
    if isinstance(result, Away):
        return {"status": PhotoStatus.QUEUED}
    if isinstance(result, NotRead):
        if read_errors + 1 < max_read_errors:
            return {"status": PhotoStatus.QUEUED, "read_errors": read_errors + 1}
        error = PhotoError.of(Code.FILE_UNAVAILABLE, "read", result.message)
        result = Failed(result.photo_id, error)
    of_bytes = {"sha256": result.sha256, "size_bytes": result.size_bytes} if result.sha256 else {}
    if isinstance(result, Failed):
        return {"status": PhotoStatus.FAILED, "error": asdict(result.error), **of_bytes, **made_by}
    analysis = result.analysis
    return {
        "status": PhotoStatus.SUCCEEDED,
        "width": analysis.width,
        "height": analysis.height,
        "exif_orientation": analysis.exif_orientation,
        "scale": analysis.scale,
        "face_count": len(analysis.faces),
        "timings_ms": asdict(analysis.timings_ms),
        "precision": analysis.precision,
        "warnings": list(analysis.warnings),
        "reused_from": result.reused_from,
        **of_bytes,
        **made_by,
    }


def _face_rows(job_id: str, result: Succeeded) -> list[dict[str, Any]]:
    return [
        {
            "photo_id": result.photo_id,
            "index": face.index,
            "job_id": job_id,
            "gender": face.gender.value,
            "age_group": face.age_group.label,
            "uncertain": face.gender.uncertain or face.age_group.uncertain,
            # As it is: the column writes dataclasses.
            "document": face,
        }
        for face in result.analysis.faces
    ]
