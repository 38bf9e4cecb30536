from pathlib import Path

from sqlalchemy import select

from nightshift.embedded.interrupted_runs import (
    InterruptedRun,
    cancel_runs,
    choose_run,
    interrupted_runs,
    pause_runs,
    run_metadata,
)
from shared.bundles import Manifest, read_manifest
from shared.db.engine import Database
from shared.db.migrate import upgrade
from shared.db.models import Job
from shared.options import JobOptions
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
    with database.write() as session:
        for metadata in (run_metadata([A], A / "out"), {}, run_metadata([B], B / "out")):
            job = open_job(session, owner="local", options=JobOptions(), bundle=manifest(), metadata=metadata)
            ids.append(job.id)
        add_photos(session, "local", ids[2], [NewPhoto("x.jpg", "pho_1", in_place_path="/photos/b/x.jpg")])
        add_photos(session, "local", ids[1], [NewPhoto("y.jpg", "pho_2", in_place_path="/photos/y.jpg")])
        submit(session, "local", ids[2])
        submit(session, "local", ids[1])
        found = pause_runs(session)
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
            metadata = run_metadata([A], out)
            open_job(session, owner="local", options=JobOptions(), bundle=manifest(), metadata=metadata)
        cancel_runs(session, B)
        assert [run.out for run in interrupted_runs(session)] == [A]
    database.close()
