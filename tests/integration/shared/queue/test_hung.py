"""Batches that get nowhere: who is to blame, and who goes back as if nothing had been."""

from __future__ import annotations

from shared.db.engine import Database
from shared.queue.claim import Claim
from tests.support.queue_rows import pauses_are_over, photos_of, queue_of, queued_job, save_all, taken


def hang(database: Database, held: Claim, at: list[str], *, at_store: bool = False) -> None:
    queue_of(database, max_read_errors=2).release_hung(held, at, at_store=at_store)


def test_a_photo_that_hangs_fails_alone(database: Database) -> None:
    job_id = queued_job(database, 3)
    held = taken(database)
    hang(database, held, [held.photos[1].id])
    first, hung, last = photos_of(database, job_id)
    assert (hung.status, hung.attempts) == ("failed", 1)
    assert hung.error is not None
    assert hung.error["code"] == "timeout"
    assert {(photo.status, photo.attempts, photo.crashes) for photo in (first, last)} == {("queued", 0, 0)}
    save_all(database, held)
    assert [photo.status for photo in photos_of(database, job_id)] == ["queued", "failed", "queued"]


def test_photos_that_may_hang_are_taken_alone_next(database: Database) -> None:
    job_id = queued_job(database, 3)
    held = taken(database)
    hang(database, held, [held.photos[0].id, held.photos[1].id])
    assert [p.crashes for p in photos_of(database, job_id)] == [1, 1, 0]
    assert [photo.custom_id for photo in taken(database).photos] == ["2.jpg"]
    alone = taken(database)
    assert [photo.custom_id for photo in alone.photos] == ["0.jpg"]
    hang(database, alone, [alone.photos[0].id])
    assert photos_of(database, job_id)[0].status == "failed"


def test_a_store_that_hangs_is_tried_again_then_fails_the_photo(database: Database) -> None:
    job_id = queued_job(database, 2)
    held = taken(database)
    hang(database, held, [held.photos[0].id], at_store=True)
    first, mate = photos_of(database, job_id)
    assert (first.status, first.read_errors, first.crashes, first.attempts) == ("queued", 1, 0, 1)
    assert (mate.status, mate.attempts) == ("queued", 0)
    pauses_are_over(database)
    held = taken(database)
    hang(database, held, [held.photos[0].id], at_store=True)
    first, _ = photos_of(database, job_id)
    assert first.error is not None
    assert (first.status, first.error["code"]) == ("failed", "file_unavailable")
