"""One slice of work on real databases and a real store, with a fake pipeline."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from nightshift.words.error_codes import Code
from nightshift.words.errors import Transient
from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from nightshift.words.states import JobState, Outcome
from shared.db.engine import Database
from shared.db.tables import FaceRow, Job
from shared.files.store import Store, photo_key
from shared.operations.erasure import erase
from shared.queue import intake as queue_intake
from shared.queue.claim import Claim
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from shared.queue.queue import Queue
from shared.reads.summary import summarise
from shared.settings import Settings
from tests.support.queue_rows import assert_nothing_lost_nothing_twice, manifest, take
from tests.support.worker_parts import parts_with, rows_of, run_in_place
from worker.batch_size import BatchSize
from worker.heartbeat import STUCK
from worker.parts import Parts
from worker.slice import run_slice


@pytest.fixture
def parts(database: Database, tmp_path: Path) -> Parts:
    return parts_with(Settings(home=tmp_path / "home", batch_size=3, max_photo_bytes=1000), database)


def _errors(database: Database, job_id: str) -> dict[str, str | None]:
    rows = rows_of(database, job_id)
    return {name: row.error["code"] if row.error else None for name, row in rows.items()}


def _statuses(database: Database, job_id: str) -> set[str]:
    return {row.status for row in rows_of(database, job_id).values()}


def _files(folder: Path, **contents: bytes) -> dict[str, Path]:
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in contents}


def test_duplicates_within_a_run_are_not_called_reused(parts: Parts, tmp_path: Path) -> None:
    one_by_one = replace(parts, settings=parts.settings.model_copy(update={"decode_threads": 1}))
    one_by_one = replace(one_by_one, batch_size=BatchSize(1))
    files = _files(tmp_path, a=b"photo a", copy=b"photo a", b=b"photo b")

    def counted_of(job_id: str) -> tuple[int, int]:
        with parts.database.read() as session:
            summary = summarise(session, "local", job_id)
        return summary.reused, summary.duplicates

    assert counted_of(run_in_place(one_by_one, files)) == (0, 1)
    files |= _files(tmp_path, c=b"photo c", another=b"photo c")
    reused, duplicates = counted_of(run_in_place(one_by_one, files))
    assert reused + duplicates == 4
    assert reused >= 2
    assert duplicates >= 1


def test_bad_photos_fail_by_name_and_their_mates_succeed(parts: Parts, tmp_path: Path) -> None:
    files = _files(
        tmp_path, good=b"photo 1", corrupt=b"text", bug=b"boom", big=b"photo" * 300, last=b"photo 2"
    )
    os.mkfifo(tmp_path / "pipe")
    files |= {"gone": tmp_path / "no such file", "pipe": tmp_path / "pipe", "folder": tmp_path}
    job_id = run_in_place(parts, files)
    # Those that are gone may come back: they are looked for again after pauses.
    assert rows_of(parts.database, job_id)["gone"].status == "queued"
    give_up_at = time.monotonic() + 60
    while "queued" in _statuses(parts.database, job_id) and time.monotonic() < give_up_at:
        time.sleep(0.2)
        run_slice(parts)
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
        job = open_job(session, "local", NewJob(), manifest())
        rows = [NewPhoto(name, new_id("pho"), sha256="0" * 64, size_bytes=5) for name in ("changed", "lost")]
        add_photos(session, "local", job.id, rows)
    parts.store.put(photo_key("local", job.id, rows[0].id), b"photo")
    with parts.database.write() as session:
        submit(session, "local", job.id)
    run_slice(parts)
    assert _errors(parts.database, job.id) == {"changed": "digest_mismatch", "lost": "file_unavailable"}


def test_equal_bytes_are_analysed_once(parts: Parts, tmp_path: Path) -> None:
    files = _files(tmp_path, a=b"photo a", b=b"photo b")
    first = rows_of(parts.database, run_in_place(parts, files))
    decoded = list(parts.pipeline.decoded)  # type: ignore[attr-defined]
    again = rows_of(parts.database, run_in_place(parts, files))
    assert parts.pipeline.decoded == decoded  # type: ignore[attr-defined]
    assert {again[name].reused_from for name in again} == {first[name].id for name in first}
    with parts.database.read() as session:
        assert session.query(FaceRow).count() == 4
    for photo in again.values():
        key = f"local/{photo.job_id}/{photo.id}.thumbnail.webp"
        assert (parts.store.get(key) or b"")[8:12] == b"WEBP"

    run_in_place(parts, files, reuse=False)
    assert len(parts.pipeline.decoded) == 2 * len(decoded)  # type: ignore[attr-defined]


def test_a_stop_gives_the_batch_back_with_its_attempt(parts: Parts, tmp_path: Path) -> None:
    stop = threading.Event()
    parts.pipeline.before_analysis = lambda _: stop.set()  # type: ignore[attr-defined]
    stopping = replace(parts, should_stop=stop.is_set)
    files = _files(tmp_path, a=b"photo a", b=b"photo b", c=b"photo c", d=b"photo d")
    job_id = run_in_place(stopping, files)
    rows = rows_of(parts.database, job_id)
    assert {(row.status, row.attempts, row.crashes) for row in rows.values()} == {("queued", 0, 0)}
    assert parts.doorbell.rings == 0  # type: ignore[attr-defined]
    run_slice(parts)
    assert set(_errors(parts.database, job_id).values()) == {None}
    assert_nothing_lost_nothing_twice(parts.database)


def test_a_worker_that_stalls_past_its_lease_saves_nothing(parts: Parts, tmp_path: Path) -> None:
    def stall(_: int) -> None:
        parts.queue.return_lapsed(lambda _: True)
        # One batch is all that this slice has time for.
        time.sleep(settings.slice_s)

    parts.pipeline.before_analysis = stall  # type: ignore[attr-defined]
    settings = parts.settings.model_copy(update={"slice_s": 2.0})
    job_id = run_in_place(replace(parts, settings=settings), _files(tmp_path, a=b"photo a"))
    row = rows_of(parts.database, job_id)["a"]
    assert (row.status, row.crashes, row.face_count) == ("queued", 1, 0)
    with parts.database.read() as session:
        assert session.query(FaceRow).count() == 0
    # Work is left, so the slice rang.
    assert parts.doorbell.rings == 1  # type: ignore[attr-defined]


def test_a_claim_whose_commit_was_not_heard_of_burns_no_attempt(parts: Parts, tmp_path: Path) -> None:
    """The connection broke during the commit: the rows are leased, and the worker knows nothing of it."""
    unheard = replace(parts, should_stop=lambda: True)
    job_id = run_in_place(unheard, _files(tmp_path, a=b"photo a", b=b"photo b"))
    mine, other = (
        take(parts.database, worker=parts.worker, batch_size=1),
        take(parts.database, worker="other"),
    )
    assert mine is not None
    assert other is not None
    run_slice(parts)
    rows = rows_of(parts.database, job_id)
    found = {(row.status, row.attempts, row.crashes) for row in rows.values()}
    assert found == {("succeeded", 1, 0), ("running", 1, 0)}


@pytest.mark.parametrize("photos", [1, 3])
def test_a_bug_in_the_save_holds_nobody_up(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: int
) -> None:
    """It meets the same batch again only photo by photo, and then gives the culprit up."""

    save = Queue.save

    def save_or_break(queue: Queue, held: Claim, *args: object, **kwargs: object) -> object:
        if any(photo.custom_id == "b" for photo in held.photos):
            raise ZeroDivisionError
        return save(queue, held, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Queue, "save", save_or_break)
    names = "b" if photos == 1 else "abc"
    job_id = run_in_place(parts, _files(tmp_path, **{name: f"photo {name}".encode() for name in names}))
    assert _errors(parts.database, job_id) == {name: "internal" if name == "b" else None for name in names}
    assert_nothing_lost_nothing_twice(parts.database)


def test_options_of_a_later_version_hold_nobody_up(parts: Parts, tmp_path: Path) -> None:
    later = run_in_place(replace(parts, should_stop=lambda: True), _files(tmp_path, a=b"photo a"))
    with parts.database.write() as session:
        session.get_one(Job, later).options = {"sharpen": True}
        session.get_one(Job, later).priority = 9
    assert _errors(parts.database, run_in_place(parts, _files(tmp_path, b=b"photo b"))) == {"b": None}
    assert {row.status for row in rows_of(parts.database, later).values()} == {"queued"}


def test_a_job_erased_while_a_worker_was_late_leaves_nothing(parts: Parts, tmp_path: Path) -> None:
    """Its lease had run out, its owner cancelled and erased the job; then the worker woke up."""
    erased: list[str] = []

    def erase_it(_: bytes) -> None:
        if erased:
            return
        parts.queue.return_lapsed(lambda _: True)
        with parts.database.read() as session:
            (job_id,) = session.scalars(select(Job.id))
        parts.queue.cancel("local", job_id)
        assert parts.queue.finish(job_id)
        assert erase(parts.database, parts.store, "local", job_id, "requested").completed_at is not None
        erased.append(job_id)

    parts.pipeline.before_decoding = erase_it  # type: ignore[attr-defined]
    run_in_place(parts, _files(tmp_path, a=b"photo a"))
    assert erased
    store = Path(parts.settings.store_url.removeprefix("file://"))
    assert [path for path in store.rglob("*") if path.is_file()] == []


def test_a_save_that_has_to_wait_says_nothing_of_photos(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    save = Queue.save
    failures = [Transient(Code.DATABASE_UNAVAILABLE, "away")]

    def away_once(*args: object, **kwargs: object) -> object:
        if failures:
            raise failures.pop()
        return save(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Queue, "save", away_once)
    job_id = run_in_place(parts, _files(tmp_path, secret=b"photo a"))
    assert _errors(parts.database, job_id) == {"secret": None}
    (said,) = [record for record in caplog.records if record.getMessage() == "trying again"]
    assert said.reason == "away"  # type: ignore[attr-defined]
    assert "secret" not in str(vars(said))


def test_the_log_says_which_photo_failed_and_not_what_it_is_called(
    parts: Parts, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = run_in_place(parts, _files(tmp_path, good=b"photo a", secret=b"no photo"))
    photo = rows_of(parts.database, job_id)["secret"]
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    said = {name: getattr(record, name) for name in ("job", "photo", "code", "stage")}
    assert said == {"job": job_id, "photo": photo.id, "code": "corrupt_image", "stage": "decode"}
    assert record.getMessage() == "failed"
    assert "secret" not in str(vars(record))


def test_the_log_names_the_trace_that_the_job_is_part_of(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    traced = partial(queue_intake.open_job, traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    monkeypatch.setattr("tests.support.worker_parts.open_job", traced)
    with caplog.at_level("INFO"):
        run_in_place(parts, _files(tmp_path, good=b"photo a", bad=b"no photo"))
    said = {record.getMessage(): getattr(record, "trace_id", None) for record in caplog.records}
    assert {name: said[name] for name in ("claimed", "failed", "saved")} == dict.fromkeys(
        ("claimed", "failed", "saved"), trace
    )


def _ends(ended: threading.Event) -> Callable[[int], None]:
    def end(status: int) -> None:
        assert status == STUCK
        ended.set()

    return end


def test_a_photo_that_hangs_costs_itself_alone(parts: Parts, tmp_path: Path) -> None:
    ended = threading.Event()
    settings = parts.settings.model_copy(update={"photo_timeout_s": 2.0})

    def hang(data: bytes) -> None:
        if data == b"photo b":
            assert ended.wait(30)

    parts.pipeline.before_decoding = hang  # type: ignore[attr-defined]
    files = _files(tmp_path, a=b"photo a", b=b"photo b", c=b"photo c")
    job_id = run_in_place(replace(parts, settings=settings, exit=_ends(ended)), files)
    # Its process would have ended; here it woke up, and what it saved late changed nothing.
    assert ended.is_set()
    rows = rows_of(parts.database, job_id)
    assert rows["b"].error is not None
    assert rows["b"].error["code"] == "timeout"
    parts.pipeline.before_decoding = lambda _: None  # type: ignore[attr-defined]
    run_slice(parts)
    assert _errors(parts.database, job_id) == {"a": None, "b": "timeout", "c": None}
    assert {row.attempts for row in rows_of(parts.database, job_id).values()} == {1}
    assert_nothing_lost_nothing_twice(parts.database)


def test_a_stop_that_takes_too_long_gives_the_batch_back(parts: Parts, tmp_path: Path) -> None:
    ended, stop = threading.Event(), threading.Event()
    settings = parts.settings.model_copy(update={"shutdown_s": 0.3})

    def hang(_: bytes) -> None:
        stop.set()
        assert ended.wait(30)

    parts.pipeline.before_decoding = hang  # type: ignore[attr-defined]
    stuck = replace(parts, settings=settings, exit=_ends(ended), should_stop=stop.is_set)
    job_id = run_in_place(stuck, _files(tmp_path, a=b"photo a", b=b"photo b"))
    rows = rows_of(parts.database, job_id)
    assert {(row.status, row.attempts, row.crashes) for row in rows.values()} == {("queued", 0, 0)}


def test_short_memory_halves_the_batch_and_goes_on(parts: Parts, tmp_path: Path) -> None:
    def short(photos: int) -> None:
        sizes.append(photos)
        if photos > 2:
            raise MemoryError

    sizes: list[int] = []
    parts.pipeline.before_analysis = short  # type: ignore[attr-defined]
    names = "abcdef"
    job_id = run_in_place(parts, _files(tmp_path, **{name: f"photo {name}".encode() for name in names}))
    assert set(_errors(parts.database, job_id).values()) == {None}
    # Three together fail; then one and two, then batches of one.
    assert sizes == [3, 1, 2, 1, 1, 1]
    assert parts.batch_size.photos == 1
    assert_nothing_lost_nothing_twice(parts.database)


def test_a_photo_too_large_for_the_memory_fails_alone(parts: Parts, tmp_path: Path) -> None:
    def short(data: bytes) -> None:
        if data == b"photo b":
            raise MemoryError

    parts.pipeline.before_decoding = short  # type: ignore[attr-defined]
    job_id = run_in_place(parts, _files(tmp_path, a=b"photo a", b=b"photo b", c=b"photo c"))
    assert _errors(parts.database, job_id) == {"a": None, "b": "out_of_memory", "c": None}


def test_a_store_that_is_away_burns_no_attempt(parts: Parts, tmp_path: Path) -> None:
    class Away(Store):
        away = False

        def get(self, key: str) -> bytes | None:
            if self.away:
                raise Transient(Code.STORE_UNAVAILABLE, "no route to host")
            return super().get(key)

    store = Away(parts.settings.store_url)
    with parts.database.write() as session:
        job = open_job(session, "local", NewJob(), manifest())
        digest = hashlib.sha256(b"photo").hexdigest()
        rows = [NewPhoto(name, new_id("pho"), sha256=digest, size_bytes=5) for name in "ab"]
        add_photos(session, "local", job.id, rows)
    for row in rows:
        store.put(photo_key("local", job.id, row.id), b"photo")
    with parts.database.write() as session:
        submit(session, "local", job.id)

    class AwaySoon(Away):
        def ping(self) -> None:
            if self.away:
                raise Transient(Code.STORE_UNAVAILABLE, "no route to host")
            self.away = True

    soon = replace(parts, store=AwaySoon(parts.settings.store_url))
    for _ in range(5):
        run_slice(soon)
    found = rows_of(parts.database, job.id).values()
    assert {(row.status, row.attempts, row.read_errors) for row in found} == {("queued", 0, 0)}
    assert all(len(row.history or []) == 1 for row in found)
    run_slice(parts)
    assert _errors(parts.database, job.id) == {"a": None, "b": None}
