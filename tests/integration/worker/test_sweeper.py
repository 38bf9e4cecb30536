"""The sweeper itself: what it returns, ends and rings, and what it leaves alone."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nightshift.machine.process_id import own_process_id
from nightshift.words.states import JobState, Outcome
from shared.db.engine import Database
from shared.db.tables import Job, Photo
from shared.processes.registry import alive
from shared.queue.control import cancel
from shared.settings import Settings
from tests.support.fakes import FakeDoorbell
from tests.support.processes import wait_for
from tests.support.queue_rows import assert_nothing_lost_nothing_twice, queued_job, save_all, take
from worker.suspension import SuspensionWatch
from worker.sweeper import Sweeper


@pytest.fixture
def doorbell() -> FakeDoorbell:
    return FakeDoorbell()


@pytest.fixture
def sweeper(database: Database, doorbell: FakeDoorbell, tmp_path: Path) -> Sweeper:
    return Sweeper(Settings(home=tmp_path, batch_size=4), database, doorbell)


def _statuses(database: Database, job_id: str) -> list[str]:
    with database.read() as session:
        return [p.status for p in session.query(Photo).filter_by(job_id=job_id).order_by(Photo.ordinal)]


def test_rings_while_work_waits_and_not_beyond(
    database: Database, sweeper: Sweeper, doorbell: FakeDoorbell
) -> None:
    sweeper.sweep()
    assert doorbell.rings == 0
    queued_job(database, 9)
    sweeper.sweep()
    assert doorbell.rings == 3
    sweeper.sweep()
    assert doorbell.rings == 3
    # The broker was emptied.
    doorbell.rings = 0
    sweeper.sweep()
    assert doorbell.rings == 3


def test_a_broker_that_is_away_stops_nothing(
    database: Database, sweeper: Sweeper, doorbell: FakeDoorbell
) -> None:
    job_id = queued_job(database, 1)
    held = take(database)
    assert held is not None
    save_all(database, held)
    queued_job(database, 1)
    doorbell.away = True
    sweeper.sweep()
    with database.read() as session:
        assert session.get_one(Job, job_id).state == JobState.ENDED


def test_ends_jobs_that_nobody_ended(database: Database, sweeper: Sweeper) -> None:
    saved, cancelled = queued_job(database, 1), queued_job(database, 1)
    held = take(database)
    assert held is not None
    assert held.job_id == saved
    save_all(database, held)
    with database.write() as session:
        cancel(session, "local", cancelled)
    sweeper.sweep()
    with database.read() as session:
        assert session.get_one(Job, saved).outcome == Outcome.SUCCEEDED
        assert session.get_one(Job, cancelled).outcome == Outcome.CANCELLED
    assert_nothing_lost_nothing_twice(database)


def test_returns_what_a_killed_process_held_at_once(database: Database, sweeper: Sweeper) -> None:
    job_id = queued_job(database, 2)
    program = (
        "from nightshift.machine.process_id import own_process_id as me; print(me(), flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as victim:
        assert victim.stdout is not None
        take(database, worker=victim.stdout.readline().strip(), batch_size=1, lease_s=3600)
        take(database, worker=own_process_id(), batch_size=1, lease_s=3600)
        sweeper.sweep()
        assert _statuses(database, job_id) == ["running", "running"]
        victim.kill()
        victim.wait()
        sweeper.sweep()
    assert _statuses(database, job_id) == ["queued", "running"]


def test_after_a_suspension_leases_get_another_lease(database: Database, sweeper: Sweeper) -> None:
    wall_s = 1000.0
    sweeper._suspension = SuspensionWatch(1.0, lambda: wall_s)
    time.sleep(1.1)
    job_id = queued_job(database, 1)
    take(database, worker="other-machine", lease_s=0.001)
    wall_s += 7200
    sweeper.sweep()
    assert _statuses(database, job_id) == ["running"]
    time.sleep(1.1)
    sweeper.sweep()
    assert _statuses(database, job_id) == ["queued"]


def test_a_sweeper_that_has_just_started_blames_only_the_dead(database: Database, sweeper: Sweeper) -> None:
    """Nobody knows how long database and heartbeats were apart before it."""
    job_id = queued_job(database, 1)
    take(database, worker="other-machine", lease_s=0.001)
    sweeper.sweep()
    assert _statuses(database, job_id) == ["running"]


def test_a_sweeper_that_waited_for_the_database_blames_nobody(database: Database, sweeper: Sweeper) -> None:
    """Whichever of its transactions it was that waited: heartbeats wait for the same lock."""
    if not database.is_sqlite:
        pytest.skip("optional: PostgreSQL locks rows, and nobody waits for another's lease")
    sweeper._suspension = SuspensionWatch(120, wall_s=lambda: 1000.0)
    sweeper._suspension._trusted_from_s = 0.0
    sweeper._suspension.gap_s = 0.3
    job_id = queued_job(database, 1)
    take(database, lease_s=1.0)
    locked = threading.Event()

    def lock_for_a_while() -> None:
        with database.write() as session:
            session.connection()
            locked.set()
            time.sleep(2.5)

    other = threading.Thread(target=lock_for_a_while)
    other.start()
    assert locked.wait(30)
    # Its last write of a round waits, the first of the next finds a lease that has run out meanwhile.
    sweeper._move_on()
    other.join()
    sweeper.sweep()
    assert _statuses(database, job_id) == ["running"]


def test_a_running_sweeper_is_seen_and_signs_off(database: Database, sweeper: Sweeper) -> None:
    def sweepers() -> int:
        with database.read() as session:
            return [row.kind for row in alive(session)].count("sweeper")

    stop = threading.Event()
    thread = threading.Thread(target=sweeper.run, args=(stop,))
    thread.start()
    try:
        wait_for(lambda: sweepers() == 1, "the sweeper to be seen", timeout_s=30)
    finally:
        stop.set()
        thread.join()
    assert sweepers() == 0
