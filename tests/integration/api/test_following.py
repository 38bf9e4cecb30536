from __future__ import annotations

import threading
from datetime import datetime, timedelta

from sqlalchemy import update

from api.waiting import WaitingRoom
from nightshift.words.clock import utc_now
from shared.db.tables import Job
from shared.queue.jobs import owned_job
from shared.reads.tally import Tallies
from tests.integration.api.conftest import Serve
from tests.support.queue_rows import queued_job, take
from tests.support.service import Service


def test_a_job_that_has_not_changed_is_not_sent_again(service: Service) -> None:
    job_id = service.submitted_job("a", "b", "c")
    first = service.get(job_id)
    etag = first.headers["ETag"]
    assert first.headers["Retry-After"].isdigit()
    same = service.get(job_id, If_None_Match=f'"other", {etag}')
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", etag)
    assert service.get(job_id, If_None_Match='"other"').status_code == 200
    for step in (lambda: service.work(batch_size=1), lambda: service.fail("timeout")):
        step()
        # The second changes the counts and nothing else.
        service.context.jobs.changed(job_id)
        changed = service.get(job_id, If_None_Match=etag)
        assert changed.status_code == 200
        assert changed.headers["ETag"] != etag
        etag = changed.headers["ETag"]


def test_an_ended_job_is_not_to_be_asked_for_again(service: Service) -> None:
    job_id = service.submitted_job("a")
    service.post(job_id, "cancel")
    answer = service.get(job_id)
    assert "Retry-After" not in answer.headers
    assert service.get(job_id, If_None_Match=answer.headers["ETag"], Prefer="wait=30").status_code == 304


def test_a_wait_ends_with_the_change_waited_for(service: Service) -> None:
    job_id = service.submitted_job("a")
    etag = service.get(job_id).headers["ETag"]
    answers = {}

    def wait(name: str, **headers: str) -> None:
        answers[name] = service.get(job_id, Prefer="respond-async, wait=30", **headers)

    threads = [
        threading.Thread(target=wait, args=("of the ETag",), kwargs={"If_None_Match": etag}),
        threading.Thread(target=wait, args=("of the state",)),
    ]
    for thread in threads:
        thread.start()
    service.post(job_id, "pause")
    for thread in threads:
        thread.join()
    # Had they missed it they would come after 30 s with 304 and the old state.
    assert {answer.status_code for answer in answers.values()} == {200}
    assert {answer.json["state"] for answer in answers.values()} == {"paused"}


def test_a_wait_without_a_change_ends_with_304(plain_service: Service) -> None:
    job_id = plain_service.submitted_job("a")
    etag = plain_service.get(job_id).headers["ETag"]
    answer = plain_service.get(job_id, If_None_Match=etag, Prefer="wait=1")
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (304, "wait=1")


def test_who_finds_no_seat_is_answered_at_once(serve: Serve) -> None:
    service = serve()
    job_id = service.submitted_job("a")
    room = WaitingRoom(seats=1)
    service.replace(waiting_room=room)
    with room.seat():
        answer = service.get(job_id, Prefer="wait=30")
    assert answer.status_code == 200
    assert "Preference-Applied" not in answer.headers


def test_counts_are_read_at_most_once_a_second(service: Service) -> None:
    job_id = queued_job(service.database, 10)
    clock = [100.0]
    tallies = Tallies(lambda: clock[0])

    def running() -> int:
        with service.database.read() as session:
            return tallies.get(session, owned_job(session, "local", job_id)).counts.running

    assert running() == 0
    take(service.database, batch_size=2)
    clock[0] += 0.9
    assert running() == 0
    clock[0] += 0.2
    assert running() == 2
    take(service.database, batch_size=2)
    tallies.forget(job_id)
    assert running() == 4


def test_the_first_rate_comes_from_the_rows(service: Service) -> None:
    job_id = queued_job(service.database, 100)
    service.work(batch_size=40)
    with service.database.write() as session:
        started_at = utc_now() - timedelta(seconds=20)
        session.execute(update(Job).where(Job.id == job_id).values(started_at=started_at))
    with service.database.read() as session:
        tally = Tallies().get(session, owned_job(session, "local", job_id))
    assert tally.photos_per_second is not None
    assert 1 < tally.photos_per_second <= 2
    running = service.job(job_id)
    assert 1 < running["photos_per_second"] <= 2
    assert utc_now() < datetime.fromisoformat(running["eta"]) < utc_now() + timedelta(minutes=2)
    paused = service.post(job_id, "pause").json
    assert (paused["photos_per_second"], paused["eta"]) == (None, None)
