"""What keeps a photo's cost from growing with its job: how many statements there are, and their plans.

Nothing here is timed. A plan is asked of the real database for the real statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nightshift.words.states import PhotoStatus
from shared.db.engine import Database
from shared.queue import counts, dispatch, outbox
from shared.queue.counts import Counted, count_again, count_photos
from shared.queue.finish import finish_if_done, may_be_done
from shared.queue.intake import NewPhoto, add_photos, next_ordinal
from shared.queue.leases import shorten
from shared.queue.release import give_back_unheard
from shared.queue.reuse import find_earlier
from shared.queue.sweep import return_lapsed, unended_jobs
from shared.queue.turns import count_claimable, new_job_waits
from shared.reads.breakdown import break_down
from shared.reads.known import uploads_with
from shared.reads.order import SORTS, Order, Sort
from shared.reads.outline import photo_outline
from shared.reads.photos import final_photo_ids, final_photos, photo_page
from shared.reads.sought import Sought
from shared.reads.summary import summarise
from tests.support.queue_rows import analysis, face, queue_of, queued_job, rules, save_all, seen, take
from tests.support.statements import plan, statements_of


def number_of(database: Database, call: Callable[[], object]) -> int:
    with statements_of(database) as sent:
        call()
    return len(sent)


def plans_of(database: Database, call: Callable[[], object]) -> list[str]:
    """Plans of all statements over photos and faces that `call` sends, and that can be explained."""
    with statements_of(database) as sent:
        call()
    return [
        plan(database._engine, statement, parameters)
        for statement, parameters in sent
        if parameters is not None and ("photos" in statement or "faces" in statement)
    ]


def with_results(database: Database) -> str:
    """A job of 40 photos, some done, some in work, the rest waiting."""
    job_id = queued_job(database, 40)
    for _ in range(3):
        held = take(database, batch_size=8)
        assert held
        save_all(database, held)
    take(database, batch_size=8)
    return job_id


def test_a_save_is_as_many_statements_however_many_photos_and_faces(database: Database) -> None:
    queued_job(database, 40)
    few, many = take(database, batch_size=2), take(database, batch_size=30)
    assert few
    assert many

    small = number_of(database, lambda: save_all(database, few))
    large = number_of(database, lambda: save_all(database, many, lambda _: analysis(*map(face, range(9)))))

    assert small == large <= 4


def test_a_claim_is_as_many_statements_however_large_batch_and_job(database: Database) -> None:
    queued_job(database, 3)
    take(database, batch_size=1)
    small = number_of(database, lambda: take(database, batch_size=1))
    take(database, batch_size=1)
    queued_job(database, 200)
    take(database, batch_size=1)

    assert number_of(database, lambda: take(database, batch_size=50)) == small <= 8


def test_a_claim_among_several_workers_is_as_many_statements_however_large_the_job(
    database: Database,
) -> None:
    for worker in "abc":
        seen(database, worker)
    queued_job(database, 5)
    take(database, batch_size=2)
    small = number_of(database, lambda: take(database, batch_size=2))
    queued_job(database, 200)
    take(database, batch_size=2)

    assert number_of(database, lambda: take(database, batch_size=50)) == small <= 10


def test_photos_are_added_in_as_many_statements_however_many_there_are(database: Database) -> None:
    def add(job_id: str, first: int, photos: int) -> None:
        rows = [
            NewPhoto(f"{number}.jpg", f"pho_{job_id}_{number}", f"/photos/{number}.jpg")
            for number in range(first, first + photos)
        ]
        with database.write() as session:
            add_photos(session, "local", job_id, rows)

    job_id = queued_job(database, 0, submitted=False)

    few = number_of(database, lambda: add(job_id, 0, 2))
    assert number_of(database, lambda: add(job_id, 2, 900)) == few <= 4


def test_most_batches_find_out_by_one_read_that_their_job_goes_on(database: Database) -> None:
    job_id = with_results(database)

    def ask() -> None:
        with database.read() as session:
            assert not may_be_done(session, job_id)

    assert number_of(database, ask) == 1


STEPS: dict[str, Callable[[Database, str], object]] = {
    "claim": lambda database, _: take(database),
    "save": lambda database, _: save_all(database, take(database)),  # type: ignore[arg-type]
    "renew": lambda database, _: queue_of(database).renew(take(database)),  # type: ignore[arg-type]
}


READS: dict[str, Callable[[Any, str], object]] = {
    "finish": lambda session, job_id: finish_if_done(session, rules(), job_id),
    "look": may_be_done,
    "counts": count_photos,
    "counts again": lambda session, job_id: count_again(
        session, job_id, Counted(count_photos(session, job_id))
    ),
    "ordinal": next_ordinal,
    "sweep": lambda session, _: (
        shorten(session, rules()),  # type: ignore[func-returns-value]
        return_lapsed(session, rules(), lambda _: False),
        unended_jobs(session),
    ),
    "unheard": lambda session, _: give_back_unheard(session, "nobody"),
    "rings": lambda session, _: (count_claimable(session, 256), new_job_waits(session)),
    "summary": lambda session, job_id: summarise(session, "local", job_id),
    "reuse": lambda session, _: find_earlier(
        session, owner="local", sha256="0" * 64, bundle_sha256="b", options_fingerprint="o"
    ),
    "known": lambda session, _: uploads_with(session, "local", {"0" * 64, "1" * 64}),
    "outline": lambda session, job_id: (
        photo_outline(session, "local", job_id, Sought(gender="male", search="a"), limit=5),
        break_down(session, "local", job_id),
    ),
    "page": lambda session, job_id: (
        photo_page(session, "local", job_id, Sought(), limit=5),
        photo_page(session, "local", job_id, Sought(status=PhotoStatus.SUCCEEDED), limit=5),
        photo_page(session, "local", job_id, Sought(code="timeout"), limit=5),
        photo_page(session, "local", job_id, Sought(gender="male", uncertain="any"), limit=5),
        photo_page(session, "local", job_id, Sought(search="a", prefix="b", min_faces=2), limit=5),
    ),
}


def _in(database: Database, call: Callable[[Any], object]) -> object:
    with database.write() as session:
        return call(session)


@pytest.mark.parametrize("step", [*STEPS, *READS])
def test_no_table_of_photos_is_read_whole(
    database: Database, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "SMALL", 0)
    job_id = with_results(database)
    if step in STEPS:
        plans = plans_of(database, lambda: STEPS[step](database, job_id))
    else:
        plans = plans_of(database, lambda: _in(database, lambda session: READS[step](session, job_id)))

    assert plans
    for found in plans:
        # All leases there are, and no more, is what this index holds.
        rest = found.replace("SCAN photos USING INDEX ix_photos_leases", "")
        assert "SCAN photos" not in rest, found
        assert "SCAN faces" not in rest, found
        assert "Seq Scan on photos" not in rest, found
        assert "Seq Scan on faces" not in rest, found


@pytest.mark.parametrize("read", [final_photos, final_photo_ids])
def test_pages_of_results_are_read_in_order_from_where_the_last_one_ended(
    database: Database, read: Callable[..., Iterator[Any]]
) -> None:
    job_id = with_results(database)

    plans = plans_of(database, lambda: list(read(database, "local", job_id, 10)))

    pages = [found for found in plans if "ix_photos_by_place" in found]
    assert len(pages) == 3
    for found in pages:
        assert "TEMP B-TREE" not in found, found
        assert "Sort" not in found, found


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("reverse", [False, True])
def test_every_order_is_read_from_its_index_and_never_sorted(
    database: Database, sort: Sort, reverse: bool
) -> None:
    job_id = with_results(database)
    order = Order(sort, reverse)

    def read() -> None:
        with database.read() as session:
            first = photo_page(session, "local", job_id, Sought(), order=order, limit=2)
            photo_page(session, "local", job_id, Sought(), order=order, cursor=first.next, limit=2)

    pages = [found for found in plans_of(database, read) if "ix_photos_" in found]
    assert len(pages) >= 2
    for found in pages:
        assert "TEMP B-TREE" not in found, found
        assert "Sort" not in found, found


def test_counts_are_read_from_the_index_alone(database: Database) -> None:
    job_id = with_results(database)
    _vacuum(database)

    [found] = plans_of(database, lambda: _in(database, lambda session: count_photos(session, job_id)))

    only = "COVERING INDEX ix_photos_claim" if database.is_sqlite else "Index Only Scan using ix_photos_claim"
    assert only in found


def _vacuum(database: Database) -> None:
    """As PostgreSQL does by itself sooner or later: until then, an index alone costs it no less."""
    if not database.is_sqlite:
        with database._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE photos")


def test_bytes_that_were_sent_before_are_found_by_index_whatever_became_of_them(database: Database) -> None:
    with_results(database)
    digests = {f"e{number:063}" for number in range(3)}
    plans = plans_of(database, lambda: _in(database, lambda session: uploads_with(session, "local", digests)))
    assert [("reuse" in found, "kept" in found) for found in plans] == [(True, False), (False, True)], plans


def test_what_is_due_of_an_owner_is_read_in_order_and_of_nobody_else(database: Database) -> None:
    def claim() -> None:
        with database.write() as session:
            url = "https://example.org/bell"
            for owner in ("anna", "ben"):
                outbox.add(session, owner, None, "webhook.test", [url])
            assert len(dispatch.claim(session, lambda *_: "{}", (), dispatch.Places(9, 9, 9))) == 2

    with statements_of(database) as sent:
        claim()
    found = [
        plan(database._engine, statement, parameters)
        for statement, parameters in sent
        if parameters is not None and "ORDER BY deliveries.next_at" in statement
    ]
    assert len(found) == 2
    for each in found:
        assert "ix_deliveries_owner_next_at" in each, each
        assert "TEMP B-TREE" not in each, each
        assert "Sort" not in each, each
