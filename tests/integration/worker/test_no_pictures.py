"""Uploads that turn out to be no picture keep no bytes; what else failed keeps them, to be tried again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nightshift.words.clock import utc_now
from nightshift.words.error_codes import Code
from nightshift.words.errors import Transient, Unreadable
from shared.files.no_pictures import uncleared
from shared.files.store import archive_key, photo_key
from shared.operations.reconcile import reconcile
from shared.queue.control import cancel
from tests.support.archives_made import tar_of, zip_of
from tests.support.erasing import sweep
from tests.support.fakes import FakePipeline
from tests.support.queue_rows import queue_of
from tests.support.service import Service
from worker.parts import Parts
from worker.slice import run_slice
from worker.sweeper import Sweeper

MIXED = (("a.jpg", b"photo a"), ("text.jpg", b"a text"), ("cut.jpg", b"half a photo"))


class Pipeline(FakePipeline):
    """As the fake, which calls everything else damaged; a text is no picture."""

    def decode(self, data, options, admit=lambda _: None):  # type: ignore[no-untyped-def]
        if data.startswith(b"a text"):
            raise Unreadable(Code.UNSUPPORTED_FORMAT, "not an image in a format that is read")
        return super().decode(data, options, admit)


@pytest.fixture
def worker(parts: Parts) -> Parts:
    return replace(parts, pipeline=Pipeline())  # type: ignore[arg-type]


def originals(service: Service) -> set[str]:
    return {
        service.context.store.get(path).decode()  # type: ignore[union-attr]
        for path in service.stored()
        if not path.endswith(".webp")
    }


@pytest.mark.parametrize("way", ["form", "put", "zip", "tar.gz"])
def test_their_bytes_are_gone_when_the_job_has_ended(service: Service, worker: Parts, way: str) -> None:
    if way == "put":
        job_id = service.open_job()
        for name, data in MIXED:
            service.put(job_id, name, data)
        service.post(job_id, "submit")
    elif way == "form":
        job_id = service.send(*MIXED).json["id"]
    else:
        archive = zip_of(dict(MIXED)) if way == "zip" else tar_of(dict(MIXED), gzipped=True)
        job_id = service.send(archive=archive).json["id"]
    run_slice(worker)
    codes = {"a.jpg": None, "text.jpg": "unsupported_format", "cut.jpg": "corrupt_image"}
    assert service.codes(job_id) == codes
    assert originals(service) == {"photo a", "half a photo"}
    assert service.job(job_id)["state"] == "ended"


def test_a_retry_leaves_them_and_says_why(service: Service, worker: Parts) -> None:
    job_id = service.send(*MIXED).json["id"]
    run_slice(worker)
    summary = service.get(job_id, "/summary").json
    assert summary["failures"] == {"corrupt_image": 1, "unsupported_format": 1}
    assert summary["failures_kept"] == {"corrupt_image": 1}
    refused = service.client.post(f"/v1/jobs/{job_id}/retry?code=unsupported_format")
    assert (refused.status_code, refused.json["code"]) == (409, "nothing_to_retry")
    assert "the bytes of 1 photo were not kept" in refused.json["detail"]
    assert "no pictures" in refused.json["detail"]
    retried = service.post(job_id, "retry")
    assert retried.status_code == 202
    assert retried.json["counts"]["queued"] == 1
    run_slice(worker)
    assert service.codes(job_id)["cut.jpg"] == "corrupt_image"


def test_a_cancelled_photo_without_an_error_is_still_tried_again(service: Service, worker: Parts) -> None:
    job_id = service.send(*MIXED).json["id"]
    with service.database.write() as session:
        cancel(session, "local", job_id)
    sweep(service)
    assert service.post(job_id, "retry").json["counts"]["queued"] == 3


def test_a_store_that_was_away_until_the_job_had_ended_is_asked_again(
    service: Service, worker: Parts
) -> None:
    job_id = service.send(*MIXED).json["id"]

    class Away(type(worker.store)):  # type: ignore[misc]
        away = True

        def delete(self, *keys: str) -> None:
            if self.away:
                raise Transient(Code.STORE_UNAVAILABLE, "no route to host")
            super().delete(*keys)

    store = Away(service.settings.store_url)
    run_slice(replace(worker, store=store))
    assert service.job(job_id)["state"] == "ended"
    sweeper = Sweeper(service.settings, service.database, service.doorbell, store)
    sweeper.sweep()
    assert "a text" in originals(service)
    store.away = False
    sweeper.sweep()
    assert originals(service) == {"photo a", "half a photo"}
    with service.database.read() as session:
        assert uncleared(session) == []


def test_the_sweeper_that_ends_a_job_clears_up_too(
    service: Service, worker: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker died between its save and what comes after."""
    job_id = service.send(*MIXED).json["id"]

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("worker.batch.delete_bytes", die)
        run_slice(worker)
    assert "a text" in originals(service)
    sweep(service)
    assert service.job(job_id)["state"] == "ended"
    assert originals(service) == {"photo a", "half a photo"}


def test_an_archive_that_was_cancelled_or_given_up_goes_with_its_job(service: Service, parts: Parts) -> None:
    for given_up in (False, True):
        job_id = service.send(archive=zip_of(dict(MIXED))).json["id"]
        assert service.stored() == [archive_key("local", job_id)]
        if given_up:
            queue = queue_of(service.database, max_crashes=1)
            assert queue.claim_archive(worker="w")
            queue.return_lapsed_archives(lambda _: True)
        else:
            service.post(job_id, "cancel")
        sweep(service)
        assert service.job(job_id)["state"] == "ended"
        assert service.stored() == []


def test_reconcile_does_not_miss_them(service: Service, worker: Parts) -> None:
    job_id = service.send(*MIXED).json["id"]
    run_slice(worker)
    store = worker.store

    def look(*, hours: int) -> list[tuple[str, int]]:
        from datetime import timedelta

        later = utc_now() + timedelta(hours=hours)
        found = reconcile(service.settings, service.database, store, fix=True, now=later)
        return [(finding.kind, finding.count) for finding in found]

    assert look(hours=2) == []
    with service.database.read() as session:
        from shared.db.tables import Photo

        text = session.query(Photo).filter(Photo.custom_id == "text.jpg").one()
        key = photo_key("local", job_id, text.id)
    store.put(key, b"a text")
    assert look(hours=2) == [("orphan", 1)]
    assert originals(service) == {"photo a", "half a photo"}
