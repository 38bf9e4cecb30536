"""Where the photos of a job that stay in place lie."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from nightshift.machine.places import path_of_text
from shared.db.tables import Photo


def folder_of_all(session: Session, job_id: str) -> tuple[Path, int]:
    """The lowest folder that holds all of a job's photos in place, and how many those are.

    Of names in order, the first and the last have in common what all have.
    """
    path = Photo.in_place_path
    if session.get_bind().dialect.name == "postgresql":
        # By their bytes: a language's order may pass over punctuation.
        path = path.collate("C")  # type: ignore[assignment]
    query = select(func.min(path), func.max(path), func.count(path)).where(Photo.job_id == job_id)
    first, last, photos = session.execute(query).one()
    if first is None or last is None:
        return Path("/"), 0
    ends = [path_of_text(text).parent for text in (first, last)]
    return Path(os.path.commonpath(ends)), photos
