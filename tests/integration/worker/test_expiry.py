"""One wrong clock must not erase everything: what expires, by which clock, and what a jump costs."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import libfaketime
import pytest
from typer.testing import CliRunner, Result

from nightshift.cli import app
from nightshift.embedded.clock_warning import clock_warning
from nightshift.words.clock import utc_now
from nightshift.words.states import JobState
from shared.db.engine import Database, Transaction
from shared.db.tables import ClockRow, Erasure, Job, Upload, WorkerRow
from shared.operations import erasure
from shared.processes.command_lines import sweeper_command
from shared.queue import expiry, uploads
from shared.settings import Settings
from tests.support.fakes import FakeDoorbell
from tests.support.processes import wait_for
from tests.support.queue_rows import at, queue_of, queued_job, rules, save_all, take
from worker.sweeper import Sweeper

DAY = timedelta(days=1)


class Clock:
    """The database's, to be set."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self, _session: object = None) -> datetime:
        return utc_now() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(Transaction, "now", property(clock.now))
    return clock


@pytest.fixture
def sweeper(database: Database, tmp_path: Path) -> Iterator[Sweeper]:
    yield Sweeper(Settings(home=tmp_path, batch_size=4), database, FakeDoorbell())


def ended_job(database: Database, days: int = 30) -> str:
    job_id = queued_job(database, 1)
    while held := take(database):
        save_all(database, held)
    with at(utc_now()):
        assert queue_of(database, results_ttl_days=days).finish(job_id)
    return job_id


@pytest.fixture
def doubted(database: Database, sweeper: Sweeper, clock: Clock) -> Clock:
    """A clock that is 40 days ahead of the sweep before the last, and by which a job has expired."""
    ended_job(database)
    sweeper.sweep()
    clock.ahead = 40 * DAY
    sweeper.sweep()
    return clock


def there(database: Database) -> set[str]:
    with database.read() as session:
        return {job.id for job in session.query(Job)}


