"""Results as a table: one row a face, one for a photo without."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import fields

from nightshift.words import documents
from nightshift.words.analysis import Face, Quality

PHOTO_COLUMNS = (
    *("custom_id", "photo_id", "sha256", "status"),
    *("error_code", "error_message", "width", "height"),
)
QUALITY = tuple(field.name for field in fields(Quality))
FACE_COLUMNS = (
    "face_index",
    *("x1", "y1", "x2", "y2", "confidence", "roll_deg", "aligned"),
    *("gender", "gender_probability", "gender_uncertain"),
    *("age_group", "age_group_probability", "age_group_uncertain", "age_years"),
    *("age_range", "age_range_probability"),
    *("gender_uncertain_because", "age_group_uncertain_because"),
    *QUALITY,
)
BUNDLE_COLUMNS = ("bundle", "bundle_sha256")
COLUMNS = PHOTO_COLUMNS + FACE_COLUMNS + BUNDLE_COLUMNS

_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u207a\u207b\u207c\u208a\u208b\u208c\u2212"
"""What begins a formula, also as wide, small and raised as East Asian keyboards write it."""
_FORMULA = rf"[\x00-\x20\s\u200b\ufeff\"']*[{_SIGNS}]"
_ARMED = re.compile(rf"^(?='*[\t\r]|{_FORMULA})|(?:(?<=[;\n\r])|(?<=.\t))(?={_FORMULA})", re.DOTALL)
"""Places where a cell may begin: where it does, and, to a program that splits at semicolons, tabs or line
ends whatever the quotes say, behind these. At the very beginning a tab or carriage return is enough."""

_SUSPECT = re.compile(rf"[\t\r{_SIGNS}]")

Cell = str | int | float | bool | None


def disarm(text: str) -> str:
    """Text in which no spreadsheet finds a formula: an apostrophe stands before all that could begin one.

    Taking one apostrophe away wherever one was put gives the text back: `rearm`.
    """
    # Nearly every cell is a digest, an id or a plain name.
    return _ARMED.sub("'", text) if _SUSPECT.search(text) else text


_DISARMED = re.compile(rf"^'(?='*[\t\r]|{_FORMULA})|(?:(?<=[;\n\r])|(?<=.\t))'(?={_FORMULA})", re.DOTALL)


def rearm(text: str) -> str:
    """The text that `disarm` made this of."""
    return _DISARMED.sub("", text)


def rows_of(photo: documents.Photo) -> list[list[Cell]]:
    """A photo's rows, cells in the order of `COLUMNS`."""
    error = photo.error
    about_photo: list[Cell] = [
        *(photo.custom_id, photo.photo_id, photo.sha256, str(photo.status)),
        *((error.code, error.message) if error else (None, None)),
        *(photo.width, photo.height),
    ]
    bundle = photo.bundle
    by: list[Cell] = [bundle.name, bundle.sha256] if bundle else [None, None]
    if not photo.faces:
        return [about_photo + [None] * len(FACE_COLUMNS) + by]
    return [about_photo + _face_cells(face) + by for face in photo.faces]


def _face_cells(face: Face) -> list[Cell]:
    box, gender, age, ages = face.box, face.gender, face.age_group, face.age_range
    quality = face.quality
    return [
        face.index,
        *(box.x1, box.y1, box.x2, box.y2, face.confidence, face.roll_deg, face.aligned),
        *(gender.value, gender.probability, gender.uncertain),
        *(age.label, age.probability, age.uncertain, face.age_years),
        *(ages.label, ages.probability),
        *(" ".join(gender.uncertain_because), " ".join(age.uncertain_because)),
        *((getattr(quality, name) for name in QUALITY) if quality else (None for _ in QUALITY)),
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
