"""Retry, expiry, failure thresholds, windows, turns and the history of attempts, on real databases."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from nightshift.words.analysis import PhotoError
from nightshift.words.clock import utc_now
from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict, NotFound
from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from nightshift.words.options import JobOptions
from nightshift.words.states import JobState, Outcome
from shared.db.engine import Database
from shared.db.tables import Job, Photo
from shared.queue.claim import Claim
from shared.queue.control import cancel, pause, resume_due, retry
from shared.queue.finish import expire_open
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from shared.queue.leases import shorten
from shared.queue.save import Failed, NotRead, Result
from tests.support.queue_rows import (
    ahead,
    assert_nothing_lost_nothing_twice,
    at,
    job_of,
    manifest,
    pauses_are_over,
    photos_of,
    queue_of,
    queued_job,
    rules,
    save_all,
    take,
    taken,
)


def store(database: Database, held: Claim, results: list[Result]) -> None:
    queue_of(database).save(held, results, bundle=manifest())


def fail(database: Database, held: Claim, *codes: str) -> None:
    """Fail the claim's photos with these codes, in order."""
    pairs = zip(held.photos, codes, strict=True)
    store(
        database,
        held,
        [Failed(photo.id, PhotoError(code, "decode", "x"), photo.sha256, 1) for photo, code in pairs],
    )


def set_columns(database: Database, job_id: str, **values: object) -> None:
    with database.write() as session:
        session.execute(update(Job).where(Job.id == job_id).values(**values))


def ended_job(database: Database, *codes: str, **job: object) -> str:
    """A job of as many failed photos, and one that succeeded."""
    job_id = queued_job(database, len(codes) + 1, **job)  # type: ignore[arg-type]
    save_all(database, taken(database, 1))
    fail(database, taken(database, max(1, len(codes))), *codes)
    assert queue_of(database).finish(job_id)
    return job_id


def test_a_retry_queues_what_did_not_succeed_and_counts_on(database: Database) -> None:
    job_id = ended_job(database, "timeout", "corrupt_image")
    with database.write() as session:
        assert retry(session, "local", job_id) == 2
    job = job_of(database, job_id)
    assert (job.state, job.outcome, job.ended_at, job.final_counts) == (JobState.QUEUED, None, None, None)
    assert job.results_expire_at is None
    save_all(database, taken(database))
    assert queue_of(database).finish(job_id)
    assert job_of(database, job_id).outcome == Outcome.SUCCEEDED
    first, *tried_again = photos_of(database, job_id)
    assert (first.attempts, [photo.attempts for photo in tried_again]) == (1, [2, 2])
    assert all(photo.error is None for photo in tried_again)
    assert_nothing_lost_nothing_twice(database)


def test_a_retry_by_code_leaves_the_others(database: Database) -> None:
    job_id = ended_job(database, "timeout", "corrupt_image")
    with database.write() as session:
        assert retry(session, "local", job_id, ["timeout", "worker_lost"]) == 1
    assert [photo.status for photo in photos_of(database, job_id)] == ["succeeded", "queued", "failed"]


@pytest.mark.parametrize(
    ("code", "queued", "outcome"),
    [("cancelled", 2, Outcome.PARTIAL), ("timeout", 1, Outcome.CANCELLED)],
)
def test_cancelled_photos_are_tried_again_by_their_own_code(
    database: Database, code: str, queued: int, outcome: Outcome
) -> None:
    """Those that stay cancelled leave their job cancelled."""
    job_id = queued_job(database, 3)
    fail(database, taken(database, 1), "timeout")
    with database.write() as session:
        cancel(session, "local", job_id)
    assert queue_of(database).finish(job_id)
    with database.write() as session:
        assert retry(session, "local", job_id, [code]) == queued
    save_all(database, taken(database))
    assert queue_of(database).finish(job_id)
    assert job_of(database, job_id).outcome == outcome


def test_where_nothing_failed_a_retry_says_so(database: Database) -> None:
    job_id = queued_job(database, 2)
    save_all(database, taken(database))
    assert queue_of(database).finish(job_id)
    with (
        pytest.raises(Conflict, match=f"^nothing failed in job {job_id}: ") as nothing,
        database.write() as session,
    ):
        retry(session, "local", job_id)
    assert nothing.value.code == "nothing_to_retry"


def test_a_retry_that_finds_nothing_changes_nothing(database: Database) -> None:
    job_id = ended_job(database, "timeout")
    with pytest.raises(Conflict) as nothing, database.write() as session:
        retry(session, "local", job_id, ["internal"])
    assert nothing.value.code == "nothing_to_retry"
    assert job_of(database, job_id).outcome == Outcome.PARTIAL
    with pytest.raises(NotFound), database.write() as session:
        retry(session, "somebody", job_id)
    with database.write() as session:
        retry(session, "local", job_id)
    with pytest.raises(Conflict) as illegal, database.write() as session:
        retry(session, "local", job_id)
    assert (illegal.value.code, illegal.value.details) == ("illegal_move", {"state": "queued"})


