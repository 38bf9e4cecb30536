"""A job at work on real processes, a fault, and how long it took to get over it."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from nightshift.words.options import JobOptions
from nightshift.words.states import JobState
from shared.broker.doorbell import CeleryDoorbell
from shared.db.tables import Job, Photo
from shared.processes.command_lines import api_command, worker_command
from shared.queue.counts import Counts, count_photos
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from tests.support.faults.analyser import faces_in
from tests.support.faults.invariants import assert_all_is_well, lost_and_doubled
from tests.support.processes import Cluster, wait_for
from tests.support.queue_rows import manifest
from tests.support.stores import free_port

RECORD = "NIGHTSHIFT_FAULTS_RECORD"
"""Variable that names the file to which each fault's numbers are added; see docs/reliability.md."""


@dataclass
class Run:
    """One job of photos in place, analysed by `tests.support.faults.analyser`."""

    cluster: Cluster
    folder: Path
    job_id: str = ""

    def use_lease(self, seconds: float) -> None:
        """Have leases of this length; before any worker is started."""
        assert not self._workers
        self.cluster.settings = self.cluster.settings.model_copy(update={"lease_s": seconds})
        self.cluster.kill("sweeper")
        self.cluster.start_sweeper()

    def start_workers(
        self, *names: str, analyser: str = "tests.support.faults.analyser", **environment: str
    ) -> None:
        """Start workers with one process each; `worker.main` is the real analyser."""
        for name in names:
            self._workers[name] = (analyser, environment)
            self.start_again(name)

    def start_again(self, name: str) -> None:
        """Start a worker as it was started before."""
        analyser, environment = self._workers[name]
        command = worker_command(self.cluster.settings, name=name)
        command[command.index("worker.main")] = analyser
        self.cluster.start(name, command, **environment)

    def restart_ended(self) -> None:
        """Start again what has ended by itself, as whatever watches over processes does."""
        for name in self._workers:
            process = self.cluster.processes.get(name)
            if process is not None and process.poll() is not None:
                self.start_again(name)

    def submit(self, photos: int, prefix: str = "", **special: bytes) -> str:
        """Submit photos `0000.jpg` and so on, and `special` ones by name and content, spread among them."""
        contents = {f"{prefix}{number:05d}.jpg": b"photo %d" % number for number in range(photos)}
        step = max(1, photos // (len(special) + 1))
        for number, (name, content) in enumerate(special.items(), 1):
            contents[f"{prefix}{number * step:05d}-{name}.jpg"] = content
        return self.submit_bytes(contents)

    def submit_bytes(self, contents: dict[str, bytes]) -> str:
        """Submit photos by name and content."""
        rows = []
        for name in sorted(contents):
            path = self.folder / name
            path.write_bytes(contents[name])
            rows.append(NewPhoto(name, new_id("pho"), str(path)))
        with self.cluster.database.write() as session:
            job = open_job(session, "local", NewJob(options=JobOptions(reuse=False)), manifest())
            add_photos(session, "local", job.id, rows)
            submit(session, "local", job.id)
        self.job_id = job.id
        CeleryDoorbell(self.cluster.settings.broker_url).ring(4)
        return job.id

    def counts(self) -> Counts:
        """Where its photos stand."""
        with self.cluster.database.read() as session:
            return count_photos(session, self.job_id)

    def photos(self) -> list[Photo]:
        """Its photos, in order."""
        with self.cluster.database.read() as session:
            query = select(Photo).where(Photo.job_id == self.job_id).order_by(Photo.ordinal)
            return list(session.scalars(query))

    def workers_at_work(self) -> int:
        """Processes that hold a lease."""
        return len({photo.worker for photo in self.photos() if photo.status == "running"})

    def may_write(self) -> bool:
        """Whether the SQLite database is nobody's for longer than any transaction takes."""
        path = self.cluster.settings.database_url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
        return True

    def wait_for_final(self, photos: int) -> None:
        """Until so many are final."""
        wait_for(lambda: self.counts().final >= photos, f"{photos} photos to be final")

    def has_ended(self) -> bool:
        """Whether the job has."""
        with self.cluster.database.read() as session:
            return session.get_one(Job, self.job_id).state == JobState.ENDED

    def note(self, what: str, value: float) -> None:
        """Record a number of the run beside its faults."""
        self._notes.append((what, round(value, 1)))

    @contextmanager
    def fault(self, name: str) -> Iterator[None]:
        """Around a fault. Afterwards the job must get on, and its numbers are recorded."""
        yield
        begun_s, before = time.monotonic(), self.counts().final

        def goes_on() -> bool:
            self.restart_ended()
            return self.counts().final > before or self.has_ended()

        wait_for(goes_on, f"work to go on after: {name}")
        self._recovered.append((name, time.monotonic() - begun_s))

    def __post_init__(self) -> None:
        self._recovered: list[tuple[str, float]] = []
        self._workers: dict[str, tuple[str, dict[str, str]]] = {}
        self._notes: list[tuple[str, float]] = []

    def end(self, *, failed: int = 0, crashed: int | None = None) -> None:
        """Wait for the job to end, and check everything.

        Args:
            failed: photos that had to fail; every other one succeeded, with the faces that it has.
            crashed: photos that may have a crash behind them at most; None for any number.
        """

        def has_ended() -> bool:
            self.restart_ended()
            return self.has_ended()

        wait_for(has_ended, "the job to end")
        self.assert_well()
        photos = self.photos()
        assert sum(photo.status == "failed" for photo in photos) == failed
        for photo in photos:
            if photo.status != "failed":
                assert photo.status == "succeeded"
                assert photo.face_count == faces_in(Path(photo.in_place_path or "").read_bytes())
        if crashed is not None:
            assert sum(photo.crashes > 0 for photo in photos) <= crashed

    def assert_well(self) -> None:
        """Record what became of the photos, then check everything there is."""
        self._record(*lost_and_doubled(self.cluster.database))
        assert_all_is_well(self.cluster.database, self.cluster.settings)

    def jobs(self) -> list[str]:
        """Ids of every job."""
        with self.cluster.database.read() as session:
            return list(session.scalars(select(Job.id)))

    def _record(self, lost: int, doubled: int) -> None:
        if path := os.environ.get(RECORD):
            with Path(path).open("a", encoding="utf-8") as file:
                for name, seconds in self._recovered:
                    entry = {
                        "fault": name,
                        "lost": lost,
                        "doubled": doubled,
                        "recovered_s": round(seconds, 1),
                    }
                    file.write(json.dumps(entry) + "\n")
                for what, value in self._notes:
                    file.write(json.dumps({"note": what, "value": value}) + "\n")
        self._recovered, self._notes = [], []


class Api:
    """The API as a process of its own."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.port = free_port()
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = self._run.cluster.settings.model_copy(update={"port": self.port})
        self._run.cluster.start("api", api_command(settings), NIGHTSHIFT_PORT=str(self.port))
        wait_for(self.answers, "the API to answer")

    def answers(self) -> bool:
        """Whether it does."""
        try:
            return httpx.get(f"{self.url}/healthz", timeout=2).is_success
        except httpx.HTTPError:
            return False

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """SIGKILL it and its children."""
        self._run.cluster.kill("api")


@pytest.fixture
def run(cluster: Cluster, tmp_path: Path) -> Run:
    """Broker and sweeper run; workers and a job are the test's."""
    folder = tmp_path / "photos"
    folder.mkdir()
    # Long, so that a busy machine makes no crash of what is none; where a lease has to run out: `use_lease`.
    cluster.settings = cluster.settings.model_copy(
        update={"lease_s": 15.0, "sweep_interval_s": 0.3, "batch_size": 8, "photo_timeout_s": 5.0}
    )
    cluster.start_broker()
    cluster.start_sweeper()
    return Run(cluster, folder)
