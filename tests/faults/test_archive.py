"""A zip of photos over the network, its worker killed in mid-unpacking: it goes on, in flat memory."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from bench.samples import jpeg
from bench.samples import no_face as no_face_picture
from nightshift.words.states import JobState, Outcome
from shared.db.tables import Archive, Job, Photo
from shared.processes.command_lines import api_command
from tests.support.faults.invariants import assert_all_is_well
from tests.support.processes import WITH_KEY, Cluster, memory_mb_of, peak_memory_mb_of, wait_for

PHOTO_BYTES = 400_000
BOUNDARY = b'--b\r\nContent-Disposition: form-data; name="archive"; filename="party.zip"\r\n\r\n'


def make_zip(path: Path, photos: int) -> None:
    """Photos that are quick to decode and, with what follows their picture, as large as a camera's."""
    picture = jpeg(no_face_picture().resize((96, 64)))
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(photos):
            rest = os.urandom(PHOTO_BYTES - len(picture))
            archive.writestr(f"day {number % 3}/{number:05d}.jpg", picture + rest)


def form(path: Path) -> Iterator[bytes]:
    yield BOUNDARY
    with path.open("rb") as file:
        while piece := file.read(1_000_000):
            yield piece
    yield b"\r\n--b--\r\n"


def archive_row(cluster: Cluster, job_id: str) -> Archive:
    with cluster.database.read() as session:
        return session.get_one(Archive, job_id)


def state_of(cluster: Cluster, job_id: str) -> str:
    with cluster.database.read() as session:
        return session.get_one(Job, job_id).state


@pytest.mark.parametrize("photos", [600, pytest.param(5000, marks=pytest.mark.soak)])
@pytest.mark.timeout(900)
def test_a_zip_is_unpacked_whoever_dies(cluster: Cluster, tmp_path: Path, photos: int) -> None:
    path = tmp_path / "party.zip"
    make_zip(path, photos)
    cluster.start_broker()
    cluster.start_sweeper()
    socket = tmp_path / "api.sock"
    api = cluster.start("api", api_command(cluster.settings, bind=f"unix:{socket}"))
    client = httpx.Client(
        transport=httpx.HTTPTransport(uds=str(socket)),
        base_url="http://localhost",
        timeout=120,
        headers=WITH_KEY,
    )
    wait_for(socket.exists, "the API to listen")
    client.get("/healthz").raise_for_status()
    (serving,) = map(int, Path(f"/proc/{api.pid}/task/{api.pid}/children").read_text("ascii").split())
    before_mb = peak_memory_mb_of(serving)

    size = path.stat().st_size + len(BOUNDARY) + len(b"\r\n--b--\r\n")
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Content-Length": str(size)}
    sent = client.post("/v1/jobs", content=form(path), headers=headers)
    assert sent.status_code == 202, sent.text
    api_grown_mb = peak_memory_mb_of(serving) - before_mb
    job_id = sent.json()["id"]
    path.unlink()

    cluster.start_worker("first")
    wait_for(lambda: 0 < archive_row(cluster, job_id).position < photos, "the unpacking to be under way")
    cluster.kill("first")
    killed_at = archive_row(cluster, job_id).position
    assert state_of(cluster, job_id) == JobState.UNPACKING
    cluster.start_worker("second")
    wait_for(lambda: " unpacking job=" in cluster.log("second"), "another worker to go on")
    unpacking_mb: list[float] = []

    def is_unpacked() -> bool:
        (number,) = re.findall(r"unpacking job=.* worker=\S+/(\d+)\.", cluster.log("second"))[-1:]
        unpacking_mb.append(memory_mb_of(int(number)))
        return state_of(cluster, job_id) != JobState.UNPACKING

    wait_for(is_unpacked, "the archive to be unpacked")
    wait_for(lambda: state_of(cluster, job_id) == JobState.ENDED, "the job to end", timeout_s=600)

    assert f"from_member={killed_at} " in cluster.log("second")
    with cluster.database.read() as session:
        job = session.get_one(Job, job_id)
        assert job.outcome == Outcome.SUCCEEDED
        assert job.final_counts is not None
        assert job.final_counts["succeeded"] == photos
        names = session.scalars(select(Photo.custom_id).where(Photo.job_id == job_id).order_by(Photo.ordinal))
        assert list(names) == [f"day {n % 3}/{n:05d}.jpg" for n in range(photos)]
    assert_all_is_well(cluster.database, cluster.settings)
    stored = [found for found in (cluster.settings.home / "store").rglob("*") if found.is_file()]
    assert len(stored) == 2 * photos  # photos and thumbnails: no archive, nothing half-written
    worker_grown_mb = max(unpacking_mb) - unpacking_mb[0]
    print(f"grown: API {api_grown_mb:.1f} MB, unpacking worker {worker_grown_mb:.1f} MB")  # noqa: T201
    assert api_grown_mb < 50
    assert worker_grown_mb < 50