def test_deleted_originals_are_not_tried_again(database: Database) -> None:
    job_id = ended_job(database, "timeout", options=JobOptions(delete_originals=True))
    with pytest.raises(Conflict) as gone, database.write() as session:
        retry(session, "local", job_id)
    assert gone.value.code == "originals_deleted"


def test_what_failed_on_its_way_in_is_not_tried_again(database: Database) -> None:
    with database.write() as session:
        job = open_job(session, "local", NewJob(), manifest())
        error = PhotoError(Code.FILE_TOO_LARGE, "read", "too large")
        rows = [NewPhoto("big.jpg", new_id("pho"), error=error), NewPhoto("a.jpg", new_id("pho"), "/a.jpg")]
        add_photos(session, "local", job.id, rows)
        submit(session, "local", job.id)
    fail(database, taken(database), "file_unavailable")
    assert queue_of(database).finish(job.id)
    with database.write() as session:
        assert retry(session, "local", job.id) == 1
    assert [photo.status for photo in photos_of(database, job.id)] == ["failed", "queued"]


def test_an_open_job_expires_with_its_photos_and_can_be_tried_again(database: Database) -> None:
    job_id, fresh = queued_job(database, 2, submitted=False), queued_job(database, 1, submitted=False)
    set_columns(database, job_id, open_until=utc_now() - timedelta(seconds=1))
    set_columns(database, fresh, open_until=utc_now() + timedelta(days=1))
    with database.write() as session:
        assert expire_open(session, rules(), utc_now()) == [job_id]
        assert expire_open(session, rules(), utc_now()) == []
    job = job_of(database, job_id)
    assert (job.state, job.outcome) == (JobState.ENDED, Outcome.EXPIRED)
    assert job.error is not None
    assert job.error["code"] == "expired"
    assert [photo.error["code"] for photo in photos_of(database, job_id) if photo.error] == ["expired"] * 2
    assert job_of(database, fresh).state == JobState.OPEN
    assert_nothing_lost_nothing_twice(database)
    with database.write() as session:
        assert retry(session, "local", job_id, ["expired"]) == 2
    save_all(database, taken(database))
    assert queue_of(database).finish(job_id)
    assert job_of(database, job_id).outcome == Outcome.SUCCEEDED


def test_adding_photos_keeps_a_job_open(database: Database) -> None:
    job_id = queued_job(database, 1, submitted=False)
    until = utc_now() + timedelta(days=7)
    with database.write() as session:
        add_photos(session, "local", job_id, [NewPhoto("x.jpg", new_id("pho"), "/x.jpg")], until)
    assert job_of(database, job_id).open_until == until


@pytest.mark.parametrize(("rate", "bad", "stops"), [(0.25, 1, False), (0.25, 2, True), (0.0, 1, True)])
def test_a_job_stops_when_too_many_fail(database: Database, rate: float, bad: int, stops: bool) -> None:
    job_id = queued_job(database, 4)
    set_columns(database, job_id, max_failure_rate=rate)
    held = taken(database, bad)
    fail(database, held, *["corrupt_image"] * bad)
    assert queue_of(database).finish(job_id) is stops
    job = job_of(database, job_id)
    if not stops:
        assert job.state == JobState.RUNNING
        return
    assert (job.outcome, job.error) == (
        Outcome.FAILED,
        {"code": "too_many_failures", "message": f"{bad} of 4 photos failed; {rate:.2%} were allowed"},
    )
    statuses = Counter(photo.status for photo in photos_of(database, job_id))
    assert statuses == {"failed": bad, "cancelled": 4 - bad}
    assert_nothing_lost_nothing_twice(database)
    with database.write() as session:
        assert retry(session, "local", job_id, ["cancelled"]) == 4 - bad
    job = job_of(database, job_id)
    assert (job.error, job.max_failure_rate) == (None, None)
    # What failed before does not stop it again.
    while claim := take(database, batch_size=1):
        save_all(database, claim)
        queue_of(database).finish(job_id)
    assert Counter(photo.status for photo in photos_of(database, job_id)) == {
        "failed": bad,
        "succeeded": 4 - bad,
    }


def test_a_photo_that_killed_workers_is_taken_alone_after_a_retry_too(database: Database) -> None:
    job_id = queued_job(database, 3)
    with database.write() as session:
        session.execute(
            update(Photo)
            .where(Photo.custom_id == "0.jpg")
            .values(status="failed", crashes=5, error={"code": "worker_lost"}, sha256="0" * 64)
        )
    save_all(database, taken(database))
    assert queue_of(database).finish(job_id)
    with database.write() as session:
        retry(session, "local", job_id)
        session.execute(update(Photo).where(Photo.custom_id != "0.jpg").values(status="queued"))
    assert [photo.custom_id for photo in taken(database).photos] == ["1.jpg", "2.jpg"]
    assert [photo.custom_id for photo in taken(database).photos] == ["0.jpg"]


