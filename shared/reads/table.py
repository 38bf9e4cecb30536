"""Results as a table: one row a face, one for a photo without."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from shared.domain import Face
from shared.reads import views

PHOTO_COLUMNS = (
    "custom_id",
    "photo_id",
    "sha256",
    "status",
    "error_code",
    "error_message",
    "width",
    "height",
)
FACE_COLUMNS = (
    "face_index",
    *("x1", "y1", "x2", "y2", "confidence", "roll_deg", "aligned"),
    *("gender", "gender_probability", "gender_uncertain"),
    *("age_group", "age_group_probability", "age_group_uncertain", "age_years"),
)
BUNDLE_COLUMNS = ("bundle", "bundle_sha256")
COLUMNS = PHOTO_COLUMNS + FACE_COLUMNS + BUNDLE_COLUMNS

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | float | bool | None


def disarm(text: str) -> str:
    """Text that no spreadsheet takes for a formula; what could be one gets an apostrophe before it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def rows_of(photo: views.Photo) -> list[list[Cell]]:
    """A photo's rows, cells in the order of `COLUMNS`."""
    error = photo.error
    about_photo: list[Cell] = [
        *(photo.custom_id, photo.photo_id, photo.sha256, photo.status.value),
        *((error.code, error.message) if error else (None, None)),
        *(photo.width, photo.height),
    ]
    bundle = photo.bundle
    by: list[Cell] = [bundle.name, bundle.sha256] if bundle else [None, None]
    if not photo.faces:
        return [about_photo + [None] * len(FACE_COLUMNS) + by]
    return [about_photo + _face_cells(face) + by for face in photo.faces]


def _face_cells(face: Face) -> list[Cell]:
    box, gender, age = face.box, face.gender, face.age_group
    return [
        face.index,
        *(box.x1, box.y1, box.x2, box.y2, face.confidence, face.roll_deg, face.aligned),
        *(gender.value, gender.probability, gender.uncertain),
        *(age.label, age.probability, age.uncertain, face.age_years),
    ]


def _written(cell: Cell) -> Cell:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return disarm(cell) if isinstance(cell, str) else cell


def csv_text(rows: Iterable[Iterable[Cell]]) -> str:
    """Rows as CSV (RFC 4180: comma, CRLF, quotes where needed)."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([_written(cell) for cell in row] for row in rows)
    return out.getvalue()
