"""The queue's one rule, on real databases: who holds the lease decides, and nobody else."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest

from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict
from nightshift.words.options import JobOptions
from nightshift.words.states import JobState, Outcome
from shared.db.engine import Database
from shared.db.tables import FaceRow
from shared.queue.control import cancel, pause, resume
from shared.queue.counts import count_photos
from shared.queue.reuse import find_earlier
from shared.queue.save import Failed, NotRead
from tests.support.queue_rows import (
    ahead,
    analysis,
    assert_nothing_lost_nothing_twice,
    face,
    job_of,
    manifest,
    pauses_are_over,
    photos_of,
    queue_of,
    queued_job,
    save_all,
    take,
)


def _lapse(database: Database, *, after_s: float = 3600, max_crashes: int = 5) -> list[bool]:
    with ahead(timedelta(seconds=after_s)):
        lapsed = queue_of(database, max_crashes=max_crashes).return_lapsed(lambda _: False)
    return [photo.quarantined for photo in lapsed]


def test_a_job_goes_from_queued_to_ended(database: Database) -> None:
    job_id = queued_job(database, 6)
    first = take(database)
    second = take(database)
    assert first is not None
    assert second is not None
    assert [p.custom_id for p in first.photos + second.photos] == [f"{n}.jpg" for n in range(6)]
    assert take(database) is None
    assert job_of(database, job_id).state == JobState.RUNNING

    assert save_all(database, first).written == 4
    assert not queue_of(database).finish(job_id)
    assert save_all(database, second, lambda _: analysis(face(0), face(1, "male"))).written == 2
    assert queue_of(database).finish(job_id)
    assert not queue_of(database).finish(job_id)

    job = job_of(database, job_id)
    assert (job.state, job.outcome) == (JobState.ENDED, Outcome.SUCCEEDED)
    assert job.final_counts == {
        "total": 6, "queued": 0, "running": 0, "succeeded": 6, "failed": 0, "cancelled": 0, "faces": 8,
    }  # fmt: skip
    assert_nothing_lost_nothing_twice(database)


def test_a_late_save_changes_nothing(database: Database) -> None:
    job_id = queued_job(database, 2)
    sleeper = take(database, worker="sleeper", lease_s=1)
    assert sleeper is not None
    assert _lapse(database) == [False, False]
    # After a crash each photo is claimed alone.
    for _ in range(2):
        other = take(database, worker="other")
        assert other is not None
        assert len(other.photos) == 1
        assert save_all(database, other, lambda _: analysis(face())).written == 1

    late = save_all(database, sleeper, lambda _: analysis(face(0), face(1)))

    assert (late.written, late.lost) == (0, 2)
    assert [photo.worker for photo in photos_of(database, job_id)] == ["other", "other"]
    with database.read() as session:
        assert session.query(FaceRow).count() == 2


def test_a_renewed_lease_does_not_lapse_and_a_lost_one_is_told(database: Database) -> None:
    queued_job(database, 2)
    held = take(database, lease_s=1)
    assert held is not None
    queue = queue_of(database, lease_s=7200)
    assert queue.renew(held) == 2
    assert _lapse(database, after_s=3600) == []
    assert _lapse(database, after_s=7300) == [False, False]
    assert queue.renew(held) == 0


def test_giving_back_returns_the_attempt(database: Database) -> None:
    job_id = queued_job(database, 3)
    held = take(database)
    assert held is not None
    assert queue_of(database).give_back(held) == 3
    assert {(p.status, p.attempts, p.crashes) for p in photos_of(database, job_id)} == {("queued", 0, 0)}


def test_a_photo_that_kills_its_worker_is_quarantined_alone(database: Database) -> None:
    job_id = queued_job(database, 3)
    assert len((take(database) or pytest.fail()).photos) == 3
    assert _lapse(database) == [False, False, False]
    killer = photos_of(database, job_id)[0].id
    for _ in range(20):
        held = take(database)
        if held is None:
            break
        assert len(held.photos) == 1
        if held.photos[0].id == killer:
            _lapse(database)
        else:
            save_all(database, held)
    assert queue_of(database).finish(job_id)
    dead, *mates = photos_of(database, job_id)
    assert (dead.status, dead.crashes, dead.error and dead.error["code"]) == ("failed", 5, "worker_lost")
    assert {mate.status for mate in mates} == {"succeeded"}
    assert job_of(database, job_id).outcome == Outcome.PARTIAL
    assert_nothing_lost_nothing_twice(database)


def test_a_dead_worker_is_recognised_before_its_lease_ends(database: Database) -> None:
    job_id = queued_job(database, 2)
    take(database, worker="alive", batch_size=1)
    take(database, worker="dead", batch_size=1)
    lapsed = queue_of(database).return_lapsed(lambda w: w == "dead", by_time=False)
    assert [photo.worker for photo in lapsed] == ["dead"]
    assert [photo.status for photo in photos_of(database, job_id)] == ["running", "queued"]


def test_an_unreachable_store_is_tried_again_then_fails_the_photo(database: Database) -> None:
    job_id = queued_job(database, 1)
    for attempt in range(3):
        held = take(database)
        assert held is not None, attempt
        queue_of(database).save(held, [NotRead(held.photos[0].id, "bucket away")], bundle=manifest())
        assert take(database) is None
        pauses_are_over(database)
    photo = photos_of(database, job_id)[0]
    assert photo.status == "failed"
    assert photo.error == {
        "code": "file_unavailable", "stage": "read", "message": "bucket away", "retryable": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "outcome"), [(0, Outcome.SUCCEEDED), (1, Outcome.PARTIAL), (2, Outcome.FAILED)]
)
def test_outcomes(database: Database, bad: int, outcome: Outcome) -> None:
    job_id = queued_job(database, 2)
    held = take(database, batch_size=bad) if bad else None
    if held:
        error = PhotoError(Code.CORRUPT_IMAGE, "decode", "cut off")
        failures = [Failed(p.id, error, "0" * 64, 1) for p in held.photos]
        queue_of(database).save(held, failures, bundle=manifest())
    rest = take(database)
    if rest:
        save_all(database, rest)
    assert queue_of(database).finish(job_id)
    assert job_of(database, job_id).outcome == outcome


def test_cancel_keeps_what_is_saved_and_what_is_under_way(database: Database) -> None:
    job_id = queued_job(database, 6)
    done, under_way = take(database, batch_size=2), take(database, batch_size=2)
    assert done is not None
    assert under_way is not None
    save_all(database, done)
    with database.write() as session:
        cancel(session, "local", job_id)
    assert not queue_of(database).finish(job_id)
    assert take(database) is None
    save_all(database, under_way)
    assert queue_of(database).finish(job_id)
    assert [p.status for p in photos_of(database, job_id)] == ["succeeded"] * 4 + ["cancelled"] * 2
    assert job_of(database, job_id).outcome == Outcome.CANCELLED
    with database.write() as session:
        cancel(session, "local", job_id)


def test_a_batch_given_back_to_a_cancelled_job_is_cancelled(database: Database) -> None:
    job_id = queued_job(database, 2)
    held = take(database)
    assert held is not None
    with database.write() as session:
        cancel(session, "local", job_id)
    queue_of(database).give_back(held)
    assert queue_of(database).unended_jobs() == [job_id]
    assert queue_of(database).finish(job_id)
    assert {p.status for p in photos_of(database, job_id)} == {"cancelled"}


def test_a_paused_job_is_not_claimed_and_goes_on(database: Database) -> None:
    job_id = queued_job(database, 2)
    with database.write() as session:
        pause(session, "local", job_id)
    assert take(database) is None
    assert queue_of(database).claimable(10) == 0
    with database.write() as session, pytest.raises(Conflict, match="paused"):
        pause(session, "local", job_id)
    with database.write() as session:
        resume(session, "local", job_id)
    assert take(database) is not None


def test_priority_first_then_the_job_with_the_fewest_leases(database: Database) -> None:
    first = queued_job(database, 20)
    second = queued_job(database, 20)
    urgent = queued_job(database, 2, priority=5)
    order = [held.job_id for held in (take(database, batch_size=2) for _ in range(5)) if held]
    assert order == [urgent, first, second, first, second]


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_counts_add_up_while_many_claim_and_save(database: Database) -> None:
    job_id = queued_job(database, 120)
    claimed: list[str] = []
    wrong: list[int] = []
    over = threading.Event()

    def work(name: str) -> None:
        while (held := take(database, worker=name, batch_size=3)) is not None:
            claimed.extend(photo.id for photo in held.photos)
            save_all(database, held)
            queue_of(database).finish(job_id)

    def watch() -> None:
        while not over.is_set():
            with database.read() as session:
                counts = count_photos(session, job_id)
            if counts.total != 120 or counts.queued + counts.running + counts.final != 120:
                wrong.append(counts.total)

    watcher = threading.Thread(target=watch)
    watcher.start()
    workers = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    over.set()
    watcher.join()
    # SKIP LOCKED may show a worker nothing while others hold the last rows.
    work("last")

    assert wrong == []
    assert Counter(claimed).most_common(1)[0][1] == 1
    assert len(claimed) == 120
    assert job_of(database, job_id).state == JobState.ENDED
    assert_nothing_lost_nothing_twice(database)


def test_results_of_equal_bytes_are_found_again_only_for_equal_terms(database: Database) -> None:
    queued_job(database, 1)
    held = take(database)
    assert held is not None
    assert held.photos[0].sha256 is not None
    saved = analysis(face(0), face(1, "male", "65+"))
    save_all(database, held, lambda _: saved)
    terms = {
        "owner": "local",
        "sha256": held.photos[0].sha256,
        "bundle_sha256": manifest().sha256,
        "options_fingerprint": JobOptions().analysis().fingerprint(manifest().reading),
    }
    with database.read() as session:
        earlier = find_earlier(session, **terms)
        assert earlier is not None
        assert earlier.analysis.faces == saved.faces
        other_options = JobOptions(min_confidence=0.5).analysis().fingerprint(manifest().reading)
        for change in (
            {"owner": "other"},
            {"sha256": "f" * 64},
            {"bundle_sha256": "b" * 64},
            {"options_fingerprint": other_options},
        ):
            assert find_earlier(session, **{**terms, **change}) is None
