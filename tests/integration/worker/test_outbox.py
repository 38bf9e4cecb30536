"""What is told of a job is written in the transaction that moves it, for each receiver, once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.new_job import NewJob
from nightshift.words.states import JobState
from nightshift.words.webhooks import Notify
from shared.db.engine import Database
from shared.db.tables import Delivery, Job, Photo
from shared.operations import erasure, webhooks
from shared.queue import dispatch, outbox
from shared.queue.control import retry
from shared.queue.finish import finish_if_done
from shared.queue.save import Failed
from shared.settings import Settings
from tests.support.fakes import FakeDoorbell
from tests.support.queue_rows import ahead, job_of, manifest, queue_of, queued_job, save_all, take
from worker.deliveries import compose
from worker.sweeper import Sweeper

PLACES = dispatch.Places(all=18, each=2, messages=2)
ALL = ["job.ended", "job.failed_early", "job.progress", "job.expiring"]


def _secret(database: Database, owner: str = "local") -> str:
    with database.write() as session:
        return webhooks.make_secret(session, owner).secret


def _told(database: Database, job_id: str, *receivers: dict[str, Any], **values: Any) -> None:
    with database.write() as session:
        session.execute(update(Job).where(Job.id == job_id).values(notify=list(receivers), **values))


def _to(name: str, *events: str, percent: int = 10) -> dict[str, Any]:
    return {"url": f"https://{name}.example/", "events": list(events), "progress_percent": percent}


def _rows(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        rows = session.scalars(select(Delivery).order_by(Delivery.created_at, Delivery.url))
        return [(row.event, row.url.removeprefix("https://").removesuffix(".example/")) for row in rows]


def _work(database: Database, job_id: str, batch_size: int = 16) -> None:
    held = take(database, batch_size=batch_size)
    assert held is not None
    save_all(database, held)
    queue_of(database).finish(job_id)


@pytest.fixture
def sweeper(database: Database, tmp_path: Path) -> Sweeper:
    return Sweeper(Settings(home=tmp_path), database, FakeDoorbell())


def test_an_end_is_told_once_to_those_that_want_it(database: Database, sweeper: Sweeper) -> None:
    job_id = queued_job(database, 2)
    _told(database, job_id, _to("a", "job.ended"), _to("b", "job.progress"), _to("c", *ALL))
    assert _rows(database) == []
    _work(database, job_id)
    assert _rows(database) == [("job.ended", "a"), ("job.ended", "c")]
    queue_of(database).finish(job_id)
    sweeper.sweep()
    assert len(_rows(database)) == 2
    assert {delivery.state for delivery in _deliveries(database)} == {"waiting"}


def _deliveries(database: Database) -> list[Delivery]:
    with database.read() as session:
        return list(session.scalars(select(Delivery)))


def test_a_move_that_is_taken_back_has_told_nobody(database: Database) -> None:
    job_id = queued_job(database, 1)
    _told(database, job_id, _to("a", "job.ended"))
    held = take(database)
    assert held is not None
    save_all(database, held)

    class Killed(BaseException):
        pass

    with pytest.raises(Killed), database.write() as session:
        assert finish_if_done(session, Settings(), job_id)
        raise Killed
    assert (_rows(database), job_of(database, job_id).state) == ([], JobState.RUNNING)
    queue_of(database).finish(job_id)
    assert _rows(database) == [("job.ended", "a")]


def test_owners_are_told_of_jobs_that_name_nobody(database: Database) -> None:
    _secret(database)
    with database.write() as session:
        webhooks.set_receivers(session, "local", [Notify(url="https://mine.example/")])
    named, unnamed, silent = (queued_job(database, 1) for _ in range(3))
    others = queued_job(database, 1, owner="ben")
    _told(database, named, _to("a", "job.ended"))
    _told(database, silent)
    for _ in range(4):
        held = take(database)
        assert held is not None
        save_all(database, held)
        queue_of(database).finish(held.job_id)
    assert job_of(database, others).state == JobState.ENDED
    rows = {(row.job_id, row.url) for row in _deliveries(database)}
    assert rows == {(named, "https://a.example/"), (unnamed, "https://mine.example/")}


def test_giving_up_is_told_before_the_end(database: Database) -> None:
    job_id = queued_job(database, 2)
    _told(database, job_id, _to("a", *ALL), max_failure_rate=0.0)
    held = take(database, batch_size=1)
    assert held is not None
    error = PhotoError.of(Code.CORRUPT_IMAGE, "decode", "broken")
    queue_of(database).save(held, [Failed(held.photos[0].id, error)], bundle=manifest())
    queue_of(database).finish(job_id)
    assert sorted(_rows(database)) == [("job.ended", "a"), ("job.failed_early", "a")]


def test_progress_is_told_by_steps_and_not_again(database: Database, sweeper: Sweeper) -> None:
    job_id = queued_job(database, 10)
    _told(database, job_id, _to("a", "job.progress", percent=50), _to("b", "job.progress", percent=20))
    seen = []
    for _ in range(5):
        _work(database, job_id, batch_size=2)
        sweeper.sweep()
        sweeper.sweep()
        seen.append(len(_rows(database)))
    # 20, 40, 60 and 80 % for one, the first step over 50 % for the other; 100 % is the end.
    assert seen == [1, 2, 4, 5, 5]


def test_expiring_is_told_a_day_ahead_and_anew_after_a_retry(database: Database, sweeper: Sweeper) -> None:
    job_id = queued_job(database, 1)
    _told(database, job_id, _to("a", "job.expiring"))
    _work(database, job_id)
    sweeper.sweep()
    assert _rows(database) == []
    with ahead(timedelta(days=29, hours=1)):
        with database.write() as session:
            outbox.tell_by_time(session)
        with database.write() as session:
            outbox.tell_by_time(session)
    assert _rows(database) == [("job.expiring", "a")]
    with database.write() as session:
        session.execute(update(Photo).values(status="failed"))
    with database.write() as session:
        retry(session, "local", job_id)
    assert job_of(database, job_id).told_expiring_at is None


def test_what_was_to_be_told_is_erased_with_its_job(database: Database, sweeper: Sweeper) -> None:
    _secret(database)
    job_id = queued_job(database, 1)
    _told(database, job_id, _to("a", "job.ended"))
    _work(database, job_id)
    with database.write() as session:
        (parcel,) = dispatch.claim(session, compose, (), PLACES)
    assert job_id in parcel.body
    erasure.erase(database, sweeper._store, "local", job_id, "requested")
    assert _deliveries(database) == []
    with database.write() as session:
        dispatch.settle(session, parcel, dispatch.Answered(500, "", "late"))


@pytest.mark.parametrize("late", [timedelta(), timedelta(minutes=20)])
def test_pauses_grow_for_72_hours_and_then_it_is_given_up(database: Database, late: timedelta) -> None:
    _secret(database)
    with database.write() as session:
        webhooks.try_receiver(session, "local", "https://a.example/")
    tried_at, at = [], timedelta()
    while (row := _deliveries(database)[0]).next_at is not None:
        at = max(at, row.next_at - row.created_at) + late
        with ahead(at), database.write() as session:
            parcels = dispatch.claim(session, compose, (), PLACES)
        assert len(parcels) == 1
        tried_at.append(at)
        with ahead(at), database.write() as session:
            dispatch.settle(session, parcels[0], dispatch.Answered(503, "away", "it answered 503"))
    pauses = [later - earlier for earlier, later in pairwise(tried_at)]
    # Whenever the pauses would end: who is back after three days gets it.
    assert pauses[:-1] == sorted(pauses[:-1])
    assert tried_at[-1] == timedelta(hours=72) + late
    assert (row.state, row.attempts, row.status, row.answer) == ("given_up", len(tried_at), 503, "away")
    with database.write() as session:
        assert webhooks.redeliver(session, "local", row.id).state == "waiting"
    with database.write() as session:
        assert [parcel.id for parcel in dispatch.claim(session, compose, (), PLACES)] == [row.id]


def test_a_receiver_may_ask_for_patience(database: Database) -> None:
    _secret(database)
    with database.write() as session:
        webhooks.try_receiver(session, "local", "https://a.example/")
    with database.write() as session:
        (parcel,) = dispatch.claim(session, compose, (), PLACES)
    with database.write() as session:
        busy = dispatch.Answered(429, "", "it answered 429", timedelta(hours=1))
        dispatch.settle(session, parcel, busy)
        now = session.now
    (row,) = _deliveries(database)
    assert row.next_at is not None
    assert row.next_at - now == timedelta(hours=1)


def test_a_late_sender_does_not_undo_what_another_has_done(database: Database) -> None:
    _secret(database)
    with database.write() as session:
        webhooks.try_receiver(session, "local", "https://a.example/")
    with database.write() as session:
        (first,) = dispatch.claim(session, compose, (), PLACES)
    with database.write() as session:
        assert dispatch.claim(session, compose, (), PLACES) == []
    with ahead(dispatch.LEASE), database.write() as session:
        (second,) = dispatch.claim(session, compose, (), PLACES)
    assert (first.id, first.body, first.attempt + 1) == (second.id, second.body, second.attempt)
    with database.write() as session:
        dispatch.settle(session, second, dispatch.Answered(204, ""))
    with database.write() as session:
        dispatch.settle(session, first, dispatch.Answered(problem="no whole answer"))
    assert [row.state for row in _deliveries(database)] == ["delivered"]


def test_one_url_takes_no_more_than_its_places(database: Database) -> None:
    _secret(database)
    for _ in range(5):
        with database.write() as session:
            webhooks.try_receiver(session, "local", "https://slow.example/")
    with database.write() as session:
        webhooks.try_receiver(session, "local", "https://b.example/")
    with database.write() as session:
        taken = dispatch.claim(session, compose, (), PLACES)
    assert sorted(parcel.url for parcel in taken) == [
        "https://b.example/",
        "https://slow.example/",
        "https://slow.example/",
    ]
    with database.write() as session:
        assert dispatch.claim(session, compose, taken, PLACES) == []


def _asked(database: Database, owner: str, *urls: str) -> None:
    _secret(database, owner)
    for url in urls:
        with database.write() as session:
            webhooks.try_receiver(session, owner, url)


def _owners(parcels: list[dispatch.Parcel]) -> list[str]:
    return [parcel.owner for parcel in parcels]


def test_owners_take_turns_and_the_next_finds_a_place(database: Database) -> None:
    """Of slow receivers an owner may have as many as there are: another's event does not wait for them."""
    places = dispatch.Places(all=8, each=2, messages=2)
    _asked(database, "ann", *(f"https://slow{number}.example/" for number in range(12)))
    _asked(database, "ben", "https://b.example/", "https://b2.example/")
    with database.write() as session:
        first = dispatch.claim(session, compose, (), places)
    assert _owners(first)[:4] == ["ann", "ben", "ann", "ben"]
    assert _owners(first).count("ann") + 2 < places.all
    # None of them answers; who comes now has a place all the same.
    _asked(database, "cem", "https://c.example/")
    with database.write() as session:
        second = dispatch.claim(session, compose, first, places)
    assert "cem" in _owners(second)
    # Alone, an owner has half of the places, and the rest when those are done.
    with database.write() as session:
        rest = dispatch.claim(session, compose, (), places)
    assert _owners(rest) == ["ann"] * 4


