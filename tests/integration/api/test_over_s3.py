"""Everything that touches bytes, over a bucket: uploads, archives, work, thumbnails, erasing."""

from __future__ import annotations

import hashlib
import uuid

import pytest

from shared.files.store import Store
from tests.integration.api.conftest import Serve
from tests.support.archives_made import zip_of
from tests.support.service import Service
from tests.support.stores import S3Server
from tests.support.worker_parts import parts_with
from worker.slice import run_slice


@pytest.fixture
def service(serve: Serve, database_url: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Service:
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    bucket = s3_server.make_bucket(f"test-{uuid.uuid4().hex[:20]}")
    return serve(database_url=database_url, store_url=bucket)


def stored(service: Service) -> list[str]:
    store = service.context.store
    return [found.key for owner in store.folders() for page in store.pages(owner) for found in page]


def work(service: Service) -> None:
    run_slice(parts_with(service.settings, service.database, service.doorbell))


def test_a_job_from_its_uploads_to_its_erasure(service: Service) -> None:
    job_id = service.submitted_job("photo a", "photo b")
    work(service)
    assert service.job(job_id)["outcome"] == "succeeded"
    photo = service.photos(job_id)["photo a"]
    thumbnail = service.get(job_id, f"/photos/{photo['photo_id']}/thumbnail")
    assert thumbnail.data[8:12] == b"WEBP"
    assert len(service.get(job_id, "/thumbnails").data) > 1024

    other = service.open_job()
    known = {"custom_id": "again", "sha256": hashlib.sha256(b"photo a").hexdigest()}
    checked = service.client.post(f"/v1/jobs/{other}/photos/check", json={"photos": [known]})
    assert checked.json == {"present": 0, "copied": 1, "missing": [], "taken": []}

    receipt = service.client.delete(f"/v1/jobs/{job_id}").json
    assert (receipt["originals"], receipt["thumbnails"]) == (2, 2)
    assert [key.split("/")[1] for key in stored(service)] == [other]


def test_a_form_and_an_archive(service: Service) -> None:
    sent = service.send(("a.jpg", b"photo a"), ("b.jpg", b"photo b"))
    archive = service.send(archive=zip_of({"c.jpg": b"photo c", "d.jpg": b"no picture"}))
    work(service)
    work(service)
    assert service.job(sent.json["id"])["outcome"] == "succeeded"
    assert service.codes(archive.json["id"]) == {"c.jpg": None, "d.jpg": "corrupt_image"}
    assert not [key for key in stored(service) if key.endswith("/archive")]
    before = stored(service)
    refused = service.send(("e.jpg", b"photo e"), label="\x00")
    assert refused.status_code == 422
    assert stored(service) == before


def test_a_bucket_that_is_gone_is_told(service: Service) -> None:
    job_id = service.open_job()
    service.replace(store=Store("s3://no-such-bucket/photos"))
    refused = service.put(job_id, "a")
    assert (refused.status_code, refused.json["code"]) == (503, "store_unavailable")
    ready = service.client.get("/readyz")
    assert (ready.status_code, ready.json["checks"]["store"]) == (503, "down")