def test_a_batch_under_way_is_kept_when_its_job_stops(database: Database) -> None:
    job_id = queued_job(database, 4)
    set_columns(database, job_id, max_failure_rate=0.2)
    under_way, held = taken(database, 2), taken(database, 1)
    fail(database, held, "corrupt_image")
    assert not queue_of(database).finish(job_id)
    assert job_of(database, job_id).state == JobState.CANCELLING
    assert save_all(database, under_way).written == 2
    assert queue_of(database).finish(job_id)
    assert job_of(database, job_id).outcome == Outcome.FAILED
    assert Counter(p.status for p in photos_of(database, job_id)) == {
        "succeeded": 2,
        "failed": 1,
        "cancelled": 1,
    }


def half_past(hour: int) -> datetime:
    return datetime(2026, 7, 1, hour, 30, tzinfo=UTC)


def test_a_job_is_claimed_in_its_window_only(database: Database) -> None:
    job_id = queued_job(database, 2)
    set_columns(database, job_id, processing_window="22:00-06:00 Europe/Berlin")
    for hour, is_open in ((12, False), (19, False), (20, True), (3, True), (4, False)):
        with at(half_past(hour)):
            assert queue_of(database).claimable(10) == (2 if is_open else 0), hour
    with at(half_past(12)):
        assert take(database) is None
    with at(half_past(21)):
        assert take(database) is not None


def test_a_closed_window_holds_nobody_else_up(database: Database) -> None:
    waiting = [queued_job(database, 1, priority=5) for _ in range(12)]
    for job_id in waiting:
        set_columns(database, job_id, processing_window="22:00-06:00 UTC")
    open_one = queued_job(database, 1)
    with at(half_past(12)):
        held = take(database)
    assert held is not None
    assert held.job_id == open_one


def test_one_worker_serves_two_archives_in_turn(database: Database) -> None:
    archives = [queued_job(database, 40), queued_job(database, 40)]
    claimed: Counter[str] = Counter()
    for _ in range(10):
        held = taken(database, 4)
        claimed[held.job_id] += len(held.photos)
        save_all(database, held)
    assert claimed == dict.fromkeys(archives, 20)


def test_a_new_job_is_next_behind_an_archive(database: Database) -> None:
    archive = queued_job(database, 40)
    for _ in range(3):
        save_all(database, taken(database))
    small = queued_job(database, 2)
    assert taken(database).job_id == small
    assert taken(database).job_id == archive


def test_four_workers_share_one_job(database: Database) -> None:
    queued_job(database, 16)
    held = [take(database, worker=f"w{n}") for n in range(4)]
    assert all(one is not None and len(one.photos) == 4 for one in held)
    assert len({photo.id for one in held if one for photo in one.photos}) == 16


def test_a_pause_with_an_end_ends(database: Database) -> None:
    job_id, other = queued_job(database, 1), queued_job(database, 1)
    with database.write() as session:
        pause(session, "local", job_id, utc_now() + timedelta(hours=1))
        pause(session, "local", other)
        assert resume_due(session) == []
    with ahead(timedelta(hours=2)), database.write() as session:
        assert resume_due(session) == [job_id]
    assert job_of(database, job_id).state == JobState.QUEUED
    assert job_of(database, job_id).paused_until is None
    assert job_of(database, other).state == JobState.PAUSED


def endings(photo: Photo) -> list[tuple[int, str]]:
    return [(entry["attempt"], entry["ending"]) for entry in photo.history or []]


def test_the_history_says_how_each_attempt_ended(database: Database) -> None:
    job_id = queued_job(database, 1)
    queue = queue_of(database)
    queue.give_back(taken(database))
    taken(database)
    queue.return_lapsed(lambda _: True)
    held = taken(database)
    store(database, held, [NotRead(held.photos[0].id, "no route to host")])
    pauses_are_over(database)
    fail(database, taken(database), "internal")
    assert queue_of(database).finish(job_id)
    with database.write() as session:
        retry(session, "local", job_id)
    save_all(database, taken(database))
    (photo,) = photos_of(database, job_id)
    assert endings(photo) == [
        (1, "returned"),
        (1, "crashed"),
        (2, "not_read"),
        (3, "failed"),
        (4, "succeeded"),
    ]
    last = (photo.history or [])[-1]
    assert last["worker"] == "w"
    assert datetime.fromisoformat(last["started_at"]) <= datetime.fromisoformat(last["ended_at"])


def test_history_does_not_grow_for_ever(database: Database) -> None:
    job_id = queued_job(database, 1)
    for _ in range(30):
        queue_of(database).give_back(taken(database))
    (photo,) = photos_of(database, job_id)
    assert len(photo.history or []) == 20
    assert photo.attempts == 0


def test_leases_from_before_the_clock_was_set_back_end(database: Database) -> None:
    job_id = queued_job(database, 1)
    with ahead(timedelta(hours=1)):
        take(database)
    with database.write() as session:
        shorten(session, rules())
    (photo,) = photos_of(database, job_id)
    assert photo.lease_expires_at is not None
    assert photo.lease_expires_at <= utc_now() + timedelta(seconds=61)
