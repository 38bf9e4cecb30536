"""Folders of photos in place that go away and come back, on real databases, with a fake pipeline."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from shared.db.engine import Database
from shared.db.tables import Photo
from shared.files.store import photo_key
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from shared.settings import Settings
from tests.support.queue_rows import manifest
from tests.support.worker_parts import parts_with
from worker.folders import PAUSES, Extent, Folders, extent_of, is_away
from worker.parts import Parts
from worker.slice import run_slice

PHOTOS = 40


@pytest.fixture
def parts(database: Database, tmp_path: Path) -> Parts:
    return parts_with(Settings(home=tmp_path / "home", batch_size=8), database)


@pytest.fixture
def party(tmp_path: Path) -> Path:
    folder = tmp_path / "party"
    for number in range(PHOTOS):
        (folder / f"table-{number % 3}").mkdir(parents=True, exist_ok=True)
        (folder / f"table-{number % 3}" / f"{number}.jpg").write_bytes(b"photo %d" % number)
    return folder


def submitted(parts: Parts, files: list[Path]) -> str:
    with parts.database.write() as session:
        job = open_job(session, "local", NewJob(), manifest())
        add_photos(
            session, "local", job.id, [NewPhoto(str(path), new_id("pho"), str(path)) for path in files]
        )
    with parts.database.write() as session:
        submit(session, "local", job.id)
    return job.id


def statuses(parts: Parts, job_id: str) -> dict[str, int]:
    found: dict[str, int] = {}
    with parts.database.read() as session:
        for photo in session.query(Photo).filter_by(job_id=job_id):
            found[photo.status] = found.get(photo.status, 0) + 1
    return found


def work_until_done(parts: Parts, job_id: str, within_s: float = 90) -> None:
    """As a worker that the sweeper rings."""
    give_up_at = time.monotonic() + within_s
    while statuses(parts, job_id).keys() & {"queued", "running"}:
        assert time.monotonic() < give_up_at, statuses(parts, job_id)
        run_slice(parts)
        time.sleep(0.1)


def test_a_folder_that_is_away_for_a_while_costs_no_photo(parts: Parts, party: Path) -> None:
    told: list[str | None] = []
    parts.folders.tell = told.append
    job_id = submitted(parts, sorted(party.rglob("*.jpg")))
    elsewhere = party.rename(party.with_name("moved"))
    begun_s = time.monotonic()
    rounds = 0
    while time.monotonic() < begun_s + 4:
        run_slice(parts)
        rounds += 1
    assert statuses(parts, job_id) == {"queued": PHOTOS}
    assert told == [str(party)]
    # Rings come all the time; they are not answered by reading all the time.
    assert rounds < 20
    elsewhere.rename(party)
    work_until_done(parts, job_id)
    assert statuses(parts, job_id) == {"succeeded": PHOTOS}
    assert told == [str(party), None]
    with parts.database.read() as session:
        assert {photo.read_errors for photo in session.query(Photo)} == {0}
        assert {photo.attempts for photo in session.query(Photo)} == {1}


def test_a_share_that_left_its_empty_mount_point_is_waited_for(parts: Parts, party: Path) -> None:
    job_id = submitted(parts, sorted(party.rglob("*.jpg")))
    elsewhere = party.rename(party.with_name("moved"))
    party.mkdir()
    for _ in range(3):
        run_slice(parts)
    assert statuses(parts, job_id) == {"queued": PHOTOS}
    party.rmdir()
    elsewhere.rename(party)
    work_until_done(parts, job_id)
    assert statuses(parts, job_id) == {"succeeded": PHOTOS}


def test_files_that_are_gone_fail_after_their_pauses_and_hold_nobody_up(parts: Parts, party: Path) -> None:
    files = sorted(party.rglob("*.jpg"))
    job_id = submitted(parts, files)
    for path in files[:3]:
        path.unlink()
    begun_s = time.monotonic()
    run_slice(parts)
    assert statuses(parts, job_id) == {"succeeded": PHOTOS - 3, "queued": 3}
    work_until_done(parts, job_id)
    assert time.monotonic() - begun_s > 5
    assert statuses(parts, job_id) == {"succeeded": PHOTOS - 3, "failed": 3}
    with parts.database.read() as session:
        errors = [photo.error for photo in session.query(Photo).filter_by(status="failed")]
    assert {error["code"] for error in errors if error} == {"file_unavailable"}
    assert any("is gone" in error["message"] for error in errors if error)


def test_a_file_that_comes_back_succeeds(parts: Parts, party: Path) -> None:
    files = sorted(party.rglob("*.jpg"))
    job_id = submitted(parts, files)
    aside = files[0].rename(files[0].with_suffix(".tmp"))
    run_slice(parts)
    aside.rename(files[0])
    work_until_done(parts, job_id)
    assert statuses(parts, job_id) == {"succeeded": PHOTOS}


def test_uploads_go_on_while_a_folder_is_away(parts: Parts, party: Path) -> None:
    job_id = submitted(parts, sorted(party.rglob("*.jpg")))
    party.rename(party.with_name("moved"))
    run_slice(parts)
    with parts.database.write() as session:
        job = open_job(session, "local", NewJob(), manifest())
        add_photos(session, "local", job.id, [NewPhoto("a.jpg", "pho_up", sha256=_put(parts, job.id))])
    with parts.database.write() as session:
        submit(session, "local", job.id)
    parts.folders._again_at = time.monotonic() + 60
    run_slice(parts)
    assert statuses(parts, job.id) == {"succeeded": 1}
    assert statuses(parts, job_id) == {"queued": PHOTOS}


def _put(parts: Parts, job_id: str) -> str:
    import hashlib

    parts.store.put(photo_key("local", job_id, "pho_up"), b"photo up")
    return hashlib.sha256(b"photo up").hexdigest()


def test_the_folder_of_all_photos(parts: Parts, tmp_path: Path) -> None:
    names = ["b/c/2.jpg", "b/10.jpg", "b-/1.jpg", "b/\u00e9.jpg", os.fsdecode(b"b/\xff.jpg")]
    paths = [tmp_path / name for name in names[:2] + names[3:4]]
    job_id = submitted(parts, paths)
    with parts.database.read() as session:
        assert extent_of(session, job_id) == (tmp_path / "b", 3)
    job_id = submitted(parts, [tmp_path / name for name in names[:4]])
    with parts.database.read() as session:
        assert extent_of(session, job_id) == (tmp_path, 4)


def test_names_that_nothing_can_have_are_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for folder in (tmp_path / "loop", tmp_path / ("n" * 300)):
        for photos in (1, 2):
            assert not is_away(folder / "1.jpg", Extent(folder, photos))
            assert not is_away(folder / "1.jpg", Extent(tmp_path, photos))


def test_what_is_away_and_what_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "1.jpg").touch()
    gone = root / "sub" / "2.jpg"
    assert not is_away(gone, Extent(root, 2))
    # A folder below that was deleted is no share that is away.
    assert not is_away(root / "deleted" / "3.jpg", Extent(root, 3))
    assert is_away(tmp_path / "other" / "1.jpg", Extent(tmp_path / "other", 2))
    # The only photo of a job, deleted.
    (tmp_path / "one").mkdir()
    assert not is_away(tmp_path / "one" / "1.jpg", Extent(tmp_path / "one", 1))
    real = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "sub":
            raise OSError(errno.ESTALE, "Stale file handle")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert is_away(gone, Extent(root, 2))


def test_pauses_grow_up_to_a_bound() -> None:
    now = [0.0]
    folders = Folders(lambda: now[0])
    pauses = []
    for _ in range(10):
        folders.away(Path("/x"))
        begun = now[0]
        while not folders.may_be_read:
            now[0] += 0.25
        pauses.append(now[0] - begun)
    assert pauses[0] == PAUSES.first_s
    assert pauses[-1] == PAUSES.longest_s
    assert pauses == sorted(pauses)
