"""What Nightshift takes of a machine: an installation, a start, a worker's memory, a photo in jobs by size.

    python -m bench.footprint PART PHOTOS

A part is `install`, `start`, `memory`, or a number of photos: a job of so many. Each is written into
bench/results/footprint.json beside the others.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

from bench.cpu import cpu_name
from bench.footprint_results import (
    FOOTPRINT,
    Footprint,
    Install,
    JobCost,
    Start,
    read_footprint,
    write_footprint,
)
from bench.memory import workers_memory
from bench.photo_folder import photos_in, sampled
from bench.protocol import Pass
from bench.queue_flow import (
    client_of,
    passed,
    run_job,
    service,
    wait_for_workers,
    warm_up_workers,
)
from bench.varied_photos import write_varied
from nightshift.machine.allowance import allowance
from nightshift.words.errors import NightshiftError
from shared.settings import REPOSITORY, Settings, load_settings
from shared.urls import path_of_sqlite_url

MEMORY_PHOTOS, START_PHOTOS, START_RUNS = 1_000, 8, 5
_LOOK_S = 0.02


def measure_install(folder: Path, requirement: str = ".[cpu]") -> Install:
    """Make the environment of `make run` anew.

    Args:
        folder: made here, and left.
        requirement: for pip.
    """
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)  # noqa: S603 - no shell
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    asked = ["install", "--quiet", "--constraint", "constraints.txt", "--editable", requirement]
    subprocess.run([*pip, *asked], cwd=REPOSITORY, check=True)  # noqa: S603
    seconds = time.perf_counter() - started
    listed = subprocess.run([*pip, "list", "--format=freeze"], capture_output=True, text=True, check=True)  # noqa: S603
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return Install(
        day=_today(),
        seconds=round(seconds, 1),
        size_bytes=sum(path.stat().st_size for path in files),
        packages=len(listed.stdout.splitlines()),
    )


def measure_start(photos: Sequence[Path], runs: int, workspace: Path) -> Start:
    """Run the command again and again, each time with a home of its own."""
    folder = workspace / "photos"
    folder.mkdir()
    for number, path in enumerate(photos):
        shutil.copyfile(path, folder / f"{number:04}{path.suffix}")
    first, total = [], []
    for number in range(runs):
        home = workspace / f"home-{number}"
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("NIGHTSHIFT_")
        }
        command = [str(Path(sys.executable).with_name("nightshift")), "run", str(folder)]
        started = time.perf_counter()
        with subprocess.Popen(  # noqa: S603 - our own command line, no shell
            [*command, "--out", str(workspace / f"out-{number}"), "--no-report"],
            cwd=REPOSITORY,
            env={**environment, "NIGHTSHIFT_HOME": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            database = path_of_sqlite_url(Settings(home=home).database_url)
            while process.poll() is None and not _a_photo_is_done(database):
                time.sleep(_LOOK_S)
            first.append(round(time.perf_counter() - started, 2))
            code = process.wait()
        if code:
            raise subprocess.CalledProcessError(code, command)
        total.append(round(time.perf_counter() - started, 2))
    return Start(day=_today(), photos=len(photos), first_s=first, total_s=total)


def measure_job(photos: Sequence[Path], workers: int, bundle: str, workspace: Path) -> JobCost:
    """One job in a service of its own, and what its workers hold when it has ended."""
    settings = load_settings(
        home=workspace / "home",
        bundle=bundle,
        workers=workers,
        in_place_roots="/",
        api_key=secrets.token_urlsafe(32),
    )
    with service(settings) as (url, supervisor), client_of(url, settings) as client:
        wait_for_workers(settings, supervisor)
        warm_up_workers(client, supervisor, settings, photos[:3])
        job = run_job(client, supervisor, ((f"{index:08}", path) for index, path in enumerate(photos)))
        held = workers_memory()
        done = passed(job, list(client.results(job.id)), len(photos))
    return _cost(done, workers, held_bytes=[(each.resident, each.own, each.peak) for each in held])


def _cost(done: Pass, workers: int, held_bytes: Sequence[tuple[int, int, int]]) -> JobCost:
    resident, own, peak = (max(values) for values in zip(*held_bytes, strict=True))
    return JobCost(
        day=_today(),
        photos=len(done.photos),
        workers=workers,
        seconds=round(done.seconds, 3),
        stages={name: round(seconds, 3) for name, seconds in done.stages.items()},
        faces=sum(len(faces) for faces in done.photos),
        worker_bytes=resident,
        worker_own_bytes=own,
        worker_peak_bytes=peak,
    )


def measured(part: str, photos: Sequence[Path], known: Footprint, workspace: Path) -> Footprint:
    """What is known, with one part measured anew.

    Args:
        part: `install`, `start`, `memory`, or a number of photos.
        photos: a few real ones.
        known: other parts.
        workspace: an empty folder.
    """
    settings = Settings()
    machine = {"cpu": cpu_name(), "cores": allowance().cores, "bundle": settings.bundle}
    found: dict[str, object]
    if part == "install":
        found = {"install": measure_install(workspace / "environment")}
    elif part == "start":
        found = {"start": measure_start(sampled(photos, START_PHOTOS), START_RUNS, workspace)}
    else:
        count = MEMORY_PHOTOS if part == "memory" else int(part)
        many = write_varied(photos, workspace / "photos", count)
        workers = 1 if part == "memory" else settings.worker_count
        cost = measure_job(many, workers, settings.bundle, workspace)
        found = {"memory": cost} if part == "memory" else {"jobs": {**known.jobs, count: cost}}
    return known.model_copy(update={**machine, **found})


def _a_photo_is_done(database: Path | None) -> bool:
    if database is None or not database.exists():
        return False
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=0.1)) as connection:
            asked = "SELECT EXISTS (SELECT 1 FROM photos WHERE status IN ('succeeded', 'failed'))"
            return bool(connection.execute(asked).fetchone()[0])
    except sqlite3.OperationalError:
        return False  # its tables are being made


def _today() -> date:
    return datetime.now(UTC).date()


def main(argv: Sequence[str] | None = None) -> int:
    """0 when it has measured; 2 when it could not, with the reason."""
    parser = argparse.ArgumentParser(prog="python -m bench.footprint", description=__doc__.splitlines()[0])
    parser.add_argument("part", help="install, start, memory, or a number of photos")
    parser.add_argument("photos", type=Path, help="folder of real photos")
    parser.add_argument("--out", type=Path, default=FOOTPRINT, help="file of results")
    given = parser.parse_args(argv)
    if given.part not in ("install", "start", "memory") and not given.part.isdigit():
        parser.error(f"{given.part} is no part")
    try:
        with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as folder:
            found = measured(given.part, photos_in(given.photos), read_footprint(given.out), Path(folder))
        write_footprint(found, given.out)
    except NightshiftError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
