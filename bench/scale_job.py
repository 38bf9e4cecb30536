"""One job of the scale benchmark: every photo through the real service, but for its analysis.

Files, store, database, API, client, slices, sweeper and report are the real ones. The pipeline is a fake,
and the broker is left out: what it costs hangs on slices, not on photos. Files and thumbnails are tiny, so
that what is counted is what the system adds to a photo and not the photo's own bytes.
"""

from __future__ import annotations

import io
import resource
import sys
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast
from unittest.mock import patch

import httpx
import numpy as np
from flask import Flask
from rich.console import Console
from sqlalchemy import text

import worker.slice
from api.app import create_app
from api.context import EXTENSION, Context
from bench.fake_analyser import fake_analysis
from bench.stopwatch import Stopwatch
from nightshift import Client
from nightshift.machine.process_id import own_process_id
from nightshift.photos import find_photos
from nightshift.report import write_report, write_results
from nightshift.sending import places_of, send_photos
from nightshift.words.analysis import Analysis, PhotoError
from nightshift.words.documents import Job
from nightshift.words.options import AnalysisOptions
from shared.broker.doorbell import MOST_RINGS
from shared.bundles.manifest import Manifest, locate_bundle, read_manifest
from shared.db.engine import Database
from shared.db.migrate import upgrade
from shared.files.store import Store
from shared.queue.queue import Queue
from shared.reads.jobs import JobReads
from shared.reads.tally import Tallies
from shared.settings import Settings
from worker.batch_size import BatchSize
from worker.parts import Parts
from worker.pipeline.decoding.decode import DecodedPhoto
from worker.sweeper import Sweeper
from worker.unpack import unpack_next

if TYPE_CHECKING:
    from worker.networks import Networks

ANALYSIS_S = 0.06
"""What a photo's analysis is taken to last: it decides how often a job is asked after and swept."""

DIFFERENT = 1009
"""Analyses that are made beforehand; photos further on take the same ones again."""

MOST_SENT = 10_000
"""Uploads are requests of one photo each, archives are saved in pieces of 200: more would only take long."""

_KEY = "the-key-of-the-measurement-of-scale"


class Silent:
    """A doorbell that nobody hears, and whose list is always full."""

    def ring(self, times: int = 1) -> bool:
        """Do nothing."""
        return bool(times)

    def waiting(self) -> int | None:
        """As many as there may be."""
        return MOST_RINGS


@dataclass(slots=True)
class FakePipeline:
    """Takes anything for a photo of one pixel.

    Attributes:
        manifest: of the weights it stands for.
        meanwhile: called with the number of photos while a batch is analysed.
    """

    manifest: Manifest
    meanwhile: Callable[[int], None]
    _analyses: list[Analysis | PhotoError] = field(
        default_factory=lambda: [fake_analysis(number) for number in range(DIFFERENT)]
    )
    _next: int = 0

    on_cpu = True

    def decode(
        self,
        data: bytes,  # noqa: ARG002 - as the real one
        options: AnalysisOptions,  # noqa: ARG002 - likewise
        admit: Callable[[int], None],
    ) -> DecodedPhoto:
        """One pixel."""
        admit(1)
        return DecodedPhoto(np.zeros((1, 1, 3), np.uint8), 1, 1, 1, 1.0)

    def analyse(
        self,
        photos: Iterable[DecodedPhoto],
        options: AnalysisOptions,  # noqa: ARG002 - as the real one
        progress: Callable[[Collection[str]], None],
    ) -> list[Analysis | PhotoError]:
        """The next ones in a row."""
        ids = [photo.id for photo in photos]
        count = len(ids)
        progress(ids)
        self.meanwhile(count)
        first, self._next = self._next, self._next + count
        return [self._analyses[number % DIFFERENT] for number in range(first, self._next)]


