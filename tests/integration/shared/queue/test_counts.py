"""Counts that are taken up where the last ones stood are those of counting everything."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import event, update

from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.ids import new_id
from nightshift.words.states import PhotoStatus
from shared.db.engine import Database
from shared.db.tables import Photo
from shared.queue import counts
from shared.queue.claim import Claim
from shared.queue.control import retry
from shared.queue.counts import Counted, count_again, count_photos
from shared.queue.intake import NewPhoto, add_photos
from shared.queue.save import Failed, Result, Succeeded
from tests.support.queue_rows import analysis, face, manifest, queue_of, queued_job, take


@pytest.fixture(autouse=True)
def small_jobs_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "SMALL", 0)


def counted(database: Database, job_id: str, before: Counted | None) -> Counted:
    """Count both ways, at one moment."""
    with database.read() as session:
        again = count_again(session, job_id, before)
        assert again.counts == count_photos(session, job_id)
    return again


def save_some(database: Database, held: Claim, dice: random.Random) -> None:
    results: list[Result] = [
        Failed(photo.id, PhotoError(Code.CORRUPT_IMAGE, "decode", "broken"), "0" * 64, 1)
        if dice.random() < 0.3
        else Succeeded(photo.id, "0" * 64, 1, analysis(*(face(n) for n in range(dice.randrange(3)))))
        for photo in held.photos
    ]
    queue_of(database).save(held, results, bundle=manifest())


@pytest.mark.parametrize("seed", range(6))
def test_they_are_the_same_whatever_happens(database: Database, seed: int) -> None:
    """Batches out of order, failures, batches given back, then an end, and a retry of what failed."""
    dice = random.Random(seed)
    job_id = queued_job(database, 60)
    before = counted(database, job_id, None)
    for _ in range(2):
        in_work: list[Claim] = []
        while (held := take(database, batch_size=dice.choice([1, 4, 8]))) or in_work:
            in_work += [held] if held else []
            if len(in_work) > 3 or not held:
                done = in_work.pop(dice.randrange(len(in_work)))
                if dice.random() < 0.2:
                    queue_of(database).give_back(done)
                else:
                    save_some(database, done, dice)
            if dice.random() < 0.6:
                before = counted(database, job_id, before)
        assert queue_of(database).finish(job_id)
        with database.write() as session:
            if count_photos(session, job_id).failed:
                retry(session, "local", job_id)
        # Or not: a process may have been asked for nothing in between.
        if dice.random() < 0.5:
            before = counted(database, job_id, before)
    counted(database, job_id, before)


def test_photos_that_are_added_count(database: Database) -> None:
    job_id = queued_job(database, 5, submitted=False)
    before = counted(database, job_id, None)
    with database.write() as session:
        add_photos(session, "local", job_id, [NewPhoto("another.jpg", new_id("pho"), sha256="1" * 64)])

    assert counted(database, job_id, before).counts.total == 6


def test_a_retry_that_nobody_saw_is_found_out(database: Database) -> None:
    job_id = queued_job(database, 20)
    held = take(database, batch_size=10)
    assert held
    with database.write() as session:
        session.execute(
            update(Photo).where(Photo.id == held.photos[3].id).values(status=PhotoStatus.FAILED, face_count=0)
        )
    save_some(database, held, random.Random(1))
    before = counted(database, job_id, counted(database, job_id, None))
    assert before.mark == 10
    with database.write() as session:
        session.execute(
            update(Photo)
            .where(Photo.id == held.photos[3].id)
            .values(status=PhotoStatus.SUCCEEDED, face_count=2)
        )

    counted(database, job_id, before)


def test_what_is_done_is_not_counted_again(database: Database) -> None:
    """Every part of the statement is a stretch of the covering index, and the mark is where work begins."""
    job_id = queued_job(database, 40)
    before = counted(database, job_id, None)
    for _ in range(3):
        held = take(database, batch_size=8)
        assert held
        save_some(database, held, random.Random(0))
        before = counted(database, job_id, before)
    assert before.mark == 24
    statements: list[str] = []
    with database.read() as session:
        event.listen(session.get_bind(), "before_cursor_execute", lambda *a: statements.append(a[2]))
        count_again(session, job_id, before)

    assert not any("GROUP BY" in statement for statement in statements)
