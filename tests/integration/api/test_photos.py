from __future__ import annotations

import base64
import hashlib
import json
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from api.body import PhotoBody
from api.intake import put_photo
from nightshift.words.error_codes import PHOTO_ERROR_CODES
from nightshift.words.errors import Conflict
from nightshift.words.owners import LOCAL
from shared.db.tables import Photo
from shared.files.store import thumbnail_key
from shared.reads.cursor import Place, encode_place
from shared.reads.photos import final_photos
from tests.integration.api.conftest import Serve
from tests.support.queue_rows import analysis, face, queued_job
from tests.support.service import Service


def digest_of(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


def test_a_photo_is_stored_as_it_came(service: Service) -> None:
    job_id = service.open_job()
    data = bytes(range(256)) * 3000
    put = service.put(job_id, "a/ü b.jpg", data, Content_Digest=digest_of(data), Content_Type="image/jpeg")
    assert put.status_code == 201
    assert put.json == {
        "custom_id": "a/ü b.jpg",
        "photo_id": put.json["photo_id"],
        "path": None, "root": None,
        "sha256": hashlib.sha256(data).hexdigest(),
        "status": "queued",
        "width": None, "height": None, "exif_orientation": None, "scale": None,
        "taken_at": None, "camera_make": None, "camera_model": None, "low_confidence_faces": None,
        "attempts": 0, "history": [], "reused": False, "timings_ms": None, "precision": None, "bundle": None,
        "warnings": [], "error": None, "faces": [], "format_version": 1,
    }  # fmt: skip
    assert service.client.get(put.headers["Location"]).json == put.json
    assert service.stored() == [f"local/{job_id}/{put.json['photo_id']}"]
    assert service.context.store.get(service.stored()[0]) == data
    with service.database.read() as session:
        assert session.scalars(select(Photo.size_bytes)).one() == len(data)


def test_the_same_bytes_again_are_no_error_and_other_bytes_are(service: Service) -> None:
    job_id = service.open_job()
    first = service.put(job_id, "a", b"one")
    again = service.put(job_id, "a", b"one")
    assert (again.status_code, again.json) == (200, first.json)
    other = service.put(job_id, "a", b"two")
    assert (other.status_code, other.json["code"]) == (409, "custom_id_taken")
    assert len(service.stored()) == 1
    assert service.put(job_id, "b", b"one").status_code == 201
    assert service.job(job_id)["counts"]["total"] == 2


def test_a_count_seen_before_a_photo_came_is_not_shown_after_it(service: Service) -> None:
    job_id = service.open_job()
    assert service.get(job_id).json["counts"]["total"] == 0
    service.put(job_id, "a")
    assert service.get(job_id).json["counts"]["total"] == 1


@pytest.mark.parametrize("move", ["submit", "cancel"])
def test_a_sealed_job_takes_no_photo_and_does_not_read_it(service: Service, move: str) -> None:
    job_id = service.open_job()
    service.put(job_id, "a", b"one")
    service.post(job_id, move)
    for custom_id, data in (("a", b"one"), ("b", b"two")):
        refused = service.put(job_id, custom_id, data)
        assert (refused.status_code, refused.json["code"]) == (409, "job_sealed")

    def read() -> bytes:
        raise AssertionError("read")

    body = PhotoBody(read, limit=10, sha256=None)
    with pytest.raises(Conflict, match="no more photos"):
        put_photo(service.context, job_id, "c", body)
    assert len(service.stored()) == 1


@pytest.mark.parametrize(
    ("data", "headers", "status", "code"),
    [
        (b"", {"Content_Digest": digest_of(b"y")}, 400, "digest_mismatch"),
        (b"x", {"Content_Digest": digest_of(b"y")}, 400, "digest_mismatch"),
        (b"x", {"Content_Digest": "sha-256=:eA==:"}, 400, "bad_digest"),
        (b"x", {"Content_Digest": "sha-256="}, 400, "bad_digest"),
        (b"x" * 1001, {}, 413, "file_too_large"),
        (b"x", {"Content_Type": "multipart/form-data; boundary=x"}, 415, "unsupported_media_type"),
    ],
)
def test_bodies_that_are_refused_leave_nothing(
    serve: Serve, data: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    service = serve(max_photo_bytes=1000)
    job_id = service.open_job()
    answer = service.put(job_id, "a", data, **headers)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert service.stored() == []
    assert service.job(job_id)["counts"]["total"] == 0


def test_names_that_cannot_be_kept_are_refused(service: Service) -> None:
    job_id = service.open_job()
    for custom_id in ("", "x" * 1025, "鍵" * 834, "a\x00b"):
        answer = service.put(job_id, custom_id)
        assert (answer.status_code, answer.json["code"]) == (422, "bad_custom_id"), custom_id
    assert service.stored() == []
    assert service.put(job_id, "x" * 1024).status_code == 201
    # What cannot be packed: an index has room for so much, whatever is in it.
    scripts = random.Random(1)
    for first, last, length in ((0x4E00, 0x9FFF, 833), (0x20000, 0x2A000, 625), (0x400, 0x44F, 1024)):
        name = "".join(chr(scripts.randint(first, last)) for _ in range(length))
        assert service.put(job_id, name).status_code == 201, hex(first)
        assert service.put(job_id, name).status_code == 200
        again = service.send((name, b"one"), (name, b"two"))
        assert again.status_code in {202, 422}, again.text


def test_a_photo_needs_a_name(plain_service: Service) -> None:
    answer = plain_service.client.put(f"/v1/jobs/{plain_service.open_job()}/photos", data=b"x")
    assert [error["field"] for error in answer.json["errors"]] == ["custom_id"]


def racing(service: Service, job_id: str, meanwhile: Callable[[], Any]) -> PhotoBody:
    """A body during which something else happens; it would wait for ever if a transaction were open."""
    pieces = [b"one", b"two", b""]

    def read() -> bytes:
        if len(pieces) == 2:
            # In a thread, as another request: obstore does not run within itself.
            other = threading.Thread(target=meanwhile)
            other.start()
            other.join()
        return pieces.pop(0)

    return PhotoBody(read, limit=100, sha256=None)


def test_a_job_sealed_while_bytes_arrive_keeps_none_of_them(service: Service) -> None:
    job_id = service.open_job()
    service.put(job_id, "a")
    body = racing(service, job_id, lambda: service.post(job_id, "submit"))
    with pytest.raises(Conflict, match="no more photos"):
        put_photo(service.context, job_id, "b", body)
    assert len(service.stored()) == 1
    assert service.job(job_id)["counts"]["total"] == 1


def test_a_name_taken_while_bytes_arrive_keeps_the_first(service: Service) -> None:
    job_id = service.open_job()
    body = racing(service, job_id, lambda: service.put(job_id, "a", b"first"))
    with pytest.raises(Conflict, match="stands for another photo"):
        put_photo(service.context, job_id, "a", body)
    assert [service.context.store.get(key) for key in service.stored()] == [b"first"]


def test_many_puts_at_once(service: Service) -> None:
    job_id = service.open_job()
    statuses: dict[str, list[int]] = {"same": [], "own": []}

    def put_all(client: int) -> None:
        statuses["same"].append(service.put(job_id, "same", b"same").status_code)
        for number in range(4):
            statuses["own"].append(service.put(job_id, f"{client}/{number}", b"x").status_code)

    threads = [threading.Thread(target=put_all, args=(client,)) for client in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses["same"]) == [200, 200, 200, 200, 201]
    assert statuses["own"] == [201] * 20
    assert len(service.stored()) == 21
    with service.database.read() as session:
        assert session.scalars(select(Photo.ordinal).order_by(Photo.ordinal)).all() == list(range(21))


def test_photos_are_listed_in_order_and_filtered(service: Service) -> None:
    job_id = service.submitted_job(*"abcdef")
    assert service.work(batch_size=2) == 2
    service.fail("corrupt_image")
    service.fail("too_many_pixels")

    def listed(query: str = "") -> list[str]:
        return [photo["custom_id"] for photo in service.get(job_id, f"/photos{query}").json["photos"]]

    assert listed() == list("abcdef")
    assert listed("?status=succeeded") == ["a", "b"]
    assert listed("?status=failed") == ["c", "d"]
    assert listed("?code=too_many_pixels") == ["d"]
    assert listed("?status=succeeded&code=too_many_pixels") == []
    assert listed("?status=queued") == ["e", "f"]
    first = service.get(job_id, "/photos?limit=4")
    assert first.json["next"] is not None
    second = service.client.get(first.headers["Link"].split(">")[0].removeprefix("<"))
    assert [photo["custom_id"] for photo in second.json["photos"]] == ["e", "f"]
    assert second.json["next"] is None
    assert "Link" not in second.headers
    assert service.get(job_id, "/photos?status=gone").status_code == 422


def test_a_photo_in_a_coding_is_refused_before_it_fails(service: Service) -> None:
    job_id = service.open_job()
    refused = service.put(job_id, "a", b"photo", Content_Encoding="gzip")
    assert (refused.status_code, refused.json["code"]) == (415, "unsupported_media_type")
    assert "gzip" in refused.json["detail"]
    assert service.photos(job_id) == {}
    assert service.put(job_id, "a", b"photo", Content_Encoding="identity").status_code == 201


def test_digests_and_lists_are_asked_for_in_words(service: Service) -> None:
    job_id = service.open_job()
    path = f"/v1/jobs/{job_id}/photos/check"
    wrong = service.client.post(path, json={"photos": [{"custom_id": "a", "sha256": "ABC"}]})
    assert wrong.json["errors"][0]["message"] == "must be 64 hex digits, in small letters"
    empty = service.client.post(path, json={"photos": []})
    assert empty.json["errors"][0]["message"] == "must have 1 entry at least"


@pytest.mark.parametrize("part", ["photos", "results"])
def test_a_code_that_no_photo_has_is_refused_with_those_there_are(service: Service, part: str) -> None:
    job_id = service.submitted_job("a")
    refused = service.get(job_id, f"/{part}?code=nope")
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_fields")
    [error] = refused.json["errors"]
    assert error["field"] == "code"
    assert all(code in error["message"] for code in PHOTO_ERROR_CODES)
    assert service.get(job_id, f"/{part}?code=cancelled").status_code == 200


def test_a_photo_that_was_analysed(service: Service) -> None:
    job_id = service.submitted_job("a")
    service.work(lambda _: analysis(face(0), face(1, "male", "65+")))
    photo = service.get(job_id, "/photos").json["photos"][0]
    assert photo["status"] == "succeeded"
    assert photo["bundle"] == {"name": "test", "sha256": "a" * 64}
    assert photo["timings_ms"] == {"decode": 1, "detect": 2, "align": 3, "classify": 4}
    assert (photo["width"], photo["height"], photo["attempts"], photo["precision"]) == (1000, 1000, 1, "fp32")
    assert [f["index"] for f in photo["faces"]] == [0, 1]
    assert photo["faces"][0]["box"] == {"x1": 10.0, "y1": 20.0, "x2": 110.0, "y2": 140.0}
    assert photo["faces"][1]["gender"]["value"] == "male"
    assert photo["faces"][1]["age_group"]["high"] is None
    assert photo["faces"][0]["landmarks"]["left_eye"] == {"x": 0.0, "y": 0.0}
    assert service.get(job_id, f"/photos/{photo['photo_id']}").json == photo


def test_a_photo_of_another_job_is_not_there(service: Service) -> None:
    mine, other = service.open_job(), service.open_job()
    photo_id = service.put(other, "a").json["photo_id"]
    for part in ("", "/thumbnail"):
        answer = service.get(mine, f"/photos/{photo_id}{part}")
        assert (answer.status_code, answer.json["code"]) == (404, "photo_not_found")
    theirs = queued_job(service.database, 1, owner="other")
    assert service.get(theirs, f"/photos/{photo_id}").json["code"] == "job_not_found"
    assert service.get(mine, "/photos/pho_%00").json["code"] == "photo_not_found"


def test_thumbnails(service: Service) -> None:
    job_id = service.open_job()
    photo_id = service.put(job_id, "a").json["photo_id"]
    missing = service.get(job_id, f"/photos/{photo_id}/thumbnail")
    assert (missing.status_code, missing.json["code"]) == (404, "thumbnail_not_found")
    service.context.store.put(thumbnail_key("local", job_id, photo_id), b"RIFFwebp")
    there = service.get(job_id, f"/photos/{photo_id}/thumbnail")
    assert (there.status_code, there.mimetype, there.data) == (200, "image/webp", b"RIFFwebp")


def name_not_sent(service: Service, job_id: str, **reasons: str) -> Any:
    photos = [{"custom_id": name, "reason": reason} for name, reason in reasons.items()]
    return service.client.post(f"/v1/jobs/{job_id}/photos/not-sent", json={"photos": photos})


def test_photos_that_were_never_sent_are_failed_ones_with_their_reason(service: Service) -> None:
    job_id = service.open_job()
    service.put(job_id, "sent", b"one")
    for added in (2, 0):
        told = name_not_sent(service, job_id, gone="unreadable", huge="too_large", sent="refused")
        assert (told.status_code, told.json) == (200, {"added": added, "total": 3})
    counts = service.job(job_id)["counts"]
    assert (counts["total"], counts["failed"], counts["queued"]) == (3, 2, 1)
    photos = service.client.get(f"/v1/jobs/{job_id}/photos").json["photos"]
    errors = {photo["custom_id"]: photo["error"] and photo["error"]["code"] for photo in photos}
    assert errors == {"sent": None, "gone": "not_sent", "huge": "file_too_large"}
    assert service.post(job_id, "submit").status_code == 202
    assert name_not_sent(service, job_id, late="refused").json["code"] == "job_sealed"


@pytest.mark.parametrize(
    ("photos", "code"),
    [
        ({"a": "because"}, "invalid_fields"),
        ({}, "invalid_fields"),
        ({"": "refused"}, "bad_custom_id"),
    ],
)
def test_what_cannot_be_named_as_not_sent_is_refused(
    service: Service, photos: dict[str, str], code: str
) -> None:
    job_id = service.open_job()
    answer = name_not_sent(service, job_id, **photos)
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert service.job(job_id)["counts"]["total"] == 0
    assert name_not_sent(service, "job_" + "0" * 32, a="refused").json["code"] == "job_not_found"


def test_photos_are_listed_where_they_belong_whichever_arrives_first(service: Service) -> None:
    service.submitted_job("known")
    service.work()
    job_id = service.open_job()

    def put(name: str, place: int, data: bytes) -> int:
        path = f"/v1/jobs/{job_id}/photos?custom_id={name}&place={place}"
        return service.client.put(path, data=data).status_code

    assert [put("d", 3, b"d"), put("a", 0, b"a"), put("c", 2, b"")] == [201] * 3
    known = {"custom_id": "b", "sha256": hashlib.sha256(b"known").hexdigest(), "place": 1}
    checked = service.client.post(f"/v1/jobs/{job_id}/photos/check", json={"photos": [known]})
    assert checked.json["copied"] == 1
    assert service.put(job_id, "e").status_code == 201
    assert put("f", -1, b"f") == 422
    service.post(job_id, "submit")
    service.work(batch_size=8)

    listed = [photo["custom_id"] for photo in service.get(job_id, "/photos").json["photos"]]
    assert listed == list("abcde")
    streamed = service.get(job_id, "/results", Accept="application/x-ndjson").get_data(as_text=True)
    assert [json.loads(line)["custom_id"] for line in streamed.splitlines()] == list("abcde")
    page = service.get(job_id, "/photos?limit=3").json
    rest = service.get(job_id, f"/photos?limit=3&cursor={page['next']}").json
    assert [photo["custom_id"] for photo in (*page["photos"], *rest["photos"])] == list("abcde")
    pages = final_photos(service.database, LOCAL, job_id, page_size=2)
    assert [[photo.custom_id for photo in page] for page in pages] == [["a", "b"], ["c", "d"], ["e"]]


def test_a_cursor_from_before_photos_had_places_goes_on(service: Service) -> None:
    job_id = service.submitted_job(*"abc")
    cursor = encode_place(job_id, "added", Place(1))
    page = service.get(job_id, f"/photos?cursor={cursor}").json
    assert [photo["custom_id"] for photo in page["photos"]] == ["c"]
