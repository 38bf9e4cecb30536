"""Photos as rows of the flat tables."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Self, cast

from nightshift.words.analysis import AGE_GROUPS, Box, Face, Landmarks, Quality
from nightshift.words.columns import Cell, columns
from nightshift.words.documents import Job, Photo, Summary
from nightshift.words.options import AnalysisOptions
from nightshift.words.tables import FORMAT_VERSION, FaceRow, PhotoRow
from nightshift.words.thresholds import Thresholds

BETWEEN_WARNINGS = " | "

_P_AGE = {label: f"p_age_{label.replace('-', '_').replace('+', '_up')}" for label, _, _ in AGE_GROUPS}
_OPTIONS = tuple(AnalysisOptions.model_fields)
_SIDES = tuple(field.name for field in fields(Box))
_POINTS = tuple(field.name for field in fields(Landmarks))
# A photo's box has a size, too.
_QUALITY = {
    "crop_size_px" if field.name == "size_px" else field.name: field.name for field in fields(Quality)
}
_NO_QUALITY: dict[str, Cell] = dict.fromkeys(_QUALITY)


def in_words(label: str) -> str:
    """An age group, or range, that no spreadsheet takes for a date, or a number: `5 to 9`, `65 or more`."""
    return label.replace("-", " to ").replace("+", " or more")


@dataclass(frozen=True, slots=True)
class About:
    """What rows say of their job.

    Attributes:
        job_id: its id.
        bundle_sha256: of the weights it was opened for, whose `thresholds` these are.
        options: its options that change what is found.
        thresholds: None where they are not known.
    """

    job_id: str
    bundle_sha256: str
    options: AnalysisOptions
    thresholds: Thresholds | None

    @classmethod
    def of(cls, job: Job, summary: Summary) -> Self:
        """Of what a server says of a job."""
        return cls(job.id, job.bundle.sha256, job.options, summary.thresholds)


def photo_row(photo: Photo, about: About) -> PhotoRow:
    """The photo's row of `photos`."""
    return PhotoRow(**_rounded(PhotoRow, _of_photo(photo) | _outcome(photo) | _of_run(photo, about)))


def face_rows(photo: Photo, about: About) -> Iterator[FaceRow]:
    """The rows of `faces` that a photo has: one a face, largest first."""
    return _face_rows(photo, photo.faces, about)


def low_confidence_face_rows(photo: Photo, about: About) -> Iterator[FaceRow]:
    """The rows of `low-confidence-faces`, likewise."""
    return _face_rows(photo, photo.low_confidence_faces or (), about)


def _face_rows(photo: Photo, faces: Sequence[Face], about: About) -> Iterator[FaceRow]:
    if faces:
        shared = _of_photo(photo) | _of_run(photo, about)
        for face in faces:
            yield FaceRow(**_rounded(FaceRow, shared | _of_face(face)))


def cells(row: PhotoRow | FaceRow) -> list[Cell]:
    """A row's cells in the order of its columns."""
    said = vars(row)
    return [said[column.name] for column in columns(type(row))]


def _rounded(row: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    for name, digits in _numbers(cast(Hashable, row)):
        if (value := values[name]) is not None:
            # A zero has no sign.
            values[name] = float(value) if digits is None else round(value, digits) + 0.0
    return values


@cache
def _numbers(row: Any) -> tuple[tuple[str, int | None], ...]:
    return tuple((column.name, column.told.digits) for column in columns(row) if column.kind == "number")


def _of_photo(photo: Photo) -> dict[str, Any]:
    names = (
        "custom_id",
        "photo_id",
        "path",
        "root",
        "sha256",
        "width",
        "height",
        "exif_orientation",
        "scale",
    )
    camera = ("taken_at", "camera_make", "camera_model")
    return {name: getattr(photo, name) for name in (*names, *camera)}


def _outcome(photo: Photo) -> dict[str, Any]:
    error = photo.error
    return {
        "status": str(photo.status),
        "faces": len(photo.faces),
        "error_code": str(error.code) if error else None,
        "error_stage": error.stage if error else None,
        "error_message": error.message if error else None,
        "error_retryable": error.retryable if error else None,
        "warnings": BETWEEN_WARNINGS.join(photo.warnings) or None,
        "attempts": photo.attempts,
        "reused": photo.reused,
    }


def _of_run(photo: Photo, about: About) -> dict[str, Any]:
    bundle = photo.bundle
    known = about.thresholds if bundle and bundle.sha256 == about.bundle_sha256 else None
    limits = known.model_dump() if known else {}
    return {
        "job_id": about.job_id,
        "bundle": bundle.name if bundle else None,
        "bundle_sha256": bundle.sha256 if bundle else None,
        "precision": photo.precision,
        **{f"option_{name}": getattr(about.options, name) for name in _OPTIONS},
        **{f"threshold_{name}": limits.get(name) for name in Thresholds.model_fields},
        "format_version": FORMAT_VERSION,
    }


def _of_face(face: Face) -> dict[str, Any]:
    gender, age, ages = face.gender, face.age_group, face.age_range
    return {
        "face_index": face.index,
        "confidence": face.confidence,
        **{name: getattr(face.box, name) for name in _SIDES},
        **{f"{name}_norm": getattr(face.box_norm, name) for name in _SIDES},
        "box_size_px": face.size_px,
        **{f"{name}_x": getattr(face.landmarks, name).x for name in _POINTS},
        **{f"{name}_y": getattr(face.landmarks, name).y for name in _POINTS},
        "roll_deg": face.roll_deg,
        "aligned": face.aligned,
        "gender": gender.value,
        "gender_probability": gender.probability,
        "gender_uncertain": gender.uncertain,
        "gender_uncertain_because": " ".join(gender.uncertain_because) or None,
        **{f"p_{name}": gender.probabilities.get(name) for name in ("female", "male")},
        "age_group": in_words(age.label),
        "age_group_low": age.low,
        "age_group_high": age.high,
        "age_group_probability": age.probability,
        "age_group_uncertain": age.uncertain,
        "age_group_uncertain_because": " ".join(age.uncertain_because) or None,
        **{name: age.probabilities.get(label) for label, name in _P_AGE.items()},
        "age_years": face.age_years,
        "age_range": in_words(ages.label),
        "age_range_low": ages.low,
        "age_range_high": ages.high,
        "age_range_probability": ages.probability,
        **(_of_quality(face.quality) if face.quality else _NO_QUALITY),
    }


def _of_quality(quality: Quality) -> dict[str, Any]:
    return {column: getattr(quality, name) for column, name in _QUALITY.items()}
