"""One slice of work on real databases and a real store, with a fake pipeline."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared.clock import utc_now
from shared.db.engine import Database
from shared.db.models import FaceRow, Job, Photo
from shared.ids import new_id
from shared.options import JobOptions
from shared.process_id import own_process_id
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from shared.queue.sweep import Rules, return_lapsed
from shared.settings import Settings
from shared.states import JobState, Outcome
from shared.store import Store, photo_key
from tests.fakes import FakeDoorbell, FakePipeline
from tests.queue_rows import assert_nothing_lost_nothing_twice, manifest
from worker.parts import Parts
from worker.slice import run_slice


@pytest.fixture
def parts(database: Database, tmp_path: Path) -> Iterator[Parts]:
    settings = Settings(home=tmp_path / "home", batch_size=3, max_photo_bytes=1000)
    yield Parts(
        settings=settings,
        database=database,
        store=Store(settings.store_url),
        doorbell=FakeDoorbell(),
        pipeline=FakePipeline(),  # type: ignore[arg-type]
        worker=own_process_id(),
        should_stop=lambda: False,
    )


def _run(parts: Parts, files: dict[str, Path], *, reuse: bool = True) -> str:
    with parts.database.write() as session:
        job = open_job(session, owner="local", options=JobOptions(reuse=reuse), bundle=manifest())
        rows = [NewPhoto(name, new_id("pho"), str(path)) for name, path in files.items()]
        add_photos(session, "local", job.id, rows)
    with parts.database.write() as session:
        submit(session, "local", job.id)
    run_slice(parts)
    return job.id


def _rows(database: Database, job_id: str) -> dict[str, Photo]:
    with database.read() as session:
        return {photo.custom_id: photo for photo in session.query(Photo).filter_by(job_id=job_id)}


def _errors(database: Database, job_id: str) -> dict[str, str | None]:
    rows = _rows(database, job_id)
    return {name: row.error["code"] if row.error else None for name, row in rows.items()}


def _files(folder: Path, **contents: bytes) -> dict[str, Path]:
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in contents}


def test_bad_photos_fail_by_name_and_their_mates_succeed(parts: Parts, tmp_path: Path) -> None:
    files = _files(
        tmp_path, good=b"photo 1", corrupt=b"text", bug=b"boom", big=b"photo" * 300, last=b"photo 2"
    )
    os.mkfifo(tmp_path / "pipe")
    files |= {"gone": tmp_path / "no such file", "pipe": tmp_path / "pipe", "folder": tmp_path}
    job_id = _run(parts, files)
    assert _errors(parts.database, job_id) == {
        "good": None,
        "corrupt": "corrupt_image",
        "bug": "internal",
        "big": "file_too_large",
        "last": None,
        "gone": "file_unavailable",
        "pipe": "file_unavailable",
        "folder": "file_unavailable",
    }
    with parts.database.read() as session:
        job = session.get_one(Job, job_id)
        assert (job.state, job.outcome) == (JobState.ENDED, Outcome.PARTIAL)
    assert_nothing_lost_nothing_twice(parts.database)
    assert (tmp_path / "good").read_bytes() == b"photo 1"


def test_a_stored_photo_that_changed_is_a_digest_mismatch(parts: Parts) -> None:
    with parts.database.write() as session:
        job = open_job(session, owner="local", options=JobOptions(), bundle=manifest())
        rows = [NewPhoto(name, new_id("pho"), sha256="0" * 64, size_bytes=5) for name in ("changed", "lost")]
        add_photos(session, "local", job.id, rows)
    parts.store.put(photo_key("local", job.id, rows[0].id), b"photo")
    with parts.database.write() as session:
        submit(session, "local", job.id)
    run_slice(parts)
    assert _errors(parts.database, job.id) == {"changed": "digest_mismatch", "lost": "file_unavailable"}


def test_equal_bytes_are_analysed_once(parts: Parts, tmp_path: Path) -> None:
    files = _files(tmp_path, a=b"photo a", b=b"photo b")
    first = _rows(parts.database, _run(parts, files))
    decoded = list(parts.pipeline.decoded)  # type: ignore[attr-defined]
    again = _rows(parts.database, _run(parts, files))
    assert parts.pipeline.decoded == decoded  # type: ignore[attr-defined]
    assert {again[name].reused_from for name in again} == {first[name].id for name in first}
    with parts.database.read() as session:
        assert session.query(FaceRow).count() == 4
    for photo in again.values():
        key = f"local/{photo.job_id}/{photo.id}.thumbnail.webp"
        assert (parts.store.get(key) or b"")[8:12] == b"WEBP"

    _run(parts, files, reuse=False)
    assert len(parts.pipeline.decoded) == 2 * len(decoded)  # type: ignore[attr-defined]


def test_a_stop_gives_the_batch_back_with_its_attempt(parts: Parts, tmp_path: Path) -> None:
    stop = threading.Event()
    parts.pipeline.before_analysis = lambda _: stop.set()  # type: ignore[attr-defined]
    stopping = replace(parts, should_stop=stop.is_set)
    files = _files(tmp_path, a=b"photo a", b=b"photo b", c=b"photo c", d=b"photo d")
    job_id = _run(stopping, files)
    rows = _rows(parts.database, job_id)
    assert {(row.status, row.attempts, row.crashes) for row in rows.values()} == {("queued", 0, 0)}
    assert parts.doorbell.rings == 0  # type: ignore[attr-defined]
    run_slice(parts)
    assert set(_errors(parts.database, job_id).values()) == {None}
    assert_nothing_lost_nothing_twice(parts.database)


def test_a_worker_that_stalls_past_its_lease_saves_nothing(parts: Parts, tmp_path: Path) -> None:
    def stall(_: int) -> None:
        with parts.database.write() as session:
            return_lapsed(session, Rules(5, lambda _: True), utc_now())

    parts.pipeline.before_analysis = stall  # type: ignore[attr-defined]
    settings = parts.settings.model_copy(update={"slice_s": 0.001})
    job_id = _run(replace(parts, settings=settings), _files(tmp_path, a=b"photo a"))
    row = _rows(parts.database, job_id)["a"]
    assert (row.status, row.crashes, row.face_count) == ("queued", 1, 0)
    with parts.database.read() as session:
        assert session.query(FaceRow).count() == 0
    # Work is left, so the slice rang.
    assert parts.doorbell.rings == 1  # type: ignore[attr-defined]


def test_the_log_says_which_photo_failed_and_not_what_it_is_called(
    parts: Parts, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = _run(parts, _files(tmp_path, good=b"photo a", secret=b"no photo"))
    photo = _rows(parts.database, job_id)["secret"]
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert line == f"failed job={job_id} photo={photo.id} code=corrupt_image stage=decode"
