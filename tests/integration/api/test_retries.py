"""The same request again makes no second job; bytes that are known need not be sent again."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from nightshift.words.clock import utc_now
from shared.db.tables import Upload
from shared.queue import uploads
from tests.support.archives_made import zip_of
from tests.support.queue_rows import ahead
from tests.support.service import Service
from worker.sweeper import Sweeper

PHOTOS = (("a.jpg", b"photo a"), ("b.jpg", b"photo b"))


def jobs(service: Service) -> int:
    return len(service.client.get("/v1/jobs").json["jobs"])


def open_with(service: Service, key: str, **body: object):  # type: ignore[no-untyped-def]
    return service.client.post("/v1/jobs", json=body, headers={"Idempotency-Key": key})


def test_a_form_sent_again_is_answered_with_the_first_job(service: Service) -> None:
    first = service.send(*PHOTOS, key="k", label="party")
    stored = service.stored()
    again = service.send(*PHOTOS, key="k", label="party")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json["id"] == first.json["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert service.stored() == stored
    assert jobs(service) == 1


@pytest.mark.parametrize(
    ("photos", "fields"),
    [
        ((("a.jpg", b"photo a"),), {}),
        ((("b.jpg", b"photo b"), ("a.jpg", b"photo a")), {}),
        ((("a.jpg", b"photo a"), ("b.jpg", b"photo c")), {}),
        ((("a.jpg", b"photo a"), ("c.jpg", b"photo b")), {}),
        (PHOTOS, {"height": "720"}),
        (PHOTOS, {"label": "other"}),
    ],
)
def test_a_key_stands_for_one_content(
    service: Service, photos: tuple[tuple[str, bytes], ...], fields: dict[str, Any]
) -> None:
    service.send(*PHOTOS, key="k")
    other = service.send(*photos, key="k", **fields)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert jobs(service) == 1


def test_an_archive_sent_again_is_answered_with_the_first_job(service: Service) -> None:
    archive = zip_of(dict(PHOTOS))
    first = service.send(archive=archive, key="k")
    again = service.send(archive=archive, key="k")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json["id"] == again.json["id"]
    other = service.send(archive=zip_of({"a.jpg": b"photo"}), key="k")
    assert other.json["code"] == "idempotency_key_reused"


def test_json_sent_again_opens_no_second_job(service: Service) -> None:
    first, again = (open_with(service, "k", label="party") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json["id"] == again.json["id"]
    assert open_with(service, "k", label="other").json["code"] == "idempotency_key_reused"
    assert open_with(service, "l", label="party").json["id"] != first.json["id"]


def test_a_key_whose_request_failed_is_free_again(service: Service) -> None:
    assert service.send(*PHOTOS, key="k", height="tall").status_code == 422
    assert service.send(*PHOTOS, key="k").status_code == 202


def test_a_key_is_in_use_while_its_request_is_under_way(service: Service) -> None:
    service.context.queue.begin_upload("local", "k")
    for refused in (service.send(*PHOTOS, key="k"), open_with(service, "k")):
        assert (refused.status_code, refused.json["code"]) == (409, "idempotency_key_in_use")
        assert int(refused.headers["Retry-After"]) > 0
    assert service.stored() == []


def test_a_key_whose_server_was_killed_is_free_after_its_lease(service: Service) -> None:
    with ahead(-timedelta(hours=1)):
        begun = service.context.queue.begin_upload("local", "k")
    assert isinstance(begun, uploads.Receiving)
    service.context.store.put(f"local/{begun.job_id}/pho_1", b"left behind")
    assert service.send(*PHOTOS, key="k").status_code == 202
    assert not any(begun.job_id in path for path in service.stored())
    # Should the first request wake up, it has lost its key.
    with pytest.raises(Exception, match="under way"), service.database.write() as session:
        uploads.finish(session, begun, "f")


def test_the_sweeper_deletes_what_a_killed_server_had_taken_in(service: Service) -> None:
    with ahead(-timedelta(hours=1)):
        begun = service.context.queue.begin_upload("local", None)
    alive = service.context.queue.begin_upload("local", None)
    assert isinstance(begun, uploads.Receiving)
    assert isinstance(alive, uploads.Receiving)
    service.context.store.put(f"local/{begun.job_id}/pho_1", b"left behind")
    service.context.store.put(f"local/{alive.job_id}/pho_1", b"arriving")
    Sweeper(service.settings, service.database, service.doorbell, service.context.store).sweep()
    assert service.stored() == [f"local/{alive.job_id}/pho_1"]
    with service.database.read() as session:
        assert [row.job_id for row in session.query(Upload)] == [alive.job_id]


def test_a_key_is_forgotten_after_a_day(service: Service) -> None:
    service.send(*PHOTOS, key="k")
    with service.database.write() as session:
        session.query(Upload).update({"begun_at": utc_now() - timedelta(hours=25)})
    Sweeper(service.settings, service.database, service.doorbell, service.context.store).sweep()
    assert service.send(*PHOTOS, key="k").headers.get("Idempotent-Replayed") is None
    assert jobs(service) == 2


def test_requests_without_a_key_are_not_remembered(service: Service) -> None:
    service.send(*PHOTOS)
    service.open_job()
    with service.database.read() as session:
        assert session.query(Upload).count() == 0


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_bad_key_is_refused(service: Service, key: str) -> None:
    refused = open_with(service, key)
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_fields")


def check(service: Service, job_id: str, **photos: bytes):  # type: ignore[no-untyped-def]
    known = [{"custom_id": name, "sha256": hashlib.sha256(data).hexdigest()} for name, data in photos.items()]
    return service.client.post(f"/v1/jobs/{job_id}/photos/check", json={"photos": known})


def test_known_bytes_are_copied_and_the_rest_is_named(service: Service) -> None:
    earlier = service.send(*PHOTOS).json["id"]
    assert service.work() == 2
    job_id = service.open_job()
    service.put(job_id, "here", b"photo h")
    checked = check(service, job_id, here=b"photo h", known=b"photo a", new=b"photo n")
    assert checked.status_code == 200
    assert checked.json == {"present": 1, "copied": 1, "missing": ["new"], "taken": []}
    again = check(service, job_id, here=b"photo h", known=b"photo a", new=b"photo n")
    assert again.json == {"present": 2, "copied": 0, "missing": ["new"], "taken": []}
    # The copy is the job's own: it outlives the job it came from.
    assert service.finish(earlier)
    assert service.client.delete(f"/v1/jobs/{earlier}").status_code == 200
    photo = service.photos(job_id)["known"]
    assert service.context.store.get(f"local/{job_id}/{photo['photo_id']}") == b"photo a"


def test_a_name_that_is_checked_twice_is_copied_once(service: Service) -> None:
    service.send(*PHOTOS)
    service.work()
    job_id = service.open_job()
    known = {"custom_id": "twice", "sha256": hashlib.sha256(b"photo a").hexdigest()}
    checked = service.client.post(f"/v1/jobs/{job_id}/photos/check", json={"photos": [known, known]})
    assert checked.json == {"present": 1, "copied": 1, "missing": [], "taken": []}
    assert len([path for path in service.stored() if job_id in path]) == 1


def test_a_name_that_is_taken_keeps_no_other_from_being_copied(service: Service) -> None:
    service.send(*PHOTOS)
    service.work()
    job_id = service.open_job()
    service.put(job_id, "sent", b"photo h")
    refused = {"photos": [{"custom_id": "refused", "reason": "unreadable"}]}
    assert service.client.post(f"/v1/jobs/{job_id}/photos/not-sent", json=refused).status_code == 200
    checked = check(service, job_id, sent=b"photo a", known=b"photo b", refused=b"photo a", new=b"photo n")
    assert checked.status_code == 200
    named = {"missing": ["sent", "refused", "new"], "taken": ["sent", "refused"]}
    assert checked.json == {"present": 0, "copied": 1, **named}
    assert service.put(job_id, "sent", b"photo a").json["code"] == "custom_id_taken"


def test_bytes_that_are_gone_or_anothers_are_missing(service: Service) -> None:
    from tests.support.queue_rows import queued_job, save_all, take

    queued_job(service.database, 1, owner="somebody else")
    held = take(service.database)
    assert held is not None
    save_all(service.database, held)
    job_id = service.open_job()
    digest = {"custom_id": "x", "sha256": f"{0:064x}"}
    checked = service.client.post(f"/v1/jobs/{job_id}/photos/check", json={"photos": [digest]})
    assert checked.json["missing"] == ["x"]
    earlier = service.send(("a.jpg", b"photo a")).json["id"]
    service.work()
    for path in service.stored():
        if earlier in path:
            service.context.store.delete(path)
    checked = check(service, job_id, a=b"photo a")
    assert checked.json == {"present": 0, "copied": 0, "missing": ["a"], "taken": []}


def test_a_check_is_refused_like_a_photo(service: Service) -> None:
    job_id = service.submitted_job("a")
    assert check(service, job_id, a=b"x").json["code"] == "job_sealed"
    assert check(service, "job_none", a=b"x").status_code == 404
    open_id = service.open_job()
    refused = service.client.post(
        f"/v1/jobs/{open_id}/photos/check", json={"photos": [{"custom_id": "a", "sha256": "zz"}]}
    )
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_fields")
