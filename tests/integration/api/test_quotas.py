"""What an owner may hold, on every way in; what is erased is free again."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from shared.db.tables import Holding, Job, Photo
from shared.files.store import Store
from shared.queue.holdings import require_job
from tests.integration.api.conftest import Serve
from tests.support.archives_made import zip_of
from tests.support.client import Answer
from tests.support.erasing import sweep
from tests.support.service import Service
from tests.support.statements import plan, statements_of
from worker.parts import Parts
from worker.slice import run_slice


@pytest.fixture
def service(serve: Serve, database_url: str) -> Service:
    return serve(
        in_place_roots="/",
        database_url=database_url,
        max_owner_jobs=3,
        max_owner_photos=4,
        max_owner_bytes=1000,
    )


def held(service: Service, owner: str = "local") -> tuple[int, int]:
    with service.database.read() as session:
        row = session.get(Holding, owner)
        return (row.photos, row.size_bytes) if row else (0, 0)


def assert_refused(answer: Answer, quota: str, limit: int, wanted: int) -> None:
    assert (answer.status_code, answer.json["code"]) == (507, "quota_exceeded"), answer.text
    assert {name: answer.json[name] for name in ("quota", "limit", "wanted")} == {
        "quota": quota, "limit": limit, "wanted": wanted,
    }  # fmt: skip
    assert f"{limit:,}" in answer.json["detail"]


def in_place(service: Service, job_id: str, folder: Path, names: list[str]) -> Answer:
    for name in names:
        (folder / name).write_bytes(b"photo")
    photos = [{"custom_id": name, "path": str(folder / name)} for name in names]
    return service.client.post(f"/v1/jobs/{job_id}/photos/in-place", json={"photos": photos})


def check(service: Service, job_id: str, **digests: str) -> Answer:
    photos = [{"custom_id": name, "sha256": digest} for name, digest in digests.items()]
    return service.client.post(f"/v1/jobs/{job_id}/photos/check", json={"photos": photos})


def test_jobs_that_have_not_ended(service: Service) -> None:
    jobs = [service.open_job(), service.submitted_job("a"), str(service.send(("b", b"photo")).json["id"])]
    for refused in (service.client.post("/v1/jobs", json={}), service.send(("c", b"photo"))):
        assert (refused.status_code, refused.json["code"]) == (429, "too_many_jobs")
        assert (refused.json["limit"], refused.json["wanted"]) == (3, 4)
        assert int(refused.headers["Retry-After"]) > 0
    assert held(service) == (2, 6)
    service.post(jobs[1], "cancel")
    service.open_job()
    # An ended job that is tried again counts like any other.
    assert service.post(jobs[1], "retry").json["code"] == "too_many_jobs"
    service.client.delete(f"/v1/jobs/{jobs[0]}")
    assert service.post(jobs[1], "retry").status_code == 202


def test_photos_one_by_one(service: Service) -> None:
    job_id = service.open_job()
    for name in "abcd":
        assert service.put(job_id, name).status_code == 201
    assert_refused(service.put(job_id, "e"), "photos", 4, 5)
    # Sent again, it is not one more.
    assert service.put(job_id, "a").status_code == 200
    assert held(service) == (4, 20)
    assert len(service.stored()) == 4
    service.client.delete(f"/v1/jobs/{job_id}")
    assert held(service) == (0, 0)
    assert service.put(service.open_job(), "e").status_code == 201


def test_bytes_are_refused_before_they_are_read(service: Service) -> None:
    class Unread(io.BytesIO):
        """A body that must not be touched."""

        def read(self, _size: int | None = -1) -> bytes:
            raise AssertionError("the body was read")

    job_id = service.open_job()
    assert service.put(job_id, "a", b"x" * 600).status_code == 201
    form = "multipart/form-data; boundary=b"
    for path, kind in ((f"/v1/jobs/{job_id}/photos?custom_id=b", "image/jpeg"), ("/v1/jobs", form)):
        refused = service.client.open(
            path,
            method="PUT" if "photos" in path else "POST",
            input_stream=Unread(bytes(500)),
            content_type=kind,
        )
        assert_refused(refused, "bytes", 1000, 1100)
    assert service.put(job_id, "b", b"x" * 400).status_code == 201
    assert held(service) == (2, 1000)


def test_a_form_is_refused_whole(service: Service) -> None:
    refused = service.send(*((f"{n}.jpg", b"photo") for n in range(5)), key="k")
    assert_refused(refused, "photos", 4, 5)
    assert (service.stored(), held(service)) == ([], (0, 0))
    # Its key is free.
    assert service.send(("a.jpg", b"photo"), key="k").status_code == 202


def test_an_archive_counts_until_it_is_unpacked_and_what_is_too_much_is_left_out(
    service: Service, parts: Parts
) -> None:
    archive = zip_of({f"{n}.jpg": b"photo %d" % n for n in range(6)}, packed=True)
    assert len(archive) < 1000
    job_id = service.send(archive=archive).json["id"]
    assert held(service) == (0, len(archive))
    run_slice(parts)
    codes = service.codes(job_id)
    assert codes == {**{f"{n}.jpg": None for n in range(4)}, "party.zip": "quota_exceeded"}
    assert "4 photos" in service.photos(job_id)["party.zip"]["error"]["message"]
    assert held(service) == (5, 4 * 7)
    assert len([path for path in service.stored() if "thumbnail" not in path]) == 4
    service.client.delete(f"/v1/jobs/{job_id}")
    assert held(service) == (0, 0)


def test_bytes_of_members_are_held_against_the_quota(service: Service, parts: Parts) -> None:
    archive = zip_of({f"{n}.jpg": b"photo" + bytes(300) for n in range(4)}, packed=True)
    job_id = service.send(archive=archive).json["id"]
    run_slice(parts)
    codes = service.codes(job_id)
    assert codes["party.zip"] == "quota_exceeded"
    assert held(service)[1] == 305 * (len(codes) - 1) <= 1000


def test_an_archive_that_is_too_large(service: Service) -> None:
    refused = service.send(archive=zip_of({"a.jpg": b"photo" + bytes(2000)}))
    assert (refused.status_code, refused.json["code"]) == (507, "quota_exceeded")
    assert (service.stored(), held(service)) == ([], (0, 0))


def test_an_archive_that_is_never_unpacked(service: Service) -> None:
    job_id = service.send(archive=zip_of({"a.jpg": b"photo"})).json["id"]
    assert held(service)[1]
    service.post(job_id, "cancel")
    service.client.delete(f"/v1/jobs/{job_id}")
    assert held(service) == (0, 0)


def test_files_in_place_are_photos_without_bytes(service: Service, tmp_path: Path) -> None:
    job_id = service.open_job()
    assert in_place(service, job_id, tmp_path, ["a", "b", "c", "d"]).status_code == 200
    assert_refused(in_place(service, job_id, tmp_path, ["e"]), "photos", 4, 5)
    assert held(service) == (4, 0)


def test_copies_of_what_was_sent_before(service: Service, parts: Parts) -> None:
    data = b"photo" + bytes(595)
    first = service.submitted_job("a")
    sent = service.open_job()
    service.put(sent, "big", data)
    service.post(sent, "submit")
    run_slice(parts)
    assert service.job(first)["state"] == service.job(sent)["state"] == "ended"
    refused = check(service, service.open_job(), again=hashlib.sha256(data).hexdigest())
    assert_refused(refused, "bytes", 1000, 1201)
    assert len([path for path in service.stored() if "thumbnail" not in path]) == 2


def test_another_owner_is_not_concerned(service: Service) -> None:
    job_id = service.open_job()
    for name in "abcd":
        service.put(job_id, name)
    with service.database.write() as session:
        session.get_one(Job, job_id).owner = "news"
        session.query(Photo).update({"owner": "news"})
        session.get_one(Holding, "local").owner = "news"
    assert service.put(service.open_job(), "e").status_code == 201
    assert (held(service), held(service, "news")) == ((1, 5), (4, 20))


def test_originals_that_were_deleted_are_no_bytes(service: Service, parts: Parts) -> None:
    sent = service.send(("a", b"photo"), ("b", b"photo"), delete_originals="true").json["id"]
    assert held(service) == (2, 10)
    run_slice(parts)
    sweep(service)
    sweep(service)
    assert held(service) == (2, 0)
    service.client.delete(f"/v1/jobs/{sent}")
    assert held(service) == (0, 0)


def test_what_a_failed_photo_never_had_is_not_counted(service: Service) -> None:
    service.replace(settings=service.settings.model_copy(update={"max_photo_bytes": 10}))
    sent = service.send(("a", b"photo"), ("b", b"x" * 50), ("a", b"photo"), ("a", b"other"))
    assert sent.status_code == 202
    # One was sent twice; one name was taken, and its bytes are kept under another.
    assert held(service) == (3, 10)
    stored = sum((service.home / "store" / path).stat().st_size for path in service.stored())
    assert stored == 10


def test_a_refusal_leaves_the_rows_as_they_were(service: Service) -> None:
    before: Any = held(service)
    job_id = service.open_job()

    class Grows(Store):
        """Two requests at once: both were let in, one is too much."""

        def put(self, key: str, data: Any) -> None:
            super().put(key, data)
            with service.database.write() as session:
                session.merge(Holding(owner="local", photos=4, size_bytes=0))

    service.replace(store=Grows(service.settings.store_url))
    assert_refused(service.put(job_id, "a"), "photos", 4, 5)
    assert service.stored() == []
    with service.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Photo)) == before[0]


def test_ended_jobs_without_photos_are_held_too(serve: Serve) -> None:
    service = serve(max_owner_kept_jobs=2)
    jobs = [service.open_job(metadata={"a": "x" * 16_000}) for _ in range(2)]
    for job_id in jobs:
        service.post(job_id, "cancel")
    for refused in (service.client.post("/v1/jobs", json={}), service.send(("c", b"photo"))):
        assert_refused(refused, "jobs", 2, 3)
    service.client.delete(f"/v1/jobs/{jobs[0]}")
    service.open_job()


def test_jobs_are_counted_from_an_index(service: Service) -> None:
    for _ in range(2):
        service.open_job()
    with statements_of(service.database) as sent, service.database.read() as session:
        require_job(session, "local", service.settings)
    [(statement, parameters)] = sent
    assert "ix_jobs_owner_state" in plan(service.database._engine, statement, parameters)
