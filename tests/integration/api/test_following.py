from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from api.waiting import WaitingRoom
from nightshift.words.clock import utc_now
from shared.queue.jobs import owned_job
from shared.reads.tally import Tallies
from tests.integration.api.conftest import Serve
from tests.support.queue_rows import at, queued_job, save_all, take, taken
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
    with at(utc_now() - timedelta(seconds=55)):
        held = take(service.database, batch_size=20)
    with at(utc_now() - timedelta(seconds=10)):
        save_all(service.database, held or pytest.fail())
    assert save_all(service.database, taken(service.database, batch_size=18)).written == 18
    with service.database.read() as session:
        tally = Tallies().get(session, owned_job(session, "local", job_id))
    assert tally.photos_per_second is not None
    assert 1 < tally.photos_per_second <= 2
    running = service.job(job_id)
    assert 1 < running["photos_per_second"] <= 2
    assert utc_now() < datetime.fromisoformat(running["eta"]) < utc_now() + timedelta(minutes=2)
    # Nothing is done while its window is closed.
    opens = (utc_now() + timedelta(hours=2)).replace(second=0, microsecond=0)
    window = f"{opens:%H:%M}-{opens + timedelta(hours=1):%H:%M} UTC"
    service.client.patch(f"/v1/jobs/{job_id}", json={"processing_window": window})
    assert datetime.fromisoformat(service.job(job_id)["eta"]) > opens
    paused = service.post(job_id, "pause").json
    assert (paused["photos_per_second"], paused["eta"]) == (None, None)


@pytest.mark.parametrize("warm_up_s", [0, 5, 45])
@pytest.mark.parametrize("batch_s", [0.5, 2])
def test_the_first_eta_is_about_right_however_long_the_start_took(
    service: Service, warm_up_s: float, batch_s: float
) -> None:
    """Two workers load their networks, do a first photo, then batches of four."""
    job_id = service.submitted_job(*map(str, range(60)))
    begun_at, clock = utc_now(), 0.0
    told: list[float] = []
    tallies = Tallies(lambda: clock)
    steps = sorted(
        (warm_up_s + 0.1 * worker + number * batch_s, worker, 4 if number else 1)
        for worker in range(2)
        for number in range(5)
    )
    with at(begun_at):
        held = [take(service.database, worker=str(worker), batch_size=1) for worker in range(2)]
    while steps and not told:
        clock += 0.5
        while steps and steps[0][0] <= clock:
            when_s, worker, _ = steps.pop(0)
            with at(begun_at + timedelta(seconds=when_s)):
                save_all(service.database, held[worker] or pytest.fail())
                held[worker] = take(service.database, worker=str(worker), batch_size=4)
        with at(begun_at + timedelta(seconds=clock)), service.database.read() as session:
            rate = tallies.get(session, owned_job(session, "local", job_id)).photos_per_second
        told += [rate] if rate else []
    assert 0.5 <= told[0] / (2 * 4 / batch_s) <= 2


def test_what_goes_on_after_a_night_counts_from_its_first_new_photo(service: Service) -> None:
    job_id = queued_job(service.database, 60)
    begun_at = utc_now()
    clock = 0.0
    tallies = Tallies(lambda: clock)

    def rate_at(seconds: float) -> float | None:
        nonlocal clock
        clock = seconds
        with at(begun_at + timedelta(seconds=seconds)), service.database.read() as session:
            return tallies.get(session, owned_job(session, "local", job_id)).photos_per_second

    with at(begun_at - timedelta(hours=8)):
        save_all(service.database, taken(service.database, batch_size=20))
    assert rate_at(0) is None
    assert rate_at(30) is None
    with at(begun_at + timedelta(seconds=39)):
        save_all(service.database, taken(service.database, batch_size=4))
    assert rate_at(40) is None
    with at(begun_at + timedelta(seconds=44)):
        save_all(service.database, taken(service.database, batch_size=10))
    assert rate_at(45) == 2