def test_behind_more_than_is_looked_at_the_next_owner_is_seen(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "CANDIDATES", 3)
    _asked(database, "ann", *(f"https://slow{number}.example/" for number in range(8)))
    _asked(database, "ben", "https://b.example/")
    with database.write() as session:
        assert _owners(dispatch.claim(session, compose, (), PLACES)) == ["ann", "ben", "ann", "ann"]


def test_who_has_most_under_way_comes_last(database: Database) -> None:
    places = dispatch.Places(all=9, each=2, messages=2)
    _asked(database, "ann", *(f"https://slow{number}.example/" for number in range(9)))
    with database.write() as session:
        first = dispatch.claim(session, compose, (), places)
    _asked(database, "ben", *(f"https://b{number}.example/" for number in range(9)))
    with database.write() as session:
        second = dispatch.claim(session, compose, first[:3], places)
    assert _owners(second)[:2] == ["ben", "ben"]


def test_messages_have_few_places_and_hold_up_no_webhook(database: Database) -> None:
    _asked(database, "ann", *(f"ntfys://example.org/topic{number}" for number in range(5)))
    with database.write() as session:
        first = dispatch.claim(session, compose, (), PLACES)
    assert len(first) == PLACES.messages
    _asked(database, "ann", "https://b.example/")
    with database.write() as session:
        second = dispatch.claim(session, compose, first, PLACES)
    assert [parcel.url for parcel in second] == ["https://b.example/"]


