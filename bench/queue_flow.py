"""Nightshift as `nightshift run` starts it: broker, database, API, sweeper and worker processes.

Every pass has a service of its own over a fresh home, and nothing is taken over from an earlier one. The time
is that from opening the job to its end: photos are registered in place, claimed, analysed, saved. Starting
and stopping the service, and a first job that warms every worker up, are left out.
"""

from __future__ import annotations

import secrets
import socket
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path

from bench.error_codes import BenchCode
from bench.memory import peak_bytes
from bench.protocol import STAGES, FoundFace, Pass, Setup
from nightshift.client import Client
from nightshift.embedded.home import Home
from nightshift.embedded.logs import log_here
from nightshift.embedded.service import check_bundle, running_service
from nightshift.embedded.supervisor import Supervisor
from nightshift.exits import say
from nightshift.words.documents import Job, Photo
from nightshift.words.error_codes import Code
from nightshift.words.errors import NightshiftError
from shared.db.engine import Database
from shared.db.migrate import upgrade
from shared.reads.workers import worker_list
from shared.settings import Settings, load_settings

_WORKERS_START_S = 120.0
_LOOK_S = 2


class QueueFlow:
    """See the module."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._few: Sequence[Path] = setup.photos[:1]
        settings = self._settings(setup.workspace)
        self.about: Mapping[str, str] = {
            "workers": str(setup.workers),
            "threads": f"{settings.network_threads} a worker",
            "batch": f"{settings.batch_size} photos",
        }

    def warm_up(self, photos: Sequence[Path]) -> None:
        """Keep them in mind: each pass starts its workers anew, and warms them up before it is timed."""
        self._few = photos or self._few

    def run(self, photos: Sequence[Path]) -> Pass:
        """One timed pass, in a service of its own."""
        with tempfile.TemporaryDirectory(dir=self._setup.workspace) as folder:
            settings = self._settings(Path(folder) / "home")
            with service(settings) as (url, supervisor), client_of(url, settings) as client:
                wait_for_workers(settings, supervisor)
                warm_up_workers(client, supervisor, settings, self._few)
                job = run_job(
                    client, supervisor, ((f"{index:08}", path) for index, path in enumerate(photos))
                )
                results = sorted(client.results(job.id), key=lambda photo: photo.custom_id)
                return passed(job, results, len(photos))

    def read(self, photos: Sequence[Path]) -> Pass:
        """Not here: the pipeline alone gives the same labels."""
        raise NotImplementedError

    def _settings(self, home: Path) -> Settings:
        return load_settings(
            home=home,
            bundle=str(self._setup.bundle),
            workers=self._setup.workers,
            in_place_roots="/",
            api_key=secrets.token_urlsafe(32),
        )


def warm_up_workers(client: Client, supervisor: Supervisor, settings: Settings, few: Sequence[Path]) -> None:
    """A job with enough photos for a batch to each worker."""
    photos = islice(cycle(few), settings.batch_size * settings.worker_count)
    run_job(client, supervisor, ((f"{index}", path) for index, path in enumerate(photos)))


def wait_for_workers(settings: Settings, supervisor: Supervisor) -> None:
    """Until every worker process has loaded its weights, which it says by being registered.

    Raises:
        NightshiftError: `service_failed` or `worker_failed`.
    """
    database = Database(settings.database_url)
    give_up_at = time.monotonic() + _WORKERS_START_S
    try:
        while True:
            with database.read() as session:
                known = worker_list(session).workers
            if sum(worker.kind == "worker" and worker.alive for worker in known) >= settings.worker_count:
                return
            supervisor.check()
            if time.monotonic() > give_up_at:
                raise NightshiftError(Code.SERVICE_FAILED, f"no workers within {_WORKERS_START_S:.0f} s")
            time.sleep(0.2)
    finally:
        database.close()


@contextmanager
def service(settings: Settings) -> Iterator[tuple[str, Supervisor]]:
    """The whole service in a home of its own; its URL, and who looks after its processes."""
    settings, _ = check_bundle(settings)
    with ExitStack() as parts:
        parts.enter_context(Home(settings.home))
        log_here(settings)
        upgrade(settings.database_url)
        listener = parts.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
        supervisor = Supervisor(say)
        yield parts.enter_context(running_service(settings, listener, supervisor, workers=True)), supervisor


def client_of(url: str, settings: Settings) -> Client:
    """A client with the service's key."""
    return Client(url, settings.api_key.get_secret_value())


def run_job(client: Client, supervisor: Supervisor, photos: Iterable[tuple[str, Path]]) -> Job:
    """One job from its opening to its end; nothing is taken over from another."""
    job_id = client.create_job(options={"reuse": False}).id
    client.register_in_place(job_id, photos)
    looks = [client.submit(job_id)]
    for job in client.poll(job_id, wait_s=_LOOK_S):
        supervisor.check()
        looks.append(job)
    return looks[-1]


def passed(job: Job, results: Sequence[Photo], count: int) -> Pass:
    """What a job came to.

    Raises:
        NightshiftError: a photo failed, with its own code; `results_missing`.
    """
    failed = [photo.error for photo in results if photo.error is not None]
    if failed or len(results) != count or job.ended_at is None:
        reason = failed[0].message if failed else f"{len(results)} results of {count} photos"
        raise NightshiftError(Code[failed[0].code.upper()] if failed else BenchCode.RESULTS_MISSING, reason)
    times = [photo.timings_ms for photo in results if photo.timings_ms is not None]
    stages = {name: sum(getattr(photo, name) for photo in times) / 1000 for name in STAGES}
    # By the service's own clock: the client hears of the end when it next looks, up to half a second later.
    seconds = (job.ended_at - job.created_at) / timedelta(seconds=1)
    faces = tuple(
        tuple(
            FoundFace(
                (face.box.x1, face.box.y1, face.box.x2, face.box.y2), face.gender.value, face.age_group.label
            )
            for face in photo.faces
        )
        for photo in results
    )
    return Pass(faces, seconds, stages, peak_bytes())
