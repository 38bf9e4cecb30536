"""A deadline: what is not done by then is cancelled, by the database's clock, and what is done is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nightshift.words.errors import InvalidInput
from nightshift.words.ids import new_id
from nightshift.words.new_job import LONGEST_DEADLINE, NewJob
from nightshift.words.states import JobState
from shared.db.engine import Database
from shared.db.tables import Job
from shared.queue.control import pause, retry
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from shared.queue.sweep import return_lapsed
from shared.reads.jobs import JobReads
from shared.reads.photos import photo_page
from shared.reads.sought import Sought
from shared.settings import Settings
from tests.support.fakes import FakeDoorbell
from tests.support.queue_rows import manifest, rules, save_all, take, taken
from worker.sweeper import Sweeper

HOUR = timedelta(hours=1)


@pytest.fixture
def sweeper(database: Database, tmp_path: Path) -> Sweeper:
    return Sweeper(Settings(home=tmp_path), database, FakeDoorbell())


def job_with_deadline(database: Database, photos: int, deadline: object, *, submitted: bool = True) -> str:
    with database.write() as session:
        job_id = open_job(session, "local", NewJob.of(deadline=deadline), manifest()).id
        rows = [NewPhoto(f"{n}.jpg", new_id("pho"), f"/{n}.jpg") for n in range(photos)]
        add_photos(session, "local", job_id, rows)
        if submitted:
            submit(session, "local", job_id)
    return job_id


def let_pass(database: Database, job_id: str) -> None:
    with database.write() as session:
        job = session.get_one(Job, job_id)
        assert job.deadline is not None
        job.deadline -= 2 * HOUR


def shown(database: Database, job_id: str) -> Any:
    return JobReads(database).one("local", job_id)


def test_what_is_not_done_is_cancelled_and_what_is_done_is_kept(database: Database, sweeper: Sweeper) -> None:
    job_id = job_with_deadline(database, 6, HOUR)
    save_all(database, taken(database, batch_size=2))
    held = taken(database, batch_size=2)
    sweeper.sweep()
    assert shown(database, job_id).state == JobState.RUNNING
    let_pass(database, job_id)
    sweeper.sweep()
    assert shown(database, job_id).state == JobState.CANCELLING
    save_all(database, held)
    sweeper.sweep()
    job = shown(database, job_id)
    assert (job.state, job.outcome, job.error.code) == ("ended", "cancelled", "deadline_passed")
    assert (job.counts.succeeded, job.counts.cancelled) == (4, 2)
    with database.read() as session:
        late = photo_page(session, "local", job_id, Sought(code="deadline_passed"), limit=10).photos
    assert [(photo.custom_id, photo.status) for photo in late] == [
        ("4.jpg", "cancelled"),
        ("5.jpg", "cancelled"),
    ]
    assert late[0].error is not None and late[0].error.retryable


def test_a_photo_that_comes_back_to_the_queue_says_so_too(database: Database, sweeper: Sweeper) -> None:
    job_id = job_with_deadline(database, 1, HOUR)
    assert take(database, worker="dead")
    let_pass(database, job_id)
    sweeper.sweep()
    assert shown(database, job_id).state == JobState.CANCELLING
    with database.write() as session:
        assert return_lapsed(session, rules(), lambda worker: worker == "dead")
    sweeper.sweep()
    [photo] = photos(database, job_id)
    assert (photo.status, photo.error.code) == ("cancelled", "deadline_passed")
    assert shown(database, job_id).outcome == "cancelled"


def photos(database: Database, job_id: str) -> list[Any]:
    with database.read() as session:
        return photo_page(session, "local", job_id, Sought(), limit=100).photos


@pytest.mark.parametrize("state", ["open", "paused"])
def test_no_state_outlives_it(database: Database, sweeper: Sweeper, state: str) -> None:
    job_id = job_with_deadline(database, 2, HOUR, submitted=state != "open")
    if state == "paused":
        with database.write() as session:
            pause(session, "local", job_id)
    let_pass(database, job_id)
    sweeper.sweep()
    job = shown(database, job_id)
    assert (job.state, job.outcome, job.counts.cancelled) == ("ended", "cancelled", 2)


def test_a_job_that_is_done_in_time_is_left_alone(database: Database, sweeper: Sweeper) -> None:
    job_id = job_with_deadline(database, 1, HOUR)
    save_all(database, taken(database))
    sweeper.sweep()
    let_pass(database, job_id)
    sweeper.sweep()
    assert shown(database, job_id).outcome == "succeeded"


def test_a_retry_has_none(database: Database, sweeper: Sweeper) -> None:
    job_id = job_with_deadline(database, 2, HOUR)
    let_pass(database, job_id)
    sweeper.sweep()
    with database.write() as session:
        assert retry(session, "local", job_id, ["deadline_passed"]) == 2
    sweeper.sweep()
    job = shown(database, job_id)
    assert (job.state, job.deadline, job.error) == (JobState.QUEUED, None, None)
    assert [photo.error for photo in photos(database, job_id)] == [None, None]


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("8h", timedelta(hours=8)),
        ("1d12h", timedelta(days=1, hours=12)),
        ("90m", timedelta(minutes=90)),
        ("30s", timedelta(seconds=30)),
        ("PT8H", timedelta(hours=8)),
        ("P1DT30M", timedelta(days=1, minutes=30)),
        ("2226-12-24T06:00:00Z", datetime(2226, 12, 24, 6, tzinfo=UTC)),
        ("2226-12-24T08:00:00+02:00", datetime(2226, 12, 24, 6, tzinfo=UTC)),
        (timedelta(hours=8), timedelta(hours=8)),
    ],
)
def test_it_is_a_time_or_a_duration(told: object, meant: object) -> None:
    wish = NewJob.of(deadline=told)
    assert wish.deadline == meant
    assert NewJob.of(**wish.as_json()) == wish


@pytest.mark.parametrize(
    "told",
    [
        *(
            "",
            "0h",
            "-8h",
            "8",
            "8x",
            "h",
            "PT0S",
            "-PT8H",
            "P",
            "1700000000",
            "2226-12-24",
            "2226-12-24T06:00:00",
        ),
        *("9999-12-31T00:00:00Z", "9" * 300 + "d", f"{LONGEST_DEADLINE.days + 1}d", True, 8),
        datetime(2226, 1, 1),  # noqa: DTZ001
    ],
)
def test_nothing_else_is_one(told: object) -> None:
    with pytest.raises(InvalidInput, match="deadline"):
        NewJob.of(deadline=told)


def test_one_that_has_passed_is_refused_by_the_databases_clock(database: Database) -> None:
    with pytest.raises(InvalidInput, match="has passed already") as refused, database.write() as session:
        open_job(session, "local", NewJob.of(deadline="2001-01-01T00:00:00Z"), manifest())
    assert refused.value.code == "invalid_fields"
