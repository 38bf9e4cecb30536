import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import JsonValue
from sqlalchemy import select

from nightshift.embedded.beside_photos import BesidePhotos
from nightshift.embedded.interrupted_runs import (
    InterruptedRun,
    cancel_runs,
    choose_run,
    interrupted_runs,
    note_run,
    pause_runs,
    runs_by_their_metadata,
)
from nightshift.words.new_job import NewJob
from shared.bundles.manifest import Manifest, read_manifest
from shared.db.engine import Database
from shared.db.migrate import upgrade
from shared.db.tables import Job
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from shared.settings import REPOSITORY

A, B = Path("/photos/a"), Path("/photos/b")
NEWER = InterruptedRun("job_2", "paused", (B,), Path("/out/b"), "w", "0")
OLDER = InterruptedRun("job_1", "open", (A, B), Path("/out/a"), "w", "0")


def test_without_paths_the_latest() -> None:
    assert choose_run([NEWER, OLDER], []) is NEWER
    assert choose_run([], []) is None


def test_with_paths_the_latest_over_the_same_ones_in_any_order() -> None:
    assert choose_run([NEWER, OLDER], [B, A]) is OLDER
    assert choose_run([NEWER, OLDER], [A]) is None


def manifest() -> Manifest:
    return read_manifest(REPOSITORY / "weights" / "utkface-v2s")


def test_unfinished_jobs_of_a_run_are_found_newest_first(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'nightshift.db'}"
    upgrade(url)
    database = Database(url)
    ids = []
    for noted in (A, None, B):
        with database.write() as session:
            job = open_job(session, "local", NewJob(), manifest())
        ids.append(job.id)
        if noted:
            note_run(tmp_path, job.id, [noted], noted / "out")
    with database.write() as session:
        add_photos(session, "local", ids[2], [NewPhoto("x.jpg", "pho_1", in_place_path="/photos/b/x.jpg")])
        add_photos(session, "local", ids[1], [NewPhoto("y.jpg", "pho_2", in_place_path="/photos/y.jpg")])
        submit(session, "local", ids[2])
        submit(session, "local", ids[1])
        found = pause_runs(session, tmp_path)
        sent_to_a_server = session.scalar(select(Job.state).where(Job.id == ids[1]))
    database.close()
    assert sent_to_a_server == "queued"
    bundle = (manifest().name, manifest().sha256)
    assert found == [
        InterruptedRun(ids[2], "paused", (B,), B / "out", *bundle),
        InterruptedRun(ids[0], "open", (A,), A / "out", *bundle),
    ]


def test_a_run_is_cancelled_by_where_its_results_would_go(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'nightshift.db'}"
    upgrade(url)
    database = Database(url)
    with database.write() as session:
        for out in (A, B):
            job = open_job(session, "local", NewJob(), manifest())
            note_run(tmp_path, job.id, [A], out)
        cancel_runs(session, tmp_path, B)
        assert [run.out for run in interrupted_runs(session, tmp_path)] == [A]
    database.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'nightshift.db'}"
    upgrade(url)
    database = Database(url)
    yield database
    database.close()


def test_what_a_client_writes_is_not_believed(tmp_path: Path, database: Database) -> None:
    metadata: dict[str, JsonValue] = {"run": {"paths": ["/photos"], "out": str(tmp_path / "victim")}}
    with database.write() as session:
        job = open_job(session, "local", NewJob(metadata=metadata), manifest())
        add_photos(session, "local", job.id, [NewPhoto("x.jpg", "pho_1", in_place_path="/x.jpg")])
        submit(session, "local", job.id)
        assert pause_runs(session, tmp_path) == []
        cancel_runs(session, tmp_path, tmp_path / "victim")
        assert session.scalar(select(Job.state).where(Job.id == job.id)) == "queued"
        # It is said, and no more.
        assert runs_by_their_metadata(session, tmp_path) == [job.id]


def test_what_was_found_beside_the_photos_is_kept(tmp_path: Path, database: Database) -> None:
    beside = BesidePhotos(
        (("a.jpg", "a.NEF"),), (Path("/photos/\udcff\n"),), ("/photos/b: Permission denied",), {".mov": 3}
    )
    with database.write() as session:
        job = open_job(session, "local", NewJob(), manifest())
        note_run(tmp_path, job.id, [A], B, beside)
        assert interrupted_runs(session, tmp_path)[0].beside == beside
        # As the version before wrote it; and half of a note.
        (file,) = (tmp_path / "runs").iterdir()
        note = json.loads(file.read_bytes())
        file.write_text(json.dumps({name: note[name] for name in ("paths", "out")}))
        assert interrupted_runs(session, tmp_path)[0].beside == BesidePhotos()
        file.write_text(json.dumps(note | {"beside": {"pairs": [["a.jpg"]]}}))
        assert interrupted_runs(session, tmp_path) == []


def test_another_owners_job_is_nobodys_run(tmp_path: Path, database: Database) -> None:
    with database.write() as session:
        job = open_job(session, "anna", NewJob(), manifest())
        note_run(tmp_path, job.id, [A], B)
        assert interrupted_runs(session, tmp_path) == []


def test_a_note_is_for_this_user_alone_and_goes_when_its_run_has_ended(
    tmp_path: Path, database: Database
) -> None:
    path = Path("/photos/\udcff\n\u2028.d")
    with database.write() as session:
        job = open_job(session, "local", NewJob(), manifest())
        note_run(tmp_path, job.id, [path], A)
        (file,) = (tmp_path / "runs").iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        (run,) = interrupted_runs(session, tmp_path)
        assert (run.paths, run.out) == ((path,), A)
        (file.parent / "job_x.json").write_text("{}")
        (file.parent / f"job_{'0' * 32}.json").write_text("half of a no")
        job.state = "ended"
        session.flush()
        assert interrupted_runs(session, tmp_path) == []
    assert not file.exists()
