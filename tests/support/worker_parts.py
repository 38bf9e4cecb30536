"""What a worker process is made of, with a fake pipeline, and what it did with photos in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nightshift.machine.process_id import own_process_id
from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from nightshift.words.options import JobOptions
from shared.broker.doorbell import Doorbell
from shared.db.engine import Database
from shared.db.tables import Photo
from shared.files.store import Store
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from shared.settings import Settings
from tests.support.fakes import FakeDoorbell, FakePipeline
from tests.support.queue_rows import manifest, photos_of
from tests.support.service import Service
from worker.batch_size import BatchSize
from worker.parts import Parts
from worker.slice import run_slice


def parts_with(settings: Settings, database: Database, doorbell: Doorbell | None = None) -> Parts:
    """Those of this process."""
    return Parts(
        settings=settings,
        database=database,
        store=Store(settings.store_url),
        doorbell=doorbell or FakeDoorbell(),
        pipeline=FakePipeline(),  # type: ignore[arg-type]
        worker=own_process_id(),
        should_stop=lambda: False,
        batch_size=BatchSize(settings.batch_size),
    )


@pytest.fixture
def parts(service: Service) -> Parts:
    """Those of a worker of the service."""
    return parts_with(service.settings, service.database, service.doorbell)


def run_in_place(parts: Parts, files: dict[str, Path], **options: Any) -> str:
    """A job of files, by their names in it, and a slice of work on it."""
    with parts.database.write() as session:
        job = open_job(session, "local", NewJob(options=JobOptions(**options)), manifest())
        rows = [NewPhoto(name, new_id("pho"), str(path)) for name, path in files.items()]
        add_photos(session, "local", job.id, rows)
    with parts.database.write() as session:
        submit(session, "local", job.id)
    run_slice(parts)
    return job.id


def rows_of(database: Database, job_id: str) -> dict[str, Photo]:
    """The photos of a job, by name."""
    return {photo.custom_id: photo for photo in photos_of(database, job_id)}
