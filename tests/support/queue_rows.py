"""Jobs, claims and results for tests, made through the queue itself, and the check of every fault test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from sqlalchemy import func, select, update

from nightshift.words.analysis import (
    AGE_GROUPS,
    AgeGroup,
    Analysis,
    Box,
    Face,
    Gender,
    Landmarks,
    Point,
    TimingsMs,
)
from nightshift.words.clock import utc_now
from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from nightshift.words.options import JobOptions
from nightshift.words.states import FINAL_STATUSES, JobState, PhotoStatus
from shared.bundles.manifest import Manifest
from shared.db.engine import Database, Transaction
from shared.db.tables import FaceRow, Job, Photo, WorkerRow
from shared.processes.registry import Kind
from shared.queue.claim import READ_PAUSES_S, Claim
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from shared.queue.queue import Queue
from shared.queue.save import Saved, Succeeded
from shared.settings import Settings

LEASE_S = 60.0


_RULES = Settings(lease_s=LEASE_S, max_read_errors=3)


def rules(**named: Any) -> Settings:
    """Settings of the queue that tests count on."""
    return _RULES.model_copy(update=named)


def queue_of(database: Database, **named: Any) -> Queue:
    """The queue over a database, by these settings."""
    return Queue(database, rules(**named))


@contextmanager
def ahead(by: timedelta) -> Iterator[None]:
    """Have the database's clock be ahead meanwhile."""
    with patch.object(Transaction, "now", property(lambda _: utc_now() + by)):
        yield


@contextmanager
def at(now: datetime) -> Iterator[None]:
    """Have the database's clock stand still meanwhile."""
    with patch.object(Transaction, "now", now):
        yield


def manifest() -> Manifest:
    """A manifest that names no real weights."""
    return Manifest.model_validate(
        {
            "format": "nightshift-bundle/1",
            "name": "test",
            "architecture": "efficientnet_v2_s",
            "features": 1280,
            "input": {"size": 96, "mean": [0.5] * 3, "std": [0.5] * 3},
            "heads": {
                "gender": {"classes": ["male", "female"]},
                "age": {
                    "kind": "years",
                    "groups": [{"label": label, "low": low, "high": high} for label, low, high in AGE_GROUPS],
                },
            },
            "framing": {
                "left_eye": [0.25, 0.2],
                "right_eye": [0.7, 0.2],
                "nose": [0.47, 0.47],
                "mouth_left": [0.27, 0.67],
                "mouth_right": [0.68, 0.67],
            },
            "licence": "none",
            "files": {"model.safetensors": {"sha256": "a" * 64, "dtype": "float16"}},
        }
    )


def face(index: int = 0, gender: str = "female", age_group: str = "30-39") -> Face:
    """A face with plausible values."""
    groups = {label: 0.0 for label, _, _ in AGE_GROUPS}
    low, high = next((low, high) for label, low, high in AGE_GROUPS if label == age_group)
    other = "male" if gender == "female" else "female"
    return Face(
        index=index,
        box=Box(10.0, 20.0, 110.0, 140.0),
        box_norm=Box(0.01, 0.02, 0.11, 0.14),
        confidence=0.99,
        landmarks=Landmarks(*(Point(float(i), float(i)) for i in range(5))),
        roll_deg=1.5,
        aligned=False,
        size_px=120.0,
        gender=Gender(gender, 0.9, {gender: 0.9, other: 0.1}, False),
        age_group=AgeGroup(age_group, low, high, 1.0, groups | {age_group: 1.0}, False),
        age_years=float(low + 4),
    )


def analysis(*faces: Face) -> Analysis:
    """What the pipeline would say of a photo with these faces."""
    return Analysis(1000, 1000, 1, 1.0, faces, TimingsMs(1, 2, 3, 4), "fp32")


def queued_job(
    database: Database,
    photos: int,
    *,
    owner: str = "local",
    priority: int = 0,
    options: JobOptions | None = None,
    submitted: bool = True,
) -> str:
    """A job with photos `0.jpg`, `1.jpg`, ... that were never uploaded."""
    with database.write() as session:
        job = open_job(session, owner, NewJob(options=options or JobOptions(), priority=priority), manifest())
        rows = [
            NewPhoto(f"{number}.jpg", new_id("pho"), sha256=f"{number:064x}", size_bytes=1)
            for number in range(photos)
        ]
        add_photos(session, owner, job.id, rows)
    if submitted:
        with database.write() as session:
            submit(session, owner, job.id)
    return job.id


def take(
    database: Database, *, worker: str = "w", batch_size: int = 4, lease_s: float = LEASE_S
) -> Claim | None:
    """Claim as a worker does."""
    return queue_of(database, lease_s=lease_s).claim(worker=worker, batch_size=batch_size)


def photos_of(database: Database, job_id: str) -> list[Photo]:
    """The photos of a job, as they were added."""
    with database.read() as session:
        return list(session.scalars(select(Photo).where(Photo.job_id == job_id).order_by(Photo.ordinal)))


def job_of(database: Database, job_id: str) -> Job:
    """The row of a job."""
    with database.read() as session:
        return session.get_one(Job, job_id)


def pauses_are_over(database: Database) -> None:
    """Photos whose read failed may be taken again at once."""
    with database.write() as session:
        failed = update(Photo).where(Photo.status == PhotoStatus.QUEUED, Photo.read_errors > 0)
        session.execute(failed.values(claimed_at=utc_now() - timedelta(seconds=READ_PAUSES_S[-1])))


def taken(database: Database, batch_size: int = 4) -> Claim:
    """Claim what is known to be there."""
    held = take(database, batch_size=batch_size)
    assert held is not None
    return held


def save_all(
    database: Database, held: Claim, make: Callable[[int], Analysis] = lambda _: analysis(face())
) -> Saved:
    """Save a success for every photo of the claim."""
    results = [
        Succeeded(photo.id, photo.sha256 or "0" * 64, 1, make(number))
        for number, photo in enumerate(held.photos)
    ]
    return queue_of(database).save(held, results, bundle=manifest())


def assert_nothing_lost_nothing_twice(database: Database) -> None:
    """Every photo of every ended job final, no lease left, faces as counted, counts that add up."""
    with database.read() as session:
        for job in session.scalars(select(Job).where(Job.state == JobState.ENDED)):
            photos = session.scalars(select(Photo).where(Photo.job_id == job.id)).all()
            assert all(photo.status in FINAL_STATUSES for photo in photos)
            assert all(photo.lease_token is None for photo in photos)
            assert len({photo.custom_id for photo in photos}) == len(photos)
            counts = job.final_counts
            assert counts is not None
            assert counts["total"] == len(photos)
            assert counts["succeeded"] + counts["failed"] + counts["cancelled"] == len(photos)
            for photo in photos:
                faces = session.scalar(
                    select(func.count()).select_from(FaceRow).where(FaceRow.photo_id == photo.id)
                )
                assert faces == photo.face_count
            assert counts["faces"] == sum(photo.face_count for photo in photos)


def seen(database: Database, process_id: str, kind: Kind = "worker", **sums: Any) -> None:
    """Have a process be seen now, somewhere else."""
    with database.write() as session:
        row = WorkerRow(id=process_id, kind=kind, host="elsewhere", about={"device": "cpu"}, sums=sums)
        row.started_at, row.seen_at, row.stopped_at = utc_now(), session.now, None
        session.merge(row)
