"""Jobs take turns, whatever their size, on real workers that share them."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from sqlalchemy import func, select

from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from nightshift.words.options import JobOptions
from shared.broker.doorbell import CeleryDoorbell
from shared.db.tables import Job, Photo
from shared.queue.control import cancel
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from tests.support.faults.runs import Run
from tests.support.processes import wait_for
from tests.support.queue_rows import manifest


def archive_of(run: Run, photos: int) -> str:
    """A job of so many photos that are all one file."""
    path = run.folder / "photo.jpg"
    path.write_bytes(b"photo")
    rows = [NewPhoto(f"{number:06d}.jpg", new_id("pho"), str(path)) for number in range(photos)]
    with run.cluster.database.write() as session:
        job = open_job(session, "local", NewJob(options=JobOptions(reuse=False)), manifest())
        for start in range(0, photos, 5000):
            add_photos(session, "local", job.id, rows[start : start + 5000])
        submit(session, "local", job.id)
    CeleryDoorbell(run.cluster.settings.broker_url).ring(32)
    return job.id


def done(run: Run, job_id: str) -> int:
    with run.cluster.database.read() as session:
        query = select(func.count()).where(Photo.job_id == job_id, Photo.status == "succeeded")
        return session.scalar(query) or 0


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("photos", "workers", "seconds"),
    [(1500, 2, 6), pytest.param(100_000, 4, 300, marks=pytest.mark.soak)],
    ids=["short", "100000"],
)
def test_archives_get_on_alike_and_a_new_job_is_next(
    run: Run, photos: int, workers: int, seconds: int
) -> None:
    names = [f"worker-{number}" for number in range(workers)]
    run.start_workers(*names)
    archives = [archive_of(run, photos), archive_of(run, photos)]
    wait_for(lambda: all(done(run, job_id) for job_id in archives), "both to be under way")
    time.sleep(seconds)

    small = archive_of(run, 4)
    wait_for(lambda: done(run, small) == 4, "the small job")
    with run.cluster.database.read() as session:
        submitted_at = session.get_one(Job, small).submitted_at
        begun_at = session.scalar(select(func.min(Photo.claimed_at)).where(Photo.job_id == small))
        # What others claimed meanwhile: no more than the claims that were being made just then.
        before = session.scalar(
            select(func.count()).where(
                Photo.job_id.in_(archives), Photo.claimed_at > submitted_at, Photo.claimed_at < begun_at
            )
        )
        assert submitted_at is not None
        assert begun_at is not None
        assert (before or 0) <= workers * run.cluster.settings.batch_size
    first, second = (done(run, job_id) for job_id in archives)
    assert abs(first - second) < 0.2 * max(first, second)
    with run.cluster.database.read() as session:
        query = select(Photo.worker).where(Photo.job_id.in_(archives), Photo.status == "succeeded")
        shares = Counter(session.scalars(query))
    assert len(shares) == workers
    assert min(shares.values()) > 0.5 * sum(shares.values()) / workers
    run.note(f"two archives of {photos:,}, {workers} workers: difference, %", 100 * abs(first / second - 1))
    run.note("new job behind them: begun after, s", (begun_at - submitted_at).total_seconds())

    for job_id in archives:
        with run.cluster.database.write() as session:
            cancel(session, "local", job_id)
        run.job_id = job_id
        wait_for(run.has_ended, "the archive to be cancelled")
    run.assert_well()
