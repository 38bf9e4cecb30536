"""A job's photos by how many faces are in them, by folder and by hour."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from nightshift.words import documents
from nightshift.words.states import PhotoStatus
from shared.db.tables import Photo
from shared.queue.jobs import owned_job

MOST_GROUPS = 1000
"""Folders, and hours, that are told; of more, the first in order."""
_HOUR = len("2026-05-30T21")


def break_down(session: Session, owner: str, job_id: str) -> documents.Breakdown:
    """Count the photos that were analysed, and their faces.

    Raises:
        NotFound: `job_not_found`.
    """
    owned_job(session, owner, job_id)
    photos: dict[str, Counter[str]] = {"folder": Counter(), "hour": Counter()}
    faces: dict[str, Counter[str]] = {"folder": Counter(), "hour": Counter()}
    by_faces: Counter[int] = Counter()
    query = select(Photo.custom_id, Photo.taken_at, Photo.face_count).where(
        Photo.job_id == job_id, Photo.status == PhotoStatus.SUCCEEDED
    )
    for custom_id, taken_at, found in session.execute(query.execution_options(yield_per=1000)):
        by_faces[found] += 1
        keys = {"folder": custom_id.rpartition("/")[0]}
        if taken_at:
            keys["hour"] = taken_at[:_HOUR]
        for kind, key in keys.items():
            photos[kind][key] += 1
            faces[kind][key] += found
    folders, hours = (_groups(photos[kind], faces[kind]) for kind in ("folder", "hour"))
    return documents.Breakdown(
        by_faces=[documents.Crowd(faces=each, photos=by_faces[each]) for each in sorted(by_faces)],
        by_folder=folders[:MOST_GROUPS],
        folders=len(folders),
        by_hour=hours[:MOST_GROUPS],
        hours=len(hours),
    )


def _groups(photos: Counter[str], faces: Counter[str]) -> list[documents.Group]:
    return [documents.Group(key=key, photos=photos[key], faces=faces[key]) for key in sorted(photos)]
