"""A file in place that is no picture tells nothing of what is in it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from shared.db.engine import Database
from shared.files.store import photo_key
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from shared.settings import Settings
from tests.support.queue_rows import manifest
from tests.support.worker_parts import parts_with, rows_of, run_in_place
from worker.parts import Parts
from worker.slice import run_slice

TEXT_SHA256 = "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"


@pytest.fixture
def parts(database: Database, tmp_path: Path) -> Parts:
    return parts_with(Settings(home=tmp_path / "home"), database)


def test_its_digest_and_size_are_not_kept(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "shadow").write_bytes(b"text")
    (tmp_path / "photo.jpg").write_bytes(b"photo 1")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "photo.jpg")
    names = ("shadow", "photo.jpg", "link.jpg", "none")
    job_id = run_in_place(parts, {name: tmp_path / name for name in names})
    while any(row.status == "queued" for row in rows_of(parts.database, job_id).values()):
        time.sleep(0.5)  # what is gone may come back
        run_slice(parts)
    rows = rows_of(parts.database, job_id)
    assert {name: row.status for name, row in rows.items()} == {
        **dict.fromkeys(names, "failed"),
        "photo.jpg": "succeeded",
    }
    assert rows["photo.jpg"].sha256 is not None
    told = {
        name: (row.sha256, row.size_bytes, row.error, row.attempts) for name, row in rows.items() if row.error
    }
    assert told["shadow"][:2] == (None, None)
    # What is gone and what has become a link are not told apart.
    assert told["link.jpg"] == told["none"]


def test_what_was_sent_is_known_to_whoever_sent_it(parts: Parts) -> None:
    with parts.database.write() as session:
        job = open_job(session, "local", NewJob(), manifest())
        photo = NewPhoto("sent", new_id("pho"), sha256=TEXT_SHA256, size_bytes=4)
        add_photos(session, "local", job.id, [photo])
    parts.store.put(photo_key("local", job.id, photo.id), b"text")
    with parts.database.write() as session:
        submit(session, "local", job.id)
    run_slice(parts)
    row = rows_of(parts.database, job.id)["sent"]
    assert (row.status, row.sha256) == ("failed", TEXT_SHA256)
