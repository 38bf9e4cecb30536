"""Hundreds of photos, two workers; one is killed in mid-batch and the broker is emptied."""

from __future__ import annotations

import io
import json
import re
import time
from pathlib import Path

import pytest
from PIL import Image
from skimage import data
from sqlalchemy import select

from api.app import create_app
from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from nightshift.words.options import JobOptions
from nightshift.words.states import JobState, Outcome
from shared.broker.doorbell import CeleryDoorbell, rings_for
from shared.db.tables import Job, Photo
from shared.queue.counts import Counts, count_photos
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from tests.support.faults.invariants import assert_all_is_well
from tests.support.processes import WITH_KEY, Cluster, memory_mb_of, wait_for
from tests.support.queue_rows import manifest

PHOTOS = 300


def _photos(folder: Path) -> list[Path]:
    """Small photos of one woman, no two files alike."""
    astronaut = Image.fromarray(data.astronaut())
    paths = []
    for number in range(PHOTOS):
        side = 200 + number % 40
        file = io.BytesIO()
        astronaut.crop((60, 0, 380, 320)).resize((side, side)).save(
            file, "JPEG", quality=60 + number // 40, comment=f"{number}".encode()
        )
        path = folder / f"{number:04d}.jpg"
        path.write_bytes(file.getvalue())
        paths.append(path)
    return paths


def _submitted_job(cluster: Cluster, tmp_path: Path) -> str:
    folder = tmp_path / "photos"
    folder.mkdir()
    with cluster.database.write() as session:
        job = open_job(session, "local", NewJob(options=JobOptions(reuse=False)), manifest())
        photos = [NewPhoto(path.name, new_id("pho"), str(path)) for path in _photos(folder)]
        add_photos(session, "local", job.id, photos)
        submit(session, "local", job.id)
    return job.id


def _workers_with_leases(cluster: Cluster) -> set[str]:
    with cluster.database.read() as session:
        running = select(Photo.worker).where(Photo.status == "running").distinct()
        return {name for name in session.scalars(running) if name is not None}


@pytest.mark.timeout(600)
def test_a_killed_worker_and_a_flushed_broker_lose_nothing(cluster: Cluster, tmp_path: Path) -> None:
    job_id = _submitted_job(cluster, tmp_path)
    cluster.start_broker()
    cluster.start_sweeper()
    cluster.start_worker("one")
    cluster.start_worker("two")
    CeleryDoorbell(cluster.settings.broker_url).ring(rings_for(PHOTOS, cluster.settings.batch_size))

    seen: list[Counts] = []
    memory_mb: list[tuple[int, float]] = []

    def counts() -> Counts:
        with cluster.database.read() as session:
            seen.append(count_photos(session, job_id))
        memory_mb.append((cluster.log("two").count(" saved job="), _memory_mb(cluster)))
        return seen[-1]

    wait_for(lambda: counts().succeeded > 40 and len(_workers_with_leases(cluster)) == 2, "both to work")
    kill_with_a_lease(cluster, "one")
    at_kill = counts()
    cluster.broker().flushall()
    wait_for(lambda: counts().final == PHOTOS, "all photos to be final")
    wait_for(lambda: _state(cluster, job_id) == JobState.ENDED, "the job to end")

    assert at_kill.final < PHOTOS
    assert all(c.total == PHOTOS and c.queued + c.running + c.final == PHOTOS for c in seen)
    assert [c.final for c in seen] == sorted(c.final for c in seen)
    with cluster.database.read() as session:
        rows = list(session.scalars(select(Photo).where(Photo.job_id == job_id).order_by(Photo.ordinal)))
        assert session.get_one(Job, job_id).outcome == Outcome.SUCCEEDED
    assert [row.custom_id for row in rows] == [f"{number:04d}.jpg" for number in range(PHOTOS)]
    assert {row.status for row in rows} == {"succeeded"}
    assert {row.face_count for row in rows} == {1}
    lines = (
        create_app(cluster.settings)
        .test_client()
        .get(f"/v1/jobs/{job_id}/results", headers=WITH_KEY)
        .text.splitlines()
    )
    assert [json.loads(line)["photo_id"] for line in lines] == [row.id for row in rows]
    crashed = [row for row in rows if row.crashes]
    assert 1 <= len(crashed) <= cluster.settings.batch_size
    assert all(row.attempts == 2 for row in crashed)
    claimed_by = set(re.findall(r"claimed .* worker=(\S+)", cluster.log("one") + cluster.log("two")))
    assert len(claimed_by) >= 2
    assert_all_is_well(cluster.database, cluster.settings)
    # The last worker standing: what it grew by after three batches of its own.
    early = max(mb for batches, mb in memory_mb if batches <= 3)
    peak = max(mb for _, mb in memory_mb)
    print(f"memory of the surviving worker: {early:.0f} MB after three batches, {peak:.0f} MB at most")  # noqa: T201
    assert 0 < peak < early + 200


def _memory_mb(cluster: Cluster) -> float:
    """Resident memory of worker two's pool process, 0 before it works."""
    numbers = re.findall(r"claimed .* worker=\S+/(\d+)\.", cluster.log("two"))
    return memory_mb_of(int(numbers[-1])) if numbers else 0.0


def kill_with_a_lease(cluster: Cluster, name: str) -> None:
    """SIGKILL a worker that, stopped, is seen to hold photos."""

    def is_stopped_with_a_lease() -> bool:
        cluster.stop_process(name)
        # All of its threads have stopped by then.
        time.sleep(0.1)
        children = set(re.findall(r"claimed .* worker=(\S+)", cluster.log(name)))
        if children & _workers_with_leases(cluster):
            return True
        cluster.continue_process(name)
        return False

    wait_for(is_stopped_with_a_lease, "a moment at which it holds a lease")
    cluster.kill(name)


def _state(cluster: Cluster, job_id: str) -> str:
    with cluster.database.read() as session:
        return session.get_one(Job, job_id).state


def test_sigterm_gives_the_batch_back_without_an_attempt(cluster: Cluster, tmp_path: Path) -> None:
    job_id = _submitted_job(cluster, tmp_path)
    cluster.start_broker()
    cluster.start_worker("one")
    CeleryDoorbell(cluster.settings.broker_url).ring()
    wait_for(lambda: len(_workers_with_leases(cluster)) == 1 and _done(cluster, job_id) > 0, "it to work")

    cluster.processes["one"].terminate()
    assert cluster.processes["one"].wait(timeout=60) == 0

    with cluster.database.read() as session:
        rows = list(session.scalars(select(Photo).where(Photo.job_id == job_id)))
    assert {row.status for row in rows} == {"queued", "succeeded"}
    assert {(row.attempts, row.crashes) for row in rows if row.status == "queued"} == {(0, 0)}


def _done(cluster: Cluster, job_id: str) -> int:
    with cluster.database.read() as session:
        return count_photos(session, job_id).final
