"""One job of many photos and one of many failures, whose pages are asked for; see `bench.pages`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from flask.testing import FlaskClient
from sqlalchemy import select, text

from api.app import create_app
from api.parameters import PhotosQuery
from bench.fake_analyser import fake_analysis
from nightshift.words.analysis import Analysis, PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from nightshift.words.options import JobOptions
from shared.bundles.manifest import Manifest, locate_bundle, read_manifest
from shared.db.engine import Database
from shared.db.migrate import upgrade
from shared.db.tables import Photo
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from shared.queue.queue import Queue
from shared.queue.save import Failed, Succeeded
from shared.settings import Settings

PAGE = 200
TIMES = 7
FAILURES = 10_000
FOLDERS = ("friday", "friday/tent", "saturday", "saturday/dinner", "sunday")
_KEY = "the-key-of-the-measurement-of-pages"
_AT_ONCE = 500

Took = dict[str, float]
"""Milliseconds on the clock, and of this process's processor time."""
_BEGAN = datetime(2026, 5, 1, 18)  # noqa: DTZ001 - a camera's clock

PAGES = {
    "as they were added": "",
    "by name": "sort=name",
    "by name, backwards": "sort=name&reverse=true",
    "by time": "sort=time",
    "by number of faces, the most first": "sort=faces&reverse=true",
    "the least sure first": "sort=least_sure",
    "of a folder": "folder=saturday",
    "of a folder, by time": "folder=saturday&sort=time",
    "name begins with": "prefix=sunday/",
    "name holds": "search=IMG_77",
    "name holds what none does": "search=nowhere",
    "with four faces or more": "min_faces=4",
    "failed": "status=failed",
    "failed, by name": "status=failed&sort=name",
    "failed with a code": "code=corrupt_image",
    "with a woman of 30-39": "gender=female&age_group=30-39",
    "with a child under 5": "age_group=0-4",
    "with an uncertain label": "uncertain=any",
    "with an uncertain label, the least sure first": "uncertain=any&sort=least_sure",
    "with a blurred face": "because=blurred",
    "with a reason that no face has": "because=turned",
    "with a sharp face, by name": "min_quality=1&sort=name",
}
"""What is asked for, in words and as a query."""


def measure(home: Path, photos: int, database_url: str) -> dict[str, Any]:
    """What the first page takes, and one half way.

    Args:
        home: a folder that is made here.
        photos: of the job.
        database_url: of an empty PostgreSQL database; empty for SQLite.
    """
    home.mkdir()
    logging.getLogger("nightshift.access").setLevel(logging.WARNING)
    settings = Settings(home=home, database_url=database_url, api_key=_KEY)
    upgrade(settings.database_url)
    app = create_app(settings)
    database = Database(settings.database_url)
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {_KEY}"
    queue = Queue(database, settings)
    bundle = read_manifest(locate_bundle(settings.bundle, settings.weights_dir))
    job_id = _job(database, queue, bundle, photos, _found)
    _settled(database)
    pages = {name: _page(database, client, job_id, query) for name, query in PAGES.items()}
    failed_id = _job(database, queue, bundle, FAILURES, _failed)
    _settled(database)
    failures = _failures(database, client, failed_id)
    database.close()
    return {"pages": pages, "failures": failures}


def _page(database: Database, client: FlaskClient, job_id: str, query: str) -> dict[str, Took]:
    asked = {"first": f"/v1/jobs/{job_id}/photos?{query}&limit={PAGE}"}
    if halfway := _halfway(database, job_id, query):
        asked["halfway"] = f"{asked['first']}&cursor={halfway}"
    return {name: _milliseconds(partial(_get, client, path)) for name, path in asked.items()}


