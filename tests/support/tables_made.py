"""Rows of the results as a table, and what a reader makes of them."""

from __future__ import annotations

import csv
import io

from nightshift.words import documents
from nightshift.words.analysis import PhotoError
from nightshift.words.states import PhotoStatus
from tests.support.queue_rows import face


def photo(custom_id: str = "a", faces: int = 0, error: PhotoError | None = None) -> documents.Photo:
    return documents.Photo(
        custom_id=custom_id,
        photo_id="pho_1",
        sha256=None,
        status=PhotoStatus.FAILED if error else PhotoStatus.SUCCEEDED,
        width=10,
        height=20,
        exif_orientation=1,
        scale=1.0,
        attempts=1,
        history=[],
        reused=False,
        timings_ms=None,
        precision="fp32",
        bundle=None,
        warnings=[],
        error=error,
        faces=[face(index) for index in range(faces)],
    )


def read_back(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))