def test_the_body_is_the_job_without_photos_and_receivers(database: Database) -> None:
    _secret(database)
    wish = NewJob.of(label="gala")
    job_id = queued_job(database, 1)
    _told(database, job_id, _to("a", "job.ended"), label=wish.label)
    _work(database, job_id)
    with database.write() as session:
        (parcel,) = dispatch.claim(session, compose, (), PLACES)
    body = json.loads(parcel.body)
    assert (body["type"], body["data"]["id"], body["data"]["label"]) == ("job.ended", job_id, "gala")
    assert (body["data"]["state"], body["data"]["outcome"], body["data"]["counts"]["total"]) == (
        "ended",
        "succeeded",
        1,
    )
    assert "notify" not in body["data"]
    assert "example" not in parcel.body


def test_the_body_says_of_when_it_is(database: Database) -> None:
    """It is made at the first attempt: what has happened since the event, it has too, and says so."""
    _secret(database)
    job_id = queued_job(database, 1)
    _told(database, job_id, _to("a", "job.ended"))
    _work(database, job_id)
    later = timedelta(hours=1)
    with ahead(later), database.write() as session:
        (parcel,) = dispatch.claim(session, compose, (), PLACES)
    body = json.loads(parcel.body)
    told, as_of = (datetime.fromisoformat(body[name]) for name in ("timestamp", "as_of"))
    assert as_of - told >= later