def test_a_clock_far_ahead_erases_nothing_and_is_said_once(
    database: Database, sweeper: Sweeper, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    ended, opened = ended_job(database), queued_job(database, 1, submitted=False)
    with database.write() as session:
        session.get_one(Job, opened).open_until = utc_now() + 7 * DAY
        kept = uploads.begin(session, rules(), "local", "k")
        assert isinstance(kept, uploads.Receiving)
    sweeper.sweep()

    clock.ahead = 400 * DAY
    caplog.set_level(logging.INFO)
    for _ in range(5):
        sweeper.sweep()

    assert there(database) == {ended, opened}
    with database.read() as session:
        assert session.get_one(Job, opened).state == JobState.OPEN
        assert session.query(Upload).count() == 1
    said = [record for record in caplog.records if "clock" in record.message and record.levelname == "ERROR"]
    assert len(said) == 1

    clock.ahead = timedelta()
    sweeper.sweep()
    assert caplog.records[-1].message == "the clock is believed again"
    assert there(database) == {ended, opened}


def test_a_clock_that_goes_on_evenly_is_believed_after_days(
    database: Database, sweeper: Sweeper, doubted: Clock
) -> None:
    doubted.ahead += expiry.DOUBTED_FOR - timedelta(hours=1)
    sweeper.sweep()
    assert there(database)
    doubted.ahead += timedelta(hours=2)
    sweeper.sweep()
    assert not there(database)


def test_a_clock_that_jumps_again_is_waited_for_anew(
    database: Database, sweeper: Sweeper, doubted: Clock
) -> None:
    for ahead in (400, 4000):
        doubted.ahead = ahead * DAY
        sweeper.sweep()
    assert there(database)


def test_two_sweepers_of_which_one_is_wrong_never_agree(
    database: Database, sweeper: Sweeper, clock: Clock
) -> None:
    ended_job(database)
    for hours in range(0, 24 * 10, 12):
        for wrong in (timedelta(), 400 * DAY):
            clock.ahead = timedelta(hours=hours) + wrong
            sweeper.sweep()
    assert there(database)


def test_what_was_about_to_expire_is_not_kept_by_a_day_off(
    database: Database, sweeper: Sweeper, clock: Clock
) -> None:
    """A machine that was off over night is no clock that jumped."""
    ended_job(database, days=1)
    clock.ahead = timedelta(hours=12)
    sweeper.sweep()
    assert there(database)
    clock.ahead = timedelta(hours=30)
    sweeper.sweep()
    assert not there(database)


@pytest.mark.usefixtures("doubted")
def test_an_operator_may_say_that_the_clock_is_right(database: Database, sweeper: Sweeper) -> None:
    with database.write() as session:
        assert expiry.standing(session).in_doubt
        assert not expiry.trust(session).in_doubt
    sweeper.sweep()
    assert not there(database)


def test_a_run_says_what_is_kept_because_the_clock_is_doubted(
    database: Database, sweeper: Sweeper, clock: Clock
) -> None:
    def said() -> str | None:
        with database.read() as session:
            return clock_warning(session)

    ended_job(database)
    assert said() is None
    sweeper.sweep()
    clock.ahead = 3 * DAY
    assert said() is None, "nobody ran it over a weekend, and nothing has expired"
    clock.ahead = 40 * DAY
    assert "expired results of 1 earlier run are kept" in (said() or "")
    with database.write() as session:
        expiry.trust(session)
    assert said() is None


def test_the_command_shows_and_confirms_the_clock(
    database: Database, database_url: str, sweeper: Sweeper, clock: Clock, tmp_path: Path
) -> None:
    ended_job(database)
    sweeper.sweep()

    def admin(*arguments: str) -> Result:
        environment = {
            "NIGHTSHIFT_HOME": str(tmp_path),
            "NIGHTSHIFT_DATABASE_URL": database_url,
            "NIGHTSHIFT_STORE_URL": f"file://{tmp_path}/store",
        }
        return CliRunner().invoke(app, ["admin", *arguments], env=environment)

    assert admin("clock").exit_code == 0
    clock.ahead = 40 * DAY
    doubted = admin("clock")
    assert (doubted.exit_code, "by it 1 job has expired" in doubted.stdout) == (3, True)
    assert "nothing expires before" in doubted.stderr
    assert "warning  expiry" in admin("doctor").stdout
    assert there(database)
    trusted = json.loads(admin("clock", "--trust", "--json").stdout)
    assert (trusted["in_doubt"], trusted["due"]) == (False, 1)
    assert admin("clock").exit_code == 0
    sweeper.sweep()
    assert not there(database)


def test_a_clock_that_was_set_back_is_watched_from_there(
    database: Database, sweeper: Sweeper, clock: Clock
) -> None:
    clock.ahead = -1000 * DAY
    sweeper.sweep()
    job_id = ended_job(database)
    clock.ahead = timedelta()
    sweeper.sweep()
    assert there(database) == {job_id}
    clock.ahead = 40 * DAY
    sweeper.sweep()
    assert there(database) == {job_id}


def test_a_database_without_a_past_looks_at_its_jobs(
    database: Database, sweeper: Sweeper, clock: Clock
) -> None:
    job_id = ended_job(database)
    with database.write() as session:
        session.query(ClockRow).delete()
    clock.ahead = 400 * DAY
    sweeper.sweep()
    assert there(database) == {job_id}


def test_a_round_erases_so_many_and_says_what_is_left(
    database: Database, sweeper: Sweeper, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "AT_ONCE", 3)
    jobs = [ended_job(database) for _ in range(5)]
    with database.write() as session:
        session.query(Job).update({"results_expire_at": utc_now() - timedelta(seconds=1)})
    caplog.set_level(logging.INFO)
    sweeper.sweep()
    assert len(there(database)) == len(jobs) - 3
    [said] = [record for record in caplog.records if record.message.startswith("erased as many")]
    assert said.left == 2  # type: ignore[attr-defined]
    sweeper.sweep()
    assert not there(database)


def test_a_job_that_is_retried_meanwhile_is_left(
    database: Database, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = ended_job(database)
    monkeypatch.setattr(erasure, "expired_jobs", lambda *_: [("local", job_id)])
    sweeper.sweep()
    assert there(database) == {job_id}


def test_a_sweeper_set_400_days_ahead(database: Database, database_url: str, tmp_path: Path) -> None:
    """The process itself, on a database that no other sweeper has looked at."""
    jobs = {ended_job(database) for _ in range(3)}
    (library,) = Path(libfaketime.__file__).parent.rglob("libfaketime.so.1")
    log = tmp_path / "log"

    def seen() -> bool:
        with database.read() as session:
            row = session.get_one(ClockRow, "expiry")
            has_looked = row.seen_at > row.believed_at + 399 * DAY or not database.is_sqlite
            return has_looked and session.query(WorkerRow).count() == 1

    with log.open("wb") as file:
        process = subprocess.Popen(
            sweeper_command(),
            stdout=file,
            stderr=file,
            env={
                **os.environ,
                "LD_PRELOAD": str(library),
                "FAKETIME": "+400d",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "NIGHTSHIFT_HOME": str(tmp_path / "home"),
                "NIGHTSHIFT_DATABASE_URL": database_url,
                "NIGHTSHIFT_STORE_URL": f"file://{tmp_path / 'store'}",
                "NIGHTSHIFT_BROKER_URL": "redis://127.0.0.1:1/0",
                "NIGHTSHIFT_SWEEP_INTERVAL_S": "0.1",
            },
        )
        try:
            wait_for(seen, "the sweeper to look at the clock")
            # Some rounds more.
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(3)
        finally:
            process.kill()
            process.wait()
    said = log.read_text(encoding="utf-8")
    assert there(database) == jobs, said
    with database.read() as session:
        assert session.query(Erasure).count() == 0
    # With PostgreSQL its own clock is not asked.
    assert said.count("far ahead of the last sweep") == (1 if database.is_sqlite else 0), said
