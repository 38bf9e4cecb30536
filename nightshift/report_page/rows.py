"""Photos in the compact form of the report's data files. `assets/model.js` reads what is written here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nightshift.words.analysis import AGE_GROUPS, AgeGroup, Face, Gender
from nightshift.words.documents import Photo

LABELS = tuple(label for label, _, _ in AGE_GROUPS)
GENDERS = ("female", "male")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
"""A character for six bits."""

MARKS = {"failed": "!", "cancelled": ".", "queued": "?", "running": "?"}
"""How a photo is indexed that has not succeeded."""

_WIDEST = 3.0
"""Width through height, and its inverse, beyond which a photo's place in the grid gets no wider."""


def face_bits(face: Face) -> int:
    """What the filters know of a face: gender 1, age group 2-8, gender uncertain 16, age uncertain 32."""
    gender, unsure_of_gender = _place(face.gender.value, GENDERS, face.gender)
    group, unsure_of_group = _place(face.age_group.label, LABELS, face.age_group)
    return gender | group << 1 | unsure_of_gender << 4 | unsure_of_group << 5


def _place(label: str, known: Sequence[str], answer: Gender | AgeGroup) -> tuple[int, bool]:
    """Where a label stands among the known ones; one that is not known counts as the likeliest, uncertain."""
    if label in known:
        return known.index(label), answer.uncertain
    return max(range(len(known)), key=lambda place: answer.probabilities.get(known[place], 0.0)), True


def index_entry(photo: Photo) -> str:
    """A photo as the filters see it: a character a face; nothing for none; else its mark."""
    mark = MARKS.get(photo.status)
    return mark if mark is not None else "".join(ALPHABET[face_bits(face)] for face in photo.faces)


def shape_of(photo: Photo, has_thumbnail: bool) -> str:
    """Width through height as a character, on a logarithmic scale; 4:3 for a photo that is not shown."""
    ratio = 4 / 3
    if has_thumbnail and photo.width and photo.height:
        ratio = min(_WIDEST, max(1 / _WIDEST, photo.width / photo.height))
    return ALPHABET[round((math.log(ratio) / math.log(_WIDEST) + 1) / 2 * 63)]


def photo_row(photo: Photo, has_thumbnail: bool, original: str | None = None) -> list[Any]:
    """Name, id, status, thumbnail?, width, height, faces, error, warnings, reused?, `file:` URL."""
    error = photo.error
    return [
        photo.custom_id,
        photo.photo_id,
        photo.status,
        int(has_thumbnail),
        photo.width,
        photo.height,
        [_face_row(face) for face in photo.faces],
        [error.code, error.stage, error.message] if error else None,
        list(photo.warnings),
        int(photo.reused),
        original,
    ]


def _face_row(face: Face) -> list[Any]:
    """Box in 1/10000 of the photo; bits; detector's confidence, P(female) and P(age groups) in 1/1000.

    Then the age in years, or null; the tilt in degrees, or null for a face not straightened; the range of
    ages; and why gender and age group are uncertain, words of `DOUBTS` joined by spaces.
    """
    box = face.box_norm
    female = face.gender.probability if face.gender.value == "female" else 1 - face.gender.probability
    return [
        *(round(edge * 10_000) for edge in (box.x1, box.y1, box.x2, box.y2)),
        face_bits(face),
        round(face.confidence * 1000),
        round(female * 1000),
        [round(face.age_group.probabilities.get(label, 0.0) * 1000) for label in LABELS],
        None if face.age_years is None else round(face.age_years, 1),
        round(face.roll_deg, 1) if face.aligned else None,
        face.age_range.label,
        " ".join(face.gender.uncertain_because),
        " ".join(face.age_group.uncertain_because),
    ]
