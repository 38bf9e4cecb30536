"""What happens around an archive while it is unpacked: it is erased, others wait, the disk is full."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

import worker.unpack
from nightshift.machine.process_id import is_surely_dead
from shared.db.tables import Archive
from shared.queue.queue import Queue
from tests.support.archives_made import PHOTOS, zip_of
from tests.support.queue_rows import ahead
from tests.support.service import Service
from worker.parts import Parts
from worker.slice import run_slice


def test_a_job_erased_while_it_was_unpacked_leaves_nothing(
    service: Service, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled and erased between a worker's last look and its next photos."""
    monkeypatch.setattr(worker.unpack, "PIECE_MEMBERS", 3)
    job_id = service.send(archive=zip_of(PHOTOS)).json["id"]
    puts = 0

    class Slow(type(parts.store)):  # type: ignore[misc]
        def put(self, key: str, data: object) -> None:
            nonlocal puts
            puts += 1
            if puts == 5:
                assert service.post(job_id, "cancel").status_code == 202
                erased = service.client.delete(f"/v1/jobs/{job_id}")
                assert erased.json["completed_at"] is not None
            super().put(key, data)

    run_slice(replace(parts, store=Slow(service.settings.store_url)))
    assert puts >= 5
    assert service.stored() == []


def test_what_was_stored_for_a_cancelled_job_is_deleted(service: Service, parts: Parts) -> None:
    job_id = service.send(archive=zip_of(PHOTOS)).json["id"]

    class Slow(type(parts.store)):  # type: ignore[misc]
        def put(self, key: str, data: object) -> None:
            super().put(key, data)
            service.post(job_id, "cancel")

    run_slice(replace(parts, store=Slow(service.settings.store_url)))
    assert service.job(job_id)["outcome"] == "cancelled"
    assert [path for path in service.stored() if "/pho_" in path] == []


def test_a_new_job_does_not_wait_for_the_turn_to_be_over(
    service: Service, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two pieces of an archive, whatever its size, a job that nobody has begun is begun."""
    monkeypatch.setattr(worker.unpack, "PIECE_MEMBERS", 1)
    archive = service.send(archive=zip_of(PHOTOS)).json["id"]
    real = Queue.save_members
    small: list[str] = []

    def save_then_submit(*args: object, **kwargs: object) -> object:
        if not small:
            small.append(service.submitted_job("photo at once"))
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Queue, "save_members", save_then_submit)
    members: list[int] = []
    parts.pipeline.before_analysis = lambda _: members.append(service.job(archive)["archive"]["members"])  # type: ignore[attr-defined]
    run_slice(parts)
    # It was analysed after one member; then the archive went on to its end.
    assert members[0] == 1
    assert service.codes(small[0]) == {"photo at once": None}
    assert service.codes(archive) == dict.fromkeys(PHOTOS)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ZeroDivisionError("a bug")])
def test_no_room_is_no_crash_and_a_bug_is_one(
    service: Service, parts: Parts, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    sent = service.send(archive=zip_of(PHOTOS))

    def break_down(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(worker.unpack, "open_archive", break_down)
        run_slice(parts)
        # Not given back as a claim that was not heard of: it would break again and again.
        run_slice(parts)
    with ahead(timedelta(seconds=worker.unpack.STORE_PAUSE_S + 1)):
        assert service.context.queue.return_lapsed_archives(is_surely_dead) == [sent.json["id"]]
    with service.database.read() as session:
        assert session.get_one(Archive, sent.json["id"]).crashes == isinstance(error, ZeroDivisionError)
    run_slice(parts)
    assert service.codes(sent.json["id"]) == dict.fromkeys(PHOTOS)


def test_a_claim_of_an_archive_that_was_not_heard_of_is_given_back(service: Service, parts: Parts) -> None:
    sent = service.send(archive=zip_of(PHOTOS))
    assert parts.queue.claim_archive(worker=parts.worker)
    run_slice(parts)
    assert service.codes(sent.json["id"]) == dict.fromkeys(PHOTOS)
    with service.database.read() as session:
        assert session.get_one(Archive, sent.json["id"]).crashes == 0
