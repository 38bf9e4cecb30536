"""Saving what became of a batch: one transaction, by token, only where the lease is still held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import insert

from nightshift.words.analysis import Analysis, PhotoError
from nightshift.words.states import PhotoStatus
from nightshift.words.sureness import sureness
from shared.bundles.manifest import Manifest
from shared.db.engine import Transaction
from shared.db.tables import FACES
from shared.queue.attempts import RETURNED, End, HeldPhoto, end, not_read, under_lease
from shared.queue.claim import Claim
from shared.settings import Settings

ANALYSED = (
    *("width", "height", "exif_orientation", "scale", "precision", "timings_ms", "warnings"),
    *("taken_at", "camera_make", "camera_model", "low_confidence_faces"),
)
"""Fields of an `Analysis` that are columns of its photo."""


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


def save(
    session: Transaction, settings: Settings, held: Claim, results: Sequence[Result], *, bundle: Manifest
) -> Saved:
    """Write each result whose photo is still under this lease, and release it.

    The number of statements does not grow with the photos, nor with their faces.
    """
    made_by = {
        "bundle_name": bundle.name,
        "bundle_sha256": bundle.sha256,
        "options_fingerprint": held.options.analysis().fingerprint(bundle.reading),
    }
    photos = {photo.id: photo for photo in under_lease(session, *held.still_held())}
    kept = [result for result in results if result.photo_id in photos]
    ends = [
        (photo := photos[result.photo_id], _end_of(result, photo, settings.max_read_errors, made_by))
        for result in kept
    ]
    end(session, ends)
    faces = [
        row for result in kept if isinstance(result, Succeeded) for row in _face_rows(held.job_id, result)
    ]
    if faces:
        session.execute(insert(FACES), faces)
    return Saved({photo.id: ended.status for photo, ended in ends}, len(results) - len(kept))


def _end_of(result: Result, photo: HeldPhoto, max_read_errors: int, made_by: Mapping[str, Any]) -> End:
    if isinstance(result, Away):
        return RETURNED
    if isinstance(result, NotRead):
        ended = not_read(photo, result.message, max_read_errors)
        return replace(ended, columns=made_by) if ended.error else ended
    of_bytes = {"sha256": result.sha256, "size_bytes": result.size_bytes} if result.sha256 else {}
    if isinstance(result, Failed):
        return End("failed", result.error, {**of_bytes, **made_by})
    columns = {name: getattr(result.analysis, name) for name in ANALYSED}
    faces = result.analysis.faces
    columns |= {"face_count": len(faces), "sureness": sureness(faces), "reused_from": result.reused_from}
    return End("succeeded", columns={**columns, **of_bytes, **made_by})


def _face_rows(job_id: str, result: Succeeded) -> list[dict[str, Any]]:
    return [
        {
            "photo_id": result.photo_id,
            "index": face.index,
            "job_id": job_id,
            "gender": face.gender.value,
            "age_group": face.age_group.label,
            "gender_because": " ".join(face.gender.uncertain_because),
            "age_group_because": " ".join(face.age_group.uncertain_because),
            "sharpness": face.quality.sharpness if face.quality else None,
            # As it is: the column writes dataclasses.
            "document": face,
        }
        for face in result.analysis.faces
    ]
