"""A job of photos that do not exist, gone through the real queue, store and API."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from api.app import create_app
from bench.fake_analyser import fake_analysis, fake_thumbnail
from nightshift import Client
from nightshift.words.analysis import PhotoError
from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from shared.bundles.manifest import Manifest, locate_bundle, read_manifest
from shared.db.engine import Database
from shared.db.migrate import upgrade
from shared.files.store import Store, thumbnail_key
from shared.queue.claim import Claim
from shared.queue.intake import NewPhoto, add_photos, open_job
from shared.queue.queue import Queue
from shared.queue.save import Failed, Succeeded
from shared.settings import Settings

OWNER = "local"
BATCH = 500


@contextmanager
def fake_job(home: Path, photos: int, label: str) -> Iterator[tuple[Client, str]]:
    """An ended job in a home of its own, and a client of the API over it, without a network.

    Args:
        home: an empty folder.
        photos: how many.
        label: the job's.
    """
    key = secrets.token_urlsafe(32)
    settings = Settings(home=home, log_level="WARNING", api_key=key)
    upgrade(settings.database_url)
    database = Database(settings.database_url)
    try:
        job_id = _fill(settings, database, photos, label)
        app = create_app(settings)
        with Client("http://127.0.0.1", key, transport=httpx.WSGITransport(app=app)) as client:
            yield client, job_id
    finally:
        database.close()


def _fill(settings: Settings, database: Database, photos: int, label: str) -> str:
    bundle = read_manifest(locate_bundle(settings.bundle, settings.weights_dir))
    with database.write() as session:
        wish = NewJob(label=label).over(settings.default_job_options())
        job_id = open_job(session, OWNER, wish, bundle).id
        rows = [
            NewPhoto(
                f"evening-{number // 2500 + 1}/IMG_{number:05}.jpg",
                new_id("pho"),
                sha256=f"{number:064x}",
                size_bytes=1,
            )
            for number in range(photos)
        ]
        add_photos(session, OWNER, job_id, rows)
    queue = Queue(database, settings)
    queue.submit(OWNER, job_id)
    numbers = {row.id: number for number, row in enumerate(rows)}
    store = Store(settings.store_url)
    while held := queue.claim(worker="fake", batch_size=BATCH):
        _analyse(queue, store, held, numbers, bundle)
    queue.finish(job_id)
    return job_id


def _analyse(queue: Queue, store: Store, held: Claim, numbers: dict[str, int], bundle: Manifest) -> None:
    results: list[Succeeded | Failed] = []
    for photo in held.photos:
        number = numbers[photo.id]
        found = fake_analysis(number)
        if isinstance(found, PhotoError):
            results.append(Failed(photo.id, found, f"{number:064x}", 1))
            continue
        store.put(thumbnail_key(OWNER, held.job_id, photo.id), fake_thumbnail(number))
        results.append(Succeeded(photo.id, f"{number:064x}", 1, found))
    queue.save(held, results, bundle=bundle)
