"""A job of photos that do not exist, as if it had been analysed, in a service's home: for a page to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from bench.fake_analyser import fake_analysis, fake_thumbnail
from nightshift.words.analysis import Analysis, PhotoError
from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from shared.bundles.manifest import read_manifest
from shared.db.engine import Database
from shared.db.migrate import upgrade
from shared.files.store import Store, thumbnail_key
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from shared.queue.queue import Queue
from shared.queue.save import Failed, Succeeded
from shared.settings import REPOSITORY, Settings

OWNER = "local"
AT_ONCE = 1000
BEGUN = datetime(2026, 5, 30, 18, 0)  # noqa: DTZ001 - a camera's clock says no zone


def name_of(number: int) -> str:
    """Of photo `number`, in a folder of 2,500."""
    return f"evening-{number // 2500 + 1}/IMG_{number:06}.jpg"


def plant(
    home: Path,
    photos: int,
    *,
    label: str = "planted",
    name: Callable[[int], str] = name_of,
    found: Callable[[int], Analysis | PhotoError] = fake_analysis,
    pictures: bool = True,
) -> str:
    """Write a job that has ended into a home's database and store, which nobody else may be working in.

    Args:
        home: of a service; made when it is not there.
        photos: how many.
        label: of the job.
        name: of a photo, by its number.
        found: what was found in it, or why it failed.
        pictures: whether those that succeeded have a thumbnail.

    Returns:
        The job's id.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = Settings(home=home)
    upgrade(settings.database_url)
    database, store = Database(settings.database_url), Store(settings.store_url)
    manifest = read_manifest(REPOSITORY / "weights" / "utkface-v2s")
    queue = Queue(database, settings)
    with database.write() as session:
        job_id = open_job(session, OWNER, NewJob(label=label), manifest).id
        for first in range(0, photos, AT_ONCE):
            rows = [
                NewPhoto(name(number), new_id("pho"), sha256=f"{number:064x}", size_bytes=1)
                for number in range(first, min(photos, first + AT_ONCE))
            ]
            add_photos(session, OWNER, job_id, rows)
        submit(session, OWNER, job_id)
    number = 0
    while held := queue.claim(worker="planted", batch_size=AT_ONCE):
        results: list[Succeeded | Failed] = []
        for photo in held.photos:
            seen = found(number)
            if isinstance(seen, PhotoError):
                results.append(Failed(photo.id, seen, photo.sha256, 1))
            else:
                taken_at = (BEGUN + timedelta(seconds=number * 21600 / photos)).isoformat()
                results.append(Succeeded(photo.id, photo.sha256 or "", 1, replace(seen, taken_at=taken_at)))
                if pictures:
                    store.put(thumbnail_key(OWNER, job_id, photo.id), fake_thumbnail(number))
            number += 1
        queue.save(held, results, bundle=manifest)
    queue.finish(job_id)
    database.close()
    return job_id
