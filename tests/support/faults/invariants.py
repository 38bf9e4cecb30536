"""What must hold after any fault, over the whole database and the whole store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from api.app import create_app
from nightshift.words.states import FINAL_STATUSES, JobState, PhotoStatus
from shared.db.engine import Database
from shared.db.tables import Archive, FaceRow, Job, Photo, Upload
from shared.files.store import photo_key, thumbnail_key
from shared.settings import Settings


def assert_all_is_well(database: Database, settings: Settings) -> None:
    """Every job ended, every photo final exactly once, faces of one attempt, no lease, no orphan."""
    with database.read() as session:
        jobs = session.scalars(select(Job)).all()
        photos = session.scalars(select(Photo)).all()
        faces = session.execute(select(FaceRow.photo_id, FaceRow.index)).all()
        assert not session.scalars(select(Upload).where(Upload.lease_token.is_not(None))).all()
        assert not session.scalars(select(Archive).where(Archive.lease_token.is_not(None))).all()
    assert {job.state for job in jobs} == {JobState.ENDED}
    assert {photo.status for photo in photos} <= FINAL_STATUSES
    assert not [photo.id for photo in photos if photo.lease_token or photo.lease_expires_at]
    _faces_are_of_one_attempt(photos, [(photo_id, index) for photo_id, index in faces])
    for job in jobs:
        of_job = [photo for photo in photos if photo.job_id == job.id]
        assert len({photo.custom_id for photo in of_job}) == len(of_job)
        assert len({photo.ordinal for photo in of_job}) == len(of_job)
        statuses = Counter(photo.status for photo in of_job)
        counts = dict(job.final_counts or {})
        assert counts.pop("faces") == sum(photo.face_count for photo in of_job)
        assert counts.pop("total") == len(of_job)
        assert +Counter({PhotoStatus(name): count for name, count in counts.items()}) == statuses
        _answers_once(settings, job, of_job)
    _no_orphans(settings, photos)


def assert_times_are_in_order(database: Database) -> None:
    """What began before it ended says so, whoever wrote it down; where nobody set the database's clock."""
    with database.read() as session:
        jobs = {job.id: job for job in session.scalars(select(Job))}
        photos = session.scalars(select(Photo)).all()
    for job in jobs.values():
        times = [job.created_at, job.submitted_at, job.started_at, job.ended_at]
        assert times == sorted(times)  # type: ignore[type-var]
    for photo in photos:
        job = jobs[photo.job_id]
        attempts = [
            datetime.fromisoformat(entry[end])
            for entry in photo.history or []
            for end in ("started_at", "ended_at")
        ]
        times = [job.submitted_at, *attempts, photo.finished_at, job.ended_at]
        assert times == sorted(times), photo.history  # type: ignore[type-var]


def lost_and_doubled(database: Database) -> tuple[int, int]:
    """Photos that are not final, and photos whose result was saved more than once."""
    with database.read() as session:
        photos = session.scalars(select(Photo)).all()
        faces = session.execute(select(FaceRow.photo_id)).scalars().all()
    lost = sum(photo.status not in FINAL_STATUSES for photo in photos)
    rows = Counter(faces)
    doubled = sum(
        [entry["ending"] for entry in photo.history or []].count("succeeded") > 1
        or rows[photo.id] > photo.face_count
        for photo in photos
    )
    return lost, doubled


def _faces_are_of_one_attempt(photos: Sequence[Photo], faces: list[tuple[str, int]]) -> None:
    number, rows = Counter(photo_id for photo_id, _ in faces), set(faces)
    for photo in photos:
        assert number[photo.id] == photo.face_count
        assert all((photo.id, index) in rows for index in range(photo.face_count))
        assert photo.face_count == 0 or photo.status == PhotoStatus.SUCCEEDED
        assert (photo.error is not None) == (photo.status == PhotoStatus.FAILED)
        endings = [entry["ending"] for entry in photo.history or []]
        assert endings.count("succeeded") == (photo.status == PhotoStatus.SUCCEEDED)
        assert photo.attempts == sum(ending != "returned" for ending in endings)


def _answers_once(settings: Settings, job: Job, photos: Sequence[Photo]) -> None:
    headers = {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"}
    lines = (
        create_app(settings)
        .test_client()
        .get(f"/v1/jobs/{job.id}/results", headers=headers)
        .text.splitlines()
    )
    in_order = sorted(photos, key=lambda photo: photo.ordinal)
    assert [json.loads(line)["photo_id"] for line in lines] == [photo.id for photo in in_order]


def _no_orphans(settings: Settings, photos: Sequence[Photo]) -> None:
    store = Path(settings.store_url.removeprefix("file://"))
    stored = {str(path.relative_to(store)) for path in store.rglob("*") if path.is_file()}
    originals = {photo_key(p.owner, p.job_id, p.id) for p in photos if not p.in_place_path and p.sha256}
    thumbnails = {thumbnail_key(p.owner, p.job_id, p.id) for p in photos}
    assert originals <= stored
    assert stored <= originals | thumbnails
