"""Which of a job's photos are sought: by how they ended, their names, and the faces found in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_

from nightshift.words.photo_names import folded
from nightshift.words.states import PhotoStatus
from shared.db.tables import FaceRow, Photo

WITH_ERRORS = (PhotoStatus.FAILED, PhotoStatus.CANCELLED)
LABELS = ("gender", "age_group")


@dataclass(frozen=True, slots=True)
class Sought:
    """What a photo has to be; None asks for nothing. What is asked of a face holds of one and the same face.

    Attributes:
        status: its state.
        code: it failed with this code.
        prefix: its custom_id begins so.
        search: its custom_id holds this, as `folded` compares.
        folder: its custom_id is that of a file in this folder, or in one within it.
        min_faces, max_faces: how many were found in it.
        gender: apparent, of a face.
        age_group: apparent, of a face: one of these.
        uncertain: `gender`, `age_group` or `any`: that label of a face is uncertain.
        because: a label of a face is uncertain for this reason.
        min_quality: the `sharpness` of a face, or more.
        min_confidence: of the detector, in a face, 0-1.
        min_gender_probability, min_age_group_probability: of that label of a face, 0-1.
    """

    status: PhotoStatus | None = None
    code: str | None = None
    prefix: str | None = None
    search: str | None = None
    folder: str | None = None
    min_faces: int | None = None
    max_faces: int | None = None
    gender: str | None = None
    age_group: list[str] | None = None
    uncertain: str | None = None
    because: str | None = None
    min_quality: float | None = None
    min_confidence: float | None = None
    min_gender_probability: float | None = None
    min_age_group_probability: float | None = None

    def conditions(self, job_id: str) -> list[ColumnElement[bool]]:
        """Of rows of `Photo`, that of the job's id among them."""
        wanted: list[ColumnElement[bool]] = [Photo.job_id == job_id]
        if self.status is not None:
            wanted.append(Photo.status == self.status)
        if self.code is not None:
            wanted += [Photo.status.in_(WITH_ERRORS), Photo.error["code"].as_string() == self.code]
        if self.prefix:
            wanted.append(_begins(self.prefix))
        if self.folder:
            wanted.append(_begins(self.folder.rstrip("/") + "/"))
        if self.search:
            wanted.append(Photo.folded_name.contains(folded(self.search), autoescape=True))
        if self.min_faces is not None:
            wanted.append(Photo.face_count >= self.min_faces)
        if self.max_faces is not None:
            wanted.append(Photo.face_count <= self.max_faces)
        if face := self._of_a_face():
            wanted.append(exists().where(FaceRow.photo_id == Photo.id, *face))
        return wanted

    def _of_a_face(self) -> list[ColumnElement[bool]]:
        wanted: list[ColumnElement[bool]] = []
        if self.gender is not None:
            wanted.append(FaceRow.gender == self.gender)
        if self.age_group:
            wanted.append(FaceRow.age_group.in_(self.age_group))
        if self.uncertain is not None:
            labels = LABELS if self.uncertain == "any" else (self.uncertain,)
            wanted.append(or_(*(_why(label) != "" for label in labels)))
        if self.because is not None:
            told = f" {self.because} "
            reasons = (" " + _why(label) + " " for label in LABELS)
            wanted.append(or_(*(each.contains(told, autoescape=True) for each in reasons)))
        if self.min_quality is not None:
            wanted.append(FaceRow.sharpness >= self.min_quality)
        for least, path in (
            (self.min_confidence, ("confidence",)),
            (self.min_gender_probability, ("gender", "probability")),
            (self.min_age_group_probability, ("age_group", "probability")),
        ):
            if least is not None:
                wanted.append(FaceRow.document[path].as_float() >= least)
        return wanted


def _begins(beginning: str) -> ColumnElement[bool]:
    # LIKE would not tell capitals from small letters on SQLite.
    return func.substr(Photo.custom_id, 1, len(beginning)) == beginning


def _why(label: str) -> Any:
    return getattr(FaceRow, f"{label}_because")
