"""Claims shrink when little is left, so that workers end together; on real databases."""

from __future__ import annotations

import heapq
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from shared.broker.doorbell import MOST_RINGS
from shared.db.engine import Database
from shared.db.tables import Job, Photo, WorkerRow
from tests.support.queue_rows import ahead, queue_of, queued_job, save_all, seen, take


def emptied(database: Database, workers: int) -> None:
    with database.write() as session:
        for table in (Photo, Job, WorkerRow):
            session.execute(delete(table))
    for number in range(workers):
        seen(database, f"w{number}")


def worked_off(database: Database, workers: int, batch_size: int) -> tuple[list[int], float, float]:
    """Sizes of all claims; when the first worker finds nothing any more; and when the last is done."""
    free = [(0.0, f"w{number}") for number in range(workers)]
    heapq.heapify(free)
    sizes: list[int] = []
    idle_from, ended = float("inf"), 0.0
    while free:
        now, worker = heapq.heappop(free)
        held = take(database, worker=worker, batch_size=batch_size)
        if held is None:
            idle_from = min(idle_from, now)
            continue
        save_all(database, held)
        sizes.append(len(held.photos))
        ended = max(ended, now + len(held.photos))
        heapq.heappush(free, (now + len(held.photos), worker))
    return sizes, idle_from, ended


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(photos=st.integers(1, 40), workers=st.integers(1, 4), batch_size=st.integers(1, 12))
def test_nobody_has_more_than_a_photo_to_do_when_another_finds_nothing(
    database: Database, photos: int, workers: int, batch_size: int
) -> None:
    emptied(database, workers)
    queued_job(database, photos)
    sizes, idle_from, ended = worked_off(database, workers, batch_size)
    assert sum(sizes) == photos
    assert max(sizes) <= batch_size
    assert ended - idle_from <= 1
    # Together they take no longer than they must.
    assert ended <= -(-photos // workers)


def test_where_much_is_left_claims_are_as_large_as_they_may_be(database: Database) -> None:
    emptied(database, 2)
    queued_job(database, 24)
    assert worked_off(database, 2, 8)[0] == [8, 8, 4, 2, 1, 1]
    queued_job(database, 10)
    emptied(database, 1)
    queued_job(database, 10)
    assert worked_off(database, 1, 8)[0] == [8, 2]


def test_what_waits_in_other_jobs_counts_and_gone_workers_do_not(database: Database) -> None:
    emptied(database, 2)
    for _ in range(4):
        queued_job(database, 4)
    held = take(database, batch_size=4)
    assert held is not None
    assert len(held.photos) == 4
    with ahead(timedelta(minutes=5)):
        held = take(database, batch_size=12)
    assert held is not None
    assert len(held.photos) == 4


def test_every_worker_is_rung_for_where_there_is_something_for_each(database: Database) -> None:
    emptied(database, 6)
    queue = queue_of(database)
    assert [queue.rings_for(photos) for photos in (1, 4, 8, 80, 10_000)] == [1, 4, 6, 10, MOST_RINGS]
    queued_job(database, 4)
    assert queue.rings_wanted() == 4


def test_a_database_that_is_away_costs_no_submit_its_answer(tmp_path: Path) -> None:
    assert queue_of(Database(f"sqlite:///{tmp_path}/gone/none.db")).rings_for(20) == 3


@pytest.mark.parametrize("workers", [1, 5])
def test_a_sweeper_is_no_worker(database: Database, workers: int) -> None:
    emptied(database, workers)
    seen(database, "sweeper", "sweeper")
    queued_job(database, 30)
    held = take(database, batch_size=30)
    assert held is not None
    assert len(held.photos) == 30 // workers
