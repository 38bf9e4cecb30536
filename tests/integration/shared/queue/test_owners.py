"""Owners take turns, however many jobs each has."""

from __future__ import annotations

from collections import Counter

import pytest

from shared.db.engine import Database
from tests.support.queue_rows import analysis, queue_of, queued_job, save_all, take


@pytest.mark.parametrize("photos", [2, 50], ids=["jobs that end with their first batch", "jobs that go on"])
def test_one_worker_serves_two_owners_alike(database: Database, photos: int) -> None:
    for _ in range(12):
        queued_job(database, photos, owner="anna")
    for _ in range(6):
        queued_job(database, 2, owner="ben")
    turns: Counter[str] = Counter()
    for _ in range(12):
        held = take(database, batch_size=2)
        assert held is not None
        turns[held.owner] += 1
        save_all(database, held, lambda _: analysis())
        queue_of(database).finish(held.job_id)
    assert turns == {"anna": 6, "ben": 6}


def test_who_has_fewer_photos_in_work_is_next(database: Database) -> None:
    for _ in range(4):
        queued_job(database, 4, owner="anna")
    queued_job(database, 8, owner="ben")
    held = [take(database, batch_size=2) for _ in range(6)]
    assert Counter(claim.owner for claim in held if claim) == {"anna": 3, "ben": 3}