def _halfway(database: Database, job_id: str, query: str) -> str | None:
    """The cursor of the page in the middle; read from the database, since the API would take its time."""
    values = {name: found if name == "age_group" else found[0] for name, found in parse_qs(query).items()}
    wanted = PhotosQuery.model_validate(values)
    found = select(Photo.ordinal).where(*wanted.sought().conditions(job_id))
    cursors: list[str] = []
    cursor = None
    with database.read() as session:
        while True:
            _, cursor = wanted.order().page(session, found, job_id, cursor, PAGE)
            if cursor is None:
                return cursors[len(cursors) // 2] if cursors else None
            cursors.append(cursor)


def _failures(database: Database, client: FlaskClient, job_id: str) -> dict[str, dict[str, Took]]:
    path = f"/v1/jobs/{job_id}"
    found = {
        "the summary, with failures by code": {
            "first": _milliseconds(partial(_get, client, f"{path}/summary"))
        },
        "failed": _page(database, client, job_id, "status=failed"),
        "failed with a code": _page(database, client, job_id, "code=corrupt_image"),
        "failed with a code, by name": _page(database, client, job_id, "code=corrupt_image&sort=name"),
        "the list of all, as CSV": {
            "first": _milliseconds(partial(_get, client, f"{path}/results?status=failed&format=csv"), 3)
        },
    }
    found["all of a code tried again"] = {"first": _milliseconds(partial(_retry, client, path), 1)}
    return found


def _retry(client: FlaskClient, path: str) -> None:
    answer = client.post(f"{path}/retry?code=corrupt_image")
    assert answer.status_code in (200, 202), answer.text  # noqa: S101


def _get(client: FlaskClient, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text  # noqa: S101
    return answer.get_json(silent=True)


def _milliseconds(do: Callable[[], object], times: int = TIMES) -> Took:
    """The least of some: what else the machine does makes none shorter."""
    took = []
    for _ in range(times):
        begun = time.perf_counter(), time.process_time()
        do()
        took.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
    wall_s, cpu_s = (min(part) for part in zip(*took, strict=True))
    return {"wall_ms": round(1000 * wall_s, 1), "cpu_ms": round(1000 * cpu_s, 1)}


def _found(number: int) -> Analysis | PhotoError:
    found = fake_analysis(number)
    if isinstance(found, PhotoError):
        return found
    taken_at = (_BEGAN + timedelta(seconds=number * 7919 % 200_000)).isoformat()
    return replace(found, taken_at=None if number % 10 == 0 else taken_at, camera_make="Canon")


def _failed(number: int) -> PhotoError:
    code = (Code.CORRUPT_IMAGE, Code.UNSUPPORTED_FORMAT, Code.TOO_MANY_PIXELS)[number % 3]
    return PhotoError.of(
        code, "decode", "the image is damaged: image file is truncated (7 bytes not processed)"
    )


def _job(
    database: Database,
    queue: Queue,
    bundle: Manifest,
    photos: int,
    make: Callable[[int], Analysis | PhotoError],
) -> str:
    with database.write() as session:
        job_id = open_job(session, "local", NewJob(options=JobOptions()), bundle).id
    for first in range(0, photos, _AT_ONCE):
        rows = [
            NewPhoto(
                f"{FOLDERS[number * 31 % 97 % len(FOLDERS)]}/IMG_{number}.jpg",
                *(new_id("pho"), None, f"{number:064x}", 4_000_000),
            )
            for number in range(first, min(first + _AT_ONCE, photos))
        ]
        with database.write() as session:
            add_photos(session, "local", job_id, rows)
    with database.write() as session:
        submit(session, "local", job_id)
    number = 0
    while held := queue.claim(worker="w", batch_size=_AT_ONCE):
        results: list[Succeeded | Failed] = []
        for photo in held.photos:
            made = make(number)
            of_bytes = f"{number:064x}", 4_000_000
            results.append(
                Failed(photo.id, made, *of_bytes)
                if isinstance(made, PhotoError)
                else Succeeded(photo.id, *of_bytes, made)
            )
            number += 1
        queue.save(held, results, bundle=bundle)
    queue.finish(job_id)
    return job_id


def _settled(database: Database) -> None:
    """With the statistics that a server's own housekeeping takes within a minute."""
    if not database.is_sqlite:
        with database.write() as session:
            session.execute(text("ANALYZE"))
