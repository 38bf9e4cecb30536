"""The stream of thumbnails, as the API sends it and as the client reads it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import httpx
import pytest
from sqlalchemy import delete

from nightshift import ApiError, Client
from nightshift.words.errors import NotFound
from shared.db.tables import Job
from shared.files.store import thumbnail_key
from shared.reads.photos import final_photo_ids
from tests.support.queue_rows import queued_job, save_all, take
from tests.support.service import ROOT_KEY, Service


def photo_ids(service: Service, job_id: str) -> list[str]:
    return [photo["photo_id"] for photo in service.get(job_id, "/photos").json["photos"]]


def keep(service: Service, job_id: str, *ids: str) -> None:
    for photo_id in ids:
        service.context.store.put(thumbnail_key("local", job_id, photo_id), photo_id.encode() * 40)


def test_thumbnails_come_in_the_order_of_the_photos_without_those_that_are_missing(service: Service) -> None:
    job_id = service.submitted_job(*"abcd")
    service.work(batch_size=3)
    ids = photo_ids(service, job_id)
    keep(service, job_id, ids[2], ids[0], ids[3])

    answer = service.get(job_id, "/thumbnails")

    assert (answer.status_code, answer.content_type) == (200, "application/x-tar")
    with tarfile.open(fileobj=io.BytesIO(answer.data)) as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    # The fourth is not final: what is fetched after the results belongs to them.
    assert list(members) == [f"{ids[0]}.webp", f"{ids[2]}.webp"]
    assert members[f"{ids[0]}.webp"] == ids[0].encode() * 40


def test_a_job_without_any_is_an_empty_tar(plain_service: Service) -> None:
    answer = plain_service.get(plain_service.submitted_job("a"), "/thumbnails")
    assert (answer.status_code, answer.data) == (200, bytes(1024))


def test_no_such_job(plain_service: Service) -> None:
    missing = plain_service.get("job_nowhere", "/thumbnails")
    assert (missing.status_code, missing.json["code"]) == (404, "job_not_found")


def test_ids_come_page_by_page_and_stop_with_the_job(service: Service) -> None:
    job_id = queued_job(service.database, 5)
    held = take(service.database, batch_size=5)
    assert held is not None
    save_all(service.database, held)
    pages = list(final_photo_ids(service.database, "local", job_id, page_size=2))
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [photo_id for page in pages for photo_id in page] == [photo.id for photo in held.photos]

    going = final_photo_ids(service.database, "local", job_id, page_size=2)
    next(going)
    # No transaction is open that would keep it from being deleted.
    with service.database.write() as session:
        session.execute(delete(Job).where(Job.id == job_id))
    with pytest.raises(NotFound):
        next(going)


def test_the_client_saves_them(service: Service, tmp_path: Path) -> None:
    job_id = service.submitted_job(*"ab")
    service.work()
    ids = photo_ids(service, job_id)
    keep(service, job_id, *ids)
    transport = httpx.WSGITransport(app=service.app)
    with Client("http://127.0.0.1", ROOT_KEY, transport=transport) as client:
        assert client.save_thumbnails(job_id, tmp_path / "thumbnails") == 2
        with pytest.raises(ApiError, match="job_not_found"):
            client.save_thumbnails("job_nowhere", tmp_path)
    written = {path.name: path.read_bytes() for path in (tmp_path / "thumbnails").iterdir()}
    assert written == {f"{photo_id}.webp": photo_id.encode() * 40 for photo_id in ids}