class ScaleJob:
    """A job of so many photos in a home of its own.

    Args:
        home: an empty folder.
        photos: how many.
        database_url: an empty database; SQLite in the home when empty.
    """

    def __init__(self, home: Path, photos: int, database_url: str = "") -> None:
        self.watch = Stopwatch()
        self._photos = photos
        self._folder = home / "photos"
        self._settings = Settings(
            home=home / "home",
            database_url=database_url,
            log_level="ERROR",
            in_place_roots=str(self._folder),
            api_key=_KEY,
            max_archive_members=max(50_000, photos),
        )
        upgrade(self._settings.database_url)
        self._database = Database(self._settings.database_url)
        self._store = Store(self._settings.store_url)
        self._seconds = 0.0
        self._following = ""
        self._sweeper = Sweeper(self._settings, self._database, Silent(), self._store)
        self._sweep_at_s = self._settings.sweep_interval_s

    def run(self) -> dict[str, float]:
        """Everything, once; returns numbers that are not times."""
        self._make_files()
        bytes_before, memory_before = self._database_bytes(), _peak_memory_bytes()
        app = self._app()
        with Client("http://127.0.0.1", _KEY, transport=httpx.WSGITransport(app=app)) as client:
            job = self._begin(client)
            self._work(client, job.id)
            database_bytes = self._database_bytes() - bytes_before
            self._read(client, job.id)
            with self.watch.phase("erase"):
                client.delete(job.id)
            numbers = {
                "memory_before_bytes": memory_before,
                "memory_peak_bytes": _peak_memory_bytes(),
                "database_bytes_a_photo": database_bytes / self._photos,
            }
            if self._photos <= MOST_SENT:
                self._upload(client)
                self._send_archive(client)
        self._database.close()
        return numbers

    def _make_files(self) -> None:
        for number in range(self._photos):
            path = self._folder / f"evening-{number // 2500 + 1}" / f"IMG_{number:06}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"photo {number}".encode())

    def _app(self) -> Flask:
        app = create_app(self._settings)
        parts = cast(Context, app.extensions[EXTENSION])
        jobs = JobReads(parts.database, Tallies(lambda: self._seconds))
        app.extensions[EXTENSION] = replace(parts, doorbell=Silent(), jobs=jobs)
        return app

    def _begin(self, client: Client) -> Job:
        """As `nightshift run` does for a folder."""
        watch = self.watch
        with watch.phase("find"):
            found = find_photos([self._folder])
        with watch.phase("register"):
            job_id = client.create_job().id
            client.register_in_place(job_id, ((photo.custom_id, photo.path) for photo in found.photos))
        with watch.phase("submit"):
            return client.submit(job_id)

    def _parts(self, client: Client) -> Parts:
        settings = self._settings
        manifest = read_manifest(locate_bundle(settings.bundle, settings.weights_dir))
        return Parts(
            settings=settings,
            database=self._database,
            store=self._store,
            doorbell=Silent(),
            pipeline=cast("Networks", FakePipeline(manifest, lambda photos: self._meanwhile(client, photos))),
            worker=own_process_id(),
            should_stop=lambda: False,
            batch_size=BatchSize(settings.batch_size),
        )

    def _work(self, client: Client, job_id: str) -> None:
        """Slices, as the worker does them, until the job has ended."""
        parts = self._parts(client)
        self._following = job_id
        with self._steps_timed():
            while not client.job(job_id).ended:
                with self.watch.phase("read"):
                    worker.slice.run_slice(parts)
                self._seconds += 1.0
        assert client.job(job_id).counts.final == self._photos  # noqa: S101 - else nothing is measured

    @contextmanager
    def _steps_timed(self) -> Iterator[None]:
        """The steps of a slice, each with its commit, counted apart from the rest of it."""
        with ExitStack() as timed:
            for name in ("claim", "save", "finish"):
                step = self.watch.timed(name, getattr(Queue, name))
                timed.enter_context(patch.object(Queue, name, step))
            yield

    def _meanwhile(self, client: Client, photos: int) -> None:
        """What others do while a batch is analysed: a client waits for news, the sweeper sweeps.

        A waiting client's job is looked at twice a second; the clock of counts is the analysis's, not ours.
        """
        before, self._seconds = self._seconds, self._seconds + photos * ANALYSIS_S
        for _ in range(int(self._seconds * 2) - int(before * 2)):
            with self.watch.phase("follow"):
                client.job(self._following)
        if self._seconds >= self._sweep_at_s:
            self._sweep_at_s += self._settings.sweep_interval_s
            with self.watch.phase("sweep"):
                self._sweeper.sweep()

    def _read(self, client: Client, job_id: str) -> None:
        """What follows a job's end."""
        watch, out = self.watch, self._settings.home / "out"
        with watch.phase("summary"):
            client.summary(job_id)
        with watch.phase("results"):
            write_results(client, job_id, out)
        with watch.phase("pages"):
            listed = sum(1 for _ in client.photos(job_id, limit=1000))
        assert listed == self._photos  # noqa: S101 - else nothing is measured
        with watch.phase("report"):
            write_report(client, client.job(job_id), out)

    def _upload(self, client: Client) -> None:
        """As `nightshift submit` does for a folder."""
        with self.watch.phase("upload"):
            job_id = client.create_job().id
            found = find_photos([self._folder])
            refused = send_photos(client, job_id, found.photos, Console(file=io.StringIO()), places_of(found))
            client.submit(job_id)
        assert not refused  # noqa: S101 - else nothing is measured
        self._drop(client, job_id)

    def _send_archive(self, client: Client) -> None:
        """As `nightshift submit` does for an archive, and then a worker."""
        path = self._settings.home / "photos.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for number in range(self._photos):
                archive.writestr(f"evening-{number // 2500 + 1}/IMG_{number:06}.jpg", f"photo {number}")
        parts = self._parts(client)
        with self.watch.phase("archive"):
            job_id = client.submit_archive(path).id
            while unpack_next(parts, 0.0):
                pass
        self._drop(client, job_id)

    def _drop(self, client: Client, job_id: str) -> None:
        self._seconds += 1.0
        assert client.job(job_id).counts.total == self._photos  # noqa: S101 - else nothing is measured
        client.cancel(job_id)
        self._sweeper.sweep()
        client.delete(job_id)

    def _database_bytes(self) -> int:
        """What the database takes, with its indices."""
        if self._database.is_sqlite:
            query = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        else:
            query = "SELECT pg_database_size(current_database())"
        with self._database.read() as session:
            return int(session.execute(text(query)).scalar_one())


def _peak_memory_bytes() -> int:
    """Most memory this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
